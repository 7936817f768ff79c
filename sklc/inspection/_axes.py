"""Axes, and the colours of passbands and classes, which all displays share."""

from __future__ import annotations

from typing import Any

import numpy as np

from sklc.passbands.registry import Passband

# A passband has the same colour in every figure: pink and violet in the ultraviolet, blue to red
# in the visible, brown to grey in the infrared. Blue and orange, not green and red, for the two
# bands that most light curves have, g and r: colour-blind readers see these differ.
_WAVELENGTH_COLOURS = (
    (0.19, "#f08bd8"),
    (0.26, "#b03ad0"),
    (0.36, "#4b2fb0"),
    (0.48, "#1786c2"),
    (0.56, "#7f9f3f"),
    (0.63, "#e0761a"),
    (0.76, "#cc1f3a"),
    (0.87, "#7a2a1a"),
    (0.97, "#201414"),
    (2.20, "#555555"),
    (4.60, "#b0b0b0"),
)
# Okabe & Ito's colours for colour-blind readers, without the two that are faint on white.
_CLASS_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#000000")


def figure_and_axes(ax: Any, caller: str) -> tuple[Any, Any]:
    """Return the figure and axes to draw on; new ones if `ax` is None."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(f'{caller} needs matplotlib: pip install "sklc[plot]"') from error
    if ax is None:
        _, ax = plt.subplots(layout="constrained")
    return ax.figure, ax


def passband_colour(passband: Passband) -> Any:
    """Return the colour (RGBA) of a passband, from its wavelength alone."""
    from matplotlib.colors import to_rgba_array

    wavelengths, colours = zip(*_WAVELENGTH_COLOURS, strict=True)
    at, known = np.log(passband.wavelength), np.log(wavelengths)
    return tuple(float(np.interp(at, known, channel)) for channel in to_rgba_array(colours).T)


def class_colours(n_classes: int) -> list[Any]:
    """Return one colour per class; the same number of classes has the same colours."""
    if n_classes <= len(_CLASS_COLOURS):
        return list(_CLASS_COLOURS[:n_classes])
    from matplotlib import colormaps

    return [colormaps["tab20"](k % 20) for k in range(n_classes)]
