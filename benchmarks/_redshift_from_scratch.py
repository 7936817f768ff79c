"""Redshifts by a network that nothing was pretrained for: the encoder's, on redshifts alone.

`RedshiftRegressor` trains one with early stopping; here it is trained as encoders are pretrained,
with as many passes as are asked for, so that rows of a table differ in what is learned alone.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from sklc.light_curves import LightCurves
from sklc.networks.architectures import GRU, EncoderNetwork, NetworkShape
from sklc.networks.inference.encode import encode_latents
from sklc.networks.objectives.redshift import redshift_loss
from sklc.networks.training.datasets import CurveDataset
from sklc.networks.training.loop import TrainingSettings, fit_net, seeded
from sklc.representation import InputRepresentation


class _RedshiftNetwork(nn.Module):
    """The encoder's network with its redshift head as the only output."""

    def __init__(self, network: EncoderNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, values: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        network = self.network
        assert network.redshift is not None
        return network.redshift(network.to_latent(network.state(values, lengths)))


class _RedshiftLoss(nn.Module):
    def forward(self, prediction: torch.Tensor, log1p_z: torch.Tensor) -> torch.Tensor:
        return redshift_loss(prediction, log1p_z).mean()


def from_scratch(
    train: LightCurves,
    redshift: np.ndarray,
    test: LightCurves,
    *,
    hidden_size: int,
    epochs: int,
    seed: int,
) -> np.ndarray:
    """Train the whole network on redshifts as encoders are pretrained; return those of `test`."""
    representation = InputRepresentation.preset("relative")
    with seeded(seed):
        shape = NetworkShape(representation.channels, 2, heads={"redshift": (2,)})
        network = GRU(hidden_size=hidden_size).build(shape)
    # The mean of the training set to start from: many redshifts are far from 0.
    assert network.redshift is not None
    log1p_z = np.log1p(redshift).astype(np.float32)
    with torch.no_grad():
        network.redshift.bias[0] = float(log1p_z.mean())
    fit_net(
        _RedshiftNetwork(network),
        CurveDataset(*representation.encode(train), log1p_z),
        None,
        TrainingSettings(
            max_epochs=epochs,
            learning_rate=3e-3,
            learning_rate_decay=True,
            weight_decay=1e-4,
            seed=seed,
            verbose=0,
        ),
        criterion=_RedshiftLoss(),
    )
    latent = encode_latents(network, representation, test, None, device="cpu")
    with torch.inference_mode():
        return np.expm1(network.redshift(torch.from_numpy(latent)).numpy()[:, 0])
