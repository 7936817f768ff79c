"""How surveys measure total flux: saturation, detection limits, and errors that are not stated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sklc.errors import SimulationError
from sklc.simulate.settings import is_number

__all__ = ["TotalFlux"]

_BLENDED = 0.3  # share of the spoilt observations that are too bright
_SPOILT_MAG = 0.3  # mean size


@dataclass(frozen=True)
class TotalFlux:
    """How a survey measures stars and quasars in total flux.

    Parameters
    ----------
    saturation : float, optional
        AB magnitude of the brightest stars that are measured, in all bands.
    least_snr : float, optional
        Signal-to-noise ratio below which nothing is measured, for surveys that publish catalogues
        of detections; None for forced photometry.
    error_scale, error_floor : float, default=1.0, 0.0
        The stated error is ``hypot(error_scale * true error, error_floor * flux)``.
    spoilt : float, default=0.0
        Share of observations that clouds, the edges of detectors, neighbours or cosmic rays spoil:
        by .3 mag on average, seven in ten of them too faint.

    Raises
    ------
    SimulationError
        If a value is not a number in its range.

    Examples
    --------
    >>> from sklc.simulate import Survey
    >>> Survey.builtin("crts").total_flux.error_scale  # the stated errors are too large
    1.4
    """

    saturation: float | None = None
    least_snr: float | None = None
    error_scale: float = 1.0
    error_floor: float = 0.0
    spoilt: float = 0.0

    def __post_init__(self) -> None:
        ranges = {"saturation": (-5, 30), "least_snr": (0, 1e6), "error_scale": (0, 100),
                  "error_floor": (0, 1), "spoilt": (0, 1)}  # fmt: skip
        for name, (low, high) in ranges.items():
            value = getattr(self, name)
            if value is None and name in ("saturation", "least_snr"):
                continue
            if not is_number(value) or not low <= value <= high:
                raise SimulationError(
                    f"TotalFlux: {name}={value!r} is not a number from {low:g} to {high:g}."
                )

    @property
    def saturation_flux(self) -> float:
        """The flux of the brightest stars that are measured, zero point 27.5."""
        return np.inf if self.saturation is None else 10 ** (0.4 * (27.5 - self.saturation))

    def spoil(self, rng: np.random.Generator, measured: np.ndarray) -> np.ndarray:
        """Return measured fluxes of which some are spoilt.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of random numbers.
        measured : ndarray of shape (n_obs,)
            Measured flux.

        Returns
        -------
        ndarray of shape (n_obs,)

        Examples
        --------
        >>> import numpy as np
        >>> from sklc.simulate import TotalFlux
        >>> flux = TotalFlux(spoilt=0.1).spoil(np.random.default_rng(0), np.ones(1000))
        >>> bool(0.08 < np.mean(flux != 1) < 0.12)
        True
        """
        number = rng.binomial(len(measured), self.spoilt)
        if not number:
            return measured
        rows = rng.integers(len(measured), size=number)
        sign = np.where(rng.random(number) < _BLENDED, -1.0, 1.0)
        size = sign * np.minimum(rng.exponential(_SPOILT_MAG, number), 3.0)
        measured = measured.copy()
        measured[rows] *= 10 ** (-0.4 * size)
        return measured

    def measured(self, flux: np.ndarray, flux_err: np.ndarray) -> np.ndarray:
        """Return which observations are in the catalogue, as far as noise is concerned.

        Parameters
        ----------
        flux, flux_err : ndarray of shape (n_obs,)
            Measured flux, and its true error.

        Returns
        -------
        ndarray of bool, shape (n_obs,)

        Examples
        --------
        >>> import numpy as np
        >>> from sklc.simulate import TotalFlux
        >>> TotalFlux(least_snr=5.0).measured(np.array([4.0, 6.0]), np.ones(2))
        array([False,  True])
        """
        if self.least_snr is None:
            return np.ones(len(flux), dtype=bool)
        return flux >= self.least_snr * flux_err

    def stated(self, flux: np.ndarray, flux_err: np.ndarray) -> np.ndarray:
        """Return the errors that the survey states.

        Parameters
        ----------
        flux, flux_err : ndarray of shape (n_obs,)
            Total flux, and its true error.

        Returns
        -------
        ndarray of shape (n_obs,)

        Examples
        --------
        >>> import numpy as np
        >>> from sklc.simulate import TotalFlux
        >>> TotalFlux(error_floor=0.03).stated(np.array([1000.0]), np.array([40.0]))
        array([50.])
        """
        return np.hypot(self.error_scale * flux_err, self.error_floor * flux)
