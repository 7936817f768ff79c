"""Objects that an estimator cannot use, and why; the others get what they would get alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sklc.errors import LightCurveError
from sklc.light_curves import LightCurves

__all__ = ["Problem", "apply", "problems_of"]


@dataclass(frozen=True)
class Problem:
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


def problems_of(curves: LightCurves, min_points: int) -> dict[int, Problem]:
    """Return the objects that no estimator can use, by position.

    Parameters
    ----------
    curves : LightCurves
        The light curves.
    min_points : int
        The least number of observations that an object must have.
    """
    found = {}
    for position in np.flatnonzero(curves.lengths < min_points).tolist():
        n = int(curves.lengths[position])
        found[position] = Problem(
            f"{n} observation{'s' * (n != 1)}, and {min_points} needed",
            "leave it out, or lower --min-points",
        )
    owners = np.repeat(np.arange(len(curves)), curves.lengths)
    with_flux = np.bincount(owners, curves.flux != 0, len(curves)) > 0
    for position in np.flatnonzero(~with_flux).tolist():
        found.setdefault(
            position,
            Problem("no flux other than zero", "leave it out, or check its column of fluxes"),
        )
    return found


def apply(
    method: Callable[[LightCurves], dict[str, np.ndarray]], curves: LightCurves, min_points: int
) -> tuple[dict[str, np.ndarray], np.ndarray, dict[int, Problem]]:
    """Apply a method to the objects that it can use.

    Parameters
    ----------
    method : callable
        It takes light curves, and returns columns with one value per object.
    curves : LightCurves
        The light curves.
    min_points : int
        The least number of observations that an object must have.

    Returns
    -------
    columns : dict of str to array
        The columns for the objects that can be used.
    used : ndarray of int
        Their positions.
    problems : dict of int to Problem
        The others, by position.
    """
    problems = problems_of(curves, min_points)
    usable = np.setdiff1d(np.arange(len(curves)), list(problems))
    done: list[tuple[np.ndarray, dict[str, np.ndarray]]] = []
    parts = [usable] if len(usable) else []
    while parts:
        part = parts.pop()
        try:
            done.append((part, method(curves if len(part) == len(curves) else curves[part])))
        except LightCurveError as error:
            if len(part) == 1:
                problems[int(part[0])] = Problem.of(str(error))
            else:
                parts += [part[len(part) // 2 :], part[: len(part) // 2]]
    if not done:
        done = [(usable[:0], method(curves[:0]))]  # for the names and types of the columns
    used = np.concatenate([part for part, _ in done])
    names = done[0][1]
    columns = {name: np.concatenate([own[name] for _, own in done]) for name in names}
    return columns, used, problems
