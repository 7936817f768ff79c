"""Quasars and blazars in total flux."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sklc.simulate.sources.agn import DampedRandomWalk
from sklc.simulate.sources.base import Objects, Points
from sklc.simulate.spectra.grids import BandGrid

__all__ = ["Quasar"]


@dataclass(frozen=True)
class Quasar(DampedRandomWalk):
    """Active galactic nuclei in total flux: nucleus, broad lines and host.

    The same damped random walk as in difference images, see `DampedRandomWalk`.

    Parameters
    ----------
    amplitude, damping, lag, bright, faint, limit, duration
        As for `DampedRandomWalk`.

    Examples
    --------
    >>> from sklc.simulate.sources import Quasar
    >>> Quasar().total
    True
    """

    duration: float = np.inf

    total = True
    _reference = 0.0

    def sample(self, rng: np.random.Generator, redshift: np.ndarray) -> Objects:
        """Draw as in difference images, with the scatter of quasars about the relations."""
        objects = super().sample(rng, redshift)
        deviate = np.clip(rng.standard_normal((2, len(redshift))), -2.5, 2.5)
        objects["sf_infinity"] = np.clip(
            objects["sf_infinity"] * 10 ** (0.15 * deviate[0]), 0.02, 1.5
        )
        objects["tau"] = np.clip(objects["tau"] * 10 ** (0.3 * deviate[1]), 1.0, 3000.0)
        return objects

    def brightest(self, grid: BandGrid, objects: Objects) -> np.ndarray:
        """Return the flux that most observations do not exceed, (n_objects, n_bands)."""
        return super().steady(grid, objects) + super().brightest(grid, objects)

    def steady(self, grid: BandGrid, objects: Objects) -> None:  # type: ignore[override]
        """Return None: the flux is already the total."""
        return None

    def flux(
        self, grid: BandGrid, objects: Objects, points: Points, rng: np.random.Generator
    ) -> np.ndarray:
        """Return the total flux of observations."""
        own = points.owner * len(grid.effective) + points.band
        steady = super().steady(grid, objects).reshape(-1)[own]
        return steady + super().flux(grid, objects, points, rng)

    def truth(self, grid: BandGrid, objects: Objects) -> dict[str, np.ndarray]:
        """Return luminosity, black hole mass, amplitude and damping time."""
        n = len(objects["redshift"])
        own = {"period": np.full(n, np.nan), "amplitude": 2.0 * objects["sf_infinity"]}
        return super().truth(grid, objects) | own
