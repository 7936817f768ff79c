"""Survey-invariant latents, by adversarial training."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch.nn.functional import cross_entropy

from sklc.errors import LightCurveError
from sklc.light_curves.metadata import name_object
from sklc.networks.objectives.classifier import Classifier
from sklc.networks.objectives.losses import check_positive

__all__ = ["Adversarial", "adversarial_share"]

_DISCRIMINATOR_UNITS = 64
_GIVE = "pass fit(X, y, survey=...), or add a column with curves.with_metadata(survey=...)"


def adversarial_share(progress: float) -> float:
    """Return the share of the adversarial weight by progress (Ganin et al. 2016, sect. 5.2).

    It starts at 0, so that the classes and the discriminator are learned first. With the full
    weight from the start, training on sequences collapses.
    """
    return 2 / (1 + math.exp(-10 * progress)) - 1


@dataclass(frozen=True)
class Adversarial(Classifier):
    """Classify, with latents from which a discriminator cannot tell the survey.

    The survey of every object is the metadata column ``survey`` or ``fit(X, y, survey=...)``.

    The discriminator learns to predict the survey from the latent, without changing the encoder.
    The encoder learns to make all surveys look equally likely to the discriminator, without
    changing it (domain confusion; Tzeng et al. 2015). Gupta, Muthukrishna & Audenaert (2025)
    subtract the discriminator's loss instead, which has no lower bound: the encoder is rewarded for
    making the discriminator confidently wrong, and the two oscillate until the latent collapses.

    Parameters
    ----------
    adversarial_weight : float, default=1.0
        Largest weight of the confusion loss. The weight rises from 0 over the epochs.

    Examples
    --------
    >>> from sklc import LightCurveEncoder
    >>> from sklc.networks.objectives import Adversarial
    >>> LightCurveEncoder(objective=Adversarial(2.0)).objective
    Adversarial(adversarial_weight=2.0)
    """

    adversarial_weight: float = 1.0
    keeps_heads = False

    def __post_init__(self) -> None:
        check_positive(self)

    def targets(self, curves, given):
        """Return the index of each object's survey."""
        survey = given.get("survey")
        if survey is None:
            if "survey" not in curves.metadata.columns:
                raise LightCurveError(
                    "objective='adversarial' needs the survey of every object, and the light "
                    f"curves have no metadata column 'survey': {_GIVE}."
                )
            survey = curves.metadata["survey"]
        survey = np.asarray(survey, dtype=object)
        missing = pd.isna(survey)
        missing[~missing] = survey[~missing] == ""
        if missing.any():
            first = name_object(curves, int(missing.argmax()))
            raise LightCurveError(
                f"objective='adversarial': the survey of {first} is missing ({missing.sum()} of "
                f"{len(curves)} objects): {_GIVE}, or leave such objects out."
            )
        names, index = np.unique(survey.astype(str), return_inverse=True)
        if len(names) < 2:
            raise LightCurveError(
                "objective='adversarial' makes the latents of several surveys alike, and all "
                f"objects are of the survey {str(names[0])!r}: use objective='classifier' or "
                "'contrastive', or add light curves of another survey."
            )
        return {"survey": index}

    def heads(self, targets):
        """Return a two-layer discriminator, which is dropped after training."""
        return {"survey": (_DISCRIMINATOR_UNITS, int(targets["survey"].max()) + 1)}

    def outputs(self, heads, latent):
        """Return what trains the discriminator alone, and what trains the encoder alone."""
        discriminator = heads["survey"]
        fixed = {name: p.detach() for name, p in discriminator.named_parameters()}
        confused = torch.func.functional_call(discriminator, fixed, (latent,))
        return {"survey": discriminator(latent.detach()), "confused": confused}

    def loss(self, outputs, targets, progress):
        """Return the losses of classes, discriminator and confusion of every object."""
        told = cross_entropy(outputs.heads["survey"], targets["survey"], reduction="none")
        confusion = -outputs.heads["confused"].log_softmax(dim=1).mean(dim=1)
        weight = self.adversarial_weight * adversarial_share(progress)
        return super().loss(outputs, targets, progress) + told + weight * confusion
