"""Spectra on one grid of phase and wavelength: blackbodies, synthetic magnitudes, warps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from sklc._optional import require

__all__ = [
    "AB_FLUX",
    "PHASE",
    "WAVE",
    "SpectralSeries",
    "bandpass",
    "like_2005hk",
    "planck",
    "synthetic_magnitude",
]

# Rest-frame days from the template's own zero; finest where light curves bend.
PHASE = np.concatenate(
    [
        np.arange(-75.0, -50.0, 2.5),
        np.arange(-50.0, -25.0, 0.5),
        np.arange(-25.0, -10.0, 0.25),
        np.arange(-10.0, 40.0, 0.5),
        np.arange(40.0, 120.0, 1.5),
        np.arange(120.0, 160.0, 2.0),
        np.arange(160.0, 361.0, 8.0),
    ]
)
# Rest-frame Angstrom. Nothing is seen below the Lyman limit.
WAVE = np.arange(910.0, 11500.0, 10.0)

# lambda**2 F_lambda of 0 mag AB: 3631 Jy times the speed of light, in erg/s/cm2 and Angstrom
AB_FLUX = 3.631e-20 * 2.99792458e18


@dataclass(frozen=True, eq=False)
class SpectralSeries:
    """Flux density per wavelength on `PHASE` and `WAVE`, in any unit.

    Parameters
    ----------
    flux : ndarray of shape (len(PHASE), len(WAVE))
        Flux per unit of wavelength at each phase and wavelength, in any unit.
    start, end : float
        Phases between which the template has data; beyond, it is extended.
    shift : float, default=0.0
        Days, a quarter at most, to add to phases to get those of the template: its first one is
        moved to a point of `PHASE`, between which a sudden start would be smeared out.

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.simulate.spectra import PHASE, WAVE, SpectralSeries
    >>> series = SpectralSeries(np.ones((len(PHASE), len(WAVE))), start=-20.0, end=100.0)
    >>> series.end
    100.0
    """

    flux: np.ndarray
    start: float
    end: float
    shift: float = 0.0


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

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.simulate.spectra import planck
    >>> wave = np.arange(500.0, 200000.0, 10.0)
    >>> print(f"{planck(wave, 6000.0).sum() * 10:.2e}")
    7.35e+10
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
        Spectra in erg/s/cm2/Angstrom.
    band : str
        Name of the band in sncosmo.

    Returns
    -------
    ndarray of shape (n,)

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.simulate.spectra import AB_FLUX, WAVE, synthetic_magnitude
    >>> flat = AB_FLUX / WAVE[None, :] ** 2  # 3631 Jy at all wavelengths
    >>> abs(synthetic_magnitude(flat, "bessellb").round(6))  # bands of Bessell come with sncosmo
    array([0.])
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
        Spectra to change.

    Returns
    -------
    SpectralSeries

    Examples
    --------
    >>> from sklc.simulate.spectra import like_2005hk
    >>> from sklc.simulate.spectra.templates import Template
    >>> Template("hsiao", "3.0", warp=like_2005hk).warp.__name__
    'like_2005hk'
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
