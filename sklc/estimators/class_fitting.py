"""Fit a transfer classifier on labels: what is held out, what is trained, what is solved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any

import numpy as np
import torch
from skorch.history import History

from sklc.errors import LightCurveError
from sklc.estimators.base import check_head_sizes, require_two_classes
from sklc.estimators.class_heads import (
    HeadData,
    choose_strength,
    fit_dense_head,
    fit_linear_head,
    hold_out,
)
from sklc.estimators.encoder import LightCurveEncoder
from sklc.estimators.encoder_training import objectives_of
from sklc.estimators.layer_weights import with_layer_weights
from sklc.estimators.novelty import left_out_classes
from sklc.estimators.pooling import LinearHeads, OwnClasses
from sklc.estimators.prefixes import Prefixes, PrefixRows, draw_prefixes
from sklc.estimators.pretrained_classes import CLASS_PRIORS, named_alike
from sklc.estimators.sample import TrainingSample
from sklc.estimators.stacking import (
    FEWEST_TO_JOIN,
    N_FOLDS,
    fit_features,
    join_features,
)
from sklc.estimators.transfer import (
    as_parameter,
    default_encoder,
    fine_tune,
    is_trained_on_labels,
    is_trained_on_own_labels,
    start_encoder,
)
from sklc.features import describe
from sklc.light_curves import LightCurves
from sklc.light_curves.metadata import metadata_matrix, name_object
from sklc.networks.device import resolve_device, single_thread_in_workers
from sklc.networks.heads import own_head
from sklc.networks.joined import JoinedHead
from sklc.networks.objectives import Classifier
from sklc.networks.objectives.losses import CrossEntropy
from sklc.networks.training.datasets import CurveDataset
from sklc.uncertainty.interface import ClassUncertainty, HeldOut
from sklc.utils.sklearn_compat import HasMethods, Interval, StrOptions, unrouted
from sklc.weights.trained import TrainedWeights

__all__ = [
    "CLASS_CONSTRAINTS",
    "check_mode",
    "fit_classes",
    "hold_out_of_own",
    "keeps_its_head",
    "targets_among",
    "why_nothing_was_held_out",
]


CLASS_CONSTRAINTS: dict[str, list[Any]] = {
    "head_sizes": ["array-like"],
    "C": [Interval(Real, 0, None, closed="neither"), None],
    "early": ["boolean"],
    "merge_classes": [Mapping, None],
    "class_prior": [StrOptions(set(CLASS_PRIORS)), Mapping, None],
    "prior_labels": [Interval(Real, 0, None, closed="left"), StrOptions({"auto"})],
    "calibrate": [str, HasMethods(["fit", "log_probabilities"]), None],
}


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
    features : transformer or None, default=None
        What computes the features that are joined to the latent, if any are.
    left_out : ndarray of bool, shape (n_own,), or None, default=None
        Classes of the weights that do not occur among the labels, for a novelty score.
    """

    encoder: LightCurveEncoder
    classes: np.ndarray
    class_weight: np.ndarray
    head: torch.nn.Module | None
    history: Any
    C: float | None
    held_out: HeldOut | None
    features: Any = None
    left_out: np.ndarray | None = None


def keeps_its_head(encoder: Any) -> bool:
    """Whether `encoder` is trained on the labels with a head for their classes, which is kept."""
    if not is_trained_on_labels(encoder):
        return False
    return encoder is None or any(isinstance(own, Classifier) for own in objectives_of(encoder))


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
        if estimator.features is not None:
            refuse(["features"], "a head that is trained", mode)
        unread = ("head_sizes", "early", "metadata_columns", "class_weight", "callbacks")
        refuse((*linear, *unread), "a head that is trained", mode)
    else:
        instead = "merge the labels in y instead"
        refuse(("merge_classes", "class_prior"), "finetune='none'", mode, instead)
        if keeps_its_head(estimator.encoder):
            what = "encoder=None" if estimator.encoder is None else "an unfitted encoder"
            what += ", which is trained with a head of its own"
            refuse((*linear, "head_sizes", "early"), "a head on a trained encoder", what)
            if estimator.encoder is not None:
                names, instead = ("metadata_columns", "callbacks"), "set it on the encoder"
                refuse(names, "a head on a trained encoder", what, instead)
        elif is_trained_on_own_labels(estimator.encoder):
            _refuse_prior_labels(estimator, "an encoder trained on labels of your own")
    estimator._refuse_fine_tuning(keeps_its_head(estimator.encoder))
    estimator._check_context()
    check_head_sizes(estimator.head_sizes)
    if len(estimator.head_sizes):
        refuse(linear, "a linear head", f"head_sizes={estimator.head_sizes!r}")


def _refuse_prior_labels(estimator: Any, mode: str) -> None:
    estimator._refuse_unread(["prior_labels"], "pooling with the classes of weights", mode)


def _own_classes(
    estimator: Any, encoder: LightCurveEncoder, labels: np.ndarray
) -> OwnClasses | None:
    """Return the classes of the weights, if they can and shall be pooled with a head."""
    if is_trained_on_own_labels(estimator.encoder):
        return None  # it knows no more classes than the labels do
    source = encoder._source()
    if source.network.head is None:
        _refuse_prior_labels(estimator, "weights that were not trained on classes")
        return None
    alike = named_alike(np.asarray(source.classes), labels)
    if estimator.prior_labels == 0:
        return None
    return OwnClasses(source.network.head, alike, estimator.prior_labels)


def fit_classes(
    estimator: Any, sample: TrainingSample, columns: tuple[str, ...], uncertainty: ClassUncertainty
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
    seed, rows, held_out = estimator._seed(), np.arange(len(target)), None
    from_scratch = is_trained_on_labels(estimator.encoder)
    is_solved = estimator.finetune == "head" and not len(estimator.head_sizes)
    if estimator.early_stopping and not (from_scratch or is_solved):
        rows, held_out = estimator._validation_split(sample, seed)
    # These checks raise before an encoder is trained, rather than after.
    class_weight = estimator._class_weights(classes, sample.y, sample.weight)
    resolve_device(estimator.device)
    metadata_matrix(sample.curves, columns)
    features, described = None, None
    if sample.weights.sum() >= FEWEST_TO_JOIN and estimator.features is not None:
        features = fit_features(estimator.features, sample.curves)
        described = describe(features, sample.curves)
    if estimator.calibrate is not None:
        _require_unseen_labels(estimator, target, from_scratch, is_solved)
    with single_thread_in_workers(), unrouted():
        default = default_encoder(estimator, columns)
        start = start_encoder(
            estimator.encoder, sample.curves, sample.y, default, seed, sample.weight
        )
        if from_scratch and start.early_stopping:
            rows, held_out = start._validation_split(sample, start._seed())
        if keeps_its_head(estimator.encoder):
            unseen = None
            if held_out is not None:
                unseen = hold_out_of_own(start, sample, target, held_out)
            encoder, history = as_parameter(start), start.net_.history
            joined: torch.nn.Module | None = None
            if unseen is not None and held_out is not None and described is not None:
                latent = start.transform(sample.curves)
                # Those in the loss of the encoder, which may have been given to it alone.
                weights = sample.weights, start._class_weights(classes, sample.y, sample.weight)
                data = HeadData(latent, None, target, *weights, described)
                trained = own_head(encoder._source().network)
                joined, unseen = join_features(trained, data, unseen, held_out, seed)
            if not isinstance(joined, JoinedHead):
                joined, features = None, None
            return ClassFit(encoder, classes, class_weight, joined, history, None, unseen, features)
        if estimator.finetune == "head":
            # A few numbers: that they are learned from labels which calibrate matters little.
            balanced = (sample.weights * class_weight[target])[rows]
            start = with_layer_weights(start, sample.curves[rows], target[rows], balanced, seed)
        prefixes = None
        # The first days of a variable star say little of its period, which is what a fold needs.
        by_time = start.representation_.fold is None and not estimator._fitted_on_series
        if estimator.early and by_time:
            prefixes = draw_prefixes(sample.curves, estimator.min_points, seed)
        latent, beginnings = _latents(start, sample.curves, prefixes)
        if beginnings is not None and prefixes is not None and features is not None:
            beginnings = replace(beginnings, features=describe(features, prefixes.curves))
        metadata = metadata_matrix(sample.curves, columns)
        data = HeadData(
            latent, metadata, target, sample.weights, class_weight, described, beginnings
        )
        left_out = left_out_classes(start, latent, target, sample.weights)
        encoder = start
        if estimator.finetune != "head":
            encoder = start._holding(TrainedWeights.to_fine_tune(start._source()))
        settings, callbacks = estimator._settings(seed), estimator.callbacks or ()
        network, sizes = encoder.net_.module_, estimator.head_sizes
        C, history, everything = None, History(), np.arange(len(target))
        if len(sizes):
            net = fit_dense_head(
                data, rows, held_out, sizes=sizes, settings=settings, callbacks=callbacks
            )
            head, history = net.module_, net.history
        else:
            C = choose_strength(data, seed) if estimator.C is None else float(estimator.C)
            own = _own_classes(estimator, start, classes)
            heads = LinearHeads(data, C, seed, own, getattr(uncertainty, "fit_head", None))
        if encoder is not start:
            if not len(sizes):
                # The start must not have seen the part that judges whether training improves on it.
                head = fit_linear_head(data.subset(rows).stacked(), heads.C)
            dataset = _dataset(encoder, sample.curves, prefixes, data)
            history = fine_tune(
                network,
                head,
                dataset.subset(data.with_prefixes(rows)),
                None if held_out is None else dataset.subset(data.with_prefixes(held_out)),
                replace(settings, learning_rate=estimator.finetune_learning_rate),
                layers=estimator.finetune,
                anchor=estimator.anchor,
                criterion=CrossEntropy(),
                callbacks=callbacks,
            ).history
            latent, beginnings = _latents(encoder, sample.curves, prefixes)
            if beginnings is not None and data.prefixes is not None:
                beginnings = replace(beginnings, features=data.prefixes.features)
            data = replace(data, latent=latent, prefixes=beginnings)
        calibration, unseen_rows = None, everything if held_out is None else held_out
        if not len(sizes):
            heads = replace(heads, data=data)
            if held_out is not None:
                head, calibration = heads.fit_judged([rows], [held_out])
            elif is_solved and not from_scratch:
                n_folds = None if described is None else N_FOLDS
                head, calibration, unseen_rows = heads.cross_fit(n_folds)
            else:
                head = heads.fit(everything)
        elif held_out is not None:
            calibration = hold_out(head, data, held_out)
        final: torch.nn.Module = head
        if calibration is not None and described is not None:
            final, calibration = join_features(head, data, calibration, unseen_rows, seed)
    encoder = as_parameter(encoder, start)
    if not isinstance(final, JoinedHead):
        features = None
    kept = features, left_out
    return ClassFit(encoder, classes, class_weight, final, history, C, calibration, *kept)


def _latents(
    encoder: LightCurveEncoder, curves: LightCurves, prefixes: Prefixes | None
) -> tuple[np.ndarray, PrefixRows | None]:
    """Return the latents of light curves, and of their prefixes if there are any."""
    latent = encoder.transform(curves)
    if prefixes is None:
        return latent, None
    return latent, prefixes.rows(encoder.transform(prefixes.curves))


def _dataset(
    encoder: LightCurveEncoder, curves: LightCurves, prefixes: Prefixes | None, data: HeadData
) -> CurveDataset:
    """Return what encoder and head are trained on together, in the order of ``data.stacked()``."""
    rows = data.stacked()
    parts = [curves] if prefixes is None else [curves, prefixes.curves]
    encoded = [encoder.representation_.encode(part) for part in parts]
    columns = [own for part in parts if (own := encoder._per_object(part)) is not None]
    return CurveDataset(
        np.concatenate([values for values, _ in encoded]),
        np.concatenate([lengths for _, lengths in encoded]),
        rows.target,
        sample_weight=rows.weight.astype(np.float32),
        metadata=np.concatenate(columns) if columns else None,
        head_metadata=rows.metadata,
    )


def _require_unseen_labels(
    estimator: Any, target: np.ndarray, from_scratch: bool, is_solved: bool
) -> None:
    """Refuse a calibration where the head will have seen every label."""
    if from_scratch:
        trained = estimator if estimator.encoder is None else estimator.encoder
        unseen = trained.early_stopping
    else:
        # In cross-fitting, every label of a class with several members is held out once.
        unseen = np.bincount(target).max() > 1 if is_solved else estimator.early_stopping
    if not unseen:
        remedy = (
            "every class has a single member: add labels,"
            if is_solved and not from_scratch
            else "none would be: set early_stopping=True (of an encoder that is trained first, "
            "too), with at least two members of each class,"
        )
        raise ValueError(
            f"calibrate={estimator.calibrate!r} needs labels that are held out of training, and "
            f"{remedy} or leave calibrate out."
        )


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
            "y holds labels that are not among the classes of this classifier, "
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
