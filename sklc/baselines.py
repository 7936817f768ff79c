"""Baselines on hand-crafted features: pipelines for classes, redshifts and anomalies.

A pretrained encoder is worth using where it is more accurate than a strong baseline. These
pipelines are such baselines, with settings chosen as carefully as those of the encoders, as
`docs/features.md` describes. They need the extra ``features``: ``pip install "sklc[features]"``.
"""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline

from sklc.features import LightCurveFeatures

__all__ = ["feature_classifier", "feature_outlier_detector", "feature_redshift_regressor"]

# Many small steps on few columns at a time suit the hundred features, which are correlated.
_BOOSTING = {
    "learning_rate": 0.03,
    "max_iter": 300,
    "max_leaf_nodes": 16,
    "min_samples_leaf": 8,
    "max_features": 0.1,
    "l2_regularization": 1.0,
    # With few labels, the part that it would hold out is worth more as training data.
    "early_stopping": False,
}
# A value below all features, so that trees can tell which are missing.
_MISSING = -1e9
_FOREST = {"n_estimators": 500, "min_samples_leaf": 2}


def feature_classifier(
    model: str = "boosting",
    *,
    features: LightCurveFeatures | None = None,
    period: bool = False,
    random_state: int | np.random.RandomState | None = None,
    n_jobs: int | None = None,
) -> Pipeline:
    """Return a classifier of light curves on hand-crafted features.

    Parameters
    ----------
    model : {"boosting", "forest"}, default="boosting"
        Gradient boosting on histograms, or a random forest. Neither weights the classes, since
        weights of 1/frequency lower the AUROC where labels are few.
    features : LightCurveFeatures or None, default=None
        Features to use, such as ``LightCurveFeatures(binned_flux=False)``; by default all of them.
    period : bool, default=False
        Whether to add features of the period and the folded light curve, as for variable stars.
        Unless `features` are given, those of a peak, which is what variable stars lack, are then
        left out: the parametric fit and the binned flux.
    random_state : int, RandomState instance or None, default=None
        Seed of the model.
    n_jobs : int or None, default=None
        Number of threads for features and forest, as in `LightCurveFeatures`. Unless it is None,
        it replaces that of `features`. Boosting takes its number of threads from OpenMP.

    Returns
    -------
    Pipeline
        An unfitted pipeline with the steps ``features`` and ``classifier``. It takes light curves
        in any form that `sklc.as_light_curves` takes. Like all estimators of scikit-learn, it
        refuses to predict zero light curves.

    Raises
    ------
    ValueError
        If there is no model of that name.

    See Also
    --------
    TransferClassifier : A classifier on latents of a pretrained encoder.

    Examples
    --------
    >>> from sklc.baselines import feature_classifier
    >>> from sklc.datasets import load_demo
    >>> curves, y = load_demo(return_X_y=True)
    >>> model = feature_classifier("forest", random_state=0).fit(curves[::2], y[::2])
    >>> model.predict_proba(curves[1:4]).shape
    (3, 3)
    >>> bool(model.score(curves[1::2], y[1::2]) > 0.7)
    True
    """
    classifier = _chosen(
        model,
        boosting=HistGradientBoostingClassifier(**_BOOSTING, random_state=random_state),
        forest=RandomForestClassifier(
            **_FOREST, max_features="sqrt", random_state=random_state, n_jobs=n_jobs
        ),
    )
    return _pipeline(model, ("classifier", classifier), _features(features, period, n_jobs))


def feature_redshift_regressor(
    model: str = "boosting",
    *,
    features: LightCurveFeatures | None = None,
    period: bool = False,
    random_state: int | np.random.RandomState | None = None,
    n_jobs: int | None = None,
) -> Pipeline:
    """Return a regressor of redshifts on hand-crafted features.

    It learns ln(1 + z), so that errors count relative to 1 + z at all redshifts, and predicts z.

    Parameters
    ----------
    model : {"boosting", "forest"}, default="boosting"
        Gradient boosting on histograms, or a random forest.
    features : LightCurveFeatures or None, default=None
        Features to use; by default all of them.
    period : bool, default=False
        Whether to add features of the period and the folded light curve, as for variable stars.
        Unless `features` are given, those of a peak, which is what variable stars lack, are then
        left out: the parametric fit and the binned flux.
    random_state : int, RandomState instance or None, default=None
        Seed of the model.
    n_jobs : int or None, default=None
        Number of threads, as in `feature_classifier`.

    Returns
    -------
    Pipeline
        An unfitted pipeline with the steps ``features`` and ``regressor``, a
        `TransformedTargetRegressor`.

    Raises
    ------
    ValueError
        If there is no model of that name.

    Examples
    --------
    >>> from sklc.baselines import feature_redshift_regressor
    >>> from sklc.datasets import load_demo
    >>> curves = load_demo().curves
    >>> z = curves.metadata["redshift"]
    >>> model = feature_redshift_regressor("forest", random_state=0).fit(curves[::2], z[::2])
    >>> bool(abs(model.predict(curves[1::2]) - z[1::2]).median() < 0.03)
    True
    """
    chosen = _chosen(
        model,
        boosting=HistGradientBoostingRegressor(**_BOOSTING, random_state=random_state),
        forest=RandomForestRegressor(
            **_FOREST, max_features=0.3, random_state=random_state, n_jobs=n_jobs
        ),
    )
    regressor = TransformedTargetRegressor(
        chosen, func=np.log1p, inverse_func=np.expm1, check_inverse=False
    )
    return _pipeline(model, ("regressor", regressor), _features(features, period, n_jobs))


def feature_outlier_detector(
    *,
    features: LightCurveFeatures | None = None,
    period: bool = False,
    random_state: int | np.random.RandomState | None = None,
    n_jobs: int | None = None,
) -> Pipeline:
    """Return a detector of unusual light curves on hand-crafted features.

    Parameters
    ----------
    features : LightCurveFeatures or None, default=None
        Features to use; by default all of them.
    period : bool, default=False
        Whether to add features of the period and the folded light curve, as for variable stars.
        Unless `features` are given, those of a peak, which is what variable stars lack, are then
        left out: the parametric fit and the binned flux.
    random_state : int, RandomState instance or None, default=None
        Seed of the model.
    n_jobs : int or None, default=None
        Number of threads, as in `feature_classifier`.

    Returns
    -------
    Pipeline
        An unfitted pipeline with the steps ``features``, ``imputer`` and ``detector``, an
        `IsolationForest` [1]_. As in scikit-learn, ``score_samples`` is lower for more unusual
        light curves.

    References
    ----------
    .. [1] Liu, Ting & Zhou 2008, ICDM, 413.

    Examples
    --------
    >>> from sklc.baselines import feature_outlier_detector
    >>> from sklc.datasets import load_demo
    >>> curves = load_demo().curves
    >>> detector = feature_outlier_detector(random_state=0).fit(curves[::2])
    >>> detector.score_samples(curves[1:4]).shape
    (3,)
    """
    return Pipeline(
        [
            ("features", _features(features, period, n_jobs)),
            # Medians, so that missing values do not make an object unusual. A feature that is
            # missing from all training data is kept as a constant, so that the columns stay.
            ("imputer", SimpleImputer(strategy="median", keep_empty_features=True)),
            (
                "detector",
                IsolationForest(n_estimators=500, random_state=random_state, n_jobs=n_jobs),
            ),
        ]
    )


def _chosen(model: str, **known: BaseEstimator) -> BaseEstimator:
    if model not in known:
        raise ValueError(f"model={model!r} is not known: use one of {sorted(known)}.")
    return known[model]


def _pipeline(
    model: str, last: tuple[str, BaseEstimator], features: LightCurveFeatures
) -> Pipeline:
    steps: list[tuple[str, BaseEstimator]] = [("features", features)]
    if model == "boosting":
        # Boosting takes NaN, but no column of nothing else, which few light curves may give.
        fill = SimpleImputer(strategy="constant", fill_value=_MISSING, keep_empty_features=True)
        steps.append(("imputer", fill))
    return Pipeline([*steps, last])


def _features(
    features: LightCurveFeatures | None, period: bool, n_jobs: int | None
) -> LightCurveFeatures:
    if features is None:
        features = LightCurveFeatures(parametric_fit=not period, binned_flux=not period)
    features = clone(features)
    if period:
        features.set_params(period=True)
    return features if n_jobs is None else features.set_params(n_jobs=n_jobs)
