"""Microlensing of stars in the Milky Way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sklc.simulate.sources.base import Normal, Objects
from sklc.simulate.sources.thermal import LOG_TEMPERATURE, ThermalSource, unit_magnitude
from sklc.simulate.spectra.grids import BandGrid

__all__ = ["Microlensing", "draw_star", "magnification"]


def magnification(u: np.ndarray) -> np.ndarray:
    """Magnification of a point source by a point lens (Paczynski 1986, ApJ 304, 1).

    Parameters
    ----------
    u : ndarray
        Angular separation in Einstein radii.

    Returns
    -------
    ndarray

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.simulate.sources.galactic import magnification
    >>> float(magnification(np.array(1.0)).round(4))
    1.3416
    """
    u2 = np.asarray(u) ** 2
    return (u2 + 2) / np.sqrt(u2 * (u2 + 4))


def draw_star(
    rng: np.random.Generator, mag: Normal, log_temperature: np.ndarray, cutoff: float
) -> Objects:
    """Draw the brightness of stars in the Milky Way.

    Parameters
    ----------
    rng : Generator
        Where the draws come from.
    mag : Normal
        Apparent magnitude, SDSS g.
    log_temperature : ndarray of shape (n_objects,)
        Log10 of the temperatures in K.
    cutoff : float
        As for `ThermalSource`.

    Returns
    -------
    dict of str to ndarray
        Parameters of a `ThermalSource` without a host.

    Examples
    --------
    See `Microlensing`, which uses it.
    """
    n = len(log_temperature)
    apparent = mag.draw(rng, n)
    unit = np.interp(log_temperature, LOG_TEMPERATURE, unit_magnitude("sdssg", cutoff))
    return {
        "absolute_mag": apparent,
        "log_luminosity": 43.0 + 0.4 * (unit - apparent),
        "log_temperature": log_temperature,
        "host_ebv": np.zeros(n),
    }


@dataclass(frozen=True)
class Microlensing(ThermalSource):
    """Stars that a lens passes in front of; difference images show flux (magnification - 1).

    Parameters
    ----------
    host_ebv, cutoff : float
        As for `ThermalSource`; there is no host.
    mag : Normal
        Apparent magnitude of the star, SDSS g.
    log_temperature : Normal
        Distribution of log10 of the star's temperature in K.
    log_einstein : Normal
        Distribution of log10 of the Einstein crossing time in days (Wyrzykowski et al. 2015, ApJS
        216, 12).
    largest_u : float
        Impact parameters are uniform up to it.

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.simulate.sources import Microlensing
    >>> event = {"log_luminosity": [33.0], "log_temperature": [3.7], "einstein_time": [20.0],
    ...          "impact": [0.5]}
    >>> event = {name: np.array(value) for name, value in event.items()}
    >>> log_l, _ = Microlensing().evolution(event, np.zeros(2, int), np.array([0.0, 20.0]))
    >>> (10 ** (log_l - 33.0)).round(3)  # magnification - 1
    array([1.183, 0.269])
    """

    host_ebv: float = 0.0
    mag: Normal = Normal(19.5, 1.5)
    log_temperature: Normal = Normal(3.72, 0.06)
    log_einstein: Normal = Normal(1.35, 0.3)
    largest_u: float = 0.8

    galactic = True

    def sample(self, rng: np.random.Generator, redshift: np.ndarray) -> Objects:
        """Draw star and geometry."""
        n = len(redshift)
        temperature = self.log_temperature.draw(rng, n)
        return {
            **draw_star(rng, self.mag, temperature, self.cutoff),
            "einstein_time": 10 ** self.log_einstein.draw(rng, n),
            "impact": rng.uniform(0.01, self.largest_u, n),
        }

    def evolution(
        self, objects: Objects, owner: np.ndarray, days: np.ndarray, component: int = 0
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return log10 of the luminosity that is added, and of the temperature."""
        u = np.hypot(objects["impact"][owner], days / objects["einstein_time"][owner])
        # far out the magnification is 1 + 2 / u**4: its difference to 1 would lose all digits
        added = np.where(u > 30, 2 / u**4, magnification(np.minimum(u, 30)) - 1)
        return objects["log_luminosity"][owner] + np.log10(added), objects["log_temperature"][owner]

    def steady(self, grid: BandGrid, objects: Objects) -> np.ndarray:
        """Return the flux of the star itself, which a difference image subtracts."""
        return self.brightest(grid, objects) / (magnification(objects["impact"])[:, None] - 1)

    def brightest_days(self, objects: Objects) -> np.ndarray:
        """Return the closest approach."""
        return np.zeros((len(objects["redshift"]), 1))

    def span(self, grid: BandGrid, objects: Objects) -> tuple[np.ndarray, np.ndarray]:
        """Return days since the closest approach at four Einstein times."""
        return -4 * objects["einstein_time"], 4 * objects["einstein_time"]

    def truth(self, grid: BandGrid, objects: Objects) -> dict[str, np.ndarray]:
        """Return the geometry."""
        n = len(objects["redshift"])
        return {
            "template": np.full(n, "point-lens", dtype=object),
            "peak_absmag": np.full(n, np.nan),
            "explosion": np.full(n, np.nan),
            "peak": np.zeros(n),
            "einstein_time": objects["einstein_time"],
            "impact": objects["impact"],
        }
