"""What the features take from scikit-learn, or the least of it where it is not installed.

An exported model, which may compute features, runs with numpy, pandas and ONNX Runtime alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

try:
    from joblib import effective_n_jobs
    from sklearn.base import BaseEstimator, TransformerMixin
    from sklearn.utils.validation import check_is_fitted

    from sklc.utils.sklearn_compat import StrOptions, check_feature_names_in, fit_context
except ImportError:

    class BaseEstimator:  # type: ignore[no-redef]
        """A transformer that is never cloned."""

    class TransformerMixin:  # type: ignore[no-redef]
        """A transformer that is never in a pipeline."""

    class StrOptions:  # type: ignore[no-redef]
        """A constraint that nobody checks."""

        def __init__(self, options: set[str]) -> None:
            self.options = options

    def fit_context(**options: Any) -> Callable:
        """Return a decorator that does nothing."""
        return lambda method: method

    def check_is_fitted(estimator: Any) -> None:
        """Do nothing: the model was fitted before it was exported."""

    def check_feature_names_in(*args: Any, **kwargs: Any) -> None:
        """Do nothing: there are no names to check."""

    def effective_n_jobs(n_jobs: int | None) -> int:
        """Return one, since there are no workers."""
        return 1


__all__ = [
    "BaseEstimator",
    "StrOptions",
    "TransformerMixin",
    "check_feature_names_in",
    "check_is_fitted",
    "effective_n_jobs",
    "fit_context",
]
