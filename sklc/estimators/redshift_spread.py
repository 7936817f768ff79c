"""Intervals of redshifts, and how far heads on resampled redshifts disagree."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklc.estimators.base import check_coverage
from sklc.estimators.redshift_phases import fit_redshift_head
from sklc.light_curves import LightCurves
from sklc.light_curves.usable import skips_unusable
from sklc.uncertainty.interface import SamplingSettings
from sklc.uncertainty.sampling import resampled
from sklc.utils.sklearn_compat import Interval, StrOptions

__all__ = ["SPREAD_CONSTRAINTS", "RedshiftSpreadMixin", "check_spread", "fit_spread"]

SPREAD_CONSTRAINTS: dict[str, list[Any]] = {
    "uncertainty": [StrOptions({"bootstrap", "ensemble"}), None],
    "n_samples": [Interval(Integral, 2, None, closed="left")],
}


def check_spread(estimator: Any) -> None:
    """Refuse several heads of a `RedshiftRegressor` where none is trained."""
    if estimator.uncertainty is None:
        estimator._refuse_unread(["n_samples"], "several heads", "uncertainty=None")
    elif estimator.finetune == "none":
        estimator._refuse_unread(["uncertainty"], "a head that is trained", "finetune='none'")


def fit_spread(
    estimator: Any,
    curves: LightCurves,
    target: np.ndarray,
    seed: int,
    weight: np.ndarray | None,
    held_out: np.ndarray | None,
) -> list[Any]:
    """Fit further heads, as `fit_redshift_head` fits the first; none without `uncertainty`.

    Parameters
    ----------
    estimator, curves, target, seed, weight, held_out
        As there. A head that is solved exactly does not depend on a seed: with "ensemble", too, it
        is fitted with random weights of the objects.
    """
    if estimator.uncertainty is None:
        return []
    weights = np.ones(len(target)) if weight is None else weight
    resamples = estimator.uncertainty == "bootstrap" or estimator.method != "mlp"
    heads = []
    for own in SamplingSettings(estimator.n_samples, 0.0, seed).seeds():
        drawn = resampled(weights, own) if resamples else weight
        heads.append(fit_redshift_head(estimator, curves, target, own, drawn, held_out))
    return heads


class RedshiftSpreadMixin:
    """The methods `predict_interval` and `predict_uncertainty` of a regressor."""

    # Of the regressor.
    _heads: Any
    _curves: Any
    _columns: Any
    predict_quantiles: Any

    @skips_unusable
    def predict_interval(self, X, *, coverage=0.9, on_error="raise"):
        """Return an interval that contains the redshift with the stated probability.

        Parameters
        ----------
        X : light curves of n_objects
            In any form that `sklc.as_light_curves` takes.
        coverage : float, default=0.9
            Probability that the interval contains the redshift, between 0 and 1.
        on_error : {"raise", "nan"}, default="raise"
            "raise" an error at an object that cannot be used, such as one that is too short, or
            give it a row of NaN and warn ("nan"): see `sklc.light_curves.unusable`.

        Returns
        -------
        ndarray of shape (n_objects, 2)
            Lower and upper limits, with equal probability outside each.

        Raises
        ------
        ValueError
            If `coverage` is not between 0 and 1.

        Notes
        -----
        The probability is over objects like those of `fit`: in a sample that is fainter, or of
        other classes, it may be lower.
        """
        check_is_fitted(self)
        check_coverage(coverage)
        return self.predict_quantiles(X, [(1 - coverage) / 2, (1 + coverage) / 2])

    @skips_unusable
    def predict_uncertainty(self, X, *, on_error="raise"):
        """Return how far the redshifts by several heads disagree, for each object.

        It is the part of the uncertainty that more known redshifts would reduce. The whole, which
        is calibrated, is that of ``predict(X, return_std=True)`` and of `predict_interval`.

        Parameters
        ----------
        X : light curves of n_objects
            In any form that `sklc.as_light_curves` takes.
        on_error : {"raise", "nan"}, default="raise"
            "raise" an error at an object that cannot be used, such as one that is too short, or
            give it NaN and warn ("nan"): see `sklc.light_curves.unusable`.

        Returns
        -------
        ndarray of shape (n_objects,)
            Standard deviation of the redshift over the heads of `uncertainty`.

        Raises
        ------
        ValueError
            If the regressor has a single head.

        Examples
        --------
        >>> from sklc import RedshiftRegressor
        >>> from sklc.datasets import load_demo
        >>> curves = load_demo().curves
        >>> z = curves.metadata["redshift"].to_numpy()
        >>> model = RedshiftRegressor(uncertainty="bootstrap", n_samples=3, random_state=0)
        >>> model.fit(curves[:100], z[:100]).predict_uncertainty(curves[100:103]).shape
        (3,)
        """
        check_is_fitted(self)
        heads = getattr(self, "_heads", ())
        if not heads:
            raise ValueError(
                "This regressor has a single head, and predict_uncertainty compares several: fit "
                "it with uncertainty='bootstrap', or use predict(X, return_std=True)."
            )
        columns = self._columns(self._curves(X, reset=False))
        return np.std([np.expm1(head.predict(columns)[:, 0]) for head in heads], axis=0)
