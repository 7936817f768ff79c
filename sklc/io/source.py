"""What is to be read: a file, several files or an object in memory."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from sklc.errors import LightCurveError
from sklc.io.text import layout_of

__all__ = ["Source"]

_HEAD = 1 << 16  # bytes of a file that are read to recognise its format
_COMPRESSED: dict[bytes, Callable[[Any], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
}
#: Errors of a file that is damaged or cut off.
DAMAGED = (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, tarfile.TarError,
           zipfile.BadZipFile)  # fmt: skip
_MAGIC = {b"SIMPLE  =": "fits", b"Obj\x01": "avro", b"PAR1": "parquet", b"\x89HDF": "hdf5"}


class Source:
    """A file, several files or an object in memory, whose beginning is read only once.

    Compressed files (gzip, bzip2, xz) are decompressed as they are read, and archives (tar, zip)
    and folders stand for the files in them.

    Parameters
    ----------
    given : path, list of paths, bytes, binary file or object
        What was passed to `sklc.io.read`. A string is a path.

    Raises
    ------
    FileNotFoundError
        If a path does not exist.
    LightCurveError
        If a file or a folder is empty.
    """

    def __init__(self, given: Any) -> None:
        self.object: Any = None
        self.paths: tuple[Path, ...] = ()
        self._bytes: bytes | None = None
        if isinstance(given, str | os.PathLike):
            self.paths = (Path(given),)
        elif isinstance(given, bytes | bytearray | memoryview):
            self._bytes = bytes(given)
        elif hasattr(given, "read") and callable(given.read) and not hasattr(given, "columns"):
            content = given.read()
            self._bytes = content.encode() if isinstance(content, str) else content
        elif _are_paths(given):
            self.paths = tuple(Path(path) for path in given)
        else:
            self.object = given
        for path in self.paths:
            if not path.exists():
                raise FileNotFoundError(
                    f"{path} does not exist: check the path of the file to read"
                )

    @property
    def name(self) -> str:
        """The name of the file or of the type of object, for messages."""
        if len(self.paths) > 1:
            return f"{self.paths[0]} and {len(self.paths) - 1} more"
        if self.paths:
            return str(self.paths[0])
        return "the bytes" if self._bytes is not None else f"the {type(self.object).__name__}"

    @property
    def is_folder(self) -> bool:
        """Whether this is one folder."""
        return len(self.paths) == 1 and self.paths[0].is_dir()

    @cached_property
    def head(self) -> bytes:
        """The first 64 kB of the first file, decompressed; empty for an object in memory."""
        if self.object is not None:
            return b""
        try:
            for _, file in self.files():
                with file:
                    return file.read(_HEAD)
        except DAMAGED as error:
            raise LightCurveError(
                f"{self.name} is damaged or not complete ({str(error)[:80]}): download it again"
            ) from error
        return b""

    @cached_property
    def kind(self) -> str:
        """One of "fits", "avro", "parquet", "hdf5", "json", "xml", "text", "binary", "object"."""
        if self.object is not None:
            return "object"
        for magic, kind in _MAGIC.items():
            if self.head.startswith(magic):
                return kind
        start = self.head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
        if start in (b"{", b"["):
            return "json"
        if start == b"<":
            return "xml"
        return "binary" if b"\x00" in self.head else "text"

    @cached_property
    def lines(self) -> list[str]:
        """The complete lines in the first 64 kB of a text file; none for other files."""
        if self.kind != "text":
            return []
        text = self.head.decode("utf-8-sig", errors="replace")
        lines = text.splitlines()
        return lines[:-1] if len(self.head) == _HEAD and len(lines) > 1 else lines

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns of a table, a Parquet file, a CSV file or a mapping."""
        if self.object is not None:
            return _columns_of(self.object)
        if self.kind == "parquet":
            try:
                for _, file in self.files():
                    with file:
                        return tuple(pq.read_schema(pa.PythonFile(file, mode="r")).names)
            except (pa.ArrowException, OSError, ValueError) as error:
                raise LightCurveError(
                    f"{self.name} is not a complete Parquet file: download it again"
                ) from error
        layout = layout_of(self.lines)
        return () if layout is None else layout.names

    def has_columns(self, *names: str) -> bool:
        """Whether the table has all of these columns."""
        return set(names) <= set(self.columns)

    def files(self) -> Iterator[tuple[str, BinaryIO]]:
        """Open one file after the other: yield names and binary files, decompressed.

        Yields
        ------
        name : str
            The name of the file, for messages.
        file : binary file
            The caller closes it. It can be read from its beginning, and seeks.
        """
        if self._bytes is not None:
            yield "the bytes", _decompressed(io.BytesIO(self._bytes), "the bytes")
        for path in self.paths:
            if path.is_dir():
                inside = sorted(p for p in path.rglob("*") if p.is_file() and p.name[0] not in "._")
                if not inside:
                    raise LightCurveError(f"the folder {path} has no files: check the path")
                for file in inside:
                    yield from _opened(file)
            else:
                yield from _opened(path)

    def text(self) -> str:
        """Return the one file as text."""
        return self.content().decode("utf-8-sig")

    def content(self) -> bytes:
        """Return the bytes of the one file, decompressed."""
        contents = []
        for name, file in self.files():
            with file:
                contents.append((name, file.read()))
        if len(contents) != 1:
            raise LightCurveError(
                f"{self.name} holds {len(contents)} files, and this format is read from one: "
                "read the files one by one and join them with sklc.concatenate"
            )
        return contents[0][1]

    @cached_property
    def json(self) -> Any:
        """The content of a JSON file (or the object itself, if it is no file)."""
        return self.object if self.object is not None else json.loads(self.text())

    def frame(self, **options: Any) -> pd.DataFrame:
        """Return the table of a CSV or Parquet file, several of them, or an object in memory.

        Parameters
        ----------
        **options
            Options of `pandas.read_csv`, which Parquet files do not need.
        """
        if self.object is not None:
            return to_frame(self.object)
        parts = []
        for _, file in self.files():
            with file:
                if self.kind == "parquet":
                    parts.append(pq.read_table(pa.PythonFile(file, mode="r")).to_pandas())
                else:
                    parts.append(pd.read_csv(file, **options))
        return parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)


def to_frame(table: Any) -> pd.DataFrame:
    """Return a table of pandas, pyarrow, polars, astropy or numpy, or a mapping, as a DataFrame."""
    if isinstance(table, pd.DataFrame):
        return table
    if hasattr(table, "collect") and hasattr(table, "collect_schema"):  # a polars.LazyFrame
        table = table.collect()
    if hasattr(table, "__arrow_c_stream__"):
        return pa.table(table).to_pandas()
    if hasattr(table, "to_pandas"):
        return table.to_pandas()
    if getattr(getattr(table, "dtype", None), "names", None):
        return pd.DataFrame({name: _native(table[name]) for name in table.dtype.names})
    return pd.DataFrame(table)


def _native(values: Any) -> np.ndarray:
    """Return an array in the byte order of this machine, which pandas needs; masked is NaN."""
    if np.ma.isMaskedArray(values) and values.mask.any():
        values = np.ma.filled(values.astype(object), None)
    array = np.asarray(values)
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _are_paths(given: Any) -> bool:
    return (
        isinstance(given, list | tuple)
        and len(given) > 0
        and all(isinstance(item, str | os.PathLike) for item in given)
    )


def _columns_of(table: Any) -> tuple[str, ...]:
    names = getattr(getattr(table, "dtype", None), "names", None)
    if names:
        return tuple(names)
    for attribute in ("column_names", "colnames", "columns"):
        names = getattr(table, attribute, None)
        if names is not None and not callable(names):
            return tuple(str(name) for name in names)
    if isinstance(table, Mapping):
        return tuple(str(name) for name in table)
    if isinstance(table, list | tuple) and table and isinstance(table[0], Mapping):
        return tuple(str(name) for name in table[0])
    return ()


def _decompressed(file: BinaryIO, name: str) -> BinaryIO:
    start = file.read(6)
    file.seek(0)
    if not start:
        raise LightCurveError(f"{name} is empty: check that it was downloaded completely")
    for magic, opener in _COMPRESSED.items():
        if start.startswith(magic):
            return opener(file)
    return file


def _opened(path: Path) -> Iterator[tuple[str, BinaryIO]]:
    file = _decompressed(path.open("rb"), str(path))
    if zipfile.is_zipfile(path):
        file.close()
        with zipfile.ZipFile(path) as archive:
            for member in sorted(archive.namelist()):
                if not member.endswith("/"):
                    content = io.BytesIO(archive.read(member))
                    yield f"{path}:{member}", _decompressed(content, f"{path}:{member}")
        return
    start = file.read(512)
    file.seek(0)
    if start[257:262] == b"ustar":
        with file, tarfile.open(fileobj=file) as archive:
            for item in archive:
                if item.isfile():
                    extracted = archive.extractfile(item)
                    assert extracted is not None
                    content = io.BytesIO(extracted.read())
                    yield f"{path}:{item.name}", _decompressed(content, f"{path}:{item.name}")
        return
    yield str(path), file
