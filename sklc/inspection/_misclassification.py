"""How well an uncertainty finds the objects whose class is predicted wrongly."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score
from sklearn.utils import check_array, check_consistent_length, column_or_1d

from sklc.inspection._axes import figure_and_axes

__all__ = ["MisclassificationDisplay", "misclassification_auc"]


def misclassification_auc(y: Any, y_pred: Any, uncertainty: Any) -> float:
    """Return the probability that a wrong prediction is less certain than a right one.

    It is the area under the ROC curve of an uncertainty that is to find wrong predictions: 1 if it
    is larger for all wrong predictions than for any right one, and .5 if it tells nothing.

    Parameters
    ----------
    y, y_pred : array-like of shape (n_objects,)
        True and predicted classes.
    uncertainty : array-like of shape (n_objects,)
        The larger, the less certain, as ``classifier.predict_uncertainty`` returns it.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If lengths differ, an uncertainty is missing, or the predictions are all right or all wrong.

    Examples
    --------
    >>> from sklc.inspection import misclassification_auc
    >>> misclassification_auc(["Ia", "II", "Ia"], ["Ia", "II", "II"], [0.1, 0.4, 0.3])
    0.5
    """
    wrong, uncertainty = _checked(y, y_pred, uncertainty)
    if wrong.all() or not wrong.any():
        raise ValueError(
            f"All {len(wrong)} predictions are {'wrong' if wrong.all() else 'right'}, so there is "
            "nothing that an uncertainty could tell apart: use more objects."
        )
    return float(roc_auc_score(wrong, uncertainty))


def _checked(y: Any, y_pred: Any, uncertainty: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return which predictions are wrong, and how uncertain each is."""
    y, y_pred = (column_or_1d(np.asarray(values), warn=True) for values in (y, y_pred))
    uncertainty = check_array(uncertainty, ensure_2d=False, input_name="uncertainty")
    uncertainty = column_or_1d(uncertainty.astype(float))
    check_consistent_length(y, y_pred, uncertainty)
    return np.asarray(y != y_pred, dtype=bool), uncertainty


class MisclassificationDisplay:
    """Accuracy among the objects that remain when the least certain ones are set aside.

    Use `from_estimator` or `from_predictions`.

    Parameters
    ----------
    kept : ndarray of shape (n_steps,)
        Share of the objects that are kept, ascending to 1.
    accuracy : ndarray of shape (n_steps,)
        Share of right predictions among them.
    auroc : float
        See `misclassification_auc`; NaN where all predictions are right, or all wrong.
    name : str or None
        Name of the classifier or the score, for the legend.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the plot.
    figure_ : matplotlib Figure
        The figure of the axes.
    line_ : matplotlib Line2D
        The line that was drawn.

    Examples
    --------
    >>> from sklc.inspection import MisclassificationDisplay
    >>> display = MisclassificationDisplay.from_predictions(
    ...     ["Ia", "II", "Ia", "II"], ["Ia", "II", "II", "II"], [0.1, 0.2, 0.9, 0.3]
    ... )
    >>> display.auroc, display.accuracy.tolist()
    (1.0, [1.0, 1.0, 1.0, 0.75])
    """

    ax_: Any
    figure_: Any
    line_: Any

    def __init__(
        self, kept: np.ndarray, accuracy: np.ndarray, auroc: float, *, name: str | None = None
    ) -> None:
        self.kept = kept
        self.accuracy = accuracy
        self.auroc = auroc
        self.name = name

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        score: str = "smp",
        name: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> MisclassificationDisplay:
        """Predict labelled objects, compute the curve and draw it.

        Parameters
        ----------
        estimator : TransferClassifier
            A fitted classifier.
        X : light curves of n_objects
            In any form that `sklc.as_light_curves` takes.
        y : array-like of shape (n_objects,)
            True classes.
        score : {"smp", "pv", "bald"}, default="smp"
            The uncertainty, as of ``estimator.predict_uncertainty``.
        name : str, optional
            A name for the legend; by default that of the estimator's class, and the score.
        ax : matplotlib Axes, optional
            The axes to draw on; by default those of a new figure.
        **kwargs
            Options for `matplotlib.axes.Axes.plot`.

        Returns
        -------
        MisclassificationDisplay

        Raises
        ------
        ValueError
            If there is no such score, or the classifier makes a single prediction and the score
            needs several.
        ImportError
            If matplotlib is not installed.

        Examples
        --------
        See `TransferClassifier.predict_uncertainty`, whose result it shows.
        """
        uncertainty = estimator.predict_uncertainty(X, score)
        name = f"{type(estimator).__name__}, {score}" if name is None else name
        return cls.from_predictions(
            y, estimator.predict(X), uncertainty, name=name, ax=ax, **kwargs
        )

    @classmethod
    def from_predictions(
        cls,
        y: Any,
        y_pred: Any,
        uncertainty: Any,
        *,
        name: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> MisclassificationDisplay:
        """Compute the curve from predictions and draw it.

        Parameters
        ----------
        y, y_pred : array-like of shape (n_objects,)
            True and predicted classes.
        uncertainty : array-like of shape (n_objects,)
            The larger, the less certain.
        name : str, optional
            A name for the legend.
        ax : matplotlib Axes, optional
            The axes to draw on; by default those of a new figure.
        **kwargs
            Options for `matplotlib.axes.Axes.plot`.

        Returns
        -------
        MisclassificationDisplay

        Raises
        ------
        ValueError
            If lengths differ, or an uncertainty is missing.
        ImportError
            If matplotlib is not installed.
        """
        wrong, uncertainty = _checked(y, y_pred, uncertainty)
        order = np.argsort(uncertainty, kind="stable")
        number = np.arange(1, len(order) + 1)
        accuracy = 1 - np.cumsum(wrong[order]) / number
        # Objects that are equally uncertain are kept or set aside together.
        whole = np.append(np.diff(uncertainty[order]) > 0, True)
        told = wrong.any() and not wrong.all()
        auroc = misclassification_auc(y, y_pred, uncertainty) if told else float("nan")
        display = cls(number[whole] / len(order), accuracy[whole], auroc, name=name)
        return display.plot(ax, **kwargs)

    def plot(self, ax: Any = None, **kwargs: Any) -> MisclassificationDisplay:
        """Draw the curve again.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            The axes to draw on; by default those of a new figure.
        **kwargs
            Options for `matplotlib.axes.Axes.plot`.

        Returns
        -------
        MisclassificationDisplay
            The display itself.
        """
        self.figure_, self.ax_ = figure_and_axes(ax, type(self).__name__)
        label = "" if self.name is None else f"{self.name}: "
        label += f"AUROC {self.auroc:.3f}" if np.isfinite(self.auroc) else "AUROC not defined"
        (self.line_,) = self.ax_.plot(self.kept, self.accuracy, **{"label": label, **kwargs})
        self.ax_.set(xlabel="share of objects kept, the most certain first", ylabel="accuracy")
        self.ax_.set(xlim=(0, 1.01))
        self.ax_.legend(loc="lower left")
        return self
