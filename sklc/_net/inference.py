"""Latents of many light curves on a CPU or GPU, in bounded memory."""

from __future__ import annotations

import contextlib
import math
import multiprocessing
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import torch

from sklc._net.batching import collate, plan_batches
from sklc._net.gru import LightCurveNetwork
from sklc._net.representation import InputRepresentation

if TYPE_CHECKING:
    from sklc.light_curves import LightCurves

__all__ = ["encode_latents", "resolve_device", "single_thread_in_workers"]

# Observations encoded at a time: bounds the memory whatever the number of light curves.
_CHUNK_OBSERVATIONS = 2_000_000
_BATCH_CPU = 256
_BATCH_GPU = 4096


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
) -> np.ndarray:
    """Latents of `curves`, in their order.

    Parameters
    ----------
    network : LightCurveNetwork
        On the CPU, as estimators hold it; it is left there.
    representation : InputRepresentation
        The one it was trained with.
    curves : LightCurves
        Of n_objects, none empty.
    metadata : ndarray of shape (n_objects, n_columns), float32, optional
        Where the network has a metadata branch.
    device : str
        "cpu" or a torch GPU device.

    Returns
    -------
    ndarray of shape (n_objects, latent_size), float32
    """
    latents = np.empty((len(curves), network.config["latent_size"]), dtype=np.float32)
    module = network.eval().to(device)
    on_cpu = torch.device(device).type == "cpu"
    try:
        with torch.inference_mode(), single_thread_in_workers():
            for rows in _chunks(curves.lengths):
                chunk = curves[rows]
                values, lengths = representation.encode(chunk)
                starts = np.cumsum(lengths) - lengths
                for batch in plan_batches(lengths, _BATCH_CPU if on_cpu else _BATCH_GPU, None):
                    if on_cpu:
                        state = last_state(network, values, starts[batch], lengths[batch])
                    else:
                        padded, valid = collate(values, starts[batch], lengths[batch])
                        state = network.state(padded.to(device), valid.to(device))
                    where = rows.start + batch
                    extra = None
                    if metadata is not None:
                        # The state may have rows to spare; so must the metadata.
                        spare = np.repeat(where[:1], len(state) - len(where))
                        extra = torch.from_numpy(metadata[np.append(where, spare)]).to(device)
                    latent = module.to_latent(state, extra)[: len(where)]
                    latents[where] = latent.float().cpu().numpy()
    finally:
        network.to("cpu")
    return latents


def last_state(
    network: LightCurveNetwork, values: np.ndarray, starts: np.ndarray, lengths: np.ndarray
) -> torch.Tensor:
    """GRU state at each object's last observation, without padding light curves.

    Objects are in order of falling length. Time runs in the outer loop, over the objects that
    still have an observation: no step is spent on padding, one long light curve among short
    ones costs only its own steps, and this is 1.4 times as fast as packed sequences.

    The number of rows of every product is rounded up, see `_row_multiple`; the rows added repeat
    the first object and are thrown away.
    """
    hidden, multiple = network.gru.hidden_size, _row_multiple(network.gru.hidden_size)
    longest = int(lengths[0])
    # active[t]: how many objects have an observation number t.
    active = len(lengths) - np.searchsorted(lengths[::-1], np.arange(longest), side="right")
    rows = -(-active // multiple) * multiple
    first = np.full(multiple - 1, starts[0])
    padded_starts = np.concatenate([starts, first])
    # A row that is added may belong to an object that has ended: any observation will do.
    steps = [
        np.minimum(padded_starts[:count] + step, len(values) - 1) for step, count in enumerate(rows)
    ]
    inputs = torch.from_numpy(values[np.concatenate(steps)])
    edges = np.concatenate([[0], np.cumsum(rows)])
    state = torch.empty(0)
    for layer in range(network.gru.num_layers):
        weight_hidden = getattr(network.gru, f"weight_hh_l{layer}").T.contiguous()
        bias_hidden = getattr(network.gru, f"bias_hh_l{layer}")
        projected = torch.nn.functional.linear(
            inputs,
            getattr(network.gru, f"weight_ih_l{layer}"),
            getattr(network.gru, f"bias_ih_l{layer}"),
        )
        outputs = torch.empty(len(inputs), hidden)
        state = torch.zeros(int(rows[0]), hidden)
        for step, (count, n_rows) in enumerate(zip(active, rows, strict=True)):
            here = slice(edges[step], edges[step + 1])
            before, gates_in = state[:n_rows], projected[here]
            gates = torch.addmm(bias_hidden, before, weight_hidden)
            opened = torch.sigmoid(gates_in[:, : 2 * hidden] + gates[:, : 2 * hidden])
            reset, update = opened[:, :hidden], opened[:, hidden:]
            new = torch.tanh(gates_in[:, 2 * hidden :] + reset * gates[:, 2 * hidden :])
            torch.lerp(new, before, update, out=outputs[here])
            state[:count] = outputs[edges[step] : edges[step] + count]
        inputs = outputs
    return state


def _row_multiple(hidden_size: int) -> int:
    """Multiple of rows that makes an object's result the same to the bit in every batch.

    Matrix products of one to three rows take another path through the BLAS, and vectorised
    functions treat the elements behind the last full vector (16 floats) differently, so that an
    object alone would differ from the same object in a batch by rounding. (Layers whose width is
    no multiple of 4 may still differ in the last bit.)
    """
    return max(4, 16 // math.gcd(16, hidden_size))


def _chunks(lengths: np.ndarray) -> Iterator[slice]:
    """Slices of consecutive objects with a bounded number of observations together."""
    ends = np.cumsum(lengths)
    start = 0
    while start < len(lengths):
        before = ends[start - 1] if start else 0
        stop = int(np.searchsorted(ends, before + _CHUNK_OBSERVATIONS, side="right"))
        stop = max(stop, start + 1)
        yield slice(start, stop)
        start = stop
