"""Light curves of the package lightkurve."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from sklc.errors import LightCurveError
from sklc.io.columns import ZERO_POINTS
from sklc.io.formats.space import (
    KEPLER,
    TESS,
    Mission,
    photometry_of_star,
    relative_zero_point,
)
from sklc.io.photometry import Photometry, Quality
from sklc.io.registry import reader
from sklc.io.source import Source
from sklc.io.tabular import join

__all__ = ["read_lightkurve"]


def _mission_of(header: Mapping[str, Any]) -> Mission:
    text = f"{header.get('MISSION', '')} {header.get('TELESCOP', '')}"
    if "tess" in text.casefold():
        return TESS
    if "kepler" in text.casefold() or "k2" in text.casefold():
        return KEPLER
    raise LightCurveError(
        f"the mission is {text.strip()[:80]!r}, which is neither Kepler, K2 nor TESS: convert the "
        "light curve with .to_table() and pass it with passband= and zero_point=, "
        'format="astropy-table"'
    )


def _is_lightkurve(given: Any) -> bool:
    return any(c.__module__.startswith("lightkurve") for c in type(given).__mro__)


def _members(given: Any) -> list[Any]:
    """Return the light curves in a collection or a list, or a light curve itself."""
    if isinstance(given, list | tuple):
        return list(given) if given and all(map(_is_lightkurve, given)) else []
    if not _is_lightkurve(given):
        return []
    return [given] if hasattr(given, "colnames") else list(given)


@reader(
    "lightkurve",
    title="lightkurve LightCurve and LightCurveCollection",
    flux="total flux",
    recognise=lambda source: bool(_members(source.object)),
)
def read_lightkurve(
    source: Source, *, zero_point: float | None = None, quality: Quality = "good"
) -> Photometry:
    """Read light curves of the package lightkurve.

    Parameters
    ----------
    source : lightkurve.LightCurve, LightCurveCollection or list of LightCurve
        Light curves of Kepler, K2 or TESS; those of one star are joined.
    zero_point : float, optional
        AB zero point. The default is 25.10 (Kepler) or 20.79 (TESS) for electrons per second, see
        `read_kepler` and `read_tess`; normalised light curves get the magnitude of the star.
    quality : {"good", "all"} or callable, default="good"
        As for `read_kepler`; lightkurve has left out most flagged observations already.

    Returns
    -------
    LightCurves
        Total flux. Times are MJD in the scale of the light curve (TDB, barycentric).

    Raises
    ------
    LightCurveError
        If a light curve is folded, is in magnitudes, or its mission is another one.

    Examples
    --------
    >>> import lightkurve  # doctest: +SKIP
    >>> from sklc.io import read_lightkurve
    >>> found = lightkurve.search_lightcurve("KIC 1026032", quarter=10)  # doctest: +SKIP
    >>> curves = read_lightkurve(found.download())  # doctest: +SKIP
    """
    members = _members(source.object)
    if not members:
        raise LightCurveError(
            f"{source.name} is no object of lightkurve: pass what its .download() returned, or "
            'read a file of Kepler or TESS without format="lightkurve"'
        )
    return join([_from_lightkurve(one, quality, zero_point) for one in members])


def _from_lightkurve(curve: Any, quality: Quality, zero_point: float | None) -> Photometry:
    header = {str(key).upper(): value for key, value in curve.meta.items()}
    mission = _mission_of(header)
    if not hasattr(curve["time"], "mjd"):
        raise LightCurveError("the light curve is folded: pass it as it was before .fold()")
    unit = str(curve["flux"].unit or "").replace(" ", "").casefold()
    if "mag" in unit:
        raise LightCurveError(
            f"the flux is in magnitudes ({unit}): select a flux with .select_flux()"
        )
    flux, error = (_filled(curve[name]) for name in ("flux", "flux_err"))
    if zero_point is None and unit.startswith(("electron", "e/", "e-")):
        zero_point = mission.zero_point
    elif zero_point is None:
        zero_point = ZERO_POINTS.get(unit) or relative_zero_point(flux, header, mission)
    flags = _filled(curve["quality"]) if "quality" in curve.colnames else np.zeros(len(flux))
    flags = np.nan_to_num(flags).astype(np.int64)
    table = pd.DataFrame(
        {"time": _filled(curve["time"].mjd), "flux": flux, "flux_err": error, "quality": flags}
    )
    return photometry_of_star(table, header, mission, quality, zero_point)


def _filled(column: Any) -> np.ndarray:
    """Return a column as float64, masked values as NaN."""
    values = getattr(column, "value", column)
    mask = np.asarray(getattr(values, "mask", False))
    array = np.asarray(getattr(values, "unmasked", getattr(values, "data", values)))
    return np.where(mask, np.nan, array.astype(np.float64))
