"""Classify real supernovae while they are still rising: the first days, the first points.

    python benchmarks/early_classification.py --data DIR [--n-jobs 2] [--quick]

Light curves of the ZTF Bright Transient Survey (DIR/ztf_bts), three classes, at least 6 points,
without redshifts. For each seed a stratified quarter is the test part; N labels are drawn from the
rest, as in `label_efficiency.py`. Test objects are cut, some days after their first detection or
after their first points (whole where there are fewer), and all of them are scored at every cut: the
figures are the macro one-vs-rest AUROC and the expected calibration error. Features are trained on
whole training light curves, or on these and, of each, four more that `sklc.augment.Prefixes` cut 1
to 100 days after its first detection; `TransferClassifier` without or with `early`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from _common import (
    MERGED,
    build_parser,
    calibration_error,
    cell,
    classification_scores,
    draw_labels,
    load_bts,
    markdown_table,
    parse,
    results_path,
    write_results,
)
from _label_draws import Figures, column_name, measure_draws

from sklc import LightCurveFeatures, TransferClassifier
from sklc.augment.transformers import Prefixes
from sklc.baselines import feature_classifier
from sklc.light_curves import LightCurves

NAME = "early_classification"
WEIGHTS = "ztf+lsst"
SIZES: tuple[int | None, ...] = (512, None)
QUICK_SIZES: tuple[int | None, ...] = (128,)
DAYS = (3, 5, 7, 10, 15, 20, 30, 60)
POINTS = (3, 5, 8, 12, 20)
WHOLE = "all"
N_PREFIXES = 4

Model = Callable[[Any, np.ndarray, Any, int], Any]


@dataclass(frozen=True)
class Data:
    """Test light curves by cut, and what is trained on, in the form of each kind of method.

    Parameters
    ----------
    y : ndarray of shape (n_objects,)
    cuts : dict
        All objects, by kind ("curves", "features") and name of the cut.
    prefixes : list of DataFrame
        Features of random prefixes, one of each object in each.
    """

    y: np.ndarray
    cuts: dict[str, dict[str, Any]]
    prefixes: list[pd.DataFrame]


# -- methods


def boosting(
    quick: bool, whole: Any, y: np.ndarray, prefixes: list[pd.DataFrame], seed: int
) -> Any:
    # Without the features, which have no part in the draw: they are computed once.
    model = feature_classifier("boosting", random_state=seed)[1:]
    if quick:
        model.set_params(classifier__max_iter=30)
    return model.fit(pd.concat([whole, *prefixes]), np.tile(y, 1 + len(prefixes)))


def encoder(early: bool, whole: LightCurves, y: np.ndarray, prefixes: Any, seed: int) -> Any:
    model = TransferClassifier(
        WEIGHTS, early=early, features=None, random_state=seed, device="cpu", verbose=0
    )
    return model.fit(whole, y)


def build_rows(quick: bool) -> dict[str, tuple[str, bool, Model]]:
    """Return kind of input, whether it is given prefixes, and model, by name of method."""
    features = partial(boosting, quick)
    return {
        "features + gradient boosting, whole": ("features", False, features),
        "features + gradient boosting, prefixes": ("features", True, features),
        f"{WEIGHTS}, early=False": ("curves", False, partial(encoder, False)),
        f"{WEIGHTS}, early=True": ("curves", False, partial(encoder, True)),
    }


def prepare(folder: Path, quick: bool) -> Data:
    """Cut all light curves, and compute the features of every cut."""
    curves, y = load_bts(folder)
    cuts = {f"{days} d": curves.truncate(days=days) for days in DAYS}
    cuts |= {f"{points} points": curves.truncate(points=points) for points in POINTS}
    if quick:
        cuts = {name: cuts[name] for name in (f"{DAYS[3]} d", f"{POINTS[1]} points")}
    cuts[WHOLE] = curves
    cut = {"share": 1, "shortest": 1, "longest": 100, "min_points": 1}
    prefixes = [Prefixes(**cut, random_state=k).fit_transform(curves) for k in range(N_PREFIXES)]
    features = LightCurveFeatures().fit(curves).set_output(transform="pandas")
    return Data(
        y,
        {"curves": cuts, "features": {n: features.transform(cut) for n, cut in cuts.items()}},
        [features.transform(part) for part in prefixes],
    )


# -- measuring


def measure(
    data: Data, rows: dict[str, tuple[str, bool, Model]], n_labels: int | None, seed: int
) -> dict[str, dict[str, float]]:
    """Score every method at every cut on one draw."""
    train, test = draw_labels(data.y, n_labels, seed)
    classes, results = np.unique(data.y), {}
    for name, (kind, on_prefixes, model) in rows.items():
        fitted = model(
            _rows(data.cuts[kind][WHOLE], train),
            data.y[train],
            [_rows(part, train) for part in data.prefixes] if on_prefixes else [],
            seed,
        )
        scores = {}
        for cut, X in data.cuts[kind].items():
            predicted, y = fitted.predict_proba(_rows(X, test)), data.y[test]
            parts = classification_scores(y, predicted, classes)
            top = predicted.argmax(axis=1)
            parts["ece"] = calibration_error(predicted.max(axis=1), classes[top] == y)
            scores |= {f"{score} at {cut}": value for score, value in parts.items()}
        results[name] = scores
    return results


def _rows(X: Any, rows: np.ndarray) -> Any:
    return X.iloc[rows] if isinstance(X, pd.DataFrame) else X[rows]


# -- showing


def cut_table(figures: Figures, column: str, cuts: Sequence[str], score: str = "auroc") -> str:
    """One number of labels: a line for each method, a column for each cut."""
    rows = [
        [n, *(cell(row[column][f"{score} at {c}"]) for c in cuts)] for n, row in figures.items()
    ]
    calibration = ", calibration error" if score == "ece" else ""
    return markdown_table([f"{column} labels{calibration}", *cuts], rows)


def split_cuts(cuts: Sequence[str]) -> list[list[str]]:
    """Cuts by days and cuts by points, each followed by the whole light curves."""
    return [[c for c in cuts if c.endswith(unit) or c == WHOLE] for unit in (" d", " points")]


def markdown(figures: Figures, columns: Sequence[str], cuts: Sequence[str]) -> str:
    """Return the tables as they stand in docs/results.md."""
    tables = [
        cut_table(figures, column, part, score)
        for score in ("auroc", "ece")
        for column in columns
        for part in split_cuts(cuts)
    ]
    return "\n\n".join(tables)


def summary(figures: Figures, column: str, cuts: Sequence[str], n_seeds: int) -> str:
    """One line: the classifier with and without `early`, and features trained on prefixes."""

    def means(name: str) -> str:
        row = figures[name][column]
        return " / ".join(f"{row[f'auroc at {cut}']['mean']:.3f}" for cut in cuts)

    return (
        f"{NAME}: real ZTF supernovae, 3 classes, macro AUROC at {' / '.join(cuts)} with {column} "
        f"labels ({n_seeds} seeds): {WEIGHTS} "
        f"{means(f'{WEIGHTS}, early=True')}, early=False {means(f'{WEIGHTS}, early=False')}; "
        f"features on prefixes {means('features + gradient boosting, prefixes')}"
    )


def draw(figures: Figures, columns: Sequence[str], cuts: Sequence[str], path: Path) -> None:
    """Plot AUROC against the cut, days above and points below, evenly spaced."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    parts = split_cuts(cuts)
    figure, axes = plt.subplots(
        len(parts),
        len(columns),
        figsize=(4.8 * len(columns) + 3.2, 3.4 * len(parts)),
        sharey=True,
        layout="constrained",
        squeeze=False,
    )
    for line, (part, unit) in zip(axes, zip(parts, ("days", "points"), strict=True), strict=True):
        for ax, column in zip(line, columns, strict=True):
            for number, (name, row) in enumerate(figures.items()):
                scores = [row[column][f"auroc at {cut}"] for cut in part]
                ax.errorbar(
                    np.arange(len(part)) + (number - 1.5) * 0.05,
                    [score["mean"] for score in scores],
                    [score["sd"] for score in scores],
                    fmt="o" + ("--", "-")[number % 2],
                    color=f"C{number // 2}",
                    markersize=4,
                    capsize=2,
                    linewidth=1.2,
                    label=name if ax is axes[0, 0] else None,
                )
            ax.set_xticks(range(len(part)), [cut.split()[0] for cut in part])
            ax.set_xlabel(f"{unit} since the first detection" if unit == "days" else unit)
            ax.grid(axis="y", alpha=0.3)
            ax.set_title(f"{column} labels", loc="left")
        line[0].set_ylabel("macro one-vs-rest AUROC")
    figure.legend(loc="outside right upper", fontsize=8)
    figure.savefig(path, dpi=130)
    plt.close(figure)


def main(arguments: Sequence[str] | None = None) -> Figures:
    """Run the benchmark and return its figures."""
    options = parse(build_parser(__doc__), arguments, "ztf_bts")
    start = time.perf_counter()
    sizes = QUICK_SIZES if options.quick else SIZES
    columns = [column_name(n) for n in sizes]
    data = prepare(options.data, options.quick)
    cuts = list(data.cuts["curves"])
    print(f"features of {len(cuts)} cuts: {time.perf_counter() - start:.0f} s", flush=True)
    rows = build_rows(options.quick)
    figures = measure_draws(
        partial(measure, data, rows), sizes, range(options.seeds), options.n_jobs
    )
    for column in columns:
        for part in split_cuts(cuts):
            print(f"\n{cut_table(figures, column, part)}")
    shown = [cut for cut in ("3 d", "5 d", "7 d", "10 d", "20 d", WHOLE) if cut in cuts]
    line = summary(figures, columns[0], shown, options.seeds)
    content = {
        "summary": line,
        "markdown": markdown(figures, columns, cuts),
        "protocol": " ".join((__doc__ or "").split("\n\n")[2].split()),
        "n_points": {
            name: np.percentile(cut.lengths, [25, 50, 75]).tolist()
            for name, cut in data.cuts["curves"].items()
        },
        "merged_classes": MERGED,
        "figures": figures,
        "seconds": round(time.perf_counter() - start),
        "n_jobs": options.n_jobs,
    }
    print(f"\nwrote {write_results(options, NAME, content, [WEIGHTS]).name}")
    picture = results_path(options, NAME, ".png")
    draw(figures, columns, cuts, picture)
    print(f"wrote {picture.name}")
    print(line)
    return figures


if __name__ == "__main__":
    main()
