"""A redshift head for light curves of every age: one for whole ones, and one for their prefixes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from sklc.estimators.prefixes import PrefixRows, draw_prefixes
from sklc.estimators.redshift_heads import BlockScaler
from sklc.light_curves import LightCurves
from sklc.utils.sklearn_compat import unrouted

__all__ = ["PhasedRedshiftHead", "fit_redshift_head"]

# A prefix that ends this many days after the first detection, or later, counts as whole.
_EARLY = 30.0
# Fewest early prefixes that a head is fitted on.
_FEWEST = 10
# Inverse L2 strength of the gate.
_GATE_C = 0.3


def fit_redshift_head(
    estimator: Any,
    curves: LightCurves,
    target: np.ndarray,
    seed: int,
    sample_weight: np.ndarray | None,
) -> Any:
    """Fit a head, or two of them if one shall learn from prefixes.

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
    """
    new_head, prefixes = partial(estimator._new_head, len(target), seed), None
    if estimator.early and estimator.method == "kernel" and not estimator._series_length:
        prefixes = draw_prefixes(curves, estimator.min_points, seed)
    columns = estimator._columns(curves)
    if prefixes is None or np.sum(prefixes.days < _EARLY) < _FEWEST:
        return new_head().fit(columns, target, seed, sample_weight)
    head = PhasedRedshiftHead(new_head, estimator.encoder_._source().network.block_sizes)
    rows = prefixes.rows(estimator._columns(prefixes.curves))
    return head.fit(columns, target, seed, sample_weight, rows)


class PhasedRedshiftHead:
    """Mixture of the predictions of two heads, in proportions that depend on the latent.

    The head of whole light curves is fitted as it would be alone. The other learns from the
    prefixes as well, and a gate recognises which light curves are early.

    Parameters
    ----------
    new_head : callable
        Returns a head that is not fitted.
    block_sizes : sequence of int
        Numbers of columns of the blocks of the latent, which come first.
    """

    def __init__(self, new_head: Callable[[], Any], block_sizes: Any) -> None:
        self.late, self.early = new_head(), new_head()
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
            Inputs of whole light curves.
        target : ndarray of shape (n_objects,)
            Values to predict.
        seed : int
            Determines all draws.
        sample_weight : ndarray of shape (n_objects,) or None
            Weights of the objects.
        prefixes : PrefixRows
            Inputs of the prefixes, in place of their latents.
        """
        n_objects = len(target)
        self.late.fit(columns, target, seed, sample_weight)
        weight = np.ones(n_objects) if sample_weight is None else sample_weight
        row = np.append(np.arange(n_objects), prefixes.owner)
        weight = (weight * prefixes.shares(n_objects))[row]
        everything = np.concatenate([columns, prefixes.latent])
        self.early.fit(everything, target[row], seed, weight)
        self.scaler = BlockScaler(self.block_sizes).fit(everything.astype(float), weight)
        is_early = np.append(np.zeros(n_objects, dtype=bool), prefixes.days < _EARLY)
        with unrouted():
            self.gate = LogisticRegression(C=_GATE_C, max_iter=1000).fit(
                self._scaled(everything), is_early, weight
            )
        self.out_of_sample_ = self._mixed(
            columns, self.late.out_of_sample_, self.early.out_of_sample_[:n_objects]
        )
        return self

    def predict(self, columns: np.ndarray) -> np.ndarray:
        """Means and scales, (n_objects, 2) float64."""
        late = self.late.predict(columns)
        return self._mixed(columns, late, self.early.predict(columns)) if len(columns) else late

    def _scaled(self, columns: np.ndarray) -> np.ndarray:
        return self.scaler.transform(columns.astype(float))[0]

    def _mixed(self, columns: np.ndarray, late: np.ndarray, early: np.ndarray) -> np.ndarray:
        """Mean and standard deviation of the mixture of two Gaussians."""
        share = self.gate.predict_proba(self._scaled(columns))[:, 1]
        shares, means, scales = np.stack([1 - share, share]), *np.stack([late, early]).T
        mean = (shares * means.T).sum(axis=0)
        variance = (shares * (scales.T**2 + (means.T - mean) ** 2)).sum(axis=0)
        return np.column_stack([mean, np.sqrt(variance)])
