"""Tables and JSON of ALeRCE, Fink, Lasair and ANTARES."""

import io
import json
import warnings
from types import SimpleNamespace

import alert_packets as make
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sklc.errors import LightCurveError, LightCurveWarning
from sklc.io import (
    read,
    read_alerce,
    read_alerce_elasticc,
    read_antares,
    read_fink,
    read_lasair,
    read_report,
    recognise,
)


def parquet(table):
    file = io.BytesIO()
    pq.write_table(table if isinstance(table, pa.Table) else pa.Table.from_pandas(table), file)
    return file.getvalue()


# ALeRCE

SEEN = [
    {"mjd": 59_001.2, "fid": 1, "magpsf": 20.0, "sigmapsf": 0.1, "isdiffpos": 1, "corrected": True,
     "magpsf_corr": 17.5, "sigmapsf_corr": 0.02, "sigmapsf_corr_ext": 0.04, "dubious": False,
     "rb": 0.9, "ra": 10.5, "dec": -20.25},
    {"mjd": 59_003.2, "fid": 2, "magpsf": 19.0, "sigmapsf": 0.2, "isdiffpos": -1, "corrected": True,
     "magpsf_corr": 17.0, "sigmapsf_corr": 100.0, "sigmapsf_corr_ext": 0.03, "dubious": False,
     "rb": 0.9, "ra": 10.5, "dec": -20.25},
    {"mjd": 59_005.2, "fid": 2, "magpsf": 19.5, "sigmapsf": 0.2, "isdiffpos": -1,
     "corrected": False, "magpsf_corr": 100.0, "sigmapsf_corr": 100.0, "sigmapsf_corr_ext": 100.0,
     "dubious": True, "rb": 0.9, "ra": 10.5, "dec": -20.25},
]  # fmt: skip
LIMITS = [{"mjd": 59_000.2, "fid": 1, "diffmaglim": 20.5}]
FORCED = [
    {"mjd": 59_001.2, "fid": 1, "mag": 20.1, "e_mag": 0.05, "isdiffpos": 1, "procstatus": "0"},
    {"mjd": 59_002.2, "fid": 1, "mag": 21.0, "e_mag": 0.3, "isdiffpos": -1, "procstatus": "0"},
    {"mjd": 59_004.2, "fid": 1, "mag": 100.0, "e_mag": 100.0, "isdiffpos": 1, "procstatus": "0"},
]


def with_id(rows, oid="ZTF20abc"):
    return [row | {"oid": oid} for row in rows]


ALERCE = {
    "table": lambda: pd.DataFrame(with_id(SEEN)),
    "indexed": lambda: pd.DataFrame(with_id(SEEN)).set_index("oid"),
    "dicts": lambda: with_id(SEEN),
    "csv": lambda: pd.DataFrame(with_id(SEEN)).to_csv(index=False).encode(),
    "parquet": lambda: parquet(pd.DataFrame(with_id(SEEN)).set_index("oid")),
    "json": lambda: json.dumps(with_id(SEEN)).encode(),
    "light curve": lambda: {"detections": with_id(SEEN), "non_detections": LIMITS},
    "json of one": lambda: json.dumps({"detections": with_id(SEEN), "non_detections": []}).encode(),
    "by id": lambda: {"ZTF20abc": {"detections": SEEN, "non_detections": LIMITS}},
    "frame of lists": lambda: pd.DataFrame([{"detections": with_id(SEEN), "non_detections": []}]),
    "frames": lambda: {"detections": pd.DataFrame(with_id(SEEN))},
}


@pytest.mark.parametrize("form", ALERCE)
def test_alerce_in_every_form(form):
    assert recognise(ALERCE[form]()).name == "alerce"
    curves = read(ALERCE[form](), verbose=False)
    assert curves.ids.tolist() == ["ZTF20abc"]
    np.testing.assert_allclose(curves.flux, [make.flux_of(20.0), -make.flux_of(19.0)])
    np.testing.assert_allclose(curves.flux_err, [make.flux_of(20, 0.1), make.flux_of(19, 0.2)])
    assert curves.time.tolist() == [59_001.2, 59_003.2]  # 59,005.2 is dubious
    assert curves.band_names.tolist() == ["ztfg", "ztfr"]
    assert curves.metadata.loc["ZTF20abc"].to_dict() == {"ra": 10.5, "dec": -20.25}


def test_alerce_joins_its_tables():
    given = {"detections": SEEN, "non_detections": LIMITS, "forced_photometry": FORCED}
    curves = read_alerce(given, object_id="ZTF20abc", quality="all", upper_limits="zero")
    assert curves.ids.tolist() == ["ZTF20abc"]
    assert curves.time.tolist() == [59_000.2, 59_001.2, 59_002.2, 59_003.2, 59_005.2]
    expected = [0, make.flux_of(20.1), -make.flux_of(21), -make.flux_of(19), -make.flux_of(19.5)]
    np.testing.assert_allclose(curves.flux, expected)
    assert curves.flux_err[0] == pytest.approx(make.flux_of(20.5) / 5)
    # non-detections lack the id: it is that of the detections
    given = {"detections": with_id(SEEN), "non_detections": LIMITS}
    curves = read_alerce(given, upper_limits="zero")
    assert curves.ids.tolist() == ["ZTF20abc"]
    assert curves.time.tolist() == [59_000.2, 59_001.2, 59_003.2]


def test_alerce_total_flux():
    curves = read_alerce(with_id(SEEN), flux="total")
    np.testing.assert_allclose(curves.flux, make.flux_of([17.5, 17.0]))
    # 100 stands for a missing error: the other one is taken
    np.testing.assert_allclose(
        curves.flux_err, [make.flux_of(17.5, 0.02), make.flux_of(17.0, 0.03)]
    )


def test_alerce_lsst_numbers_its_filters_in_its_own_way():
    rows = [
        {"oid": make.OBJECT, "mjd": 61_000.1 + k, "band": k, "psfFlux": 10.0 * k, "psfFluxErr": 2.0,
         "scienceFlux": 500.0, "scienceFluxErr": 3.0}
        for k in range(1, 7)
    ]  # fmt: skip
    curves = read(rows, verbose=False)
    assert curves.ids.tolist() == [make.OBJECT]
    assert curves.zero_point == 31.4
    names = [f"lsst{band}" for band in "grizyu"]
    assert curves.band_names.tolist() == names
    named = [row | {"band_name": name[4:]} for row, name in zip(rows, names, strict=True)]
    assert read_alerce(named).equals(curves)
    assert set(read_alerce(rows, flux="total").flux) == {500.0}
    forced = [rows[0] | {"psfFlux": 9.0, "visit": 5, "detector": 1}]
    joined = read_alerce({"detections": rows, "forced_photometry": forced})
    assert joined.flux.tolist() == [9.0, 20.0, 30.0, 40.0, 50.0, 60.0]
    with pytest.raises(LightCurveError, match="observations of ZTF and of LSST"):
        read_alerce([{"detections": rows}, {"detections": with_id(SEEN)}])


def test_alerce_bad_values():
    bad = [*with_id(SEEN), with_id(SEEN)[0] | {"magpsf": "faint"}]
    with pytest.raises(LightCurveError, match=r"'magpsf' holds 'faint' in row 4"):
        read_alerce(bad)
    with pytest.raises(LightCurveError, match="has no rows"):
        read_alerce({"detections": [], "non_detections": []})
    with pytest.raises(LightCurveError, match=r"columns \['fid'\] are missing|'band'"):
        read_alerce(pd.DataFrame(with_id(SEEN)).drop(columns="fid"))


def test_elasticc_of_alerce(tmp_path):
    rows = pd.DataFrame(
        {"SNID": ["8", "8", "9"], "MJD": [60_000.1, 60_003.1, 60_001.1], "BAND": ["g", "Y", "r"],
         "FLUXCAL": [52.0, -3.0, 8.0], "FLUXCALERR": [4.0, 5.0, 2.0]}
    )  # fmt: skip
    about = pd.DataFrame(
        {"SNID": ["7", "9", "8"], "REDSHIFT_HELIO": [1.0, -9.0, 0.25], "MWEBV": [0.1, 0.2, 0.3],
         "HOSTGAL_PHOTOZ": [0.5, -999.0, 0.5]}
    )  # fmt: skip
    path = tmp_path / "metadata.parquet"
    about.set_index("SNID").to_parquet(path)
    source = parquet(rows.set_index("SNID"))
    assert recognise(source).name == "alerce-elasticc"
    for metadata in (about, path):
        curves = read(source, metadata=metadata, verbose=False)
        assert curves.ids.tolist() == ["8", "9"]
        assert curves.zero_point == 27.5
        assert curves[0].flux.tolist() == [52.0, -3.0]
        assert curves[0].band_names.tolist() == ["lsstg", "lssty"]
        np.testing.assert_array_equal(curves.metadata["redshift"], [0.25, np.nan])
        np.testing.assert_array_equal(curves.metadata["HOSTGAL_PHOTOZ"], [0.5, np.nan])
    with pytest.raises(LightCurveError, match=r"object '8'.*has no row in the metadata"):
        read_alerce_elasticc(rows, metadata=about[:2])
    assert read_alerce_elasticc(rows, zero_point=31.4).zero_point == 31.4


# Fink


def fink_rows():
    """Rows of the API, the newest first, whose numbers may be text."""
    return [
        {"i:objectId": "ZTF20abc", "i:jd": 59_003.2 + make.MJD, "i:fid": 2, "i:magpsf": 19.0,
         "i:sigmapsf": 0.2, "i:isdiffpos": "f", "i:diffmaglim": 20.7, "d:tag": "valid",
         "d:tns": "SN Ia", "i:ra": 10.5, "i:dec": -20.25},
        {"i:objectId": "ZTF20abc", "i:jd": 59_002.2 + make.MJD, "i:fid": 1, "i:magpsf": 20.2,
         "i:sigmapsf": 0.2, "i:isdiffpos": "t", "i:diffmaglim": 20.6, "d:tag": "badquality",
         "d:tns": "", "i:ra": 10.5, "i:dec": -20.25},
        {"i:objectId": "ZTF20abc", "i:jd": 59_001.2 + make.MJD, "i:fid": 1, "i:magpsf": None,
         "i:sigmapsf": None, "i:isdiffpos": None, "i:diffmaglim": 20.5, "d:tag": "upperlim",
         "d:tns": None, "i:ra": None, "i:dec": None},
    ]  # fmt: skip


def as_text(rows):
    return [{k: v if v is None else str(v) for k, v in row.items()} for row in rows]


@pytest.mark.parametrize(
    "make_source",
    [
        lambda: pd.DataFrame(fink_rows()),
        lambda: fink_rows(),
        lambda: as_text(fink_rows()),
        lambda: json.dumps(fink_rows()).encode(),
        lambda: pd.DataFrame(fink_rows()).to_csv(index=False).encode(),
        lambda: parquet(pd.DataFrame(fink_rows())),
    ],
    ids=["frame", "dicts", "text", "json", "csv", "parquet"],
)
def test_fink_ztf_api(make_source):
    assert recognise(make_source()).name == "fink"
    curves = read(make_source(), verbose=False)
    assert curves.ids.tolist() == ["ZTF20abc"]
    np.testing.assert_allclose(curves.flux, [-make.flux_of(19.0)])
    np.testing.assert_allclose(curves.time, [59_003.2], atol=1e-8)
    assert curves.metadata.loc["ZTF20abc"].to_dict() == {
        "ra": 10.5,
        "dec": -20.25,
        "label": "SN Ia",
    }
    curves = read_fink(make_source(), quality="all", upper_limits="zero")
    np.testing.assert_allclose(curves.flux, [0, make.flux_of(20.2), -make.flux_of(19.0)])
    chosen = read_fink(make_source(), quality=lambda table: table["d:tag"] == "badquality")
    np.testing.assert_allclose(chosen.flux, [make.flux_of(20.2)])


def test_fink_votable():
    table = pytest.importorskip("astropy.table")
    rows = pd.DataFrame(fink_rows()[:2])
    file = io.BytesIO()
    with warnings.catch_warnings():  # names with a colon are no XML ids
        warnings.simplefilter("ignore")
        table.Table.from_pandas(rows).write(file, format="votable")
    assert recognise(file.getvalue()).name == "fink"
    np.testing.assert_allclose(read(file.getvalue(), verbose=False).flux, [-make.flux_of(19.0)])


def test_fink_rubin_api_keeps_ids():
    rows = [
        {"r:diaObjectId": make.OBJECT + k, "r:midpointMjdTai": 61_000.1, "r:band": "y",
         "r:psfFlux": -5.0, "r:psfFluxErr": 1.0, "f:xm_tns_type": "Fail" if k else "SN II",
         "f:xm_tns_redshift": None if k else 0.03}
        for k in range(2)
    ]  # fmt: skip
    for source in (rows, pd.DataFrame(rows), pd.DataFrame(rows).to_csv(index=False).encode(),
                   json.dumps(rows).encode()):  # fmt: skip
        curves = read(source, verbose=False)
        assert curves.ids.tolist() == [make.OBJECT, make.OBJECT + 1]
        assert curves.metadata["label"].fillna("unknown").tolist() == ["SN II", "unknown"]
        np.testing.assert_array_equal(curves.metadata["redshift"], [0.03, np.nan])
    report = read_report([*rows, rows[0] | {"r:diaObjectId": 0}])
    assert len(report.curves) == 2
    assert any("left out 1 of 3 rows: Solar System objects" in note for note in report.notes)
    floats = pd.DataFrame(rows).astype({"r:diaObjectId": float})
    with pytest.raises(LightCurveError, match=r"'diaObjectId' holds ids as floating point.*dtype="):
        read_fink(floats)


def test_fink_packets_of_ztf_in_parquet():
    packets = [
        make.ztf_packet(make.detection(59_003.2, 19.0), [make.detection(59_001.2, isdiffpos="f")])
        | {"tns": "SN IIn", "cutoutScience": b"0"},
        make.ztf_packet(make.detection(59_004.2), None, None, "ZTF21xyz"),
    ]
    table = pa.Table.from_pylist(packets)
    file = io.BytesIO()
    pq.write_table(table, file, row_group_size=1)
    for source in (file.getvalue(), table, table.to_pandas()):
        assert recognise(source).name == "fink"
        curves = read(source, verbose=False)
        assert curves.ids.tolist() == ["ZTF20abc", "ZTF21xyz"]
        np.testing.assert_allclose(curves[0].flux, [-make.flux_of(20), make.flux_of(19)])
        assert curves.metadata["label"].fillna("unknown").tolist() == ["SN IIn", "unknown"]


def test_fink_packets_of_rubin_in_parquet():
    packet = make.rubin_packet(make.source(61_000.1), [make.source(60_999.1, 7.0)], [])
    moving = make.rubin_packet(make.source(61_000.1, diaObjectId=0), name=None)
    # as Fink writes it: the id of the object through floating point, of the source exact
    packet["diaObject"]["diaObjectId"] = float(make.OBJECT)
    packet["xm"] = {"tns_type": "SN Ia", "tns_redshift": 0.0625}
    source = parquet(pa.Table.from_pylist([packet, moving]))
    assert recognise(source).name == "fink"
    curves = read(source, verbose=False)
    assert curves.ids.tolist() == [make.OBJECT]
    assert curves.flux.tolist() == [7.0, 100.0]
    assert curves.metadata.loc[make.OBJECT, ["label", "redshift"]].tolist() == ["SN Ia", 0.0625]
    curves = read_fink(parquet(pa.Table.from_pylist([make.elasticc_packet()])))
    assert curves.zero_point == 27.5
    assert curves.flux.tolist() == [-20.0, 700.0, 750.0, 900.0]


def test_fink_arrays():
    jd = np.array([59_001.2, 59_002.2, 59_003.2]) + make.MJD
    rows = pd.DataFrame(
        {"objectId": ["ZTF20abc", "ZTF20abc"], "candid": [1, 2], "cjd": [jd[:2], jd],
         "cfid": [[1, 2], [1, 2, 1]], "cmagpsf": [[20.0, np.nan], [20.0, np.nan, 19.0]],
         "csigmapsf": [[0.1, np.nan], [0.1, np.nan, 0.2]]}
    )  # fmt: skip
    for source in (rows, parquet(rows)):
        assert recognise(source).name == "fink"
        with pytest.warns(LightCurveWarning, match="all subtractions are taken as positive"):
            curves = read(source, verbose=False)
        np.testing.assert_allclose(curves.flux, make.flux_of([20.0, 19.0]))
    signed = rows.assign(cisdiffpos=[["f", None], ["f", None, "t"]])
    np.testing.assert_allclose(read_fink(signed).flux, [-make.flux_of(20.0), make.flux_of(19.0)])
    with pytest.raises(LightCurveError, match="differ in length"):
        read_fink(rows.assign(cfid=[[1], [1, 2, 1]]))


# Lasair

LASAIR = {
    "objectId": "ZTF23aab",
    "objectData": {"ramean": 179.5, "decmean": 26.25},
    "candidates": [
        {"candid": 2240410792515015000, "jd": 59_004.2 + make.MJD, "mjd": 59_004.2, "fid": 1,
         "magpsf": 19.0, "sigmapsf": 0.1, "isdiffpos": "f", "drb": None},
        # a limit repeats diffmaglim as magpsf
        {"jd": 59_003.2 + make.MJD, "mjd": 59_003.2, "fid": 2, "diffmaglim": 20.5, "magpsf": 20.5},
    ],
    "forcedphot": [
        {"jd": 59_002.2 + make.MJD, "fid": 2, "forcediffimflux": 50.0, "forcediffimfluxunc": 5.0,
         "magzpsci": 26.5, "procstatus": "0"},
    ],
    "TNS": {"type": "SN II", "z": 0.03125},
}  # fmt: skip


@pytest.mark.parametrize("form", ["dict", "list", "json", "lines"])
def test_lasair_ztf(form):
    source = {
        "dict": LASAIR,
        "list": [LASAIR],
        "json": json.dumps([LASAIR], indent=1).encode(),
        "lines": b"\n".join(
            json.dumps(LASAIR | {"objectId": f"ZTF23aa{k}"}).encode() for k in "bc"
        ),
    }[form]
    assert recognise(source).name == "lasair"
    curves = read_lasair(source, upper_limits="zero")[:1]
    np.testing.assert_allclose(curves.time, [59_002.2, 59_003.2, 59_004.2], atol=1e-8)
    np.testing.assert_allclose(curves.flux, [50 * 10**0.4, 0, -make.flux_of(19.0)])
    assert curves.band_names.tolist() == ["ztfr", "ztfr", "ztfg"]
    expected = {"ra": 179.5, "dec": 26.25, "label": "SN II", "redshift": 0.03125}
    assert curves.metadata.loc["ZTF23aab"].to_dict() == expected


def test_lasair_objects_without_candidates_are_told():
    report = read_report([LASAIR, {"objectId": "ZTF23aax", "candidates": []}])
    assert report.curves.ids.tolist() == ["ZTF23aab"]
    assert "1 of 2 objects has no candidates" in report.notes


def test_lasair_lsst():
    found = {
        "diaObjectId": make.OBJECT,
        "diaObject": {"diaObjectId": make.OBJECT, "ra": 10.5, "decl": -20.25},
        "diaSourcesList": [make.source(61_000.1, 100.0), make.source(61_005.1, -60.0)],
        "diaForcedSourcesList": [make.forced_source(61_000.1, 95.0)],
        "lasairData": {"TNS": {"type": "SN Ia", "z": 0.0625}, "ebv": 0.125},
    }
    for source in (found, [found], json.dumps(found).encode()):
        assert recognise(source).name == "lasair"
        curves = read(source, verbose=False)
        assert curves.ids.tolist() == [make.OBJECT]
        assert curves.zero_point == 31.4
        assert curves.flux.tolist() == [95.0, -60.0]
        about = {"ra": 10.5, "dec": -20.25, "label": "SN Ia", "redshift": 0.0625, "mwebv": 0.125}
        assert curves.metadata.loc[make.OBJECT].to_dict() == about
    with pytest.raises(LightCurveError, match="objects of ZTF and of LSST"):
        read_lasair([found, LASAIR])


def test_lasair_alert():
    alert = make.rubin_packet(make.source(61_010.1), [make.source(61_000.1, 7.0)])
    content = json.dumps(alert).encode()
    assert recognise(content).name == "lasair"
    assert read_lasair(content).flux.tolist() == [7.0, 100.0]
    assert read_lasair(content).zero_point == 31.4
    simulated = alert | {"observation_reason": "plasticc"}
    assert read_lasair(simulated).zero_point == 27.5
    assert read_lasair(simulated, zero_point=30.0).zero_point == 30.0


def test_lasair_damaged(tmp_path):
    path = tmp_path / "cut.json"
    path.write_text(json.dumps([LASAIR], indent=1)[:-40])
    with pytest.raises(LightCurveError, match=r"cut\.json is not complete JSON: .* in line"):
        read(path)
    with pytest.raises(LightCurveError, match="record 1 is a str"):
        read_lasair([LASAIR, "ZTF23aab"])


# ANTARES


def antares_table():
    return pd.DataFrame(
        {"alert_id": ["ztf_upper_limit:1", "ztf_candidate:2", "lsst:3"],
         "ant_mjd": [59_000.2, 59_001.2, 61_001.2], "ant_survey": [2, 1, 4],
         "ant_passband": ["R", "R", "r"], "ant_mag": [np.nan, 20.0, 22.0],
         "ant_magerr": [np.nan, 0.1, 0.05], "ant_maglim": [20.5, 20.6, 22.0],
         "ant_mag_corrected": [np.nan, 17.0, np.nan],
         "ant_magerr_corrected": [np.nan, 0.02, np.nan]}
    )  # fmt: skip


def test_antares_table():
    table = antares_table()
    for source in (table, table.to_csv(index=False).encode(), parquet(table)):
        assert recognise(source).name == "antares"
        with pytest.warns(LightCurveWarning, match="ztf_isdiffpos"):
            curves = read_antares(source, object_id="ANT2020abc")
        assert curves.ids.tolist() == ["ANT2020abc"]
        assert curves.band_names.tolist() == ["ztfr", "lsstr"]
        np.testing.assert_allclose(curves.flux, make.flux_of([20.0, 22.0]))
    assert read_antares(table, flux="total").flux == pytest.approx([make.flux_of(17.0)])
    signed = table.assign(
        ztf_isdiffpos=[None, "f", None], lsst_diaSource_psfFlux=[None, None, -9.0]
    )
    np.testing.assert_allclose(read_antares(signed).flux, -make.flux_of([20.0, 22.0]))
    limits = read_antares(signed, upper_limits="zero")
    assert limits.flux_err[0] == pytest.approx(make.flux_of(20.5) / 5)


def test_antares_time_series():
    series = pytest.importorskip("astropy.timeseries")
    time = pytest.importorskip("astropy.time")
    table = antares_table().assign(ztf_isdiffpos=["t", "f", "t"])
    given = series.TimeSeries(
        time=time.Time(table["ant_mjd"].to_numpy(), format="mjd"),
        data={name: table[name].to_numpy(dtype=table[name].to_numpy().dtype) for name in table
              if name != "alert_id"},
    )  # fmt: skip
    assert recognise(given).name == "antares"
    np.testing.assert_allclose(
        read(given, verbose=False).flux, [-make.flux_of(20.0), make.flux_of(22.0)]
    )


def test_antares_loci():
    alerts = [
        SimpleNamespace(alert_id="ztf_candidate:2", properties={"ztf_isdiffpos": "f"}),
        SimpleNamespace(alert_id="lsst:3", properties={"lsst_diaSource_psfFlux": -5.0}),
    ]
    loci = [
        SimpleNamespace(
            locus_id=f"ANT2020{k}", ra=10.5, dec=-20.25, lightcurve=antares_table(), alerts=alerts
        )
        for k in range(2)
    ]
    assert recognise(loci).name == recognise(loci[0]).name == "antares"
    curves = read(loci, verbose=False)
    assert curves.ids.tolist() == ["ANT20200", "ANT20201"]
    np.testing.assert_allclose(curves[1].flux, -make.flux_of([20.0, 22.0]))
    assert curves.metadata.loc["ANT20201"].to_dict() == {"ra": 10.5, "dec": -20.25}

    class Offline(SimpleNamespace):
        @property
        def alerts(self):
            raise ConnectionError("no network")

    locus = Offline(locus_id="ANT2020x", ra=1.0, dec=2.0, lightcurve=antares_table())
    with pytest.warns(LightCurveWarning, match="taken as positive"):
        assert read_antares(locus).flux.min() > 0
