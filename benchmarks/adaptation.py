"""What light curves without labels are worth where a classifier comes from another survey.

    python benchmarks/adaptation.py --data DIR [--n-jobs 2] [--quick]

Simulated: 8 classes of DIR/ztf_lsst_sim, from ZTF (source, all labelled) to LSST (target), with the
weights "ztf", which have not seen LSST. Real: types Ia, II and Ib/c, from PS1 and the telescopes of
the Open Supernova Catalog (DIR/ps1_mds_osc and DIR/osc_mixed) to ZTF (DIR/ztf_bts), with the
weights "any". For each seed, 1, 5 or 20 objects of each class of the target have labels, others
of it have none, and both surveys are scored on objects that are in neither part. The figure is the
macro-F1. In "shares differ", two classes out of three are left out of 9 in 10 unlabelled objects.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from _common import (
    MIN_POINTS,
    build_parser,
    cell,
    load_bts,
    markdown_table,
    merge_labels,
    parse,
    results_path,
    summarise,
    write_results,
)
from joblib import Parallel, delayed
from sklearn.metrics import f1_score

from sklc import TransferClassifier
from sklc.errors import LightCurveWarning
from sklc.light_curves import LightCurves

NAME = "adaptation"
PER_CLASS, QUICK_PER_CLASS = (1, 5, 20), (1,)
# Objects of each class: with a label in the source, without one in the target, and in each test.
SIZES, QUICK_SIZES = (60, 60, 60), (10, 10, 8)
METHODS: dict[str, dict[str, Any]] = {
    "none": {},
    "standardize": {"adaptation": "standardize"},
    "minimax entropy": {"adaptation": "minimax-entropy"},
    "adversarial": {"adaptation": "adversarial"},
    "standardize, all": {"adaptation": "standardize", "finetune": "all"},
    "minimax entropy, all": {"adaptation": "minimax-entropy", "finetune": "all"},
    "adversarial, all": {"adaptation": "adversarial", "finetune": "all"},
}
TASKS = {"ZTF to LSST, simulated": "ztf", "archives to ZTF, real": "any"}
MERGED = {
    "SNIa": ("SNIa", "SNIa-91bg", "SNIax"),
    "SNII": ("SNII", "SNIIn", "SNIIb"),
    "SNIb/c": ("SNIb/c", "SNIb", "SNIc", "SNIc-BL", "SNIbn"),
}

Figures = dict[str, dict[str, dict[str, Any]]]


@dataclass(frozen=True)
class Task:
    """Light curves of two surveys with the same classes."""

    source: LightCurves
    y_source: np.ndarray
    target: LightCurves
    y_target: np.ndarray


def load(name: str, folder: Any) -> Task:
    """Load the data of a task."""
    if name.endswith("simulated"):
        curves = LightCurves.from_parquet(folder / "ztf_lsst_sim")
        y = curves.metadata["class"].to_numpy(dtype=str)
        ztf = curves.metadata["survey"].to_numpy(dtype=str) == "ZTF"
        rows = np.flatnonzero(ztf), np.flatnonzero(~ztf)
        return Task(curves[rows[0]], y[rows[0]], curves[rows[1]], y[rows[1]])
    parts, labels = [], []
    for data_set in ("ps1_mds_osc", "osc_mixed"):
        curves = LightCurves.from_parquet(folder / data_set)
        y = merge_labels(curves.metadata["class"], MERGED)
        kept = np.flatnonzero((y != "") & (curves.lengths >= MIN_POINTS))
        parts.append(curves[kept].with_metadata(survey=["archives"] * len(kept)))
        labels.append(y[kept])
    target, y_target = load_bts(folder)
    target = target.with_metadata(survey=["ZTF"] * len(target))
    return Task(LightCurves.concatenate(parts), np.concatenate(labels), target, y_target)


def draw(y: np.ndarray, sizes: Sequence[int], rng: Any) -> list[np.ndarray]:
    """Draw disjoint parts with so many objects of each class, fewer where a class has few."""
    parts: list[list[np.ndarray]] = [[] for _ in sizes]
    for name in np.unique(y):
        members = rng.permutation(np.flatnonzero(y == name))
        scale = min(1.0, len(members) / sum(sizes))
        counts = [max(int(size * scale), 1) if size else 0 for size in sizes]
        for part, own in zip(parts, np.split(members, np.cumsum(counts)), strict=False):
            part.append(own)
    return [np.concatenate(part) for part in parts]


def measure(
    name: str, task: Task, n: int, seed: int, quick: bool, differ: bool = False
) -> dict[str, dict[str, float]]:
    """Score every method on one draw."""
    rng, (n_source, n_unlabelled, n_test) = (
        np.random.default_rng(seed),
        QUICK_SIZES if quick else SIZES,
    )
    source, source_test = draw(task.y_source, (n_source, n_test), rng)
    few, unlabelled, target_test = draw(task.y_target, (n, n_unlabelled, n_test), rng)
    if differ:
        rare = ~np.isin(task.y_target[unlabelled], np.unique(task.y_target)[::3])
        unlabelled = unlabelled[~rare | (rng.random(len(unlabelled)) < 0.1)]
    y = np.append(task.y_source[source], task.y_target[few])
    curves = task.source[source]
    if n:
        curves = LightCurves.concatenate([curves, task.target[few]])
    found = {}
    methods = {k: v for k, v in METHODS.items() if not (differ and "finetune" in v)}
    for method, params in methods.items():
        start = time.process_time()
        model = TransferClassifier(
            TASKS[name], features=None, early=False, max_epochs=2 if quick else 8,
            random_state=seed, device="cpu", verbose=0, **params,
        )  # fmt: skip
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", LightCurveWarning)
            extra = {"X_target": task.target[unlabelled]} if "adaptation" in params else {}
            model.fit(curves, y, **extra)
            seconds = time.process_time() - start
            parts = {
                "target": (task.target[target_test], task.y_target[target_test]),
                "source": (task.source[source_test], task.y_source[source_test]),
            }
            found[method] = {
                part: float(f1_score(labels, model.predict(own), average="macro"))
                for part, (own, labels) in parts.items()
            } | {"fit seconds": seconds}
    return found


def table(figures: Figures, columns: Sequence[str]) -> str:
    """Return a line for each task and method, target and source beside each other."""
    lines = []
    for key, own in figures.items():
        both = [
            f"{cell(own[c]['target'])} / {own[c]['source']['mean']:.3f}" if c in own else "–"
            for c in columns
        ]
        lines.append([*key.split(": ", 1), *both])
    heads = [f"{c}, target / source" for c in columns]
    return markdown_table(["surveys", "adaptation", *heads], lines)


def plot(figures: Figures, columns: Sequence[str], path: Path) -> None:
    """Plot the macro-F1 of both surveys against the number of labels."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(
        1, len(TASKS), figsize=(11.5, 4), layout="constrained", squeeze=False
    )
    for ax, task in zip(axes[0], TASKS, strict=True):
        for number, method in enumerate(METHODS):
            own = figures[f"{task}: {method}"]
            there = [column for column in columns if column in own]
            for part, style in (("target", "o-"), ("source", "x:")):
                means = [own[column][part]["mean"] for column in there]
                label = method if part == "target" and ax is axes[0, 0] else None
                ax.plot(there, means, style, color=f"C{number}", label=label)
        ax.set_title(task, loc="left")
        ax.set(ylabel="macro-F1 (dotted: on the source)")
        ax.tick_params(axis="x", rotation=20)
    figure.legend(loc="outside right upper", fontsize=8)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def main(arguments: Sequence[str] | None = None) -> Figures:
    """Run the benchmark and return its figures."""
    sets = "ztf_lsst_sim", "ztf_bts", "ps1_mds_osc", "osc_mixed"
    options = parse(build_parser(__doc__, seeds=3), arguments, *sets)
    start = time.perf_counter()
    numbers = QUICK_PER_CLASS if options.quick else PER_CLASS
    differ_at = numbers[-1]
    columns = [*(f"{n} per class" for n in numbers), f"{differ_at} per class, shares differ"]
    figures: Figures = {}
    for name in TASKS:
        task = load(name, options.data)
        jobs = [(n, seed, False) for n in numbers for seed in range(options.seeds)]
        jobs += [(differ_at, seed, True) for seed in range(options.seeds)]
        found: dict[str, list[dict]] = {}
        results = Parallel(n_jobs=options.n_jobs, return_as="generator")(
            delayed(measure)(name, task, n, seed, options.quick, differ) for n, seed, differ in jobs
        )
        for (n, seed, differ), one in zip(jobs, results, strict=True):
            column = f"{n} per class" + (", shares differ" if differ else "")
            found.setdefault(column, []).append(one)
            print(
                name, column, seed, {k: round(v["target"], 3) for k, v in one.items()}, flush=True
            )
        for method in METHODS:
            figures[f"{name}: {method}"] = {
                column: summarise([one[method] for one in own])
                for column, own in found.items()
                if method in own[0]
            }
    text = table(figures, columns)
    print(f"\n{text}\n")
    first = columns[0]
    line = f"{NAME}: macro-F1 on the target, {first}: " + "; ".join(
        f"{name}: "
        + ", ".join(
            f"{method} {figures[f'{name}: {method}'][first]['target']['mean']:.3f}"
            for method in METHODS
        )
        for name in TASKS
    )
    content = {
        "summary": line,
        "markdown": text,
        "protocol": " ".join((__doc__ or "").split("\n\n")[2].split()),
        "settings": {name: str(params) for name, params in METHODS.items()},
        "sizes": QUICK_SIZES if options.quick else SIZES,
        "figures": figures,
        "seconds": round(time.perf_counter() - start),
        "n_jobs": options.n_jobs,
    }
    print(f"wrote {write_results(options, NAME, content, list(TASKS.values())).name}")
    picture = results_path(options, NAME, ".png")
    plot(figures, columns, picture)
    print(f"wrote {picture.name}\n{line}")
    return figures


if __name__ == "__main__":
    main()
