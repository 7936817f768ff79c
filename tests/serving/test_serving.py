"""Exported models: the same predictions as in torch, in any runtime, with their convention."""

import json
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
import pytest
from small import few_folds  # noqa: F401

from sklc import LightCurveEncoder, RedshiftRegressor, TransferClassifier
from sklc.errors import LightCurveError, WeightsError
from sklc.serving import OnnxModel
from sklc.serving.checksum import SLOT, sealed


def with_metadata(curves):
    rng = np.random.default_rng(0)
    offset = rng.normal(size=len(curves))
    offset[::5] = np.nan
    return curves.with_metadata(offset=offset, host=rng.normal(size=len(curves)))


CLASSIFIERS = {
    "linear head": {},
    "no pooling": {"prior_labels": 0},
    "hidden layers": {"head_sizes": (8, 6), "max_epochs": 3},
    "calibrated": {"calibrate": "temperature"},
    "metadata of the head": {"metadata_columns": ["offset", "host"]},
    "fine-tuned": {"finetune": "all", "max_epochs": 1},
    "from scratch": {"encoder": None, "max_epochs": 1},
    "an encoder with metadata": {
        "encoder": LightCurveEncoder(metadata_columns=["offset"], hidden_size=8, max_epochs=1),
        "metadata_columns": ["host"],
    },
}


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classifier_predicts_as_in_torch(name, demo, tmp_path):
    curves, y = with_metadata(demo[0]), demo[1]
    options = {"encoder": "ztf", "device": "cpu", "random_state": 0, **CLASSIFIERS[name]}
    if isinstance(options["encoder"], LightCurveEncoder):
        options["encoder"].fit(curves[::3], y[::3])
    classifier = TransferClassifier(**options).fit(curves[::3], y[::3])
    path = classifier.to_onnx(tmp_path / "classifier.onnx")
    model, test = OnnxModel(path), curves[1:90:3]
    expected = classifier.predict_proba(test)
    np.testing.assert_allclose(model.predict_proba(test), expected, atol=2e-5)
    np.testing.assert_array_equal(model.predict(test), classifier.predict(test))
    np.testing.assert_array_equal(model.classes_, classifier.classes_)
    assert model.predict_proba(test[:0]).shape == (0, 3)
    latent = classifier.encoder_.transform(test)
    np.testing.assert_allclose(model.transform(test), latent, atol=1e-4 * latent.std())


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"class_prior": "magnitude-limited"},
        {"merge_classes": {"Ia": ["SNIa", "SNIax", "SNIa-91bg"], "II": ["SNII", "SNIIn"]}},
    ],
)
def test_the_classes_of_the_weights(options, demo, tmp_path):
    classifier = TransferClassifier.pretrained("ztf+lsst", device="cpu", **options)
    model = OnnxModel(classifier.to_onnx(tmp_path / "own.onnx"))
    test = demo[0][:60]
    expected = classifier.predict_proba(test)
    np.testing.assert_allclose(model.predict_proba(test), expected, atol=2e-5)
    assert model.classes_.tolist() == classifier.classes_.tolist()


def test_encoder_with_redshifts(demo, tmp_path):
    encoder = LightCurveEncoder("ztf+lsst-contrastive", device="cpu")
    model = OnnxModel(encoder.to_onnx(tmp_path / "encoder.onnx"))
    assert model.outputs == ("latent", "probabilities", "redshift")
    test = demo[0][:60]
    latent = encoder.transform(test)
    np.testing.assert_allclose(model.transform(test), latent, atol=1e-4 * latent.std())
    assert model.predict_proba(test).sum(axis=1) == pytest.approx(1, abs=1e-5)
    own = RedshiftRegressor.pretrained("ztf+lsst-contrastive", device="cpu")
    expected = own._mean_and_scale(test)
    np.testing.assert_allclose(model.run(test, "redshift"), expected, rtol=1e-3, atol=1e-5)


def test_labels_keep_their_type(demo, tmp_path):
    y = (demo[1] == "SNIa").astype(int)
    classifier = TransferClassifier("ztf", device="cpu", random_state=0).fit(demo[0][::3], y[::3])
    model = OnnxModel(classifier.to_onnx(tmp_path / "two.onnx"))
    assert model.predict(demo[0][:5]).dtype.kind == "i"
    assert model.classes_.tolist() == [0, 1]


def test_file_says_how_to_make_its_input(demo, tmp_path):
    """What a program in another language does: read the convention, pad, run."""
    encoder = LightCurveEncoder("ztf", device="cpu")
    path = encoder.to_onnx(str(tmp_path / "encoder.onnx"))
    onnx.checker.check_model(onnx.load(path), full_check=True)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    convention = json.loads(session.get_modelmeta().custom_metadata_map["sklc"])
    assert convention["representation"]["channels"] == list(encoder.fit(demo[0][:1])
                                                            .representation_.channels)  # fmt: skip
    assert [i.name for i in session.get_inputs()] == ["values", "lengths"]
    assert session.get_inputs()[0].shape == ["n_objects", "longest", 7]
    values, lengths = encoder.representation_.encode(demo[0][:2])
    padded = np.full((2, lengths.max() + 9, 7), 1e3, np.float32)  # padding is not looked at
    for row, part in enumerate(np.split(values, [lengths[0]])):
        padded[row, : lengths[row]] = part
    latent = session.run(["latent"], {"values": padded, "lengths": lengths.astype(np.int32)})[0]
    expected = encoder.transform(demo[0][:2])
    np.testing.assert_allclose(latent, expected, atol=1e-4 * expected.std())


def test_serving_does_without_torch(demo, tmp_path):
    classifier = TransferClassifier.pretrained("ztf+lsst", device="cpu")
    path = classifier.to_onnx(tmp_path / "own.onnx")
    code = (
        "import sys; from sklc.serving import OnnxModel; from sklc.datasets import load_demo; "
        f"print(OnnxModel({str(path)!r}).predict(load_demo().curves[:3]).tolist()); "
        "assert 'torch' not in sys.modules and 'onnx' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(classifier.predict(demo[0][:3]).tolist())


# -- bad input


def test_missing_and_damaged_files(tmp_path):
    with pytest.raises(WeightsError, match=r"no file .*gone.onnx: write it with"):
        OnnxModel(tmp_path / "gone.onnx")
    (tmp_path / "text.onnx").write_text("not a model")
    with pytest.raises(WeightsError, match=r"text.onnx is not a model that this ONNX Runtime"):
        OnnxModel(tmp_path / "text.onnx")


def test_models_of_others_and_of_later_versions(tmp_path):
    path = LightCurveEncoder("ztf").to_onnx(tmp_path / "encoder.onnx")
    model = onnx.load(path)
    convention = json.loads(model.metadata_props[0].value)
    later = {**convention, "format_version": 99, "checksum": SLOT}
    onnx.helper.set_model_props(model, {"sklc": json.dumps(later)})
    (tmp_path / "later.onnx").write_bytes(sealed(model.SerializeToString()))
    with pytest.raises(WeightsError, match=r"has format 99, and this sklc reads up to 4: upgrade"):
        OnnxModel(tmp_path / "later.onnx")
    del model.metadata_props[:]
    onnx.save(model, tmp_path / "other.onnx")
    with pytest.raises(WeightsError, match=r"not one written by sklc"):
        OnnxModel(tmp_path / "other.onnx")


def test_missing_metadata(demo, tmp_path):
    curves = with_metadata(demo[0][:60])
    classifier = TransferClassifier("ztf", metadata_columns=["host"], device="cpu", random_state=0)
    classifier.fit(curves, demo[1][:60])
    model = OnnxModel(classifier.to_onnx(tmp_path / "head.onnx"))
    assert model.metadata_columns == ("host",)
    with pytest.raises(LightCurveError, match=r"column 'host' is missing.*with_metadata"):
        model.predict(demo[0][:5])


def test_export_without_onnx(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"needs the package onnx: pip install sklc\[fast\]"):
        LightCurveEncoder("ztf").to_onnx(tmp_path / "encoder.onnx")
    assert not list(tmp_path.iterdir())


def test_serving_without_onnx_runtime(monkeypatch, tmp_path):
    path = LightCurveEncoder("ztf").to_onnx(tmp_path / "encoder.onnx")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ImportError, match=r"needs ONNX Runtime: pip install onnxruntime"):
        OnnxModel(path)


def test_a_failed_export_leaves_the_old_file(monkeypatch, tmp_path):
    path = LightCurveEncoder("ztf").to_onnx(tmp_path / "encoder.onnx")
    before = path.read_bytes()

    def fail(self, metadata=None):
        raise KeyboardInterrupt

    monkeypatch.setattr("sklc.networks.onnx.graph.Graph.serialize", fail)
    with pytest.raises(KeyboardInterrupt):
        LightCurveEncoder("ztf+lsst").to_onnx(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["encoder.onnx"]


def test_text_that_is_no_text(tmp_path):
    path = LightCurveEncoder("ztf").to_onnx(tmp_path / "spoilt.onnx")
    content = path.read_bytes()
    assert b"sha256:" in content
    assert b'"classes"' in content
    # Without its checksum, and with a byte that UTF-8 does not have.
    spoilt = content.replace(b"sha256:", b"sha257:").replace(b'"classes"', b'"\xf9lasses"')
    path.write_bytes(spoilt)
    with pytest.raises(WeightsError, match=r"spoilt\.onnx is damaged"):
        OnnxModel(path)
