"""Light curves as a folder of two parquet files.

``objects.parquet`` has one row per object: ``object_id`` and any other columns (survey, class,
redshift, mwebv, ...), which become metadata. ``photometry.parquet`` has one row per observation:
``object_id``, ``mjd``, ``band``, ``flux``, ``flux_err`` and ``zp``, the AB zero point of the flux;
magnitude = zp - 2.5 log10(flux).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sklc._optional import optional
from sklc.errors import LightCurveError
from sklc.light_curves.build import build
from sklc.light_curves.checks import warn
from sklc.light_curves.columns import COLUMN_NAMES, Table
from sklc.light_curves.ids import check_ids, group_rows, id_array
from sklc.light_curves.options import FROM_TABLE, ReadOptions
from sklc.light_curves.readers.frame import read_columns
from sklc.light_curves.readers.parquet_folder import (
    named,
    open_files,
    passbands_of,
    read_header,
    readable,
)
from sklc.light_curves.store import Store, describe
from sklc.light_curves.zero_points import SYSTEM_COLUMNS
from sklc.utils.offsets import offsets_of, row_index

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq
else:  # an exported model runs without
    pa = optional("pyarrow")
    pq = optional("pyarrow.parquet")


def options_of(given: dict[str, Any]) -> ReadOptions:
    """Return the options of `LightCurves.from_parquet`; others raise a TypeError."""
    known = [*COLUMN_NAMES, "zero_point", "survey", "passband", "invalid", "duplicates"]
    if unknown := [name for name in given if name not in known]:
        raise TypeError(f"parquet files are not read with the option(s) {unknown}: use {known}")
    return ReadOptions(**given)


def read(
    path: str | Path | None,
    options: ReadOptions,
    *,
    objects: str | Path | None = None,
    photometry: str | Path | None = None,
) -> Store:
    """Return two parquet files as a store; see `LightCurves.from_parquet`.

    Parameters
    ----------
    path : str, Path or None
        A folder with ``objects.parquet`` and ``photometry.parquet``.
    options : ReadOptions
        The names of the columns, the zero point, the passbands and the policies.
    objects, photometry : str, Path or None
        The two files, instead of a folder.

    Returns
    -------
    Store
        In the order of the objects file.

    Raises
    ------
    LightCurveError
        If the observations are invalid, or an object is in only one of the files.
    FileNotFoundError
        If a file does not exist.
    ValueError
        If neither a folder nor both files are given, or more than that.

    Warns
    -----
    LightCurveWarning
        With ``invalid="drop"``, for objects without photometry.
    """
    first, second = open_files(path, objects, photometry)
    names, strings = columns_of(second.schema, options)
    with readable(first.path):
        table = pq.ParquetFile(first.source).read()
    with readable(second.path):
        observations = pq.read_table(second.source, columns=names, read_dictionary=strings)
    return assemble(table, observations, options, files=(first.path, second.path))


def columns_of(schema: pa.Schema, options: ReadOptions) -> tuple[list[str], list[str]]:
    """Columns of the photometry that are needed, and those of text.

    Ids and bands are read as dictionaries, which group fastest.
    """
    essential = list(options.columns.values())
    band = [f"{options.band}_survey", f"{options.band}_wavelength"]
    zero_point = options.zero_point_column(schema.names)
    named = dict.fromkeys([*essential, *band, zero_point, *SYSTEM_COLUMNS])
    names: list[Any] = [name for name in named if name in schema.names]
    if not {name for name in essential if name is not None} <= set(names):
        names = schema.names  # for the message, which lists the columns
    text = (pa.types.is_string, pa.types.is_large_string)
    strings: list[Any] = [
        name
        for name in (options.object_id, options.band, band[0])
        if name in names and any(is_text(schema.field(name).type) for is_text in text)
    ]
    return names, strings


def assemble(
    objects: pa.Table,
    photometry: pa.Table,
    options: ReadOptions,
    *,
    files: tuple[Path, Path],
    n_empty: int | None = None,
) -> Store:
    """Put objects and their observations together, as `read` does.

    Parameters
    ----------
    objects : pyarrow.Table
        One row per object, with its id and its metadata.
    photometry : pyarrow.Table
        The observations of these objects.
    options : ReadOptions
        As for `read`.
    files : tuple of Path
        The two files, for messages.
    n_empty : int, optional
        How many objects are known to have no observations; by default what the header says.
    """
    if options.object_id is None:
        raise ValueError("parquet files need object_id=, the name of the column of ids in both")
    names = files[0].name, files[1].name
    with named(files[0]):
        metadata, ids = _split_ids(metadata_of(objects, files[0]), options.object_id, names[0])
    with named(files[1]):
        return _assembled(photometry, metadata, ids, options, files=files, n_empty=n_empty)


def _assembled(
    photometry: pa.Table,
    metadata: pd.DataFrame,
    ids: np.ndarray,
    options: ReadOptions,
    *,
    files: tuple[Path, Path],
    n_empty: int | None,
) -> Store:
    """Put ids and metadata of objects, and observations, together."""
    names = files[0].name, files[1].name
    table, header = Table(photometry), read_header(photometry.schema, files[1])
    n_empty = header.get("empty_objects", 0) if n_empty is None else n_empty
    columns = read_columns(table, options.columns, options, passbands_of(header, files[1]))
    if not len(table) and options.zero_point_column(table.columns) == "zp":
        # An empty column does not tell the zero point.
        options = replace(options, zero_point=header.get("zero_point", FROM_TABLE))
        columns.pop("zp_column", None)
    own = header.get("zero_point")
    trusted = own is not None and (not options.zero_point_given or options.zero_point == own)
    offsets, found, order = group_rows(columns.pop("object_id"))
    rows = _match(ids, found, *names)
    without = np.flatnonzero(rows < 0)
    if len(without) and len(without) != n_empty:
        if options.invalid == "raise":
            k = without[0]
            raise LightCurveError(
                f"{describe(ids, k)} is in {names[0]} but has no row in "
                f'{names[1]} ({len(without)} of {len(ids)} objects): pass invalid="drop" '
                "to leave such objects out, or check that the two files belong together"
            )
        warn(f"dropped {len(without)} of {len(ids)} objects, which have no photometry")
        ids, metadata, rows = ids[rows >= 0], metadata[rows >= 0], rows[rows >= 0]
    offsets, order = _reorder(offsets, order, rows)
    return build(
        **columns,
        offsets=offsets,
        ids=ids,
        order=order,
        metadata=metadata if metadata.shape[1] else None,
        options=options,
        look_at_depth=not trusted and not options.zero_point_given,
        trusted=trusted,
    )


def metadata_of(objects: pa.Table, file: Path) -> pd.DataFrame:
    """Return the table of objects as pandas has it, with the types it was written from."""
    header = read_header(objects.schema, file)
    with readable(file):
        metadata = objects.to_pandas()
        there = set(metadata.columns)
        for name in there & set(header.get("types", ())):
            kind = header["types"][name]
            values = objects.column(name).to_pylist() if kind == "object" else metadata[name]
            metadata[name] = pd.Series(values, metadata.index, dtype=kind)
        for name in there & set(header.get("categories", ())):
            values, kind, ordered = header["categories"][name]
            categories = pd.Index(values, dtype=object).astype(kind)
            metadata[name] = metadata[name].astype(pd.CategoricalDtype(categories, ordered))
    return metadata


def _split_ids(
    metadata: pd.DataFrame, object_id: str, name: str
) -> tuple[pd.DataFrame, np.ndarray]:
    if object_id not in metadata.columns:
        if metadata.index.name != object_id:
            raise LightCurveError(
                f"{name} has no column {object_id!r}; its columns are "
                f"{list(metadata.columns)}: pass object_id= the one that holds the ids"
            )
        metadata = metadata.reset_index()
    ids = id_array(metadata[object_id])
    check_ids(ids)
    return metadata.drop(columns=object_id), ids


def _match(ids: np.ndarray, found: np.ndarray, objects: str, photometry: str) -> np.ndarray:
    """Return the position in the photometry of each object, -1 where it has none."""
    index = pd.Index(found)
    rows = index.get_indexer(pd.Index(ids))
    extra = index.difference(pd.Index(ids), sort=False)
    if len(extra):
        kinds = ""
        if len(ids) and type(extra[0]) is not type(ids[0]):
            kinds = f"; ids are {type(ids[0]).__name__} there, {type(extra[0]).__name__} here"
        raise LightCurveError(
            f"object {extra[0]!r} has photometry in {photometry} but no row in "
            f"{objects} ({len(extra)} objects{kinds}): add the rows, or check that the two "
            "files belong together"
        )
    return rows


def _reorder(
    offsets: np.ndarray, order: np.ndarray | None, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray | None]:
    """Bring grouped observations into the order of the objects file."""
    if np.array_equal(rows, np.arange(len(offsets) - 1)):
        return offsets, order
    starts = np.append(offsets[:-1], 0)[rows]  # row -1, no photometry, picks an empty range
    stops = np.append(offsets[1:], 0)[rows]
    where = row_index(starts, stops)
    return offsets_of(stops - starts), where if order is None else order[where]
