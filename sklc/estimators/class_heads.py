"""Fit the head of a transfer classifier on the latents of a frozen encoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from skorch import NeuralNet

from sklc.estimators.pretrained_classes import fit_joint_shares
from sklc.networks.heads import DenseHead, PooledHead
from sklc.networks.objectives.losses import WeightedCrossEntropy
from sklc.networks.training.datasets import LatentDataset
from sklc.networks.training.loop import TrainingSettings, fit_net, seeded, wrap
from sklc.uncertainty.classes import HeldOut, head_logits

__all__ = ["LinearHeads", "fit_dense_head", "fit_linear_head", "hold_out"]

# Inverse L2 strengths that are tried; on simulated supernovae the best lie between .03 and .3.
_C_GRID = np.logspace(-2, 0.5, 6)
# With more labels than this the strength hardly matters, so it is chosen on a part of them.
_MOST_FOR_CHOICE = 5_000
_FOLDS = 5


def fit_linear_head(
    latent: np.ndarray,
    head_metadata: np.ndarray | None,
    target: np.ndarray,
    *,
    C: float | None,
    class_weight: np.ndarray,
    seed: int,
) -> tuple[NeuralNet, float]:
    """Solve a linear head as a logistic regression, and return it with its inverse strength.

    Parameters
    ----------
    latent : ndarray of shape (n_objects, latent_size)
    head_metadata : ndarray of shape (n_objects, n_columns) or None
    target : ndarray of shape (n_objects,)
        Class indices, all present.
    C : float or None
        Inverse L2 strength on scaled latents; None chooses it by the log loss in stratified
        cross-validation.
    class_weight : ndarray of shape (n_classes,)
    seed : int
    """
    n_classes = int(target.max()) + 1
    head = DenseHead(latent.shape[1], n_classes, (), _width(head_metadata))
    inputs = torch.from_numpy(latent)
    extra = None if head_metadata is None else torch.from_numpy(head_metadata)
    head.set_statistics(inputs, extra)
    X = head.standardize(head.join(inputs, extra)).double().numpy()
    regression = LogisticRegression(max_iter=1000, class_weight=dict(enumerate(class_weight)))
    if C is None:
        C = _choose_strength(regression, X, target, seed)
    regression.set_params(C=C).fit(X, target)
    weights, bias = regression.coef_, regression.intercept_
    if n_classes == 2:
        # One logit against 0, shared evenly, is the same model as two logits.
        weights = np.concatenate([-weights, weights]) / 2
        bias = np.concatenate([-bias, bias]) / 2
    with torch.no_grad():
        head.output.weight.copy_(torch.from_numpy(weights))
        head.output.bias.copy_(torch.from_numpy(bias))
    return wrap(head), float(C)


@dataclass(frozen=True)
class LinearHeads:
    """Linear heads on parts of one training set, pooled with the encoder's own classes.

    Parameters
    ----------
    target : ndarray of shape (n_objects,)
        Class indices.
    head_metadata : ndarray of shape (n_objects, n_columns) or None
    class_weight : ndarray of shape (n_classes,)
    seed : int
    own : torch.nn.Linear or None
        The class head that the encoder was pretrained with; None leaves its classes out.
    prior_labels : float
        Number of labels that count as much as those classes.
    """

    target: np.ndarray
    head_metadata: np.ndarray | None
    class_weight: np.ndarray
    seed: int
    own: torch.nn.Linear | None
    prior_labels: float

    def solve(
        self, latent: np.ndarray, rows: np.ndarray, C: float | None
    ) -> tuple[DenseHead, float]:
        """Solve a head on the objects `rows`, and return it with its inverse strength."""
        net, C = fit_linear_head(
            latent[rows],
            None if self.head_metadata is None else self.head_metadata[rows],
            self.target[rows],
            C=C,
            class_weight=self.class_weight,
            seed=self.seed,
        )
        return net.module_, C

    def pool(self, head: DenseHead, latent: np.ndarray, rows: np.ndarray) -> torch.nn.Module:
        """Pool a head solved on `rows` with the own classes, matched to the labels of `rows`."""
        if self.own is None or not self.prior_labels:
            return head
        with torch.inference_mode():
            own = torch.softmax(self.own(torch.from_numpy(latent[rows])).double(), dim=1)
        joint = fit_joint_shares(own.numpy(), self.target[rows], self.class_weight)
        share = self.prior_labels / (self.prior_labels + len(rows))
        return PooledHead(head, self.own, torch.from_numpy(joint).float(), share)

    def fit(self, latent: np.ndarray, rows: np.ndarray, C: float | None) -> torch.nn.Module:
        """Solve and pool."""
        return self.pool(self.solve(latent, rows, C)[0], latent, rows)

    def cross_fit(self, latent: np.ndarray, C: float | None) -> HeldOut:
        """Fit on all folds but one, for each, and keep what the head says of that one.

        No class may have a single member.
        """
        n_folds = min(_FOLDS, int(np.bincount(self.target).min()))
        folds = StratifiedKFold(n_folds, shuffle=True, random_state=self.seed)
        parts = [
            hold_out(self.fit(latent, rows, C), latent, self.head_metadata, self.target, held_out)
            for rows, held_out in folds.split(self.target, self.target)
        ]
        return HeldOut.join(parts)


def hold_out(
    head: torch.nn.Module,
    latent: np.ndarray,
    head_metadata: np.ndarray | None,
    target: np.ndarray,
    held_out: np.ndarray,
) -> HeldOut:
    """What a head says of objects that it has not seen, those at `held_out`."""
    extra = None if head_metadata is None else head_metadata[held_out]
    logits = head_logits(head, latent[held_out], extra)
    return HeldOut((head,), np.zeros(len(held_out), dtype=np.int64), logits, target[held_out])


def _choose_strength(
    regression: LogisticRegression, X: np.ndarray, target: np.ndarray, seed: int
) -> float:
    if len(X) > _MOST_FOR_CHOICE:
        # A random part in which no class has fewer than one member for each fold, if it can.
        order = np.random.default_rng(seed).permutation(len(X))
        rank = pd.Series(target[order]).groupby(target[order]).cumcount().to_numpy()
        chosen = order[np.argsort(rank >= _FOLDS, kind="stable")][:_MOST_FOR_CHOICE]
        X, target = X[chosen], target[chosen]
    n_folds = min(_FOLDS, int(np.bincount(target).min()))
    folds = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
    search = GridSearchCV(regression, {"C": _C_GRID}, scoring="neg_log_loss", cv=folds, refit=False)
    return float(search.fit(X, target).best_params_["C"])


def fit_dense_head(
    latent: np.ndarray,
    head_metadata: np.ndarray | None,
    target: np.ndarray,
    rows: np.ndarray,
    held_out: np.ndarray | None,
    *,
    sizes: Sequence[int],
    class_weight: np.ndarray,
    settings: TrainingSettings,
    callbacks: Sequence = (),
) -> NeuralNet:
    """Train a head with hidden layers on the objects `rows`, stopping early on `held_out`."""
    n_classes = int(target.max()) + 1
    with seeded(settings.seed):
        head = DenseHead(latent.shape[1], n_classes, sizes, _width(head_metadata))
    data = LatentDataset(target, latent=latent, head_metadata=head_metadata)
    train = data.subset(rows)
    inputs, _ = train.collate(np.arange(len(rows)))
    head.set_statistics(inputs["latent"], inputs.get("head_metadata"))
    return fit_net(
        head,
        train,
        None if held_out is None else data.subset(held_out),
        settings,
        criterion=WeightedCrossEntropy(class_weight),
        callbacks=callbacks,
    )


def _width(head_metadata: np.ndarray | None) -> int:
    return 0 if head_metadata is None else head_metadata.shape[1]
