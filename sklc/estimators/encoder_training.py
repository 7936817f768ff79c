"""Train an encoder: from light curves, labels and an objective to a fitted skorch net."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from skorch import NeuralNet
from skorch.callbacks import Callback

from sklc.augment.training import Augmentation, FlatCurves
from sklc.errors import LightCurveError
from sklc.light_curves import LightCurves
from sklc.light_curves.metadata import name_object
from sklc.networks.architectures.gru import LightCurveNetwork
from sklc.networks.inference.encode import single_thread_in_workers
from sklc.networks.objectives.terms import ObjectiveLoss, ObjectiveNetwork, ObjectiveWeights
from sklc.networks.training.checkpoint import TrainingCheckpoint, fingerprint
from sklc.networks.training.datasets import CurveDataset
from sklc.networks.training.loop import TrainingSettings, fit_net, resident_device, seeded, wrap
from sklc.networks.training.schedules import EpochSchedule
from sklc.representation import InputRepresentation

__all__ = ["ObjectiveDataset", "redshift_targets", "survey_targets", "train_encoder"]


def redshift_targets(curves: LightCurves) -> np.ndarray:
    """Return ``ln(1 + z)`` of the metadata column ``redshift``, (n_objects,) float32.

    Raises
    ------
    LightCurveError
        If the column is missing, or a redshift is unknown or not positive.
    """
    if "redshift" not in curves.metadata.columns:
        raise LightCurveError(
            "redshift_weight needs the redshift of every object, and the light curves have no "
            "metadata column 'redshift': add it with curves.with_metadata(redshift=...), or set "
            "redshift_weight=0."
        )
    redshift = curves.metadata["redshift"].to_numpy(dtype=float, na_value=np.nan)
    wrong = np.flatnonzero(~(redshift > 0) | np.isinf(redshift))
    if len(wrong):
        raise LightCurveError(
            f"{name_object(curves, int(wrong[0]))} has redshift {redshift[wrong[0]]} "
            f"({len(wrong)} of {len(curves)} objects have none that is positive and finite): leave "
            "such objects out, or set redshift_weight=0."
        )
    return np.log1p(redshift).astype(np.float32)


def survey_targets(curves: LightCurves, survey: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return survey names and the index of each object's survey.

    Parameters
    ----------
    curves : LightCurves
    survey : array-like of shape (n_objects,) or None
        None takes the metadata column ``survey``.

    Raises
    ------
    LightCurveError
        If there are no surveys, one is missing, or all are the same.
    """
    give = "pass fit(X, y, survey=...), or add a column with curves.with_metadata(survey=...)"
    if survey is None:
        if "survey" not in curves.metadata.columns:
            raise LightCurveError(
                "objective='adversarial' needs the survey of every object, and the light curves "
                f"have no metadata column 'survey': {give}."
            )
        survey = curves.metadata["survey"]
    survey = np.asarray(survey, dtype=object)
    if survey.shape != (len(curves),):
        raise LightCurveError(
            f"survey has shape {survey.shape} for {len(curves)} light curves: pass one survey per "
            "object, in the order of X.ids."
        )
    missing = pd.isna(survey)
    missing[~missing] = survey[~missing] == ""
    if missing.any():
        first = int(np.argmax(missing))
        raise LightCurveError(
            f"objective='adversarial': the survey of {name_object(curves, first)} is missing "
            f"({missing.sum()} of {len(curves)} objects): {give}, or leave such objects out."
        )
    names, index = np.unique(survey.astype(str), return_inverse=True)
    if len(names) < 2:
        raise LightCurveError(
            f"objective='adversarial' makes the latents of several surveys alike, and all objects "
            f"are of the survey {str(names[0])!r}: use objective='classifier' or "
            "'contrastive', or add light curves of another survey."
        )
    return names, index


class ObjectiveDataset(CurveDataset):
    """Light curves with the targets of an objective; augmented ones are drawn in every epoch.

    Parameters
    ----------
    curves : LightCurves
    targets : dict of str to ndarray of shape (n_objects,)
        "class" and, where the objective needs them, "log1p_z" and "survey".
    metadata : ndarray of shape (n_objects, n_columns) or None
    representation : InputRepresentation
    augmentation : Augmentation or None
        None encodes the light curves once, as they are.
    seed : int
    ahead : bool
        Draw the next epoch in a thread while one is trained on: for training on a GPU, which
        leaves the processor idle. The same light curves are drawn.
    """

    def __init__(
        self, curves, targets, metadata, representation, augmentation, seed, *, ahead=False
    ) -> None:
        self.all_targets, self.all_metadata = targets, metadata
        self.representation, self.augmentation, self.seed = representation, augmentation, seed
        self.original = curves if augmentation is None else FlatCurves.of(curves)
        self._epoch = 0
        self._pool = ThreadPoolExecutor(1) if ahead and augmentation is not None else None
        self._drawn: dict[int, Future] = {}
        if augmentation is None:
            values, lengths = representation.encode(curves)
            self._take(values, lengths, np.arange(len(curves)))
        else:
            self.redraw(1)

    def redraw(self, epoch: int) -> None:
        """Draw the light curves of an epoch, the same ones whenever it is asked for."""
        if self.augmentation is None or epoch == self._epoch:
            return
        self._epoch = epoch
        ready = self._drawn.pop(epoch, None)
        self._take(*(self._draw(epoch) if ready is None else ready.result()))
        if self._pool is not None:
            self._drawn = {epoch + 1: self._pool.submit(self._draw, epoch + 1)}

    def _draw(self, epoch: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Encoded light curves of an epoch, their lengths, and the objects that they are of."""
        curves, objects = self.augmentation(
            self.original, np.random.default_rng([self.seed, epoch])
        )
        return *self.representation.encode(curves), objects

    def _take(self, values: np.ndarray, lengths: np.ndarray, objects: np.ndarray) -> None:
        metadata = None if self.all_metadata is None else self.all_metadata[objects]
        targets = {name: target[objects] for name, target in self.all_targets.items()}
        super().__init__(values, lengths, targets["class"], metadata=metadata)
        self.targets = targets

    def collate(self, batch):
        """Inputs, and the targets by name."""
        inputs, _ = super().collate(batch)
        return inputs, {k: torch.from_numpy(v[batch]) for k, v in self.targets.items()}


class _RedrawEachEpoch(Callback):
    def on_epoch_begin(self, net, dataset_train=None, **kwargs) -> None:
        dataset_train.redraw(len(net.history))


def train_encoder(
    curves: LightCurves,
    targets: dict[str, np.ndarray],
    rows: np.ndarray,
    held_out: np.ndarray | None,
    *,
    representation: InputRepresentation,
    metadata: np.ndarray | None,
    class_weight: np.ndarray,
    n_surveys: int,
    objective: ObjectiveWeights,
    params: dict[str, Any],
    settings: TrainingSettings,
    sample_weight: np.ndarray | None = None,
) -> NeuralNet:
    """Train a new network and return it as a fitted skorch net, with its history.

    Parameters
    ----------
    curves : LightCurves
        All the training data.
    targets : dict of str to ndarray of shape (n_objects,)
        As for `ObjectiveDataset`.
    rows, held_out : ndarray of int
        Objects to train on, and to stop early on (or None).
    representation : InputRepresentation
    metadata : ndarray of shape (n_objects, n_columns) or None
    class_weight : ndarray of shape (n_classes,)
    n_surveys : int
        Of the discriminator; 0 for none.
    objective : ObjectiveWeights
    params : dict
        The encoder's parameters.
    settings : TrainingSettings
    sample_weight : ndarray of shape (n_objects,), optional
        Weights of the objects in the loss; by default all are 1.
    """
    if sample_weight is not None:
        targets = {**targets, "sample_weight": sample_weight.astype(np.float32)}

    def dataset(chosen: np.ndarray, augmentation: Augmentation | None) -> ObjectiveDataset:
        return ObjectiveDataset(
            curves[chosen],
            {name: target[chosen] for name, target in targets.items()},
            None if metadata is None else metadata[chosen],
            representation,
            augmentation,
            settings.seed,
            ahead=resident_device(settings.device) is not None,
        )

    train = dataset(rows, Augmentation() if params["augment"] else None)
    with seeded(settings.seed):
        network = LightCurveNetwork(
            len(representation.channels),
            len(class_weight),
            hidden_size=params["hidden_size"],
            n_layers=params["n_layers"],
            latent_size=params["latent_size"],
            n_metadata=0 if metadata is None else metadata.shape[1],
            redshift=bool(objective.redshift),
        )
        module = ObjectiveNetwork(network, n_surveys)
    if network.metadata is not None and metadata is not None:
        network.metadata.standardize.set_statistics(torch.from_numpy(metadata[rows]))
    # One order for callbacks: what is restored comes before what it decides, saving comes last.
    callbacks: list[Any] = [
        ("redraw", _RedrawEachEpoch()),
        (
            "schedule",
            EpochSchedule(
                settings.max_epochs,
                decay=params["learning_rate_decay"],
                adversarial=objective.adversarial,
            ),
        ),
        *(params["callbacks"] or ()),
    ]
    if params["checkpoint"] is not None:
        checkpoint = TrainingCheckpoint(
            params["checkpoint"], _identity(network, train, objective, settings, params)
        )
        done = checkpoint.open()
        settings = replace(settings, max_epochs=settings.max_epochs - done, first_epoch=done)
        callbacks.append(("checkpoint", checkpoint))
    with single_thread_in_workers():
        trained = fit_net(
            module,
            train,
            None if held_out is None else dataset(held_out, None),
            settings,
            criterion=ObjectiveLoss(class_weight, objective),
            callbacks=callbacks,
        )
    net = wrap(network)
    net.history = trained.history
    return net


def _identity(network, train, objective, settings, params) -> dict[str, Any]:
    """What must be the same for a training to go on."""
    return {
        **network.config,
        "channels": list(train.representation.channels),
        "n_objects": len(train.all_targets["class"]),
        "data": fingerprint(train.original.time, train.original.flux, *train.all_targets.values()),
        "objective": repr(objective),
        "augment": bool(params["augment"]),
        "learning_rate": float(settings.learning_rate),
        "learning_rate_decay": bool(params["learning_rate_decay"]),
        "weight_decay": float(settings.weight_decay),
        "batch_size": int(settings.batch_size),
        "max_epochs": int(settings.max_epochs),
        "seed": int(settings.seed),
    }
