"""Columns of pandas, polars and pyarrow tables as numpy arrays, labels and runs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sklc._optional import optional
from sklc.errors import LightCurveError
from sklc.light_curves.store import blocks
from sklc.light_curves.tables import opened
from sklc.light_curves.units import numeric
from sklc.light_curves.values import (
    factorized,
    first_given,
    is_single,
    object_array,
    one_chunk,
    plain_array,
    raw_column,
    without_bytes,
)
from sklc.utils.text import listed, shown

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.compute as pc
else:  # an exported model runs without
    pa = optional("pyarrow")
    pc = optional("pyarrow.compute")

__all__ = [
    "COLUMN_NAMES",
    "Table",
    "exact_integers",
    "labels",
    "numeric",
    "object_array",
    "raw_column",
    "recognised",
    "runs",
    "unwrap_strings",
    "with_missing",
]

#: Column names that are recognised where none are given, most specific first.
COLUMN_NAMES: dict[str, tuple[str, ...]] = {
    "object_id": ("object_id", "objectId", "oid", "diaObjectId", "id"),
    "time": ("mjd", "time", "t"),
    "flux": ("flux",),
    "flux_err": ("flux_err", "fluxerr", "flux_error"),
    "band": ("band", "passband", "filter"),
}


class Table:
    """A long table from any supported library, read by column name.

    Parameters
    ----------
    frame : table
        A table of pandas, pyarrow, polars or astropy, a structured array, a mapping of columns, or
        any other object with the Arrow C stream interface.

    Raises
    ------
    TypeError
        If `frame` is none of these.
    """

    def __init__(self, frame: Any) -> None:
        self.frame = opened(frame)

    @cached_property
    def columns(self) -> list[str]:
        """Names of the columns, a named index included."""
        if isinstance(self.frame, dict):
            return list(self.frame)
        if isinstance(self.frame, pa.Table):
            return list(self.frame.column_names)
        return [str(c) for c in self.frame.columns] + [
            str(name) for name in self.frame.index.names if name is not None
        ]

    def _is_nested(self) -> bool:
        """Whether there is a nested column, or one of structures."""
        if isinstance(self.frame, dict):
            return False
        if isinstance(self.frame, pa.Table):
            return any("struct<" in str(kind) for kind in self.frame.schema.types)
        return any(
            str(dtype).startswith("nested<") or "struct<" in str(dtype)
            for dtype in self.frame.dtypes
        ) or any(
            holds_structures(self.frame.iloc[:, place])
            for place, dtype in enumerate(self.frame.dtypes)
            if dtype.kind == "O"
        )

    def __len__(self) -> int:
        if isinstance(self.frame, dict):
            return len(next(iter(self.frame.values()), ()))
        return len(self.frame)

    def __contains__(self, name: object) -> bool:
        return name in self.columns

    def column(self, name: str, argument: str) -> Any:
        """Return a column in its own type, without a copy where the library allows it.

        Columns of astropy keep their units and their masks, see `sklc.light_curves.units`.

        Parameters
        ----------
        name : str
        argument : str
            The argument that names this column, for the error message.

        Raises
        ------
        LightCurveError
            If there is no such column.
        """
        self.require(name, argument)
        if isinstance(self.frame, pa.Table):
            return one_chunk(self.frame.column(name))
        if isinstance(self.frame, dict):
            return self.frame[name]
        if name in self.frame.columns:
            column = self.frame[name]
        else:
            column = self.frame.index.get_level_values(name).to_series()
        if isinstance(column, pd.DataFrame):
            raise LightCurveError(f"the table has more than one column {name!r}: keep one of them")
        return column

    def require(self, name: str, argument: str) -> None:
        """Raise unless the column is there."""
        if name in self.columns:
            return
        if self._is_nested():
            frame = self.frame  # without its index, which from_nested reads without being told
            names = list(frame.columns) if isinstance(frame, pd.DataFrame) else self.columns
            own = next((c for c in COLUMN_NAMES["object_id"] if c in names), None)
            ids = "" if own is None else f", object_id={own!r}"
            raise LightCurveError(
                f"the table has no column {shown(name)} (argument {argument}=), and one row per "
                f"object, with a nested column: read it with LightCurves.from_nested(frame{ids})"
            )
        known = [c for c in COLUMN_NAMES.get(argument, ()) if c in self.columns]
        remedy = f"pass {argument}={known[0]!r}" if known else f"pass {argument}= its name"
        if argument == "flux_err" and not known:
            remedy += ", or flux_err=None if the errors are not known"
        if argument == "band" and not known:
            remedy += ', or band=None with passband= (such as passband="ztfr") for a single band'
        raise LightCurveError(
            f"the table has no column {shown(name)} (argument {argument}=); its columns are "
            f"{listed(self.columns)}: {remedy}"
        )


def holds_structures(column: pd.Series) -> bool:
    """Whether the values of a column of objects are structures, or lists of structures."""
    first = first_given(column)
    if isinstance(first, Mapping):
        return not all(map(is_single, first.values()))
    is_list = isinstance(first, list | np.ndarray) and not is_single(first)
    return is_list and any(isinstance(cell, Mapping) for cell in first[:1])


def recognised(argument: str, names: Collection[str], what: str, remedy: str) -> str | None:
    """Return the first usual name that is among the columns; time and flux are required."""
    found = next((name for name in COLUMN_NAMES[argument] if name in names), None)
    if found is None and argument in ("time", "flux"):
        raise LightCurveError(
            f"{what} has none of the columns {COLUMN_NAMES[argument]}; its columns are "
            f"{listed(names)}: {remedy}"
        )
    return found


def labels(values: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return integer codes (-1 for missing) and the labels they stand for.

    Categorical and dictionary-encoded columns give their own codes; not every label need occur.
    """
    raw = raw_column(values, "band column")
    if isinstance(raw, pd.Categorical):
        return np.asarray(raw.codes), np.asarray(raw.categories, dtype=object)
    if isinstance(raw, pa.Array):
        raw = raw.cast(pa.string()) if pa.types.is_null(raw.type) else raw
        if not pa.types.is_dictionary(raw.type):
            try:
                raw = _plain_strings(raw).dictionary_encode()
            except pa.ArrowNotImplementedError:
                raise LightCurveError(
                    f"the band column holds values of type {raw.type}: pass one name per row"
                ) from None
        codes = raw.indices
        if codes.null_count:
            codes = codes.cast(pa.int32()).fill_null(-1)
        values = _plain_strings(raw.dictionary).to_numpy(zero_copy_only=False)
        codes, values = codes.to_numpy(), np.asarray(values, dtype=object)
        missing = pd.isna(values)
        if missing.any():  # NaN among the numbers of filters
            codes = np.where(np.isin(codes, np.flatnonzero(missing)), -1, codes)
            values = np.where(missing, "", values).astype(object)
        return codes, values
    codes, uniques = factorized(raw, "band column")
    return codes, without_bytes(np.asarray(uniques, dtype=object))


def runs(values: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the first row of each run of equal neighbours, and the value of each run.

    One comparison of neighbours instead of a factorization: a column that is already grouped, as
    files sorted by object are, costs little more than reading it.
    """
    raw = raw_column(values, "object id")
    if not len(raw):
        ids = raw if isinstance(raw, np.ndarray) else np.zeros(0, dtype=object)
        return np.zeros(0, dtype=np.int64), unwrap_strings(ids)
    if isinstance(raw, pa.Array) and pa.types.is_null(raw.type):
        raw = raw.cast(pa.string())
    if isinstance(raw, pa.Array) and not pa.types.is_dictionary(raw.type):
        raw = _plain_strings(raw)
        if pa.types.is_large_string(raw.type) or raw.null_count:
            starts = np.append(0, np.flatnonzero(_changes(raw)) + 1)
            picked = raw.take(pa.array(starts)).to_pylist()
            return starts, object_array(picked)
        raw = plain_array(raw.to_numpy(zero_copy_only=False))
    if isinstance(raw, np.ndarray):
        try:
            starts = _starts(raw)
        except TypeError:  # pandas.NA does not compare
            raw = raw.copy()
            raw[pd.isna(raw)] = None
            starts = _starts(raw)
        except ValueError:  # arrays, which are no ids
            starts = np.arange(len(raw))
        picked = raw[starts]
        return starts, unwrap_strings(picked)
    codes, names = labels(raw)
    starts = _starts(codes)
    run_codes = codes[starts]
    picked = with_missing(names)[run_codes]
    if len(picked) and all(isinstance(v, int | np.integer) for v in picked):
        picked = exact_integers(picked)
    return starts, picked


def with_missing(labels: np.ndarray) -> np.ndarray:
    """Return labels with a None at the end, which the code -1 picks."""
    extended = np.full(len(labels) + 1, None, dtype=object)
    extended[:-1] = labels
    return extended


def unwrap_strings(array: np.ndarray) -> np.ndarray:
    """Return fixed-width strings as objects, so that ids of all sources compare alike."""
    return array.astype(object) if array.dtype.kind in "US" else array


def _plain_strings(array: pa.Array) -> pa.Array:
    if pa.types.is_string(array.type) or pa.types.is_string_view(array.type):
        return array.cast(pa.large_string())
    return array


def _changes(array: pa.Array) -> np.ndarray:
    if len(array) < 2:
        return np.zeros(0, dtype=bool)
    changed = pc.not_equal(array[1:], array[:-1])
    if changed.null_count:  # a missing value differs from everything, and is reported later
        changed = changed.fill_null(True)
    return changed.to_numpy(zero_copy_only=False)


def _starts(values: np.ndarray) -> np.ndarray:
    """Rows that differ from the one before, the first row among them."""
    found = [np.zeros(1, dtype=np.int64)]
    for rows in blocks(len(values) - 1):
        after = values[rows.start + 1 : rows.stop + 1]
        found.append(np.flatnonzero(after != values[rows]) + (rows.start + 1))
    return np.concatenate(found)


def exact_integers(values: np.ndarray) -> np.ndarray:
    """Return Python integers as int64, or uint64 where only that holds them, or as objects."""
    low, high = min(values, default=0), max(values, default=0)
    for dtype in (np.int64, np.uint64):
        if np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max:
            return values.astype(dtype)
    return object_array([int(value) for value in values])
