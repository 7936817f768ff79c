"""Tables with one row per observation, whose columns have names that are recognised."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from sklc.errors import LightCurveError
from sklc.io.choices import Choices
from sklc.io.columns import Names, identify
from sklc.io.formats.astropy_table import frame_of
from sklc.io.frames import columns_of, exact_column, to_frame
from sklc.io.objects import object_name
from sklc.io.photometry import Photometry, Quality
from sklc.io.registry import reader
from sklc.io.source import Source, parsed, read_parquet
from sklc.io.tabular import join, located, photometry_of, recognised
from sklc.io.text import read_text_table
from sklc.light_curves.container import LightCurves
from sklc.passbands.lookup import Passband

__all__ = ["read_long_table"]


def _recognised(source: Source) -> bool:
    """Whether the columns of a table, or the fields of JSON, are those of light curves."""
    return recognised(source) or identify(_fields(source)).is_light_curve


def _fields(source: Source) -> tuple[str, ...]:
    """Return the names of the fields of the first record of JSON, or of its columns."""
    if source.kind != "json":
        return ()
    text = source.head.decode("utf-8-sig", errors="replace").lstrip("[ \t\r\n")
    try:
        first, _ = json.JSONDecoder().raw_decode(text)
    except json.JSONDecodeError:  # columns, of which the head of the file has the first
        return tuple(re.findall(r'"([^"]+)"\s*:\s*[\[{]', text))
    return tuple(first) if isinstance(first, dict) else ()


def _from_json(name: str, file: BinaryIO) -> pd.DataFrame:
    """Return the table of a JSON file: a list of records, one in each line, or columns."""
    content = parsed(file.read().decode("utf-8-sig"), name)
    if isinstance(content, list):
        return to_frame(content)
    rows = {tuple(v) for v in content.values() if isinstance(v, Mapping)}  # of pandas, by number
    columns = {k: [*v.values()] if isinstance(v, Mapping) else v for k, v in content.items()}
    if not any(isinstance(v, list) for v in columns.values()):
        return to_frame([content])
    sizes = {len(v) if isinstance(v, list) else -1 for v in columns.values()}
    if len(rows) > 1 or len(sizes) > 1:
        raise LightCurveError(
            f"{name} holds columns that differ in their rows: write one record per observation, "
            'such as [{"mjd": 59000.1, "band": "ztfg", "flux": 31.0}, ...]'
        )
    return pd.DataFrame({k: exact_column(v) for k, v in columns.items()})


def tables(source: Source, **layout: Any) -> Iterator[tuple[str, Any]]:
    """Yield the name of each file, and its table, and the same for tables in memory."""
    if source.object is not None:
        given = source.object
        is_listed = isinstance(given, list | tuple) and bool(columns_of(given))
        if is_listed and not isinstance(given[0], Mapping):
            for number, table in enumerate(given):
                yield f"the {type(table).__name__}, item {number}", table
        else:
            yield source.name, given
        return
    for name, file in source.files():
        with file:
            if source.kind == "parquet":
                yield name, to_frame(read_parquet(file))
            elif source.kind == "json":
                yield name, _from_json(name, file)
            else:
                yield name, read_text_table(file, name, **layout)


def joined(found: Iterable[tuple[str, Any]], choices: Choices) -> Photometry:
    """Return the photometry of several tables, each of one object if it has no column of ids."""
    parts = []
    for name, table in found:
        with located(name):
            frame, own = frame_of(table, choices)
            parts.append(photometry_of(frame, own, object_name(name)))
    return join(parts)


def _chunks(source: Source, rows: int) -> Iterator[tuple[str, Iterator[pd.DataFrame]]]:
    """Yield the name of each file, and its table in chunks."""
    for name, file in source.files():
        with file:
            if source.kind == "parquet":
                batches = pq.ParquetFile(pa.PythonFile(file, mode="r")).iter_batches(rows)
                yield name, (to_frame(pa.Table.from_batches([batch])) for batch in batches)
            else:
                yield name, iter(read_text_table(file, name, chunksize=rows))


def _batches(
    source: Source, n_objects: int, *, chunksize: int = 500_000, **options: Any
) -> Iterator[LightCurves]:
    """Read tables whose observations of an object stand together, some rows at a time."""
    choices = Choices.of(**options)
    names = identify(source.columns, choices.names)
    if source.object is not None or names.object_id is None:
        curves = read_long_table(source, **options)
        yield from (curves[k : k + n_objects] for k in range(0, len(curves), n_objects))
        return
    done: set[Any] = set()
    for name, chunks in _chunks(source, chunksize):
        rest: pd.DataFrame | None = None
        first = next(chunks, None)
        if first is None:
            continue
        if len(first) < chunksize and not done:  # the whole file, in any order
            with located(name):
                curves = photometry_of(first, choices).light_curves(name)
            done.update(curves.ids.tolist())
            yield from (curves[k : k + n_objects] for k in range(0, len(curves), n_objects))
            continue
        for chunk in itertools.chain([first], chunks, [None]):
            frame = rest if chunk is None else chunk if rest is None else pd.concat([rest, chunk])
            if frame is None or not len(frame):
                continue
            ids = frame[names.object_id].to_numpy()
            starts = np.append(0, np.flatnonzero(ids[1:] != ids[:-1]) + 1)
            complete = starts if chunk is None else starts[:-1]
            own = pd.Index(ids[complete])
            twice = own[own.duplicated()].tolist() or [i for i in own if i in done]
            if twice:
                raise LightCurveError(
                    f"{name} is not sorted by object: {twice[0]!r} has rows in several places. "
                    "Read it as a whole with sklc.io.read, or sort it"
                )
            stops = np.append(starts[1:], len(frame))
            for k in range(0, len(complete), n_objects):
                part = complete[k : k + n_objects]
                done.update(ids[part].tolist())
                piece = frame.iloc[part[0] : stops[k + len(part) - 1]].reset_index(drop=True)
                with located(name):
                    photometry = photometry_of(piece, choices)
                    if len(photometry.time):
                        yield photometry.light_curves(name)
            rest = frame.iloc[starts[-1] :] if chunk is not None else None


@reader(
    "long-table",
    title="A table with one row per observation (CSV, text, Parquet, JSON or in memory)",
    flux="flux as the table has it",
    recognise=_recognised,
    batches=_batches,
)
def read_long_table(
    source: Source,
    *,
    object_id: str | None = None,
    time: str | None = None,
    flux: str | None = None,
    flux_err: str | None = None,
    mag: str | None = None,
    mag_err: str | None = None,
    band: str | None = None,
    zero_point: float | None = None,
    survey: str | None = None,
    passband: str | Passband | None = None,
    bands: Mapping[Any, Any] | None = None,
    system: str | None = None,
    metadata: Any = None,
    quality: Quality = "good",
) -> Photometry:
    r"""Read a table with one row per observation.

    Columns are found by their usual names in any spelling ("MJD", "HJD-2450000", "Flux (mJy)",
    "mag_err", "FILTER", ...); the arguments name others. The file may have commas, tabs,
    semicolons, blanks or fixed columns.

    Parameters
    ----------
    source : path, list of paths, bytes, binary file or table
        A text file, a Parquet file, a JSON file of records or columns (as pandas, databases and
        web services write it), several of one kind, or a table in memory. Without a column of
        ids, each file is one object, which is named after the file.
    object_id, time, flux, flux_err, mag, mag_err, band : str, optional
        Names of columns. Fluxes are taken if their zero point is known, else magnitudes if there
        are any. Whether the flux is total or difference flux is up to the table.
    zero_point : float, optional
        AB zero point of the fluxes. The default is the column of zero points; or what the unit in
        the name of the flux says (nJy 31.4, uJy 23.9, mJy 16.4, Jy 8.9); or else 27.5, with a note.
    survey : str, optional
        The survey that short band names belong to. "standard" stands for Bessell UBVRI, SDSS ugriz
        and 2MASS JHK.
    passband : str or Passband, optional
        The one passband of all rows, where there is no column of bands.
    bands : mapping, optional
        Passbands of labels, such as ``{"0": "bessellr"}``.
    system : {"AB", "Vega"}, optional
        The system of magnitudes. The default is what a column such as "magsys" says; or else Vega
        for Johnson-Cousins, 2MASS, Swift, WISE and Gaia bands and AB for all others, with a note.
    metadata : table or path, optional
        One row per object, with the same column of ids. Columns of the table itself that have one
        value per object (redshift, ra, dec, mwebv, label) are read as well.
    quality : {"good", "all"} or callable, default="good"
        Which rows to keep: all, or those for which a function of the table returns True. Rows
        without a time, a flux, a band or a positive error, and upper limits, are always left out,
        with a note.

    Returns
    -------
    LightCurves
        Times are MJD: Julian dates and calendar dates are converted. Time scale, and whether start
        or middle of the exposure, are those of the table.

    Raises
    ------
    LightCurveError
        If a column is missing or observations cannot be used.

    Examples
    --------
    >>> from sklc.io import read_long_table
    >>> read_long_table(b"mjd,band,flux\n59000.1,ztfg,31.0\n59003.1,ztfg,52.0\n")
    LightCurves: 1 objects, 2 observations (median 2), bands ztfg, zero point 27.5
    """
    choices = Choices(
        Names(object_id, time, flux, flux_err, mag, mag_err, band),
        zero_point=zero_point,
        survey=survey,
        passband=passband,
        bands=bands,
        system=system,
        quality=quality,
        metadata=metadata,
    )
    text = [name for name in (band,) if name is not None]
    return joined(tables(source, text=text), choices)
