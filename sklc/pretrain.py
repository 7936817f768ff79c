"""Pretrain an encoder on simulated light curves: ``python -m sklc.pretrain --help``.

The data are made by `sklc.simulate` from the seed, or are a folder with ``objects.parquet``
(object_id, survey, class, redshift) and ``photometry.parquet``, as `LightCurves.from_parquet`
reads. Interrupted runs resume from their checkpoint when the same command is given again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import platform
from collections.abc import Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.utils.class_weight import compute_class_weight
from skorch.callbacks import Callback, Checkpoint, LoadInitState, LRScheduler
from torch.optim.lr_scheduler import LambdaLR

import sklc
from sklc._base import name_object
from sklc._net.augmentation import Augmentation, FlatCurves
from sklc._net.gru import LightCurveNetwork
from sklc._net.inference import encode_latents, resolve_device
from sklc._net.losses import ClassAndRedshiftLoss, ClassAndRedshiftNetwork
from sklc._net.representation import InputRepresentation
from sklc._net.training import CurveDataset, TrainingSettings, fit_net, seeded
from sklc.errors import LightCurveError
from sklc.light_curves import LightCurves, concatenate
from sklc.pretrained import FORMAT_VERSION
from sklc.pretrained import Checkpoint as WeightsFile

__all__ = ["main", "pretrain", "simulate_training_set"]

_LICENCE = "BSD-3-Clause"

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
        As `sklc.simulate.simulate` knows them.
    share : float, default=1.0
        Of the 90,000 light curves of each survey.
    seed : int
    n_jobs : int

    Returns
    -------
    LightCurves
        With the classes of Gupta, Muthukrishna, Rehemtulla & Shah (2025).

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
    return concatenate(
        [
            simulate(numbers, survey, TWELVE_CLASSES, random_state=seed, n_jobs=n_jobs)
            for survey in surveys
        ]
    )


class SimulatedDataset(CurveDataset):
    """Simulated light curves that are altered anew in every epoch.

    Parameters
    ----------
    curves : FlatCurves
    target : ndarray of shape (n_objects,)
        Class indices.
    log1p_z : ndarray of shape (n_objects,)
    representation : InputRepresentation
    augmentation : Augmentation or None
    seed : int
    """

    def __init__(self, curves, target, log1p_z, representation, augmentation, seed) -> None:
        self.simulated = curves
        self.targets = target, log1p_z.astype(np.float32)
        self.representation = representation
        self.augmentation = augmentation
        self.seed = seed
        self.redraw(0)

    def redraw(self, epoch: int) -> None:
        """Draw the light curves of an epoch, the same ones whenever it is asked for."""
        curves, objects = self.simulated, np.arange(len(self.targets[0]))
        if self.augmentation is not None:
            rng = np.random.default_rng([self.seed, epoch])
            curves, objects = self.augmentation(curves, rng)
        y, self.log1p_z = (target[objects] for target in self.targets)
        values, lengths = self.representation.encode(curves)
        super().__init__(values, lengths, y)

    def collate(self, batch):
        """Inputs, and the pair of targets."""
        inputs, y = super().collate(batch)
        return inputs, (y, torch.from_numpy(self.log1p_z[batch]))


class _RedrawEachEpoch(Callback):
    def on_epoch_begin(self, net, dataset_train=None, **kwargs) -> None:
        dataset_train.redraw(len(net.history))


class _WarmUpThenCosine:
    """Factor of the learning rate as a function of the epoch; a class, so it can be pickled."""

    def __init__(self, epochs: int, warm_up: int = 2) -> None:
        self.epochs, self.warm_up = epochs, warm_up

    def __call__(self, epoch: int) -> float:
        if epoch < self.warm_up:
            return (epoch + 1) / (self.warm_up + 1)
        fraction = (epoch - self.warm_up) / max(self.epochs - self.warm_up, 1)
        return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(fraction, 1.0)))


def pretrain(
    curves: LightCurves,
    *,
    epochs: int = 30,
    batch_size: int = 128,
    learning_rate: float = 3e-3,
    weight_decay: float = 1e-4,
    hidden_size: int = 100,
    redshift_weight: float = 0.15,
    representation: str | InputRepresentation = "relative",
    augmentation: Augmentation | None = Augmentation(),  # noqa: B008  frozen
    checkpoints: Path | None = None,
    device: str = "auto",
    seed: int = 0,
) -> tuple[WeightsFile, dict[str, Any]]:
    """Train an encoder to tell the simulated classes and redshifts.

    Parameters
    ----------
    curves : LightCurves
        With the metadata columns ``class``, ``redshift`` and ``survey``.
    epochs, batch_size, learning_rate, weight_decay, hidden_size
        Of the training and the network.
    redshift_weight : float
        Weight of the redshift likelihood beside the cross-entropy; 0 for classes alone.
    representation : str or InputRepresentation
    augmentation : Augmentation or None
    checkpoints : Path, optional
        Folder to save to after every epoch, and to resume from.
    device : str
    seed : int
        Of everything: the validation part, initial weights, batches, augmentation.

    Returns
    -------
    weights : Checkpoint
        The trained encoder with its class head.
    metrics : dict
        Macro one-vs-rest AUROC on 6 % of the simulated objects, held out, by survey.

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.datasets import load_demo
    >>> from sklc.pretrain import pretrain
    >>> curves, y = load_demo(return_X_y=True)
    >>> weights, metrics = pretrain(curves, epochs=1, hidden_size=4)
    >>> weights.classes
    ('SNII', 'SNIa', 'SNIb/c')
    """
    if isinstance(representation, str):
        representation = InputRepresentation.preset(representation)
    metadata = curves.metadata
    missing = metadata[["class", "survey", "redshift"]].isna().any(axis=1).to_numpy()
    if missing.any():
        raise LightCurveError(
            f"{name_object(curves, int(np.argmax(missing)))} has no class, survey or redshift "
            f"({missing.sum()} of {len(curves)} objects): leave such objects out."
        )
    classes, target = np.unique(metadata["class"].to_numpy(dtype=str), return_inverse=True)
    survey = metadata["survey"].to_numpy(dtype=str)
    log1p_z = np.log1p(metadata["redshift"].to_numpy(dtype=float))
    strata = np.char.add(survey, classes[target])
    rows, held_out = train_test_split(
        np.arange(len(target)), test_size=0.06, stratify=strata, random_state=seed
    )
    rows.sort()
    train = SimulatedDataset(
        FlatCurves.of(curves[rows]), target[rows], log1p_z[rows], representation, augmentation, seed
    )
    with seeded(seed):
        network = LightCurveNetwork(
            len(representation.channels), len(classes), hidden_size=hidden_size
        )
        module = ClassAndRedshiftNetwork(network)
    callbacks: list[Any] = [("redraw", _RedrawEachEpoch())]
    done = 0
    if checkpoints is not None:
        checkpoint = Checkpoint(dirname=str(checkpoints), monitor=None, fn_prefix="pretrain_")
        history = Path(checkpoints) / "pretrain_history.json"
        if history.exists():
            done = len(json.loads(history.read_text()))
            callbacks += [("resume", LoadInitState(checkpoint))]
    callbacks += [("schedule", LRScheduler(LambdaLR, lr_lambda=_WarmUpThenCosine(epochs)))]
    if checkpoints is not None:
        # Last, so that it saves the learning rate of the epoch that comes next.
        callbacks += [("checkpoint", checkpoint)]
    settings = TrainingSettings(
        max_epochs=epochs - done,
        batch_size=batch_size,
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        device=resolve_device(device),
        seed=seed,
        first_epoch=done,
        verbose=1,
    )
    weight = compute_class_weight("balanced", classes=np.arange(len(classes)), y=target[rows])
    criterion = ClassAndRedshiftLoss(weight, redshift_weight)
    fit_net(module, train, None, settings, criterion=criterion, callbacks=callbacks)
    metrics = _auroc_by_survey(
        network, representation, curves[held_out], target[held_out], survey[held_out]
    )
    return WeightsFile.from_network(network, representation, classes), metrics


def _auroc_by_survey(network, representation, curves, target, survey) -> dict[str, float]:
    latent = torch.from_numpy(encode_latents(network, representation, curves))
    with torch.inference_mode():
        probabilities = torch.softmax(network.head(latent).double(), dim=1).numpy()
    return {
        f"macro_auroc_{name}": round(
            float(
                roc_auc_score(
                    target[survey == name], probabilities[survey == name], multi_class="ovr"
                )
            ),
            4,
        )
        for name in np.unique(survey)
    }


def add_to_manifest(path: Path, name: str, entry: dict[str, Any], alias: str) -> None:
    """Enter a weights file into the manifest beside it; a name is never given twice."""
    file = path.parent / "manifest.json"
    known = json.loads(file.read_text()) if file.exists() else {"aliases": {}, "weights": {}}
    known["weights"][name] = entry
    known["aliases"][alias] = name
    file.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n")


def _command(options: argparse.Namespace) -> str:
    """Return the command that made the weights, without the folders of one machine."""
    source = "--simulate" if options.data is None else f"--data {options.data.name}"
    if options.data is None and options.share != 1:
        source += f" --share {options.share}"
    return (
        f"python -m sklc.pretrain {source} --surveys {' '.join(options.surveys)} "
        f"--name {options.name} --output sklc/weights --epochs {options.epochs} "
        f"--hidden-size {options.hidden_size} --redshift-weight {options.redshift_weight} "
        f"--seed {options.seed}"
    )


def main(arguments: list[str] | None = None) -> None:
    """Run the command line: ``python -m sklc.pretrain``.

    Parameters
    ----------
    arguments : list of str, optional
        Instead of those of the process.

    Examples
    --------
    >>> from sklc.pretrain import main
    >>> try:
    ...     main(["--help"])  # doctest: +ELLIPSIS
    ... except SystemExit:
    ...     pass
    usage: python -m sklc.pretrain [-h] (--data DATA | --simulate) ...
    """
    parser = argparse.ArgumentParser(prog="python -m sklc.pretrain", description=__doc__)
    data = parser.add_mutually_exclusive_group(required=True)
    data.add_argument("--data", type=Path, help="folder of simulated light curves")
    data.add_argument("--simulate", action="store_true", help="make them, from the seed")
    parser.add_argument("--share", type=float, default=1.0, help="of 90,000 simulated a survey")
    parser.add_argument("--n-jobs", type=int, default=1, help="processes that simulate")
    parser.add_argument("--surveys", nargs="+", default=["ZTF", "LSST"])
    parser.add_argument("--name", required=True, help="of the weights, such as ztf+lsst-v1")
    parser.add_argument("--output", type=Path, required=True, help="folder for the weights")
    parser.add_argument("--checkpoints", type=Path, help="folder to save to and resume from")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--hidden-size", type=int, default=100)
    parser.add_argument("--redshift-weight", type=float, default=0.15)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, help="torch threads")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    if options.threads:
        torch.set_num_threads(options.threads)
    if options.simulate:
        curves = simulate_training_set(
            options.surveys, share=options.share, seed=options.seed, n_jobs=options.n_jobs
        )
    else:
        curves = LightCurves.from_parquet(options.data)
        curves = curves[curves.metadata["survey"].isin(options.surveys).to_numpy()]
        if not len(curves):
            parser.error(f"{options.data} has no objects of the surveys {options.surveys}.")
    print(f"{options.name}: {curves}")
    weights, metrics = pretrain(
        curves,
        epochs=options.epochs,
        hidden_size=options.hidden_size,
        redshift_weight=options.redshift_weight,
        checkpoints=options.checkpoints,
        device=options.device,
        seed=options.seed,
    )
    bands = [curves.passbands[code] for code in np.unique(curves.band)]
    info = {
        "name": options.name,
        "summary": f"GRU trained on {len(curves):,} simulated {' and '.join(options.surveys)} "
        f"light curves of {len(weights.classes)} classes",
        "objective": "classifier and redshift" if options.redshift_weight else "classifier",
        "training_data": f"{'sklc.simulate' if options.simulate else options.data.name}: "
        f"{', '.join(options.surveys)}",
        "n_objects": len(curves),
        "n_observations": len(curves.time),
        "seed": options.seed,
        "redshift_weight": options.redshift_weight,
        "epochs": options.epochs,
        "passbands": {band.name: band.wavelength for band in bands},
        "metrics": metrics,
        "licence": _LICENCE,
        "command": _command(options),
        "date": date.today().isoformat(),
        "versions": {
            "sklc": sklc.__version__,
            "python": platform.python_version(),
            **{package: version(package) for package in ("torch", "numpy", "skorch")},
        },
    }
    weights.info.update(info)
    options.output.mkdir(parents=True, exist_ok=True)
    alias = options.name.rsplit("-v", 1)[0]
    path = weights.save(options.output / f"{options.name.replace('+', '_')}.safetensors")
    entry = {
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "format_version": FORMAT_VERSION,
        "version": options.name.rsplit("-v", 1)[-1],
        "classes": list(weights.classes),
        "input": weights.representation.to_dict(),
        **{key: value for key, value in info.items() if key != "name"},
    }
    add_to_manifest(path, options.name, entry, alias)
    print(f"wrote {path} ({path.stat().st_size / 1e3:.0f} kB): {json.dumps(metrics)}")


if __name__ == "__main__":
    main()
