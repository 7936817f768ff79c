"""The constants of an input convention."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Settings"]


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
