"""Threads, processes and nested parallel calls give the bits of a single thread."""

import multiprocessing
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pytest
import torch
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline, make_union

from sklc import (
    LatentIsolationForest,
    LightCurveEncoder,
    LightCurveFeatures,
    RedshiftRegressor,
    TransferClassifier,
)
from sklc.datasets import load_demo
from sklc.estimators.fingerprint import fingerprint


@pytest.fixture(scope="module")
def demo():
    return load_demo(return_X_y=True)


@pytest.fixture(scope="module")
def methods(demo):
    """A method of each estimator, and of the features that are joined to the latent."""
    curves, y = demo
    forest = LatentIsolationForest("any", random_state=0).fit(curves[:60])
    return [
        LightCurveEncoder("any").transform,
        TransferClassifier.pretrained("any").predict_proba,
        TransferClassifier("any", random_state=0).fit(curves[::6], y[::6]).predict_proba,
        RedshiftRegressor.pretrained("any").predict,
        forest.anomaly_score,
    ]


def call(method, curves):
    return method(curves)


@pytest.mark.slow
def test_threads_may_share_an_estimator(demo, methods):
    curves = demo[0]
    parts = [curves[k::8] for k in range(8)]
    for method in methods:
        expected = [method(part) for part in parts]
        start = threading.Barrier(8)

        def work(part, method=method, start=start):
            start.wait()
            return method(part)

        with ThreadPoolExecutor(8) as pool:
            for found, known in zip(pool.map(work, parts), expected, strict=True):
                np.testing.assert_array_equal(found, known)


@pytest.mark.slow
def test_threads_leave_an_estimator_as_it_was(demo):
    """No tensor of the head is exchanged while it predicts, which another thread would see."""
    curves, y = demo
    classifier = TransferClassifier("any", features=None, random_state=0).fit(curves[::6], y[::6])
    before = fingerprint(classifier)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(classifier.predict_proba, [curves[k : k + 3] for k in range(200)]))
    assert fingerprint(classifier) == before
    assert all(p.is_leaf and p.dtype == torch.float32 for p in classifier.head_.parameters())


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["sequential", "threading", "loky"])
def test_every_backend_of_joblib_gives_the_same(demo, methods, backend):
    curves = demo[0][:90]
    with joblib.parallel_config(backend=backend, n_jobs=2):
        for method in methods:
            parts = joblib.Parallel()(
                joblib.delayed(call)(method, curves[k : k + 30]) for k in (0, 30, 60)
            )
            np.testing.assert_array_equal(np.concatenate(parts), method(curves))


@pytest.mark.slow
def test_a_spawned_process_gives_the_same(demo, methods):
    curves = demo[0][:40]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        for method in methods:
            np.testing.assert_array_equal(pool.apply(call, (method, curves)), method(curves))
            again = pickle.loads(pickle.dumps(method))
            np.testing.assert_array_equal(again(curves), method(curves))


def test_nested_parallel_calls_give_the_same(demo):
    curves, y = demo[0][::3], demo[1][::3]

    def predicted(outer, inner):
        features = LightCurveFeatures(statistics="core", parametric_fit=False, n_jobs=inner)
        model = make_pipeline(
            make_union(LightCurveEncoder("any"), features, n_jobs=inner),
            SimpleImputer(keep_empty_features=True),
            RandomForestClassifier(n_estimators=4, random_state=0, n_jobs=inner),
        )
        return cross_val_predict(model, curves, y, cv=2, n_jobs=outer, method="predict_proba")

    known = predicted(None, None)
    for outer, inner in [(None, 2), (2, None), (2, 2)]:
        np.testing.assert_array_equal(predicted(outer, inner), known)
