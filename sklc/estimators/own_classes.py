"""The classes of pretrained weights, used as they are, and calibrated on labels."""

from __future__ import annotations

from typing import Any

import numpy as np

from sklc.estimators.class_fitting import hold_out_of_own, targets_among
from sklc.estimators.class_modes import check_mode
from sklc.estimators.pretrained_classes import merge_matrix, prior_shares
from sklc.estimators.sample import TrainingSample
from sklc.light_curves import LightCurves
from sklc.networks.heads import own_head
from sklc.uncertainty.registry import class_uncertainty

__all__ = ["calibrate_own_classes", "use_own_classes"]


def use_own_classes(classifier: Any) -> None:
    """Let a classifier predict with the classes of the weights themselves.

    Parameters
    ----------
    classifier : TransferClassifier
        The classifier, with ``finetune="none"``.
    """
    check_mode(classifier)
    classifier._validate_params()  # `pretrained` does not call `fit`
    encoder = classifier._with_weights()
    own_head(encoder._source().network)  # refuses an encoder without classes
    classifier.encoder_, classifier.metadata_columns_, classifier.C_ = encoder, (), None
    classifier.uncertainty_, classifier._calibration = class_uncertainty(None), None
    classifier._head, classifier._history, classifier.features_ = None, [], None
    classifier._encoders, classifier._adapters = (), ()
    chosen = encoder.classes_, classifier.merge_classes
    classifier.classes_, merge = merge_matrix(*chosen)
    carried = encoder._source().info.get("class_shares")
    classifier.merge_ = prior_shares(*chosen, classifier.class_prior, carried)[:, None] * merge
    classifier._left_out = ~merge.any(axis=1)


def calibrate_own_classes(classifier: Any, curves: LightCurves, y: Any, sample_weight: Any) -> None:
    """Check labels in the classes of the weights, and calibrate on them.

    Parameters
    ----------
    classifier : TransferClassifier
        A classifier that predicts with these classes.
    curves : LightCurves
        Light curves of n_objects.
    y, sample_weight : array-like of shape (n_objects,)
        Their labels and weights.
    """
    y = classifier._labels(y, curves)
    # scikit-learn's meta-estimators number the labels before they fit.
    if np.array_equal(np.unique(y), np.arange(len(classifier.classes_))):
        classifier.classes_ = np.arange(len(classifier.classes_))
    target = targets_among(classifier.classes_, y, curves)
    sample = TrainingSample.of(curves, target, sample_weight)
    held_out = hold_out_of_own(classifier.encoder_, sample, sample.y, slice(None))
    classifier._calibration = held_out
    if classifier.calibrate is not None:
        classifier._fit_uncertainty(held_out, np.ones(len(classifier.classes_)))
