"""Training data that lie on a device as a whole, where batches are gathered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from sklc.networks.device import gather
from sklc.networks.training.batching import by_name, take

__all__ = ["ResidentData"]


class ResidentData:
    """A dataset of `sklc.networks.training.datasets`, copied to a device.

    Parameters
    ----------
    inputs : dict of str to ndarray of shape (n_objects, ...)
        What the network reads of each object.
    targets : ndarray of shape (n_objects,), or dict of str to such
        What the loss compares with.
    device : torch.device
        Where to hold the data.
    curves : tuple of ndarray, optional
        The observations of all objects, of shape (n_observations, n_channels), and the starts and
        lengths that say which are those of each object, both of shape (n_objects,).

    Raises
    ------
    torch.OutOfMemoryError
        If the device has no memory for them.
    """

    def __init__(
        self,
        inputs: dict[str, np.ndarray],
        targets: np.ndarray | dict[str, np.ndarray],
        device: torch.device,
        curves: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None,
    ) -> None:
        self.device = device
        self.inputs, self.targets = by_name(self._put, inputs), by_name(self._put, targets)
        self.curves = None if curves is None else tuple(map(self._put, curves))

    def _put(self, column: np.ndarray) -> torch.Tensor:
        tensor = torch.from_numpy(np.ascontiguousarray(column))
        if self.device.type == "cuda":  # copies from pinned memory are several times faster
            tensor = tensor.pin_memory()
        return tensor.to(self.device, non_blocking=True)

    def batches(self, plan: list[np.ndarray], lengths: np.ndarray) -> Iterator[tuple[dict, Any]]:
        """Inputs and targets of every batch, light curves padded to the longest of theirs.

        Parameters
        ----------
        plan : list of ndarray of int
            The positions of the objects of each batch.
        lengths : ndarray of shape (n_objects,)
            The numbers of observations, on the host. Asking the device for them would wait for it.
        """
        order = self._put(np.concatenate(plan))
        split = order.split([len(batch) for batch in plan])
        for batch, rows in zip(plan, split, strict=True):
            inputs = take(self.inputs, rows)
            if self.curves is not None:
                values, starts, n = self.curves
                padded = gather(values, starts[rows], n[rows], int(lengths[batch].max()))
                inputs |= {"values": padded, "lengths": n[rows]}
            yield inputs, take(self.targets, rows)
