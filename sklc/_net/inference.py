"""Latents of many light curves on a CPU or GPU, in bounded memory."""

from __future__ import annotations

import contextlib
import multiprocessing
import queue
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import torch

from sklc._net.gpu_inference import encode_on_device
from sklc._net.gru import LightCurveNetwork
from sklc._net.padding import plan_batches
from sklc._net.precision import recurrent_precision
from sklc._net.recurrence import Recurrence, recurrences
from sklc._net.representation import InputRepresentation

if TYPE_CHECKING:
    from sklc.light_curves import LightCurves

__all__ = ["encode_latents", "resolve_device", "single_thread_in_workers"]

# Observations that a worker encodes at a time: bounds the memory whatever the number of light
# curves, and is long enough to sort them by length into batches with hardly any padding.
_PART_OBSERVATIONS = 250_000
# Parts for each worker, if there are enough observations: the last ones to end are then short.
_PARTS_A_WORKER, _FEWEST_OBSERVATIONS = 4, 20_000
# Objects that the dense layers take at a time. Always as many, or an object's result would depend
# by rounding on how many there are beside it.
_DENSE_BLOCK = 128


def resolve_device(device: str) -> str:
    """Return the torch device for `device`; "auto" is the GPU where torch finds one.

    Raises
    ------
    ValueError
        If a GPU is asked for by name and none is there.
    """
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        kind = torch.device(device).type
    except RuntimeError as error:
        raise ValueError(f"device={device!r} is not a torch device: {error}") from error
    if kind == "cuda" and not torch.cuda.is_available():
        raise ValueError(
            f"device={device!r} was asked for, but torch finds no GPU: use device='auto'."
        )
    return device


@contextlib.contextmanager
def single_thread_in_workers() -> Iterator[None]:
    """Use one torch thread while inside a worker process of joblib, and restore the number.

    Several processes of several threads each ask for more cores than there are, and torch then
    becomes many times slower than with one thread per process.
    """
    before = torch.get_num_threads()
    if multiprocessing.current_process().name == "MainProcess" or before == 1:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def encode_latents(
    network: LightCurveNetwork,
    representation: InputRepresentation,
    curves: LightCurves,
    metadata: np.ndarray | None = None,
    *,
    device: str = "cpu",
    mixed_precision: bool = True,
) -> np.ndarray:
    """Latents of `curves`, in their order.

    On a CPU, ``torch.get_num_threads()`` workers of one thread each take one part of the light
    curves after the other: no worker waits for another within a batch.

    Parameters
    ----------
    network : LightCurveNetwork
        On the CPU, as estimators hold it; it stays there.
    representation : InputRepresentation
        The one it was trained with.
    curves : LightCurves
        Of n_objects, none empty.
    metadata : ndarray of shape (n_objects, n_columns), float32, optional
        Where the network has a metadata branch.
    device : str
        "cpu" or a torch GPU device.
    mixed_precision : bool
        On a GPU, see `sklc._net.precision`.

    Returns
    -------
    ndarray of shape (n_objects, latent_size), float32
        The same for an object to the bit, on the CPU, whatever is encoded beside it.
    """
    latents = np.empty((len(curves), network.config["latent_size"]), dtype=np.float32)
    network.eval()
    if torch.device(device).type != "cpu":
        with recurrent_precision(mixed_precision):
            on_device = torch.device(device)
            encode_on_device(network, representation, curves, metadata, latents, on_device)
        return latents
    with single_thread_in_workers():
        n_workers = torch.get_num_threads()
        parts = list(_parts(curves.lengths, n_workers))
        n_workers = min(n_workers, len(parts))
        idle: queue.SimpleQueue[Recurrence] = queue.SimpleQueue()
        for recurrence in recurrences(network.gru, n_workers, len(curves)):
            idle.put(recurrence)

        def work(rows: slice) -> None:
            recurrence = idle.get()
            try:
                state = encode_states(recurrence, representation, curves[rows])
                extra = None if metadata is None else metadata[rows]
                latents[rows] = latents_of_states(network, state, extra)
            finally:
                idle.put(recurrence)

        _run(work, parts, n_workers)
    return latents


def encode_states(
    recurrence: Recurrence, representation: InputRepresentation, curves: LightCurves
) -> np.ndarray:
    """Recurrent states of light curves, (n_objects, hidden_size) float32, in one thread."""
    values, lengths = representation.encode(curves)
    starts = np.cumsum(lengths) - lengths
    states = None
    with torch.inference_mode():
        for batch in plan_batches(lengths, recurrence.batch_size, None):
            state = recurrence(values, starts[batch], lengths[batch])
            if states is None:
                states = np.empty((len(lengths), state.shape[1]), dtype=np.float32)
            states[batch] = state
    assert states is not None
    return states


def latents_of_states(
    network: LightCurveNetwork, states: np.ndarray, metadata: np.ndarray | None
) -> np.ndarray:
    """Latents, (n_objects, latent_size) float32, of recurrent states."""
    latents = np.empty((len(states), network.config["latent_size"]), dtype=np.float32)
    with torch.inference_mode():
        for start in range(0, len(states), _DENSE_BLOCK):
            rows = slice(start, min(start + _DENSE_BLOCK, len(states)))
            extra = None if metadata is None else _block(metadata[rows])
            block = network.to_latent(_block(states[rows]), extra)
            latents[rows] = block[: rows.stop - rows.start].numpy()
    return latents


def _block(rows: np.ndarray) -> torch.Tensor:
    """Rows as a tensor of `_DENSE_BLOCK` rows, whose last ones repeat the first."""
    spare = _DENSE_BLOCK - len(rows)
    return torch.from_numpy(np.concatenate([rows, np.repeat(rows[:1], spare, axis=0)]))


def _run(work, parts: list[slice], n_workers: int) -> None:
    """Call `work` on every part, in threads where there are several workers."""
    if n_workers <= 1:
        for part in parts:
            work(part)
        return
    # torch counts threads for each thread, and a new one starts with those of the process.
    before = torch.get_num_threads()
    with ThreadPoolExecutor(n_workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        try:
            for _ in pool.map(work, parts):
                pass
        except BaseException:  # an interruption from the keyboard among them
            pool.shutdown(cancel_futures=True)
            raise
        finally:
            torch.set_num_threads(before)


def _parts(lengths: np.ndarray, n_workers: int) -> Iterator[slice]:
    """Slices of consecutive objects with a bounded number of observations together."""
    ends = np.cumsum(lengths)
    if not len(ends):
        return
    share = int(ends[-1]) // (_PARTS_A_WORKER * n_workers) if n_workers > 1 else int(ends[-1])
    most = min(max(share, _FEWEST_OBSERVATIONS), _PART_OBSERVATIONS)
    start = 0
    while start < len(lengths):
        before = ends[start - 1] if start else 0
        stop = int(np.searchsorted(ends, before + most, side="right"))
        stop = max(stop, start + 1)
        yield slice(start, stop)
        start = stop
