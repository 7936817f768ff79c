"""Spectra, the templates that they come from, and tables of their fluxes in passbands."""

from sklc.simulate.spectra.series import *  # noqa: F403
from sklc.simulate.spectra.series import __all__ as __all__
