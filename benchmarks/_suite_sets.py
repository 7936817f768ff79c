"""A data set of the suite: what it is, its traps, and how its light curves are loaded."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from _common import MIN_POINTS, merge_labels
from any_survey import MERGED

from sklc import LightCurves

Merged = Mapping[str, Sequence[str]]

ALL_TASKS = ("classes", "redshift", "anomalies", "early", "contaminants")
# Labels that say that nobody is sure.
NOT_KNOWN = ("", "unknown", "unlabelled", "nan", "None", "<NA>")
# A class with fewer members has too few for both parts of a draw.
MIN_MEMBERS = 8
QUICK_OBJECTS = 300


@dataclass(frozen=True)
class DataSet:
    """One set of light curves, and what the tasks ask of it.

    Parameters
    ----------
    name, title : str
        Name on the command line, and one line on what it is.
    origin : {"real", "simulated by others", "simulated", "yours"}
    source, traps : str
        Where it comes from, with its terms of use; and what misleads whoever uses it.
    load : callable
        Takes the parsed arguments and returns light curves with the metadata column `column`.
    tasks : tuple of str
    classes : mapping or None
        Classes to tell apart: labels that count as one. None takes the labels as they are.
    own : mapping or None
        What each class is called in pretrained weights, which 0 labels need.
    normal : mapping
        Classes that are normal where anomalies are sought; every other known label is one.
    contaminants : mapping
        Labels of a "supernova", and of an "other" object.
    column : str
        Metadata column of the labels.
    strata : str or None
        Metadata column by which draws of redshifts are stratified; None for the labels.
    z_max : float
        Objects at larger redshifts are left out where redshifts are sought.
    min_points : int
        Objects with fewer observations are left out.
    """

    name: str
    title: str
    origin: str
    source: str
    traps: str
    load: Callable[[Namespace], LightCurves]
    tasks: tuple[str, ...] = ALL_TASKS
    classes: Merged | None = None
    own: Merged | None = None
    normal: Merged | None = None
    contaminants: Merged | None = None
    column: str = "class"
    strata: str | None = None
    z_max: float = np.inf
    min_points: int = MIN_POINTS

    def light_curves(self, options: Namespace) -> LightCurves:
        """Load the light curves; some of them with ``--quick``."""
        curves = self.load(options)
        curves = curves[curves.lengths >= self.min_points]
        return curves[:: -(-len(curves) // QUICK_OBJECTS)] if options.quick else curves

    def labels(self, curves: LightCurves) -> np.ndarray:
        """Return the labels as text, "" for those that are not known."""
        if self.column not in curves.metadata:
            return np.full(len(curves), "")
        labels = curves.metadata[self.column].astype(str).to_numpy(dtype=str)
        return np.where(np.isin(labels, NOT_KNOWN), "", labels)

    def merged(self, curves: LightCurves) -> np.ndarray:
        """Return the class of each object, "" where it is not known or too small."""
        labels = self.labels(curves)
        y = labels if self.classes is None else merge_labels(labels, self.classes)
        names, counts = np.unique(y, return_counts=True)
        return np.where(np.isin(y, names[counts >= MIN_MEMBERS]), y, "")

    def describe(self, curves: LightCurves) -> dict[str, Any]:
        """Return what is written into the results."""
        names, counts = np.unique(self.merged(curves), return_counts=True)
        order = np.argsort(-counts, kind="stable")
        return {
            "title": self.title,
            "origin": self.origin,
            "objects": len(curves),
            "median points": float(np.median(curves.lengths)),
            "bands": [band.name for band in curves.passbands],
            "classes": {str(names[k]): int(counts[k]) for k in order if names[k]},
            "source": self.source,
            "traps": self.traps,
        }


def own_classes(names: Sequence[str], vocabulary: Sequence[str]) -> Merged | None:
    """Return what classes are called in weights, or None if one of them is not among these.

    Parameters
    ----------
    names : sequence of str
        Classes of a set of the user's own.
    vocabulary : sequence of str
        Classes of all weights.

    Returns
    -------
    mapping or None
    """
    parts = {
        name: [p for p in MERGED.get(name, (name,)) if p == name or p not in names]
        for name in names
    }
    known = {name: [p for p in found if p in vocabulary] for name, found in parts.items()}
    return known if all(known.values()) else None
