"""Predict hidden observations from the others, for which no labels are needed."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from sklc.networks.objectives.interface import Objective

__all__ = ["MASKED", "Masked", "mean_and_variance"]

#: Name of the head that predicts hidden observations.
MASKED = "masked"
# Units of its hidden layer.
_UNITS = 64
# Limits of the logarithm of the variance.
_LOG_VARIANCE = (-14.0, 7.0)


def mean_and_variance(prediction: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and variance that the head says, from its output (..., 2)."""
    mean, log_variance = prediction.unbind(-1)
    return mean, log_variance.clamp(*_LOG_VARIANCE).exp()


@dataclass(frozen=True)
class Masked(Objective):
    """Predict observations that are hidden at random, without labels.

    In every epoch, other observations are hidden. The value and the error of a hidden one are
    replaced by a learned token, and the network predicts its mean and variance from the time, the
    wavelength, and the visible observations. The loss is the negative logarithm of a Gaussian
    likelihood, whose variance is the predicted one plus that of the measurement, so that noisy
    points do not dominate. Scales such as the peak or mean of an object are those of its visible
    observations: the true value has no influence on its own prediction.

    Parameters
    ----------
    mask_fraction : float, default=0.5
        Mean share of the observations that are hidden. That of an object is drawn uniformly, from
        near 0 to twice this; at least one of its observations is hidden, and one visible.
    weight : float, default=1.0
        Weight of the likelihood beside other objectives.

    Notes
    -----
    Beside other objectives, half of the objects of an epoch are whole, so that classes are also
    learned from complete light curves.

    Examples
    --------
    >>> from sklc import LightCurveEncoder
    >>> from sklc.datasets import load_demo
    >>> from sklc.networks.objectives import Masked
    >>> curves = load_demo().curves
    >>> encoder = LightCurveEncoder(
    ...     architecture="transformer", objective=Masked(mask_fraction=0.3), max_epochs=1
    ... ).fit(curves[curves.lengths >= 2])
    >>> encoder.transform(curves[:3]).shape
    (3, 128)
    """

    mask_fraction: float = 0.5
    weight: float = 1.0
    needs_labels = False
    trains_latent = False

    def __post_init__(self) -> None:
        if not 0 < self.mask_fraction < 1:
            raise ValueError(
                f"mask_fraction of Masked must lie between 0 and 1, got {self.mask_fraction!r}."
            )
        if not self.weight > 0:
            raise ValueError(f"weight of Masked must be above 0, got {self.weight!r}.")

    def sequence_heads(self, targets):
        """Return a head of one hidden layer, for mean and log variance."""
        return {MASKED: (_UNITS, 2)}

    def loss(self, outputs, targets, progress):
        """Return the negative log-likelihood of each object's hidden observations, their mean."""
        seen = outputs.observations
        mean, variance = mean_and_variance(seen[MASKED])
        variance = variance + seen["error"] ** 2
        likelihood = 0.5 * ((seen["value"] - mean) ** 2 / variance + variance.log())
        hidden = seen["hidden"]
        n_hidden = hidden.sum(dim=1)
        losses = likelihood.where(hidden, 0.0).sum(dim=1) / n_hidden.clamp(min=1)
        counted = (n_hidden > 0).sum().clamp(min=1)
        return self.weight * losses * (len(losses) / counted)
