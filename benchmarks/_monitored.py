"""Surveys that no shipped weights know by name: ATLAS, Swift's UVOT, and UBVRI of small telescopes.

They have the passbands of the instruments, and a typical rhythm and depth, but no real pointings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sklc.simulate import Survey

_FIRST, _YEAR = 59000, 365.25  # MJD of the first night; days
_N_POSITIONS = 40


@dataclass(frozen=True)
class Band:
    """A passband and how it is used.

    Parameters
    ----------
    depth : float
        Median depth of a visit, 5 sigma, AB magnitudes.
    edges : (float, float), optional
        Wavelengths of half transmission in nanometres; without them, sncosmo has the curve of the
        band's name.
    share : float
        Share of the nights on which it is used.
    """

    depth: float
    edges: tuple[float, float] | None = None
    share: float = 1.0

    def curve(self) -> tuple[np.ndarray, np.ndarray]:
        """Return a trapezoid: wavelength in Angstrom, and transmission."""
        assert self.edges is not None
        (low, high), half = self.edges, 0.1 * (self.edges[1] - self.edges[0])
        corners = np.array([low - half, low + half, high - half, high + half])
        return 10 * corners, np.array([0.0, 1.0, 1.0, 0.0])


@dataclass(frozen=True)
class Monitoring:
    """A survey that returns to its positions in a rhythm.

    Parameters
    ----------
    name : str
    bands : mapping of str to Band
    gap : float
        Days between visits.
    season : float
        Days per year on which a position can be observed.
    years : int
    clear : float
        Share of the nights that are clear.
    systematic : float
        Systematic error as a fraction of the flux.
    """

    name: str
    bands: Mapping[str, Band]
    gap: float
    season: float
    years: int
    clear: float
    systematic: float

    def survey(self, seed: int = 0) -> Survey:
        """Draw the visits of the survey."""
        rng = np.random.default_rng([77, seed])
        tables = []
        for position in range(_N_POSITIONS):
            days = np.arange(0, self.years * _YEAR, self.gap)
            days = days + rng.uniform(-0.2, 0.2, len(days)) * self.gap
            visible = (days + rng.uniform(0, _YEAR)) % _YEAR < self.season
            days = days[visible & (rng.random(len(days)) < self.clear)]
            for number, (label, band) in enumerate(self.bands.items()):
                used = days[rng.random(len(days)) < band.share]
                depth = rng.normal(band.depth, 0.3, len(used))
                tables.append(pd.DataFrame({"mjd": _FIRST + used + 0.004 * number, "band": label,
                                            "depth": depth, "position": position}))  # fmt: skip
        curves = {label: band.curve() for label, band in self.bands.items() if band.edges}
        return Survey.from_pointings(
            pd.concat(tables, ignore_index=True), name=self.name, label=self.name,
            passbands=curves, systematic=self.systematic,
        )  # fmt: skip


# ATLAS: Tonry et al. 2018. UVOT: 1 ks per filter. UBVRI: Bessell 1990, nearby objects.
MONITORED = {
    own.name: own
    for own in (
        Monitoring(
            "ATLAS",
            {"c": Band(19.8, (420, 650), share=0.3), "o": Band(19.6, (560, 820), share=0.8)},
            gap=2.0, season=240, years=4, clear=0.75, systematic=0.01,
        ),
        Monitoring(
            "UVOT",
            {"uvotuvw2": Band(20.8), "uvotuvm2": Band(20.6), "uvotuvw1": Band(20.5),
             "uvotu": Band(20.3), "uvotb": Band(19.6), "uvotv": Band(18.9)},
            gap=3.0, season=366, years=1, clear=0.9, systematic=0.02,
        ),
        Monitoring(
            "UBVRI",
            {"U": Band(18.3, (327, 392), share=0.5), "B": Band(19.2, (391, 485)),
             "V": Band(19.2, (506, 591)), "R": Band(19.2, (575, 725)),
             "I": Band(18.7, (725, 879))},
            gap=4.0, season=240, years=3, clear=0.7, systematic=0.02,
        ),
    )
}  # fmt: skip
