"""The parameter `context` of the estimators: what it may be, and what the network reads of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from sklc.context import Context, items_of
from sklc.errors import LightCurveError
from sklc.light_curves import LightCurves
from sklc.light_curves.metadata import metadata_matrix, name_object
from sklc.networks.joined import join_columns
from sklc.utils.text import listed, shown
from sklc.weights.catalogue import manifest
from sklc.weights.file import WeightsFile
from sklc.weights.trained import TrainedWeights

__all__ = [
    "check_context",
    "per_object_columns",
    "refuse_known_redshifts",
    "refuse_redshift_without_error",
]


def check_context(context: Any, source: TrainedWeights | WeightsFile, weights: Any) -> None:
    """Refuse a context that weights cannot read.

    Parameters
    ----------
    context : str, sequence of str, mapping or None
        The parameter of an estimator.
    source : TrainedWeights or WeightsFile
        The network.
    weights : object
        The parameter that names it.

    Raises
    ------
    ValueError
        If it is not a context, or the network has no adapter for it.
    """
    asked = Context.of(context)
    if asked is None:
        return
    known = items_of(source.network.shape.context)
    unread = [item for item in asked.columns if item not in known]
    if not unread:
        return
    if known:
        raise ValueError(
            f"weights={shown(weights)} read {listed(known)} of the context of an object, and not "
            f"{listed(unread)}: leave it out of context=."
        )
    able = sorted(name for name, entry in manifest()["weights"].items() if entry.get("context"))
    other = f"use one of the weights {listed(able)}, or " if able else ""
    raise ValueError(
        f"weights={shown(weights)} read nothing but the light curves, and context="
        f"{shown(context)} was given: {other}train an adapter for it with "
        "sklc.pretrain.fit_context, or leave context out."
    )


def per_object_columns(
    curves: LightCurves, source: TrainedWeights | WeightsFile, context: Any
) -> np.ndarray | None:
    """Return what the network reads beside the light curves: metadata, then context.

    Parameters
    ----------
    curves : LightCurves
        Light curves of n_objects.
    source : TrainedWeights or WeightsFile
        The network and its input convention.
    context : str, sequence of str, mapping or None
        The parameter of an encoder, which has been checked.

    Returns
    -------
    ndarray of shape (n_objects, n_columns), float32, or None

    Raises
    ------
    LightCurveError
        If a column is missing or not numeric, or a value is impossible.
    """
    matrix = metadata_matrix(curves, source.metadata_columns)
    asked = Context.of(context)
    if asked is None:
        return matrix
    known = asked.read(curves, source.representation)
    return join_columns(matrix, known.channels(source.network.shape.context))


def refuse_redshift_without_error(context: Any) -> None:
    """Refuse a context that holds what a regressor is to predict.

    Parameters
    ----------
    context : str, sequence of str, mapping or None
        The parameter of a regressor, or of its encoder.

    Raises
    ------
    ValueError
        If the context has a redshift without an error.
    """
    asked = Context.of(context)
    if asked is not None and "redshift" in asked.columns and "redshift_err" not in asked.columns:
        raise ValueError(
            "RedshiftRegressor was given the redshift itself as context: name a photometric "
            "redshift and its error, such as context={'redshift': 'photo_z', 'redshift_err': "
            "'photo_z_err'}, or leave it out of context=."
        )


def refuse_known_redshifts(encoder: Any, curves: LightCurves) -> None:
    """Refuse light curves whose context holds what a regressor is to predict.

    Parameters
    ----------
    encoder : LightCurveEncoder
        The encoder of a regressor.
    curves : LightCurves
        The light curves whose context is looked at.

    Raises
    ------
    LightCurveError
        If the error of a redshift is 0.
    """
    asked = Context.of(encoder.context)
    if asked is None or "redshift" not in asked.columns:
        return
    error = asked.read(curves, encoder.representation_).redshift_err
    known = np.flatnonzero(error == 0)
    if len(known):
        raise LightCurveError(
            f"The redshift of {name_object(curves, int(known[0]))} in the context has the error 0 "
            f"in metadata column {asked.columns['redshift_err']!r} ({len(known)} of {len(error)} "
            "objects), so that there is nothing to predict. Give a photometric redshift with its "
            "error, or NaN for both."
        )
