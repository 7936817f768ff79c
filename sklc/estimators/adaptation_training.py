"""Train what makes the latents of labelled and unlabelled objects of several surveys alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import nn

from sklc.estimators.adaptation import Adaptation, LatentAdapter, chosen_adaptation
from sklc.estimators.class_heads import HeadData
from sklc.estimators.unlabelled import PartlyLabelled
from sklc.networks.adaptation import (
    UNLABELLED,
    AdaptationLoss,
    AdaptedNetwork,
    CosineHead,
    EncoderBody,
    LatentShift,
    Progress,
)
from sklc.networks.training.datasets import CurveDataset, LatentDataset
from sklc.networks.training.loop import AnchoredNet, TrainingSettings, fit_net, seeded

__all__ = ["Adapting"]

# At most so many unlabelled objects are trained on; more change nothing but the time.
_MOST_UNLABELLED = 4_000


@dataclass(frozen=True)
class Adapting:
    """What is adapted, how, and to what.

    Parameters
    ----------
    method : Adaptation
        The method.
    others : PartlyLabelled
        The objects without labels, and the surveys; ``others.survey`` is that of the distinct
        labelled objects.
    """

    method: Adaptation
    others: PartlyLabelled

    @classmethod
    def of(cls, adaptation: Any, others: PartlyLabelled, rows: np.ndarray) -> Adapting:
        """Read the parameter of a classifier, for the distinct labelled objects `rows`."""
        return cls(chosen_adaptation(adaptation), replace(others, survey=others.survey[rows]))

    @property
    def trains(self) -> bool:
        """Whether the method trains anything, and there is something to train it on."""
        trained = self.method.training_head(1, 2, 2) is not None
        return trained and sum(map(len, self.others.unlabelled)) > 0

    @property
    def reference(self) -> int:
        """The survey of most labelled objects, as a position."""
        return int(np.bincount(self.others.survey).argmax())

    def adapter(
        self, encoder: Any, data: HeadData, settings: TrainingSettings, *, frozen: bool
    ) -> LatentAdapter:
        """Make the latents of the surveys alike.

        Parameters
        ----------
        encoder : LightCurveEncoder
            Makes the latents.
        data : HeadData
            The labelled objects.
        settings : TrainingSettings
            How what shifts the latents is trained.
        frozen : bool
            Whether the encoder was not trained, so that its latents are to be shifted.
        """
        unlabelled = self._unlabelled(encoder, data.latent.shape[1])
        index = np.append(self.others.survey, self.others.unlabelled_survey)
        latents = np.concatenate([data.latent, unlabelled])
        adapter = LatentAdapter.of(self.others.surveys, latents, index, self.reference)
        if not (frozen and self.trains):
            return adapter
        rows = self.apply(adapter, data).stacked()
        unlabelled = adapter(unlabelled, self.others.unlabelled_survey)
        n_labelled = len(rows.target)
        dataset = LatentDataset(
            self._targets(rows, _surveys_of_rows(data, self.others.survey)),
            latent=np.concatenate([rows.latent, unlabelled]),
            unlabelled=np.arange(n_labelled + len(unlabelled)) >= n_labelled,
        )
        with seeded(settings.seed):
            network = AdaptedNetwork(LatentShift(data.latent.shape[1]), self._head(rows))
        net = self._fit(network, dataset, n_labelled, settings)
        return replace(adapter, shift=net.module_.body)

    def apply(self, adapter: LatentAdapter, data: HeadData) -> HeadData:
        """Return the labelled objects with adapted latents."""
        survey, prefixes = self.others.survey, data.prefixes
        if prefixes is not None:
            prefixes = replace(prefixes, latent=adapter(prefixes.latent, survey[prefixes.owner]))
        return replace(data, latent=adapter(data.latent, survey), prefixes=prefixes)

    def train_encoder(
        self,
        encoder: Any,
        data: HeadData,
        rows: np.ndarray,
        labelled: CurveDataset,
        settings: TrainingSettings,
        *,
        layers: str,
        anchor: float,
        callbacks: Sequence[Any],
    ) -> Any:
        """Train an encoder on labelled and unlabelled objects together, in place.

        All epochs are run, since the loss of held-out labels says little about the other survey.

        Parameters
        ----------
        encoder : LightCurveEncoder
            The encoder, whose network is trained.
        data : HeadData
            All labelled objects.
        rows : ndarray of int
            Those of them that are trained on.
        labelled : CurveDataset
            The same, encoded, in the order of ``data.subset(rows).stacked()``.
        settings : TrainingSettings
            How the network is trained.
        layers : {"backbone+head", "gru+head", "all"}
            Part of the network that is trained.
        anchor : float
            Strength of the pull to the start.
        callbacks : sequence of skorch callbacks
            The user's callbacks.

        Returns
        -------
        list
            The history of the training.
        """
        network, seen = encoder.net_.module_, data.subset(rows)
        parts = [part for part in self.others.unlabelled if len(part)]
        encoded = [encoder.representation_.encode(part) for part in parts]
        columns = [own for part in parts if (own := encoder._per_object(part)) is not None]
        lengths = np.concatenate([own for _, own in encoded])
        n_labelled, n_all = len(labelled), len(labelled) + len(lengths)
        inputs = {"unlabelled": np.arange(n_all) >= n_labelled}
        if "metadata" in labelled.inputs:
            inputs["metadata"] = np.concatenate([labelled.inputs["metadata"], *columns])
        dataset = CurveDataset(
            np.concatenate([labelled.values, *(values for values, _ in encoded)]),
            np.append(labelled.lengths, lengths),
            self._targets(seen.stacked(), _surveys_of_rows(seen, self.others.survey[rows])),
            **inputs,
        )
        behind = len(labelled.values) + np.cumsum(lengths) - lengths
        dataset.starts = np.append(labelled.starts, behind)
        with seeded(settings.seed):
            adapted = AdaptedNetwork(EncoderBody(network), self._head(seen.stacked()))
        trained = set(network.parameters_of("encoder" if layers == "all" else "backbone"))
        frozen = [parameter for parameter in network.parameters() if parameter not in trained]
        for parameter in frozen:
            parameter.requires_grad_(False)
        options = {"net_class": AnchoredNet, "anchor": anchor}
        net = self._fit(adapted, dataset, n_labelled, settings, callbacks, **options)
        for parameter in frozen:
            parameter.requires_grad_(True)
        return net.history

    def _fit(
        self,
        network: AdaptedNetwork,
        dataset: LatentDataset,
        n_labelled: int,
        settings: TrainingSettings,
        callbacks: Sequence[Any] = (),
        **options: Any,
    ) -> Any:
        """Train on labelled objects as often as it takes to match the unlabelled ones."""
        rng = np.random.default_rng(settings.seed)
        drawn = rng.permutation(len(dataset) - n_labelled)[:_MOST_UNLABELLED]
        n_times = max(round(len(drawn) / n_labelled), 1)
        chosen = np.append(np.tile(np.arange(n_labelled), n_times), n_labelled + drawn)
        return fit_net(
            network,
            dataset.subset(chosen),
            None,
            settings,
            criterion=AdaptationLoss(getattr(self.method, "weight", 0.0)),
            callbacks=[("share_done", Progress()), *callbacks],
            **options,
        )

    def _unlabelled(self, encoder: Any, latent_size: int) -> np.ndarray:
        parts = [encoder.transform(part) for part in self.others.unlabelled if len(part)]
        return np.concatenate([np.empty((0, latent_size), dtype=np.float32), *parts])

    def _head(self, rows: HeadData) -> nn.Module:
        """Return the training head, with prototypes at the means of the classes."""
        n_classes, n_surveys = len(rows.class_weight), len(self.others.surveys.names)
        head = self.method.training_head(rows.latent.shape[1], n_classes, n_surveys)
        assert head is not None
        if isinstance(head, CosineHead):
            means = [
                np.average(rows.latent[own], axis=0, weights=rows.sample_weight[own])
                for own in (rows.target == k for k in range(n_classes))
            ]
            unit = np.array(means) / np.maximum(np.linalg.norm(means, axis=1), 1e-12)[:, None]
            with torch.no_grad():
                head.prototypes.weight.copy_(torch.from_numpy(unit / 2))
        return head

    def _targets(self, rows: HeadData, survey: np.ndarray) -> dict[str, np.ndarray]:
        """Class indices, weights and surveys of labelled rows, then of unlabelled objects."""
        others = self.others.unlabelled_survey
        return {
            "y": np.append(rows.target, np.full(len(others), UNLABELLED)),
            "sample_weight": np.append(rows.weight, np.zeros(len(others))).astype(np.float32),
            "survey": np.append(survey, others).astype(np.int64),
        }


def _surveys_of_rows(data: HeadData, survey: np.ndarray) -> np.ndarray:
    """Return the survey of each row of ``data.stacked()``, given those of its objects."""
    return survey if data.prefixes is None else np.append(survey, survey[data.prefixes.owner])
