"""Columns of tables as plain arrays: numbers, flags, ids, and labels that repeat."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from sklc.errors import LightCurveError
from sklc.light_curves.columns import exact_integers
from sklc.light_curves.values import factorized
from sklc.utils.text import counted

__all__ = [
    "are_flags",
    "by_label",
    "coded",
    "coded_text",
    "constant",
    "exact_ids",
    "flags",
    "ids",
    "labels",
    "numbers",
    "numbers_or_nan",
    "require_columns",
    "words",
]

_EXACT = 2**53  # beyond it, floating point does not hold every integer
_FEW_WORDS = 1 << 16
_TRUE = frozenset({"true", "t", "1", "1.0", "yes", "y"})
_FALSE = frozenset({"false", "f", "0", "0.0", "no", "n"})
_NO_VALUE = frozenset({"", "--", "-", "...", "na", "n/a", "nan", "null", "none", "<na>", "masked"})
_NO_WORDS = pa.array(sorted(_NO_VALUE))
Table = pd.DataFrame | Mapping[str, Any]


def require_columns(table: pd.DataFrame, *names: str, remedy: str = "") -> None:
    """Raise an error that names the columns that a table lacks."""
    if missing := [name for name in names if name not in table]:
        if converted := [name for name in missing if f"{name} (nJy)" in table]:
            raise LightCurveError(
                f"column {converted[0]!r} has a unit, and in this format it has none: remove the "
                'unit if the format is right, or pass another format=, such as "long-table"'
            )
        plural = "s" if len(missing) > 1 else ""
        raise LightCurveError(
            f"column{plural} {', '.join(map(repr, missing))} missing from the columns "
            f"{[str(c) for c in table][:20]}: "
            + (remedy or "ask the service for the complete table")
        )


def numbers(
    table: Table,
    name: str,
    *,
    missing: Collection[float] = (),
    limits: bool = False,
    first_line: int | None = None,
) -> np.ndarray:
    """Return a column as float64, with NaN for what is missing.

    Parameters
    ----------
    table : pandas.DataFrame or mapping of columns
    name : str
        The name of the column.
    missing : collection of float, optional
        Values that stand for a missing value.
    limits : bool, default=False
        Whether values such as ">17.5" and "<17.5" are limits, which are NaN, or an error.
    first_line : int, optional
        The line of the file in which the first row of the table stands, for messages.

    Raises
    ------
    LightCurveError
        If there is no such column, or a value is not a number. The message names its row.
    """
    if isinstance(table, pd.DataFrame):
        require_columns(table, name)
    column = table[name]
    if isinstance(column, pd.DataFrame):
        raise LightCurveError(f"there is more than one column {name!r}: keep one of them")
    if isinstance(column, list) and (found := _numbers_of_list(column)) is not None:
        column = found
    column = pd.Series(column, dtype=object if isinstance(column, list) else None)
    if column.dtype.kind not in "fiub":
        values = _numbers_of_text(column, name, limits, first_line)
    elif isinstance(column.dtype, np.dtype):
        values = column.to_numpy(dtype=np.float64)
    else:
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    stands_for_missing = np.isin(values, list(missing)) if len(missing) else np.zeros(1, dtype=bool)
    return np.where(stands_for_missing, np.nan, values) if stands_for_missing.any() else values


def _numbers_of_list(values: list[Any]) -> np.ndarray | None:
    """Return values, or texts, that all are numbers or None; None for others."""
    try:
        return pa.array(values).cast(pa.float64()).to_numpy(zero_copy_only=False)
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        return None


def _numbers_of_text(
    column: pd.Series, name: str, limits: bool, first_line: int | None
) -> np.ndarray:
    if isinstance(column.dtype, pd.CategoricalDtype):
        kinds = pd.Series(column.cat.categories.astype(object))
        values = np.append(_numbers_or_nan(kinds), np.nan)[column.cat.codes]
    else:
        values = _numbers_or_nan(column)
    rows = np.flatnonzero(np.isnan(values))
    if not len(rows):
        return values
    codes, found = labels(column.iloc[rows])
    is_bad = np.array([not (limits and str(v).startswith(("<", ">"))) for v in found] + [False])
    bad = rows[is_bad[codes]]
    if len(bad):
        row = int(bad[0])
        where = f"row {row + 1} of the table" if first_line is None else f"line {first_line + row}"
        more = f" ({len(bad)} such values in all)" if len(bad) > 1 else ""
        raise LightCurveError(
            f"column {name!r} holds {str(column.iloc[row])[:80]!r} in {where}, which is not a "
            f"number{more}: correct or remove the row"
        )
    return values


def _numbers_or_nan(column: pd.Series) -> np.ndarray:
    return pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)


def numbers_or_nan(table: pd.DataFrame, name: str) -> np.ndarray:
    """Return a column as `numbers`, or NaN throughout where there is no such column."""
    return numbers(table, name) if name in table else np.full(len(table), np.nan)


def labels(column: Any) -> tuple[np.ndarray, list[Any]]:
    """Return codes and the labels that they stand for; -1 is missing. Text is stripped.

    Columns of few labels are thus looked at label by label, not row by row.
    """
    column = getattr(column, "array", column)
    if isinstance(column, list):
        column = _coded_list(column)
    if isinstance(column, pd.Categorical):
        codes = np.asarray(column.codes)
        own = np.asarray(column.categories, dtype=object).tolist()
        used = np.bincount(codes + 1, minlength=len(own) + 1)[1:] > 0
        if not used.all():
            codes = np.append(np.cumsum(used) - 1, -1)[codes]
            own = [label for label, is_used in zip(own, used, strict=True) if is_used]
    else:
        codes, found = factorized(pd.Series(column), "column")
        own = np.asarray(found, dtype=object).tolist()
    own = [label.decode(errors="replace") if isinstance(label, bytes) else label for label in own]
    own = [label.strip() if isinstance(label, str) else label for label in own]
    absent = [isinstance(label, str) and label.casefold() in _NO_VALUE for label in own]
    if any(absent):
        codes = np.where(np.array([*absent, False])[codes], -1, codes)
    return codes, own


def _coded_list(values: list[Any]) -> Any:
    """Return values as categories, in the order of appearance, or as objects."""
    try:
        kinds = dict.fromkeys(values)
    except TypeError:
        return pd.Series(values, dtype=object)
    missing = [kind is None or kind is pd.NA or kind != kind for kind in kinds]
    place = iter(range(len(kinds)))
    code_of = {
        kind: -1 if absent else next(place) for kind, absent in zip(kinds, missing, strict=True)
    }
    if len(kinds) == 1:
        codes = np.full(len(values), next(iter(code_of.values())), dtype=np.int64)
    else:
        codes = np.fromiter(map(code_of.__getitem__, values), dtype=np.int64, count=len(values))
    known = [kind for kind, absent in zip(kinds, missing, strict=True) if not absent]
    return pd.Categorical.from_codes(codes, pd.Index(known, dtype=object), validate=False)


def by_label(column: Any, of: Callable[[str], bool], *, absent: bool = False) -> np.ndarray:
    """Return what a function of the text of a label returns for each row; `absent` if missing."""
    codes, found = labels(column)
    return np.array([*(of(str(label)) for label in found), absent], dtype=bool)[codes]


def words(column: Any) -> tuple[np.ndarray, list[str]]:
    """Return codes and the texts that they stand for; the text "" stands for a missing value."""
    codes, found = labels(column)
    return np.where(codes < 0, len(found), codes), [*map(str, found), ""]


def flags(table: pd.DataFrame, name: str) -> np.ndarray:
    """Return a column of flags as bool: False where a flag was not measured or is not there.

    Raises
    ------
    LightCurveError
        If a value is neither true nor false.
    """
    if name not in table:
        return np.zeros(len(table), dtype=bool)
    column = table[name]
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "biuf":
        values = column.to_numpy()
        return values if values.dtype == bool else np.nan_to_num(values) != 0
    codes, found = labels(column)
    if strange := _not_flags(found):
        raise LightCurveError(
            f"column {name!r} is a flag, and holds {strange[0][:80]!r}: it must be true or false"
        )
    return np.array([*(str(v).casefold() in _TRUE for v in found), False], dtype=bool)[codes]


def are_flags(column: pd.Series) -> bool:
    """Whether a column holds true and false, or numbers that are neither."""
    return column.dtype.kind == "b" or not _not_flags(labels(column)[1])


def _not_flags(found: Sequence[Any]) -> list[str]:
    return [str(label) for label in found if str(label).casefold() not in _TRUE | _FALSE]


def coded(codes: np.ndarray, categories: Sequence[Any]) -> pd.Categorical:
    """Return a column of categories from their codes, -1 for missing; equal categories are one."""
    if len(set(categories)) == len(categories):
        index = pd.Index(list(categories), dtype=object)
        return pd.Categorical.from_codes(codes, index, validate=False)
    position: dict[Any, int] = {}
    lookup = [position.setdefault(category, len(position)) for category in categories]
    if len(position) < len(lookup):
        codes = np.array([*lookup, -1])[codes]
    return pd.Categorical.from_codes(codes, pd.Index(list(position), dtype=object))


def coded_text(values: np.ndarray, mask: np.ndarray | None = None) -> pd.Categorical:
    """Return fixed-width text of numpy as categories, without blanks around it."""
    size = -(-values.dtype.itemsize // 8) * 8  # in words of 8 bytes, which compare fast
    wide = values.astype(f"{values.dtype.kind}{size // (4 if values.dtype.kind == 'U' else 1)}")
    codes = np.zeros(len(values), dtype=np.int64)
    for word in np.ascontiguousarray(wide).view(np.uint64).reshape(-1, size // 8).T:
        own, n_own = _coded_words(word)
        if n_own > 1:
            codes = pd.factorize(codes * n_own + own)[0] if codes.any() else own
    first = np.zeros(codes.max(initial=-1) + 1, dtype=np.int64)
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    texts = [t.decode(errors="replace") if isinstance(t, bytes) else str(t) for t in values[first]]
    return coded(
        codes if mask is None else np.where(mask, -1, codes),
        [text.strip("\x00 ") for text in texts],
    )


def _coded_words(word: np.ndarray) -> tuple[np.ndarray, int]:
    """Return codes of integers, and how many there are."""
    if not len(word):
        return np.zeros(0, dtype=np.int64), 0
    if (most := int(word.max())) < _FEW_WORDS:  # one or two letters
        used = np.zeros(most + 1, dtype=bool)
        used[word] = True
        return (np.cumsum(used) - 1)[word], int(used.sum())
    starts = np.flatnonzero(np.append(True, word[1:] != word[:-1]))
    own, found = pd.factorize(word[starts])  # the rows of an object stand together
    return np.repeat(own, np.diff(starts, append=len(word))), len(found)


def constant(value: Any, n_rows: int) -> pd.Categorical:
    """Return a column that has one value in all rows."""
    values = pd.Index([value], dtype=object if isinstance(value, str) else None)
    return pd.Categorical.from_codes(np.zeros(n_rows, dtype=np.int8), values)


def exact_ids(column: Any, name: str) -> Any:
    """Return ids as an array of integers, or as categories, so that text is compared only once.

    Raises
    ------
    LightCurveError
        If ids are missing, or integers went through floating point numbers that do not hold them.
    """
    column = pd.Series(column, copy=False)
    found: Any = None
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iu":
        return column.to_numpy(dtype=f"{column.dtype.kind}8")
    if column.dtype.kind in "iuf":
        absent = np.flatnonzero(column.isna())
    else:
        codes, found = _coded_ids(column)
        absent = np.flatnonzero(codes < 0)
    if len(absent):
        raise LightCurveError(
            f"the object id ({name}) is missing in row {absent[0] + 1} of the table "
            f"({counted(len(absent), 'row')} in all): give each row the id of its object, or "
            "remove these rows"
        )
    if found is not None:
        if found.dtype.kind in "iu" and len(found):
            return np.asarray(found, dtype=f"{found.dtype.kind}8")[codes]
        if (
            len(found)
            and found.dtype == object
            and all(isinstance(v, int | np.integer) for v in found)
        ):
            return exact_integers(np.array(found, dtype=object))[codes]
        return pd.Categorical.from_codes(codes, pd.Index(found), validate=False)
    if column.dtype.kind != "f":
        return column.to_numpy(dtype=f"{column.dtype.kind}8")
    values = column.to_numpy(dtype=np.float64)
    if np.any(np.abs(values) >= _EXACT):
        raise LightCurveError(
            f"column {name!r} holds ids as floating point numbers, which are not exact above "
            f'2**53: read them as integers, as with pandas.read_csv(..., dtype={{"{name}": '
            '"Int64"})'
        )
    return values.astype(np.int64) if np.all(values == np.floor(values)) else values


def _coded_ids(column: pd.Series) -> tuple[np.ndarray, Any]:
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes, found = np.asarray(column.array.codes), column.array.categories
    else:
        codes, found = factorized(column, "object id")
    if found.dtype.kind in "iu":
        return codes, found
    texts = np.asarray(found, dtype=object)
    try:  # at once, if all are text
        words = pc.utf8_lower(pc.utf8_trim_whitespace(pa.array(texts, pa.string())))
        absent = pc.is_in(words, value_set=_NO_WORDS).to_numpy(zero_copy_only=False)
    except pa.ArrowException:
        absent = np.array([isinstance(t, str) and t.strip().casefold() in _NO_VALUE for t in texts])
    return np.where(np.append(absent, False)[codes], -1, codes) if absent.any() else codes, found


def ids(column: Any, name: str) -> pd.Categorical:
    """Return ids as `exact_ids`, always as categories."""
    found = exact_ids(column, name)
    if isinstance(found, pd.Categorical):
        return found
    codes, unique = pd.factorize(found)
    return pd.Categorical.from_codes(codes, unique)
