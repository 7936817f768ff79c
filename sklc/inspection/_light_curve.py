"""Plot of one light curve."""

from __future__ import annotations

from typing import Any

import numpy as np

from sklc.errors import LightCurveError
from sklc.inspection._axes import figure_and_axes, passband_colour
from sklc.light_curves import LightCurve
from sklc.passbands import passband_labels

# A marker for each survey, so that two surveys' g bands can be told apart.
_SURVEY_MARKERS = "osD^vPX*"


class LightCurveDisplay:
    """Plot of one light curve, with a colour for each passband.

    Use `from_curve`. Non-detections, whose signal-to-noise ratio is below a limit, are drawn
    faintly.

    Parameters
    ----------
    curve : LightCurve
        The light curve of one object.
    detected : ndarray of bool, shape (n_obs,)
        Whether each observation is a detection, which is drawn in full colour.
    snr : float
        The least signal-to-noise ratio of a detection.
    title : str or None
        Title of the plot; by default the id of the object.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the plot.
    figure_ : matplotlib Figure
        The figure of the axes.
    errorbars_ : dict of str to list of ErrorbarContainer
        The points that were drawn, by name of the passband; if names repeat, the keys also have
        survey and wavelength.

    Examples
    --------
    >>> from sklc.datasets import load_demo
    >>> from sklc.inspection import LightCurveDisplay
    >>> curves = load_demo().curves
    >>> display = LightCurveDisplay.from_curve(curves[0])
    >>> list(display.errorbars_)
    ['ztfg', 'ztfr']
    """

    ax_: Any
    figure_: Any
    errorbars_: dict[str, list[Any]]

    def __init__(
        self, curve: LightCurve, detected: np.ndarray, *, snr: float = 3.0, title: str | None = None
    ) -> None:
        self.curve = curve
        self.detected = detected
        self.snr = snr
        self.title = title

    @classmethod
    def from_curve(
        cls,
        curve: LightCurve,
        *,
        snr: float = 3.0,
        title: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> LightCurveDisplay:
        """Draw a light curve.

        Parameters
        ----------
        curve : LightCurve
            The light curve of one object, such as ``curves[0]``.
        snr : float, default=3.0
            Observations with ``flux < snr * flux_err`` are drawn faintly. Those of unknown error
            are not.
        title : str, optional
            Title; by default the id of the object.
        ax : matplotlib Axes, optional
            The axes to draw on; by default those of a new figure.
        **kwargs
            Options for `matplotlib.axes.Axes.errorbar`.

        Returns
        -------
        LightCurveDisplay

        Raises
        ------
        TypeError
            If `curve` is not a single light curve.
        LightCurveError
            If it has no observations.
        ImportError
            If matplotlib is not installed.
        """
        if not isinstance(curve, LightCurve):
            raise TypeError(
                f"LightCurveDisplay draws one LightCurve, got a {type(curve).__name__}: pass one "
                "object, such as curves[0]."
            )
        if not len(curve):
            raise LightCurveError(
                f"Object {curve.id!r} has no observations to draw: select others with "
                "curves[curves.lengths > 0]."
            )
        # A comparison with an unknown error (NaN) is false: such an observation is not faint.
        detected = ~(curve.flux < snr * curve.flux_err)
        return cls(curve, detected, snr=snr, title=title).plot(ax, **kwargs)

    def plot(self, ax: Any = None, **kwargs: Any) -> LightCurveDisplay:
        """Draw the light curve again.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            The axes to draw on; by default those of a new figure.
        **kwargs
            Options for `matplotlib.axes.Axes.errorbar`.

        Returns
        -------
        LightCurveDisplay
            The display itself.
        """
        self.figure_, self.ax_ = figure_and_axes(ax, type(self).__name__)
        curve = self.curve
        start = np.floor(curve.time[0])
        by_wavelength = sorted(enumerate(curve.passbands), key=lambda item: item[1].wavelength)
        labels = passband_labels(curve.passbands)
        surveys = list(dict.fromkeys(passband.survey for _, passband in by_wavelength))
        style = {"linestyle": "none", "markersize": 4, "elinewidth": 1, **kwargs}
        self.errorbars_ = {}
        for code, passband in by_wavelength:
            drawn = self.errorbars_[labels[code]] = []
            marker = _SURVEY_MARKERS[surveys.index(passband.survey) % len(_SURVEY_MARKERS)]
            for shown, alpha in ((self.detected, 1.0), (~self.detected, 0.25)):
                rows = shown & (curve.band == code)
                if not rows.any():
                    continue
                look = {"color": passband_colour(passband), "marker": marker, "alpha": alpha}
                x, y, yerr = curve.time[rows] - start, curve.flux[rows], curve.flux_err[rows]
                yerr = None if np.isnan(yerr).all() else yerr
                drawn.append(self.ax_.errorbar(x, y, yerr=yerr, **(look | style)))
        self.ax_.set(
            title=str(curve.id) if self.title is None else self.title,
            xlabel=f"days since {start:.0f}",
            ylabel=f"flux (AB zero point {curve.zero_point:g})",
        )
        if not self.detected.all():
            self.ax_.axhline(0, color="0.6", linewidth=0.8, zorder=0)
        faint = None if self.detected.all() else f"faint: below {self.snr:g} sigma"
        # Half transparent: where the curve leaves no room, the points below still show.
        self.ax_.legend(handles=self._legend_handles(), title=faint, framealpha=0.5)
        return self

    def _legend_handles(self) -> list[Any]:
        """One marker per passband in full colour, even where there are only non-detections."""
        from matplotlib.lines import Line2D

        handles = []
        for name, (first, *_) in self.errorbars_.items():
            handle = Line2D([], [])
            handle.update_from(first.lines[0])
            handle.set(alpha=1, label=name)
            handles.append(handle)
        return handles
