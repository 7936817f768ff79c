"""Units and times of astropy, which are converted or refused, and never dropped.

astropy is not imported here: its objects bring all that is needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import numpy as np

from sklc.errors import LightCurveError
from sklc.light_curves.values import (
    is_time,
    joined,
    library_of,
    numbers,
    plain_array,
    raw_column,
    unit_of,
)
from sklc.utils.text import shown

__all__ = [
    "METADATA",
    "check_scales",
    "is_convertible",
    "is_magnitude",
    "numeric",
    "rescaled",
    "scale_of",
    "without_unit",
]

#: The units to which columns are converted.
_UNITS = {"time": "d", "wavelength": "um", "zero point": "mag"}
#: Per-object columns may be angles, times, magnitudes, or numbers without a unit.
_OBJECT_UNITS = ("deg", "d", "mag", "")
# What the unit of a time column says in FITS files of Kepler ("BJD - 2454833") and others ("MJD").
_DAYS = re.compile(r"[MHB]?JD(?:\s*-\s*(?P<zero>24\d{5}(?:\.\d+)?))?(?:,?\s*d(?:ays?)?)?", re.I)
_MJD_ZERO = 2_400_000.5
_MEANING = {"time": "unit of time", "wavelength": "wavelength", "zero point": "magnitude"}
#: How the name of a column of metadata begins in messages.
METADATA = "metadata"


def numeric(values: Any, name: str) -> np.ndarray:
    """Return a column as float64, or float32 if it is; missing values become NaN.

    Parameters
    ----------
    values : column
        One number per row.
    name : str
        What it holds: "time", "flux", ... The unit to which it is converted depends on it.

    Raises
    ------
    LightCurveError
        If the column does not hold numbers, or its unit cannot be converted.
    """
    if type(values) is not np.ndarray:
        values = without_unit(values, name)
    raw = raw_column(values, name)
    is_objects = isinstance(raw, np.ndarray) and raw.dtype == object and len(raw)
    if is_objects and library_of(type(raw[0])):  # quantities or times, one in each row
        raw = raw_column(without_unit(joined(list(raw)), name), name)
    return numbers(raw, name)


def without_unit(values: Any, name: str) -> Any:
    """Return a column as numbers: times in days, wavelengths in micrometre, zero points in mag.

    Parameters
    ----------
    values : column
        A `Time` becomes MJD, in its own scale.
    name : str
        What the column holds; the unit depends on it.

    Raises
    ------
    LightCurveError
        If the unit cannot be converted.
    """
    if is_time(values):
        if name != "time" and not name.startswith(METADATA):
            raise LightCurveError(
                f"the {name} column holds times, a {type(values).__name__}: pass numbers"
            )
        return values.mjd if hasattr(values, "mjd") else values.jd
    unit = unit_of(values)
    if unit is None:
        return values
    kind = "wavelength" if name.endswith("wavelength") else name
    targets = _OBJECT_UNITS if name.startswith(METADATA) else (_UNITS.get(kind, ""),)
    if kind == "zero point" and is_magnitude(unit):
        return plain_array(values)
    for target in targets:
        if is_convertible(unit, target):
            return rescaled(plain_array(values), scale_of(unit, target))
    if kind == "time" and (days := _DAYS.fullmatch(str(unit).strip())):
        zero = float(days["zero"] or 0)
        return numbers(plain_array(values), name) + (zero - _MJD_ZERO if zero else 0.0)
    raise LightCurveError(
        f"the {name} column has the unit {shown(str(unit))}, "
        + (f"which is no {_MEANING[kind]}: " if kind in _MEANING else "which is not understood: ")
        + "convert it, or pass its numbers alone, column.value, if they are right as they are"
    )


def check_scales(times: Iterable[Any]) -> None:
    """Raise unless the times of all objects, as far as they are astropy's, have one scale."""
    scales = {values.scale for values in times if is_time(values) and hasattr(values, "mjd")}
    if len(scales) > 1:
        raise LightCurveError(
            f"the times of these objects are in different scales, {', '.join(sorted(scales))}, up "
            "to 70 s apart: convert all to one, for example with time.utc"
        )


def is_magnitude(unit: Any) -> bool:
    """Whether a unit is that of magnitudes, on any system."""
    return hasattr(unit, "physical_unit") or is_convertible(unit, "mag")


def is_convertible(unit: Any, target: Any) -> bool:
    """Whether values of a unit can be converted to another."""
    return bool(unit.is_equivalent(target))


def scale_of(unit: Any, target: Any) -> float:
    """Return what to multiply values of a unit by to have them in another."""
    return float(unit.to(target))


def rescaled(values: np.ndarray, scale: float) -> np.ndarray:
    """Return values in another unit, exactly where that is possible."""
    if scale == 1.0:
        return values
    values = numbers(values, "column").astype(np.float64)
    # whole numbers, and divisions by these, are exact, as for hours and mJy
    inverse, whole = round(1 / scale), round(scale)
    if inverse > 1 and abs(scale * inverse - 1) < 1e-12:
        return values / inverse
    return values * (whole if whole and abs(scale / whole - 1) < 1e-12 else scale)
