"""A head on latents joined with gradient boosting on features, as one head."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import log_softmax
from sklearn.ensemble import HistGradientBoostingClassifier
from torch import nn

from sklc.networks.heads import logits_to_onnx
from sklc.networks.onnx.graph import Graph
from sklc.networks.onnx.trees import ensemble_to_onnx
from sklc.networks.samples import SampledHead, log_samples, samples_to_onnx
from sklc.networks.trees import Trees
from sklc.utils.savable import savable

__all__ = ["MISSING", "BoostedClasses", "JoinedHead", "fill_missing", "join_columns"]

#: Stands for a missing feature: below all features, so that trees can tell which are missing.
MISSING = -1e9
# Log probability of a class that boosting was not shown.
_UNSEEN = float(np.log(1e-3))
# The lowest log probability of the others.
_LEAST = float(np.log(1e-6))


def fill_missing(features: np.ndarray) -> NDArray[np.float32]:
    """Return features as boosting reads them, float32 as in an exported model, without NaN."""
    return np.nan_to_num(features, nan=MISSING, posinf=MISSING, neginf=MISSING).astype(np.float32)


def join_columns(metadata: np.ndarray | None, features: np.ndarray | None) -> np.ndarray | None:
    """Return metadata, then features, as far as there are any."""
    if features is None:
        return metadata
    return features if metadata is None else np.concatenate([metadata, features], axis=1)


class BoostedClasses:
    """Log probabilities by several boosted classifiers, averaged.

    Parameters
    ----------
    models : sequence of HistGradientBoostingClassifier
        Fitted classifiers of class indices, which may each know some only.
    n_classes : int
        Number of all classes.
    """

    def __init__(self, models: Sequence[HistGradientBoostingClassifier], n_classes: int) -> None:
        known = {tuple(model.classes_) for model in models}
        self.groups = [
            (np.array(classes), Trees([m for m in models if tuple(m.classes_) == classes]))
            for classes in sorted(known)
        ]
        self.n_models, self.n_classes = len(models), n_classes

    def logits(self, filled: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return log probabilities of all classes, (n_objects, n_classes).

        Parameters
        ----------
        filled : ndarray of float32, shape (n_objects, n_features)
            As `fill_missing` returns them.
        """
        total = np.zeros((len(filled), self.n_classes))
        for classes, trees in self.groups:
            scores = trees.scores(filled)
            if len(classes) == 2:  # one score against 0
                scores = np.concatenate([-scores, scores], axis=2) / 2
            logits = np.full((len(filled), trees.shape[0], self.n_classes), _UNSEEN)
            # The floor keeps one sure tree from outvoting the latent.
            logits[:, :, classes] = np.maximum(log_softmax(scores, axis=2), _LEAST)
            total += logits.sum(axis=1)
        return total / self.n_models


@savable("boosting", "weights", "n_classes", "n_features", "gate", "whole_odds")
class JoinedHead(SampledHead):
    """Weighted sum of the log probabilities of a head and of boosting on features.

    Boosting has learned from whole light curves. As far as a light curve looks like the beginning
    of one, the head alone counts: ``gate`` gives the share of boosting.

    Parameters
    ----------
    head : torch.nn.Module
        Reads latent and metadata.
    boosting : sequence of HistGradientBoostingClassifier
        Each trained on other folds; their log probabilities are averaged.
    weights : sequence of float
        Weight of the head, and of boosting. Their sum is an inverse temperature.
    n_classes, n_features : int
        Number of logits, and of features, which follow the metadata.
    gate : torch.nn.Module or None, default=None
        Makes one logit per phase of the latent, the last that of whole light curves; None takes all
        light curves as whole.
    whole_odds : float, default=1
        How much more frequent whole light curves are than to the gate.
    """

    def __init__(
        self,
        head: nn.Module,
        boosting: Sequence[HistGradientBoostingClassifier],
        weights: Sequence[float],
        n_classes: int,
        n_features: int,
        gate: nn.Module | None = None,
        whole_odds: float = 1.0,
    ) -> None:
        super().__init__()
        self.head, self.gate, self.whole_odds = head, gate, whole_odds
        self.boosting, self.weights = list(boosting), tuple(weights)
        self.n_classes, self.n_features = n_classes, n_features
        self._restored()

    def _restored(self) -> None:
        self.boosted = BoostedClasses(self.boosting, self.n_classes)

    def samples(self, latent: torch.Tensor, extra: torch.Tensor) -> torch.Tensor:
        """Class logits, (n_objects, n_samples, n_classes); `extra` is metadata, then features.

        An object without any feature is judged by the head alone.
        """
        n_metadata = extra.shape[1] - self.n_features
        metadata = extra[:, :n_metadata] if n_metadata else None
        own = log_samples(self.head, latent, metadata)
        features = extra[:, n_metadata:].detach().cpu().numpy()
        described = torch.from_numpy(~np.isnan(features).all(axis=1)).to(own.device)
        filled = fill_missing(features)
        # A block of few objects is filled up with its first one, see `in_blocks`.
        n_distinct = 1 + np.flatnonzero((filled != filled[:1]).any(axis=1)).max(initial=0)
        boosted = self.boosted.logits(filled[:n_distinct])
        boosted = np.append(boosted, np.tile(boosted[:1], (len(filled) - n_distinct, 1)), axis=0)
        head_weight, feature_weight = self.weights
        joined = head_weight * own + feature_weight * torch.from_numpy(boosted).to(own)[:, None]
        if self.gate is not None:
            whole = torch.softmax(self.gate(latent), dim=1)[:, -1:, None]
            odds = self.whole_odds * whole
            whole = odds / (1 - whole + odds)
            joined = own + whole * (joined - own)
        return torch.where(described[:, None, None], joined, own)

    def samples_to_onnx(
        self, graph: Graph, latent: str, head_metadata: str | None, features: str
    ) -> list[str]:
        """Append the logits of every sample to a graph, which has features as a further input."""
        missing = graph.apply("IsNaN", features)
        filled = graph.apply("Where", missing, graph.constant(np.float32(MISSING)), features)
        parts = [
            ensemble_to_onnx(graph, part, filled, self.n_classes, _UNSEEN) for part in self.boosting
        ]
        boosted = parts[0] if len(parts) == 1 else graph.apply("Mean", *parts)
        head_weight, feature_weight = (graph.constant(np.float32(w)) for w in self.weights)
        boosted = graph.apply("Mul", boosted, feature_weight)
        if self.gate is not None:
            phases = graph.apply("Softmax", logits_to_onnx(self.gate, graph, latent, None), axis=1)
            whole = graph.apply("Gather", phases, graph.constant([-1], np.int64), axis=1)
            odds = graph.apply("Mul", whole, graph.constant(np.float32(self.whole_odds)))
            rest = graph.apply("Sub", graph.constant(np.float32(1)), whole)
            whole = graph.apply("Div", odds, graph.apply("Add", rest, odds))
        # An object without any feature is judged by the head alone.
        flags = graph.apply("Cast", missing, to=graph.onnx.TensorProto.FLOAT)
        share = graph.apply("ReduceMin", flags, axes=[1], keepdims=1)
        alone = graph.apply("Cast", share, to=graph.onnx.TensorProto.BOOL)
        samples = []
        for logits in samples_to_onnx(self.head, graph, latent, head_metadata):
            own = graph.apply("LogSoftmax", logits, axis=1)
            joined = graph.apply("Add", graph.apply("Mul", own, head_weight), boosted)
            if self.gate is not None:
                more = graph.apply("Mul", whole, graph.apply("Sub", joined, own))
                joined = graph.apply("Add", own, more)
            samples.append(graph.apply("Where", alone, own, joined))
        return samples
