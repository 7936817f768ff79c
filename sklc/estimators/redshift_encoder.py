"""From a pretrained encoder to the columns that a redshift is read from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from sklearn.base import clone
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import train_test_split
from sklearn.utils import check_array, column_or_1d
from torch import nn

from sklc.errors import LightCurveError
from sklc.estimators.base import LightCurveEstimator
from sklc.estimators.encoder import LightCurveEncoder
from sklc.estimators.redshift_heads import KernelHead
from sklc.estimators.transfer import fine_tune, is_trained_on_labels, start_encoder
from sklc.light_curves import LightCurves
from sklc.light_curves.metadata import metadata_matrix, name_object
from sklc.networks.architectures.gru import LightCurveNetwork
from sklc.networks.heads import DenseHead, TransferNetwork
from sklc.networks.inference.encode import encode_latents, resolve_device
from sklc.networks.redshift import RedshiftView
from sklc.networks.training.datasets import CurveDataset
from sklc.networks.training.loop import TrainingSettings, fit_net, seeded, wrap

__all__ = ["check_redshifts", "fit_encoder", "require_own_head", "redshift_columns"]

_ALPHAS = np.logspace(-1, 4, 26)
# Fine-tuning that lowers the error on the objects held out by less than this is undone: on a
# hundred objects a smaller gain is as likely luck.
_LEAST_GAIN = 0.03


def check_redshifts(y: Any, curves: LightCurves, estimator: LightCurveEstimator) -> np.ndarray:
    """Check y as redshifts of `curves`, one each, and return them as float64.

    Raises
    ------
    LightCurveError
        If a redshift is missing, infinite, zero or negative; the message names the object.
    ValueError
        If y is missing, not numeric, or of another length.
    """
    if y is None:
        raise ValueError(
            f"This {type(estimator).__name__} estimator requires y to be passed, but the target y "
            "is None: pass one redshift per object."
        )
    try:
        y = check_array(
            y,
            ensure_2d=False,
            dtype=np.float64,
            ensure_all_finite=False,
            ensure_min_samples=0,
            input_name="y",
        )
    except ValueError as error:
        if "could not convert" not in str(error):
            raise
        raise LightCurveError(
            f"y must hold one redshift per object, as numbers: {error}. Convert it with "
            "pandas.to_numeric(y, errors='coerce'), and leave out the objects that become NaN."
        ) from error
    y = column_or_1d(y, warn=True)
    if len(y) != len(curves):
        raise ValueError(
            f"X holds {len(curves)} light curves and y {len(y)} redshifts, inconsistent numbers "
            "of samples: pass one redshift per object, in the order of X.ids."
        )
    unknown, wrong = np.flatnonzero(~np.isfinite(y)), np.flatnonzero(y <= 0)
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
            "cosmological redshift, without peculiar motion; or leave them out: "
            "keep = y > 0; fit(X[keep], y[keep])"
        )
    return y


def require_own_head(encoder: LightCurveEncoder, parameter: Any) -> None:
    """Refuse an encoder that was not trained on redshifts."""
    if encoder.net_.module_.redshift is None:
        raise ValueError(
            f"finetune='none' needs weights that were trained on redshifts, and {parameter!r} has "
            "no redshift head: use encoder='ztf+lsst-contrastive', finetune='head' with redshifts "
            "of your own, or an encoder trained with redshift_weight > 0."
        )


def redshift_columns(
    encoder: LightCurveEncoder,
    curves: LightCurves,
    metadata: tuple[str, ...],
    device: str,
    series_length: int = 0,
) -> np.ndarray:
    """What a redshift is read from: latent, state, metadata columns, fluxes of equal series.

    Parameters
    ----------
    encoder : LightCurveEncoder
        Fitted.
    curves : LightCurves
    metadata : tuple of str
        Per-object columns that join.
    device : str
        Where the encoder runs.
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
    columns = encode_latents(
        RedshiftView(encoder.net_.module_),  # type: ignore[arg-type]  # quacks like a network
        encoder.representation_,
        curves,
        metadata_matrix(curves, encoder.metadata_columns_),
        device=resolve_device(device),
    )
    extra = metadata_matrix(curves, metadata)
    if extra is not None:
        columns = np.c_[columns, extra]
    if not series_length:
        return columns
    other = np.flatnonzero(curves.lengths != series_length)
    if len(other):
        raise LightCurveError(
            f"This estimator was fitted on a 2-D array of series of {series_length} observations, "
            f"and {name_object(curves, int(other[0]))} has {curves.lengths[other[0]]}: pass series "
            "of that length, or fit on light curves."
        )
    return np.c_[columns, curves.flux.reshape(len(curves), series_length)]


def fit_encoder(
    parameter: Any,
    curves: LightCurves,
    target: np.ndarray,
    *,
    params: dict[str, Any],
    settings: TrainingSettings,
) -> tuple[LightCurveEncoder, np.ndarray | None]:
    """Return an encoder, trained as far as the parameters ask for, and what it has not seen.

    Parameters
    ----------
    parameter : str, path, LightCurveEncoder or None
        The estimator's `encoder`; never changed.
    curves : LightCurves
    target : ndarray of shape (n_objects,)
        ``ln(1 + z)``.
    params : dict
        The estimator's parameters.
    settings : TrainingSettings

    Returns
    -------
    encoder : LightCurveEncoder
        Fitted.
    held_out : ndarray of int, or None
        Objects that a network was not trained on; None where none was trained.
    """
    from_scratch = is_trained_on_labels(parameter)
    if not from_scratch:
        # No labels: an encoder with weights only loads them.
        default = LightCurveEncoder(device=params["device"])
        encoder = start_encoder(parameter, curves, None, default, settings.seed)
        if params["finetune"] == "head":
            return encoder, None
    rows, held_out = train_test_split(
        np.arange(len(target)), test_size=params["validation_fraction"], random_state=settings.seed
    )
    center, spread = target[rows].mean(), target[rows].std() or 1.0
    scaled = ((target - center) / spread).astype(np.float32)[:, None]
    if from_scratch:
        encoder = _new_encoder(parameter, curves, params, settings.seed)
        _train(encoder, curves, scaled, rows, held_out, settings, params)
        return encoder, held_out
    before = encoder.net_.module_.state_dict()
    before = {name: values.clone() for name, values in before.items()}
    start = _error_of_head(encoder, curves, target, rows, held_out, settings)
    head = _solved_head(encoder.transform(curves[rows]), scaled[rows, 0])
    data = _dataset(encoder, curves, scaled)
    fine_tune(
        encoder.net_.module_,
        head,
        data.subset(rows),
        data.subset(held_out),
        replace(settings, learning_rate=params["finetune_learning_rate"]),
        layers=params["finetune"],
        anchor=params["anchor"],
        criterion=nn.MSELoss(),
        callbacks=params["callbacks"] or (),
    )
    after = _error_of_head(encoder, curves, target, rows, held_out, settings)
    if after < (1 - _LEAST_GAIN) * start:
        return encoder, held_out
    encoder.net_.module_.load_state_dict(before)
    return encoder, None


def _new_encoder(
    template: LightCurveEncoder | None, curves: LightCurves, params: dict[str, Any], seed: int
) -> LightCurveEncoder:
    """Encoder with initial weights, of the template's sizes and representation."""
    encoder = (
        clone(template) if template is not None else LightCurveEncoder(device=params["device"])
    )
    representation = encoder._chosen_representation()
    columns = tuple(encoder.metadata) if encoder.metadata is not None else ()
    with seeded(seed):
        network = LightCurveNetwork(
            len(representation.channels),
            1,
            hidden_size=encoder.hidden_size,
            n_layers=encoder.n_layers,
            latent_size=encoder.latent_size,
            n_metadata=len(columns),
        )
    if network.metadata is not None:
        metadata = torch.from_numpy(metadata_matrix(curves, columns))
        network.metadata.standardize.set_statistics(metadata)
    return encoder._keep(wrap(network), representation, np.array([], dtype=str), columns)


def _dataset(encoder: LightCurveEncoder, curves: LightCurves, target: np.ndarray) -> CurveDataset:
    values, lengths = encoder.representation_.encode(curves)
    metadata = metadata_matrix(curves, encoder.metadata_columns_)
    return CurveDataset(values, lengths, target, metadata=metadata)


def _train(encoder, curves, scaled, rows, held_out, settings, params) -> None:
    """Train a new encoder with a linear head on redshifts alone, in place."""
    network = encoder.net_.module_
    with seeded(settings.seed):
        transfer = TransferNetwork(network, DenseHead(network.config["latent_size"], 1))
    data = _dataset(encoder, curves, scaled)
    net = fit_net(
        transfer,
        data.subset(rows),
        data.subset(held_out),
        settings,
        criterion=nn.MSELoss(),
        callbacks=params["callbacks"] or (),
    )
    encoder.net_.history = net.history


def _solved_head(latent: np.ndarray, target: np.ndarray) -> DenseHead:
    """Linear head that is solved as a ridge regression, to fine-tune from."""
    head = DenseHead(latent.shape[1], 1)
    inputs = torch.from_numpy(latent)
    head.set_statistics(inputs)
    ridge = RidgeCV(_ALPHAS).fit(head.standardize(inputs).double().numpy(), target)
    with torch.no_grad():
        head.output.weight.copy_(torch.from_numpy(ridge.coef_[None]))
        head.output.bias.fill_(float(ridge.intercept_))
    return head


def _error_of_head(encoder, curves, target, rows, held_out, settings) -> float:
    """Squared error on `held_out` of the head that is solved on `rows`."""
    columns = redshift_columns(encoder, curves, (), settings.device)
    head = KernelHead(RedshiftView(encoder.net_.module_).block_sizes)
    head.fit(columns[rows], target[rows], settings.seed)
    return float(np.mean((head.predict(columns[held_out])[:, 0] - target[held_out]) ** 2))
