"""Classify real variable stars, far from anything seen in pretraining, from few labels.

    python benchmarks/variable_stars.py --data DIR [--n-jobs 2] [--quick]

Light curves of the Catalina Surveys' southern sky (DIR/crts_sss), one band; the classes with at
least 500 stars, which are 502 to 1,000 of each. To keep a training short, all methods see the
first 64 observations of a star, some two and a half years. For each seed a stratified quarter is
the test part; N labels are drawn, stratified, from the rest. Whatever a method holds out
to stop early comes out of those N.

The encoder knows supernovae, so it is unfrozen: "all" is `TransferClassifier(finetune="all")`, and
"from scratch" the same network, trained on the same labels for at most as many epochs. Features
know no period either: statistics alone. The catalogue's labels were found with periods.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from _common import (
    build_parser,
    classification_scores,
    draw_labels,
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
    plot_figures,
    print_table,
)

from sklc import LightCurveFeatures, LightCurves, TransferClassifier
from sklc.baselines import feature_classifier

NAME = "variable_stars"
WEIGHTS = "ztf+lsst"
MIN_STARS = 500
N_POINTS = 64
SIZES: tuple[int | None, ...] = (64, 256, 1024, 4096)
QUICK_SIZES: tuple[int | None, ...] = (64,)
# At most: enough for the validation loss to settle, few where epochs are long.
EPOCHS = {64: 60, 256: 40, 1024: 30, 4096: 12}

PRETRAINED = f'{WEIGHTS}, TransferClassifier "all"'
SCRATCH = "same network, from scratch"
FEATURES = "period-free features + gradient boosting"
# Another data set, so not comparable: Gupta, Muthukrishna & Audenaert 2025, Kepler variable stars.
QUOTED = {
    "published, Kepler: pretrained on classes of ZTF and LSST": 0.968,
    "published, Kepler: no pretraining": 0.901,
}

Rows = dict[str, tuple[str, Callable[[int, int], Any]]]


def build_rows(quick: bool) -> Rows:
    """Return, by name, the form of the light curves that a method takes, and its model.

    Models take a seed and the number of labels.
    """

    def boosting(seed: int, n_labels: int) -> Any:
        # Without the features, which have no part in the draw: they are computed once.
        model = feature_classifier(random_state=seed)[1:]
        return model.set_params(classifier__max_iter=20) if quick else model

    def forest(seed: int, n_labels: int) -> Any:
        model = feature_classifier("forest", random_state=seed)[1:]
        return model.set_params(classifier__n_estimators=50) if quick else model

    def network(seed: int, n_labels: int, **params: Any) -> TransferClassifier:
        return TransferClassifier(
            features=None,
            max_epochs=2 if quick else EPOCHS[n_labels],
            batch_size=32,
            patience=8,
            random_state=seed,
            device="cpu",
            verbose=0,
            **params,
        )

    return {
        FEATURES: ("features", boosting),
        "period-free features + random forest": ("features", forest),
        f'{WEIGHTS}, TransferClassifier "head" (frozen)': (
            "curves",
            partial(network, encoder=WEIGHTS),
        ),
        PRETRAINED: (
            "curves",
            partial(network, encoder=WEIGHTS, finetune="all"),
        ),
        SCRATCH: ("curves", partial(network, encoder=None)),
    }


def load_stars(folder: Path) -> tuple[LightCurves, np.ndarray]:
    """Load the first `N_POINTS` observations of stars of the common classes."""
    curves = LightCurves.from_parquet(folder / "crts_sss")
    y = curves.metadata["class"].to_numpy(dtype=str)
    classes, counts = np.unique(y, return_counts=True)
    kept = np.isin(y, classes[(counts >= MIN_STARS) & (classes != "Misc")])
    return curves[kept].truncate(points=N_POINTS), y[kept]


def measure(
    inputs: dict[str, Any], y: np.ndarray, rows: Rows, n_labels: int | None, seed: int
) -> dict[str, dict]:
    """Score every method on one draw."""
    train, test = draw_labels(y, n_labels, seed)
    scores = {}
    for name, (form, build) in rows.items():
        start = time.perf_counter()
        model = build(seed, len(train)).fit(inputs[form][train], y[train])
        probabilities = model.predict_proba(inputs[form][test])
        scores[name] = classification_scores(y[test], probabilities, model.classes_)
        scores[name]["seconds"] = time.perf_counter() - start
    return scores


def summary(figures: Figures, columns: Sequence[str], n_seeds: int) -> str:
    best = partial(means, figures, columns, "auroc")
    worse = [
        column
        for column in columns
        if figures[PRETRAINED][column]["auroc"]["mean"] < figures[SCRATCH][column]["auroc"]["mean"]
    ]
    return (
        f"{NAME}: real variable stars, macro AUROC with {' / '.join(columns)} labels ({n_seeds} "
        f"seeds): pretrained and unfrozen {best(PRETRAINED)}; from scratch {best(SCRATCH)}; "
        f"period-free features {best(FEATURES)}; pretrained worse than from scratch: "
        f"{', '.join(worse) or 'nowhere'}"
    )


def main(arguments: Sequence[str] | None = None) -> Figures:
    """Run the benchmark and return its figures."""
    parser = build_parser(__doc__)
    parser.add_argument(
        "--labels", nargs="+", type=int, choices=SIZES, metavar="N", help=f"some of {SIZES}"
    )
    options = parse(parser, arguments, "crts_sss")
    start = time.perf_counter()
    sizes = options.labels or (QUICK_SIZES if options.quick else SIZES)
    columns = [column_name(n) for n in sizes]
    rows = build_rows(options.quick)
    curves, y = load_stars(options.data)
    features = LightCurveFeatures(parametric_fit=False, binned_flux=False)
    inputs = {"curves": curves, "features": features.fit_transform(curves)}
    counts = {str(c): int(n) for c, n in zip(*np.unique(y, return_counts=True), strict=True)}
    print(f"{len(y):,} stars {counts}", flush=True)
    figures = measure_draws(
        partial(measure, inputs, y, rows), sizes, range(options.seeds), options.n_jobs
    )

    print_table("macro one-vs-rest AUROC", figures, columns, "auroc")
    for name, auroc in QUOTED.items():
        print(f"{name}: {auroc:.3f}")
    print_table("accuracy", figures, columns, "accuracy")
    line = summary(figures, columns, options.seeds)
    content = {
        "summary": line,
        "markdown": (
            f"Macro AUROC:\n\n{markdown_figures(figures, columns, 'auroc')}\n\n"
            f"Accuracy:\n\n{markdown_figures(figures, columns, 'accuracy')}"
        ),
        "protocol": " ".join((__doc__ or "").split("\n\n")[2].split()),
        "n_objects": counts,
        "n_points": N_POINTS,
        "settings": {name: str(build(0, 64)) for name, (_, build) in rows.items()},
        "epochs": EPOCHS,
        "figures": figures,
        "quoted": QUOTED,
        "seconds": round(time.perf_counter() - start),
        "n_jobs": options.n_jobs,
    }
    print(f"\nwrote {write_results(options, NAME, content, [WEIGHTS]).name}")
    picture = results_path(options, NAME, ".png")
    panels = [
        ("Real variable stars", "macro one-vs-rest AUROC", figures, "auroc"),
        ("", "accuracy", figures, "accuracy"),
    ]
    plot_figures(picture, panels, columns)
    print(f"wrote {picture.name}")
    print(line)
    return figures


if __name__ == "__main__":
    main()
