"""nested-pandas frames: one row per object, one nested column of observations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from nested_pandas import NestedDtype, NestedFrame

from sklc.errors import LightCurveError
from sklc.light_curves.bands import band_columns
from sklc.light_curves.build import build
from sklc.light_curves.checks import warn_unread
from sklc.light_curves.columns import Table, recognised
from sklc.light_curves.options import ReadOptions
from sklc.light_curves.readers.frame import read_columns
from sklc.light_curves.store import DEFAULT_ZERO_POINT, Store
from sklc.utils.offsets import offsets_of


def nested_columns(frame: Any) -> list[str]:
    """Return the names of the nested columns of a DataFrame; none for anything else."""
    if not isinstance(frame, pd.DataFrame):
        return []
    return [str(name) for name, dtype in frame.dtypes.items() if isinstance(dtype, NestedDtype)]


def accepts(X: Any) -> bool:
    """Whether X is a frame with a nested column, or a nested column itself."""
    return bool(nested_columns(X.to_frame("lightcurve") if isinstance(X, pd.Series) else X))


def read(X: pd.DataFrame | pd.Series, options: ReadOptions) -> Store:
    """Return a nested frame as a store; see `LightCurves.from_nested`."""
    frame = X.to_frame("lightcurve") if isinstance(X, pd.Series) else X
    found, column = nested_columns(frame), options.column
    if column is None:
        if len(found) != 1:
            raise LightCurveError(
                f"the frame has {len(found)} nested columns {found}: "
                + ("pass column= one of them" if found else "build one with NestedFrame.from_flat")
            )
        column = found[0]
    elif column not in found:
        raise LightCurveError(f"{column!r} is not a nested column; those are {found}")
    lists = one_list_array(frame[column].array.list_array)
    offsets, observations = list_parts(lists)
    fields = [field.name for field in observations.type]
    names = {
        argument: _field_name(argument, getattr(options, argument), fields, column)
        for argument in ("time", "flux", "flux_err", "band")
    }
    zero_point = options.zero_point_column(fields)
    if zero_point is not None:
        _field_name("zero_point", zero_point, fields, column)
    missing = [argument for argument in ("band", "flux_err") if names[argument] is None]
    if options.passband is not None and "band" in missing:
        missing.remove("band")
    warn_unread(missing, [name for name in fields if name not in {*names.values(), zero_point}])
    table = Table(pa.table({name: observations.field(name) for name in fields}))
    columns = read_columns(table, names, options)
    metadata = pd.DataFrame(frame).loc[:, [name not in found for name in frame.columns]]
    return build(
        **columns,
        offsets=offsets,
        ids=frame.index.to_numpy(),
        metadata=metadata if metadata.shape[1] else None,
        options=options,
    )


def one_list_array(column: pa.ChunkedArray) -> pa.LargeListArray:
    """Return a chunked list column as one array; a single chunk is not copied."""
    if column.num_chunks == 1:
        return column.chunk(0)
    if column.num_chunks == 0:
        return pa.array([], type=column.type)
    return pa.concat_arrays(column.chunks)


def list_parts(lists: pa.LargeListArray) -> tuple[np.ndarray, pa.StructArray]:
    """Return the offsets, starting at zero, and the observations of a list array, not copied."""
    if lists.null_count:  # a missing light curve is an empty one; its extent may be anything
        lengths = np.zeros(len(lists), dtype=np.int64)
        valid = lists.is_valid().to_numpy(zero_copy_only=False)
        inner, observations = list_parts(lists.drop_null())
        lengths[valid] = np.diff(inner)
        return offsets_of(lengths), observations
    offsets = lists.offsets.to_numpy(zero_copy_only=False).astype(np.int64, copy=False)
    observations = lists.values
    if len(offsets) and (offsets[0] != 0 or offsets[-1] != len(observations)):
        observations = observations[offsets[0] : offsets[-1]]
        offsets = offsets - offsets[0]
    return (offsets if len(offsets) else np.zeros(1, dtype=np.int64)), observations


def to_nested(store: Store) -> NestedFrame:
    """See `LightCurves.to_nested`."""
    if "lightcurve" in store.metadata.columns:
        raise LightCurveError(
            'the metadata has a column "lightcurve", the name of the nested column: rename it'
        )
    fields = {
        "time": pa.array(store.time),
        **band_columns(store.band, store.passbands),
        "flux": pa.array(store.flux),
        "flux_err": pa.array(store.flux_err),
    }
    if store.zero_point != DEFAULT_ZERO_POINT:
        fields["zp"] = pa.array(np.full(store.n_observations, store.zero_point))
    observations = pa.StructArray.from_arrays(list(fields.values()), names=list(fields))
    lists = pa.LargeListArray.from_arrays(pa.array(store.offsets), observations)
    dtype = NestedDtype.from_pandas_arrow_dtype(pd.ArrowDtype(lists.type))
    nested = pd.Series(lists, dtype=dtype, index=store.metadata.index)
    return NestedFrame(store.metadata.copy()).assign(lightcurve=nested)


def _field_name(argument: str, given: str | None, fields: list[str], column: str) -> str | None:
    if given is None:
        what = f"the nested column {column!r}"
        return recognised(argument, fields, what, f"pass {argument}= the one to use")
    if given not in fields:
        raise LightCurveError(
            f"the nested column {column!r} has no field {given!r} (argument {argument}=); its "
            f"fields are {fields}"
        )
    return given
