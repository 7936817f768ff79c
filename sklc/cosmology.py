"""Distances and redshift distributions: flat LambdaCDM with H0 = 70 km/s/Mpc and Omega_m = 0.3.

Tabulated once on a fine grid of ln(1+z), so that millions of objects cost one interpolation each.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from sklc._optional import require

__all__ = ["MAX_REDSHIFT", "MIN_REDSHIFT", "distance_modulus", "draw_redshift"]

MIN_REDSHIFT, MAX_REDSHIFT = 1e-3, 6.0
_STEPS = 4000


@cache
def _table() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return ln(1+z), distance modulus and comoving volume per unit of redshift."""
    cosmology = require("astropy.cosmology").FlatLambdaCDM(H0=70.0, Om0=0.3)
    log1p_z = np.linspace(np.log1p(MIN_REDSHIFT / 10), np.log1p(MAX_REDSHIFT), _STEPS)
    z = np.expm1(log1p_z)
    volume = cosmology.differential_comoving_volume(z).value
    return log1p_z, cosmology.distmod(z).value, volume


def distance_modulus(redshift: np.ndarray) -> np.ndarray:
    """Distance modulus in magnitudes.

    Parameters
    ----------
    redshift : ndarray of shape (n_objects,)
        From 1e-3 to 6.

    Returns
    -------
    ndarray of shape (n_objects,)

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.cosmology import distance_modulus
    >>> np.round(distance_modulus(np.array([0.1, 1.0])), 3)
    array([38.315, 44.1  ])
    """
    log1p_z, modulus, _ = _table()
    # the modulus runs as log z near zero, where linear interpolation in ln(1+z) would be poor
    return np.interp(np.log(redshift), np.log(np.expm1(log1p_z)), modulus)


def draw_redshift(
    rng: np.random.Generator,
    n: int,
    z_min: float,
    z_max: float,
    rate: Callable[[np.ndarray], np.ndarray] | None,
) -> np.ndarray:
    """Draw redshifts of events.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of random numbers.
    n : int
        Number of draws.
    z_min, z_max : float
        Range of the redshifts.
    rate : callable or None
        Events per comoving volume and rest-frame time at each redshift, in any unit: the density
        is then rate(z) dV/dz / (1+z). None draws uniformly in redshift.

    Returns
    -------
    ndarray of shape (n,)

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.cosmology import draw_redshift
    >>> z = draw_redshift(np.random.default_rng(0), 1000, 0.01, 0.2, np.ones_like)
    >>> bool(np.median(z) > 0.13)  # most of the volume is far away
    True
    """
    if rate is None:
        return rng.uniform(z_min, z_max, n)
    log1p_z, _, volume = _table()
    z = np.linspace(z_min, z_max, 2000)
    density = rate(z) * np.interp(z, np.expm1(log1p_z), volume) / (1 + z)
    cumulative = np.concatenate([[0.0], np.cumsum(0.5 * (density[1:] + density[:-1]))])
    return np.interp(rng.random(n) * cumulative[-1], cumulative, z)
