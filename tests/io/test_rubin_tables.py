"""Tables of Rubin's data previews."""

import io

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from make_services import rubin_forced, rubin_visits

from sklc.errors import LightCurveError
from sklc.io import read, read_report, read_rubin_tables


def sources(**columns):
    """DiaSource of DP1."""
    base = {
        "diaSourceId": np.array([2**60 + 7, 2**60 + 9], np.int64),
        "diaObjectId": np.array([2**60 + 1, 2**60 + 1], np.int64),
        "visit": [1, 2],
        "band": ["g", "r"],
        "midpointMjdTai": [60623.25, 60624.25],
        "ra": [53.0, 53.0],
        "dec": [-28.0, -28.0],
        "psfFlux": [-120.0, 150.0],
        "psfFluxErr": [9.0, 9.5],
        "scienceFlux": [5000.0, 5100.0],
        "scienceFluxErr": [50.0, 51.0],
    }
    return pd.DataFrame(base | columns)


def test_forced_sources_with_the_times_of_visits():
    report = read_report(rubin_forced(), visit=rubin_visits(), quality="all")
    curves = report.curves
    assert curves.ids.tolist() == [2**60 + 1, 2**60 + 3]
    assert curves.flux.tolist() == [-120, 150, 180]
    assert curves.time.tolist() == [60623.25, 60624.125, 60624.125]
    assert curves.zero_point == 31.4
    assert curves.metadata["dec"].tolist() == [-28.0, -27.5]
    assert "psfDiffFlux is the difference flux of this table" in report.notes


def test_total_flux():
    total = read_rubin_tables(rubin_forced(), visit=rubin_visits(), flux="total", quality="all")
    assert total.flux.tolist() == [5000, 5100, 5200]


def test_flags():
    difference = read_rubin_tables(rubin_forced(), visit=rubin_visits())
    assert difference.flux.tolist() == [-120, 180]
    total = read_rubin_tables(rubin_forced(), visit=rubin_visits(), flux="total")
    assert total.flux.tolist() == [5000]
    unknown = rubin_forced(pixelFlags_saturatedCenter=[None, "f", "True"])
    assert read_rubin_tables(unknown, visit=rubin_visits()).flux.tolist() == [-120, 150]
    with pytest.raises(LightCurveError, match="is a flag, and holds 'maybe'"):
        read_rubin_tables(rubin_forced(psfDiffFlux_flag="maybe"), visit=rubin_visits())


def test_psf_flux_of_difference_sources_is_the_difference():
    assert read(sources(), verbose=False).flux.tolist() == [-120, 150]
    assert read_rubin_tables(sources(), flux="total").flux.tolist() == [5000, 5100]


def test_tables_that_do_not_tell_which_flux_they_hold():
    short = rubin_forced()[["diaObjectId", "visit", "band", "psfFlux", "psfFluxErr"]]
    with pytest.raises(LightCurveError, match=r'pass table="forced"'):
        read_rubin_tables(short, visit=rubin_visits())
    with pytest.raises(LightCurveError, match=r'no column .psfDiffFlux.*flux="total"'):
        read_rubin_tables(short, visit=rubin_visits(), table="forced")
    options = {"visit": rubin_visits(), "table": "forced", "flux": "total"}
    assert read_rubin_tables(short, **options).flux.tolist() == [5000, 5100, 5200]


def test_without_times():
    with pytest.raises(LightCurveError, match=r"Visit: pass it with visit="):
        read(rubin_forced(), verbose=False)
    with pytest.raises(LightCurveError, match=r"no row for the visit 2024110900251 \(2 rows"):
        read_rubin_tables(rubin_forced(), visit=rubin_visits().iloc[1:])
    with pytest.raises(LightCurveError, match="expMidptMJD; its columns are"):
        read_rubin_tables(rubin_forced(), visit=rubin_visits()[["visit"]])


def test_visits_with_one_row_per_detector():
    visits = pd.concat([rubin_visits()] * 2).rename(columns={"visit": "visitId"})
    curves = read_rubin_tables(rubin_forced(), visit=visits, quality="all")
    assert curves.time.tolist() == [60623.25, 60624.125, 60624.125]
    with pytest.raises(LightCurveError, match="different times for the visit"):
        read_rubin_tables(rubin_forced(), visit=visits.assign(expMidptMJD=[1.0, 2.0, 3.0, 4.0]))


def test_dp02():
    old = {"band": "filterName", "midpointMjdTai": "midPointTai", "dec": "decl",
           "psfFlux": "psFlux", "psfFluxErr": "psFluxErr", "scienceFlux": "totFlux",
           "scienceFluxErr": "totFluxErr", "visit": "ccdVisitId"}  # fmt: skip
    frame = sources().rename(columns=old)
    assert read(frame, verbose=False).zero_point == 31.4
    assert read_rubin_tables(frame, flux="total").flux.tolist() == [5000, 5100]
    ambiguous = frame.drop(columns=["totFlux", "totFluxErr"])
    with pytest.raises(LightCurveError, match=r'zero_point=31.4 for DP0.2, or format="elasticc"'):
        read(ambiguous, verbose=False)
    assert read_rubin_tables(ambiguous, zero_point=31.4).zero_point == 31.4
    forced = rubin_forced().rename(columns={"visit": "ccdVisitId", "diaObjectId": "objectId"})
    visits = rubin_visits().rename(columns={"visit": "ccdVisitId"})
    assert read_rubin_tables(forced, visit=visits).ids.tolist() == [2**60 + 1, 2**60 + 3]


def as_csv(frame):
    return frame.to_csv(index=False).encode()


def as_parquet(frame):
    file = io.BytesIO()
    table = pa.Table.from_pandas(frame, preserve_index=False)
    pq.write_table(table, file)
    return file.getvalue()


def as_astropy(frame):
    table = pytest.importorskip("astropy.table", reason="astropy is not installed (extra io)")
    return table.Table.from_pandas(frame)


def as_votable(frame):
    file = io.BytesIO()
    as_astropy(frame).write(file, format="votable")
    return file.getvalue()


@pytest.mark.parametrize("form", [as_csv, as_parquet, as_astropy, as_votable])
def test_ids_stay_exact_where_some_are_missing(form):
    ids = pd.array([2**60 + 1, None], dtype="Int64")
    report = read_report(form(sources(diaObjectId=ids)))
    assert report.curves.ids.tolist() == [2**60 + 1]
    assert report.curves.flux.tolist() == [-120]
    assert any("without diaObjectId" in note for note in report.notes)


def test_moving_objects_of_dp1_have_the_id_zero():
    moving = sources(diaObjectId=np.array([2**60 + 1, 0], np.int64))
    assert read_rubin_tables(moving).ids.tolist() == [2**60 + 1]


def test_units_are_converted_or_refused():
    table = as_astropy(sources())
    table["psfFlux"].unit, table["psfFluxErr"].unit = "uJy", "uJy"
    np.testing.assert_allclose(read_rubin_tables(table).flux, [-120000, 150000], rtol=1e-12)
    table["psfFlux"].unit = "ct"
    with pytest.raises(LightCurveError, match="'psfFlux' has the unit 'ct'"):
        read_rubin_tables(table)


def test_metadata():
    objects = pd.DataFrame(
        {"diaObjectId": [2**60 + 3, 2**60 + 1, 5], "ra": [1.0, 2.0, 3.0], "nDiaSources": [7, 8, 9]}
    )
    curves = read_rubin_tables(rubin_forced(), visit=rubin_visits(), metadata=objects)
    assert curves.metadata["nDiaSources"].tolist() == [8, 7]


def test_withdrawn_sources():
    table = sources(timeWithdrawnMjdTai=[np.nan, 60700.0])
    assert read_rubin_tables(table).flux.tolist() == [-120]


def test_files_that_differ_in_their_columns(tmp_path):
    paths = [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    sources().to_parquet(paths[0])
    sources().drop(columns="scienceFlux").to_parquet(paths[1])
    with pytest.raises(LightCurveError, match=r"b.parquet differ in the columns \['scienceFlux'\]"):
        read_rubin_tables(paths)
