"""Dask DataFrames: predictions by partition."""

from __future__ import annotations

from typing import Any

from sklc.distributed.predictor import Predictor
from sklc.distributed.stamp import NAME, Stamp

__all__ = ["is_dask_frame", "predicted_frame"]


def is_dask_frame(collection: Any) -> bool:
    """Whether this is a DataFrame of dask."""
    module = type(collection).__module__.partition(".")[0]
    return module in ("dask", "dask_expr", "nested_dask") and hasattr(collection, "map_partitions")


class _Stamped:
    """A predictor whose tables tell what they were made with."""

    def __init__(self, predictor: Predictor) -> None:
        self.predictor, self.stamp = predictor, Stamp.of(predictor)

    def __call__(self, table: Any) -> Any:
        predicted = self.predictor(table)
        predicted.attrs[NAME] = self.stamp.text
        return predicted

    def __dask_tokenize__(self) -> Any:
        return self.predictor.__dask_tokenize__()


def predicted_frame(collection: Any, predictor: Predictor) -> Any:
    """Return the DataFrame of predictions, which are computed when they are asked for."""
    function = _Stamped(predictor)
    meta = function(collection._meta)
    return collection.map_partitions(function, meta=meta, enforce_metadata=True)
