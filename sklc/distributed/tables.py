"""Parquet files as tables with one row per object, in parts of bounded size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from nested_pandas import NestedDtype

from sklc.errors import LightCurveError
from sklc.io.formats.hats import data_files, lists_of
from sklc.light_curves.columns import COLUMN_NAMES
from sklc.light_curves.forms import is_long
from sklc.light_curves.ids import group_rows, id_array
from sklc.light_curves.options import ReadOptions
from sklc.light_curves.readers.parquet import metadata_of
from sklc.light_curves.readers.parquet_blocks import Observations, batches_of
from sklc.light_curves.readers.parquet_folder import OBJECTS, PART, list_parts, open_files
from sklc.utils.text import listed

__all__ = ["parts_of", "tables_of"]

_COLUMN = "lightcurve"


def parts_of(source: Path) -> dict[str, Path]:
    """Return the parts of a data set by the names of the files that are written for them.

    Parameters
    ----------
    source : Path
        A Parquet file, or a folder.

    Raises
    ------
    LightCurveError
        If there is none, or parts are missing.
    """
    if not source.exists():
        raise FileNotFoundError(f"There is no file or folder {source.resolve()}: check the path.")
    if source.is_file():
        return {source.name: source}
    if (source / OBJECTS).is_file() or any(source.glob(f"{PART}*/{OBJECTS}")):
        return {f"{part.name}.parquet": part for part in list_parts(source)}
    return {str(file.relative_to(source)): file for file in data_files(source)}


def tables_of(part: Path, options: Mapping[str, Any], n_objects: int) -> Iterator[pd.DataFrame]:
    """Read a part, some objects at a time.

    Parameters
    ----------
    part : Path
        A folder of objects and photometry, or a file.
    options : mapping
        How light curves are read, of which the names of columns and of ids count here.
    n_objects : int
        The largest number of objects at a time.

    Yields
    ------
    DataFrame
        One row per object; at least one table, which may have no rows.
    """
    if part.is_dir():
        yield from _of_folder(part, options, n_objects)
        return
    with pq.ParquetFile(part) as file:
        schema = file.schema_arrow
        lists = lists_of(schema)
        if not lists and is_long(schema.names):
            yield from _of_long_table(file.read(), options, n_objects)
            return
        column = options.get("column")
        unread = {name for name in lists if name not in (None, column)} if column in lists else ()
        wanted = [name for name in schema.names if name not in unread]
        empty = True
        for batch in file.iter_batches(n_objects, columns=wanted):
            yield _pandas(pa.Table.from_batches([batch]))
            empty = False
        if empty:
            yield _pandas(schema.empty_table().select(wanted))


def _pandas(table: pa.Table) -> pd.DataFrame:
    """Return a table of pandas, whose lists and structures are those of Arrow."""
    return table.to_pandas(
        types_mapper=lambda t: pd.ArrowDtype(t) if pa.types.is_nested(t) else None
    )


def _nested(observations: pa.Table, offsets: np.ndarray) -> pd.Series:
    """Return a nested column of the observations of objects one after the other."""
    columns = [column.combine_chunks() for column in observations.columns]
    chunks = [c.chunk(0) if isinstance(c, pa.ChunkedArray) else c for c in columns]
    structures = pa.StructArray.from_arrays(chunks, names=observations.column_names)
    lists = pa.LargeListArray.from_arrays(pa.array(offsets), structures)
    dtype = NestedDtype.from_pandas_arrow_dtype(pd.ArrowDtype(lists.type))
    return pd.Series(lists, dtype=dtype)


def _of_folder(folder: Path, options: Mapping[str, Any], n_objects: int) -> Iterator[pd.DataFrame]:
    known = {
        name: options[name] for name in ("time", "flux", "flux_err", "band") if name in options
    }
    object_id = options.get("object_id", "object_id")
    objects, photometry = open_files(folder)
    observations = Observations(photometry, ReadOptions(object_id=object_id, **known))
    tables = (pa.Table.from_batches([batch]) for batch in batches_of(objects, n_objects))
    first = next(tables, objects.schema.empty_table())
    for table in chain([first], tables):
        metadata = metadata_of(table, objects.path)
        ids = id_array(metadata[object_id])
        block, _ = observations.take(ids)
        owner = pd.Index(ids).get_indexer(pd.Index(id_array(block.column(object_id))))
        if len(owner) and np.any(np.diff(owner) < 0):
            order = np.argsort(owner, kind="stable")
            block, owner = block.take(order), owner[order]
        offsets = np.append(0, np.cumsum(np.bincount(owner, minlength=len(ids))))
        yield metadata.assign(**{_COLUMN: _nested(block.drop_columns(object_id), offsets)})
    if observations.left():
        observations.refuse()


def _of_long_table(
    table: pa.Table, options: Mapping[str, Any], n_objects: int
) -> Iterator[pd.DataFrame]:
    names = COLUMN_NAMES["object_id"]
    object_id = options.get("object_id") or next(
        (n for n in names if n in table.column_names), None
    )
    if object_id not in table.column_names:
        raise LightCurveError(
            f"no column of object ids is recognised among {listed(table.column_names)}: pass "
            "object_id= the name of one"
        )
    offsets, ids, order = group_rows(table.column(object_id))
    observations = table.drop_columns(object_id)
    for start in range(0, max(len(ids), 1), n_objects):
        own = offsets[start : start + n_objects + 1]
        rows = slice(own[0], own[-1])
        block = (
            observations.slice(own[0], own[-1] - own[0])
            if order is None
            else (observations.take(order[rows]))
        )
        nested = _nested(block, own - own[0])
        yield pd.DataFrame({object_id: ids[start : start + n_objects], _COLUMN: nested})
