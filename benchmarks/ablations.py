"""What each choice of the pretraining is worth: one is changed at a time.

    python benchmarks/ablations.py --data DIR [--quick] [--cache DIR]

Small encoders are pretrained here on simulated ZTF and LSST light curves of twelve classes; the
shipped weights are larger. Each is judged, frozen, by

- the AUROC of its own class head on simulated objects that no encoder was trained on, by survey,
  and the R2 of a ridge regression of ln(1 + z) on its latents there (half to fit, half to score);
- a logistic regression and a ridge regression with 512 labels of ``snpcc``, which others simulated
  in passbands that no encoder knows: macro AUROC of Ia, II, Ib/c, and R2 of ln(1 + z);
- a logistic regression on real light curves, five-fold: those objects of ``ztf_bts`` that are in
  the training part of the first five seeds of `label_efficiency.py`, so in none of its test parts.

Every row is one pretraining; "another seed" says how much of a difference is chance. Repeats draw
new labels and folds.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from _common import (
    MERGED,
    MIN_POINTS,
    build_parser,
    classification_scores,
    draw_labels,
    load_bts,
    markdown_table,
    merge_labels,
    parse,
    results_path,
    summarise,
    use_templates,
    write_results,
)
from _simulated import TEST_SEED, Recipe, add_cache_argument, load, pretrained
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.metrics import r2_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict, train_test_split

from sklc import TransferClassifier
from sklc.light_curves import LightCurves
from sklc.simulate import TWELVE_CLASSES, simulate

NAME = "ablations"
BASE = "base"
SURVEYS = ("ZTF", "LSST")
N_LABELS = 512
# Classes of snpcc that count as one, as far as its names differ from those of ztf_bts.
SNPCC = {"SNIa": ("Ia",), "SNII": ("II", "IIn", "IIL", "IIP"), "SNIb/c": ("Ib", "Ic", "Ibc")}
N_SNPCC = 3_000
# Seeds of the other benchmarks, whose test parts are left alone.
RESERVED_SEEDS = 5

COLUMNS = {
    "ZTF": "simulated ZTF: AUROC",
    "LSST": "simulated LSST: AUROC",
    "ZTF z": "simulated ZTF: R² of z",
    "LSST z": "simulated LSST: R² of z",
    "snpcc": f"snpcc, {N_LABELS} labels: AUROC",
    "snpcc z": f"snpcc, {N_LABELS} labels: R² of z",
    "ztf_bts": "real ZTF, development part: AUROC",
}


def build_recipes(base: Recipe) -> dict[str, Recipe]:
    """Return the pretrainings by name, each one change away from the first."""
    changes: dict[str, dict] = {
        BASE: {},
        "another seed": {"seed": 1},
        "input: as in the papers": {"representation": "papers"},
        "objective: contrastive": {"objective": "contrastive"},
        "objective: adversarial": {"objective": "adversarial"},
        "hidden size 32": {"hidden_size": 32},
        "hidden size 100": {"hidden_size": 100},
        "a quarter of the light curves": {"share": base.share / 4},
        "twice the light curves": {"share": base.share * 2},
        "no augmentation": {"augment": False},
        "redshift weight 0": {"redshift_weight": 0.0},
        "redshift weight 0.4": {"redshift_weight": 0.4},
    }
    return {name: replace(base, **change) for name, change in changes.items()}


@dataclass(frozen=True)
class Labelled:
    """Light curves to judge encoders on."""

    curves: LightCurves
    y: np.ndarray

    @property
    def log1p_z(self) -> np.ndarray:
        return np.log1p(self.curves.metadata["redshift"].to_numpy(dtype=float))


# -- data


def development_objects(y: np.ndarray) -> np.ndarray:
    """Return positions of what is in the training part of every reserved seed."""
    parts = [draw_labels(y, None, seed)[0] for seed in range(RESERVED_SEEDS)]
    kept = set(range(len(y))).intersection(*(part.tolist() for part in parts))
    return np.array(sorted(kept))


def load_snpcc(folder: Path, number: int) -> Labelled:
    """Load a fixed, stratified part of snpcc, of the merged classes."""
    curves = LightCurves.from_parquet(folder / "snpcc")
    y = merge_labels(curves.metadata["class"], SNPCC)
    usable = np.flatnonzero((y != "") & (curves.lengths >= MIN_POINTS))
    chosen, _ = train_test_split(usable, train_size=number, stratify=y[usable], random_state=0)
    return Labelled(curves[chosen], y[chosen])


def prepare(options) -> dict[str, Labelled]:
    """Load or simulate all that encoders are judged on."""
    data = {}
    for survey in SURVEYS:
        curves = simulate(
            20 if options.quick else 150,
            survey,
            TWELVE_CLASSES,
            random_state=TEST_SEED,
            n_jobs=options.n_jobs,
        )
        data[survey] = Labelled(curves, curves.metadata["class"].to_numpy(dtype=str))
    data["snpcc"] = load_snpcc(options.data, 800 if options.quick else N_SNPCC)
    curves, y = load_bts(options.data)
    rows = development_objects(y)
    data["ztf_bts"] = Labelled(curves[rows], y[rows])
    return data


# -- measuring


def classifier() -> LogisticRegression:
    return LogisticRegression(C=0.1, max_iter=1000)


def redshift_r2(latent: np.ndarray, log1p_z: np.ndarray, train, test) -> float:
    model = RidgeCV(np.logspace(-1, 4, 11)).fit(latent[train], log1p_z[train])
    return float(r2_score(log1p_z[test], model.predict(latent[test])))


def judge(weights: Path, data: dict[str, Labelled], seeds: Sequence[int]) -> list[dict]:
    """Return the scores of one encoder, a dict for every repeat."""
    encoder = load(weights)
    latents = {name: encoder.transform(part.curves) for name, part in data.items()}
    # One scale for all columns of a latent, so that a regularisation means the same for every
    # encoder. A scale each would blow up columns that are 0 for nearly all objects.
    latents = {name: latent / latent.std(axis=0).mean() for name, latent in latents.items()}
    fixed = {}
    for survey in SURVEYS:
        part = data[survey]
        own = TransferClassifier.pretrained(weights, device="cpu")
        probabilities = own.predict_proba(part.curves)
        fixed[survey] = classification_scores(part.y, probabilities, own.classes_)["auroc"]
    return [fixed | _judge_draw(latents, data, seed) for seed in seeds]


def _judge_draw(latents: dict, data: dict[str, Labelled], seed: int) -> dict[str, float]:
    scores = {}
    for survey in SURVEYS:
        part = data[survey]
        halves = train_test_split(
            np.arange(len(part.y)), test_size=0.5, stratify=part.y, random_state=seed
        )
        scores[f"{survey} z"] = redshift_r2(latents[survey], part.log1p_z, *halves)
    part, latent = data["snpcc"], latents["snpcc"]
    train, test = train_test_split(
        np.arange(len(part.y)), train_size=N_LABELS, stratify=part.y, random_state=seed
    )
    model = classifier().fit(latent[train], part.y[train])
    scores["snpcc"] = classification_scores(
        part.y[test], model.predict_proba(latent[test]), model.classes_
    )["auroc"]
    scores["snpcc z"] = redshift_r2(latent, part.log1p_z, train, test)
    part, latent = data["ztf_bts"], latents["ztf_bts"]
    probabilities = cross_val_predict(
        classifier(),
        latent,
        part.y,
        cv=StratifiedKFold(5, shuffle=True, random_state=seed),
        method="predict_proba",
    )
    scores["ztf_bts"] = classification_scores(part.y, probabilities, np.unique(part.y))["auroc"]
    return scores


# -- showing


def table(figures: dict) -> str:
    rows = []
    for name, row in figures.items():
        cells = []
        for column in COLUMNS:
            score = row[column]
            spread = "" if column in SURVEYS else f" ± {score['sd']:.3f}"
            cells.append(f"{score['mean']:.3f}{spread}")
        rows.append([name, *cells])
    return markdown_table(["pretraining", *COLUMNS.values()], rows)


def plot(figures: dict, path: Path) -> None:
    """Plot each column's difference to the first row."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    names = [name for name in figures if name != BASE][::-1]
    figure, axes = plt.subplots(
        1, len(COLUMNS), figsize=(2.1 * len(COLUMNS) + 2, 4), sharey=True, layout="constrained"
    )
    for ax, (column, title) in zip(axes, COLUMNS.items(), strict=True):
        start = figures[BASE][column]["mean"]
        change = [figures[name][column]["mean"] - start for name in names]
        ax.barh(names, change, color=["C3" if value < 0 else "C0" for value in change])
        ax.axvline(0, color="k", linewidth=0.8)
        ax.set_title(title.replace(": ", ":\n"), fontsize=8)
        ax.tick_params(labelsize=8)
    figure.supxlabel("difference to the base")
    figure.savefig(path, dpi=90)
    plt.close(figure)


def main(arguments: Sequence[str] | None = None) -> dict[str, dict]:
    """Run the benchmark and return its figures."""
    parser = build_parser(__doc__)
    add_cache_argument(parser)
    parser.add_argument(
        "--share", type=float, help="share of the 90,000 objects per survey (default 0.1)"
    )
    parser.add_argument("--epochs", type=int, help="of pretraining (8)")
    options = parse(parser, arguments, "snpcc", "ztf_bts")
    use_templates(options)
    torch.set_num_threads(1)
    share, epochs, hidden_size = (0.002, 1, 8) if options.quick else (0.1, 8, 64)
    start = time.perf_counter()
    base = Recipe(
        share=share if options.share is None else options.share,
        epochs=epochs if options.epochs is None else options.epochs,
        hidden_size=hidden_size,
        redshift_weight=0.15,
    )
    recipes = build_recipes(base)
    if options.quick:  # one of each kind of training
        quick = (BASE, "input: as in the papers", "objective: adversarial", "no augmentation")
        recipes = {name: recipes[name] for name in quick}
    data = prepare(options)
    sizes = {name: len(part.y) for name, part in data.items()}
    print(f"objects to judge on: {sizes}; {time.perf_counter() - start:.0f} s", flush=True)
    figures, seconds = {}, {}
    for name, recipe in recipes.items():
        weights, metrics = pretrained(recipe, options.cache, options.n_jobs)
        seconds[name] = metrics["cpu_seconds"]
        figures[name] = summarise(judge(weights, data, range(options.seeds)))
        means = ", ".join(f"{c} {figures[name][c]['mean']:.3f}" for c in COLUMNS)
        print(f"[{len(figures)}/{len(recipes)}] {name}: {means}", flush=True)
    text = table(figures)
    print(f"\n{text}\n")

    def change(name: str) -> float:
        return figures[name]["snpcc"]["mean"] - figures[BASE]["snpcc"]["mean"]

    largest = max((name for name in figures if name != BASE), key=lambda name: abs(change(name)))
    line = (
        f"{NAME}: snpcc, {N_LABELS} labels, macro AUROC {figures[BASE]['snpcc']['mean']:.3f}; "
        f"what matters most: {largest} ({change(largest):+.3f})"
    )
    content = {
        "summary": line,
        "protocol": " ".join((__doc__ or "").split("\n\n", 2)[2].split()),
        "figures": figures,
        "n_objects": sizes,
        "merged_classes": {"snpcc": SNPCC, "ztf_bts": MERGED},
        "recipes": {name: asdict(recipe) for name, recipe in recipes.items()},
        "cpu_seconds": seconds,
        "markdown": text,
        "seconds": round(time.perf_counter() - start),
        "n_jobs": options.n_jobs,
    }
    print(f"\nwrote {write_results(options, NAME, content).name}")
    picture = results_path(options, NAME, ".png")
    plot(figures, picture)
    print(f"wrote {picture.name}\n{line}")
    return figures


if __name__ == "__main__":
    main()
