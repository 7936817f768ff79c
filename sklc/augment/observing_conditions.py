"""ObservingConditions, the augmentation that ``augment=True`` means."""

from __future__ import annotations

from dataclasses import replace
from numbers import Real

import numpy as np
from sklearn.utils._param_validation import Interval

from sklc.augment.arrays import (
    check_errors,
    inflate_errors,
    log_uniform,
    until_after_first,
)
from sklc.augment.base import FRACTION, Augmenter
from sklc.light_curves.store import Store
from sklc.utils.offsets import count_by_object

__all__ = ["ObservingConditions"]


class ObservingConditions(Augmenter):
    """Add noise, apply a detection limit, thin, end early and lose a band, each at random.

    Simulated light curves become like those that surveys deliver. The shipped weights were trained
    with this transformer, and ``LightCurveEncoder(augment=True)`` uses it. Of every object, only
    observations with abs(flux) / flux_err >= 3 are kept.

    Parameters
    ----------
    noisier : float, default=0.5
        Share of objects whose errors are inflated, with noise to match.
    largest_noise : float, default=2.5
        Largest factor of the errors; the factors are log-uniform between 1 and this.
    alerts : float, default=0.5
        Share of objects that keep only observations with abs(flux) / flux_err >= 5, as in alert
        streams.
    thinned : float, default=0.5
        Share of objects that lose a random fraction, 0 to 70 %, of their observations.
    prefixes : float, default=0.3
        Share of objects that end early, log-uniformly 10 to 150 days after their first
        observation.
    dropped : float, default=0.1
        Share of objects that lose the band of a random observation, so that a band is lost as
        often as it is observed.
    min_points : int, default=3
        An object that would be left with fewer observations comes out empty. In training, it
        sits the epoch out.
    random_state : int, RandomState instance or None, default=None
        With an int, every call makes the same random choices.

    Examples
    --------
    >>> from sklc.augment import ObservingConditions
    >>> from sklc.datasets import load_demo
    >>> curves = load_demo().curves[:4]
    >>> curves.lengths, ObservingConditions(random_state=0).fit_transform(curves).lengths
    (array([111,  18,  38,  86]), array([89, 18, 11,  6]))
    """

    _parameter_constraints = {
        "largest_noise": [Interval(Real, 1, None, closed="left")],
        "min_points": Augmenter._parameter_constraints["min_points"],
        "random_state": ["random_state"],
        **{name: [FRACTION] for name in ("noisier", "alerts", "thinned", "prefixes", "dropped")},
    }

    def __init__(
        self,
        *,
        noisier=0.5,
        largest_noise=2.5,
        alerts=0.5,
        thinned=0.5,
        prefixes=0.3,
        dropped=0.1,
        min_points=3,
        random_state=None,
    ):
        self.noisier = noisier
        self.largest_noise = largest_noise
        self.alerts = alerts
        self.thinned = thinned
        self.prefixes = prefixes
        self.dropped = dropped
        self.min_points = min_points
        self.random_state = random_state

    def _draw(self, store: Store, rng: np.random.Generator) -> Store:
        check_errors(store, self)
        n_objects, lengths, dtype = store.n_objects, np.diff(store.offsets), store.flux.dtype

        def chosen(share: float) -> np.ndarray:
            return rng.random(n_objects) < share

        def per_observation(values: np.ndarray) -> np.ndarray:
            return np.repeat(values, lengths)

        factor = log_uniform(rng, 1.0, self.largest_noise, n_objects)
        factor = per_observation(np.where(chosen(self.noisier), factor, 1.0))
        flux, flux_err = inflate_errors(store.flux, store.flux_err, factor, rng)

        limit = per_observation(np.where(chosen(self.alerts), 5.0, 3.0))
        kept = np.abs(flux) >= limit * flux_err
        fraction = np.where(chosen(self.thinned), rng.uniform(0.3, 1.0, n_objects), 1.0)
        kept &= rng.random(len(kept)) < per_observation(fraction)

        span = log_uniform(rng, 10, 150, n_objects)
        span = np.where(chosen(self.prefixes), span, np.inf)
        kept &= until_after_first(store.time, kept, span, store.offsets)

        picked = store.offsets[:-1] + (rng.random(n_objects) * lengths).astype(int)
        own = np.append(store.band, -1)[picked]  # an empty object at the end has no observation
        kept &= store.band != per_observation(np.where(chosen(self.dropped), own, -1))

        kept &= per_observation(count_by_object(kept, store.offsets) >= self.min_points)
        noisy = replace(store, flux=flux.astype(dtype), flux_err=flux_err.astype(dtype))
        return noisy.keep(kept)
