"""An architecture from outside the package, through everything that the package does."""

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from small import SMALL as OF_FOUR
from toy_architecture import Mean, register

from sklc import LatentIsolationForest, LightCurveEncoder, RedshiftRegressor, TransferClassifier
from sklc.networks.architectures import ARCHITECTURES, GRU
from sklc.serving import OnnxModel
from sklc.weights.file import load_weights

SMALL = {**OF_FOUR, "latent_size": 12, "max_epochs": 2, "hidden_size": 100}


@pytest.fixture(scope="module", autouse=True)
def registered():
    register()
    yield
    for name in ("mean", "mean-graph"):
        ARCHITECTURES.unregister(name)


@pytest.fixture
def unregistered():
    ARCHITECTURES.unregister("mean")
    yield
    register()


@pytest.fixture(scope="module")
def demo(demo):
    offset = np.random.default_rng(0).normal(size=120)
    return demo[0].with_metadata(offset=offset), demo[1]


@pytest.fixture(scope="module")
def fitted(registered, demo):
    """On metadata, for an objective of its own and the redshift, as any other encoder."""
    return LightCurveEncoder(
        architecture="mean",
        metadata_columns=["offset"],
        objective="contrastive",
        redshift_weight=0.1,
        **SMALL,
    ).fit(*demo)


def test_fit_transform_clone_and_pickle(demo, fitted):
    curves, y = demo
    latent = fitted.transform(curves)
    assert latent.shape == (120, 12)
    assert latent.std() > 0
    assert fitted.get_feature_names_out().shape == (12,)
    np.testing.assert_array_equal(clone(fitted).fit(curves, y).transform(curves), latent)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(fitted)).transform(curves), latent)
    other = clone(fitted).set_params(architecture=Mean(latent_size=12), latent_size=128)
    np.testing.assert_array_equal(other.fit(curves, y).transform(curves), latent)
    # Each object for itself, to the bit.
    np.testing.assert_array_equal(fitted.transform(curves[[7, 3]]), latent[[7, 3]])


def test_save_and_load(demo, fitted, tmp_path):
    curves, _ = demo
    path, expected = fitted.save(tmp_path / "mean.safetensors"), fitted.transform(curves)
    config = load_weights(path).architecture
    assert (config["name"], config["width"], config["latent_size"]) == ("mean", 16, 12)
    np.testing.assert_array_equal(LightCurveEncoder(path).transform(curves), expected)


@pytest.mark.slow
def test_another_process_registers_it_and_loads_the_file(demo, fitted, tmp_path):
    path = fitted.save(tmp_path / "mean.safetensors")
    np.save(tmp_path / "expected.npy", fitted.transform(demo[0]))
    code = f"""
import numpy as np, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from sklc import LightCurveEncoder
from sklc.datasets import load_demo
from sklc.errors import WeightsError
try:
    LightCurveEncoder({str(path)!r}).fit(load_demo().curves[:3])
except WeightsError as error:
    assert "register_architecture('mean'" in str(error), error
else:
    raise AssertionError
from toy_architecture import register
register()
curves = load_demo().curves[:120].with_metadata(offset=np.random.default_rng(0).normal(size=120))
found = LightCurveEncoder({str(path)!r}).transform(curves)
np.testing.assert_allclose(found, np.load({str(tmp_path / "expected.npy")!r}), atol=1e-6)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_file_needs_a_name(demo, unregistered, tmp_path):
    encoder = LightCurveEncoder(architecture=Mean(width=4), max_epochs=1, device="cpu").fit(*demo)
    with pytest.raises(ValueError, match=r"toy_architecture\.Mean has no name.*, Mean\)"):
        encoder.save(tmp_path / "mine.safetensors")
    register()
    path = encoder.save(tmp_path / "mine.safetensors")
    assert load_weights(path).architecture["width"] == 4


@pytest.mark.slow
def test_grid_search_over_architectures(demo):
    grid = {"encoder__architecture": ["mean", Mean(width=4), GRU(hidden_size=8)]}
    classifier = TransferClassifier(
        LightCurveEncoder(max_epochs=1, device="cpu"), device="cpu", random_state=0
    )
    search = GridSearchCV(classifier, grid, cv=2, error_score="raise").fit(*demo)
    tried = search.cv_results_["param_encoder__architecture"]
    assert list(tried) == grid["encoder__architecture"]
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@pytest.mark.parametrize("finetune", ["head", "backbone+head", "gru+head", "all"])
def test_transfer_classifier(demo, fitted, finetune):
    curves, y = demo
    classifier = TransferClassifier(
        fitted,
        finetune=finetune,
        device="cpu",
        early_stopping=False,
        random_state=0,
        **({} if finetune == "head" else {"max_epochs": 2, "finetune_learning_rate": 0.01}),
    ).fit(curves, y)
    assert classifier.predict_proba(curves).shape == (120, 3)
    before = fitted.net_.module_.state_dict()
    after = classifier.encoder_.net_.module_.state_dict()
    moved = {name.split(".")[0] for name in before if not before[name].equal(after[name])}
    everything = {"observation", "dense", "latent", "metadata"}
    assert moved == {"head": set(), "all": everything}.get(finetune, {"observation"})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("from_scratch", "finetune"), [(False, "head"), (False, "all"), (True, "head")]
)
def test_redshift_regressor(demo, fitted, from_scratch, finetune):
    curves, _ = demo
    encoder = LightCurveEncoder(architecture="mean", **SMALL) if from_scratch else fitted
    z = curves.metadata["redshift"].to_numpy()
    regressor = RedshiftRegressor(
        encoder, finetune=finetune, max_epochs=2, device="cpu", random_state=0
    ).fit(curves, z)
    mean, std = regressor.predict(curves, return_std=True)
    assert np.isfinite(mean).all()
    assert (std > 0).all()


@pytest.mark.slow
def test_an_encoder_without_classes_is_saved_too(demo, tmp_path):
    curves, _ = demo
    encoder = LightCurveEncoder(architecture="mean", **SMALL)
    regressor = RedshiftRegressor(encoder, max_epochs=1, device="cpu", random_state=0)
    regressor.fit(curves, curves.metadata["redshift"].to_numpy())
    path = regressor.encoder_.save(tmp_path / "redshifts.safetensors")
    loaded = LightCurveEncoder(path, device="cpu")
    np.testing.assert_array_equal(loaded.transform(curves), regressor.encoder_.transform(curves))
    with pytest.raises(ValueError, match=r"not trained on classes.*finetune='head'"):
        TransferClassifier.pretrained(path).predict(curves)
    forest = LatentIsolationForest(path, random_state=0, device="cpu").fit(curves)
    assert forest.classes_.tolist() == ["normal"]
    assert forest.rare_classes_.tolist() == []


def test_isolation_forest(demo, fitted):
    curves, y = demo
    for finetune in ("none", "backbone+head"):
        forest = LatentIsolationForest(
            fitted, finetune=finetune, max_epochs=1, device="cpu", random_state=0
        ).fit(curves, y)
        assert np.isfinite(forest.score_samples(curves)).all()


@pytest.mark.slow
def test_export(demo, fitted, tmp_path):
    curves, y = demo
    path = tmp_path / "mean.onnx"
    with pytest.raises(NotImplementedError, match=r"'mean' has no ONNX graph.*encoder\.save"):
        fitted.to_onnx(path)
    with pytest.raises(NotImplementedError, match="'mean' has no ONNX graph"):
        TransferClassifier(fitted, device="cpu").fit(curves, y).to_onnx(path)
    assert not path.exists()
    encoder = LightCurveEncoder(architecture="mean-graph", **SMALL).fit(curves, y)
    model, expected = OnnxModel(encoder.to_onnx(path)), encoder.transform(curves)
    np.testing.assert_allclose(model.transform(curves), expected, atol=1e-5 * expected.std())
    classifier = TransferClassifier(encoder, device="cpu", random_state=0).fit(curves, y)
    model = OnnxModel(classifier.to_onnx(path))
    np.testing.assert_allclose(
        model.predict_proba(curves), classifier.predict_proba(curves), atol=1e-5
    )
