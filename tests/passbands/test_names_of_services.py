"""Labels as public services, surveys and other packages write them; the case of a letter counts."""

import time

import numpy as np
import pytest

import sklc.passbands.lookup as lookup_module
from sklc import LightCurves
from sklc.errors import LightCurveError, UnknownPassbandError
from sklc.passbands import (
    Passband,
    find_passbands,
    get_passband,
    list_passbands,
    register_passband,
)

BUILT_IN = list_passbands()


@pytest.fixture(autouse=True)
def _fresh_registry(monkeypatch):
    monkeypatch.setattr(lookup_module, "_registry", lookup_module._registry)


# ---------------------------------------------------------------- names


@pytest.mark.parametrize(("name", "expected"), [
    ("PAN-STARRS/PS1.g", "ps1g"), ("Palomar/ZTF.r", "ztfr"), ("SLOAN/SDSS.g", "sdssg"),
    ("Swift/UVOT.U", "uvotu"), ("Swift/UVOT.UVW2", "uvotuvw2"), ("LSST/LSST.y", "lssty"),
    ("CTIO/DECam.Y", "desy"), ("2MASS/2MASS.Ks", "2massks"), ("GAIA/GAIA3.Gbp", "gaia_bp"),
    ("GAIA/GAIA2r.G", "gaia_g"), ("Kepler/Kepler.K", "kepler"), ("TESS/TESS.Red", "tess"),
    ("Generic/Bessell.V", "bessellv"), ("Generic/Cousins.R", "bessellr"),
    ("Misc/Atlas.cyan", "atlasc"), ("Subaru/HSC.i2", "hsci2"), ("WISE/WISE.W1", "wiseW1"),
    ("CFHT/MegaCam.g", "megacamg"), ("HST/WFC3_UVIS2.F225W", "F225W"),
    ("GALEX/GALEX.FUV", "galexFUV"),
    ("JWST/NIRCam.F200W", "F200W"), ("Spitzer/IRAC.I2", "irac2"),
    ("Hipparcos/Hipparcos.Hp", "hipHp"),
    ("Liverpool/IOO.r", "LT_r"), ("g-ZTF", "ztfg"), ("orange-ATLAS", "atlaso"),
    ("R-Cousins", "bessellr"),
    ("w-PS1", "ps1w"), ("UVM2-UVOT", "uvotuvm2"), ("g_PS1", "ps1g"), ("sdss::u", "sdssu"),
    ("standard::b", "standard::b"), ("nicmos2::f110w", "nicf110w"), ("erosB", "erosB"),
    ("ogleI", "ogleI"), ("clear", "clear"), ("uvot::UVW1", "uvotuvw1"), ("lco_r", "LCO_r"),
    ("LCO_R", "LCO_R"),
])  # fmt: skip
def test_names_that_tell_their_survey(name, expected):
    assert get_passband(name).name == expected


@pytest.mark.parametrize(("label", "survey", "expected"), [
    ("zg", "ZTF", "ztfg"), ("zi", "ztf", "ztfi"), ("X", "YSE", "ztfg"), ("Y", "YSE", "ztfr"),
    ("z", "YSE", "ps1z"), ("g", "LSSTComCam", "lsstg"), ("r_03", "LSSTComCam", "lsstr"),
    ("Y", "DP0.2", "lssty"), ("Y", "DES", "desy"), ("R", "ZTF", "ztfr"),
    ("Vis.", "AAVSO", "aavsoVis"),
    ("CV", "AAVSO", "aavsoCV"), ("TG", "AAVSO", "aavsoTG"), ("V", "AAVSO", "bessellv"),
    ("SG", "AAVSO", "sdssg"), ("u", "UVOT", "uvotu"), ("uvw2", "Swift", "uvotuvw2"),
    ("UW1", "Swift", "uvotuvw1"), ("G", "Gaia", "gaia_g"), ("bp", "Gaia", "gaia_bp"),
    ("v", "SkyMapper", "skymapperv"), ("gp", "LCO", "LCO_g"), ("i'", "SDSS", "sdssi"),
    ("R", "PTF", "PTF_R"), ("r", "PTF", "PTF_r"), ("B", "KAIT", "kaitB"),
    ("Hp", "Hipparcos", "hipHp"),
    ("I", "OGLE", "ogleI"), ("V1", "CSP2", "cspv3009"), ("K", "Kepler", "kepler"),
])  # fmt: skip
def test_labels_of_surveys(label, survey, expected):
    assert get_passband(label, survey).name == expected


@pytest.mark.parametrize(("label", "survey"), [
    ("r", "Bessell"), ("i", "Landolt"), ("u", "Bessell"), ("I", "ZTF"), ("G", "ZTF"),
    ("R", "CSP"), ("i", "KAIT"), ("R", "SDSS"), ("U", "DES"), ("g", "Gaia"), ("V", "SkyMapper"),
    ("R", "FLWO"), ("I", "P48"), ("R", "LSST"), ("Q", "YSE"), ("X", "PS1"),
])  # fmt: skip
def test_a_letter_of_the_other_case_is_another_band(label, survey):
    with pytest.raises(UnknownPassbandError) as error:
        get_passband(label, survey)
    assert "different bands" in str(error.value) or label in "QIX"
    with pytest.raises(UnknownPassbandError):
        get_passband(f"{survey}_{label}")
    line = str(error.value).split("sklc.", 1)[1].replace("<micrometre>", "0.6")
    registered = eval(line, {"register_passband": register_passband})
    assert get_passband(label, survey) is registered


@pytest.mark.parametrize("label", ["c", "BP", "zg", "W3", "Hp", "1"])
@pytest.mark.parametrize("survey", ["a survey nobody knows", "DES"])
def test_a_short_label_never_becomes_that_of_another_survey(label, survey):
    with pytest.raises(UnknownPassbandError):
        get_passband(label, survey)
    register_passband("X9", 0.5)  # a user's own name, of no survey
    assert get_passband("X9", "DES").wavelength == 0.5


def test_every_name_of_sncosmo():
    bandpasses = pytest.importorskip("sncosmo.bandpasses", reason="pip install 'sklc[sim]'")
    names = {key[0] for key in bandpasses._BANDPASSES._loaders}
    unknown = [name for name in sorted(names) if lookup_module.lookup_passband(name) is None]
    assert set(unknown) <= {"megacam6::i2"}
    assert len(names) > 150


def test_a_wrong_name_of_any_length_is_cut():
    with pytest.raises(UnknownPassbandError) as error:
        get_passband("q" * 5000)
    assert str(error.value).index("...") < 200


# ---------------------------------------------------------------- one resolver


LABELS = ["g", "r", "R", "Y", "y", "c", "W1", "ztfg", "cyan", "1", "zg", "PS1_g"]
SURVEYS = ["ztf", "YSE", "ATLAS", "Bessell", "unknown to all"]


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("survey", SURVEYS)
def test_a_survey_per_object_resolves_as_one_survey(label, survey):
    one = {"offsets": [0, 1], "band": [label]}
    two = {"offsets": [0, 1, 2], "band": [label, "ztfr"]}

    def outcome(make):
        try:
            return make()[0].band_names.tolist()
        except UnknownPassbandError as error:
            return str(error)

    expected = outcome(lambda: LightCurves.from_arrays([1.0], [2.0], **one, survey=survey))
    assert expected == outcome(
        lambda: LightCurves.from_arrays([1.0, 2.0], [2.0, 3.0], **two, survey=[survey, "lsst"])
    )


def test_an_object_without_survey_does_not_take_that_of_another():
    make = {"offsets": [0, 1, 2], "band": ["g", "g"]}
    with pytest.raises(UnknownPassbandError, match=r"position 1.*ambiguous"):
        LightCurves.from_arrays([1.0, 2.0], [2.0, 3.0], **make, survey=["ztf", None])


# ---------------------------------------------------------------- offsets, size


def test_offsets_from_vega_are_those_of_sncosmo(sncosmo_data):
    import sncosmo

    ab, vega = sncosmo.get_magsystem("ab"), sncosmo.get_magsystem("vega")
    integrated = [b for b in BUILT_IN if b.source.startswith("mean of the transmission curve dist")]
    assert len(integrated) >= 40
    for band in integrated:
        bandpass = sncosmo.get_bandpass(band.sncosmo_name)
        expected = 2.5 * np.log10(ab.zpbandflux(bandpass) / vega.zpbandflux(bandpass))
        # those of UVOT are the published ones
        assert band.ab_minus_vega == pytest.approx(expected, abs=0.06), band.name


def test_the_offset_of_a_band_is_registered():
    grond = get_passband("grondg")
    assert grond.ab_minus_vega is None
    register_passband("grondg", grond.wavelength, survey="GROND", ab_minus_vega=-0.08)
    assert get_passband("g", "GROND").ab_minus_vega == -0.08
    with pytest.raises(LightCurveError, match=r"known with ab_minus_vega=-0\.08"):
        register_passband("grondg", grond.wavelength, survey="GROND", ab_minus_vega=0.3)
    with pytest.raises(LightCurveError, match="not an offset in magnitudes"):
        Passband("mine", "user", 0.5, ab_minus_vega="blue")


def test_hundreds_of_passbands_are_registered_and_found_in_less_than_a_second():
    start = time.perf_counter()
    for k in range(500):
        register_passband(f"many{k}", 0.3 + k * 1e-3, survey="many", aliases=[f"alias{k}"])
    found = find_passbands([f"alias{k}" for k in range(500)], "many")
    with pytest.raises(UnknownPassbandError, match=r"(?s)3000 passbands .* more, among them"):
        find_passbands([f"never{k}" for k in range(3000)])
    assert time.perf_counter() - start < 1.0
    assert [band.wavelength for band in found] == [0.3 + k * 1e-3 for k in range(500)]
