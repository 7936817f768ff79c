"""Features joined to the latent for redshifts: boosting on folds, and how much it counts."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import GammaRegressor
from sklearn.model_selection import KFold

from sklc.estimators.stacking import BOOSTING, N_FOLDS, fit_boosting
from sklc.networks.joined import fill_missing
from sklc.networks.trees import Trees
from sklc.utils.savable import savable
from sklc.utils.sklearn_compat import unrouted

__all__ = ["JoinedRedshiftHead"]

# How many objects the weight of the head alone is worth.
_PRIOR_OBJECTS = 2.0
# L2 strength of the scale times the number of objects, since few objects only determine a constant.
_SCALE_SHRINKAGE = 15.0


@savable("head", "n_features", "judged", "trees", "weight_", "unit_", "variance_", "out_of_sample_")
class JoinedRedshiftHead:
    """Weighted mean of a head on latents and of boosting on features, with a scale of its own.

    Boosting also reads what the head predicts, for objects of the fit without having seen them, so
    that it learns where features correct it. It does not where the encoder was trained on some of
    the objects, of which the head knows too much.

    The scale is a gamma regression of squared errors on the scale of the head and on how far the
    two disagree. An object without any feature is left to the head.

    Parameters
    ----------
    head : head
        A head with `fit`, `predict` and ``out_of_sample_``; see `redshift_heads`.
    n_features : int
        Number of features, which are the last columns.
    judged : ndarray of int or None, default=None
        Objects that determine the weight: those that the network has not seen; None for all.
    """

    def __init__(self, head: Any, n_features: int, judged: np.ndarray | None = None) -> None:
        self.head, self.n_features, self.judged = head, n_features, judged

    def fit(
        self,
        columns: np.ndarray,
        target: np.ndarray,
        seed: int,
        sample_weight: np.ndarray | None = None,
    ) -> JoinedRedshiftHead:
        """Fit, and predict every object by models that have not seen it.

        Parameters
        ----------
        columns : ndarray of shape (n_objects, n_columns)
            Those of the head, then features (NaN where they are missing).
        target : ndarray of shape (n_objects,)
            Values to predict.
        seed : int
            Determines all draws.
        sample_weight : ndarray of shape (n_objects,), optional
            Weights of the objects, all of them positive.
        """
        weight = np.ones(len(target)) if sample_weight is None else sample_weight
        first, features = self._split(columns)
        own = self.head.fit(first, target, seed, sample_weight).out_of_sample_
        filled = self._filled(features, own)
        described = ~np.isnan(features).all(axis=1)
        boosting, boosted = [], np.zeros(len(target))
        folds = KFold(N_FOLDS, shuffle=True, random_state=seed)
        with unrouted():
            for number, (seen, unseen) in enumerate(folds.split(features)):
                seen = seen[described[seen]]
                model = HistGradientBoostingRegressor(**BOOSTING, random_state=seed + number)
                fit_boosting(model, filled[seen], target[seen], weight[seen])
                boosted[unseen] = Trees([model]).scores(filled[unseen])[:, 0, 0]
                boosting.append(model)
        self.trees = Trees(boosting)
        boosted[~described] = own[~described, 0]
        judged = np.zeros(len(target), dtype=bool)
        judged[slice(None) if self.judged is None else self.judged] = True
        rows = np.flatnonzero(judged & described)
        apart, error, counts = boosted - own[:, 0], target - own[:, 0], weight[rows]
        prior = _PRIOR_OBJECTS * np.average(error[rows] ** 2, weights=counts)
        best = counts @ (apart * error)[rows] / (counts @ apart[rows] ** 2 + prior)
        self.weight_ = float(np.clip(best, 0, 1))
        self._fit_scale(own, boosted, target, weight, rows, seed)
        return self

    def _fit_scale(self, own, boosted, target, weight, rows, seed) -> None:
        """Learn the scale on `rows`, and predict that of each by a regression without it."""
        mean = own[:, 0] + self.weight_ * (boosted - own[:, 0])
        squared = (target - mean) ** 2
        self.unit_ = float(np.average(squared[rows], weights=weight[rows])) or 1.0
        inputs, scaled = self._scale_inputs(own, boosted), np.maximum(squared / self.unit_, 1e-4)
        regression = GammaRegressor(alpha=_SCALE_SHRINKAGE / len(rows), max_iter=300)
        inputs, scaled, weight = inputs[rows], scaled[rows], weight[rows]
        variance = np.empty(len(rows))
        folds = KFold(min(N_FOLDS, len(rows)), shuffle=True, random_state=seed)
        with unrouted():
            for seen, unseen in folds.split(inputs):
                regression.fit(inputs[seen], scaled[seen], weight[seen])
                variance[unseen] = regression.predict(inputs[unseen])
            self.variance_ = regression.fit(inputs, scaled, weight)
        self.out_of_sample_ = np.column_stack([mean, own[:, 1]])
        self.out_of_sample_[rows, 1] = np.sqrt(variance * self.unit_)

    def _scale_inputs(self, own: np.ndarray, boosted: np.ndarray) -> np.ndarray:
        apart = np.abs(boosted - own[:, 0]) / np.sqrt(self.unit_)
        return np.column_stack([np.log(own[:, 1] / np.sqrt(self.unit_)), np.log(apart + 0.1)])

    def predict(self, columns: np.ndarray) -> np.ndarray:
        """Means and scales, (n_objects, 2) float64."""
        first, features = self._split(columns)
        result = self.head.predict(first)
        rows = np.flatnonzero(~np.isnan(features).all(axis=1))
        if len(rows):
            own = result[rows]
            boosted = self.trees.scores(self._filled(features[rows], own)).mean(axis=(1, 2))
            variance = self.variance_.predict(self._scale_inputs(own, boosted)) * self.unit_
            mean = own[:, 0] + self.weight_ * (boosted - own[:, 0])
            result[rows] = np.column_stack([mean, np.sqrt(variance)])
        return result

    def _filled(self, features: np.ndarray, own: np.ndarray) -> np.ndarray:
        """What boosting reads, (n_objects, n_inputs) float32."""
        inputs = features if self.judged is not None else np.column_stack([features, own[:, 0]])
        return fill_missing(inputs)

    def _split(self, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Columns of the head, and features."""
        n_columns = columns.shape[1] - self.n_features
        return columns[:, :n_columns], columns[:, n_columns:].astype(float)
