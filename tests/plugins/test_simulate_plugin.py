"""A class, a passband and a survey from outside the package, through everything that simulates."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sklc import LightCurveEncoder, LightCurves, list_passbands, register_passband
from sklc.errors import SimulationError
from sklc.simulate import (
    CLASSES,
    SourceClass,
    SpectralSource,
    Survey,
    list_classes,
    list_surveys,
    register_class,
    register_survey,
    simulate,
    simulate_to_parquet,
)
from sklc.simulate.classes.registry import REGISTRY
from sklc.simulate.surveys import get_survey, survey
from sklc.simulate.surveys.visits import Visits

sncosmo = pytest.importorskip("sncosmo", reason="sncosmo is not installed: pip install 'sklc[sim]'")


@pytest.fixture(scope="module")
def toy_survey():
    """A survey of its own telescope, whose one passband is registered like any other."""
    passband = register_passband("toy_white", wavelength=0.6, survey="Toy")
    days = 60000.2 + np.arange(0.0, 900.0, 2.0)
    visits = Visits.from_depths(
        days, np.zeros(len(days)), np.full(len(days), 22.0), [0, len(days)], gamma=0.039
    )
    curve = np.array([4000.0, 4100.0, 7900.0, 8000.0]), np.array([0.0, 0.8, 0.8, 0.0])
    toy = Survey("Toy", "Toy", (passband,), visits, 0.01, curves={"toy_white": curve})
    register_survey(toy)
    yield toy
    survey.SURVEYS.unregister("toy")


@pytest.fixture(scope="module")
def toy_class(sncosmo_data):
    """A flash of a week, as bright at all wavelengths."""
    phase, wave = np.arange(-10.0, 40.1), np.arange(1000.0, 11500.0, 50.0)
    flux = np.exp(-0.5 * (phase / 7) ** 2)[:, None] * (5000 / wave) ** 2
    source = sncosmo.TimeSeriesSource(phase, wave, 1e-9 * flux, name="flash")
    flash = SourceClass("flash", SpectralSource.from_sncosmo(source, absolute_mag=(-19.0, 0.3)))
    register_class(flash)
    yield flash
    REGISTRY.unregister("flash")


def test_they_are_listed(toy_class, toy_survey):
    assert list_classes()[-1] == "flash"
    assert CLASSES["flash"] is toy_class
    assert list_surveys()[-1] == "toy"
    assert get_survey("TOY") is toy_survey
    assert [band.name for band in list_passbands("Toy")] == ["toy_white"]


@pytest.mark.slow
def test_simulate(toy_class, toy_survey):
    curves = simulate({"flash": 20, "SNIa": 5}, "toy")
    assert curves.metadata["class"].tolist() == ["flash"] * 20 + ["SNIa"] * 5
    assert set(curves.metadata["survey"]) == {"Toy"}
    assert curves.passbands == toy_survey.passbands
    assert set(curves.metadata["template"][:20]) == {"flash"}
    assert curves.equals(simulate({"flash": 20, "SNIa": 5}, toy_survey, [toy_class], n_jobs=2))


def test_simulate_to_parquet_and_encode(toy_class, toy_survey, tmp_path):
    folder = simulate_to_parquet(tmp_path, 10, "toy", "flash", progress=False)
    curves = LightCurves.from_parquet(folder)
    assert curves.equals(simulate(10, "toy", "flash"))
    latent = LightCurveEncoder.pretrained("ztf+lsst").transform(curves)
    assert latent.shape[0] == 10
    assert np.isfinite(latent).all()


def test_a_name_is_given_once(toy_class, toy_survey):
    register_class(toy_class)  # the same again is harmless
    register_survey(toy_survey)
    with pytest.raises(SimulationError, match=r"class named 'flash' already.*overwrite=True"):
        register_class(replace(toy_class, bright=-21.0))
    with pytest.raises(SimulationError, match=r"survey named 'ztf' already.*overwrite=True"):
        register_survey(replace(toy_survey, name="ZTF"))
    other = replace(toy_class, bright=-21.0)
    register_class(other, overwrite=True)
    assert CLASSES["flash"] is other
    register_class(toy_class, overwrite=True)


@pytest.mark.parametrize("register", [register_class, register_survey])
@pytest.mark.parametrize("wrong", ["SNIa", None, 3, SourceClass])
def test_what_is_no_class_or_survey(register, wrong):
    with pytest.raises(SimulationError, match=r"sklc\.simulate\.S.*got "):
        register(wrong)


@pytest.mark.parametrize("name", ["", None, 3])
def test_names_are_text(toy_class, toy_survey, name):
    with pytest.raises(SimulationError, match="must be a string"):
        register_class(replace(toy_class, name=name))
    with pytest.raises(SimulationError, match="must be a string"):
        register_survey(replace(toy_survey, name=name))


@pytest.mark.parametrize("zero_point", [25.0, 31.4, 0.0])
def test_the_zero_point_of_a_survey(toy_class, toy_survey, tmp_path, zero_point):
    """The same objects, found at the same times, in other units."""
    usual = simulate(8, toy_survey, "flash")
    other_survey = replace(toy_survey, zero_point=zero_point)
    other = simulate(8, other_survey, "flash")
    assert (usual.zero_point, other.zero_point) == (27.5, zero_point)
    scale = 10 ** (0.4 * (zero_point - 27.5))
    np.testing.assert_allclose(other.flux, usual.flux * scale, rtol=2e-7)
    np.testing.assert_allclose(other.flux_err, usual.flux_err * scale, rtol=2e-7)
    assert other.flux.dtype == usual.flux.dtype
    assert other.time.tolist() == usual.time.tolist()
    pd.testing.assert_frame_equal(other.metadata, usual.metadata)
    encoder = LightCurveEncoder.pretrained("ztf+lsst")
    np.testing.assert_allclose(encoder.transform(other), encoder.transform(usual), atol=1e-4)
    simulate_to_parquet(tmp_path, 8, other_survey, "flash", progress=False)
    assert LightCurves.from_parquet(tmp_path, zero_point=zero_point).equals(other)
    with pytest.raises(SimulationError, match="holds another simulation: visits"):
        simulate_to_parquet(tmp_path, 8, toy_survey, "flash", progress=False)
