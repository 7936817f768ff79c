"""Find the rare classes among real supernovae, having seen only the common ones.

    python benchmarks/anomalies_real.py --data DIR

Objects of ``ztf_bts`` with at least six points. Normal are SNe Ia, II and Ib/c (with IIb);
anomalous is every rarer class. A repeat draws a stratified quarter of the normal objects, which is
scored together with all anomalies; the rest of the normal objects, or 512 of them, is what the
methods learn from. In the second table nobody has labelled anything, and the training data are
contaminated: half of the anomalies, at the share that they have in the survey, are among them, and
only the other half is scored. Nothing was chosen by these figures.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _common import (
    MIN_POINTS,
    build_parser,
    cell,
    draw_labels,
    markdown_table,
    merge_labels,
    parse,
    results_path,
    summarise,
    write_results,
)
from joblib import Parallel, delayed, parallel_config
from sklearn.decomposition import PCA
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from sklc import (
    LatentIsolationForest,
    LightCurveFeatures,
    LightCurves,
    TransferClassifier,
)
from sklc.baselines import feature_outlier_detector

NAME = "anomalies_real"
NORMAL = {"SNIa": ("SNIa",), "SNII": ("SNII",), "SNIb/c": ("SNIb/c", "SNIIb")}
# Published types that say that nobody is sure.
NOT_KNOWN = ("unknown",)
SIZES: tuple[int | None, ...] = (512, None)
TOP = 0.05
# Published, by another selection of objects and anomalies (38 of 3,785): AUROC with 512 and all.
QUOTED = {
    "quoted: Gupta+25b, no pretraining": ("0.498", "0.527"),
    "quoted: Gupta+25b, classifier, ZTF": ("0.605", "0.596"),
    "quoted: Gupta+25b, classifier, ZTF + LSST": ("0.622", "0.616"),
}
OURS = "LatentIsolationForest"

# Anomaly scores of X, having been fitted on X and y (None: not known).
Scorer = Callable[[Any, Any, Any], np.ndarray]


@dataclass(frozen=True)
class Row:
    """One method of the table.

    Parameters
    ----------
    inputs : {"features", "curves"}
        What it reads.
    model : callable
        Returns an unfitted estimator, given a seed.
    needs_labels : bool
        Whether there is no such method without the classes of the normal objects.
    """

    inputs: str
    model: Callable[[int], Any]
    needs_labels: bool = False


class LargestProbability:
    """One minus the largest class probability of a classifier, as an anomaly score."""

    def __init__(self, classifier: Any) -> None:
        self.classifier = classifier

    def fit(self, X, y):
        self.classifier.fit(X, y)
        return self

    def score_samples(self, X):
        return self.classifier.predict_proba(X).max(axis=1)


# -- methods


def on_features(n_components: float, detector: Any) -> Pipeline:
    """Baselines on scaled and whitened features, with the best settings on simulations."""
    whitening = PCA(n_components=n_components, whiten=True)
    imputer = feature_outlier_detector()["imputer"]
    return make_pipeline(imputer, StandardScaler(), whitening, detector)


def latent_forest(seed: int, quick: bool, **params: Any) -> LatentIsolationForest:
    if quick:
        params = {**params, "max_epochs": 1}
    return LatentIsolationForest("ztf+lsst", device="cpu", random_state=seed, verbose=0, **params)


def largest_probability(seed: int) -> LargestProbability:
    classifier = TransferClassifier(
        "ztf+lsst", features=None, device="cpu", random_state=seed, verbose=0
    )
    return LargestProbability(classifier)


def build_rows(quick: bool) -> dict[str, Row]:
    """Return the methods by name, in the order of the table."""
    forest = partial(partial, latent_forest, quick=quick)
    published = {"n_components": None, "rare_class_weight": 0.0}
    return {
        "features, isolation forest": Row(
            "features", lambda seed: feature_outlier_detector(random_state=seed)[1:]
        ),
        "features, whitened, isolation forest": Row(
            "features",
            lambda seed: on_features(30, feature_outlier_detector(random_state=seed)["detector"]),
        ),
        "features, local outlier factor": Row(
            "features",
            lambda seed: on_features(0.95, LocalOutlierFactor(n_neighbors=50, novelty=True)),
        ),
        "1 - largest class probability": Row("curves", largest_probability, needs_labels=True),
        "latents, one forest": Row("curves", forest(**published)),
        "latents, a forest per class": Row(
            "curves", forest(per_class=True, **published), needs_labels=True
        ),
        f"{OURS}, rare_class_weight=0": Row("curves", forest(rare_class_weight=0.0)),
        f"{OURS}, per_class": Row("curves", forest(per_class=True), needs_labels=True),
        f"{OURS}, fine-tuned": Row("curves", forest(finetune="all"), needs_labels=True),
        OURS: Row("curves", forest()),
    }


# -- data


@dataclass(frozen=True)
class Data:
    """Objects in both forms, and what they are."""

    inputs: dict[str, Any]
    label: np.ndarray
    y: np.ndarray  # "" for anomalies

    @property
    def anomalies(self) -> np.ndarray:
        return np.flatnonzero(self.y == "")


def load(folder: Path, every: int = 1) -> Data:
    """Load the objects, or one of `every` so many, with their features."""
    curves = LightCurves.from_parquet(folder / "ztf_bts")
    label = np.asarray(curves.metadata["class"], dtype=str)
    kept = ~np.isin(label, NOT_KNOWN) & (curves.lengths >= MIN_POINTS)
    curves, label = curves[kept][::every], label[kept][::every]
    inputs = {"curves": curves, "features": LightCurveFeatures().fit_transform(curves)}
    return Data(inputs, label, merge_labels(label, NORMAL))


def split(
    data: Data, n_normal: int | None, seed: int, *, contaminated: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Positions to learn from and to score, the scored ones normal first."""
    normal, anomalies = np.flatnonzero(data.y != ""), data.anomalies
    train, test = (normal[part] for part in draw_labels(data.y[normal], n_normal, seed))
    if not contaminated:
        return train, np.concatenate([test, anomalies])
    anomalies = np.random.default_rng(seed).permutation(anomalies)
    half = len(anomalies) // 2
    share = len(anomalies) / len(data.y)
    n_hidden = min(half, round(len(train) * share / (1 - share)))
    return (
        np.concatenate([train, anomalies[:n_hidden]]),
        np.concatenate([test, anomalies[half:]]),
    )


# -- measuring


def anomaly_scores(is_anomaly: np.ndarray, scores: np.ndarray) -> dict[str, float]:
    """AUROC, average precision, and share of the anomalies in the top 5 % of what is scored."""
    top = np.argsort(-scores, kind="stable")[: round(TOP * len(scores))]
    return {
        "auroc": float(roc_auc_score(is_anomaly, scores)),
        "average precision": float(average_precision_score(is_anomaly, scores)),
        "recall in the top 5 %": float(is_anomaly[top].sum() / is_anomaly.sum()),
    }


def measure(
    data: Data, rows: dict[str, Row], n_normal: int | None, contaminated: bool, seed: int
) -> dict[str, dict[str, float]]:
    """Score every method that there is on one draw."""
    torch.set_num_threads(1)
    train, test = split(data, n_normal, seed, contaminated=contaminated)
    is_anomaly = data.y[test] == ""
    results = {}
    with threadpool_limits(1):
        for name, row in rows.items():
            if contaminated and row.needs_labels:
                continue
            start = time.perf_counter()
            X, y = data.inputs[row.inputs], None if contaminated else data.y[train]
            model = row.model(seed).fit(X[train], y)
            scores = -model.score_samples(X[test])
            results[name] = anomaly_scores(is_anomaly, scores)
            if not contaminated:
                for rare in np.unique(data.label[data.anomalies]):
                    those = ~is_anomaly | (data.label[test] == rare)
                    auroc = roc_auc_score(is_anomaly[those], scores[those])
                    results[name][f"auroc {rare}"] = float(auroc)
            results[name]["seconds"] = time.perf_counter() - start
    return results


def measure_all(data: Data, rows: dict[str, Row], seeds: Sequence[int], n_jobs: int) -> dict:
    """Return figures by table, method and number of normal objects; prints progress."""
    draws = [(n, mixed, seed) for mixed in (False, True) for n in SIZES[::-1] for seed in seeds]

    def job(n_normal, contaminated, seed):
        return measure(data, rows, n_normal, contaminated, seed)

    with parallel_config(backend="loky", inner_max_num_threads=1):
        results = {}
        parallel = Parallel(n_jobs=n_jobs, return_as="generator")
        for drawn, scores in zip(draws, parallel(delayed(job)(*d) for d in draws), strict=True):
            results[drawn] = scores
            print(f"[{len(results)}/{len(draws)}] {column_name(drawn[0])}, {drawn[1:]}", flush=True)
    return {
        title: {
            name: {
                column_name(n): summarise([results[n, contaminated, seed][name] for seed in seeds])
                for n in SIZES
            }
            for name in results[SIZES[0], contaminated, seeds[0]]
        }
        for title, contaminated in (("clean", False), ("contaminated", True))
    }


def column_name(n_normal: int | None) -> str:
    return "all" if n_normal is None else str(n_normal)


# -- showing


def markdown(figures: dict, n_anomalies: dict[str, int]) -> str:
    """Tables for the page of results."""
    scores = ("auroc", "average precision", "recall in the top 5 %")
    header = ["learned from normal objects", "AUROC, 512", "AUROC, all", "average precision, all"]
    rows = [
        [name, cell(row["512"]["auroc"]), *(cell(row["all"][score]) for score in scores)]
        for name, row in figures["clean"].items()
    ]
    rows += [[f"*{name}*", *values, "–", "–"] for name, values in QUOTED.items()]
    parts = [markdown_table([*header, "recall in the top 5 %, all"], rows)]
    header = ["contaminated, without labels", "AUROC, 512", "AUROC, all", "average precision, all"]
    rows = [
        [name, *(cell(row[n]["auroc"]) for n in ("512", "all"))]
        + [cell(row["all"]["average precision"])]
        for name, row in figures["contaminated"].items()
    ]
    parts.append(markdown_table(header, rows))
    header = ["AUROC by class, all", *(f"{name} ({n})" for name, n in n_anomalies.items())]
    rows = [
        [name, *(f"{row['all'][f'auroc {rare}']['mean']:.2f}" for rare in n_anomalies)]
        for name, row in figures["clean"].items()
    ]
    parts.append(markdown_table(header, rows))
    return "\n\n".join(parts)


def draw(figures: dict, n_anomalies: dict[str, int], path: Path) -> None:
    """Plot the AUROC of each anomalous class, for a few of the methods."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    shown = ["features, isolation forest", "latents, one forest", f"{OURS}, rare_class_weight=0"]
    shown += [OURS]
    columns = {"all": "auroc"} | {f"{k} ({n})": f"auroc {k}" for k, n in n_anomalies.items()}
    figure, ax = plt.subplots(figsize=(10, 4.5), layout="constrained")
    for number, name in enumerate(shown):
        row = figures["clean"][name]["all"]
        ax.bar(
            np.arange(len(columns)) + (number - 1.5) * 0.2,
            [row[column]["mean"] for column in columns.values()],
            0.2,
            yerr=[row[column]["sd"] for column in columns.values()],
            label=name,
        )
    ax.set_xticks(range(len(columns)), columns, rotation=30, ha="right")
    ax.axhline(0.5, color="k", linewidth=0.8)
    ax.set_ylabel("AUROC against normal objects")
    ax.set_title("Real ZTF transients: rare classes, none of them in training", loc="left")
    figure.legend(loc="outside lower center", ncols=2, fontsize=8)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def main(arguments: Sequence[str] | None = None) -> dict:
    """Run the benchmark and return its figures."""
    options = parse(build_parser(__doc__), arguments, "ztf_bts")
    start = time.perf_counter()
    data = load(options.data, 3 if options.quick else 1)
    names, counts = np.unique(data.label[data.anomalies], return_counts=True)
    order = np.argsort(-counts, kind="stable")
    n_anomalies = {str(names[k]): int(counts[k]) for k in order}
    n_normal = {name: int(np.sum(data.y == name)) for name in NORMAL}
    print(f"normal {n_normal}; anomalies {n_anomalies}", flush=True)
    rows = build_rows(options.quick)
    if options.quick:  # without those that take longest
        del rows[f"{OURS}, fine-tuned"], rows["1 - largest class probability"]
    figures = measure_all(data, rows, range(options.seeds), options.n_jobs)
    tables = markdown(figures, n_anomalies)
    best = figures["clean"]
    line = (
        f"{NAME}: rare classes of ztf_bts, AUROC with all normal objects ({options.seeds} seeds): "
        f"{OURS} {cell(best[OURS]['all']['auroc'])}, its forest alone "
        f"{cell(best[f'{OURS}, rare_class_weight=0']['all']['auroc'])}, one forest on latents "
        f"{cell(best['latents, one forest']['all']['auroc'])}, on features "
        f"{cell(best['features, isolation forest']['all']['auroc'])}"
    )
    content = {
        "summary": line,
        "protocol": " ".join((__doc__ or "").split("\n\n")[2].split()),
        "normal": n_normal,
        "anomalies": n_anomalies,
        "settings": {name: str(row.model(0)) for name, row in rows.items()},
        "figures": figures,
        "quoted": QUOTED,
        "seconds": round(time.perf_counter() - start),
        "n_jobs": options.n_jobs,
        "markdown": tables,
    }
    print(f"\n{tables}\n\nwrote {write_results(options, NAME, content, ['ztf+lsst']).name}")
    picture = results_path(options, NAME, ".png")
    draw(figures, n_anomalies, picture)
    print(f"wrote {picture.name}")
    print(line)
    return figures


if __name__ == "__main__":
    main()
