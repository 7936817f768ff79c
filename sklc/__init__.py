"""Pretrained light-curve encoders as scikit-learn estimators.

torch is imported on the first use of a name that needs it, not by ``import sklc``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from sklc.errors import (
    CheckpointError,
    LightCurveError,
    LightCurveWarning,
    PerformanceWarning,
    SimulationError,
    UnknownPassbandError,
    UnknownWeightsError,
    WeightsError,
)
from sklc.light_curves import LightCurve, LightCurves, as_light_curves, concatenate
from sklc.passbands import Passband, get_passband, list_passbands, register_passband
from sklc.streaming import stream

if TYPE_CHECKING:
    from sklc._net.representation import InputRepresentation
    from sklc.classifier import TransferClassifier
    from sklc.encoder import LightCurveEncoder
    from sklc.features import LightCurveFeatures
    from sklc.outlier import LatentIsolationForest
    from sklc.pretrained import list_weights
    from sklc.regressor import RedshiftRegressor

__version__ = "0.1.0"

# Public name -> module: imported when first asked for.
_LAZY = {
    "InputRepresentation": "sklc._net.representation",
    "LatentIsolationForest": "sklc.outlier",
    "LightCurveEncoder": "sklc.encoder",
    "LightCurveFeatures": "sklc.features",
    "RedshiftRegressor": "sklc.regressor",
    "TransferClassifier": "sklc.classifier",
    "list_weights": "sklc.pretrained",
}

__all__ = [
    "CheckpointError",
    "InputRepresentation",
    "LatentIsolationForest",
    "LightCurve",
    "LightCurveEncoder",
    "LightCurveError",
    "LightCurveFeatures",
    "LightCurveWarning",
    "LightCurves",
    "Passband",
    "PerformanceWarning",
    "RedshiftRegressor",
    "SimulationError",
    "TransferClassifier",
    "UnknownPassbandError",
    "UnknownWeightsError",
    "WeightsError",
    "as_light_curves",
    "concatenate",
    "get_passband",
    "list_passbands",
    "list_weights",
    "register_passband",
    "stream",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'sklc' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
