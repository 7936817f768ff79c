"""Several predictions of each object: from resampled labels, other starts, or dropped units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from sklc.uncertainty.interface import SamplingSettings, effective_weights

__all__ = ["Bootstrap", "Ensemble", "HAMCDropout", "MCDropout", "StochasticAttention"]


def resampled(weight: np.ndarray, seed: int) -> np.ndarray:
    """Return weights of a Bayesian bootstrap, with the sum of those given, (n_objects,)."""
    if not weight.any():
        return weight
    shape = effective_weights(weight)
    drawn = np.random.default_rng(seed).standard_gamma(shape)
    # A weight must not round to zero, or a class might be lost.
    drawn = np.maximum(drawn, 1e-3 * shape) * weight / np.where(weight > 0, shape, 1)
    # As much weight as without resampling, since it is the strength of regularisation.
    return drawn * (weight.sum() / drawn.sum())


class Bootstrap(BaseEstimator):
    """Heads that are fitted with random weights of the labelled objects.

    This is the Bayesian bootstrap (Rubin 1981, Ann. Statist. 9, 130): each object counts with a
    weight drawn from an exponential distribution, in place of the integers of the usual bootstrap,
    so that no class is ever lost. An object of weight k is drawn as k objects would be.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> import numpy as np
    >>> from sklc.uncertainty import Bootstrap, SamplingSettings
    >>> @dataclass
    ... class Data:
    ...     sample_weight: np.ndarray
    >>> class Solver:
    ...     is_exact = False
    ...
    ...     def __call__(self, data, seed):
    ...         return data.sample_weight.sum()
    >>> settings = SamplingSettings(n_samples=3, dropout=0.0, seed=0)
    >>> sums = Bootstrap().fit_heads(Data(np.ones(50)), Solver(), settings)
    >>> [round(float(total)) for total in sums]
    [50, 50, 50]
    """

    def fit_heads(self, data: Any, solve: Any, settings: SamplingSettings) -> Sequence[Any]:
        """Fit heads; see `ClassSampling`."""
        # Exact solutions are found faster from that of all weights alike.
        options = {"start": solve(data)} if solve.is_exact else {}
        heads = []
        for seed in settings.seeds():
            drawn = resampled(data.sample_weight, seed)
            heads.append(solve(replace(data, sample_weight=drawn), seed=seed, **options))
        return heads


class Ensemble(BaseEstimator):
    """Networks that start from different seeds (Lakshminarayanan et al. 2017, NeurIPS 30).

    Where the whole network is trained, that is done once for each prediction. A head that is solved
    exactly does not depend on a seed: it is fitted as by `Bootstrap`.

    Examples
    --------
    >>> from sklc.uncertainty import Ensemble, SamplingSettings
    >>> class Solver:
    ...     is_exact = False
    ...
    ...     def __call__(self, data, seed):
    ...         return seed
    >>> len(set(Ensemble().fit_heads(None, Solver(), SamplingSettings(4, 0.0, 0))))
    4
    """

    trains_networks = True

    def fit_heads(self, data: Any, solve: Any, settings: SamplingSettings) -> Sequence[Any]:
        """Fit heads; see `ClassSampling`."""
        if solve.is_exact:
            return Bootstrap().fit_heads(data, solve, settings)
        return [solve(data, seed=seed) for seed in settings.seeds()]


class MCDropout(BaseEstimator):
    """Predictions without some units of the latent and the head (Gal & Ghahramani 2016, ICML 48).

    The head is fitted with units dropped at random. Which units each prediction lacks is drawn
    once, and the same for all objects, so that a prediction depends neither on the order of the
    objects nor on those beside it.

    Examples
    --------
    >>> from sklc.uncertainty import MCDropout, SamplingSettings
    >>> class Solver:
    ...     def __call__(self, data, seed, dropout):
    ...         return "head"
    ...
    ...     def thinned(self, head, dropout, seed):
    ...         return f"{head} without {dropout:.0%}"
    >>> MCDropout().fit_heads(None, Solver(), SamplingSettings(2, 0.1, 0))
    ['head without 10%', 'head without 10%']
    """

    def fit_heads(self, data: Any, solve: Any, settings: SamplingSettings) -> Sequence[Any]:
        """Fit heads; see `ClassSampling`."""
        head = solve(data, seed=settings.seed, dropout=settings.dropout)
        return [solve.thinned(head, settings.dropout, seed) for seed in settings.seeds()]


class StochasticAttention(BaseEstimator):
    """Passes through a transformer with random attention (Pei et al. 2022, AAAI 36, 11147).

    Keys of attention are mixtures of trained centroids, with weights from a Gumbel softmax, and so
    are the weights of attention. The encoder has to be a transformer, and is trained further with
    the noise (``finetune="all"``).

    Examples
    --------
    >>> from sklc import TransferClassifier
    >>> from sklc.uncertainty import StochasticAttention
    >>> TransferClassifier(finetune="all", uncertainty=StochasticAttention()).uncertainty
    StochasticAttention()
    """

    draws_attention = True

    def fit_heads(self, data: Any, solve: Any, settings: SamplingSettings) -> Sequence[Any]:
        """Fit the head that all passes share; see `ClassSampling`."""
        return [solve(data)]


class HAMCDropout(StochasticAttention):
    """Random attention together with Monte Carlo dropout (2412.10528, A&A 699, A168, 2025).

    Examples
    --------
    >>> from sklc import TransferClassifier
    >>> TransferClassifier(finetune="all", uncertainty="ha-mc-dropout").uncertainty
    'ha-mc-dropout'
    """

    drops_units = True
