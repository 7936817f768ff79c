"""LightCurveFeatures: hand-crafted features of light curves, the baseline of the encoders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from numbers import Integral
from typing import Any

import numpy as np
from joblib import effective_n_jobs
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from sklc.errors import LightCurveError
from sklc.features import band as band_features
from sklc.features.band import BandCurves
from sklc.features.statistics import core_statistics
from sklc.light_curves import LightCurves
from sklc.light_curves.estimator_input import input_of
from sklc.light_curves.usable import Screened, screen, skips_unusable
from sklc.passbands import Passband, get_passband, passband_labels
from sklc.utils.sklearn_compat import StrOptions, check_feature_names_in, fit_context

__all__ = ["DEFAULT_BIN_EDGES", "LightCurveFeatures"]

#: Edges of the bins of the binned flux, in days from the peak.
DEFAULT_BIN_EDGES: tuple[float, ...] = (
    *(-40, -25, -18, -13, -9, -6, -3, 0, 3, 6, 9, 13, 18, 23, 28, 35, 45, 60, 80, 110),
)


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
    n_jobs : int or None, default=None
        Number of threads for statistics and fits: None means 1, -1 means all cores. Results do
        not depend on it.

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
        n_jobs: int | None = None,
    ):
        self.bands = bands
        self.statistics = statistics
        self.parametric_fit = parametric_fit
        self.colors = colors
        self.binned_flux = binned_flux
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
        names = [name for name, _ in self._columns(nothing)]
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
            features = np.column_stack([values for _, values in self._columns(curves)])
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

    def _columns(self, curves: LightCurves) -> Iterator[tuple[str, NDArray[Any]]]:
        """Yield name and values of each feature; this alone determines the order of the columns."""
        n_jobs = effective_n_jobs(self.n_jobs)
        code, everything = _observations(curves, self.passbands_)
        peak = everything.peak
        peak_time = everything.take(everything.time, peak)
        yield from _extent("", everything, peak_time, curves.zero_point)

        peak_fluxes, binned = [], []
        labels = passband_labels(self.passbands_)
        for number, label in enumerate(labels):
            prefix = f"{label}_"
            band = everything.select(code == number)
            peak_flux = band.take(band.flux, band.peak)
            peak_fluxes.append(peak_flux)
            yield from _extent(prefix, band, peak_time, curves.zero_point)

            unit = _flux_unit(band, peak_flux)
            relative = band.rescaled(peak_time, unit)
            if self.statistics == "core":
                core = core_statistics(relative)
                yield from _named(prefix, list(core), np.array(list(core.values())).T)
            elif self.statistics:
                names = band_features.statistic_names()
                values = band_features.statistics(relative, n_jobs)
                yield from _named(prefix, names, values)
            if self.parametric_fit:
                values = band_features.bazin_fit(relative, n_jobs)
                yield from _named(prefix, band_features.BAZIN_NAMES, values)
            if self._bin_edges is not None:
                values = band_features.binned_flux(relative, self._bin_edges)
                yield from _named(f"{prefix}flux_", _bin_names(self._bin_edges), values)
                binned.append(values * unit[:, None])

        if self.colors:
            for blue, red in _neighbours(self.passbands_):
                prefix = f"{labels[blue]}-{labels[red]}_color_"
                yield f"{prefix}peak", band_features.color(peak_fluxes[blue], peak_fluxes[red])
                if self._bin_edges is not None:
                    values = band_features.color(binned[blue], binned[red])
                    yield from _named(prefix, _bin_names(self._bin_edges), values)


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


def _named(
    prefix: str, names: Sequence[str], values: NDArray[np.float64]
) -> Iterator[tuple[str, NDArray[np.float64]]]:
    for name, column in zip(names, values.T, strict=True):
        yield prefix + name, column


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
) -> tuple[NDArray[np.intp], BandCurves]:
    """Observations in these passbands, and the position of the passband of each."""
    number = {passband: position for position, passband in enumerate(passbands)}
    lookup = np.array([number.get(p, -1) for p in curves.passbands] or [-1], dtype=np.intp)
    code = lookup[curves.band]
    kept = code >= 0
    row = np.repeat(np.arange(len(curves)), curves.lengths)
    return code[kept], BandCurves(
        row[kept],
        np.asarray(curves.time, dtype=np.float64)[kept],
        np.asarray(curves.flux, dtype=np.float64)[kept],
        np.asarray(curves.flux_err, dtype=np.float64)[kept],
        len(curves),
    )


def _flux_unit(band: BandCurves, peak_flux: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the divisor of the fluxes: the peak flux, or a much larger absolute flux."""
    largest = np.zeros(band.n_objects)
    np.maximum.at(largest, band.row, np.abs(band.flux))
    # Relative fluxes are thereby bounded, which the statistics rely on.
    unit = np.where(peak_flux > 1e-3 * largest, peak_flux, largest)
    return np.where(unit > 0, unit, 1.0)


def _extent(
    prefix: str, curves: BandCurves, peak_time: NDArray[np.float64], zero_point: float
) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield the number of observations, the brightness, and which part of it was observed."""
    own_peak = curves.take(curves.time, curves.peak)
    first = curves.take(curves.time, curves.first)
    last = curves.take(curves.time, curves.last)
    peak_flux = curves.take(curves.flux, curves.peak)
    yield f"{prefix}n_observations", curves.counts
    yield f"{prefix}peak_mag", band_features.magnitude(peak_flux, zero_point)
    if prefix:
        yield f"{prefix}peak_time", own_peak - peak_time
    yield f"{prefix}time_before_peak", own_peak - first
    yield f"{prefix}time_after_peak", last - own_peak
