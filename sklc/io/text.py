"""Tables in text files: CSV, tabs, blanks, ruled, with or without a header."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
import pyarrow as pa

from sklc.errors import LightCurveError
from sklc.io.arrow_csv import read_plain
from sklc.io.columns import id_columns, identify
from sklc.io.values import coded
from sklc.light_curves.columns import exact_integers

__all__ = ["Layout", "layout_of", "read_csv", "read_text_table"]

_HEAD = 1 << 16  # bytes that are looked at to find out the layout
_NUMBER = re.compile(
    r"[<>]?[-+]?(\d+\.?\d*|\.\d+)([eEdD][-+]?\d+)?|nan|null|na|none|--|-|inf", re.I
)
_INTEGER = re.compile(r"-?[1-9]\d*(\.0)?|0(\.0)?")
# Options of `pandas.read_csv` for tables that are plain.
_USUAL = frozenset({"sep", "names", "skiprows", "header", "index_col", "usecols"})
_RULE = re.compile(r"[\s|+]*[-=]{2,}[-=\s|+]*")


@dataclass(frozen=True)
class Layout:
    """How the lines of a text file make up a table.

    Parameters
    ----------
    separator : str
        What stands between columns; a regular expression for blanks.
    names : tuple of str
        The names of the columns; none if there is no header.
    first : int
        The number of lines before the first row of data.
    spans : tuple of pairs of int
        Where the columns of a table of fixed width begin and end; none for other tables.
    """

    separator: str
    names: tuple[str, ...]
    first: int
    spans: tuple[tuple[int, int], ...] = ()


def split(line: str, separator: str) -> list[str]:
    """Return the fields of a line, without blanks and quotes around them."""
    if separator == r"\s+":
        return line.split()
    try:
        fields = next(csv.reader([line.strip()], delimiter=separator), [])
    except csv.Error:  # such as a field without an end
        fields = line.split(separator)
    return [field.strip() for field in fields]


def layout_of(lines: Sequence[str], separator: str | None = None) -> Layout | None:
    """Find out how lines make up a table; None if they do not.

    Parameters
    ----------
    lines : sequence of str
        The first lines of a file.
    separator : str, optional
        What stands between columns, if it is known.

    Returns
    -------
    Layout or None

    Examples
    --------
    >>> from sklc.io.text import layout_of
    >>> layout_of(["# mjd  mag  err", "59000.1  17.5  0.1"]).names
    ('mjd', 'mag', 'err')
    """
    starts = enumerate(line.lstrip() for line in lines)
    rows = list(islice((k for k, start in starts if start and start[0] != "#"), 2))
    if not rows:
        return None
    head = lines[rows[0]]
    if separator is None:
        separator = next((s for s in ",\t;|" if s in head), r"\s+")
    if len(rows) > 1 and _RULE.fullmatch(lines[rows[1]]) and " " in lines[rows[1]].strip():
        spans = tuple(m.span() for m in re.finditer(r"[-=]+", lines[rows[1]]))
        names = tuple(head[a:b].strip() for a, b in spans)
        return Layout(separator, names, rows[1] + 1, spans)
    fields = split(head, separator)
    if not any(_NUMBER.fullmatch(field) for field in fields):
        return Layout(separator, tuple(fields), rows[0] + 1)
    for line in reversed(lines[: rows[0]]):  # a header that is commented out
        text = line.lstrip().lstrip("#%!").strip()
        named = split(text, separator if separator != r"\s+" and separator in text else r"\s+")
        if len(named) == len(fields) and identify(named).is_light_curve:
            return Layout(separator, tuple(named), rows[0])
    return Layout(separator, (), rows[0])


def complete_lines(head: bytes) -> list[str]:
    """Return the lines in the first 64 kB of a file, without the last one if it is cut off."""
    lines = head.decode("utf-8-sig", errors="replace").splitlines()
    return lines[:-1] if len(head) == _HEAD and len(lines) > 1 else lines


def lines_of(file: BinaryIO) -> list[str]:
    """Return the complete lines in the first 64 kB of a file at its beginning, where it stays."""
    head = file.read(_HEAD)
    file.seek(0)
    return complete_lines(head)


def first_row(layout: Layout | None, separator: str) -> int | None:
    """Return the number of lines before the first row of a plain table with a header, or None."""
    if layout is None or not layout.names or layout.spans or layout.separator != separator:
        return None
    return layout.first


def read_csv(
    file: BinaryIO,
    columns: Sequence[str],
    first: int | None = None,
    wanted: Callable[[str], bool] | None = None,
    **options: Any,
) -> pd.DataFrame:
    """Read a table, its ids exactly.

    Ids are integers if all of them are written as pandas would write them, and else text: "007"
    is not 7. Texts that repeat may be categories.

    Parameters
    ----------
    file : binary file
    columns : sequence of str
        The names of the columns, in the file or in `options`.
    first : int, optional
        The number of lines before the first row, if it is known.
    wanted : callable, optional
        A function of the name of a column that returns whether it is needed. Others may be left
        out.
    **options
        Options of `pandas.read_csv`.
    """
    given = options.pop("dtype", None) or {}
    names = [name for name in id_columns(columns) if name not in given]
    dtype = dict.fromkeys(names, str) | {k: v for k, v in given.items() if k in columns}
    separator, usecols = options.get("sep", ","), options.get("usecols")
    is_needed = wanted or usecols or (lambda name: True)
    kinds = {name: dtype.get(name) for name in columns if is_needed(name)}
    if not kinds:  # a table of another kind: whoever misses its columns shows these
        options.pop("usecols", None)
        kinds, usecols = {name: dtype.get(name) for name in columns}, None
    is_usual = _USUAL.issuperset(k for k, v in options.items() if v is not None)
    if is_usual and first is not None and (separator == r"\s+" or len(kinds) < len(columns)):
        # Arrow is the faster one between blanks, and where columns are left out
        frame = read_plain(file, columns, first, separator=separator, kinds=kinds)
        if frame is not None:
            return _with_ids(frame, names)
        file.seek(0)
    if separator in (*",;|\t", r"\s+"):  # what the fast parser of pandas knows
        options["low_memory"] = False  # one type for each column
    if usecols is None:  # by position, since names in files may have blanks around them
        dtype = {list(columns).index(name): kind for name, kind in dtype.items()}
    frame = None
    if names and columns[0] == names[0] and options.get("low_memory") is False:
        # pandas is fastest if it finds out the type, which is right for text and for integers
        # that are written as usual
        others = {k: v for k, v in dtype.items() if k not in (0, names[0])}
        frame = pd.read_csv(file, dtype=others, **options)
        if frame.dtypes.iloc[0].kind in "iu" and _are_written_as_usual(file, separator):
            names = names[1:]
        elif not pd.api.types.is_string_dtype(frame.dtypes.iloc[0]):
            frame = None
            file.seek(0)
    if frame is None:
        frame = pd.read_csv(file, dtype=dtype, **options)
    if [str(name).strip() for name in frame.columns] == list(columns):
        frame.columns = pd.Index(columns)
    return _with_ids(frame, names)


def _are_written_as_usual(file: BinaryIO, separator: str) -> bool:
    """Whether the integers at the beginnings of the lines have no sign, zeros or quotes before."""
    if not isinstance(file, io.BufferedReader | io.BytesIO):
        return False  # to decompress a file twice takes longer
    file.seek(0)
    ends = np.frombuffer((b" \t" if separator == r"\s+" else separator.encode()), np.uint8)
    while piece := file.read(1 << 20) + file.readline():
        text = np.frombuffer(b"\n" + piece + b"\n\n", np.uint8)
        starts = np.flatnonzero(text == ord("\n"))[:-2] + 1
        first = text[starts]
        is_zero = first == ord("0")
        if is_zero.any() and not np.isin(text[starts[is_zero] + 1], ends).all():
            return False
        if any((first == ord(mark)).any() for mark in '-+ "'):
            return False
    return True


def _with_ids(frame: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Return a table with ids, which are text, as categories: of integers, if none is changed."""
    for name in names:
        if name not in frame:
            continue
        column = frame[name].array
        is_coded = isinstance(column, pd.Categorical)
        codes, found = (column.codes, column.categories) if is_coded else pd.factorize(column)
        texts = [str(text).strip() for text in np.asarray(found, dtype=object).tolist()]
        if len(set(texts)) == len(texts):
            frame[name] = pd.Categorical.from_codes(codes, _as_integers(texts), validate=False)
        else:  # they differ in the blanks around them
            ids = coded(np.asarray(codes), texts)
            frame[name] = pd.Categorical.from_codes(ids.codes, _as_integers(list(ids.categories)))
    return frame


def _as_integers(texts: list[str]) -> pd.Index:
    """Return integers for texts, if these are the usual way to write them; else the texts."""
    written = pa.array(texts, pa.string())
    try:
        numbers = written.cast(pa.int64())
        if numbers.cast(pa.string()).equals(written):
            return pd.Index(numbers.to_numpy())
    except pa.ArrowInvalid:
        pass
    if not all(map(_INTEGER.fullmatch, texts)):
        return pd.Index(texts, dtype=object)
    whole = [int(text.partition(".")[0]) for text in texts]
    beyond = any("." in t and abs(n) >= 2**53 for t, n in zip(texts, whole, strict=True))
    if beyond or len(set(whole)) < len(whole):
        return pd.Index(texts, dtype=object)
    return pd.Index(exact_integers(np.array(whole, dtype=object)))


def read_text_table(
    file: BinaryIO,
    where: str,
    *,
    names: Sequence[str] | None = None,
    separator: str | None = None,
    text: Sequence[str] = (),
    chunksize: int | None = None,
    wanted: Callable[[str], bool] | None = None,
) -> Any:
    """Read a table from a text file of any layout.

    Parameters
    ----------
    file : binary file
        The file, at its beginning.
    where : str
        Its name, for messages.
    names : sequence of str, optional
        Names of the columns, for a file without a header.
    separator : str, optional
        What stands between columns. By default it is found out.
    text : sequence of str
        Columns that are text, even if they look like numbers.
    chunksize : int, optional
        The number of rows to read at a time.
    wanted : callable, optional
        A function of the name of a column that returns whether it is needed. Others may be left
        out, which is faster.

    Returns
    -------
    pandas.DataFrame, or an iterator of these if `chunksize` is given

    Raises
    ------
    LightCurveError
        If the file is no table.
    """
    start = file.read(_HEAD)
    file.seek(0)
    lines = start.decode("utf-8-sig", errors="replace").splitlines()
    layout = layout_of(lines, separator)
    if layout is None:
        raise LightCurveError(f"{where} has no rows: check that it was downloaded completely")
    columns, first = list(layout.names), layout.first
    columns = columns if names is None else list(names)
    widths = _widths(lines[first:], layout, columns)
    if columns and widths and widths[0] != len(columns):
        if len(columns) in widths:
            raise LightCurveError(_ragged(first + 1, where, widths[0], len(columns)))
        raise LightCurveError(
            f"{where} has rows of {widths[0]} fields (the first is {lines[first][:80]!r}) and "
            f"{len(columns)} names of columns {columns[:20]}: "
            + ("correct the header" if names is None else "name all columns in names=, in order")
        )
    if not columns:
        raise LightCurveError(
            f"{where} has no header that names its columns (the first row is "
            f'{lines[first][:80]!r}): pass format="text" and names=, such as names=["mjd", "mag", '
            '"mag_err"]'
        )
    options: dict[str, Any] = {"names": columns, "skiprows": first, "header": None}
    if (
        layout.names
        and not layout.spans
        and names is None
        and not lines[first - 1].lstrip().startswith("#")
    ):
        options = {"skiprows": first - 1, "header": 0}  # twice as fast as names=
    if layout.spans:
        wide: Any = [*layout.spans[:-1], (layout.spans[-1][0], None)]
        options |= {"colspecs": wide, "comment": "#", "encoding": "utf-8-sig"}
        ids = id_columns(columns)
        frame = pd.read_fwf(file, dtype=dict.fromkeys([*ids, *text], str), **options)
        return _with_ids(frame, ids) if chunksize is None else iter([_with_ids(frame, ids)])
    if layout.separator == ";" and re.search(r"\d,\d", lines[min(first, len(lines) - 1)]):
        options["decimal"] = ","
    options |= {"sep": layout.separator, "index_col": False}
    if re.search(r"[,;|] ", "\n".join(lines[first : first + 50])):
        options["skipinitialspace"] = True
    options["dtype"] = dict.fromkeys(text, str)
    if any("#" in line for line in lines[first:]):
        options["comment"] = "#"
    try:
        if chunksize is not None:
            return _chunks(file, where, columns, chunksize, options)
        frame = read_csv(file, columns, first, wanted, **options)
    except pd.errors.ParserError as error:
        found = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error))
        if not found:
            raise
        message = _ragged(int(found[2]), where, int(found[3]), int(found[1]))
        raise LightCurveError(message) from error
    if frame.shape[1] == len(columns):  # else it was read by a parser that checks this
        frame.columns = pd.Index(columns)
        _check_complete(file, where, frame, layout)
    return frame


def _chunks(
    file: BinaryIO, where: str, columns: Sequence[str], rows: int, options: dict[str, Any]
) -> Iterator[pd.DataFrame]:
    """Read a table some rows at a time; what the ids are is said by the first rows."""
    names = id_columns(columns)
    dtype: dict[Any, Any] = {list(columns).index(name): str for name in names}
    dtype |= options.pop("dtype")
    kinds: dict[str, str] = {}
    with pd.read_csv(file, dtype=dtype, chunksize=rows, **options) as reader:
        for part in reader:
            frame = _with_ids(part.set_axis(list(columns), axis=1), names)
            for name in names:
                found = frame[name].cat.categories
                if len(found) and kinds.setdefault(name, found.dtype.kind) != found.dtype.kind:
                    raise LightCurveError(
                        f"the ids ({name}) of {where} are integers in some rows and text in "
                        "others: read it as a whole, with sklc.io.read"
                    )
            yield frame


def _widths(lines: Sequence[str], layout: Layout, columns: Sequence[str]) -> list[int]:
    """Return the numbers of fields of the first rows; a separator at the end does not count."""
    if layout.spans:
        return [len(layout.spans)]
    rows = [row for row in lines[:20] if row.strip() and not row.lstrip().startswith("#")]
    fields = [split(row, layout.separator) for row in rows]
    return [len(row) - (len(row) == len(columns) + 1 and not row[-1]) for row in fields]


def _ragged(number: int, where: str, found: int, expected: int) -> str:
    return (
        f"line {number} of {where} has {found} fields instead of {expected}: the file may be "
        "truncated; correct or remove the line"
    )


def _check_complete(file: BinaryIO, where: str, frame: pd.DataFrame, layout: Layout) -> None:
    """Raise if a line has too few fields, which pandas would fill up with missing values."""
    if not len(frame) or not frame.iloc[:, -1].isna().any():
        return
    n_columns = frame.shape[1]
    file.seek(0)
    separator = None if layout.separator == r"\s+" else layout.separator.encode()
    content = file.read()
    if separator is not None and b'"' not in content:  # a count is nearly always enough, and fast
        first = b"".join(content.split(b"\n", layout.first)[: layout.first])
        found = content.count(separator) - first.count(separator)
        if found >= len(frame) * (n_columns - 1):
            return
    lines = content.splitlines()
    for number, line in enumerate(lines, start=1):
        if number <= layout.first or not line.strip() or line.lstrip().startswith(b"#"):
            continue
        count = len(line.split()) if separator is None else line.count(separator) + 1
        if count < n_columns:
            raise LightCurveError(_ragged(number, where, count, n_columns))
