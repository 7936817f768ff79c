"""Compare weights on surveys and objects unlike ZTF's supernovae: real ones, and LSST over years.

    python benchmarks/any_survey.py [--quick]

Real: ``ztf_bts`` (alerts), ``osc_mixed`` (many telescopes, UBVRI and others), ``atlas_zfp_dev``
(forced photometry of ATLAS and ZTF over years; the objects are also in other sets, so it is never
used for training), with the three classes Ia, II and Ib/c. Simulated: twelve classes as LSST sees
them in ten years, whole, and cut at 5 sigma by the user. Non-supernovae: see ``contaminants.py``.

Without labels, the pretrained classes are used as they are, without class shares of the survey.
With labels, `TransferClassifier` fits a head on frozen latents; a quarter of the objects is the
test part. Figures are macro one-vs-rest AUROC. Latents: idle units, and the mean squared error of
redshifts of ``ztf_bts`` by ``make_pipeline(StandardScaler(), Ridge())``.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from _common import (
    MIN_POINTS,
    build_parser,
    cell,
    classification_scores,
    draw_labels,
    markdown_table,
    merge_labels,
    parse,
    summarise,
    use_templates,
    write_results,
)
from joblib import Parallel, delayed
from sklearn.linear_model import Ridge
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklc import InputRepresentation, LightCurveEncoder, LightCurves, TransferClassifier
from sklc.errors import LightCurveWarning
from sklc.simulate import TWELVE_CLASSES, simulate

NAME = "any_survey"
WEIGHTS = ("any", "ztf+lsst", "ztf+lsst-contrastive", "ztf+lsst-adversarial")
MERGED = {
    "SNIa": ("SNIa", "SNIa-91bg", "SNIax"),
    "SNII": ("SNII", "SNIIn", "SNIIb"),
    "SNIb/c": ("SNIb/c", "SNIb", "SNIc", "SNIc-BL", "SNIbn"),
}
REAL = ("ztf_bts", "osc_mixed", "atlas_zfp_dev")
SIZES: dict[str, tuple[int | None, ...]] = {
    "ztf_bts": (64, 512, None),
    "osc_mixed": (64, None),
    "atlas_zfp_dev": (64, None),
    "LSST, ten years": (128, 512, None),
}
SEED = 4242  # of the simulation: no weights were trained with it


def load(folder, name: str) -> tuple[LightCurves, np.ndarray]:
    """Load the real supernovae of a data set."""
    curves = LightCurves.from_parquet(folder / name, invalid="drop", duplicates="drop")
    y = merge_labels(curves.metadata["class"], MERGED)
    kept = (y != "") & (curves.lengths >= MIN_POINTS)
    return curves[kept], y[kept]


def without_labels(weights: str, curves: LightCurves, y: np.ndarray) -> float:
    """Return the AUROC of the pretrained classes among those that there are."""
    model = TransferClassifier.pretrained(weights)
    names = merge_labels(model.classes_, MERGED) if "SNIb/c" in y else model.classes_
    probabilities = model.predict_proba(curves)
    classes = np.unique(y)
    joined = np.stack([probabilities[:, names == name].sum(axis=1) for name in classes], axis=1)
    joined /= joined.sum(axis=1, keepdims=True)
    return float(classification_scores(y, joined, classes)["auroc"])


def with_labels(
    weights: str, curves: LightCurves, y: np.ndarray, n_labels: int | None, seed: int
) -> dict[str, float]:
    """Score a head on the latents, on one draw of labels."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", LightCurveWarning)
    train, test = draw_labels(y, n_labels, seed)
    model = TransferClassifier(weights, device="cpu", random_state=seed, verbose=0)
    probabilities = model.fit(curves[train], y[train]).predict_proba(curves[test])
    return {"auroc": roc_auc_score(y[test], probabilities, multi_class="ovr")}


def latents(weights: str, curves: LightCurves) -> dict[str, float]:
    """Return the share of idle units, and the error of redshifts by what users write first."""
    latent = LightCurveEncoder(weights).transform(curves)
    z = curves.metadata["redshift"].to_numpy(dtype=float)
    train, test = draw_labels(np.zeros(len(z)), None, 0)
    model = make_pipeline(StandardScaler(), Ridge()).fit(latent[train], z[train])
    return {
        "idle units": int((latent.std(axis=0) < 1e-6).sum()),
        "redshift MSE x 1000": round(
            1e3 * np.mean((model.predict(latent[test]) - z[test]) ** 2), 3
        ),
    }


def measure(options) -> dict[str, dict[str, Any]]:
    """Measure all weights on all data sets."""
    warnings.simplefilter("ignore", LightCurveWarning)
    sets = {name: load(options.data, name) for name in REAL}
    lsst = simulate(6 if options.quick else 120, "lsst", TWELVE_CLASSES, window=None,
                    random_state=SEED)  # fmt: skip
    sets["LSST, ten years"] = (lsst, lsst.metadata["class"].to_numpy(dtype=str))
    every = 8 if options.quick else 1

    cut = replace(InputRepresentation.preset("relative"), min_snr=5.0).shown(lsst)
    figures: dict[str, dict[str, Any]] = {}
    for weights in WEIGHTS:
        row: dict[str, Any] = {}
        for name, (curves, y) in sets.items():
            row[f"{name}, 0"] = round(without_labels(weights, curves, y), 4)
        row["LSST, cut at 5 sigma, 0"] = round(
            without_labels(weights, cut, sets["LSST, ten years"][1]), 4
        )
        row |= latents(weights, sets["ztf_bts"][0][::every])
        for name, sizes in SIZES.items():
            for n_labels in sizes[:1] if options.quick else sizes:
                job = partial(with_labels, weights, *sets[name], n_labels)
                if options.quick and n_labels and n_labels > len(sets[name][1]) // 2:
                    continue
                draws = Parallel(n_jobs=options.n_jobs)(
                    delayed(job)(seed) for seed in range(options.seeds)
                )
                row[f"{name}, {n_labels or 'all'}"] = summarise(draws)["auroc"]
        figures[weights] = row
        print(weights, row, flush=True)
    return figures


def markdown(figures: dict[str, dict[str, Any]]) -> str:
    """Return the tables: without labels, with labels, and the latents."""

    def text(value: Any) -> str:
        if isinstance(value, dict):
            return cell(value)
        return f"{value:.3f}" if isinstance(value, float) else str(value)

    def table(caption: str, columns: Sequence[str]) -> str:
        rows = [[f"`{name}`", *(text(row[c]) for c in columns)] for name, row in figures.items()]
        return f"{caption}\n\n{markdown_table(['weights', *columns], rows)}"

    first = next(iter(figures.values()))
    zero = [c for c in first if c.endswith(", 0")]
    some = [c for c in first if isinstance(first[c], dict)]
    rest = [c for c in first if c not in {*zero, *some}]
    return "\n\n".join([
        table("AUROC without labels:", zero),
        table("AUROC with labels, a head on frozen latents:", some),
        table("Latents of `ztf_bts`:", rest),
    ])  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> dict:
    """Measure, print and write the results."""
    options = parse(build_parser(__doc__), arguments, *REAL)
    use_templates(options)
    figures = measure(options)
    tables = markdown(figures)
    print(f"\n{tables}")
    content = {"figures": figures, "simulation_seed": SEED, "markdown": tables}
    print(f"wrote {write_results(options, NAME, content, WEIGHTS)}")
    return figures


if __name__ == "__main__":
    main()
