"""The two Parquet files of a folder: which belong together, and what cannot be read.

`LightCurves.to_parquet` writes one id of their contents into both files. When a folder is replaced,
the new objects come into their place first, and the new photometry next: in between, and where the
writer was killed in between, the photometry that belongs to the objects still has a hidden name,
and is read from there. So a reader sees the old folder or the new one, and never a mixture.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sklc._optional import optional
from sklc.errors import LightCurveError
from sklc.passbands.registry import Passband
from sklc.utils.files import partials
from sklc.utils.text import shown

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq
else:  # an exported model runs without
    pa = optional("pyarrow")
    pq = optional("pyarrow.parquet")

__all__ = [
    "HEADER",
    "MANIFEST",
    "OBJECTS",
    "PART",
    "PHOTOMETRY",
    "Opened",
    "files_of",
    "list_parts",
    "named",
    "open_files",
    "passbands_of",
    "read_header",
    "readable",
]

OBJECTS, PHOTOMETRY = "objects.parquet", "photometry.parquet"
# A large data set is a folder of parts, each a folder of the two files, and of a manifest that
# says how many parts make up the whole.
PART, MANIFEST = "part-", "simulation.json"

#: The key in the schema metadata of both files under which stands what columns cannot express.
HEADER = b"sklc"
# What may stand there.
_KINDS: dict[str, Any] = {
    "id": str, "empty_objects": int, "zero_point": (int, float), "passbands": dict, "types": dict,
    "categories": dict,
}  # fmt: skip
# A reader that meets a writer tries again so many times, after so many seconds.
_TRIES, _PAUSE = 20, 0.05
# A file that promises more memory than this, in bytes, and so many times its size, is damaged.
_MUCH, _PACKED = 1 << 30, 10_000


@dataclass(frozen=True)
class Opened:
    """An open Parquet file: what it holds does not change when another one takes its place.

    Parameters
    ----------
    path : Path
        Its place, for messages.
    source : pyarrow.NativeFile
        The open file.
    schema : pyarrow.Schema
        Its columns.
    """

    path: Path
    source: Any
    schema: pa.Schema

    @classmethod
    def of(cls, path: Path, place: Path | None = None) -> Opened:
        """Open a file, which messages call by its `place`, and check what it promises."""
        place = path if place is None else place
        with readable(place):
            source = pa.OSFile(str(path))
            metadata = pq.read_metadata(source)
            _check_promise(metadata, source.size())
            return cls(place, source, metadata.schema.to_arrow_schema())

    @property
    def id(self) -> str | None:
        """The id of the contents of both files, if `LightCurves.to_parquet` wrote it."""
        return read_header(self.schema, self.path).get("id")


@contextlib.contextmanager
def readable(file: Path) -> Iterator[None]:
    """Turn whatever a damaged file raises into one error that names it."""
    try:
        yield
    except (LightCurveError, FileNotFoundError):
        raise
    except Exception as error:  # of Arrow, JSON, the types of the header, the operating system
        reason = " ".join(str(error).split()) or type(error).__name__
        raise LightCurveError(
            f"{file} cannot be read, since it is damaged, cut short, or something else "
            f"({reason:.160}): copy it again from where it came from, or write it again with "
            "LightCurves.to_parquet"
        ) from error


@contextlib.contextmanager
def named(file: Path) -> Iterator[None]:
    """Let errors about the contents of a file name it."""
    try:
        yield
    except LightCurveError as error:
        if file.name not in str(error):
            error.args = (f"{file}: {error}", *error.args[1:])
        raise


def read_header(schema: pa.Schema, file: Path) -> dict[str, Any]:
    """Return what the columns of a file cannot express; {} for a file that sklc did not write."""
    with readable(file):
        header = json.loads((schema.metadata or {}).get(HEADER, b"{}"))
        if not isinstance(header, dict):
            raise TypeError(f"its header is {shown(header)}, and not a JSON object")
        for name, kind in _KINDS.items():
            if name in header and (
                not isinstance(header[name], kind) or isinstance(header[name], bool)
            ):
                raise TypeError(f"{name} is {shown(header[name])} in its header")
    return header


def passbands_of(header: Mapping[str, Any], file: Path) -> dict[str, Passband]:
    """Return the passbands that a header describes, by name."""
    with readable(file):
        return {
            name: Passband(name=name, survey=survey, wavelength=wavelength)
            for name, (survey, wavelength) in header.get("passbands", {}).items()
        }


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
        if not file.is_file() and not (path is not None and partials(file)):
            raise FileNotFoundError(
                f"{file} does not exist: a folder of light curves holds {OBJECTS} and "
                f"{PHOTOMETRY}; "
                "files of other names are passed as objects= and photometry="
            )
    return files


def open_files(
    path: str | Path | None,
    objects: str | Path | None = None,
    photometry: str | Path | None = None,
) -> tuple[Opened, Opened]:
    """Open objects and photometry, as they were written together.

    Parameters
    ----------
    path : str, Path or None
        A folder with ``objects.parquet`` and ``photometry.parquet``.
    objects, photometry : str, Path or None
        The two files, instead of a folder; they may have been written apart.

    Raises
    ------
    LightCurveError
        If a file is damaged, or the files of a folder were not written together.
    FileNotFoundError
        If a file does not exist.
    """
    files = files_of(path, objects, photometry)
    if path is None:
        return Opened.of(files[0]), Opened.of(files[1])
    for _ in range(_TRIES):
        with contextlib.suppress(FileNotFoundError):  # another process is replacing it
            first = Opened.of(files[0])
            for candidate in (files[1], *partials(files[1], f"{first.id}.")):
                with contextlib.suppress(FileNotFoundError):
                    second = Opened.of(candidate, files[1])
                    if first.id is None or second.id is None or first.id == second.id:
                        return first, second
        time.sleep(_PAUSE)
    for file in files:
        if not file.is_file():
            raise FileNotFoundError(f"{file} does not exist: the folder is incomplete")
    raise LightCurveError(
        f"{files[0]} and {files[1].name} were not written together, so that these objects would "
        "get the light curves of others: copy both files from one folder, or write them again with "
        "LightCurves.to_parquet. If they do belong together, read them with "
        f"LightCurves.from_parquet(objects={os.fspath(files[0])!r}, "
        f"photometry={os.fspath(files[1])!r})"
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
        If parts are missing, as after an interrupted simulation, or the manifest is damaged.
    """
    folder = Path(path)
    if (folder / OBJECTS).is_file():
        return [folder]
    parts = sorted(part for part in folder.glob(f"{PART}*") if part.is_dir())
    manifest = folder / MANIFEST
    expected = len(parts)
    if manifest.is_file():
        try:
            expected = json.loads(manifest.read_text(encoding="utf-8"))["parts"]
            if not isinstance(expected, int) or isinstance(expected, bool):
                raise TypeError(f"the number of parts is {shown(expected)}")
        except Exception as error:  # whatever else than a manifest the file may hold
            raise LightCurveError(
                f"{manifest} cannot be read, since it is damaged or something else "
                f"({shown(error)}): copy it again, or simulate into another folder with "
                "simulate_to_parquet"
            ) from error
    if len(parts) < expected:
        raise LightCurveError(
            f"{folder} has {len(parts)} of {expected} parts: the simulation was interrupted. Call "
            "simulate_to_parquet with the same arguments again, which continues where it stopped."
        )
    return parts or [folder]


def _check_promise(metadata: pq.FileMetaData, size: int) -> None:
    """Refuse a file whose header promises more than the file can hold."""
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    if metadata.num_rows != sum(group.num_rows for group in groups):
        raise ValueError("the numbers of rows in its header differ")
    for group in groups:
        for number in range(group.num_columns):
            column = group.column(number)
            if not 0 <= column.total_compressed_size <= size:
                raise ValueError("its header promises more bytes than it has")
            if column.total_uncompressed_size > max(_MUCH, _PACKED * size):
                raise ValueError("its header promises more than so few bytes can hold")
    if 8 * metadata.num_rows * metadata.num_columns > max(_MUCH, _PACKED * size):
        raise ValueError(f"its header promises {metadata.num_rows} rows in {size} bytes")
