"""What sklc takes from scikit-learn's private modules, in one place for all versions."""

from contextlib import AbstractContextManager

from sklearn import config_context
from sklearn.base import _fit_context as fit_context
from sklearn.utils._param_validation import HasMethods, Hidden, Interval, StrOptions
from sklearn.utils.validation import _check_feature_names_in as check_feature_names_in

__all__ = [
    "HasMethods",
    "Hidden",
    "Interval",
    "StrOptions",
    "check_feature_names_in",
    "fit_context",
    "unrouted",
]


def unrouted() -> AbstractContextManager[None]:
    """Turn metadata routing off, for scikit-learn's estimators that others are made of.

    They are given their sample weights directly; some of them would ask who requested these.
    """
    return config_context(enable_metadata_routing=False)
