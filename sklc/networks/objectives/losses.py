"""Losses of training and pretraining."""

from __future__ import annotations

import torch
from torch import nn

__all__ = ["LOG_SCALE", "WeightedCrossEntropy", "contrastive_loss", "redshift_loss"]

# Between these, exp(log_scale) stays a sensible uncertainty of ln(1 + z).
LOG_SCALE = (-5.0, 2.0)


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

    def forward(
        self,
        logits: torch.Tensor,
        target: torch.Tensor,
        sample_weight: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Loss of logits (n, n_classes) against class indices (n,)."""
        losses = nn.functional.cross_entropy(logits, target, reduction="none")
        if sample_weight is not None:
            losses = sample_weight * losses
        return (self.weight[target] * losses).mean()


def redshift_loss(prediction: torch.Tensor, log1p_z: torch.Tensor) -> torch.Tensor:
    """Gaussian negative log-likelihood of ``ln(1 + z)``, without its constant.

    Parameters
    ----------
    prediction : Tensor of shape (n_objects, 2)
        Mean and log scale.
    log1p_z : Tensor of shape (n_objects,)
    """
    mean, log_scale = prediction[:, 0], prediction[:, 1].clamp(*LOG_SCALE)
    return (0.5 * ((log1p_z - mean) / log_scale.exp()) ** 2 + log_scale).mean()


def contrastive_loss(
    latent: torch.Tensor, target: torch.Tensor, temperature: float
) -> torch.Tensor:
    """Supervised contrastive loss of a batch (SupCon; Khosla et al. 2020, equation 2).

    Objects of one class are pulled together and others pushed apart, by cosine similarity. One
    masked matrix of all pairs; objects without another of their class in the batch have no pair
    to pull and do not count.

    Parameters
    ----------
    latent : Tensor of shape (n_objects, latent_size)
    target : Tensor of shape (n_objects,)
        Class indices.
    temperature : float
        Divisor of the similarities.
    """
    unit = nn.functional.normalize(latent.float(), dim=1)
    itself = torch.eye(len(unit), dtype=torch.bool, device=unit.device)
    similarity = (unit @ unit.T / temperature).masked_fill(itself, -torch.inf)
    log_share = similarity - similarity.logsumexp(dim=1, keepdim=True)
    positive = (target[:, None] == target[None, :]) & ~itself
    n_positive = positive.sum(dim=1)
    per_object = -log_share.masked_fill(~positive, 0.0).sum(dim=1) / n_positive.clamp(min=1)
    counted = n_positive > 0
    return per_object[counted].sum() / counted.sum().clamp(min=1)
