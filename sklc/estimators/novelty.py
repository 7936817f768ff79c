"""The novelty score of classifiers: the probability that an object is of none of the classes."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import log_softmax
from sklearn.utils.validation import check_is_fitted

from sklc.estimators.class_mixture import ClassMixture
from sklc.estimators.encoder import LightCurveEncoder
from sklc.estimators.pretrained_classes import prior_shares
from sklc.light_curves.usable import skips_unusable
from sklc.networks.heads import in_double_precision, own_head
from sklc.networks.novelty import NoveltyScore, has_novelty
from sklc.weights.catalogue import manifest
from sklc.weights.file import load_weights

__all__ = ["NoveltyMixin", "left_out_classes", "novelty_of"]


def left_out_classes(
    encoder: LightCurveEncoder, latent: np.ndarray, target: np.ndarray, weight: np.ndarray
) -> np.ndarray | None:
    """Return which classes of the weights do not occur among labelled objects.

    Parameters
    ----------
    encoder : LightCurveEncoder
        The frozen encoder.
    latent : ndarray of shape (n_objects, latent_size)
        Latents of the labelled objects.
    target, weight : ndarray of shape (n_objects,)
        Their class indices and weights.

    Returns
    -------
    ndarray of bool, shape (n_own,), or None
        None if the weights have no novelty score.
    """
    network = encoder._source().network
    if encoder._is_fine_tuned() or not has_novelty(network):
        return None
    own = log_softmax(in_double_precision(own_head(network), latent), axis=1)
    return ~ClassMixture.estimate(encoder.classes_, own, target, weight).is_normal


def novelty_of(classifier: Any) -> NoveltyScore | None:
    """Return what computes the novelty score of a fitted classifier, None if it has none."""
    encoder, left_out = classifier.encoder_, getattr(classifier, "_left_out", None)
    source = encoder._source()
    if left_out is None or encoder._is_fine_tuned() or not has_novelty(source.network):
        return None
    shares = prior_shares(encoder.classes_, None, None, source.info.get("class_shares"))
    return NoveltyScore(source.network, shares, left_out)


def _why_there_is_none(classifier: Any) -> str:
    if classifier.encoder_._is_fine_tuned():
        return (
            f"finetune={classifier.finetune!r} has changed the latents that the novelty score of "
            "the weights is computed from: fit with finetune='head' or finetune='none'."
        )
    known = [n for n in manifest()["weights"] if has_novelty(load_weights(n).network)]
    named = f"use weights that have one, {sorted(known)}, or add one" if known else "add one"
    return (
        f"The encoder {classifier.encoder!r:.80} has no novelty score: {named} with "
        "sklc.pretrain.add_novelty(encoder, curves), from light curves of its classes, and pass "
        "the encoder that it returns."
    )


class NoveltyMixin:
    """The method `novelty_score` of a classifier on the latents of an encoder."""

    # Of the classifier.
    head_: Any
    _curves: Any
    _latents: Any
    _probabilities: Any

    @skips_unusable
    def novelty_score(self, X, *, on_error="raise"):
        """Return the probability that an object belongs to none of ``classes_``.

        The score was learned from simulated objects outside the classes of the weights. It is a
        probability under the assumption that half of all objects are unknown. Classes of the
        weights that are not among ``classes_`` also count as unknown: those that `merge_classes`
        leaves out, or that do not occur among the labels of a trained head.

        Parameters
        ----------
        X : light curves of n_objects
            In any form that `sklc.as_light_curves` takes.
        on_error : {"raise", "nan"}, default="raise"
            "raise" an error at an object that cannot be used, such as one that is too short, or
            give it NaN and warn ("nan"): see `sklc.light_curves.unusable`.

        Returns
        -------
        ndarray of shape (n_objects,), float64
            Between 0 and 1. Light curves with few points, which could be anything, are near 0.5.

        Raises
        ------
        ValueError
            If the weights have no novelty score (such as older ones), or were fine-tuned.

        Examples
        --------
        >>> from sklc import TransferClassifier
        >>> from sklc.datasets import load_demo
        >>> curves, y = load_demo(return_X_y=True)
        >>> clf = TransferClassifier("any", random_state=0).fit(curves[::2], y[::2])
        >>> clf.novelty_score(curves[:3]).shape
        (3,)
        """
        check_is_fitted(self)
        latent = self._latents(self._curves(X, reset=False))[0]
        return self._novelty(latent)

    def _novelty(self, latent: np.ndarray) -> np.ndarray:
        """Return the scores of latents, (n_objects,)."""
        score = novelty_of(self)
        if score is None:
            raise ValueError(_why_there_is_none(self))
        return in_double_precision(score, latent)[:, 0]

    @skips_unusable
    def _with_novelty(self, X, *, on_error="raise"):
        """Return probabilities and novelty scores, of latents that are computed once."""
        latent, extra = self._latents(self._curves(X, reset=False))
        logits = in_double_precision(self.head_, latent, extra)
        return self._probabilities(logits), self._novelty(latent)
