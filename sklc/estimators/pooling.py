"""Linear heads pooled with the classes of the weights, and how much each part of a pool counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from scipy.optimize import minimize
from scipy.special import log_softmax
from torch import nn

from sklc.estimators.class_heads import HeadData, fit_phased_head, hold_out
from sklc.estimators.pretrained_classes import match_classes
from sklc.networks.heads import PooledHead, in_double_precision
from sklc.uncertainty.interface import HeldOut

__all__ = ["LinearHeads", "OwnClasses", "fit_weights"]

# How many labels the weights of the start are worth.
_START_LABELS = 4.0
# Where weights are learned, the start is that of this many labels for the pretrained classes.
_PRIOR_LABELS = 40.0


def fit_weights(
    parts: np.ndarray,
    target: np.ndarray,
    weight: np.ndarray,
    start: Any,
    least: Any = 0.0,
    start_labels: float = _START_LABELS,
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
    start_labels : float, default=4
        About how many objects the start is worth.
    """
    rows, start = np.arange(len(target)), np.asarray(start, dtype=float)

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        scores = log_softmax(np.tensordot(weights, parts, 1), axis=1)
        expected = np.einsum("kij,ij->ki", parts, np.exp(scores))
        gradient = (expected - parts[:, rows, target]) @ weight
        away = weights - start
        penalty = start_labels * (away @ away)
        return -weight @ scores[rows, target] + penalty, gradient + 2 * start_labels * away

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
        self, head: nn.Module, data: HeadData, weights: tuple[float, ...] | None = None
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


@dataclass(frozen=True)
class LinearHeads:
    """Linear heads on parts of one training set, pooled with the encoder's own classes.

    Parameters
    ----------
    data : HeadData
        The training set.
    C : float
        Inverse L2 strength on scaled latents.
    seed : int
        Determines the folds.
    own : OwnClasses or None
        The classes that the encoder was pretrained with; None leaves them out.
    fit_head : callable or None, default=None
        Makes a head of a `HeadData`, a function that solves one, and a seed; see
        `sklc.uncertainty.ClassUncertainty`. None solves a single one.
    """

    data: HeadData
    C: float
    seed: int
    own: OwnClasses | None
    fit_head: Callable[[HeadData, Callable[[HeadData], nn.Module], int], nn.Module] | None = None

    def fit(self, rows: np.ndarray, weights: tuple[float, ...] | None = None) -> nn.Module:
        """Fit a head on the objects `rows`, and pool it with the own classes, matched to them.

        Without weights of the two, these are those of `OwnClasses.start`.
        """
        data, solve = self.data.subset(rows), partial(fit_phased_head, C=self.C)
        head = solve(data) if self.fit_head is None else self.fit_head(data, solve, self.seed)
        return head if self.own is None else self.own.pool(head, data, weights)

    def fit_judged(
        self, seen: Sequence[np.ndarray], unseen: Sequence[np.ndarray]
    ) -> tuple[nn.Module, HeldOut]:
        """Fit on everything, with weights that are learned on what heads of parts have not seen.

        Parameters
        ----------
        seen, unseen : sequence of ndarray of int
            Objects that a head is fitted on, and those that judge it, for each part.

        Returns
        -------
        head : torch.nn.Module
            The head of all objects.
        held_out : HeldOut
            What the heads of the parts say about the objects that they have not seen.
        """
        parts, weights = [self.fit(rows) for rows in seen], None
        if self.own is not None and self.own.are_judged:
            weights = self._judge(parts, unseen)
            parts = [part.weighted(weights) for part in parts if isinstance(part, PooledHead)]
        held_out = [hold_out(p, self.data, rows) for p, rows in zip(parts, unseen, strict=True)]
        return self.fit(np.arange(len(self.data.target)), weights), HeldOut.join(held_out)

    def _judge(self, pools: list[Any], unseen: Sequence[np.ndarray]) -> tuple[float, ...]:
        whole = replace(self.data, prefixes=None)
        alone, own = (
            HeldOut.join(
                [
                    hold_out(pool.weighted(weights), whole, rows)
                    for pool, rows in zip(pools, unseen, strict=True)
                ]
            )
            for weights in ((1.0, 0.0), (0.0, 1.0))
        )
        assert self.own is not None
        weight = alone.sample_weight * self.data.class_weight[alone.target]
        start = self.own.start(self.data.sample_weight.sum())
        return fit_weights(np.stack([alone.logits, own.logits]), alone.target, weight, start)

    def cross_fit(self, n_folds: int | None = None) -> tuple[nn.Module, HeldOut | None, np.ndarray]:
        """Fit on everything, and on all folds but one, for each, to keep what it says about that.

        The only member of a class is never left out. Returns the head, None in place of what was
        held out if all classes are like that, and the positions of the objects left out.
        """
        everything = np.arange(len(self.data.target))
        rows = self.data.splittable()
        if not len(rows):
            return self.fit(everything), None, rows
        unseen = [part for _, part in self.data.folds(rows, self.seed, n_folds)]
        head, held_out = self.fit_judged([np.setdiff1d(everything, p) for p in unseen], unseen)
        return head, held_out, np.concatenate(unseen)
