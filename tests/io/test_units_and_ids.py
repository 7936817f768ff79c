"""Units of tables are converted or refused, and ids are what the file says."""

import pandas as pd
import pytest
from astropy import units as u
from astropy.table import QTable, Table
from astropy.time import Time
from astropy.timeseries import TimeSeries
from hypothesis import given, settings
from hypothesis import strategies as st

import sklc.io as io
from sklc.errors import LightCurveError
from sklc.io.text import read_csv

HEAD = "object_id,mjd,flux,flux_err,band\n"


def read(source, **options):
    return io.read(source, verbose=False, **options)


def rows(ids):
    lines = [f"{name},{59000 + k},{3 + k},1,ztfg" for k, name in enumerate(ids)]
    return (HEAD + "\n".join(lines) + "\n").encode()


def columns(**others):
    table = {
        "object_id": ["a", "a"],
        "mjd": [59000.0, 59001.0] * u.day,
        "flux": [3.0, 5.0] * u.uJy,
        "flux_err": [300.0, 500.0] * u.nJy,
        "band": ["ztfg", "ztfr"],
        "ra": [1.0, 1.0] * u.hourangle,
        "dec": [120.0, 120.0] * u.arcmin,
    }
    return table | others


# units


@pytest.mark.parametrize(
    "made",
    [
        QTable,
        dict,
        lambda c: Table(QTable(c)),
        lambda c: [QTable(c)],
        lambda c: c | {"flux": list(c["flux"])},
        lambda c: [dict(zip(c, row, strict=True)) for row in zip(*c.values(), strict=True)],
    ],
    ids=["QTable", "mapping", "Table", "list of tables", "list of quantities", "records"],
)
@pytest.mark.parametrize("format", [None, "long-table"])
def test_units_are_converted_in_any_form(made, format):
    curves = read(made(columns()), format=format)
    assert curves.flux.tolist() == pytest.approx([3000, 5000])
    assert curves.flux_err.tolist() == pytest.approx([300, 500])
    assert (curves.zero_point, curves.time.tolist()) == (31.4, [59000.0, 59001.0])
    assert curves.metadata["ra"].tolist() == pytest.approx([15])
    assert curves.metadata["dec"].tolist() == pytest.approx([2])


def test_columns_that_the_user_names_have_units_too():
    table = QTable({"when": [59000.0] * u.d, "F": [3.0] * u.mJy, "E": [1.0] * u.mJy})
    curves = io.read_long_table(table, time="when", flux="F", flux_err="E", passband="ztfg")
    assert (curves.zero_point, curves.flux[0]) == (31.4, pytest.approx(3e6))


def test_times_in_any_form():
    series = TimeSeries(time=Time([59000.25], format="mjd"), data={"flux": [3.0] * u.mJy})
    assert read([series, series], passband="ztfg").lengths.tolist() == [1, 1]
    table = Table({"time": [100.0], "flux": [3.0], "band": ["ztfg"]})
    for unit, mjd in (("BJD - 2454833", 54932.5), ("d", 100.0), ("h", 100 / 24)):
        table["time"].unit = unit
        assert read(table).time[0] == pytest.approx(mjd)
    table.rename_column("time", "BKJD")
    table["BKJD"].unit = "BJD - 2454833"  # which its name says, too
    assert read(table).time[0] == 54932.5


@pytest.mark.parametrize(
    ("others", "words"),
    [
        ({"flux_err": [1.0, 1.0]}, "'flux_err' has no unit"),
        ({"mjd": [1.0, 2.0] * u.m}, "no unit of time"),
        ({"mjd": [2020.1, 2020.2] * u.yr}, "is in years"),
        (
            {"flux": [1, 2] * u.electron / u.s, "flux_err": [1, 2] * u.electron / u.s},
            "no flux density: pass zero_point=",
        ),
    ],
)
@pytest.mark.parametrize("format", [None, "long-table"])
def test_units_that_do_not_fit_are_refused(others, words, format):
    with pytest.raises(LightCurveError, match=words):
        read(QTable(columns(**others)), format=format)
    with pytest.raises(LightCurveError, match=words):
        read(columns(**others), format=format)


def test_tables_of_services_have_units():
    table = {"r:diaObjectId": [1], "r:midpointMjdTai": [59000.0] * u.d, "r:band": ["r"]}
    table |= {"r:psfFlux": [3.0] * u.uJy, "r:psfFluxErr": [1.0] * u.uJy}
    assert io.read_fink(QTable(table)).flux.tolist() == [3000]
    challenge = {"object_id": [1], "mjd": [59000.0], "passband": [1], "detected_bool": [1]}
    challenge |= {"flux": [3.0] * u.uJy, "flux_err": [1.0] * u.uJy}
    with pytest.raises(LightCurveError, match="'flux' has a unit, and in this format it has none"):
        io.read_plasticc(QTable(challenge))


# ids


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (["007", "7"], ["007", "7"]),
        (["007", "008"], ["007", "008"]),
        (["7", "8"], [7, 8]),
        (["7.0", "8.0"], [7, 8]),
        (["+7", "8"], ["+7", "8"]),
        (["1", "1.0"], ["1", "1.0"]),
        (["-1", "0"], [-1, 0]),
        (["a", "7"], ["a", "7"]),
        ([str(2**53 + 1), "8"], [2**53 + 1, 8]),
        ([f"{2**53 + 1}.0", "8"], [f"{2**53 + 1}.0", "8"]),
        ([str(2**64 - 1), "1"], [2**64 - 1, 1]),
    ],
)
def test_ids_of_text_files_stay_what_they_are(written, expected):
    for content in (rows(written), rows(written).replace(b",", b" "), rows(written) + b"\n"):
        assert read(content).ids.tolist() == expected
    challenge = "object_id,mjd,passband,flux,flux_err,detected_bool\n" + "".join(
        f"{name},59750.4,2,3.5,1.5,1\n" for name in written
    )
    assert io.read_plasticc(challenge.encode()).ids.tolist() == expected


def test_ids_under_names_with_blanks_and_in_fixed_columns():
    blanks = rows(["007"]).replace(b",", b" , ").replace(b"object_id", b" object_id")
    assert read(blanks).ids.tolist() == ["007"]
    fixed = b"object_id  mjd    flux  flux_err  band\n---------  -----  ----  --------  ----\n"
    assert read(fixed + b"007        59000  1.0   2.0       ztfg\n").ids.tolist() == ["007"]


def test_ids_of_metadata_are_those_of_the_light_curves():
    about = b"object_id,redshift\n7,0.6\n007,0.5\n"
    curves = io.read_long_table(rows(["007"]), metadata=about)
    assert curves.metadata["redshift"].tolist() == [0.5]


def test_ids_of_parts_are_of_one_kind():
    from sklc.io.formats.long_table import _batches
    from sklc.io.source import Source

    content = rows(["7", "7", "8", "8", "009", "009"])
    with pytest.raises(LightCurveError, match="integers in some rows and text in others"):
        list(_batches(Source(content), 1, chunksize=4))
    parts = list(_batches(Source(rows(["007", "007", "008", "x"])), 1, chunksize=2))
    assert [part.ids.tolist() for part in parts] == [["007"], ["008"], ["x"]]


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.from_regex(r"[+-]?[0-9a]{1,20}(\.0)?", fullmatch=True), min_size=1, max_size=5))
def test_different_ids_never_become_equal(written):
    content = "object_id,x\n" + "".join(f"{name},1\n" for name in written)
    frame = read_csv(pd.io.common.BytesIO(content.encode()), ["object_id", "x"])
    assert frame["object_id"].nunique() == len(set(written))


def test_bands_of_antares_are_those_of_the_survey_of_each_row():
    table = {"ant_mjd": [59000.0, 59001.0], "ant_passband": ["g", "g"], "ant_survey": [1, 4]}
    table |= {"ant_mag": [20.0, 20.0], "ant_magerr": [0.1, 0.1], "ztf_isdiffpos": ["t", "t"]}
    assert io.read_antares(pd.DataFrame(table)).band_names.tolist() == ["ztfg", "lsstg"]


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (["7", "0", "12"], [7, 0, 12]),
        (["7", "007", "12"], ["7", "007", "12"]),
        (["7", "12", "+12"], ["7", "12", "+12"]),
        (["7", "12", "00"], ["7", "12", "00"]),
        (["7", "12", '"012"'], ["7", "12", "012"]),
        (["7", "12", "-0"], ["7", "12", "-0"]),
        (["7.0", "12.0", "1.0"], [7, 12, 1]),
        (["1e5", "2e5", "3e5"], ["1e5", "2e5", "3e5"]),
        (["True", "False", "True2"], ["True", "False", "True2"]),
        (["True", "False", "true"], ["True", "False", "true"]),
        (["9007199254740993", "18446744073709551615", "5"], [2**53 + 1, 2**64 - 1, 5]),
    ],
)
@pytest.mark.parametrize("separator", [",", " "])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_ids_in_the_first_column_are_what_is_written(ids, expected, separator, end):
    rows = [["object_id", "mjd", "band", "flux"]]
    rows += [[name, str(59000.5 + k), "ztfg", "5.0"] for k, name in enumerate(ids)]
    text = end.join(separator.join(row) for row in rows) + end
    curves = read(text.encode())
    assert curves.ids.tolist() == expected
