"""How far probabilities of real supernovae can be believed, and what prediction sets hold.

    python benchmarks/calibration.py --data DIR [--n-jobs 2] [--quick]

Light curves of the ZTF Bright Transient Survey (DIR/ztf_bts), three classes, at least 6 points.
For each seed a stratified quarter is the test part; N labels are drawn from the rest, as in
`label_efficiency.py`. What a method calibrates on comes out of those N: its temperature and its
prediction sets are fitted on cross-fitted predictions of the N labels. "No head" are the classes of
the weights themselves, with the shares of a magnitude-limited survey, which need labels only to
calibrate. ECE is the expected calibration error of the most probable class in ten bins of equally
many objects; the Brier score is summed over classes; coverage is the share of test objects whose
prediction set holds their class.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
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
from _label_draws import (
    Figures,
    column_name,
    markdown_figures,
    means,
    measure_draws,
    print_table,
)
from sklearn.metrics import log_loss

from sklc import LightCurveFeatures, TransferClassifier
from sklc.baselines import feature_classifier
from sklc.light_curves import LightCurves
from sklc.weights.file import load_weights

NAME = "calibration"
WEIGHTS = "ztf+lsst"
SIZES: tuple[int | None, ...] = (128, 512, None)
QUICK_SIZES: tuple[int | None, ...] = (128,)
COVERAGES = (0.80, 0.90, 0.95)
N_BINS = 10
# What the classes of the weights count as, those of them that they have.
SIMULATED = {
    "SNIa": ("SNIa", "SNIa-91bg", "SNIax"),
    "SNII": ("SNII", "SNIIn", "SNIIb"),
    "SNIb/c": ("SNIb/c", "SNIb", "SNIc", "SNIc-BL"),
}
SCORES = {"ece": "expected calibration error", "brier": "Brier score", "log_loss": "log loss"}


@dataclass(frozen=True)
class Data:
    """Light curves, their features and their classes."""

    curves: LightCurves
    features: Any
    y: np.ndarray


# -- methods


def boosting(class_weight: str | None, quick: bool, seed: int) -> Any:
    # Without the features, which have no part in the draw: they are computed once.
    model = feature_classifier("boosting", random_state=seed)[1:]
    model.set_params(classifier__class_weight=class_weight)
    return model.set_params(classifier__max_iter=30) if quick else model


def encoder(calibrate: str | None, finetune: str, seed: int) -> TransferClassifier:
    params: dict[str, Any] = {}
    if finetune == "none":
        known = load_weights(WEIGHTS).classes
        params = {
            "merge_classes": {
                name: [c for c in parts if c in known] for name, parts in SIMULATED.items()
            },
            "class_prior": "magnitude-limited",
        }
    return TransferClassifier(
        WEIGHTS,
        features=None,
        finetune=finetune,
        calibrate=calibrate,
        random_state=seed,
        device="cpu",
        verbose=0,
        **params,
    )


def build_rows(quick: bool) -> dict[str, Callable[[int], Any]]:
    """Return the methods by name: callables that return an unfitted estimator, given a seed."""
    return {
        "features + gradient boosting": partial(boosting, None, quick),
        "features + gradient boosting, balanced": partial(boosting, "balanced", quick),
        f"{WEIGHTS}, no head": partial(encoder, None, "none"),
        f"{WEIGHTS}, no head, temperature": partial(encoder, "temperature", "none"),
        f"{WEIGHTS}, head": partial(encoder, None, "head"),
        f"{WEIGHTS}, head, temperature": partial(encoder, "temperature", "head"),
    }


# -- measuring


def scores_of(y: np.ndarray, probabilities: np.ndarray, classes: np.ndarray) -> dict[str, float]:
    """AUROC, accuracy, calibration scores, and sums in bins of probability for a plot."""
    truth = y[:, None] == classes
    top = probabilities.argmax(axis=1)
    confidence = probabilities[np.arange(len(y)), top]
    clipped = np.clip(probabilities, 1e-9, None)
    clipped /= clipped.sum(axis=1, keepdims=True)
    scores = {
        **classification_scores(y, probabilities, classes),
        "ece": calibration_error(confidence, classes[top] == y),
        "brier": float(((probabilities - truth) ** 2).sum(axis=1).mean()),
        "log_loss": float(log_loss(y, clipped, labels=classes)),
    }
    bins = np.minimum((probabilities * N_BINS).astype(int), N_BINS - 1)
    for k in range(N_BINS):
        inside = bins == k
        scores[f"bin {k} n"] = float(inside.sum())
        scores[f"bin {k} predicted"] = float(probabilities[inside].sum())
        scores[f"bin {k} observed"] = float(truth[inside].sum())
    return scores


def set_scores(y: np.ndarray, sets: np.ndarray, classes: np.ndarray) -> dict[str, float]:
    """Coverage, overall and of the class that is covered least, and sizes of prediction sets."""
    held = sets[np.arange(len(y)), np.searchsorted(classes, y)]
    size = sets.sum(axis=1)
    return {
        "coverage": float(held.mean()),
        "worst class": float(min(held[y == name].mean() for name in classes)),
        "size": float(size.mean()),
        "empty": float(np.mean(size == 0)),
    }


def measure(
    data: Data, rows: dict[str, Callable[[int], Any]], n_labels: int | None, seed: int
) -> dict[str, dict[str, float]]:
    """Score every method on one draw."""
    train, test = draw_labels(data.y, n_labels, seed)
    y, results = data.y[test], {}
    for name, model in rows.items():
        X = data.features if name.startswith("features") else data.curves
        fitted = model(seed).fit(X[train], data.y[train])
        scores = scores_of(y, fitted.predict_proba(X[test]), fitted.classes_)
        if isinstance(fitted, TransferClassifier):
            scores["temperature"] = fitted.temperature_
            for coverage in COVERAGES:
                sets = fitted.predict_set(X[test], coverage=coverage)
                parts = set_scores(y, sets, fitted.classes_)
                scores |= {f"{key} {coverage:.2f}": value for key, value in parts.items()}
        results[name] = scores
    return results


# -- showing


def coverage_rows(figures: Figures, columns: Sequence[str]) -> list[list[str]]:
    """A line of coverage and mean size for each method, number of labels and nominal coverage."""
    return [
        [
            name,
            column,
            f"{coverage:.2f}",
            *(cell(row[column][f"{key} {coverage:.2f}"]) for key in ("coverage", "size", "empty")),
        ]
        for name, row in figures.items()
        for column in columns
        for coverage in COVERAGES
        if f"coverage {coverage:.2f}" in row[column]
    ]


COVERAGE_HEADER = ("prediction sets", "labels", "nominal", "coverage", "mean size", "empty sets")


def markdown(figures: Figures, columns: Sequence[str]) -> str:
    """Return the tables as they stand in docs/results.md."""
    parts = [
        f"{title.capitalize()}:\n\n{markdown_figures(figures, columns, score)}"
        for score, title in SCORES.items()
    ]
    sets = {name: row for name, row in figures.items() if name.endswith("head")}
    return "\n\n".join([*parts, markdown_table(COVERAGE_HEADER, coverage_rows(sets, columns))])


def summary(figures: Figures, columns: Sequence[str], n_seeds: int) -> str:
    """One line: calibration and coverage of the head against the features."""
    head = f"{WEIGHTS}, head"
    return (
        f"{NAME}: real ZTF supernovae, 3 classes, {' / '.join(columns)} labels ({n_seeds} seeds): "
        f"ECE head {means(figures, columns, 'ece', head)}, "
        f"temperature {means(figures, columns, 'ece', head + ', temperature')}, "
        f"features {means(figures, columns, 'ece', 'features + gradient boosting')}; "
        f"log loss head {means(figures, columns, 'log_loss', head)}, "
        f"features {means(figures, columns, 'log_loss', 'features + gradient boosting')}; "
        f"coverage of 90 % sets {means(figures, columns, 'coverage 0.90', head)}, "
        f"mean size {means(figures, columns, 'size 0.90', head)}"
    )


def draw(figures: Figures, columns: Sequence[str], path: Path) -> None:
    """Plot observed frequency against probability, a panel for each number of labels."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(
        1, len(columns), figsize=(4 * len(columns) + 3.5, 4.2), layout="constrained", squeeze=False
    )
    for ax, column in zip(axes[0], columns, strict=True):
        ax.plot([0, 1], [0, 1], color="0.7", linewidth=1)
        for number, (name, row) in enumerate(figures.items()):
            sums = np.array(
                [
                    [
                        row[column][f"bin {k} {part}"]["mean"]
                        for part in ("n", "predicted", "observed")
                    ]
                    for k in range(N_BINS)
                ]
            )
            sums = sums[sums[:, 0] > 0]
            ax.plot(
                sums[:, 1] / sums[:, 0],
                sums[:, 2] / sums[:, 0],
                "o" + ("-", "--", "-.")[number % 3],
                markersize=3.5,
                linewidth=1.2,
                label=name if ax is axes[0, 0] else None,
            )
        ax.set_title(f"{column} labels", loc="left")
        ax.set_xlabel("probability of a class")
        ax.set_aspect("equal")
    axes[0, 0].set_ylabel("frequency of the class")
    figure.legend(loc="outside right upper", fontsize=8)
    figure.savefig(path, dpi=130)
    plt.close(figure)


def main(arguments: Sequence[str] | None = None) -> Figures:
    """Run the benchmark and return its figures."""
    options = parse(build_parser(__doc__), arguments, "ztf_bts")
    start = time.perf_counter()
    sizes = QUICK_SIZES if options.quick else SIZES
    columns = [column_name(n) for n in sizes]
    curves, y = load_bts(options.data)
    data = Data(curves, LightCurveFeatures().fit_transform(curves), y)
    rows = build_rows(options.quick)
    figures = measure_draws(
        partial(measure, data, rows), sizes, range(options.seeds), options.n_jobs
    )
    for score, title in SCORES.items():
        print_table(title, figures, columns, score)
    print("\n" + markdown_table(COVERAGE_HEADER, coverage_rows(figures, columns)))
    line = summary(figures, columns, options.seeds)
    content = {
        "summary": line,
        "markdown": markdown(figures, columns),
        "protocol": " ".join((__doc__ or "").split("\n\n")[2].split()),
        "n_labels_all": len(draw_labels(y, None, 0)[0]),
        "merged_classes": {"real": MERGED, "weights": SIMULATED},
        "settings": {name: str(model(0)) for name, model in rows.items()},
        "figures": figures,
        "seconds": round(time.perf_counter() - start),
        "n_jobs": options.n_jobs,
    }
    print(f"\nwrote {write_results(options, NAME, content, [WEIGHTS]).name}")
    picture = results_path(options, NAME, ".png")
    draw(figures, columns, picture)
    print(f"wrote {picture.name}")
    print(line)
    return figures


if __name__ == "__main__":
    main()
