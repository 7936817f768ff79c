"""Zero points: what the name of a column says, which values are impossible, and Vega systems."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from sklc.errors import LightCurveError
from sklc.light_curves import columns as tables
from sklc.light_curves.store import DEFAULT_ZERO_POINT, describe
from sklc.passbands.registry import Passband
from sklc.utils.offsets import object_of

__all__ = [
    "UNITS",
    "FluxName",
    "check_zero_points",
    "common_zero_point",
    "flux_name",
    "vega_zero_points",
]

#: AB zero points of units of flux density.
UNITS: dict[str, float] = {"nJy": 31.4, "uJy": 23.9, "mJy": 16.4, "Jy": 8.9, "nanomaggies": 22.5}
#: Names of the column that says in which magnitude system zero points are, as in sncosmo.
SYSTEM_COLUMNS = ("zpsys", "zpmagsys", "magsys")

_UNIT = re.compile(r"(?:^|[\W_]|flux)(n|u|µ|μ|m|)jy\s*[)\]}>]?$", re.IGNORECASE)
_PREFIXES = {"n": "nJy", "u": "uJy", "µ": "uJy", "μ": "uJy", "m": "mJy", "": "Jy"}
_RUBIN = re.compile(r"(psf|psfdiff|science|template|ap|diff|trail|forced)flux(mean)?$")
_MAGNITUDE = re.compile(
    r"(psf|fiber|fibre|model|petro|kron|aper|ap|cal|ant)?_?mag(nitude|nitudes|s)?"
    r"(_?(psf|ap|auto|aper|corr|corrected|ab|vega))*"
)


@dataclass(frozen=True)
class FluxName:
    """What the name of a column of fluxes says of their zero point.

    Parameters
    ----------
    zero_point : float or None
        The AB zero point of the unit in the name.
    columns : tuple of str
        Columns in which files that have such a column keep the zero point of each row.
    question : str
        What has to be asked where neither is known; empty if there is nothing to ask.
    """

    zero_point: float | None = None
    columns: tuple[str, ...] = ()
    question: str = ""


_FLUXCAL = FluxName(
    columns=("ZP_FLUXCAL",),
    question="SNANA writes the zero point of FLUXCAL to the header key ZP_FLUXCAL: 31.4 by default "
    "since April 2026; 27.5 before, and where there is no such key. Pass it, such as "
    "zero_point=27.5",
)
_COUNTS = FluxName(
    columns=("zpdiff", "magzpsci"),
    question="it is in counts of the image (DN), each row with a zero point of its own: pass the "
    'column of zero points, zero_point="zpdiff" in files of the forced-photometry service, '
    'zero_point="magzpsci" in alerts',
)
_OLD_RUBIN = FluxName(
    question="psFlux is in nJy (zero_point=31.4) in simulations of Rubin, but has the zero point "
    "27.5 in ELAsTiCC: pass the right one"
)
_MAGNITUDES = FluxName(
    question="its name is that of magnitudes, which are not fluxes: read them with "
    "LightCurves.from_magnitudes(frame, mag=...). If it does hold fluxes, pass zero_point="
)


def flux_name(name: str | None) -> FluxName:
    """Return what the name of a column of fluxes says of their zero point.

    Examples
    --------
    >>> from sklc.light_curves.zero_points import flux_name
    >>> flux_name("uJy").zero_point, flux_name("psfDiffFlux").zero_point
    (23.9, 31.4)
    """
    if name is None:
        return FluxName()
    text = str(name).strip()
    last = re.split(r"[:.]", text)[-1].casefold()
    if unit := _UNIT.search(text):
        return FluxName(UNITS[_PREFIXES[unit[1].casefold()]])
    if re.search(r"nanomaggies|nanomaggy|nmgy", last):
        return FluxName(UNITS["nanomaggies"])
    if re.search(r"(^|_)fluxcal$", last):
        return _FLUXCAL
    if last.startswith("forcediffimflux"):
        return _COUNTS
    if last == "psflux":
        return _OLD_RUBIN
    if _RUBIN.search(last.rpartition("_")[2]):
        return FluxName(UNITS["nJy"])
    return _MAGNITUDES if _MAGNITUDE.fullmatch(last) else FluxName()


def zero_point_of_unit(zero_point: np.ndarray) -> bool:
    """Whether all rows have the zero point of a unit, which nobody writes for magnitudes."""
    return bool(zero_point.min() == zero_point.max() and zero_point.flat[0] in UNITS.values())


def check_zero_points(zero_point: np.ndarray, any_finite: bool = False) -> np.ndarray:
    """Return a mask of zero points that are missing: NaN, infinity, 0, -9, 99, -99, 999, ..."""
    if any_finite:
        return ~np.isfinite(zero_point)
    if zero_point.min() > 0 and zero_point.max() < 90:  # false for NaN
        return np.zeros(0, dtype=bool)
    with np.errstate(invalid="ignore"):
        return ~(np.abs(zero_point) < 90) | (zero_point == 0) | (zero_point == -9)


def row_zero_points(
    values: Any,
    offsets: np.ndarray,
    ids: np.ndarray,
    order: np.ndarray | None,
    any_finite: bool = False,
) -> np.ndarray:
    """Return a column of zero points as numbers, in its own order, all of them plausible."""
    zp = tables.numeric(values, "zero point")
    bad = check_zero_points(zp, any_finite)
    if bad.any():
        zp, bad = (zp, bad) if order is None else (zp[order], bad[order])
        rows = np.flatnonzero(bad)
        k, value = object_of(offsets, rows[:1])[0], zp[rows[0]]
        what = "without zero point" if np.isnan(value) else f"with the zero point {value:g}"
        raise LightCurveError(
            f"{describe(ids, k)} has an observation {what} "
            f"({len(rows)} of {len(zp)} observations): pass zero_point= the AB zero point of the "
            "fluxes, such as zero_point=25.0 (any constant for uncalibrated flux), or drop those "
            "rows"
        )
    return zp


def constant_zero_point(value: float, any_finite: bool = False) -> float:
    """Return the one zero point of all fluxes, which must be plausible."""
    if check_zero_points(np.array([value], dtype=np.float64), any_finite).any():
        raise LightCurveError(
            f"zero_point={value:g} is not the AB zero point of fluxes: 0, -9, 99 and -99 stand for "
            f"a missing value. Pass {', '.join(f'{zp} for {unit}' for unit, zp in UNITS.items())}, "
            "27.5 for FLUXCAL of SNANA, or any other constant for uncalibrated flux"
        )
    return value


def common_zero_point(zp: np.ndarray, order: np.ndarray | None) -> tuple[float, np.ndarray | None]:
    """Return the zero point of a container, and what to multiply the fluxes by to bring them to it.

    One value for all rows is kept; several are brought to 27.5.
    """
    if (low := float(zp.min())) == zp.max():
        return low, None
    zp = zp if order is None else zp[order]
    return DEFAULT_ZERO_POINT, 10 ** (-0.4 * (zp.astype(np.float64) - DEFAULT_ZERO_POINT))


def vega_zero_points(
    system: Any, band: np.ndarray, passbands: tuple[Passband, ...], order: np.ndarray | None
) -> np.ndarray | None:
    """Return what makes AB zero points of those of each observation; None if all are AB already.

    Raises
    ------
    LightCurveError
        If a system is neither AB nor Vega, or the offset of a passband is not known.
    """
    codes, names = tables.labels(system)
    systems = [str(name).strip().casefold() for name in names]
    used = np.flatnonzero(np.bincount(codes[codes >= 0], minlength=len(names)))
    for k in used:
        if systems[k] not in ("ab", "vega"):
            raise LightCurveError(
                f"the magnitude system {str(names[k])[:80]!r} is neither AB nor Vega: convert "
                'these zero points to AB, and write "ab" into the column of systems'
            )
    is_vega = np.array([name == "vega" for name in systems] + [False])[codes]  # missing is AB
    if not is_vega.any():
        return None
    is_vega = is_vega if order is None else is_vega[order]
    offset = np.array([np.nan if p.ab_minus_vega is None else p.ab_minus_vega for p in passbands])
    seen = np.unique(band[is_vega & (band >= 0)])
    if len(unknown := [passbands[k] for k in seen if np.isnan(offset[k])]):
        one = unknown[0]
        raise LightCurveError(
            f"the offset from Vega to AB magnitudes is not known for the passband {one.name!r} "
            f"({len(unknown)} such passband(s)): register it, "
            f'sklc.register_passband("{one.name}", wavelength={one.wavelength!r}, '
            f'survey="{one.survey}", ab_minus_vega=<AB magnitude of Vega>), or convert the '
            "magnitudes to AB"
        )
    return np.where(is_vega, np.append(offset, 0.0)[band], 0.0)
