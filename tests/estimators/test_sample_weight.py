"""Sample weights: 0 leaves an object out, k is k copies, in every estimator and mode."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklc import LatentIsolationForest, LightCurveEncoder, RedshiftRegressor, TransferClassifier
from sklc.datasets import load_demo
from sklc.errors import LightCurveError
from sklc.estimators.sample import TrainingSample

QUICK = {"max_epochs": 2, "random_state": 0, "device": "cpu", "verbose": 0}
SMALL = {"hidden_size": 8, "latent_size": 6, **QUICK}

CURVES, CLASSES = load_demo(return_X_y=True)
CURVES, CLASSES = CURVES[:80], CLASSES[:80]
REDSHIFTS = CURVES.metadata["redshift"].to_numpy(dtype=float)

MODELS = {
    "encoder": lambda: LightCurveEncoder(**SMALL),
    "encoder, every epoch": lambda: LightCurveEncoder(early_stopping=False, **SMALL),
    "linear head": lambda: TransferClassifier("ztf", **QUICK),
    "calibrated": lambda: TransferClassifier("ztf", calibrate="temperature", **QUICK),
    "balanced": lambda: TransferClassifier("ztf", class_weight="balanced", **QUICK),
    "dense head": lambda: TransferClassifier("ztf", head_sizes=(8,), **QUICK),
    "fine-tuned": lambda: TransferClassifier("ztf", finetune="all", **QUICK),
    "from scratch": lambda: TransferClassifier(None, **QUICK),
    "kernel": lambda: RedshiftRegressor("ztf", **QUICK),
    "mlp": lambda: RedshiftRegressor("ztf", method="mlp", head_sizes=(4,), **QUICK),
    "knn": lambda: RedshiftRegressor("ztf", method="knn", n_neighbors=9, **QUICK),
    "regressor, fine-tuned": lambda: RedshiftRegressor("ztf", finetune="all", **QUICK),
    "forest": lambda: LatentIsolationForest("ztf", n_estimators=9, **QUICK),
    "forest per class": lambda: LatentIsolationForest(
        "ztf", per_class=True, n_estimators=9, contamination=0.2, **QUICK
    ),
}


def outcome(model):
    for method in ("predict_proba", "score_samples", "transform"):
        if hasattr(model, method):
            return getattr(model, method)(CURVES)
    return np.column_stack([model.predict(CURVES), model.predict_interval(CURVES)])


def fit(name, rows=slice(None), weight=None):
    model = MODELS[name]()
    y = REDSHIFTS if isinstance(model, RedshiftRegressor) else CLASSES
    return model.fit(CURVES[rows], y[rows], sample_weight=weight)


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_weights_are_copies(name):
    plain = outcome(fit(name))
    np.testing.assert_array_equal(outcome(fit(name, weight=np.ones(80))), plain)
    kept = np.arange(80) % 4 > 0
    np.testing.assert_array_equal(
        outcome(fit(name, weight=kept.astype(float))), outcome(fit(name, kept))
    )
    weight = np.arange(80) % 3
    weighted = outcome(fit(name, weight=weight))
    copies = np.random.default_rng(0).permutation(np.repeat(np.arange(80), weight))
    np.testing.assert_array_equal(outcome(fit(name, copies)), weighted)
    assert not np.array_equal(weighted, outcome(fit(name, weight > 0)))


def test_weights_calibrate_the_classes_of_the_weights():
    merge = {"SNIa": ["SNIa"], "SNII": ["SNII"], "SNIb/c": ["SNIb", "SNIc"]}
    clf = TransferClassifier.pretrained("ztf", merge_classes=merge, calibrate="temperature")
    kept = CLASSES != "SNIb/c"
    temperature = clf.fit(CURVES, CLASSES).temperature_
    weighted = clf.fit(CURVES, CLASSES, kept.astype(float)).temperature_
    assert weighted == clf.fit(CURVES[kept], CLASSES[kept]).temperature_ != temperature
    with pytest.raises(ValueError, match="sample_weight is for calibration"):
        RedshiftRegressor.pretrained().fit(CURVES, sample_weight=np.ones(80))


@pytest.mark.parametrize("name", ["encoder", "linear head", "kernel", "forest"])
@pytest.mark.parametrize(
    ("value", "message"),
    [
        (-1.0, r"sample_weight of object 'SIM0007' \(position 7\) is -1\.0 \(1 of 80"),
        (np.nan, r"object 'SIM0007' \(position 7\) is nan"),
        (np.inf, r"object 'SIM0007' \(position 7\) is inf"),
    ],
)
def test_weights_that_cannot_be(name, value, message):
    weight = np.ones(80)
    weight[7] = value
    with pytest.raises(LightCurveError, match=message):
        fit(name, weight=weight)
    for wrong in (np.ones(79), np.ones((80, 1))):
        with pytest.raises(ValueError, match="for 80 light curves: pass one weight per object"):
            fit(name, weight=wrong)
    with pytest.raises(LightCurveError, match="All values of sample_weight are zero"):
        fit(name, weight=np.zeros(80))


def test_positions_in_messages_are_those_of_X():
    y = CLASSES.astype(object)
    y[9] = "TDE"
    weight = np.ones(80)
    weight[:5] = 0
    with pytest.raises(LightCurveError, match=r"'TDE' has one member, .*\(position 9\)"):
        TransferClassifier("ztf", finetune="all", **QUICK).fit(CURVES, y, weight)
    # copies of a single object are several members, which are trained on together
    weight[9] = 3
    assert (
        "TDE" in TransferClassifier("ztf", finetune="all", **QUICK).fit(CURVES, y, weight).classes_
    )


def test_fit_predict_encodes_once(monkeypatch):
    import sklc.estimators.encoder as module

    encoded, real = [], module.encode_latents
    monkeypatch.setattr(
        module, "encode_latents", lambda *a, **k: encoded.append(len(a[2])) or real(*a, **k)
    )
    forest = LatentIsolationForest("ztf", contamination=0.2, **QUICK)
    labels = forest.fit_predict(CURVES)
    assert encoded == [80]
    np.testing.assert_array_equal(labels, forest.predict(CURVES))
    # objects without weight, and copies, are labelled like all others
    rows, weight = np.r_[np.arange(80), 3, 5, 5], np.ones(83)
    weight[:10] = 0
    labels = forest.fit_predict(CURVES[rows], sample_weight=weight)
    np.testing.assert_array_equal(labels, forest.predict(CURVES[rows]))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=2, max_size=30).filter(any), st.randoms())
def test_distinct_objects(weights, random):
    weights, rows = np.array(weights), np.arange(len(weights))
    weighted = TrainingSample.of(CURVES[rows], CLASSES[rows], weights)
    copies = np.repeat(rows, weights)
    order = random.sample(range(len(copies)), len(copies))
    repeated = TrainingSample.of(CURVES[copies[order]], CLASSES[copies[order]], None)
    for sample, given_rows in ((weighted, rows), (repeated, copies[order])):
        kept = sample.copy_of >= 0
        assert sample.weights.sum() == weights.sum()
        np.testing.assert_array_equal(kept, weights[given_rows] > 0)
        np.testing.assert_array_equal(
            given_rows[sample.rows][sample.copy_of[kept]], given_rows[kept]
        )
        np.testing.assert_array_equal(sample.weights, weights[given_rows[sample.rows]])
    if weights.max() > 1:
        np.testing.assert_array_equal(rows[weighted.rows], copies[order][repeated.rows])
    else:  # nothing to add up: everything stays where it was
        np.testing.assert_array_equal(weighted.rows, np.flatnonzero(weights))
        assert weighted.weight is None


def test_other_targets_and_metadata_make_other_objects():
    twice = CURVES[[0, 0, 0]]
    assert len(TrainingSample.of(twice, None, None).rows) == 1
    assert len(TrainingSample.of(twice, np.array([1, 2, 1]), None).rows) == 2
    other = twice.with_metadata(mwebv=[0.1, 0.1, np.nan])
    assert TrainingSample.of(other, None, None).weight.tolist() in ([1, 2], [2, 1])
    untouched = TrainingSample.of(CURVES, CLASSES, np.ones(80))
    assert untouched.curves is CURVES


def test_surveys_belong_to_objects():
    survey = np.where(np.arange(80) % 2, "a", "b")
    encoder = LightCurveEncoder(objective="adversarial", **SMALL)
    kept = np.arange(80) % 5 > 0
    left_out = encoder.fit(CURVES, CLASSES, survey, kept.astype(float)).transform(CURVES)
    fewer = encoder.fit(CURVES[kept], CLASSES[kept], survey[kept]).transform(CURVES)
    np.testing.assert_array_equal(left_out, fewer)
    twice = CURVES[[0, 0, 0]]
    other = np.array(["a", "b", "a"], dtype=object)
    assert len(TrainingSample.of(twice, None, None, other).rows) == 2
    with pytest.raises(LightCurveError, match=r"survey has shape \(79,\) for 80 light curves"):
        encoder.fit(CURVES, CLASSES, survey[:79])
