"""Length-bucketed batches collated as a whole: no Python per light curve."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from sklc._net.padding import pad, plan_batches

__all__ = ["BucketedBatches", "collate"]


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
    padded = torch.from_numpy(pad(values, starts, lengths))
    return padded, torch.from_numpy(np.asarray(lengths, dtype=np.int64))


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
