"""Rotating stars: spots that come and go, and chemical patches that stay."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sklc.simulate.sources.base import Normal, Objects, Points
from sklc.simulate.sources.variable import Mixture, Modulation, VariableStar, scaled

__all__ = ["SpottedStar"]


@dataclass(frozen=True)
class SpottedStar(VariableStar):
    """Stars whose surface is not uniformly bright: one or two groups of spots.

    Late-type stars (RS Canum Venaticorum, BY Draconis) have spots that change within tens of
    rotations, and cycles of activity that change the mean (Strassmeier 2009, A&ARv 17, 251). The
    patches of chemically peculiar stars (ACV) stay.

    Parameters
    ----------
    log_temperature, chroma, mag
        As for `VariableStar`.
    name : str
        Name of the kind in the metadata column "template".
    periods : Mixture
        Distribution of log10 of the period in days.
    log_amplitude : Normal
        Distribution of log10 of the peak-to-peak amplitude in V.
    double : float
        Largest ratio of the second wave in a rotation to the first.
    modulation : Modulation
        How the spots change.

    Examples
    --------
    >>> from sklc.simulate.sources import SpottedStar
    >>> SpottedStar().galactic
    True
    """

    log_temperature: Normal = Normal(3.69, 0.04)
    chroma: Normal = Normal(0.35, 0.1)
    name: str = "spotted"
    periods: Mixture = Mixture((1.0, 0.6, 0.5))
    log_amplitude: Normal = Normal(-0.85, 0.25)
    double: float = 0.8
    modulation: Modulation = Modulation(
        amplitude=Normal(0.3, 0.12),
        phase=Normal(0.1, 0.08),
        trend=Normal(0.3, 0.2),
        log_cycles=(1.3, 2.6),
    )

    def draw(self, rng: np.random.Generator, n: int) -> Objects:
        """Draw period, amplitude and spots."""
        return {
            "period": 10 ** self.periods.draw(rng, n),
            "amplitude": 10 ** self.log_amplitude.draw(rng, n),
            "double": rng.uniform(0.0, self.double, n),
            "double_start": rng.random(n),
            **self.modulation.draw(rng, n),
        }

    def relative_flux(
        self, objects: Objects, points: Points, effective: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """Return the flux relative to the mean."""
        owner = points.owner
        cycles = points.days / objects["period"][owner]
        factor, shift, trend = self.modulation.curves(objects, owner, cycles)
        angle = 2 * np.pi * (cycles + shift + objects["phase"][owner])
        double = objects["double"][owner]
        wave = np.sin(angle) + double * np.sin(
            2 * angle + 2 * np.pi * (objects["double_start"][owner] + 2 * shift)
        )
        wave = 0.5 * factor * wave / (1 + 0.6 * double) + trend
        return scaled(objects["amplitude"][owner] * wave, objects, points, effective)

    def kinds(self, objects: Objects) -> np.ndarray:
        """Return the name of the kind of each star."""
        return np.full(len(objects["mag"]), self.name, dtype=object)
