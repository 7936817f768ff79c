"""Shared data; and scikit-learn's checks of estimators that train a network are slow tests."""

import pytest

from sklc import LightCurveEncoder
from sklc.datasets import load_demo
from sklc.pretrain import add_novelty


@pytest.fixture(scope="session")
def demo():
    curves, y = load_demo(return_X_y=True)
    return curves[:90], y[:90]


@pytest.fixture(scope="session")
def redshifts(demo):
    return demo[0].metadata["redshift"].to_numpy(dtype=float)


@pytest.hookimpl(tryfirst=True)  # before -m leaves tests out
def pytest_collection_modifyitems(items):
    for item in items:
        estimator = getattr(item, "callspec", None) and item.callspec.params.get("estimator")
        encoder = getattr(estimator, "encoder", "")
        trains = encoder is None or isinstance(encoder, LightCurveEncoder)
        trains |= bool(getattr(estimator, "head_sizes", None))
        if trains or getattr(estimator, "finetune", None) in ("backbone+head", "all"):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def novel_encoder():
    """Weights with a novelty score, learned from half of the demo."""
    curves, y = load_demo(return_X_y=True)
    return add_novelty("ztf", curves[::2], y[::2])
