"""The redshift, in addition to any other objective."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from sklc.errors import LightCurveError
from sklc.light_curves.metadata import name_object
from sklc.networks.objectives.interface import Objective
from sklc.networks.objectives.losses import LOG_SCALE, check_positive

__all__ = ["Redshift", "redshift_loss"]


def redshift_loss(prediction: torch.Tensor, log1p_z: torch.Tensor) -> torch.Tensor:
    """Gaussian negative log-likelihood of ``ln(1 + z)``, without its constant.

    Parameters
    ----------
    prediction : Tensor of shape (n_objects, 2)
        Mean and log scale.
    log1p_z : Tensor of shape (n_objects,)
        The truth.

    Returns
    -------
    Tensor of shape (n_objects,)
    """
    mean, log_scale = prediction[:, 0], prediction[:, 1].clamp(*LOG_SCALE)
    return 0.5 * ((log1p_z - mean) / log_scale.exp()) ** 2 + log_scale


@dataclass(frozen=True)
class Redshift(Objective):
    """``ln(1 + z)`` of the metadata column ``redshift``, by a Gaussian likelihood.

    A latent trained on classes alone loses the brightness of an object, which the redshift retains.
    ``LightCurveEncoder(redshift_weight=...)`` adds this to every other objective, and the head is
    kept for `RedshiftRegressor`.

    Parameters
    ----------
    weight : float, default=1.0
        Weight of the likelihood.

    Examples
    --------
    >>> from sklc.datasets import load_demo
    >>> from sklc.networks.objectives import Redshift
    >>> Redshift().targets(load_demo().curves[:2], {})["log1p_z"].round(4)
    array([0.0153, 0.0348], dtype=float32)
    """

    weight: float = 1.0

    def __post_init__(self) -> None:
        check_positive(self)

    def targets(self, curves, given):
        """Return ``ln(1 + z)`` of every object, float32."""
        if "redshift" not in curves.metadata.columns:
            raise LightCurveError(
                "redshift_weight needs the redshift of every object, and the light curves have no "
                "metadata column 'redshift': add it with curves.with_metadata(redshift=...), or "
                "set redshift_weight=0."
            )
        redshift = curves.metadata["redshift"].to_numpy(dtype=float, na_value=np.nan)
        wrong = np.flatnonzero(~(redshift > 0) | np.isinf(redshift))
        if len(wrong):
            raise LightCurveError(
                f"{name_object(curves, int(wrong[0]))} has redshift {redshift[wrong[0]]} "
                f"({len(wrong)} of {len(curves)} objects have none that is positive and finite): "
                "leave such objects out, or set redshift_weight=0."
            )
        return {"log1p_z": np.log1p(redshift).astype(np.float32)}

    def redrawn_targets(self, curves):
        """Return the redshifts that `sklc.augment.Redshifting` moved objects to."""
        return self.targets(curves, {})

    def heads(self, targets):
        """Return a linear head for mean and log scale."""
        return {"redshift": (2,)}

    def loss(self, outputs, targets, progress):
        """Return the weighted negative log-likelihood of every object."""
        return self.weight * redshift_loss(outputs.heads["redshift"], targets["log1p_z"])
