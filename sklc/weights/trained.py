"""Trained networks as values of the parameter `weights`."""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from sklc.networks.training.loop import wrap
from sklc.representation import InputRepresentation
from sklc.weights.catalogue import manifest

if TYPE_CHECKING:
    from skorch import NeuralNet

    from sklc.weights.file import WeightsFile

__all__ = ["TrainedWeights", "facts_of_copies", "is_named"]

# What a file says that changes how its network is used, or what is told of it.
_FACTS = ("class_shares", "fine_tuned", "passbands", "wavelength_range")


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
        Per-object columns that the network reads besides the light curve.
    from_weights : bool
        Whether the training started from pretrained weights, whose classes the head still has.
    fine_tuned : bool
        Whether the network was trained further than its own heads, which then no longer fit.
    facts : mapping of str to object, default={}
        What the file says that these weights were loaded from, if they still are the same.
    """

    net: NeuralNet
    representation: InputRepresentation
    classes: np.ndarray
    metadata_columns: tuple[str, ...] = ()
    from_weights: bool = False
    fine_tuned: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def to_fine_tune(cls, source: TrainedWeights | WeightsFile) -> TrainedWeights:
        """Return a copy of trained or loaded weights, whose network may be trained in place."""
        if isinstance(source, TrainedWeights):
            return replace(source, net=copy.deepcopy(source.net), fine_tuned=True, facts={})
        return cls(
            wrap(source.build()),
            source.representation,
            np.asarray(source.classes),
            source.metadata_columns,
            from_weights=True,
            fine_tuned=True,
        )

    @classmethod
    def of_file(cls, file: WeightsFile) -> TrainedWeights:
        """Return the weights of a file, which may change or go afterwards."""
        return cls(
            wrap(file.build()),
            file.representation,
            np.asarray(file.classes),
            file.metadata_columns,
            from_weights=True,
            fine_tuned=bool(file.info.get("fine_tuned")),
            facts=facts_of_copies(file.info),
        )

    @property
    def network(self) -> Any:
        """The trained network."""
        return self.net.module_

    @property
    def info(self) -> dict[str, Any]:
        """What a file of these weights says about them."""
        return {**self.facts, **({"fine_tuned": True} if self.fine_tuned else {})}

    def equals(self, network: torch.nn.Module) -> bool:
        """Whether another network of the same sizes has the same weights."""
        theirs = network.state_dict()
        own = self.network.state_dict()
        same = own.keys() == theirs.keys()
        return same and all(torch.equal(mine, theirs[k]) for k, mine in own.items())

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self.classes)} classes>"


def facts_of_copies(info: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a file says of weights that also holds for a copy under another name."""
    return {key: info[key] for key in _FACTS if key in info}


def is_named(weights: str | os.PathLike[str]) -> bool:
    """Whether `weights` are in the package, where the name alone finds them again."""
    known = manifest()
    return os.fspath(weights) in {*known["weights"], *known["aliases"]}
