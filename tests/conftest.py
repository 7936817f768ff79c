"""Fixtures shared by all tests: one torch thread, fixed seeds, data and templates."""

import gc
import os
import shutil
import tarfile
from pathlib import Path

# Before anything that starts threads is imported: the OpenMP libraries of torch, scikit-learn and
# others wait for each other's threads, which makes small products many times slower than one does.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest
import torch
from joblib.externals.loky import get_reusable_executor

from sklc.datasets import load_demo
from sklc.errors import SimulationError
from sklc.simulate.spectra.templates import find_snoopy_file


def pytest_collection_finish():
    gc.freeze()  # collections that leave out what has been imported save a tenth of the time


@pytest.fixture(autouse=True)
def _one_thread_and_seeds():
    torch.set_num_threads(1)
    torch.default_generator.manual_seed(0)  # of the CPU alone, ten times as fast as all devices
    np.random.seed(0)  # noqa: NPY002  scikit-learn's random_state=None reads this one


@pytest.fixture(scope="session")
def demo():
    """120 light curves of the demo set, and their classes."""
    curves, y = load_demo(return_X_y=True)
    return curves[:120], y[:120]


@pytest.fixture(scope="session")
def data_dir():
    """The folder of real and simulated light curves, or a skip if it is missing."""
    folder = os.environ.get("SKLC_DATA")
    if not folder:
        pytest.skip("SKLC_DATA is not set: it names the folder of the benchmark light curves")
    path = Path(folder)
    if not (path / "ztf_bts" / "objects.parquet").exists():
        pytest.skip(f"SKLC_DATA={folder} holds no ztf_bts/objects.parquet")
    return path


SNOOPY_FILES = ("Nugent_91bg_SED.fits", "91bg_sequence_0.2.fits.gz")


@pytest.fixture(scope="session")
def sncosmo_data(tmp_path_factory):
    """The folder of sncosmo's data, or a skip where there are no templates.

    That is SNCOSMO_DATA_DIR, else what $SKLC_DATA/templates holds, unpacked once. Tables of band
    fluxes are cached in SKLC_CACHE_DIR, else in a folder of this session.
    """
    reason = "sncosmo is not installed: pip install 'sklc[sim]'"
    builtins = pytest.importorskip("sncosmo.builtins", reason=reason)
    folder = _templates(tmp_path_factory)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SNCOSMO_DATA_DIR", str(folder))
        # sncosmo reads the variable once, when it first needs a file
        patch.setattr(builtins.DATADIR, "_checked_rootdir", None)
        get_reusable_executor().shutdown()  # processes that were started before know no templates
        if not os.environ.get("SKLC_CACHE_DIR"):
            patch.setenv("SKLC_CACHE_DIR", str(tmp_path_factory.mktemp("grids")))
        yield folder
    if folder.is_relative_to(tmp_path_factory.getbasetemp()):
        shutil.rmtree(folder)  # pytest keeps the folders of three sessions, and these are large


def _templates(tmp_path_factory):
    given, data = os.environ.get("SNCOSMO_DATA_DIR"), os.environ.get("SKLC_DATA")
    if given:
        folder = Path(given)
    else:
        stored = Path(data or ".") / "templates"
        archive = stored / "sncosmo_data.tar.xz"
        if not data or not archive.is_file():
            pytest.skip(
                "no spectral templates: SNCOSMO_DATA_DIR is not set, and SKLC_DATA names no "
                "folder with templates/sncosmo_data.tar.xz"
            )
        folder = tmp_path_factory.mktemp("sncosmo")
        with tarfile.open(archive) as stream:
            stream.extractall(folder, filter="data")
        for name in SNOOPY_FILES:
            if (stored / name).is_file():
                shutil.copy(stored / name, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SNCOSMO_DATA_DIR", str(folder))
        try:
            for name in SNOOPY_FILES:
                find_snoopy_file(name)
        except SimulationError:
            pytest.skip(f"SNCOSMO_DATA_DIR={given} and SKLC_DATA={data} lack {name}")
    return folder
