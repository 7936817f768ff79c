"""The surveys that come with the library: passbands, cadence, systematic error and place."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from sklc.simulate.surveys import cadences
from sklc.simulate.surveys.visits import Visits

__all__ = ["ALIASES", "RECIPES", "Recipe"]


class Recipe(NamedTuple):
    """What a built-in survey is made of; its visits are drawn when it is first asked for."""

    label: str
    passbands: tuple[str, ...]
    cadence: Callable[[], Visits]
    systematic: float
    longitude: float


_LSST = tuple(f"lsst{band}" for band in "ugrizy")
_PS1, _DES = tuple(f"ps1{band}" for band in "grizy"), tuple(f"des{band}" for band in "griz")
RECIPES = {
    "ztf": Recipe("ZTF", ("ztfg", "ztfr"), cadences.ztf, 0.015, cadences.PALOMAR),
    "lsst": Recipe("LSST", _LSST, cadences.lsst_wfd, 0.005, cadences.PACHON),
    "lsst-ddf": Recipe("LSST", _LSST, cadences.lsst_ddf, 0.005, cadences.PACHON),
    "ps1": Recipe("PS1", _PS1, cadences.ps1, 0.01, cadences.HALEAKALA),
    "des": Recipe("DES", _DES, cadences.des, 0.01, cadences.TOLOLO),
}
ALIASES = {"lsst-wfd": "lsst"}
