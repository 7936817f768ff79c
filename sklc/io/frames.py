"""Tables and records of any library as DataFrames: integers stay exact, and units count."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from sklc.errors import LightCurveError
from sklc.io.columns import POSITION, identify, offset_in_name, plain, unit_in_name
from sklc.io.values import coded_text
from sklc.light_curves.tables import is_astropy_table, is_lazy, is_table
from sklc.light_curves.units import (
    is_convertible,
    is_magnitude,
    rescaled,
    scale_of,
    without_unit,
)
from sklc.light_curves.values import is_time, joined, unit_of

__all__ = ["columns_of", "exact_column", "has_units", "of_arrow", "plain_column", "to_frame"]


def columns_of(table: Any) -> tuple[str, ...]:
    """Return the names of the columns of a table of any library, or of its first record."""
    names = getattr(getattr(table, "dtype", None), "names", None)
    if names:
        return tuple(names)
    for attribute in ("column_names", "colnames", "columns"):
        names = getattr(table, attribute, None)
        if names is not None and not callable(names):
            index = getattr(getattr(table, "index", None), "names", None) or ()
            return tuple(str(name) for name in (*names, *(n for n in index if n is not None)))
    if isinstance(table, Mapping):
        return tuple(str(name) for name in table)
    if isinstance(table, list | tuple) and table and not isinstance(table[0], str):
        return columns_of(table[0])
    return ()


def to_frame(
    table: Any, units: Mapping[str, str] | None = None, *, bare: Collection[str] = ()
) -> pd.DataFrame:
    """Return a table of pandas, pyarrow, polars, astropy or numpy, or records, as a DataFrame.

    A named index becomes a column. Integers stay exact where some of them are missing: pandas
    itself would make them floats, which changes ids beyond 2**53.

    Columns with a unit of astropy are converted: times to MJD or days, positions to degrees, flux
    densities to the unit in their name, or else to nJy, which is then added to the name.

    Parameters
    ----------
    table : table or sequence of records
    units : dict of str to str, optional
        The units that columns must have, such as ``{"psfFlux": "nJy"}``; those without a unit are
        taken to have it.
    bare : collection of str, optional
        Columns whose units do not count.

    Raises
    ------
    LightCurveError
        If a unit cannot be converted.
    """
    if isinstance(table, pd.DataFrame):
        named = [name for name in table.index.names if name is not None]
        new = [name for name in named if name not in table.columns]
        return table.reset_index(new) if new else table
    if has_units(table):
        return _with_units(table, units or {}, bare)
    table = of_arrow(table)
    if hasattr(table, "__arrow_c_stream__"):
        return to_frame(pa.table(table).to_pandas(integer_object_nulls=True))
    if hasattr(table, "to_pandas"):
        return to_frame(table.to_pandas())
    if getattr(getattr(table, "dtype", None), "names", None):
        return pd.DataFrame({name: _native(table[name]) for name in table.dtype.names})
    if isinstance(table, list | tuple) and table and isinstance(table[0], Mapping):
        return _from_records(table)
    if isinstance(table, list | tuple) and table and columns_of(table[0]):
        return pd.concat([to_frame(part, units) for part in table], ignore_index=True)
    return pd.DataFrame(table)


def of_arrow(table: Any) -> Any:
    """Return a table of polars as one of Arrow, in types that pandas knows; others as they are."""
    if is_lazy(table):
        table = table.collect()
    is_polars = is_table(table) and type(table).__module__.startswith("polars")
    return table.to_arrow() if is_polars else table


def has_units(table: Any) -> bool:
    """Whether this is a table of astropy, or a mapping of columns of which some have a unit."""
    if isinstance(table, Mapping):
        return any(
            is_time(column) or unit_of(column) is not None for column in map(joined, table.values())
        )
    return is_astropy_table(table)


def _with_units(table: Any, units: Mapping[str, str], bare: Collection[str]) -> pd.DataFrame:
    names = columns_of(table)
    time = identify(names).time
    columns: dict[str, Any] = {}
    for name in names:
        column = joined(table[name])
        if len(getattr(column, "shape", (0,))) > 2:
            continue  # images
        new = name
        if is_time(column) or (name not in bare and unit_of(column) is not None):
            new, column = _converted(name, column, units.get(name), is_the_time=name == time)
        columns[new] = plain_column(column)
    return pd.DataFrame(columns, copy=False)


def _converted(name: str, column: Any, target: str | None, *, is_the_time: bool) -> tuple[str, Any]:
    """Return a new name for a column with a unit, and its numbers."""
    if is_time(column):
        is_julian = plain(name) in ("jd", "hjd", "bjd", "obsjd", "jdutc")
        return name, column.jd if is_julian else without_unit(column, "time")
    unit, values = unit_of(column), plain_column(column)
    if target is None and is_the_time:
        if str(unit) in ("yr", "a"):
            raise LightCurveError(f"column {name!r} is in years: convert it to MJD")
        is_said_by_name = offset_in_name(name) is not None or plain(name) in ("btjd", "bkjd")
        is_plain = is_said_by_name and not is_convertible(unit, "d")
        return name, values if is_plain else without_unit(column, "time")
    if target is None and plain(name) in POSITION and is_convertible(unit, "deg"):
        target = "deg"
    if target is None and is_magnitude(unit):
        if "st" in str(unit).casefold():
            raise LightCurveError(f"column {name!r} is in STmag: convert it to ABmag")
        return name, values
    new = name
    if target is None and is_convertible(unit, "Jy"):
        own = unit_in_name(name)
        target = own.replace("jy", "Jy") if own else "nJy"
        new = name if own else f"{name} (nJy)"
    if target is None:
        return name, values
    if not is_convertible(unit, target):
        raise LightCurveError(
            f"column {name!r} has the unit {str(unit)[:80]!r}, which cannot be converted to "
            f"{target}: convert it, or correct the unit"
        )
    return new, rescaled(np.asarray(values, dtype=np.float64), scale_of(unit, target))


def plain_column(column: Any) -> Any:
    """Return a column of astropy or numpy without its unit; text as categories.

    Masked values are missing, and integers beside them stay exact.
    """
    values = getattr(column, "value", column)
    mask = np.asarray(getattr(values, "mask", getattr(column, "mask", False)))
    array = np.asarray(getattr(values, "unmasked", getattr(values, "data", values)))
    if array.ndim > 1:
        return list(np.ma.filled(np.ma.asarray(column).astype(object), np.nan))
    is_masked = mask.ndim == 1 and bool(mask.any())
    if array.dtype.kind in "SU":
        return coded_text(array, mask if is_masked else None)
    if array.dtype.kind != "O":
        array = array.astype(array.dtype.newbyteorder("="), copy=False)
    if not is_masked:
        return array
    if array.dtype.kind == "f":
        return np.where(mask, np.nan, array)
    if array.dtype.kind in "iu":
        return pd.arrays.IntegerArray(array, mask)
    return pd.Series(array).astype(object).where(~mask, None)


def _native(values: Any) -> Any:
    """Return an array in the byte order of this machine, which pandas needs; masked is NaN."""
    if np.ma.isMaskedArray(values) and values.mask.any():
        values = np.ma.filled(values.astype(object), None)
    array = np.asarray(values)
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _from_records(records: Sequence[Any]) -> pd.DataFrame:
    """Return records as a table; a record may lack some of the fields."""
    for number, row in enumerate(records):
        if not isinstance(row, Mapping):
            raise LightCurveError(
                f"record {number} is {str(row)[:40]!r}, not a record with named fields: correct "
                "or remove it"
            )
    known = dict.fromkeys(name for row in records for name in row)
    if all(isinstance(name, str) for name in known):
        try:
            if len(known) == len(records[0]):  # only the first record tells Arrow the names
                return to_frame(pa.Table.from_pylist(records))
        except (pa.ArrowException, OverflowError, TypeError, ValueError):
            pass  # values of several types, which the reader of the format will tell
    columns = {name: [row.get(name) for row in records] for name in known}
    if has_units(columns):
        return to_frame(columns)
    return pd.DataFrame({name: exact_column(values) for name, values in columns.items()})


def exact_column(values: list[Any]) -> Any:
    """Return Python values so that pandas does not turn integers into floats."""
    missing = any(value is None for value in values)
    if missing and any(isinstance(value, int) for value in values):
        return pd.Series(values, dtype=object)
    return values
