"""What the network sees of an observation."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklc import LightCurveError, LightCurves, concatenate
from sklc.features import find_periods
from sklc.representation import CHANNELS, FOLD_CHANNELS, PRESETS, InputRepresentation, Shown


def make_curves(flux=(100.0, 400.0, 200.0), flux_err=(5.0, 5.0, 5.0), zero_point=27.5, shift=0.0):
    return LightCurves.from_arrays(
        time=[[59000.0 + shift, 59010.0 + shift, 59110.0 + shift]],
        flux=[list(flux)],
        flux_err=[list(flux_err)],
        band=[["ztfg", "ztfr", "ztfg"]],
        zero_point=zero_point,
    )


def channel(name, curves, **options):
    values, lengths = InputRepresentation((name,), **options).encode(curves)
    assert values.dtype == np.float32
    assert lengths.sum() == len(values)
    return values[:, 0]


def test_papers_input_is_flux_over_500_at_zero_point_27_5():
    values, lengths = InputRepresentation.preset("papers").encode(make_curves())
    np.testing.assert_array_equal(lengths, [3])
    wavelength, time, flux, flux_err = values.T
    np.testing.assert_allclose(flux, [0.2, 0.8, 0.4])
    np.testing.assert_allclose(flux_err, 0.01)
    np.testing.assert_allclose(time, [0, 10, 110])
    # The published simulations circulate with g and r swapped.
    assert wavelength[0] < wavelength[1]


def test_wavelengths_rise_from_g_to_i():
    curves = LightCurves.from_arrays(
        time=[[1.0, 2.0, 3.0]],
        flux=[[1.0, 1.0, 1.0]],
        flux_err=[[0.1, 0.1, 0.1]],
        band=[["g", "r", "i"]],
        survey="ztf",
    )
    assert np.all(np.diff(channel("wavelength", curves)) > 0)


def test_fluxes_are_brought_to_the_zero_point_of_the_convention():
    bright = make_curves(flux=(10.0, 40.0, 20.0), flux_err=(0.5, 0.5, 0.5), zero_point=25.0)
    for preset in PRESETS.values():
        np.testing.assert_allclose(
            preset.encode(bright)[0], preset.encode(make_curves())[0], rtol=2e-6
        )


def test_relative_channels():
    curves = make_curves()
    np.testing.assert_allclose(channel("relative_flux", curves), [0.25, 1, 0.5])
    np.testing.assert_allclose(channel("relative_flux_err", curves), 0.0125)
    np.testing.assert_allclose(channel("time_from_peak", curves), [-0.1, 0, 1.0])
    np.testing.assert_allclose(channel("time_fraction", curves), [0, 10 / 110, 1], rtol=1e-6)
    np.testing.assert_allclose(channel("gap", curves), [0, 0.5, 3.0])
    # asinh magnitudes are logarithmic far above the softening flux of 10
    np.testing.assert_allclose(
        channel("log_flux", curves), np.log10(np.array([100, 400, 200]) / 10), atol=5e-3
    )
    np.testing.assert_allclose(channel("log_peak", curves), np.log10(40), atol=1e-3)


def test_noise_is_not_shown_and_does_not_set_the_start_or_the_peak():
    curves = LightCurves.from_arrays(
        time=[[0.0, 10.0, 20.0, 30.0]],
        flux=[[9.0, 100.0, 50.0, 900.0]],
        flux_err=[[9.0, 5.0, 5.0, 500.0]],
        band=[["ztfg"] * 4],
    )
    np.testing.assert_allclose(channel("relative_flux", curves), [1.0, 0.5])
    np.testing.assert_allclose(channel("time", curves), [0.0, 0.1])
    assert len(channel("relative_flux", curves, min_snr=0.0)) == 4


def test_an_object_of_noise_alone_is_shown_whole():
    curves = make_curves(flux=(1.0, -2.0, 1.5))
    assert len(channel("flux", curves)) == 3


def test_negative_detections_are_shown():
    curves = make_curves(flux=(100.0, -400.0, 200.0))
    np.testing.assert_allclose(channel("relative_flux", curves), [0.5, -2.0, 1.0])


def test_unknown_errors_are_encoded_as_zero():
    curves = LightCurves.from_arrays(time=[[0.0, 1.0]], flux=[[1.0, 2.0]], flux_err=None, band=None)
    np.testing.assert_array_equal(channel("flux_err", curves), 0)
    assert len(channel("flux", curves)) == 2


def test_survives_json():
    for preset in PRESETS.values():
        restored = InputRepresentation.from_dict(json.loads(json.dumps(preset.to_dict())))
        assert restored == preset


@pytest.mark.parametrize("channels", [(), ("flux", "colour")])
def test_unknown_channels_are_refused(channels):
    with pytest.raises(ValueError, match="relative_flux"):
        InputRepresentation(channels)


def test_unknown_preset_and_field_are_refused():
    with pytest.raises(ValueError, match="papers"):
        InputRepresentation.preset("paper")
    with pytest.raises(ValueError, match="future"):
        InputRepresentation.from_dict({"channels": ["flux"], "future": 1})


@pytest.mark.parametrize(
    ("lengths", "first"), [([0, 2, 1], 0), ([2, 0, 1], 1), ([2, 1, 0], 2), ([0, 0], 0)]
)
def test_an_object_without_observations_is_named(lengths, first):
    n = sum(lengths)
    curves = LightCurves.from_arrays(
        np.arange(n), np.full(n, 50.0), np.ones(n), "ztfg",
        offsets=np.cumsum([0, *lengths]), ids=list("abc"[: len(lengths)]),
    )  # fmt: skip
    message = rf"object '{'abc'[first]}' \(position {first}\) has no observations"
    with pytest.raises(LightCurveError, match=message):
        InputRepresentation(tuple(CHANNELS)).encode(curves)
    kept = curves[curves.lengths >= 1]  # the remedy
    assert InputRepresentation(tuple(CHANNELS)).encode(kept)[1].tolist() == [
        k for k in lengths if k
    ]


def test_no_objects_at_all():
    values, lengths = InputRepresentation(tuple(CHANNELS)).encode(make_curves()[:0])
    assert values.shape == (0, len(CHANNELS))
    assert lengths.shape == (0,)


@settings(deadline=None, max_examples=60)
@given(
    flux=st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=12),
    flux_err=st.floats(0.0078125, 1e6, width=32),
    split=st.integers(0, 12),
)
def test_every_channel_is_finite_for_any_flux(flux, flux_err, split):
    parts = [part for part in (flux[:split], flux[split:]) if part]
    curves = LightCurves.from_arrays(
        time=[list(map(float, range(len(part)))) for part in parts],
        flux=parts,
        flux_err=[[flux_err] * len(part) for part in parts],
        band=[["ztfg"] * len(part) for part in parts],
        duplicates="keep",
    )
    values, lengths = InputRepresentation(tuple(CHANNELS)).encode(curves)
    assert np.isfinite(values).all()
    assert lengths.min() >= 1
    assert lengths.sum() == len(values)


def test_an_object_is_encoded_the_same_alone():
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 30, 20)
    curves = LightCurves.from_arrays(
        time=[np.sort(rng.uniform(0, 100, n)) for n in lengths],
        flux=[rng.normal(100, 80, n) for n in lengths],
        flux_err=[rng.uniform(5, 50, n) for n in lengths],
        band=[rng.choice(["ztfg", "ztfr"], n) for n in lengths],
    )
    representation = InputRepresentation(tuple(CHANNELS))
    values, shown = representation.encode(curves)
    ends = np.cumsum(shown)
    for i in range(len(curves)):
        alone, _ = representation.encode(curves[i : i + 1])
        np.testing.assert_array_equal(alone, values[ends[i] - shown[i] : ends[i]])


# -- observations that confirm each other


def corroborated(time, flux, flux_err=1.0, **options):
    """Return the rows of one object that are shown."""
    curves = LightCurves.from_arrays(
        time=[time], flux=[flux], flux_err=[np.full(len(time), flux_err)], band=[["r"] * len(time)],
        survey="ztf",
    )  # fmt: skip
    preset = replace(PRESETS["corroborated"], channels=("flux",), **options)
    shown = preset.encode(curves)[0][:, 0].astype(float) * preset.flux_scale
    return np.round(shown, 3).tolist()


def test_noise_in_years_of_forced_photometry_is_not_shown():
    rng = np.random.default_rng(0)
    time = np.arange(0.0, 3000.0, 3.0)
    flux = rng.normal(0.0, 1.0, len(time))
    supernova = 40 * np.exp(-(((time - 1500) / 25) ** 2))
    alone = np.abs(flux) >= 3
    assert alone.sum() >= 2  # what stretches a supernova to years
    curves = LightCurves.from_arrays(
        time=[time], flux=[flux + supernova], flux_err=[np.ones(len(time))], band=[["r"] * 1000],
        survey="ztf",
    )  # fmt: skip
    spans = {
        name: np.ptp(replace(PRESETS[name], channels=("time",)).encode(curves)[0]) * 100
        for name in ("relative", "corroborated")
    }
    assert spans["relative"] > 800
    assert 70 < spans["corroborated"] < 150


@pytest.mark.parametrize(
    ("time", "flux", "expected"),
    [
        # Two at 3.6 sigma within 20 days reach 5 together; what is alone is not shown.
        ([0, 15, 500], [3.6, 3.6, 4.5], [3.6, 3.6]),
        ([0, 15], [3.1, 3.2], [3.1, 3.2]),  # nothing is confirmed: all above min_snr
        ([0, 50, 500, 501], [3.6, 3.6, 9, 9], [9, 9]),  # too far away, for 3.6 sigma
        ([0, 50, 500, 501], [6.0, 6.0, 9, 9], [6, 6, 9, 9]),  # at 6 sigma, 80 days are near
        ([0, 5, 300, 301], [4.0, -4.0, 9, 9], [9, 9]),  # opposite signs confirm nothing
        ([0, 5, 300, 301], [-4.0, -4.0, 9, 9], [-4, -4, 9, 9]),
        ([0, 5, 10], [9.0, 1.0, 9.0], [9, 9]),  # the neighbours are those above min_snr
    ],
)
def test_neighbours_confirm_each_other(time, flux, expected):
    assert corroborated(np.array(time, float), np.array(flux, float)) == expected


def test_an_object_is_not_confirmed_by_its_neighbour_in_the_table():
    both = LightCurves.from_arrays(
        time=[[0.0, 1.0, 400.0], [401.0, 800.0, 801.0]],
        flux=[[9.0, 9.0, 4.5], [4.5, 9.0, 9.0]],
        flux_err=[[1.0] * 3] * 2,
        band=[["r"] * 3] * 2,
        survey="ztf",
    )
    preset = replace(PRESETS["corroborated"], channels=("flux",))
    assert preset.encode(both)[1].tolist() == [2, 2]
    for k in (0, 1):
        assert preset.encode(both[k : k + 1])[1].tolist() == [2]


def test_what_is_without_errors_needs_no_confirmation():
    curves = LightCurves.from_arrays(
        time=[[0.0, 500.0]], flux=[[1.0, 2.0]], flux_err=None, band=None
    )
    assert PRESETS["corroborated"].encode(curves)[1].tolist() == [2]


@pytest.mark.parametrize("days", [-1.0, np.nan, np.inf, "20"])
def test_days_of_corroboration_are_checked(days):
    with pytest.raises((ValueError, TypeError), match="corroboration="):
        replace(PRESETS["relative"], corroboration=days)
    with pytest.raises((ValueError, TypeError), match="min_snr="):
        replace(PRESETS["relative"], min_snr=days)


# -- magnitudes


def star(magnitudes, band=("ztfr",), flux_err=0.01, **options):
    """Return one star with these magnitudes, a day apart, and relative errors."""
    flux = 10 ** (-0.4 * (np.asarray(magnitudes) - 27.5))
    bands = list(np.resize(np.array(band), len(flux)))
    time = 59000.0 + np.arange(len(flux))
    return LightCurves.from_arrays([time], [flux], [flux_err * flux], [bands], **options)


def test_magnitudes_are_relative_to_the_mean_of_each_band():
    curves = star([17.0, 15.5, 18.0, 16.5], ("ztfg", "ztfr"))
    np.testing.assert_allclose(
        channel("magnitude_deviation", curves), [-0.5, -0.5, 0.5, 0.5], atol=1e-3
    )
    np.testing.assert_allclose(channel("magnitude_err", curves), 0.01086, rtol=1e-3)
    np.testing.assert_allclose(channel("log_amplitude", curves), np.log10(0.5), atol=1e-3)
    np.testing.assert_allclose(channel("scaled_magnitude", curves), [-1, -1, 1, 1], rtol=1e-3)
    np.testing.assert_allclose(channel("log_time_span", curves), np.log10(4))
    np.testing.assert_allclose(channel("log_count", curves), np.log10(4))
    g, r = (band.wavelength for band in sorted(curves.passbands, key=lambda b: b.wavelength))
    np.testing.assert_allclose(channel("mean_color", curves), 0.2 * -1.5 / (r - g), rtol=1e-3)
    assert (channel("mean_color", star([17.0, 18.0])) == 0).all()


def test_means_are_weighted_by_errors():
    flux = 10 ** (-0.4 * (np.array([17.0, 17.0, 18.0]) - 27.5))
    curves = LightCurves.from_arrays(
        [[1.0, 2.0, 3.0]], [flux], [flux * [0.01, 0.01, 0.5]], [["ztfr"] * 3]
    )
    np.testing.assert_allclose(
        channel("magnitude_deviation", curves, min_snr=0.0), [0, 0, 1], atol=5e-3
    )


def test_faint_and_negative_fluxes_have_moderate_magnitudes():
    flux = np.array([30.0, -30.0, 5.0, 1000.0])
    curves = LightCurves.from_arrays([np.arange(4.0)], [flux], [np.full(4, 25.0)], [["ztfr"] * 4])
    deviation = channel("magnitude_deviation", curves, min_snr=0.0)
    # Linear in the noise, logarithmic above it, in the same order as the fluxes.
    assert (np.argsort(-deviation) == np.argsort(flux)).all()
    assert np.ptp(deviation) < 6
    assert channel("magnitude_err", curves, min_snr=0.0).max() < 1.1


def test_magnitudes_and_fluxes_are_converted_back_and_forth():
    curves = star([17.0, 15.5, 18.0, 16.5], ("ztfg", "ztfr"))
    deviations = Shown(PRESETS["magnitude"], curves).deviations
    flux, flux_err = deviations.to_flux(deviations.deviation, deviations.error)
    np.testing.assert_allclose(flux, curves.flux)
    np.testing.assert_allclose(flux_err, curves.flux_err)
    np.testing.assert_allclose(
        deviations.to_magnitudes(flux, flux_err), [deviations.deviation, deviations.error]
    )


def test_everything_is_shown_of_a_star():
    faint = make_curves(flux=(1.0, 400.0, -2.0))
    assert PRESETS["magnitude"].encode(faint)[1].tolist() == [3]


# -- folded light curves

FOLDED = PRESETS["magnitude"].folded()


def periodic(period=0.6, n=50, seed=0, **options):
    rng = np.random.default_rng(seed)
    time = 59000.0 + np.sort(rng.uniform(0, 90, n))
    flux = 1000.0 * (1.5 + np.cos(2 * np.pi * time / period) + rng.normal(0, 0.02, n))
    return LightCurves.from_arrays([time], [flux], [np.full(n, 20.0)], [["ztfr"] * n], **options)


def column(values, name, representation=FOLDED):
    return values[:, representation.channels.index(name)]


def test_a_folded_light_curve_is_one_cycle_from_its_brightest_point():
    curves = periodic()
    plain, (values, lengths) = PRESETS["magnitude"].encode(curves)[0], FOLDED.encode(curves)
    assert lengths.tolist() == [50]
    phase, gap = column(values, "phase"), column(values, "phase_gap")
    assert (np.diff(phase) >= 0).all()
    assert 0 <= phase.min() <= phase.max() < 1
    np.testing.assert_allclose(np.diff(phase), gap[1:], atol=1e-6)
    assert gap.sum() == pytest.approx(1.0, abs=1e-5)
    np.testing.assert_allclose(10 ** column(values, "log_period"), 0.6, rtol=1e-3)
    assert (column(values, "period_power") > 0.95).all()
    deviation = column(values, "magnitude_deviation")
    assert deviation[[0, -1]].max() < -0.3 < 0.8 < deviation[23:28].max()
    # The same observations, in another order.
    back = np.argsort(column(values, "time"))
    np.testing.assert_array_equal(values[back, : plain.shape[1]], plain)


def test_what_has_no_period_stays_in_the_order_of_time():
    short, long = make_curves(), periodic(ids=["b"])
    both = concatenate([short, long], prefix_ids=True)
    values, lengths = FOLDED.encode(both)
    assert lengths.tolist() == [3, 50]
    np.testing.assert_array_equal(values[:3, :-4], PRESETS["magnitude"].encode(short)[0])
    assert (values[:3, -4:] == 0).all()
    np.testing.assert_array_equal(values[3:], FOLDED.encode(long)[0])


def test_periods_can_be_given():
    curves = periodic().with_metadata(days=[1.2], period=[0.3])
    values, _ = PRESETS["magnitude"].folded("days").encode(curves)
    np.testing.assert_allclose(10 ** column(values, "log_period"), 1.2, rtol=1e-6)
    assert np.diff(np.sign(column(values, "magnitude_deviation"))).nonzero()[0].size >= 3
    # A column of that name is not read unless it is asked for.
    np.testing.assert_array_equal(FOLDED.encode(curves)[0], FOLDED.encode(periodic())[0])


def test_a_period_that_is_given_folds_few_observations_too():
    few = periodic(period=4.0, n=5).with_metadata(P=[4.0])
    values, _ = PRESETS["magnitude"].folded("P").encode(few)
    np.testing.assert_allclose(10 ** column(values, "log_period"), 4.0, rtol=1e-6)
    assert (column(values, "period_power") == 0).all()
    assert np.argmin(column(values, "magnitude_deviation")) == 0
    assert (np.diff(column(values, "phase")) > 0).all()
    assert column(values, "phase_gap").sum() == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize(
    ("period", "told"),
    [
        (np.nan, r"is missing \(NaN\)"),
        (1000.0, "is 1000 days, which is longer than its time span of 8"),
        (0.0, "is 0 days"),
        (-1.0, "is -1 days"),
        (np.inf, "infinite"),
    ],
)
def test_a_period_that_is_none_is_named(period, told):
    curves = concatenate([periodic(ids=["a"]), periodic(ids=["b"])])
    wrong = curves.with_metadata(P=[0.6, period])
    folded = PRESETS["magnitude"].folded("P")
    for used in (folded.encode, folded.check):
        with pytest.raises(LightCurveError, match=f"object 'b'.*{told}|{told}.*object 'b'") as e:
            used(wrong)
    if np.isfinite(period):
        line = re.search(r"curves\.with_metadata\(.*\), with", str(e.value)).group()[
            : -len(", with")
        ]
        mended = eval(line, {"curves": curves, "find_periods": find_periods})
        np.testing.assert_allclose(mended.metadata["P"], 0.6, rtol=1e-3)
        assert folded.encode(mended)[1].tolist() == [50, 50]


def test_light_curves_that_were_cut_short_keep_their_period():
    curves = periodic(period=40.0).with_metadata(P=[40.0])
    folded, cut = PRESETS["magnitude"].folded("P"), curves.truncate(days=20)
    with pytest.raises(LightCurveError, match="longer than its time span"):
        folded.encode(cut)
    values, _ = folded.encode(cut, check=False)
    np.testing.assert_allclose(10 ** column(values, "log_period"), 40.0, rtol=1e-6)


def test_a_missing_column_of_periods_is_named():
    with pytest.raises(LightCurveError, match=r"'days' is missing.*with_metadata\(days=\.\.\.\)"):
        PRESETS["magnitude"].folded("days").encode(periodic())


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"fold": "phase"}, "fold='phase' is not known: use 'period'"),
        ({"fold": True}, "fold=True"),
        ({"period_column": "period"}, "add fold='period'"),
        ({"channels": ("time", "phase")}, "add fold='period'"),
        ({"fold": "period", "period_column": 3}, "period_column=3"),
        ({"fold": "period", "min_period": 0.0}, "min_period=0"),
    ],
)
def test_wrong_folds_are_refused(fields, told):
    with pytest.raises(ValueError, match=told):
        replace(PRESETS["magnitude"], **fields)


def test_a_fold_survives_json_and_files_of_before_have_none():
    folded = PRESETS["relative"].folded("days")
    assert InputRepresentation.from_dict(json.loads(json.dumps(folded.to_dict()))) == folded
    before = PRESETS["relative"].to_dict()
    # As files of before were written, so that releases of before read those of now.
    assert not {"fold", "period_column", "min_period"} & set(before)
    assert InputRepresentation.from_dict(before) == PRESETS["relative"]


def test_folded_objects_are_encoded_the_same_alone():
    curves = concatenate([periodic(0.3 + 0.1 * k, 20 + k, k, ids=[k]) for k in range(5)])
    representation = InputRepresentation((*CHANNELS, *FOLD_CHANNELS), fold="period")
    values, lengths = representation.encode(curves)
    ends = np.cumsum(lengths)
    for k in range(5):
        alone, _ = representation.encode(curves[k : k + 1])
        np.testing.assert_array_equal(alone, values[ends[k] - lengths[k] : ends[k]])
    assert representation.encode(curves[:0])[0].shape == (0, len(representation.channels))
