"""`save` and `load`: the same predictions from a file without code, or one clear error."""

import builtins
import io
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import safetensors
import safetensors.numpy
from fixtures.make import FOLDER, SMALL, fixture_curves
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from small import (
    few_folds,  # noqa: F401  for all tests here
    same_weights,
)

import sklc
from sklc import (
    LatentIsolationForest,
    LightCurveEncoder,
    LightCurves,
    RedshiftRegressor,
    TransferClassifier,
)
from sklc.augment import Prefixes
from sklc.errors import LightCurveWarning, WeightsError
from sklc.features import LightCurveFeatures
from sklc.networks.architectures import GRU
from sklc.networks.objectives import Contrastive
from sklc.serving import OnnxModel
from sklc.weights.file import ESTIMATOR_KEY, header_digest, tensor_digest

FIT = {"random_state": 0, "device": "cpu"}


@pytest.fixture(scope="module")
def encoder():
    X, y = sklc.datasets.load_demo(return_X_y=True)
    return LightCurveEncoder(redshift_weight=0.3, **SMALL).fit(X[:60], y[:60])


@pytest.fixture(scope="module")
def classifier(encoder):
    X, y = sklc.datasets.load_demo(return_X_y=True)
    return TransferClassifier(encoder, C=1.0, features=None, **FIT).fit(X[:60], y[:60])


def made(kind, encoder, X, y):
    """A fitted estimator of a kind, and the methods to compare."""
    z = X.metadata["redshift"].to_numpy()
    proba, interval = ("predict_proba", "predict", "decision_function"), ("predict_interval",)
    if kind == "features, calibrated":
        options = {"C": 1.0, "calibrate": "temperature", **FIT}
        return TransferClassifier("any", **options).fit(X, y), *proba, "predict_set"
    if kind == "numbers as labels":
        options = {"C": 1.0, "features": None, "early": False, **FIT}
        return TransferClassifier(encoder, **options).fit(X, y == "SNIa"), *proba
    if kind == "merged classes of weights":
        merge = {"Ia": ["SNIa"], "II": ["SNII"]}
        return TransferClassifier.pretrained("any", merge_classes=merge), *proba, "novelty_score"
    if kind == "fine-tuned, dense head":
        options = {"finetune": "all", "head_sizes": (3,), "max_epochs": 1, "features": None, **FIT}
        columns = {"metadata_columns": ["redshift"]}
        return TransferClassifier(encoder, **options, **columns).fit(X, y), *proba, "predict_set"
    if kind == "kernel":
        return RedshiftRegressor(encoder, **FIT).fit(X, z), *interval
    if kind == "knn":
        options = {"method": "knn", "n_neighbors": 9, "features": None, **FIT}
        return RedshiftRegressor(encoder, **options).fit(X, z), *interval
    if kind == "mlp":
        options = {"method": "mlp", "head_sizes": (4,), "features": None, "max_epochs": 1, **FIT}
        return RedshiftRegressor(encoder, **options).fit(X, z), *interval
    if kind == "redshifts of weights":
        return RedshiftRegressor.pretrained("any"), *interval
    if kind == "forests per class":
        options = {"per_class": True, "features": "core", "n_estimators": 10, **FIT}
        return LatentIsolationForest(encoder, **options).fit(X, y), "anomaly_score", "predict"
    if kind == "trained encoder":
        return encoder, "transform"
    return LightCurveEncoder("ztf", min_points=2, device="cpu"), "transform"


KINDS = (
    "features, calibrated", "numbers as labels", "merged classes of weights",
    "fine-tuned, dense head", "kernel", "knn", "mlp", "redshifts of weights", "forests per class",
    "trained encoder", "named encoder",
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_to_the_bit(kind, encoder, demo, tmp_path, monkeypatch):
    X, y = demo[0][:60], demo[1][:60]
    estimator, *methods = made(kind, encoder, X, y)
    path = estimator.save(tmp_path / "mine.safetensors")
    with monkeypatch.context() as patch:  # nothing that could run code is called
        for place, name in ((pickle, "loads"), (pickle, "Unpickler"), (builtins, "eval")):
            patch.setattr(place, name, None)
        loaded = type(estimator).load(str(path))
    assert type(loaded) is type(estimator)
    assert str(loaded.get_params()) == str(estimator.get_params()) or kind != "named encoder"
    assert (
        getattr(loaded, "classes_", np.array([])).dtype
        == getattr(estimator, "classes_", np.array([])).dtype
    )
    for method in methods:
        expected = getattr(estimator, method)(demo[0][60:80])
        np.testing.assert_array_equal(getattr(loaded, method)(demo[0][60:80]), expected)
    again = loaded.save(tmp_path / "again.safetensors")
    assert again.read_bytes() == path.read_bytes()


def test_a_loaded_estimator_is_one_like_others(classifier, demo, tmp_path):
    loaded = TransferClassifier.load(classifier.save(tmp_path / "mine"))
    X, y = demo[0][:60], demo[1][:60]
    expected = classifier.predict_proba(X)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(loaded)).predict_proba(X), expected)
    np.testing.assert_array_equal(clone(loaded).fit(X, y).predict_proba(X), expected)
    model = OnnxModel(loaded.to_onnx(tmp_path / "model.onnx"))
    np.testing.assert_allclose(model.predict_proba(X), expected, atol=1e-5)
    assert list(loaded._history) == list(classifier._history)


def test_boosted_trees_are_exported_after_loading(demo, tmp_path):
    X, y = demo[0][:60], demo[1][:60]
    fitted = TransferClassifier("ztf", C=1.0, **FIT).fit(X, y)
    assert fitted.features_ is not None
    loaded = TransferClassifier.load(fitted.save(tmp_path / "mine"))
    files = [e.to_onnx(tmp_path / f"{k}.onnx") for k, e in enumerate((fitted, loaded))]
    np.testing.assert_array_equal(*(OnnxModel(file).predict_proba(X) for file in files))


def test_an_encoder_keeps_its_parameters(demo, tmp_path):
    parts = {"objective": Contrastive(temperature=0.2), "augment": [Prefixes(share=0.3)]}
    options = {"architecture": GRU(hidden_size=4, latent_size=4, n_layers=1), "max_epochs": 1}
    encoder = LightCurveEncoder(**parts, **options, learning_rate=np.float64(0.01), **FIT)
    encoder.fit(*demo)
    loaded = LightCurveEncoder.load(encoder.save(tmp_path / "mine.safetensors"))
    assert same_weights(loaded, encoder)
    assert repr(loaded) == repr(encoder)
    assert loaded.weights is None
    again = clone(loaded).fit(*demo)
    assert same_weights(again, encoder)


def test_what_an_encoder_cannot_keep_is_told(demo, tmp_path):
    encoder = LightCurveEncoder("ztf", context=None).set_params(verbose=0)
    encoder.random_state = np.random.RandomState(0)
    path = encoder.save(tmp_path / "mine.safetensors")
    with pytest.warns(LightCurveWarning, match=r"saved from an encoder with .*random_state"):
        loaded = LightCurveEncoder.load(path)
    assert loaded.random_state is None


def test_weights_of_a_file_travel_along(encoder, demo, tmp_path):
    own = encoder.save(tmp_path / "own.safetensors")
    fitted = TransferClassifier(own, C=1.0, features=None, **FIT).fit(*demo)
    path = fitted.save(tmp_path / "mine.safetensors")
    expected = fitted.predict_proba(demo[0])
    own.unlink()
    loaded = TransferClassifier.load(path)
    np.testing.assert_array_equal(loaded.predict_proba(demo[0]), expected)
    assert loaded.encoder == str(own)


def test_series_and_columns(tmp_path):
    rng = np.random.default_rng(0)
    X, y = rng.normal(10, 2, (30, 12)), np.repeat([0, 1], 15)
    encoder = LightCurveEncoder(**SMALL)
    fitted = TransferClassifier(encoder, features=None, **FIT).fit(X, y)
    loaded = TransferClassifier.load(fitted.save(tmp_path / "mine"))
    np.testing.assert_array_equal(loaded.predict_proba(X), fitted.predict_proba(X))
    with pytest.raises(ValueError, match="features"):
        loaded.predict(X[:, :5])


# -- what cannot be saved


class Mine(LightCurveFeatures):
    pass


class Equal:
    def fit(self, scores, target, sample_weight):
        return self

    def log_probabilities(self, scores):
        return scores.log_probabilities()


@pytest.mark.parametrize(("options", "message"), [
    ({"features": Mine(statistics="core", parametric_fit=False)}, "features of this.*Mine"),
    ({"features": make_pipeline(LightCurveFeatures(statistics="core", parametric_fit=False),
                                StandardScaler())}, "features of this TransferClassifier is Pipe"),
    ({"calibrate": Equal(), "features": None}, "calibrate of this TransferClassifier.*Equal"),
    ({"callbacks": [Equal()], "features": None}, r"callbacks.*set_params\(callbacks=None\)"),
])  # fmt: skip
def test_parts_of_others_are_one_error(encoder, demo, tmp_path, options, message):
    callbacks = options.pop("callbacks", None)
    fitted = TransferClassifier(encoder, C=1.0, early=False, **options, **FIT).fit(*demo)
    fitted.set_params(callbacks=callbacks)
    with pytest.raises(TypeError, match=message):
        fitted.save(tmp_path / "mine.safetensors")
    assert not list(tmp_path.iterdir())


def test_nothing_to_save(tmp_path):
    for estimator in (LightCurveEncoder(), TransferClassifier("ztf"), RedshiftRegressor("ztf"),
                      LatentIsolationForest("ztf")):  # fmt: skip
        with pytest.raises(NotFittedError):
            estimator.save(tmp_path / "mine.safetensors")
    assert not list(tmp_path.iterdir())


# -- files that cannot be loaded


def resealed(path, change):
    """Write a file again with a changed header, and checksums that fit."""
    tensors = safetensors.numpy.load_file(path)
    with safetensors.safe_open(path, framework="np") as handle:
        header = json.loads(handle.metadata()[ESTIMATOR_KEY])
    change(header, tensors)
    header["tensors_sha256"] = tensor_digest(tensors)
    header["header_sha256"] = header_digest(header)
    content = safetensors.numpy.save(tensors, metadata={ESTIMATOR_KEY: json.dumps(header)})
    path.write_bytes(content)
    return path


def hide(header, tensors):
    header["estimator"]["learned"]["predict"] = 3


def unknown_class(header, tensors):
    header["estimator"]["learned"]["_head"]["class"] = "Popen"


def other_number(header, tensors):
    header["estimator"]["learned"]["encoder_"] = {"$": "again", "number": 999}


def other_kind(header, tensors):
    header["estimator"]["learned"]["_head"] = {"$": "code", "value": "print(1)"}


def deep(header, tensors):
    tree = 0
    for _ in range(900):
        tree = [tree]
    header["estimator"]["learned"]["_head"] = tree


def nan_network(header, tensors):
    for name in tensors:
        if tensors[name].ndim == 2:
            tensors[name] = np.full_like(tensors[name], np.nan)


NONSENSE = (hide, unknown_class, other_number, other_kind, nan_network)


@pytest.mark.parametrize("change", NONSENSE)
def test_nonsense_is_one_error(classifier, tmp_path, change):
    path = resealed(classifier.save(tmp_path / "mine.safetensors"), change)
    with pytest.raises(WeightsError, match=r"mine\.safetensors is damaged"):
        TransferClassifier.load(path)


def test_other_files_are_told_apart(classifier, encoder, tmp_path):
    whole = classifier.save(tmp_path / "whole.safetensors")
    weights = encoder.save(tmp_path / "weights.safetensors")
    with pytest.raises(WeightsError, match=r"whole.*TransferClassifier\.load"):
        LightCurveEncoder(whole).transform(fixture_curves())
    with pytest.raises(WeightsError, match=r"whole.*TransferClassifier\.load"):
        LightCurveEncoder.load(whole)
    with pytest.raises(WeightsError, match=r"weights.* holds no fitted estimator"):
        TransferClassifier.load(weights)
    with pytest.raises(WeightsError, match="holds a TransferClassifier, and not a RedshiftReg"):
        RedshiftRegressor.load(whole)
    with pytest.raises(WeightsError, match=r"There is no .*gone"):
        RedshiftRegressor.load(tmp_path / "gone")
    resealed(whole, lambda header, tensors: header.update(format_version=7))
    with pytest.raises(WeightsError, match=r"has format 7.*upgrade"):
        TransferClassifier.load(whole)


def test_weights_that_this_version_does_not_have(tmp_path):
    def later(header, tensors):
        text = json.dumps(header["estimator"]).replace("any-v2", "any-v9")
        header["estimator"] = json.loads(text.replace('"any"', '"any-v9"'))

    path = TransferClassifier.pretrained("any").save(tmp_path / "mine.safetensors")
    with pytest.raises(WeightsError, match=r"needs the weights 'any-v9'.*upgrade"):
        TransferClassifier.load(resealed(path, later))


def test_no_flipped_bit_goes_unnoticed(classifier, demo, tmp_path):
    path = classifier.save(tmp_path / "mine.safetensors")
    content, rng = path.read_bytes(), np.random.default_rng(0)
    expected, n_loaded = classifier.predict_proba(demo[0][:3]), 0
    for position in rng.integers(0, len(content), 120):
        spoilt = bytearray(content)
        spoilt[position] ^= 1 << int(rng.integers(8))
        path.write_bytes(spoilt)
        try:
            loaded = TransferClassifier.load(path)
        except WeightsError:
            continue
        n_loaded += 1  # spaces at the end of the header
        np.testing.assert_array_equal(loaded.predict_proba(demo[0][:3]), expected)
    assert n_loaded < 5


# -- files of earlier versions

VERSIONS = sorted(folder.name for folder in FOLDER.glob("v*"))
CLASSES = {
    "encoder": LightCurveEncoder, "classifier": TransferClassifier,
    "regressor": RedshiftRegressor, "forest": LatentIsolationForest,
}  # fmt: skip


def test_there_are_fixtures_of_this_version():
    assert f"v{sklc.__version__}" in VERSIONS


@pytest.mark.parametrize("version", VERSIONS)
def test_what_earlier_versions_wrote(version):
    files = sorted((FOLDER / version).glob("*.safetensors"))
    assert len(files) == 8
    for file in files:
        loaded = CLASSES[file.stem.partition("_")[0]].load(file)
        with np.load(file.with_suffix(".npz")) as known:
            for method, expected in known.items():
                said = getattr(loaded, method)(fixture_curves())
                np.testing.assert_allclose(said, expected, rtol=1e-6, atol=1e-6, err_msg=file.name)
    for file in (FOLDER / version).glob("*.onnx"):
        model, known = OnnxModel(file), np.load(file.with_suffix(".npz"))
        for method in {"transform", "predict_proba"} & set(known):
            said = getattr(model, method)(fixture_curves())
            np.testing.assert_allclose(said, known[method], atol=1e-4)
    read = LightCurves.from_parquet(FOLDER / version / "light_curves")
    assert read.equals(fixture_curves())


def test_the_file_holds_no_code(classifier, tmp_path):
    content = Path(classifier.save(tmp_path / "mine.safetensors")).read_bytes()
    assert b"sklearn" not in content
    with pytest.raises((pickle.UnpicklingError, EOFError, ValueError, KeyError)):
        pickle.load(io.BytesIO(content))
