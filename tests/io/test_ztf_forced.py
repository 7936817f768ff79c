"""Files of the forced-photometry service of ZTF."""

import numpy as np
import pandas as pd
import pytest
from make_services import ZFPS_COLUMNS, zfps

from sklc.errors import LightCurveError, UnknownPassbandError
from sklc.io import read, read_report, read_ztf_forced


def test_counts_become_fluxes_with_the_zero_point_of_their_row(tmp_path):
    path = tmp_path / "forcedphotometry_req01_lc.txt"
    path.write_bytes(zfps({"zpdiff": "26.2"}, {"zpdiff": "25.0", "forcediffimflux": "-40"}))
    curves = read_ztf_forced(path)
    # 150 counts at 26.2 mag are 150 * 10 ** (0.4 * 1.3) at 27.5 mag
    np.testing.assert_allclose(curves.flux, [150 * 3.3113112, -40 * 10.0], rtol=1e-6)
    np.testing.assert_allclose(curves.flux_err, [15 * 3.3113112, 15 * 10.0], rtol=1e-6)
    np.testing.assert_allclose(curves.time, [59000.25, 59001.25], rtol=0, atol=1e-8)
    assert curves.zero_point == 27.5
    assert curves.ids.tolist() == ["forcedphotometry_req01_lc"]
    assert curves.metadata.iloc[0].to_dict() == {"ra": 150.123, "dec": -2.5}


@pytest.mark.parametrize("header", ["", "#"])
def test_the_names_of_columns_may_be_a_comment(header):
    assert read_ztf_forced(zfps({}, header=header)).lengths.tolist() == [1]


def test_rows_without_a_flux_never_become_fluxes():
    bad = [{"forcediffimflux": v} for v in ("null", "-99999", "nan")]
    report = read_report(zfps({}, *bad, {"forcediffimfluxunc": "0"}, {"zpdiff": "null"}))
    assert report.curves.lengths.tolist() == [1]
    assert "left out 5 of 6 rows: without a flux" in report.notes


BAD = [{"infobitssci": "33554432"}, {"scisigpix": "25.1"}, {"sciinpseeing": "4.1"},
       {"procstatus": "56"}, {"procstatus": "57,56"}, {"procstatus": "56,63"}]  # fmt: skip
FINE = [{"infobitssci": "33554431"}, {"scisigpix": "25"}, {"sciinpseeing": "4"},
        {"procstatus": "57"}, {"procstatus": "156"}]  # fmt: skip


def test_quality():
    content = zfps(*BAD, *FINE)
    good = read_report(content)
    assert good.curves.time.tolist() == [59006.25 + k for k in range(len(FINE))]
    assert any("57 (1 rows)" in note for note in good.notes)
    assert read_ztf_forced(content, quality="all").lengths[0] == len(BAD) + len(FINE)
    chosen = read_ztf_forced(content, quality=lambda table: table["scisigpix"] > 25)
    assert chosen.time.tolist() == [59001.25]


def test_baselines_are_those_of_each_reference_image():
    before = [{"forcediffimflux": str(20 + k), "zpdiff": "27.5"} for k in range(5)]
    other = [{**row, "field": "601", "forcediffimflux": "-300"} for row in before]
    after = {"jd": "2459100.75", "zpdiff": "27.5", "forcediffimflux": "100"}
    rows = [
        *before,
        *other,
        after,
        {**after, "field": "601", "forcediffimflux": "101"},
        {**after, "filter": "ZTF_r"},
    ]
    report = read_report(zfps(*rows), baseline=59050.0)
    assert report.curves.flux[-3:].tolist() == [100 - 22, 101 + 300, 100]
    assert any("no baseline was subtracted from 1 rows" in note for note in report.notes)
    window = read_ztf_forced(zfps(*rows), baseline=(58000.0, 59050.0))
    np.testing.assert_array_equal(window.flux, report.curves.flux)
    assert read_ztf_forced(zfps(*rows)).flux[-3:].tolist() == [100, 101, 100]


def test_errors_are_scaled_by_the_root_of_the_median_chi_square():
    rows = [{"zpdiff": "27.5", "forcediffimchisq": value} for value in ("1", "4", "9")]
    assert read_ztf_forced(zfps(*rows), scale_errors=True).flux_err.tolist() == [30.0] * 3
    assert read_ztf_forced(zfps(*rows)).flux_err.tolist() == [15.0] * 3


def test_tables_whose_names_kept_their_commas():
    rows = [line.split() for line in zfps({}, {}).decode().splitlines()[4:]]
    table = pd.DataFrame(rows, columns=[f"{name}," for name in ZFPS_COLUMNS])
    curves = read(table, verbose=False)
    np.testing.assert_allclose(curves.flux, [150 * 3.3113112] * 2, rtol=1e-6)
    table["name"] = ["a", "b"]
    assert read_ztf_forced(table, object_id="name").ids.tolist() == ["a", "b"]
    assert read_ztf_forced(table, object_id="SN1").ids.tolist() == ["SN1"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (zfps({}, {})[:-30], "line 6 has fewer values"),
        (zfps({}, {"zpdiff": "26.2 3"}), "line 6"),
        (zfps({}, {"forcediffimflux": "12..5"}), "'12..5' in line 6"),
        (zfps(), "no rows"),
        (zfps({"procstatus": "56"}), 'quality="all"'),
    ],
)
def test_damaged_files_are_named_with_the_line(tmp_path, content, message):
    path = tmp_path / "lc.txt"
    path.write_bytes(content)
    with pytest.raises(LightCurveError, match=message) as error:
        read(path, verbose=False)
    assert str(path) in str(error.value)


def test_unknown_filters_are_named():
    with pytest.raises(UnknownPassbandError, match=r"row 2 has the filter 'ZTF_q'"):
        read_ztf_forced(zfps({}, {"filter": "ZTF_q"}))


def test_missing_columns_are_named():
    with pytest.raises(LightCurveError, match="'zpdiff'"):
        read_ztf_forced(zfps({}).replace(b"zpdiff", b"zero"))


def test_a_requested_position_that_is_no_number_is_unknown():
    content = zfps({}).replace(b"R.A. = ", b"R.A. = -.")
    metadata = read_ztf_forced(content).metadata
    assert "ra" not in metadata or metadata["ra"].isna().all()
    assert metadata["dec"].tolist() == [-2.5]
