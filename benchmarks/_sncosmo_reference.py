"""Band fluxes of the simulation's tables against those of ``sncosmo.Model``, object by object."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import sncosmo

from sklc.simulate.classes import get_class
from sklc.simulate.classes.requests import without_scatter
from sklc.simulate.engine import ClassSimulator
from sklc.simulate.settings import Settings
from sklc.simulate.sources import (
    DampedRandomWalk,
    DiffusionSource,
    SALTSource,
    SpectralSource,
    ThermalSource,
)
from sklc.simulate.sources.agn import _spectra
from sklc.simulate.sources.base import Points
from sklc.simulate.sources.spectral import normalised
from sklc.simulate.spectra import PHASE, WAVE
from sklc.simulate.spectra.grids import BandGrid
from sklc.simulate.spectra.mending import without_spikes
from sklc.simulate.spectra.templates import Template, TemplateFile, own_grid, sncosmo_source
from sklc.simulate.surveys import Survey, get_survey

LIFE = 150.0  # rest-frame days from first light
N_TIMES = 12  # of each object
DENSE = 120  # times at which the object's maximum is looked for
Objects = dict[str, np.ndarray]


def band_flux_errors(
    survey: str | Survey,
    class_name: str,
    n_objects: int = 100,
    seed: int = 0,
    depth: float = 5.0,
) -> dict[str, dict[str, float]]:
    """Compare band fluxes of random objects with those of ``sncosmo.Model``.

    Objects are drawn as `sklc.simulate.simulate` draws them, bright enough to be found, without
    scatter. Each is looked at on random days of its first 150 rest-frame days, in every band.

    The reference is ``sncosmo.Model`` with dust of Fitzpatrick (1999) in the host and the Milky
    Way, of

    - sncosmo's own source for SALT3 and for the templates that the library takes as they are;
    - a ``TimeSeriesSource`` of the spectra that the library makes, for templates whose single bad
      spectra it replaces, for warped ones and for those of SNooPy;
    - a ``TimeSeriesSource`` of the object's own blackbody, for thermal sources. Luminosities and
      temperatures are the library's;
    - one of continuum, lines and host for AGN, whose steady flux is compared.

    Parameters
    ----------
    survey : str or Survey
    class_name : str
    n_objects : int, default=100
    seed : int, default=0
    depth : float, default=5.0
        Magnitudes below the object's own maximum to which fluxes are compared.

    Returns
    -------
    dict
        Band to "rms", "rms99" (without the largest 1 %), "median" and "max" of the difference in
        magnitudes, and "n". Bands without any point to compare are left out.

    Notes
    -----
    Compared is where the reference has data: phases of the template, bands that lie within its
    wavelengths at the object's redshift; and only what is within `depth` of the object's own
    maximum, which is its largest flux in any band of the survey over its life: fainter than that
    an object is never seen, and where hardly any flux is left in a band, as in the blanketed
    ultraviolet, relative differences mean nothing.
    """
    survey = get_survey(survey)
    simulator = ClassSimulator(survey, without_scatter(get_class(class_name)), Settings())
    source, grid = simulator.source, simulator.grid
    rng = np.random.default_rng(seed)
    objects = simulator._draw(rng)
    chosen = np.flatnonzero(simulator._may_be_found(objects))[:n_objects]
    objects = {name: values[chosen] for name, values in objects.items()}
    n_bands = len(survey.passbands)
    bandpasses = [
        sncosmo.Bandpass(*survey.throughput(code), name=passband.name)
        for code, passband in enumerate(survey.passbands)
    ]
    differences: dict[str, list[float]] = {passband.name: [] for passband in survey.passbands}
    start, stop = source.span(grid, objects)
    stop = np.minimum(stop, start + LIFE * (1 + objects["redshift"]))
    for k in range(len(chosen)):
        one = {name: values[k : k + 1] for name, values in objects.items()}
        z = float(one["redshift"][0])
        dense = _fluxes(source, grid, one, np.linspace(start[k], stop[k], DENSE), n_bands)
        days = np.sort(rng.uniform(start[k], stop[k], N_TIMES))
        made = _fluxes(source, grid, one, days, n_bands)
        model, time, blue, red = _reference(source, grid, one, days)
        has_phase = (time >= model.source.minphase()) & (time <= model.source.maxphase())
        faintest = dense.max() * 10 ** (-0.4 * depth)
        for code, bandpass in enumerate(bandpasses):
            if bandpass.minwave() < blue * (1 + z) or bandpass.maxwave() > red * (1 + z):
                continue
            expected = np.zeros(len(days))
            expected[has_phase] = model.bandflux(
                bandpass, time[has_phase] * (1 + z), zp=27.5, zpsys="ab"
            )
            seen = has_phase & (expected >= faintest) & (made[code] > 0)
            difference = -2.5 * np.log10(made[code][seen] / expected[seen])
            differences[bandpass.name] += difference.tolist()
    return {name: _summary(np.array(values)) for name, values in differences.items() if values}


def _summary(difference: np.ndarray) -> dict[str, float]:
    square = np.sort(difference**2)
    return {
        "rms": float(np.sqrt(square.mean())),
        "rms99": float(np.sqrt(square[: max(1, int(0.99 * len(square)))].mean())),
        "median": float(np.median(difference)),
        "max": float(np.sqrt(square[-1])),
        "n": len(square),
    }


def _fluxes(
    source: Any, grid: BandGrid, one: Objects, days: np.ndarray, n_bands: int
) -> np.ndarray:
    """Fluxes of one object in all bands, shape (n_bands, n_times)."""
    if isinstance(source, DampedRandomWalk):
        return np.repeat(source.steady(grid, one).T, len(days), axis=1)
    owner, band = np.zeros(len(days) * n_bands, dtype=int), np.repeat(np.arange(n_bands), len(days))
    rng = np.random.default_rng(0)  # without scatter it is not used
    flux = source.flux(grid, one, Points(owner, np.tile(days, n_bands), band), rng)
    return np.asarray(flux, dtype=float).reshape(n_bands, -1)


def _reference(
    source: Any, grid: BandGrid, one: Objects, days: np.ndarray
) -> tuple[sncosmo.Model, np.ndarray, float, float]:
    """Return a model with t0 = 0, rest-frame times, and the wavelengths that it covers."""
    z = float(one["redshift"][0])
    rest = days / (1 + z)
    host = float(one.get("host_ebv", [0.0])[0])
    scale = 10 ** (-0.4 * float(one["distmod"][0]))
    if isinstance(source, SALTSource):
        raw, absolute_mag = _salt3(source.version)
        raw.set(x1=float(one["x1"][0]), c=float(one["c"][0]))
        raw.set(x0=scale * 10 ** (-0.4 * (float(one["absolute_mag"][0]) - absolute_mag)))
    elif isinstance(source, SpectralSource):
        series = int(one["series"][0])
        raw, unit, shift = _spectral(source.templates[series], source.reference)
        host = float(source._reddening(grid, one)["host_ebv"][0])
        raw.set(amplitude=unit * float(source._amplitude(grid, one)[0]))
        rest = grid.info[series, 0] + rest / float(one["stretch"][0]) + shift
    elif isinstance(source, DampedRandomWalk):
        continuum, lines, galaxy = _spectra()
        nucleus = 10 ** (-0.4 * float(one["absolute_mag"][0])) * (continuum + lines)
        galaxy = 10 ** (-0.4 * float(one["host_mag"][0])) * galaxy
        raw = _series([rest[0] - 1, rest[-1] + 1], WAVE, scale * np.stack([nucleus + galaxy] * 2))
    elif isinstance(source, ThermalSource):
        raw = _series(rest, _FINE, scale * _blackbodies(source, one, rest))
    else:
        raise NotImplementedError(f"no reference for {type(source).__name__}")
    dust = [sncosmo.F99Dust(3.1), sncosmo.F99Dust(3.1)]
    model = sncosmo.Model(raw, dust, ["host", "mw"], ["rest", "obs"])
    model.set(z=z, t0=0.0, hostebv=host, mwebv=float(one["mwebv"][0]))
    return model, rest, max(raw.minwave(), WAVE[0]), min(raw.maxwave(), WAVE[-1])


@cache
def _salt3(version: str) -> tuple[sncosmo.Source, float]:
    """Return the source, and its B magnitude (Vega) for x0 = 1, x1 = c = 0."""
    raw = sncosmo.get_source("salt3", version=version)
    raw.set(x0=1.0, x1=0.0, c=0.0)
    return raw, float(raw.bandmag("bessellb", "vega", 0.0))


@cache
def _spectral(template: Template, reference: str) -> tuple[sncosmo.Source, float, float]:
    """Return a template's source, the factor that brings it to 0 mag, and the phase's shift."""
    series = template.load()
    unit = normalised(series, reference)[0].max() / series.flux.max()
    if isinstance(template, TemplateFile) or template.warp is not None:
        own = (series.start <= PHASE) & (series.end >= PHASE)
        return _series(PHASE[own] + series.shift, WAVE, series.flux[own]), unit, series.shift
    raw = template.source or sncosmo_source(template.name, template.version)
    phase, wave, flux = own_grid(raw)
    mended = without_spikes(phase, flux)
    if not np.array_equal(mended, flux):
        raw = _series(phase, wave, mended)
    return raw, unit, series.shift


def _series(phase: Any, wave: np.ndarray, flux: np.ndarray) -> sncosmo.TimeSeriesSource:
    # linear in time: splines overshoot where a series begins
    return sncosmo.TimeSeriesSource(np.asarray(phase), wave, flux, time_spline_degree=1)


_FINE = np.arange(WAVE[0], WAVE[-1] + 1, 5.0)


def _blackbodies(source: ThermalSource, one: Mapping[str, np.ndarray], rest: np.ndarray) -> Any:
    """Return spectra of an object's blackbodies from 10 pc; CGS units, per Angstrom."""
    n_components = 1
    if isinstance(source, DiffusionSource):
        n_components = source.models().log_luminosity.shape[0]
    owner = np.zeros(len(rest), dtype=int)
    total = np.zeros((len(rest), len(_FINE)))
    wave = _FINE * 1e-8  # cm
    for component in range(n_components):
        extra = (component,) if isinstance(source, DiffusionSource) else ()
        log_l, log_t = source.evolution(one, owner, rest, *extra)
        temperature = 10 ** log_t[:, None]
        # pi B_lambda / (sigma T**4) is the share of the luminosity per cm of wavelength
        planck = 3.7417718e-5 / wave**5 / np.expm1(np.minimum(1.4387769 / wave / temperature, 600))
        share = planck / (5.6703744e-5 * temperature**4) * 1e-8
        if source.cutoff:
            share = share * np.minimum(1.0, _FINE / source.cutoff)
        total += 10 ** log_l[:, None] * share
    return total / (4 * np.pi * (10 * 3.0856776e18) ** 2)
