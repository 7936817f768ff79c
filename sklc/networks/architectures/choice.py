"""From a parameter or a file's header to an architecture, and from that to a network."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from sklc.networks.architectures.interface import Architecture, EncoderNetwork
from sklc.networks.architectures.registry import ARCHITECTURES
from sklc.networks.architectures.shape import SIZES_IN_CONFIG, NetworkShape

__all__ = [
    "DEFAULT_SIZES",
    "choose_architecture",
    "current_config",
    "network_from_config",
    "new_network",
]

#: Sizes that are parameters of `LightCurveEncoder`, with their defaults there.
DEFAULT_SIZES = {"hidden_size": 100, "n_layers": 2, "latent_size": 128}


def choose_architecture(architecture: str | Architecture, **sizes: int) -> Architecture:
    """Return the architecture that an estimator's parameters ask for.

    Parameters
    ----------
    architecture : str or Architecture
        A registered name, or the architecture itself.
    **sizes : int
        Parameters of the estimator, of `DEFAULT_SIZES`. They go to an architecture by name, as far
        as it takes them.

    Raises
    ------
    ValueError
        If there is no architecture of that name; or if a size was changed from its default that
        the architecture does not take, or that it has as a setting of its own already.
    """
    changed = [name for name, size in sizes.items() if size != DEFAULT_SIZES[name]]
    if isinstance(architecture, Architecture):
        if changed:
            raise ValueError(
                f"{changed[0]}={sizes[changed[0]]} has no effect beside an architecture that is "
                f"given with its settings, architecture={architecture!r}: leave {changed[0]} at "
                f"its default, {DEFAULT_SIZES[changed[0]]}, and set it there if it has one."
            )
        return architecture
    make = ARCHITECTURES[architecture]
    taken = inspect.signature(make).parameters
    takes_all = any(p.kind is p.VAR_KEYWORD for p in taken.values())
    wrong = [name for name in changed if name not in taken and not takes_all]
    if wrong:
        raise ValueError(
            f"architecture={architecture!r} takes no {wrong[0]}, and {wrong[0]}="
            f"{sizes[wrong[0]]} was set: leave it at its default, {DEFAULT_SIZES[wrong[0]]}. Its "
            f"settings are {list(taken)}: give an instance of its class to set them."
        )
    return _make(architecture, {k: v for k, v in sizes.items() if k in taken or k in changed})


def _make(name: str, settings: Mapping[str, Any]) -> Architecture:
    made = ARCHITECTURES[name](**settings)
    if not isinstance(made, Architecture):
        raise TypeError(
            f"The architecture registered as {name!r} makes a {type(made).__name__}: it has to "
            "return an instance of a subclass of sklc.networks.architectures.Architecture."
        )
    object.__setattr__(made, "_made_by", name)  # frozen; read by `name_of`
    return made


def new_network(
    architecture: Architecture,
    channels: Sequence[str],
    n_classes: int,
    metadata: np.ndarray | None = None,
    heads: Mapping[str, Sequence[int]] | None = None,
    sequence_heads: Mapping[str, Sequence[int]] | None = None,
    time_scale: float = 1.0,
    values: np.ndarray | None = None,
) -> EncoderNetwork:
    """Return a network with initial weights, to be trained.

    Parameters
    ----------
    architecture : Architecture
        Its settings.
    channels : sequence of str
        Channels of the input representation.
    n_classes : int
        Number of class logits.
    metadata : ndarray of shape (n_objects, n_columns) or None
        Columns that join the state, of the objects to train on: their scales are taken from here.
    heads : mapping of str to sequence of int, optional
        Further heads, with the widths of their layers.
    sequence_heads : mapping of str to sequence of int, optional
        Heads on the states of single observations, with the widths of their layers.
    time_scale : float, default=1.0
        Days per unit of the channel ``time``.
    values : ndarray of shape (n_observations, n_channels), optional
        Observations to train on, from which the network may learn the scales of the channels.

    Raises
    ------
    ValueError
        If the architecture lacks a channel, or reads what lies behind the end of an object.
    """
    n_metadata = 0 if metadata is None else metadata.shape[1]
    shape = NetworkShape(
        tuple(channels), n_classes, n_metadata, heads or {}, sequence_heads=sequence_heads or {}
    )
    network = architecture.build(shape)
    if values is not None:
        network.set_scales(time_scale, torch.from_numpy(values))
    if architecture.looks_ahead:
        _check_padding(network)
    if network.metadata is not None and metadata is not None:
        network.metadata.standardize.set_statistics(torch.from_numpy(metadata))
    return network


def _check_padding(network: EncoderNetwork) -> None:
    """Refuse a network whose state depends on the padding, by two tries on random numbers."""
    generator, lengths = torch.Generator().manual_seed(0), torch.tensor([6, 4, 1])
    values = torch.randn(3, 9, len(network.shape.channels), generator=generator)
    behind = torch.arange(9) >= lengths[:, None]
    training = network.training
    network.eval()
    with torch.inference_mode():
        states = [
            network.state(values.masked_fill(behind[:, :, None], 0.0)[:, :6], lengths),
            network.state(values.masked_fill(behind[:, :, None], 3.0), lengths),
        ]
    network.train(training)
    if states[0].shape != (3, network.state_size):
        raise ValueError(
            f"{type(network).__name__}.state returns a tensor of shape {tuple(states[0].shape)} "
            f"for 3 objects, and add_backbone returned a size of {network.state_size}: it has to "
            "return one row per object, of that size."
        )
    if not torch.allclose(states[0], states[1], rtol=1e-3, atol=1e-4):
        raise ValueError(
            f"{type(network).__name__}.state reads what lies behind the last observation of an "
            "object, so that its results would depend on the other objects of a batch: mask the "
            "padding with `lengths`, for example with torch.arange(values.shape[1]) < "
            "lengths[:, None]."
        )


def current_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a config as networks have it today; before, there was one architecture."""
    config = {"name": "gru", "n_metadata": 0, "heads": {}, **config}
    if config.pop("redshift", False):
        config["heads"] = {"redshift": [2]}
    return config


def network_from_config(config: Mapping[str, Any], channels: Sequence[str]) -> EncoderNetwork:
    """Rebuild a network from its config, with initial weights that leave no trace.

    Parameters
    ----------
    config : mapping
        As `EncoderNetwork.config` gives it.
    channels : sequence of str
        Channels of the input representation.

    Raises
    ------
    ValueError
        If no architecture of that name is registered, or it does not take these settings.
    """
    settings = {name: value for name, value in config.items() if name not in SIZES_IN_CONFIG}
    beside: dict[str, Any] = {
        name: tuple(config[name]) for name in ("context", "context_sizes") if name in config
    }
    beside |= {name: config[name] for name in ("sequence_heads",) if name in config}
    shape = NetworkShape(
        tuple(channels), config["n_classes"], config["n_metadata"], config["heads"], **beside
    )
    with torch.random.fork_rng(devices=[]):
        return _make(config["name"], settings).build(shape)
