"""Adapt a classifier to another survey, with light curves of it that have no labels."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import nn

from sklc.errors import LightCurveWarning
from sklc.estimators.base import plain
from sklc.estimators.unlabelled import Surveys
from sklc.light_curves import LightCurves
from sklc.networks.adaptation import CosineHead, Discriminator
from sklc.networks.heads import in_double_precision
from sklc.utils.sklearn_compat import StrOptions

__all__ = [
    "ADAPTATION_CONSTRAINTS",
    "Adaptation",
    "AdaptationMixin",
    "LatentAdapter",
    "MinimaxEntropy",
    "Standardize",
    "SurveyAdversarial",
    "check_adaptation",
    "chosen_adaptation",
    "warn_of_shares",
]

# How many objects of a survey its mean and scale are worth before any is seen; the scales of two
# surveys differ by at most this factor.
_PRIOR_OBJECTS, _MOST_STRETCH = 10.0, 3.0
# Total variation distance between class shares that is worth a warning, and fewest unlabelled
# objects that it can be measured with.
_SHARES_DIFFER, _FEWEST_FOR_SHARES = 0.25, 30


@dataclass(frozen=True)
class Adaptation:
    """Base of the methods of adaptation. All of them scale the latents of each survey."""

    def training_head(self, latent_size: int, n_classes: int, n_surveys: int) -> nn.Module | None:
        """Return what the latents are trained with, or None where nothing is trained."""
        return None


@dataclass(frozen=True)
class Standardize(Adaptation):
    """Give the latents of each survey the mean and the scales of those of the labelled one.

    Examples
    --------
    >>> from sklc import TransferClassifier
    >>> from sklc.estimators.adaptation import Standardize
    >>> TransferClassifier(adaptation=Standardize()).adaptation
    Standardize()
    """


@dataclass(frozen=True)
class _Weighted(Adaptation):
    weight: float = 0.1

    def __post_init__(self) -> None:
        if not self.weight > 0:
            raise ValueError(
                f"weight of {type(self).__name__} must be above 0, got {self.weight!r:.80}."
            )


@dataclass(frozen=True)
class MinimaxEntropy(_Weighted):
    """Pull class prototypes towards unlabelled objects, and these towards prototypes in turn.

    Prototypes are moved to where the entropy of the classes of unlabelled objects is large, and
    latents to where it is small (Saito et al. 2019, ICCV, 8050).

    Parameters
    ----------
    weight : float, default=0.1
        Weight of the entropy against the cross-entropy of labelled objects.

    Examples
    --------
    >>> from sklc import TransferClassifier
    >>> from sklc.estimators.adaptation import MinimaxEntropy
    >>> TransferClassifier(adaptation=MinimaxEntropy(0.3)).adaptation
    MinimaxEntropy(weight=0.3)
    """

    def training_head(self, latent_size, n_classes, n_surveys):
        """Return prototypes of the classes."""
        return CosineHead(latent_size, n_classes)


@dataclass(frozen=True)
class SurveyAdversarial(_Weighted):
    """Train latents from which a discriminator cannot tell the survey (Ganin et al. 2016).

    Parameters
    ----------
    weight : float, default=0.1
        Weight of the discriminator's loss against the cross-entropy of labelled objects.

    Examples
    --------
    >>> from sklc import TransferClassifier
    >>> from sklc.estimators.adaptation import SurveyAdversarial
    >>> TransferClassifier(adaptation=SurveyAdversarial(0.3)).adaptation
    SurveyAdversarial(weight=0.3)
    """

    def training_head(self, latent_size, n_classes, n_surveys):
        """Return classes and the discriminator."""
        return Discriminator(latent_size, n_classes, n_surveys)


_NAMED: dict[str, Adaptation] = {
    "standardize": Standardize(),
    "minimax-entropy": MinimaxEntropy(),
    "adversarial": SurveyAdversarial(),
}
ADAPTATION_CONSTRAINTS: dict[str, list[Any]] = {
    "adaptation": [StrOptions(set(_NAMED)), Adaptation, None]
}


@dataclass(frozen=True)
class LatentAdapter:
    """What makes the latents of several surveys alike.

    Parameters
    ----------
    surveys : Surveys
        Tells the survey of an object.
    mean, stretch : ndarray of shape (n_surveys, latent_size)
        Mean of the latents of each survey, and by what they are stretched about it.
    centre : ndarray of shape (latent_size,)
        Where the mean is moved to.
    shift : torch.nn.Module or None
        What shifts the latents further.
    """

    surveys: Surveys
    mean: np.ndarray
    stretch: np.ndarray
    centre: np.ndarray
    shift: nn.Module | None = None

    @classmethod
    def of(
        cls, surveys: Surveys, latent: np.ndarray, index: np.ndarray, reference: int
    ) -> LatentAdapter:
        """Measure the latents of each survey, and move them to where those of one of them are.

        Parameters
        ----------
        surveys : Surveys
            Tells the survey of an object.
        latent : ndarray of shape (n_objects, latent_size)
            Latents of all objects, labelled or not.
        index : ndarray of int, shape (n_objects,)
            Their surveys.
        reference : int
            The survey whose latents stay as they are.
        """
        latent = latent.astype(float)
        own = latent[index == reference]
        centre, spread = own.mean(axis=0), own.std(axis=0)
        common = max(float(np.sqrt(np.mean(spread**2))), 1e-12)
        mean, stretch = [], []
        for number in range(len(surveys.names)):
            part = latent[index == number]
            # A few objects of a survey say little about its mean and scales.
            n, prior = len(part), _PRIOR_OBJECTS * (number != reference)
            at = (part.sum(axis=0) + prior * centre) / (n + prior)
            variance = ((part - at) ** 2).sum(axis=0) + prior * spread**2
            scale = np.sqrt(variance / (n + prior))
            ratio = np.where(scale > 1e-3 * common, spread / np.maximum(scale, 1e-12), 1.0)
            mean.append(at)
            stretch.append(np.clip(ratio, 1 / _MOST_STRETCH, _MOST_STRETCH))
        return cls(surveys, np.array(mean), np.array(stretch), centre)

    def __call__(self, latent: np.ndarray, index: np.ndarray) -> np.ndarray:
        """Return adapted latents of objects of these surveys, float32."""
        moved = (latent - self.mean[index]) * self.stretch[index] + self.centre
        if self.shift is not None:
            moved = in_double_precision(self.shift, moved)
        return moved.astype(np.float32)


def chosen_adaptation(adaptation: Any) -> Adaptation:
    """Return the method that the parameter of a classifier stands for."""
    return _NAMED[adaptation] if isinstance(adaptation, str) else adaptation


def check_adaptation(estimator: Any, keeps_its_head: bool) -> None:
    """Refuse a method of adaptation where it has nothing to work on.

    Parameters
    ----------
    estimator : TransferClassifier
        The estimator whose parameters are read.
    keeps_its_head : bool
        Whether its encoder is trained on the labels with a head of its own.
    """
    if estimator.adaptation is None:
        return
    if estimator.finetune == "none":
        estimator._refuse_unread(["adaptation"], "a head that is trained", "finetune='none'")
    if keeps_its_head:
        encoder = "None" if estimator.encoder is None else "an unfitted encoder"
        raise ValueError(
            f"adaptation={estimator.adaptation!r:.80} is for a trained encoder, and encoder="
            f"{encoder} is trained on the labels: use an encoder with weights, or, where both "
            "surveys have labels, LightCurveEncoder(objective='adversarial')."
        )


def warn_of_shares(classifier: Any, adapting: Any, target: np.ndarray, weight: np.ndarray) -> None:
    """Warn where predictions of unlabelled objects have other class shares than the labels.

    Parameters
    ----------
    classifier : TransferClassifier
        The fitted classifier.
    adapting : Adapting
        What it was adapted to.
    target, weight : ndarray of shape (n_labelled,)
        Class indices of the labelled objects, and their weights, those of classes included.

    Warns
    -----
    LightCurveWarning
        If the shares differ by more than a quarter in total.
    """
    parts = [part for part in adapting.others.unlabelled if len(part)]
    if sum(map(len, parts)) < _FEWEST_FOR_SHARES:
        return
    classes = classifier.classes_
    # As if they were of the labelled survey, since scaling hides that there are other classes.
    found = np.concatenate(
        [classifier._probabilities(classifier._logits(part, adapting.reference)) for part in parts]
    ).mean(axis=0)
    counts = np.bincount(target, weight, minlength=len(classes))
    known = counts / counts.sum()
    if 0.5 * np.abs(found - known).sum() <= _SHARES_DIFFER:
        return
    largest = np.argsort(-np.abs(found - known))[:3]
    told = ", ".join(
        f"{plain(classes[k])!r} has {known[k]:.0%} of the labels and {found[k]:.0%} of the others"
        for k in largest
    )
    warnings.warn(
        "Class shares of the labelled objects, and of predictions for the others before their "
        f"survey is adapted to, differ: {told}. Adaptation takes the true shares to be alike, and "
        "if they are not, it pulls objects into the wrong classes. Compare with adaptation=None on "
        "some labels of that survey, or weight the labelled objects with sample_weight.",
        LightCurveWarning,
        stacklevel=4,
    )


class AdaptationMixin:
    """Latents of a classifier that is adapted to other surveys."""

    encoder_: Any  # of the classifier
    _adapters: Any
    _encoders: Any

    def _check_objects(self, curves: LightCurves) -> None:
        parent: Any = super()
        parent._check_objects(curves)
        for adapter in getattr(self, "_adapters", ()):
            adapter.surveys.index(curves)

    def _adapted_latents(self, curves: LightCurves, survey: int | None = None) -> np.ndarray:
        """Latents that the head reads, (n_objects, n_encoders * latent_size).

        With `survey`, its position, all objects are taken for such of that survey.
        """
        encoders = getattr(self, "_encoders", ()) or (self.encoder_,)
        latents = [encoder._encode(curves, self) for encoder in encoders]
        adapters = getattr(self, "_adapters", ())
        if adapters:
            same = np.full(len(curves), -1 if survey is None else survey)
            index = adapters[0].surveys.index(curves) if survey is None else same
            latents = [own(latent, index) for own, latent in zip(adapters, latents, strict=True)]
        return latents[0] if len(latents) == 1 else np.concatenate(latents, axis=1)
