"""Where an outlier detector's numbers come from: latents, logits, and the weights' own classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.special import log_softmax

from sklc.estimators.class_fitting import keeps_its_head
from sklc.estimators.classifier import TransferClassifier
from sklc.estimators.encoder import LightCurveEncoder
from sklc.estimators.sample import TrainingSample
from sklc.estimators.transfer import (
    TransferEstimator,
    as_parameter,
    default_encoder,
    is_trained_on_labels,
    start_encoder,
)
from sklc.light_curves import LightCurves
from sklc.networks.heads import in_double_precision, own_head
from sklc.utils.savable import savable

__all__ = ["LatentSource"]


@savable()
@dataclass(frozen=True)
class LatentSource:
    """The encoders that a forest reads, loaded or trained.

    Parameters
    ----------
    encoder : LightCurveEncoder
        The encoder of the latents.
    head : torch.nn.Module or None
        The head of the normal classes, where the encoder was fine-tuned.
    reference : LightCurveEncoder
        The encoder whose own classes are what is known from simulations. It differs from `encoder`
        where that was fine-tuned: changed latents no longer fit the head of the weights.
    """

    encoder: LightCurveEncoder
    head: torch.nn.Module | None
    reference: LightCurveEncoder

    @classmethod
    def prepare(
        cls, estimator: TransferEstimator, sample: TrainingSample, seed: int
    ) -> LatentSource:
        """Load, copy or train what the estimator's parameters ask for.

        Parameters
        ----------
        estimator : LatentIsolationForest
            The estimator whose parameters are read.
        sample : TrainingSample
            The normal objects, and their classes if known.
        seed : int
            Determines all draws.
        """
        head, curves, y, weight = None, sample.curves, sample.y, sample.weight
        if estimator.finetune not in (None, "none"):
            shared = estimator._shared_with(TransferClassifier) | {"features": None}
            classifier = TransferClassifier(**shared, random_state=seed)
            if not keeps_its_head(estimator.encoder):
                classifier.set_params(early=False)  # the latents of whole light curves count here
            encoder, head = classifier.fit(curves, y, weight).encoder_, classifier.head_
            if is_trained_on_labels(estimator.encoder):
                return cls(encoder, head, encoder)
        default = default_encoder(estimator)
        start = as_parameter(start_encoder(estimator.encoder, curves, y, default, seed, weight))
        return cls(start if head is None else encoder, head, start)

    def describe(self, curves: LightCurves) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
        """Return what is known about n_objects light curves.

        Returns
        -------
        latent : ndarray of shape (n_objects, latent_size)
        logits : ndarray of shape (n_objects, n_normal_classes) or None
            Logits of the normal classes, where a head was trained.
        log_probabilities : ndarray of shape (n_objects, n_classes)
            Log probabilities of the reference's own classes.
        """
        latent = self.encoder.transform(curves)
        fixed = latent if self.reference is self.encoder else self.reference.transform(curves)
        network = self.reference._source().network
        # To an encoder that was trained on redshifts alone, all objects are of one class.
        known = np.zeros((len(fixed), 1))
        if network.head is not None:
            known = in_double_precision(own_head(network), fixed)
        logits = None if self.head is None else in_double_precision(self.head, latent)
        return latent.astype(float), logits, log_softmax(known, axis=1)
