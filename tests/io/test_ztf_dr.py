"""Public light curves of ZTF."""

import io

import numpy as np
import pandas as pd
import pytest
from make_services import ZTF_DR

from sklc.errors import LightCurveError
from sklc.io import read, read_report, read_ztf_dr


def frame():
    return pd.read_csv(io.BytesIO(ZTF_DR))


def test_magnitudes_become_total_fluxes():
    report = read_report(ZTF_DR)
    curves = report.curves
    assert curves.ids.tolist() == [686103400034440, 686203400106720]
    np.testing.assert_allclose(curves.flux, [10**4, 10 ** (0.4 * 10.7)], rtol=1e-12)
    np.testing.assert_allclose(curves.flux_err[0], 10**4 * 0.02 * np.log(10) / 2.5, rtol=1e-12)
    assert curves.time.tolist() == [58202.3453, 58204.3453]
    assert curves.band_names.tolist() == ["ztfg", "ztfr"]
    assert curves.metadata["dec"].tolist() == [32.0, 32.0001]
    assert report.format.flux == "total flux"
    assert any("match_radius=1.5" in note for note in report.notes)


def test_quality():
    assert read_ztf_dr(ZTF_DR, quality="all").lengths.tolist() == [2, 1]
    assert read_ztf_dr(ZTF_DR, quality=lambda t: t["catflags"] < 40000).lengths.tolist() == [2, 1]


def test_stars_are_joined_by_position():
    curves = read_ztf_dr(ZTF_DR, match_radius=1.5)
    assert curves.ids.tolist() == [686103400034440]
    assert curves.band_names.tolist() == ["ztfg", "ztfr"]
    assert len(read_ztf_dr(ZTF_DR, match_radius=0.1)) == 2


def test_rows_without_a_measurement():
    table = frame().assign(mag=[99.0, np.nan, 16.8], catflags=0)
    assert read_ztf_dr(table).lengths.tolist() == [1]


def test_files_of_the_bulk_download(tmp_path):
    nested = pd.DataFrame(
        {
            "objectid": [2**40 + 1, 2**40 + 2],
            "filterid": np.array([1, 3], np.int8),
            "objra": [10.0, 20.0],
            "objdec": [1.0, 2.0],
            "hmjd": [[58200.5, 58201.5], [58202.5]],
            "mag": [[17.5, 17.5], [20.0]],
            "magerr": [[0.1, 0.1], [0.2]],
            "catflags": [[0, 2], [0]],
        }
    )
    nested.to_parquet(tmp_path / "ztf.parquet")
    report = read_report(tmp_path / "ztf.parquet")
    assert report.curves.ids.tolist() == [2**40 + 1, 2**40 + 2]
    assert report.curves.time.tolist() == [58200.5, 58202.5]
    assert report.curves.band_names.tolist() == ["ztfg", "ztfi"]
    assert any("heliocentric" in note for note in report.notes)


@pytest.mark.parametrize("kind", ["votable", "ascii.ipac", "ascii.ecsv", "fits"])
def test_tables_of_astropy(kind):
    table = pytest.importorskip("astropy.table", reason="astropy is not installed (extra io)")
    file = io.BytesIO()
    written = table.Table.from_pandas(frame())
    if kind.startswith("ascii"):
        text = io.StringIO()
        written.write(text, format=kind)
        file.write(text.getvalue().encode())
    else:
        written.write(file, format=kind)
    curves = read(file.getvalue(), verbose=False)
    assert curves.ids.tolist() == [686103400034440, 686203400106720]
    assert curves.time.tolist() == [58202.3453, 58204.3453]


@pytest.mark.parametrize("separator", ["\t", ";"])
def test_other_separators(separator):
    content = b"# from IRSA\n" + ZTF_DR.replace(b",", separator.encode())
    assert read(content, verbose=False).lengths.tolist() == [1, 1]


def test_heliocentric_julian_dates():
    report = read_report(frame().drop(columns="mjd"))
    np.testing.assert_allclose(report.curves.time, [58202.34, 58204.34], rtol=0, atol=1e-6)
    assert any("heliocentric" in note for note in report.notes)


def test_a_bad_value_is_named():
    with pytest.raises(LightCurveError, match="'magerr' holds 'x' in row 3"):
        read_ztf_dr(ZTF_DR.replace(b",0.01,", b",x,"))
