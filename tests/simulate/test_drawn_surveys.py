"""Surveys that are drawn at random, and the stars that they find."""

import numpy as np
import pytest

from sklc.errors import SimulationError
from sklc.simulate import CLASSES, draw_survey, simulate
from sklc.simulate.sources import PeriodicStar, SubtractionArtefact

SEEDS = range(40)


@pytest.fixture(scope="module")
def drawn():
    return [draw_survey(seed) for seed in SEEDS]


def test_a_seed_is_a_survey():
    first, again = draw_survey(3), draw_survey(3)
    assert first.name == again.name == "random-3"
    assert first.passbands == again.passbands
    np.testing.assert_array_equal(first.visits.time, again.visits.time)
    assert draw_survey(4).passbands != first.passbands


def test_surveys_are_of_every_kind(drawn):
    n_bands = [len(survey.passbands) for survey in drawn]
    assert {1, 2, 3, 4, 5} <= set(n_bands)
    wavelength = np.concatenate([[b.wavelength for b in s.passbands] for s in drawn])
    assert wavelength.min() < 0.3
    assert wavelength.max() > 1.0
    assert all(np.all(np.diff([b.wavelength for b in s.passbands]) > 0) for s in drawn)
    years = np.array([np.ptp(survey.visits.span) / 365.25 for survey in drawn])
    assert years.min() < 1.1
    assert years.max() > 5
    depth = np.array([survey.summary()["m5_50"].median() for survey in drawn])
    assert depth.min() < 19.5
    assert depth.max() > 21.5
    for survey in drawn:
        assert (
            0
            < len(survey.visits.time) / survey.visits.n_positions
            < 10 * 365 * len(survey.passbands)
        )


def test_the_range_of_the_passbands_is_a_parameter():
    for seed in range(10):
        survey = draw_survey(seed, wavelengths=(0.4, 0.7))
        wavelength = [band.wavelength for band in survey.passbands]
        assert 0.38 < min(wavelength) <= max(wavelength) < 0.75


@pytest.mark.parametrize("seed", [-1, 1.5, "3", None, True])
def test_seeds_are_checked(seed):
    with pytest.raises(SimulationError, match="random_state="):
        draw_survey(seed)


@pytest.mark.parametrize("wavelengths", [(0.7, 0.4), (0.0, 1.0), (0.4, 9.0)])
def test_ranges_are_checked(wavelengths):
    with pytest.raises(SimulationError, match=r"micrometre.*\(0\.2, 2\.0\)"):
        draw_survey(0, wavelengths=wavelengths)


def test_they_find_objects(sncosmo_data):
    for seed in (1, 5):
        survey = draw_survey(seed)
        curves = simulate(5, survey, ["TDE", "AGN", "variable-star"], window=None)
        assert curves.metadata["class"].value_counts().tolist() == [5, 5, 5]
        assert set(curves.passbands) <= set(survey.passbands)
        assert curves.metadata["survey"].unique().tolist() == [f"random-{seed}"]


# -- stars


def test_periodic_stars_repeat_themselves(sncosmo_data):
    curves = simulate({"variable-star": 60}, "ztf", random_state=2)
    truth = curves.metadata
    assert {"rr-lyrae", "cepheid", "long-period", "eclipsing"} == set(truth["template"])
    assert (truth["redshift"] == 0).all()
    scatter = []
    for k in np.flatnonzero(truth["template"] == "rr-lyrae"):
        own = curves[k]
        red = own.band_names == "ztfr"
        order = np.argsort((own.time[red] / truth["period"].iloc[k]) % 1)
        flux = own.flux[red]
        if len(flux) > 40:
            scatter.append(np.mean(np.diff(flux[order]) ** 2) / np.mean(np.diff(flux) ** 2))
    assert len(scatter) > 3
    assert np.median(scatter) < 0.5  # folded, neighbours are alike


def test_stars_are_seen_against_their_mean(sncosmo_data):
    curves = simulate({"variable-star": 40, "artefact": 40}, "ztf", random_state=1)
    negative = []
    for k in range(len(curves)):
        own = curves[k]
        negative.append((own.flux[np.abs(own.flux) >= 5 * own.flux_err] < 0).mean())
    stars, artefacts = np.array(negative).reshape(2, 40)
    assert 0.2 < stars.mean() < 0.8
    assert ((stars > 0.05) & (stars < 0.95)).mean() > 0.5
    assert ((artefacts > 0.0) & (artefacts < 1.0)).mean() > 0.3


def test_artefacts_are_a_share_of_their_star():
    rng = np.random.default_rng(0)
    stars = SubtractionArtefact().sample(rng, np.zeros(2000))
    assert np.median(stars["share"]) == pytest.approx(0.01, rel=0.15)
    assert not SubtractionArtefact.transient
    assert PeriodicStar.galactic
    assert {"variable-star", "artefact"} <= set(CLASSES)
