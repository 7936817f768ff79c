"""From a pretrained encoder to a fitted one with a head: what transfer estimators share."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from numbers import Integral
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator, clone
from skorch import NeuralNet

from sklc.estimators.class_heads import LinearHeads, fit_dense_head, hold_out
from sklc.estimators.encoder import LightCurveEncoder
from sklc.light_curves import LightCurves
from sklc.light_curves.metadata import metadata_matrix
from sklc.networks.architectures import EncoderNetwork
from sklc.networks.heads import DenseHead, TransferNetwork
from sklc.networks.objectives.losses import WeightedCrossEntropy
from sklc.networks.training.datasets import CurveDataset
from sklc.networks.training.loop import (
    AnchoredNet,
    KeepStartIfBetter,
    TrainingSettings,
    fit_net,
    wrap,
)
from sklc.uncertainty.classes import HeldOut

__all__ = [
    "KeepsFittedEncoder",
    "fine_tune",
    "fit_transfer",
    "is_trained_on_labels",
    "is_user_fitted",
    "leaves_labels",
    "seen_and_held_out",
    "start_encoder",
]

# Inverse L2 strength of a linear head where no part of the data may be held out to choose it.
_FIXED_C = 0.1

# Parameters that an encoder trained from scratch takes over from the transfer estimator.
_SHARED = (
    "metadata",
    "min_points",
    "max_epochs",
    "batch_size",
    "learning_rate",
    "early_stopping",
    "validation_fraction",
    "patience",
    "class_weight",
    "callbacks",
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
        params = {k: clone(v, safe=False) for k, v in self.get_params(deep=False).items()}
        if is_user_fitted(self.encoder):
            params["encoder"] = copy.deepcopy(self.encoder)
        cloned = type(self)(**params)
        if hasattr(self, "_metadata_request"):
            cloned._metadata_request = copy.deepcopy(self._metadata_request)
        return cloned


def leaves_labels(params: dict[str, Any], y: np.ndarray) -> bool:
    """Whether a classifier with these parameters has labels to calibrate on that it has not seen.

    Parameters
    ----------
    params : dict
        The estimator's parameters.
    y : ndarray of shape (n_objects,)
    """
    if is_trained_on_labels(params["encoder"]):
        encoder = params["encoder"]
        return params["early_stopping"] if encoder is None else encoder.early_stopping
    if params["finetune"] == "head" and not len(params["head_sizes"]):
        # Cross-fitted: every label has its turn.
        return bool(np.unique(y, return_counts=True)[1].min() > 1)
    return params["early_stopping"]


def start_encoder(
    encoder: Any, curves: LightCurves, y: np.ndarray, params: dict[str, Any], seed: int
) -> LightCurveEncoder:
    """Return an encoder to start from: loaded, copied, or trained on `y`.

    Parameters
    ----------
    encoder : str, path, LightCurveEncoder or None
        The estimator's parameter; never changed.
    curves, y
        Used only where the encoder has to be trained.
    params : dict
        The estimator's parameters.
    seed : int
        For an encoder without a `random_state` of its own.
    """
    if is_user_fitted(encoder):
        return copy.deepcopy(encoder)
    if encoder is None:
        encoder = LightCurveEncoder(**{name: params[name] for name in _SHARED})
    elif isinstance(encoder, LightCurveEncoder):
        encoder = clone(encoder)
    else:
        encoder = LightCurveEncoder(encoder, device=params["device"])
    if encoder.random_state is None:
        encoder.set_params(random_state=seed)
    elif not isinstance(encoder.random_state, Integral):
        # A number, so that `seen_and_held_out` can repeat the draw.
        encoder.set_params(random_state=encoder._seed())
    return encoder.fit(curves, y)


def seen_and_held_out(
    encoder: LightCurveEncoder, curves: LightCurves, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray | None]:
    """Rows that an encoder of `start_encoder` was trained on, and those it stopped early on."""
    if not encoder.early_stopping:
        return np.arange(len(y)), None
    return encoder._validation_split(y, curves, encoder._seed())


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
    params: dict[str, Any],
    settings: TrainingSettings,
) -> tuple[NeuralNet, float | None, HeldOut | None]:
    """Fit a head on the frozen encoder, then train both where the parameters ask for it.

    Parameters
    ----------
    encoder : LightCurveEncoder
        Fitted; its network is trained in place.
    curves, target
        All the training data, and class indices.
    rows, held_out : ndarray of int
        Objects to train networks on, and to stop early on (or None).
    labels_in_encoder : bool
        Whether the encoder was trained on the labels of `rows`.
    metadata_columns : tuple of str
        Per-object columns that join the latent.
    class_weight : ndarray of shape (n_classes,)
    params : dict
        The estimator's parameters.
    settings : TrainingSettings

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
    network = encoder.net_.module_
    head_metadata = metadata_matrix(curves, metadata_columns)
    callbacks, sizes, C = params["callbacks"] or (), tuple(params["head_sizes"]), None
    # An encoder that was trained on the user's labels knows no more classes than they do.
    own = None if encoder.weights is None else network.head
    heads = LinearHeads(
        target, head_metadata, class_weight, settings.seed, own, params["prior_labels"]
    )
    latent = encoder.transform(curves)
    everything = np.arange(len(target))
    if sizes:
        head_net = fit_dense_head(
            latent,
            head_metadata,
            target,
            rows,
            held_out,
            sizes=sizes,
            class_weight=class_weight,
            settings=settings,
            callbacks=callbacks,
        )
        head = head_net.module_
    else:
        fixed = None if params["early_stopping"] else _FIXED_C
        head, C = heads.solve(latent, everything, params["C"] or fixed)
    frozen = params["finetune"] == "head"
    if frozen and sizes:
        net = wrap(TransferNetwork(network, head))
        net.history = head_net.history
    elif frozen:
        net = wrap(TransferNetwork(network, heads.pool(head, latent, everything)))
        if not labels_in_encoder and np.bincount(target).min() > 1:
            return net, C, heads.cross_fit(latent, C)
    else:
        if not sizes:
            # The start must not have seen the part that judges whether training improves on it.
            head, _ = heads.solve(latent, rows, C)
        values, lengths = encoder.representation_.encode(curves)
        data = CurveDataset(
            values,
            lengths,
            target,
            metadata=metadata_matrix(curves, encoder.metadata_columns_),
            head_metadata=head_metadata,
        )
        net = fine_tune(
            network,
            head,
            data.subset(rows),
            None if held_out is None else data.subset(held_out),
            replace(settings, learning_rate=params["finetune_learning_rate"]),
            layers=params["finetune"],
            anchor=params["anchor"],
            criterion=WeightedCrossEntropy(class_weight),
            callbacks=callbacks,
        )
        latent = encoder.transform(curves)
        if not sizes:
            net.module_.head = heads.fit(latent, everything, C)
    if held_out is None:
        return net, C, None
    unseeing = net.module_.head if sizes else heads.fit(latent, rows, C)
    return net, C, hold_out(unseeing, latent, head_metadata, target, held_out)
