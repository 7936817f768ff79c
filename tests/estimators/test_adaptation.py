"""Objects without labels, and what is learned from them about another survey."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from torch.nn.functional import normalize

from sklc import TransferClassifier
from sklc.datasets import load_demo
from sklc.errors import LightCurveError, LightCurveWarning
from sklc.estimators.adaptation import LatentAdapter, MinimaxEntropy
from sklc.estimators.unlabelled import Surveys, is_unlabelled
from sklc.light_curves import LightCurves
from sklc.networks.adaptation import UNLABELLED, AdaptationLoss, CosineHead, Discriminator
from sklc.networks.objectives.adversarial import adversarial_share

QUICK = {"max_epochs": 2, "random_state": 0, "device": "cpu", "verbose": 0}
PLAIN = {"features": None, "C": 0.1, "early": False, **QUICK}
METHODS = ["standardize", "minimax-entropy", "adversarial"]
pytestmark = pytest.mark.filterwarnings("ignore:Class shares")


def of_another_survey(curves):
    """The same objects, ten times fainter and slower, in the passbands of another survey."""
    frame = curves.to_frame()
    frame["mjd"] = 59000 + 1.4 * (frame["mjd"] - frame["mjd"].min())
    frame["band"] = frame["band"].astype(str).str.replace("ztf", "lsst")
    frame[["flux", "flux_err"]] *= 0.1
    return LightCurves.from_frame(frame).with_metadata(survey=["LSST"] * len(curves))


@pytest.fixture(scope="module")
def data():
    """Objects of ZTF with labels, of LSST without them, and of LSST for a test."""
    curves, y = load_demo(return_X_y=True)
    source = curves[:60].with_metadata(survey=["ZTF"] * 60)
    other = of_another_survey(curves[60:160])
    return source, y[:60], other[:60], y[60:120], other[60:], y[120:160]


@pytest.fixture(scope="module")
def mixed(data):
    source, y, others, _, test, _ = data
    both = LightCurves.concatenate([source, others])
    labels = np.append(y.astype(object), np.full(len(others), -1, dtype=object))
    return both, labels, test


# -- which objects have no label


@pytest.mark.parametrize(
    "y",
    [
        np.array(["Ia", -1, "II", "II"], dtype=object),
        np.array(["Ia", "-1", "II", "II"]),
        ["Ia", None, "II", "II"],
        ["Ia", np.nan, "II", "II"],
        pd.Series(["Ia", pd.NA, "II", "II"], dtype="string"),
        np.array([0, -1, 1, 1]),
        np.array([0.0, -1.0, 1.0, 1.0]),
        np.array([0.0, np.nan, 1.0, 1.0]),
    ],
    ids=str,
)
def test_labels_that_stand_for_none(y):
    np.testing.assert_array_equal(is_unlabelled(y), [False, True, False, False])


@pytest.mark.slow
def test_all_conventions_are_one(mixed, data):
    curves, y, test = mixed
    fitted = TransferClassifier("ztf", adaptation="standardize", **PLAIN).fit(curves, y)
    proba = fitted.predict_proba(test)
    none = np.array([None if label == -1 else label for label in y], dtype=object)
    as_series = pd.Series(y, index=curves.ids)
    for labels in (none, as_series, y.astype(str)):
        again = clone(fitted).fit(curves, labels)
        np.testing.assert_array_equal(again.classes_, fitted.classes_)
        np.testing.assert_array_equal(again.predict_proba(test), proba)
    apart = clone(fitted).fit(data[0], data[1], X_target=data[2])
    np.testing.assert_allclose(apart.predict_proba(test), proba, atol=1e-6)
    numbers = np.unique(data[1], return_inverse=True)[1]
    coded = clone(fitted).fit(curves, np.append(numbers, np.full(len(data[2]), -1)))
    assert coded.classes_.tolist() == [0, 1, 2]


def test_unlabelled_objects_without_a_method(mixed, data):
    curves, y, _ = mixed
    clf = TransferClassifier("ztf", **PLAIN)
    for labels in (y, y.astype(str), np.append(np.arange(60) % 3, np.full(60, -1))):
        with pytest.raises(LightCurveError, match=r"as unlabelled.*set adaptation='standardize'"):
            clf.fit(curves, labels)
    with pytest.raises(LightCurveError, match="y contains NaN or None"):
        clf.fit(curves, [None if label == -1 else label for label in y])
    with pytest.raises(ValueError, match="X_target has no effect with adaptation=None"):
        clf.fit(*data[:2], X_target=data[2])
    # -1 beside one other number is a class, as everywhere in scikit-learn
    two = TransferClassifier("ztf", **PLAIN).fit(data[0], np.where(data[1] == "SNIa", 1, -1))
    assert two.classes_.tolist() == [-1, 1]


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"encoder": None}, ValueError, "adaptation='standardize' is for a trained encoder"),
        ({"finetune": "none", "features": None}, ValueError, "has no effect with finetune='none'"),
        ({"adaptation": "coral"}, ValueError, "The 'adaptation' parameter"),
    ],
)
def test_where_nothing_can_be_adapted(mixed, params, error, message):
    settings = {"encoder": "ztf", "adaptation": "standardize", **QUICK, **params}
    with pytest.raises(error, match=message):
        TransferClassifier(**settings).fit(*mixed[:2])


def test_labels_and_surveys_that_cannot_be_used(mixed, data):
    curves, y, _ = mixed
    clf = TransferClassifier("ztf", adaptation="standardize", **PLAIN)
    with pytest.raises(LightCurveError, match="All labels in y are -1"):
        clf.fit(curves, np.full(len(y), -1))
    with pytest.raises(ValueError, match="y holds one class"):
        clf.fit(curves, np.where(np.arange(len(y)) < 60, 1, -1))
    with pytest.raises(ValueError, match="inconsistent numbers"):
        clf.fit(curves, y[:-1])
    bare = LightCurves.from_frame(data[2].to_frame().drop(columns="survey", errors="ignore"))
    with pytest.raises(LightCurveError, match="'survey' is missing in X_target"):
        clf.fit(data[0], data[1], X_target=bare)
    some = np.array(["ZTF"] * 60 + [""] * 60, dtype=object)
    with pytest.raises(LightCurveError, match=r"survey of .* is missing.*60 of 60"):
        clf.fit(curves.with_metadata(survey=some), y)
    with pytest.raises(ValueError, match="weight of MinimaxEntropy must be above 0"):
        MinimaxEntropy(0.0)


# -- surveys


def test_surveys_are_told_by_metadata_by_target_or_by_passbands(data):
    source, y, others, _, test, _ = data
    plain = [LightCurves.from_frame(part.to_frame().drop(columns="survey", errors="ignore"))
             for part in (source, others, test)]  # fmt: skip
    clf = TransferClassifier("ztf", adaptation="standardize", **PLAIN)
    by_name = clone(clf).fit(source, y, X_target=others)
    assert by_name._adapters[0].surveys == Surveys(("LSST", "ZTF"), "metadata")
    by_target = clone(clf).fit(plain[0], y, X_target=plain[1])
    assert by_target._adapters[0].surveys == Surveys(("source", "target"), "X_target")
    both = LightCurves.concatenate(plain[:2])
    labels = np.append(y.astype(object), np.full(60, None))
    by_band = clone(clf).fit(both, labels)
    assert by_band._adapters[0].surveys == Surveys(("LSST", "ZTF"), "passbands")
    proba = by_name.predict_proba(test)
    for model in (by_target, by_band):
        np.testing.assert_allclose(model.predict_proba(plain[2]), proba, atol=1e-6)
    # what is not said to be of the source is of the target
    as_source = by_target.predict_proba(plain[2].with_metadata(survey=["source"] * 40))
    assert np.abs(as_source - by_target.predict_proba(plain[2])).max() > 0.01
    with pytest.raises(LightCurveError, match="'survey', and these light curves have none"):
        by_name.predict(plain[2])
    foreign = test.with_metadata(survey=["PS1"] + ["LSST"] * 39)
    with pytest.raises(LightCurveError, match=r"is 'PS1', and this classifier was adapted to"):
        by_name.predict(foreign)
    with pytest.warns(LightCurveWarning, match="1 of 40"):
        found = by_name.predict_proba(foreign, on_error="nan")
    assert np.isnan(found).all(axis=1).tolist() == [True] + [False] * 39


def test_scaling_by_hand():
    rng = np.random.default_rng(0)
    source = rng.normal(2, [1, 3], (4000, 2))
    target = rng.normal([5, -1], [2, 1.5], (4000, 2))
    index = np.repeat([0, 1], 4000)
    surveys = Surveys(("a", "b"), "metadata")
    adapter = LatentAdapter.of(surveys, np.concatenate([source, target]), index, 0)
    np.testing.assert_allclose(adapter(source, index[:4000]), source, atol=1e-5)
    moved = adapter(target, index[4000:])
    np.testing.assert_allclose(moved.mean(axis=0), source.mean(axis=0), atol=0.02)
    np.testing.assert_allclose(moved.std(axis=0), source.std(axis=0), rtol=0.02)
    # few objects hardly say where a survey lies, and none nothing
    few = LatentAdapter.of(surveys, np.concatenate([source, target[:1]]), index[:4001], 0)
    assert np.all(np.abs(few.mean[1] - few.centre) < 1)
    none = LatentAdapter.of(surveys, source, index[:4000], 0)
    np.testing.assert_allclose(none(source, index[4000:]), source, atol=1e-5)


# -- methods


@pytest.mark.parametrize(
    ("adaptation", "finetune"),
    [
        *((method, "head") for method in METHODS),
        pytest.param("standardize", "all", marks=pytest.mark.slow),
        pytest.param("minimax-entropy", "all", marks=pytest.mark.slow),
        ("adversarial", "all"),
    ],
)
def test_every_method(adaptation, finetune, mixed, data):
    curves, y, test = mixed
    params = {**PLAIN, "finetune": finetune, "calibrate": "temperature"}
    clf = TransferClassifier("ztf", adaptation=adaptation, **params).fit(curves, y)
    proba = clf.predict_proba(test)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    assert clf.classes_.tolist() == np.unique(data[1]).tolist()
    np.testing.assert_array_equal(clone(clf).fit(curves, y).predict_proba(test), proba)
    same = pickle.loads(pickle.dumps(clf))
    np.testing.assert_array_equal(same.predict_proba(test), proba)
    order = np.random.default_rng(0).permutation(len(test))
    np.testing.assert_array_equal(clf.predict_proba(test[order]), proba[order])
    assert clf.predict_set(test, coverage=0.8).any()
    plain = TransferClassifier("ztf", **params).fit(data[0], data[1])
    assert np.abs(plain.predict_proba(test) - proba).max() > 0.01
    with pytest.raises(NotImplementedError, match="adapted to surveys"):
        clf.to_onnx("never.onnx")


@pytest.mark.slow
def test_with_all_that_a_head_may_have(mixed):
    curves, y, test = mixed
    clf = TransferClassifier(
        "ztf", adaptation="minimax-entropy", uncertainty="bootstrap", n_samples=3, **QUICK
    ).fit(curves.with_metadata(mwebv=np.linspace(0, 1, len(curves))), y)
    assert clf.predict_uncertainty(test, "pv").std() > 0
    networks = TransferClassifier(
        "ztf", adaptation="standardize", uncertainty="ensemble", n_samples=2, finetune="all",
        **PLAIN,
    ).fit(curves, y)  # fmt: skip
    assert networks.predict_uncertainty(test, "bald").std() > 0


def test_prototypes_and_latents_are_pulled_in_opposite_directions():
    torch.manual_seed(0)
    head, loss = CosineHead(5, 3), AdaptationLoss(1.0)
    latent = torch.randn(8, 5, requires_grad=True)
    targets = {"y": torch.full((8,), UNLABELLED), "sample_weight": torch.zeros(8)}

    def entropy(latent, prototypes):
        p = (normalize(latent, dim=1) @ prototypes.T / 0.05).softmax(dim=1)
        return float(-(p * p.clamp(min=1e-30).log()).sum(dim=1).mean())

    loss(head(latent, targets["y"] < 0, 0.0), targets).backward()
    prototypes, start = head.prototypes.weight, 1e-3
    now = entropy(latent, prototypes)
    assert entropy(latent - start * latent.grad, prototypes) < now
    assert entropy(latent, prototypes - start * prototypes.grad) > now
    # labelled objects are not reversed, and do not count in the entropy
    targets["y"] = torch.arange(8) % 3
    outputs = head(latent, targets["y"] < 0, 0.0)
    expected = torch.nn.functional.cross_entropy(outputs[0], targets["y"])
    torch.testing.assert_close(loss(outputs, {**targets, "sample_weight": torch.ones(8)}), expected)


def test_latents_are_trained_against_the_discriminator():
    torch.manual_seed(0)
    head, loss = Discriminator(5, 3, 2), AdaptationLoss(2.0)
    latent = torch.randn(8, 5, requires_grad=True)
    targets = {
        "y": torch.full((8,), UNLABELLED),
        "sample_weight": torch.zeros(8),
        "survey": torch.arange(8) % 2,
    }
    gradients = []
    for progress in (0.0, 1.0):
        latent.grad = None
        loss(head(latent, targets["y"] < 0, progress), targets).backward()
        gradients.append(latent.grad.clone())
    assert not gradients[0].any()  # surveys are told apart first
    told = torch.nn.functional.cross_entropy(head.survey(latent), targets["survey"])
    (direct,) = torch.autograd.grad(told, latent)
    torch.testing.assert_close(gradients[1], -2 * direct * adversarial_share(1.0))


def test_shares_that_differ_are_told(data):
    source, y, others, _, _, _ = data
    clf = TransferClassifier("ztf", adaptation="standardize", **PLAIN)
    one_class = source[np.flatnonzero(y == "SNII")].with_metadata(survey="again")
    with pytest.warns(LightCurveWarning, match=r"Class shares.*'SNII' has .*% of the labels"):
        clf.fit(source, y, X_target=LightCurves.concatenate([one_class, others[:25]]))
    with warnings.catch_warnings():
        warnings.simplefilter("error", LightCurveWarning)
        clf.fit(source, y, X_target=source.with_metadata(survey=["again"] * 60))


def test_search_and_score_over_objects_without_labels(mixed, data):
    curves, y, _ = mixed
    grid = GridSearchCV(
        TransferClassifier("ztf", **PLAIN), {"adaptation": ["standardize", "minimax-entropy"]},
        cv=2, error_score="raise",
    ).fit(curves, y.astype(str))  # fmt: skip
    # objects without a label do not count in the score
    assert grid.best_score_ > 0.4
    best = grid.best_estimator_
    assert best.score(curves, y) == best.score(data[0], data[1])
