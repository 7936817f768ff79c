"""Statistics of the light curves of many objects in one band, by reductions over flat arrays.

They need neither the light-curve package nor a loop over objects. Where a name is one of that
package, so is the definition (Malanchev et al. 2021, MNRAS 502, 5147). Fluxes are relative to the
peak and times are days from it, so that nothing here depends on brightness, except through errors.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sklc.features.band import BandCurves, Floats
from sklc.utils.special import log_ndtr

__all__ = ["core_statistics"]

# Quantiles of the fluxes whose differences are features.
_QUANTILES = (0.05, 0.1, 0.2, 0.25, 0.4, 0.5, 0.6, 0.75, 0.8, 0.9, 0.95)
# Parts of the light curve in days from the peak, far from where binned fluxes end.
_EPOCHS = (-np.inf, -365.0, -100.0, -40.0, 110.0, 200.0, 365.0, np.inf)
# An observation counts as a detection above this many standard deviations.
_SIGNIFICANT = 5.0
# Relative fluxes of a smaller variance are equal.
_CONSTANT = 1e-18


class _Groups:
    """Reductions of values of observations to values of objects; NaN without observations."""

    def __init__(self, curves: BandCurves, mask: NDArray[np.bool_] | None = None) -> None:
        self.mask = slice(None) if mask is None else mask
        self.row, self.n_objects = curves.row[self.mask], curves.n_objects
        self.counts = np.bincount(self.row, minlength=self.n_objects).astype(float)
        offsets = np.append(0, np.cumsum(self.counts)).astype(np.intp)
        self.start, self.present = offsets[:-1], self.counts > 0

    def total(self, values: Floats) -> Floats:
        """Sums, 0 without observations."""
        total = np.bincount(self.row, values[self.mask], minlength=self.n_objects)
        return total.astype(np.float64, copy=False)

    def mean(self, values: Floats, weight: Floats | None = None) -> Floats:
        """Means, weighted or not."""
        if weight is None:
            return self.total(values) / self.counts
        return self.total(weight * values) / self.total(weight)

    def reduce(self, ufunc: np.ufunc, values: Floats) -> Floats:
        """Apply `ufunc.reduceat`, such as that of np.minimum."""
        result = np.full(self.n_objects, np.nan)
        if self.present.any():
            result[self.present] = ufunc.reduceat(values[self.mask], self.start[self.present])
        return result

    def span(self, values: Floats) -> Floats:
        """Largest minus smallest value."""
        return self.reduce(np.maximum, values) - self.reduce(np.minimum, values)

    def sort(self, values: Floats) -> Floats:
        """Values in ascending order within each object."""
        values = values[self.mask]
        return values[np.lexsort((values, self.row))]

    def quantile(self, ordered: Floats, level: float) -> Floats:
        """Quantiles of sorted values, interpolated (Hyndman & Fan 1996, definition 5)."""
        result = np.full(self.n_objects, np.nan)
        n = self.counts[self.present]
        position = np.clip(n * level - 0.5, 0, n - 1)
        low = np.floor(position).astype(np.intp)
        high = np.minimum(low + 1, n.astype(np.intp) - 1)
        start = self.start[self.present]
        below, above = ordered[start + low], ordered[start + high]
        result[self.present] = below + (position - low) * (above - below)
        return result


def core_statistics(curves: BandCurves) -> dict[str, Floats]:
    """Statistics of relative fluxes.

    Parameters
    ----------
    curves : BandCurves
        Observations in one band, relative to the peak in flux and in time.

    Returns
    -------
    dict of str to ndarray of shape (n_objects,)
        In an order that does not depend on the data. A statistic that cannot be computed is NaN.
    """
    with np.errstate(all="ignore"):
        groups = _Groups(curves)
        return dict(
            pair
            for part in (_of_fluxes, _of_times, _of_errors, _of_shape, _of_epochs)
            for pair in part(curves, groups)
        )


def _of_fluxes(curves: BandCurves, groups: _Groups) -> Iterator[tuple[str, Floats]]:
    flux, n, row = curves.flux, groups.counts, curves.row
    mean = groups.mean(flux)
    deviation = flux - mean[row]
    variance = groups.total(deviation**2) / (n - 1)
    # Rounding alone must not make a constant light curve vary.
    variance = np.where(variance > _CONSTANT, variance, np.nan)
    std = np.sqrt(variance)
    scaled = deviation / std[row]
    ordered = groups.sort(flux)
    quantile = {level: groups.quantile(ordered, level) for level in _QUANTILES}
    median = quantile[0.5]
    largest, smallest = groups.reduce(np.maximum, flux), groups.reduce(np.minimum, flux)
    amplitude = (largest - smallest) / 2
    yield "amplitude", amplitude
    yield "anderson_darling_normal", _anderson_darling(groups, (ordered - mean[row]) / std[row])
    for limit in (1, 2):
        beyond = np.abs(deviation) > limit * std[row]
        yield f"beyond_{limit}_std", groups.mean(beyond.astype(float))
    cumulative = np.cumsum(deviation)
    before, start = np.zeros(groups.n_objects), groups.start[groups.present]
    before[groups.present] = cumulative[start] - deviation[start]
    yield "cusum", groups.span(cumulative - before[row]) / (n * std)
    same = np.append(row[1:] == row[:-1], False)
    step = np.where(same, np.append(flux[1:], 0.0) - flux, 0.0)
    yield "eta", groups.total(step**2) / ((n - 1) * variance)
    yield "inter_percentile_range_25", quantile[0.75] - quantile[0.25]
    yield "inter_percentile_range_10", quantile[0.9] - quantile[0.1]
    fourth, third = groups.total(scaled**4), groups.total(scaled**3)
    yield (
        "kurtosis",
        n * (n + 1) / ((n - 1) * (n - 2) * (n - 3)) * fourth
        - 3 * (n - 1) ** 2 / ((n - 2) * (n - 3)),
    )
    outer = quantile[0.95] - quantile[0.05]
    yield "magnitude_percentage_ratio_40_5", (quantile[0.6] - quantile[0.4]) / outer
    yield "magnitude_percentage_ratio_20_5", (quantile[0.8] - quantile[0.2]) / outer
    yield "mean", mean
    yield "median", median
    away = np.abs(flux - median[row])
    yield "median_absolute_deviation", groups.quantile(groups.sort(away), 0.5)
    near = away < 0.1 * amplitude[row]
    yield "median_buffer_range_percentage_10", groups.mean(near.astype(float))
    yield "percent_amplitude", np.maximum(largest - median, median - smallest)
    yield "skew", n / ((n - 1) * (n - 2)) * third
    yield "standard_deviation", std


def _anderson_darling(groups: _Groups, ordered: Floats) -> Floats:
    """Statistic against a normal distribution (Stephens 1974), of sorted, scaled values."""
    n, row = groups.counts, groups.row
    rank = np.arange(len(row)) - groups.start[row]
    summand = (2 * rank + 1) * log_ndtr(ordered) + (2 * (n[row] - rank) - 1) * log_ndtr(-ordered)
    square = -n - groups.total(summand) / n
    return np.where(n > 3, (1 + 4 / n - 25 / n**2) * square, np.nan)


def _of_times(curves: BandCurves, groups: _Groups) -> Iterator[tuple[str, Floats]]:
    time, n, row = curves.time, groups.counts, curves.row
    slope, intercept, moment = _line(groups, time, curves.flux, np.ones(len(time)))
    residual = groups.total((curves.flux - intercept[row] - slope[row] * time) ** 2) / (n - 2)
    yield "linear_trend", slope
    yield "linear_trend_sigma", np.sqrt(residual / moment)
    yield "linear_trend_noise", np.sqrt(residual)
    same = np.append(row[1:] == row[:-1], False)
    gap = np.where(same, np.append(time[1:], 0.0) - time, 0.0)
    yield "maximum_time_interval", np.where(n > 1, groups.reduce(np.maximum, gap), np.nan)
    yield "time_standard_deviation", np.sqrt(moment / (n - 1))


def _line(groups: _Groups, x: Floats, y: Floats, weight: Floats) -> tuple[Floats, Floats, Floats]:
    """Slope and intercept of a weighted regression, and the second moment of x; NaN without x."""
    mean_x, mean_y = groups.mean(x, weight), groups.mean(y, weight)
    every = np.zeros_like(x)
    every[groups.mask] = mean_x[groups.row]
    centred = x - every
    moment = groups.total(weight * centred**2)
    moment = np.where(moment > 0, moment, np.nan)
    slope = groups.total(weight * centred * y) / moment
    return slope, mean_y - slope * mean_x, moment


def _of_errors(curves: BandCurves, groups: _Groups) -> Iterator[tuple[str, Floats]]:
    flux, sigma, n, row = curves.flux, curves.sigma, groups.counts, curves.row
    known = np.where(curves.has_errors & (n > 1), 1.0, np.nan)
    weight = sigma**-2.0
    mean, weighted = groups.mean(flux), groups.mean(flux, weight)
    variance = groups.total((flux - mean[row]) ** 2) / (n - 1)
    yield "excess_variance", known * (variance - groups.mean(sigma**2)) / mean**2
    pull = (flux - weighted[row]) / sigma
    chi2 = groups.total(pull**2)
    yield "chi2", known * chi2 / (n - 1)
    chi2 = np.where(chi2 > _CONSTANT, chi2, np.nan)
    yield "stetson_K", known * groups.total(np.abs(pull)) / np.sqrt(n * chi2)
    yield "weighted_mean", known * weighted
    # Pairs of successive observations, as Stetson's J within one band (Stetson 1996, PASP 108).
    scaled = np.sqrt(n / (n - 1))[row] * pull
    same = np.append(row[1:] == row[:-1], False)
    product = np.where(same, scaled * np.append(scaled[1:], 0.0), 0.0)
    stetson = groups.total(np.sign(product) * np.sqrt(np.abs(product))) / (n - 1)
    yield "log_stetson_J", known * np.arcsinh(stetson)
    significance = flux / sigma
    yield "signal_to_noise", known * groups.quantile(groups.sort(significance), 0.5)
    detected = (significance > _SIGNIFICANT).astype(float)
    yield "detected_fraction", known * groups.mean(detected)
    negative = (significance < -_SIGNIFICANT).astype(float)
    yield "negative_fraction", known * groups.mean(negative)


def _of_shape(curves: BandCurves, groups: _Groups) -> Iterator[tuple[str, Floats]]:
    """Time scales of the rise and the decay, with noise that does not count as flux."""
    time, row, sigma = curves.time, curves.row, curves.sigma
    unknown = ~curves.has_errors[row]
    signal = np.where(unknown | (curves.flux > 3 * sigma), np.maximum(curves.flux, 0.0), 0.0)
    centre = groups.mean(time, signal)
    width = np.sqrt(groups.mean((time - centre[row]) ** 2, signal))
    yield "flux_centre_time", centre
    yield "flux_width_time", width
    yield "flux_skew_time", groups.mean(((time - centre[row]) / width[row]) ** 3, signal)
    weight = 1 / (sigma**2 + 0.02**2)
    own_peak = curves.take(time, curves.peak)[row]
    since = time - own_peak
    for name, inside in (
        ("rise", (since > -40) & (since <= 0)),
        ("decline", (since >= 0) & (since < 40)),
        ("tail", (since >= 30) & (since < 150)),
    ):
        part = _Groups(curves, inside)
        yield f"{name}_slope", _line(part, since, curves.flux, weight)[0]
    for level in (0.5, 0.25):
        for name, direction in (("rise", -1.0), ("decline", 1.0)):
            yield f"{name}_time_{level:g}", _crossing(curves, direction * since, level)


def _crossing(curves: BandCurves, since: Floats, level: float) -> Floats:
    """Days from the peak to the first observation below `level` on the side where since > 0."""
    below = (since > 0) & (curves.flux + curves.sigma < level)
    part = _Groups(curves, below)
    return part.reduce(np.minimum, since)


def _of_epochs(curves: BandCurves, groups: _Groups) -> Iterator[tuple[str, Floats]]:
    """Mean flux far from the peak, and how significant it is."""
    weight = curves.sigma**-2.0
    for low, high in pairwise(_EPOCHS):
        if (low, high) == (-40.0, 110.0):
            continue
        part = _Groups(curves, (curves.time >= low) & (curves.time < high))
        mean = part.mean(curves.flux, weight)
        name = f"{low:g}to{high:g}d"
        yield f"outer_flux_{name}", mean
        significance = mean * np.sqrt(part.total(weight))
        known = np.where(curves.has_errors, 1.0, np.nan)
        yield f"outer_significance_{name}", known * np.arcsinh(significance)
