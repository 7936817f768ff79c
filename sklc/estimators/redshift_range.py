"""Predicted redshifts outside the range of the training objects."""

from __future__ import annotations

import warnings

import numpy as np

from sklc.errors import LightCurveWarning
from sklc.light_curves import LightCurves
from sklc.light_curves.metadata import name_object

__all__ = ["warn_outside"]

# Predictions outside the training range by this many standard deviations are extrapolations. With
# fewer, objects at its ends would be reported by chance.
_CERTAINLY = 3


def warn_outside(
    redshift: np.ndarray, std: np.ndarray, curves: LightCurves, trained: tuple[float, float]
) -> None:
    """Warn of predictions that are extrapolations.

    Parameters
    ----------
    redshift, std : ndarray of shape (n_objects,)
        Predictions with their standard deviations.
    curves : LightCurves
        The light curves, for the message.
    trained : (float, float)
        Smallest and largest redshift of the training objects.
    """
    low, high = trained
    reach = _CERTAINLY * std
    outside = np.flatnonzero((redshift + reach < low) | (redshift - reach > high))
    if len(outside):
        first = int(outside[0])
        warnings.warn(
            f"{len(outside)} of {len(redshift)} predicted redshifts lie outside the range of "
            f"the training objects, {low:.4g} to {high:.4g}, by more than {_CERTAINLY} "
            f"standard deviations; the first is {redshift[first]:.4g} of "
            f"{name_object(curves, first)}. They are extrapolations: add "
            "training objects like these, or do not rely on them.",
            LightCurveWarning,
            stacklevel=4,
        )
