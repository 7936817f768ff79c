"""Weights files of strangers: any damage and any nonsense is a WeightsError, in little memory."""

import importlib
import json
import resource
import sys
import time

import numpy as np
import pytest
import safetensors
import safetensors.numpy
from small import SMALL

from sklc import InputRepresentation, LightCurveEncoder, register_architecture
from sklc.errors import WeightsError
from sklc.networks.architectures import ARCHITECTURES, GRU
from sklc.networks.architectures.gru import GRUNetwork
from sklc.weights.file import WeightsFile, header_digest, tensor_digest


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """The header and the tensors of a small file, and its path."""
    from sklc.datasets import load_demo

    X, y = load_demo(return_X_y=True)
    path = tmp_path_factory.mktemp("weights") / "good.safetensors"
    encoder = LightCurveEncoder(redshift_weight=0.2, **{**SMALL, "max_epochs": 1})
    encoder.fit(X[:40], y[:40]).save(path, class_shares={"SNIa": 1.0}, wavelength_range=[0.4, 0.9])
    with safetensors.safe_open(path, framework="np") as handle:
        header = json.loads(handle.metadata()["sklc"])
    return header, safetensors.numpy.load_file(path), path


def written(path, header, tensors, text=None):
    if isinstance(header, dict):
        header = {**header, "tensors_sha256": tensor_digest(tensors)}
        header["header_sha256"] = header_digest(header)
    metadata = {"sklc": json.dumps(header) if text is None else text}
    path.write_bytes(safetensors.numpy.save(tensors, metadata=metadata))
    return path


def test_the_file_itself_is_good(parts, tmp_path):
    header, tensors, _ = parts
    assert WeightsFile.read(written(tmp_path / "mine.safetensors", header, tensors)).classes


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


@pytest.mark.parametrize("change", [
    {"hidden_size": 8000}, {"hidden_size": 10**6}, {"hidden_size": 10**12}, {"n_layers": 10**6},
    {"latent_size": 10**7}, {"n_metadata": 10**7}, {"heads": {"redshift": [10**7, 2]}},
    {"heads": {"more": [1] * 200_000}}, {"heads": {f"h{k}": [1] for k in range(10_000)}},
    {"context": ["mwebv"], "context_sizes": [10**6, 10**6]},
    {"context": ["mwebv"], "context_sizes": [1] * 100_000}, {"hidden_size": -1},
    {"hidden_size": 1.5}, {"hidden_size": "8"}, {"n_layers": 0}, {"hidden_size": float("inf")},
])  # fmt: skip
@pytest.mark.parametrize("few", [False, True])
def test_sizes_are_checked_before_anything_is_made(parts, tmp_path, change, few):
    header, tensors, _ = parts
    header = {**header, "architecture": {**header["architecture"], **change}}
    tensors = {"a": np.zeros(1, np.float32)} if few else tensors
    path = written(tmp_path / "mine.safetensors", header, tensors)
    before, begun = peak(), time.process_time()
    with pytest.raises(WeightsError, match=r"mine\.safetensors is damaged"):
        LightCurveEncoder.pretrained(path)
    assert peak() - before < 100
    assert time.process_time() - begun < 5


NONSENSE = {
    "format_version": (float("inf"), float("nan"), -1, True, "2", None, [2], 10**30),
    "architecture": (None, [], "gru", {}, {"name": 3}, {"name": []}),
    "representation": (None, [], {"channels": "time"}, {"channels": []}),
    "classes": (None, "abc", [[1]], [None], ["a", 1, "b"], ["a"] * 3, [1e999, 1, 2], [2**70, 1, 2]),
    "metadata_columns": (None, "abc", [1], ["a"]),
    "info": (None, [], {"class_shares": {"SNIa": float("nan")}}, {"class_shares": [1]},
             {"wavelength_range": [1]}, {"wavelength_range": [0.9, 0.4]}, {"passbands": {"g": "x"}},
             {"wavelength_range": ["a", "b"]}, {"fine_tuned": "yes"}),
}  # fmt: skip


@pytest.mark.parametrize("part", NONSENSE)
def test_nonsense_in_the_header(parts, tmp_path, part):
    header, tensors, _ = parts
    for value in NONSENSE[part]:
        path = written(tmp_path / "mine.safetensors", {**header, part: value}, tensors)
        with pytest.raises(WeightsError, match=r"mine\.safetensors"):
            LightCurveEncoder.pretrained(path)
    without = {name: value for name, value in header.items() if name != part}
    with pytest.raises(WeightsError, match=r"mine\.safetensors is damaged"):
        LightCurveEncoder.pretrained(written(path, without, tensors))


@pytest.mark.parametrize("text", ["", "{", "[1]", "7", "null", "[" * 100_000, '"a"', "{" * 2000])
def test_headers_that_are_none(parts, tmp_path, text):
    path = written(tmp_path / "mine.safetensors", None, parts[1], text)
    with pytest.raises(WeightsError, match=r"mine\.safetensors is damaged"):
        LightCurveEncoder.pretrained(path)


@pytest.mark.parametrize(
    "name",
    [
        "zero_point",
        "flux_scale",
        "flux_softening",
        "time_scale",
        "gap_scale",
        "gap_limit",
        "wavelength_scale",
        "min_snr",
    ],
)
def test_constants_of_the_representation(parts, tmp_path, name):
    header, tensors, _ = parts
    values = [float("nan"), float("inf"), "abc", None, [1.0], True]
    if name not in ("zero_point", "min_snr"):
        values += [0.0, -1.0, 1e-300]
    if name == "zero_point":
        values += [-1e4, 1e300]
    for value in values:
        changed = {**header["representation"], name: value}
        with pytest.raises(ValueError, match=f"{name}="):
            InputRepresentation.from_dict(changed)
        path = written(tmp_path / "m.safetensors", {**header, "representation": changed}, tensors)
        with pytest.raises(WeightsError, match=rf"m\.safetensors is damaged \({name}="):
            LightCurveEncoder.pretrained(path)


def test_tensors_that_give_no_numbers(parts, tmp_path):
    header, tensors, _ = parts
    path = tmp_path / "mine.safetensors"
    for name, tensor in tensors.items():
        for value in (np.nan, np.inf, 3e38):
            bad = np.full_like(tensor, value)
            written(path, header, {**tensors, name: bad})
            with pytest.raises(WeightsError, match="NaN or infinite"):
                LightCurveEncoder.pretrained(path)


@pytest.mark.parametrize("change", [
    lambda t: t.pop("latent.weight"), lambda t: t.update(more=np.zeros(3, np.float32)),
    lambda t: t.update({"latent.bias": t["latent.bias"][:-1]}),
    lambda t: t.update({"latent.bias": t["latent.bias"].astype(np.float64)}),
    lambda t: t.update({"latent.bias": t["latent.bias"].astype(np.int32)}),
    lambda t: t.update({"latent.weight": t["latent.weight"].reshape(-1)}), lambda t: t.clear(),
])  # fmt: skip
def test_tensors_of_another_network(parts, tmp_path, change):
    header, tensors, _ = parts
    tensors = dict(tensors)
    change(tensors)
    with pytest.raises(WeightsError, match=r"mine\.safetensors is damaged"):
        LightCurveEncoder.pretrained(written(tmp_path / "mine.safetensors", header, tensors))


def test_an_architecture_that_reads_its_initial_weights(demo, tmp_path):
    """It has no outline on torch's device without memory, and is built in one step."""

    class Scaled(GRUNetwork):
        def add_backbone(self, n_channels):
            size = super().add_backbone(n_channels)
            self.size = float(self.gru.weight_ih_l0.detach().abs().max().item())
            return size

    class ScaledGRU(GRU):
        network = Scaled

    register_architecture("scaled", ScaledGRU)
    try:
        architecture = ScaledGRU(hidden_size=4, latent_size=4)
        encoder = LightCurveEncoder(architecture=architecture, max_epochs=1, random_state=0)
        path = encoder.fit(*demo).save(tmp_path / "mine.safetensors")
        np.testing.assert_array_equal(
            LightCurveEncoder(path).transform(demo[0]), encoder.transform(demo[0])
        )
    finally:
        ARCHITECTURES.unregister("scaled")


def test_the_former_name_of_the_module():
    sys.modules.pop("sklc.pretrained", None)  # warns when it is imported for the first time
    with pytest.warns(FutureWarning, match=r"now called sklc\.weights\.file"):
        module = importlib.import_module("sklc.pretrained")
    assert module.WeightsFile is WeightsFile
