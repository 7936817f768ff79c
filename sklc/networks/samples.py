"""Heads that make several predictions of each object: an ensemble, and the mean of its members.

A head may have a method ``samples(latent, extra)`` that returns logits of shape (n_objects,
n_samples, n_classes). Its own logits are then the log of the mean probability, so that everything
which reads the logits of a head, such as calibration, needs to know nothing of samples.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

__all__ = [
    "EnsembleHead",
    "SampledLogits",
    "SliceHead",
    "first_head",
    "log_mean",
    "log_samples",
    "thinned",
]


def log_samples(
    head: nn.Module, latent: torch.Tensor, extra: torch.Tensor | None = None
) -> torch.Tensor:
    """Return log probabilities by every sample of a head, (n_objects, n_samples, n_classes).

    A head without ``samples`` has one.
    """
    samples: Any = getattr(head, "samples", None)
    logits = head(latent, extra)[:, None] if samples is None else samples(latent, extra)
    return torch.log_softmax(logits, dim=2)


def log_mean(logits: torch.Tensor) -> torch.Tensor:
    """Return the log of the mean probability over samples, (n_objects, n_classes).

    The logits of a single sample are returned as they are.
    """
    n_samples = logits.shape[1]
    if n_samples == 1:
        return logits[:, 0]
    return torch.logsumexp(torch.log_softmax(logits, dim=2), dim=1) - math.log(n_samples)


def samples_to_onnx(head: nn.Module, graph: Any, *inputs: str | None) -> list[str]:
    """Append the logits of every sample of a head to a graph; returns their names."""
    several: Any = getattr(head, "samples_to_onnx", None)
    if several is not None:
        return several(graph, *inputs)
    to_onnx: Any = getattr(head, "to_onnx", None)
    if to_onnx is None:
        raise NotImplementedError(
            f"A head of the class {type(head).__name__} has no ONNX graph, so it cannot be "
            "exported: give it a method to_onnx(graph, latent, head_metadata) that returns the "
            "name of the logits."
        )
    return [to_onnx(graph, *inputs)]


def log_mean_to_onnx(graph: Any, logits: Sequence[str]) -> str:
    """Append the log of the mean probability over samples to a graph."""
    if len(logits) == 1:
        return logits[0]
    mean = graph.apply("Mean", *(graph.apply("Softmax", one, axis=1) for one in logits))
    return graph.apply("Log", graph.apply("Max", mean, graph.constant(1e-30)))


class SampledHead(nn.Module):
    """Base of heads with ``samples``, whose logits are the log of their mean probability."""

    samples: Any

    def samples_to_onnx(self, graph: Any, *inputs: Any) -> list[str]:
        """Append the logits of every sample to a graph."""
        raise NotImplementedError

    def forward(self, latent: torch.Tensor, extra: torch.Tensor | None = None) -> torch.Tensor:
        """Class logits, (n_objects, n_classes)."""
        return log_mean(self.samples(latent, extra))

    def to_onnx(self, graph: Any, latent: str, *extra: str | None) -> str:
        """Append the logits to a graph."""
        return log_mean_to_onnx(graph, self.samples_to_onnx(graph, latent, *extra))


class EnsembleHead(SampledHead):
    """Several heads, each of which makes one prediction.

    Parameters
    ----------
    members : sequence of torch.nn.Module
        Heads that read the same latent and metadata.
    """

    def __init__(self, members: Sequence[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def samples(self, latent: torch.Tensor, extra: torch.Tensor | None = None) -> torch.Tensor:
        """Log probabilities by every member, (n_objects, n_members, n_classes)."""
        return torch.cat([log_samples(member, latent, extra) for member in self.members], dim=1)

    def samples_to_onnx(self, graph: Any, *inputs: str | None) -> list[str]:
        """Append the logits of all members to a graph."""
        return [name for member in self.members for name in samples_to_onnx(member, graph, *inputs)]


class SliceHead(SampledHead):
    """A head that reads one of several latents which stand beside each other.

    Parameters
    ----------
    head : torch.nn.Module
        The head.
    start, stop : int
        Columns of its latent among those of all.
    n_extra : int
        How many of the columns that join the latent it reads, from the first on.
    """

    def __init__(self, head: nn.Module, start: int, stop: int, n_extra: int) -> None:
        super().__init__()
        self.head, self.start, self.stop, self.n_extra = head, start, stop, n_extra

    def own(self, latent: Any) -> Any:
        """Return the latent of this head alone."""
        return latent[:, self.start : self.stop]

    def samples(self, latent: torch.Tensor, extra: torch.Tensor | None = None) -> torch.Tensor:
        """Log probabilities by every sample of the head, (n_objects, n_samples, n_classes)."""
        read = None if extra is None or not self.n_extra else extra[:, : self.n_extra]
        return log_samples(self.head, self.own(latent), read)


class SampledLogits(nn.Module):
    """The samples of a head, as the output of a module.

    Parameters
    ----------
    head : torch.nn.Module
        The head.
    """

    def __init__(self, head: nn.Module) -> None:
        super().__init__()
        self.head = head

    def forward(self, latent: torch.Tensor, extra: torch.Tensor | None = None) -> torch.Tensor:
        """Log probabilities of all samples, (n_objects, n_samples, n_classes)."""
        return log_samples(self.head, latent, extra)


def first_head(head: nn.Module) -> nn.Module:
    """Return the head of the first of several networks, or the head itself."""
    first = head.members[0] if isinstance(head, EnsembleHead) else head
    return first.head if isinstance(first, SliceHead) else head


def thinned(head: nn.Module, rate: float, seed: int) -> nn.Module:
    """Return a copy of a head from which units were dropped, the others scaled up instead.

    Parameters
    ----------
    head : torch.nn.Module
        A head of dense layers, or several such for the phases of a light curve, of which all lose
        the same units of the latent. What recognises the phase keeps all of them.
    rate : float
        Probability that a unit of the latent, or of a hidden layer, is dropped.
    seed : int
        Determines which.
    """
    head = copy.deepcopy(head)
    gates = {id(part) for gate in _gates(head) for part in gate.modules()}
    for module in head.modules():
        latent_size = getattr(module, "latent_size", None)
        if latent_size is None or id(module) in gates:
            continue
        generator = torch.Generator().manual_seed(seed)
        layers = [part for part in module.modules() if isinstance(part, nn.Linear)]
        for number, layer in enumerate(layers):
            # Metadata, which stand behind the latent, are kept.
            n_units = latent_size if number == 0 else layer.in_features
            kept = torch.rand(n_units, generator=generator) >= rate
            with torch.no_grad():
                layer.weight[:, :n_units] *= kept / (1 - rate)
    return head


def _gates(head: nn.Module) -> list[nn.Module]:
    named = (getattr(module, "gate", None) for module in head.modules())
    return [gate for gate in named if isinstance(gate, nn.Module)]
