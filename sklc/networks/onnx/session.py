"""How sklc opens models in ONNX Runtime: on the CPU, quietly, without torch."""

from __future__ import annotations

from typing import Any

__all__ = ["open_session"]


def open_session(model: bytes | str, *, n_threads: int) -> Any:
    """Open a model, serialized or by its path, as an ``onnxruntime.InferenceSession``."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = n_threads, 1
    options.log_severity_level = 3  # errors alone
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
