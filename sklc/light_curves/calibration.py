"""Warnings about fluxes that look like magnitudes, or whose zero point is not that of the survey.

Both look at a sample of the data, so that they cost the same for a hundred rows and for millions.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sklc.light_curves.store import Store
from sklc.light_curves.zero_points import UNITS
from sklc.passbands.table.depth import DEPTHS, Depth

__all__ = ["depth_warning", "looks_like_magnitudes"]

_MAGNITUDES = (10.0, 30.0)
_SHARE = 0.9  # of the values that can be used
_SAMPLE = 2000  # rows
_SENTINEL = 90.0  # 99, 999 and 1e20 stand for a missing value
_OBJECTS, _ROWS = 30, 20_000
_OFTEN_MISTAKEN = ("nJy", "uJy", "mJy", "Jy")
_FEWEST = 12  # observations of an object; fewer may be anything


def looks_like_magnitudes(flux: np.ndarray, flux_err: np.ndarray | None) -> bool:
    """Whether the fluxes, as they are given, and their errors look like magnitudes.

    Values that are missing, infinite or sentinels do not count, whether or not they are dropped
    later, nor do rows without a positive error: a limit in a table of magnitudes is one of these.
    """
    if flux_err is None or len(flux) < 2:
        return False
    step = -(-len(flux) // _SAMPLE)
    sample, error = flux[::step], flux_err[::step]
    with np.errstate(invalid="ignore"):
        usable = (np.abs(sample) < _SENTINEL) & (error > 0) & (error < _SENTINEL)
        low, high = _MAGNITUDES
        alike = usable & (sample >= low) & (sample <= high) & (error < 1)
    n_usable = int(usable.sum())
    return n_usable >= 2 and int(alike.sum()) >= _SHARE * n_usable


MAGNITUDES = (
    "nearly all fluxes lie between 10 and 30 with errors below 1: are they magnitudes? If so: "
    'LightCurves.from_magnitudes(frame, mag="...", mag_err="..."), or flux = 10 ** (-0.4 * (mag - '
    "27.5)), flux_err = flux * mag_err / 1.0857. If they are fluxes, pass zero_point= their AB "
    "zero point"
)


def depth_warning(store: Store) -> str | None:
    """Return what is odd about the zero point, for surveys whose depth is known; or None.

    A depth is odd only if the zero point of another unit would make it a usual one.
    """
    for survey in dict.fromkeys(band.survey for band in store.passbands):
        if survey not in DEPTHS:
            continue
        depth = DEPTHS[survey]
        own = np.array([band.survey == survey for band in store.passbands])
        drawn = [_brightness(*one, store.zero_point) for one in _sample(store, own)]
        columns = [column[np.isfinite(column)] for column in np.array(drawn).reshape(-1, 3).T]
        typical = [float(np.median(column)) if len(column) else np.nan for column in columns]
        if (odd := _oddness(depth, *typical)) is None:
            continue
        what, magnitude = odd
        said = f"at the zero point {store.zero_point:g}, the {survey} light curves {what} at "
        said += f"{magnitude:.1f} mag"
        right = f"zero_point={store.zero_point:g} if that is right"
        for unit, zero_point in UNITS.items():
            usual = magnitude + zero_point - store.zero_point
            if unit in _OFTEN_MISTAKEN and depth.is_usual(usual):
                return (
                    f"{said}. With zero_point={zero_point}, for fluxes in {unit}, it would be "
                    f"{usual:.1f} mag: pass this zero point, or {right}"
                )
        if magnitude < depth.saturation:
            return f"{said}: pass zero_point= the AB zero point of the fluxes, or {right}"
    return None


def _oddness(depth: Depth, noise: float, sky: float, peak: float) -> tuple[str, float] | None:
    """Return what is impossible about typical magnitudes, see `_brightness`, and the magnitude."""
    if noise > depth.deepest:
        return "have a 5-sigma depth that single exposures do not reach,", noise
    if np.isnan(noise) and peak > depth.deepest:
        return "have their peaks below what single exposures reach,", peak
    if sky < depth.shallowest:
        return "have a 5-sigma depth that is too bright even for bad weather,", sky
    if peak < depth.saturation:
        return "have their peaks where the images are saturated,", peak
    return None


def _brightness(
    flux: np.ndarray, flux_err: np.ndarray, zero_point: float
) -> tuple[float, float, float]:
    """Return the 5-sigma depth of all observations, that of faint ones, and the peak, in AB mag.

    The noise of faint observations is that of the sky. NaN where there are too few.
    """
    if not np.isfinite(flux_err).all():
        return np.nan, np.nan, _magnitude(flux.max(), zero_point)
    faint = flux_err[np.abs(flux) < 20 * flux_err]
    sky = np.median(faint) if len(faint) >= _FEWEST else np.nan
    peak = np.max(flux, where=flux >= 5 * flux_err, initial=-np.inf)
    noise = (5 * np.median(flux_err), 5 * sky, peak)
    return tuple(_magnitude(value, zero_point) for value in noise)  # type: ignore[return-value]


def _magnitude(flux: float, zero_point: float) -> float:
    return zero_point - 2.5 * float(np.log10(flux)) if flux > 0 else np.nan


def _sample(store: Store, bands: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield flux and error in some bands of objects with many observations, evenly drawn."""
    long = np.flatnonzero(store.lengths >= _FEWEST)
    rows = 0
    for row in long[:: -(-len(long) // _OBJECTS) or 1]:
        start = store.offsets[row]
        own = slice(start, min(store.offsets[row + 1], start + _ROWS // 10))
        inside = bands[store.band[own]]
        if np.count_nonzero(inside) >= _FEWEST and rows < _ROWS:
            rows += len(inside)
            yield store.flux[own][inside], store.flux_err[own][inside]
