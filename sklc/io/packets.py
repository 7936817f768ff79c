"""Alert packets as tables: Avro, Parquet, JSON, and what clients of brokers return."""

from __future__ import annotations

import json
import os
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sklc._optional import require
from sklc.errors import LightCurveError
from sklc.io.documents import fields_of
from sklc.io.frames import to_frame
from sklc.io.source import Source

__all__ = ["Packets", "framed_schema", "join", "packets"]

_AT_ONCE = 512  # packets that are held in memory with all of their fields
_IMAGES = "cutout"
_FRAME = 5  # bytes before a packet on the wire: a zero, and the number of its schema


class Packets(ABC):
    """Some packets of a source, whose nested records can be read as tables."""

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of packets."""

    @abstractmethod
    def field(self, *path: str) -> pd.Series:
        """Return one value per packet, missing where a packet does not have the field.

        Parameters
        ----------
        *path : str
            The name of a field, or the names that lead to it.
        """

    @abstractmethod
    def rows(self, name: str, columns: Collection[str] | None = None) -> tuple[Any, pa.Table]:
        """Return the records of a field, which is a record or a list of records.

        Parameters
        ----------
        name : str
            The name of the field.
        columns : collection of str, optional
            What to read of the records, as far as they have it; by default everything.

        Returns
        -------
        packet : ndarray of int, shape (n_rows,)
            The position of the packet that each record belongs to.
        table : pyarrow.Table
        """


def packets(source: Source, schema: Any = None) -> Iterator[Packets]:
    """Yield the packets of a source, some at a time, in their order.

    Parameters
    ----------
    source : Source
    schema : dict or path, optional
        The Avro schema of packets that do not carry it.

    Raises
    ------
    LightCurveError
        If a packet cannot be decoded. The message names the file and the packet.
    """
    if source.kind == "object":
        yield from _in_memory(source.object)
        return
    if source.kind == "json":
        yield from _split(source.records(), source.name)
        return
    parsed = None if schema is None else _parsed_schema(schema)
    for name, file in source.files():
        with file:
            if source.kind == "parquet":
                yield from _row_groups(file, name)
            else:
                yield from _split(_avro(file, name, parsed), name)


def framed_schema(head: bytes) -> int | None:
    """Return the number of the schema of a packet that was taken from the wire, or None."""
    number = int.from_bytes(head[1:_FRAME], "big")
    return number if head[:1] == b"\x00" and 100 <= number < 10_000 else None


def join(tables: Iterable[pa.Table]) -> pd.DataFrame:
    """Return tables, whose columns may differ, as one; integers with missing values stay exact.

    Raises
    ------
    LightCurveError
        If a column is a number in one table and text in another.
    """
    try:
        table = pa.concat_tables(tables, promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise LightCurveError(
            f"the packets have different schemas ({str(error)[:120]}): read the files of each "
            "schema by themselves, and join the light curves with sklc.concatenate"
        ) from error
    return table.to_pandas(integer_object_nulls=True)


class _Records(Packets):
    """Packets that are Python mappings."""

    def __init__(self, records: list[Any], place: str, first: int) -> None:
        for number, record in enumerate(records):
            if not isinstance(record, Mapping):
                raise LightCurveError(
                    f"{place}: packet {first + number} is a {type(record).__name__}, not a record "
                    "with named fields: check that these are alert packets"
                )
        self._records, self._place, self._first = records, place, first

    def __len__(self) -> int:
        return len(self._records)

    def field(self, *path: str) -> pd.Series:
        values: list[Any] = self._records
        for name in path:
            values = [v.get(name) if isinstance(v, Mapping) else None for v in values]
        return pd.Series([None if _missing(v) else v for v in values], dtype=object)

    def rows(self, name: str, columns: Collection[str] | None = None) -> tuple[Any, pa.Table]:
        items: list[Any] = []
        counts = np.zeros(len(self), dtype=np.int64)
        for number, record in enumerate(self._records):
            value = record.get(name)
            if isinstance(value, Mapping):
                value = (value,)
            elif _missing(value):
                continue
            if not hasattr(value, "__len__") or not _are_records(value):
                raise LightCurveError(
                    f"{self._place}: the field {name!r} of packet {self._first + number} is "
                    f"{str(value)[:40]!r}, not a list of records: the packet is damaged, leave it "
                    "out"
                )
            items.extend(value)
            counts[number] = len(value)
        packet = np.repeat(np.arange(len(self)), counts)
        if not any(items):
            return packet[:0], pa.table({})
        fields = fields_of(items, columns)
        names = fields if columns is None else [name for name in columns if name in fields]
        return packet, pa.table({name: self._array(name, fields[name]) for name in names})

    def _array(self, name: str, values: Any) -> pa.Array:
        try:
            return pa.array(values, from_pandas=True)
        except (pa.ArrowException, OverflowError, TypeError, ValueError) as error:
            kinds = sorted({type(value).__name__ for value in values if value is not None})
            raise LightCurveError(
                f"{self._place}: the field {name!r} holds values that do not go together (of the "
                f"types {kinds}): read the packets of each schema by themselves"
            ) from error


class _Columns(Packets):
    """Packets that are the rows of an Arrow table with nested columns."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    def __len__(self) -> int:
        return len(self._table)

    def _column(self, name: str) -> pa.Array:
        if name not in self._table.column_names:
            return pa.nulls(len(self))
        return pa.concat_arrays(self._table.column(name).chunks)

    def field(self, *path: str) -> pd.Series:
        column = self._column(path[0])
        for name in path[1:]:
            inside = pa.types.is_struct(column.type) and column.type.get_field_index(name) >= 0
            column = pc.struct_field(column, name) if inside else pa.nulls(len(self))
        return column.to_pandas(integer_object_nulls=True)

    def rows(self, name: str, columns: Collection[str] | None = None) -> tuple[Any, pa.Table]:
        column = self._column(name)
        if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
            packet = pc.list_parent_indices(column)
            records = pc.list_flatten(column)
        else:
            packet, records = pa.array(np.arange(len(self))), column
        if not pa.types.is_struct(records.type):
            return np.zeros(0, dtype=np.int64), pa.table({})
        if records.null_count:
            there = pc.is_valid(records)
            packet, records = packet.filter(there), records.filter(there)
        fields = dict(zip((f.name for f in records.type), records.flatten(), strict=True))
        names = fields if columns is None else [key for key in columns if key in fields]
        return packet.to_numpy(zero_copy_only=False), pa.table({k: fields[k] for k in names})


def _are_records(values: Any) -> bool:
    kinds = set(map(type, values))
    return kinds == {dict} or all(issubclass(kind, Mapping) for kind in kinds)


def _missing(value: Any) -> bool:
    return value is None or value is pd.NA or (isinstance(value, float) and value != value)


def _split(records: Iterable[Any], place: str) -> Iterator[Packets]:
    iterator, first = iter(records), 0
    while some := list(islice(iterator, _AT_ONCE)):
        yield _Records(some, place, first)
        first += len(some)


def _in_memory(given: Any) -> Iterator[Packets]:
    if isinstance(given, Mapping):
        given = [given]
    if isinstance(given, list | tuple):
        yield from _split(given, "the packets")
        return
    table = given if isinstance(given, pa.Table) else None
    if (
        table is None
        and hasattr(given, "__arrow_c_stream__")
        and not isinstance(given, pd.DataFrame)
    ):
        table = pa.table(given)
    if table is not None:
        yield _Columns(table)
        return
    frame = to_frame(given)
    frame = frame[[name for name in frame.columns if not str(name).startswith(_IMAGES)]]
    yield from _split(frame.to_dict("records"), "the table")


def _row_groups(file: BinaryIO, name: str) -> Iterator[Packets]:
    try:
        parquet = pq.ParquetFile(file)
        names = [n for n in parquet.schema_arrow.names if not n.startswith(_IMAGES)]
        for group in range(parquet.num_row_groups):
            yield _Columns(parquet.read_row_group(group, columns=names))
    except (pa.ArrowException, OSError) as error:
        raise LightCurveError(
            f"{name} is not a complete Parquet file ({str(error)[:120]}): download it again"
        ) from error


def _avro(file: BinaryIO, name: str, schema: Any) -> Iterator[Any]:
    fastavro = require("fastavro", extra="io", user="Reading Avro")
    number = 0
    try:
        start = file.read(_FRAME)
        framed = framed_schema(start)
        if start[:4] == b"Obj\x01":
            file.seek(0)
            for number, record in enumerate(fastavro.reader(file)):  # noqa: B007
                yield record
            return
        if schema is None:
            raise LightCurveError(
                f"{name} does not carry its schema"
                + (
                    f": it was taken from the wire, with the schema number {framed}"
                    if framed
                    else ""
                )
                + ". Pass schema= the path of the Avro schema (for Rubin, lsst.v10_0.alert.avsc of "
                "the package lsst-alert-packet, or the version of your packets), or the dict that "
                "the schema registry returns"
            )
        if framed is None:
            file.seek(0)
        yield fastavro.schemaless_reader(file, schema)
    except (LightCurveError, MemoryError):
        raise
    except Exception as error:
        if "need to install" in str(error):  # a codec, such as snappy
            raise ImportError(f"{name} cannot be decompressed: {error}") from error
        raise LightCurveError(
            f"{name}: a packet after number {number} cannot be decoded ({type(error).__name__}: "
            f"{str(error)[:80]}): the file is damaged or not complete, download it again"
            + ("" if schema is None else ", or the schema is of another version")
        ) from error


def _parsed_schema(schema: Any) -> Any:
    fastavro = require("fastavro", extra="io", user="Reading Avro")
    if isinstance(schema, str) and schema.lstrip()[:1] in ("{", "["):
        schema = json.loads(schema)
    if isinstance(schema, str | os.PathLike):
        if not Path(schema).exists():
            raise FileNotFoundError(f"the schema {schema} does not exist: check its path")
        return fastavro.schema.load_schema(schema)
    if isinstance(schema, Mapping) and "schema" in schema and "type" not in schema:
        schema = json.loads(schema["schema"])  # as a schema registry answers
    return fastavro.parse_schema(schema)
