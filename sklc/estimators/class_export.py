"""Fitted classifiers as ONNX files."""

from __future__ import annotations

from typing import Any

from sklearn.utils.validation import check_is_fitted

from sklc.context import Context
from sklc.estimators.novelty import novelty_of
from sklc.serving.export import export_classifier

__all__ = ["ExportMixin"]


class ExportMixin:
    """The method `to_onnx` of a classifier."""

    # Of the classifier.
    encoder_: Any
    head_: Any
    uncertainty_: Any
    merge_: Any
    classes_: Any
    metadata_columns_: Any
    features_: Any

    def to_onnx(self, path):
        """Export encoder and head as an ONNX file, for `sklc.serving.OnnxModel` or any runtime.

        Inputs are those of `LightCurveEncoder.to_onnx` and, where the head reads metadata,
        ``head_metadata``, float32 (n_objects, n_columns). Outputs are ``latent`` and
        ``probabilities``, as of `predict_proba`, and with a `novelty_score` also ``novelty``.

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
            If the method of calibration has no ``to_onnx``, or the classifier consists of several
            networks, or is adapted to surveys.
        sklearn.exceptions.NotFittedError
            If it is not fitted.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> from sklc import TransferClassifier
        >>> clf = TransferClassifier.pretrained("any")
        >>> folder = tempfile.TemporaryDirectory()
        >>> clf.to_onnx(Path(folder.name) / "classifier.onnx").name
        'classifier.onnx'
        >>> folder.cleanup()
        """
        check_is_fitted(self)
        if getattr(self, "_adapters", ()):
            raise NotImplementedError(
                "This classifier is adapted to surveys, and an exported model is not told the "
                "survey of an object: fit with adaptation=None to export it."
            )
        if len(getattr(self, "_encoders", ())) > 1:
            raise NotImplementedError(
                "This classifier consists of several networks, or of several passes through one, "
                "and an exported model holds a single pass: fit with uncertainty='bootstrap' or "
                "'mc-dropout', or with uncertainty=None, to export it."
            )
        return export_classifier(
            path,
            self.encoder_._source().network,
            self.head_,
            self.encoder_.representation_,
            uncertainty=self.uncertainty_,
            merge=self.merge_,
            classes=self.classes_,
            metadata_columns=self.encoder_.metadata_columns_,
            head_metadata_columns=self.metadata_columns_,
            features=self.features_,
            context=Context.of(self.encoder_.context),
            novelty=novelty_of(self),
        )
