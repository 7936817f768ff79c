"""A data set in one pair of parquet files, read block by block in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sklc._optional import optional
from sklc.errors import LightCurveError
from sklc.light_curves.concatenation import concatenate
from sklc.light_curves.ids import id_array
from sklc.light_curves.options import ReadOptions
from sklc.light_curves.readers.parquet import (
    assemble,
    columns_of,
    metadata_of,
    options_of,
    read,
)
from sklc.light_curves.readers.parquet_folder import (
    Opened,
    list_parts,
    open_files,
    read_header,
    readable,
)
from sklc.light_curves.store import Store

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq
else:  # an exported model runs without
    pa = optional("pyarrow")
    pq = optional("pyarrow.parquet")

__all__ = ["Observations", "batches_of", "iter_parts", "read_whole"]

# Observations read at a time.
_ROWS = 100_000


def read_whole(
    path: str | Path | None,
    given: dict[str, Any],
    *,
    objects: str | Path | None = None,
    photometry: str | Path | None = None,
) -> Store:
    """Read a data set of one or more parts; see `LightCurves.from_parquet`."""
    options = options_of(given)
    if path is None or objects is not None or photometry is not None:
        return read(path, options, objects=objects, photometry=photometry)
    stores = [read(part, options) for part in list_parts(path)]
    return stores[0] if len(stores) == 1 else concatenate(stores)


def iter_parts(path: str | Path, n_objects: int | None, given: dict[str, Any]) -> Iterator[Store]:
    """Read a data set part by part, or in smaller blocks; see `LightCurves.iter_parquet`."""
    if n_objects is not None and (int(n_objects) != n_objects or n_objects < 1):
        raise ValueError(f"n_objects must be a positive integer, got {n_objects!r}")
    options = options_of(given)
    for part in list_parts(path):
        if n_objects is None:
            yield read(part, options)
        else:
            yield from _iter_blocks(part, int(n_objects), options)


def _iter_blocks(path: str | Path, n_objects: int, options: ReadOptions) -> Iterator[Store]:
    """Read a folder of two parquet files in blocks.

    Parameters
    ----------
    path : str or Path
        A folder with ``objects.parquet`` and ``photometry.parquet``, which has the observations of
        an object together, and the objects in the order of the other file.
    n_objects : int
        The largest number of objects in a block.
    options : ReadOptions
        The names of the columns, the zero point, the passbands and the policies.

    Yields
    ------
    Store

    Raises
    ------
    LightCurveError
        As `parquet.read`, and if the photometry is in another order.
    """
    objects, photometry = open_files(path)
    observations = Observations(photometry, options)
    may_be_empty = observations.header.get("empty_objects", 0)
    for batch in batches_of(objects, n_objects):
        table = pa.Table.from_batches([batch])
        metadata = metadata_of(table, objects.path)
        ids = id_array(metadata.get(options.object_id, metadata.index))
        block, found = observations.take(ids)
        n_empty = int(np.sum(~found))
        # There are more than the header says: their observations may come later in the file.
        if n_empty > may_be_empty and options.invalid == "raise" and observations.left():
            observations.refuse(ids[np.argmin(found)])
        may_be_empty -= n_empty
        yield assemble(
            table,
            block,
            options,
            files=(objects.path, photometry.path),
            n_empty=n_empty if may_be_empty >= 0 else 0,
        )
    if observations.left():
        observations.refuse()


def batches_of(
    opened: Opened, n_rows: int, columns: list[str] | None = None, strings: Sequence[str] = ()
) -> Iterator[pa.RecordBatch]:
    """Read an open file in blocks of rows, some columns of text as dictionaries."""
    with readable(opened.path):
        file = pq.ParquetFile(opened.source, read_dictionary=list(strings))
        yield from file.iter_batches(batch_size=n_rows, columns=columns)


class Observations:
    """The photometry, which is read from start to end."""

    def __init__(self, opened: Opened, options: ReadOptions) -> None:
        self.opened, self.object_id = opened, options.object_id
        self.header = read_header(opened.schema, opened.path)
        self.batches = batches_of(opened, _ROWS, *columns_of(opened.schema, options))
        self.ahead: pa.RecordBatch | None = None

    def left(self) -> bool:
        """Whether there are observations that have not been taken."""
        while self.ahead is None or not self.ahead.num_rows:
            self.ahead = next(self.batches, None)
            if self.ahead is None:
                return False
        return True

    def take(self, ids: np.ndarray) -> tuple[pa.Table, np.ndarray]:
        """Observations from here on that belong to `ids`, and which of these have some."""
        index, parts, found = pd.Index(ids), [], np.zeros(len(ids), dtype=bool)
        while self.left():
            assert self.ahead is not None
            owner = self._owners(index)
            mine = owner >= 0
            count = len(mine) if mine.all() else int(np.argmin(mine))
            found[owner[:count]] = True
            parts.append(self.ahead.slice(0, count))
            self.ahead = self.ahead.slice(count)
            if self.ahead.num_rows:
                break
        schema = self.ahead.schema if self.ahead is not None else None
        schema = parts[0].schema if parts else schema or self.opened.schema
        return pa.Table.from_batches(parts, schema).unify_dictionaries(), found

    def _owners(self, index: pd.Index) -> np.ndarray:
        """Position in `index` of the object of each observation ahead, -1 where it is another."""
        assert self.ahead is not None
        if self.object_id not in self.ahead.schema.names:
            return np.zeros(self.ahead.num_rows, dtype=np.int64)  # left to `assemble` to refuse
        column = self.ahead.column(self.object_id)
        if not pa.types.is_dictionary(column.type):
            column = column.dictionary_encode()
        known = index.get_indexer(pd.Index(id_array(column.dictionary)))
        codes = column.indices.to_numpy(zero_copy_only=False)
        return known[codes] if column.null_count == 0 else np.zeros(len(column), dtype=np.int64)

    def refuse(self, missing: Any = None) -> None:
        """Raise an error: the observations ahead do not belong to the next objects."""
        assert self.ahead is not None
        first = self.ahead.column(self.object_id)[0].as_py()
        problem = f"has observations of object {first!r} after those of all objects around it"
        remedy = ""
        if missing is not None:
            problem = f"has no observations of object {missing!r} before those of {first!r}"
            remedy = 'If it has none at all, pass invalid="drop" to leave such objects out. '
        raise LightCurveError(
            f"{self.opened.path.name} {problem}. {remedy}To be read in blocks, the observations of "
            "an object must stand together, and the objects in the order of the objects file: read "
            "all at once with LightCurves.from_parquet, or do so once and write them again with "
            "to_parquet"
        )
