"""Dask DataFrames, on threads and on a local cluster of processes."""

import joblib
import numpy as np
import pandas as pd
import pytest
from conftest_distributed import assert_expected
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

from sklc import LightCurveEncoder, LightCurveError, LightCurves
from sklc.datasets import load_demo
from sklc.distributed import Predictor, predict, predict_proba, transform

dd = pytest.importorskip("dask.dataframe", reason='dask is missing: pip install "sklc[scale]"')
pytestmark = pytest.mark.slow  # starts clusters of processes


@pytest.fixture(scope="module")
def frame(nested):
    return dd.from_pandas(nested, npartitions=4)


def test_types_are_known_before_and_kept(frame, nested):
    result = predict(frame, "any", columns=["number", "ra"])
    assert result.dtypes.index.tolist() == ["object_id", "number", "ra", "class", "reason"]
    table = result.compute(scheduler="threads")
    pd.testing.assert_series_equal(table.dtypes, result.dtypes)
    assert table.index.equals(nested.index)
    assert table["number"].tolist() == nested["number"].tolist()
    empty = frame[frame["number"] < 0]
    pd.testing.assert_series_equal(
        predict(empty, "any").compute().dtypes, predict(frame, "any").dtypes
    )


def test_processes_give_the_same_bits(client, frame, expected):
    with client.as_current():
        assert_expected(predict_proba(frame, "any").compute(), expected)


def test_a_model_is_loaded_once_per_worker_and_runs_in_one_thread(client, frame):
    def loads():
        from sklc.distributed import models

        return models._load.cache_info()

    before = {name: own.misses for name, own in client.run(loads).items()}
    with client.as_current():
        transform(frame, "ztf-v1").compute()
        for _ in range(2):
            transform(frame.repartition(npartitions=8), "ztf-v1").compute()
    after = client.run(loads)
    assert all(own.misses <= before[name] + 1 for name, own in after.items())
    assert sum(own.hits for own in after.values()) >= 16


def test_fitted_estimators_reach_the_workers(client, frame, nested, capfd):
    curves, y = load_demo(return_X_y=True)
    pipe = Pipeline([("enc", LightCurveEncoder("any")), ("clf", LogisticRegression(max_iter=500))])
    pipe.fit(curves[::4], y[::4])
    with client.as_current():
        table = predict_proba(frame, pipe).compute()
    usable = table[table["reason"].isna()]
    own = usable[[*map(str, pipe.classes_)]].to_numpy()
    keep = nested["object_id"].isin(usable["object_id"])
    known = LightCurves.from_nested(pd.DataFrame(nested[keep]).set_index("object_id"))
    np.testing.assert_allclose(own, pipe.predict_proba(known), atol=1e-12)
    assert "pickle" not in capfd.readouterr().err.lower()


def test_the_first_bad_object_stops_the_computation(client, frame):
    with client.as_current(), pytest.raises(LightCurveError, match=r"SIM0007|SIM0020"):
        predict(frame, "any", on_error="raise").compute()


def test_columns_of_lists_are_read(nested, expected, tmp_path):
    flat = pd.DataFrame(nested.drop(columns="lightcurve"))
    for name in ("time", "flux", "flux_err", "band"):
        cells = [None if cell is None else list(cell[name]) for cell in nested["lightcurve"]]
        flat[name] = pd.Series(cells, dtype=object)
    flat.to_parquet(tmp_path / "lists.parquet")
    frame = dd.read_parquet(tmp_path / "lists.parquet")
    assert_expected(predict_proba(frame, "any").compute(scheduler="threads"), expected)


def test_tokens_tell_computations_apart(frame, classifier):
    from dask.base import tokenize

    names = {
        tokenize(Predictor(method, model, columns=columns))
        for method in ("predict", "predict_proba")
        for model in ("any", "ztf", classifier)
        for columns in (["ra"], None)
    }
    assert len(names) == 12
    assert tokenize(Predictor("predict", "any")) == tokenize(Predictor("predict", "any-v2"))
    assert tokenize(LightCurveEncoder("any")) == tokenize(LightCurveEncoder("any"))
    assert tokenize(LightCurveEncoder("any")) != tokenize(LightCurveEncoder("ztf"))
    with pytest.raises(TypeError, match="to_parquet"):
        predict(frame, "any", output="somewhere")


def test_a_grid_search_on_the_cluster_finds_the_same(client):
    curves, y = load_demo(return_X_y=True)
    pipe = Pipeline([("enc", LightCurveEncoder("any")), ("clf", LogisticRegression(max_iter=500))])
    grid = {"enc__weights": ["any", "ztf"], "clf__C": [0.1, 1.0]}
    search = GridSearchCV(pipe, grid, cv=2, scoring="neg_log_loss")
    here = search.fit(curves[::3], y[::3]).cv_results_["mean_test_score"]
    with client.as_current(), joblib.parallel_config(backend="dask"):
        there = search.fit(curves[::3], y[::3]).cv_results_["mean_test_score"]
    np.testing.assert_allclose(there, here, rtol=1e-9)
