"""Flat arrays, lists of arrays, NaN-padded arrays and plain series as a `Store`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from sklc.errors import LightCurveError
from sklc.light_curves import columns as tables
from sklc.light_curves.bands import SERIES_PASSBAND, resolve_wavelengths
from sklc.light_curves.build import align_metadata, build, group_rows, indexed_metadata
from sklc.light_curves.checks import check_same_length
from sklc.light_curves.store import DEFAULT_ZERO_POINT, Store, offsets_of, read_only
from sklc.passbands.registry import Passband


def store_from_arrays(
    time: Any,
    flux: Any,
    flux_err: Any = None,
    band: Any = None,
    *,
    offsets: Any = None,
    object_id: Any = None,
    ids: Any = None,
    metadata: Any = None,
    zero_point: float = DEFAULT_ZERO_POINT,
    survey: Any = None,
    passband: str | Passband | None = None,
    invalid: str = "raise",
    duplicates: str = "raise",
) -> Store:
    """See `LightCurves.from_arrays`."""
    order = None
    if isinstance(band, str | Passband):
        band, passband = None, band
    nothing = offsets is None and object_id is None and isinstance(time, list | tuple) and not time
    if nothing or _is_ragged(time):
        if offsets is not None or object_id is not None:
            raise ValueError("lists of arrays, one an object, need neither offsets= nor object_id=")
        lengths = [len(t) for t in time]
        time, flux = _join(time, lengths, "time"), _join(flux, lengths, "flux")
        flux_err = None if flux_err is None else _join(flux_err, lengths, "flux_err")
        band = None if band is None else _join(band, lengths, "band")
        offsets = offsets_of(lengths)
    elif (offsets is None) == (object_id is None):
        raise ValueError(
            "flat arrays need either offsets= (object i owns the rows offsets[i]:offsets[i + 1]) "
            "or object_id= (one a row); for a single light curve offsets=[0, len(time)]"
        )
    check_same_length(time=time, flux=flux, flux_err=flux_err, band=band, object_id=object_id)
    if object_id is not None:
        if ids is not None:
            raise ValueError("pass ids= with offsets= only: object_id= holds the ids already")
        offsets, ids, order = group_rows(object_id)
    offsets = _check_offsets(offsets)
    n_objects = len(offsets) - 1
    ids = np.arange(n_objects) if ids is None else id_array(ids)
    check_same_length(objects=range(n_objects), ids=ids)
    return build(
        time=time,
        flux=flux,
        flux_err=flux_err,
        band=band,
        offsets=offsets,
        ids=ids,
        order=order,
        metadata=None if metadata is None else per_object(metadata, ids),
        zero_point=zero_point,
        survey=survey,
        passband=passband,
        invalid=invalid,
        duplicates=duplicates,
    )


def store_from_padded(
    X: Any,
    lengths: Any = None,
    *,
    ids: Any = None,
    metadata: Any = None,
    zero_point: float = DEFAULT_ZERO_POINT,
    passband: str | Passband | None = None,
    invalid: str = "raise",
    duplicates: str = "raise",
) -> Store:
    """See `LightCurves.from_padded`."""
    X = tables.numeric(np.asarray(X), "padded")
    if X.ndim != 3 or not 2 <= X.shape[2] <= 4:
        raise LightCurveError(
            "a padded array has the shape (n_objects, n_observations, 2 to 4) with the columns "
            f"time, flux[, flux_err[, wavelength]], got shape {X.shape}"
        )
    n_objects, longest, n_columns = X.shape
    if lengths is None:
        given = ~np.isnan(X).all(axis=2)
        lengths = np.max(given * np.arange(1, longest + 1), axis=1, initial=0)
    else:
        lengths = np.asarray(lengths)
        bad = np.flatnonzero((lengths < 0) | (lengths > longest)) if lengths.ndim == 1 else [0]
        if lengths.shape != (n_objects,) or lengths.dtype.kind not in "iu" or len(bad):
            raise LightCurveError(
                f"lengths must be {n_objects} integers between 0 and {longest}, one an object"
            )
    values = X[np.arange(longest) < lengths[:, None]]
    ids = np.arange(n_objects) if ids is None else id_array(ids)
    check_same_length(objects=range(n_objects), ids=ids)
    return store_from_columns(
        [values[:, k] for k in range(n_columns)],
        offsets_of(lengths),
        ids,
        metadata=None if metadata is None else per_object(metadata, ids),
        zero_point=zero_point,
        passband=passband,
        invalid=invalid,
        duplicates=duplicates,
    )


def store_from_columns(
    columns: Sequence[np.ndarray], offsets: np.ndarray, ids: np.ndarray, **options: Any
) -> Store:
    """Return a store from flat columns time, flux[, flux_err[, wavelength]]."""
    time, flux, *rest = columns
    return build(
        time=time,
        flux=flux,
        flux_err=rest[0] if rest else None,
        band=None,
        band_table=resolve_wavelengths(rest[1]) if len(rest) > 1 else None,
        offsets=offsets,
        ids=ids,
        **options,
    )


def store_from_series(X: np.ndarray) -> Store:
    """Return a store of regularly sampled series, one a row, times 0, 1, 2, ...

    Raises
    ------
    LightCurveError
        If a value is NaN or infinite.
    """
    n_objects, n_samples = X.shape
    flux = tables.numeric(X.ravel(), "flux")
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


def id_array(ids: Any) -> np.ndarray:
    """Return ids as an array; strings as objects, and mixed types as they are."""
    raw = tables.raw_column(ids)
    if isinstance(raw, np.ndarray):
        return tables.unwrap_strings(raw)
    return tables.unwrap_strings(np.asarray(pd.Series(raw).to_numpy()))


def per_object(metadata: Any, ids: np.ndarray) -> pd.DataFrame:
    """Return per-object columns in the order of the ids.

    A frame is aligned by its index (or its column "object_id") if that holds the ids, and taken in
    order if its index is the default one; a mapping of arrays is taken in order.
    """
    if not isinstance(metadata, pd.DataFrame):
        if isinstance(metadata, dict):
            check_same_length(objects=range(len(ids)), **metadata)
            return pd.DataFrame(metadata, index=range(len(ids)))
        metadata = tables.Table(metadata).frame
        metadata = metadata if isinstance(metadata, pd.DataFrame) else metadata.to_pandas()
    if "object_id" in metadata.columns or not _is_default_index(metadata.index):
        return align_metadata(metadata, ids)
    if len(metadata) != len(ids):
        raise LightCurveError(f"the metadata has {len(metadata)} rows for {len(ids)} objects")
    return metadata


def _is_default_index(index: pd.Index) -> bool:
    return isinstance(index, pd.RangeIndex) and index.start == 0 and index.step == 1


def _is_ragged(time: Any) -> bool:
    if isinstance(time, np.ndarray) and time.dtype != object:
        return time.ndim == 2
    if not isinstance(time, list | tuple | np.ndarray):
        return False
    return len(time) > 0 and np.ndim(time[0]) > 0


def _join(values: Any, lengths: Sequence[int], name: str) -> Any:
    """Concatenate one array an object; a scalar stands for all observations of its object."""
    if len(values) != len(lengths):
        raise LightCurveError(f"time holds {len(lengths)} objects, but {name} {len(values)}")
    parts = []
    for position, (value, length) in enumerate(zip(values, lengths, strict=True)):
        part = tables.raw_column([value] * length if np.ndim(value) == 0 else value)
        part = part if isinstance(part, np.ndarray) else np.asarray(part)
        if len(part) != length:
            raise LightCurveError(
                f"object at position {position}: time has {length} values, {name} {len(part)}"
            )
        parts.append(part)
    return np.concatenate(parts) if parts else np.zeros(0)


def _check_offsets(offsets: Any) -> np.ndarray:
    offsets = np.asarray(offsets)
    if offsets.ndim != 1 or not len(offsets) or offsets.dtype.kind not in "iu" or offsets[0] != 0:
        raise LightCurveError(
            "offsets must be integers that start at 0, one more than there are objects"
        )
    if (np.diff(offsets) < 0).any():
        k = int(np.argmax(np.diff(offsets) < 0))
        raise LightCurveError(f"offsets decrease after the object at position {k}")
    return offsets.astype(np.int64)
