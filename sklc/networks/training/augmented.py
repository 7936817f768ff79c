"""Training data of objectives, which augmentation draws again for every epoch."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
from skorch.callbacks import Callback

from sklc.augment.training import Augmentation
from sklc.light_curves import LightCurves
from sklc.light_curves.metadata import metadata_matrix
from sklc.networks.objectives.hiding import Hiding
from sklc.networks.objectives.interface import Objective
from sklc.networks.training.batching import take
from sklc.networks.training.datasets import CurveDataset
from sklc.representation import InputRepresentation

__all__ = ["EachEpoch", "ObjectiveDataset"]


# Tells the random numbers that hide observations from others of the same seed.
_HIDING = 7


class ObjectiveDataset(CurveDataset):
    """Light curves with the targets of an objective.

    In every epoch, others are drawn by augmentation, and other observations are hidden.

    Parameters
    ----------
    curves : LightCurves
        The objects to train on.
    targets : dict of str to ndarray of shape (n_objects, ...)
        Their targets.
    representation : InputRepresentation
        The input convention, by which they are encoded.
    columns : tuple of str
        The metadata columns that the network reads.
    augmentation : Augmentation or None
        None encodes the light curves once, as they are.
    objectives : sequence of Objective
        The objectives, which compute the targets that augmentation changes.
    hiding : Hiding or None
        How to choose observations that the network has to predict, if any.
    seed : int
        Seed of that choice.
    ahead : bool
        Whether to draw the next epoch in a thread during the current one. The light curves are the
        same. This pays when training on a GPU, which leaves the processor idle.
    """

    def __init__(
        self,
        curves: LightCurves,
        targets: dict[str, np.ndarray],
        representation: InputRepresentation,
        columns: tuple[str, ...] = (),
        augmentation: Augmentation | None = None,
        objectives: Sequence[Objective] = (),
        hiding: Hiding | None = None,
        seed: int = 0,
        *,
        ahead: bool = False,
    ) -> None:
        self.original, self.all_targets = curves, targets
        self.representation, self.columns = representation, columns
        self.augmentation, self.objectives = augmentation, objectives
        self.hiding, self.seed = hiding, seed
        self._epoch = 0
        self._changes = augmentation is not None or hiding is not None
        self._pool = ThreadPoolExecutor(1) if ahead and self._changes else None
        self._drawn: dict[int, Future] = {}
        if not self._changes:
            self._take(*representation.encode(curves), targets, metadata_matrix(curves, columns))
        else:
            representation.check(curves)
            self.redraw(1)

    def redraw(self, epoch: int) -> None:
        """Draw the light curves of an epoch, the same ones whenever it is asked for."""
        if not self._changes or epoch == self._epoch:
            return
        self._epoch = epoch
        ready = self._drawn.pop(epoch, None)
        self._take(*(self._draw(epoch) if ready is None else ready.result()))
        if self._pool is not None:
            self._drawn = {epoch + 1: self._pool.submit(self._draw, epoch + 1)}

    def close(self) -> None:
        """Draw no more."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def _draw(self, epoch: int) -> tuple[Any, ...]:
        """Encoded light curves of an epoch, their lengths, targets and metadata."""
        curves, targets = self.original, self.all_targets
        if self.augmentation is not None:
            curves, objects = self.augmentation.draw(epoch)
            targets = take(targets, objects)
            for objective in self.objectives:
                targets |= objective.redrawn_targets(curves)
        if self.hiding is None:
            encoded = self.representation.encode(curves, check=False)
        else:
            rng = np.random.default_rng([self.seed, epoch, _HIDING])
            encoded = self.hiding.encode(self.representation, curves, rng)
        return *encoded, targets, metadata_matrix(curves, self.columns)

    def _take(self, values, lengths, targets, metadata) -> None:
        super().__init__(values, lengths, targets, metadata=metadata)


class EachEpoch(Callback):
    """Draw the light curves of every epoch, and give the loss the progress of training.

    Parameters
    ----------
    epochs : int
        Epochs of the whole training, also where it resumes.
    """

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs

    def on_epoch_begin(self, net, dataset_train=None, **kwargs) -> None:
        """Draw the light curves, and set the progress."""
        dataset_train.redraw(len(net.history))
        net.criterion_.progress = (len(net.history) - 1) / self.epochs
