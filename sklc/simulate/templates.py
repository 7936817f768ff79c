"""Spectral time series of supernovae: loaded through sncosmo, mended, and put on one grid.

sncosmo downloads what it does not have, or reads the folder that ``SNCOSMO_DATA_DIR`` names. The
SN 1991bg-like spectra are those of SNooPy (Burns et al. 2011, AJ 141, 19; ``pip install snpy``, or
the two files in ``SNCOSMO_DATA_DIR``). A template that is missing is an error; none is ever
replaced by another.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from scipy.ndimage import median_filter

from sklc.errors import SimulationError
from sklc.simulate._optional import require

__all__ = ["PHASE", "WAVE", "SpectralSeries", "Template", "TemplateFile"]

# Rest-frame days from the template's own zero; finest where light curves bend.
PHASE = np.concatenate(
    [
        np.arange(-75.0, -50.0, 2.5),
        np.arange(-50.0, -25.0, 1.0),
        np.arange(-25.0, 40.0, 0.5),
        np.arange(40.0, 120.0, 1.5),
        np.arange(120.0, 160.0, 2.0),
        np.arange(160.0, 361.0, 8.0),
    ]
)
# Rest-frame Angstrom. Nothing is seen below the Lyman limit.
WAVE = np.arange(910.0, 11500.0, 10.0)

# lambda**2 F_lambda of 0 mag AB: 3631 Jy times the speed of light, in erg/s/cm2 and Angstrom
AB_FLUX = 3.631e-20 * 2.99792458e18

# Files of SNooPy: first wavelength (Angstrom), first phase (days) of their 10 A x 1 d grids.
_SNOOPY = {
    "91bg": ("Nugent_91bg_SED.fits", 1000.0, -13.0),
    "91bg-sequence": ("91bg_sequence_0.2.fits.gz", 990.0, -5.0),
}


@dataclass(frozen=True, eq=False)
class SpectralSeries:
    """Flux density per wavelength on `PHASE` and `WAVE`, in any unit.

    Parameters
    ----------
    flux : ndarray of shape (len(PHASE), len(WAVE))
    start, end : float
        Phases between which the template has data; beyond, it is extended.

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.simulate.templates import PHASE, WAVE, SpectralSeries
    >>> series = SpectralSeries(np.ones((len(PHASE), len(WAVE))), start=-20.0, end=100.0)
    >>> series.end
    100.0
    """

    flux: np.ndarray
    start: float
    end: float


@dataclass(frozen=True)
class Template:
    """A spectral time series of sncosmo and how to continue it beyond its data.

    Parameters
    ----------
    name : str
        Name of the sncosmo source, or of its own for `source`.
    version : str, optional
    source : sncosmo.Source, optional
        The user's own, instead of a registered one.
    rise : float, default=5.0
        Rest-frame days within which flux rises from nothing, as t squared, to the first phase.
    plateau_end : float, optional
        Rest-frame days after the first phase at which a hydrogen plateau drops by about two
        magnitudes, for templates that end before it.
    warp : callable, optional
        Function of `SpectralSeries` that returns another one; named by its ``__qualname__`` in
        the cache, so it has to be a plain function.

    Examples
    --------
    >>> from sklc.simulate.templates import Template
    >>> Template("v19-2009n-corr").name
    'v19-2009n-corr'
    """

    name: str
    version: str | None = None
    source: Any = field(default=None, compare=False, repr=False)
    rise: float = 5.0
    plateau_end: float | None = None
    warp: Callable[[SpectralSeries], SpectralSeries] | None = None

    def key(self) -> str:
        """Return what identifies the spectra in a cache.

        Returns
        -------
        str
        """
        warp = "" if self.warp is None else f"{self.warp.__module__}.{self.warp.__qualname__}"
        return f"{self.name}|{self.version}|{self._origin()}|{self.rise}|{self.plateau_end}|{warp}"

    def _origin(self) -> str:
        """Return what tells spectra of the same name apart: where they come from."""
        if self.source is not None:
            return self.source_key()
        return f"sncosmo {version('sncosmo')} {os.environ.get('SNCOSMO_DATA_DIR', '')}"

    def source_key(self) -> str:
        """Return a digest of the user's own source.

        Returns
        -------
        str
        """
        return str(joblib.hash(_own_grid(self.source)))

    def load(self) -> SpectralSeries:
        """Load the spectra, mended and extended.

        Returns
        -------
        SpectralSeries

        Raises
        ------
        SimulationError
            If the source is not known, or cannot be read or downloaded.

        Examples
        --------
        See `Template`; ``Template("v19-2009n-corr").load()`` needs the data of sncosmo.
        """
        phase, wave, flux = _own_grid(self.source or _sncosmo_source(self.name, self.version))
        series = _on_grid(phase, wave, flux, rise=self.rise, plateau_end=self.plateau_end)
        return series if self.warp is None else self.warp(series)


@dataclass(frozen=True)
class TemplateFile(Template):
    """One of SNooPy's SN 1991bg-like spectral series.

    Parameters
    ----------
    name : str
        "91bg" (Nugent, Kim & Perlmutter 2002, PASP 114, 803), or "91bg-sequence-0" to
        "91bg-sequence-6", in order of the decline rate.
    version, source, rise, plateau_end, warp
        As for `Template`; the first two are not used.

    Examples
    --------
    >>> from sklc.simulate.templates import TemplateFile
    >>> TemplateFile("91bg-sequence-3").name
    '91bg-sequence-3'
    """

    def _origin(self) -> str:
        file = find_snoopy_file(self._file()[0])
        return f"{file.name} {file.stat().st_size}"

    def _file(self) -> tuple[str, float, float, int]:
        """Return name, first wavelength and first phase of the file, and the step in it."""
        kind, step = self.name, 0
        if self.name.startswith("91bg-sequence-"):
            kind, step = "91bg-sequence", int(self.name.rsplit("-", 1)[1])
        return (*_SNOOPY[kind], step)

    def load(self) -> SpectralSeries:
        """Load the spectra from SNooPy's file; see `Template.load`.

        Returns
        -------
        SpectralSeries

        Raises
        ------
        SimulationError
            If the file is nowhere to be found.

        Examples
        --------
        See `TemplateFile`; the files are those of SNooPy.
        """
        file, first_wave, first_phase, step = self._file()
        data = require("astropy.io.fits").getdata(find_snoopy_file(file))
        cube = np.maximum(np.atleast_3d(data.T).T[step].astype(float), 0.0)
        phase = first_phase + np.arange(cube.shape[0])
        wave = first_wave + 10.0 * np.arange(cube.shape[1])
        series = _on_grid(phase, wave, cube, rise=self.rise, plateau_end=None)
        return series if self.warp is None else self.warp(series)


def find_snoopy_file(name: str) -> Path:
    """Return where a file of SNooPy lies.

    Looked for in ``SNCOSMO_DATA_DIR``, its ``models/snoopy`` and beside it, in the templates of
    ``SKLC_DATA``, and in the package snpy, if it is installed.
    """
    folders = []
    if os.environ.get("SNCOSMO_DATA_DIR"):
        base = Path(os.environ["SNCOSMO_DATA_DIR"])
        folders += [base, base / "models" / "snoopy", base.parent]
    if os.environ.get("SKLC_DATA"):
        folders.append(Path(os.environ["SKLC_DATA"]) / "templates")
    package = importlib.util.find_spec("snpy")
    if package is not None and package.origin is not None:
        folders.append(Path(package.origin).parent / "typeIa")
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    raise SimulationError(
        f"the template file {name} (SN 1991bg-like spectra) was not found: it comes with SNooPy "
        "(pip install snpy, or its folder snpy/typeIa on GitHub); put it into the folder that "
        f"SNCOSMO_DATA_DIR names ({os.environ.get('SNCOSMO_DATA_DIR') or 'not set'}). "
        f"Looked in {', '.join(map(str, folders)) or 'no folder'}."
    )


def _sncosmo_source(name: str, version: str | None) -> Any:
    sncosmo = require("sncosmo")
    try:
        return sncosmo.get_source(name, version=version)
    except Exception as error:  # sncosmo raises bare exceptions, urllib and OS errors alike
        folder = os.environ.get("SNCOSMO_DATA_DIR")
        where = f"SNCOSMO_DATA_DIR={folder}" if folder else "SNCOSMO_DATA_DIR is not set"
        label = name if version is None else f"{name} (version {version})"
        raise SimulationError(
            f"sncosmo could not provide the source {label}: {type(error).__name__}: "
            f"{str(error)[:120]}. {where}. Connect to a network, where sncosmo downloads it, or "
            "point SNCOSMO_DATA_DIR to a folder of its data that holds this source."
        ) from error


def _own_grid(source: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sample an sncosmo source at multiples of half a day, as `PHASE` is, and 10 Angstrom.

    What lasts less than 50 days is sampled at a hundred phases.
    """
    start, end = source.minphase(), source.maxphase()
    step = min(0.5, (end - start) / 100)
    steps = np.arange(np.floor(start / step) + 1, np.ceil(end / step)) * step
    phase = np.concatenate([[start], steps, [end]])
    wave = WAVE[(source.minwave() <= WAVE) & (source.maxwave() >= WAVE)]
    if not len(wave):
        raise SimulationError(
            f"source {source.name!r} covers {source.minwave():.0f} to {source.maxwave():.0f} "
            "Angstrom, nothing of 910 to 11500: its wavelengths have to be in Angstrom."
        )
    return phase, wave, np.maximum(source.flux(phase, wave), 0.0)


def _on_grid(
    phase: np.ndarray, wave: np.ndarray, flux: np.ndarray, *, rise: float, plateau_end: float | None
) -> SpectralSeries:
    """Mend, interpolate and extend a spectral time series."""
    flux = _without_spikes(phase, flux)
    start, end = phase[0], phase[-1]
    out = np.zeros((len(PHASE), len(WAVE)))
    inside = np.clip(PHASE, start, end)
    row = np.interp(inside, phase, np.arange(len(phase)))
    low = np.minimum(row.astype(int), len(phase) - 2)
    weight = (row - low)[:, None]
    rows = (1 - weight) * flux[low] + weight * flux[low + 1]
    covered = (wave[0] <= WAVE) & (wave[-1] >= WAVE)
    if np.array_equal(wave, WAVE[covered]):
        out[:, covered] = rows
    else:
        for k, spectrum in enumerate(rows):
            out[k, covered] = np.interp(WAVE[covered], wave, spectrum)
    _extend_ultraviolet(out, covered)
    out *= _rise(start, rise)[:, None]
    _extend_late(out, phase, end, None if plateau_end is None else start + plateau_end)
    return SpectralSeries(out, float(start), float(end))


def _without_spikes(phase: np.ndarray, flux: np.ndarray) -> np.ndarray:
    """Replace spectra that stand out of those of the days around by the running median.

    Some published series have single spectra off by magnitudes. What differs by less than 25 %
    stays as it is, and so does the rise, where a running median would cut corners.
    """
    step = np.median(np.diff(phase))
    size = 2 * round(5.0 / step) + 1
    if len(phase) <= 2 * size:
        return flux
    calm = median_filter(flux, size=(size, 1), mode="nearest")
    tiny = 1e-4 * flux.max(axis=1, keepdims=True) + 1e-300
    off = np.abs(np.log((flux + tiny) / (calm + tiny))) > 0.25
    level = flux.sum(axis=1)
    risen = phase >= phase[np.argmax(level > 0.3 * np.percentile(level, 98))] + 5.0
    return np.where(off & risen[:, None], calm, flux)


def _rise(start: float, rise: float) -> np.ndarray:
    before = np.clip((PHASE - start + rise) / rise, 0.0, 1.0)
    return np.where(start > PHASE, before**2, 1.0)


def _extend_ultraviolet(flux: np.ndarray, covered: np.ndarray) -> None:
    """Continue spectra below their shortest wavelength as blanketed blackbodies.

    The temperature is that of the spectrum's own colour between its blue end and 4500 Angstrom,
    within 3500 to 14,000 K, with a further factor (wavelength / blue end) ** 2 for the iron lines.
    What has no data at both wavelengths is not continued.
    """
    first = int(np.argmax(covered))
    if not first or WAVE[first] > 4200 or not covered[np.abs(WAVE - 4500) <= 150].all():
        return

    def level(centre: float) -> np.ndarray:
        near = (np.abs(WAVE - centre) <= 150) & covered
        return flux[:, near].mean(axis=1)

    blue = WAVE[first] + 150.0
    temperature = np.geomspace(3500.0, 14000.0, 60)
    ratio = planck(blue, temperature) / planck(4500.0, temperature)
    seen = level(blue) / np.maximum(level(4500.0), 1e-300)
    own = np.exp(np.interp(seen, ratio, np.log(temperature)))[:, None]
    wave = WAVE[:first]
    shape = planck(wave, own) / planck(blue, own) * (wave / blue) ** 2
    flux[:, :first] = level(blue)[:, None] * shape


def _extend_late(
    flux: np.ndarray, phase: np.ndarray, end: float, plateau_end: float | None
) -> None:
    """Fade beyond the last phase: the last slope at first, then as cobalt does.

    Slopes are those of the last 15 days in bins of 500 Angstrom, .005 to .03 mag/d, relaxing to
    .0098 mag/d within 60 days; a plateau falls by 2.2 (blue) to 1.4 mag (red) at its end.
    """
    late = end < PHASE
    if not late.any():
        return
    last = int(np.argmax(late)) - 1
    earlier = int(np.searchsorted(PHASE, max(end - 15.0, phase[0])))
    if last <= earlier:
        slope = np.full(len(WAVE), 0.0098)
    else:
        bins = ((WAVE - WAVE[0]) // 500).astype(int)
        sums = [np.bincount(bins, flux[k])[bins] for k in (earlier, last)]
        fade = 2.5 * np.log10((sums[0] + 1e-300) / (sums[1] + 1e-300))
        slope = np.clip(fade / (PHASE[last] - PHASE[earlier]), 0.005, 0.03)
    days = PHASE[late][:, None] - PHASE[last]
    mag = 0.0098 * days + (slope - 0.0098) * 60.0 * (1 - np.exp(-days / 60.0))
    if plateau_end is not None:
        depth = np.interp(WAVE, [4500.0, 7000.0], [2.2, 1.4])

        def dropped(at: np.ndarray) -> np.ndarray:
            return 1 / (1 + np.exp(-(at - plateau_end) / 4.0))

        mag = mag + depth * (dropped(PHASE[late][:, None]) - dropped(PHASE[last]))
    flux[late] = flux[last] * 10 ** (-0.4 * mag)


def planck(wave: Any, temperature: Any) -> np.ndarray:
    """Blackbody flux density per wavelength at the surface, erg/s/cm2/Angstrom.

    Parameters
    ----------
    wave : array-like
        Wavelength in Angstrom.
    temperature : array-like
        Kelvin.

    Returns
    -------
    ndarray
        pi B_lambda; its integral over wavelength is sigma T**4.
    """
    exponent = 1.438776877e8 / (np.asarray(wave) * temperature)
    # 2 pi h c**2 / lambda**5 with lambda in Angstrom: 3.7417718e-5 erg cm2/s * 1e40 cm-5 * 1e-8
    return 3.741771852e27 / np.asarray(wave, dtype=float) ** 5 / np.expm1(np.minimum(exponent, 600))


@cache
def bandpass(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return wavelengths (Angstrom) and transmission of one of sncosmo's standard bands."""
    band = require("sncosmo").get_bandpass(name)
    return np.asarray(band.wave), np.asarray(band.trans)


def synthetic_magnitude(flux: np.ndarray, band: str) -> np.ndarray:
    """AB magnitudes of spectra on `WAVE`, flux density per wavelength in erg/s/cm2/Angstrom.

    Parameters
    ----------
    flux : ndarray of shape (n, len(WAVE))
    band : str
        Of sncosmo.

    Returns
    -------
    ndarray of shape (n,)
    """
    wave, transmission = bandpass(band)
    response = np.interp(WAVE, wave, transmission, left=0.0, right=0.0)
    photons = flux @ (response * WAVE) / np.sum(AB_FLUX * response / WAVE)
    return -2.5 * np.log10(np.maximum(photons, 1e-300))


def like_2005hk(series: SpectralSeries) -> SpectralSeries:
    """Warp spectra to the colours of SN 2005hk, the best observed SN Iax.

    B-V and V-r at each phase are brought to those of Phillips et al. (2007, PASP 119, 360) by a
    factor that is linear in wavelength between 4385, 5490 and 6185 Angstrom.

    Parameters
    ----------
    series : SpectralSeries

    Returns
    -------
    SpectralSeries
    """
    days = [-15.0, -7.0, 0.0, 10.0, 20.0, 30.0, 60.0, 100.0]
    blue = np.interp(PHASE, days, [-0.05, 0.0, 0.12, 0.75, 1.30, 1.35, 1.1, 0.9])
    red = np.interp(PHASE, days, [-0.05, 0.0, 0.06, 0.25, 0.50, 0.55, 0.5, 0.4])
    flux = series.flux.copy()
    for _ in range(4):  # bands are wide: a few rounds until the colours are met
        b, v, r = (synthetic_magnitude(flux, n) for n in ("bessellb", "bessellv", "sdssr"))
        # Vega is -.102 in B and +.010 in V (AB)
        change = [blue - (b - v) - 0.112, np.zeros_like(b), -(red - (v - r) + 0.010)]
        for k in range(len(PHASE)):
            mags = np.interp(WAVE, [4385.0, 5490.0, 6185.0], [c[k] for c in change])
            flux[k] *= 10 ** (-0.4 * np.clip(mags, -3, 3))
    return replace(series, flux=flux)
