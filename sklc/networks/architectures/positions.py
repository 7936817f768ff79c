"""Positional codes: what a transformer knows of the times of the observations."""

from __future__ import annotations

import math

import torch
from torch import nn

from sklc.networks.onnx.graph import Graph

__all__ = ["SinusoidalCode"]

# The periods of the code, in days: from .05 d, those of the fastest pulsating stars, to 10 years.
_SHORTEST, _LONGEST = 0.05, 3652.5
# Frequencies are kept in cycles per this number of days: a step of the optimizer, about 1e-3, then
# turns the phase at the end of a survey of ten years by a few hundredths of a cycle.
_DAYS = 100.0


class SinusoidalCode(nn.Module):
    """Sines and cosines of the time, with frequencies that are fixed or trained.

    Parameters
    ----------
    width : int
        Number of columns of the code: half of them sines, the others cosines.
    trained : bool
        Whether the frequencies are parameters. Both start at periods that are geometric from .05
        days to 10 years.
    """

    frequencies: torch.Tensor
    time_scale: torch.Tensor

    def __init__(self, width: int, *, trained: bool) -> None:
        super().__init__()
        self.width = width
        ends = math.log10(_DAYS / _LONGEST), math.log10(_DAYS / _SHORTEST)
        frequencies = torch.logspace(*ends, -(-width // 2))
        if trained:
            self.frequencies = nn.Parameter(frequencies)
        else:
            self.register_buffer("frequencies", frequencies)
        self.register_buffer("time_scale", torch.tensor(1.0))

    def set_unit(self, days: float) -> None:
        """Take times in units of so many days."""
        self.time_scale.fill_(days / _DAYS)

    def forward(self, time: torch.Tensor) -> torch.Tensor:
        """Code (..., width) of times (...)."""
        cycles = (time * self.time_scale)[..., None] * self.frequencies
        # The sine of a large number is inexact, and differs between libraries.
        phase = 2 * math.pi * (cycles - torch.floor(cycles + 0.5))
        return torch.cat([torch.sin(phase), torch.cos(phase)], dim=-1)[..., : self.width]

    def to_onnx(self, graph: Graph, time: str) -> str:
        """Append the code (..., width) of times (..., 1) to a graph."""
        scaled = graph.apply("Mul", time, graph.constant(self.time_scale.numpy()))
        frequencies = graph.constant(self.frequencies.detach().numpy())
        cycles = graph.apply("Mul", scaled, frequencies)
        whole = graph.apply("Floor", graph.apply("Add", cycles, graph.constant(0.5)))
        turned = graph.apply("Sub", cycles, whole)
        phase = graph.apply("Mul", turned, graph.constant(2 * math.pi))
        parts = graph.apply("Sin", phase), graph.apply("Cos", phase)
        code = graph.apply("Concat", *parts, axis=-1)
        if self.width % 2 == 0:
            return code
        ends = (graph.constant([number], "int64") for number in (0, self.width, -1))
        return graph.apply("Slice", code, *ends)
