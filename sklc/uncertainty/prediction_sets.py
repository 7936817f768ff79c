"""Sets of classes that hold the true one with a given frequency."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sklc.uncertainty.interface import HeldOut, effective_weights

__all__ = ["prediction_sets", "sets_by_phase"]

# With fewer light curves of a phase, sets scatter too much.
_FEWEST_ALIKE = 30


def prediction_sets(
    held_out: HeldOut,
    own: np.ndarray,
    predicted: Sequence[np.ndarray],
    classes: np.ndarray,
    *,
    coverage: float,
    class_conditional: bool,
) -> np.ndarray:
    """Return the classes that are plausible, by cross-conformal prediction (Vovk 2015).

    The score of a class is its probability (the least ambiguous sets of Sadinle, Lei & Wasserman
    2019). A class is in the set of an object if more than a share ``1 - coverage`` of the held-out
    objects, the object itself among them, has no higher score for its own class; each of them is
    compared with what the head that has not seen it says about the object.

    Parameters
    ----------
    held_out : HeldOut
        Labelled objects to calibrate on.
    own : ndarray of shape (n_held_out, n_classes)
        Their probabilities by the heads that have not seen them.
    predicted : sequence of ndarray of shape (n_objects, n_classes)
        Probabilities of new objects by the head of each fold.
    classes : ndarray of shape (n_classes,)
        Names of the classes, for messages.
    coverage : float
        Share of objects whose set shall hold their class.
    class_conditional : bool
        Whether to compare with members of the class only, so that each class is covered alike.

    Returns
    -------
    ndarray of shape (n_objects, n_classes), bool

    Raises
    ------
    ValueError
        If there are too few held-out objects for such a coverage.

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.uncertainty import HeldOut, prediction_sets
    >>> own = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    >>> held_out = HeldOut([None], np.zeros(3), np.log(own), np.array([0, 1, 0]), np.ones(3))
    >>> new, classes = [np.array([[0.7, 0.3]])], np.array(["Ia", "II"])
    >>> prediction_sets(held_out, own, new, classes, coverage=0.7, class_conditional=False)
    array([[ True, False]])
    """
    target = held_out.target
    own = own[np.arange(len(target)), target]
    sets = np.zeros(predicted[0].shape, dtype=bool)
    # With fewer, every class would be in every set.
    needed = int(np.ceil(coverage / (1 - coverage) - 1e-9))
    for label, name in enumerate(classes):
        counts = held_out.sample_weight * (target == label if class_conditional else 1.0)
        weight = effective_weights(counts) if counts.any() else counts
        n_compared = weight.sum()
        if n_compared < needed - 1e-9:
            raise ValueError(_too_few(coverage, needed, n_compared, class_conditional, name))
        no_higher = np.zeros(len(sets))
        for number, probabilities in enumerate(predicted):
            rows = np.flatnonzero((weight > 0) & (held_out.fold == number))
            rows = rows[np.argsort(own[rows])]
            counted = np.append(0, np.cumsum(weight[rows]))
            no_higher += counted[np.searchsorted(own[rows], probabilities[:, label], side="right")]
        sets[:, label] = (1 + no_higher) > (1 - coverage) * (n_compared + 1) + 1e-9
    return sets


def sets_by_phase(
    sets: Callable[..., np.ndarray],
    held_out: HeldOut,
    probabilities: Callable[[np.ndarray], np.ndarray],
    predicted: Sequence[np.ndarray],
    phase: np.ndarray,
    classes: np.ndarray,
    *,
    coverage: float,
    class_conditional: bool,
) -> np.ndarray:
    """Return prediction sets that are calibrated on light curves of the same phase.

    Objects of the latest phase are compared with whole light curves, and those of an earlier one
    with the prefixes and light curves of that phase, or, where it has too few, with everything.

    Parameters
    ----------
    sets : callable
        Makes sets with the arguments of `prediction_sets`.
    held_out : HeldOut
        Labelled objects to calibrate on, and their prefixes if there are any.
    probabilities : callable
        Makes probabilities, (n_held_out, n_classes), of logits.
    predicted : sequence of ndarray of shape (n_objects, n_classes)
        Probabilities of new objects by the head of each fold.
    phase : ndarray of int, shape (n_objects,)
        Phase of each new object: 0 for the latest, -1 for the one before, and so on.
    classes : ndarray of shape (n_classes,)
        Names of the classes, for messages.
    coverage : float
        Share of objects whose set shall hold their class.
    class_conditional : bool
        Whether to compare with members of the class only.

    Returns
    -------
    ndarray of shape (n_objects, n_classes), bool
    """
    options: dict[str, Any] = {"coverage": coverage, "class_conditional": class_conditional}

    def compared(those: HeldOut, rows: np.ndarray) -> np.ndarray:
        own = probabilities(those.logits)
        return sets(those, own, [part[rows] for part in predicted], classes, **options)

    everything = held_out.with_prefixes()
    if held_out.prefixes is None or everything.phase is None:
        return compared(held_out, np.arange(len(phase)))
    needed = coverage / (1 - coverage)
    result = np.zeros(predicted[0].shape, dtype=bool)
    # The latest comes first, and is an error where there are too few labels.
    for number in range(0, min(phase.min(initial=0), 0) - 1, -1):
        rows = np.flatnonzero(phase == number)
        alike = everything.subset(np.flatnonzero(everything.phase == number))
        counts = np.bincount(alike.target[alike.sample_weight > 0], minlength=len(classes))
        enough = counts.min() if class_conditional else counts.sum()
        if number == 0:
            alike = held_out
        elif enough < max(needed, _FEWEST_ALIKE):
            alike = everything
        result[rows] = compared(alike, rows)
    return result


def _too_few(
    coverage: float, needed: int, n_compared: float, class_conditional: bool, name: object
) -> str:
    where = "to calibrate on"
    if class_conditional:
        where = f"of class {name.item() if isinstance(name, np.generic) else name!r} {where}"
    return (
        f"coverage={coverage} needs at least {needed} labelled objects {where}, and there are "
        f"{n_compared:.3g}: fit with more labels, ask for a coverage of at most "
        f"{np.floor(1000 * n_compared / (n_compared + 1)) / 1000:g}"
        + (", or set class_conditional=False." if class_conditional else ".")
        + " (With finetune='head' and a linear head every label counts; otherwise the part that "
        "early stopping holds out.)"
    )
