"""How much each of several predictions of classes counts in a log-linear pool of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.optimize import minimize
from scipy.special import log_softmax
from torch import nn

from sklc.estimators.pretrained_classes import match_classes
from sklc.networks.heads import PooledHead, in_double_precision

__all__ = ["OwnClasses", "fit_weights"]

# How many labels the weights of the start are worth.
_START_LABELS = 4.0
# Where weights are learned, the start is that of this many labels for the pretrained classes.
_PRIOR_LABELS = 40.0


def fit_weights(
    parts: np.ndarray, target: np.ndarray, weight: np.ndarray, start: Any, least: Any = 0.0
) -> tuple[float, ...]:
    """Find the weights of the lowest log loss, pulled towards a start.

    Parameters
    ----------
    parts : ndarray of shape (n_parts, n_objects, n_classes)
        Log probabilities by predictors which have not seen the object.
    target : ndarray of shape (n_objects,)
        Class indices.
    weight : ndarray of shape (n_objects,)
        Weights of the objects.
    start : array-like of shape (n_parts,)
        Weights without any object.
    least : array-like of shape (n_parts,), default=0
        Smallest weights.
    """
    rows, start = np.arange(len(target)), np.asarray(start, dtype=float)

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        scores = log_softmax(np.tensordot(weights, parts, 1), axis=1)
        expected = np.einsum("kij,ij->ki", parts, np.exp(scores))
        gradient = (expected - parts[:, rows, target]) @ weight
        away = weights - start
        penalty = _START_LABELS * (away @ away)
        return -weight @ scores[rows, target] + penalty, gradient + 2 * _START_LABELS * away

    bounds = [(low, None) for low in np.broadcast_to(least, start.shape)]
    best = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    return tuple(float(share) for share in best)


@dataclass(frozen=True)
class OwnClasses:
    """The classes that an encoder was pretrained with, and how they are pooled with a head.

    Parameters
    ----------
    head : torch.nn.Linear
        Makes their logits of the latent.
    alike : ndarray of bool, shape (n_own, n_classes)
        Which of them each class of the labels seems to be, by its name.
    prior_labels : float or "auto"
        Number of labels that count as much as they do; "auto" learns the proportions.
    """

    head: nn.Linear
    alike: np.ndarray
    prior_labels: float | str

    @property
    def are_judged(self) -> bool:
        """Whether their weight is learned on what heads have not seen."""
        return self.prior_labels == "auto"

    def start(self, n_labels: float) -> tuple[float, float]:
        """Weights of a head that learned from so many labels, and of the own classes."""
        worth = _PRIOR_LABELS if isinstance(self.prior_labels, str) else self.prior_labels
        share = worth / (worth + n_labels)
        return float(1 - share), float(share)

    def pool(
        self, head: nn.Module, data: Any, weights: tuple[float, ...] | None = None
    ) -> PooledHead:
        """Pool a head with the own classes, matched to the labels that the head learned from.

        Parameters
        ----------
        head : torch.nn.Module
            The head.
        data : HeadData
            What it learned from.
        weights : (float, float) or None, default=None
            Weights of both; None for those of the start.
        """
        own = np.exp(log_softmax(in_double_precision(self.head, data.latent), axis=1))
        joint = match_classes(own, data.target, data.class_weight, data.sample_weight, self.alike)
        weights = weights or self.start(data.sample_weight.sum())
        return PooledHead(head, self.head, torch.from_numpy(joint).float(), weights)
