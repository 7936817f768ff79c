"""Batches of light curves of similar length, zero-padded: numpy alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

__all__ = ["consecutive", "pad", "plan_batches"]

# Padded observations per batch: bounds the memory of a batch that holds one very long light curve.
_MAX_OBSERVATIONS = 64 * 1024
# Batches that are drawn together and sorted by length: large enough that padding nearly
# vanishes, small enough that batches stay random.
_POOL_BATCHES = 32


def pad(
    values: np.ndarray, starts: np.ndarray, lengths: np.ndarray, longest: int | None = None
) -> np.ndarray:
    """Gather light curves from a flat array into one zero-padded batch.

    Parameters
    ----------
    values : ndarray of shape (n_observations, n_channels)
        Encoded observations of all objects.
    starts, lengths : ndarray of shape (batch,)
        Where each object of the batch lies in `values`.
    longest : int, optional
        Length of the batch; that of its longest object by default.

    Returns
    -------
    ndarray of shape (batch, longest, n_channels)
    """
    steps = np.arange(longest or lengths.max())
    valid = steps < lengths[:, None]
    rows = np.where(valid, starts[:, None] + steps, 0)
    padded = values[rows]
    padded[~valid] = 0.0
    return padded


def consecutive(lengths: np.ndarray, most: int) -> Iterator[slice]:
    """Yield slices of objects with at most so many observations together, or of one object.

    Parameters
    ----------
    lengths : ndarray of shape (n_objects,)
        Numbers of observations.
    most : int
        Largest number of observations in a slice of several objects.
    """
    ends = np.cumsum(lengths)
    start = 0
    while start < len(lengths):
        before = ends[start - 1] if start else 0
        stop = max(int(np.searchsorted(ends, before + most, side="right")), start + 1)
        yield slice(start, stop)
        start = stop


def plan_batches(
    lengths: np.ndarray, batch_size: int, rng: np.random.Generator | None
) -> list[np.ndarray]:
    """Split objects into batches of similar length.

    Parameters
    ----------
    lengths : ndarray of shape (n_objects,)
        Numbers of observations.
    batch_size : int
        Most objects in a batch; fewer where the light curves are very long.
    rng : numpy.random.Generator or None
        Shuffles objects and batches; None sorts all objects by length, for inference.

    Returns
    -------
    list of ndarray
        Object indices; every object is in exactly one batch.
    """
    n_objects = len(lengths)
    if rng is None:
        order = np.argsort(-lengths, kind="stable")
    else:
        order = rng.permutation(n_objects)
        pool = batch_size * _POOL_BATCHES
        for start in range(0, n_objects, pool):
            chosen = order[start : start + pool]
            order[start : start + pool] = chosen[np.argsort(lengths[chosen], kind="stable")]
    batches = []
    for start in range(0, n_objects, batch_size):
        batch = order[start : start + batch_size]
        n_parts = min(len(batch), -(-int(lengths[batch].max()) * len(batch) // _MAX_OBSERVATIONS))
        batches.extend(np.array_split(batch, max(n_parts, 1)))
    if rng is not None:
        batches = [batches[i] for i in rng.permutation(len(batches))]
    return batches
