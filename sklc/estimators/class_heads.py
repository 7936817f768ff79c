"""Fit the head of a transfer classifier on the latents of a frozen encoder."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold
from skorch import NeuralNet
from torch import nn

from sklc.estimators.prefixes import PrefixRows, phases_among
from sklc.networks.heads import DenseHead, in_double_precision
from sklc.networks.joined import JoinedHead, join_columns
from sklc.networks.objectives.losses import CrossEntropy
from sklc.networks.phased import PhasedHead, phases_of
from sklc.networks.training.datasets import LatentDataset
from sklc.networks.training.loop import TrainingSettings, fit_net, seeded
from sklc.uncertainty.interface import HeldOut

__all__ = [
    "HeadData",
    "choose_strength",
    "fit_dense_head",
    "fit_gate",
    "fit_linear_head",
    "fit_phased_head",
    "hold_out",
]

# Inverse L2 strengths that are tried; on simulated supernovae the best lie between .03 and .3.
_C_GRID = np.logspace(-2, 0.5, 6)
# The strength if fewer than two classes have several members, so that there is no choice.
_FIXED_C = 0.1
# With more labels than this, the strength matters little and is chosen on a subset.
_MOST_FOR_CHOICE = 5_000
_FOLDS = 5
# Tolerance of a solution that starts from one of nearly the same objects, one of many: the default
# of scikit-learn takes twice as many steps, and changes logits by less than a hundredth.
_TOLERANCE_FROM_START = 1e-3
# Rows with dropped units for each light curve or prefix, and about how many of all are enough.
_COPIES_WITH_DROPOUT, _MOST_WITH_DROPOUT = 8, 20_000
# Inverse L2 strength of the gate, and that of the heads of earlier phases relative to the head of
# whole light curves: prefixes of one object are alike, and say less. Results depend little on them.
_GATE_C, _EARLY_C = 0.3, 0.2


@dataclass(frozen=True)
class HeadData:
    """What a head is fitted on.

    Parameters
    ----------
    latent : ndarray of shape (n_objects, latent_size)
        Latents of the encoder.
    metadata : ndarray of shape (n_objects, n_columns) or None
        Per-object columns that join the latent.
    target : ndarray of shape (n_objects,)
        Class indices.
    sample_weight : ndarray of shape (n_objects,)
        Weight of each object in the loss. Those with a weight of 0 do not count.
    class_weight : ndarray of shape (n_classes,)
        Weight of each class, by which those of its objects are multiplied.
    features : ndarray of shape (n_objects, n_features) or None, default=None
        Features that are joined to the latent.
    prefixes : PrefixRows or None, default=None
        Beginnings of the light curves, which stay with their objects in every split.
    """

    latent: np.ndarray
    metadata: np.ndarray | None
    target: np.ndarray
    sample_weight: np.ndarray
    class_weight: np.ndarray
    features: np.ndarray | None = None
    prefixes: PrefixRows | None = None

    @property
    def extra(self) -> np.ndarray | None:
        """What a head with features reads beside the latent: metadata, then features."""
        return join_columns(self.metadata, self.features)

    @property
    def weight(self) -> np.ndarray:
        """Weight of each object, including that of its class, (n_objects,)."""
        return self.sample_weight * self.class_weight[self.target]

    def subset(self, rows: np.ndarray) -> HeadData:
        """Return the objects `rows`, in that order."""

        def part(values: np.ndarray | None) -> np.ndarray | None:
            return None if values is None else values[rows]

        return HeadData(
            self.latent[rows],
            part(self.metadata),
            self.target[rows],
            self.sample_weight[rows],
            self.class_weight,
            part(self.features),
            None if self.prefixes is None else self.prefixes.subset(rows),
        )

    def stacked(self) -> HeadData:
        """Return one row for each light curve and, behind them, one for each prefix.

        An object counts as often as before: its weight is shared among its rows.
        """
        if self.prefixes is None:
            return self
        own = self.prefixes.owner
        row = np.append(np.arange(len(self.target)), own)
        weight = self.sample_weight * self.prefixes.shares(len(self.target))
        features = self.prefixes.features
        return HeadData(
            np.concatenate([self.latent, self.prefixes.latent]),
            None if self.metadata is None else self.metadata[row],
            self.target[row],
            weight[row],
            self.class_weight,
            None if features is None else np.concatenate([self.features, features]),
        )

    def with_prefixes(self, rows: np.ndarray) -> np.ndarray:
        """Positions in `stacked` of the objects `rows` and of their prefixes."""
        if self.prefixes is None:
            return rows
        return np.append(rows, len(self.target) + self.prefixes.of(rows))

    def with_dropout(self, rate: float, seed: int) -> HeadData:
        """Return several rows for each, with units of the latent replaced by their mean at random.

        An object counts as often as before. A head that is solved on them is one that is trained
        with dropout of the latent.
        """
        rng, n_objects = np.random.default_rng(seed), len(self.target)
        n_rows = n_objects + (0 if self.prefixes is None else len(self.prefixes.owner))
        n_copies = int(np.clip(_MOST_WITH_DROPOUT // max(n_rows, 1), 1, _COPIES_WITH_DROPOUT))
        mean = np.average(self.latent, axis=0, weights=self.sample_weight)

        def dropped(latent: np.ndarray) -> np.ndarray:
            kept = rng.random((n_copies * len(latent), latent.shape[1])) >= rate
            away = np.tile(latent - mean, (n_copies, 1))
            return (mean + away * kept / (1 - rate)).astype(latent.dtype)

        copies = replace(self, prefixes=None).subset(np.tile(np.arange(n_objects), n_copies))
        prefixes = self.prefixes
        if prefixes is not None:
            first = n_objects * np.arange(n_copies)[:, None]
            prefixes = PrefixRows(
                dropped(prefixes.latent),
                (prefixes.owner + first).ravel(),
                np.tile(prefixes.days, n_copies),
                None if prefixes.features is None else np.tile(prefixes.features, (n_copies, 1)),
            )
        return replace(
            copies,
            latent=dropped(self.latent),
            sample_weight=copies.sample_weight / n_copies,
            prefixes=prefixes,
        )

    def new_head(self, sizes: Sequence[int] = (), dropout: float = 0.0) -> DenseHead:
        """Return a head that knows the statistics of the columns, and is not trained."""
        n_metadata = 0 if self.metadata is None else self.metadata.shape[1]
        n_classes = len(self.class_weight)
        head = DenseHead(self.latent.shape[1], n_classes, sizes, n_metadata, dropout)
        head.set_statistics(*self.tensors(), torch.from_numpy(self.sample_weight))
        return head

    def scaled(self) -> tuple[DenseHead, np.ndarray]:
        """Return a new linear head, and what its last layer reads, (n_objects, n_columns)."""
        head = self.new_head()
        return head, head.standardize(head.join(*self.tensors())).double().numpy()

    def tensors(self) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return latents and metadata as a head takes them."""
        metadata = None if self.metadata is None else torch.from_numpy(self.metadata)
        return torch.from_numpy(self.latent), metadata

    def splittable(self) -> np.ndarray:
        """Rows that count, of classes with at least two of them."""
        rows = np.flatnonzero(self.sample_weight > 0)
        counts = np.bincount(self.target[rows], minlength=len(self.class_weight))
        return rows[counts[self.target[rows]] > 1]

    def folds(
        self, rows: np.ndarray, seed: int, n_folds: int | None = None
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        """Divide splittable `rows` into stratified folds: other rows, and those of the fold.

        Without `n_folds`, every fold has all classes.
        """
        target = self.target[rows]
        counts = np.unique(target, return_counts=True)[1]
        if n_folds is None:
            n_folds = min(_FOLDS, int(counts.min()))
        splitter = StratifiedKFold(min(n_folds, int(counts.max())), shuffle=True, random_state=seed)
        with warnings.catch_warnings():
            # Of a class with fewer members than folds, some are among the others all the same.
            warnings.filterwarnings("ignore", message="The least populated class")
            folds = list(splitter.split(target, target))
        return [(rows[others], rows[unseen]) for others, unseen in folds]


def fit_linear_head(data: HeadData, C: float, start: nn.Module | None = None) -> DenseHead:
    """Solve a linear head as a logistic regression.

    Parameters
    ----------
    data : HeadData
        Objects of all classes.
    C : float
        Inverse L2 strength on scaled latents.
    start : DenseHead or None, default=None
        A linear head of nearly the same objects, from which fewer steps are needed.
    """
    head, X = data.scaled()
    regression = LogisticRegression(C=C, max_iter=1000)
    if isinstance(start, DenseHead):
        regression.set_params(warm_start=True, tol=_TOLERANCE_FROM_START)
        regression.coef_, regression.intercept_ = (
            (values[1:] - values[:1] if len(values) == 2 else values)
            for values in (p.detach().double().numpy() for p in start.output.parameters())
        )
    regression.fit(X, data.target, data.weight)
    weights, bias = regression.coef_, regression.intercept_
    if len(data.class_weight) == 2:
        # One logit against 0, shared evenly, is the same model as two logits.
        weights = np.concatenate([-weights, weights]) / 2
        bias = np.concatenate([-bias, bias]) / 2
    with torch.no_grad():
        head.output.weight.copy_(torch.from_numpy(weights))
        head.output.bias.copy_(torch.from_numpy(bias))
    return head


def fit_gate(data: HeadData) -> nn.Module | None:
    """Solve a linear head that recognises the phase of a light curve; whole ones are of the last.

    Returns None if there are no prefixes, or too few of them.
    """
    phases = None if data.prefixes is None else phases_among(data.prefixes.days)
    if phases is None:
        return None
    rows, (early, whole) = data.stacked(), phases
    phase = np.append(np.full(len(data.target), whole), early)
    known = HeadData(rows.latent, None, phase, rows.sample_weight, np.ones(whole + 1))
    return fit_linear_head(known, _GATE_C)


def fit_phased_head(data: HeadData, C: float, start: nn.Module | None = None) -> nn.Module:
    """Solve a linear head for each phase of the light curves, and a gate that recognises it.

    Without prefixes there is a single phase. With them, the head of the latest learns from whole
    light curves, and from prefixes as far as they look like these, so that it is as good on whole
    light curves as it would be alone. The heads of earlier phases learn from all rows, weighted by
    how much they look like their phase.

    Parameters
    ----------
    data : HeadData
        Objects of all classes, and their prefixes.
    C : float
        Inverse L2 strength on scaled latents.
    start : torch.nn.Module or None, default=None
        Such a head of nearly the same objects, which recognises the phases as this one shall.
    """
    before = start if isinstance(start, PhasedHead) else None
    gate = fit_gate(data) if before is None else copy.deepcopy(before.gate)
    if gate is None:
        return fit_linear_head(replace(data, prefixes=None), C, start)
    rows, n_objects = data.stacked(), len(data.target)
    logits = in_double_precision(gate, rows.latent)
    shares = softmax(logits, axis=1) * rows.sample_weight[:, None]
    shares[:n_objects, -1] = data.sample_weight
    shares *= data.sample_weight.sum() / shares.sum(axis=0)
    n_phases = shares.shape[1]
    strengths = (*[C * _EARLY_C] * (n_phases - 1), C)
    starts = [None] * n_phases if before is None else list(before.heads)
    heads = [
        fit_linear_head(replace(rows, sample_weight=weight), strength, own)
        for weight, strength, own in zip(shares.T, strengths, starts, strict=True)
    ]
    return PhasedHead(heads, gate)


def choose_strength(data: HeadData, seed: int) -> float:
    """Choose the inverse L2 strength of a linear head.

    It has the lowest log loss in stratified cross-validation on the classes with at least two
    members, and is 0.1 where there are no two such classes.
    """
    rows = data.splittable()
    if len(np.unique(data.target[rows])) < 2:
        return _FIXED_C
    if len(rows) > _MOST_FOR_CHOICE:
        # A random subset in which every class has, if possible, one member per fold.
        order = np.random.default_rng(seed).permutation(rows)
        rank = pd.Series(data.target[order]).groupby(data.target[order]).cumcount().to_numpy()
        rows = order[np.argsort(rank >= _FOLDS, kind="stable")][:_MOST_FOR_CHOICE]
    # Not LogisticRegressionCV: releases differ in its arguments, and in how it weights the score.
    (_, X), target, weight = data.scaled(), data.target, data.weight
    regression, loss = LogisticRegression(max_iter=1000), np.zeros(len(_C_GRID))
    for others, unseen in data.folds(rows, seed):
        for number, C in enumerate(_C_GRID):
            regression.set_params(C=C).fit(X[others], target[others], weight[others])
            predicted = regression.predict_proba(X[unseen])
            loss[number] += log_loss(
                target[unseen], predicted, sample_weight=data.sample_weight[unseen]
            )
    return float(_C_GRID[np.argmin(loss)])


def hold_out(head: nn.Module, data: HeadData, rows: np.ndarray) -> HeldOut:
    """Return what a head says about objects that it has not seen, those at `rows`."""
    unseen = data.subset(rows)

    def part(data: HeadData, prefixes: HeldOut | None = None) -> HeldOut:
        extra = data.extra if isinstance(head, JoinedHead) else data.metadata
        logits = in_double_precision(head, data.latent, extra)
        fold = np.zeros(len(logits), dtype=np.int64)
        phase = phases_of(head, data.latent)
        return HeldOut((head,), fold, logits, data.target, data.sample_weight, phase, prefixes)

    if unseen.prefixes is None:
        return part(unseen)
    everything = unseen.stacked()
    return part(unseen, part(everything.subset(np.arange(len(rows), len(everything.target)))))


def fit_dense_head(
    data: HeadData,
    rows: np.ndarray,
    held_out: np.ndarray | None,
    sizes: Sequence[int],
    settings: TrainingSettings,
    callbacks: Sequence = (),
    dropout: float = 0.0,
) -> NeuralNet:
    """Train a head with hidden layers on the objects `rows`, stopping early on `held_out`."""
    with seeded(settings.seed):
        head = data.subset(rows).stacked().new_head(sizes, dropout)
    rows = data.with_prefixes(rows)
    held_out = None if held_out is None else data.with_prefixes(held_out)
    data = data.stacked()
    dataset = LatentDataset(
        data.target,
        sample_weight=data.weight.astype(np.float32),
        latent=data.latent,
        head_metadata=data.metadata,
    )
    return fit_net(
        head,
        dataset.subset(rows),
        None if held_out is None else dataset.subset(held_out),
        settings,
        criterion=CrossEntropy(),
        callbacks=callbacks,
    )
