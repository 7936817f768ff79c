"""Active galactic nuclei: a damped random walk seen through difference images."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from sklc.cosmology import distance_modulus
from sklc.simulate.sources.base import Objects, Points, Source, amplitude
from sklc.simulate.spectra import WAVE, planck, synthetic_magnitude
from sklc.simulate.spectra.grids import MILKY_WAY, BandGrid, Bands, build_grid, cached_grid

__all__ = ["DampedRandomWalk", "draw_damped_random_walk"]

# Broad lines of the composite of Vanden Berk et al. (2001, AJ 122, 549): Angstrom, rest-frame
# equivalent width, width (sd): Lyman alpha, C IV, C III], Mg II, H gamma, H beta + [O III], H alpha
_LINES = (
    (1216.0, 92.9, 20.0),
    (1546.0, 23.8, 14.0),
    (1906.0, 21.2, 24.0),
    (2800.0, 32.3, 35.0),
    (4346.0, 12.6, 20.0),
    (4890.0, 67.0, 45.0),
    (6565.0, 194.5, 47.0),
)
CONTINUUM, LINES, HOST = range(3)


def draw_damped_random_walk(
    rng: np.random.Generator, time: np.ndarray, owner: np.ndarray, tau: np.ndarray
) -> np.ndarray:
    """Draw a damped random walk of unit variance at irregular times, exactly.

    The structure function of x is sqrt(2) (1 - exp(-dt / tau))**.5 (Kelly, Bechtold &
    Siemiginowska 2009, ApJ 698, 895; MacLeod et al. 2010, ApJ 721, 1014).

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of random numbers.
    time : ndarray of shape (n_obs,)
        Days, ascending within an object.
    owner : ndarray of int, shape (n_obs,)
        Object of each time, ascending.
    tau : ndarray of shape (n_objects,)
        Damping time in the units of `time`.

    Returns
    -------
    ndarray of shape (n_obs,)

    Notes
    -----
    Objects advance together, one observation each at a time: the loop is over the length of the
    longest light curve.

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.simulate.sources import draw_damped_random_walk
    >>> owner = np.repeat(np.arange(2000), 2)
    >>> time = np.tile([0.0, 30.0], 2000)
    >>> x = draw_damped_random_walk(np.random.default_rng(0), time, owner, np.full(2000, 100.0))
    >>> sf = np.std(x[1::2] - x[::2])
    >>> bool(abs(sf / np.sqrt(2 * (1 - np.exp(-0.3))) - 1) < 0.05)
    True
    """
    x = rng.standard_normal(len(time))
    if not len(time):
        return x
    starts = np.flatnonzero(np.diff(owner, prepend=-1))
    lengths = np.diff(np.append(starts, len(time)))
    order = np.argsort(-lengths, kind="stable")
    starts, lengths = starts[order], lengths[order]
    # the steps back in time from one object to the next are not used
    decay = np.exp(-np.maximum(np.diff(time, prepend=time[0]), 0.0) / tau[owner])
    spread = np.sqrt(np.maximum(1 - decay**2, 0.0))
    remaining = np.searchsorted(-lengths, -np.arange(1, lengths[0]), side="left")
    for step, count in enumerate(remaining, start=1):
        row = starts[:count] + step
        x[row] = x[row - 1] * decay[row] + x[row] * spread[row]
    return x


@dataclass(frozen=True)
class DampedRandomWalk(Source):
    """Active galactic nuclei as difference images show them.

    The continuum, F_lambda ~ lambda**-1.56, varies as a damped random walk in magnitudes, whose
    amplitude and damping time follow MacLeod et al. (2010, ApJ 721, 1014). Redder light lags the
    bluest by lag (wavelength / 4000 Angstrom)**(4/3) days (Mudd et al. 2018, ApJ 862, 123). Broad
    lines and host do not vary; they dilute the variability in their bands and add photon noise.
    Flux is the difference to a reference image, so it can be negative.

    Parameters
    ----------
    amplitude, damping : (float, float, float, float)
        A, B, C, D of log10 f = A + B log10(wavelength / 4000) + C (M_i + 23) +
        D log10(M_BH / 1e9), for the long-term structure function in magnitudes and for the
        damping time in rest-frame days.
    lag : float
        Days at 4000 Angstrom rest frame, for a nucleus of M_i = -23.
    bright, faint : float
        Exponents of the double power law of luminosities (2SLAQ; Richards et al. 2005, MNRAS 360,
        839).
    limit : float or None
        Apparent i magnitude beyond which no nuclei are drawn; None for the survey's own depth.
    duration : float
        Number of days for which each nucleus is followed.

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.simulate.sources import DampedRandomWalk
    >>> drawn = DampedRandomWalk().sample(np.random.default_rng(0), np.full(1000, 0.5))
    >>> bool(0.1 < np.median(drawn["sf_infinity"]) < 0.5)
    True
    """

    amplitude: tuple[float, float, float, float] = (-0.51, -0.479, 0.131, 0.18)
    damping: tuple[float, float, float, float] = (2.4, 0.17, 0.03, 0.21)
    lag: float = 3.0
    bright: float = -3.31
    faint: float = -1.45
    limit: float | None = None
    duration: float = 800.0

    transient = False
    margin = 1.0
    _reference = 0.8  # scatter of the reference image, as a share of the long-term scatter

    def prepare(self, bands: Bands, z_max: float) -> BandGrid:
        """Build, or read from the cache, the table of band fluxes."""

        def build() -> BandGrid:
            axis = np.array([0.0, 1.0])
            cubes = [np.stack([s, s]) for s in _spectra()]
            return build_grid(cubes, axis, bands, z_max, (MILKY_WAY,))

        return cached_grid(["agn", bands.key(), z_max], build)

    def sample(self, rng: np.random.Generator, redshift: np.ndarray) -> Objects:
        """Draw luminosity, black hole mass, amplitude and damping time, and host."""
        n = len(redshift)
        # the break evolves (2SLAQ): M_g* = -21.61 - 2.5 (1.39 z - .29 z**2); i is .3 brighter
        knee = -21.9 - 2.5 * (1.39 * redshift - 0.29 * redshift**2)
        limit = 30.0 if self.limit is None else self.limit
        faintest = np.minimum(limit - distance_modulus(np.maximum(redshift, 1e-3)), -19.5)
        faintest = np.maximum(faintest, -27.0)
        absolute_mag = self._draw_luminosity(rng, knee, np.minimum(faintest, knee + 2.5))
        log_mass = 2.0 - 0.27 * absolute_mag
        log_mass = log_mass + np.maximum(0.58 + 0.011 * absolute_mag, 0.2) * rng.standard_normal(n)
        mass_term = log_mass - 9.0

        def relation(a: float, b: float, c: float, d: float) -> np.ndarray:
            return 10 ** (a + c * (absolute_mag + 23.0) + d * mass_term)

        return {
            "absolute_mag": absolute_mag,
            "log_mass": log_mass,
            "sf_infinity": np.clip(relation(*self.amplitude), 0.02, 1.2),
            "tau": np.clip(relation(*self.damping), 3.0, 3000.0),
            # the share of light that is the host's, in r, falls with luminosity
            "host_mag": np.clip(-21.0 + 0.7 * rng.standard_normal(n), -23.0, -18.5),
        }

    def _draw_luminosity(
        self, rng: np.random.Generator, knee: np.ndarray, faintest: np.ndarray
    ) -> np.ndarray:
        """Draw from the double power law between 5 mag above the knee and `faintest`."""
        x = np.linspace(-5.0, 4.0, 600)  # magnitudes relative to the knee
        density = 1 / (10 ** (0.4 * (self.bright + 1) * x) + 10 ** (0.4 * (self.faint + 1) * x))
        cumulative = np.concatenate([[0.0], np.cumsum(density)])
        cumulative /= cumulative[-1]
        top = np.interp(faintest - knee, x, cumulative[1:])
        return knee + np.interp(rng.random(len(knee)) * top, cumulative[1:], x)

    def _steady(self, grid: BandGrid, objects: Objects, part: int) -> np.ndarray:
        n = len(objects["redshift"])
        series = np.full(n, part, dtype=np.int64)
        return grid.at_peak(series, objects["redshift"], objects)

    def brightest(self, grid: BandGrid, objects: Objects) -> np.ndarray:
        """Return the change of flux that most objects do not exceed, (n_objects, n_bands)."""
        flux = self._steady(grid, objects, CONTINUUM) * amplitude(objects)[:, None]
        return flux * (10 ** (0.4 * 1.5 * objects["sf_infinity"][:, None]) - 1)

    def steady(self, grid: BandGrid, objects: Objects) -> np.ndarray:
        """Return the flux of nucleus, lines and host, which a difference image subtracts."""
        nucleus = self._steady(grid, objects, CONTINUUM) + self._steady(grid, objects, LINES)
        host = self._steady(grid, objects, HOST)
        scale = 10 ** (-0.4 * (objects["host_mag"] + objects["distmod"]))
        return nucleus * amplitude(objects)[:, None] + host * scale[:, None]

    def flux(
        self, grid: BandGrid, objects: Objects, points: Points, rng: np.random.Generator
    ) -> np.ndarray:
        """Return the flux of observations above that of the reference image."""
        owner, days, band = points.owner, points.days, points.band
        pace = 1 + objects["redshift"]
        wave = grid.effective[None, :] / pace[:, None] / 4000.0
        lag = self.lag * 10 ** (-0.16 * (objects["absolute_mag"] + 23.0))
        lag = np.minimum(lag[:, None] * wave ** (4 / 3), 60.0) * pace[:, None]
        amplitudes = objects["sf_infinity"][:, None] / np.sqrt(2) * wave ** self.amplitude[1]
        own = owner * len(grid.effective) + band
        lagged = days - lag.reshape(-1)[own]
        order = np.lexsort((lagged, owner))
        # the damping time of the middle of the spectrum: one walk drives all bands
        tau = objects["tau"] * pace * np.exp(np.mean(np.log(wave), axis=1)) ** self.damping[1]
        walk = np.empty(len(owner))
        walk[order] = draw_damped_random_walk(rng, lagged[order], owner[order], tau)
        walk *= amplitudes.reshape(-1)[own]
        # the reference: a stack of images of about a year, some time before
        reference = self._reference * rng.standard_normal(len(pace))[:, None] * amplitudes
        continuum = self._steady(grid, objects, CONTINUUM) * amplitude(objects)[:, None]
        return continuum.reshape(-1)[own] * (
            10 ** (-0.4 * walk) - 10 ** (-0.4 * reference.reshape(-1)[own])
        )

    def span(self, grid: BandGrid, objects: Objects) -> tuple[np.ndarray, np.ndarray]:
        """Return the first and last day on which each nucleus is observed."""
        n = len(objects["redshift"])
        return np.zeros(n), np.full(n, self.duration)

    def truth(self, grid: BandGrid, objects: Objects) -> dict[str, np.ndarray]:
        """Return luminosity, black hole mass, amplitude and damping time."""
        n = len(objects["redshift"])
        return {
            "template": np.full(n, "damped-random-walk", dtype=object),
            "peak_absmag": objects["absolute_mag"],
            "explosion": np.full(n, np.nan),
            "peak": np.full(n, np.nan),
            **{name: objects[name] for name in ("log_mass", "sf_infinity", "tau")},
        }


@cache
def _spectra() -> tuple[np.ndarray, ...]:
    """Return continuum and lines at M_i = 0, and a host at M_r = 0, from 10 pc."""
    continuum = WAVE**-1.56
    lines = np.zeros(len(WAVE))
    for centre, width, sd in _LINES:
        profile = np.exp(-0.5 * ((WAVE - centre) / sd) ** 2) / (sd * np.sqrt(2 * np.pi))
        lines += width * profile * centre**-1.56
    # old stars with a 4000 Angstrom break, and young ones
    old = planck(WAVE, 4800.0) * np.where(WAVE < 4000, 0.5, 1.0)
    host = old / old.sum() + 0.4 * planck(WAVE, 9000.0) / planck(WAVE, 9000.0).sum()
    scale = 10 ** (0.4 * synthetic_magnitude((continuum + lines)[None], "sdssi")[0])
    host_scale = 10 ** (0.4 * synthetic_magnitude(host[None], "sdssr")[0])
    return continuum * scale, lines * scale, host * host_scale
