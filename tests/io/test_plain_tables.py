"""Text tables: the fast parser reads them as pandas does, or leaves them to pandas."""

import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklc.errors import LightCurveError
from sklc.io import Source, read, read_aavso, read_plasticc, read_report, read_text, read_ztf_dr
from sklc.io.arrow_csv import read_plain

NUMBERS = [
    "1",
    "-2",
    "+3",
    "0.5",
    "1e-3",
    "+4.25",
    "inf",
    "nan",
    "",
    "NA",
    "007",
    "123456789",
]
TEXTS = ["a", "b c", "ztfg", "<17.5", "NULL", "", "12:30:00", "2024-01-05", "True", "1.5"]
LOGICAL = ["True", "FALSE", "true"]


def columns_of(frame):
    """Return the values of a table as Python has them, None where they are missing."""
    return {name: [None if pd.isna(v) else v for v in frame[name].astype(object)] for name in frame}


def plain(text, kinds, separator=","):
    names = list(kinds)
    return read_plain(io.BytesIO(text.encode()), names, 1, separator=separator, kinds=kinds)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_tables_are_those_of_pandas(data):
    kinds = data.draw(st.lists(st.sampled_from([NUMBERS, TEXTS, LOGICAL]), min_size=2, max_size=4))
    n_rows = data.draw(st.integers(1, 6))
    rows = [[data.draw(st.sampled_from(values)) for values in kinds] for _ in range(n_rows)]
    names = [f"c{k}" for k in range(len(kinds))]
    text = "\n".join(",".join(row) for row in [names, *rows]) + "\n"
    found = plain(text, dict.fromkeys(names))
    expected = pd.read_csv(io.StringIO(text), skip_blank_lines=True, low_memory=False)
    assert found is not None
    assert columns_of(found) == columns_of(expected)
    for name in names:  # numbers are numbers, and nothing else is
        numeric = pd.api.types.is_numeric_dtype(expected[name])
        assert pd.api.types.is_numeric_dtype(found[name]) == numeric


def test_types_that_are_given_are_kept():
    text = "id,visit,x\n007,9007199254740993,1\n8,,2\n"
    found = plain(text, {"id": str, "visit": "Int64", "x": None})
    assert found["id"].tolist() == ["007", "8"]
    assert found["visit"].dtype == "Int64"
    assert found["visit"][0] == 2**53 + 1
    assert found["visit"].isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("text", "separator"),
    [
        ("a,b\n0x1F,1\n", ","),  # hexadecimal numbers
        ("a,b\n18446744073709551615,1\n", ","),  # more than 64 bits with a sign
        ("a b\n1  2\n", r"\s+"),  # two blanks
        ("a b c\n1 2 3\n" + "4 5 6\n" * 20_000 + " 7 8\n", r"\s+"),  # a blank at the start
        ("a,b\n1,2,3\n", ","),  # too many fields
        ("a,b\n1\n", ","),  # too few
        ("a,b\n", ","),
    ],
)
def test_what_is_unusual_is_left_to_pandas(text, separator):
    names = text.split("\n")[0].replace(",", " ").split()
    assert plain(text, dict.fromkeys(names), separator) is None


def test_large_integers_and_hexadecimal_names_stay_exact():
    head = b"object_id,mjd,band,flux,flux_err,host\n"
    curves = read(head + b"18446744073709551615,59000.5,ztfg,3,1,0x1F\n", verbose=False)
    assert curves.ids.tolist() == [2**64 - 1]


@pytest.mark.parametrize("separator", [",", "\t", ";", "|", " "])
def test_ids_are_as_written_whatever_stands_between_columns(separator):
    rows = ["name mjd band flux flux_err", "0012 59000.5 ztfg 3 1", "12 59001.5 ztfg 4 1"]
    text = "\n".join(row.replace(" ", separator) for row in rows)
    assert read(text.encode(), verbose=False).ids.tolist() == ["0012", "12"]


def test_a_short_line_is_named():
    text = "mjd,band,flux,flux_err\n59000.1,ztfg,3,1\n59001.1,ztfg\n"
    with pytest.raises(LightCurveError, match="line 3 of the bytes has 2 fields instead of 4"):
        read(text.encode(), verbose=False)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_functions_of_quality_get_texts_and_not_categories(tmp_path, kind):
    table = pd.DataFrame(
        {"object_id": 7, "mjd": [59000.1, 59001.1, 59002.1], "band": ["ztfg", "ztfr", None],
         "flux": 3.0, "flux_err": 1.0, "note": ["good", "bad", None]}
    )  # fmt: skip
    path = tmp_path / f"table.{kind}"
    getattr(table, f"to_{kind}")(path, index=False)
    seen = {}

    def good(raw):
        seen.update(raw.dtypes)
        return raw["note"].fillna("none").str.upper() + "!" == "GOOD!"

    curves = read(path, quality=good, verbose=False)
    assert curves.time.tolist() == [59000.1]
    assert not any(isinstance(dtype, pd.CategoricalDtype) for dtype in seen.values())


def test_files_whose_columns_are_in_another_order(tmp_path):
    one = pd.DataFrame({"oid": [1], "mjd": [58000.5], "mag": [17.0], "magerr": [0.1],
                        "catflags": [0], "filtercode": ["zg"]})  # fmt: skip
    one.to_csv(tmp_path / "one.csv", index=False)
    two = one.assign(oid=2, mag=18.0)[["filtercode", "magerr", "mag", "catflags", "mjd", "oid"]]
    two.to_csv(tmp_path / "two.csv", index=False)
    curves = read_ztf_dr([tmp_path / "one.csv", tmp_path / "two.csv"])
    assert curves.ids.tolist() == [1, 2]
    np.testing.assert_allclose(-2.5 * np.log10(curves.flux) + 27.5, [17, 18])


def test_magnitudes_beside_limits():
    rows = (
        b"2459454.9,14.8,0.1,V,V339 Del\n2459455.9,<15.1,,V,V339 Del\n2459456.9,+14.9,0.1,V,A B\n"
    )
    head = b"JD,Magnitude,Uncertainty,Band,Star Name\n"
    report = read_report(head + rows)
    assert report.format.name == "aavso"
    assert report.curves.ids.tolist() == ["V339 Del", "A B"]
    assert "left out 1 of 3 rows: fainter-than limits" in report.notes
    with pytest.raises(LightCurveError, match=r"'bright' in row 2 of the table"):
        read_aavso(head + rows.replace(b"<15.1", b"bright"))
    curves = read_aavso(head + rows, quality=lambda table: table["Star Name"] == "A B")
    assert curves.ids.tolist() == ["A B"]


def test_a_constant_text_and_missing_numbers():
    text = "object_id,mjd,passband,flux,flux_err,detected\n1,59000.5,1,3,1,1\n1,59001.5,1,,1,\n"
    curves = read_plasticc(text.encode())
    assert curves.flux.tolist() == [3.0]
    assert Source(text.encode()).frame()["detected"].dtype == np.float64


def test_a_user_sees_every_row_that_is_left_out_in_good_english():
    text = "mjd,band,flux\n59000.1,ztfg,3\n59001.1,ztfg,\n"
    assert read_report(text.encode()).notes[0] == "left out 1 of 2 rows: without a flux (flux)"
    rows = b"59000.1 17.0 0.5 ztfg\n"
    report = read_report(b"mjd mag mag_err band\n" + rows)
    assert "1 magnitude has an error above 0.3, and its flux is biased" in report.notes
    report = read_report(b"mjd mag mag_err band\n" + rows + rows.replace(b"000", b"001"))
    assert "2 magnitudes have errors above 0.3, whose fluxes are biased" in report.notes


def test_numbers_with_a_plus_sign_are_numbers():
    rows = b"59000.1 +17.0 +0.1 ztfg\n59001.1 +17.5 +0.1 ztfg\n"
    curves = read_text(rows, names=["mjd", "mag", "mag_err", "band"])
    np.testing.assert_allclose(-2.5 * np.log10(curves.flux) + 27.5, [17.0, 17.5])


@pytest.mark.parametrize("name", ["fink", "plasticc", "ztf-dr"])
def test_a_table_without_any_column_of_the_format_is_refused_with_the_reason(name):
    content = b"a,b,d\n1,2,3\n4,5,6\n"
    with pytest.raises(LightCurveError) as refused:
        read(content, name, verbose=False)
    assert "Error" not in str(refused.value)  # not the name of an exception
