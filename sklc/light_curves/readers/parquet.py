"""Light curves as a folder of two parquet files.

``objects.parquet`` has one row per object: ``object_id`` and any other columns (survey, class,
redshift, mwebv, ...), which become metadata. ``photometry.parquet`` has one row per observation:
``object_id``, ``mjd``, ``band``, ``flux``, ``flux_err`` and ``zp``, the AB zero point of the flux;
magnitude = zp - 2.5 log10(flux).
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sklc._optional import optional
from sklc.errors import LightCurveError
from sklc.light_curves.bands import band_columns
from sklc.light_curves.build import build
from sklc.light_curves.checks import warn
from sklc.light_curves.columns import COLUMN_NAMES, Table
from sklc.light_curves.ids import check_ids, group_rows, id_array
from sklc.light_curves.options import FROM_TABLE, ReadOptions
from sklc.light_curves.readers.frame import read_columns
from sklc.light_curves.store import Store, describe
from sklc.light_curves.zero_points import SYSTEM_COLUMNS
from sklc.passbands.registry import Passband
from sklc.utils.offsets import offsets_of, row_index

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq
else:  # an exported model runs without
    pa = optional("pyarrow")
    pq = optional("pyarrow.parquet")

OBJECTS, PHOTOMETRY = "objects.parquet", "photometry.parquet"
# A large data set is a folder of parts, each a folder of the two files, and of a manifest that
# says how many parts make up the whole.
PART, MANIFEST = "part-", "simulation.json"

# The schema metadata of both files hold what their columns cannot express.
_HEADER = b"sklc"


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
    objects, photometry = files_of(path, objects, photometry)
    schema = pq.read_schema(photometry)
    names, strings = columns_of(schema, options)
    return assemble(
        pq.ParquetFile(objects).read(),
        pq.read_table(photometry, columns=names, read_dictionary=strings),
        options,
        files=(objects.name, photometry.name),
    )


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


def read_header(schema: pa.Schema) -> dict[str, Any]:
    """Return what the columns of a file cannot express; {} for a file that sklc did not write."""
    return json.loads((schema.metadata or {}).get(_HEADER, b"{}"))


def assemble(
    objects: pa.Table,
    photometry: pa.Table,
    options: ReadOptions,
    *,
    files: tuple[str, str],
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
    files : tuple of str
        Names of the two files, for messages.
    n_empty : int, optional
        How many objects are known to have no observations; by default what the header says.
    """
    if options.object_id is None:
        raise ValueError("parquet files need object_id=, the name of the column of ids in both")
    metadata, ids = _split_ids(metadata_of(objects), options.object_id, files[0])
    table, header = Table(photometry), read_header(photometry.schema)
    n_empty = header.get("empty_objects", 0) if n_empty is None else n_empty
    columns = read_columns(table, options.columns, options, _passbands(header.get("passbands", {})))
    if not len(table) and options.zero_point_column(table.columns) == "zp":
        # An empty column does not tell the zero point.
        options = replace(options, zero_point=header.get("zero_point", FROM_TABLE))
        columns.pop("zp_column", None)
    own = header.get("zero_point")
    trusted = own is not None and (not options.zero_point_given or options.zero_point == own)
    offsets, found, order = group_rows(columns.pop("object_id"))
    rows = _match(ids, found, *files)
    without = np.flatnonzero(rows < 0)
    if len(without) and len(without) != n_empty:
        if options.invalid == "raise":
            k = without[0]
            raise LightCurveError(
                f"{describe(ids, k)} is in {files[0]} but has no row in "
                f'{files[1]} ({len(without)} of {len(ids)} objects): pass invalid="drop" '
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


def list_parts(path: str | Path) -> list[Path]:
    """Return the folders that make up a data set: its parts, or the folder itself.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    list of Path
        In order.

    Raises
    ------
    LightCurveError
        If parts are missing, as after an interrupted simulation.
    """
    folder = Path(path)
    if (folder / OBJECTS).is_file():
        return [folder]
    parts = sorted(part for part in folder.glob(f"{PART}*") if part.is_dir())
    manifest = folder / MANIFEST
    expected = len(parts)
    if manifest.is_file():
        expected = json.loads(manifest.read_text(encoding="utf-8"))["parts"]
    if len(parts) < expected:
        raise LightCurveError(
            f"{folder} has {len(parts)} of {expected} parts: the simulation was interrupted. Call "
            "simulate_to_parquet with the same arguments again, which continues where it stopped."
        )
    return parts or [folder]


def write_store(store: Store, folder: str | Path) -> None:
    """Write two parquet files; see `LightCurves.to_parquet`.

    Parameters
    ----------
    store : Store
    folder : str or Path
        The folder, which is created if it does not exist.

    Raises
    ------
    LightCurveError
        If an id occurs twice, or a metadata column has the name "object_id".
    """
    if "object_id" in store.metadata.columns:
        raise LightCurveError(
            'the metadata has a column "object_id", the name that the files use for the ids: '
            "rename it"
        )
    check_ids(store.ids)  # a selection with repeated objects could not be read back
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    lengths = np.diff(store.offsets)
    owner = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)
    header = {"empty_objects": int(np.sum(lengths == 0)), "zero_point": store.zero_point}
    photometry = pa.table(
        {
            "object_id": pa.DictionaryArray.from_arrays(owner, pa.array(store.ids)),
            "mjd": store.time,
            **band_columns(store.band, store.passbands),
            "flux": store.flux,
            "flux_err": store.flux_err,
            "zp": np.full(len(owner), store.zero_point),
        }
    ).replace_schema_metadata({_HEADER: json.dumps(header)})
    try:
        _write({OBJECTS: _objects_table(store.metadata), PHOTOMETRY: photometry}, folder)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        raise LightCurveError(
            f"the metadata cannot be written to parquet: {error}. Give each column values of one "
            "type that parquet has, for example with .astype(str)"
        ) from error


def _write(tables: Mapping[str, pa.Table], folder: Path) -> None:
    for name, table in tables.items():
        part = folder / f".{name}.part"
        try:
            pq.write_table(table, part, compression="zstd")
            os.replace(part, folder / name)
        finally:
            part.unlink(missing_ok=True)


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
    return table.replace_schema_metadata({**(table.schema.metadata or {}), _HEADER: header})


def metadata_of(objects: pa.Table) -> pd.DataFrame:
    """Return the table of objects as pandas has it, with the types it was written from."""
    metadata, header = objects.to_pandas(), read_header(objects.schema)
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


def files_of(
    path: str | Path | None, objects: str | Path | None, photometry: str | Path | None
) -> tuple[Path, Path]:
    """Return the paths of objects and photometry, or raise FileNotFoundError."""
    if path is not None and objects is None and photometry is None:
        folder = Path(path)
        if folder.is_file():
            raise FileNotFoundError(
                f"{folder} is a file, not a folder of {OBJECTS} and {PHOTOMETRY}. A file with one "
                "row per object is read with LightCurves.from_nested(nested_pandas.read_parquet("
                "file)), one with a row per observation with LightCurves.from_frame("
                "pandas.read_parquet(file))"
            )
        files = folder / OBJECTS, folder / PHOTOMETRY
    elif path is None and objects is not None and photometry is not None:
        files = Path(objects), Path(photometry)
    else:
        raise ValueError("pass either a folder, or both objects= and photometry=")
    for file in files:
        if not file.is_file():
            raise FileNotFoundError(
                f"{file} does not exist: a folder of light curves holds {OBJECTS} and "
                f"{PHOTOMETRY}; "
                "files of other names are passed as objects= and photometry="
            )
    return files


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


def _passbands(header: Mapping[str, Any]) -> dict[str, Passband]:
    return {
        name: Passband(name=name, survey=survey, wavelength=wavelength)
        for name, (survey, wavelength) in header.items()
    }
