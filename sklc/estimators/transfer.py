"""From a pretrained encoder to a fitted one: what transfer estimators share."""

from __future__ import annotations

import copy
import os
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
import torch
from sklearn.base import clone
from skorch import NeuralNet

from sklc.estimators.base import TRAINING_CONSTRAINTS, LightCurveEstimator
from sklc.estimators.context import check_context
from sklc.estimators.encoder import LightCurveEncoder
from sklc.light_curves import LightCurves
from sklc.light_curves.metadata import metadata_matrix
from sklc.networks.architectures import EncoderNetwork
from sklc.networks.heads import DenseHead, TransferNetwork
from sklc.networks.training.datasets import CurveDataset
from sklc.networks.training.loop import AnchoredNet, KeepStartIfBetter, TrainingSettings, fit_net
from sklc.utils.sklearn_compat import Interval, StrOptions
from sklc.weights.file import load_weights
from sklc.weights.trained import TrainedWeights

__all__ = [
    "TRANSFER_CONSTRAINTS",
    "TransferEstimator",
    "as_parameter",
    "default_encoder",
    "fine_tune",
    "is_trained_on_labels",
    "is_trained_on_own_labels",
    "start_encoder",
]

TRANSFER_CONSTRAINTS: dict[str, list[Any]] = {
    "encoder": [str, os.PathLike, LightCurveEncoder, None],
    "finetune": [StrOptions({"none", "head", "backbone+head", "gru+head", "all"})],
    "finetune_learning_rate": [Interval(Real, 0, None, closed="neither")],
    "anchor": [Interval(Real, 0, None, closed="left")],
    **TRAINING_CONSTRAINTS,
}


def is_user_fitted(encoder: Any) -> bool:
    """Whether `encoder` carries a network that the user trained, rather than weights by name."""
    return getattr(encoder, "_trained", None) is not None and encoder.weights is None


def is_trained_on_labels(encoder: Any) -> bool:
    """Whether `start_encoder` trains `encoder`, rather than loading or copying it."""
    if isinstance(encoder, LightCurveEncoder):
        return encoder.weights is None and not is_user_fitted(encoder)
    return encoder is None


def is_trained_on_own_labels(encoder: Any) -> bool:
    """Whether the user's labels are all that `encoder` was, or will be, trained on."""
    if is_trained_on_labels(encoder) or is_user_fitted(encoder):
        return True
    return not getattr(getattr(encoder, "weights", None), "from_weights", True)


class TransferEstimator(LightCurveEstimator):
    """Base of the estimators with a parameter `encoder`, whose clones keep one that was fitted.

    It is a parameter like a weights name: cloning must not turn it into an untrained one, or
    cross-validation would silently train from scratch.
    """

    def __sklearn_clone__(self):
        cloned = super().__sklearn_clone__()
        if is_user_fitted(self.encoder):
            cloned.encoder = copy.deepcopy(self.encoder)
        return cloned

    def _refuse_fine_tuning(self, from_scratch: bool) -> None:
        """Refuse parameters of fine-tuning where nothing is fine-tuned."""
        tunes = self.finetune not in (None, "none", "head")
        if from_scratch or not tunes:
            scratch = "encoder=None" if self.encoder is None else "an unfitted encoder"
            if tunes:
                raise ValueError(
                    f"finetune is for an encoder with weights, and finetune={self.finetune!r} has "
                    f"no effect with {scratch}, which is trained as a whole: leave finetune out, "
                    "or set finetune='head'."
                )
            mode = scratch if from_scratch else f"finetune={self.finetune!r}"
            self._refuse_unread(("finetune_learning_rate", "anchor"), "fine-tuning", mode)

    def _check_context(self) -> None:
        """Refuse a context that no encoder reads, or that belongs to the encoder given."""
        if self.context is None:
            return
        if self.encoder is None or isinstance(self.encoder, LightCurveEncoder):
            mode = "encoder=None" if self.encoder is None else "an encoder that is given itself"
            instead = "" if self.encoder is None else "set it on the encoder"
            self._refuse_unread(["context"], "weights that are given by name", mode, instead)
        check_context(self.context, load_weights(self.encoder), self.encoder)

    def _check_objects(self, curves: LightCurves) -> None:
        self.encoder_._check_objects(curves)
        metadata_matrix(curves, getattr(self, "metadata_columns_", ()))

    def _with_weights(self) -> LightCurveEncoder:
        """Return the encoder of ``finetune="none"``, whose own heads are used as they are."""
        encoder = self.encoder
        if isinstance(encoder, (str, os.PathLike)):
            encoder = default_encoder(self).set_params(weights=encoder)
        if encoder is None or not encoder.__sklearn_is_fitted__():
            raise ValueError(
                "finetune='none' trains nothing, so it needs pretrained weights: name them, such "
                "as encoder='any', or pass an encoder that you fitted."
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
    estimator: LightCurveEstimator, metadata_columns: tuple[str, ...] = ()
) -> LightCurveEncoder:
    """Return an unfitted encoder with the parameters that it shares with a transfer estimator."""
    shared = estimator._shared_with(LightCurveEncoder)
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
        The encoder that it was fine-tuned from. If the network did not change, this is returned.
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
    network_seed: int | None = None,
) -> LightCurveEncoder:
    """Return an encoder to start from: loaded, copied, or trained on `y`.

    Parameters
    ----------
    encoder : str, path, LightCurveEncoder or None
        The estimator's parameter, which is never changed.
    curves, y, sample_weight
        Used only where the encoder has to be trained.
    default : LightCurveEncoder
        The encoder that None stands for. Weights by name are computed with as its parameters say.
    seed : int
        The `random_state` of an encoder without one of its own.
    network_seed : int, optional
        Starts the network, where that is not the seed of the draw of its validation part.
    """
    if is_user_fitted(encoder):
        return copy.deepcopy(encoder)
    if isinstance(encoder, LightCurveEncoder):
        encoder = clone(encoder)
        if encoder.weights is None and default.class_weight is not None:
            if encoder.class_weight is not None:
                raise ValueError(
                    "class_weight is set both of the encoder and of the estimator that trains it: "
                    "leave one of them out."
                )
            encoder.set_params(class_weight=default.class_weight)
    else:
        encoder = clone(default) if encoder is None else default._holding(encoder)
    if encoder.random_state is None:
        encoder.set_params(random_state=seed)
    elif not isinstance(encoder.random_state, Integral):
        # With an integer, the draw of its validation part can be repeated.
        encoder.set_params(random_state=encoder._seed())
    encoder._network_seed = None if network_seed == seed else network_seed
    return encoder.fit(curves, y, sample_weight=sample_weight)


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
    """Train `network` and `head` together, starting from their present weights.

    Parameters
    ----------
    network, head
        Trained in place.
    train, valid : CurveDataset
        Data to train on, and to validate on. Without `valid`, all epochs are run, and the result
        is kept even if it is worse than the start.
    layers : {"backbone+head", "gru+head", "all"}
        Part of `network` that is trained: the layers of its state, or everything.
    anchor : float
        Strength of the pull to the start.
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
