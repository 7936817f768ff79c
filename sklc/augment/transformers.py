"""Transformers that alter light curves at random, to train on what telescopes deliver.

Each takes light curves in any form and returns `LightCurves` of the same objects in the same order,
so labels stay aligned, also behind ``sklearn.pipeline.make_pipeline``. An object that would be left
with fewer than `min_points` observations is left unaltered. `LightCurveEncoder` takes them as
``augment=`` and draws new light curves in every epoch. Do not put them in front of a classifier as
steps of a pipeline: they would alter what it predicts as well.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, replace
from numbers import Integral, Real

import numpy as np

from sklc.augment.arrays import (
    inflate_errors,
    log_uniform,
    spaced,
    thinned,
    until_after_first,
)
from sklc.augment.base import FRACTION, Augmenter, Selection
from sklc.augment.observing_conditions import ObservingConditions
from sklc.augment.redshifting import Redshifting
from sklc.light_curves.store import Store, read_only
from sklc.utils.floats import saturated
from sklc.utils.sklearn_compat import Interval

__all__ = [
    "AlertCadence",
    "DetectionsOnly",
    "DropBands",
    "DropEpochs",
    "ExtraNoise",
    "ObservingConditions",
    "Prefixes",
    "Redshifting",
]

_POSITIVE = Interval(Real, 0, None, closed="neither")
_NOT_NEGATIVE = Interval(Real, 0, None, closed="left")


@dataclass(eq=False, repr=False)
class Prefixes(Selection):
    """End light curves early, as they are known while the event is still under way.

    An altered object ends log-uniformly `shortest` to `longest` days after its first detection,
    flux / flux_err >= `snr`; what came before that detection stays. An object without a detection
    is left unaltered.

    Parameters
    ----------
    share : float, default=0.3
        Share of objects to alter.
    min_points : int, default=3
        An object that would be left with fewer observations is left unaltered.
    random_state : int, RandomState instance or None, default=None
        With an int, every call makes the same random choices.
    shortest, longest : float, default=10 and 150
        Days after the first detection.
    snr : float or None, default=5
        Signal-to-noise ratio of a detection. None counts from the first observation, whatever its
        flux, and needs no flux errors.

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.datasets import load_demo
    >>> from sklc.augment.transformers import Prefixes
    >>> curves = load_demo().curves
    >>> short = Prefixes(share=1, longest=30, random_state=0).fit_transform(curves)
    >>> int(np.median(curves.lengths)), int(np.median(short.lengths))
    (26, 10)
    """

    _parameter_constraints = Augmenter._parameter_constraints | {
        "shortest": [_POSITIVE],
        "longest": [_POSITIVE],
        "snr": [Real, None],
    }

    share: float = 0.3
    _: KW_ONLY
    shortest: float = 10.0
    longest: float = 150.0
    snr: float | None = 5.0

    @property
    def _needs_errors(self) -> bool:  # type: ignore[override]
        return self.snr is not None

    def _kept(self, store: Store, rng: np.random.Generator) -> np.ndarray:
        if self.shortest > self.longest:
            raise ValueError(
                f"shortest={self.shortest} is more than longest={self.longest}: exchange them"
            )
        detected = np.ones(store.n_observations, dtype=bool)
        if self.snr is not None:
            detected = store.flux >= self.snr * store.flux_err
        span = log_uniform(rng, self.shortest, self.longest, store.n_objects)
        return until_after_first(store.time, detected, span, store.offsets)


@dataclass(eq=False, repr=False)
class DetectionsOnly(Selection):
    """Leave only detections, as alert streams and many catalogues do.

    Parameters
    ----------
    snr : float, default=5
        Least flux / flux_err of a detection.
    share : float, default=1
        Share of objects to alter.
    min_points : int, default=3
        An object that would be left with fewer observations is left unaltered.
    random_state : int, RandomState instance or None, default=None
        With an int, every call makes the same random choices.
    negative : bool, default=False
        Whether flux / flux_err <= -`snr` is a detection too, as it is for variable sources that
        can be fainter than in the reference image.

    Examples
    --------
    >>> from sklc import LightCurves
    >>> from sklc.augment.transformers import DetectionsOnly
    >>> curves = LightCurves.from_arrays(
    ...     [[1.0, 2.0, 3.0, 4.0]], [[0.5, 9.0, 8.0, 7.0]], [[1.0] * 4], [["ztfg"] * 4]
    ... )
    >>> DetectionsOnly().fit_transform(curves).flux
    array([9., 8., 7.])
    """

    _parameter_constraints = Augmenter._parameter_constraints | {
        "snr": [_NOT_NEGATIVE],
        "negative": ["boolean"],
    }

    _needs_errors = True
    snr: float = 5.0
    _: KW_ONLY
    negative: bool = False
    share: float = 1.0

    def _kept(self, store: Store, rng: np.random.Generator) -> np.ndarray:
        flux = np.abs(store.flux) if self.negative else store.flux
        return flux >= self.snr * store.flux_err


@dataclass(eq=False, repr=False)
class DropBands(Selection):
    """Leave out some of the bands of an object.

    A random number of bands of an altered object stays, from `keep` to all but one; all its bands
    are equally likely to. An object with `keep` bands or fewer is left unaltered.

    Parameters
    ----------
    share : float, default=0.3
        Share of objects to alter.
    min_points : int, default=3
        An object that would be left with fewer observations is left unaltered.
    random_state : int, RandomState instance or None, default=None
        With an int, every call makes the same random choices.
    keep : int, default=1
        The least number of bands to leave.

    Examples
    --------
    >>> from sklc.datasets import load_demo
    >>> from sklc.augment.transformers import DropBands
    >>> curves = load_demo().curves[:4]
    >>> single = DropBands(share=1, random_state=0).fit_transform(curves)
    >>> [len(curve.passbands) for curve in curves], [len(curve.passbands) for curve in single]
    ([2, 2, 2, 2], [1, 1, 1, 1])
    """

    _parameter_constraints = Augmenter._parameter_constraints | {
        "keep": [Interval(Integral, 1, None, closed="left")]
    }

    share: float = 0.3
    _: KW_ONLY
    keep: int = 1

    def _kept(self, store: Store, rng: np.random.Generator) -> np.ndarray:
        n_bands = len(store.passbands)
        lengths = np.diff(store.offsets)
        pair = np.repeat(np.arange(store.n_objects) * n_bands, lengths) + store.band
        present = np.zeros(store.n_objects * n_bands, dtype=bool)
        present[pair] = True
        pairs = np.flatnonzero(present)
        owner = pairs // max(n_bands, 1)
        shuffled = np.lexsort((rng.random(len(pairs)), owner))
        counts = np.bincount(owner, minlength=store.n_objects)
        rank = np.arange(len(pairs)) - np.repeat(np.cumsum(counts) - counts, counts)
        n_kept = rng.integers(self.keep, np.maximum(counts, self.keep + 1))
        present[pairs[shuffled]] = rank < n_kept[owner]
        return present[pair]


@dataclass(eq=False, repr=False)
class DropEpochs(Selection):
    """Leave out observations at random: thinner cadences, bad weather.

    Parameters
    ----------
    share : float, default=0.5
        Share of objects to alter.
    min_points : int, default=3
        An object that would be left with fewer observations is left unaltered.
    random_state : int, RandomState instance or None, default=None
        With an int, every call makes the same random choices.
    largest : float, default=0.7
        Largest chance of an observation to be left out; the chances of the objects are uniform
        between 0 and this.
    whole_nights : bool, default=False
        Whether all observations of a night, ``floor(time)``, stay or go together.

    Examples
    --------
    >>> from sklc.datasets import load_demo
    >>> from sklc.augment.transformers import DropEpochs
    >>> curves = load_demo().curves[:4]
    >>> curves.lengths, DropEpochs(share=1, random_state=0).fit_transform(curves).lengths
    (array([111,  18,  38,  86]), array([65, 11, 21, 63]))
    """

    _parameter_constraints = Augmenter._parameter_constraints | {
        "largest": [FRACTION],
        "whole_nights": ["boolean"],
    }

    share: float = 0.5
    _: KW_ONLY
    largest: float = 0.7
    whole_nights: bool = False

    def _kept(self, store: Store, rng: np.random.Generator) -> np.ndarray:
        fraction = rng.uniform(1 - self.largest, 1, store.n_objects)
        return thinned(store, fraction, rng, whole_nights=self.whole_nights)


@dataclass(eq=False, repr=False)
class AlertCadence(Selection):
    """Turn densely sampled forced photometry into something like an alert light curve.

    Keeps detections, of these a random fraction of the nights, log-uniform between `smallest` and
    1 for each object, and of these observations no two in one band within less than `gap`, earlier
    ones first. At the default, simulated type Ia supernovae of ZTF keep about as many points as
    those of the Bright Transient Survey have at the same peak magnitude.

    Parameters
    ----------
    snr : float, default=5
        Least flux / flux_err of a detection.
    share : float, default=1
        Share of objects to alter.
    min_points : int, default=3
        An object that would be left with fewer observations is left unaltered.
    random_state : int, RandomState instance or None, default=None
        With an int, every call makes the same random choices.
    smallest : float, default=0.25
        Smallest fraction of nights, ``floor(time)``, to keep.
    gap : float, default=0
        Least time in days between the observations of an object in the same band.

    Examples
    --------
    >>> from sklc.datasets import load_demo
    >>> from sklc.augment.transformers import AlertCadence
    >>> curves = load_demo().curves[:4]
    >>> curves.lengths, AlertCadence(gap=1, random_state=0).fit_transform(curves).lengths
    (array([111,  18,  38,  86]), array([21, 14, 17, 43]))
    """

    _parameter_constraints = Augmenter._parameter_constraints | {
        "snr": [_NOT_NEGATIVE],
        "smallest": [Interval(Real, 0, 1, closed="right")],
        "gap": [_NOT_NEGATIVE],
    }

    _needs_errors = True
    snr: float = 5.0
    _: KW_ONLY
    smallest: float = 0.25
    gap: float = 0.0
    share: float = 1.0

    def _kept(self, store: Store, rng: np.random.Generator) -> np.ndarray:
        kept = store.flux >= self.snr * store.flux_err
        fraction = log_uniform(rng, self.smallest, 1, store.n_objects)
        kept &= thinned(store, fraction, rng, whole_nights=True)
        return spaced(store, kept, self.gap) if self.gap else kept


@dataclass(eq=False, repr=False)
class ExtraNoise(Augmenter):
    """Inflate the flux errors, and add Gaussian noise to match.

    Parameters
    ----------
    share : float, default=0.5
        Share of objects to alter.
    min_points : int, default=3
        An object with fewer observations is left unaltered.
    random_state : int, RandomState instance or None, default=None
        With an int, every call makes the same random choices.
    largest : float, default=2.5
        Largest factor of the errors; the factors of the objects are log-uniform between 1 and this.

    Examples
    --------
    >>> from sklc.datasets import load_demo
    >>> from sklc.augment.transformers import ExtraNoise
    >>> curves = load_demo().curves[:4]
    >>> noisy = ExtraNoise(share=1, random_state=0).fit_transform(curves)
    >>> (noisy.flux_err / curves.flux_err)[curves.offsets[:-1]].round(2)
    array([1.5 , 1.94, 2.19, 1.05], dtype=float32)
    """

    _parameter_constraints = Augmenter._parameter_constraints | {
        "largest": [Interval(Real, 1, None, closed="left")]
    }

    _needs_errors = True
    share: float = 0.5
    _: KW_ONLY
    largest: float = 2.5

    def _altered(self, store: Store, chosen: np.ndarray, rng: np.random.Generator) -> Store:
        lengths = np.diff(store.offsets)
        factor = log_uniform(rng, 1, self.largest, store.n_objects)
        factor = np.repeat(np.where(chosen & (lengths >= self.min_points), factor, 1.0), lengths)
        flux, flux_err = inflate_errors(store.flux, store.flux_err, factor, rng)
        return replace(
            store,
            flux=read_only(saturated(flux, store.flux.dtype)),
            flux_err=read_only(saturated(flux_err, store.flux.dtype)),
        )
