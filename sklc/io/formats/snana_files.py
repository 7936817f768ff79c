"""The files of SNANA as tables: text, and pairs of HEAD and PHOT files."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd

from sklc._optional import require
from sklc.errors import LightCurveError
from sklc.io.source import Source
from sklc.io.survey_columns import coded

__all__ = ["Part", "fits_parts", "text_parts"]

_DEFAULT_ZERO_POINT = 27.5
_END_OF_OBJECT = -777.0  # the MJD of the rows between objects
_NEEDED = ("MJD", "FLUXCAL", "FLUXCALERR")


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


def _zero_points(header: pd.DataFrame, given: Any, name: str) -> np.ndarray:
    """The zero points of objects: the column ZP_FLUXCAL, the keyword, or the default."""
    values = header.get("ZP_FLUXCAL", _DEFAULT_ZERO_POINT if given is None else float(given))
    zero_points = np.broadcast_to(np.asarray(values, dtype=np.float64), len(header)).copy()
    if np.any(bad := ~((zero_points > 10) & (zero_points < 50))):
        raise LightCurveError(
            f"{name}: ZP_FLUXCAL is {zero_points[bad][0]:g}, which is not a zero point of fluxes: "
            "correct it in the header (SNANA uses 27.5 or 31.4)"
        )
    return np.round(zero_points, 4)  # single precision in FITS files


# -- text


def text_parts(source: Source, notes: list[str]) -> list[Part]:
    """Read text files; those of a folder that hold no light curve are noted."""
    parts, others = [], []
    for name, file in source.files():
        with file:
            text = file.read().decode("utf-8-sig", errors="replace")
        if not re.search(r"(?m)^SNID:", text):
            if not source.is_folder:
                raise LightCurveError(f"{name} has no line SNID: and is no light curve of SNANA")
            others.append(Path(name).name)
            continue
        parts.append(_text_part(text, name))
    if others:
        notes.append(f"left out {len(others)} files without a light curve: {', '.join(others[:5])}")
    if not parts:
        raise LightCurveError(f"{source.name} holds no light curve of SNANA: check the folder")
    return parts


def _text_part(text: str, name: str) -> Part:
    header: dict[str, Any] = {}
    columns: list[str] = []
    rows: list[list[str]] = []
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
        elif key == "VARLIST":
            columns = rest.split()
        elif " " not in key:
            words = rest.split("#")[0].split()
            # several numbers are a list, one for each filter
            if words and (len(words) == 1 or not _is_number(words[1])):
                header.setdefault(key, words[0])
                if len(words) > 2 and words[1] in ("+-", "±", "+/-"):
                    header.setdefault(f"{key}_ERR", words[2])
    if not columns or not rows:
        raise LightCurveError(f"{name} has no lines {'OBS' if columns else 'VARLIST'}: it is empty")
    if len(rows) < int(header.get("NOBS", len(rows))):
        raise LightCurveError(
            f"{name} announces NOBS: {header['NOBS']} and holds {len(rows)} lines OBS: it is not "
            "complete. Download it again, or correct NOBS"
        )
    columns = columns[: len(rows[0])]
    table = pd.DataFrame(np.array(rows, dtype=object), columns=columns)
    band = next((c for c in ("BAND", "FLT") if c in columns), None)
    if absent := [*(c for c in _NEEDED if c not in columns), *([] if band else ["BAND"])]:
        raise LightCurveError(f"{name}: VARLIST lacks {', '.join(absent)}, it has {columns}")
    for column in columns:
        converted = pd.to_numeric(table[column], errors="coerce")
        if column in _NEEDED and converted.isna().any():
            row = int(np.flatnonzero(converted.isna())[0])
            if table[column][row].casefold() not in ("nan", "null"):
                raise LightCurveError(
                    f"{name}: {column} is {table[column][row][:80]!r} in the {row + 1}th line OBS, "
                    "which is not a number: correct or remove it"
                )
        if column in _NEEDED or (column != band and converted.notna().all()):
            table[column] = converted.astype(np.float64) if column in _NEEDED else converted
    known = pd.DataFrame([{key: _plain(value) for key, value in header.items()}])
    return Part(
        name=name,
        version=re.sub(r"(\.gz|\.dat|\.txt)+$", "", Path(name).name, flags=re.IGNORECASE),
        survey=header.get("SURVEY"),
        header=known.drop(columns=["SURVEY"], errors="ignore"),
        table=table,
        band=table[band].to_numpy(),
        ids=np.array([header["SNID"]], dtype=object),
        lengths=np.array([len(table)]),
        zero_point=_zero_points(known, None, name),
    )


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


# -- FITS


def fits_parts(source: Source, phot: Any, notes: list[str]) -> list[Part]:
    """Read pairs of HEAD and PHOT files."""
    fits = require("astropy.io.fits", extra="io", user="sklc.io.read_snana")
    parts = []
    for (head_name, head_file), (phot_name, phot_file) in _pairs(source, phot, fits):
        with warnings.catch_warnings(), head_file, phot_file:
            warnings.filterwarnings("error", message=".*truncated.*")
            try:
                parts.append(_fits_part(fits, head_name, head_file, phot_name, phot_file, notes))
            except (OSError, Warning, TypeError, IndexError, KeyError) as error:
                raise LightCurveError(
                    f"{head_name} and {phot_name} cannot be read: {error}. Check that both were "
                    "downloaded completely"
                ) from error
    return parts


def _fits_part(
    fits: Any,
    head_name: str,
    head_file: BinaryIO,
    phot_name: str,
    phot_file: BinaryIO,
    notes: list[str],
) -> Part:
    with fits.open(head_file) as head, fits.open(phot_file) as photometry:
        keys, observed = head[0].header, photometry[1].data
        header = _frame(head[1].data, all_columns=True)
        for column in ("SNID", "PTROBS_MIN", "PTROBS_MAX"):
            if column not in header.columns:
                raise LightCurveError(
                    f"{head_name} has no column {column}: it is not a HEAD file of SNANA"
                )
        names = list(observed.names)
        band = next((c for c in ("BAND", "FLT") if c in names), None)
        if absent := [*(c for c in _NEEDED if c not in names), *([] if band else ["BAND"])]:
            raise LightCurveError(f"{phot_name} lacks the columns {', '.join(absent)}")
        mjd = np.asarray(observed["MJD"])
        rows, lengths = _rows(header, mjd, f"{head_name} and {phot_name}", notes)
        if keys.get("MWEBV_APPLYFLAG") == 1:
            notes.append(f"{head_name}: FLUXCAL is corrected for the extinction of the Milky Way")
        table = _frame(observed, rows=rows)
        zero_point = keys.get("ZP_FLUXCAL", head[1].header.get("ZP_FLUXCAL"))
        survey = str(keys.get("SURVEY", head[1].header.get("SURVEY", ""))).strip()
        return Part(
            name=head_name,
            version=re.sub(r"[_.]?HEAD\.FITS.*$", "", Path(head_name).name, flags=re.IGNORECASE),
            survey=survey or None,
            header=header,
            table=table,
            band=table.pop(str(band)),
            ids=header["SNID"].to_numpy(),
            lengths=lengths,
            zero_point=_zero_points(header, zero_point, head_name),
        )


def _rows(
    header: pd.DataFrame, mjd: np.ndarray, names: str, notes: list[str]
) -> tuple[np.ndarray, np.ndarray]:
    """The rows of the PHOT file that belong to the objects, one after the other, and how many.

    PTROBS_MIN and PTROBS_MAX name them. Tools that select objects often leave these as they were:
    then the rows that separate objects count, if they agree with NOBS.
    """
    first = header["PTROBS_MIN"].to_numpy(np.int64) - 1  # counted from 1, both inclusive
    stop = header["PTROBS_MAX"].to_numpy(np.int64)
    separators = np.flatnonzero(mjd == _END_OF_OBJECT)
    is_end = np.zeros(len(mjd) + 1, dtype=bool)
    is_end[[*separators, len(mjd)]] = True
    lengths = np.maximum(stop - first, 0)
    inside = (first >= 0) & (stop <= len(mjd))
    if inside.all() and (not len(separators) or is_end[stop].all()):
        rows = np.repeat(first - (np.cumsum(lengths) - lengths), lengths) + np.arange(lengths.sum())
        if not is_end[rows].any():
            return rows, lengths
    starts = np.append(0, separators + 1)
    between = np.diff(np.append(starts, len(mjd) + 1)) - 1
    if between[-1] == 0:  # a separator ends the file
        between = between[:-1]
    expected = header["NOBS"].to_numpy(np.int64) if "NOBS" in header.columns else lengths
    if not np.array_equal(between, expected):
        raise LightCurveError(
            f"{names} do not belong together: the first refers to {int(stop.max())} rows of "
            f"{len(header)} objects, and the second has {len(mjd)} rows of {len(between)} objects. "
            "Check that both are complete and of one version"
        )
    notes.append(
        f"{names}: PTROBS_MIN and PTROBS_MAX do not fit, and NOBS fits the rows between objects, "
        "which were taken instead"
    )
    return np.flatnonzero(mjd != _END_OF_OBJECT), between


def _frame(data: Any, rows: Any = slice(None), all_columns: bool = False) -> pd.DataFrame:
    """The columns of a FITS table, in the byte order of the machine and without padding."""
    raw = data.view(np.ndarray)
    columns: dict[str, Any] = {}
    for name in data.names:
        values = np.asarray(data[name]) if data.columns[name].bzero else raw[name]
        if values.ndim > 1:
            continue  # such as lists of filters
        if values.dtype.kind in "SU":
            columns[name] = _text(values, rows, all_columns)
        else:
            values = values[rows]
            columns[name] = values.astype(values.dtype.newbyteorder("="), copy=False)
    return pd.DataFrame(columns, copy=False)


def _text(values: np.ndarray, rows: Any, plain: bool) -> Any:
    """Text of a fixed width without blanks; categories, as bands repeat."""
    values = np.ascontiguousarray(values[rows])
    width = values.dtype.itemsize
    codes, unique = pd.factorize(values.view(f"u{width}") if width in (1, 2, 4, 8) else values)
    texts = np.array([bytes(u).strip(b"\x00 ").decode() for u in _as_bytes(unique, width)], object)
    if plain:
        return texts[codes]
    distinct, position = np.unique(texts.astype(str), return_inverse=True)
    return coded(position[codes], distinct.tolist())


def _as_bytes(unique: np.ndarray, width: int) -> Any:
    return unique.view(f"S{width}") if unique.dtype.kind == "u" else unique


def _pairs(
    source: Source, phot: Any, fits: Any
) -> Iterator[tuple[tuple[str, BinaryIO], tuple[str, BinaryIO]]]:
    """Yield the HEAD files with their PHOT files, opened."""
    if phot is not None:
        given = Source(phot)
        yield _only(source, "HEAD"), _only(given, "PHOT")
        return
    found: dict[str, dict[str, tuple[str, BinaryIO]]] = {}
    for name, file in source.files():
        key = Path(name).name.upper().removesuffix(".GZ")
        kind = next((k for k in ("HEAD", "PHOT") if f"{k}.FIT" in key), None)
        if kind is None:
            file.close()
            if name == "the bytes":
                raise LightCurveError("pass the PHOT file, too: read_snana(head, phot=phot)")
            continue
        found.setdefault(key.replace(f"{kind}.FIT", "HEAD.FIT"), {})[kind] = (name, file)
    if not found:
        raise LightCurveError(
            f"{source.name} is no HEAD file of SNANA by its name (..._HEAD.FITS): pass the PHOT "
            "file, too, as in read_snana(head, phot=phot)"
        )
    for pair in found.values():
        for kind, other in (("HEAD", "PHOT"), ("PHOT", "HEAD")):
            if kind not in pair:
                pair[kind] = _beside(*pair[other], kind, other, fits)
        yield pair["HEAD"], pair["PHOT"]


def _only(source: Source, kind: str) -> tuple[str, BinaryIO]:
    files = list(source.files())
    if len(files) != 1:
        raise LightCurveError(f"pass one {kind} file with phot=, not {len(files)}")
    return files[0]


def _beside(name: str, file: BinaryIO, kind: str, other: str, fits: Any) -> tuple[str, BinaryIO]:
    """Open the file that belongs to another one, in the same folder."""
    path = Path(name)
    likely = re.sub(f"{other}(?=\\.FIT)", kind, path.name, flags=re.IGNORECASE)
    names = [likely, f"{likely}.gz", re.sub(r"\.gz$", "", likely)]
    if kind == "PHOT":
        announced = str(fits.getheader(file).get("PHOTFILE", "")).strip()
        file.seek(0)
        names += [announced, f"{announced}.gz"] if announced else []
    for candidate in names:
        if (path.parent / candidate).is_file():
            return next(iter(Source(path.parent / candidate).files()))
    raise LightCurveError(
        f"the {kind} file of {name} is not beside it (looked for {', '.join(names[:3])}): put it "
        "there, or pass phot="
    )
