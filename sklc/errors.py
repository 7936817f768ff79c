"""Errors and warnings of sklc: each names the object, the problem and the remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "CheckpointError",
    "LightCurveError",
    "LightCurveWarning",
    "NotDetectedError",
    "PerformanceWarning",
    "SimulationError",
    "UnknownPassbandError",
    "UnknownWeightsError",
    "WeightsError",
]


class LightCurveError(ValueError):
    """Light curves that cannot be used as they are.

    The message names the first offending object by id and position, says what is wrong with it
    and how many others share the problem, and ends with the next thing to do.
    """


class UnknownPassbandError(LightCurveError):
    """A band name that the passband registry cannot resolve."""


class WeightsError(ValueError):
    """A weights file that is damaged, too new for this version of sklc, or not a weights file."""


class UnknownWeightsError(WeightsError):
    """A weights name that is neither shipped with sklc nor a file."""


class CheckpointError(ValueError):
    """A training checkpoint that is damaged, or that another version or training run wrote."""


class SimulationError(ValueError):
    """A simulation that cannot be run, for example for an unknown class or a missing template."""


class NotDetectedError(SimulationError):
    """A class of which a simulated survey detects hardly any object."""


class LightCurveWarning(UserWarning):
    """Light curves that look wrong (units, zero points), or were left out of a result.

    Attributes
    ----------
    failures : pandas.DataFrame or None
        Where objects were left out, one row for each of them, with its ``object_id``, the
        ``reason`` and a ``remedy``, as `sklc.light_curves.unusable` returns them. Otherwise None.
    """

    failures: pd.DataFrame | None = None


class PerformanceWarning(UserWarning):
    """Something that could run faster; the results are the same."""
