"""Latents of many light curves on a CPU or GPU, in bounded memory."""

from __future__ import annotations

import contextlib
import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import torch

from sklc.networks.architectures.gru import LightCurveNetwork
from sklc.networks.inference.device import encode_on_device
from sklc.networks.padding import plan_batches
from sklc.networks.recurrent.engines import Recurrence, recurrences
from sklc.networks.recurrent.precision import recurrent_precision
from sklc.representation import InputRepresentation

if TYPE_CHECKING:
    from sklc.light_curves import LightCurves

__all__ = ["encode_latents", "resolve_device", "single_thread_in_workers"]

# Observations that are encoded at a time, for each worker: bounds the memory whatever the number of
# light curves, and is long enough to sort them by length into batches with hardly any padding.
_PART_OBSERVATIONS = 1_000_000
# Observations that a worker makes inputs of at a time: on the way there are many float64 arrays.
_PIECE_OBSERVATIONS = 100_000
# Objects in a batch: enough for the products of a step, and few enough that its states and gates
# stay in the cache.
_BATCH = 192
# With fewer for each worker, another is not worth starting.
_FEWEST_OBSERVATIONS = 20_000
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

    On a CPU, ``torch.get_num_threads()`` workers of one thread each take batches, the longest
    first: no worker waits for another within a batch, and all end at the same time.

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
        On a GPU, see `sklc.networks.recurrent.precision`.

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
        most = max(int(curves.lengths.sum()) // _FEWEST_OBSERVATIONS, 1)
        n_workers = min(torch.get_num_threads(), most)
        workers = recurrences(network.gru, n_workers, len(curves)) if len(curves) else []
        with _threads(n_workers) as run:
            for part in _slices(curves.lengths, n_workers * _PART_OBSERVATIONS):
                extra = None if metadata is None else metadata[part]
                latents[part] = _encode_part(
                    network, representation, curves[part], extra, workers, run
                )
    return latents


def _encode_part(
    network: LightCurveNetwork,
    representation: InputRepresentation,
    curves: LightCurves,
    metadata: np.ndarray | None,
    workers: list[Recurrence],
    run: Callable[[Callable, Iterable], list],
) -> np.ndarray:
    """Latents, (n_objects, latent_size) float32, with `run` calling a function in threads."""
    share = -(-int(curves.lengths.sum()) // len(workers))
    pieces = list(_slices(curves.lengths, min(share, _PIECE_OBSERVATIONS)))
    encoded = run(representation.encode, [curves[piece] for piece in pieces])
    values, lengths = (np.concatenate(arrays) for arrays in zip(*encoded, strict=True))
    starts = np.cumsum(lengths) - lengths
    states = np.empty((len(lengths), network.gru.hidden_size), dtype=np.float32)
    waiting = deque(plan_batches(lengths, _BATCH, None))

    def work(recurrence: Recurrence) -> None:
        with torch.inference_mode():
            for batch in _taken(waiting):
                states[batch] = recurrence(values, starts[batch], lengths[batch])

    run(work, workers)

    def finish(piece: slice) -> np.ndarray:
        extra = None if metadata is None else metadata[piece]
        return latents_of_states(network, states[piece], extra)

    return np.concatenate(run(finish, pieces))


def _taken(waiting: deque) -> Iterator:
    """Items that no other thread has taken."""
    while True:
        try:
            item = waiting.popleft()
        except IndexError:
            return
        yield item


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


@contextlib.contextmanager
def _threads(number: int) -> Iterator[Callable[[Callable, Iterable], list]]:
    """Yield a ``map`` that calls in so many threads, of one torch thread each; here, if one."""
    if number == 1:
        yield lambda function, items: list(map(function, items))
        return
    # torch counts threads for each thread, and a new one starts with those of the process.
    before = torch.get_num_threads()
    with ThreadPoolExecutor(number, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        try:
            yield lambda function, items: list(pool.map(function, items))
        except BaseException:  # an interruption from the keyboard among them
            pool.shutdown(cancel_futures=True)
            raise
        finally:
            torch.set_num_threads(before)


def _slices(lengths: np.ndarray, most: int) -> Iterator[slice]:
    """Slices of consecutive objects with at most so many observations together, or one object."""
    ends = np.cumsum(lengths)
    start = 0
    while start < len(lengths):
        before = ends[start - 1] if start else 0
        stop = int(np.searchsorted(ends, before + most, side="right"))
        stop = max(stop, start + 1)
        yield slice(start, stop)
        start = stop
