"""How alike the latents of several surveys are: can the survey be told, and how far apart are they.

A latent space is aligned if objects of a class lie at the same place whichever survey saw them.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_array

from sklc.errors import LightCurveWarning

__all__ = ["SurveyAlignment", "survey_alignment"]

N_FOLDS = 5
_ALL = "all objects"  # the class of all, where no classes are given


@dataclass(frozen=True, eq=False)
class SurveyAlignment:
    """How well several surveys are aligned in a latent space, from `survey_alignment`.

    All averages give each class the same weight, and within a class each survey or pair of surveys,
    so that the class shares of the surveys do not matter.

    Parameters
    ----------
    survey_accuracy : float
        Share of the objects whose survey a classifier recognises from the latent, in
        cross-validation. `chance` means perfectly aligned, and 1 that it always succeeds.
    chance : float
        Accuracy without any information on the survey beyond the class of an object; one divided by
        the number of surveys, if all of them have all classes.
    center_distance : float
        Mean distance between the centres of a class in two surveys, in units of the spread of the
        class. At 0 the centres coincide. At 1 they are as far apart as objects typically lie from
        the centre of their own class and survey.
    class_distance : float
        Mean distance between the centres of two classes within a survey, in the same units; NaN if
        no survey has two classes. Surveys are well aligned if `center_distance` is much smaller.
    pairs : DataFrame
        The distances that `center_distance` averages, with columns class, survey, other_survey,
        n_objects, n_other_objects and distance: one row per class and pair of surveys.

    See Also
    --------
    survey_alignment : Measures the alignment of latents.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklc.inspection import SurveyAlignment
    >>> SurveyAlignment(0.62, 0.5, 0.3, 1.2, pd.DataFrame())
    SurveyAlignment(accuracy 0.620 (chance 0.500), distance 0.300 (of classes 1.200))
    """

    survey_accuracy: float
    chance: float
    center_distance: float
    class_distance: float
    pairs: pd.DataFrame

    def __repr__(self) -> str:
        return (
            f"SurveyAlignment(accuracy {self.survey_accuracy:.3f} (chance {self.chance:.3f}), "
            f"distance {self.center_distance:.3f} (of classes {self.class_distance:.3f}))"
        )


def survey_alignment(
    latents: Any,
    survey: Any,
    y: Any = None,
    *,
    groups: Any = None,
    classifier: Any = None,
    random_state: int | None = 0,
) -> SurveyAlignment:
    """Measure how well several surveys are aligned in a latent space.

    There are two measures: how often a classifier recognises the survey from the latent, and how
    far apart the centres of a class are in two surveys. Both answers also depend on the
    objects: if one survey is deeper, its objects of a class differ. Only the same objects seen by
    several surveys, real or simulated, separate the surveys from their objects.

    Parameters
    ----------
    latents : array-like of shape (n_objects, latent_size)
        Latent vectors, as `LightCurveEncoder.transform` returns them.
    survey : array-like of shape (n_objects,)
        Survey of each light curve; at least two different ones.
    y : array-like of shape (n_objects,), optional
        Class of each object. Without it, all objects count as one class, and different class shares
        of the surveys then look like a misalignment.
    groups : array-like of shape (n_objects,), optional
        A label that all light curves of the same object share, such as its name. Needed if several
        surveys saw the same objects: otherwise the light curves of an object, which are alike, are
        in both the training and the test part of the classifier.
    classifier : classifier of scikit-learn, optional
        Recognises the survey. Its `fit`, or that of the last step of a pipeline, takes
        `sample_weight`. The default is a logistic regression of standardised latents, which finds
        linear differences only.
    random_state : int or None, default=0
        Seed of the five folds of the cross-validation.

    Returns
    -------
    SurveyAlignment
        The accuracy of the classifier, and the distances.

    Raises
    ------
    ValueError
        If a value is missing or lengths differ, if there is a single survey, if no class occurs in
        two surveys, if a class has fewer than five objects in a survey, or if all its latents are
        the same.

    Warns
    -----
    LightCurveWarning
        If a class occurs in a single survey. It says nothing about the alignment of surveys, and is
        left out of everything but `class_distance`.

    Examples
    --------
    Latents of two surveys, which differ in one of eight units:

    >>> import numpy as np
    >>> from sklc.inspection import survey_alignment
    >>> latents = np.random.default_rng(0).normal(size=(400, 8))
    >>> survey, y = np.repeat(["ZTF", "LSST"], 200), np.tile(["SNIa", "SNII"], 200)
    >>> latents[y == "SNIa"] += 1
    >>> aligned = survey_alignment(latents, survey, y)
    >>> bool(aligned.survey_accuracy < 0.6), aligned.chance
    (True, 0.5)
    >>> latents[survey == "LSST", 0] += 4
    >>> apart = survey_alignment(latents, survey, y)
    >>> bool(apart.survey_accuracy > 0.9), bool(apart.center_distance > aligned.center_distance)
    (True, True)
    """
    latents = np.asarray(check_array(latents, input_name="latents"), dtype=np.float64)
    surveys = _names("survey", survey, latents)
    classes = np.full(len(latents), _ALL) if y is None else _names("y", y, latents)
    own = None if groups is None else _names("groups", groups, latents)
    if len(np.unique(surveys)) < 2:
        raise ValueError(
            f"survey holds a single survey, {_said(surveys[0])}: pass latents of at least two."
        )
    cells = _cells(latents, surveys, classes)
    of_class: dict[Any, list[_Cell]] = {}
    for cell in cells:
        of_class.setdefault(cell.label, []).append(cell)
    shared = {label: own_cells for label, own_cells in of_class.items() if len(own_cells) > 1}
    _check_classes(of_class, shared)
    pairs = pd.DataFrame(
        [
            (label, a.survey, b.survey, len(a.rows), len(b.rows), _distance(a, b))
            for label, own_cells in shared.items()
            for a, b in combinations(own_cells, 2)
        ],
        columns=["class", "survey", "other_survey", "n_objects", "n_other_objects", "distance"],
    )
    compared = [cell for own_cells in shared.values() for cell in own_cells]
    return SurveyAlignment(
        _accuracy(latents, compared, own, classifier, random_state),
        len(shared) / len(compared),
        float(pairs.groupby("class")["distance"].mean().mean()),
        _mean_class_distance(cells),
        pairs,
    )


@dataclass(frozen=True, eq=False)
class _Cell:
    """The objects of a class in a survey: their rows, centre, and variance summed over units."""

    label: Any
    survey: Any
    rows: np.ndarray
    center: np.ndarray
    variance: float


def _names(name: str, values: Any, latents: np.ndarray) -> np.ndarray:
    """Return labels as an array without missing values, one for each row of the latents."""
    given, values = np.asarray(values, dtype=object), np.asarray(values)
    if values.shape != (len(latents),):
        raise ValueError(
            f"{name} has the shape {values.shape}, and there are {len(latents)} latents: pass one "
            "value per latent, in the same order."
        )
    missing = pd.isna(given)  # numpy turns missing values among text into text
    if missing.any():
        raise ValueError(
            f"{name} is missing in row {int(missing.argmax())} ({missing.sum()} of {len(values)} "
            "rows): leave these rows out of all arguments."
        )
    return values.astype(str) if values.dtype == object else values


def _said(label: Any) -> str:
    """Return a label as it is printed in messages."""
    return repr(str(label))[:80]


def _cells(latents: np.ndarray, surveys: np.ndarray, classes: np.ndarray) -> list[_Cell]:
    cells = []
    for label in np.unique(classes):
        for survey in np.unique(surveys[classes == label]):
            rows = np.flatnonzero((classes == label) & (surveys == survey))
            what = f"class {_said(label)} in survey {_said(survey)}"
            if label == _ALL:
                what = f"survey {_said(survey)}"
            if len(rows) < N_FOLDS:
                raise ValueError(
                    f"{what} has {len(rows)} objects, and at least {N_FOLDS} are needed to compare "
                    "surveys: leave them out, or merge classes."
                )
            own = latents[rows]
            variance = float(own.var(axis=0, ddof=1).sum())
            if not variance > 0:
                raise ValueError(
                    f"{what} has the same latent {len(rows)} times, so that its spread is 0: leave "
                    "these objects out, or pass latents before any rounding."
                )
            cells.append(_Cell(label, survey, rows, own.mean(axis=0), variance))
    return cells


def _check_classes(of_class: dict[Any, list[_Cell]], shared: dict[Any, list[_Cell]]) -> None:
    """Refuse classes of which none is in two surveys, and warn about those in a single one."""
    alone = [
        f"{_said(label)} ({cells[0].survey})"
        for label, cells in of_class.items()
        if label not in shared
    ]
    if not shared:
        raise ValueError(
            f"No class occurs in two surveys: there are {', '.join(alone)[:80]}. Pass classes that "
            "the surveys have in common, or leave y out."
        )
    if alone:
        warnings.warn(
            f"{len(alone)} of {len(of_class)} classes occur in a single survey and say nothing "
            f"about its alignment with others: {', '.join(alone)[:80]}.",
            LightCurveWarning,
            stacklevel=3,
        )


def _distance(a: _Cell, b: _Cell) -> float:
    """Distance of two centres, corrected for their own errors, in units of the mean spread."""
    square = np.sum((a.center - b.center) ** 2)
    square -= a.variance / len(a.rows) + b.variance / len(b.rows)
    return float(np.sqrt(max(square, 0.0) / (0.5 * (a.variance + b.variance))))


def _mean_class_distance(cells: list[_Cell]) -> float:
    by_survey: dict[Any, list[_Cell]] = {}
    for cell in cells:
        by_survey.setdefault(cell.survey, []).append(cell)
    means = [
        np.mean([_distance(a, b) for a, b in combinations(own, 2)])
        for own in by_survey.values()
        if len(own) > 1
    ]
    return float(np.mean(means)) if means else float("nan")


def _accuracy(
    latents: np.ndarray,
    cells: list[_Cell],
    groups: np.ndarray | None,
    classifier: Any,
    random_state: int | None,
) -> float:
    """Return the cross-validated accuracy of telling the survey, every cell of equal weight."""
    if classifier is None:
        classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
    last = f"{classifier.steps[-1][0]}__" if isinstance(classifier, Pipeline) else ""
    rows = np.concatenate([cell.rows for cell in cells])
    code = np.repeat(np.arange(len(cells)), [len(cell.rows) for cell in cells])
    survey = np.array([cell.survey for cell in cells])[code]
    weight = len(rows) / len(cells) / np.bincount(code)[code]
    values = latents[rows]
    correct = np.zeros(len(rows), dtype=bool)
    for train, test in _folds(code, None if groups is None else groups[rows], random_state):
        model = clone(classifier).fit(
            values[train], survey[train], **{f"{last}sample_weight": weight[train]}
        )
        correct[test] = model.predict(values[test]) == survey[test]
    return float(np.average(correct, weights=weight))


def _folds(
    code: np.ndarray, groups: np.ndarray | None, random_state: int | None
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    options: dict[str, Any] = {"n_splits": N_FOLDS, "shuffle": True, "random_state": random_state}
    if groups is None:
        return StratifiedKFold(**options).split(code, code)
    if len(np.unique(groups)) < N_FOLDS:
        raise ValueError(
            f"groups has {len(np.unique(groups))} different values: pass at least {N_FOLDS}, one "
            "per object, or leave groups out."
        )
    return StratifiedGroupKFold(**options).split(code, code, groups)
