"""A network architecture as somebody else would write it, in a file of their own."""

from dataclasses import dataclass

import numpy as np
import torch

import sklc
from sklc.networks.architectures import Architecture, EncoderNetwork


class MeanNetwork(EncoderNetwork):
    """A dense layer, averaged over the observations."""

    def add_backbone(self, n_channels):
        self.observation = torch.nn.Linear(n_channels, self.architecture.width)
        return self.architecture.width

    def state(self, values, lengths):
        hidden = torch.relu(self.observation(values))
        behind = torch.arange(values.shape[1], device=values.device) >= lengths[:, None]
        return hidden.masked_fill(behind[:, :, None], 0.0).sum(dim=1) / lengths[:, None]


class GraphNetwork(MeanNetwork):
    """The same, which can be exported."""

    def state_to_onnx(self, graph, values, lengths):
        weight, bias = (graph.constant(p.detach().numpy()) for p in self.observation.parameters())
        product = graph.apply("MatMul", values, graph.apply("Transpose", weight, perm=[1, 0]))
        hidden = graph.apply("Relu", graph.apply("Add", product, bias))
        zero, one = (graph.constant(k, np.int64) for k in (0, 1))
        axes = [graph.constant([k], np.int64) for k in (1, 2)]
        longest = graph.apply("Gather", graph.apply("Shape", values), one, axis=0)
        n = graph.apply("Unsqueeze", graph.apply("Cast", lengths, to=7), axes[0])  # int64
        there = graph.apply("Less", graph.apply("Range", zero, longest, one), n)
        mask = graph.apply("Unsqueeze", graph.apply("Cast", there, to=1), axes[1])  # float
        total = graph.apply("ReduceSum", graph.apply("Mul", hidden, mask), axes[0], keepdims=0)
        return graph.apply("Div", total, graph.apply("Cast", n, to=1))


@dataclass(frozen=True, kw_only=True)
class Mean(Architecture):
    """Settings."""

    network = MeanNetwork
    width: int = 16


@dataclass(frozen=True, kw_only=True)
class Graph(Mean):
    """Settings of the one with a graph."""

    network = GraphNetwork


def register():
    """Make both known."""
    sklc.register_architecture("mean", Mean)
    sklc.register_architecture("mean-graph", Graph)
