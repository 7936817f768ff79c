"""Features of the light curves of many objects in one band, from flat arrays.

Everything here works on all objects at once: on an array of observations, ordered by object, and
the row of the object that each belongs to. A feature that cannot be computed is NaN.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklc.utils.special import log_expit

Floats = NDArray[np.float64]

# The statistics of light_curve by the columns that they need: fluxes alone, also times (they divide
# by the time span), or also errors. Each is a feature class and its arguments.
STATISTICS: dict[str, tuple[tuple[str, dict[str, float]], ...]] = {
    "flux": (
        ("Amplitude", {}),
        ("AndersonDarlingNormal", {}),
        ("BeyondNStd", {"nstd": 1.0}),
        ("BeyondNStd", {"nstd": 2.0}),
        ("Cusum", {}),
        ("Eta", {}),
        ("InterPercentileRange", {"quantile": 0.25}),
        ("InterPercentileRange", {"quantile": 0.1}),
        ("Kurtosis", {}),
        ("MagnitudePercentageRatio", {"quantile_numerator": 0.4, "quantile_denominator": 0.05}),
        ("MagnitudePercentageRatio", {"quantile_numerator": 0.2, "quantile_denominator": 0.05}),
        ("Mean", {}),
        ("Median", {}),
        ("MedianAbsoluteDeviation", {}),
        ("MedianBufferRangePercentage", {"quantile": 0.1}),
        ("PercentAmplitude", {}),
        ("Skew", {}),
        ("StandardDeviation", {}),
    ),
    "time": (("LinearTrend", {}), ("MaximumTimeInterval", {}), ("TimeStandardDeviation", {})),
    "error": (("ExcessVariance", {}), ("ReducedChi2", {}), ("StetsonK", {}), ("WeightedMean", {})),
}

# Days from the peak of the fitted function at which it is written out, relative to that peak.
BAZIN_EPOCHS = (-10.0, 10.0, 15.0, 30.0, 60.0)
BAZIN_NAMES = (
    "bazin_log_amplitude",
    "bazin_baseline",
    "bazin_reference_time",
    "bazin_log_rise_time",
    "bazin_log_fall_time",
    "bazin_log_chi2",
    "bazin_peak_time",
    *(f"bazin_flux_{epoch:+g}d" for epoch in BAZIN_EPOCHS),
)
# The first algorithm that is available is used: wheels of light_curve for Windows lack two of them.
_BAZIN_ALGORITHMS: tuple[tuple[str, dict[str, int]], ...] = (
    ("lmsder", {"lmsder_niter": 50}),
    ("ceres", {"ceres_niter": 50}),
    ("mcmc", {}),
)


def load_light_curve() -> ModuleType:
    """Import the light-curve package, or say how to install it."""
    try:
        import light_curve
    except ImportError as error:
        raise ImportError(
            "These features need the light-curve package: install it with "
            'pip install "sklc[features]", or use those that need none, '
            'LightCurveFeatures(statistics="core", parametric_fit=False)'
        ) from error
    return light_curve


@dataclass(frozen=True)
class BandCurves:
    """The observations of `n_objects` objects in one band, ordered by object, then by time.

    Parameters
    ----------
    row : ndarray of int, shape (n_observations,)
        Position of the object of each observation; ascending.
    time : ndarray of float, shape (n_observations,)
        Times in days, from any origin.
    flux, flux_err : ndarray of float, shape (n_observations,)
        Fluxes and their errors, in the same unit. An error that is not known is NaN.
    n_objects : int
        Number of objects, with or without observations.
    """

    row: NDArray[np.intp]
    time: Floats
    flux: Floats
    flux_err: Floats
    n_objects: int

    @cached_property
    def offsets(self) -> NDArray[np.intp]:
        """Where each object's observations start, and where the last one's end."""
        return np.searchsorted(self.row, np.arange(self.n_objects + 1))

    @cached_property
    def counts(self) -> NDArray[np.intp]:
        """Number of observations of each object."""
        return np.diff(self.offsets)

    @cached_property
    def peak(self) -> NDArray[np.intp]:
        """Position of each object's largest flux minus error, the earliest of equals; -1 without.

        Subtracting the error keeps a noisy outlier from being taken for the peak.
        """
        height = self.flux - np.where(np.isnan(self.flux_err), 0.0, self.flux_err)
        found = np.flatnonzero(height == self.reduce(np.maximum, height)[self.row])
        row, position = self.row[found], np.full(self.n_objects, -1, dtype=np.intp)
        position[row[::-1]] = found[::-1]  # of equals, the last one that is written stays
        return position

    @cached_property
    def has_errors(self) -> NDArray[np.bool_]:
        """Whether the errors of all observations of each object are known."""
        unknown = np.bincount(self.row[np.isnan(self.flux_err)], minlength=self.n_objects)
        return unknown == 0

    @cached_property
    def sigma(self) -> Floats:
        """Errors; 1 for all observations of an object that lacks one."""
        # Squares of errors that are absurdly far from the flux would overflow or vanish.
        return np.where(self.has_errors[self.row], np.clip(self.flux_err, 1e-9, 1e9), 1.0)

    def reduce(self, ufunc: np.ufunc, values: Floats) -> Floats:
        """Apply ``ufunc.reduceat``, such as that of np.minimum, to each object; NaN without."""
        result, present = np.full(self.n_objects, np.nan), self.counts > 0
        if present.any():
            result[present] = ufunc.reduceat(values, self.offsets[:-1][present])
        return result

    def take(self, values: Floats, position: NDArray[np.intp]) -> Floats:
        """Values at the positions, one per object; NaN where the position is -1."""
        found = position >= 0
        taken = np.full(len(position), np.nan)
        taken[found] = values[position[found]]
        return taken

    @property
    def first(self) -> NDArray[np.intp]:
        """Position of each object's first observation, -1 without."""
        return np.where(self.counts > 0, self.offsets[:-1], -1)

    @property
    def last(self) -> NDArray[np.intp]:
        """Position of each object's last observation, -1 without."""
        return np.where(self.counts > 0, self.offsets[1:] - 1, -1)

    @property
    def span(self) -> Floats:
        """Days from each object's first observation to its last, NaN without."""
        return self.take(self.time, self.last) - self.take(self.time, self.first)

    @property
    def has_span(self) -> NDArray[np.bool_]:
        """Whether each object was observed at different times, which are not absurdly far apart.

        light_curve panics where a time span is zero or infinite.
        """
        return (self.span > 0) & (self.span < np.inf)

    def select(self, mask: NDArray[Any]) -> BandCurves:
        """Only these observations, given by a mask or by their positions, of the same objects."""
        row, time, flux = self.row[mask], self.time[mask], self.flux[mask]
        return replace(self, row=row, time=time, flux=flux, flux_err=self.flux_err[mask])

    def rescaled(self, origin: Floats, unit: Floats) -> BandCurves:
        """Times from each object's `origin`, fluxes in each object's `unit`."""
        time, unit = self.time - origin[self.row], unit[self.row]
        return replace(self, time=time, flux=self.flux / unit, flux_err=self.flux_err / unit)


def magnitude(flux: Floats, zero_point: float = 0.0) -> Floats:
    """AB magnitude, NaN where the flux is not positive."""
    return zero_point - 2.5 * np.log10(np.where(flux > 0, flux, np.nan))


def color(blue: Floats, red: Floats) -> Floats:
    """Magnitude in the bluer minus magnitude in the redder band, from their fluxes."""
    return magnitude(blue) - magnitude(red)


def _extractor(kind: str):
    module = load_light_curve()
    return module.Extractor(*(getattr(module, name)(**kw) for name, kw in STATISTICS[kind]))


def statistic_names() -> list[str]:
    """Names of the columns of `statistics`, as light_curve spells them."""
    return [name for kind in STATISTICS for name in _extractor(kind).names]


def _evaluate(feature, curves: BandCurves, usable: NDArray[np.bool_], n_jobs: int) -> Floats:
    """Values of a light_curve feature, (n_objects, n_values); NaN where not usable."""
    values = np.full((curves.n_objects, len(feature.names)), np.nan)
    rows = np.flatnonzero(usable)
    if len(rows):
        time, flux, sigma = curves.time, curves.flux, curves.sigma
        arrays = [
            (time[start:stop], flux[start:stop], sigma[start:stop])
            for start, stop in zip(
                curves.offsets[rows].tolist(), curves.offsets[rows + 1].tolist(), strict=True
            )
        ]
        values[rows] = _many(feature, arrays, n_jobs)
    return values


def _many(feature, arrays: list, n_jobs: int) -> Floats:
    """Values of a feature for each object, (n_objects, n_values); NaN where Rust code panics."""
    try:
        return feature.many(arrays, fill_value=np.nan, sorted=True, check=False, n_jobs=n_jobs)
    except BaseException as error:
        # A panic is no Exception: it would end the whole batch, and pass by any handler.
        if type(error).__name__ != "PanicException":
            raise
    if len(arrays) == 1:
        return np.full((1, len(feature.names)), np.nan)
    half = len(arrays) // 2
    return np.vstack([_many(feature, part, n_jobs) for part in (arrays[:half], arrays[half:])])


def statistics(curves: BandCurves, n_jobs: int = 1) -> Floats:
    """Light-curve statistics of the fluxes as they are, (n_objects, n_statistics)."""
    present = curves.counts > 0
    usable = {"flux": present, "time": curves.has_span, "error": present & curves.has_errors}
    return np.hstack([_evaluate(_extractor(kind), curves, usable[kind], n_jobs) for kind in usable])


def _bazin(days: Floats, parameters: Floats) -> Floats:
    """The Bazin function at (n_objects, n_epochs) days, given its five parameters."""
    amplitude, baseline, reference, rise, fall = (p[:, None] for p in parameters.T)
    since = days - reference
    return amplitude * np.exp(log_expit(since / rise) - since / fall) + baseline


def bazin_fit(curves: BandCurves, n_jobs: int = 1) -> Floats:
    """Bazin function fitted to each object's light curve, (n_objects, len(BAZIN_NAMES)).

    The function is A exp(-(t - t0) / fall) / (1 + exp(-(t - t0) / rise)) + B
    (Bazin et al. 2009, A&A 499, 653). Its times and fluxes are those of `curves`, so these should
    be relative to the peak. Needs six observations at different times.
    """
    module = load_light_curve()
    algorithm, settings = next(
        entry for entry in _BAZIN_ALGORITHMS if entry[0] in module.BazinFit.supported_algorithms
    )
    fit = _evaluate(module.BazinFit(algorithm, **settings), curves, curves.has_span, n_jobs)
    parameters, chi2 = fit[:, :5], fit[:, 5]
    amplitude, baseline, reference, rise, fall = parameters.T
    with np.errstate(all="ignore"):
        peak_time = reference + rise * np.log(fall / rise - 1)
        days = peak_time[:, None] + np.array((0.0, *BAZIN_EPOCHS))
        model = _bazin(days, parameters)
        columns = [
            np.log10(amplitude),
            baseline,
            reference,
            np.log10(rise),
            np.log10(fall),
            # Without errors the goodness of fit has no scale.
            np.where(curves.has_errors, np.log10(chi2), np.nan),
            peak_time,
            *(model[:, 1:] / model[:, :1]).T,
        ]
    return np.column_stack(columns)


def binned_flux(curves: BandCurves, edges: Floats, floor: float = 0.02) -> Floats:
    """Mean flux in bins of time, (n_objects, n_bins).

    Observations are weighted by inverse variance (equally where errors are unknown), `floor` being
    added to the errors so that one precise observation does not stand for the whole bin. A bin
    without observations between two others is interpolated linearly, at its centre; before the
    first and after the last, NaN.
    """
    n_bins = len(edges) - 1
    centre = (edges[1:] + edges[:-1]) / 2
    number = np.searchsorted(edges, curves.time, side="right") - 1
    inside = (number >= 0) & (number < n_bins)
    key = curves.row[inside] * n_bins + number[inside]
    weight = 1 / np.square(curves.sigma[inside] + floor)

    def total(values: Floats) -> Floats:
        summed = np.bincount(key, values, minlength=curves.n_objects * n_bins)
        return summed.reshape(curves.n_objects, n_bins).astype(np.float64, copy=False)

    weights = total(weight)
    with np.errstate(invalid="ignore"):
        flux = total(weight * curves.flux[inside]) / weights
        time = total(weight * curves.time[inside]) / weights
    filled = weights > 0
    bins = np.arange(n_bins)
    before = np.maximum.accumulate(np.where(filled, bins, -1), axis=1)
    after = np.minimum.accumulate(np.where(filled, bins, n_bins)[:, ::-1], axis=1)[:, ::-1]
    row, gap = np.nonzero(~filled & (before >= 0) & (after < n_bins))
    left, right = before[row, gap], after[row, gap]
    fraction = (centre[gap] - time[row, left]) / (time[row, right] - time[row, left])
    flux[row, gap] = flux[row, left] + fraction * (flux[row, right] - flux[row, left])
    return flux
