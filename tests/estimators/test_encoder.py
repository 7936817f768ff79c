"""LightCurveEncoder beyond scikit-learn's common checks."""

import joblib
import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import Pipeline
from skorch.callbacks import Callback, Checkpoint, LoadInitState

from sklc import InputRepresentation, LightCurveEncoder, LightCurves
from sklc.datasets import load_demo
from sklc.errors import LightCurveError

SMALL = {"hidden_size": 8, "latent_size": 6, "max_epochs": 3, "random_state": 0, "device": "cpu"}


@pytest.fixture(scope="module")
def demo():
    curves, y = load_demo(return_X_y=True)
    return curves[:120], y[:120]


@pytest.fixture(scope="module")
def fitted(demo):
    return LightCurveEncoder(**SMALL).fit(*demo)


def test_weights_set_after_fit_are_used_at_once(demo):
    curves, _ = demo
    encoder = LightCurveEncoder.pretrained("ztf").fit(curves)
    encoder.set_params(weights="ztf+lsst")
    np.testing.assert_array_equal(
        encoder.transform(curves), LightCurveEncoder.pretrained("ztf+lsst").transform(curves)
    )


def test_training_gives_useful_latents_and_repeats(demo, fitted):
    curves, y = demo
    again = LightCurveEncoder(**SMALL).fit(curves, y)
    np.testing.assert_array_equal(again.transform(curves), fitted.transform(curves))
    other = LightCurveEncoder(**{**SMALL, "random_state": 1}).fit(curves, y)
    assert not np.allclose(other.transform(curves), fitted.transform(curves))
    assert fitted.classes_.tolist() == ["SNII", "SNIa", "SNIb/c"]
    assert fitted.transform(curves).shape == (120, 6)
    assert fitted.net_.history[:, "train_loss"][-1] < fitted.net_.history[:, "train_loss"][0]


def test_save_and_load_restore_the_input_convention(demo, fitted, tmp_path):
    curves, y = demo
    encoder = LightCurveEncoder(representation="papers", **SMALL).fit(curves, y)
    path = encoder.save(tmp_path / "mine.safetensors", note="for a test")
    # the parameter says "relative", the file says "papers": the file is right
    loaded = LightCurveEncoder(weights=path)
    np.testing.assert_array_equal(loaded.transform(curves), encoder.transform(curves))
    assert loaded.fit(curves).representation_ == InputRepresentation.preset("papers")
    assert loaded.classes_.tolist() == encoder.classes_.tolist()
    representation = InputRepresentation(("time", "relative_flux", "time_from_peak"))
    custom = LightCurveEncoder(representation=representation, **SMALL).fit(curves, y)
    assert custom.net_.module_.gru.input_size == 3
    assert LightCurveEncoder(weights=str(path)).transform(curves[:2]).shape == (2, 6)
    with pytest.raises(NotFittedError):
        LightCurveEncoder().save(tmp_path / "nothing.safetensors")


def test_feature_names_and_set_output(demo, fitted):
    curves, _ = demo
    frame = clone(fitted).set_output(transform="pandas").fit(*demo).transform(curves)
    assert frame.columns.tolist() == fitted.get_feature_names_out().tolist()
    assert frame.columns.tolist() == [f"lightcurveencoder{k}" for k in range(6)]


def test_an_object_is_encoded_the_same_alone_and_in_any_batch(demo):
    curves, _ = demo
    encoder = LightCurveEncoder.pretrained("ztf+lsst")
    together = encoder.transform(curves)
    order = np.random.default_rng(0).permutation(len(curves))
    np.testing.assert_allclose(encoder.transform(curves[order]), together[order], atol=1e-6)
    for i in range(0, len(curves), 10):
        np.testing.assert_allclose(encoder.transform(curves[[i]])[0], together[i], atol=1e-6)


def test_metadata_enters_with_gaps(demo, tmp_path):
    curves, y = demo
    encoder = LightCurveEncoder(metadata_columns=["mwebv", "redshift"], **SMALL).fit(curves, y)
    latents = encoder.transform(curves)
    other = curves.with_metadata(redshift=np.full(len(curves), np.nan))
    assert np.isfinite(encoder.transform(other)).all()
    assert not np.allclose(encoder.transform(other), latents)
    loaded = LightCurveEncoder(weights=encoder.save(tmp_path / "m.safetensors"))
    np.testing.assert_array_equal(loaded.transform(curves), latents)
    infinite = curves.with_metadata(mwebv=np.where(np.arange(120) == 7, np.inf, 0.1))
    with pytest.raises(LightCurveError, match=r"infinite for object .* \(position 7\)"):
        encoder.transform(infinite)


@pytest.mark.slow
def test_joblib_workers_use_one_torch_thread(demo):
    curves, y = demo
    pipe = Pipeline([("enc", LightCurveEncoder.pretrained("ztf")), ("clf", LogisticRegression())])
    pipe.set_params(clf__max_iter=1000)
    serial = cross_val_score(pipe, curves, y, cv=2)
    np.testing.assert_allclose(cross_val_score(pipe, curves, y, cv=2, n_jobs=2), serial)
    assert joblib.Parallel(n_jobs=2)(joblib.delayed(_threads)() for _ in range(2)) == [1, 1]


def _threads():
    from sklc.networks.device import single_thread_in_workers

    torch.set_num_threads(2)
    with single_thread_in_workers():
        return torch.get_num_threads()


def test_every_survey_and_zero_point_is_accepted():
    rng = np.random.default_rng(0)
    lsst = LightCurves.from_arrays(
        time=[np.arange(20.0)] * 3,
        flux=rng.uniform(50, 100, (3, 20)),
        flux_err=np.full((3, 20), 2.0),
        band=[np.tile(["lsstg", "lssti"], 10)] * 3,
        zero_point=31.4,
    )
    assert np.isfinite(LightCurveEncoder.pretrained("ztf+lsst").transform(lsst)).all()


def test_training_goes_on_from_a_checkpoint_of_skorch(demo, tmp_path):
    class Interrupt(Callback):
        def on_batch_end(self, net, **kwargs):
            if len(net.history) == 3:
                raise KeyboardInterrupt

    params = {**SMALL, "max_epochs": 5, "early_stopping": False}
    checkpoint = Checkpoint(dirname=str(tmp_path), monitor=None)
    with pytest.raises(KeyboardInterrupt):
        LightCurveEncoder(callbacks=[checkpoint, Interrupt()], **params).fit(*demo)
    params |= {"max_epochs": 3, "callbacks": [LoadInitState(checkpoint), checkpoint]}
    resumed = LightCurveEncoder(**params).fit(*demo)
    losses = resumed.net_.history[:, "train_loss"]
    assert len(losses) == 5
    assert losses[-1] < losses[0]


def test_without_labels_or_weights_the_error_names_both(demo):
    curves = demo[0] if isinstance(demo, tuple) else demo
    with pytest.raises(ValueError, match=r"one label per object, or take .*pretrained\('any'\)"):
        LightCurveEncoder().fit(curves[:5])
