"""Losses of heads and of fine-tuning, and what objectives share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, ClassVar

import torch
from torch import nn

__all__ = ["LOG_SCALE", "CrossEntropy", "SquaredError", "check_positive", "weighted_mean"]

# Between these, exp(log_scale) stays a sensible uncertainty of ln(1 + z).
LOG_SCALE = (-5.0, 2.0)


def check_positive(objective: Any) -> None:
    """Refuse parameters of an objective, a dataclass, that are not positive numbers."""
    for name, value in asdict(objective).items():
        if not value > 0:
            raise ValueError(
                f"{name} of {type(objective).__name__} must be above 0, got {value!r}."
            )


def weighted_mean(losses: torch.Tensor, weight: torch.Tensor | None) -> torch.Tensor:
    """Return the mean of ``weight * losses`` over the objects, the first axis."""
    if weight is not None:
        losses = losses * weight.reshape(-1, *[1] * (losses.ndim - 1))
    return losses.mean()


class _PerObject(nn.Module):
    """A loss with one value for every object, and a weight for each of them.

    Targets are a tensor, or ``{"y": ..., "sample_weight": ...}`` where objects have weights.
    """

    #: Returns the losses of outputs against a target, objects along the first axis.
    per_object: ClassVar[nn.Module]

    def forward(
        self, outputs: torch.Tensor, targets: torch.Tensor | Mapping[str, torch.Tensor]
    ) -> torch.Tensor:
        """Return the mean over objects of their losses times their weights."""
        if isinstance(targets, Mapping):
            losses = self.per_object(outputs, targets["y"])
            return weighted_mean(losses, targets["sample_weight"])
        return self.per_object(outputs, targets).mean()


class CrossEntropy(_PerObject):
    """Mean of each object's cross-entropy, times its weight where objects have weights.

    ``torch.nn.CrossEntropyLoss(weight=...)`` divides by the weights that happen to be in the
    batch, so that a batch without the heavy class pulls as hard as one with it.
    """

    per_object = nn.CrossEntropyLoss(reduction="none")


class SquaredError(_PerObject):
    """Mean squared error."""

    per_object = nn.MSELoss(reduction="none")
