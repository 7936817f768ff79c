"""The learning rate over the epochs, as a function of the epoch alone: resuming needs no state."""

from __future__ import annotations

from skorch.callbacks import LRScheduler
from torch.optim.lr_scheduler import CosineAnnealingLR, LambdaLR, LinearLR

__all__ = ["warm_up_then_cosine"]


def warm_up_then_cosine(epochs: int, warm_up: int = 2) -> LRScheduler:
    """Callback that raises the learning rate in steps, then lowers it to 1 % along a cosine.

    Parameters
    ----------
    epochs : int
        Epochs of the whole training, also where it resumes.
    warm_up : int
        Epochs with a lower learning rate at the start.
    """
    warm_up = min(warm_up, epochs)
    rise = LRScheduler(LinearLR, start_factor=1 / (warm_up + 1), total_iters=warm_up)
    fall = LRScheduler(CosineAnnealingLR, T_max=max(epochs - warm_up, 1), eta_min=0.01)
    # As a table: a scheduler of torch that starts in the middle would need its own state.
    factors = [*rise.simulate(warm_up, 1.0), *fall.simulate(epochs - warm_up, 1.0)]
    return LRScheduler(LambdaLR, lr_lambda=lambda epoch: float(factors[min(epoch, epochs - 1)]))
