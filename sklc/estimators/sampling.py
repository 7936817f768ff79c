"""Several predictions of the class of each object, and how uncertain they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted
from torch import nn

from sklc.estimators.class_heads import HeadData
from sklc.estimators.transfer import is_trained_on_labels
from sklc.light_curves import LightCurves
from sklc.light_curves.usable import skips_unusable
from sklc.networks.architectures.stochastic import make_stochastic
from sklc.networks.heads import log_probability_samples
from sklc.networks.padding import pad
from sklc.networks.samples import EnsembleHead, thinned
from sklc.uncertainty.interface import ClassSampling, ClassScores, SamplingSettings
from sklc.uncertainty.registry import class_sampling
from sklc.uncertainty.scores import SCORES, uncertainty_scores
from sklc.utils.sklearn_compat import HasMethods, Interval, StrOptions

__all__ = ["SAMPLING_CONSTRAINTS", "HeadSolver", "Sampling", "SamplingMixin"]

SAMPLING_CONSTRAINTS: dict[str, list[Any]] = {
    "uncertainty": [str, HasMethods(["fit_heads"]), None],
    "n_samples": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
    "dropout": [Interval(Real, 0, 1, closed="neither")],
}
# Predictions per object by heads, and by networks each of which has to be trained.
_N_HEADS, _N_NETWORKS = 30, 5
# Objects whose keys are the first centroids of random attention.
_N_FOR_CENTROIDS = 64


@dataclass(frozen=True)
class HeadSolver:
    """Makes the heads that a method of sampling asks for; see `sklc.uncertainty.ClassSampling`.

    Parameters
    ----------
    solve : callable
        Makes a head of a `HeadData`; one with hidden layers also of a seed and a rate of dropout.
    is_exact : bool
        Whether the head does not depend on a seed.
    seed : int
        The seed where none is given.
    """

    solve: Callable[..., nn.Module]
    is_exact: bool
    seed: int

    def __call__(
        self,
        data: HeadData,
        seed: int | None = None,
        dropout: float = 0.0,
        start: nn.Module | None = None,
    ) -> nn.Module:
        """Return a head."""
        seed = self.seed if seed is None else seed
        if not self.is_exact:
            return self.solve(data, seed=seed, dropout=dropout)
        data = data.with_dropout(dropout, seed) if dropout else data
        return self.solve(data) if start is None else self.solve(data, start=start)

    @staticmethod
    def thinned(head: nn.Module, dropout: float, seed: int) -> nn.Module:
        """Return a copy of a head without some units."""
        return thinned(head, dropout, seed)


@dataclass(frozen=True)
class Sampling:
    """What a classifier does to make several predictions.

    Parameters
    ----------
    method : ClassSampling or None
        Makes the heads.
    settings : SamplingSettings
        How many, and how.
    of_networks : bool
        Whether the whole network is trained for each prediction.
    of_passes : bool
        Whether each prediction is a pass through one network with random attention.
    """

    method: ClassSampling | None
    settings: SamplingSettings
    of_networks: bool
    of_passes: bool = False

    @classmethod
    def of(cls, estimator: Any, seed: int) -> Sampling:
        """Read the parameters of a `TransferClassifier`."""
        method, n_samples = class_sampling(estimator.uncertainty), estimator.n_samples
        trains = is_trained_on_labels(estimator.encoder) or estimator.finetune != "head"
        of_networks = bool(trains and getattr(method, "trains_networks", False))
        if n_samples == "auto":
            n_samples = _N_NETWORKS if of_networks else _N_HEADS
        settings = SamplingSettings(int(n_samples), float(estimator.dropout), seed)
        return cls(method, settings, of_networks, getattr(method, "draws_attention", False))

    @property
    def of_heads(self) -> bool:
        """Whether one network has several heads."""
        return not (self.method is None or self.of_networks or self.of_passes)

    @property
    def drops_units(self) -> bool:
        """Whether passes with random attention drop units, too."""
        return bool(getattr(self.method, "drops_units", False))

    def prepare(self, encoder: Any, curves: LightCurves) -> None:
        """Give the network of an encoder, which is to be trained, random attention if asked for."""
        if not self.of_passes:
            return
        values, lengths = encoder.representation_.encode(curves[:_N_FOR_CENTROIDS])
        starts = np.cumsum(lengths) - lengths
        make_stochastic(
            encoder.net_.module_,
            torch.from_numpy(pad(values, starts, lengths)),
            torch.from_numpy(lengths),
            self.settings.dropout if self.drops_units else None,
            self.settings.seed,
        )

    def head(self, solver: HeadSolver, data: HeadData) -> nn.Module:
        """Fit a head that makes all predictions."""
        assert self.method is not None
        return EnsembleHead(self.method.fit_heads(data, solver, self.settings))

    def head_maker(
        self, fit_head: Callable[..., nn.Module] | None
    ) -> Callable[[HeadData, Callable[[HeadData], nn.Module], int], nn.Module] | None:
        """Return what makes linear heads, which a method of calibration may make each of.

        Parameters
        ----------
        fit_head : callable or None
            That of the calibration; see `sklc.uncertainty.ClassUncertainty`.
        """
        if not self.of_heads:
            return fit_head

        def make(data: HeadData, solve: Callable[[HeadData], nn.Module], seed: int) -> nn.Module:
            def own(part: HeadData, **options: Any) -> nn.Module:
                # A calibration's own heads know nothing of a start.
                return solve(part, **options) if fit_head is None else fit_head(part, solve, seed)

            return self.head(HeadSolver(own, True, seed), data)

        return make


def check_sampling(estimator: Any, keeps_its_head: bool) -> None:
    """Refuse a method of several predictions where it has nothing to work on.

    Parameters
    ----------
    estimator : TransferClassifier
        The estimator whose parameters are read.
    keeps_its_head : bool
        Whether its encoder is trained on the labels with a head of its own.
    """
    method = class_sampling(estimator.uncertainty)  # a wrong name is an error here
    if method is None:
        names = ("n_samples", "dropout")
        estimator._refuse_unread(names, "several predictions of each object", "uncertainty=None")
    elif estimator.finetune == "none":
        estimator._refuse_unread(["uncertainty"], "a head that is trained", "finetune='none'")
    elif getattr(method, "draws_attention", False) and (
        keeps_its_head or estimator.finetune == "head"
    ):
        raise ValueError(
            f"uncertainty={estimator.uncertainty!r:.80} replaces the attention of a trained "
            "transformer, which has to be trained further with it: use an encoder that is trained, "
            "with architecture='transformer', and finetune='all'."
        )
    elif keeps_its_head and not getattr(method, "trains_networks", False):
        encoder = "None" if estimator.encoder is None else "an unfitted encoder"
        raise ValueError(
            f"uncertainty={estimator.uncertainty!r:.80} is for a head on a trained encoder, and "
            f"encoder={encoder} is trained together with a head of its own: use "
            "uncertainty='ensemble', or an encoder with weights."
        )


class SamplingMixin:
    """The method `predict_uncertainty` of a classifier."""

    # Of the classifier.
    head_: Any
    merge_: Any
    uncertainty_: Any
    uncertainty: Any
    _curves: Any
    _latents: Any
    predict_proba: Any

    @skips_unusable
    def predict_uncertainty(self, X, score="smp", *, on_error="raise"):
        """Return how uncertain the class of each object is; the larger, the less certain.

        Parameters
        ----------
        X : light curves of n_objects
            In any form that `sklc.as_light_curves` takes.
        score : {"smp", "pv", "bald"}, default="smp"
            "smp" is 1 minus the probability of the most probable class. "pv" is the variance of
            the probabilities over the predictions of `uncertainty`, averaged over classes, and
            "bald" the entropy of their mean minus their mean entropy, in nats: both tell how far
            these predictions disagree, and need several of them.
        on_error : {"raise", "nan"}, default="raise"
            "raise" an error at an object that cannot be used, such as one that is too short, or
            give it NaN and warn ("nan"): see `sklc.light_curves.unusable`.

        Returns
        -------
        ndarray of shape (n_objects,), float64
            Not negative. With a single prediction "pv" and "bald" are 0.

        Raises
        ------
        ValueError
            If there is no such score, or it needs several predictions and the classifier has
            ``uncertainty=None``.

        Examples
        --------
        >>> from sklc import TransferClassifier
        >>> from sklc.datasets import load_demo
        >>> curves, y = load_demo(return_X_y=True)
        >>> clf = TransferClassifier(uncertainty="bootstrap", random_state=0)
        >>> clf = clf.fit(curves[::2], y[::2])
        >>> uncertain = clf.predict_uncertainty(curves[1::2], score="bald")
        >>> wrong = clf.predict(curves[1::2]) != y[1::2]
        >>> bool(uncertain[wrong].mean() > uncertain[~wrong].mean())
        True
        """
        check_is_fitted(self)
        if score not in SCORES:
            raise ValueError(f"score must be one of {list(SCORES)}, got {score!r:.80}.")
        if score == "smp":
            return 1 - self.predict_proba(X).max(axis=1, initial=0)
        if self.uncertainty is None:
            raise ValueError(
                f"score={score!r} compares several predictions of each object, and this "
                "classifier makes one: fit it with uncertainty='bootstrap' or another method, or "
                "use score='smp'."
            )
        return uncertainty_scores(self._sampled(self._curves(X, reset=False)), score)

    def _sampled(self, curves: LightCurves) -> np.ndarray:
        """Calibrated probabilities by every prediction, (n_objects, n_samples, n_classes)."""
        logits = log_probability_samples(self.head_, *self._latents(curves))
        each = [ClassScores(logits[:, number], self.merge_) for number in range(logits.shape[1])]
        log_p = [self.uncertainty_.log_probabilities(one) for one in each]
        return np.exp(np.stack(log_p, axis=1))
