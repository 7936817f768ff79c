"""Weights that cannot be used: one error that names the file, before anything is trained."""

import hashlib
import json
import pickle
import shutil

import numpy as np
import pytest
from bad_input_cases import (
    curves,
    flipped,
    forbid_running,
    labels,
    other_file,
    write_header,
    write_weights,
)

import sklc.weights.file
from sklc import InputRepresentation, LightCurveEncoder, TransferClassifier, list_weights
from sklc.errors import UnknownWeightsError, WeightsError
from sklc.weights.catalogue import FOLDER
from sklc.weights.file import FORMAT_VERSION


@pytest.fixture
def nothing_runs(monkeypatch):
    forbid_running(monkeypatch)


def every_use(weights):
    """All the ways to name weights, up to the error."""
    return [
        lambda: LightCurveEncoder(weights).fit(curves()),
        lambda: LightCurveEncoder(weights).transform(curves()),
        lambda: LightCurveEncoder.pretrained(weights),
        lambda: TransferClassifier(weights).fit(curves(), labels()),
        lambda: TransferClassifier(LightCurveEncoder(weights)).fit(curves(), labels()),
        lambda: TransferClassifier.pretrained(weights),
    ]


@pytest.mark.parametrize("use_weights", range(6))
@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ("ztf-lsst", "'ztf-lsst' is not known"),
        (
            "folder/gone.safetensors",
            r"no weights file .*gone\.safetensors.*LightCurveEncoder\.save",
        ),
    ],
)
def test_unknown_weights_list_the_names(nothing_runs, weights, message, use_weights):
    with pytest.raises(UnknownWeightsError, match=message) as error:
        every_use(weights)[use_weights]()
    assert all(repr(name) in str(error.value) for name in list_weights())


def with_a_new_field():
    return {**InputRepresentation.preset("papers").to_dict(), "new_field": 1}


DAMAGED = {
    "cut short": (lambda: write_weights(lambda b: b[: len(b) // 2]), "damaged"),
    "cut in the header": (lambda: write_weights(lambda b: b[:100]), "damaged"),
    "one byte short": (lambda: write_weights(lambda b: b[:-1]), "damaged"),
    "a flipped byte": (lambda: write_weights(lambda b: flipped(b, -1000)), "checksum"),
    "a newer format with new fields": (
        lambda: write_header(format_version=FORMAT_VERSION + 1, input=[]),
        "upgrade",
    ),
    "no version": (lambda: write_header(format_version=None), "damaged"),
    "other classes": (lambda: write_header(classes=["SNIa"]), "damaged"),
    "other channels": (lambda: write_header(representation={"channels": ["time"]}), "damaged"),
    "an unknown field": (lambda: write_header(representation=with_a_new_field()), "new_field"),
    "no channels": (lambda: write_header(representation=None), "damaged"),
    "other metadata": (lambda: write_header(metadata_columns=["mwebv"]), "damaged"),
    "another network": (lambda: write_header(architecture={"n_channels": 7}), "damaged"),
    "a table": (lambda: other_file(b"object_id,mjd,flux\nSN1,59000,1\n"), "something else"),
    "a pickle": (lambda: other_file(pickle.dumps({"weight": 1})), "something else"),
    "empty": (lambda: other_file(b""), "something else"),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_file_is_one_error(nothing_runs, damage, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write, words = DAMAGED[damage]
    path = write()
    for use_weights in every_use(path):
        with pytest.raises(WeightsError, match=words) as error:
            use_weights()
        assert "mine.safetensors" in str(error.value)
        assert not isinstance(error.value, UnknownWeightsError)


@pytest.mark.slow
def test_no_flipped_bit_goes_unnoticed(tmp_path):
    """Neither in the tensors nor in the input convention, which would change every result."""
    path = tmp_path / "small.safetensors"
    encoder = LightCurveEncoder(hidden_size=8, latent_size=6, max_epochs=1, random_state=0)
    encoder.fit(curves(), labels())
    content = encoder.save(path, note="made for this test").read_bytes()
    header = int.from_bytes(content[:8], "little") + 8
    rng = np.random.default_rng(0)
    positions = [*range(header), *rng.integers(header, len(content), 200)]
    original = sklc.weights.file.WeightsFile.read(path)
    for position in positions:
        spoilt = bytearray(content)
        spoilt[position] ^= 1 << int(rng.integers(8))
        path.write_bytes(spoilt)
        try:
            read = sklc.weights.file.WeightsFile.read(path)
        except WeightsError:
            continue
        same = all(np.array_equal(read.tensors[k], v) for k, v in original.tensors.items())
        assert same, position
        for name in ("architecture", "representation", "classes", "metadata_columns", "info"):
            assert getattr(read, name) == getattr(original, name), position


def test_shipped_weights_must_match_the_manifest(nothing_runs, tmp_path, monkeypatch):
    shutil.copytree(FOLDER, tmp_path / "weights")
    monkeypatch.setattr(sklc.weights.file, "FOLDER", tmp_path / "weights")
    known = json.loads((FOLDER / "manifest.json").read_text())
    for name, entry in known["weights"].items():
        file = tmp_path / "weights" / entry["file"]
        assert hashlib.sha256(file.read_bytes()).hexdigest() == entry["sha256"]
        file.write_bytes(flipped(file.read_bytes(), -1))
        for use_weights in every_use(name):
            with pytest.raises(WeightsError, match=rf"{file.name}.*sha256.*reinstall"):
                use_weights()
        file.unlink()
        with pytest.raises(WeightsError, match="is missing: reinstall"):
            every_use(name)[0]()
