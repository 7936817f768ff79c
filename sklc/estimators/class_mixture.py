"""Which of the weights' classes a sample is made of, and what does not belong to that mixture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from sklc.estimators.pretrained_classes import fit_joint_shares

__all__ = ["ClassMixture", "class_shares"]

# Shares below these are what a classifier's confusion makes of a class that is not there.
_NORMAL_IN_SAMPLE = 0.01
_NORMAL_IN_A_CLASS = 0.05


def class_shares(log_probabilities: np.ndarray) -> np.ndarray:
    """Share of each class in an unlabelled sample, (n_classes,), by expectation maximisation.

    Counting the most probable classes would find every class that others are confused with;
    this asks for the mixture under which the sample is most likely (Saerens, Latinne &
    Decaestecker 2002, Neural Computation 14, 21, equation 4.3). One pseudo-object, spread evenly
    over the classes, keeps every share above zero.

    Parameters
    ----------
    log_probabilities : ndarray of shape (n_objects, n_classes)
        Of a classifier that was trained with equal class weights.
    """
    one_label = np.zeros(len(log_probabilities), dtype=int)
    return fit_joint_shares(np.exp(log_probabilities), one_label, np.ones(1))[:, 0]


def _without_pseudo_object(shares: np.ndarray, n_objects: int) -> np.ndarray:
    """Shares of the objects themselves: of few, the pseudo-object is a good part."""
    return (shares * (n_objects + 1) - 1 / len(shares)) / n_objects


@dataclass(frozen=True)
class ClassMixture:
    """The weights' classes that normal objects are a mixture of.

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
        cls, classes: np.ndarray, log_probabilities: np.ndarray, y: np.ndarray | None
    ) -> ClassMixture:
        """Estimate the mixture from normal objects, and within each of their labels `y` if known.

        Parameters
        ----------
        classes : ndarray of shape (n_classes,)
        log_probabilities : ndarray of shape (n_objects, n_classes)
        y : ndarray of shape (n_objects,) or None
        """
        shares = class_shares(log_probabilities)
        is_normal = _without_pseudo_object(shares, len(log_probabilities)) >= _NORMAL_IN_SAMPLE
        if y is not None:
            # A class that is rare in the sample may still be a good part of one label.
            for label in np.unique(y):
                own = log_probabilities[y == label]
                part = _without_pseudo_object(class_shares(own), len(own))
                is_normal |= part >= _NORMAL_IN_A_CLASS
        return cls(classes, shares, is_normal)

    @property
    def rare(self) -> np.ndarray:
        """Classes of the weights that normal objects do not have."""
        return self.classes[~self.is_normal]

    def log_ratio(self, log_probabilities: np.ndarray) -> np.ndarray:
        """Log likelihood of all classes in equal parts over that of the mixture, (n_objects,).

        High where an object looks like something that the weights know and normal objects are
        not: the probability of a class, under equal priors, is its likelihood ratio to all
        classes in equal parts, times a constant.
        """
        mixed = logsumexp(log_probabilities + np.log(self.shares), axis=1)
        return -(mixed + np.log(len(self.classes)))

    def most_probable_normal(self, log_probabilities: np.ndarray) -> np.ndarray:
        """Most probable normal class of each object, (n_objects,)."""
        normal = np.flatnonzero(self.is_normal)
        return self.classes[normal][np.argmax(log_probabilities[:, normal], axis=1)]

    def most_probable_rare(self, log_probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Most probable rare class of each object (None without any), and its probability."""
        rare = np.flatnonzero(~self.is_normal)
        names = np.full(len(log_probabilities), None, dtype=object)
        probability = np.full(len(log_probabilities), np.nan)
        if len(rare):
            best = np.argmax(log_probabilities[:, rare], axis=1)
            names[:] = self.classes[rare][best]
            probability = np.exp(log_probabilities[np.arange(len(best)), rare[best]])
        return names, probability
