"""The fluxes and the magnitudes of a table."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sklc.errors import LightCurveError
from sklc.io.choices import Choices
from sklc.io.columns import ZERO_POINTS, Names, unit_in_name
from sklc.io.photometry import Rows
from sklc.io.values import are_flags, by_label, flags, numbers
from sklc.io.vega import ab_minus_vega, uses_vega
from sklc.light_curves.magnitudes import flux_from_magnitude, signs
from sklc.passbands.lookup import Passband, get_passband
from sklc.utils.text import counted

__all__ = ["brightness"]

_ZERO_POINT = 27.5  # of fluxes made from magnitudes, and the default of a flux without a unit
_FAINTEST, _BRIGHTEST = 40.0, -30.0  # magnitudes beyond are sentinels, such as 99.99
_LARGEST_ERROR = 9.0  # magnitudes
_VEGA = ("vega", "landolt", "johnson", "bessell")


def brightness(
    frame: pd.DataFrame, names: Names, choices: Choices, bands: pd.Categorical, rows: Rows
) -> tuple[np.ndarray, np.ndarray | None, Any]:
    """Return fluxes, their errors and their zero points, from fluxes or from magnitudes.

    Rows without a measurement and upper limits are left out of `rows`.
    """
    if _prefers_magnitudes(names, choices):
        return _from_magnitudes(frame, names, choices, bands, rows)
    return _from_fluxes(frame, names, choices, rows)


def _prefers_magnitudes(names: Names, choices: Choices) -> bool:
    """Whether to read magnitudes: if there is no flux, or none whose zero point is known."""
    if names.mag is None or names.flux is None:
        return names.flux is None
    if choices.names.flux is not None or choices.names.mag is not None:
        return choices.names.flux is None
    return not (choices.zero_point or names.zero_point or unit_in_name(names.flux))


def _from_fluxes(
    frame: pd.DataFrame, names: Names, choices: Choices, rows: Rows
) -> tuple[np.ndarray, np.ndarray | None, Any]:
    assert names.flux is not None
    flux = numbers(frame, names.flux)
    error = None if names.flux_err is None else numbers(frame, names.flux_err)
    rows.leave_out(~np.isfinite(flux) | (np.abs(flux) > 1e19), f"without a flux ({names.flux})")
    if names.limit is not None and are_flags(frame[names.limit]):  # and not limits themselves
        rows.leave_out(flags(frame, names.limit), f"upper limits ({names.limit})")
    zero_point: Any = choices.zero_point
    unit = unit_in_name(names.flux)
    if zero_point is None and names.zero_point is not None:
        zero_point = numbers(frame, names.zero_point)
        if names.system is not None:
            systems = {str(s).casefold() for s in frame[names.system].dropna().unique()}
            if systems - {"ab"}:
                raise LightCurveError(
                    f"the zero points are in the system {sorted(systems)} ({names.system}): "
                    "convert them to AB, or pass zero_point="
                )
        bad = rows.kept & ~((zero_point > 5) & (zero_point < 60))
        if bad.any():
            row = int(np.argmax(bad))
            raise LightCurveError(
                f"the zero point ({names.zero_point}) is {zero_point[row]:g} in row {row + 1} of "
                f"the table ({counted(int(bad.sum()), 'such row')}), which is none: correct it, "
                "or pass zero_point="
            )
    elif zero_point is None and unit is not None:
        zero_point = ZERO_POINTS[unit]
        other = unit_in_name(names.flux_err) if names.flux_err else None
        if other not in (None, unit):
            raise LightCurveError(
                f"the fluxes ({names.flux}) and their errors ({names.flux_err}) have different "
                "units: convert one of them"
            )
    elif zero_point is None:
        zero_point = _ZERO_POINT
        rows.notes.append("zero point 27.5 was assumed: pass zero_point= if it is another")
    return flux, error, zero_point


def _from_magnitudes(
    frame: pd.DataFrame, names: Names, choices: Choices, bands: pd.Categorical, rows: Rows
) -> tuple[np.ndarray, np.ndarray | None, float]:
    assert names.mag is not None
    mag = numbers(frame, names.mag, limits=True)
    if names.limit is not None and are_flags(frame[names.limit]):  # and not limits themselves
        rows.leave_out(flags(frame, names.limit), f"upper limits ({names.limit})")
    if frame[names.mag].dtype.kind not in "fiub":
        limits = by_label(frame[names.mag], lambda text: text.startswith(("<", ">")))
        rows.leave_out(limits, "upper limits")
    bad = ~((mag > _BRIGHTEST) & (mag < _FAINTEST))
    rows.leave_out(bad, f"without a magnitude ({names.mag})")
    error = None
    if names.mag_err is not None:
        error = numbers(frame, names.mag_err)
        rows.leave_out(error > _LARGEST_ERROR, f"limits, whose {names.mag_err} is a sentinel")
        rows.leave_out(error < 0, f"whose {names.mag_err} is negative")
    mag = mag + _offsets(frame, names, choices, bands, rows)
    sign: Any = 1.0
    if "isdiffpos" in frame:  # of difference fluxes
        sign = signs(frame["isdiffpos"], "isdiffpos")
        rows.leave_out(np.isnan(sign), "without a sign (isdiffpos)")
    with np.errstate(over="ignore", invalid="ignore"):
        flux, flux_err = flux_from_magnitude(
            np.where(bad, np.nan, mag), error, zero_point=_ZERO_POINT, sign=sign
        )
    kept = rows.kept
    if error is not None and (many := int(np.sum(kept & (error > 0.3)))):
        rows.notes.append(
            counted(
                many,
                "magnitude has an error above 0.3, and its flux is biased",
                "magnitudes have errors above 0.3, whose fluxes are biased",
            )
        )
    return flux, flux_err, _ZERO_POINT


def _offsets(
    frame: pd.DataFrame, names: Names, choices: Choices, bands: pd.Categorical, rows: Rows
) -> np.ndarray | float:
    """Return what makes magnitudes AB: by row, from the user, the table, or the passbands."""
    system = choices.system
    if system is not None and system.casefold() == "ab":
        return 0.0
    in_vega: np.ndarray | None = None
    if system is None and names.system is not None:
        unknown = ~by_label(
            frame[names.system], lambda own: own.casefold() in ("ab", *_VEGA), absent=True
        )
        if (unknown & rows.kept).any():
            row = int(np.argmax(unknown & rows.kept))
            raise LightCurveError(
                f"the system of magnitudes ({names.system}) is "
                f"{str(frame[names.system].iloc[row])[:80]!r} in row {row + 1} of the table: it "
                'must be AB or Vega; convert, or pass system="AB" or "Vega"'
            )
        in_vega = by_label(frame[names.system], lambda own: own.casefold() in _VEGA)
    codes = np.asarray(bands.codes)
    used = np.zeros(len(bands.categories), dtype=bool)
    used[np.unique(codes[rows.kept & (codes >= 0)])] = True
    survey = None if choices.survey == "standard" else choices.survey
    offsets = np.zeros(len(bands.categories) + 1)
    assumed = []
    for k in np.flatnonzero(used).tolist():
        label = bands.categories[k]
        passband = label if isinstance(label, Passband) else get_passband(label, survey)
        if system is None and in_vega is None and uses_vega(passband):
            assumed.append(str(passband.name))
            offsets[k] = ab_minus_vega(passband)
        elif system is not None or (in_vega is not None and in_vega[codes == k].any()):
            offsets[k] = ab_minus_vega(passband)
    if assumed:
        rows.notes.append(
            f'magnitudes in {" ".join(assumed)} were taken for Vega magnitudes: pass system="AB" '
            "if they are AB"
        )
    return offsets[codes] if in_vega is None else np.where(in_vega, offsets[codes], 0.0)
