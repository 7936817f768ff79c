"""Fitted estimators as ONNX files that carry their whole input convention."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from sklc._version import __version__
from sklc.context import Context
from sklc.networks.architectures import EncoderNetwork
from sklc.networks.heads import logits_to_onnx
from sklc.networks.novelty import NOVELTY, NoveltyScore, has_novelty
from sklc.networks.objectives.losses import LOG_SCALE
from sklc.networks.onnx.graph import Graph
from sklc.representation import InputRepresentation
from sklc.serving.checksum import SLOT, sealed
from sklc.serving.features import export_features
from sklc.serving.model import FORMAT_VERSION, METADATA_KEY
from sklc.utils.files import replace_file

__all__ = ["export_classifier", "export_encoder"]


def export_encoder(
    path: str | os.PathLike[str],
    network: EncoderNetwork,
    representation: InputRepresentation,
    classes: np.ndarray,
    metadata_columns: tuple[str, ...],
    context: Context | None = None,
) -> Path:
    """Write what `LightCurveEncoder.to_onnx` promises."""
    graph, latent = _start(network, context)
    if network.head is not None and len(classes):
        probabilities = graph.probabilities(graph.dense(network.head, latent), 1.0, None)
        graph.add_output("probabilities", probabilities, np.float32, ["n_objects", len(classes)])
    for name, module in network.all_heads().items():
        output = graph.dense(module, latent)
        if name == "redshift":
            output = _mean_and_scale(graph, output)
        elif name == NOVELTY and has_novelty(network):
            output = graph.apply("Sigmoid", output)
        n_outputs = network.shape.heads[name][-1]
        graph.add_output(name, output, np.float32, ["n_objects", n_outputs])
    known = _context_of(context, network)
    return _write(path, graph, representation, classes, metadata_columns, (), context=known)


def export_classifier(
    path: str | os.PathLike[str],
    network: EncoderNetwork,
    head: Any,
    representation: InputRepresentation,
    *,
    uncertainty: Any,
    merge: np.ndarray | None,
    classes: np.ndarray,
    metadata_columns: tuple[str, ...],
    head_metadata_columns: tuple[str, ...],
    features: Any = None,
    context: Context | None = None,
    novelty: NoveltyScore | None = None,
) -> Path:
    """Write what `TransferClassifier.to_onnx` promises."""
    if not hasattr(uncertainty, "to_onnx"):
        raise NotImplementedError(
            f"The calibration by {type(uncertainty).__name__} has no method "
            "to_onnx(graph, logits, merge), and so cannot be exported: add one that returns the "
            "name of the probabilities, or fit with calibrate='temperature' or calibrate=None."
        )
    described = None if features is None else export_features(features)
    graph, latent = _start(network, context)
    extra = None
    if head_metadata_columns:
        shape: list[Any] = ["n_objects", len(head_metadata_columns)]
        extra = graph.add_input("head_metadata", np.float32, shape)
    if features is None:
        logits = logits_to_onnx(head, graph, latent, extra)
    else:
        shape = ["n_objects", len(features.get_feature_names_out())]
        table = graph.add_input("features", np.float32, shape)
        logits = head.to_onnx(graph, latent, extra, table)
    probabilities = uncertainty.to_onnx(graph, logits, merge)
    graph.add_output("probabilities", probabilities, np.float32, ["n_objects", len(classes)])
    if novelty is not None:
        graph.add_output(NOVELTY, novelty.to_onnx(graph, latent), np.float32, ["n_objects", 1])
    columns = metadata_columns, head_metadata_columns
    known = _context_of(context, network)
    return _write(path, graph, representation, classes, *columns, features=described, context=known)


def _context_of(context: Context | None, network: EncoderNetwork) -> dict[str, Any] | None:
    """Return where a model finds its context, and what it reads of it, for JSON."""
    if context is None:
        return None
    return {"columns": dict(context.columns), "channels": list(network.shape.context)}


def _start(network: EncoderNetwork, context: Context | None) -> tuple[Graph, str]:
    """A graph with the output "latent", and the name of the latent."""
    try:
        graph = Graph()
    except ImportError as error:
        raise ImportError("to_onnx needs the package onnx: pip install sklc[fast]") from error
    shape: list[Any] = ["n_objects", "longest", len(network.shape.channels)]
    values = graph.add_input("values", np.float32, shape)
    lengths = graph.add_input("lengths", np.int32, ["n_objects"])
    latent = network.to_onnx(graph, values, lengths, with_context=context is not None)
    graph.add_output("latent", latent, np.float32, ["n_objects", network.latent_size])
    return graph, latent


def _mean_and_scale(graph: Graph, prediction: str) -> str:
    """Mean and standard deviation of ``ln(1 + z)``, (n_objects, 2)."""
    mean, log_scale = graph.apply("Split", prediction, n_outputs=2, axis=1)
    low, high = (graph.constant(limit) for limit in LOG_SCALE)
    scale = graph.apply("Exp", graph.apply("Clip", log_scale, low, high))
    return graph.apply("Concat", mean, scale, axis=1)


def _write(
    path: str | os.PathLike[str],
    graph: Graph,
    representation: InputRepresentation,
    classes: np.ndarray,
    *columns: tuple[str, ...],
    features: dict[str, Any] | None = None,
    context: dict[str, Any] | None = None,
) -> Path:
    """Write the model; `columns` are the metadata of the encoder, and those of the head."""
    convention = {
        "format_version": FORMAT_VERSION,
        "checksum": SLOT,
        "sklc": __version__,
        "representation": representation.to_dict(),
        "classes": np.asarray(classes).tolist(),
        **dict(zip(("metadata_columns", "head_metadata_columns"), columns, strict=True)),
        **({} if features is None else {"features": features}),
        **({} if context is None else {"context": context}),
    }
    content = sealed(graph.serialize({METADATA_KEY: json.dumps(convention)}))
    return replace_file(Path(path), content)
