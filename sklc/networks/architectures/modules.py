"""Parts that architectures share: standardised inputs, branches for metadata and context."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

from sklc.networks.onnx.graph import Graph
from sklc.utils.savable import savable

__all__ = ["ContextAdapter", "MetadataBranch", "Standardize", "dense_layers"]


def dense_layers(n_inputs: int, sizes: Sequence[int]) -> nn.Module:
    """Dense layers of these widths with a ReLU between two: a linear layer where there is one."""
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise([n_inputs, *sizes]):
        layers += [nn.Linear(n_in, n_out), nn.ReLU()]
    return nn.Sequential(*layers[:-1]) if len(sizes) > 1 else layers[0]


@savable()
class Standardize(nn.Module):
    """Subtract mean and divide by scale, both learned once; a missing value (NaN) becomes 0.

    Mean and scale are buffers, so they travel with the weights.
    """

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(self, n_columns: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(n_columns))
        self.register_buffer("scale", torch.ones(n_columns))

    def set_statistics(
        self, values: torch.Tensor, n_common: int = 0, weight: torch.Tensor | None = None
    ) -> None:
        """Learn mean and scale of the columns of (n_objects, n_columns), ignoring NaN.

        The first `n_common` columns share one scale, the root of their mean variance. Each object
        counts by its `weight`, (n_objects,), if there is one.
        """
        values = values.double()
        known = (~torch.isnan(values)).double()
        if weight is not None:
            known *= weight[:, None]
        count = known.sum(0).clamp(min=torch.finfo(known.dtype).tiny)
        mean = (known * torch.nan_to_num(values)).sum(0) / count
        variance = (known * torch.nan_to_num(values - mean) ** 2).sum(0) / count
        variance[:n_common] = variance[:n_common].mean()
        # A column that never varies (an inactive ReLU) must not be blown up at predict.
        self.mean.copy_(mean)
        self.scale.copy_(torch.where(variance > 1e-12, variance.sqrt(), torch.ones(())))

    def set_robust_statistics(self, values: torch.Tensor) -> None:
        """Learn the median and half the central 68 % of (n_rows, n_columns), or the deviation."""
        if not len(values):
            return
        low, middle, high = values.quantile(torch.tensor([0.16, 0.5, 0.84]), dim=0)
        spread, deviation = (high - low) / 2, values.std(dim=0, correction=0)
        scale = torch.where(spread > 1e-3 * deviation, spread, deviation)
        self.mean.copy_(middle)
        self.scale.copy_(torch.where(scale > 1e-6, scale, torch.ones(())))

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Return standardised values of the same shape."""
        return torch.nan_to_num((values - self.mean) / self.scale, nan=0.0)

    def to_onnx(self, graph: Graph, inputs: str) -> str:
        """Append it to a graph."""
        shifted = graph.apply("Sub", inputs, graph.constant(self.mean.numpy()))
        scaled = graph.apply("Div", shifted, graph.constant(self.scale.numpy()))
        missing = graph.apply("IsNaN", scaled)
        return graph.apply("Where", missing, graph.constant(0.0), scaled)


class MetadataBranch(nn.Module):
    """Per-object numbers, and which of them are missing, through a dense layer (Paper I: 10).

    Parameters
    ----------
    n_columns : int
        Number of metadata columns.
    n_outputs : int
        Width of the dense layer.
    """

    def __init__(self, n_columns: int, n_outputs: int = 10) -> None:
        super().__init__()
        self.n_outputs = n_outputs
        self.standardize = Standardize(n_columns)
        self.dense = nn.Linear(2 * n_columns, n_outputs)

    def forward(self, metadata: torch.Tensor) -> torch.Tensor:
        """Return (n_objects, n_outputs)."""
        missing = torch.isnan(metadata).to(metadata.dtype)
        return torch.relu(self.dense(torch.cat([self.standardize(metadata), missing], dim=1)))

    def to_onnx(self, graph: Graph, metadata: str) -> str:
        """Append it to a graph."""
        columns = self.standardize.to_onnx(graph, metadata), graph.flags(metadata)
        return graph.apply("Relu", graph.dense(self.dense, graph.apply("Concat", *columns, axis=1)))


class ContextAdapter(nn.Module):
    """Shift the latent by what is known of an object beside its light curve.

    An object of which nothing is known keeps its latent to the bit. The shift starts at zero.

    Parameters
    ----------
    n_columns : int
        Number of columns of the context.
    state_size, latent_size : int
        Columns of the state and of the latent, which it reads, too.
    sizes : sequence of int
        Units of its hidden layers.
    """

    def __init__(
        self, n_columns: int, state_size: int, latent_size: int, sizes: Sequence[int]
    ) -> None:
        super().__init__()
        self.latent_size = latent_size
        self.standardize = Standardize(n_columns)
        self.dense = dense_layers(latent_size + state_size + 2 * n_columns, [*sizes, latent_size])
        for parameter in self._layers()[-1].parameters():
            nn.init.zeros_(parameter)

    def forward(
        self, latent: torch.Tensor, state: torch.Tensor, context: torch.Tensor
    ) -> torch.Tensor:
        """Return the latent of each object, shifted where any of its context is not NaN."""
        missing = torch.isnan(context)
        columns = [latent, state, self.standardize(context), missing.to(latent.dtype)]
        shifted = latent + self.dense(torch.cat(columns, dim=1))
        return torch.where(missing.all(dim=1, keepdim=True), latent, shifted)

    def rescale(self, mean: torch.Tensor, scale: torch.Tensor) -> None:
        """Read, and shift, a latent of which `mean` was subtracted, divided then by `scale`."""
        layers = self._layers()
        own = layers[0].weight[:, : self.latent_size]
        layers[0].bias.add_(own @ mean)
        own.mul_(scale)
        layers[-1].weight.div_(scale[:, None])
        layers[-1].bias.div_(scale)

    def to_onnx(self, graph: Graph, latent: str, state: str, context: str) -> str:
        """Append it to a graph."""
        flags = graph.flags(context)
        columns = latent, state, self.standardize.to_onnx(graph, context), flags
        shift = graph.dense(self.dense, graph.apply("Concat", *columns, axis=1))
        nothing = graph.apply("ReduceMin", flags, axes=[1], keepdims=1)
        nothing = graph.apply("Cast", nothing, to=graph.onnx.TensorProto.BOOL)
        return graph.apply("Where", nothing, latent, graph.apply("Add", latent, shift))

    def _layers(self) -> list[nn.Linear]:
        return [layer for layer in self.dense.modules() if isinstance(layer, nn.Linear)]
