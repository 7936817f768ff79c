"""Visits of a survey to positions of the sky: when, in which band and how deep."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from sklc.errors import SimulationError

__all__ = ["Visits"]

# (1 / 5)**2: the relative variance of a source at the 5-sigma depth.
_FIVE_SIGMA = 0.04


@dataclass(frozen=True, eq=False)
class Visits:
    """Visits to positions of the sky, in flat arrays.

    The variance of a flux f measured in a visit is ``sky + source * f + (s * f)**2``, with the
    systematic fraction s of the survey. Fluxes have the zero point 27.5.

    Parameters
    ----------
    time : ndarray of shape (n_visits,), float64
        Modified Julian dates, ascending within a position.
    band : ndarray of shape (n_visits,), int16
        Codes of the bands: indices into the survey's passbands.
    sky : ndarray of shape (n_visits,), float64
        Variance of the background, in flux units squared.
    source : ndarray of shape (n_visits,), float64
        Variance per unit of the source's flux (photon noise), in flux units.
    offsets : ndarray of shape (n_positions + 1,), int64
        Position i has the rows ``offsets[i]`` to ``offsets[i + 1]``.
    ra, dec : ndarray of shape (n_positions,), float64, optional
        Coordinates of the positions in degrees, where they have any.

    Examples
    --------
    >>> from sklc.simulate.surveys.visits import Visits
    >>> visits = Visits.from_depths([60000.1, 60000.2, 60002.1], band=[0, 0, 1],
    ...                             depth=[20.0, 20.0, 21.0], offsets=[0, 3], gamma=0.039)
    >>> visits
    Visits(3 visits to 1 position, MJD 60000.1 to 60002.1)
    >>> visits.nightly().depth().round(2)
    array([20.38, 21.  ])
    >>> visits.between([0], [60000.15], [60002.0])
    (array([1]), array([2]))
    """

    time: np.ndarray
    band: np.ndarray
    sky: np.ndarray
    source: np.ndarray
    offsets: np.ndarray
    ra: np.ndarray | None = None
    dec: np.ndarray | None = None

    def __repr__(self) -> str:
        n, total = self.n_positions, len(self.time)
        when = "MJD {:.1f} to {:.1f}".format(*self.span) if total else "none"
        return f"Visits({total:,} visits to {n:,} position{'s' * (n != 1)}, {when})"

    @classmethod
    def from_depths(
        cls,
        time: ArrayLike,
        band: ArrayLike,
        depth: ArrayLike,
        offsets: ArrayLike,
        *,
        gamma: float,
        ra: ArrayLike | None = None,
        dec: ArrayLike | None = None,
    ) -> Visits:
        """Make visits from 5-sigma depths.

        With f5 the flux of the depth, ``sky = gamma * f5**2`` and
        ``source = (0.04 - gamma) * f5`` (Ivezic et al. 2019, equation 5): a point source of flux
        f5 has a signal-to-noise ratio of 5.

        Parameters
        ----------
        time : array-like of shape (n_visits,)
            Modified Julian dates; sorted within each position if they are not.
        band : array-like of shape (n_visits,)
            Codes of the bands.
        depth : array-like of shape (n_visits,)
            5-sigma point-source depths in AB magnitudes.
        offsets : array-like of shape (n_positions + 1,)
            Position i has the rows ``offsets[i]`` to ``offsets[i + 1]``.
        gamma : float
            Share of the background in the noise of a source at the depth, from 0 to 0.04.
        ra, dec : array-like of shape (n_positions,), optional
            Coordinates of the positions in degrees.

        Returns
        -------
        Visits

        Raises
        ------
        SimulationError
            If `gamma` is out of range, the lengths do not agree or a value is not finite.

        Examples
        --------
        >>> from sklc.simulate.surveys.visits import Visits
        >>> visits = Visits.from_depths([60000.0], [0], [20.0], [0, 1], gamma=0.04)
        >>> visits.sky, visits.source
        (array([40000.]), array([0.]))
        """
        if not 0.0 < gamma <= _FIVE_SIGMA:
            raise SimulationError(f"gamma={gamma!r}: the share of the background is in (0, 0.04].")
        time, depth = np.asarray(time, np.float64), np.asarray(depth, np.float64)
        band, offsets = np.asarray(band, np.int16), np.asarray(offsets, np.int64)
        n = len(time)
        if not n == len(band) == len(depth):
            lengths = f"{n}, {len(band)} and {len(depth)}"
            raise SimulationError(f"time, band and depth have {lengths} rows: pass one of each.")
        ascends = len(offsets) and offsets[0] == 0 and (np.diff(offsets) >= 0).all()
        if not ascends or offsets[-1] != n:
            raise SimulationError(f"offsets have to ascend from 0 to the number of visits, {n}.")
        if not (np.isfinite(time).all() and np.isfinite(depth).all()):
            raise SimulationError("time and depth have to be finite: drop the other visits.")
        position = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
        if np.any((np.diff(time) < 0) & (np.diff(position) == 0)):
            order = np.lexsort((time, position))
            time, band, depth = time[order], band[order], depth[order]
        f5 = 10.0 ** (-0.4 * (depth - 27.5))
        where = [None if c is None else np.asarray(c, np.float64) for c in (ra, dec)]
        return cls(time, band, gamma * f5**2, (_FIVE_SIGMA - gamma) * f5, offsets, *where)

    @property
    def n_positions(self) -> int:
        """Number of positions."""
        return len(self.offsets) - 1

    @cached_property
    def span(self) -> tuple[float, float]:
        """First and last time of all visits."""
        if not len(self.time):
            raise SimulationError("there are no visits, and so no span of time.")
        return float(self.time.min()), float(self.time.max())

    @cached_property
    def position(self) -> np.ndarray:
        """Position of each visit, of shape (n_visits,)."""
        return np.repeat(np.arange(self.n_positions), np.diff(self.offsets))

    def depth(self) -> np.ndarray:
        """Return the 5-sigma depth of each visit.

        Returns
        -------
        ndarray of shape (n_visits,)
            AB magnitudes, without the systematic term.
        """
        # the positive root of sky + source * f = 0.04 * f**2
        root = np.sqrt(self.source**2 + 4 * _FIVE_SIGMA * self.sky)
        f5 = (self.source + root) / (2 * _FIVE_SIGMA)
        return 27.5 - 2.5 * np.log10(f5)

    def nightly(self, night_start: float = 0.0) -> Visits:
        """Combine the visits of one position, band and night.

        Weights are the inverse variances of the background, ``w = 1 / sky``; then
        ``sky = 1 / sum(w)``, ``source = sum(w**2 source) / sum(w)**2``, and the time is the
        weighted mean.

        Parameters
        ----------
        night_start : float, default=0.0
            Time at which a new night begins, as a fraction of the UT day. Local noon does not split
            nights.

        Returns
        -------
        Visits
            At most one visit per position, band and night.
        """
        if not len(self.time):
            return self
        night = np.floor(self.time - night_start).astype(np.int64)
        night -= night.min()
        n_bands = int(self.band.max()) + 1
        # one integer per group sorts several times faster than three keys
        group = (self.position * (night.max() + 1) + night) * n_bands + self.band
        order = np.argsort(group, kind="stable")
        group = group[order]
        starts = np.flatnonzero(np.r_[True, group[1:] != group[:-1]])

        weight = 1.0 / self.sky[order]
        total = np.add.reduceat(weight, starts)
        first = self.time[order][starts]
        # times relative to the first visit: weights times 60,000 d would round
        later = self.time[order] - np.repeat(first, np.diff(np.r_[starts, len(order)]))
        time = first + np.add.reduceat(weight * later, starts) / total
        source = np.add.reduceat(weight**2 * self.source[order], starts) / total**2
        position = self.position[order][starts]

        by_time = np.lexsort((time, position))
        band = self.band[order][starts]
        offsets = np.searchsorted(position, np.arange(self.n_positions + 1)).astype(np.int64)
        time, band, sky, source = (c[by_time] for c in (time, band, 1.0 / total, source))
        return Visits(time, band, sky, source, offsets, self.ra, self.dec)

    @cached_property
    def _key(self) -> tuple[np.ndarray, float]:
        """Sort key of all visits, and its period: a clipped time stays clear of the neighbours."""
        first, last = self.span
        period = last - first + 2.0
        return self.position * period + (self.time - first), period

    def between(
        self, position: ArrayLike, start: ArrayLike, stop: ArrayLike
    ) -> tuple[np.ndarray, np.ndarray]:
        """Bounds of the rows of visits to positions in intervals of time.

        Parameters
        ----------
        position : array-like of shape (n_objects,)
            Position of each object.
        start, stop : array-like of shape (n_objects,)
            Modified Julian dates: visits with ``start <= time < stop``.

        Returns
        -------
        lo, hi : ndarray of shape (n_objects,)
            The visits of object i are the rows ``lo[i]`` to ``hi[i]``.
        """
        position = np.asarray(position, np.int64)
        if not len(self.time):
            return np.zeros_like(position), np.zeros_like(position)
        (first, last), (key, period) = self.span, self._key
        bounds = np.clip(np.stack([start, stop]), first - 0.5, last + 0.5)
        lo, hi = np.searchsorted(key, position * period + (bounds - first))
        return lo, np.maximum(lo, hi)
