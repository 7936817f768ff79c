"""States of any architecture on a CPU: padded batches whose shape depends on the object alone."""

from __future__ import annotations

import numpy as np
import torch

from sklc.networks.architectures.interface import EncoderNetwork
from sklc.networks.padding import pad

__all__ = ["PaddedStates"]

# Most rows of a batch, and most observations, which bounds its memory.
_ROWS, _OBSERVATIONS = 32, 16 * 1024
# Lengths are rounded up to a multiple of this, or of an eighth to a sixteenth of themselves.
_STEP = 16


class PaddedStates:
    """Runs a network's `state`, in the thread that calls it.

    The shape of a batch depends on the object alone: it is padded to a length that follows from its
    own, in a batch of as many rows as that length prescribes, filled up by repeating one. So the
    other objects change its result by rounding at most, and not at all in most layers.

    Parameters
    ----------
    network : EncoderNetwork
        On the CPU, in evaluation mode.
    """

    def __init__(self, network: EncoderNetwork) -> None:
        self.network = network

    def __call__(self, values: np.ndarray, starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """States (n_objects, state_size) of objects in any order."""
        states = np.empty((len(lengths), self.network.state_size), dtype=np.float32)
        padded_to = _rounded(lengths)
        for longest in np.unique(padded_to):
            members = np.flatnonzero(padded_to == longest)
            n_rows = int(np.clip(_OBSERVATIONS // longest, 1, _ROWS))
            for first in range(0, len(members), n_rows):
                chosen = members[first : first + n_rows]
                rows = np.resize(chosen, n_rows)
                inputs = pad(values, starts[rows], lengths[rows], int(longest))
                n = torch.from_numpy(lengths[rows].astype(np.int64))
                states[chosen] = self.network.state(torch.from_numpy(inputs), n)[: len(chosen)]
        return states


def _rounded(lengths: np.ndarray) -> np.ndarray:
    """Lengths rounded up, with at most an eighth of padding where they are long."""
    steps = np.maximum(_STEP, np.exp2(np.floor(np.log2(lengths)) - 3).astype(np.int64))
    return -(-lengths // steps) * steps
