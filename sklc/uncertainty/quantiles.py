"""Predictive distributions of redshifts, calibrated by conformal prediction."""

from __future__ import annotations

import numpy as np
from scipy.stats import norm
from sklearn.base import BaseEstimator

from sklc.uncertainty.interface import effective_weights
from sklc.utils.savable import savable

__all__ = ["ConformalQuantiles"]


@savable()
class ConformalQuantiles(BaseEstimator):
    """Quantiles of error divided by predicted scale, from errors of out-of-sample predictions.

    This is split, cross- or leave-one-out conformal prediction, depending on where the errors come
    from (Vovk, Gammerman & Shafer 2005; Barber et al. 2021, "Predictive inference with the
    jackknife+"). With n errors, a new one falls below the k-th smallest with probability
    k / (n + 1). Beyond the largest and smallest the tails are those of a Gaussian through them.
    Before `fit`, the scales are taken for those of Gaussians.

    Attributes
    ----------
    errors_ : ndarray of shape (n_objects,), or None
        Sorted values of (target - mean) / scale; None before `fit`.
    weight_ : ndarray of shape (n_objects,), or None
        Their weights, which sum to the effective number of objects.

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.uncertainty import ConformalQuantiles
    >>> rng = np.random.default_rng(0)
    >>> mean, scale, target = np.zeros(999), np.ones(999), rng.normal(0, 3, 999)
    >>> method = ConformalQuantiles().fit(mean, scale, target, np.ones(999))
    >>> method.quantiles(mean[:1], scale[:1], np.array([0.1, 0.5, 0.9])).round(0).tolist()
    [[-4.0, -0.0, 4.0]]
    """

    errors_: np.ndarray | None = None
    weight_: np.ndarray | None = None

    def fit(
        self, mean: np.ndarray, scale: np.ndarray, target: np.ndarray, sample_weight: np.ndarray
    ):
        """Keep the errors; see `RedshiftUncertainty`."""
        errors = (target - mean) / scale
        order = np.argsort(errors)
        order = order[sample_weight[order] > 0]
        self.errors_, self.weight_ = errors[order], effective_weights(sample_weight[order])
        return self

    def quantiles(self, mean: np.ndarray, scale: np.ndarray, levels: np.ndarray) -> np.ndarray:
        """Return quantiles of the target; see `RedshiftUncertainty`."""
        return mean[:, None] + scale[:, None] * self._error_quantiles(levels)

    def standard_deviation(self, mean: np.ndarray, scale: np.ndarray) -> np.ndarray:
        """Return the scale times the root mean square of the errors."""
        if self.errors_ is None:
            return scale
        return scale * np.sqrt(np.average(self.errors_**2, weights=self.weight_))

    def _error_quantiles(self, levels: np.ndarray) -> np.ndarray:
        gaussian = norm.ppf(levels)
        if self.errors_ is None or self.weight_ is None:
            return gaussian
        # An error of weight w stands for w errors of consecutive ranks.
        rank = np.cumsum(self.weight_)
        first = rank - np.maximum(self.weight_ - 1, 0)
        known = np.column_stack([first, rank]).ravel() / (rank[-1] + 1)
        quantiles = np.interp(levels, known, np.repeat(self.errors_, 2))
        reach = norm.ppf(rank[-1] / (rank[-1] + 1))
        # If all errors have one sign, there is no tail of the other sign to extend.
        outwards = quantiles * gaussian > 0
        return np.where(outwards, quantiles * np.maximum(np.abs(gaussian) / reach, 1), quantiles)
