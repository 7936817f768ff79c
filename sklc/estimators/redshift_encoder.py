"""From a pretrained encoder to the columns that a redshift is read from."""

from __future__ import annotations

from dataclasses import replace
from numbers import Integral
from typing import Any

import numpy as np
import torch
from sklearn.base import clone
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import train_test_split
from torch import nn

from sklc.errors import LightCurveError
from sklc.estimators.base import LightCurveEstimator
from sklc.estimators.context import refuse_known_redshifts
from sklc.estimators.encoder import LightCurveEncoder
from sklc.estimators.encoder_training import EncoderTraining
from sklc.estimators.redshift_heads import KernelHead
from sklc.estimators.sample import TrainingSample
from sklc.estimators.transfer import (
    TRANSFER_CONSTRAINTS,
    as_parameter,
    default_encoder,
    fine_tune,
    is_trained_on_labels,
    start_encoder,
)
from sklc.light_curves import LightCurves
from sklc.light_curves.bands import SERIES_PASSBAND
from sklc.light_curves.metadata import metadata_matrix, name_object
from sklc.networks.architectures.choice import new_network
from sklc.networks.heads import DenseHead, TransferNetwork
from sklc.networks.objectives.losses import SquaredError
from sklc.networks.training.datasets import CurveDataset
from sklc.networks.training.loop import TrainingSettings, fit_net, seeded, wrap
from sklc.utils.sklearn_compat import HasMethods, Interval, StrOptions
from sklc.weights.trained import TrainedWeights

__all__ = [
    "REDSHIFT_CONSTRAINTS",
    "check_redshifts",
    "check_series",
    "fit_encoder",
    "redshift_columns",
    "require_own_head",
]

_UNUSED = ("class_weight", "early_stopping")  # of the parameters of transfer estimators
REDSHIFT_CONSTRAINTS: dict[str, list[Any]] = {
    "method": [StrOptions({"kernel", "mlp", "knn"})],
    "n_neighbors": [Interval(Integral, 1, None, closed="left")],
    "head_sizes": ["array-like"],
    "early": ["boolean"],
    "calibrate": [str, HasMethods(["fit", "quantiles", "standard_deviation"]), None],
    **{name: allowed for name, allowed in TRANSFER_CONSTRAINTS.items() if name not in _UNUSED},
}

_ALPHAS = np.logspace(-1, 4, 26)
# No object is known beyond a redshift of 15.
_HIGHEST_REDSHIFT = 30.0
# Fine-tuning is undone if it lowers the error on the held-out objects by less than this share. On
# a hundred objects, a smaller gain may well be chance.
_LEAST_GAIN = 0.03

# Objects from which a new network learns the scales of its inputs.
_FOR_SCALES = 1000


def check_redshifts(y: Any, curves: LightCurves, estimator: LightCurveEstimator) -> np.ndarray:
    """Check y as redshifts of `curves`, one each, and return them as float64.

    Raises
    ------
    LightCurveError
        If a redshift is missing, infinite, zero or negative; the message names the object.
    ValueError
        If y is missing, not numeric, or of another length.
    """
    try:
        y = estimator._one_each(y, curves, "redshift", dtype=np.float64, ensure_all_finite=False)
    except ValueError as error:
        if "could not convert" not in str(error):
            raise
        raise LightCurveError(
            f"y must hold one redshift per object, as numbers: {error}. Convert it with "
            "pandas.to_numeric(y, errors='coerce'), and leave out the objects that become NaN."
        ) from error
    unknown, wrong = np.flatnonzero(~np.isfinite(y)), np.flatnonzero(y <= 0)
    far = np.flatnonzero(np.isfinite(y) & (y > _HIGHEST_REDSHIFT))
    if curves.passbands == (SERIES_PASSBAND,):  # plain series, whose y may be any number
        far = far[:0]
    if len(unknown):
        raise LightCurveError(
            f"y contains NaN or infinity: the redshift of {name_object(curves, int(unknown[0]))} "
            f"is {y[unknown[0]]} ({len(unknown)} of {len(y)} redshifts). Leave such objects out: "
            "keep = numpy.isfinite(y); fit(X[keep], y[keep])"
        )
    if len(wrong):
        raise LightCurveError(
            f"Redshifts must be positive, and that of {name_object(curves, int(wrong[0]))} is "
            f"{y[wrong[0]]:g} ({len(wrong)} of {len(y)} redshifts). Nearby objects need their "
            "cosmological redshift, without peculiar motion; numbers such as -9 or -99 stand for "
            "missing ones. Leave such objects out: keep = y > 0; fit(X[keep], y[keep])"
        )
    if len(far):
        raise LightCurveError(
            f"The redshift of {name_object(curves, int(far[0]))} is {y[far[0]]:g} ({len(far)} of "
            f"{len(y)} redshifts exceed {_HIGHEST_REDSHIFT:g}), which looks like a placeholder "
            f"of a missing one. Leave such objects out: keep = y < {_HIGHEST_REDSHIFT:g}; "
            "fit(X[keep], y[keep])"
        )
    return y


def require_own_head(encoder: LightCurveEncoder, parameter: Any) -> nn.Module:
    """Return the redshift head of an encoder, or refuse one that was not trained on redshifts."""
    head = encoder._source().network.redshift
    if head is None:
        raise ValueError(
            f"finetune='none' needs weights that were trained on redshifts, and {parameter!r} has "
            "no redshift head: use encoder='any', finetune='head' with redshifts "
            "of your own, or an encoder trained with redshift_weight > 0."
        )
    return head


def redshift_columns(
    encoder: LightCurveEncoder,
    curves: LightCurves,
    metadata: tuple[str, ...],
    like: LightCurveEstimator,
    series_length: int = 0,
) -> np.ndarray:
    """Return the inputs of a head: latent, state, metadata columns, and fluxes of equal series.

    Parameters
    ----------
    encoder : LightCurveEncoder
        A fitted encoder.
    curves : LightCurves
        Light curves of n_objects.
    metadata : tuple of str
        Per-object columns that join.
    like : LightCurveEstimator
        The estimator whose parameters say where, and how precisely, to compute.
    series_length : int, default=0
        Number of observations that every object has at the same times, as in a 2-D array, where
        the fluxes join, too. 0 stands for light curves, whose observations cannot be compared.

    Returns
    -------
    ndarray of shape (n_objects, n_columns)

    Raises
    ------
    LightCurveError
        If an object is not of that length.
    """
    refuse_known_redshifts(encoder, curves)
    columns: list[Any] = [encoder._encode(curves, like, with_state=True)]
    if metadata:
        columns.append(metadata_matrix(curves, metadata))
    if series_length:
        check_series(curves, series_length)
        columns.append(curves.flux.reshape(len(curves), series_length))
    return np.concatenate(columns, axis=1)


def check_series(curves: LightCurves, series_length: int) -> None:
    """Refuse objects that are no series of the length of those of the fit; 0 allows any."""
    other = np.flatnonzero(curves.lengths != series_length)
    if series_length and len(other):
        raise LightCurveError(
            f"This estimator was fitted on a 2-D array of series of {series_length} "
            f"observations, and {name_object(curves, int(other[0]))} has "
            f"{curves.lengths[other[0]]}: pass series of that length, or fit on light curves."
        )


def fit_encoder(
    estimator: Any, sample: TrainingSample, target: np.ndarray, settings: TrainingSettings
) -> tuple[LightCurveEncoder, np.ndarray | None]:
    """Return an encoder, trained as far as the parameters ask for, and what it has not seen.

    Parameters
    ----------
    estimator : RedshiftRegressor
        The estimator whose parameters are read.
    sample : TrainingSample
        Distinct objects.
    target : ndarray of shape (n_objects,)
        Values of ``ln(1 + z)``.
    settings : TrainingSettings
        How networks are trained.

    Returns
    -------
    encoder : LightCurveEncoder
        A fitted encoder, with its network as parameter `weights` where it was trained.
    held_out : ndarray of int, or None
        Objects that the network was not trained on; None where none was trained.
    """
    curves, weight, default = sample.curves, sample.weight, default_encoder(estimator)
    from_scratch = is_trained_on_labels(estimator.encoder)
    if not from_scratch:
        # Without labels, since an encoder with weights only checks them.
        start = start_encoder(estimator.encoder, curves, None, default, settings.seed)
        if estimator.finetune == "head":
            return as_parameter(start), None
    rows, held_out = train_test_split(
        np.arange(len(target)), test_size=estimator.validation_fraction, random_state=settings.seed
    )
    center, spread = target[rows].mean(), target[rows].std() or 1.0
    scaled = ((target - center) / spread).astype(np.float32)[:, None]
    if from_scratch:
        template = default if estimator.encoder is None else estimator.encoder
        encoder = _new_encoder(clone(template), curves, settings.seed)
    else:
        encoder = start._holding(TrainedWeights.to_fine_tune(start._source()))
    values, lengths = encoder.representation_.encode(curves)
    data = CurveDataset(
        values,
        lengths,
        scaled,
        sample_weight=None if weight is None else weight.astype(np.float32),
        metadata=encoder._per_object(curves),
    )
    train, valid, network = data.subset(rows), data.subset(held_out), encoder.net_.module_
    options: dict[str, Any] = {"criterion": SquaredError(), "callbacks": estimator.callbacks or ()}
    if from_scratch:
        with seeded(settings.seed):
            transfer = TransferNetwork(network, DenseHead(network.latent_size, 1))
        encoder.net_.history = fit_net(transfer, train, valid, settings, **options).history
        return encoder, held_out

    def error_of_head(encoder: LightCurveEncoder) -> float:
        """Return the squared error on `held_out` of the head that is solved on `rows`."""
        columns = redshift_columns(encoder, curves, (), estimator)
        head = KernelHead(network.block_sizes).fit(columns[rows], target[rows], settings.seed)
        return float(np.mean((head.predict(columns[held_out])[:, 0] - target[held_out]) ** 2))

    before = error_of_head(start)
    known = None if weight is None else weight[rows]
    fine_tune(
        network,
        _solved_head(encoder.transform(curves[rows]), scaled[rows, 0], known),
        train,
        valid,
        replace(settings, learning_rate=estimator.finetune_learning_rate),
        layers=estimator.finetune,
        anchor=estimator.anchor,
        **options,
    )
    helped = error_of_head(encoder) < (1 - _LEAST_GAIN) * before
    return (encoder, held_out) if helped else (as_parameter(start), None)


def _new_encoder(template: LightCurveEncoder, curves: LightCurves, seed: int) -> LightCurveEncoder:
    """Return an encoder with initial weights, of the template's sizes and representation."""
    training = EncoderTraining.of(template, template._metadata(), seed)
    representation, columns = training.representation, training.columns
    metadata = metadata_matrix(curves, columns)
    with seeded(seed):
        network = new_network(
            training.architecture, representation.channels, 0, metadata,
            time_scale=representation.time_scale,
            values=representation.encode(curves[:_FOR_SCALES])[0],
        )  # fmt: skip
    return template._holding(
        TrainedWeights(wrap(network), representation, np.array([], str), columns)
    )


def _solved_head(latent: np.ndarray, target: np.ndarray, weight: np.ndarray | None) -> DenseHead:
    """Return a linear head to start fine-tuning from, solved as a ridge regression."""
    head = DenseHead(latent.shape[1], 1)
    inputs = torch.from_numpy(latent)
    head.set_statistics(inputs)
    ridge = RidgeCV(_ALPHAS).fit(head.standardize(inputs).double().numpy(), target, weight)
    with torch.no_grad():
        head.output.weight.copy_(torch.from_numpy(ridge.coef_[None]))
        head.output.bias.fill_(float(ridge.intercept_))
    return head
