"""Periodograms of one object: a fast search over all frequencies, and exact fits at a few."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["HarmonicFits", "Series", "fit_harmonics", "fourier_power"]

# Observations whose phases are in memory at a time.
_BLOCK = 4096
# Added to the normal equations, relative to the sum of the weights: amplitudes stay moderate in
# gaps of the phase, as at periods of a day, and well-determined ones lose .2 %.
_RIDGE = 1e-3


@dataclass(frozen=True, eq=False)
class Series:
    """The deviations of one object, ready to be fitted.

    Parameters
    ----------
    time : ndarray of shape (n_observations,)
        Days from an origin within the light curve.
    value : ndarray of shape (n_observations,)
        Deviations, of weighted mean 0 in each band.
    weight : ndarray of shape (n_observations,)
        Weights, of sum 1.
    bands : ndarray of shape (n_bands, n_observations)
        Weights of the observations in each band, of sum 1; 0 in other bands.
    share : ndarray of shape (n_bands,)
        Sum of `weight` in each band.
    """

    time: np.ndarray
    value: np.ndarray
    weight: np.ndarray
    bands: np.ndarray
    share: np.ndarray

    @classmethod
    def of(
        cls, time: np.ndarray, deviation: np.ndarray, error: np.ndarray, band: np.ndarray
    ) -> Series:
        """Weight the deviations by their errors and the variability, and centre them.

        Variability counts as an error of all observations alike, so that errors which are much too
        small do not leave few observations to decide.
        """
        variance = float(np.mean(deviation**2))
        square = np.minimum(error, 1e3) ** 2
        excess = max(variance - float(np.mean(square)), 0.1 * variance, 1e-12)
        weight = 1 / (square + excess)
        weight /= weight.sum()
        member = np.unique(band, return_inverse=True)[1].reshape(-1)
        bands = np.zeros((int(member.max()) + 1, len(time)))
        bands[member, np.arange(len(time))] = weight
        share = bands.sum(axis=1)
        bands /= share[:, None]
        return cls(time, deviation - (bands @ deviation)[member], weight, bands, share)

    @property
    def span(self) -> float:
        """Days from the first to the last observation."""
        return float(self.time[-1] - self.time[0])

    @property
    def n_free(self) -> int:
        """Observations that are left after a mean of each band."""
        return len(self.time) - len(self.share)

    @property
    def variance(self) -> float:
        """Weighted variance of the deviations."""
        return float(self.weight @ self.value**2)


def fourier_power(series: Series, spacing: float, n_frequencies: int) -> np.ndarray:
    """Squared Fourier amplitude at the frequencies ``spacing * arange(n_frequencies)``.

    The classical periodogram, in units of the variance where the frequency is well sampled. Phases
    of a frequency ``a + b`` are products, so that all sums are one product of matrices: exact, at a
    few operations per observation and frequency.

    Parameters
    ----------
    series : Series
        The observations.
    spacing : float
        Difference of neighbouring frequencies, per day.
    n_frequencies : int
        Number of frequencies.

    Returns
    -------
    ndarray of shape (n_frequencies,), float32
    """
    n_fine = max(int(np.sqrt(n_frequencies / 2)), 1)
    n_coarse = -(-n_frequencies // (2 * n_fine + 1))
    # Coarse frequencies a and fine ones b from 0 give the sums for a + b and a - b at one cost.
    middle = n_fine + (2 * n_fine + 1) * np.arange(n_coarse)
    fine = np.arange(n_fine + 1)
    sums = np.zeros((2 * n_coarse, 2 * n_fine + 2), dtype=np.float32)
    amplitude = (series.weight * series.value / np.sqrt(series.variance)).astype(np.float32)
    for start in range(0, len(series.time), _BLOCK):
        part = slice(start, start + _BLOCK)
        cycles = series.time[part] * spacing
        left = _cos_sin(middle[:, None] * cycles)
        left *= amplitude[part]
        sums += left @ _cos_sin(fine[:, None] * cycles).T
    (cc, cs), (sc, ss) = (np.split(half, 2, axis=1) for half in np.split(sums, 2))
    above = (cc - ss) ** 2 + (sc + cs) ** 2
    below = (cc + ss) ** 2 + (sc - cs) ** 2
    power = np.concatenate([below[:, :0:-1], above], axis=1)
    return 2 * power.ravel()[:n_frequencies]


def _cos_sin(cycles: np.ndarray) -> np.ndarray:
    """Cosines, then sines, in single precision, of cycles in double precision."""
    angle = ((cycles - np.rint(cycles)) * (2 * np.pi)).astype(np.float32)
    return np.concatenate([np.cos(angle), np.sin(angle)])


@dataclass(frozen=True, eq=False)
class HarmonicFits:
    """Least-squares fits of Fourier series, shared by the bands, with a mean of each band.

    Parameters
    ----------
    frequencies : ndarray of shape (n_frequencies,)
        Cycles per day.
    power : ndarray of shape (n_frequencies, n_harmonics)
        Share of the variance that the first 1, 2, ... harmonics explain together.
    factors : ndarray of shape (n_frequencies, 2 * n_harmonics, 2 * n_harmonics)
        Cholesky factors of the normal equations.
    solution : ndarray of shape (n_frequencies, 2 * n_harmonics)
        Solution of the lower triangular equations.
    """

    frequencies: np.ndarray
    power: np.ndarray
    factors: np.ndarray
    solution: np.ndarray

    def coefficients(self, row: int, n_harmonics: int) -> np.ndarray:
        """Fourier coefficients of the fit with so many harmonics, (n_harmonics,) complex.

        The fit is the real part of ``sum(c[k - 1] * exp(-2 pi i k frequency * time))``.
        """
        n = 2 * n_harmonics
        beta = np.linalg.solve(self.factors[row, :n, :n].T, self.solution[row, :n])
        return beta[0::2] + 1j * beta[1::2]


def fit_harmonics(series: Series, frequencies: np.ndarray, n_harmonics: int) -> HarmonicFits:
    """Fit Fourier series of up to `n_harmonics` at each of the frequencies, per day."""
    n, cycles = len(frequencies), frequencies[:, None] * series.time
    cosine, sine = np.split(_cos_sin(cycles), 2)
    first = cosine + 1j * sine
    columns = np.empty((n, 2 * n_harmonics, len(series.time)), dtype=np.float32)
    phasor = first
    for harmonic in range(n_harmonics):
        if harmonic:
            phasor = phasor * first
        columns[:, 2 * harmonic], columns[:, 2 * harmonic + 1] = phasor.real, phasor.imag
    weighted = columns * series.weight.astype(np.float32)
    normal = (weighted @ columns.swapaxes(1, 2)).astype(np.float64)
    # What is left of the columns after their mean in each band is subtracted.
    means = (columns @ series.bands.T.astype(np.float32)).astype(np.float64)
    normal -= (means * series.share) @ means.swapaxes(1, 2)
    normal += _RIDGE * np.eye(2 * n_harmonics)
    factors = np.linalg.cholesky(normal)
    moments = (weighted @ series.value.astype(np.float32)).astype(np.float64)
    solution = np.linalg.solve(factors, moments[..., None])[..., 0]
    power = np.cumsum(solution**2, axis=1)[:, 1::2] / series.variance
    return HarmonicFits(frequencies, np.minimum(power, 1.0), factors, solution)
