r"""Compare a pretrained light-curve encoder with the same network trained from scratch.

    python examples/quickstart.py                      demo light curves
    python examples/quickstart.py --data DIR           DIR/objects.parquet, DIR/photometry.parquet
    python examples/quickstart.py --csv FILE --id object_id --time mjd --flux flux \
        --flux-err flux_err --band band --survey ztf --label class         your own table

With labels, the methods are cross-validated; a table without --label is only encoded. In a folder
named ztf_bts, supernova types are merged into three classes. Figures, and the latents of a table
without labels, are written to the folder quickstart_output. The demo light curves are simulated.
"""

import argparse
from pathlib import Path

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
from sklc.weights.file import load_weights

WEIGHTS = "any"
PIPELINE, SCRATCH = "pretrained + LogisticRegression", "same network from scratch"
SEED = 0
N_FOLDS = 3
MIN_MEMBERS = 2 * N_FOLDS  # per class, so that every fold can test it

# Settings that suit a network from scratch with few labels better than the defaults.
FROM_SCRATCH = {
    "max_epochs": 40, "learning_rate": 3e-3, "batch_size": 32, "patience": 15, "features": None
}  # fmt: skip
# Supernova types that count as one class; IIb count as Ib/c, as in the demo data.
MERGED = {
    "SNIa": ["SNIa", "SNIa-91bg", "SNIax"],
    "SNII": ["SNII", "SNIIn"],
    "SNIb/c": ["SNIb/c", "SNIb", "SNIc", "SNIc-BL", "SNIIb", "SNIbn"],
}


def main(arguments=None):
    """Run the example; return the AUROC of each fold by method, or nothing without labels."""
    plt.switch_backend("Agg")  # figures go to files: no window is needed
    parser = build_parser()
    options = parser.parse_args(arguments)
    try:
        curves, y = leave_out(*load(options), options)
    except (OSError, ValueError) as error:
        parser.error(str(error))  # the message says what to correct; a traceback would hide it
    print(curves)
    options.output.mkdir(parents=True, exist_ok=True)

    # The weights come with sklc and are a parameter, so the encoder needs no fit.
    latents = LightCurveEncoder.pretrained(WEIGHTS).transform(curves)
    draw_light_curves(curves, y, options.output / "light_curves.png")
    draw_latent_map(latents, y, options.output / "latent_map.png")
    if y is not None:
        return compare(curves, y, options)
    table = pd.DataFrame(latents, index=pd.Index(curves.ids, name=options.id))
    table.add_prefix("latent").to_csv(options.output / "latents.csv")
    print(f"wrote {options.output / 'latents.csv'}, one row per object")
    return {}


def build_parser():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--data", type=Path, metavar="DIR", help="folder with two Parquet files")
    source.add_argument(
        "--csv", type=Path, metavar="FILE", help="table with one row per observation"
    )
    defaults = {"id": "object_id", "time": "mjd", "flux-err": "flux_err"}
    for name in ("id", "time", "flux", "flux-err", "band"):
        default = defaults.get(name, name)
        parser.add_argument(f"--{name}", default=default, metavar="COL", help=f"({default})")
    parser.add_argument("--label", metavar="COL", help="column with the classes")
    parser.add_argument(
        "--zero-point", type=float, help="AB zero point of the fluxes (column zp, else 27.5)"
    )
    parser.add_argument("--survey", help="survey of short band names such as g: ztf, lsst, ...")
    parser.add_argument(
        "--min-points", type=int, default=6, help="minimum number of observations (6)"
    )
    parser.add_argument(
        "--max-objects",
        type=int,
        default=3000,
        help="use at most this many objects, chosen at random (3000)",
    )
    parser.add_argument("--quick", action="store_true", help="quick test: 150 objects, 3 epochs")
    parser.add_argument("--output", type=Path, default=Path("quickstart_output"), metavar="DIR")
    return parser


def load(options):
    """Return the light curves, and their classes if they are known."""
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
    given = wanted = curves.metadata[label]
    if options.data is not None and options.data.resolve().name == "ztf_bts":
        wanted = given.map({part: name for name, parts in MERGED.items() for part in parts})
    known = wanted.notna().to_numpy()
    say_left_out(~known, "that have none of the classes", given.to_numpy())
    return curves[known], wanted[known].to_numpy(dtype=str)


def read_table(options):
    frame = pd.read_csv(options.csv, dtype={options.id: str})  # as text: 007 is not 7
    for name in ("id", "time", "flux", "flux_err", "band", "label"):
        column, flag, has = getattr(options, name), name.replace("_", "-"), list(frame.columns)
        if column is not None and column not in has:
            raise LightCurveError(f"{options.csv} has no column {column!r} (--{flag}) among {has}")
    return LightCurves.from_frame(
        frame,
        object_id=options.id,
        time=options.time,
        flux=options.flux,
        flux_err=options.flux_err,
        band=options.band,
        metadata=frame[[options.id, options.label]].drop_duplicates() if options.label else None,
        survey=options.survey,
        invalid="drop",  # gaps (NaN) are common in tables: a warning counts the rows dropped
        **({} if options.zero_point is None else {"zero_point": options.zero_point}),
    )


def leave_out(curves, y, options):
    """Leave out objects that cannot be tested, and print how many."""

    def keep(kept, why):
        nonlocal curves, y
        say_left_out(~kept, why, y)
        curves, y = curves[kept], None if y is None else y[kept]

    few = f"with fewer than {options.min_points} observations (--min-points)"
    keep(curves.lengths >= options.min_points, few)
    if len(curves) < 3:
        raise LightCurveError(f"{len(curves)} light curves are left, but three are needed")
    if y is not None:
        most = 150 if options.quick else options.max_objects
        order = np.random.default_rng(SEED).permutation(len(curves))
        keep(order < most, f"at random, to keep {most} (--max-objects, --quick)")
        names, counts = np.unique(y, return_counts=True)
        common = names[counts >= MIN_MEMBERS]
        keep(np.isin(y, common), f"in classes of fewer than {MIN_MEMBERS} members")
        if len(common) < 2:
            raise LightCurveError(f"fewer than two classes have {MIN_MEMBERS} members")
    return curves, y


def say_left_out(left_out, why, y=None):
    if left_out.any():
        which = "" if y is None else f": {count_classes(y[left_out])}"
        print(f"left out {left_out.sum():,} of {len(left_out):,} objects {why}{which}")


def count_classes(y):
    counts = pd.Series(y).value_counts(dropna=False)
    return ", ".join(f"{count:,} {name}" for name, count in counts.items())


def compare(curves, y, options):
    """Cross-validate, print the table, draw the ROC curves."""
    folds = StratifiedKFold(N_FOLDS, shuffle=True, random_state=SEED)
    tests = [test for _, test in folds.split(curves, y)]
    one_hot = y[:, None] == np.unique(y)
    print(f"\n{N_FOLDS}-fold cross-validation of {count_classes(y)}")
    print("macro one-vs-rest AUROC, mean ± standard deviation over the folds:")
    scores, probabilities = {}, {}
    for name, predicted in predictions(curves, y, folds, options.quick):
        probabilities[name] = predicted
        scores[name] = np.array([roc_auc_score(one_hot[t], predicted[t]) for t in tests])
        print(f"  {name:34}{scores[name].mean():.3f} ± {scores[name].std():.3f}", flush=True)
    draw_roc(y, probabilities, tests[0], options.output / "roc.png")
    return scores


def predictions(curves, y, folds, quick):
    """Yield each method and its probabilities for light curves that it was not fitted on."""
    if set(y) <= set(MERGED):
        yield "pretrained, no labels", predict_without_labels(curves, np.unique(y))
    encoder = LightCurveEncoder.pretrained(WEIGHTS)
    scratch = FROM_SCRATCH | ({"max_epochs": 3} if quick else {})
    models = {
        PIPELINE: Pipeline([("enc", encoder), ("clf", LogisticRegression(C=0.01, max_iter=1000))]),
        "TransferClassifier": TransferClassifier(WEIGHTS, random_state=SEED),
        SCRATCH: TransferClassifier(encoder=None, random_state=SEED, **scratch),
    }
    how = {"cv": folds, "method": "predict_proba", "n_jobs": 1 if quick else -1}  # -1: all cores
    for name, model in models.items():
        yield name, cross_val_predict(model, curves, y, **how)
    print(f"(from scratch: {', '.join(f'{key} {value}' for key, value in scratch.items())})")


def predict_without_labels(curves, classes):
    """Return probabilities of the classes of the weights, summed to ours; nothing is fitted."""
    known = load_weights(WEIGHTS).classes
    merge = {name: [part for part in MERGED[name] if part in known] for name in classes}
    return TransferClassifier.pretrained(WEIGHTS, merge_classes=merge).predict_proba(curves)


def draw_light_curves(curves, y, path):
    """Draw six random objects, with the classes in turn."""
    order = np.random.default_rng(SEED).permutation(len(curves))
    label = pd.Series("" if y is None else y[order], index=order)
    in_turn = label.groupby(label).cumcount().sort_values(kind="stable").index[:6]
    figure, axes = plt.subplots(2, 3, figsize=(12, 6.5), layout="constrained")
    for ax, position in zip(axes.flat, in_turn, strict=False):
        title = f"{curves.ids[position]}  {label[position]}"
        LightCurveDisplay.from_curve(curves[position], title=title, ax=ax)
    save(figure, path)


def draw_latent_map(latents, y, path):
    part = np.random.default_rng(SEED).permutation(len(latents))[:3000]  # t-SNE is slow
    figure, ax = plt.subplots(figsize=(7, 6), layout="constrained")
    labels = None if y is None else y[part]
    LatentMapDisplay.from_latents(latents[part], labels, method="tsne", ax=ax)
    ax.set_title(f"{len(part):,} light curves in the latent space of {WEIGHTS}")
    save(figure, path)


def draw_roc(y, probabilities, fold, path):
    """Draw one fold, because probabilities of different folds come from different models."""
    figure, axes = plt.subplots(1, 2, figsize=(11, 5.6), layout="constrained", sharey=True)
    for ax, name in zip(axes, (PIPELINE, SCRATCH), strict=True):
        RocDisplay.from_predictions(y[fold], probabilities[name][fold], np.unique(y), ax=ax)
        ax.set_title(f"{name}, first fold")
    save(figure, path)


def save(figure, path):
    figure.savefig(path, dpi=120)
    plt.close(figure)
    print(f"wrote {path}")


if __name__ == "__main__":
    main()
