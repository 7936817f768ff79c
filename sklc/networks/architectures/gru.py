"""The encoder network: stacked GRU, last valid state, dense layers, latent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from sklc.networks.architectures.modules import MetadataBranch, dense_layers
from sklc.networks.recurrent.packed import packed_last_state

__all__ = ["LightCurveNetwork"]


class LightCurveNetwork(nn.Module):
    """GRU encoder with a linear classification head (Gupta et al. 2025a, b).

    observations -> GRU x `n_layers` -> state at the last valid observation -> dense (tanh)
    -> [metadata branch, concatenated] -> dense latent (ReLU) -> class logits

    Parameters
    ----------
    n_channels : int
        Channels of the input representation.
    n_classes : int
        Number of logits.
    hidden_size, n_layers, latent_size : int
        Sizes; the papers use 100, 2 and 128 (Paper I: 100).
    n_metadata : int
        Numeric per-object columns; 0 leaves the branch out.
    redshift : bool
        Whether a second linear head gives mean and log scale of ``ln(1 + z)``.
    heads : mapping of str to sequence of int
        Further heads on the latent that objectives add, as the widths of their dense layers.
    """

    def __init__(
        self,
        n_channels: int,
        n_classes: int,
        *,
        hidden_size: int = 100,
        n_layers: int = 2,
        latent_size: int = 128,
        n_metadata: int = 0,
        redshift: bool = False,
        heads: Mapping[str, Sequence[int]] | None = None,
    ) -> None:
        super().__init__()
        self.config: dict[str, Any] = {
            "n_channels": n_channels,
            "n_classes": n_classes,
            "hidden_size": hidden_size,
            "n_layers": n_layers,
            "latent_size": latent_size,
            "n_metadata": n_metadata,
        }
        if redshift:  # weights without it keep the header they have
            self.config["redshift"] = True
        if heads:
            self.config["heads"] = {name: list(sizes) for name, sizes in heads.items()}
        self.gru = nn.GRU(n_channels, hidden_size, num_layers=n_layers, batch_first=True)
        self.dense = nn.Linear(hidden_size, hidden_size)
        self.metadata = MetadataBranch(n_metadata) if n_metadata else None
        width = hidden_size + (self.metadata.n_outputs if self.metadata is not None else 0)
        self.latent = nn.Linear(width, latent_size)
        self.head = nn.Linear(latent_size, n_classes)
        self.redshift = nn.Linear(latent_size, 2) if redshift else None
        self.heads = nn.ModuleDict(
            {name: dense_layers(latent_size, sizes) for name, sizes in (heads or {}).items()}
        )

    def all_heads(self) -> dict[str, nn.Module]:
        """Return the heads that objectives have added, by name."""
        return dict(self.heads) | ({} if self.redshift is None else {"redshift": self.redshift})

    def state(self, values: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Hidden state of the last GRU layer at each object's last observation.

        The GRU runs forwards only, so padding behind the last observation cannot reach it.
        """
        if values.device.type == "cpu" and not torch.is_autocast_enabled("cpu"):
            return packed_last_state(self.gru, values, lengths)
        outputs, _ = self.gru(values)
        return outputs[torch.arange(len(lengths), device=lengths.device), lengths - 1]

    def to_latent(self, state: torch.Tensor, metadata: torch.Tensor | None = None) -> torch.Tensor:
        """Map the recurrent state (n, hidden_size) to the latent (n, latent_size)."""
        dense = torch.tanh(self.dense(state))
        if self.metadata is not None:
            dense = torch.cat([dense, self.metadata(metadata)], dim=1)
        return torch.relu(self.latent(dense))

    def forward(
        self, values: torch.Tensor, lengths: torch.Tensor, metadata: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Class logits (n, n_classes) of padded observations (n, longest, n_channels)."""
        return self.head(self.to_latent(self.state(values, lengths), metadata))
