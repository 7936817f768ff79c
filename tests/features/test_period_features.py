"""Features of the period: known values, and where they are missing."""

import json

import numpy as np
import pytest

from sklc import LightCurveFeatures, LightCurves
from sklc.baselines import feature_classifier, feature_outlier_detector, feature_redshift_regressor
from sklc.features.period import PERIOD_NAMES
from sklc.serving.features import export_features, import_features

FEW = LightCurveFeatures(statistics=False, parametric_fit=False, colors=False, binned_flux=False)


def make(periods, second=0.5, seed=0, n=80):
    """Stars of one harmonic, and a second one that is bright at the same phase."""
    rng = np.random.default_rng(seed)
    time = [59000 + np.sort(rng.uniform(0, 200, n)) for _ in periods]
    turns = [2 * np.pi * own / period for own, period in zip(time, periods, strict=True)]
    flux = [10 ** (0.4 * 0.3 * (np.cos(t) + second * np.cos(2 * t))) for t in turns]
    flux = [1000 * own * (1 + rng.normal(0, 0.01, n)) for own in flux]
    errors = [0.01 * own for own in flux]
    return LightCurves.from_arrays(time, flux, errors, [["ztfr"] * n for _ in periods])


def table(features, curves):
    return features.set_output(transform="pandas").fit_transform(curves)


def with_period(**params):
    return LightCurveFeatures(**{**FEW.get_params(), "period": True, **params})


def test_known_values():
    t = table(with_period(), make([0.7, 12.0]))
    assert [name for name in t.columns if name.startswith("period_")] == list(PERIOD_NAMES)
    np.testing.assert_allclose(10 ** t["period_log_days"], [0.7, 12.0], rtol=1e-3)
    np.testing.assert_allclose(
        t["period_log_cycles"], np.log10(200 / np.array([0.7, 12])), atol=0.02
    )
    assert (t["period_power"] > 0.98).all()
    np.testing.assert_allclose(
        t["period_first_harmonic_power"] / t["period_power"], 1 / 1.25, atol=0.02
    )
    assert (t["period_log_false_alarm"] < -20).all()
    np.testing.assert_allclose(t["period_amplitude_ratio_2"], 0.5, atol=0.02)
    np.testing.assert_allclose(t["period_amplitude_ratio_3"], 0, atol=0.03)
    # Bright at the same phase, so that deviations, which are magnitudes, are both at minus one.
    np.testing.assert_allclose(t["period_phase_2_cos"], -1, atol=0.02)
    np.testing.assert_allclose(t["period_phase_2_sin"], 0, atol=0.1)
    assert (t["period_folded_scatter"] < 0.2).all()
    np.testing.assert_allclose(t["period_amplitude"], 0.3 * (1.5 + 0.75), atol=0.05)


def test_a_light_curve_that_is_too_short_has_none():
    curves = make([0.7], n=5)
    t = table(with_period(), curves)
    assert t[list(PERIOD_NAMES)].isna().all(axis=None)
    assert t["n_observations"].tolist() == [5]


def test_the_other_columns_are_the_same_without():
    curves = make([0.7, 3.1])
    without, with_them = (
        table(LightCurveFeatures(**FEW.get_params()), curves),
        table(with_period(n_jobs=2), curves),
    )
    assert "period_power" not in without
    assert without.equals(with_them[without.columns])


def test_an_exported_model_has_them():
    fitted = with_period(statistics="core").fit(make([0.7]))
    restored = import_features(json.loads(json.dumps(export_features(fitted))))
    curves = make([0.9], seed=1)
    np.testing.assert_array_equal(restored.transform(curves), fitted.transform(curves))
    stored = export_features(fitted)
    del stored["parameters"]["period"]  # as files of before have it
    assert not import_features(stored).period


@pytest.mark.parametrize(
    "build", [feature_classifier, feature_redshift_regressor, feature_outlier_detector]
)
def test_baselines_with_periods(build):
    chosen = build(period=True)["features"]
    assert (chosen.period, chosen.parametric_fit, chosen.binned_flux) == (True, False, False)
    assert not build()["features"].period
    own = build(period=True, features=FEW)["features"]
    assert own.get_params() == {**FEW.get_params(), "period": True}
    assert not FEW.period


def test_periods_tell_stars_apart_that_nothing_else_does():
    rng = np.random.default_rng(0)
    y = np.repeat(["short", "long"], 25)
    curves = make(np.where(y == "short", rng.uniform(0.3, 0.5, 50), rng.uniform(0.6, 0.8, 50)))
    model = feature_classifier("forest", period=True, features=FEW, random_state=0)
    model.set_params(classifier__n_estimators=50).fit(curves[::2], y[::2])
    assert model.score(curves[1::2], y[1::2]) > 0.95
