"""The classes of the weights: merged, weighted by prior, and what they are worth to a head."""

import numpy as np
import pytest
from scipy.special import log_softmax, softmax
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import cross_val_predict, cross_val_score

from sklc import LightCurveEncoder, RedshiftRegressor, TransferClassifier
from sklc.datasets import load_demo
from sklc.errors import LightCurveError
from sklc.estimators.pretrained_classes import (
    CLASS_PRIORS,
    fit_joint_shares,
    match_classes,
    merge_matrix,
    named_alike,
    prior_shares,
)
from sklc.weights.file import load_weights

QUICK = {"max_epochs": 2, "random_state": 0, "device": "cpu", "verbose": 0}
MERGE = {
    "SNIa": ["SNIa", "SNIa-91bg", "SNIax"],
    "SNII": ["SNII", "SNIIn"],
    "SNIb/c": ["SNIb", "SNIc", "SNIc-BL", "SNIIb"],
}


@pytest.fixture(scope="module")
def parts():
    curves, y = load_demo(return_X_y=True)
    return curves[::2], y[::2], curves[1::2], y[1::2]


def truth(classifier, y):
    return np.searchsorted(classifier.classes_, y)


def test_zero_labels(parts):
    curves, y = parts[:2]
    clf = TransferClassifier.pretrained("ztf+lsst", merge_classes=MERGE)
    proba = clf.predict_proba(curves)
    assert clf.classes_.tolist() == ["SNII", "SNIa", "SNIb/c"]
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    assert roc_auc_score(y, proba, multi_class="ovr") > 0.85
    np.testing.assert_array_equal(clf.decision_function(curves).argmax(1), proba.argmax(1))
    # as an estimator it needs no labels, and cross-validates
    np.testing.assert_array_equal(clone(clf).fit(curves).predict_proba(curves), proba)
    assert cross_val_score(clf, curves, y, cv=2, scoring="roc_auc_ovr").min() > 0.8
    crossed = cross_val_predict(clf, curves, y, cv=2, method="predict_proba")
    np.testing.assert_allclose(crossed, proba, atol=1e-6)
    everything = TransferClassifier.pretrained("ztf+lsst")
    assert everything.predict_proba(curves).shape[1] == len(everything.classes_) == 12
    assert everything.classes_.tolist() == sorted(everything.classes_)


# -- priors


def test_prior_multiplies_and_normalises(parts):
    test = parts[2][:40]
    own = TransferClassifier.pretrained("ztf")
    shares = {name: 1.0 + k for k, name in enumerate(own.classes_)}
    weighted = TransferClassifier.pretrained("ztf", class_prior=shares).predict_proba(test)
    expected = own.predict_proba(test) * list(shares.values())
    np.testing.assert_allclose(weighted, expected / expected.sum(axis=1, keepdims=True))
    # a scale does not matter, a class of share 0 cannot be found
    doubled = {name: 2 * share for name, share in shares.items()}
    again = TransferClassifier.pretrained("ztf", class_prior=doubled).predict_proba(test)
    np.testing.assert_allclose(again, weighted)
    alone = {name: float(name == "TDE") for name in shares}
    only = TransferClassifier.pretrained("ztf", class_prior=alone)
    assert set(only.predict(test)) == {"TDE"}
    assert np.isfinite(only.decision_function(test)).all()


def test_prior_before_merging():
    classes = np.array(["a", "b", "c", "d"])
    merge = {"ab": ["a", "b"], "c": ["c"]}
    shares = prior_shares(classes, merge, {"ab": 0.8, "c": 0.2})
    np.testing.assert_allclose(shares, [0.4, 0.4, 0.2, 0])  # parts share alike, d is left out
    np.testing.assert_allclose(
        prior_shares(classes, merge, {"a": 3, "b": 1, "c": 4, "d": 9}), [0.375, 0.125, 0.5, 0]
    )
    np.testing.assert_allclose(prior_shares(classes, merge, None), np.full(4, 0.25))
    assert merge_matrix(classes, merge)[0].tolist() == ["ab", "c"]


@pytest.mark.parametrize(
    ("prior", "message"),
    [
        ({"a": 1, "b": 1}, r"no share of \['c', 'd'\]: add one for each"),
        ({"a": 1, "b": 1, "c": 1, "d": 1, "e": 1}, r"names \['e'\], which are neither"),
        ({"a": -0.1, "b": 1, "c": 1, "d": 1}, r"\['a'\]=-0.1 is no share"),
        ({"a": "much", "b": 1, "c": 1, "d": 1}, r"\['a'\]='much' is no share"),
        ({"a": np.nan, "b": 1, "c": 1, "d": 1}, "nan is no share"),
        (dict.fromkeys("abcd", 0), "leaves no class"),
        ("magnitude-limited", "no share of class 'a' of the weights"),
    ],
)
def test_bad_priors(prior, message):
    with pytest.raises(ValueError, match=message):
        prior_shares(np.array(list("abcd")), None, prior)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"merge_classes": ["SNIa"]}, "'merge_classes' parameter"),
        ({"merge_classes": {"Ia": None}}, "to a list of classes"),
        ({"merge_classes": {"Ia": [], "II": ["SNII"]}}, "to a list of classes"),
        ({"merge_classes": {"Ia": [["SNIa"]]}}, r"names \[\['SNIa'\]\], which the weights do not"),
        ({"merge_classes": {0: ["SNIa"], "II": ["SNII"]}}, "names of different types"),
        ({"class_prior": "flat"}, "'class_prior' parameter"),
        ({"class_prior": {0: 1, "Ia": 1}}, r"names \[0, 'Ia'\], which are neither"),
        ({"min_points": 0}, "'min_points' parameter"),
    ],
)
def test_bad_parameters_of_a_classifier_that_is_not_fitted(params, message):
    with pytest.raises(ValueError, match=message):
        TransferClassifier.pretrained("any", **params)


@pytest.mark.parametrize("estimator", [LightCurveEncoder, RedshiftRegressor])
@pytest.mark.parametrize("params", [{"min_points": "two"}, {"mixed_precision": 3}])
def test_bad_parameters_of_any_estimator_that_is_not_fitted(estimator, params):
    with pytest.raises(
        ValueError, match=f"'{next(iter(params))}' parameter of {estimator.__name__}"
    ):
        estimator.pretrained("any", **params)


@pytest.mark.parametrize("weights", ["ztf", "ztf+lsst", "any"])
def test_the_table_fits_the_weights(weights):
    table = CLASS_PRIORS["magnitude-limited"]
    assert sum(table.values()) == pytest.approx(1, abs=0.005)
    classes = np.array(load_weights(weights).classes)
    shares = dict(zip(classes, prior_shares(classes, None, "magnitude-limited"), strict=True))
    # counts of the Bright Transient Survey, whatever subtypes the weights know
    groups = {"SNIa": 4628, "SNII": 1212, "SNIb": 339, "SNIc": 0, "SLSN": 46, "TDE": 22}
    for group, count in {"SNIa": 4628, "SNII": 1212, "SLSN": 46, "TDE": 22}.items():
        found = sum(share for name, share in shares.items() if name.startswith(group))
        assert found == pytest.approx(count / sum(groups.values()), abs=0.002)
    others = [share for name, share in shares.items() if not name.startswith(("SN", "SLSN", "TDE"))]
    assert not any(others)


def test_the_prior_helps_without_labels(parts):
    _, _, test, y_test = parts
    plain = TransferClassifier.pretrained("ztf+lsst", merge_classes=MERGE)
    prior = TransferClassifier.pretrained(
        "ztf+lsst", merge_classes=MERGE, class_prior="magnitude-limited"
    )
    scores = [
        roc_auc_score(y_test, clf.predict_proba(test), multi_class="ovr") for clf in (plain, prior)
    ]
    assert scores[1] > scores[0]


def test_labels_calibrate_the_classes_of_the_weights(parts):
    train, y_train, test, y_test = parts
    params = {"merge_classes": MERGE, "class_prior": "magnitude-limited"}
    clf = TransferClassifier.pretrained("ztf+lsst", calibrate="temperature", **params)
    with pytest.raises(LightCurveError, match="nova"):
        clf.fit(train, np.full(len(y_train), "nova"))
    with pytest.raises(ValueError, match="requires y"):
        clf.fit(train)
    plain = TransferClassifier.pretrained("ztf+lsst", **params)
    with pytest.raises(NotFittedError):
        clone(clf).predict(test)
    clf.fit(train, y_train)
    assert clf.temperature_ != 1
    losses = [log_loss(y_train, model.predict_proba(train)) for model in (clf, plain)]
    assert losses[0] < losses[1]
    sets = clf.predict_set(test)
    assert sets[np.arange(300), truth(clf, y_test)].mean() == pytest.approx(0.9, abs=0.05)


# -- what the classes of the weights are worth to a head


def test_joint_shares_are_recovered():
    rng = np.random.default_rng(5)
    joint = np.array([[0.5, 0.0], [0.0, 0.3], [0.15, 0.05]])
    pair = rng.choice(6, 6000, p=joint.ravel())
    own, target = np.divmod(pair, 2)
    # Gaussians in three places; their posteriors under equal priors
    places = np.array([[0, 0], [3, 0], [0, 3]])
    x = places[own] + rng.normal(size=(6000, 2))
    proba = softmax(-0.5 * ((x[:, None] - places) ** 2).sum(axis=2), axis=1)
    found = fit_joint_shares(proba, target, np.ones(2))
    np.testing.assert_allclose(found, joint, atol=0.02)
    balanced = fit_joint_shares(proba, target, 1 / np.bincount(target))
    np.testing.assert_allclose(balanced.sum(axis=0), [0.5, 0.5], atol=0.01)


@pytest.mark.slow
def test_prior_labels_pool_log_probabilities(parts):
    train, y_train, test, y_test = parts
    few = slice(0, 30)
    options = {**QUICK, "C": 0.1}
    alone = TransferClassifier("ztf+lsst", prior_labels=0, **options).fit(train[few], y_train[few])
    pooled = TransferClassifier("ztf+lsst", prior_labels=30, **options).fit(
        train[few], y_train[few]
    )
    only = TransferClassifier("ztf+lsst", prior_labels=1e9, **options).fit(train[few], y_train[few])
    logs = [log_softmax(clf.decision_function(test), axis=1) for clf in (alone, only)]
    expected = log_softmax(0.5 * logs[0] + 0.5 * logs[1], axis=1)
    np.testing.assert_allclose(np.log(pooled.predict_proba(test)), expected, atol=1e-4)
    scores = [
        roc_auc_score(y_test, clf.predict_proba(test), multi_class="ovr") for clf in (alone, pooled)
    ]
    assert scores[1] > scores[0]


def test_classes_are_matched_by_name():
    own = np.array(["SNII", "SNIIn", "SNIa", "SNIb", "SNIc"])
    alike = named_alike(own, np.array(["Ia", "SN II", "Ibc", "nova"]))
    assert own[alike[:, 0]].tolist() == ["SNIa"]
    assert own[alike[:, 1]].tolist() == ["SNII", "SNIIn"]
    assert own[alike[:, 2]].tolist() == ["SNIb", "SNIc"]
    assert not alike[:, 3].any()
    # A subtype that is a label itself stands for itself alone.
    assert named_alike(own, np.array(["SNII", "SNIIn"])).sum(axis=0).tolist() == [1, 1]
    assert named_alike(own, np.arange(3)).shape == (5, 3)


def test_a_name_decides_where_labels_are_few_and_not_where_there_are_many():
    rng = np.random.default_rng(1)
    own = rng.integers(0, 2, 4000)
    proba = softmax(4.0 * np.eye(2)[own] + rng.normal(size=(4000, 2)), axis=1)
    wrong = np.eye(2, dtype=bool)[::-1]  # names of the other class
    for n_labels, is_alike in ((4, True), (4000, False)):
        few = slice(0, n_labels)
        joint = match_classes(proba[few], own[few], np.ones(2), 1.0, wrong)
        np.testing.assert_allclose(joint.sum(), 1)
        assert (joint[wrong].sum() > 0.5) == is_alike


def test_the_share_of_the_own_classes_is_learned(parts):
    train, y_train, test, y_test = parts
    options = {**QUICK, "C": 0.1, "features": None, "early": False}
    few = slice(0, 60)
    # Two labels that are drawn by lot cannot be learned, and no more can the match be.
    lot = np.random.default_rng(0).choice(["a", "b"], 60)
    clf = TransferClassifier("ztf+lsst", **options).fit(train[few], lot)
    assert 0.4 < clf.predict_proba(test)[:, 0].mean() < 0.6
    assert clf.predict_proba(test).std() < 0.1
    losses = [
        log_loss(
            y_test,
            TransferClassifier("ztf+lsst", prior_labels=prior, **options)
            .fit(train[few], y_train[few])
            .predict_proba(test),
        )
        for prior in ("auto", 0, 1e9)
    ]
    assert losses[0] < min(losses[1:]) + 0.02


@pytest.mark.slow
def test_nothing_to_pool_with(parts, tmp_path):
    train, y_train = parts[0][:60], parts[1][:60]
    own = LightCurveEncoder(hidden_size=8, latent_size=6, **QUICK).fit(train, y_train)
    redshifts = train.metadata["redshift"].to_numpy()
    without_classes = RedshiftRegressor(clone(own), **QUICK).fit(train, redshifts).encoder_
    saved = without_classes.save(tmp_path / "redshifts.safetensors")
    for encoder in (
        own,
        TransferClassifier(clone(own), **QUICK).fit(train, y_train).encoder_,
        saved,
    ):
        assert TransferClassifier(encoder, C=0.1, **QUICK).fit(train, y_train).C_ == 0.1
        with pytest.raises(ValueError, match=r"prior_labels is for pooling .* has no effect with"):
            TransferClassifier(encoder, prior_labels=0, **QUICK).fit(train, y_train)
