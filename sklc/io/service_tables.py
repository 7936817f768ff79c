"""Tables of services: VOTable, FITS, IPAC, CSV, Parquet, and text with names in a comment."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import pandas as pd

from sklc._optional import require
from sklc.errors import LightCurveError
from sklc.io.frames import to_frame
from sklc.io.source import Source, complete, read_parquet

__all__ = ["TextTable", "clean_name", "read_text_table", "service_columns", "service_table"]

_MOST_COMMENTS = 1000  # lines before the names of the columns


@dataclass(frozen=True)
class TextTable:
    """The table of a text file.

    Attributes
    ----------
    table : pandas.DataFrame
    comments : list of str
        The lines before the names of the columns.
    first_line : int
        The line in which the first row stands, counted from 1.
    """

    table: pd.DataFrame
    comments: list[str]
    first_line: int


def clean_name(name: Any) -> str:
    """Return the name of a column without the marks that services put around it."""
    return str(name).strip().lstrip("#").strip(" ,\"'")


def read_text_table(
    file: BinaryIO, is_header: Callable[[list[str]], bool], what: str, **options: Any
) -> TextTable:
    """Read the table of a text file whose names of columns stand in one line.

    Parameters
    ----------
    file : binary file
    is_header : callable
        A function of the cleaned words of a line that returns whether they name the columns.
    what : str
        What the line of names looks like, for messages.
    **options
        Options of `pandas.read_csv`.

    Raises
    ------
    LightCurveError
        If there are no names or no rows, or a row has too few or too many values. The message
        names its line.
    """
    comments: list[str] = []
    for raw in file:
        line = raw.decode("utf-8-sig", errors="replace").strip()
        names = [clean_name(word) for word in re.split(r"[,\s]+", line.strip("# ,\t"))]
        if is_header(names):
            break
        comments.append(line)
        if len(comments) > _MOST_COMMENTS:
            raise LightCurveError(f"no line with the names of the columns was found ({what})")
    else:
        raise LightCurveError(f"no line with the names of the columns was found ({what})")
    skipped = len(comments) + 1
    file.seek(0)
    # The names of some services stand between commas, and the values between blanks.
    start = file.read(1 << 16).splitlines()[skipped:]
    row = next((r for r in start if r.strip() and not r.lstrip().startswith(b"#")), b"")
    file.seek(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table = pd.read_csv(
                file,
                sep="," if b"," in row else r"\s+",
                header=None,
                names=names,
                index_col=False,
                skiprows=skipped,
                comment="#",
                skipinitialspace=True,
                **options,
            )
    except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
        raise LightCurveError(
            f"a row has more values than the {len(names)} names of the columns: {error}. Correct "
            "or remove this line"
        ) from error
    if not len(table):
        raise LightCurveError("there are names of columns and no rows: the object was not observed")
    if len(short := np.flatnonzero(table[names[-1]].isna())):
        last = int(short[0])
        raise LightCurveError(
            f"line {skipped + 1 + last} has fewer values than the {len(names)} names of the "
            "columns: the file is damaged there or was not downloaded completely"
        )
    return TextTable(table, comments, skipped + 1)


# -- tables that astropy reads


def _is_ipac(source: Source) -> bool:
    """Whether the names of the columns stand between vertical bars, as in a table of IPAC."""
    start = next((line for line in source.lines if not line.startswith("\\")), "")
    return start.startswith("|") and start.rstrip().endswith("|")


def _is_tap_result(given: Any) -> bool:
    """Whether this is what a query with pyvo returns."""
    return hasattr(given, "to_table") and hasattr(given, "fieldnames")


def service_columns(source: Source) -> set[str]:
    """Return the names of the columns of a table in any form, without reading its rows."""
    if _is_tap_result(source.object):
        return set(source.object.fieldnames)
    if source.kind == "xml":
        fields = re.findall(rb"""<FIELD\b[^>]*?\bname=["']([^"']+)""", source.head)
        return {name.decode() for name in fields}
    if source.kind == "fits":
        fields = re.findall(rb"TTYPE\d+ *= *'([^']+)'", source.head)
        return {name.decode().strip() for name in fields}
    if _is_ipac(source):
        line = next(line for line in source.lines if line.startswith("|"))
        return {name.strip() for name in line.strip().strip("|").split("|")}
    return {clean_name(name) for name in source.columns}


def service_table(
    source: Source,
    units: Mapping[str, str] | None = None,
    wanted: Collection[str] | None = None,
    **options: Any,
) -> pd.DataFrame:
    """Return the table of files in any form, or of an object in memory.

    Integers stay exact: a column of integers with missing values becomes one of objects or of a
    nullable type, never of floats.

    Parameters
    ----------
    source : Source
    units : dict of str to str, optional
        The units that columns must have, such as ``{"psfFlux": "nJy"}``. Columns of astropy
        tables and of VOTables that have another unit are converted.
    wanted : collection of str, optional
        The columns to read, as far as they are there. The default is all of them.
    **options
        Options of `pandas.read_csv`, for CSV files.

    Raises
    ------
    LightCurveError
        If a unit cannot be converted, or several files differ in their columns.
    """
    if _is_tap_result(source.object):
        source = Source(source.object.to_table())
    if hasattr(source.object, "colnames"):
        return to_frame(source.object, units)
    first = source.lines[0] if source.lines else ""
    kind = {"xml": "votable", "fits": "fits"}.get(source.kind)
    kind = "ascii.ipac" if _is_ipac(source) else "ascii.ecsv" if "%ECSV" in first else kind
    parts: dict[str, pd.DataFrame] = {}
    if source.object is not None or (kind is None and source.kind != "parquet"):
        header = next((line for line in source.lines if not line.startswith("#")), "")
        options["sep"] = next((s for s in ",\t;" if s in header), ",")
        options["comment"] = "#" if first.startswith("#") else None
        if wanted is not None:
            options["usecols"] = lambda name: clean_name(name) in wanted
        frame = source.frame(**options) if source.object is None else source.frame()
        if any(clean_name(name) != name for name in frame.columns):
            frame = frame.rename(columns=clean_name)
        return frame if isinstance(frame.index, pd.RangeIndex) else frame.reset_index(drop=True)
    for name, file in source.files():
        with file, complete(name):
            if kind is None:
                frame = to_frame(read_parquet(file, wanted))
                plain = isinstance(frame.index, pd.RangeIndex)
                parts[name] = frame if plain else frame.reset_index(drop=True)
            else:
                astropy_table = require("astropy.table", extra="io", user="sklc.io.read").Table
                parts[name] = to_frame(astropy_table.read(file, format=kind), units)
    first, *others = parts
    for name in others:
        if differ := set(parts[first].columns) ^ set(parts[name].columns):
            raise LightCurveError(
                f"{first} and {name} differ in the columns {sorted(map(str, differ))[:10]}: read "
                "them one by one and join them with sklc.concatenate"
            )
    return parts[first] if not others else pd.concat(parts.values(), ignore_index=True)
