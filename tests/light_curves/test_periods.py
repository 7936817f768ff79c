"""Periods: found where they are known, stated with their significance, none where there is none."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sklc import LightCurves
from sklc.features import find_periods
from sklc.light_curves.periods import Period, PeriodSearch
from sklc.light_curves.periods.periodogram import Series, fit_harmonics, fourier_power

SPAN = 900.0


def nights(n, rng, span=SPAN):
    """Times of observations, mostly one per night, at about the same hour."""
    days = rng.choice(int(span), n, replace=False)
    return np.sort(59000.0 + days + rng.normal(0.0, 0.08, n))


def star(shape, period, *, n=120, amplitude=0.5, noise=0.02, bands=("ztfr",), seed=0, **options):
    """Time, flux, error and band of a star whose magnitude is ``amplitude * shape(phase)``."""
    rng = np.random.default_rng(seed)
    time = nights(n, rng)
    band = rng.integers(0, len(bands), n)
    magnitude = amplitude * shape(time / period % 1) + 0.7 * band + rng.normal(0, noise, n)
    flux = 1e4 * 10 ** (-0.4 * magnitude)
    return time, flux, flux * noise, np.array(bands)[band]


def curves_of(*stars, **options):
    return LightCurves.from_arrays(
        *(list(column) for column in zip(*stars, strict=True)), **options
    )


def sine(phase):
    return np.sin(2 * np.pi * phase) / 2


def sawtooth(phase):
    """A fast rise and a slow decline, as RR Lyrae stars have."""
    return np.minimum(phase / 0.85, (1 - phase) / 0.15) - 0.5


def eclipses(second):
    """Two eclipses of a tenth of the orbit, the second of this depth."""

    def shape(phase):
        away = [np.abs((phase - centre + 0.5) % 1 - 0.5) for centre in (0.25, 0.75)]
        return np.exp(-((away[0] / 0.05) ** 2)) + second * np.exp(-((away[1] / 0.05) ** 2))

    return shape


@pytest.mark.parametrize(
    ("shape", "period"),
    [(sine, 0.0713), (sine, 0.613), (sawtooth, 0.557), (sawtooth, 5.37), (sine, 301.0)],
)
def test_known_periods_are_found(shape, period):
    found = find_periods(curves_of(star(shape, period))).iloc[0]
    assert found["period"] == pytest.approx(period, rel=0.02 * period / SPAN + 1e-3)
    assert found["power"] > 0.95
    assert found["false_alarm_probability"] < 1e-20
    assert found["amplitude"] == pytest.approx(0.5, abs=0.06)
    assert found["n_harmonics"] == 1 if shape is sine else found["n_harmonics"] >= 3


def test_eclipses_that_differ_give_the_orbital_period_and_equal_ones_half_of_it():
    unequal, equal = (star(eclipses(depth), 2.31, n=250) for depth in (0.4, 1.0))
    found = find_periods(curves_of(unequal, equal))["period"]
    np.testing.assert_allclose(found, [2.31, 2.31 / 2], rtol=1e-4)


def test_bands_are_searched_together_whatever_their_means():
    bands = ("ztfg", "ztfr", "ztfi", "atlaso")
    several = star(sine, 0.4271, n=60, noise=0.12, bands=bands, seed=3)
    together = find_periods(curves_of(several)).iloc[0]
    assert together["period"] == pytest.approx(0.4271, rel=1e-4)
    assert together["false_alarm_probability"] < 1e-4
    one = several[3] == "ztfg"
    alone = find_periods(curves_of(tuple(column[one] for column in several))).iloc[0]
    assert alone["false_alarm_probability"] > 0.1


def test_a_difference_flux_below_zero_is_a_flux():
    time, flux, flux_err, band = star(sine, 3.7)
    found = find_periods(curves_of((time, flux - np.mean(flux), flux_err, band)))["period"]
    assert found.iloc[0] == pytest.approx(3.7, rel=1e-3)


def test_noise_has_false_alarms_as_often_as_stated():
    rng = np.random.default_rng(0)
    search = PeriodSearch(min_period=0.5)
    stated = []
    for _ in range(120):
        time = nights(60, rng, 200)
        found = search.find(time, rng.normal(0, 0.1, 60), np.full(60, 0.1), np.zeros(60, int))
        stated.append(found.false_alarm_probability)
    # An upper limit, and no more than some times too high.
    assert np.mean(np.array(stated) < 0.1) < 0.15
    assert np.mean(np.array(stated) < 0.9) > 0.3


def test_the_periodogram_is_that_of_astropy():
    timeseries = pytest.importorskip("astropy.timeseries")
    time, flux, flux_err, _ = star(sine, 0.613, noise=0.1)
    value = flux - flux.mean()
    series = Series.of(time - time[0], value, 1e4 * flux_err, np.zeros(len(time), int))
    spacing, n = 1 / (2 * SPAN), 40_000
    power = fourier_power(series, spacing, n)
    cycles = np.outer(np.arange(0, n, 997) * spacing, series.time)
    sums = np.exp(2j * np.pi * cycles) @ (series.weight * series.value)
    direct = 2 * np.abs(sums) ** 2 / series.variance
    np.testing.assert_allclose(power[::997], direct, atol=1e-5)
    frequencies = np.linspace(1.6, 1.7, 500)
    exact = fit_harmonics(series, frequencies, 3).power[:, 2]
    weights = 1 / np.sqrt(series.weight)
    reference = timeseries.LombScargle(series.time, series.value, weights, nterms=3)
    expected = reference.power(frequencies, method="chi2")
    np.testing.assert_allclose(exact, expected, atol=0.01)  # amplitudes are slightly damped
    assert np.argmax(exact) == np.argmax(expected)


def test_phase_0_is_at_the_brightest_point():
    time, flux, flux_err, band = star(sawtooth, 0.557)
    found = find_periods(curves_of((time, flux, flux_err, band))).iloc[0]
    phase = (time - found["epoch"]) / found["period"] % 1
    brightest = phase[np.argsort(-flux)[:5]]
    assert np.abs((brightest + 0.5) % 1 - 0.5).max() < 0.1


def test_a_fourier_series_is_the_light_curve():
    phase = np.arange(50) / 50
    period = Period(0.5, 10.0, 1.0, 0.0, np.array([-1.0, 0.25j]))
    expected = -np.cos(2 * np.pi * phase) + 0.25 * np.sin(4 * np.pi * phase)
    np.testing.assert_allclose(period.model(phase), expected)
    np.testing.assert_allclose(period.phase(np.array([10.0, 11.0, 9.5])), [0.0, 0.5, 0.75])
    assert period.amplitude == pytest.approx(np.ptp(expected), rel=0.01)


@pytest.mark.parametrize(("low", "high"), [(0.5, None), (0.05, 0.4), (20.0, 30.0)])
def test_periods_stay_within_the_bounds(low, high):
    stars = [star(sine, period, seed=2) for period in (0.0713, 0.613, 301.0)]
    found = find_periods(curves_of(*stars), min_period=low, max_period=high)["period"]
    assert (found >= low * (1 - 1e-9)).all()
    assert (found <= (high or SPAN) * (1 + 1e-9)).all()


def test_objects_without_a_period():
    time = np.arange(20.0)
    flux = 100 + 10 * np.sin(time)
    objects = {
        "one point": (time[:1], flux[:1]),
        "seven": (time[:7], flux[:7]),
        "constant": (time, np.full(20, 50.0)),
        "one night": (0.001 * time, flux),
        "good": (time, flux),
    }
    times, fluxes = zip(*objects.values(), strict=True)
    errors = [np.full(len(own), 1.0) for own in times]
    bands = [["ztfr"] * len(own) for own in times]
    curves = LightCurves.from_arrays(
        list(times), list(fluxes), errors, bands, ids=list(objects), duplicates="keep"
    )
    table = find_periods(curves, min_period=1.5)
    assert table.index.tolist() == list(objects)
    assert table.drop(columns="n_harmonics")[:-1].isna().all(axis=None)
    assert table["n_harmonics"].tolist()[:-1] == [0] * 4
    assert table.loc["good", "period"] == pytest.approx(2 * np.pi, rel=0.02)
    assert find_periods(curves[:0]).shape == (0, 6)


def test_a_wrong_time_does_not_make_a_search_without_end():
    time, flux, flux_err, _ = star(sine, 1.3)
    time[-1] = 1e12
    assert PeriodSearch().find(time, flux, flux_err, np.zeros(len(time), int)) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"min_period": 0}, {"min_period": np.nan}, {"min_period": "1"}, {"max_period": 0.01},
        {"max_period": np.nan}, {"n_harmonics": 0}, {"n_harmonics": 2.5}, {"n_harmonics": True},
    ],
)  # fmt: skip
def test_parameters_are_checked(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        find_periods(curves_of(star(sine, 1.3)), **wrong)


def test_an_object_has_the_same_period_alone_and_in_any_number_of_threads():
    stars = [star(sawtooth, 0.3 + 0.2 * k, n=40 + k, seed=k, bands=("g", "r")) for k in range(4)]
    curves = curves_of(*stars, survey="ztf")
    together = find_periods(curves)
    alone = [find_periods(curves[k : k + 1]).iloc[0] for k in range(4)]
    np.testing.assert_array_equal(together, np.array(alone))
    np.testing.assert_array_equal(find_periods(curves, n_jobs=2), together)


def test_neither_the_origin_of_time_nor_the_unit_of_flux_matters():
    time, flux, flux_err, band = star(sawtooth, 0.557)
    shifted = time - 59000.0, 1e-6 * flux, 1e-6 * flux_err, band
    here, there = find_periods(curves_of((time, flux, flux_err, band), shifted)).to_numpy()
    np.testing.assert_allclose(here[:4], there[:4], rtol=1e-6, atol=1e-300)
    assert here[4] - there[4] == pytest.approx(59000.0, abs=1e-3)


@settings(deadline=None, max_examples=20)
@given(
    values=st.lists(st.floats(-1e300, 1e300), min_size=8, max_size=14),
    error=st.sampled_from([np.nan, 1e-300, 1.0, 1e300]),
    step=st.sampled_from([1e-9, 0.3, 1.0, 100.0]),
)
def test_any_light_curve_has_a_period_or_none(values, error, step):
    assume(any(values))
    n = len(values)
    with np.errstate(all="ignore"):
        curves = LightCurves.from_arrays(
            [step * np.arange(n)], [values], [np.full(n, error)], [["ztfg", "ztfr"] * (n // 2)
            + ["ztfg"] * (n % 2)], duplicates="keep",
        )  # fmt: skip
        found = find_periods(curves, min_period=0.2).iloc[0]
    if found["n_harmonics"]:
        assert np.isfinite(found).all()
        assert 0 <= found["power"] <= 1
        assert 0 <= found["false_alarm_probability"] <= 1
        assert 0.2 * (1 - 1e-9) <= found["period"] <= step * (n - 1) * (1 + 1e-9)
    else:
        assert found.drop("n_harmonics").isna().all()
