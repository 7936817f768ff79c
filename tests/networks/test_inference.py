"""Encoding with ONNX Runtime, torch, threads, a device: the same latents, in little memory."""

import gc
import sys
import threading
import tracemalloc
import warnings
import weakref

import numpy as np
import pytest
import torch
from small import curves_of

from sklc import InputRepresentation, LightCurveEncoder, list_weights
from sklc.datasets import load_demo
from sklc.errors import PerformanceWarning
from sklc.networks.architectures import GRU, NetworkShape
from sklc.networks.inference import device as gpu_inference
from sklc.networks.inference import encode as inference
from sklc.networks.inference.encode import encode_latents
from sklc.networks.onnx.graph import Graph
from sklc.networks.padding import pad
from sklc.networks.recurrent import engines as recurrence

ENGINES = ["onnx", "torch"]
RELATIVE = InputRepresentation.preset("relative")


def network_of(hidden_size=20, n_metadata=0, n_layers=2):
    torch.manual_seed(0)
    shape = NetworkShape(RELATIVE.channels, 3, n_metadata)
    return GRU(hidden_size=hidden_size, latent_size=12, n_layers=n_layers).build(shape).eval()


@pytest.fixture(params=ENGINES)
def engine(request, monkeypatch):
    monkeypatch.setenv("SKLC_INFERENCE", request.param)
    return request.param


@pytest.fixture(autouse=True)
def fresh_warnings():
    """Messages that are given once per process are given again in each test."""
    recurrence._said.clear()
    yield
    recurrence._said.clear()


@pytest.fixture
def two_threads():
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(1)


@pytest.mark.parametrize("weights", sorted(w for w in list_weights() if w[-1].isdigit()))
def test_both_engines_agree_on_real_weights(weights, monkeypatch):
    curves, latents = load_demo().curves[:200], {}
    for name in ENGINES:
        monkeypatch.setenv("SKLC_INFERENCE", name)
        latents[name] = LightCurveEncoder(weights, device="cpu").transform(curves)
    difference = (latents["onnx"] - latents["torch"]) / latents["torch"].std()
    # Latents of weights for any survey tell finer differences, and rounding with them.
    assert np.sqrt(np.mean(difference**2)) < (3e-6 if weights.startswith("any") else 1e-6)
    # Rounding of float32 over a hundred steps; the engines are as far from float64 themselves.
    assert np.abs(difference).max() < 5e-5


@pytest.mark.parametrize("n_layers", [1, 2, 3])
@pytest.mark.parametrize("hidden_size", [5, 8, 100])
def test_both_engines_compute_what_torch_does(engine, n_layers, hidden_size):
    network = network_of(hidden_size, n_layers=n_layers)
    curves = curves_of(np.random.default_rng(9).integers(1, 60, 250))
    values, lengths = RELATIVE.encode(curves)
    padded = torch.from_numpy(pad(values, np.cumsum(lengths) - lengths, lengths))
    n = torch.from_numpy(lengths)
    with torch.inference_mode():
        states = network.gru(padded)[0][torch.arange(len(n)), n - 1]
        expected = network.to_latent(states)
    np.testing.assert_allclose(encode_latents(network, RELATIVE, curves), expected, atol=2e-6)


@pytest.mark.parametrize("hidden_size", [5, 8, 20, 100, 128])
def test_an_object_is_the_same_in_every_batch(engine, hidden_size):
    network = network_of(hidden_size)
    curves = curves_of(np.random.default_rng(2).integers(1, 60, 150))
    together = encode_latents(network, RELATIVE, curves)
    for size in (1, 2, 3, 4, 5, 7, 15, 17, 33):
        for start in range(0, 150 - size, 29):
            alone = encode_latents(network, RELATIVE, curves[start : start + size])
            # Layers whose width is no multiple of 4 may still differ by the last bit.
            atol = 1e-7 if hidden_size % 4 else 0
            np.testing.assert_allclose(alone, together[start : start + size], rtol=0, atol=atol)


def test_threads_change_nothing_and_leave_no_trace(engine, two_threads):
    network = network_of()
    curves = curves_of(np.random.default_rng(3).integers(1, 400, 400))
    in_two = encode_latents(network, RELATIVE, curves)
    assert torch.get_num_threads() == 2
    torch.set_num_threads(1)
    np.testing.assert_array_equal(encode_latents(network, RELATIVE, curves), in_two)


@pytest.mark.parametrize("sizes", [(1_000, 300), (10_000, 7)])
def test_parts_and_pieces_change_nothing(engine, two_threads, monkeypatch, sizes):
    network = network_of(n_metadata=1)
    curves = curves_of(np.random.default_rng(10).integers(1, 400, 300))
    metadata = np.random.default_rng(11).normal(size=(300, 1)).astype(np.float32)
    whole = encode_latents(network, RELATIVE, curves, metadata)
    monkeypatch.setattr(inference, "_PART_OBSERVATIONS", sizes[0])
    monkeypatch.setattr(inference, "_PIECE_OBSERVATIONS", sizes[1])
    np.testing.assert_array_equal(encode_latents(network, RELATIVE, curves, metadata), whole)


def test_an_error_in_a_thread_reaches_the_caller(engine, two_threads, monkeypatch):
    def fail(self, curves):
        raise FloatingPointError(threading.current_thread().name)

    monkeypatch.setattr(InputRepresentation, "encode", fail)
    curves = curves_of(np.full(400, 200))
    with pytest.raises(FloatingPointError, match="ThreadPool"):
        encode_latents(network_of(), RELATIVE, curves)
    assert torch.get_num_threads() == 2


def test_metadata_go_with_their_objects(engine, two_threads):
    network = network_of(n_metadata=2)
    curves = curves_of(np.random.default_rng(4).integers(1, 300, 400))
    metadata = np.random.default_rng(5).normal(size=(400, 2)).astype(np.float32)
    metadata[::7, 0] = np.nan
    whole = encode_latents(network, RELATIVE, curves, metadata)
    rows = np.array([399, 7, 120])
    np.testing.assert_array_equal(
        encode_latents(network, RELATIVE, curves[rows], metadata[rows]), whole[rows]
    )
    assert not np.array_equal(encode_latents(network, RELATIVE, curves, metadata[::-1]), whole)


@pytest.mark.slow
def test_a_very_long_light_curve_among_short_ones(engine):
    # A step of torch costs a few microseconds, and tracing them more.
    longest = {"onnx": 100_000, "torch": 10_000}[engine]
    curves = curves_of([20] * 300 + [longest] + [20] * 300)
    tracemalloc.start()
    latents = encode_latents(network_of(8), RELATIVE, curves)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # Padded to the longest they would take 600 x longest x 7 x 4 bytes, 1.7 GB or 170 MB.
    assert peak < 0.1 * 600 * longest * 28
    np.testing.assert_array_equal(latents[:1], encode_latents(network_of(8), RELATIVE, curves[:1]))


def test_sessions_follow_the_weights_and_end_with_them(monkeypatch):
    monkeypatch.setenv("SKLC_INFERENCE", "onnx")
    network, curves = network_of(), curves_of([5, 9, 30])
    before = encode_latents(network, RELATIVE, curves)
    with torch.no_grad():
        network.gru.weight_hh_l1.mul_(0.5)
    after = encode_latents(network, RELATIVE, curves)
    monkeypatch.setenv("SKLC_INFERENCE", "torch")
    np.testing.assert_allclose(encode_latents(network, RELATIVE, curves), after, atol=1e-6)
    assert np.abs(after - before).max() > 1e-3
    gru = weakref.ref(network.gru)
    del network
    gc.collect()
    assert gru() is None


def test_sessions_are_made_once(monkeypatch):
    monkeypatch.setenv("SKLC_INFERENCE", "onnx")
    made = []
    real = recurrence.OnnxRecurrence
    monkeypatch.setattr(recurrence, "OnnxRecurrence", lambda model: made.append(1) or real(model))
    network, curves = network_of(), curves_of([5, 9, 30])
    for _ in range(3):
        encode_latents(network, RELATIVE, curves)
    assert len(made) == 1


# -- without ONNX Runtime


def test_without_onnx_runtime_many_light_curves_are_worth_a_word_once(monkeypatch):
    monkeypatch.delenv("SKLC_INFERENCE", raising=False)
    monkeypatch.setattr(recurrence, "_missing", lambda: "onnxruntime")
    monkeypatch.setattr(recurrence, "_MANY", 50)
    network = network_of(8)
    few, many = curves_of([4] * 49), curves_of([4] * 50)
    with warnings.catch_warnings(action="error"):
        encode_latents(network, RELATIVE, few)
    with pytest.warns(PerformanceWarning, match=r"onnxruntime is not.*pip install sklc\[fast\]"):
        encode_latents(network, RELATIVE, many)
    with warnings.catch_warnings(action="error"):
        encode_latents(network, RELATIVE, curves_of([4] * 51))  # another number, the same message


def test_the_missing_package_is_named(monkeypatch):
    recurrence._missing.cache_clear()
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: None if name == "onnx" else object()
    )
    assert recurrence._missing() == "onnx"
    recurrence._missing.cache_clear()


def test_onnx_runtime_asked_for_but_missing(monkeypatch):
    monkeypatch.setenv("SKLC_INFERENCE", "onnx")
    monkeypatch.setattr(recurrence, "_missing", lambda: "onnxruntime")
    with pytest.raises(ImportError, match=r"needs onnxruntime: pip install sklc\[fast\]"):
        encode_latents(network_of(), RELATIVE, curves_of([5]))


def test_an_onnx_runtime_that_cannot_run_the_network(monkeypatch):
    """A build without an operator: torch goes on, and says so once."""
    monkeypatch.delenv("SKLC_INFERENCE", raising=False)

    def with_an_unknown_operator(gru):
        graph = Graph()
        inputs = graph.add_input("observations", np.float32, [1])
        graph.add_output("after_0", graph.apply("Gated", inputs, domain="sklc"), np.float32, [1])
        proto = graph.onnx.helper.make_model(graph.build(), ir_version=7, opset_imports=[
            graph.onnx.helper.make_opsetid(domain, 1) for domain in ("", "sklc")
        ])  # fmt: skip
        return proto.SerializeToString()

    network, curves = network_of(), curves_of([5, 9, 30])
    monkeypatch.setenv("SKLC_INFERENCE", "torch")
    expected = encode_latents(network, RELATIVE, curves)
    monkeypatch.delenv("SKLC_INFERENCE")
    monkeypatch.setattr(
        "sklc.networks.recurrent.onnx_loop.recurrent_model", with_an_unknown_operator
    )
    monkeypatch.setattr(recurrence, "_SESSIONS", recurrence._Sessions())
    with pytest.warns(PerformanceWarning, match=r"Gated.*so torch does.*upgrade"):
        latents = encode_latents(network, RELATIVE, curves)
    np.testing.assert_array_equal(latents, expected)
    with warnings.catch_warnings(action="error"):
        encode_latents(network, RELATIVE, curves)
    monkeypatch.setenv("SKLC_INFERENCE", "onnx")
    with pytest.raises(Exception, match="Gated"):
        encode_latents(network, RELATIVE, curves)


def test_unknown_engine(monkeypatch):
    monkeypatch.setenv("SKLC_INFERENCE", "tensorrt")
    with pytest.raises(ValueError, match=r"SKLC_INFERENCE is 'tensorrt': set it to 'onnx'"):
        encode_latents(network_of(), RELATIVE, curves_of([5]))


# -- on a device, here the CPU in its place


def encode_there(network, curves, metadata=None):
    latents = np.empty((len(curves), 12), dtype=np.float32)
    device = torch.device("cpu")
    gpu_inference.encode_on_device(network, RELATIVE, curves, metadata, latents, device)
    return latents


@pytest.mark.parametrize("part", [10**6, 500])
def test_the_device_gives_the_same_latents(monkeypatch, part):
    monkeypatch.setattr(gpu_inference, "_PART_OBSERVATIONS", part)
    monkeypatch.setattr(gpu_inference, "_BATCH_OBSERVATIONS", 3000)
    network = network_of(n_metadata=1)
    curves = curves_of([*np.random.default_rng(6).integers(1, 80, 90), 5000])
    metadata = np.random.default_rng(7).normal(size=(91, 1)).astype(np.float32)
    there = encode_there(network, curves, metadata)
    np.testing.assert_allclose(
        there, encode_latents(network, RELATIVE, curves, metadata), atol=1e-5
    )
    assert encode_there(network, curves[:0], metadata[:0]).shape == (0, 12)


def short_of_memory(monkeypatch, most):
    """A network whose device has room for so many objects at a time."""
    real, sizes = GRU.network.state, []

    def state(self, values, lengths):
        if len(lengths) > most:
            raise torch.OutOfMemoryError("out of memory")
        sizes.append(len(lengths))
        return real(self, values, lengths)

    monkeypatch.setattr(GRU.network, "state", state)
    return sizes


def test_a_device_that_is_out_of_memory_gets_smaller_batches(monkeypatch):
    network, curves = network_of(), curves_of(np.random.default_rng(8).integers(1, 50, 100))
    expected = encode_there(network, curves)
    sizes = short_of_memory(monkeypatch, 30)
    with pytest.warns(PerformanceWarning) as told:
        latents = encode_there(network, curves)
    np.testing.assert_allclose(latents, expected, atol=1e-6)
    assert sizes == [25, 25, 25, 25]
    assert ["with 100" in str(w.message) for w in told] == [True, False]
    assert "going on with 25" in str(told[1].message)


def test_a_device_without_room_for_one_light_curve(monkeypatch):
    short_of_memory(monkeypatch, 0)
    with (
        pytest.warns(PerformanceWarning),
        pytest.raises(MemoryError, match="for a single light curve: free some, or use device"),
    ):
        encode_there(network_of(), curves_of([5, 6]))


@pytest.mark.slow
def test_import_of_the_engine_is_left_to_the_first_use():
    import subprocess

    code = (
        "import sys, sklc, sklc.estimators.encoder; "
        "assert 'onnxruntime' not in sys.modules and 'onnx' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
