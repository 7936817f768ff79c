"""Methods of calibration by name, and how to add one."""

from __future__ import annotations

import copy
from typing import Any

from sklc.uncertainty.interface import ClassSampling, ClassUncertainty, RedshiftUncertainty
from sklc.uncertainty.quantiles import ConformalQuantiles
from sklc.uncertainty.sampling import (
    Bootstrap,
    Ensemble,
    HAMCDropout,
    MCDropout,
    StochasticAttention,
)
from sklc.uncertainty.temperature import Temperature
from sklc.utils.registry import Registry

__all__ = ["class_sampling", "class_uncertainty", "redshift_uncertainty", "register_uncertainty"]

CLASS_METHODS: Registry[ClassUncertainty] = Registry("uncertainty")
REDSHIFT_METHODS: Registry[RedshiftUncertainty] = Registry("uncertainty")
SAMPLING_METHODS: Registry[ClassSampling] = Registry("uncertainty")


def register_uncertainty(
    name: str,
    method: ClassUncertainty | RedshiftUncertainty | ClassSampling,
    *,
    overwrite: bool = False,
) -> None:
    """Make a method of calibration, or one of several predictions, available by name.

    Parameters
    ----------
    name : str
        The name to choose it by, as ``TransferClassifier(calibrate=name)`` for a method that
        calibrates probabilities, ``RedshiftRegressor(calibrate=name)`` for one of redshifts, or
        ``TransferClassifier(uncertainty=name)`` for one that makes several predictions.
    method : ClassUncertainty, RedshiftUncertainty or ClassSampling
        An unfitted object with the methods of `sklc.uncertainty.ClassUncertainty`,
        `sklc.uncertainty.RedshiftUncertainty` or `sklc.uncertainty.ClassSampling`. Estimators fit
        copies of it.
    overwrite : bool, default=False
        Whether to replace a method of this name.

    Raises
    ------
    TypeError
        If the object has the methods of no kind.
    ValueError
        If the name is taken by another method.

    Examples
    --------
    >>> import numpy as np
    >>> import sklc
    >>> class EqualOdds:
    ...     def fit(self, scores, target, sample_weight):
    ...         return self
    ...
    ...     def log_probabilities(self, scores):
    ...         log_p = scores.log_probabilities()
    ...         return np.full_like(log_p, -np.log(log_p.shape[1]))
    >>> sklc.register_uncertainty("equal-odds", EqualOdds(), overwrite=True)
    >>> sklc.TransferClassifier("ztf", calibrate="equal-odds")
    TransferClassifier(calibrate='equal-odds', encoder='ztf')
    """
    kinds = ClassUncertainty | RedshiftUncertainty | ClassSampling
    if isinstance(method, type) or not isinstance(method, kinds):
        raise TypeError(
            f"The method {name!r} must be an object with fit and log_probabilities (for classes), "
            "fit, quantiles and standard_deviation (for redshifts), or fit_heads (for several "
            f"predictions of the class); got {method!r:.80}. See ClassUncertainty, "
            "RedshiftUncertainty and ClassSampling in sklc.uncertainty."
        )
    if isinstance(method, ClassUncertainty):
        CLASS_METHODS.register(name, method, overwrite=overwrite)
    elif isinstance(method, RedshiftUncertainty):
        REDSHIFT_METHODS.register(name, method, overwrite=overwrite)
    else:
        SAMPLING_METHODS.register(name, method, overwrite=overwrite)


def class_uncertainty(calibrate: Any) -> ClassUncertainty:
    """Return a new method from the parameter `calibrate` of a classifier.

    Without calibration (None) it is a temperature of 1.
    """
    if calibrate is None:
        return Temperature()
    return copy.deepcopy(CLASS_METHODS[calibrate] if isinstance(calibrate, str) else calibrate)


def class_sampling(uncertainty: Any) -> ClassSampling | None:
    """Return a new method from the parameter `uncertainty` of a classifier, or None."""
    if uncertainty is None:
        return None
    named = isinstance(uncertainty, str)
    if named and uncertainty not in SAMPLING_METHODS and uncertainty in CLASS_METHODS:
        raise ValueError(
            f"{uncertainty!r} is a method of calibration: set calibrate={uncertainty!r}. The "
            f"methods of uncertainty= are {SAMPLING_METHODS.names()}."
        )
    return copy.deepcopy(SAMPLING_METHODS[uncertainty] if named else uncertainty)


def redshift_uncertainty(calibrate: Any) -> RedshiftUncertainty:
    """Return a new method from the parameter `calibrate` of a regressor.

    Without calibration (None) the scales of the head are those of Gaussians.
    """
    if calibrate is None:
        return ConformalQuantiles()
    return copy.deepcopy(REDSHIFT_METHODS[calibrate] if isinstance(calibrate, str) else calibrate)


register_uncertainty("temperature", Temperature())
register_uncertainty("conformal", ConformalQuantiles())
register_uncertainty("bootstrap", Bootstrap())
register_uncertainty("ensemble", Ensemble())
register_uncertainty("mc-dropout", MCDropout())
register_uncertainty("stochastic-attention", StochasticAttention())
register_uncertainty("ha-mc-dropout", HAMCDropout())
