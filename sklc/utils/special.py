"""Special functions of scipy, or the same of the standard library where it is not installed."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

try:
    from scipy.special import log_expit, log_ndtr
except ImportError:  # an exported model runs without scipy

    def log_expit(x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the logarithm of the logistic function."""
        return -np.logaddexp(0.0, -x)

    def log_ndtr(x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the logarithm of the Gaussian cumulative distribution function."""
        return np.asarray(_log_ndtr(x), dtype=np.float64)

    def _log_ndtr_of(x: float) -> float:
        if x > -1.0:
            return math.log1p(-0.5 * math.erfc(x / math.sqrt(2.0)))
        if x > -20.0:
            return math.log(0.5 * math.erfc(-x / math.sqrt(2.0)))
        terms = 1 - 1 / x**2 + 3 / x**4 - 15 / x**6 + 105 / x**8  # asymptotic series
        return -0.5 * x * x - math.log(-x) - 0.5 * math.log(2 * math.pi) + math.log(terms)

    _log_ndtr = np.frompyfunc(_log_ndtr_of, 1, 1)

__all__ = ["log_expit", "log_ndtr"]
