"""An encoder in training: the network with the heads of its objectives, and their loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import nn

from sklc.networks.architectures import EncoderNetwork
from sklc.networks.architectures.modules import dense_layers
from sklc.networks.objectives.interface import Objective, Outputs
from sklc.networks.objectives.losses import weighted_mean

__all__ = ["ObjectiveLoss", "ObjectiveNetwork", "kept_heads", "sequence_heads"]


def kept_heads(
    objectives: Sequence[Objective], targets: Mapping[str, np.ndarray]
) -> dict[str, tuple[int, ...]]:
    """Return the heads that stay with the network after training, as widths of their layers."""
    return {
        name: sizes
        for objective in objectives
        if objective.keeps_heads
        for name, sizes in objective.heads(targets).items()
    }


def sequence_heads(
    objectives: Sequence[Objective], targets: Mapping[str, np.ndarray]
) -> dict[str, tuple[int, ...]]:
    """Return the heads on the states of single observations, as widths of their layers."""
    return {
        name: sizes
        for objective in objectives
        for name, sizes in objective.sequence_heads(targets).items()
    }


class ObjectiveNetwork(nn.Module):
    """An encoder in training, with the heads that are dropped afterwards.

    Parameters
    ----------
    encoder : EncoderNetwork
        The encoder, with the heads of `kept_heads`.
    objectives : sequence of Objective
        The objectives of the training.
    targets : mapping of str to ndarray
        The targets of all objects, from which the objectives derive their heads.

    Raises
    ------
    ValueError
        If two objectives have a head of the same name.
    """

    def __init__(
        self,
        encoder: EncoderNetwork,
        objectives: Sequence[Objective],
        targets: Mapping[str, np.ndarray],
    ) -> None:
        super().__init__()
        self.encoder, self.objectives = encoder, tuple(objectives)
        self.dropped = nn.ModuleDict()
        self.names: list[tuple[str, ...]] = []
        for objective in self.objectives:
            heads = objective.heads(targets)
            self.names.append(tuple(heads))
            if not objective.keeps_heads:
                for name, sizes in heads.items():
                    self.dropped[name] = dense_layers(encoder.latent_size, sizes)
        names = [name for own in self.names for name in own]
        if len(names) > len(set(names)):
            raise ValueError(
                f"Two objectives have a head of the same name, {sorted(names)}: rename your own."
            )

    def forward(
        self,
        values: torch.Tensor,
        lengths: torch.Tensor,
        metadata: torch.Tensor | None = None,
    ) -> Outputs:
        """Outputs of padded observations (n_objects, longest, n_channels).

        Where observations are hidden, there are the columns of `Hiding.encode` behind the channels.
        """
        n_channels, seen, hidden = len(self.encoder.shape.channels), {}, None
        if values.shape[2] > n_channels:
            flag, value, error = values[..., n_channels:].unbind(-1)
            values, hidden = values[..., :n_channels], flag > 0.5
            seen = {"hidden": hidden, "value": value, "error": error}
        states = self.encoder.sequence_states(values, lengths, hidden)
        if hidden is not None:
            for name, head in self.encoder.sequence_heads.items():
                seen[name] = head(states.observations)
        latent = self.encoder.to_latent(states.state, metadata)
        heads: dict[str, nn.Module] = {**self.encoder.all_heads(), **self.dropped}
        said: dict[str, torch.Tensor] = {}
        for objective, names in zip(self.objectives, self.names, strict=True):
            said |= objective.outputs({name: heads[name] for name in names}, latent)
        # Without classes, there are logits of none.
        logits = latent[:, :0] if self.encoder.head is None else self.encoder.head(latent)
        penalty = latent.new_zeros(()) if states.penalty is None else states.penalty
        return Outputs(logits, latent, said, seen, penalty.expand(len(latent)))


class ObjectiveLoss(nn.Module):
    """Sum of the objectives' losses, averaged over objects.

    Parameters
    ----------
    objectives : sequence of Objective
        What the network is trained for.
    """

    def __init__(self, objectives: Sequence[Objective]) -> None:
        super().__init__()
        self.objectives = tuple(objectives)
        self.progress = 0.0  # share of the epochs that are done: set in every epoch

    def forward(self, outputs: Outputs, targets: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Loss against targets by name, weighted by ``sample_weight`` where it is among them."""
        total = torch.zeros_like(outputs.latent[:, 0])
        for objective in self.objectives:
            losses = objective.loss(outputs, targets, self.progress)
            if losses.shape != total.shape:
                raise ValueError(
                    f"The loss of {type(objective).__name__} has shape {tuple(losses.shape)} for "
                    f"{len(total)} objects: return one loss for every object, without averaging."
                )
            total = total + losses
        if outputs.penalty is not None:
            total = total + outputs.penalty
        return weighted_mean(total, targets.get("sample_weight"))
