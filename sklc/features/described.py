"""Features of light curves that a fitted transformer knows how to describe, NaN for others."""

from __future__ import annotations

from typing import Any

import numpy as np

from sklc.errors import LightCurveError
from sklc.light_curves import LightCurves

__all__ = ["describe"]

# Of an object's observations, the share in the passbands of the fit that makes features useful.
_LEAST_SHARE = 0.5


def describe(transformer: Any, curves: LightCurves) -> np.ndarray:
    """Return features, (n_objects, n_features); NaN where an object is not like those of the fit.

    Parameters
    ----------
    transformer : transformer
        A fitted one. If it has ``passbands_``, an object with more than half of its observations
        in others has no features.
    curves : LightCurves
        Light curves of n_objects.

    Returns
    -------
    ndarray of shape (n_objects, n_features), float64

    Raises
    ------
    LightCurveError
        If a transformer does not return one row of numbers per object.

    Examples
    --------
    >>> from sklc import LightCurveFeatures
    >>> from sklc.datasets import load_demo
    >>> from sklc.features import describe
    >>> curves = load_demo().curves
    >>> features = LightCurveFeatures(statistics="core", parametric_fit=False).fit(curves)
    >>> describe(features, curves[:3]).shape
    (3, 178)
    """
    features = np.array(transformer.transform(curves), dtype=float)
    if features.ndim != 2 or len(features) != len(curves):
        raise LightCurveError(
            f"features={transformer!r} returned an array of shape {features.shape} for "
            f"{len(curves)} light curves: it must return one row of numbers per object."
        )
    passbands = getattr(transformer, "passbands_", None)
    if passbands is not None:
        known = np.array([band in passbands for band in curves.passbands] or [False])
        row = np.repeat(np.arange(len(curves)), curves.lengths)
        counted = np.bincount(row, known[curves.band], minlength=len(curves))
        features[counted < _LEAST_SHARE * curves.lengths] = np.nan
    return features
