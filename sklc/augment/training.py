"""Make simulated light curves look like what telescopes deliver, anew in every epoch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

__all__ = ["Augmentation", "FlatCurves", "inflate_errors", "log_uniform", "until_after_first"]


def log_uniform(rng: np.random.Generator, low: float, high: float, n: int) -> np.ndarray:
    """Draw numbers whose logarithm is uniform between those of `low` and `high`."""
    return np.exp(rng.uniform(np.log(low), np.log(high), n))


def inflate_errors(
    flux: np.ndarray, flux_err: np.ndarray, factor: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Multiply errors by factors of at least 1, and add the noise that makes them true."""
    extra = flux_err * np.sqrt(factor**2 - 1) * rng.standard_normal(len(factor))
    return flux + extra, flux_err * factor


def until_after_first(
    time: np.ndarray, counted: np.ndarray, span: np.ndarray, offsets: np.ndarray
) -> np.ndarray:
    """Mark the observations up to `span` days after the first that is `counted`.

    Parameters
    ----------
    time : ndarray of shape (n_obs_total,)
    counted : ndarray of bool, shape (n_obs_total,)
        An object without such an observation is marked as a whole.
    span : ndarray of shape (n_objects,)
        Days; may be infinite.
    offsets : ndarray of int, shape (n_objects + 1,)

    Returns
    -------
    ndarray of bool, shape (n_obs_total,)
    """
    lengths = np.diff(offsets)
    first = np.full(len(lengths), np.inf)
    # reduceat takes no empty segments; leaving those out moves no other segment's end
    own = lengths > 0
    if own.any():
        first[own] = np.minimum.reduceat(np.where(counted, time, np.inf), offsets[:-1][own])
    return time <= np.repeat(first + span, lengths)


@dataclass(frozen=True)
class FlatCurves:
    """The arrays of `LightCurves` that an input representation reads, free to be altered."""

    time: np.ndarray
    flux: np.ndarray
    flux_err: np.ndarray
    wavelength: np.ndarray
    lengths: np.ndarray
    zero_point: float

    @classmethod
    def of(cls, curves) -> FlatCurves:
        """Take the arrays of a `LightCurves`."""
        flux = np.asarray(curves.flux, dtype=np.float64)
        flux_err = np.asarray(curves.flux_err, dtype=np.float64)
        lengths = np.asarray(curves.lengths)
        return cls(curves.time, flux, flux_err, curves.wavelength, lengths, curves.zero_point)

    @cached_property
    def offsets(self) -> np.ndarray:
        """Where each object starts, and where the last ends, (n_objects + 1,)."""
        return np.concatenate([[0], np.cumsum(self.lengths)])

    def per_observation(self, per_object: np.ndarray) -> np.ndarray:
        """Repeat one value an object for each of its observations."""
        return np.repeat(per_object, self.lengths)

    def keep(self, kept: np.ndarray) -> FlatCurves:
        """Select observations by a mask; objects may become empty."""
        lengths = np.diff(np.concatenate([[0], np.cumsum(kept)])[self.offsets])
        return replace(
            self,
            time=self.time[kept],
            flux=self.flux[kept],
            flux_err=self.flux_err[kept],
            wavelength=self.wavelength[kept],
            lengths=lengths,
        )

    def objects(self, chosen: np.ndarray) -> FlatCurves:
        """Select objects by a mask."""
        selected = self.keep(self.per_observation(chosen))
        return replace(selected, lengths=selected.lengths[chosen])


@dataclass(frozen=True)
class Augmentation:
    """Random noise, detection limits, gaps and early ends.

    Parameters
    ----------
    noisier : float
        Share of objects whose errors are inflated by up to `largest_noise`, with noise to match.
    largest_noise : float
        Largest factor; the factors are log-uniform.
    alerts : float
        Share of objects of which only 5-sigma detections are left, as in alert streams; the
        others keep what the input representation shows (3 sigma).
    thinned : float
        Share of objects that lose a random 0-70 % of their observations.
    prefixes : float
        Share of objects that end early, log-uniform 10-150 days after their first observation.
    dropped : float
        Share of objects that lose the band of one of their observations; those with a single
        band sit out the epoch.
    min_points : int
        Objects left with fewer observations above 3 sigma sit out the epoch.
    """

    noisier: float = 0.5
    largest_noise: float = 2.5
    alerts: float = 0.5
    thinned: float = 0.5
    prefixes: float = 0.3
    dropped: float = 0.1
    min_points: int = 3

    def __call__(
        self, curves: FlatCurves, rng: np.random.Generator
    ) -> tuple[FlatCurves, np.ndarray]:
        """Draw an altered copy.

        Returns
        -------
        curves : FlatCurves
            The objects that are left.
        objects : ndarray of int
            Which objects those are.
        """
        n_objects = len(curves.lengths)

        def chosen(share: float) -> np.ndarray:
            return rng.random(n_objects) < share

        factor = log_uniform(rng, 1.0, self.largest_noise, n_objects)
        factor = curves.per_observation(np.where(chosen(self.noisier), factor, 1.0))
        flux, flux_err = inflate_errors(curves.flux, curves.flux_err, factor, rng)
        curves = replace(curves, flux=flux, flux_err=flux_err)

        limit = curves.per_observation(np.where(chosen(self.alerts), 5.0, 3.0))
        kept = np.abs(curves.flux) >= limit * curves.flux_err
        share = np.where(chosen(self.thinned), rng.uniform(0.3, 1.0, n_objects), 1.0)
        kept &= rng.random(len(kept)) < curves.per_observation(share)

        span = log_uniform(rng, 10, 150, n_objects)
        span = np.where(chosen(self.prefixes), span, np.inf)
        kept &= until_after_first(curves.time, kept, span, curves.offsets)

        # Of a random observation, so that a band goes as often as it is seen.
        picked = curves.offsets[:-1] + (rng.random(n_objects) * curves.lengths).astype(int)
        band = np.where(chosen(self.dropped), curves.wavelength[picked], np.nan)
        kept &= curves.wavelength != curves.per_observation(band)

        curves = curves.keep(kept)
        enough = curves.lengths >= self.min_points
        return curves.objects(enough), np.flatnonzero(enough)
