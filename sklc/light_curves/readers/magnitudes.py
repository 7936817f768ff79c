"""Long tables of magnitudes, one row per observation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sklc.errors import LightCurveError
from sklc.light_curves import columns as tables
from sklc.light_curves.alignment import align_metadata
from sklc.light_curves.bands import identified
from sklc.light_curves.build import build
from sklc.light_curves.checks import warn
from sklc.light_curves.columns import Table
from sklc.light_curves.ids import group_rows
from sklc.light_curves.magnitudes import (
    LARGE_ERROR,
    flux_from_magnitude,
    numbers_or_limits,
    signs,
)
from sklc.light_curves.options import ReadOptions
from sklc.light_curves.store import Store, describe
from sklc.light_curves.units import is_magnitude
from sklc.light_curves.values import plain_array, unit_of
from sklc.utils.offsets import object_of, offsets_after
from sklc.utils.text import shown

__all__ = ["MagnitudeColumns", "read"]


@dataclass(frozen=True)
class MagnitudeColumns:
    """What the columns of a table of magnitudes are, see `LightCurves.from_magnitudes`."""

    mag: str
    mag_err: str | None
    limiting_mag: str | None
    sign: str | float | None
    limits: str
    system: str

    def __post_init__(self) -> None:
        if self.limits not in ("drop", "zero"):
            raise ValueError(f'limits must be "drop" or "zero", got {self.limits!r}')


@dataclass(frozen=True)
class _Grouped:
    """The rows of each object of a table."""

    offsets: np.ndarray
    ids: np.ndarray
    rows: np.ndarray  # in the order of the objects

    def name_first(self, bad: np.ndarray) -> str:
        """Return the object and observation of the first bad row, and how many there are."""
        place = np.flatnonzero(bad[self.rows])[:1]
        k = int(object_of(self.offsets, place)[0])
        return (
            f"{describe(self.ids, k)}, observation {place[0] - self.offsets[k]} "
            f"({int(bad.sum())} of {len(bad)} rows)"
        )


def read(frame: Any, names: MagnitudeColumns, options: ReadOptions) -> Store:
    """Return a long table of magnitudes as a store; see `LightCurves.from_magnitudes`."""
    table = Table(frame)
    if options.band is None and options.passband is None:
        raise ValueError('band=None needs passband=, the one passband of the table: "bessellv"')
    time = table.column(str(options.time), "time")
    offsets, ids, order = np.array([0, len(table)]), np.arange(1), None
    if options.object_id is not None:
        offsets, ids, order = group_rows(table.column(options.object_id, "object_id"))
    grouped = _Grouped(offsets, ids, np.arange(len(table)) if order is None else order)
    magnitude, limit = _magnitudes_and_limits(table, names)
    detected = np.isfinite(magnitude)
    error = _errors(table, names, detected, grouped, options)
    flux, flux_err = flux_from_magnitude(
        magnitude,
        error,
        zero_point=options.constant_zero_point,
        sign=_signs(table, names, detected, grouped),
    )
    kept = detected
    if names.limits == "zero" and (is_limit := ~detected & np.isfinite(limit)).any():
        noise = flux_from_magnitude(limit[is_limit], zero_point=options.constant_zero_point)[0] / 5
        flux[is_limit] = 0.0
        flux_err = np.full(len(flux), np.nan) if flux_err is None else flux_err
        flux_err[is_limit] = noise
        kept = detected | is_limit
    _tell(names, detected, kept, error)
    return build(
        time=time,
        flux=flux,
        flux_err=flux_err,
        band=identified(table, options.band),
        zp_system=_system(table, names),
        offsets=offsets_after(kept[grouped.rows], offsets),
        ids=ids,
        order=grouped.rows[kept[grouped.rows]],
        metadata=align_metadata(options.metadata, ids, options.object_id or "object_id"),
        options=options,
    )


def _magnitudes_and_limits(table: Table, names: MagnitudeColumns) -> tuple[np.ndarray, np.ndarray]:
    """Return the magnitude of each detection, and the limit of each row that has one, else NaN."""
    magnitude, is_limit = numbers_or_limits(_in_magnitudes(table, names.mag, "mag", names), "mag")
    limit = np.where(is_limit, magnitude, np.nan)
    if names.limiting_mag is not None:
        column = _in_magnitudes(table, names.limiting_mag, "limiting_mag", names)
        if (flags := _flags(column)) is not None:  # whether the magnitude is a limit
            is_limit |= flags
            limit = np.where(is_limit, magnitude, np.nan)
        else:
            given = numbers_or_limits(column, "limiting_mag")[0]
            limit = np.where(np.isnan(limit), given, limit)
    return np.where(is_limit, np.nan, magnitude), limit


def _in_magnitudes(table: Table, name: str, argument: str, names: MagnitudeColumns) -> Any:
    """Return a column without its unit, which must be that of magnitudes of the right system."""
    column = table.column(name, argument)
    if (unit := unit_of(column)) is None:
        return column
    if not is_magnitude(unit):
        raise LightCurveError(
            f"the column {name!r} (argument {argument}=) has the unit {shown(str(unit))}, which is "
            "not mag: for fluxes use LightCurves.from_frame"
        )
    system = str(unit).partition("(")[2].strip(")").casefold()
    if system and system != names.system.casefold():
        remedy = (
            'pass system="AB"'
            if system == "ab"
            else "convert it to AB magnitudes first, such as with column.to(astropy.units.ABmag)"
        )
        raise LightCurveError(
            f"the column {name!r} has the unit {shown(str(unit))}, and the system is "
            f"{names.system!r}: {remedy}"
        )
    return plain_array(column)


def _flags(column: Any) -> np.ndarray | None:
    """Return a column of booleans as an array, or None for any other column."""
    values = pd.Series(column.to_pandas() if hasattr(column, "to_pandas") else column)
    known = values.dropna()
    text = known.astype(str).str.strip().str.casefold()
    if not len(known) or not text.isin(["true", "false"]).all():
        return None
    return text.eq("true").reindex(values.index, fill_value=False).to_numpy(dtype=bool)


def _errors(
    table: Table,
    names: MagnitudeColumns,
    detected: np.ndarray,
    grouped: _Grouped,
    options: ReadOptions,
) -> np.ndarray | None:
    """Return the errors of the magnitudes, NaN where they are not usable; None if not known."""
    if names.mag_err is None:
        return None
    column = _in_magnitudes(table, names.mag_err, "mag_err", names)
    error = np.array(tables.numeric(column, "mag_err"), dtype=float)
    if np.isnan(error[detected]).all():
        return None
    with np.errstate(invalid="ignore"):
        bad = detected & ~((error > 0) & (error < 9))
    if bad.any() and options.invalid == "raise":
        raise LightCurveError(
            f"{grouped.name_first(bad)}: the error of a magnitude is missing, not positive or 9 "
            'mag and more. Correct these errors, leave such rows out with invalid="drop", or '
            "pass mag_err=None if the errors are not known"
        )
    return np.where(bad, np.nan, error)


def _signs(
    table: Table, names: MagnitudeColumns, detected: np.ndarray, grouped: _Grouped
) -> np.ndarray | float:
    """Return the signs of the fluxes; a table with signs that are not used is asked about."""
    if names.sign is None:
        usual = next((name for name in ("isdiffpos", "i:isdiffpos") if name in table), None)
        if usual is not None and (signs(table.column(usual, "sign"))[detected] < 0).any():
            warn(
                f"the table has a column {usual!r} with negative signs, but all fluxes were read "
                f'as positive: pass sign="{usual}" if {names.mag!r} is the magnitude of a '
                "difference image, or sign=1 if it is that of the total flux"
            )
        return 1.0
    if not isinstance(names.sign, str):
        return float(signs(names.sign)[0])
    found = signs(table.column(names.sign, "sign"))
    if (missing := detected & np.isnan(found)).any():
        raise LightCurveError(
            f"{grouped.name_first(missing)}: the column {names.sign!r} has no sign for a "
            "magnitude: fill it in, or drop those rows"
        )
    return np.where(np.isnan(found), 1.0, found)


def _system(table: Table, names: MagnitudeColumns) -> Any:
    """Return the magnitude system of each row, None if all are AB."""
    if names.system.casefold() == "ab":
        return None
    if names.system.casefold() == "vega":
        return np.full(len(table), "vega", dtype=object)
    if names.system not in table:
        raise ValueError(
            f'system must be "AB", "Vega" or the name of a column that holds these, got '
            f"{names.system!r}; the columns are {table.columns}"
        )
    return table.column(names.system, "system")


def _tell(
    names: MagnitudeColumns, detected: np.ndarray, kept: np.ndarray, error: np.ndarray | None
) -> None:
    """Warn of rows that were left out, and of magnitudes that are biased."""
    told = []
    if n_left := int((~kept).sum()):
        remedy = (
            'limits="zero" with limiting_mag= reads limits as flux 0 with their error'
            if names.limits == "drop"
            else "they have no limit either"
        )
        told.append(f"left out {n_left} of {len(kept)} rows without a magnitude: {remedy}")
    n_large = 0 if error is None else int((error[detected] > LARGE_ERROR).sum())
    if n_large:
        told.append(
            f"{n_large} of {int(detected.sum())} magnitudes have errors above {LARGE_ERROR} mag, "
            "whose fluxes are biased (they were kept): forced photometry gives fluxes instead"
        )
    if told:
        warn("; ".join(told))
