"""nested-pandas frames: one row per object, one nested column of observations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sklc._optional import optional
from sklc.errors import LightCurveError
from sklc.light_curves.bands import band_columns
from sklc.light_curves.build import build
from sklc.light_curves.checks import warn_unread
from sklc.light_curves.columns import COLUMN_NAMES, Table, holds_structures, recognised
from sklc.light_curves.forms import from_frame_arguments, is_long, names_of
from sklc.light_curves.ids import id_array
from sklc.light_curves.options import ReadOptions
from sklc.light_curves.readers.frame import read_columns
from sklc.light_curves.store import DEFAULT_ZERO_POINT, Store
from sklc.light_curves.tables import is_lazy, is_table
from sklc.light_curves.values import first_given
from sklc.utils.offsets import offsets_of
from sklc.utils.text import listed, shown

if TYPE_CHECKING:
    import pyarrow as pa
    from nested_pandas import NestedDtype, NestedFrame
else:  # an exported model runs without
    pa = optional("pyarrow")
    NestedDtype = optional("nested_pandas").NestedDtype
    NestedFrame = optional("nested_pandas").NestedFrame

# Indices of catalogues that say where an object lies, and not which it is: they repeat.
POSITIONS = ("_healpix_29", "_hipscat_index", "_healpix_19")


def nested_columns(frame: Any) -> list[str]:
    """Return the names of the nested columns of a table.

    These are the columns of nested-pandas, and those of the structures that other libraries read
    from the same files: structures of lists, and lists of structures.
    """
    if isinstance(frame, pd.DataFrame):
        return [str(name) for name, dtype in frame.dtypes.items() if _is_nested(dtype, frame, name)]
    if isinstance(frame, pa.Table | pa.RecordBatch):
        return [field.name for field in frame.schema if _is_structure(field.type)]
    if is_table(frame) and (is_lazy(frame) or hasattr(frame, "__arrow_c_stream__")):  # of polars
        schema = frame.collect_schema() if is_lazy(frame) else frame.schema
        return [name for name, kind in schema.items() if "Struct" in str(kind)]
    return []


def _is_nested(dtype: Any, frame: pd.DataFrame, name: Any) -> bool:
    if isinstance(dtype, NestedDtype):
        return True
    if isinstance(dtype, pd.ArrowDtype):
        return _is_structure(dtype.pyarrow_dtype)
    if not pd.api.types.is_object_dtype(dtype) or isinstance(frame[name], pd.DataFrame):
        return False
    return holds_structures(frame[name])


def _is_structure(kind: pa.DataType) -> bool:
    """Whether this is the type of structures of lists, or of lists of structures."""
    is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind)
    if is_list:
        return pa.types.is_struct(kind.value_type)
    return pa.types.is_struct(kind) and all(
        pa.types.is_list(field.type) or pa.types.is_large_list(field.type) for field in kind
    )


def _with_nested(frame: Any, found: list[str]) -> pd.DataFrame:
    """Return a table whose nested columns are those of nested-pandas."""
    if not isinstance(frame, pd.DataFrame):
        frame = pa.table(frame).to_pandas(types_mapper=_structures_of_arrow)
    others = [name for name in found if not isinstance(frame[name].dtype, NestedDtype)]
    for name in others:
        column = frame[name]
        if not isinstance(column.dtype, pd.ArrowDtype):
            try:
                column = pd.Series(pd.arrays.ArrowExtensionArray(pa.array(column)), frame.index)
            except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
                raise LightCurveError(
                    f"the column {name!r} holds structures that differ between the objects "
                    f"({error}): give each the same fields, and numbers or text in each field"
                ) from error
        try:
            dtype = NestedDtype.from_pandas_arrow_dtype(column.dtype)
        except ValueError as error:
            raise LightCurveError(
                f"the column {name!r} holds structures that are no light curves ({error}): each "
                "needs lists of times and fluxes"
            ) from error
        frame = frame.assign(**{name: column.astype(dtype)})
    return frame


def _structures_of_arrow(kind: pa.DataType) -> pd.ArrowDtype | None:
    return pd.ArrowDtype(kind) if _is_structure(kind) else None


def accepts(X: Any) -> bool:
    """Whether X is a frame with a nested column, or a nested column itself."""
    if isinstance(X, pd.Series):
        is_object = X.dtype == object and not isinstance(first_given(X), Mapping)
        return isinstance(X.dtype, NestedDtype) or (is_object and holds_structures(X))
    return bool(nested_columns(_as_frame(X)))


def _as_frame(X: Any) -> Any:
    """Return a column of pandas or polars as a table; a table as it is."""
    is_column = isinstance(X, pd.Series) or (
        type(X).__name__ == "Series" and hasattr(X, "to_frame")
    )
    return X.to_frame("lightcurve") if is_column else X


def read(X: pd.DataFrame | pd.Series, options: ReadOptions, object_id: str | None = None) -> Store:
    """Return a nested frame as a store; see `LightCurves.from_nested`."""
    frame = _as_frame(X)
    frame = frame.collect() if is_lazy(frame) else frame
    found, column = nested_columns(frame), options.column
    if column is None:
        if len(found) > 1:
            raise LightCurveError(
                f"the frame has {len(found)} nested columns {listed(found)}: pass column= one of "
                "them"
            )
        if not found:
            raise LightCurveError("the frame has 0 nested columns: " + _instead(frame))
        column = found[0]
    elif column not in found:
        raise LightCurveError(f"{shown(column)} is not a nested column; those are {listed(found)}")
    frame = _with_nested(frame, [column])
    ids, object_id = _ids(frame, object_id, options)
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
    used = [*found, object_id]
    metadata = pd.DataFrame(frame).loc[:, [name not in used for name in frame.columns]]
    return build(
        **columns,
        offsets=offsets,
        ids=ids,
        metadata=metadata if metadata.shape[1] else None,
        options=options,
    )


def _instead(frame: Any) -> str:
    """Return how a table without a nested column is read."""
    names = names_of(frame) if is_table(frame) else []
    if is_long(names):
        return (
            "one row per observation, or one row per object with columns of lists, is read with "
            f"LightCurves.from_frame(frame, {from_frame_arguments(names)})"
        )
    return "build one with nested_pandas.NestedFrame.from_flat"


def _ids(
    frame: pd.DataFrame, object_id: str | None, options: ReadOptions
) -> tuple[np.ndarray, str | None]:
    """Return the ids, and the column that holds them; None if it is the index."""
    named = next((name for name in COLUMN_NAMES["object_id"] if name in frame.columns), None)
    if object_id is None and frame.index.name in POSITIONS:
        if named is None:
            raise LightCurveError(
                f"the frame is indexed by {frame.index.name!r}, a position on the sky that several "
                "objects may share: pass object_id= the column that holds the ids to "
                "LightCurves.from_nested, or set the index to it with frame.set_index"
            )
        object_id = named
    if object_id is None:
        ids = id_array(frame.index)
        if options.unique_ids and named is not None and not frame.index.is_unique:
            raise LightCurveError(
                f"the index of the frame repeats {shown(frame.index[frame.index.duplicated()][0])}:"
                f" pass object_id={named!r}, the column that holds the ids"
            )
        return ids, None
    if object_id not in frame.columns:
        raise LightCurveError(
            f"the frame has no column {shown(object_id)} (argument object_id=); its columns are "
            f"{listed(frame.columns)}"
        )
    return id_array(frame[object_id]), object_id


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
            f"fields are {listed(fields)}"
        )
    return given
