"""Magnitudes as fluxes."""

from __future__ import annotations

from typing import Any

import numpy as np

from sklc.light_curves.store import DEFAULT_ZERO_POINT

__all__ = ["flux_from_magnitude"]

# d(flux) / flux = d(mag) * ln(10) / 2.5
_RELATIVE_ERROR = np.log(10) / 2.5


def flux_from_magnitude(
    mag: Any, mag_err: Any = None, *, zero_point: float = DEFAULT_ZERO_POINT, sign: Any = 1.0
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the fluxes of magnitudes, and their errors.

    ``flux = sign * 10 ** (-0.4 * (mag - zero_point))`` and, to first order,
    ``flux_err = |flux| * mag_err * ln(10) / 2.5``.

    Parameters
    ----------
    mag : array-like of shape (n,)
        AB magnitudes.
    mag_err : array-like of shape (n,), optional
        Standard errors of the magnitudes.
    zero_point : float, default=27.5
        The AB zero point that the fluxes shall have.
    sign : float or array-like of shape (n,), default=1.0
        The signs of the fluxes: -1 where an object is fainter than in the reference image.

    Returns
    -------
    flux : ndarray of shape (n,)
    flux_err : ndarray of shape (n,) or None
        None if `mag_err` is None.

    Examples
    --------
    >>> from sklc.light_curves.magnitudes import flux_from_magnitude
    >>> flux, flux_err = flux_from_magnitude([20.0], [0.1])
    >>> flux.round(1), flux_err.round(1)
    (array([1000.]), array([92.1]))
    """
    mag = np.asarray(mag, dtype=np.float64)
    flux = np.asarray(sign, dtype=np.float64) * 10 ** (-0.4 * (mag - zero_point))
    if mag_err is None:
        return flux, None
    return flux, np.abs(flux) * np.asarray(mag_err, dtype=np.float64) * _RELATIVE_ERROR
