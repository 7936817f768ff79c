"""Numbers that stand for something else: placeholders of missing values, padding, lost digits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from sklc.errors import LightCurveError
from sklc.light_curves.messages import warn
from sklc.light_curves.store import Store, describe
from sklc.utils.offsets import object_of
from sklc.utils.text import listed, shown

__all__ = [
    "check_time_digits",
    "check_wavelengths",
    "check_zero_padding",
    "warn_metadata",
    "warn_placeholders",
]

# Numbers that tables use for a value that is missing.
_PLACEHOLDERS = frozenset(
    float(kind(sign * n))
    for n in (9.0, 99.0, 99.9, 99.99, 999.0, 999.9, 999.99, 9999.0, 99999.0, 1e20, 1e30)
    for sign in (-1.0, 1.0)
    for kind in (np.float32, np.float64)
) - {9.0}
# Whole numbers below this may well be counts.
_LEAST_COUNT = 999
# A placeholder lies this many times farther out than all other values.
_FAR = 3.0
_FIRST_JULIAN_DATE = 2_400_000.0
# The longest wavelength, in micrometre, at which light curves are read by wavelength alone.
_LONGEST_WAVELENGTH = 30.0


def placeholder_in(values: np.ndarray) -> float | None:
    """Return the smallest or largest value if it is a placeholder, far from all others.

    Parameters
    ----------
    values : ndarray of float
        Finite values.
    """
    if not len(values):
        return None
    for extreme in (values.min(), values.max()):
        if float(extreme) not in _PLACEHOLDERS:
            continue
        others = np.abs(values[~np.isin(values, list(_PLACEHOLDERS))])
        if len(others) and abs(float(extreme)) > _FAR * others.max():
            return float(extreme)
    return None


def warn_placeholders(obs: Store, highest: Mapping[str, float]) -> None:
    """Warn if fluxes or errors hold placeholders.

    Parameters
    ----------
    obs : Store
        Valid observations.
    highest : mapping of str to float
        The largest value of each column, which decides whether to look closer.
    """
    for name, value in highest.items():
        if float(value) in _PLACEHOLDERS:
            _warn_placeholder(obs, name)


def _warn_placeholder(obs: Store, name: str) -> None:
    values = getattr(obs, name)
    found = placeholder_in(values[np.isfinite(values)])
    if found is None:
        return
    rows = np.flatnonzero(values == found)
    k = object_of(obs.offsets, rows[:1])[0]
    warn(
        f"{describe(obs.ids, k)} has the {name} {found:g} ({len(rows)} of {len(values)} "
        "observations), far from all others: if it stands for a missing value, leave such rows "
        f"out, frame[frame[{name!r}] != {found:g}]"
    )


def warn_metadata(metadata: pd.DataFrame) -> pd.DataFrame:
    """Return per-object columns, after a warning if any of them hold placeholders."""
    found = {}
    for name in metadata.columns:
        column = metadata[name]
        if isinstance(column, pd.DataFrame) or not pd.api.types.is_numeric_dtype(column.dtype):
            continue
        if pd.api.types.is_bool_dtype(column.dtype):
            continue
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        values = values[np.isfinite(values)]
        value = placeholder_in(values)
        if value is not None and 0 < value < _LEAST_COUNT and column.dtype.kind in "iu":
            value = None
        if value is None and len(values) and values.min() < 0 and _is_positive(str(name)):
            below = values[values < 0]
            value = float(below[0]) if np.isin(below, list(_PLACEHOLDERS)).all() else None
        if value is not None:
            found[name] = value
    if found:
        name, value = next(iter(found.items()))
        k = int(
            np.flatnonzero(metadata[name].to_numpy(dtype=np.float64, na_value=np.nan) == value)[0]
        )
        more = f" (also in {listed(list(found)[1:])})" if len(found) > 1 else ""
        warn(
            f"{describe(metadata.index.to_numpy(), k)} has {shown(name)} = {value:g} in the "
            f"metadata{more}: if it stands for a missing value, replace it with NaN, "
            f"curves.with_metadata(curves.metadata.replace({value!r}, numpy.nan))"
        )
    return metadata


def _is_positive(name: str) -> bool:
    """Whether a column of this name holds redshifts or extinctions, which are not negative."""
    name = name.lower()
    return name == "z" or any(
        part in name for part in ("redshift", "specz", "photoz", "zphot", "ebv")
    )


def check_time_digits(time: np.ndarray) -> None:
    """Raise LightCurveError for Julian dates of half or single precision."""
    if time.dtype != np.float32 or not len(time):
        return
    with np.errstate(invalid="ignore"):
        last = np.nanmax(time) if not np.isnan(time).all() else 0.0
    if np.isfinite(last) and last > _FIRST_JULIAN_DATE:
        raise LightCurveError(
            f"the times are Julian dates in single precision (float32), such as {float(last)}, "
            "which are rounded to a quarter of a day: read them as float64, or subtract 2400000.5 "
            "before the conversion to float32"
        )


def check_zero_padding(
    time: np.ndarray, flux: np.ndarray, offsets: np.ndarray, ids: np.ndarray
) -> None:
    """Raise LightCurveError for objects that end with zeros instead of observations.

    Parameters
    ----------
    time, flux : ndarray of shape (n_obs_total,)
        As they are given, grouped by object and not yet sorted.
    offsets, ids : ndarray
        The objects.
    """
    several = np.flatnonzero(np.diff(offsets) > 1)
    last = offsets[several + 1] - 1
    padded = several[(time[last] == 0) & (flux[last] == 0) & (time[offsets[several]] > 0)]
    if len(padded):
        raise LightCurveError(
            f"{describe(ids, padded[0])} ends with an observation of flux 0 at the time 0, and "
            f"begins at a later one ({len(padded)} of {len(ids)} objects): these look like zeros "
            "that fill up an array. Fill it with NaN, X[(X == 0).all(axis=-1)] = numpy.nan, or "
            "leave such rows out"
        )


def check_wavelengths(wavelength: Any) -> None:
    """Raise LightCurveError for a column of wavelengths that holds something else."""
    values = np.unique(wavelength[np.isfinite(wavelength)])
    if not len(values):
        return
    problem = ""
    if np.all(values == np.round(values)) and values[0] >= 0 and values[-1] < _LONGEST_WAVELENGTH:
        problem = "look like filter ids"
    elif values[0] > _LONGEST_WAVELENGTH:
        angstrom = values[0] >= 2500
        unit, factor = ("Angstrom", "10000") if angstrom else ("nanometre", "1000")
        problem = f"look like {unit}: divide them by {factor}"
    if problem:
        raise LightCurveError(
            f"the fourth column holds wavelengths in micrometre, and its values, "
            f"{listed(values.tolist(), 4)}, {problem}. Bands of other kinds are read with "
            "LightCurves.from_arrays(time, flux, flux_err, band, survey=...)"
        )
