"""What a fitted transfer classifier says of light curves: probabilities, classes, sets."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from sklc.errors import LightCurveError
from sklc.estimators.base import LightCurveEstimator
from sklc.estimators.encoder import LightCurveEncoder
from sklc.light_curves import LightCurves
from sklc.light_curves.metadata import metadata_matrix, name_object
from sklc.networks.heads import in_double_precision
from sklc.networks.inference.encode import encode_latents, resolve_device
from sklc.serving.export import export_classifier
from sklc.uncertainty.interface import ClassScores, ClassUncertainty, HeldOut
from sklc.uncertainty.prediction_sets import prediction_sets

__all__ = ["ClassPredictions"]


class ClassPredictions(ClassifierMixin, LightCurveEstimator):
    """Base of `TransferClassifier`: everything after `fit`."""

    # Set by `fit` of the subclass.
    finetune: str
    classes_: np.ndarray
    encoder_: LightCurveEncoder
    metadata_columns_: tuple[str, ...]
    net_: Any
    merge_: np.ndarray | None
    uncertainty_: ClassUncertainty
    _calibration: HeldOut | None

    @property
    def temperature_(self) -> float:
        """What logits are divided by; 1 without a method of calibration that has one."""
        return getattr(self.uncertainty_, "temperature_", 1.0)

    def predict_proba(self, X):
        """Class probabilities.

        Parameters
        ----------
        X : light curves of n_objects
            In any form that `sklc.as_light_curves` takes.

        Returns
        -------
        ndarray of shape (n_objects, n_classes), float64
            Columns in the order of ``classes_``; rows sum to 1.
        """
        check_is_fitted(self)
        return self._probabilities(self._logits(X))

    def predict_set(self, X, *, coverage=0.9, class_conditional=False):
        """Classes that are not implausible: sets that hold the true class with a given frequency.

        Least ambiguous sets (Sadinle, Lei & Wasserman 2019, JASA 114, 223), calibrated on
        training labels that the head had not seen: cross-conformal over folds of all labels
        (Vovk 2015, Ann. Math. Artif. Intell. 74, 9) for a linear head on a frozen encoder, or on
        the part that early stopping held out where networks were trained; with
        ``finetune="none"`` on the labels given to `fit`.

        Parameters
        ----------
        X : light curves of n_objects
            In any form that `sklc.as_light_curves` takes.
        coverage : float, default=0.9
            Share of objects whose set shall hold their class.
        class_conditional : bool, default=False
            Promise `coverage` within each class rather than over all: sets become larger, and
            each class needs members of its own to calibrate on, ``coverage / (1 - coverage)`` at
            least.

        Returns
        -------
        ndarray of shape (n_objects, n_classes), bool
            Columns in the order of ``classes_``. More than one True says that the light curve does
            not decide between them; none, that no class explains it well.

        Raises
        ------
        ValueError
            If there are no labels, or too few, to calibrate on, or `coverage` is not between 0
            and 1.

        Notes
        -----
        For objects drawn like the training data, whatever the quality of the classifier, the
        expected coverage is at least `coverage` where a part was held out once, and at least
        ``2 * coverage - 1`` across folds (less a term that vanishes with their size), where in
        practice it is close to `coverage`. Over repeats with n labels to calibrate on it
        scatters by ``sqrt(coverage * (1 - coverage) / n)``. Other surveys, cadences, or class
        frequencies than in training are not covered by the promise.

        Examples
        --------
        >>> from sklc import TransferClassifier
        >>> from sklc.datasets import load_demo
        >>> curves, y = load_demo(return_X_y=True)
        >>> clf = TransferClassifier("ztf+lsst", random_state=0).fit(curves[::2], y[::2])
        >>> sets = clf.predict_set(curves[1::2], coverage=0.9)
        >>> sets.shape, sets.dtype
        ((300, 3), dtype('bool'))
        >>> held = sets[range(300), clf.classes_.searchsorted(y[1::2])]
        >>> bool(0.85 < held.mean() < 0.95)
        True
        """
        check_is_fitted(self)
        if not (isinstance(coverage, (int, float, np.number)) and 0 < coverage < 1):
            raise ValueError(
                f"coverage={coverage!r} must be a number between 0 and 1, both excluded, such as "
                "coverage=0.9."
            )
        curves = self._curves(X, reset=False)
        held_out = self._calibration
        if held_out is None:
            raise ValueError(self._why_nothing_was_held_out())
        latent, extra = self._latents(curves)
        sets = getattr(self.uncertainty_, "prediction_sets", prediction_sets)
        return sets(
            held_out,
            self._probabilities(held_out.logits),
            [
                self._probabilities(in_double_precision(head, latent, extra))
                for head in held_out.heads
            ],
            self.classes_,
            coverage=float(coverage),
            class_conditional=bool(class_conditional),
        )

    def decision_function(self, X):
        """Logits over `temperature_`, or with two classes the log odds of the second.

        With `merge_classes` or `class_prior`, and with a method of calibration that has no
        temperature, they are log probabilities.

        Parameters
        ----------
        X : light curves of n_objects
            In any form that `sklc.as_light_curves` takes.

        Returns
        -------
        ndarray of shape (n_objects, n_classes), or (n_objects,) for two classes
        """
        check_is_fitted(self)
        scores = self._logits(X)
        if self.merge_ is None and hasattr(self.uncertainty_, "temperature_"):
            scores = scores / self.temperature_
        else:
            scores = self.uncertainty_.log_probabilities(ClassScores(scores, self.merge_))
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores

    def predict(self, X):
        """Most probable class of each object.

        Parameters
        ----------
        X : light curves of n_objects
            In any form that `sklc.as_light_curves` takes.

        Returns
        -------
        ndarray of shape (n_objects,)
            Of the type of the labels given to `fit`.
        """
        check_is_fitted(self)
        return self.classes_[np.argmax(self.predict_proba(X), axis=1)]

    def score(self, X, y, sample_weight=None):
        """Accuracy on labelled light curves.

        Parameters
        ----------
        X : light curves of n_objects
        y : array-like of shape (n_objects,)
        sample_weight : array-like of shape (n_objects,), optional

        Returns
        -------
        float

        Raises
        ------
        LightCurveError
            If y holds a label that was never seen in `fit`, and so can never be predicted.
        """
        check_is_fitted(self)
        curves = self._curves(X, reset=False)
        self._refuse_unseen(self._labels(y, curves), curves)
        return super().score(curves, y, sample_weight)

    def to_onnx(self, path):
        """Export encoder and head as an ONNX file, for `sklc.serving.OnnxModel` or any runtime.

        Inputs are ``values``, float32 (n_objects, longest, n_channels), ``lengths``, int32
        (n_objects,), and where the classifier reads metadata ``metadata`` (of the encoder) or
        ``head_metadata`` (of the head), float32 (n_objects, n_columns). Outputs are ``latent`` and
        ``probabilities``, calibrated, merged and weighted as those of `predict_proba`. The input
        convention is in the file's metadata, as JSON under the key "sklc".

        Parameters
        ----------
        path : str or path
            The file to write; it is replaced whole or not at all.

        Returns
        -------
        pathlib.Path
            The file.

        Raises
        ------
        ImportError
            If the package onnx is not installed.
        NotImplementedError
            If the method of calibration has no ``to_onnx``.
        sklearn.exceptions.NotFittedError
            If it is not fitted.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> from sklc import TransferClassifier
        >>> clf = TransferClassifier.pretrained("ztf+lsst")
        >>> folder = tempfile.TemporaryDirectory()
        >>> clf.to_onnx(Path(folder.name) / "classifier.onnx").name
        'classifier.onnx'
        >>> folder.cleanup()
        """
        check_is_fitted(self)
        return export_classifier(
            path,
            self.encoder_.net_.module_,
            self.net_.module_.head,
            self.encoder_.representation_,
            uncertainty=self.uncertainty_,
            merge=self.merge_,
            classes=self.classes_,
            metadata_columns=self.encoder_.metadata_columns_,
            head_metadata_columns=self.metadata_columns_,
        )

    def _latents(self, curves: LightCurves) -> tuple[np.ndarray, np.ndarray | None]:
        """Latents, (n_objects, latent_size), and the metadata that join them."""
        latent = encode_latents(
            self.encoder_.net_.module_,
            self.encoder_.representation_,
            curves,
            metadata_matrix(curves, self.encoder_.metadata_columns_),
            device=resolve_device(self.device),
        )
        return latent, metadata_matrix(curves, self.metadata_columns_)

    def _logits(self, X) -> np.ndarray:
        """Logits, (n_objects, n_outputs) float64."""
        latents = self._latents(self._curves(X, reset=False))
        return in_double_precision(self.net_.module_.head, *latents)

    def _probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Probabilities of ``classes_``, calibrated, (n_objects, n_classes)."""
        return np.exp(self.uncertainty_.log_probabilities(ClassScores(logits, self.merge_)))

    def _fit_uncertainty(self, held_out: HeldOut, class_weight: np.ndarray) -> None:
        """Learn on what was held out, with weights of the classes."""
        weight = class_weight[held_out.target] * held_out.sample_weight
        scores = ClassScores(held_out.logits, self.merge_)
        self.uncertainty_.fit(scores, held_out.target, weight)

    def _why_nothing_was_held_out(self) -> str:
        if self.finetune == "none":
            return (
                "Prediction sets are calibrated on labels, and this classifier has seen none: "
                "fit(X, y) with some labelled light curves; with finetune='none' that trains "
                "nothing else."
            )
        return (
            "Prediction sets are calibrated on labels that were held out of training, and none "
            "were: fit with early_stopping=True and at least two members of each class; if you "
            "pass an encoder that is trained on the labels first, set its early_stopping too."
        )

    def _refuse_unseen(self, y: np.ndarray, curves: LightCurves) -> None:
        unseen = ~np.isin(y, self.classes_)
        if unseen.any():
            first = int(np.flatnonzero(unseen)[0])
            raise LightCurveError(
                f"y holds labels that are not among the classes of this classifier, "
                f"{sorted(set(y[unseen].tolist()))}, first for {name_object(curves, first)}. "
                f"They can never be predicted from {self.classes_.tolist()}: drop those objects, "
                "merge the labels, or fit with examples of them."
            )
