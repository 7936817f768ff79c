"""Alert packets of Rubin: schemas old and new, the wire, exact ids, and which rows are taken."""

import json

import alert_packets as make
import numpy as np
import pytest

from sklc.errors import LightCurveError
from sklc.io import read, read_report, read_rubin_alerts, recognise

PACKET = make.rubin_packet(
    make.source(61_010.1, 120.0),
    [make.source(61_000.1, 100.0), make.source(61_005.1, -60.0, band="z")],
    [make.forced_source(61_000.1, 95.0), make.forced_source(61_002.1, -3.0, band="g")],
)


def test_fluxes_times_bands_and_the_exact_id():
    content = make.avro([PACKET], make.RUBIN_SCHEMA)
    assert recognise(content).name == "rubin-alerts"
    curves = read(content, verbose=False)
    assert curves.ids.dtype == np.int64
    assert curves.ids.tolist() == [make.OBJECT]
    assert curves.zero_point == 31.4
    assert curves.time.tolist() == [61_000.1, 61_002.1, 61_005.1, 61_010.1]
    assert curves.flux.tolist() == [95.0, -3.0, -60.0, 120.0]  # forced photometry first
    assert curves.flux_err.tolist() == [4.0, 4.0, 5.0, 5.0]
    assert curves.band_names.tolist() == ["lsstr", "lsstg", "lsstz", "lsstr"]
    assert curves.metadata.loc[make.OBJECT].to_dict() == {"ra": 10.5, "dec": -20.25}


def test_total_flux():
    curves = read_rubin_alerts(PACKET, flux="total")
    assert curves.flux.tolist() == [1095.0, 997.0, 940.0, 1120.0]
    assert set(curves.flux_err) == {6.0}


def test_the_object_of_a_packet_whose_source_does_not_name_it():
    packet = make.rubin_packet(make.source(61_000.1, diaObjectId=None))
    assert read_rubin_alerts(make.avro([packet], make.RUBIN_SCHEMA)).ids.tolist() == [make.OBJECT]


def test_several_packets_of_an_object_and_of_others():
    later = make.rubin_packet(
        make.source(61_020.1, 150.0),
        [make.source(61_010.1, 121.0), make.source(61_005.1, -61.0, band="z")],
        [make.forced_source(61_010.1, 118.0), make.forced_source(61_002.1, -4.0, band="g")],
    )
    other = make.rubin_packet(
        make.source(61_020.1, diaObjectId=make.OBJECT + 1), name=make.OBJECT + 1
    )
    curves = read_rubin_alerts([later, other, PACKET])
    assert sorted(curves.ids) == [make.OBJECT, make.OBJECT + 1]
    one = curves[curves.ids.tolist().index(make.OBJECT)]
    assert one.time.tolist() == [61_000.1, 61_002.1, 61_005.1, 61_010.1, 61_020.1]
    assert one.flux.tolist() == [95.0, -4.0, -61.0, 118.0, 150.0]


def test_images_are_told_apart_by_visit_and_detector():
    # one visit, two detectors: two measurements
    two = [make.source(61_000.1, 10.0, visit=7, detector=1)]
    now = make.source(61_000.1, 11.0, visit=7, detector=2)
    assert read_rubin_alerts(make.rubin_packet(now, two)).flux.tolist() == [10.0, 11.0]
    # one number for all visits is a placeholder: then the time tells
    rows = [make.source(61_000.1 + k, 10.0 + k, visit=1234, detector=0) for k in range(4)]
    assert read_rubin_alerts(make.rubin_packet(rows[3], rows[:3])).flux.tolist() == [10, 11, 12, 13]


@pytest.mark.parametrize("empty", [None, 0])
def test_moving_objects_are_told(empty):
    asteroid = make.rubin_packet(
        make.source(61_000.1, diaObjectId=empty, ssObjectId=21163611661088578), name=None
    )
    report = read_report(make.avro([asteroid, PACKET], make.RUBIN_SCHEMA))
    assert len(report.curves) == 1
    assert any("left out 1 of 2 packets: Solar System" in note for note in report.notes)
    with pytest.raises(LightCurveError, match="Solar System objects, which have no light curve"):
        read_rubin_alerts([asteroid])


def test_flags():
    def times(quality, **fields):
        flagged = make.source(61_001.1, **fields)
        packet = make.rubin_packet(make.source(61_010.1), [flagged])
        return read_rubin_alerts(packet, quality=quality).time.tolist()

    for bad in ({"psfFlux_flag": True}, {"pixelFlags_saturatedCenter": True},
                {"timeWithdrawnMjdTai": 61_002.0}):  # fmt: skip
        assert times("good", **bad) == [61_010.1]
        assert times("all", **bad) == [61_001.1, 61_010.1]
    # not measured is not bad, and a time of 0 is a placeholder
    assert len(times("good", psfFlux_flag=None, timeWithdrawnMjdTai=0.0)) == 2
    for bad in ({"psfFlux": None}, {"psfFluxErr": None}, {"psfFlux": float("nan")}):
        assert times("all", **bad) == [61_010.1]
    chosen = times(lambda table: table["reliability"] > 0.5, reliability=0.9)
    assert chosen == [61_001.1]


def test_a_function_for_quality_gets_all_columns_and_must_return_one_value_per_row():
    seen = {}

    def keep(table):
        seen.update(table.dtypes)
        return table["forced"] | (table["diaSourceId"] == 61_005_100)

    curves = read_rubin_alerts(PACKET, quality=keep)
    assert curves.flux.tolist() == [95.0, -3.0, -60.0]
    assert {"visit", "reliability", "forced", "diaForcedSourceId"} <= set(seen)
    with pytest.raises(ValueError, match="quality returned shape"):
        read_rubin_alerts(PACKET, quality=lambda table: [True])


def test_packets_from_the_wire(tmp_path):
    other = make.rubin_packet(make.source(61_011.1, diaObjectId=5), name=5)
    wire = [make.on_the_wire(packet, make.RUBIN_SCHEMA) for packet in (PACKET, other)]
    assert recognise(wire[0]).name == "rubin-alerts"
    schema = tmp_path / "lsst.v10_0.alert.avsc"
    schema.write_text(json.dumps(make.RUBIN_SCHEMA))
    registry = {"schema": json.dumps(make.RUBIN_SCHEMA), "id": 1000}
    expected = read_rubin_alerts([PACKET, other])
    for given in (schema, str(schema), make.RUBIN_SCHEMA, json.dumps(make.RUBIN_SCHEMA), registry):
        assert read(wire, verbose=False, schema=given).equals(expected)
    assert read_rubin_alerts(wire[0][5:], schema=schema).equals(expected[:1])
    with pytest.raises(LightCurveError, match=r"schema number 1000\. Pass schema= the path"):
        read(wire[0])
    with pytest.raises(FileNotFoundError, match=r"the schema .*nowhere"):
        read_rubin_alerts(wire[0], schema="nowhere.avsc")
    with pytest.raises(LightCurveError, match="the schema is of another version"):
        read_rubin_alerts(wire[0], schema=make.ZTF_SCHEMA)


def test_elasticc():
    content = make.avro([make.elasticc_packet()], make.ELASTICC_SCHEMA)
    assert recognise(content).name == "rubin-alerts"
    report = read_report(content)
    curves = report.curves
    assert curves.zero_point == 27.5
    assert curves.time.tolist() == [61_000.25, 61_005.25, 61_010.25, 61_020.25]
    assert curves.flux.tolist() == [-20.0, 700.0, 750.0, 900.0]
    assert curves.band_names.tolist() == ["lsstg", "lssty", "lsstg", "lsstg"]
    about = curves.metadata.loc[11901802]
    assert about.to_dict() == {"ra": 182.3, "dec": -43.5, "redshift": 0.5, "mwebv": 0.125}
    assert any("zero point 27.5" in note for note in report.notes)
    assert read_rubin_alerts(content, zero_point=31.4).zero_point == 31.4


def test_the_older_schema_of_the_project_itself_is_in_nanojansky():
    packet = make.elasticc_packet()
    for name in ("mwebv", "z_final", "hostgal_ellipticity"):
        del packet["diaObject"][name]
    assert read_rubin_alerts(packet).zero_point == 31.4


def test_a_sentinel_is_no_redshift():
    packet = make.elasticc_packet()
    packet["diaObject"] |= {"z_final": -9.0, "mwebv": -9999.0}
    assert list(read_rubin_alerts(packet).metadata) == ["ra", "dec"]


def test_packets_of_two_surveys_do_not_mix():
    with pytest.raises(LightCurveError, match="the packet has no diaSource"):
        read_rubin_alerts({"diaObject": {"diaObjectId": 5}})
    with pytest.raises(LightCurveError, match="packets of ZTF are among"):
        read_rubin_alerts([PACKET, make.ztf_packet(make.detection(59_000.0))])
    with pytest.raises(LightCurveError, match=r"filter 'w'.*known are"):
        read_rubin_alerts(make.rubin_packet(make.source(61_000.0, band="w")))
    with pytest.raises(LightCurveError, match="has no time or band"):
        read_rubin_alerts(make.rubin_packet(make.source(61_000.0, band=None)))
