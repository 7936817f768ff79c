"""Folders of Parquet files: every layout, resumed runs, several processes, killed runs."""

import json
import os
import signal
import subprocess
import sys
import time

import joblib
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from conftest_distributed import BAD, assert_expected

from sklc import LightCurveError, WeightsError
from sklc.distributed import predict_proba, transform
from sklc.distributed.functions import predict


@pytest.fixture
def night(tmp_path, nested):
    """Four files of rows in a folder with others that are not read."""
    folder = tmp_path / "night"
    (folder / "later").mkdir(parents=True)
    for k in range(4):
        place = folder / ("later" if k == 3 else "") / f"{k}.parquet"
        nested.iloc[15 * k : 15 * (k + 1)].to_parquet(place)
    (folder / "_metadata").write_text("not a part")
    return folder


def test_one_file_is_written_for_each(tmp_path, night, expected):
    written = predict_proba(night, "any", columns=["number"], output=tmp_path / "out", batch_size=4)
    assert (written.n_parts, written.n_resumed) == (4, 0)
    assert (written.n_objects, written.n_unusable) == (len(expected), len(BAD))
    files = sorted(str(f.relative_to(written.path)) for f in written.path.rglob("*.parquet"))
    assert files == ["0.parquet", "1.parquet", "2.parquet", "later/3.parquet"]
    table = pd.concat([pd.read_parquet(written.path / file) for file in files])
    assert table["number"].tolist() == list(range(len(expected)))
    assert_expected(table, expected)
    assert not [file for file in written.path.rglob("*") if "partial" in file.name]


def test_folders_of_light_curves(tmp_path, curves, classifier):
    values = classifier.predict_proba(curves)
    curves.to_parquet(tmp_path / "one")
    for k in range(2):
        curves[30 * k : 30 * (k + 1)].to_parquet(tmp_path / "parts" / f"part-0000{k}")
    for name, n_parts in [("one", 1), ("parts", 2)]:
        written = predict_proba(
            tmp_path / name,
            "any",
            columns=["survey"],
            output=tmp_path / f"{name}-out",
            batch_size=7,
        )
        assert written.n_parts == n_parts
        table = pd.read_parquet(written.path)
        assert table["object_id"].tolist() == curves.ids.tolist()
        assert table["survey"].tolist() == curves.metadata["survey"].tolist()
        own = table.drop(columns=["object_id", "survey", "reason"])
        np.testing.assert_array_equal(own, values)


def test_an_object_without_photometry_has_a_reason(tmp_path, curves):
    curves.to_parquet(tmp_path / "night")
    objects = pd.read_parquet(tmp_path / "night" / "objects.parquet")
    extra = pd.concat([objects, objects.tail(1).assign(object_id="SIM9999")], ignore_index=True)
    extra.to_parquet(tmp_path / "night" / "objects.parquet")
    table = pd.read_parquet(predict(tmp_path / "night", "any", output=tmp_path / "out").path)
    assert table["reason"].isna().sum() == len(curves)
    assert table["reason"].iloc[-1] == "0 observations, and 1 needed"
    objects.iloc[:-1].to_parquet(tmp_path / "night" / "objects.parquet")
    with pytest.raises(LightCurveError, match=r"night.*observations of object"):
        predict(tmp_path / "night", "any", output=tmp_path / "other")


@pytest.mark.parametrize("shuffled", [False, True])
def test_one_row_per_observation(tmp_path, curves, classifier, shuffled):
    long = curves.to_frame()
    if shuffled:
        long = long.sample(frac=1, random_state=0)
    long.to_parquet(tmp_path / "long.parquet")
    written = predict_proba(tmp_path / "long.parquet", "any", output=tmp_path / "out", batch_size=9)
    table = pd.read_parquet(written.path).set_index("object_id").loc[curves.ids]
    np.testing.assert_array_equal(table.drop(columns="reason"), classifier.predict_proba(curves))


def test_what_was_written_is_kept(tmp_path, night, expected):
    output = tmp_path / "out"
    first = predict_proba(night, "any", output=output)
    kept = {file: file.stat().st_mtime_ns for file in output.rglob("*.parquet")}
    with pytest.raises(FileExistsError, match="resume=True"):
        predict_proba(night, "any", output=output)
    (output / "1.parquet").unlink()
    changed = pd.read_parquet(night / "2.parquet").iloc[:10]
    changed.to_parquet(night / "2.parquet")
    again = predict_proba(night, "any", output=output, resume=True)
    assert (first.n_resumed, again.n_resumed, again.n_objects) == (0, 2, first.n_objects - 5)
    same = [file.name for file, t in kept.items() if file.stat().st_mtime_ns == t]
    assert sorted(same) == ["0.parquet", "3.parquet"]
    assert predict_proba(night, "any", output=output, resume=True).n_resumed == 4


def test_results_of_different_models_are_not_mixed(tmp_path, night):
    output = tmp_path / "out"
    predict_proba(night, "any", output=output)
    with pytest.raises(WeightsError, match=r"begun with the model any-v2.*ztf-v2"):
        predict_proba(night, "ztf", output=output, resume=True)
    with pytest.raises(WeightsError, match="begun with method='predict_proba'"):
        transform(night, "any", output=output, resume=True)
    with pytest.raises(WeightsError, match=r"begun with columns=\[\]"):
        predict_proba(night, "any", columns=["ra"], output=output, resume=True)
    (output / "_sklc_model.json").unlink()
    with pytest.raises(WeightsError, match="not known what it was made with"):
        predict_proba(night, "any", output=output, resume=True)


def test_the_model_is_stamped_into_every_file(tmp_path, night):
    written = predict_proba(night, "any", output=tmp_path / "out")
    stamp = json.loads((written.path / "_sklc_model.json").read_text())
    assert stamp["model"]["name"] == "any-v2"
    assert stamp["method"] == "predict_proba"
    assert stamp["parameters"]["encoder"] == "'any-v2'"
    for file in written.path.rglob("*.parquet"):
        assert json.loads(pq.read_metadata(file).metadata[b"sklc_model"]) == stamp


@pytest.mark.parametrize(
    ("source", "settings", "error", "message"),
    [
        ("absent", {}, FileNotFoundError, "absent"),
        ("night", {"output": None}, TypeError, "output="),
        ("night", {"output": "night"}, ValueError, "folder that is read"),
        ("empty", {}, LightCurveError, "no Parquet files"),
    ],
)
def test_bad_arguments(tmp_path, night, monkeypatch, source, settings, error, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(error, match=message):
        predict(source, "any", **{"output": "out", **settings})
    with pytest.raises(TypeError, match="a catalogue of LSDB, a dask DataFrame"):
        predict(pd.DataFrame({"mjd": [1.0]}), "any")


def test_a_file_that_is_not_light_curves_is_named(tmp_path, night):
    pd.DataFrame({"object_id": [1], "ra": [2.0]}).to_parquet(night / "9.parquet")
    with pytest.raises(LightCurveError, match=r"9\.parquet"):
        predict(night, "any", output=tmp_path / "out")


RUN = """
import sys
from sklc.distributed import transform
transform(sys.argv[1], "any", output=sys.argv[2], resume=True, n_jobs=1, batch_size=5)
"""


@pytest.mark.slow
def test_killed_runs_lose_and_mix_nothing(tmp_path, night):
    command = [sys.executable, "-c", RUN, str(night), str(tmp_path / "out")]
    rng = np.random.default_rng(0)
    for delay in rng.uniform(0.0, 0.4, 6):
        run = subprocess.Popen(command)
        while not list((tmp_path / "out").glob("_sklc_model.json")) and run.poll() is None:
            time.sleep(0.01)
        time.sleep(delay)
        os.kill(run.pid, signal.SIGKILL)
        run.wait()
        for file in (tmp_path / "out").rglob("[0-9].parquet"):
            pq.read_table(file)  # what has its name is whole
    written = transform(night, "any", output=tmp_path / "out", resume=True)
    whole = transform(night, "any", output=tmp_path / "whole")
    assert written.n_objects == whole.n_objects
    for file in whole.path.rglob("*.parquet"):
        other = written.path / file.relative_to(whole.path)
        pd.testing.assert_frame_equal(pd.read_parquet(file), pd.read_parquet(other))


@pytest.mark.slow
def test_every_backend_of_joblib_writes_the_same(tmp_path, night, expected):
    for backend in ("sequential", "threading", "loky"):
        with joblib.parallel_config(backend=backend, n_jobs=2):
            written = predict_proba(night, "any", output=tmp_path / backend)
        assert_expected(pd.read_parquet(written.path), expected)
