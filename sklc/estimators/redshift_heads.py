"""Heads that predict a mean and a scale from the outputs of a frozen encoder.

Each has ``fit(columns, target, seed, sample_weight=None)``, which leaves out-of-sample means and
scales of the training objects themselves in ``out_of_sample_`` (n_objects, 2), and
``predict(columns)``, which returns means and scales (n_objects, 2).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from sklearn.impute import SimpleImputer
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import GammaRegressor, Ridge, RidgeCV
from sklearn.model_selection import KFold
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler
from torch import nn

from sklc.networks.heads import in_double_precision
from sklc.networks.objectives.losses import LOG_SCALE
from sklc.networks.redshift import RedshiftEnsemble, RedshiftEnsembleLoss
from sklc.networks.training.datasets import LatentDataset
from sklc.networks.training.loop import KeepStartIfBetter, TrainingSettings, fit_net, seeded, wrap
from sklc.utils.floats import in_blocks
from sklc.utils.savable import savable
from sklc.utils.sklearn_compat import unrouted

__all__ = ["EnsembleHead", "KernelHead", "NeighborHead", "OwnHead"]

# L2 strengths that are tried, for targets of unit variance.
_ALPHAS = np.logspace(-3, 3, 25)
# With more objects than this, the strength matters little and is chosen on a subset.
_MOST_FOR_CHOICE = 5_000
# Number of centres, width and weight of the radial kernel. They were chosen once, on the demo set
# and on real objects that are in no benchmark. Results depend little on them.
_N_CENTRES, _WIDTH, _RADIAL = 500, 0.75, 0.7
_FOLDS, _REPEATS = 5, 2
# L2 strength of the scale times the number of objects, since few objects only determine a constant.
_SCALE_SHRINKAGE = 15.0
_SMALLEST_SCALE = 1e-6


@savable("block_sizes", "mean_", "scale_", "imputer_")
class BlockScaler:
    """Centre columns, and divide the columns of a block by one common scale.

    The units of a latent keep their relative scales, which say how much each of them matters to
    what it was trained on. The columns behind the blocks are scaled one by one; a missing value
    (NaN) there becomes the mean, and a column behind them all flags it.

    Parameters
    ----------
    block_sizes : sequence of int
        Numbers of columns of the blocks, which come first.
    """

    def __init__(self, block_sizes: Sequence[int]) -> None:
        self.block_sizes = tuple(block_sizes)

    def fit(self, columns: np.ndarray, sample_weight: np.ndarray) -> BlockScaler:
        """Learn centres and scales."""
        with np.errstate(invalid="ignore"):  # of columns in which all values are missing
            statistics = StandardScaler().fit(columns, sample_weight=sample_weight)
        variance, start = statistics.var_, 0
        for size in self.block_sizes:
            variance[start : start + size] = variance[start : start + size].mean()
            start += size
        # A column that is constant in training must not become huge in predict.
        self.mean_, self.scale_ = statistics.mean_, np.sqrt(np.where(variance > 1e-12, variance, 1))
        self.imputer_ = SimpleImputer(
            strategy="constant", fill_value=0.0, add_indicator=True, keep_empty_features=True
        ).fit(columns)
        return self

    def transform(self, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return scaled blocks, and scaled further columns with flags of what is missing."""
        scaled = self.imputer_.transform((columns - self.mean_) / self.scale_)
        n_blocks = sum(self.block_sizes)
        return scaled[:, :n_blocks], scaled[:, n_blocks:]


# What all of these heads keep in a file.
_SCALED = ("scaler", "center_", "spread_", "out_of_sample_")


class _ScaledHead:
    """Scales columns and target; subclasses see both with unit scales."""

    # From blocks, further columns, target, weight and seed to out-of-sample means and scales.
    _fit: Callable[..., tuple[np.ndarray, np.ndarray]]
    # From blocks and further columns to means and scales.
    _predict: Callable[..., tuple[np.ndarray, np.ndarray]]

    def __init__(self, block_sizes: Sequence[int]) -> None:
        self.scaler = BlockScaler(block_sizes)

    def fit(
        self,
        columns: np.ndarray,
        target: np.ndarray,
        seed: int,
        sample_weight: np.ndarray | None = None,
    ) -> _ScaledHead:
        """Fit, and predict every object by models that have not seen it.

        Parameters
        ----------
        columns : ndarray of shape (n_objects, n_columns)
            Blocks, then columns of which some values may be missing (NaN).
        target : ndarray of shape (n_objects,)
            Values to predict.
        seed : int
            Determines all draws.
        sample_weight : ndarray of shape (n_objects,), optional
            Weights of the objects. Those with a weight of 0 are not fitted, and have NaN in
            ``out_of_sample_``.
        """
        weight = np.ones(len(target)) if sample_weight is None else sample_weight
        counts = weight > 0
        columns, target, weight = columns[counts].astype(float), target[counts], weight[counts]
        blocks, extra = self.scaler.fit(columns, weight).transform(columns)
        self.center_ = np.average(target, weights=weight)
        self.spread_ = np.sqrt(np.average((target - self.center_) ** 2, weights=weight)) or 1.0
        scaled = (target - self.center_) / self.spread_
        self.out_of_sample_ = np.full((len(counts), 2), np.nan)
        self.out_of_sample_[counts] = self._unscale(*self._fit(blocks, extra, scaled, weight, seed))
        return self

    def predict(self, columns: np.ndarray) -> np.ndarray:
        """Means and scales, (n_objects, 2) float64."""
        if not len(columns):
            return np.empty((0, 2))

        def predicted(block: np.ndarray) -> np.ndarray:
            return self._unscale(*self._predict(*self.scaler.transform(block)))

        return in_blocks(predicted, columns.astype(float))

    def _unscale(self, mean: np.ndarray, scale: np.ndarray) -> np.ndarray:
        scale = np.maximum(scale, _SMALLEST_SCALE)
        return np.column_stack([mean * self.spread_ + self.center_, scale * self.spread_])


@savable("head", "latent_size")
class OwnHead:
    """The redshift head that the weights were trained with, which reads the latent.

    Parameters
    ----------
    head : torch.nn.Module
        The network's head for mean and log scale.
    latent_size : int
        Number of columns that it reads.
    """

    def __init__(self, head: nn.Module, latent_size: int) -> None:
        self.head, self.latent_size = head, latent_size

    def predict(self, columns: np.ndarray) -> np.ndarray:
        """Means and scales, (n_objects, 2) float64; the latent is in the first columns."""
        latent = np.ascontiguousarray(columns[:, : self.latent_size])
        mean, log_scale = in_double_precision(self.head, latent).T
        return np.column_stack([mean, np.exp(np.clip(log_scale, *LOG_SCALE))])


@savable(*_SCALED, "centres_", "ridge_", "variance_")
class KernelHead(_ScaledHead):
    """Ridge regression with a linear and a radial kernel, solved exactly.

    The posterior mean of a Gaussian process with these kernels (Rasmussen & Williams 2006,
    chapter 2), on up to 500 centres (Williams & Seeger 2001), so that its cost grows with the
    number of objects and not with its cube. The L2 strength has the lowest leave-one-out error,
    and the leave-one-out predictions follow from the solution. The scale is a gamma regression
    of their squared errors, which is the Gaussian likelihood of a scale with a log link.
    """

    alphas = _ALPHAS

    def of_same_strength(self) -> KernelHead:
        """Return a head that is not fitted, with the L2 strength that this one has chosen."""
        head = KernelHead(self.scaler.block_sizes)
        head.alphas = np.array([self.ridge_.alpha_])
        return head

    def _design(self, blocks: np.ndarray, extra: np.ndarray) -> np.ndarray:
        width = max(blocks.shape[1], 1) ** 0.5
        return np.c_[blocks / width, _RADIAL * self.centres_.transform(blocks), extra]

    def _fit(self, blocks, extra, target, weight, seed):
        n_objects = len(target)
        self.centres_ = Nystroem(
            gamma=0.5 / (blocks.shape[1] * _WIDTH**2),
            n_components=min(_N_CENTRES, n_objects),
            random_state=seed,
        ).fit(blocks)
        design = self._design(blocks, extra)
        self.ridge_, unseen_mean = fit_ridge(design, target, weight, seed, self.alphas)
        squared = (target - unseen_mean) ** 2
        least = 1e-4 * np.average(squared, weights=weight) + _SMALLEST_SCALE**2
        squared = np.maximum(squared, least)
        self.variance_ = GammaRegressor(alpha=_SCALE_SHRINKAGE / n_objects, max_iter=300)
        columns, unseen = np.c_[design, unseen_mean], np.empty(n_objects)
        # The scale of an object must not be fitted to its own error, which would then seem smaller.
        folds = KFold(min(_FOLDS, n_objects), shuffle=True, random_state=seed)
        for rows, left_out in folds.split(columns):
            self.variance_.fit(columns[rows], squared[rows], weight[rows])
            unseen[left_out] = self.variance_.predict(columns[left_out])
        self.variance_.fit(columns, squared, weight)
        return unseen_mean, np.sqrt(unseen)

    def _predict(self, blocks, extra):
        design = self._design(blocks, extra)
        mean = self.ridge_.predict(design)
        return mean, np.sqrt(self.variance_.predict(np.c_[design, mean]))


@savable(*_SCALED, "n_neighbors", "neighbors_", "target_", "weight_")
class NeighborHead(_ScaledHead):
    """Mean and spread of the nearest objects, weighted by 1 / distance (Paper II: 100 of them).

    Parameters
    ----------
    block_sizes : sequence of int
        Numbers of columns of the blocks, which come first.
    n_neighbors : int
        Number of neighbours, fewer than the objects that it is fitted on.
    """

    def __init__(self, block_sizes: Sequence[int], n_neighbors: int) -> None:
        super().__init__(block_sizes)
        self.n_neighbors = n_neighbors

    def _fit(self, blocks, extra, target, weight, seed):
        self.neighbors_ = NearestNeighbors(n_neighbors=self.n_neighbors)
        self.neighbors_.fit(np.c_[blocks, extra])
        self.target_, self.weight_ = target, weight
        return self._average(*self.neighbors_.kneighbors())  # nobody is its own neighbour

    def _predict(self, blocks, extra):
        return self._average(*self.neighbors_.kneighbors(np.c_[blocks, extra]))

    def _average(self, distances: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        weights = self.weight_[rows] / np.maximum(distances, 1e-9)
        weights /= weights.sum(axis=1, keepdims=True)
        mean = np.einsum("ij,ij->i", weights, self.target_[rows])
        spread = np.einsum("ij,ij->i", weights, (self.target_[rows] - mean[:, None]) ** 2)
        # Neighbours may agree by chance, so the spread has a floor.
        return mean, np.sqrt(spread + 0.1 * self.target_.var())


@savable(*_SCALED, "sizes", "settings", "callbacks", "net_")
class EnsembleHead(_ScaledHead):
    """Small networks that learn the residuals of ridge regressions, each on 4/5 of the objects.

    An object is predicted out of sample by the members that have not seen it. Their loss there
    also stops the training, at the ridge regressions themselves where networks do not help.

    Parameters
    ----------
    block_sizes : sequence of int
        Numbers of columns of the blocks, which come first.
    sizes : sequence of int
        Units of the hidden layers.
    settings : TrainingSettings
        How the networks are trained.
    callbacks : sequence of skorch callbacks
        Callbacks of the training.
    """

    def __init__(
        self,
        block_sizes: Sequence[int],
        sizes: Sequence[int],
        settings: TrainingSettings,
        callbacks: Sequence[Any] = (),
    ) -> None:
        super().__init__(block_sizes)
        self.sizes, self.settings, self.callbacks = tuple(sizes), settings, tuple(callbacks)

    def _fit(self, blocks, extra, target, weight, seed):
        columns = np.c_[blocks, extra]
        seen = _cross_fitting(len(target), seed)
        strength = np.ones(columns.shape[1])
        strength[: blocks.shape[1]] = blocks.shape[1] ** -0.5
        scaled = columns * strength
        alpha = fit_ridge(scaled, target, weight, seed)[0].alpha_
        ridges = [Ridge(alpha).fit(scaled[rows], target[rows], weight[rows]) for rows in seen.T]
        squared = np.column_stack([(ridge.predict(scaled) - target) ** 2 for ridge in ridges])
        unseen = ~seen * weight[:, None]
        scale = max(float(np.sqrt(np.average(squared, weights=unseen))), _SMALLEST_SCALE)
        with seeded(seed):
            ensemble = RedshiftEnsemble(
                torch.from_numpy(np.array([r.coef_ * strength for r in ridges])).float(),
                torch.from_numpy(np.array([r.intercept_ for r in ridges])).float(),
                self.sizes,
                scale,
            )
        inputs = columns.astype(np.float32)
        train, valid = (
            LatentDataset(np.c_[target, counts].astype(np.float32), columns=inputs)
            for counts in (seen * weight[:, None], unseen)
        )
        net = fit_net(
            ensemble,
            train,
            valid,
            self.settings,
            criterion=RedshiftEnsembleLoss(scale),
            callbacks=[("keep_start", KeepStartIfBetter()), *self.callbacks],
        )
        self.net_ = wrap(net.module_)  # without the state of the optimizer
        self.net_.history = net.history
        return self._average(columns, ~seen)

    def _predict(self, blocks, extra):
        columns = np.c_[blocks, extra]
        return self._average(columns, np.ones((len(columns), 1)))

    def _average(self, columns: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        mean, log_scale = in_double_precision(self.net_.module_, columns).transpose(2, 0, 1)
        counts = np.broadcast_to(counts, mean.shape)
        return (
            np.average(mean, axis=1, weights=counts),
            np.sqrt(np.average(np.exp(2 * log_scale), axis=1, weights=counts)),
        )


def _cross_fitting(n_objects: int, seed: int) -> np.ndarray:
    """Return which objects each member learns from, (n_objects, n_members) bool."""
    members = []
    for repeat in range(_REPEATS):
        folds = KFold(min(_FOLDS, n_objects), shuffle=True, random_state=seed + repeat)
        for _, left_out in folds.split(np.empty(n_objects)):
            members.append(~np.isin(np.arange(n_objects), left_out))
    return np.column_stack(members)


def fit_ridge(
    design: np.ndarray,
    target: np.ndarray,
    weight: np.ndarray,
    seed: int,
    alphas: np.ndarray = _ALPHAS,
) -> tuple[RidgeCV, np.ndarray]:
    """Fit the ridge regression of lowest leave-one-out error.

    Parameters
    ----------
    design : ndarray of shape (n_objects, n_columns)
        Inputs of the regression.
    target, weight : ndarray of shape (n_objects,)
        Values to predict, and weights of the objects.
    seed : int
        Determines the part of many objects that the L2 strength is chosen on.
    alphas : ndarray of shape (n_alphas,), optional
        L2 strengths that are tried.

    Returns
    -------
    ridge : RidgeCV
        The regression.
    unseen : ndarray of shape (n_objects,)
        Its prediction for each object, had it not seen it.
    """
    if len(design) > _MOST_FOR_CHOICE and len(alphas) > 1:
        rows = np.random.default_rng(seed).choice(len(design), _MOST_FOR_CHOICE, replace=False)
        alphas = np.array([RidgeCV(alphas).fit(design[rows], target[rows], weight[rows]).alpha_])
    # If scoring is given, predictions are stored, and otherwise their squared errors.
    ridge = RidgeCV(alphas, scoring="neg_mean_squared_error", store_cv_results=True)
    with unrouted():
        ridge.fit(design, target, weight)
    unseen = ridge.cv_results_[:, np.flatnonzero(alphas == ridge.alpha_)[0]]
    del ridge.cv_results_
    return ridge, unseen
