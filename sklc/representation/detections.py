"""Which observations a network is shown: detections, and those that confirm each other."""

from __future__ import annotations

import numpy as np

from sklc.light_curves.container import LightCurves
from sklc.light_curves.store import Store
from sklc.representation.settings import Settings
from sklc.utils.offsets import count_by_object, offsets_after, per_observation

__all__ = ["significant"]


def significant(
    flux: np.ndarray,
    flux_err: np.ndarray,
    curves: LightCurves | Store,
    settings: Settings,
) -> np.ndarray:
    """Return which observations are shown: at least one of each object."""
    shown = np.abs(flux) >= settings.min_snr * flux_err
    if settings.corroboration:
        confirmed = _confirmed(flux, flux_err, shown, curves, settings)
        # What is not confirmed is shown only where nothing else is.
        shown = confirmed | (
            shown & per_observation(count_by_object(confirmed, curves.offsets) == 0, curves.offsets)
        )
    # All observations of an object are shown if none is significant.
    return shown | per_observation(count_by_object(shown, curves.offsets) == 0, curves.offsets)


# What two neighbours together must reach.
_JOINT_SNR = 5.0


def _confirmed(
    flux: np.ndarray,
    flux_err: np.ndarray,
    detected: np.ndarray,
    curves: LightCurves | Store,
    settings: Settings,
) -> np.ndarray:
    """Return which significant observations a significant neighbour in time confirms."""
    rows = np.flatnonzero(detected)
    offsets = offsets_after(detected, curves.offsets)
    with np.errstate(divide="ignore", invalid="ignore"):
        snr = flux[rows] / flux_err[rows]
    known = np.isfinite(snr)
    size = np.where(known, np.abs(snr), np.inf)
    gap = np.diff(np.asarray(curves.time, dtype=np.float64)[rows])
    weaker = np.minimum(size[1:], size[:-1])
    near = gap <= settings.corroboration * (weaker / settings.min_snr) ** 2
    pair = near & (np.signbit(flux[rows][1:]) == np.signbit(flux[rows][:-1]))
    pair &= np.hypot(size[1:], size[:-1]) >= _JOINT_SNR
    inner = offsets[1:-1]
    pair[inner[(inner > 0) & (inner < len(rows))] - 1] = False  # neighbours of two objects
    confirmed = np.zeros(len(rows), dtype=bool)
    confirmed[1:] |= pair
    confirmed[:-1] |= pair
    result = np.zeros(len(flux), dtype=bool)
    result[rows] = confirmed | ~known
    return result
