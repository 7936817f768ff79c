"""Plain text tables by the parser of Arrow, which codes texts that repeat while it reads them.

Only where the result is that of pandas: anything unusual is left to pandas, see `read_csv`.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import csv

__all__ = ["read_plain"]

# What pandas takes for missing.
_MISSING = ["#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
            "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"]  # fmt: skip
_TRUE, _FALSE = ["True", "TRUE", "true"], ["False", "FALSE", "false"]
_CODED = pa.dictionary(pa.int32(), pa.string())
# Texts of more than this number of kinds are not coded.
_MOST_KINDS = 10_000
# Arrow makes floats of integers with a plus sign or of more than 64 bits, and pandas does not; here
# they differ.
_LARGEST = 2.0**53
_DTYPES = {str: _CODED, "Int64": pa.int64()}
_HEAD = 1 << 16


def read_plain(
    file: BinaryIO,
    names: Sequence[str],
    first: int,
    *,
    separator: str,
    kinds: Mapping[str, Any],
) -> pd.DataFrame | None:
    r"""Read a table as `pandas.read_csv` does, with texts that repeat as categories.

    Parameters
    ----------
    file : binary file
        The file, at any place.
    names : sequence of str
        The names of all columns.
    first : int
        The number of lines before the first row.
    separator : str
        What stands between columns: a character, or ``\s+`` for blanks.
    kinds : mapping
        The columns to read, and their types: str, "Int64", or None for what they hold.

    Returns
    -------
    pandas.DataFrame or None
        None if the table is not plain, or has no rows.
    """
    blanks = separator == r"\s+"
    types = {name: _DTYPES.get(kind) for name, kind in kinds.items() if kind is not None}
    if not kinds:  # which Arrow takes for all columns
        return None
    if not _is_plain(names, types, separator) or not _has_plain_head(file, first, blanks):
        return None
    # between blanks, an empty field is no missing value: there are two blanks
    missing = _MISSING if blanks else ["", *_MISSING]
    while True:
        try:
            table = csv.read_csv(
                _opened(file),
                read_options=csv.ReadOptions(column_names=list(names), skip_rows=first),
                parse_options=csv.ParseOptions(delimiter=" " if blanks else separator),
                convert_options=csv.ConvertOptions(
                    column_types=types,
                    include_columns=list(kinds),
                    null_values=missing,
                    true_values=_TRUE,
                    false_values=_FALSE,
                    strings_can_be_null=True,
                    auto_dict_encode=True,
                    auto_dict_max_cardinality=_MOST_KINDS,
                ),
            )
        except (pa.ArrowException, OSError, EOFError, ValueError):
            return None  # pandas will say what is wrong
        dates = [field.name for field in table.schema if pa.types.is_temporal(field.type)]
        if not dates:
            break
        types |= dict.fromkeys(dates, _CODED)
    if not len(table) or (blanks and any(map(_holds_empty, table.columns))):
        return None
    columns = {n: _column(table.column(n), kinds[n]) for n in table.column_names}
    if any(_is_rounded(column) for column in columns.values()):
        return None
    return pd.DataFrame(columns, copy=False)


def _is_plain(names: Sequence[str], types: dict[str, Any], separator: str) -> bool:
    return (
        None not in types.values()
        and len(set(names)) == len(names)
        and separator in (",", "\t", ";", "|", r"\s+")
    )


def _has_plain_head(file: BinaryIO, first: int, blanks: bool) -> bool:
    """Whether the beginning has nothing that Arrow would read in another way than pandas."""
    file.seek(0)
    head = file.read(_HEAD)
    # Arrow reads hexadecimal numbers, and a single blank separates its columns
    if b"0x" in head or b"0X" in head or (blanks and (b"  " in head or b"\t" in head)):
        return False
    before = head.decode("utf-8-sig", errors="replace").split("\n", first)[:first]
    return all(len(line.splitlines()) <= 1 for line in before)  # Python knows further ends of lines


def _opened(file: BinaryIO) -> Any:
    """Return the name of a file on disk, which is read fastest, or the file from its beginning."""
    if isinstance(file, io.BufferedReader):
        return file.name
    file.seek(0)
    return pa.PythonFile(file, mode="r")


def _holds_empty(column: pa.ChunkedArray) -> bool:
    texts = [c.dictionary if pa.types.is_dictionary(c.type) else c for c in column.chunks]
    return any(pa.types.is_string(t.type) and "" in set(t.to_pylist()) for t in texts)


def _column(column: pa.ChunkedArray, dtype: Any) -> Any:
    """Return a column as pandas reads it with a type, or without one; texts may be categories."""
    kind = column.type
    if dtype is str:
        return column.unify_dictionaries().to_pandas()
    if pa.types.is_null(kind):
        return np.full(len(column), np.nan)
    if dtype == "Int64":
        return column.to_pandas(types_mapper={kind: pd.Int64Dtype()}.get)
    if pa.types.is_integer(kind) and column.null_count:
        return column.cast(pa.float64(), safe=False).to_numpy()
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return column.to_numpy()
    if pa.types.is_dictionary(kind):
        coded = column.unify_dictionaries().to_pandas().array
        return _numbers(coded.categories, coded.codes, coded)
    texts = column.to_pandas()
    if pa.types.is_string(kind):
        head = texts.dropna().head(100)
        return texts if _numbers(head, None, texts) is texts else _numbers(texts, None, texts)
    return texts


def _numbers(texts: Any, codes: Any, otherwise: Any) -> Any:
    """Return texts as numbers, if all are, as with a plus sign, which Arrow does not read."""
    try:
        values = np.asarray(pd.to_numeric(np.asarray(texts, dtype=object)))
    except (ValueError, TypeError):
        return otherwise
    if not len(values):
        return otherwise
    if codes is not None and (codes < 0).any():
        values = np.append(values.astype(np.float64), np.nan)
    return values if codes is None else values[codes]


def _is_rounded(column: Any) -> bool:
    """Whether a column of floats may hold integers that are not exact."""
    if not (isinstance(column, np.ndarray) and column.dtype.kind == "f"):
        return False
    large = (column >= _LARGEST) | (column <= -_LARGEST)
    return bool(large.any() and np.isfinite(column[large]).any())
