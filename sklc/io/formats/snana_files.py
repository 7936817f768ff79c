"""The text files of SNANA, and what sncosmo has read from its files, as tables."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sklc.errors import LightCurveError
from sklc.io.documents import to_number
from sklc.io.frames import to_frame
from sklc.io.source import Source
from sklc.io.tabular import located
from sklc.io.values import numbers
from sklc.utils.text import counted

__all__ = ["NEEDED", "Part", "sncosmo_tables", "table_parts", "text_parts", "zero_points"]

_DEFAULT_ZERO_POINT = 27.5
NEEDED = ("MJD", "FLUXCAL", "FLUXCALERR")


@dataclass
class Part:
    """What one text file, or one pair of FITS files, holds.

    Attributes
    ----------
    name : str
        The name of the file, for messages.
    version : str
        The name of the file without its suffixes.
    survey : str or None
    header : pandas.DataFrame
        One row per object.
    table : pandas.DataFrame
        One row per observation, the rows of an object together.
    band : array or Categorical of shape (n_rows,)
    ids : ndarray of shape (n_objects,)
    lengths : ndarray of shape (n_objects,)
        The number of rows of each object.
    zero_point : ndarray of shape (n_objects,)
    files : tuple of str
        The text file of each object; none for other files.
    """

    name: str
    version: str
    survey: str | None
    header: pd.DataFrame
    table: pd.DataFrame
    band: Any
    ids: np.ndarray
    lengths: np.ndarray
    zero_point: np.ndarray
    files: tuple[str, ...] = ()


def zero_points(header: pd.DataFrame, given: Any, name: str) -> np.ndarray:
    """The zero points of objects: the column ZP_FLUXCAL, the keyword, or the default."""
    values = header.get("ZP_FLUXCAL", _DEFAULT_ZERO_POINT if given is None else float(given))
    given_points = np.broadcast_to(np.asarray(values, dtype=np.float64), len(header))
    if np.any(bad := ~((given_points > 10) & (given_points < 50))):
        raise LightCurveError(
            f"{name}: ZP_FLUXCAL is {given_points[bad][0]:g}, which is not a zero point of fluxes: "
            "correct it in the header (SNANA uses 27.5 or 31.4)"
        )
    return np.round(given_points, 4)  # single precision in FITS files


# -- text


def text_parts(source: Source, notes: list[str]) -> list[Part]:
    """Read text files; those of a folder that hold no light curve are noted."""
    texts, others = [], []
    for name, file in source.files():
        with file:
            text = file.read().decode("utf-8-sig", errors="replace")
        if not re.search(r"(?m)^SNID:", text):
            if not source.is_folder:
                raise LightCurveError(f"{name} has no line SNID: and is no light curve of SNANA")
            others.append(Path(name).name)
            continue
        texts.append(_text(text, name))
    if others:
        notes.append(
            f"left out {counted(len(others), 'file')} without a light curve: "
            + ", ".join(others[:5])
        )
    if not texts:
        raise LightCurveError(f"{source.name} holds no light curve of SNANA: check the folder")
    if len({text.header["SNID"] for text in texts}) == len(texts):
        try:
            return [_part(list(alike)) for _, alike in groupby(texts, key=_kind)]
        except LightCurveError:
            pass  # the message is to name the file
    return [_part([text]) for text in texts]


@dataclass(frozen=True)
class _Text:
    """A text file: the words of its header, and of its columns by name."""

    name: str
    header: dict[str, str]
    columns: dict[str, Sequence[str]]
    first_line: int

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))


def _kind(text: _Text) -> tuple[Any, ...]:
    """What files have in common that can be read at once; without a survey, the name counts."""
    return text.header.get("SURVEY", (text.name,)), tuple(text.columns)


def _text(text: str, name: str) -> _Text:
    together = _rows_at_once(text)
    if together is not None:
        start, stop, values = together
        header, columns, others, _ = _lines(text[:start] + text[stop:], name)
        first_line = text.count("\n", 0, start) + 1
    if together is None or others or len(values) > len(columns):
        header, columns, rows, first_line = _lines(text, name)
        values = list(zip(*rows, strict=True))
    if not columns or not values:
        raise LightCurveError(f"{name} has no lines {'OBS' if columns else 'VARLIST'}: it is empty")
    if "SNID" not in header:
        raise LightCurveError(f"{name} has no line SNID, the name of the object: add it")
    found = _Text(name, header, dict(zip(columns, values, strict=False)), first_line)
    if len(found) < to_number(header.get("NOBS", len(found)), f"{name}: NOBS"):
        raise LightCurveError(
            f"{name} announces NOBS: {header['NOBS']} and holds {len(found)} lines OBS: it is not "
            "complete. Download it again, or correct NOBS"
        )
    return found


def _rows_at_once(text: str) -> tuple[int, int, list[Sequence[str]]] | None:
    """Where the lines OBS begin and end, and their columns, if these are alike in all of them."""
    first = re.search(r"(?m)^OBS:.*", text)
    if first is None:
        return None
    start = first.start()
    stop = text.find("\n", max(text.rfind("\nOBS:") + 1, start)) + 1 or len(text)
    words, width = text[start:stop].split(), len(first[0].split())
    n_rows = len(text[start:stop].splitlines())
    if width < 2 or len(words) != n_rows * width or words[::width] != ["OBS:"] * n_rows:
        return None
    return start, stop, [words[k::width] for k in range(1, width)]


def _lines(text: str, name: str) -> tuple[dict[str, str], list[str], list[list[str]], int]:
    """The header, the names of the columns, the rows, and the line of the first row."""
    header: dict[str, str] = {}
    columns: list[str] = []
    rows: list[list[str]] = []
    first_line = 0
    in_documentation = False
    for number, line in enumerate(text.splitlines(), 1):
        key, colon, rest = line.partition(":")
        key = key.strip()
        if key.startswith("DOCUMENTATION"):
            in_documentation = key != "DOCUMENTATION_END"
        elif in_documentation or not colon or line.startswith("#") or not key:
            continue
        elif key == "OBS":
            values = rest.split()
            # some files leave out the last columns of VARLIST, in all rows alike
            if len(values) != (len(rows[0]) if rows else min(len(values), len(columns))):
                raise LightCurveError(
                    f"{name}, line {number}: OBS has {len(values)} values, and not "
                    f"{len(rows[0]) if rows else len(columns)}, the number of columns: correct "
                    "this line, or download the file again"
                )
            rows.append(values)
            first_line = first_line or number
        elif key == "VARLIST":
            columns = rest.split()
        elif " " not in key:
            words = rest.split("#")[0].split()
            # several numbers are a list, one for each filter
            if words and (len(words) == 1 or not _is_number(words[1])):
                header.setdefault(key, words[0])
                if len(words) > 2 and words[1] in ("+-", "±", "+/-"):
                    header.setdefault(f"{key}_ERR", words[2])
    return header, columns, rows, first_line


def _part(texts: list[_Text]) -> Part:
    """Return text files of one survey with the same columns as one part."""
    first = texts[0]
    name = first.name
    columns = {c: list(chain.from_iterable(t.columns[c] for t in texts)) for c in first.columns}
    table = pd.DataFrame({column: _column(own) for column, own in columns.items()})
    band = next((c for c in ("BAND", "FLT") if c in columns), "")
    if absent := [*(c for c in NEEDED if c not in columns), *([] if band else ["BAND"])]:
        raise LightCurveError(f"{name}: VARLIST lacks {', '.join(absent)}, it has {list(columns)}")
    for column in NEEDED:
        if table[column].dtype.kind != "f":
            table[column] = table[column].replace({"NULL": "nan"})
            with located(name):
                table[column] = numbers(table, column, first_line=first.first_line)
    known = pd.DataFrame([{key: _plain(v) for key, v in t.header.items()} for t in texts])
    return Part(
        name=name,
        version=re.sub(r"(\.gz|\.dat|\.txt)+$", "", Path(name).name, flags=re.IGNORECASE),
        survey=first.header.get("SURVEY"),
        header=known.drop(columns=["SURVEY"], errors="ignore"),
        table=table,
        band=np.array(columns[band], dtype=object),
        ids=np.array([text.header["SNID"] for text in texts], dtype=object),
        lengths=np.array([len(text) for text in texts]),
        zero_point=zero_points(known, None, name),
        files=tuple(text.name for text in texts),
    )


def _column(texts: Sequence[str]) -> np.ndarray:
    """Numbers, if all of them are, or text."""
    try:
        return np.array(texts, dtype=np.float64)
    except ValueError:
        return np.array(texts, dtype=object)


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _plain(text: str) -> Any:
    if re.fullmatch(r"[-+]?\d{1,18}", text):
        return int(text)
    return float(text) if _is_number(text) else text


# -- tables that sncosmo has read


def sncosmo_tables(given: Any) -> list[tuple[dict[str, Any], Any]]:
    """Return headers and tables of what sncosmo's readers of SNANA's files return, if it is that.

    `sncosmo.read_snana_fits` returns a list of tables with the header as `meta`;
    `sncosmo.read_snana_ascii` returns a header and a dictionary of tables.
    """
    if isinstance(given, tuple) and len(given) == 2 and isinstance(given[1], dict):
        found = [(dict(given[0]), given[1].get("OBS"))]
    else:
        listed = given if isinstance(given, list | tuple) else [given]
        found = [(dict(getattr(table, "meta", None) or {}), table) for table in listed]
    return found if all("FLUXCAL" in getattr(t, "colnames", ()) for _, t in found) else []


def table_parts(source: Source) -> list[Part]:
    """Read tables that sncosmo has read."""
    parts = []
    for number, (meta, given) in enumerate(sncosmo_tables(source.object)):
        name = f"{source.name}, table {number}"
        table = to_frame(given)
        band = next((c for c in ("BAND", "FLT") if c in table.columns), None)
        if "SNID" not in meta or band is None or not set(NEEDED) <= set(table.columns):
            raise LightCurveError(
                f"{name} needs the columns {', '.join(NEEDED)} and BAND, and SNID in its meta: add "
                "what is missing"
            )
        meta = {k: v.decode().strip() if isinstance(v, bytes) else v for k, v in meta.items()}
        header = pd.DataFrame([{key: v for key, v in meta.items() if np.ndim(v) == 0}])
        parts.append(
            Part(
                name=name,
                version=str(number),
                survey=meta.get("SURVEY"),
                header=header.drop(columns=["SURVEY"], errors="ignore"),
                table=table,
                band=table[band].to_numpy(),
                ids=np.array([meta["SNID"]], dtype=object),
                lengths=np.array([len(table)]),
                zero_point=zero_points(header, None, name),
            )
        )
    return parts
