"""Fitted estimators as ONNX files that carry their whole input convention."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import nn

import sklc
from sklc.networks.architectures.gru import LightCurveNetwork
from sklc.serving import FORMAT_VERSION, METADATA_KEY

if TYPE_CHECKING:
    from sklc.representation import InputRepresentation
    from sklc.serving.modules import NetworkGraph

__all__ = ["export_classifier", "export_encoder"]


def export_encoder(
    path: str | os.PathLike[str],
    network: LightCurveNetwork,
    representation: InputRepresentation,
    classes: np.ndarray,
    metadata_columns: tuple[str, ...],
) -> Path:
    """Write what `LightCurveEncoder.to_onnx` promises."""
    graph, latent = _start(network)
    if len(classes):
        graph.add_output(
            "probabilities",
            graph.probabilities(graph.linear(network.head, latent), 1.0, None),
            np.float32,
            ["n_objects", len(classes)],
        )
    if network.redshift is not None:
        redshift = graph.redshift(network.redshift, latent)
        graph.add_output("redshift", redshift, np.float32, ["n_objects", 2])
    return _write(path, graph, representation, classes, metadata_columns, ())


def export_classifier(
    path: str | os.PathLike[str],
    network: LightCurveNetwork,
    head: nn.Module,
    representation: InputRepresentation,
    *,
    uncertainty: Any,
    merge: np.ndarray | None,
    classes: np.ndarray,
    metadata_columns: tuple[str, ...],
    head_metadata_columns: tuple[str, ...],
) -> Path:
    """Write what `TransferClassifier.to_onnx` promises."""
    if not hasattr(uncertainty, "to_onnx"):
        raise NotImplementedError(
            f"The calibration by {type(uncertainty).__name__} has no method "
            "to_onnx(graph, logits, merge), and so cannot be exported: add one that returns the "
            "name of the probabilities, or fit with calibrate='temperature' or calibrate=None."
        )
    graph, latent = _start(network)
    extra = None
    if head_metadata_columns:
        shape: list[Any] = ["n_objects", len(head_metadata_columns)]
        extra = graph.add_input("head_metadata", np.float32, shape)
    logits = graph.head(head, latent, extra)
    probabilities = uncertainty.to_onnx(graph, logits, merge)
    graph.add_output("probabilities", probabilities, np.float32, ["n_objects", len(classes)])
    columns = metadata_columns, head_metadata_columns
    return _write(path, graph, representation, classes, *columns)


def _start(network: LightCurveNetwork) -> tuple[NetworkGraph, str]:
    """A graph with the output "latent", and the name of the latent."""
    try:
        from sklc.serving.modules import NetworkGraph

        graph = NetworkGraph(network.config["n_channels"])
    except ImportError as error:
        raise ImportError("to_onnx needs the package onnx: pip install sklc[fast]") from error
    latent = graph.latent(network, graph.gru(network.gru))
    shape: list[Any] = ["n_objects", network.config["latent_size"]]
    graph.add_output("latent", latent, np.float32, shape)
    return graph, latent


def _write(
    path: str | os.PathLike[str],
    graph: NetworkGraph,
    representation: InputRepresentation,
    classes: np.ndarray,
    metadata_columns: tuple[str, ...],
    head_metadata_columns: tuple[str, ...],
) -> Path:
    """Write the model whole or not at all."""
    path = Path(path)
    convention = {
        "format_version": FORMAT_VERSION,
        "sklc": sklc.__version__,
        "representation": representation.to_dict(),
        "classes": np.asarray(classes).tolist(),
        "metadata_columns": list(metadata_columns),
        "head_metadata_columns": list(head_metadata_columns),
    }
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(graph.serialize({METADATA_KEY: json.dumps(convention)}))
    os.replace(partial, path)
    return path
