"""Damaged and nonsensical files of every kind that sklc reads, made from seeds."""

from __future__ import annotations

import contextlib
import io
import json
import resource
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pyarrow as pa
import pyarrow.parquet as pq
import safetensors
import safetensors.numpy
import torch

from sklc import LightCurveEncoder, LightCurves, TransferClassifier
from sklc.datasets import load_demo
from sklc.errors import CheckpointError, LightCurveError, WeightsError
from sklc.light_curves.readers.parquet_folder import HEADER, MANIFEST
from sklc.networks.training.checkpoint import _digest_of
from sklc.serving import OnnxModel
from sklc.serving.checksum import SLOT, sealed
from sklc.weights.file import header_digest, tensor_digest

__all__ = ["KINDS", "SMALL", "attempt", "spoil"]

SMALL: dict[str, Any] = {
    "hidden_size": 6, "latent_size": 4, "max_epochs": 2, "batch_size": 32, "random_state": 0,
    "device": "cpu", "verbose": 0,
}  # fmt: skip
_MOST_MEMORY = 1_000_000  # kB more than before
_NONSENSE: tuple[Any, ...] = (
    None, True, 0, -1, 1, 3, 10**6, 10**12, 2**64, -(10**30), 0.0, 1e-300, 1e300, float("nan"),
    float("inf"), "", "x", "F32", "é" * 50, [], [1], [[]], [None], {}, {"a": 1}, ["a"] * 3,
)  # fmt: skip


@cache
def objects() -> tuple[LightCurves, np.ndarray]:
    """Return 60 labelled light curves."""
    curves, y = load_demo(return_X_y=True)
    return curves[:60], y[:60]


@cache
def encoder() -> LightCurveEncoder:
    """Return a small trained encoder."""
    return LightCurveEncoder(redshift_weight=0.2, **SMALL).fit(*objects())


@cache
def classifier() -> TransferClassifier:
    """Return a small trained classifier."""
    options: dict[str, Any] = {"C": 1.0, "features": None, "device": "cpu", "random_state": 0}
    return TransferClassifier(encoder(), **options).fit(*objects())


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Parameters
    ----------
    make : callable
        Writes one to a folder, and returns its path.
    load : callable
        Reads it, and returns numbers that follow from it.
    error : type
        What a damaged one is to raise.
    nonsense : callable
        Writes something into it that makes no sense, with checksums that fit.
    checked : bool
        Whether no damaged bit may go unnoticed.
    """

    make: Callable[[Path], Path]
    load: Callable[[Path], np.ndarray]
    error: type[Exception]
    nonsense: Callable[[Path, np.random.Generator], None]
    checked: bool = True


def spoil(content: bytes, rng: np.random.Generator) -> bytes:
    """Return bytes with one random damage."""
    spoilt, how = bytearray(content), int(rng.integers(8))
    at = int(rng.integers(max(len(spoilt), 1)))
    if rng.random() < 0.5:  # the first and last bytes say what the others are
        at = (
            int(rng.integers(200))
            if rng.random() < 0.5
            else len(spoilt) - 1 - int(rng.integers(200))
        )
        at = min(max(at, 0), len(spoilt) - 1)
    length = int(rng.integers(1, 64))
    if how <= 2:
        spoilt[at] ^= 1 << int(rng.integers(8))
    elif how == 3:
        spoilt[at : at + length] = rng.bytes(length)
    elif how == 4:
        del spoilt[at:]
    elif how == 5:
        spoilt[at:at] = rng.bytes(length)
    elif how == 6:
        spoilt[at : at + length] = bytes(length)
    else:
        del spoilt[at : at + length]
    return bytes(spoilt)


def changed(tree: Any, rng: np.random.Generator) -> Any:
    """Return JSON with nonsense somewhere in it, or without some part."""
    tree = json.loads(json.dumps(tree))
    places: list[tuple[Any, Any]] = []
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        keys = node.keys() if isinstance(node, dict) else range(len(node))
        for key in keys:
            places.append((node, key))
            if isinstance(node[key], dict | list):
                waiting.append(node[key])
    for _ in range(int(rng.integers(1, 3))):
        node, key = places[int(rng.integers(len(places)))]
        with contextlib.suppress(LookupError):
            if rng.random() < 0.15:
                del node[key]
            else:
                node[key] = _NONSENSE[int(rng.integers(len(_NONSENSE)))]
    return tree


def changed_tensors(tensors: dict[str, np.ndarray], rng: np.random.Generator) -> None:
    """Change one of some tensors."""
    if not tensors:
        return
    name = list(tensors)[int(rng.integers(len(tensors)))]
    tensor, how = tensors[name], int(rng.integers(6))
    if how == 0 and tensor.dtype.kind == "f":
        tensors[name] = np.full_like(tensor, (np.nan, np.inf, 1e38)[int(rng.integers(3))])
    elif how == 1:
        tensors[name] = tensor.reshape(-1)[: tensor.size // 2]
    elif how == 2:
        tensors[name] = tensor.astype(np.float64 if tensor.dtype != np.float64 else np.int32)
    elif how == 3:
        del tensors[name]
    elif how == 4:
        tensors["another"] = tensors.pop(name)
    else:
        tensors[name] = np.ascontiguousarray(tensor.T)


def _sealed_header(key: str) -> Callable[[Path, np.random.Generator], None]:
    def nonsense(path: Path, rng: np.random.Generator) -> None:
        tensors = safetensors.numpy.load_file(path)
        with safetensors.safe_open(path, framework="np") as handle:
            header = json.loads(handle.metadata()[key])
        if rng.random() < 0.7:
            header = changed(header, rng)
        else:
            changed_tensors(tensors, rng)
        if isinstance(header, dict):
            header.pop("header_sha256", None)
            header["tensors_sha256"] = tensor_digest(tensors)
            header["header_sha256"] = header_digest(header)
        text = json.dumps(header) if rng.random() < 0.95 else "[" * 100_000
        path.write_bytes(safetensors.numpy.save(tensors, metadata={key: text}))

    return nonsense


def _onnx_nonsense(path: Path, rng: np.random.Generator) -> None:
    model = onnx.load(path)
    convention = {**json.loads(model.metadata_props[0].value), "checksum": SLOT}
    text = json.dumps({**changed(convention, rng), "checksum": SLOT})
    onnx.helper.set_model_props(model, {"sklc": text})
    path.write_bytes(sealed(model.SerializeToString()))


def _parquet_nonsense(folder: Path, rng: np.random.Generator) -> None:
    file = folder / ("objects.parquet", "photometry.parquet")[int(rng.integers(2))]
    if rng.random() < 0.1:
        parts = folder.parent / "parts"
        (parts / "part-00000").mkdir(parents=True, exist_ok=True)
        (folder / MANIFEST).write_text(json.dumps(_NONSENSE[int(rng.integers(len(_NONSENSE)))]))
        return
    table = pq.read_table(file)
    metadata = dict(table.schema.metadata)
    if rng.random() < 0.5:
        metadata[HEADER] = json.dumps(changed(json.loads(metadata[HEADER]), rng)).encode()
        table = table.replace_schema_metadata(metadata)
    else:
        column = int(rng.integers(table.num_columns))
        n = table.num_rows
        values = (
            pa.nulls(n), pa.array([[1.0]] * n), pa.array([b"\xff"] * n), pa.array([2**62] * n),
            pa.array([{"a": 1}] * n), pa.array([float("inf")] * n), pa.array(["x"] * n),
        )[int(rng.integers(7))]  # fmt: skip
        table = table.set_column(column, table.column_names[column], values)
    pq.write_table(table, file)


def _checkpoint_nonsense(path: Path, rng: np.random.Generator) -> None:
    state = torch.load(path, weights_only=True)
    part = state[("module", "settings", "callbacks", "optimizer")[int(rng.integers(4))]]
    key = list(part)[int(rng.integers(len(part)))]
    part[key] = _NONSENSE[int(rng.integers(len(_NONSENSE)))]
    state["sha256"] = _digest_of({**state, "sha256": None})
    torch.save(state, path)


def _train(path: Path) -> np.ndarray:
    trained = LightCurveEncoder(**SMALL, checkpoint=path).fit(*objects())
    return trained.transform(objects()[0][:3])


def _checkpoint(folder: Path) -> Path:
    _train(folder / "mine.checkpoint")
    return folder / "mine.checkpoint"


def _parquet(folder: Path) -> Path:
    objects()[0].to_parquet(folder / "curves")
    return folder / "curves"


KINDS: dict[str, Kind] = {
    "weights": Kind(
        lambda folder: encoder().save(folder / "mine.safetensors"),
        lambda path: LightCurveEncoder.pretrained(path).transform(objects()[0][:3]),
        WeightsError,
        _sealed_header("sklc"),
    ),
    "estimators": Kind(
        lambda folder: classifier().save(folder / "mine.safetensors"),
        lambda path: TransferClassifier.load(path).classes_,
        WeightsError,
        _sealed_header("sklc_estimator"),
    ),
    "exported models": Kind(
        lambda folder: classifier().to_onnx(folder / "mine.onnx"),
        lambda path: OnnxModel(path).transform(objects()[0][:3]),
        WeightsError,
        _onnx_nonsense,
    ),
    "checkpoints": Kind(_checkpoint, _train, CheckpointError, _checkpoint_nonsense),
    "light curves": Kind(
        _parquet,
        lambda path: LightCurves.from_parquet(path).flux,
        LightCurveError,
        _parquet_nonsense,
        checked=False,  # Parquet has no checksums of its own
    ),
}


@cache
def _original(kind: str) -> tuple[Path, dict[str, bytes], np.ndarray]:
    path = KINDS[kind].make(Path(tempfile.mkdtemp(prefix="sklc-faults-")))
    files = path.rglob("*") if path.is_dir() else [path]
    content = {str(file): file.read_bytes() for file in files if file.is_file()}
    return path, content, KINDS[kind].load(path)


def attempt(kind: str, rng: np.random.Generator) -> tuple[str, str]:
    """Damage a file, and read it.

    Returns
    -------
    outcome : {"refused", "unnoticed", "fault"}
        Whether it was refused as it should be, or read in spite of the damage.
    what : str
        What went wrong.
    """
    own, (path, content, expected) = KINDS[kind], _original(kind)
    for left in path.rglob("*") if path.is_dir() else ():
        if str(left) not in content:
            left.unlink()
    for name, original in content.items():
        Path(name).write_bytes(original)
    by_bytes = rng.random() < 0.6
    if by_bytes:
        name = list(content)[int(rng.integers(len(content)))]
        spoilt = spoil(content[name], rng)
        Path(name).write_bytes(spoilt)
        if spoilt == content[name]:
            return "unnoticed", ""
    else:
        own.nonsense(path, rng)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            read = own.load(path)
    except own.error as error:
        names = {path.name, *(Path(name).name for name in content), MANIFEST}
        if not any(name in str(error) for name in names):
            return "fault", f"the message does not name the file: {error}"
        outcome = "refused", ""
    except Exception as error:
        return "fault", f"{type(error).__name__}: {str(error)[:200]}"
    else:
        outcome = "unnoticed", ""
        if read.dtype.kind == "f" and not np.isfinite(read).all():
            return "fault", "it is read, and gives NaN or infinity"
        if by_bytes and own.checked and not np.array_equal(read, expected):
            return "fault", "damaged bits went unnoticed, and changed the result"
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    if used > _MOST_MEMORY:
        return "fault", f"it takes {used / 1000:.0f} MB"
    return outcome
