"""The GRU on a CPU, one thread at a time: ONNX Runtime where there is one, a torch loop elsewhere.

Both return the state at each object's last observation, the same to the bit in every batch, and
agree with each other as float32 does with float64: a root mean square of 3e-7 of the spread of the
latents on real light curves (a single value may differ by 1e-5).
"""

from __future__ import annotations

import importlib.util
import os
import threading
import warnings
import weakref
import zlib
from functools import cache
from typing import Any, Protocol

import numpy as np
from torch import nn

from sklc.errors import PerformanceWarning
from sklc.networks.onnx.session import open_session
from sklc.networks.recurrent.torch_loop import TorchRecurrence
from sklc.utils.processes import after_fork

__all__ = ["ENGINE_VARIABLE", "Recurrence", "recurrences"]

# Chooses the engine: "onnx", "torch", or "auto" (the same as unset) for the faster one.
ENGINE_VARIABLE = "SKLC_INFERENCE"
# From this number of light curves on, the slower engine is worth a warning.
_MANY = 10_000


class Recurrence(Protocol):
    """Runs the GRU over one batch in the thread that calls it."""

    def __call__(self, values: np.ndarray, starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """States (n, hidden_size) at the last observations of objects, longest first."""
        ...


class OnnxRecurrence:
    """The GRU in ONNX Runtime.

    Parameters
    ----------
    model : bytes
        As `sklc.networks.recurrent.onnx_loop.recurrent_model` writes it.
    """

    def __init__(self, model: bytes) -> None:
        # One thread: callers run one session a worker, which no other process can slow down as it
        # does threads that wait for each other at every step.
        self.session = open_session(model, n_threads=1)
        *layers, _ = self.session.get_inputs()
        self.names, self.hidden_size = [layer.name for layer in layers], layers[0].shape[1]

    def __call__(self, values: np.ndarray, starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """States (n, hidden_size) of objects in order of falling length."""
        left, done = len(lengths), 0
        last = np.empty((left, self.hidden_size), dtype=np.float32)
        states = [np.zeros_like(last)] * len(self.names)
        # From one end of a light curve to the next, with those that go on: nothing is padding.
        for stop in np.unique(lengths):
            steps = starts[:left] + np.arange(done, stop)[:, None]
            inputs = dict(zip(self.names, states, strict=True), observations=values[steps])
            states = self.session.run(None, inputs)
            going_on = int(np.searchsorted(-lengths, -stop))
            last[going_on:left] = states[-1][going_on:]
            states, left, done = [state[:going_on] for state in states], going_on, stop
        return last


class _Sessions:
    """The sessions of each network, kept while it exists and its weights do not change."""

    def __init__(self) -> None:
        self.known: weakref.WeakKeyDictionary[nn.GRU, tuple[Any, bytes, list[OnnxRecurrence]]]
        self.known = weakref.WeakKeyDictionary()
        self.lock = threading.Lock()

    def of(self, gru: nn.GRU, number: int) -> list[OnnxRecurrence]:
        """Return `number` sessions, new ones only where some are missing."""
        from sklc.networks.recurrent.onnx_loop import recurrent_model

        state = (*(zlib.crc32(p.detach().numpy().data) for p in gru.parameters()),)
        with self.lock:
            before = self.known.get(gru)
            if before is None or before[0] != state:
                before = state, recurrent_model(gru), []
                self.known[gru] = before
            _, model, sessions = before
            sessions.extend(OnnxRecurrence(model) for _ in range(number - len(sessions)))
            return sessions[:number]


_SESSIONS = _Sessions()
after_fork(_SESSIONS.__init__)  # type: ignore[misc]  # a forked child makes its own


def recurrences(gru: nn.GRU, number: int, n_objects: int) -> list[Recurrence]:
    """Return one recurrence for each worker thread.

    Parameters
    ----------
    gru : torch.nn.GRU
        The layers, on the CPU.
    number : int
        Number of worker threads.
    n_objects : int
        Number of light curves to be encoded.

    Raises
    ------
    ImportError
        If the environment variable asks for ONNX Runtime, which is not installed.
    ValueError
        If the environment variable has another value.

    Warns
    -----
    PerformanceWarning
        Once per process, if many light curves are encoded without ONNX Runtime, or if it is
        installed and cannot run the network.
    """
    wanted = os.environ.get(ENGINE_VARIABLE) or "auto"
    if wanted not in ("auto", "onnx", "torch"):
        raise ValueError(
            f"The environment variable {ENGINE_VARIABLE} is {wanted!r}: set it to 'onnx', 'torch' "
            "or 'auto', or unset it."
        )
    missing, silence = _missing(), f"set {ENGINE_VARIABLE}=torch to go on without this message"
    if wanted != "torch" and not missing:
        try:
            return list(_SESSIONS.of(gru, number))
        except Exception as error:  # whatever a version of ONNX Runtime may raise
            if wanted == "onnx":
                raise
            _say_once(
                "broken",
                "ONNX Runtime is installed but cannot run the network "
                f"({type(error).__name__}: {str(error).strip()[:200]}), so torch does. Upgrade it "
                f"with pip install --upgrade onnxruntime, or {silence}.",
            )
    elif wanted == "onnx":
        raise ImportError(
            f"{ENGINE_VARIABLE}=onnx needs {missing}: pip install sklc[fast], or unset it."
        )
    elif wanted == "auto" and n_objects >= _MANY:
        _say_once(
            "missing",
            f"Encoding {n_objects:,} light curves with torch, since {missing} is not installed: "
            "pip install sklc[fast] may make this up to 1.4 times as fast, with the same results. "
            f"Or {silence}.",
        )
    return [TorchRecurrence(gru) for _ in range(number)]


@cache
def _missing() -> str:
    """Name of a package that ONNX Runtime inference lacks, or ""."""
    for name in ("onnxruntime", "onnx"):
        if importlib.util.find_spec(name) is None:
            return name
    return ""


# Which of the two messages this process has given.
_said: set[str] = set()


def _say_once(what: str, message: str) -> None:
    # Counted by kind, since the texts contain numbers and errors that differ from call to call.
    if what not in _said:
        _said.add(what)
        warnings.warn(message, PerformanceWarning, stacklevel=3)
