"""`SourceClass`: a class of objects, its light source, and how often it occurs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sklc.cosmology import distance_modulus
from sklc.simulate.sources import Source

__all__ = ["ScaledRate", "SourceClass", "constant_rate", "snia_rate", "star_formation", "tde_rate"]

Rate = Callable[[np.ndarray], np.ndarray]


# -- rates per comoving volume; only their run with redshift matters, but they are in /yr/Mpc3


def snia_rate(z: np.ndarray) -> np.ndarray:
    """2.5e-5 (1+z)**1.5 to z = 1 (Dilday et al. 2008), then 9.7e-5 (1+z)**-.5 (Hounsell et al.
    2018).

    Parameters
    ----------
    z : ndarray

    Returns
    -------
    ndarray

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.simulate.classes.source_class import snia_rate
    >>> snia_rate(np.array([0.0, 0.5])).round(7).tolist()
    [2.5e-05, 4.59e-05]
    """
    return np.where(z < 1, 2.5e-5 * (1 + z) ** 1.5, 9.7e-5 * (1 + z) ** -0.5)


def star_formation(z: np.ndarray) -> np.ndarray:
    """Cosmic star formation, 1 at z = 0 (Madau & Dickinson 2014, ARA&A 52, 415, equation 15).

    Parameters
    ----------
    z : ndarray

    Returns
    -------
    ndarray

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.simulate.classes.source_class import star_formation
    >>> star_formation(np.array([0.0, 0.5])).round(2).tolist()
    [1.0, 2.92]
    """
    return (1 + z) ** 2.7 / (1 + ((1 + z) / 2.9) ** 5.6) * (1 + 2.9**-5.6)


@dataclass(frozen=True)
class ScaledRate:
    """A local rate times the run of another.

    Parameters
    ----------
    local : float
        Factor.
    run : callable
        Function of redshift.

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.simulate.classes.source_class import ScaledRate, constant_rate
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

    Returns
    -------
    ndarray

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.simulate.classes.source_class import tde_rate
    >>> tde_rate(np.array([0.0, 0.5])).round(8).tolist()
    [3e-07, 1.1e-07]
    """
    return 3e-7 * 10 ** (-5 * z / 6)


def constant_rate(z: np.ndarray) -> np.ndarray:
    """1 at all redshifts, for events whose rate is hardly known.

    Parameters
    ----------
    z : ndarray

    Returns
    -------
    ndarray

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.simulate.classes.source_class import constant_rate
    >>> constant_rate(np.array([0.0, 0.5])).round(0).tolist()
    [1.0, 1.0]
    """
    return np.ones_like(z)


@dataclass(frozen=True)
class SourceClass:
    """A class of objects: its light source and where it occurs.

    Parameters
    ----------
    name : str
        Label, as it stands in the metadata column "class".
    source : Source
    rate : callable or None
        Events per comoving volume and time as a function of redshift; None for a distribution
        that is flat in redshift.
    bright : float, default=-20.0
        Absolute magnitude of the brightest objects: sets how far a survey looks.
    z_cap : float, default=3.0
        Largest redshift that is drawn unless ``z_max`` is given.
    z_min : float, default=0.003

    Examples
    --------
    A class of your own, of any spectral time series of sncosmo:

    >>> from sklc.simulate import SourceClass
    >>> from sklc.simulate.sources import SpectralSource
    >>> source = SpectralSource.from_sncosmo("v19-2009ip", absolute_mag=(-14.0, 1.0))
    >>> impostor = SourceClass("impostor", source, bright=-16.0)
    >>> impostor.name
    'impostor'
    """

    name: str
    source: Source
    rate: Rate | None = star_formation
    bright: float = -20.0
    z_cap: float = 3.0
    z_min: float = 0.003

    def key(self) -> str:
        """Return what tells this class from another one, as text.

        Returns
        -------
        str

        Examples
        --------
        >>> from sklc.simulate import CLASSES
        >>> CLASSES["SNIb"].key() == CLASSES["SNIc"].key()
        False
        """
        z = np.array([0.1, 0.5, 1.0, 2.0])
        rate = None if self.rate is None else np.asarray(self.rate(z)).tolist()
        facts = (self.name, rate, self.bright, self.z_cap, self.z_min)
        return f"{facts}|{self.source.key()}"

    def z_max(self, deepest: float) -> float:
        """Redshift to which objects are drawn in a survey.

        Parameters
        ----------
        deepest : float
            5-sigma magnitude that the survey reaches in good nights.

        Returns
        -------
        float
            Where the brightest objects fade from sight, or `z_cap`.

        Examples
        --------
        >>> from sklc.simulate import CLASSES
        >>> CLASSES["SNIa"].z_max(21.5) < CLASSES["SNIa"].z_max(24.5)
        True
        """
        z = np.linspace(2 * self.z_min, self.z_cap, 600)
        seen = distance_modulus(z) + self.bright < deepest
        return float(np.round(z[seen].max(), 3)) if seen.any() else float(z[0])
