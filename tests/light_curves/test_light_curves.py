"""The container: constructors, views, exports and what makes new light curves."""

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import BANDS, assert_equals_naive, container, naive_objects

from sklc.errors import LightCurveError, UnknownPassbandError
from sklc.light_curves import LightCurve, LightCurves
from sklc.passbands import get_passband

# -- views


@given(objects=naive_objects(), data=st.data())
def test_selections_agree_with_a_list(objects, data):
    curves = container(objects)
    assert_equals_naive(curves, objects)
    for _ in range(2):  # a selection of a selection too
        n = len(objects)
        choice = data.draw(st.sampled_from(["positions", "mask", "slice", "array"]))
        if choice == "mask":
            key = data.draw(st.lists(st.booleans(), min_size=n, max_size=n))
            objects = [o for o, keep in zip(objects, key, strict=True) if keep]
            key = data.draw(st.sampled_from([key, np.array(key, bool), pd.Series(key, dtype=bool)]))
        elif choice == "slice":
            key = data.draw(st.slices(n))
            objects = objects[key]
        else:
            key = data.draw(st.lists(st.integers(-n, n - 1))) if n else []
            objects = [objects[k] for k in key]
            key = np.array(key, dtype=np.int32) if choice == "array" else key
        curves = curves[key, ...] if data.draw(st.booleans()) else curves[key]
        assert_equals_naive(curves, objects)
        assert curves.metadata.index.tolist() == [o.id for o in objects]


def test_integer_index_and_iteration(curves):
    assert isinstance(curves[0], LightCurve)
    assert curves[-1].id == curves[3, ...].id == curves[np.int64(3)].id == "d"
    assert [c.id for c in curves] == list("abcd")
    assert [c.id for c in curves[[3, 1]]] == ["d", "b"]
    assert curves[[3, 1]][-1].id == "b"


@pytest.mark.parametrize(
    "key",
    [4, -5, "a", 1.5, [0.5], ["a"], [[0, 1]], [9], [True, False], (0, 1), (slice(None), ..., 0),
     None, {"a": 1}, np.zeros((4, 1), bool)],
)  # fmt: skip
def test_wrong_index(curves, key):
    with pytest.raises(IndexError):
        curves[key]


def test_mask_of_other_ids_is_refused(curves):
    mask = curves.metadata["redshift"] > 0.015
    assert curves[mask].ids.tolist() == list("abc")
    with pytest.raises(IndexError, match="another order"):
        curves[mask.sort_index(ascending=False)]
    assert curves[mask.astype("boolean")].ids.tolist() == list("abc")


def test_a_whole_or_contiguous_selection_copies_nothing(curves):
    for key in (slice(None), [0, 1, 2, 3], slice(1, 3), np.array([False, True, True, True])):
        view = curves[key]
        assert view.is_view
        for name in ("time", "flux", "flux_err", "band"):
            assert np.shares_memory(getattr(view, name), getattr(curves, name)), name
    assert not curves.is_view
    assert not np.shares_memory(curves[[0, 2]].time, curves.time)


def test_arrays_of_a_view_are_gathered_once(curves):
    view = curves[[2, 0]]
    assert view.flux is view.flux
    assert view.wavelength is view.wavelength


def test_a_small_view_pickles_only_its_own_observations():
    n = 1000
    curves = LightCurves.from_arrays(
        np.arange(10.0 * n), np.ones(10 * n), None, "ztfg", offsets=np.arange(n + 1) * 10
    )
    whole = len(pickle.dumps(curves))
    small, large = curves[::10], curves[np.arange(n) % 10 != 0]
    assert len(pickle.dumps(small)) < 0.2 * whole
    assert not pickle.loads(pickle.dumps(small)).is_view
    assert pickle.loads(pickle.dumps(large)).is_view  # the shared arrays, for joblib to map
    assert len(pickle.dumps(curves[5])) < 0.05 * whole
    assert pickle.loads(pickle.dumps(curves[5])).time.tolist() == curves[5].time.tolist()


def test_numpy_conversion_names_the_remedy(curves):
    with pytest.raises(TypeError, match="to_nested"):
        np.asarray(curves)


# -- one light curve


def test_light_curve(curves):
    curve = curves[2]
    assert curve.zero_point == 27.5
    assert curve.metadata["kind"] == "Ia"
    assert [p.name for p in curve.passbands] == ["ztfg", "ztfr"]
    assert [p.name for p in curves[1].passbands] == ["ztfr"]
    wavelength = [get_passband(b).wavelength for b in ("ztfg", "ztfr", "ztfg")]
    assert curve.wavelength.tolist() == wavelength
    assert curve.to_frame().columns.tolist() == ["mjd", "band", "flux", "flux_err"]
    assert curve.to_frame()["flux"].tolist() == [30.0, 20.0, 10.0]
    assert repr(curve) == "LightCurve 'c': 3 observations over 4.0 days, bands ztfg ztfr"
    numbered = LightCurves.from_arrays([1.0], [1.0], offsets=[0, 1])[0]
    assert type(numbered.id) is int


# -- what makes new light curves


@given(objects=naive_objects(min_points=0), snr=st.sampled_from([0.0, 3.0, 5.0]))
def test_detections(objects, snr):
    kept = container(objects).detections(snr)
    for curve, o in zip(kept, objects, strict=True):
        o = o.sorted()
        expected = [row for row in zip(*o.columns(), strict=True) if row[1] / row[2] >= snr]
        got = zip(curve.time, curve.flux, curve.flux_err, curve.band_names, strict=True)
        assert list(got) == expected


def test_detections_need_errors(curves):
    bare = LightCurves.from_arrays([1.0], [1.0], offsets=[0, 1])
    with pytest.raises(LightCurveError, match="errors"):
        bare.detections()


@given(objects=naive_objects(min_points=0), days=st.integers(0, 10), points=st.integers(0, 5))
def test_truncate(objects, days, points):
    curves = container(objects)
    for curve, o in zip(curves.truncate(days=days), objects, strict=True):
        o = o.sorted()
        assert curve.time.tolist() == [t for t in o.time if t - o.time[0] <= days]
    for curve, o in zip(curves.truncate(points=points), objects, strict=True):
        assert curve.flux.tolist() == o.sorted().flux[:points]


@pytest.mark.parametrize(
    "options",
    [{}, {"days": 1, "points": 1}, {"days": -1}, {"points": -1}, {"points": 1.5}, {"days": np.nan}],
)
def test_truncate_arguments(curves, options):
    with pytest.raises(ValueError):
        curves.truncate(**options)


@given(objects=naive_objects(min_points=0), data=st.data())
def test_with_bands(objects, data):
    curves = container(objects)
    present = [p.name for p in curves.passbands]
    if not present:
        return
    names = data.draw(st.lists(st.sampled_from(present), min_size=1, unique=True))
    kept = curves.with_bands(*names)
    assert [p.name for p in kept.passbands] == names
    for curve, o in zip(kept, objects, strict=True):
        o = o.sorted()
        assert curve.band_names.tolist() == [b for b in o.band if b in names]
        assert curve.flux.tolist() == [f for f, b in zip(o.flux, o.band, strict=True) if b in names]


def test_with_bands_errors(curves):
    with pytest.raises(ValueError, match="with_bands"):
        curves.with_bands()
    with pytest.raises(LightCurveError, match=r"'lsstu'.*\['ztfg', 'ztfr'\]"):
        curves.with_bands("lsstu")
    with pytest.raises(UnknownPassbandError, match="nothing"):
        curves.with_bands("nothing")
    assert curves.with_bands(get_passband("ztfr"), "ZTF_g").lengths.tolist() == [2, 1, 3, 1]


@given(objects=naive_objects(min_points=0))
def test_nightly(objects):
    for curve, o in zip(container(objects).nightly(), objects, strict=True):
        groups = {}
        for row in zip(*o.columns(), strict=True):
            groups.setdefault((np.floor(row[0]), row[3]), []).append(row)
        expected = []
        for (_, band), rows in groups.items():
            time, flux, error = (np.array(c) for c in list(zip(*rows, strict=True))[:3])
            weight = error**-2 / np.sum(error**-2)
            expected.append(
                (np.sum(weight * time), band, np.sum(weight * flux), np.sum(error**-2) ** -0.5)
            )
        expected.sort(key=lambda row: row[:2])
        assert (np.diff(curve.time) >= 0).all()
        got = list(zip(curve.time, curve.band_names, curve.flux, curve.flux_err, strict=True))
        got.sort(key=lambda row: (round(row[0], 6), row[1]))
        expected.sort(key=lambda row: (round(row[0], 6), row[1]))
        assert [row[1] for row in got] == [row[1] for row in expected]
        for k in (0, 2, 3):
            np.testing.assert_allclose([row[k] for row in got], [row[k] for row in expected])


def test_nightly_without_errors():
    curves = LightCurves.from_arrays([1.2, 1.4, 2.0], [2.0, 4.0, 5.0], None, "ztfg", offsets=[0, 3])
    night = curves.nightly()
    assert night.flux.tolist() == [3.0, 5.0]
    assert np.isnan(night.flux_err).all()


def test_with_metadata_aligns_by_id(curves):
    frame = pd.DataFrame({"z": [4.0, 3.0, 2.0, 1.0, 0.0]}, index=list("dcbae"))
    made = curves.with_metadata(frame, number=[7, 8, 9, 10], constant="x", redshift=0.5)
    assert made.metadata["z"].tolist() == [1.0, 2.0, 3.0, 4.0]
    assert made.metadata["number"].tolist() == [7, 8, 9, 10]
    assert made.metadata["constant"].tolist() == ["x"] * 4
    assert made.metadata["redshift"].tolist() == [0.5] * 4
    assert list(curves.metadata.columns) == ["redshift", "kind"]
    series = curves.with_metadata(z=frame["z"])
    assert series.metadata["z"].tolist() == [1.0, 2.0, 3.0, 4.0]
    selected = curves[[2, 0, 2]].with_metadata(frame)
    assert selected.metadata["z"].tolist() == [3.0, 1.0, 3.0]


def test_with_metadata_errors(curves):
    with pytest.raises(LightCurveError, match=r"object 'c' \(position 2\) has no value"):
        curves.with_metadata(pd.DataFrame({"z": [1.0, 2.0, 3.0]}, index=list("abd")))
    with pytest.raises(LightCurveError, match="'z' has 3 values for 4 objects"):
        curves.with_metadata(z=[1, 2, 3])
    with pytest.raises(LightCurveError, match="repeats"):
        curves.with_metadata(pd.DataFrame({"z": [1.0] * 5}, index=list("abcda")))
    with pytest.raises(TypeError, match="DataFrame"):
        curves.with_metadata([1, 2, 3, 4])


def test_every_result_keeps_ids_metadata_and_zero_point(curves):
    for made in (
        curves.detections(),
        curves.truncate(points=1),
        curves.with_bands("ztfg"),
        curves.nightly(),
        curves.with_metadata(n=1),
        curves[::-1].nightly()[::-1],
    ):
        assert made.ids.tolist() == curves.ids.tolist()
        assert made.zero_point == curves.zero_point
        assert made.metadata["redshift"].tolist() == curves.metadata["redshift"].tolist()
    assert curves.with_bands("ztfg").lengths.tolist() == [2, 0, 2, 0]


# -- comparison and display


def test_equals_sees_every_difference(curves):
    frame = curves.to_frame()
    assert curves.equals(curves[:])
    base = LightCurves.from_frame(frame)
    assert not curves.equals(base)  # metadata
    assert not curves.equals(curves[:3])
    assert not curves.equals("curves")
    changes = [
        {"mjd": frame["mjd"] + 1}, {"flux": frame["flux"] + 1}, {"flux_err": frame["flux_err"] + 1},
        {"band": "ztfi"}, {"object_id": frame["object_id"] + "x"},
    ]  # fmt: skip
    for change in changes:
        assert not base.equals(LightCurves.from_frame(frame.assign(**change))), change
    assert not base.equals(LightCurves.from_frame(frame, zero_point=25))
    assert base.equals(LightCurves.from_frame(frame.astype({"flux": "f4", "flux_err": "f4"})))


def test_repr(curves):
    assert repr(curves) == (
        "LightCurves: 4 objects, 7 observations (median 1.5), bands ztfg ztfr, zero point 27.5, "
        "metadata redshift kind"
    )
    many = LightCurves.from_arrays([[1.0]] * 9, [[1.0]] * 9, band=[f"{k}um" for k in range(1, 10)])
    assert "8um ..., zero point" in repr(many)


def test_html_escapes_and_counts(curves):
    text = curves.with_metadata(kind="<b>")._repr_html_()
    assert "<table" in text
    assert "&lt;b&gt;" in text
    assert "more" not in text
    many = LightCurves.from_arrays([[1.0]] * 9, [[1.0]] * 9)
    assert "and 4 more" in many._repr_html_()
    assert "<table" not in many[:0]._repr_html_()


def test_from_frame_other_column_names(curves, frame):
    renamed = frame.rename(
        columns={"object_id": "oid", "mjd": "t", "flux": "f", "flux_err": "e", "band": "b"}
    )
    made = LightCurves.from_frame(
        renamed, object_id="oid", time="t", flux="f", flux_err="e", band="b"
    )
    assert made.equals(LightCurves.from_frame(frame))


def test_integer_filter_ids():
    curves = LightCurves.from_arrays(
        [1.0, 2, 3], [1.0, 2, 3], None, [1, 3, 2], offsets=[0, 3], survey="ztf"
    )
    assert curves.band_names.tolist() == ["ztfg", "ztfi", "ztfr"]


def test_from_nested_copies_nothing(curves):
    nested = curves.to_nested()
    again = LightCurves.from_nested(nested)
    assert np.shares_memory(again.time, curves.time)
    assert np.shares_memory(again.flux, curves.flux)


@settings(max_examples=20)
@given(objects=naive_objects(min_objects=1))
def test_wavelength_follows_the_bands(objects):
    curves = container(objects)
    expected = [get_passband(b).wavelength for o in objects for b in o.sorted().band]
    assert curves.wavelength.tolist() == expected
    assert set(curves.band_names) <= set(BANDS)
