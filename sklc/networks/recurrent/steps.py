"""One layer of a GRU, step by step in torch: what inference and training on a CPU share."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import torch

__all__ = ["BLOCK", "LayerWeights", "advance", "project"]

# Steps whose inputs are projected as one product: few enough that the results are still in the
# cache when the steps need them.
BLOCK = 8


class LayerWeights(NamedTuple):
    """Weights of a layer, transposed. Those of the candidate are doubled, see `advance`."""

    gates: torch.Tensor  # (n_inputs, 2 * hidden_size), of reset and update
    gates_bias: torch.Tensor
    gates_carried: torch.Tensor  # (hidden_size, 2 * hidden_size)
    new: torch.Tensor  # (n_inputs, hidden_size), of the candidate for the new state
    new_bias: torch.Tensor
    new_carried: torch.Tensor  # (hidden_size, hidden_size)
    new_carried_bias: torch.Tensor

    @classmethod
    def of(
        cls,
        weight_ih: torch.Tensor,
        weight_hh: torch.Tensor,
        bias_ih: torch.Tensor,
        bias_hh: torch.Tensor,
    ) -> LayerWeights:
        """From a layer of ``torch.nn.GRU.all_weights``: rows are reset, update, new."""
        hidden = weight_hh.shape[1]
        weight, bias, carried, offset = (
            parameter.detach().split([2 * hidden, hidden])
            for parameter in (weight_ih, bias_ih, weight_hh, bias_hh)
        )
        tensors = (
            weight[0].T, bias[0] + offset[0], carried[0].T,
            2 * weight[1].T, 2 * bias[1], 2 * carried[1].T, 2 * offset[1],
        )  # fmt: skip
        return cls(*(tensor.contiguous() for tensor in tensors))


def project(
    layer: LayerWeights, inputs: torch.Tensor, gates: torch.Tensor, new: torch.Tensor
) -> None:
    """Write inputs (n_rows, n_inputs) times their weights to `gates` and `new`."""
    torch.addmm(layer.gates_bias, inputs, layer.gates, out=gates)
    torch.addmm(layer.new_bias, inputs, layer.new, out=new)


def advance(
    layer: LayerWeights,
    gates: torch.Tensor,
    new: torch.Tensor,
    carried: torch.Tensor,
    outputs: torch.Tensor,
    state: torch.Tensor,
    edges: list[int],
    *,
    keep: bool,
) -> torch.Tensor:
    """Take one layer through the steps between `edges`, and return its state after the last.

    Parameters
    ----------
    layer : LayerWeights
        The weights of the layer.
    gates, new : Tensor of shape (n_rows, 2 * hidden_size), (n_rows, hidden_size)
        What `project` wrote. They are overwritten by the gates (reset, update) and the candidate.
        Candidates come doubled, since torch's tanh takes six times as long as its sigmoid, and
        ``tanh(x) = 2 sigmoid(2x) - 1``.
    carried : Tensor of shape (n_rows, hidden_size)
        Where to leave the state's share in the candidate before its gate, doubled.
    outputs : Tensor of shape (n_rows, hidden_size)
        Where to put the states.
    state : Tensor of shape (n_objects, hidden_size)
        The state before the first step.
    edges : list of int
        Rows where each step starts, and where the last one ends. No step is larger than the one
        before.
    keep : bool
        Whether `carried` is kept for all rows, as gradients need it. Otherwise its first rows are
        reused, and stay in the cache.
    """
    minus_one = state.new_tensor(-1.0)
    for start, stop in itertools.pairwise(edges):
        state = state[: stop - start]
        share = carried[start:stop] if keep else carried[: stop - start]
        opened = gates[start:stop].addmm_(state, layer.gates_carried).sigmoid_()
        reset, update = opened.split(state.shape[1], dim=1)
        torch.addmm(layer.new_carried_bias, state, layer.new_carried, out=share)
        candidate = new[start:stop].addcmul_(reset, share).sigmoid_()
        torch.add(minus_one, candidate, alpha=2, out=candidate)
        state = torch.lerp(candidate, state, update, out=outputs[start:stop])
    return state
