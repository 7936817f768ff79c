"""Warnings that point at the line of the caller."""

from __future__ import annotations

import inspect
import warnings

from sklc.errors import LightCurveWarning

__all__ = ["warn"]

_MACHINERY = ("sklc", "sklearn", "joblib")


def warn(message: str | LightCurveWarning) -> None:
    """Warn with a LightCurveWarning that points at the caller outside the machinery."""
    frame, level = inspect.currentframe(), 1
    while frame is not None and frame.f_globals.get("__name__", "").split(".")[0] in _MACHINERY:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, LightCurveWarning, stacklevel=level)
