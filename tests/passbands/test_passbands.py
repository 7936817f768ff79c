"""Passbands: names resolve to one band or to a helpful error; wavelengths are those of sncosmo.

``python tests/passbands/test_passbands.py`` rewrites the tables of docs/passbands.md.
"""

import os
import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joblib.externals.loky import get_reusable_executor
from nested_pandas import NestedFrame

import sklc.passbands.lookup as lookup_module
from sklc import LightCurves, as_light_curves
from sklc.errors import LightCurveError, UnknownPassbandError
from sklc.passbands import (
    Passband,
    find_passbands,
    get_passband,
    list_passbands,
    passband_labels,
    register_passband,
)
from sklc.passbands.table import FOLLOW_UP, STANDARD, SURVEYS
from sklc.simulate.surveys import Survey

PAGE = Path(__file__).parents[2] / "docs" / "passbands.md"
BEGIN, END = "<!-- tables: begin -->", "<!-- tables: end -->"
BUILT_IN = list_passbands()
INTEGRATED = "mean of the transmission curve distributed with sncosmo"


@pytest.fixture(autouse=True)
def _fresh_registry(monkeypatch):
    """What a test registers is forgotten after it."""
    monkeypatch.setattr(lookup_module, "_registry", lookup_module._registry)


# ---------------------------------------------------------------- names


@pytest.mark.parametrize("band", BUILT_IN, ids=lambda band: band.name)
def test_every_name_and_alias_resolves(band):
    assert get_passband(band.name) is band
    assert get_passband(band) is band
    for alias in band.aliases:
        assert get_passband(alias, survey=band.survey) is band
        assert get_passband(f"{band.survey}_{alias}") is band
    if band.sncosmo_name:
        assert get_passband(band.sncosmo_name) is band


@pytest.mark.parametrize(("name", "survey", "expected"), [
    ("ztfg", None, "ztfg"), ("ZTFG", None, "ztfg"), ("ZTF_g", None, "ztfg"),
    ("ztf-r", None, "ztfr"), ("lsst-g", None, "lsstg"), ("LSST y", None, "lssty"),
    ("Pan-STARRS z", None, "ps1z"), ("psg", None, "ps1g"), ("ps1::w", None, "ps1w"),
    ("gaia::gbp", None, "gaia_bp"), ("Gaia_G", None, "gaia_g"), ("Gaia_G_RP", None, "gaia_rp"),
    ("MLS_r", None, "CRTS_r"), ("uvotW2", None, "uvotuvw2"), ("uvotUVW1", None, "uvotuvw1"),
    ("uvot::uvm2", None, "uvotuvm2"), ("UVM2", None, "uvotuvm2"), ("Johnson V", None, "bessellv"),
    ("CSS_V", None, "crtsV"), ("ASAS-SN_V", None, "asassnV"), ("WISE_W1", None, "wiseW1"),
    ("NUV", None, "galexNUV"), ("HST_F625W", None, "F625W"), ("IO:O_r", None, "LT_r"),
    ("P48_r", None, "P48_r"), ("P48_R", None, "P48_R"), ("--_r", None, "generic_r"),
    (" ztfg ", None, "ztfg"), (b"ztfg  ", None, "ztfg"), (np.str_("ztfg"), None, "ztfg"),
    ("g", "ztf", "ztfg"), ("R", "ZTF", "ztfr"), ("g", "ZTF-BTS", "ztfg"),
    ("g", "SLSN-cat:ZTF", "ztfg"), ("g", "lsst", "lsstg"), ("r", "PS1-MD-spec", "ps1r"),
    ("i", "DES-SN3YR", "desi"), ("V", "CRTS-SSS", "crtsV"), ("G", "gaia", "gaia_g"),
    ("BP", "gaia", "gaia_bp"), ("c", "atlas", "atlasc"), ("cyan", None, "atlasc"),
    ("V", "asas-sn", "asassnV"), ("B", "johnson", "bessellb"), ("Ks", "2MASS", "2massks"),
    (1, "ztf", "ztfg"), (np.int64(2), "ztf", "ztfr"), (3.0, "ztf", "ztfi"), ("2", "ztf", "ztfr"),
    (1, "lsst", "lsstg"), ("ztfg", "lsst", "ztfg"), ("ztf_g", "lsst", "ztfg"),
    ("ztfg", "a survey nobody knows", "ztfg"),
])  # fmt: skip
def test_spellings(name, survey, expected):
    assert get_passband(name, survey).name == expected


@pytest.mark.parametrize("name", ["g", "r", "u", "V", "W1", 0, 1, "2"])
def test_short_names_need_a_survey(name):
    with pytest.raises(UnknownPassbandError, match='Pass the survey, for example survey="'):
        get_passband(name)


def test_ambiguous_name_lists_the_candidates():
    with pytest.raises(UnknownPassbandError, match=r"ambiguous: ztfg \(ZTF\), lsstg \(LSST\)"):
        get_passband("g")


@pytest.mark.parametrize(
    ("name", "survey"), [("u", "ztf"), ("c", "ztf"), ("W1", "ztf"), (7, "ztf")]
)
def test_a_short_name_never_leaves_its_survey(name, survey):
    with pytest.raises(UnknownPassbandError, match="ZTF has ztfg, ztfr, ztfi"):
        get_passband(name, survey)


def test_unknown_survey_is_named():
    with pytest.raises(UnknownPassbandError, match="Survey 'xyz' is unknown; known are ZTF, LSST"):
        get_passband("g", survey="xyz")
    with pytest.raises(UnknownPassbandError, match="Survey 'xyz' is unknown"):
        list_passbands("xyz")


def test_unknown_name_says_what_is_close_and_how_to_register_it():
    with pytest.raises(UnknownPassbandError) as error:
        get_passband("ztfgg")
    message = str(error.value)
    assert "ztfg" in message
    assert 'sklc.register_passband("ztfgg", wavelength=<micrometre>)' in message


@pytest.mark.parametrize(("name", "survey"), [("ztfgg", None), ("q", "ztf"), ("my band", None)])
def test_the_remedy_works_once_the_wavelength_is_filled_in(name, survey):
    with pytest.raises(UnknownPassbandError) as error:
        get_passband(name, survey)
    line = str(error.value).split("sklc.", 1)[1].replace("<micrometre>", "0.48")
    registered = eval(line, {"register_passband": register_passband})
    assert get_passband(name, survey) is registered


@pytest.mark.parametrize("missing", [None, np.nan, ""])
def test_missing_band(missing):
    with pytest.raises(UnknownPassbandError, match="missing value"):
        get_passband(missing)


def test_find_passbands_keeps_order_and_lists_every_problem_once():
    own = Passband("own", "user", 0.5)
    assert find_passbands(["r", own, "g", "r"], "ztf") == [
        get_passband("ztfr"),
        own,
        get_passband("ztfg"),
        get_passband("ztfr"),
    ]
    assert find_passbands([]) == []
    with pytest.raises(UnknownPassbandError) as error:
        find_passbands(["ztfg", "nope1", "g", "nope2", "nope1"])
    message = str(error.value)
    assert message.startswith("3 passbands cannot be resolved")
    assert message.count("'nope1'") == message.count("'nope2'") == message.count("'g'") == 1


@given(st.one_of(st.text(max_size=12), st.integers(), st.floats(), st.binary(max_size=6)))
def test_any_name_resolves_or_raises_the_one_error(name):
    try:
        band = get_passband(name, survey="ztf")
    except UnknownPassbandError:
        return
    assert band in BUILT_IN


# ---------------------------------------------------------------- the table


def test_canonical_names_and_aliases_are_unique():
    names = [band.name for band in BUILT_IN]
    assert len(names) == len(set(names))
    same = {name for name in names if names.count(name) + len(_of_other_case(name, names)) > 1}
    assert {name[-1] for name in same} == set("rRiI")  # P48_r is Sloan's, P48_R Cousins'
    for survey in {band.survey for band in BUILT_IN}:
        aliases = [alias for band in list_passbands(survey) for alias in band.aliases]
        assert len(aliases) == len(set(aliases)), survey


def _of_other_case(name, names):
    return [other for other in names if other != name and other.casefold() == name.casefold()]


def test_every_band_has_a_source_and_a_wavelength():
    for band in BUILT_IN:
        assert band.source, band
        assert 0.1 < band.wavelength < 26, band
        assert band.ab_minus_vega is None or -0.2 < band.ab_minus_vega < 7, band


@pytest.mark.parametrize("survey", sorted({band.survey for band in BUILT_IN}))
@pytest.mark.parametrize("order", ["ugrizy", "UBVRI", "JHK"])
def test_wavelengths_follow_the_letters(survey, order):
    bands = {alias: band.wavelength for band in list_passbands(survey) for alias in band.aliases}
    waves = [bands[letter] for letter in order if letter in bands]
    assert all(np.diff(waves) > 0), (survey, order)


@pytest.mark.parametrize("letter", "ugrizy")
def test_one_letter_is_about_one_wavelength(letter):
    """The same letter of two surveys differs by less than 10 %."""
    waves = [
        get_passband(letter, survey).wavelength
        for survey in ("ZTF", "LSST", "PS1", "DES", "SDSS", "CSP", "MegaCam", "HSC", "GROND")
        if any(letter in band.aliases for band in list_passbands(survey))
    ]
    assert max(waves) / min(waves) < 1.1


def test_required_surveys():
    wanted = "ZTF:gri LSST:ugrizy PS1:grizy DES:griz SDSS:ugriz ATLAS:co Bessell:UBVRI CRTS:V"
    for survey, letters in (entry.split(":") for entry in (*wanted.split(), "ASAS:V")):
        assert all(get_passband(letter, survey).survey == survey for letter in letters)
    wanted_names = "gaia_g gaia_bp gaia_rp kepler tess uvotuvw2 uvotuvm2 uvotuvw1 uvotu uvotb uvotv"
    assert len(find_passbands(wanted_names.split())) == 11


# ---------------------------------------------------------------- sncosmo


def _compare(bands):
    sncosmo = pytest.importorskip("sncosmo", reason="sncosmo is missing: pip install 'sklc[sim]'")
    for band in bands:
        expected = sncosmo.get_bandpass(band.sncosmo_name).wave_eff / 1e4
        assert band.wavelength == pytest.approx(expected, abs=2e-5), band.name


def test_bessell_wavelengths_are_those_of_sncosmo():
    _compare(list_passbands("Bessell"))


def test_wavelengths_are_those_of_sncosmo(sncosmo_data):
    """Every band whose source claims a curve of sncosmo is integrated here."""
    bands = [band for band in BUILT_IN if band.source.startswith(INTEGRATED)]
    surveys = {band.survey for band in bands}
    assert surveys == {"ZTF", "LSST", "PS1", "DES", "SDSS", "Kepler", "Swift", "Bessell"}
    _compare(bands)


# ---------------------------------------------------------------- registration


def test_register():
    band = register_passband("mytel_g", 0.477, survey="MyTel", aliases=["g"], source="lab")
    assert band == Passband("mytel_g", "MyTel", 0.477, ("g",), "lab")
    assert get_passband("mytel_g") is band
    assert get_passband("g", survey="mytel") is band
    assert get_passband("mytel-g") is band
    assert list_passbands("mytel") == [band]
    assert list_passbands()[-1] is band
    assert get_passband("g", survey="ztf").name == "ztfg"


def test_register_again_is_harmless_and_adds_aliases():
    first = register_passband("mytel_g", 0.477)
    assert register_passband("mytel_g", 0.477) is first
    more = register_passband("mytel_g", wavelength=0.47705, aliases=["G'"])
    assert more.aliases == ("G'",)
    assert more.wavelength == 0.477
    assert get_passband("G'") is more
    assert register_passband("ztfg", 0.4814) is get_passband("ztfg")


def test_register_joins_a_known_survey():
    band = register_passband("ztf_u", 0.36, survey="ztf", aliases=["u"])
    assert band.survey == "ZTF"
    assert get_passband("u", survey="ZTF-BTS") is band


def test_register_a_short_name_of_ones_own():
    """ "g" alone becomes the user's own; a survey's "g" does not change."""
    band = register_passband("g", 0.51)
    assert get_passband("g") is band
    assert get_passband("g", survey="ztf").name == "ztfg"


@pytest.mark.parametrize("name", ["ztfg", "ZTFG", "ZTF_g", "UVW1"])
def test_a_known_name_cannot_be_redefined(name):
    with pytest.raises(LightCurveError, match="already known"):
        register_passband(name, 0.51)
    assert get_passband("ztfg").wavelength == 0.4814


def test_an_alias_cannot_be_taken_from_another_band():
    with pytest.raises(LightCurveError, match=r"alias 'ztfg' .* already that of 'ztfg'"):
        register_passband("other", 0.5, aliases=["ztfg"])
    with pytest.raises(LightCurveError, match=r"alias 'g' .* already that of 'ztfg'"):
        register_passband("other", 0.5, survey="ztf", aliases=["g"])
    with pytest.raises(UnknownPassbandError):
        get_passband("other")


def test_a_known_name_cannot_move_to_another_survey():
    register_passband("mytel_g", 0.477, survey="mytel")
    with pytest.raises(LightCurveError, match=r"of mytel at 0\.477 micrometre, not of other"):
        register_passband("mytel_g", 0.477, survey="other")
    assert register_passband("mytel_g", 0.477).survey == "mytel"


def test_a_registered_band_reaches_readers_and_simulations(tmp_path):
    band = register_passband("mytel_V", 0.55, survey="mytel", aliases=["V"])
    frame = pd.DataFrame({"object_id": [1, 1], "mjd": [1.0, 2.0], "flux": [5.0, 6.0]})
    frame = frame.assign(flux_err=1.0, band="mytel_V")
    curves = LightCurves.from_frame(frame)
    nested = NestedFrame({"survey": ["mytel"]}, index=[1]).join_nested(
        frame.assign(band="V").set_index("object_id"), "lightcurve"
    )
    curves.metadata.reset_index().to_parquet(tmp_path / "objects.parquet")
    frame.to_parquet(tmp_path / "photometry.parquet")
    for made in (
        curves,
        LightCurves.from_arrays([[1.0]], [[5.0]], [[1.0]], "V", survey="mytel"),
        LightCurves.from_nested(nested),
        LightCurves.from_parquet(tmp_path),
        LightCurves.from_frame(frame.drop(columns="band"), band=None, passband="mytel_V"),
        as_light_curves([frame]),
    ):
        assert made.passbands == (band,)
        assert made.passbands[0].aliases == ("V",)
    pointings = pd.DataFrame({"mjd": [60000.2], "band": ["V"], "depth": [21.0], "position": [0]})
    assert Survey.from_pointings(pointings, name="mytel").passbands == (band,)


def test_a_name_that_is_registered_otherwise_does_not_change_light_curves(tmp_path):
    mine = Passband("mytel_g", "mytel", 0.51)
    curves = LightCurves.from_arrays([[1.0]], [[5.0]], [[1.0]], mine)
    frame, nested = curves.to_frame(), curves.to_nested()
    curves.to_parquet(tmp_path)
    register_passband("mytel_g", 0.48, survey="other")
    assert LightCurves.from_frame(frame).passbands == (mine,)
    assert LightCurves.from_nested(nested).passbands == (mine,)
    assert LightCurves.from_parquet(tmp_path).passbands == (mine,)


def test_simulated_surveys_tell_passbands_of_one_name_apart():
    bands = {"old": Passband("g", "mytel", 0.48), "new": Passband("g", "mytel", 0.5)}
    table = pd.DataFrame({"mjd": [60000.2, 60001.2], "depth": 21.0, "position": 0})
    survey = Survey.from_pointings(table.assign(band=["new", "old"]), name="mytel", passbands=bands)
    assert survey.passbands == (bands["old"], bands["new"])
    assert sorted(survey.visits.band[np.argsort(survey.visits.time)]) == [0, 1]
    assert survey.summary().index.tolist() == ["g(mytel 0.48um)", "g(mytel 0.5um)"]
    curve, other = ([4000.0, 5000.0], [0.0, 0.8]), ([4000.0, 6000.0], [0.5, 0.1])
    own = replace(survey, curves={bands["old"]: curve, "g": other})
    assert (own.throughput(0), own.throughput(1)) == (curve, other)


@pytest.mark.parametrize("wavelength", [4800.0, 0.0, -0.5, np.nan, np.inf, None, "blue"])
def test_wavelength_must_be_in_micrometre(wavelength):
    with pytest.raises(LightCurveError, match="micrometre"):
        register_passband("new", wavelength)


@pytest.mark.parametrize("text", ["", "  ", None, 3])
def test_a_name_and_a_survey_are_needed(text):
    with pytest.raises(LightCurveError, match="needs a name"):
        Passband(text, "user", 0.5)
    with pytest.raises(LightCurveError, match="'g' needs a survey"):
        Passband("g", text, 0.5)


_IDENTITY = st.tuples(st.sampled_from("gr"), st.sampled_from("AB"), st.sampled_from([0.4, 0.5]))


@given(_IDENTITY, _IDENTITY)
def test_identity_is_name_survey_and_wavelength(first, second):
    one, other = Passband(*first, aliases=["x"], source="here"), Passband(*second)
    assert (one == other) == (first == second)
    assert len({one, other}) == len({first, second})
    labels = passband_labels({one: None, other: None})
    assert len(set(labels)) == len({first, second})
    assert (labels[0] == first[0]) == (first[0] != second[0] or first == second)


def test_threads_register_without_losing_any():
    def register(number):
        register_passband(f"thread{number}", 0.3 + number / 100)
        return get_passband("ztfg").name

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(register, range(40))) == {"ztfg"}
    assert [get_passband(f"thread{n}").wavelength for n in range(40)] == [
        0.3 + n / 100 for n in range(40)
    ]


# ---------------------------------------------------------------- other processes


def _in_worker(band):
    try:
        get_passband(band.name)
        known = True
    except UnknownPassbandError:
        known = False
    found = find_passbands([band, "ztfg"])
    return os.getpid(), known, [one.wavelength for one in found], found[0]


@pytest.mark.slow
def test_a_registered_band_works_in_worker_processes():
    """A worker does not know the name, but works with the band that the light curves carry."""
    band = register_passband("worker_band", 0.477, aliases=["w"], source="lab")
    worker = get_reusable_executor(max_workers=1)
    pid, known, wavelengths, back = worker.submit(_in_worker, band).result()
    get_reusable_executor().shutdown(wait=True)  # later tests have another environment
    assert pid != os.getpid()
    assert not known
    assert wavelengths == [0.477, 0.4814]
    assert back == band
    assert get_passband(back) is back


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickle_names_the_public_module(protocol):
    band = get_passband("ztfg")
    data = pickle.dumps(band, protocol)
    assert pickle.loads(data) == band
    assert b"sklc.passbands" in data
    assert b"registry" not in data


def test_passbands_are_immutable_and_hashable():
    band = get_passband("ztfg")
    with pytest.raises(AttributeError):
        band.wavelength = 1.0
    assert len({band, pickle.loads(pickle.dumps(band)), get_passband("ztfr")}) == 2
    assert Passband("a", "b", 0.5, aliases="g").aliases == ("g",)


# ---------------------------------------------------------------- documentation


def test_page_lists_every_band():
    """Rewrite the tables with: python tests/passbands/test_passbands.py."""
    text = PAGE.read_text(encoding="utf-8")
    assert text[text.index(BEGIN) : text.index(END)] == _tables()


def _tables():
    """The tables of the page, from the passbands themselves."""
    lines = [BEGIN, "", "| survey | bands | wavelengths |", "|---|---|---|"]
    surveys = {survey.name: [] for survey in SURVEYS}
    for survey in SURVEYS:
        surveys[survey.name].append(survey)
    for name, entries in surveys.items():
        known_as = f" ({', '.join(entries[0].aliases)})" if entries[0].aliases else ""
        sources = {band.source: [] for band in BUILT_IN if band.survey == name}
        for source in sources:
            sources[source] = [b for b in BUILT_IN if (b.survey, b.source) == (name, source)]
        for source, own in sources.items():
            bands = ", ".join(map(_entry, own))
            lines.append(
                f"| {name}{known_as} | {bands} | {source.replace(INTEGRATED, 'sncosmo')} |"
            )
        labels = [f"`{label}` {band}" for e in entries for label, band in e.labels.items()]
        if labels:
            lines.append(f"| {name}{known_as} | {', '.join(labels)} | as the other survey |")
    follow_up = []
    for telescope in [name for name in FOLLOW_UP if name not in surveys]:
        aliases = "".join(f" (`{alias}`)" for alias in FOLLOW_UP[telescope][0])
        letters = [band.name.rpartition("_")[2] for band in BUILT_IN if band.survey == telescope]
        follow_up.append(f"{telescope}{aliases} `{','.join(letters)}`")
    standard = [f"{letter} as `{name}`" for letter, name in STANDARD.items()]
    lines += ["", "Follow-up telescopes: " + "; ".join(follow_up) + "."]
    lines += ["", "Their filters: " + ", ".join(standard) + "."]
    return "\n".join([*lines, "", ""])


def _entry(band):
    aliases = "/".join(f"`{alias}`" for alias in band.aliases)
    return f"`{band.name}`{'/' * bool(aliases)}{aliases} {band.wavelength:.4f}"


if __name__ == "__main__":
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(
        page[: page.index(BEGIN)] + _tables() + page[page.index(END) :], encoding="utf-8"
    )


@pytest.mark.parametrize(("name", "survey"), [("ztfgg", None), ("q", "ztf"), ("my band", None)])
def test_the_remedy_works_as_written(name, survey):
    with pytest.raises(UnknownPassbandError) as error:
        get_passband(name, survey)
    line = str(error.value).split("sklc.", 1)[1].replace("<micrometre>", "0.6")
    registered = eval(line, {"register_passband": register_passband})
    assert get_passband(name, survey) is registered
