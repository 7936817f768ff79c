"""Calibrated probabilities, prediction sets and intervals, on objects that a head has not seen."""

from sklc.uncertainty.interface import ClassScores, ClassUncertainty, HeldOut, RedshiftUncertainty
from sklc.uncertainty.prediction_sets import prediction_sets
from sklc.uncertainty.quantiles import ConformalQuantiles
from sklc.uncertainty.registry import register_uncertainty
from sklc.uncertainty.temperature import Temperature

__all__ = [
    "ClassScores",
    "ClassUncertainty",
    "ConformalQuantiles",
    "HeldOut",
    "RedshiftUncertainty",
    "Temperature",
    "prediction_sets",
    "register_uncertainty",
]
