"""Classify variable stars of Kepler: what encoders of supernovae are worth, and what is not.

    python benchmarks/kepler_stars.py --data DIR [--quick]

A demonstration, not a benchmark: 115 labelled stars of one quarter (DIR/kepler_tda_small), of which
70 are contact binaries or rotating stars, 18 eclipsing binaries, 18 RR Lyrae stars or Cepheids, and
9 Delta Scuti or Beta Cephei stars; a class with a single star is left out. As in Gupta,
Muthukrishna & Audenaert (2025), 1,024 observations, half an hour apart, are averaged by five. What
a method reads is the flux relative to its median, in parts per thousand and at a fixed zero point,
so that the brightness of a star, which gives its class away here, is not seen.

Every star is predicted once per seed, in stratified five-fold cross-validation; the macro
one-vs-rest AUROC is that of all stars together. Networks that are trained take long, and have one
seed. Whatever a method holds out to stop early comes out
of its training folds. The interval of a row is that of 1,000 bootstrap samples of the stars, which
is much wider than the standard deviation over seeds.

The baselines show how little it takes: two numbers, the amplitude and the ratio of successive
differences to it, with and without the period of the highest peak of a Lomb-Scargle periodogram;
and the apparent magnitude, which says nothing of variability.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
    write_results,
)
from astropy.timeseries import LombScargle
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from sklc import LightCurveFeatures, LightCurves, TransferClassifier
from sklc.errors import LightCurveWarning

NAME = "kepler_stars"
WEIGHTS = ("ztf+lsst", "any")
MAGNITUDE = "apparent magnitude alone"
FEATURES = "core features + gradient boosting"
PERIOD = "core features and the period + gradient boosting"
TUNED, SCRATCH = 'ztf+lsst, "all"', "same network, from scratch"
N_POINTS, AVERAGED = 1024, 5
FEWEST = 5  # stars in a class
PERIODS = (0.05, 15.0)  # days
# Another sample, 9,501 stars of eight classes, so not comparable (Gupta et al. 2025, table 1).
QUOTED = {"pretrained on classes of ZTF and LSST": 0.968, "no pretraining": 0.901}


@dataclass(frozen=True)
class Stars:
    """Stars: what the methods read, by form, and their classes."""

    inputs: dict[str, Any]
    y: np.ndarray


@dataclass(frozen=True)
class Sample:
    """Times, fluxes relative to their median, relative errors, classes and magnitudes of stars."""

    time: list[np.ndarray]
    flux: list[np.ndarray]
    flux_err: np.ndarray
    y: np.ndarray
    magnitude: np.ndarray


def load_stars(folder: Path) -> Sample:
    """Load the labelled stars of the common classes."""
    curves = LightCurves.from_parquet(folder / "kepler_tda_small", zero_point=25.0)
    y = curves.metadata["class"].to_numpy(dtype=str)
    names, counts = np.unique(y, return_counts=True)
    common = [name for name, count in zip(names, counts, strict=True) if count >= FEWEST]
    kept = np.isin(y, common) & (y != "unlabelled")
    curves = curves[kept].truncate(points=N_POINTS)
    flux = [one.flux / np.median(one.flux) - 1 for one in curves]
    magnitude = curves.metadata["kepmag"].to_numpy(dtype=float)
    flux_err = np.array([np.median(one.flux_err) / np.median(one.flux) for one in curves])
    return Sample([one.time for one in curves], flux, flux_err, y[kept], magnitude)


def averaged(time: np.ndarray, flux: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Average every few consecutive observations, except where there is a gap among them."""
    whole = len(time) // AVERAGED * AVERAGED
    times, fluxes = (values[:whole].reshape(-1, AVERAGED) for values in (time, flux))
    kept = np.ptp(times, axis=1) < 2 * AVERAGED * np.median(np.diff(time))
    return times[kept].mean(axis=1), fluxes[kept].mean(axis=1)


def light_curves(
    time: list[np.ndarray], flux: list[np.ndarray], flux_err: np.ndarray
) -> LightCurves:
    """Return averaged light curves, and their errors, in parts per thousand of the median flux."""
    times, fluxes = zip(*(averaged(t, 1e3 * f) for t, f in zip(time, flux, strict=True)),
                        strict=True)  # fmt: skip
    errors = [np.full(len(f), 1e3 * e / AVERAGED**0.5) for f, e in zip(fluxes, flux_err,
                                                                     strict=True)]  # fmt: skip
    return LightCurves.from_arrays(
        list(times), list(fluxes), errors, passband="kepler", zero_point=27.5
    )


def simple_numbers(flux: list[np.ndarray]) -> np.ndarray:
    """Return log amplitude, and successive differences against it, of each star."""
    spread = np.array([np.std(one) for one in flux])
    steps = np.array([np.std(np.diff(one)) for one in flux])
    return np.log(np.column_stack([spread, steps / spread]))


def periodicity(time: list[np.ndarray], flux: list[np.ndarray]) -> np.ndarray:
    """Return log period and power of the highest peak, and the power at twice the period."""
    rows = []
    frequency = np.linspace(1 / PERIODS[1], 1 / PERIODS[0], 6000)
    for t, f in zip(time, flux, strict=True):
        periodogram = LombScargle(t - t[0], f)
        power = periodogram.power(frequency, assume_regular_frequency=True)
        best = frequency[power.argmax()]
        rows.append((np.log(1 / best), power.max(), float(periodogram.power(best / 2))))
    return np.array(rows)


# -- methods


def build_rows(quick: bool) -> dict[str, tuple[str, Callable[[int], Any]]]:
    """Return, by name, the form of the input that a method reads, and its model for a seed."""

    def linear(seed: int) -> Any:
        return make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))

    def forest(seed: int) -> Any:
        model = RandomForestClassifier(50 if quick else 300, min_samples_leaf=2, random_state=seed)
        return make_pipeline(SimpleImputer(keep_empty_features=True), model)

    def boosting(seed: int) -> Any:
        # Few stars: a leaf may hold three.
        return HistGradientBoostingClassifier(
            learning_rate=0.05, max_iter=20 if quick else 100, max_leaf_nodes=8, min_samples_leaf=3,
            max_features=0.2, l2_regularization=1.0, early_stopping=False, random_state=seed,
        )  # fmt: skip

    def network(encoder: str | None, **params: Any) -> Callable[[int], Any]:
        if "finetune" in params:
            params["early"] = False  # stars are known from their whole light curves
        if params.get("finetune") != "head":
            params |= {"max_epochs": 2 if quick else 30, "batch_size": 16}

        def build(seed: int) -> Any:
            return TransferClassifier(encoder, random_state=seed, device="cpu", verbose=0, **params)

        return build

    return {
        MAGNITUDE: ("magnitude", linear),
        "amplitude and roughness": ("numbers", linear),
        "the same and the period": ("numbers, period", forest),
        "core features + random forest": ("features", forest),
        FEATURES: ("features", boosting),
        PERIOD: ("features, period", boosting),
        **{f'{name}, "head"': ("curves", network(name, finetune="head")) for name in WEIGHTS},
        'any, "head", core features joined': (
            "curves",
            network("any", finetune="head", features="core"),
        ),
        TUNED: ("curves", network("ztf+lsst", finetune="all")),
        SCRATCH: ("curves", network(None)),
    }


def prepare(folder: Path) -> Stars:
    """Load the stars and compute what the methods read."""
    sample = load_stars(folder)
    curves = light_curves(sample.time, sample.flux, sample.flux_err)
    numbers, period = simple_numbers(sample.flux), periodicity(sample.time, sample.flux)
    features = LightCurveFeatures(statistics="core", parametric_fit=False, binned_flux=False)
    described = np.asarray(features.fit_transform(curves))
    described = described[:, np.isfinite(described).mean(axis=0) > 0.5]
    inputs = {
        "curves": curves,
        "magnitude": sample.magnitude[:, None],
        "numbers": numbers,
        "numbers, period": np.column_stack([numbers, period]),
        "features": described,
        "features, period": np.column_stack([described, period]),
    }
    return Stars(inputs, sample.y)


def predictions(stars: Stars, form: str, model: Any, seed: int) -> np.ndarray:
    """Return probabilities of every star, by a model that was trained on the other folds."""
    X, y = stars.inputs[form], stars.y
    classes = np.unique(y)
    probabilities = np.empty((len(y), len(classes)))
    for train, test in StratifiedKFold(5, shuffle=True, random_state=seed).split(y, y):
        fitted = clone(model).fit(X[train], y[train])
        assert list(fitted.classes_) == list(classes)
        probabilities[test] = fitted.predict_proba(X[test])
    return probabilities


def interval(y: np.ndarray, probabilities: np.ndarray, n: int = 1000) -> tuple[float, float]:
    """Return the 95 % interval of the macro AUROC over bootstrap samples, stratified by class."""
    rng, classes = np.random.default_rng(0), np.unique(y)
    rows = [np.flatnonzero(y == name) for name in classes]
    scores = []
    for _ in range(n):
        drawn = np.concatenate([rng.choice(own, len(own)) for own in rows])
        scores.append(classification_scores(y[drawn], probabilities[drawn], classes)["auroc"])
    low, high = np.quantile(scores, [0.025, 0.975])
    return float(low), float(high)


def measure(stars: Stars, options) -> dict[str, dict[str, Any]]:
    """Cross-validate every method, once per seed."""
    figures = {}
    for name, (form, build) in build_rows(options.quick).items():
        start, draws, first = time.process_time(), [], None
        for seed in range(1 if name in (TUNED, SCRATCH) else options.seeds):
            probabilities = predictions(stars, form, build(seed), seed)
            first = probabilities if first is None else first
            draws.append(classification_scores(stars.y, probabilities, np.unique(stars.y)))
        low, high = interval(stars.y, first, 50 if options.quick else 1000)
        seconds = time.process_time() - start
        figures[name] = {
            **summarise(draws),
            "auroc interval": [round(low, 4), round(high, 4)],
            "cpu_seconds": round(seconds / len(draws), 2),
        }
        found = figures[name]["auroc"]
        print(f"{name}: {found['mean']:.3f} ± {found['sd']:.3f} [{low:.3f}, {high:.3f}], "
              f"{seconds:.0f} s", flush=True)  # fmt: skip
    return figures


# -- showing


def markdown(figures: dict[str, dict[str, Any]], classes: Sequence[str]) -> str:
    lines = [
        [
            name,
            cell(found["auroc"])
            if len(found["auroc"]["values"]) > 1
            else f"{found['auroc']['mean']:.3f}",
            "{:.3f} to {:.3f}".format(*found["auroc interval"]),
            *(f"{found[f'auroc {c}']['mean']:.3f}" for c in classes),
            f"{found['accuracy']['mean']:.3f}",
        ]
        for name, found in figures.items()
    ]
    return markdown_table(["method", "AUROC", "95 % interval", *classes, "accuracy"], lines)


def plot(figures: dict[str, dict[str, Any]], stars: Stars, path: Path) -> None:
    """Plot an example of each class, and the AUROC of each method with its interval."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    curves, classes = stars.inputs["curves"], np.unique(stars.y)
    figure = plt.figure(figsize=(13, 6), layout="constrained")
    grid = figure.add_gridspec(len(classes), 2, width_ratios=[1, 1.25])
    for row, name in enumerate(classes):
        ax = figure.add_subplot(grid[row, 0])
        curve = curves[int(np.flatnonzero(stars.y == name)[0])]
        ax.plot(curve.time - curve.time[0], curve.flux, ".-", color="0.25", markersize=2.5,
                linewidth=0.5)  # fmt: skip
        ax.set_title(f"{name} ({np.sum(stars.y == name)} stars)", loc="left", fontsize=9)
        ax.set_ylabel("ppt", fontsize=8)
        ax.tick_params(labelsize=8)
    ax.set_xlabel("days")
    ax = figure.add_subplot(grid[:, 1])
    for height, (name, found) in enumerate(figures.items()):
        is_network = name.startswith((*WEIGHTS, SCRATCH))
        mean, (low, high) = found["auroc"]["mean"], found["auroc interval"]
        ax.plot([low, high], [height, height], color="0.6", linewidth=2, zorder=1)
        ax.plot(mean, height, "s" if is_network else "o", markersize=8,
                color="#D55E00" if is_network else "#0072B2")  # fmt: skip
    ax.set_yticks(range(len(figures)), list(figures))
    ax.invert_yaxis()
    ax.set_xlabel("macro one-vs-rest AUROC (line: 95 % interval over stars)")
    ax.grid(axis="x", alpha=0.3)
    for marker, colour, label in (("o", "#0072B2", "numbers and features"),
                                  ("s", "#D55E00", "encoders")):  # fmt: skip
        ax.plot([], [], marker, color=colour, label=label, markersize=8)
    ax.legend(loc="lower left", fontsize=8)
    figure.suptitle("Variable stars of Kepler: a demonstration on few stars")
    figure.savefig(path, dpi=110)
    plt.close(figure)


def main(arguments: Sequence[str] | None = None) -> dict[str, dict[str, Any]]:
    """Run the benchmark and return its figures."""
    options = parse(build_parser(__doc__, seeds=3), arguments, "kepler_tda_small")
    torch.set_num_threads(1)
    start = time.perf_counter()
    with threadpool_limits(1), warnings.catch_warnings():
        # A passband and fluxes unlike those of the training, on purpose.
        warnings.simplefilter("ignore", LightCurveWarning)
        stars = prepare(options.data)
        counts = {str(c): int(np.sum(stars.y == c)) for c in np.unique(stars.y)}
        print(f"{len(stars.y)} stars {counts}", flush=True)
        figures = measure(stars, options)
    table = markdown(figures, list(counts))
    print(f"\n{table}\n")
    picture = results_path(options, NAME, ".png")
    plot(figures, stars, picture)

    def found(*names: str) -> str:
        return " / ".join(f"{figures[name]['auroc']['mean']:.3f}" for name in names)

    heads = [f'{name}, "head"' for name in WEIGHTS]
    line = (
        f"{NAME}: macro AUROC of {len(stars.y)} stars: frozen encoders {found(*heads)}, fine-tuned "
        f"{found(TUNED)}, from scratch {found(SCRATCH)}; features {found(FEATURES)}, with the "
        f"period {found(PERIOD)}; apparent magnitude alone {found(MAGNITUDE)}"
    )
    content = {
        "summary": line,
        "protocol": " ".join((__doc__ or "").split("\n\n", 2)[2].split()),
        "figures": figures,
        "n_stars": counts,
        "quoted": QUOTED,
        "markdown": table,
        "seconds": round(time.perf_counter() - start),
    }
    print(f"wrote {write_results(options, NAME, content, WEIGHTS).name} and {picture.name}\n{line}")
    return figures


if __name__ == "__main__":
    main()
