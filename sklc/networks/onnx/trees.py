"""Gradient-boosted trees of scikit-learn in an ONNX graph."""

from __future__ import annotations

from typing import Any

import numpy as np

from sklc.networks.onnx.graph import Graph
from sklc.networks.trees import float32_thresholds
from sklc.utils.sklearn_compat import boosted_trees

__all__ = ["ensemble_to_onnx"]


def ensemble_to_onnx(
    graph: Graph, boosting: Any, features: str, n_classes: int, unseen: float
) -> str:
    """Append log probabilities of a `HistGradientBoostingClassifier` to a graph.

    Parameters
    ----------
    graph : Graph
        The graph.
    boosting : HistGradientBoostingClassifier
        A fitted classifier of class indices, without categories among its features.
    features : str
        Name of the features, float32 (n_objects, n_features), none missing.
    n_classes : int
        Number of classes, of which boosting may know some only.
    unseen : float
        Log probability of the others.

    Returns
    -------
    str
        Name of the log probabilities, (n_objects, n_classes).
    """
    scores = graph.trees(features, **_nodes(boosting))
    if len(boosting.classes_) == 2:
        half = graph.apply("Mul", scores, graph.constant(0.5))
        scores = graph.apply("Concat", graph.apply("Neg", half), half, axis=1)
    logits = graph.apply("LogSoftmax", scores, axis=1)
    logits = graph.apply("Max", logits, graph.constant(np.log(1e-6)))
    if len(boosting.classes_) == n_classes:
        return logits
    known = np.zeros((len(boosting.classes_), n_classes))
    known[np.arange(len(boosting.classes_)), boosting.classes_] = 1
    others = np.where(known.any(axis=0), 0, unseen)
    return graph.apply("Gemm", logits, graph.constant(known), graph.constant(others))


def _nodes(boosting: Any) -> dict[str, Any]:
    """Return the trees as the attributes of a TreeEnsembleRegressor."""
    baseline, steps = boosted_trees(boosting)
    trees = [(target, nodes) for step in steps for target, nodes in enumerate(step)]
    sizes = [len(nodes) for _, nodes in trees]
    nodes = np.concatenate([nodes for _, nodes in trees])
    tree = np.repeat(np.arange(len(trees)), sizes)
    number = np.concatenate([np.arange(size) for size in sizes])
    target = np.repeat([target for target, _ in trees], sizes)
    is_leaf = nodes["is_leaf"].astype(bool)
    threshold = float32_thresholds(nodes["num_threshold"])
    return {
        "nodes_treeids": tree,
        "nodes_nodeids": number,
        "nodes_featureids": np.where(is_leaf, 0, nodes["feature_idx"]),
        "nodes_values": np.where(is_leaf, 0, threshold).astype(np.float32),
        "nodes_modes": np.where(is_leaf, "LEAF", "BRANCH_LEQ"),
        "nodes_truenodeids": np.where(is_leaf, 0, nodes["left"]),
        "nodes_falsenodeids": np.where(is_leaf, 0, nodes["right"]),
        "target_treeids": tree[is_leaf],
        "target_nodeids": number[is_leaf],
        "target_ids": target[is_leaf],
        "target_weights": nodes["value"][is_leaf].astype(np.float32),
        "base_values": baseline.astype(np.float32),
        "n_targets": boosting.n_trees_per_iteration_,
    }
