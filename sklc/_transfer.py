"""From a pretrained encoder to a fitted one with a head: what transfer estimators share."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from sklearn.base import clone
from skorch import NeuralNet

from sklc._net.gru import LightCurveNetwork
from sklc._net.heads import DenseHead, TransferNetwork
from sklc._net.losses import WeightedCrossEntropy
from sklc._net.training import (
    AnchoredNet,
    CurveDataset,
    KeepStartIfBetter,
    TrainingSettings,
    fit_net,
)
from sklc.encoder import LightCurveEncoder
from sklc.light_curves import LightCurves

__all__ = ["fine_tune", "is_user_fitted", "own_head", "start_encoder"]

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
    return encoder.fit(curves, y)


def own_head(network: LightCurveNetwork) -> DenseHead:
    """Return the class head that the encoder was trained with, as a head on the latent."""
    head = DenseHead(network.head.in_features, network.head.out_features)
    head.output.load_state_dict(network.head.state_dict())
    return head


def fine_tune(
    network: LightCurveNetwork,
    head: DenseHead,
    train: CurveDataset,
    valid: CurveDataset | None,
    settings: TrainingSettings,
    *,
    layers: str,
    anchor: float,
    class_weight: np.ndarray,
    callbacks: Sequence[Any],
) -> NeuralNet:
    """Train `network` and `head` together from where they are.

    Parameters
    ----------
    network, head
        Trained in place.
    train, valid : CurveDataset
        Without `valid` all epochs are run, and the start is not kept as a candidate.
    layers : {"gru+head", "all"}
        What of `network` is trained.
    anchor : float
        Pull to the start.
    """
    transfer = TransferNetwork(network, head)
    frozen = [network.head] if layers == "all" else [network.head, network.dense, network.latent]
    if layers != "all" and network.metadata is not None:
        frozen.append(network.metadata)
    for module in frozen:
        module.requires_grad_(False)
    keep_start = [] if valid is None else [("keep_start", KeepStartIfBetter())]
    net = fit_net(
        transfer,
        train,
        valid,
        settings,
        criterion=WeightedCrossEntropy(class_weight),
        callbacks=[*keep_start, *callbacks],
        net_class=AnchoredNet,
        anchor=anchor,
    )
    for parameter in torch.nn.ModuleList(frozen).parameters():
        parameter.requires_grad_(True)
    return net
