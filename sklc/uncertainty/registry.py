"""Methods of calibration by name, and how to add one."""

from __future__ import annotations

import copy
from typing import Any

from sklc.uncertainty.interface import ClassUncertainty, RedshiftUncertainty
from sklc.uncertainty.quantiles import ConformalQuantiles
from sklc.uncertainty.temperature import Temperature
from sklc.utils.registry import Registry

__all__ = ["class_uncertainty", "redshift_uncertainty", "register_uncertainty"]

CLASS_METHODS: Registry[ClassUncertainty] = Registry("uncertainty")
REDSHIFT_METHODS: Registry[RedshiftUncertainty] = Registry("uncertainty")


def register_uncertainty(
    name: str, method: ClassUncertainty | RedshiftUncertainty, *, overwrite: bool = False
) -> None:
    """Make a method of calibration available by name.

    Parameters
    ----------
    name : str
        The name to choose it by, as ``TransferClassifier(calibrate=name)`` for a method that
        calibrates probabilities, or ``RedshiftRegressor(calibrate=name)`` for one of redshifts.
    method : ClassUncertainty or RedshiftUncertainty
        An unfitted object with the methods of `sklc.uncertainty.ClassUncertainty` or
        `sklc.uncertainty.RedshiftUncertainty`. Estimators fit copies of it.
    overwrite : bool, default=False
        Whether to replace a method of this name.

    Raises
    ------
    TypeError
        If the object has the methods of neither kind.
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
    if isinstance(method, type) or not isinstance(method, ClassUncertainty | RedshiftUncertainty):
        raise TypeError(
            f"The method {name!r} must be an object with fit and log_probabilities (for classes), "
            f"or fit, quantiles and standard_deviation (for redshifts); got {method!r}. See "
            "sklc.uncertainty.ClassUncertainty and sklc.uncertainty.RedshiftUncertainty."
        )
    if isinstance(method, ClassUncertainty):
        CLASS_METHODS.register(name, method, overwrite=overwrite)
    else:
        REDSHIFT_METHODS.register(name, method, overwrite=overwrite)


def class_uncertainty(calibrate: Any) -> ClassUncertainty:
    """Return a new method from the parameter `calibrate` of a classifier.

    Without calibration (None) it is a temperature of 1.
    """
    if calibrate is None:
        return Temperature()
    return copy.deepcopy(CLASS_METHODS[calibrate] if isinstance(calibrate, str) else calibrate)


def redshift_uncertainty(calibrate: Any) -> RedshiftUncertainty:
    """Return a new method from the parameter `calibrate` of a regressor.

    Without calibration (None) the scales of the head are those of Gaussians.
    """
    if calibrate is None:
        return ConformalQuantiles()
    return copy.deepcopy(REDSHIFT_METHODS[calibrate] if isinstance(calibrate, str) else calibrate)


register_uncertainty("temperature", Temperature())
register_uncertainty("conformal", ConformalQuantiles())
