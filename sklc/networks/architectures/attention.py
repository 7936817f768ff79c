"""Blocks of a transformer: attention and a feed-forward part, each before a sum (pre-norm)."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn.functional import gelu, one_hot, scaled_dot_product_attention

from sklc.networks.onnx.graph import Graph

__all__ = [
    "Block",
    "Routing",
    "balance",
    "dense_to_onnx",
    "gelu_to_onnx",
    "heads_to_onnx",
    "norm_to_onnx",
]

# Experts that each observation is sent to.
_CHOSEN = 2


class Routing(NamedTuple):
    """Where a layer of experts has sent the observations.

    Parameters
    ----------
    probability : Tensor of shape (n_observations, n_experts)
        Softmax of the gate, before the best are chosen.
    share : Tensor of shape (n_observations, n_experts)
        Weights of the experts in the output; 0 where an expert was not chosen.
    """

    probability: torch.Tensor
    share: torch.Tensor


def balance(routes: list[Routing]) -> torch.Tensor:
    """Penalty on experts that are used unevenly, summed over the layers.

    ``n sum_i f_i P_i`` with the share f_i of observations that are sent to expert i and the mean
    probability P_i of the gate: 1 where all are used alike (Fedus, Zoph & Shazeer 2022, eq. 4).
    """
    penalties = []
    for route in routes:
        used = (route.share > 0).float().mean(0) / _CHOSEN
        penalties.append(route.probability.shape[1] * (used * route.probability.mean(0)).sum())
    return torch.stack(penalties).sum()


class Attention(nn.Module):
    """Self-attention of several heads.

    Parameters
    ----------
    width, n_heads : int
        Columns of a token, and heads, which divide them.
    dropout : float
        Share of the weights of attention that are dropped in training.
    """

    def __init__(self, width: int, n_heads: int, dropout: float) -> None:
        super().__init__()
        self.n_heads, self.dropout = n_heads, dropout
        self.project = nn.Linear(width, 3 * width)
        self.output = nn.Linear(width, width)

    def forward(self, tokens: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Mix tokens (n_objects, length, width), where `mask` allows it.

        `mask` broadcasts to (n_objects, n_heads, length, length): what a token may look at if it is
        boolean, and what is added to the logits otherwise.
        """
        n_objects, length, width = tokens.shape
        parts = self.project(tokens).view(n_objects, length, 3, self.n_heads, width // self.n_heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        dropout = self.dropout if self.training else 0.0
        mixed = scaled_dot_product_attention(query, key, value, attn_mask=mask, dropout_p=dropout)
        return self.output(mixed.transpose(1, 2).flatten(2))

    def to_onnx(self, graph: Graph, tokens: str, penalty: str) -> str:
        """Append it to a graph; `penalty` is added to the logits."""
        width = self.output.in_features
        size = width // self.n_heads
        projected = dense_to_onnx(graph, self.project, tokens)
        query, key, value = graph.apply("Split", projected, n_outputs=3, axis=2)
        query, value = (heads_to_onnx(graph, part, self.n_heads, size) for part in (query, value))
        key = heads_to_onnx(graph, key, self.n_heads, size, perm=[0, 2, 3, 1])
        logits = graph.apply("MatMul", query, key)
        logits = graph.apply("Mul", logits, graph.constant(1 / math.sqrt(size)))
        weights = graph.apply("Softmax", graph.apply("Add", logits, penalty), axis=-1)
        mixed = graph.apply("Transpose", graph.apply("MatMul", weights, value), perm=[0, 2, 1, 3])
        joined = graph.apply("Reshape", mixed, graph.constant([0, 0, width], np.int64))
        return dense_to_onnx(graph, self.output, joined)


class FeedForward(nn.Module):
    """Two dense layers with a GELU between them, for every token by itself."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.inner, self.outer = nn.Linear(width, inner), nn.Linear(inner, width)

    def forward(
        self, tokens: torch.Tensor, inside: torch.Tensor, routes: list[Routing] | None
    ) -> torch.Tensor:
        """Tokens of the same shape (..., width)."""
        return self.outer(gelu(self.inner(tokens)))

    def to_onnx(self, graph: Graph, tokens: str) -> str:
        """Append it to a graph."""
        inner = gelu_to_onnx(graph, dense_to_onnx(graph, self.inner, tokens))
        return dense_to_onnx(graph, self.outer, inner)


class Experts(nn.Module):
    """A sparse mixture of feed-forward parts: a gate sends every token to the best two.

    Parameters
    ----------
    width, inner : int
        Columns of a token, and of the hidden layer of each expert.
    n_experts : int
        Number of experts, at least 2.
    """

    def __init__(self, width: int, inner: int, n_experts: int) -> None:
        super().__init__()
        self.gate = nn.Linear(width, n_experts)
        self.experts = nn.ModuleList(FeedForward(width, inner) for _ in range(n_experts))

    def forward(
        self, tokens: torch.Tensor, inside: torch.Tensor, routes: list[Routing] | None
    ) -> torch.Tensor:
        """Tokens of the same shape; `inside` says which of them are observations, not padding."""
        found, n_experts = tokens[inside], len(self.experts)
        logits = self.gate(found)
        noisy = logits
        if self.training:  # so that an expert that is behind is tried, too
            noisy = logits + torch.randn_like(logits) / n_experts
        best, chosen = noisy.topk(_CHOSEN, dim=-1)
        weight = best.softmax(-1)
        mixed = torch.zeros_like(found)
        for number, expert in enumerate(self.experts):
            rows, rank = (chosen == number).nonzero(as_tuple=True)
            own = expert(found[rows], inside, None) * weight[rows, rank, None]
            mixed = mixed.index_add(0, rows, own)
        if routes is not None:
            share = (one_hot(chosen, n_experts) * weight[..., None]).sum(1)
            routes.append(Routing(logits.softmax(-1), share))
        return torch.zeros_like(tokens).masked_scatter(inside[..., None], mixed)

    def to_onnx(self, graph: Graph, tokens: str) -> str:
        """Append it to a graph, which computes all experts and weights those not chosen by 0."""
        logits = dense_to_onnx(graph, self.gate, tokens)
        two = graph.constant([_CHOSEN], np.int64)
        best, _ = graph.apply("TopK", logits, two, n_outputs=2, axis=-1)
        least = graph.apply("ReduceMin", best, axes=[-1], keepdims=1)
        unused = graph.apply("Less", logits, least)
        hidden = graph.apply("Where", unused, graph.constant(-np.inf), logits)
        shares = graph.apply("Softmax", hidden, axis=-1)
        parts = [expert.to_onnx(graph, tokens) for expert in self.experts]  # type: ignore[operator]
        weights = graph.apply("Split", shares, n_outputs=len(parts), axis=-1)
        weighted = [graph.apply("Mul", *pair) for pair in zip(parts, weights, strict=True)]
        return graph.apply("Sum", *weighted)


class Block(nn.Module):
    """A layer of a transformer: attention, then a feed-forward part, each added to its input.

    Parameters
    ----------
    width, n_heads, inner : int
        Columns of a token, heads, and columns of the hidden layer of the feed-forward part.
    n_experts : int
        Feed-forward parts that a gate chooses from; 0 for a single one.
    dropout : float
        Share that is dropped in training, of weights of attention and of what is added.
    """

    def __init__(
        self, width: int, n_heads: int, inner: int, n_experts: int, dropout: float
    ) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.attention = Attention(width, n_heads, dropout)
        self.feed_forward: Any = (
            Experts(width, inner, n_experts) if n_experts else FeedForward(width, inner)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        tokens: torch.Tensor,
        mask: torch.Tensor,
        inside: torch.Tensor,
        routes: list[Routing] | None,
    ) -> torch.Tensor:
        """Tokens (n_objects, length, width), which may look at each other where `mask` allows."""
        mixed = self.attention(self.norms[0](tokens), mask)
        tokens = tokens + self.dropout(mixed)
        return tokens + self.dropout(self.feed_forward(self.norms[1](tokens), inside, routes))

    def to_onnx(self, graph: Graph, tokens: str, penalty: str) -> str:
        """Append it to a graph."""
        mixed = self.attention.to_onnx(graph, norm_to_onnx(graph, self.norms[0], tokens), penalty)
        tokens = graph.apply("Add", tokens, mixed)
        own = self.feed_forward.to_onnx(graph, norm_to_onnx(graph, self.norms[1], tokens))
        return graph.apply("Add", tokens, own)


def dense_to_onnx(graph: Graph, layer: Any, inputs: str) -> str:
    """Append a linear layer on the last of any number of axes."""
    product = graph.apply("MatMul", inputs, graph.constant(layer.weight.detach().numpy().T))
    return graph.apply("Add", product, graph.constant(layer.bias.detach().numpy()))


def heads_to_onnx(
    graph: Graph, tokens: str, n_heads: int, size: int, perm: tuple | list = (0, 2, 1, 3)
) -> str:
    """Append the split of tokens (n_objects, length, width) into heads, then a transposition."""
    split = graph.apply("Reshape", tokens, graph.constant([0, 0, n_heads, size], np.int64))
    return graph.apply("Transpose", split, perm=list(perm))


def gelu_to_onnx(graph: Graph, inputs: str) -> str:
    """Append a GELU, which is an operator of its own only in later versions of ONNX."""
    scaled = graph.apply("Div", inputs, graph.constant(math.sqrt(2)))
    share = graph.apply("Add", graph.apply("Erf", scaled), graph.constant(1.0))
    return graph.apply("Mul", graph.apply("Mul", inputs, graph.constant(0.5)), share)


def norm_to_onnx(graph: Graph, norm: Any, inputs: str) -> str:
    """Append a ``torch.nn.LayerNorm``, which later versions of ONNX have as an operator."""
    mean = graph.apply("ReduceMean", inputs, axes=[-1], keepdims=1)
    centred = graph.apply("Sub", inputs, mean)
    square = graph.apply("Mul", centred, centred)
    variance = graph.apply("ReduceMean", square, axes=[-1], keepdims=1)
    spread = graph.apply("Sqrt", graph.apply("Add", variance, graph.constant(norm.eps)))
    scaled = graph.apply("Div", centred, spread)
    weight, bias = (graph.constant(p.detach().numpy()) for p in (norm.weight, norm.bias))
    return graph.apply("Add", graph.apply("Mul", scaled, weight), bias)
