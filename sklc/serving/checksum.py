"""A checksum within a file, of everything else in it: no damaged bit goes unnoticed."""

from __future__ import annotations

import hashlib
import re

__all__ = ["SLOT", "is_intact", "sealed"]

#: What stands in the file, once, while its checksum is computed.
SLOT = "sha256:" + 64 * "0"
_SEAL = re.compile(rb"sha256:([0-9a-f]{64})")


def sealed(content: bytes) -> bytes:
    """Return a file with the checksum in place of its `SLOT`.

    Parameters
    ----------
    content : bytes
        A file that holds `SLOT` once.

    Returns
    -------
    bytes
        The file, of the same length.
    """
    if content.count(SLOT.encode()) != 1:
        raise ValueError("the file must hold the place of its checksum once")
    digest = hashlib.sha256(content).hexdigest()
    return content.replace(SLOT.encode(), f"sha256:{digest}".encode())


def is_intact(content: bytes) -> bool | None:
    """Return whether a file is the one that was sealed; None if it holds no checksum."""
    for match in _SEAL.finditer(content):
        start, end = match.span()
        before = content[:start] + SLOT.encode() + content[end:]
        return hashlib.sha256(before).hexdigest().encode() == match[1]
    return None
