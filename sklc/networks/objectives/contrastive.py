"""Latents that are alike within a class, by a supervised contrastive loss."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from sklc.networks.objectives.classifier import Classifier
from sklc.networks.objectives.losses import check_positive

__all__ = ["Contrastive", "contrastive_loss"]


def contrastive_loss(
    latent: torch.Tensor, target: torch.Tensor, temperature: float
) -> torch.Tensor:
    """Supervised contrastive loss of a batch (SupCon; Khosla et al. 2020, equation 2).

    Objects of one class are pulled together and others pushed apart, by cosine similarity. Objects
    that are the only ones of their class in the batch do not count.

    Parameters
    ----------
    latent : Tensor of shape (n_objects, latent_size)
        Latents.
    target : Tensor of shape (n_objects,)
        Class indices.
    temperature : float
        Divisor of the similarities.

    Returns
    -------
    Tensor of shape (n_objects,)
        Scaled so that its mean is the mean over the objects that count.
    """
    unit = nn.functional.normalize(latent.float(), dim=1)
    itself = torch.eye(len(unit), dtype=torch.bool, device=unit.device)
    similarity = (unit @ unit.T / temperature).masked_fill(itself, -torch.inf)
    log_share = similarity - similarity.logsumexp(dim=1, keepdim=True)
    positive = (target[:, None] == target[None, :]) & ~itself
    n_positive = positive.sum(dim=1)
    per_object = -log_share.masked_fill(~positive, 0.0).sum(dim=1) / n_positive.clamp(min=1)
    counted = n_positive > 0
    return per_object.where(counted, 0.0) * (len(unit) / counted.sum().clamp(min=1))


@dataclass(frozen=True)
class Contrastive(Classifier):
    """Classify, with latents that are similar within a class and differ between classes.

    Parameters
    ----------
    temperature : float, default=0.5
        Divisor of the cosine similarities.
    weight : float, default=1.0
        Weight of the contrastive loss relative to the cross-entropy.

    Examples
    --------
    >>> from sklc import LightCurveEncoder
    >>> from sklc.networks.objectives import Contrastive
    >>> LightCurveEncoder(objective=Contrastive(temperature=0.2)).objective
    Contrastive(temperature=0.2, weight=1.0)
    """

    temperature: float = 0.5
    weight: float = 1.0

    def __post_init__(self) -> None:
        check_positive(self)

    def loss(self, outputs, targets, progress):
        """Return cross-entropy and contrastive loss of every object."""
        pairs = contrastive_loss(outputs.latent, targets["class"], self.temperature)
        return super().loss(outputs, targets, progress) + self.weight * pairs
