"""Calibrated probabilities, prediction sets and intervals, and several predictions per object."""

from sklc.uncertainty.interface import (
    ClassSampling,
    ClassScores,
    ClassUncertainty,
    HeldOut,
    RedshiftUncertainty,
    SamplingSettings,
)
from sklc.uncertainty.prediction_sets import prediction_sets
from sklc.uncertainty.quantiles import ConformalQuantiles
from sklc.uncertainty.registry import register_uncertainty
from sklc.uncertainty.sampling import (
    Bootstrap,
    Ensemble,
    HAMCDropout,
    MCDropout,
    StochasticAttention,
)
from sklc.uncertainty.scores import uncertainty_scores
from sklc.uncertainty.temperature import Temperature

__all__ = [
    "Bootstrap",
    "ClassSampling",
    "ClassScores",
    "ClassUncertainty",
    "ConformalQuantiles",
    "Ensemble",
    "HeldOut",
    "HAMCDropout",
    "MCDropout",
    "RedshiftUncertainty",
    "SamplingSettings",
    "StochasticAttention",
    "Temperature",
    "prediction_sets",
    "register_uncertainty",
    "uncertainty_scores",
]
