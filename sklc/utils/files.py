"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["replace_file"]


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
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)
    return path
