"""A fitted isolation forest of scikit-learn as plain arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from sklc.utils.savable import savable
from sklc.utils.sklearn_compat import isolation_lengths

__all__ = ["IsolationTrees"]


@savable("feature", "threshold", "children", "length", "roots", "n_levels", "unit")
class IsolationTrees:
    """The trees of an isolation forest, all of which are descended at once.

    Attributes
    ----------
    feature : ndarray of int, shape (n_nodes,)
        The column that each node looks at; those of all trees, one tree after the other.
    threshold : ndarray of shape (n_nodes,)
        Objects up to this value go to the left.
    children : ndarray of int, shape (2, n_nodes)
        The nodes to the left and to the right; a leaf leads to itself.
    length : ndarray of shape (n_nodes,)
        Expected length of the path that ends in a node.
    roots : ndarray of int, shape (n_trees,)
        First node of each tree.
    n_levels : int
        Number of nodes on the longest path.
    unit : float
        Mean length of a path of all trees, if nothing could be told apart.
    """

    feature: np.ndarray
    threshold: np.ndarray
    children: np.ndarray
    length: np.ndarray
    roots: np.ndarray
    n_levels: int
    unit: float

    @classmethod
    def of(cls, forest: Any) -> IsolationTrees:
        """Return the trees of a fitted ``IsolationForest``."""
        made, trees = cls(), [tree.tree_ for tree in forest.estimators_]
        counts = np.array([tree.node_count for tree in trees])
        made.roots = np.cumsum(counts) - counts
        made.feature = np.concatenate(
            [own[np.maximum(tree.feature, 0)] for own, tree in
             zip(forest.estimators_features_, trees, strict=True)]
        ).astype(np.int64)  # fmt: skip
        made.threshold = np.concatenate([tree.threshold for tree in trees])
        own = np.arange(counts.sum())
        sides = [
            np.concatenate([getattr(tree, side) for tree in trees])
            for side in ("children_left", "children_right")
        ]
        start = np.repeat(made.roots, counts)
        made.children = np.stack([np.where(side < 0, own, side + start) for side in sides])
        lengths, made.unit = isolation_lengths(forest)
        made.length = np.concatenate(lengths)
        made.n_levels = 1 + max(int(tree.max_depth) for tree in trees)
        return made

    def _restored(self) -> None:
        """Check what a file says."""
        n_nodes = len(self.feature)
        for nodes in (self.children, self.roots):
            if nodes.dtype.kind != "i" or not ((nodes >= 0) & (nodes < n_nodes)).all():
                raise ValueError("the trees of the forest lead nowhere")
        if not 0 <= self.n_levels <= n_nodes:
            raise ValueError("the trees of the forest have too many levels")

    def score_samples(self, columns: np.ndarray) -> np.ndarray:
        """Return the negative anomaly score of each object, (n_objects,)."""
        columns = columns.astype(np.float32)
        node = np.tile(self.roots, (len(columns), 1))
        for _ in range(self.n_levels):
            value = np.take_along_axis(columns, self.feature[node], axis=1)
            node = self.children[np.where(value <= self.threshold[node], 0, 1), node]
        depths = np.zeros(len(columns))
        for leaf in node.T:  # in the order in which scikit-learn adds them up
            depths += self.length[leaf]
        return -(2.0 ** -(depths / self.unit if self.unit else np.ones_like(depths)))
