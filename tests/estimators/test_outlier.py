"""LatentIsolationForest beyond scikit-learn's common checks."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from small import few_folds  # noqa: F401

from sklc import LatentIsolationForest, LightCurveEncoder
from sklc.datasets import load_demo
from sklc.estimators.class_mixture import ClassMixture, class_shares
from sklc.estimators.outlier_forest import ClassCentres, LatentForest, LatentSpace

QUICK = {"max_epochs": 2, "random_state": 0, "device": "cpu", "verbose": 0}
COLUMNS = ["anomaly_score", "nearest_class", "distance", "rare_class", "rare_probability"]


@pytest.fixture(scope="module")
def demo():
    curves, y = load_demo(return_X_y=True)
    return curves[:240], y[:240]


@pytest.fixture(scope="module")
def parts(demo):
    """Normal objects to learn from and their classes; objects to score, and which are not normal.

    Normal are SNe Ia and Ib/c.
    """
    curves, y = demo
    normal = np.flatnonzero(y != "SNII")
    train, held_out = normal[::2], normal[1::2]
    test = np.concatenate([held_out, np.flatnonzero(y == "SNII")])
    return curves[train], y[train], curves[test], y[test] == "SNII"


@pytest.fixture(scope="module")
def fitted(parts):
    return LatentIsolationForest("ztf+lsst", **QUICK).fit(*parts[:2])


RECIPES = {
    "default": {},
    "published": {"n_components": None, "rare_class_weight": 0},
    "per class": {"per_class": True},
    "head": {"finetune": "head"},
    "gru+head": {"finetune": "gru+head"},
    "all": {"finetune": "all", "per_class": True},
    "from scratch": {"encoder": None, "n_components": None},
    "unfitted encoder": {"encoder": LightCurveEncoder(hidden_size=8, **QUICK)},
    "from scratch, fine-tuned": {"encoder": None, "finetune": "head"},
}


@pytest.mark.slow
@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_repeats_and_follows_the_conventions(parts, recipe):
    train, y, test, is_anomaly = parts
    forest = LatentIsolationForest(**{**QUICK, **RECIPES[recipe]}).fit(train, y)
    scores = forest.anomaly_score(test)
    if recipe in ("default", "published", "per class", "gru+head"):
        assert roc_auc_score(is_anomaly, scores) > (0.9 if recipe == "default" else 0.75)
    assert scores.shape == (len(test),)
    assert scores.dtype == np.float64
    np.testing.assert_array_equal(forest.score_samples(test), -scores)
    decision = forest.decision_function(test)
    np.testing.assert_array_equal(decision, -scores - forest.offset_)
    np.testing.assert_array_equal(forest.predict(test), np.where(decision < 0, -1, 1))
    np.testing.assert_array_equal(clone(forest).fit(train, y).anomaly_score(test), scores)
    again = pickle.loads(pickle.dumps(forest))
    np.testing.assert_array_equal(again.anomaly_score(test), scores)
    # an object's score does not depend on what is scored beside it
    np.testing.assert_allclose(forest.anomaly_score(test[7:9]), scores[7:9], atol=1e-6)


def test_labels_are_optional_for_one_forest(parts, fitted):
    train, _, test, is_anomaly = parts
    unlabelled = LatentIsolationForest("ztf+lsst", **QUICK).fit(train)
    assert roc_auc_score(is_anomaly, unlabelled.anomaly_score(test)) > 0.9
    assert set(unlabelled.classes_) <= set(unlabelled.encoder_.classes_)
    assert "SNII" in unlabelled.rare_classes_
    assert fitted.classes_.tolist() == ["SNIa", "SNIb/c"]
    # labels explain; the score is the same, unless it is of other rare classes
    np.testing.assert_allclose(fitted.anomaly_score(test), unlabelled.anomaly_score(test))


def test_published_method_is_an_isolation_forest_on_latents(parts):
    train, y, test, _ = parts
    forest = LatentIsolationForest("ztf", n_components=None, rare_class_weight=0, **QUICK)
    forest.fit(train, y)
    encoder = LightCurveEncoder.pretrained("ztf")
    plain = IsolationForest(random_state=forest._seed()).fit(encoder.transform(train))
    expected = plain.score_samples(encoder.transform(test))
    np.testing.assert_allclose(forest.score_samples(test), expected, atol=1e-6)
    assert forest.offset_ == -0.5


def test_per_class_takes_the_lowest_score(parts):
    train, y, test, _ = parts
    params = {"n_components": None, "rare_class_weight": 0, **QUICK}
    together = LatentIsolationForest("ztf", per_class=True, **params).fit(train, y)
    alone = [
        LatentIsolationForest("ztf", **params).fit(train[y == name]).anomaly_score(test)
        for name in np.unique(y)
    ]
    np.testing.assert_allclose(together.anomaly_score(test), np.min(alone, axis=0), atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["default", "per class"])
def test_fit_predict_is_fit_and_predict(parts, recipe):
    train, y, *_ = parts
    forest = LatentIsolationForest("ztf", contamination=0.2, **{**QUICK, **RECIPES[recipe]})
    labels = forest.fit_predict(train, y)
    np.testing.assert_array_equal(labels, forest.fit(train, y).predict(train))
    assert np.mean(labels == -1) == pytest.approx(0.2, abs=0.01)
    auto = LatentIsolationForest("ztf", **{**QUICK, **RECIPES[recipe]}).fit(train, y)
    np.testing.assert_array_equal(forest.score_samples(train), auto.score_samples(train))


def test_weight_of_rare_classes(parts):
    train, y, test, is_anomaly = parts
    scores = {
        weight: LatentIsolationForest(rare_class_weight=weight, **QUICK)
        .fit(train, y)
        .anomaly_score(test)
        for weight in (0.0, 1.0, 2.0)
    }
    # linear in the weight
    np.testing.assert_allclose(scores[2.0] - scores[1.0], scores[1.0] - scores[0.0], atol=1e-9)
    assert (scores[0.0] > 0).all()
    assert (scores[0.0] < 1).all()
    assert roc_auc_score(is_anomaly, scores[1.0]) > roc_auc_score(is_anomaly, scores[0.0])


def test_without_rare_classes_the_forest_decides_alone(parts):
    train, y, test, _ = parts
    encoder = LightCurveEncoder(hidden_size=8, **QUICK).fit(train, y)
    weighted = LatentIsolationForest(encoder, rare_class_weight=1.0, **QUICK).fit(train, y)
    alone = LatentIsolationForest(encoder, rare_class_weight=0.0, **QUICK).fit(train, y)
    assert weighted.rare_classes_.tolist() == []
    np.testing.assert_array_equal(weighted.anomaly_score(test), alone.anomaly_score(test))
    told = weighted.explain(test)
    assert told["rare_class"].isna().all()
    assert told["rare_probability"].isna().all()


def test_explain(parts, fitted):
    *_, test, is_anomaly = parts
    told = fitted.explain(test)
    assert told.columns.tolist() == COLUMNS
    assert told.index.tolist() == list(test.ids)
    np.testing.assert_array_equal(told["anomaly_score"], fitted.anomaly_score(test))
    assert set(told["nearest_class"]) == {"SNIa", "SNIb/c"}
    assert set(told["rare_class"]) <= set(fitted.rare_classes_)
    assert told["rare_probability"].between(0, 1).all()
    # supernovae II were simulated, and none was among the normal objects
    assert (told["rare_class"][is_anomaly] == "SNII").mean() > 0.7
    assert told["rare_probability"][is_anomaly].median() > 0.5
    assert told["rare_probability"][~is_anomaly].median() < 0.1
    assert told["distance"][is_anomaly].median() > told["distance"][~is_anomaly].median()


def test_distance_is_typically_one_and_the_nearest_class_right(parts, fitted):
    train, y, *_ = parts
    told = fitted.explain(train)
    assert (told["nearest_class"] == y).mean() > 0.85
    assert told["distance"].median() == pytest.approx(1, abs=0.05)


# -- what is wrong


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"per_class": True}, "per_class=True grows a forest"),
        ({"finetune": "head"}, "finetune='head' trains a classifier"),
        ({"encoder": None}, "neither weights nor a fit"),
        ({"encoder": LightCurveEncoder()}, "neither weights nor a fit"),
    ],
)
def test_labels_that_are_required(parts, params, reason):
    forest = LatentIsolationForest(**{**QUICK, **params})
    with pytest.raises(ValueError, match=rf"requires y to be passed.*{reason}"):
        forest.fit(parts[0])
    assert forest.__sklearn_tags__().target_tags.required
    if forest.finetune != "none" or params.get("encoder", "") != "":
        with pytest.raises(ValueError, match="LatentIsolationForest needs at least two classes"):
            forest.fit(parts[0], ["SNIa"] * len(parts[0]))


# -- parts


@pytest.fixture
def confused():
    """Log probabilities of a classifier that confuses three classes, of which c is not there."""
    rng = np.random.default_rng(0)
    truth = rng.choice(3, size=2000, p=[0.8, 0.2, 0.0])
    confusion = np.array([[0.75, 0.05, 0.2], [0.1, 0.8, 0.1], [0.2, 0.1, 0.7]])
    # What is observed is a symbol; its posterior under equal priors is a column of the confusion.
    symbol = np.array([rng.choice(3, p=confusion[k]) for k in truth])
    posterior = (confusion / confusion.sum(axis=0)).T
    return np.log(posterior[symbol])


def test_shares_see_through_confusion(confused):
    counted = np.bincount(confused.argmax(axis=1), minlength=3) / len(confused)
    assert counted[2] > 0.15
    shares = class_shares(confused)
    np.testing.assert_allclose(shares, [0.8, 0.2, 0.0], atol=0.03)
    assert shares.sum() == pytest.approx(1)
    assert (shares > 0).all()


def test_mixture(confused):
    mixture = ClassMixture.estimate(np.array(["a", "b", "c"]), confused, None)
    assert mixture.rare.tolist() == ["c"]
    certain = np.log(np.array([[0.98, 0.01, 0.01], [0.01, 0.98, 0.01], [0.01, 0.01, 0.98]]))
    assert mixture.log_ratio(certain).argmax() == 2
    names, probability = mixture.most_probable_rare(certain)
    assert names.tolist() == ["c"] * 3
    np.testing.assert_allclose(probability, [0.01, 0.01, 0.98])
    assert mixture.most_probable_normal(certain).tolist() == ["a", "b", "a"]


def test_a_class_of_a_rare_label_is_normal():
    log_probabilities = np.log(np.repeat([[0.98, 0.01, 0.01], [0.01, 0.98, 0.01]], [996, 4], 0))
    y = np.repeat(["first", "second"], [996, 4])
    classes = np.array(["a", "b", "c"])
    assert ClassMixture.estimate(classes, log_probabilities, None).rare.tolist() == ["b", "c"]
    assert ClassMixture.estimate(classes, log_probabilities, y).rare.tolist() == ["c"]


def test_whitening_finds_what_hides_behind_large_scales():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(500, 6)) * [300, 100, 30, 10, 3, 1]
    odd = X[:50] + [0, 0, 0, 0, 0, 8.0]
    rotation = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    scores = {}
    for n_components in (None, 6):
        space = LatentSpace(n_components).fit(X[50:] @ rotation, None)
        forest = LatentForest(IsolationForest(random_state=0))
        forest.fit(space.transform(X[50:] @ rotation, None), None)
        test = space.transform(np.concatenate([X[:50], odd]) @ rotation, None)
        scores[n_components] = roc_auc_score(np.repeat([0, 1], 50), forest.anomaly_score(test))
    assert scores[6] > 0.85
    assert scores[None] < 0.65


def test_centres():
    X = np.array([[0.0, 0.0], [2.0, 0.0], [10.0, 0.0], [12.0, 0.0]])
    centres = ClassCentres().fit(X, np.array(["a", "a", "b", "b"]))
    nearest, distance = centres.nearest(np.array([[1.0, 3.0], [11.0, 0.0]]))
    assert nearest.tolist() == ["a", "b"]
    np.testing.assert_allclose(distance, [3.0, 0.0])
    alone = ClassCentres().fit(X[:2], np.array(["a", "b"]))
    np.testing.assert_allclose(alone.nearest(X[2:3])[1], [8.0])
