"""Containers from tables, arrays, nested frames and padded arrays."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import assert_equals_naive, long_frame, naive_objects

from sklc.errors import LightCurveError, UnknownPassbandError
from sklc.light_curves import LightCurves, concatenate
from sklc.light_curves.store import stable_order
from sklc.passbands import Passband, get_passband


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
    (([1.0], [1.0]), {"offsets": [0, 1], "metadata": {"z": [1, 2]}}, "'z' has 2 values for 1 obj"),
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
