"""Hand-crafted features of light curves: joined to latents, and the baseline to compare with."""

from sklc.features.described import describe
from sklc.features.extractor import DEFAULT_BIN_EDGES, LightCurveFeatures
from sklc.light_curves.periods import find_periods

__all__ = ["DEFAULT_BIN_EDGES", "LightCurveFeatures", "describe", "find_periods"]
