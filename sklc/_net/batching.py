"""Length-bucketed batches collated as a whole: no Python per light curve."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

__all__ = ["BucketedBatches", "collate", "plan_batches"]

# Padded observations per batch: bounds the memory of a batch that holds one very long light curve.
_MAX_OBSERVATIONS = 64 * 1024
# Batches that are drawn together and sorted by length: large enough that padding nearly
# vanishes, small enough that batches stay random.
_POOL_BATCHES = 32


def collate(
    values: np.ndarray, starts: np.ndarray, lengths: np.ndarray
) -> tuple[torch.Tensor, torch.Tensor]:
    """Gather light curves from a flat array into one zero-padded batch.

    Parameters
    ----------
    values : ndarray of shape (n_observations, n_channels)
        Encoded observations of all objects.
    starts, lengths : ndarray of shape (batch,)
        Where each object of the batch lies in `values`.

    Returns
    -------
    padded : Tensor of shape (batch, longest, n_channels)
    lengths : Tensor of shape (batch,), int64
    """
    steps = np.arange(lengths.max())
    valid = steps < lengths[:, None]
    rows = np.where(valid, starts[:, None] + steps, 0)
    padded = values[rows]
    padded[~valid] = 0.0
    return torch.from_numpy(padded), torch.from_numpy(np.asarray(lengths, dtype=np.int64))


def plan_batches(
    lengths: np.ndarray, batch_size: int, rng: np.random.Generator | None
) -> list[np.ndarray]:
    """Split objects into batches of similar length.

    Parameters
    ----------
    lengths : ndarray of shape (n_objects,)
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


class BucketedBatches:
    """Iterate over ``({"values", "lengths", ...}, y)`` for skorch, in batches of similar length.

    It stands where skorch expects a ``DataLoader``: iterating draws a new epoch.

    Parameters
    ----------
    dataset : CurveDataset
    batch_size : int
    shuffle : bool
    seed : int
        Of the order of the objects, when shuffled.
    first_epoch : int
        Number of the first epoch drawn: a resumed training goes on with the order it would
        have had.
    """

    def __init__(
        self, dataset, batch_size: int, *, shuffle: bool = False, seed: int = 0, first_epoch=0
    ) -> None:
        self.dataset = dataset
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.seed = seed
        self.epoch = first_epoch

    def __iter__(self) -> Iterator[tuple[dict[str, torch.Tensor], torch.Tensor]]:
        rng = np.random.default_rng([self.seed, self.epoch]) if self.shuffle else None
        self.epoch += 1
        for batch in plan_batches(self.dataset.lengths, self.batch_size, rng):
            yield self.dataset.collate(batch)
