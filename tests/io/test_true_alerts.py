"""True files of ZTF, Rubin and the brokers, where they are."""

import os
from pathlib import Path

import fastavro
import numpy as np
import pytest

from sklc.io import read, read_report


@pytest.fixture(scope="module")
def folder():
    given = os.environ.get("SKLC_DATA")
    if not given or not (Path(given) / "formats").is_dir():
        pytest.skip("SKLC_DATA is not set, or has no folder formats")
    return Path(given) / "formats"


@pytest.mark.parametrize(
    ("file", "name", "objects", "rows", "zero_point"),
    [
        ("ztf_alert_2019.avro", "ztf-alerts", 1, 23, 27.5),
        ("rubin_alerts_2026.avro", "rubin-alerts", 5, 2690, 31.4),
        ("lsst_fakeAlert_11_0.avro", "rubin-alerts", 1, 3, 31.4),
        ("fink_datatest_3.parquet", "fink", 52, 508, 27.5),
        ("fink_rubin_sample_10_0.parquet", "fink", 22, 62, 31.4),
        ("fink_elasticc_sample_seed0.parquet", "fink", 89, 4568, 27.5),
        ("alerce_elasticc_lc_chunk.parquet", "alerce-elasticc", 10, 1521, 27.5),
        ("lasair_alert_10.json", "lasair", 1, 32, 27.5),
    ],
)
def test_true_files(folder, file, name, objects, rows, zero_point):
    report = read_report(folder / file, quality="all")
    assert report.format.name == name
    assert (len(report.curves), len(report.curves.time)) == (objects, rows)
    assert report.curves.zero_point == zero_point
    assert read(folder / file, verbose=False).flux_err.min() > 0


def test_a_true_packet_of_ztf_value_by_value(folder):
    with (folder / "ztf_alert_2019.avro").open("rb") as file:
        packet = next(fastavro.reader(file))
    rows = [r for r in [*packet["prv_candidates"], packet["candidate"]] if r["magpsf"] is not None]
    curves = read(folder / "ztf_alert_2019.avro", quality="all", verbose=False)
    sign = [1 if row["isdiffpos"] in ("t", "1") else -1 for row in rows]
    expected = [s * 10 ** (-0.4 * (r["magpsf"] - 27.5)) for s, r in zip(sign, rows, strict=True)]
    np.testing.assert_allclose(curves.flux, expected)
    np.testing.assert_allclose(curves.time, [row["jd"] - 2_400_000.5 for row in rows])


def test_true_packets_of_rubin_value_by_value(folder):
    with (folder / "rubin_alerts_2026.avro").open("rb") as file:
        packets = [p for p in fastavro.reader(file) if p["diaSource"]["diaObjectId"]]
    curves = read(folder / "rubin_alerts_2026.avro", quality="all", verbose=False)
    for packet in packets:
        rows = {(r["visit"], r["detector"]): r for r in packet["prvDiaForcedSources"]}
        for row in [packet["diaSource"], *packet["prvDiaSources"]]:
            rows.setdefault((row["visit"], row["detector"]), row)
        ordered = sorted(rows.values(), key=lambda row: row["midpointMjdTai"])
        one = curves[curves.ids.tolist().index(packet["diaSource"]["diaObjectId"])]
        np.testing.assert_array_equal(one.flux, [row["psfFlux"] for row in ordered])
        assert one.band_names.tolist() == [f"lsst{row['band']}" for row in ordered]


def test_true_detections_of_alerce(folder):
    with pytest.warns(UserWarning, match="repeated observations"):  # the sample repeats them
        curves = read(folder / "alerce_detections_sample.parquet", verbose=False, quality="all")
    assert len(curves) == 10
    assert set(curves.band_names) == {"ztfg", "ztfr"}
    assert curves.flux.min() < 0 < curves.flux.max()
    metadata = folder / "alerce_elasticc_metadata_chunk.parquet"
    chunk = read(folder / "alerce_elasticc_lc_chunk.parquet", metadata=metadata, verbose=False)
    assert chunk.metadata["redshift"].between(0, 4).all()
    assert chunk.metadata["mwebv"].between(0, 3).all()
