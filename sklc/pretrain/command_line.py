"""The command line of pretraining."""

from __future__ import annotations

import argparse
import json
import platform
import time
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

import sklc
from sklc.estimators.encoder import LightCurveEncoder
from sklc.estimators.novelty_training import add_novelty
from sklc.light_curves import LightCurves
from sklc.networks.novelty import has_novelty
from sklc.networks.objectives.registry import OBJECTIVES
from sklc.passbands import Passband, passband_labels
from sklc.pretrain.context import fit_context
from sklc.pretrain.manifest import add_to_manifest, check_new_name, file_name, manifest_entry
from sklc.pretrain.training import any_survey_settings, pretrain
from sklc.pretrain.training_sets import (
    CLASS_SHARES,
    simulate_any_survey,
    simulate_training_set,
    simulate_unknown,
)
from sklc.pretrain.variable_stars import simulate_variable_stars, variable_star_settings

__all__ = ["main"]

_DESCRIPTION = "Pretrain an encoder on simulated light curves: see docs/pretraining.md."


def _sizes(hidden_size: int) -> dict[str, Any]:
    return {"hidden_size": hidden_size}


# Arguments of `pretrain`, for training sets that need their own.
_SETTINGS = {"any": any_survey_settings, "variables": variable_star_settings}
# What is added to the summary of a weights file.
_SUMMARY = {"classifier": "", "adversarial": ", adversarial on the survey"}


def _passbands(bands: list[Passband]) -> dict[str, Any]:
    """Return the wavelengths of the known passbands, and the range of all."""
    wavelengths = [band.wavelength for band in bands]
    known = {
        label: band.wavelength
        for label, band in zip(passband_labels(bands), bands, strict=True)
        if not band.survey.startswith("random-")
    }
    return {"passbands": known, "wavelength_range": [min(wavelengths), max(wavelengths)]}


def _command(options: argparse.Namespace) -> str:
    """Return the command that made the weights, without the folders of one machine."""
    source = "--simulate" if options.data is None else f"--data {options.data.name}"
    if options.data is None and options.share != 1:
        source += f" --share {options.share}"
    shown = vars(options) | {"surveys": " ".join(options.surveys), "output": "sklc/weights"}
    hidden = {"data", "simulate", "share", "n_jobs", "checkpoints", "device", "threads"}
    given = {k: v for k, v in shown.items() if v is not None and v is not False}
    named = (
        f"--{name.replace('_', '-')}" + ("" if value is True else f" {value}")
        for name, value in given.items()
        if name not in hidden
    )
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
        parser = argparse.ArgumentParser(prog="python -m sklc.pretrain", description=_DESCRIPTION)
    data = parser.add_mutually_exclusive_group(required=True)
    data.add_argument("--data", type=Path, help="folder of simulated light curves")
    data.add_argument("--simulate", action="store_true", help="simulate them, from the seed")
    parser.add_argument(
        "--share",
        type=float,
        default=1.0,
        help="share of the 90,000 objects per survey to simulate (of 780,000 for any, and of "
        "158,000 for variables)",
    )
    parser.add_argument("--n-jobs", type=int, default=1, help="processes that simulate")
    parser.add_argument(
        "--surveys",
        nargs="+",
        default=["ZTF", "LSST"],
        help="names; or any: surveys drawn at random, known ones, and classes beyond supernovae; "
        "or variables: variable stars",
    )
    parser.add_argument("--name", required=True, help="name of the weights, such as ztf+lsst-v1")
    parser.add_argument("--output", type=Path, required=True, help="folder for the weights")
    parser.add_argument("--objective", choices=OBJECTIVES.names(), default="classifier")
    parser.add_argument("--checkpoints", type=Path, help="folder to save to and resume from")
    parser.add_argument("--epochs", type=int, default=16)
    parser.add_argument(
        "--cycles", type=int, default=1, help="how often the learning rate rises and falls"
    )
    parser.add_argument("--hidden-size", type=int, default=100)
    parser.add_argument("--redshift-weight", type=float, default=0.3)
    parser.add_argument(
        "--context",
        action="store_true",
        help="add an adapter by which the weights read redshift, E(B-V) and last non-detection",
    )
    parser.add_argument(
        "--trained", metavar="WEIGHTS", help="weights to add it to, instead of training new ones"
    )
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, help="torch threads")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    if options.trained and not options.context:
        parser.error("--trained names the weights that --context adds an adapter to: give both.")
    try:  # what would be found wrong only after hours of training
        options.output.mkdir(parents=True, exist_ok=True)
        check_new_name(options.output, options.name)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    if options.threads:
        torch.set_num_threads(options.threads)
    kind = options.surveys[0].lower() if len(options.surveys) == 1 else ""
    any_survey, variables = kind == "any", kind == "variables"
    if variables:
        options.redshift_weight = 0.0  # stars have none
    simulation = {"share": options.share, "seed": options.seed, "n_jobs": options.n_jobs}
    if options.simulate and any_survey:
        curves = simulate_any_survey((options.checkpoints or Path()) / "any-survey", **simulation)
    elif options.simulate and variables:
        curves = simulate_variable_stars(**simulation)
    elif options.simulate:
        curves = simulate_training_set(options.surveys, **simulation)
    else:
        curves = LightCurves.from_parquet(options.data)
        needed = {"class", "survey"} | ({"redshift"} if options.redshift_weight else set())
        missing = sorted(needed - set(curves.metadata.columns))
        if missing:
            parser.error(f"{options.data} has no column {missing[0]} in its objects.parquet")
        if not any_survey and not variables:
            curves = curves[curves.metadata["survey"].isin(options.surveys).to_numpy()]
        if not len(curves):
            parser.error(f"{options.data} has no objects of the surveys {options.surveys}.")
    print(f"{options.name}: {curves}")
    start = time.perf_counter()
    recipe = {
        name: getattr(options, name) for name in ("seed", "epochs", "cycles", "redshift_weight")
    }
    made: dict[str, Any] = {
        "summary": f"Trained on {len(curves):,} simulated {' and '.join(options.surveys)} "
        f"light curves of {{}} classes{_SUMMARY.get(options.objective, f', {options.objective}')}",
        "objective": options.objective + (" and redshift" if options.redshift_weight else ""),
        "training_data": f"{'sklc.simulate' if options.simulate else options.data.name}: "
        f"{', '.join(options.surveys)}",
        "n_objects": len(curves),
        "n_observations": len(curves.time),
        **recipe,
        **_passbands([curves.passbands[code] for code in np.unique(curves.band)]),
    }
    if options.trained:
        encoder = LightCurveEncoder.pretrained(options.trained)
        # These weights know themselves what they were trained on.
        made = made | {k: v for k, v in encoder._source().info.items() if k != "estimator"}
    else:
        encoder, made["metrics"] = pretrain(
            curves,
            objective=options.objective,
            **_SETTINGS.get(kind, _sizes)(options.hidden_size),
            checkpoint=options.checkpoints and options.checkpoints / f"{options.name}.checkpoint",
            device=options.device,
            verbose=1,
            **recipe,
        )
    made["summary"] = made["summary"].replace("{}", str(len(encoder.classes_)))
    if any_survey and not has_novelty(encoder._source().network):
        unknown = simulate_unknown(**simulation) if options.simulate else None
        encoder = add_novelty(encoder, curves, unknown=unknown, random_state=options.seed)
    if options.context:  # after all heads, since an adapter keeps what those say that are there
        encoder, metrics = fit_context(
            encoder, curves, redshift_weight=options.redshift_weight, seed=options.seed
        )
        made["metrics"] = made.get("metrics", {}) | metrics
    info = {
        **made,
        **({"class_shares": CLASS_SHARES} if any_survey else {}),
        "name": options.name,
        "hours": round((time.perf_counter() - start) / 3600, 2),
        "licence": "BSD-3-Clause",
        "command": _command(options),
        "date": date.today().isoformat(),
        "versions": {
            "sklc": sklc.__version__,
            "python": platform.python_version(),
            **{package: version(package) for package in ("torch", "numpy", "skorch")},
        },
    }
    path = encoder.save(options.output / file_name(options.name), **info)
    add_to_manifest(path, options.name, manifest_entry(path, info))
    print(f"wrote {path} ({path.stat().st_size / 1e3:.0f} kB): {json.dumps(made['metrics'])}")
