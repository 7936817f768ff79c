"""Length-bucketed batches collated as a whole: no Python per light curve."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np
import torch

from sklc.errors import PerformanceWarning
from sklc.networks.padding import plan_batches

__all__ = ["BucketedBatches", "by_name", "take"]


def by_name(function: Callable[[Any], Any], values: Any) -> Any:
    """Call a function on an array or tensor, or on each of several by name."""
    if isinstance(values, dict):
        return {name: function(column) for name, column in values.items()}
    return function(values)


def take(values: Any, rows: Any) -> Any:
    """Return the rows of an array or tensor, or of several by name."""
    return by_name(lambda column: column[rows], values)


@dataclass(eq=False)
class BucketedBatches:
    """Iterate over ``({"values", "lengths", ...}, y)`` for skorch, in batches of similar length.

    It stands where skorch expects a ``DataLoader``. Each iteration draws a new epoch.

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
    epoch : int
        The number of the next epoch that is drawn, so that a resumed training draws the
        same order.
    device : torch.device, optional
        The device that holds the data and gathers the batches. None gathers them on the host.

    Warns
    -----
    PerformanceWarning
        If the data do not fit into the memory of the device. Batches are then gathered on the host.
    """

    dataset: Any
    batch_size: int
    _: KW_ONLY
    shuffle: bool = False
    seed: int = 0
    epoch: int = 0
    device: torch.device | None = None

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
