"""Layers of the latent that are set after training, from the training data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from sklc.light_curves import LightCurves
from sklc.light_curves.metadata import metadata_matrix
from sklc.networks.architectures import EncoderNetwork
from sklc.networks.inference.encode import encode_latents

if TYPE_CHECKING:
    from sklc.estimators.encoder_training import EncoderTraining

__all__ = ["fill_latent", "standardize_latent"]

# Objects over which latents are standardised: more would not change their mean and scale.
_MOST_FOR_SCALE = 50_000
# Standard deviations of the state at which the hyperbolic tangent before the latent is at 1.
_SOFT = 3.0


def standardize_latent(
    network: EncoderNetwork, curves: LightCurves, training: EncoderTraining
) -> None:
    """Bring each unit of the latent to mean 0 and variance 1 over the training data."""
    latents = _outputs(network, curves, training)[:, : network.latent_size]
    mean, scale = latents.mean(axis=0, dtype=np.float64), latents.std(axis=0, dtype=np.float64)
    # A unit that never varies stays as it is, and is 0.
    scale = np.where(scale > 1e-6 * scale.max(), scale, 1.0)
    network.rescale_latent(*(torch.tensor(x, dtype=torch.float32) for x in (mean, scale)))


def fill_latent(network: EncoderNetwork, curves: LightCurves, training: EncoderTraining) -> None:
    """Set the layers from the state to the latent where no objective has trained them.

    The latent is then the standardised state, as far as it fits into it: its principal components,
    mixed by a rotation, so that all units vary about alike. Units that are cut at 0 are shifted
    above it.
    """
    state = _outputs(network, curves, training)[:, network.latent_size :]
    columns = _columns(curves, training)
    with torch.no_grad():
        summary = network.summary(torch.from_numpy(state))
        scale, mean = torch.std_mean(summary, dim=0, correction=0)
        scale = torch.where(scale > 1e-6 * scale.max(), scale, torch.inf)
        network.dense.weight.copy_(torch.diag(1 / (_SOFT * scale)))
        network.dense.bias.copy_(-mean / (_SOFT * scale))
        dense = torch.tanh(network.dense(summary))
        if network.metadata is not None and columns is not None:
            dense = torch.cat([dense, network.metadata(torch.from_numpy(columns))], dim=1)
        dense = dense.double()
        centre = dense.mean(0)
        _, axes = torch.linalg.eigh((dense - centre).T @ (dense - centre))
        n_kept = min(network.latent_size, axes.shape[1])
        kept = axes[:, -n_kept:]
        generator = torch.Generator().manual_seed(0)
        square = torch.randn(network.latent_size, n_kept, generator=generator, dtype=torch.float64)
        rotation = torch.linalg.qr(square)[0]
        weight = _SOFT * rotation @ kept.T
        latent = (dense - centre) @ weight.T
        lowest = latent.amin(0) if not network.architecture.standardize_latent else 0.0
        network.latent.weight.copy_(weight)
        network.latent.bias.copy_(-weight @ centre - lowest)


def _outputs(network: EncoderNetwork, curves: LightCurves, training: EncoderTraining) -> np.ndarray:
    """Latents and states of a sample of the training data."""
    network.eval()
    some, columns = curves[_sample(curves)], _columns(curves, training)
    return encode_latents(network, training.representation, some, columns, with_state=True)


def _columns(curves: LightCurves, training: EncoderTraining) -> np.ndarray | None:
    return metadata_matrix(curves[_sample(curves)], training.columns)


def _sample(curves: LightCurves) -> np.ndarray:
    return np.linspace(0, len(curves) - 1, min(len(curves), _MOST_FOR_SCALE)).astype(int)
