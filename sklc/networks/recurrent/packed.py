"""The GRU in packed form on a CPU, forwards and backwards: no step is spent on padding.

Observations of a batch lie one step of time after the other, objects in order of falling length,
so that those which still have an observation are the first rows of each step. Everything that does
not depend on the step before is one product over all rows: the projections of the input, and the
gradients of all weights. ``torch.nn.GRU`` computes padding as well, and makes a dozen small tensors
a step.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.autograd.function import once_differentiable

from sklc.networks.recurrent.steps import BLOCK, LayerWeights, advance, project

__all__ = ["Packing", "packed_last_state", "packed_states"]


class Packing:
    """How the observations of a batch lie, step by step.

    Parameters
    ----------
    lengths : Tensor of shape (n_objects,)
        Lengths of objects in any order.
    longest : int
        Length to which the batch is padded.
    """

    def __init__(self, lengths: torch.Tensor, longest: int) -> None:
        ordered, order = torch.sort(lengths, descending=True, stable=True)
        there = torch.arange(int(ordered[0]))[:, None] < ordered
        step, position = there.nonzero(as_tuple=True)
        counts = there.sum(dim=1)
        # Where each row lies in the padded batch, seen as (n_objects * longest, ...).
        self.rows = order[position] * longest + step
        self.edges = [0, *torch.cumsum(counts, 0).tolist()]
        starts = torch.tensor(self.edges[:-1])
        # Row of the same object one step earlier, for all rows but those of the first step.
        self.before = (starts[step - 1] + position)[self.edges[1] :]
        # Last row of each object, in the order that the objects came in.
        self.last = torch.empty_like(order)
        self.last[order] = starts[ordered - 1] + torch.arange(len(order))


def packed_last_state(gru: nn.GRU, values: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """State of the last layer at each object's last observation, differentiable.

    Parameters
    ----------
    gru : torch.nn.GRU
        The layers: with biases, in one direction, without dropout.
    values : Tensor of shape (n_objects, longest, n_channels)
        Padded observations, which get no gradient themselves.
    lengths : Tensor of shape (n_objects,)
        Numbers of observations.

    Returns
    -------
    Tensor of shape (n_objects, hidden_size)
    """
    packing, states = _packed(gru, values, lengths)
    return states[packing.last]


def packed_states(gru: nn.GRU, values: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """States of the last layer at every observation, (n_objects, longest, hidden_size).

    The parameters are those of `packed_last_state`, but the values may get a gradient. Behind the
    last observation, states are 0.
    """
    packing, states = _packed(gru, values, lengths)
    padded = states.new_zeros(values.shape[0] * values.shape[1], states.shape[1])
    return padded.index_copy(0, packing.rows, states).view(*values.shape[:2], -1)


def _packed(
    gru: nn.GRU, values: torch.Tensor, lengths: torch.Tensor
) -> tuple[Packing, torch.Tensor]:
    packing = Packing(lengths, values.shape[1])
    inputs = values.flatten(0, 1)[packing.rows]
    for parameters in gru.all_weights:
        inputs = _Layer.apply(inputs, *parameters, packing)
    return packing, inputs


class _Layer(torch.autograd.Function):
    """States of one layer at every observation, and their gradient."""

    @staticmethod
    def forward(ctx: Any, inputs, weight_ih, weight_hh, bias_ih, bias_hh, packing):
        """States (n_rows, hidden_size) of inputs (n_rows, n_inputs)."""
        hidden, edges = weight_hh.shape[1], packing.edges
        layer = LayerWeights.of(weight_ih, weight_hh, bias_ih, bias_hh)
        # What a gradient needs is kept for all rows.
        keep = any(ctx.needs_input_grad)
        gates, new, carried, outputs = (
            inputs.new_empty(n_rows, width)
            for n_rows, width in (
                (len(inputs), 2 * hidden),
                (len(inputs), hidden),
                (len(inputs) if keep else edges[1], hidden),
                (len(inputs), hidden),
            )
        )
        state = inputs.new_zeros(edges[1], hidden)
        for first in range(0, len(edges) - 1, BLOCK):
            block = edges[first : first + BLOCK + 1]
            here = slice(block[0], block[-1])
            project(layer, inputs[here], gates[here], new[here])
            state = advance(layer, gates, new, carried, outputs, state, block, keep=keep)
        if keep:
            ctx.save_for_backward(inputs, weight_ih, weight_hh, gates, new, carried, outputs)
            ctx.packing = packing
        return outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient):
        """Gradients of the inputs, the weights and the biases."""
        inputs, weight_ih, weight_hh, gates, new, carried, outputs = ctx.saved_tensors
        edges, hidden = ctx.packing.edges, weight_hh.shape[1]
        before = torch.cat([outputs.new_zeros(edges[1], hidden), outputs[ctx.packing.before]])
        reset, update = gates[:, :hidden], gates[:, hidden:]
        # First the derivatives of the new state by the gates (before their activations) and by the
        # old state's share in the candidate; then, step by step, the gradients of all three.
        of_gates = outputs.new_empty(len(outputs), 3, hidden)
        of_new = torch.addcmul(new.new_ones(()), new, new, value=-1).mul_(1 - update)
        slope = torch.addcmul(reset, reset, reset, value=-1).mul_(carried)  # which is doubled
        torch.mul(slope.mul_(0.5), of_new, out=of_gates[:, 0])
        slope = torch.addcmul(update, update, update, value=-1, out=slope)
        torch.mul(slope, torch.sub(before, new), out=of_gates[:, 1])
        torch.mul(of_new, reset, out=of_gates[:, 2])
        of_state = torch.empty_like(outputs)
        ahead = outputs.new_zeros(0, hidden)
        for start, stop in zip(edges[-2::-1], edges[:0:-1], strict=True):
            here, count = of_state[start:stop], len(ahead)
            torch.add(gradient[start : start + count], ahead, out=here[:count])
            here[count:] = gradient[start + count : stop]
            of_step = of_gates[start:stop].mul_(here[:, None])
            ahead = torch.addmm(here * update[start:stop], of_step.flatten(1), weight_hh)
        flat = of_gates.flatten(1)
        of_weight_hh, of_bias_hh = flat.T @ before, flat.sum(0)
        # Only now: the reset gate multiplies the state's share in the candidate, not the input's.
        torch.mul(of_state, of_new, out=of_gates[:, 2])
        needed = ctx.needs_input_grad
        return (
            flat @ weight_ih if needed[0] else None,
            # In this order: with the few channels of the first layer it is five times as fast.
            (inputs.T @ flat).T if needed[1] else None,
            of_weight_hh,
            flat.sum(0),
            of_bias_hh,
            None,
        )
