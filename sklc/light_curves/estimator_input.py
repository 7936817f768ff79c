"""What estimators make of X: every form becomes light curves, and a plain array has its width."""

from __future__ import annotations

from typing import Any

import numpy as np

from sklc.errors import LightCurveError
from sklc.light_curves.coerce import as_light_curves, check_form, is_series_matrix
from sklc.light_curves.container import LightCurves
from sklc.light_curves.values import without_mask


def input_of(estimator: Any, X: Any, *, reset: bool, min_points: int | None) -> LightCurves:
    """Convert the X of an estimator, and for 2-D X check or learn its ``n_features_in_``.

    Parameters
    ----------
    estimator : object
        The estimator, which remembers whether it was fitted on a plain 2-D array.
    X : object
        Light curves in any form that `as_light_curves` takes.
    reset : bool
        Whether this is `fit`, and not a later method.
    min_points : int or None
        The least number of observations of each object; see `as_light_curves`.

    Returns
    -------
    LightCurves

    Raises
    ------
    LightCurveError
        As `as_light_curves`, if X has another form than in `fit`, or `fit` gets no light curve.
    """
    if not reset:
        check_form(X, getattr(estimator, "_fitted_on_series", None))
    is_series = is_series_matrix(X)
    if is_series:
        from sklearn.utils.validation import validate_data

        X = validate_data(
            estimator,
            without_mask(X),
            reset=reset,
            dtype=[np.float64, np.float32],
            # as_light_curves checks for NaN, with a message that says what to do.
            ensure_all_finite=False,
            # Zero rows give zero rows, but nothing can be learned from them.
            ensure_min_samples=int(reset),
        )
    curves = as_light_curves(X, min_points=min_points)
    if reset and not len(curves):
        raise LightCurveError(
            "Found X with 0 light curves (0 samples) while a minimum of 1 is required to fit."
        )
    if reset:
        estimator._fitted_on_series = is_series
        if not is_series:  # what an earlier fit on such an array has learned
            for name in ("n_features_in_", "feature_names_in_"):
                estimator.__dict__.pop(name, None)
    return curves
