"""An ensemble of small networks for redshifts, and its loss."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import nn

from sklc.networks.objectives.losses import LOG_SCALE
from sklc.utils.savable import savable

__all__ = ["RedshiftEnsemble", "RedshiftEnsembleLoss"]


@savable()
class RedshiftEnsemble(nn.Module):
    """Linear models, each with a small network for its residual and the log of its scale.

    All members are computed as one batched product. The last layers of the networks start at zero,
    so that training starts from the linear models.

    Parameters
    ----------
    coefficients : Tensor of shape (n_members, n_columns)
        Coefficients of the linear models.
    intercepts : Tensor of shape (n_members,)
        Intercepts of the linear models.
    sizes : sequence of int
        Units of the hidden layers.
    scale : float
        The error of the linear models on unseen objects, at which the scale starts.
    """

    coefficients: torch.Tensor
    intercepts: torch.Tensor

    def __init__(self, coefficients, intercepts, sizes, scale) -> None:
        super().__init__()
        n_members, n_columns = coefficients.shape
        self.register_buffer("coefficients", coefficients)
        self.register_buffer("intercepts", intercepts)
        widths = [n_columns, *sizes]
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        for n_in, n_out in pairwise(widths):
            self.weights.append(torch.randn(n_members, n_in, n_out) / math.sqrt(n_in))
            self.biases.append(torch.zeros(n_members, 1, n_out))
        self.weights.append(torch.zeros(n_members, widths[-1], 2))
        start = torch.tensor([0.0, math.log(scale)])
        self.biases.append(start.repeat(n_members, 1, 1))

    def forward(self, columns: torch.Tensor) -> torch.Tensor:
        """Mean and log scale by every member, (n_objects, n_members, 2)."""
        hidden = columns.expand(len(self.coefficients), -1, -1)
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            hidden = torch.relu(torch.baddbmm(bias, hidden, weight))
        output = torch.baddbmm(self.biases[-1], hidden, self.weights[-1]).transpose(0, 1)
        mean = columns @ self.coefficients.T + self.intercepts + output[..., 0]
        return torch.stack([mean, output[..., 1].clamp(*LOG_SCALE)], dim=-1)


class RedshiftEnsembleLoss(nn.Module):
    """Squared error of the mean, and likelihood of the scale, over the members' own objects.

    In the plain Gaussian likelihood, objects that are hard to predict hardly count for the mean
    (Seitzer et al. 2022, "On the pitfalls of heteroscedastic uncertainty estimation"). Here, these
    are the distant objects.

    Parameters
    ----------
    scale : float
        Typical error, by which squared errors are divided so that both terms count about alike.
    """

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Loss of (n, n_members, 2) against the target, then weights by member (n, 1 + m)."""
        mean, log_scale = prediction.unbind(-1)
        counts = target[:, 1:]
        squared = (target[:, :1] - mean) ** 2
        likelihood = 0.5 * squared.detach() / torch.exp(2 * log_scale) + log_scale
        loss = 0.5 * squared / self.scale**2 + likelihood
        return (counts * loss).sum() / (counts > 0).sum().clamp(min=1)
