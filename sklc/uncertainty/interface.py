"""What a method of calibration is given, and what it has to provide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np
from scipy.special import log_softmax

from sklc.utils.savable import savable

__all__ = [
    "ClassSampling",
    "ClassScores",
    "ClassUncertainty",
    "HeldOut",
    "RedshiftUncertainty",
    "SamplingSettings",
    "effective_weights",
]


def effective_weights(sample_weight: np.ndarray) -> np.ndarray:
    """Scale weights, so that they sum to the effective number of objects (Kish 1965).

    Whatever their unit, equal weights become 1, and unequal ones count as fewer objects.
    """
    return sample_weight * (sample_weight.sum() / np.sum(sample_weight**2))


@dataclass(frozen=True)
class ClassScores:
    """Logits of a head, and how they become probabilities of classes.

    Parameters
    ----------
    logits : ndarray of shape (n_objects, n_outputs)
        Outputs of the head, in float64.
    merge : ndarray of shape (n_outputs, n_classes) or None, default=None
        Weights by which the probabilities of the outputs are summed to classes, as
        ``merge_classes`` and ``class_prior`` ask for. None stands for one class per output.

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.uncertainty import ClassScores
    >>> scores = ClassScores(np.log([[0.5, 0.3, 0.2]]), merge=np.array([[1, 0], [0, 1], [0, 1]]))
    >>> np.exp(scores.log_probabilities()).round(3)
    array([[0.5, 0.5]])
    """

    logits: np.ndarray
    merge: np.ndarray | None = None

    def log_probabilities(self, temperature: float = 1.0) -> np.ndarray:
        """Return log probabilities of the classes, after dividing the logits by a temperature.

        Parameters
        ----------
        temperature : float, default=1.0
            A value above 1 makes the probabilities less certain.

        Returns
        -------
        ndarray of shape (n_objects, n_classes)
        """
        scores = log_softmax(self.logits / temperature, axis=1)
        if self.merge is None:
            return scores
        # Relative to the most probable output that counts, or all of them might round to 0.
        counts = self.merge.any(axis=1)
        scores = scores[:, counts]
        merged = np.exp(scores - scores.max(axis=1, keepdims=True)) @ self.merge[counts]
        merged /= merged.sum(axis=1, keepdims=True)
        return np.log(np.maximum(merged, np.finfo(float).tiny))


@savable()
@dataclass(frozen=True)
class HeldOut:
    """Labelled objects, with the logits of heads that were fitted without them.

    Parameters
    ----------
    heads : sequence of torch.nn.Module
        One head per fold; a single one where a part of the data was held out once.
    fold : ndarray of shape (n_held_out,)
        Index of the head that has not seen the object.
    logits : ndarray of shape (n_held_out, n_outputs)
        Logits by that head.
    target : ndarray of shape (n_held_out,)
        Class indices.
    sample_weight : ndarray of shape (n_held_out,)
        Weights relative to each other; an object with a weight of 0 does not count.
    phase : ndarray of int, shape (n_held_out,), or None, default=None
        How early the light curve looks to that head: 0 for the latest phase, -1 for the one before.
        None stands for 0.
    prefixes : HeldOut or None, default=None
        The beginnings of these light curves by the same heads, if they are trained on such.
    """

    heads: Sequence[Any]
    fold: np.ndarray
    logits: np.ndarray
    target: np.ndarray
    sample_weight: np.ndarray
    phase: np.ndarray | None = None
    prefixes: HeldOut | None = None

    @classmethod
    def join(cls, parts: Sequence[HeldOut]) -> HeldOut:
        """Put the objects of several heads together."""
        fold = np.repeat(np.arange(len(parts)), [len(part.target) for part in parts])
        names = ("logits", "target", "sample_weight")
        logits, target, weight = (
            np.concatenate([getattr(part, name) for part in parts]) for name in names
        )
        heads, phase = [head for part in parts for head in part.heads], None
        if all(part.phase is not None for part in parts):
            phase = np.concatenate([part.phase for part in parts])
        beginnings = [part.prefixes for part in parts if part.prefixes is not None]
        prefixes = cls.join(beginnings) if len(beginnings) == len(parts) else None
        return cls(heads, fold, logits, target, weight, phase, prefixes)

    def with_prefixes(self) -> HeldOut:
        """Return one row for each light curve and, behind them, one for each prefix."""
        prefixes = self.prefixes
        if prefixes is None:
            return self

        def both(name: str) -> np.ndarray:
            return np.concatenate([getattr(self, name), getattr(prefixes, name)])

        names = ("fold", "logits", "target", "sample_weight", "phase")
        arrays: dict[str, Any] = {name: both(name) for name in names}
        return replace(self, **arrays, prefixes=None)

    def subset(self, rows: np.ndarray) -> HeldOut:
        """Return the light curves `rows`, without prefixes."""
        names = ("fold", "logits", "target", "sample_weight")
        arrays: dict[str, Any] = {name: getattr(self, name)[rows] for name in names}
        phase = None if self.phase is None else self.phase[rows]
        return replace(self, **arrays, phase=phase, prefixes=None)

    def reordered(self, order: np.ndarray) -> HeldOut:
        """Return all objects in another order, with their prefixes."""
        names = ("fold", "logits", "target", "sample_weight")
        arrays: dict[str, Any] = {name: getattr(self, name)[order] for name in names}
        return replace(self, **arrays, phase=None if self.phase is None else self.phase[order])


@runtime_checkable
class ClassUncertainty(Protocol):
    """Protocol of calibration methods for class probabilities.

    `TransferClassifier` fits a copy of the object that it was given. The fitted state must be
    picklable, and should be small. Four further attributes are optional:

    - ``temperature_``, the factor that `decision_function` divides logits by. Without it, the
      decision function consists of log probabilities.
    - ``to_onnx(graph, logits, merge)``, which adds the method to an exported graph and returns the
      name of the probabilities; ``graph.probabilities(logits, temperature, merge)`` gives the
      uncalibrated ones. Without it, `TransferClassifier.to_onnx` is an error.
    - ``prediction_sets(held_out, own, predicted, classes, *, coverage, class_conditional)``, which
      replaces `sklc.uncertainty.prediction_sets`.
    - ``fit_head(data, solve, seed)``, which makes the final linear head, a ``torch.nn.Module`` of
      latents and metadata. ``solve(data)`` returns a linear head; ``data`` has ``latent``,
      ``metadata``, ``target`` and ``sample_weight``, which `dataclasses.replace` changes: an
      ensemble of heads on bootstrap samples is the mean over ``solve`` with resampled weights.
    """

    def fit(self, scores: ClassScores, target: np.ndarray, sample_weight: np.ndarray) -> Any:
        """Learn from objects that the head has not seen.

        Parameters
        ----------
        scores : ClassScores
            Scores of n_objects labelled objects.
        target : ndarray of shape (n_objects,)
            Class indices.
        sample_weight : ndarray of shape (n_objects,)
            Weight of each object, its class weight included.

        Returns
        -------
        ClassUncertainty
            The object itself.
        """

    def log_probabilities(self, scores: ClassScores) -> np.ndarray:
        """Return calibrated log probabilities, (n_objects, n_classes)."""


@dataclass(frozen=True)
class SamplingSettings:
    """How many predictions a method of sampling shall make, and how.

    Parameters
    ----------
    n_samples : int
        Number of predictions per object.
    dropout : float
        Probability that a unit is dropped, where units are.
    seed : int
        Determines all draws.
    """

    n_samples: int
    dropout: float
    seed: int

    def seeds(self) -> list[int]:
        """One seed for each of the predictions."""
        drawn = np.random.default_rng(self.seed).integers(2**31 - 1, size=self.n_samples)
        return [int(seed) for seed in drawn]


@runtime_checkable
class ClassSampling(Protocol):
    """Protocol of methods that make several predictions of the class of each object.

    `TransferClassifier` takes one as its parameter `uncertainty`; ``predict_proba`` is then the
    mean of these predictions, and ``predict_uncertainty`` tells how far they disagree. One further
    attribute is optional: with ``trains_networks = True``, and where a network is trained, it is
    trained once for each prediction, and ``fit_heads`` is not called.
    """

    def fit_heads(self, data: Any, solve: Any, settings: SamplingSettings) -> Sequence[Any]:
        """Fit one head for each prediction.

        Parameters
        ----------
        data : object
            What a head is fitted on, with ``latent``, ``metadata``, ``target`` and
            ``sample_weight``, which `dataclasses.replace` changes.
        solve : callable
            ``solve(data, seed=..., dropout=...)`` returns a head, a ``torch.nn.Module`` of latents
            and metadata. A head with hidden layers starts from `seed`, and a linear one is solved
            exactly, with ``start=head`` faster from one of nearly the same objects. With `dropout`,
            units of the latent and of hidden layers are dropped while it is fitted.
            ``solve.thinned(head, dropout, seed)`` returns a copy of a head without some of these
            units, and ``solve.is_exact`` tells whether the head does not depend on a seed.
        settings : SamplingSettings
            How many predictions to make, and how.

        Returns
        -------
        sequence of torch.nn.Module
            Heads, each of which makes one prediction.
        """


@runtime_checkable
class RedshiftUncertainty(Protocol):
    """Protocol of calibration methods for redshifts.

    All quantities are those of ``ln(1 + z)``. `RedshiftRegressor` fits a copy of the object that
    it was given. The fitted state must be picklable, and should be small.
    """

    def fit(
        self, mean: np.ndarray, scale: np.ndarray, target: np.ndarray, sample_weight: np.ndarray
    ) -> Any:
        """Learn from predictions for objects that the model has not seen.

        Parameters
        ----------
        mean, scale : ndarray of shape (n_objects,)
            Out-of-sample predictions of the head.
        target : ndarray of shape (n_objects,)
            True values.
        sample_weight : ndarray of shape (n_objects,)
            Weights relative to each other; an object with a weight of 0 does not count.

        Returns
        -------
        RedshiftUncertainty
            The object itself.
        """

    def quantiles(self, mean: np.ndarray, scale: np.ndarray, levels: np.ndarray) -> np.ndarray:
        """Return quantiles at `levels`, (n_objects, n_levels)."""

    def standard_deviation(self, mean: np.ndarray, scale: np.ndarray) -> np.ndarray:
        """Return calibrated standard deviations, (n_objects,)."""
