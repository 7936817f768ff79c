"""A short run of the fuzzer finds nothing, and the fuzzer itself finds what it looks for."""

import json
import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from sklc.errors import LightCurveError

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
try:
    import _fuzz_files
    import fuzz
finally:
    sys.path.pop(0)

INPUTS = {"containers": 300, "readers": 200, "estimators": 80, "features": 60, "augmentations": 80}


@pytest.mark.parametrize("share", [0.4, pytest.param(1.0, marks=pytest.mark.slow)])
@pytest.mark.parametrize("target", fuzz.TARGETS)
def test_nothing_is_found(target, share):
    found = fuzz.Found()
    n_inputs = round(share * INPUTS.get(target, 30))  # of each format
    for number in range(n_inputs):
        found.add(target, number, *fuzz.try_input(target, 1, number))
    assert found.faults == []
    counts = found.counts[target]
    # Input is neither all refused nor all accepted.
    assert counts.get("refused", 0) > (0.05 * n_inputs if target in INPUTS else 0)
    assert counts["ok"] > (0 if target == "readers" else 0.3 * n_inputs)


def test_an_input_comes_from_its_number():
    first = [fuzz.try_input("containers", 3, number) for number in range(20)]
    assert first == [fuzz.try_input("containers", 3, number) for number in range(20)]
    assert first != [fuzz.try_input("containers", 4, number) for number in range(20)]


def raising(error):
    def target(rng):
        raise error

    return target


@pytest.mark.parametrize(
    ("target", "outcome"),
    [
        (lambda rng: None, "ok"),
        (lambda rng: fuzz.TARGETS["never"], "fault"),  # KeyError
        (lambda rng: np.asarray(["a"]).astype(float), "fault"),  # an error of numpy's own
        (lambda rng: [].sort(key=3, reverse="x"), "fault"),
        (raising(OverflowError("34")), "fault"),
        (raising(SystemExit(1)), "fault"),
        (raising(fuzz.Fault("a row is lost")), "fault"),
        (raising(LightCurveError("on purpose, but not by the library")), "fault"),
        (lambda rng: fuzz.TARGETS["containers"][0].__globals__["as_light_curves"](3), "refused"),
        (lambda rng: fuzz.TARGETS["containers"][0].__globals__["LightCurves"](3), "refused"),
    ],
)
def test_outcomes(monkeypatch, target, outcome):
    monkeypatch.setitem(fuzz.TARGETS, "mine", (target, 1.0))
    assert fuzz.try_input("mine", 0, 0)[0] == outcome


def dying(target, seed, start, stop, in_hand, pipe):
    pipe.send([])
    for number in range(start, stop):
        in_hand.value = number
        if number == 3:
            os._exit(7)
        if number == 5:
            time.sleep(1000)
    pipe.send([(n, "ok", "", "") for n in range(start, stop)])


@pytest.mark.slow
def test_crashes_and_hangs_are_found():
    found = fuzz.Found()
    fuzz.run("augmentations", 0, 2, 8, found, work=dying, patience=2.0)
    assert found.done == {"augmentations": 8}
    assert sum(found.counts["augmentations"].values()) == 6
    assert [(f["number"], f["what"]) for f in found.faults] == [
        (3, "it crashes with exit code 7"),
        (5, "it hangs"),
    ]


@pytest.mark.slow
def test_a_run_goes_on_where_it_was(tmp_path, capsys):
    arguments = ["--targets", "augmentations", "--output", str(tmp_path)]
    first = fuzz.main(["--n", "30", *arguments])
    assert first == json.loads((tmp_path / "fuzz.json").read_text())
    assert first["n"] == 30
    assert sum(first["total"].values()) == 30
    assert first["versions"]["numpy"] == np.__version__
    second = fuzz.main(["--n", "40", *arguments])
    assert second["n"] == 40
    assert "augmentations: 40 of 40" in capsys.readouterr().out
    assert fuzz.main(["--n", "10", "--seed", "1", *arguments])["n"] == 10


def test_files_are_drawn_in_every_layout_and_damaged():
    rng = np.random.default_rng(0)
    files = [_fuzz_files.draw_file(rng) for _ in range(300)]
    assert {suffix for _, suffix in files} >= {".csv", ".json", ".parquet", ".dat", ".atlas"}
    changed = [_fuzz_files.damaged(content, rng) != content for content, _ in files]
    assert 0.3 < np.mean(changed) < 0.9
