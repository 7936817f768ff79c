"""Networks that learn from unlabelled objects of another survey, together with labelled ones."""

from __future__ import annotations

from typing import Any

import torch
from skorch.callbacks import Callback
from torch import nn
from torch.nn.functional import cross_entropy, normalize

from sklc.networks.objectives.adversarial import adversarial_share

__all__ = [
    "UNLABELLED",
    "AdaptationLoss",
    "AdaptedNetwork",
    "CosineHead",
    "Discriminator",
    "LatentShift",
    "Progress",
    "reversed_gradient",
]

#: The class index of objects without a label.
UNLABELLED = -1
# Divides cosines of class prototypes (Saito et al. 2019), and units of the discriminator.
_TEMPERATURE, _UNITS = 0.05, 64


class _ReversedGradient(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, values: torch.Tensor, strength: float) -> torch.Tensor:
        context.strength = strength
        return values.view_as(values)

    @staticmethod
    def backward(context: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        return -context.strength * gradients[0], None


def reversed_gradient(values: torch.Tensor, strength: float = 1.0) -> torch.Tensor:
    """Return the values, whose gradient is multiplied by ``-strength``."""
    result: Any = _ReversedGradient.apply(values, strength)
    return result


class LatentShift(nn.Module):
    """A latent, shifted by two dense layers that read it; the shift starts at zero.

    Parameters
    ----------
    latent_size : int
        Columns of the latent.
    """

    def __init__(self, latent_size: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(latent_size, latent_size), nn.ReLU(), nn.Linear(latent_size, latent_size)
        )
        for parameter in self.layers[-1].parameters():
            nn.init.zeros_(parameter)

    def forward(self, latent: torch.Tensor) -> torch.Tensor:
        """Return the shifted latent, (n_objects, latent_size)."""
        return latent + self.layers(latent)


class CosineHead(nn.Module):
    """Class logits from the angles between the latent and one prototype of each class.

    Unlabelled objects pull the prototypes and the latents in opposite directions: the prototypes
    to where the entropy of their classes is large, and the latents to where it is small.

    Parameters
    ----------
    latent_size, n_classes : int
        Columns of the latent, and logits.
    """

    def __init__(self, latent_size: int, n_classes: int) -> None:
        super().__init__()
        self.prototypes = nn.Linear(latent_size, n_classes, bias=False)

    def forward(
        self, latent: torch.Tensor, unlabelled: torch.Tensor, progress: float
    ) -> tuple[torch.Tensor, None]:
        """Class logits, (n_objects, n_classes); the gradient of unlabelled latents is reversed."""
        unit = normalize(latent, dim=1) / _TEMPERATURE
        unit = torch.where(unlabelled[:, None], reversed_gradient(unit), unit)
        return self.prototypes(unit), None


class Discriminator(nn.Module):
    """Class logits, and logits of the survey, which the latent is trained not to tell.

    Parameters
    ----------
    latent_size, n_classes, n_surveys : int
        Columns of the latent, and logits.
    """

    def __init__(self, latent_size: int, n_classes: int, n_surveys: int) -> None:
        super().__init__()
        self.classes = nn.Linear(latent_size, n_classes)
        self.survey = nn.Sequential(
            nn.Linear(latent_size, _UNITS), nn.ReLU(), nn.Linear(_UNITS, n_surveys)
        )

    def forward(
        self, latent: torch.Tensor, unlabelled: torch.Tensor, progress: float
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Class logits, and logits of the survey from a latent whose gradient is reversed."""
        told = self.survey(reversed_gradient(latent, adversarial_share(progress)))
        return self.classes(latent), told


class AdaptedNetwork(nn.Module):
    """What makes latents, and what they are trained with.

    Parameters
    ----------
    body : torch.nn.Module
        Makes latents of its inputs: a `LatentShift`, or an encoder without a head.
    head : torch.nn.Module
        A `CosineHead` or a `Discriminator`.
    """

    #: Share of the epochs that are done, which `Progress` sets.
    progress = 0.0

    def __init__(self, body: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.body, self.head = body, head

    def forward(self, unlabelled: torch.Tensor, **inputs: torch.Tensor) -> tuple[Any, ...]:
        """Outputs of the head."""
        return self.head(self.body(**inputs), unlabelled, self.progress)


class EncoderBody(nn.Module):
    """The part of an encoder that makes latents of padded observations.

    Parameters
    ----------
    encoder : EncoderNetwork
        The encoder.
    """

    def __init__(self, encoder: Any) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(
        self,
        values: torch.Tensor,
        lengths: torch.Tensor,
        metadata: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Latents, (n_objects, latent_size)."""
        return self.encoder.to_latent(self.encoder.state(values, lengths), metadata)


class Progress(Callback):
    """Tell the network which share of its epochs is done."""

    def on_epoch_begin(self, net, **kwargs) -> None:
        """Set the share."""
        net.module_.progress = len(net.history) / max(net.max_epochs, 1)


class AdaptationLoss(nn.Module):
    """Cross-entropy of labelled objects, and what is learned from the others.

    With a `CosineHead` that is the negative entropy of unlabelled objects (minimax entropy; Saito
    et al. 2019), and with a `Discriminator` the cross-entropy of the survey of all objects (Ganin
    et al. 2016).

    Parameters
    ----------
    weight : float
        Weight of the second term.
    """

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, outputs: tuple[Any, Any], targets: dict[str, torch.Tensor]) -> torch.Tensor:
        """Return the sum of both terms, each a mean over its own objects."""
        logits, told = outputs
        target, weight = targets["y"], targets["sample_weight"]
        known = target != UNLABELLED
        loss = logits.new_zeros(())
        if known.any():
            own = cross_entropy(logits[known], target[known], reduction="none")
            loss = loss + (own * weight[known]).mean()
        if told is not None:
            survey = cross_entropy(told, targets["survey"], reduction="none")
            return loss + self.weight * survey.mean()
        if not known.all():
            log_p = logits[~known].log_softmax(dim=1)
            loss = loss + self.weight * (log_p.exp() * log_p).sum(dim=1).mean()
        return loss
