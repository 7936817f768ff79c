"""Options for reading light curves: column names, zero point, passbands and policies."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from sklc.light_curves.columns import COLUMN_NAMES, numeric
from sklc.light_curves.store import DEFAULT_ZERO_POINT
from sklc.light_curves.values import joined
from sklc.light_curves.zero_points import flux_name
from sklc.passbands.registry import Passband

__all__ = ["FROM_TABLE", "NOT_GIVEN", "ReadOptions"]


@dataclass(frozen=True)
class _NotGiven:
    """A default zero point, which unlike a number is not the user's word."""

    text: str

    def __repr__(self) -> str:
        return self.text


#: For tables: the column "zp", the unit in the name of the column of fluxes, or 27.5.
FROM_TABLE: Final = _NotGiven('the column "zp" if there is one, else 27.5')
#: For arrays, which have no names.
NOT_GIVEN: Final = _NotGiven("27.5")


@dataclass(frozen=True)
class ReadOptions:
    """Options for reading light curves, of which each reader uses those that apply to it.

    Parameters
    ----------
    object_id, time, flux, flux_err, band : str or None
        Names of the columns, see `LightCurves.from_frame`. None means that there is no such
        column, or, for lists of objects and nested columns, the first name that is recognised.
    column : str or None
        The nested column, see `LightCurves.from_nested`.
    metadata : table, dict of arrays or None
        One row per object.
    zero_point : float, str or FROM_TABLE
        AB zero point of the fluxes, or the name of a column of zero points.
    survey : str, sequence of str or None
        The survey that short band names belong to, or one survey per object.
    passband : str, Passband or None
        The passband of all observations, where there is no column of bands.
    invalid : {"raise", "drop"}
        What to do with observations that are invalid, see `LightCurves.from_frame`.
    duplicates : {"raise", "drop", "keep"}
        What to do with observations that repeat another, see `LightCurves.from_frame`.
    unique_ids : bool
        Whether ids must be unique. A resampled selection repeats its ids.

    Raises
    ------
    ValueError
        If a policy is not known.

    Examples
    --------
    >>> from sklc.light_curves import ReadOptions
    >>> ReadOptions(time="jd", invalid="drop").time
    'jd'
    """

    object_id: str | None = "object_id"
    time: str | None = "mjd"
    flux: str | None = "flux"
    flux_err: str | None = "flux_err"
    band: str | None = "band"
    column: str | None = None
    metadata: Any = None
    zero_point: Any = FROM_TABLE
    survey: Any = None
    passband: str | Passband | None = None
    invalid: str = "raise"
    duplicates: str = "raise"
    unique_ids: bool = True

    def __post_init__(self) -> None:
        if self.invalid not in ("raise", "drop"):
            raise ValueError(f'invalid must be "raise" or "drop", got {self.invalid!r}')
        if self.duplicates not in ("raise", "drop", "keep"):
            raise ValueError(
                f'duplicates must be "raise", "drop" or "keep", got {self.duplicates!r}'
            )

    @property
    def zero_point_given(self) -> bool:
        """Whether the zero point is the user's word, rather than the default."""
        return not isinstance(self.zero_point, _NotGiven)

    def zero_point_column(self, columns: Collection[str], flux: str | None = None) -> str | None:
        """Return the name of the column of zero points, if the fluxes are rescaled by one.

        Parameters
        ----------
        columns : collection of str
            The names of all columns of the table.
        flux : str, optional
            The name of the column of fluxes, if it is not that of the options.

        Returns
        -------
        str or None
            The name that was given. If none was given, "zp" or the column that belongs to fluxes of
            this name (zpdiff to forcediffimflux), if there is such a column.

        Examples
        --------
        >>> from sklc.light_curves import ReadOptions
        >>> ReadOptions().zero_point_column(["mjd", "flux", "zp"])
        'zp'
        """
        if not self.zero_point_given:
            usual = ("zp", *flux_name(flux or self.flux).columns)
            return next((name for name in usual if name in columns), None)
        return self.zero_point if isinstance(self.zero_point, str) else None

    @property
    def columns(self) -> dict[str, str | None]:
        """The names of the columns of a table that holds the observations."""
        return {argument: getattr(self, argument) for argument in COLUMN_NAMES}

    @property
    def has_zero_point(self) -> bool:
        """Whether a zero point was given as a number."""
        return self.zero_point_given and not isinstance(self.zero_point, str)

    @property
    def constant_zero_point(self) -> float:
        """The zero point of fluxes that are not rescaled by a column."""
        return _one_number(self.zero_point) if self.zero_point_given else DEFAULT_ZERO_POINT


def _one_number(value: Any) -> float:
    return float(numeric(joined([value]), "zero point")[0])
