"""The numbers that a network reads of an observation, by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np

from sklc.light_curves.container import LightCurves
from sklc.light_curves.periods import Fold, MagnitudeDeviations, PeriodSearch
from sklc.light_curves.store import Store
from sklc.representation.detections import significant
from sklc.representation.periods import given_periods
from sklc.representation.settings import Settings
from sklc.utils.floats import saturated
from sklc.utils.offsets import offsets_after, per_observation, reduce_by_object

__all__ = ["CHANNELS", "FIRST_CHANNELS", "FOLD_CHANNELS", "Shown"]


class Shown:
    """The observations that the network sees, and quantities that several channels share."""

    def __init__(self, settings: Settings, curves: LightCurves | Store) -> None:
        self.settings = settings
        scale = 10 ** (-0.4 * (curves.zero_point - settings.zero_point))
        flux = saturated(np.asarray(curves.flux, dtype=np.float64) * scale)
        # NaN marks an error that the source does not give.
        flux_err = np.nan_to_num(np.asarray(curves.flux_err, dtype=np.float64) * scale, nan=0.0)
        shown = significant(flux, flux_err, curves, settings)
        self._curves = curves
        self.time = np.asarray(curves.time, dtype=np.float64)[shown]
        self.band = curves.band[shown]
        self.wavelength = curves.wavelength[shown]
        self.flux, self.flux_err = flux[shown], flux_err[shown]
        self.offsets = offsets_after(shown, curves.offsets)

    def per_observation(self, per_object: np.ndarray) -> np.ndarray:
        """Repeat a value of each object for its observations."""
        return per_observation(per_object, self.offsets)

    def largest(self, values: np.ndarray) -> np.ndarray:
        """Largest value of each object, (n_objects,)."""
        return reduce_by_object(np.maximum, values, self.offsets, empty=np.nan)

    @cached_property
    def since_first(self) -> np.ndarray:
        """Days since the object's first observation."""
        return saturated(self.time - self.per_observation(self.time[self.offsets[:-1]]))

    @cached_property
    def peak(self) -> np.ndarray:
        """Largest flux of each object, (n_objects,)."""
        return self.largest(self.flux)

    @cached_property
    def peak_scale(self) -> np.ndarray:
        """A positive divisor for each observation, whatever the sign of the fluxes."""
        largest = self.largest(np.abs(self.flux))
        # A light curve that never rises above zero is scaled by its largest excursion instead.
        peak = np.where(self.peak > 1e-6 * largest, self.peak, largest)
        return self.per_observation(np.where(peak > 0, peak, 1.0))

    @cached_property
    def since_peak(self) -> np.ndarray:
        """Days since the object's largest flux."""
        at_peak = self.flux == self.per_observation(self.peak)
        first = -self.largest(np.where(at_peak, -self.time, -np.inf))
        return saturated(self.time - self.per_observation(first))

    @cached_property
    def gap(self) -> np.ndarray:
        """Days since the previous observation, limited."""
        gap = np.diff(self.time, prepend=self.time[:1])
        gap[self.offsets[:-1]] = 0.0
        return np.minimum(gap, self.settings.gap_limit)

    @cached_property
    def deviations(self) -> MagnitudeDeviations:
        """Magnitudes relative to the means of each object and band."""
        wavelengths = np.array([p.wavelength for p in self._curves.passbands], dtype=np.float64)
        return MagnitudeDeviations(self.flux, self.flux_err, self.band, wavelengths, self.offsets)

    @cached_property
    def fold(self) -> Fold:
        """Phases of the observations, and their order."""
        column = self.settings.period_column
        given = None if column is None else given_periods(self._curves, column)
        search = PeriodSearch(min_period=self.settings.min_period)
        return Fold.of(self.time, self.deviations, search, given)

    def log(self, flux: np.ndarray) -> np.ndarray:
        """Asinh of the flux, in units of 10."""
        return np.arcsinh(flux / (2 * self.settings.flux_softening)) / np.log(10)


def _time_fraction(x: Shown) -> np.ndarray:
    span = x.largest(x.since_first)
    return x.since_first / x.per_observation(np.where(span > 0, span, 1.0))


# Large ratios, as of a faint object with one bad observation, carry no information and
# destabilise training.
_RATIO_LIMIT = 10.0

_OF_FLUX: dict[str, Callable[[Shown], np.ndarray]] = {
    "wavelength": lambda x: x.wavelength,
    "centered_wavelength": lambda x: (
        (x.wavelength - x.settings.wavelength_center) / x.settings.wavelength_scale
    ),
    "time": lambda x: x.since_first / x.settings.time_scale,
    "time_fraction": _time_fraction,
    "time_from_peak": lambda x: x.since_peak / x.settings.time_scale,
    "gap": lambda x: x.gap / x.settings.gap_scale,
    "flux": lambda x: x.flux / x.settings.flux_scale,
    "flux_err": lambda x: x.flux_err / x.settings.flux_scale,
    "relative_flux": lambda x: np.clip(x.flux / x.peak_scale, -_RATIO_LIMIT, _RATIO_LIMIT),
    "relative_flux_err": lambda x: np.minimum(x.flux_err / x.peak_scale, _RATIO_LIMIT),
    "log_flux": lambda x: x.log(x.flux),
    "log_peak": lambda x: x.log(x.per_observation(x.peak)),
}
_OF_MAGNITUDE: dict[str, Callable[[Shown], np.ndarray]] = {
    "magnitude_deviation": lambda x: x.deviations.deviation,
    "magnitude_err": lambda x: np.minimum(x.deviations.error, _RATIO_LIMIT),
    "scaled_magnitude": lambda x: np.clip(
        x.deviations.deviation / x.per_observation(x.deviations.amplitude),
        -_RATIO_LIMIT,
        _RATIO_LIMIT,
    ),
    "log_amplitude": lambda x: np.log10(x.per_observation(x.deviations.amplitude)),
    "mean_color": lambda x: x.per_observation(
        np.clip(x.deviations.mean_color * x.settings.wavelength_scale, -_RATIO_LIMIT, _RATIO_LIMIT)
    ),
    "log_time_span": lambda x: np.log10(1 + x.per_observation(x.largest(x.since_first))),
    "log_count": lambda x: np.log10(x.per_observation(np.diff(x.offsets))),
}
CHANNELS = {**_OF_FLUX, **_OF_MAGNITUDE}
#: Channels that weights files of the first formats may have.
FIRST_CHANNELS = frozenset(_OF_FLUX)
#: Channels of folded light curves.
FOLD_CHANNELS: dict[str, Callable[[Shown], np.ndarray]] = {
    "phase": lambda x: x.fold.phase,
    "phase_gap": lambda x: x.fold.gap,
    "log_period": lambda x: x.per_observation(x.fold.log_period),
    "period_power": lambda x: x.per_observation(x.fold.power),
}
