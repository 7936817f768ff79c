"""What stands on the latent: dense heads, and the branch for per-object metadata."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from sklc._net.gru import LightCurveNetwork

__all__ = ["DenseHead", "MetadataBranch", "Standardize", "TransferNetwork"]


class Standardize(nn.Module):
    """Subtract mean and divide by scale, both learned once; a missing value (NaN) becomes 0.

    Mean and scale are buffers, so they travel with the weights.
    """

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(self, n_columns: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(n_columns))
        self.register_buffer("scale", torch.ones(n_columns))

    def set_statistics(self, values: torch.Tensor, n_common: int = 0) -> None:
        """Learn mean and scale of the columns of (n_objects, n_columns), ignoring NaN.

        The first `n_common` columns share one scale, the root of their mean variance.
        """
        values = values.double()
        known = ~torch.isnan(values)
        count = known.sum(0).clamp(min=1)
        mean = torch.nan_to_num(values).sum(0) / count
        variance = (torch.nan_to_num(values - mean) ** 2).sum(0) / count
        variance[:n_common] = variance[:n_common].mean()
        # A column that never varies (an inactive ReLU) must not be blown up at predict.
        self.mean.copy_(mean)
        self.scale.copy_(torch.where(variance > 1e-12, variance.sqrt(), torch.ones(())))

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Return standardised values of the same shape."""
        return torch.nan_to_num((values - self.mean) / self.scale, nan=0.0)


class MetadataBranch(nn.Module):
    """Per-object numbers, and which of them are missing, through a dense layer (Paper I: 10).

    Parameters
    ----------
    n_columns : int
        Number of metadata columns.
    n_outputs : int
        Width of the dense layer.
    """

    def __init__(self, n_columns: int, n_outputs: int = 10) -> None:
        super().__init__()
        self.n_outputs = n_outputs
        self.standardize = Standardize(n_columns)
        self.dense = nn.Linear(2 * n_columns, n_outputs)

    def forward(self, metadata: torch.Tensor) -> torch.Tensor:
        """Return (n_objects, n_outputs)."""
        missing = torch.isnan(metadata).to(metadata.dtype)
        return torch.relu(self.dense(torch.cat([self.standardize(metadata), missing], dim=1)))


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

    def set_statistics(self, latent: torch.Tensor, metadata: torch.Tensor | None = None) -> None:
        """Learn the scaling of the columns.

        The latent keeps the relative scales of its units, which say how much each of them
        matters to the classes it was trained on: scaling each to 1 lets idle units in, and costs
        about .01 in AUROC.
        """
        self.standardize.set_statistics(self.join(latent, metadata), self.latent_size)

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
