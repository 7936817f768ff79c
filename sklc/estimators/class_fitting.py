"""Fit a transfer classifier on labels: what is held out, what is trained, what is solved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from sklc.errors import LightCurveError
from sklc.estimators.base import check_head_sizes, require_two_classes
from sklc.estimators.class_heads import HeadData, hold_out
from sklc.estimators.encoder import LightCurveEncoder
from sklc.estimators.sample import TrainingSample
from sklc.estimators.transfer import (
    TransferRecipe,
    as_parameter,
    default_encoder,
    fit_transfer,
    is_trained_on_labels,
    seen_and_held_out,
    start_encoder,
)
from sklc.light_curves import LightCurves
from sklc.light_curves.metadata import metadata_matrix, name_object
from sklc.networks.device import resolve_device, single_thread_in_workers
from sklc.networks.heads import own_head
from sklc.uncertainty.interface import ClassUncertainty, HeldOut
from sklc.utils.sklearn_compat import unrouted

__all__ = [
    "ClassFit",
    "check_mode",
    "fit_classes",
    "hold_out_of_own",
    "targets_among",
    "why_nothing_was_held_out",
]


@dataclass(frozen=True)
class ClassFit:
    """What a classifier has learned from labels.

    Parameters
    ----------
    encoder : LightCurveEncoder
        The encoder, with its network as parameter where it was trained here.
    classes : ndarray of shape (n_classes,)
        Class labels, sorted.
    class_weight : ndarray of shape (n_classes,)
        Weights of the classes in the loss.
    head : torch.nn.Module or None
        The head; None stands for the one that the encoder was trained with.
    history : list
        History of the training of the head, or of encoder and head together.
    C : float or None
        Inverse L2 strength of a linear head.
    held_out : HeldOut or None
        Labelled objects to calibrate on.
    """

    encoder: LightCurveEncoder
    classes: np.ndarray
    class_weight: np.ndarray
    head: torch.nn.Module | None
    history: Any
    C: float | None
    held_out: HeldOut | None


def check_mode(estimator: Any) -> None:
    """Refuse parameters of a classifier that others make pointless.

    Parameters
    ----------
    estimator : TransferClassifier
        The estimator whose parameters are read.
    """
    refuse, linear = estimator._refuse_unread, ("C", "prior_labels")
    mode = f"finetune={estimator.finetune!r}"
    if estimator.finetune == "none":
        unread = ("head_sizes", "metadata_columns", "class_weight", "callbacks")
        refuse((*linear, *unread), "a head that is trained", mode)
    else:
        instead = "merge the labels in y instead"
        refuse(("merge_classes", "class_prior"), "finetune='none'", mode, instead)
    if estimator.encoder is None:
        refuse((*linear, "head_sizes"), "a head of its own", "encoder=None")
    if estimator.encoder is None or estimator.finetune in ("none", "head"):
        what = "encoder=None" if estimator.encoder is None else mode
        refuse(("finetune_learning_rate", "anchor"), "fine-tuning", what)
    check_head_sizes(estimator.head_sizes)
    if len(estimator.head_sizes):
        refuse(linear, "a linear head", f"head_sizes={estimator.head_sizes!r}")


def fit_classes(
    estimator: Any,
    sample: TrainingSample,
    columns: tuple[str, ...],
    uncertainty: ClassUncertainty,
) -> ClassFit:
    """Fit the head, and the encoder as far as the parameters of the estimator say.

    Parameters
    ----------
    estimator : TransferClassifier
        The estimator whose parameters are read.
    sample : TrainingSample
        Distinct objects with their labels.
    columns : tuple of str
        Per-object columns that join the latent.
    uncertainty : ClassUncertainty
        The method of calibration, which may make the final linear head.
    """
    classes, target = np.unique(sample.y, return_inverse=True)
    require_two_classes(classes, estimator)
    seed = estimator._seed()
    recipe = TransferRecipe.of(estimator, uncertainty)
    trained_here = is_trained_on_labels(estimator.encoder)
    rows, held_out = np.arange(len(target)), None
    if estimator.early_stopping and not (trained_here or recipe.is_solved):
        rows, held_out = estimator._validation_split(sample, seed)
    # What would be an error only after an encoder has been trained is one now.
    class_weight = estimator._class_weights(classes, sample.y, sample.weight)
    resolve_device(estimator.device)
    metadata_matrix(sample.curves, columns)
    unseen = recipe.leaves_labels(estimator.encoder, estimator.early_stopping, sample.y)
    if estimator.calibrate is not None and not unseen:
        remedy = (
            "every class has a single member: add labels,"
            if recipe.is_solved and not trained_here
            else "none would be: set early_stopping=True (of an encoder that is trained first, "
            "too), with at least two members of each class,"
        )
        raise ValueError(
            f"calibrate={estimator.calibrate!r} needs labels that are held out of training, and "
            f"{remedy} or leave calibrate out."
        )
    with single_thread_in_workers(), unrouted():
        default = default_encoder(estimator, columns)
        start = start_encoder(
            estimator.encoder, sample.curves, sample.y, default, seed, sample.weight
        )
        if trained_here:
            rows, held_out = seen_and_held_out(start, sample)
        if estimator.encoder is None:
            # Trained from scratch on the same labels, together with its own head.
            calibration = None
            if held_out is not None:
                calibration = hold_out_of_own(start, sample, target, held_out)
            encoder, history = as_parameter(start), start.net_.history
            return ClassFit(encoder, classes, class_weight, None, history, None, calibration)
        encoder = start._to_fine_tune() if recipe.fine_tunes else start
        net, C, calibration = fit_transfer(
            encoder,
            sample.curves,
            target,
            rows,
            held_out,
            labels_in_encoder=trained_here,
            metadata_columns=columns,
            class_weight=class_weight,
            recipe=recipe,
            settings=estimator._settings(seed),
            sample_weight=sample.weight,
        )
    encoder = as_parameter(encoder, start)
    head = net.module_.head
    return ClassFit(encoder, classes, class_weight, head, net.history, C, calibration)


def targets_among(classes: np.ndarray, y: np.ndarray, curves: LightCurves) -> np.ndarray:
    """Return the index of each label among the classes.

    Raises
    ------
    LightCurveError
        If a label is not among them; the message names the first object.
    """
    unseen = ~np.isin(y, classes)
    if unseen.any():
        first = int(np.flatnonzero(unseen)[0])
        raise LightCurveError(
            f"y holds labels that are not among the classes of this classifier, "
            f"{sorted(set(y[unseen].tolist()))}, first for {name_object(curves, first)}. "
            f"They can never be predicted from {classes.tolist()}: drop those objects, "
            "merge the labels, or fit with examples of them."
        )
    return np.searchsorted(classes, y)


def hold_out_of_own(
    encoder: LightCurveEncoder, sample: TrainingSample, target: np.ndarray, rows: np.ndarray | slice
) -> HeldOut:
    """Return what an encoder's own class head says about objects `rows`, which it has not seen."""
    head, latent = own_head(encoder._source().network), encoder.transform(sample.curves)
    data = HeadData(latent, None, target, sample.weights, np.ones(head.output.out_features))
    return hold_out(head, data, np.arange(len(target))[rows])


def why_nothing_was_held_out(finetune: str) -> str:
    """Say why there are no labels to calibrate prediction sets on, and what to do."""
    if finetune == "none":
        return (
            "Prediction sets are calibrated on labels, and this classifier has seen none: "
            "fit(X, y) with some labelled light curves; with finetune='none' that trains "
            "nothing else."
        )
    return (
        "Prediction sets are calibrated on labels that were held out of training, and none "
        "were: fit with early_stopping=True and at least two members of each class; if you "
        "pass an encoder that is trained on the labels first, set its early_stopping too."
    )
