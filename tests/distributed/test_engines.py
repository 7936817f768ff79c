"""The recipes for Spark, Fink and Ray run in local sessions, where these are installed."""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest_distributed import assert_expected

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


def run(example, *arguments):
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / f"{example}.py"), *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=500,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.fixture
def night(tmp_path, nested):
    """A file of lists, in which one object has no light curve and one no flux."""
    table = pd.DataFrame(nested[["object_id", "ra"]])
    for name in ("time", "flux", "flux_err", "band"):
        cells = [[] if cell is None else cell[name].tolist() for cell in nested["lightcurve"]]
        table[name] = pd.Series(cells, dtype=object)
    table.to_parquet(tmp_path / "night.parquet")
    return tmp_path / "night.parquet"


needs_spark = pytest.mark.skipif(
    find_spec("pyspark") is None or shutil.which("java") is None,
    reason="Spark is missing: pip install pyspark, and Java 17",
)


@needs_spark
def test_spark(tmp_path, night, expected):
    run("spark_map_in_pandas", night, tmp_path / "out")
    assert_expected(pd.read_parquet(tmp_path / "out"), expected)


@pytest.mark.skipif(find_spec("ray") is None, reason='Ray is missing: pip install "ray[data]"')
def test_ray(tmp_path, night, expected):
    run("ray_map_batches", night, tmp_path / "out")
    assert_expected(pd.read_parquet(tmp_path / "out"), expected)


@needs_spark
def test_a_module_of_fink(tmp_path, curves, classifier):
    bright = curves[[bool(np.all(c.flux > 0)) for c in curves]][:20]
    table = pd.DataFrame({"candid": np.arange(len(bright))})
    columns = {"cjd": [], "cfid": [], "cmagpsf": [], "csigmapsf": []}
    for curve in bright:
        own = curve.to_frame()
        bands = own["band"].astype(str).map({"ztfg": 1, "ztfr": 2})
        mag = 27.5 - 2.5 * np.log10(curve.flux)
        error = 1.0857362 * curve.flux_err / curve.flux
        # an upper limit comes first
        columns["cjd"].append([curve.time[0] + 2400000.5 - 1, *(curve.time + 2400000.5)])
        columns["cfid"].append([1, *bands])
        columns["cmagpsf"].append([np.nan, *mag])
        columns["csigmapsf"].append([np.nan, *error])
    for name, cells in columns.items():
        table[name] = pd.Series([np.asarray(cell) for cell in cells], dtype=object)
    table.to_parquet(tmp_path / "alerts.parquet")
    run("fink_science_module", tmp_path / "alerts.parquet", tmp_path / "out")
    found = pd.read_parquet(tmp_path / "out").sort_values("candid")["sklc_snia"]
    known = classifier.predict_proba(bright)[:, list(classifier.classes_).index("SNIa")]
    np.testing.assert_allclose(found, known, atol=1e-3)
