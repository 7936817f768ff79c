"""Train an encoder on simulated light curves, and measure it on others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

from sklc.augment import ObservingConditions, Prefixes
from sklc.errors import LightCurveError
from sklc.estimators.encoder import LightCurveEncoder
from sklc.light_curves import LightCurves
from sklc.light_curves.metadata import name_object
from sklc.networks.architectures import GRU, Architecture
from sklc.networks.objectives import Objective
from sklc.representation import InputRepresentation

__all__ = ["any_survey_settings", "pretrain", "survey_groups"]


def pretrain(
    curves: LightCurves,
    *,
    objective: str | Objective = "classifier",
    epochs: int = 16,
    batch_size: int = 128,
    learning_rate: float = 3e-3,
    weight_decay: float = 1e-4,
    hidden_size: int = 100,
    cycles: int = 1,
    architecture: Architecture | None = None,
    redshift_weight: float = 0.3,
    representation: str | InputRepresentation = "relative",
    augment: Any = True,
    checkpoint: str | Path | None = None,
    callbacks: Sequence[Any] | None = None,
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
        How to train, and the size of the network.
    cycles : int, default=1
        How often the learning rate warms up and decays in the course of the epochs.
    architecture : Architecture, optional
        The network, instead of the default one with `hidden_size`.
    redshift_weight : float, default=0.3
        Weight of the redshift likelihood beside the cross-entropy; 0 for classes alone.
    representation : str or InputRepresentation, default="relative"
        What the network sees of an observation.
    augment : bool, str, transformer, sequence of these, or None, default=True
        How the light curves are altered in every epoch, as for `LightCurveEncoder`.
    checkpoint : str or Path, optional
        The file to save to after every epoch, and to continue from.
    callbacks : sequence of skorch callbacks, optional
        Callbacks that are added to the training, as for `LightCurveEncoder`.
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
        Measured on 6 % of the simulated objects, held out, by survey (all drawn surveys together):
        macro one-vs-rest AUROC, and with a redshift head the mean squared error of the redshift.

    Raises
    ------
    LightCurveError
        If an object has no class, no survey, or no redshift where it is needed.
    CheckpointError
        If `checkpoint` is damaged or of another training.
    ValueError
        If `cycles` is below 1.
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
    if cycles < 1:
        raise ValueError(f"cycles={cycles} must be at least 1.")
    metadata = curves.metadata
    needed = ["class", "survey", *(["redshift"] if redshift_weight else [])]
    missing = metadata[needed].isna().any(axis=1).to_numpy()
    if missing.any():
        raise LightCurveError(
            f"{name_object(curves, int(np.argmax(missing)))} has no {' or '.join(needed)} "
            f"({missing.sum()} of {len(curves)} objects): leave such objects out."
        )
    y = metadata["class"].to_numpy(dtype=str)
    strata = np.char.add(survey_groups(curves), y)
    rows, held_out = train_test_split(
        np.arange(len(y)), test_size=0.06, stratify=strata, random_state=seed
    )
    rows.sort()
    network: dict[str, Any] = {"hidden_size": hidden_size}
    if architecture is not None:
        network = {"architecture": architecture}
    encoder = LightCurveEncoder(
        objective=objective,
        redshift_weight=redshift_weight,
        augment=augment,
        representation=representation,
        **network,
        max_epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        learning_rate_decay=cycles if cycles > 1 else True,
        weight_decay=weight_decay,
        early_stopping=False,
        class_weight="balanced",
        checkpoint=checkpoint,
        callbacks=None if callbacks is None else list(callbacks),
        device=device,
        random_state=seed,
        verbose=verbose,
    ).fit(curves[rows], y[rows])
    return encoder, _held_out_metrics(encoder, curves[held_out])


def any_survey_settings(hidden_size: int) -> dict[str, Any]:
    """Return the arguments of `pretrain` for weights that suit any survey.

    Parameters
    ----------
    hidden_size : int
        Units of each layer.

    Returns
    -------
    dict
        Noise in years of forced photometry is not shown, latents are standardised, and light curves
        often end early, some after their first observations.

    Examples
    --------
    >>> from sklc.pretrain.training import any_survey_settings
    >>> any_survey_settings(128)["representation"]
    'corroborated'
    """
    return {
        "representation": "corroborated",
        "architecture": GRU(hidden_size=hidden_size, standardize_latent=True),
        "augment": [
            Prefixes(share=0.15, shortest=1, longest=30, min_points=1),
            ObservingConditions(min_points=2, prefixes=0.25),
        ],
        "batch_size": 256,
    }


def survey_groups(curves: LightCurves) -> np.ndarray:
    """Return the survey of each object; those that are drawn at random are one.

    Parameters
    ----------
    curves : LightCurves
        Light curves of n_objects, with a metadata column ``survey`` unless all are of one.

    Returns
    -------
    ndarray of str, shape (n_objects,)

    Examples
    --------
    >>> from sklc.datasets import load_demo
    >>> from sklc.pretrain.training import survey_groups
    >>> survey_groups(load_demo().curves[:2]).tolist()
    ['ZTF', 'ZTF']
    """
    if "survey" not in curves.metadata:
        return np.full(len(curves), "")
    survey = curves.metadata["survey"].astype(str)
    return survey.str.replace(r"^(random)-\d+$", r"\1", regex=True).to_numpy(dtype=str)


def _held_out_metrics(encoder: LightCurveEncoder, curves: LightCurves) -> dict[str, float]:
    network = encoder.net_.module_
    latent = torch.from_numpy(encoder.transform(curves))
    with torch.inference_mode():
        probabilities = torch.softmax(network.head(latent).double(), dim=1).numpy()
        predicted = None if network.redshift is None else network.redshift(latent).numpy()
    metadata = curves.metadata.reset_index(drop=True)
    metrics = {}
    for name, own in metadata.groupby(survey_groups(curves)):
        y, rows = own["class"].to_numpy(dtype=str), own.index
        # Of few objects, some classes have none here.
        scores = [
            roc_auc_score(y == label, column)
            for label, column in zip(encoder.classes_, probabilities[rows].T, strict=True)
            if 0 < np.sum(y == label) < len(y)
        ]
        if scores:
            metrics[f"macro_auroc_{name}"] = np.mean(scores)
        if predicted is not None:
            error = np.expm1(predicted[rows, 0]) - own["redshift"].to_numpy(dtype=float)
            metrics[f"redshift_mse_{name}"] = np.mean(error**2)
    return {name: round(float(value), 4) for name, value in metrics.items()}
