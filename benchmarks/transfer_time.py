"""Measure the training time that pretrained weights save: epochs and CPU seconds to a score.

    python benchmarks/transfer_time.py --data DIR [--quick]

Two surveys with 512 labels. Real: ZTF supernovae (``ztf_bts``, three classes) from weights of
simulated ZTF and LSST. Simulated: LSST, twelve classes, from weights of ZTF alone, which know
neither four of the six passbands nor the depth.

For each seed the same network starts from random weights and from pretrained weights. The first two
rows train it with exactly the same loop (Adam with a learning rate of 0.001, batches of 64, all
layers, a new linear head with random weights), so that only the start differs. The other two rows
are what a user writes, `TransferClassifier`: its "backbone+head" begins with a head that is solved
on the frozen encoder and fine-tunes with smaller steps; its "head" trains no network at all. Each
holds out a fifth of its labels to stop after five epochs without a lower loss, and is scored after
every epoch on objects that neither training nor stopping sees, by the macro one-vs-rest AUROC.

The target of a seed is the score with which training from random weights ends, at the epoch of its
lowest loss. Epochs and CPU seconds count until a row first reaches it, from the light curves on:
encoding, solving the head and all passes included, scoring excluded. Saved is 1 - seconds / seconds
from random weights, in the same run.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _common import (
    build_parser,
    cell,
    draw_labels,
    load_bts,
    markdown_table,
    parse,
    results_path,
    summarise,
    use_templates,
    write_results,
)
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from skorch.callbacks import Callback
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from sklc import LightCurves, TransferClassifier
from sklc.errors import LightCurveWarning
from sklc.networks.architectures import NetworkShape
from sklc.networks.heads import DenseHead, TransferNetwork
from sklc.networks.objectives.losses import CrossEntropy
from sklc.networks.padding import plan_batches
from sklc.networks.training.datasets import CurveDataset
from sklc.networks.training.loop import TrainingSettings, fit_net, seeded
from sklc.simulate import TWELVE_CLASSES, simulate
from sklc.weights.file import load_weights

NAME = "transfer_time"
SEED = 77  # of the simulation: no weights were trained with it
MOST_EPOCHS = 50
N_LABELS = 512
PATIENCE = 5
SCRATCH = "random weights, same training"
START = "pretrained weights, same training"
TUNED = 'TransferClassifier, "backbone+head"'
HEAD = 'TransferClassifier, "head"'
# Gupta et al. 2025 (MNRASL), appendix E: pretrained models converge 25 % faster.
PUBLISHED = 0.25


@dataclass(frozen=True)
class Target:
    """A survey with labels, and the weights that training may start from."""

    curves: LightCurves
    y: np.ndarray
    n_labels: int
    weights: str


@dataclass
class Trace:
    """Scores and CPU seconds of one training; the first entry is the start, before any epoch."""

    scores: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    best: int = 0

    def reached(self, target: float) -> int | None:
        """Return the first epoch whose score is at least the target."""
        there = np.flatnonzero(np.array(self.scores) >= target)
        return int(there[0]) if len(there) else None


class Recorder(Callback):
    """Score the network at the start and after every epoch, and stop the clock meanwhile."""

    def __init__(self, test: CurveDataset, started: float) -> None:
        self.test, self.started = test, started
        self.trace, self.paused = Trace(), 0.0

    def record(self, network: torch.nn.Module) -> None:
        now = time.process_time()
        logits = np.empty((len(self.test), network.head.output.out_features))
        with torch.inference_mode():
            network.eval()
            for rows in plan_batches(self.test.lengths, 256, None):
                logits[rows] = network(**self.test.collate(rows)[0]).double().numpy()
        self.trace.scores.append(auroc(self.test.y, logits))
        self.trace.seconds.append(now - self.started - self.paused)
        self.paused += time.process_time() - now

    def on_train_begin(self, net, **kwargs) -> None:
        self.record(net.module_)

    def on_epoch_end(self, net, **kwargs) -> None:
        self.record(net.module_)
        losses = net.history[:, "valid_loss"]
        self.trace.best = 1 + int(np.argmin(losses))


def auroc(y: np.ndarray, logits: np.ndarray) -> float:
    probabilities = torch.softmax(torch.from_numpy(logits), dim=1).numpy()
    return float(np.mean([roc_auc_score(y == k, p) for k, p in enumerate(probabilities.T)]))


# -- trainings


def train_network(
    target: Target, train: np.ndarray, test: np.ndarray, seed: int, *, pretrained: bool, epochs: int
) -> Trace:
    """Train encoder and head together, from random or from pretrained weights of the encoder."""
    started = time.process_time()
    weights = load_weights(target.weights)
    classes, y = np.unique(target.y, return_inverse=True)
    rows, held_out = train_test_split(train, test_size=0.2, stratify=y[train], random_state=seed)
    with seeded(seed):
        network = weights.build()
        if not pretrained:
            shape = NetworkShape(weights.representation.channels, n_classes=0)
            network = network.architecture.build(shape)
        head = DenseHead(network.architecture.latent_size, len(classes))

    def dataset(chosen: np.ndarray) -> CurveDataset:
        return CurveDataset(*weights.representation.encode(target.curves[chosen]), y[chosen])

    recorder = Recorder(dataset(test), started)
    settings = TrainingSettings(
        max_epochs=epochs,
        batch_size=64,
        learning_rate=1e-3,
        patience=PATIENCE,
        seed=seed,
        verbose=0,
    )
    fit_net(
        TransferNetwork(network.train(), head),
        dataset(rows),
        dataset(held_out),
        settings,
        criterion=CrossEntropy(),
        callbacks=[recorder],
    )
    return recorder.trace


def fit_classifier(
    target: Target, train: np.ndarray, test: np.ndarray, seed: int, *, finetune: str, epochs: int
) -> Trace:
    """Fit a `TransferClassifier`; the last entry of the trace is what its user gets."""
    started = time.process_time()
    weights = load_weights(target.weights)
    y = np.unique(target.y, return_inverse=True)[1]
    encoded = weights.representation.encode(target.curves[test])
    recorder = Recorder(CurveDataset(*encoded, y[test]), started)
    tuned = {} if finetune == "head" else {"callbacks": [recorder], "patience": PATIENCE}
    model = TransferClassifier(
        target.weights,
        finetune=finetune,
        early=False,
        max_epochs=epochs,
        random_state=seed,
        device="cpu",
        verbose=0,
        **tuned,
    ).fit(target.curves[train], target.y[train])
    trace, now = recorder.trace, time.process_time()
    trace.scores.append(auroc(y[test], np.log(model.predict_proba(target.curves[test]) + 1e-12)))
    trace.seconds.append(now - started - recorder.paused)
    trace.best = len(trace.scores) - 1
    return trace


def traces_of(target: Target, seed: int, epochs: int) -> dict[str, Trace]:
    """Train all rows on one draw of labels."""
    train, test = draw_labels(target.y, target.n_labels, seed)
    common: dict[str, Any] = {"target": target, "train": train, "test": test, "seed": seed,
                              "epochs": epochs}  # fmt: skip
    return {
        SCRATCH: train_network(**common, pretrained=False),
        START: train_network(**common, pretrained=True),
        TUNED: fit_classifier(**common, finetune="backbone+head"),
        HEAD: fit_classifier(**common, finetune="head"),
    }


# -- figures


def figures_of(traces: dict[str, Trace]) -> dict[str, dict[str, float]]:
    """Return, of one draw, what each row took to the score that random weights end with.

    A row that never reaches it counts with its whole training, and 0 in "reached".
    """
    scratch = traces[SCRATCH]
    score = scratch.scores[scratch.best]
    reference = scratch.seconds[scratch.reached(score) or 0]
    found = {}
    for name, trace in traces.items():
        epoch = trace.reached(score)
        last = len(trace.scores) - 1
        seconds = trace.seconds[last if epoch is None else epoch]
        found[name] = {
            "final AUROC": trace.scores[trace.best],
            "epochs to the target": float(last if epoch is None else epoch),
            "CPU seconds to the target": seconds,
            "saved": 1 - seconds / reference,
            "CPU seconds in all": trace.seconds[last],
            "reached": float(epoch is not None),
        }
    return found


def targets(options) -> dict[str, Target]:
    curves, y = load_bts(options.data)
    number = 12 if options.quick else 80
    lsst = simulate(number, "lsst", TWELVE_CLASSES, random_state=SEED, n_jobs=options.n_jobs)
    classes = lsst.metadata["class"].to_numpy(dtype=str)
    n_labels = 60 if options.quick else N_LABELS
    return {
        "real ZTF supernovae, from simulated ZTF and LSST": Target(curves, y, n_labels, "ztf+lsst"),
        "simulated LSST, from simulated ZTF": Target(lsst, classes, n_labels, "ztf"),
    }


def measure(options) -> tuple[dict[str, dict], dict[str, list[dict[str, Trace]]]]:
    """Train everything; return figures, and the traces of every draw."""
    epochs = 2 if options.quick else MOST_EPOCHS
    figures, traces = {}, {}
    for name, target in targets(options).items():
        traces_of(replace(target, n_labels=60), 0, 1)  # what happens once is not on the clock
        draws = []
        for seed in range(options.seeds):
            draws.append(traces_of(target, seed, epochs))
            line = ", ".join(
                f"{row} {s['final AUROC']:.3f} ({s['epochs to the target']:.0f} epochs, "
                f"{s['CPU seconds to the target']:.1f} s)"
                for row, s in figures_of(draws[-1]).items()
            )
            print(f"{name}, seed {seed}: {line}", flush=True)
        found = [figures_of(draw) for draw in draws]
        figures[name] = {row: summarise([f[row] for f in found]) for row in found[0]}
        traces[name] = draws
    return figures, traces


# -- showing


def markdown(figures: dict[str, dict]) -> str:
    texts = []
    for name, rows in figures.items():
        lines = [
            [
                row,
                cell(found["final AUROC"]),
                *(
                    f"{found[score]['mean']:.1f} ± {found[score]['sd']:.1f}"
                    for score in ("epochs to the target", "CPU seconds to the target")
                ),
                f"{found['saved']['mean']:.0%}",
                f"{found['CPU seconds in all']['mean']:.1f}",
                f"{sum(found['reached']['values']):.0f} of {len(found['reached']['values'])}",
            ]
            for row, found in rows.items()
        ]
        header = ["start", "AUROC at the end", "epochs to the target", "CPU seconds to it", "saved",
                  "CPU seconds to the end", "draws that reach it"]  # fmt: skip
        texts.append(f"{name[0].upper()}{name[1:]}:\n\n{markdown_table(header, lines)}")
    return "\n\n".join(texts)


def plot(traces: dict[str, list[dict[str, Trace]]], path: Path) -> None:
    """Plot the score against CPU seconds, one line for each draw."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    colours = {SCRATCH: "#000000", START: "#0072B2", TUNED: "#D55E00", HEAD: "#009E73"}
    figure, axes = plt.subplots(
        1, len(traces), figsize=(6.5 * len(traces), 5.2), layout="constrained", squeeze=False
    )
    for ax, (title, draws) in zip(axes[0], traces.items(), strict=True):
        for number, draw in enumerate(draws):
            for name, trace in draw.items():
                ax.plot(
                    trace.seconds,
                    trace.scores,
                    color=colours[name],
                    marker="D" if name == HEAD else "o",
                    markersize=7 if name == HEAD else 2.5,
                    linewidth=1.1,
                    linestyle="--" if name == SCRATCH else "-",
                    label=name if number == 0 else None,
                )
        ax.set(xscale="log", xlabel="CPU seconds since the light curves were given")
        ax.set_title(title, loc="left", fontsize=10)
        ax.grid(alpha=0.3)
    axes[0, 0].set_ylabel("macro one-vs-rest AUROC of objects not trained on")
    axes[0, -1].legend(loc="lower right", fontsize=8)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main(arguments: Sequence[str] | None = None) -> dict[str, dict]:
    """Run the benchmark and return its figures."""
    options = parse(build_parser(__doc__, seeds=3), arguments, "ztf_bts")
    use_templates(options)
    torch.set_num_threads(1)
    start = time.perf_counter()
    with threadpool_limits(1), warnings.catch_warnings():
        # Weights of ZTF see passbands that they do not know: that is the question.
        warnings.simplefilter("ignore", LightCurveWarning)
        figures, traces = measure(options)
    tables = markdown(figures)
    print(f"\n{tables}\n")
    picture = results_path(options, NAME, ".png")
    plot(traces, picture)
    line = f"{NAME}: training time saved to the score that random weights end with: " + "; ".join(
        f"{name}: "
        + ", ".join(f"{rows[row]['saved']['mean']:.0%} ({row})" for row in (START, TUNED, HEAD))
        for name, rows in figures.items()
    )
    content = {
        "summary": line,
        "protocol": " ".join((__doc__ or "").split("\n\n", 2)[2].split()),
        "figures": figures,
        "traces": {
            name: [
                {
                    row: {"seconds": np.round(t.seconds, 2).tolist(),
                          "auroc": np.round(t.scores, 4).tolist()}
                    for row, t in draw.items()
                }
                for draw in draws
            ]
            for name, draws in traces.items()
        },
        "published": {"converges faster by": PUBLISHED},
        "simulation_seed": SEED,
        "markdown": tables,
        "seconds": round(time.perf_counter() - start),
    }  # fmt: skip
    written = write_results(options, NAME, content, ["ztf+lsst", "ztf"])
    print(f"wrote {written.name} and {picture.name}\n{line}")
    return figures


if __name__ == "__main__":
    main()
