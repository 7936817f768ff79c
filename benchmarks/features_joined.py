"""Features joined to the latent, against either alone, at every number of labels.

    python benchmarks/features_joined.py --data DIR [--n-jobs 2] [--quick]

Four tasks. "ZTF": the light curves and draws of `label_efficiency.py`. "DES": 3,000 objects of the
challenge that `snpcc.py` takes, with its classes. "LSST": eight classes over the ten years of the
survey as `sklc.simulate` makes them with window=None, without any cut. "Redshift": the redshifts of
the light curves of "ZTF". For each seed a stratified quarter is the test part, and N labels are
drawn, stratified, from the rest. The figure is the macro one-vs-rest AUROC, or the mean squared
error of z times 1000, on the test part, mean ± standard deviation over seeds.

"Latent" is an estimator with features=None, "features" gradient boosting on the core set
(`sklc.baselines`), and "joined" is the default. The encoder has the weights any-v1.

Settings were chosen inside training parts and on other simulations, never on a test part.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from _common import (
    build_parser,
    classification_scores,
    draw_labels,
    load_bts,
    parse,
    redshift_scores,
    use_templates,
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
from snpcc import load_challenge

from sklc import LightCurveFeatures, LightCurves, RedshiftRegressor, TransferClassifier
from sklc.baselines import feature_classifier, feature_redshift_regressor
from sklc.simulate import simulate

NAME = "features_joined"
WEIGHTS = "any-v1"
SIZES: tuple[int | None, ...] = (64, 128, 512, None)
QUICK_SIZES: tuple[int | None, ...] = (64,)
N_CHALLENGE, N_PER_CLASS, SIMULATION_SEED = 3000, 250, 88_000
ROWS = ("latent", "features", "joined")


@dataclass(frozen=True)
class Task:
    """Light curves with targets, and what is made of them.

    Parameters
    ----------
    curves : LightCurves
        Light curves of n_objects.
    features : ndarray of shape (n_objects, n_features)
        Their core features.
    strata : ndarray of shape (n_objects,)
        Classes by which draws are stratified.
    target : ndarray of shape (n_objects,)
        Classes or redshifts.
    """

    curves: LightCurves
    features: np.ndarray
    strata: np.ndarray
    target: np.ndarray

    @property
    def is_redshift(self) -> bool:
        return self.target.dtype.kind == "f"

    def model(self, row: str, seed: int) -> Any:
        """Return an unfitted estimator."""
        if row == "features":
            make: Callable = feature_redshift_regressor if self.is_redshift else feature_classifier
            return make("boosting", random_state=seed)[1:]
        kind = RedshiftRegressor if self.is_redshift else TransferClassifier
        joined = {"features": "core" if row == "joined" else None}
        return kind(WEIGHTS, **joined, device="cpu", random_state=seed, verbose=0)


def core_features() -> LightCurveFeatures:
    return LightCurveFeatures(statistics="core", parametric_fit=False)


def load(options: Any) -> dict[str, Task]:
    """Load or simulate the light curves of all tasks."""
    few = 20 if options.quick else 1

    def task(curves: LightCurves, strata: np.ndarray, target: np.ndarray | None = None) -> Task:
        target = strata if target is None else target
        return Task(curves, core_features().fit_transform(curves), strata, target)

    curves, y = load_bts(options.data)
    curves, y = curves[::few], y[::few]
    z = curves.metadata["redshift"].to_numpy(dtype=float)
    known = np.flatnonzero(np.isfinite(z) & (z > 0))
    des, classes, _ = load_challenge(options.data, N_CHALLENGE // few)
    use_templates(options)
    lsst = simulate(max(N_PER_CLASS // few, 20), "lsst", window=None, random_state=SIMULATION_SEED)
    return {
        "ZTF": task(curves, y),
        "DES": task(des, classes),
        "LSST": task(lsst, np.asarray(lsst.metadata["class"], dtype=str)),
        "Redshift": task(curves[known], y[known], z[known]),
    }


def measure(task: Task, n_labels: int | None, seed: int) -> dict[str, dict[str, float]]:
    """Score every method on one draw."""
    train, test = draw_labels(task.strata, n_labels, seed)
    classes, scores = np.unique(task.strata), {}
    for row in ROWS:
        X: Any = task.features if row == "features" else task.curves
        start = time.process_time()
        model = task.model(row, seed).fit(X[train], task.target[train])
        seconds = time.process_time() - start
        if task.is_redshift:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of extrapolated redshifts
                predicted = model.predict(X[test])
            scores[row] = redshift_scores(task.target[test], predicted)
            scores[row]["mse"] *= 1000
        else:
            probabilities = model.predict_proba(X[test])
            scores[row] = classification_scores(task.target[test], probabilities, classes)
        scores[row]["seconds of fit"] = seconds
    return scores


def main(arguments: Sequence[str] | None = None) -> dict[str, Figures]:
    """Run the benchmark and return its figures."""
    options = parse(build_parser(__doc__), arguments, "ztf_bts", "snpcc")
    start = time.perf_counter()
    sizes = QUICK_SIZES if options.quick else SIZES
    columns = [column_name(n) for n in sizes]
    figures, parts, tables = {}, [], []
    for name, task in load(options).items():
        print(f"\n{name}: {len(task.curves):,} objects, {task.features.shape[1]} features")
        draws = measure_draws(partial(measure, task), sizes, range(options.seeds), options.n_jobs)
        figures[name] = draws
        score = "mse" if task.is_redshift else "auroc"
        print_table(f"{name}, {score}", draws, columns, score)
        print_table("seconds of fit", draws, columns, "seconds of fit")
        tables.append(f"**{name}**, {score}\n\n{markdown_figures(draws, columns, score)}")
        rows = "; ".join(f"{row} {means(draws, columns, score, row)}" for row in ROWS)
        parts.append(f"{name} {score}: {rows}")
    line = f"{NAME}: {' / '.join(columns)} labels ({options.seeds} seeds): {'. '.join(parts)}"
    content = {
        "summary": line,
        "markdown": "\n\n".join(tables),
        "protocol": " ".join((__doc__ or "").split("\n\n")[2].split()),
        "figures": figures,
        "seconds": round(time.perf_counter() - start),
        "n_jobs": options.n_jobs,
    }
    print(f"\nwrote {write_results(options, NAME, content, [WEIGHTS]).name}")
    print(line)
    return figures


if __name__ == "__main__":
    main()
