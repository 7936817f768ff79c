"""Novelty scores: what belongs to none of the classes."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import log_loss, roc_auc_score
from small import SMALL

import sklc.estimators.novelty
from sklc import LightCurveEncoder, LightCurves, TransferClassifier, stream
from sklc.augment.unknowns import make_unknown
from sklc.datasets import load_demo
from sklc.errors import LightCurveError, LightCurveWarning
from sklc.pretrain import add_novelty
from sklc.serving import OnnxModel
from sklc.weights.file import load_weights

QUICK = {"C": 0.1, "random_state": 0, "device": "cpu"}


@pytest.fixture(scope="module")
def parts():
    curves, y = load_demo(return_X_y=True)
    return curves[::2], y[::2], curves[1::2], y[1::2]


@pytest.fixture(scope="module")
def pretrained(parts, novel_encoder):
    return TransferClassifier(novel_encoder, finetune="none").fit(parts[0])


@pytest.fixture(scope="module")
def path(novel_encoder, tmp_path_factory):
    return novel_encoder.save(tmp_path_factory.mktemp("weights") / "novel.safetensors")


def test_scores_are_probabilities_that_unknown_objects_have_more_of(parts, pretrained):
    known, unknown = parts[2], make_unknown(parts[2], np.random.default_rng(5))[0]
    scores = [pretrained.novelty_score(curves) for curves in (known, unknown)]
    assert all(score.shape == (300,) and score.dtype == float for score in scores)
    score, truth = np.concatenate(scores), np.repeat([0, 1], 300)
    assert score.min() >= 0
    assert score.max() <= 1
    assert roc_auc_score(truth, score) > 0.65
    assert log_loss(truth, score) < 0.67  # that of always saying a half is .693
    # calibrated where half of the objects are unknown
    assert abs(score.mean() - 0.5) < 0.1
    sure = score > np.quantile(score, 0.75)
    assert abs(truth[sure].mean() - score[sure].mean()) < 0.15


def test_scores_do_not_depend_on_the_other_objects(parts, pretrained):
    curves = parts[2][:9]
    score = pretrained.novelty_score(curves)
    np.testing.assert_allclose(pretrained.novelty_score(curves[::-1])[::-1], score, atol=1e-6)
    assert pretrained.novelty_score(curves[:0]).shape == (0,)
    streamed = [s for _, s in stream(pretrained.novelty_score, curves, n_objects=4)]
    np.testing.assert_allclose(np.concatenate(streamed), score, atol=1e-6)


def test_scores_travel_with_the_weights(parts, pretrained, path, tmp_path):
    curves = parts[2][:9]
    score = pretrained.novelty_score(curves)
    for other in (
        TransferClassifier.pretrained(path),
        TransferClassifier.pretrained(LightCurveEncoder(path).save(tmp_path / "b.safetensors")),
        pickle.loads(pickle.dumps(pretrained)),
        clone(pretrained).fit(curves),
    ):
        np.testing.assert_allclose(other.novelty_score(curves), score, atol=1e-6)


@pytest.mark.slow
def test_scores_are_exported(parts, pretrained, novel_encoder, tmp_path):
    curves = parts[2][:9]
    merged = {"Ia": ["SNIa"], "II": ["SNII"]}
    trained = TransferClassifier(novel_encoder, **QUICK).fit(parts[0], parts[1])
    for classifier in (
        pretrained, clone(pretrained).set_params(merge_classes=merged).fit(curves), trained,
    ):  # fmt: skip
        model = OnnxModel(classifier.to_onnx(tmp_path / "model.onnx"))
        np.testing.assert_allclose(
            model.novelty_score(curves), classifier.novelty_score(curves), atol=1e-4
        )
    model = OnnxModel(novel_encoder.to_onnx(tmp_path / "encoder.onnx"))
    np.testing.assert_allclose(
        model.novelty_score(curves), pretrained.novelty_score(curves), atol=1e-4
    )
    model = OnnxModel(LightCurveEncoder("ztf").to_onnx(tmp_path / "older.onnx"))
    with pytest.raises(ValueError, match=r"no output 'novelty': it has \['latent'"):
        model.novelty_score(curves)


def test_classes_that_are_left_out_are_unknown(parts, pretrained):
    curves = parts[2][:50]
    novel, proba = pretrained.novelty_score(curves), pretrained.predict_proba(curves)
    merge = {"Ia": ["SNIa", "SNIax"], "rest": ["AGN", "TDE"]}
    merged = clone(pretrained).set_params(merge_classes=merge).fit(curves)
    named = np.isin(pretrained.classes_, [*merge["Ia"], *merge["rest"]])
    expected = novel + (1 - novel) * proba[:, ~named].sum(axis=1)
    np.testing.assert_allclose(merged.novelty_score(curves), expected, atol=1e-6)
    # shares change probabilities among known classes, and not whether an object is known
    prior = clone(pretrained).set_params(class_prior="magnitude-limited").fit(curves)
    np.testing.assert_allclose(prior.novelty_score(curves), novel, atol=1e-6)


@pytest.mark.slow
def test_a_trained_head_knows_the_classes_that_its_labels_have(parts, pretrained, novel_encoder):
    curves, y, others, _ = parts
    clf = TransferClassifier(novel_encoder, **QUICK).fit(curves, y)
    novel, proba = (pretrained.novelty_score(others), pretrained.predict_proba(others))
    missing = np.isin(pretrained.classes_, ["AGN", "TDE", "SLSN-I"])  # no such labels in the demo
    assert np.all(clf.novelty_score(others) >= novel - 1e-6)
    at_least = novel + (1 - novel) * proba[:, missing].sum(axis=1)
    np.testing.assert_array_less(at_least - 1e-6, clf.novelty_score(others))
    again = pickle.loads(pickle.dumps(clf))
    np.testing.assert_allclose(again.novelty_score(others), clf.novelty_score(others), atol=1e-6)


def test_an_object_that_cannot_be_used_has_no_score(parts, pretrained):
    items = [curve.to_frame() for curve in parts[2][:3]]
    items[1] = items[1].iloc[:0]
    with pytest.raises(LightCurveError, match="position 1"):
        pretrained.novelty_score(items)
    with pytest.warns(LightCurveWarning, match="1 of 3 objects"):
        score = pretrained.novelty_score(items, on_error="nan")
    assert np.isnan(score).tolist() == [False, True, False]


def test_weights_without_a_score_say_which_have_one(parts, monkeypatch, path):
    curves = parts[2][:3]
    with pytest.raises(NotFittedError):
        TransferClassifier().novelty_score(curves)
    older = TransferClassifier.pretrained("ztf")
    with pytest.raises(ValueError, match=r"'ztf' has no novelty score: .*add_novelty\(encoder"):
        older.novelty_score(curves)
    own = sklc.estimators.novelty
    monkeypatch.setattr(own, "manifest", lambda: {"weights": {"ztf": {}, "mine": {}}})
    monkeypatch.setattr(own, "load_weights", lambda n: load_weights(path if n == "mine" else n))
    with pytest.raises(ValueError, match=r"use weights that have one, \['mine'\], or add one"):
        older.novelty_score(curves)


def test_fine_tuned_latents_have_no_score(parts, novel_encoder):
    curves, y = parts[0][:40], parts[1][:40]
    quick = {"max_epochs": 1, "early_stopping": False, "early": False, "verbose": 0, **QUICK}
    clf = TransferClassifier(novel_encoder, finetune="backbone+head", **quick).fit(curves, y)
    with pytest.raises(ValueError, match=r"'backbone\+head' has changed the latents"):
        clf.novelty_score(curves)
    with pytest.raises(ValueError, match="fine-tuned"):
        add_novelty(clf.encoder_, curves)


def test_an_encoder_of_ones_own_learns_it(parts):
    curves, y = parts[0][:100], parts[1][:100]
    own = LightCurveEncoder(**SMALL).fit(curves, y)
    before = own.transform(curves)
    encoder = add_novelty(own, curves, y, random_state=1)
    np.testing.assert_array_equal(encoder.transform(curves), before)
    assert "novelty" not in own.net_.module_.shape.heads
    score = TransferClassifier(encoder, finetune="none").fit(curves).novelty_score(curves)
    again = add_novelty(encoder, curves, y, random_state=1)
    same = TransferClassifier(again, finetune="none").fit(curves).novelty_score(curves)
    np.testing.assert_allclose(same, score, atol=1e-6)
    other = add_novelty(own, curves, y, random_state=2)
    different = TransferClassifier(other, finetune="none").fit(curves).novelty_score(curves)
    assert np.abs(different - score).max() > 1e-3


def test_given_unknown_objects_are_learned(parts):
    curves, y = parts[0], parts[1]
    common, rare = curves[y != "SNIb/c"], curves[y == "SNIb/c"]
    scores = []
    for unknown in (None, rare[::2]):
        encoder = add_novelty(LightCurveEncoder("ztf"), common, unknown=unknown)
        clf = TransferClassifier(encoder, finetune="none").fit(curves)
        scores.append(clf.novelty_score(rare[1::2]).mean())
    assert scores[1] > scores[0]


def test_what_a_score_cannot_be_learned_from(parts):
    curves, y = parts[0][:30], parts[1][:30]
    with pytest.raises(ValueError, match=r"y has shape \(4,\) for 30 light curves"):
        add_novelty("ztf", curves, y[:4])
    with pytest.raises(ValueError, match="n_objects=-5 is too few: ask for at least 20"):
        add_novelty("ztf", curves, n_objects=-5)
    with pytest.raises(LightCurveError, match=r"5 light curves can be used, .* at least 20"):
        add_novelty("ztf", curves[:5])
    with pytest.raises(LightCurveError, match="at least 20 transients"):
        add_novelty("ztf", curves, np.full(30, "AGN"))
    bare = LightCurveEncoder(objective="contrastive", **SMALL)
    bare.fit(curves, y)
    if bare.net_.module_.head is None:
        with pytest.raises(ValueError, match="not trained on classes"):
            add_novelty(bare, curves)


def test_light_curves_without_errors_will_do(parts):
    curves = parts[0][:60]
    bare = LightCurves.from_arrays(
        curves.time, curves.flux, None, curves.band_names, offsets=curves.offsets
    )
    encoder = add_novelty(LightCurveEncoder(**SMALL).fit(bare, parts[1][:60]), bare)
    score = TransferClassifier(encoder, finetune="none").fit(bare).novelty_score(bare)
    assert np.isfinite(score).all()


# -- class shares that weights bring along


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    shares = {"TDE": 0.04, "AGN": 3.0}
    path = tmp_path_factory.mktemp("shares") / "shared.safetensors"
    return LightCurveEncoder("ztf").save(path, class_shares=shares)


def test_shares_travel_with_the_weights(parts, shared, tmp_path):
    curves = parts[2][:20]
    clf, equal = (TransferClassifier.pretrained(shared, class_prior=p) for p in (None, "equal"))
    plain = TransferClassifier.pretrained("ztf").predict_proba(curves)
    np.testing.assert_allclose(equal.predict_proba(curves), plain)
    weight = np.array([{"TDE": 0.04, "AGN": 3.0}.get(name, 1.0) for name in clf.classes_])
    expected = plain * weight / (plain * weight).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(clf.predict_proba(curves), expected, atol=1e-9)
    copy = LightCurveEncoder(shared).save(tmp_path / "copy.safetensors")
    again = TransferClassifier.pretrained(copy).predict_proba(curves)
    np.testing.assert_allclose(again, expected, atol=1e-9)
    model = OnnxModel(clf.to_onnx(tmp_path / "model.onnx"))
    np.testing.assert_allclose(model.predict_proba(curves), expected, atol=1e-4)
    given = TransferClassifier.pretrained(shared, class_prior="magnitude-limited")
    usual = TransferClassifier.pretrained("ztf", class_prior="magnitude-limited")
    np.testing.assert_allclose(given.predict_proba(curves), usual.predict_proba(curves))


def test_merged_classes_are_sums_of_their_parts(parts, shared):
    curves = parts[2][:20]
    clf = TransferClassifier.pretrained(shared)
    supernova = [c for c in clf.classes_ if c.startswith(("SN", "SLSN"))]
    others = [c for c in clf.classes_ if c not in supernova]
    merged = TransferClassifier.pretrained(
        shared, merge_classes={"SN": supernova, "other": others}
    ).predict_proba(curves)
    total = clf.predict_proba(curves)[:, np.isin(clf.classes_, supernova)].sum(axis=1)
    np.testing.assert_allclose(merged[:, 0], total, atol=1e-9)


@pytest.mark.slow
def test_labels_are_learned_from_equal_shares(parts, shared):
    curves, y, others, _ = parts
    probabilities = [
        TransferClassifier(weights, **QUICK).fit(curves, y).predict_proba(others)
        for weights in ("ztf", shared)
    ]
    np.testing.assert_allclose(*probabilities, atol=1e-6)
