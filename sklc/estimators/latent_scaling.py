"""Layers of the latent that are set after training, from the training data."""

from __future__ import annotations

import numpy as np
import torch

from sklc.light_curves import LightCurves
from sklc.light_curves.metadata import metadata_matrix
from sklc.networks.architectures import EncoderNetwork
from sklc.networks.inference.encode import encode_latents
from sklc.representation import InputRepresentation

__all__ = ["fill_latent", "standardize_latent"]

# Objects over which latents are standardised: more would not change their mean and scale.
_MOST_FOR_SCALE = 50_000
# Standard deviations of the state at which the hyperbolic tangent before the latent is at 1.
_SOFT = 3.0


def standardize_latent(
    network: EncoderNetwork,
    representation: InputRepresentation,
    curves: LightCurves,
    columns: tuple[str, ...],
) -> None:
    """Bring each unit of the latent to mean 0 and variance 1 over the training data.

    Parameters
    ----------
    network : EncoderNetwork
        The network, which is changed in place.
    representation : InputRepresentation
        Its input convention.
    curves : LightCurves
        The training data.
    columns : tuple of str
        The metadata columns that it reads.
    """
    latents = _outputs(network, representation, curves, columns)[0]
    mean, scale = latents.mean(axis=0, dtype=np.float64), latents.std(axis=0, dtype=np.float64)
    # A unit that never varies stays as it is, and is 0.
    scale = np.where(scale > 1e-6 * scale.max(), scale, 1.0)
    network.rescale_latent(*(torch.tensor(x, dtype=torch.float32) for x in (mean, scale)))


def fill_latent(
    network: EncoderNetwork,
    representation: InputRepresentation,
    curves: LightCurves,
    columns: tuple[str, ...],
) -> None:
    """Set the layers from the state to the latent where no objective has trained them.

    The latent is then the standardised state, as far as it fits into it: its principal components,
    mixed by a rotation, so that all units vary about alike. Units that are cut at 0 are shifted
    above it. The parameters are those of `standardize_latent`.
    """
    _, state, metadata = _outputs(network, representation, curves, columns)
    with torch.no_grad():
        summary = network.summary(torch.from_numpy(state))
        scale, mean = torch.std_mean(summary, dim=0, correction=0)
        scale = torch.where(scale > 1e-6 * scale.max(), scale, torch.inf)
        network.dense.weight.copy_(torch.diag(1 / (_SOFT * scale)))
        network.dense.bias.copy_(-mean / (_SOFT * scale))
        dense = torch.tanh(network.dense(summary))
        if network.metadata is not None and metadata is not None:
            dense = torch.cat([dense, network.metadata(torch.from_numpy(metadata))], dim=1)
        dense = dense.double()
        centre = dense.mean(0)
        _, axes = torch.linalg.eigh((dense - centre).T @ (dense - centre))
        kept = axes[:, -network.latent_size :]
        generator = torch.Generator().manual_seed(0)
        square = torch.randn(
            network.latent_size, kept.shape[1], generator=generator, dtype=torch.float64
        )
        weight = _SOFT * torch.linalg.qr(square)[0] @ kept.T
        bias = -weight @ centre
        if not network.architecture.standardize_latent:
            bias -= (dense @ weight.T + bias).amin(0)
        network.latent.weight.copy_(weight)
        network.latent.bias.copy_(bias)


def _outputs(
    network: EncoderNetwork,
    representation: InputRepresentation,
    curves: LightCurves,
    columns: tuple[str, ...],
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Latents, states and metadata of a sample of the training data."""
    some = np.linspace(0, len(curves) - 1, min(len(curves), _MOST_FOR_SCALE)).astype(int)
    metadata = metadata_matrix(curves[some], columns)
    network.eval()
    both = encode_latents(network, representation, curves[some], metadata, with_state=True)
    latent, state = np.split(both, [network.latent_size], axis=1)
    return latent, state, metadata
