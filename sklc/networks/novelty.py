"""The probability that an object belongs to none of some classes, as a function of the latent."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from sklc.networks.architectures.interface import EncoderNetwork
from sklc.networks.onnx.graph import Graph

__all__ = ["NOVELTY", "NoveltyScore", "has_novelty"]

#: The head of an encoder with the log odds that an object is of none of its classes.
NOVELTY = "novelty"


def has_novelty(network: EncoderNetwork) -> bool:
    """Whether a network has classes and knows what belongs to none of them."""
    return network.head is not None and list(network.shape.heads.get(NOVELTY, ()))[-1:] == [1]


class NoveltyScore(nn.Module):
    """Probability that an object is of no class of the weights, or of one that is left out.

    Parameters
    ----------
    network : EncoderNetwork
        A network with the head `NOVELTY`.
    shares : ndarray of shape (n_own,)
        Expected share of each class of the weights.
    left_out : ndarray of bool, shape (n_own,)
        Classes of the weights that do not count as known.
    """

    log_shares: torch.Tensor
    left_out: torch.Tensor

    def __init__(self, network: EncoderNetwork, shares: np.ndarray, left_out: np.ndarray) -> None:
        super().__init__()
        self.head, self.own = network.heads[NOVELTY], network.head
        log_shares = np.log(np.maximum(shares, 1e-30))
        self.register_buffer("log_shares", torch.from_numpy(log_shares).float())
        self.register_buffer("left_out", torch.from_numpy(left_out.astype(np.float32)))

    def forward(self, latent: torch.Tensor) -> torch.Tensor:
        """Probabilities, (n_objects, 1)."""
        novel = torch.sigmoid(self.head(latent))
        own = torch.softmax(self.own(latent) + self.log_shares, dim=1)
        return novel + (1 - novel) * (own @ self.left_out[:, None])

    def to_onnx(self, graph: Graph, latent: str) -> str:
        """Append the probabilities to a graph."""
        novel = graph.apply("Sigmoid", graph.dense(self.head, latent))
        logits = graph.apply(
            "Add", graph.dense(self.own, latent), graph.constant(self.log_shares.numpy()[None])
        )
        shares = graph.apply("Softmax", logits, axis=1)
        others = graph.apply("MatMul", shares, graph.constant(self.left_out.numpy()[:, None]))
        known = graph.apply("Sub", graph.constant(1.0), novel)
        return graph.apply("Add", novel, graph.apply("Mul", known, others))
