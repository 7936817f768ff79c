"""Objects of a file that cannot be read are set aside, if someone collects them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sklc.errors import LightCurveError
from sklc.light_curves.container import LightCurves

__all__ = ["Unreadable", "collect_unreadable", "read_by_object"]

# With more unreadable objects than this number, and than this share, the file itself is wrong.
_FEW, _SHARE = 100, 0.1


@dataclass(frozen=True)
class Unreadable:
    """An object of a file that cannot be read.

    Attributes
    ----------
    object_id : int or str
        Its id.
    after : int, str or None
        The id of the last object before it that can be read; None if it comes first.
    reason : str
        What is wrong with it, and what to do.
    """

    object_id: Any
    after: Any
    reason: str


_COLLECTED: ContextVar[list[Unreadable] | None] = ContextVar("unreadable", default=None)


@contextmanager
def collect_unreadable() -> Iterator[list[Unreadable]]:
    """Set unreadable objects aside while files are read, instead of raising for the first.

    Yields
    ------
    list of Unreadable
        The objects, which are added as files are read.
    """
    found: list[Unreadable] = []
    token = _COLLECTED.set(found)
    try:
        yield found
    finally:
        _COLLECTED.reset(token)


def read_by_object(columns: Mapping[str, Any], read: Callable[[Any], LightCurves]) -> LightCurves:
    """Read a table with one row per observation; if they are collected, set bad objects aside.

    Parameters
    ----------
    columns : mapping of str to column
        The columns of the table, among them "object_id".
    read : callable
        What makes light curves of these, or of a table that is a part of them.

    Returns
    -------
    LightCurves

    Raises
    ------
    LightCurveError
        If an object is unreadable, and these are not collected; or if so many are that the table as
        a whole is wrong.
    """
    collected = _COLLECTED.get()
    try:
        return read(columns)
    except LightCurveError:
        if collected is None:
            raise
        table = pd.DataFrame(columns, copy=False)
        codes, ids = pd.factorize(table["object_id"])
        rows = np.argsort(codes, kind="stable")
        starts = np.searchsorted(codes[rows], np.arange(len(ids) + 1))
        reasons = _Search(table.iloc[rows], starts, read).reasons() if starts[0] == 0 else {}
        if not reasons or len(reasons) == len(ids):
            raise
    after = None
    for number, object_id in enumerate(np.asarray(ids, dtype=object).tolist()):
        if number in reasons:
            collected.append(Unreadable(object_id, after, reasons[number]))
        else:
            after = object_id
    return read(table[~np.isin(codes, list(reasons))])


@dataclass(frozen=True)
class _Search:
    """Finds the objects that cannot be read, by halves."""

    table: pd.DataFrame
    starts: np.ndarray
    read: Callable[[pd.DataFrame], LightCurves]

    def reasons(self) -> dict[int, str]:
        """Return the errors of the unreadable objects by number; none if there are too many."""
        n_objects = len(self.starts) - 1
        most, found = max(_FEW, _SHARE * n_objects), dict[int, str]()
        parts = [(0, n_objects)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # those of the objects that are kept come later
            while parts and len(found) <= most:
                first, stop = parts.pop()
                try:
                    self.read(self.table.iloc[self.starts[first] : self.starts[stop]])
                except LightCurveError as error:
                    if stop - first == 1:
                        found[first] = str(error)
                    else:
                        middle = (first + stop) // 2
                        parts += [(middle, stop), (first, middle)]
        return found if len(found) <= most else {}
