"""Temperature scaling of class probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from sklearn.base import BaseEstimator

from sklc.uncertainty.interface import ClassScores
from sklc.utils.savable import savable

__all__ = ["Temperature"]

# Limits of the temperature. Without them, a few labels that are all predicted correctly would make
# probabilities infinitely sharp.
_TEMPERATURES = (0.05, 20.0)


@savable()
class Temperature(BaseEstimator):
    """Divide the logits by the temperature of lowest log loss (Guo et al. 2017, section 4.2).

    Attributes
    ----------
    temperature_ : float
        The divisor; 1 before `fit`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.uncertainty import ClassScores, Temperature
    >>> logits = 6 * np.eye(2)[[0, 0, 0, 1, 1, 1]]
    >>> method = Temperature().fit(ClassScores(logits), np.array([0, 0, 1, 1, 1, 0]), np.ones(6))
    >>> bool(method.temperature_ > 5)
    True
    """

    temperature_ = 1.0

    def fit(self, scores: ClassScores, target: np.ndarray, sample_weight: np.ndarray):
        """Find the temperature; see `ClassUncertainty`."""
        rows = np.arange(len(target))

        def loss(log_temperature: float) -> float:
            chosen = scores.log_probabilities(float(np.exp(log_temperature)))[rows, target]
            return float(-np.average(chosen, weights=sample_weight))

        best = minimize_scalar(loss, bounds=np.log(_TEMPERATURES), method="bounded")
        self.temperature_ = float(np.exp(best.x))
        return self

    def log_probabilities(self, scores: ClassScores) -> np.ndarray:
        """Return calibrated log probabilities; see `ClassUncertainty`."""
        return scores.log_probabilities(self.temperature_)

    def to_onnx(self, graph: Any, logits: str, merge: np.ndarray | None) -> str:
        """Add the temperature to an exported graph; see `ClassUncertainty`."""
        return graph.probabilities(logits, self.temperature_, merge)
