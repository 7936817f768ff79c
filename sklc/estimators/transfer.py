"""From a pretrained encoder to a fitted one with a head: what transfer estimators share."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from numbers import Integral
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator, clone
from skorch import NeuralNet

from sklc.estimators.class_heads import (
    HeadData,
    LinearHeads,
    choose_strength,
    fit_dense_head,
    fit_linear_head,
    hold_out,
)
from sklc.estimators.encoder import LightCurveEncoder
from sklc.estimators.sample import TrainingSample
from sklc.light_curves import LightCurves
from sklc.light_curves.metadata import metadata_matrix
from sklc.networks.architectures import EncoderNetwork
from sklc.networks.heads import DenseHead, TransferNetwork
from sklc.networks.objectives.losses import CrossEntropy
from sklc.networks.training.datasets import CurveDataset
from sklc.networks.training.loop import (
    AnchoredNet,
    KeepStartIfBetter,
    TrainingSettings,
    fit_net,
    wrap,
)
from sklc.uncertainty.interface import HeldOut
from sklc.weights.trained import TrainedWeights

__all__ = [
    "KeepsFittedEncoder",
    "TransferRecipe",
    "as_parameter",
    "default_encoder",
    "fine_tune",
    "fit_transfer",
    "is_trained_on_labels",
    "is_user_fitted",
    "seen_and_held_out",
    "start_encoder",
]

# Parameters that an encoder trained from scratch takes over from the transfer estimator.
_SHARED = (
    "min_points",
    "max_epochs",
    "batch_size",
    "learning_rate",
    "early_stopping",
    "validation_fraction",
    "patience",
    "class_weight",
    "callbacks",
    "mixed_precision",
    "device",
    "verbose",
)


def is_user_fitted(encoder: Any) -> bool:
    """Whether `encoder` carries a network that the user trained, rather than weights by name."""
    return (
        isinstance(encoder, LightCurveEncoder)
        and encoder.weights is None
        and hasattr(encoder, "net_")
    )


def is_trained_on_labels(encoder: Any) -> bool:
    """Whether `start_encoder` trains `encoder`, rather than loading or copying it."""
    if isinstance(encoder, LightCurveEncoder):
        return encoder.weights is None and not is_user_fitted(encoder)
    return encoder is None


class KeepsFittedEncoder(BaseEstimator):
    """What estimators with a parameter `encoder` share: cloning keeps one that the user fitted.

    It is a parameter like a weights name: cloning must not turn it into an untrained one, or
    cross-validation would silently train from scratch.
    """

    encoder: Any

    def __sklearn_clone__(self):
        cloned = super().__sklearn_clone__()
        if is_user_fitted(self.encoder):
            cloned.encoder = copy.deepcopy(self.encoder)
        return cloned

    def _with_weights(self) -> LightCurveEncoder:
        """Return the encoder of ``finetune="none"``, whose own heads are used as they are."""
        encoder = self.encoder
        if isinstance(encoder, (str, os.PathLike)):
            encoder = default_encoder(self).set_params(weights=encoder)
        if encoder is None or not encoder.__sklearn_is_fitted__():
            raise ValueError(
                "finetune='none' trains nothing, so it needs pretrained weights: name them, such "
                "as encoder='ztf+lsst', or pass an encoder that you fitted."
            )
        encoder = as_parameter(copy.deepcopy(encoder))
        if encoder._is_fine_tuned():
            raise ValueError(
                "finetune='none' uses the heads that an encoder was trained with, and this one was "
                "fine-tuned further, so that they no longer fit it: predict with the estimator "
                "that fine-tuned it, or use finetune='head' with labels of your own."
            )
        encoder._file = encoder._own_file()
        return encoder


def default_encoder(
    estimator: BaseEstimator, metadata_columns: tuple[str, ...] = ()
) -> LightCurveEncoder:
    """Return an unfitted encoder with the parameters that it shares with a transfer estimator."""
    shared = {name: getattr(estimator, name) for name in _SHARED if hasattr(estimator, name)}
    return LightCurveEncoder(metadata_columns=metadata_columns or None, **shared)


def as_parameter(
    encoder: LightCurveEncoder, start: LightCurveEncoder | None = None
) -> LightCurveEncoder:
    """Return an encoder whose network is its parameter `weights`, so that cloning keeps it.

    Parameters
    ----------
    encoder : LightCurveEncoder
        A fitted encoder.
    start : LightCurveEncoder, optional
        What it was fine-tuned from: that is returned where its network did not change.
    """
    if start is not None and encoder is not start:
        source = encoder._source()
        if isinstance(source, TrainedWeights) and source.equals(start._source().network):
            return as_parameter(start)
    return encoder if encoder.weights is not None else encoder._holding(encoder._source())


def start_encoder(
    encoder: Any,
    curves: LightCurves,
    y: np.ndarray | None,
    default: LightCurveEncoder,
    seed: int,
    sample_weight: np.ndarray | None = None,
) -> LightCurveEncoder:
    """Return an encoder to start from: loaded, copied, or trained on `y`.

    Parameters
    ----------
    encoder : str, path, LightCurveEncoder or None
        The estimator's parameter; never changed.
    curves, y, sample_weight
        Used only where the encoder has to be trained.
    default : LightCurveEncoder
        What None stands for; it says how to compute with weights by name, too.
    seed : int
        The `random_state` of an encoder without one of its own.
    """
    if is_user_fitted(encoder):
        return copy.deepcopy(encoder)
    if encoder is None or isinstance(encoder, LightCurveEncoder):
        encoder = clone(default if encoder is None else encoder)
    else:
        encoder = default._holding(encoder)
    if encoder.random_state is None:
        encoder.set_params(random_state=seed)
    elif not isinstance(encoder.random_state, Integral):
        # A number, so that `seen_and_held_out` can repeat the draw.
        encoder.set_params(random_state=encoder._seed())
    return encoder.fit(curves, y, sample_weight=sample_weight)


def seen_and_held_out(
    encoder: LightCurveEncoder, sample: TrainingSample
) -> tuple[np.ndarray, np.ndarray | None]:
    """Rows that an encoder of `start_encoder` was trained on, and those it stopped early on."""
    if not encoder.early_stopping:
        return np.arange(len(sample.y)), None
    return encoder._validation_split(sample, encoder._seed())


def fine_tune(
    network: EncoderNetwork,
    head: DenseHead,
    train: CurveDataset,
    valid: CurveDataset | None,
    settings: TrainingSettings,
    *,
    layers: str,
    anchor: float,
    criterion: torch.nn.Module,
    callbacks: Sequence[Any],
) -> NeuralNet:
    """Train `network` and `head` together from where they are.

    Parameters
    ----------
    network, head
        Trained in place.
    train, valid : CurveDataset
        Without `valid` all epochs are run, and the start is not kept as a candidate.
    layers : {"backbone+head", "gru+head", "all"}
        What of `network` is trained: the layers of its state, or everything.
    anchor : float
        Pull to the start.
    criterion : torch.nn.Module
        The loss of the head's outputs against targets.
    """
    transfer = TransferNetwork(network, head)
    trained = set(network.parameters_of("encoder" if layers == "all" else "backbone"))
    frozen = [parameter for parameter in network.parameters() if parameter not in trained]
    for parameter in frozen:
        parameter.requires_grad_(False)
    keep_start = [] if valid is None else [("keep_start", KeepStartIfBetter())]
    net = fit_net(
        transfer,
        train,
        valid,
        settings,
        criterion=criterion,
        callbacks=[*keep_start, *callbacks],
        net_class=AnchoredNet,
        anchor=anchor,
    )
    for parameter in frozen:
        parameter.requires_grad_(True)
    return net


@dataclass(frozen=True)
class TransferRecipe:
    """How a classifier is made of an encoder, in the parameters of `TransferClassifier`.

    Parameters
    ----------
    finetune, head_sizes, C, prior_labels, anchor, finetune_learning_rate, callbacks
        Parameters of the same names.
    fit_head : callable or None
        How the final linear head is made, as in `LinearHeads`.
    """

    finetune: str
    head_sizes: tuple[int, ...]
    C: float | None
    prior_labels: float
    anchor: float
    finetune_learning_rate: float
    callbacks: Sequence[Any] | None
    fit_head: Callable[..., torch.nn.Module] | None = None

    @classmethod
    def of(cls, estimator: BaseEstimator, method: Any) -> TransferRecipe:
        """Read the parameters of an estimator, and of its method of calibration."""
        chosen: dict[str, Any] = {f.name: getattr(estimator, f.name, None) for f in fields(cls)}
        chosen["head_sizes"] = tuple(chosen["head_sizes"])
        chosen["fit_head"] = getattr(method, "fit_head", None)
        return cls(**chosen)

    @property
    def fine_tunes(self) -> bool:
        """Whether the encoder is trained, too."""
        return self.finetune != "head"

    @property
    def is_solved(self) -> bool:
        """Whether all there is to fit is a linear head, which is solved exactly."""
        return self.finetune == "head" and not self.head_sizes

    def leaves_labels(self, encoder: Any, early_stopping: bool, y: np.ndarray) -> bool:
        """Whether there will be labels to calibrate on that the head has not seen.

        Parameters
        ----------
        encoder : str, path, LightCurveEncoder or None
            The estimator's parameter.
        early_stopping : bool
            Whether a part is held out of the training of networks.
        y : ndarray of shape (n_objects,)
            Labels.
        """
        if is_trained_on_labels(encoder):
            return early_stopping if encoder is None else encoder.early_stopping
        if self.is_solved:
            # Cross-fitted: every label of a class with several members has its turn.
            return bool(np.unique(y, return_counts=True)[1].max() > 1)
        return early_stopping


def fit_transfer(
    encoder: LightCurveEncoder,
    curves: LightCurves,
    target: np.ndarray,
    rows: np.ndarray,
    held_out: np.ndarray | None,
    *,
    labels_in_encoder: bool,
    metadata_columns: tuple[str, ...],
    class_weight: np.ndarray,
    recipe: TransferRecipe,
    settings: TrainingSettings,
    sample_weight: np.ndarray | None = None,
) -> tuple[NeuralNet, float | None, HeldOut | None]:
    """Fit a head on the frozen encoder, then train both where the recipe asks for it.

    Parameters
    ----------
    encoder : LightCurveEncoder
        A fitted encoder; its network is trained in place where the recipe fine-tunes.
    curves, target
        All the training data, and class indices.
    rows, held_out : ndarray of int
        Objects to train networks on, and to stop early on (or None).
    labels_in_encoder : bool
        Whether the encoder was trained on the labels of `rows`.
    metadata_columns : tuple of str
        Per-object columns that join the latent.
    class_weight : ndarray of shape (n_classes,)
        Weights of the classes.
    recipe : TransferRecipe
        What to fit.
    settings : TrainingSettings
        How networks are trained.
    sample_weight : ndarray of shape (n_objects,), optional
        Weights of the objects; by default all are 1.

    Returns
    -------
    net : skorch.NeuralNet
        Holds a `TransferNetwork`.
    C : float or None
        Inverse strength of a linear head.
    calibration : HeldOut or None
        Objects to calibrate on: all, cross-fitted, where the latents have seen no labels; else
        those held out, if any.
    """
    network, sizes = encoder.net_.module_, recipe.head_sizes
    data = HeadData(
        encoder.transform(curves),
        metadata_matrix(curves, metadata_columns),
        target,
        np.ones(len(target)) if sample_weight is None else sample_weight,
        class_weight,
    )
    C, callbacks, everything = None, recipe.callbacks or (), np.arange(len(target))
    if sizes:
        net = fit_dense_head(
            data, rows, held_out, sizes=sizes, settings=settings, callbacks=callbacks
        )
        head, history = net.module_, net.history
    else:
        C = choose_strength(data, settings.seed) if recipe.C is None else float(recipe.C)
        # An encoder that was trained on the user's labels knows no more classes than they do.
        own = network.head if encoder._knows_pretrained_classes() else None
        heads = LinearHeads(data, C, settings.seed, own, recipe.prior_labels, recipe.fit_head)
    if recipe.finetune == "head":
        net = wrap(TransferNetwork(network, head if sizes else heads.fit(everything)))
        if sizes:
            net.history = history
        elif not labels_in_encoder:
            return net, C, heads.cross_fit()
    else:
        if not sizes:
            # The start must not have seen the part that judges whether training improves on it.
            head = fit_linear_head(data.subset(rows), heads.C)
        values, lengths = encoder.representation_.encode(curves)
        dataset = CurveDataset(
            values,
            lengths,
            data.target,
            sample_weight=data.weight.astype(np.float32),
            metadata=metadata_matrix(curves, encoder.metadata_columns_),
            head_metadata=data.metadata,
        )
        net = fine_tune(
            network,
            head,
            dataset.subset(rows),
            None if held_out is None else dataset.subset(held_out),
            replace(settings, learning_rate=recipe.finetune_learning_rate),
            layers=recipe.finetune,
            anchor=recipe.anchor,
            criterion=CrossEntropy(),
            callbacks=callbacks,
        )
        data = replace(data, latent=encoder.transform(curves))
        if not sizes:
            heads = replace(heads, data=data)
            net.module_.head = heads.fit(everything)
    if held_out is None:
        return net, C, None
    unseeing = net.module_.head if sizes else heads.fit(rows)
    return net, C, hold_out(unseeing, data, held_out)
