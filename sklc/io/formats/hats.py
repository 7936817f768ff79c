"""One row per object with lists of observations: HATS catalogues, LSDB, nested Parquet files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from nested_pandas import NestedDtype

from sklc.errors import LightCurveError
from sklc.io.choices import Choices
from sklc.io.columns import Names, identify, metadata_columns, plain
from sklc.io.photometry import Photometry
from sklc.io.registry import reader
from sklc.io.source import Source
from sklc.io.tabular import join, located, photometry_of
from sklc.light_curves.container import LightCurves
from sklc.light_curves.readers.nested import list_parts, one_list_array
from sklc.light_curves.values import one_chunk
from sklc.utils.text import counted

__all__ = ["arrow_table", "chosen_lists", "data_files", "lists_of", "read_hats"]

_PROPERTIES = ("collection.properties", "hats.properties", "properties")
_PARTITION = ("_healpix_29", "Norder", "Dir", "Npix")
# Where there are several lists of observations: forced photometry of the difference images first.
_PREFERRED = ("diaObjectForcedSource", "objectForcedSource", "diaSource", "lightcurve")
# Flags of Rubin for which an observation is left out; ZTF's are numbers.
_FLAGS = ("invalidPsfFlag", "pixelFlags_bad", "pixelFlags_saturatedCenter", "pixelFlags_crCenter",
          "pixelFlags_nodata", "pixelFlags_nodataCenter", "pixelFlags_edge", "pixelFlags_offimage",
          "pixelFlags_streakCenter", "diff_PixelFlags_nodataCenter")  # fmt: skip
_ROWS = 10_000  # objects that are read at a time


def _is_list(kind: pa.DataType) -> bool:
    return (
        pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    )


def lists_of(schema: pa.Schema) -> dict[str | None, list[str]]:
    """Return the nested columns and their fields; plain columns of lists are those of None."""
    found: dict[str | None, list[str]] = {}
    for column in schema:
        kind = column.type
        if _is_list(kind) and pa.types.is_struct(kind.value_type):
            found[column.name] = [field.name for field in kind.value_type]
        elif pa.types.is_struct(kind) and any(_is_list(field.type) for field in kind):
            found[column.name] = [field.name for field in kind if _is_list(field.type)]
        elif _is_list(kind):
            found.setdefault(None, []).append(column.name)
    return found


def _are_light_curves(schema: pa.Schema) -> bool:
    return any(identify(fields).is_light_curve for fields in lists_of(schema).values())


def _is_lsdb(given: Any) -> bool:
    return type(given).__module__.split(".")[0] == "lsdb" and hasattr(given, "compute")


def _holds_lists(column: pd.Series) -> bool:
    """Whether the values of a column are lists, or structs of lists, which are dicts in pandas."""
    if isinstance(column.dtype, pd.ArrowDtype):
        return pa.types.is_nested(column.dtype.pyarrow_dtype)
    if column.dtype != object:
        return False
    return isinstance(next(iter(column.dropna()), None), list | np.ndarray | dict)


def _recognise(source: Source) -> bool:
    given = source.object
    if given is not None:
        if _is_lsdb(given):
            return True
        if isinstance(given, pd.DataFrame) and len(given):
            if any(isinstance(dtype, NestedDtype) for dtype in given.dtypes):
                return True
            held = [name for name in given if _holds_lists(given[name])]
            return bool(held) and _are_light_curves(arrow_table(given[held].head(3)).schema)
        return isinstance(given, pa.Table) and _are_light_curves(given.schema)
    if source.is_folder and any((source.paths[0] / name).is_file() for name in _PROPERTIES):
        return True
    if source.kind != "parquet":
        return False
    return any(_are_light_curves(file.schema_arrow) for _, file in _parquet_files(source, most=1))


def _parquet_files(source: Source, most: int | None = None) -> Iterator[tuple[str, pq.ParquetFile]]:
    paths = [file for path in source.paths for file in data_files(path)]
    if paths and all(path.suffix in (".parquet", ".pq", ".parq") for path in paths):
        for path in paths[:most]:
            about = pq.read_metadata(path)
            with pq.ParquetFile(path, metadata=about, read_dictionary=_texts(about)) as file:
                yield str(path), file
        return
    for name, file in source.files():
        with file:
            yield name, pq.ParquetFile(pa.PythonFile(file, mode="r"))
            if most is not None:
                return


def _texts(about: pq.FileMetaData) -> list[str]:
    """Return the paths of the columns of text, which are read as categories."""
    columns = map(about.schema.column, range(about.num_columns))
    return [column.path for column in columns if column.logical_type.type == "STRING"]


def data_files(path: Path) -> list[Path]:
    """Return the data files of a HATS catalogue or collection, or the file itself."""
    if not path.is_dir():
        return [path]
    collection = path / "collection.properties"
    if collection.is_file():
        for line in collection.read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition("=")
            if key.strip() == "hats_primary_table_url":
                path = path / value.strip()
    root = path / "dataset" if (path / "dataset").is_dir() else path
    found = sorted(p for p in root.rglob("*.parquet") if p.name[0] not in "._")
    if not found:
        raise LightCurveError(f"the folder {path} has no Parquet files: check the path")
    return found


def arrow_table(frame: pd.DataFrame) -> pa.Table:
    """Return a frame with nested columns or columns of lists as an Arrow table."""
    columns: dict[str, Any] = {}
    for name in frame.index.names:
        if name is not None and name not in frame.columns and name not in _PARTITION:
            columns[str(name)] = pa.array(frame.index.get_level_values(str(name)))
    for name in map(str, frame.columns):
        if isinstance(frame[name].dtype, NestedDtype):
            columns[name] = one_list_array(frame[name].array.list_array)
        else:
            columns[name] = pa.array(frame[name], from_pandas=True)
    if not columns.keys() & {plain(n) for n in frame.index.names} and frame.index.name is None:
        columns.setdefault("__index_level_0__", pa.array(frame.index))
    return pa.table(columns)


def _arrow_tables(
    source: Source, column: str | None, n_objects: int, *, whole: bool = False
) -> Iterator[tuple[str, pa.Table]]:
    """Yield the name of each file, and some objects of it at a time, or all of it as a `whole`.

    An LSDB catalogue is computed partition by partition, or at once as a `whole`.
    """
    given = source.object
    if given is None:
        for name, file in _parquet_files(source):
            with located(name):
                wanted = _wanted(file.schema_arrow, column)
            if whole:
                yield name, file.read(wanted)
                continue
            for batch in file.iter_batches(n_objects, columns=wanted):
                yield name, pa.Table.from_batches([batch])
        return
    frames: Iterator[Any]
    if _is_lsdb(given) and not whole:
        frames = (given.partitions[k].compute() for k in range(given.npartitions))
    else:
        frames = iter([given.compute() if _is_lsdb(given) else given])
    for frame in frames:
        table = frame if isinstance(frame, pa.Table) else arrow_table(frame)
        for start in range(0, len(table), n_objects):
            yield source.name, table.slice(start, n_objects)


def _wanted(schema: pa.Schema, column: str | None) -> list[str]:
    """Return the columns to read: without the lists of observations that are not chosen."""
    lists = lists_of(schema)
    chosen, fields = chosen_lists(schema, column)
    others = {*lists, *lists.get(None, ())} - ({*fields} if chosen is None else {chosen})
    return [name for name in schema.names if name not in others]


def chosen_lists(schema: pa.Schema, column: str | None) -> tuple[str | None, list[str]]:
    """Return the nested column that holds the light curves, and its fields."""
    found = {name: f for name, f in lists_of(schema).items() if identify(f).is_light_curve}
    if column is not None:
        if column not in lists_of(schema):
            raise LightCurveError(
                f"{column!r} is not a nested column; those are "
                f"{[name for name in lists_of(schema) if name is not None]}"
            )
        return column, lists_of(schema)[column]
    preferred = [name for name in _PREFERRED if name in found]
    if len(found) > 1 and not preferred:
        raise LightCurveError(
            f"there are several lists of observations: pass column= one of {list(found)}"
        )
    if not found:
        raise LightCurveError(
            "no list of observations has times and fluxes or magnitudes under usual names; the "
            f"lists are {lists_of(schema)}: pass column= one of them, and time= and flux= or mag="
        )
    name = preferred[0] if len(found) > 1 else next(iter(found))
    return name, found[name]


def _flat(
    table: pa.Table, column: str | None, fields: list[str]
) -> tuple[np.ndarray, dict[str, Any]]:
    """Return the offsets of the objects, and flat columns of observations."""
    if column is None:
        lists = {name: one_chunk(table[name]) for name in fields}
    else:
        whole = one_chunk(table[column])
        if _is_list(whole.type):
            starts, observations = list_parts(whole)
            flat = observations.flatten()
            return starts, {f.name: v for f, v in zip(observations.type, flat, strict=True)}
        lists = dict(zip([f.name for f in whole.type], whole.flatten(), strict=True))
        lists = {name: lists[name] for name in fields}
    offsets: np.ndarray | None = None
    columns: dict[str, Any] = {}
    for name, array in lists.items():
        if pa.types.is_fixed_size_list(array.type):
            array = array.cast(pa.list_(array.type.value_type))
        own, columns[name] = list_parts(array)
        if offsets is not None and not np.array_equal(own, offsets):
            row = int(np.flatnonzero(np.diff(own) != np.diff(offsets))[0])
            raise LightCurveError(
                f"the lists {next(iter(lists))!r} and {name!r} of row {row} have different "
                f"lengths: {np.diff(offsets)[row]} and {np.diff(own)[row]}"
            )
        offsets = own
    assert offsets is not None
    return offsets, columns


def _pandas(array: pa.Array) -> Any:
    """Return an Arrow array as pandas has it; text as categories, integers exactly."""
    if pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
        array = array.dictionary_encode()
    return array.to_pandas(integer_object_nulls=True)


def _photometry(table: pa.Table, column: str | None, choices: Choices) -> Photometry:
    column, fields = chosen_lists(table.schema, column)
    given = choices.names
    inner = replace(given, object_id=None, band=given.band if given.band in fields else None)
    names = identify(fields, inner)
    offsets, columns = _flat(table, column, fields)
    lists = lists_of(table.schema)
    plain_lists = lists.get(None, [])
    objects = table.select(
        [n for n in table.column_names if n not in lists and n not in plain_lists]
    )
    outer = identify(objects.column_names, Names(object_id=given.object_id))
    index = outer.object_id or next(
        (n for n in objects.column_names if n.startswith("__index_level")), None
    )
    if index is None:
        raise LightCurveError(
            f"no column of object ids is recognised among {objects.column_names[:40]}: pass "
            "object_id= the name of one"
        )
    counts = np.diff(offsets)
    owners = np.repeat(np.arange(len(counts)), counts)
    frame = pd.DataFrame({name: _pandas(array) for name, array in columns.items()}, copy=False)
    repeated = {"object_id": index}
    if names.band is None and choices.passband is None:  # one band per object, as in ZTF's releases
        repeated["band"] = given.band or outer.band or ""
    for what, name in repeated.items():
        if name:
            own = pd.Series(_pandas(one_chunk(objects[name])), copy=False).array
            frame[what] = own.take(owners)
    own_names = replace(
        names, object_id="object_id", band=names.band or ("band" if repeated.get("band") else None)
    )
    choices = replace(choices, names=own_names, quality=_quality(choices.quality, names, frame))
    photometry = photometry_of(frame, choices)
    if names.flux is not None and plain(names.flux) == "psfdiffflux" and "psfFlux" in frame:
        photometry.notes.append('difference flux (psfDiffFlux); flux="psfFlux" is the total flux')
    if empty := int(np.sum(counts == 0)):
        photometry.notes.append(
            f"left out {empty} of {counted(len(counts), 'object')}: without observations"
        )
    own_metadata = _objects(objects, index)
    if choices.metadata is None:
        photometry.metadata = own_metadata
    elif photometry.metadata is not None:
        photometry.metadata = photometry.metadata.combine_first(own_metadata)
    return photometry


def _objects(objects: pa.Table, index: str) -> pd.DataFrame:
    """Return the metadata: all columns of numbers and text, the usual ones under their names."""
    kept = [n for n in objects.column_names if n not in _PARTITION and not n.startswith("__index")]
    frame = objects.select(dict.fromkeys([*kept, index])).to_pandas(integer_object_nulls=True)
    frame.index = pd.Index(frame.pop(index))
    usual = {
        own: what for what, own in metadata_columns(frame.columns).items() if what not in frame
    }
    return frame.rename(columns=usual)


def _quality(quality: Any, names: Names, frame: pd.DataFrame) -> Any:
    """Return the documented selection as a function, where flags are there."""
    flags = [name for name in (f"{names.flux}_flag", *_FLAGS) if name in frame]
    if quality != "good" or not (flags or "catflags" in frame):
        return quality

    def good(table: pd.DataFrame) -> np.ndarray:
        bad = np.zeros(len(table), dtype=bool)
        for name in flags:
            bad |= table[name].astype("boolean").fillna(False).to_numpy(dtype=bool)
        if "catflags" in table:
            bad |= table["catflags"].fillna(0).to_numpy() != 0
        return ~bad

    return good


def _batches(
    source: Source, n_objects: int, *, column: str | None = None, **options: Any
) -> Iterator[LightCurves]:
    choices = Choices.of(**options)
    for name, table in _arrow_tables(source, column, n_objects):
        with located(name):
            photometry = _photometry(table, column, choices)
            if len(photometry.time):
                yield photometry.light_curves(name)


@reader(
    "hats",
    title="HATS and LSDB catalogues, and Parquet files with one row per object",
    flux="difference flux where there is one (psfDiffFlux), else flux as the catalogue has it",
    recognise=_recognise,
    batches=_batches,
)
def read_hats(source: Source, *, column: str | None = None, **options: Any) -> Photometry:
    """Read catalogues with one row per object, and the observations in a nested column or in lists.

    Parameters
    ----------
    source : path, list of paths, bytes, binary file, catalogue or table
        A folder of a HATS catalogue or collection, Parquet files with columns of structs or lists,
        an LSDB catalogue (which is computed), a nested-pandas frame, or a table with columns of
        lists.
    column : str, optional
        The nested column. The default is the only one with light curves, or the first of
        diaObjectForcedSource, objectForcedSource, diaSource and lightcurve.
    **options
        Options of `read_long_table`. `object_id`, `band` (for one band per object) and `metadata`
        refer to columns of the catalogue, all others to fields of the nested column. With
        ``quality="good"``, observations with a flag of Rubin (of the flux, bad, saturated, cosmic
        ray, no data, edge, streak) or of ZTF (``catflags``) are left out.

    Returns
    -------
    LightCurves
        Where the catalogue has ``psfDiffFlux`` and ``psfFlux``, the former, the difference flux
        (nJy, zero point 31.4); ``flux="psfFlux"`` reads the total flux. Times are those of the
        catalogue (Rubin: MJD, TAI, middle of the visit). All columns of the catalogue are metadata.

    Raises
    ------
    LightCurveError
        If no column of ids or list of observations is recognised, or lists differ in length.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklc.io import read_hats
    >>> table = pd.DataFrame({"objectId": [2**60 + 1], "mjd": [[59000.0, 59001.0]],
    ...                       "psfDiffFlux": [[310.0, 290.0]], "band": [["g", "r"]]})
    >>> curves = read_hats(table, survey="lsst")
    >>> curves.ids, curves.zero_point, curves.band_names
    (array([1152921504606846977]), 31.4, array(['lsstg', 'lsstr'], dtype=object))
    """
    choices = Choices.of(**options)
    parts = []
    for name, table in _arrow_tables(source, column, _ROWS, whole=True):
        if len(table):
            with located(name):
                parts.append(_photometry(table, column, choices))
    if not parts:
        raise LightCurveError(f"{source.name} has no rows")
    return join(parts)
