"""Ejecta heated from within: magnetars (SLSN-I), nickel (PISN), r-process decay (kilonovae)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np

from sklc.simulate.sources.base import Normal, Objects, draw_dust
from sklc.simulate.sources.thermal import LOG_TEMPERATURE, ThermalSource, unit_magnitude
from sklc.simulate.spectra.grids import BandGrid

__all__ = [
    "DiffusionSource",
    "Kilonova",
    "Magnetar",
    "Nickel",
    "diffused_luminosity",
    "magnetar_power",
    "nickel_power",
    "r_process_power",
]

DAY = 86400.0
_SOLAR_MASS = 1.98847e33
_LIGHT = 2.99792458e10  # cm/s
_SIGMA = 5.670374e-5
_LOG_TIME = np.linspace(-1.0, 2.85, 200)  # log10 of rest-frame days since explosion: .1 to 700


def magnetar_power(seconds: np.ndarray, period_ms: np.ndarray, b_14: np.ndarray) -> np.ndarray:
    """Spin-down luminosity of a magnetar of 1.4 solar masses, erg/s.

    E / tau (1 + t/tau)**-2 with E = 2.6e52 P**-2 erg and tau = 1.3e5 P**2 B**-2 s
    (Kasen & Bildsten 2010, ApJ 717, 245; Nicholl et al. 2017, ApJ 850, 55, equations 2 to 4).

    Parameters
    ----------
    seconds : ndarray
        Seconds since explosion.
    period_ms : ndarray
        Initial spin period in milliseconds.
    b_14 : ndarray
        Magnetic field in 1e14 G.

    Returns
    -------
    ndarray
    """
    tau = 1.3e5 * period_ms**2 / b_14**2
    return 2.6e52 / period_ms**2 / tau / (1 + seconds / tau) ** 2


def nickel_power(seconds: np.ndarray, nickel_mass: np.ndarray) -> np.ndarray:
    """Heating by 56Ni and 56Co, erg/s (Nadyozhin 1994, ApJS 92, 527), per mass in solar masses."""
    days = seconds / DAY
    return nickel_mass * (6.45e43 * np.exp(-days / 8.8) + 1.45e43 * np.exp(-days / 111.3))


def r_process_power(seconds: np.ndarray, mass: np.ndarray) -> np.ndarray:
    """Heating by r-process decay, erg/s (Korobkin et al. 2012, MNRAS 426, 1940, equation 4).

    Half of it is taken to thermalise (Barnes et al. 2016, ApJ 829, 110).
    """
    rate = 4e18 * (0.5 - np.arctan((seconds - 1.3) / 0.11) / np.pi) ** 1.3
    return 0.5 * mass * _SOLAR_MASS * rate


def diffused_luminosity(
    power: Callable[[np.ndarray], np.ndarray],
    days: np.ndarray,
    diffusion_days: np.ndarray,
    leakage_days: np.ndarray | float = np.inf,
) -> np.ndarray:
    """Luminosity of expanding ejecta with a central source (Arnett 1982, ApJ 253, 785).

    L(t) = exp(-(t/td)**2) integral_0^t P(t') 2 t'/td**2 exp((t'/td)**2) dt' (1 - exp(-(tl/t)**2))

    Parameters
    ----------
    power : callable
        Power in erg/s at seconds since explosion, an array that broadcasts to (n, n_times).
    days : ndarray of shape (n_times,)
        Days since explosion, ascending.
    diffusion_days : ndarray of shape (n,)
        Diffusion time td in days.
    leakage_days : ndarray of shape (n,) or float
        Leakage time tl in days, when the ejecta become transparent to gamma rays.

    Returns
    -------
    ndarray of shape (n, n_times)

    Notes
    -----
    Between two times the power is taken as linear in t**2, for which the step is exact, and before
    the first as constant.
    """
    squares = days**2
    first = -np.expm1(-squares[0] / diffusion_days**2)
    level = power(np.array([[0.5 * days[0] * DAY]]))[:, 0] * first
    heat = np.broadcast_to(power(days[None, :] * DAY), (len(diffusion_days), len(days)))
    out = np.empty(heat.shape)
    out[:, 0] = level
    for k in range(1, len(days)):
        step = (squares[k] - squares[k - 1]) / diffusion_days**2
        kept, mean = np.exp(-step), -np.expm1(-step) / step
        level = level * kept + heat[:, k - 1] * (mean - kept) + heat[:, k] * (1 - mean)
        out[:, k] = level
    leakage = np.broadcast_to(np.asarray(leakage_days, dtype=float), (len(diffusion_days),))
    return out * -np.expm1(-((leakage[:, None] / days) ** 2))


def diffusion_time(
    opacity: np.ndarray | float, mass: np.ndarray, velocity: np.ndarray
) -> np.ndarray:
    """Return td = (2 kappa M / (13.7 c v))**.5 in days; cm2/g, solar masses, cm/s."""
    return np.sqrt(2 * opacity * mass * _SOLAR_MASS / (13.7 * _LIGHT * velocity)) / DAY


def photosphere(
    luminosity: np.ndarray, days: np.ndarray, velocity: np.ndarray, floor: np.ndarray
) -> np.ndarray:
    """Return the temperature of a photosphere at v t, not below a floor (Nicholl et al. 2017)."""
    radius = velocity[:, None] * days * DAY
    temperature = (np.maximum(luminosity, 1e20) / (4 * np.pi * _SIGMA * radius**2)) ** 0.25
    return np.maximum(temperature, floor[:, None])


def _component(
    parameters: dict[str, np.ndarray],
    days: np.ndarray,
    power: Callable[[np.ndarray], np.ndarray],
    opacity: np.ndarray | float,
    leakage: np.ndarray | float = np.inf,
) -> tuple[np.ndarray, np.ndarray]:
    """Return luminosity (erg/s) and temperature (K) of ejecta with these parameters."""
    velocity, floor = parameters["velocity"], parameters["temperature_floor"]
    diffusion = diffusion_time(opacity, parameters["ejecta_mass"], velocity)
    luminosity = diffused_luminosity(power, days, diffusion, leakage)
    return luminosity, photosphere(luminosity, days, velocity, floor)


@dataclass(frozen=True, eq=False)
class Library:
    """Light curves of many models on a common grid of time.

    Parameters
    ----------
    log_luminosity, log_temperature : ndarray of shape (n_components, n_models, n_times)
        Luminosity (erg/s) and temperature (K) of each component.
    absolute_mag : ndarray of shape (n_models,)
        Rest-frame SDSS g at maximum, AB.
    cumulative : ndarray of shape (n_models,)
        Cumulative sum of the weights with which models are drawn.
    parameters : dict
        Name to an array of shape (n_models,).
    """

    log_luminosity: np.ndarray
    log_temperature: np.ndarray
    absolute_mag: np.ndarray
    cumulative: np.ndarray
    parameters: dict[str, np.ndarray]


@dataclass(frozen=True)
class DiffusionSource(ThermalSource):
    """Ejecta of one or two components, heated from within.

    A library of models is computed once; objects are drawn from it, with weights that give the
    luminosity function asked for.

    Parameters
    ----------
    host_ebv, cutoff : float
        As for `ThermalSource`.
    luminosity : Normal, optional
        Distribution of the rest-frame g magnitude at maximum to which models are weighted.
    n_models : int, default=6000
        Number of models that are computed once, from which objects are drawn.

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.simulate.sources import DiffusionSource, Magnetar
    >>> isinstance(Magnetar(), DiffusionSource)
    True
    >>> Magnetar().draw(np.random.default_rng(0), 3)["ejecta_mass"].shape
    (3,)
    """

    luminosity: Normal | None = None
    n_models: int = 6000

    @abstractmethod
    def draw(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        """Draw physical parameters.

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
    def solve(self, parameters: dict[str, np.ndarray], days: np.ndarray) -> list[tuple]:
        """Return luminosity (erg/s) and temperature (K) of each component.

        Parameters
        ----------
        parameters : dict
            Physical parameters of the models, as `draw` returns them.
        days : ndarray
            Rest-frame days since explosion, ascending.

        Returns
        -------
        list of (ndarray, ndarray)
            One pair per component, of shape (n, len(days)).
        """

    def models(self) -> Library:
        """Return the models; computed on first use.

        Returns
        -------
        Library
        """
        return _library(self)

    def sample(self, rng: np.random.Generator, redshift: np.ndarray) -> Objects:
        """Draw models of the library, and host dust."""
        library = self.models()
        n = len(redshift)
        model = np.searchsorted(library.cumulative, rng.random(n) * library.cumulative[-1])
        return {
            "model": model,
            "absolute_mag": library.absolute_mag[model],
            "host_ebv": draw_dust(rng, n, self.host_ebv),
        }

    def evolution(
        self, objects: Objects, owner: np.ndarray, days: np.ndarray, component: int = 0
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return log10 of luminosity (erg/s) and of temperature (K); time zero is explosion."""
        library = self.models()
        n_times = len(_LOG_TIME)
        log_days = np.log10(np.maximum(days, 1e-9))
        position = (log_days - _LOG_TIME[0]) / (_LOG_TIME[1] - _LOG_TIME[0])
        position = np.clip(position, 0.0, n_times - 1.001)
        low = position.astype(np.int64)
        weight = position - low
        index = objects["model"][owner] * n_times + low
        values = []
        for table in (library.log_luminosity, library.log_temperature):
            flat = table[component].reshape(-1)
            values.append((1 - weight) * flat[index] + weight * flat[index + 1])
        # the first hours: nothing before the explosion, then a steep rise
        dark = np.where(log_days < _LOG_TIME[0], 2 * (log_days - _LOG_TIME[0]), 0.0)
        return values[0] + np.maximum(dark, -20.0), values[1]

    @property
    def n_components(self) -> int:
        """Number of components of the ejecta."""
        return self.models().log_luminosity.shape[0]

    def brightest_days(self, objects: Objects) -> np.ndarray:
        """Return days around the bolometric maximum, early to late."""
        log_l = self.models().log_luminosity
        peak = 10 ** _LOG_TIME[log_l.argmax(axis=2)]  # (n_components, n_models)
        days = peak[:, objects["model"]].T
        return np.concatenate([days * 0.6, days, days * 1.7], axis=1)

    def span(self, grid: BandGrid, objects: Objects) -> tuple[np.ndarray, np.ndarray]:
        """Return observer-frame days since explosion of first and last light."""
        log_l = self.models().log_luminosity.max(axis=0)
        bright = log_l > log_l.max(axis=1, keepdims=True) - 2.0
        last = 10 ** _LOG_TIME[len(_LOG_TIME) - 1 - bright[:, ::-1].argmax(axis=1)]
        pace = 1 + objects["redshift"]
        return np.zeros(len(pace)), np.minimum(last[objects["model"]], 500.0) * pace

    def truth(self, grid: BandGrid, objects: Objects) -> dict[str, np.ndarray]:
        """Return the physical parameters, dust, and times."""
        library = self.models()
        log_l = library.log_luminosity.max(axis=0)
        peak = 10 ** _LOG_TIME[log_l.argmax(axis=1)]
        n = len(objects["redshift"])
        name = type(self).__name__.lower()
        return {
            "template": np.full(n, name, dtype=object),
            "host_ebv": objects["host_ebv"],
            "peak_absmag": objects["absolute_mag"],
            "explosion": np.zeros(n),
            "peak": peak[objects["model"]] * (1 + objects["redshift"]),
            **{k: v[objects["model"]] for k, v in library.parameters.items()},
        }


@lru_cache(maxsize=16)
def _library(source: DiffusionSource) -> Library:
    rng = np.random.default_rng(20251)
    parameters = source.draw(rng, source.n_models)
    days = 10**_LOG_TIME
    components = source.solve(parameters, days)
    log_l = np.log10(np.maximum([c[0] for c in components], 1e20))
    log_t = np.clip(np.log10([c[1] for c in components]), LOG_TEMPERATURE[0], LOG_TEMPERATURE[-1])
    unit = unit_magnitude("sdssg", source.cutoff)
    per_component = np.interp(log_t, LOG_TEMPERATURE, unit) - 2.5 * (log_l - 43.0)
    absolute_mag = -2.5 * np.log10(np.sum(10 ** (-0.4 * per_component), axis=0).max(axis=1))
    weights = np.ones(source.n_models)
    if source.luminosity is not None:
        target = source.luminosity
        counts, edges = np.histogram(absolute_mag, bins=np.arange(-26.0, -10.0, 0.25))
        density = np.interp(absolute_mag, 0.5 * (edges[1:] + edges[:-1]), counts)
        deviate = (absolute_mag - target.mean) / target.sd
        inside = (absolute_mag >= target.low) & (absolute_mag <= target.high)
        inside &= np.abs(deviate) <= target.cut
        weights = np.where(inside, np.exp(-0.5 * deviate**2) / np.maximum(density, 3.0), 0.0)
    return Library(log_l, log_t, absolute_mag, np.cumsum(weights), parameters)


def _log_normal(
    rng: np.random.Generator, n: int, median: float, low: float, high: float
) -> np.ndarray:
    """Draw with the given median and 16th and 84th percentiles, within 2.5 sd."""
    deviate = np.clip(rng.standard_normal(n), -2.5, 2.5)
    width = np.where(deviate < 0, np.log(median / low), np.log(high / median))
    return median * np.exp(deviate * width)


@dataclass(frozen=True)
class Magnetar(DiffusionSource):
    """SLSN-I: a magnetar spins down within the ejecta (Nicholl et al. 2017, ApJ 850, 55).

    Medians and 16-84 % ranges of the parameters are those of Gomez et al. (2024, MNRAS 535, 471):
    spin period 2.4 (1.2-4) ms, field .8 (.2-1.8) 1e14 G, ejecta 4.8 (2.2-12.9) solar masses.
    Flux below 3000 Angstrom falls in proportion to wavelength.

    Parameters
    ----------
    host_ebv, cutoff, luminosity, n_models
        As for `DiffusionSource`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.simulate.sources import Magnetar
    >>> sorted(Magnetar().draw(np.random.default_rng(0), 10))[:2]
    ['ejecta_mass', 'gamma_opacity']
    """

    host_ebv: float = 0.03
    cutoff: float = 3000.0
    luminosity: Normal | None = Normal(-20.6, 0.65, cut=3.0, high=-19.5)

    def draw(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        """Draw physical parameters."""
        return {
            "spin_period": np.maximum(_log_normal(rng, n, 2.4, 1.2, 4.0), 0.7),
            "magnetic_field": np.clip(_log_normal(rng, n, 0.8, 0.2, 1.8), 0.03, 10.0),
            "ejecta_mass": np.minimum(_log_normal(rng, n, 4.8, 2.2, 12.9), 40.0),
            "velocity": Normal(0.85e9, 0.25e9, low=0.4e9).draw(rng, n),
            "opacity": rng.uniform(0.05, 0.2, n),
            "gamma_opacity": 10 ** rng.uniform(-2.0, -1.0, n),
            "temperature_floor": Normal(6500.0, 1000.0).draw(rng, n),
        }

    def solve(self, parameters: dict[str, np.ndarray], days: np.ndarray) -> list[tuple]:
        """Return luminosity and temperature."""
        p = parameters
        period, field = p["spin_period"][:, None], p["magnetic_field"][:, None]
        mass = p["ejecta_mass"] * _SOLAR_MASS
        # optical depth to gamma rays 3 kappa M / (4 pi v**2 t**2)
        leak = np.sqrt(3 * p["gamma_opacity"] * mass / (4 * np.pi * p["velocity"] ** 2)) / DAY
        power = partial(magnetar_power, period_ms=period, b_14=field)
        return [_component(p, days, power, p["opacity"], leakage=leak)]


@dataclass(frozen=True)
class Nickel(DiffusionSource):
    """Pair-instability supernovae: solar masses of nickel in massive ejecta.

    Ranges after Kasen, Woosley & Heger (2011, ApJ 734, 102): 60 to 130 solar masses of ejecta, 2
    to 40 of nickel.

    Parameters
    ----------
    host_ebv, cutoff, luminosity, n_models
        As for `DiffusionSource`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.simulate.sources import Nickel
    >>> sorted(Nickel().draw(np.random.default_rng(0), 10))[:2]
    ['ejecta_mass', 'nickel_mass']
    """

    host_ebv: float = 0.03
    cutoff: float = 3500.0
    luminosity: Normal | None = Normal(-20.2, 0.8)

    def draw(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        """Draw physical parameters."""
        return {
            "nickel_mass": 10 ** rng.uniform(np.log10(2.0), np.log10(40.0), n),
            "ejecta_mass": rng.uniform(60.0, 130.0, n),
            "velocity": Normal(0.9e9, 0.15e9).draw(rng, n),
            "opacity": rng.uniform(0.06, 0.12, n),
            "temperature_floor": Normal(5500.0, 500.0).draw(rng, n),
        }

    def solve(self, parameters: dict[str, np.ndarray], days: np.ndarray) -> list[tuple]:
        """Return luminosity and temperature."""
        power = partial(nickel_power, nickel_mass=parameters["nickel_mass"][:, None])
        return [_component(parameters, days, power, parameters["opacity"])]


@dataclass(frozen=True)
class Kilonova(DiffusionSource):
    """Kilonovae: fast lanthanide-poor and slower lanthanide-rich ejecta, each a blackbody.

    Ranges around the fits to AT2017gfo of Villar et al. (2017, ApJ 851, L21): .02 solar masses at
    .27 c with .5 cm2/g, and .05 at .15 c with 3 to 10 cm2/g.

    Parameters
    ----------
    host_ebv, cutoff, luminosity, n_models
        As for `DiffusionSource`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.simulate.sources import Kilonova
    >>> sorted(Kilonova().draw(np.random.default_rng(0), 10))[:2]
    ['blue_mass', 'blue_velocity']
    """

    host_ebv: float = 0.05

    def draw(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        """Draw physical parameters."""
        return {
            "blue_mass": 10 ** rng.uniform(-2.4, -1.4, n),
            "blue_velocity": rng.uniform(0.2, 0.32, n) * _LIGHT,
            "red_mass": 10 ** rng.uniform(-2.0, -1.1, n),
            "red_velocity": rng.uniform(0.1, 0.2, n) * _LIGHT,
            "red_opacity": rng.uniform(3.0, 10.0, n),
            "temperature_floor": rng.uniform(2100.0, 3200.0, n),
        }

    def solve(self, parameters: dict[str, np.ndarray], days: np.ndarray) -> list[tuple]:
        """Return luminosity and temperature of the blue and of the red component."""
        p, components = parameters, []
        for colour, opacity in (("blue", 0.5), ("red", p["red_opacity"])):
            mass = p[f"{colour}_mass"]
            own = p | {"ejecta_mass": mass, "velocity": p[f"{colour}_velocity"]}
            power = partial(r_process_power, mass=mass[:, None])
            components.append(_component(own, days, power, opacity))
        return components
