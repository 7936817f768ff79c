"""Whether an uncertainty finds the supernovae whose class is predicted wrongly.

    python benchmarks/uncertainty.py --data DIR [--n-jobs 2] [--quick]

Light curves of the ZTF Bright Transient Survey (DIR/ztf_bts), three classes, at least 6 points. For
each seed, N labels of each class are drawn, and all other objects are the test part. Scores of the
uncertainty are "smp" (1 minus the largest mean probability), "pv" (variance of the probabilities
over the predictions) and "bald" (entropy of the mean minus mean entropy). The figure is the area
under the ROC curve (AUROC) of a score that is to find wrong predictions of the same classifier.
Differences to the SMP of a single prediction are paired by seed, with a 95 % interval of Student's
t distribution. Weights and settings were not chosen on these objects.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from _common import (
    build_parser,
    cell,
    load_bts,
    markdown_table,
    parse,
    results_path,
    summarise,
    write_results,
)
from joblib import Parallel, delayed
from scipy.stats import t as student
from sklearn.metrics import f1_score

from sklc import TransferClassifier
from sklc.inspection import misclassification_auc
from sklc.light_curves import LightCurves
from sklc.uncertainty import uncertainty_scores

NAME = "uncertainty"
WEIGHTS = "any"
PER_CLASS, QUICK_PER_CLASS = (20, 100), (8,)
KEPT = (0.5, 0.8, 0.9, 1.0)
SCORES = ("smp", "pv", "bald")
SINGLE = "one prediction"
METHODS: dict[str, dict[str, Any]] = {
    SINGLE: {},
    "bootstrap": {"uncertainty": "bootstrap"},
    "MC dropout": {"uncertainty": "mc-dropout"},
    "64 hidden units": {"head_sizes": (64,)},
    "64 hidden units, ensemble": {"head_sizes": (64,), "uncertainty": "ensemble", "n_samples": 8},
    "64 hidden units, MC dropout": {
        "head_sizes": (64,),
        "uncertainty": "mc-dropout",
        "dropout": 0.3,
    },
}
QUICK = {"n_samples": 3}

Figures = dict[str, dict[str, dict[str, Any]]]


def classifier(name: str, seed: int, quick: bool) -> TransferClassifier:
    """Return an unfitted classifier of a row of the table."""
    params = METHODS[name]
    if quick and "uncertainty" in params:
        params = {**params, **QUICK}
    epochs = 2 if quick else 40
    return TransferClassifier(
        WEIGHTS, random_state=seed, device="cpu", verbose=0, max_epochs=epochs, **params
    )


def draw_per_class(y: np.ndarray, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw `n` objects of each class; the others are the test part."""
    rng = np.random.default_rng(seed)
    members = [np.flatnonzero(y == name) for name in np.unique(y)]
    train = np.sort(np.concatenate([rng.choice(own, n, replace=False) for own in members]))
    return train, np.setdiff1d(np.arange(len(y)), train)


def measure(
    curves: LightCurves, y: np.ndarray, n: int, seed: int, quick: bool
) -> dict[str, dict[str, float]]:
    """Score every method on one draw."""
    train, test = draw_per_class(y, n, seed)
    results = {}
    for name in METHODS:
        start = time.process_time()
        model = classifier(name, seed, quick).fit(curves[train], y[train])
        seconds = time.process_time() - start
        sampled = model._sampled(curves[test])  # once for all three scores
        mean = sampled.mean(axis=1)
        predicted = model.classes_[mean.argmax(axis=1)]
        right = predicted == y[test]
        found = {
            "macro-F1": float(f1_score(y[test], predicted, average="macro")),
            "accuracy": float(right.mean()),
            "fit seconds": seconds,
        }
        several = sampled.shape[1] > 1
        for score in SCORES if several else SCORES[:1]:
            uncertainty = uncertainty_scores(sampled, score)
            found[score] = misclassification_auc(y[test], predicted, uncertainty)
            order = np.argsort(uncertainty, kind="stable")
            for share in KEPT:
                kept = right[order[: max(round(share * len(order)), 1)]]
                found[f"{score} kept {share:g}"] = float(kept.mean())
        results[name] = found
    return results


def interval(differences: np.ndarray) -> tuple[float, float, float]:
    """Mean of paired differences, and the limits of its 95 % interval."""
    mean, n = float(np.mean(differences)), len(differences)
    if n < 2:
        return mean, float("nan"), float("nan")
    half = float(student.ppf(0.975, n - 1) * np.std(differences, ddof=1) / np.sqrt(n))
    return mean, mean - half, mean + half


def table(figures: Figures, columns: Sequence[str]) -> str:
    """Return a line for each method and score."""
    lines = []
    for name, row in figures.items():
        for score in SCORES:
            if score not in row[columns[0]]:
                continue
            cells = [name, score]
            for column in columns:
                own, single = row[column], figures[SINGLE][column]
                paired = np.subtract(own[score]["values"], single["smp"]["values"])
                mean, low, high = interval(paired)
                differs = "" if name == SINGLE else f"{mean:+.3f} ({low:+.3f} to {high:+.3f})"
                accuracy = own[f"{score} kept 0.8"]["mean"]
                cells += [cell(own[score]), differs, cell(own["macro-F1"]), f"{accuracy:.3f}"]
            lines.append(cells)
    header = ["method", "score"]
    for column in columns:
        header += [f"AUROC, {column} per class", "difference", "macro-F1", "accuracy of 80 %"]
    return markdown_table(header, lines)


def plot(figures: Figures, columns: Sequence[str], path: Path) -> None:
    """Plot accuracy against the share of objects kept."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(
        1, len(columns), figsize=(4.5 * len(columns) + 3, 4), layout="constrained", squeeze=False
    )
    for ax, column in zip(axes[0], columns, strict=True):
        for name, row in figures.items():
            accuracy = [row[column][f"smp kept {share:g}"]["mean"] for share in KEPT]
            ax.plot(KEPT, accuracy, "o-", label=name if ax is axes[0, 0] else None)
        ax.set_title(f"{column} labels per class", loc="left")
        ax.set(xlabel="share of objects kept, by SMP", ylabel="accuracy")
    figure.legend(loc="outside right upper", fontsize=8)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def main(arguments: Sequence[str] | None = None) -> Figures:
    """Run the benchmark and return its figures."""
    options = parse(build_parser(__doc__), arguments, "ztf_bts")
    start = time.perf_counter()
    sizes = QUICK_PER_CLASS if options.quick else PER_CLASS
    columns = [str(n) for n in sizes]
    curves, y = load_bts(options.data)
    if options.quick:
        kept = draw_per_class(y, 40, 0)[0]
        curves, y = curves[kept], y[kept]
    jobs = [(n, seed) for n in sizes for seed in range(options.seeds)]
    found = []
    parallel = Parallel(n_jobs=options.n_jobs, return_as="generator")
    for job, one in zip(
        jobs,
        parallel(delayed(measure)(curves, y, n, seed, options.quick) for n, seed in jobs),
        strict=True,
    ):
        found.append(one)
        print(job, {k: round(v["smp"], 3) for k, v in one.items()}, flush=True)
    figures = {
        name: {
            str(n): summarise(
                [one[name] for job, one in zip(jobs, found, strict=True) if job[0] == n]
            )
            for n in sizes
        }
        for name in METHODS
    }
    text = table(figures, columns)
    print(f"\n{text}\n")
    best = {
        column: max(
            (row[column][score]["mean"], f"{name}, {score}")
            for name, row in figures.items()
            for score in SCORES
            if score in row[column]
        )
        for column in columns
    }
    line = f"{NAME}: AUROC of wrong predictions, ztf_bts, " + "; ".join(
        f"{column} labels per class: one prediction {figures[SINGLE][column]['smp']['mean']:.3f}, "
        f"bootstrap BALD {figures['bootstrap'][column]['bald']['mean']:.3f}, "
        f"best {value:.3f} ({name})"
        for column, (value, name) in best.items()
    )
    content = {
        "summary": line,
        "markdown": text,
        "protocol": " ".join((__doc__ or "").split("\n\n")[2].split()),
        "settings": {name: str(classifier(name, 0, options.quick)) for name in METHODS},
        "figures": figures,
        "seconds": round(time.perf_counter() - start),
        "n_jobs": options.n_jobs,
    }
    print(f"wrote {write_results(options, NAME, content, [WEIGHTS]).name}")
    picture = results_path(options, NAME, ".png")
    plot(figures, columns, picture)
    print(f"wrote {picture.name}\n{line}")
    return figures


if __name__ == "__main__":
    main()
