"""Tables of any spelling: text, CSV, Parquet, astropy, records; and what is wrong with them."""

import bz2
import gzip
import lzma

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from astropy import units as u
from astropy.table import MaskedColumn, QTable, Table
from astropy.time import Time
from astropy.timeseries import TimeSeries
from hypothesis import given, settings
from hypothesis import strategies as st

from sklc import io
from sklc.errors import LightCurveError, UnknownPassbandError
from sklc.io.columns import identify
from sklc.io.text import layout_of
from sklc.io.vega import ab_minus_vega, uses_vega
from sklc.passbands import Passband, get_passband

BIG = 2**60 + 1
ROWS = [(BIG, 59000.5, 310.0, 9.0, "ztfr"), (BIG, 59001.5, 250.0, 8.0, "ztfg")]
FRAME = pd.DataFrame(ROWS, columns=["object_id", "mjd", "flux", "flux_err", "band"])


def read(source, **options):
    return io.read(source, verbose=False, **options)


def vega(band):
    return ab_minus_vega(get_passband(band))


def flux_of(mag):
    return 10 ** (-0.4 * (mag - 27.5))


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ("objectId MJD Flux Flux_Error Filter", "objectId MJD Flux Flux_Error Filter"),
        ("name JD psfFlux psfFluxErr filterName", "name JD psfFlux psfFluxErr filterName"),
        ("oid midpointMjdTai psfDiffFlux psfDiffFluxErr psfFlux band",
         "oid midpointMjdTai psfDiffFlux psfDiffFluxErr band"),
        ("SNID hmjd FLUXCAL FLUXCALERR FLT", "SNID hmjd FLUXCAL FLUXCALERR FLT"),
        ("object t uJy duJy F band", "object t uJy duJy band"),
        ("id BTJD flux_ujy e_flux_ujy passband", "id BTJD flux_ujy e_flux_ujy passband"),
        ("sn mjd flux_mJy fluxerr_mJy phot_filter", "sn mjd flux_mJy fluxerr_mJy phot_filter"),
    ],
)  # fmt: skip
def test_columns_of_fluxes_are_found(names, found):
    own = identify(names.split())
    assert [own.object_id, own.time, own.flux, own.flux_err, own.band] == found.split()


@pytest.mark.parametrize(
    ("names", "mag", "error"),
    [
        ("time mag mag_err band", "mag", "mag_err"),
        ("time Magnitude e_magnitude band", "Magnitude", "e_magnitude"),
        ("MJD mag dmag filter", "mag", "dmag"),
        ("jd magpsf sigmapsf fid", "magpsf", "sigmapsf"),
        ("jd m dm F", "m", "dm"),
        ("mjd mag flux", "mag", None),
    ],
)
def test_columns_of_magnitudes_are_found(names, mag, error):
    own = identify(names.split())
    assert (own.mag, own.mag_err) == (mag, error)


@pytest.mark.parametrize(
    "write",
    [
        lambda f: f.to_csv(index=False),
        lambda f: f.to_csv(index=False, sep="\t"),
        lambda f: f.to_csv(index=False, sep=";", decimal=","),
        lambda f: f.to_csv(index=False, sep="|"),
        lambda f: f.to_string(index=False),
        lambda f: "# a comment\n\n" + f.to_csv(index=False),
        lambda f: "#" + f.to_csv(index=False, sep=" "),
        lambda f: "\ufeff" + f.to_csv(index=False).replace(",", ", "),
        lambda f: f.to_csv(index=False).replace("\n", "\r\n"),
    ],
    ids=["csv", "tab", "semicolon", "bar", "blanks", "comment", "commented-header", "bom", "crlf"],
)
@pytest.mark.parametrize("compress", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_text_layouts(write, compress, tmp_path):
    content = compress(write(FRAME).encode())
    curves = read(content)
    assert curves.ids.tolist() == [BIG]
    assert curves.flux.tolist() == [310, 250]
    assert curves.flux_err.tolist() == [9, 8]
    path = tmp_path / "x.txt"
    path.write_bytes(content)
    assert read(path).equals(curves)
    assert read(path.open("rb")).equals(curves)


@pytest.mark.parametrize(
    "make",
    [
        lambda f: f,
        lambda f: f.set_index("object_id").reset_index(),
        pl.from_pandas,
        pa.Table.from_pandas,
        lambda f: f.to_records(index=False),
        lambda f: f.to_dict("list"),
        lambda f: f.to_dict("records"),
        Table.from_pandas,
        lambda f: QTable(Table.from_pandas(f)),
        lambda f: Table.from_pandas(f).as_array().astype([(n, d.newbyteorder(">") if d.kind in "if"
                  else d) for n, (d, _) in Table.from_pandas(f).as_array().dtype.fields.items()]),
    ],
    ids=["pandas", "index", "polars", "arrow", "records", "dict", "list", "table", "qtable", "big"],
)  # fmt: skip
def test_tables_in_memory(make):
    curves = read(make(FRAME))
    assert curves.ids.tolist() == [BIG]
    assert curves.flux.tolist() == [310, 250]


def test_parquet_and_several_files(tmp_path):
    FRAME.to_parquet(tmp_path / "a.parquet")
    FRAME.assign(object_id=BIG + 2, extra=1).to_parquet(tmp_path / "b.parquet")
    assert read(tmp_path / "a.parquet").ids.tolist() == [BIG]
    both = read(sorted(tmp_path.iterdir()))
    assert both.ids.tolist() == [BIG, BIG + 2]
    for name in ("x", "y"):
        FRAME.drop(columns="object_id").to_csv(tmp_path / f"{name}.csv", index=False)
    assert read(sorted(tmp_path.glob("*.csv"))).ids.tolist() == ["x", "y"]  # named after the files


def test_ids_are_exact():
    text = FRAME.to_csv(index=False).replace(str(BIG), "0007")
    assert read(text.encode()).ids.tolist() == ["0007"]
    missing = FRAME.to_csv(index=False).replace(str(BIG), "", 1).encode()
    with pytest.raises(LightCurveError, match=r"object_id\) is missing in row 1"):
        read(missing)
    numbered = FRAME.drop(columns="object_id").assign(id=[1, 2])
    with pytest.raises(LightCurveError, match="each row has an id of its own"):
        read(numbered)
    assert read(numbered, object_id="id").ids.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("name", "values", "mjd"),
    [
        ("JD", [2459000.75, 2459001.0], 59000.25),
        ("HJD-2450000", [9000.75, 9001.0], 59000.25),
        ("BTJD", [1000.5, 1001.0], 58000.0),
        ("BKJD", [100.5, 101.0], 54933.0),
        ("time", [2459000.75, 2459001.0], 59000.25),
        ("date", ["2020-05-31T06:00:00", "2020-06-01T06:00:00"], 59000.25),
        ("obs_date", pd.to_datetime(["2020-05-31T06:00:00", "2020-06-01T00:00:00"]), 59000.25),
    ],
)
def test_times_become_mjd(name, values, mjd):
    frame = FRAME.drop(columns="mjd")
    frame[name] = values
    assert read(frame).time[0] == pytest.approx(mjd, abs=1e-6)


def test_times_that_cannot_be_used():
    with pytest.raises(LightCurveError, match="Julian dates and others: 59000"):
        read(FRAME.assign(mjd=[59000.0, 2459001.5]))
    with pytest.raises(LightCurveError, match="single precision"):
        read(FRAME.assign(mjd=np.array([2459000.5, 2459001.5], dtype=np.float32)))


@pytest.mark.parametrize(
    ("flux", "zero_point"),
    [("flux (mJy)", 16.4), ("flux_nJy", 31.4), ("uJy", 23.9), ("psfFlux", 31.4), ("flux", 27.5),
     ("flux[Jy]", 8.9)],
)  # fmt: skip
def test_zero_points_of_units(flux, zero_point):
    frame = FRAME.rename(columns={"flux": flux})
    report = io.read_report(frame)
    assert report.curves.zero_point == zero_point
    assert any("27.5 was assumed" in note for note in report.notes) == (flux == "flux")
    assert read(frame, zero_point=25.0).zero_point == 25


def test_zero_points_of_rows():
    curves = read(FRAME.assign(zp=[25.0, 27.5]))
    assert curves.flux.tolist() == [3100, 250]
    for bad in (0.0, 99.0, -99.0, np.nan):
        with pytest.raises(LightCurveError, match=r"zero point \(zp\).*in row 2"):
            read(FRAME.assign(zp=[25.0, bad]))
    with pytest.raises(LightCurveError, match=r"system \['vega'\]"):
        read(FRAME.assign(zp=25.0, zpsys="vega"), format="long-table")
    with pytest.raises(LightCurveError, match="different units"):
        read(FRAME.rename(columns={"flux": "flux_uJy", "flux_err": "flux_err_mJy"}))
    with pytest.raises(LightCurveError, match="zero_point must be"):
        read(FRAME, zero_point=99)


MAGNITUDES = pd.DataFrame({
    "mjd": [59000.0, 59001.0, 59002.0, 59003.0, 59004.0],
    "mag": ["17.5", ">18.0", "99.0", "18.5", ""],
    "mag_err": [0.1, 0.0, 99.0, 0.2, 0.1],
    "filter": ["bessellv", "bessellv", "ztfg", "ztfg", "ztfg"],
})  # fmt: skip


def test_magnitudes_limits_and_sentinels():
    report = io.read_report(MAGNITUDES.to_csv(index=False).encode())
    curves = report.curves
    assert curves.time.tolist() == [59000.0, 59003.0]
    assert curves.flux.tolist() == pytest.approx([flux_of(17.5 + vega("bessellv")), flux_of(18.5)])
    assert (curves.flux_err / curves.flux).tolist() == pytest.approx(
        [0.0921034, 0.1842068], rel=1e-5
    )
    text = " | ".join(report.notes)
    assert "upper limits" in text
    assert "bessellv were taken for Vega" in text
    ab = read(MAGNITUDES, system="AB")
    assert ab.flux[0] == pytest.approx(flux_of(17.5))
    with pytest.raises(LightCurveError, match="system must be"):
        read(MAGNITUDES, system="ST")


def test_systems_and_signs_by_row():
    frame = MAGNITUDES.assign(
        mag=17.5, mag_err=0.1, magsys=["Vega", "AB", "AB", "AB", "AB"], isdiffpos=[*"ttft", "1"]
    )
    curves = read(frame)
    expected = [
        flux_of(17.5 + vega("bessellv")),
        flux_of(17.5),
        -flux_of(17.5),
        flux_of(17.5),
        flux_of(17.5),
    ]
    assert curves.flux.tolist() == pytest.approx(expected)
    with pytest.raises(LightCurveError, match=r"'ST' in row 2"):
        read(frame.assign(magsys=["Vega", "ST", "AB", "AB", "AB"]))


RULED = """         MJD     mag   dmag filter      source nondet
------------ ------- ------ ------ ----------- ------
   57468.703   17.53   0.16      0     Itagaki  False
  57470.3372 14.9383  0.012      U Las Cumbres  False
  57470.3380 14.8000  0.012      r Las Cumbres  False
  57471.3380 14.7000  0.012      R         TNT  False
  57472.3380 19.7000  0.012      R         TNT   True
"""


def test_a_table_of_many_telescopes(tmp_path):
    path = tmp_path / "SN2016xyz.txt"
    path.write_text(RULED)
    report = io.read_report(path)
    curves = report.curves
    assert curves.ids.tolist() == ["SN2016xyz"]
    standard = ["bessellux", "sdssr", "bessellr"]
    assert curves.wavelength.tolist() == [get_passband(band).wavelength for band in standard]
    ab = [14.9383 + vega("bessellux"), 14.8, 14.7 + vega("bessellr")]
    assert curves.flux.tolist() == pytest.approx([flux_of(m) for m in ab])
    text = " | ".join(report.notes)
    assert "unfiltered" in text
    assert "upper limits (nondet)" in text
    with_0 = read(path, bands={"0": "bessellr"})
    assert with_0.lengths.tolist() == [4]


def test_standard_filters_and_unknown_ones():
    rows = b"V 55601.1 15.20 0.10\nB 55601.2 15.80 0.12\n"
    names = ["band", "mjd", "mag", "mag_err"]
    with pytest.raises(UnknownPassbandError, match="'V' is ambiguous"):
        io.read_text(rows, names=names)
    curves = io.read_text(rows, names=names, survey="standard")
    assert curves.band_names.tolist() == ["bessellv", "bessellb"]
    swift = io.read_text(rows, names=names, survey="swift")
    assert swift.flux.tolist() == pytest.approx([flux_of(15.19), flux_of(15.67)])
    with pytest.raises(UnknownPassbandError, match="'qq' is unknown"):
        read(FRAME.assign(band="qq"))
    with pytest.raises(LightCurveError, match="passband= the passband of all rows"):
        read(FRAME.drop(columns="band"))
    assert read(FRAME.drop(columns="band"), passband="ztfr").band_names.tolist() == ["ztfr"] * 2


def test_filter_ids_and_surveys_by_row():
    assert read(FRAME.assign(band=[1, 2]), survey="ztf").band_names.tolist() == ["ztfg", "ztfr"]
    by_row = FRAME.assign(band="g", survey=["ZTF", "LSST"])
    assert read(by_row).band_names.tolist() == ["ztfg", "lsstg"]
    with pytest.raises(UnknownPassbandError, match="ambiguous"):
        read(FRAME.assign(band="g", source=[1, 2]))  # numbers are no telescopes


def test_vega_offsets():
    assert vega("2massks") == 1.85
    assert vega("besselli") == pytest.approx(0.45, abs=0.02)
    assert not uses_vega(get_passband("ztfr"))
    assert uses_vega(get_passband("LCO_V"))
    assert vega("LCO_V") == vega("bessellv")  # a follow-up telescope's standard filter
    with pytest.raises(LightCurveError, match="not known for the passband 'mine'"):
        read(MAGNITUDES, system="Vega", bands={"ztfg": Passband("mine", "mytel", 0.48)})


SOUSA = """# SN2011aa magnitudes from Swift UVOT
# generated for a test
# Filter MJD[days] Mag MagErr 3SigMagLim 0.98SatLim[mag] Rate RateErr Ap Frametime Exp Telapse
UVW1   55601.1000   15.200    0.100   19.0   11.5    9.0    0.8   5.0   11.0   80.0   90.0
UVW1   55602.1000     NULL     NULL   19.0   11.5    9.0    0.8   5.0   11.0   80.0   90.0
V      55603.1000   11.000    0.100   19.0   11.5    9.0    0.8   5.0   11.0   80.0   90.0
"""


def test_sousa():
    report = io.read_report(SOUSA.encode())
    assert report.format.name == "sousa"
    assert report.curves.ids.tolist() == ["SN2011aa"]
    assert report.curves.flux.tolist() == pytest.approx([flux_of(15.2 + 1.51)])
    every = io.read_sousa(SOUSA.encode(), quality="all")
    assert every.flux.tolist() == pytest.approx([flux_of(15.2 + 1.51), flux_of(11.0 - 0.01)])


def test_headerless_text():
    rows = b"59000.5 17.5 0.1\n59001.5 17.6 0.1\n"
    with pytest.raises(LightCurveError, match=r'without a header.*format="text" and names='):
        read(rows)
    curves = read(rows, format="text", names=["mjd", "mag", "mag_err"], passband="ztfr")
    assert curves.flux[0] == pytest.approx(flux_of(17.5))
    with pytest.raises(LightCurveError, match=r"rows of 3 fields.*2 names"):
        io.read_text(rows, names=["mjd", "mag"])
    with pytest.raises(LightCurveError, match=r"there is no option \['bogus'\]"):
        io.read_text(rows, names=["mjd", "mag", "mag_err"], bogus=1)


def test_metadata():
    frame = FRAME.assign(
        Redshift=0.1, RA=[10.0, 10.1], decl=-5.0, mwebv=0.02, type="Ia", note=[1, 2]
    )
    metadata = read(frame).metadata
    assert sorted(metadata.columns) == ["dec", "label", "mwebv", "ra", "redshift"]
    assert metadata.loc[BIG, "redshift"] == 0.1
    assert metadata.loc[BIG, "label"] == "Ia"
    assert np.isnan(read(FRAME.assign(redshift=-9.0)).metadata.loc[BIG, "redshift"])
    own = pd.DataFrame({"object_id": [BIG, 5], "host_mass": [10.5, 9.0], "z_spec": [0.2, 0.3]})
    given = read(frame, metadata=own).metadata
    assert given.loc[BIG, ["host_mass", "redshift", "label"]].tolist() == [10.5, 0.2, "Ia"]
    with pytest.raises(LightCurveError, match="no column of object ids"):
        read(FRAME, metadata=pd.DataFrame({"host_mass": [1.0]}))
    with pytest.raises(LightCurveError, match="more than one row for the object"):
        read(FRAME, metadata=pd.concat([own, own]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.replace("310.0", "abc"), r"'flux' holds 'abc' in row 1 of the table"),
        (lambda t: t.replace(",9.0,ztfr", ""), r"line 2 .* has 3 fields instead of 5"),
        (lambda t: t.replace("ztfg", "ztfg,1,2"), r"line 3 .* has 7 fields instead of 5"),
        (lambda t: t[:-25], r"line 3 .* fields instead of 5"),
        (lambda t: t.splitlines()[0] + "\n", r"no observations that can be used"),
        (lambda t: "", "is empty"),
        (lambda t: "hello\nworld\n", "has no format that is known"),
        (lambda t: t.replace("mjd", "when"), "has no format that is known"),
    ],
    ids=["word", "short", "long", "truncated", "header", "empty", "prose", "column"],
)
def test_damaged_text(change, message):
    with pytest.raises(LightCurveError, match=message):
        read(change(FRAME.to_csv(index=False)).encode())


def test_the_file_with_the_bad_row_is_named(tmp_path):
    FRAME.to_csv(tmp_path / "good.csv", index=False)
    FRAME.astype({"flux": object}).replace(310.0, "n/k").to_csv(tmp_path / "odd.csv", index=False)
    with pytest.raises(LightCurveError, match=r"odd\.csv: column 'flux' holds 'n/k' in row 1"):
        read(sorted(tmp_path.iterdir()))


def test_quality_and_rows_without_a_measurement():
    frame = pd.concat([FRAME, FRAME.assign(flux=np.nan), FRAME.assign(flux=1e20, mjd=1.0)])
    report = io.read_report(frame, quality="all")
    assert report.curves.lengths.tolist() == [2]
    assert "left out 4 of 6 rows: without a flux (flux)" in report.notes
    errors = FRAME.assign(flux_err=[9.0, 0.0])
    assert "left out 1 of 2 rows: without a positive error flux_err" in io.read_report(errors).notes
    assert np.isnan(read(FRAME.assign(flux_err=np.nan)).flux_err).all()
    assert read(FRAME, quality=lambda t: t["flux"] > 300).lengths.tolist() == [1]
    with pytest.raises(LightCurveError, match="quality must be"):
        read(FRAME, quality="best")


# astropy


def test_units_are_converted():
    table = QTable({
        "time": Time([59000.0, 59001.0], format="mjd", scale="tai"),
        "flux": [3.0, 5.0] * u.uJy,
        "flux_err": [300.0, 500.0] * u.nJy,
        "band": ["ztfg", "ztfr"],
    }, meta={"OBJECT": "SN x", "redshift": 0.2})  # fmt: skip
    curves = read(table)
    assert curves.ids.tolist() == ["SN x"]
    assert curves.flux.tolist() == pytest.approx([3000, 5000])
    assert curves.flux_err.tolist() == pytest.approx([300, 500])
    assert (curves.zero_point, curves.time.tolist()) == (31.4, [59000.0, 59001.0])
    assert curves.metadata["redshift"].tolist() == [0.2]
    in_seconds = Table({"t": [0.0, 86400.0], "flux": [1.0, 2.0]})
    in_seconds["t"].unit = "s"
    assert read(in_seconds, passband="ztfg").time.tolist() == [0.0, 1.0]


def test_magnitudes_with_units():
    table = QTable({"mjd": [59000.0], "flux": [17.5] * u.ABmag, "flux_err": [0.1] * u.mag})
    curves = read(table, passband="bessellv")
    assert curves.flux[0] == pytest.approx(flux_of(17.5))  # ABmag: no offset
    assert curves.flux_err[0] == pytest.approx(flux_of(17.5) * 0.0921034, rel=1e-5)
    with pytest.raises(LightCurveError, match="STmag"):
        read(QTable({"mjd": [59000.0], "mag": [17.5] * u.STmag}), passband="ztfg")


def test_fluxes_without_a_flux_density():
    table = Table({"mjd": [59000.0], "flux": [17.0], "band": ["ztfg"]})
    table["flux"].unit = "electron / s"
    with pytest.raises(
        LightCurveError, match=r"'electron / s', which is no flux density: pass zero"
    ):
        read(table)
    assert read(table, zero_point=25.0).zero_point == 25


@pytest.mark.parametrize("kind", ["ascii.ecsv", "votable", "fits", "ascii.ipac"])
def test_files_of_astropy(kind, tmp_path):
    table = Table.from_pandas(FRAME)
    table["flux"] = MaskedColumn(table["flux"], mask=[False, False])
    table.add_row([BIG, 59002.5, 1e20, 1.0, "ztfg"], mask=[0, 0, 1, 0, 0])
    path = tmp_path / "x.dat"
    table.write(path, format=kind)
    content = path.read_bytes()
    for source in (path, content, gzip.compress(content)):
        report = io.read_report(source)
        assert report.format.name == "astropy-table"
        assert report.curves.ids.tolist() == [BIG]
        assert report.curves.flux.tolist() == [310, 250]  # what is masked is no flux
    with pytest.raises(LightCurveError):
        read(content[: int(len(content) * 0.7)])


def test_time_series():
    series = TimeSeries(time=Time(["2020-05-31T00:00:00"]), data={"flux": [3.0] * u.Jy})
    curves = read(series, passband="ztfg")
    assert curves.time.tolist() == [59000.0]
    assert curves.flux.tolist() == pytest.approx([3e9])


# anything


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300) | st.text("mjdfluxband,;\t\n 0123456789.-#\"'<>{}[]", max_size=300))
def test_whatever_is_read_gives_light_curves_or_one_error(content):
    source = content.encode() if isinstance(content, str) else content
    try:
        curves = read(source)
    except (LightCurveError, ImportError):
        return
    assert len(curves)
    assert np.isfinite(curves.flux).all()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=40), max_size=6))
def test_layouts_of_any_lines(lines):
    layout = layout_of(lines)
    assert layout is None or layout.first <= len(lines)
