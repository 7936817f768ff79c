"""Light curves as a folder of two Parquet files, which is replaced as a whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sklc._optional import optional
from sklc.errors import LightCurveError
from sklc.light_curves.bands import band_columns
from sklc.light_curves.ids import check_ids
from sklc.light_curves.readers.parquet_folder import HEADER, OBJECTS, PHOTOMETRY, Opened
from sklc.light_curves.store import Store
from sklc.utils.files import locked, partial_file, partials, remove_leftovers

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq
else:  # an exported model runs without
    pa = optional("pyarrow")
    pq = optional("pyarrow.parquet")

__all__ = ["write_store"]


def write_store(store: Store, folder: str | Path, *, alone: bool = False) -> None:
    """Write two parquet files; see `LightCurves.to_parquet`.

    Parameters
    ----------
    store : Store
    folder : str or Path
        The folder, which is created if it does not exist.
    alone : bool, default=False
        Whether no other process knows the folder.

    Raises
    ------
    LightCurveError
        If an id occurs twice, or a metadata column has the name "object_id".
    OSError
        If the folder cannot be written; it is then as it was.
    """
    if "object_id" in store.metadata.columns:
        raise LightCurveError(
            'the metadata has a column "object_id", the name that the files use for the ids: '
            "rename it"
        )
    check_ids(store.ids)  # a selection with repeated objects could not be read back
    folder, photometry = Path(folder), _photometry_table(store)
    try:
        objects = _objects_table(store.metadata)
        with _created(folder):
            _write(objects, photometry, folder, alone=alone)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        raise LightCurveError(
            f"the metadata cannot be written to parquet: {error}. Give each column values of one "
            "type that parquet has, for example with .astype(str)"
        ) from error
    except OSError as error:
        told = f"{folder} could not be written, and is as it was ({error.strerror or error}): "
        told += "make room there or allow writing, or name another folder"
        raise (OSError(told) if error.errno is None else OSError(error.errno, told)) from error


def _photometry_table(store: Store) -> pa.Table:
    lengths = np.diff(store.offsets)
    owner = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)
    header = {"empty_objects": int(np.sum(lengths == 0)), "zero_point": store.zero_point}
    return pa.table(
        {
            "object_id": pa.DictionaryArray.from_arrays(owner, pa.array(store.ids)),
            "mjd": store.time,
            **band_columns(store.band, store.passbands),
            "flux": store.flux,
            "flux_err": store.flux_err,
            "zp": np.full(len(owner), store.zero_point),
        }
    ).replace_schema_metadata({HEADER: json.dumps(header)})


def _objects_table(metadata: pd.DataFrame) -> pa.Table:
    """Return the table of objects; its header has the types that Parquet does not have."""
    table = pa.Table.from_pandas(metadata.reset_index(), preserve_index=False)
    types, categories = {}, {}
    for name, dtype in metadata.dtypes.items():
        if isinstance(dtype, pd.CategoricalDtype):
            values = dtype.categories
            categories[name] = values.tolist(), str(values.dtype), dtype.ordered
        elif isinstance(dtype, np.dtype) and dtype.kind in "mMO":  # units of time, mixed values
            types[name] = str(dtype)
    header = json.dumps({"types": types, "categories": categories}, default=str)
    return table.replace_schema_metadata({**(table.schema.metadata or {}), HEADER: header})


def _write(objects: pa.Table, photometry: pa.Table, folder: Path, *, alone: bool) -> None:
    """Write both files beside their places, and move them there when all of it is on the disk."""
    places, stamp = (folder / OBJECTS, folder / PHOTOMETRY), _id_of(objects, photometry)
    with contextlib.nullcontext() if alone else locked(folder):
        _finish(folder)
        for place in places:
            remove_leftovers(place)
    with (
        partial_file(places[0]) as first,
        # Once the objects are in their place, this is their photometry, wherever it is.
        partial_file(places[1], f"{stamp}.", keep=lambda: not first.exists()) as second,
    ):
        for table, part in ((objects, first), (photometry, second)):
            with pa.OSFile(str(part), "wb") as sink:  # by its path, pyarrow would remove it
                pq.write_table(_stamped(table, stamp), sink, compression="zstd")
            with part.open("rb+") as file:
                os.fsync(file.fileno())
        with contextlib.nullcontext() if alone else locked(folder):
            try:
                os.replace(first, places[0])
            finally:  # also where Ctrl-C comes between the two
                if not first.exists():
                    os.replace(second, places[1])


def _finish(folder: Path) -> None:
    """Finish what a writer that was killed has begun, so that nothing of it is removed."""
    objects, photometry = folder / OBJECTS, folder / PHOTOMETRY
    with contextlib.suppress(LightCurveError, FileNotFoundError):
        stamp = Opened.of(objects).id
        waiting = partials(photometry, f"{stamp}.") if stamp else []
        with contextlib.suppress(LightCurveError, FileNotFoundError):
            if Opened.of(photometry).id == stamp:
                return
        for part in waiting[:1]:
            os.replace(part, photometry)


def _stamped(table: pa.Table, stamp: str) -> pa.Table:
    metadata = table.schema.metadata
    header = {"id": stamp, **json.loads(metadata[HEADER])}
    return table.replace_schema_metadata({**metadata, HEADER: json.dumps(header)})


class _Checksum:
    """What Arrow may write to: only the checksum of it is kept."""

    closed = False

    def __init__(self) -> None:
        self.sum = hashlib.blake2b(digest_size=10)

    def write(self, content: Any) -> int:
        self.sum.update(content)
        return len(content)

    def flush(self) -> None: ...

    def close(self) -> None: ...


def _id_of(*tables: pa.Table) -> str:
    """Return a name that tables of other contents do not have."""
    checksum = _Checksum()
    for table in tables:
        with pa.PythonFile(checksum, mode="w") as sink, pa.ipc.new_stream(sink, table.schema) as to:
            to.write_table(table)
    return checksum.sum.hexdigest()


@contextlib.contextmanager
def _created(folder: Path) -> Iterator[None]:
    """Create a folder with its parents, and remove again what was created if that was in vain."""
    new = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        for place in new:
            with contextlib.suppress(OSError):  # someone else has written there
                place.rmdir()
        raise
