"""Attention of a transformer whose weights are drawn at random, in training and prediction.

Hierarchical stochastic attention (Pei et al. 2022, AAAI 36, 11147): keys are replaced by mixtures
of a few trained centroids, with weights from a Gumbel softmax, and so are weights of attention.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn.functional import dropout

__all__ = ["StochasticAttention", "UnitDropout", "make_stochastic", "set_pass"]

# Centroids of the keys of each head, and temperatures of both Gumbel softmaxes.
_N_CENTROIDS, _TEMPERATURE = 16, 1.0
_SMALLEST = 1e-9


def _gumbel(*shape: int, generator: torch.Generator | None = None) -> torch.Tensor:
    uniform = torch.rand(*shape, generator=generator).clamp(_SMALLEST, 1 - 1e-7)
    return -torch.log(-torch.log(uniform))


class StochasticAttention(nn.Module):
    """Self-attention with random weights, which takes the place of a plain one.

    In training, every object has new noise. In prediction there is none, or that of a
    pass: it depends on the seed of the pass and on the position of an observation alone, so that a
    result depends neither on the order of objects nor on those beside it.

    Parameters
    ----------
    attention : torch.nn.Module
        The attention that is replaced, with ``project``, ``output`` and ``n_heads``.
    number : int
        Number of the layer.
    longest : int
        Most observations that are looked at together.
    """

    def __init__(self, attention: Any, number: int, longest: int) -> None:
        super().__init__()
        self.project, self.output = attention.project, attention.output
        self.n_heads, self.number, self.longest = attention.n_heads, number, longest
        size = self.output.in_features // self.n_heads
        self.centroids = nn.Parameter(torch.rand(self.n_heads, size, _N_CENTROIDS) - 0.5)
        self.seed: int | None = None
        self._noise: tuple[torch.Tensor, torch.Tensor] | None = None

    def set_pass(self, seed: int | None) -> None:
        """Draw the noise of a pass; None stands for none."""
        self.seed, self._noise = seed, None
        if seed is not None:
            generator = torch.Generator().manual_seed(seed + self.number)
            n, heads = self.longest, self.n_heads
            self._noise = (
                _gumbel(heads, n, _N_CENTROIDS, generator=generator),
                _gumbel(heads, n, n, generator=generator),
            )

    def start_from(self, tokens: torch.Tensor, inside: torch.Tensor) -> None:
        """Take keys of some observations, drawn at random, as the first centroids."""
        keys = self._parts(tokens)[1].transpose(1, 2)[inside]
        chosen = torch.randint(len(keys), (_N_CENTROIDS,))
        with torch.no_grad():
            self.centroids.copy_(keys[chosen].permute(1, 2, 0))

    def forward(self, tokens: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Mix tokens (n_objects, length, width), where `mask` allows it."""
        query, key, value = self._parts(tokens)
        length, size = key.shape[2:]
        of_keys, of_weights = self._draws(key, length)
        shares = ((key @ self.centroids + of_keys) / _TEMPERATURE).softmax(-1)
        key = shares @ self.centroids.transpose(1, 2)
        logits = query @ key.transpose(2, 3) / size**0.5 + of_weights
        if mask.dtype == torch.bool:
            logits = logits.masked_fill(~mask, -torch.inf)
        else:
            logits = logits + mask
        mixed = (logits / _TEMPERATURE).softmax(-1) @ value
        return self.output(mixed.transpose(1, 2).flatten(2))

    def _parts(self, tokens: torch.Tensor) -> tuple[torch.Tensor, ...]:
        n_objects, length, width = tokens.shape
        parts = self.project(tokens).view(n_objects, length, 3, self.n_heads, width // self.n_heads)
        return parts.permute(2, 0, 3, 1, 4).unbind(0)

    def _draws(self, key: torch.Tensor, length: int) -> tuple[Any, Any]:
        if self.training:
            n_objects = len(key)
            sizes = (n_objects, self.n_heads, length)
            return _gumbel(*sizes, _N_CENTROIDS).to(key), _gumbel(*sizes, length).to(key)
        if self._noise is None:
            return 0.0, 0.0
        of_keys, of_weights = self._noise
        return of_keys[:, :length].to(key), of_weights[:, :length, :length].to(key)


class UnitDropout(nn.Module):
    """Dropout in training, and of the same units for all observations in a pass.

    Parameters
    ----------
    rate : float
        Probability that a unit is dropped.
    width : int
        Number of units.
    number : int
        Number of the layer.
    """

    def __init__(self, rate: float, width: int, number: int) -> None:
        super().__init__()
        self.rate, self.width, self.number = rate, width, number
        self._kept: torch.Tensor | None = None

    def set_pass(self, seed: int | None) -> None:
        """Draw the units of a pass; None drops none."""
        self._kept = None
        if seed is not None:
            generator = torch.Generator().manual_seed(seed + 1000 + self.number)
            kept = torch.rand(self.width, generator=generator) >= self.rate
            self._kept = kept / (1 - self.rate)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return tokens of the same shape (..., width)."""
        if self.training:
            return dropout(tokens, self.rate)
        return tokens if self._kept is None else tokens * self._kept.to(tokens)


def make_stochastic(
    network: Any, values: torch.Tensor, lengths: torch.Tensor, rate: float | None, seed: int
) -> None:
    """Replace the attention of a transformer by a stochastic one, in place.

    Parameters
    ----------
    network : TransformerNetwork
        The network.
    values : Tensor of shape (n_objects, longest, n_channels)
        Some observations, whose keys are the first centroids.
    lengths : Tensor of shape (n_objects,)
        Numbers of observations.
    rate : float or None
        Probability that a unit is dropped of what a layer adds, also in prediction; None leaves
        the dropout of the network as it is.
    seed : int
        Determines the first centroids.

    Raises
    ------
    ValueError
        If the network is no transformer.
    """
    blocks = getattr(network, "blocks", None)
    if blocks is None or not hasattr(blocks[0], "attention"):
        raise ValueError(
            "Stochastic attention replaces the attention of a transformer, and this encoder, "
            f"{type(network).__name__}, has none: use uncertainty='bootstrap', 'ensemble' or "
            "'mc-dropout', or an encoder with architecture='transformer'."
        )
    longest = int(network.architecture.max_length)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for number, block in enumerate(blocks):
            own = StochasticAttention(block.attention, number, longest)

            def start(module: Any, inputs: tuple[Any, ...], own: Any = own) -> None:
                tokens, mask = inputs
                inside = mask[:, 0, 0] if mask.dtype == torch.bool else mask[:, 0, 0] > -torch.inf
                own.start_from(tokens, inside)

            handle = block.attention.register_forward_pre_hook(start)
            with torch.no_grad():
                network.state(values, lengths)
            handle.remove()
            block.attention = own
            if rate is not None:
                width = own.output.out_features
                block.dropout = UnitDropout(rate, width, number)
            block.train(network.training)


def set_pass(network: nn.Module, seed: int | None) -> None:
    """Draw the noise of a pass through a network for prediction; None stands for no noise."""
    for module in network.modules():
        draw: Any = getattr(module, "set_pass", None)
        if draw is not None:
            draw(seed)
