"""The interface of light sources, and code that several of them share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from sklc.simulate.spectra.grids import BandGrid, Bands
from sklc.simulate.spectra.templates import Template

__all__ = ["ChromaticScatter", "Kind", "Normal", "Objects", "Points", "Source"]

# Parameters of many objects: name to an array of shape (n_objects,). The engine adds "redshift",
# "distmod" and "mwebv" to what `Source.sample` draws.
Objects = dict[str, np.ndarray]


@dataclass(frozen=True)
class Points:
    """Observations of many objects, object by object.

    Parameters
    ----------
    owner : ndarray of int, shape (n_obs,)
        Object of each observation, ascending; times ascend within an object.
    days : ndarray of shape (n_obs,)
        Observer-frame days since the object's time zero.
    band : ndarray of int, shape (n_obs,)
        Index of the passband of each observation.
    """

    owner: np.ndarray
    days: np.ndarray
    band: np.ndarray


class Source(ABC):
    """A light source draws the parameters of objects and computes their fluxes.

    All methods work on flat arrays of many objects or observations. Subclasses are frozen
    dataclasses that hold only their settings. ``grid`` is the result of `prepare`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.simulate.sources import SALTSource
    >>> objects = SALTSource().sample(np.random.default_rng(0), np.array([0.05, 0.1]))
    >>> sorted(objects), objects["x1"].shape
    (['absolute_mag', 'c', 'x1'], (2,))
    """

    #: Objects in the Milky Way have no redshift, and apparent instead of absolute magnitudes.
    galactic: bool = False
    #: A light curve around its detections, or variability without beginning and end.
    transient: bool = True
    #: Total flux of the object, rather than the change that a difference image shows.
    total: bool = False
    #: Magnitudes by which scatter may brighten an object beyond `brightest`.
    margin: float = 0.3

    @abstractmethod
    def prepare(self, bands: Bands, z_max: float) -> BandGrid:
        """Build, or read from the cache, the table of band fluxes.

        Parameters
        ----------
        bands : Bands
            Passbands of the survey, with their transmission curves.
        z_max : float
            Largest redshift of the table.

        Returns
        -------
        BandGrid
        """

    @abstractmethod
    def sample(self, rng: np.random.Generator, redshift: np.ndarray) -> Objects:
        """Draw the parameters of objects at given redshifts.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of random numbers.
        redshift : ndarray of shape (n_objects,)
            Redshift of each object, 0 in the Milky Way.

        Returns
        -------
        dict of str to ndarray of shape (n_objects,)
        """

    @abstractmethod
    def brightest(self, grid: BandGrid, objects: Objects) -> np.ndarray:
        """Return the largest flux in each band, zero point 27.5.

        Parameters
        ----------
        grid : BandGrid
            The table of band fluxes that `Source.prepare` returned.
        objects : dict
            Parameters of the objects, as `Source.sample` draws them, with redshift,
            distmod and mwebv.

        Returns
        -------
        ndarray of shape (n_objects, n_bands)
        """

    @abstractmethod
    def flux(
        self, grid: BandGrid, objects: Objects, points: Points, rng: np.random.Generator
    ) -> np.ndarray:
        """Return the flux of observations, zero point 27.5.

        Parameters
        ----------
        grid : BandGrid
            The table of band fluxes that `Source.prepare` returned.
        objects : dict
            Parameters of the objects, as `Source.sample` draws them, with redshift,
            distmod and mwebv.
        points : Points
            Which object is observed, when and in which passband.
        rng : numpy.random.Generator
            Source of random numbers, for variations with time: scatter and damped random walks.

        Returns
        -------
        ndarray of shape (n_obs,)
        """

    @abstractmethod
    def span(self, grid: BandGrid, objects: Objects) -> tuple[np.ndarray, np.ndarray]:
        """Return observer-frame days since time zero of first and last light.

        Parameters
        ----------
        grid : BandGrid
            The table of band fluxes that `Source.prepare` returned.
        objects : dict
            Parameters of the objects, as `Source.sample` draws them, with redshift,
            distmod and mwebv.

        Returns
        -------
        start, stop : ndarray of shape (n_objects,)
        """

    @abstractmethod
    def truth(self, grid: BandGrid, objects: Objects) -> dict[str, np.ndarray]:
        """Return the true parameters, which become metadata.

        They include "template"; "explosion" and "peak" in observer-frame days since time zero, NaN
        where these are undefined; and any parameters of the model.

        Parameters
        ----------
        grid : BandGrid
            The table of band fluxes that `Source.prepare` returned.
        objects : dict
            Parameters of the objects, as `Source.sample` draws them, with redshift,
            distmod and mwebv.

        Returns
        -------
        dict of str to ndarray of shape (n_objects,)
        """

    def steady(self, grid: BandGrid, objects: Objects) -> np.ndarray | None:
        """Return the steady flux at the position of the object, which adds photon noise, or None.

        Parameters
        ----------
        grid : BandGrid
            The table of band fluxes that `Source.prepare` returned.
        objects : dict
            Parameters of the objects, as `Source.sample` draws them, with redshift,
            distmod and mwebv.

        Returns
        -------
        ndarray of shape (n_objects, n_bands), or None
        """
        return None

    def key(self) -> str:
        """Return a text that identifies this source.

        Returns
        -------
        str
        """
        return repr(self)


@dataclass(frozen=True)
class Normal:
    """A normal distribution cut at `cut` standard deviations, with a brighter or fainter side.

    Parameters
    ----------
    mean, sd : float
        Mean and standard deviation before the cut.
    cut : float, default=2.5
        Number of standard deviations at which the distribution is cut. Without a cut, objects of
        the bright tail would dominate a flux-limited sample.
    low, high : float, optional
        Limits of the values.

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.simulate.sources import Normal
    >>> draws = Normal(-17.0, 0.6).draw(np.random.default_rng(0), 1000)
    >>> bool(draws.min() >= -18.5)
    True
    """

    mean: float
    sd: float
    cut: float = 2.5
    low: float = -np.inf
    high: float = np.inf

    def draw(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """Draw values.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of random numbers.
        n : int
            Number of draws.

        Returns
        -------
        ndarray of shape (n,)

        Examples
        --------
        See `Normal`.
        """
        from scipy.stats import truncnorm

        if self.sd == 0:
            return np.full(n, float(self.mean))
        low = max((self.low - self.mean) / self.sd, -self.cut)
        high = min((self.high - self.mean) / self.sd, self.cut)
        return self.mean + self.sd * truncnorm.ppf(rng.random(n), low, high)


@dataclass(frozen=True)
class Kind:
    """One kind among the objects of a class: its templates and luminosity function.

    Parameters
    ----------
    fraction : float
        Share of the class, per volume; shares are normalised.
    absolute_mag : Normal
        Rest-frame AB magnitude at maximum in the source's reference band, before dust.
    templates : tuple of Template
        Spectral time series, each as likely as the others.

    Examples
    --------
    >>> from sklc.simulate.sources import Kind, Normal
    >>> from sklc.simulate.spectra.templates import Template
    >>> kind = Kind(1.0, Normal(-17.0, 0.6), (Template("v19-2009n-corr"),))
    >>> kind.templates[0].name
    'v19-2009n-corr'
    """

    fraction: float
    absolute_mag: Normal
    templates: tuple[Template, ...]


@dataclass(frozen=True)
class ChromaticScatter:
    """Smooth random deviations in magnitudes, correlated in wavelength and in phase.

    Normal deviates on knots in rest-frame wavelength and phase, interpolated linearly: part is
    common to all wavelengths, part is not, and part stays the same at all phases.

    Parameters
    ----------
    colour : float
        Standard deviation of the constant deviation at each knot in wavelength, magnitudes; after
        the chromatic scatter that Chotard et al. (2011, A&A 529, L4) find among SNe Ia.
    shape : float
        Standard deviation of the deviations that vary with phase.
    common : float, default=0.6
        Share of the variance of `shape` that all wavelengths have in common.
    days : float, default=15.0
        Rest-frame days between the knots in phase.

    Examples
    --------
    >>> from sklc.simulate.sources import ChromaticScatter
    >>> ChromaticScatter(colour=0.03, shape=0.03)
    ChromaticScatter(colour=0.03, shape=0.03, common=0.6, days=15.0)
    """

    colour: float
    shape: float
    common: float = 0.6
    days: float = 15.0

    _first, _last = -45.0, 150.0
    _knots = np.log(np.array([2200.0, 3000.0, 3900.0, 4900.0, 6200.0, 7800.0, 9800.0]))

    def magnitudes(
        self,
        rng: np.random.Generator,
        redshift: np.ndarray,
        effective: np.ndarray,
        owner: np.ndarray,
        phase: np.ndarray,
        band: np.ndarray,
    ) -> np.ndarray:
        """Draw the deviation of each observation.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of random numbers.
        redshift : ndarray of shape (n_objects,)
            Redshift of each object, 0 in the Milky Way.
        effective : ndarray of shape (n_bands,)
            Effective wavelengths in Angstrom.
        owner, phase, band : ndarray of shape (n_obs,)
            Object, rest-frame days and band of the observations.

        Returns
        -------
        ndarray of shape (n_obs,)

        Examples
        --------
        >>> import numpy as np
        >>> from sklc.simulate.sources import ChromaticScatter
        >>> rng, one = np.random.default_rng(0), np.zeros(1000, dtype=int)
        >>> scatter = ChromaticScatter(colour=0.0, shape=0.1)
        >>> objects = np.arange(1000)
        >>> z, wave, phase = np.zeros(1000), np.array([4900.0]), np.zeros(1000)
        >>> bool(0.09 < scatter.magnitudes(rng, z, wave, objects, phase, one).std() < 0.11)
        True
        """
        n, n_phase = len(redshift), int((self._last - self._first) / self.days) + 1
        n_wave = len(self._knots)
        own = rng.standard_normal((n, n_wave, n_phase), dtype=np.float32)
        shared = rng.standard_normal((n, 1, n_phase), dtype=np.float32)
        knots = np.sqrt(self.common) * shared + np.sqrt(1 - self.common) * own
        knots *= self.shape
        knots += self.colour * rng.standard_normal((n, n_wave, 1), dtype=np.float32)
        # bands of every object lie between two knots in wavelength
        wave = np.log(effective[None, :] / (1 + redshift[:, None]))
        position = np.interp(wave, self._knots, np.arange(n_wave))
        low = np.minimum(position.astype(np.int64), n_wave - 2)
        weight = (position - low).astype(np.float32)[..., None]
        rows = np.arange(n)[:, None]
        bands = (1 - weight) * knots[rows, low] + weight * knots[rows, low + 1]
        step = (np.clip(phase, self._first, self._last - 1e-6) - self._first) / self.days
        left = np.minimum(step.astype(np.int64), n_phase - 2)
        step = (step - left).astype(np.float32)
        flat = bands.reshape(-1)
        index = (owner * len(effective) + band) * n_phase + left
        return (1 - step) * flat[index] + step * flat[index + 1]


def amplitude(objects: Objects) -> np.ndarray:
    """Return the factor from 0 mag at 10 pc to the object's magnitude and distance."""
    return 10 ** (-0.4 * (objects["absolute_mag"] + objects["distmod"]))


def draw_dust(rng: np.random.Generator, n: int, scale: float) -> np.ndarray:
    """Draw E(B-V) of host dust: exponential, cut at six scales; 0 without a scale."""
    return np.minimum(rng.exponential(scale, n), 6 * scale) if scale else np.zeros(n)
