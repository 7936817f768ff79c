"""`save` and `load`: fitted estimators as safetensors files, which hold no code."""

from __future__ import annotations

import json
import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import safetensors
from safetensors.numpy import save
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from sklc._version import __version__
from sklc.errors import WeightsError
from sklc.estimators.persistence_codec import Reader, Writer
from sklc.utils.files import replace_file
from sklc.utils.text import shown
from sklc.weights.checks import read_json
from sklc.weights.file import ESTIMATOR_KEY, WeightsFile, header_digest, tensor_digest
from sklc.weights.trained import TrainedWeights, facts_of_copies, same_weights_by_name, weights_now

__all__ = ["FORMAT_VERSION", "SavedParameters", "load_estimator", "save_estimator"]

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


def load_estimator(cls: type[_Estimator], path: str | os.PathLike[str]) -> _Estimator:
    """Read a fitted estimator; see `LightCurveEstimator.load`."""
    path = Path(path)
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


class SavedParameters:
    """How an encoder is written: its parameters beside its weights, and within other estimators."""

    weights: Any
    _trained: TrainedWeights | None

    def _to_save(self) -> dict[str, Any]:
        """Return what another estimator keeps of an encoder: weights that no file can change."""
        learned = {
            name: value
            for name, value in vars(self).items()
            if name not in self.get_params(deep=False) and name != "_file"  # type: ignore[attr-defined]
        }
        if isinstance(self.weights, str | os.PathLike):
            learned["params"] = {"weights": _held(self.weights, self._source())}  # type: ignore[attr-defined]
        return learned

    def _params_to_save(self) -> dict[str, Any]:
        """Return the parameters beside the weights, as plain data for the header of a file."""
        writer = Writer(type(self).__name__)
        params = {**self.get_params(deep=False), "weights": None}  # type: ignore[attr-defined]
        params["metadata"] = "deprecated"
        tree = {name: writer.write(value, name) for name, value in params.items()}
        if writer.tensors:
            raise TypeError("the parameters of an encoder have to be plain values to be saved")
        named = self.weights if isinstance(self.weights, str) else None
        kept = named if named is not None and weights_now(named) is not None else None
        return {
            "class": type(self).__name__,
            "params": tree,
            "name": kept,
            "trained": self.weights is None,
            "versions": _versions(),
        }


def _held(weights: str | os.PathLike[str], file: WeightsFile) -> Any:
    """Return a name of weights with what it means now, or the weights of a file themselves."""
    known = weights_now(weights)
    return TrainedWeights.of_file(file) if known is None else known


def load_encoder(cls: Any, path: str | os.PathLike[str]) -> Any:
    """Read an encoder; see `LightCurveEncoder.load`."""
    file = WeightsFile.read(path)
    stored = file.info.get("estimator")
    try:
        params, trained = {}, False
        if stored is not None:
            reader = Reader({})
            params = {name: reader.read(tree) for name, tree in stored["params"].items()}
            trained = bool(stored["trained"])
        held = TrainedWeights.of_file(file)
        if trained:
            encoder = cls(**params)
            encoder._trained = TrainedWeights(
                held.net, held.representation, held.classes, held.metadata_columns
            )
            return encoder
        name = None if stored is None else stored["name"]
        params["weights"] = name if same_weights_by_name(name, file) else held
        encoder = cls(**params)
        encoder._check_mode()
        return encoder
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise WeightsError(
            f"The file {path} has parameters that this sklc does not know ({reason:.200}): use its "
            f"weights alone, with LightCurveEncoder({os.fspath(path)!r})."
        ) from error


__all__ += ["load_encoder", "facts_of_copies"]
