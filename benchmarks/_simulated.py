"""What the benchmarks on simulations share: encoders pretrained here, and kept in a folder."""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from skorch.callbacks import Callback

from sklc import LightCurveEncoder
from sklc.light_curves import LightCurves, concatenate
from sklc.pretrain import pretrain, simulate_training_set
from sklc.representation import PRESETS
from sklc.simulate import COMMON_CLASSES, simulate
from sklc.weights.file import WeightsFile

CACHE = Path(__file__).parent / ".cache"

# Light curves of one survey in a whole training set of `sklc.pretrain`.
WHOLE = 90_000
# Seed of all that encoders are tested on, never trained: far from those of training sets.
TEST_SEED = 1000


@dataclass(frozen=True)
class Recipe:
    """How an encoder is pretrained; equal recipes give equal encoders.

    Parameters
    ----------
    surveys : tuple of str
    eight_classes : bool
        Those of Gupta, Muthukrishna & Audenaert (2025), in equal numbers; else the twelve of
        Gupta et al. (2025) in the numbers of `sklc.pretrain`.
    share : float
        Fraction of 90,000 light curves per survey.
    objective, representation, augment, redshift_weight, hidden_size, epochs, seed
        As in `sklc.pretrain.pretrain`.
    """

    surveys: tuple[str, ...] = ("ZTF", "LSST")
    eight_classes: bool = False
    share: float = 0.1
    objective: str = "classifier"
    representation: str = "relative"
    augment: bool = True
    redshift_weight: float = 0.0
    hidden_size: int = 64
    epochs: int = 8
    seed: int = 0


def add_cache_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--cache",
        type=Path,
        metavar="DIR",
        default=CACHE,
        help="folder of the encoders pretrained here; a run that was stopped goes on from it "
        "(benchmarks/.cache)",
    )


@lru_cache(maxsize=4)
def training_set(
    surveys: tuple[str, ...], eight_classes: bool, share: float, seed: int, n_jobs: int = 1
) -> LightCurves:
    """Simulate light curves to pretrain on."""
    if not eight_classes:
        return simulate_training_set(surveys, share=share, seed=seed, n_jobs=n_jobs)
    number = max(20, round(share * WHOLE / len(COMMON_CLASSES)))
    return concatenate(
        [simulate(number, survey, random_state=seed, n_jobs=n_jobs) for survey in surveys]
    )


def pretrained(recipe: Recipe, cache: Path, n_jobs: int = 1) -> tuple[Path, dict[str, Any]]:
    """Return the file of an encoder's weights, trained where it is not there yet.

    Parameters
    ----------
    recipe : Recipe
    cache : Path
        Folder of the files, which the recipe names, and of the checkpoints of a running training.
    n_jobs : int
        Processes that simulate.

    Returns
    -------
    path : Path
    metrics : dict
        Metrics of `sklc.pretrain.pretrain`, and the CPU seconds of simulation and training (of the
        last part only, if a run was resumed from its checkpoint).
    """
    return trained_once(
        f"{'+'.join(recipe.surveys)}-{recipe.objective}",
        recipe,
        lambda: training_set(
            recipe.surveys, recipe.eight_classes, recipe.share, recipe.seed, n_jobs
        ),
        cache,
        objective=recipe.objective,
        representation=recipe.representation,
        augment=recipe.augment,
        redshift_weight=recipe.redshift_weight,
        hidden_size=recipe.hidden_size,
        epochs=recipe.epochs,
        seed=recipe.seed,
    )


class KeepEpochs(Callback):
    """Keep the weights that there are after each epoch, in files of their own.

    Parameters
    ----------
    path : Path
        Where the weights go in the end; `after_epoch` says where those of an epoch are.
    representation : str
        Name of the input representation.
    classes : sequence of str
        The classes, in alphabetical order.
    """

    def __init__(self, path: Path, representation: str, classes: Sequence[str]) -> None:
        self.path, self.representation, self.classes = path, representation, classes

    def on_epoch_end(self, net, **kwargs) -> None:
        WeightsFile.from_network(
            net.module_.encoder, PRESETS[self.representation], self.classes
        ).save(after_epoch(self.path, len(net.history)))


def after_epoch(path: Path, epoch: int) -> Path:
    """Return the file of the weights after an epoch, beside those of the whole training."""
    return path.with_name(f"{path.stem}-epoch{epoch}.safetensors")


def trained_once(
    label: str,
    recipe: Any,
    curves: Callable[[], LightCurves],
    cache: Path,
    *,
    keep_epochs: bool = False,
    **settings: Any,
) -> tuple[Path, dict[str, Any]]:
    """Return the file of an encoder's weights and its metrics, trained where it is not there yet.

    Parameters
    ----------
    label : str
        What the names of the files begin with.
    recipe : dataclass
        All that the encoder depends on; equal recipes give equal encoders.
    curves : callable
        Returns the light curves to train on, where they are needed.
    cache : Path
        As in `pretrained`.
    keep_epochs : bool
        Whether to keep the weights `after_epoch`.
    **settings
        Arguments of `sklc.pretrain.pretrain`.
    """
    cache.mkdir(parents=True, exist_ok=True)
    (cache / ".gitignore").write_text("*\n")
    digest = hashlib.sha256(json.dumps(asdict(recipe), sort_keys=True).encode()).hexdigest()[:12]
    name = f"{label}-{digest}"
    path, record = cache / f"{name}.safetensors", cache / f"{name}.json"
    if not record.is_file():
        start, made = time.process_time(), curves()
        if keep_epochs:
            classes = np.unique(made.metadata["class"].to_numpy(dtype=str))
            settings["callbacks"] = [KeepEpochs(path, settings["representation"], classes)]
        encoder, metrics = pretrain(
            made, checkpoint=cache / f"{name}.checkpoint", device="cpu", verbose=0, **settings
        )
        encoder.save(path)
        metrics["cpu_seconds"] = round(time.process_time() - start, 1)
        # Written last: where it is, the encoder is whole.
        record.write_text(json.dumps({"recipe": asdict(recipe), "metrics": metrics}, indent=1))
        (cache / f"{name}.checkpoint").unlink(missing_ok=True)
        print(f"pretrained {name}: {metrics}", flush=True)
    return path, json.loads(record.read_text())["metrics"]


def load(path: Path) -> LightCurveEncoder:
    return LightCurveEncoder(path, device="cpu")
