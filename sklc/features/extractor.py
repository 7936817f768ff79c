"""LightCurveFeatures: hand-crafted features of light curves, the baseline of the encoders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sklc.errors import LightCurveError
from sklc.features import band as band_features
from sklc.features.band import BandCurves
from sklc.features.period import PERIOD_NAMES, period_features
from sklc.features.statistics import core_statistics
from sklc.light_curves import LightCurves
from sklc.light_curves.estimator_input import input_of
from sklc.light_curves.usable import Screened, screen, skips_unusable
from sklc.passbands import Passband, get_passband, passband_labels
from sklc.utils.savable import savable
from sklc.utils.transformers import (
    BaseEstimator,
    StrOptions,
    TransformerMixin,
    check_feature_names_in,
    check_is_fitted,
    effective_n_jobs,
    fit_context,
)

__all__ = ["DEFAULT_BIN_EDGES", "LightCurveFeatures"]

#: Edges of the bins of the binned flux, in days from the peak.
DEFAULT_BIN_EDGES: tuple[float, ...] = (
    *(-40, -25, -18, -13, -9, -6, -3, 0, 3, 6, 9, 13, 18, 23, 28, 35, 45, 60, 80, 110),
)

# What is told of the extent of a band, in this order.
_EXTENT_OF_BAND = (
    "n_observations", "peak_mag", "peak_time", "time_before_peak", "time_after_peak"
)  # fmt: skip


@savable()
class LightCurveFeatures(TransformerMixin, BaseEstimator):
    """Describe light curves by statistics, a parametric fit, colours and binned flux.

    The features that photometric classifiers are commonly built on, one row per object, for a
    gradient-boosted or random forest. Statistics and the Bazin fit are those of the `light-curve`
    package [1]_; `docs/features.md` names every column. Which columns there are depends only on
    the bands learned by `fit` and on the parameters. Columns of a band begin with its name; where
    several passbands have one name, with its name, survey and wavelength. Features that
    cannot be computed for an object, which may lack a band, enough observations or errors, are NaN,
    which the forests of scikit-learn accept.

    Every object is referred to its peak: the observation, in any of the bands, with the largest
    flux minus error. In each band, fluxes are divided by the peak flux in that band; brightness
    itself enters as peak magnitudes.

    Parameters
    ----------
    bands : sequence of str or Passband, or None, default=None
        Passbands to describe. A name stands for all passbands of that name in the data given to
        `fit`, or else for the registered one. With None, all passbands with observations in these
        data are described. Observations in other bands are left out.
    statistics : bool or {"core", "light-curve"}, default="light-curve"
        Which statistics to compute per band: the 27 of the light-curve package, or the "core" set,
        which has these and time scales of rise and decline, and needs no further package. True
        stands for "light-curve", and False for none.
    parametric_fit : bool, default=True
        Whether to fit a Bazin function per band, which needs six observations. The features are
        its parameters, and its flux around its own peak.
    colors : bool, default=True
        Whether to compute colours of the neighbouring bands, by wavelength, of each survey: at
        their peaks and in the bins of `binned_flux`.
    binned_flux : bool or array-like of float, default=True
        Whether to average the flux in bins of time around the object's peak, in each band. True
        uses `DEFAULT_BIN_EDGES`; an array gives the edges of the bins, ascending, in days from the
        peak. Bins between observations are interpolated.
    period : bool, default=False
        Whether to find the period of each object, over all bands together as
        `sklc.features.find_periods` does, and to describe it and the light curve that is folded
        with it: for variable stars. This takes some milliseconds per object.
    n_jobs : int or None, default=None
        Number of threads for statistics, fits and periods: None means 1, -1 means all cores.
        Results do not depend on it.

    Attributes
    ----------
    passbands_ : tuple of Passband
        The bands described, by ascending wavelength.
    n_features_in_ : int
        Number of samples per series; only when `fit` was given a 2-D array.
    feature_names_in_ : ndarray of str
        Column names; only when `fit` was given a 2-D frame with string column names.

    Raises
    ------
    ImportError
        If the light-curve package is not installed, in `fit` and `transform`, with
        ``statistics="light-curve"`` or `parametric_fit`.

    References
    ----------
    .. [1] Malanchev et al. 2021, MNRAS 502, 5147; https://github.com/light-curve

    Examples
    --------
    >>> import numpy as np
    >>> from sklc import LightCurves
    >>> from sklc.features import LightCurveFeatures
    >>> time = np.arange(-10.0, 60.0, 3.0)
    >>> flux = 100 * np.exp(-np.abs(time) / np.where(time < 0, 5, 20))
    >>> curves = LightCurves.from_arrays(
    ...     [time, time + 1], [flux, 2 * flux], [flux * 0.1, flux * 0.1], [["ztfg"] * 24] * 2
    ... )
    >>> features = LightCurveFeatures(statistics=False, binned_flux=[-10, 0, 10, 20])
    >>> table = features.set_output(transform="pandas").fit_transform(curves)
    >>> table[["peak_mag", "ztfg_flux_0to10d", "ztfg_flux_10to20d"]].round(2)
       peak_mag  ztfg_flux_0to10d  ztfg_flux_10to20d
    0     22.61              0.77               0.47
    1     21.86              0.78               0.47
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "bands": ["array-like", None],
        "statistics": ["boolean", StrOptions({"core", "light-curve"})],
        "parametric_fit": ["boolean"],
        "colors": ["boolean"],
        "binned_flux": ["boolean", "array-like"],
        "period": ["boolean"],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        bands: Sequence[str | Passband] | None = None,
        *,
        statistics: bool | str = "light-curve",
        parametric_fit: bool = True,
        colors: bool = True,
        binned_flux: bool | ArrayLike = True,
        period: bool = False,
        n_jobs: int | None = None,
    ):
        self.bands = bands
        self.statistics = statistics
        self.parametric_fit = parametric_fit
        self.colors = colors
        self.binned_flux = binned_flux
        self.period = period
        self.n_jobs = n_jobs

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True
        tags.input_tags.three_d_array = True
        return tags

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> LightCurveFeatures:
        """Learn which passbands occur.

        Parameters
        ----------
        X : light curves
            Any form that `sklc.as_light_curves` takes.
        y : None
            Ignored; present for compatibility with scikit-learn pipelines.

        Returns
        -------
        self : LightCurveFeatures

        Raises
        ------
        LightCurveError
            If X is empty, has no observations, or cannot be used as light curves.
        UnknownPassbandError
            If `bands` has a name that is neither in X nor registered.
        ValueError
            If `bands` is empty, or the edges of `binned_flux` are not ascending numbers.
        """
        if self._uses_light_curve():
            band_features.load_light_curve()
        _bin_edges(self.binned_flux)  # wrong edges are an error before X is read
        curves = self._curves(X, reset=True)
        return self._of_passbands(_passbands(curves, self.bands))

    def _of_passbands(self, passbands: Iterable[Passband]) -> LightCurveFeatures:
        """Describe these passbands, as after `fit`."""
        self._bin_edges = _bin_edges(self.binned_flux)
        self.passbands_ = tuple(sorted(passbands, key=lambda p: (p.wavelength, p.name, p.survey)))
        nothing = LightCurves.from_arrays([], [], [], [])
        names = [
            prefix + name
            for block in self._blocks(nothing)
            for prefix in block.prefixes
            for name in block.names
        ]
        self._feature_names = np.asarray(names, dtype=object)
        return self

    @skips_unusable
    def transform(self, X: Any, *, on_error: str = "raise") -> NDArray[np.float64]:
        """Compute the features.

        Parameters
        ----------
        X : light curves
            Any form that `sklc.as_light_curves` takes.
        on_error : {"raise", "nan"}, default="raise"
            "raise" an error at an object that cannot be used, such as one that is too short, or
            give it a row of NaN and warn ("nan"): see `sklc.light_curves.unusable`.

        Returns
        -------
        features : ndarray of float64, shape (n_objects, n_features)
            NaN where an object lacks what a feature needs; never infinite.

        Raises
        ------
        NotFittedError
            If `fit` has not been called.
        LightCurveError
            If X cannot be used as light curves.
        """
        check_is_fitted(self)
        curves = self._curves(X, reset=False)
        # Odd light curves (one point, constant, negative, huge) overflow or divide by zero here
        # and there; whatever comes out of that is replaced below.
        with np.errstate(all="ignore"):
            blocks = [block.values for block in self._blocks(curves)]
            parts = [
                values.reshape(len(curves), int(np.prod(values.shape[1:]))) for values in blocks
            ]
            features = np.concatenate(parts, axis=1)
        # scikit-learn's trees work in float32, where larger numbers would be infinite.
        features[~(np.abs(features) <= np.finfo(np.float32).max)] = np.nan
        return features

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[np.object_]:
        """Names of the columns that `transform` returns.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Only checked against `feature_names_in_`, as scikit-learn asks.

        Returns
        -------
        names : ndarray of str objects, shape (n_features,)
        """
        check_is_fitted(self)
        check_feature_names_in(self, input_features, generate_names=False)
        return self._feature_names.copy()

    def _screen(self, X: Any) -> Screened:
        check_is_fitted(self)
        return screen(X, min_points=None, read=partial(self._curves, reset=False))

    def _curves(self, X: Any, *, reset: bool) -> LightCurves:
        # Usability is not checked: an object without observations is a row of NaN, not an error.
        return input_of(self, X, reset=reset, min_points=None)

    def _uses_light_curve(self) -> bool:
        """Whether the light-curve package computes any of the features."""
        return self.parametric_fit or self.statistics not in (False, "core")

    def _blocks(self, curves: LightCurves) -> Iterator[_Block]:
        """Yield the features in blocks; this alone determines the order of the columns."""
        n_jobs = effective_n_jobs(self.n_jobs)
        everything, bands = _observations(curves, self.passbands_)
        n_objects, n_bands = len(curves), len(self.passbands_)
        peak_time = everything.take(everything.time, everything.peak)
        extent = _extent(everything, curves.zero_point)
        yield _Block([""], list(extent), np.stack(list(extent.values()), axis=1)[:, None])
        if self.period:
            yield _Block([""], list(PERIOD_NAMES), period_features(curves, n_jobs)[:, None])

        labels = passband_labels(self.passbands_)
        peak_time = np.repeat(peak_time, n_bands)
        peak_flux = bands.take(bands.flux, bands.peak)
        extent = _extent(bands, curves.zero_point)
        extent["peak_time"] = bands.take(bands.time, bands.peak) - peak_time
        names, values = list(_EXTENT_OF_BAND), [extent[name] for name in _EXTENT_OF_BAND]
        tables = [np.stack(values, axis=1)]
        unit = _flux_unit(bands, peak_flux)
        relative = bands.rescaled(peak_time, unit)
        if self.statistics == "core":
            core = core_statistics(relative)
            names += core
            tables.append(np.stack(list(core.values()), axis=1))
        elif self.statistics:
            names += band_features.statistic_names()
            tables.append(band_features.statistics(relative, n_jobs))
        if self.parametric_fit:
            names += band_features.BAZIN_NAMES
            tables.append(band_features.bazin_fit(relative, n_jobs))
        fluxes, bins = [peak_flux[:, None]], []
        if self._bin_edges is not None:
            bins = _bin_names(self._bin_edges)
            names += [f"flux_{name}" for name in bins]
            tables.append(band_features.binned_flux(relative, self._bin_edges))
            fluxes.append(tables[-1] * unit[:, None])
        prefixes = [f"{label}_" for label in labels]
        yield _Block(
            prefixes, names, np.concatenate(tables, axis=1).reshape(n_objects, n_bands, len(names))
        )

        if self.colors:
            pairs = _neighbours(self.passbands_)
            blue, red = np.array(pairs, dtype=np.intp).reshape(-1, 2).T
            flux = np.concatenate(fluxes, axis=1).reshape(n_objects, n_bands, 1 + len(bins))
            colors = band_features.color(flux[:, blue], flux[:, red])
            prefixes = [f"{labels[b]}-{labels[r]}_color_" for b, r in pairs]
            yield _Block(prefixes, ["peak", *bins], colors)


class _Block(NamedTuple):
    """Features of the object, or of each band or pair of bands.

    Parameters
    ----------
    prefixes : list of str
        What names begin with, one for each band.
    names : list of str
        Names of the features of one band.
    values : ndarray of shape (n_objects, n_bands, n_names)
        The features.
    """

    prefixes: list[str]
    names: list[str]
    values: NDArray[np.float64]


def _bin_edges(binned_flux: bool | ArrayLike) -> NDArray[np.float64] | None:
    """Edges of the time bins in days, None for no bins."""
    if isinstance(binned_flux, bool | np.bool_):
        return np.array(DEFAULT_BIN_EDGES, dtype=np.float64) if binned_flux else None
    edges = np.asarray(binned_flux, dtype=np.float64)
    if edges.ndim != 1 or len(edges) < 2 or not (np.diff(edges) > 0).all():
        raise ValueError(
            "binned_flux must be True, False or at least two ascending bin edges in days from the "
            f"peak, such as [-20, -10, 0, 10, 20, 40]; got {binned_flux!r}."
        )
    return edges


def _bin_names(edges: NDArray[np.float64]) -> list[str]:
    return [f"{low:g}to{high:g}d" for low, high in pairwise(edges)]


def _passbands(curves: LightCurves, bands: Sequence[str | Passband] | None) -> Iterable[Passband]:
    """The passbands to describe: those asked for, or those with observations."""
    if bands is None:
        seen = [curves.passbands[code] for code in np.unique(curves.band)]
        if not seen:
            raise LightCurveError(
                f"None of the {len(curves)} light curves has an observation, so there are no "
                "bands to learn: fit on light curves that have some, or name the bands, "
                'bands=["ztfg", "ztfr"].'
            )
        return seen
    if not len(bands):
        raise ValueError("bands is empty: name at least one passband, or pass None.")
    chosen: dict[Passband, None] = {}
    for band in bands:
        # Many passbands are in the data but not registered, such as those of 2-D and 3-D arrays.
        there = [passband for passband in curves.passbands if passband.name == band]
        chosen |= dict.fromkeys(there or [get_passband(band)])
    return chosen


def _neighbours(passbands: tuple[Passband, ...]) -> list[tuple[int, int]]:
    """Positions of bands next to each other in wavelength, (bluer, redder), survey by survey.

    Neighbours of different surveys, ZTF g and LSST g, are rarely seen of one object, and would
    stand between the bands that are.
    """
    surveys = list(dict.fromkeys(passband.survey for passband in passbands))
    return [
        pair
        for survey in surveys
        for pair in pairwise(k for k, band in enumerate(passbands) if band.survey == survey)
    ]


def _observations(
    curves: LightCurves, passbands: tuple[Passband, ...]
) -> tuple[BandCurves, BandCurves]:
    """Observations in these passbands by object, and by object and band.

    In the second, each band of an object counts as an object: all bands are described at once.
    """
    number = {passband: position for position, passband in enumerate(passbands)}
    lookup = np.array([number.get(p, -1) for p in curves.passbands] or [-1], dtype=np.intp)
    code = lookup[curves.band]
    row = np.repeat(np.arange(len(curves)), curves.lengths)
    time, flux, flux_err = (
        np.asarray(values, dtype=np.float64)
        for values in (curves.time, curves.flux, curves.flux_err)
    )
    everything = BandCurves(row, time, flux, flux_err, len(curves))
    if (code < 0).any():
        everything, code = everything.select(code >= 0), code[code >= 0]
    by_band = everything.row * len(passbands) + code
    bands = everything.select(np.argsort(by_band, kind="stable"))
    return everything, replace(bands, row=np.sort(by_band), n_objects=len(curves) * len(passbands))


def _flux_unit(bands: BandCurves, peak_flux: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the divisor of the fluxes: the peak flux, or a much larger absolute flux."""
    largest = bands.reduce(np.maximum, np.abs(bands.flux))
    # Relative fluxes are thereby bounded, which the statistics rely on.
    unit = np.where(peak_flux > 1e-3 * largest, peak_flux, largest)
    return np.where(unit > 0, unit, 1.0)


def _extent(curves: BandCurves, zero_point: float) -> dict[str, NDArray[Any]]:
    """Return the number of observations, the brightness, and which part of it was observed."""
    own_peak = curves.take(curves.time, curves.peak)
    peak_flux = curves.take(curves.flux, curves.peak)
    return {
        "n_observations": curves.counts,
        "peak_mag": band_features.magnitude(peak_flux, zero_point),
        "time_before_peak": own_peak - curves.take(curves.time, curves.first),
        "time_after_peak": curves.take(curves.time, curves.last) - own_peak,
    }
