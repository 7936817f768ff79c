"""Blackbodies whose luminosity and temperature change: TDEs, and phenomenological outbursts."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from functools import cache

import numpy as np

from sklc.simulate.sources.base import Normal, Objects, Points, Source, draw_dust
from sklc.simulate.spectra import WAVE, planck, synthetic_magnitude
from sklc.simulate.spectra.grids import BandGrid, Bands, build_grid, cached_grid

__all__ = ["FallbackTDE", "ThermalPulse", "ThermalSource"]

LOG_TEMPERATURE = np.arange(3.3, 5.1001, 0.01)
_UNIT = 1e43  # erg/s of the tabulated spectra
_SIGMA = 5.670374e-5  # Stefan-Boltzmann, erg/s/cm2/K**4
_AREA = 4 * np.pi * (10 * 3.0856776e18) ** 2  # of a sphere of 10 pc, cm2


def thermal_spectra(cutoff: float) -> np.ndarray:
    """Blackbodies of 1e43 erg/s from 10 pc, shape (len(LOG_TEMPERATURE), len(WAVE)).

    Parameters
    ----------
    cutoff : float
        Wavelength in Angstrom below which flux is multiplied by wavelength / cutoff (line
        blanketing, as in Nicholl et al. 2017, ApJ 850, 55); 0 for no blanketing.

    Returns
    -------
    ndarray
    """
    temperature = 10.0 ** LOG_TEMPERATURE[:, None]
    shape = planck(WAVE, temperature) / (_SIGMA * temperature**4)
    if cutoff:
        shape = shape * np.minimum(1.0, WAVE / cutoff)
    return _UNIT / _AREA * shape


@cache
def unit_magnitude(band: str, cutoff: float) -> np.ndarray:
    """AB absolute magnitude of 1e43 erg/s at each of `LOG_TEMPERATURE`."""
    return synthetic_magnitude(thermal_spectra(cutoff), band)


@dataclass(frozen=True)
class ThermalSource(Source):
    """A source that radiates as one blackbody, with or without blanketed ultraviolet.

    Subclasses draw parameters and give `evolution`.

    Parameters
    ----------
    host_ebv : float
        Scale of the exponential distribution of the host's E(B-V).
    cutoff : float
        Wavelength in Angstrom below which flux falls in proportion to wavelength; 0 for no cutoff.

    Examples
    --------
    >>> from sklc.simulate.sources import FallbackTDE, ThermalSource
    >>> isinstance(FallbackTDE(host_ebv=0.1), ThermalSource)
    True
    """

    host_ebv: float = 0.05
    cutoff: float = 0.0

    def prepare(self, bands: Bands, z_max: float) -> BandGrid:
        """Build, or read from the cache, the table of band fluxes."""

        def build() -> BandGrid:
            return build_grid([thermal_spectra(self.cutoff)], LOG_TEMPERATURE, bands, z_max)

        key = ["thermal", self.cutoff, bands.key(), z_max, len(LOG_TEMPERATURE)]
        return cached_grid(key, build)

    @property
    def n_components(self) -> int:
        """Number of blackbodies that the source is made of."""
        return 1

    @abstractmethod
    def evolution(
        self, objects: Objects, owner: np.ndarray, days: np.ndarray, component: int = 0
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return log10 of luminosity (erg/s) and of temperature (K) at rest-frame days.

        Parameters
        ----------
        objects : dict
            Parameters of the objects, as `Source.sample` draws them, with redshift,
            distmod and mwebv.
        owner : ndarray of int, shape (n_obs,)
            Object of each observation.
        days : ndarray of shape (n_obs,)
            Rest-frame days since time zero.
        component : int, default=0
            Which of the blackbodies that the source is made of.

        Returns
        -------
        log_luminosity, log_temperature : ndarray of shape (n_obs,)
        """

    @abstractmethod
    def brightest_days(self, objects: Objects) -> np.ndarray:
        """Return rest-frame days near maximum.

        Parameters
        ----------
        objects : dict
            Parameters of the objects, as `Source.sample` draws them, with redshift,
            distmod and mwebv.

        Returns
        -------
        ndarray of shape (n_objects, n_days)
        """

    def brightest(self, grid: BandGrid, objects: Objects) -> np.ndarray:
        """Return the largest flux in each band, shape (n_objects, n_bands)."""
        days = self.brightest_days(objects)
        n, n_days = days.shape
        n_bands = grid.flux.shape[2]
        owner = np.repeat(np.arange(n), n_days * n_bands)
        band = np.tile(np.arange(n_bands), n * n_days)
        time = (days * (1 + objects["redshift"])[:, None]).ravel().repeat(n_bands)
        rng = np.random.default_rng(0)
        flux = self.flux(grid, objects, Points(owner, time, band), rng)
        return flux.reshape(n, n_days, n_bands).max(axis=1)

    def flux(
        self, grid: BandGrid, objects: Objects, points: Points, rng: np.random.Generator
    ) -> np.ndarray:
        """Return the flux of observations."""
        rest = points.days / (1 + objects["redshift"])[points.owner]
        zero = np.zeros(len(objects["redshift"]), dtype=np.int64)
        total = np.zeros(len(rest))
        for component in range(self.n_components):
            log_l, log_t = self.evolution(objects, points.owner, rest, component)
            unit = grid.lookup(zero, objects["redshift"], objects, points.owner, points.band, log_t)
            total += unit * 10 ** (log_l - np.log10(_UNIT) - 0.4 * objects["distmod"][points.owner])
        return total


@dataclass(frozen=True)
class FallbackTDE(ThermalSource):
    """Tidal disruption events: a Gaussian rise, and a decline as mass falls back.

    L = L_peak exp(-t**2 / 2 sigma**2) before maximum and L_peak ((t + t0) / t0)**(-5/3) after it
    (van Velzen et al. 2021, ApJ 908, 4; Phinney 1989), at a temperature that stays the same.

    Parameters
    ----------
    host_ebv, cutoff : float
        As for `ThermalSource`.
    log_temperature : Normal
        Distribution of log10 of the temperature in K.
    log_rise, log_decline : Normal
        Distributions of log10 of sigma and t0 in days.
    log_l_g : (float, float)
        Range of log10 of the peak nu L_nu at 6.3e14 Hz, erg/s, whose distribution is the broken
        power law of Yao et al. (2023, ApJ 955, L6): exponents .3 and 2.6 about 10**43.1.

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.simulate.sources import FallbackTDE
    >>> event = {"log_l_peak": [44.0], "log_temperature": [4.3], "rise": [8.0], "decline": [60.0]}
    >>> event = {name: np.array(value) for name, value in event.items()}
    >>> log_l, _ = FallbackTDE().evolution(event, np.zeros(3, int), np.array([-8.0, 0.0, 60.0]))
    >>> log_l.round(2)
    array([43.78, 44.  , 43.5 ])
    """

    log_temperature: Normal = Normal(4.22, 0.14)
    log_rise: Normal = Normal(1.0, 0.2)
    log_decline: Normal = Normal(1.85, 0.25)
    log_l_g: tuple[float, float] = (42.3, 44.4)

    def sample(self, rng: np.random.Generator, redshift: np.ndarray) -> Objects:
        """Draw luminosity, temperature and time scales."""
        n = len(redshift)
        log_l = np.linspace(*self.log_l_g, 400)
        ratio = 10 ** (log_l - 43.1)
        cumulative = np.cumsum(1 / (ratio**0.3 + ratio**2.6))
        log_l_g = np.interp(rng.random(n) * cumulative[-1], cumulative, log_l)
        log_temperature = self.log_temperature.draw(rng, n)
        # nu L_nu at 6.3e14 Hz (4759 Angstrom) of a blackbody, as a share of its luminosity
        temperature = 10**log_temperature
        share = 4759.0 * planck(4759.0, temperature) / (_SIGMA * temperature**4)
        log_l_peak = log_l_g - np.log10(share)
        mag = np.interp(log_temperature, LOG_TEMPERATURE, unit_magnitude("sdssg", self.cutoff))
        return {
            "log_l_peak": log_l_peak,
            "log_temperature": log_temperature,
            "rise": 10 ** self.log_rise.draw(rng, n),
            "decline": 10 ** self.log_decline.draw(rng, n),
            "absolute_mag": mag - 2.5 * (log_l_peak - 43.0),
            "host_ebv": draw_dust(rng, n, self.host_ebv),
        }

    def evolution(
        self, objects: Objects, owner: np.ndarray, days: np.ndarray, component: int = 0
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return log10 of luminosity (erg/s) and of temperature (K); time zero is maximum."""
        rising = -0.5 * np.log10(np.e) * (np.minimum(days, 0) / objects["rise"][owner]) ** 2
        falling = -5 / 3 * np.log10(1 + np.maximum(days, 0) / objects["decline"][owner])
        return (
            objects["log_l_peak"][owner] + np.maximum(rising, -9.0) + falling,
            objects["log_temperature"][owner],
        )

    def brightest_days(self, objects: Objects) -> np.ndarray:
        """Return maximum alone: the temperature does not change."""
        return np.zeros((len(objects["redshift"]), 1))

    def span(self, grid: BandGrid, objects: Objects) -> tuple[np.ndarray, np.ndarray]:
        """Return observer-frame days since maximum of first and last light."""
        pace = 1 + objects["redshift"]
        return -4.0 * objects["rise"] * pace, np.minimum(5 * objects["decline"], 500.0) * pace

    def truth(self, grid: BandGrid, objects: Objects) -> dict[str, np.ndarray]:
        """Return luminosity, temperature, time scales, and times."""
        unknown = np.full(len(objects["redshift"]), np.nan)
        return _outburst(objects, "blackbody-fallback", unknown)


@dataclass(frozen=True)
class ThermalPulse(ThermalSource):
    """A phenomenological outburst: Gaussian rise, exponential decline, cooling blackbody.

    Parameters
    ----------
    host_ebv, cutoff : float
        As for `ThermalSource`.
    absolute_mag : Normal
        AB magnitude in the rest-frame SDSS g at maximum; apparent for objects of the Milky Way.
    rise : Normal
        Distribution of log10 of the standard deviation of the rise in days.
    decline : Normal
        Distribution of log10 of the decline rate in bolometric magnitudes per day.
    hot, cool : Normal
        Distributions of log10 of the temperature (K) at maximum and late.
    cooling : float
        Days in which the temperature falls by 1/e of the way.
    plateau : Normal
        Days at maximum before the decline.
    galactic : bool
        Whether objects are in the Milky Way, where magnitudes are apparent.
    name : str
        Name of the model in the metadata column "template".

    Examples
    --------
    >>> from sklc.simulate.sources import Normal, ThermalPulse
    >>> source = ThermalPulse(absolute_mag=Normal(-12.0, 1.0), plateau=Normal(60.0, 20.0))
    >>> source.cooling
    20.0
    """

    absolute_mag: Normal = Normal(-19.0, 0.8)
    rise: Normal = Normal(0.7, 0.15)
    decline: Normal = Normal(-1.2, 0.1)
    hot: Normal = Normal(4.1, 0.08)
    cool: Normal = Normal(3.8, 0.04)
    cooling: float = 20.0
    plateau: Normal = Normal(0.0, 0.0)
    galactic: bool = False
    name: str = "thermal-pulse"

    def sample(self, rng: np.random.Generator, redshift: np.ndarray) -> Objects:
        """Draw magnitude, temperatures and time scales."""
        n = len(redshift)
        hot = self.hot.draw(rng, n)
        absolute_mag = self.absolute_mag.draw(rng, n)
        mag = np.interp(hot, LOG_TEMPERATURE, unit_magnitude("sdssg", self.cutoff))
        return {
            "absolute_mag": absolute_mag,
            "log_l_peak": 43.0 + 0.4 * (mag - absolute_mag),
            "log_temperature": hot,
            "cool": np.minimum(self.cool.draw(rng, n), hot),
            "rise": 10 ** self.rise.draw(rng, n),
            "decline": 10 ** self.decline.draw(rng, n),
            "plateau": np.maximum(self.plateau.draw(rng, n), 0.0),
            "host_ebv": draw_dust(rng, n, self.host_ebv),
        }

    def evolution(
        self, objects: Objects, owner: np.ndarray, days: np.ndarray, component: int = 0
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return log10 of luminosity (erg/s) and of temperature (K); time zero is maximum."""
        rising = -0.5 * np.log10(np.e) * (np.minimum(days, 0) / objects["rise"][owner]) ** 2
        after = np.maximum(days - objects["plateau"][owner], 0.0)
        falling = -0.4 * objects["decline"][owner] * after
        hot, cool = objects["log_temperature"][owner], objects["cool"][owner]
        temperature = cool + (hot - cool) * np.exp(-np.maximum(days, 0.0) / self.cooling)
        return objects["log_l_peak"][owner] + np.maximum(rising, -9.0) + falling, temperature

    def brightest_days(self, objects: Objects) -> np.ndarray:
        """Return days on which red bands, too, come to their maximum."""
        steps = np.array([0.0, 0.5, 1.0, 2.0])
        return objects["plateau"][:, None] * (steps > 0) + self.cooling * steps

    def span(self, grid: BandGrid, objects: Objects) -> tuple[np.ndarray, np.ndarray]:
        """Return observer-frame days since maximum of first and last light."""
        pace = 1 + objects["redshift"]
        stop = np.minimum(objects["plateau"] + 5.0 / objects["decline"], 500.0)
        return -4.0 * objects["rise"] * pace, stop * pace

    def truth(self, grid: BandGrid, objects: Objects) -> dict[str, np.ndarray]:
        """Return luminosity, temperature, time scales, and times."""
        first_light = -4.0 * objects["rise"] * (1 + objects["redshift"])
        return _outburst(objects, self.name, first_light)


def _outburst(objects: Objects, name: str, explosion: np.ndarray) -> dict[str, np.ndarray]:
    """Return the true parameters of outbursts whose time zero is maximum."""
    n = len(explosion)
    own = {key: objects[key] for key in ("log_l_peak", "log_temperature", "rise", "decline")}
    return {
        "template": np.full(n, name, dtype=object),
        "host_ebv": objects["host_ebv"],
        "peak_absmag": objects["absolute_mag"],
        "explosion": explosion,
        "peak": np.zeros(n),
    } | own
