"""Beginnings of the training light curves, as further rows that a head learns from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sklc.augment.arrays import log_uniform, until_after_first
from sklc.light_curves import LightCurves
from sklc.light_curves.concatenation import concatenate
from sklc.utils.offsets import reduce_by_object

__all__ = ["PrefixRows", "Prefixes", "draw_prefixes", "phases_among"]

# Signal-to-noise ratio of the detection from which days are counted.
_SNR = 5.0
# A prefix ends this many days after the first detection, or later.
_SHORTEST = 1.0
# Prefixes per object, and about how many of all objects are enough.
_MOST_PER_OBJECT, _ENOUGH = 4, 20_000


# Days after the first detection at which a head of another phase takes over, and fewest prefixes
# that make a phase.
_PHASE_ENDS = (8.0, 30.0)
_FEWEST_OF_A_PHASE = 10


@dataclass(frozen=True)
class Prefixes:
    """Light curves that end early.

    Parameters
    ----------
    curves : LightCurves
        The prefixes; each has fewer observations than its object.
    owner : ndarray of int, shape (n_prefixes,)
        Position of the object that each is a part of.
    days : ndarray of shape (n_prefixes,)
        When each ends, in days after the first detection.
    """

    curves: LightCurves
    owner: np.ndarray
    days: np.ndarray

    def rows(self, latent: np.ndarray, features: np.ndarray | None = None) -> PrefixRows:
        """Return what a head learns from, given latents and features of `curves`."""
        return PrefixRows(latent, self.owner, self.days, features)


@dataclass(frozen=True)
class PrefixRows:
    """Latents of prefixes, whose labels, weights and metadata are those of their objects.

    Parameters
    ----------
    latent : ndarray of shape (n_prefixes, latent_size)
        Latents of the prefixes.
    owner : ndarray of int, shape (n_prefixes,)
        Position of the object of each.
    days : ndarray of shape (n_prefixes,)
        When each ends, in days after the first detection.
    features : ndarray of shape (n_prefixes, n_features) or None, default=None
        Features that are joined to the latent.
    """

    latent: np.ndarray
    owner: np.ndarray
    days: np.ndarray
    features: np.ndarray | None = None

    def of(self, objects: np.ndarray) -> np.ndarray:
        """Positions of the prefixes of some objects."""
        return np.flatnonzero(np.isin(self.owner, objects))

    def subset(self, objects: np.ndarray) -> PrefixRows:
        """Return the prefixes of some distinct objects, which are numbered in the order given."""
        number = np.full(max(self.owner.max(initial=-1), objects.max(initial=-1)) + 1, -1)
        number[objects] = np.arange(len(objects))
        kept = number[self.owner] >= 0
        return PrefixRows(
            self.latent[kept],
            number[self.owner[kept]],
            self.days[kept],
            None if self.features is None else self.features[kept],
        )

    def shares(self, n_objects: int) -> np.ndarray:
        """Weight of each light curve of an object that counts once, (n_objects,)."""
        return 1 / (1 + np.bincount(self.owner, minlength=n_objects))


def draw_prefixes(curves: LightCurves, min_points: int, seed: int) -> Prefixes | None:
    """End light curves at random, from a day after their first detection on.

    Up to four prefixes of an object end log-uniformly between a day after its first detection and
    its last observation; fewer are drawn of many objects. A prefix that is the whole light curve,
    or has fewer than `min_points` observations, is left out, as are those of an object without a
    detection.

    Parameters
    ----------
    curves : LightCurves
        Whole light curves.
    min_points : int
        Fewest observations of a prefix.
    seed : int
        Determines the draws.

    Returns
    -------
    Prefixes or None
        None if there are none.
    """
    store, rng = curves._compact(), np.random.default_rng(seed)
    if not store.n_observations:
        return None
    # Observations of unknown error (NaN) count as detections where they are positive.
    detected = store.flux >= _SNR * np.nan_to_num(store.flux_err, nan=0.0)
    first = reduce_by_object(
        np.minimum, np.where(detected, store.time, np.inf), store.offsets, empty=np.inf
    )
    last = reduce_by_object(np.maximum, store.time, store.offsets, empty=-np.inf)
    with np.errstate(over="ignore"):
        longest = np.clip(last - first, _SHORTEST, np.finfo(float).max)
    n_objects, parts, owner, ends = store.n_objects, [], [], []
    for _ in range(int(np.clip(_ENOUGH // n_objects, 1, _MOST_PER_OBJECT))):
        days = log_uniform(rng, _SHORTEST, longest, n_objects)
        kept = store.keep(until_after_first(store.time, detected, days, store.offsets))
        chosen = (kept.lengths >= max(min_points, 1)) & (kept.lengths < store.lengths)
        chosen &= np.isfinite(first)
        rows = np.flatnonzero(chosen)
        parts.append(curves._from_store(kept)[rows])
        owner.append(rows)
        ends.append(days[rows])
    if not sum(map(len, owner)):
        return None
    everything = concatenate([part._compact() for part in parts], check_unique=False)
    return Prefixes(curves._from_store(everything), np.concatenate(owner), np.concatenate(ends))


def phases_among(days: np.ndarray) -> tuple[np.ndarray, int] | None:
    """Return the phase of each prefix, from 0, and that of whole light curves, the last one.

    A phase with few prefixes is joined to the next. Returns None if there is only one phase.
    """
    ends: list[float] = []
    for end in _PHASE_ENDS:
        if np.sum((days < end) & (days >= max(ends, default=0))) >= _FEWEST_OF_A_PHASE:
            ends.append(end)
    return (np.digitize(days, ends), len(ends)) if ends else None
