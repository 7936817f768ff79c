"""The GRU on a CPU in torch, in one thread: a loop over time, without padding."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from sklc.networks.recurrent.steps import BLOCK, LayerWeights, advance, project

__all__ = ["TorchRecurrence"]

# Rows of a product come in multiples of this, which makes an object's result the same to the bit in
# every batch. Products of few rows (one to three on AMD, one to four on Intel processors) take
# another path through the BLAS, and vectorised functions treat the elements behind the last full
# vector (16 floats) differently, so that an object alone would differ from the same object in a
# batch by rounding. (Layers whose width is not a multiple of 4 may still differ in the last bit.)
_ROWS = 16


class TorchRecurrence:
    """State of a GRU at each object's last observation, without padding light curves.

    Time runs in the outer loop, over the objects that still have an observation: no step is spent
    on padding, and one long light curve among short ones costs only its own steps. The number of
    rows of every step is rounded up, see `_ROWS`; the rows added belong to the first object.

    Parameters
    ----------
    gru : torch.nn.GRU
        The layers: on the CPU, with biases, in one direction.
    """

    def __init__(self, gru: nn.GRU) -> None:
        self.hidden_size = gru.hidden_size
        self.layers = [LayerWeights.of(*parameters) for parameters in gru.all_weights]

    def __call__(self, values: np.ndarray, starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """States of a batch.

        Parameters
        ----------
        values : ndarray of shape (n_observations, n_channels), float32
            Encoded observations of all objects.
        starts, lengths : ndarray of shape (n_objects,)
            Where each object lies in `values`. The longest object comes first.

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
            torch.empty(BLOCK * most, size) for size in (2 * width, *[width] * (1 + len(states)))
        )
        scratch, last = torch.empty(most, width), torch.empty(len(lengths), width)
        for first in range(0, longest, BLOCK):
            counts = rows[first : first + BLOCK]
            # A row that is added may belong to an object that has ended: any observation will do.
            steps = [np.minimum(starts[:count] + first + step, len(values) - 1)
                     for step, count in enumerate(counts)]  # fmt: skip
            inputs = torch.from_numpy(values[np.concatenate(steps)])
            edges = [0, *np.cumsum(counts).tolist()]
            for k, (layer, output) in enumerate(zip(self.layers, outputs, strict=True)):
                project(layer, inputs, gates[: edges[-1]], new[: edges[-1]])
                after = advance(layer, gates, new, scratch, output, states[k], edges, keep=False)
                states[k] = after.clone()  # the next block overwrites `output`
                inputs = output[: edges[-1]]
            ended = np.flatnonzero((lengths > first) & (lengths <= first + BLOCK))
            where = np.asarray(edges)[lengths[ended] - 1 - first] + ended
            last[torch.from_numpy(ended)] = inputs[torch.from_numpy(where)]
        return last.numpy()
