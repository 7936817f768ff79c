"""Let an encoder read what is known of an object beside its light curve, without changing it."""

from __future__ import annotations

import copy
import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from torch import nn

from sklc.augment import Prefixes
from sklc.context import (
    CONTEXT_CHANNELS,
    ContextValues,
    first_detection,
    last_non_detection,
)
from sklc.errors import LightCurveError
from sklc.estimators.encoder import LightCurveEncoder
from sklc.light_curves import LightCurves
from sklc.light_curves.metadata import name_object
from sklc.networks.architectures import EncoderNetwork
from sklc.networks.architectures.choice import network_from_config
from sklc.networks.inference.encode import encode_latents
from sklc.networks.objectives.losses import LOG_SCALE
from sklc.networks.training.loop import seeded, wrap
from sklc.pretrain.training import survey_groups
from sklc.representation import InputRepresentation
from sklc.utils.text import listed
from sklc.weights.trained import TrainedWeights, facts_of_copies

__all__ = ["DrawnContext", "fit_context"]

# Below this, an object belongs to the Milky Way, and its redshift says nothing of its distance.
_NEAREST = 1e-3
# A beginning of a light curve ends this many days after its first detection, log-uniformly.
_DAYS = (0.1, 200.0)
# A likelihood of the redshift beyond this is not rewarded: a redshift from a spectrum is known.
_BEST_LOG_LIKELIHOOD = 4.0


@dataclass(frozen=True)
class DrawnContext:
    """What is known of a training object in an epoch, drawn at random.

    Parameters
    ----------
    spectroscopic, photometric : float
        Shares of objects with such a redshift; of the others, none is known.
    other : float
        Share of those whose item of another kind, such as E(B-V), is known.
    errors : (float, float)
        Range of the errors of photometric redshifts, in units of 1 + z; log-uniform.
    outliers : float
        Share of photometric redshifts that are those of another object of the survey, as of a
        wrong host galaxy, and the share of them that are wrong by many errors.
    wrong_hosts : float
        Share of redshifts from spectra that are those of another object.

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.context import ContextValues
    >>> from sklc.pretrain.context import DrawnContext
    >>> z, unknown = np.full(1000, 0.3), np.full(1000, np.nan)
    >>> known = ContextValues(z, 0 * z, unknown, unknown)
    >>> drawn = DrawnContext().draw(known, np.zeros(1000), np.random.default_rng(0))
    >>> bool(0.25 < np.isnan(drawn.redshift).mean() < 0.35)
    True
    """

    spectroscopic: float = 0.35
    photometric: float = 0.35
    other: float = 0.5
    errors: tuple[float, float] = (0.005, 0.2)
    outliers: float = 0.07
    wrong_hosts: float = 0.02

    def draw(
        self, known: ContextValues, group: np.ndarray, rng: np.random.Generator
    ) -> ContextValues:
        """Return what the network is told.

        Parameters
        ----------
        known : ContextValues
            The truth; its redshifts of objects in the Milky Way are below 0.001.
        group : ndarray of shape (n_objects,)
            Survey of each object, whose other objects a wrong redshift is taken from.
        rng : numpy.random.Generator
            Makes the draws.

        Returns
        -------
        ContextValues
        """
        z, n = known.redshift, len(known.redshift)
        order, shuffled = np.argsort(group, kind="stable"), np.lexsort((rng.random(n), group))
        other = np.empty(n)
        other[order] = z[shuffled]
        # A star may lie in front of a galaxy, whose redshift is then taken for its own.
        galactic, chance = z < _NEAREST, rng.random(n)
        wrong = chance < np.where(galactic, 0.3, self.wrong_hosts)
        spectroscopic = np.where(wrong, other, z) + rng.normal(0, 5e-4, n)
        low, high = np.log(self.errors)
        sigma = np.exp(rng.uniform(low, high, n))
        host = np.where(galactic | (chance < self.outliers), other, z)
        far = rng.random(n) < self.outliers
        pull = np.where(far, 4 * rng.standard_t(3, n), rng.standard_normal(n))
        photometric = np.clip(host + pull * sigma * (1 + host), 2e-3, 6.0)
        kind = rng.random(n)
        is_photometric = (kind >= self.spectroscopic) & (
            kind < self.spectroscopic + self.photometric
        )
        absent = kind >= self.spectroscopic + self.photometric
        redshift = np.where(is_photometric, photometric, spectroscopic)
        error = np.where(is_photometric, sigma * (1 + photometric), 0.0)
        dust, days = (
            np.where(rng.random(n) < self.other, values, np.nan)
            for values in (known.mwebv, known.undetected_days)
        )
        return ContextValues(
            np.where(absent, np.nan, redshift), np.where(absent, np.nan, error), dust, days
        )


@dataclass(frozen=True, eq=False)
class _Rows:
    """Whole light curves and beginnings of them, seen through a frozen network."""

    encoded: torch.Tensor
    known: ContextValues
    group: np.ndarray
    target: torch.Tensor
    log1p_redshift: torch.Tensor
    owner: np.ndarray

    @classmethod
    def of(
        cls, encoder: LightCurveEncoder, curves: LightCurves, target: np.ndarray, seed: int
    ) -> _Rows:
        """Encode light curves, and a beginning of each."""
        source, metadata = encoder._source(), curves.metadata
        first, last = _DAYS
        begun = Prefixes(share=1, shortest=first, longest=last, min_points=1, random_state=seed)
        parts = [curves, begun.fit_transform(curves)]
        encoded = [
            encode_latents(source.network, source.representation, part, with_state=True)
            for part in parts
        ]
        days = [_undetected_days(part, source.representation) for part in parts]
        redshift = metadata["redshift"].to_numpy(dtype=float)
        mwebv = np.full(len(curves), np.nan)
        if "mwebv" in metadata:
            mwebv = metadata["mwebv"].to_numpy(dtype=float)
        owner = np.tile(np.arange(len(curves)), 2)
        return cls(
            torch.from_numpy(np.concatenate(encoded)),
            ContextValues(redshift[owner], 0 * redshift[owner], mwebv[owner], np.concatenate(days)),
            np.unique(survey_groups(curves), return_inverse=True)[1][owner],
            torch.from_numpy(target[owner]),
            torch.from_numpy(np.log1p(redshift[owner])).float(),
            owner,
        )

    def drawn(self, drawing: DrawnContext, names: Sequence[str], seed: int) -> torch.Tensor:
        """Return the columns of a context."""
        rng = np.random.default_rng(seed)
        return torch.from_numpy(drawing.draw(self.known, self.group, rng).channels(names))


def _undetected_days(curves: LightCurves, representation: InputRepresentation) -> np.ndarray:
    """Return days from the last non-detection to the first detection; NaN where none is known."""
    if "last_non_detection" in curves.metadata:  # where noise was dropped
        last = curves.metadata["last_non_detection"].to_numpy(dtype=float)
    else:
        last = last_non_detection(curves, representation)
    days = first_detection(curves, representation) - last
    return np.where(days >= 0, days, np.nan)


def fit_context(
    encoder: LightCurveEncoder | str | os.PathLike[str],
    curves: LightCurves,
    *,
    drawing: DrawnContext | None = None,
    sizes: Sequence[int] = (192, 192),
    epochs: int = 16,
    batch_size: int = 512,
    learning_rate: float = 3e-3,
    weight_decay: float = 1e-4,
    redshift_weight: float = 0.3,
    seed: int = 0,
) -> tuple[LightCurveEncoder, dict[str, float]]:
    """Add an adapter to trained weights, with which they read the context of an object.

    Everything else in the weights stays as it is, so that results without context do not change.
    The adapter is trained on whole light curves and on their beginnings, with the class head and
    the redshift head of the weights. Each item of the context is present or absent at random. The
    output of other heads, such as the novelty score, does not depend on the context; add them
    before.

    Parameters
    ----------
    encoder : LightCurveEncoder, str or path
        A fitted encoder, or the name or file of weights, that was trained on classes.
    curves : LightCurves
        Light curves with the metadata columns ``class`` and ``redshift`` and, if available,
        ``mwebv``, ``survey`` and ``last_non_detection``. Without the last one, non-detections are
        taken from the light curves.
    drawing : DrawnContext, optional
        How the context of the training objects is drawn.
    sizes : sequence of int, default=(192, 192)
        Widths of the hidden layers of the adapter.
    epochs, batch_size, learning_rate, weight_decay
        How to train. The learning rate warms up and decays.
    redshift_weight : float, default=0.3
        Weight of the redshift likelihood beside the cross-entropy.
    seed : int, default=0
        Seed of the held-out part, the beginnings, the context, initial weights and batches.

    Returns
    -------
    encoder : LightCurveEncoder
        An encoder with the adapter; the one given is not changed.
    metrics : dict
        Macro one-vs-rest AUROC on 6 % of the objects, held out, whole and early, with and without a
        redshift.

    Raises
    ------
    LightCurveError
        If an object has no class of the weights, or no redshift.
    ValueError
        If the weights were not trained on classes.

    Examples
    --------
    >>> from sklc import LightCurveEncoder
    >>> from sklc.datasets import load_demo
    >>> from sklc.pretrain import fit_context
    >>> curves, y = load_demo(return_X_y=True)
    >>> known = curves[y != "SNIb/c"]  # the weights have the classes SNIb and SNIc instead
    >>> encoder, metrics = fit_context(LightCurveEncoder("any"), known, epochs=1)
    >>> encoder.set_params(context="redshift").transform(curves[:3]).shape
    (3, 128)
    """
    if not isinstance(encoder, LightCurveEncoder):
        encoder = LightCurveEncoder(encoder)
    source = encoder._source()
    if source.network.head is None:
        raise ValueError("fit_context needs weights that were trained on classes.")
    names, drawing = tuple(CONTEXT_CHANNELS), drawing or DrawnContext()
    target = _targets(curves, encoder.classes_)
    with seeded(seed):
        network = _with_adapter(source.network, names, sizes, source.representation.channels)
        rows = _Rows.of(encoder, curves, target, seed)
        held_out = np.zeros(len(curves), dtype=bool)
        held_out[train_test_split(np.arange(len(target)), test_size=0.06, random_state=seed)[1]] = 1
        train = np.flatnonzero(~held_out[rows.owner])
        _train_adapter(
            network, rows, train, drawing, names, epochs=epochs, batch_size=batch_size,
            learning_rate=learning_rate, weight_decay=weight_decay,
            redshift_weight=redshift_weight, seed=seed,
        )  # fmt: skip
    classes = np.asarray(source.classes)
    weights = TrainedWeights(
        wrap(network),
        source.representation,
        classes,
        source.metadata_columns,
        from_weights=True,
        facts=facts_of_copies(source.info),
    )
    test = np.flatnonzero(held_out[rows.owner])
    return encoder._holding(weights), _metrics(network, rows, test, len(curves), names)


def _targets(curves: LightCurves, classes: np.ndarray) -> np.ndarray:
    """Return the index of the class of each object."""
    missing_columns = [name for name in ("class", "redshift") if name not in curves.metadata]
    if missing_columns:
        raise LightCurveError(
            f"fit_context needs the metadata columns {listed(missing_columns)}, and the light "
            "curves have none of the name: add them with "
            f"curves.with_metadata({missing_columns[0]}=...)."
        )
    metadata, known = curves.metadata, {label: k for k, label in enumerate(classes.tolist())}
    target = metadata["class"].map(known).to_numpy(dtype=float, na_value=np.nan)
    redshift = metadata["redshift"].to_numpy(dtype=float, na_value=np.nan)
    missing = np.flatnonzero(np.isnan(target) | ~np.isfinite(redshift))
    if len(missing):
        raise LightCurveError(
            f"{name_object(curves, int(missing[0]))} has no redshift, or none of the classes of "
            f"the weights ({len(missing)} of {len(target)} objects): leave such objects out."
        )
    return target.astype(np.int64)


def _with_adapter(
    network: EncoderNetwork, names: Sequence[str], sizes: Sequence[int], channels: Sequence[str]
) -> EncoderNetwork:
    """Return a copy of a network with a new adapter, which alone can be trained."""
    config = {**network.config, "context": list(names), "context_sizes": list(sizes)}
    adapted = network_from_config(config, channels)
    own = {k: v for k, v in network.state_dict().items() if not k.startswith("context.")}
    adapted.load_state_dict(copy.deepcopy(own), strict=False)
    for name, parameter in adapted.named_parameters():
        parameter.requires_grad_(name.startswith("context."))
    return adapted.eval()


def _train_adapter(
    network: EncoderNetwork,
    rows: _Rows,
    train: np.ndarray,
    drawing: DrawnContext,
    names: Sequence[str],
    *,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    weight_decay: float,
    redshift_weight: float,
    seed: int,
) -> None:
    """Train the adapter of a network, with heads that stay as they are."""
    adapter = network.context
    assert adapter is not None
    latent, state = rows.encoded.split([network.latent_size, network.state_size], dim=1)
    others = [head for name, head in network.all_heads().items() if name != "redshift"]
    adapter.standardize.set_statistics(rows.drawn(drawing, names, seed)[train])
    shares = torch.bincount(rows.target[train], minlength=network.shape.n_classes)
    weight = (len(train) / shares.clamp(min=1) / (shares > 0).sum())[rows.target]
    optimizer = torch.optim.AdamW(adapter.parameters(), lr=learning_rate, weight_decay=weight_decay)
    n_batches = -(-len(train) // batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, learning_rate, total_steps=epochs * n_batches + 1
    )
    for epoch in range(epochs):
        context = rows.drawn(drawing, names, seed + epoch)
        for batch in torch.from_numpy(train)[torch.randperm(len(train))].chunk(n_batches):
            shifted = adapter(latent[batch], state[batch], context[batch])
            losses = nn.functional.cross_entropy(
                network.head(shifted), rows.target[batch], reduction="none"
            )
            if network.redshift is not None and redshift_weight:
                surprise = _surprise(network.redshift(shifted), rows.log1p_redshift[batch])
                losses = losses + redshift_weight * surprise
            for head in others:  # of which the context says nothing
                change = head(shifted) - head(latent[batch])
                losses = losses + nn.functional.huber_loss(
                    change, torch.zeros_like(change), reduction="none"
                ).sum(dim=1)
            optimizer.zero_grad()
            (weight[batch] * losses).mean().backward()
            nn.utils.clip_grad_norm_(adapter.parameters(), 5.0)
            optimizer.step()
            schedule.step()
    for parameter in network.parameters():
        parameter.requires_grad_(True)


def _surprise(output: torch.Tensor, log1p_redshift: torch.Tensor) -> torch.Tensor:
    """Negative log likelihood of ``ln(1 + z)`` as the redshift head gives it."""
    scale = output[:, 1].clamp(*LOG_SCALE)
    pull = (output[:, 0] - log1p_redshift) / scale.exp()
    return (scale + 0.5 * pull**2).clamp(min=-_BEST_LOG_LIKELIHOOD)


def _metrics(
    network: EncoderNetwork, rows: _Rows, test: np.ndarray, n_objects: int, names: Sequence[str]
) -> dict[str, float]:
    """Macro AUROC of objects that training has not seen, with and without a redshift."""
    metrics, y = {}, rows.target[test].numpy()
    assert network.context is not None
    latent, state = rows.encoded[test].split([network.latent_size, network.state_size], dim=1)
    kinds = {"": (0.0, 0.0), "_redshift": (1.0, 0.0), "_photo_z": (0.0, 1.0)}
    for kind, (spectroscopic, photometric) in kinds.items():
        drawing = DrawnContext(spectroscopic, photometric, other=0.0)
        context = rows.drawn(drawing, names, 0)[test]
        with torch.inference_mode():
            scores = network.head(network.context(latent, state, context)).softmax(1).numpy()
        for when, own in (("whole", test < n_objects), ("early", test >= n_objects)):
            present = [k for k in np.unique(y[own]) if (y[own] == k).any() and (y[own] != k).any()]
            areas = [roc_auc_score(y[own] == k, scores[own, k]) for k in present]
            metrics[f"macro_auroc_{when}{kind}"] = round(float(np.mean(areas)), 4)
    return metrics
