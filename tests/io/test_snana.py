"""Text and FITS files of SNANA."""

import gzip
import shutil
import sys
import tempfile
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from make_services import snana_fits, snana_text, true_file

from sklc.errors import LightCurveError, UnknownPassbandError
from sklc.io import read, read_report, read_snana

fits = pytest.importorskip("astropy.io.fits", reason="astropy is not installed (extra io)")


def test_text():
    curves = read_snana(snana_text())
    assert curves.ids.tolist() == ["2016W"]
    assert curves.flux.tolist() == [23285.7, -12.5]
    assert curves.flux_err.tolist() == [455.3, 63.8]
    assert curves.band_names.tolist() == ["ps1g", "ps1r"]
    assert curves.zero_point == 27.5
    about = curves.metadata.iloc[0]
    assert about[["label", "redshift", "ra", "dec", "mwebv"]].tolist() == [
        1, 0.0185, 37.66, 42.23, 0.0599,
    ]  # fmt: skip
    assert about["REDSHIFT_FINAL_ERR"] == 0.0001
    assert not {"HOSTGAL_SPECZ", "HOSTGAL_MAG", "PURPOSE"} & set(curves.metadata.columns)


@pytest.mark.parametrize(
    ("header", "expected"), [({}, 27.5), ({"ZP_FLUXCAL": 31.4}, 31.4), ({"ZP_FLUXCAL": 27.5}, 27.5)]
)
def test_zero_point_of_the_header(tmp_path, header, expected):
    assert read_snana(snana_text(**header)).zero_point == expected
    columns = {key: np.full(2, value, np.float32) for key, value in header.items()}
    assert read_snana(snana_fits(tmp_path, **columns)).zero_point == expected


def test_objects_with_different_zero_points_are_rescaled(tmp_path):
    head = snana_fits(tmp_path, ZP_FLUXCAL=np.array([27.5, 31.4], np.float32))
    curves = read_snana(head)
    assert curves.zero_point == 27.5
    np.testing.assert_allclose(curves.flux, [10, -3, 5 * 10 ** (-0.4 * 3.9)], rtol=1e-6)


def test_a_zero_point_that_cannot_be_one_is_refused():
    with pytest.raises(LightCurveError, match="ZP_FLUXCAL is -9"):
        read_snana(snana_text(ZP_FLUXCAL=-9))


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("kind", ["HEAD", "PHOT"])
def test_fits(tmp_path, compress, kind):
    head = snana_fits(tmp_path, compress=compress)
    curves = read(tmp_path / head.name.replace("HEAD", kind), verbose=False)
    assert curves.ids.tolist() == ["1001", "1002"]
    assert curves.lengths.tolist() == [2, 1]
    assert curves.flux.tolist() == [10, -3, 5]
    assert curves.time.tolist() == [60000, 60001, 60003]
    assert curves.band_names.tolist() == ["lsstg", "lsstr", "lsstr"]
    about = curves.metadata
    np.testing.assert_allclose(about["redshift"], 0.3, rtol=1e-6)  # FINAL is missing
    assert about["dec"].tolist() == [-9.0, -9.0]  # a true declination
    assert about["HOSTGAL_OBJID"].tolist() == [2**60 + 1] * 2
    assert about["SIM_SALT2x1"].tolist() == [0.5, 0.5]
    assert "REDSHIFT_FINAL" not in about.columns


def test_sources_of_fits_files(tmp_path):
    head = snana_fits(tmp_path)
    phot = tmp_path / "TEST_PHOT.FITS"
    expected = read_snana(head).flux.tolist()
    assert read_snana(head.read_bytes(), phot=phot.read_bytes()).flux.tolist() == expected
    assert read_snana([head, phot]).flux.tolist() == expected
    with zipfile.ZipFile(tmp_path / "TEST.zip", "w") as archive:
        archive.write(head, head.name)
        archive.write(phot, phot.name)
    assert read(tmp_path / "TEST.zip", verbose=False).flux.tolist() == expected
    with head.open("rb") as file, pytest.raises(LightCurveError, match="phot="):
        read_snana(file)
    phot.rename(tmp_path / "other.fits")
    assert read_snana(head, phot=tmp_path / "other.fits").flux.tolist() == expected
    with pytest.raises(LightCurveError, match=r"PHOT file of .* is not beside it"):
        read_snana(head)


def test_several_versions_in_a_folder(tmp_path):
    snana_fits(tmp_path, "MODEL_A", {"1": [1.0], "2": [2.0]})
    snana_fits(tmp_path, "MODEL_B", {"2": [3.0, 4.0]}, compress=True)
    (tmp_path / "MODEL.README").write_text("README")
    (tmp_path / "MODEL.IGNORE").touch()
    report = read_report(tmp_path)
    assert report.curves.ids.tolist() == ["1", "MODEL_A:2", "MODEL_B:2"]
    assert report.curves.lengths.tolist() == [1, 1, 2]
    assert any("1 id occurs in more than one version" in note for note in report.notes)


def test_a_folder_of_text_files(tmp_path):
    (tmp_path / "A.LIST").write_text("A_1.dat\nA_2.dat\n")
    (tmp_path / "A_1.dat").write_bytes(snana_text("1"))
    (tmp_path / "A_2.dat.gz").write_bytes(gzip.compress(snana_text("2", survey="DES")))
    report = read_report(tmp_path)
    assert report.curves.ids.tolist() == ["1", "2"]
    assert report.curves.band_names.tolist() == ["ps1g", "ps1r", "desg", "desr"]
    assert any("A.LIST" in note for note in report.notes)


def test_selections_that_left_the_pointers_as_they_were(tmp_path):
    """PTROBS_MIN and _MAX of the file from which objects were selected: NOBS counts."""
    stale = {"PTROBS_MIN": np.array([1, 293], np.int32), "PTROBS_MAX": np.array([2, 293], np.int32)}
    report = read_report(snana_fits(tmp_path, **stale))
    assert report.curves.flux.tolist() == [10, -3, 5]
    assert any("PTROBS" in note for note in report.notes)


@pytest.mark.parametrize(
    "columns",
    [
        {"PTROBS_MAX": np.array([2, 99], np.int32), "NOBS": np.array([2, 96], np.int32)},
        {"PTROBS_MIN": np.array([1, 3], np.int32), "NOBS": np.array([2, 2], np.int32)},
        {"PTROBS_MIN": np.array([0, 4], np.int32), "NOBS": np.array([3, 1], np.int32)},
    ],
)
def test_heads_and_photometry_that_do_not_belong_together(tmp_path, columns):
    with pytest.raises(LightCurveError, match="do not belong together"):
        read_snana(snana_fits(tmp_path, **columns))


@pytest.mark.parametrize("kind", ["HEAD", "PHOT"])
@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("share", [0.2, 0.6, 0.95])
def test_truncated_files(tmp_path, kind, compress, share):
    head = snana_fits(
        tmp_path, objects={str(k): [float(k)] * 80 for k in range(9)}, compress=compress
    )
    path = tmp_path / head.name.replace("HEAD", kind)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(LightCurveError) as error:
        read_snana(head)
    assert "TEST_" in str(error.value)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(data=st.data())
def test_damaged_fits_files_raise_one_kind_of_error(data):
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # astropy's, of what it can mend
        head = snana_fits(Path(folder))
        path = data.draw(st.sampled_from([head, head.with_name("TEST_PHOT.FITS")]))
        content = bytearray(path.read_bytes())
        places = st.integers(0, len(content) - 1)
        for place in data.draw(st.lists(places, min_size=1, max_size=30)):
            content[place] = data.draw(st.integers(0, 255))
        path.write_bytes(content)
        try:
            curves = read_snana(head)
        except LightCurveError:
            return
    assert np.isfinite(curves.flux).all()
    assert np.isfinite(curves.time).all()


def test_surveys_and_bands(tmp_path):
    report = read_report(snana_fits(tmp_path, prefix="DES_Ia", survey=None), bands={"LSST-r": "r"})
    assert report.curves.band_names[0] == "desg"
    assert any("taken from its name, DES" in note for note in report.notes)
    other = snana_text(survey="MYSURVEY")
    with pytest.raises(UnknownPassbandError, match=r"MYSURVEY.*row 1.*'g'.*bands="):
        read_snana(other)
    assert read_snana(other, survey="DES").band_names.tolist() == ["desg", "desr"]
    report = read_report(snana_text(survey="PS1MD"))
    assert report.curves.band_names.tolist() == ["ps1g", "ps1r"]
    assert any("PS1MD is taken for PS1" in note for note in report.notes)
    assert read_snana(snana_text(survey="SDSS(HOLTZ08)")).band_names[0] == "sdssg"
    both = {"g": "ztfg", "r": "ztfr"}
    assert read_snana(other, bands=both).band_names.tolist() == ["ztfg", "ztfr"]


def test_rows_without_a_flux(tmp_path):
    rows = ["57410.2 g 10 1 0", "57411.2 g -9 -9 0", "57412.2 g nan 1 0", "-9 g 10 0 0"]
    assert read_snana(snana_text(rows=rows)).lengths.tolist() == [1]
    chosen = read_snana(snana_text(), quality=lambda table: table["PHOTFLAG"] == 4096)
    assert chosen.flux.tolist() == [-12.5]
    in_g = read_snana(snana_fits(tmp_path), quality=lambda table: table["BAND"] == "g")
    assert in_g.flux.tolist() == [10.0]


def test_what_sncosmo_has_read(tmp_path):
    sncosmo = pytest.importorskip("sncosmo", reason="sncosmo is not installed (extra io)")
    head = snana_fits(tmp_path)
    tables = sncosmo.read_snana_fits(str(head), str(tmp_path / "TEST_PHOT.FITS"))
    curves = read_snana(tables, survey="LSST")
    assert curves.flux.tolist() == [10, -3, 5]
    assert curves.ids.tolist() == ["1001", "1002"]
    path = tmp_path / "a.dat"
    path.write_text("\n".join(snana_text().decode().splitlines()[3:]))
    given = sncosmo.read_snana_ascii(str(path), default_tablename="OBS")
    assert read(given, verbose=False).flux.tolist() == [23285.7, -12.5]


def test_extinction_that_was_corrected_is_reported(tmp_path):
    head = snana_fits(tmp_path)
    fits.setval(head, "MWEBV_APPLYFLAG", value=1)
    assert any("extinction of the Milky Way" in note for note in read_report(head).notes)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (snana_text(rows=["57410 g 1 1 0", "57411 g 1 1"]), "line 19: OBS has 4 values, and not 5"),
        (snana_text(rows=["57410 g 1 1 0 5"]), "line 18: OBS has 6 values, and not 5"),
        (snana_text(rows=["57410 g x1 1 0"]), "'FLUXCAL' holds 'x1' in line 18"),
        (snana_text()[:-60], "announces NOBS: 2"),
        (snana_text().replace(b"NOBS: 2", b"NOBS: e9"), "NOBS is 'e9', and not a number"),
        (snana_text().replace(b"SNID:", b"SNIX:"), "has no line SNID"),
        (snana_text().replace(b" FLUXCALERR", b" ERROR"), "VARLIST lacks FLUXCALERR"),
        (snana_text().split(b"OBS:")[0] + b"\nVARLIST: MJD\n", "no lines OBS"),
    ],
)
def test_damaged_text_is_named_with_the_line(tmp_path, content, message):
    path = tmp_path / "a.dat"
    path.write_bytes(content)
    with pytest.raises(LightCurveError, match=message) as error:
        read_snana(path)
    assert str(path) in str(error.value)


def test_the_last_columns_may_be_missing_in_all_rows():
    content = snana_text().replace(b"PHOTFLAG", b"PHOTFLAG XPIX YPIX")
    assert read_snana(content).lengths.tolist() == [2]


def test_without_astropy(tmp_path, monkeypatch):
    head = snana_fits(tmp_path)
    monkeypatch.setitem(sys.modules, "astropy.io.fits", None)
    with pytest.raises(ImportError, match=r'pip install "sklc\[io\]"'):
        read_snana(head)


# -- true files


def test_true_fits_files(tmp_path):
    head, phot = true_file("DES_Ia_HEAD.FITS"), true_file("DES_Ia_PHOT.FITS")
    curves = read_snana(head)
    about, rows = fits.getdata(head), fits.getdata(phot)
    assert curves.ids.tolist() == about["SNID"].tolist()
    assert curves.lengths.tolist() == about["NOBS"].tolist()
    flux = rows["FLUXCAL"][rows["MJD"] > 0]
    # sorted by time within each object
    assert sorted(curves[0].flux) == sorted(flux[: curves.lengths[0]].astype(float))
    assert np.isclose(curves.flux.sum(), flux.astype(float).sum())
    for path in (head, phot):
        with path.open("rb") as file, gzip.open(tmp_path / f"{path.name}.gz", "wb") as packed:
            shutil.copyfileobj(file, packed)
    packed = read_snana(tmp_path / "DES_Ia_HEAD.FITS.gz")
    np.testing.assert_array_equal(packed.flux, curves.flux)


def test_true_text_files():
    foundation = read_snana(true_file("Foundation_2016W.txt"))
    assert foundation.lengths.tolist() == [29]
    assert foundation.metadata["redshift"].tolist() == [0.0185546]
    row = np.flatnonzero(foundation.time == 57410.29056)[0]
    assert foundation.flux[row] == 23285.733
    example = read_snana(true_file("snana_ascii_example.dat"))
    assert example.flux.tolist() == [5.8777, 6.0339, -0.74055, 2.6296]


def _folder(tmp_path, *changes):
    """A folder of text files, 2016W0, 2016W1, ..., each with replacements."""
    for number, pairs in enumerate(changes):
        text = snana_text().decode().replace("2016W", f"2016W{number}")
        for old, new in pairs.items():
            assert old in text
            text = text.replace(old, new)
        (tmp_path / f"{number}.dat").write_text(text)
    return tmp_path


def test_text_files_keep_their_order_where_their_surveys_differ(tmp_path):
    changes = {"PS1MD": "DES"} if b"PS1MD" in snana_text() else {"SURVEY: ": "SURVEY: DES #"}
    curves = read_snana(_folder(tmp_path, {}, changes, {}))
    assert curves.ids.tolist() == ["2016W0", "2016W1", "2016W2"]
    assert [curve.band_names.tolist()[0] for curve in curves] == ["ps1g", "desg", "ps1g"]


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [("23285.7", "2328x", LightCurveError), (" g ", " Q ", UnknownPassbandError)],
)
def test_the_one_bad_text_file_of_a_folder_is_named(tmp_path, old, new, error):
    with pytest.raises(error, match=r"1\.dat") as raised:
        read_snana(_folder(tmp_path, {}, {old: new}, {}))
    assert "0.dat" not in str(raised.value)
    assert "2.dat" not in str(raised.value)


@pytest.mark.parametrize("order", [("HEAD", "PHOT"), ("PHOT", "HEAD")])
def test_head_and_phot_given_together_are_one_version(tmp_path, order):
    head = snana_fits(tmp_path)
    expected = read_snana(head)
    curves = read([tmp_path / f"TEST_{kind}.FITS" for kind in order], verbose=False)
    assert curves.ids.tolist() == expected.ids.tolist()
    assert curves.flux.tolist() == expected.flux.tolist()


def test_pairs_of_the_same_name_in_two_folders(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        snana_fits(tmp_path / name)
    with pytest.raises(LightCurveError, match="SNID 'TEST:1001' occurs more than once"):
        read(tmp_path, verbose=False)
    assert len(read(tmp_path / "one", verbose=False)) == 2
