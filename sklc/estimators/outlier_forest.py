"""Isolation forests on latents, and distances to the classes of normal objects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.preprocessing import StandardScaler

__all__ = ["ClassCentres", "LatentForest", "LatentSpace"]


class LatentSpace:
    """Latents as the forest reads them: principal components of unit variance, or as they are.

    An isolation forest cuts along single columns, and the units of a latent are correlated and
    of very different scales, so that most cuts say the same thing.

    Parameters
    ----------
    n_components : int, float or None
        As in `sklearn.decomposition.PCA`; None takes the latents as they are.
    """

    whitening: PCA | None
    scaler: StandardScaler | None

    def __init__(self, n_components: int | float | None) -> None:
        self.n_components = n_components

    def fit(self, latent: np.ndarray, logits: np.ndarray | None) -> LatentSpace:
        """Learn the components.

        Parameters
        ----------
        latent : ndarray of shape (n_objects, latent_size)
        logits : ndarray of shape (n_objects, n_classes) or None
            Further columns, scaled to unit variance.
        """
        self.whitening = self.scaler = None
        if self.n_components is not None:
            self.whitening = PCA(self.n_components, svd_solver="full", whiten=True).fit(latent)
        if logits is not None:
            self.scaler = StandardScaler().fit(logits)
        return self

    def transform(self, latent: np.ndarray, logits: np.ndarray | None) -> np.ndarray:
        """Columns of the forest, (n_objects, n_columns)."""
        columns = latent if self.whitening is None else self.whitening.transform(latent)
        return (
            columns if self.scaler is None else np.hstack([columns, self.scaler.transform(logits)])
        )


class LatentForest:
    """One isolation forest, or one for each label with the lowest anomaly score of all.

    Parameters
    ----------
    settings : mapping
        Parameters of `sklearn.ensemble.IsolationForest`.
    """

    forests: list[IsolationForest]

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self.settings = settings

    def fit(self, columns: np.ndarray, y: np.ndarray | None) -> LatentForest:
        """Grow the forests.

        Parameters
        ----------
        columns : ndarray of shape (n_objects, n_columns)
        y : ndarray of shape (n_objects,) or None
            Labels, where each gets a forest of its own.
        """
        groups = [columns] if y is None else [columns[y == label] for label in np.unique(y)]
        self.forests = [IsolationForest(**self.settings).fit(group) for group in groups]
        return self

    def anomaly_score(self, columns: np.ndarray) -> np.ndarray:
        """Scores between 0 and 1, higher for what is isolated with fewer cuts, (n_objects,)."""
        return np.min([-forest.score_samples(columns) for forest in self.forests], axis=0)


class ClassCentres:
    """Mean of each label, and distances to it in units of what is typical of its own members."""

    labels: np.ndarray
    centres: np.ndarray
    typical: float

    def fit(self, columns: np.ndarray, y: np.ndarray) -> ClassCentres:
        """Learn the centres of labels `y`, (n_objects,), in `columns`, (n_objects, n_columns)."""
        self.labels, index = np.unique(y, return_inverse=True)
        self.centres = np.array([columns[index == k].mean(axis=0) for k in range(len(self.labels))])
        own = np.linalg.norm(columns - self.centres[index], axis=1)
        # Of labels with a single member each, none is typical: plain distances are all there is.
        self.typical = float(np.median(own)) or 1.0
        return self

    def nearest(self, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Label of the nearest centre of each object, and the distance to it."""
        distances = np.linalg.norm(columns[:, None] - self.centres[None], axis=2)
        best = np.argmin(distances, axis=1)
        return self.labels[best], distances[np.arange(len(best)), best] / self.typical
