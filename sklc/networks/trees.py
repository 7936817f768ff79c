"""Gradient-boosted trees of scikit-learn, all evaluated at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklc.utils.savable import savable
from sklc.utils.sklearn_compat import boosted_trees

__all__ = ["Trees", "float32_thresholds"]

# Leaves of a tree that a mask can tell apart.
_MOST_LEAVES = 8
# Objects whose splits are evaluated together, so that they stay in the cache.
_BLOCK = 64


def float32_thresholds(thresholds: np.ndarray) -> NDArray[np.float32]:
    """Return the largest float32 that is not above each, which splits float32 alike."""
    rounded = thresholds.astype(np.float32)
    above = rounded.astype(float) > thresholds
    rounded[above] = np.nextafter(rounded[above], np.float32(-np.inf))
    return rounded


@savable("baseline", "shape", "feature", "threshold", "mask", "value", "first_leaf", "start")
class Trees:
    """Several `HistGradientBoosting` models with trees of up to 8 leaves.

    Scikit-learn walks through one tree after the other, with a call for each. Here every split of
    all trees is decided at once, and each that goes right strikes out the leaves on its left. The
    first leaf that is left is the one where the object ends (Lucchese et al. 2015, SIGIR, 73).

    Parameters
    ----------
    models : sequence of HistGradientBoostingClassifier or HistGradientBoostingRegressor
        Fitted models without categories among their features, with as many outputs each.
    """

    def __init__(self, models: Sequence[Any]) -> None:
        baselines, steps = zip(*map(boosted_trees, models), strict=True)
        self.baseline = np.array(baselines)
        trees = [
            _Splits.of(nodes)
            for own in steps
            for output in zip(*own, strict=True)
            for nodes in output
        ]
        self.shape = self.baseline.shape
        self.feature = np.stack([tree.feature for tree in trees], axis=1)
        self.threshold = float32_thresholds(np.stack([tree.threshold for tree in trees], axis=1))
        self.mask = np.stack([tree.mask for tree in trees], axis=1)
        self.value = np.concatenate([tree.value for tree in trees])
        self.first_leaf = _MOST_LEAVES * np.arange(len(trees))
        # Models may have stopped at different numbers of steps.
        n_steps = np.repeat([len(own) for own in steps], self.shape[1])
        self.start = np.append(0, np.cumsum(n_steps)[:-1])

    def scores(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return raw predictions of each model, (n_objects, n_models, n_outputs).

        Parameters
        ----------
        features : ndarray of float32, shape (n_objects, n_features)
            Features, none missing.
        """
        parts = [
            self._scores(features[start : start + _BLOCK])
            for start in range(0, len(features), _BLOCK)
        ]
        return np.concatenate([np.empty((0, *self.shape)), *parts])

    def _scores(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        alive = np.full((len(features), self.feature.shape[1]), 255, dtype=np.uint8)
        for feature, threshold, mask in zip(self.feature, self.threshold, self.mask, strict=True):
            goes_right = np.take(features, feature, axis=1) > threshold
            alive &= mask | (goes_right - np.uint8(1))
        leaves = self.value[self.first_leaf + _FIRST_BIT[alive]]
        return self.baseline + np.add.reduceat(leaves, self.start, axis=1).reshape(-1, *self.shape)


# Position of the lowest bit of each byte.
_FIRST_BIT = np.array([0, *((k & -k).bit_length() - 1 for k in range(1, 256))], dtype=np.intp)


class _Splits:
    """The splits of one tree, and the leaves that each strikes out."""

    def __init__(self) -> None:
        self.feature = np.zeros(_MOST_LEAVES - 1, dtype=np.intp)
        self.threshold = np.full(_MOST_LEAVES - 1, np.inf)
        self.mask = np.full(_MOST_LEAVES - 1, 255, dtype=np.uint8)
        self.value = np.zeros(_MOST_LEAVES)

    @classmethod
    def of(cls, nodes: np.ndarray) -> _Splits:
        """Read the nodes of scikit-learn's predictor."""
        if nodes["is_leaf"].sum() > _MOST_LEAVES:
            raise ValueError(f"These trees have more than {_MOST_LEAVES} leaves.")
        splits, n_splits, n_leaves = cls(), 0, 0
        columns = ("is_leaf", "left", "right", "feature_idx", "num_threshold", "value")
        is_leaf, left, right, feature, threshold, value = (nodes[n].tolist() for n in columns)

        def visit(node: int) -> None:
            nonlocal n_splits, n_leaves
            if is_leaf[node]:
                splits.value[n_leaves] = value[node]
                n_leaves += 1
                return
            number, first = n_splits, n_leaves
            n_splits += 1
            splits.feature[number], splits.threshold[number] = feature[node], threshold[node]
            visit(left[node])
            splits.mask[number] = 255 ^ ((1 << n_leaves) - (1 << first))
            visit(right[node])

        visit(0)
        return splits
