"""`SourceClass`: a class of objects, its light source, and how often it occurs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sklc.cosmology import distance_modulus
from sklc.simulate.classes.rates import Rate, star_formation
from sklc.simulate.sources import Source

__all__ = ["SourceClass"]


@dataclass(frozen=True)
class SourceClass:
    """A class of objects: its light source and where it occurs.

    Parameters
    ----------
    name : str
        Name of the class, which becomes the metadata column "class".
    source : Source
        Light source of the objects.
    rate : callable or None
        Events per comoving volume and time as a function of redshift; None for a distribution
        that is flat in redshift.
    bright : float, default=-20.0
        Absolute magnitude of the brightest objects, which determines how far a survey sees.
    z_cap : float, default=3.0
        Largest redshift that is drawn unless ``z_max`` is given.
    z_min : float, default=0.003
        Smallest redshift that is drawn.

    Examples
    --------
    A class of your own can be made from any spectral time series of sncosmo:

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
        """Return a text that identifies this class and its source.

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
        """Return the redshift up to which objects are drawn in a survey.

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
