"""The constants of an input convention."""

from __future__ import annotations

from dataclasses import dataclass, fields
from numbers import Real
from typing import Any

import numpy as np

from sklc.utils.text import shown

__all__ = ["Settings"]

# Constants that must not be negative, and those that are divided by.
_NOT_NEGATIVE = ("min_snr", "corroboration")
_POSITIVE = ("flux_scale", "flux_softening", "time_scale", "gap_scale", "gap_limit",
             "wavelength_scale")  # fmt: skip
_LARGEST_ZERO_POINT = 500.0  # fluxes of any unit stay finite
_NOT_NUMBERS = ("channels", "fold", "period_column", "min_period")  # which are checked elsewhere


@dataclass(frozen=True)
class Settings:
    """The fields of an `InputRepresentation`, which describes them."""

    channels: tuple[str, ...]
    zero_point: float = 27.5
    flux_scale: float = 500.0
    flux_softening: float = 10.0
    time_scale: float = 100.0
    gap_scale: float = 20.0
    gap_limit: float = 60.0
    wavelength_center: float = 0.6
    wavelength_scale: float = 0.2
    min_snr: float = 3.0
    corroboration: float = 0.0
    fold: str | None = None
    period_column: str | None = None
    min_period: float = 0.05

    def __post_init__(self) -> None:
        for name in (own.name for own in fields(self) if own.name not in _NOT_NUMBERS):
            value: Any = getattr(self, name)
            if (
                isinstance(value, bool)
                or not isinstance(value, Real)
                or not np.isfinite(float(value))
            ):
                raise ValueError(f"{name}={shown(value)} is not a finite number.")
            if name == "zero_point" and abs(float(value)) > _LARGEST_ZERO_POINT:
                raise ValueError(f"zero_point={shown(value)} is not an AB magnitude.")
            if name in _NOT_NEGATIVE and float(value) < 0:
                raise ValueError(f"{name}={shown(value)} is not a number of at least 0.")
            if name in _POSITIVE and float(value) < np.finfo(np.float32).tiny:
                raise ValueError(f"{name}={shown(value)} is not a positive number.")
