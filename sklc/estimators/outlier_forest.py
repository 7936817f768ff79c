"""Isolation forests on latents, and distances to the classes of normal objects."""

from __future__ import annotations

import numpy as np
from joblib import parallel_config
from scipy.spatial.distance import cdist
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from sklc.utils.floats import in_blocks
from sklc.utils.savable import savable
from sklc.utils.sklearn_compat import unrouted

__all__ = ["ClassCentres", "LatentForest", "LatentSpace"]


@savable("n_components", "whitening", "scaler", "feature_scaler")
class LatentSpace:
    """Latents as the forest reads them: principal components of unit variance, or as they are.

    An isolation forest cuts along single columns. The units of a latent are correlated and of very
    different scales, so that most cuts along them would be equivalent.

    Parameters
    ----------
    n_components : int, float or None
        Number of components, or share of the variance, as in `sklearn.decomposition.PCA`; None
        takes the latents as they are.
    """

    whitening: PCA | None
    scaler: StandardScaler | None
    feature_scaler: Pipeline | None

    def __init__(self, n_components: int | float | None) -> None:
        self.n_components = n_components

    def fit(
        self, latent: np.ndarray, logits: np.ndarray | None, features: np.ndarray | None = None
    ) -> LatentSpace:
        """Learn the components.

        Parameters
        ----------
        latent : ndarray of shape (n_objects, latent_size)
            Latents of normal objects.
        logits : ndarray of shape (n_objects, n_classes) or None
            Further columns, scaled to unit variance.
        features : ndarray of shape (n_objects, n_features) or None, default=None
            Further columns, scaled likewise. Missing values become medians, so that they do not
            make an object unusual.
        """
        self.whitening = self.scaler = self.feature_scaler = None
        if self.n_components is not None:
            self.whitening = PCA(self.n_components, svd_solver="full", whiten=True).fit(latent)
        if logits is not None:
            self.scaler = StandardScaler().fit(logits)
        if features is not None:
            fill = SimpleImputer(strategy="median", keep_empty_features=True)
            self.feature_scaler = make_pipeline(fill, StandardScaler()).fit(features)
        return self

    def transform(
        self, latent: np.ndarray, logits: np.ndarray | None, features: np.ndarray | None = None
    ) -> np.ndarray:
        """Return the columns that the forest reads, (n_objects, n_columns)."""
        if self.whitening is not None:
            latent = in_blocks(self.whitening.transform, latent)
        columns = [latent]
        if self.scaler is not None:
            columns.append(self.scaler.transform(logits))
        if self.feature_scaler is not None:
            columns.append(self.feature_scaler.transform(features))
        return np.concatenate(columns, axis=1) if len(columns) > 1 else latent


@savable("forests")
class LatentForest:
    """One isolation forest, or one for each label; the lowest of their anomaly scores counts.

    Parameters
    ----------
    template : IsolationForest
        An unfitted forest with the parameters of all of them.
    """

    def __init__(self, template: IsolationForest) -> None:
        self.template = template

    def fit(
        self, columns: np.ndarray, y: np.ndarray | None, weight: np.ndarray | None = None
    ) -> LatentForest:
        """Grow the forests.

        Parameters
        ----------
        columns : ndarray of shape (n_objects, n_columns)
            Normal objects.
        y : ndarray of shape (n_objects,) or None
            Labels, if each of them gets a forest of its own.
        weight : ndarray of shape (n_objects,) or None
            Weights of the objects; by default they count alike.
        """
        groups = [slice(None)] if y is None else [y == label for label in np.unique(y)]
        with unrouted():
            self.forests = [
                clone(self.template).fit(
                    columns[group], sample_weight=None if weight is None else weight[group]
                )
                for group in groups
            ]
        return self

    def anomaly_score(self, columns: np.ndarray) -> np.ndarray:
        """Return scores from 0 to 1, higher for what fewer cuts isolate, (n_objects,)."""
        with parallel_config("sequential"):  # threads would add up the trees in another order
            return np.min([-forest.score_samples(columns) for forest in self.forests], axis=0)


@savable("labels", "centres", "typical")
class ClassCentres:
    """Mean of each label, and distances to it in units of the median of its own members."""

    def fit(
        self, columns: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None
    ) -> ClassCentres:
        """Learn the centres of labels `y`, (n_objects,), in `columns`, (n_objects, n_columns)."""
        self.labels, index = np.unique(y, return_inverse=True)
        members = np.eye(len(self.labels))[index] * (1 if weight is None else weight[:, None])
        self.centres = members.T @ columns / members.sum(axis=0)[:, None]
        own = np.linalg.norm(columns - self.centres[index], axis=1)
        # If every label has a single member, there is no typical distance to divide by.
        self.typical = float(np.median(own)) or 1.0
        return self

    def nearest(self, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the label of the nearest centre of each object, and the distance to it."""
        distances = cdist(columns, self.centres)
        return self.labels[distances.argmin(axis=1)], distances.min(axis=1) / self.typical
