"""Tables of any library: which kinds there are, and how their columns are taken out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sklc._optional import optional
from sklc.errors import LightCurveError
from sklc.light_curves.units import METADATA, without_unit
from sklc.light_curves.values import (
    is_single,
    joined,
    length_of,
    object_array,
    raw_column,
    without_bytes,
)
from sklc.utils.text import shown

if TYPE_CHECKING:
    import pyarrow as pa
else:  # an exported model runs without
    pa = optional("pyarrow")

__all__ = ["is_astropy_table", "is_table", "metadata_column", "metadata_frame", "opened"]


def is_astropy_table(X: Any) -> bool:
    """Whether X is a Table, QTable or TimeSeries of astropy, or a light curve of lightkurve."""
    return any(
        kind.__name__ == "Table" and kind.__module__.startswith("astropy.")
        for kind in type(X).__mro__
    )


def is_sparse(X: Any) -> bool:
    """Whether X is a sparse matrix or array of scipy."""
    return any(kind.__module__.startswith("scipy.sparse") for kind in type(X).__mro__)


def is_lazy(X: Any) -> bool:
    """Whether X is a LazyFrame of polars."""
    return type(X).__module__.startswith("polars") and hasattr(X, "collect")


def is_grouped(X: Any) -> bool:
    """Whether X is a table of pandas or polars that has been grouped."""
    library = type(X).__module__.partition(".")[0]
    return library in ("pandas", "polars") and "GroupBy" in type(X).__name__


def is_table(X: Any) -> bool:
    """Whether X is a table of pandas, polars, pyarrow or astropy."""
    return (
        isinstance(X, pd.DataFrame | pa.Table | pa.RecordBatch)
        or (type(X).__module__.partition(".")[0] == "polars" and hasattr(type(X), "columns"))
        or is_astropy_table(X)
    ) and not is_grouped(X)


def groups_of(X: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the key and the table of each group, or of each item of a mapping."""
    for key, table in X.items() if isinstance(X, Mapping) else X:
        yield (key[0] if isinstance(key, tuple) and len(key) == 1 else key), table


def opened(frame: Any) -> pd.DataFrame | pa.Table | dict[str, Any]:
    """Return a table as one of pandas or pyarrow, or as its columns.

    Raises
    ------
    LightCurveError
        If the columns of a mapping have different lengths.
    TypeError
        If it is no table.
    """
    if isinstance(frame, pd.DataFrame | pa.Table):
        return frame
    if is_lazy(frame):
        frame = frame.collect()
    if is_grouped(frame) or (
        isinstance(frame, Mapping) and frame and all(map(is_table, frame.values()))
    ):
        how = 'pandas.concat(tables, names=["object_id"]).reset_index("object_id")'
        raise LightCurveError(
            f"a {type(frame).__name__} of tables is not one table: sklc.as_light_curves(tables) "
            "reads it, if the columns have their usual names; or make it one table, with "
            + ("tables.obj" if is_grouped(frame) else how)
        )
    names = getattr(getattr(frame, "dtype", None), "names", None)  # of a structured array
    if names or is_astropy_table(frame):
        return {str(name): _decoded(frame[name]) for name in names or frame.colnames}
    if isinstance(frame, Mapping):
        return _columns({str(name): joined(column) for name, column in frame.items()})
    if not hasattr(frame, "__arrow_c_stream__") or type(frame).__name__.endswith("Series"):
        raise TypeError(
            "expected a table with one row per observation (a pandas.DataFrame, a polars.DataFrame,"
            " a pyarrow.Table, an astropy Table, a structured array or a mapping of columns), got "
            f"{type(frame).__name__}"
        )
    return pa.table(frame)


def _decoded(column: Any) -> Any:
    """Return a column of bytes, as FITS files have, as text."""
    if getattr(getattr(column, "dtype", None), "kind", "") == "S":
        return without_bytes(raw_column(column).astype(object))
    return column


def _columns(columns: dict[str, Any]) -> dict[str, Any]:
    """Return the columns of a mapping, in which a single value stands for all rows."""
    single = {name for name, c in columns.items() if is_single(c)}
    lengths = {name: length_of(c, name) for name, c in columns.items() if name not in single}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{name} {n}" for name, n in lengths.items())
        raise LightCurveError(
            f"arrays of different lengths: {listed}; each needs one value per row"
        )
    if single and not lengths:
        name, value = next(iter(columns.items()))
        raise LightCurveError(
            f"a mapping of single values, {name} = {shown(value)}, is one observation: pass lists "
            "of values, or make a list of such rows a table with pandas.DataFrame(rows)"
        )
    n_rows = next(iter(lengths.values()), 0)
    return {
        name: object_array([c] * n_rows) if name in single else c for name, c in columns.items()
    }


def metadata_column(name: str, values: Any) -> Any:
    """Return the values of per-object column, in which masked values are missing.

    Angles become degrees, times MJD or days. A Series keeps its index, a single value stays one.

    Raises
    ------
    LightCurveError
        If it has several axes, or a unit that is none of these.
    """
    if isinstance(values, pd.Series):
        return _plain_series(values)
    what = f"{METADATA} column {shown(str(name))}"
    values = without_unit(joined(values), what)
    if is_single(values):
        return values.item() if isinstance(values, np.ndarray) else values
    raw = raw_column(values, what)
    return pd.Series(raw.to_pandas() if isinstance(raw, pa.Array) else raw)


def metadata_frame(table: Any) -> pd.DataFrame:
    """Return a per-object table as one of pandas; see `metadata_column`."""
    table = opened(table)
    if isinstance(table, pa.Table):
        table = table.to_pandas()
    if not isinstance(table, pd.DataFrame):
        return pd.DataFrame({name: metadata_column(name, c) for name, c in table.items()})
    changed = {
        position: _plain_series(table.iloc[:, position])
        for position, dtype in enumerate(table.dtypes)
        if isinstance(dtype, np.dtype) and not _is_plain(dtype)
    }
    if not changed:
        return table
    own = [changed.get(k, table.iloc[:, k]) for k in range(table.shape[1])]
    frame = pd.concat(own, axis=1)
    frame.index = table.index
    return frame


def _is_plain(dtype: np.dtype) -> bool:
    """Whether columns of this type stay what they are."""
    return dtype.kind not in "iuf" or (dtype.isnative and dtype not in (np.float16, np.longdouble))


def _plain_series(values: pd.Series) -> pd.Series:
    if isinstance(values.dtype, np.dtype) and values.dtype.kind in "iuf":
        raw = raw_column(values)
        return (
            values if raw.dtype == values.dtype else pd.Series(raw, values.index, name=values.name)
        )
    return values
