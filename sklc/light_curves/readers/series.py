"""Plain numbers: each row a series in one anonymous band, at the times 0, 1, 2, ..."""

from __future__ import annotations

from typing import Any

import numpy as np

from sklc.errors import LightCurveError
from sklc.light_curves.alignment import indexed_metadata
from sklc.light_curves.bands import SERIES_PASSBAND
from sklc.light_curves.forms import (
    all_numbers,
    are_rows,
    array_of,
    is_long,
    is_object,
    names_of,
)
from sklc.light_curves.options import ReadOptions
from sklc.light_curves.readers.items import one_column
from sklc.light_curves.store import Store, read_only
from sklc.light_curves.tables import is_sparse, is_table, metadata_frame
from sklc.light_curves.values import numbers, plain_nd


def accepts(X: Any) -> bool:
    """Whether X is a table of numbers, or an array of up to two axes, or the same in lists."""
    if isinstance(X, list | tuple):
        return are_rows(X)
    if is_table(X):
        return not is_long(names_of(X)) and all_numbers(X)
    array = array_of(X)
    return is_sparse(X) or (array is not None and array.ndim <= 2)


def read(X: Any, options: ReadOptions) -> Store:
    """Return plain numbers as a store; see `sklc.as_light_curves`.

    Raises
    ------
    LightCurveError
        If X has no two axes, or a value is not a number, NaN or infinite.
    TypeError
        If X is a sparse matrix.
    """
    if is_sparse(X):
        raise TypeError(
            "Sparse data was passed, but dense data is required. Use '.toarray()' to convert to a "
            "dense numpy array."
        )
    if is_table(X):
        frame = metadata_frame(X)
        X = frame.to_numpy(dtype=np.float64, na_value=np.nan)
    X = plain_nd(X, "array of series")
    if X.ndim != 2 or not X.shape[1]:
        raise LightCurveError(
            f"X has the shape {X.shape}; an array of series has the shape (n_objects, n_samples). "
            "Light curves with times are passed as a list of one frame or array per object, or as "
            "a 3-D array padded with NaN"
        )
    if X.dtype == object and any(map(is_object, X[:1].ravel())):
        X = one_column(X)
    if X.dtype.kind == "c":
        raise LightCurveError("Complex data not supported: fluxes are real numbers")
    n_objects, n_samples = X.shape
    flux = numbers(X.ravel(), "flux")
    if not np.isfinite(flux.sum()) and not (finite := np.isfinite(flux)).all():
        first = int(np.argmin(finite))
        raise LightCurveError(
            f"row {first // n_samples} of X holds NaN or infinity in column {first % n_samples} "
            f"({int(np.sum(~finite))} values in all). Series of different lengths, or with gaps, "
            "are passed as a list of arrays of shape (n_obs, 2) with the columns time and flux, "
            "or as a 3-D array padded with NaN at the end"
        )
    ids = np.arange(n_objects)
    return Store(
        time=read_only(np.tile(np.arange(n_samples, dtype=np.float64), n_objects)),
        flux=read_only(flux),
        flux_err=read_only(np.full(len(flux), np.nan, dtype=flux.dtype)),
        band=read_only(np.zeros(len(flux), dtype=np.int16)),
        offsets=read_only(np.arange(n_objects + 1, dtype=np.int64) * n_samples),
        passbands=(SERIES_PASSBAND,),
        ids=read_only(ids),
        metadata=indexed_metadata(None, ids),
    )
