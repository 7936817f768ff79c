"""Trained networks as values of the parameter `weights`."""

from __future__ import annotations

import copy
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from sklc.networks.training.loop import wrap
from sklc.representation import InputRepresentation
from sklc.weights.catalogue import manifest

if TYPE_CHECKING:
    from skorch import NeuralNet

    from sklc.weights.file import WeightsFile

__all__ = ["TrainedWeights", "is_named"]


@dataclass(frozen=True, eq=False, repr=False)
class TrainedWeights:
    """A network that was trained in this session, and its input convention.

    A transfer estimator that trains its encoder exposes it as
    ``LightCurveEncoder(weights=TrainedWeights(...))``: what was trained is a parameter, so that
    ``clone``, pipelines and cross-validation keep it as they keep a name.

    Parameters
    ----------
    net : skorch.NeuralNet
        Holds the network and the history of its training.
    representation : InputRepresentation
        The input convention that the network was trained with.
    classes : ndarray of shape (n_classes,)
        The classes of its head.
    metadata_columns : tuple of str
        Per-object columns that the network reads beside the light curve.
    from_weights : bool
        Whether the training started from pretrained weights, whose classes the head still has.
    fine_tuned : bool
        Whether the network was trained further than its own heads, which then no longer fit.
    """

    net: NeuralNet
    representation: InputRepresentation
    classes: np.ndarray
    metadata_columns: tuple[str, ...] = ()
    from_weights: bool = False
    fine_tuned: bool = False

    @classmethod
    def to_fine_tune(cls, source: TrainedWeights | WeightsFile) -> TrainedWeights:
        """Return a copy of trained or loaded weights, whose network may be trained in place."""
        if isinstance(source, TrainedWeights):
            return replace(source, net=copy.deepcopy(source.net), fine_tuned=True)
        return cls(
            wrap(source.build()),
            source.representation,
            np.asarray(source.classes),
            source.metadata_columns,
            from_weights=True,
            fine_tuned=True,
        )

    @property
    def network(self) -> Any:
        """The trained network."""
        return self.net.module_

    @property
    def info(self) -> dict[str, Any]:
        """What a file of these weights says about them."""
        return {"fine_tuned": True} if self.fine_tuned else {}

    def equals(self, network: torch.nn.Module) -> bool:
        """Whether another network of the same sizes has the same weights."""
        theirs = network.state_dict()
        return all(torch.equal(mine, theirs[k]) for k, mine in self.network.state_dict().items())

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self.classes)} classes>"


def is_named(weights: str | os.PathLike[str]) -> bool:
    """Whether `weights` are in the package, where the name alone finds them again."""
    known = manifest()
    return os.fspath(weights) in {*known["weights"], *known["aliases"]}
