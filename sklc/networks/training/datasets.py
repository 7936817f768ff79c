"""Training data, light curves or latents, which are collated in whole batches."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from sklc.networks.padding import pad
from sklc.networks.training.batching import by_name, take
from sklc.networks.training.resident import ResidentData

__all__ = ["CurveDataset", "LatentDataset"]


class LatentDataset(Dataset):
    """Latents of a frozen encoder, to train a head alone.

    Parameters
    ----------
    y : ndarray of shape (n_objects, ...), or dict of str to such
        What the loss compares with.
    sample_weight : ndarray of shape (n_objects,), optional
        Weights of the objects in the loss, float32. The targets are then
        ``{"y": y, "sample_weight": sample_weight}``.
    **inputs : ndarray of shape (n_objects, ...), or None
        Inputs of the network by name; None is left out.
    """

    def __init__(self, y: Any, *, sample_weight: np.ndarray | None = None, **inputs: Any) -> None:
        self.targets = y if sample_weight is None else {"y": y, "sample_weight": sample_weight}
        self.inputs = {name: values for name, values in inputs.items() if values is not None}
        # For the batch planner all objects are equally long.
        self.lengths = np.ones(len(self.y), dtype=np.int64)
        self._resident: ResidentData | None = None

    @property
    def y(self) -> np.ndarray:
        """The first of the targets."""
        return next(iter(self.targets.values())) if isinstance(self.targets, dict) else self.targets

    def __len__(self) -> int:
        return len(self.lengths)

    def subset(self, rows: np.ndarray) -> Any:
        """Objects `rows`, in that order."""
        subset = copy.copy(self)
        subset.targets, subset.inputs = take(self.targets, rows), take(self.inputs, rows)
        subset.lengths, subset._resident = self.lengths[rows], None
        return subset

    def collate(self, batch: np.ndarray) -> tuple[dict[str, torch.Tensor], Any]:
        """Inputs and targets of the objects `batch`."""
        inputs, targets = take(self.inputs, batch), take(self.targets, batch)
        return by_name(torch.from_numpy, inputs), by_name(torch.from_numpy, targets)

    def resident(self, device: torch.device) -> ResidentData:
        """Everything on a device, copied there once."""
        if self._resident is None:
            self._resident = self._bring(device)
        return self._resident

    def _bring(self, device: torch.device) -> ResidentData:
        return ResidentData(self.inputs, self.targets, device)


class CurveDataset(LatentDataset):
    """Encoded light curves on flat arrays.

    Parameters
    ----------
    values : ndarray of shape (n_observations, n_channels), float32
        Encoded observations of all objects.
    lengths : ndarray of shape (n_objects,), int64
        Numbers of observations.
    y, sample_weight, **inputs
        As for `LatentDataset`; the network may read inputs such as ``metadata`` as well.
    """

    def __init__(self, values, lengths, y, *, sample_weight=None, **inputs) -> None:
        super().__init__(y, sample_weight=sample_weight, **inputs)
        self.values = values
        self.lengths = np.asarray(lengths, dtype=np.int64)
        self.starts = np.cumsum(self.lengths) - self.lengths

    def subset(self, rows: np.ndarray) -> CurveDataset:
        """Objects `rows`, in that order, on the same flat array."""
        subset = super().subset(rows)
        subset.starts = self.starts[rows]
        return subset

    def collate(self, batch: np.ndarray) -> tuple[dict[str, torch.Tensor], Any]:
        """Inputs and targets of the objects `batch`, light curves padded to the longest."""
        inputs, targets = super().collate(batch)
        lengths = self.lengths[batch]
        padded = pad(self.values, self.starts[batch], lengths)
        curves = {"values": padded, "lengths": lengths}
        return by_name(torch.from_numpy, curves) | inputs, targets

    def _bring(self, device: torch.device) -> ResidentData:
        curves = self.values, self.starts, self.lengths
        return ResidentData(self.inputs, self.targets, device, curves)
