"""Fitted estimators as a tree of plain values beside tensors, and back.

The tree is JSON: numbers, text, lists, and objects with a key "$" that says what they stand for.
Reading it makes objects of the classes in `SAVABLE` only, from arrays and plain values, and calls
nothing that the file names. An object that occurs twice is written once, and referred to.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, fields, is_dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from sklearn.base import BaseEstimator
from skorch import NeuralNet
from skorch.history import History
from torch import nn

from sklc import augment
from sklc.errors import WeightsError
from sklc.estimators.persistence_sklearn import from_sklearn, to_sklearn
from sklc.networks.architectures import ARCHITECTURES, Architecture
from sklc.networks.architectures.registry import name_of
from sklc.networks.objectives import Objective
from sklc.networks.objectives.registry import OBJECTIVES
from sklc.networks.training.loop import TrainingSettings, wrap
from sklc.passbands import Passband
from sklc.representation import InputRepresentation
from sklc.utils.savable import SAVABLE, Savable, savable
from sklc.utils.text import shown
from sklc.weights.catalogue import shipped
from sklc.weights.checks import build_as_told, check_finite
from sklc.weights.trained import TrainedWeights

__all__ = ["Reader", "Writer", "fitted_attributes"]

for _class in (Passband, InputRepresentation, TrainingSettings):
    savable()(_class)
for _name in augment.__all__:
    if isinstance(getattr(augment, _name), type):
        savable()(getattr(augment, _name))
_LAYERS = {
    "Linear": Savable(nn.Linear, ("in_features", "out_features")),
    "ReLU": Savable(nn.ReLU, ("inplace",)),
    "Sequential": Savable(nn.Sequential, ()),
    "ModuleList": Savable(nn.ModuleList, ()),
    "ParameterList": Savable(nn.ParameterList, ("_size",)),
}
_DTYPES = {
    "F64": np.float64, "F32": np.float32, "F16": np.float16, "I64": np.int64, "I32": np.int32,
    "I16": np.int16, "I8": np.int8, "U8": np.uint8, "U16": np.uint16, "U32": np.uint32,
    "U64": np.uint64, "BOOL": np.bool_,
}  # fmt: skip
_NAMES: dict[Any, str] = {np.dtype(dtype): name for name, dtype in _DTYPES.items()}


def fitted_attributes(estimator: BaseEstimator) -> dict[str, Any]:
    """Return what an estimator has learned: attributes that are none of its parameters."""
    params = estimator.get_params(deep=False)
    return {name: value for name, value in vars(estimator).items() if name not in params}


class Writer:
    """Turns objects into a tree, and collects the tensors that it refers to.

    Parameters
    ----------
    owner : str
        What is saved, for messages.
    """

    def __init__(self, owner: str) -> None:
        self.owner, self.tensors = owner, dict[str, np.ndarray]()
        self._numbers: dict[int, int] = {}
        self._alive: list[Any] = []  # an id is that of one object as long as this is alive

    def write(self, value: Any, where: str = "") -> Any:
        """Return the tree of a value, which stands at `where` in the estimator."""
        if value is None or isinstance(value, bool | str):
            return value
        if isinstance(value, os.PathLike):
            return os.fspath(value)
        if isinstance(value, int | float) and not isinstance(value, np.generic):
            if isinstance(value, float) and not np.isfinite(value):
                return {"$": "float", "value": str(value)}
            return value
        if isinstance(value, list) and type(value) is not History:
            return [self.write(part, where) for part in value]
        if isinstance(value, _Named):
            return {"$": "weights", "items": list(value)}
        if isinstance(value, tuple):
            return {"$": "tuple", "items": [self.write(part, where) for part in value]}
        if isinstance(value, np.generic):
            if value.dtype not in _NAMES:
                raise self._refused(value, where)
            plain = self.write(value.item(), where)
            return {"$": "scalar", "type": _NAMES[value.dtype], "value": plain}
        if id(value) in self._numbers:
            return {"$": "again", "number": self._numbers[id(value)]}
        tree = self._object(value, where)
        self._numbers[id(value)] = len(self._alive)
        self._alive.append(value)
        return tree

    def _object(self, value: Any, where: str) -> dict[str, Any]:
        if isinstance(value, dict):
            pairs = [[self.write(k, where), self.write(v, where)] for k, v in value.items()]
            return {"$": "dict", "items": pairs}
        if isinstance(value, History):
            return {"$": "history", "items": self.write(_plain(value.to_list()), where)}
        if isinstance(value, np.ndarray):
            return self._array(value, where)
        if isinstance(value, torch.Tensor):
            array = value.detach().cpu().numpy()
            return {"$": "tensor", "array": self._array(array, where)}
        if isinstance(value, pd.Series):
            index = value.index.to_numpy(), value.index.name, value.name
            parts = [self.write(part, where) for part in (value.to_numpy(), *index)]
            return {"$": "series", "items": parts}
        if isinstance(value, TrainedWeights):
            return self._trained(value, where)
        if isinstance(value, NeuralNet):
            parts = [self.write(part, where) for part in (value.module_, value.history)]
            return {"$": "net", "items": parts}
        if isinstance(value, Architecture) and name_of(value) in ARCHITECTURES:
            return {"$": "architecture", "name": name_of(value), "items": asdict(value)}
        if isinstance(value, Objective) and is_dataclass(value):
            for name in OBJECTIVES.names():
                if OBJECTIVES[name] is type(value):
                    settings = self.write(asdict(value), where)
                    return {"$": "objective", "name": name, "items": settings}
        value = from_sklearn(value)
        known = {**_LAYERS, **SAVABLE}.get(type(value).__name__)
        if known is None or known.cls is not type(value):
            raise self._refused(value, where)
        return {"$": "object", "class": type(value).__name__, **self._parts(value, known, where)}

    def _parts(self, value: Any, known: Savable, where: str) -> dict[str, Any]:
        if isinstance(value, BaseEstimator):
            return self.estimator(value, where)
        names = known.attributes
        if is_dataclass(value):
            names = tuple(field.name for field in fields(value))
        own = {name: self.write(getattr(value, name), f"{where}.{name}") for name in names}
        parts: dict[str, Any] = {"attributes": own}
        if isinstance(value, nn.Module):
            for kind in ("_parameters", "_buffers", "_modules"):
                owned = getattr(value, kind).items()
                parts[kind[1:]] = {n: self.write(part, f"{where}.{n}") for n, part in owned}
        return parts

    def estimator(self, estimator: BaseEstimator, where: str) -> dict[str, Any]:
        """Return the tree of an estimator: its parameters, and what it has learned."""
        before = f"{where}." if where else ""
        params, learned = estimator.get_params(deep=False), fitted_attributes(estimator)
        if isinstance(params.get("weights"), str | os.PathLike):  # an encoder
            learned.pop("_file", None)
            params["weights"] = _held(params["weights"], estimator)
        return {
            kind: {name: self.write(value, before + name) for name, value in own.items()}
            for kind, own in (("params", params), ("learned", learned))
        }

    def _array(self, array: np.ndarray, where: str) -> dict[str, Any]:
        shape = list(array.shape)
        if array.dtype.kind in "UO":
            items = [self.write(item, where) for item in array.ravel().tolist()]
            return {"$": "text" if array.dtype.kind == "U" else "objects", "shape": shape,
                    "items": items}  # fmt: skip
        native = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))
        if native.dtype not in _NAMES:
            raise self._refused(array, where)
        name = f"t{len(self.tensors)}"
        self.tensors[name] = native.reshape(shape)
        # The order in memory decides the last bit of products.
        by_column = array.flags.f_contiguous and not array.flags.c_contiguous
        return {"$": "array", "tensor": name, **({"order": "F"} if by_column else {})}

    def _trained(self, trained: TrainedWeights, where: str) -> dict[str, Any]:
        network = trained.network
        tensors = {k: v.detach().cpu().numpy() for k, v in network.state_dict().items()}
        own = {
            "config": network.config,
            "tensors": tensors,
            "representation": trained.representation,
            "classes": np.asarray(trained.classes),
            "metadata_columns": trained.metadata_columns,
            "from_weights": trained.from_weights,
            "fine_tuned": trained.fine_tuned,
            "facts": dict(trained.facts),
            "history": History(trained.net.history),
        }
        if network.config["name"] not in ARCHITECTURES:
            raise self._refused(trained.network, where)
        return {"$": "network", "items": {n: self.write(v, where) for n, v in own.items()}}

    def _refused(self, value: Any, where: str) -> TypeError:
        name = where or "it"
        message = (
            f"{name} of this {self.owner} is {shown(value)}, of type {type(value).__name__}, which "
            "a file without code cannot hold. joblib.dump(estimator, path) keeps it, in a file "
            "that only you should load"
        )
        if name.partition(".")[0] == "callbacks":
            message += "; or leave it out first: estimator.set_params(callbacks=None)"
        return TypeError(f"{message}.")


class _Named(NamedTuple):
    """The name of weights in the package, as it was given, and what it meant when it was saved."""

    given: str
    name: str
    sha256: str


def _held(weights: str | os.PathLike[str], encoder: Any) -> Any:
    """Return the name of weights in the package; or those of a file, which may change or go."""
    known, source = shipped(weights), encoder._source()
    return TrainedWeights.of_file(source) if known is None else _Named(os.fspath(weights), *known)


def _name_now(given: str, name: str, sha256: str) -> str:
    """Return the name that the weights have in this version."""
    for candidate in (given, name):
        known = shipped(candidate)
        if known is not None and known[1] == sha256:
            return candidate
    raise WeightsError(
        f"This file needs the weights {shown(name)}, which this sklc does not have: upgrade with "
        "`pip install --upgrade sklc`."
    )


def _plain(value: Any) -> Any:
    """Return the history of a training without the scalars of numpy."""
    return json.loads(json.dumps(value, default=np.generic.item))


class Reader:
    """Turns a tree and its tensors into objects again.

    Parameters
    ----------
    tensors : dict of str to ndarray
        The tensors that the tree refers to.
    """

    def __init__(self, tensors: dict[str, np.ndarray]) -> None:
        self.tensors, self._made = tensors, list[Any]()

    def read(self, tree: Any) -> Any:
        """Return the value that a tree stands for."""
        if tree is None or isinstance(tree, bool | int | float | str):
            return tree
        if isinstance(tree, list):
            return [self.read(part) for part in tree]
        kind = tree["$"]
        if kind == "float":
            return float(tree["value"])
        if kind == "tuple":
            return tuple(self.read(part) for part in tree["items"])
        if kind == "weights":
            return _name_now(*map(str, tree["items"]))
        if kind == "scalar":
            return _DTYPES[tree["type"]](self.read(tree["value"]))
        if kind == "again":
            return self._made[tree["number"]]
        value = self._object(kind, tree)
        self._made.append(value)
        return value

    def _object(self, kind: str, tree: dict[str, Any]) -> Any:
        if kind == "array":
            return np.asarray(self.tensors[tree["tensor"]], order=tree.get("order", "C"))
        if kind == "tensor":
            return torch.from_numpy(self._object("array", tree["array"]).copy())
        if kind == "text":
            items = [str(self.read(item)) for item in tree["items"]]
            return np.array(items, dtype=str).reshape(tree["shape"])
        if kind == "objects":
            array = np.empty(len(tree["items"]), dtype=object)
            array[:] = [self.read(item) for item in tree["items"]]
            return array.reshape(tree["shape"])
        if kind == "dict":
            return {self.read(name): self.read(value) for name, value in tree["items"]}
        if kind == "history":
            return History(self.read(tree["items"]))
        if kind == "series":
            values, index, index_name, name = map(self.read, tree["items"])
            return pd.Series(values, pd.Index(index, name=index_name), name=name)
        if kind == "network":
            return self._network({n: self.read(v) for n, v in tree["items"].items()})
        if kind == "net":
            module, history = map(self.read, tree["items"])
            net = wrap(module)
            net.history = history
            return net
        if kind == "architecture":
            return ARCHITECTURES[tree["name"]](**tree["items"])
        if kind == "objective":
            made: Any = OBJECTIVES[tree["name"]]
            return made(**self.read(tree["items"]))
        if kind != "object":
            raise ValueError(f"it holds a {shown(kind)}, which this version does not know")
        return to_sklearn(self._made_of(tree))

    def _made_of(self, tree: dict[str, Any]) -> Any:
        cls: Any
        cls, attributes = {**_LAYERS, **SAVABLE}[tree["class"]]
        if issubclass(cls, BaseEstimator):
            return self.estimator(cls, tree)
        own = {name: self.read(part) for name, part in tree["attributes"].items()}
        if is_dataclass(cls):
            return SAVABLE[tree["class"]].cls(**own)
        if unknown := own.keys() - set(attributes):
            raise ValueError(f"a {cls.__name__} has no {sorted(unknown)}")
        made = cls.__new__(cls)
        if isinstance(made, nn.Module):
            nn.Module.__init__(made)
            for name, part in tree["parameters"].items():
                value = None if part is None else nn.Parameter(self.read(part))
                made.register_parameter(name, value)
            for name, part in tree["buffers"].items():
                made.register_buffer(name, self.read(part))
            for name, part in tree["modules"].items():
                made.add_module(name, self.read(part))
            made.eval()
        for name, value in own.items():
            setattr(made, name, value)
        if hasattr(made, "_restored"):
            made._restored()
        return made

    def estimator(self, cls: Any, tree: dict[str, Any]) -> Any:
        """Return an estimator with its parameters and what it has learned."""
        estimator = cls(**{name: self.read(part) for name, part in tree["params"].items()})
        for name, part in tree["learned"].items():
            if not (name.startswith("_") or name.endswith("_")) or (
                hasattr(cls, name) and callable(getattr(cls, name))
            ):
                raise ValueError(f"a {cls.__name__} learns no {shown(name)}")
            vars(estimator)[name] = self.read(part)
        return estimator

    @staticmethod
    def _network(own: dict[str, Any]) -> TrainedWeights:
        config, tensors, representation = (
            own.pop(name) for name in ("config", "tensors", "representation")
        )
        told = {name: (tensor.shape, _NAMES[tensor.dtype]) for name, tensor in tensors.items()}
        network = build_as_told(config, representation.channels, told)
        network.load_state_dict({k: torch.from_numpy(v.copy()) for k, v in tensors.items()})
        check_finite(network.eval(), tensors)
        net = wrap(network)
        net.history = own.pop("history")
        return TrainedWeights(net, representation, **own)
