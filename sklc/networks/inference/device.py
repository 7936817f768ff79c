"""Latents on a GPU, which gathers batches from parts that the host prepares in advance."""

from __future__ import annotations

import copy
import warnings
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from sklc.errors import PerformanceWarning
from sklc.networks.architectures.interface import EncoderNetwork
from sklc.networks.device import gather
from sklc.networks.padding import consecutive
from sklc.representation import InputRepresentation

if TYPE_CHECKING:
    from sklc.light_curves import LightCurves

__all__ = ["encode_on_device"]

# Observations that lie on the device at a time, in each of the two parts under way.
_PART_OBSERVATIONS = 4_000_000
# Most objects, and most padded observations, of a batch.
_BATCH, _BATCH_OBSERVATIONS = 8192, 2_000_000


class _Part(NamedTuple):
    """Consecutive objects, ready for the device."""

    rows: slice
    values: torch.Tensor
    lengths: np.ndarray


def encode_on_device(
    network: EncoderNetwork,
    representation: InputRepresentation,
    curves: LightCurves,
    metadata: np.ndarray | None,
    latents: np.ndarray,
    device: torch.device,
    *,
    with_state: bool = False,
) -> None:
    """Write the latents of `curves` into `latents`.

    While the device works on one part, the next is copied to it, from pinned memory in a stream
    of its own, and threads prepare those that follow. Batches are gathered on the device from
    flat observations, so that padding never crosses the bus. A batch that the device has no
    memory for is halved, and so are those that follow.

    Parameters
    ----------
    network : EncoderNetwork
        The network, of which a copy is sent to the device.
    representation : InputRepresentation
        The input convention that the network was trained with.
    curves : LightCurves
        The light curves, none of them empty.
    metadata : ndarray of shape (n_objects, n_columns), float32, or None
        Per-object columns, where the network reads them.
    latents : ndarray of shape (n_objects, n_columns), float32
        The array that is filled.
    device : torch.device
        The device to compute on.
    with_state : bool
        Whether the columns of the state follow those of the latent.

    Raises
    ------
    MemoryError
        If the device has no memory for a single object.

    Warns
    -----
    PerformanceWarning
        If batches were halved.
    """
    on_gpu = device.type == "cuda"
    copies = torch.cuda.Stream(device) if on_gpu else None
    module = copy.deepcopy(network).to(device).eval()
    batch_size = _BATCH
    with torch.inference_mode():
        for part, values in _on_device(_prepared(representation, curves, on_gpu), device, copies):
            by_length = np.argsort(-part.lengths, kind="stable")
            longest = part.lengths[by_length].tolist()  # on the host: asking the device would wait
            order = torch.from_numpy(by_length).to(device)
            lengths = torch.from_numpy(part.lengths).to(device)
            starts = torch.cumsum(lengths, 0) - lengths
            found = torch.empty(len(order), latents.shape[1], device=device)
            extra = None if metadata is None else torch.from_numpy(metadata[part.rows]).to(device)
            done = 0
            while done < len(order):
                most = max(_BATCH_OBSERVATIONS // longest[done], 1)
                batch = order[done : done + min(batch_size, most)]
                beside = None if extra is None else extra[batch]
                try:
                    padded = gather(values, starts[batch], lengths[batch], longest[done])
                    state = module.state(padded, lengths[batch])
                    found[batch] = module.outputs(state, beside, with_state=with_state).float()
                except torch.OutOfMemoryError as error:
                    batch_size = _smaller(len(batch), device, error)
                    continue
                done += len(batch)
            latents[part.rows] = found.cpu().numpy()


def _smaller(n_objects: int, device: torch.device, error: Exception) -> int:
    """Half the objects for the next try."""
    if n_objects == 1:
        raise MemoryError(
            f"{device} has no memory left for a single light curve: free some, or use device='cpu'."
        ) from error
    if device.type == "cuda":
        torch.cuda.empty_cache()
    warnings.warn(
        f"{device} ran out of memory with {n_objects:,} light curves at a time: going on with "
        f"{n_objects // 2:,}. Results are the same; free memory on the device to be faster.",
        PerformanceWarning,
        stacklevel=4,
    )
    return n_objects // 2


def _prepared(
    representation: InputRepresentation, curves: LightCurves, pin: bool
) -> Iterator[_Part]:
    """Yield parts in order with their observations encoded, some of them in advance."""

    def prepare(rows: slice) -> _Part:
        values, lengths = representation.encode(curves[rows])
        tensor = torch.from_numpy(values)
        return _Part(rows, tensor.pin_memory() if pin else tensor, lengths)

    n_threads = torch.get_num_threads()
    with ThreadPoolExecutor(n_threads) as pool:
        waiting: deque = deque()
        for rows in consecutive(curves.lengths, _PART_OBSERVATIONS):
            waiting.append(pool.submit(prepare, rows))
            if len(waiting) > n_threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _on_device(
    parts: Iterator[_Part], device: torch.device, copies: torch.cuda.Stream | None
) -> Iterator[tuple[_Part, torch.Tensor]]:
    """Yield parts with their observations on the device; the next one is copied meanwhile."""

    def send(part: _Part) -> tuple[_Part, torch.Tensor]:
        with torch.cuda.stream(copies) if copies is not None else nullcontext():
            return part, part.values.to(device, non_blocking=True)

    ahead = None
    for part in parts:
        following = send(part)
        if ahead is not None:
            yield ahead
        if copies is not None:
            torch.cuda.current_stream(device).wait_stream(copies)
            following[1].record_stream(torch.cuda.current_stream(device))
        ahead = following
    if ahead is not None:
        yield ahead
