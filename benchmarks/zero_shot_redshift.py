"""Estimate redshifts in a survey that has none yet: Table 2 of Gupta, Muthukrishna & Audenaert.

    python benchmarks/zero_shot_redshift.py [--quick] [--cache DIR]

Simulated light curves of eight classes. Encoders are pretrained here on both surveys, without any
redshift; then, frozen, `RedshiftRegressor` learns redshifts from 10,000 ZTF objects at z < 0.4 and
is tried on LSST objects at z < 0.4 which nothing was trained on. Rows of "direct" training learn
from 10,000 LSST objects as well, or alone: at all redshifts that LSST sees, as in the paper, or at
z < 0.4 only, which is easier to be right in. A repeat draws other training and test objects; "no
pretraining" trains the whole network on the redshifts with the recipe of the pretraining, and is
dear, so it is repeated at most three times. Predictions are limited to the range of the redshifts
that were learned.

The figure is the mean squared error of z, mean ± standard deviation over repeats. R² compares it
with the variance of the test redshifts, which is small.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _common import (
    build_parser,
    markdown_table,
    parse,
    redshift_scores,
    results_path,
    summarise,
    use_templates,
    write_results,
)
from _redshift_from_scratch import from_scratch
from _simulated import (
    TEST_SEED,
    Recipe,
    add_cache_argument,
    pretrained,
)
from joblib import Parallel, delayed, parallel_config

from sklc.errors import LightCurveWarning
from sklc.estimators.regressor import RedshiftRegressor
from sklc.light_curves import LightCurves, concatenate
from sklc.simulate import COMMON_CLASSES, simulate

NAME = "zero_shot_redshift"
Z_MAX = 0.4
# Simulated objects of each survey, and those of them that redshifts are learned from.
N_OBJECTS, N_TRAIN = 16_000, 10_000
FROM_SCRATCH_SEEDS = 3
FROM_SCRATCH_EPOCHS = 12
OBJECTIVES = ("classifier", "contrastive", "adversarial")


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Parameters
    ----------
    method : {"mlp", "knn", "from scratch", "mean"}
        Method of `RedshiftRegressor` on a frozen encoder, the whole network, or no light curve.
    surveys : tuple of str
        Whose redshifts are learned.
    objective : str or None
        Objective of the pretraining; None means no pretraining.
    published : str
        The paper's figure.
    near : bool
        Whether only LSST objects at z < `Z_MAX` are learned from, as ZTF ones always are.
    """

    method: str
    surveys: tuple[str, ...]
    objective: str | None = None
    published: str = "–"
    near: bool = False


ROWS = {
    "direct: no pretraining, LSST": Row("from scratch", ("LSST",), None, "0.0750 ± 0.0252"),
    "direct: no pretraining, ZTF + LSST": Row(
        "from scratch", ("ZTF", "LSST"), None, "0.0614 ± 0.0033"
    ),
    "direct: classifier, ZTF + LSST": Row("mlp", ("ZTF", "LSST"), "classifier", "0.0579 ± 0.0061"),
    "direct: no pretraining, LSST at z < 0.4": Row("from scratch", ("LSST",), near=True),
    "zero-shot: no pretraining": Row("from scratch", ("ZTF",), None, "0.1869 ± 0.0127"),
    "zero-shot: classifier": Row("mlp", ("ZTF",), "classifier", "0.1035 ± 0.0081"),
    "zero-shot: contrastive": Row("mlp", ("ZTF",), "contrastive", "0.0727 ± 0.0056"),
    "zero-shot: adversarial": Row("mlp", ("ZTF",), "adversarial", "0.0744 ± 0.0063"),
    "zero-shot: contrastive, kNN": Row("knn", ("ZTF",), "contrastive", "0.0854 ± 0.0040"),
    "no light curve: mean of the ZTF redshifts": Row("mean", ("ZTF",)),
}

# Pairs of rows that the paper finds in this order, the smaller error first.
ORDER = (
    ("zero-shot: contrastive", "direct: no pretraining, LSST"),
    ("zero-shot: contrastive", "zero-shot: adversarial"),
    ("zero-shot: adversarial", "zero-shot: contrastive, kNN"),
    ("zero-shot: contrastive, kNN", "zero-shot: classifier"),
    ("zero-shot: classifier", "zero-shot: no pretraining"),
    ("direct: no pretraining, ZTF + LSST", "direct: no pretraining, LSST"),
    ("direct: classifier, ZTF + LSST", "direct: no pretraining, ZTF + LSST"),
    ("direct: classifier, ZTF + LSST", "zero-shot: contrastive"),
)


@dataclass(frozen=True)
class Survey:
    """Objects of one survey."""

    curves: LightCurves
    redshift: np.ndarray

    @classmethod
    def of(cls, curves: LightCurves) -> Survey:
        return cls(curves, curves.metadata["redshift"].to_numpy(dtype=float))

    def __getitem__(self, rows: np.ndarray) -> Survey:
        return Survey(self.curves[rows], self.redshift[rows])


# -- regressions


def on_frozen_encoder(weights: Path, method: str, seed: int) -> RedshiftRegressor:
    return RedshiftRegressor(
        weights, method=method, features=None, random_state=seed, device="cpu", verbose=0
    )


# -- measuring


def draw_objects(n: int, n_train: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return positions of `n_train` objects and of the others, drawn by seed."""
    order = np.random.default_rng(seed).permutation(n)
    return order[:n_train], order[n_train:]


def measure(
    surveys: dict[str, Survey], encoders: dict[str, Path], n_train: int, seed: int, options
) -> dict[str, dict[str, float]]:
    """Score all rows on one draw."""
    torch.set_num_threads(1)
    drawn = {name: draw_objects(len(s.redshift), n_train, seed) for name, s in surveys.items()}
    test = surveys["LSST"][drawn["LSST"][1]]
    test = test[test.redshift < Z_MAX]
    scores = {}
    for name, row in ROWS.items():
        if row.method == "from scratch" and seed >= FROM_SCRATCH_SEEDS:
            continue
        parts = [surveys[survey].curves[drawn[survey][0]] for survey in row.surveys]
        train = Survey.of(concatenate(parts))
        if row.near:
            train = train[train.redshift < Z_MAX]
        start = time.process_time()
        if row.method == "mean":
            predicted = np.full(len(test.redshift), train.redshift.mean())
        elif row.objective is None:
            predicted = from_scratch(
                train.curves,
                train.redshift,
                test.curves,
                hidden_size=options.hidden_size,
                epochs=1 if options.quick else FROM_SCRATCH_EPOCHS,
                seed=seed,
            )
        else:
            model = on_frozen_encoder(encoders[row.objective], row.method, seed)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", LightCurveWarning)  # of extrapolation: see below
                predicted = model.fit(train.curves, train.redshift).predict(test.curves)
        # Nothing learned says what lies outside, and one wild extrapolation would be all of an MSE.
        predicted = np.clip(predicted, train.redshift.min(), train.redshift.max())
        scores[name] = redshift_scores(test.redshift, predicted)
        scores[name]["cpu_seconds"] = time.process_time() - start
        print(
            f"seed {seed}, {name}: {scores[name]['mse']:.4f} ({scores[name]['cpu_seconds']:.0f} s)",
            flush=True,
        )
    return scores


def prepare(
    options, recipes: dict[str, Recipe]
) -> tuple[dict[str, Survey], dict[str, Path], dict[str, dict]]:
    """Pretrain the encoders, and simulate the objects whose redshifts are learned and tested."""
    encoders, metrics = {}, {}
    for objective, recipe in recipes.items():
        encoders[objective], metrics[objective] = pretrained(recipe, options.cache, options.n_jobs)
    number = 30 if options.quick else N_OBJECTS // len(COMMON_CLASSES)
    ztf, lsst = (
        Survey.of(simulate(number, name, random_state=TEST_SEED, n_jobs=options.n_jobs))
        for name in ("ztf", "lsst")
    )
    return {"ZTF": ztf[ztf.redshift < Z_MAX], "LSST": lsst}, encoders, metrics


def measure_all(
    surveys: dict[str, Survey], encoders: dict[str, Path], n_train: int, options
) -> dict[str, dict[str, dict[str, Any]]]:
    """Return figures by row."""
    with parallel_config(backend="loky", inner_max_num_threads=1):
        draws = Parallel(n_jobs=options.n_jobs)(
            delayed(measure)(surveys, encoders, n_train, seed, options)
            for seed in range(options.seeds)
        )
    return {name: summarise([d[name] for d in draws if name in d]) for name in ROWS}


# -- showing


def claims(figures: dict) -> dict[str, bool]:
    """Say which of the paper's orders hold, by mean MSE over the repeats that both rows have."""

    def mean(name: str, n: int) -> float:
        return float(np.mean(figures[name]["mse"]["values"][:n]))

    return {
        f"{better} <= {worse}": mean(better, n) <= mean(worse, n)
        for better, worse in ORDER
        for n in [min(len(figures[name]["mse"]["values"]) for name in (better, worse))]
    }


def table(figures: dict) -> str:
    def text(score: dict, digits: int) -> str:
        return f"{score['mean']:.{digits}f} ± {score['sd']:.{digits}f}"

    rows = [
        [
            name,
            text(row["mse"], 4),
            text(row["r2"], 2),
            text(row["sigma_nmad"], 3),
            str(len(row["mse"]["values"])),
            ROWS[name].published,
        ]
        for name, row in figures.items()
    ]
    header = ["LSST, z < 0.4", "MSE", "R²", "σ_NMAD", "repeats", "paper: MSE (its own data)"]
    return markdown_table(header, rows)


def draw(figures: dict, path: Path) -> None:
    """Plot MSE of each row, the paper's order from top to bottom."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    names = list(figures)[::-1]
    figure, ax = plt.subplots(figsize=(8, 4), layout="constrained")
    ax.errorbar(
        [figures[name]["mse"]["mean"] for name in names],
        range(len(names)),
        xerr=[figures[name]["mse"]["sd"] for name in names],
        fmt="none",
        ecolor="k",
        capsize=3,
    )
    for position, name in enumerate(names):
        color = {"zero-shot": "C0", "direct": "C1"}.get(name.split(":")[0], "C7")
        ax.plot(figures[name]["mse"]["mean"], position, "o", color=color)
    ax.set_yticks(range(len(names)), names)
    ax.set_xlabel(f"mean squared error of the redshift, LSST at z < {Z_MAX}")
    ax.set_xscale("log")
    ax.set_xticks([0.005, 0.01, 0.02, 0.05, 0.1], ["0.005", "0.01", "0.02", "0.05", "0.1"])
    ax.minorticks_off()
    ax.grid(axis="x", alpha=0.3)
    figure.savefig(path, dpi=100)
    plt.close(figure)


def main(arguments: Sequence[str] | None = None) -> dict[str, dict]:
    """Run the benchmark and return its figures."""
    parser = build_parser(__doc__)
    add_cache_argument(parser)
    parser.add_argument(
        "--share", type=float, help="share of the 90,000 objects per survey (default 0.2)"
    )
    parser.add_argument("--epochs", type=int, help="of pretraining (8)")
    parser.add_argument("--hidden-size", type=int, help="units of the GRU layers (64)")
    options = parse(parser, arguments)
    use_templates(options)
    defaults = (0.002, 1, 8) if options.quick else (0.2, 8, 64)
    for name, value in zip(("share", "epochs", "hidden_size"), defaults, strict=True):
        if getattr(options, name) is None:
            setattr(options, name, value)
    start = time.perf_counter()
    recipes = {
        objective: Recipe(
            eight_classes=True,
            share=options.share,
            objective=objective,
            hidden_size=options.hidden_size,
            epochs=options.epochs,
        )
        for objective in OBJECTIVES
    }
    surveys, encoders, metrics = prepare(options, recipes)
    n_train = len(surveys["LSST"].redshift) // 2 if options.quick else N_TRAIN
    figures = measure_all(surveys, encoders, n_train, options)
    held = claims(figures)
    text = table(figures)
    print(f"\n{text}\n")
    for claim, holds in held.items():
        print(f"{'holds' if holds else 'FAILS'}: {claim}")

    def mse(name: str) -> str:
        return f"{figures[name]['mse']['mean']:.4f}"

    line = (
        f"{NAME}: MSE of LSST redshifts (z < {Z_MAX}) learned from ZTF alone: contrastive "
        f"{mse('zero-shot: contrastive')}, classifier {mse('zero-shot: classifier')}, no "
        f"pretraining {mse('zero-shot: no pretraining')}; learned from LSST "
        f"{mse('direct: no pretraining, LSST')} (at z < {Z_MAX}: "
        f"{mse('direct: no pretraining, LSST at z < 0.4')}); no light curve "
        f"{mse('no light curve: mean of the ZTF redshifts')}; {sum(held.values())} of {len(held)} "
        "orders of the paper hold"
    )
    content = {
        "summary": line,
        "protocol": " ".join((__doc__ or "").split("\n\n")[2].split()),
        "figures": figures,
        "claims": held,
        "published": {name: row.published for name, row in ROWS.items()},
        "n_train": n_train,
        "pretraining": {o: {**asdict(recipes[o]), "metrics": metrics[o]} for o in OBJECTIVES},
        "from_scratch_epochs": FROM_SCRATCH_EPOCHS,
        "markdown": text,
        "seconds": round(time.perf_counter() - start),
        "n_jobs": options.n_jobs,
    }
    print(f"\nwrote {write_results(options, NAME, content).name}")
    picture = results_path(options, NAME, ".png")
    draw(figures, picture)
    print(f"wrote {picture.name}\n{line}")
    return figures


if __name__ == "__main__":
    main()
