"""Sets of plausible classes, from labels that the heads have not seen."""

from __future__ import annotations

from typing import Any

import numpy as np

from sklc.estimators.class_fitting import why_nothing_was_held_out
from sklc.light_curves import LightCurves
from sklc.networks.heads import in_double_precision
from sklc.networks.phased import phases_of
from sklc.uncertainty.prediction_sets import prediction_sets, sets_by_phase

__all__ = ["class_sets"]


def class_sets(
    classifier: Any, curves: LightCurves, coverage: float, class_conditional: bool
) -> np.ndarray:
    """Return what `TransferClassifier.predict_set` promises, (n_objects, n_classes) of bool."""
    held_out = classifier._calibration
    if held_out is None:
        raise ValueError(why_nothing_was_held_out(classifier.finetune))
    latent, extra = classifier._latents(curves)
    probabilities = classifier._probabilities
    return sets_by_phase(
        getattr(classifier.uncertainty_, "prediction_sets", prediction_sets),
        held_out,
        probabilities,
        [probabilities(in_double_precision(h, latent, extra)) for h in held_out.heads],
        phases_of(classifier.head_, latent),
        classifier.classes_,
        coverage=float(coverage),
        class_conditional=bool(class_conditional),
    )
