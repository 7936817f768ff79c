"""From a pretrained encoder to a fitted one with a head: what transfer estimators share."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from sklearn.base import clone
from skorch import NeuralNet

from sklc._base import metadata_matrix
from sklc._heads import fit_dense_head, fit_linear_head
from sklc._net.gru import LightCurveNetwork
from sklc._net.heads import DenseHead, TransferNetwork
from sklc._net.losses import WeightedCrossEntropy
from sklc._net.training import (
    AnchoredNet,
    CurveDataset,
    KeepStartIfBetter,
    TrainingSettings,
    fit_net,
    wrap,
)
from sklc.encoder import LightCurveEncoder
from sklc.light_curves import LightCurves

__all__ = ["fit_transfer", "is_user_fitted", "merge_matrix", "own_head", "start_encoder"]

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
    frozen: list[torch.nn.Module]
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


def fit_transfer(
    encoder: LightCurveEncoder,
    curves: LightCurves,
    target: np.ndarray,
    rows: np.ndarray,
    held_out: np.ndarray | None,
    *,
    metadata_columns: tuple[str, ...],
    class_weight: np.ndarray,
    params: dict[str, Any],
    settings: TrainingSettings,
) -> tuple[NeuralNet, float | None]:
    """Fit a head on the frozen encoder, then train both where the parameters ask for it.

    Parameters
    ----------
    encoder : LightCurveEncoder
        Fitted; its network is trained in place.
    curves, target
        All the training data, and class indices.
    rows, held_out : ndarray of int
        Objects to train networks on, and to stop early on (or None).
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
    """
    network = encoder.net_.module_
    head_metadata = metadata_matrix(curves, metadata_columns)
    callbacks, sizes, C = params["callbacks"] or (), tuple(params["head_sizes"]), None

    def linear(chosen: np.ndarray, C: float | None) -> tuple[DenseHead, float]:
        metadata = None if head_metadata is None else head_metadata[chosen]
        head_net, C = fit_linear_head(
            latent[chosen],
            metadata,
            target[chosen],
            C=C,
            class_weight=class_weight,
            seed=settings.seed,
        )
        return head_net.module_, C

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
        head, C = linear(everything, params["C"] or fixed)
    if params["finetune"] == "head":
        net = wrap(TransferNetwork(network, head))
        if sizes:
            net.history = head_net.history
        return net, C
    if not sizes:
        # The start must not have seen the part that judges whether training improves on it.
        head, _ = linear(rows, C)
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
        class_weight=class_weight,
        callbacks=callbacks,
    )
    if not sizes:
        latent = encoder.transform(curves)
        net.module_.head, _ = linear(everything, C)
    return net, C


def merge_matrix(
    classes: np.ndarray, merge: Mapping[str, list[str]] | None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return class names, sorted, and a matrix that sums probabilities, (n_weights, n_merged).

    Parameters
    ----------
    classes : ndarray of shape (n_weights,)
        Classes of the weights.
    merge : mapping of name to classes of the weights, or None
        Without it, the classes are only sorted, as scikit-learn expects them.
    """
    if merge is None:
        order = np.argsort(classes)
        return classes[order], np.eye(len(classes))[:, order]
    if not merge or any(isinstance(parts, str) for parts in merge.values()):
        raise ValueError(
            "merge_classes must map each class to a list of classes of the weights, such as "
            f"{{'Ia': ['SNIa', 'SNIax'], 'II': ['SNII']}}; got {dict(merge)!r}."
        )
    named = [part for parts in merge.values() for part in parts]
    twice = sorted({part for part in named if named.count(part) > 1})
    if twice:
        raise ValueError(f"merge_classes names {twice} more than once: each can count only once.")
    names = sorted(merge)
    unknown = sorted({c for parts in merge.values() for c in parts} - set(classes.tolist()))
    if unknown:
        raise ValueError(
            f"merge_classes names {unknown}, which the weights do not have: their classes are "
            f"{classes.tolist()}."
        )
    matrix = np.array([[float(c in merge[name]) for name in names] for c in classes])
    return np.asarray(names), matrix
