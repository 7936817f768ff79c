"""One rule for an encoder whose network was trained here: it is kept, or there is an error."""

import copy
import pickle

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from skorch.callbacks import Callback
from small import few_folds  # noqa: F401

from sklc import LatentIsolationForest, LightCurveEncoder, RedshiftRegressor, TransferClassifier
from sklc.errors import WeightsError

QUICK = {"max_epochs": 1, "random_state": 0, "device": "cpu", "verbose": 0}
# Without early stopping, or with a large rate, fine-tuning does change the network.
TUNED = {"finetune": "all", "finetune_learning_rate": 3e-3, **QUICK}
SMALL = {"hidden_size": 8, "latent_size": 6, **QUICK}


@pytest.fixture(scope="module")
def fitted(demo):
    return LightCurveEncoder(**SMALL).fit(*demo)


def classifier(demo, redshifts):
    return TransferClassifier("ztf", early_stopping=False, **TUNED).fit(*demo)


def regressor(demo, redshifts):
    return RedshiftRegressor("ztf", **TUNED).fit(demo[0], redshifts)


def forest(demo, redshifts):
    return LatentIsolationForest("ztf", early_stopping=False, **TUNED).fit(*demo)


def scratch_classifier(demo, redshifts):
    return TransferClassifier(None, **QUICK).fit(*demo)


def scratch_regressor(demo, redshifts):
    return RedshiftRegressor(LightCurveEncoder(**SMALL), **QUICK).fit(demo[0], redshifts)


def named(demo, redshifts):
    return LatentIsolationForest("ztf", **QUICK).fit(*demo)


def unfitted_encoder(demo, redshifts):
    return LatentIsolationForest(LightCurveEncoder(**SMALL), **QUICK).fit(*demo)


TUNING = [classifier, regressor, forest]
WAYS = [*TUNING, scratch_classifier, scratch_regressor, unfitted_encoder, named]


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_a_network_that_was_trained_is_kept(demo, redshifts, way, tmp_path, monkeypatch):
    # what is trained is kept, even if it does not help
    monkeypatch.setattr("sklc.estimators.redshift_encoder._LEAST_GAIN", -np.inf)
    monkeypatch.setattr("sklc.estimators.transfer.KeepStartIfBetter", Callback)
    curves, y = demo
    encoder = way(demo, redshifts).encoder_
    expected = encoder.transform(curves)
    if way in TUNING:
        assert np.abs(expected - LightCurveEncoder("ztf").transform(curves)).max() > 0.01
    path = encoder.save(tmp_path / "mine.safetensors")
    joblib.dump(encoder, tmp_path / "encoder.joblib")
    for kept in (
        joblib.load(tmp_path / "encoder.joblib"),
        clone(encoder),
        clone(clone(encoder).fit(curves)),
        copy.deepcopy(encoder),
        pickle.loads(pickle.dumps(encoder)),
        LightCurveEncoder(path),
        LightCurveEncoder().set_params(weights=encoder.weights),
        clone(RedshiftRegressor(encoder, **QUICK)).fit(curves, redshifts).encoder_,
        clone(LatentIsolationForest(encoder, n_estimators=2, **QUICK)).fit(curves).encoder_,
        clone(make_pipeline(encoder, LogisticRegression())).fit(curves, y)[0],
    ):
        np.testing.assert_array_equal(kept.transform(curves), expected)
    folds = cross_validate(
        TransferClassifier(encoder, C=0.1, **QUICK), curves, y, cv=2, return_estimator=True
    )
    for model in folds["estimator"]:
        np.testing.assert_array_equal(model.encoder_.transform(curves), expected)


@pytest.mark.slow
def test_grid_search_compares_what_was_trained_with_what_was_not(demo, redshifts):
    curves, y = demo
    tuned = classifier(demo, redshifts).encoder_
    pipe = make_pipeline(LightCurveEncoder("ztf"), LogisticRegression(max_iter=1000))
    grid = {"lightcurveencoder__weights": ["ztf", tuned.weights]}
    search = GridSearchCV(pipe, grid, cv=2, n_jobs=2, error_score="raise").fit(curves, y)
    best = search.cv_results_["mean_test_score"]
    assert best[1] > best[0]  # it has seen all the labels


def test_what_fit_trained_is_kept_or_refused(demo, fitted):
    curves, y = demo
    expected = fitted.transform(curves)
    # as everywhere in scikit-learn a clone is not fitted, and it says so
    with pytest.raises(NotFittedError, match="not fitted yet"):
        clone(fitted).transform(curves)
    assert clone(fitted).get_params() == fitted.get_params()
    kept = [
        clone(FrozenEstimator(fitted)),
        clone(TransferClassifier(fitted, **QUICK)).fit(curves, y).encoder_,
        pickle.loads(pickle.dumps(fitted)),
    ]
    for encoder in kept:
        np.testing.assert_array_equal(encoder.transform(curves), expected)


@pytest.mark.slow
@pytest.mark.parametrize("way", TUNING, ids=lambda way: way.__name__)
def test_an_encoder_the_user_fitted_is_used_and_never_changed(demo, redshifts, fitted, way):
    curves, expected = demo[0], fitted.transform(demo[0])
    y = redshifts if way is regressor else demo[1]
    make = {classifier: TransferClassifier, regressor: RedshiftRegressor}.get(
        way, LatentIsolationForest
    )
    model = make(fitted, **TUNED)
    cloned = clone(model).fit(curves, y)  # cloning keeps the user's network
    np.testing.assert_array_equal(cloned.predict(curves), model.fit(curves, y).predict(curves))
    assert model.encoder is fitted
    np.testing.assert_array_equal(fitted.transform(curves), expected)
    np.testing.assert_array_equal(cloned.encoder.transform(curves), expected)


@pytest.mark.slow
def test_fine_tuning_that_changes_nothing_keeps_the_name(demo):
    clf = TransferClassifier("ztf", **{**TUNED, "finetune_learning_rate": 10.0}).fit(*demo)
    assert clf.encoder_.weights == "ztf"
    assert TransferClassifier("ztf", **QUICK).fit(*demo).encoder_.weights == "ztf"


def test_heads_that_no_longer_fit_are_refused(demo, redshifts, tmp_path):
    curves, _ = demo
    tuned = classifier(demo, redshifts).encoder_
    saved = LightCurveEncoder(tuned.save(tmp_path / "tuned.safetensors"))
    for encoder in (tuned, clone(tuned), saved):
        for estimator in (TransferClassifier, RedshiftRegressor):
            with pytest.raises(ValueError, match="fine-tuned further"):
                estimator(encoder, finetune="none").fit(curves)
        forest = LatentIsolationForest(encoder, **QUICK).fit(curves)
        assert forest.rare_classes_.tolist() == []
    own = TransferClassifier(LightCurveEncoder(**SMALL).fit(*demo), finetune="none").fit(curves)
    assert own.predict_proba(curves).shape == (90, 3)


def test_pretrained_encoders_have_everything_before_fit(demo):
    encoder = LightCurveEncoder.pretrained("ztf")
    assert encoder.classes_.tolist()[:2] == ["AGN", "SLSN-I"]
    assert encoder.metadata_columns_ == ()
    assert encoder.representation_.channels == encoder.fit(demo[0]).representation_.channels
    assert encoder.get_feature_names_out().shape == (encoder.n_features_out_,) == (128,)
    assert sum(p.numel() for p in encoder.net_.module_.parameters()) > 100_000
    for name in ("net_", "classes_", "representation_", "metadata_columns_"):
        assert not hasattr(LightCurveEncoder(), name)
    # the network is a copy: nothing done to it can reach other encoders
    for parameter in encoder.net_.module_.parameters():
        parameter.data.zero_()
    assert np.ptp(LightCurveEncoder("ztf").transform(demo[0])) > 0


@pytest.mark.slow
def test_pickles_of_named_weights_hold_the_name(demo, redshifts):
    curves, y = demo
    encoder = LightCurveEncoder("ztf")
    assert len(pickle.dumps(encoder)) < len(pickle.dumps(encoder.fit(curves))) < 700
    for model in (
        TransferClassifier.pretrained("ztf"),
        TransferClassifier("ztf", **QUICK).fit(curves, y),
        RedshiftRegressor.pretrained(),
        RedshiftRegressor(**QUICK).fit(curves, redshifts),
        LatentIsolationForest("ztf", n_estimators=2, **QUICK).fit(curves),
    ):
        assert len(pickle.dumps(model.encoder_)) < 1000
    assert len(pickle.dumps(TransferClassifier.pretrained("ztf"))) < 10_000
    for model, most in (
        # a head and its five folds, or three heads and a gate in each of them
        (TransferClassifier("ztf", early=False, features=None, **QUICK).fit(curves, y), 50_000),
        (TransferClassifier("ztf", features=None, **QUICK).fit(curves, y), 150_000),
        (LightCurveEncoder(**SMALL).fit(curves, y), 60_000),  # no training data
        (LatentIsolationForest("ztf", n_estimators=2, **QUICK).fit(curves), 60_000),
    ):
        assert len(pickle.dumps(model)) < most


def test_a_file_that_changed_or_vanished_is_an_error(demo, fitted, tmp_path):
    curves, y = demo
    path = fitted.save(tmp_path / "mine.safetensors")
    unfitted = LightCurveEncoder(path)
    used, stored = clone(unfitted).fit(curves), pickle.dumps(unfitted)
    frozen = pickle.dumps(TransferClassifier(path, **QUICK).fit(curves, y))
    expected = used.transform(curves)
    np.testing.assert_array_equal(pickle.loads(stored).transform(curves), expected)
    path.rename(tmp_path / "elsewhere.safetensors")
    for encoder in (used, pickle.loads(stored), pickle.loads(frozen).encoder_):
        with pytest.raises(WeightsError, match=r"no weights file .*mine\.safetensors"):
            encoder.transform(curves)
    LightCurveEncoder("ztf").save(path)
    for encoder in (used, pickle.loads(stored), pickle.loads(frozen).encoder_):
        with pytest.raises(WeightsError, match="not the one that this encoder was fitted"):
            encoder.transform(curves)
    assert unfitted.transform(curves).shape == (90, 128)  # it had never read the former one
    assert used.fit(curves).transform(curves).shape == (90, 128)
    (tmp_path / "elsewhere.safetensors").replace(path)
    np.testing.assert_array_equal(pickle.loads(stored).transform(curves), expected)
