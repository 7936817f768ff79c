"""What the benchmarks share: arguments, data, draws of labels, figures, and the results file."""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import tarfile
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.model_selection import train_test_split

import sklc
from sklc.light_curves import LightCurves
from sklc.simulate.spectra.grids import cache_folder
from sklc.weights.catalogue import manifest

RESULTS = Path(__file__).parent / "results"
PACKAGES = (
    "sklc",
    "numpy",
    "pandas",
    "pyarrow",
    "nested-pandas",
    "scikit-learn",
    "torch",
    "skorch",
    "onnxruntime",
    "light-curve",
    "aeon",
    "sncosmo",
    "umap-learn",
    "astro-parsnip",
)

# Spectral templates as they may lie in DATA/templates: sncosmo's data, and two files of SNooPy.
ARCHIVE = "sncosmo_data.tar.xz"
SNOOPY_FILES = ("Nugent_91bg_SED.fits", "91bg_sequence_0.2.fits.gz")

# Classes of ztf_bts that count as one, as in Gupta et al. 2025; the others are left out.
MERGED = {
    "SNIa": ("SNIa", "SNIa-91bg", "SNIax"),
    "SNII": ("SNII", "SNIIn", "SNIIb"),
    "SNIb/c": ("SNIb/c", "SNIbn"),
}
MIN_POINTS = 6


# -- arguments


def build_parser(description: str | None, *, seeds: int = 5) -> argparse.ArgumentParser:
    """Return a parser of what every benchmark takes."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        default=Path(os.environ.get("SKLC_DATA") or beside),
        help="folder of data sets ($SKLC_DATA, else ../shared/data beside the repository)",
    )
    parser.add_argument(
        "--seeds", type=int, metavar="N", help=f"number of repeats ({seeds}; 1 with --quick)"
    )
    parser.add_argument("--quick", action="store_true", help="a try-out: its figures mean nothing")
    parser.add_argument("--n-jobs", type=int, default=1, help="processes (1)")
    parser.add_argument(
        "--output", type=Path, metavar="DIR", default=RESULTS, help="(benchmarks/results)"
    )
    parser.set_defaults(default_seeds=seeds, stop=parser.error)
    return parser


def parse(
    parser: argparse.ArgumentParser, arguments: Sequence[str] | None, *data_sets: str
) -> argparse.Namespace:
    """Parse arguments, and stop with a message where one of `data_sets` is not there."""
    options = parser.parse_args(arguments)
    if options.seeds is None:
        options.seeds = 1 if options.quick else options.default_seeds
    if options.seeds < 1:
        parser.error("--seeds must be at least 1")
    missing = [n for n in data_sets if not (options.data / n / "objects.parquet").is_file()]
    if missing:
        parser.error(
            f"there is no {' or '.join(missing)} with an objects.parquet in {options.data}: pass "
            "--data DIR or set SKLC_DATA"
        )
    return options


def use_templates(options: argparse.Namespace) -> Path:
    """Point sncosmo to its data, or stop with a message.

    That is the folder which SNCOSMO_DATA_DIR names. Where the variable is not set, DATA/templates
    is unpacked, once, into the folder of cached tables, and the variable is set to it.

    Parameters
    ----------
    options : Namespace
        As parsed.

    Returns
    -------
    Path
        The folder.
    """
    if os.environ.get("SNCOSMO_DATA_DIR"):
        return Path(os.environ["SNCOSMO_DATA_DIR"])
    stored = options.data / "templates"
    if missing := [n for n in (ARCHIVE, *SNOOPY_FILES) if not (stored / n).is_file()]:
        options.stop(
            f"no spectral templates: SNCOSMO_DATA_DIR is not set, and {stored} has no "
            f"{' or '.join(missing)}. Set the variable to a folder of sncosmo's data that also "
            f"holds {' and '.join(SNOOPY_FILES)} of SNooPy; sncosmo downloads what else is missing"
        )
    folder = cache_folder() / "templates"
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        working = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".templates"))
        with tarfile.open(stored / ARCHIVE) as archive:
            archive.extractall(working, filter="data")
        for name in SNOOPY_FILES:
            shutil.copy(stored / name, working)
        try:
            os.replace(working, folder)  # whole or not at all
        except OSError:  # another process was faster
            shutil.rmtree(working)
    os.environ["SNCOSMO_DATA_DIR"] = str(folder)
    return folder


# -- data and draws


def merge_labels(labels: Iterable[Any], merged: Mapping[str, Sequence[str]] = MERGED) -> np.ndarray:
    """Return the class that each label counts as, "" for those that are left out."""
    lookup = {part: name for name, parts in merged.items() for part in parts}
    return np.array([lookup.get(label, "") for label in labels], dtype=str)


def load_bts(folder: Path) -> tuple[LightCurves, np.ndarray]:
    """Load real light curves of the three merged classes, with `MIN_POINTS` or more points."""
    curves = LightCurves.from_parquet(folder / "ztf_bts")
    y = merge_labels(curves.metadata["class"])
    kept = (y != "") & (curves.lengths >= MIN_POINTS)
    return curves[kept], y[kept]


def draw_labels(
    y: np.ndarray, n_labels: int | None, seed: int, *, test_size: float = 0.25
) -> tuple[np.ndarray, np.ndarray]:
    """Split off a test part, then draw labels from the rest; both stratified, both by `seed`.

    Parameters
    ----------
    y : ndarray of shape (n_objects,)
    n_labels : int or None
        None for the whole training part.
    seed : int
    test_size : float

    Returns
    -------
    train, test : ndarray of int
        Positions. `test` depends on the seed alone, so every number of labels is judged alike.
    """
    train, test = train_test_split(
        np.arange(len(y)), test_size=test_size, stratify=y, random_state=seed
    )
    if n_labels is not None:
        train, _ = train_test_split(
            train, train_size=n_labels, stratify=y[train], random_state=seed
        )
    return train, test


# -- figures


def classification_scores(
    y: np.ndarray, probabilities: np.ndarray, classes: np.ndarray
) -> dict[str, float]:
    """Macro one-vs-rest AUROC, accuracy, and the AUROC of each class against the rest."""
    scores = {
        f"auroc {name}": float(roc_auc_score(y == name, column))
        for name, column in zip(classes, probabilities.T, strict=True)
    }
    accuracy = float(np.mean(classes[probabilities.argmax(axis=1)] == y))
    return {"auroc": float(np.mean(list(scores.values()))), "accuracy": accuracy, **scores}


def calibration_error(confidence: np.ndarray, correct: np.ndarray, n_bins: int = 10) -> float:
    """Mean distance of confidence and accuracy over bins of equally many objects."""
    parts = np.array_split(np.argsort(confidence, kind="stable"), n_bins)
    gaps = [abs(confidence[p].mean() - correct[p].mean()) * len(p) for p in parts if len(p)]
    return float(np.sum(gaps) / len(confidence))


def redshift_scores(z: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """MSE, R2, and the spread and share of outliers of (z' - z) / (1 + z)."""
    error = (predicted - z) / (1 + z)
    return {
        "mse": float(np.mean((predicted - z) ** 2)),
        "r2": float(r2_score(z, predicted)),
        "sigma_nmad": float(1.4826 * np.median(np.abs(error - np.median(error)))),
        "outliers": float(np.mean(np.abs(error) > 0.15)),
    }


def summarise(draws: Sequence[Mapping[str, float]]) -> dict[str, dict[str, Any]]:
    """Mean and standard deviation (ddof=0) over repeats, and the values, of each score."""
    return {
        name: {
            "mean": round(float(np.mean(values)), 5),
            "sd": round(float(np.std(values)), 5),
            "values": [round(float(value), 5) for value in values],
        }
        for name in draws[0]
        for values in [[draw[name] for draw in draws]]
    }


def cell(score: Mapping[str, Any]) -> str:
    """Write a figure as in the tables."""
    return f"{score['mean']:.3f} ± {score['sd']:.3f}"


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table as it stands in docs/results.md: fractions without their leading zero."""
    lines = [header, ["---"] * len(header), *rows]
    text = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return re.sub(r"(?<![\d.])0\.(?=\d)", ".", text)


# -- results


def write_results(
    options: argparse.Namespace, name: str, content: Mapping[str, Any], weights: Sequence[str] = ()
) -> Path:
    """Write ``<name>.json`` with what every result needs to be read later.

    Parameters
    ----------
    options : Namespace
        As parsed; a quick run writes ``<name>_quick.json``, never over real results.
    name : str
    content : mapping
        Figures, settings, summary: plain values.
    weights : sequence of str
        Names of the pretrained weights in use, whose versions are recorded.
    """
    result = result_context(options, name, content, weights)
    path = results_path(options, name, ".json")
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    return path


def result_context(
    options: argparse.Namespace, name: str, content: Mapping[str, Any], weights: Sequence[str]
) -> dict[str, Any]:
    """Return content together with date, seeds, weights, versions and machine."""
    known = manifest()
    versions = {known["aliases"].get(w, w): "" for w in weights}
    return {
        "name": name,
        "date": date.today().isoformat(),
        "quick": options.quick,
        "seeds": list(range(options.seeds)),
        **content,
        "weights": {v: known["weights"][v]["sha256"] for v in versions},
        "versions": {"python": platform.python_version(), **_versions()},
        "machine": {
            "system": platform.system(),
            "architecture": platform.machine(),
            "cpu_count": os.cpu_count(),
        },
    }


def results_path(options: argparse.Namespace, name: str, suffix: str) -> Path:
    """Return where a result goes; the folder is made."""
    options.output.mkdir(parents=True, exist_ok=True)
    return options.output / f"{name}{'_quick' if options.quick else ''}{suffix}"


def _versions() -> dict[str, str]:
    versions = {"sklc": sklc.__version__}
    for package in PACKAGES[1:]:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:  # an optional one
            continue
    return versions
