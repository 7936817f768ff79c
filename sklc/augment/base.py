"""Base of the transformers of `sklc.augment.transformers`, and what they do to flat arrays."""

from __future__ import annotations

import zlib
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import check_random_state

from sklc.errors import LightCurveError
from sklc.light_curves import LightCurves, as_light_curves
from sklc.light_curves.operations import keep_observations
from sklc.light_curves.store import Store, describe, object_of
from sklc.utils.sklearn_compat import Interval, fit_context

__all__ = [
    "FRACTION",
    "Augmenter",
    "Selection",
    "check_errors",
    "count_by_object",
    "spaced",
    "thinned",
]

FRACTION = Interval(Real, 0, 1, closed="both")


class Augmenter(TransformerMixin, BaseEstimator):
    """Choose a share of the objects and alter them; nothing is learned from the data."""

    _parameter_constraints: dict[str, list[Any]] = {
        "share": [FRACTION],
        "min_points": [Interval(Integral, 0, None, closed="left")],
        "random_state": ["random_state"],
    }

    # Set by the subclasses' __init__, which stores its arguments and does nothing else.
    share: float
    min_points: int
    random_state: Any

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.two_d_array = True
        tags.input_tags.three_d_array = True
        return tags

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any = None, y: Any = None) -> Augmenter:
        """Check the parameters; there is nothing to learn.

        Parameters
        ----------
        X, y : any, default=None
            Ignored; there for scikit-learn pipelines.

        Returns
        -------
        self : estimator
        """
        return self

    def transform(self, X: Any) -> LightCurves:
        """Return an altered copy; `fit` need not be called before.

        Parameters
        ----------
        X : light curves
            Any form that `sklc.as_light_curves` takes.

        Returns
        -------
        curves : LightCurves
            The same objects in the same order, with their ids and metadata.

        Raises
        ------
        LightCurveError
            If X cannot be used as light curves, or lacks the errors or redshifts this needs.
        ValueError
            If a parameter is out of range.
        """
        self._validate_params()
        curves = as_light_curves(X, min_points=None)
        if not len(curves):
            return curves
        seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
        # with the name in it, steps of a pipeline that share a seed do not choose the same objects
        rng = np.random.default_rng([seed, zlib.crc32(type(self).__name__.encode())])
        chosen = rng.random(len(curves)) < self.share
        return LightCurves._from_store(self._altered(curves._compact(), chosen, rng))

    def set_output(self, *, transform: str | None = None) -> Augmenter:
        """Do nothing: light curves come out whatever container a pipeline is set to.

        Parameters
        ----------
        transform : str or None, default=None
            Ignored.

        Returns
        -------
        self : estimator

        Examples
        --------
        >>> from sklearn.pipeline import make_pipeline
        >>> from sklc.datasets import load_demo
        >>> from sklc.augment.transformers import DropEpochs, Prefixes
        >>> pipeline = make_pipeline(DropEpochs(), Prefixes()).set_output(transform="pandas")
        >>> type(pipeline.fit_transform(load_demo().curves)).__name__
        'LightCurves'
        """
        return self

    def _altered(self, store: Store, chosen: np.ndarray, rng: np.random.Generator) -> Store:
        """Return the light curves, those of the `chosen` objects altered."""
        raise NotImplementedError


class Selection(Augmenter):
    """Leave out observations of the chosen objects."""

    def _altered(self, store: Store, chosen: np.ndarray, rng: np.random.Generator) -> Store:
        kept = self._kept(store, rng)
        lengths = np.diff(store.offsets)
        spared = ~chosen | (count_by_object(store, kept) < self.min_points)
        kept |= np.repeat(spared, lengths)
        return keep_observations(store, kept)

    def _kept(self, store: Store, rng: np.random.Generator) -> np.ndarray:
        """Return a mask of the observations that would be left if all objects were chosen."""
        raise NotImplementedError


def count_by_object(store: Store, mask: np.ndarray) -> np.ndarray:
    """Return how many observations of each object the mask marks."""
    return np.diff(np.concatenate([[0], np.cumsum(mask)])[store.offsets])


def check_errors(store: Store, estimator: BaseEstimator) -> None:
    """Refuse flux errors that are not known."""
    unknown = np.isnan(store.flux_err)
    if unknown.any():
        owner = object_of(store.offsets, np.flatnonzero(unknown)[:1])[0]
        raise LightCurveError(
            f"{type(estimator).__name__} needs flux errors, and those of "
            f"{describe(store.ids, owner)} are not known: build the container with flux_err="
        )


def thinned(
    store: Store, fraction: np.ndarray, rng: np.random.Generator, *, whole_nights: bool
) -> np.ndarray:
    """Mark a random fraction, one an object, of the observations, or of the nights."""
    unit = np.arange(store.n_observations)
    lengths = np.diff(store.offsets)
    if whole_nights and len(unit):
        night = np.floor(store.time)
        begins = np.ones(len(night), dtype=bool)
        begins[1:] = night[1:] != night[:-1]
        begins[store.offsets[:-1][lengths > 0]] = True
        unit = np.cumsum(begins) - 1
    draw = rng.random(unit[-1] + 1 if len(unit) else 0)
    return draw[unit] < np.repeat(fraction, lengths)


def spaced(store: Store, kept: np.ndarray, gap: float) -> np.ndarray:
    """Of the observations kept, mark each that is `gap` days after the last marked in its band."""
    rows = np.flatnonzero(kept)
    owner = np.repeat(np.arange(store.n_objects), np.diff(store.offsets))[rows]
    group = owner * len(store.passbands) + store.band[rows]
    order = np.argsort(group, kind="stable")
    rows, group = rows[order], group[order]
    begins = np.ones(len(rows), dtype=bool)
    begins[1:] = group[1:] != group[:-1]
    group = np.cumsum(begins) - 1
    since = store.time[rows] - store.time.min(initial=np.inf)
    # all groups on one axis, so far apart that the gap reaches no other group but the next
    width = 2.0 ** np.ceil(np.log2(since.max(initial=0.0) + gap + 1.0))
    axis = group * width + since
    following = np.searchsorted(axis, axis + gap)
    following = np.maximum(following, np.arange(1, len(rows) + 1))  # a gap below the precision
    following[group[np.minimum(following, len(rows) - 1)] != group] = len(rows)
    marked = np.zeros_like(kept)
    chain = np.flatnonzero(begins)
    while len(chain):  # one round for each observation of the longest chain, all chains at once
        marked[rows[chain]] = True
        chain = following[chain]
        chain = chain[chain < len(rows)]
    return marked
