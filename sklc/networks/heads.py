"""Heads of classifiers, which take the latent, and the network of an encoder with such a head."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.functional import dropout

from sklc.networks.architectures.interface import EncoderNetwork
from sklc.networks.architectures.modules import Standardize, dense_layers
from sklc.networks.device import one_thread
from sklc.networks.onnx.graph import Graph
from sklc.networks.samples import (
    SampledHead,
    SampledLogits,
    log_mean_to_onnx,
    log_samples,
    samples_to_onnx,
)
from sklc.utils.floats import in_blocks
from sklc.utils.savable import savable

__all__ = [
    "DenseHead",
    "PooledHead",
    "TransferNetwork",
    "in_double_precision",
    "log_probability_samples",
    "logits_to_onnx",
    "own_head",
]


def in_double_precision(
    module: nn.Module, first: np.ndarray, *others: np.ndarray | None
) -> np.ndarray:
    """Output of a module in float64; that of an object does not depend on those beside it."""

    def output(*block: np.ndarray | None) -> np.ndarray:
        given = (None if a is None else torch.from_numpy(a).double() for a in block)
        return precise(*given).numpy()

    with one_thread(), torch.inference_mode():
        precise = _in_double(module)
        return in_blocks(output, first, *others)


def _in_double(module: nn.Module) -> nn.Module:
    """Return a module with the tensors in float64; everything else is shared with the given one.

    The given one is not changed, not even for a moment: other threads may be using it.
    """
    twin = copy.copy(module)
    for kind in ("_parameters", "_buffers"):
        own = getattr(module, kind).items()
        twin.__dict__[kind] = {k: None if t is None else t.double() for k, t in own}
    children = module._modules.items()
    twin.__dict__["_modules"] = {k: None if m is None else _in_double(m) for k, m in children}
    return twin


def log_probability_samples(
    head: nn.Module, latent: np.ndarray, extra: np.ndarray | None
) -> np.ndarray:
    """Log probabilities by every sample of a head, (n_objects, n_samples, n_outputs) float64."""
    return in_double_precision(SampledLogits(head), latent, extra)


@savable("latent_size")
class DenseHead(nn.Module):
    """Class logits from the latent and optional metadata, through hidden layers if any.

    Parameters
    ----------
    latent_size : int
        Number of columns of the latent.
    n_classes : int
        Number of logits.
    sizes : sequence of int
        Units of the hidden layers (ReLU); empty for a linear head.
    n_metadata : int
        Per-object columns that join the latent, each with a flag of whether it is missing.
    dropout : float, default=0.0
        Probability that a unit of the latent or of a hidden layer is dropped in training.
    """

    dropout = 0.0

    def __init__(
        self,
        latent_size: int,
        n_classes: int,
        sizes: Sequence[int] = (),
        n_metadata: int = 0,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.latent_size, self.dropout = latent_size, dropout
        self.standardize = Standardize(latent_size + 2 * n_metadata)
        self.output: Any = dense_layers(latent_size + 2 * n_metadata, [*sizes, n_classes])

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
        columns = self.standardize(self.join(latent, head_metadata))
        if not (self.training and self.dropout):
            return self.output(columns)
        size = self.latent_size
        columns = torch.cat([dropout(columns[:, :size], self.dropout), columns[:, size:]], dim=1)
        for layer in self.output if isinstance(self.output, nn.Sequential) else [self.output]:
            columns = layer(columns)
            if isinstance(layer, nn.ReLU):
                columns = dropout(columns, self.dropout)
        return columns

    def to_onnx(self, graph: Graph, latent: str, head_metadata: str | None) -> str:
        """Append the logits to a graph."""
        if head_metadata is not None:
            flags = graph.flags(head_metadata)
            latent = graph.apply("Concat", latent, head_metadata, flags, axis=1)
        return graph.dense(self.output, self.standardize.to_onnx(graph, latent))


@savable("weights")
class PooledHead(SampledHead):
    """Log-linear pool of a head and of the pretrained classes.

    ``logits = weights[0] * log p_head(c) + weights[1] * log p_own(c)``, where
    ``p_own(c) ~ sum_k p(k) joint[k, c]`` for pretrained classes k of equal prior.

    Parameters
    ----------
    head : torch.nn.Module
        Trained on the labels.
    own : torch.nn.Linear
        The class head that the encoder was pretrained with.
    joint : Tensor of shape (n_own, n_classes)
        Shares of pairs of a pretrained class and one of the labels; sums to 1.
    weights : sequence of float
        Weights of the head and of the pretrained classes, from 0.
    """

    joint: torch.Tensor

    def __init__(
        self, head: nn.Module, own: nn.Linear, joint: torch.Tensor, weights: Sequence[float]
    ) -> None:
        super().__init__()
        self.head = head
        self.own = own
        self.register_buffer("joint", joint)
        self.weights = tuple(weights)

    def weighted(self, weights: Sequence[float]) -> PooledHead:
        """Return a pool of the same parts with other weights."""
        return PooledHead(self.head, self.own, self.joint, weights)

    def samples(self, latent: torch.Tensor, extra: torch.Tensor | None = None) -> torch.Tensor:
        """Class logits by every sample of the head, (n_objects, n_samples, n_classes)."""
        learned = log_samples(self.head, latent, extra)
        own = torch.log_softmax(self.own(latent), dim=1)
        known = torch.logsumexp(own[:, :, None] + torch.log(self.joint), dim=1)
        known = torch.log_softmax(known, dim=1)[:, None]
        return self.weights[0] * learned + self.weights[1] * known

    def samples_to_onnx(self, graph: Graph, latent: str, head_metadata: str | None) -> list[str]:
        """Append the logits of every sample to a graph."""
        own = graph.apply("LogSoftmax", graph.dense(self.own, latent), axis=1)
        known = graph.log_pool(own, torch.log(self.joint).numpy())
        known = graph.apply("Mul", known, graph.constant(self.weights[1]))
        weight = graph.constant(self.weights[0])
        pooled = []
        for learned in samples_to_onnx(self.head, graph, latent, head_metadata):
            part = graph.apply("Mul", graph.apply("LogSoftmax", learned, axis=1), weight)
            pooled.append(graph.apply("Add", part, known))
        return pooled


def logits_to_onnx(head: nn.Module, graph: Graph, latent: str, head_metadata: str | None) -> str:
    """Append the logits of any head to a graph, or refuse one that cannot be exported."""
    return log_mean_to_onnx(graph, samples_to_onnx(head, graph, latent, head_metadata))


class TransferNetwork(nn.Module):
    """A pretrained encoder with a head of its own, trainable as a whole.

    Parameters
    ----------
    encoder : EncoderNetwork
        The encoder, whose own class head is not used.
    head : torch.nn.Module
        The head, which is called with latent and metadata.
    """

    encoder: EncoderNetwork
    head: nn.Module

    def __init__(self, encoder: EncoderNetwork, head: nn.Module) -> None:
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


def own_head(network: EncoderNetwork) -> DenseHead:
    """Return the class head that the encoder was trained with, as a head on the latent.

    Raises
    ------
    ValueError
        If it was not trained on classes.
    """
    if network.head is None:
        raise ValueError(
            "This encoder was not trained on classes, so it has no classes of its own: use one "
            "that was, or train a head on labels with TransferClassifier(encoder, finetune='head')."
        )
    head = DenseHead(network.head.in_features, network.head.out_features)
    head.output.load_state_dict(network.head.state_dict())
    return head
