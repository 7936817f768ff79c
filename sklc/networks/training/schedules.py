"""What changes from epoch to epoch, as functions of the epoch alone: resuming needs no state."""

from __future__ import annotations

import math

from skorch.callbacks import Callback

__all__ = ["EpochSchedule", "adversarial_share", "warm_up_then_cosine"]


def warm_up_then_cosine(epoch: int, epochs: int, warm_up: int = 2) -> float:
    """Factor of the learning rate in an epoch, counted from 0: up in steps, then down to 1 %."""
    if epoch < warm_up:
        return (epoch + 1) / (warm_up + 1)
    fraction = (epoch - warm_up) / max(epochs - warm_up, 1)
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(fraction, 1.0)))


def adversarial_share(epoch: int, epochs: int) -> float:
    """Share of the adversarial weight in an epoch, counted from 0 (Ganin et al. 2016, sect. 5.2).

    It starts at 0: classes come first, and the discriminator learns before anything listens to
    it. With the full weight from the start, training on sequences collapses.
    """
    return 2 / (1 + math.exp(-10 * epoch / max(epochs, 1))) - 1


class EpochSchedule(Callback):
    """Set learning rate and adversarial weight at the start of every epoch.

    Parameters
    ----------
    epochs : int
        Of the whole training, also where it resumes.
    decay : bool
        Whether the learning rate warms up and decays; it is constant otherwise.
    adversarial : float
        Largest weight.
    """

    def __init__(self, epochs: int, *, decay: bool, adversarial: float = 0.0) -> None:
        self.epochs = epochs
        self.decay = decay
        self.adversarial = adversarial

    def on_epoch_begin(self, net, **kwargs) -> None:
        """Set them."""
        epoch = len(net.history) - 1
        if self.decay:  # otherwise a scheduler of the user may be at work
            for group in net.optimizer_.param_groups:
                group["lr"] = net.lr * warm_up_then_cosine(epoch, self.epochs)
        net.module_.confusion_weight = self.adversarial * adversarial_share(epoch, self.epochs)
