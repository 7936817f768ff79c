"""Classify real supernovae from few labels: pretrained encoders against hand-crafted features.

    python benchmarks/label_efficiency.py --data DIR [--n-jobs 2] [--quick]

Light curves of the ZTF Bright Transient Survey (DIR/ztf_bts), three classes, at least 6 points.
For each seed a stratified quarter is the test part; N labels are drawn, stratified, from the
rest. Whatever a method holds out to stop early or to choose a setting comes out of those N.
The figure is the macro one-vs-rest AUROC on the test part, mean ± standard deviation over seeds.

With 0 labels: the classes of the pretrained weights themselves, summed to the three; and gradient
boosting on features of light curves simulated for ZTF, as in `sim_to_real_features.py`.

Settings were chosen on simulated light curves or inside training parts, never on a test part.
"""

from __future__ import annotations

import json
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
    classification_scores,
    draw_labels,
    load_bts,
    parse,
    results_path,
    use_templates,
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
from sim_to_real_features import make_training_set
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from sklc import LightCurveEncoder, LightCurveFeatures, TransferClassifier
from sklc.baselines import feature_classifier
from sklc.weights.file import load_weights

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


def boosting(seed: int, quick: bool = False) -> Pipeline:
    # Without the features, which have no part in the draw: they are computed once.
    model = feature_classifier("boosting", random_state=seed)[1:]
    return model.set_params(classifier__max_iter=30) if quick else model


def forest(seed: int, quick: bool = False) -> Pipeline:
    model = feature_classifier("forest", random_state=seed)[1:]
    return model.set_params(classifier__n_estimators=50) if quick else model


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
        "any",
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
        features=None,
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
        "any, frozen + logistic regression": Row("any", head_only("any"), "any"),
        'any, class_prior="magnitude-limited"': Row("any", None, "any, prior"),
        'any, TransferClassifier "head"': Row("curves", lambda seed: transfer("head", seed, quick)),
        'any, TransferClassifier "head", features=None': Row(
            "curves", lambda seed: transfer("head", seed, quick).set_params(features=None)
        ),
        'any, TransferClassifier "backbone+head"': Row(
            "curves", lambda seed: transfer("backbone+head", seed, quick)
        ),
        'any, TransferClassifier "all"': Row("curves", lambda seed: transfer("all", seed, quick)),
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
        for key, prior in ((weights, None), (f"{weights}, prior", "magnitude-limited")):
            own = TransferClassifier.pretrained(
                weights, merge_classes=merge, class_prior=prior, device="cpu"
            )
            predictions[key] = own.predict_proba(curves)
    if any(row.without_labels == "boosting" for row in rows.values()):
        simulated, labels = make_training_set(40 if quick else 1, seed=0, n_jobs=1)
        model = boosting(0, quick).fit(features.transform(simulated), labels)
        predictions["boosting"] = model.predict_proba(inputs["features"])
    return Data(y, inputs, predictions)


# -- measuring


def measure(data: Data, rows: dict[str, Row], n_labels: int | None, seed: int) -> dict[str, dict]:
    """Score every method that there is at this number of labels, on one draw."""
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


def summary(figures: Figures, columns: Sequence[str], n_seeds: int) -> str:
    """One line: the frozen encoder, the default classifier, and the best of the features."""

    def best(*names: str) -> str:
        return means(figures, columns, "auroc", *names)

    return (
        f"{NAME}: real ZTF supernovae, 3 classes, macro AUROC with {' / '.join(columns)} labels "
        f"({n_seeds} seeds): "
        f"any frozen {best('any, frozen + logistic regression')}; "
        f"""TransferClassifier {best('any, TransferClassifier "head"')}; """
        f"best of features {best(*(name for name in figures if name.startswith('features')))}; "
        f"from scratch {best('same network, from scratch')}"
    )


def main(arguments: Sequence[str] | None = None) -> dict[str, dict]:
    """Run the benchmark and return its figures."""
    parser = build_parser(__doc__)
    names = list(build_rows(quick=False))
    parser.add_argument(
        "--rows",
        nargs="+",
        metavar="TEXT",
        help=f"only methods with such a name; the others keep their figures: {names}",
    )
    options = parse(parser, arguments, "ztf_bts")
    use_templates(options)
    rows, earlier = build_rows(options.quick), {}
    if options.rows is not None:
        path = results_path(options, NAME, ".json")
        if path.exists():
            before = json.loads(path.read_text(encoding="utf-8"))
            if before["seeds"] != list(range(options.seeds)):
                parser.error(f"{path} has the seeds {before['seeds']}: give as many --seeds.")
            earlier = before["figures"]
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
    figures = measure_draws(
        partial(measure, data, rows), sizes, range(options.seeds), options.n_jobs
    )
    figures = earlier | figures
    figures = {name: figures[name] for name in names if name in figures}

    print_table("macro one-vs-rest AUROC", figures, columns, "auroc", QUOTED)
    print_table("accuracy", figures, columns, "accuracy")
    line = summary(figures, columns, options.seeds)
    if options.rows is None or earlier:
        content = {
            "summary": line,
            "markdown": markdown_figures(figures, columns, "auroc", QUOTED),
            "protocol": " ".join((__doc__ or "").split("\n\n")[2].split()),
            "n_objects": counts,
            "n_labels_all": n_train,
            "merged_classes": {"real": MERGED, "weights": SIMULATED},
            "settings": {
                name: str(row.model(0))
                for name, row in build_rows(options.quick).items()
                if row.model is not None
            },
            "figures": figures,
            "quoted": QUOTED,
            "seconds": round(time.perf_counter() - start),
            "n_jobs": options.n_jobs,
        }
        print(f"\nwrote {write_results(options, NAME, content, ['any', 'ztf', 'ztf+lsst']).name}")
        picture = results_path(options, NAME, ".png")
        panel = ("Real ZTF supernovae: Ia, II, Ib/c", "macro one-vs-rest AUROC", figures, "auroc")
        plot_figures(picture, [panel], columns, QUOTED)
        print(f"wrote {picture.name}")
    print(line)
    return figures


if __name__ == "__main__":
    main()
