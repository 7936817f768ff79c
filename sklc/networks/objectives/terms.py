"""What an encoder is trained for: classes, and beside them redshift, contrast, or one latent
for all surveys.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import nn

from sklc.networks.architectures.gru import LightCurveNetwork
from sklc.networks.objectives.losses import WeightedCrossEntropy, contrastive_loss, redshift_loss

__all__ = ["OBJECTIVES", "ObjectiveLoss", "ObjectiveNetwork", "ObjectiveWeights"]

OBJECTIVES = ("classifier", "contrastive", "adversarial")

_DISCRIMINATOR_UNITS = 64


@dataclass(frozen=True)
class ObjectiveWeights:
    """Strength of each term beside the cross-entropy of the class; 0 leaves a term out.

    Parameters
    ----------
    redshift : float
        Of the Gaussian likelihood of ``ln(1 + z)``.
    contrastive : float
        Of the supervised contrastive loss.
    temperature : float
        Of the latter.
    adversarial : float
        Largest weight of the confusion that makes the latent forget the survey.
    """

    redshift: float = 0.0
    contrastive: float = 0.0
    temperature: float = 0.5
    adversarial: float = 0.0


class SurveyOutputs(NamedTuple):
    """What the discriminator says of the survey."""

    fixed_latent: torch.Tensor  # trains the discriminator alone
    fixed_discriminator: torch.Tensor  # trains the encoder alone
    confusion_weight: float


class Outputs(NamedTuple):
    """What the loss needs of a batch."""

    logits: torch.Tensor
    latent: torch.Tensor
    redshift: torch.Tensor | None = None
    survey: SurveyOutputs | None = None


class ObjectiveNetwork(nn.Module):
    """An encoder in training, with the discriminator that is dropped afterwards.

    Parameters
    ----------
    encoder : LightCurveNetwork
    n_surveys : int
        Surveys that a two-layer discriminator tells apart; 0 leaves it out.
    """

    encoder: LightCurveNetwork

    def __init__(self, encoder: LightCurveNetwork, n_surveys: int = 0) -> None:
        super().__init__()
        self.encoder = encoder
        # Set anew in every epoch: a discriminator that has learned nothing yet sends noise.
        self.confusion_weight = 0.0
        self.discriminator = (
            nn.Sequential(
                nn.Linear(encoder.config["latent_size"], _DISCRIMINATOR_UNITS),
                nn.ReLU(),
                nn.Linear(_DISCRIMINATOR_UNITS, n_surveys),
            )
            if n_surveys
            else None
        )

    def forward(
        self,
        values: torch.Tensor,
        lengths: torch.Tensor,
        metadata: torch.Tensor | None = None,
    ) -> Outputs:
        """Outputs of padded observations (n_objects, longest, n_channels)."""
        latent = self.encoder.to_latent(self.encoder.state(values, lengths), metadata)
        logits = self.encoder.head(latent)
        redshift = None if self.encoder.redshift is None else self.encoder.redshift(latent)
        if self.discriminator is None:
            return Outputs(logits, latent, redshift)
        fixed = {name: p.detach() for name, p in self.discriminator.named_parameters()}
        survey = SurveyOutputs(
            self.discriminator(latent.detach()),
            torch.func.functional_call(self.discriminator, fixed, (latent,)),
            self.confusion_weight,
        )
        return Outputs(logits, latent, redshift, survey)


class ObjectiveLoss(nn.Module):
    """Cross-entropy of the class plus the terms of `weights`.

    A latent trained on classes alone forgets how bright an object is: the redshift keeps that in.

    The discriminator learns the survey from a latent that it cannot change, and the encoder is
    pulled to where a discriminator that it cannot change holds all surveys for equally likely
    (domain confusion; Tzeng et al. 2015). Gupta, Muthukrishna & Audenaert (2025) subtract the
    discriminator's loss instead, which has no lower bound: the encoder is rewarded for making the
    discriminator surely wrong, and the two oscillate until the latent collapses.

    Parameters
    ----------
    class_weight : array-like of shape (n_classes,)
    weights : ObjectiveWeights
    """

    def __init__(self, class_weight, weights: ObjectiveWeights) -> None:
        super().__init__()
        self.cross_entropy = WeightedCrossEntropy(class_weight)
        self.weights = weights

    def forward(self, outputs: Outputs, targets: dict[str, torch.Tensor]) -> torch.Tensor:
        """Loss against ``{"class": index, "log1p_z": ..., "survey": index}``, as far as needed."""
        target, weights = targets["class"], self.weights
        loss = self.cross_entropy(outputs.logits, target, targets.get("sample_weight"))
        if weights.contrastive:
            pairs = contrastive_loss(outputs.latent, target, weights.temperature)
            loss = loss + weights.contrastive * pairs
        if outputs.redshift is not None:
            likelihood = redshift_loss(outputs.redshift, targets["log1p_z"])
            loss = loss + weights.redshift * likelihood
        if outputs.survey is not None:
            survey = outputs.survey
            loss = loss + nn.functional.cross_entropy(survey.fixed_latent, targets["survey"])
            confusion = -survey.fixed_discriminator.log_softmax(dim=1).mean()
            loss = loss + survey.confusion_weight * confusion
        return loss
