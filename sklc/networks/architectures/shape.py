"""What data and objectives ask of a network, and what it returns in training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch

__all__ = ["SIZES_IN_CONFIG", "NetworkShape", "States"]

#: What the config of a network holds beside the settings of its architecture.
SIZES_IN_CONFIG = (
    "name", "n_channels", "n_classes", "n_metadata", "heads", "context", "context_sizes",
    "sequence_heads",
)  # fmt: skip


class States(NamedTuple):
    """What a network makes of the observations in training.

    Parameters
    ----------
    state : Tensor of shape (n_objects, state_size)
        State of each object.
    observations : Tensor of shape (n_objects, longest, sequence_size), or None
        State of each observation, where it was asked for.
    penalty : Tensor of shape (), or None
        A term that the network adds to the loss.

    Examples
    --------
    >>> import torch
    >>> from sklc.networks.architectures import GRU, NetworkShape
    >>> network = GRU().build(NetworkShape(("flux", "flux_err"), n_classes=3))
    >>> states = network.sequence_states(torch.zeros(5, 20, 2), torch.full((5,), 20))
    >>> states.state.shape, states.observations
    (torch.Size([5, 100]), None)
    """

    state: torch.Tensor
    observations: torch.Tensor | None = None
    penalty: torch.Tensor | None = None


@dataclass(frozen=True)
class NetworkShape:
    """What the data and the objective ask of a network, whatever its architecture.

    Parameters
    ----------
    channels : tuple of str
        Names of the channels of an observation, in their order.
    n_classes : int
        Number of class logits; 0 leaves the class head out.
    n_metadata : int, default=0
        Number of per-object columns; 0 leaves the branch for metadata out.
    heads : mapping of str to sequence of int, optional
        Names of further heads on the latent, with the widths of their dense layers; the last is the
        number of outputs. The head "redshift" is linear, with mean and log scale of ``ln(1 + z)``.
    context : sequence of str, default=()
        Names of the columns of the context, see `sklc.context.CONTEXT_CHANNELS`; without any, the
        adapter for it is left out.
    context_sizes : sequence of int, default=(192, 192)
        Widths of the hidden layers of the adapter.
    sequence_heads : mapping of str to sequence of int, optional
        Names of heads on the states of single observations, with the widths of their dense layers.
        With any, the network has a learned token that stands for a hidden measurement.

    Examples
    --------
    >>> from sklc.networks.architectures import GRU, NetworkShape
    >>> shape = NetworkShape(("flux", "flux_err"), n_classes=3, heads={"redshift": (2,)})
    >>> list(GRU().build(shape).all_heads())
    ['redshift']
    """

    channels: tuple[str, ...]
    n_classes: int
    n_metadata: int = 0
    heads: Mapping[str, Sequence[int]] = field(default_factory=dict)
    context: Sequence[str] = ()
    context_sizes: Sequence[int] = (192, 192)
    sequence_heads: Mapping[str, Sequence[int]] = field(default_factory=dict)
