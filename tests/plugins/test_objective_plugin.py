"""An objective and an augmentation of a user, from training to fine-tuning, registered outside."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from skorch.callbacks import Callback
from small import SMALL as OF_FOUR
from small import few_folds  # noqa: F401
from toy_augmentation import Clouds

from sklc import (
    LightCurveEncoder,
    TransferClassifier,
    register_augmentation,
    register_objective,
)
from sklc.augment.training import AUGMENTATIONS
from sklc.networks.objectives import Classifier
from sklc.networks.objectives.registry import OBJECTIVES
from sklc.weights.file import WeightsFile

SMALL = {**OF_FOUR, "hidden_size": 16, "latent_size": 16, "early_stopping": False}


@dataclass(frozen=True)
class PeakFlux(Classifier):
    """Classes, and the logarithm of the peak flux, scaled, from a head of its own that is kept."""

    weight: float = 1.0

    def targets(self, curves, given):
        peak = np.array([curve.flux.max() for curve in curves])
        return {"log_peak": (3 * (np.log10(peak) - 3.7)).astype(np.float32)}

    def heads(self, targets):
        return {"log_peak": (8, 1)}

    def loss(self, outputs, targets, progress):
        ready = min(1.0, 2 * progress)  # its schedule: classes come first
        error = outputs.heads["log_peak"][:, 0] - targets["log_peak"]
        return super().loss(outputs, targets, progress) + self.weight * ready * error**2


@pytest.fixture(scope="module", autouse=True)
def registered():
    register_objective("peak flux", PeakFlux)
    register_augmentation("clouds", Clouds())
    yield
    OBJECTIVES.unregister("peak flux")
    AUGMENTATIONS.unregister("clouds")


@pytest.fixture(scope="module")
def encoder(registered, demo):
    params = {**SMALL, "max_epochs": 40, "learning_rate": 0.005, "redshift_weight": 0.1}
    return LightCurveEncoder(objective="peak flux", augment="clouds", **params).fit(*demo)


@pytest.mark.slow
def test_the_head_learns_and_is_kept_with_the_weights(demo, encoder, tmp_path):
    curves, _ = demo
    path = encoder.save(tmp_path / "peak.safetensors")
    network = WeightsFile.read(path).build()
    assert set(network.all_heads()) == {"log_peak", "redshift"}
    with torch.inference_mode():
        said = network.all_heads()["log_peak"](torch.from_numpy(encoder.transform(curves)))
    truth = PeakFlux().targets(curves, {})["log_peak"]
    assert np.corrcoef(said[:, 0], truth)[0, 1] > 0.6
    # The file needs no registered objective: it is of plain sizes.
    OBJECTIVES.unregister("peak flux")
    try:
        loaded = LightCurveEncoder(path)
        np.testing.assert_array_equal(loaded.transform(curves), encoder.transform(curves))
        assert loaded.fit(curves).net_.module_.all_heads().keys() == network.all_heads().keys()
    finally:
        register_objective("peak flux", PeakFlux)


def test_clones_train_the_same_network(demo):
    curves, y = demo
    by_name = LightCurveEncoder(objective="peak flux", augment="clouds", **SMALL).fit(curves, y)
    by_object = clone(LightCurveEncoder(objective=PeakFlux(), augment=Clouds(), **SMALL))
    np.testing.assert_array_equal(
        by_name.transform(curves), by_object.fit(curves, y).transform(curves)
    )
    other = clone(by_object).set_params(objective=PeakFlux(3.0), augment__largest=0.9)
    assert not np.array_equal(other.fit(curves, y).transform(curves), by_object.transform(curves))


def test_they_can_be_searched(demo):
    pipe = Pipeline(
        [("enc", LightCurveEncoder(**{**SMALL, "max_epochs": 2})), ("clf", LogisticRegression())]
    )
    grid = {
        "enc__objective": ["peak flux", PeakFlux(0.1)],
        "enc__augment": ["clouds", Clouds(0.1)],
    }
    search = GridSearchCV(pipe, grid, cv=2).fit(*demo)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@pytest.mark.slow
def test_a_classifier_starts_from_it(demo, encoder, tmp_path):
    curves, y = demo
    path = encoder.save(tmp_path / "peak.safetensors")
    unfitted = clone(encoder).set_params(max_epochs=2)
    for start, finetune in ((path, "head"), (path, "all"), (unfitted, "head")):
        classifier = TransferClassifier(
            start, finetune=finetune, max_epochs=2, device="cpu", random_state=0, verbose=0
        ).fit(curves, y)
        assert classifier.predict_proba(curves).shape == (120, 3)


def test_a_stopped_training_goes_on(demo, tmp_path):
    params = {**SMALL, "objective": PeakFlux(), "augment": [Clouds(), "prefixes"]}
    whole = LightCurveEncoder(**params).fit(*demo)
    params["checkpoint"] = tmp_path / "training"
    with pytest.raises(ZeroDivisionError):
        LightCurveEncoder(callbacks=[("stop", _Stop())], **params).fit(*demo)
    resumed = LightCurveEncoder(**params).fit(*demo)
    np.testing.assert_array_equal(resumed.transform(demo[0]), whole.transform(demo[0]))
    with pytest.raises(ValueError, match=r"of another training: augment=.*'largest': 0.5.*0.2"):
        LightCurveEncoder(**{**params, "augment": [Clouds(0.2), "prefixes"]}).fit(*demo)
    with pytest.raises(ValueError, match=r"objective='PeakFlux\(weight=1.0\)' there"):
        LightCurveEncoder(**{**params, "objective": PeakFlux(2.0)}).fit(*demo)


class _Stop(Callback):
    def on_batch_begin(self, net, **kwargs):
        if len(net.history) == 3:
            raise ZeroDivisionError
