"""Augmentation: what each transformer does, and that ids, order and validity survive it."""

import pickle
import sys

import numpy as np
import pytest
from astropy.cosmology import FlatLambdaCDM
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks
from strategies import container, naive_objects

from sklc import LightCurves, as_light_curves
from sklc.augment.transformers import (
    AlertCadence,
    DetectionsOnly,
    DropBands,
    DropEpochs,
    ExtraNoise,
    Prefixes,
    Redshifting,
)
from sklc.errors import LightCurveError

ALL = [Prefixes, DetectionsOnly, DropBands, DropEpochs, AlertCadence, ExtraNoise, Redshifting]
SELECTIONS = ALL[:5]
each = pytest.mark.parametrize("transformer", ALL, ids=lambda t: t.__name__)


def simulated(n_objects=400, n_points=60, dtype=np.float32, seed=0):
    """Forced photometry in three bands: noise, then an event from day 50 to day 150."""
    rng = np.random.default_rng(seed)
    shape = (n_objects, n_points)
    time = 59000 + np.sort(rng.uniform(0, 200, shape))
    on = (time > 59050) & (time < 59150)
    flux = on * rng.uniform(1000, 3000, (n_objects, 1)) + rng.normal(0, 10, shape)
    return LightCurves.from_arrays(
        time=time.ravel(),
        flux=flux.ravel().astype(dtype),
        flux_err=np.full(time.size, 10, dtype=dtype),
        band=rng.choice(["ztfg", "ztfr", "lssti"], time.size),
        offsets=np.arange(n_objects + 1) * n_points,
        ids=[f"SN{k}" for k in range(n_objects)],
        metadata={"redshift": rng.uniform(0.02, 0.2, n_objects), "label": np.arange(n_objects) % 3},
    )


@pytest.fixture(scope="module")
def curves():
    return simulated()


def columns(curve):
    return curve.time, curve.flux, curve.flux_err, curve.band_names


def unaltered(before, after):
    """Which objects are what they were."""
    return np.array(
        [
            all(np.array_equal(x, y) for x, y in zip(columns(a), columns(b), strict=True))
            for a, b in zip(before, after, strict=True)
        ]
    )


def assert_valid(after, before):
    assert isinstance(after, LightCurves)
    assert after.ids.tolist() == before.ids.tolist()
    assert after.metadata.index.tolist() == before.ids.tolist()
    assert after.zero_point == before.zero_point
    assert after.offsets[0] == 0
    assert after.offsets[-1] == len(after.time) == len(after.flux) == len(after.band)
    assert (np.diff(after.offsets) == after.lengths).all()
    assert after.lengths.min(initial=0) >= 0
    assert all((np.diff(curve.time) >= 0).all() for curve in after)
    assert np.isfinite(after.time).all()
    assert np.isfinite(after.flux).all()
    assert (after.flux_err > 0).all()
    assert after.flux.dtype == after.flux_err.dtype == before.flux.dtype
    assert after.band.dtype == np.int16
    assert not after.flux.flags.writeable
    assert after.band.max(initial=-1) < len(after.passbands)


# -- what they have in common


@each
def test_same_objects_in_the_same_order(curves, transformer):
    before = [column.copy() for column in (curves.time, curves.flux, curves.flux_err)]
    after = transformer(share=1, random_state=0).fit_transform(curves)
    assert_valid(after, curves)
    assert after.metadata["label"].tolist() == curves.metadata["label"].tolist()
    assert np.mean(unaltered(curves, after)) < 0.1
    # the input is left alone
    for old, new in zip(before, (curves.time, curves.flux, curves.flux_err), strict=True):
        np.testing.assert_array_equal(old, new)


@each
@pytest.mark.parametrize("share", [0.0, 0.3])
def test_alters_its_share_of_objects(curves, transformer, share):
    changed = ~unaltered(curves, transformer(share=share, random_state=1).transform(curves))
    assert abs(changed.mean() - share) < (0.08 if share else 1e-9)


@each
def test_seeds(curves, transformer):
    def draw(seed):
        return transformer(random_state=seed).transform(curves)

    assert draw(3).equals(draw(3))
    assert transformer is DetectionsOnly or not draw(3).equals(draw(4))
    stream = np.random.RandomState(3)
    first, second = draw(stream), draw(stream)
    assert transformer is DetectionsOnly or not first.equals(second)
    assert draw(np.random.RandomState(3)).equals(first)


@each
def test_no_objects_and_empty_objects(curves, transformer):
    assert len(transformer().fit_transform(curves[:0])) == 0
    second = np.repeat([False, True, False, False], curves.lengths[:4])
    holey = LightCurves._from_store(curves[:4]._compact().keep(second))
    after = transformer(share=1, random_state=0).transform(holey)
    assert_valid(after, holey)
    assert after.lengths[[0, 2, 3]].tolist() == [0, 0, 0]
    assert after.lengths[1] > 0
    nothing = curves.truncate(points=0)
    assert transformer(share=1, min_points=0).transform(nothing).lengths.sum() == 0


@pytest.mark.parametrize("transformer", SELECTIONS, ids=lambda t: t.__name__)
def test_objects_left_with_too_few_observations_stay_whole(transformer):
    curves = simulated(60, 8)
    after = transformer(share=1, min_points=5, random_state=0).transform(curves)
    assert after.lengths.min() >= 5
    whole = unaltered(curves, after)
    assert 0 < whole.sum() < 60
    # without a least number, these are the ones that lose more
    bare = transformer(share=1, min_points=0, random_state=0).transform(curves)
    assert (bare.lengths[bare.lengths < 5] < after.lengths[bare.lengths < 5]).all()
    assert (bare.lengths[bare.lengths >= 5] == after.lengths[bare.lengths >= 5]).all()


@each
def test_views_and_other_forms_of_x(curves, transformer):
    view = curves[::-3]
    again = transformer(share=1, random_state=0)
    assert_valid(again.transform(view), view)
    assert again.transform(view).equals(again.transform(LightCurves._from_store(view._compact())))
    nested = again.transform(view.to_nested())
    np.testing.assert_allclose(nested.flux, again.transform(view).flux, rtol=1e-6)


@pytest.mark.parametrize(
    ("transformer", "bad"),
    [
        (Prefixes, {"share": 1.5}),
        (Prefixes, {"shortest": 0}),
        (Prefixes, {"shortest": 20, "longest": 10}),
        (DetectionsOnly, {"snr": -1}),
        (DetectionsOnly, {"negative": "yes"}),
        (DropBands, {"keep": 0}),
        (DropBands, {"keep": 1.5}),
        (DropEpochs, {"largest": 1.1}),
        (AlertCadence, {"smallest": 0}),
        (AlertCadence, {"gap": -1}),
        (ExtraNoise, {"largest": 0.9}),
        (Redshifting, {"largest": 1.0}),
        (Redshifting, {"min_points": -1}),
        (Redshifting, {"random_state": "seed"}),
    ],
)
def test_bad_parameters(curves, transformer, bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        transformer(**bad).transform(curves)


@pytest.mark.parametrize(
    "transformer", [Prefixes, DetectionsOnly, AlertCadence, ExtraNoise, Redshifting]
)
def test_unknown_errors_name_the_object(transformer):
    curves = LightCurves.from_arrays([[1.0, 2.0]], [[3.0, 4.0]], None, ["ztfg"], ids=["SN7"])
    with pytest.raises(LightCurveError, match=r"needs flux errors.*'SN7'"):
        transformer().fit_transform(curves)


def test_series_without_errors():
    series = np.arange(200.0).reshape(2, 100)
    ended = Prefixes(share=1, longest=50, snr=None, random_state=0).transform(series)
    # a row of time and flux for each observation that is left, as every estimator takes them
    assert ended.shape == (2, 100, 2)
    lengths = as_light_curves(ended).lengths
    assert (lengths < 100).all()
    for row, padded, n in zip(series, ended, lengths, strict=True):
        np.testing.assert_array_equal(padded[:n], np.column_stack([np.arange(n), row[:n]]))
        assert np.isnan(padded[n:]).all()
    thinned = DropEpochs(share=1, random_state=0).transform(series)
    assert as_light_curves(thinned).lengths.max() < 100
    assert DropEpochs().transform(series[:0]).shape == (0, 100, 2)


@parametrize_with_checks([DropEpochs(), DropBands(), Prefixes(share=1, snr=None)])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@each
def test_only_those_that_need_no_errors_say_that_they_take_plain_series(transformer):
    series = np.abs(np.random.default_rng(0).normal(9, 1, (3, 20)))
    takes_series = get_tags(transformer()).input_tags.two_d_array
    assert takes_series == (transformer in (DropBands, DropEpochs))
    if not takes_series:
        with pytest.raises(LightCurveError, match="needs flux errors"):
            transformer().fit_transform(series)


def test_composition(curves):
    steps = [AlertCadence(), DropBands(share=0.5), Redshifting(), ExtraNoise(), Prefixes()]
    pipeline = make_pipeline(*steps).set_output(transform="pandas")
    pipeline.set_params(prefixes__share=0.9, dropbands__keep=2)
    for name in pipeline.named_steps:
        pipeline.set_params(**{f"{name}__random_state": 0})
    after = pipeline.fit_transform(curves, curves.metadata["label"])
    assert_valid(after, curves)
    assert after.lengths.min() >= 3
    assert after.equals(clone(pipeline).fit_transform(curves))
    by_hand = curves
    for _, step in pipeline.steps:
        by_hand = step.transform(by_hand)
    assert by_hand.equals(after)


def test_steps_with_one_seed_choose_different_objects(curves):
    a = ~unaltered(curves, DropEpochs(share=0.5, random_state=0).transform(curves))
    b = ~unaltered(curves, ExtraNoise(share=0.5, random_state=0).transform(curves))
    assert abs(np.mean(a & b) - 0.25) < 0.08


@given(
    naive_objects(min_points=0, max_points=12),
    st.sampled_from(ALL),
    st.floats(0, 1),
    st.integers(0, 4),
    st.integers(0, 9),
)
def test_any_light_curves_stay_valid(objects, transformer, share, min_points, seed):
    curves = container(objects)
    curves = curves.with_metadata(redshift=np.linspace(0, 7, len(objects)))
    made = transformer(share=share, min_points=min_points, random_state=seed)
    after = made.fit_transform(curves)
    assert_valid(after, curves)
    if transformer in SELECTIONS:
        assert (after.lengths <= curves.lengths).all()
        assert (after.lengths >= np.minimum(curves.lengths, min_points)).all()
        for new, old in zip(after, curves, strict=True):
            assert set(zip(*columns(new), strict=True)) <= set(zip(*columns(old), strict=True))


@given(naive_objects(min_points=0, max_points=12), st.sampled_from([0.25, 1.0, 2.5]))
def test_gaps_are_those_of_a_loop(objects, gap):
    curves = container(objects)
    made = AlertCadence(snr=0, smallest=1, gap=gap, min_points=0)
    expected = []
    for curve in curves:
        last, kept = {}, []
        for t, f, b in zip(curve.time, curve.flux, curve.band_names, strict=True):
            if f >= 0 and t - last.get(b, -np.inf) >= gap:
                kept.append((t, f, b))
                last[b] = t
        expected += kept
    after = made.transform(curves)
    assert list(zip(after.time, after.flux, after.band_names, strict=True)) == expected


# -- what each does


def test_prefixes_end_log_uniformly_after_the_first_detection():
    curves = simulated(2000, 400)
    after = Prefixes(share=1, shortest=5, longest=80, random_state=0).transform(curves)
    first = curves.detections(5).time[curves.detections(5).offsets[:-1]]
    last = after.time[after.offsets[1:] - 1]
    days = last - first
    # days between the end and the last observation before it: half a day on average
    assert days.max() <= 80
    assert days.min() > 1
    assert abs(np.median(days) - np.sqrt(5 * 80)) < 1.5
    assert (after.time[after.offsets[:-1]] == curves.time[curves.offsets[:-1]]).all()
    whole = Prefixes(share=1, shortest=5, longest=80, snr=1e9).transform(curves)
    assert whole.equals(curves)


def test_detections_only():
    curves = LightCurves.from_arrays(
        [[1.0, 2, 3, 4, 5], [1.0, 2, 3, 4, 5]],
        [[9.0, 5, -8, 4.9, 7], [1.0, 9, 1, 9, 1]],
        [[1.0] * 5] * 2,
        ["ztfg", "ztfg"],
    )
    after = DetectionsOnly().transform(curves)
    assert after[0].flux.tolist() == [9, 5, 7]
    assert after[1].flux.tolist() == [1, 9, 1, 9, 1]  # two detections: left unaltered
    assert DetectionsOnly(negative=True).transform(curves)[0].flux.tolist() == [9, 5, -8, 7]
    assert DetectionsOnly(snr=7, min_points=0).transform(curves).lengths.tolist() == [2, 2]
    assert DetectionsOnly(min_points=0).transform(curves).equals(curves.detections(5))


def test_drop_bands(curves):
    after = DropBands(share=1, random_state=0).transform(curves)
    n_bands = np.array([len(curve.passbands) for curve in after])
    assert abs(np.mean(n_bands == 1) - 0.5) < 0.08
    assert set(n_bands) == {1, 2}
    counts = np.array([(after.band_names == name).sum() for name in ("ztfg", "ztfr", "lssti")])
    assert np.abs(counts / counts.mean() - 1).max() < 0.15
    # what is left of a band is all of it
    for old, new in zip(curves[:50], after[:50], strict=True):
        left = np.isin(old.band_names, [p.name for p in new.passbands])
        assert new.time.tolist() == old.time[left].tolist()
    two = DropBands(share=1, keep=2, random_state=0).transform(curves)
    assert {len(curve.passbands) for curve in two} == {2}
    assert DropBands(share=1, keep=3).transform(curves).equals(curves)


def test_drop_epochs(curves):
    after = DropEpochs(share=1, largest=0.6, random_state=0).transform(curves)
    fraction = after.lengths / curves.lengths
    assert abs(fraction.mean() - 0.7) < 0.02
    assert fraction.min() < 0.5
    assert DropEpochs(share=1, largest=0).transform(curves).equals(curves)


def test_whole_nights_stay_or_go_together():
    curves = simulated(50, 400)  # two per night
    after = DropEpochs(share=1, whole_nights=True, random_state=0).transform(curves)
    assert after.lengths.sum() < 0.8 * curves.lengths.sum()
    for old, new in zip(curves, after, strict=True):
        left = np.isin(np.floor(old.time), np.floor(new.time))
        assert left.sum() == len(new)


def test_alert_cadence():
    curves = simulated(1000, 200)
    after = AlertCadence(smallest=0.25, random_state=0).transform(curves)
    assert (after.flux >= 5 * after.flux_err).all()
    fraction = after.lengths / curves.detections(5).lengths
    assert abs(np.median(fraction) - 0.5) < 0.03
    assert abs(fraction.mean() - 0.75 / np.log(4)) < 0.03
    spaced = AlertCadence(gap=3, random_state=0).transform(curves)
    for name in ("ztfg", "ztfr", "lssti"):
        band = spaced.with_bands(name)
        assert min(np.diff(c.time).min(initial=9) for c in band) > 3 - 1e-6


def test_extra_noise():
    curves = simulated(1000)
    after = ExtraNoise(share=1, largest=4, random_state=0).transform(curves)
    factor = after.flux_err / curves.flux_err
    assert factor.min() >= 1
    assert factor.max() <= 4
    assert abs(np.median(factor) - 2) < 0.15
    assert all(len(set(c.flux_err)) == 1 for c in after)
    added = (after.flux - curves.flux) / np.sqrt(after.flux_err**2 - curves.flux_err**2)
    assert abs(added.std() - 1) < 0.02
    assert abs(added.mean()) < 0.02


# -- redshifting


def test_redshifting_is_the_physics():
    cosmology = FlatLambdaCDM(H0=70, Om0=0.3)
    n = 200
    curves = LightCurves.from_arrays(
        np.tile([100.0, 110.0, 130.0], n),
        np.tile([1e6, 2e6, 3e6], n),
        np.full(3 * n, 1e-3),  # so small that the noise does not show
        np.tile(["ztfg", "lssti", "ztfg"], n),
        offsets=np.arange(n + 1) * 3,
        metadata={"redshift": np.linspace(0.01, 1.5, n)},
    )
    after = Redshifting(share=1, largest=1.3, random_state=0).transform(curves)
    z, moved = (c.metadata["redshift"].to_numpy() for c in (curves, after))
    ratio = (1 + moved) / (1 + z)
    steps = np.log(ratio) / 0.01
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-9)
    assert set(np.round(steps).astype(int)) == set(range(1, 27))
    days = after.time.reshape(n, 3) - 100
    np.testing.assert_allclose(days, ratio[:, None] * [0, 10, 30], atol=1e-10)
    np.testing.assert_allclose(after.wavelength, np.repeat(ratio, 3) * curves.wavelength)
    distances = [cosmology.luminosity_distance(x).value for x in (z, moved)]
    expected = ratio * (distances[0] / distances[1]) ** 2
    np.testing.assert_allclose(after.flux / curves.flux, np.repeat(expected, 3), rtol=1e-5)
    np.testing.assert_array_equal(after.flux_err, curves.flux_err)
    # the same rest-frame wavelength is seen
    rest = [c.wavelength / (1 + np.repeat(x, 3)) for c, x in ((curves, z), (after, moved))]
    np.testing.assert_allclose(rest[1], rest[0])


def test_the_noise_of_the_sky_does_not_dim():
    curves = simulated(1000)
    # the noise before the event: a mean of 0 and a scatter of 10
    after = Redshifting(share=1, min_points=0, random_state=0).transform(curves)
    quiet = curves.time < 59050
    assert abs(after.flux[quiet].std() - 10) < 0.15
    np.testing.assert_array_equal(after.flux_err, curves.flux_err)


def test_redshifted_passbands_are_few_and_survive(tmp_path):
    curves = simulated(1000)
    after = Redshifting(share=0.5, random_state=0).transform(curves)
    names = [p.name for p in after.passbands]
    assert len(names) == len(set(names)) <= 3 * 19
    assert set(names) > {"ztfg", "ztfg*1.05", "lssti*1.20"}
    assert after.passbands[names.index("ztfg*1.05")].wavelength == pytest.approx(
        0.4814 * np.exp(0.05)
    )
    after.to_parquet(tmp_path / "far")
    assert LightCurves.from_parquet(tmp_path / "far").equals(after)
    assert pickle.loads(pickle.dumps(after)).equals(after)


def test_objects_that_would_not_be_seen_stay_where_they_are(curves):
    after = Redshifting(share=1, largest=3, random_state=0).transform(curves)
    assert (after.detections(5).lengths >= 3).all()
    stay = unaltered(curves, after)
    assert 0 < stay.sum() < len(curves)
    same_z = after.metadata["redshift"] == curves.metadata["redshift"]
    assert (stay == same_z.to_numpy()).all()


def test_redshifts_without_a_distance_stay_and_none_exceeds_six():
    curves = simulated(300, 10).with_metadata(redshift=np.tile([-0.001, 5.0, 6.5], 100))
    after = Redshifting(share=1, largest=2, min_points=0, random_state=0).transform(curves)
    z = after.metadata["redshift"].to_numpy().reshape(100, 3)
    assert (z[:, 0] == -0.001).all()
    assert (z[:, 1] > 5).all()
    assert (z[:, 1] <= 6).all()
    assert (z[:, 2] == 6.5).all()


def test_missing_redshifts(curves):
    z = curves.metadata["redshift"].to_numpy().copy()
    z[5] = np.nan
    with pytest.raises(LightCurveError, match=r"'SN5' \(position 5\) has no redshift \(1 of 400"):
        Redshifting().transform(curves.with_metadata(redshift=z))
    with pytest.raises(LightCurveError, match="not numeric"):
        Redshifting().transform(curves.with_metadata(redshift="photometric"))
    bare = LightCurves.from_arrays([[1.0]], [[1.0]], [[1.0]], ["ztfg"])
    with pytest.raises(LightCurveError, match=r"with_metadata\(redshift=\.\.\.\)"):
        Redshifting().transform(bare)


def test_without_astropy(curves, monkeypatch):
    import sklc.cosmology as cosmology

    cosmology._table.cache_clear()
    monkeypatch.setitem(sys.modules, "astropy.cosmology", None)
    with pytest.raises(ImportError, match=r'pip install "sklc\[sim\]"'):
        Redshifting(share=1).transform(curves)
    assert len(DropEpochs().transform(curves)) == 400
