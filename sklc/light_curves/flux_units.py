"""Fluxes with a unit: their errors in the same unit, and the zero point of that unit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from sklc.errors import LightCurveError
from sklc.light_curves.options import ReadOptions
from sklc.light_curves.units import is_convertible, is_magnitude, numeric, rescaled, scale_of
from sklc.light_curves.values import plain_array, unit_of
from sklc.utils.text import shown

__all__ = ["calibrated"]

_JANSKY = 8.9  # the AB zero point of flux densities in Jy
_SAME_ZERO_POINT = 0.01


def calibrated(
    flux: Any, flux_err: Any, zp_column: Any, options: ReadOptions
) -> tuple[Any, Any, ReadOptions]:
    """Return fluxes and errors as numbers in one unit, and options with its zero point.

    Parameters
    ----------
    flux, flux_err : column
        With units, or without: then they are returned as they are. The errors are converted to the
        unit of the fluxes.
    zp_column : column or None
        The zero points of the observations.
    options : ReadOptions

    Raises
    ------
    LightCurveError
        If only one of the two has a unit; if the unit is none of flux density, and no zero point
        is given; or if it contradicts the zero point that is given.
    """
    unit, err_unit = unit_of(flux), unit_of(flux_err)
    if unit is None and err_unit is None:
        return flux, flux_err, options
    for name, column, own in (("flux", flux, unit), ("flux_err", flux_err, err_unit)):
        if own is not None and is_magnitude(own):
            raise LightCurveError(
                f"the {name} column has the unit {shown(str(own))}: these are magnitudes. Read "
                f"them with LightCurves.from_magnitudes(frame, {_magnitude_arguments(options)})"
            )
        if own is None and column is not None and not _all_missing(column):
            with_unit = "flux_err" if name == "flux" else "flux"
            raise LightCurveError(
                f"the {with_unit} column has the unit {shown(str(unit or err_unit))}, and the "
                f"{name} column has none: give both a unit, or pass numbers for both"
            )
    unit = err_unit if unit is None else unit
    values, errors = plain_array(flux), None
    if flux_err is not None:
        errors = plain_array(flux_err)
        if err_unit is not None:
            if not is_convertible(err_unit, unit):
                raise LightCurveError(
                    f"the flux_err column has the unit {shown(str(err_unit))}, which cannot be "
                    f"converted to {shown(str(unit))}, that of the flux column"
                )
            errors = rescaled(errors, scale_of(err_unit, unit))
    given = _given_zero_points(zp_column, options)
    if not is_convertible(unit, "Jy"):
        if given is None:
            remedy = ""
            if is_convertible(unit, "erg / (s cm2 AA)"):
                remedy = (
                    ", or convert them with flux.to('uJy', "
                    "equivalencies=astropy.units.spectral_density(wavelength))"
                )
            raise LightCurveError(
                f"the flux column has the unit {shown(str(unit))}, which is no flux density per "
                "frequency: pass zero_point= the AB zero point of such fluxes (any constant if "
                f"they are not calibrated){remedy}"
            )
        return values, errors, options
    zero_point = round(_JANSKY - 2.5 * np.log10(scale_of(unit, "Jy")), 6)
    if given is None:
        return values, errors, replace(options, zero_point=zero_point)
    wrong = given[np.isfinite(given) & ~(np.abs(given - zero_point) <= _SAME_ZERO_POINT)]
    if len(wrong):
        raise LightCurveError(
            f"the flux column has the unit {shown(str(unit))}, whose AB zero point is "
            f"{zero_point:g}, and the zero point {wrong[0]:g} is given: leave zero_point out to "
            "use that of the unit, or pass the numbers alone, flux.value, with the zero point that "
            "is theirs"
        )
    return values, errors, options


def _given_zero_points(zp_column: Any, options: ReadOptions) -> np.ndarray | None:
    if zp_column is not None:
        return numeric(zp_column, "zero point")
    if options.has_zero_point:
        return np.array([options.constant_zero_point])
    return None


def _all_missing(column: Any) -> bool:
    values = numeric(column, "flux_err")
    return bool(np.isnan(values).all())


def _magnitude_arguments(options: ReadOptions) -> str:
    """Return the arguments of `LightCurves.from_magnitudes` for the columns of these options."""
    names = {"mag": options.flux or "mag", "mag_err": options.flux_err}
    usual = {"object_id": "object_id", "time": "mjd", "band": "band"}
    names |= {a: getattr(options, a) for a, name in usual.items() if getattr(options, a) != name}
    return ", ".join(f"{argument}={shown(name)}" for argument, name in names.items())
