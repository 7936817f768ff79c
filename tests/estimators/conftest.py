"""Shared data."""

import pytest

from sklc.datasets import load_demo


@pytest.fixture(scope="session")
def demo():
    curves, y = load_demo(return_X_y=True)
    return curves[:90], y[:90]


@pytest.fixture(scope="session")
def redshifts(demo):
    return demo[0].metadata["redshift"].to_numpy(dtype=float)
