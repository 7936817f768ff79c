"""Map of latent vectors on two dimensions."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.utils import check_array, check_consistent_length

from sklc.inspection._axes import class_colours, figure_and_axes

# More colours cannot be told apart.
_MOST_CLASSES = 20


class LatentMapDisplay:
    """Map of latent vectors on two dimensions, with a colour for each class.

    Use `from_latents`. Distances in a t-SNE or UMAP map mean little beyond the nearest neighbours.

    Parameters
    ----------
    coordinates : ndarray of shape (n_objects, 2)
        The position of each object on the map.
    labels : ndarray of shape (n_objects,) or None
        The class of each object.
    axis_labels : tuple of str
        Labels of the two axes.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the map.
    figure_ : matplotlib Figure
        The figure of the axes.
    scatters_ : dict of str to matplotlib PathCollection
        The points that were drawn, by class; under the key "" if there are no labels.

    Examples
    --------
    >>> from sklc import LightCurveEncoder
    >>> from sklc.datasets import load_demo
    >>> from sklc.inspection import LatentMapDisplay
    >>> curves, y = load_demo(return_X_y=True)
    >>> latents = LightCurveEncoder.pretrained("any").transform(curves)
    >>> display = LatentMapDisplay.from_latents(latents, y)
    >>> display.coordinates.shape
    (600, 2)
    """

    ax_: Any
    figure_: Any
    scatters_: dict[str, Any]

    def __init__(
        self,
        coordinates: np.ndarray,
        labels: np.ndarray | None = None,
        *,
        axis_labels: tuple[str, str] = ("", ""),
    ) -> None:
        self.coordinates = coordinates
        self.labels = labels
        self.axis_labels = axis_labels

    @classmethod
    def from_latents(
        cls,
        latents: Any,
        labels: Any = None,
        *,
        method: str = "pca",
        random_state: int | None = 0,
        ax: Any = None,
        **kwargs: Any,
    ) -> LatentMapDisplay:
        """Compute a map of latent vectors and draw it.

        Parameters
        ----------
        latents : array-like of shape (n_objects, latent_size)
            Latent vectors, as `LightCurveEncoder.transform` returns them; at least 3 objects.
        labels : array-like of shape (n_objects,), optional
            Classes, at most 20 different ones.
        method : {"pca", "tsne", "umap"}, default="pca"
            The method: principal components, t-SNE (van der Maaten & Hinton 2008), or UMAP
            (McInnes, Healy & Melville 2018), which needs the package umap-learn.
        random_state : int or None, default=0
            Seed of t-SNE and UMAP.
        ax : matplotlib Axes, optional
            The axes to draw on; by default those of a new figure.
        **kwargs
            Options for `matplotlib.axes.Axes.scatter`.

        Returns
        -------
        LatentMapDisplay

        Raises
        ------
        ValueError
            If the method is not known, there are too few objects, too many classes, or numbers
            of latents and labels differ.
        ImportError
            If matplotlib, or for ``method="umap"`` umap-learn, is not installed.
        """
        latents = check_array(latents, ensure_min_samples=3, ensure_min_features=2)
        if labels is not None:
            labels = _as_names(labels)
            check_consistent_length(latents, labels)
            n_classes = len(np.unique(labels))
            if n_classes > _MOST_CLASSES:
                raise ValueError(
                    f"labels holds {n_classes} different values, more than {_MOST_CLASSES} "
                    "colours can show: merge classes, or bin a number into ranges."
                )
        coordinates, axis_labels = _two_dimensions(latents, method, random_state)
        return cls(coordinates, labels, axis_labels=axis_labels).plot(ax, **kwargs)

    def plot(self, ax: Any = None, **kwargs: Any) -> LatentMapDisplay:
        """Draw the map again.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            The axes to draw on; by default those of a new figure.
        **kwargs
            Options for `matplotlib.axes.Axes.scatter`.

        Returns
        -------
        LatentMapDisplay
            The display itself.
        """
        self.figure_, self.ax_ = figure_and_axes(ax, type(self).__name__)
        n_objects = len(self.coordinates)
        style = {"s": np.clip(6000 / n_objects, 6, 30), "alpha": 0.7, "linewidths": 0, **kwargs}
        self.scatters_ = {}
        if self.labels is None:
            self.scatters_[""] = self.ax_.scatter(*self.coordinates.T, **{"color": "0.3", **style})
        else:
            names, counts = np.unique(self.labels, return_counts=True)
            # Rare classes are drawn last, on top of the common ones.
            heights = np.argsort(np.argsort(-counts, kind="stable"))
            colours = class_colours(len(names))
            for name, count, colour, height in zip(names, counts, colours, heights, strict=True):
                options = {"color": colour, "zorder": 2 + height / len(names), **style}
                self.scatters_[str(name)] = self.ax_.scatter(
                    *self.coordinates[self.labels == name].T, label=f"{name} ({count:,})", **options
                )
            legend = self.ax_.legend()
            for handle in legend.legend_handles:
                handle.set(alpha=1, sizes=[30])
        self.ax_.set(xlabel=self.axis_labels[0], ylabel=self.axis_labels[1])
        return self


def _as_names(labels: Any) -> np.ndarray:
    """Return labels as an array that can be sorted, whatever mixture they are."""
    labels = np.asarray(labels)
    return labels.astype(str) if labels.dtype == object else labels


def _two_dimensions(
    latents: np.ndarray, method: str, random_state: int | None
) -> tuple[np.ndarray, tuple[str, str]]:
    """Return coordinates (n_objects, 2) and the labels of the axes."""
    if method == "pca":
        pca = PCA(2, svd_solver="full")
        coordinates = pca.fit_transform(latents)
        first, second = 100 * pca.explained_variance_ratio_
        return coordinates, (
            f"principal component 1 ({first:.0f} % of the variance)",
            f"principal component 2 ({second:.0f} %)",
        )
    if method == "tsne":
        perplexity = min(30.0, (len(latents) - 1) / 3)
        tsne = TSNE(2, init="pca", perplexity=perplexity, random_state=random_state)
        return tsne.fit_transform(latents), ("t-SNE 1", "t-SNE 2")
    if method == "umap":
        try:
            from umap import UMAP  # type: ignore[import-not-found,unused-ignore]
        except ImportError as error:
            raise ImportError(
                'method="umap" needs umap-learn: pip install "sklc[umap]", or use method="tsne"'
            ) from error
        n_neighbors = min(15, len(latents) - 1)
        umap = UMAP(n_components=2, n_neighbors=n_neighbors, random_state=random_state)
        return umap.fit_transform(latents), ("UMAP 1", "UMAP 2")
    raise ValueError(f'method={method!r} is not known: use "pca", "tsne" or "umap".')
