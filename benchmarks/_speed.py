"""What the speed benchmarks share: light curves of a mix of lengths, clocks, the machine's peak."""

from __future__ import annotations

import contextlib
import resource
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from sklc import LightCurves

SEED = 0
# Two layers of 100 units on seven channels, and the dense layers behind: of one observation.
FLOP_PER_OBSERVATION = 2 * (3 * 100 * (7 + 100) + 3 * 100 * (100 + 100))


class Cost(NamedTuple):
    """Seconds of a call: on the wall, and of the processor in all threads."""

    wall: float
    cpu: float


def make_lengths(n_objects: int, seed: int = SEED) -> np.ndarray:
    """Numbers of observations as in a survey: lognormal, median 59, mean about 76, at most 587."""
    rng = np.random.default_rng(seed)
    return np.clip(rng.lognormal(np.log(59), 0.72, n_objects), 3, 587).astype(np.int64)


def make_curves(n_objects: int, seed: int = SEED) -> LightCurves:
    """Light curves of such lengths: noise around a constant, in two bands."""
    rng, lengths = np.random.default_rng(seed + 1), make_lengths(n_objects, seed)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    n_rows = int(offsets[-1])
    since_first = (np.arange(n_rows) - np.repeat(offsets[:-1], lengths)) * 1.37
    return LightCurves.from_arrays(
        59000 + since_first,
        rng.normal(100, 20, n_rows).astype(np.float32),
        rng.uniform(3, 5, n_rows).astype(np.float32),
        np.array(["ztfg", "ztfr"])[rng.integers(0, 2, n_rows)],
        offsets=offsets,
    )


def cost(run: Callable[[], Any], repeat: int = 1) -> Cost:
    """Least wall time of some calls, and least processor time."""
    walls, cpus = [], []
    for _ in range(repeat):
        wall, cpu = time.perf_counter(), time.process_time()
        run()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return Cost(min(walls), min(cpus))


@contextlib.contextmanager
def threads(number: int) -> Iterator[None]:
    """Let torch, and the libraries below numpy, use so many threads inside."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        with threadpool_limits(number):
            yield
    finally:
        torch.set_num_threads(before)


def matrix_peak(size: int = 1024) -> float:
    """Float32 matrix products of torch with its current threads, GFLOP/s."""
    matrix = torch.randn(size, size)
    best = min(cost(lambda: [matrix @ matrix for _ in range(10)]).wall for _ in range(5))
    return 10 * 2 * size**3 / best / 1e9


def peak_memory() -> float:
    """Largest resident set of this process so far, GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def slope(numbers: Sequence[float], seconds: Sequence[float]) -> float:
    """Return the slope of log seconds over log numbers: 1 is linear."""
    return float(np.polyfit(np.log(numbers), np.log(seconds), 1)[0])


def targets_table(
    targets: Mapping[str, tuple[str, float, str]], found: Mapping[str, float]
) -> list:
    """Rows of figure, target and verdict, for those that were measured."""
    rows = []
    for name, (sign, limit, unit) in targets.items():
        if name not in found:
            continue
        value = found[name]
        met = value <= limit if sign == "<=" else value >= limit
        rows.append([name, f"{sign} {limit:g} {unit}".strip(), f"{value:.3g} {unit}".strip(),
                     "met" if met else "missed"])  # fmt: skip
    return rows
