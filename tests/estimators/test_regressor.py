"""RedshiftRegressor beyond scikit-learn's common checks."""

import copy
import pickle
import warnings

import numpy as np
import pytest
import torch
from scipy.stats import norm
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import Pipeline

from sklc import LightCurveEncoder, LightCurves, RedshiftRegressor
from sklc.datasets import load_demo
from sklc.errors import LightCurveError, LightCurveWarning
from sklc.estimators.redshift_heads import EnsembleHead, KernelHead, NeighborHead, fit_ridge
from sklc.networks.training.loop import TrainingSettings
from sklc.uncertainty import ConformalQuantiles

QUICK = {"max_epochs": 2, "random_state": 0, "device": "cpu", "verbose": 0}


@pytest.fixture(scope="module")
def demo():
    curves = load_demo().curves
    return curves[:300], curves.metadata["redshift"].to_numpy(dtype=float)[:300]


@pytest.fixture(scope="module")
def parts(demo):
    curves, z = demo
    return curves[:200], z[:200], curves[200:], z[200:]


@pytest.fixture(scope="module")
def fitted(parts):
    """Only to be read."""
    return RedshiftRegressor("ztf", **QUICK).fit(*parts[:2])


@pytest.fixture(scope="module")
def encoders():
    """Encoders trained on classes, and on redshifts too, whose head then knows one redshift."""
    curves, classes = load_demo(return_X_y=True)
    small = LightCurveEncoder(hidden_size=8, latent_size=5, **{**QUICK, "max_epochs": 1})
    plain = clone(small).fit(curves[:200], classes[:200])
    both = clone(small).set_params(redshift_weight=0.3).fit(curves[:200], classes[:200])
    head = both.net_.module_.redshift
    with torch.no_grad():
        head.weight.zero_()
        head.bias.copy_(torch.tensor([np.log1p(0.05), np.log(0.02)]))
    return {"classes": plain, "both": both}


# -- every recipe


RECIPES = {
    "kernel": {},
    "mlp": {"method": "mlp", "head_sizes": (8,), "max_epochs": 10},
    "knn": {"method": "knn", "n_neighbors": 10},
    "all": {"finetune": "all"},
    "gru+head": {"finetune": "gru+head", "method": "knn", "n_neighbors": 10},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_learns_and_repeats(parts, name):
    train, z_train, test, z_test = parts
    model = RedshiftRegressor("ztf+lsst", **{**QUICK, **RECIPES[name]}).fit(train, z_train)
    assert model.score(test, z_test) > 0.3
    redshift, std = model.predict(test, return_std=True)
    assert redshift.shape == std.shape == (100,)
    assert (redshift > 0).all()
    assert (std > 0).all()
    quantiles = model.predict_quantiles(test, [0.1, 0.5, 0.9])
    assert (np.diff(quantiles, axis=1) >= 0).all()
    np.testing.assert_allclose(quantiles[:, ::2], model.predict_interval(test, coverage=0.8))
    for same in (clone(model).fit(train, z_train), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(same.predict(test), redshift)
        np.testing.assert_array_equal(same.predict_quantiles(test, [0.1, 0.5, 0.9]), quantiles)


@pytest.mark.slow
def test_the_default_beats_a_ridge_regression_on_the_latent(parts):
    train, z_train, test, z_test = parts
    encoder = LightCurveEncoder.pretrained("ztf+lsst")
    ridge = Pipeline([("enc", encoder), ("ridge", Ridge(100.0))]).fit(train, z_train)
    model = RedshiftRegressor("ztf+lsst", **QUICK).fit(train, z_train)
    assert model.score(test, z_test) > ridge.score(test, z_test)


# -- intervals


@pytest.mark.slow
def test_intervals_have_the_coverage_that_they_state(demo):
    curves, z = demo
    inside = {0.68: [], 0.95: []}
    for seed in range(4):
        rows = np.random.default_rng(seed).permutation(len(z))
        train, test = rows[:150], rows[150:]
        model = RedshiftRegressor("ztf+lsst", **QUICK).fit(curves[train], z[train])
        for coverage, found in inside.items():
            low, high = model.predict_interval(curves[test], coverage=coverage).T
            found.append(np.mean((low <= z[test]) & (z[test] <= high)))
    assert np.mean(inside[0.68]) == pytest.approx(0.68, abs=0.06)
    assert np.mean(inside[0.95]) == pytest.approx(0.95, abs=0.03)


@pytest.mark.parametrize("n_objects", [150, pytest.param(600, marks=pytest.mark.slow)])
def test_real_supernovae(data_dir, n_objects):
    curves = LightCurves.from_parquet(data_dir / "ztf_bts")
    z = curves.metadata["redshift"].to_numpy(dtype=float)
    rows = np.flatnonzero((curves.lengths >= 6) & (z < 0.14) & (z > 0.001))
    rows = np.random.default_rng(0).permutation(rows)[: n_objects + 500]
    train, test = rows[:n_objects], rows[n_objects:]
    model = RedshiftRegressor("ztf+lsst", **QUICK).fit(curves[train], z[train])
    assert model.score(curves[test], z[test]) > (0.5 if n_objects < 200 else 0.65)
    for coverage in (0.68, 0.95):
        low, high = model.predict_interval(curves[test], coverage=coverage).T
        # Three standard deviations of the share in 500, and of that in the training objects.
        spread = np.sqrt(coverage * (1 - coverage) * (1 / 500 + 1 / n_objects))
        assert abs(np.mean((low <= z[test]) & (z[test] <= high)) - coverage) < 3 * spread


def test_widths_follow_the_difficulty_of_the_object():
    rng = np.random.default_rng(0)
    columns = rng.normal(size=(800, 6))
    noise = np.where(columns[:, 0] > 0, 0.3, 0.03)
    target = columns[:, 1] * 0.2 + noise * rng.normal(size=800)
    head = KernelHead((6,)).fit(columns[:600], target[:600], 0)
    scale = head.predict(columns[600:])[:, 1]
    hard = columns[600:, 0] > 0.5
    assert np.median(scale[hard]) > 2 * np.median(scale[columns[600:, 0] < -0.5])


def test_conformal_quantiles():
    def of(errors, weight=1.0):
        """Quantiles of the errors of predictions of 0 with a scale of 1, by level."""
        zero, one = np.zeros(len(errors)), np.ones(len(errors))
        method = ConformalQuantiles().fit(zero, one, np.asarray(errors, float), weight * one)
        return lambda levels: method.quantiles(zero[:1], one[:1], levels)[0]

    errors = np.arange(1.0, 10.0) - 5  # nine, -4 to 4
    quantiles = of(errors)
    np.testing.assert_allclose(quantiles(np.array([0.1, 0.5, 0.9])), [-4, 0, 4])
    levels = np.linspace(0.001, 0.999, 99)
    found = quantiles(levels)
    assert (np.diff(found) > 0).all()
    np.testing.assert_allclose(found, -found[::-1], atol=1e-12)
    # Beyond the last error, the tail of a Gaussian through it.
    assert quantiles(np.array([0.99]))[0] == pytest.approx(4 * norm.ppf(0.99) / norm.ppf(0.9))
    inner = levels[(levels > 0.1) & (levels < 0.9)]
    np.testing.assert_allclose(of(errors)(inner), np.quantile(errors, inner, method="weibull"))
    assert (np.diff(of([1.0, 2.0, 3.0])(levels)) >= 0).all()
    unfitted = ConformalQuantiles().quantiles(np.array([2.0]), np.array([3.0]), levels)
    np.testing.assert_allclose(unfitted[0], 2 + 3 * norm.ppf(levels))
    # Errors without weight are as good as left out, and the unit of weights does not matter.
    weight = np.r_[np.full(9, 0.1), 0]
    np.testing.assert_allclose(of(np.r_[errors, 50], weight)(levels), found)
    # Ten times the weight draws the quantiles to an error.
    heavy = of(errors, np.where(errors == 3, 10.0, 1.0))
    assert heavy(np.array([0.5]))[0] == pytest.approx(3, abs=0.2)


# -- predictions that the intervals rest on


def test_leave_one_out_is_what_it_says():
    rng = np.random.default_rng(0)
    design, target, weight = rng.normal(size=(20, 5)), rng.normal(size=20), rng.uniform(1, 3, 20)
    ridge, unseen = fit_ridge(design, target, weight, 0)
    for left_out in range(20):
        rows = np.arange(20) != left_out
        other = Ridge(ridge.alpha_).fit(design[rows], target[rows], weight[rows])
        assert unseen[left_out] == pytest.approx(other.predict(design[[left_out]])[0])
    assert not hasattr(ridge, "cv_results_")  # which would make pickles large


HEADS = {
    "kernel": lambda: KernelHead((4,)),
    "knn": lambda: NeighborHead((4,), 5),
    "mlp": lambda: EnsembleHead((4,), (8,), TrainingSettings(max_epochs=3, verbose=0)),
}


@pytest.mark.parametrize("name", HEADS)
def test_errors_of_training_objects_are_as_large_as_those_of_new_ones(name):
    rng = np.random.default_rng(1)
    columns = rng.normal(size=(2000, 4))
    target = np.sin(columns[:, 0]) + 0.3 * rng.normal(size=2000)
    head = HEADS[name]().fit(columns[:400], target[:400], 0)
    known = np.std(target[:400] - head.out_of_sample_[:, 0])
    new = np.std(target[400:] - head.predict(columns[400:])[:, 0])
    assert known == pytest.approx(new, rel=0.12)
    fitted = np.std(target[:400] - head.predict(columns[:400])[:, 0])
    assert fitted < known


@pytest.mark.parametrize("name", HEADS)
def test_units_and_offsets_of_the_target_do_not_matter(name):
    rng = np.random.default_rng(2)
    columns = rng.normal(size=(60, 4)).astype(np.float32)
    target = columns[:, 0].astype(float) + 0.1 * rng.normal(size=60)
    small = HEADS[name]().fit(columns, 1e-3 * target + 5, 0).predict(columns)
    large = HEADS[name]().fit(columns, target, 0).predict(columns)
    np.testing.assert_allclose(small[:, 0], 1e-3 * large[:, 0] + 5, rtol=1e-5)
    np.testing.assert_allclose(small[:, 1], 1e-3 * large[:, 1], rtol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("params", [{}, {"method": "mlp"}, {"finetune": "all"}, {"encoder": None}])
def test_a_table_of_equal_series_is_read_as_it_is(params):
    # one column of ten matters, as in scikit-learn's check of the score of regressors
    rng = np.random.default_rng(4)
    X = rng.normal(size=(200, 10))
    y = 5 + X[:, 3] + 0.4 * rng.normal(size=200)
    model = RedshiftRegressor(**{"encoder": "ztf", **QUICK, **params}).fit(X, y)
    assert model.score(X, y) > 0.7
    with pytest.raises(LightCurveError, match=r"series of 10 observations, and .* has \d+: pass"):
        model.predict(load_demo().curves[:3])
    assert model.fit(load_demo().curves[:30], y[:30]).predict(load_demo().curves[:3]).shape == (3,)


# -- the encoder


@pytest.mark.slow
def test_from_scratch_and_with_an_unfitted_encoder(parts):
    train, z_train, test = parts[0][:80], parts[1][:80], parts[2]
    template = LightCurveEncoder(hidden_size=8, latent_size=5, metadata_columns=["mwebv"])
    for encoder, size in ((None, 128), (template, 5)):
        model = RedshiftRegressor(encoder, **QUICK).fit(train, z_train)
        assert model.encoder_.transform(test).shape == (100, size)
        assert len(model.encoder_.net_.history) == 2
        assert np.isfinite(model.predict(test)).all()
    assert not hasattr(template, "net_")
    nested = model.set_params(encoder__latent_size=4).fit(train, z_train)
    assert nested.encoder_.transform(test).shape == (100, 4)


@pytest.mark.slow
def test_fine_tuning_that_does_not_help_is_undone(parts, fitted):
    train, z_train, test, _ = parts
    wild = RedshiftRegressor("ztf", finetune="all", finetune_learning_rate=1.0, anchor=0, **QUICK)
    np.testing.assert_array_equal(wild.fit(train, z_train).predict(test), fitted.predict(test))


def test_redshifts_of_the_weights_themselves(demo, encoders):
    curves, z = demo
    model = RedshiftRegressor.pretrained(encoders["both"])
    redshift, std = model.predict(curves, return_std=True)
    np.testing.assert_allclose(redshift, redshift[0])
    assert redshift[0] == pytest.approx(0.05, abs=0.001)  # a little more: none are below 0
    assert std[0] == pytest.approx(0.021, rel=0.02)
    low, high = model.predict_interval(curves[:3], coverage=0.68).T
    np.testing.assert_allclose(high - low, 2 * 0.0209, rtol=0.02)
    np.testing.assert_array_equal(clone(model).fit(curves).predict(curves), redshift)
    # Known redshifts leave the means alone, and calibrate their intervals.
    low, high = clone(model).fit(curves, z).predict_interval(curves, coverage=0.9).T
    assert np.mean((low <= z) & (z <= high)) == pytest.approx(0.9, abs=0.01)
    assert cross_val_score(model, curves, z, cv=2).shape == (2,)


@pytest.mark.slow
def test_own_redshift_is_no_input_of_a_fitted_head(parts, encoders):
    train, z_train, test, _ = parts
    encoder = copy.deepcopy(encoders["both"])
    before = RedshiftRegressor(encoder, **QUICK).fit(train, z_train).predict(test)
    with torch.no_grad():  # redshifts that are wildly wrong
        encoder.net_.module_.redshift.bias.add_(100.0)
    after = RedshiftRegressor(encoder, **QUICK).fit(train, z_train).predict(test)
    np.testing.assert_array_equal(after, before)
    assert RedshiftRegressor.pretrained(encoder).predict(test).min() > 1e3


def test_without_a_redshift_head(encoders):
    with pytest.raises(ValueError, match=r"no redshift head: use encoder='any'"):
        RedshiftRegressor.pretrained(encoders["classes"])
    # What the message says works, and is the default.
    curves = load_demo().curves[:3]
    expected = RedshiftRegressor.pretrained("any").predict(curves)
    np.testing.assert_array_equal(RedshiftRegressor.pretrained().predict(curves), expected)


# -- metadata


@pytest.mark.slow
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_a_photometric_redshift_of_the_host_helps(parts, fitted):
    train, z_train, test, z_test = parts
    noise = np.random.default_rng(0).normal(0, 0.005, 300)
    train = train.with_metadata(host_photoz=z_train + noise[:200], mwebv=np.full(200, np.nan))
    host = z_test + noise[200:]
    test = test.with_metadata(host_photoz=host, mwebv=np.full(100, 0.1))
    model = RedshiftRegressor("ztf", metadata_columns=["host_photoz", "mwebv"], **QUICK)
    model.fit(train, z_train)
    assert 1 - model.score(test, z_test) < 0.5 * (1 - fitted.score(test, z_test))
    # Missing in some: as good as before for the others, and finite for those.
    gaps = test.with_metadata(host_photoz=np.where(np.arange(100) < 10, np.nan, host))
    np.testing.assert_allclose(model.predict(gaps)[10:], model.predict(test)[10:])
    assert np.isfinite(model.predict(gaps)).all()


def test_missing_values_are_flagged():
    rng = np.random.default_rng(0)
    columns = np.c_[rng.normal(size=(300, 3)), rng.normal(size=300)]
    missing = rng.random(300) < 0.3
    target = np.where(missing, 5.0, columns[:, 3])
    columns[missing, 3] = np.nan
    head = KernelHead((3,)).fit(columns, target, 0)
    assert np.corrcoef(head.out_of_sample_[:, 0], target)[0, 1] > 0.95


# -- bad input


def test_predictions_outside_the_training_range_are_flagged(parts):
    # With the redshift itself as metadata, the head extrapolates without a doubt.
    train, z_train, test, z_test = parts
    near = np.flatnonzero(z_train < np.quantile(z_train, 0.6))
    model = RedshiftRegressor("ztf", metadata_columns=["redshift"], **QUICK)
    model.fit(train[near], z_train[near])
    assert model.redshift_range_ == (z_train[near].min(), z_train[near].max())
    far = z_test > 1.3 * z_train[near].max()
    with pytest.warns(LightCurveWarning, match="predicted redshifts lie outside") as caught:
        redshift, std = model.predict(test, return_std=True)
    outside = np.flatnonzero(redshift - 3 * std > z_train[near].max())
    assert set(np.flatnonzero(far)) <= set(outside)
    message = str(caught.pop().message)
    assert message.startswith(f"{len(outside)} of 100 ")
    assert f"of object '{test.ids[outside[0]]}' (position {outside[0]})" in message
    assert not caught.list
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.predict(test[np.setdiff1d(np.arange(100), outside)])


def test_arguments_of_predictions(parts, fitted):
    train, z_train, *_ = parts
    with pytest.raises(ValueError, match="must be a number between 0 and 1"):
        fitted.predict_interval(train, coverage=68)
    with pytest.raises(ValueError, match="quantiles must lie between 0 and 1"):
        fitted.predict_quantiles(train, [0.5, 1.0])
    with pytest.raises(ValueError, match="head_sizes must hold positive integers"):
        RedshiftRegressor("ztf", method="mlp", head_sizes=(0,), **QUICK).fit(train, z_train)


def test_redshifts_that_cannot_be(parts):
    train, z_train, *_ = parts
    for value, message in (
        (np.nan, "NaN or infinity: the redshift of object '{}' .position 7. is nan .1 of 200"),
        (np.inf, "NaN or infinity: the redshift of object '{}' .position 7. is inf"),
        (0.0, "must be positive, and that of object '{}' .position 7. is 0 .1 of 200"),
        (-0.1, "must be positive, and that of object '{}' .position 7. is -0.1"),
    ):
        z = z_train.copy()
        z[7] = value
        with pytest.raises(LightCurveError, match=message.format(train.ids[7])):
            RedshiftRegressor("ztf", **QUICK).fit(train, z)


def test_too_few_neighbours_are_never_replaced_silently(parts):
    train, z_train, test, _ = parts
    model = RedshiftRegressor("ztf", method="knn", **QUICK)
    with pytest.raises(LightCurveError, match="holds 60: set n_neighbors to 59 or fewer"):
        model.fit(train[:60], z_train[:60])
    model.set_params(n_neighbors=59).fit(train[:60], z_train[:60])
    assert np.isfinite(model.predict(test)).all()
