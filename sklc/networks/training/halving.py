"""Training in parts of a batch when the device is out of memory."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import numpy as np
import torch

from sklc.errors import PerformanceWarning
from sklc.networks.training.batching import take
from sklc.networks.training.interruption import InterruptibleNet

__all__ = ["HalvingNet"]


class HalvingNet(InterruptibleNet):
    """A net that halves a batch that does not fit into memory, and all batches that follow.

    Gradients are summed over the parts before the optimizer takes its one step. For a loss that is
    a mean over objects, this is the step of the whole batch. A contrastive loss is not such a mean:
    it compares the objects within a part.

    Raises
    ------
    MemoryError
        If there is no memory for a single object.

    Warns
    -----
    PerformanceWarning
        Whenever a batch is halved.
    """

    #: Parts that a batch is trained on in.
    n_parts = 1

    def train_step_single(self, batch: tuple[dict[str, torch.Tensor], Any], **fit_params: Any):
        """Loss, outputs and gradients of a batch, as many objects at a time as fit."""
        n_objects = len(next(iter(batch[0].values())))
        while True:
            try:
                if self.n_parts == 1:
                    return super().train_step_single(batch, **fit_params)
                return self._train_step_in_parts(batch, n_objects, **fit_params)
            except torch.OutOfMemoryError as error:
                if self.n_parts >= n_objects:
                    raise MemoryError(
                        f"{self.device} has no memory left to train on a single light curve: free "
                        "some, or use device='cpu'."
                    ) from error
            # Not in the except block, which keeps the tensors of the failed try alive.
            self.optimizer_.zero_grad()
            if torch.device(self.device).type == "cuda":
                torch.cuda.empty_cache()
            self.n_parts *= 2
            warnings.warn(
                f"{self.device} ran out of memory with a batch of {n_objects:,} light curves: "
                f"going on with {-(-n_objects // self.n_parts):,} at a time. Their gradients add "
                "up to those of the batch (a contrastive loss compares the objects within a part "
                "alone); a smaller batch_size, or free memory on the device, is faster.",
                PerformanceWarning,
                stacklevel=2,
            )

    def _train_step_in_parts(self, batch, n_objects: int, **fit_params: Any) -> dict[str, Any]:
        self._set_training(True)
        edges = np.linspace(0, n_objects, min(self.n_parts, n_objects) + 1).astype(int).tolist()
        steps = []
        for start, stop in itertools.pairwise(edges):
            inputs, targets = (take(values, slice(start, stop)) for values in batch)
            outputs = self.infer(inputs, **fit_params)
            loss = self.get_loss(outputs, targets, X=inputs, training=True)
            loss = loss * ((stop - start) / n_objects)
            loss.backward()
            steps.append((loss.detach(), outputs))
        losses, outputs = zip(*steps, strict=True)
        return {"loss": torch.stack(losses).sum(), "y_pred": _joined(outputs)}


def _joined(parts: tuple[Any, ...]) -> Any:
    """Return the outputs of all parts as one: tensors, alone or in named tuples and dicts."""
    if isinstance(parts[0], tuple):
        return type(parts[0])(*map(_joined, zip(*parts, strict=True)))
    if isinstance(parts[0], dict):
        return {name: _joined(tuple(part[name] for part in parts)) for name in parts[0]}
    return torch.cat(parts).detach()
