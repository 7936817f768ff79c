"""The container: constructors, views, exports and what makes new light curves."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import assert_equals_naive, container, long_frame, naive_objects

from sklc.errors import LightCurveError, UnknownPassbandError
from sklc.light_curves import LightCurve, LightCurves, concatenate
from sklc.light_curves.store import stable_order
from sklc.passbands import Passband, get_passband


@pytest.fixture
def curves():
    return LightCurves.from_arrays(
        time=[[59000.0, 59003.0], [59001.0], [59002.0, 59004.0, 59006.0], [59000.0]],
        flux=[[110.0, 180.0], [60.0], [30.0, 20.0, 10.0], [44.0]],
        flux_err=[[5.0, 6.0], [7.0], [5.0, 5.0, 5.0], [4.0]],
        band=["ztfg", "ztfr", ["ztfg", "ztfr", "ztfg"], "ztfr"],
        ids=["a", "b", "c", "d"],
        metadata={"redshift": [0.03, 0.05, 0.02, 0.01], "kind": ["Ia", "II", "Ia", "Ib"]},
    )


@pytest.fixture
def frame(curves):
    return curves.to_frame()


# -- constructors


@given(objects=naive_objects(), data=st.data())
def test_from_frame_groups_and_sorts_any_order_of_rows(objects, data):
    frame = long_frame(objects)
    rows = data.draw(st.permutations(range(len(frame))))
    frame = frame.iloc[list(rows)]
    expected = {o.id: type(o)(o.id, [], [], [], []) for o in objects}
    for i, *row in frame.itertuples(index=False):
        for column, value in zip(expected[i].columns(), row, strict=True):
            column.append(value)
    order = list(dict.fromkeys(frame["object_id"]))
    curves = LightCurves.from_frame(frame, duplicates="keep")
    assert_equals_naive(curves, [expected[i] for i in order])


@pytest.mark.parametrize(
    "convert",
    [
        lambda f: f,
        lambda f: f.astype({"object_id": "category", "band": "category"}),
        lambda f: f.astype({"object_id": object, "band": object}),
        lambda f: f.astype({"object_id": "string", "band": "string", "flux": "Float64"}),
        lambda f: f.set_index("object_id"),
        lambda f: f.convert_dtypes(dtype_backend="pyarrow"),
        pl.from_pandas,
        lambda f: pl.from_pandas(f).with_columns(pl.col("band", "object_id").cast(pl.Categorical)),
        lambda f: pa.Table.from_pandas(f),
        lambda f: pa.concat_tables([pa.Table.from_pandas(f[:3]), pa.Table.from_pandas(f[3:])]),
        lambda f: pa.table({c: pa.chunked_array([f[c][:4], f[c][4:]]) for c in f}).set_column(
            0,
            "object_id",
            pa.chunked_array(
                [
                    pa.array(f["object_id"][:4]).dictionary_encode(),
                    pa.array(f["object_id"][4:]).dictionary_encode(),
                ]
            ),
        ),
    ],
)
@pytest.mark.parametrize("interleaved", [False, True])
def test_from_frame_takes_every_kind_of_table(curves, frame, convert, interleaved):
    frame = frame.astype({"band": str, "object_id": str})
    if interleaved:
        frame = frame.sort_values("flux", ascending=False).reset_index(drop=True)
        curves = curves[[0, 1, 3, 2]]
    made = LightCurves.from_frame(convert(frame), metadata=curves.metadata)
    assert made.equals(curves)


def test_from_frame_integer_ids_and_nullable_ids(frame):
    for kind in ("int32", "Int64", "category"):
        numbered = frame.assign(object_id=pd.factorize(frame["object_id"])[0]).astype(
            {"object_id": kind}
        )
        curves = LightCurves.from_frame(numbered)
        assert curves.ids.dtype.kind == "i"
        assert curves.ids.tolist() == [0, 1, 2, 3]


def test_from_frame_takes_columns_of_the_right_type_without_copying():
    time, flux = np.arange(4.0), np.arange(1.0, 5.0, dtype=np.float32)
    frame = pd.DataFrame({"object_id": [1, 1, 2, 2], "mjd": time})
    frame["flux"], frame["flux_err"], frame["band"] = flux, flux, "ztfg"
    curves = LightCurves.from_frame(frame)
    assert np.shares_memory(curves.time, frame["mjd"].to_numpy())
    assert np.shares_memory(curves.flux, frame["flux"].to_numpy())
    assert curves.flux.dtype == np.float32
    assert not curves.time.flags.writeable
    frame.loc[0, "mjd"] = 0.5  # the table itself stays writeable


def test_arrays_of_the_caller_stay_writeable():
    time = np.arange(3.0)
    curves = LightCurves.from_arrays(time, [1.0, 2, 3], None, "ztfg", offsets=[0, 3])
    for array in (curves.time, curves.flux, curves.band, curves.offsets, curves.ids):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    time[0] = -1.0


def test_float32_and_float64_are_kept():
    for dtype in (np.float32, np.float64):
        flux = np.ones(3, dtype=dtype)
        curves = LightCurves.from_arrays([1, 2, 3], flux, flux, "ztfg", offsets=[0, 3])
        assert curves.flux.dtype == curves.flux_err.dtype == dtype
        assert curves.time.dtype == np.float64
    mixed = LightCurves.from_arrays(
        [1, 2, 3], flux, flux.astype(np.float32), "ztfg", offsets=[0, 3]
    )
    assert mixed.flux_err.dtype == np.float64


def test_zero_point_column_rescales_each_row(frame):
    frame["zp"] = [25.0, 27.5, 25.0, 30.0, 27.5, 27.5, 27.5]
    factor = 10 ** (-0.4 * (frame["zp"] - 27.5))
    curves = LightCurves.from_frame(frame)
    assert curves.zero_point == 27.5
    np.testing.assert_allclose(curves.flux, frame["flux"] * factor)
    np.testing.assert_allclose(curves.flux_err, frame["flux_err"] * factor)
    shuffled = LightCurves.from_frame(frame.iloc[[2, 0, 5, 1, 6, 3, 4]])
    for curve in shuffled:
        np.testing.assert_allclose(curve.flux, curves[list(curves.ids).index(curve.id)].flux)


def test_zero_point_number_overrides_the_column(frame):
    frame["zp"] = np.nan
    curves = LightCurves.from_frame(frame, zero_point=23.9)
    assert curves.zero_point == 23.9
    assert curves.flux.tolist() == frame["flux"].tolist()
    with pytest.raises(LightCurveError, match=r"object 'a' \(position 0\).*zero_point="):
        LightCurves.from_frame(frame)


def test_zero_point_constant_column_and_named_column(frame):
    renamed = frame.assign(zp=25.0).rename(columns={"zp": "zero"})
    curves = LightCurves.from_frame(renamed, zero_point="zero")
    assert curves.zero_point == 25.0
    assert curves.flux.tolist() == frame["flux"].tolist()
    assert LightCurves.from_frame(renamed).flux.tolist() == frame["flux"].tolist()


def test_unknown_errors_are_nan(frame):
    without = frame.drop(columns="flux_err")
    curves = LightCurves.from_frame(without, flux_err=None)
    assert np.isnan(curves.flux_err).all()
    nan_column = LightCurves.from_frame(frame.assign(flux_err=np.nan))
    assert nan_column.equals(curves)


def test_single_passband_table(frame):
    curves = LightCurves.from_frame(
        frame.drop(columns="band"), band=None, passband="kepler", zero_point=25
    )
    assert [p.name for p in curves.passbands] == ["kepler"]
    with pytest.raises(ValueError, match="passband="):
        LightCurves.from_frame(frame, band=None)
    with pytest.raises(ValueError, match="not both"):
        LightCurves.from_frame(frame, passband="ztfg")


def test_survey_resolves_short_names_and_is_kept(frame):
    frame["band"] = frame["band"].str[-1]
    with pytest.raises(UnknownPassbandError, match="'a' \\(position 0\\)"):
        LightCurves.from_frame(frame)
    curves = LightCurves.from_frame(frame, survey="ztf")
    assert [p.name for p in curves.passbands] == ["ztfg", "ztfr"]
    assert curves.metadata["survey"].tolist() == ["ztf"] * 4
    each = LightCurves.from_frame(frame, survey=["ztf", "lsst", "ztf", "ps1"])
    assert each[1].band_names.tolist() == ["lsstr"]
    assert each[3].band_names.tolist() == ["ps1r"]
    column = LightCurves.from_frame(
        frame, metadata=pd.DataFrame({"survey": ["ps1", "ztf", "lsst", "ztf"]}, index=list("dcba"))
    )
    assert column.band_names.tolist() == each.band_names.tolist()


def test_passband_objects_and_unused_categories(frame):
    mine = Passband("mine", "lab", 0.555)
    curves = LightCurves.from_arrays([1.0], [1.0], None, mine, offsets=[0, 1])
    assert curves.passbands == (mine,)
    assert curves.wavelength.tolist() == [0.555]
    categories = ["nonsense", "ztfr", "lsstu", "ztfg"]
    frame["band"] = pd.Categorical(frame["band"].astype(str), categories=categories)
    assert [p.name for p in LightCurves.from_frame(frame).passbands] == ["ztfr", "ztfg"]


def test_two_names_of_one_passband_are_one():
    for bands in (["ztfg", "ztfi", "g"], [1, 3, 1]):  # names, or filter ids
        curves = LightCurves.from_arrays(
            [1.0, 2.0, 3.0], [1.0, 2.0, 3.0], None, bands, offsets=[0, 3], survey="ztf"
        )
        assert curves.band_names.tolist() == ["ztfg", "ztfi", "ztfg"]
        assert len(curves.passbands) == 2


def test_metadata_is_aligned_by_id(frame):
    table = pd.DataFrame({"object_id": list("dbca"), "z": [4.0, 2.0, 3.0, 1.0]})
    for metadata in (table, table.set_index("object_id"), pl.from_pandas(table)):
        curves = LightCurves.from_frame(frame, metadata=metadata)
        assert curves.metadata["z"].tolist() == [1.0, 2.0, 3.0, 4.0]
        assert curves.metadata.index.tolist() == list("abcd")
    with pytest.raises(LightCurveError, match=r"object 'b' \(position 1\) has no row"):
        LightCurves.from_frame(frame, metadata=table[table["object_id"] != "b"])
    extra = pd.concat([table, pd.DataFrame({"object_id": ["e"], "z": [5.0]})])
    with pytest.raises(LightCurveError, match="'e' has a row in the metadata but no obs"):
        LightCurves.from_frame(frame, metadata=extra)
    with pytest.raises(LightCurveError, match="more than one row for object 'd'"):
        LightCurves.from_frame(frame, metadata=pd.concat([table, table[:1]]))


def test_metadata_is_a_copy(curves):
    metadata = curves.metadata
    metadata.loc["a", "redshift"] = 99.0
    assert curves.metadata["redshift"].tolist() == [0.03, 0.05, 0.02, 0.01]
    selection = curves[:2]
    metadata = selection.metadata
    metadata["new"] = 1
    assert list(selection.metadata.columns) == ["redshift", "kind"]


def test_from_arrays_forms_agree(curves):
    flat = (curves.time, curves.flux, curves.flux_err, curves.band_names)
    same = {"metadata": curves.metadata}
    offsets = LightCurves.from_arrays(*flat, offsets=curves.offsets, ids=curves.ids, **same)
    owner = LightCurves.from_arrays(*flat, object_id=np.repeat(curves.ids, curves.lengths), **same)
    parts = [np.split(a, curves.offsets[1:-1]) for a in flat]
    ragged = LightCurves.from_arrays(*parts, ids=curves.ids, **same)
    for made in (offsets, owner, ragged):
        assert made.equals(curves)


def test_from_arrays_empty_objects_and_default_ids():
    curves = LightCurves.from_arrays([1.0, 2.0], [1.0, 2.0], None, "ztfg", offsets=[0, 0, 2, 2])
    assert curves.lengths.tolist() == [0, 2, 0]
    assert curves.ids.tolist() == [0, 1, 2]
    assert len(curves[0]) == 0
    assert repr(curves[0]) == "LightCurve 0: 0 observations"
    assert curves.nightly().lengths.tolist() == [0, 2, 0]
    assert LightCurves.from_arrays([[], [1.0]], [[], [2.0]]).lengths.tolist() == [0, 1]


@pytest.mark.parametrize(("arguments", "options", "message"), [
    (([1.0], [1.0]), {}, "offsets=.*or object_id="),
    (([1.0], [1.0]), {"offsets": [0, 1], "object_id": [1]}, "either offsets="),
    (([[1.0]], [[1.0]]), {"offsets": [0, 1]}, "neither offsets="),
    (([1.0], [1.0]), {"object_id": [1], "ids": [1]}, "ids= with offsets="),
    (([1.0, 2.0], [1.0]), {"offsets": [0, 2]}, "time 2, flux 1"),
    (([1.0, 2.0], [1.0, 2.0]), {"object_id": [1]}, "object_id 1"),
    (([1.0, 2.0], [1.0, 2.0]), {"offsets": [0, 1]}, "offsets end at 1, but there are 2 rows"),
    (([1.0, 2.0], [1.0, 2.0]), {"offsets": [1, 2]}, "start at 0"),
    (([1.0, 2.0], [1.0, 2.0]), {"offsets": [0, 2, 1, 2]}, "decrease after .* position 1"),
    (([1.0, 2.0], [1.0, 2.0]), {"offsets": [0, 2], "ids": ["a", "b"]}, "objects 1, ids 2"),
    (([[1.0, 2.0]], [[1.0]]), {}, "position 0: time has 2 values, flux 1"),
    (([[1.0, 2.0]], [[1.0, 2.0], [1.0]]), {}, "time holds 1 objects, but flux 2"),
    (([1.0], [1.0]), {"offsets": [0, 1], "zero_point": np.nan}, "zero point"),
    (([1.0], [1.0]), {"offsets": [0, 1], "survey": ["ztf", "ztf"]}, "survey has shape"),
    (([1.0], [1.0]), {"offsets": [0, 1], "metadata": {"z": [1, 2]}}, "objects 1, z 2"),
])  # fmt: skip
def test_from_arrays_errors(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        LightCurves.from_arrays(*arguments, **options)


def test_the_class_itself_points_to_the_constructors(frame):
    with pytest.raises(TypeError, match=r"LightCurves\.from_frame"):
        LightCurves(frame)


@pytest.mark.parametrize("n_rows", [0, 1])
def test_empty_and_tiny_tables(frame, n_rows):
    empty = LightCurves.from_frame(frame[:n_rows])
    assert len(empty) == n_rows
    assert empty.time.shape == (n_rows,)
    assert len(empty.to_frame()) == n_rows
    assert empty.to_padded().shape == (n_rows, n_rows, 4)
    assert LightCurves.from_nested(empty.to_nested()).equals(empty)
    assert len(empty.detections().nightly().truncate(days=3)) == n_rows
    assert len(pickle.loads(pickle.dumps(empty))) == n_rows
    assert len(concatenate([empty, empty[:0]])) == n_rows
    assert repr(empty).startswith(f"LightCurves: {n_rows} objects")
    columns = pd.DataFrame(columns=["object_id", "mjd", "flux", "flux_err", "band"])
    assert len(LightCurves.from_frame(columns)) == 0


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


# -- concatenation


# -- nested frames


def test_from_nested_missing_and_repeated_objects(curves):
    nested = curves.to_nested()
    gaps = nested.copy()
    gaps["lightcurve"] = [
        None if i == "b" else lc for i, lc in zip(nested.index, nested["lightcurve"], strict=True)
    ]
    gaps["lightcurve"] = gaps["lightcurve"].astype(nested["lightcurve"].dtype)
    assert LightCurves.from_nested(gaps).lengths.tolist() == [2, 0, 3, 1]
    with pytest.raises(LightCurveError, match=r"'a' \(position 1\) has an id that occurs before"):
        LightCurves.from_nested(nested.iloc[[0, 0]])


def test_from_nested_columns(curves):
    nested = curves.to_nested()
    two = nested.assign(other=nested["lightcurve"])
    with pytest.raises(LightCurveError, match=r"2 nested columns.*column="):
        LightCurves.from_nested(two)
    assert LightCurves.from_nested(two, column="other").equals(curves)
    with pytest.raises(LightCurveError, match="'nothing' is not a nested column"):
        LightCurves.from_nested(two, column="nothing")
    with pytest.raises(LightCurveError, match="0 nested columns"):
        LightCurves.from_nested(curves.metadata)
    with pytest.raises(LightCurveError, match=r"no field 'f' \(argument flux=\)"):
        LightCurves.from_nested(nested, flux="f")
    swapped = LightCurves.from_nested(nested, flux="flux_err", flux_err="flux", invalid="raise")
    assert swapped.flux.tolist() == curves.flux_err.tolist()


def test_from_nested_without_errors_or_bands(curves):
    nested = curves.to_nested()
    nested["lightcurve"] = nested["lightcurve"].nest[["time", "flux"]]
    bare = LightCurves.from_nested(nested)
    assert np.isnan(bare.flux_err).all()
    assert [p.name for p in bare.passbands] == ["unnamed"]
    assert [p.name for p in LightCurves.from_nested(nested, passband="tess").passbands] == ["tess"]
    nested["lightcurve"] = nested["lightcurve"].nest[["time"]]
    with pytest.raises(LightCurveError, match="none of the columns"):
        LightCurves.from_nested(nested)


def test_from_nested_slices_copy_nothing(curves):
    nested = curves.to_nested()
    column = nested["lightcurve"].array
    part = type(column)(column.list_array.slice(1, 2))
    again = LightCurves.from_nested(pd.DataFrame({"lc": part}, index=["b", "c"]))
    assert again.time.tolist() == curves[1:3].time.tolist()
    assert again.lengths.tolist() == [1, 3]
    assert np.shares_memory(again.time, curves.time)
    for piece in (nested[1:3], nested.iloc[[1, 2]], nested.iloc[:0]):
        assert LightCurves.from_nested(piece).ids.tolist() == piece.index.tolist()


def test_from_nested_of_several_chunks(curves):
    nested = curves.to_nested()
    joined = pd.concat([nested.iloc[:1], nested.iloc[2:]])
    assert LightCurves.from_nested(joined).equals(curves[[0, 2, 3]])


# -- padded arrays


def test_from_padded_wavelengths():
    known = get_passband("ztfg").wavelength
    X = np.array([[[1.0, 5, 1, known + 5e-5], [2, 5, 1, 0.4567], [3, 5, 1, 0.6]]])
    curves = LightCurves.from_padded(X)
    assert curves.band_names.tolist() == ["ztfg", "0.4567um", "unnamed"]
    assert LightCurves.from_frame(curves.to_frame()).equals(curves)  # such names are read back
    for wrong in (4567.0, -1.0, np.inf):  # an Angstrom is no micrometre
        X[0, 1, 3] = wrong
        with pytest.raises(LightCurveError, match="micrometre"):
            LightCurves.from_padded(X)


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 1), (2, 3, 5)])
def test_from_padded_shapes(shape):
    with pytest.raises(LightCurveError, match="n_objects, n_observations"):
        LightCurves.from_padded(np.ones(shape))


@pytest.mark.parametrize("lengths", [[1], [1, 5], [-1, 1], [1.0, 2.0], [[1], [2]]])
def test_from_padded_lengths(lengths):
    with pytest.raises(LightCurveError, match="lengths must be 2 integers between 0 and 3"):
        LightCurves.from_padded(np.ones((2, 3, 2)), lengths)


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


def test_concatenate_rescales_and_merges():
    first = LightCurves.from_arrays(
        [1.0], [10.0], [1.0], "ztfg", offsets=[0, 1], ids=["a"], zero_point=25.0,
        metadata={"z": [0.1]},
    )  # fmt: skip
    second = LightCurves.from_arrays(
        [1.0, 2.0], [100.0, 50.0], [10.0, 5.0], ["lsstr", "ztfg"], offsets=[0, 2], ids=["b"],
        zero_point=27.5, metadata={"kind": ["Ia"]},
    )  # fmt: skip
    joined = concatenate([first, second])
    assert joined.zero_point == 25.0
    np.testing.assert_allclose(joined.flux, [10, 10, 5])
    np.testing.assert_allclose(joined.flux_err, [1, 1, 0.5])
    assert joined.band_names.tolist() == ["ztfg", "lsstr", "ztfg"]
    assert [p.name for p in joined.passbands] == ["ztfg", "lsstr"]
    assert joined.metadata["z"].tolist()[0] == 0.1
    assert np.isnan(joined.metadata["z"].iloc[1])
    assert joined.metadata["kind"].iloc[1] == "Ia"


def test_concatenate_ids(curves):
    with pytest.raises(LightCurveError, match=r"'a' occurs in container\(s\) \[0, 1\].*prefix_ids"):
        concatenate([curves, curves[:2]])
    prefixed = concatenate([curves[:1], curves[:1]], prefix_ids=True)
    assert prefixed.ids.tolist() == ["0_a", "1_a"]
    suffixed = concatenate([curves[:1], curves[:1]], suffixes=["", "_x"])
    assert suffixed.ids.tolist() == ["a", "a_x"]
    numbered = LightCurves.from_arrays([1.0], [1.0], offsets=[0, 1])
    with pytest.raises(LightCurveError, match="mixed types"):
        concatenate([curves, numbered])
    with pytest.raises(ValueError, match="suffixes must be 2 strings"):
        concatenate([curves, curves], suffixes="ab")
    with pytest.raises(TypeError, match="takes a list"):
        concatenate(curves)
    with pytest.raises(TypeError, match="item 1 is a list"):
        concatenate([curves, [1]])
    with pytest.raises(ValueError, match="nothing"):
        concatenate([])


ID_TYPES = {
    "int": ["int8", "int64", "uint8", "uint64", "object"], "float": ["float32", "float64"],
    "bool": ["bool"], "str": ["str", "object"], "bytes": ["S2"],
}  # fmt: skip
VALUES = {
    "int": st.integers(0, 9) | st.sampled_from([-(2**63), -1, 2**53 + 1, 2**63, 2**64 - 1]),
    "float": st.integers(0, 100).map(lambda k: k / 4),
    "bool": st.booleans(),
    "str": st.text("ab1", min_size=1, max_size=2),
    "bytes": st.text("ab1", min_size=1, max_size=2).map(str.encode),
}  # fmt: skip


@st.composite
def id_arrays(draw):
    """The ids of up to four containers, of any types, each a kind and an array."""
    parts, seen = [], set()
    for kind in draw(st.lists(st.sampled_from(list(ID_TYPES)), min_size=1, max_size=4)):
        values = draw(st.lists(VALUES[kind], min_size=1, max_size=3, unique=True))
        values = [v for v in values if (kind, v) not in seen]
        seen |= {(kind, v) for v in values}
        dtype = draw(st.sampled_from(ID_TYPES[kind]))
        if kind == "int" and dtype != "object":
            info = np.iinfo(dtype)
            values = [v for v in values if info.min <= v <= info.max]
        parts.append((kind, np.array(values, dtype=dtype)))
    return parts


def numbered(ids):
    n = len(ids)
    return LightCurves.from_arrays(np.arange(n), np.ones(n), offsets=np.arange(n + 1), ids=ids)


@settings(max_examples=300)
@given(parts=id_arrays())
def test_concatenate_keeps_every_id_exactly(parts):
    containers = [numbered(ids) for _, ids in parts]
    kinds = {kind for kind, ids in parts if len(ids)}
    values = [i for _, ids in parts for i in ids.tolist()]
    fits = kinds != {"int"} or min(values) >= 0 or max(values) < 2**63
    as_objects = any(ids.dtype == object for _, ids in parts if len(ids))
    if len(kinds) > 1:
        with pytest.raises(LightCurveError, match=r"mixed types \(.*, .*\).*prefix_ids=True"):
            concatenate(containers)
    elif not fits and not as_objects:
        with pytest.raises(LightCurveError, match=r"no type of integers holds.*prefix_ids=True"):
            concatenate(containers)
    else:
        joined = concatenate(containers)
        assert joined.ids.tolist() == values
        assert list(map(type, joined.ids.tolist())) == list(map(type, values))
        assert joined.metadata.index.tolist() == values
        if kinds == {"int"} and fits and not as_objects:
            assert joined.ids.dtype.kind in "iu"
    strings = concatenate(containers, prefix_ids=True).ids  # the remedy
    assert strings.tolist() == [
        f"{k}_{i}" for k, (_, ids) in enumerate(parts) for i in ids.tolist()
    ]


@pytest.mark.parametrize("values", [[-1, 2**63 - 1], [2**64 - 1, 0], [-1, 2**64 - 1], [1, 2**70]])
def test_large_integer_ids_stay_exact(values, tmp_path):
    made = [numbered(values), LightCurves.from_arrays([1.0, 2.0], [1.0, 2.0], object_id=values)]
    made.append(LightCurves.from_frame(made[0].to_frame()))
    if max(values) < 2**64 and min(values) >= 0:
        made[0].to_parquet(tmp_path)
        made += [LightCurves.from_parquet(tmp_path), LightCurves.from_nested(made[0].to_nested())]
    for curves in made:
        assert curves.ids.tolist() == values
        assert [curve.id for curve in curves] == values


@pytest.mark.parametrize("values", [[1, 2.5], [True, 2], ["a", 1], [b"a", "a"]])
def test_lists_of_ids_of_mixed_types(values):
    with pytest.raises(LightCurveError, match=r"mixed types \(.*, .*astype\(str\)"):
        numbered(values)
    with pytest.raises(LightCurveError, match=r"mixed types \(.*, .*astype\(str\)"):
        LightCurves.from_arrays([1.0, 2.0], [1.0, 2.0], object_id=values)


def test_a_passband_for_observations_that_have_bands(curves):
    made = {
        "from_nested": lambda: LightCurves.from_nested(curves.to_nested(), passband="ztfg"),
        "from_padded": lambda: LightCurves.from_padded(curves.to_padded(), passband="ztfg"),
        "from_arrays": lambda: LightCurves.from_arrays(
            [1.0], [1.0], None, ["ztfr"], offsets=[0, 1], passband="ztfg"
        ),
    }
    for make in made.values():
        with pytest.raises(ValueError, match="bands of their own"):
            make()


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
        {"mjd": frame["mjd"] + 1},
        {"flux": frame["flux"] + 1},
        {"flux_err": frame["flux_err"] + 1},
        {"band": "ztfi"},
        {"object_id": frame["object_id"] + "x"},
    ]
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


@given(codes=st.lists(st.integers(0, 4), max_size=30))
def test_stable_order_is_that_of_argsort(codes):
    codes = np.array(codes, dtype=np.int64)
    order = stable_order(codes, 5)
    assert order.dtype == np.int64
    np.testing.assert_array_equal(order, np.argsort(codes, kind="stable"))


@pytest.mark.parametrize("together", [1, 2, 3, 5])
def test_rows_of_objects_in_turns(together):
    n_objects, n_rows = 4, 30
    turn = np.arange(n_objects * n_rows)
    frame = pd.DataFrame(
        {
            "object_id": np.array([7, 3, 9, 1])[(turn // together) % n_objects],
            "mjd": 59000.0 + turn,
            "flux": turn * 0.5,
            "flux_err": 1.0,
            "band": "ztfg",
        }
    )
    found = LightCurves.from_frame(frame)
    expected = LightCurves.from_frame(frame.sort_values("object_id", kind="stable"))
    assert found.ids.tolist() == [7, 3, 9, 1]
    assert found[[3, 1, 0, 2]].equals(expected)
