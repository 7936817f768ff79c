"""What a network trains on: light curves or latents, by whole batches."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from sklc.networks.training.batching import collate
from sklc.networks.training.resident import ResidentData

__all__ = ["CurveDataset", "LatentDataset"]


class _BroughtOnce(Dataset):
    """A data set that a device can hold as a whole."""

    _resident: ResidentData | None = None

    def resident(self, device: torch.device) -> ResidentData:
        """Everything on a device, copied there once."""
        if self._resident is None:
            self._resident = self._bring(device)
        return self._resident

    def _bring(self, device: torch.device) -> ResidentData:
        raise NotImplementedError


class CurveDataset(_BroughtOnce):
    """Encoded light curves on flat arrays, with one target per object.

    Parameters
    ----------
    values : ndarray of shape (n_observations, n_channels), float32
    lengths : ndarray of shape (n_objects,), int64
    y : ndarray of shape (n_objects,)
        Class indices.
    **per_object : ndarray of shape (n_objects, ...), or None
        Further inputs of the network by name, such as ``metadata``; None is left out.
    """

    def __init__(self, values, lengths, y, **per_object) -> None:
        self.values = values
        self.lengths = np.asarray(lengths, dtype=np.int64)
        self.starts = np.cumsum(self.lengths) - self.lengths
        self.y = np.asarray(y)
        self.targets: Any = self.y  # what the loss reads; an array, or several by name
        self.per_object = {k: v for k, v in per_object.items() if v is not None}
        self._resident = None  # what was brought before is of other light curves

    def __len__(self) -> int:
        return len(self.lengths)

    def subset(self, rows: np.ndarray) -> CurveDataset:
        """Objects `rows`, in that order, on the same flat array."""
        subset = CurveDataset(self.values, self.lengths[rows], self.y[rows])
        subset.starts = self.starts[rows]
        subset.per_object = {name: values[rows] for name, values in self.per_object.items()}
        return subset

    def collate(self, batch: np.ndarray) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
        """Inputs and targets of the objects `batch`, light curves padded to the longest."""
        values, lengths = collate(self.values, self.starts[batch], self.lengths[batch])
        inputs = {"values": values, "lengths": lengths}
        inputs |= {k: torch.from_numpy(v[batch]) for k, v in self.per_object.items()}
        return inputs, torch.from_numpy(self.y[batch])

    def _bring(self, device: torch.device) -> ResidentData:
        return ResidentData(
            self.per_object,
            self.targets,
            device,
            values=self.values,
            starts=self.starts,
            lengths=self.lengths,
        )


class LatentDataset(_BroughtOnce):
    """Latents of a frozen encoder, to train a head alone.

    Parameters
    ----------
    y : ndarray of shape (n_objects,)
    **inputs : ndarray of shape (n_objects, ...), or None
    """

    def __init__(self, y: np.ndarray, **inputs: np.ndarray | None) -> None:
        self.y = y
        self.inputs = {k: v for k, v in inputs.items() if v is not None}
        # For the batch planner all objects are equally long.
        self.lengths = np.ones(len(y), dtype=np.int64)

    def __len__(self) -> int:
        return len(self.y)

    def subset(self, rows: np.ndarray) -> LatentDataset:
        """Objects `rows`, in that order."""
        return LatentDataset(self.y[rows], **{k: v[rows] for k, v in self.inputs.items()})

    def collate(self, batch: np.ndarray) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
        """Inputs and targets of the objects `batch`."""
        inputs = {k: torch.from_numpy(v[batch]) for k, v in self.inputs.items()}
        return inputs, torch.from_numpy(self.y[batch])

    def _bring(self, device: torch.device) -> ResidentData:
        return ResidentData(self.inputs, self.y, device)
