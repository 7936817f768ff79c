"""A head that also listens to the classes which the encoder was pretrained on."""

from __future__ import annotations

import torch
from torch import nn

__all__ = ["PooledHead"]


class PooledHead(nn.Module):
    """Log-linear pool of a head and of the pretrained classes.

    ``logits = (1 - share) * log p_head(c) + share * log p_own(c)``, where
    ``p_own(c) ~ sum_k p(k) joint[k, c]`` for pretrained classes k of equal prior.

    Parameters
    ----------
    head : torch.nn.Module
        A head that was trained on the labels.
    own : torch.nn.Linear
        The class head that the encoder was pretrained with.
    joint : Tensor of shape (n_own, n_classes)
        Shares of pairs of a pretrained class and one of the labels; sums to 1.
    share : float
        Weight of the pretrained classes, from 0 to 1.
    """

    joint: torch.Tensor

    def __init__(self, head: nn.Module, own: nn.Linear, joint: torch.Tensor, share: float) -> None:
        super().__init__()
        self.head = head
        self.own = own
        self.register_buffer("joint", joint)
        self.share = share

    def forward(
        self, latent: torch.Tensor, head_metadata: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Class logits, (n_objects, n_classes)."""
        learned = torch.log_softmax(self.head(latent, head_metadata), dim=1)
        own = torch.log_softmax(self.own(latent), dim=1)
        known = torch.logsumexp(own[:, :, None] + torch.log(self.joint), dim=1)
        return (1 - self.share) * learned + self.share * torch.log_softmax(known, dim=1)
