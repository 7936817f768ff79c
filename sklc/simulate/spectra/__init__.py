"""Spectra, the templates that they come from, and tables of their fluxes in passbands."""

from sklc.simulate.spectra.series import (
    AB_FLUX,
    PHASE,
    WAVE,
    SpectralSeries,
    bandpass,
    like_2005hk,
    planck,
    synthetic_magnitude,
)

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
