"""Measure how well surveys are aligned in latent spaces: the same events seen by four surveys.

    python benchmarks/alignment.py --data DIR [--n-jobs 2] [--quick]

Simulated: the same events of six classes, each as ZTF, LSST, PS1 and DES would have seen it, with
their own passbands, cadence and noise. The surveys watch the same positions at the same time, and
an event counts if all of them have `MIN_POINTS` observations above 3 sigma. So nothing but the
survey differs between the light curves of an event. Real: SNe Ia and II of ZTF (``ztf_bts``) and of
many telescopes before 2015 (``osc_mixed``), and SNe Ia of ZTF, PS1 (``ps1_mds_osc``) and five other
surveys (``snia_multi``). There, surveys also differ in their objects: redshift and selection.

Two numbers come from `sklc.inspection.survey_alignment`. The accuracy of a classifier that tells
the survey from the latent, in cross-validation with all light curves of an event in one fold, is
that of a logistic regression of the latents, or of 24 principal components and their products,
whichever finds more; chance means perfectly aligned. The distance of class centres between surveys
is in units of the spread of a class, beside that between classes within a survey. What alignment is
good for is measured as well: nearest neighbours that learned the classes from the other surveys,
against those that learned them from the survey itself, and the redshift likewise; events that are
scored are never among the neighbours.

Objectives are compared twice: pretrained here on the same light curves of ZTF and LSST by the same
recipe, once per seed, so that only the objective differs; and as the shipped weights, which differ
in size and training. A network with random weights, which was never trained, is beside them.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _common import (
    build_parser,
    cell,
    markdown_table,
    merge_labels,
    parse,
    results_path,
    summarise,
    use_templates,
    write_results,
)
from _same_events import SURVEYS, same_events
from _simulated import Recipe, add_cache_argument, load, pretrained
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.model_selection import GroupKFold
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from sklc import LightCurveEncoder, LightCurves, concatenate
from sklc.errors import LightCurveWarning
from sklc.inspection import LatentMapDisplay, SurveyAlignment, survey_alignment
from sklc.networks.architectures import NetworkShape
from sklc.networks.training.loop import seeded, wrap
from sklc.weights.file import load_weights
from sklc.weights.trained import TrainedWeights

NAME = "alignment"
WEIGHTS = ("any", "ztf+lsst", "ztf+lsst-contrastive", "ztf+lsst-adversarial")
OBJECTIVES = ("classifier", "contrastive", "adversarial")
RANDOM = "random weights"
N_EVENTS = 80  # of each class
MIN_POINTS = 6
MOST_REAL = 250  # objects of a class in a real survey, drawn at random
N_NEIGHBOURS = 15
N_COMPONENTS = 24
SEED = 2025  # of the simulation: no weights were trained with it
MERGED = {
    "SNIa": ("SNIa", "SNIa-91bg", "SNIax"),
    "SNII": ("SNII", "SNIIn", "SNIIb"),
}
SIMULATED, IA_II, IA = "simulated, same events", "real, Ia and II", "real, Ia"
MAPS = {"umap": "UMAP", "tsne": "t-SNE"}


@dataclass(frozen=True)
class Sample:
    """Light curves of several surveys, with the class and the event of each."""

    curves: LightCurves
    survey: np.ndarray
    y: np.ndarray
    event: np.ndarray

    @property
    def redshift(self) -> np.ndarray:
        return self.curves.metadata["redshift"].to_numpy(dtype=float)

    def counts(self) -> dict[str, dict[str, int]]:
        return {
            str(s): {str(c): int(np.sum((self.survey == s) & (self.y == c)))
                     for c in np.unique(self.y[self.survey == s])}
            for s in np.unique(self.survey)
        }  # fmt: skip


# -- light curves


def load_real(folder: Path, surveys: dict[str, str], classes: Sequence[str], most: int) -> Sample:
    """Load supernovae of some classes, at most so many of each class and survey.

    Parameters
    ----------
    folder : Path
    surveys : dict of str
        Names of data sets, with what all their objects count as, or "" for their own survey.
    classes : sequence of str
    most : int
    """
    rng = np.random.default_rng(SEED)
    parts, names, labels = [], [], []
    for data_set, label in surveys.items():
        curves = LightCurves.from_parquet(folder / data_set, invalid="drop", duplicates="drop")
        y = merge_labels(curves.metadata["class"], MERGED)
        survey = np.array([label or str(own) for own in curves.metadata["survey"]])
        good = np.isin(y, classes) & (curves.detections(3).lengths >= MIN_POINTS)
        for own, name in product(np.unique(survey), classes):
            rows = rng.permutation(np.flatnonzero(good & (survey == own) & (y == name)))[:most]
            if len(rows):
                parts.append(curves[rows])
                names += [own] * len(rows)
                labels += [name] * len(rows)
    return Sample(concatenate(parts), np.array(names), np.array(labels), np.arange(len(names)))


def samples(options) -> dict[str, Sample]:
    """Return all samples by name."""
    number = 25 if options.quick else N_EVENTS
    most = 40 if options.quick else MOST_REAL
    curves, survey, event = same_events(number, MIN_POINTS, SEED, options.n_jobs)
    y = curves.metadata["class"].to_numpy(dtype=str)
    real = partial(load_real, options.data, most=most)
    return {
        SIMULATED: Sample(curves, survey, y, event),
        IA_II: real({"ztf_bts": "ZTF", "osc_mixed": "before 2015"}, ("SNIa", "SNII")),
        IA: real({"ztf_bts": "ZTF", "ps1_mds_osc": "PS1 (MDS)", "snia_multi": ""}, ("SNIa",)),
    }


# -- latents


def random_network(seed: int) -> LightCurveEncoder:
    """Return an encoder of the size of the shipped weights that was never trained."""
    weights = load_weights("ztf+lsst")
    example = weights.build()
    with seeded(seed):
        shape = NetworkShape(weights.representation.channels, n_classes=2)
        network = example.architecture.build(shape)
    trained = TrainedWeights(wrap(network), weights.representation, np.array(["a", "b"]))
    return LightCurveEncoder(weights=trained, device="cpu")


# -- figures


def tell_survey(latents: np.ndarray, sample: Sample) -> SurveyAlignment:
    """Return the alignment with the accuracy of the better of two classifiers."""
    curved = make_pipeline(
        StandardScaler(),
        PCA(N_COMPONENTS, random_state=0),
        PolynomialFeatures(2, include_bias=False),
        StandardScaler(),
        LogisticRegression(C=0.02, max_iter=300),
    )
    found = [
        survey_alignment(
            latents, sample.survey, sample.y, groups=sample.event, classifier=classifier
        )
        for classifier in (None, curved)
    ]
    return max(found, key=lambda alignment: alignment.survey_accuracy)


def neighbours_across(latents: np.ndarray, sample: Sample) -> dict[str, float]:
    """Return how well neighbours in the other surveys, and in the same one, know the classes.

    For each object, the nearest neighbours are looked for among the light curves of other events,
    once in its own survey and once in all others; equally many are there to choose from.
    """
    y, survey, z = sample.y, sample.survey, sample.redshift
    classes, target = np.unique(y, return_inverse=True)
    votes = {kind: np.zeros((len(y), len(classes))) for kind in ("own", "others")}
    redshift = {kind: np.full(len(y), np.nan) for kind in votes}
    rng = np.random.default_rng(0)
    for train, test in GroupKFold(5, shuffle=True, random_state=0).split(y, groups=sample.event):
        for name in np.unique(survey):
            mine = test[survey[test] == name]
            own = train[survey[train] == name]
            # one light curve of each training event, of a survey drawn among the others
            others = rng.permutation(train[survey[train] != name])
            others = others[np.unique(sample.event[others], return_index=True)[1]]
            for kind, pool in (("own", own), ("others", others)):
                near = NearestNeighbors(n_neighbors=N_NEIGHBOURS).fit(latents[pool])
                found = pool[near.kneighbors(latents[mine], return_distance=False)]
                for k in range(len(classes)):
                    votes[kind][mine, k] = (target[found] == k).mean(axis=1)
                redshift[kind][mine] = np.median(z[found], axis=1)
    scores: dict[str, list[float]] = {
        f"{score}, {kind}": [] for score in ("AUROC", "redshift R2") for kind in votes
    }
    for kind in votes:
        for name in np.unique(survey):
            rows = survey == name
            scores[f"AUROC, {kind}"].append(
                roc_auc_score(target[rows], votes[kind][rows], multi_class="ovr")
            )
            scores[f"redshift R2, {kind}"].append(
                r2_score(np.log1p(z[rows]), np.log1p(redshift[kind][rows]))
            )
    return {name: float(np.mean(values)) for name, values in scores.items()}


def figures_of(latents: np.ndarray, name: str, sample: Sample) -> dict[str, float]:
    found = tell_survey(latents, sample)
    scores = {
        "survey accuracy": found.survey_accuracy,
        "distance of surveys": found.center_distance,
    }
    if len(np.unique(sample.y)) > 1:
        scores["distance of classes"] = found.class_distance
        scores["ratio"] = found.center_distance / found.class_distance
    return scores | (neighbours_across(latents, sample) if name == SIMULATED else {})


def rows_of(options) -> dict[str, list[Any]]:
    """Return, by name, what makes latents of light curves; one for each repeat."""
    base = Recipe(share=0.04, epochs=10)
    if options.quick:
        base = replace(base, share=0.002, epochs=1, hidden_size=8)
    rows: dict[str, list[Any]] = {
        RANDOM: [random_network(seed).transform for seed in range(options.seeds)],
    }
    for objective in OBJECTIVES:
        paths = [
            pretrained(replace(base, objective=objective, seed=seed), options.cache, options.n_jobs)
            for seed in range(options.seeds)
        ]
        rows[f"pretrained here, {objective}"] = [load(path).transform for path, _ in paths]
    for name in WEIGHTS:
        rows[name] = [LightCurveEncoder(name, device="cpu").transform]
    return rows


def measure(options, data: dict[str, Sample]) -> tuple[dict, dict[str, np.ndarray]]:
    """Measure every row on every sample; also return latents of the first sample to draw."""
    figures: dict[str, dict[str, Any]] = {}
    pictured: dict[str, np.ndarray] = {}
    for row, encoders in rows_of(options).items():
        figures[row] = {}
        for name, sample in data.items():
            start, draws = time.perf_counter(), []
            for encode in encoders:
                latents = np.asarray(encode(sample.curves), dtype=np.float64)
                draws.append(figures_of(latents, name, sample))
                if name == SIMULATED and row in WEIGHTS:
                    pictured[row] = latents
            figures[row][name] = summarise(draws)
            line = ", ".join(f"{k} {v['mean']:.3f}" for k, v in figures[row][name].items())
            print(f"{row}, {name}: {line} ({time.perf_counter() - start:.0f} s)", flush=True)
    return figures, pictured


# -- showing


def markdown(figures: dict[str, dict[str, Any]], chances: dict[str, float]) -> str:
    """Return a table for each sample."""
    texts = []
    for name, chance in chances.items():
        columns = list(next(iter(figures.values()))[name])
        lines = [
            [
                f"`{row}`" if row in WEIGHTS else row,
                *(
                    cell(found[name][c]) if len(found[name][c]["values"]) > 1
                    else f"{found[name][c]['mean']:.3f}" for c in columns
                ),
            ]
            for row, found in figures.items()
        ]  # fmt: skip
        title = f"{name[0].upper()}{name[1:]} (chance to tell the survey: {chance:.3f}):"
        texts.append(f"{title}\n\n{markdown_table(['latents', *columns], lines)}")
    return "\n\n".join(texts).replace(
        "(chance to tell the survey: 0.", "(chance to tell the survey: ."
    )


def map_of(latents: np.ndarray, method: str) -> np.ndarray:
    """Return a map on two dimensions."""
    import matplotlib.pyplot as plt

    display = LatentMapDisplay.from_latents(latents, method=method)
    plt.close(display.figure_)
    return display.coordinates


def map_method() -> str:
    """Return UMAP where umap-learn is installed, else t-SNE."""
    try:
        import umap  # noqa: F401
    except ImportError:
        return "tsne"
    return "umap"


def plot(pictured: dict[str, np.ndarray], sample: Sample, figures: dict, path: Path) -> None:
    """Draw maps, coloured by survey and by class."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    method = map_method()
    title = MAPS[method]
    drawn = np.random.default_rng(0).permutation(len(sample.y))[:3200]
    figure, axes = plt.subplots(
        2, len(pictured), figsize=(4.1 * len(pictured), 8.6), layout="constrained", squeeze=False
    )
    for column, (name, latents) in enumerate(pictured.items()):
        coordinates = map_of(latents[drawn], method)
        for row, labels in enumerate((sample.survey[drawn], sample.y[drawn])):
            ax = axes[row, column]
            LatentMapDisplay(coordinates, labels).plot(ax, s=6, alpha=0.6)
            ax.legend_.remove()
            ax.set(xticks=[], yticks=[])
        found = figures[name][SIMULATED]
        axes[0, column].set_title(
            f"{name}\nsurvey told: {found['survey accuracy']['mean']:.0%}, distance of surveys / "
            f"classes: {found['ratio']['mean']:.2f}",
            fontsize=10,
        )
    for row, what in enumerate(("survey", "class")):
        axes[row, 0].set_ylabel(f"{title}, coloured by {what}")
        handles, labels = axes[row, 0].get_legend_handles_labels()
        labels = [label.partition(" (")[0] for label in labels]
        legend = axes[row, -1].legend(
            handles, labels, title=what, loc="center left", bbox_to_anchor=(1.02, 0.5)
        )
        for handle in legend.legend_handles:
            handle.set(alpha=1, sizes=[40])
    figure.suptitle(
        f"The same simulated events as {', '.join(SURVEYS)} see them, in the latent spaces of "
        "pretrained weights"
    )
    figure.savefig(path, dpi=110)
    plt.close(figure)


def main(arguments: Sequence[str] | None = None) -> dict[str, dict[str, Any]]:
    """Run the benchmark and return its figures."""
    parser = build_parser(__doc__, seeds=3)
    add_cache_argument(parser)
    options = parse(parser, arguments, "ztf_bts", "osc_mixed", "ps1_mds_osc", "snia_multi")
    use_templates(options)
    torch.set_num_threads(1)
    start = time.perf_counter()
    with warnings.catch_warnings():
        # Passbands outside the trained range are part of the question; and so is a class that
        # only one of two real surveys has.
        warnings.simplefilter("ignore", LightCurveWarning)
        data = samples(options)
        for name, sample in data.items():
            print(f"{name}: {sample.counts()}", flush=True)
        figures, pictured = measure(options, data)
    chances = {
        name: len(np.unique(s.y)) / len(np.unique(np.char.add(s.survey, s.y)))
        for name, s in data.items()
    }
    tables = markdown(figures, chances)
    print(f"\n{tables}\n")

    def found(row: str, score: str) -> str:
        return f"{figures[row][SIMULATED][score]['mean']:.3f}"

    line = (
        f"{NAME}: the survey of the same event is told with an accuracy of "
        + ", ".join(f"{found(name, 'survey accuracy')} ({name})" for name in WEIGHTS)
        + f"; chance {chances[SIMULATED]:.3f}; distance of surveys to that of classes "
        + " / ".join(found(name, "ratio") for name in WEIGHTS)
    )
    content = {
        "summary": line,
        "protocol": " ".join((__doc__ or "").split("\n\n", 2)[2].split()),
        "figures": figures,
        "chance": chances,
        "n_objects": {name: sample.counts() for name, sample in data.items()},
        "simulation_seed": SEED,
        "map": MAPS[map_method()],
        "markdown": tables,
        "seconds": round(time.perf_counter() - start),
        "n_jobs": options.n_jobs,
    }
    print(f"wrote {write_results(options, NAME, content, WEIGHTS).name}", flush=True)
    picture = results_path(options, NAME, ".png")
    plot(pictured, data[SIMULATED], figures, picture)
    print(f"wrote {picture.name}\n{line}")
    return figures


if __name__ == "__main__":
    main()
