"""Temperature and prediction sets, and that both are fitted on labels that were not trained on."""

import pickle

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, StratifiedKFold

import sklc
import sklc.estimators.encoder_training as encoder_module
from sklc import LightCurveEncoder, TransferClassifier
from sklc.datasets import load_demo
from sklc.uncertainty import ClassScores, HeldOut, Temperature, prediction_sets

QUICK = {"max_epochs": 2, "random_state": 0, "device": "cpu", "verbose": 0}
# A linear head on the latents of whole light curves, and nothing else.
PLAIN = {"early": False, "features": None, **QUICK}


@pytest.fixture(scope="module")
def parts():
    curves, y = load_demo(return_X_y=True)
    return curves[::2], y[::2], curves[1::2], y[1::2]


@pytest.fixture(scope="module")
def fitted(parts):
    return TransferClassifier("ztf", **QUICK).fit(*parts[:2])


def truth(classifier, y):
    return np.searchsorted(classifier.classes_, y)


def drawn(rng, n, n_classes=4):
    """Logits, and labels drawn from their softmax: perfectly calibrated."""
    logits = rng.normal(0, 1.5, (n, n_classes))
    labels = (softmax(logits, axis=1).cumsum(axis=1) < rng.random((n, 1))).sum(axis=1)
    return logits, labels


def temperature_of(logits, labels, weight=None):
    weight = np.ones(len(labels)) if weight is None else weight
    return Temperature().fit(ClassScores(logits), labels, weight).temperature_


# -- temperature


@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.5])
def test_the_temperature_that_spoiled_the_logits_is_found(temperature):
    logits, labels = drawn(np.random.default_rng(0), 4000)
    assert temperature_of(logits * temperature, labels) == pytest.approx(temperature, rel=0.06)


def test_a_perfect_or_a_useless_classifier_has_a_finite_temperature():
    logits = np.eye(3)[[0, 1, 2, 0]]
    assert temperature_of(logits, np.array([0, 1, 2, 0])) < 0.06
    assert temperature_of(logits, np.array([1, 2, 0, 2])) > 19


def test_weights_of_the_temperature_count():
    logits, labels = drawn(np.random.default_rng(1), 2000)
    spoiled = np.where(np.arange(2000)[:, None] < 1000, logits, 3 * logits)
    first = (np.arange(2000) < 1000).astype(float)
    assert temperature_of(spoiled, labels, first) == pytest.approx(1, rel=0.1)
    assert temperature_of(spoiled, labels, 1 - first) == pytest.approx(3, rel=0.1)


@pytest.mark.slow
def test_temperature_of_the_frozen_encoder_is_cross_fitted(parts):
    train, y_train, test, y_test = parts
    # too weak a penalty: confident beyond what the labels are worth
    params = {"C": 100.0, "prior_labels": 0, **PLAIN}
    plain = TransferClassifier("ztf", **params).fit(train, y_train)
    clf = clone(plain).set_params(calibrate="temperature").fit(train, y_train)
    assert plain.temperature_ == 1
    assert clf.temperature_ > 1.5
    np.testing.assert_allclose(
        clf.decision_function(test), plain.decision_function(test) / clf.temperature_
    )
    np.testing.assert_array_equal(clf.predict(test), plain.predict(test))
    loss, before = (log_loss(y_test, m.predict_proba(test)) for m in (clf, plain))
    assert loss < 0.8 * before
    # as near as can be to the best that a temperature can do on the test part
    best = temperature_of(plain.decision_function(test), truth(clf, y_test))
    assert clf.temperature_ == pytest.approx(best, rel=0.4)
    # from logits of heads that had not seen the labels, by hand
    latent = LightCurveEncoder("ztf").fit(train).transform(train).astype(float)
    logits, y = np.empty((len(y_train), 3)), truth(clf, y_train)
    folds = StratifiedKFold(5, shuffle=True, random_state=clf._seed())
    for rows, held_out in folds.split(y, y):
        mean, scale = latent[rows].mean(axis=0), np.sqrt(latent[rows].var(axis=0).mean())
        head = LogisticRegression(C=100.0, max_iter=1000).fit(
            (latent[rows] - mean) / scale, y[rows]
        )
        logits[held_out] = head.decision_function((latent[held_out] - mean) / scale)
    assert clf.temperature_ == pytest.approx(temperature_of(logits, y), rel=0.02)


RECIPES = {
    "linear": {"encoder": "ztf"},
    "hidden": {"encoder": "ztf", "head_sizes": (8,)},
    "fine-tuned": {"encoder": "ztf", "finetune": "all"},
    "both": {"encoder": "ztf", "finetune": "gru+head", "head_sizes": (8,)},
    "scratch": {"encoder": None},
    "trained first": {"encoder": LightCurveEncoder(hidden_size=8, latent_size=6, **QUICK)},
}


@pytest.mark.slow
@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_calibrates_on_what_it_has_not_seen(recipe, parts):
    train, y_train, test, y_test = (part[:120] for part in parts)
    params = {**RECIPES[recipe], **QUICK, "calibrate": "temperature", "validation_fraction": 0.25}
    clf = TransferClassifier(**params).fit(train, y_train)
    held_out = clf._calibration
    # all of them, or what the encoder held out (a fifth by default), or the classifier
    n_expected = {"linear": 120, "trained first": 24}.get(recipe, 30)
    assert len(held_out.target) == n_expected
    assert clf.temperature_ != 1
    proba = clf.predict_proba(test)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    sets = pickle.loads(pickle.dumps(clf)).predict_set(test, coverage=0.8)
    assert 0.55 < sets[np.arange(120), truth(clf, y_test)].mean() < 0.97


@pytest.mark.slow
def test_objects_to_calibrate_on_are_not_trained_on(parts, monkeypatch):
    train, y_train = parts[0][:120], parts[1][:120]
    seen, real = {}, encoder_module.train_encoder

    def record(curves, targets, rows, held_out, *args, **options):
        seen.update(rows=rows, held_out=held_out)
        return real(curves, targets, rows, held_out, *args, **options)

    monkeypatch.setattr(encoder_module, "train_encoder", record)
    encoder = LightCurveEncoder(hidden_size=8, latent_size=6, **QUICK)
    for model in (encoder, None):
        clf = TransferClassifier(model, calibrate="temperature", **QUICK).fit(train, y_train)
        rows, held_out = seen["rows"], seen["held_out"]
        # exactly the encoder's own validation part, which it stopped early on
        np.testing.assert_array_equal(clf._calibration.target, truth(clf, y_train[held_out]))
        assert sorted([*rows, *held_out]) == list(range(120))


@pytest.mark.slow
def test_calibration_without_spare_labels_is_refused(parts):
    train, y_train = parts[0][:60], parts[1][:60]
    options = {**QUICK, "calibrate": "temperature", "early_stopping": False}
    for params in ({"finetune": "all"}, {"head_sizes": (4,)}, {"encoder": None}):
        clf = TransferClassifier(**{"encoder": "ztf", **params, **options})
        with pytest.raises(ValueError, match=r"held out of training.*early_stopping=True"):
            clf.fit(train, y_train)
        clf.set_params(calibrate=None).fit(train[:20], y_train[:20])
        with pytest.raises(ValueError, match=r"held out of training.*early_stopping=True"):
            clf.predict_set(train)
    # a linear head on a frozen encoder is cross-fitted, and holds nothing out
    assert TransferClassifier("ztf", **options).fit(train, y_train).temperature_ != 1


@pytest.mark.slow
def test_calibration_through_scikit_learn(parts):
    train, y_train, *_ = parts
    grid = GridSearchCV(
        TransferClassifier("ztf", C=10.0, prior_labels=0, **PLAIN),
        {"calibrate": [None, "temperature"]},
        scoring="neg_log_loss",
        cv=3,
    ).fit(train, y_train)
    assert grid.best_params_ == {"calibrate": "temperature"}
    with pytest.raises(ValueError, match=r"named 'isotonic'.*'temperature'.*register_uncertainty"):
        TransferClassifier("ztf", calibrate="isotonic").fit(train, y_train)


# -- prediction sets


@pytest.mark.parametrize("coverage", [0.8, 0.9, 0.95])
@pytest.mark.parametrize("class_conditional", [False, True])
def test_coverage_of_split_conformal_sets(coverage, class_conditional):
    rng = np.random.default_rng(3)
    reached, worst = [], []
    for _ in range(40):
        logits, labels = drawn(rng, 1500)
        proba = softmax(2 * logits, axis=1)  # too confident: no matter
        sets = prediction_sets(
            HeldOut([None], np.zeros(500), logits[:500], labels[:500], np.ones(500)), proba[:500],
            [proba[500:]], np.arange(4), coverage=coverage, class_conditional=class_conditional,
        )  # fmt: skip
        held = sets[np.arange(1000), labels[500:]]
        reached.append(held.mean())
        worst.append([held[labels[500:] == k].mean() for k in range(4)])
    assert np.mean(reached) == pytest.approx(coverage + 0.001, abs=0.006)
    if class_conditional:
        assert np.mean(worst, axis=0) == pytest.approx(np.full(4, coverage + 0.004), abs=0.012)


def test_prediction_sets_by_hand():
    own = np.array([[0.9, 0.1], [0.7, 0.3], [0.4, 0.6], [0.2, 0.8]])
    target, fold = np.array([0, 0, 0, 1]), np.array([0, 1, 0, 1])  # scores .9 .7 .4 .8
    new = [np.array([[0.65, 0.35]]), np.array([[0.75, 0.25]])]

    def sets(coverage, own=own, fold=fold, target=target, weight=None, **options):
        weight = np.ones(4) if weight is None else weight
        held_out = HeldOut([None] * 2, fold, np.log(own), target, weight)
        options = {"class_conditional": False, "coverage": coverage, **options}
        return prediction_sets(held_out, own, new, np.array(["a", "b"]), **options)[0].tolist()

    # "a": .4 <= .65 in fold 0; .7 <= .75 in fold 1: 3 of 5 with itself; "b": 1 of 5
    assert sets(0.5) == [True, False]
    assert sets(0.35) == [False, False]  # .6 is no more than .65
    assert sets(0.8) == [True, False]  # .2 is no more than .2
    with pytest.raises(ValueError, match=r"coverage=0.81 needs at least 5 .* there are 4"):
        sets(0.81)
    with pytest.raises(ValueError, match=r"at least 3 .*of class 'b'.*there are 1.*at most 0.5"):
        sets(0.75, class_conditional=True)
    # an object without weight is as good as left out, and the unit of the weights does not matter
    more = np.r_[own, [[0.1, 0.9]]], np.r_[fold, 1], np.r_[target, 0], np.array([3.0, 3, 3, 3, 0])
    for coverage in (0.35, 0.5, 0.8):
        assert sets(coverage, *more) == sets(coverage)
    with pytest.raises(ValueError, match="there are 4"):
        sets(0.81, *more)
    # unequal weights are worth fewer objects (Kish): 3.5^2 / (3 + 1 / 4)
    with pytest.raises(ValueError, match=r"needs at least 4 .*there are 3\.77"):
        sets(0.8, weight=np.array([1, 1, 1, 0.5]))


@pytest.mark.slow
def test_sets_of_a_fitted_classifier(fitted, parts):
    _, _, test, y_test = parts
    sets = fitted.predict_set(test)
    assert sets.shape == (300, 3)
    assert sets.dtype == bool
    rows = np.arange(300)
    assert sets[rows, truth(fitted, y_test)].mean() == pytest.approx(0.9, abs=0.04)
    wide = fitted.predict_set(test, coverage=0.97)
    assert (sets <= wide).all()
    assert sets.sum() < wide.sum()
    # ambiguous objects have the larger sets
    confidence = fitted.predict_proba(test).max(axis=1)
    assert confidence[wide.sum(axis=1) > 1].mean() < confidence[wide.sum(axis=1) == 1].mean() - 0.1
    np.testing.assert_array_equal(fitted.predict_set(test[5:9]), sets[5:9])
    balanced = fitted.predict_set(test, class_conditional=True)
    for k in range(3):
        assert balanced[truth(fitted, y_test) == k, k].mean() > 0.8


@pytest.mark.slow
def test_coverage_on_real_supernovae(data_dir):
    curves = sklc.LightCurves.from_parquet(data_dir / "ztf_bts")
    label = curves.metadata["class"].to_numpy()
    known = np.isin(label, ["SNIa", "SNII", "SNIb/c"]) & (curves.lengths >= 6)
    curves, y = curves[known], label[known].astype(str)
    reached = []
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(len(y))
        train, test = order[:600], order[600:]
        clf = TransferClassifier("ztf+lsst", C=0.1, **QUICK).fit(curves[train], y[train])
        sets = clf.predict_set(curves[test])
        reached.append(sets[np.arange(len(test)), truth(clf, y[test])].mean())
    assert np.mean(reached) == pytest.approx(0.9, abs=0.02)


# -- a head that is solved exactly, and early stopping


@pytest.mark.slow
def test_early_stopping_has_no_say_over_a_solved_head(parts):
    train, y_train, test, _ = parts
    y = y_train.astype(object)
    y[[7, 8]] = "TDE", "AGN"  # one member each
    fits = [
        TransferClassifier("ztf", calibrate="temperature", early_stopping=stop, **PLAIN)
        for stop in (True, False)
    ]
    first, second = (clf.fit(train, y) for clf in fits)
    assert first.C_ == second.C_
    np.testing.assert_array_equal(first.predict_proba(test), second.predict_proba(test))
    np.testing.assert_array_equal(first.predict_set(test), second.predict_set(test))
    assert first.classes_.tolist() == ["AGN", "SNII", "SNIa", "SNIb/c", "TDE"]
    # all others have their turn in cross-fitting; C is chosen as without the two
    others = np.setdiff1d(np.arange(300), [7, 8])
    assert len(first._calibration.target) == 298
    plain = TransferClassifier("ztf", **PLAIN).fit(train[others], y_train[others])
    assert first.C_ == plain.C_
    with pytest.raises(ValueError, match=r"of class 'AGN'.*there are 0"):
        first.predict_set(test, class_conditional=True)


def test_one_label_of_each_class(parts):
    train, y_train, test, _ = parts
    rows = np.unique(y_train, return_index=True)[1]
    clf = TransferClassifier("ztf+lsst", **QUICK).fit(train[rows], y_train[rows])
    assert clf.C_ == 0.1
    assert clf.predict_proba(test).shape == (300, 3)
    with pytest.raises(ValueError, match="at least two members"):
        clf.predict_set(test)
    with pytest.raises(ValueError, match="every class has a single member"):
        clf.set_params(calibrate="temperature").fit(train[rows], y_train[rows])
