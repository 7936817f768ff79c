"""The pairs of HEAD and PHOT files of SNANA (FITS) as tables."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd

from sklc._optional import require
from sklc.errors import LightCurveError
from sklc.io.formats.snana_files import NEEDED, Part, zero_points
from sklc.io.source import Source
from sklc.io.values import coded_text

__all__ = ["fits_parts", "in_pairs"]

_DAMAGED = (OSError, Warning, TypeError, IndexError, KeyError)  # and what astropy adds
_END_OF_OBJECT = -777.0  # the MJD of the rows between objects


def fits_parts(source: Source, phot: Any, notes: list[str], every_column: bool) -> list[Part]:
    """Read pairs of HEAD and PHOT files, with every column of the latter or what is needed."""
    fits = require("astropy.io.fits", extra="io", user="sklc.io.read_snana")
    parts = []
    for (head_name, head_file), (phot_name, phot_file) in _pairs(source, phot, fits):
        with warnings.catch_warnings(), head_file, phot_file:
            warnings.filterwarnings("error", message=".*truncated.*")
            try:
                parts.append(
                    _fits_part(
                        fits, head_name, head_file, phot_name, phot_file, notes, every_column
                    )
                )
            except (*_DAMAGED, fits.VerifyError) as error:
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
    every_column: bool,
) -> Part:
    with fits.open(head_file) as head, fits.open(phot_file) as photometry:
        keys, observed = head[0].header, photometry[1].data
        header = _frame(head[1].data, plain=True)
        for column in ("SNID", "PTROBS_MIN", "PTROBS_MAX"):
            if column not in header.columns:
                raise LightCurveError(
                    f"{head_name} has no column {column}: it is not a HEAD file of SNANA"
                )
        names = list(observed.names)
        band = next((c for c in ("BAND", "FLT") if c in names), None)
        if absent := [*(c for c in NEEDED if c not in names), *([] if band else ["BAND"])]:
            raise LightCurveError(f"{phot_name} lacks the columns {', '.join(absent)}")
        mjd = np.asarray(observed["MJD"])
        rows, lengths = _rows(header, mjd, f"{head_name} and {phot_name}", notes)
        if keys.get("MWEBV_APPLYFLAG") == 1:
            notes.append(f"{head_name}: FLUXCAL is corrected for the extinction of the Milky Way")
        needed = None if every_column else {*NEEDED, str(band)}
        table = _frame(observed, rows, needed)
        zero_point = keys.get("ZP_FLUXCAL", head[1].header.get("ZP_FLUXCAL"))
        survey = str(keys.get("SURVEY", head[1].header.get("SURVEY", ""))).strip()
        return Part(
            name=head_name,
            version=re.sub(r"[_.]?HEAD\.FITS.*$", "", Path(head_name).name, flags=re.IGNORECASE),
            survey=survey or None,
            header=header,
            table=table,
            band=table[str(band)],
            ids=header["SNID"].to_numpy(),
            lengths=lengths,
            zero_point=zero_points(header, zero_point, head_name),
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


def _frame(
    data: Any, rows: Any = slice(None), wanted: set[str] | None = None, plain: bool = False
) -> pd.DataFrame:
    """The columns of a FITS table, in the byte order of the machine and without padding."""
    raw = data.view(np.ndarray)
    columns: dict[str, Any] = {}
    for name in data.names if wanted is None else wanted:
        values = np.asarray(data[name]) if data.columns[name].bzero else raw[name]
        if values.ndim > 1:
            continue  # such as lists of filters
        if values.dtype.kind in "SU":
            text = coded_text(values[rows])
            columns[name] = np.asarray(text) if plain else text
        else:
            values = values[rows]
            columns[name] = values.astype(values.dtype.newbyteorder("="), copy=False)
    return pd.DataFrame(columns, copy=False)


def _pairs(
    source: Source, phot: Any, fits: Any
) -> Iterator[tuple[tuple[str, BinaryIO], tuple[str, BinaryIO]]]:
    """Yield the HEAD files with their PHOT files, opened."""
    if phot is not None:
        given = Source(phot)
        yield _only(source, "HEAD"), _only(given, "PHOT")
        return
    files: dict[str, BinaryIO] = {}
    for name, file in source.files():
        if _kind(name) is None or name in files:
            file.close()
            if name == "the bytes":
                raise LightCurveError("pass the PHOT file, too: read_snana(head, phot=phot)")
            continue
        files[name] = file
    found = [{str(_kind(name)): (name, files[name]) for name in group} for group in in_pairs(files)]
    if not found:
        raise LightCurveError(
            f"{source.name} is no HEAD file of SNANA by its name (..._HEAD.FITS): pass the PHOT "
            "file, too, as in read_snana(head, phot=phot)"
        )
    for pair in found:
        for kind, other in (("HEAD", "PHOT"), ("PHOT", "HEAD")):
            if kind not in pair:
                pair[kind] = _beside(*pair[other], kind, other, fits)
        yield pair["HEAD"], pair["PHOT"]


def in_pairs(names: Iterable[str]) -> list[list[str]]:
    """Return the names of files, HEAD and PHOT files that belong together as one item.

    Files of one folder come first, and then those whose names leave no doubt.
    """
    groups = [[name] for name in dict.fromkeys(names)]
    for same_folder in (True, False):
        alone: dict[tuple[str, str], list[str]] = {}
        for name in (group[0] for group in groups if len(group) == 1 and _kind(group[0])):
            folder = str(Path(name).parent) if same_folder else ""
            alone.setdefault((folder, _version(name)), []).append(name)
        pairs = [
            sorted(some, key=lambda name: str(_kind(name)))
            for some in alone.values()
            if sorted(map(str, map(_kind, some))) == ["HEAD", "PHOT"]
        ]
        pair_of = {name: pair for pair in pairs for name in pair}
        joined = [pair_of.get(group[0], group) for group in groups]
        groups = list({group[0]: group for group in joined}.values())
    return groups


def _kind(name: str) -> str | None:
    """Return "HEAD" or "PHOT" for the name of such a file of SNANA."""
    own = Path(name).name.upper()
    return next((kind for kind in ("HEAD", "PHOT") if f"{kind}.FIT" in own), None)


def _version(name: str) -> str:
    """Return what the names of a HEAD file and its PHOT file have in common."""
    return re.sub(r"(HEAD|PHOT)(?=\.FIT)", "", Path(name).name.upper().removesuffix(".GZ"))


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
    if not any((path.parent / name).is_file() for name in names) and kind == "PHOT":
        # damage is reported when the table is read
        with warnings.catch_warnings(), suppress(*_DAMAGED, fits.VerifyError):
            warnings.simplefilter("ignore")
            announced = Path(str(fits.getheader(file).get("PHOTFILE", "")).strip()).name
            names += [announced, f"{announced}.gz"] if announced else []
        file.seek(0)
    for candidate in names:
        if (path.parent / candidate).is_file():
            return next(iter(Source(path.parent / candidate).files()))
    raise LightCurveError(
        f"the {kind} file of {name} is not beside it (looked for {', '.join(names[:3])}): put it "
        "there, or pass phot="
    )
