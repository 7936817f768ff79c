"""Calibrated predictive distributions from the errors on objects that a model has not seen."""

from __future__ import annotations

import numpy as np
from scipy.stats import norm

__all__ = ["ConformalQuantiles"]


class ConformalQuantiles:
    """Quantiles of error / predicted scale, from errors of out-of-sample predictions.

    Split, cross- or leave-one-out conformal prediction, by where the errors come from (Vovk,
    Gammerman & Shafer 2005; Barber et al. 2021, "Predictive inference with the jackknife+"). With
    n errors, a new one falls below the k-th smallest with probability k / (n + 1). Beyond the
    largest and smallest the tails are those of a Gaussian through them.

    Parameters
    ----------
    errors : ndarray of shape (n_objects,), n_objects > 1, or None
        (truth - prediction) / scale; None stands for a unit Gaussian.
    """

    def __init__(self, errors: np.ndarray | None) -> None:
        self.errors = None if errors is None else np.sort(errors)

    def __call__(self, levels: np.ndarray) -> np.ndarray:
        """Quantiles at `levels`, each between 0 and 1."""
        gaussian = norm.ppf(levels)
        if self.errors is None:
            return gaussian
        quantiles = np.quantile(self.errors, levels, method="weibull")
        reach = norm.ppf(len(self.errors) / (len(self.errors) + 1))
        # Where all errors have one sign, the tail of the other has nothing to be stretched.
        outwards = quantiles * gaussian > 0
        return np.where(outwards, quantiles * np.maximum(np.abs(gaussian) / reach, 1), quantiles)
