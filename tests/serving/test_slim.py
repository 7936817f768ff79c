"""Exported models without torch, scikit-learn and pyarrow, on the old versions of brokers."""

import os
import subprocess
import sys
import venv
from pathlib import Path

import numpy as np
import pytest

from sklc import TransferClassifier
from sklc.datasets import load_demo

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
BLOCKED = (
    "torch", "skorch", "sklearn", "scipy", "joblib", "pyarrow", "nested_pandas", "safetensors",
    "tqdm", "lazy_loader", "astropy", "polars", "dask", "lsdb",
)  # fmt: skip
OLD = ("numpy==1.26.4", "pandas==1.5.3", "scikit-learn==1.5.2", "onnxruntime")


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Two models, with and without features, and what they predict here."""
    folder = tmp_path_factory.mktemp("slim")
    curves, y = load_demo(return_X_y=True)
    some = curves[:40]
    long = some.to_frame()
    ids = np.repeat(np.arange(len(some)), some.lengths)
    stored = {"object_id": ids, "mjd": long["mjd"], "flux": long["flux"],
              "flux_err": long["flux_err"], "band": long["band"].astype(str)}  # fmt: skip
    arrays = {name: np.asarray(values) for name, values in stored.items()}
    arrays["band"] = arrays["band"].astype("U16")
    for name, features in [("plain", None), ("features", "core")]:
        classifier = TransferClassifier("any", features=features, random_state=0)
        classifier.fit(curves[::4], y[::4]).to_onnx(folder / f"{name}.onnx")
        arrays[name] = classifier.predict_proba(some)
    np.savez(folder / "curves.npz", **arrays)
    return folder


def run(python, *arguments, **environment):
    done = subprocess.run(
        [str(python), *map(str, arguments)], env={**os.environ, **environment}, cwd=HERE,
        capture_output=True, text=True, timeout=500,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def test_models_need_none_of_the_packages_of_training(exported):
    told = run(sys.executable, "slim_check.py", exported, *BLOCKED, PYTHONPATH=str(ROOT))
    assert "the same probabilities" in told


@pytest.mark.slow
def test_models_run_on_the_old_versions_of_brokers(exported, tmp_path):
    venv.create(tmp_path / "slim", with_pip=True)
    python = tmp_path / "slim" / ("Scripts" if os.name == "nt" else "bin") / "python"
    try:
        run(python, "-m", "pip", "install", "-q", *OLD, PYTHONPATH="")
    except (AssertionError, subprocess.TimeoutExpired) as error:
        pytest.skip(f"the old versions cannot be installed here: {str(error)[-200:]}")
    run(python, "-m", "pip", "install", "-q", ROOT / "serve", PYTHONPATH="")
    versions = "import numpy, pandas, sklc; print(numpy.__version__, pandas.__version__)"
    assert run(python, "-c", versions, PYTHONPATH="").split() == ["1.26.4", "1.5.3"]
    assert "the same probabilities" in run(python, "slim_check.py", exported, PYTHONPATH="")
