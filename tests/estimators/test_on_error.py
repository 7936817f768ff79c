"""One object that cannot be used costs its own row, in every method that predicts."""

import inspect
import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from sklc import (
    LatentIsolationForest,
    LightCurveEncoder,
    LightCurves,
    RedshiftRegressor,
    TransferClassifier,
)
from sklc.augment.transformers import DetectionsOnly
from sklc.errors import LightCurveError, LightCurveWarning
from sklc.features import LightCurveFeatures
from sklc.light_curves import unusable
from sklc.networks.architectures import Transformer
from sklc.serving import OnnxModel

CLASSES = [
    LightCurveEncoder,
    TransferClassifier,
    RedshiftRegressor,
    LatentIsolationForest,
    LightCurveFeatures,
    OnnxModel,
]
# What learns, or compares with known values: there, an object that is left out must be seen. What
# predicts observations has no row of an object.
NOT_PREDICTING = {"fit", "fit_transform", "score", "reconstruct"}


def predicting(cls):
    """Names of the public methods that take X and return something for each object."""
    for name, method in inspect.getmembers(cls, callable):
        if name.startswith("_") or name in NOT_PREDICTING:
            continue
        parameters = list(inspect.signature(method).parameters)
        if parameters[1:2] == ["X"]:
            yield name


METHODS = [(cls, name) for cls in CLASSES for name in predicting(cls)]


def items_of(curves):
    """One array for each object."""
    return [np.column_stack([c.time, c.flux, c.flux_err, c.wavelength]) for c in curves]


@pytest.fixture(scope="module")
def spoilt(demo):
    """Eight objects, of which the first, third and last cannot be used."""
    items = items_of(demo[0][:8])
    items[0], items[2] = None, items[2].copy()
    items[2][1, 1] = np.nan
    items[7] = items[7][:0]
    return items


BAD, USABLE = [0, 2, 7], [1, 3, 4, 5, 6]


@pytest.fixture(scope="module")
def models(demo, novel_encoder, tmp_path_factory):
    curves, y = demo
    classifier = TransferClassifier(novel_encoder, C=0.1, random_state=0).fit(curves, y)
    path = classifier.to_onnx(tmp_path_factory.mktemp("onnx") / "classifier.onnx")
    return {
        LightCurveEncoder: LightCurveEncoder.pretrained("ztf"),
        TransferClassifier: classifier,
        RedshiftRegressor: RedshiftRegressor.pretrained(),
        LatentIsolationForest: LatentIsolationForest("ztf", n_estimators=10, random_state=0).fit(
            curves
        ),
        LightCurveFeatures: LightCurveFeatures(bands=["ztfg"]).fit(curves[:20]),
        OnnxModel: OnnxModel(path),
        (LightCurveEncoder, "expert_usage"): LightCurveEncoder(
            architecture=Transformer(hidden_size=8, n_heads=2, feedforward_size=8, experts=2),
            max_epochs=1, random_state=0, device="cpu",
        ).fit(curves[:40], y[:40]),
        (RedshiftRegressor, "predict_uncertainty"): RedshiftRegressor(
            uncertainty="bootstrap", n_samples=3, features=None, early=False, random_state=0
        ).fit(curves[:60], curves.metadata["redshift"][:60]),
    }  # fmt: skip


@pytest.fixture
def call(models):
    def call(cls, name, X, **options):
        arguments = ["latent"] if name == "run" else []
        return getattr(models.get((cls, name), models[cls]), name)(X, *arguments, **options)

    return call


def test_every_method_has_the_argument():
    assert {name for _, name in METHODS} == {
        "transform", "predict", "predict_proba", "predict_set", "decision_function", "run",
        "predict_interval", "predict_quantiles", "score_samples", "anomaly_score", "explain",
        "fit_predict", "novelty_score", "predict_uncertainty", "expert_usage",
    }  # fmt: skip
    for cls, name in METHODS:
        parameter = inspect.signature(getattr(cls, name)).parameters["on_error"]
        assert (parameter.kind, parameter.default) == (inspect.Parameter.KEYWORD_ONLY, "raise")


@pytest.mark.parametrize(("cls", "name"), METHODS)
def test_bad_objects_cost_their_own_rows(cls, name, spoilt, call):
    usable = [spoilt[k] for k in USABLE]
    # An object without observations has features: it has 0 observations.
    n_failed = 2 if cls is LightCurveFeatures else 3
    bad = BAD[:n_failed]
    with pytest.raises(LightCurveError, match="position 0"):
        call(cls, name, spoilt)
    with pytest.warns(
        LightCurveWarning, match=f"^{n_failed} of 8 objects cannot be used"
    ) as caught:
        rows = call(cls, name, spoilt, on_error="nan")
    assert [w.filename for w in caught] == [__file__]
    failures = caught[0].message.failures
    assert failures.index.tolist() == bad
    pd.testing.assert_frame_equal(failures, unusable(spoilt)[:n_failed])
    expected = call(cls, name, usable)
    if isinstance(rows, pd.DataFrame):
        assert rows.index.tolist() == list(range(8))
        assert rows.iloc[bad].isna().all(axis=None)
        alike = rows.iloc[USABLE].set_axis(expected.index)
        pd.testing.assert_frame_equal(alike, expected, check_dtype=False)
        return
    assert rows.shape == (8, *expected.shape[1:])
    np.testing.assert_array_equal(rows[USABLE], expected)
    assert not rows[bad].any() if name == "predict_set" else pd.isna(rows[bad]).all()
    for k in USABLE[:2]:  # and as each of them alone
        if name != "fit_predict":
            alone = call(cls, name, [spoilt[k]])[0]
            if name == "expert_usage":  # whose sums over padding round
                np.testing.assert_allclose(rows[k], alone, rtol=0, atol=1e-6)
            else:
                np.testing.assert_array_equal(rows[k], alone)


@pytest.mark.parametrize(("cls", "name"), METHODS)
def test_types_do_not_depend_on_whether_there_are_bad_objects(cls, name, spoilt, call):
    usable = [spoilt[k] for k in USABLE]
    with warnings.catch_warnings(action="error", category=LightCurveWarning):
        without = call(cls, name, usable, on_error="nan")
    with pytest.warns(LightCurveWarning):
        rows = call(cls, name, spoilt, on_error="nan")
    if not isinstance(rows, pd.DataFrame):
        assert rows.dtype == without.dtype


@pytest.mark.parametrize(("cls", "name"), METHODS)
def test_no_usable_object_and_another_policy(cls, name, call):
    with pytest.raises(ValueError, match='on_error must be "raise" or "nan", got'):
        call(cls, name, [None], on_error="drop")
    if name == "fit_predict":
        return
    with pytest.warns(LightCurveWarning, match="2 of 2 objects"):
        rows = call(cls, name, [None, np.empty((1, 9))], on_error="nan")
    assert len(rows) == 2
    assert not rows.any() if name == "predict_set" else pd.isna(rows).all(axis=None)


@pytest.mark.slow
def test_labels(demo, spoilt):
    curves, y = demo
    for labels, dtype, missing in (
        (y, object, None),
        (np.unique(y, return_inverse=True)[1], float, np.nan),
        (y == "SNIa", object, None),
        (np.where(y == "SNIa", 1.5, 0.5).astype(str), object, None),
    ):
        classifier = TransferClassifier("ztf", C=0.1, random_state=0).fit(curves, labels)
        with pytest.warns(LightCurveWarning):
            found = classifier.predict(spoilt, on_error="nan")
        assert found.dtype == dtype
        assert all(f is missing or (missing is np.nan and np.isnan(f)) for f in found[BAD])
        np.testing.assert_array_equal(
            found[USABLE], classifier.predict([spoilt[k] for k in USABLE])
        )


def test_redshifts_with_standard_deviations(models, spoilt):
    model = models[RedshiftRegressor]
    with pytest.warns(LightCurveWarning):
        redshift, std = model.predict(spoilt, return_std=True, on_error="nan")
    assert np.isnan(redshift).nonzero()[0].tolist() == np.isnan(std).nonzero()[0].tolist() == BAD


def test_forms(demo, models):
    classifier, curves = models[TransferClassifier], demo[0][:4]
    expected = classifier.predict_proba(curves)
    array = curves.to_padded()
    array[1, 0, 1] = np.inf
    frame = curves.to_nested()
    frame["lightcurve"] = frame["lightcurve"].where(np.arange(4) != 1, None)
    some = curves.truncate(points=0)
    mixed = LightCurves.concatenate([curves[:1], some[1:2], curves[2:]])
    column = np.empty((4, 1), dtype=object)
    column[:, 0] = [None if k == 1 else item for k, item in enumerate(items_of(curves))]
    for X in (array, frame, frame[["lightcurve"]], mixed, list(mixed), column, column[:, 0]):
        with pytest.warns(LightCurveWarning, match="1 of 4 objects"):
            rows = classifier.predict_proba(X, on_error="nan")
        np.testing.assert_allclose(rows[[0, 2, 3]], expected[[0, 2, 3]], atol=1e-4)
        assert np.isnan(rows[1]).all()


def test_series():
    X = np.random.default_rng(0).normal(10, 2, (40, 6))
    y = np.arange(40) % 2
    fitted = [
        TransferClassifier("ztf", C=0.1, random_state=0).fit(X, y),
        RedshiftRegressor("ztf", random_state=0).fit(X, 0.1 + y),
    ]
    spoilt = X[:5].copy()
    spoilt[3, 2] = np.nan
    for model in fitted:
        with pytest.warns(LightCurveWarning):
            rows = model.predict(spoilt, on_error="nan")
        np.testing.assert_array_equal(rows[[0, 1, 2, 4]], model.predict(X[[0, 1, 2, 4]]))
        with pytest.raises(ValueError, match="features"):  # wrong as a whole
            model.predict(spoilt[:, :4], on_error="nan")


def test_too_short_for_the_estimator(demo):
    curves = demo[0][:3]
    encoder = LightCurveEncoder.pretrained("ztf", min_points=int(curves.lengths.min()) + 1)
    with pytest.warns(LightCurveWarning) as caught:
        rows = encoder.transform(curves, on_error="nan")
    table = caught[0].message.failures
    assert table["object_id"].tolist() == [curves.ids[curves.lengths.argmin()]]
    assert f"and {encoder.min_points} needed" in table["reason"].iloc[0]
    assert np.isnan(rows).any(axis=1).sum() == 1


def test_metadata_of_an_object(demo):
    curves, y = demo
    model = TransferClassifier("ztf", metadata_columns=["z"], C=0.1, random_state=0)
    z = np.linspace(0.1, 1, len(curves))
    model.fit(curves.with_metadata(z=z), y)
    z[1] = np.inf
    with pytest.warns(LightCurveWarning, match="is infinite") as caught:
        rows = model.predict_proba(curves.with_metadata(z=z), on_error="nan")
    assert caught[0].message.failures.index.tolist() == [1]
    assert np.isnan(rows).any(axis=1).nonzero()[0].tolist() == [1]
    with pytest.raises(LightCurveError, match="'z' is missing"):  # of all of them
        model.predict_proba(demo[0].with_metadata(q=z), on_error="nan")


def test_outliers_among_usable_objects(demo, spoilt):
    forest = LatentIsolationForest("ztf", per_class=True, n_estimators=5, random_state=0)
    items, labels = items_of(demo[0][:30]), np.repeat(["a", "b", "c"], 10)
    items[4] = None
    usable = np.setdiff1d(np.arange(30), 4)
    expected = forest.fit_predict([items[k] for k in usable], labels[usable])
    by_id = pd.Series(labels, index=np.arange(30))[::-1]  # in another order
    for y in (labels, list(labels), by_id):
        with pytest.warns(LightCurveWarning, match="1 of 30"):
            rows = forest.fit_predict(items, y, sample_weight=np.ones(30), on_error="nan")
        assert np.isnan(rows[4])
        if y is not by_id:
            np.testing.assert_array_equal(rows[usable], expected)


def test_what_is_wrong_as_a_whole_is_an_error(models):
    table = pd.DataFrame({"object_id": [1], "mjd": [1.0], "flux": [1.0]})
    with pytest.raises(LightCurveError, match="long table"):
        models[TransferClassifier].predict(table, on_error="nan")
    with pytest.raises(TypeError, match="not light curves"):
        models[OnnxModel].predict(None, on_error="nan")
    for unfitted in (TransferClassifier(), RedshiftRegressor(), LatentIsolationForest(),
                     LightCurveEncoder(), LightCurveFeatures()):  # fmt: skip
        name = "predict" if hasattr(unfitted, "predict") else "transform"
        with pytest.raises(NotFittedError):
            getattr(unfitted, name)([None], on_error="nan")


def test_pipelines_and_frames_of_results(demo, models, spoilt):
    pipeline = make_pipeline(DetectionsOnly(), models[TransferClassifier])
    dark = demo[0][:3].truncate(points=0)
    with pytest.warns(LightCurveWarning, match="3 of 3"):
        assert pipeline.predict(dark, on_error="nan").tolist() == [None] * 3
    encoder = LightCurveEncoder.pretrained("ztf").set_output(transform="pandas")
    with pytest.warns(LightCurveWarning):
        rows = encoder.transform(spoilt, on_error="nan")
    assert rows.isna().all(axis=1).to_numpy().nonzero()[0].tolist() == BAD
    with sklearn.config_context(enable_metadata_routing=True):
        encoder = LightCurveEncoder.pretrained("ztf").set_transform_request(on_error=True)
        pipeline = make_pipeline(encoder, models[LatentIsolationForest]._space.whitening)
        with pytest.warns(LightCurveWarning), pytest.raises(ValueError, match="NaN"):
            pipeline.transform(spoilt, on_error="nan")  # a later step has its own say


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.booleans(), min_size=1, max_size=8))
def test_any_mixture(demo, models, bad):
    items = items_of(demo[0][: len(bad)])
    X = [None if b else item for b, item in zip(bad, items, strict=True)]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        rows = models[LightCurveEncoder].transform(X, on_error="nan")
    assert np.isnan(rows).all(axis=1).tolist() == bad
    assert len(caught) == any(bad)
    kept = [item for item in X if item is not None]
    np.testing.assert_array_equal(rows[~np.array(bad)], models[LightCurveEncoder].transform(kept))
