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
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from sklc.errors import LightCurveError
from sklc.io.frames import columns_of, of_arrow, to_frame
from sklc.io.text import Layout, complete_lines, first_row, layout_of, lines_of, read_csv

__all__ = ["Source", "parsed", "read_parquet"]

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
    r"""A file, several files or an object in memory, whose beginning is read only once.

    Compressed files (gzip, bzip2, xz) are decompressed as they are read, and archives (tar, zip)
    and folders stand for the files in them.

    Parameters
    ----------
    given : path, list of paths, bytes, list of bytes, binary file or object
        What was passed to `sklc.io.read`. A string is a path.

    Raises
    ------
    FileNotFoundError
        If a path does not exist.
    LightCurveError
        If a file or a folder is empty.

    Examples
    --------
    >>> from sklc.io import Source
    >>> source = Source(b"mjd,band,flux\n59000.1,ztfg,31\n59003.1,ztfr,52\n")
    >>> source.kind, source.columns, source.has_fields("mjd", "flux")
    ('text', ('mjd', 'band', 'flux'), True)
    >>> source.lines[1]
    '59000.1,ztfg,31'
    >>> source.frame()["flux"].tolist()
    [31, 52]
    """

    def __init__(self, given: Any) -> None:
        self.object: Any = None
        self.paths: tuple[Path, ...] = ()
        self._bytes: tuple[bytes, ...] = ()
        if isinstance(given, str | os.PathLike):
            self.paths = (Path(given),)
        elif isinstance(given, bytes | bytearray | memoryview):
            self._bytes = (bytes(given),)
        elif hasattr(given, "read") and callable(given.read) and not hasattr(given, "columns"):
            content = given.read()
            self._bytes = (content.encode() if isinstance(content, str) else content,)
        elif _all_are(given, str | os.PathLike):
            self.paths = tuple(Path(path) for path in given)
        elif _all_are(given, bytes):
            self._bytes = tuple(given)
        else:
            self.object = list(given) if isinstance(given, Iterator) else of_arrow(given)
        for path in self.paths:
            if not path.exists():
                raise FileNotFoundError(f"{path} does not exist: check the path of this file")

    @property
    def name(self) -> str:
        """The name of the file or of the type of object, for messages."""
        if len(self.paths) > 1:
            return f"{self.paths[0]} and {len(self.paths) - 1} more"
        if self.paths:
            return str(self.paths[0])
        return "the bytes" if self._bytes else f"the {type(self.object).__name__}"

    @property
    def is_folder(self) -> bool:
        """Whether this is one folder."""
        return len(self.paths) == 1 and self.paths[0].is_dir()

    @cached_property
    def head(self) -> bytes:
        """The first 64 kB of the first file, decompressed; empty for an object in memory."""
        if self.object is not None:
            return b""
        for name, file in self.files():
            with file, complete(name):
                return file.read(_HEAD)
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
        return complete_lines(self.head) if self.kind == "text" else []

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns of a table, a Parquet file, a CSV file or a mapping."""
        if self.object is not None:
            return columns_of(self.object)
        if self.kind == "parquet":
            try:
                for _, file in self.files():
                    with file:
                        return tuple(pq.read_schema(pa.PythonFile(file, mode="r")).names)
            except (pa.ArrowException, OSError, ValueError) as error:
                raise LightCurveError(
                    f"{self.name} is not a complete Parquet file: download it again"
                ) from error
        return () if self._layout is None else self._layout.names

    @cached_property
    def _layout(self) -> Layout | None:
        return layout_of(self.lines)

    def has_fields(self, *names: str) -> bool:
        """Whether the columns, or the beginning of a JSON or Avro file, have all of these names.

        Parameters
        ----------
        *names : str
            Names of columns or fields.

        Returns
        -------
        bool

        Examples
        --------
        See `Source`.
        """
        if self.kind in ("json", "avro"):
            return all(f'"{name}"'.encode() in self.head for name in names)
        return set(names) <= set(self.columns)

    def files(self) -> Iterator[tuple[str, BinaryIO]]:
        """Open one file after the other: yield names and binary files, decompressed.

        Yields
        ------
        name : str
            The name of the file, for messages.
        file : binary file
            The caller closes it. It can be read from its beginning, and seeks.

        Examples
        --------
        >>> from sklc.io import Source
        >>> [(name, file.read()) for name, file in Source([b"first", b"second"]).files()]
        [('the bytes, item 0', b'first'), ('the bytes, item 1', b'second')]
        """
        for number, content in enumerate(self._bytes):
            name = f"the bytes, item {number}" if len(self._bytes) > 1 else "the bytes"
            yield from _opened(io.BytesIO(content), name)
        for path in self.paths:
            if path.is_dir():
                inside = sorted(p for p in path.rglob("*") if p.is_file() and p.name[0] not in "._")
                inside = [p for p in inside if p.stat().st_size]  # such as SNANA's empty lists
                if not inside:
                    raise LightCurveError(f"the folder {path} has no files: check the path")
                for file in inside:
                    yield from _opened(file.open("rb"), str(file))
            else:
                yield from _opened(path.open("rb"), str(path))

    def text(self) -> str:
        """Return the one file as text.

        Returns
        -------
        str

        Examples
        --------
        >>> from sklc.io import Source
        >>> Source("σ = 3".encode()).text()
        'σ = 3'
        """
        return self.content().decode("utf-8-sig")

    def content(self) -> bytes:
        """Return the bytes of the one file, decompressed.

        Returns
        -------
        bytes

        Raises
        ------
        LightCurveError
            If there is more than one file, or it is damaged.

        Examples
        --------
        >>> import gzip
        >>> from sklc.io import Source
        >>> Source(gzip.compress(b"mjd flux")).content()
        b'mjd flux'
        """
        contents = []
        for name, file in self.files():
            with file, complete(name):
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
        return self.object if self.object is not None else parsed(self.text(), self.name)

    def records(self) -> list[Any]:
        r"""Return the records of JSON files, in one list; a file holds one, or a list, or lines.

        Returns
        -------
        list

        Raises
        ------
        LightCurveError
            If a file is not complete JSON.

        Examples
        --------
        >>> from sklc.io import Source
        >>> Source([b'{"id": 1}', b'[{"id": 2}, {"id": 3}]', b'{"id": 4}\n{"id": 5}']).records()
        [{'id': 1}, {'id': 2}, {'id': 3}, {'id': 4}, {'id': 5}]
        """
        found: list[Any] = []
        for name, file in self.files():
            with file, complete(name):
                content = parsed(file.read().decode("utf-8-sig"), name)
            found.extend(content if isinstance(content, list) else [content])
        return found

    def frame(self, columns: Collection[str] | None = None, **options: Any) -> pd.DataFrame:
        """Return the table of a CSV, Parquet or JSON file, several of them, or an object.

        Parameters
        ----------
        columns : collection of str, optional
            What to read of a CSV or Parquet file, as far as it has it; by default everything.
        **options
            Options of `pandas.read_csv`, which other files do not need.

        Returns
        -------
        pandas.DataFrame

        Examples
        --------
        See `Source`.
        """
        if self.object is not None:
            return to_frame(self.object)
        if self.kind == "json":
            return to_frame(self.records())
        parts: list[pd.DataFrame] = []
        if columns is not None:
            options["usecols"] = lambda name: name in columns
        for _, file in self.files():
            with file:
                if self.kind == "parquet":
                    parts.append(to_frame(read_parquet(file, columns)))
                    continue
                layout = layout_of(lines_of(file)) if parts else self._layout
                names = self.columns if layout is None else layout.names
                first = first_row(layout, options.get("sep", ","))
                parts.append(read_csv(file, names, first, **options))
        return parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)


def read_parquet(file: BinaryIO, columns: Collection[str] | None = None) -> pa.Table:
    """Return the table of a Parquet file, or some of its columns; text as categories."""
    # a file on disk is read fastest by its name
    opened: Any = file.name if isinstance(file, io.BufferedReader) else pa.PythonFile(file, "r")
    about = pq.read_metadata(opened)
    schema = about.schema.to_arrow_schema()
    text = [field.name for field in schema if field.type in (pa.string(), pa.large_string())]
    chosen = None if columns is None else [name for name in schema.names if name in columns]
    if opened is not getattr(file, "name", None):
        file.seek(0)
        opened = pa.PythonFile(file, "r")
    with pq.ParquetFile(opened, metadata=about, read_dictionary=text) as parquet:
        return parquet.read(columns=chosen)


def _all_are(given: Any, kinds: Any) -> bool:
    is_listed = isinstance(given, list | tuple) and len(given) > 0
    return is_listed and all(isinstance(item, kinds) for item in given)


def parsed(text: str, name: str) -> Any:
    """Return the content of a JSON file, which may have one record in each line."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) > 1 and lines[0].rstrip().endswith("}"):
            try:
                return [json.loads(line) for line in lines]
            except json.JSONDecodeError:
                pass
        raise LightCurveError(
            f"{name} is not complete JSON: {error.msg} in line {error.lineno}, column "
            f"{error.colno}: download it again, or correct this line"
        ) from None


@contextmanager
def complete(name: str) -> Iterator[None]:
    """Name the file whose compressed content ends too early or is damaged."""
    try:
        yield
    except DAMAGED as error:
        raise LightCurveError(
            f"{name} is damaged or was not downloaded completely ({error}): download it again"
        ) from error


def _decompressed(file: BinaryIO, name: str) -> BinaryIO:
    start = file.read(6)
    file.seek(0)
    if not start:
        raise LightCurveError(f"{name} is empty: check that it was downloaded completely")
    for magic, opener in _COMPRESSED.items():
        if start.startswith(magic):
            return opener(file)
    return file


def _opened(raw: BinaryIO, path: str) -> Iterator[tuple[str, BinaryIO]]:
    """Yield the one file, or the files of an archive."""
    start = raw.read(2)
    raw.seek(0)
    if start == b"PK" and zipfile.is_zipfile(raw):
        with raw, complete(path), zipfile.ZipFile(raw) as archive:
            for member in sorted(archive.namelist()):
                if not member.endswith("/"):
                    content = io.BytesIO(archive.read(member))
                    yield f"{path}:{member}", _decompressed(content, f"{path}:{member}")
        return
    raw.seek(0)
    file = _decompressed(raw, path)
    with complete(path):
        start = file.read(512)
    file.seek(0)
    if start[257:262] == b"ustar":
        with file, complete(path), tarfile.open(fileobj=file) as archive:
            for item in archive:
                if item.isfile():
                    extracted = archive.extractfile(item)
                    assert extracted is not None
                    content = io.BytesIO(extracted.read())
                    yield f"{path}:{item.name}", _decompressed(content, f"{path}:{item.name}")
        return
    yield path, file
