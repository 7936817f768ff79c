"""Train the novelty score of an encoder on simulated objects that belong to none of its classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.utils import check_random_state
from torch import nn

from sklc.augment import ObservingConditions, Prefixes
from sklc.augment.unknowns import make_unknown
from sklc.errors import LightCurveError
from sklc.estimators.class_heads import HeadData, fit_dense_head
from sklc.estimators.encoder import LightCurveEncoder
from sklc.light_curves import LightCurves, as_light_curves, unusable
from sklc.networks.architectures import EncoderNetwork
from sklc.networks.architectures.choice import network_from_config
from sklc.networks.architectures.modules import dense_layers
from sklc.networks.device import single_thread_in_workers
from sklc.networks.heads import DenseHead, in_double_precision, own_head
from sklc.networks.novelty import NOVELTY
from sklc.networks.training.loop import TrainingSettings, wrap
from sklc.utils.text import shown
from sklc.weights.trained import TrainedWeights

__all__ = ["add_novelty"]

# Units of the hidden layer; 16 to 128 differ by less than .01 in AUROC on kinds left out.
_HIDDEN = 64
# Kinds of unknown objects are left out in this many turns, to calibrate on kinds never seen.
_TURNS = 3
_VALIDATION = 0.15
_SETTINGS = TrainingSettings(
    max_epochs=25, batch_size=256, learning_rate=2e-3, weight_decay=1e-4, patience=4, verbose=0
)
# Variability without beginning and end, of which nothing unknown can be made.
_STATIONARY = ("AGN", "variable-star", "uLens", "artefact")
_FEWEST = 20
_KNOWN = "known"


def add_novelty(
    encoder: LightCurveEncoder | Any,
    curves: Any,
    y: Any = None,
    *,
    unknown: Any = None,
    n_objects: int = 40_000,
    random_state: Any = 0,
) -> LightCurveEncoder:
    """Return an encoder whose classifiers have a `novelty_score`.

    A small network on the frozen latents learns to tell light curves of the encoder's classes from
    unknown ones (outlier exposure, Hendrycks, Mazeika & Dietterich 2019). The unknown ones are
    altered light curves, which are mirrored in time, or given a second peak, a period, steps, dips,
    other colours, shapes or time scales, or the passbands of two objects; and those of `unknown`.
    All known classes have the same weight, as do all kinds of unknown objects, and both sides. The
    scores are calibrated on kinds that their network has not seen, by leaving out a third of the
    kinds in turn, and on light curves that end early.

    Parameters
    ----------
    encoder : LightCurveEncoder, str or path
        A fitted encoder, or the name or file of weights. It is not changed.
    curves : light curves of n_objects
        Light curves of the encoder's classes, preferably those that it was trained on.
    y : array-like of shape (n_objects,), optional
        Their classes, so that all can have the same weight; by default the metadata column
        ``class``, if there is one. Light curves of AGN, variable-star, uLens and artefact are not
        altered, because they have no beginning or end.
    unknown : light curves, optional
        Light curves of none of the classes, such as simulated ones of rare classes. Their metadata
        column ``class`` names their kinds.
    n_objects : int, default=40000
        Largest number of light curves to use, the same of each class if possible.
    random_state : int, RandomState instance or None, default=0
        Seed of all draws.

    Returns
    -------
    LightCurveEncoder
        A copy with the novelty score, which ``save`` and ``to_onnx`` keep.

    Raises
    ------
    ValueError
        If the encoder has no classes, or was fine-tuned, so that they no longer fit; or if
        `n_objects` is less than 20.
    LightCurveError
        If there are fewer than 20 light curves that can be used.

    Examples
    --------
    >>> from sklc import LightCurveEncoder, TransferClassifier
    >>> from sklc.datasets import load_demo
    >>> from sklc.pretrain import add_novelty
    >>> curves = load_demo().curves
    >>> encoder = add_novelty(LightCurveEncoder("ztf"), curves[::2])
    >>> score = TransferClassifier(encoder, finetune="none").fit(curves).novelty_score(curves)
    >>> bool((score >= 0).all() and (score <= 1).all())
    True
    """
    if not isinstance(encoder, LightCurveEncoder):
        encoder = LightCurveEncoder(encoder)
    source = encoder._source()
    own_head(source.network)  # refuses an encoder without classes
    if encoder._is_fine_tuned():
        raise ValueError(
            "This encoder was fine-tuned, so its own classes no longer fit its latents: add the "
            "novelty score to the weights that it started from."
        )
    if n_objects < _FEWEST:
        raise ValueError(f"n_objects={shown(n_objects)} is too few: ask for at least {_FEWEST}.")
    seed = check_random_state(random_state).randint(2**31 - 1)
    rng, curves = np.random.default_rng(seed), as_light_curves(curves)
    classes = _classes(curves, y)
    rows = _drawn(classes, n_objects, rng)
    curves, classes = curves[rows], classes[rows]
    bases = np.flatnonzero(~np.isin(classes, _STATIONARY))
    made, kinds = make_unknown(curves[bases], rng)
    parts = [(curves, classes, np.full(len(curves), _KNOWN, dtype=object)), (made, None, kinds)]
    if unknown is not None:
        others = as_light_curves(unknown)
        parts.append((others, None, np.char.add("given ", _classes(others, None))))
    latents, sources, groups = [], [], []
    for part, names, told in parts:
        seen, left = _observed(part, encoder, rng)
        latents.append(encoder.transform(seen))
        sources.append(told[left].astype(str))
        groups.append((told if names is None else names)[left].astype(str))
    kind = np.concatenate(sources)
    data = _data(np.concatenate(latents), kind, np.concatenate(groups))
    n_known, n_unknown = np.bincount(data.target, minlength=2)
    if min(n_known, n_unknown) < _FEWEST:
        raise LightCurveError(
            f"{n_known} light curves can be used, of which {n_unknown} unknown ones were made: "
            f"give at least {_FEWEST} transients, and better thousands."
        )
    with single_thread_in_workers():
        head = _fit(data, np.arange(len(kind)), seed)
        slope, offset = _calibration(data, kind, seed, rng)
    network = _with_head(source, _one_logit(head, slope, offset))
    trained = TrainedWeights(
        wrap(network),
        source.representation,
        encoder.classes_,
        source.metadata_columns,
        from_weights=getattr(source, "from_weights", True),
        facts=_facts(source.info),
    )
    return encoder._holding(trained)


def _facts(info: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in info.items() if key != "fine_tuned"}


def _classes(curves: LightCurves, y: Any) -> np.ndarray:
    """Return the names of the classes; all the same where they are not known."""
    if y is None and "class" in curves.metadata:
        y = curves.metadata["class"]
    if y is None:
        return np.full(len(curves), "unlabelled")
    y = np.asarray(y)
    if y.shape != (len(curves),):
        raise ValueError(f"y has shape {y.shape} for {len(curves)} light curves: pass one each.")
    return y.astype(str)


def _drawn(classes: np.ndarray, n_objects: int, rng: np.random.Generator) -> np.ndarray:
    """Draw at most `n_objects`, of rare classes as many as there are."""
    order = rng.permutation(len(classes))
    _, code = np.unique(classes[order], return_inverse=True)
    by_class = np.argsort(code, kind="stable")
    starts = np.searchsorted(code[by_class], code[by_class])
    rank = np.empty(len(code), dtype=np.int64)
    rank[by_class] = np.arange(len(code)) - starts
    return np.sort(order[np.argsort(rank, kind="stable")[:n_objects]])


def _observed(
    curves: LightCurves, encoder: LightCurveEncoder, rng: np.random.Generator
) -> tuple[LightCurves, np.ndarray]:
    """End light curves early, as in training, and return those that can be encoded, and which."""
    has_errors = not np.isnan(curves.flux_err).any()
    early = Prefixes(
        share=0.3, shortest=1, longest=30, snr=5.0 if has_errors else None, min_points=1
    )
    steps: list[Any] = [early]
    if has_errors:
        steps.append(ObservingConditions(min_points=2, prefixes=0.25))
    for step in steps:
        curves = step._redrawn(curves, rng) if len(curves) else curves
    lost = unusable(curves, min_points=encoder.min_points).index
    left = np.setdiff1d(np.arange(len(curves)), lost)
    return curves[left], left


def _data(latent: np.ndarray, kind: np.ndarray, own: np.ndarray) -> HeadData:
    """Return latents of known (0) and unknown (1) objects; both sides weigh the same."""
    target = (kind != _KNOWN).astype(np.int64)
    weight = np.zeros(len(kind))
    for side in (0, 1):
        rows = np.flatnonzero(target == side)
        _, group, count = np.unique(own[rows], return_inverse=True, return_counts=True)
        weight[rows] = len(kind) / 2 / max(len(count), 1) / count[group]
    return HeadData(latent, None, target, weight, np.ones(2))


def _fit(data: HeadData, rows: np.ndarray, seed: int) -> DenseHead:
    order = np.random.default_rng(seed).permutation(rows)
    n_valid = int(_VALIDATION * len(rows))
    settings = replace(_SETTINGS, seed=seed)
    net = fit_dense_head(
        data, order[n_valid:], order[:n_valid], sizes=(_HIDDEN,), settings=settings
    )
    return net.module_.eval()


def _calibration(
    data: HeadData, kind: np.ndarray, seed: int, rng: np.random.Generator
) -> tuple[float, float]:
    """Return slope and offset of log odds, from kinds and objects that networks have not seen."""
    names = np.unique(kind[kind != _KNOWN])
    turn_of = dict(zip(rng.permutation(names), np.arange(len(names)) % _TURNS, strict=True))
    turn = np.array([turn_of.get(name, -1) for name in kind])
    known = np.flatnonzero(kind == _KNOWN)
    turn[known] = rng.integers(_TURNS, size=len(known))
    score = np.zeros(len(kind))
    for k in range(_TURNS):
        head, unseen = _fit(data, np.flatnonzero(turn != k), seed), turn == k
        logits = in_double_precision(head, data.latent[unseen])
        score[unseen] = logits[:, 1] - logits[:, 0]
    model = LogisticRegression(C=1e4).fit(score[:, None], data.target, data.weight)
    # A network that has learned nothing must not be turned around.
    return max(float(model.coef_[0, 0]), 0.0), float(model.intercept_[0])


def _one_logit(head: DenseHead, slope: float, offset: float) -> nn.Module:
    """Return the log odds of two logits, without the scaling of the latent, and calibrated."""
    first, _, last = head.output
    layers = dense_layers(head.latent_size, (_HIDDEN, 1))
    with torch.no_grad():
        weight = first.weight / head.standardize.scale
        layers[0].weight.copy_(weight)  # type: ignore[index]
        layers[0].bias.copy_(first.bias - weight @ head.standardize.mean)  # type: ignore[index]
        layers[2].weight.copy_(slope * (last.weight[1:] - last.weight[:1]))  # type: ignore[index]
        layers[2].bias.copy_(slope * (last.bias[1:] - last.bias[:1]) + offset)  # type: ignore[index]
    return layers


def _with_head(source: Any, head: nn.Module) -> EncoderNetwork:
    """Return a copy of a network with the further head."""
    config, state = source.network.config, source.network.state_dict()
    heads = {**config["heads"], NOVELTY: [_HIDDEN, 1]}
    network = network_from_config({**config, "heads": heads}, source.representation.channels)
    own = {f"heads.{NOVELTY}.{name}": value for name, value in head.state_dict().items()}
    network.load_state_dict({**state, **own})
    return network.eval()
