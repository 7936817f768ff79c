"""How uncertain several predictions of a class are."""

from __future__ import annotations

import numpy as np
from scipy.special import entr

__all__ = ["SCORES", "uncertainty_scores"]

#: Names of the scores.
SCORES = ("smp", "pv", "bald")


def uncertainty_scores(probabilities: np.ndarray, score: str = "smp") -> np.ndarray:
    """Return a score of the uncertainty of each object; the larger, the less certain.

    Parameters
    ----------
    probabilities : ndarray of shape (n_objects, n_samples, n_classes)
        Class probabilities by every sample.
    score : {"smp", "pv", "bald"}, default="smp"
        "smp" is 1 minus the largest mean probability, from 0 to 1. "pv" is the variance of the
        probabilities over samples, averaged over classes. "bald" is the entropy of the mean minus
        the mean entropy, in nats: what an object could still tell about the model (Houlsby et al.
        2011, arXiv:1112.5745).

    Returns
    -------
    ndarray of shape (n_objects,)
        Not negative.

    Raises
    ------
    ValueError
        If there is no such score.

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.uncertainty import uncertainty_scores
    >>> agree, differ = [[0.6, 0.4], [0.6, 0.4]], [[0.9, 0.1], [0.3, 0.7]]
    >>> uncertainty_scores(np.array([agree, differ]), "smp").round(2)
    array([0.4, 0.4])
    >>> uncertainty_scores(np.array([agree, differ]), "pv").round(2)
    array([0.  , 0.09])
    """
    if score not in SCORES:
        raise ValueError(f"score must be one of {list(SCORES)}, got {score!r:.80}.")
    mean = probabilities.mean(axis=1)
    if score == "smp":
        return 1 - mean.max(axis=1)
    if score == "pv":
        return probabilities.var(axis=1).mean(axis=1)
    gained = entr(mean).sum(axis=1) - entr(probabilities).sum(axis=2).mean(axis=1)
    return np.maximum(gained, 0.0)  # rounding
