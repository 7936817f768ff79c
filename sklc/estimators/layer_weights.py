"""Weights of the layers of a transformer, learned together with a head (Astromer 2)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from sklc.estimators.encoder import LightCurveEncoder
from sklc.light_curves import LightCurves
from sklc.networks.architectures import EncoderNetwork
from sklc.networks.heads import DenseHead
from sklc.networks.objectives.losses import CrossEntropy
from sklc.networks.training.datasets import LatentDataset
from sklc.networks.training.loop import TrainingSettings, fit_net
from sklc.weights.trained import TrainedWeights

__all__ = ["learn_layer_weights", "with_layer_weights"]

# Steps of the optimizer, and its rate: there are a few numbers to learn beside the head.
_STEPS, _BATCH, _RATE = 600, 256, 0.02


class _HeadOnStates(nn.Module):
    """A head on the latent, from states that were computed once."""

    def __init__(self, network: EncoderNetwork, head: DenseHead) -> None:
        super().__init__()
        self.network, self.head = network, head

    def forward(self, state: torch.Tensor, metadata: torch.Tensor | None = None) -> torch.Tensor:
        return self.head(self.network.to_latent(state, metadata))


def learn_layer_weights(
    network: Any,
    states: np.ndarray,
    metadata: np.ndarray | None,
    target: np.ndarray,
    weight: np.ndarray,
    seed: int,
) -> None:
    """Train the weights of the layers, and a linear head that is dropped afterwards.

    Parameters
    ----------
    network : TransformerNetwork
        Changed in place, in nothing but these weights.
    states : ndarray of shape (n_objects, state_size), float32
        Its states of the labelled objects.
    metadata : ndarray of shape (n_objects, n_columns), float32, or None
        The columns that it reads.
    target : ndarray of shape (n_objects,)
        Class indices.
    weight : ndarray of shape (n_objects,)
        Weights of the objects in the loss.
    seed : int
        Seed of the order of the objects.
    """
    beside = None if metadata is None else torch.from_numpy(metadata)
    with torch.inference_mode():
        latent = network.to_latent(torch.from_numpy(states), beside)
    head = DenseHead(network.latent_size, int(target.max()) + 1)
    head.set_statistics(latent.clone())
    for parameter in head.parameters():
        nn.init.zeros_(parameter)
    trained = {name: parameter.requires_grad for name, parameter in network.named_parameters()}
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(name == "layer_weights")
    steps = -(-len(target) // _BATCH)
    settings = TrainingSettings(
        max_epochs=max(_STEPS // steps, 5),
        batch_size=_BATCH,
        learning_rate=_RATE,
        learning_rate_decay=True,
        seed=seed,
        verbose=0,
    )
    data = LatentDataset(
        target, sample_weight=weight.astype(np.float32), state=states, metadata=metadata
    )
    fit_net(_HeadOnStates(network, head), data, None, settings, criterion=CrossEntropy())
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(trained[name])
    network.eval()


def with_layer_weights(
    encoder: LightCurveEncoder,
    curves: LightCurves,
    target: np.ndarray,
    weight: np.ndarray,
    seed: int,
) -> LightCurveEncoder:
    """Return an encoder whose weights of layers are learned from labels, or the same one.

    Those of an encoder that was trained on classes are left as they are.

    Parameters
    ----------
    encoder : LightCurveEncoder
        A fitted encoder, which is not changed.
    curves : LightCurves
        Labelled light curves.
    target, weight, seed
        As for `learn_layer_weights`.
    """
    network = encoder._source().network
    if network.head is not None or getattr(network, "layer_weights", None) is None:
        return encoder
    tuned = encoder._holding(TrainedWeights.to_fine_tune(encoder._source()))
    states = tuned._encode(curves, tuned, with_state=True)[:, network.latent_size :]
    own, columns = tuned._source().network, tuned._per_object(curves)
    learn_layer_weights(own, np.ascontiguousarray(states), columns, target, weight, seed)
    return tuned
