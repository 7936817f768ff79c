"""Several predictions of each object, the scores of their disagreement, and wrong predictions."""

import pickle
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from scipy.stats import entropy
from sklearn.base import clone
from sklearn.metrics import log_loss, roc_auc_score

import sklc
from sklc import TransferClassifier
from sklc.datasets import load_demo
from sklc.networks.samples import EnsembleHead, SliceHead, thinned
from sklc.serving import OnnxModel
from sklc.uncertainty import Bootstrap, SamplingSettings, uncertainty_scores
from sklc.uncertainty.registry import SAMPLING_METHODS

pytestmark = pytest.mark.slow

QUICK = {"max_epochs": 2, "random_state": 0, "device": "cpu", "verbose": 0, "C": 0.1}
FEW = {"n_samples": 4, **QUICK}
SCORES = ("smp", "pv", "bald")
# Every way in which several predictions can be made.
WAYS = {
    "bootstrap": {"uncertainty": "bootstrap"},
    "heads": {"uncertainty": "ensemble"},
    "dropout": {"uncertainty": "mc-dropout", "dropout": 0.2},
    "bootstrap of networks' heads": {"uncertainty": "bootstrap", "finetune": "all"},
    "hidden": {"uncertainty": "ensemble", "head_sizes": (6,), "C": None},
    "hidden dropout": {"uncertainty": "mc-dropout", "head_sizes": (6,), "C": None},
    "networks": {"uncertainty": "ensemble", "finetune": "all"},
    "from scratch": {"uncertainty": "ensemble", "encoder": None, "C": None},
}


@pytest.fixture(scope="module")
def parts():
    curves, y = load_demo(return_X_y=True)
    return curves[::2][:80], y[::2][:80], curves[1::2][:150], y[1::2][:150]


@pytest.fixture(scope="module")
def fitted(parts):
    """Fit each of the ways once."""
    made = {}

    def fit(way):
        if way not in made:
            params = {"encoder": "ztf", **FEW, **WAYS[way]}
            made[way] = TransferClassifier(**params).fit(*parts[:2])
        return made[way]

    return fit


# -- scores


def test_scores_by_hand_and_their_bounds():
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(4), (50, 7))
    mean = p.mean(axis=1)
    np.testing.assert_allclose(uncertainty_scores(p, "smp"), 1 - mean.max(axis=1))
    np.testing.assert_allclose(uncertainty_scores(p, "pv"), p.var(axis=1).mean(axis=1))
    bald = entropy(mean, axis=1) - entropy(p, axis=2).mean(axis=1)
    np.testing.assert_allclose(uncertainty_scores(p, "bald"), bald)
    assert np.all(bald <= entropy(mean, axis=1))
    for score in ("pv", "bald"):
        np.testing.assert_array_equal(uncertainty_scores(p[:, :1], score), 0)
    with pytest.raises(ValueError, match=r"score must be one of \['smp', 'pv', 'bald'\], got 'sm'"):
        uncertainty_scores(p, "sm")


# -- classifiers


@pytest.mark.parametrize("way", WAYS)
def test_every_way(way, parts, fitted, tmp_path):
    _, _, test, y = parts
    clf = fitted(way)
    proba = clf.predict_proba(test)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    scores = {name: clf.predict_uncertainty(test, name) for name in SCORES}
    np.testing.assert_allclose(scores["smp"], 1 - proba.max(axis=1))
    assert all(values.shape == (150,) and np.all(values >= 0) for values in scores.values())
    assert all(values.std() > 0 for values in scores.values())
    assert np.all(scores["bald"] <= entropy(proba, axis=1) + 1e-9)
    if clf.encoder is not None:
        wrong = clf.predict(test) != y
        assert roc_auc_score(wrong, scores["smp"]) > 0.6
    # neither the order of objects nor those beside them matter
    order = np.random.default_rng(0).permutation(150)
    np.testing.assert_array_equal(clf.predict_uncertainty(test[order], "pv"), scores["pv"][order])
    np.testing.assert_array_equal(clf.predict_uncertainty(test[7:8], "pv"), scores["pv"][7:8])
    same = pickle.loads(pickle.dumps(clf))
    np.testing.assert_array_equal(same.predict_uncertainty(test, "bald"), scores["bald"])
    assert clf.predict_set(test, coverage=0.8).shape == (150, 3)
    assert sum(len(p) for p in clf.net_.module_.parameters()) > 0
    if way == "from scratch":  # the others' training improves nothing, which leaves the heads
        with pytest.raises(NotImplementedError, match=r"several networks.*uncertainty=None"):
            clf.to_onnx(tmp_path / "model.onnx")
    else:
        model = OnnxModel(clf.to_onnx(tmp_path / "model.onnx"))
        np.testing.assert_allclose(model.predict_proba(test), proba, atol=1e-5)


@pytest.mark.parametrize("way", ["bootstrap", "dropout", "networks"])
def test_the_seed_decides(way, parts, fitted):
    train, y, test, _ = parts
    clf = fitted(way)
    again = clone(clf).fit(train, y)
    np.testing.assert_array_equal(
        again.predict_uncertainty(test, "pv"), clf.predict_uncertainty(test, "pv")
    )
    other = clone(clf).set_params(random_state=1).fit(train, y)
    assert not np.allclose(
        other.predict_uncertainty(test, "pv"), clf.predict_uncertainty(test, "pv")
    )


def test_one_prediction_is_the_plain_classifier(parts):
    train, y, test, _ = parts
    params = {"random_state": 0, "max_epochs": 2, "verbose": 0, "device": "cpu"}
    one = TransferClassifier(
        "ztf", finetune="all", uncertainty="ensemble", n_samples=1, **params
    ).fit(train, y)
    for score in ("pv", "bald"):
        np.testing.assert_allclose(one.predict_uncertainty(test, score), 0, atol=1e-12)
    # one network of the ensemble is a network like any other
    plain = TransferClassifier("ztf", finetune="all", **params).fit(train, y)
    assert (
        np.corrcoef(one.predict_proba(test).ravel(), plain.predict_proba(test).ravel())[0, 1] > 0.9
    )


def test_an_ensemble_is_not_worse_than_its_members(parts, fitted):
    _, _, test, y = parts
    clf = fitted("bootstrap")
    latent, extra = clf._latents(test)
    each = np.exp(sklc.networks.heads.log_probability_samples(clf.head_, latent, extra))
    losses = [log_loss(y, each[:, number]) for number in range(each.shape[1])]
    assert log_loss(y, clf.predict_proba(test)) <= np.mean(losses)


@pytest.mark.parametrize("calibrate", ["temperature", None])
def test_calibration_of_several_predictions(calibrate, parts):
    train, y, test, _ = parts
    clf = TransferClassifier("ztf", uncertainty="bootstrap", calibrate=calibrate, **FEW)
    clf.fit(train, y)
    assert (clf.temperature_ == 1) == (calibrate is None)
    np.testing.assert_allclose(
        clf.predict_uncertainty(test), 1 - clf.predict_proba(test).max(axis=1)
    )
    assert np.all(clf.predict_uncertainty(test, "bald") >= 0)


def test_weights_are_copies(parts):
    train, y, test, _ = parts
    weight = np.where(np.arange(80) < 20, 2.0, 1.0)
    rows = np.repeat(np.arange(80), weight.astype(int))
    params = {"uncertainty": "bootstrap", "features": None, **FEW}
    weighted = TransferClassifier("ztf", **params).fit(train, y, weight)
    copies = TransferClassifier("ztf", **params).fit(train[rows], y[rows])
    np.testing.assert_allclose(
        weighted.predict_uncertainty(test, "pv"), copies.predict_uncertainty(test, "pv")
    )


def test_metadata_and_unusable_objects(parts):
    train, y, _, _ = parts
    known = train.with_metadata(mwebv=np.linspace(0, 1, 80))
    clf = TransferClassifier(
        "ztf", uncertainty="mc-dropout", metadata_columns=["mwebv"], **FEW
    ).fit(known, y)
    assert clf.predict_uncertainty(known, "pv").std() > 0
    with pytest.warns(sklc.errors.LightCurveWarning, match="cannot be used"):
        found = clf.set_params(min_points=20).predict_uncertainty(known, "pv", on_error="nan")
    assert np.isnan(found).any()
    assert not np.isnan(found).all()


# -- heads


def test_dropped_units_are_those_of_the_latent():
    head = sklc.networks.heads.DenseHead(40, 3, (), 2)
    thin = thinned(head, 0.5, 3)
    lost = (thin.output.weight == 0).all(dim=0)
    assert 8 < lost[:40].sum() < 32
    assert not lost[40:].any()
    kept = ~lost
    torch.testing.assert_close(thin.output.weight[:, :40][:, kept[:40]],
                               2 * head.output.weight[:, :40][:, kept[:40]])  # fmt: skip
    torch.testing.assert_close(thin.output.weight[:, 40:], head.output.weight[:, 40:])
    assert torch.equal(thinned(head, 0.5, 3).output.weight, thin.output.weight)


def test_heads_of_several_latents_read_their_own():
    first, second = (sklc.networks.heads.DenseHead(n, 2) for n in (3, 4))
    head = EnsembleHead([SliceHead(first, 0, 3, 0), SliceHead(second, 3, 7, 0)])
    latent = torch.randn(5, 7)
    expected = (first(latent[:, :3]).softmax(1) + second(latent[:, 3:]).softmax(1)) / 2
    torch.testing.assert_close(head(latent).exp(), expected)


def test_no_class_is_lost_in_resampling():
    @dataclass
    class Data:
        sample_weight: np.ndarray

    class Solver:
        is_exact = False

        def __call__(self, data, seed):
            return data.sample_weight

    settings = SamplingSettings(50, 0.0, 0)
    for weight in (np.ones(3), np.array([1e-6, 1.0, 5.0, 0.0])):
        drawn = np.array(Bootstrap().fit_heads(Data(weight), Solver(), settings))
        assert np.all((drawn > 0) == (weight > 0))
        np.testing.assert_allclose(drawn.sum(axis=1), weight.sum())
        assert drawn[:, 1].std() > 0


# -- what cannot be asked for


class Halves:
    """A method from outside: two heads, on halves of the labels."""

    def fit_heads(self, data, solve, settings):
        from dataclasses import replace

        half = np.arange(len(data.target)) % 2 == 0
        weights = [data.sample_weight * (1e-3 + part) for part in (half, ~half)]
        return [solve(replace(data, sample_weight=weight)) for weight in weights]


def test_methods_from_outside(parts):
    train, y, test, _ = parts
    sklc.register_uncertainty("halves", Halves())
    try:
        clf = TransferClassifier("ztf", uncertainty="halves", **QUICK).fit(train, y)
        assert clf.head_ is not None
        assert clf.predict_uncertainty(test, "pv").std() > 0
        same = TransferClassifier("ztf", uncertainty=Halves(), **QUICK).fit(train, y)
        np.testing.assert_array_equal(same.predict_proba(test), clf.predict_proba(test))
    finally:
        SAMPLING_METHODS.unregister("halves")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"uncertainty": "temperature"}, "set calibrate='temperature'"),
        ({"uncertainty": "bootstrp"}, "Did you mean 'bootstrap'"),
        ({"uncertainty": object()}, "The 'uncertainty' parameter"),
        ({"n_samples": 5}, "n_samples is for several predictions.*uncertainty=None"),
        ({"dropout": 0.5}, "dropout is for several predictions"),
        ({"uncertainty": "bootstrap", "n_samples": 0}, "The 'n_samples' parameter"),
        ({"uncertainty": "mc-dropout", "dropout": 1.0}, "The 'dropout' parameter"),
        ({"uncertainty": "bootstrap", "encoder": None}, "use uncertainty='ensemble'"),
        (
            {"uncertainty": "bootstrap", "finetune": "none", "features": None},
            "uncertainty is for a head that is trained.*finetune='none'",
        ),
    ],
)
def test_what_is_refused(params, message, parts):
    settings = {"max_epochs": 2, "verbose": 0, "encoder": "ztf", **params}
    with pytest.raises(ValueError, match=message):
        TransferClassifier(**settings).fit(*parts[:2])


def test_scores_of_a_single_prediction(parts):
    train, y, test, _ = parts
    clf = TransferClassifier("ztf", features=None, **QUICK).fit(train, y)
    assert clf.predict_uncertainty(test).shape == (150,)
    with pytest.raises(ValueError, match="fit it with uncertainty='bootstrap'"):
        clf.predict_uncertainty(test, "pv")
    with pytest.raises(ValueError, match="score must be one of"):
        clf.predict_uncertainty(test, "entropy")
