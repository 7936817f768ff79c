"""Features joined to the latent: boosting on folds, and how much it and the head count."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import log_softmax
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier
from torch import nn

from sklc.estimators.class_heads import HeadData, fit_gate, hold_out
from sklc.estimators.pooling import fit_weights
from sklc.features import LightCurveFeatures
from sklc.light_curves import LightCurves
from sklc.networks.joined import BoostedClasses, JoinedHead, fill_missing
from sklc.uncertainty.interface import HeldOut
from sklc.utils.sklearn_compat import HasMethods, StrOptions, unrouted

__all__ = [
    "FEATURES_CONSTRAINTS",
    "FEWEST_TO_JOIN",
    "N_FOLDS",
    "fit_boosting",
    "fit_features",
    "join_features",
    "too_few_described",
]

FEATURES_CONSTRAINTS: dict[str, list[Any]] = {
    "features": [StrOptions({"core", "full"}), HasMethods(["fit", "transform"]), None]
}
# Every fold costs a fit of boosting, and together they are the one that predicts.
N_FOLDS = 5
# With fewer labels, boosting has learned nothing that is worth its time.
FEWEST_TO_JOIN = 40
# A quarter as many steps of three times the size as those of `sklc.baselines`, on smaller trees and
# fewer bins: the average over folds makes up for them, and all folds cost less than one such fit.
BOOSTING: dict[str, Any] = {
    "learning_rate": 0.1,
    "max_iter": 80,
    "max_bins": 63,
    "max_leaf_nodes": 8,
    "min_samples_leaf": 8,
    "max_features": 0.1,
    "l2_regularization": 1.0,
    "early_stopping": False,
}
# Boosting that counts less than this is left out.
_LEAST_WEIGHT = 0.02
# Weights without any label, and the smallest ones. Held-out labels judge boosting of a single fold,
# trained on fewer labels; the average over folds deserves more, above all where labels are few.
_START, _LEAST = (0.65, 0.35), (0.05, 0.0)
# How many labels the start is worth.
_START_LABELS = 32.0


def fit_features(features: Any, curves: LightCurves) -> Any:
    """Return the fitted transformer that `features` stands for, or None.

    Parameters
    ----------
    features : {"core", "full"}, transformer or None
        The parameter of an estimator. A transformer is cloned.
    curves : LightCurves
        Training light curves. They are fitted without targets, which folds must not share.
    """
    if features is None:
        return None
    if isinstance(features, str):
        core: dict[str, Any] = {"statistics": "core", "parametric_fit": False}
        transformer = LightCurveFeatures(**core if features == "core" else {})
    else:
        transformer = clone(features)
    with unrouted():
        return transformer.fit(curves)


def too_few_described(described: np.ndarray, sample_weight: np.ndarray) -> bool:
    """Whether boosting has nothing to learn from the objects that have any feature."""
    return described.sum() < 2 * N_FOLDS or sample_weight[described].sum() < FEWEST_TO_JOIN


def fit_boosting(model: Any, features: np.ndarray, target: np.ndarray, weight: np.ndarray) -> None:
    """Fit boosting; with weights, scikit-learn takes many times as long to bin the features."""
    model.fit(features, target, None if np.all(weight == 1) else weight)


def _whole_odds(data: HeadData) -> float:
    """Return how many times as much prefixes weigh in the gate of a head as whole light curves.

    There, an object shares its weight among its light curve and its prefixes. To boosting, both are
    equally frequent: a whole light curve that is short must not pass for a prefix.
    """
    if data.prefixes is None:
        return 1.0
    share = data.prefixes.shares(len(data.target))
    return max(float(np.average((1 - share) / share, weights=data.sample_weight * share)), 1.0)


def join_features(
    head: nn.Module, data: HeadData, held_out: HeldOut, rows: np.ndarray, seed: int
) -> tuple[nn.Module, HeldOut]:
    """Join boosting on features to a head, in proportions learned on what neither has seen.

    Parameters
    ----------
    head : torch.nn.Module
        The head that predicts.
    data : HeadData
        The training set, with features.
    held_out : HeldOut
        What heads say about objects that they have not seen.
    rows : ndarray of int, shape (n_held_out,)
        Positions of these objects in `data`.
    seed : int
        Determines folds and boosting.

    Returns
    -------
    head : torch.nn.Module
        A `JoinedHead` with boosting of all folds, or the given one if boosting adds nothing,
        or too few objects have features.
    held_out : HeldOut
        What such heads, with boosting of one fold, say about objects that they have not seen.
    """
    n_classes, features = len(data.class_weight), data.features
    if features is None:
        raise ValueError("The training set has no features to join.")
    # Folds of the heads, or new ones where a part of the data was held out once.
    fold = np.full(len(data.target), -1)
    if len(held_out.heads) > 1:
        fold[rows] = held_out.fold
    else:
        for number, (_, unseen) in enumerate(data.folds(data.splittable(), seed, N_FOLDS)):
            fold[unseen] = number
    gate, filled = fit_gate(data), fill_missing(features)
    described = ~np.isnan(features).all(axis=1)
    if too_few_described(described, data.sample_weight):
        return head, held_out
    boosting, boosted = [], np.zeros((len(fold), n_classes))
    with unrouted():
        for number in range(fold.max() + 1):
            seen = np.flatnonzero((fold != number) & described)
            unseen = np.flatnonzero(fold == number)
            part = HistGradientBoostingClassifier(**BOOSTING, random_state=seed + number)
            fit_boosting(part, filled[seen], data.target[seen], data.weight[seen])
            boosting.append(part)
            boosted[unseen] = BoostedClasses([part], n_classes).logits(filled[unseen])
    counted = (fold[rows] >= 0) & described[rows]
    own = log_softmax(held_out.logits, axis=1)[counted]
    chosen, target = rows[counted], held_out.target[counted]
    both = np.stack([own, boosted[chosen]])
    weights = fit_weights(both, target, data.weight[chosen], _START, _LEAST, _START_LABELS)
    if weights[1] < _LEAST_WEIGHT:
        return head, held_out

    def joined(head: nn.Module, parts: list[Any]) -> JoinedHead:
        odds = _whole_odds(data)
        return JoinedHead(head, parts, weights, n_classes, features.shape[1], gate, odds)

    parts, order = [], []
    for number, part in enumerate(boosting):
        positions = np.flatnonzero(fold[rows] == number)
        if len(positions):
            own_head = held_out.heads[number if len(held_out.heads) > 1 else 0]
            parts.append(hold_out(joined(own_head, [part]), data, rows[positions]))
            order.append(positions)
    return joined(head, boosting), HeldOut.join(parts).reordered(np.argsort(np.concatenate(order)))
