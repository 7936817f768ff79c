"""Rows of Rubin's alerts, in the names of any of their schemas, as photometry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sklc.errors import LightCurveError
from sklc.io.bands import passbands_among
from sklc.io.epochs import not_latest, same_epoch, superseded
from sklc.io.photometry import Photometry, Quality, Rows
from sklc.io.values import flags, ids, numbers, numbers_or_nan, require_columns
from sklc.utils.text import counted

__all__ = [
    "COLUMNS",
    "FILTERS",
    "NANOJANSKY",
    "RubinOptions",
    "good_rubin_rows",
    "rubin_photometry",
    "with_present_names",
]

NANOJANSKY = 31.4  # the AB zero point of fluxes in nJy
FILTERS = {
    label: f"lsst{band}" for band in "ugrizy" for label in (band, f"lsst{band}", f"LSST_{band}")
} | {"Y": "lssty"}

_FORCED, _DETECTION = 0, 1
_FLAGS = (
    "psfFlux_flag",
    "psfFlux_flag_edge",
    "psfFlux_flag_noGoodPixels",
    "pixelFlags_saturatedCenter",
    "pixelFlags_crCenter",
    "pixelFlags_nodataCenter",
    "pixelFlags_offimage",
    "pixelFlags_streakCenter",
    "pixelFlags_injected",
    "pixelFlags_injectedCenter",
    "pixelFlags_injected_template",
    "pixelFlags_injected_templateCenter",
)
_TOTAL_FLAGS = (
    "forced_PsfFlux_flag",
    "forced_PsfFlux_flag_edge",
    "forced_PsfFlux_flag_noGoodPixels",
)
# What the columns were called before schema 5, and in ELAsTiCC.
_OLDER = {
    "midPointTai": "midpointMjdTai",
    "filterName": "band",
    "psFlux": "psfFlux",
    "psFluxErr": "psfFluxErr",
    "totFlux": "scienceFlux",
    "totFluxErr": "scienceFluxErr",
    "decl": "dec",
}
_FLUX = {
    "difference": ("psfFlux", "psfFluxErr", _FLAGS),
    "total": ("scienceFlux", "scienceFluxErr", _FLAGS + _TOTAL_FLAGS),
}
#: What is read of a row, as far as it has it.
COLUMNS = (
    *("midpointMjdTai", "band", "psfFlux", "psfFluxErr", "scienceFlux", "scienceFluxErr"),
    *("visit", "detector", "timeWithdrawnMjdTai", *_FLAGS, *_TOTAL_FLAGS),
    *(name for name in _OLDER if name != "decl"),
)


@dataclass(frozen=True)
class RubinOptions:
    """What to take of Rubin's rows.

    Parameters
    ----------
    flux : {"difference", "total"}
        ``psfFlux``, or ``scienceFlux``.
    quality : "good", "all" or callable
        Which rows to take.

    Raises
    ------
    ValueError
        If an option has another value.
    """

    flux: str = "difference"
    quality: Quality = "good"

    def __post_init__(self) -> None:
        if self.flux not in _FLUX:
            raise ValueError(f'flux must be "difference" or "total", got {self.flux!r:.80}')


def with_present_names(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with the present names of columns, where it has older ones."""
    older = {old: new for old, new in _OLDER.items() if old in table and new not in table}
    table = table.rename(columns=older)
    for old, new in _OLDER.items():  # a table of packets of both kinds has both
        if old in table:
            table[new] = table[new].where(table[new].notna(), table[old])
    return table


def good_rubin_rows(table: pd.DataFrame, flux: str = "difference") -> np.ndarray:
    """Return True for rows without a flag that spoils their flux, and not withdrawn.

    A flag that is missing was not measured, and counts for nothing.
    """
    good = ~(numbers_or_nan(table, "timeWithdrawnMjdTai") > 0)
    for name in _FLUX[flux][2]:
        good &= ~flags(table, name)
    return good


def rubin_photometry(
    table: pd.DataFrame,
    options: RubinOptions,
    *,
    metadata: pd.DataFrame | None = None,
    notes: list[str] | None = None,
    raw: pd.DataFrame | None = None,
    filters: Mapping[str, str] = FILTERS,
) -> Photometry:
    """Return photometry from detections and forced photometry.

    Forced photometry is taken first, then detections on other images.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per observation, with the names of Rubin's alerts, and the columns object_id, and
        as needed: forced (bool), version (when the packet of a row was issued), and zero_point.
    options : RubinOptions
    metadata : pandas.DataFrame, optional
        One row per object.
    notes : list of str, optional
        What was left out before.
    raw : pandas.DataFrame, optional
        The rows with the names that the user knows, which the function `quality` gets.
    filters : mapping of str to str, optional
        The passbands of the labels in the column band.
    """
    notes = list(notes or ())
    if not len(table):
        return Photometry([], [], [], None, [], notes=notes)
    flux_name, error_name, _ = _FLUX[options.flux]
    require_columns(table, "object_id", "midpointMjdTai", "band", flux_name, error_name)
    rows = Rows(table if raw is None else raw)
    rows.notes = notes
    name = ids(table["object_id"], "object_id")
    time, band = numbers(table, "midpointMjdTai"), passbands_among(table["band"], filters, "Rubin")
    flux, error = numbers(table, flux_name), numbers(table, error_name)
    kind = np.where(flags(table, "forced"), _FORCED, _DETECTION)
    epoch = None
    if "version" in table or kind.min() != kind.max():
        image = [numbers(table, key) for key in ("visit", "detector") if key in table]
        epoch = same_epoch(name.codes, band.codes, time, *image)
    if epoch is not None and "version" in table:
        rows.leave_out(
            not_latest(epoch, kind, numbers(table, "version")), "repeated in a later packet"
        )
    rows.select(
        lambda _: good_rubin_rows(table, options.flux), options.quality, "flagged or withdrawn"
    )
    measured = np.isfinite(flux) & (error > 0) & np.isfinite(error)
    rows.leave_out(~measured, f"without {flux_name} and its error")
    if epoch is not None:
        superior = superseded(epoch, kind, rows.kept)
        rows.leave_out(superior, "the same image has forced photometry")
    rows.count_objects(name)
    kept = rows.kept
    unusable = kept & (~np.isfinite(time) | (band.codes < 0))
    if unusable.any():
        first = int(np.argmax(unusable))
        raise LightCurveError(
            f"row {first + 1}, of object {table['object_id'].iloc[first]!r}, has no time or band "
            f"({counted(int(unusable.sum()), 'such row')}): correct or remove these rows"
        )
    return Photometry(
        object_id=name[kept],
        time=time[kept],
        flux=flux[kept],
        flux_err=error[kept],
        band=band[kept],
        zero_point=_zero_point(table, kept),
        metadata=metadata,
        notes=rows.notes,
    )


def _zero_point(table: pd.DataFrame, kept: np.ndarray) -> Any:
    if "zero_point" not in table:
        return NANOJANSKY
    values = table["zero_point"].to_numpy(dtype=np.float64)[kept]
    return values if len(np.unique(values)) > 1 else float(values[0]) if len(values) else NANOJANSKY
