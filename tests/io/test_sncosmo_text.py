"""sncosmo's own text format, and its tables."""

import numpy as np
import pytest
from make_services import SNCOSMO, true_file

from sklc.errors import LightCurveError
from sklc.io import read, read_report, read_sncosmo
from sklc.io.vega import ab_minus_vega
from sklc.passbands import get_passband

table = pytest.importorskip("astropy.table", reason="astropy is not installed (extra io)")


def test_text():
    curves = read_sncosmo(SNCOSMO)
    assert curves.ids.tolist() == ["SN1"]
    assert curves.flux.tolist() == [0.36, 5.20]
    assert curves.zero_point == 25.0
    assert curves.metadata.iloc[0].to_dict() == {"redshift": 0.5, "mwebv": 0.03, "t0": 55100.0}


def test_other_names_of_columns():
    content = SNCOSMO.replace(b"time band flux fluxerr zp zpsys", b"MJD filter f fe zpt magsys")
    assert read(content, verbose=False).flux.tolist() == [0.36, 5.20]


def test_zero_points_of_rows_and_systems():
    text = "time band flux fluxerr zp zpsys\n"
    rows = [
        "55070 bessellv 10 1 25 ab",
        "55071 bessellv 10 1 27.5 ab",
        "55072 bessellv 10 1 27.5 vega",
    ]
    curves = read_sncosmo((text + "\n".join(rows)).encode(), bands={"V": "bessellv"})
    assert curves.zero_point == 27.5
    offset = ab_minus_vega(get_passband("bessellv"))  # V(AB) - V(Vega)
    np.testing.assert_allclose(curves.flux, [100, 10, 10 * 10 ** (-0.4 * offset)], rtol=1e-9)
    with pytest.raises(LightCurveError, match="zpsys is 'bd17' in row 1"):
        read_sncosmo((text + rows[0].replace("ab", "bd17")).encode())


def test_julian_dates_are_converted():
    report = read_report(
        SNCOSMO.replace(b"\n55070.0", b"\n2455070.5").replace(b"\n55072.5", b"\n2455073")
    )
    assert report.curves.time.tolist() == [55070.0, 55072.5]
    assert any("Julian" in note for note in report.notes)


def test_astropy_tables():
    one = table.Table(
        {"time": [1.0, 2.0], "band": ["ztfg", "ztfr"], "flux": [1.0, 2.0], "fluxerr": [0.1, 0.2],
         "zp": [25.0, 25.0], "zpsys": ["ab", "ab"]},
        meta={"z": 0.5, "SNID": "a"},
    )  # fmt: skip
    two = one.copy()
    two.meta = {"z": 0.7, "SNID": "b"}
    curves = read([one, two], verbose=False)
    assert curves.ids.tolist() == ["a", "b"]
    assert curves.metadata["redshift"].tolist() == [0.5, 0.7]
    assert read_sncosmo(one).lengths.tolist() == [2]
    with pytest.raises(LightCurveError, match="'a' occurs twice"):
        read_sncosmo([one, one])


def test_true_file():
    curves = read_sncosmo(true_file("sncosmo_example.dat"))
    assert curves.lengths.tolist() == [40]
    assert curves.flux[0] == 0.36351153597
    assert curves.metadata["redshift"].tolist() == [0.5]
