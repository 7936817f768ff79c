"""The search for the period of an object: candidates of a periodogram, then Fourier series."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING

import numpy as np

from sklc._optional import optional
from sklc.light_curves.periods.periodogram import HarmonicFits, Series, fit_harmonics, fourier_power
from sklc.utils.text import shown

if TYPE_CHECKING:
    from scipy import special
else:  # an exported model runs without
    special = optional("scipy.special")

__all__ = ["FEWEST_OBSERVATIONS", "Period", "PeriodSearch"]

#: With fewer observations, no period is looked for.
FEWEST_OBSERVATIONS = 8
# Frequencies per 1 / span: a peak half-way between two of them loses a fifth of its power.
_OVERSAMPLING = 2
# Frequencies are not counted beyond this: a light curve of a thousand years has an error in a time.
_MOST_FREQUENCIES = 2**24
# Peaks of the periodogram that are looked at, and multiples of their periods, as eclipses need.
_PEAKS, _MULTIPLES = 24, 6
# Of these, the number that Fourier series are fitted to: by the sum over harmonics, and by height.
_BY_HARMONICS, _BY_HEIGHT = 8, 4
# What a further coefficient costs, relative to the Bayesian information criterion: observations of
# one night count less than independent ones.
_PENALTY = 1.5
# Of the first two harmonics, one explains at least this part of what any other does: otherwise the
# true period is a fraction of this one.
_LEADING = 0.8
# Independent frequencies per 1 / span and harmonic.
_INDEPENDENT = 4.0
_LEAST_VARIANCE = 1e-12
_PHASES = np.arange(256) / 256


@dataclass(frozen=True, eq=False)
class Period:
    """A period, and the Fourier series of the light curve that is folded with it.

    Parameters
    ----------
    frequency : float
        Cycles per day.
    epoch : float
        A time of phase 0, when the Fourier series is brightest.
    power : float
        Share of the variance that the Fourier series explains, 0 to 1.
    false_alarm_probability : float
        Probability that noise alone gives such a power at any of the frequencies searched.
    coefficients : ndarray of complex, shape (n_harmonics,)
        Deviations from the mean are the real part of ``sum(c[k - 1] * exp(-2j pi k phase))``.
    """

    frequency: float
    epoch: float
    power: float
    false_alarm_probability: float
    coefficients: np.ndarray

    def phase(self, time: np.ndarray) -> np.ndarray:
        """Phases from 0 to below 1 of times in days."""
        phase = np.mod((time - self.epoch) * self.frequency, 1.0)
        return np.where(phase < 1, phase, 0.0)

    def model(self, phase: np.ndarray) -> np.ndarray:
        """The Fourier series at these phases, in the unit of the deviations."""
        harmonics = np.arange(1, len(self.coefficients) + 1)
        return (np.exp(-2j * np.pi * phase[:, None] * harmonics) @ self.coefficients).real

    @property
    def amplitude(self) -> float:
        """Difference of the largest and the smallest value of the Fourier series."""
        return float(np.ptp(self.model(_PHASES)))


@dataclass(frozen=True)
class PeriodSearch:
    """Find the period of an object.

    A periodogram of all bands together, from `min_period` to `max_period`, names candidates; at
    each of these, and at multiples, Fourier series of 1 to `n_harmonics` harmonics, shared by the
    bands, are fitted with a mean of each band. An information criterion chooses the period and the
    number of harmonics together.

    Parameters
    ----------
    min_period : float, default=0.05
        The shortest period, in days. The time that a search takes is inversely proportional to it.
    max_period : float or None, default=None
        The longest period, in days; None is the time from the first to the last observation, which
        limits it in any case.
    n_harmonics : int, default=6
        Most harmonics of the Fourier series, from 1 to 12; few observations have fewer.
    """

    min_period: float = 0.05
    max_period: float | None = None
    n_harmonics: int = 6

    def __post_init__(self) -> None:
        low, high, n = self.min_period, self.max_period, self.n_harmonics
        if not (isinstance(low, Real) and 0 < float(low) < np.inf):
            raise ValueError(f"min_period={shown(low)} is not a number of days above 0.")
        if high is not None and not (isinstance(high, Real) and float(high) > float(low)):
            raise ValueError(
                f"max_period={shown(high)} is not a number of days above min_period={low:g}: "
                "leave it out for the time span of each object."
            )
        if not (isinstance(n, Integral) and not isinstance(n, bool) and 1 <= n <= 12):
            raise ValueError(f"n_harmonics={shown(n)} is not a whole number from 1 to 12.")

    def find(
        self, time: np.ndarray, deviation: np.ndarray, error: np.ndarray, band: np.ndarray
    ) -> Period | None:
        """Return the period of one object, or None if there is nothing to find it in.

        Parameters
        ----------
        time : ndarray of shape (n_observations,), float64
            Times in days, ascending.
        deviation, error : ndarray of shape (n_observations,)
            Magnitudes minus the mean in the band, and their errors; 0 where one is not known.
        band : ndarray of int, shape (n_observations,)
            The band of each observation, as any number.

        Returns
        -------
        Period or None
            None for fewer than `FEWEST_OBSERVATIONS`, a constant light curve, a time span of 0,
            below `min_period` or above a thousand years.
        """
        series = self._series(time, deviation, error, band)
        if series is None:
            return None
        span, n_harmonics = series.span, self._harmonics(series)
        spacing = 1 / (_OVERSAMPLING * span)
        longest = span if self.max_period is None else min(span, self.max_period)
        first = int(np.ceil(1 / (longest * spacing) * (1 - 1e-9)))
        n_frequencies = int(min(1 / (self.min_period * spacing), 2.0 * _MOST_FREQUENCIES)) + 1
        if not first < n_frequencies <= _MOST_FREQUENCIES:
            return None
        power = fourier_power(series, spacing, n_frequencies)
        candidates = spacing * _candidates(power, first)
        step = spacing / (2 * n_harmonics)
        nearby = (candidates[:, None] + step * np.arange(-2, 3)).ravel()
        fits = fit_harmonics(series, self._inside(nearby, longest), n_harmonics)
        row, n_harmonics = _best(fits, series.n_free)
        for _ in range(3):
            step /= 4
            nearby = fits.frequencies[row] + step * np.arange(-4, 5)
            fits = fit_harmonics(series, self._inside(nearby, longest), n_harmonics)
            row = int(np.argmax(fits.power[:, -1]))
        return self._period(series, fits, row, n_harmonics, float(time[0]))

    def at(
        self,
        period: float,
        time: np.ndarray,
        deviation: np.ndarray,
        error: np.ndarray,
        band: np.ndarray,
    ) -> Period:
        """Return the Fourier series for a period that is known.

        Its false-alarm probability is that of a single frequency. Where there is nothing to fit a
        series to, as for `find`, its power is 0, and its epoch the brightest observation.
        """
        series = self._series(time, deviation, error, band)
        if series is None:
            brightest = float(time[np.argmin(deviation)])
            return Period(1 / period, brightest, 0.0, 1.0, np.zeros(1, dtype=complex))
        fits = fit_harmonics(series, np.array([1 / period]), self._harmonics(series))
        row, n_harmonics = _best(fits, series.n_free)
        return self._period(series, fits, row, n_harmonics, float(time[0]), trials=1.0)

    def _series(
        self, time: np.ndarray, deviation: np.ndarray, error: np.ndarray, band: np.ndarray
    ) -> Series | None:
        if len(time) < FEWEST_OBSERVATIONS or not time[-1] - time[0] > 0:
            return None
        series = Series.of(time - time[0], deviation, error, band)
        enough = self._harmonics(series) >= 1 and series.variance > _LEAST_VARIANCE
        return series if enough else None

    def _harmonics(self, series: Series) -> int:
        """Most harmonics, of which each needs a few observations."""
        return min(self.n_harmonics, (series.n_free - 2) // 4)

    def _inside(self, frequencies: np.ndarray, longest: float) -> np.ndarray:
        """Frequencies within the bounds of the search."""
        return np.unique(np.clip(frequencies, 1 / longest, 1 / self.min_period))

    def _period(
        self,
        series: Series,
        fits: HarmonicFits,
        row: int,
        n_harmonics: int,
        origin: float,
        trials: float | None = None,
    ) -> Period:
        frequency, power = float(fits.frequencies[row]), float(fits.power[row, n_harmonics - 1])
        # Of noise, the share that a Fourier series explains at one frequency is beta distributed;
        # frequencies that differ by a fraction of 1 / span are independent of each other.
        single = special.betainc((series.n_free - 2 * n_harmonics) / 2, n_harmonics, 1 - power)
        if trials is None:
            trials = _INDEPENDENT * n_harmonics * series.span / self.min_period
        found = -np.expm1(trials * np.log1p(-min(single, 1 - 1e-15)))
        start = Period(frequency, origin, power, float(found), fits.coefficients(row, n_harmonics))
        # From the phases of the first observation to those of the brightest point.
        peak = float(_PHASES[np.argmin(start.model(_PHASES))])
        turn = np.exp(-2j * np.pi * np.arange(1, n_harmonics + 1) * peak)
        return Period(
            frequency, origin + peak / frequency, power, float(found), start.coefficients * turn
        )


def _candidates(power: np.ndarray, first: int) -> np.ndarray:
    """Return frequencies that are worth a fit, in units of the spacing, from `first` on."""
    height = np.append(power, 0.0)
    height[:first] = 0.0
    inner = height[1:-1]
    peaks = 1 + np.flatnonzero((inner > height[:-2]) & (inner >= height[2:]))
    if len(peaks) > _PEAKS:
        peaks = peaks[np.argpartition(height[peaks], -_PEAKS)[-_PEAKS:]]
    if not len(peaks):
        return np.array([float(first)])
    peaks = peaks[np.argsort(-height[peaks], kind="stable")]
    # The top of the parabola through the amplitudes around each peak.
    left, middle, right = (np.sqrt(height[peaks + k]) for k in (-1, 0, 1))
    tops = peaks + np.clip((right - left) / 2 / (2 * middle - left - right + 1e-30), -0.5, 0.5)
    multiples = (tops[:, None] / np.arange(1, _MULTIPLES + 1)).ravel()
    multiples = multiples[multiples >= 0.95 * first]
    # A light curve with sharp features has its power in many harmonics.
    position = np.rint(multiples[:, None] * np.arange(1, _MULTIPLES + 1)).astype(np.intp)
    inside = position < len(power) - 1
    position = np.where(inside, position, 1)
    nearby = np.max([height[position + k] for k in (-1, 0, 1)], axis=0)
    above = np.where(inside, np.maximum(nearby - _MULTIPLES * power.mean(), 0), 0)
    score = above.sum(axis=1) / np.sqrt(np.maximum(inside.sum(axis=1), 1))
    chosen = multiples[np.argsort(-score, kind="stable")[:_BY_HARMONICS]]
    return np.unique(np.concatenate([chosen, tops[:_BY_HEIGHT], tops[:_BY_HEIGHT] / 2]))


def _best(fits: HarmonicFits, n_free: int) -> tuple[int, int]:
    """Return the row and the number of harmonics of the best Fourier series."""
    number = np.arange(1, fits.power.shape[1] + 1)
    left = np.log(np.maximum(1 - fits.power, 1e-9))
    criterion = n_free * left + _PENALTY * 2 * number * np.log(n_free)
    own = np.diff(fits.power, axis=1, prepend=0.0)
    leading = own[:, :2].max(axis=1, keepdims=True) >= _LEADING * np.maximum.accumulate(own, axis=1)
    row, column = np.unravel_index(np.argmin(np.where(leading, criterion, np.inf)), criterion.shape)
    return int(row), int(number[column])
