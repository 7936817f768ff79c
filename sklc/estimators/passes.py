"""Several passes through one network with random attention, as one classifier."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from torch import nn

from sklc.estimators.class_fitting import ClassFit
from sklc.estimators.sample import TrainingSample
from sklc.features import describe
from sklc.light_curves import LightCurves
from sklc.light_curves.metadata import metadata_matrix
from sklc.networks.architectures.stochastic import set_pass
from sklc.networks.heads import in_double_precision, own_head
from sklc.networks.joined import JoinedHead, join_columns
from sklc.networks.samples import EnsembleHead, SliceHead, thinned
from sklc.uncertainty.interface import HeldOut, SamplingSettings

__all__ = ["EncoderPass", "with_passes"]


@dataclass(frozen=True)
class EncoderPass:
    """One pass through the network of an encoder, with noise of its own.

    Parameters
    ----------
    encoder : LightCurveEncoder
        The encoder.
    seed : int
        Determines the noise.
    """

    encoder: Any
    seed: int

    def _encode(self, curves: LightCurves, like: Any) -> np.ndarray:
        network = self.encoder._source().network
        set_pass(network, self.seed)
        try:
            return self.encoder._encode(curves, like)
        finally:
            set_pass(network, None)


def with_passes(
    estimator: Any,
    fitted: ClassFit,
    sample: TrainingSample,
    columns: tuple[str, ...],
    settings: SamplingSettings,
    drops_units: bool,
) -> ClassFit:
    """Return a fitted classifier that makes several passes, and what these say of held-out objects.

    Parameters
    ----------
    estimator : TransferClassifier
        The estimator whose parameters are read.
    fitted : ClassFit
        Fitted on latents without noise.
    sample : TrainingSample
        The objects that it was fitted on.
    columns : tuple of str
        Per-object columns that join the latent.
    settings : SamplingSettings
        How many passes to make, and their seeds.
    drops_units : bool
        Whether each pass also drops units of the latent and the head.
    """
    encoders = tuple(EncoderPass(fitted.encoder, seed) for seed in settings.seeds())
    size, n_read = fitted.encoder.n_features_out_, len(columns)

    def several(head: nn.Module) -> nn.Module:
        if isinstance(head, JoinedHead):  # boosting reads no latents
            gate = None if head.gate is None else SliceHead(head.gate, 0, size, 0)
            shape = head.n_classes, head.n_features
            return JoinedHead(several(head.head), head.boosting, head.weights, *shape, gate)
        make: Callable[[int], nn.Module] = (
            (lambda seed: thinned(head, settings.dropout, seed))
            if drops_units
            else (lambda seed: copy.deepcopy(head))
        )
        parts = [
            SliceHead(make(one.seed), number * size, (number + 1) * size, n_read)
            for number, one in enumerate(encoders)
        ]
        return EnsembleHead(parts)

    head = fitted.head
    if head is None:
        head = own_head(fitted.encoder._source().network)
    held_out, rows = fitted.held_out, fitted.held_out_rows
    if held_out is not None and rows is not None:
        curves = sample.curves[rows]
        latent = np.concatenate([one._encode(curves, estimator) for one in encoders], axis=1)
        described = None if fitted.features is None else describe(fitted.features, curves)
        extra = join_columns(metadata_matrix(curves, columns), described)
        held_out = _said(held_out, [several(own) for own in held_out.heads], latent, extra)
    return replace(fitted, head=several(head), held_out=held_out, encoders=encoders)


def _said(
    held_out: HeldOut, heads: list[nn.Module], latent: np.ndarray, extra: np.ndarray | None
) -> HeldOut:
    logits = np.empty_like(held_out.logits)
    for number, head in enumerate(heads):
        own = np.flatnonzero(held_out.fold == number)
        if len(own):
            beside = None if extra is None else extra[own]
            logits[own] = in_double_precision(head, latent[own], beside)
    return replace(held_out, heads=heads, logits=logits, prefixes=None, phase=None)
