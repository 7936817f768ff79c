"""The surveys that come with the library: passbands, cadence, systematic error and place."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from sklc.simulate.surveys import cadences, monitoring
from sklc.simulate.surveys.curves import Curve
from sklc.simulate.surveys.total_flux import TotalFlux
from sklc.simulate.surveys.visits import Visits

__all__ = ["ALIASES", "RECIPES", "Recipe"]


class Recipe(NamedTuple):
    """What a built-in survey is made of; its visits are drawn when it is first asked for."""

    label: str
    passbands: tuple[str, ...]
    cadence: Callable[[], Visits]
    systematic: float
    longitude: float
    total_flux: TotalFlux
    curves: Callable[[], dict[str, Curve]] | None = None


def _bands(*names: str) -> Callable[[], dict[str, Curve]]:
    """Return curves of passbands of which sncosmo has none, or must download them."""
    return partial(monitoring.curves, names)


_LSST = tuple(f"lsst{band}" for band in "ugrizy")
_PS1, _DES = tuple(f"ps1{band}" for band in "grizy"), tuple(f"des{band}" for band in "griz")
_GAIA, _ATLAS, _ASASSN = (
    ("gaia_bp", "gaia_g", "gaia_rp"),
    ("atlasc", "atlaso"),
    ("asassng", "asassnV"),
)
_SSO, _LCO = monitoring.SIDING_SPRING, monitoring.CAMPANAS
# Errors of crts and asas: differences between visits of the same night or of neighbouring nights,
# against the stated errors.
RECIPES = {
    "ztf": Recipe(
        "ZTF", ("ztfg", "ztfr"), cadences.ztf, 0.015, cadences.PALOMAR,
        TotalFlux(12.5, 5.0, spoilt=0.003),
    ),
    "lsst": Recipe("LSST", _LSST, cadences.lsst_wfd, 0.005, cadences.PACHON, TotalFlux(16.0)),
    "lsst-ddf": Recipe("LSST", _LSST, cadences.lsst_ddf, 0.005, cadences.PACHON, TotalFlux(16.0)),
    "ps1": Recipe("PS1", _PS1, cadences.ps1, 0.01, cadences.HALEAKALA, TotalFlux(15.0)),
    "des": Recipe("DES", _DES, cadences.des, 0.01, cadences.TOLOLO, TotalFlux(16.0)),
    "crts": Recipe(
        "CRTS", ("crtsV",), monitoring.crts, 0.018, _SSO,
        TotalFlux(11.0, 3.0, 1.4, 0.047, 0.005), _bands("crtsV"),
    ),
    "asas": Recipe(
        "ASAS", ("asasV",), monitoring.asas, 0.028, _LCO,
        TotalFlux(7.5, 3.0, 0.1, 0.035, 0.006), _bands("asasV"),
    ),
    "asas-sn": Recipe(
        "ASAS-SN", _ASASSN, monitoring.asassn, 0.015, _LCO,
        TotalFlux(10.0, 3.0, 0.7, 0.008, 0.006), _bands(*_ASASSN),
    ),
    "atlas": Recipe(
        "ATLAS", _ATLAS, monitoring.atlas, 0.01, cadences.HALEAKALA,
        TotalFlux(12.5, spoilt=0.006), _bands(*_ATLAS),
    ),
    "gaia": Recipe(
        "Gaia", _GAIA, monitoring.gaia, 0.001, 0.0, TotalFlux(3.0, 3.0, spoilt=0.001),
        _bands(*_GAIA),
    ),
    "kepler": Recipe(
        "Kepler", ("kepler",), monitoring.kepler, 2e-5, 0.0, TotalFlux(7.0), _bands("kepler"),
    ),
    "tess": Recipe("TESS", ("tess",), monitoring.tess, 1e-4, 0.0, TotalFlux(4.0), _bands("tess")),
    "ogle": Recipe(
        "OGLE", ("ogleI",), monitoring.ogle, 0.012, _LCO,
        TotalFlux(12.5, 5.0, 0.55, 0.007, 0.003), _bands("ogleI"),
    ),
    "hipparcos": Recipe(
        "Hipparcos", ("hipHp",), monitoring.hipparcos, 0.004, 0.0,
        TotalFlux(-2.0, 3.0, spoilt=0.003), _bands("hipHp"),
    ),
}  # fmt: skip
ALIASES = {
    "lsst-wfd": "lsst", "catalina": "crts", "asassn": "asas-sn", "asas-3": "asas",
    "ogle-iii": "ogle", "hip": "hipparcos",
}  # fmt: skip
