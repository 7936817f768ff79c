"""Rates per comoving volume and time, of which only the dependence on redshift matters.

They are in events per year and cubic megaparsec, 1 where the rate is hardly known.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

__all__ = ["Rate", "ScaledRate", "constant_rate", "snia_rate", "star_formation", "tde_rate"]

Rate = Callable[[np.ndarray], np.ndarray]


def snia_rate(z: np.ndarray) -> np.ndarray:
    """2.5e-5 (1+z)**1.5 to z = 1 (Dilday et al. 2008), then 9.7e-5 (1+z)**-.5 (Hounsell et al.
    2018).

    Parameters
    ----------
    z : ndarray
        Redshifts.

    Returns
    -------
    ndarray

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.simulate.classes.rates import snia_rate
    >>> snia_rate(np.array([0.0, 0.5])).round(7).tolist()
    [2.5e-05, 4.59e-05]
    """
    return np.where(z < 1, 2.5e-5 * (1 + z) ** 1.5, 9.7e-5 * (1 + z) ** -0.5)


def star_formation(z: np.ndarray) -> np.ndarray:
    """Cosmic star formation, 1 at z = 0 (Madau & Dickinson 2014, ARA&A 52, 415, equation 15).

    Parameters
    ----------
    z : ndarray
        Redshifts.

    Returns
    -------
    ndarray

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.simulate.classes.rates import star_formation
    >>> star_formation(np.array([0.0, 0.5])).round(2).tolist()
    [1.0, 2.92]
    """
    return (1 + z) ** 2.7 / (1 + ((1 + z) / 2.9) ** 5.6) * (1 + 2.9**-5.6)


@dataclass(frozen=True)
class ScaledRate:
    """The redshift dependence of a rate, times a local rate.

    Parameters
    ----------
    local : float
        The factor, such as the rate at redshift 0.
    run : callable
        The rate as a function of redshift.

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.simulate.classes.rates import ScaledRate, constant_rate
    >>> ScaledRate(2e-6, constant_rate)(np.zeros(1))
    array([2.e-06])
    """

    local: float
    run: Rate

    def __call__(self, z: np.ndarray) -> np.ndarray:
        """Return the rate at each redshift."""
        return self.local * self.run(z)


def tde_rate(z: np.ndarray) -> np.ndarray:
    """3e-7 x 10**(-5 z / 6) (Kochanek 2016, MNRAS 461, 371; local rate Yao et al. 2023).

    Parameters
    ----------
    z : ndarray
        Redshifts.

    Returns
    -------
    ndarray

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.simulate.classes.rates import tde_rate
    >>> tde_rate(np.array([0.0, 0.5])).round(8).tolist()
    [3e-07, 1.1e-07]
    """
    return 3e-7 * 10 ** (-5 * z / 6)


def constant_rate(z: np.ndarray) -> np.ndarray:
    """1 at all redshifts, for events whose rate is hardly known.

    Parameters
    ----------
    z : ndarray
        Redshifts.

    Returns
    -------
    ndarray

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.simulate.classes.rates import constant_rate
    >>> constant_rate(np.array([0.0, 0.5])).round(0).tolist()
    [1.0, 1.0]
    """
    return np.ones_like(z)
