"""The benchmark of faults: nothing is lost, and it finds what it looks for."""

import json

import numpy as np
import pytest
from benchmark_modules import benchmark_module

from sklc.networks.architectures import ARCHITECTURES
from sklc.networks.objectives.registry import OBJECTIVES

faults = benchmark_module("faults", "onnx", reason="damaged models are made with onnx")
fault_files = benchmark_module("_fault_files", "onnx", reason="damaged models are made with onnx")


@pytest.mark.slow
def test_nothing_is_lost(faults, tmp_path):
    result = faults.main(["--quick", "--output", str(tmp_path)])
    assert result["trials"] == {"killed": 8, "interrupted": 8, "disk full": 8}
    assert result["lost"] == []
    assert json.loads((tmp_path / "faults.json").read_text())["name"] == "faults"


@pytest.mark.slow
def test_every_training_goes_on_after_a_kill(faults):
    pairs = [(objective, "gru") for objective in OBJECTIVES.names()]
    pairs += [("classifier", name) for name in ARCHITECTURES.names() if name != "gru"]
    rng = np.random.default_rng(0)
    for pair in pairs:
        operation = faults.training(*pair)
        for way in ("killed", "interrupted"):
            assert faults.try_once(operation, way, rng) == "", (pair, way)


@pytest.mark.slow
def test_what_is_lost_is_found(faults):
    def write(folder, number):
        for name in "ab":
            with (folder / name).open("w") as file:
                for _ in range(2000):
                    file.write(f"{number}" * 100)

    def read(folder):
        content = {c for name in "ab" for c in (folder / name).read_text()}
        whole = (folder / "b").stat().st_size == 200_000 == (folder / "a").stat().st_size
        return int(content.pop()) if whole and len(content) == 1 else None

    careless = faults.overwriting(write, read)
    rng = np.random.default_rng(0)
    for way in faults.WAYS:
        assert any(faults.try_once(careless, way, rng) for _ in range(10)), way


@pytest.mark.parametrize("kind", ["weights", "estimators", "exported models", "checkpoints",
                                  "light curves"])  # fmt: skip
def test_damaged_files(faults, fault_files, kind):
    assert set(fault_files.KINDS) >= {kind}
    counts = {"refused": 0, "unnoticed": 0}
    n_files = 25 if kind == "checkpoints" else 80
    for number in range(n_files):
        outcome, what, _ = faults._attempt(kind, 1, number)
        assert outcome != "fault", (number, what)
        counts[outcome] += 1
    assert counts["refused"] > 0.5 * n_files
