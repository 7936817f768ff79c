"""Encoders that read folded light curves: they learn shapes, and travel as others do."""

import numpy as np
import pytest
from sklearn.base import clone
from small import SMALL, few_folds  # noqa: F401

from sklc import (
    InputRepresentation,
    LightCurveEncoder,
    LightCurveError,
    LightCurves,
    TransferClassifier,
)
from sklc.errors import LightCurveWarning
from sklc.serving import OnnxModel
from sklc.weights.file import load_weights

N = 40


@pytest.fixture(scope="module")
def stars():
    """Two shapes that are the same but for the direction of time, which only a fold shows."""
    rng = np.random.default_rng(0)
    y, time, flux = np.repeat(["rising", "falling"], N // 2), [], []
    for label in y:
        own = np.sort(rng.uniform(0, 300, 45))
        phase = own / rng.uniform(0.4, 0.8) % 1
        phase = phase if label == "rising" else 1 - phase
        magnitude = np.minimum(phase / 0.85, (1 - phase) / 0.15) + rng.normal(0, 0.02, 45)
        time.append(59000 + own)
        flux.append(1000 * 10 ** (-0.4 * magnitude))
    errors = [0.02 * own for own in flux]
    return LightCurves.from_arrays(time, flux, errors, [["ztfr"] * 45] * N), y


@pytest.fixture(scope="module")
def encoder(stars):
    params = {**SMALL, "max_epochs": 12, "batch_size": 8, "learning_rate": 0.02}
    return LightCurveEncoder(
        representation="magnitude", fold="period", early_stopping=False, **params
    ).fit(*stars)


def test_the_direction_of_a_folded_light_curve_is_learned(encoder, stars):
    assert encoder.representation_ == InputRepresentation.preset("magnitude").folded()
    network = encoder.net_.module_
    latent = encoder.transform(stars[0])
    assert network is not None
    centres = [latent[stars[1] == label].mean(axis=0) for label in encoder.classes_]
    distance = np.stack([np.linalg.norm(latent - centre, axis=1) for centre in centres])
    assert np.mean(encoder.classes_[distance.argmin(axis=0)] == stars[1]) > 0.9


def test_the_fold_travels_with_the_weights(encoder, stars, tmp_path):
    curves = stars[0][:6]
    expected = encoder.transform(curves)
    path = encoder.save(tmp_path / "folded.safetensors")
    assert load_weights(path).format_version == 4  # which older releases refuse, with a remedy
    saved = LightCurveEncoder(path)
    np.testing.assert_array_equal(saved.transform(curves), expected)
    np.testing.assert_array_equal(clone(saved).transform(curves), expected)
    pytest.importorskip("onnxruntime")
    exported = OnnxModel(saved.to_onnx(tmp_path / "folded.onnx"))
    np.testing.assert_allclose(exported.transform(curves), expected, atol=1e-5)


def test_a_classifier_on_a_folded_encoder(encoder, stars):
    classifier = TransferClassifier(encoder, features=None, random_state=0, device="cpu", verbose=0)
    classifier.fit(*stars)
    assert classifier.score(*stars) > 0.9
    assert classifier.predict_proba(stars[0][:3].truncate(points=1)).shape == (3, 2)


def test_weights_bring_their_own_fold(encoder, stars, tmp_path):
    path = encoder.save(tmp_path / "folded.safetensors")
    with pytest.raises(ValueError, match="fold"):
        LightCurveEncoder(path, fold="period").transform(stars[0])
    with pytest.raises(ValueError, match="'fold' parameter"):
        LightCurveEncoder(fold="phase").fit(*stars)


def test_objects_with_a_wrong_period(stars, tmp_path):
    curves, y = stars[0], stars[1]
    periods = np.full(N, 0.5)
    named = InputRepresentation.preset("magnitude").folded("days")
    encoder = LightCurveEncoder(representation=named, **{**SMALL, "max_epochs": 1})
    right = curves.with_metadata(days=periods)
    encoder.fit(right, y)
    expected = encoder.transform(right)
    periods[3], periods[7] = np.nan, 400.0
    wrong = curves.with_metadata(days=periods)
    for used in (encoder.transform, lambda X: clone(encoder).fit(X, y)):
        with pytest.raises(LightCurveError, match=r"object 3 .*'days' is missing"):
            used(wrong)
    with pytest.warns(LightCurveWarning, match="2 of 40"):
        latent = encoder.transform(wrong, on_error="nan")
    assert np.flatnonzero(np.isnan(latent).any(axis=1)).tolist() == [3, 7]
    kept = np.setdiff1d(np.arange(N), [3, 7])
    np.testing.assert_array_equal(latent[kept], expected[kept])


def test_augmented_light_curves_keep_the_period_they_were_given(stars):
    curves = stars[0].with_metadata(days=np.full(N, 250.0))
    named = InputRepresentation.preset("magnitude").folded("days")
    params = {**SMALL, "max_epochs": 2, "augment": True, "min_points": 2}
    LightCurveEncoder(representation=named, **params).fit(curves, stars[1])
