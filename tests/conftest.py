"""Fixtures shared by all tests: one torch thread, fixed seeds, small light curves."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch


@pytest.fixture(autouse=True)
def _one_thread_and_seeds():
    torch.set_num_threads(1)
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002  scikit-learn's random_state=None reads this one


@pytest.fixture(scope="session")
def data_dir():
    """The folder of real and simulated light curves, or a skip where it is not there."""
    folder = os.environ.get("SKLC_DATA")
    if not folder:
        pytest.skip("SKLC_DATA is not set: it names the folder of the benchmark light curves")
    path = Path(folder)
    if not (path / "ztf_bts" / "objects.parquet").exists():
        pytest.skip(f"SKLC_DATA={folder} holds no ztf_bts/objects.parquet")
    return path
