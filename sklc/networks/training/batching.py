"""Length-bucketed batches collated as a whole: no Python per light curve."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from sklc.errors import PerformanceWarning
from sklc.networks.padding import pad, plan_batches

__all__ = ["BucketedBatches", "collate", "take", "tensors"]


def take(values: Any, rows: Any) -> Any:
    """Return the rows of an array or tensor, or of several by name."""
    if isinstance(values, dict):
        return {name: column[rows] for name, column in values.items()}
    return values[rows]


def tensors(arrays: Any) -> Any:
    """Return an array, or several by name, as tensors."""
    if isinstance(arrays, dict):
        return {name: torch.from_numpy(array) for name, array in arrays.items()}
    return torch.from_numpy(arrays)


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
        What to draw from.
    batch_size : int
        Objects in a batch.
    shuffle : bool
        Whether to draw the objects in random order.
    seed : int
        Seed of that order.
    first_epoch : int
        Number of the first epoch drawn, so that a resumed training goes on with the order it
        would have had.
    device : torch.device, optional
        Where to hold the data and gather the batches; None gathers them on the host.

    Warns
    -----
    PerformanceWarning
        If the device has no memory for the data: batches are gathered on the host, then.
    """

    def __init__(
        self,
        dataset,
        batch_size: int,
        *,
        shuffle: bool = False,
        seed: int = 0,
        first_epoch: int = 0,
        device: torch.device | None = None,
    ) -> None:
        self.dataset = dataset
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.seed = seed
        self.epoch = first_epoch
        self.device = device

    def __iter__(self) -> Iterator[tuple[dict[str, torch.Tensor], torch.Tensor]]:
        rng = np.random.default_rng([self.seed, self.epoch]) if self.shuffle else None
        self.epoch += 1
        plan = plan_batches(self.dataset.lengths, self.batch_size, rng)
        if self.device is not None:
            try:
                resident = self.dataset.resident(self.device)
            except torch.OutOfMemoryError:
                warnings.warn(
                    f"{self.device} has no memory for the {len(self.dataset):,} light curves to "
                    "train on: they stay on the host, and batches are copied one by one.",
                    PerformanceWarning,
                    stacklevel=2,
                )
                self.device = None
            else:
                yield from resident.batches(plan, self.dataset.lengths)
                return
        for batch in plan:
            yield self.dataset.collate(batch)
