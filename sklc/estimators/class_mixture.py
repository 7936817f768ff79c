"""Which classes of the weights a sample consists of, and which objects do not belong to them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from sklc.estimators.pretrained_classes import fit_joint_shares
from sklc.utils.savable import savable

__all__ = ["ClassMixture", "class_shares"]

# Confusion alone gives an absent class a share below these.
_NORMAL_IN_SAMPLE = 0.01
_NORMAL_IN_A_CLASS = 0.05


def class_shares(log_probabilities: np.ndarray, weight: np.ndarray | float = 1.0) -> np.ndarray:
    """Estimate the share of each class in an unlabelled sample, by expectation maximisation.

    Counting the most probable classes would find every class that others are confused with. This
    finds the mixture under which the sample is most likely (Saerens, Latinne & Decaestecker 2002,
    Neural Computation 14, 21, equation 4.3). One pseudo-object, spread evenly over the classes,
    keeps every share above zero.

    Parameters
    ----------
    log_probabilities : ndarray of shape (n_objects, n_classes)
        Predictions of a classifier that was trained with equal class weights.
    weight : ndarray of shape (n_objects,), default=1
        Weights of the objects.

    Returns
    -------
    ndarray of shape (n_classes,)
    """
    one_label = np.zeros(len(log_probabilities), dtype=int)
    return fit_joint_shares(np.exp(log_probabilities), one_label, np.ones(1), weight)[:, 0]


def _without_pseudo_object(shares: np.ndarray, n_objects: float) -> np.ndarray:
    """Return the shares without the pseudo-object, which matters where objects are few."""
    return (shares * (n_objects + 1) - 1 / len(shares)) / n_objects


@savable()
@dataclass(frozen=True)
class ClassMixture:
    """The normal objects as a mixture of the classes of the weights.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Classes of the weights.
    shares : ndarray of shape (n_classes,)
        Estimated share of each among the normal objects.
    is_normal : ndarray of bool, shape (n_classes,)
        Whether it counts as one of theirs.
    """

    classes: np.ndarray
    shares: np.ndarray
    is_normal: np.ndarray

    @classmethod
    def estimate(
        cls,
        classes: np.ndarray,
        log_probabilities: np.ndarray,
        y: np.ndarray | None,
        weight: np.ndarray | None = None,
    ) -> ClassMixture:
        """Estimate the mixture from normal objects, and within each of their labels `y` if known.

        Parameters
        ----------
        classes : ndarray of shape (n_classes,)
            Classes of the weights.
        log_probabilities : ndarray of shape (n_objects, n_classes)
            Their log probabilities for the normal objects.
        y : ndarray of shape (n_objects,) or None
            Labels of the normal objects.
        weight : ndarray of shape (n_objects,) or None
            Weights of the objects; by default they count alike.
        """
        weight = np.ones(len(log_probabilities)) if weight is None else weight
        shares = class_shares(log_probabilities, weight)
        is_normal = _without_pseudo_object(shares, weight.sum()) >= _NORMAL_IN_SAMPLE
        if y is not None:
            # A class that is rare in the sample may still be a large part of one label.
            for label in np.unique(y):
                own, its = log_probabilities[y == label], weight[y == label]
                part = _without_pseudo_object(class_shares(own, its), its.sum())
                is_normal |= part >= _NORMAL_IN_A_CLASS
        return cls(classes, shares, is_normal)

    @property
    def rare(self) -> np.ndarray:
        """Classes of the weights that normal objects do not have."""
        return self.classes[~self.is_normal]

    def log_ratio(self, log_probabilities: np.ndarray) -> np.ndarray:
        """Return log likelihood ratios of all classes in equal parts to the mixture, (n_objects,).

        It is high where an object looks like a class that the weights know and that is rare among
        normal objects. The probability of a class under equal priors is its likelihood ratio to
        all classes in equal parts, times a constant.
        """
        mixed = logsumexp(log_probabilities + np.log(self.shares), axis=1)
        return -(mixed + np.log(len(self.classes)))

    def most_probable_normal(self, log_probabilities: np.ndarray) -> np.ndarray:
        """Return the most probable normal class of each object, (n_objects,)."""
        return self.classes[np.argmax(np.where(self.is_normal, log_probabilities, -np.inf), axis=1)]

    def most_probable_rare(self, log_probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the most probable rare class of each object, if any, and its probability."""
        if self.is_normal.all():
            n_objects = len(log_probabilities)
            return np.full(n_objects, None, dtype=object), np.full(n_objects, np.nan)
        rare = np.where(self.is_normal, -np.inf, log_probabilities)
        return self.classes[rare.argmax(axis=1)].astype(object), np.exp(rare.max(axis=1))
