"""Classify in a survey with few labels, coming from another: Figure 1, right, of Gupta et al. 2025.

    python benchmarks/survey_to_survey.py [--n-jobs 2] [--quick]

Simulated light curves of twelve classes. The shipped weights of ZTF alone (two passbands) are
transferred to LSST (six) with N labels of LSST, against the same network trained from scratch on
those N labels, and against gradient boosting on hand-crafted features. Whatever a method holds out
to stop early comes out of the N. All are scored on the same 2,600 LSST objects that nothing was
trained on; every seed draws its own labels, stratified. Many labels take long, so from 2,000
on there are at most two draws, and one draw of all 10,000.

The figure is the macro one-vs-rest AUROC, mean ± standard deviation over draws.
"""

from __future__ import annotations

import tempfile
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from _common import (
    build_parser,
    cell,
    classification_scores,
    markdown_table,
    parse,
    results_path,
    summarise,
    use_templates,
    write_results,
)
from _simulated import TEST_SEED
from joblib import Parallel, delayed, parallel_config
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import train_test_split
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from sklc import LightCurveEncoder, LightCurveFeatures, TransferClassifier
from sklc.errors import LightCurveWarning
from sklc.light_curves import LightCurves
from sklc.simulate import TWELVE_CLASSES, simulate
from sklc.weights.file import load_weights

NAME = "survey_to_survey"
SIZES = (100, 300, 500, 1000, 2000, 3000, 5000, 10000)
QUICK_SIZES = (60, 120)
# At most so many draws from so many labels on.
FEWER_DRAWS = {2000: 2, 10000: 1}
N_TEST = 2_600
SCRATCH = "from scratch"
WEIGHTS = "ztf"
TRANSFER = 'transfer from ZTF, "all"'
# From the paper's Figure 1, where its text and code give them: transferred, from scratch.
PUBLISHED = {
    "500": (0.599, 0.567),
    "2000": (0.732, 0.607),
    "3000": (0.778, 0.645),
    "5000": (0.803, 0.772),
    "10000": (0.839, 0.836),
}
# The paper reaches 94 % of the baseline with 30 % of the labels.
SHARE_LABELS, SHARE_SCORE = 0.3, 0.94


@dataclass(frozen=True)
class Data:
    """LSST objects: light curves, features, classes; which of them are the test part."""

    curves: LightCurves
    features: np.ndarray
    y: np.ndarray
    pool: np.ndarray
    test: np.ndarray


def repeats(n_labels: int, seeds: int) -> int:
    """Number of draws with `n_labels` labels."""
    return min([seeds, *(most for least, most in FEWER_DRAWS.items() if n_labels >= least)])


# -- methods


def batch_size(n_labels: int) -> int:
    return 64 if n_labels < 2000 else 128


def transfer(n_labels: int, finetune: str, seed: int, quick: bool) -> TransferClassifier:
    return TransferClassifier(
        WEIGHTS,
        features=None,
        finetune=finetune,
        batch_size=batch_size(n_labels),
        max_epochs=2 if quick else 40,
        random_state=seed,
        device="cpu",
        verbose=0,
    )


def from_scratch(n_labels: int, seed: int, quick: bool) -> LightCurveEncoder:
    # Chosen on other simulated objects. The patience of the paper, and more for few labels, which
    # make short epochs.
    return LightCurveEncoder(
        hidden_size=load_weights(WEIGHTS).architecture["hidden_size"],
        max_epochs=2 if quick else 100,
        batch_size=batch_size(n_labels),
        learning_rate=2e-3,
        validation_fraction=0.2,
        patience=10 if n_labels < 2000 else 5,
        class_weight=None,
        random_state=seed,
        device="cpu",
        verbose=0,
    )


def boosting(seed: int, quick: bool) -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(
        learning_rate=0.06,
        max_iter=10 if quick else 100,
        max_leaf_nodes=16,
        min_samples_leaf=8,
        max_features=0.1,
        l2_regularization=1.0,
        early_stopping=False,
        random_state=seed,
    )


def predict(
    name: str,
    data: Data,
    train: np.ndarray,
    seed: int,
    quick: bool,
) -> np.ndarray:
    """Class probabilities of the test part by one method."""
    y = data.y[train]
    if name == "features + gradient boosting":
        model = boosting(seed, quick).fit(data.features[train], y)
        return model.predict_proba(data.features[data.test])
    if name == SCRATCH:
        network = from_scratch(len(train), seed, quick).fit(data.curves[train], y)
        with tempfile.TemporaryDirectory() as folder:
            path = network.save(Path(folder) / "scratch.safetensors")
            own = TransferClassifier.pretrained(path, device="cpu")
            return own.predict_proba(data.curves[data.test])
    model = transfer(len(train), name.split('"')[1], seed, quick).fit(data.curves[train], y)
    return model.predict_proba(data.curves[data.test])


METHODS = (TRANSFER, 'transfer from ZTF, "head"', SCRATCH, "features + gradient boosting")


# -- measuring


def split(y: np.ndarray, n_test: int) -> tuple[np.ndarray, np.ndarray]:
    """Return positions to draw labels from, and of the test part, which is always the same."""
    pool, test = train_test_split(
        np.arange(len(y)), test_size=n_test, stratify=y, random_state=TEST_SEED
    )
    return pool, test


def draw(data: Data, n_labels: int, seed: int) -> np.ndarray:
    """Draw labelled objects, stratified, from what is not the test part."""
    if n_labels == len(data.pool):
        return data.pool
    train, _ = train_test_split(
        data.pool, train_size=n_labels, stratify=data.y[data.pool], random_state=seed
    )
    return train


def measure(data: Data, n_labels: int, seed: int, quick: bool) -> dict[str, dict[str, float]]:
    """Score every method on one draw."""
    torch.set_num_threads(1)
    scores = {}
    with threadpool_limits(1), warnings.catch_warnings():
        # Weights of ZTF see passbands that they do not know: that is the question.
        warnings.simplefilter("ignore", LightCurveWarning)
        train = draw(data, n_labels, seed)
        for name in METHODS:
            start = time.process_time()
            probabilities = predict(name, data, train, seed, quick)
            scores[name] = classification_scores(
                data.y[data.test], probabilities, np.unique(data.y)
            )
            scores[name]["cpu_seconds"] = time.process_time() - start
    return scores


def measure_all(data: Data, sizes: Sequence[int], options) -> dict[str, dict]:
    """Return figures by method and number of labels; prints progress."""
    # The longest first, so that no process is left alone with one at the end.
    draws = [(n, seed) for n in sizes[::-1] for seed in range(repeats(n, options.seeds))]

    def job(n_labels, seed):
        found = measure(data, n_labels, seed, options.quick)
        return n_labels, seed, found

    results: dict[tuple[int, int], dict] = {}
    with parallel_config(backend="loky", inner_max_num_threads=1):
        parallel = Parallel(n_jobs=options.n_jobs, return_as="generator_unordered")
        for n_labels, seed, found in parallel(delayed(job)(*one) for one in draws):
            results[n_labels, seed] = found
            figures = ", ".join(
                f"{name} {s['auroc']:.3f} ({s['cpu_seconds']:.0f} s)" for name, s in found.items()
            )
            print(f"[{len(results)}/{len(draws)}] {n_labels}, seed {seed}: {figures}", flush=True)
    return {
        name: {
            str(n): summarise([results[n, s][name] for s in range(repeats(n, options.seeds))])
            for n in sizes
        }
        for name in METHODS
    }


def prepare(options) -> Data:
    """Simulate LSST objects and compute their features."""
    number = 20 if options.quick else (max(SIZES) + N_TEST) // len(TWELVE_CLASSES)
    curves = simulate(number, "lsst", TWELVE_CLASSES, random_state=TEST_SEED, n_jobs=options.n_jobs)
    y = curves.metadata["class"].to_numpy(dtype=str)
    features = LightCurveFeatures(n_jobs=options.n_jobs).fit_transform(curves)
    pool, test = split(y, len(y) // 4 if options.quick else N_TEST)
    return Data(curves, np.asarray(features), y, pool, test)


# -- showing


def claims(figures: dict, sizes: Sequence[int]) -> tuple[dict[str, bool], float | None]:
    """Return what of the paper's findings holds, and the share of the full baseline reached.

    The share is that of the AUROC with all labels from scratch which the transferred network has
    with 30 % of the labels; None where that number of labels was not measured.
    """

    def mean(name: str, n: int) -> float:
        return figures[name][str(n)]["auroc"]["mean"]

    held = {
        f"transfer >= from scratch, {n:,} labels": mean(TRANSFER, n) >= mean(SCRATCH, n)
        for n in sizes
    }
    few = round(SHARE_LABELS * max(sizes))
    if few not in sizes:
        return held, None
    share = mean(TRANSFER, few) / mean(SCRATCH, max(sizes))
    held[f"{SHARE_LABELS:.0%} of the labels reach {SHARE_SCORE:.0%} of the full baseline"] = (
        share >= SHARE_SCORE
    )
    return held, share


def table(figures: dict, sizes: Sequence[int]) -> str:
    rows = [[name, *(cell(row[str(n)]["auroc"]) for n in sizes)] for name, row in figures.items()]
    for position, name in enumerate(("transfer", "from scratch")):
        values = [PUBLISHED.get(str(n)) for n in sizes]
        rows.append(
            [f"paper (its own data): {name}"]
            + ["–" if v is None else f"{v[position]:.3f}" for v in values]
        )
    rows.append(["draws", *(str(len(figures[SCRATCH][str(n)]["auroc"]["values"])) for n in sizes)])
    return markdown_table(["LSST labels", *(f"{n:,}" for n in sizes)], rows)


def plot(figures: dict, sizes: Sequence[int], path: Path) -> None:
    """Plot AUROC against the number of labels, as in the paper."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(10.5, 4.5), layout="constrained")
    for name, row in figures.items():
        ax.errorbar(
            sizes,
            [row[str(n)]["auroc"]["mean"] for n in sizes],
            [row[str(n)]["auroc"]["sd"] for n in sizes],
            fmt="o-",
            markersize=4,
            capsize=2,
            label=name,
        )
    for position, (name, marker) in enumerate((("transfer", "x"), ("from scratch", "+"))):
        there = [n for n in sizes if str(n) in PUBLISHED]
        ax.plot(
            there,
            [PUBLISHED[str(n)][position] for n in there],
            f"k{marker}",
            label=f"Gupta et al. 2025, {name} (other simulations)",
        )
    ax.set_xscale("log")
    ax.set_xticks(sizes, [f"{n:,}" for n in sizes])
    ax.minorticks_off()
    ax.set_xlabel("LSST labels")
    ax.set_ylabel("macro one-vs-rest AUROC")
    ax.set_title("Simulated LSST light curves, 12 classes", loc="left")
    ax.grid(axis="y", alpha=0.3)
    figure.legend(loc="outside right upper", fontsize=8)
    figure.savefig(path, dpi=100)
    plt.close(figure)


def main(arguments: Sequence[str] | None = None) -> dict[str, dict]:
    """Run the benchmark and return its figures."""
    parser = build_parser(__doc__)
    options = parse(parser, arguments)
    use_templates(options)
    start = time.perf_counter()
    data = prepare(options)
    sizes = QUICK_SIZES if options.quick else SIZES
    print(f"simulation, features: {time.perf_counter() - start:.0f} s", flush=True)
    figures = measure_all(data, sizes, options)
    text = table(figures, sizes)
    print(f"\n{text}\n")
    held, share = claims(figures, sizes)
    for claim, holds in held.items():
        print(f"{'holds' if holds else 'FAILS'}: {claim}")
    fewest, most = str(sizes[0]), str(sizes[-1])

    def score(name: str, column: str) -> str:
        return f"{figures[name][column]['auroc']['mean']:.3f}"

    line = (
        f"{NAME}: macro AUROC on LSST, 12 classes, {fewest} / {most} labels: pretrained on ZTF "
        f"{score(TRANSFER, fewest)} / {score(TRANSFER, most)}, from scratch "
        f"{score(SCRATCH, fewest)} / {score(SCRATCH, most)}"
        + ("" if share is None else f"; with 30 % of the labels {share:.1%} of the full baseline")
    )
    content = {
        "summary": line,
        "protocol": " ".join((__doc__ or "").split("\n\n")[2].split()),
        "figures": figures,
        "draws": {str(n): repeats(n, options.seeds) for n in sizes},
        "claims": held,
        "share_of_full_baseline": share,
        "published": PUBLISHED,
        "n_test": len(data.test),
        "settings": {
            TRANSFER: str(transfer(max(sizes), "all", 0, options.quick)),
            SCRATCH: str(from_scratch(max(sizes), 0, options.quick)),
            "features + gradient boosting": str(boosting(0, options.quick)),
        },
        "markdown": text,
        "seconds": round(time.perf_counter() - start),
        "n_jobs": options.n_jobs,
    }
    print(f"\nwrote {write_results(options, NAME, content, [WEIGHTS]).name}")
    picture = results_path(options, NAME, ".png")
    plot(figures, sizes, picture)
    print(f"wrote {picture.name}\n{line}")
    return figures


if __name__ == "__main__":
    main()
