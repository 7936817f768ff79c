"""Sets of plausible classes, from labels that the heads have not seen."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklc.estimators.base import check_coverage
from sklc.estimators.class_fitting import why_nothing_was_held_out
from sklc.light_curves import LightCurves
from sklc.light_curves.usable import skips_unusable
from sklc.networks.heads import in_double_precision
from sklc.networks.phased import phases_of
from sklc.uncertainty.prediction_sets import prediction_sets, sets_by_phase

__all__ = ["PredictionSetsMixin", "class_sets"]


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


class PredictionSetsMixin:
    """The method `predict_set` of a classifier."""

    _curves: Any  # of the classifier

    @skips_unusable
    def predict_set(self, X, *, coverage=0.9, class_conditional=False, on_error="raise"):
        """Return a set of plausible classes for each object, with a given coverage.

        Least ambiguous sets (Sadinle, Lei & Wasserman 2019, JASA 114, 223), calibrated on labels
        that the head had not seen (see the Notes of the class), across folds where it was
        cross-fitted (Vovk 2015, Ann. Math. Artif. Intell. 74, 9). Light curves that look early are
        compared with prefixes of the training light curves that look as early.

        Parameters
        ----------
        X : light curves of n_objects
            In any form that `sklc.as_light_curves` takes.
        coverage : float, default=0.9
            Share of objects whose set contains their true class.
        class_conditional : bool, default=False
            Whether `coverage` holds within each class rather than over all objects. Sets become
            larger, and each class needs at least ``coverage / (1 - coverage)`` members to
            calibrate on.
        on_error : {"raise", "nan"}, default="raise"
            "raise" an error at an object that cannot be used, such as one that is too short, or
            give it an empty set and warn ("nan"): see `sklc.light_curves.unusable`.

        Returns
        -------
        ndarray of shape (n_objects, n_classes), bool
            Columns are in the order of ``classes_``. A set of several classes means that the light
            curve does not decide between them, and an empty one that no class explains it well.

        Raises
        ------
        ValueError
            If there are no or too few labels to calibrate on, or `coverage` is not within (0, 1).

        Notes
        -----
        For objects drawn like the training data, the expected coverage is at least `coverage` with
        one held-out part, and at least about ``2 * coverage - 1`` across folds (in practice close
        to `coverage`). With n labels it scatters by ``sqrt(coverage * (1 - coverage) / n)``.

        Examples
        --------
        >>> from sklc import TransferClassifier
        >>> from sklc.datasets import load_demo
        >>> curves, y = load_demo(return_X_y=True)
        >>> clf = TransferClassifier("any", random_state=0).fit(curves[::2], y[::2])
        >>> held = clf.predict_set(curves[1::2])[range(300), clf.classes_.searchsorted(y[1::2])]
        >>> bool(0.85 < held.mean() < 0.95)
        True
        """
        check_is_fitted(self)
        check_coverage(coverage)
        return class_sets(self, self._curves(X, reset=False), coverage, class_conditional)
