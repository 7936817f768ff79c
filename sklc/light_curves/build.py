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
from sklc.light_curves.calibration import MAGNITUDES, depth_warning, looks_like_magnitudes
from sklc.light_curves.checks import check_same_length, clean, warn
from sklc.light_curves.flux_units import calibrated
from sklc.light_curves.ids import check_ids
from sklc.light_curves.options import ReadOptions
from sklc.light_curves.placeholders import check_time_digits, check_zero_padding, warn_metadata
from sklc.light_curves.store import DEFAULT_ZERO_POINT, OBSERVATIONS, Store, read_only
from sklc.light_curves.zero_points import (
    common_zero_point,
    constant_zero_point,
    row_zero_points,
    vega_zero_points,
    zero_point_of_unit,
)
from sklc.passbands.registry import Passband


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
    zp_system: Any = None,
    look_at_depth: bool = False,
    trusted: bool = False,
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
    zp_system : column or None
        The magnitude system of each zero point, "ab" or "vega"; None if all are AB.
    look_at_depth : bool, default=False
        Whether to warn of depths that the surveys do not reach, where no column has zero points.
    trusted : bool, default=False
        Whether sklc itself wrote the fluxes and their zero point, which may then be any number.
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
        flux, flux_err, of_unit = calibrated(flux, flux_err, zp_column, options)
        # The zero point of a unit is what it is, even 0 as of astropy's AB.
        trusted, options = trusted or of_unit is not options, of_unit
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
    zero_point, factor = DEFAULT_ZERO_POINT, None
    given = trusted or options.zero_point_given
    if zp_column is None:
        zero_point = constant_zero_point(options.constant_zero_point, any_finite=trusted)
    elif len(zp_column):
        zp = row_zero_points(zp_column, offsets, ids, order, any_finite=trusted)
        zero_point, factor = common_zero_point(zp, order)
        given = given or zero_point_of_unit(zp)
    if order is not None:
        time, flux, code = time[order], flux[order], code[order]
        error = None if error is None else error[order]
    if offsets[-1] != len(time):
        raise LightCurveError(f"offsets end at {offsets[-1]}, but there are {len(time)} rows")
    if labels is not None:
        code, passbands = resolve_bands(code, labels, offsets=offsets, ids=ids, survey=survey)
    if error is None:
        check_zero_padding(time, flux, offsets, ids)
    are_magnitudes = not given and looks_like_magnitudes(flux, error)
    vega = None if zp_system is None else vega_zero_points(zp_system, code, passbands, order)
    if vega is not None:
        factor = (1.0 if factor is None else factor) * 10 ** (-0.4 * vega)
    if factor is not None:
        factor = factor.astype(flux.dtype)
        with np.errstate(over="ignore"):  # what overflows is refused below
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
    if are_magnitudes:
        warn(MAGNITUDES)
    elif look_at_depth and zp_column is None and (odd := depth_warning(store)):
        warn(odd)
    flat: dict[str, Any] = {
        name: read_only(np.ascontiguousarray(getattr(store, name)))
        for name in (*OBSERVATIONS, "offsets")
    }
    return replace(store, **flat)
