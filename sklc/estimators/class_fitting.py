"""Fit a transfer classifier on labels: what is held out, what is trained, what is solved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from sklc.estimators.base import require_two_classes
from sklc.estimators.class_heads import HeadData, HeldOut, hold_out
from sklc.estimators.encoder import LightCurveEncoder
from sklc.estimators.sample import TrainingSample
from sklc.estimators.transfer import (
    TransferRecipe,
    as_parameter,
    default_encoder,
    fit_transfer,
    is_trained_on_labels,
    own_head,
    seen_and_held_out,
    start_encoder,
)
from sklc.light_curves.metadata import metadata_matrix
from sklc.networks.inference.encode import resolve_device, single_thread_in_workers
from sklc.uncertainty.interface import ClassUncertainty

__all__ = ["ClassFit", "fit_classes", "hold_out_of_own", "why_nothing_was_held_out"]


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
        raise ValueError(
            f"calibrate={estimator.calibrate!r} needs labels that are held out of training, and "
            "none would be: set early_stopping=True (of an encoder that is trained first, "
            "too), with at least two members of each class, or leave calibrate out."
        )
    with single_thread_in_workers():
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


def hold_out_of_own(
    encoder: LightCurveEncoder, sample: TrainingSample, target: np.ndarray, rows: np.ndarray
) -> HeldOut:
    """Return what an encoder's own class head says about objects `rows`, which it has not seen."""
    head, latent = own_head(encoder._source().network), encoder.transform(sample.curves)
    weight = np.ones(len(target)) if sample.weight is None else sample.weight
    data = HeadData(latent, None, target, weight, np.ones(head.output.out_features))
    return hold_out(head, data, rows)


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
