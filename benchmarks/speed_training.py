"""How fast networks train: a step every way in one run, skorch's share, and that of SupCon.

    python benchmarks/speed_training.py             # about five minutes on two cores
    python benchmarks/speed_training.py --quick     # a try-out

A step is forward, backward and Adam for the network of the papers (two GRU layers of 100 units, 12
classes) on synthetic light curves of lengths as in a survey (see `speed_inference.py`), batches of
128. "Naive padding" draws objects in random order, collates them one by one and pads them to the
longest; "by length" means the batches of sklc, of similar length, collated as a whole. "torch GRU"
is `torch.nn.GRU` on padded batches, "packed torch GRU" the same on packed sequences, and "packed"
the GRU of sklc. Rates are light curves per second on the wall.

Intel processors are slow at numbers below 1e-38, into which the gradients of long light curves
decay; sklc rounds them to zero while it trains, and what that is worth stands beside it.

skorch's share is the time of an epoch of `fit_net`, with all its callbacks and the loss of the
training part, over that of a bare loop on the same batches; SupCon's that of the loss and its
gradient, at a batch of 1,024, over the whole step.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _common import build_parser, markdown_table, parse, results_path, write_results
from _speed import (
    FLOP_PER_OBSERVATION,
    SEED,
    cost,
    make_lengths,
    matrix_peak,
    targets_table,
    threads,
)
from torch import nn

from sklc.networks.architectures import GRU, NetworkShape
from sklc.networks.architectures.gru import GRUNetwork
from sklc.networks.objectives.contrastive import contrastive_loss
from sklc.networks.training.batching import BucketedBatches
from sklc.networks.training.datasets import CurveDataset
from sklc.networks.training.loop import TrainingSettings, fit_net, flushed_denormals

NAME = "speed_training"
N_CLASSES, BATCH, CLIP = 12, 128, 1.0
NAIVE, OURS = "naive padding", "packed, by length (sklc)"
TARGETS = {
    "times naive padding": (">=", 4.0, "x"),
    "skorch over a bare loop": ("<=", 2.0, "%"),
    "SupCon, batch 1,024, of the step": ("<=", 2.5, "%"),
}


class PaddedNetwork(GRUNetwork):
    """The same network on `torch.nn.GRU` and padded batches."""

    def state(self, values, lengths):
        return self.gru(values)[0][torch.arange(len(lengths)), lengths - 1]


class PackedNetwork(GRUNetwork):
    """The same network on `torch.nn.GRU` and packed sequences."""

    def state(self, values, lengths):
        sequence = nn.utils.rnn.pack_padded_sequence(
            values, lengths, batch_first=True, enforce_sorted=False
        )
        return self.gru(sequence)[1][-1]


def make_data(n_objects: int) -> CurveDataset:
    """Encoded light curves with labels, both noise."""
    rng, lengths = np.random.default_rng(SEED), make_lengths(n_objects)
    values = rng.normal(0, 0.5, (int(lengths.sum()), 7)).astype(np.float32)
    return CurveDataset(values, lengths, rng.integers(0, N_CLASSES, n_objects))


def one_by_one(data: CurveDataset, n_batches: int) -> Iterable:
    """Batches as a plain data set and a padding collate function make them."""
    order = np.random.default_rng(SEED).permutation(len(data))
    for k in range(n_batches):
        rows = order[k * BATCH : (k + 1) * BATCH]
        items = [
            torch.from_numpy(data.values[data.starts[i] : data.starts[i] + data.lengths[i]])
            for i in rows
        ]
        values = nn.utils.rnn.pad_sequence(items, batch_first=True)
        yield (
            {"values": values, "lengths": torch.from_numpy(data.lengths[rows])},
            torch.from_numpy(data.y[rows]),
        )


def in_any_order(data: CurveDataset, n_batches: int) -> Iterable:
    """Batches in random order, collated as a whole."""
    order = np.random.default_rng(SEED).permutation(len(data))
    for k in range(n_batches):
        yield data.collate(order[k * BATCH : (k + 1) * BATCH])


def by_length(data: CurveDataset, n_batches: int | None = None) -> Iterable:
    """Batches as sklc draws them."""
    batches = BucketedBatches(data, BATCH, shuffle=True, seed=SEED)
    for k, batch in enumerate(batches):
        if k == n_batches:
            return
        yield batch


def new(network: type[GRUNetwork]) -> GRUNetwork:
    torch.manual_seed(SEED)
    return network(GRU(), NetworkShape(tuple("abcdefg"), N_CLASSES))


def bare_loop(module: nn.Module, batches: Iterable) -> int:
    """Train on batches, and return the number of objects."""
    optimizer, count = torch.optim.AdamW(module.parameters(), lr=1e-3, weight_decay=0.0), 0
    module.train()
    for inputs, target in batches:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(module(**inputs), target)
        loss.backward()
        nn.utils.clip_grad_norm_(module.parameters(), CLIP)
        optimizer.step()
        count += len(target)
    return count


def rate(network: type[GRUNetwork], batches: Callable[[], Iterable], repeat: int) -> dict:
    """Objects and observations per second."""
    module, counts, n_rows = new(network), [], []

    def run() -> None:
        kept = list(batches())  # what collating costs is part of it
        n_rows.append(sum(int(inputs["lengths"].sum()) for inputs, _ in kept))
        counts.append(bare_loop(module, kept))

    spent = cost(run, repeat)
    gflops = 3 * n_rows[0] * FLOP_PER_OBSERVATION / spent.wall / 1e9
    return {"per second": counts[0] / spent.wall, "cpu seconds": spent.cpu, "GFLOP/s": gflops}


def measure_steps(data: CurveDataset, n_batches: int, repeat: int) -> dict[str, Any]:
    """Rates of every way, with the current number of threads."""
    few = max(n_batches // 4, 2)
    ways = {
        NAIVE: (PaddedNetwork, partial(one_by_one, data, few), False),
        "torch GRU, by length": (PaddedNetwork, partial(by_length, data, n_batches), False),
        "packed torch GRU, any order": (PackedNetwork, partial(in_any_order, data, few), False),
        "packed, any order": (GRUNetwork, partial(in_any_order, data, n_batches), True),
        "packed, by length, denormals kept": (
            GRUNetwork,
            partial(by_length, data, n_batches),
            False,
        ),
        OURS: (GRUNetwork, partial(by_length, data, n_batches), True),
    }
    found: dict[str, Any] = {"float32 peak, GFLOP/s": matrix_peak()}
    for name, (network, batches, flush) in ways.items():
        if flush:
            with flushed_denormals():
                found[name] = rate(network, batches, repeat)
        else:
            found[name] = rate(network, batches, repeat)
        print(f"{torch.get_num_threads()} threads  {name:36s} {found[name]['per second']:8,.0f} /s",
              flush=True)  # fmt: skip
    return found


def measure_skorch(data: CurveDataset, repeat: int) -> float:
    """Percent by which an epoch of `fit_net` is longer than a bare loop, in processor time."""
    settings = TrainingSettings(max_epochs=1, batch_size=BATCH, seed=SEED, verbose=0)

    def bare() -> None:
        with flushed_denormals():
            bare_loop(new(GRUNetwork), by_length(data))

    def skorch() -> None:
        fit_net(new(GRUNetwork), data, None, settings, criterion=nn.CrossEntropyLoss())

    spent = [(cost(bare).cpu, cost(skorch).cpu) for _ in range(repeat)]  # in turn
    loops, nets = np.array(spent).T
    return float(100 * (nets.min() / loops.min() - 1))


def measure_supcon(data: CurveDataset, repeat: int) -> float:
    """Percent of a step at a batch of 1,024 that the contrastive loss and its gradient take."""
    inputs, target = data.collate(np.argsort(data.lengths)[len(data) // 2 :][:1024])
    module = new(GRUNetwork)

    def latents() -> torch.Tensor:
        return module.to_latent(module.state(inputs["values"], inputs["lengths"]))

    def step() -> None:
        with flushed_denormals():
            contrastive_loss(latents(), target, 0.5).mean().backward()

    fixed = latents().detach().requires_grad_(True)

    def loss() -> None:
        contrastive_loss(fixed, target, 0.5).mean().backward()

    step(), loss()
    return 100 * cost(loss, 5 * repeat).cpu / cost(step, repeat).cpu


def markdown(content: dict[str, Any]) -> str:
    """Tables of docs/performance.md."""
    steps = content["steps"]
    names = [name for name in steps["1"] if not name.startswith("float32")]
    table = [
        [
            name,
            *(f"{own[name]['per second']:,.0f}" for own in steps.values()),
            *(
                f"{own[name]['per second'] / own[NAIVE]['per second']:.1f}"
                for own in steps.values()
            ),
        ]
        for name in names
    ]
    header = ["", *(f"/s, {n} thread{'s' * (n != '1')}" for n in steps)]
    return "\n\n".join(
        [
            "Light curves trained on per second:",
            markdown_table([*header, *(f"over naive, {n}" for n in steps)], table),
            "Targets:",
            markdown_table(["", "target", "measured", ""], content["targets"]),
        ]
    )


def plot(path: Path, steps: dict[str, Any]) -> None:
    """Plot the rates of every way."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 3.5), layout="constrained")
    names = [name for name in steps["1"] if not name.startswith("float32")]
    for number, (count, own) in enumerate(steps.items()):
        axes.barh(
            np.arange(len(names)) + 0.4 * number,
            [own[name]["per second"] for name in names],
            height=0.4,
            label=f"{count} thread{'s' * (count != '1')}",
        )
    axes.set_yticks(np.arange(len(names)) + 0.2, names)
    axes.invert_yaxis()
    axes.set_xlabel("light curves per second")
    axes.grid(axis="x", alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=130)
    plt.close(figure)


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Run the benchmark and return its figures."""
    parser = build_parser(__doc__, seeds=1)
    options = parse(parser, arguments)
    n_objects, n_batches, repeat = (300, 2, 1) if options.quick else (6000, 24, 3)
    data = make_data(n_objects)
    content: dict[str, Any] = {"steps": {}}
    # One thread in a try-out: beside another OpenMP library two may take minutes.
    cores = 1 if options.quick else len(os.sched_getaffinity(0))
    for number in sorted({1, min(2, cores)}):
        with threads(number):
            content["steps"][str(number)] = measure_steps(data, n_batches, repeat)
    with threads(1):
        content["skorch"] = measure_skorch(data, repeat + 2)
        content["supcon"] = measure_supcon(make_data(4 * n_objects), repeat)
    last = list(content["steps"].values())[-1]
    found = {
        "times naive padding": last[OURS]["per second"] / last[NAIVE]["per second"],
        "skorch over a bare loop": content["skorch"],
        "SupCon, batch 1,024, of the step": content["supcon"],
    }
    content["found"], content["targets"] = found, targets_table(TARGETS, found)
    for row in content["targets"]:
        print("  ".join(f"{text:42s}" if k == 0 else text for k, text in enumerate(row)))
    content["markdown"] = "" if options.quick else markdown(content)
    content["protocol"] = " ".join((__doc__ or "").split("\n\n", 2)[2].split())
    print(f"wrote {write_results(options, NAME, content).name}")
    plot(results_path(options, NAME, ".png"), content["steps"])
    return content


if __name__ == "__main__":
    main()
