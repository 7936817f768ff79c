"""A transformer over observations, with the time in a positional code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn
from torch.nn.functional import gelu

from sklc.measurements import MEASURED_CHANNELS
from sklc.networks.architectures.attention import (
    Block,
    Routing,
    balance,
    dense_to_onnx,
    gelu_to_onnx,
    heads_to_onnx,
    norm_to_onnx,
)
from sklc.networks.architectures.interface import Architecture, EncoderNetwork
from sklc.networks.architectures.modules import Standardize
from sklc.networks.architectures.positions import SinusoidalCode
from sklc.networks.architectures.shape import States
from sklc.networks.architectures.windows import Windows, windows_to_onnx
from sklc.networks.onnx.graph import Graph

__all__ = ["POOLINGS", "POSITIONS", "Transformer", "TransformerNetwork"]

POSITIONS = ("trainable", "sine", "fourier", "concat", "tupe-a", "pea")
POOLINGS = ("last", "mean", "weighted")
# Weight of the penalty on experts that are used unevenly.
_BALANCE = 0.01
# Observations from which the scales of the channels are learned.
_MOST_FOR_SCALE = 100_000


class TransformerNetwork(EncoderNetwork):
    """A network whose state is the mean of the tokens of a transformer over all observations.

    Parameters
    ----------
    architecture : Transformer
        Its settings.
    shape : NetworkShape
        The channels, classes, columns and heads that it is built for.

    Examples
    --------
    See `Transformer`.
    """

    architecture: Transformer
    measured: torch.Tensor

    def add_backbone(self, n_channels: int) -> int:
        """Make the embedding, the positional code and the blocks."""
        settings = self.architecture
        width, kind = int(settings.hidden_size), settings.positional
        channels = self.shape.channels
        self.time_column = channels.index("time")
        self.value_columns = [k for k in range(n_channels) if k != self.time_column]
        measured = [channels[k] in MEASURED_CHANNELS for k in self.value_columns]
        self.register_buffer("measured", torch.tensor(measured), persistent=False)
        own = width - width // 2 if kind == "concat" else width
        # With channels of any unit, the embedding would hardly see some of them beside the code.
        self.standardize = Standardize(len(self.value_columns))
        self.embedding = nn.Linear(len(self.value_columns), own)
        beside = width // 2 if kind == "concat" else width
        self.code = SinusoidalCode(beside, trained=kind == "trainable")
        if kind in ("fourier", "tupe-a"):
            self.code_layers = nn.ModuleList([nn.Linear(width, width), nn.Linear(width, width)])
        inner, n_heads = int(settings.feedforward_size), int(settings.n_heads)
        self.blocks = nn.ModuleList(
            Block(width, n_heads, inner, int(settings.experts), float(settings.dropout))
            for _ in range(int(settings.n_layers))
        )
        n_pooled = 1 if settings.layer_pooling == "last" else len(self.blocks) + 1
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(n_pooled))
        self.sequence_size, self.mask_size = width, own
        if settings.layer_pooling != "weighted":
            return width
        self.layer_weights = nn.Parameter(torch.zeros(n_pooled))  # before a softmax
        self.summary_size = width
        return n_pooled * width

    def set_scales(self, time_scale: float, values: torch.Tensor) -> None:
        """Take the channel ``time`` in units of so many days, and the others in their own scale."""
        self.code.set_unit(time_scale)
        rows = torch.linspace(0, len(values) - 1, min(len(values), _MOST_FOR_SCALE)).long()
        self.standardize.set_robust_statistics(values[rows][:, self.value_columns])

    def state(self, values: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Mean over all observations of their tokens, from the layers that are pooled."""
        return self._encode(values, lengths, None, None)[0]

    def sequence_states(
        self, values: torch.Tensor, lengths: torch.Tensor, hidden: torch.Tensor | None = None
    ) -> States:
        """State, tokens of the last layer, and the penalty on experts that are used unevenly."""
        routes: list[Routing] | None = [] if self.architecture.experts else None
        state, tokens, windows = self._encode(values, lengths, hidden, routes)
        if windows is not None:
            tokens = windows.put_back(tokens, values.shape[1])
        return States(state, tokens, _BALANCE * balance(routes) if routes else None)

    def expert_usage(self, values: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Share of each expert in the output of each layer, (n_objects, n_layers, n_experts)."""
        routes: list[Routing] = []
        windows = self._encode(values, lengths, None, routes)[2]
        steps = torch.arange(values.shape[1], device=values.device)
        inside = steps < lengths[:, None] if windows is None else windows.inside.flatten(1)
        objects = inside.nonzero()[:, 0]
        usage = values.new_zeros(len(values), len(routes), self.architecture.experts)
        for layer, route in enumerate(routes):
            usage[:, layer] = usage[:, layer].index_add(0, objects, route.share)
        return usage / lengths[:, None, None]

    def _encode(
        self,
        values: torch.Tensor,
        lengths: torch.Tensor,
        hidden: torch.Tensor | None,
        routes: list[Routing] | None,
    ) -> tuple[torch.Tensor, torch.Tensor, Windows | None]:
        """State, tokens of the last layer, and windows where there are several per object."""
        n_objects, longest = values.shape[:2]
        windows = None
        if longest > self.architecture.max_length:
            windows = Windows.of(lengths, longest, int(self.architecture.max_length))
            values, inside = windows.take(values), windows.inside.flatten(0, 1)
            hidden = None if hidden is None else windows.take(hidden)
        else:
            inside = torch.arange(longest, device=values.device) < lengths[:, None]
        tokens, code = self._tokens(values, hidden)
        mask = self._mask(inside, code)
        kept, layers = [tokens], len(self.blocks)
        for number, block in enumerate(self.blocks, start=1):
            tokens = block(tokens, mask, inside, routes)
            if number == layers and self.architecture.positional == "pea":
                tokens = tokens + code
            kept.append(tokens)
        kept = [norm(own) for norm, own in zip(self.norms, kept[-len(self.norms) :], strict=True)]
        sums = [(own * inside[..., None]).sum(1).view(n_objects, -1, own.shape[-1]).sum(1)
                for own in kept]  # fmt: skip
        means = torch.stack(sums, dim=1) / lengths[:, None, None]
        state = means.flatten(1) if self.architecture.layer_pooling == "weighted" else means.mean(1)
        return state, kept[-1], windows

    def _tokens(
        self, values: torch.Tensor, hidden: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Embedded observations, and their positional code."""
        time = values[..., self.time_column]
        code = self.code(time - time[:, :1])
        inputs = self.standardize(values[..., self.value_columns])
        if hidden is None:
            tokens = self.embedding(inputs)
        else:
            inputs = inputs.masked_fill(hidden[..., None] & self.measured, 0.0)
            tokens = self.embedding(inputs) + hidden[..., None] * self.mask_token
        kind = self.architecture.positional
        if kind == "fourier":
            code = self.code_layers[1](gelu(self.code_layers[0](code)))
        if kind == "concat":
            return torch.cat([tokens, code], dim=-1), code
        return (tokens if kind in ("tupe-a", "pea") else tokens + code), code

    def _mask(self, inside: torch.Tensor, code: torch.Tensor) -> torch.Tensor:
        """What every token may look at, or what is added to the logits of attention."""
        # An empty window looks at its first place, so that no softmax is over nothing.
        first = torch.arange(inside.shape[1], device=inside.device) == 0
        allowed = (inside | (first & ~inside.any(1, keepdim=True)))[:, None, None]
        if self.architecture.causal:
            steps = torch.arange(inside.shape[1], device=inside.device)
            allowed = allowed & (steps[:, None] >= steps)
        if self.architecture.positional != "tupe-a":
            return allowed
        n_heads = self.architecture.n_heads
        query, key = (
            layer(code).unflatten(-1, (n_heads, -1)).transpose(1, 2) for layer in self.code_layers
        )
        logits = query @ key.transpose(2, 3) / query.shape[-1] ** 0.5
        return logits.masked_fill(~allowed, -torch.inf)

    def summary(self, state: torch.Tensor) -> torch.Tensor:
        """Sum of the layers by their weights, where these are learned."""
        if self.architecture.layer_pooling != "weighted":
            return state
        layers = state.unflatten(1, (len(self.norms), -1))
        return (self.layer_weights.softmax(0)[:, None] * layers).sum(1)

    # -- the same as an ONNX graph

    def state_to_onnx(self, graph: Graph, values: str, lengths: str) -> str:
        """Append the transformer to a graph, in operators of every version of ONNX in use."""
        settings = self.architecture
        number = graph.onnx.TensorProto.FLOAT
        windowed, inside = windows_to_onnx(graph, values, lengths, int(settings.max_length))
        tokens, code = self._tokens_to_onnx(graph, windowed)
        there = graph.apply("Cast", inside, to=number)
        penalty = self._penalty_to_onnx(graph, there, code)
        kept = [tokens]
        for block in self.blocks:
            tokens = block.to_onnx(graph, tokens, penalty)  # type: ignore[operator]
            kept.append(tokens)
        if settings.positional == "pea":
            kept[-1] = graph.apply("Add", tokens, code)
        share = graph.apply("Unsqueeze", there, graph.constant([2], np.int64))
        objects = graph.apply("Unsqueeze", graph.apply("Shape", lengths), graph.constant([0], int))
        objects = graph.apply("Squeeze", objects, graph.constant([0], np.int64))
        width = int(settings.hidden_size)
        ends = graph.constant([-1, width], np.int64)
        grouped = graph.apply("Concat", objects, ends, axis=0)
        length = graph.apply("Cast", lengths, to=number)
        length = graph.apply("Unsqueeze", length, graph.constant([1], np.int64))
        means = []
        for norm, own in zip(self.norms, kept[-len(self.norms) :], strict=True):
            counted = graph.apply("Mul", norm_to_onnx(graph, norm, own), share)
            total = graph.apply("ReduceSum", counted, graph.constant([1], np.int64), keepdims=0)
            total = graph.apply("Reshape", total, grouped)
            total = graph.apply("ReduceSum", total, graph.constant([1], np.int64), keepdims=0)
            means.append(graph.apply("Div", total, length))
        if settings.layer_pooling == "weighted":
            return graph.apply("Concat", *means, axis=1)
        return means[0] if len(means) == 1 else graph.apply("Mean", *means)

    def summary_to_onnx(self, graph: Graph, state: str) -> str:
        """Append the weighted sum of the layers to a graph."""
        if self.architecture.layer_pooling != "weighted":
            return state
        n_layers, width = len(self.norms), int(self.architecture.hidden_size)
        layers = graph.apply("Reshape", state, graph.constant([0, n_layers, width], np.int64))
        weights = self.layer_weights.detach().softmax(0).numpy()
        weighted = graph.apply("Mul", layers, graph.constant(weights[:, None]))
        return graph.apply("ReduceSum", weighted, graph.constant([1], np.int64), keepdims=0)

    def _tokens_to_onnx(self, graph: Graph, values: str) -> tuple[str, str]:
        column = graph.constant([self.time_column], np.int64)
        time = graph.apply("Gather", values, column, axis=2)
        start = graph.apply("Gather", time, graph.constant([0], np.int64), axis=1)
        code = self.code.to_onnx(graph, graph.apply("Sub", time, start))
        columns = graph.constant(self.value_columns, np.int64)
        inputs = self.standardize.to_onnx(graph, graph.apply("Gather", values, columns, axis=2))
        tokens = dense_to_onnx(graph, self.embedding, inputs)
        kind = self.architecture.positional
        if kind == "fourier":
            first, second = self.code_layers
            code = gelu_to_onnx(graph, dense_to_onnx(graph, first, code))
            code = dense_to_onnx(graph, second, code)
        if kind == "concat":
            return graph.apply("Concat", tokens, code, axis=-1), code
        return (tokens if kind in ("tupe-a", "pea") else graph.apply("Add", tokens, code)), code

    def _penalty_to_onnx(self, graph: Graph, there: str, code: str) -> str:
        """Append what is added to the logits of attention: the lowest number where forbidden."""
        lowest = float(np.finfo(np.float32).min) / 4
        missing = graph.apply("Sub", graph.constant(1.0), there)
        penalty = graph.apply("Mul", missing, graph.constant(lowest))
        penalty = graph.apply("Unsqueeze", penalty, graph.constant([1, 2], np.int64))
        if self.architecture.causal:
            length = graph.apply("Gather", graph.apply("Shape", there), graph.constant([1], int))
            square = graph.apply("Expand", graph.constant([[1.0]]),
                                 graph.apply("Concat", length, length, axis=0))  # fmt: skip
            ahead = graph.apply("Sub", square, graph.apply("Trilu", square, upper=0))
            later = graph.apply("Mul", ahead, graph.constant(lowest))
            penalty = graph.apply("Add", penalty, later)
        if self.architecture.positional == "tupe-a":
            n_heads = int(self.architecture.n_heads)
            size = int(self.architecture.hidden_size) // n_heads
            query, key = (dense_to_onnx(graph, layer, code) for layer in self.code_layers)
            query = heads_to_onnx(graph, query, n_heads, size)
            key = heads_to_onnx(graph, key, n_heads, size, [0, 2, 3, 1])
            logits = graph.apply("MatMul", query, key)
            logits = graph.apply("Mul", logits, graph.constant(size**-0.5))
            penalty = graph.apply("Add", penalty, logits)
        return penalty


@dataclass(frozen=True, kw_only=True)
class Transformer(Architecture):
    """A transformer over observations, each of them a token with its time as positional code.

    Every channel of the representation but ``time`` is embedded by one linear layer. The channel
    of the wavelength makes the network a multi-band one, without a table of bands. Layers normalise
    before attention and before the feed-forward part (pre-norm, GELU), padding is forbidden to
    attention, and the state is the mean of the tokens.

    Parameters
    ----------
    latent_size : int, default=128
        Length of the latent vector.
    standardize_latent : bool, default=False
        Whether the units of the latent are linear and standardised, instead of cut at 0 (ReLU).
    hidden_size : int, default=100
        Columns of a token, a multiple of `n_heads`.
    n_layers : int, default=2
        Number of layers.
    n_heads : int, default=4
        Heads of attention in each layer.
    feedforward_size : int, default=256
        Units of the hidden layer of the feed-forward part, or of each expert.
    positional : str, default="trainable"
        How the time is encoded. "trainable": sines and cosines are added to the token, with
        frequencies that are trained and start at periods that are geometric from .05 days to 10
        years. "sine": the same with fixed frequencies. "fourier": fixed ones, through two dense
        layers. "concat": beside the token instead of added to it. "tupe-a": in the logits of
        attention instead, from projections of its own. "pea": added behind the last layer.
    layer_pooling : {"last", "mean", "weighted"}, default="last"
        Whether the state is taken from the last layer, the mean of all layers and the embedding, or
        their sum by weights that are trained with the heads. With "weighted", the state holds all
        layers, and `TransferClassifier` learns the weights together with its head.
    experts : int, default=0
        Number of feed-forward parts in each layer, from which a gate chooses the best two for every
        observation; 0 for a single one. `LightCurveEncoder.expert_usage` shows the choices.
    causal : bool, default=False
        Whether an observation may look only at earlier ones and itself.
    max_length : int, default=256
        Most observations that are looked at together. A longer light curve is divided into the
        fewest consecutive windows of about equal length; the state is the mean over the
        observations of all of them, so that none is left out.
    dropout : float, default=0.0
        Share of attention and of the output of each part that is dropped in training.

    Notes
    -----
    Attention and the two kinds of code are those of Vaswani et al. (2017), "tupe-a" that of Ke, He
    & Liu (2021), learned layer weights and the masked objective those of Astromer (Donoso-Oliva et
    al. 2023, A&A 670, A54; 2026, A&A 707, A170).

    Examples
    --------
    >>> from sklc import LightCurveEncoder
    >>> from sklc.networks.architectures import Transformer
    >>> architecture = Transformer(hidden_size=64, layer_pooling="mean")
    >>> encoder = LightCurveEncoder(architecture=architecture, objective="masked")
    >>> encoder.architecture.positional
    'trainable'
    """

    network: ClassVar[type[EncoderNetwork]] = TransformerNetwork
    required_channels: ClassVar[tuple[str, ...]] = ("time",)
    may_be_zero: ClassVar[tuple[str, ...]] = ("experts",)

    hidden_size: int = 100
    n_layers: int = 2
    n_heads: int = 4
    feedforward_size: int = 256
    positional: str = "trainable"
    layer_pooling: str = "last"
    experts: int = 0
    causal: bool = False
    max_length: int = 256
    dropout: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()

        def refuse(name: str, remedy: str) -> None:
            raise ValueError(f"Transformer({name}={getattr(self, name)!r}): {remedy}.")

        for name, known in (("positional", POSITIONS), ("layer_pooling", POOLINGS)):
            if getattr(self, name) not in known:
                refuse(name, f"choose one of {', '.join(map(repr, known))}")
        if self.hidden_size % self.n_heads:
            refuse("hidden_size", f"give a multiple of n_heads={self.n_heads}")
        if self.experts == 1:
            refuse("experts", "give 0, for a single feed-forward part, or at least 2")
        drop: Any = self.dropout
        if isinstance(drop, bool) or not isinstance(drop, (int, float)) or not 0 <= drop < 1:
            refuse("dropout", "give a number from 0 to below 1")
