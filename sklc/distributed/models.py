"""Models as workers get them: a name or a file with its checksum, loaded once per process."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import joblib

from sklc.errors import UnknownWeightsError, WeightsError
from sklc.estimators import (
    LatentIsolationForest,
    LightCurveEncoder,
    RedshiftRegressor,
    TransferClassifier,
)
from sklc.estimators.fingerprint import fingerprint, weights_digest
from sklc.estimators.persistence import saved_class
from sklc.serving import OnnxModel
from sklc.utils.text import shown
from sklc.weights.catalogue import file_digest

try:
    import cloudpickle
except ImportError:  # older versions of joblib bring their own
    from joblib.externals import cloudpickle

__all__ = ["ModelReference", "load_model"]

# An estimator that is passed by value travels with every task.
_LARGEST_BY_VALUE = 10_000_000
_PICKLES = (".joblib", ".pkl", ".pickle")

# What weights are used as, for each method.
_OF_WEIGHTS: dict[str, Callable[[Any], Any]] = {
    "transform": LightCurveEncoder.pretrained,
    "predict": TransferClassifier.pretrained,
    "predict_proba": TransferClassifier.pretrained,
    "redshift": RedshiftRegressor.pretrained,
    "anomaly_score": TransferClassifier.pretrained,
}
# What `save` of an estimator writes.
_SAVED = {
    cls.__name__: cls for cls in (LatentIsolationForest, RedshiftRegressor, TransferClassifier)
}


@dataclass(frozen=True)
class ModelReference:
    """Where a worker finds a model, and the checksum that tells whether it is the same one.

    Parameters
    ----------
    kind : {"weights", "file", "estimator"}
        Weights in the package, a file, or an estimator that was passed by value.
    name : str
        The name of the weights, the path of the file, or the class of the estimator.
    digest : str
        Checksum of the file, or fingerprint of the estimator.
    content : bytes
        The estimator, if it was passed by value.
    """

    kind: str
    name: str
    digest: str
    content: bytes = field(default=b"", repr=False, compare=False)

    @classmethod
    def of(cls, model: Any, sha256: str | None = None) -> ModelReference:
        """Return the reference to a model.

        Parameters
        ----------
        model : str, path or estimator
            As for `sklc.distributed.Predictor`.
        sha256 : str, optional
            The checksum that the file must have.

        Raises
        ------
        WeightsError
            If there is no such file or name, or the file has another checksum.
        ValueError
            If an estimator is too large to be sent with every task.
        """
        if not isinstance(model, str | os.PathLike):
            if sha256 is not None:
                raise TypeError(
                    "sha256= is the checksum of a file, and an estimator was passed: leave it out"
                )
            return cls._by_value(model)
        name, digest = weights_digest(model)
        path = Path(name)
        kind = "weights" if digest is not None and not path.exists() else "file"
        if digest is None:
            if path.suffix in (".onnx", *_PICKLES):
                raise WeightsError(f"There is no file {path.resolve()}: check the path.")
            LightCurveEncoder.pretrained(model)  # says which names there are
            raise UnknownWeightsError(f"{shown(name)} is neither a name of weights nor a file.")
        if sha256 is not None and sha256.lower() != digest:
            raise WeightsError(
                f"{name} has the sha256 {digest}, and not {sha256}: pass the file that was meant, "
                "or its own checksum."
            )
        return cls(kind, name if kind == "weights" else str(path.resolve()), digest)

    @classmethod
    def _by_value(cls, estimator: Any) -> ModelReference:
        if isinstance(estimator, OnnxModel):
            return cls.of(estimator.path)
        if not hasattr(estimator, "get_params"):
            raise TypeError(
                f"model is a {type(estimator).__name__}: pass the name of weights, the path of a "
                "file, or a fitted estimator"
            )
        content = cloudpickle.dumps(estimator)
        if len(content) > _LARGEST_BY_VALUE:
            raise ValueError(
                f"the {type(estimator).__name__} takes {len(content) / 1e6:.0f} MB, which would be "
                'sent with every task: save it with joblib.dump(model, "model.joblib") where all '
                'workers can read it, and pass model="model.joblib"'
            )
        return cls("estimator", type(estimator).__name__, fingerprint(estimator), content)


_lock = threading.Lock()


def load_model(reference: ModelReference, method: str) -> Any:
    """Return the estimator of a reference, which is loaded once per process.

    Parameters
    ----------
    reference : ModelReference
        The model.
    method : str
        What it is used for.

    Raises
    ------
    WeightsError
        If the file cannot be read by this process, or is not the one that was referred to.
    """
    with _lock:  # threads of one worker wait for the first, rather than load it again
        return _load(reference, method if reference.kind != "estimator" else "")


@lru_cache(maxsize=8)
def _load(reference: ModelReference, method: str) -> Any:
    if reference.kind == "estimator":
        return cloudpickle.loads(reference.content)
    name, digest = reference.name, reference.digest
    found = weights_digest(name)[1]
    if found is None:
        raise WeightsError(
            f"A worker cannot read the model {name}: put it where all workers can, under the same "
            "path."
        )
    if found != digest or (reference.kind == "file" and _digest_now(name) != digest):
        raise WeightsError(
            f"A worker has another model {name} than the one that was asked for (sha256 {found} "
            f"instead of {digest}): copy the file to all workers, and do not change it meanwhile."
        )
    if name.endswith(".onnx"):
        return OnnxModel(name)
    if name.endswith(_PICKLES):
        return joblib.load(name)
    saved = _SAVED.get(saved_class(name) or "") if reference.kind == "file" else None
    return _OF_WEIGHTS[method](name) if saved is None else saved.load(name)


def _digest_now(path: str) -> str | None:
    """Read the file again: its time and size may be those of a file that it has replaced."""
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError:
        return file_digest(path)
