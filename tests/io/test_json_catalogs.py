"""JSON files of the Open Supernova Catalog and of OTTER."""

import json

import numpy as np
import pytest
from make_services import open_catalog, otter, true_file

from sklc.errors import LightCurveError
from sklc.io import read, read_open_catalog, read_otter, read_report
from sklc.io.vega import ab_minus_vega
from sklc.passbands import Passband, get_passband

# -- Open Supernova Catalog

ROW = {"time": "54039.25", "u_time": "MJD", "band": "g", "magnitude": "20.0", "e_magnitude": "0.1",
       "system": "AB"}  # fmt: skip


def catalog(*rows):
    return open_catalog(
        photometry=[{**ROW, "time": str(54040 + k), **r} for k, r in enumerate(rows)]
    )


def test_open_catalog():
    curves = read(open_catalog(), verbose=False)
    offset = ab_minus_vega(get_passband("bessellv"))  # Vega is 0.00 to 0.03 mag (AB) in V
    assert 0 <= offset < 0.03
    np.testing.assert_allclose(curves.flux, [10 ** (0.4 * (11.5 - offset)), 1000], rtol=1e-12)
    np.testing.assert_allclose(curves.flux_err / curves.flux, [0.0921034, 0.1842068], rtol=1e-6)
    assert curves.band_names.tolist() == ["bessellv", "ztfg"]
    about = curves.metadata.loc["SN2006le"]
    assert about["label"] == "Ia"
    assert about[["redshift", "mwebv"]].tolist() == [0.0174, 0.351]
    np.testing.assert_allclose(about["ra"], 15 * (5 + 41.99 / 3600), rtol=1e-12)
    np.testing.assert_allclose(about["dec"], -(62 + 15 / 60 + 19 / 3600), rtol=1e-12)


LEFT_OUT = [
    ({"upperlimit": True}, "limits"),
    ({"upperlimit": "true"}, "limits"),
    ({"u_time": "yr"}, "no MJD"),
    ({"magnitude": None, "flux": "1e-14", "energy": ["0.3", "10"]}, "X-ray"),
    ({"e_magnitude": None}, "mag_err="),
    ({"band": "C"}, r"'C'"),
    ({"band": None}, "filters that are not known"),
    ({"model": "SALT2"}, "models"),
    ({"kcorrected": True}, "corrected"),
    ({"host": True}, "host"),
]


@pytest.mark.parametrize(("row", "reason"), LEFT_OUT)
def test_rows_that_are_left_out_are_reported(row, reason):
    report = read_report(catalog({}, row))
    assert report.curves.time.tolist() == [54040.0]
    assert len(report.notes) == 1
    assert reason.strip("'") in report.notes[0]


def test_vega_magnitudes_in_filters_without_an_offset_are_left_out():
    own = {"X": Passband("my_X", "mine", 0.75)}
    report = read_report(catalog({}, {"band": "X", "system": "Vega"}), bands=own)
    assert report.curves.time.tolist() == [54040.0]
    assert any("offset is not known" in note for note in report.notes)
    assert read_open_catalog(catalog({"band": "X"}), bands=own).flux.tolist() == [1000.0]


def test_repeated_measurements_count_once():
    assert read_open_catalog(
        catalog({"source": "1"}, {"time": "54040", "source": "2"})
    ).lengths == [1]


def test_options():
    corrected = catalog({}, {"kcorrected": True})
    assert read_open_catalog(corrected, quality="all").lengths.tolist() == [2]
    assert read_open_catalog(corrected, quality=lambda t: t["kcorrected"].isna()).lengths[0] == 1
    no_error = read_open_catalog(catalog({}, {"e_magnitude": None}), mag_err=0.3)
    np.testing.assert_allclose(no_error.flux_err[1], 1000 * 0.3 * np.log(10) / 2.5)
    primed = catalog({"band": "r'"}, {"band": "ip"})
    assert read_open_catalog(primed).band_names.tolist() == ["sdssr", "sdssi"]
    other = read_open_catalog(catalog({"band": "C"}), bands={"C": "crtsV"})
    assert other.band_names.tolist() == ["crtsV"]


def test_forms_of_values():
    time = [["54039.0", "54041.0"], "2454041.0"]
    rows = catalog(
        {"time": time[0], "band": "r'"},
        {"time": time[1], "u_time": "JD", "e_magnitude": None, "e_lower_magnitude": "0.1",
         "e_upper_magnitude": "0.3"},
    )  # fmt: skip
    curves = read_open_catalog(rows)
    assert curves.time.tolist() == [54040.0, 54040.5]
    np.testing.assert_allclose(curves.flux_err[1], 1000 * 0.2 * np.log(10) / 2.5)
    assert curves.band_names.tolist() == ["sdssr", "sdssg"]


def test_several_objects(tmp_path):
    paths = [tmp_path / "a.json", tmp_path / "b.json"]
    paths[0].write_bytes(open_catalog("SN1"))
    paths[1].write_bytes(open_catalog("SN2"))
    assert read(paths, verbose=False).ids.tolist() == ["SN1", "SN2"]
    both = json.loads(open_catalog("SN1")) | json.loads(open_catalog("SN2"))
    assert read(both, verbose=False).ids.tolist() == ["SN1", "SN2"]
    with pytest.raises(LightCurveError, match="repeats the object 'SN1'"):
        read([paths[0], paths[0]], verbose=False)


def test_true_open_catalog():
    report = read_report(true_file("osc_SN2006le.json"))
    assert report.curves.lengths.tolist() == [287]
    assert report.curves.metadata["label"].tolist() == ["Ia"]
    assert set(report.curves.band_names) >= {"bessellb", "bessellv", "2massj"}


# -- OTTER


def test_otter():
    curves = read(otter(), verbose=False)
    # 20.0 mag (AB), and 0.1 mJy, which is 18.9 mag
    np.testing.assert_allclose(curves.flux, [1000.0, 100 * 10**1.44], rtol=1e-9)
    np.testing.assert_allclose(curves.flux_err, [92.1034, 10 * 10**1.44], rtol=1e-6)
    np.testing.assert_allclose(curves.time, [58405.5, 58409.5])
    assert [band.wavelength for band in curves.passbands] == [0.475, 0.551]
    about = curves.metadata.loc["AT2018hyz"]
    assert (about["label"], about["redshift"]) == ("TDE", 0.0457)
    np.testing.assert_allclose(about["ra"], 15 * (10 + 6 / 60 + 50.87 / 3600))
    np.testing.assert_allclose(about["dec"], 1 + 41 / 60 + 34.1 / 3600)


def block(**entries):
    base = {"raw": [20.0], "raw_err": [0.1], "raw_units": "mag(AB)", "date": [58405.5],
            "date_format": "MJD", "filter_key": "V", "obs_type": "uvoir"}  # fmt: skip
    return otter(photometry=[base, {**base, "date": [58406.5], **entries}])


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ({"upperlimit": [True]}, "upper limits"),
        ({"obs_type": "xray"}, "radio or X-ray"),
        ({"filter_key": "5.0GHz"}, "without a wavelength"),
        ({"raw_units": "ct"}, "no flux per frequency: ct"),
        ({"corr_k": True}, "corrected"),
        ({"raw_err": []}, "without a value or an error"),
    ],
)
def test_otter_rows_that_are_left_out_are_reported(entries, reason):
    report = read_report(block(**entries))
    assert report.curves.time.tolist() == [58405.5]
    assert any(reason in note for note in report.notes)


def test_otter_systems_dates_and_telescopes():
    vega = read_otter(block(raw_units="vega", date_format="iso", date=["2018-10-15 12:00:00"],
                            telescope="Swift"))  # fmt: skip
    np.testing.assert_allclose(vega.time, [58405.5, 58406.5], atol=1e-8)
    assert vega.band_names.tolist() == ["V", "uvotv"]
    offset = ab_minus_vega(get_passband("uvotv"))
    np.testing.assert_allclose(vega.flux[1], 10 ** (-0.4 * (20.0 + offset - 27.5)))
    named = read_otter(block(), bands={"V": "bessellv"})
    assert named.band_names.tolist() == ["bessellv", "bessellv"]


def test_the_first_version_of_the_schema():
    row = {"raw": 20.0, "raw_err": 0.1, "raw_units": "mag(AB)", "date": 59077.5,
           "date_format": "MJD", "filter_key": "g", "obs_type": "uvoir"}  # fmt: skip
    radio = {"raw": 0.05, "raw_units": "mJy", "date": 59077.23, "date_format": "MJD",
             "filter_key": "5.0GHz", "obs_type": "radio"}  # fmt: skip
    content = otter(
        coordinate={"equitorial": [{"ra": "15 56 25.728", "dec": "-23 22 21.15"}]},
        distance={"redshift": [{"value": "0.159"}]},
        classification=[{"object_class": "TDE", "confidence": 1.0}],
        photometry={"phot_0": {"magnitude": [row, {**row, "date": 59078.5}], "flux": [radio]}},
    )
    report = read_report(b"[" + content + b"]")
    assert report.curves.flux.tolist() == [1000.0, 1000.0]
    about = report.curves.metadata.loc["AT2018hyz"]
    assert (about["label"], about["redshift"]) == ("TDE", 0.159)
    np.testing.assert_allclose(about["ra"], 15 * (15 + 56 / 60 + 25.728 / 3600))
    np.testing.assert_allclose(about["dec"], -(23 + 22 / 60 + 21.15 / 3600))


def test_several_transients():
    both = [json.loads(otter("A")), json.loads(otter("B"))]
    assert read(both, verbose=False).ids.tolist() == ["A", "B"]


def test_blocks_of_unequal_lists_are_refused():
    with pytest.raises(LightCurveError, match=r"photometry 1 has 1 values and 2 of raw_err"):
        read_otter(block(raw_err=[0.1, 0.2]))


@pytest.mark.parametrize("content", [open_catalog(), otter()])
def test_incomplete_json(tmp_path, content):
    path = tmp_path / "a.json"
    path.write_bytes(content[:-40])
    with pytest.raises(LightCurveError, match="not complete JSON") as error:
        read(path, verbose=False)
    assert str(path) in str(error.value)


_OTTER = {
    "name": {"default_name": "AT1a"},
    "filter_alias": [{"filter_key": "g", "wave_eff": 475.0}],
    "distance": [{"distance_type": "redshift", "value": "0.1"}],
    "photometry": [{"raw": [17.0], "raw_err": [0.1], "raw_units": "AB", "date": [58000.5],
                    "date_format": "mjd", "filter_key": "g", "obs_type": "uvoir"}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "AT1a"}, "name is 'AT1a', and not an object"),
        ({"photometry": [1.5]}, "AT1a, photometry 0 is '1.5', and not an object"),
        ({"photometry": [{"raw": 17.0}]}, "photometry 0 has no list of values"),
        ({"filter_alias": 3}, "filter_alias is '3', and not a list"),
        ({"filter_alias": [{"filter_key": "g", "wave_eff": [1]}]}, "of the filter g is"),
        ({"distance": [{"value": "t"}]}, "redshift is 't', and not a number"),
        ({"classification": {"value": [{"confidence": "x"}]}}, "confidence is 'x'"),
    ],
)
def test_parts_of_otter_that_are_of_another_kind_are_named(change, message):
    assert len(read_otter(_OTTER)) == 1
    with pytest.raises(LightCurveError, match=message):
        read_otter(_OTTER | change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"photometry": 1.5}, "SN1a, photometry is '1.5', and not a list"),
        ({"photometry": ["x"]}, "photometry 0 is 'x', and not an object"),
        ({"redshift": [{"value": "t"}]}, "SN1a, redshift is 't', and not a number"),
        ({"claimedtype": {"value": "Ia"}}, "claimedtype is .* and not a list"),
        ({"ra": [{"value": "1:x"}]}, "ra is 'x', and not a number"),
    ],
)
def test_parts_of_the_open_catalog_that_are_of_another_kind_are_named(change, message):
    row = {"time": "5e4", "u_time": "MJD", "band": "V", "magnitude": "16", "e_magnitude": "0.1"}
    item = {"photometry": [row]}
    assert len(read_open_catalog({"SN1a": item})) == 1
    with pytest.raises(LightCurveError, match=message):
        read_open_catalog({"SN1a": item | change})
