"""Type Ia supernovae: SALT3 with stretch and colour, and chromatic scatter."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from sklc.simulate.sources.base import ChromaticScatter, Objects, Points, Source, amplitude
from sklc.simulate.spectra import AB_FLUX, PHASE, WAVE, bandpass
from sklc.simulate.spectra.grids import MILKY_WAY, BandGrid, Bands, Law, build_grid, cached_grid
from sklc.simulate.spectra.mending import rise_before
from sklc.simulate.spectra.templates import Template, sncosmo_source

__all__ = ["SALTSource"]

_PADDING = Template("hsiao", "3.0")
_X1 = (-2.0, 1.0)  # stretches that are tabulated


@dataclass(frozen=True)
class SALTSource(Source):
    """Type Ia supernovae as SALT3 describes them.

    SALT3-F22 (Kenworthy et al. 2021, ApJ 923, 265; Taylor et al. 2023, MNRAS 520, 5209) within its
    2000 to 11000 Angstrom and -20 to +50 days; beyond, the template of Hsiao et al. (2007, ApJ
    663, 1187) scaled to it. M_B = absolute_mag - alpha x1 + beta c + scatter (Tripp 1998).

    Parameters
    ----------
    absolute_mag : float
        M_B (Vega) at x1 = c = 0. Fainter than the -19.25 (H0 = 70) of standardised samples: with
        it, a flux-limited sample is as bright as that of the ZTF Bright Transient Survey.
    alpha, beta : float
        Coefficients of stretch and colour in the Tripp relation.
    intrinsic : float
        Grey scatter, standard deviation in magnitudes.
    x1, c : (float, float, float)
        Mode, lower and upper standard deviation of the split-normal distributions of stretch and
        colour: Scolnic & Kessler (2016, ApJ 822, L35), the colour with the longer red tail that
        nearby samples have.
    scatter : ChromaticScatter or None
        Scatter about the model, or None for none.
    version : str
        Version of sncosmo's source "salt3".

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.simulate.sources import SALTSource
    >>> source = SALTSource(absolute_mag=-19.3, intrinsic=0.0)
    >>> drawn = source.sample(np.random.default_rng(0), np.full(1000, 0.1))
    >>> tripp = -19.3 - 0.14 * drawn["x1"] + 3.1 * drawn["c"]
    >>> bool(np.allclose(drawn["absolute_mag"], tripp))
    True
    """

    absolute_mag: float = -19.10
    alpha: float = 0.14
    beta: float = 3.1
    intrinsic: float = 0.10
    x1: tuple[float, float, float] = (0.973, 1.472, 0.222)
    c: tuple[float, float, float] = (-0.055, 0.035, 0.130)
    scatter: ChromaticScatter | None = ChromaticScatter(colour=0.03, shape=0.03)
    version: str = "2.0"

    margin = 0.4

    def prepare(self, bands: Bands, z_max: float) -> BandGrid:
        """Build, or read from the cache, the table of band fluxes."""

        def build() -> BandGrid:
            mean, stretch = components(self.version)
            # dust and colour act on the spectra of fast and slow objects differently, so each
            # of the two series has its own slopes
            cubes = [mean + x1 * stretch for x1 in _X1]
            law = Law("c", lambda wave: colour_law(self.version, wave), small=-0.15, large=0.3)
            return build_grid(cubes, PHASE, bands, z_max, (MILKY_WAY, law))

        key = ["salt3", self.version, _X1, _PADDING.key(), bands.key(), z_max, len(PHASE)]
        return cached_grid(key, build)

    def sample(self, rng: np.random.Generator, redshift: np.ndarray) -> Objects:
        """Draw stretch, colour and absolute magnitude."""
        n = len(redshift)
        x1, c = _split_normal(rng, *self.x1, n), _split_normal(rng, *self.c, n)
        grey = self.intrinsic * np.clip(rng.standard_normal(n), -3, 3)
        absolute_mag = self.absolute_mag - self.alpha * x1 + self.beta * c + grey
        return {"x1": x1, "c": c, "absolute_mag": absolute_mag}

    def brightest(self, grid: BandGrid, objects: Objects) -> np.ndarray:
        """Return the largest flux in each band, shape (n_objects, n_bands)."""
        fast, slow = (
            grid.at_peak(series, objects["redshift"], objects) for series in self._series(objects)
        )
        share = self._share(objects)[:, None]
        # the table is at M_B = 0 for c = 0; the colour law is zero in B by definition
        return (fast + share * (slow - fast)) * amplitude(objects)[:, None]

    @staticmethod
    def _series(objects: Objects) -> list[np.ndarray]:
        n = len(objects["x1"])
        return [np.full(n, k, dtype=np.int64) for k in range(len(_X1))]

    @staticmethod
    def _share(objects: Objects) -> np.ndarray:
        """How far the stretch lies from the first series to the second; SALT is linear in x1."""
        return (objects["x1"] - _X1[0]) / (_X1[1] - _X1[0])

    def flux(
        self, grid: BandGrid, objects: Objects, points: Points, rng: np.random.Generator
    ) -> np.ndarray:
        """Return the flux of observations; time zero is the maximum in B."""
        owner, days, band = points.owner, points.days, points.band
        phase = days / (1 + objects["redshift"])[owner]
        fast, slow = (
            grid.lookup(series, objects["redshift"], objects, owner, band, phase)
            for series in self._series(objects)
        )
        flux = fast + self._share(objects).astype(np.float32)[owner] * (slow - fast)
        flux[(phase <= PHASE[0]) | (phase >= PHASE[-1])] = 0.0
        np.maximum(flux, 0, out=flux)  # M0 + x1 M1 can go below zero in the ultraviolet
        flux *= amplitude(objects).astype(np.float32)[owner]
        if self.scatter is not None:
            deviation = self.scatter.magnitudes(
                rng, objects["redshift"], grid.effective, owner, phase, band
            )
            flux *= np.exp(-0.921034 * deviation)
        return flux

    def span(self, grid: BandGrid, objects: Objects) -> tuple[np.ndarray, np.ndarray]:
        """Return observer-frame days since maximum of first and last light."""
        pace = 1 + objects["redshift"]
        return -20.0 * pace, 150.0 * pace

    def truth(self, grid: BandGrid, objects: Objects) -> dict[str, np.ndarray]:
        """Return x1, c, and times of first light and maximum."""
        pace = 1 + objects["redshift"]
        return {
            "template": np.full(len(pace), f"salt3@{self.version}", dtype=object),
            "peak_absmag": objects["absolute_mag"],
            "explosion": -20.0 * pace,
            "peak": np.zeros(len(pace)),
            "x1": objects["x1"],
            "c": objects["c"],
        }


def _split_normal(
    rng: np.random.Generator, mode: float, low: float, high: float, n: int
) -> np.ndarray:
    side = np.where(rng.random(n) < low / (low + high), -low, high)
    return mode + side * np.minimum(np.abs(rng.standard_normal(n)), 3.0)


@cache
def _salt(version: str) -> Any:
    return sncosmo_source("salt3", version)


def colour_law(version: str, wave: np.ndarray) -> np.ndarray:
    """Return the magnitudes that c = 1 takes away at each wavelength.

    Parameters
    ----------
    version : str
        Version of sncosmo's source "salt3".
    wave : ndarray
        Angstrom; constant beyond SALT's range.

    Returns
    -------
    ndarray
    """
    source = _salt(version)
    inside = np.clip(wave, source.minwave() + 1, source.maxwave() - 1)
    grid = np.arange(source.minwave() + 1, source.maxwave(), 10.0)
    parameters = dict(zip(source.param_names, source.parameters, strict=True))
    spectra = []
    for c in (0.0, 0.1):
        source.set(x0=1.0, x1=0.0, c=c)
        spectra.append(source.flux(0.0, grid))
    source.set(**parameters)
    law = -25.0 * np.log10(np.maximum(spectra[1], 1e-300) / np.maximum(spectra[0], 1e-300))
    return np.interp(inside, grid, law)


def components(version: str) -> tuple[np.ndarray, np.ndarray]:
    """Return M0 and M1 on `PHASE` and `WAVE`, padded, at M_B = 0 (Vega) from 10 pc.

    Parameters
    ----------
    version : str
        Version of sncosmo's source "salt3".

    Returns
    -------
    mean, stretch : ndarray of shape (len(PHASE), len(WAVE))
    """
    source = _salt(version)
    start, end = source.minphase(), source.maxphase()
    covered = (source.minwave() <= WAVE) & (source.maxwave() >= WAVE)
    inside = np.clip(PHASE, start, end)
    cubes = []
    for x1 in (0.0, 1.0):
        source.set(x0=1.0, x1=x1, c=0.0)
        cube = np.zeros((len(PHASE), len(WAVE)))
        cube[:, covered] = source.flux(inside, WAVE[covered])
        cubes.append(cube)
    # SALT goes below zero where the training spectra were noise, in the ultraviolet
    mean, stretch = np.maximum(cubes[0], 0.0), cubes[1] - cubes[0]
    padding = _PADDING.load().flux
    # the ultraviolet: Hsiao scaled at the blue end of SALT, where the stretch acts as there
    first = int(np.argmax(covered))
    edge = slice(first, first + 30)
    level = [np.maximum(c[:, edge].mean(axis=1), 0.0) for c in (mean, padding)]
    ratio = level[0] / np.maximum(level[1], 1e-300)
    # in the first days both are next to nothing, and their ratio could be anything
    ratio = np.minimum(ratio, 100 * ratio[int(np.argmin(np.abs(PHASE)))])
    mean[:, :first] = padding[:, :first] * ratio[:, None]
    share = stretch[:, edge].mean(axis=1) / np.maximum(level[0], 1e-300)
    stretch[:, :first] = mean[:, :first] * np.clip(share, -0.3, 0.3)[:, None]
    # late times: Hsiao scaled in bins of 500 Angstrom at the last phase of SALT
    last = int(np.flatnonzero(end >= PHASE)[-1])
    bins = ((WAVE - WAVE[0]) // 500).astype(int)
    sums = [np.bincount(bins, c[last])[bins] for c in (mean, stretch, padding)]
    for cube, own in ((mean, sums[0]), (stretch, sums[1])):
        cube[last + 1 :] = padding[last + 1 :] * (own / np.maximum(sums[2], 1e-300))
    for cube in (mean, stretch):
        cube *= rise_before(start, 2.0)[:, None]
    scale = 10 ** (0.4 * _vega_b(mean[int(np.argmin(np.abs(PHASE)))]))
    return mean * scale, stretch * scale


def _vega_b(spectrum: np.ndarray) -> float:
    """Bessell B magnitude in the Vega system: AB minus the AB magnitude of Vega, -.102."""
    wave, transmission = bandpass("bessellb")
    response = np.interp(WAVE, wave, transmission, left=0.0, right=0.0)
    photons = np.sum(spectrum * response * WAVE) / np.sum(AB_FLUX * response / WAVE)
    return float(-2.5 * np.log10(photons) + 0.102)
