"""TransferClassifier beyond scikit-learn's common checks."""

import pickle

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline

from sklc import LightCurveEncoder, TransferClassifier
from sklc.datasets import load_demo

QUICK = {"max_epochs": 3, "random_state": 0, "device": "cpu", "verbose": 0}


@pytest.fixture(scope="module")
def demo():
    curves, y = load_demo(return_X_y=True)
    return curves[:240], y[:240]


@pytest.fixture(scope="module")
def parts(demo):
    curves, y = demo
    return curves[:160], y[:160], curves[160:], y[160:]


@pytest.mark.slow
@pytest.mark.parametrize("finetune", ["head", "gru+head", "all"])
@pytest.mark.parametrize("head_sizes", [(), (16,)], ids=["linear", "hidden"])
def test_every_recipe_learns_and_repeats(parts, finetune, head_sizes):
    train, y_train, test, y_test = parts
    params = {**QUICK, "max_epochs": 15 if head_sizes else 3}
    clf = TransferClassifier("ztf+lsst", finetune=finetune, head_sizes=head_sizes, **params)
    proba = clf.fit(train, y_train).predict_proba(test)
    assert roc_auc_score(y_test, proba, multi_class="ovr") > 0.85
    assert proba.shape == (80, 3)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    np.testing.assert_array_equal(clf.classes_[proba.argmax(1)], clf.predict(test))
    np.testing.assert_array_equal(clf.decision_function(test).argmax(1), proba.argmax(1))
    np.testing.assert_array_equal(clone(clf).fit(train, y_train).predict_proba(test), proba)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(clf)).predict_proba(test), proba)


def trained_layers(classifier):
    """Parts of the encoder that differ from the pretrained ones."""
    start = LightCurveEncoder.pretrained("ztf+lsst").fit(load_demo().curves[:1])
    start = start.net_.module_.state_dict()
    now = classifier.encoder_.net_.module_.state_dict()
    return {name.split(".")[0] for name in now if not np.array_equal(now[name], start[name])}


@pytest.mark.slow
def test_finetune_says_what_is_trained(parts):
    train, y_train, *_ = parts
    # without early stopping no epoch is judged, so what is trained does move
    params = {**QUICK, "max_epochs": 1, "early_stopping": False}
    moved = {
        finetune: trained_layers(
            TransferClassifier("ztf+lsst", finetune=finetune, **params).fit(train, y_train)
        )
        for finetune in ("head", "gru+head", "all")
    }
    assert moved == {"head": set(), "gru+head": {"gru"}, "all": {"gru", "dense", "latent"}}


class _CommonScale(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        self.mean_, self.scale_ = X.mean(axis=0), np.sqrt(X.var(axis=0).mean())
        return self

    def transform(self, X):
        return (X - self.mean_) / self.scale_


@pytest.mark.parametrize("n_classes", [2, 3])
def test_linear_head_is_a_logistic_regression_with_the_best_C(parts, n_classes):
    train, y_train, test, y_test = parts
    if n_classes == 2:
        y_train, y_test = y_train == "SNIa", y_test == "SNIa"
    clf = TransferClassifier("ztf", early=False, features=None, prior_labels=0, **QUICK)
    clf.fit(train, y_train)
    latent = _CommonScale().fit_transform(LightCurveEncoder("ztf").transform(train))
    folds, loss = StratifiedKFold(5, shuffle=True, random_state=clf._seed()), {}
    for C in np.logspace(-2, 0.5, 6):
        logistic = LogisticRegression(C=C, max_iter=1000)
        method = {"cv": folds, "method": "predict_proba"}
        loss[C] = log_loss(y_train, cross_val_predict(logistic, latent, y_train, **method))
    assert min(loss, key=loss.get) == clf.C_
    logistic = LogisticRegression(C=clf.C_, max_iter=1000)
    pipe = make_pipeline(LightCurveEncoder("ztf"), _CommonScale(), logistic).fit(train, y_train)
    np.testing.assert_allclose(clf.predict_proba(test), pipe.predict_proba(test), atol=2e-3)
    if n_classes == 2:
        scores = clf.decision_function(test)
        assert scores.shape == (80,)
        np.testing.assert_array_equal(clf.predict(test), scores > 0)
        assert clf.predict(test).dtype == bool


@pytest.mark.slow
def test_an_unfitted_encoder_is_trained_first(parts):
    train, y_train, test, _ = parts
    encoder = LightCurveEncoder(hidden_size=8, latent_size=5, **QUICK)
    clf = TransferClassifier(encoder, **QUICK).fit(train, y_train)
    assert not hasattr(encoder, "net_")
    assert clf.encoder_.transform(test).shape == (80, 5)
    nested = clf.set_params(encoder__latent_size=4).fit(train, y_train)
    assert nested.encoder_.transform(test).shape == (80, 4)


@pytest.mark.slow
def test_metadata_joins_the_latent(parts):
    train, y_train, test, _ = parts
    clf = TransferClassifier("ztf", metadata_columns=["redshift"], **QUICK).fit(train, y_train)
    plain = TransferClassifier("ztf", **QUICK).fit(train, y_train)
    assert not np.allclose(clf.predict_proba(test), plain.predict_proba(test))
    gaps = test.with_metadata(redshift=np.full(len(test), np.nan))
    assert np.isfinite(clf.predict_proba(gaps)).all()
    for options in ({"head_sizes": (8,)}, {"finetune": "all"}):
        joined = TransferClassifier("ztf", metadata_columns=["redshift"], **options, **QUICK)
        assert np.isfinite(joined.fit(train, y_train).predict_proba(gaps)).all()


@pytest.mark.slow
def test_unseen_labels_count_as_wrong(parts):
    train, y_train, test, y_test = parts
    clf = TransferClassifier("ztf", **QUICK).fit(train, y_train)
    right = clf.predict(test) == y_test
    assert clf.score(test, y_test) == right.mean() > 0.5
    y_test = y_test.astype(object)
    y_test[:3] = "TDE"
    assert clf.score(test, y_test) == right[3:].sum() / len(right)
    # a class that a fold of cross-validation does not learn lowers the score, and no more
    y = y_train.astype(object)
    y[-1] = "TDE"
    scores = cross_val_score(clf, train, y, cv=KFold(2), error_score="raise")
    assert np.isfinite(scores).all()
    assert (scores > 0.5).all()


@pytest.mark.slow
def test_the_choice_of_c_on_a_part_keeps_rare_classes(monkeypatch, parts):
    train, y_train, test, _ = parts
    monkeypatch.setattr("sklc.estimators.class_heads._MOST_FOR_CHOICE", 60)
    y = y_train.astype(object)
    y[[3, 50]] = "TDE"
    clf = TransferClassifier("ztf", **QUICK).fit(train, y)
    assert clf.predict_proba(test).shape == (80, 4)


@pytest.mark.parametrize("fraction", [0.01, 0.5, 0.9])
def test_every_class_is_trained_on_and_validated(parts, fraction, monkeypatch):
    train, y_train, *_ = parts
    y = y_train.astype(object)
    y[[3, 50]], y[[7, 8, 9]] = "TDE", "AGN"
    seen = []

    def record(network, head, train, valid, *args, **options):
        seen.append((train.y, valid.y))
        raise KeyboardInterrupt

    monkeypatch.setattr("sklc.estimators.class_fitting.fine_tune", record)
    for seed in range(5):
        params = {**QUICK, "random_state": seed, "C": 0.1, "early": False}
        clf = TransferClassifier("ztf", finetune="all", validation_fraction=fraction, **params)
        with pytest.raises(KeyboardInterrupt):
            clf.fit(train, y)
    for trained, validated in seen:
        assert len(trained) + len(validated) == len(y)
        assert set(trained) == set(validated) == set(range(5))
