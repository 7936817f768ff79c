"""Measure what is said of objects that are no supernovae, or of no class at all.

    python benchmarks/contaminants.py [--quick]

Supernova probability: the summed probability of the classes of supernovae, without labels. On newly
simulated alert histories of ZTF (the last 30 days before a detection drawn at random, detections
alone, every class alike), it is compared with the true share of supernovae, by number of
detections, with equal class shares and with those of the weights. Simulated objects count as their
class is expected to. On the real histories of ``ztf_alerts_fink``, the share given more than .9 of
known non-supernovae, and of supernovae; nothing is chosen on these.

Novelty: AUROC of `novelty_score` for light curves of no class of the weights against those of all
classes, simulated for ZTF and LSST: rare classes that the score was not calibrated on (a third is
left out in turn), and altered light curves. Reliability is the mean score and the true share of
unknown objects, where half are unknown. Real: rarer types of ``ztf_bts`` against Ia, II, Ib/c.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from _common import (
    MERGED,
    build_parser,
    markdown_table,
    parse,
    use_templates,
    write_results,
)
from sklearn.metrics import log_loss, roc_auc_score

from sklc import LightCurveEncoder, LightCurves, TransferClassifier
from sklc.augment.arrays import log_uniform, thinned
from sklc.augment.unknowns import make_unknown
from sklc.errors import LightCurveWarning
from sklc.pretrain import add_novelty
from sklc.simulate import simulate
from sklc.utils.offsets import per_observation

NAME = "contaminants"
WEIGHTS = ("ztf+lsst", "any")
SEED = 4242  # of the simulation: no weights were trained with it
CONTAMINANTS = (
    "AGN", "CV", "TDE", "asteroid", "galaxy", "nova", "other", "star or other", "variable star",
)  # fmt: skip
RARE = ("Ca-rich", "SLSN-II", "SNIbn", "SNIa-CSM", "PISN", "ILOT")
SURVEYS = ("ztf", "lsst")
# Fewest and most detections of a group of alert histories.
GROUPS = {"1": (1, 1), "2-3": (2, 3), "4-6": (4, 6), "7 or more": (7, 10**6)}
BINS = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)


def is_supernova(classes: Sequence[Any]) -> np.ndarray:
    """Say which classes are supernovae."""
    return np.array([str(name).startswith(("SN", "SLSN")) for name in classes])


def alert_histories(curves: LightCurves, rng: np.random.Generator, days: float = 30.0):
    """Return what alerts hold of each object: detections until one drawn at random, some lost."""
    store = curves._compact()
    detected = np.abs(store.flux) >= 5 * store.flux_err
    detected &= thinned(store, log_uniform(rng, 0.25, 1, len(curves)), rng, whole_nights=True)
    store = store.keep(detected)
    found = np.flatnonzero(store.lengths)
    store = store.compact(found)
    last = store.offsets[:-1] + (rng.random(len(found)) * store.lengths).astype(np.int64)
    end = per_observation(store.time[last], store.offsets)
    kept = (store.time <= end) & (store.time >= end - days)
    return LightCurves._from_store(store.keep(kept))


def reliability(score: np.ndarray, truth: np.ndarray, weight: np.ndarray) -> list[list[float]]:
    """Return mean score, true share and number of objects in bins of the score."""
    rows = []
    for low, high in pairwise(BINS):
        own = (score >= low) & ((score < high) | (high == 1))
        if weight[own].sum() > 0:
            means = (np.average(values[own], weights=weight[own]) for values in (score, truth))
            rows.append([*(round(float(m), 3) for m in means), int(own.sum())])
    return rows


def balanced(classes: np.ndarray, shares: dict[str, float] | None = None) -> np.ndarray:
    """Return weights with which each class counts as its share says; 1 where it says nothing."""
    names, code, count = np.unique(classes, return_inverse=True, return_counts=True)
    share = np.array([(shares or {}).get(name, 1.0) for name in names])
    return share[code] / count[code]


def supernova_probability(weights: str, histories: LightCurves, prior: str | None) -> dict:
    """Measure how far probabilities of supernovae are true for alert histories."""
    model = TransferClassifier.pretrained(weights, class_prior=prior)
    y = histories.metadata["class"].to_numpy(dtype=str)
    known = np.isin(y, model.classes_)
    histories, y = histories[known], y[known]
    score = model.predict_proba(histories)[:, is_supernova(model.classes_)].sum(axis=1)
    truth, n = is_supernova(y), histories.lengths
    shares = model.encoder_._source().info.get("class_shares") if prior is None else None
    weight = balanced(y, shares)
    figures: dict[str, Any] = {
        "auroc": round(roc_auc_score(truth, score, sample_weight=weight), 4),
        "log loss": round(log_loss(truth, score, sample_weight=weight), 4),
        "reliability": reliability(score, truth, weight),
    }
    for name, (low, high) in GROUPS.items():
        own = (n >= low) & (n <= high)
        sure = score > 0.9
        figures[f"{name} detections"] = {
            "supernovae above .9": share(sure, own & truth, weight),
            "others above .9": share(sure, own & ~truth, weight),
            "reliability": reliability(score[own], truth[own], weight[own]),
        }
    return figures


def share(chosen: np.ndarray, among: np.ndarray, weight: np.ndarray) -> float | None:
    """Return the weighted share of `chosen` objects, None among none."""
    if not weight[among].sum():
        return None
    return round(float(np.average(chosen[among], weights=weight[among])), 4)


def real_contaminants(weights: str, curves: LightCurves, prior: str | None) -> dict[str, float]:
    """Return shares of real objects that are given more than .9 for supernovae together."""
    label = curves.metadata["class"].astype(str).to_numpy()
    model = TransferClassifier.pretrained(weights, class_prior=prior)
    score = model.predict_proba(curves)[:, is_supernova(model.classes_)].sum(axis=1)
    return {
        "non-supernovae": round(float(np.mean(score[np.isin(label, CONTAMINANTS)] > 0.9)), 4),
        "supernovae": round(float(np.mean(score[label == "SN"] > 0.9)), 4),
    }


def simulated(n: int, classes: Sequence[str], seed: int) -> LightCurves:
    """Simulate the same number of objects of each class in each survey."""
    parts = [simulate(dict.fromkeys(classes, n), s, random_state=seed) for s in SURVEYS]
    return LightCurves.concatenate(parts)


def novelty(weights: str, n: int) -> dict[str, Any]:
    """Measure scores of kinds of objects that they were not calibrated on."""
    encoder = LightCurveEncoder(weights)
    names = [c for c in encoder.classes_ if c != "KN"]  # too faint to be found in numbers
    known, learned = simulated(n, names, SEED), simulated(2 * n, names, SEED + 1)
    rare, rare_learned = simulated(n, RARE, SEED), simulated(n, RARE, SEED + 1)
    kind = rare.metadata["class"].to_numpy(dtype=str)
    learned_kind = rare_learned.metadata["class"].to_numpy(dtype=str)
    aurocs, known_scores, rare_scores = {}, [], np.zeros(len(rare))
    for turn in range(3):
        left_out = RARE[turn::3]
        others = rare_learned[~np.isin(learned_kind, left_out)]
        own = add_novelty(encoder, learned, unknown=others, random_state=turn)
        model = TransferClassifier(own, finetune="none").fit(known)
        known_scores.append(model.novelty_score(known))
        for name in left_out:
            rare_scores[kind == name] = model.novelty_score(rare[kind == name])
            both = np.append(known_scores[-1], rare_scores[kind == name])
            unknown = np.arange(len(both)) >= len(known)
            aurocs[name] = round(roc_auc_score(unknown, both), 4)
    y = known.metadata["class"].to_numpy(dtype=str)
    transients = known[~np.isin(y, ("AGN", "variable-star", "uLens", "artefact"))]
    made, how = make_unknown(transients, np.random.default_rng(SEED))
    scores = model.novelty_score(made)
    for name in np.unique(how):
        both = np.append(known_scores[-1], scores[how == name])
        aurocs[str(name)] = round(roc_auc_score(np.arange(len(both)) >= len(known), both), 4)
    score = np.append(np.mean(known_scores, axis=0), rare_scores)
    truth = np.arange(len(score)) >= len(known)
    weight = np.append(balanced(y) / len(np.unique(y)), balanced(kind) / len(RARE))
    return {
        "auroc": aurocs,
        "rare classes left out": round(float(np.mean([aurocs[name] for name in RARE])), 4),
        "log loss": round(log_loss(truth, score, sample_weight=weight), 4),
        "reliability": reliability(score, truth, weight),
    }


def real_novelty(weights: str, bts: LightCurves) -> float | None:
    """Return the AUROC of rarer types of the Bright Transient Survey, if the weights score them."""
    model = TransferClassifier.pretrained(weights)
    try:
        score = model.novelty_score(bts)
    except ValueError:
        return None
    label = bts.metadata["class"].astype(str).to_numpy()
    normal = np.isin(label, [part for parts in MERGED.values() for part in parts])
    unknown = ~normal & ~np.isin(label, model.classes_)
    kept = normal | unknown
    return round(roc_auc_score(unknown[kept], score[kept]), 4)


def measure(options) -> dict[str, dict[str, Any]]:
    """Measure all weights."""
    warnings.simplefilter("ignore", LightCurveWarning)
    n, rng = 12 if options.quick else 300, np.random.default_rng(SEED)
    fink = LightCurves.from_parquet(
        options.data / "ztf_alerts_fink", invalid="drop", duplicates="drop"
    )
    bts = LightCurves.from_parquet(options.data / "ztf_bts", invalid="drop", duplicates="drop")
    figures: dict[str, dict[str, Any]] = {}
    for weights in WEIGHTS:
        classes = [c for c in LightCurveEncoder(weights).classes_ if c != "KN"]
        whole = simulate(dict.fromkeys(classes, n), "ztf", random_state=SEED)
        histories = alert_histories(whole, rng)
        row: dict[str, Any] = {}
        for name, prior in (("equal shares", "equal"), ("shares of the weights", None)):
            row[f"simulated, {name}"] = supernova_probability(weights, histories, prior)
            row[f"real, {name}"] = real_contaminants(weights, fink, prior)
        row["novelty"] = novelty(weights, max(n // 5, 8))
        row["novelty of ztf_bts"] = real_novelty(weights, bts[:: 8 if options.quick else 1])
        figures[weights] = row
        print(weights, row, flush=True)
    return figures


def markdown(figures: dict[str, dict[str, Any]]) -> str:
    """Return the tables: shares given more than .9, reliability, and novelty."""

    def text(value: Any) -> str:
        return "" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)

    sure, reliable, novel = [], [], []
    for weights, row in figures.items():
        for name in ("equal shares", "shares of the weights"):
            own, real = row[f"simulated, {name}"], row[f"real, {name}"]
            groups = [own[f"{group} detections"] for group in GROUPS]
            cells = [
                f"{text(g['supernovae above .9'])} / {text(g['others above .9'])}" for g in groups
            ]
            seen = f"{text(real['supernovae'])} / {text(real['non-supernovae'])}"
            sure.append([f"`{weights}`", name, *cells, seen])
            pairs = [f"{text(a)} / {text(b)}" for a, b, _ in own["reliability"]]
            reliable.append([f"`{weights}`", name, *pairs, *[""] * (len(BINS) - 1 - len(pairs))])
        score = row["novelty"]
        novel += [[f"`{weights}`", kind, text(value)] for kind, value in score["auroc"].items()]
        pairs = [f"{text(a)} / {text(b)}" for a, b, _ in score["reliability"]]
        reliable.append([f"`{weights}`", "novelty", *pairs, *[""] * (len(BINS) - 1 - len(pairs))])
    edges = [f"{low:.1f} to {high:.1f}" for low, high in pairwise(BINS)]
    groups = [f"{group} detections" for group in GROUPS]
    return "\n\n".join([
        "Supernovae / others given more than .9 for supernovae together:\n\n"
        + markdown_table(["weights", "class shares", *groups, "real"], sure),
        "Mean score / true share, by score:\n\n"
        + markdown_table(["weights", "score", *edges], reliable),
        "AUROC of the novelty score, by kind:\n\n"
        + markdown_table(["weights", "kind", "AUROC"], novel),
    ])  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> dict:
    """Measure, print and write the results."""
    options = parse(build_parser(__doc__), arguments, "ztf_alerts_fink", "ztf_bts")
    use_templates(options)
    figures = measure(options)
    tables = markdown(figures)
    print(f"\n{tables}")
    last = figures[WEIGHTS[-1]]
    real = last["real, shares of the weights"]
    summary = (
        f"{WEIGHTS[-1]}: {100 * real['non-supernovae']:.0f} % of real non-supernovae and "
        f"{100 * real['supernovae']:.0f} % of supernovae are given more than .9 for supernovae; "
        f"novelty AUROC {last['novelty']['rare classes left out']:.2f}"
    )
    content = {"figures": figures, "simulation_seed": SEED, "markdown": tables}
    content["summary"] = summary
    print(f"wrote {write_results(options, NAME, content, WEIGHTS)}")
    print(summary)
    return figures


if __name__ == "__main__":
    main()
