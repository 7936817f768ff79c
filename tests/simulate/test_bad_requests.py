"""Requests that cannot be simulated, and templates and packages that are missing."""

import os
import re
import subprocess
import sys
import time as clock
import urllib.request
from urllib.error import URLError

import numpy as np
import pytest

from sklc.errors import SimulationError
from sklc.simulate import Photometry, SourceClass, SpectralSource, Trigger, simulate
from sklc.simulate.sources import SALTSource
from sklc.simulate.spectra.templates import find_snoopy_file

sncosmo = pytest.importorskip("sncosmo", reason="sncosmo is not installed: pip install 'sklc[sim]'")


@pytest.mark.parametrize(("n", "classes", "message"), [
    (-1, "SNIa", "the number of SNIa is -1: pass an integer of at least 0"),
    (True, "SNIa", "the number of SNIa is True"), (2.0, "SNIa", r"the number of SNIa is 2\.0"),
    ("5", "SNIa", "the number of SNIa is '5'"), (None, None, "the number of SNIa is None"),
    ({"SNIa": -3}, None, "the number of SNIa is -3"),
    ({"SNIa": 3}, "TDE", "classes has 'TDE', but n gives no number for it"),
    ({"SNIz": 3}, None, "There is no class named 'SNIz'"),
    (3, "snia", "no class named 'snia'. Did you mean 'SNIa'.* Known are .*register_class"),
    (3, ["SNIa", "TDE", "SNIa"], "class 'SNIa' is given twice"), (3, [], "classes is empty"),
    (3, 7, "A class is a name or a sklc.simulate.SourceClass, got int"),
    (3, [None], "got NoneType"),
    (3, SALTSource(), "got SALTSource: for a source of your own use SourceClass"),
])  # fmt: skip
def test_bad_numbers_and_classes(n, classes, message):
    with pytest.raises(SimulationError, match=message):
        simulate(n, "ztf", classes)


@pytest.mark.parametrize(("options", "message"), [
    ({"redshift": "uniform"}, "redshift='uniform' is not a distribution.*'flat'"),
    ({"z_max": 0}, "z_max=0 is not a redshift that can be simulated.*up to 6"),
    ({"z_max": 6.5}, "z_max=6.5"), ({"z_max": True}, "z_max=True"),
    ({"z_max": np.nan}, "z_max=nan"),
    ({"z_max": 0.002}, "z_max=0.002 is not above the smallest redshift of SNIa, 0.003: raise"),
    ({"trigger": 5}, r"trigger=5 is not a Trigger: pass Trigger\("),
    ({"photometry": None}, r"photometry=None is not a Photometry: pass Photometry\("),
    ({"nightly": "no"}, "nightly='no' is neither True nor False"),
    ({"window": (30, 60)}, r"window=\(30, 60\) is not a pair of days.*pass \(-30, 60\)"),
    ({"window": (-30, -1)}, "window="), ({"window": (-30,)}, "window="),
    ({"window": "all"}, "window='all'"), ({"window": (-np.inf, 60)}, "window="),
    ({"random_state": -1}, "random_state=-1 is not an integer of at least 0"),
    ({"random_state": True}, "random_state=True is not an integer"),
    ({"random_state": "0"}, "random_state='0'"), ({"random_state": 1.0}, r"random_state=1\.0"),
])  # fmt: skip
def test_bad_options(options, message):
    with pytest.raises(SimulationError, match=message):
        simulate(3, "ztf", "SNIa", **options)


@pytest.mark.parametrize("survey", ["lst", None, 3, []])
def test_unknown_surveys(survey):
    hint = "Did you mean 'lsst'" if survey == "lst" else "Make your own"
    with pytest.raises(
        SimulationError, match=rf"There is no survey named {re.escape(repr(survey))}.*{hint}"
    ):
        simulate(3, survey, "SNIa")


@pytest.mark.parametrize(("make", "options", "message"), [
    (Trigger, {"n_det": 0}, "n_det=0 is not an integer of at least 1"),
    (Trigger, {"n_det": True}, "n_det=True"), (Trigger, {"n_det": 2.0}, "n_det=2.0"),
    (Trigger, {"snr": -1}, "snr=-1 is not a number of at least 0"),
    (Trigger, {"snr": np.nan}, "snr=nan"), (Trigger, {"separation": None}, "separation=None"),
    (Trigger, {"bright_width": "x"}, "bright_width='x'"),
    (Trigger, {"bright_limit": "18"}, "bright_limit='18' is not an apparent magnitude"),
    (Trigger, {"bright_limit": -19}, "bright_limit=-19"),
    (Photometry, {"outliers": 1}, "outliers=1 is not a share"),
    (Photometry, {"missing_bands": -0.1}, "missing_bands=-0.1"),
    (Photometry, {"outlier_scale": 0.5}, "outlier_scale=0.5 is not a number of at least 1"),
])  # fmt: skip
def test_bad_triggers_and_photometry(make, options, message):
    with pytest.raises(SimulationError, match=f"{make.__name__}: {message}"):
        make(**options)


@pytest.mark.slow
@pytest.mark.parametrize(("survey", "name", "trigger"), [
    ("ztf", "SNIa", Trigger(n_det=5000)), ("lsst", "SNIa", Trigger(separation=1e9)),
    ("ztf", "SNIa", Trigger(bright_limit=5)), ("ztf", "KN", Trigger(bright_limit=13)),
    ("ztf", "SNIa", Trigger(snr=1e6)),
])  # fmt: skip
def test_what_never_triggers_is_given_up(sncosmo_data, survey, name, trigger):
    begin = clock.perf_counter()
    with pytest.raises(SimulationError) as raised:
        simulate(1, survey, name, trigger=trigger)
    assert clock.perf_counter() - begin < 30
    message = str(raised.value)
    assert f"{name} in {survey}: 0 of " in message
    assert "(efficiency 0)" in message
    assert repr(trigger) in message
    assert "z_max=" in message


@pytest.mark.parametrize("source", [3, None, ["v19-2009n", 3]])
def test_bad_sources(source):
    with pytest.raises(SimulationError, match=r"a source is an sncosmo\.Source or the name of one"):
        SpectralSource.from_sncosmo(source)


def test_sources_out_of_range(sncosmo_data):
    with pytest.raises(SimulationError, match="pass at least one"):
        SpectralSource.from_sncosmo([])
    wave = np.arange(300.0, 800.0)  # nanometre
    source = sncosmo.TimeSeriesSource(np.arange(5.0), wave, np.ones((5, 500)), name="nm")
    mine = SourceClass("mine", SpectralSource.from_sncosmo(source))
    with pytest.raises(SimulationError, match=r"'nm' covers 300 to 799 .* have to be in Angstrom"):
        simulate(1, "ztf", mine)


@pytest.fixture
def offline(monkeypatch):
    def refuse(*args, **kwargs):
        raise URLError("no network")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)


def test_a_missing_template_is_named(sncosmo_data, offline):
    # not in the folder of templates, or not known at all
    for name in ("v19-1993j-corr", "no-such-supernova"):
        mine = SourceClass("mine", SpectralSource.from_sncosmo(name))
        with pytest.raises(SimulationError) as raised:
            simulate(1, "ztf", mine)
        message = str(raised.value)
        assert name in message
        assert f"SNCOSMO_DATA_DIR={os.environ['SNCOSMO_DATA_DIR']}" in message
        assert "Connect to a network" in message


def test_a_missing_file_of_snoopy_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("SNCOSMO_DATA_DIR", str(tmp_path / "deep"))
    with pytest.raises(SimulationError, match=r"file none\.fits .* SNooPy.*SNCOSMO_DATA_DIR"):
        find_snoopy_file("none.fits")
    (tmp_path / "none.fits").write_bytes(b"")
    assert find_snoopy_file("none.fits") == tmp_path / "none.fits"
    monkeypatch.delenv("SNCOSMO_DATA_DIR")
    with pytest.raises(SimulationError, match="not set"):
        find_snoopy_file("none.fits")


def run_python(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, timeout=120, env={**os.environ, **environment},
    )  # fmt: skip


def test_importing_does_not_import_torch():
    heavy = {"torch", "sncosmo", "skorch", "astropy"}
    done = run_python(f"import sys, sklc.simulate; print(sorted({heavy} & set(sys.modules)))")
    assert done.stdout.strip() == "[]", done


@pytest.mark.slow
def test_without_sncosmo(tmp_path):
    code = """
import sys
sys.modules["sncosmo"] = None
from sklc.simulate import list_classes, simulate
assert "SNIa" in list_classes()
try:
    simulate(1, "ztf", "SNIa")
except ImportError as error:
    print(error)
"""
    done = run_python(code, SKLC_CACHE_DIR=str(tmp_path))
    assert 'needs sncosmo, which is not installed: pip install "sklc[sim]"' in done.stdout, done
