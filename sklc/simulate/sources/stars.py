"""Stars of the Milky Way in difference images: periodic variables, and artefacts of subtraction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sklc.simulate.sources.base import Normal, Objects, Points
from sklc.simulate.sources.galactic import draw_star
from sklc.simulate.sources.thermal import ThermalSource
from sklc.simulate.spectra.grids import BandGrid

__all__ = ["PeriodicStar", "SubtractionArtefact"]


@dataclass(frozen=True)
class _Star(ThermalSource):
    """A star of the Milky Way, whose mean light a difference image subtracts.

    Parameters
    ----------
    host_ebv, cutoff : float
        As for `ThermalSource`; there is no host.
    mag : Normal
        Apparent magnitude of the star, SDSS g.
    duration : float
        Number of days for which each star is followed.
    """

    host_ebv: float = 0.0
    mag: Normal = Normal(18.0, 1.8)
    duration: float = 800.0

    galactic = True
    transient = False

    def evolution(
        self, objects: Objects, owner: np.ndarray, days: np.ndarray, component: int = 0
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return log10 of the mean luminosity (erg/s) and of the mean temperature (K)."""
        return objects["log_luminosity"][owner], objects["log_temperature"][owner]

    def steady(self, grid: BandGrid, objects: Objects) -> np.ndarray:
        """Return the mean flux of the star, which a difference image subtracts."""
        n, n_bands = len(objects["redshift"]), grid.flux.shape[2]
        owner, band = (grid_of.ravel() for grid_of in np.indices((n, n_bands)))
        zero, redshift = np.zeros(n, dtype=np.int64), objects["redshift"]
        unit = grid.lookup(zero, redshift, objects, owner, band, objects["log_temperature"][owner])
        return (unit * 10 ** (objects["log_luminosity"][owner] - 43.0)).reshape(n, n_bands)

    def brightest_days(self, objects: Objects) -> np.ndarray:
        """Return one day; the mean does not change."""
        return np.zeros((len(objects["redshift"]), 1))

    def span(self, grid: BandGrid, objects: Objects) -> tuple[np.ndarray, np.ndarray]:
        """Return the first and last day on which each star is observed."""
        n = len(objects["redshift"])
        return np.zeros(n), np.full(n, self.duration)

    def _truth(self, objects: Objects, template: np.ndarray) -> dict[str, np.ndarray]:
        unknown = np.full(len(template), np.nan)
        return {
            "template": template,
            "peak_absmag": unknown,
            "explosion": unknown,
            "peak": unknown,
        }


# Kinds of periodic stars: share, log10 of the period in days (mean, sd), amplitude in g magnitudes
# (mean, sd), log10 of the temperature, change of log10(T) per magnitude, and skewness of the curve.
# After Catelan & Smith, Pulsating Stars (2015), chapters 5 to 8.
_KINDS = (
    ("rr-lyrae", 0.3, -0.27, 0.1, 0.8, 0.25, 3.83, 0.060, 0.8),
    ("cepheid", 0.15, 0.8, 0.4, 0.7, 0.25, 3.76, 0.055, 0.6),
    ("long-period", 0.25, 2.4, 0.2, 2.2, 1.0, 3.48, 0.022, 0.2),
    ("eclipsing", 0.3, -0.1, 0.4, 0.5, 0.2, 3.78, 0.0, 0.0),
)


@dataclass(frozen=True)
class PeriodicStar(_Star):
    """Pulsating stars and eclipsing binaries, as the difference to their mean light.

    Parameters
    ----------
    host_ebv, cutoff, mag, duration
        As for other stars: no host, a blackbody, the distribution of the apparent magnitude in
        SDSS g, and the number of days for which each star is followed.

    Examples
    --------
    >>> from sklc.simulate.sources import PeriodicStar
    >>> PeriodicStar.galactic, PeriodicStar.transient
    (True, False)
    """

    margin = 0.5

    def sample(self, rng: np.random.Generator, redshift: np.ndarray) -> Objects:
        """Draw kind, period, amplitude and star."""
        n = len(redshift)
        table = np.array([row[1:] for row in _KINDS], dtype=float)
        kind = rng.choice(len(table), n, p=table[:, 0])
        row = table[kind].T
        deviate = np.clip(rng.standard_normal((3, n)), -2.5, 2.5)
        amplitude = row[3] + row[4] * deviate[1]
        return {
            **draw_star(rng, self.mag, row[5] + 0.03 * deviate[2], self.cutoff),
            "kind": kind,
            "period": 10 ** (row[1] + row[2] * deviate[0]),
            "amplitude": np.maximum(amplitude, 0.1),
            "tint": row[6],
            "skewness": row[7],
            "phase": rng.random(n),
        }

    def evolution(
        self, objects: Objects, owner: np.ndarray, days: np.ndarray, component: int = 0
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return log10 of luminosity (erg/s) and of temperature (K)."""
        angle = 2 * np.pi * (days / objects["period"][owner] + objects["phase"][owner])
        skewness = objects["skewness"][owner]
        # steep rise and slow decline: a phase that runs ahead of time
        wave = np.sin(angle + 0.7 * skewness * np.sin(angle)) + 0.35 * skewness**2
        # two eclipses in a period, the second less deep
        dips = -1.2 * np.exp(-((np.sin(angle / 2) / 0.2) ** 2))
        dips -= 0.6 * np.exp(-((np.cos(angle / 2) / 0.2) ** 2))
        shape = np.where(objects["kind"][owner] == len(_KINDS) - 1, dips, wave)
        brighter = 0.5 * objects["amplitude"][owner] * shape  # magnitudes in g
        warmer = objects["tint"][owner] * brighter
        # at optical wavelengths light grows faster with temperature than the luminosity
        log_l = objects["log_luminosity"][owner] + 0.4 * brighter * (
            1 - np.minimum(objects["tint"][owner] * 10, 0.5)
        )
        return log_l, objects["log_temperature"][owner] + warmer

    def flux(
        self, grid: BandGrid, objects: Objects, points: Points, rng: np.random.Generator
    ) -> np.ndarray:
        """Return the flux of observations above the mean."""
        own = points.owner * grid.flux.shape[2] + points.band
        return super().flux(grid, objects, points, rng) - self.steady(grid, objects).ravel()[own]

    def brightest(self, grid: BandGrid, objects: Objects) -> np.ndarray:
        """Return the change of flux that most stars do not exceed, (n_objects, n_bands)."""
        return self.steady(grid, objects) * (10 ** (0.4 * objects["amplitude"]) - 1)[:, None]

    def truth(self, grid: BandGrid, objects: Objects) -> dict[str, np.ndarray]:
        """Return kind, period and amplitude."""
        kinds = np.array([row[0] for row in _KINDS], dtype=object)
        return {
            **self._truth(objects, kinds[objects["kind"]]),
            "period": objects["period"],
            "amplitude": objects["amplitude"],
        }


@dataclass(frozen=True)
class SubtractionArtefact(_Star):
    """Stars that do not vary, but are subtracted badly: bogus detections of both signs.

    The residual is a share of the star's light that changes from night to night with the seeing,
    with heavy tails (Student's t of three degrees of freedom), about a constant one that the
    reference image causes.

    Parameters
    ----------
    host_ebv, cutoff, mag, duration
        As for other stars: no host, a blackbody, the distribution of the apparent magnitude in
        SDSS g, and the number of days for which each star is followed.
    log_share : Normal
        Distribution of log10 of the residual as a share of the star's light.

    Examples
    --------
    >>> from sklc.simulate.sources import SubtractionArtefact
    >>> SubtractionArtefact.galactic, SubtractionArtefact.transient
    (True, False)
    """

    mag: Normal = Normal(16.0, 1.5)
    log_share: Normal = Normal(-2.0, 0.4)

    margin = 1.0

    def sample(self, rng: np.random.Generator, redshift: np.ndarray) -> Objects:
        """Draw star and residuals."""
        n = len(redshift)
        return {
            **draw_star(rng, self.mag, Normal(3.74, 0.08).draw(rng, n), self.cutoff),
            "share": 10 ** self.log_share.draw(rng, n),
            "offset": rng.normal(0.0, 1.5, n),
        }

    def flux(
        self, grid: BandGrid, objects: Objects, points: Points, rng: np.random.Generator
    ) -> np.ndarray:
        """Return the residual of each observation."""
        own = points.owner * grid.flux.shape[2] + points.band
        change = objects["offset"][points.owner] + rng.standard_t(3, len(points.owner))
        return self.steady(grid, objects).ravel()[own] * objects["share"][points.owner] * change

    def brightest(self, grid: BandGrid, objects: Objects) -> np.ndarray:
        """Return the residual that most observations do not exceed, (n_objects, n_bands)."""
        return self.steady(grid, objects) * (objects["share"] * 3.0)[:, None]

    def truth(self, grid: BandGrid, objects: Objects) -> dict[str, np.ndarray]:
        """Return the share of the light."""
        template = np.full(len(objects["share"]), "residual", dtype=object)
        return {**self._truth(objects, template), "share": objects["share"]}
