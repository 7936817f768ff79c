"""Checkpoints of TensorFlow, read without TensorFlow.

A checkpoint ("tensor bundle") consists of ``NAME.index``, a table of LevelDB whose values say where
each tensor lies, and of ``NAME.data-00000-of-00001`` and so on, which hold the tensors.
"""

from __future__ import annotations

import os
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from sklc.errors import WeightsError

__all__ = ["read_tensor_bundle"]

_MAGIC = 0xDB4775248B80FB57
_FOOTER = 48
_TRAILER = 5  # of a block: the kind of its compression, and its checksum
_FLOAT32 = 1  # DT_FLOAT
_VARIABLE = "/.ATTRIBUTES/VARIABLE_VALUE"
# Published checkpoints have a few megabytes; an archive that unpacks to more is not one of them.
_MOST_BYTES = 2**30


def read_tensor_bundle(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Read the variables of a TensorFlow checkpoint.

    Parameters
    ----------
    path : str or path
        The ``.index`` file, the path without this ending, a folder that holds one checkpoint, or a
        zip archive of such a folder.

    Returns
    -------
    dict of str to ndarray of float32
        Variables by name, such as ``"encoder/inp_transform/kernel"``. Variables of other types and
        the state of the optimizer are left out.

    Raises
    ------
    WeightsError
        If there is no such file, it holds no checkpoint or several, or it is damaged.

    Examples
    --------
    >>> from sklc.external import read_tensor_bundle
    >>> read_tensor_bundle("my_model/weights")
    Traceback (most recent call last):
    ...
    sklc.errors.WeightsError: There is no TensorFlow checkpoint my_model/weights: pass the path of \
its .index file, of its folder, or of a zip archive of the folder.
    """
    files = find_bundle(path)
    try:
        return dict(_tensors(files))
    except (IndexError, KeyError, ValueError, OverflowError, struct.error) as error:
        raise WeightsError(
            f"The TensorFlow checkpoint {os.fspath(path)} is damaged ({str(error)[:80]}), or it is "
            "something else: copy it again."
        ) from error


@dataclass(frozen=True)
class BundleFiles:
    """The files of one checkpoint.

    Parameters
    ----------
    folder : Path or zipfile.Path
    name : str
        What the names of its files begin with.
    """

    folder: Any
    name: str

    def read(self, ending: str) -> bytes:
        file = self.folder / f"{self.name}{ending}"
        if not file.is_file():
            raise ValueError(f"there is no {self.name}{ending}")
        return file.read_bytes()

    def beside(self, name: str) -> bytes | None:
        """Return another file of the folder, None if there is none."""
        file = self.folder / name
        return file.read_bytes() if file.is_file() else None


def find_bundle(path: str | os.PathLike[str]) -> BundleFiles:
    """Return the files of the one checkpoint that a path stands for.

    Raises
    ------
    WeightsError
        If there is none or more than one.
    """
    path = Path(path)
    index = path if path.suffix == ".index" else path.with_name(f"{path.name}.index")
    if index.is_file():
        return BundleFiles(index.parent, index.name.removesuffix(".index"))
    root: Any = path
    if path.is_file() and zipfile.is_zipfile(path):
        archive = zipfile.ZipFile(path)
        if sum(entry.file_size for entry in archive.infolist()) > _MOST_BYTES:
            raise WeightsError(
                f"{path} unpacks to more than {_MOST_BYTES / 2**30:.0f} GiB, far more than a "
                "checkpoint: unpack it yourself, and pass the path of its .index file."
            )
        root = zipfile.Path(archive)
    elif not path.is_dir():
        raise WeightsError(
            f"There is no TensorFlow checkpoint {path}: pass the path of its .index file, of its "
            "folder, or of a zip archive of the folder."
            if not path.exists()
            else f"{path} is not a TensorFlow checkpoint, nor a zip archive of one: pass the path "
            "of its .index file, of its folder, or of a zip archive of the folder."
        )
    found = [BundleFiles(folder, name) for folder, name in _indices(root)]
    if len(found) != 1:
        names = ", ".join(sorted(f"{bundle.name}.index" for bundle in found))
        raise WeightsError(
            f"{path} holds {len(found) or 'no'} TensorFlow checkpoint{'s' * (len(found) != 1)}"
            f"{f' ({names})'[:80] if found else ''}: pass the path of the .index file of one."
        )
    return found[0]


def _indices(folder: Any) -> Iterator[tuple[Any, str]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _indices(entry)
        elif entry.name.endswith(".index"):
            yield folder, entry.name.removesuffix(".index")


# -- the table


def _tensors(files: BundleFiles) -> Iterator[tuple[str, np.ndarray]]:
    index = files.read(".index")
    if len(index) < _FOOTER or struct.unpack("<Q", index[-8:])[0] != _MAGIC:
        raise ValueError(f"{files.name}.index does not end as an index does")
    footer = _Bytes(index[-_FOOTER:])
    footer.number(), footer.number()  # where the index of filters is, of which there are none
    entries: dict[bytes, bytes] = {}
    for _, place in _block(index, footer.number(), footer.number()):
        handle = _Bytes(place)
        entries |= dict(_block(index, handle.number(), handle.number()))
    header = dict(_fields(entries[b""]))
    if header.get(2, 0):
        raise ValueError("it was written on a big-endian machine")
    n_shards = header.get(1, 1)
    shards: dict[int, bytes] = {}
    for key, value in entries.items():
        name = key.decode()
        if not name.endswith(_VARIABLE) or ".OPTIMIZER_SLOT" in name:
            continue
        about = dict(_fields(value))
        if about.get(1) != _FLOAT32:
            continue
        shard = about.get(3, 0)
        if shard not in shards:
            shards[shard] = files.read(f".data-{shard:05d}-of-{n_shards:05d}")
        start, size = about.get(4, 0), about.get(5, 0)
        content = shards[shard][start : start + size]
        if len(content) != size or _masked_crc(content) != about.get(6):
            raise ValueError(f"{name.removesuffix(_VARIABLE)} does not match its checksum")
        shape = [dict(_fields(d)).get(1, 0) for k, d in _fields(about.get(2, b"")) if k == 2]
        yield name.removesuffix(_VARIABLE), np.frombuffer(content, "<f4").reshape(shape)


def _block(index: bytes, start: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield keys and values; a key tells how much it shares with the one before."""
    content = index[start : start + size]
    compression, checksum = struct.unpack("<BI", index[start + size : start + size + _TRAILER])
    if compression:
        raise ValueError("its index is compressed")
    if _masked_crc(index[start : start + size + 1]) != checksum:
        raise ValueError("its index does not match its checksum")
    n_restarts = struct.unpack("<I", content[-4:])[0]
    block = _Bytes(content[: len(content) - 4 * (n_restarts + 1)])
    key = b""
    while block:
        shared, own, length = block.number(), block.number(), block.number()
        key = key[:shared] + block.take(own)
        yield key, block.take(length)


def _fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """Yield number and value of the fields of a protocol buffer."""
    rest = _Bytes(message)
    while rest:
        tag = rest.number()
        kind = tag & 7
        if kind == 0:
            yield tag >> 3, rest.number()
        elif kind == 2:
            yield tag >> 3, rest.take(rest.number())
        elif kind == 5:
            yield tag >> 3, struct.unpack("<I", rest.take(4))[0]
        elif kind == 1:
            yield tag >> 3, struct.unpack("<Q", rest.take(8))[0]
        else:
            raise ValueError(f"a field of the unknown kind {kind}")


@dataclass
class _Bytes:
    """Bytes that are read from the start."""

    content: bytes
    position: int = field(default=0)

    def __bool__(self) -> bool:
        return self.position < len(self.content)

    def take(self, size: int) -> bytes:
        taken = self.content[self.position : self.position + size]
        if len(taken) != size:
            raise ValueError("it ends too early")
        self.position += size
        return taken

    def number(self) -> int:
        """Read an integer of variable length."""
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7


def _crc_table() -> list[int]:
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


_CRC = _crc_table()


def _masked_crc(content: bytes) -> int:
    """Return the CRC-32C of bytes, masked as LevelDB stores it."""
    value, table = 0xFFFFFFFF, _CRC
    for byte in content:
        value = table[(value ^ byte) & 255] ^ (value >> 8)
    value ^= 0xFFFFFFFF
    return ((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF
