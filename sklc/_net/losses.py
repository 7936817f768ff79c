"""Losses: weighted cross-entropy, and that of pretraining on class and redshift."""

from __future__ import annotations

import torch
from torch import nn

from sklc._net.gru import LightCurveNetwork

__all__ = ["ClassAndRedshiftLoss", "ClassAndRedshiftNetwork", "WeightedCrossEntropy"]


class WeightedCrossEntropy(nn.Module):
    """Mean of each object's cross-entropy times the weight of its class.

    ``torch.nn.CrossEntropyLoss(weight=...)`` divides by the weights that happen to be in the
    batch, so that a batch without the heavy class pulls as hard as one with it.

    Parameters
    ----------
    class_weight : array-like of shape (n_classes,)
    """

    weight: torch.Tensor

    def __init__(self, class_weight) -> None:
        super().__init__()
        self.register_buffer("weight", torch.as_tensor(class_weight, dtype=torch.float32))

    def forward(self, logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Loss of logits (n, n_classes) against class indices (n,)."""
        losses = nn.functional.cross_entropy(logits, target, reduction="none")
        return (self.weight[target] * losses).mean()


class ClassAndRedshiftLoss(nn.Module):
    """Cross-entropy of the class plus a Gaussian likelihood of ``ln(1 + z)``.

    A latent trained on classes alone forgets how bright an object is; the redshift keeps that in.

    Parameters
    ----------
    class_weight : array-like of shape (n_classes,)
    redshift_weight : float
        Weight of the second term.
    """

    # Between these, exp(log_scale) stays a sensible uncertainty of ln(1 + z).
    _LOG_SCALE = (-5.0, 2.0)

    def __init__(self, class_weight, redshift_weight: float) -> None:
        super().__init__()
        self.cross_entropy = WeightedCrossEntropy(class_weight)
        self.redshift_weight = redshift_weight

    def forward(self, outputs, targets) -> torch.Tensor:
        """Loss of ``(logits, (n, 2) mean and log scale)`` against ``(class, ln(1 + z))``."""
        logits, redshift = outputs
        target, log1p_z = targets
        mean, log_scale = redshift[:, 0], redshift[:, 1].clamp(*self._LOG_SCALE)
        likelihood = 0.5 * ((log1p_z - mean) / log_scale.exp()) ** 2 + log_scale
        return self.cross_entropy(logits, target) + self.redshift_weight * likelihood.mean()


class ClassAndRedshiftNetwork(nn.Module):
    """An encoder with its class head, and beside it a redshift head that is dropped afterwards.

    Parameters
    ----------
    encoder : LightCurveNetwork
    """

    encoder: LightCurveNetwork

    def __init__(self, encoder: LightCurveNetwork) -> None:
        super().__init__()
        self.encoder = encoder
        self.redshift = nn.Linear(encoder.config["latent_size"], 2)

    def forward(
        self, values: torch.Tensor, lengths: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Class logits (n, n_classes), and mean and log scale of ``ln(1 + z)`` (n, 2)."""
        latent = self.encoder.to_latent(self.encoder.state(values, lengths))
        return self.encoder.head(latent), self.redshift(latent)
