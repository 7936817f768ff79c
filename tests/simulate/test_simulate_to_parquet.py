"""`simulate_to_parquet`: what `simulate` returns, whatever interrupts it."""

import itertools
import json
import multiprocessing
import os
import resource
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from sklc import LightCurves
from sklc.errors import LightCurveError, SimulationError
from sklc.light_curves.readers.parquet_folder import MANIFEST, PART
from sklc.simulate import SourceClass, Survey, Trigger, simulate, simulate_to_parquet
from sklc.simulate.sources import SALTSource

pytest.importorskip("sncosmo", reason="sncosmo is not installed: pip install 'sklc[sim]'")

# 3 parts, the last of which holds one class only
WHAT = ({"TDE": 2300, "SNIa": 1400, "KN": 0}, "ztf")
OPTIONS = {"part_size": 1, "progress": False, "z_max": 0.3}


@pytest.fixture(scope="module")
def whole(sncosmo_data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "deep" / "folder"
    assert simulate_to_parquet(folder, *WHAT, **OPTIONS) == folder
    return folder


@pytest.fixture(scope="module")
def expected(sncosmo_data):
    return simulate(*WHAT, z_max=0.3)


def in_order_of(curves, ids):
    return curves[pd.Index(curves.ids).get_indexer(ids)]


def assert_same_parts(one, other):
    names = sorted(path.name for path in one.iterdir())
    assert names == sorted(path.name for path in other.iterdir())
    for name in names:
        if name.startswith(PART):
            made, known = (LightCurves.from_parquet(folder / name) for folder in (one, other))
            assert made.equals(known)
        else:
            assert (one / name).read_text() == (other / name).read_text()


def files(folder):
    """When each file of a folder was last written."""
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
def test_the_objects_are_those_of_simulate(whole, expected):
    read = LightCurves.from_parquet(whole)
    assert len(read) == 3700
    assert set(read.ids) == set(expected.ids)
    again = in_order_of(read, expected.ids)
    for name in ("time", "flux", "flux_err", "band_names", "lengths"):
        np.testing.assert_array_equal(getattr(again, name), getattr(expected, name))
    columns = sorted(expected.metadata.columns)
    assert sorted(read.metadata.columns) == columns
    pd.testing.assert_frame_equal(again.metadata[columns], expected.metadata[columns])


def test_parts(whole):
    parts = [f"{PART}{k:05d}" for k in range(3)]
    assert sorted(p.name for p in whole.iterdir()) == sorted([*parts, MANIFEST])
    counts = [
        LightCurves.from_parquet(whole / part).metadata["class"].value_counts().to_dict()
        for part in parts
    ]
    assert counts == [{"TDE": 1000, "SNIa": 1000}, {"TDE": 1000, "SNIa": 400}, {"TDE": 300}]
    manifest = json.loads((whole / MANIFEST).read_text())
    assert manifest["n"] == {"TDE": 2300, "SNIa": 1400, "KN": 0}
    assert manifest["parts"] == 3
    assert manifest["survey"] == "ztf"
    assert set(manifest["versions"]) == {"sklc", "sncosmo"}


def test_part_by_part(whole):
    parts = list(LightCurves.iter_parquet(whole))
    assert [len(part) for part in parts] == [2000, 1400, 300]
    together = list(itertools.chain.from_iterable(part.ids for part in parts))
    assert together == LightCurves.from_parquet(whole).ids.tolist()


def test_larger_parts(expected, tmp_path):
    folder = simulate_to_parquet(tmp_path / "one", *WHAT, **{**OPTIONS, "part_size": 20_000})
    assert [path.name for path in folder.glob(f"{PART}*")] == [f"{PART}00000"]
    assert LightCurves.from_parquet(folder).equals(expected)


@pytest.mark.slow
def test_the_number_of_processes_does_not_matter(whole, tmp_path):
    assert_same_parts(simulate_to_parquet(tmp_path / "two", *WHAT, **OPTIONS, n_jobs=2), whole)


def test_a_second_call_does_nothing(whole):
    before = files(whole)
    simulate_to_parquet(str(whole), *WHAT, **OPTIONS)
    assert files(whole) == before


# ---------------------------------------------------------------- interruptions


@pytest.mark.slow
def test_deleted_parts_are_made_again(whole, tmp_path, capfd):
    folder = simulate_to_parquet(tmp_path / "again", *WHAT, **OPTIONS)
    for path in (folder / f"{PART}00001").iterdir():
        path.unlink()
    (folder / f"{PART}00001").rmdir()
    before = files(folder)
    with pytest.raises(LightCurveError, match=r"has 2 of 3 parts.*simulate_to_parquet.*again"):
        LightCurves.from_parquet(folder)
    with pytest.raises(LightCurveError, match="has 2 of 3 parts"):
        next(iter(LightCurves.iter_parquet(folder)))
    simulate_to_parquet(folder, *WHAT, **{**OPTIONS, "progress": True})
    assert "1.40k/1.40k" in capfd.readouterr().err  # what was missing
    after = files(folder)
    assert {path: after[path] for path in before} == before  # the others are left alone
    assert_same_parts(folder, whole)


KILLED = """
import os, sys, time
from pathlib import Path
from sklc.simulate import simulate_to_parquet

replace, done = os.replace, []

def stop_at_second_part(source, target):
    if Path(target).name.startswith("part-"):
        done.append(target)
        if len(done) == 2:
            Path(sys.argv[2]).touch()
            time.sleep(600)
    replace(source, target)

os.replace = stop_at_second_part
simulate_to_parquet(sys.argv[1], {0!r}, {1!r}, **{2!r})
"""


@pytest.fixture(scope="module")
def killed(sncosmo_data, tmp_path_factory):
    """What is left of a simulation that was killed when its second part was all but in place."""
    base = tmp_path_factory.mktemp("killed")
    folder, marker = base / "folder", base / "marker"
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED.format(*WHAT, OPTIONS), str(folder), str(marker)]
    )
    try:
        for _ in range(1200):
            if marker.exists() or process.poll() is not None:
                break
            time.sleep(0.1)
        assert marker.exists()
        os.kill(process.pid, signal.SIGKILL)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == -signal.SIGKILL
    return folder


@pytest.mark.slow
def test_a_killed_simulation_goes_on(whole, killed):
    names = sorted(path.name for path in killed.iterdir())
    (left,) = (name for name in names if name.startswith(f".{PART}"))
    assert names == sorted([left, f"{PART}00000", MANIFEST])
    assert list((killed / left).iterdir())  # written, but not counted
    with pytest.raises(LightCurveError, match="has 1 of 3 parts"):
        LightCurves.from_parquet(killed)
    before = files(killed / f"{PART}00000")
    simulate_to_parquet(killed, *WHAT, **OPTIONS)
    assert files(killed / f"{PART}00000") == before
    assert_same_parts(killed, whole)


@pytest.mark.slow
def test_two_runs_share_a_folder(whole, tmp_path):
    context = multiprocessing.get_context("fork")
    runs = [
        context.Process(target=simulate_to_parquet, args=(tmp_path / "two", *WHAT), kwargs=OPTIONS)
        for _ in range(2)
    ]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert [run.exitcode for run in runs] == [0, 0]
    assert_same_parts(tmp_path / "two", whole)


def _with_little_room(folder, limit):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        simulate_to_parquet(folder, *WHAT, **OPTIONS)
    except OSError as error:
        os._exit(28 if "could not be written" in str(error) else 1)
    os._exit(0)


@pytest.mark.slow
def test_a_full_disk_keeps_the_parts_that_are_complete(whole, tmp_path):
    sizes = [(whole / f"{PART}{k:05d}" / "photometry.parquet").stat().st_size for k in range(3)]
    folder = simulate_to_parquet(tmp_path / "full", *WHAT, **OPTIONS)
    for part in (0, 1):
        shutil.rmtree(folder / f"{PART}{part:05d}")
    process = multiprocessing.get_context("fork").Process(
        target=_with_little_room, args=(folder, (min(sizes[:2]) + max(sizes[2], 1)) // 2)
    )
    process.start()
    process.join()
    assert process.exitcode == 28
    assert sorted(path.name for path in folder.iterdir()) == [f"{PART}00002", MANIFEST]
    assert_same_parts(simulate_to_parquet(folder, *WHAT, **OPTIONS), whole)


def test_hidden_files_of_others_stay(whole, tmp_path):
    folder = simulate_to_parquet(tmp_path / "mine", *WHAT, **OPTIONS)
    (folder / f".{PART}notes").mkdir()
    (folder / f".{PART}notes" / "mine.txt").write_text("mine")
    simulate_to_parquet(folder, *WHAT, **OPTIONS)
    assert (folder / f".{PART}notes" / "mine.txt").is_file()


def test_without_a_home_folder_nothing_is_cached(sncosmo_data, monkeypatch):
    def nowhere():
        raise RuntimeError("Could not determine home directory.")

    for variable in ("SKLC_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr("pathlib.Path.home", nowhere)
    monkeypatch.setattr("sklc.simulate.spectra.grids._memory", {})
    assert len(simulate(3, "ztf", "TDE", z_max=0.04)) == 3


def test_killed_before_there_is_a_manifest(whole, tmp_path):
    (tmp_path / f".{MANIFEST}.12345.partial").write_text('{"n": {"TD')
    assert_same_parts(simulate_to_parquet(tmp_path, *WHAT, **OPTIONS), whole)


# ---------------------------------------------------------------- other arguments, other folders


@pytest.mark.parametrize(("options", "key"), [
    ({"random_state": 1}, "random_state is 0 there and 1 here"),
    ({"z_max": 0.4}, r"z_max is 0\.3 there and 0\.4 here"), ({"window": None}, "window"),
    ({"nightly": False}, "nightly is True there and False here"),
    ({"redshift": "flat"}, "redshift is 'volumetric' there and 'flat' here"),
    ({"trigger": Trigger(n_det=3)}, "trigger"), ({"part_size": 9000}, "chunks_per_part"),
])  # fmt: skip
def test_other_options_are_refused(whole, options, key):
    before = files(whole)
    with pytest.raises(SimulationError, match=f"holds another simulation: {key}.*another folder"):
        simulate_to_parquet(whole, *WHAT, **{**OPTIONS, **options})
    assert files(whole) == before


def test_other_objects_are_refused(whole):
    with pytest.raises(SimulationError, match="survey is 'ztf' there and 'des' here"):
        simulate_to_parquet(whole, WHAT[0], "des", **OPTIONS)
    with pytest.raises(SimulationError, match=r"n is \{'TDE': 2300.*and \{'TDE': 2000"):
        simulate_to_parquet(whole, {**WHAT[0], "TDE": 2000}, "ztf", **OPTIONS)
    # another class of the same name, or another survey
    mine = SourceClass("SNIa", SALTSource(alpha=0.2))
    with pytest.raises(SimulationError, match="another simulation: classes"):
        simulate_to_parquet(whole, *WHAT, mine, **OPTIONS)


def own_survey(wave=(4000.0, 5000.0, 6000.0), depth=21.0, systematic=0.01):
    days = np.arange(0, 300, 2.0)
    table = pd.DataFrame({"mjd": 60000.2 + days, "band": "L", "depth": depth, "position": 0})
    curve = np.array(wave), np.array([0.0, 0.7, 0.0])
    return Survey.from_pointings(table, name="mytel", passbands={"L": curve}, systematic=systematic)


def test_other_surveys_of_the_same_name_are_refused(sncosmo_data, tmp_path):
    options = {"progress": False, "z_max": 0.05}
    simulate_to_parquet(tmp_path, 5, own_survey(), "TDE", **options)
    simulate_to_parquet(tmp_path, 5, own_survey(), "TDE", **options)
    others = ({"depth": 21.5}, {"wave": (4100.0, 5000.0, 6000.0)}, {"systematic": 0.02})
    for other in others:
        with pytest.raises(SimulationError, match="another simulation: visits"):
            simulate_to_parquet(tmp_path, 5, own_survey(**other), "TDE", **options)


def test_foreign_folders_are_refused(sncosmo_data, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(SimulationError, match="is not empty and holds no simulation"):
        simulate_to_parquet(tmp_path, 3, "ztf", "TDE", progress=False)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_damaged_manifest_is_named(sncosmo_data, tmp_path):
    simulate_to_parquet(tmp_path, 3, "ztf", "TDE", progress=False)
    (tmp_path / MANIFEST).write_text('{"n"')
    with pytest.raises(SimulationError, match=rf"{MANIFEST} cannot be read .*remove the folder"):
        simulate_to_parquet(tmp_path, 3, "ztf", "TDE", progress=False)


@pytest.mark.parametrize("part_size", [0, -1, True, 2.0, "5", None])
def test_bad_part_sizes(tmp_path, part_size):
    with pytest.raises(SimulationError, match=r"part_size=.* is not an integer of at least 1"):
        simulate_to_parquet(tmp_path, 3, "ztf", "TDE", part_size=part_size)


def test_bad_arguments_leave_nothing_behind(tmp_path):
    folder = tmp_path / "new"
    for n, survey, classes in ((-1, "ztf", "TDE"), (1, "xyz", "TDE"), (1, "ztf", "TDX")):
        with pytest.raises(SimulationError):
            simulate_to_parquet(folder, n, survey, classes)
    with pytest.raises(SimulationError, match="window="):
        simulate_to_parquet(folder, 1, "ztf", "TDE", window=3)
    assert not folder.exists()


def test_no_objects(sncosmo_data, tmp_path):
    folder = simulate_to_parquet(tmp_path, 0, "ztf", "TDE", progress=False)
    read = LightCurves.from_parquet(folder)
    assert len(read) == 0
    assert set(read.metadata.columns) == set(simulate(0, "ztf", "TDE").metadata.columns)


# ---------------------------------------------------------------- progress


def test_progress(sncosmo_data, tmp_path, capfd):
    simulate_to_parquet(tmp_path / "quiet", 20, "ztf", "TDE", progress=False)
    quiet = capfd.readouterr()
    assert quiet.out + quiet.err == ""
    simulate_to_parquet(tmp_path / "bar", 20, "ztf", "TDE")
    assert "/20.0 [" in capfd.readouterr().err


def test_numbers_of_numpy_are_written(sncosmo_data, tmp_path):
    options = {
        "trigger": Trigger(n_det=np.int64(3), snr=np.float32(5.5)),
        "z_max": np.float32(0.3),
        "part_size": np.int64(900),
        "progress": False,
    }
    for _ in range(2):
        simulate_to_parquet(tmp_path, np.int64(3), "ztf", "TDE", **options)
    manifest = json.loads((tmp_path / MANIFEST).read_text())
    assert manifest["trigger"]["n_det"] == 3
