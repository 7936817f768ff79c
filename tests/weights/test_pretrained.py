"""Weights files: shipped ones, the user's own, and damaged ones."""

import hashlib
import subprocess
import sys

import pytest

import sklc.weights.file
from sklc import list_weights
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
    assert checkpoint.representation == InputRepresentation.from_dict(entry["input"])
    assert entry["format_version"] <= FORMAT_VERSION
    for survey in {band[:-1] for band in entry["passbands"]}:
        bands = [band for band in "ugrizy" if survey + band in entry["passbands"]]
        wavelengths = [entry["passbands"][survey + band] for band in bands]
        if not name.startswith("variables"):  # which were trained on surveys of one band, too
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
