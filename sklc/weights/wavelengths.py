"""The wavelengths that weights were trained at."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from sklc.errors import LightCurveWarning
from sklc.light_curves import LightCurves

__all__ = ["trained_range", "warn_of_passbands"]

# How far beyond the range a passband may lie, as a factor of its wavelength: neighbours of a
# trained passband in another survey are alike.
_TOLERANCE = 1.15


def trained_range(info: Mapping[str, Any]) -> tuple[float, float] | None:
    """Return the shortest and longest wavelength that weights were trained at, if they say so.

    Parameters
    ----------
    info : mapping
        What a weights file says about itself.

    Returns
    -------
    (float, float) or None
        In micrometre.

    Examples
    --------
    >>> from sklc.weights.file import load_weights
    >>> from sklc.weights.wavelengths import trained_range
    >>> trained_range(load_weights("any").info)
    (0.20328, 1.87038)
    """
    known = info.get("wavelength_range") or list((info.get("passbands") or {}).values())
    return (float(min(known)), float(max(known))) if known else None


def warn_of_passbands(curves: LightCurves, info: Mapping[str, Any]) -> None:
    """Warn of observations at wavelengths far from those that weights were trained at.

    Parameters
    ----------
    curves : LightCurves
        What is to be encoded.
    info : mapping
        What a weights file says about itself.

    Warns
    -----
    LightCurveWarning
        If there are passbands outside the range.

    Examples
    --------
    See `LightCurveEncoder.transform`, which calls it.
    """
    known = trained_range(info)
    if known is None or not len(curves.time):
        return
    used = [curves.passbands[code] for code in np.unique(curves.band)]
    low, high = known[0] / _TOLERANCE, known[1] * _TOLERANCE
    outside = [band for band in used if not low <= band.wavelength <= high]
    if outside:
        names = ", ".join(f"{band.name} ({band.wavelength:.3g})" for band in outside[:5])
        more = f" and {len(outside) - 5} more" if len(outside) > 5 else ""
        warnings.warn(
            f"The weights were trained at wavelengths of {known[0]:.2f} to {known[1]:.2f} "
            f"micrometre, and these passbands lie outside: {names}{more}. Results are less "
            "certain: leave these bands out with curves.with_bands, choose other weights (see "
            "sklc.list_weights), or train a head on labels of your survey.",
            LightCurveWarning,
            stacklevel=4,
        )
