"""Baselines on features: they learn, take what is missing, and follow scikit-learn's rules."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score

pytest.importorskip("light_curve")

from sklc import LightCurveError, LightCurveFeatures, LightCurves
from sklc.baselines import feature_classifier, feature_outlier_detector, feature_redshift_regressor
from sklc.datasets import load_demo

MODELS = ("boosting", "forest")
SMALL = {"max_iter": 40, "n_estimators": 60}
# Statistics, fits and bins cost time, and none of what is tested here depends on them.
FEW = LightCurveFeatures(statistics=False, parametric_fit=False)


def small(pipeline):
    """The same with fewer trees."""
    names = [name for name in pipeline.get_params() if name.split("__")[-1] in SMALL]
    assert len(names) == 1
    return pipeline.set_params(**{name: SMALL[name.split("__")[-1]] for name in names})


def classifier(model, **params):
    return small(feature_classifier(model, features=FEW, random_state=0, **params))


def regressor(model, **params):
    return small(feature_redshift_regressor(model, features=FEW, random_state=0, **params))


def detector(**params):
    return small(feature_outlier_detector(features=FEW, random_state=0, **params))


@pytest.fixture(scope="module")
def demo():
    curves, y = load_demo(return_X_y=True)
    return curves, np.asarray(y)


@pytest.fixture(scope="module")
def z(demo):
    return demo[0].metadata["redshift"].to_numpy(dtype=float)


@pytest.fixture(scope="module")
def one_band():
    """Sixty light curves of two shapes, in r alone."""
    days = np.arange(0.0, 60.0, 4.0)
    fall = np.concatenate([np.linspace(8, 12, 30), np.linspace(40, 60, 30)])
    curves = LightCurves.from_arrays(
        [days] * 60,
        [100 * np.exp(-days / tau) for tau in fall],
        [np.full(len(days), 2.0)] * 60,
        [["ztfr"] * len(days)] * 60,
    )
    return curves, np.repeat(["fast", "slow"], 30)


# -- what they learn


@pytest.mark.parametrize("model", MODELS)
def test_classes_are_learned(demo, model):
    curves, y = demo
    fitted = classifier(model).fit(curves[::2], y[::2])
    majority = np.mean(y[1::2] == "SNIa")
    assert fitted.score(curves[1::2], y[1::2]) > max(0.7, majority)
    probabilities = fitted.predict_proba(curves[1::2])
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert set(fitted.predict(curves[:5])) <= set(y)


@pytest.mark.parametrize("model", MODELS)
def test_redshifts_are_learned(demo, z, model):
    curves, _ = demo
    predicted = regressor(model).fit(curves[::2], z[::2]).predict(curves[1::2])
    error = np.mean((predicted - z[1::2]) ** 2)
    assert error < 0.6 * np.mean((np.median(z[::2]) - z[1::2]) ** 2)


def test_the_target_is_the_logarithm(demo, z):
    fitted = regressor("forest").fit(demo[0], z)
    assert fitted[-1].regressor_.predict(fitted[:-1].transform(demo[0][:1]))[0] == pytest.approx(
        np.log1p(fitted.predict(demo[0][:1])[0])
    )


def test_what_is_unlike_the_training_data_scores_lower(demo):
    curves, y = demo
    usual = curves[y == "SNIa"]
    fitted = detector().fit(usual[::2])
    stretched = LightCurves.from_arrays(
        [6 * (curve.time - curve.time[0]) for curve in usual[1::2]],
        [30 * curve.flux for curve in usual[1::2]],
        [30 * curve.flux_err for curve in usual[1::2]],
        [curve.band_names for curve in usual[1::2]],
    )
    assert fitted.score_samples(stretched).mean() < fitted.score_samples(usual[1::2]).mean() - 0.03
    assert set(fitted.predict(usual)) <= {-1, 1}


# -- what is missing


@pytest.mark.parametrize("model", MODELS)
def test_a_feature_that_nothing_has_is_no_error(one_band, model):
    curves, y = one_band
    features = LightCurveFeatures(bands=["ztfg", "ztfr"], statistics=False, parametric_fit=False)
    assert np.isnan(features.fit_transform(curves)).all(axis=0).any()
    fitted = small(feature_classifier(model, features=features, random_state=0)).fit(curves, y)
    assert fitted.score(curves, y) == 1
    z = np.where(y == "fast", 0.1, 0.5)
    fitted = small(feature_redshift_regressor(model, features=features, random_state=0))
    predicted = fitted.fit(curves, z).predict(curves)
    assert predicted[y == "fast"].max() < 0.3 < predicted[y == "slow"].min()


def test_a_feature_that_nothing_had_does_not_make_unusual(one_band):
    curves, _ = one_band
    features = LightCurveFeatures(bands=["ztfg", "ztfr"], statistics=False, parametric_fit=False)
    fitted = small(feature_outlier_detector(features=features, random_state=0)).fit(curves)
    assert fitted[:-1].transform(curves).shape == features.fit_transform(curves).shape
    in_g = LightCurves.from_arrays(
        [0.0, 4.0], [100.0, 80.0], [2.0, 2.0], ["ztfg", "ztfr"], offsets=[0, 2]
    )
    assert np.isfinite(fitted.score_samples(in_g)).all()


# -- scikit-learn's rules


@pytest.mark.parametrize("build", [feature_classifier, feature_redshift_regressor])
def test_an_unknown_model_is_named(build):
    with pytest.raises(
        ValueError, match=r"model='svm' is not known: use one of \['boosting', 'for"
    ):
        build("svm")


@pytest.mark.parametrize("model", MODELS)
def test_random_state_fixes_everything(demo, model):
    curves, y = demo[0][::3], demo[1][::3]
    same = [classifier(model).fit(curves, y).predict_proba(curves) for _ in range(2)]
    np.testing.assert_array_equal(*same)
    other = classifier(model).set_params(classifier__random_state=1).fit(curves, y)
    assert (other.predict_proba(curves) != same[0]).any()


def test_pickles_and_clones_predict_the_same(demo, z):
    curves, y, z = demo[0][::3], demo[1][::3], z[::3]
    for model, target in ((classifier("boosting"), y), (regressor("forest"), z), (detector(), y)):
        fitted = clone(model).fit(curves, target)
        method = "score_samples" if hasattr(fitted, "score_samples") else "predict"
        expected = getattr(fitted, method)(curves)
        restored = pickle.loads(pickle.dumps(fitted))
        np.testing.assert_array_equal(getattr(restored, method)(curves), expected)
        again = clone(fitted).fit(curves, target)
        np.testing.assert_array_equal(getattr(again, method)(curves), expected)


@pytest.mark.slow
def test_model_selection(demo):
    curves, y = demo
    assert cross_val_score(classifier("forest"), curves, y, cv=2).min() > 0.6
    grid = {"features__colors": [True, False], "classifier__min_samples_leaf": [2, 5]}
    search = GridSearchCV(classifier("forest"), grid, cv=2).fit(curves, y)
    assert set(search.best_params_) == set(grid)


def test_every_form_of_light_curves(demo):
    curves, y = demo
    fitted = classifier("forest").fit(curves, y)
    expected = fitted.predict_proba(curves[:4])
    np.testing.assert_allclose(fitted.predict_proba(curves[:4].to_nested()), expected, atol=1e-6)
    series = np.random.default_rng(0).normal(size=(30, 25))
    labels = np.arange(30) % 2
    assert classifier("boosting").fit(series, labels).predict(series).shape == (30,)


def test_the_features_given_are_used_and_not_changed():
    given = LightCurveFeatures(binned_flux=False)
    for pipeline in (
        feature_classifier(features=given, n_jobs=2),
        feature_redshift_regressor("forest", features=given, n_jobs=2),
        feature_outlier_detector(features=given, n_jobs=2),
    ):
        assert pipeline["features"].binned_flux is False
        assert pipeline["features"].n_jobs == 2
    assert given.n_jobs is None
    assert feature_classifier("forest", n_jobs=2)["classifier"].n_jobs == 2


def test_threads_do_not_change_results(demo):
    curves, y = demo
    one, two = (classifier("forest", n_jobs=n).fit(curves, y) for n in (1, 2))
    # Threads add the votes of the trees in any order.
    np.testing.assert_allclose(one.predict_proba(curves), two.predict_proba(curves), rtol=1e-12)


def test_bad_light_curves_are_named(demo):
    curves, y = demo
    with pytest.raises(LightCurveError, match="0 light curves"):
        classifier("forest").fit(curves[:0], y[:0])
    frame = curves[:2].to_frame()
    with pytest.raises(LightCurveError):
        classifier("forest").fit(curves, y).predict(frame)
