"""Every kind of column through every constructor: missing values, numbers, layouts, ids."""

from decimal import Decimal

import astropy.units as u
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from astropy.table import MaskedColumn, QTable, Table
from astropy.time import Time
from astropy.utils.masked import Masked
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from sklc.errors import LightCurveError, LightCurveWarning
from sklc.light_curves import LightCurves, as_light_curves

TIME = 59000.0 + np.arange(4)
FLUX = np.array([1e20, 40.0, 60.0, 30.0])
ERROR = np.full(4, 3.0)
MASK = np.array([True, False, False, False])

MISSING = {
    "numpy.ma": lambda v: np.ma.masked_array(v, mask=MASK),
    "numpy.ma of integers": lambda v: np.ma.masked_array(v.astype(object), mask=MASK),
    "numpy.ma in big-endian": lambda v: np.ma.masked_array(v.astype(">f8"), mask=MASK),
    "numpy.ma column": lambda v: np.ma.masked_array(v[:, None], mask=MASK[:, None]),
    "MaskedColumn": lambda v: MaskedColumn(v, mask=MASK),
    "Masked": lambda v: Masked(v, mask=MASK),
    "list of numpy.ma.masked": lambda v: [np.ma.masked, *v[1:].tolist()],
    "list of None": lambda v: [None, *v[1:].tolist()],
    "list of pandas.NA": lambda v: [pd.NA, *v[1:].tolist()],
    "nullable": lambda v: pd.array(v, dtype="Float64")._from_sequence([pd.NA, *v[1:]]),
    "nullable Series": lambda v: pd.Series([pd.NA, *v[1:]], dtype="Float64"),
    "Series of Arrow": lambda v: pd.Series([None, *v[1:]], dtype="double[pyarrow]"),
    "Series of objects": lambda v: pd.Series([None, *v[1:]], dtype=object),
    "Arrow": lambda v: pa.array([None, *v[1:]]),
    "chunks of Arrow": lambda v: pa.chunked_array([[None, v[1]], v[2:].tolist()]),
    "polars": lambda v: pl.Series([None, *v[1:].tolist()]),
    "Decimal": lambda v: [None, *map(Decimal, v[1:].tolist())],
}  # fmt: skip

CONSTRUCTORS = {
    "offsets": lambda t, f, e, **o: LightCurves.from_arrays(t, f, e, "ztfg", offsets=[0, 4], **o),
    "object_id": lambda t, f, e, **o: LightCurves.from_arrays(
        t, f, e, "ztfg", object_id=["a"] * 4, **o
    ),
    "list": lambda t, f, e, **o: LightCurves.from_arrays([t], [f], [e], ["ztfg"], **o),
    "mapping": lambda t, f, e, **o: LightCurves.from_frame(
        {"object_id": "a", "mjd": t, "flux": f, "flux_err": e, "band": "ztfg"}, **o
    ),
}


@pytest.mark.parametrize("column", ["time", "flux", "flux_err"])
@pytest.mark.parametrize("constructor", CONSTRUCTORS)
@pytest.mark.parametrize("kind", MISSING)
def test_missing_values_are_never_used(kind, constructor, column):
    values = {"time": TIME, "flux": FLUX, "flux_err": ERROR}
    values[column] = MISSING[kind](values[column])
    build = CONSTRUCTORS[constructor]
    with pytest.raises(LightCurveError, match=rf"{column} is NaN.*1 of 4.*invalid=\"drop\""):
        build(*values.values())
    with pytest.warns(LightCurveWarning, match="dropped 1 of 4"):
        curves = build(*values.values(), invalid="drop")
    np.testing.assert_array_equal(curves.time, TIME[1:])
    np.testing.assert_array_equal(curves.flux, FLUX[1:])
    assert curves.flux.dtype == curves.flux_err.dtype == curves.time.dtype == np.float64


CUBE = np.stack([np.column_stack([TIME, FLUX, ERROR])])
CUBE_MASK = np.zeros(CUBE.shape, dtype=bool)
CUBE_MASK[0, 0, 1] = True


@pytest.mark.parametrize("masked", [
    lambda a, m: np.ma.masked_array(a, mask=m), lambda a, m: Masked(a, mask=m),
    lambda a, m: np.where(m, None, a.astype(object)),
    lambda a, m: np.where(m, None, a.astype(object)).tolist(),
])  # fmt: skip
@pytest.mark.parametrize("form", [
    lambda cube: LightCurves.from_padded(cube),
    lambda cube: as_light_curves(cube),
    lambda cube: as_light_curves([cube[0]]),
    lambda cube: as_light_curves({"a": np.ma.asarray(cube[0])}) if hasattr(cube, "mask")
    else as_light_curves([cube[0]]),
])  # fmt: skip
def test_missing_values_of_arrays_are_never_used(form, masked):
    with pytest.raises(LightCurveError, match="flux is NaN"):
        form(masked(CUBE, CUBE_MASK))


@pytest.mark.parametrize("X", [
    np.ma.masked_array([[1e20, 4.0, 6.0]], mask=[[1, 0, 0]]),
    [np.ma.masked_array([1e20, 4.0, 6.0], mask=[1, 0, 0])],
    Masked([[1e20, 4.0, 6.0]], mask=[[True, False, False]]),
    [[None, 4.0, 6.0]], np.array([[pd.NA, 4.0, 6.0]], dtype=object),
    pd.DataFrame({"x": pd.array([None], dtype="Float64"), "y": [4.0]}),
])  # fmt: skip
def test_missing_values_of_series_are_never_used(X):
    with pytest.raises(LightCurveError, match="row 0 of X holds NaN or infinity in column 0"):
        as_light_curves(X)


@pytest.mark.parametrize("bands", [
    np.ma.masked_array(["ztfg", "ztfr"], mask=[0, 1]), MaskedColumn(["ztfg", "x"], mask=[0, 1]),
    ["ztfg", np.ma.masked], ["ztfg", None], ["ztfg", pd.NA], pa.array(["ztfg", None]),
    pd.Series(["ztfg", None], dtype="string"), pd.Categorical(["ztfg", None]),
    pl.Series(["ztfg", None]),
])  # fmt: skip
def test_missing_bands(bands):
    with pytest.raises(LightCurveError, match="band is missing"):
        LightCurves.from_arrays([1.0, 2.0], [5.0, 6.0], None, bands, offsets=[0, 2])


@pytest.mark.parametrize("ids", [
    np.ma.masked_array([1, 2], mask=[0, 1]), MaskedColumn(["a", "b"], mask=[0, 1]),
    ["a", np.ma.masked], ["a", None], [1, pd.NA], pa.array([2**60, None]),
    pd.Series([2**60, None], dtype="Int64"), pl.Series(["a", None]),
])  # fmt: skip
def test_missing_ids(ids):
    flat = ([1.0, 2.0], [5.0, 6.0], None, "ztfg")
    for call in ({"object_id": ids}, {"offsets": [0, 1, 2], "ids": ids}):
        with pytest.raises(LightCurveError, match="object id is missing"):
            LightCurves.from_arrays(*flat, **call)
    table = {"object_id": ids, "mjd": [1.0, 2.0], "flux": [5.0, 6.0], "band": "ztfg"}
    with pytest.raises(LightCurveError, match="object id is missing"):
        LightCurves.from_frame(table, flux_err=None)


# -- numbers and layouts

NUMBERS = {
    "big-endian": lambda v: v.astype(">f8"),
    "longdouble": lambda v: v.astype(np.longdouble),
    "Decimal": lambda v: [Decimal(x) for x in v.tolist()],
    "objects": lambda v: v.astype(object),
    "Fortran": lambda v: np.asfortranarray(np.column_stack([v, v]))[:, 1],
    "strided": lambda v: np.repeat(v, 2)[::2],
    "reversed": lambda v: v[::-1].copy()[::-1],
    "column": lambda v: v[:, None],
    "read-only": lambda v: np.frombuffer(v.tobytes()),
    "list": lambda v: v.tolist(),
    "tuple": lambda v: tuple(v.tolist()),
    "Series with an index": lambda v: pd.Series(v, index=list("zyxw")),
    "Column": lambda v: Table({"v": v})["v"],
    "dimensionless": lambda v: v * u.dimensionless_unscaled,
    "sparse": lambda v: pd.Series(pd.arrays.SparseArray(v)),
}
EXACT = np.array([59000.123456789, 59001.1, 59002.7, 59003.25])


@pytest.mark.parametrize("constructor", CONSTRUCTORS)
@pytest.mark.parametrize("kind", NUMBERS)
def test_numbers_in_every_layout(kind, constructor):
    flux = np.array([110.5, 40.0, 60.25, 30.0])
    convert = NUMBERS[kind]
    curves = CONSTRUCTORS[constructor](convert(EXACT), convert(flux), convert(ERROR))
    for made, expected in ((curves.time, EXACT), (curves.flux, flux), (curves.flux_err, ERROR)):
        np.testing.assert_array_equal(made, expected)
        assert type(made) is np.ndarray
        assert made.dtype == np.float64
        assert made.dtype.isnative
        assert made.flags.c_contiguous
    assert LightCurves.from_nested(curves.to_nested()).equals(curves)


@pytest.mark.parametrize("dtype", [np.float16, np.longdouble, ">f2", ">f8", ">i2", "u1", bool])
def test_other_numbers_become_float64(dtype):
    flux = np.array([1, 0, 1, 1]).astype(dtype)
    curves = LightCurves.from_arrays(TIME, flux, flux + np.array(1, dtype), "ztfg", offsets=[0, 4])
    assert curves.flux.dtype == curves.flux_err.dtype == np.float64
    assert curves.flux.tolist() == [1.0, 0.0, 1.0, 1.0]


def test_big_endian_float32_stays_float32():
    flux = np.arange(4, dtype=">f4")
    curves = LightCurves.from_arrays(TIME, flux, flux + np.float32(1), "ztfg", offsets=[0, 4])
    assert curves.flux.dtype == np.dtype(np.float32)
    assert curves.flux.dtype.isnative


@pytest.mark.parametrize("dtype", [">i2", ">i4", ">i8", ">u4", "u1", "u8", np.int8])
def test_ids_bands_and_offsets_of_any_integers(dtype, tmp_path):
    ids, bands = np.array([11, 12, 11], dtype=dtype), np.array([1, 2, 1], dtype=dtype)
    flat = ([1.0, 2.0, 3.0], [5.0, 6.0, 7.0], [1.0, 1.0, 1.0])
    curves = LightCurves.from_arrays(*flat, bands, object_id=ids, survey="ztf")
    assert curves.ids.tolist() == [11, 12]
    assert curves.band_names.tolist() == ["ztfg", "ztfg", "ztfr"]
    offsets = np.array([0, 2, 3], dtype=dtype)
    again = LightCurves.from_arrays(*flat, bands, offsets=offsets, ids=ids[:2], survey="ztf")
    again.to_parquet(tmp_path)
    assert LightCurves.from_parquet(tmp_path).ids.tolist() == [11, 12]
    lengths = np.array([1, 2], dtype=dtype)
    assert LightCurves.from_padded(np.arange(8.0).reshape(2, 2, 2), lengths).lengths.tolist() == [
        1,
        2,
    ]


def test_bands_of_bytes_and_floats():
    flat = ([1.0, 2.0], [5.0, 6.0], None)
    for bands in (np.array([b"ztfg", b"ztfr"]), [b"ztfg", b"ztfr"]):
        curves = LightCurves.from_arrays(*flat, bands, offsets=[0, 2])
        assert curves.band_names.tolist() == ["ztfg", "ztfr"]
    curves = LightCurves.from_arrays(*flat, np.array([1.0, 2.0]), offsets=[0, 2], survey="ztf")
    assert curves.band_names.tolist() == ["ztfg", "ztfr"]


@pytest.mark.parametrize("column", [np.ones((4, 2)), np.ones((4, 1, 1))])
def test_columns_of_another_shape_are_refused(column):
    with pytest.raises(LightCurveError, match=r"flux has the shape .* one value per row"):
        LightCurves.from_arrays(TIME, column, None, "ztfg", offsets=[0, 4])


def test_a_single_value_is_no_column():
    with pytest.raises(LightCurveError, match=r"flux is a single value, 3\.0"):
        LightCurves.from_arrays(TIME, np.float64(3.0), None, "ztfg", offsets=[0, 4])


@pytest.mark.parametrize(("values", "words"), [
    (pd.to_timedelta([1, 2, 3, 4], unit="D"), "holds durations.*TimedeltaIndex"),
    ([pd.Timestamp("2020-01-01").date()] * 4, "holds dates.*DatetimeIndex"),
    (np.array(["2020-01-01"] * 4, dtype="M8[D]"), "holds dates.*DatetimeIndex"),
    (["x" * 5000] * 4, r"does not hold numbers: 'x{70,79}\.\.\. in row 0"),
    ([1j, 2j, 3j, 4j], "does not hold numbers"),
])  # fmt: skip
def test_what_is_no_number(values, words):
    with pytest.raises(LightCurveError, match=words) as error:
        LightCurves.from_arrays(values, FLUX, None, "ztfg", offsets=[0, 4])
    assert len(str(error.value)) < 600


def test_remedies_for_dates_and_durations_work():
    dates = pd.to_datetime(["2020-05-31", "2020-06-01", "2020-06-02", "2020-06-03"])
    days = pd.DatetimeIndex(dates).to_julian_date() - 2400000.5
    assert LightCurves.from_arrays(days, ERROR, offsets=[0, 4]).time[0] == 59000.0
    since = pd.TimedeltaIndex(dates - dates[0]) / pd.Timedelta(days=1)
    assert LightCurves.from_arrays(since, ERROR, offsets=[0, 4]).time[-1] == 3.0


NO_COLUMNS = [
    sparse.csr_matrix(np.ones(4)), [10**400] * 4, [{"a": 1}] * 4, [[1.0, 2.0]] * 4,
    [1 * u.mJy, 1.0, 2.0, 3.0], Time([1.0, 2.0, 3.0, 4.0], format="mjd"), [object()] * 4, {0: 1},
    np.array([], dtype="M8[D]"), pd.MultiIndex.from_arrays([[1] * 4, [2] * 4]),
]  # fmt: skip


@pytest.mark.parametrize("column", NO_COLUMNS, ids=lambda column: type(column).__name__)
def test_what_is_no_column_is_one_clear_error(column):
    for call in (
        lambda: LightCurves.from_arrays(TIME, column, None, "ztfg", offsets=[0, 4]),
        lambda: LightCurves.from_arrays([TIME], [column]),
        lambda: as_light_curves([{"time": TIME, "flux": column}]),
    ):
        with pytest.raises(ValueError, match=r"\w+"):
            call()


@pytest.mark.parametrize("ids", [
    pd.Series([np.ones(2)] * 4), [[1, 2]] * 4, pa.array([None] * 4), Time([1.0] * 4, format="mjd"),
], ids=["arrays", "lists", "nulls", "Time"])  # fmt: skip
def test_what_is_no_id(ids):
    with pytest.raises(LightCurveError, match=r"object id|times"):
        LightCurves.from_arrays(TIME, TIME, object_id=ids)


# -- ids


LARGE = np.array([700000000000000101, 700000000000000102, 700000000000000139])


@pytest.mark.parametrize("ids", [
    LARGE.astype(float), LARGE.astype(">f8"), pd.Series(LARGE.astype(float)).to_list(),
    pd.Series(LARGE).astype("Float64"), pa.array(LARGE.astype(float)),
    np.array([2**24 + 2, 2**24 + 4, 2**24 + 6], dtype=np.float32),
    np.array([2.0**53, 1.0, 2.0]), LARGE.astype(float).astype(object),
])  # fmt: skip
def test_float_ids_that_are_not_exact_are_refused(ids):
    flat = ([1.0, 2.0, 3.0], [5.0, 6.0, 7.0], None, "ztfg")
    for call in ({"object_id": ids}, {"offsets": [0, 1, 2, 3], "ids": ids}):
        with pytest.raises(LightCurveError, match=r"too large to be exact.*Int64"):
            LightCurves.from_arrays(*flat, **call)


def test_small_float_ids_are_kept():
    curves = LightCurves.from_arrays([1.0, 2.0], [5.0, 6.0], object_id=np.array([7.0, 9.0]))
    assert curves.ids.tolist() == [7.0, 9.0]


@given(
    ids=st.lists(st.integers(-(2**63), 2**64 - 1), min_size=1, max_size=5, unique=True),
    form=st.sampled_from(["list", "objects", "types"]),
)
@settings(max_examples=40)
def test_integer_ids_are_exact_whatever_their_types(ids, form):
    if form == "types":
        given_ids = [np.uint64(i) if i >= 0 else np.int64(i) for i in ids]
    else:
        given_ids = np.array(ids, dtype=object) if form == "objects" else ids
    n = len(ids)
    curves = LightCurves.from_arrays(np.arange(n), np.ones(n), object_id=given_ids)
    assert curves.ids.tolist() == ids
    assert [type(i) for i in curves.ids.tolist()] == [int] * n
    metadata = pd.DataFrame({"place": range(n)}, index=pd.Index(ids, dtype=object)).iloc[::-1]
    assert curves.with_metadata(metadata).metadata["place"].tolist() == list(range(n))


@pytest.mark.parametrize("put", [
    lambda c, m: LightCurves.from_frame(c.to_frame(), metadata=m),
    lambda c, m: c.with_metadata(m),
    lambda c, m: c.with_metadata(z=m["z"]),
    lambda c, m: LightCurves.from_arrays(
        c.time, c.flux, c.flux_err, "ztfg", object_id=c.ids, metadata=m
    ),
    lambda c, m: LightCurves.from_arrays(
        c.time, c.flux, c.flux_err, "ztfg", object_id=c.ids, metadata={"z": m["z"]}
    ),
])  # fmt: skip
def test_metadata_with_float_ids_never_belong_to_another_object(put):
    flat = ([1.0, 2.0, 3.0], [5.0, 6.0, 7.0], [1.0, 1.0, 1.0], "ztfg")
    curves = LightCurves.from_arrays(*flat, object_id=LARGE)
    metadata = pd.DataFrame({"z": [0.1]}, index=[float(LARGE[0])])
    with pytest.raises(LightCurveError, match="too large to be exact"):
        put(curves, metadata)


def test_ids_of_fits_tables_are_text():
    table = Table({"object_id": np.array([b"SN1", b"SN2"]), "mjd": [1.0, 2.0],
                   "flux": [5.0, 6.0], "band": np.array([b"ztfg", b"ztfr"])})  # fmt: skip
    curves = LightCurves.from_frame(table, flux_err=None)
    assert curves.ids.tolist() == ["SN1", "SN2"]
    assert curves.band_names.tolist() == ["ztfg", "ztfr"]


def test_a_long_id_is_cut_in_messages():
    with pytest.raises(LightCurveError) as error:
        LightCurves.from_arrays([1.0], [np.nan], None, "ztfg", object_id=["SN" * 500])
    assert len(str(error.value)) < 500


def test_object_id_none_is_one_object():
    frame = pd.DataFrame({"mjd": [2.0, 1.0], "flux": [5.0, 6.0], "band": "ztfg"})
    curves = LightCurves.from_frame(frame, object_id=None, flux_err=None)
    assert curves.ids.tolist() == [0]
    assert curves.time.tolist() == [1.0, 2.0]
    named = LightCurves.from_frame(
        frame, object_id=None, flux_err=None, metadata=pd.DataFrame({"z": [0.1]})
    )
    assert named.metadata["z"].tolist() == [0.1]
    assert LightCurves.from_frame(frame[:0], object_id=None, flux_err=None).lengths.tolist() == [0]


# -- metadata


METADATA = {
    "numpy.ma": np.ma.masked_array([0.1, 1e20], mask=[0, 1]),
    "MaskedColumn": MaskedColumn([0.1, 1e20], mask=[0, 1]),
    "Masked": Masked([0.1, 1e20], mask=[False, True]),
    "Masked Quantity": Masked([0.1, 1e20] * u.dimensionless_unscaled, mask=[False, True]),
    "list of masked": [0.1, np.ma.masked],
    "list of None": [0.1, None],
    "nullable": pd.array([0.1, None], dtype="Float64"),
    "Arrow": pa.array([0.1, None]),
    "polars": pl.Series([0.1, None]),
    "big-endian": np.array([0.1, np.nan], dtype=">f8"),
    "longdouble": np.array([0.1, np.nan], dtype=np.longdouble),
    "column": np.array([[0.1], [np.nan]]),
}


@pytest.mark.parametrize("kind", METADATA)
def test_metadata_of_every_kind(kind, tmp_path):
    flat = ([1.0, 2.0], [5.0, 6.0], [1.0, 1.0], "ztfg")
    bare = LightCurves.from_arrays(*flat, object_id=["a", "b"])
    made = {
        "dict": lambda v: LightCurves.from_arrays(*flat, object_id=["a", "b"], metadata={"z": v}),
        "with_metadata": lambda v: bare.with_metadata(z=v),
    }
    if kind not in ("Arrow", "list of masked"):
        made["from_frame"] = lambda v: LightCurves.from_frame(
            bare.to_frame(), metadata={"object_id": ["a", "b"], "z": v}
        )
    for make in made.values():
        z = make(METADATA[kind]).metadata["z"]
        assert z.isna().tolist() == [False, True]
        assert float(z.iloc[0]) == 0.1
        values = z.to_numpy(dtype=np.float64, na_value=np.nan)
        assert values.dtype.isnative
        make(METADATA[kind]).to_parquet(tmp_path)


def test_metadata_tables_of_astropy():
    flat = ([1.0, 2.0], [5.0, 6.0], [1.0, 1.0], "ztfg")
    curves = LightCurves.from_arrays(*flat, object_id=["a", "b"])
    table = QTable({"object_id": ["b", "a"], "redshift": [0.2, 0.1], "t0": [24.0, 48.0] * u.h,
                    "ra": [12.0, 6.0] * u.hourangle, "mwebv": [0.05, 0.1] * u.mag})  # fmt: skip
    made = LightCurves.from_frame(curves.to_frame(), metadata=table).metadata
    assert made["redshift"].tolist() == [0.1, 0.2]
    np.testing.assert_allclose(made["ra"], [90.0, 180.0])
    assert made["mwebv"].tolist() == [0.1, 0.05]
    assert made["t0"].tolist() == [2.0, 1.0]
    table["distance"] = [1.0, 2.0] * u.Mpc
    with pytest.raises(LightCurveError, match=r"metadata column 'distance' .*unit 'Mpc'.*\.value"):
        LightCurves.from_frame(curves.to_frame(), metadata=table)


def test_big_endian_tables_of_metadata():
    table = pd.DataFrame({"z": np.array([0.1, 0.2], dtype=">f8"), "n": np.array([1, 2], ">i4")})
    curves = LightCurves.from_arrays([1.0, 2.0], [5.0, 6.0], offsets=[0, 1, 2], metadata=table)
    assert all(dtype.isnative for dtype in curves.metadata.dtypes)
    assert curves.metadata["n"].tolist() == [1, 2]


def test_a_series_in_a_mapping_of_metadata_is_aligned():
    curves = LightCurves.from_arrays(
        [1.0, 2.0], [5.0, 6.0], object_id=["a", "b"],
        metadata={"z": pd.Series({"b": 0.2, "a": 0.1}), "n": [1, 2]},
    )  # fmt: skip
    assert curves.metadata["z"].tolist() == [0.1, 0.2]
    assert curves.metadata["n"].tolist() == [1, 2]


@pytest.mark.parametrize("kind", [pa.null(), pa.string(), pa.int64()])
def test_a_column_of_categories_without_rows_is_empty(kind):
    ids = pa.chunked_array([], type=pa.dictionary(pa.int32(), kind))
    empty = LightCurves.from_arrays(time=[], flux=[], flux_err=[], band=[], object_id=ids)
    assert len(empty) == 0
