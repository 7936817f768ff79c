"""What augmentation does to flat arrays: noise, gaps, early ends."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator

from sklc.errors import LightCurveError
from sklc.light_curves.store import Store, describe
from sklc.utils.floats import saturated
from sklc.utils.offsets import object_of, per_observation, reduce_by_object

__all__ = [
    "check_errors",
    "inflate_errors",
    "log_uniform",
    "spaced",
    "thinned",
    "until_after_first",
]


def log_uniform(rng: np.random.Generator, low: float, high: float, n: int) -> np.ndarray:
    """Draw numbers whose logarithm is uniform between those of `low` and `high`."""
    return np.exp(rng.uniform(np.log(low), np.log(high), n))


def inflate_errors(
    flux: np.ndarray, flux_err: np.ndarray, factor: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Multiply errors by factors of at least 1, and add the noise that makes them true.

    What would overflow becomes the largest number.
    """
    with np.errstate(over="ignore"):
        extra = flux_err * np.sqrt(factor**2 - 1) * rng.standard_normal(len(factor))
        return saturated(flux + extra), saturated(flux_err * factor)


def until_after_first(
    time: np.ndarray, counted: np.ndarray, span: np.ndarray, offsets: np.ndarray
) -> np.ndarray:
    """Mark the observations up to `span` days after the first that is `counted`.

    Parameters
    ----------
    time : ndarray of shape (n_obs_total,)
        Times of the observations.
    counted : ndarray of bool, shape (n_obs_total,)
        An object without such an observation is marked as a whole.
    span : ndarray of shape (n_objects,)
        Days; may be infinite.
    offsets : ndarray of int, shape (n_objects + 1,)
        Where each object starts, and where the last ends.

    Returns
    -------
    ndarray of bool, shape (n_obs_total,)
    """
    first = reduce_by_object(np.minimum, np.where(counted, time, np.inf), offsets, empty=np.inf)
    return time <= per_observation(first + span, offsets)


def check_errors(store: Store, estimator: BaseEstimator) -> None:
    """Refuse flux errors that are not known."""
    unknown = np.isnan(store.flux_err)
    if unknown.any():
        owner = object_of(store.offsets, np.flatnonzero(unknown)[:1])[0]
        raise LightCurveError(
            f"{type(estimator).__name__} needs flux errors, and those of "
            f"{describe(store.ids, owner)} are not known: build the container with flux_err="
        )


def thinned(
    store: Store, fraction: np.ndarray, rng: np.random.Generator, *, whole_nights: bool
) -> np.ndarray:
    """Mark a random fraction, one per object, of the observations, or of the nights."""
    unit = np.arange(store.n_observations)
    lengths = np.diff(store.offsets)
    if whole_nights and len(unit):
        begins = np.diff(np.floor(store.time), prepend=np.nan) != 0
        begins[store.offsets[:-1][lengths > 0]] = True
        unit = np.cumsum(begins) - 1
    draw = rng.random(unit[-1] + 1 if len(unit) else 0)
    return draw[unit] < np.repeat(fraction, lengths)


def spaced(store: Store, kept: np.ndarray, gap: float) -> np.ndarray:
    """Mark those of the `kept` observations that are `gap` days after the last one of their band.

    That one is the last that is marked itself, so that the first of a band is always marked.
    """
    rows = np.flatnonzero(kept)
    group = object_of(store.offsets, rows) * len(store.passbands) + store.band[rows]
    order = np.argsort(group, kind="stable")
    rows = rows[order]
    _, chain, group = np.unique(group[order], return_index=True, return_inverse=True)
    since = store.time[rows] - np.repeat(store.time[rows[chain]], np.bincount(group))
    following = np.arange(1, len(rows) + 1)
    beyond = np.append(chain[1:], len(rows))[group]  # where the next group starts
    last = beyond.copy()
    while (searched := following < last).any():  # by bisection, each in its own group
        middle = (following + last) // 2
        before = searched & (since[np.minimum(middle, len(rows) - 1)] < since + gap)
        following = np.where(before, middle + 1, following)
        last = np.where(searched & ~before, middle, last)
    following[following >= beyond] = len(rows)
    marked = np.zeros_like(kept)
    while len(chain):  # one round for each observation of the longest chain, all chains at once
        marked[rows[chain]] = True
        chain = following[chain]
        chain = chain[chain < len(rows)]
    return marked
