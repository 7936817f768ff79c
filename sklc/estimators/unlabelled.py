"""Objects without a label among those that a classifier is fitted on, and the survey of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Number
from typing import Any

import numpy as np
import pandas as pd

from sklc.errors import LightCurveError
from sklc.light_curves import LightCurves
from sklc.light_curves.metadata import name_object
from sklc.utils.text import listed, shown

__all__ = [
    "PartlyLabelled",
    "Surveys",
    "is_unlabelled",
    "labels_of",
    "refuse_unlabelled",
    "split_unlabelled",
]

# What numpy makes of missing labels and of -1 beside names of classes.
_AS_TEXT = ("-1", "nan", "None", "<NA>")
SOURCE, TARGET = "source", "target"


def is_unlabelled(y: Any) -> np.ndarray:
    """Return which labels stand for none: -1 as in scikit-learn, None or NaN, (n_objects,) bool."""
    labels = np.asarray(y, dtype=object)
    missing = np.asarray(pd.isna(labels), dtype=bool)

    def stands_for_none(label: Any) -> bool:
        if isinstance(label, str):
            return label in _AS_TEXT
        return isinstance(label, Number) and not isinstance(label, bool) and label == -1

    marked = [stands_for_none(label) for label in labels.ravel()]
    return missing | np.array(marked, dtype=bool).reshape(labels.shape)


def refuse_unlabelled(y: Any, curves: LightCurves, target: Any = None) -> None:
    """Refuse unlabelled objects where no method uses them.

    The number -1 beside a single other number is a class, as in scikit-learn.

    Raises
    ------
    LightCurveError
        If y marks objects as unlabelled; the message names the first of them.
    ValueError
        If there are unlabelled light curves `target`.
    """
    if target is not None:
        raise ValueError(
            "X_target has no effect with adaptation=None: set adaptation='standardize' or another "
            "method that uses unlabelled light curves, or leave X_target out."
        )
    labels = np.asarray(y, dtype=object)
    if labels.shape != (len(curves),):
        return  # left to the checks of labels
    marked = is_unlabelled(labels) & ~np.asarray(pd.isna(labels), dtype=bool)
    if not marked.any():
        return
    others = labels[~marked & ~np.asarray(pd.isna(labels), dtype=bool)]
    named = any(isinstance(label, str) for label in others)
    if not named and (len(set(others.tolist())) < 2 or min(others) < -1):
        return
    first = int(marked.argmax())
    raise LightCurveError(
        f"y marks {name_object(curves, first)} as unlabelled, by {labels[first]!r} ({marked.sum()} "
        "of them), and nothing uses objects without a label here: set adaptation='standardize' or "
        "another method, or leave them out, as with keep = y != -1; fit(X[keep], y[keep]). If it "
        "is a class, give it another name."
    )


@dataclass(frozen=True)
class Surveys:
    """How the survey of an object is found, and the surveys that there are.

    Parameters
    ----------
    names : tuple of str
        The surveys, sorted.
    found_by : {"metadata", "X_target", "passbands"}
        Where they are from: the metadata column ``survey``, whether an object is in X or in
        X_target, or the survey that most of its passbands are of.
    """

    names: tuple[str, ...]
    found_by: str

    def index(self, curves: LightCurves) -> np.ndarray:
        """Return the survey of each object, as a position among the names.

        Raises
        ------
        LightCurveError
            If the survey of an object is missing, or was not among those of `fit`.
        """
        found = _named(curves, self.found_by)
        if found is None:  # of a classifier that was told apart by X and X_target
            if self.found_by == "X_target":
                return np.full(len(curves), self.names.index(TARGET))
            raise LightCurveError(
                "This classifier was adapted to the surveys of the metadata column 'survey', and "
                "these light curves have none: add it, with curves.with_metadata(survey=...)."
            )
        unknown = ~np.isin(found, self.names)
        if unknown.any():
            first = int(unknown.argmax())
            raise LightCurveError(
                f"The survey of {name_object(curves, first)} is {shown(found[first])}, and this "
                f"classifier was adapted to {listed(self.names)} ({unknown.sum()} of {len(found)} "
                "objects): fit it with unlabelled light curves of that survey."
            )
        return np.searchsorted(self.names, found)


@dataclass(frozen=True)
class PartlyLabelled:
    """Labelled and unlabelled objects, and their surveys.

    Parameters
    ----------
    labelled : ndarray of int
        Positions in X of the objects with a label.
    unlabelled : tuple of LightCurves
        The objects without one: those of X, and those of X_target.
    surveys : Surveys
        The surveys.
    survey : ndarray of int, shape (n_labelled,)
        Survey of each labelled object.
    unlabelled_survey : ndarray of int, shape (n_unlabelled,)
        Survey of each unlabelled one.
    """

    labelled: np.ndarray
    unlabelled: tuple[LightCurves, ...]
    surveys: Surveys
    survey: np.ndarray
    unlabelled_survey: np.ndarray


def split_unlabelled(
    curves: LightCurves, y: Any, target: LightCurves | None, weight: Any = None
) -> PartlyLabelled:
    """Divide objects into labelled and unlabelled ones, and find the survey of each.

    Parameters
    ----------
    curves : LightCurves
        Light curves of n_objects.
    y : array-like of shape (n_objects,)
        Labels, of which some may stand for none.
    target : LightCurves or None
        Further objects without labels, of another survey.
    weight : array-like of shape (n_objects,), optional
        Weights; an unlabelled object of weight 0 is left out.

    Raises
    ------
    LightCurveError
        If no object has a label, or surveys cannot be told apart.
    """
    none = is_unlabelled(y)
    if none.shape != (len(curves),):
        raise ValueError(
            f"X holds {len(curves)} light curves and y {len(none)} labels, inconsistent numbers of "
            "samples: pass one label per object, in the order of X.ids, and -1 where it is unknown."
        )
    labelled = np.flatnonzero(~none)
    if not len(labelled):
        raise LightCurveError(
            "All labels in y are -1 or missing, which marks unlabelled objects: some objects need "
            "a label to learn classes from."
        )
    if weight is not None and np.shape(weight) == none.shape:
        none &= np.asarray(weight, dtype=float) != 0
    parts = [curves[np.flatnonzero(none)], *([] if target is None else [target])]
    surveys, found = _surveys([curves[labelled], *parts], target is not None)
    return PartlyLabelled(labelled, tuple(parts), surveys, found[0], np.concatenate(found[1:]))


def labels_of(
    labelled: PartlyLabelled | np.ndarray, curves: LightCurves, y: Any, sample_weight: Any
) -> tuple[LightCurves, Any, Any]:
    """Return the labelled objects, their labels as plain arrays, and their weights."""
    rows = labelled if isinstance(labelled, np.ndarray) else labelled.labelled
    labels = np.asarray(y, dtype=object)[rows]
    if len({isinstance(label, str) for label in labels.tolist()}) == 1:
        labels = np.array(labels.tolist())
    has_weights = sample_weight is not None and np.shape(sample_weight) == (len(curves),)
    return curves[rows], labels, np.asarray(sample_weight)[rows] if has_weights else sample_weight


def _surveys(parts: Sequence[LightCurves], with_target: bool) -> tuple[Surveys, list[np.ndarray]]:
    named = [_named(part, "metadata") for part in parts]
    has = [own is not None for own, part in zip(named, parts, strict=True) if len(part)]
    if all(has):
        found_by = "metadata"
    elif any(has):
        which = "X_target" if has[0] else "X"
        raise LightCurveError(
            f"The metadata column 'survey' is missing in {which}, and the other has it: add it to "
            "both, with curves.with_metadata(survey=...), or leave it out of both."
        )
    elif with_target:
        found_by = "X_target"
        named = [np.full(len(part), SOURCE, dtype=object) for part in parts]
        named[-1] = np.full(len(parts[-1]), TARGET, dtype=object)
    else:
        found_by = "passbands"
        named = [_named(part, "passbands") for part in parts]
    found = [np.array([], dtype=object) if own is None else own for own in named]
    names = tuple(sorted({str(name) for own in found for name in own}))
    surveys = Surveys(names, found_by)
    return surveys, [np.searchsorted(names, own.astype(str)) for own in found]


def _named(curves: LightCurves, found_by: str) -> np.ndarray | None:
    """Return the survey of each object, (n_objects,) of str; None where nothing tells it."""
    if found_by == "passbands":
        return _by_passbands(curves)
    if "survey" not in curves.metadata.columns:
        return None
    survey = np.asarray(curves.metadata["survey"], dtype=object)
    missing = np.asarray(pd.isna(survey), dtype=bool)
    missing |= np.array([own == "" for own in survey], dtype=bool)
    if missing.any():
        raise LightCurveError(
            f"The survey of {name_object(curves, int(missing.argmax()))} is missing in the "
            f"metadata column 'survey' ({missing.sum()} of {len(survey)} objects): fill it in, or "
            "leave such objects out."
        )
    return survey.astype(str).astype(object)


def _by_passbands(curves: LightCurves) -> np.ndarray:
    """Return the survey of most passbands of each object."""
    names, index = np.unique([band.survey for band in curves.passbands], return_inverse=True)
    if not len(names):
        return np.zeros(len(curves), dtype=str).astype(object)
    owner = np.repeat(np.arange(len(curves)), curves.lengths)
    counts = np.zeros((len(curves), len(names)), dtype=int)
    np.add.at(counts, (owner, index[curves.band]), 1)
    return names[counts.argmax(axis=1)].astype(object)
