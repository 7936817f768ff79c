"""Band fluxes of the simulation against sncosmo.Model, class by class."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

from sklc.simulate import COMMON_CLASSES
from sklc.simulate.sources import salt
from sklc.simulate.sources.base import amplitude

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
SUBTYPES = ("SNIb", "SNIc", "SNIc-BL", "SNIIb", "SNIIP/L", "SNIIn")
RMS = {"lsstu": 0.08, "lsstg": 0.03}  # magnitudes; .01 in the other bands


@pytest.fixture(scope="module")
def band_flux_errors(sncosmo_data):
    sys.path.insert(0, str(BENCHMARKS))
    yield importlib.import_module("_sncosmo_reference").band_flux_errors
    sys.path.remove(str(BENCHMARKS))


@pytest.mark.slow
@pytest.mark.parametrize("survey", ["ztf", "lsst"])
@pytest.mark.parametrize("name", [*COMMON_CLASSES, *SUBTYPES])
def test_band_fluxes_are_those_of_sncosmo(band_flux_errors, survey, name):
    errors = band_flux_errors(survey, name, 30, seed=1)
    bands = {"ztf": {"ztfg", "ztfr"}, "lsst": {f"lsst{b}" for b in "grizy"}}[survey]
    assert bands <= set(errors)  # u can be out of reach of the templates
    for band, error in errors.items():
        limit = RMS.get(band, 0.01)
        assert error["rms"] <= limit, (band, error)
        assert abs(error["median"]) <= 0.4 * limit, (band, error)
        assert error["n"] >= 50 or band == "lsstu", (band, error)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SNIIP/L", "SLSN-I", "KN", "SNIbn", "ILOT", "uLens", "PISN"])
def test_other_surveys_and_rare_classes(band_flux_errors, name):
    for survey in ("ps1", "des"):
        for band, error in band_flux_errors(survey, name, 8, seed=2).items():
            assert error["rms99"] <= 0.02, (band, error)


def test_a_wrong_flux_is_noticed(band_flux_errors, monkeypatch):
    monkeypatch.setattr(salt, "amplitude", lambda objects: 1.05 * amplitude(objects))
    found = band_flux_errors("ztf", "SNIa", 10)
    # the reference takes its amplitude from the magnitude, so that the error shows
    assert found["ztfr"]["median"] == pytest.approx(-2.5 * np.log10(1.05), abs=0.005)
