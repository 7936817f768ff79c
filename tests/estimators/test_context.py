"""What is known of an object beside its light curve: used where it is there, absent by default."""

import pickle
from functools import partial

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from small import few_folds, weights_with_context  # noqa: F401

from sklc import (
    InputRepresentation,
    LatentIsolationForest,
    LightCurveEncoder,
    LightCurves,
    RedshiftRegressor,
    TransferClassifier,
)
from sklc.context import Context, last_non_detection
from sklc.errors import LightCurveError, LightCurveWarning
from sklc.serving import OnnxModel

Z = {"redshift": "z"}
PHOTOMETRIC = {"redshift": "photo_z", "redshift_err": "photo_z_err"}
EVERYTHING = {**PHOTOMETRIC, "mwebv": "mwebv", "last_non_detection": "last"}


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return weights_with_context(tmp_path_factory.mktemp("weights") / "context.safetensors")


@pytest.fixture(scope="module")
def curves(demo):
    """Sixty light curves with all kinds of context; every third object has none."""
    own, rng = demo[0][:60], np.random.default_rng(0)
    z = own.metadata["redshift"].to_numpy(dtype=float)
    photo_z = np.abs(z + rng.normal(0, 0.03, 60))
    photo_z[::3] = np.nan
    known = ~np.isnan(photo_z)
    first = own.time[own.offsets[:-1]]
    return own.with_metadata(
        photo_z=photo_z,
        photo_z_err=np.where(known, 0.03, np.nan),
        mwebv=np.where(known, 0.05, np.nan),
        last=np.where(known, first - rng.uniform(1, 9, 60), np.nan),
        z=z,
    )


@pytest.fixture(scope="module")
def y(demo):
    return demo[1][:60]


# -- absent, or there


def test_absent_context_changes_nothing_to_the_bit(weights, curves):
    alone = LightCurveEncoder("any-v1").transform(curves)
    assert np.array_equal(LightCurveEncoder(weights).transform(curves), alone)
    told = LightCurveEncoder(weights, context=EVERYTHING).transform(curves)
    assert np.array_equal(told[::3], alone[::3])
    assert (told[1::3] != alone[1::3]).any(axis=1).all()
    assert (told[2::3] != alone[2::3]).any(axis=1).all()


def test_absent_context_changes_no_prediction(weights, curves):
    unknown = curves.with_metadata(photo_z=np.nan, photo_z_err=np.nan)
    for estimator, method in (
        (TransferClassifier, "predict_proba"),
        (RedshiftRegressor, "predict"),
    ):
        alone = getattr(estimator.pretrained("any-v1"), method)(curves)
        told = estimator.pretrained(weights, context=PHOTOMETRIC)
        assert np.array_equal(getattr(told, method)(unknown), alone)
        assert not np.array_equal(getattr(told, method)(curves), alone)


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(st.data())
def test_a_row_depends_on_its_own_context_alone(weights, curves, data):
    mask = st.lists(st.booleans(), min_size=len(curves), max_size=len(curves))
    absent = np.array(data.draw(mask))
    encoder = LightCurveEncoder(weights, context=Z)
    z = curves.metadata["z"].to_numpy()
    told = encoder.transform(curves.with_metadata(z=np.where(absent, np.nan, z)))
    alone, all_told = LightCurveEncoder("any-v1").transform(curves), encoder.transform(curves)
    assert np.array_equal(told, np.where(absent[:, None], alone, all_told))


def test_the_redshift_of_the_metadata_is_not_read_unasked(weights, curves):
    encoder = LightCurveEncoder(weights)
    other = curves.with_metadata(redshift=3.0)
    assert np.array_equal(encoder.transform(other), encoder.transform(curves))


def test_ways_to_write_the_same_context(weights, curves):
    latents = [
        LightCurveEncoder(weights, context=context).transform(
            curves.with_metadata(redshift_err=0.0)
        )
        for context in (
            "redshift",
            ["redshift"],
            np.array(["redshift"]),
            {"redshift": "redshift"},
            {"redshift": "z"},
            ["redshift", "redshift_err"],  # an error of 0 is that of a spectrum
        )
    ]
    assert all(np.array_equal(latent, latents[0]) for latent in latents)


@pytest.mark.parametrize("missing", [np.nan, None, pd.NA])
def test_a_missing_value_of_any_kind_is_absent(weights, curves, missing):
    values = pd.Series([missing] * 30 + [0.1] * 30, index=curves.ids, dtype=object)
    column = values.astype("Float64") if missing is pd.NA else values
    told = LightCurveEncoder(weights, context={"redshift": "host"})
    latent = told.transform(curves.with_metadata(host=column))
    alone = LightCurveEncoder("any-v1").transform(curves)
    assert np.array_equal(latent[:30], alone[:30])
    assert (latent[30:] != alone[30:]).any(axis=1).all()


def test_the_last_non_detection_may_come_from_the_light_curves(weights):
    noise, days = [59000.0, 59004.0], [59007.0, 59009.0, 59012.0, 59015.0]
    rows = {"mjd": [*noise, *days], "flux": [3.0, -8.0, 60.0, 200.0, 300.0, 250.0]}
    frame = pd.DataFrame({**rows, "object_id": "a", "flux_err": 10.0, "band": "ztfr"})
    forced = LightCurves.from_frame(frame)
    alerts = LightCurves.from_frame(frame[2:].assign(object_id="a"))
    representation = InputRepresentation.preset("corroborated")
    assert last_non_detection(forced, representation).tolist() == [59004.0]
    assert np.isnan(last_non_detection(alerts, representation)).all()
    known = Context.of({"last_non_detection": True}).read(forced, representation)
    assert known.undetected_days.tolist() == [3.0]
    itself = LightCurveEncoder(weights, context={"last_non_detection": True})
    column = LightCurveEncoder(weights, context="last_non_detection")
    latent = itself.transform(forced)
    told = alerts.with_metadata(last_non_detection=59004.0)
    np.testing.assert_array_equal(column.transform(told), latent)
    alone = LightCurveEncoder("any-v1").transform(alerts)
    assert np.array_equal(itself.transform(alerts), alone)
    assert not np.array_equal(latent, alone)


# -- estimators


def test_clones_pickles_and_files_keep_it(weights, curves, tmp_path):
    encoder = LightCurveEncoder(weights, context=EVERYTHING)
    latent = encoder.transform(curves)
    saved = LightCurveEncoder(encoder.save(tmp_path / "w.safetensors"), context=EVERYTHING)
    for other in (clone(encoder), pickle.loads(pickle.dumps(encoder)), saved):
        assert np.array_equal(other.transform(curves), latent)
    assert encoder.get_params()["context"] == EVERYTHING


def test_a_search_chooses_it(weights, curves, y):
    pipe = Pipeline([("enc", LightCurveEncoder(weights)), ("knn", KNeighborsClassifier(3))])
    grid = GridSearchCV(pipe, {"enc__context": [None, Z, EVERYTHING]}, cv=2).fit(curves, y)
    assert len(grid.cv_results_["params"]) == 3


@pytest.mark.slow
def test_a_head_is_trained_on_it_and_on_beginnings_with_it(weights, curves, y):
    named = TransferClassifier(weights, context=EVERYTHING, random_state=0).fit(curves, y)
    told = named.predict_proba(curves)
    given_itself = LightCurveEncoder(weights, context=EVERYTHING)
    same = TransferClassifier(given_itself, random_state=0).fit(curves, y)
    assert np.array_equal(same.predict_proba(curves), told)
    assert named.encoder_.context == EVERYTHING
    alone = TransferClassifier(weights, random_state=0).fit(curves, y).predict_proba(curves)
    assert not np.allclose(told, alone)
    early = named.predict_proba(curves.truncate(points=2))
    assert np.isfinite(early).all()


@pytest.mark.parametrize("finetune", ["all", "backbone+head"])
def test_fine_tuning_reads_it(weights, curves, y, finetune):
    settings = {"finetune": finetune, "max_epochs": 1, "anchor": 0.0, "random_state": 0}
    model = TransferClassifier(
        weights, context=Z, early_stopping=False, finetune_learning_rate=0.01, **settings
    ).fit(curves, y)
    before = LightCurveEncoder(weights).net_.module_.context.state_dict()
    after = model.encoder_.net_.module_.context.state_dict()
    changed = any(not np.array_equal(before[name], after[name]) for name in before)
    assert changed == (finetune == "all")
    assert model.predict_proba(curves).shape == (60, 3)


@pytest.mark.slow
def test_a_photometric_redshift_helps_a_regressor(weights, curves):
    known = curves[np.flatnonzero(curves.metadata["photo_z"].notna())]
    z = known.metadata["redshift"].to_numpy(dtype=float)
    told = RedshiftRegressor(weights, context=PHOTOMETRIC, random_state=0).fit(known, z)
    alone = RedshiftRegressor(weights, random_state=0).fit(known, z)
    assert not np.allclose(told.predict(known), alone.predict(known))
    assert RedshiftRegressor.pretrained(weights, context=PHOTOMETRIC).predict(known).min() > 0


def test_a_forest_reads_it_through_its_encoder(weights, curves):
    forest = LatentIsolationForest(LightCurveEncoder(weights, context=Z), random_state=0)
    alone = LatentIsolationForest(LightCurveEncoder(weights), random_state=0)
    scores = [model.fit(curves).anomaly_score(curves) for model in (forest, alone)]
    assert not np.allclose(*scores)


def test_objects_with_impossible_context_can_be_left_out(weights, curves):
    wrong = curves.metadata["z"].to_numpy().copy()
    wrong[[3, 40]] = -99.0
    with pytest.warns(LightCurveWarning, match="stands for a missing value"):
        spoiled = curves.with_metadata(z=wrong)
    encoder = LightCurveEncoder(weights, context=Z)
    with pytest.warns(LightCurveWarning, match="2 of 60"):
        latent = encoder.transform(spoiled, on_error="nan")
    assert np.flatnonzero(np.isnan(latent).any(axis=1)).tolist() == [3, 40]
    kept = np.delete(np.arange(60), [3, 40])
    assert np.array_equal(latent[kept], encoder.transform(curves)[kept])


# -- exported models


@pytest.mark.slow
@pytest.mark.parametrize("context", [None, Z, EVERYTHING])
def test_exported_models_read_it(weights, curves, y, context, tmp_path):
    encoder = LightCurveEncoder(weights, context=context, device="cpu")
    model = OnnxModel(encoder.to_onnx(tmp_path / "encoder.onnx"))
    expected = encoder.transform(curves)
    np.testing.assert_allclose(model.transform(curves), expected, atol=1e-4)
    classifier = TransferClassifier(encoder, random_state=0).fit(curves, y)
    model = OnnxModel(classifier.to_onnx(tmp_path / "classifier.onnx"))
    expected = classifier.predict_proba(curves)
    np.testing.assert_allclose(model.predict_proba(curves), expected, atol=2e-5)
    assert model.context == ({} if context is None else context)


# -- bad input


def spoil(column, value, row=4):
    def change(curves):
        values = curves.metadata[column].to_numpy(dtype=object).copy()
        values[row] = value
        return curves.with_metadata(**{column: values})

    return change


WRONG_VALUES = {
    "a sentinel": (spoil("photo_z", -99.0), "photo_z.*is -99 .*stand for missing"),
    "another sentinel": (spoil("photo_z", -9.0), "photo_z.*SIM.*is -9 "),
    "a redshift beyond all": (spoil("photo_z", 99.0), "between -0.01 and 10"),
    "a negative error": (spoil("photo_z_err", -0.1), "error of a redshift must lie between 0"),
    "a redshift without its error": (spoil("photo_z_err", np.nan), "Give 0 for a redshift from"),
    "text": (spoil("photo_z", "unknown"), "is not numeric"),
    "an infinite redshift": (spoil("photo_z", np.inf), "is infinite for"),
    "negative dust": (spoil("mwebv", -0.2), "mwebv.*number of magnitudes from 0"),
    "too much dust": (spoil("mwebv", 99.0), "mwebv.*is 99"),
    "a non-detection after detections": (spoil("last", 70000.0), "lies after its first detection"),
    "a Julian date": (spoil("last", 2459000.5), "subtract 2400000.5"),
    "no time at all": (spoil("last", -99.0), "must be a time.*at most a century before"),
    "a magnitude for a time": (spoil("last", 20.5), "must be a time"),
}


@pytest.mark.parametrize("name", WRONG_VALUES)
def test_an_impossible_value_is_one_error_that_names_the_object(weights, curves, name):
    change, message = WRONG_VALUES[name]
    encoder = LightCurveEncoder(weights, context=EVERYTHING)
    with pytest.raises(LightCurveError, match=message) as raised:
        encoder.transform(change(curves))
    assert name == "text" or str(curves.ids[4]) in str(raised.value)
    with pytest.raises(LightCurveError, match=message):
        encoder.fit(change(curves))


@pytest.mark.parametrize("dtype", ["float32", "object", "str"])
def test_the_remedy_for_a_placeholder_works(weights, curves, dtype):
    import numpy  # noqa: F401  as in the message

    spoilt = spoil("photo_z", 42.7)(curves).metadata["photo_z"].astype(dtype)
    curves = curves.with_metadata(photo_z=spoilt.to_numpy())
    encoder = LightCurveEncoder(weights, context=PHOTOMETRIC)
    with pytest.raises(LightCurveError) as raised:
        encoder.transform(curves)
    code = str(raised.value).partition("by NaN: ")[2]
    mended = eval(code)
    alone = LightCurveEncoder("any-v1").transform(curves)
    assert np.array_equal(encoder.transform(mended)[4], alone[4])


WRONG_CONTEXTS = [
    ("distance", "does not name what is known of the objects"),
    ({}, "does not name"),
    ([], "does not name"),
    (5, "does not name"),
    ([["redshift"]], "does not name"),
    ({"redshift": 3}, "is not the name of a metadata column"),
    ({"redshift": True}, "is not the name of a metadata column"),
    ({"last_non_detection": False}, "is not the name of a metadata column"),
    ({"redshift_err": "e"}, "without 'redshift'"),
]


@pytest.mark.parametrize(("context", "message"), WRONG_CONTEXTS)
@pytest.mark.parametrize("estimator", [LightCurveEncoder, TransferClassifier, RedshiftRegressor])
def test_a_context_that_means_nothing(weights, curves, estimator, context, message):
    with pytest.raises(ValueError, match=message):
        estimator.pretrained(weights, context=context)
    if estimator is LightCurveEncoder:
        with pytest.raises(ValueError, match=message):
            estimator(weights, context=context).transform(curves)


def test_a_column_that_is_not_there(weights, curves):
    with pytest.raises(LightCurveError, match=r"'host_z' is missing.*with_metadata\(host_z="):
        LightCurveEncoder(weights, context={"redshift": "host_z"}).transform(curves)


def test_a_column_whose_name_is_no_identifier(weights, curves):
    encoder = LightCurveEncoder(weights, context={"redshift": "host z"})
    with pytest.raises(LightCurveError, match=r"with_metadata\(\*\*\{'host z': \.\.\.\}\)"):
        encoder.transform(curves)


def test_weights_without_an_adapter(curves, y):
    message = r"weights='ztf\+lsst' read nothing but the light curves"
    for estimator in (LightCurveEncoder, TransferClassifier):
        with pytest.raises(ValueError, match=message):
            estimator.pretrained("ztf+lsst", context=Z)
    with pytest.raises(ValueError, match=message):
        LightCurveEncoder("ztf+lsst", context=Z).transform(curves)
    with pytest.raises(ValueError, match=message):
        TransferClassifier("ztf+lsst", context=Z).fit(curves, y)
    encoder = LightCurveEncoder("ztf+lsst", context=Z)
    with pytest.raises(ValueError, match=message):
        TransferClassifier(encoder, finetune="none").fit(curves).predict(curves)
    with pytest.raises(ValueError, match=message):
        LatentIsolationForest(encoder).fit(curves)
    z = curves.metadata["redshift"].to_numpy(dtype=float)
    with pytest.raises(ValueError, match=message):
        RedshiftRegressor(LightCurveEncoder("ztf+lsst", context=PHOTOMETRIC)).fit(curves, z)


def test_the_error_names_weights_that_have_one(monkeypatch):
    known = {"weights": {"new-v2": {"context": ["redshift"]}, "ztf-v1": {}}, "aliases": {}}
    monkeypatch.setattr("sklc.estimators.context.manifest", lambda: known)
    with pytest.raises(
        ValueError, match=r"use one of the weights \['new-v2'\], or train"
    ) as raised:
        LightCurveEncoder.pretrained("ztf+lsst", context=Z)
    assert "ztf-v1" not in str(raised.value)


def test_a_network_that_is_trained_reads_none(curves, y):
    for model in (LightCurveEncoder(context=Z), TransferClassifier(None, context=Z)):
        with pytest.raises(ValueError, match=r"^context is for weights .*leave context out"):
            model.fit(curves, y)
    given_itself = TransferClassifier(LightCurveEncoder("any-v1"), context=Z)
    with pytest.raises(ValueError, match="set it on the encoder"):
        given_itself.fit(curves, y)


def test_a_regressor_is_not_told_what_it_predicts(weights, curves):
    z = curves.metadata["redshift"].to_numpy(dtype=float)
    for told in ({"encoder": weights, "context": "redshift"},
                 {"encoder": LightCurveEncoder(weights, context="redshift")}):  # fmt: skip
        with pytest.raises(ValueError, match="was given the redshift itself"):
            RedshiftRegressor(**told).fit(curves, z)
        with pytest.raises(ValueError, match="was given the redshift itself"):
            RedshiftRegressor(**told, finetune="none").fit(curves)
    known = curves.with_metadata(photo_z_err=np.where(np.arange(60) == 4, 0.0, 0.03),
                                 photo_z=z)  # fmt: skip
    model = RedshiftRegressor.pretrained(weights, context=PHOTOMETRIC)
    new = RedshiftRegressor(weights, context=PHOTOMETRIC)
    for method in (partial(model.predict, known), partial(new.fit, known, z)):
        with pytest.raises(LightCurveError, match=r"SIM0004.*nothing to predict"):
            method()
    with pytest.warns(LightCurveWarning):
        assert np.isnan(model.predict(known, on_error="nan")[4])
