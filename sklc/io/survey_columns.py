"""Columns of the tables of surveys as plain arrays: numbers, flags, ids and passbands."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import PurePath
from typing import Any

import numpy as np
import pandas as pd

from sklc.errors import LightCurveError, UnknownPassbandError
from sklc.light_curves.columns import runs
from sklc.passbands import Passband, find_passbands

__all__ = [
    "coded",
    "exact_ids",
    "flags",
    "label_column",
    "metadata_table",
    "numbers",
    "object_name",
    "passband_column",
    "per_object",
    "require_columns",
    "without_sentinels",
    "words",
]

_TRUE = frozenset({"true", "t", "1", "yes", "y", "1.0"})
_FALSE = frozenset({"false", "f", "0", "no", "n", "0.0", ""})
_SUFFIXES = frozenset({".gz", ".bz2", ".xz", ".txt", ".dat", ".csv", ".json", ".fits", ".lc"})
_NO_VALUE = frozenset({"", "null", "none", "nan", "na", "n/a", "-", "--", "<na>", "masked"})
_LARGEST_EXACT = 2**53  # above it, float64 does not hold every integer


def require_columns(table: pd.DataFrame, *names: str, remedy: str = "") -> None:
    """Raise an error that names the columns that a table lacks."""
    if missing := [name for name in names if name not in table.columns]:
        plural = "s" if len(missing) > 1 else ""
        raise LightCurveError(
            f"column{plural} {', '.join(map(repr, missing))} missing from the columns "
            f"{[str(c) for c in table.columns][:20]}: "
            + (remedy or "ask the service for the complete table")
        )


def numbers(
    table: pd.DataFrame, name: str, missing: Collection[float] = (), first_line: int | None = None
) -> np.ndarray:
    """Return a column as float64, with NaN for what is missing.

    Parameters
    ----------
    table : pandas.DataFrame
    name : str
        The name of the column.
    missing : collection of float, optional
        Values that stand for a missing value.
    first_line : int, optional
        The line of the file in which the first row of the table stands, for messages.

    Raises
    ------
    LightCurveError
        If there is no such column, or a value is not a number. The message names its row.
    """
    require_columns(table, name)
    column = table[name]
    if isinstance(column, pd.DataFrame):
        raise LightCurveError(f"there is more than one column {name!r}: keep one of them")
    if not isinstance(column.dtype, np.dtype) or column.dtype.kind not in "fiub":
        text = column.astype(object).where(column.notna(), np.nan)
        converted = pd.to_numeric(text, errors="coerce").astype(np.float64)
        suspect = np.flatnonzero(converted.isna() & text.notna())
        bad = [i for i in suspect if str(text.iloc[i]).strip().casefold() not in _NO_VALUE]
        if bad:
            row = int(bad[0])
            where = f"row {row + 1}" if first_line is None else f"line {first_line + row}"
            more = f" ({len(bad)} such values in all)" if len(bad) > 1 else ""
            raise LightCurveError(
                f"column {name!r} holds {str(text.iloc[row])[:80]!r} in {where}, which is not a "
                f"number{more}: correct or remove this row"
            )
        column = converted
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    return without_sentinels(values, missing) if len(missing) else values


def without_sentinels(values: np.ndarray, missing: Collection[float]) -> np.ndarray:
    """Return numbers with NaN in the place of the values that stand for a missing one."""
    stands_for_missing = np.isin(values, list(missing))
    return np.where(stands_for_missing, np.nan, values) if stands_for_missing.any() else values


def flags(table: pd.DataFrame, name: str) -> np.ndarray:
    """Return a column of flags as booleans; a missing flag was not measured, and is False.

    Raises
    ------
    LightCurveError
        If a value is neither true nor false.
    """
    column = table[name]
    if column.dtype == bool:
        return column.to_numpy()
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iuf":
        return np.nan_to_num(column.to_numpy(dtype=np.float64)) != 0
    codes, values = pd.factorize(column)
    words = [str(value).strip().casefold() for value in values]
    if strange := [word for word in words if word not in _TRUE | _FALSE]:
        raise LightCurveError(
            f"column {name!r} is a flag, and holds {strange[0][:80]!r}: it must be true or false"
        )
    return np.array([*(word in _TRUE for word in words), False], dtype=bool)[codes]


def exact_ids(column: Any, name: str) -> Any:
    """Return ids as they are, integers as integers.

    Raises
    ------
    LightCurveError
        If ids are missing, or integers went through floating point numbers that do not hold them.
    """
    column = pd.Series(column).reset_index(drop=True)
    if column.isna().any():
        row = int(np.flatnonzero(column.isna())[0])
        raise LightCurveError(
            f"column {name!r} has no id in row {row + 1} ({int(column.isna().sum())} in all): "
            "leave out rows that belong to no object"
        )
    if column.dtype.kind == "f":
        values = column.to_numpy(dtype=np.float64)
        if np.any(np.abs(values) >= _LARGEST_EXACT):
            raise LightCurveError(
                f"column {name!r} holds ids as floating point numbers, which are not exact above "
                f'2**53: read them as integers, as with pandas.read_csv(..., dtype={{"{name}": '
                '"Int64"})'
            )
        if np.all(values == np.floor(values)):
            return values.astype(np.int64)
    elif column.dtype.kind in "iu":
        return column.to_numpy(dtype=np.uint64 if column.dtype.kind == "u" else np.int64)
    elif all(isinstance(value, int | np.integer) for value in column):
        return column.astype(np.int64).to_numpy()
    return column


def passband_column(
    labels: Any, survey: str | None = None, bands: Mapping[Any, Any] | None = None
) -> pd.Categorical:
    """Return the passbands of a column of labels.

    Parameters
    ----------
    labels : array-like of shape (n_rows,)
        The labels of the survey. Missing ones stay missing.
    survey : str, optional
        The survey that the labels belong to.
    bands : dict, optional
        The passbands of labels that the survey does not name, such as ``{"B": "bessellb"}``.

    Raises
    ------
    UnknownPassbandError
        If a label is not known. The message names it, its first row, and what to do.
    """
    codes, unique = (
        (np.asarray(labels.codes), labels.categories)
        if isinstance(labels, pd.Categorical)
        else pd.factorize(np.asarray(labels) if not hasattr(labels, "dtype") else labels)
    )
    given = bands or {}
    found: list[Passband] = []
    for code, label in enumerate(unique):
        rows = np.flatnonzero(codes == code)[:1]
        if not len(rows):
            found.append(Passband(f"unused {code}", "none", 1.0))
            continue
        plain = label.strip() if isinstance(label, str) else label
        name = given.get(label, given.get(plain))
        try:
            if name is not None:
                found += find_passbands([name], survey)
            else:
                found += find_passbands([plain], survey)
        except UnknownPassbandError as error:
            raise UnknownPassbandError(
                f"row {int(rows[0]) + 1} has the filter {str(label)[:80]!r}: {error}. Or name the "
                f"passband with bands={{{plain!r}: ...}}, or the survey with survey="
            ) from error
    unique_bands = list(dict.fromkeys(found))
    if len(unique_bands) < len(found):  # two labels for one passband
        position = {band: number for number, band in enumerate(unique_bands)}
        codes = np.array([*(position[band] for band in found), -1])[codes]
    return coded(codes, unique_bands)


def coded(codes: np.ndarray, categories: list[Any]) -> pd.Categorical:
    """Return a column of categories from their codes; -1 is missing."""
    return pd.Categorical.from_codes(codes, categories=pd.Index(categories, dtype=object))


def words(column: Any) -> tuple[np.ndarray, list[str]]:
    """Return a column of few different texts as codes, and the texts without blanks around them.

    A missing value is the text "".
    """
    codes, values = pd.factorize(pd.Series(column), use_na_sentinel=False)
    return codes, ["" if pd.isna(value) else str(value).strip() for value in values]


def label_column(values: Any, missing: Collection[Any] = ()) -> Any:
    """Return labels of classes: integers where all are known, numbers with NaN, or text."""
    column = pd.Series(values)
    column = column.mask(column.isin(list(missing)))
    if column.isna().any() and column.dtype.kind in "iuf":
        return column.astype(np.float64)
    return column


def metadata_table(
    table: pd.DataFrame,
    ids: Collection[str],
    names: Mapping[str, Collection[str]],
    missing: Collection[float] = (),
) -> pd.DataFrame:
    """Return the metadata of objects under their standard names, indexed by id.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per object.
    ids : collection of str
        Names that the column of ids may have; the first that is there counts.
    names : dict of str to collection of str
        The names that the column of each standard name may have. All other columns keep theirs.
    missing : collection of float
        Values that stand for a missing number.

    Raises
    ------
    LightCurveError
        If there are no ids, or an id occurs more than once.
    """
    id_column = next((name for name in ids if name in table.columns), None)
    if id_column is None:
        raise LightCurveError(
            f"metadata has none of the columns {list(ids)}; its columns are "
            f"{[str(c) for c in table.columns][:20]}: rename the column with the ids of the objects"
        )
    index = pd.Index(exact_ids(table[id_column], id_column))
    if index.has_duplicates:
        raise LightCurveError(
            f"metadata has more than one row for the object {index[index.duplicated()][0]}: keep "
            "one of them"
        )
    columns: dict[str, Any] = {}
    taken = {id_column}
    for standard, candidates in names.items():
        source = next((name for name in candidates if name in table.columns), None)
        if source is not None:
            taken.add(source)
            value = table[source]
            columns[standard] = label_column(value, missing) if standard == "label" else value
    columns |= {str(name): table[name] for name in table.columns if name not in taken}
    for name, value in columns.items():
        if value.dtype.kind == "f" and name not in ("ra", "dec"):
            columns[name] = value.mask(value.isin(list(missing)))
    return pd.DataFrame({name: value.array for name, value in columns.items()}, index=index)


def per_object(ids: Any, columns: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Return metadata from columns with one value per row: the value of each object's first row."""
    starts, values = runs(ids)
    index = pd.Index(values)
    new = ~index.duplicated()
    first = starts[new]
    return pd.DataFrame({name: v[first] for name, v in columns.items()}, index=index[new])


def object_name(name: str) -> str:
    """Return the name of the object of a file: that of the file, without its suffixes."""
    path = PurePath(name.rpartition(":")[2] or name)
    while path.suffix.casefold() in _SUFFIXES:
        path = path.with_suffix("")
    return "0" if name == "the bytes" else path.name
