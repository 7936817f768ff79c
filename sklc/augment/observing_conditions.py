"""ObservingConditions, the augmentation that ``augment=True`` means."""

from __future__ import annotations

from dataclasses import dataclass, replace
from numbers import Real

import numpy as np

from sklc.augment.arrays import inflate_errors, log_uniform, until_after_first
from sklc.augment.base import FRACTION, Augmenter
from sklc.light_curves.store import Store
from sklc.utils.floats import saturated
from sklc.utils.offsets import count_by_object, per_observation
from sklc.utils.sklearn_compat import Interval

__all__ = ["ObservingConditions"]


@dataclass(eq=False, repr=False, kw_only=True)
class ObservingConditions(Augmenter):
    """Add noise, apply a detection limit, thin, end early and lose a band, each at random.

    Simulated light curves become like those that surveys deliver. The shipped weights were trained
    with this transformer, and ``LightCurveEncoder(augment=True)`` uses it. Of every object, only
    observations with abs(flux) / flux_err >= 3 are kept.

    Parameters
    ----------
    min_points : int, default=3
        An object that would be left with fewer observations comes out empty. In training, it
        sits the epoch out.
    random_state : int, RandomState instance or None, default=None
        With an int, every call makes the same random choices.
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

    Examples
    --------
    >>> from sklc.augment import ObservingConditions
    >>> from sklc.datasets import load_demo
    >>> curves = load_demo().curves[:4]
    >>> curves.lengths, ObservingConditions(random_state=0).fit_transform(curves).lengths
    (array([111,  18,  38,  86]), array([60, 12,  6,  8]))
    """

    _parameter_constraints = {
        "largest_noise": [Interval(Real, 1, None, closed="left")],
        "min_points": Augmenter._parameter_constraints["min_points"],
        "random_state": ["random_state"],
        **{name: [FRACTION] for name in ("noisier", "alerts", "thinned", "prefixes", "dropped")},
    }

    _needs_errors = True
    noisier: float = 0.5
    largest_noise: float = 2.5
    alerts: float = 0.5
    thinned: float = 0.5
    prefixes: float = 0.3
    dropped: float = 0.1

    def _draw(self, store: Store, rng: np.random.Generator) -> Store:
        n_objects, offsets, dtype = store.n_objects, store.offsets, store.flux.dtype

        def chosen(share: float) -> np.ndarray:
            return rng.random(n_objects) < share

        factor = log_uniform(rng, 1.0, self.largest_noise, n_objects)
        factor = per_observation(np.where(chosen(self.noisier), factor, 1.0), offsets)
        flux, flux_err = inflate_errors(store.flux, store.flux_err, factor, rng)

        limit = per_observation(np.where(chosen(self.alerts), 5.0, 3.0), offsets)
        kept = np.abs(flux) >= limit * flux_err
        fraction = np.where(chosen(self.thinned), rng.uniform(0.3, 1.0, n_objects), 1.0)
        kept &= rng.random(len(kept)) < per_observation(fraction, offsets)

        span = log_uniform(rng, 10, 150, n_objects)
        span = np.where(chosen(self.prefixes), span, np.inf)
        kept &= until_after_first(store.time, kept, span, offsets)

        picked = offsets[:-1] + (rng.random(n_objects) * np.diff(offsets)).astype(int)
        own = np.append(store.band, -1)[picked]  # an empty object at the end has no observation
        kept &= store.band != per_observation(np.where(chosen(self.dropped), own, -1), offsets)

        kept &= per_observation(count_by_object(kept, offsets) >= self.min_points, offsets)
        noisy = replace(store, flux=saturated(flux, dtype), flux_err=saturated(flux_err, dtype))
        return noisy.keep(kept)
