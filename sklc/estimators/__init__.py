"""The scikit-learn estimators."""

from sklc.estimators.classifier import TransferClassifier
from sklc.estimators.encoder import LightCurveEncoder
from sklc.estimators.outlier import LatentIsolationForest
from sklc.estimators.regressor import RedshiftRegressor

__all__ = ["LatentIsolationForest", "LightCurveEncoder", "RedshiftRegressor", "TransferClassifier"]
