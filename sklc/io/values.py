"""Columns of surveys' tables as plain arrays: numbers, flags, ids, signs, labels of bands."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd

from sklc.errors import LightCurveError, UnknownPassbandError
from sklc.light_curves.columns import exact_integers

__all__ = ["bands", "flags", "ids", "known", "numbers", "require", "signs", "texts"]

_EXACT = 2**53  # beyond it, floating point does not hold every integer
_TRUE = [True, 1, "1", "True", "true", "t", "T", "1.0"]
_POSITIVE = {"t", "1", "true", "+", "1.0", "positive", "+1"}
_NEGATIVE = {"f", "0", "false", "-", "-1", "-1.0", "0.0", "negative"}
# Metadata outside of these are sentinels, such as -9, -99, -999 and -9999.
_VALID = {"ra": (0, 360), "dec": (-90, 90), "redshift": (-0.1, 100), "mwebv": (0, 90)}
_NOT_KNOWN = {"", "nan", "none", "null", "unknown", "fail", "-"}


def require(table: pd.DataFrame, *names: str) -> None:
    """Raise unless the table has these columns."""
    missing = [name for name in names if name not in table.columns]
    if missing:
        there = list(map(str, table.columns))[:30]
        raise LightCurveError(
            f"the columns {missing} are missing; the table has {there}: "
            "ask the service for these columns, or read the table with LightCurves.from_frame"
        )


def numbers(table: pd.DataFrame, name: str) -> np.ndarray:
    """Return a column as float64: NaN where a value is missing, or the column is.

    Raises
    ------
    LightCurveError
        If a value is not a number.
    """
    if name not in table.columns:
        return np.full(len(table), np.nan)
    column = table[name]
    if column.dtype.kind in "fiub" and isinstance(column.dtype, np.dtype):
        return column.to_numpy(dtype=np.float64)
    try:
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError):
        pass
    text = column.astype(str).str.strip().str.lower()
    values = pd.to_numeric(text.where(column.notna()), errors="coerce")
    bad = np.flatnonzero(values.isna() & column.notna() & ~text.isin(_NOT_KNOWN))
    if len(bad):
        raise LightCurveError(
            f"the column {name!r} holds {str(column.iloc[bad[0]])[:80]!r} in row {bad[0]} "
            f"({len(bad)} such rows), which is not a number: correct or remove these rows"
        )
    return values.to_numpy(dtype=np.float64, na_value=np.nan)


def flags(table: pd.DataFrame, name: str) -> np.ndarray:
    """Return a column of flags as bool: False where a flag was not measured or is not there."""
    if name not in table.columns:
        return np.zeros(len(table), dtype=bool)
    column = table[name]
    if column.dtype == bool:
        return column.to_numpy()
    try:
        return column.isin(_TRUE).to_numpy(dtype=bool)
    except TypeError as error:
        raise LightCurveError(
            f"the column {name!r} holds lists or records: it must hold one flag per row"
        ) from error


def texts(table: pd.DataFrame, name: str) -> np.ndarray:
    """Return a column as text: empty where a value is missing, or the column is."""
    if name not in table.columns:
        return np.full(len(table), "", dtype=object)
    codes, labels = _factorized(table[name], name)
    named = np.array([*(str(label) for label in labels), ""], dtype=object)
    return named[codes]


def ids(column: Any, name: str) -> pd.Categorical:
    """Return ids as codes of exact integers or text, so that they are compared only once.

    Raises
    ------
    LightCurveError
        If integers came through floating point, which does not hold them.
    """
    codes, labels = _factorized(column, name)
    if (missing := np.flatnonzero(codes < 0)).size:
        raise LightCurveError(
            f"row {missing[0]} has no {name} ({missing.size} of {len(codes)} rows): give each row "
            "the id of its object, or remove these rows"
        )
    labels = np.asarray(labels)
    if labels.dtype.kind == "f":
        if len(labels) and (np.abs(labels).max() >= _EXACT or (labels % 1 != 0).any()):
            raise LightCurveError(
                f"the ids {name!r} are floating-point numbers, which cannot hold integers of this "
                f'size exactly: read them as integers or text, for example dtype={{"{name}": str}}'
            )
        labels = labels.astype(np.int64)
    elif labels.dtype == object and all(isinstance(v, int) for v in labels):
        labels = exact_integers(labels)
    return pd.Categorical.from_codes(codes, categories=pd.Index(labels))


def bands(table: pd.DataFrame, name: str, known: Mapping[str, str], survey: str) -> Any:
    """Return the passbands of a column of filters, by their names as text.

    Raises
    ------
    UnknownPassbandError
        If a filter is not one of the survey's.
    """
    codes, labels = _factorized(table[name], name)
    found = []
    for code, label in enumerate(labels):
        text = str(label).strip().removesuffix(".0")
        if text not in known:
            raise UnknownPassbandError(
                f"the column {name!r} has the filter {text[:80]!r} (first in row "
                f"{int(np.argmax(codes == code))}), which {survey} does not have: known are "
                f"{sorted(known)}. Correct or remove these rows"
            )
        found.append(known[text])
    unique = list(dict.fromkeys(found))
    lookup = np.array([*(unique.index(passband) for passband in found), -1], dtype=np.int64)
    return pd.Categorical.from_codes(lookup[codes], categories=pd.Index(unique, dtype=object))


def signs(table: pd.DataFrame, name: str) -> np.ndarray:
    """Return the signs of subtractions, 1.0 or -1.0, from any spelling; NaN where it is missing.

    Raises
    ------
    LightCurveError
        If a spelling is not known.
    """
    codes, labels = _factorized(table[name], name)
    found = []
    for label in labels:
        text = str(label).strip().lower()
        if text not in _POSITIVE | _NEGATIVE:
            raise LightCurveError(
                f"the column {name!r} has the value {str(label)[:80]!r}: it must say whether the "
                'subtraction is positive ("t" or 1) or negative ("f", 0 or -1)'
            )
        found.append(1.0 if text in _POSITIVE else -1.0)
    return np.array([*found, np.nan])[codes]


def _factorized(column: Any, name: str) -> tuple[np.ndarray, Any]:
    try:
        return pd.factorize(column)
    except TypeError as error:
        raise LightCurveError(
            f"the column {name!r} holds lists or records: it must hold one value per row"
        ) from error


def known(column: Any, name: str) -> pd.Series:
    """Return metadata without what stands for missing values: sentinels, "Unknown" and the like."""
    column = pd.Series(column)
    if name in _VALID:
        low, high = _VALID[name]
        values = numbers(pd.DataFrame({name: column}), name)
        values = np.where((values >= low) & (values <= high), values, np.nan)
        return pd.Series(values, index=column.index)
    codes, labels = _factorized(column, name)
    named = [None if str(v).strip().lower() in _NOT_KNOWN else v for v in labels]
    return pd.Series(np.array([*named, None], dtype=object)[codes], index=column.index)


def per_object(table: pd.DataFrame) -> pd.DataFrame:
    """Return metadata with one row per object: the last value that is known.

    Parameters
    ----------
    table : pandas.DataFrame
        Any number of rows per object, with the columns object_id, label, redshift, ra, dec and
        mwebv. Columns without any value are left out.
    """
    name = ids(table["object_id"], "object_id")
    codes, order = pd.factorize(name.codes)
    objects = name.categories[order]
    columns = {key: known(table[key], key) for key in table.columns if key != "object_id"}
    found = {key: values.to_numpy() for key, values in columns.items() if values.notna().any()}
    if not found:
        return pd.DataFrame(index=objects)
    return pd.DataFrame(found).groupby(codes).last().set_axis(objects, axis=0)


def columns_of(wanted: Collection[str], quality: Any) -> Collection[str] | None:
    """Return the columns to read: all of them where a function of the user selects rows."""
    return None if callable(quality) else wanted
