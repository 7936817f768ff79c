"""The GRU as a loop over time in ONNX, the model that ONNX Runtime encodes with."""

from __future__ import annotations

import numpy as np
from torch import nn

from sklc.networks.onnx.graph import Graph

__all__ = ["recurrent_model"]


def recurrent_model(gru: nn.GRU) -> bytes:
    """The GRU alone as a serialized ONNX model.

    A loop (Scan) of plain products, sigmoids and tanhs. ONNX has an operator for a whole layer,
    which exported models use; but ONNX Runtime computes its gates four numbers at a time, so that
    the loop is faster from two dozen light curves on.

    Parameters
    ----------
    gru : torch.nn.GRU
        With biases, in one direction.

    Returns
    -------
    bytes
        A model with inputs ``before_0``, ``before_1`` and so on, the states of the layers,
        float32 (n_objects, hidden_size), and ``observations``, float32 (n_steps, n_objects,
        n_channels); and outputs ``after_0``, ``after_1`` and so on, the states after them.
    """
    graph, layers = Graph(), range(gru.num_layers)
    shape: list[int | str] = ["n_objects", gru.hidden_size]
    before = [graph.add_input(f"before_{k}", np.float32, shape) for k in layers]
    steps = graph.add_input("observations", np.float32, ["n_steps", "n_objects", gru.input_size])
    graph.apply(
        "Scan", *before, steps, num_scan_inputs=1, body=_step(gru).build(),
        n_outputs=gru.num_layers, stem="after",
    )  # fmt: skip
    for k in layers:
        graph.add_output(f"after_{k}", f"after_{k}", np.float32, shape)
    return graph.serialize()


def _step(gru: nn.GRU) -> Graph:
    """All layers at one observation: from states before and values to states after."""
    step = Graph("step")
    shape: list[int | str] = ["n_objects", gru.hidden_size]
    before = [step.add_input(f"step_before_{k}", np.float32, shape) for k in range(gru.num_layers)]
    inputs = step.add_input("observation", np.float32, ["n_objects", gru.input_size])
    for state, parameters in zip(before, gru.all_weights, strict=True):
        # Of the gates reset, update and new, torch's order.
        weight, carried, bias, offset = (
            np.split(parameter.detach().numpy(), 3) for parameter in parameters
        )

        def dense(inputs: str, weight: np.ndarray, bias: np.ndarray) -> str:
            return step.apply("Gemm", inputs, step.constant(weight.T), step.constant(bias))

        # One product for two gates and two inputs: vectors of a processor hold 16 numbers, which
        # fits the width of two gates better, and an addition is saved.
        both = step.apply("Concat", inputs, state, axis=1)
        joined = np.concatenate([np.hstack([weight[k], carried[k]]) for k in range(2)])
        gates = dense(both, joined, np.concatenate([bias[k] + offset[k] for k in range(2)]))
        reset, update = step.apply("Split", step.apply("Sigmoid", gates), n_outputs=2, axis=1)
        recurrent = step.apply("Mul", reset, dense(state, carried[2], offset[2]))
        new = step.apply("Tanh", step.apply("Add", recurrent, dense(inputs, weight[2], bias[2])))
        # new + update * (state - new)
        kept = step.apply("Mul", update, step.apply("Sub", state, new))
        inputs = step.apply("Add", new, kept)
        step.add_output(inputs, inputs, np.float32, shape)
    return step
