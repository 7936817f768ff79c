"""An ONNX graph in the making."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["Graph"]

# ONNX 1.9 (2021): the first with Squeeze as it still is, and old enough for every runtime in use.
_OPSET, _IR_VERSION = 14, 7
# The domain of tree ensembles, and its version.
_TREES, _TREES_OPSET = "ai.onnx.ml", 1


class Graph:
    """An ONNX graph in the making; operations take and return names of tensors.

    Parameters
    ----------
    name : str
        Begins the names of its tensors: a graph within another must not use the other's.
    """

    def __init__(self, name: str = "sklc") -> None:
        import onnx

        self.onnx = onnx
        self.name = name
        self.uses_trees = False
        self.nodes: list[Any] = []
        self.constants: dict[str, np.ndarray] = {}
        self.inputs: list[Any] = []
        self.outputs: list[Any] = []

    def add_input(self, name: str, dtype: Any, shape: Sequence[int | str]) -> str:
        """Declare an input."""
        self.inputs.append(self._value(name, dtype, shape))
        return name

    def add_output(self, name: str, tensor: str, dtype: Any, shape: Sequence[int | str]) -> None:
        """Declare `tensor` as an output, under `name`."""
        if tensor != name:
            self.nodes.append(self.onnx.helper.make_node("Identity", [tensor], [name]))
        self.outputs.append(self._value(name, dtype, shape))

    def constant(self, value: Any, dtype: Any = np.float32) -> str:
        """Name of a constant."""
        name = f"{self.name}_constant_{len(self.constants)}"
        self.constants[name] = np.ascontiguousarray(value, dtype=dtype)
        return name

    def apply(
        self,
        operation: str,
        *inputs: str,
        n_outputs: int = 1,
        stem: str | None = None,
        **attributes: Any,
    ) -> Any:
        """Append a node, and return the name of its output, or the list of its outputs.

        Names are `stem` and a number, or made up.
        """
        stem = stem or f"{self.name}_{operation.lower()}_{len(self.nodes)}"
        names = [f"{stem}_{k}" for k in range(n_outputs)]
        self.nodes.append(self.onnx.helper.make_node(operation, list(inputs), names, **attributes))
        return names[0] if n_outputs == 1 else names

    def dense(self, module: Any, inputs: str) -> str:
        """Append a ``torch.nn.Linear``, or a ``torch.nn.Sequential`` of them and of ReLUs."""
        for layer in module if hasattr(module, "__len__") else [module]:
            if hasattr(layer, "weight"):
                parameters = (self.constant(p.detach().numpy()) for p in layer.parameters())
                inputs = self.apply("Gemm", inputs, *parameters, transB=1)
            else:
                inputs = self.apply("Relu", inputs)
        return inputs

    def trees(self, features: str, **attributes: Any) -> str:
        """Append the sums of trees, given as the attributes of a TreeEnsembleRegressor."""
        plain = {
            name: value.tolist() if isinstance(value, np.ndarray) else value
            for name, value in attributes.items()
        }
        self.uses_trees = True
        return self.apply("TreeEnsembleRegressor", features, domain=_TREES, **plain)

    def flags(self, inputs: str) -> str:
        """Append what is 1 where a number is missing, and 0 elsewhere."""
        return self.apply("Cast", self.apply("IsNaN", inputs), to=self.onnx.TensorProto.FLOAT)

    def log_pool(self, log_parts: str, log_joint: np.ndarray) -> str:
        """Append the logarithm of ``sum_k p(k) joint[k, c]``, normalised over c."""
        columns = self.apply("Unsqueeze", log_parts, self.constant([2], np.int64))
        pairs = self.apply("Add", columns, self.constant(log_joint[None]))
        known = self.apply("ReduceLogSumExp", pairs, axes=[1], keepdims=0)
        return self.apply("LogSoftmax", known, axis=1)

    def probabilities(self, logits: str, temperature: float, merge: np.ndarray | None) -> str:
        """Append probabilities; `merge`, (n_outputs, n_classes), sums them to classes."""
        scores = self.apply("Div", logits, self.constant(temperature))
        if merge is None:
            return self.apply("Softmax", scores, axis=1)
        with np.errstate(divide="ignore"):  # a class that does not count has weight 0
            log_merge = np.maximum(np.log(merge), -1e30)
        pooled = self.log_pool(self.apply("LogSoftmax", scores, axis=1), log_merge)
        return self.apply("Exp", pooled)

    def build(self) -> Any:
        """Return the ``onnx.GraphProto``."""
        constants = [
            self.onnx.numpy_helper.from_array(value, name) for name, value in self.constants.items()
        ]
        return self.onnx.helper.make_graph(
            self.nodes, self.name, self.inputs, self.outputs, constants
        )

    def serialize(self, metadata: dict[str, str] | None = None) -> bytes:
        """Return the checked model as bytes.

        Parameters
        ----------
        metadata : dict of str to str, optional
            Kept in the file.
        """
        helper = self.onnx.helper
        domains = {"": _OPSET, **({_TREES: _TREES_OPSET} if self.uses_trees else {})}
        model = helper.make_model(
            self.build(),
            opset_imports=[helper.make_opsetid(*domain) for domain in domains.items()],
            ir_version=_IR_VERSION,
            producer_name="sklc",
        )
        helper.set_model_props(model, metadata or {})
        self.onnx.checker.check_model(model, full_check=True)
        return model.SerializeToString()

    def _value(self, name: str, dtype: Any, shape: Sequence[int | str]) -> Any:
        kind = self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return self.onnx.helper.make_tensor_value_info(name, kind, list(shape))
