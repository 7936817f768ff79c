"""The container for light curves, and the function that converts other forms of data to it."""

from sklc.light_curves.coerce import as_light_curves, check_usable, is_series_matrix
from sklc.light_curves.container import LightCurves
from sklc.light_curves.light_curve import LightCurve
from sklc.light_curves.options import ReadOptions
from sklc.light_curves.registry import READERS, Reader, register_reader
from sklc.light_curves.streaming import stream
from sklc.light_curves.usable import unusable

__all__ = [
    "READERS",
    "LightCurve",
    "LightCurves",
    "ReadOptions",
    "Reader",
    "as_light_curves",
    "check_usable",
    "concatenate",
    "is_series_matrix",
    "register_reader",
    "stream",
    "unusable",
]

concatenate = LightCurves.concatenate
