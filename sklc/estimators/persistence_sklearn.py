"""The parts of scikit-learn in fitted estimators, by what their predictions are made of.

What scikit-learn keeps in its objects changes from version to version, and its trees are compiled
code that a wrong number would crash. So a file holds the numbers alone: coefficients, splits,
components. They become either simple objects that predict the same, or scikit-learn's own again by
its public attributes, or by a fit to the numbers themselves.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import expit
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier, IsolationForest
from sklearn.impute import SimpleImputer
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import GammaRegressor, LogisticRegression, Ridge, RidgeCV
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from sklc.estimators.isolation import IsolationTrees
from sklc.utils.savable import savable
from sklc.utils.sklearn_compat import BoostedTrees

__all__ = ["LinearModel", "from_sklearn", "to_sklearn"]

_LINKS = {
    Ridge: "identity",
    RidgeCV: "identity",
    GammaRegressor: "log",
    LogisticRegression: "logit",
}
# Transformers by parameters that matter to `transform`, and by what they have learned.
_TRANSFORMERS: dict[str, tuple[Any, tuple[str, ...], tuple[str, ...]]] = {
    "StandardScaler": (StandardScaler, (), ("mean_", "scale_", "var_", "n_samples_seen_")),
    "PCA": (PCA, ("whiten", "svd_solver"), ("components_", "mean_", "explained_variance_",
            "noise_variance_", "n_components_")),
    "Nystroem": (Nystroem, ("gamma", "n_components"),
                 ("components_", "normalization_", "component_indices_")),
}  # fmt: skip


@savable("coefficients", "intercept", "link")
class LinearModel:
    """A fitted linear model, reduced to its predictions.

    Parameters
    ----------
    coefficients : ndarray of shape (n_columns,)
    intercept : float
    link : {"identity", "log", "logit"}
        What the sum is: the prediction, its logarithm, or the log odds of the second class.
    """

    def __init__(self, coefficients: np.ndarray, intercept: float, link: str) -> None:
        self.coefficients, self.intercept, self.link = coefficients, intercept, link

    @classmethod
    def of(cls, model: Any) -> LinearModel:
        """Return the predictions of a model of scikit-learn."""
        if isinstance(model, LogisticRegression) and len(model.classes_) != 2:
            raise ValueError("only two classes have one sum")
        intercept = float(np.ravel(model.intercept_)[0])
        return cls(np.ravel(model.coef_), intercept, _LINKS[type(model)])

    def predict(self, columns: np.ndarray) -> np.ndarray:
        """Return predictions for (n_objects, n_columns), (n_objects,)."""
        total = columns @ self.coefficients + self.intercept
        return np.exp(total) if self.link == "log" else total

    def predict_proba(self, columns: np.ndarray) -> np.ndarray:
        """Return probabilities of the two classes, (n_objects, 2)."""
        second = expit(columns @ self.coefficients + self.intercept)
        return np.column_stack([1 - second, second])


@savable("name", "params", "learned")
class _Transformer:
    """A transformer by its parameters and attributes."""

    def __init__(self, name: str, params: dict[str, Any], learned: dict[str, Any]) -> None:
        self.name, self.params, self.learned = name, params, learned

    def restore(self) -> Any:
        cls, params, learned = _TRANSFORMERS[self.name]
        if set(self.params) - set(params) or set(self.learned) - {*learned, "n_features_in_"}:
            raise ValueError(f"a {self.name} has not such attributes")
        made = cls(**self.params)
        vars(made).update(self.learned)
        return made


@savable("strategy", "fill_value", "statistics", "flagged")
class _Imputer:
    """An imputer by what replaces missing values, and by the columns that it flags."""

    def __init__(self, imputer: SimpleImputer) -> None:
        self.strategy, self.fill_value = imputer.strategy, imputer.fill_value
        self.statistics = np.asarray(imputer.statistics_, dtype=float)
        self.flagged = imputer.indicator_.features_ if imputer.add_indicator else None

    def restore(self) -> SimpleImputer:
        rows = np.tile(self.statistics, (2, 1))
        if self.flagged is not None:
            rows[0, self.flagged] = np.nan
        return SimpleImputer(
            strategy=self.strategy,
            fill_value=self.fill_value,
            add_indicator=self.flagged is not None,
            keep_empty_features=True,
        ).fit(rows)


@savable("n_neighbors", "columns")
class _Neighbors:
    """Neighbours by the objects that they are looked for among."""

    def __init__(self, neighbors: NearestNeighbors) -> None:
        self.n_neighbors, self.columns = neighbors.n_neighbors, neighbors._fit_X

    def restore(self) -> NearestNeighbors:
        return NearestNeighbors(n_neighbors=self.n_neighbors).fit(self.columns)


@savable("steps")
class _Steps:
    """A pipeline by its transformers."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.steps = [step for _, step in pipeline.steps]

    def restore(self) -> Pipeline:
        return make_pipeline(*self.steps)


def from_sklearn(value: Any) -> Any:
    """Return what stands for an object of scikit-learn in a file, or any other object itself."""
    kind = type(value)
    if kind in _LINKS:
        return LinearModel.of(value)
    if kind is HistGradientBoostingClassifier:
        return BoostedTrees.of(value)
    if kind is IsolationForest:
        return IsolationTrees.of(value)
    if kind is SimpleImputer and value.keep_empty_features:
        return _Imputer(value)
    if kind is NearestNeighbors:
        return _Neighbors(value)
    if kind is Pipeline and all(type(s) in (SimpleImputer, StandardScaler) for _, s in value.steps):
        return _Steps(value)
    for name, (cls, params, learned) in _TRANSFORMERS.items():
        if kind is cls:
            own = {param: getattr(value, param) for param in params}
            names = (*learned, "n_features_in_")
            return _Transformer(name, own, {n: getattr(value, n) for n in names})
    return value


def to_sklearn(value: Any) -> Any:
    """Return the object of scikit-learn that `from_sklearn` was given, as far as it is needed."""
    restore = (_Transformer, _Imputer, _Neighbors, _Steps)
    return value.restore() if isinstance(value, restore) else value
