"""Shared data."""

import pytest

from sklc.datasets import load_demo
from sklc.pretrain import add_novelty


@pytest.fixture(scope="session")
def demo():
    curves, y = load_demo(return_X_y=True)
    return curves[:90], y[:90]


@pytest.fixture(scope="session")
def redshifts(demo):
    return demo[0].metadata["redshift"].to_numpy(dtype=float)


@pytest.fixture(scope="session")
def novel_encoder():
    """Weights with a novelty score, learned from half of the demo."""
    curves, y = load_demo(return_X_y=True)
    return add_novelty("ztf", curves[::2], y[::2])
