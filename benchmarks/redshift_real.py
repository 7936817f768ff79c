"""Redshifts of real supernovae from few known ones: pretrained encoders against features.

    python benchmarks/redshift_real.py --data DIR [--n-jobs 2] [--quick]

Light curves of the ZTF Bright Transient Survey (DIR/ztf_bts) with at least 6 points. For each
seed a stratified quarter is the test part, and N redshifts are drawn from the rest; whatever a
method holds out comes out of those N. The main figure is the mean squared error of z, times 1000,
on the test part, mean ± standard deviation over seeds. Beside it: the scatter 1.48 MAD(dz) with
dz = (z_predicted - z) / (1 + z), the fraction with |dz| > .15, R2, and how many true redshifts
lie within the stated 68 and 95 % intervals.

"Three classes" are the SNe Ia, II and Ib/c of `label_efficiency.py`, with its draws. "Everything"
adds superluminous supernovae, tidal disruptions, novae and what has no class, to the same test
parts: a handful of distant objects, up to z = .5, is then most of the squared error. "Deep" are
supernovae of eight surveys and twenty passbands (DIR/snia_multi, DIR/ps1_mds_osc), z < .8. Methods
that train a network are measured on the three classes alone, with 64 and with 512 redshifts.

"Intervals" repeats the count of true redshifts inside the intervals on 50 further draws of the
three classes (seeds 100 to 149): five draws leave it uncertain by .01 to .02.

Settings were chosen on objects that no draw has in its test part.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from _common import (
    MIN_POINTS,
    build_parser,
    draw_labels,
    load_bts,
    markdown_table,
    merge_labels,
    parse,
    redshift_scores,
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
from sklearn.compose import TransformedTargetRegressor
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import train_test_split

from sklc import LightCurveEncoder, LightCurveFeatures, LightCurves, RedshiftRegressor, concatenate
from sklc.baselines import feature_redshift_regressor
from sklc.errors import LightCurveWarning

NAME = "redshift_real"
WEIGHTS = "any"
HEAD = f'{WEIGHTS}, RedshiftRegressor "head"'
# Those with a redshift head, for no known redshift.
OWN_WEIGHTS = "any"
SIZES: tuple[int | None, ...] = (0, 64, 128, 256, 512, None)
QUICK_SIZES: tuple[int | None, ...] = (0, 64)
FEW_SIZES: tuple[int | None, ...] = (0, 512, None)
Z_MAX = 0.8
# For intervals only: enough draws to compare a coverage with its nominal value.
COVERAGE_SEEDS = range(100, 150)
COVERAGE_SIZES: tuple[int | None, ...] = (64, 512, None)
SCORES = {
    "mse": "mean squared error x 1000",
    "nmad": "scatter (NMAD) of dz",
    "outliers": "fraction with |dz| > .15",
    "r2": "R2",
    "coverage 68": "coverage of the 68 % interval",
    "coverage 95": "coverage of the 95 % interval",
}
# Gupta et al. 2025b, Table 2, real ZTF light curves with a sample of their own: "all" differs.
QUOTED = {
    "quoted: Gupta+25b, from scratch": {"512": (6.02, None), "all": (3.85, None)},
    "quoted: Gupta+25b, contrastive, ZTF+LSST": {"512": (4.87, None), "all": (3.73, None)},
}


class Data:
    """Light curves of a sample in every form, with redshifts and what to stratify by.

    Parameters
    ----------
    curves : LightCurves
        With a metadata column ``redshift``.
    strata : ndarray of str
        Draws have the same share of each.
    draw : callable
        Takes strata, number of labels and seed; returns rows to train and to test on.
    features : bool
        Whether to compute hand-crafted features.
    """

    def __init__(self, curves: LightCurves, strata, draw=draw_labels, *, features: bool) -> None:
        self.curves, self.strata, self.draw = curves, strata, draw
        self.z = curves.metadata["redshift"].to_numpy(dtype=float)
        encoder = LightCurveEncoder.pretrained(WEIGHTS, device="cpu")
        self.inputs: dict[str, Any] = {"curves": curves, "latent": encoder.transform(curves)}
        if features:
            self.inputs["features"] = LightCurveFeatures().fit(curves).transform(curves)


# -- samples


def draw_everything(
    strata: np.ndarray, n_labels: int | None, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Draw as `draw_labels` does, with the test part of the three classes as it is without others.

    Parameters
    ----------
    strata : ndarray of str
        "" for the others.
    n_labels : int or None
    seed : int
    """
    train, test = [], []
    for part in (np.flatnonzero(strata != ""), np.flatnonzero(strata == "")):
        own_train, own_test = draw_labels(strata[part], None, seed)
        train.append(part[own_train])
        test.append(part[own_test])
    rows = np.concatenate(train)
    if n_labels is not None:
        rows, _ = train_test_split(
            rows, train_size=n_labels, stratify=strata[rows], random_state=seed
        )
    return rows, np.concatenate(test)


def load_three_classes(folder: Path) -> Data:
    curves, y = load_bts(folder)
    return Data(curves, y, features=True)


def load_everything(folder: Path) -> Data:
    curves = LightCurves.from_parquet(folder / "ztf_bts")
    curves = curves[curves.lengths >= MIN_POINTS]
    return Data(curves, merge_labels(curves.metadata["class"]), draw_everything, features=True)


def deep_supernovae(folder: Path) -> LightCurves:
    """Load SNe Ia of several surveys, with known redshifts below `Z_MAX`."""
    parts = [LightCurves.from_parquet(folder / name) for name in ("snia_multi", "ps1_mds_osc")]
    curves = concatenate(parts, suffixes=["", "_osc"])
    z = curves.metadata["redshift"].to_numpy(dtype=float, na_value=np.nan)
    flux = np.array([curve.flux.any() for curve in curves])
    kept = (z > 0) & (z < Z_MAX) & (curves.lengths >= MIN_POINTS) & flux
    return curves[kept]


def load_deep(folder: Path) -> Data:
    curves = deep_supernovae(folder)
    return Data(curves, curves.metadata["survey"].to_numpy(dtype=str), features=True)


# -- methods


def regressor(seed: int, quick: bool, **params: Any) -> RedshiftRegressor:
    common = {"max_epochs": 1} if quick else {}
    # Without features but where they are asked for, so that only latents are compared.
    params = {"encoder": WEIGHTS, "features": None, **params, **common}
    return RedshiftRegressor(**params, random_state=seed, device="cpu", verbose=0)


def baseline(model: str, seed: int, quick: bool) -> Any:
    # Without the features, which have no part in the draw: they are computed once.
    pipeline = feature_redshift_regressor(model, random_state=seed)[1:]
    small = {"boosting": {"max_iter": 30}, "forest": {"n_estimators": 30}}[model]
    prefix = "regressor__regressor__"
    return pipeline.set_params(**{prefix + k: v for k, v in small.items()} if quick else {})


def build_rows(quick: bool) -> dict[str, tuple[str, Callable[[int, int], Any]]]:
    """Form of the light curves and model, given a seed and the number of labels, by name."""
    alphas = np.logspace(-3, 4, 36)
    return {
        "median": ("latent", lambda seed, n: DummyRegressor(strategy="median")),
        "features + gradient boosting": (
            "features",
            lambda seed, n: baseline("boosting", seed, quick),
        ),
        "features + random forest": ("features", lambda seed, n: baseline("forest", seed, quick)),
        f"{WEIGHTS}, frozen + ridge": (
            "latent",
            lambda seed, n: TransformedTargetRegressor(
                RidgeCV(alphas), func=np.log1p, inverse_func=np.expm1, check_inverse=False
            ),
        ),
        HEAD: ("curves", lambda seed, n: regressor(seed, quick, features="core")),
        f"{HEAD}, features=None": ("curves", lambda seed, n: regressor(seed, quick)),
        f'{WEIGHTS}, RedshiftRegressor "all"': (
            "curves",
            lambda seed, n: regressor(seed, quick, finetune="all"),
        ),
        f"{WEIGHTS}, RedshiftRegressor mlp": (
            "curves",
            lambda seed, n: regressor(seed, quick, method="mlp"),
        ),
        f"{WEIGHTS}, RedshiftRegressor knn": (
            "curves",
            lambda seed, n: regressor(
                seed, quick, method="knn", n_neighbors=min(100, max(n // 20, 5))
            ),
        ),
        # Smaller batches and more patience than the defaults: few labels make short epochs.
        "same network, from scratch": (
            "curves",
            lambda seed, n: regressor(
                seed, quick, encoder=None, batch_size=32, max_epochs=60, patience=10
            ),
        ),
    }


# Measured on the three classes alone, at two numbers of labels: they train networks.
SLOW = ('"all"', "from scratch", "mlp")
SLOW_SIZES = (64, 512)


def is_slow(name: str) -> bool:
    return any(text in name for text in SLOW)


# -- measuring


def scores_of(z: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """Errors of predicted redshifts; the first four of `SCORES`."""
    scores = redshift_scores(z, predicted)
    return {"nmad": scores.pop("sigma_nmad"), **scores, "mse": 1000 * scores["mse"]}


def coverage_scores(z: np.ndarray, model: RedshiftRegressor, X: Any) -> dict[str, float]:
    """Share of true redshifts inside the stated intervals."""
    quantiles = model.predict_quantiles(X, [0.025, 0.16, 0.84, 0.975])
    return {
        name: float(np.mean((low <= z) & (z <= high)))
        for name, low, high in (
            ("coverage 68", quantiles[:, 1], quantiles[:, 2]),
            ("coverage 95", quantiles[:, 0], quantiles[:, 3]),
        )
    }


def measure(data: Data, rows: dict, n_labels: int | None, seed: int) -> dict[str, dict[str, float]]:
    """Score every method that there is at this number of labels, on one draw."""
    train, test = data.draw(data.strata, n_labels or None, seed)
    z, scores = data.z, {}
    for name, (form, make) in rows.items() if n_labels != 0 else ():
        if is_slow(name) and n_labels not in SLOW_SIZES:
            continue
        start = time.perf_counter()
        X = data.inputs[form]
        model = make(seed, len(train)).fit(X[train], z[train])
        with np.errstate(all="ignore"):
            predicted = predict(model, X[test])
        scores[name] = scores_of(z[test], predicted)
        if isinstance(model, RedshiftRegressor):
            scores[name] |= coverage_scores(z[test], model, X[test])
        scores[name]["seconds"] = time.perf_counter() - start
    if n_labels == 0:
        X = data.curves[test]
        own = RedshiftRegressor.pretrained(OWN_WEIGHTS, device="cpu")
        scores[f"{OWN_WEIGHTS}, its own redshifts"] = {
            **scores_of(z[test], predict(own, X)),
            **coverage_scores(z[test], own, X),
        }
    return scores


def measure_coverage(
    data: Data, quick: bool, n_labels: int | None, seed: int
) -> dict[str, dict[str, float]]:
    """Share of true redshifts inside the intervals of `RedshiftRegressor`, on one draw."""
    train, test = data.draw(data.strata, n_labels, seed)
    model = regressor(seed, quick, features="core").fit(data.curves[train], data.z[train])
    return {HEAD: coverage_scores(data.z[test], model, data.curves[test])}


def predict(model: Any, X: Any) -> np.ndarray:
    """Redshifts, without the warning that some lie outside the training range."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LightCurveWarning)
        return model.predict(X)


# -- showing


def markdown(figures: dict[str, Figures], columns: dict[str, list[str]], coverage: Figures) -> str:
    """Tables of docs/results.md: errors by number of labels; everything else with all labels."""
    parts = []
    for title, own in figures.items():
        quoted = QUOTED if title == "three classes" else None
        parts += [
            f"{title.capitalize()}, {SCORES['mse']}:",
            markdown_figures(own, columns[title], "mse", quoted),
        ]
        names = list(SCORES)[1:]
        table = [
            [name, *(f"{row['all'][s]['mean']:.3f}" if s in row["all"] else "–" for s in names)]
            for name, row in own.items()
            if "all" in row
        ]
        parts += [
            f"{title.capitalize()}, all labels:",
            markdown_table(["", "NMAD", "outliers", "R²", "in 68 %", "in 95 %"], table),
        ]
    table = [
        [label, *(mean_and_error(scores[score]) for score in ("coverage 68", "coverage 95"))]
        for label, scores in coverage[HEAD].items()
    ]
    parts += [
        f"Intervals of `RedshiftRegressor`, three classes, {len(COVERAGE_SEEDS)} further draws, "
        "mean ± its standard error:",
        markdown_table(["labels", "in 68 %", "in 95 %"], table),
    ]
    return "\n\n".join(parts)


def mean_and_error(score: Mapping[str, Any]) -> str:
    """Write the mean over draws with its standard error."""
    values = score["values"]
    return f"{np.mean(values):.3f} ± {np.std(values, ddof=1) / len(values) ** 0.5:.3f}"


def plot(
    path: Path, figures: Figures, columns: list[str], z: np.ndarray, predicted: np.ndarray
) -> None:
    """Plot errors against the number of labels, and predicted against true redshifts."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(13, 5.5), layout="constrained")
    for number, (name, row) in enumerate(figures.items()):
        there = [c for c in columns if c in row]
        if not there:
            continue
        left.errorbar(
            [columns.index(c) + 0.04 * number for c in there],
            [row[c]["mse"]["mean"] for c in there],
            [row[c]["mse"]["sd"] for c in there],
            fmt="o" + ("-", "--", "-.", ":")[number % 4],
            markersize=4,
            capsize=2,
            linewidth=1.2,
            label=name,
        )
    left.set_xticks(range(len(columns)), columns)
    left.set_yscale("log")
    left.set_xlabel("labels")
    left.set_ylabel(SCORES["mse"])
    left.set_title("Real ZTF supernovae: Ia, II, Ib/c", loc="left")
    left.grid(axis="y", alpha=0.3, which="both")
    low, middle, high = predicted.T
    right.errorbar(
        z, middle, [middle - low, high - middle], fmt=".", markersize=3, linewidth=0.4, alpha=0.5
    )
    right.axline((0, 0), slope=1, color="k", linewidth=0.8)
    right.set_xlabel("true redshift")
    right.set_ylabel("predicted redshift, 68 % interval")
    right.set_title("RedshiftRegressor, all labels, one test part", loc="left")
    figure.legend(loc="outside right upper", fontsize=8)
    figure.savefig(path, dpi=130)
    plt.close(figure)


def main(arguments: Sequence[str] | None = None) -> dict[str, Figures]:
    """Run the benchmark and return its figures."""
    parser = build_parser(__doc__)
    options = parse(parser, arguments, "ztf_bts")
    start = time.perf_counter()
    rows = build_rows(options.quick)
    few = {name: row for name, row in rows.items() if not is_slow(name)}
    samples = {
        "three classes": (load_three_classes, rows, SIZES),
        "everything": (load_everything, few, FEW_SIZES),
        "deep": (load_deep, few, FEW_SIZES),
    }
    if options.quick:
        samples = {"three classes": (load_three_classes, rows, QUICK_SIZES)}
    elif not all((options.data / n).is_dir() for n in ("snia_multi", "ps1_mds_osc")):
        print("without snia_multi and ps1_mds_osc: no deep supernovae")
        del samples["deep"]
    figures: dict[str, Figures] = {}
    coverage: Figures = {}
    columns: dict[str, list[str]] = {}
    counts, settings = {}, {n: str(make(0, 512)) for n, (_, make) in rows.items()}
    for title, (load, own_rows, sizes) in samples.items():
        data = load(options.data)
        n_train = len(data.draw(data.strata, None, 0)[0])
        counts[title] = {"objects": len(data.z), "all labels": n_train}
        print(f"\n{title}: {len(data.z):,} objects, z {data.z.min():.4f} to {data.z.max():.3f}")
        found = measure_draws(
            partial(measure, data, own_rows), sizes, range(options.seeds), options.n_jobs
        )
        figures[title] = found
        columns[title] = [column_name(n) for n in sizes if any(column_name(n) in r for r in
                                                               found.values())]  # fmt: skip
        quoted = QUOTED if title == "three classes" else None
        for score, label in SCORES.items():
            print_table(label, found, columns[title], score, quoted if score == "mse" else None)
        if title == "three classes":
            train, test = data.draw(data.strata, QUICK_SIZES[-1] if options.quick else None, 0)
            model = regressor(0, options.quick, features="core").fit(
                data.curves[train], data.z[train]
            )
            panel = data.z[test], model.predict_quantiles(data.curves[test])
            coverage = measure_draws(
                partial(measure_coverage, data, options.quick),
                QUICK_SIZES[1:] if options.quick else COVERAGE_SIZES,
                COVERAGE_SEEDS[:1] if options.quick else COVERAGE_SEEDS,
                options.n_jobs,
            )
    own = figures["three classes"]
    shown = [c for c in columns["three classes"] if c != "0"]
    head = means(own, shown, "mse", HEAD)
    tuned = means(own, shown, "mse", f'{WEIGHTS}, RedshiftRegressor "all"')
    features = lowest(own, shown, "features")
    line = (
        f"{NAME}: real ZTF supernovae, 3 classes, redshift MSE x 1000 with {' / '.join(shown)} "
        f"labels ({options.seeds} seeds): RedshiftRegressor {head}; fine-tuned {tuned}; best of "
        f"features {features}; median {means(own, shown, 'mse', 'median')}"
    )
    content = {
        "summary": line,
        "markdown": markdown(figures, columns, coverage) if not options.quick else "",
        "protocol": " ".join((__doc__ or "").split("\n\n", 2)[2].split()),
        "n_objects": counts,
        "settings": settings,
        "figures": figures,
        "coverage seeds": list(COVERAGE_SEEDS),
        "coverage": coverage,
        "quoted": QUOTED,
        "seconds": round(time.perf_counter() - start),
        "n_jobs": options.n_jobs,
    }
    print(f"\nwrote {write_results(options, NAME, content, [WEIGHTS, OWN_WEIGHTS]).name}")
    picture = results_path(options, NAME, ".png")
    plot(picture, own, shown, *panel)
    print(f"wrote {picture.name}")
    print(line)
    return figures


def lowest(figures: Figures, columns: Sequence[str], prefix: str) -> str:
    """Write the lowest mean error at each number of labels of the methods so named."""
    there = [row for name, row in figures.items() if name.startswith(prefix)]
    return " / ".join(f"{min(row[c]['mse']['mean'] for row in there):.3f}" for c in columns)


if __name__ == "__main__":
    main()
