"""The cache of tables of band fluxes, in memory and on disk."""

import numpy as np
import pytest

from sklc.simulate.spectra import grids as grids_module
from sklc.simulate.spectra.grids import BandGrid, cache_folder, cached_grid


def table(value=1.0):
    return BandGrid(
        flux=np.full((1, 3, 2, 11), value, dtype=np.float32),
        slopes=np.zeros((1, 3, 2, 3, 1, 2), dtype=np.float32),
        axis=np.arange(11.0), laws=("mwebv",), info=np.zeros((1, 0)),
        effective=np.array([4800.0, 6200.0]),
    )  # fmt: skip


class Builder:
    """Builds tables, and counts how often."""

    count = 0

    def __call__(self):
        self.count += 1
        return table(self.count)


def test_where_the_cache_lies(monkeypatch, tmp_path):
    monkeypatch.setenv("SKLC_CACHE_DIR", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"
    monkeypatch.delenv("SKLC_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "sklc" / "grids"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_folder() == tmp_path / "home" / ".cache" / "sklc" / "grids"


def test_tables_are_written_once_and_reused(cache, monkeypatch):
    build = Builder()
    first = cached_grid(["a", 1], build)
    assert cached_grid(["a", 1], build) is first
    assert [file.suffix for file in cache.iterdir()] == [".npz"]
    monkeypatch.setattr(grids_module, "_memory", {})  # as in another session
    again = cached_grid(["a", 1], build)
    assert build.count == 1
    for name in ("flux", "slopes", "axis", "info", "effective"):
        np.testing.assert_array_equal(getattr(again, name), getattr(first, name))
    assert again.laws == first.laws
    cached_grid(["a", 2], build)
    assert build.count == 2
    assert len(list(cache.iterdir())) == 2


@pytest.mark.parametrize("damage", ["empty", "half", "other", "lacking"])
def test_damaged_tables_are_rebuilt(cache, monkeypatch, damage):
    build = Builder()
    cached_grid(["a"], build)
    (file,) = cache.iterdir()
    whole = file.read_bytes()
    if damage == "lacking":
        np.savez(file, flux=np.zeros(3))
    else:
        file.write_bytes({"empty": b"", "half": whole[: len(whole) // 2], "other": b"text" * 99}[
            damage])  # fmt: skip
    monkeypatch.setattr(grids_module, "_memory", {})
    assert cached_grid(["a"], build).flux.max() == 2
    monkeypatch.setattr(grids_module, "_memory", {})
    assert cached_grid(["a"], build).flux.max() == 2  # the file is whole again
    assert [f.suffix for f in cache.iterdir()] == [".npz"]


def test_a_folder_that_cannot_be_written(cache, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SKLC_CACHE_DIR", str(tmp_path / "file" / "below"))
    build = Builder()
    assert cached_grid(["a"], build).flux.max() == 1
    assert cached_grid(["a"], build).flux.max() == 1  # from memory
    monkeypatch.setattr(grids_module, "_memory", {})
    assert cached_grid(["a"], build).flux.max() == 2


def test_memory_stays_bounded(cache):
    for number in range(70):
        cached_grid(["many", number], Builder())
    assert len(grids_module._memory) == 64
