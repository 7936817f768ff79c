"""What a fit learns from: distinct objects, their targets, and how much each counts."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import check_array

from sklc.errors import LightCurveError
from sklc.light_curves import LightCurves
from sklc.light_curves.metadata import name_object

__all__ = ["TrainingSample", "check_surveys", "check_weight"]


@dataclass(frozen=True)
class TrainingSample:
    """The distinct objects of a fit, with their weights.

    Identical objects count as one whose weights add up, and an object of weight 0 is left out, so
    that a weight of k is exactly the same as k copies: no copy can lie on both sides of a split.

    Parameters
    ----------
    given : LightCurves
        The light curves that were given to `fit`.
    rows : ndarray of shape (n_distinct,)
        Positions of the distinct objects among them.
    y : ndarray of shape (n_distinct,) or None
        Targets.
    weight : ndarray of shape (n_distinct,), float64, or None
        None where every object counts once.
    copy_of : ndarray of shape (n_objects,)
        Position of each given object among the distinct ones; -1 for weight 0.
    """

    given: LightCurves
    rows: np.ndarray
    y: Any
    weight: np.ndarray | None
    copy_of: np.ndarray

    @classmethod
    def of(
        cls,
        curves: LightCurves,
        y: np.ndarray | None,
        sample_weight: Any,
        survey: np.ndarray | None = None,
    ) -> TrainingSample:
        """Check the weights, and find the distinct objects.

        Parameters
        ----------
        curves : LightCurves
        y : ndarray of shape (n_objects,) or None
            Objects with different targets are not copies of each other.
        sample_weight : array-like of shape (n_objects,) or None
        survey : ndarray of shape (n_objects,), optional
            Surveys that tell objects apart as their metadata do.

        Raises
        ------
        LightCurveError
            If a weight is negative, infinite or missing, or all are 0.
        ValueError
            If there is another number of weights than of light curves.
        """
        weight = (
            np.ones(len(curves)) if sample_weight is None else check_weight(sample_weight, curves)
        )
        counted = np.flatnonzero(weight)
        digests = _digests(curves, y, survey, counted)
        _, first, copy = np.unique(digests, return_index=True, return_inverse=True)
        total = np.bincount(copy, weight[counted])
        copy_of = np.full(len(curves), -1)
        if np.all(total == 1):
            # Every object counts once, and the order stays as it is.
            order = np.argsort(first)
            copy, first, weighted = np.argsort(order)[copy], first[order], None
        else:
            # The order does not depend on the positions of an object's copies.
            weighted = total
        copy_of[counted], rows = copy, counted[first]
        return cls(curves, rows, None if y is None else y[rows], weighted, copy_of)

    @property
    def curves(self) -> LightCurves:
        """The distinct light curves."""
        as_given = np.array_equal(self.rows, np.arange(len(self.given)))
        return self.given if as_given else self.given[self.rows]

    @property
    def weights(self) -> np.ndarray:
        """Weights of the distinct objects, which are 1 where `weight` is None."""
        return np.ones(len(self.rows)) if self.weight is None else self.weight

    def name(self, position: int) -> str:
        """Say which of the distinct objects is meant, by id and position in X."""
        return name_object(self.given, int(self.rows[position]))


def check_surveys(survey: Any, curves: LightCurves) -> np.ndarray:
    """Return the surveys of `curves`, one for each; their values are checked by the objective."""
    survey = np.asarray(survey, dtype=object)
    if survey.shape != (len(curves),):
        raise LightCurveError(
            f"survey has shape {survey.shape} for {len(curves)} light curves: pass one survey per "
            "object, in the order of X.ids."
        )
    return survey


def check_weight(sample_weight: Any, curves: LightCurves) -> np.ndarray:
    """Return checked weights of `curves`, as float64; see `TrainingSample.of`."""
    weight = check_array(
        sample_weight,
        ensure_2d=False,
        ensure_min_samples=0,
        dtype=np.float64,
        ensure_all_finite=False,
        input_name="sample_weight",
    )
    if weight.shape != (len(curves),):
        raise ValueError(
            f"sample_weight has shape {weight.shape} for {len(curves)} light curves: pass one "
            "weight per object, in the order of X.ids."
        )
    wrong = np.flatnonzero(~(np.isfinite(weight) & (weight >= 0)))
    if len(wrong):
        raise LightCurveError(
            f"sample_weight of {name_object(curves, int(wrong[0]))} is {weight[wrong[0]]} "
            f"({len(wrong)} of {len(weight)} weights cannot be used): weights must be finite and "
            "not negative; a weight of 0 leaves an object out."
        )
    if not weight.any():
        raise LightCurveError(
            "All values of sample_weight are zero, which leaves no object to learn from: give some "
            "objects a positive weight."
        )
    return weight


def _digests(
    curves: LightCurves, y: np.ndarray | None, survey: np.ndarray | None, rows: np.ndarray
) -> np.ndarray:
    """Return a digest of each object at `rows`, except for its id, (n_rows,) of bytes."""
    target = np.zeros(len(rows), dtype=int)
    if y is not None:
        target = np.unique(y[rows], return_inverse=True)[1]
    metadata = np.zeros(len(rows), dtype=int)
    if curves.metadata.shape[1]:
        table = curves.metadata.iloc[rows]
        metadata = (
            pd.util.hash_pandas_object(table, index=False).to_numpy(dtype=np.uint64).view(int)
        )
    if survey is not None:
        metadata = metadata + pd.util.hash_array(survey[rows]).view(int)
    columns = [
        np.ascontiguousarray(column)
        for column in (curves.time, curves.flux, curves.flux_err, curves.band)
    ]
    offsets, digests = curves.offsets, []
    for k, row in enumerate(rows):
        digest = blake2b(target[k].tobytes() + metadata[k].tobytes(), digest_size=16)
        for column in columns:
            digest.update(column[offsets[row] : offsets[row + 1]].tobytes())
        digests.append(digest.digest())
    return np.array(digests)
