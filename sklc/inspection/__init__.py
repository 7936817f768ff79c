"""Displays in the style of scikit-learn, and how well surveys are aligned in a latent space.

Each display has a ``from_...`` class method that computes and draws it, and a method ``plot`` that
draws it again. They need matplotlib: ``pip install "sklc[plot]"``. `survey_alignment` does not.
"""

from __future__ import annotations

from sklc.inspection._alignment import SurveyAlignment, survey_alignment
from sklc.inspection._class_history import ClassHistoryDisplay
from sklc.inspection._latent_map import LatentMapDisplay
from sklc.inspection._light_curve import LightCurveDisplay
from sklc.inspection._misclassification import MisclassificationDisplay, misclassification_auc
from sklc.inspection._roc import RocDisplay

__all__ = [
    "ClassHistoryDisplay",
    "LatentMapDisplay",
    "LightCurveDisplay",
    "MisclassificationDisplay",
    "RocDisplay",
    "SurveyAlignment",
    "misclassification_auc",
    "survey_alignment",
]
