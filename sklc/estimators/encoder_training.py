"""Train an encoder: from light curves, labels and an objective to a fitted skorch net."""

from __future__ import annotations

import os
from collections import UserDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from inspect import signature
from numbers import Integral, Real
from typing import Any

import numpy as np
from skorch import NeuralNet

from sklc.augment.training import Augmentation, chosen_transformers
from sklc.estimators.base import require_two_classes
from sklc.estimators.latent_scaling import fill_latent, standardize_latent
from sklc.estimators.sample import TrainingSample
from sklc.light_curves import LightCurves
from sklc.light_curves.metadata import metadata_matrix
from sklc.networks.architectures import Architecture, EncoderNetwork
from sklc.networks.architectures.choice import DEFAULT_SIZES, choose_architecture, new_network
from sklc.networks.device import single_thread_in_workers
from sklc.networks.objectives.hiding import Hiding, require_two_shown
from sklc.networks.objectives.interface import Objective
from sklc.networks.objectives.network import (
    ObjectiveLoss,
    ObjectiveNetwork,
    kept_heads,
    sequence_heads,
)
from sklc.networks.objectives.registry import chosen_objectives, learns_classes
from sklc.networks.training.augmented import EachEpoch, ObjectiveDataset
from sklc.networks.training.checkpoint import TrainingCheckpoint, fingerprint
from sklc.networks.training.loop import TrainingSettings, fit_net, resident_device, seeded, wrap
from sklc.representation import PRESETS, InputRepresentation
from sklc.utils.sklearn_compat import HasMethods, Interval, StrOptions
from sklc.weights.trained import TrainedWeights

__all__ = [
    "NETWORK_CONSTRAINTS",
    "EncoderTraining",
    "fit_network",
    "needs_labels",
    "objectives_of",
    "train_encoder",
]

NETWORK_CONSTRAINTS: dict[str, list[Any]] = {
    "representation": [StrOptions(set(PRESETS)), InputRepresentation],
    "fold": [StrOptions({"period"}), None],
    "architecture": [str, Architecture],
    "hidden_size": [Interval(Integral, 1, None, closed="left")],
    "n_layers": [Interval(Integral, 1, None, closed="left")],
    "latent_size": [Interval(Integral, 1, None, closed="left")],
    "objective": [str, Objective, list, tuple],
    "redshift_weight": [Interval(Real, 0, None, closed="left")],
    "temperature": [Interval(Real, 0, None, closed="neither")],
    "adversarial_weight": [Interval(Real, 0, None, closed="neither")],
    "augment": ["boolean", str, list, tuple, HasMethods(["fit", "transform"]), None],
    "learning_rate_decay": ["boolean", Interval(Integral, 2, None, closed="left")],
    "weight_decay": [Interval(Real, 0, None, closed="left")],
    "checkpoint": [str, os.PathLike, None],
}

# Share of objects that stay whole, in every epoch, where something else is learned beside hidden
# observations.
_WHOLE = 0.5


@dataclass(frozen=True)
class EncoderTraining:
    """What an encoder is, and how it is trained.

    Parameters
    ----------
    representation : InputRepresentation
        The inputs of the network per observation.
    columns : tuple of str
        The metadata columns that the network reads.
    objectives : sequence of Objective
        The objectives that the network is trained for.
    transformers : sequence
        The augmentations, in the order in which they are applied, if any.
    architecture : Architecture
        Settings of the network.
    min_points : int
        Fewest observations after augmentation; an object with fewer is left out of that epoch.
    callbacks : sequence of skorch callbacks
        Callbacks that the user adds to the training.
    checkpoint : str, path or None
        The file to save the training to, and to continue it from.
    settings : TrainingSettings
        How the network is trained.
    """

    representation: InputRepresentation
    columns: tuple[str, ...]
    objectives: Sequence[Objective]
    transformers: Sequence[Any]
    architecture: Architecture
    min_points: int
    callbacks: Sequence[Any]
    checkpoint: str | os.PathLike[str] | None
    settings: TrainingSettings

    @classmethod
    def of(cls, encoder: Any, columns: tuple[str, ...], seed: int) -> EncoderTraining:
        """Read the parameters of a `LightCurveEncoder`, with the metadata columns that it names."""
        representation = encoder.representation
        if isinstance(representation, str):
            representation = InputRepresentation.preset(representation)
        if encoder.fold is not None and representation.fold is None:
            representation = representation.folded()
        sizes = {name: getattr(encoder, name) for name in DEFAULT_SIZES}
        decay = {name: getattr(encoder, name) for name in ("learning_rate_decay", "weight_decay")}
        return cls(
            representation=representation,
            columns=columns,
            objectives=objectives_of(encoder),
            transformers=chosen_transformers(encoder.augment),
            architecture=choose_architecture(encoder.architecture, **sizes),
            min_points=encoder.min_points,
            callbacks=encoder.callbacks or (),
            checkpoint=encoder.checkpoint,
            settings=encoder._settings(seed, **decay),
        )


def objectives_of(encoder: Any) -> tuple[Objective, ...]:
    """Return what the parameters of a `LightCurveEncoder` say that it is trained for."""
    defaults = signature(type(encoder)).parameters
    given = {name: getattr(encoder, name) for name in ("temperature", "adversarial_weight")}
    changed = {name: value for name, value in given.items() if value != defaults[name].default}
    return chosen_objectives(encoder.objective, encoder.redshift_weight, changed)


def needs_labels(encoder: Any) -> bool:
    """Whether the parameters of a `LightCurveEncoder` ask for labels; also where they are wrong."""
    try:
        return encoder.weights is None and learns_classes(objectives_of(encoder))
    except (TypeError, ValueError):
        return True


def fit_network(
    encoder: Any,
    curves: LightCurves,
    y: Any,
    sample_weight: Any,
    survey: np.ndarray | None,
    columns: tuple[str, ...],
) -> TrainedWeights:
    """Train the network of a `LightCurveEncoder`, as its parameters say.

    Parameters
    ----------
    encoder : LightCurveEncoder
        The encoder, whose parameters are read.
    curves : LightCurves
        All the training data.
    y, sample_weight, survey
        Arguments of its `fit`.
    columns : tuple of str
        The metadata columns that the network reads.
    """
    labelled, weights = needs_labels(encoder), None
    y = encoder._labels(y, curves) if labelled else np.zeros(len(curves), dtype=np.int64)
    sample = TrainingSample.of(curves, y, sample_weight, survey)
    classes, target = np.unique(sample.y, return_inverse=True)
    if labelled:
        require_two_classes(classes, encoder)
    else:
        mode = f"objective={encoder.objective!r}"
        encoder._refuse_unread(["class_weight"], "objectives that learn classes", mode)
    metadata_matrix(curves, columns)  # refuses columns that cannot be used
    seed, rows, held_out = encoder._seed(), np.arange(len(target)), None
    if encoder.early_stopping and (labelled or len(target) > 1):
        rows, held_out = encoder._validation_split(sample, seed)
    # One of several networks differs from the others in its start, and not in what is held out.
    network_seed = getattr(encoder, "_network_seed", None)
    training = EncoderTraining.of(encoder, columns, seed if network_seed is None else network_seed)
    if labelled:
        weights = encoder._class_weights(classes, sample.y, sample.weight)
    net = train_encoder(
        sample.curves,
        target,
        rows,
        held_out,
        training,
        class_weight=weights,
        given={"survey": None if survey is None else survey[sample.rows]},
        sample_weight=sample.weight,
    )
    known = classes if labelled else classes[:0]
    return TrainedWeights(net, training.representation, known, columns)


def train_encoder(
    curves: LightCurves,
    target: np.ndarray,
    rows: np.ndarray,
    held_out: np.ndarray | None,
    training: EncoderTraining,
    *,
    class_weight: np.ndarray | None,
    given: Mapping[str, Any],
    sample_weight: np.ndarray | None = None,
) -> NeuralNet:
    """Train a new network and return it as a fitted skorch net, with its history.

    Parameters
    ----------
    curves : LightCurves
        All the training data.
    target : ndarray of shape (n_objects,)
        Class indices.
    rows, held_out : ndarray of int
        Objects to train on, and to stop early on (or None).
    training : EncoderTraining
        The network to train, and how to train it.
    class_weight : ndarray of shape (n_classes,), or None
        Weights of the classes in the cross-entropy; None where no classes are learned.
    given : mapping of str
        Further arguments of `fit`, which the objectives' targets may use.
    sample_weight : ndarray of shape (n_objects,), optional
        Weights of the objects in all terms of the loss.
    """
    settings, objectives = training.settings, training.objectives
    targets = {"class": target}
    if class_weight is not None:
        targets["class_weight"] = np.asarray(class_weight, dtype=np.float32)[target]
    arguments = _Arguments(given)
    for objective in objectives:
        targets |= objective.targets(curves, arguments)
    for name, value in given.items():
        if value is not None and name not in arguments.read:
            used = ", ".join(map(repr, objectives))
            raise ValueError(
                f"{name}= is for an objective that reads it, such as objective='adversarial', and "
                f"has no effect with {used}: leave {name} out."
            )
    hiding = _hiding(objectives, targets)
    if hiding is not None:
        require_two_shown(training.representation, curves)
    if sample_weight is not None:
        targets["sample_weight"] = np.asarray(sample_weight, dtype=np.float32)

    def dataset(chosen: np.ndarray, transformers: Sequence[Any] = ()) -> ObjectiveDataset:
        own, epochs = curves[chosen], None
        if transformers:
            epochs = Augmentation(own, transformers, settings.seed, training.min_points)
        return ObjectiveDataset(
            own,
            {name: values[chosen] for name, values in targets.items()},
            training.representation,
            training.columns,
            epochs,
            objectives,
            hiding,
            settings.seed,
            ahead=resident_device(settings.device) is not None,
        )

    train = dataset(rows, training.transformers)
    with seeded(settings.seed):
        network = new_network(
            training.architecture,
            training.representation.channels,
            0 if class_weight is None else len(class_weight),
            metadata_matrix(train.original, training.columns),
            kept_heads(objectives, targets),
            sequence_heads(objectives, targets),
            training.representation.time_scale,
            train.values[:, : len(training.representation.channels)],
        )
        module = ObjectiveNetwork(network, objectives, targets)
    checkpoint = None
    if training.checkpoint is not None:
        checkpoint = TrainingCheckpoint(training.checkpoint, _identity(network, train, training))
    try:
        with single_thread_in_workers():
            trained = fit_net(
                module,
                train,
                None if held_out is None else dataset(held_out),
                settings,
                criterion=ObjectiveLoss(objectives),
                callbacks=[("each_epoch", EachEpoch(settings.max_epochs)), *training.callbacks],
                checkpoint=checkpoint,
            )
    finally:
        train.close()
    seen = training.representation, train.original, training.columns
    if not any(objective.trains_latent for objective in objectives):
        fill_latent(network, *seen)
    if training.architecture.standardize_latent:
        standardize_latent(network, *seen)
    net = wrap(network)
    net.history = trained.history
    return net


def _hiding(objectives: Sequence[Objective], targets: Mapping[str, np.ndarray]) -> Hiding | None:
    """Return how observations are hidden, if an objective predicts some."""
    hides = [own for own in objectives if own.sequence_heads(targets)]
    if not hides:
        return None
    fraction: Any = getattr(hides[0], "mask_fraction", 0.5)
    return Hiding(float(fraction), _WHOLE if len(objectives) > len(hides) else 0.0)


class _Arguments(UserDict):
    """Arguments of `fit` that remember which of them an objective has read."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.read: set[str] = set()
        super().__init__(given)

    def __getitem__(self, name: str) -> Any:
        self.read.add(name)
        return super().__getitem__(name)


def _identity(
    network: EncoderNetwork, train: ObjectiveDataset, training: EncoderTraining
) -> dict[str, Any]:
    """Return what must be the same for a training to be continued."""
    settings, curves = training.settings, train.original
    return {
        **network.config,
        "representation": repr(training.representation),
        "n_objects": len(curves),
        "data": fingerprint(curves.time, curves.flux, *train.all_targets.values()),
        "objective": ", ".join(map(repr, training.objectives)),
        "augment": ", ".join(map(_description, training.transformers)),
        "learning_rate": float(settings.learning_rate),
        "learning_rate_decay": settings.learning_rate_decay,
        "weight_decay": float(settings.weight_decay),
        "batch_size": int(settings.batch_size),
        "max_epochs": int(settings.max_epochs),
        "seed": int(settings.seed),
    }


def _description(transformer: Any) -> str:
    """Describe a transformer by its parameters, except for its seed, which the training sets."""
    own = vars(transformer)
    params = transformer.get_params() if hasattr(transformer, "get_params") else own
    kept = {k: v for k, v in params.items() if not f"__{k}".endswith("__random_state")}
    return f"{type(transformer).__name__}({kept})"
