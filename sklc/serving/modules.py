"""The modules of networks as ONNX nodes, for export."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from sklc.networks.architectures.gru import LightCurveNetwork
from sklc.networks.architectures.modules import MetadataBranch, Standardize
from sklc.networks.heads import DenseHead
from sklc.networks.objectives.losses import LOG_SCALE
from sklc.networks.onnx.graph import Graph
from sklc.networks.pooled_head import PooledHead

__all__ = ["NetworkGraph"]


class NetworkGraph(Graph):
    """Modules of networks as ONNX nodes.

    Parameters
    ----------
    n_channels : int
        Of the input ``values``, float32 (n_objects, longest, n_channels). Beside it stands
        ``lengths``, int32 (n_objects,).
    """

    def __init__(self, n_channels: int) -> None:
        super().__init__()
        self.add_input("values", np.float32, ["n_objects", "longest", n_channels])
        self.add_input("lengths", np.int32, ["n_objects"])

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
        to_onnx: Any = getattr(head, "to_onnx", None)
        if to_onnx is not None:
            return to_onnx(self, latent, metadata)
        if not isinstance(head, PooledHead):
            raise NotImplementedError(
                f"A head of type {type(head).__name__} cannot be exported, since it has no method "
                "to_onnx(graph, latent, metadata): add one that returns the name of the logits."
            )
        learned = self.apply("LogSoftmax", self.head(head.head, latent, metadata), axis=1)
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
