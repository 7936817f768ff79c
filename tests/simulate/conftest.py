"""An empty cache of tables of band fluxes."""

import pytest

from sklc.simulate.spectra import grids as grids_module


@pytest.fixture
def cache(monkeypatch, tmp_path):
    """An empty cache, in memory and on disk."""
    folder = tmp_path / "tables"
    monkeypatch.setenv("SKLC_CACHE_DIR", str(folder))
    monkeypatch.setattr(grids_module, "_memory", {})
    return folder
