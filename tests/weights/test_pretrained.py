"""Weights files: shipped ones, the user's own, and damaged ones."""

import hashlib
import json
import subprocess
import sys

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import sklc.weights.file
from sklc import list_weights
from sklc.errors import UnknownWeightsError, WeightsError
from sklc.networks.architectures import GRU, NetworkShape
from sklc.representation import InputRepresentation
from sklc.weights.file import FORMAT_VERSION, WeightsFile, load_weights, manifest

FOLDER = sklc.weights.catalogue.FOLDER


@pytest.fixture
def path(tmp_path):
    representation = InputRepresentation.preset("papers")
    network = GRU(hidden_size=3, latent_size=5).build(NetworkShape(representation.channels, 2))
    checkpoint = WeightsFile.from_network(network, representation, ["a", "b"], info={"seed": 3})
    return checkpoint.save(tmp_path / "mine.safetensors")


@pytest.mark.parametrize("name", manifest()["weights"])
def test_manifest_is_complete_and_true(name):
    entry = manifest()["weights"][name]
    path = FOLDER / entry["file"]
    assert hashlib.sha256(path.read_bytes()).hexdigest() == entry["sha256"]
    assert path.stat().st_size < 2_000_000
    assert entry["licence"] == "BSD-3-Clause"
    assert {"training_data", "seed", "metrics", "passbands", "version", "summary"} <= set(entry)
    checkpoint = load_weights(name)
    assert list(checkpoint.classes) == entry["classes"]
    assert checkpoint.representation.to_dict() == entry["input"]
    assert entry["format_version"] <= FORMAT_VERSION
    for survey in {band[:-1] for band in entry["passbands"]}:
        bands = [band for band in "ugrizy" if survey + band in entry["passbands"]]
        wavelengths = [entry["passbands"][survey + band] for band in bands]
        assert len(bands) > 1
        assert wavelengths == sorted(wavelengths)


def test_every_file_is_in_the_manifest_and_names_have_versions():
    known = manifest()
    files = {entry["file"] for entry in known["weights"].values()}
    assert files == {path.name for path in FOLDER.glob("*.safetensors")}
    for alias, name in known["aliases"].items():
        assert name.startswith(f"{alias}-v")
        assert load_weights(alias) is load_weights(name)
    assert {"ztf", "ztf+lsst"} <= set(list_weights())


def test_round_trip(path):
    checkpoint = load_weights(path)
    assert checkpoint.classes == ("a", "b")
    assert checkpoint.info == {"seed": 3}
    assert checkpoint.architecture["hidden_size"] == 3
    network = checkpoint.build()
    network.head.weight.data.zero_()  # a fresh module each time: the file is not touched
    assert checkpoint.build().head.weight.abs().sum() > 0


def test_names_and_headers_need_no_torch():
    code = (
        "import sys, sklc.weights.file, sklc.serving.model; sklc.list_weights(); "
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_rewritten_file_is_read_again(path):
    before = load_weights(path)
    shape = NetworkShape(before.representation.channels, 2)
    network = GRU(hidden_size=6, latent_size=5).build(shape)
    WeightsFile.from_network(network, before.representation, ["x", "y"]).save(path)
    assert load_weights(path).classes == ("x", "y")


@pytest.mark.parametrize("keep", [0, 5, 60, -1])
def test_a_truncated_file_is_refused(path, keep):
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(WeightsError, match=r"mine.safetensors is damaged .*Copy it again"):
        load_weights(path)


@pytest.mark.parametrize("where", [0.1, 0.5, 0.8, 0.999])
def test_a_flipped_byte_is_refused(path, where):
    data = bytearray(path.read_bytes())
    data[int(where * len(data))] ^= 0x5A
    path.write_bytes(bytes(data))
    with pytest.raises(WeightsError):
        load_weights(path)


def test_a_newer_format_says_to_upgrade(path):
    rewrite_header(path, format_version=FORMAT_VERSION + 1)
    with pytest.raises(WeightsError, match="pip install --upgrade sklc"):
        load_weights(path)


def test_an_unknown_input_convention_is_refused(path):
    representation = {**InputRepresentation.preset("papers").to_dict(), "new_field": 1}
    rewrite_header(path, representation=representation)
    with pytest.raises(WeightsError, match="new_field"):
        load_weights(path)


def test_a_foreign_safetensors_file_is_refused(tmp_path):
    path = tmp_path / "other.safetensors"
    save_file({"x": np.zeros(3, dtype=np.float32)}, path)
    with pytest.raises(WeightsError, match=r"not one written by sklc.*save\(path\)"):
        load_weights(path)


def test_a_wrong_sha256_in_the_package_is_refused(monkeypatch):
    known = manifest()
    name = known["aliases"]["ztf"]
    known["weights"][name]["sha256"] = "0" * 64
    monkeypatch.setattr(sklc.weights.file, "manifest", lambda: known)
    with pytest.raises(WeightsError, match="its sha256 is not the one in the manifest"):
        load_weights("ztf")


def test_a_missing_name_lists_the_names():
    with pytest.raises(UnknownWeightsError, match=r"'des' is not known.*'ztf\+lsst'"):
        load_weights("des")
    with pytest.raises(UnknownWeightsError, match=r"no weights file .*gone\.safetensors"):
        load_weights("folder/gone.safetensors")


def rewrite_header(path, **changes):
    raw = path.read_bytes()
    size = int.from_bytes(raw[:8], "little")
    header = json.loads(json.loads(raw[8 : 8 + size])["__metadata__"]["sklc"])
    tensors = load_file(path)
    save_file(tensors, path, metadata={"sklc": json.dumps({**header, **changes})})
