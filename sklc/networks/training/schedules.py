"""The learning rate over the epochs, as a function of the epoch alone: resuming needs no state."""

from __future__ import annotations

import numpy as np
from skorch.callbacks import LRScheduler
from torch.optim.lr_scheduler import CosineAnnealingLR, LambdaLR, LinearLR

__all__ = ["warm_up_then_cosine"]


def warm_up_then_cosine(epochs: int, cycles: int = 1, warm_up: int = 2) -> LRScheduler:
    """Callback that raises the learning rate in steps, then lowers it to 1 % along a cosine.

    Parameters
    ----------
    epochs : int
        Epochs of the whole training, also where it resumes.
    cycles : int
        How often this happens: warm restarts (Loshchilov & Hutter 2017, ICLR, arXiv:1608.03983),
        each of equally many epochs, up to one.
    warm_up : int
        Epochs with a lower learning rate at the start of a cycle.
    """
    factors: list[float] = []
    for part in np.array_split(np.arange(epochs), min(cycles, epochs)):
        rising = min(warm_up, len(part))
        rise = LRScheduler(LinearLR, start_factor=1 / (rising + 1), total_iters=rising)
        fall = LRScheduler(CosineAnnealingLR, T_max=max(len(part) - rising, 1), eta_min=0.01)
        # As a table: a scheduler of torch that starts in the middle would need its own state.
        factors += [*rise.simulate(rising, 1.0), *fall.simulate(len(part) - rising, 1.0)]
    return LRScheduler(LambdaLR, lr_lambda=lambda epoch: float(factors[min(epoch, epochs - 1)]))
