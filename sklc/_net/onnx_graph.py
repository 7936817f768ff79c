"""Networks as ONNX graphs: the GRU that ONNX Runtime encodes with, and whole exported models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from sklc._net.gru import LightCurveNetwork
from sklc._net.heads import DenseHead, MetadataBranch, Standardize
from sklc._net.losses import LOG_SCALE
from sklc._net.pooled_head import PooledHead

__all__ = ["Graph", "recurrent_model"]

# ONNX 1.9 (2021): the first with Squeeze as it still is, and old enough for every runtime in use.
_OPSET, _IR_VERSION = 14, 7


class Graph:
    """An ONNX graph in the making; operations take and return names of tensors.

    Parameters
    ----------
    n_channels : int
        Of the input ``values``, float32 (n_objects, longest, n_channels). Beside it stands
        ``lengths``, int32 (n_objects,).
    """

    def __init__(self, n_channels: int) -> None:
        import onnx

        self.onnx = onnx
        self.nodes: list[Any] = []
        self.constants: dict[str, np.ndarray] = {}
        self.inputs: list[Any] = []
        self.outputs: list[Any] = []
        self.add_input("values", np.float32, ["n_objects", "longest", n_channels])
        self.add_input("lengths", np.int32, ["n_objects"])

    def add_input(self, name: str, dtype: Any, shape: Sequence[int | str]) -> str:
        """Declare an input."""
        self.inputs.append(self._value(name, dtype, shape))
        return name

    def add_output(self, name: str, tensor: str, dtype: Any, shape: Sequence[int | str]) -> None:
        """Declare `tensor` as an output, under `name`."""
        self.nodes.append(self.onnx.helper.make_node("Identity", [tensor], [name]))
        self.outputs.append(self._value(name, dtype, shape))

    def constant(self, value: Any, dtype: Any = np.float32) -> str:
        """Name of a constant."""
        name = f"constant_{len(self.constants)}"
        self.constants[name] = np.ascontiguousarray(value, dtype=dtype)
        return name

    def apply(self, operation: str, *inputs: str, n_outputs: int = 1, **attributes: Any) -> Any:
        """Append a node, and return the name of its output, or the list of its outputs."""
        names = [f"{operation.lower()}_{len(self.nodes)}_{k}" for k in range(n_outputs)]
        self.nodes.append(self.onnx.helper.make_node(operation, list(inputs), names, **attributes))
        return names[0] if n_outputs == 1 else names

    def serialize(self, metadata: dict[str, str] | None = None) -> bytes:
        """Return the checked model as bytes.

        Parameters
        ----------
        metadata : dict of str to str, optional
            Kept in the file.
        """
        helper = self.onnx.helper
        constants = [
            self.onnx.numpy_helper.from_array(value, name) for name, value in self.constants.items()
        ]
        graph = helper.make_graph(self.nodes, "sklc", self.inputs, self.outputs, constants)
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", _OPSET)],
            ir_version=_IR_VERSION,
            producer_name="sklc",
        )
        helper.set_model_props(model, metadata or {})
        self.onnx.checker.check_model(model, full_check=True)
        return model.SerializeToString()

    def _value(self, name: str, dtype: Any, shape: Sequence[int | str]) -> Any:
        kind = self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return self.onnx.helper.make_tensor_value_info(name, kind, list(shape))

    # -- modules

    def gru(self, gru: nn.GRU) -> str:
        """State of the last layer at each object's last observation, (n_objects, hidden_size)."""
        hidden = gru.hidden_size
        time_axis = self.constant([1], np.int64)
        outputs, last = self.apply("Transpose", "values", perm=[1, 0, 2]), ""
        for layer in range(gru.num_layers):
            if layer:
                outputs = self.apply("Squeeze", outputs, time_axis)  # its axis of directions

            def parameter(name: str, layer: int = layer) -> np.ndarray:
                # torch has the gates in the order reset, update, new; ONNX update, reset, new.
                value = getattr(gru, f"{name}_l{layer}").detach().numpy()
                return value[np.r_[hidden : 2 * hidden, :hidden, 2 * hidden : 3 * hidden]]

            outputs, last = self.apply(
                "GRU",
                outputs,
                self.constant(parameter("weight_ih")[None]),
                self.constant(parameter("weight_hh")[None]),
                self.constant(np.concatenate([parameter("bias_ih"), parameter("bias_hh")])[None]),
                "lengths",
                n_outputs=2,
                hidden_size=hidden,
                linear_before_reset=1,
            )
        return self.apply("Squeeze", last, self.constant([0], np.int64))

    def linear(self, layer: nn.Linear, inputs: str) -> str:
        """A dense layer without activation."""
        weight, bias = (p.detach().numpy() for p in (layer.weight, layer.bias))
        return self.apply("Gemm", inputs, self.constant(weight), self.constant(bias), transB=1)

    def standardize(self, module: Standardize, inputs: str) -> str:
        """See `Standardize`."""
        shifted = self.apply("Sub", inputs, self.constant(module.mean.numpy()))
        scaled = self.apply("Div", shifted, self.constant(module.scale.numpy()))
        missing = self.apply("IsNaN", scaled)
        return self.apply("Where", missing, self.constant(0.0), scaled)

    def flags(self, inputs: str) -> str:
        """1 where a number is missing, 0 elsewhere."""
        return self.apply("Cast", self.apply("IsNaN", inputs), to=self.onnx.TensorProto.FLOAT)

    def metadata_branch(self, module: MetadataBranch, metadata: str) -> str:
        """See `MetadataBranch`."""
        joined = self.apply(
            "Concat", self.standardize(module.standardize, metadata), self.flags(metadata), axis=1
        )
        return self.apply("Relu", self.linear(module.dense, joined))

    def latent(self, network: LightCurveNetwork, state: str) -> str:
        """Latent of the recurrent state; declares the input ``metadata`` if there is a branch."""
        hidden = self.apply("Tanh", self.linear(network.dense, state))
        if network.metadata is not None:
            n_columns = network.config["n_metadata"]
            metadata = self.add_input("metadata", np.float32, ["n_objects", n_columns])
            branch = self.metadata_branch(network.metadata, metadata)
            hidden = self.apply("Concat", hidden, branch, axis=1)
        return self.apply("Relu", self.linear(network.latent, hidden))

    def redshift(self, head: nn.Linear, latent: str) -> str:
        """Mean and standard deviation of ``ln(1 + z)``, (n_objects, 2)."""
        mean, log_scale = self.apply("Split", self.linear(head, latent), n_outputs=2, axis=1)
        low, high = (self.constant(limit) for limit in LOG_SCALE)
        scale = self.apply("Exp", self.apply("Clip", log_scale, low, high))
        return self.apply("Concat", mean, scale, axis=1)

    def dense_head(self, head: DenseHead, latent: str, metadata: str | None) -> str:
        """Logits, see `DenseHead`."""
        joined = latent
        if metadata is not None:
            joined = self.apply("Concat", latent, metadata, self.flags(metadata), axis=1)
        hidden = self.standardize(head.standardize, joined)
        for layer in head.hidden:
            if isinstance(layer, nn.Linear):
                hidden = self.linear(layer, hidden)
            else:
                hidden = self.apply("Relu", hidden)
        return self.linear(head.output, hidden)

    def head(self, head: nn.Module, latent: str, metadata: str | None) -> str:
        """Logits of any head of a classifier."""
        if isinstance(head, DenseHead):
            return self.dense_head(head, latent, metadata)
        if not isinstance(head, PooledHead):
            raise TypeError(f"cannot export a head of type {type(head).__name__}")
        learned = self.apply("LogSoftmax", self.dense_head(head.head, latent, metadata), axis=1)
        own = self.apply("LogSoftmax", self.linear(head.own, latent), axis=1)
        known = self.pool(own, torch.log(head.joint).numpy())
        shares = self.constant(1 - head.share), self.constant(head.share)
        weighted = self.apply("Mul", learned, shares[0]), self.apply("Mul", known, shares[1])
        return self.apply("Add", *weighted)

    def pool(self, log_own: str, log_joint: np.ndarray) -> str:
        """Log probabilities of labels: the logarithm of ``sum_k p(k) joint[k, c]``, normalised."""
        columns = self.apply("Unsqueeze", log_own, self.constant([2], np.int64))
        pairs = self.apply("Add", columns, self.constant(log_joint[None]))
        known = self.apply("ReduceLogSumExp", pairs, axes=[1], keepdims=0)
        return self.apply("LogSoftmax", known, axis=1)

    def probabilities(self, logits: str, temperature: float, merge: np.ndarray | None) -> str:
        """Probabilities of logits; `merge`, (n_outputs, n_classes), sums them to classes."""
        scores = self.apply("Div", logits, self.constant(temperature))
        if merge is None:
            return self.apply("Softmax", scores, axis=1)
        with np.errstate(divide="ignore"):  # a class that does not count has weight 0
            log_merge = np.maximum(np.log(merge), -1e30)
        return self.apply("Exp", self.pool(self.apply("LogSoftmax", scores, axis=1), log_merge))


def recurrent_model(gru: nn.GRU) -> bytes:
    """The GRU alone as a serialized ONNX model: ``values``, ``lengths`` to ``state``."""
    graph = Graph(gru.input_size)
    graph.add_output("state", graph.gru(gru), np.float32, ["n_objects", gru.hidden_size])
    return graph.serialize()
