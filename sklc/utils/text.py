"""Values as text for messages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

__all__ = ["counted", "listed", "shown"]

_LONGEST = 80


def shown(value: Any) -> str:
    """Return a value as Python prints it, on one line that is cut at 80 characters.

    Parameters
    ----------
    value : object
        Any value.

    Returns
    -------
    str

    Examples
    --------
    >>> from sklc.utils.text import shown
    >>> shown("ztfg"), len(shown(list(range(1000))))
    ("'ztfg'", 80)
    """
    text = " ".join(repr(value.item() if isinstance(value, np.generic) else value).split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def counted(n: int, one: str, many: str | None = None) -> str:
    """Return a number with what it counts, in the singular or the plural.

    Parameters
    ----------
    n : int
        The number.
    one : str
        What there is one of.
    many : str, optional
        The plural; by default with an "s".

    Returns
    -------
    str

    Examples
    --------
    >>> from sklc.utils.text import counted
    >>> counted(1, "row"), counted(2, "row"), counted(2, "row is", "rows are")
    ('1 row', '2 rows', '2 rows are')
    """
    return f"{n} {one if n == 1 else many or f'{one}s'}"


def listed(names: Iterable[Any], most: int = 20) -> str:
    """Return names as a list, the first of many.

    Parameters
    ----------
    names : iterable
        The names, such as those of the columns of a table.
    most : int, default=20
        How many are listed.

    Returns
    -------
    str

    Examples
    --------
    >>> from sklc.utils.text import listed
    >>> listed(["mjd", "flux"]), listed(range(100), most=2)
    ("['mjd', 'flux']", '[0, 1, ... 98 more]')
    """
    names = list(names)
    text = ", ".join(map(shown, names[:most]))
    return f"[{text}, ... {len(names) - most} more]" if len(names) > most else f"[{text}]"
