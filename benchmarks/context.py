"""Classify with and without what is known of an object beside its light curve.

    python benchmarks/context.py [--quick]

Whole light curves, and the same objects some days after their first detection (5 sigma), in real
alerts (``ztf_bts``, three classes, redshifts from spectra) and in simulations that no weights were
trained with (ZTF and LSST, twelve classes). The context is the redshift from a spectrum; a
photometric redshift with an error of 0.05 (1 + z); one that is wrong by three errors; or that of
another object, with the error of a right one. Others are E(B-V) alone, and the last non-detection
alone, from the light curves.

Without labels, the pretrained classes are used as they are, without class shares of the survey.
With labels of the real ones, `TransferClassifier` fits a head on frozen latents, with the same
context in training and test; a quarter of the objects is the test part. Figures are macro
one-vs-rest AUROC, and the share of objects whose most probable class is right, as a mean over
classes.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from _common import (
    MIN_POINTS,
    build_parser,
    draw_labels,
    markdown_table,
    merge_labels,
    parse,
    results_path,
    summarise,
    use_templates,
    write_results,
)
from joblib import Parallel, delayed
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from sklc import LightCurveEncoder, LightCurves, TransferClassifier, list_weights
from sklc.augment import Prefixes
from sklc.errors import LightCurveWarning
from sklc.simulate import TWELVE_CLASSES, simulate

NAME = "context"
WEIGHTS = "any"
MERGED = {
    "SNIa": ("SNIa", "SNIa-91bg", "SNIax"),
    "SNII": ("SNII", "SNIIn", "SNIIb"),
    "SNIb/c": ("SNIb/c", "SNIb", "SNIc", "SNIc-BL", "SNIbn"),
}
DAYS = (0.5, 3, 10, 20, 50)
WHOLE = "whole"
SIZES = (128, 512)
SEED = 5151  # of the simulations: no weights were trained with it
# Error of a photometric redshift, in units of 1 + z.
SIGMA = 0.05
PHOTOMETRIC = {"redshift": "told_z", "redshift_err": "told_z_err"}
CONTEXTS: dict[str, Any] = {
    "light curve alone": None,
    "redshift": {"redshift": "redshift"},
    "redshift, E(B-V), last non-detection": {
        "redshift": "redshift",
        "mwebv": "mwebv",
        "last_non_detection": True,
    },
    "E(B-V)": "mwebv",
    "last non-detection": {"last_non_detection": True},
    "photometric redshift": PHOTOMETRIC,
    "photometric redshift, 3 sigma off": PHOTOMETRIC,
    "redshift of another object": PHOTOMETRIC,
}
# With labels, only these.
LEARNED = ("light curve alone", "redshift", "photometric redshift")


# -- data


def load_real(folder) -> tuple[LightCurves, np.ndarray]:
    """Load the real supernovae."""
    with warnings.catch_warnings():  # of repeated observations, which are meant to go
        warnings.simplefilter("ignore", LightCurveWarning)
        curves = LightCurves.from_parquet(folder / "ztf_bts", invalid="drop", duplicates="drop")
    y = merge_labels(curves.metadata["class"], MERGED)
    kept = (y != "") & (curves.lengths >= MIN_POINTS)
    return curves[kept], y[kept]


def simulated(survey: str, n: int) -> tuple[LightCurves, np.ndarray]:
    """Simulate light curves as forced photometry from a month before the detections on."""
    options: dict[str, Any] = {"window": (-30.0, 100.0), "random_state": SEED}
    curves = simulate(dict.fromkeys(TWELVE_CLASSES, n), survey, **options)
    return curves, curves.metadata["class"].to_numpy(str)


def told(curves: LightCurves, context: str, seed: int) -> LightCurves:
    """Return the light curves with the photometric redshift that a context has."""
    rng, z = np.random.default_rng(seed), curves.metadata["redshift"].to_numpy(float)
    pull = rng.standard_normal(len(z))
    if "3 sigma" in context:
        pull = np.where(pull < 0, -3.0, 3.0)
    host = rng.permutation(z) if "another" in context else z
    photo_z = np.clip(host + SIGMA * pull * (1 + host), 0.003, 6)
    return curves.with_metadata(told_z=photo_z, told_z_err=SIGMA * (1 + photo_z))


def cuts_of(curves: LightCurves, days: Sequence[float]) -> dict[str, LightCurves]:
    """Return the light curves at the cuts, the whole last."""
    cuts = {}
    for d in days:
        end = Prefixes(share=1, shortest=d, longest=d, min_points=1, random_state=SEED)
        cuts[f"{d:g} d"] = end.fit_transform(curves)
    return cuts | {WHOLE: curves}


# -- measuring


def scores(y: np.ndarray, probabilities: np.ndarray, classes: np.ndarray) -> dict[str, float]:
    """Return AUROC and accuracy, both as means over classes."""
    known = probabilities / probabilities.sum(axis=1, keepdims=True)
    areas = [roc_auc_score(y == name, known[:, k]) for k, name in enumerate(classes)]
    right = balanced_accuracy_score(y, classes[known.argmax(axis=1)])
    return {"auroc": float(np.mean(areas)), "accuracy": float(right)}


def without_labels(
    encoder: LightCurveEncoder, curves: LightCurves, y: np.ndarray
) -> dict[str, float]:
    """Score the classes of the weights among those that there are."""
    model = TransferClassifier(encoder, finetune="none").fit(curves)
    names = merge_labels(model.classes_, MERGED) if "SNIb/c" in y else model.classes_
    classes, own = np.unique(y), model.predict_proba(curves)
    return scores(y, np.stack([own[:, names == name].sum(axis=1) for name in classes], 1), classes)


def with_labels(
    encoder: LightCurveEncoder, cuts: dict[str, LightCurves], y: np.ndarray, n: int, seed: int
) -> dict[str, dict[str, float]]:
    """Score a head on whole light curves and beginnings at every cut."""
    train, test = draw_labels(y, n, seed)
    model = TransferClassifier(encoder, random_state=seed).fit(cuts[WHOLE][train], y[train])
    return {
        cut: scores(y[test], model.predict_proba(own[test]), model.classes_)
        for cut, own in cuts.items()
    }


def measure(
    weights: str, curves: LightCurves, y: np.ndarray, sizes: Sequence[int], seeds: int, quick: bool
) -> dict[str, Any]:
    """Measure every context on one data set, by number of labels and cut."""
    results: dict[str, Any] = {}
    for name, context in CONTEXTS.items():
        warnings.simplefilter("ignore", LightCurveWarning)
        own = told(curves, name, SEED)
        cuts = cuts_of(own, DAYS[1:3] if quick else DAYS)
        encoder = LightCurveEncoder(weights, context=context, device="cpu")
        results[name] = {"0": {c: without_labels(encoder, part, y) for c, part in cuts.items()}}
        for n in sizes if name in LEARNED else ():
            draws = [with_labels(encoder, cuts, y, n, seed) for seed in range(seeds)]
            results[name][str(n)] = {c: summarise([draw[c] for draw in draws]) for c in cuts}
    return results


# -- showing


def mean(value: Any) -> float:
    return value["mean"] if isinstance(value, dict) else value


def table(figures: dict[str, Any], labels: str, score: str) -> str:
    """One data set and number of labels: a line for each context, a column for each cut."""
    cuts = list(next(iter(figures.values()))["0"])
    rows = [
        [name, *(f"{mean(row[labels][cut][score]):.3f}" for cut in cuts)]
        for name, row in figures.items()
        if labels in row
    ]
    return markdown_table([f"{labels} labels, {score}", *cuts], rows)


def markdown(figures: dict[str, Any], sizes: Sequence[int]) -> str:
    """Return the tables as they stand in docs/results.md."""
    return "\n\n".join(
        f"{name}\n\n{table(own, labels, score)}"
        for name, own in figures.items()
        for labels in ("0", *map(str, sizes))
        if labels in own["light curve alone"]
        for score in ("auroc", "accuracy")
    )


def summary(figures: dict[str, Any]) -> str:
    """One line: without labels, early and whole, with and without a redshift."""
    parts = []
    for name, own in figures.items():
        cuts = list(own["light curve alone"]["0"])
        shown = [cuts[0], cuts[-1]]
        texts = [
            f"{context} "
            + " / ".join(f"{mean(own[context]['0'][cut]['auroc']):.3f}" for cut in shown)
            for context in ("light curve alone", "redshift", "photometric redshift")
        ]
        parts.append(f"{name} ({' / '.join(shown)}): " + ", ".join(texts))
    return f"{NAME}: macro AUROC without labels, " + "; ".join(parts)


def draw(figures: dict[str, Any], path: Path) -> None:
    """Plot the AUROC without labels against the cut, one panel for each data set."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    size = (4.2 * len(figures) + 2.4, 3.8)
    figure, axes = plt.subplots(
        1, len(figures), figsize=size, sharey=True, layout="constrained", squeeze=False
    )
    for ax, (title, own) in zip(axes[0], figures.items(), strict=True):
        for name, row in own.items():
            cuts = list(row["0"])
            areas = [row["0"][cut]["auroc"] for cut in cuts]
            ax.plot(range(len(cuts)), areas, "o-", markersize=4, linewidth=1.2, label=name)
        ax.set_xticks(range(len(cuts)), [cut.removesuffix(" d") for cut in cuts])
        ax.set_xlabel("days since the first detection")
        ax.set_title(title, loc="left")
        ax.grid(axis="y", alpha=0.3)
    axes[0, 0].set_ylabel("macro one-vs-rest AUROC, no labels")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside right upper", fontsize=8)
    figure.savefig(path, dpi=130)
    plt.close(figure)


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Run the benchmark and return its figures."""
    parser = build_parser(__doc__, seeds=3)
    parser.add_argument("--weights", default=WEIGHTS, help="weights with an adapter (any)")
    options = parse(parser, arguments, "ztf_bts")
    use_templates(options)
    start = time.perf_counter()
    sizes = SIZES[:1] if options.quick else SIZES
    n = 12 if options.quick else 100
    real, y = load_real(options.data)
    if options.quick:
        real, y = real[::4], y[::4]
    data = {
        "ZTF, real": (real, y),
        **{f"{s.upper()}, simulated": simulated(s, n) for s in ("ztf", "lsst")},
    }
    job = delayed(partial(measure, options.weights))
    learned = {name: sizes if "real" in name else () for name in data}
    measured = Parallel(n_jobs=options.n_jobs)(
        job(*own, learned[name], options.seeds, options.quick) for name, own in data.items()
    )
    figures = dict(zip(data, measured, strict=True))
    text = markdown(figures, sizes)
    print(text)
    line = summary(figures)
    named = [options.weights] if options.weights in list_weights() else []
    content = {
        "summary": line,
        "markdown": text,
        "protocol": " ".join("\n\n".join((__doc__ or "").split("\n\n")[2:]).split()),
        "n_objects": {name: len(own[1]) for name, own in data.items()},
        "photometric_error": SIGMA,
        "figures": figures,
        "seconds": round(time.perf_counter() - start),
    }
    print(f"\nwrote {write_results(options, NAME, content, named).name}")
    picture = results_path(options, NAME, ".png")
    draw(figures, picture)
    print(f"wrote {picture.name}")
    print(line)
    return figures


if __name__ == "__main__":
    main()
