"""A process that is forked after its parent has computed in several threads computes as well."""

import subprocess
import sys
import textwrap

import pytest

PRELUDE = """
import os, signal, sys, time, warnings
os.environ.update(OMP_NUM_THREADS="2", OMP_WAIT_POLICY="passive")  # cores may be few and busy
warnings.simplefilter("ignore")
import numpy as np, torch
from sklc import LatentIsolationForest, LightCurveEncoder, RedshiftRegressor, TransferClassifier
from sklc.datasets import load_demo
torch.set_num_threads(2)
X, y = load_demo(return_X_y=True)
X, y = X[:60], y[:60]
z = X.metadata["redshift"].to_numpy()

def in_child(what, seconds=100):
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            what()
            code = 0
        finally:
            os._exit(code)
    end = time.time() + seconds
    while time.time() < end:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.05)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return "hangs"
"""


def outcome(code):
    script = textwrap.dedent(PRELUDE) + textwrap.dedent(code)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=500, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


@pytest.mark.slow
def test_what_was_done_before_a_fork_is_done_after_it():
    """Predictions, and what trains with OpenMP: boosting, neighbours and a forest."""
    code = """
    knn = RedshiftRegressor("ztf", method="knn", n_neighbors=10, features=None).fit(X, z)
    classifier = TransferClassifier("ztf", C=1.0, early=False, random_state=0).fit(X, y)
    forest = LatentIsolationForest("ztf", random_state=0).fit(X)
    expected = [knn.predict(X), classifier.predict_proba(X), forest.score_samples(X)]

    def everything():
        found = [knn.predict(X), classifier.predict_proba(X), forest.score_samples(X)]
        assert all(np.array_equal(a, b) for a, b in zip(found, expected))
        again = TransferClassifier("ztf", C=1.0, early=False, random_state=0).fit(X, y)
        assert np.array_equal(again.predict_proba(X), expected[1])
        assert torch.get_num_threads() == 1

    print(in_child(everything), torch.get_num_threads())
    """
    assert outcome(code) == "0 2"


@pytest.mark.slow
def test_training_and_predictions_before_and_after_a_fork():
    code = """
    make = lambda: LightCurveEncoder(hidden_size=8, latent_size=6, max_epochs=1, random_state=0)
    make().fit(X, y)
    knn = RedshiftRegressor("ztf", method="knn", n_neighbors=10, features=None).fit(X, z)
    expected = knn.predict(X)

    def again():
        make().fit(X, y).transform(X)
        assert np.array_equal(knn.predict(X), expected)

    print(in_child(again))
    """
    assert outcome(code) == "0"


@pytest.mark.slow
def test_the_multiprocessing_backend_of_joblib():
    code = """
    import joblib
    classifier = TransferClassifier.pretrained("ztf")
    expected = classifier.predict_proba(X)
    with joblib.parallel_config("multiprocessing", n_jobs=2):
        parts = joblib.Parallel()(joblib.delayed(classifier.predict_proba)(X[k::2]) for k in (0, 1))
    print(all(np.array_equal(part, expected[k::2]) for k, part in enumerate(parts)))
    """
    assert outcome(code) == "True"


@pytest.mark.slow
def test_an_exported_model_in_a_forked_child(tmp_path):
    code = f"""
    import pickle
    from sklc.serving import OnnxModel
    path = LightCurveEncoder("ztf").to_onnx({str(tmp_path / "model.onnx")!r})
    model = OnnxModel(path, n_threads=3)
    expected = model.transform(X[:40])

    def again():
        assert np.allclose(model.transform(X[:40]), expected, atol=1e-5)

    assert np.array_equal(pickle.loads(pickle.dumps(model)).transform(X[:40]), expected)
    print(in_child(again))
    """
    assert outcome(code) == "0"
