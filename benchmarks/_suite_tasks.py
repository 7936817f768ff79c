"""The tasks of the suite: what is drawn, what is predicted, and how it is scored."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
from _common import calibration_error, classification_scores, draw_labels, merge_labels
from _suite_methods import Method
from _suite_sets import MIN_MEMBERS, DataSet
from anomalies_real import anomaly_scores
from anomalies_real import split as split_anomalies
from early_classification import DAYS, N_PREFIXES
from redshift_real import coverage_scores, predict
from redshift_real import scores_of as redshift_scores
from sklearn.metrics import roc_auc_score

from sklc import LightCurves
from sklc.augment import Prefixes
from sklc.light_curves import concatenate

Merged = Mapping[str, Sequence[str]]
# A detection, as in `sklc.augment.Prefixes`.
DETECTION = 5.0
# Objects below which a test part says nothing.
FEWEST_OBJECTS = 40
SURE = 0.9


@dataclass(frozen=True)
class Problem:
    """Light curves with what is to be predicted.

    Parameters
    ----------
    curves : LightCurves
    target : ndarray
        Classes, or redshifts. "" stands for an anomaly.
    strata : ndarray of str
        Draws have the same share of each.
    own : mapping or None
        What the classes are called in pretrained weights.
    """

    curves: LightCurves
    target: np.ndarray
    strata: np.ndarray
    own: Merged | None = None

    @property
    def classes(self) -> np.ndarray:
        return np.unique(self.target[self.target != ""])


class NotHere(Exception):
    """A set does not have what a task needs; the message says what."""


class Task:
    """What is measured of a method on a set.

    Attributes
    ----------
    name, title : str
    kind : {"classifier", "regressor", "detector"}
    sizes, quick_sizes : tuple of int or None
        Numbers of labels; 0 for the weights as they are, None for the whole training part.
    shown : mapping of str to str
        Scores of the tables, with what they are called.
    is_better : {"higher", "lower"}
    is_series : bool
        Whether the scores belong into one table, a column for each.
    """

    name: str
    title: str
    kind: str = "classifier"
    sizes: tuple[int | None, ...] = (0, 64, 128, 256, 512, 2048, None)
    quick_sizes: tuple[int | None, ...] = (0, 64)
    shown: Mapping[str, str] = {"auroc": "AUROC"}
    is_better = "higher"
    is_series = False

    def problem(self, data_set: DataSet, curves: LightCurves) -> Problem:
        """Return what is to be predicted, or raise `NotHere`."""
        raise NotImplementedError

    def draw(self, problem: Problem, n_labels: int | None, seed: int) -> tuple[Any, Any]:
        return draw_labels(problem.strata, n_labels, seed)

    def usable_sizes(self, problem: Problem, quick: bool) -> list[int | None]:
        """Return the numbers of labels that there are enough objects for."""
        sizes = self.quick_sizes if quick else self.sizes
        n_train = len(self.draw(problem, None, 0)[0])
        least = len(np.unique(problem.strata))
        return [n for n in sizes if not n or least <= n <= 0.95 * n_train]

    def fit(
        self, problem: Problem, method: Method, train: np.ndarray, n_labels: int | None, seed: int
    ) -> Any:
        """Return a fitted model; the weights as they are for 0 labels."""
        if n_labels == 0:
            return method.pretrained(self.kind)
        model = method.build(self.kind, seed)
        return model.fit(problem.curves[train], problem.target[train])

    def measure(
        self, problem: Problem, method: Method, n_labels: int | None, seed: int
    ) -> dict[str, float]:
        """Score a method on one draw."""
        train, test = self.draw(problem, n_labels or None, seed)
        model = self.fit(problem, method, train, n_labels, seed)
        return self.scores(problem, model, test, n_labels == 0)

    def scores(
        self, problem: Problem, model: Any, test: np.ndarray, is_pretrained: bool
    ) -> dict[str, float]:
        """Score a fitted model on the test part."""
        raise NotImplementedError


class Classes(Task):
    name, title = "classes", "Classes"
    shown = {"auroc": "macro one-vs-rest AUROC", "ece": "expected calibration error"}

    def problem(self, data_set: DataSet, curves: LightCurves) -> Problem:
        y = data_set.merged(curves)
        kept = y != ""
        if len(np.unique(y[kept])) < 2:
            raise NotHere(f"fewer than two classes with {MIN_MEMBERS} or more members")
        return Problem(curves[kept], y[kept], y[kept], data_set.own)

    def scores(self, problem, model, test, is_pretrained):
        y, classes = problem.target[test], problem.classes
        shares = probabilities(model, problem.curves[test], problem, is_pretrained)
        return classification_scores(y, shares, classes) | {
            "ece": confidence_error(y, shares, classes)
        }


class Early(Classes):
    name, title = "early", "Classes in the first days after the first detection"
    sizes: tuple[int | None, ...] = (0, 64, 512, None)
    shown = {f"auroc at {days} d": f"AUROC at {days} d" for days in DAYS}
    is_series = True

    def problem(self, data_set: DataSet, curves: LightCurves) -> Problem:
        problem = super().problem(data_set, curves)
        kept = detected(problem.curves)
        target = np.where(kept, problem.target, "")
        names, counts = np.unique(target, return_counts=True)
        kept = np.isin(target, names[(counts >= MIN_MEMBERS) & (names != "")])
        if len(np.unique(target[kept])) < 2:
            raise NotHere(f"fewer than two classes with {MIN_MEMBERS} or more objects detected")
        y = target[kept]
        return replace(problem, curves=problem.curves[kept], target=y, strata=y)

    def fit(self, problem, method, train, n_labels, seed):
        if n_labels == 0 or not method.on_prefixes:
            return super().fit(problem, method, train, n_labels, seed)
        cut = Prefixes(1, shortest=1, longest=100, min_points=1)
        # the same beginnings of an object in every draw
        cuts = [cut.set_params(random_state=k).fit_transform(problem.curves)
                for k in range(N_PREFIXES)]  # fmt: skip
        parts = [problem.curves[train], *(prefixes[train] for prefixes in cuts)]
        curves = concatenate(parts, suffixes=["", *(f"_prefix{k}" for k in range(N_PREFIXES))])
        model = method.build(self.kind, seed)
        return model.fit(curves, np.tile(problem.target[train], len(parts)))

    def scores(self, problem, model, test, is_pretrained):
        y, whole, found = problem.target[test], problem.curves[test], {}
        for days in DAYS:
            cut = Prefixes(1, shortest=days, longest=days, min_points=1, random_state=0)
            shares = probabilities(model, cut.fit_transform(whole), problem, is_pretrained)
            scores = classification_scores(y, shares, problem.classes)
            found[f"auroc at {days} d"] = scores["auroc"]
            found[f"ece at {days} d"] = confidence_error(y, shares, problem.classes)
        return found


class Contaminants(Task):
    name, title = "contaminants", "Supernovae among other objects"
    sizes: tuple[int | None, ...] = (0, 64, None)
    shown = {
        "auroc": "AUROC of a supernova",
        "others taken": f"others given more than {SURE} for a supernova",
        "supernovae found": f"supernovae given more than {SURE}",
    }

    def problem(self, data_set: DataSet, curves: LightCurves) -> Problem:
        if data_set.contaminants is None:
            raise NotHere("no labels of other objects")
        y = merge_labels(data_set.labels(curves), data_set.contaminants)
        kept = y != ""
        if min(np.sum(y == name) for name in ("supernova", "other")) < MIN_MEMBERS:
            raise NotHere(f"fewer than {MIN_MEMBERS} supernovae or other objects")
        return Problem(curves[kept], y[kept], y[kept], {"supernova": (), "other": ()})

    def scores(self, problem, model, test, is_pretrained):
        curves, is_supernova = problem.curves[test], problem.target[test] == "supernova"
        if is_pretrained:
            own = [str(name).startswith(("SN", "SLSN")) for name in model.classes_]
            share = model.predict_proba(curves)[:, own].sum(axis=1)
        else:
            share = model.predict_proba(curves)[:, list(model.classes_).index("supernova")]
        return {
            "auroc": float(roc_auc_score(is_supernova, share)),
            "others taken": float(np.mean(share[~is_supernova] > SURE)),
            "supernovae found": float(np.mean(share[is_supernova] > SURE)),
        }


class Redshift(Task):
    name, title, kind = "redshift", "Redshift", "regressor"
    shown = {
        "mse": "MSE × 10³",
        "nmad": "σ_NMAD",
        "coverage 68": "share inside of the 68 % interval",
    }
    is_better = "lower"

    def problem(self, data_set: DataSet, curves: LightCurves) -> Problem:
        if "redshift" not in curves.metadata:
            raise NotHere("no redshifts")
        z = curves.metadata["redshift"].to_numpy(dtype=float, na_value=np.nan)
        kept = np.flatnonzero((z > 0) & (z < data_set.z_max))
        if len(kept) < FEWEST_OBJECTS:
            raise NotHere(f"{len(kept)} objects with a redshift, fewer than {FEWEST_OBJECTS}")
        strata = (
            curves.metadata[data_set.strata].to_numpy(dtype=str)
            if data_set.strata else data_set.merged(curves)
        )  # fmt: skip
        strata = strata[kept]
        names, counts = np.unique(strata, return_counts=True)
        strata = np.where(np.isin(strata, names[counts >= MIN_MEMBERS]), strata, "")
        if 0 < np.sum(strata == "") < MIN_MEMBERS:  # too few to be drawn in proportion
            strata = np.where(strata == "", names[counts.argmax()], strata)
        return Problem(curves[kept], z[kept], strata)

    def scores(self, problem, model, test, is_pretrained):
        z, curves = problem.target[test], problem.curves[test]
        with np.errstate(all="ignore"):
            scores = redshift_scores(z, predict(model, curves))
        if hasattr(model, "predict_quantiles"):
            scores |= coverage_scores(z, model, curves)
        return scores


class Anomalies(Task):
    name, title, kind = "anomalies", "Anomalies", "detector"
    sizes: tuple[int | None, ...] = (64, 512, None)
    quick_sizes: tuple[int | None, ...] = (64,)
    shown = {"auroc": "AUROC", "average precision": "average precision"}

    def problem(self, data_set: DataSet, curves: LightCurves) -> Problem:
        if data_set.normal is None:
            raise NotHere("no classes that count as normal")
        labels = data_set.labels(curves)
        kept = labels != ""
        y = merge_labels(labels[kept], data_set.normal)
        if min(np.sum(y == ""), np.sum(y != "") / 4) < MIN_MEMBERS:
            raise NotHere(f"fewer than {MIN_MEMBERS} anomalies, or too few normal objects")
        return Problem(curves[kept], y, y)

    def draw(self, problem, n_labels, seed):
        y = problem.target
        data = SimpleNamespace(y=y, anomalies=np.flatnonzero(y == ""))
        return split_anomalies(data, n_labels, seed, contaminated=False)

    def scores(self, problem, model, test, is_pretrained):
        return anomaly_scores(
            problem.target[test] == "", -model.score_samples(problem.curves[test])
        )


TASKS: dict[str, Task] = {
    task.name: task for task in (Classes(), Redshift(), Anomalies(), Early(), Contaminants())
}


# -- parts


def probabilities(
    model: Any, curves: LightCurves, problem: Problem, is_pretrained: bool
) -> np.ndarray:
    """Return the probabilities of the classes of a problem, each row summing to 1.

    A class that the model does not know gets none: a draw of few labels may lack it, and
    pretrained weights may never have seen it.
    """
    own = problem.own if is_pretrained and problem.own else {}
    parts = [own.get(name, (name,)) for name in problem.classes]
    predicted = np.asarray(model.predict_proba(curves))
    shares = np.stack(
        [predicted[:, np.isin(model.classes_, names)].sum(axis=1) for names in parts], axis=1
    )
    total = shares.sum(axis=1, keepdims=True)
    return np.divide(shares, total, out=np.full_like(shares, 1 / len(parts)), where=total > 0)


def confidence_error(y: np.ndarray, shares: np.ndarray, classes: np.ndarray) -> float:
    return calibration_error(shares.max(axis=1), classes[shares.argmax(axis=1)] == y)


def detected(curves: LightCurves) -> np.ndarray:
    """Return which objects have an observation of 5 sigma."""
    count = np.concatenate([[0], np.cumsum(curves.flux >= DETECTION * curves.flux_err)])
    return np.diff(count[curves.offsets]) > 0


def measure(
    task: Task, problem: Problem, method: Method, n_labels: int | None, seed: int
) -> dict[str, float]:
    """Score a method on one draw, without warnings about what the suite knows."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scores = task.measure(problem, method, n_labels, seed)
    if undefined := [name for name, value in scores.items() if not np.isfinite(value)]:
        raise ValueError(f"{', '.join(undefined)} of {method.name} is not a finite number")
    return {name: round(float(value), 5) for name, value in scores.items()}
