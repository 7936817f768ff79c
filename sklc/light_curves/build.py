"""Columns from any source are validated and become a `Store`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from sklc.errors import LightCurveError
from sklc.light_curves import columns as tables
from sklc.light_curves.alignment import indexed_metadata, with_survey
from sklc.light_curves.bands import UNNAMED_PASSBAND, resolve, resolve_bands
from sklc.light_curves.calibration import calibrated
from sklc.light_curves.checks import check_same_length, clean, warn_magnitudes
from sklc.light_curves.ids import check_ids
from sklc.light_curves.options import ReadOptions
from sklc.light_curves.placeholders import check_time_digits, check_zero_padding, warn_metadata
from sklc.light_curves.store import DEFAULT_ZERO_POINT, OBSERVATIONS, Store, describe, read_only
from sklc.passbands.registry import Passband
from sklc.utils.offsets import object_of
from sklc.utils.text import shown


def build(
    *,
    time: Any,
    flux: Any,
    offsets: np.ndarray,
    ids: np.ndarray,
    options: ReadOptions,
    flux_err: Any = None,
    band: Any = None,
    zp_column: Any = None,
    order: np.ndarray | None = None,
    metadata: pd.DataFrame | None = None,
    band_table: tuple[np.ndarray, tuple[Passband, ...]] | None = None,
    errors_unknown: np.ndarray | None = None,
) -> Store:
    """Validate columns that are grouped by object and return them as a store.

    Parameters
    ----------
    time, flux : column
        The times and the fluxes of all observations.
    offsets, ids : ndarray
        The objects, in the order that the rows have once `order` has been applied.
    options : ReadOptions
        The zero point, survey, passband and policies. The names of columns are not used here.
    flux_err : column or None
        The errors; None, or NaN throughout, if they are not known.
    band : column or None
        The bands; None for the one passband of the options.
    zp_column : column or None
        The zero points of the observations. If all are equal, the result has this zero point;
        otherwise the fluxes are rescaled to 27.5.
    order : ndarray of int or None
        The order of the rows that groups them by object; None if they are grouped already.
    metadata : pandas.DataFrame or None
        One row per object, in the order of `ids`.
    band_table : tuple or None
        Band codes and passbands, if they have been resolved already.
    errors_unknown : ndarray of bool or None
        The objects for which the source gives no errors.
    """
    ids = tables.unwrap_strings(np.asarray(ids))
    check_ids(ids, unique=options.unique_ids)
    metadata, survey = with_survey(metadata, options.survey, ids)
    if type(flux) is not np.ndarray or type(flux_err) is not np.ndarray:
        flux, flux_err, options = calibrated(flux, flux_err, zp_column, options)
    time = tables.numeric(time, "time")
    check_time_digits(time)
    time = time.astype(np.float64, copy=False)
    flux = tables.numeric(flux, "flux")
    error = None if flux_err is None else tables.numeric(flux_err, "flux_err")
    if error is not None and len(error) and np.isnan(error[0]) and np.isnan(error).all():
        error = None
    if error is not None and error.dtype != flux.dtype:
        flux, error = flux.astype(np.float64), error.astype(np.float64)
    check_same_length(time=time, flux=flux, flux_err=error, band=band, zero_point=zp_column)
    if options.passband is not None and (band is not None or band_table is not None):
        raise ValueError(
            "these observations have bands of their own: pass band= or passband=, the one passband "
            "of all, not both (for a table, band=None)"
        )
    labels: np.ndarray | None = None
    passbands: tuple[Passband, ...] = ()
    if band_table is not None:
        code, passbands = band_table
    elif band is not None:
        code, labels = tables.labels(band)
    else:
        one = UNNAMED_PASSBAND if options.passband is None else options.passband
        passbands = (resolve(one, survey if isinstance(survey, str) else None),)
        code = np.zeros(len(time), dtype=np.int16)
    zero_point = DEFAULT_ZERO_POINT if zp_column is not None else options.constant_zero_point
    if not np.isfinite(zero_point):
        raise LightCurveError(
            f"the zero point must be a finite AB magnitude, got {shown(options.zero_point)}"
        )
    factor = None
    if zp_column is not None and len(zp_column):
        zero_point, factor = _zero_points(zp_column, offsets, ids, order)
    if order is not None:
        time, flux, code = time[order], flux[order], code[order]
        error = None if error is None else error[order]
    if offsets[-1] != len(time):
        raise LightCurveError(f"offsets end at {offsets[-1]}, but there are {len(time)} rows")
    if labels is not None:
        code, passbands = resolve_bands(code, labels, offsets=offsets, ids=ids, survey=survey)
    if error is None:
        check_zero_padding(time, flux, offsets, ids)
    warn_magnitudes(flux, error)
    if factor is not None:
        factor = factor.astype(flux.dtype)
        flux, error = flux * factor, None if error is None else error * factor
    if errors_unknown is None or error is None:
        errors_unknown = np.full(len(ids), error is None)
    store = Store(
        time=time,
        flux=flux,
        flux_err=np.full(len(flux), np.nan, dtype=flux.dtype) if error is None else error,
        band=code.astype(np.int16, copy=False),
        offsets=offsets.astype(np.int64, copy=False),
        passbands=passbands,
        ids=read_only(ids),
        metadata=warn_metadata(indexed_metadata(metadata, ids)),
        zero_point=zero_point,
    )
    store = clean(store, errors_unknown, options)
    flat: dict[str, Any] = {
        name: read_only(np.ascontiguousarray(getattr(store, name)))
        for name in (*OBSERVATIONS, "offsets")
    }
    return replace(store, **flat)


def _zero_points(
    zp_column: Any, offsets: np.ndarray, ids: np.ndarray, order: np.ndarray | None
) -> tuple[float, np.ndarray | None]:
    """Return the zero point of a container, and what to multiply the fluxes by to bring them to it.

    One value for all rows is kept; several are brought to 27.5.
    """
    zp = tables.numeric(zp_column, "zero point")
    if not np.isfinite(zp.sum()):
        zp = zp if order is None else zp[order]
        bad = np.flatnonzero(~np.isfinite(zp))
        k = object_of(offsets, bad[:1])[0]
        raise LightCurveError(
            f"{describe(ids, k)} has an observation without zero point "
            f"({len(bad)} of {len(zp)} observations): pass zero_point= the AB zero point of the "
            "fluxes, such as zero_point=25.0 (any constant for uncalibrated flux), or drop those "
            "rows"
        )
    if (low := float(zp.min())) == zp.max():
        return low, None
    zp = zp if order is None else zp[order]
    return DEFAULT_ZERO_POINT, 10 ** (-0.4 * (zp.astype(np.float64) - DEFAULT_ZERO_POINT))
