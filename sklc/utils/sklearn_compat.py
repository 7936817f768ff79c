"""What sklc takes from scikit-learn's private parts, in one place for all versions."""

from contextlib import AbstractContextManager
from typing import Any

import numpy as np
from sklearn import config_context
from sklearn.base import _fit_context as fit_context
from sklearn.utils._param_validation import HasMethods, Hidden, Interval, StrOptions
from sklearn.utils.validation import _check_feature_names_in as check_feature_names_in

__all__ = [
    "HasMethods",
    "Hidden",
    "Interval",
    "StrOptions",
    "boosted_trees",
    "check_feature_names_in",
    "fit_context",
    "unrouted",
]


def boosted_trees(model: Any) -> tuple[np.ndarray, list[list[np.ndarray]]]:
    """Return what a fitted `HistGradientBoosting` model adds up, for other ways to evaluate it.

    Parameters
    ----------
    model : HistGradientBoostingClassifier or HistGradientBoostingRegressor
        Fitted, without categories among its features.

    Returns
    -------
    baseline : ndarray of shape (n_outputs,)
        The scores before the first tree.
    steps : list of list of structured ndarray
        The nodes of the tree of each output, for each step.
    """
    steps = [[tree.nodes for tree in step] for step in model._predictors]
    return np.ravel(model._baseline_prediction), steps


def unrouted() -> AbstractContextManager[None]:
    """Turn metadata routing off, for scikit-learn's estimators that others are made of.

    They are given their sample weights directly; some of them would ask who requested these.
    """
    return config_context(enable_metadata_routing=False)
