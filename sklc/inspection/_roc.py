"""ROC curves of a classifier of several classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.metrics import auc, roc_curve
from sklearn.utils import check_array, check_consistent_length

from sklc.inspection._axes import class_colours, figure_and_axes


class RocDisplay:
    """One-vs-rest ROC curve of each class, and the macro average of the areas under them.

    Use `from_predictions`.

    Parameters
    ----------
    curves : dict of str to tuple of ndarray
        False and true positive rates of each class.
    areas : dict of str to float
        Area under each of the curves (AUROC).
    name : str or None
        Name of the classifier, for the legend.

    Attributes
    ----------
    macro_auroc : float
        The unweighted mean of the areas of all classes.
    ax_ : matplotlib Axes
        The axes of the plot.
    figure_ : matplotlib Figure
        The figure of the axes.
    lines_ : dict of str to matplotlib Line2D
        The lines that were drawn, by class.

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.inspection import RocDisplay
    >>> probabilities = np.array([[0.8, 0.2], [0.4, 0.6], [0.6, 0.4], [0.1, 0.9]])
    >>> display = RocDisplay.from_predictions(["a", "a", "b", "b"], probabilities, ["a", "b"])
    >>> display.macro_auroc
    0.75
    """

    ax_: Any
    figure_: Any
    lines_: dict[str, Any]

    def __init__(
        self,
        curves: dict[str, tuple[np.ndarray, np.ndarray]],
        areas: dict[str, float],
        *,
        name: str | None = None,
    ) -> None:
        self.curves = curves
        self.areas = areas
        self.name = name

    @property
    def macro_auroc(self) -> float:
        """The unweighted mean of the areas of all classes."""
        return float(np.mean(list(self.areas.values())))

    @classmethod
    def from_predictions(
        cls,
        y: Any,
        probabilities: Any,
        classes: Sequence[Any],
        *,
        name: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> RocDisplay:
        """Compute the curves from predicted probabilities and draw them.

        Parameters
        ----------
        y : array-like of shape (n_objects,)
            True classes.
        probabilities : array-like of shape (n_objects, n_classes)
            Probabilities, as ``predict_proba`` returns them.
        classes : sequence of length n_classes
            The class of each column, ``classifier.classes_``.
        name : str, optional
            Name of the classifier, for the legend.
        ax : matplotlib Axes, optional
            The axes to draw on; by default those of a new figure.
        **kwargs
            Options for `matplotlib.axes.Axes.plot`.

        Returns
        -------
        RocDisplay

        Raises
        ------
        ValueError
            If the shapes do not match, or if the classes that occur in y are not those of
            `classes`.
        ImportError
            If matplotlib is not installed.
        """
        y, names = np.asarray(y), np.asarray(classes)
        probabilities = check_array(probabilities)
        check_consistent_length(y, probabilities)
        if probabilities.shape[1] != len(names):
            raise ValueError(
                f"probabilities has {probabilities.shape[1]} columns for {len(names)} classes "
                f"{names.tolist()}: pass predict_proba's result and classifier.classes_."
            )
        if len(names) < 2:
            raise ValueError(f"A ROC curve needs at least two classes, got {names.tolist()}.")
        others = sorted(set(y.tolist()) ^ set(names.tolist()), key=str)
        if others:
            raise ValueError(
                f"y holds the classes {np.unique(y).tolist()} and classes is {names.tolist()}: "
                f"a ROC curve is not defined for {others}. Leave those objects or columns out."
            )
        curves, areas = {}, {}
        for column, label in enumerate(names):
            rates = roc_curve(y == label, probabilities[:, column])[:2]
            curves[str(label)], areas[str(label)] = rates, float(auc(*rates))
        return cls(curves, areas, name=name).plot(ax, **kwargs)

    def plot(self, ax: Any = None, **kwargs: Any) -> RocDisplay:
        """Draw the curves again.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            The axes to draw on; by default those of a new figure.
        **kwargs
            Options for `matplotlib.axes.Axes.plot`.

        Returns
        -------
        RocDisplay
            The display itself.
        """
        self.figure_, self.ax_ = figure_and_axes(ax, type(self).__name__)
        self.lines_ = {}
        colours = class_colours(len(self.curves))
        for (label, rates), colour in zip(self.curves.items(), colours, strict=True):
            options = {"color": colour, "label": f"{label}: {self.areas[label]:.3f}", **kwargs}
            (self.lines_[label],) = self.ax_.plot(*rates, **options)
        self.ax_.plot([0, 1], [0, 1], color="0.7", linewidth=0.8, linestyle=":", zorder=0)
        self.ax_.set(xlabel="false positive rate", ylabel="true positive rate", aspect="equal")
        self.ax_.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
        name = "" if self.name is None else f"{self.name}\n"
        self.ax_.legend(title=f"{name}macro AUROC {self.macro_auroc:.3f}", loc="lower right")
        return self
