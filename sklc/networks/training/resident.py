"""Training data whole on a device: batches are gathered there, and nothing else crosses the bus."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch

from sklc.networks.device import gather

__all__ = ["ResidentData"]


class ResidentData:
    """A data set of `sklc.networks.training.loop` on a device.

    Parameters
    ----------
    inputs : mapping of str to ndarray of shape (n_objects, ...)
        What the network reads of each object.
    targets : ndarray of shape (n_objects,), or mapping of str to such
    device : torch.device
    values : ndarray of shape (n_observations, n_channels), float32, optional
        Observations of all objects, and
    starts, lengths : ndarray of shape (n_objects,)
        where those of each object lie.

    Raises
    ------
    torch.OutOfMemoryError
        If the device has no memory for them.
    """

    def __init__(
        self,
        inputs: Mapping[str, np.ndarray],
        targets: np.ndarray | Mapping[str, np.ndarray],
        device: torch.device,
        *,
        values: np.ndarray | None = None,
        starts: np.ndarray | None = None,
        lengths: np.ndarray | None = None,
    ) -> None:
        self.device = device
        self.inputs = {name: self._put(column) for name, column in inputs.items()}
        self.targets: Any = (
            {name: self._put(column) for name, column in targets.items()}
            if isinstance(targets, Mapping)
            else self._put(targets)
        )
        self.curves = None
        if values is not None and starts is not None and lengths is not None:
            self.curves = self._put(values), self._put(starts), self._put(lengths)

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
            Objects of each batch.
        lengths : ndarray of shape (n_objects,)
            On the host: asking the device for the longest would wait for it.
        """
        order = self._put(np.concatenate(plan))
        split = order.split([len(batch) for batch in plan])
        for batch, rows in zip(plan, split, strict=True):
            inputs = {name: column[rows] for name, column in self.inputs.items()}
            if self.curves is not None:
                values, starts, n = self.curves
                padded = gather(values, starts[rows], n[rows], int(lengths[batch].max()))
                inputs |= {"values": padded, "lengths": n[rows]}
            if isinstance(self.targets, dict):
                yield inputs, {name: column[rows] for name, column in self.targets.items()}
            else:
                yield inputs, self.targets[rows]
