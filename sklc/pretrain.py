"""Pretrain an encoder on simulated light curves: ``python -m sklc.pretrain --help``.

The data are made by `sklc.simulate` from the seed, or are a folder with ``objects.parquet``
(object_id, survey, class, redshift) and ``photometry.parquet``, as `LightCurves.from_parquet`
reads. With ``--checkpoints``, an interrupted run continues when the same command is given again. An
interrupted run writes no weights.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import time
from collections.abc import Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

import sklc
from sklc.errors import LightCurveError
from sklc.estimators.encoder import LightCurveEncoder
from sklc.light_curves import LightCurves, concatenate
from sklc.light_curves.metadata import name_object
from sklc.networks.objectives import Objective
from sklc.networks.objectives.registry import OBJECTIVES
from sklc.passbands import passband_labels
from sklc.representation import InputRepresentation
from sklc.utils.files import replace_file
from sklc.weights.catalogue import file_digest
from sklc.weights.file import FORMAT_VERSION

__all__ = ["main", "pretrain", "simulate_training_set"]

# What is added to the summary of a weights file.
_SUMMARY = {"classifier": "", "adversarial": ", adversarial on the survey"}

# Simulated light curves of each class in a survey. The two large classes of real samples are
# larger here, too; 180,000 in all for two surveys.
SIMULATED = {
    "SNIa": 14000,
    "SNII": 14000,
    "SNIb": 6000,
    "SNIc": 6000,
    "SNIc-BL": 5000,
    "SNIIb": 6000,
    "SNIIn": 6000,
    "SNIa-91bg": 6000,
    "SNIax": 6000,
    "TDE": 7000,
    "SLSN-I": 7000,
    "AGN": 7000,
}


def simulate_training_set(
    surveys: Sequence[str], *, share: float = 1.0, seed: int = 0, n_jobs: int = 1
) -> LightCurves:
    """Simulate the light curves of twelve classes that the shipped weights are trained on.

    Parameters
    ----------
    surveys : sequence of str
        Names that `sklc.simulate.simulate` knows.
    share : float, default=1.0
        Share of the 90,000 light curves of each survey to simulate.
    seed : int, default=0
        Seed of the simulation.
    n_jobs : int, default=1
        Processes that simulate.

    Returns
    -------
    LightCurves
        Light curves with the classes of Gupta, Muthukrishna, Rehemtulla & Shah (2025).

    Raises
    ------
    SimulationError
        As `sklc.simulate.simulate`: if templates are missing, for example.

    Examples
    --------
    See ``python -m sklc.pretrain --simulate``; it needs the templates of sncosmo.
    >>> from sklc.pretrain import SIMULATED
    >>> sum(SIMULATED.values())
    90000
    """
    from sklc.simulate import TWELVE_CLASSES, simulate

    numbers = {name: max(20, round(share * count)) for name, count in SIMULATED.items()}
    options: dict[str, Any] = {"random_state": seed, "n_jobs": n_jobs}
    return concatenate([simulate(numbers, name, TWELVE_CLASSES, **options) for name in surveys])


def pretrain(
    curves: LightCurves,
    *,
    objective: str | Objective = "classifier",
    epochs: int = 16,
    batch_size: int = 128,
    learning_rate: float = 3e-3,
    weight_decay: float = 1e-4,
    hidden_size: int = 100,
    redshift_weight: float = 0.3,
    representation: str | InputRepresentation = "relative",
    augment: Any = True,
    checkpoint: str | Path | None = None,
    device: str = "auto",
    seed: int = 0,
    verbose: int | str = "auto",
) -> tuple[LightCurveEncoder, dict[str, float]]:
    """Train an encoder on the classes and redshifts of simulated light curves.

    Parameters
    ----------
    curves : LightCurves
        Light curves with the metadata columns ``class``, ``redshift`` and ``survey``.
    objective : str or Objective, default="classifier"
        What to train for, as for `LightCurveEncoder`.
    epochs, batch_size, learning_rate, weight_decay, hidden_size
        How to train, and the size of the network. The learning rate warms up and decays.
    redshift_weight : float, default=0.3
        Weight of the redshift likelihood beside the cross-entropy; 0 for classes alone.
    representation : str or InputRepresentation, default="relative"
        What the network sees of an observation.
    augment : bool, str, transformer, sequence of these, or None, default=True
        How the light curves are altered in every epoch, as for `LightCurveEncoder`.
    checkpoint : str or Path, optional
        The file to save to after every epoch, and to continue from.
    device : str, default="auto"
        "auto" (the GPU where there is one), "cpu", or a torch device.
    seed : int, default=0
        Seed of everything: the held-out part, initial weights, batches, augmentation.
    verbose : int or "auto", default="auto"
        Whether to show a progress bar.

    Returns
    -------
    encoder : LightCurveEncoder
        The fitted encoder.
    metrics : dict
        Measured on 6 % of the simulated objects, held out, by survey: macro one-vs-rest AUROC, and
        with a redshift head the mean squared error of the redshift.

    Raises
    ------
    LightCurveError
        If an object has no class, no survey, or no redshift where it is needed.
    CheckpointError
        If `checkpoint` is damaged or of another training.
    KeyboardInterrupt
        If training is interrupted. With `checkpoint`, the same call continues it.

    Examples
    --------
    >>> from sklc.datasets import load_demo
    >>> from sklc.pretrain import pretrain
    >>> encoder, metrics = pretrain(load_demo().curves, epochs=1, hidden_size=4)
    >>> encoder.classes_.tolist()
    ['SNII', 'SNIa', 'SNIb/c']
    """
    metadata = curves.metadata
    needed = ["class", "survey", *(["redshift"] if redshift_weight else [])]
    missing = metadata[needed].isna().any(axis=1).to_numpy()
    if missing.any():
        raise LightCurveError(
            f"{name_object(curves, int(np.argmax(missing)))} has no {' or '.join(needed)} "
            f"({missing.sum()} of {len(curves)} objects): leave such objects out."
        )
    y = metadata["class"].to_numpy(dtype=str)
    survey = metadata["survey"].to_numpy(dtype=str)
    strata = np.char.add(survey, y)
    rows, held_out = train_test_split(
        np.arange(len(y)), test_size=0.06, stratify=strata, random_state=seed
    )
    rows.sort()
    encoder = LightCurveEncoder(
        objective=objective,
        redshift_weight=redshift_weight,
        augment=augment,
        representation=representation,
        hidden_size=hidden_size,
        max_epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        learning_rate_decay=True,
        weight_decay=weight_decay,
        early_stopping=False,
        class_weight="balanced",
        checkpoint=checkpoint,
        device=device,
        random_state=seed,
        verbose=verbose,
    ).fit(curves[rows], y[rows])
    return encoder, _held_out_metrics(encoder, curves[held_out])


def _held_out_metrics(encoder: LightCurveEncoder, curves: LightCurves) -> dict[str, float]:
    network = encoder.net_.module_
    latent = torch.from_numpy(encoder.transform(curves))
    with torch.inference_mode():
        probabilities = torch.softmax(network.head(latent).double(), dim=1).numpy()
        predicted = None if network.redshift is None else network.redshift(latent).numpy()
    metadata = curves.metadata.reset_index(drop=True)
    metrics = {}
    for name, own in metadata.groupby(metadata["survey"].astype(str)):
        y, rows = own["class"].to_numpy(dtype=str), own.index
        metrics[f"macro_auroc_{name}"] = roc_auc_score(y, probabilities[rows], multi_class="ovr")
        if predicted is not None:
            error = np.expm1(predicted[rows, 0]) - own["redshift"].to_numpy(dtype=float)
            metrics[f"redshift_mse_{name}"] = np.mean(error**2)
    return {name: round(float(value), 4) for name, value in metrics.items()}


def _manifest(folder: Path) -> dict[str, Any]:
    file = folder / "manifest.json"
    return json.loads(file.read_text()) if file.exists() else {"aliases": {}, "weights": {}}


def _alias_and_version(name: str) -> tuple[str, str]:
    """Cut a name of weights before its last "-v" and number: an alias stays with the newest."""
    alias, dash, number = name.rpartition("-v")
    return (alias, number) if dash and alias and number.isdecimal() else (name, "")


def _file_name(name: str) -> str:
    return f"{name.replace('+', '_')}.safetensors"


def check_new_name(folder: Path, name: str) -> None:
    """Refuse a name of weights that cannot be given, for it must mean the same weights for ever.

    Parameters
    ----------
    folder : Path
        Where the weights and their manifest are, or will be.
    name : str
        Such as "ztf+lsst-v1": letters, digits, and ``+``, ``.``, ``_``, ``-`` between them.

    Raises
    ------
    ValueError
        If the name, its file, or its alias (the name without its version) is taken, or if the name
        has other characters.
    """
    known, alias = _manifest(folder), _alias_and_version(name)[0]
    if not re.fullmatch(r"[A-Za-z0-9]+([+._-][A-Za-z0-9]+)*", name):
        raise ValueError(f"{name!r} is not a name for weights: use letters, digits, +, ., _ and -.")
    taken = name in known["weights"] or name in known["aliases"] or alias in known["weights"]
    if taken or (folder / _file_name(name)).exists():
        raise ValueError(
            f"There are weights {name!r} or {alias!r} in {folder} already, and a name is never "
            "given twice: choose another version or name, or another folder."
        )


def add_to_manifest(path: Path, name: str, entry: dict[str, Any]) -> None:
    """Enter a weights file into the manifest beside it.

    Parameters
    ----------
    path : Path
        The weights file.
    name : str
        Their name; its alias points to it from now on.
    entry : dict
        Plain values to enter.

    Raises
    ------
    ValueError
        If there are weights of this name, which is never given twice.
    """
    known = _manifest(path.parent)
    if name in known["weights"]:
        raise ValueError(f"There are weights {name!r} in {path.parent} already: use another name.")
    known["weights"][name] = entry
    known["aliases"][_alias_and_version(name)[0]] = name
    content = json.dumps(known, indent=2, sort_keys=True) + "\n"
    replace_file(path.parent / "manifest.json", content.encode())


def _command(options: argparse.Namespace) -> str:
    """Return the command that made the weights, without the folders of one machine."""
    source = "--simulate" if options.data is None else f"--data {options.data.name}"
    if options.data is None and options.share != 1:
        source += f" --share {options.share}"
    shown = vars(options) | {"surveys": " ".join(options.surveys), "output": "sklc/weights"}
    hidden = {"data", "simulate", "share", "n_jobs", "checkpoints", "device", "threads"}
    named = (f"--{k.replace('_', '-')} {v}" for k, v in shown.items() if k not in hidden)
    return f"python -m sklc.pretrain {source} {' '.join(named)}"


def main(
    arguments: list[str] | None = None, *, parser: argparse.ArgumentParser | None = None
) -> None:
    """Run the command line: ``python -m sklc.pretrain``, or ``sklc pretrain``.

    Parameters
    ----------
    arguments : list of str, optional
        Arguments to use instead of those of the process.
    parser : argparse.ArgumentParser, optional
        A parser to add the arguments to, which has a name and a way to report errors of its own.

    Examples
    --------
    >>> from sklc.pretrain import main
    >>> try:
    ...     main(["--help"])  # doctest: +ELLIPSIS
    ... except SystemExit:
    ...     pass
    usage: python -m sklc.pretrain [-h] (--data DATA | --simulate) ...
    """
    if parser is None:
        parser = argparse.ArgumentParser(prog="python -m sklc.pretrain", description=__doc__)
    data = parser.add_mutually_exclusive_group(required=True)
    data.add_argument("--data", type=Path, help="folder of simulated light curves")
    data.add_argument("--simulate", action="store_true", help="simulate them, from the seed")
    parser.add_argument(
        "--share",
        type=float,
        default=1.0,
        help="share of the 90,000 objects per survey to simulate",
    )
    parser.add_argument("--n-jobs", type=int, default=1, help="processes that simulate")
    parser.add_argument("--surveys", nargs="+", default=["ZTF", "LSST"])
    parser.add_argument("--name", required=True, help="name of the weights, such as ztf+lsst-v1")
    parser.add_argument("--output", type=Path, required=True, help="folder for the weights")
    parser.add_argument("--objective", choices=OBJECTIVES.names(), default="classifier")
    parser.add_argument("--checkpoints", type=Path, help="folder to save to and resume from")
    parser.add_argument("--epochs", type=int, default=16)
    parser.add_argument("--hidden-size", type=int, default=100)
    parser.add_argument("--redshift-weight", type=float, default=0.3)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, help="torch threads")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    try:  # what would be found wrong only after hours of training
        options.output.mkdir(parents=True, exist_ok=True)
        check_new_name(options.output, options.name)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    if options.threads:
        torch.set_num_threads(options.threads)
    if options.simulate:
        curves = simulate_training_set(
            options.surveys, share=options.share, seed=options.seed, n_jobs=options.n_jobs
        )
    else:
        curves = LightCurves.from_parquet(options.data)
        needed = {"class", "survey"} | ({"redshift"} if options.redshift_weight else set())
        missing = sorted(needed - set(curves.metadata.columns))
        if missing:
            parser.error(f"{options.data} has no column {missing[0]} in its objects.parquet")
        curves = curves[curves.metadata["survey"].isin(options.surveys).to_numpy()]
        if not len(curves):
            parser.error(f"{options.data} has no objects of the surveys {options.surveys}.")
    print(f"{options.name}: {curves}")
    start = time.perf_counter()
    recipe = {name: getattr(options, name) for name in ("seed", "epochs", "redshift_weight")}
    encoder, metrics = pretrain(
        curves,
        objective=options.objective,
        hidden_size=options.hidden_size,
        checkpoint=options.checkpoints and options.checkpoints / f"{options.name}.checkpoint",
        device=options.device,
        verbose=1,
        **recipe,
    )
    seconds = time.perf_counter() - start
    bands = [curves.passbands[code] for code in np.unique(curves.band)]
    info = {
        "name": options.name,
        "summary": f"Trained on {len(curves):,} simulated {' and '.join(options.surveys)} "
        f"light curves of {len(encoder.classes_)} classes"
        + _SUMMARY.get(options.objective, f", {options.objective}"),
        "objective": options.objective + (" and redshift" if options.redshift_weight else ""),
        "training_data": f"{'sklc.simulate' if options.simulate else options.data.name}: "
        f"{', '.join(options.surveys)}",
        "n_objects": len(curves),
        "n_observations": len(curves.time),
        **recipe,
        "passbands": dict(zip(passband_labels(bands), [b.wavelength for b in bands], strict=True)),
        "metrics": metrics,
        "hours": round(seconds / 3600, 2),
        "licence": "BSD-3-Clause",
        "command": _command(options),
        "date": date.today().isoformat(),
        "versions": {
            "sklc": sklc.__version__,
            "python": platform.python_version(),
            **{package: version(package) for package in ("torch", "numpy", "skorch")},
        },
    }
    path = encoder.save(options.output / _file_name(options.name), **info)
    entry = {
        "file": path.name,
        "sha256": file_digest(path),
        "format_version": FORMAT_VERSION,
        "version": _alias_and_version(options.name)[1],
        "classes": encoder.classes_.tolist(),
        "input": encoder.representation_.to_dict(),
        **{key: value for key, value in info.items() if key != "name"},
    }
    add_to_manifest(path, options.name, entry)
    print(f"wrote {path} ({path.stat().st_size / 1e3:.0f} kB): {json.dumps(metrics)}")


if __name__ == "__main__":
    main()
