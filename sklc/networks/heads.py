"""What stands on the latent: dense heads, and the branch for per-object metadata."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, pairwise

import numpy as np
import torch
from torch import nn

from sklc.networks.architectures.gru import LightCurveNetwork
from sklc.networks.architectures.modules import Standardize

__all__ = ["DenseHead", "TransferNetwork", "in_double_precision"]


def in_double_precision(module: nn.Module, *inputs: np.ndarray | None) -> np.ndarray:
    """Output of a module in float64, so that an object does not depend on the batch around it."""
    tensors = {
        name: tensor.double()
        for name, tensor in chain(module.named_parameters(), module.named_buffers())
    }
    given = tuple(None if array is None else torch.from_numpy(array).double() for array in inputs)
    with torch.inference_mode():
        return torch.func.functional_call(module, tensors, given).numpy()


class DenseHead(nn.Module):
    """Class logits from the latent and optional metadata, through hidden layers if any.

    Parameters
    ----------
    latent_size : int
    n_classes : int
    sizes : sequence of int
        Units of the hidden layers (ReLU); empty for a linear head.
    n_metadata : int
        Per-object columns that join the latent, each with a flag of whether it is missing.
    """

    def __init__(
        self, latent_size: int, n_classes: int, sizes: Sequence[int] = (), n_metadata: int = 0
    ) -> None:
        super().__init__()
        self.latent_size = latent_size
        self.standardize = Standardize(latent_size + 2 * n_metadata)
        widths = [latent_size + 2 * n_metadata, *sizes]
        hidden = [
            layer
            for n_in, n_out in pairwise(widths)
            for layer in (nn.Linear(n_in, n_out), nn.ReLU())
        ]
        self.hidden = nn.Sequential(*hidden)
        self.output = nn.Linear(widths[-1], n_classes)

    @staticmethod
    def join(latent: torch.Tensor, metadata: torch.Tensor | None = None) -> torch.Tensor:
        """Columns the head reads: latent, metadata, and flags of what is missing in it."""
        if metadata is None:
            return latent
        metadata = metadata.to(latent.dtype)
        return torch.cat([latent, metadata, torch.isnan(metadata).to(latent.dtype)], dim=1)

    def set_statistics(
        self,
        latent: torch.Tensor,
        metadata: torch.Tensor | None = None,
        weight: torch.Tensor | None = None,
    ) -> None:
        """Learn the scaling of the columns, with a weight for each object if given.

        The latent keeps the relative scales of its units, which say how much each of them
        matters to the classes it was trained on: scaling each to 1 lets idle units in, and costs
        about .01 in AUROC.
        """
        self.standardize.set_statistics(self.join(latent, metadata), self.latent_size, weight)

    def forward(
        self, latent: torch.Tensor, head_metadata: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Class logits, (n_objects, n_classes)."""
        return self.output(self.hidden(self.standardize(self.join(latent, head_metadata))))


class TransferNetwork(nn.Module):
    """A pretrained encoder with a head of its own, trainable as a whole.

    Parameters
    ----------
    encoder : LightCurveNetwork
        Its own class head is not used.
    head : torch.nn.Module
        Takes latent and metadata.
    """

    encoder: LightCurveNetwork
    head: nn.Module

    def __init__(self, encoder: LightCurveNetwork, head: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head

    def forward(
        self,
        values: torch.Tensor,
        lengths: torch.Tensor,
        metadata: torch.Tensor | None = None,
        head_metadata: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Class logits of padded observations (n_objects, longest, n_channels)."""
        state = self.encoder.state(values, lengths)
        return self.head(self.encoder.to_latent(state, metadata), head_metadata)
