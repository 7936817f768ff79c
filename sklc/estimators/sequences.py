"""What an encoder says of single observations."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklc.errors import LightCurveError
from sklc.light_curves import LightCurves
from sklc.light_curves.metadata import name_object
from sklc.light_curves.usable import skips_unusable
from sklc.networks.device import resolve_device
from sklc.networks.inference.sequences import expert_usage, reconstruct
from sklc.networks.objectives.masked import MASKED
from sklc.utils.offsets import count_by_object, per_observation
from sklc.utils.text import shown
from sklc.weights.wavelengths import warn_of_passbands

__all__ = ["SequenceMethods"]

# Parts in turn of which each observation is predicted from the other parts.
_FOLDS = 5


class SequenceMethods:
    """Methods of `LightCurveEncoder` that return something for every observation or expert."""

    _curves: Any
    _source: Any
    device: Any

    def reconstruct(self, X, hidden=None, *, return_std=False):
        """Predict observations from the others, with a network trained by ``objective="masked"``.

        The network does not see the hidden measurements: their true values have no influence on
        their own predictions. Observations that are far from their prediction may be outliers.

        Parameters
        ----------
        X : light curves of n_objects
            In any form that `sklc.as_light_curves` takes.
        hidden : array-like of bool, shape (n_observations,), optional
            The observations to predict together, in the order of ``sklc.as_light_curves(X).time``.
            By default all are predicted, every fifth of an object at a time.
        return_std : bool, default=False
            Whether to return standard deviations as well.

        Returns
        -------
        flux : ndarray of shape (n_hidden,)
            Predicted fluxes at the hidden observations, at the zero point of the light curves.
        std : ndarray of shape (n_hidden,)
            Their standard deviations, which do not include the errors of the measurements; only
            with ``return_std=True``.

        Raises
        ------
        ValueError
            If the network was not trained to predict observations, or `hidden` has another shape.
        LightCurveError
            If no observation of an object is left to predict the others from.

        Examples
        --------
        >>> import numpy as np
        >>> from sklc import LightCurveEncoder
        >>> from sklc.datasets import load_demo
        >>> curves = load_demo().curves[:100]
        >>> curves = curves[curves.lengths >= 2]
        >>> encoder = LightCurveEncoder(
        ...     architecture="transformer", objective="masked", max_epochs=1
        ... ).fit(curves)
        >>> hidden = np.random.default_rng(0).random(len(curves.time)) < 0.2
        >>> hidden &= curves.time > np.repeat(curves.time[curves.offsets[:-1]], curves.lengths)
        >>> flux, std = encoder.reconstruct(curves, hidden, return_std=True)
        >>> pull = (curves.flux[hidden] - flux) / np.hypot(std, curves.flux_err[hidden])
        >>> pull.shape == (hidden.sum(),)
        True
        """
        check_is_fitted(self)
        source = self._source()
        if MASKED not in source.network.sequence_heads:
            raise ValueError(
                "reconstruct needs a network that was trained to predict observations, and this "
                "one was not: train one with LightCurveEncoder(objective='masked')."
            )
        curves = self._curves(X, reset=False)
        warn_of_passbands(curves, source.info)
        offsets = curves._compact().offsets
        position = np.arange(offsets[-1]) - per_observation(offsets[:-1], offsets)
        if hidden is None:
            every = np.ones(len(position), dtype=bool)
            passes = [position % _FOLDS == fold for fold in range(_FOLDS)]
        else:
            every = _mask(hidden, len(position))
            passes = [every]
        flux, std = np.empty(len(position)), np.empty(len(position))
        for own in passes:
            if own.any():
                _require_visible(curves, own, offsets)
                flux[own], std[own] = reconstruct(
                    source.network,
                    source.representation,
                    curves,
                    own,
                    resolve_device(self.device),
                )
        return (flux[every], std[every]) if return_std else flux[every]

    @skips_unusable
    def expert_usage(self, X, *, on_error="raise"):
        """Return how much of the output of each layer comes from each of its experts.

        Parameters
        ----------
        X : light curves of n_objects
            In any form that `sklc.as_light_curves` takes.
        on_error : {"raise", "nan"}, default="raise"
            Whether an object that cannot be used is an error, or has missing values in its row.

        Returns
        -------
        ndarray of shape (n_objects, n_layers, n_experts), float32
            Means over the observations of each object, which add up to 1 over the experts.

        Raises
        ------
        ValueError
            If the network has no experts.

        Examples
        --------
        >>> from sklc import LightCurveEncoder
        >>> from sklc.datasets import load_demo
        >>> from sklc.networks.architectures import Transformer
        >>> curves, y = load_demo(return_X_y=True)
        >>> architecture = Transformer(hidden_size=16, feedforward_size=16, experts=4)
        >>> encoder = LightCurveEncoder(architecture=architecture, max_epochs=1).fit(curves, y)
        >>> encoder.expert_usage(curves[:10]).shape
        (10, 2, 4)
        """
        check_is_fitted(self)
        source = self._source()
        if not getattr(source.network.architecture, "experts", 0):
            raise ValueError(
                "expert_usage is for a transformer with experts, and this network has none: train "
                "one with architecture=Transformer(experts=4), from sklc.networks.architectures."
            )
        curves = self._curves(X, reset=False)
        device = resolve_device(self.device)
        return expert_usage(source.network, source.representation, curves, device)


def _mask(hidden: Any, n_observations: int) -> np.ndarray:
    mask = np.asarray(hidden)
    if mask.dtype != bool or mask.shape != (n_observations,):
        raise ValueError(
            f"hidden must hold one boolean for each of the {n_observations} observations, in the "
            f"order of as_light_curves(X).time; got {shown(mask)} of type {mask.dtype} and shape "
            f"{mask.shape}."
        )
    return mask


def _require_visible(curves: LightCurves, hidden: np.ndarray, offsets: np.ndarray) -> None:
    none_left = np.flatnonzero(count_by_object(~hidden, offsets) == 0)
    if len(none_left):
        first = int(none_left[0])
        n = int(curves.lengths[first])
        raise LightCurveError(
            f"All observations of {name_object(curves, first)} are hidden, {n} of {n}: a "
            "prediction needs at least one that is visible. Leave one of each object out of "
            "hidden, and objects of a single observation out of X: X[X.lengths >= 2]"
        )
