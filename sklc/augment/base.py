"""Base of the transformers of `sklc.augment`."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import validate_data

from sklc.augment.arrays import check_errors
from sklc.light_curves import LightCurves, as_light_curves, is_series_matrix
from sklc.light_curves.store import Store
from sklc.utils.offsets import count_by_object, per_observation
from sklc.utils.sklearn_compat import Interval, fit_context

__all__ = ["FRACTION", "Augmenter", "Selection"]

FRACTION = Interval(Real, 0, 1, closed="both")


@dataclass(eq=False, repr=False, kw_only=True)
class Augmenter(TransformerMixin, BaseEstimator):
    """Base of transformers that alter a share of the objects at random; nothing is learned.

    A subclass is a dataclass, whose fields are its parameters, and writes
    ``_altered(store, chosen, rng)``. It is then a scikit-learn transformer, and
    `LightCurveEncoder` takes it as ``augment=``.

    Parameters
    ----------
    min_points : int, default=3
        An object that would be left with fewer observations is left unaltered.
    random_state : int, RandomState instance or None, default=None
        With an int, every call makes the same random choices.

    Examples
    --------
    >>> from dataclasses import dataclass, replace
    >>> from sklc.augment import Augmenter
    >>> from sklc.datasets import load_demo
    >>> @dataclass(eq=False, repr=False)
    ... class Delay(Augmenter):
    ...     share: float = 0.5
    ...     days: float = 1.0
    ...
    ...     def _altered(self, store, chosen, rng):
    ...         delayed = chosen.repeat(store.offsets[1:] - store.offsets[:-1])
    ...         return replace(store, time=store.time + self.days * delayed)
    >>> curves = load_demo().curves[:2]
    >>> later = Delay(share=1.0, days=5.0).fit_transform(curves)
    >>> (later.time - curves.time)[:3].tolist()
    [5.0, 5.0, 5.0]
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "share": [FRACTION],
        "min_points": [Interval(Integral, 0, None, closed="left")],
        "random_state": ["random_state"],
    }

    #: Whether light curves without flux errors are refused.
    _needs_errors: ClassVar[bool] = False

    #: The share of the objects to alter; subclasses make it a parameter.
    share: float = field(default=1.0, init=False)
    min_points: int = 3
    random_state: Any = None

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.non_deterministic = True  # what is drawn for an object depends on its position
        tags.input_tags.two_d_array = not self._needs_errors  # a plain series has none
        tags.input_tags.three_d_array = True
        return tags

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any = None, y: Any = None) -> Augmenter:
        """Check the parameters, and a 2-D array; there is nothing to learn.

        Parameters
        ----------
        X, y : any, default=None
            Not needed; there for scikit-learn pipelines.

        Returns
        -------
        self : estimator
        """
        if X is not None and is_series_matrix(X):
            validate_data(self, X)
        return self

    def transform(self, X: Any) -> LightCurves | np.ndarray:
        """Return an altered copy; `fit` need not be called before.

        Parameters
        ----------
        X : light curves
            Any form that `sklc.as_light_curves` takes.

        Returns
        -------
        curves : LightCurves, or ndarray of shape (n_objects, n_samples, 2)
            The same objects in the same order, with their ids and metadata. A 2-D array of series
            comes back as a 3-D array of time and flux, padded with NaN at the end of each row.

        Raises
        ------
        LightCurveError
            If X cannot be used as light curves, or lacks the errors or redshifts this needs.
        ValueError
            If a parameter is out of range.
        """
        self._validate_params()
        is_series = is_series_matrix(X)
        if is_series:
            X = validate_data(self, X, reset=False, ensure_min_samples=0)
        curves = as_light_curves(X, min_points=None)
        if len(curves):
            seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
            # with the name in it, steps of a pipeline with one seed do not choose the same objects
            rng = np.random.default_rng([seed, zlib.crc32(type(self).__name__.encode())])
            curves = self._redrawn(curves, rng)
        if not is_series:
            return curves
        padded = np.full((*X.shape, 2), np.nan)
        given = np.arange(X.shape[1]) < curves.lengths[:, None]
        padded[given] = np.column_stack([curves.time, curves.flux])
        return padded

    def set_output(self, *, transform: str | None = None) -> Augmenter:
        """Do nothing: the output is no table, also in a pipeline with other settings.

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

    def _redrawn(self, curves: LightCurves, rng: np.random.Generator) -> LightCurves:
        """Return an altered copy; training calls this in every epoch."""
        store = curves._compact()
        if self._needs_errors:
            check_errors(store, self)
        with np.errstate(over="ignore"):  # a detection limit that overflows is no less a limit
            return LightCurves._from_store(self._draw(store, rng))

    def _draw(self, store: Store, rng: np.random.Generator) -> Store:
        return self._altered(store, rng.random(store.n_objects) < self.share, rng)

    def _altered(self, store: Store, chosen: np.ndarray, rng: np.random.Generator) -> Store:
        """Return the light curves, those of the `chosen` objects altered."""
        raise NotImplementedError


class Selection(Augmenter):
    """Leave out observations of the chosen objects."""

    def _altered(self, store: Store, chosen: np.ndarray, rng: np.random.Generator) -> Store:
        kept = self._kept(store, rng)
        spared = ~chosen | (count_by_object(kept, store.offsets) < self.min_points)
        kept |= per_observation(spared, store.offsets)
        return store.keep(kept)

    def _kept(self, store: Store, rng: np.random.Generator) -> np.ndarray:
        """Return a mask of the observations that would be left if all objects were chosen."""
        raise NotImplementedError
