"""The function that is applied to each part of a catalogue."""

import pickle
import shutil
from functools import partial

import joblib
import numpy as np
import pandas as pd
import pytest
from conftest_distributed import BAD, assert_expected
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sklc import (
    LatentIsolationForest,
    LightCurveEncoder,
    LightCurveError,
    RedshiftRegressor,
    TransferClassifier,
    WeightsError,
)
from sklc.datasets import load_demo
from sklc.distributed import Predictor


@pytest.fixture(scope="module")
def fitted():
    curves, y = load_demo(return_X_y=True)
    return TransferClassifier("any", features=None, random_state=0).fit(curves[::6], y[::6])


@pytest.mark.parametrize("batch_size", [7, 10_000])
def test_rows_are_those_of_the_estimator(nested, expected, batch_size):
    predictor = Predictor("predict_proba", "any", columns=["number"], batch_size=batch_size)
    table = predictor(nested)
    assert list(table) == ["object_id", "number", *expected, "reason"]
    assert table.index.equals(nested.index)
    assert table["number"].tolist() == nested["number"].tolist()
    assert_expected(table, expected)


def test_types_do_not_depend_on_the_rows(nested):
    for method in ("transform", "predict", "predict_proba", "redshift", "anomaly_score"):
        predictor = Predictor(method, "any", columns=["ra", "lightcurve"])
        meta = predictor.meta(nested)
        assert not len(meta)
        for rows in (nested, nested.iloc[:1], nested.iloc[list(BAD)]):
            pd.testing.assert_series_equal(predictor(rows).dtypes, meta.dtypes)


def test_each_method_is_that_of_the_estimator(curves, classifier, fitted):
    table = curves.to_nested()
    encoder, regressor = LightCurveEncoder("any"), RedshiftRegressor.pretrained("any")
    forest = LatentIsolationForest("any", random_state=0).fit(curves)
    redshifts = np.stack(regressor.predict(curves, return_std=True), axis=1)
    for method, model, values in [
        ("transform", "any", encoder.transform(curves)),
        ("predict", "any", classifier.predict(curves)[:, None]),
        ("redshift", "any", redshifts),
        ("predict", regressor, redshifts[:, :1]),
        ("anomaly_score", "any", classifier.novelty_score(curves)[:, None]),
        ("anomaly_score", forest, forest.anomaly_score(curves)[:, None]),
        ("predict_proba", fitted, fitted.predict_proba(curves)),
    ]:
        result = Predictor(method, model)(table).drop(columns="reason")
        np.testing.assert_array_equal(result.to_numpy(dtype=values.dtype), values, err_msg=method)


def test_pipelines_and_labels_of_any_type(curves):
    y = np.arange(len(curves)) % 2
    pipe = make_pipeline(LightCurveEncoder("any"), LogisticRegression(max_iter=1000)).fit(curves, y)
    result = Predictor("predict", pipe)(curves.to_nested())
    assert result["class"].dtype == "Int64"
    assert result["class"].tolist() == pipe.predict(curves).tolist()
    names = list(Predictor("predict_proba", pipe).outputs.names)
    assert names == ["0", "1"]


def test_the_first_bad_object_can_be_an_error(nested):
    predictor = Predictor("predict", "any", on_error="raise")
    with pytest.raises(LightCurveError, match=r"'SIM0020'.*has 0 observation"):
        predictor(nested)
    usable = predictor(nested.drop(index=list(BAD)))
    assert list(usable) == ["object_id", "class"]


def test_lists_and_structures_are_read_like_nested_columns(nested, expected):
    flat = nested.drop(columns="lightcurve")
    lists = {
        name: [None if cell is None else cell[name].to_numpy() for cell in nested["lightcurve"]]
        for name in ("time", "flux", "flux_err", "band")
    }
    as_lists = flat.assign(
        **{name: pd.Series(cells, dtype=object) for name, cells in lists.items()}
    )
    rows = [None if c is None else c.to_dict("records") for c in nested["lightcurve"]]
    as_structures = flat.assign(lightcurve=pd.Series(rows, dtype=object))
    for table in (as_lists, as_structures):
        assert_expected(Predictor("predict_proba", "any")(table), expected)


def test_magnitudes_are_read_with_the_names_of_a_survey(curves, classifier):
    bright = curves[[bool(np.all(c.flux > 0)) for c in curves]]
    cells = {
        "mjd": [c.time for c in bright],
        "mag": [27.5 - 2.5 * np.log10(c.flux) for c in bright],
        "magerr": [1.0857362 * c.flux_err / c.flux for c in bright],
        "band": [c.to_frame()["band"].to_numpy() for c in bright],
    }
    for column in cells.values():
        column[1] = column[1][:0]
    lists = {name: pd.Series(column, dtype=object) for name, column in cells.items()}
    table = pd.DataFrame({"objectId": bright.ids, **lists})
    result = Predictor("predict_proba", "any")(table)
    reasons = result["reason"]
    assert reasons[1] == "0 observations, and 1 needed"
    assert reasons.notna().sum() == 1, reasons
    own = result.drop(columns=["objectId", "reason"]).to_numpy()
    keep = np.arange(len(table)) != 1
    np.testing.assert_allclose(own[keep], classifier.predict_proba(bright)[keep], atol=1e-4)


def test_column_names_are_options(nested, expected):
    renamed = nested.rename(columns={"object_id": "name"})
    lengths = nested["lightcurve"].isna()
    assert lengths.sum() == 1
    result = Predictor("predict_proba", "any", object_id="name", column="lightcurve")(renamed)
    assert_expected(result.rename(columns={"name": "object_id"}), expected)
    with pytest.raises(LightCurveError, match=r"nothing.*object_id="):
        Predictor("predict", "any", object_id="nothing")(renamed)
    with pytest.raises(LightCurveError, match=r"'absent'.*columns="):
        Predictor("predict", "any", columns=["absent"])(nested)
    with pytest.raises(LightCurveError, match="rename it first"):
        Predictor("predict_proba", "any")(
            nested.rename(columns={"object_id": "id"}).assign(SNIa=1), ["SNIa"]
        )


def test_models_in_files(tmp_path, curves, fitted):
    table = curves[:5].to_nested()
    values = fitted.predict_proba(curves[:5])
    joblib.dump(fitted, tmp_path / "own.joblib")
    fitted.to_onnx(tmp_path / "own.onnx")
    LightCurveEncoder("any").save(tmp_path / "own.safetensors")
    fitted.save(tmp_path / "fitted.safetensors")
    for name, tolerance in [("own.joblib", 0), ("own.onnx", 1e-5), ("fitted.safetensors", 0)]:
        predictor = pickle.loads(pickle.dumps(Predictor("predict_proba", tmp_path / name)))
        own = predictor(table).drop(columns="reason").to_numpy()
        np.testing.assert_allclose(own, values, atol=tolerance, rtol=0)
    latents = Predictor("transform", tmp_path / "own.safetensors")(table).drop(columns="reason")
    np.testing.assert_array_equal(latents, LightCurveEncoder("any").transform(curves[:5]))


def test_a_model_file_that_changes_is_refused(tmp_path, curves):
    path = LightCurveEncoder("any").save(tmp_path / "own.safetensors")
    predictor = Predictor("transform", path)
    with pytest.raises(WeightsError, match="sha256"):
        Predictor("transform", path, sha256="0" * 64)
    assert Predictor("transform", path, sha256=predictor.model.digest) == predictor
    sent = pickle.dumps(predictor)
    LightCurveEncoder("ztf").save(path)
    shutil.copy(path, tmp_path / "other.safetensors")
    from sklc.distributed import models

    models._load.cache_clear()  # as in a worker that starts
    with pytest.raises(WeightsError, match="another model"):
        pickle.loads(sent)(curves.to_nested())
    path.unlink()
    with pytest.raises(WeightsError, match="cannot read the model"):
        pickle.loads(sent)(curves.to_nested())


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("predict", "no-such"), WeightsError, "no-such"),
        (("predict", "no/such.joblib"), WeightsError, "There is no file"),
        (("vote", "any"), ValueError, "method must be one of"),
        (("predict", 3), TypeError, "name of weights"),
        (("predict_proba", LightCurveEncoder("any")), TypeError, "has no method predict_proba"),
        (("redshift", TransferClassifier.pretrained("any")), TypeError, "RedshiftRegressor"),
    ],
)
def test_what_cannot_be_computed_is_refused_at_once(arguments, error, message):
    with pytest.raises(error, match=message):
        Predictor(*arguments)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"columns": "ra"}, TypeError, r"\['ra'\]"),
        ({"on_error": "drop"}, ValueError, "on_error"),
        ({"batch_size": 0}, ValueError, "batch_size"),
        ({"columns": ["reason"]}, ValueError, "cannot be kept"),
    ],
)
def test_settings_are_checked(settings, error, message):
    with pytest.raises(error, match=message):
        Predictor("predict", "any", **settings)


def test_a_large_estimator_is_not_sent_with_every_task(fitted):
    heavy = make_pipeline(LightCurveEncoder("any"), LogisticRegression())
    heavy.ballast = np.zeros(2_000_000)
    with pytest.raises(ValueError, match=r"joblib\.dump"):
        Predictor("predict", heavy)


def test_estimators_are_told_apart_by_what_they_learned(curves, fitted):
    same, other = pickle.loads(pickle.dumps(fitted)), TransferClassifier.pretrained("any")
    digest = partial(lambda m: Predictor("predict", m).model.digest)
    assert digest(same) == digest(fitted) != digest(other)
    assert fitted.__dask_tokenize__() == same.__dask_tokenize__() != other.__dask_tokenize__()
    again = TransferClassifier.pretrained("any", min_points=2)
    assert digest(again) != digest(other)
