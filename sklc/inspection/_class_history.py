"""Plot of the class probabilities of one object as its observations come in."""

from __future__ import annotations

from typing import Any

import numpy as np

from sklc.errors import LightCurveError
from sklc.inspection._axes import class_colours, figure_and_axes
from sklc.light_curves import LightCurve, LightCurves, as_light_curves

# More moments than this are not seen in a plot, and each costs a prediction.
_MOST_MOMENTS = 100
# Classes that never become more probable than this are not in the legend.
_SHOWN = 0.2


class ClassHistoryDisplay:
    """Plot of the class probabilities of one object over time, from its first observation on.

    Use `from_estimator`.

    Parameters
    ----------
    time : ndarray of shape (n_moments,)
        Moments, in days.
    probabilities : ndarray of shape (n_moments, n_classes)
        Class probabilities from the observations up to each moment.
    classes : sequence of length n_classes
        The class of each column.
    start : float, default=0
        The moment that the axis counts days from, such as the day of the first observation.
    title : str, optional
        Title of the plot.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the plot.
    figure_ : matplotlib Figure
        The figure of the axes.
    lines_ : dict of str to matplotlib Line2D
        The lines that were drawn, by class.

    Examples
    --------
    >>> from sklc import TransferClassifier
    >>> from sklc.datasets import load_demo
    >>> from sklc.inspection import ClassHistoryDisplay
    >>> classifier = TransferClassifier.pretrained("any")
    >>> curve = load_demo().curves[0]
    >>> display = ClassHistoryDisplay.from_estimator(classifier, curve)
    >>> display.probabilities.shape == (len(display.time), 17)
    True
    """

    ax_: Any
    figure_: Any
    lines_: dict[str, Any]

    def __init__(
        self,
        time: np.ndarray,
        probabilities: np.ndarray,
        classes: Any,
        *,
        start: float = 0.0,
        title: str | None = None,
    ) -> None:
        self.time = time
        self.probabilities = probabilities
        self.classes = classes
        self.start = start
        self.title = title

    @classmethod
    def from_estimator(
        cls,
        classifier: Any,
        curve: LightCurve,
        *,
        title: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> ClassHistoryDisplay:
        """Classify the beginnings of a light curve and draw the probabilities.

        Parameters
        ----------
        classifier : estimator
            A fitted classifier of light curves with ``predict_proba``.
        curve : LightCurve
            The light curve of one object, such as ``curves[0]``.
        title : str, optional
            Title; by default the id of the object.
        ax : matplotlib Axes, optional
            The axes to draw on; by default those of a new figure.
        **kwargs
            Options for `matplotlib.axes.Axes.plot`.

        Returns
        -------
        ClassHistoryDisplay
            There are at most 100 moments, the last of which is that of the last observation.

        Raises
        ------
        TypeError
            If `curve` is not a single light curve.
        LightCurveError
            If it has too few observations for the classifier, or no flux.
        ImportError
            If matplotlib is not installed.
        """
        if not isinstance(curve, LightCurve):
            raise TypeError(
                f"ClassHistoryDisplay draws one LightCurve, got a {type(curve).__name__}: pass one "
                "object, such as curves[0]."
            )
        points = _beginnings(curve, getattr(classifier, "min_points", 1))
        whole = as_light_curves([curve], min_points=None)
        parts = LightCurves.concatenate(
            [whole.truncate(points=int(n)) for n in points], prefix_ids=True
        )
        title = str(curve.id) if title is None else title
        display = cls(
            curve.time[points - 1],
            np.asarray(classifier.predict_proba(parts)),
            np.asarray(classifier.classes_).tolist(),
            start=float(np.floor(curve.time[0])),
            title=title,
        )
        return display.plot(ax, **kwargs)

    def plot(self, ax: Any = None, **kwargs: Any) -> ClassHistoryDisplay:
        """Draw the probabilities again.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            The axes to draw on; by default those of a new figure.
        **kwargs
            Options for `matplotlib.axes.Axes.plot`.

        Returns
        -------
        ClassHistoryDisplay
            The display itself.
        """
        self.figure_, self.ax_ = figure_and_axes(ax, type(self).__name__)
        self.lines_ = {}
        columns = zip(
            self.classes, self.probabilities.T, class_colours(len(self.classes)), strict=True
        )
        for label, probability, colour in columns:
            options = {"color": colour, "label": str(label), "drawstyle": "steps-post", **kwargs}
            (self.lines_[str(label)],) = self.ax_.plot(
                self.time - self.start, probability, **options
            )
        self.ax_.set(
            title=self.title or "",
            xlabel=f"days since {self.start:.0f}",
            ylabel="probability of the class",
            ylim=(-0.02, 1.02),
        )
        # The classes that matter, the most probable at the end first.
        last = np.argsort(-self.probabilities[-1], kind="stable")
        shown = [k for k in last if self.probabilities[:, k].max() >= _SHOWN]
        lines = list(self.lines_.values())
        self.ax_.legend(handles=[lines[k] for k in shown], framealpha=0.5, fontsize="small")
        return self


def _beginnings(curve: LightCurve, min_points: int) -> np.ndarray:
    """Return the numbers of observations of the beginnings that can be classified."""
    with_flux = np.flatnonzero(curve.flux != 0)
    fewest = max(min_points, int(with_flux[0]) + 1 if len(with_flux) else len(curve) + 1, 1)
    if len(curve) < fewest:
        raise LightCurveError(
            f"Object {curve.id!r} has {len(curve)} observation(s), of which {len(with_flux)} have "
            f"a flux other than zero, and {min_points} are needed to classify it: select others, "
            f"such as curves[curves.lengths >= {min_points}]."
        )
    ends = np.flatnonzero(np.append(np.diff(curve.time) > 0, True)) + 1
    ends = ends[ends >= fewest]
    chosen = np.linspace(0, len(ends) - 1, min(len(ends), _MOST_MOMENTS))
    return ends[np.unique(chosen.round().astype(int))]
