"""Probabilities and prediction sets, calibrated on labels that the head has not seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from torch import nn

from sklc.networks.heads import in_double_precision

__all__ = ["HeldOut", "fit_temperature", "head_logits", "prediction_sets"]

# Probabilities cannot be made sharper or flatter than by this factor, which few labels of a
# perfect classifier would otherwise ask for.
_TEMPERATURES = (0.05, 20.0)


@dataclass(frozen=True)
class HeldOut:
    """Labelled objects with the logits of heads that were fitted without them.

    Parameters
    ----------
    heads : sequence of torch.nn.Module
        One head a fold; a single one where a part of the data was held out once.
    fold : ndarray of shape (n_objects,)
        Which head has not seen the object.
    logits : ndarray of shape (n_objects, n_outputs)
        By that head.
    target : ndarray of shape (n_objects,)
        Class indices.
    """

    heads: Sequence[nn.Module]
    fold: np.ndarray
    logits: np.ndarray
    target: np.ndarray

    @classmethod
    def join(cls, parts: Sequence[HeldOut]) -> HeldOut:
        """Put the objects of several heads together."""
        return cls(
            tuple(head for part in parts for head in part.heads),
            np.repeat(np.arange(len(parts)), [len(part.target) for part in parts]),
            np.concatenate([part.logits for part in parts]),
            np.concatenate([part.target for part in parts]),
        )


def head_logits(
    head: nn.Module, latent: np.ndarray, head_metadata: np.ndarray | None
) -> np.ndarray:
    """Logits of a head, (n_objects, n_outputs) float64."""
    return in_double_precision(head, latent, head_metadata)


def fit_temperature(
    log_probabilities: Callable[[float], np.ndarray], target: np.ndarray, weights: np.ndarray
) -> float:
    """Temperature of the lowest log loss (Guo et al. 2017, section 4.2).

    Parameters
    ----------
    log_probabilities : callable
        Of a temperature: log probabilities of shape (n_objects, n_classes).
    target : ndarray of shape (n_objects,)
        Class indices.
    weights : ndarray of shape (n_objects,)
    """
    rows = np.arange(len(target))

    def loss(log_temperature: float) -> float:
        chosen = log_probabilities(float(np.exp(log_temperature)))[rows, target]
        return float(-np.average(chosen, weights=weights))

    best = minimize_scalar(loss, bounds=np.log(_TEMPERATURES), method="bounded")
    return float(np.exp(best.x))


def scaled(logits: np.ndarray) -> Callable[[float], np.ndarray]:
    """Log probabilities of logits as a function of temperature."""
    return lambda temperature: log_softmax(logits / temperature, axis=1)


def prediction_sets(
    held_out: np.ndarray,
    fold: np.ndarray,
    target: np.ndarray,
    predicted: Sequence[np.ndarray],
    classes: np.ndarray,
    *,
    coverage: float,
    class_conditional: bool,
) -> np.ndarray:
    """Which classes are not implausible, by cross-conformal prediction (Vovk 2015).

    The score of a class is its probability (the least ambiguous sets of Sadinle, Lei & Wasserman
    2019). A class is in the set of an object where more than a share ``1 - coverage`` of the
    held-out objects, the object itself among them, scored no higher with their own class; each
    of them is compared with what the head says that has not seen it.

    Parameters
    ----------
    held_out : ndarray of shape (n_held_out, n_classes)
        Probabilities of held-out objects.
    fold, target : ndarray of shape (n_held_out,)
        Of the held-out objects, as in `HeldOut`.
    predicted : sequence of ndarray of shape (n_objects, n_classes)
        Probabilities of new objects by the head of each fold.
    classes : ndarray of shape (n_classes,)
        For messages.
    coverage : float
        Share of objects whose set shall hold their class.
    class_conditional : bool
        Compare with members of the class only, so that each class is covered alike.

    Returns
    -------
    ndarray of shape (n_objects, n_classes), bool

    Raises
    ------
    ValueError
        If there are too few held-out objects for such a coverage.
    """
    own = held_out[np.arange(len(target)), target]
    sets = np.zeros(predicted[0].shape, dtype=bool)
    for label in range(len(classes)):
        compared = target == label if class_conditional else np.ones(len(target), dtype=bool)
        n_compared = int(compared.sum())
        # With fewer, every class would be in every set.
        needed = int(np.ceil(coverage / (1 - coverage) - 1e-9))
        if n_compared < needed:
            raise ValueError(
                _too_few(coverage, needed, n_compared, class_conditional, classes[label])
            )
        no_higher = np.zeros(len(sets), dtype=np.int64)
        for number, probabilities in enumerate(predicted):
            scores = np.sort(own[compared & (fold == number)])
            no_higher += np.searchsorted(scores, probabilities[:, label], side="right")
        sets[:, label] = (1 + no_higher) > (1 - coverage) * (n_compared + 1) + 1e-9
    return sets


def _too_few(
    coverage: float, needed: int, n_compared: int, class_conditional: bool, name: object
) -> str:
    where = "to calibrate on"
    if class_conditional:
        where = f"of class {name.item() if isinstance(name, np.generic) else name!r} {where}"
    return (
        f"coverage={coverage} needs at least {needed} labelled objects {where}, and there are "
        f"{n_compared}: fit with more labels, ask for a coverage of at most "
        f"{np.floor(1000 * n_compared / (n_compared + 1)) / 1000:g}"
        + (", or set class_conditional=False." if class_conditional else ".")
        + " (With finetune='head' and a linear head every label counts; otherwise the part that "
        "early stopping holds out.)"
    )
