"""What all variable stars in total flux share: brightness, colour, folding and irregularity."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np

from sklc.simulate.sources.base import Normal, Objects, Points, Source
from sklc.simulate.sources.thermal import LOG_TEMPERATURE
from sklc.simulate.spectra import planck
from sklc.simulate.spectra.grids import (
    MILKY_WAY,
    SLOPE_STRIDE,
    ZERO_POINT,
    BandGrid,
    Bands,
    cached_grid,
)

__all__ = ["REFERENCE", "Mixture", "Modulation", "Relation", "VariableStar", "fold", "pick"]

#: Wavelength in Angstrom at which magnitudes and amplitudes of stars are drawn: that of V.
REFERENCE = 5500.0


@dataclass(frozen=True)
class Mixture:
    """A mixture of normal distributions, for log10 of periods.

    Parameters
    ----------
    *parts : tuple of (float, float, float)
        Share, mean and standard deviation of each part; cut at 2.5 standard deviations.

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.simulate.sources.variable import Mixture
    >>> draws = Mixture((0.5, 0.0, 0.1), (0.5, 1.0, 0.1)).draw(np.random.default_rng(0), 1000)
    >>> bool(0.4 < np.mean(draws > 0.5) < 0.6)
    True
    """

    parts: tuple[tuple[float, float, float], ...]

    def __init__(self, *parts: tuple[float, float, float]) -> None:
        object.__setattr__(self, "parts", parts)

    def draw(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """Draw n values.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of random numbers.
        n : int
            Number of draws.

        Returns
        -------
        ndarray of shape (n,)
        """
        share, mean, sd = np.array(self.parts).T
        part = rng.choice(len(share), n, p=share / share.sum())
        return mean[part] + sd[part] * np.clip(rng.standard_normal(n), -2.5, 2.5)


@dataclass(frozen=True)
class Relation:
    """A quantity that depends on log10 of the period: linear between knots, with scatter.

    Parameters
    ----------
    knots : tuple of (float, float)
        Pairs of log10(period in days) and value; constant beyond the first and the last.
    scatter : float
        Standard deviation about the relation, cut at 2.5.
    low, high : float, optional
        Limits of the values.

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.simulate.sources.variable import Relation
    >>> relation = Relation(((0.0, 1.0), (1.0, 2.0)), scatter=0.0)
    >>> relation.draw(np.random.default_rng(0), np.array([-1.0, 0.5])).tolist()
    [1.0, 1.5]
    """

    knots: tuple[tuple[float, float], ...]
    scatter: float
    low: float = -np.inf
    high: float = np.inf

    def draw(self, rng: np.random.Generator, log_period: np.ndarray) -> np.ndarray:
        """Draw a value for each period.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of random numbers.
        log_period : ndarray of shape (n,)
            Log10 of the periods in days.

        Returns
        -------
        ndarray of shape (n,)
        """
        deviate = np.clip(rng.standard_normal(len(log_period)), -2.5, 2.5)
        values = np.interp(log_period, *np.array(self.knots).T) + self.scatter * deviate
        return np.clip(values, self.low, self.high)


def pick(rng: np.random.Generator, shares: list[float], n: int) -> np.ndarray:
    """Draw which of several kinds each of n objects is; shares are normalised."""
    return rng.choice(len(shares), n, p=np.array(shares) / np.sum(shares))


def fold(table: np.ndarray, owner: np.ndarray, cycles: np.ndarray) -> np.ndarray:
    """Look up a curve of one cycle.

    Parameters
    ----------
    table : ndarray of shape (n_objects, n_phases)
        Values at equal steps of phase, from 0.
    owner : ndarray of int, shape (n_obs,)
        Object of each observation.
    cycles : ndarray of shape (n_obs,)
        Cycles since phase 0.

    Returns
    -------
    ndarray of shape (n_obs,)

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.simulate.sources.variable import fold
    >>> fold(np.array([[0.0, 1.0]]), np.zeros(3, int), np.array([0.25, 1.5, -0.25])).tolist()
    [0.5, 1.0, 0.5]
    """
    n = table.shape[1]
    position = (cycles - np.floor(cycles)) * n
    left = np.minimum(position.astype(np.int64), n - 1)
    weight = position - left
    flat, base = table.reshape(-1), owner * n
    near, far = flat[base + left], flat[base + np.where(left == n - 1, 0, left + 1)]
    return near + weight * (far - near)


@dataclass(frozen=True)
class Modulation:
    """Slow changes of amplitude, phase and mean, as sums of two sines of unrelated periods.

    Parameters
    ----------
    amplitude : Normal
        Relative change of the amplitude: standard deviation in time of each star.
    phase : Normal
        Change of the phase in cycles, as a standard deviation.
    trend : Normal
        Change of the mean as a share of the star's amplitude, as a standard deviation.
    log_cycles : (float, float)
        Range of log10 of the time scale in cycles.

    Examples
    --------
    >>> from sklc.simulate.sources import Normal
    >>> from sklc.simulate.sources.variable import Modulation
    >>> Modulation(amplitude=Normal(0.3, 0.1)).trend
    Normal(mean=0.0, sd=0.0, cut=2.5, low=-inf, high=inf)
    """

    amplitude: Normal = Normal(0.0, 0.0)
    phase: Normal = Normal(0.0, 0.0)
    trend: Normal = Normal(0.0, 0.0)
    log_cycles: tuple[float, float] = (1.0, 2.0)

    def draw(self, rng: np.random.Generator, n: int) -> Objects:
        """Draw the parameters of n stars.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of random numbers.
        n : int
            Number of draws.

        Returns
        -------
        dict of str to ndarray of shape (n,)
        """
        own = {
            f"mod_{name}": np.maximum(getattr(self, name).draw(rng, n), 0.0)
            for name in ("amplitude", "phase", "trend")
        }
        own["mod_cycles"] = 10 ** rng.uniform(*self.log_cycles, n)
        return own | {f"mod_start{k}": rng.random(n) for k in range(6)}

    def curves(self, objects: Objects, owner: np.ndarray, cycles: np.ndarray) -> list[np.ndarray]:
        """Return factor of the amplitude, shift in cycles and shift of the mean at each time.

        Parameters
        ----------
        objects : dict
            Parameters of the stars, as `draw` returns them.
        owner : ndarray of int, shape (n_obs,)
            Object of each observation.
        cycles : ndarray of shape (n_obs,)
            Cycles since time zero.

        Returns
        -------
        list of three ndarray of shape (n_obs,)

        Examples
        --------
        See `PulsatingStar`, which uses it.
        """
        slow = cycles / objects["mod_cycles"][owner]
        out = []
        for k, name in enumerate(("amplitude", "phase", "trend")):
            size = objects[f"mod_{name}"]
            if not size.any():
                out.append(np.zeros(len(owner)))
                continue
            one, two = (objects[f"mod_start{2 * k + j}"][owner] for j in (0, 1))
            wave = np.sin(2 * np.pi * (slow + one))
            wave += 0.7 * np.sin(2 * np.pi * (slow * (0.37 + one) + two))
            out.append(1.16 * size[owner] * wave)  # 1.16: unit variance
        out[0] = np.maximum(1 + out[0], 0.1)
        return out


@dataclass(frozen=True)
class VariableStar(Source):
    """A star of the Milky Way in total flux: its mean light, and how it varies.

    The mean spectrum is a blackbody, reddened by the dust of the Milky Way. Amplitudes are drawn
    at 5500 Angstrom and are (wavelength / 5500 Angstrom)**(-chroma) times as large in other bands,
    so that any passband can be simulated. Apparent magnitudes are uniform, and a survey selects
    those between its saturation and its depth.

    Parameters
    ----------
    log_temperature : Normal
        Distribution of log10 of the temperature in K.
    chroma : Normal
        Distribution of the exponent of the ratio of amplitudes.
    mag : (float, float)
        Range of the mean AB magnitude at 5500 Angstrom, before dust.

    Examples
    --------
    >>> from sklc.simulate import CLASSES
    >>> from sklc.simulate.sources import VariableStar
    >>> isinstance(CLASSES["RRab"].source, VariableStar)
    True
    """

    log_temperature: Normal = Normal(3.76, 0.05)
    chroma: Normal = Normal(0.6, 0.1)
    mag: tuple[float, float] = (3.0, 25.0)

    galactic = True
    transient = False
    total = True
    margin = 0.3

    @abstractmethod
    def draw(self, rng: np.random.Generator, n: int) -> Objects:
        """Draw what the variability depends on; "period" (d) and "amplitude" (mag) among it.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of random numbers.
        n : int
            Number of draws.

        Returns
        -------
        dict of str to ndarray of shape (n,)
        """

    @abstractmethod
    def relative_flux(
        self, objects: Objects, points: Points, effective: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """Return the flux of observations relative to the star's mean light in their band.

        Parameters
        ----------
        objects : dict
            Parameters of the objects, as `Source.sample` draws them, with redshift,
            distmod and mwebv.
        points : Points
            Which object is observed, when and in which passband.
        effective : ndarray of shape (n_bands,)
            Effective wavelengths in Angstrom.
        rng : numpy.random.Generator
            Source of random numbers.

        Returns
        -------
        ndarray of shape (n_obs,)
        """

    def kinds(self, objects: Objects) -> np.ndarray:
        """Return the name of the kind of each star, which becomes the column "template".

        Parameters
        ----------
        objects : dict
            Parameters of the objects, as `Source.sample` draws them, with redshift,
            distmod and mwebv.

        Returns
        -------
        ndarray of str, shape (n_objects,)
        """
        return np.full(len(objects["mag"]), type(self).__name__, dtype=object)

    def prepare(self, bands: Bands, z_max: float) -> BandGrid:
        """Build, or read from the cache, the table of band fluxes."""
        key = ["variable star", bands.key(), len(LOG_TEMPERATURE)]
        return cached_grid(key, lambda: _blackbodies(bands))

    def sample(self, rng: np.random.Generator, redshift: np.ndarray) -> Objects:
        """Draw brightness, temperature and variability."""
        n = len(redshift)
        return {
            "mag": rng.uniform(*self.mag, n),
            "log_temperature": self.log_temperature.draw(rng, n),
            "chroma": self.chroma.draw(rng, n),
            "phase": rng.random(n),
            **self.draw(rng, n),
        }

    def mean_flux(self, grid: BandGrid, objects: Objects) -> np.ndarray:
        """Return the mean flux in each band, shape (n_objects, n_bands).

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
        n, n_bands = len(objects["mag"]), grid.flux.shape[2]
        owner, band = (index.ravel() for index in np.indices((n, n_bands)))
        zero = np.zeros(n, dtype=np.int64)
        log_t = objects["log_temperature"][owner]
        unit = grid.lookup(zero, np.zeros(n), objects, owner, band, log_t).astype(np.float64)
        return (unit * 10 ** (-0.4 * objects["mag"][owner])).reshape(n, n_bands)

    def brightest(self, grid: BandGrid, objects: Objects) -> np.ndarray:
        """Return the flux at maximum light, (n_objects, n_bands)."""
        return self.mean_flux(grid, objects) * 10 ** (0.2 * objects["amplitude"])[:, None]

    def flux(
        self, grid: BandGrid, objects: Objects, points: Points, rng: np.random.Generator
    ) -> np.ndarray:
        """Return the total flux of observations."""
        own = points.owner * grid.flux.shape[2] + points.band
        mean = self.mean_flux(grid, objects).reshape(-1)[own]
        return mean * self.relative_flux(objects, points, grid.effective, rng)

    def span(self, grid: BandGrid, objects: Objects) -> tuple[np.ndarray, np.ndarray]:
        """Return all times: stars are followed for as long as the survey lasts."""
        n = len(objects["mag"])
        return np.zeros(n), np.full(n, np.inf)

    def truth(self, grid: BandGrid, objects: Objects) -> dict[str, np.ndarray]:
        """Return kind, period (days, NaN if not periodic), amplitude and temperature."""
        unknown = np.full(len(objects["mag"]), np.nan)
        return {
            "template": self.kinds(objects),
            "peak_absmag": unknown,
            "explosion": unknown,
            "peak": unknown,
            "period": objects["period"],
            "amplitude": objects["amplitude"],
            "log_temperature": objects["log_temperature"],
        }


def scaled(
    magnitudes: np.ndarray, objects: Objects, points: Points, effective: np.ndarray
) -> np.ndarray:
    """Return relative fluxes of magnitudes at 5500 Angstrom, with amplitudes of each band."""
    ratio = (effective[None, :] / REFERENCE) ** -objects["chroma"][:, None]
    ratio = ratio.reshape(-1)[points.owner * len(effective) + points.band]
    return np.exp(-0.4 * np.log(10) * magnitudes * ratio)


def _blackbodies(bands: Bands) -> BandGrid:
    """Return the table of blackbodies of 0 mag AB at the reference wavelength, at redshift 0.

    They are integrated over the transmission curves themselves, in ultraviolet and infrared, too.
    """
    temperature = 10.0 ** LOG_TEMPERATURE[:, None]
    coarse = slice(None, None, SLOPE_STRIDE)
    flux, slopes = [], []
    for wave, transmission in bands.curves:
        shape = planck(wave, temperature) / planck(REFERENCE, temperature) / REFERENCE**2
        norm = np.trapezoid(transmission / wave, wave)

        def integrate(ebv: float, shape=shape, norm=norm, wave=wave, curve=transmission):
            photons = curve * wave * 10 ** (-0.4 * ebv * MILKY_WAY.magnitudes(wave))
            return np.trapezoid(shape * photons, wave) / norm

        plain = integrate(0.0)
        small, large = (np.log(integrate(e) / plain) / e for e in (0.1, 0.5))
        curvature = (large - small) / 0.4
        flux.append(plain * 10 ** (0.4 * ZERO_POINT))
        slopes.append(np.stack([small - 0.1 * curvature, curvature], axis=-1)[coarse])
    # two redshifts alike, since the table is interpolated in redshift
    two = np.stack([np.array(flux)] * 2)[None].astype(np.float32)
    both = np.stack([np.array(slopes)] * 2)[None, ..., None, :].astype(np.float32)
    info = np.zeros((1, 0))
    return BandGrid(two, both, LOG_TEMPERATURE, (MILKY_WAY.name,), info, bands.effective)
