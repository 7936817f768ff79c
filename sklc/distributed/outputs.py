"""The named and typed columns that each method gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sklc.estimators import LightCurveEncoder
from sklc.light_curves import LightCurves
from sklc.serving import OnnxModel

__all__ = ["METHODS", "TEXT", "Outputs"]

#: The type of columns of text.
TEXT = pd.StringDtype("pyarrow")


@dataclass(frozen=True)
class Outputs:
    """The columns of a result.

    Parameters
    ----------
    names : tuple of str
        Names of the columns.
    dtype : object
        Their type, which holds missing values.
    compute : callable
        A function of light curves that returns an array with one row per object.
    """

    names: tuple[str, ...]
    dtype: Any
    compute: Callable[[LightCurves], Any]

    @classmethod
    def of(cls, estimator: Any, method: str) -> Outputs:
        """Return the columns that a method of an estimator gives.

        Raises
        ------
        TypeError
            If the estimator has no such method.
        """
        return METHODS[method](estimator)

    def frame(self, curves: LightCurves, positions: np.ndarray, n_rows: int) -> pd.DataFrame:
        """Return one row per object, of which those at other positions are missing.

        Parameters
        ----------
        curves : LightCurves
            The objects that can be used.
        positions : ndarray of int
            Their positions.
        n_rows : int
            The number of objects.
        """
        every: Any = np.full((n_rows, len(self.names)), None, dtype=object)
        if isinstance(self.dtype, np.dtype):
            every = np.full((n_rows, len(self.names)), np.nan, dtype=self.dtype)
        if len(curves):
            every[positions] = np.asarray(self.compute(curves)).reshape(len(curves), -1)
        columns = {name: every[:, k] for k, name in enumerate(self.names)}
        return pd.DataFrame(columns).astype(self.dtype)


def _require(estimator: Any, method: str, hint: str) -> Callable[[LightCurves], Any]:
    if not hasattr(estimator, method):
        raise TypeError(f"a {type(estimator).__name__} has no method {method}: {hint}")
    return getattr(estimator, method)


def _transform(estimator: Any) -> Outputs:
    compute = _require(estimator, "transform", "pass an encoder, or the name of weights")
    if isinstance(estimator, LightCurveEncoder | OnnxModel):
        size = (
            estimator._shapes["latent"]
            if isinstance(estimator, OnnxModel)
            else estimator.n_features_out_
        )
        return Outputs(tuple(f"latent_{k}" for k in range(size)), np.dtype(np.float32), compute)
    _require(estimator, "get_feature_names_out", "its columns would have no names")
    names = estimator.get_feature_names_out()
    return Outputs(tuple(map(str, names)), np.dtype(np.float64), compute)


def _predict(estimator: Any) -> Outputs:
    compute = _require(estimator, "predict", "pass a classifier, or the name of weights")
    if not hasattr(estimator, "classes_"):
        name = "redshift" if hasattr(estimator, "predict_quantiles") else "prediction"
        return Outputs((name,), np.dtype(np.float64), compute)
    kind = np.asarray(estimator.classes_).dtype.kind
    dtype: Any = {"i": "Int64", "u": "Int64", "b": "boolean", "f": np.dtype(np.float64)}.get(
        kind, TEXT
    )
    return Outputs(("class",), dtype, compute)


def _predict_proba(estimator: Any) -> Outputs:
    compute = _require(estimator, "predict_proba", "pass a classifier, or the name of weights")
    return Outputs(tuple(map(str, estimator.classes_)), np.dtype(np.float64), compute)


def _redshift(estimator: Any) -> Outputs:
    _require(estimator, "predict_quantiles", "pass a RedshiftRegressor, or weights")

    def compute(curves: LightCurves) -> np.ndarray:
        return np.stack(estimator.predict(curves, return_std=True), axis=1)

    return Outputs(("redshift", "redshift_err"), np.dtype(np.float64), compute)


def _anomaly_score(estimator: Any) -> Outputs:
    compute = getattr(estimator, "anomaly_score", None) or _require(
        estimator, "novelty_score", "pass a LatentIsolationForest, or weights with a novelty score"
    )
    return Outputs(("anomaly_score",), np.dtype(np.float64), compute)


#: What each function of `sklc.distributed` computes.
METHODS: dict[str, Callable[[Any], Outputs]] = {
    "transform": _transform,
    "predict": _predict,
    "predict_proba": _predict_proba,
    "redshift": _redshift,
    "anomaly_score": _anomaly_score,
}
