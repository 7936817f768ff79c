"""The GRU in packed form on a CPU, forwards and backwards: no step is spent on padding.

Observations of a batch lie one step of time after the other, objects in order of falling length,
so that those which still have an observation are the first rows of each step. Everything that does
not depend on the step before is one product over all rows: the projections of the input, and the
gradients of all weights. ``torch.nn.GRU`` computes padding as well, and makes a dozen small tensors
a step.
"""

from __future__ import annotations

import itertools
from typing import Any

import torch
from torch import nn
from torch.autograd.function import once_differentiable

__all__ = ["Packing", "layer_forward", "packed_last_state"]


class Packing:
    """How the observations of a batch lie, step by step.

    Parameters
    ----------
    lengths : Tensor of shape (n_objects,)
        Of objects in any order.
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
        With biases, in one direction, without dropout.
    values : Tensor of shape (n_objects, longest, n_channels)
        Padded; without a gradient of their own.
    lengths : Tensor of shape (n_objects,)

    Returns
    -------
    Tensor of shape (n_objects, hidden_size)
    """
    packing = Packing(lengths, values.shape[1])
    inputs = values.flatten(0, 1)[packing.rows]
    for layer in range(gru.num_layers):
        parameters = [
            getattr(gru, f"{name}_l{layer}")
            for name in ("weight_ih", "bias_ih", "weight_hh", "bias_hh")
        ]
        projected = nn.functional.linear(inputs, *parameters[:2])
        inputs = _Layer.apply(projected, *parameters[2:], packing)
    return inputs[packing.last]


def layer_forward(
    projected: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor,
    edges: list[int],
    tape: tuple[torch.Tensor, torch.Tensor, torch.Tensor] | None = None,
) -> torch.Tensor:
    """States of one layer at every observation.

    Parameters
    ----------
    projected : Tensor of shape (n_rows, 3 * hidden_size)
        Input times its weights, with bias; gates in torch's order: reset, update, new.
    weight, bias : Tensor of shape (3 * hidden_size, hidden_size), (3 * hidden_size,)
        Of the recurrence.
    edges : list of int
        Where each step starts, and where the last ends; steps do not grow.
    tape : tuple of Tensor, optional
        Where to leave what a gradient needs, for all rows: the state before, times its weights
        (n_rows, 3 * hidden_size); the gates reset and update (n_rows, 2 * hidden_size); and the
        new state (n_rows, hidden_size).

    Returns
    -------
    Tensor of shape (n_rows, hidden_size)
    """
    hidden = weight.shape[1]
    outputs = projected.new_empty(len(projected), hidden)
    transposed = weight.T.contiguous()
    state = projected.new_zeros(edges[1], hidden)
    minus_one = projected.new_tensor(-1.0)
    scratch = tape or tuple(projected.new_empty(edges[1], k * hidden) for k in (3, 2, 1))
    for start, stop in itertools.pairwise(edges):
        here = slice(start, stop) if tape else slice(0, stop - start)
        carried, opened, new = (values[here] for values in scratch)
        before, inputs = state[: stop - start], projected[start:stop]
        torch.addmm(bias, before, transposed, out=carried)
        torch.add(inputs[:, : 2 * hidden], carried[:, : 2 * hidden], out=opened).sigmoid_()
        reset, update = opened[:, :hidden], opened[:, hidden:]
        candidate = inputs[:, 2 * hidden :], reset, carried[:, 2 * hidden :]
        # tanh(x) = 2 sigmoid(2x) - 1, and torch's tanh takes six times as long as its sigmoid.
        torch.addcmul(*candidate, out=new).mul_(2).sigmoid_()
        torch.add(minus_one, new, alpha=2, out=new)
        state = torch.lerp(new, before, update, out=outputs[start:stop])
    return outputs


class _Layer(torch.autograd.Function):
    """`layer_forward`, and its gradient."""

    @staticmethod
    def forward(ctx: Any, projected, weight, bias, packing):
        """States of one layer; keeps what the gradient needs, where one is asked for."""
        tape = None
        if any(ctx.needs_input_grad):
            n_rows, width = projected.shape
            tape = tuple(projected.new_empty(n_rows, k * width // 3) for k in (3, 2, 1))
        outputs = layer_forward(projected, weight, bias, packing.edges, tape)
        if tape is not None:
            ctx.save_for_backward(weight, outputs, *tape)
            ctx.packing = packing
        return outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient):
        """Gradients of the projected input, the recurrent weight and its bias."""
        weight, outputs, carried, opened, new = ctx.saved_tensors
        edges, hidden = ctx.packing.edges, weight.shape[1]
        before = torch.cat([outputs.new_zeros(edges[1], hidden), outputs[ctx.packing.before]])
        reset, update = opened[:, :hidden], opened[:, hidden:]
        # Factors of the state's gradient in those of the gates before their activations.
        factors = outputs.new_empty(len(outputs), 3, hidden)
        of_new = torch.addcmul(new.new_ones(()), new, new, value=-1).mul_(1 - update)
        slope = torch.addcmul(reset, reset, reset, value=-1)
        torch.mul(slope.mul_(carried[:, 2 * hidden :]), of_new, out=factors[:, 0])
        slope = torch.addcmul(update, update, update, value=-1)
        torch.mul(slope, torch.sub(before, new), out=factors[:, 1])
        torch.mul(of_new, reset, out=factors[:, 2])
        of_gates, of_state = torch.empty_like(factors), torch.empty_like(outputs)
        ahead = outputs.new_zeros(0, hidden)
        for start, stop in zip(edges[-2::-1], edges[:0:-1], strict=True):
            here, count = of_state[start:stop], len(ahead)
            torch.add(gradient[start : start + count], ahead, out=here[:count])
            here[count:] = gradient[start + count : stop]
            gates = torch.mul(here[:, None], factors[start:stop], out=of_gates[start:stop])
            ahead = torch.addmm(here * update[start:stop], gates.flatten(1), weight)
        flat = of_gates.flatten(1)
        gradients = flat.T @ before, flat.sum(0)
        # Only now: the reset gate is between the state and its gate, not the input and its.
        torch.mul(of_state, of_new, out=flat[:, 2 * hidden :])
        return flat, *gradients, None
