"""The passbands sklc knows: effective wavelengths in micrometre, aliases and sources.

One row per passband: canonical name, wavelength, aliases within the survey, sncosmo name.
The wavelength is the photon-weighted mean of the transmission (see `sklc.passbands`). Where the
transmission curve could not be integrated, the published value is quoted and the source says
which definition it follows: they differ by about 1 %, up to 3 % for wide bands.

Single letters whose case has a meaning (r of Sloan, R of Cousins) are matched as they are written;
a survey that uses the other case for its own band lists it as an alias.
"""

from __future__ import annotations

from sklc.passbands.table.ground import GROUND
from sklc.passbands.table.space import SPACE
from sklc.passbands.table.survey import Survey
from sklc.passbands.table.telescopes import FOLLOW_UP, STANDARD, TELESCOPES
from sklc.passbands.table.vega import AB_MINUS_VEGA

__all__ = ["AB_MINUS_VEGA", "FOLLOW_UP", "STANDARD", "SURVEYS", "Survey"]

SURVEYS: tuple[Survey, ...] = (*GROUND, *SPACE, *TELESCOPES)
