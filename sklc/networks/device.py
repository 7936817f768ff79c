"""Where and in how many threads torch computes, and batches that are gathered there."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from functools import cache

import torch
from threadpoolctl import threadpool_limits

from sklc.utils.processes import after_fork, in_worker, is_forked

__all__ = [
    "calm_forked_child",
    "gather",
    "in_worker",
    "one_thread",
    "resolve_device",
    "single_thread_in_workers",
]


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


class _OneThread:
    """Counts the threads that are in `one_thread`, and restores the setting after the last one."""

    def __init__(self) -> None:
        self.lock, self.here = threading.Lock(), threading.local()
        self.n_inside, self.before = 0, 1

    @contextlib.contextmanager
    def __call__(self) -> Iterator[None]:
        """Let torch compute in the calling thread alone inside.

        Threads of torch wait for each other in every product by keeping their cores busy. For
        small work that costs up to thirty times its processor time where the cores are in use.
        """
        if getattr(self.here, "inside", False):
            yield
            return
        # The setting holds for the calling thread, and for threads that read it for the first time
        # afterwards: so it is read here, before it is set.
        now = torch.get_num_threads()
        with self.lock:
            self.before = self.before if self.n_inside else now
            self.n_inside += 1
        self.here.inside = True
        torch.set_num_threads(1)
        try:
            yield
        finally:
            self.here.inside = False
            with self.lock:
                self.n_inside -= 1
                torch.set_num_threads(self.before)


one_thread = _OneThread()
after_fork(one_thread.__init__)  # type: ignore[misc]  # its lock may be held by a lost thread


@cache
def calm_forked_child() -> None:
    """Compute in one thread in a process that was forked.

    The threads of OpenMP, which torch and scikit-learn share out work to, do not exist in a forked
    child, and a child that waited for them would never end.
    """
    if is_forked():
        torch.set_num_threads(1)
        threadpool_limits(1, user_api="openmp")


after_fork(calm_forked_child.cache_clear)


def single_thread_in_workers() -> AbstractContextManager[None]:
    """Use one torch thread while inside a worker process.

    Several processes of several threads each ask for more cores than there are, and torch then
    becomes many times slower than with one thread per process.
    """
    return one_thread() if in_worker() else contextlib.nullcontext()


def gather(
    values: torch.Tensor, starts: torch.Tensor, lengths: torch.Tensor, longest: int
) -> torch.Tensor:
    """Gather light curves from flat observations into one zero-padded batch, where they lie.

    Parameters
    ----------
    values : Tensor of shape (n_observations, n_channels)
        Observations of all objects.
    starts, lengths : Tensor of shape (batch,), int64
        Where each object of the batch lies in `values`.
    longest : int
        Length of the batch. Asking a GPU for it would wait for the GPU.

    Returns
    -------
    Tensor of shape (batch, longest, n_channels)
    """
    steps = torch.arange(longest, device=values.device)
    rows = torch.clamp(starts[:, None] + steps, max=len(values) - 1)
    return values[rows].masked_fill_((steps >= lengths[:, None])[:, :, None], 0.0)
