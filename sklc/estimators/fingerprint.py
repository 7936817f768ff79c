"""What an estimator has learned, as one number that says whether two of them predict the same."""

from __future__ import annotations

import os
from typing import Any

import torch
from joblib.hashing import NumpyHasher
from skorch import NeuralNet

from sklc.weights.catalogue import file_digest, manifest

__all__ = ["fingerprint", "weights_digest"]


def fingerprint(estimator: Any) -> str:
    """Return a checksum of an estimator's parameters and of everything that it has learned.

    Parameters
    ----------
    estimator : estimator
        Any estimator, or pipeline of estimators, of sklc or scikit-learn.

    Returns
    -------
    str
        40 hexadecimal digits, the same in every process. Of pretrained weights, the content of the
        file counts, not its name.

    Examples
    --------
    >>> from sklc import LightCurveEncoder
    >>> from sklc.estimators.fingerprint import fingerprint
    >>> fingerprint(LightCurveEncoder("ztf-v1")) == fingerprint(LightCurveEncoder("ztf-v1"))
    True
    >>> fingerprint(LightCurveEncoder("ztf-v1")) == fingerprint(LightCurveEncoder("ztf-v2"))
    False
    """
    return _Hasher(hash_name="sha1").hash(estimator)


def weights_digest(weights: str | os.PathLike[str]) -> tuple[str, str | None]:
    """Return the full name of pretrained weights, or a path, and the sha256 of the file.

    Parameters
    ----------
    weights : str or path
        As for `sklc.LightCurveEncoder`. The checksum is None if there is no such file.

    Examples
    --------
    >>> from sklc.estimators.fingerprint import weights_digest
    >>> weights_digest("ztf")[0].startswith("ztf-v")
    True
    """
    known, name = manifest(), os.fspath(weights)
    name = known["aliases"].get(name, name)
    entry = known["weights"].get(name)
    return name, file_digest(name) if entry is None else entry["sha256"]


class _Hasher(NumpyHasher):
    """Hashes the content of tensors and of weights files, which pickles would not hold exactly."""

    def save(self, obj: Any) -> None:
        if isinstance(obj, NeuralNet):  # without the history of its training, which has durations
            module = obj.module_
            obj = ("net", repr(getattr(module, "config", type(module))), module.state_dict())
        elif isinstance(obj, torch.Tensor):
            obj = ("tensor", obj.detach().cpu().numpy())
        elif isinstance(getattr(obj, "weights", None), str | os.PathLike):
            obj = (type(obj).__name__, weights_digest(obj.weights)[1], obj.__getstate__())
        super().save(obj)
