"""Exported models, run by ONNX Runtime alone: what a broker needs to serve alerts one by one."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from sklc.context import Context
from sklc.errors import WeightsError
from sklc.features import describe
from sklc.light_curves.coerce import as_light_curves, check_form
from sklc.light_curves.container import LightCurves
from sklc.light_curves.metadata import metadata_matrix
from sklc.light_curves.usable import Screened, screen, skips_unusable
from sklc.networks.onnx.session import open_session
from sklc.networks.padding import pad, plan_batches
from sklc.representation import InputRepresentation
from sklc.serving.checksum import is_intact
from sklc.serving.features import import_features
from sklc.utils.processes import in_worker
from sklc.utils.text import shown

__all__ = ["OnnxModel"]

# Files of versions 1 to 3 have no checksum.
FORMAT_VERSION, _FIRST_WITH_CHECKSUM = 4, 4
# The key of the JSON text in the metadata of the file.
METADATA_KEY = "sklc"
# Number of objects in a batch; they are of similar length.
_BATCH = 24
# Sessions of the parent of a forked child.
_INHERITED: list[Any] = []


class OnnxModel:
    """An encoder or classifier written by ``to_onnx``, ready to predict; torch is not needed.

    It predicts one light curve in about a millisecond, with the input convention that the file
    carries.

    Parameters
    ----------
    path : str or path
        The file.
    n_threads : int, default=1
        Threads of ONNX Runtime within a call. One is best for single light curves.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels, in the order of the columns of `predict_proba`.
    representation : InputRepresentation
        How a light curve becomes the model's input.
    metadata_columns : tuple of str
        Per-object columns that it reads besides the light curve.
    context : dict
        Metadata columns in which it finds what is known of an object beside its light curve, by
        item; see `LightCurveEncoder`. Empty for a model that was exported without `context`.
    outputs : tuple of str
        Names of what it computes.

    Raises
    ------
    ImportError
        If ONNX Runtime is not installed.
    WeightsError
        If the file is not there, damaged, or was not written by ``to_onnx``.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklc import TransferClassifier
    >>> from sklc.datasets import load_demo
    >>> from sklc.serving import OnnxModel
    >>> curves, y = load_demo(return_X_y=True)
    >>> clf = TransferClassifier("any", random_state=0).fit(curves[::2], y[::2])
    >>> folder = tempfile.TemporaryDirectory()
    >>> model = OnnxModel(clf.to_onnx(Path(folder.name) / "classifier.onnx"))
    >>> model.classes_.tolist()
    ['SNII', 'SNIa', 'SNIb/c']
    >>> bool(abs(model.predict_proba(curves[1:2]) - clf.predict_proba(curves[1:2])).max() < 1e-4)
    True
    >>> folder.cleanup()
    """

    def __init__(self, path: str | os.PathLike[str], *, n_threads: int = 1) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise ImportError(
                "Serving an exported model needs ONNX Runtime: pip install onnxruntime"
            ) from error
        self.path = Path(path)
        try:
            content = self.path.read_bytes()
        except OSError as error:
            problem = f"The file {self.path} cannot be read ({error.strerror})"
            if not self.path.is_file():
                problem = f"There is no file {self.path}"
            raise WeightsError(f"{problem}: write it with classifier.to_onnx(path).") from error
        intact = is_intact(content)
        if intact is False:
            raise self._damaged("it does not match its checksum")
        try:
            # Not from the path: a model must not name other files to be read.
            session = open_session(content, n_threads=n_threads)
        except Exception as error:  # ONNX Runtime has many kinds, none of them public
            raise WeightsError(
                f"{self.path} is not a model that this ONNX Runtime ({onnxruntime.__version__}) "
                f"can load ({str(error).strip()[:200]}): write it again with "
                "classifier.to_onnx(path), or upgrade onnxruntime."
            ) from error
        self._content, self._n_threads = content, n_threads
        self._opened = os.getpid(), session
        try:
            stored = session.get_modelmeta().custom_metadata_map.get(METADATA_KEY)
        except UnicodeDecodeError as error:  # its names are no text
            raise self._damaged(str(error)) from error
        if stored is None:
            raise WeightsError(
                f"{self.path} is an ONNX model, but not one written by sklc: it carries no input "
                "convention. Write models with encoder.to_onnx(path) or classifier.to_onnx(path)."
            )
        try:
            self._read_convention(json.loads(stored), intact)
        except WeightsError:
            raise
        except Exception as error:  # whatever a convention that is damaged may raise
            raise self._damaged(str(error) or type(error).__name__) from error

    def _damaged(self, reason: str) -> WeightsError:
        return WeightsError(
            f"The model {self.path} is damaged ({reason[:200]}): copy it again, or write it again "
            "with classifier.to_onnx(path)."
        )

    def _read_convention(self, convention: dict[str, Any], intact: bool | None) -> None:
        """Take over how light curves become inputs, and check that it fits the graph."""
        version = convention["format_version"]
        if not isinstance(version, int) or version < 1:
            raise ValueError(f"its format_version is {shown(version)}")
        if version > FORMAT_VERSION:
            raise WeightsError(
                f"{self.path} has format {shown(version)}, and this sklc reads up "
                f"to {FORMAT_VERSION}: upgrade with `pip install --upgrade sklc`."
            )
        if version >= _FIRST_WITH_CHECKSUM and not intact:
            raise ValueError("it has lost its checksum")
        self.representation = InputRepresentation.from_dict(convention["representation"])
        self.classes_ = np.asarray(convention["classes"])
        self._columns = {
            "metadata": tuple(convention["metadata_columns"]),
            "head_metadata": tuple(convention["head_metadata_columns"]),
        }
        self.metadata_columns = self._columns["metadata"] + self._columns["head_metadata"]
        self._context, self._context_channels = None, ()
        if "context" in convention:
            self._context = Context.of(convention["context"]["columns"])
            self._context_channels = tuple(convention["context"]["channels"])
        self._features = None
        if "features" in convention:
            self._features = import_features(convention["features"])
        outputs = self._session.get_outputs()
        self.outputs = tuple(output.name for output in outputs)
        self._shapes = {output.name: int(output.shape[1]) for output in outputs}
        inputs = {given.name: given.shape for given in self._session.get_inputs()}
        widths = {"values": len(self.representation.channels)} | {
            name: len(own) for name, own in self._columns.items() if own
        }
        for name, width in widths.items():
            if inputs[name][-1] != width:
                raise ValueError(f"its graph reads {inputs[name][-1]} {name}, and it names {width}")
        if self._shapes.get("probabilities", len(self.classes_)) != len(self.classes_):
            raise ValueError(f"it names {len(self.classes_)} classes, and its graph has others")

    @property
    def _session(self) -> Any:
        """The session of this process: a forked child must not use that of its parent."""
        if self._opened[0] != os.getpid():
            session = open_session(self._content, n_threads=1 if in_worker() else self._n_threads)
            # The end of an inherited session would wait for threads that a child does not have.
            _INHERITED.append(self._opened)
            self._opened = os.getpid(), session
        return self._opened[1]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_opened": (0, None)}

    @property
    def context(self) -> dict[str, str | bool]:
        """Metadata columns of the context, by item."""
        return {} if self._context is None else dict(self._context.columns)

    @skips_unusable
    def transform(self, X: Any, *, on_error: str = "raise") -> np.ndarray:
        """Latents.

        Parameters
        ----------
        X : light curves of n_objects
            In any form that `sklc.as_light_curves` takes.
        on_error : {"raise", "nan"}, default="raise"
            "raise" an error at an object that cannot be used, such as one that is too short, or
            give it a row of NaN and warn ("nan"): see `sklc.light_curves.unusable`.

        Returns
        -------
        ndarray of shape (n_objects, latent_size), float32

        Raises
        ------
        LightCurveError
            If an object cannot be used; the message names it and the remedy.
        """
        return self.run(X, "latent")

    @skips_unusable
    def predict_proba(self, X: Any, *, on_error: str = "raise") -> np.ndarray:
        """Class probabilities.

        Parameters
        ----------
        X : light curves of n_objects
            In any form that `sklc.as_light_curves` takes.
        on_error : {"raise", "nan"}, default="raise"
            "raise" an error at an object that cannot be used, such as one that is too short, or
            give it a row of NaN and warn ("nan"): see `sklc.light_curves.unusable`.

        Returns
        -------
        ndarray of shape (n_objects, n_classes), float32
            Columns in the order of ``classes_``.

        Raises
        ------
        LightCurveError
            If an object cannot be used; the message names it and the remedy.
        ValueError
            If the model has no classes.
        """
        return self.run(X, "probabilities")

    @skips_unusable
    def predict(self, X: Any, *, on_error: str = "raise") -> np.ndarray:
        """Most probable class of each object.

        Parameters
        ----------
        X : light curves of n_objects
            In any form that `sklc.as_light_curves` takes.
        on_error : {"raise", "nan"}, default="raise"
            "raise" an error at an object that cannot be used, such as one that is too short, or
            give it None (NaN among numbers) and warn ("nan"): see `sklc.light_curves.unusable`.

        Returns
        -------
        ndarray of shape (n_objects,)
        """
        return self.classes_[np.argmax(self.predict_proba(X), axis=1)]

    @skips_unusable
    def novelty_score(self, X: Any, *, on_error: str = "raise") -> np.ndarray:
        """Probability that an object belongs to none of the classes.

        Parameters
        ----------
        X : light curves of n_objects
            In any form that `sklc.as_light_curves` takes.
        on_error : {"raise", "nan"}, default="raise"
            "raise" an error at an object that cannot be used, such as one that is too short, or
            give it NaN and warn ("nan"): see `sklc.light_curves.unusable`.

        Returns
        -------
        ndarray of shape (n_objects,), float32
            As that of `TransferClassifier.novelty_score`.

        Raises
        ------
        LightCurveError
            If an object cannot be used; the message names it and the remedy.
        ValueError
            If the model was exported from weights without a novelty score.
        """
        return self.run(X, "novelty")[:, 0]

    @skips_unusable
    def run(self, X: Any, output: str, *, on_error: str = "raise") -> np.ndarray:
        """Return any of the outputs of the model.

        Parameters
        ----------
        X : light curves of n_objects
            In any form that `sklc.as_light_curves` takes.
        output : str
            One of `outputs`. "redshift" has the mean and the standard deviation of
            ``ln(1 + z)``.
        on_error : {"raise", "nan"}, default="raise"
            "raise" an error at an object that cannot be used, such as one that is too short, or
            give it a row of NaN and warn ("nan"): see `sklc.light_curves.unusable`.

        Returns
        -------
        ndarray of shape (n_objects, n_columns), float32

        Raises
        ------
        LightCurveError
            If an object cannot be used; the message names it and the remedy.
        ValueError
            If the model has no such output.
        """
        if output not in self.outputs:
            raise ValueError(
                f"{self.path.name} has no output {output!r}: it has {list(self.outputs)}."
            )
        check_form(X, fitted_on_series=None)
        curves = as_light_curves(X)
        result = np.empty((len(curves), self._shapes[output]), dtype=np.float32)
        if not len(curves):
            return result
        matrices = self._metadata(curves)
        if self._features is not None:
            matrices["features"] = describe(self._features, curves).astype(np.float32)
        values, lengths = self.representation.encode(curves)
        starts = np.cumsum(lengths) - lengths
        for rows in plan_batches(lengths, _BATCH, None):
            batch = {name: matrix[rows] for name, matrix in matrices.items()}
            batch["values"] = pad(values, starts[rows], lengths[rows])
            batch["lengths"] = lengths[rows].astype(np.int32)
            result[rows] = self._session.run([output], batch)[0]
        return result

    def _screen(self, X: Any) -> Screened:
        return screen(X, check=self._metadata)

    def _metadata(self, curves: LightCurves) -> dict[str, np.ndarray]:
        """Per-object columns by the names of the inputs that they are."""
        self.representation.check(curves)
        columns = {name: metadata_matrix(curves, own) for name, own in self._columns.items()}
        if self._context is not None:
            known = self._context.read(curves, self.representation)
            columns["context"] = known.channels(self._context_channels)
        return {name: matrix for name, matrix in columns.items() if matrix is not None}

    def __repr__(self) -> str:
        return f"OnnxModel({self.path.name!r}, {len(self.classes_)} classes)"
