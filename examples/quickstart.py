r"""A pretrained light-curve encoder in scikit-learn, against the same network from scratch.

    python examples/quickstart.py                      demo light curves
    python examples/quickstart.py --data DIR           DIR/objects.parquet, DIR/photometry.parquet
    python examples/quickstart.py --csv FILE --id object_id --time mjd --flux flux \
        --flux-err flux_err --band band --survey ztf --label class         your own table

With labels it cross-validates; a table without --label is only encoded. Figures, and the latents
of a table without labels, are written to the folder quickstart_output.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # figures go to files: no window is needed

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import Pipeline

from sklc import LightCurveEncoder, LightCurveError, LightCurves, TransferClassifier
from sklc.datasets import load_demo
from sklc.inspection import LatentMapDisplay, LightCurveDisplay, RocDisplay
from sklc.pretrained import load_weights

WEIGHTS = "ztf+lsst"
SEED = 0
N_FOLDS = 3
MIN_MEMBERS = 2 * N_FOLDS  # of a class, so that each fold can judge it

# Columns of a table: argument of LightCurves.from_frame, option, default.
COLUMNS = [
    ("object_id", "--id", "object_id"),
    ("time", "--time", "mjd"),
    ("flux", "--flux", "flux"),
    ("flux_err", "--flux-err", "flux_err"),
    ("band", "--band", "band"),
]
# Supernova types that count as one class.
MERGED = {
    "SNIa": ["SNIa", "SNIa-91bg", "SNIax"],
    "SNII": ["SNII", "SNIIn", "SNIIb"],
    "SNIb/c": ["SNIb/c", "SNIbn"],
}


def main(arguments: list[str] | None = None) -> dict[str, np.ndarray]:
    """Run the example; returns the AUROC of each fold by method, nothing without labels."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    try:
        curves, y = leave_out(*load(options), options)
    except (OSError, ValueError) as error:
        parser.error(str(error))  # it says what to repair; a traceback would only hide it
    print(curves)
    options.output.mkdir(parents=True, exist_ok=True)

    # The weights come with sklc and are a parameter of the encoder: it transforms at once.
    latents = LightCurveEncoder.pretrained(WEIGHTS).transform(curves)
    draw_light_curves(curves, y, options.output / "light_curves.png")
    draw_latent_map(latents, y, options.output / "latent_map.png")
    if y is not None:
        return compare(curves, y, options)
    table = pd.DataFrame(latents, index=pd.Index(curves.ids, name=options.object_id))
    table.add_prefix("latent").to_csv(options.output / "latents.csv")
    print(f"wrote {options.output / 'latents.csv'}, a row an object")
    return {}


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--data", type=Path, metavar="DIR", help="folder of two parquet files")
    source.add_argument("--csv", type=Path, metavar="FILE", help="table, one row an observation")
    for name, flag, default in COLUMNS:
        parser.add_argument(flag, dest=name, default=default, metavar="COL", help=f"({default})")
    parser.add_argument("--label", metavar="COL", help="column of classes")
    parser.add_argument("--zero-point", type=float, help="AB, of --flux (column zp, else 27.5)")
    parser.add_argument("--survey", help="of short band names such as g: ztf, lsst, ...")
    parser.add_argument("--min-points", type=int, default=6, help="fewest observations (6)")
    parser.add_argument("--max-objects", type=int, default=3000, help="a random part (3000)")
    parser.add_argument("--epochs", type=int, default=60, help="at most, from scratch (60)")
    parser.add_argument("--quick", action="store_true", help="a try-out: 150 objects, 3 epochs")
    parser.add_argument("--output", type=Path, default=Path("quickstart_output"), metavar="DIR")
    return parser


# -- light curves and labels


def load(options: argparse.Namespace) -> tuple[LightCurves, np.ndarray | None]:
    """Return light curves, and their classes if there are any."""
    if options.csv is not None:
        curves, label = read_table(options), options.label
    elif options.data is not None:
        curves, label = LightCurves.from_parquet(options.data), options.label or "class"
    else:
        curves, label = load_demo().curves, "class"
    if label is None:
        return curves, None
    if label not in curves.metadata:
        has = list(curves.metadata.columns)
        raise LightCurveError(f"{options.data} has no column {label!r} (--label); it has {has}")
    labelled = curves.metadata[label].notna().to_numpy()
    say_left_out(~labelled, "without a label")
    curves = curves[labelled]
    y = curves.metadata[label].to_numpy(dtype=str)
    if options.data is not None and options.data.resolve().name == "ztf_bts":
        merged = {part: name for name, parts in MERGED.items() for part in parts}
        known = np.isin(y, list(merged))
        say_left_out(~known, f"because they are not {', '.join(MERGED)}", y)
        curves, y = curves[known], np.array([merged[name] for name in y[known]])
    return curves, y


def read_table(options: argparse.Namespace) -> LightCurves:
    frame = pd.read_csv(options.csv, dtype={options.object_id: str})  # as text: 007 is not 7
    columns = {name: getattr(options, name) for name, _, _ in COLUMNS}
    for name, flag, _ in [*COLUMNS, ("label", "--label", None)]:
        column = getattr(options, name)
        if column is not None and column not in frame:
            has = list(frame.columns)
            raise LightCurveError(f"{options.csv} has no column {column!r} ({flag}); it has {has}")
    if options.label is not None:
        columns["metadata"] = frame[[options.object_id, options.label]].drop_duplicates()
    if options.zero_point is not None:
        columns["zero_point"] = options.zero_point
    # Gaps (NaN) are common in tables: those rows are dropped, with a warning that counts them.
    return LightCurves.from_frame(frame, survey=options.survey, invalid="drop", **columns)


def leave_out(
    curves: LightCurves, y: np.ndarray | None, options: argparse.Namespace
) -> tuple[LightCurves, np.ndarray | None]:
    """Leave out what cannot be judged, and say so."""

    def keep(kept: np.ndarray, why: str) -> None:
        nonlocal curves, y
        say_left_out(~kept, why, y)
        curves, y = curves[kept], None if y is None else y[kept]

    few = f"with fewer than {options.min_points} observations (--min-points)"
    keep(curves.lengths >= options.min_points, few)
    most = 150 if options.quick else options.max_objects
    order = np.random.default_rng(SEED).permutation(len(curves))
    keep(order < most, f"at random, to keep {most} (--max-objects, --quick)")
    if y is not None:
        names, counts = np.unique(y, return_counts=True)
        common = names[counts >= MIN_MEMBERS]
        keep(np.isin(y, common), f"in classes of fewer than {MIN_MEMBERS} members")
        if len(common) < 2:
            raise LightCurveError(f"fewer than two classes have {MIN_MEMBERS} members")
    return curves, y


def say_left_out(left_out: np.ndarray, why: str, y: np.ndarray | None = None) -> None:
    if left_out.any():
        classes = "" if y is None else f": {count_classes(y[left_out])}"
        print(f"left out {left_out.sum():,} of {len(left_out):,} objects {why}{classes}")


def count_classes(y: np.ndarray) -> str:
    counts = pd.Series(y).value_counts()
    return ", ".join(f"{count:,} {name}" for name, count in counts.items())


# -- the comparison


def compare(
    curves: LightCurves, y: np.ndarray, options: argparse.Namespace
) -> dict[str, np.ndarray]:
    """Cross-validate, print the table, draw the ROC curves."""
    encoder = LightCurveEncoder.pretrained(WEIGHTS)
    methods = {
        "pretrained, no labels": None,
        "pretrained + LogisticRegression": Pipeline(
            [("enc", encoder), ("clf", LogisticRegression(max_iter=1000))]
        ),
        "TransferClassifier": TransferClassifier(WEIGHTS, random_state=SEED),
        # Smaller batches and more patience than the defaults: few labels make short epochs.
        "same network from scratch": TransferClassifier(
            encoder=None,
            max_epochs=3 if options.quick else options.epochs,
            patience=15,
            batch_size=32,
            random_state=SEED,
        ),
    }
    folds = StratifiedKFold(N_FOLDS, shuffle=True, random_state=SEED)
    tests = [test for _, test in folds.split(curves, y)]
    print(f"\n{N_FOLDS}-fold cross-validation of {count_classes(y)}")
    print("macro one-vs-rest AUROC, mean ± standard deviation over the folds:")
    scores, probabilities = {}, {}
    for name, model in methods.items():
        if model is not None:
            predicted = cross_val_predict(model, curves, y, cv=folds, method="predict_proba")
        elif set(y) <= set(MERGED):
            predicted = predict_without_labels(curves, np.unique(y))
        else:
            continue  # the weights do not know these classes
        probabilities[name] = predicted
        scores[name] = np.array([macro_auroc(y[test], predicted[test]) for test in tests])
        print(f"  {name:34}{scores[name].mean():.3f} ± {scores[name].std():.3f}", flush=True)
    shown = ("pretrained + LogisticRegression", "same network from scratch")
    first = {name: probabilities[name][tests[0]] for name in shown}
    draw_roc(y[tests[0]], first, options.output / "roc.png")
    return scores


def predict_without_labels(curves: LightCurves, classes: np.ndarray) -> np.ndarray:
    """Probabilities of the weights' own classes, summed to ours: nothing is fitted."""
    known = load_weights(WEIGHTS).classes
    merge = {name: [part for part in MERGED[name] if part in known] for name in classes}
    return TransferClassifier.pretrained(WEIGHTS, merge_classes=merge).predict_proba(curves)


def macro_auroc(y: np.ndarray, probabilities: np.ndarray) -> float:
    """Mean over the classes of the AUROC of each against the rest."""
    columns = zip(np.unique(y), probabilities.T, strict=True)
    return float(np.mean([roc_auc_score(y == name, column) for name, column in columns]))


# -- figures


def draw_light_curves(curves: LightCurves, y: np.ndarray | None, path: Path) -> None:
    """Draw six objects at random, the classes in turn."""
    order = np.random.default_rng(SEED).permutation(len(curves))
    label = pd.Series("" if y is None else y[order], index=order)
    in_turn = label.groupby(label).cumcount().sort_values(kind="stable").index[:6]
    figure, axes = plt.subplots(2, 3, figsize=(12, 6.5), layout="constrained")
    for ax, position in zip(axes.flat, in_turn, strict=False):
        title = f"{curves.ids[position]}  {label[position]}"
        LightCurveDisplay.from_curve(curves[int(position)], title=title, ax=ax)
    save(figure, path)


def draw_latent_map(latents: np.ndarray, y: np.ndarray | None, path: Path) -> None:
    figure, ax = plt.subplots(figsize=(7, 6), layout="constrained")
    LatentMapDisplay.from_latents(latents, y, method="tsne", random_state=SEED, ax=ax)
    ax.set_title(f"{len(latents):,} light curves in the latent space of {WEIGHTS}")
    save(figure, path)


def draw_roc(y: np.ndarray, probabilities: dict[str, np.ndarray], path: Path) -> None:
    figure, axes = plt.subplots(1, 2, figsize=(11, 5.6), layout="constrained", sharey=True)
    for ax, (name, predicted) in zip(axes, probabilities.items(), strict=True):
        RocDisplay.from_predictions(y, predicted, np.unique(y), ax=ax)
        ax.set_title(f"{name}, first fold")
    save(figure, path)


def save(figure: plt.Figure, path: Path) -> None:
    figure.savefig(path, dpi=120)
    plt.close(figure)
    print(f"wrote {path}")


if __name__ == "__main__":
    main()
