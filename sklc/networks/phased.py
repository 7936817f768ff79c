"""A head for light curves of every age: one for each phase, and a gate that recognises it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from sklc.networks.heads import in_double_precision, logits_to_onnx
from sklc.networks.onnx.graph import Graph
from sklc.networks.samples import SliceHead
from sklc.utils.savable import savable

__all__ = ["PhasedHead", "phases_of"]


@savable()
class PhasedHead(nn.Module):
    """Log-linear pool of the heads of several phases, in proportions that depend on the latent.

    ``logits = sum_k gate_k log p_k(c)``, where ``gate`` are the probabilities of the phases. All of
    it follows from the latent, so that nothing else has to be known of a light curve.

    Parameters
    ----------
    heads : sequence of torch.nn.Module
        The head of each phase, from the earliest to the latest.
    gate : torch.nn.Module
        Makes one logit per phase of the latent.
    """

    def __init__(self, heads: Sequence[nn.Module], gate: nn.Module) -> None:
        super().__init__()
        self.heads = nn.ModuleList(heads)
        self.gate = gate

    def forward(
        self, latent: torch.Tensor, head_metadata: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Class logits, (n_objects, n_classes)."""
        shares = torch.softmax(self.gate(latent), dim=1)
        parts = [torch.log_softmax(head(latent, head_metadata), dim=1) for head in self.heads]
        return (shares[:, :, None] * torch.stack(parts, dim=1)).sum(dim=1)

    def to_onnx(self, graph: Graph, latent: str, head_metadata: str | None) -> str:
        """Append the logits to a graph."""
        gate = logits_to_onnx(self.gate, graph, latent, None)
        shares = graph.apply("Softmax", gate, axis=1)
        logits = None
        for share, head in zip(
            graph.apply("Split", shares, n_outputs=len(self.heads), axis=1), self.heads, strict=True
        ):
            part = logits_to_onnx(head, graph, latent, head_metadata)
            part = graph.apply("Mul", share, graph.apply("LogSoftmax", part, axis=1))
            logits = part if logits is None else graph.apply("Add", logits, part)
        assert logits is not None
        return logits


def phases_of(head: nn.Module, latent: np.ndarray) -> np.ndarray:
    """Return the most probable phase of each latent: 0 for the latest, -1 for the one before, ...

    It is 0 everywhere if there is no `PhasedHead` in the head.
    """
    # Of several networks, and of several samples, the first tells.
    sliced = next((module for module in head.modules() if isinstance(module, SliceHead)), None)
    if sliced is not None:
        return phases_of(sliced.head, np.ascontiguousarray(sliced.own(latent)))
    found = (module for module in head.modules() if isinstance(module, PhasedHead))
    phased = next(found, None)
    if phased is None:
        return np.zeros(len(latent), dtype=np.int64)
    logits = in_double_precision(phased.gate, latent)
    return logits.argmax(axis=1) - (logits.shape[1] - 1)
