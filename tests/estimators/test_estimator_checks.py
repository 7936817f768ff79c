"""scikit-learn's own checks, in full and without exceptions, on estimators in several forms.

`tests/features` runs them on features, and `tests/augment` on those augmentations that plain
series are enough for; the tags of the others say that they need flux errors.
"""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks
from small import few_folds  # noqa: F401

from sklc import LatentIsolationForest, LightCurveEncoder, RedshiftRegressor, TransferClassifier

# Small and quick, so that the common checks run in seconds; nothing else differs from defaults.
SMALL = {"max_epochs": 3, "batch_size": 32, "learning_rate": 0.01, "device": "cpu"}

ESTIMATORS = [
    LightCurveEncoder(hidden_size=8, latent_size=6, **SMALL),
    LightCurveEncoder.pretrained("ztf"),
    TransferClassifier("ztf", **SMALL),
    LatentIsolationForest("ztf", n_estimators=20, **SMALL),
    RedshiftRegressor("ztf", **SMALL),
]
VARIANTS = [
    LightCurveEncoder(hidden_size=8, latent_size=6, early_stopping=False, **SMALL),
    TransferClassifier("ztf", head_sizes=(8,), **{**SMALL, "max_epochs": 50}),
    TransferClassifier("ztf", finetune="all", **SMALL),
    TransferClassifier("ztf", C=0.1, calibrate="temperature", **SMALL),
    TransferClassifier(
        LightCurveEncoder(hidden_size=8, **{**SMALL, "max_epochs": 30}), device="cpu"
    ),
    TransferClassifier(None, **{**SMALL, "max_epochs": 30}),
    LatentIsolationForest("ztf", n_components=None, rare_class_weight=0, n_estimators=10, **SMALL),
    LatentIsolationForest("ztf", n_components=2, n_estimators=10, contamination=0.1, **SMALL),
    RedshiftRegressor(**SMALL),
    RedshiftRegressor("ztf", method="mlp", head_sizes=(8,), **SMALL),
    RedshiftRegressor("ztf", method="knn", n_neighbors=5, **SMALL),
    RedshiftRegressor("ztf", finetune="all", **{**SMALL, "max_epochs": 1}),
    RedshiftRegressor(None, **SMALL),
]


@parametrize_with_checks(ESTIMATORS)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks(VARIANTS)
def test_scikit_learn_checks_of_variants(estimator, check):
    check(estimator)
