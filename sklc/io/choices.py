"""What the user says about a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from sklc.errors import LightCurveError
from sklc.io.columns import Names
from sklc.io.photometry import Quality
from sklc.passbands.lookup import Passband

if TYPE_CHECKING:
    from typing import Self

__all__ = ["Choices"]


@dataclass(frozen=True)
class Choices:
    """What the user says about a table.

    Parameters
    ----------
    names : Names
        Columns that the user named.
    zero_point : float, optional
        The AB zero point of the fluxes.
    survey : str, optional
        The survey of short names of bands.
    passband : str or Passband, optional
        The passband of all observations.
    bands : mapping, optional
        Passbands of the labels in the table.
    system : {"AB", "Vega"}, optional
        The system of magnitudes.
    quality : "good", "all" or callable
        Which rows to keep.
    metadata : table, path or None
        One row per object.
    """

    names: Names = field(default_factory=Names)
    zero_point: float | None = None
    survey: str | None = None
    passband: str | Passband | None = None
    bands: Mapping[Any, Any] | None = None
    system: str | None = None
    quality: Quality = "good"
    metadata: Any = None

    @classmethod
    def of(cls, **options: Any) -> Self:
        """Return the choices for the options of `read_long_table`."""
        own = {field.name for field in fields(cls)} - {"names"}
        columns = {f.name for f in fields(Names)} - {"system", "zero_point", "limit", "telescope"}
        if unknown := set(options) - own - columns:
            raise LightCurveError(
                f"there is no option {sorted(unknown)}: the options are {sorted(own | columns)}"
            )
        return cls(
            Names(**{k: v for k, v in options.items() if k in columns}),
            **{k: v for k, v in options.items() if k in own},
        )

    def __post_init__(self) -> None:
        if self.system is not None and str(self.system).casefold() not in ("ab", "vega"):
            raise LightCurveError(f'system must be "AB" or "Vega", got {str(self.system)[:80]!r}')
        zero_point = self.zero_point
        if zero_point is not None and not (
            isinstance(zero_point, int | float | np.number) and 0 < zero_point < 60
        ):
            raise LightCurveError(
                f"zero_point must be an AB magnitude between 0 and 60, got {str(zero_point)[:80]}"
            )
