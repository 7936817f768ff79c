"""One row per object: HATS catalogues, LSDB, nested Parquet; and reading in batches."""

import io as buffers
import os
from pathlib import Path

import nested_pandas as npd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sklc import LightCurves, concatenate, io, stream
from sklc.errors import LightCurveError, LightCurveWarning
from sklc.io.registry import FORMATS

BIG = 2**60
IDS = [BIG + 1, BIG + 2, BIG + 3]
TIMES = [[59000.0, 59001.0], [59002.0], []]
FLUX = [[310.0, 290.0], [120.0], []]


def read(source, **options):
    return io.read(source, verbose=False, **options)


def structs(flags=None, flux="psfDiffFlux"):
    """Return a catalogue as LSDB writes it: a struct of lists."""
    n = [len(t) for t in TIMES]
    fields = {
        "midpointMjdTai": TIMES,
        flux: FLUX,
        f"{flux}Err": [[9.0] * k for k in n],
        "psfFlux": [[1000.0] * k for k in n],
        "band": [["g", "r"], ["g"], []],
        "psfDiffFlux_flag": flags or [[False] * k for k in n],
    }
    kinds = {name: pa.array(values) for name, values in fields.items()}
    nested = pa.StructArray.from_arrays(list(kinds.values()), list(kinds))
    return pa.table({
        "diaObjectId": IDS, "ra": [1.0, 2.0, 3.0], "dec": [-1.0, -2.0, -3.0],
        "diaObjectForcedSource": nested, "_healpix_29": [77, 77, 78],
    })  # fmt: skip


def lists_of_structs():
    rows = [
        [
            {"mjd": t, "flux": f, "flux_err": 9.0, "band": "lsstg"}
            for t, f in zip(ts, fs, strict=True)
        ]
        for ts, fs in zip(TIMES, FLUX, strict=True)
    ]
    return pa.table({"diaObjectId": IDS, "redshift": [0.1, 0.2, 0.3], "lc": rows})


def plain_lists():
    return pa.table({"diaObjectId": IDS, "mjd": TIMES, "flux": FLUX, "band": ["g", "r", "g"]})


def written(table):
    file = buffers.BytesIO()
    pq.write_table(table, file)
    return file.getvalue()


@pytest.mark.parametrize("make", [structs, lists_of_structs, plain_lists])
@pytest.mark.parametrize("form", ["bytes", "path", "arrow", "pandas", "nested"])
def test_forms(make, form, tmp_path):
    table = make()
    path = tmp_path / "x.parquet"
    pq.write_table(table, path)
    if form == "nested" and make is plain_lists:
        frame = npd.NestedFrame(table.drop(["band"]).to_pandas())
        source = frame.nest_lists(["mjd", "flux"], name="lc").assign(band=["g", "r", "g"])
    elif form == "nested":
        source = npd.read_parquet(path)
    else:
        source = {
            "bytes": written(table),
            "path": path,
            "arrow": table,
            "pandas": table.to_pandas(),
        }[form]
    report = io.read_report(source, survey="lsst")
    assert report.format.name == "hats"
    curves = report.curves
    assert curves.ids.tolist() == IDS[:2]
    assert curves.lengths.tolist() == [2, 1]
    assert curves.flux.tolist() == [310, 290, 120]
    assert curves.time.tolist() == [59000, 59001, 59002]
    assert any("left out 1 of 3 objects" in note for note in report.notes)


def test_rubin_forced_photometry():
    curves = read(structs(), survey="lsst")
    assert curves.zero_point == 31.4
    assert curves.band_names.tolist() == ["lsstg", "lsstr", "lsstg"]
    assert curves.metadata.loc[IDS[1], ["ra", "dec"]].tolist() == [2.0, -2.0]
    assert "_healpix_29" not in curves.metadata
    flagged = structs(flags=[[True, False], [None], []])
    assert read(flagged, survey="lsst").flux.tolist() == [290, 120]
    assert read(flagged, survey="lsst", quality="all").flux.tolist() == [310, 290, 120]
    total = read(structs(), survey="lsst", flux="psfFlux")
    assert total.flux.tolist() == [1000, 1000, 1000]
    assert any("psfFlux" in note for note in io.read_report(structs(), survey="lsst").notes)


def test_one_band_per_object():
    curves = read(plain_lists(), survey="ztf")
    assert curves.band_names.tolist() == ["ztfg", "ztfg", "ztfr"]


def test_faults_of_nested_tables():
    with pytest.raises(LightCurveError, match="no column of object ids"):
        read(structs().drop(["diaObjectId"]), survey="lsst")
    with pytest.raises(LightCurveError, match="'lc' is not a nested column"):
        read(structs(), column="lc")
    uneven = pa.table({"objectId": [1, 2], "mjd": [[1.0], [1.0, 2.0]], "flux": [[1.0], [1.0]]})
    with pytest.raises(LightCurveError, match="of row 1 have different lengths: 2 and 1"):
        read(uneven, passband="ztfg")
    two = lists_of_structs().append_column("other", lists_of_structs()["lc"])
    with pytest.raises(LightCurveError, match=r"pass column= one of \['lc', 'other'\]"):
        read(two)
    assert read(two, column="other").lengths.tolist() == [2, 1]
    content = written(structs())
    with pytest.raises(LightCurveError, match="not a complete Parquet file"):
        read(content[:-20])


def catalogue(folder: Path, collection: bool) -> Path:
    """Write the folder of a HATS catalogue with two pixels."""
    root = folder / "main" if collection else folder
    (root / "dataset" / "Norder=0" / "Dir=0").mkdir(parents=True)
    (root / "hats.properties").write_text("obs_collection=small\n")
    pq.write_table(structs()[:1], root / "dataset" / "Norder=0" / "Dir=0" / "Npix=1.parquet")
    pq.write_table(structs()[1:], root / "dataset" / "Norder=0" / "Dir=0" / "Npix=2.parquet")
    (root / "dataset" / "_metadata").write_bytes(b"not read")
    (root / "partition_info.csv").write_text("Norder,Npix\n0,1\n")
    if collection:
        text = "#HATS Collection\nhats_primary_table_url=main\n"
        (folder / "collection.properties").write_text(text)
        (folder / "main_margin").mkdir()
        (folder / "main_margin" / "hats.properties").write_text("")
    return folder


@pytest.mark.parametrize("collection", [False, True])
def test_catalogues(tmp_path, collection):
    folder = catalogue(tmp_path, collection)
    curves = read(folder, survey="lsst")
    assert curves.ids.tolist() == IDS[:2]
    parts = list(io.read_batches(folder, survey="lsst"))
    assert [part.ids.tolist() for part in parts] == [[IDS[0]], [IDS[1]]]


class Catalog:
    """What LSDB returns, as far as the reader looks at it."""

    npartitions = 2

    @property
    def partitions(self):
        return [Part(structs()[:1]), Part(structs()[1:])]

    def compute(self):
        return Part(structs()).compute()


class Part:
    def __init__(self, table):
        self.table = table

    def compute(self):
        return npd.read_parquet(buffers.BytesIO(written(self.table)))


Catalog.__module__ = "lsdb.catalog.catalog"


def test_lsdb():
    assert read(Catalog(), survey="lsst").ids.tolist() == IDS[:2]
    assert [len(part) for part in io.read_batches(Catalog(), survey="lsst")] == [1, 1]


# Batches


def long_table(n_objects=7, n_rows=3):
    rng = np.random.default_rng(0)
    n = n_objects * n_rows
    return pd.DataFrame({
        "object_id": np.repeat(np.arange(n_objects) + BIG, n_rows),
        "mjd": np.tile(np.arange(n_rows) + 59000.0, n_objects),
        "flux": rng.normal(100, 50, n),
        "flux_err": 5.0,
        "band": "ztfg",
    })  # fmt: skip


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("chunksize", [4, 9, 100])
def test_sorted_tables_are_streamed(kind, chunksize, tmp_path):
    path = tmp_path / f"x.{kind}"
    frame = long_table()
    frame.to_csv(path, index=False) if kind == "csv" else frame.to_parquet(path)
    parts = list(io.read_batches(path, n_objects=2, chunksize=chunksize))
    assert max(map(len, parts)) <= 2
    assert concatenate(parts).equals(read(path))


def test_unsorted_tables_are_refused(tmp_path):
    path = tmp_path / "x.csv"
    long_table().sort_values("mjd").to_csv(path, index=False)
    with pytest.raises(LightCurveError, match=rf"not sorted by object: {BIG + 1} has"):
        list(io.read_batches(path, n_objects=2, chunksize=8))
    parts = list(io.read_batches(path, n_objects=4))  # small enough to be sorted
    assert [len(part) for part in parts] == [4, 3]


def test_parts_without_observations_are_passed_over(tmp_path):
    path = tmp_path / "x.csv"
    frame = long_table()
    frame.loc[frame["object_id"] == BIG + 1, "flux"] = np.nan
    frame.to_csv(path, index=False)
    parts = list(io.read_batches(path, n_objects=1, chunksize=6))
    assert [part.ids[0] for part in parts] == [BIG + k for k in (0, 2, 3, 4, 5, 6)]


def test_other_formats_are_read_and_divided(tmp_path):
    parts = list(io.read_batches(long_table(), n_objects=3))
    assert [len(part) for part in parts] == [3, 3, 1]
    curves = read(long_table())
    curves.to_parquet(tmp_path / "own")
    assert io.recognise(tmp_path / "own").name == "sklc-parquet"
    assert read(tmp_path / "own").equals(curves)
    own = list(io.read_batches(tmp_path / "own", n_objects=4))
    assert [len(part) for part in own] == [4, 3]
    for n_objects in (0, -1, 1.5, True):
        with pytest.raises(ValueError, match="n_objects must be a positive integer"):
            io.read_batches(long_table(), n_objects=n_objects)


def test_parts_of_a_simulation(tmp_path):
    curves = read(long_table())
    curves[:3].to_parquet(tmp_path / "part-0000")
    curves[3:].to_parquet(tmp_path / "part-0001")
    assert read(tmp_path).equals(curves)
    assert [len(part) for part in io.read_batches(tmp_path, n_objects=10)] == [3, 4]


def test_stream_of_batches(tmp_path):
    path = tmp_path / "x.csv"
    long_table().to_csv(path, index=False)
    results = list(stream(lambda part: part.lengths, io.read_batches(path, n_objects=3)))
    assert np.concatenate([ids for ids, _ in results]).tolist() == [BIG + k for k in range(7)]
    assert np.concatenate([lengths for _, lengths in results]).tolist() == [3] * 7


def test_alerts_are_read_some_at_a_time():
    fastavro = pytest.importorskip("fastavro", reason="pip install 'sklc[io]'")
    fields = [{"name": "objectId", "type": "string"}, {"name": "jd", "type": "double"}]
    schema = {"type": "record", "name": "alert", "fields": fields}
    file = buffers.BytesIO()
    fastavro.writer(file, schema, [{"objectId": i, "jd": float(k)} for k, i in enumerate("abcad")])

    def read_packets(source):
        table = source.frame() if isinstance(source, io.Source) else pd.DataFrame(source)
        return LightCurves.from_arrays(
            table["jd"], np.ones(len(table)), band="ztfg", object_id=table["objectId"]
        )

    own = io.Format(
        "packets", "Packets", "flux", lambda source: source.kind == "avro", read_packets
    )
    io.register_format(own)
    try:
        with pytest.warns(
            LightCurveWarning, match="1 object is in more than one part, such as 'a'"
        ):
            parts = list(io.read_batches(file.getvalue(), n_objects=2))
        assert [part.ids.tolist() for part in parts] == [["a", "b"], ["c", "a"], ["d"]]
        with pytest.raises(LightCurveError, match="damaged or truncated"):
            list(io.read_batches(file.getvalue()[:-5], n_objects=2))
    finally:
        FORMATS.unregister("packets")


# True files of public services


@pytest.fixture
def true_files():
    folder = Path(os.environ.get("SKLC_DATA", "")) / "formats"
    if not os.environ.get("SKLC_DATA") or not folder.is_dir():
        pytest.skip("SKLC_DATA names no folder with formats/, the true files of public services")
    return folder


@pytest.mark.parametrize(
    ("name", "format", "options", "n_objects", "n_obs", "bands"),
    [
        ("kplr001026032_llc.fits", "kepler", {}, 1, 4441, {"kepler"}),
        ("SN2016bkv.txt", "long-table", {}, 1, 752, None),
        ("lsdb_small_sky_nested_44.parquet", "hats", {"survey": "lsst"}, 42, 5502,
         {f"lsst{b}" for b in "ugrizy"}),
    ],
)  # fmt: skip
def test_true_files(true_files, name, format, options, n_objects, n_obs, bands):
    path = true_files / name
    report = io.read_report(path, **options)
    assert report.format.name == format
    curves = report.curves
    assert (len(curves), len(curves.time)) == (n_objects, n_obs)
    assert bands is None or {p.name for p in curves.passbands} == bands
    assert curves.time.min() > 50000
    assert 0.3 < curves.wavelength.min() < curves.wavelength.max() + 1e-9 < 1.0
    assert io.read_report(path.read_bytes(), **options).curves.flux.tolist() == curves.flux.tolist()


def test_true_kepler_star_has_its_magnitude(true_files):
    curves = read(true_files / "kplr001026032_llc.fits")
    magnitude = curves.zero_point - 2.5 * np.log10(np.median(curves.flux))
    assert magnitude == pytest.approx(curves.metadata["magnitude"].iloc[0], abs=0.1)


@pytest.mark.filterwarnings("ignore:all fluxes lie between")  # a true flux of 20 mJy
def test_true_asassn_star(true_files):
    report = io.read_report(true_files / "skypatrol_vxmen.csv")
    assert report.format.name == "asassn"
    curves = report.curves
    assert curves.ids.tolist() == [12702]
    assert len(curves.time) == 1065
    table = pd.read_csv(true_files / "skypatrol_vxmen.csv", comment="#").sort_values("jd")
    magnitude = curves.zero_point - 2.5 * np.log10(curves.flux)
    assert magnitude == pytest.approx(table["mag"].to_numpy(), abs=1e-3)
