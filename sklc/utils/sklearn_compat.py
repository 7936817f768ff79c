"""What sklc takes from scikit-learn's private parts, in one place for all versions."""

from contextlib import AbstractContextManager
from typing import Any

import numpy as np
from sklearn import config_context
from sklearn.base import _fit_context as fit_context
from sklearn.ensemble._iforest import _average_path_length
from sklearn.utils._param_validation import HasMethods, Hidden, Interval, StrOptions
from sklearn.utils.validation import _check_feature_names_in as check_feature_names_in

from sklc.utils.savable import savable

__all__ = [
    "BoostedTrees",
    "HasMethods",
    "Hidden",
    "Interval",
    "StrOptions",
    "boosted_trees",
    "check_feature_names_in",
    "fit_context",
    "isolation_lengths",
    "unrouted",
]


def boosted_trees(model: Any) -> tuple[np.ndarray, list[list[np.ndarray]]]:
    """Return what a fitted `HistGradientBoosting` model adds up, for other ways to evaluate it.

    Parameters
    ----------
    model : HistGradientBoostingClassifier or HistGradientBoostingRegressor
        Fitted, without categories among its features.

    Returns
    -------
    baseline : ndarray of shape (n_outputs,)
        The scores before the first tree.
    steps : list of list of structured ndarray
        The nodes of the tree of each output, for each step.
    """
    if isinstance(model, BoostedTrees):
        return model.baseline, model.steps
    steps = [[tree.nodes for tree in step] for step in model._predictors]
    return np.ravel(model._baseline_prediction), steps


_NODE = np.dtype(
    [("is_leaf", "u1"), ("left", "i8"), ("right", "i8"), ("feature_idx", "i8"),
     ("num_threshold", "f8"), ("value", "f8")]
)  # fmt: skip


@savable("classes_", "baseline", "columns", "sizes")
class BoostedTrees:
    """What a fitted `HistGradientBoostingClassifier` adds up, as plain arrays.

    Attributes
    ----------
    classes_ : ndarray of int, shape (n_known,)
        The classes that it knows.
    baseline : ndarray of shape (n_outputs,)
        The scores before the first tree.
    columns : dict of str to ndarray of shape (n_nodes,)
        The nodes of all trees, one tree after the other.
    sizes : ndarray of int, shape (n_steps, n_outputs)
        Number of nodes of each tree.
    """

    classes_: np.ndarray
    baseline: np.ndarray
    columns: dict[str, np.ndarray]
    sizes: np.ndarray

    @classmethod
    def of(cls, model: Any) -> "BoostedTrees":
        """Return the trees of a fitted model."""
        made = cls()
        made.classes_, (made.baseline, steps) = model.classes_, boosted_trees(model)
        made.sizes = np.array([[len(nodes) for nodes in step] for step in steps])
        trees = [nodes for step in steps for nodes in step]
        made.columns = {
            name: np.concatenate([nodes[name] for nodes in trees]).astype(_NODE[name])
            for name in _NODE.names or ()
        }
        return made

    @property
    def steps(self) -> list[list[np.ndarray]]:
        """The nodes of the tree of each output, for each step."""
        nodes = np.empty(int(self.sizes.sum()), dtype=_NODE)
        for name in _NODE.names or ():
            nodes[name] = self.columns[name]
        trees = np.split(nodes, np.cumsum(self.sizes)[:-1])
        n_outputs = self.sizes.shape[1]
        return [trees[k : k + n_outputs] for k in range(0, len(trees), n_outputs)]

    @property
    def n_trees_per_iteration_(self) -> int:
        """Number of trees of a step, as scikit-learn calls it."""
        return self.sizes.shape[1]


def isolation_lengths(forest: Any) -> tuple[list[np.ndarray], float]:
    """Return what a fitted `IsolationForest` adds up.

    Returns
    -------
    lengths : list of ndarray of shape (n_nodes,)
        Expected length of the path that ends in each node of each tree.
    unit : float
        The sum for an object that is as hard to isolate as the average.
    """
    parts = zip(forest._decision_path_lengths, forest._average_path_length_per_tree, strict=True)
    lengths = [depth + further - 1.0 for depth, further in parts]
    return lengths, float(len(lengths) * _average_path_length([forest._max_samples])[0])


def unrouted() -> AbstractContextManager[None]:
    """Turn metadata routing off, for scikit-learn's estimators that others are made of.

    They are given their sample weights directly; some of them would ask who requested these.
    """
    return config_context(enable_metadata_routing=False)
