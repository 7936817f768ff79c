"""Latents of many light curves on a CPU or GPU, in bounded memory."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch

from sklc.networks.architectures.interface import EncoderNetwork
from sklc.networks.device import in_worker, one_thread
from sklc.networks.inference.device import encode_on_device
from sklc.networks.inference.padded import PaddedStates
from sklc.networks.padding import consecutive, plan_batches
from sklc.networks.recurrent.engines import Recurrence, recurrences
from sklc.networks.recurrent.precision import recurrent_precision
from sklc.representation import InputRepresentation

if TYPE_CHECKING:
    from sklc.light_curves import LightCurves

__all__ = ["encode_latents"]

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


def encode_latents(
    network: EncoderNetwork,
    representation: InputRepresentation,
    curves: LightCurves,
    metadata: np.ndarray | None = None,
    *,
    device: str = "cpu",
    mixed_precision: bool = True,
    with_state: bool = False,
) -> np.ndarray:
    """Latents of `curves`, in their order.

    On a CPU, ``torch.get_num_threads()`` workers of one thread each take batches, the longest
    first: no worker waits for another within a batch, and all end at the same time. Small work, and
    all work in a worker process, is done by one thread.

    Parameters
    ----------
    network : EncoderNetwork
        The network, on the CPU, where it stays.
    representation : InputRepresentation
        The input convention that it was trained with.
    curves : LightCurves
        The n_objects light curves, none of them empty.
    metadata : ndarray of shape (n_objects, n_columns), float32, optional
        Per-object columns, where the network reads them.
    device : str
        The device to compute on: "cpu", or a GPU by its torch name.
    mixed_precision : bool
        Whether a GPU may round factors; see `sklc.networks.recurrent.precision`.
    with_state : bool
        Whether the columns of the state follow those of the latent: a latent trained on classes
        forgets part of the brightness, which the state before the dense layers still has.

    Returns
    -------
    ndarray of shape (n_objects, latent_size), or (n_objects, latent_size + state_size), float32
        The same for an object to the bit, on the CPU, whatever is encoded beside it.
    """
    n_columns = sum(network.block_sizes[: 1 + with_state])
    latents = np.empty((len(curves), n_columns), dtype=np.float32)
    network.eval()
    if torch.device(device).type != "cpu":
        with recurrent_precision(mixed_precision):
            encode_on_device(
                network, representation, curves, metadata, latents, torch.device(device),
                with_state=with_state,
            )  # fmt: skip
        return latents
    most = max(int(curves.lengths.sum()) // _FEWEST_OBSERVATIONS, 1)
    n_workers = min(1 if in_worker() else torch.get_num_threads(), most)
    workers: list[Recurrence] = []
    if network.recurrent is None:
        workers = [PaddedStates(network)] * n_workers
    elif len(curves):
        workers = recurrences(network.recurrent, n_workers, len(curves))

    finish = partial(_outputs_of_states, network, with_state=with_state)
    with one_thread(), _threads(n_workers) as run:
        for part in consecutive(curves.lengths, n_workers * _PART_OBSERVATIONS):
            extra = None if metadata is None else metadata[part]
            latents[part] = _encode_part(
                representation, curves[part], extra, network.state_size, workers, finish, run
            )
    return latents


def _encode_part(
    representation: InputRepresentation,
    curves: LightCurves,
    metadata: np.ndarray | None,
    state_size: int,
    workers: list[Recurrence],
    finish: Callable[[np.ndarray, np.ndarray | None], np.ndarray],
    run: Callable[[Callable, Iterable], list],
) -> np.ndarray:
    """What `finish` makes of the states of a part, with `run` calling a function in threads."""
    share = -(-int(curves.lengths.sum()) // len(workers))
    pieces = list(consecutive(curves.lengths, min(share, _PIECE_OBSERVATIONS)))
    encoded = run(representation.encode, [curves[piece] for piece in pieces])
    values, lengths = (np.concatenate(arrays) for arrays in zip(*encoded, strict=True))
    starts = np.cumsum(lengths) - lengths
    states = np.empty((len(lengths), state_size), dtype=np.float32)
    waiting = deque(plan_batches(lengths, _BATCH, None))

    def work(recurrence: Recurrence) -> None:
        with torch.inference_mode():
            for batch in _taken(waiting):
                states[batch] = recurrence(values, starts[batch], lengths[batch])

    run(work, workers)

    def finish_piece(piece: slice) -> np.ndarray:
        return finish(states[piece], None if metadata is None else metadata[piece])

    return np.concatenate(run(finish_piece, pieces))


def _taken(waiting: deque) -> Iterator:
    """Items that no other thread has taken."""
    with contextlib.suppress(IndexError):
        while True:
            yield waiting.popleft()


def _outputs_of_states(
    network: EncoderNetwork, states: np.ndarray, metadata: np.ndarray | None, *, with_state: bool
) -> np.ndarray:
    """Columns of latents, and of the states where asked for, (n_objects, n_columns) float32."""
    n_columns = sum(network.block_sizes[: 1 + with_state])
    latents = np.empty((len(states), n_columns), dtype=np.float32)
    with torch.inference_mode():
        for start in range(0, len(states), _DENSE_BLOCK):
            rows = slice(start, min(start + _DENSE_BLOCK, len(states)))
            extra = None if metadata is None else _block(metadata[rows])
            block = network.outputs(_block(states[rows]), extra, with_state=with_state)
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
    # torch counts threads for each thread.
    with ThreadPoolExecutor(number, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        try:
            yield lambda function, items: list(pool.map(function, items))
        except BaseException:  # an interruption from the keyboard among them
            pool.shutdown(cancel_futures=True)
            raise
