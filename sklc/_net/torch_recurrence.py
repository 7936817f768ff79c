"""The GRU on a CPU in torch, in one thread: a loop over time, without padding."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

__all__ = ["TorchRecurrence"]

# Rows of a product come in multiples of this, which makes an object's result the same to the bit in
# every batch. Products of few rows (one to three on AMD, one to four on Intel processors) take
# another path through the BLAS, and vectorised functions treat the elements behind the last full
# vector (16 floats) differently, so that an object alone would differ from the same object in a
# batch by rounding. (Layers whose width is no multiple of 4 may still differ in the last bit.)
_ROWS = 16
# Steps whose inputs are projected as one product: few enough that all layers' results stay in the
# cache until they are used.
_BLOCK = 8


class _Layer(NamedTuple):
    """Weights of a layer, transposed; those of the new state are doubled, see `_advance`."""

    gates: torch.Tensor  # (n_inputs, 2 * hidden_size), of reset and update
    gates_bias: torch.Tensor
    carried_gates: torch.Tensor  # (hidden_size, 2 * hidden_size)
    new: torch.Tensor  # (n_inputs, hidden_size)
    new_bias: torch.Tensor
    carried_new: torch.Tensor  # (hidden_size, hidden_size)
    carried_bias: torch.Tensor


class TorchRecurrence:
    """State of a GRU at each object's last observation, without padding light curves.

    Time runs in the outer loop, over the objects that still have an observation: no step is spent
    on padding, and one long light curve among short ones costs only its own steps. The number of
    rows of every step is rounded up, see `_ROWS`; the rows added belong to the first object.

    Parameters
    ----------
    gru : torch.nn.GRU
        On the CPU, with biases, in one direction.
    """

    # Enough for the products, few enough for the cache.
    batch_size = 192

    def __init__(self, gru: nn.GRU) -> None:
        self.hidden_size, self.layers = gru.hidden_size, []
        sizes = [2 * gru.hidden_size, gru.hidden_size]
        for layer in range(gru.num_layers):
            weight, carried, bias, offset = (
                getattr(gru, f"{name}_l{layer}").detach().split(sizes)
                for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            )
            tensors = (
                weight[0].T, bias[0] + offset[0], carried[0].T,
                2 * weight[1].T, 2 * bias[1], 2 * carried[1].T, 2 * offset[1],
            )  # fmt: skip
            self.layers.append(_Layer(*(tensor.contiguous() for tensor in tensors)))

    def __call__(self, values: np.ndarray, starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """States of a batch.

        Parameters
        ----------
        values : ndarray of shape (n_observations, n_channels), float32
        starts, lengths : ndarray of shape (n_objects,)
            Where each object lies in `values`; in order of falling length.

        Returns
        -------
        ndarray of shape (n_objects, hidden_size), float32
        """
        longest = int(lengths[0])
        # active[t]: how many objects have an observation number t.
        active = len(lengths) - np.searchsorted(lengths[::-1], np.arange(longest), side="right")
        rows = -(-active // _ROWS) * _ROWS
        starts = np.concatenate([starts, np.full(_ROWS - 1, starts[0])])
        most, width = int(rows[0]), self.hidden_size
        states = [torch.zeros(most, width) for _ in self.layers]
        gates, new, *outputs = (
            torch.empty(_BLOCK * most, size) for size in (2 * width, *[width] * (1 + len(states)))
        )
        scratch, last = torch.empty(most, width), torch.empty(len(lengths), width)
        for first in range(0, longest, _BLOCK):
            counts = rows[first : first + _BLOCK]
            # A row that is added may belong to an object that has ended: any observation will do.
            steps = [np.minimum(starts[:count] + first + step, len(values) - 1)
                     for step, count in enumerate(counts)]  # fmt: skip
            inputs = torch.from_numpy(values[np.concatenate(steps)])
            edges = [0, *np.cumsum(counts).tolist()]
            for k, layer in enumerate(self.layers):
                here = slice(0, edges[-1])
                torch.addmm(layer.gates_bias, inputs, layer.gates, out=gates[here])
                torch.addmm(layer.new_bias, inputs, layer.new, out=new[here])
                inputs = outputs[k][here]
                after = _advance(layer, gates, new, states[k], scratch, edges, inputs)
                states[k] = after.clone()  # the next block overwrites `outputs`
            ended = np.flatnonzero((lengths > first) & (lengths <= first + _BLOCK))
            where = np.asarray(edges)[lengths[ended] - 1 - first] + ended
            last[torch.from_numpy(ended)] = inputs[torch.from_numpy(where)]
        return last.numpy()


def _advance(
    layer: _Layer,
    gates: torch.Tensor,
    new: torch.Tensor,
    state: torch.Tensor,
    scratch: torch.Tensor,
    edges: list[int],
    outputs: torch.Tensor,
) -> torch.Tensor:
    """Take one layer through the steps between `edges`, and return its state after the last.

    Parameters
    ----------
    layer : _Layer
    gates, new : Tensor of shape (n_rows, 2 * hidden_size), (n_rows, hidden_size)
        Inputs times their weights, and overwritten by the gates and candidates. Candidates come
        doubled: torch's tanh takes six times as long as its sigmoid, and ``tanh(x) = 2 sigmoid(2x)
        - 1``.
    state : Tensor of shape (n_objects, hidden_size)
    scratch : Tensor of shape (n_objects, hidden_size)
    edges : list of int
        Where each step starts, and where the last ends; steps do not grow.
    outputs : Tensor of shape (n_rows, hidden_size)
        Where to put the states.
    """
    minus_one = state.new_tensor(-1.0)
    for start, stop in itertools.pairwise(edges):
        state, carried = state[: stop - start], scratch[: stop - start]
        opened = gates[start:stop].addmm_(state, layer.carried_gates).sigmoid_()
        reset, update = opened.split(state.shape[1], dim=1)
        torch.addmm(layer.carried_bias, state, layer.carried_new, out=carried)
        candidate = new[start:stop].addcmul_(reset, carried).sigmoid_()
        torch.add(minus_one, candidate, alpha=2, out=candidate)
        state = torch.lerp(candidate, state, update, out=outputs[start:stop])
    return state
