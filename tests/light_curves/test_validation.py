"""Invalid light curves: what is refused, dropped or warned about, and what the message says."""

from unittest import mock

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import assert_equals_naive, long_frame, naive_objects

from sklc.errors import LightCurveError, LightCurveWarning, UnknownPassbandError
from sklc.light_curves import LightCurves, as_light_curves, check_usable
from sklc.light_curves import store as _store


@pytest.fixture
def frame():
    return pd.DataFrame(
        {
            "object_id": ["a", "a", "a", "b", "b", "c"],
            "mjd": [59000.0, 59001.0, 59002.0, 59000.5, 59003.5, 59004.0],
            "band": ["ztfg", "ztfr", "ztfg", "ztfg", "ztfr", "ztfg"],
            "flux": [100.0, 120.0, -3.0, 40.0, 0.0, 70.0],
            "flux_err": [3.0, 3.5, 2.0, 4.0, 4.5, 5.0],
        }
    )


BAD = [
    ("mjd", np.nan, "time is NaN"), ("mjd", np.inf, "time is NaN or infinite"),
    ("flux", np.nan, "flux is NaN"), ("flux", -np.inf, "flux is NaN or infinite"),
    ("flux_err", np.nan, "flux_err is NaN"), ("flux_err", np.inf, "flux_err is NaN or infinite"),
    ("flux_err", 0.0, "flux_err is not positive"), ("flux_err", -1.0, "flux_err is not positive"),
    ("band", None, "band is missing"),
]  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("column", "value", "what"), BAD)
def test_invalid_observation_is_named(frame, column, value, what, dtype):
    frame = frame.astype({"flux": dtype, "flux_err": dtype})
    frame.loc[4, column] = value
    message = rf"object 'b' \(position 1\): {what}.* observation 1\. 1 of 6 .*invalid=\"drop\""
    with pytest.raises(LightCurveError, match=message):
        LightCurves.from_frame(frame)


@pytest.mark.parametrize(("column", "value", "what"), BAD)
@pytest.mark.parametrize("row", range(6))
def test_invalid_observation_in_any_block(frame, column, value, what, row, monkeypatch):
    monkeypatch.setattr(_store, "_BLOCK", 2)
    frame.loc[row, column] = value
    with pytest.raises(LightCurveError, match=f"object {frame['object_id'][row]!r}.*: {what}"):
        LightCurves.from_frame(frame)


@given(objects=naive_objects(), block=st.integers(1, 5))
def test_columns_are_read_in_blocks(objects, block):
    with mock.patch.object(_store, "_BLOCK", block):
        curves = LightCurves.from_frame(long_frame(objects), duplicates="keep")
    assert_equals_naive(curves, objects)


@pytest.mark.parametrize(("column", "value", "what"), BAD)
def test_invalid_observations_are_dropped_and_counted(frame, column, value, what):
    frame.loc[[1, 2, 5], column] = value
    count = rf"dropped 3 of 6 observations, of 2 object\(s\) .*{what}.*1 object\(s\) are left"
    with pytest.warns(LightCurveWarning, match=count) as record:
        curves = LightCurves.from_frame(frame, invalid="drop")
    assert len(record) == 1
    assert record[0].filename == __file__  # it points at the caller
    assert curves.ids.tolist() == ["a", "b", "c"]
    assert curves.lengths.tolist() == [1, 2, 0]
    assert curves.flux.tolist() == [100.0, 40.0, 0.0]


@given(objects=naive_objects(min_objects=1), data=st.data())
def test_drop_keeps_exactly_the_valid_observations(objects, data):
    frame = long_frame(objects).astype({"band": object})
    cells = data.draw(
        st.lists(
            st.tuples(st.integers(0, len(frame) - 1), st.sampled_from(BAD)), min_size=1, max_size=5
        )
    )
    for row, (column, value, _) in cells:
        frame.iloc[row, frame.columns.get_loc(column)] = value
    bad = sorted({row for row, _ in cells})
    kept = [type(o)(o.id, [], [], [], []) for o in objects]
    for k, (i, *row) in enumerate(frame.itertuples(index=False)):
        if k not in bad:
            o = next(o for o in kept if o.id == i)
            for column, value in zip(o.columns(), row, strict=True):
                column.append(value)
    with pytest.raises(LightCurveError) as error:
        LightCurves.from_frame(frame, duplicates="keep")
    assert f"object {frame['object_id'].tolist()[bad[0]]!r}" in str(error.value)
    assert f"{len(bad)} of {len(frame)} observations" in str(error.value)
    if frame["flux_err"].isna().all():
        return  # then they count as not known
    with pytest.warns(LightCurveWarning, match=f"dropped {len(bad)} of {len(frame)}"):
        curves = LightCurves.from_frame(frame, invalid="drop", duplicates="keep")
    assert_equals_naive(curves, kept)


def test_null_in_other_libraries(frame):
    frame["flux"] = [1.0, None, 3.0, 4.0, 5.0, 6.0]
    for table in (pl.from_pandas(frame, nan_to_null=True), frame.convert_dtypes()):
        with pytest.raises(LightCurveError, match=r"'a'.*flux is NaN"):
            LightCurves.from_frame(table)


def test_large_but_finite_fluxes_are_valid(frame):
    frame["flux"] = np.full(6, 3e38, dtype=np.float32)  # their sum overflows
    frame["flux_err"] = np.full(6, 3e38, dtype=np.float32)
    assert len(LightCurves.from_frame(frame)) == 3


def test_unknown_policies(frame):
    with pytest.raises(ValueError, match='invalid must be "raise" or "drop"'):
        LightCurves.from_frame(frame, invalid="ignore")
    with pytest.raises(ValueError, match='duplicates must be "raise", "drop" or "keep"'):
        LightCurves.from_frame(frame, duplicates="first")


# -- duplicates


@pytest.mark.parametrize("where", [[0], [5, 3], [3, 0, 0]])
@pytest.mark.parametrize("errors", [True, False])
def test_duplicates(frame, where, errors):
    options = {} if errors else {"flux_err": None}
    frame = frame if errors else frame.drop(columns="flux_err")
    # another flux, and another band, at the same time: other measurements
    other = frame.iloc[[0, 0]].assign(flux=[101.0, 100.0], band=["ztfg", "lsstg"])
    frame = pd.concat([frame, other])
    doubled = pd.concat([frame, frame.iloc[where]])
    clean = LightCurves.from_frame(frame, **options)
    owners = frame["object_id"].iloc[where].nunique()
    with pytest.raises(LightCurveError, match=rf"{len(where)} repeated .* {owners} object.*\"keep"):
        LightCurves.from_frame(doubled, **options)
    with pytest.warns(LightCurveWarning, match=rf"dropped {len(where)} repeated .* {owners} obj"):
        dropped = LightCurves.from_frame(doubled, duplicates="drop", **options)
    assert dropped.equals(clean)
    kept = LightCurves.from_frame(doubled, duplicates="keep", **options)
    assert kept.lengths.sum() == len(doubled)


def test_zero_flux_of_either_sign_is_a_duplicate():
    times, errors = [1.0, 1.0, 1.0], [2.0, 2.0, 2.0]
    flux = [0.0, -0.0, 1.0]
    with pytest.raises(LightCurveError, match="1 repeated"):
        LightCurves.from_arrays(times, flux, errors, "ztfg", offsets=[0, 3])


def test_duplicates_apart_among_ties_and_out_of_order():
    flux = [5.0, 6.0, 7.0, 5.0, 8.0, 6.0]
    times = [2.0, 1.0, 2.0, 2.0, 1.0, 2.0]
    with pytest.warns(LightCurveWarning, match="dropped 1 repeated"):
        curves = LightCurves.from_arrays(
            times, flux, None, "ztfg", offsets=[0, 6], duplicates="drop"
        )
    assert curves.flux.tolist() == [6.0, 8.0, 5.0, 7.0, 6.0]


def test_equal_observations_of_two_objects_are_no_duplicates(frame):
    pair = pd.concat([frame[:1], frame[:1].assign(object_id="b")])
    assert LightCurves.from_frame(pair).lengths.tolist() == [1, 1]


# -- columns and ids


@pytest.mark.parametrize(("column", "argument", "remedy"), [
    ("object_id", "object_id", "object_id='id'"), ("mjd", "time", "time= its name"),
    ("flux", "flux", "flux= its name"), ("flux_err", "flux_err", "flux_err=None"),
    ("band", "band", "passband="),
])  # fmt: skip
@pytest.mark.parametrize("library", [pd.DataFrame, pl.DataFrame])
def test_missing_column(frame, column, argument, remedy, library):
    other = "id" if column == "object_id" else "other"
    table = library(frame.rename(columns={column: other}).to_dict("list"))
    message = rf"no column '{column}' \(argument {argument}=\).*'{other}'.*{remedy}"
    with pytest.raises(LightCurveError, match=message):
        LightCurves.from_frame(table)


def test_missing_column_suggests_its_usual_names(frame):
    with pytest.raises(LightCurveError, match="pass time='time'"):
        LightCurves.from_frame(frame.rename(columns={"mjd": "time"}))


def test_repeated_column(frame):
    with pytest.raises(LightCurveError, match="more than one column 'flux'"):
        LightCurves.from_frame(pd.concat([frame, frame[["flux"]]], axis=1))


def test_not_a_table():
    with pytest.raises(TypeError, match=r"pandas\.DataFrame.*got set"):
        LightCurves.from_frame({"object_id"})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (pd.date_range("2020-01-01", periods=6), "holds dates.*to_julian_date"),
        (
            ["1.0", "2.0", None, "<18.5", "x", "5"],
            r"time column .*'<18\.5' in row 3 \(2 values.*to_num",
        ),
        (["1.0"] * 6, r"time column does not hold numbers: '1\.0' in row 0 is a str"),
    ],
)
def test_times_that_are_no_numbers(frame, values, message):
    frame["mjd"] = values
    with pytest.raises(LightCurveError, match=message):
        LightCurves.from_frame(frame)
    with pytest.raises(LightCurveError, match=message):
        LightCurves.from_frame(pl.from_pandas(frame))


def test_numbers_in_an_object_column(frame):
    curves = LightCurves.from_frame(frame.astype({"flux": object}))
    assert curves.flux.dtype == np.float64


@pytest.mark.parametrize(("ids", "message"), [
    (["a", "a", None, "b", "b", "c"], r"missing.*row 2 \(1 row.*dropna"),
    ([1, 1, np.nan, np.nan, 2, 3], r"missing.*row 2 \(2 row.*dropna"),
    (["a", "a", 1, 2, "b", "b"], "mixed types.*int, str.*astype"),
])  # fmt: skip
def test_bad_ids(frame, ids, message):
    frame["object_id"] = pd.Series(ids)
    with pytest.raises(LightCurveError, match=message):
        LightCurves.from_frame(frame)
    ids = pd.Series(ids, dtype=object)
    with pytest.raises(LightCurveError, match=message):
        LightCurves.from_frame(frame.assign(object_id=ids))


def test_missing_ids_of_categories_and_arrow(frame):
    frame["object_id"] = pd.Series(["a", "a", None, "b", "b", "c"])
    for table in (frame.astype({"object_id": "category"}), pl.from_pandas(frame)):
        with pytest.raises(LightCurveError, match="missing"):
            LightCurves.from_frame(table)


def test_repeated_and_mixed_ids_of_arrays():
    flat = ([1.0, 2.0], [1.0, 2.0], None, "ztfg")
    with pytest.raises(LightCurveError, match=r"object 'a' \(position 1\).*unique"):
        LightCurves.from_arrays(*flat, offsets=[0, 1, 2], ids=["a", "a"])
    with pytest.raises(LightCurveError, match="mixed types"):
        LightCurves.from_arrays(*flat, offsets=[0, 1, 2], ids=["a", 1])


# -- bands


def test_unknown_band_names_its_first_user(frame):
    frame.loc[[4, 5], "band"] = ["ztfx", "nonsense"]
    with pytest.raises(UnknownPassbandError) as error:
        LightCurves.from_frame(frame)
    message = str(error.value)
    assert message.startswith("object 'b' (position 1) uses the band 'ztfx'")
    assert "register_passband" in message
    assert "1 more unknown band(s) in these light curves: ['nonsense']" in message


def test_unknown_band_of_a_survey(frame):
    frame["band"] = "q"
    with pytest.raises(UnknownPassbandError, match=r"object 'a' \(position 0\).*'q'"):
        LightCurves.from_frame(frame, survey="ztf")
    with pytest.raises(UnknownPassbandError, match=r"object 'a' \(position 0\).*'q'"):
        LightCurves.from_frame(frame, survey=["ztf", "ztf", "lsst"])


def test_objects_without_a_survey_need_full_names(frame):
    frame["band"] = ["g", "r", "g", "ztfr", "ztfg", "g"]
    curves = LightCurves.from_frame(frame, survey=["lsst", None, "ztf"])
    assert curves.band_names.tolist() == ["lsstg", "lsstr", "lsstg", "ztfr", "ztfg", "ztfg"]
    with pytest.raises(UnknownPassbandError, match=r"object 'c' \(position 2\).*'g'"):
        LightCurves.from_frame(frame, survey=["lsst", "ztf", None])


def test_missing_band_next_to_surveys(frame):
    frame["band"] = ["g", None, "g", "g", "g", "r"]
    with pytest.warns(LightCurveWarning, match="band is missing: 1"):
        curves = LightCurves.from_frame(frame, survey=["ztf", "lsst", "ps1"], invalid="drop")
    assert curves.band_names.tolist() == ["ztfg", "ztfg", "lsstg", "lsstg", "ps1r"]


# -- units


def test_julian_dates_warn(frame):
    frame["mjd"] += 2_400_000.5
    with pytest.warns(LightCurveWarning, match=r"Julian dates: object 'a' .*3 obj.*2400000\.5"):
        LightCurves.from_frame(frame)


def test_seconds_warn(frame):
    frame["mjd"] = (frame["mjd"] - 59000) * 86400
    big = frame.assign(mjd=frame["mjd"] + 59000 * 86400)
    with pytest.warns(LightCurveWarning, match="86400") as record:
        LightCurves.from_frame(big)
    assert len(record) == 1  # not Julian dates too
    with pytest.warns(LightCurveWarning, match=r"'a' \(position 0\) spans 172800 days.*86400"):
        LightCurves.from_frame(frame)


def test_magnitudes_warn(frame):
    frame["flux"], frame["flux_err"] = np.linspace(15, 20, 6), 0.05
    with pytest.warns(LightCurveWarning, match=r"magnitudes.*flux \* mag_err / 1\.0857"):
        LightCurves.from_frame(frame)
    with pytest.warns(LightCurveWarning, match="magnitudes"):
        LightCurves.from_frame(frame.assign(zp=20.0))
    LightCurves.from_frame(frame[:1])  # a single one may be a flux
    LightCurves.from_frame(frame.assign(flux_err=2.0))
    LightCurves.from_frame(frame.assign(flux=[15.0, 16, 17, 18, 19, 31]))


# -- before training


def test_check_usable(frame):
    curves = LightCurves.from_frame(frame)
    check_usable(curves)
    message = r"object 'b' \(position 1\) has 2 .*3 needed \(2 of 3.*curves\.lengths >= 3"
    with pytest.raises(LightCurveError, match=message):
        check_usable(curves, min_points=3)
    check_usable(curves[curves.lengths >= 3], min_points=3)
    check_usable(curves[:0])
    with pytest.raises(LightCurveError, match="0 observation"):
        check_usable(curves.detections(1e6))


def test_check_usable_zero_flux(frame):
    frame.loc[3, "flux"] = 0.0
    curves = LightCurves.from_frame(frame)
    with pytest.raises(LightCurveError, match=r"object 'b' \(position 1\) has no flux other"):
        check_usable(curves)
    check_usable(curves[[lc.flux.any() for lc in curves]])  # the remedy
    check_usable(as_light_curves(np.zeros((2, 3))))  # a plain series may be zero
    with pytest.raises(LightCurveError, match="no flux other"):
        as_light_curves([np.zeros((2, 3)) + [[1], [2]] * np.array([1, 0, 1])])
