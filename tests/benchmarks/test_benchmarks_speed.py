"""The benchmarks of speed run through, and say what they missed. Their figures are not judged."""

import json
import sys

import numpy as np
import pytest
import torch


@pytest.fixture
def load(load_module):
    pytest.importorskip("light_curve")
    return load_module


def run_quick(module, folder):
    module.main(["--quick", "--output", str(folder)])
    result = json.loads((folder / f"{module.__name__}_quick.json").read_text())
    assert result["quick"]
    assert result["versions"]["torch"]
    assert all(row[-1] in ("met", "missed") for row in result["targets"])
    return result


@pytest.mark.slow
def test_speed_inference(load, tmp_path, monkeypatch):
    module = load("speed_inference")
    monkeypatch.setitem(sys.modules, "aeon", None)  # minutes of compilation
    before = torch.get_num_threads()
    result = run_quick(module, tmp_path)
    assert torch.get_num_threads() == before
    assert [row[0] for row in result["targets"]] == list(module.TARGETS)
    assert [row["n"] for row in result["scaling"]] == [100, 400]
    assert set(result["latency"]) == {
        "OnnxModel.predict_proba",
        "TransferClassifier.predict_proba",
    }
    for own in result["rates"].values():
        assert {module.NAIVE, module.TORCH, module.ONNX, "hand-made features"} < set(own)
        assert "MiniRocket, 2 x 100" not in own
        assert all(v["per second"] > 0 for v in own.values() if isinstance(v, dict))
    assert result["difference"]["rms"] < 1e-6
    assert (tmp_path / "speed_inference_quick.png").stat().st_size > 10_000
    tables = module.markdown(result)
    assert "| naive padding |" in tables
    assert "1 thread |" in tables


@pytest.mark.slow
def test_speed_training(load, tmp_path):
    module = load("speed_training")
    result = run_quick(module, tmp_path)
    assert [row[0] for row in result["targets"]] == list(module.TARGETS)
    assert result["supcon"] > 0
    assert "packed, by length (sklc)" in module.markdown(result)
    assert (tmp_path / "speed_training_quick.png").stat().st_size > 10_000


def test_every_way_to_train_computes_the_same(load):
    module = load("speed_training")
    data = module.make_data(40)
    inputs, _ = data.collate(np.arange(40))
    logits = [
        module.new(network)(**inputs)
        for network in (
            module.PaddedNetwork,
            module.PackedNetwork,
            module.GRUNetwork,
        )
    ]
    for other in logits[1:]:
        torch.testing.assert_close(other, logits[0], rtol=1e-4, atol=1e-5)
    (one, y_one), (whole, y_whole) = (
        next(iter(batches(data, 1))) for batches in (module.one_by_one, module.in_any_order)
    )
    assert torch.equal(y_one, y_whole)
    assert torch.equal(one["values"], whole["values"])


def test_every_way_to_encode_computes_the_same(load):
    module = load("speed_inference")
    curves = module.make_curves(60)
    encoder = module.LightCurveEncoder("ztf", device="cpu").fit(curves[:1])
    expected = module.by_engine("torch", encoder, curves)
    np.testing.assert_allclose(module.by_engine("onnx", encoder, curves), expected, atol=1e-4)
    assert module.ENGINE_VARIABLE not in module.os.environ


def test_lengths_are_those_of_a_survey(load):
    lengths = load("_speed").make_lengths(200_000)
    assert np.median(lengths) == pytest.approx(59, abs=1)
    assert lengths.mean() == pytest.approx(76, abs=1.5)
    assert (lengths.min(), lengths.max()) == (3, 587)


@pytest.mark.slow
def test_speed_containers(load, tmp_path):
    module = load("speed_containers")
    result = run_quick(module, tmp_path)
    assert not result["import"]["torch"]
    assert set(result["grid search"]) == {"seconds, first", "seconds, second", "mapped"}
    assert "take 80 % of the objects" in result["cpu_ms"]


@pytest.mark.slow
def test_speed_gpu_without_one(load, tmp_path, capsys, monkeypatch):
    module = load("speed_gpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit):
        module.main(["--output", str(tmp_path)])
    assert "torch finds no GPU here" in capsys.readouterr().err
    result = run_quick(module, tmp_path)
    assert set(result["pretrain"]) == {"classifier", "contrastive", "adversarial"}
    assert result["encode"]["rms difference to the processor, over sd"] < 1e-5


def test_targets_are_met_or_missed(load):
    table = load("_speed").targets_table(
        {"a": (">=", 2.0, "x"), "b": ("<=", 5.0, "s"), "c": ("<=", 1.0, "")}, {"a": 1.0, "b": 5.0}
    )
    assert table == [["a", ">= 2 x", "1 x", "missed"], ["b", "<= 5 s", "5 s", "met"]]
