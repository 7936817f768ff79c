"""Classify real supernovae from few labels: pretrained encoders against hand-made features.

    python benchmarks/label_efficiency.py --data DIR [--n-jobs 2] [--quick]

Light curves of the ZTF Bright Transient Survey (DIR/ztf_bts), three classes, at least 6 points.
For each seed a stratified quarter is the test part; N labels are drawn, stratified and anew, from
the rest. Whatever a method holds out to stop early or to choose a setting comes out of those N.
The figure is the macro one-vs-rest AUROC on the test part, mean ± standard deviation over seeds.

With 0 labels: the classes of the pretrained weights themselves, summed to the three; and gradient
boosting on features of light curves simulated for ZTF, as in `sim_to_real_features.py`.

Settings were chosen on simulated light curves or inside training parts, never on a test part.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _common import (
    MERGED,
    build_parser,
    cell,
    classification_scores,
    draw_labels,
    load_bts,
    parse,
    results_path,
    summarise,
    use_templates,
    write_results,
)
from joblib import Parallel, delayed, parallel_config
from sim_to_real_features import make_training_set
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from sklc import LightCurveEncoder, LightCurveFeatures, TransferClassifier
from sklc.pretrained import load_weights

NAME = "label_efficiency"
SIZES: tuple[int | None, ...] = (0, 64, 128, 256, 512, None)
QUICK_SIZES: tuple[int | None, ...] = (0, 64, 512)
# What the classes of the weights count as, those of them that they have.
SIMULATED = {
    "SNIa": ("SNIa", "SNIa-91bg", "SNIax"),
    "SNII": ("SNII", "SNIIn", "SNIIb"),
    "SNIb/c": ("SNIb/c", "SNIb", "SNIc", "SNIc-BL"),
}

# Not measured here: the weights that the authors of Gupta et al. 2025 published (12 classes), fed
# their own input convention, frozen, with a logistic regression; by this protocol, AUROC and sd.
QUOTED = {
    "quoted: Gupta+25a published weights, frozen": {
        "0": (0.822, None),
        "64": (0.840, 0.026),
        "512": (0.870, 0.029),
        "all": (0.904, 0.013),
    },
}


@dataclass(frozen=True)
class Row:
    """One method of the table.

    Parameters
    ----------
    inputs : str
        Form of the light curves that the model takes: a key of `Data.inputs`.
    model : callable
        Returns an unfitted estimator, given a seed; None where there is only 0 labels.
    without_labels : str or None
        Key of `Data.predictions` that is the method's result with 0 labels.
    """

    inputs: str
    model: Callable[[int], Any] | None
    without_labels: str | None = None


@dataclass(frozen=True)
class Data:
    """Light curves in every form, and what is predicted for them without labels."""

    y: np.ndarray
    inputs: dict[str, Any]
    predictions: dict[str, np.ndarray]


# -- methods


def boosting(seed: int, quick: bool = False) -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(
        learning_rate=0.03,
        max_iter=30 if quick else 300,
        max_leaf_nodes=16,
        min_samples_leaf=8,
        max_features=0.1,
        l2_regularization=1.0,
        class_weight="balanced",
        early_stopping=False,
        random_state=seed,
    )


def forest(seed: int, quick: bool = False) -> RandomForestClassifier:
    return RandomForestClassifier(
        n_estimators=50 if quick else 500,
        min_samples_leaf=2,
        max_features="sqrt",
        class_weight="balanced_subsample",
        random_state=seed,
    )


def pipeline(weights: str) -> Pipeline:
    """Light curves in, class probabilities out: the whole of what a user writes."""
    return Pipeline(
        [
            ("enc", LightCurveEncoder.pretrained(weights)),
            ("clf", LogisticRegression(max_iter=1000)),
        ]
    )


def transfer(finetune: str, seed: int, quick: bool) -> TransferClassifier:
    return TransferClassifier(
        "ztf+lsst",
        finetune=finetune,
        max_epochs=2 if quick else 40,
        random_state=seed,
        device="cpu",
        verbose=0,
    )


def from_scratch(seed: int, quick: bool) -> TransferClassifier:
    # Smaller batches and more patience than the defaults: few labels make short epochs.
    return TransferClassifier(
        encoder=None,
        max_epochs=2 if quick else 100,
        patience=15,
        batch_size=32,
        random_state=seed,
        device="cpu",
        verbose=0,
    )


def build_rows(quick: bool) -> dict[str, Row]:
    """Return the methods by name, in the order of the table."""

    def head_only(weights: str) -> Callable[[int], Pipeline]:
        # Without its encoder, which has no part in the draw: the latents are computed once.
        return lambda seed: pipeline(weights)[1:]

    return {
        "features + gradient boosting": Row("features", lambda seed: boosting(seed, quick)),
        "features + random forest": Row("features", lambda seed: forest(seed, quick)),
        "features + gradient boosting, simulations": Row("features", None, "boosting"),
        "ztf, frozen + logistic regression": Row("ztf", head_only("ztf"), "ztf"),
        "ztf+lsst, frozen + logistic regression": Row(
            "ztf+lsst", head_only("ztf+lsst"), "ztf+lsst"
        ),
        'ztf+lsst, TransferClassifier "head"': Row(
            "curves", lambda seed: transfer("head", seed, quick)
        ),
        'ztf+lsst, TransferClassifier "gru+head"': Row(
            "curves", lambda seed: transfer("gru+head", seed, quick)
        ),
        'ztf+lsst, TransferClassifier "all"': Row(
            "curves", lambda seed: transfer("all", seed, quick)
        ),
        "same network, from scratch": Row("curves", lambda seed: from_scratch(seed, quick)),
    }


def prepare(folder: Path, rows: dict[str, Row], quick: bool) -> Data:
    """Compute once what does not depend on the draw, as far as `rows` need it."""
    curves, y = load_bts(folder)
    inputs: dict[str, Any] = {"curves": curves}
    predictions = {}
    needed = {row.inputs for row in rows.values()}
    if "features" in needed:
        features = LightCurveFeatures().fit(curves)
        inputs["features"] = features.transform(curves)
    for weights in sorted(needed - {"features", "curves"}):
        inputs[weights] = pipeline(weights)[0].transform(curves)
        known = load_weights(weights).classes
        merge = {name: [c for c in parts if c in known] for name, parts in SIMULATED.items()}
        own = TransferClassifier.pretrained(weights, merge_classes=merge, device="cpu")
        predictions[weights] = own.predict_proba(curves)
    if any(row.without_labels == "boosting" for row in rows.values()):
        simulated, labels = make_training_set(40 if quick else 1, seed=0, n_jobs=1)
        model = boosting(0, quick).fit(features.transform(simulated), labels)
        predictions["boosting"] = model.predict_proba(inputs["features"])
    return Data(y, inputs, predictions)


# -- measuring


def measure(data: Data, rows: dict[str, Row], n_labels: int | None, seed: int) -> dict[str, dict]:
    """Score every method that there is at this number of labels, on one draw."""
    torch.set_num_threads(1)
    with threadpool_limits(1):
        train, test = draw_labels(data.y, n_labels or None, seed)
        classes = np.unique(data.y)
        scores = {}
        for name, row in rows.items():
            start = time.perf_counter()
            if n_labels == 0:
                if row.without_labels is None:
                    continue
                probabilities = data.predictions[row.without_labels][test]
            else:
                if row.model is None:
                    continue
                X = data.inputs[row.inputs]
                model = row.model(seed).fit(X[train], data.y[train])
                probabilities = model.predict_proba(X[test])
            scores[name] = classification_scores(data.y[test], probabilities, classes)
            scores[name]["seconds"] = time.perf_counter() - start
    return scores


def measure_all(
    data: Data,
    rows: dict[str, Row],
    sizes: Sequence[int | None],
    seeds: Sequence[int],
    n_jobs: int,
) -> dict[str, dict[str, dict]]:
    """Return figures by method and number of labels; prints progress."""
    # The longest first, so that no process is left alone with one at the end.
    draws = [(n, seed) for n in sorted(sizes, key=_column_order, reverse=True) for seed in seeds]

    def job(n_labels, seed):
        start = time.perf_counter()
        scores = measure(data, rows, n_labels, seed)
        return n_labels, seed, scores, time.perf_counter() - start

    results: dict[tuple[int | None, int], dict] = {}
    with parallel_config(backend="loky", inner_max_num_threads=1):
        parallel = Parallel(n_jobs=n_jobs, return_as="generator_unordered")
        for n_labels, seed, scores, seconds in parallel(delayed(job)(*draw) for draw in draws):
            results[n_labels, seed] = scores
            column = column_name(n_labels)
            print(
                f"[{len(results)}/{len(draws)}] {column} labels, seed {seed}: {seconds:.0f} s",
                flush=True,
            )
    return {
        name: {
            column_name(n): summarise([results[n, seed][name] for seed in seeds])
            for n in sizes
            if name in results[n, seeds[0]]
        }
        for name in rows
    }


def column_name(n_labels: int | None) -> str:
    return "all" if n_labels is None else str(n_labels)


def _column_order(n_labels: int | None) -> float:
    return np.inf if n_labels is None else n_labels


# -- showing


def print_table(title: str, figures: dict, columns: Sequence[str], score: str) -> None:
    print(f"\n{title}\n{'labels':44}" + "".join(f"{column:>15}" for column in columns))
    for name, row in figures.items():
        cells = [cell(row[column][score]) if column in row else "–" for column in columns]
        print(f"{name:44}" + "".join(f"{text:>15}" for text in cells))


def print_quoted(columns: Sequence[str]) -> None:
    for name, row in QUOTED.items():
        texts = []
        for column in columns:
            mean, sd = row.get(column, (None, None))
            spread = "" if sd is None else f" ± {sd:.3f}"
            texts.append("–" if mean is None else f"{mean:.3f}{spread}")
        print(f"{name:44}" + "".join(f"{text:>15}" for text in texts))


def summary(figures: dict, columns: Sequence[str], n_seeds: int) -> str:
    """One line: the frozen encoder, fine-tuned, and the best of the features, at every column."""

    def means(*names: str) -> str:
        there = [figures[name] for name in names if name in figures]
        best = [[row[c]["auroc"]["mean"] for row in there if c in row] for c in columns]
        return " / ".join(f"{max(cells):.3f}" if cells else "–" for cells in best)

    return (
        f"{NAME}: real ZTF supernovae, 3 classes, macro AUROC with {' / '.join(columns)} labels "
        f"({n_seeds} seeds): "
        f"ztf+lsst frozen {means('ztf+lsst, frozen + logistic regression')}; "
        f"""fine-tuned {means('ztf+lsst, TransferClassifier "all"')}; """
        f"best of features {means(*(name for name in figures if name.startswith('features')))}; "
        f"from scratch {means('same network, from scratch')}"
    )


def draw(figures: dict, columns: Sequence[str], path: Path) -> None:
    """Plot AUROC against the number of labels, evenly spaced."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(9.5, 5.5), layout="constrained")
    position = {column: number for number, column in enumerate(columns)}
    styles = ["-", "--", "-.", ":"]
    for number, (name, row) in enumerate(figures.items()):
        # Side by side, so that no error bar hides another.
        shift = (number - (len(figures) - 1) / 2) * 0.05
        there = [column for column in columns if column in row]
        ax.errorbar(
            [position[column] + shift for column in there],
            [row[column]["auroc"]["mean"] for column in there],
            [row[column]["auroc"]["sd"] for column in there],
            fmt="o" + styles[number % len(styles)],
            color=f"C{number}",
            markersize=4,
            capsize=2,
            linewidth=1.2,
            label=name,
        )
    for name, row in QUOTED.items():
        there = [column for column in columns if column in row]
        ax.errorbar(
            [position[column] for column in there],
            [row[column][0] for column in there],
            [row[column][1] or 0.0 for column in there],
            fmt="kx",
            capsize=2,
            label=name,
        )
    ax.set_xticks(range(len(columns)), columns)
    ax.set_xlabel("labels")
    ax.set_ylabel("macro one-vs-rest AUROC")
    ax.grid(axis="y", alpha=0.3)
    ax.set_title("Real ZTF supernovae: Ia, II, Ib/c", loc="left")
    figure.legend(loc="outside right upper", fontsize=8)
    figure.savefig(path, dpi=130)
    plt.close(figure)


def main(arguments: Sequence[str] | None = None) -> dict[str, dict]:
    """Run the benchmark and return its figures."""
    parser = build_parser(__doc__)
    names = list(build_rows(quick=False))
    parser.add_argument(
        "--rows", nargs="+", metavar="TEXT", help=f"only methods with such a name: {names}"
    )
    options = parse(parser, arguments, "ztf_bts")
    use_templates(options)
    rows = build_rows(options.quick)
    if options.rows is not None:
        rows = {n: row for n, row in rows.items() if any(text in n for text in options.rows)}
        if not rows:
            parser.error(f"no method matches --rows: there are {names}")
    start = time.perf_counter()
    sizes = QUICK_SIZES if options.quick else SIZES
    columns = [column_name(n) for n in sizes]
    data = prepare(options.data, rows, options.quick)
    counts = {str(c): int(n) for c, n in zip(*np.unique(data.y, return_counts=True), strict=True)}
    n_train = len(draw_labels(data.y, None, 0)[0])
    seconds = time.perf_counter() - start
    print(f"{len(data.y):,} objects {counts}; all = {n_train:,} labels")
    print(f"features, latents, predictions without labels: {seconds:.0f} s", flush=True)
    figures = measure_all(data, rows, sizes, range(options.seeds), options.n_jobs)

    print_table("macro one-vs-rest AUROC", figures, columns, "auroc")
    print_quoted(columns)
    print_table("accuracy", figures, columns, "accuracy")
    line = summary(figures, columns, options.seeds)
    if options.rows is None:
        content = {
            "summary": line,
            "protocol": " ".join((__doc__ or "").split("\n\n")[2].split()),
            "n_objects": counts,
            "n_labels_all": n_train,
            "merged_classes": {"real": MERGED, "weights": SIMULATED},
            "settings": {
                name: str(row.model(0)) for name, row in rows.items() if row.model is not None
            },
            "figures": figures,
            "quoted": QUOTED,
            "seconds": round(time.perf_counter() - start),
            "n_jobs": options.n_jobs,
        }
        print(f"\nwrote {write_results(options, NAME, content, ['ztf', 'ztf+lsst']).name}")
        picture = results_path(options, NAME, ".png")
        draw(figures, columns, picture)
        print(f"wrote {picture.name}")
    print(line)
    return figures


if __name__ == "__main__":
    main()
