"""Magnitudes relative to an object's own mean in each band, finite for negative fluxes, too."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sklc.utils.offsets import per_observation, reduce_by_object

__all__ = ["MagnitudeDeviations"]

# Magnitudes per e-fold of the flux.
_POGSON = 2.5 / np.log(10)
# Softening in units of the largest flux in the band: magnitudes span at most about ten, or five
# where errors, which would say how faint is still measured, are not known.
_FAINTEST, _FAINTEST_WITHOUT_ERRORS = 1e-4, 1e-2
# Added to the errors, so that one overly precise observation does not make up the mean, magnitude.
_SYSTEMATIC = 0.01
_SMALLEST_AMPLITUDE = 1e-3


@dataclass(frozen=True, eq=False)
class MagnitudeDeviations:
    """Asinh magnitudes (Lupton, Gunn & Szalay 1999) minus the object's weighted mean per band.

    They turn from logarithmic to linear at the smallest flux error of the object in the band, so
    that negative fluxes of noise remain finite, and bright stars have ordinary magnitudes. Nothing
    depends on the zero point.

    Parameters
    ----------
    flux, flux_err : ndarray of shape (n_observations,), float64
        Fluxes and their errors; 0 where an error is not known.
    band : ndarray of int, shape (n_observations,)
        Index of the passband of each observation.
    wavelengths : ndarray of shape (n_bands,)
        Effective wavelengths of the passbands, in micrometre.
    offsets : ndarray of int, shape (n_objects + 1,)
        Which object owns which observations.

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.light_curves.periods import MagnitudeDeviations
    >>> flux, band = np.array([100.0, 100.0, 251.2]), np.zeros(3, dtype=int)
    >>> x = MagnitudeDeviations(flux, 0.01 * flux, band, np.array([0.6]), np.array([0, 3]))
    >>> x.deviation.round(2)  # the last one is brighter by a magnitude
    array([ 0.33,  0.33, -0.67])
    >>> x.error.round(3)
    array([0.011, 0.011, 0.011])
    """

    flux: np.ndarray
    flux_err: np.ndarray
    band: np.ndarray
    wavelengths: np.ndarray
    offsets: np.ndarray

    @cached_property
    def _group(self) -> np.ndarray:
        """Number of the object and band of each observation."""
        objects = np.arange(len(self.offsets) - 1) * len(self.wavelengths)
        return per_observation(objects, self.offsets) + self.band

    def _total(self, values: np.ndarray | None = None) -> np.ndarray:
        """Sums for each object and band, (n_objects, n_bands)."""
        shape = len(self.offsets) - 1, len(self.wavelengths)
        return np.bincount(self._group, values, minlength=shape[0] * shape[1]).reshape(shape)

    @cached_property
    def _softening(self) -> np.ndarray:
        """Flux at which magnitudes turn linear, (n_objects * n_bands,)."""
        n_groups = (len(self.offsets) - 1) * len(self.wavelengths)
        largest, smallest = np.zeros(n_groups), np.full(n_groups, np.inf)
        np.maximum.at(largest, self._group, np.abs(self.flux))
        known = self.flux_err > 0
        np.minimum.at(smallest, self._group[known], self.flux_err[known])
        measured = np.isfinite(smallest)
        floor = largest * np.where(measured, _FAINTEST, _FAINTEST_WITHOUT_ERRORS)
        softening = np.maximum(np.where(measured, smallest, 0.0), floor)
        return np.where(softening > 0, softening, 1.0)

    @cached_property
    def _unit(self) -> np.ndarray:
        """Twice the softening flux, for each observation."""
        return 2 * self._softening[self._group]

    @cached_property
    def error(self) -> np.ndarray:
        """Errors in magnitudes, 0 where they are not known, (n_observations,)."""
        return self._errors(self.flux, self.flux_err)

    def _errors(self, flux: np.ndarray, flux_err: np.ndarray) -> np.ndarray:
        return _POGSON * (flux_err / self._unit) / np.hypot(flux / self._unit, 1.0)

    def to_magnitudes(
        self, flux: np.ndarray, flux_err: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Deviations of other fluxes of the same observations from the means, with errors.

        Parameters
        ----------
        flux, flux_err : ndarray of shape (n_observations,)
            Fluxes and their standard deviations.

        Returns
        -------
        deviation, error : ndarray of shape (n_observations,)
            In magnitudes.
        """
        relative = -_POGSON * np.arcsinh(flux / self._unit)
        return relative - self._mean, self._errors(flux, flux_err)

    def to_flux(self, deviation: np.ndarray, error: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Undo `to_magnitudes`.

        Parameters
        ----------
        deviation, error : ndarray of shape (n_observations,)
            In magnitudes.

        Returns
        -------
        flux, flux_err : ndarray of shape (n_observations,)
        """
        natural = -(deviation + self._mean) / _POGSON
        return self._unit * np.sinh(natural), error / _POGSON * self._unit * np.cosh(natural)

    @cached_property
    def _weight(self) -> np.ndarray:
        return 1 / (np.minimum(self.error, 1e9) ** 2 + _SYSTEMATIC**2)

    @cached_property
    def _relative_mean(self) -> np.ndarray:
        """Weighted mean of the magnitudes before their zero points, (n_objects, n_bands)."""
        with np.errstate(invalid="ignore"):
            return self._total(self._weight * self._relative) / self._total(self._weight)

    @cached_property
    def _relative(self) -> np.ndarray:
        return -_POGSON * np.arcsinh(self.flux / self._unit)

    @cached_property
    def _mean(self) -> np.ndarray:
        return self._relative_mean.ravel()[self._group]

    @cached_property
    def deviation(self) -> np.ndarray:
        """Magnitudes minus the mean of the object in the band; negative where it is brighter."""
        return self._relative - self._mean

    @cached_property
    def band_means(self) -> np.ndarray:
        """Mean magnitudes relative to a common zero point, (n_objects, n_bands); NaN without."""
        zero = _POGSON * np.log(self._softening).reshape(self._relative_mean.shape)
        return self._relative_mean - zero

    @cached_property
    def mean_color(self) -> np.ndarray:
        """Slope of the mean magnitudes with wavelength, in magnitudes per micrometre.

        Shape (n_objects,). Bands count by their number of observations. 0 for a single band.
        """
        means, count = self.band_means, self._total().astype(float)
        magnitudes = np.where(count > 0, means, 0.0)
        total = np.maximum(count.sum(axis=1, keepdims=True), 1.0)
        x = self.wavelengths - (count @ self.wavelengths)[:, None] / total
        moment = (count * x**2).sum(axis=1)
        return (count * x * magnitudes).sum(axis=1) / np.where(moment > 1e-9, moment, np.inf)

    @cached_property
    def amplitude(self) -> np.ndarray:
        """Weighted root mean square of the deviations, in magnitudes, (n_objects,)."""
        square = self._sums(self._weight * self.deviation**2)
        rms = np.sqrt(square / np.maximum(self._sums(self._weight), np.finfo(float).tiny))
        return np.maximum(rms, _SMALLEST_AMPLITUDE)

    def _sums(self, values: np.ndarray) -> np.ndarray:
        return reduce_by_object(np.add, values, self.offsets, empty=0.0)
