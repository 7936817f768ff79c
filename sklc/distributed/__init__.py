"""Predictions for catalogues of any size, on the engines that surveys use.

The functions take an LSDB catalogue, a dask DataFrame with one row per object, or Parquet files.
`Predictor` is what they apply to each part; it also runs in Spark and Ray.
"""

from sklc.distributed.functions import (
    anomaly_score,
    predict,
    predict_proba,
    redshift,
    transform,
)
from sklc.distributed.parts import Written
from sklc.distributed.predictor import Predictor

__all__ = [
    "Predictor",
    "Written",
    "anomaly_score",
    "predict",
    "predict_proba",
    "redshift",
    "transform",
]
