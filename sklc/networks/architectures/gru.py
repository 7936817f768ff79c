"""Stacked GRU layers, whose last state is the state (Gupta et al. 2025a, b)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import nn

from sklc.measurements import MEASURED_CHANNELS
from sklc.networks.architectures.interface import Architecture, EncoderNetwork
from sklc.networks.architectures.shape import States
from sklc.networks.onnx.graph import Graph
from sklc.networks.recurrent.packed import packed_last_state, packed_states

__all__ = ["GRU", "GRUNetwork"]


class GRUNetwork(EncoderNetwork):
    """A network whose state is that of the last of several GRU layers, at the last observation.

    Parameters
    ----------
    architecture : GRU
        Its settings.
    shape : NetworkShape
        The channels, classes, columns and heads that it is built for.

    Examples
    --------
    See `GRU`.
    """

    architecture: GRU

    def add_backbone(self, n_channels: int) -> int:
        """Make the recurrent layers."""
        size, n_layers = int(self.architecture.hidden_size), int(self.architecture.n_layers)
        self.gru = nn.GRU(n_channels, size, num_layers=n_layers, batch_first=True)
        self.measured = [k for k, c in enumerate(self.shape.channels) if c in MEASURED_CHANNELS]
        # An observation is described by the state there and by the last one, which has seen what
        # comes afterwards.
        self.sequence_size, self.mask_size = 2 * size, len(self.measured)
        return size

    @property
    def recurrent(self) -> nn.GRU:  # type: ignore[override]
        """The recurrent layers."""
        return self.gru

    def state(self, values: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Hidden state of the last layer at each object's last observation.

        The layers run forwards only, so padding behind the last observation cannot reach it.
        """
        if _is_packed(values):
            return packed_last_state(self.gru, values, lengths)
        outputs, _ = self.gru(values)
        return outputs[torch.arange(len(lengths), device=lengths.device), lengths - 1]

    def sequence_states(
        self, values: torch.Tensor, lengths: torch.Tensor, hidden: torch.Tensor | None = None
    ) -> States:
        """State of each object; and for each observation the state there beside that of the object.

        The layers run forwards only, so that a hidden observation is predicted from what was before
        it, and from what the last state keeps of the whole light curve: that is what it is trained
        to keep.
        """
        if hidden is None:
            return States(self.state(values, lengths))
        token = torch.zeros_like(values[0, 0])
        token[self.measured] = self.mask_token.to(values.dtype)
        is_measured = torch.zeros_like(token, dtype=torch.bool)
        is_measured[self.measured] = True
        values = torch.where(hidden[..., None] & is_measured, token, values)
        each = (
            packed_states(self.gru, values, lengths) if _is_packed(values) else self.gru(values)[0]
        )
        last = each[torch.arange(len(lengths), device=lengths.device), lengths - 1]
        return States(last, torch.cat([each, last[:, None].expand_as(each)], dim=-1))

    def state_to_onnx(self, graph: Graph, values: str, lengths: str) -> str:
        """Append the layers to a graph, each as ONNX's operator of that name."""
        hidden = self.state_size
        time_axis = graph.constant([1], np.int64)
        outputs, last = graph.apply("Transpose", values, perm=[1, 0, 2]), ""
        for layer, parameters in enumerate(self.gru.all_weights):
            if layer:
                outputs = graph.apply("Squeeze", outputs, time_axis)  # its axis of directions
            # torch has the gates in the order reset, update, new; ONNX update, reset, new.
            order = np.r_[hidden : 2 * hidden, :hidden, 2 * hidden : 3 * hidden]
            weight, carried, bias, offset = (p.detach().numpy()[order] for p in parameters)
            outputs, last = graph.apply(
                "GRU",
                outputs,
                graph.constant(weight[None]),
                graph.constant(carried[None]),
                graph.constant(np.concatenate([bias, offset])[None]),
                lengths,
                n_outputs=2,
                hidden_size=hidden,
                linear_before_reset=1,
            )
        return graph.apply("Squeeze", last, graph.constant([0], np.int64))


def _is_packed(values: torch.Tensor) -> bool:
    """Whether the packed form computes the layers, without padding."""
    return values.device.type == "cpu" and not torch.is_autocast_enabled("cpu")


@dataclass(frozen=True, kw_only=True)
class GRU(Architecture):
    """Stacked GRU layers, the default; the papers use 2 layers of 100 units, and a latent of 128.

    Parameters
    ----------
    latent_size : int, default=128
        Length of the latent vector.
    standardize_latent : bool, default=False
        Whether the units of the latent are linear and standardised, instead of cut at 0 (ReLU).
    hidden_size : int, default=100
        Units of each layer.
    n_layers : int, default=2
        Number of layers.

    Examples
    --------
    >>> from sklc import LightCurveEncoder
    >>> from sklc.networks.architectures import GRU
    >>> LightCurveEncoder(architecture=GRU(hidden_size=64))
    LightCurveEncoder(architecture=GRU(latent_size=128, standardize_latent=False, ...))
    """

    network: ClassVar[type[EncoderNetwork]] = GRUNetwork
    looks_ahead: ClassVar[bool] = False

    hidden_size: int = 100
    n_layers: int = 2
