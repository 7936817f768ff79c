"""Objects that cannot be used, and why; the others get what they would get alone."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pandas as pd

from sklc.light_curves import LightCurves, unusable

__all__ = ["Problem", "collect_problems", "problems_of"]


class Problem(NamedTuple):
    """Why an object cannot be used.

    Attributes
    ----------
    reason : str
        What is wrong with it.
    remedy : str
        What to do; empty if the reason says it.
    """

    reason: str
    remedy: str = ""

    def __str__(self) -> str:
        return ". ".join(filter(None, self))

    @classmethod
    def of(cls, message: str) -> Problem:
        """Return the problem that an error about one object describes.

        Parameters
        ----------
        message : str
            The text of the error. Its name of the object is left out: it has the position among
            those that were tried together, which is not that in the file.
        """
        return cls(re.sub(r"^object .{1,200}? \(position \d+\):? ?", "", message, flags=re.I))


def problems_of(curves: LightCurves) -> dict[int, Problem]:
    """Return the objects that no estimator can use, by position.

    Parameters
    ----------
    curves : LightCurves
        The light curves.
    """
    return _by_position(unusable(curves))


@contextmanager
def collect_problems() -> Iterator[dict[int, Problem]]:
    """Collect the objects that predictions with ``on_error="nan"`` warn of, by position.

    Other warnings are shown as before.
    """
    found: dict[int, Problem] = {}
    show = warnings.showwarning

    def collect(message: Warning | str, *rest: Any, **named: Any) -> None:
        failures = getattr(message, "failures", None)
        if failures is None:
            show(message, *rest, **named)
        else:
            found.update(_by_position(failures))

    with warnings.catch_warnings():
        warnings.showwarning = collect
        yield found


def _by_position(failures: pd.DataFrame) -> dict[int, Problem]:
    rows = zip(failures.index, failures["reason"], failures["remedy"], strict=True)
    return {int(position): Problem(reason, remedy) for position, reason, remedy in rows}
