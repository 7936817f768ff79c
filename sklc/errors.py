"""Errors and warnings of sklc: each names the object, the problem and the remedy."""

from __future__ import annotations

__all__ = [
    "CheckpointError",
    "LightCurveError",
    "LightCurveWarning",
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


class LightCurveWarning(UserWarning):
    """Light curves that are usable but look wrong (units, zero points, dropped observations)."""


class PerformanceWarning(UserWarning):
    """Something that could run faster; the results are the same."""
