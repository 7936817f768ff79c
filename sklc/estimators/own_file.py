"""Weights files of the user's own, which must not change under a fitted encoder."""

from __future__ import annotations

import os
from typing import Any

from sklc.errors import WeightsError
from sklc.weights.catalogue import file_digest
from sklc.weights.trained import is_named

__all__ = ["own_file", "require_same_file"]


def own_file(weights: Any, known: tuple[str, str | None] | None) -> tuple[str, str | None] | None:
    """Return path and sha256 of a weights file of the user's own, as it was first seen.

    Parameters
    ----------
    weights : str, path or other
        The parameter of an encoder. Names of pretrained weights are no files.
    known : (str, str) or None
        Path and digest that were seen before.
    """
    if not isinstance(weights, (str, os.PathLike)) or is_named(weights):
        return None
    path = os.fspath(weights)
    return known if known and known[0] == path else (path, file_digest(path))


def require_same_file(own: tuple[str, str | None] | None) -> None:
    """Refuse a weights file that has changed since it was first seen."""
    if own is not None and own[1] != file_digest(own[0]):
        raise WeightsError(
            f"The weights file {own[0]} is not the one that this encoder was fitted or pickled "
            "with: put the former file back, or call fit to go on with the new one."
        )
