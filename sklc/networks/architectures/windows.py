"""Windows of sequences that are longer than a transformer can take at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

from sklc.networks.onnx.graph import Graph

__all__ = ["Windows", "windows_to_onnx"]


class Windows(NamedTuple):
    """Consecutive parts of every object, of about equal length, as a batch of their own.

    An object of n observations has ``ceil(n / most)`` windows, whose lengths differ by one at most.
    Objects with fewer windows than others of the batch have empty ones at the end.

    Parameters
    ----------
    rows : Tensor of shape (n_objects, n_windows, length), int64
        Which observation of its object stands where; that of a padded place is any.
    inside : Tensor of shape (n_objects, n_windows, length), bool
        Which places hold an observation.
    """

    rows: torch.Tensor
    inside: torch.Tensor

    @classmethod
    def of(cls, lengths: torch.Tensor, longest: int, most: int) -> Windows:
        """Divide objects of these lengths, which are padded to `longest`."""
        n_windows, length = max(-(-longest // most), 1), min(longest, most)
        number = torch.arange(n_windows, device=lengths.device)
        own = ((lengths + most - 1) // most).clamp(min=1)[:, None]
        edges = [(lengths[:, None] * (number + k).clamp(max=own)) // own for k in (0, 1)]
        step = torch.arange(length, device=lengths.device)
        rows = edges[0][..., None] + step
        return cls(rows.clamp(max=longest - 1), rows < edges[1][..., None])

    def take(self, values: torch.Tensor) -> torch.Tensor:
        """Rearrange values (n_objects, longest, ...) to (n_objects * n_windows, length, ...)."""
        objects = torch.arange(len(values), device=values.device)[:, None, None]
        return values[objects, self.rows].flatten(0, 1)

    def put_back(self, states: torch.Tensor, longest: int) -> torch.Tensor:
        """Rearrange states (n_objects * n_windows, length, size) to (n_objects, longest, size)."""
        n_objects, size = len(self.rows), states.shape[-1]
        # What belongs to no observation goes to a place of its own, which is cut off.
        rows = self.rows.masked_fill(~self.inside, longest).flatten(1)
        index = rows[..., None].expand(-1, -1, size)
        back = states.new_zeros(n_objects, longest + 1, size)
        return back.scatter(1, index, states.reshape(n_objects, -1, size))[:, :longest]


def windows_to_onnx(graph: Graph, values: str, lengths: str, most: int) -> tuple[str, str]:
    """Append windows of padded values to a graph.

    Parameters
    ----------
    graph : Graph
        Appended to.
    values, lengths : str
        Names of the values, (n_objects, longest, n_channels), and of the lengths, int32.
    most : int
        Most observations in a window.

    Returns
    -------
    values : str
        Name of the values, (n_objects * n_windows, length, n_channels).
    inside : str
        Name of which places hold an observation, (n_objects * n_windows, length).
    """

    def number(value: int) -> str:
        return graph.constant([value], np.int64)

    def upto(stop: str) -> str:
        return graph.apply("Range", scalar(0), graph.apply("Squeeze", stop, number(0)), scalar(1))

    def scalar(value: int) -> str:
        return graph.constant(value, np.int64)

    def divided_up(value: str) -> str:
        return graph.apply("Div", graph.apply("Add", value, number(most - 1)), number(most))

    shape = graph.apply("Shape", values)
    longest = graph.apply("Gather", shape, number(1))
    channels = graph.apply("Gather", shape, number(2))
    n_windows = graph.apply("Max", divided_up(longest), number(1))
    length = graph.apply("Min", longest, number(most))
    whole = graph.apply("Cast", lengths, to=graph.onnx.TensorProto.INT64)
    whole = graph.apply("Unsqueeze", whole, number(1))
    own = graph.apply("Max", divided_up(whole), number(1))
    window = upto(n_windows)
    edges = []
    for shift in (0, 1):
        reached = graph.apply("Min", graph.apply("Add", window, number(shift)), own)
        edges.append(graph.apply("Div", graph.apply("Mul", whole, reached), own))
    start, end = (graph.apply("Unsqueeze", edge, number(2)) for edge in edges)
    rows = graph.apply("Add", start, upto(length))
    inside = graph.apply("Less", rows, end)
    last = graph.apply("Sub", longest, number(1))
    rows = graph.apply("Min", rows, last)
    flat = graph.apply("Concat", number(0), number(-1), number(1), axis=0)
    index = graph.apply("Reshape", rows, flat)
    wide = graph.apply("Concat", number(1), number(1), channels, axis=0)
    index = graph.apply("Expand", index, wide)
    taken = graph.apply("GatherElements", values, index, axis=1)
    to = graph.apply("Concat", number(-1), length, channels, axis=0)
    windowed = graph.apply("Reshape", taken, to)
    places = graph.apply("Concat", number(-1), length, axis=0)
    return windowed, graph.apply("Reshape", inside, places)
