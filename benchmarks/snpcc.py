"""Transfer to another survey and another simulation: supernovae of the DES challenge of 2010.

    python benchmarks/snpcc.py --data DIR [--n-jobs 2] [--quick]

Light curves of the Supernova Photometric Classification Challenge (Kessler et al. 2010;
DIR/snpcc), which others simulated, in DES g r i z: passbands that the weights have not seen. Three
classes and the true redshift; at least 6 observations above 3 sigma. 8,000 objects are drawn once;
4,000 others are for development, and settings of the models of features were chosen with them. For
each seed a stratified quarter is the test part; N labels are drawn, stratified by class, from
the rest. Whatever a method holds out comes out of those N. No host redshift is used.

And passbands alone, with `sklc.simulate`: supernovae of 12 classes as ZTF would have seen them, and
the same visits, depths and rates through the filters of PS1 and DES; then those surveys as they
are. No labels: the classes of the weights, as they come.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from _common import (
    build_parser,
    cell,
    classification_scores,
    draw_labels,
    markdown_table,
    merge_labels,
    parse,
    redshift_scores,
    results_path,
    summarise,
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
from sklearn.linear_model import LogisticRegression

from sklc import (
    LightCurveEncoder,
    LightCurveFeatures,
    LightCurves,
    RedshiftRegressor,
    TransferClassifier,
    get_passband,
)
from sklc.baselines import feature_classifier, feature_redshift_regressor
from sklc.simulate import TWELVE_CLASSES, Survey, simulate
from sklc.weights.file import load_weights

NAME = "snpcc"
WEIGHTS = "ztf+lsst"
SIZES: tuple[int | None, ...] = (0, 64, 128, 256, 512, 2048)
QUICK_SIZES: tuple[int | None, ...] = (0, 64)
N_OBJECTS, N_DEVELOPMENT, DRAW_SEED = 8000, 4000, 12345
MIN_DETECTIONS, MIN_SNR = 6, 3.0
CLASSES = {"Ia": ("Ia",), "II": ("II", "IIn", "IIL", "IIP"), "Ib/c": ("Ib", "Ic", "Ibc")}
# What the classes of the weights count as, those of them that they have.
SIMULATED = {
    "Ia": ("SNIa", "SNIa-91bg", "SNIax"),
    "II": ("SNII", "SNIIn", "SNIIb"),
    "Ib/c": ("SNIb/c", "SNIb", "SNIc", "SNIc-BL"),
}
# Surveys of the comparison of passbands: survey, and passbands in place of those of its visits.
PASSBANDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "ZTF g r": ("ztf", ()),
    "ZTF's visits, PS1 g r": ("ztf", ("ps1g", "ps1r")),
    "ZTF's visits, DES g r": ("ztf", ("desg", "desr")),
    "PS1": ("ps1", ()),
    "DES": ("des", ()),
}
REFERENCE, LIMIT = "ZTF g r", 0.03
N_PER_CLASS = 300
QUICK_CLASSES = ("SNIa", "SNIb", "SNII")
# Far from the seeds of the training sets of the weights.
TEST_SEED = 77_000

FROZEN = f"{WEIGHTS}, frozen + logistic regression"
REGRESSOR = f'{WEIGHTS}, RedshiftRegressor "all"'
BOOSTING = "features + gradient boosting"

Model = Callable[[int], Any]


# -- methods


def class_rows(quick: bool) -> dict[str, tuple[str, Model]]:
    """Return the form of the light curves that a classifier takes, and the classifier."""

    def features(name: str, seed: int) -> Any:
        # Without the features, which have no part in the draw: they are computed once.
        return _smaller(feature_classifier(name, random_state=seed)[1:], quick)

    return {
        BOOSTING: ("features", partial(features, "boosting")),
        "features + random forest": ("features", partial(features, "forest")),
        FROZEN: ("latents", lambda seed: LogisticRegression(max_iter=1000)),
        **{
            f'{WEIGHTS}, TransferClassifier "{finetune}"': (
                "curves",
                partial(_network, TransferClassifier, finetune, quick),
            )
            for finetune in ("head", "all")
        },
    }


def redshift_rows(quick: bool) -> dict[str, tuple[str, Model]]:
    """Return the same of the regressors of redshifts."""

    def features(name: str, seed: int) -> Any:
        return _smaller(feature_redshift_regressor(name, random_state=seed)[1:], quick)

    return {
        BOOSTING: ("features", partial(features, "boosting")),
        "features + random forest": ("features", partial(features, "forest")),
        **{
            f'{WEIGHTS}, RedshiftRegressor "{finetune}"': (
                "curves",
                partial(_network, RedshiftRegressor, finetune, quick),
            )
            for finetune in ("head", "all")
        },
    }


def _smaller(model: Any, quick: bool) -> Any:
    if not quick:
        return model
    settings = {"max_iter", "n_estimators"}
    return model.set_params(**{n: 30 for n in model.get_params() if n.split("__")[-1] in settings})


def _network(kind: type, finetune: str, quick: bool, seed: int) -> Any:
    return kind(
        WEIGHTS,
        finetune=finetune,
        max_epochs=2 if quick else 40,
        random_state=seed,
        device="cpu",
        verbose=0,
    )


# -- data and measuring


def load_challenge(folder: Path, n_objects: int) -> tuple[LightCurves, np.ndarray, np.ndarray]:
    """Return drawn light curves, their classes and their true redshifts."""
    curves = LightCurves.from_parquet(folder / "snpcc")
    y = merge_labels(curves.metadata["class"], CLASSES)
    usable = (y != "") & enough_detections(curves)
    drawn = np.random.default_rng(DRAW_SEED).permutation(np.flatnonzero(usable))
    rows = np.sort(drawn[N_DEVELOPMENT:][:n_objects])
    curves = curves[rows]
    return curves, y[rows], curves.metadata["redshift"].to_numpy(dtype=float)


def enough_detections(curves: LightCurves) -> np.ndarray:
    """Return which objects have `MIN_DETECTIONS` observations above `MIN_SNR`."""
    detected = np.concatenate([[0], np.cumsum(curves.flux > MIN_SNR * curves.flux_err)])
    return np.diff(detected[curves.offsets]) >= MIN_DETECTIONS


def scores_of(z: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """Mean squared error, scatter sigma_NMAD and share of |dz| / (1 + z) > .15."""
    scores = redshift_scores(z, predicted)
    return {"mse x 1000": 1000 * scores["mse"]} | {n: scores[n] for n in ("sigma_nmad", "outliers")}


def own_classes(weights: str) -> TransferClassifier:
    """Return the classes of the weights as the three, which needs no labels."""
    known = load_weights(weights).classes
    merge = {name: [c for c in parts if c in known] for name, parts in SIMULATED.items()}
    return TransferClassifier.pretrained(weights, merge_classes=merge, device="cpu")


def measure_classes(
    inputs: dict[str, Any],
    y: np.ndarray,
    rows: dict[str, tuple[str, Model]],
    n_labels: int | None,
    seed: int,
) -> dict[str, dict]:
    """Score every classifier on one draw; without labels, the classes of the weights."""
    train, test = draw_labels(y, n_labels or None, seed)
    classes = np.unique(y)
    if n_labels == 0:
        return {FROZEN: classification_scores(y[test], inputs["without labels"][test], classes)}
    scores = {}
    for name, (form, build) in rows.items():
        model = build(seed).fit(inputs[form][train], y[train])
        scores[name] = classification_scores(
            y[test], model.predict_proba(inputs[form][test]), classes
        )
    return scores


def measure_redshifts(
    inputs: dict[str, Any],
    y: np.ndarray,
    z: np.ndarray,
    rows: dict[str, tuple[str, Model]],
    n_labels: int | None,
    seed: int,
) -> dict[str, dict]:
    """Score every regressor on the same draw, and the median redshift of the training part."""
    train, test = draw_labels(y, n_labels, seed)
    scores = {"median redshift": scores_of(z[test], np.full(len(test), np.median(z[train])))}
    for name, (form, build) in rows.items():
        model = build(seed).fit(inputs[form][train], z[train])
        scores[name] = scores_of(z[test], model.predict(inputs[form][test]))
    return scores


def simulate_passbands(
    row: str, classes: Sequence[str], n_per_class: int, seed: int
) -> LightCurves:
    """Simulate classes of the weights for a row of `PASSBANDS`."""
    name, passbands = PASSBANDS[row]
    survey = Survey.builtin(name)
    if passbands:
        survey = replace(survey, name=row, passbands=tuple(map(get_passband, passbands)))
    sources = [source for source in TWELVE_CLASSES if source.name in classes]
    curves = simulate(n_per_class, survey, sources, random_state=TEST_SEED + seed)
    return curves[enough_detections(curves)]


def measure_passbands(
    rows: Sequence[str], classes: Sequence[str], n_per_class: int, seeds: Sequence[int]
) -> Figures:
    """Score classes of the weights, without labels, in rows of `PASSBANDS`."""
    classifier = TransferClassifier.pretrained(WEIGHTS, device="cpu")
    figures: Figures = {}
    for row in rows:
        draws = []
        for seed in seeds:
            curves = simulate_passbands(row, classes, n_per_class, seed)
            y = curves.metadata["class"].to_numpy(dtype=str)
            there = np.isin(classifier.classes_, y)
            probabilities = classifier.predict_proba(curves)[:, there]
            draws.append(classification_scores(y, probabilities, classifier.classes_[there]))
        figures[row] = {"0": summarise(draws)}
        print(f"{row:30}{cell(figures[row]['0']['auroc'])}", flush=True)
    return figures


# -- showing


def markdown(classes: Figures, redshifts: Figures, passbands: Figures, columns: list[str]) -> str:
    """Return the tables of docs/results.md."""
    labelled = columns[1:]
    differences = [
        [row, cell(scores["0"]["auroc"]), f"{difference(passbands, row):+.3f}"]
        for row, scores in passbands.items()
    ]
    return "\n\n".join(
        [
            "Classes Ia, II, Ib/c, macro AUROC:",
            markdown_figures(classes, columns, "auroc"),
            "Redshift, MSE × 10³:",
            markdown_figures(redshifts, labelled, "mse x 1000"),
            "Redshift, σ_NMAD:",
            markdown_figures(redshifts, labelled, "sigma_nmad"),
            f"Classes of the weights `{WEIGHTS}` without labels, simulated, macro AUROC:",
            markdown_table(["passbands", "AUROC", "difference to ZTF"], differences),
        ]
    )


def difference(passbands: Figures, row: str) -> float:
    return passbands[row]["0"]["auroc"]["mean"] - passbands[REFERENCE]["0"]["auroc"]["mean"]


def summary(
    classes: Figures, redshifts: Figures, passbands: Figures, columns: list[str], n_seeds: int
) -> str:
    def best(figures: Figures, shown: Sequence[str], score: str, start: str) -> str:
        return means(figures, shown, score, *(name for name in figures if name.startswith(start)))

    mse = partial(means, redshifts, columns[1:], "mse x 1000")
    worst = max(-difference(passbands, row) for row in passbands)
    return (
        f"{NAME}: DES challenge, macro AUROC with {' / '.join(columns)} labels ({n_seeds} seeds): "
        f"best of {WEIGHTS} {best(classes, columns, 'auroc', WEIGHTS)}, best of features "
        f"{best(classes, columns, 'auroc', 'features')}; redshift MSE x 1000 of {WEIGHTS} "
        f"{mse(REGRESSOR)}, of features {mse(BOOSTING)}; zero-label AUROC in other passbands at "
        f"most {worst:.3f} below ZTF's (limit {LIMIT})"
    )


def main(arguments: Sequence[str] | None = None) -> dict[str, Figures]:
    """Run the benchmark and return its figures."""
    options = parse(build_parser(__doc__), arguments, "snpcc")
    use_templates(options)
    start = time.perf_counter()
    quick, seeds = options.quick, range(options.seeds)
    sizes = QUICK_SIZES if quick else SIZES
    columns = [column_name(n) for n in sizes]
    curves, y, z = load_challenge(options.data, 1000 if quick else N_OBJECTS)
    inputs = {
        "curves": curves,
        "features": LightCurveFeatures(n_jobs=options.n_jobs).fit_transform(curves),
        "latents": LightCurveEncoder.pretrained(WEIGHTS, device="cpu").transform(curves),
        "without labels": own_classes(WEIGHTS).predict_proba(curves),
    }
    counts = {str(c): int(n) for c, n in zip(*np.unique(y, return_counts=True), strict=True)}
    print(f"{len(y):,} objects {counts}", flush=True)

    classes = measure_draws(
        partial(measure_classes, inputs, y, class_rows(quick)), sizes, seeds, options.n_jobs
    )
    redshifts = measure_draws(
        partial(measure_redshifts, inputs, y, z, redshift_rows(quick)),
        [n for n in sizes if n != 0],
        seeds,
        options.n_jobs,
    )
    shown = [REFERENCE, "DES"] if quick else list(PASSBANDS)
    simulated = QUICK_CLASSES if quick else load_weights(WEIGHTS).classes
    passbands = measure_passbands(shown, simulated, 20 if quick else N_PER_CLASS, seeds)

    print_table("macro one-vs-rest AUROC", classes, columns, "auroc")
    for score in ("mse x 1000", "sigma_nmad", "outliers"):
        print_table(f"redshift, {score}", redshifts, columns[1:], score)
    figures = {"classes": classes, "redshifts": redshifts, "passbands": passbands}
    line = summary(classes, redshifts, passbands, columns, options.seeds)
    content = {
        "summary": line,
        "markdown": markdown(classes, redshifts, passbands, columns),
        "protocol": " ".join((__doc__ or "").split("\n\n")[2].split()),
        "n_objects": counts,
        "merged_classes": {"challenge": CLASSES, "weights": SIMULATED},
        "settings": {
            task: {name: str(build(0)) for name, (_, build) in rows(False).items()}
            for task, rows in (("classes", class_rows), ("redshifts", redshift_rows))
        },
        "figures": figures,
        "seconds": round(time.perf_counter() - start),
        "n_jobs": options.n_jobs,
    }
    print(f"\nwrote {write_results(options, NAME, content, [WEIGHTS]).name}")
    picture = results_path(options, NAME, ".png")
    panels = [
        ("DES challenge: Ia, II, Ib/c", "macro one-vs-rest AUROC", classes, "auroc"),
        ("Redshift", "MSE × 10³", redshifts, "mse x 1000"),
    ]
    plot_figures(picture, panels, columns)
    print(f"wrote {picture.name}")
    print(line)
    return figures


if __name__ == "__main__":
    main()
