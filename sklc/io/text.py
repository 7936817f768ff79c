"""Text tables of services: comments, one line of names, and rows between blanks or commas."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import pandas as pd

from sklc.errors import LightCurveError

__all__ = ["TextTable", "clean_name", "read_text_table"]

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
