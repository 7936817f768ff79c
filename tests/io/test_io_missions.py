"""Kepler, TESS, lightkurve, Gaia, ASAS-SN and AAVSO, on small files in the true layout."""

import gzip
import warnings
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from astropy.table import MaskedColumn, Table
from astropy.time import Time
from astropy.timeseries import TimeSeries
from astropy.units import Quantity

from sklc import io
from sklc.errors import LightCurveError, UnknownPassbandError
from sklc.io.vega import ab_minus_vega
from sklc.passbands import get_passband


def notes(source, **options):
    return " | ".join(io.read_report(source, **options).notes)


# Kepler and TESS


def space_file(
    telescope="Kepler", unit="e-/s", star=1026032, flux="PDCSAP_FLUX", start=900.0, magnitude=17.5
):
    """Return a file of six cadences: one without a time, one without a flux, one flagged."""
    names = {"Kepler": ("KEPLERID", "SAP_QUALITY", 2454833), "TESS": ("TICID", "QUALITY", 2457000)}
    key, quality, reference = names[telescope]
    own = np.array([100.0, 110.0, 120.0, np.nan, 140.0, 150.0], dtype=np.float32)
    last = 1 << 4 if telescope == "TESS" else 1 << 12  # bad for TESS only
    columns = [
        fits.Column("TIME", "D", array=start + np.array([0.5, 0.6, np.nan, 0.8, 0.9, 1.0])),
        fits.Column("SAP_FLUX", "E", unit=unit, array=own * 2),
        fits.Column("SAP_FLUX_ERR", "E", unit=unit, array=np.full(6, 3.0)),
        fits.Column(flux, "E", unit=unit, array=own),
        fits.Column(f"{flux}_ERR", "E", unit=unit, array=np.full(6, 2.0)),
        fits.Column(quality, "J", array=[0, 0, 0, 0, 1 << 3, last]),
    ]
    primary = fits.PrimaryHDU()
    primary.header["TELESCOP"] = telescope
    primary.header[key] = star
    primary.header["RA_OBJ"], primary.header["DEC_OBJ"] = 291.04, 36.73
    primary.header["KEPMAG" if telescope == "Kepler" else "TESSMAG"] = magnitude
    table = fits.BinTableHDU.from_columns(columns, name="LIGHTCURVE")
    table.header["BJDREFI"], table.header["BJDREFF"] = reference, 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return to_bytes(fits.HDUList([primary, table]))


def to_bytes(hdus):
    file = BytesIO()
    hdus.writeto(file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("telescope", "reference", "zero_point", "kept"),
    [("Kepler", 2454833, 25.10, [100, 110, 150]), ("TESS", 2457000, 20.79, [100, 110])],
)
def test_space_telescopes(telescope, reference, zero_point, kept):
    curves = io.read(space_file(telescope), verbose=False)
    assert curves.ids.tolist() == [1026032]
    assert curves.flux.tolist() == kept
    assert curves.time[0] == pytest.approx(900.5 + reference - 2400000.5, abs=1e-9)
    assert curves.zero_point == zero_point
    assert curves.band_names[0] == telescope.lower()
    assert curves.metadata.loc[1026032, ["ra", "dec"]].tolist() == [291.04, 36.73]
    assert "without a flux" in notes(space_file(telescope))


def test_kepler_options(tmp_path):
    content = space_file()
    assert io.read_kepler(content, flux="sap").flux.tolist() == [200, 220, 300]
    assert io.read_kepler(content, quality="all").flux.tolist() == [100, 110, 140, 150]
    assert io.read_kepler(content, quality=lambda t: t["flux"] < 105).flux.tolist() == [100]
    assert io.read_kepler(content, zero_point=24.0).zero_point == 24
    with pytest.raises(LightCurveError, match=r"no column KSPSAP_FLUX.*pass flux= one of \['SAP"):
        io.read_kepler(content, flux="KSPSAP_FLUX")
    with pytest.raises(TypeError, match=r"bogus.*options are \['flux'"):
        io.read_kepler(content, bogus=1)
    for number in (1, 2):
        (tmp_path / f"q{number}.fits.gz").write_bytes(gzip.compress(space_file(star=number)))
    paths = sorted(tmp_path.iterdir())
    assert io.read(paths, verbose=False).ids.tolist() == [1, 2]
    assert io.read(tmp_path, verbose=False).lengths.tolist() == [3, 3]


def test_quarters_of_one_star_are_joined(tmp_path):
    (tmp_path / "q1.fits").write_bytes(space_file())
    (tmp_path / "q2.fits").write_bytes(space_file(start=990.0))
    curves = io.read_kepler(sorted(tmp_path.iterdir()))
    assert curves.ids.tolist() == [1026032]
    assert curves.lengths.tolist() == [6]


@pytest.mark.parametrize("unit", ["", "e-/s"])  # which some pipelines give relative fluxes
def test_relative_flux_gets_the_magnitude_of_the_star(unit):
    report = io.read_report(space_file("TESS", unit=unit, flux="KSPSAP_FLUX", magnitude=5.0))
    assert "the flux is KSPSAP_FLUX" in report.notes
    curves = report.curves
    # the median of 100, 110, 120, 140, 150 has the AB magnitude 5 + 0.35
    assert curves.zero_point == pytest.approx(5.35 + 2.5 * np.log10(120), abs=1e-6)


def test_missions_are_not_mixed(tmp_path):
    (tmp_path / "a.fits").write_bytes(space_file("Kepler"))
    (tmp_path / "b.fits").write_bytes(space_file("TESS"))
    with pytest.raises(LightCurveError, match=r"b\.fits is of 'TESS', not of Kepler"):
        io.read(sorted(tmp_path.iterdir()), verbose=False)


def test_truncated_fits_file():
    content = space_file()
    with pytest.raises(LightCurveError, match="truncated"):
        io.read(content[: len(content) - 2880], verbose=False)
    with pytest.raises(LightCurveError, match=r"cannot be read .* EOFError"):
        io.read(gzip.compress(content)[:-200], format="kepler", verbose=False)


class KeplerLightCurve(TimeSeries):
    """What lightkurve returns, as far as the reader looks at it."""


KeplerLightCurve.__module__ = "lightkurve.lightcurve"


def lightkurve_object(unit="electron / s"):
    curve = KeplerLightCurve(time=Time([2455733.5, 2455733.6, 2455733.7], format="jd", scale="tdb"))
    curve["flux"] = Quantity([100.0, 110.0, np.nan], unit)
    curve["flux_err"] = Quantity([2.0, 2.0, 2.0], unit)
    curve["quality"] = [0, 0, 0]
    curve.meta = {"MISSION": "Kepler", "TARGETID": 7, "RA": 1.5, "DEC": -2.5, "KEPMAG": 11.0}
    return curve


@pytest.mark.parametrize("wrap", [lambda one: one, lambda one: [one]])
def test_lightkurve(wrap):
    report = io.read_report(wrap(lightkurve_object()))
    assert report.format.name == "lightkurve"
    curves = report.curves
    assert curves.ids.tolist() == [7]
    assert curves.flux.tolist() == [100, 110]
    assert curves.time[0] == pytest.approx(55733.0, abs=1e-9)
    assert curves.zero_point == 25.10
    assert curves.metadata["dec"].tolist() == [-2.5]


def test_a_file_is_no_object_of_lightkurve():
    with pytest.raises(LightCurveError, match="read a file of Kepler or TESS without format"):
        io.read_lightkurve(space_file("Kepler"))


def test_lightkurve_normalised_and_other_missions():
    curves = io.read_lightkurve(lightkurve_object(""))
    assert curves.zero_point == pytest.approx(11.0 + 2.5 * np.log10(105))
    other = lightkurve_object()
    other.meta["MISSION"] = "CHEOPS"
    with pytest.raises(LightCurveError, match=r"CHEOPS.*neither Kepler"):
        io.read_lightkurve(other)


# Gaia

SOURCE = 2328619740476096384


def gaia_long():
    return pd.DataFrame({
        "source_id": SOURCE,
        "transit_id": [1, 1, 1, 2, 3],
        "band": ["G", "BP", "RP", "G", "G"],
        "time": [1700.0, 1700.1, 1700.2, 1710.0, 1720.0],
        "mag": [14.0, 14.2, 13.8, 14.0, np.nan],
        "flux": [1000.0, 500.0, 700.0, 1010.0, np.nan],
        "flux_error": [10.0, 5.0, 7.0, 10.0, np.nan],
        "rejected_by_photometry": [False, False, False, True, False],
        "rejected_by_variability": [False, False, False, False, False],
    })  # fmt: skip


def gaia_wide():
    return pd.DataFrame({
        "source_id": SOURCE,
        "transit_id": [1, 2, 3],
        "g_transit_time": [1700.0, 1710.0, 1720.0],
        "g_transit_flux": [1000.0, 1010.0, np.nan],
        "g_transit_flux_error": [10.0, 10.0, np.nan],
        "bp_obs_time": [1700.1, np.nan, np.nan],
        "bp_flux": [500.0, np.nan, np.nan],
        "bp_flux_error": [5.0, np.nan, np.nan],
        "rp_obs_time": [1700.2, np.nan, np.nan],
        "rp_flux": [700.0, np.nan, np.nan],
        "rp_flux_error": [7.0, np.nan, np.nan],
        "variability_flag_g_reject": ["false", "true", "false"],
        "variability_flag_bp_reject": "false",
        "variability_flag_rp_reject": "false",
        "rejected_by_photometry": "false",
    })  # fmt: skip


def as_votable(frame):
    table = Table.from_pandas(frame)
    file = BytesIO()
    table.write(file, format="votable")
    return file.getvalue()


def arrays(frame):
    """Return the layout with one row per source, whose columns hold arrays."""
    table = Table()
    for name in frame:
        values = frame[name].to_numpy()
        if name == "source_id":
            table[name] = values[:1]
        elif values.dtype.kind == "f":
            table[name] = MaskedColumn(values[None], mask=np.isnan(values)[None])
        else:
            own = values == "true" if values.dtype.kind not in "iu" else values
            table[name] = MaskedColumn(own[None])
    return table


@pytest.mark.parametrize(
    "source",
    [
        gaia_long(),
        gaia_wide(),
        gaia_long().to_csv(index=False).encode(),
        gaia_wide().to_csv(index=False).encode(),
        as_votable(gaia_long()),
        as_votable(gaia_wide()),
        Table.from_pandas(gaia_long()),
        arrays(gaia_wide()),
        {"EPOCH_PHOTOMETRY-Gaia DR3 1.xml": [Table.from_pandas(gaia_wide())]},
    ],
    ids=[
        "long",
        "wide",
        "csv",
        "csv-wide",
        "votable",
        "votable-wide",
        "table",
        "arrays",
        "astroquery",
    ],
)
def test_gaia_layouts(source):
    report = io.read_report(source)
    assert report.format.name == "gaia"
    curves = report.curves
    assert curves.ids.tolist() == [SOURCE]
    assert curves.time.tolist() == pytest.approx([56897.0, 56897.1, 56897.2])
    assert curves.band_names.tolist() == ["gaia_g", "gaia_bp", "gaia_rp"]
    magnitudes = curves.zero_point - 2.5 * np.log10(curves.flux)
    expected = [25.8010 - 7.5, 25.3540 - 2.5 * np.log10(500), 25.1040 - 2.5 * np.log10(700)]
    assert magnitudes.tolist() == pytest.approx(expected, abs=1e-6)
    assert (curves.flux / curves.flux_err).tolist() == pytest.approx([100, 100, 100])


def test_gaia_quality_and_bands():
    assert io.read_gaia(gaia_long(), quality="all").lengths.tolist() == [4]
    with pytest.raises(LightCurveError, match="XP"):
        io.read_gaia(gaia_long().assign(band="XP"))
    with pytest.raises(LightCurveError, match="not the columns of epoch photometry"):
        io.read_gaia(pd.DataFrame({"source_id": [1], "ra": [2.0]}))


# ASAS-SN

V1 = """HJD,UT Date,Camera,FWHM,Limit,mag,mag_err,flux(mJy),flux_err,Filter
2458000.47009,2017-09-03.97,be,1.77,15.518,14.839,0.117,4.448,0.477,V
2458002.51020,2017-09-06.01,be,2.03,14.814,>14.814,99.990,4.020,0.911,V
2458400.51020,2018-10-06.01,bi,2.03,16.814,14.900,0.050,4.100,0.200,g
2458401.51020,2018-10-06.01,bi,2.03,16.814,99.990,99.990,99.990,99.990,g
"""
V2 = """# ASAS-SN SkyPatrol ID: 661425129485
# RA: 12.5

JD,Flux,Flux Error,Mag,Mag Error,Limit,FWHM,Filter,Quality
2457148.1,126.0455,0.13,12.92,0.0054,16.9,1.70,V,G
2457149.1,127.0000,0.13,12.88,0.0054,16.9,1.70,V,B
"""
CLIENT = """# "asas_sn_id":12702,"gaia_id":5211052415435948544,"ra_deg":101.25,"name":"VX Men"
jd,flux,flux_err,mag,mag_err,limit,fwhm,cam,asas_sn_id
2458515.6,124.37,0.089,12.93,0.004,17.3,1.44,bi,12702
2458516.6,118.76,0.073,13.21,0.004,17.5,1.37,ba,12702
"""


def test_asassn_version_1(tmp_path):
    path = tmp_path / "RCrB.csv"
    path.write_text(V1)
    report = io.read_report(path)
    assert report.format.name == "asassn"
    curves = report.curves
    assert curves.ids.tolist() == ["RCrB"]
    assert curves.flux.tolist() == [4.448, 4.100]
    assert curves.band_names.tolist() == ["asassnV", "asassng"]
    assert curves.time[0] == pytest.approx(57999.97009)
    assert curves.zero_point == 16.4
    # the magnitude in the file is that of the flux
    assert curves.zero_point - 2.5 * np.log10(curves.flux[0]) == pytest.approx(14.78, abs=0.06)
    assert any("not detected" in note for note in report.notes)
    kept = io.read_asassn(path, limits="keep")
    assert kept.flux.tolist() == [4.448, 4.020, 4.100]  # never the limit, nor a sentinel


def test_asassn_version_2_and_client():
    curves = io.read(V2.encode(), verbose=False)
    assert curves.ids.tolist() == [661425129485]
    assert curves.flux.tolist() == [126.0455]
    assert curves.metadata["ra"].tolist() == [12.5]
    assert io.read_asassn(V2.encode(), quality="all").lengths.tolist() == [2]
    client = io.read(CLIENT.encode(), verbose=False)
    assert client.ids.tolist() == [12702]
    assert client.band_names.tolist() == ["asassng", "asassnV"]
    assert client.metadata["ra"].tolist() == [101.25]
    assert "V for cameras ba to bh" in notes(CLIENT.encode())


def test_asassn_client_objects():
    frame = pd.DataFrame({
        "asas_sn_id": [1, 1, 2], "jd": [2458515.6, 2458516.6, 2458517.6], "flux": [1.0, 2.0, 3.0],
        "flux_err": 0.1, "mag": 16.0, "mag_err": 0.01, "limit": 17.0, "fwhm": 1.5, "camera": "bi",
        "quality": ["G", "B", "G"], "phot_filter": "g",
    })  # fmt: skip
    assert io.read(frame, verbose=False).ids.tolist() == [1, 2]

    class Collection:
        data, catalog_info = frame, pd.DataFrame({"asas_sn_id": [1, 2]})

    assert io.read(Collection(), verbose=False).lengths.tolist() == [1, 1]


def test_asassn_faults():
    with pytest.raises(LightCurveError, match=r"filter is 'r' in row 1"):
        io.read_asassn(V2.replace(",V,", ",r,").encode())
    with pytest.raises(LightCurveError, match="limits must be"):
        io.read_asassn(V2.encode(), limits="zero")
    with pytest.raises(LightCurveError, match=r"line 3 .* fields instead of 10"):
        io.read_asassn(V1[:170].encode())


# AAVSO

AAVSO = """JD,Magnitude,Uncertainty,HQuncertainty,Band,Observer Code,Comment Code(s),\
Validation Flag,Star Name,Measurement Method
2459454.5,14.844,0.088,,V,HMB,,Z,R CrB,STD
2459455.5,14.0,,0.05,B,HMB,,V,R CrB,STD
2459456.5,<13.5,,,Vis.,ABC,,Z,R CrB,STD
2459457.5,14.1,,,Vis.,ABC,,Z,R CrB,STD
2459458.5,12.0,0.01,,V,HMB,,T,R CrB,STD
2459459.5,15.0,0.02,,SG,HMB,,Z,R CrB,STD
"""


def test_aavso():
    report = io.read_report(AAVSO.encode())
    assert report.format.name == "aavso"
    curves = report.curves
    assert curves.ids.tolist() == ["R CrB"]
    assert curves.time.tolist() == [59454.0, 59455.0, 59459.0]
    assert curves.band_names.tolist() == ["bessellv", "bessellb", "sdssg"]
    v, b = (ab_minus_vega(get_passband(f"bessell{band}")) for band in "vb")
    ab = [14.844 + v, 14.0 + b, 15.0]  # Vega to AB, but Sloan g is AB already
    assert curves.flux.tolist() == pytest.approx([10 ** (-0.4 * (m - 27.5)) for m in ab])
    relative = np.log(10) / 2.5 * np.array([0.088, 0.05, 0.02])
    assert (curves.flux_err / curves.flux).tolist() == pytest.approx(relative.tolist())
    text = " | ".join(report.notes)
    assert "left out 1 of 6 rows: fainter-than limits" in text
    assert "missing_error=0.3" in text


def test_aavso_options():
    content = AAVSO.encode()
    visual = io.read_aavso(content, missing_error=0.3)
    assert visual.lengths.tolist() == [4]
    assert "aavsoVis" in visual.band_names
    assert io.read_aavso(content, quality="all").lengths.tolist() == [4]
    without = b"\n".join(line for line in content.splitlines() if b"Vis." in line or b"JD" in line)
    curves = io.read_aavso(without)
    assert curves.lengths.tolist() == [1]
    assert np.isnan(curves.flux_err).all()
    tabs = AAVSO.replace(",", "\t").encode()
    assert io.read(tabs, verbose=False).equals(io.read_aavso(content))
    with pytest.raises(UnknownPassbandError, match=r"'XX' of the AAVSO is not known"):
        io.read_aavso(AAVSO.replace("SG", "XX").encode())
    with pytest.raises(LightCurveError, match=r"'Magnitude' holds 'bad' in row 2"):
        io.read_aavso(AAVSO.replace("14.0,", "bad,").encode())


def test_aavso_extended_report():
    head = "#TYPE=EXTENDED\n#OBSCODE=HSR\n#DELIM=;\n#DATE=JD\n#OBSTYPE=CCD\n"
    row = (
        "TT Cnc;2460425.5;11.013;0.010;V;NO;STD;000-BBP-713;19.277;1;19.450;1.236;na;X36;note # 1\n"
    )
    curves = io.read((head + row).encode(), verbose=False)
    assert curves.ids.tolist() == ["TT Cnc"]
    assert curves.time.tolist() == [60425.0]
    assert curves.flux[0] == pytest.approx(10 ** (-0.4 * (11.023 - 27.5)), rel=0.02)
