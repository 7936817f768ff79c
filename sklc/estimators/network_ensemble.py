"""Several networks, trained on the same objects from different seeds, as one."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from torch import nn

from sklc.estimators.adaptation_training import Adapting
from sklc.estimators.class_fitting import ClassFit, fit_classes
from sklc.estimators.passes import with_passes
from sklc.estimators.sample import TrainingSample
from sklc.estimators.sampling import Sampling
from sklc.networks.heads import own_head
from sklc.networks.joined import JoinedHead
from sklc.networks.samples import EnsembleHead, SliceHead
from sklc.uncertainty.interface import ClassUncertainty, HeldOut

__all__ = ["fit_members"]


def fit_members(
    estimator: Any,
    sample: TrainingSample,
    columns: tuple[str, ...],
    uncertainty: ClassUncertainty,
    adapting: Adapting | None = None,
) -> ClassFit:
    """Fit a classifier, with as many networks as its parameter `uncertainty` asks for.

    All networks hold out the same objects. Their latents stand beside each other, and the head
    reads all of them.

    Parameters
    ----------
    estimator, sample, columns, uncertainty, adapting
        As for `fit_classes`.
    """
    seed = estimator._seed()
    sampling = Sampling.of(estimator, seed)
    if not sampling.of_networks:
        fitted = fit_classes(estimator, sample, columns, uncertainty, seed=seed, adapting=adapting)
        if not sampling.of_passes:
            return fitted
        passes = with_passes(
            estimator, fitted, sample, columns, sampling.settings, sampling.drops_units
        )
        return replace(passes, adapters=fitted.adapters * len(passes.encoders))
    fit = estimator, sample, columns, uncertainty
    members = [
        fit_classes(*fit, seed=seed, network_seed=one, adapting=adapting)
        for one in sampling.settings.seeds()
    ]
    if not len(estimator.head_sizes) and _alike(members):
        # No training improved on its start, so that nothing but the labels is left to differ.
        frozen = copy.copy(estimator)
        frozen.finetune, frozen.uncertainty = "head", "bootstrap"
        return fit_classes(frozen, sample, columns, uncertainty, seed=seed, adapting=adapting)
    first, features = members[0], None
    for member in members:
        features = features if member.features is None else member.features
    n_metadata = 0 if first.encoder.metadata_columns_ == columns else len(columns)
    sizes = [member.encoder.n_features_out_ for member in members]
    ends = np.cumsum(sizes)
    n_features = 0 if features is None else len(features.get_feature_names_out())

    def together(heads: Sequence[Any]) -> EnsembleHead:
        parts: list[nn.Module] = []
        for head, size, end in zip(heads, sizes, ends, strict=True):
            n_read = n_metadata + (n_features if isinstance(head, JoinedHead) else 0)
            # A copy, since heads may share the classes of the weights, and no two may share parts.
            parts.append(SliceHead(copy.deepcopy(head), int(end - size), int(end), n_read))
        return EnsembleHead(parts)

    heads = [
        own_head(member.encoder._source().network) if member.head is None else member.head
        for member in members
    ]
    held_out = _held_out([member.held_out for member in members], together)
    encoders = tuple(member.encoder for member in members)
    return replace(
        first,
        head=together(heads),
        held_out=held_out,
        features=features,
        encoders=encoders,
        adapters=tuple(adapter for member in members for adapter in member.adapters),
    )


def _alike(members: Sequence[ClassFit]) -> bool:
    weights = [member.encoder.weights for member in members]
    return len(weights) > 1 and all(other == weights[0] for other in weights[1:])


def _held_out(members: Sequence[HeldOut | None], together: Any) -> HeldOut | None:
    """Join what all networks say about the objects that none of them has seen."""
    parts = [member for member in members if member is not None]
    if len(parts) < len(members):
        return None
    # Of a network without features, one head has not seen any of the folds of the others.
    most = max(parts, key=lambda part: len(part.heads))
    heads = [
        together([part.heads[number if len(part.heads) > 1 else 0] for part in parts])
        for number in range(len(most.heads))
    ]

    def joined(each: Sequence[Any], like: HeldOut) -> HeldOut:
        log_p = [part.logits - _log_sum(part.logits) for part in each]
        mean = np.logaddexp.reduce(log_p, axis=0) - np.log(len(log_p))
        prefixes = None
        if all(part.prefixes is not None for part in each) and like.prefixes is not None:
            prefixes = joined([part.prefixes for part in each], like.prefixes)
        phase = each[0].phase if like.phase is not None else None
        return replace(like, heads=heads, logits=mean, phase=phase, prefixes=prefixes)

    return joined(parts, most)


def _log_sum(logits: np.ndarray) -> np.ndarray:
    return np.logaddexp.reduce(logits, axis=1)[:, None]
