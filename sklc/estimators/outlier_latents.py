"""Where an outlier detector's numbers come from: latents, logits, and the weights' own classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.special import log_softmax

from sklc.estimators.classifier import TransferClassifier
from sklc.estimators.encoder import LightCurveEncoder
from sklc.estimators.transfer import start_encoder
from sklc.light_curves import LightCurves
from sklc.networks.heads import in_double_precision, own_head

__all__ = ["LatentSource"]

# Parameters that the classifier, which fine-tunes the encoder, takes over.
_FOR_FINE_TUNING = (
    "encoder",
    "finetune",
    "max_epochs",
    "batch_size",
    "learning_rate",
    "finetune_learning_rate",
    "anchor",
    "early_stopping",
    "validation_fraction",
    "patience",
    "class_weight",
    "callbacks",
    "device",
    "verbose",
)


@dataclass(frozen=True)
class LatentSource:
    """Encoders, loaded or trained.

    Parameters
    ----------
    encoder : LightCurveEncoder
        Gives the latents.
    head : torch.nn.Module or None
        Of the normal classes, where the encoder was fine-tuned.
    reference : LightCurveEncoder
        Its own classes are what is known of simulations. Another one than `encoder` where that
        was fine-tuned from weights: changed latents no longer fit the head of the weights.
    """

    encoder: LightCurveEncoder
    head: torch.nn.Module | None
    reference: LightCurveEncoder

    @classmethod
    def prepare(
        cls, params: dict[str, Any], curves: LightCurves, y: Any, seed: int, *, from_scratch: bool
    ) -> LatentSource:
        """Load, copy or train what the estimator's parameters ask for.

        Parameters
        ----------
        params : dict
            Parameters of the estimator.
        curves, y
            The normal objects, and their classes or None.
        seed : int
        from_scratch : bool
            Whether the encoder has to be trained on y.
        """
        own = {**params, "metadata": None}
        if params["finetune"] is None:
            encoder = start_encoder(params["encoder"], curves, y, own, seed)
            return cls(encoder, None, encoder)
        chosen = {name: params[name] for name in _FOR_FINE_TUNING}
        classifier = TransferClassifier(**chosen, random_state=seed).fit(curves, y)
        encoder, head = classifier.encoder_, classifier.net_.module_.head
        if from_scratch:
            return cls(encoder, head, encoder)
        return cls(encoder, head, start_encoder(params["encoder"], curves, y, own, seed))

    def describe(self, curves: LightCurves) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
        """Numbers of n_objects light curves.

        Returns
        -------
        latent : ndarray of shape (n_objects, latent_size)
        logits : ndarray of shape (n_objects, n_normal_classes) or None
            Where a head of the normal classes was trained.
        log_probabilities : ndarray of shape (n_objects, n_classes)
            Of the reference's own classes.
        """
        latent = self.encoder.transform(curves)
        fixed = latent if self.reference is self.encoder else self.reference.transform(curves)
        known = in_double_precision(own_head(self.reference.net_.module_), fixed)
        logits = None if self.head is None else in_double_precision(self.head, latent)
        return latent.astype(float), logits, log_softmax(known, axis=1)
