"""Conditions of visits: moon, seasons, weather, and the depths that result from them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtri

YEAR = 365.25
# New moon of 2000 January 6, and the mean synodic month.
_NEW_MOON, SYNODIC = 51549.6, 29.530589


def moonlight(mjd: np.ndarray) -> np.ndarray:
    """Illuminated fraction of the moon."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * (mjd - _NEW_MOON) / SYNODIC)


def local_noon(longitude: float) -> float:
    """Mean local noon as a fraction of the UT day, where a new night begins.

    Parameters
    ----------
    longitude : float
        East longitude of the telescope in degrees.

    Returns
    -------
    float

    Examples
    --------
    >>> from sklc.simulate.surveys.conditions import local_noon
    >>> round(local_noon(-70.75), 3)
    0.697
    """
    return (0.5 - longitude / 360.0) % 1.0


def midnight(longitude: float) -> float:
    """Return the mean local midnight after that noon, in days."""
    return local_noon(longitude) + 0.5


def opposition(ra: np.ndarray) -> np.ndarray:
    """Return a date (MJD) on which the position is opposite to the sun."""
    # the sun was at right ascension 0 on MJD 58197, the equinox of March 2018
    return 58197.0 + (ra - 180.0) / 360.0 * YEAR


def season_phase(ra: np.ndarray, mjd: np.ndarray) -> np.ndarray:
    """Days between each time and the nearest opposition, of shape (n_positions, n_times)."""
    days = mjd - opposition(ra)[:, None]
    return np.abs(days - YEAR * np.rint(days / YEAR))


def sky(
    rng: np.random.Generator, n: int, dec_min: float, dec_max: float
) -> tuple[np.ndarray, np.ndarray]:
    """Positions drawn uniformly between two declinations."""
    low, high = np.sin(np.radians([dec_min, dec_max]))
    return rng.uniform(0.0, 360.0, n), np.degrees(np.arcsin(rng.uniform(low, high, n)))


def weather(rng: np.random.Generator, n_days: int, fraction: float) -> np.ndarray:
    """Clear nights: a given fraction of them, in spells of a few days."""
    noise = np.convolve(rng.normal(size=n_days + 2), [0.5, 1.0, 0.5], mode="valid")
    noise += rng.normal(0.0, 1.2, n_days)
    return noise < np.quantile(noise, fraction)


def depths(
    rng: np.random.Generator,
    band: np.ndarray,
    night: np.ndarray,
    moonlight: np.ndarray,
    *,
    quantiles: Sequence[tuple[float, float, float]],
    moon: Sequence[float],
) -> np.ndarray:
    """5-sigma depths with given 5, 50 and 95 % quantiles in each band.

    Visits are ranked by how good their conditions are (moonlight, the night, the visit), and the
    ranks become magnitudes of a split normal distribution: conditions shape which visits are
    deep, never how many.
    """
    quality = rng.normal(0.0, 0.8, int(night.max()) + 1)[night] + rng.normal(0.0, 0.6, len(band))
    quality -= np.asarray(moon)[band] * moonlight
    depth = np.empty(len(band))
    for code, (low, middle, high) in enumerate(quantiles):
        rows = np.flatnonzero(band == code)
        if not len(rows):
            continue
        rank = np.empty(len(rows))
        rank[np.argsort(quality[rows])] = (np.arange(len(rows)) + 0.5) / len(rows)
        deviate = np.clip(ndtri(rank), -2.6, 2.2) / ndtri(0.95)
        depth[rows] = middle + deviate * np.where(deviate < 0, middle - low, high - middle)
    return depth
