"""`save` and `load`: fitted estimators as safetensors files, which hold no code."""

from __future__ import annotations

import json
import os
import platform
import warnings
from dataclasses import replace
from importlib.metadata import version
from inspect import signature
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import safetensors
from safetensors.numpy import save
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from sklc._version import __version__
from sklc.errors import LightCurveWarning, WeightsError
from sklc.estimators.persistence_codec import Reader, Writer
from sklc.utils.files import replace_file
from sklc.utils.text import listed, shown
from sklc.weights.catalogue import shipped
from sklc.weights.checks import read_json
from sklc.weights.file import (
    ESTIMATOR_KEY,
    WeightsFile,
    header_digest,
    load_weights,
    tensor_digest,
)
from sklc.weights.trained import TrainedWeights

__all__ = ["FORMAT_VERSION", "load_estimator", "parameters_of", "save_estimator", "saved_class"]

FORMAT_VERSION = 1
_Estimator = TypeVar("_Estimator", bound=BaseEstimator)


def save_estimator(estimator: BaseEstimator, path: str | os.PathLike[str]) -> Path:
    """Write a fitted estimator; see `LightCurveEstimator.save`."""
    check_is_fitted(estimator)
    name = type(estimator).__name__
    writer = Writer(name)
    tree = writer.estimator(estimator, "")
    header = {
        "format_version": FORMAT_VERSION,
        "class": name,
        "classes": np.asarray(getattr(estimator, "classes_", [])).tolist(),
        "representation": estimator.encoder_.representation_.to_dict(),
        "metadata_columns": list(getattr(estimator, "metadata_columns_", ())),
        "versions": _versions(),
        "estimator": tree,
        "tensors_sha256": tensor_digest(writer.tensors),
    }
    header["header_sha256"] = header_digest(header)
    content = save(writer.tensors, metadata={ESTIMATOR_KEY: json.dumps(header, allow_nan=False)})
    return replace_file(Path(path), content)


def saved_class(path: str | os.PathLike[str]) -> str | None:
    """Return the class of the fitted estimator that a file holds, or None if it holds none."""
    try:
        with safetensors.safe_open(path, framework="np") as handle:
            text = (handle.metadata() or {}).get(ESTIMATOR_KEY)
        return None if text is None else str(read_json(text)["class"])
    except Exception:  # whatever reading a file that is damaged may raise; loading it says what
        return None


def load_estimator(cls: type[_Estimator], path: str | os.PathLike[str]) -> _Estimator:
    """Read a fitted estimator; see `LightCurveEstimator.load`."""
    path = Path(path)
    if "weights" in signature(cls).parameters:
        return _load_encoder(cls, path)
    try:
        with safetensors.safe_open(path, framework="np") as handle:
            texts = handle.metadata() or {}
            if ESTIMATOR_KEY not in texts:
                raise WeightsError(
                    f"{path} holds no fitted estimator: load weights alone with "
                    f"LightCurveEncoder({os.fspath(path)!r}), and write estimators with their "
                    "method save."
                )
            header = read_json(texts[ESTIMATOR_KEY])
            form = header["format_version"]
            if isinstance(form, int) and form > FORMAT_VERSION:
                raise WeightsError(
                    f"{path} has format {shown(form)} of estimators, and this sklc reads up to "
                    f"{FORMAT_VERSION}: upgrade with `pip install --upgrade sklc`."
                )
            if header["header_sha256"] != header_digest(header):
                raise ValueError("the header does not match its checksum")
            tensors = {key: handle.get_tensor(key) for key in handle.keys()}  # noqa: SIM118
        if header["class"] != cls.__name__:
            raise WeightsError(
                f"{path} holds a {header['class']}, and not a {cls.__name__}: load it with "
                f"{header['class']}.load({os.fspath(path)!r})."
            )
        if tensor_digest(tensors) != header["tensors_sha256"]:
            raise ValueError("the tensors do not match their checksum")
        estimator = Reader(tensors).estimator(cls, header["estimator"])
        check_is_fitted(estimator)
        return estimator
    except WeightsError:
        raise
    except FileNotFoundError:
        raise WeightsError(f"There is no file {path}.") from None
    except Exception as error:  # whatever reading a file that is damaged may raise
        reason = " ".join(str(error).split()) or type(error).__name__
        raise WeightsError(
            f"The file {path} is damaged ({reason:.200}), or of another kind of estimator: copy it "
            f"again, or write it again with {cls.__name__}.save(path)."
        ) from error


def _versions() -> dict[str, str]:
    packages = ("numpy", "scikit-learn", "torch", "skorch", "safetensors")
    versions = {package: version(package) for package in packages}
    return {"sklc": __version__, "python": platform.python_version(), **versions}


def parameters_of(encoder: Any) -> dict[str, Any]:
    """Return the parameters of an encoder beside its weights, for the header of a weights file."""
    params, left_out = {}, []
    for name, value in encoder.get_params(deep=False).items():
        if name in ("weights", "metadata"):
            continue
        writer = Writer(type(encoder).__name__)
        try:
            params[name] = writer.write(value, name)
        except TypeError:
            left_out.append(name)
        if writer.tensors:  # for which there is no place beside the weights
            left_out.append(name)
            del params[name]
    return {
        "params": params,
        "left_out": left_out,
        "name": _name_of(encoder.weights),
        "is_trained_here": encoder.weights is None,
        "versions": _versions(),
    }


def _name_of(weights: Any) -> str | None:
    """Return the name of weights in the package, if these are such."""
    return weights if isinstance(weights, str) and shipped(weights) is not None else None


def _load_encoder(cls: Any, path: Path) -> Any:
    """Read an encoder from its weights file, which holds its parameters as well."""
    file = WeightsFile.read(path)
    held = TrainedWeights.of_file(file)
    try:
        stored = dict(file.info.get("estimator", {}))
        params = {n: Reader({}).read(tree) for n, tree in stored.get("params", {}).items()}
        if stored.get("is_trained_here"):
            encoder = cls(**params)
            encoder._trained = replace(held, from_weights=False)
        else:
            name: Any = _name_of(stored.get("name"))
            if name is None or not held.equals(load_weights(name).network):
                name = held
            encoder = cls(weights=name, **params)
            encoder._check_mode()
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise WeightsError(
            f"The file {path} has parameters that this sklc cannot use ({reason:.200}): load its "
            f"weights alone, with LightCurveEncoder({os.fspath(path)!r})."
        ) from error
    if left_out := stored.get("left_out"):
        warnings.warn(
            f"{path} was saved from an encoder with {listed(left_out)} of kinds that a file cannot "
            "hold: set it again, with encoder.set_params, before you train the encoder further.",
            LightCurveWarning,
            stacklevel=4,
        )
    return encoder
