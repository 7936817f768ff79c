"""A redshift head for light curves of every age: one for whole ones, and one for their prefixes."""

from __future__ import annotations

import copy
from functools import partial
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from sklc.estimators.prefixes import PrefixRows, draw_prefixes
from sklc.estimators.redshift_heads import BlockScaler
from sklc.estimators.redshift_stacking import JoinedRedshiftHead
from sklc.estimators.stacking import too_few_described
from sklc.features import describe
from sklc.light_curves import LightCurves
from sklc.utils.savable import savable
from sklc.utils.sklearn_compat import unrouted

__all__ = ["PhasedRedshiftHead", "fit_redshift_head"]

# A prefix that ends this many days after the first detection, or later, counts as whole.
_EARLY = 30.0
# Fewest early prefixes that a head is fitted on.
_FEWEST = 10
# Inverse L2 strength of the gate.
_GATE_C = 0.3
# The scale of prefixes is such that this share of errors lies within as many scales as it does for
# whole light curves; it is learned in so many folds, on at most so many objects.
_COVERED, _FOLDS, _MOST_FOR_SCALE = 0.9, 3, 1000


def fit_redshift_head(
    estimator: Any,
    curves: LightCurves,
    target: np.ndarray,
    seed: int,
    sample_weight: np.ndarray | None,
    held_out: np.ndarray | None = None,
) -> Any:
    """Fit a head, joined with features if there are any, and another that learns from prefixes.

    Parameters
    ----------
    estimator : RedshiftRegressor
        The estimator, whose encoder is fitted.
    curves : LightCurves
        Distinct light curves.
    target : ndarray of shape (n_objects,)
        Values to predict.
    seed : int
        Determines all draws.
    sample_weight : ndarray of shape (n_objects,) or None
        Weights of the objects.
    held_out : ndarray of int or None, default=None
        Objects that the network has not seen, if there are others.
    """
    new_head, prefixes = partial(estimator._new_head, len(target), seed), None
    late, n_features = new_head(), 0
    columns = estimator._columns(curves)
    if estimator.features_ is not None:
        n_features = describe(estimator.features_, curves[:1]).shape[1]
        n_own = columns.shape[1] - n_features
        described = ~np.isnan(columns[:, n_own:]).all(axis=1)
        weight = np.ones(len(target)) if sample_weight is None else sample_weight
        if too_few_described(described, weight):
            estimator.features_, n_features, columns = None, 0, columns[:, :n_own]
        else:
            late = JoinedRedshiftHead(late, n_features, held_out)
    if estimator.early and estimator.method == "kernel" and not estimator._series_length:
        prefixes = draw_prefixes(curves, estimator.min_points, seed)
    if prefixes is None or np.sum(prefixes.days < _EARLY) < _FEWEST:
        return late.fit(columns, target, seed, sample_weight)
    blocks = estimator.encoder_._source().network.block_sizes
    head = PhasedRedshiftHead(late, new_head(), blocks, n_features)
    rows = prefixes.rows(estimator._columns(prefixes.curves, with_features=False))
    return head.fit(columns, target, seed, sample_weight, rows)


@savable(
    "late", "early", "n_features", "block_sizes", "scaler", "gate", "early_scale_", "out_of_sample_"
)
class PhasedRedshiftHead:
    """Mixture of the predictions of two heads, in proportions that depend on the latent.

    The head of whole light curves is fitted as it would be alone. The other learns from the
    prefixes as well, and a gate recognises which light curves are early.

    Parameters
    ----------
    late : head
        A head that is not fitted, for whole light curves.
    early : KernelHead
        The same for prefixes.
    block_sizes : sequence of int
        Numbers of columns of the blocks of the latent, which come first.
    n_features : int, default=0
        Number of features, the last columns, which the head of whole light curves alone reads.
    """

    def __init__(self, late: Any, early: Any, block_sizes: Any, n_features: int = 0) -> None:
        self.late, self.early, self.n_features = late, early, n_features
        self.block_sizes = tuple(block_sizes)

    def fit(
        self,
        columns: np.ndarray,
        target: np.ndarray,
        seed: int,
        sample_weight: np.ndarray | None,
        prefixes: PrefixRows,
    ) -> PhasedRedshiftHead:
        """Fit all parts, and predict every whole light curve by heads that have not seen it.

        Parameters
        ----------
        columns : ndarray of shape (n_objects, n_columns)
            Inputs of whole light curves, with features.
        target : ndarray of shape (n_objects,)
            Values to predict.
        seed : int
            Determines all draws.
        sample_weight : ndarray of shape (n_objects,) or None
            Weights of the objects.
        prefixes : PrefixRows
            Inputs of the prefixes, without features, in place of their latents.
        """
        n_objects = len(target)
        self.late.fit(columns, target, seed, sample_weight)
        columns = self._own(columns)
        weight = np.ones(n_objects) if sample_weight is None else sample_weight
        row = np.append(np.arange(n_objects), prefixes.owner)
        weight = (weight * prefixes.shares(n_objects))[row]
        everything = np.concatenate([columns, prefixes.latent])
        is_early = np.append(np.zeros(n_objects, dtype=bool), prefixes.days < _EARLY)
        self.early.fit(everything, target[row], seed, weight)
        # To choose the strength again in every fold would take most of the time of the fit.
        similar = self.early.of_same_strength()
        unseen = _ratios_of_unseen(similar, everything, target[row], weight, row, is_early, seed)
        self.scaler = BlockScaler(self.block_sizes).fit(everything.astype(float), weight)
        with unrouted():
            self.gate = LogisticRegression(C=_GATE_C, max_iter=1000).fit(
                self._scaled(everything), is_early, weight
            )
        self.early_scale_ = 1.0
        usual = self._whole_out_of_sample(columns)
        usual = np.quantile(np.abs(target - usual[:, 0]) / usual[:, 1], _COVERED)
        if len(unseen) and usual > 0:
            self.early_scale_ = max(float(np.quantile(unseen, _COVERED) / usual), 1.0)
        self.out_of_sample_ = self._whole_out_of_sample(columns)
        return self

    def _whole_out_of_sample(self, columns: np.ndarray) -> np.ndarray:
        """What heads that have not seen them predict for whole light curves."""
        late = self.late.out_of_sample_
        return self._mixed(columns, late, self.early.out_of_sample_[: len(late)])

    def predict(self, columns: np.ndarray) -> np.ndarray:
        """Means and scales, (n_objects, 2) float64."""
        late, own = self.late.predict(columns), self._own(columns)
        return self._mixed(own, late, self.early.predict(own)) if len(own) else late

    def _own(self, columns: np.ndarray) -> np.ndarray:
        """Columns without features."""
        return columns[:, : columns.shape[1] - self.n_features]

    def _scaled(self, columns: np.ndarray) -> np.ndarray:
        return self.scaler.transform(columns.astype(float))[0]

    def _mixed(self, columns: np.ndarray, late: np.ndarray, early: np.ndarray) -> np.ndarray:
        """Mean and standard deviation of the mixture of two Gaussians."""
        share = self.gate.predict_proba(self._scaled(columns))[:, 1]
        shares, (means, scales) = np.stack([1 - share, share]), np.stack([late, early]).T
        scales = scales * [1.0, self.early_scale_]
        mean = (shares * means.T).sum(axis=0)
        variance = (shares * (scales.T**2 + (means.T - mean) ** 2)).sum(axis=0)
        return np.column_stack([mean, np.sqrt(variance)])


def _ratios_of_unseen(
    unfitted: Any,
    columns: np.ndarray,
    target: np.ndarray,
    weight: np.ndarray,
    owner: np.ndarray,
    is_early: np.ndarray,
    seed: int,
) -> np.ndarray:
    """Errors, in units of the scale, at prefixes of objects of which a head has seen nothing.

    A head's own predictions out of sample leave one row out, but not the others of its object.
    """
    some = np.random.default_rng(seed).permutation(np.unique(owner))[:_MOST_FOR_SCALE]
    if len(some) < _FOLDS:
        return np.empty(0)
    rows, ratios = np.flatnonzero(np.isin(owner, some)), []
    for others, part in GroupKFold(_FOLDS).split(rows, groups=owner[rows]):
        seen, unseen = rows[others], rows[part][is_early[rows[part]]]
        if len(unseen):
            head = copy.deepcopy(unfitted).fit(columns[seen], target[seen], seed, weight[seen])
            predicted = head.predict(columns[unseen])
            ratios.append(np.abs(target[unseen] - predicted[:, 0]) / predicted[:, 1])
    return np.concatenate([np.empty(0), *ratios])
