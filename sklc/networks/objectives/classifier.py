"""Classification alone."""

from __future__ import annotations

from torch.nn.functional import cross_entropy

from sklc.networks.objectives.interface import Objective

__all__ = ["Classifier"]


class Classifier(Objective):
    """Classify `y`, by the cross-entropy weighted by ``class_weight``.

    Examples
    --------
    >>> from sklc import LightCurveEncoder
    >>> from sklc.networks.objectives import Classifier
    >>> LightCurveEncoder(objective=Classifier()).objective
    Classifier()
    """

    def loss(self, outputs, targets, progress):
        """Return the weighted cross-entropy of every object."""
        losses = cross_entropy(outputs.logits, targets["class"], reduction="none")
        return targets["class_weight"] * losses
