"""Hand-crafted features of light curves, the baseline to compare with."""

from sklc.features.extractor import DEFAULT_BIN_EDGES, LightCurveFeatures

__all__ = ["DEFAULT_BIN_EDGES", "LightCurveFeatures"]
