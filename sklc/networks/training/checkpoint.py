"""Checkpoints, from which a training that was killed continues to exactly the same result."""

from __future__ import annotations

import hashlib
import io
import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from skorch.callbacks import Callback, EarlyStopping, LRScheduler
from skorch.history import History

from sklc.errors import CheckpointError
from sklc.utils.files import replace_file
from sklc.utils.text import shown

__all__ = ["TrainingCheckpoint", "fingerprint"]

CHECKPOINT_VERSION = 3
# The attributes in which skorch keeps the state of early stopping.
_STOPPING = ("misses_", "dynamic_threshold_", "best_epoch_", "best_model_weights_")


def fingerprint(*arrays: np.ndarray) -> str:
    """Return a checksum that tells one training set from another."""
    checksum = 0
    for array in arrays:
        checksum = zlib.crc32(np.ascontiguousarray(array).tobytes(), checksum)
    return f"{checksum:08x}"


class TrainingCheckpoint(Callback):
    """Save the whole state after every epoch, in one file that is replaced whole or not at all.

    The state consists of the module, the optimizer, the history, and the state of callbacks that
    stop early or set the learning rate. All random draws depend on the seed and the number of the
    epoch alone, so an epoch that was cut short is trained again. This is the last of the callbacks.

    Parameters
    ----------
    path : str or path
        The file. Its folder is created.
    settings : mapping of str to plain values
        Everything that must be the same when the training continues, such as sizes, seed and data.

    Raises
    ------
    CheckpointError
        By `open`, if the file is damaged, or belongs to another version or another training.
    """

    def __init__(self, path: str | os.PathLike[str], settings: Mapping[str, Any]) -> None:
        self.path = Path(path)
        self.settings = dict(settings)
        self.state_: dict[str, Any] | None = None

    def open(self) -> int:
        """Read the file if there is one, check it, and return how many epochs it has done."""
        self.state_ = None
        if not self.path.exists():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            return 0
        remedy = f"Delete {self.path} to start over, or name another file."
        try:
            # Tensors and plain values only: a checkpoint can run no code.
            state = torch.load(self.path, map_location="cpu", weights_only=True)
            version, there = state["version"], state["settings"]
            there = dict(there)
        except Exception as error:  # whatever reading a file that is damaged may raise
            raise self._damaged(error) from error
        if version != CHECKPOINT_VERSION:
            raise CheckpointError(
                f"The checkpoint {self.path} has version {shown(version)}, and this sklc writes "
                f"and reads version {CHECKPOINT_VERSION}: finish it with the sklc that began it. "
                f"{remedy}"
            )
        if state.get("sha256") != _digest_of({**state, "sha256": None}):
            raise self._damaged(ValueError("it does not match its checksum"))
        different = [
            f"{name}={shown(there.get(name))} there and {shown(self.settings.get(name))} here"
            for name in sorted({*there, *self.settings})
            if there.get(name) != self.settings.get(name)
        ]
        if different:
            raise CheckpointError(
                f"The checkpoint {self.path} is of another training: {'; '.join(different)}. "
                f"Train with the same data and settings to go on. {remedy}"
            )
        self.state_ = state
        return len(state["history"])

    def _damaged(self, error: Exception) -> CheckpointError:
        return CheckpointError(
            f"The checkpoint {self.path} is damaged or cut short, or it is something else "
            f"({str(error).strip()[:120] or type(error).__name__}). Delete {self.path} to start "
            "over, or name another file."
        )

    def on_train_begin(self, net, **kwargs) -> None:
        """Restore what `open` has read. The other callbacks have been started before."""
        if self.state_ is None:
            return
        try:
            self._restore(net)
        except Exception as error:  # it holds another network, or other callbacks
            raise self._damaged(error) from error

    def _restore(self, net) -> None:
        assert self.state_ is not None
        net.module_.load_state_dict(self.state_["module"])
        _check_optimizer(self.state_["optimizer"], net.optimizer_)
        net.optimizer_.load_state_dict(self.state_["optimizer"])
        net.history = History(self.state_["history"])
        for name, callback in net.callbacks_:
            saved = self.state_["callbacks"].get(name, {})
            if isinstance(callback, EarlyStopping):
                _check_stopping(saved, net.module_)
                vars(callback).update(saved)
            elif isinstance(callback, LRScheduler):
                scheduler = callback.lr_scheduler_
                scheduler.load_state_dict({**scheduler.state_dict(), **saved})
        self.state_ = None

    def on_epoch_end(self, net, **kwargs) -> None:
        """Save the state."""
        state = {
            "version": CHECKPOINT_VERSION,
            "settings": self.settings,
            "module": net.module_.state_dict(),
            "optimizer": net.optimizer_.state_dict(),
            "history": _plain(net.history.to_list()),
            "callbacks": {name: _memory(callback) for name, callback in net.callbacks_},
        }
        content = io.BytesIO()
        torch.save({**state, "sha256": _digest_of({**state, "sha256": None})}, content)
        replace_file(self.path, content.getvalue())


def _check_optimizer(saved: Mapping[str, Any], optimizer: torch.optim.Optimizer) -> None:
    """Refuse what cannot be the state of an optimizer."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    for number, memory in saved["state"].items():
        shape = parameters[number].shape
        for name, value in memory.items():
            if not isinstance(value, torch.Tensor) or value.shape not in (shape, ()):
                raise TypeError(f"{name} of parameter {number} is {shown(value)}")
    for own, group in zip(optimizer.param_groups, saved["param_groups"], strict=True):
        for name in ("lr", "betas", "eps", "weight_decay"):
            if np.shape(group[name]) != np.shape(own[name]) or not np.isfinite(group[name]).all():
                raise TypeError(f"{name} is {shown(group[name])}")


def _check_stopping(saved: Mapping[str, Any], module: torch.nn.Module) -> None:
    """Refuse what cannot be the state of early stopping of a module."""
    best = saved["best_model_weights_"]
    if best is not None:
        own = module.state_dict()
        if {k: v.shape for k, v in own.items()} != {k: v.shape for k, v in best.items()}:
            raise ValueError("its best weights are those of another network")
    for name in ("misses_", "best_epoch_", "dynamic_threshold_"):
        if isinstance(saved[name], bool) or not isinstance(saved[name], int | float):
            raise TypeError(f"{name} is {shown(saved[name])}")


def _digest_of(state: Any) -> str:
    """Return a checksum of tensors and plain values, and of how they are nested."""
    sha256, waiting = hashlib.sha256(), [state]
    while waiting:
        value = waiting.pop()
        if isinstance(value, torch.Tensor):
            tensor = value.detach().cpu().contiguous()
            sha256.update(f"{tensor.dtype} {tuple(tensor.shape)}".encode())
            sha256.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
        elif isinstance(value, Mapping):
            sha256.update(f"mapping {len(value)}".encode())
            for name in sorted(value, key=repr):
                waiting += [value[name], repr(name)]
        elif isinstance(value, list | tuple):
            sha256.update(f"sequence {len(value)}".encode())
            waiting += value
        else:
            sha256.update(repr(value).encode())
    return sha256.hexdigest()


def _memory(callback: Callback) -> dict[str, Any]:
    """Return the state of a callback that stops early or sets the learning rate."""
    if isinstance(callback, EarlyStopping):
        return {name: _plain(getattr(callback, name)) for name in _STOPPING}
    if isinstance(callback, LRScheduler):
        state = _plain(callback.lr_scheduler_.state_dict())
        # Counters and rates; what else there is was set by the constructor.
        return {name: value for name, value in state.items() if _is_data(value)}
    return {}


def _is_data(value: Any) -> bool:
    if isinstance(value, list | dict):
        return all(map(_is_data, value.values() if isinstance(value, dict) else value))
    return value is None or isinstance(value, bool | int | float | str)


def _plain(value: Any) -> Any:
    """Return `value` without numpy scalars, which a safe loader refuses."""
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return value.item() if isinstance(value, np.generic) else value
