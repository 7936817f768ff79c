"""Alert packets of ZTF: fluxes by hand, joined packets, and what is wrong with a file."""

import gzip
import io

import alert_packets as make
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklc.errors import LightCurveError
from sklc.io import list_formats, read, read_report, read_ztf_alerts, recognise

PACKET = make.ztf_packet(
    make.detection(59_010.0, 19.0, isdiffpos="f"),
    [
        make.detection(59_001.0, 20.0, 0.2, fid=2),
        make.non_detection(59_002.0),
        make.detection(59_003.0, 20.5),
        make.detection(59_004.0, 21.0, rb=0.2),
    ],
    [make.forced(59_000.5, -50.0), make.forced(59_003.0, 400.0, zero_point=26.5)],
)


def test_fluxes_times_and_bands():
    curves = read_ztf_alerts(make.avro([PACKET], make.ZTF_SCHEMA))
    assert curves.ids.tolist() == ["ZTF20abc"]
    np.testing.assert_allclose(curves.time, [59_000.5, 59_001.0, 59_003.0, 59_010.0], atol=1e-8)
    assert curves.band_names.tolist() == ["ztfg", "ztfr", "ztfg", "ztfg"]
    counts = 10 ** (0.4 * (27.5 - 26.0)), 10 ** (0.4 * (27.5 - 26.5))
    expected = [-50 * counts[0], make.flux_of(20.0), 400 * counts[1], -make.flux_of(19.0)]
    np.testing.assert_allclose(curves.flux, expected)
    errors = [10 * counts[0], make.flux_of(20, 0.2), 10 * counts[1], make.flux_of(19, 0.1)]
    np.testing.assert_allclose(curves.flux_err, errors)
    assert curves.zero_point == 27.5
    assert curves.metadata.loc["ZTF20abc", ["ra", "dec"]].tolist() == [10.5, -20.25]


@pytest.mark.parametrize(
    "form",
    ["path", "gzip", "paths", "bytes", "file", "folder", "list", "iterator", "frame"],
)
def test_every_form_of_source(form, tmp_path):
    other = make.ztf_packet(make.detection(59_011.0), None, None, "ZTF21xyz")
    content = make.avro([PACKET, other], make.ZTF_SCHEMA)
    path = tmp_path / "night" / "a.avro"
    path.parent.mkdir()
    path.write_bytes(content)
    zipped = tmp_path / "a.avro.gz"
    zipped.write_bytes(gzip.compress(content))
    second = tmp_path / "b.avro"
    second.write_bytes(make.avro([other], make.ZTF_SCHEMA))
    forms = {
        "path": str(path),
        "gzip": zipped,
        "paths": [path, second],
        "bytes": content,
        "file": io.BytesIO(content),
        "folder": path.parent,
        "list": [PACKET, other],
        "iterator": iter([PACKET, other]),
        "frame": pd.DataFrame([PACKET, other]),
    }
    curves = read(forms[form], verbose=False)
    assert curves.ids.tolist() == ["ZTF20abc", "ZTF21xyz"]
    assert curves.equals(read_ztf_alerts(content))


def test_archive_of_a_night(tmp_path):
    packets = [make.ztf_packet(make.detection(59_000 + k), name=f"ZTF20{k}") for k in range(5)]
    contents = {f"{k}.avro": make.avro([p], make.ZTF_SCHEMA) for k, p in enumerate(packets)}
    path = make.tar_gz(tmp_path / "ztf_public_20200601.tar.gz", contents)
    assert recognise(path).name == "ztf-alerts"
    assert read_ztf_alerts(path).equals(read_ztf_alerts(packets))
    assert read_ztf_alerts(path.read_bytes()).equals(read_ztf_alerts(packets))
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(LightCurveError, match=r"tar\.gz.*download it again"):
        read_ztf_alerts(path)


def test_packets_of_one_object_are_joined_without_counting_an_image_twice():
    later = make.ztf_packet(
        make.detection(59_012.0, 18.5),
        [make.detection(59_010.0, 19.1, isdiffpos="f"), make.detection(59_003.0, 20.5)],
        [make.forced(59_001.0, 333.0, fid=2), make.forced(59_003.0, 401.0, zero_point=26.5)],
    )
    curves = read_ztf_alerts([later, PACKET])
    assert len(curves) == 1
    np.testing.assert_allclose(
        curves.time, [59_000.5, 59_001.0, 59_003.0, 59_010.0, 59_012.0], atol=1e-8
    )
    # of what both packets hold, the later one is taken, in whatever order they come
    assert curves.flux[2] == pytest.approx(401 * 10**0.4)
    assert curves.flux[3] == pytest.approx(-make.flux_of(19.1))
    assert curves.equals(read_ztf_alerts([PACKET, later]))


@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_however_a_light_curve_is_cut_into_packets(data):
    rows = [make.detection(59_000.0 + k, 18.0 + 0.01 * k, fid=1 + k % 3) for k in range(12)]
    last = data.draw(st.lists(st.integers(0, 10), unique=True, max_size=4)) + [11]
    first = [data.draw(st.integers(0, max(0, k - 1))) for k in last]
    first[-1] = 0
    cut = [make.ztf_packet(rows[b], rows[a:b]) for a, b in zip(first, last, strict=True)]
    curves = read_ztf_alerts(data.draw(st.permutations(cut)))
    np.testing.assert_allclose(curves.flux, [make.flux_of(row["magpsf"]) for row in rows])


@pytest.mark.parametrize("positive", ["t", "1", 1, True, 1.0, "T", "true"])
@pytest.mark.parametrize("negative", ["f", "0", 0, -1, False, "-1", "F", "false"])
def test_spellings_of_the_sign(positive, negative):
    rows = (
        [make.detection(59_001.0, isdiffpos=positive)],
        [make.detection(59_002.0, isdiffpos=negative)],
    )
    packets = [make.ztf_packet(row[0], name=f"ZTF{k}") for k, row in enumerate(rows)]
    flux = [read_ztf_alerts(packet).flux[0] for packet in packets]
    np.testing.assert_allclose(flux, [1000.0, -1000.0])


def test_an_unknown_spelling_of_the_sign():
    with pytest.raises(LightCurveError, match=r"isdiffpos.*'perhaps'"):
        read_ztf_alerts(make.ztf_packet(make.detection(59_000.0, isdiffpos="perhaps")))


@pytest.mark.parametrize("counts", [-99_999.0, float("nan"), None])
def test_sentinels_of_forced_photometry_are_no_fluxes(counts):
    history = [make.forced(59_001.0, counts, -99_999.0), make.forced(59_002.0, 5.0)]
    curves = read_ztf_alerts(make.ztf_packet(make.detection(59_005.0), None, history))
    np.testing.assert_allclose(curves.time, [59_002.0, 59_005.0], atol=1e-8)


def test_upper_limits():
    report = read_report([PACKET], upper_limits="zero")
    curves = report.curves
    row = np.flatnonzero(np.isclose(curves.time, 59_002.0))[0]
    assert curves.flux[row] == 0
    assert curves.flux_err[row] == pytest.approx(make.flux_of(20.5) / 5)
    left_out = read_report([PACKET])
    assert "left out 1 of 7 rows: upper limits" in left_out.notes
    assert len(curves.time) == len(left_out.curves.time) + 1


def test_large_errors_of_magnitudes_are_told():
    packet = make.ztf_packet(make.detection(59_002.0), [make.detection(59_001.0, 20.0, 0.35)])
    assert any("1 magnitude has an error above 0.3" in n for n in read_report(packet).notes)


def test_total_flux():
    far = make.detection(59_001.0, distnr=3.0)
    packet = make.ztf_packet(make.detection(59_002.0, 19.0, isdiffpos="f"), [far])
    curves = read_ztf_alerts(packet, flux="total")
    assert curves.flux == pytest.approx([make.flux_of(18.0) - make.flux_of(19.0)])
    error = np.hypot(make.flux_of(19.0, 0.1), make.flux_of(18.0, 0.05))
    assert curves.flux_err == pytest.approx([error])
    forced_row = make.forced(59_001.5, 100.0, zero_point=27.5)
    curves = read_ztf_alerts(
        make.ztf_packet(make.detection(59_002.0), None, [forced_row]), flux="total"
    )
    assert curves.flux[0] == pytest.approx(make.flux_of(18.0) + 100)


def test_quality():
    def times(quality):
        return read_ztf_alerts(PACKET, quality=quality).time.round(4).tolist()

    assert 59_004.0 not in times("good")
    assert 59_004.0 in times("all")
    assert times(lambda table: table["rb"] < 0.5) == [59_004.0]
    warned = make.forced(59_001.0, procstatus="56")
    detected = make.detection(59_001.0, 19.5)
    packet = make.ztf_packet(make.detection(59_005.0), [detected], [warned])
    # where forced photometry cannot be used, the detection on the same image is
    assert read_ztf_alerts(packet).flux[0] == pytest.approx(make.flux_of(19.5))
    assert read_ztf_alerts(packet, quality="all").flux[0] == pytest.approx(100 * 10**0.6)


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"quality": "best"}, "quality must be"),
        ({"flux": "both"}, "flux must be"),
        ({"upper_limits": "keep"}, "upper_limits must be"),
        ({"flux": "total", "upper_limits": "zero"}, "belongs to flux"),
    ],
)
def test_options_that_do_not_exist(options, what):
    with pytest.raises(ValueError, match=what):
        read_ztf_alerts(PACKET, **options)


def test_damaged_files_name_the_file_and_the_remedy(tmp_path):
    content = make.avro([PACKET] * 50, make.ZTF_SCHEMA)
    path = tmp_path / "cut.avro"
    path.write_bytes(content[: len(content) * 2 // 3])
    with pytest.raises(LightCurveError, match=r"cut\.avro.*packet.*not complete, download"):
        read(path)
    zipped = tmp_path / "cut.avro.gz"
    zipped.write_bytes(gzip.compress(content)[:200])
    with pytest.raises(LightCurveError, match=r"cut\.avro\.gz.*download it again"):
        read(zipped)
    path.write_bytes(b"")
    with pytest.raises(LightCurveError, match=r"cut\.avro is empty"):
        read(path)


def test_packets_of_another_survey():
    rubin = make.avro([make.rubin_packet(make.source(61_000.0))], make.RUBIN_SCHEMA)
    with pytest.raises(LightCurveError, match="packet 0 has no objectId"):
        read_ztf_alerts(rubin)
    with pytest.raises(LightCurveError, match="packet 1 has no objectId"):
        read_ztf_alerts([make.avro([PACKET], make.ZTF_SCHEMA), rubin])
    with pytest.raises(LightCurveError, match="no packet has a candidate"):
        read_ztf_alerts({"objectId": "ZTF20abc", "candidate": None})
    with pytest.raises(LightCurveError, match="not a record"):
        read_ztf_alerts([PACKET, "ZTF20abc"])


def test_unknown_filter_and_mixed_types():
    with pytest.raises(LightCurveError, match=r"filter '7'.*known are"):
        read_ztf_alerts(make.ztf_packet(make.detection(59_000.0, fid=7)))
    mixed = [make.detection(59_000.0, mag="bright"), make.detection(59_001.0)]
    with pytest.raises(LightCurveError, match="'magpsf' holds values that do not go together"):
        read_ztf_alerts(make.ztf_packet(make.detection(59_002.0), mixed))


def test_nothing_that_can_be_used():
    packet = make.ztf_packet(make.detection(59_000.0, rb=0.1))
    with pytest.raises(LightCurveError, match=r"no observations.*real-bogus.*quality=\"all\""):
        read_ztf_alerts(packet)


def test_without_fastavro(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "fastavro", None)
    content = b"Obj\x01 no matter"
    with pytest.raises(ImportError, match=r'pip install "sklc\[io\]"'):
        read_ztf_alerts(content)


def test_the_format_is_listed():
    assert "ztf-alerts" in list_formats()
