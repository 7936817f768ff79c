"""Tables with one row per object, whose columns hold lists: one list of times, one of fluxes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sklc._optional import optional
from sklc.errors import LightCurveError
from sklc.light_curves.build import build
from sklc.light_curves.checks import warn_unread
from sklc.light_curves.columns import COLUMN_NAMES, Table
from sklc.light_curves.flux_units import calibrated
from sklc.light_curves.forms import names_of
from sklc.light_curves.ids import id_array
from sklc.light_curves.options import ReadOptions
from sklc.light_curves.store import Store, describe
from sklc.light_curves.tables import is_lazy, is_table, metadata_column
from sklc.light_curves.units import without_unit
from sklc.light_curves.values import (
    first_given,
    is_single,
    numbers,
    object_array,
    plain_array,
    raw_column,
)
from sklc.utils.offsets import offsets_of
from sklc.utils.text import shown

if TYPE_CHECKING:
    import pyarrow as pa
else:  # an exported model runs without
    pa = optional("pyarrow")

__all__ = ["accepts", "holds_lists", "read", "read_lists"]


def accepts(X: Any) -> bool:
    """Whether X is a table whose columns of times and fluxes, by their usual names, hold lists."""
    if not is_table(X) or is_lazy(X):
        return False
    names = _usual_names(names_of(X))
    if names["time"] is None or names["flux"] is None:
        return False
    return all(holds_lists(Table(X), name) for name in (names["time"], names["flux"]))


def read(X: Any, options: ReadOptions) -> Store:
    """Return a table with one row per object as a store; see `sklc.as_light_curves`."""
    table = Table(X)
    return read_lists(table, options, _usual_names(table.columns))


def _usual_names(names: list[str]) -> dict[str, str | None]:
    return {
        argument: next((name for name in known if name in names), None)
        for argument, known in COLUMN_NAMES.items()
    }


def holds_lists(table: Table, name: str) -> bool:
    """Whether each row of a column holds a list."""
    column = table.column(name, "time")
    kind = column.type if isinstance(column, pa.Array | pa.ChunkedArray) else None
    if isinstance(column, pd.Series) and isinstance(column.dtype, pd.ArrowDtype):
        kind = column.dtype.pyarrow_dtype
    if isinstance(kind, pa.DataType):
        return (
            pa.types.is_list(kind)
            or pa.types.is_large_list(kind)
            or pa.types.is_fixed_size_list(kind)
        )
    if getattr(column, "ndim", 1) > 1:
        return column.shape[1] > 1
    if not isinstance(column, list | tuple) and _kind(column) != "O":
        return False
    return not is_single(first_given(column))


def _kind(column: Any) -> str:
    return getattr(getattr(column, "dtype", None), "kind", "")


def read_lists(
    table: Table, options: ReadOptions, names: dict[str, str | None] | None = None
) -> Store:
    """Return a table with one row per object as a store.

    Parameters
    ----------
    table : Table
        Its columns of bands and zero points may hold one value for all observations of an object.
        Those that hold neither lists nor ids become metadata.
    options : ReadOptions
    names : dict of str, optional
        The names of the columns; by default those of the options.

    Raises
    ------
    LightCurveError
        If the lists of an object have different lengths.
    """
    names = options.columns if names is None else names
    of_lists = {name: holds_lists(table, name) for name in table.columns}
    zero_point = options.zero_point_column(table.columns)
    raw = {
        argument: table.column(name, argument)
        for argument, name in {**names, "zp_column": zero_point}.items()
        if name is not None and argument != "object_id"
    }
    raw["time"] = without_unit(raw["time"], "time")
    flux, flux_err, options = calibrated(
        raw["flux"], raw.get("flux_err"), raw.get("zp_column"), options
    )
    raw |= {"flux": flux} if flux_err is None else {"flux": flux, "flux_err": flux_err}
    rows = {argument: _cells(column, argument) for argument, column in raw.items()}
    ids = _ids(table, names["object_id"])
    lengths = np.array([0 if is_single(cell) else len(cell) for cell in rows["time"]], dtype=int)
    columns: dict[str, Any] = {
        name: _joined(cells, lengths, name, ids) for name, cells in rows.items()
    }
    missing = [argument for argument in ("band", "flux_err") if argument not in columns]
    if options.passband is not None and "band" in missing:
        missing.remove("band")
    used = {*names.values(), zero_point}
    warn_unread(missing, [n for n in table.columns if of_lists[n] and n not in used])
    metadata = {
        name: metadata_column(name, table.column(name, "metadata")).reset_index(drop=True)
        for name in table.columns
        if not of_lists[name] and name not in used and name not in _index_names(table)
    }
    return build(
        **columns,
        offsets=offsets_of(lengths),
        ids=ids,
        metadata=pd.DataFrame(metadata) if metadata else None,
        options=options,
    )


def _index_names(table: Table) -> list[Any]:
    return list(table.frame.index.names) if isinstance(table.frame, pd.DataFrame) else []


def _ids(table: Table, name: str | None) -> np.ndarray:
    """Return the ids: a column, or else the index, or else 0, 1, 2, ..."""
    if name is not None:
        return id_array(table.column(name, "object_id"))
    if isinstance(table.frame, pd.DataFrame):
        return id_array(table.frame.index)
    return np.arange(len(table))


def _cells(column: Any, name: str) -> list[Any]:
    """Return what each row holds: a list, None, or a single value."""
    if isinstance(column, pa.Array | pa.ChunkedArray):
        return column.to_pylist()
    return [cell if is_single(cell) else raw_column(cell, name) for cell in column]


def _joined(cells: list[Any], lengths: np.ndarray, name: str, ids: np.ndarray) -> np.ndarray:
    """Return the lists of all objects as one column."""
    parts = []
    for k, (cell, length) in enumerate(zip(cells, lengths, strict=True)):
        # one band or zero point stands for all observations; a missing list has none
        single = name in ("band", "zp_column")
        part = cell if not is_single(cell) else object_array([cell] * (length if single else 0))
        if len(part) != length:
            raise LightCurveError(
                f"{describe(ids, k)} has {length} times and {len(part)} values of {shown(name)}: "
                "the lists of an object need one value per observation"
            )
        parts.append(part)
    if name == "band":
        return object_array([label for part in parts for label in part])
    arrays = [numbers(plain_array(part), name) for part in parts if len(part)]
    return np.concatenate(arrays) if arrays else np.zeros(0)
