"""Snapshots and registries whose cost does not grow with the square of their size."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklc import LightCurveError, LightCurves, register_passband
from sklc.passbands import get_passband, list_passbands
from sklc.utils.layers import Layers
from sklc.utils.registry import Registry


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 20), st.integers())), st.integers(0, 30))
def test_a_copy_is_a_snapshot(items, when):
    known, layers, snapshot, frozen = {}, Layers(), None, {}
    for k, (key, value) in enumerate(items):
        if k == when:
            snapshot, frozen = layers.copy(), dict(known)
        known[key] = value
        layers[key] = value
        assert layers[key] == value
    assert dict(layers) == known
    assert list(layers.values()) == [known[key] for key in layers]
    assert len(layers) == len(known)
    if snapshot is not None:
        assert dict(snapshot) == frozen
    with pytest.raises(KeyError):
        layers[99]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 12), st.none() | st.integers(0, 12)), max_size=25))
def test_entries_are_in_the_order_in_which_they_were_inserted(steps):
    registry, known = Registry("thing"), []
    for name, before in ((str(n), b if b is None else str(b)) for n, b in steps):
        if before is not None and before not in known:
            continue
        registry.register(name, name, overwrite=True, before=before)
        if before is None or before == name:
            known += [name] * (name not in known)
        else:
            known = [n for n in known if n != name]
            known.insert(known.index(before), name)
    assert list(registry.entries) == known


def seconds(run, n):
    start = time.process_time()
    run(n)
    return time.process_time() - start


def register_passbands(n):
    for k in range(n):
        register_passband(f"tel{n}_{k}", wavelength=0.3 + 1e-4 * k, survey="tel")


def register_before(n):
    registry = Registry("thing")
    registry.register("last", 0)
    for k in range(n):
        registry.register(str(k), k, before="last")
    assert list(registry.entries) == [*map(str, range(n)), "last"]


def read_padded(n):
    padded = np.ones((n, 4, 4))
    padded[:, :, 0] = np.arange(4)
    padded[:, :, 3] = 0.3 + np.arange(n)[:, None] * 2e-4
    assert len(LightCurves.from_padded(padded).passbands) > n / 2


@pytest.mark.parametrize("run", [register_passbands, register_before, read_padded])
def test_four_times_as_many_take_about_four_times_as_long(run, monkeypatch):
    import sklc.passbands.lookup

    registry = sklc.passbands.lookup._registry
    monkeypatch.setattr(sklc.passbands.lookup, "_registry", registry)
    ratios = []
    for _ in range(3):
        times = []
        for n in (500, 2_000):
            sklc.passbands.lookup._registry = registry
            times.append(seconds(run, n))
        ratios.append(times[1] / times[0])
    assert min(ratios) < 8  # 16, if it grew with the square


def test_registered_passbands_are_found(monkeypatch):
    import sklc.passbands.lookup

    monkeypatch.setattr(sklc.passbands.lookup, "_registry", sklc.passbands.lookup._registry)
    before = len(list_passbands())
    register_passbands(300)
    assert len(list_passbands()) == before + 300
    assert get_passband("tel300_7").wavelength == pytest.approx(0.3007)
    assert [band.name for band in list_passbands("tel")][:2] == ["tel300_0", "tel300_1"]


def test_wavelengths_are_matched_to_the_nearest_band():
    wide = {"EROS", "MACHO", "unfiltered"}
    known = [band for band in list_passbands() if band.survey not in wide]
    wavelength = np.array([band.wavelength for band in known])
    given = np.concatenate([wavelength, wavelength + 4e-5, np.linspace(0.3, 2, 200)])
    padded = np.ones((len(given), 1, 4))
    padded[:, 0, 3] = given
    distance = np.abs(wavelength - given[:, None])
    nearest = [known[k].name for k in distance.argmin(axis=1)]
    far = (distance.min(axis=1) > 1e-4) | (np.abs(given - 0.6) < 1e-9)
    names = LightCurves.from_padded(padded).band_names
    assert names[~far].tolist() == np.array(nearest)[~far].tolist()
    assert set(names[far]).isdisjoint(nearest)
    padded = np.ones((1, 40_000, 4))
    padded[0, :, 0] = np.arange(40_000)
    padded[0, :, 3] = np.linspace(0.3, 2.0, 40_000)
    with pytest.raises(LightCurveError, match="different passbands"):
        LightCurves.from_padded(padded)
