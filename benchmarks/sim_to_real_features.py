"""Train boosted trees on features of simulations alone, and try them on real supernovae.

    python benchmarks/sim_to_real_features.py --data DIR

No real label is used: `LightCurveFeatures` and a HistGradientBoostingClassifier learn from ZTF
light curves of `sklc.simulate`, thinned to alert-like data, and are scored on the real ones of
``ztf_bts``. How well that works says how real the simulations are. A repeat draws another
simulation, and the 25 % of the real objects that `label_efficiency.py` tests on with that seed.
"""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from _common import (
    MIN_POINTS,
    build_parser,
    cell,
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
from sklearn.ensemble import HistGradientBoostingClassifier

from sklc import LightCurveFeatures
from sklc.inspection import RocDisplay
from sklc.simulate import AlertCadence, Trigger, simulate

TARGET = 0.92
# The merged classes of `MERGED`, as simulated.
MERGED_SIMULATED = {
    "SNIa": ("SNIa", "SNIa-91bg", "SNIax"),
    "SNII": ("SNIIP/L", "SNIIn", "SNIIb"),
    "SNIb/c": ("SNIb", "SNIc", "SNIc-BL", "SNIbn"),
}
# In the proportions of real samples within the three classes, which get similar numbers each.
NUMBERS = {
    "SNIa": 8000,
    "SNIa-91bg": 500,
    "SNIax": 500,
    "SNIIP/L": 4000,
    "SNIIn": 1000,
    "SNIIb": 1000,
    "SNIb": 2000,
    "SNIc": 2000,
    "SNIc-BL": 1000,
    "SNIbn": 500,
}
TRIGGER = Trigger(n_det=MIN_POINTS, bright_limit=19.0, bright_width=0.2)


def make_training_set(shrink: int, seed: int, n_jobs: int):
    """Simulate alert-like light curves; return them and their merged classes."""
    numbers = {name: count // shrink for name, count in NUMBERS.items()}
    curves = simulate(numbers, "ztf", trigger=TRIGGER, random_state=seed, n_jobs=n_jobs)
    curves = AlertCadence(random_state=seed).transform(curves)
    curves = curves[curves.lengths >= MIN_POINTS]
    return curves, merge_labels(curves.metadata["class"], MERGED_SIMULATED)


def markdown(figures: dict) -> str:
    """Return the figures as a table of docs/results.md."""
    scores = {"auroc": "macro AUROC"} | {f"auroc {name}": name for name in MERGED_SIMULATED}
    rows = [
        [f"{part} of the real objects", *(cell(row[score]) for score in scores)]
        for part, row in figures.items()
    ]
    return markdown_table(["scored on", *scores.values()], rows)


def main(arguments: Sequence[str] | None = None) -> dict:
    options = parse(build_parser(__doc__), arguments, "ztf_bts")
    use_templates(options)
    real, y = load_bts(options.data)
    features = LightCurveFeatures(n_jobs=options.n_jobs)
    real_columns, draws, whole = None, [], []
    for seed in range(options.seeds):
        curves, labels = make_training_set(40 if options.quick else 1, seed, options.n_jobs)
        columns = features.fit_transform(curves)
        if real_columns is None:
            real_columns = features.transform(real)
        model = HistGradientBoostingClassifier(class_weight="balanced", random_state=seed)
        probabilities = model.fit(columns, labels).predict_proba(real_columns)
        _, test = draw_labels(y, None, seed)
        draws.append(classification_scores(y[test], probabilities[test], model.classes_))
        whole.append(classification_scores(y, probabilities, model.classes_))
        print(
            f"seed {seed}: {len(curves):,} simulated; macro AUROC {draws[-1]['auroc']:.3f} on a "
            f"quarter of the real objects, {whole[-1]['auroc']:.3f} on all",
            flush=True,
        )
    figures = {"a quarter": summarise(draws), "all": summarise(whole)}
    ax = plt.figure(figsize=(5, 4.5), layout="constrained").add_subplot()
    RocDisplay.from_predictions(y, probabilities, model.classes_, ax=ax)
    ax.set_title("Real ZTF supernovae, trained on simulations alone")
    ax.figure.savefig(results_path(options, "sim_to_real_features", ".png"), dpi=80)
    plt.close(ax.figure)
    summary = (
        f"sim_to_real_features: macro AUROC on ztf_bts without real labels "
        f"{cell(figures['all']['auroc'])} (a quarter: {cell(figures['a quarter']['auroc'])}; "
        f"target {TARGET})"
    )
    write_results(
        options,
        "sim_to_real_features",
        {
            "summary": summary,
            "markdown": markdown(figures),
            "figures": figures,
            "n_real": {name: int(np.sum(y == name)) for name in np.unique(y)},
            "numbers": NUMBERS,
            "trigger": vars(TRIGGER),
        },
    )
    print(summary)
    return figures


if __name__ == "__main__":
    main()
