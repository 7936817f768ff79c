"""The interface of objectives: targets, heads, a loss, and a schedule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from sklc.light_curves import LightCurves

__all__ = ["Objective", "Outputs"]


class Outputs(NamedTuple):
    """What a loss is computed from.

    Parameters
    ----------
    logits : Tensor of shape (n_objects, n_classes)
        Class logits.
    latent : Tensor of shape (n_objects, latent_size)
        Latents.
    heads : dict of str to Tensor of shape (n_objects, ...)
        What the objectives' `outputs` return.
    observations : dict of str to Tensor of shape (n_objects, longest, ...)
        Where observations are hidden: which (``hidden``), their true ``value`` and its ``error`` in
        the channel that is predicted, and the outputs of the heads on single observations.
    penalty : Tensor of shape (n_objects,), or None
        What the network itself adds to the loss, the same for all objects.
    """

    logits: torch.Tensor
    latent: torch.Tensor
    heads: dict[str, torch.Tensor]
    observations: dict[str, torch.Tensor] = {}
    penalty: torch.Tensor | None = None


class Objective:
    """Base class of objectives, for which an encoder is trained.

    A subclass overrides those of the methods below that it needs. Its parameters are attributes
    that never change, such as those of a frozen dataclass, since ``clone``, grid search and
    checkpoints compare them. To add a term to the classification of `y`, derive from `Classifier`
    and add to its `loss`. Pass an instance as ``LightCurveEncoder(objective=...)``, or a name after
    `sklc.register_objective`.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> import numpy as np
    >>> from sklc import LightCurveEncoder
    >>> from sklc.datasets import load_demo
    >>> from sklc.networks.objectives import Classifier
    >>> @dataclass(frozen=True)
    ... class Dust(Classifier):  # classes, and the extinction from a head that is kept
    ...     weight: float = 1.0
    ...
    ...     def targets(self, curves, given):
    ...         return {"mwebv": curves.metadata["mwebv"].to_numpy(dtype=np.float32)}
    ...
    ...     def heads(self, targets):
    ...         return {"mwebv": (1,)}
    ...
    ...     def loss(self, outputs, targets, progress):
    ...         error = outputs.heads["mwebv"][:, 0] - targets["mwebv"]
    ...         return super().loss(outputs, targets, progress) + self.weight * error**2
    >>> curves, y = load_demo(return_X_y=True)
    >>> encoder = LightCurveEncoder(objective=Dust(0.5), max_epochs=1).fit(curves, y)
    >>> encoder.net_.module_.heads["mwebv"]
    Linear(in_features=128, out_features=1, bias=True)
    """

    #: Whether the heads stay with the network after training, and are saved with the weights.
    keeps_heads: bool = True
    #: Whether `y` is needed, as by everything that classifies.
    needs_labels: bool = True
    #: Whether the loss depends on the latent. Otherwise its layers are set after training, to keep
    #: as much of the state as they can.
    trains_latent: bool = True

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({given})"

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash(repr(self))

    def targets(self, curves: LightCurves, given: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """Return what the loss compares with, by name, from the metadata or `fit`'s arguments.

        Parameters
        ----------
        curves : LightCurves
            All the training data.
        given : mapping of str
            Further arguments of `fit` by name, such as ``survey``; None where not given.

        Returns
        -------
        dict of str to ndarray of shape (n_objects, ...)
            Beside these, the loss finds ``class``, the class index, and ``class_weight``.

        Raises
        ------
        LightCurveError
            If a target is missing or cannot be used; the message names the object.
        """
        return {}

    def redrawn_targets(self, curves: LightCurves) -> dict[str, np.ndarray]:
        """Return the targets that augmentation may change, from altered light curves.

        Parameters
        ----------
        curves : LightCurves
            Objects to train on, as they are in one epoch.

        Returns
        -------
        dict of str to ndarray of shape (n_objects, ...)
            Some of those of `targets`, or none.
        """
        return {}

    def heads(self, targets: Mapping[str, np.ndarray]) -> dict[str, tuple[int, ...]]:
        """Return the heads on the latent by name, as the widths of their dense layers.

        Parameters
        ----------
        targets : mapping of str to ndarray
            What `targets` returned.

        Returns
        -------
        dict of str to tuple of int
            The last width is the number of outputs; there is a ReLU between two layers.
        """
        return {}

    def sequence_heads(self, targets: Mapping[str, np.ndarray]) -> dict[str, tuple[int, ...]]:
        """Return the heads on the states of single observations, as the widths of their layers.

        With any, observations are hidden at random in training, by the objective's
        ``mask_fraction``; the loss finds the outputs in ``outputs.observations``. These heads stay
        with the network.

        Parameters
        ----------
        targets : mapping of str to ndarray
            What `targets` returned.

        Returns
        -------
        dict of str to tuple of int
        """
        return {}

    def outputs(
        self, heads: Mapping[str, nn.Module], latent: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        """Return what the loss needs from the heads; by default, the output of each head.

        Parameters
        ----------
        heads : mapping of str to torch.nn.Module
            The modules of `heads`.
        latent : Tensor of shape (n_objects, latent_size)
            Latents.

        Returns
        -------
        dict of str to Tensor of shape (n_objects, ...)
        """
        return {name: head(latent) for name, head in heads.items()}

    def loss(
        self, outputs: Outputs, targets: Mapping[str, torch.Tensor], progress: float
    ) -> torch.Tensor:
        """Return the loss of every object.

        Parameters
        ----------
        outputs : Outputs
            The outputs of the network for a batch.
        targets : mapping of str to Tensor of shape (n_objects, ...)
            The targets of its objects.
        progress : float
            Share of the epochs that are done, from 0 to below 1, for schedules.

        Returns
        -------
        Tensor of shape (n_objects,)
            The mean over objects, weighted by ``sample_weight``, is minimised.
        """
        raise NotImplementedError
