"""Features joined to the latent: classifier, regressor and forest."""

from __future__ import annotations

import pickle
import sys

import numpy as np
import pytest
import torch
from scipy.special import log_softmax
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.metrics import log_loss

from sklc import (
    LatentIsolationForest,
    LightCurves,
    RedshiftRegressor,
    TransferClassifier,
)
from sklc.datasets import load_demo
from sklc.errors import LightCurveError
from sklc.estimators.pooling import fit_weights
from sklc.networks.joined import JoinedHead, fill_missing
from sklc.serving import OnnxModel


class Oracle(TransformerMixin, BaseEstimator):
    """A transformer that reads the class and the redshift from the metadata, with noise."""

    def fit(self, X, y=None):
        assert y is None, "labels must not reach the features"
        return self

    def transform(self, X):
        known = X.metadata["class"].astype("category").cat.codes.to_numpy()
        noise = np.random.default_rng(0).normal(0, 0.35, len(X))
        return np.column_stack([known + noise, X.metadata["redshift"]])


class Rare(Oracle):
    """Features of the first few objects of a table only, or of none."""

    def __init__(self, n_described=0):
        self.n_described = n_described

    def transform(self, X):
        table = super().transform(X)
        table[self.n_described :] = np.nan
        return table


class Noise(Oracle):
    """Features that say nothing of class or redshift."""

    def transform(self, X):
        return np.random.default_rng(len(X)).normal(size=(len(X), 6))


class Wrong(Oracle):
    def transform(self, X):
        return np.zeros((1, 2, 3))


@pytest.fixture(scope="module")
def demo():
    curves, y = load_demo(return_X_y=True)
    return curves[:240], y[:240], curves[240:360], y[240:360]


@pytest.fixture(scope="module")
def joined(demo):
    curves, y, _, _ = demo
    return TransferClassifier(features=Oracle(), prior_labels=0, random_state=0).fit(curves, y)


def noisy(y):
    rng = np.random.default_rng(3)
    return np.where(rng.random(len(y)) < 0.3, rng.permutation(y), y)


def with_core(curves, y):
    clf = TransferClassifier(features="core", prior_labels=0, C=0.001, random_state=0)
    clf.fit(curves, noisy(y))
    assert isinstance(clf.head_, JoinedHead)
    return clf


@pytest.fixture(scope="module")
def core(demo):
    return with_core(*demo[:2])


def _tensors(classifier, curves):
    return [torch.from_numpy(part) for part in classifier._latents(curves)]


def loss(classifier, curves, y):
    return log_loss(y, classifier.predict_proba(curves), labels=classifier.classes_)


@pytest.mark.slow
def test_features_that_know_more_lower_the_loss(demo, joined):
    curves, y, unseen, truth = demo
    alone = TransferClassifier(features=None, prior_labels=0, random_state=0).fit(curves, y)
    assert isinstance(joined.head_, JoinedHead)
    assert joined.head_.weights[1] > 0.1
    assert alone.features_ is None
    assert loss(joined, unseen, truth) < loss(alone, unseen, truth)


@pytest.mark.slow
def test_features_that_say_nothing_cost_next_to_nothing(demo):
    curves, y, unseen, truth = demo
    z, z_unseen = (part.metadata["redshift"].to_numpy(dtype=float) for part in (curves, unseen))
    losses, errors = [], []
    for features in (Noise(), None):
        clf = TransferClassifier(features=features, early=False, random_state=0).fit(curves, y)
        losses.append(loss(clf, unseen, truth))
        regressor = RedshiftRegressor(features=features, early=False, random_state=0)
        errors.append(np.mean((regressor.fit(curves, z).predict(unseen) - z_unseen) ** 2))
    assert losses[0] < losses[1] + 0.02
    assert errors[0] < 1.05 * errors[1]


@pytest.mark.slow
def test_boosting_counts_for_whole_light_curves_and_not_for_early_ones(core, demo):
    curves = demo[2]
    early = curves.truncate(days=5)

    def share(light_curves):
        """How far the sum of both parts is from the head alone, of what it would be if whole."""
        tensors, head = _tensors(core, light_curves), core.head_
        with torch.inference_mode():
            logits, own = head(*tensors), log_softmax(head.head(tensors[0]).numpy(), axis=1)
            boosted = head.boosted.logits(fill_missing(tensors[1].numpy()))
        whole = head.weights[0] * own + head.weights[1] * boosted - own
        return np.sum(whole * (logits.numpy() - own)) / np.sum(whole**2)

    assert share(curves) > 0.85
    assert share(early) < 0.3


def test_conformal_heads_have_not_seen_their_objects(joined):
    held_out = joined._calibration
    assert len(held_out.heads) == 5
    assert len(held_out.target) == 240
    # They are judged at every age, so that sets and temperature hold for early light curves, too.
    assert len(held_out.prefixes.target) > 240
    parts = [head.boosting for head in held_out.heads]
    assert [len(part) for part in parts] == [1] * 5
    assert [part[0] for part in parts] == joined.head_.boosting


@pytest.mark.slow
def test_prediction_sets_and_temperature_with_features(demo):
    curves, y, unseen, truth = demo
    clf = TransferClassifier(features=Oracle(), calibrate="temperature", random_state=0)
    clf.fit(curves, y)
    sets = clf.predict_set(unseen)
    covered = sets[np.arange(len(truth)), clf.classes_.searchsorted(truth)]
    assert 0.8 < covered.mean() <= 1
    assert 0.3 < clf.temperature_ < 3


@pytest.mark.slow
def test_the_seed_fixes_everything_and_pickles_predict_alike(demo, joined):
    curves, y, unseen, _ = demo
    again = TransferClassifier(features=Oracle(), prior_labels=0, random_state=0).fit(curves, y)
    expected = joined.predict_proba(unseen)
    np.testing.assert_array_equal(again.predict_proba(unseen), expected)
    # One object and none, and a copy through a pickle.
    copy = pickle.loads(pickle.dumps(joined))
    np.testing.assert_array_equal(copy.predict_proba(unseen), expected)
    assert joined.predict_proba(unseen[:0]).shape == (0, 3)
    np.testing.assert_allclose(joined.predict_proba(unseen[:1]).sum(), 1)
    # In a block that is filled up, an object is what it is among many.
    one = log_softmax(joined.head_(*_tensors(joined, unseen[:1])).detach().numpy(), axis=1)
    np.testing.assert_allclose(np.exp(one), joined.predict_proba(unseen[:1]), atol=1e-6)


def test_too_few_labels_leave_features_out(demo):
    curves, y, unseen, _ = demo
    few = TransferClassifier(features="core", random_state=0).fit(curves[:30], y[:30])
    alone = TransferClassifier(features=None, random_state=0).fit(curves[:30], y[:30])
    assert few.features_ is None
    np.testing.assert_array_equal(few.predict_proba(unseen), alone.predict_proba(unseen))


@pytest.mark.slow
@pytest.mark.parametrize("n_described", [0, 9])
def test_features_of_too_few_objects_are_left_out(n_described, demo):
    curves, y, new, _ = demo
    curves, y = curves[:60], y[:60]
    z = curves.metadata["redshift"].to_numpy(dtype=float)
    for estimator, target, method in (
        (TransferClassifier, y, "predict_proba"),
        (RedshiftRegressor, z, "predict"),
    ):
        with_few = estimator(features=Rare(n_described), random_state=0).fit(curves, target)
        without = estimator(features=None, random_state=0).fit(curves, target)
        assert with_few.features_ is None
        predictions = [getattr(model, method)(new[:5]) for model in (with_few, without)]
        np.testing.assert_allclose(*predictions, rtol=1e-5)


@pytest.mark.slow
def test_objects_in_other_passbands_are_judged_by_the_latent(core):
    days = np.arange(0.0, 30.0, 3.0)
    other = LightCurves.from_arrays([days], [100 - days], [np.ones(10)], [["lsstg", "lsstz"] * 5])
    latent, _ = core._latents(other)
    with torch.inference_mode():
        own = log_softmax(core.head_.head(torch.from_numpy(latent)).double().numpy(), axis=1)
    np.testing.assert_allclose(np.log(core.predict_proba(other)), own, atol=1e-5)


def test_a_network_that_is_trained_has_features_joined_on_its_held_out_part(demo):
    curves, y, unseen, truth = demo
    clf = TransferClassifier(None, features=Oracle(), max_epochs=1, random_state=0).fit(curves, y)
    assert isinstance(clf.head_, JoinedHead)
    assert loss(clf, unseen, truth) < 0.9
    assert clf.predict_set(unseen[:3]).shape == (3, 3)
    nothing = TransferClassifier(
        None, features="core", early_stopping=False, max_epochs=1, random_state=0
    )
    assert nothing.fit(curves, y).features_ is None


def test_weights_are_pulled_to_the_start():
    rng = np.random.default_rng(0)
    target = rng.integers(0, 3, 400)
    good = log_softmax(3.0 * np.eye(3)[target] + rng.normal(size=(400, 3)), axis=1)
    noise = log_softmax(rng.normal(size=(400, 3)), axis=1)
    ones, start = np.ones(400), (1.0, 0.0)
    assert fit_weights(np.stack([good, noise]), target, ones, start)[1] < 0.2
    assert fit_weights(np.stack([noise, good]), target, ones, start)[1] > 0.8
    own, boosted = fit_weights(np.stack([noise, good])[:, :3], target[:3], ones[:3], start)
    assert own > boosted
    # A start that is worth many labels is kept.
    kept = fit_weights(np.stack([noise, good]), target, ones, (0.6, 0.4), 0.0, 1e6)
    np.testing.assert_allclose(kept, (0.6, 0.4), atol=1e-2)
    assert fit_weights(np.stack([noise, good]), target, ones, start, (0.3, 0.0))[0] >= 0.3
    # A weight of 2 is the same as two copies.
    parts = np.stack([good, noise])
    doubled = fit_weights(np.tile(parts, (1, 2, 1)), np.tile(target, 2), np.ones(800), start)
    np.testing.assert_allclose(fit_weights(parts, target, 2 * ones, start), doubled, rtol=1e-3)


def test_the_core_set_is_the_default(demo):
    assert TransferClassifier().features == "core"
    assert RedshiftRegressor().features == "core"


@pytest.mark.slow
def test_a_model_with_the_full_set_says_which_package_it_needs(demo, monkeypatch):
    pytest.importorskip("light_curve")
    curves, y, unseen, _ = demo
    clf = TransferClassifier(features="full", prior_labels=0, C=0.001, random_state=0)
    pickled = pickle.dumps(clf.fit(curves, noisy(y)))
    assert clf.features_ is not None
    monkeypatch.setitem(sys.modules, "light_curve", None)
    with pytest.raises(ImportError, match="light-curve package"):
        pickle.loads(pickled).predict_proba(unseen)


@pytest.mark.slow
@pytest.mark.parametrize("n_classes", [2, 3])
def test_an_exported_model_holds_features_and_boosting(n_classes, demo, core, tmp_path):
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    curves, y, unseen, _ = demo
    clf = core if n_classes == 3 else with_core(curves, y == "SNIa")
    model = OnnxModel(clf.to_onnx(tmp_path / "joined.onnx"))
    np.testing.assert_allclose(model.predict_proba(unseen), clf.predict_proba(unseen), atol=1e-5)


def test_features_of_a_user_cannot_be_exported(joined, tmp_path):
    pytest.importorskip("onnx")
    with pytest.raises(NotImplementedError, match="features=None"):
        joined.to_onnx(tmp_path / "own.onnx")


def test_features_of_a_user_that_are_no_table(demo):
    curves, y, _, _ = demo
    with pytest.raises(LightCurveError, match="one row of numbers per object"):
        TransferClassifier(features=Wrong(), random_state=0).fit(curves, y)


@pytest.mark.parametrize("kind", [TransferClassifier, RedshiftRegressor])
def test_features_without_training_are_refused(kind, demo):
    encoder = "ztf+lsst-contrastive"
    with pytest.raises(ValueError, match="features is for"):
        kind.pretrained(encoder, features="full")
    assert kind.pretrained(encoder, features=None).predict(demo[0][:2]).shape == (2,)


@pytest.mark.slow
def test_redshifts_with_features(demo):
    curves, _, unseen, _ = demo
    z, truth = (part.metadata["redshift"].to_numpy() for part in (curves, unseen))
    model = RedshiftRegressor(features=Oracle(), random_state=0).fit(curves, z)
    alone = RedshiftRegressor(features=None, random_state=0).fit(curves, z)
    assert model.head_.late.weight_ > 0.5
    assert np.mean((model.predict(unseen) - truth) ** 2) < np.mean(
        (alone.predict(unseen) - truth) ** 2
    )
    low, high = model.predict_interval(unseen).T
    assert 0.8 < np.mean((low < truth) & (truth < high)) <= 1
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.predict(unseen), model.predict(unseen))
    assert model.predict(unseen[:0]).shape == (0,)
    assert (
        RedshiftRegressor(features="core", random_state=0).fit(curves[:30], z[:30]).features_
        is None
    )


def test_a_forest_reads_features_beside_the_latent(demo):
    curves, y, unseen, _ = demo
    plain = LatentIsolationForest(random_state=0).fit(curves, y)
    beside = LatentIsolationForest(features="core", random_state=0).fit(curves, y)
    assert plain.features_ is None
    assert np.corrcoef(plain.anomaly_score(unseen), beside.anomaly_score(unseen))[0, 1] > 0.2
    assert not np.allclose(plain.anomaly_score(unseen), beside.anomaly_score(unseen))
    assert beside.explain(unseen[:2]).shape == (2, 5)
