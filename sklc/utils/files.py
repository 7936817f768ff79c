"""Files and folders that are written whole or not at all, also where several processes write them.

Everything is written beside its place, under a hidden name that ends in ``.partial``, and renamed
when it is complete. The writer holds a lock on what it writes, which ends with its process: a
partial file without one was left behind by a writer that was killed, and the next writer of the
same path removes it. Where a file system has no locks, nothing of others is ever removed.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

__all__ = [
    "locked",
    "partial_file",
    "partial_folder",
    "partials",
    "remove_leftovers",
    "replace_file",
]

_SUFFIX = ".partial"


def replace_file(path: Path, content: bytes) -> Path:
    """Write a file beside its place, and move it there when all of it is on the disk.

    Parameters
    ----------
    path : Path
        The file to write or replace. Its folder has to be there.
    content : bytes
        What the file holds.

    Returns
    -------
    Path
        The file.
    """
    remove_leftovers(path)
    with partial_file(path) as partial:
        with partial.open("r+b") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    return path


@contextlib.contextmanager
def partial_file(
    path: Path, label: str = "", *, keep: Callable[[], bool] = lambda: False
) -> Iterator[Path]:
    """Yield a new, empty file beside `path`, and remove it unless it was moved meanwhile.

    Parameters
    ----------
    path : Path
        The file that it is to become.
    label : str, default=""
        What its name is to hold, so that `partials` finds it again.
    keep : callable, optional
        Returns whether it has to stay, although it was not moved.
    """

    def create(partial: Path) -> int:
        return os.open(partial, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666)

    def remove(partial: Path) -> None:
        if not keep():
            partial.unlink(missing_ok=True)

    with _partial(path, label, create, remove) as partial:
        yield partial


@contextlib.contextmanager
def partial_folder(path: Path) -> Iterator[Path]:
    """Yield a new, empty folder beside `path` that takes its place in the end.

    If another process was faster and `path` is a folder by then, that one stays and this one goes.
    """

    def create(partial: Path) -> int:
        partial.mkdir()
        return os.open(partial, os.O_RDONLY)

    def remove(partial: Path) -> None:
        shutil.rmtree(partial, ignore_errors=True)

    with _partial(path, "", create, remove) as partial:
        yield partial
        try:
            os.replace(partial, path)
        except OSError:
            if not path.is_dir():
                raise


def partials(path: Path, label: str = "") -> list[Path]:
    """Return what is being written to become `path`, or was left behind."""
    start = f".{path.name}.{label}"
    try:
        names = os.listdir(path.parent)
    except OSError:  # the folder may be written, and not listed
        return []
    return [path.parent / n for n in names if n.startswith(start) and n.endswith(_SUFFIX)]


def remove_leftovers(path: Path) -> None:
    """Remove what writers of `path` have left behind that were killed."""
    for partial in partials(path):
        with contextlib.suppress(OSError):
            handle = os.open(partial, os.O_RDONLY)
            try:
                if not _lock(handle, wait=False):
                    continue
                if partial.is_dir():
                    shutil.rmtree(partial, ignore_errors=True)
                else:
                    partial.unlink()
            finally:
                os.close(handle)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Wait until no other process is inside this for the same folder, and keep others out."""
    if fcntl is None:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        _lock(handle, wait=True)
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def _partial(
    path: Path, label: str, create: Callable[[Path], int], remove: Callable[[Path], None]
) -> Iterator[Path]:
    """Make something beside `path` under a name of its own, lock it, and remove it in the end."""
    names: list[Path] = []
    handle = None
    try:
        while True:
            partial = path.with_name(f".{path.name}.{label}{secrets.token_hex(6)}{_SUFFIX}")
            names.append(partial)  # before it exists: Ctrl-C may come as soon as it does
            handle = create(partial)
            _lock(handle, wait=True)
            # Before it was locked, another process may have taken it for something left behind.
            if partial.exists():
                break
            os.close(handle)
        if fcntl is None:  # an open file cannot be moved
            os.close(handle)
            handle = None
        yield partial
    finally:
        for name in names:
            remove(name)
        if handle is not None:
            os.close(handle)


def _lock(handle: int, *, wait: bool) -> bool:
    """Lock an open file until it is closed; return whether that succeeded."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:  # in use; or a file system without locks
        return False
    return True
