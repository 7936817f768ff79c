"""Rows of ZTF's alerts, in the names that brokers keep, as photometry."""

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
from sklc.io.values import by_label, flags, ids, numbers, numbers_or_nan, require_columns
from sklc.light_curves.checks import warn
from sklc.light_curves.magnitudes import flux_from_magnitude, signs
from sklc.light_curves.store import DEFAULT_ZERO_POINT
from sklc.utils.text import counted

__all__ = ["FILTERS", "ZtfOptions", "good_ztf_rows", "with_signs", "ztf_photometry"]

#: What the filters of ZTF are called in alerts and by brokers.
FILTERS = {
    label: f"ztf{band}"
    for number, band in enumerate("gri", 1)
    for label in (str(number), band, f"z{band}", f"ztf{band}", f"ZTF_{band}")
} | {"R": "ztfr"}

_FORCED, _DETECTION, _LIMIT = 0, 1, 2
_SIGMA = 5.0  # diffmaglim is a limit of five standard deviations
_REFERENCE_RADIUS = 1.4  # arcsec, within which the source in the reference image is the object
_LARGE_ERROR = 0.3  # mag, where the logarithm is no longer close to linear
_LEAST_RB, _LEAST_DRB = 0.65, 0.5


@dataclass(frozen=True)
class ZtfOptions:
    """What to take of ZTF's rows.

    Parameters
    ----------
    flux : {"difference", "total"}
        The flux of the difference image, or that flux added to the source in the reference image.
    quality : "good", "all" or callable
        Which rows to take.
    upper_limits : {"omit", "zero"}
        Whether non-detections are left out, or are a flux of 0 with a fifth of the limit as error.

    Raises
    ------
    ValueError
        If an option has another value.
    """

    flux: str = "difference"
    quality: Quality = "good"
    upper_limits: str = "omit"

    def __post_init__(self) -> None:
        if self.flux not in ("difference", "total"):
            raise ValueError(f'flux must be "difference" or "total", got {self.flux!r:.80}')
        if self.upper_limits not in ("omit", "zero"):
            raise ValueError(
                f'upper_limits must be "omit" or "zero", got {self.upper_limits!r:.80}'
            )
        if self.flux == "total" and self.upper_limits == "zero":
            raise ValueError(
                'upper_limits="zero" belongs to flux="difference": an object that is not detected '
                "in the difference image still has the total flux of its reference"
            )


def good_ztf_rows(table: pd.DataFrame) -> np.ndarray:
    """Return True for rows that are likely real and well measured.

    That is a real-bogus score of at least 0.65 (``rb``) or 0.5 (``drb``), no bad pixels (``nbad``),
    forced photometry without warnings (``procstatus`` "0"), and no mark of a broker against it.
    A score that is missing counts for nothing.
    """
    rb, drb = numbers_or_nan(table, "rb"), numbers_or_nan(table, "drb")
    good = (rb >= _LEAST_RB) | (drb >= _LEAST_DRB) | (np.isnan(rb) & np.isnan(drb))
    good &= ~(numbers_or_nan(table, "nbad") > 0)
    good &= ~flags(table, "dubious")
    if "procstatus" in table:
        good &= by_label(table["procstatus"], lambda code: code in ("0", "0.0"), absent=True)
    if "tag" in table:
        good &= ~by_label(table["tag"], lambda tag: tag == "badquality")
    return good


def ztf_photometry(
    table: pd.DataFrame,
    options: ZtfOptions,
    *,
    metadata: pd.DataFrame | None = None,
    raw: pd.DataFrame | None = None,
    filters: Mapping[str, str] = FILTERS,
) -> Photometry:
    """Return photometry from detections, non-detections and forced photometry.

    Forced photometry is taken first, then detections on other images, then limits on images with
    neither.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per observation, with the names of ZTF's alerts (``magpsf``, ``forcediffimflux``,
        …), and the columns object_id, mjd, fid, and as needed: forced (bool), limit (bool: a
        non-detection), version (when the packet of a row was issued), and total and total_err
        (total magnitudes, where a broker gives them).
    options : ZtfOptions
    metadata : pandas.DataFrame, optional
        One row per object.
    raw : pandas.DataFrame, optional
        The rows with the names that the user knows, which the function `quality` gets.
    filters : mapping of str to str, optional
        The passbands of the labels in the column fid.
    """
    if not len(table):
        return Photometry([], [], [], None, [])
    require_columns(table, "object_id", "mjd", "fid")
    rows = Rows(table if raw is None else raw)
    name = ids(table["object_id"], "object_id")
    time, band = numbers(table, "mjd"), passbands_among(table["fid"], filters, "the survey")
    forced = flags(table, "forced")
    limit = ~forced & (flags(table, "limit") | np.isnan(_magnitudes(table, "magpsf")))
    kind = np.where(forced, _FORCED, np.where(limit, _LIMIT, _DETECTION))
    epoch = None
    if "version" in table or kind.min() != kind.max():
        epoch = same_epoch(name.codes, band.codes, time)
    if epoch is not None and "version" in table:
        rows.leave_out(
            not_latest(epoch, kind, numbers_or_nan(table, "version")), "repeated in a later packet"
        )
    rows.select(lambda _: good_ztf_rows(table) | limit, options.quality, _NOT_GOOD)
    flux, error = _flux(table, forced, limit, options.flux)
    if options.upper_limits == "zero":
        flux[limit] = 0.0
        error[limit] = flux_from_magnitude(_magnitudes(table, "diffmaglim")[limit])[0] / _SIGMA
    else:
        rows.leave_out(limit, "upper limits")
    measured = np.isfinite(flux) & (error > 0) & np.isfinite(error)
    rows.leave_out(~measured, _NOT_MEASURED[options.flux])
    if epoch is not None:
        superior = superseded(epoch, kind, rows.kept)
        rows.leave_out(superior, "the same image has forced photometry or a detection")
    if (lost := np.flatnonzero(rows.kept & ~np.isfinite(time))).size:
        raise LightCurveError(
            f"row {lost[0] + 1}, of object {table['object_id'].iloc[lost[0]]!r}, has no time "
            f"({counted(lost.size, 'such row')}): correct or remove these rows"
        )
    rows.count_objects(name)
    kept = rows.kept
    if n := int(
        np.sum(kept & ~forced & ~limit & (numbers_or_nan(table, "sigmapsf") > _LARGE_ERROR))
    ):
        rows.notes.append(
            counted(
                n,
                "magnitude has an error above 0.3, so its flux is",
                "magnitudes have errors above 0.3, so their fluxes are",
            )
            + " biased high"
        )
    return Photometry(
        object_id=name[kept],
        time=time[kept],
        flux=flux[kept],
        flux_err=error[kept],
        band=band[kept],
        zero_point=DEFAULT_ZERO_POINT,
        metadata=metadata,
        notes=rows.notes,
    )


_NOT_GOOD = "low real-bogus score, bad pixels or warnings"
_NOT_MEASURED = {
    "difference": "without a measured flux and its error",
    "total": f"without a total flux: no source within {_REFERENCE_RADIUS} arcsec in the reference",
}


def with_signs(table: pd.DataFrame, name: str, options: ZtfOptions) -> pd.DataFrame:
    """Return a table with the column isdiffpos: positive throughout, with a warning, by default.

    Parameters
    ----------
    table : pandas.DataFrame
    name : str
        What the service calls this column, for the warning.
    options : ZtfOptions
    """
    if "isdiffpos" in table:
        return table
    if options.flux == "difference":
        warn(
            f"there is no column {name}, so all subtractions are taken as positive: where the "
            "object is fainter than in the reference image, its flux has the wrong sign. Ask the "
            "service for this column"
        )
    return table.assign(isdiffpos=1)


def _magnitudes(table: pd.DataFrame, name: str) -> np.ndarray:
    """Return a column of magnitudes: NaN where it is missing, and for 99, 100 and -999."""
    mag = numbers_or_nan(table, name)
    return np.where((mag > 0) & (mag < 50), mag, np.nan)


def _flux(
    table: pd.DataFrame, forced: np.ndarray, limit: np.ndarray, which: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return fluxes of the zero point 27.5 and their errors, NaN where there is none."""
    flux, error = np.full(len(table), np.nan), np.full(len(table), np.nan)
    if which == "total" and "total" in table:
        _set_magnitudes(flux, error, ~limit, table, "total", "total_err", None)
        return flux, error
    _set_magnitudes(flux, error, ~limit, table, "magpsf", "sigmapsf", "isdiffpos")
    _set_counts(flux, error, forced, table)
    if which == "total":
        magnitude = _magnitudes(table, "magnr")
        there = np.abs(numbers_or_nan(table, "distnr")) < _REFERENCE_RADIUS
        with np.errstate(over="ignore"):  # infinite fluxes are left out
            reference, reference_error = flux_from_magnitude(
                magnitude, numbers_or_nan(table, "sigmagnr")
            )
            assert reference_error is not None
            flux = np.where(there, flux + reference, np.nan)
            error = np.hypot(error, reference_error)
    return flux, error


def _set_magnitudes(
    flux: np.ndarray,
    error: np.ndarray,
    rows: np.ndarray,
    table: pd.DataFrame,
    mag: str,
    mag_err: str,
    sign: str | None,
) -> None:
    """Fill in the fluxes of rows that have magnitudes."""
    magnitude, magnitude_error = _magnitudes(table, mag), numbers_or_nan(table, mag_err)
    there = rows & np.isfinite(magnitude) & (magnitude_error > 0) & (magnitude_error < 50)
    if not there.any():
        return
    direction: Any = 1.0
    if sign is not None:
        require_columns(table, sign)
        direction = signs(table[sign], sign)[there]
    flux[there], found = flux_from_magnitude(
        magnitude[there], magnitude_error[there], sign=direction
    )
    assert found is not None
    error[there] = found


def _set_counts(flux: np.ndarray, error: np.ndarray, rows: np.ndarray, table: pd.DataFrame) -> None:
    """Fill in the fluxes of forced photometry, which is in counts with a zero point of its own."""
    counts, counts_error = (
        numbers_or_nan(table, "forcediffimflux"),
        numbers_or_nan(table, "forcediffimfluxunc"),
    )
    zero_point = numbers_or_nan(table, "magzpsci")
    there = rows & (counts_error > 0) & (counts > -99_998) & (zero_point > 10) & (zero_point < 40)
    scale = 10 ** (0.4 * (DEFAULT_ZERO_POINT - zero_point[there]))
    with np.errstate(over="ignore"):  # infinite fluxes are left out
        flux[there], error[there] = counts[there] * scale, counts_error[there] * scale
