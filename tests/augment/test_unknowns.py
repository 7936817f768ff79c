"""Unknown light curves that are made of known ones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklc import LightCurves
from sklc.augment.unknowns import UNKNOWN_KINDS, make_unknown

PEAK, WIDTH, RISE = 59050.0, 15.0, 6.0


def bell(time):
    """A quick rise and a slow decline."""
    days = time - PEAK
    return 1000 * np.exp(-0.5 * (days / np.where(days < 0, RISE, WIDTH)) ** 2)


@pytest.fixture(scope="module")
def known():
    """Many objects with the same light curve in three passbands, without noise."""
    time = np.arange(PEAK - 15, PEAK + 40, 1.0).repeat(3)
    band = np.tile(["ztfg", "ztfr", "ztfi"], len(time) // 3)
    flux = bell(time) * np.tile([1.0, 0.8, 0.5], len(time) // 3)
    n = 450
    return LightCurves.from_arrays(
        np.tile(time, n), np.tile(flux, n), np.full(n * len(time), 1e-3), np.tile(band, n),
        offsets=np.arange(n + 1) * len(time),
    )  # fmt: skip


@pytest.fixture(scope="module")
def made(known):
    unknown, kind = make_unknown(known, np.random.default_rng(0))
    return lambda name: [unknown[int(k)] for k in np.flatnonzero(kind == name)]


def in_band(curve, name):
    rows = curve.band_names == name
    return curve.time[rows], np.asarray(curve.flux[rows], dtype=float)


def test_every_kind_is_made_and_nothing_but_the_flux_changes(known):
    unknown, kind = make_unknown(known, np.random.default_rng(0))
    assert set(kind) == set(UNKNOWN_KINDS)
    assert unknown.ids.tolist() == known.ids.tolist()
    assert np.isfinite(unknown.flux).all()
    rows = np.flatnonzero(kind != "mirrored")
    for name in ("time", "flux_err", "band"):
        np.testing.assert_array_equal(getattr(unknown[rows], name), getattr(known[rows], name))
    again, same = make_unknown(known, np.random.default_rng(0))
    assert again.equals(unknown)
    assert (kind == same).all()
    other, _ = make_unknown(known, np.random.default_rng(1))
    assert not other.equals(unknown)
    for name in UNKNOWN_KINDS:  # of which all but exchanged bands of equal objects show
        own = np.flatnonzero(kind == name)
        change = np.abs(unknown[own].flux - known[own].flux).max()
        assert change > 100 or name == "mixed"


def test_the_mirrored_decline_faster_than_they_rise(made):
    for curve in made("mirrored"):
        time, flux = in_band(curve, "ztfg")
        peak = time[flux.argmax()]
        bright = time[flux > 300]
        assert peak - bright[0] > 1.5 * (bright[-1] - peak)
        assert np.all(np.diff(curve.time) >= 0)


def test_the_stepped_stay_the_same_and_jump(made):
    for curve in made("stepped"):
        flux = in_band(curve, "ztfg")[1]
        changes = np.abs(np.diff(flux)) > 1.0
        assert 1 <= changes.sum() <= 10  # an unaltered one changes from each day to the next


def test_the_recoloured_keep_their_shape(made, known):
    ratios = []
    for curve in made("recoloured"):
        ratio = np.asarray(curve.flux, dtype=float) / np.asarray(known[0].flux, dtype=float)
        by_band = [ratio[curve.band_names == name] for name in ("ztfg", "ztfr", "ztfi")]
        for values in by_band:
            np.testing.assert_allclose(values, values[0], rtol=1e-4)
        ratios.append(by_band[0][0] / by_band[2][0])
    assert min(abs(np.log(ratios))) > 0.8
    assert min(ratios) < 1 < max(ratios)


def test_the_double_peaked_the_modulated_and_the_dipped_rise_again(made):
    def n_maxima(curve):
        flux = in_band(curve, "ztfg")[1]
        inner = flux[1:-1]
        return ((inner > flux[:-2] + 0.1) & (inner >= flux[2:] - 0.1) & (inner > 50)).sum()

    for curve in made("double-peaked"):  # the same once more, later
        time, flux = in_band(curve, "ztfg")
        added = flux - bell(time)
        assert added.min() > -0.1
        assert time[added.argmax()] > PEAK + 10
        assert added.max() > 300
    assert np.mean([n_maxima(curve) >= 2 for curve in made("modulated")]) > 0.8
    faint = [
        in_band(curve, "ztfg")[1] / bell(in_band(curve, "ztfg")[0]) for curve in made("dipped")
    ]
    assert all(0 < (ratio < 0.5).sum() < 0.5 * len(ratio) for ratio in faint)


def test_the_stretched_run_at_another_pace(made):
    days = []
    for curve in made("stretched"):
        time, flux = in_band(curve, "ztfg")
        days.append(time[flux.argmax()] - time[0])  # 15 before
    assert np.all((np.array(days) < 7) | (np.array(days) > 35))
    assert min(days) < 7
    assert max(days) > 35


def test_the_mixed_have_passbands_of_another_object(known):
    store = known._compact()
    scaled = known.flux * np.repeat(np.arange(1.0, 451.0), known.lengths)
    time = store.time + np.repeat(np.linspace(0, 1e-3, 450), known.lengths)
    curves = LightCurves.from_arrays(
        time, scaled, store.flux_err, known.band_names, offsets=store.offsets
    )
    unknown, kind = make_unknown(curves, np.random.default_rng(0))
    for k in np.flatnonzero(kind == "mixed")[:10]:
        bands = [in_band(unknown[int(k)], name)[1] for name in ("ztfg", "ztfr", "ztfi")]
        ratio = bands[0].max() / bands[2].max()  # 2 in every object, scaled to the same peak
        assert ratio == pytest.approx(2, rel=0.05)


@settings(max_examples=15, deadline=None)
@given(
    lengths=st.lists(st.integers(0, 6), min_size=0, max_size=12),
    seed=st.integers(0, 2**31),
    level=st.sampled_from([0.0, 1.0, 1e30]),
    knows_errors=st.booleans(),
)
def test_anything_can_be_altered(lengths, seed, level, knows_errors):
    rng = np.random.default_rng(seed)
    n = sum(lengths)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(int)
    curves = LightCurves.from_arrays(
        rng.uniform(0, 100, n), level * rng.normal(size=n),
        np.full(n, level + 1) if knows_errors else None,
        rng.choice(["ztfg", "lssty"], n), offsets=offsets,
    )  # fmt: skip
    unknown, kind = make_unknown(curves, rng)
    assert len(kind) == len(unknown) == len(lengths)
    assert unknown.lengths.tolist() == lengths
    assert np.isfinite(unknown.flux).all()
