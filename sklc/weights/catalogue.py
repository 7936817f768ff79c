"""The names of the weights in the package: no torch is imported here."""

from __future__ import annotations

import hashlib
import json
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

__all__ = ["FOLDER", "file_digest", "list_weights", "manifest", "shipped"]

FOLDER = Path(__file__).parent


def manifest() -> dict[str, Any]:
    """Return the manifest of the weights in the package, as plain data."""
    return json.loads((FOLDER / "manifest.json").read_text())


def shipped(weights: str | os.PathLike[str] | None) -> tuple[str, str] | None:
    """Return what a name of weights means now: a name that never changes, and its sha256."""
    known = manifest()
    name = None if weights is None else os.fspath(weights)
    name = known["aliases"].get(name, name)
    entry = known["weights"].get(name)
    return None if entry is None else (name, entry["sha256"])


def list_weights() -> dict[str, str]:
    """Return the names that `load_weights` knows, each with one line on what it is.

    Returns
    -------
    dict of str to str

    Examples
    --------
    >>> from sklc import list_weights
    >>> "ztf+lsst" in list_weights()
    True
    """
    known = manifest()
    summaries = {name: entry["summary"] for name, entry in known["weights"].items()}
    aliases = {alias: summaries[name] for alias, name in known["aliases"].items()}
    return dict(sorted({**summaries, **aliases}.items()))


def file_digest(path: str | os.PathLike[str]) -> str | None:
    """Return the sha256 of a file, or None if there is no such file."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return _digest(os.path.abspath(path), status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=16)
def _digest(path: str, *stamp: int) -> str:
    """Read once per process; `stamp` makes a rewritten file a new entry."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
