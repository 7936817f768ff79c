"""Variable stars and quasars in total flux: shapes, periods, colours, and how surveys see them."""

from dataclasses import replace

import numpy as np
import pytest

from sklc import LightCurves
from sklc.errors import SimulationError
from sklc.passbands import find_passbands
from sklc.simulate import (
    CLASSES,
    VARIABLE_CLASSES,
    Photometry,
    Survey,
    TotalFlux,
    Trigger,
    draw_survey,
    list_surveys,
    simulate,
    simulate_to_parquet,
)
from sklc.simulate.sources import Mixture, Normal, Relation, VariableStar
from sklc.simulate.sources.base import Points
from sklc.simulate.sources.eclipsing import disc_overlap, roche_lobe
from sklc.simulate.sources.eruptive import latest_events
from sklc.simulate.sources.pulsating import fourier_table
from sklc.simulate.surveys import get_survey
from sklc.simulate.surveys.visits import Visits

pytest.importorskip("sncosmo", reason="sncosmo is not installed: pip install 'sklc[sim]'")
CLEAN = Photometry(outliers=0, missing_bands=0)
PULSATORS = ("RRab", "RRc", "DCEP", "DCEPS", "ACEP", "HADS")
STARS = [name for name in VARIABLE_CLASSES if isinstance(CLASSES[name].source, VariableStar)]


@pytest.fixture(scope="module")
def perfect():
    """A survey without noise: g, r, i and K_s, 600 times in 30 days."""
    time = np.sort(np.random.default_rng(0).uniform(60000.0, 60030.0, 600))
    bands = find_passbands(["sdssg", "sdssr", "sdssi"]) + find_passbands(["2massks"])
    code = np.tile(np.arange(4), len(time))
    visits = Visits.from_depths(
        np.repeat(time, 4), code, np.full(len(code), 35.0), [0, len(code)], gamma=0.04
    )
    centres = (4770.0, 6230.0, 7630.0, 21600.0)
    curves = {
        band.name: (np.array([0.9, 0.95, 1.05, 1.1]) * centre, np.array([0.0, 1.0, 1.0, 0.0]))
        for band, centre in zip(bands, centres, strict=True)
    }
    return Survey("perfect", "perfect", tuple(bands), visits, 0.0, curves=curves)


def magnitudes(curve, band):
    """Times and magnitudes in one of the bands."""
    own = curve.band == band
    return curve.time[own], 27.5 - 2.5 * np.log10(curve.flux[own])


def seen(perfect, name, n=12, seed=0):
    return simulate(n, perfect, name, photometry=CLEAN, random_state=seed)


# ---------------------------------------------------------------- all classes


def test_the_classes_are_known_by_the_names_of_the_gcvs():
    names = "RRab RRc RRd DCEP T2CEP DSCT HADS EA EB EW ELL Mira SR ROT RS ACV BCEP CV Flare YSO"
    assert {*names.split(), "QSO"} <= set(VARIABLE_CLASSES)
    assert set(VARIABLE_CLASSES) <= set(CLASSES)
    assert all(CLASSES[name].source.total for name in VARIABLE_CLASSES)
    assert not CLASSES["AGN"].source.total


@pytest.fixture(scope="module")
def everything(sncosmo_data):
    return {
        survey: simulate(4, survey, VARIABLE_CLASSES, random_state=1) for survey in ("crts", "gaia")
    }


@pytest.mark.slow
@pytest.mark.parametrize("survey", ["crts", "gaia"])
def test_a_training_set_of_all_classes(everything, survey):
    curves = everything[survey]
    facts = curves.metadata
    assert facts["class"].value_counts().to_dict() == dict.fromkeys(VARIABLE_CLASSES, 4)
    assert set(facts["survey"]) == {get_survey(survey).label}
    assert np.isfinite(curves.flux).all()
    assert (curves.flux_err > 0).all()
    assert (facts["amplitude"] > 0).all()
    periodic = facts["class"].isin([*PULSATORS, "EA", "EB", "EW", "ROT", "Mira", "SR", "ELL"])
    assert (facts.loc[periodic, "period"] > 0).all()
    irregular = facts["class"].isin(["QSO", "BLAZAR", "RCB", "GCAS", "massive"])
    assert facts.loc[irregular, "period"].isna().all()
    assert facts["template"].str.len().min() > 0
    stars = ~facts["class"].isin(["QSO", "BLAZAR"])
    assert (facts.loc[stars, "redshift"] == 0).all()
    assert (facts.loc[~stars, "redshift"] > 0).all()


@pytest.mark.slow
@pytest.mark.parametrize("survey", [name for name in list_surveys() if name not in ("lsst-ddf",)])
def test_every_survey_sees_stars_between_saturation_and_depth(sncosmo_data, survey):
    how = get_survey(survey).total_flux
    curves = simulate(6, survey, ["RRab", "EW"], photometry=CLEAN)
    magnitude = 27.5 - 2.5 * np.log10(np.maximum(curves.flux, 1e-3))
    assert how.saturation is not None
    assert np.quantile(magnitude, 0.02) > how.saturation - 0.7  # but for noise and spoilt ones
    own = get_survey(survey)
    assert np.quantile(magnitude, 0.5) < own.summary()["m5_50"].max() + 1
    if how.least_snr is not None:
        assert (curves.flux > 0).all()


def test_seeds_and_processes(sncosmo_data):
    once = simulate(5, "crts", ["RRab", "CV", "YSO"], random_state=3)
    assert once.equals(simulate(5, "crts", ["RRab", "CV", "YSO"], random_state=3))
    assert once[:2].equals(simulate(2, "crts", "RRab", random_state=3))
    other = simulate(5, "crts", ["RRab", "CV", "YSO"], random_state=4)
    assert not once.equals(other)


@pytest.mark.slow
def test_drawn_surveys_see_stars(sncosmo_data):
    curves = simulate(3, draw_survey(5), ["RRab", "EA", "QSO"])
    assert curves.metadata["class"].tolist() == ["RRab"] * 3 + ["EA"] * 3 + ["QSO"] * 3


@pytest.mark.parametrize("name", STARS)
def test_parameters_are_sound(name):
    source = CLASSES[name].source
    stars = source.sample(np.random.default_rng(0), np.zeros(3000))
    assert all(len(values) == 3000 for values in stars.values())
    assert all(np.isfinite(v).all() for k, v in stars.items() if k != "period")
    period = stars["period"]
    assert np.all((period > 0.01) & (period < 2000) | np.isnan(period))
    assert np.all((10 ** stars["log_temperature"] > 2000) & (stars["log_temperature"] < 4.9))
    assert np.all((stars["amplitude"] > 0) & (stars["amplitude"] < 12))


# ---------------------------------------------------------------- shapes


@pytest.mark.parametrize("name", [*PULSATORS[:-1], "EA", "EB", "EW", "ELL", "ACV"])
def test_they_repeat_with_the_period_of_the_metadata(perfect, name):
    curves = seen(perfect, name, 8)
    repeats = []
    for k in range(len(curves)):
        period = curves.metadata["period"].iloc[k]
        if period > 10:
            continue
        time, mag = magnitudes(curves[k], 1)
        phase = np.mod(time - time[0], period) / period
        order = np.argsort(phase)
        repeats.append(np.std(np.diff(mag[order])) / np.std(mag))
    assert len(repeats) >= 3
    assert np.median(repeats) < 0.2


@pytest.mark.parametrize("name", PULSATORS)
def test_the_amplitude_is_that_of_v_and_falls_to_the_red(perfect, name):
    curves = seen(perfect, name, 10)
    for k in range(len(curves)):
        facts = curves.metadata.iloc[k]
        if facts["period"] > 12 or CLASSES[name].source.second[0]:
            continue
        g, r, i, ks = (np.ptp(magnitudes(curves[k], band)[1]) for band in range(4))
        assert g > r > i > ks
        assert r < 1.02 * facts["amplitude"] < 1.25 * g  # V lies between


def test_rr_lyrae_rise_fast_and_first_overtones_are_rounder(perfect):
    def rise(name):
        shares = []
        curves = seen(perfect, name, 10)
        for k in range(len(curves)):
            period = curves.metadata["period"].iloc[k]
            time, mag = magnitudes(curves[k], 1)
            phase = np.mod(time, period) / period
            shares.append((phase[np.argmin(mag)] - phase[np.argmax(mag)]) % 1)
        return np.median(shares)

    assert 0.1 < rise("RRab") < 0.25
    assert 0.3 < rise("RRc") < 0.55


def test_fourier_tables():
    n = 5
    sine = fourier_table(np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n))
    np.testing.assert_allclose(sine[0], 0.5 * np.cos(2 * np.pi * np.arange(256) / 256), atol=1e-12)
    rng = np.random.default_rng(0)
    one = (
        rng.uniform(0.2, 0.5, n),
        rng.uniform(0, 6, n),
        rng.uniform(0, 0.2, n),
        rng.uniform(0, 6, n),
    )
    table = fourier_table(*one)
    spectrum = np.fft.rfft(table, axis=1)
    np.testing.assert_allclose(np.abs(spectrum[:, 2] / spectrum[:, 1]), one[0])
    np.testing.assert_allclose(np.abs(spectrum[:, 3] / spectrum[:, 1]), one[2])
    np.testing.assert_allclose(np.ptp(table, axis=1), 1.0)
    phase = np.angle(spectrum[:, 2]) - 2 * np.angle(spectrum[:, 1])
    np.testing.assert_allclose(np.cos(phase), np.cos(one[1]))


def test_period_and_amplitude_of_rr_lyrae_follow_oosterhoff():
    stars = CLASSES["RRab"].source.sample(np.random.default_rng(0), np.zeros(4000))
    short = stars["amplitude"][np.abs(stars["period"] - 0.5) < 0.02]
    long = stars["amplitude"][np.abs(stars["period"] - 0.65) < 0.02]
    assert np.median(short) - np.median(long) > 0.4
    assert np.median(stars["period"]) == pytest.approx(0.57, abs=0.03)


def test_the_hertzsprung_progression():
    source = CLASSES["DCEP"].source
    rng = np.random.default_rng(0)
    low, high = (source.ratio21.draw(rng, np.full(500, np.log10(p))) for p in (10.0, 4.0))
    assert np.median(low) < 0.5 * np.median(high)


def test_double_modes_have_two_periods(perfect):
    from astropy.timeseries import LombScargle

    curves = seen(perfect, "RRd", 4)
    for k in range(4):
        first = 1 / curves.metadata["period"].iloc[k]
        time, mag = magnitudes(curves[k], 1)
        frequency = np.linspace(0.6 * first, 0.9 * first, 2000)
        power = LombScargle(time, mag).power(frequency)
        assert frequency[np.argmax(power)] / first == pytest.approx(0.744, abs=0.02)


def test_blazhko_stars_change_their_amplitude(perfect):
    def change(name):
        curves = seen(perfect, name, 10)
        values = []
        for k in range(len(curves)):
            _, mag = magnitudes(curves[k], 1)
            ranges = [np.ptp(part) for part in np.array_split(mag, 15)]
            values.append(np.ptp(ranges) / np.mean(ranges))
        return np.median(values)

    assert change("RRab/BL") > 1.7 * change("RRab")


# ---------------------------------------------------------------- binaries


def test_discs_overlap():
    # two unit discs at distance 1: the area of a lens
    lens = 2 * np.pi / 3 - np.sqrt(3) / 2
    one = np.array(1.0)
    np.testing.assert_allclose(disc_overlap(np.array([0.0, 1.0, 2.0]), one, one), [np.pi, lens, 0])
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-1, 1, (2, 200_000))
    inside = (x**2 + y**2 < 1) & ((x - 0.9) ** 2 + y**2 < 0.4**2)
    area = disc_overlap(np.array(0.9), one, np.array(0.4))
    assert area == pytest.approx(4 * inside.mean(), rel=0.02)
    assert roche_lobe(np.array(0.5)) < roche_lobe(np.array(2.0))


def test_eclipses_are_as_deep_as_stated_and_brief(perfect):
    curves = seen(perfect, "EA", 20)
    error, brief = [], []
    for k in range(len(curves)):
        facts = curves.metadata.iloc[k]
        if facts["period"] > 8:
            continue
        _, mag = magnitudes(curves[k], 1)
        top = np.median(mag)
        error.append(mag.max() - top - facts["amplitude"])
        brief.append(np.mean(mag > top + 0.3 * (mag.max() - top)))
    assert len(error) > 10
    assert np.median(np.abs(error)) < 0.1
    assert np.median(brief) < 0.3


def test_contact_binaries_vary_all_the_time(perfect):
    curves = seen(perfect, "EW", 10)
    for k in range(len(curves)):
        _, mag = magnitudes(curves[k], 1)
        low, middle, high = np.quantile(mag, [0.02, 0.5, 0.98])
        assert (high - low) / 3 < high - middle  # minima are narrower than maxima
        assert curves.metadata["period"].iloc[k] < 1.2


def test_eccentric_orbits_move_the_secondary_eclipse():
    source = replace(CLASSES["EA"].source, periods=Mixture((1.0, 1.2, 0.05)), semidetached=0.0)
    stars = source.sample(np.random.default_rng(1), np.zeros(400))
    assert (stars["eccentricity"] > 0.1).mean() > 0.3
    circular = CLASSES["EB"].source.sample(np.random.default_rng(1), np.zeros(400))
    assert not circular["eccentricity"].any()


# ---------------------------------------------------------------- eruptions and flares


def test_events_recur_at_their_mean_interval():
    rng = np.random.default_rng(0)
    owner = np.repeat(np.arange(20), 2000)
    points = Points(owner, np.tile(np.arange(2000.0), 20), np.zeros(len(owner), int))
    since, number, n_events = latest_events(rng, points, np.full(20, 10.0), np.full(20, 50.0))
    assert number.max() < n_events
    starts = np.sum(np.diff(number[0]) > 0)
    assert starts / (20 * 2000) == pytest.approx(0.1, rel=0.1)
    assert (since[0] >= 0).all()
    assert np.median(since[0]) == pytest.approx(10 * np.log(2), rel=0.15)


def test_dwarf_novae_have_outbursts_and_dippers_fade(perfect):
    cv = simulate(60, "ztf", "CV", random_state=2, photometry=CLEAN)
    names = cv.metadata["template"].to_numpy()
    skewness = []
    for k in np.flatnonzero(np.isin(names, ["UGSS", "UGSU"])):
        curve = cv[int(k)]
        mag = -2.5 * np.log10(np.maximum(curve.flux[curve.band == 1], 1.0))
        low, middle, high = np.quantile(mag, [0.03, 0.5, 0.97])
        skewness.append(2 * middle - low - high)
    assert len(skewness) > 8
    assert np.median(skewness) > 0.5  # outbursts are bright and rare
    assert {"UGSS", "UGSU", "UGZ", "AM", "NL"} <= set(names)


def test_flares_are_bluer_than_their_star(perfect):
    curves = seen(perfect, "Flare", 6)
    ratio = []
    for curve in curves:
        g, i = (curve.flux[curve.band == band] for band in (0, 2))
        top = int(np.argmax(g / np.median(g)))
        ratio.append((g[top] / np.median(g) - 1) / (i[top] / np.median(i) - 1))
    assert np.median(ratio) > 3


# ---------------------------------------------------------------- colours and brightness


@pytest.mark.slow
def test_colours_are_those_of_the_stars(perfect):
    def colour(name):
        curves = seen(perfect, name, 15)
        mags = [[np.median(magnitudes(curve, band)[1]) for band in (0, 1, 2)] for curve in curves]
        mags = np.array(mags) - np.outer(curves.metadata["mwebv"], [3.3, 2.3, 1.7])
        return np.median(mags[:, 0] - mags[:, 1]), np.median(mags[:, 1] - mags[:, 2])

    blue, giant = colour("BCEP"), colour("Mira")
    assert 0.1 < colour("RRab")[0] < 0.45
    assert 0.3 < colour("DCEP")[0] < 0.8
    assert blue[0] < 0.0
    assert giant[0] > 1.2
    assert giant[1] > 0.7


def test_any_passband_even_in_the_infrared(perfect):
    curves = seen(perfect, "Mira", 3)
    for curve in curves:
        assert np.median(curve.flux[curve.band == 3]) > np.median(curve.flux[curve.band == 0])


def test_noise_grows_with_magnitude_and_is_stated_as_the_survey_does(sncosmo_data):
    curves = simulate(150, "crts", "EW", random_state=1)
    mag = np.array([27.5 - 2.5 * np.log10(np.median(c.flux)) for c in curves])
    stated = np.array([np.median(c.flux_err / c.flux) for c in curves])
    assert np.median(stated[mag < 14]) == pytest.approx(0.055, abs=0.01)
    assert np.median(stated[(mag > 16.5) & (mag < 17.5)]) == pytest.approx(0.135, abs=0.015)
    twice = []  # of visits within half an hour, the difference is noise
    for curve, m in zip(curves, mag, strict=True):
        if 16.5 < m < 17.5:
            near = np.diff(curve.time) < 0.015
            twice.append(np.diff(curve.flux)[near] / np.median(curve.flux) / np.sqrt(2))
    scatter = 1.4826 * np.median(np.abs(np.concatenate(twice)))
    assert scatter < 0.8 * np.median(stated[(mag > 16.5) & (mag < 17.5)])


def test_nights_are_averaged_on_request_alone(sncosmo_data):
    one = simulate(5, "crts", "RRab")
    averaged = simulate(5, "crts", "RRab", nightly=True)
    assert one.lengths.mean() > 2 * averaged.lengths.mean()
    assert simulate(3, "ztf", "SNIa").equals(simulate(3, "ztf", "SNIa", nightly=True))


def test_stars_are_found_if_they_vary(sncosmo_data):
    amplitude = [
        simulate(60, "crts", "ACV", trigger=Trigger(n_det=n)).metadata["amplitude"].median()
        for n in (1, 8)
    ]
    assert amplitude[0] < amplitude[1]


def test_quasars_in_total_flux_hold_host_and_lines(sncosmo_data):
    quasars = simulate(40, "ztf", "QSO")
    assert (quasars.flux > 0).all()
    red = [c.flux[c.band == 1] for c in quasars if np.sum(c.band == 1) > 30]
    change = [np.std(flux) / np.mean(flux) for flux in red]
    assert 0.03 < np.median(change) < 0.5
    assert (quasars.metadata["redshift"] > 0).all()
    difference = simulate(40, "ztf", "AGN")
    assert (difference.flux < 0).any()


def test_total_flux_settings():
    rng = np.random.default_rng(0)
    how = TotalFlux(saturation=12.5, least_snr=5, error_scale=2.0, error_floor=0.01, spoilt=0.5)
    flux = np.array([100.0, 100.0])
    np.testing.assert_allclose(how.stated(flux, np.array([1.0, 0.0])), [np.hypot(2, 1), 1.0])
    assert how.measured(np.array([4.9, 5.1]), np.ones(2)).tolist() == [False, True]
    assert how.saturation_flux == pytest.approx(1e6)
    spoilt = how.spoil(rng, np.ones(10_000))
    assert 0.6 < np.mean(spoilt[spoilt != 1] < 1) < 0.8
    for wrong in ({"saturation": 99}, {"spoilt": 2}, {"error_scale": "1"}, {"least_snr": -1}):
        with pytest.raises(SimulationError, match=r"TotalFlux: .*is not a number from"):
            TotalFlux(**wrong)


def test_a_folder_of_stars(sncosmo_data, tmp_path):
    arguments = {"n": 3, "survey": "crts", "classes": ["RRab", "EA"], "progress": False}
    folder = simulate_to_parquet(tmp_path / "stars", **arguments)
    curves = LightCurves.from_parquet(folder)
    assert curves.metadata["period"].notna().all()
    assert curves.lengths.tolist() == simulate(3, "crts", ["RRab", "EA"]).lengths.tolist()
    with pytest.raises(SimulationError, match="another simulation"):
        simulate_to_parquet(folder, **arguments, nightly=True)


def test_a_class_of_ones_own(sncosmo_data):
    from sklc.simulate import SourceClass
    from sklc.simulate.sources import PulsatingStar

    source = PulsatingStar(
        log_temperature=Normal(3.8, 0.01),
        name="mine",
        periods=Mixture((1.0, 0.3, 0.01)),
        amplitude=(Relation(((0.0, 0.9),), 0.0),),
    )
    curves = simulate(5, "crts", SourceClass("mine", source, None))
    assert set(curves.metadata["class"]) == {"mine"}
    assert curves.metadata["period"].between(1.8, 2.2).all()
    assert curves.metadata["amplitude"].to_numpy() == pytest.approx(0.9)
