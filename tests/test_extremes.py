"""What is finite stays finite, however extreme: averages, inputs of networks, features, noise."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklc import LightCurveEncoder, LightCurves, RedshiftRegressor, TransferClassifier, concatenate
from sklc.augment import transformers
from sklc.datasets import load_demo
from sklc.errors import LightCurveError
from sklc.features import LightCurveFeatures
from sklc.features.band import _many
from sklc.representation import CHANNELS, InputRepresentation

LARGEST, TINIEST = np.finfo(float).max, np.finfo(float).smallest_subnormal
TIMES = np.array([-1.7e308, 1.0e308, 1.4e308, 1.7e308])
ALL_CHANNELS = InputRepresentation(tuple(CHANNELS), zero_point=31.4)
pytestmark = pytest.mark.filterwarnings("ignore::sklc.errors.LightCurveWarning")


def curve(flux, error, time=(1.1, 1.2, 2.1, 9.0), dtype=np.float64):
    time = np.asarray(time, dtype=float)
    flux, error = (np.broadcast_to(np.asarray(v, dtype=dtype), time.shape) for v in (flux, error))
    return LightCurves.from_arrays([time], [flux], [error], "ztfg", metadata={"redshift": [0.1]})


SCALES = [TINIEST, 1e-300, 1e-160, 1e-150, 1.0, 1e150, 1e160, 1e300, LARGEST]


def assert_finite(curves):
    for values in (curves.time, curves.flux, curves.flux_err):
        assert np.isfinite(values).all()
    assert (curves.flux_err > 0).all()


# -- nightly averages


@pytest.mark.parametrize("scale", SCALES)
def test_nightly_averages_of_any_scale(scale):
    errors = np.array([1.0, 0.5, 1.0, 1.0]) * scale
    errors = np.maximum(errors, TINIEST)
    found = curve([1.0, 3.0, 2.0, 5.0], errors).nightly()
    assert_finite(found)
    weight = (errors[:2] / errors.min()) ** -2.0
    assert found.flux[0] == pytest.approx(np.average([1.0, 3.0], weights=weight), rel=1e-12)
    assert found.flux[1:].tolist() == [2.0, 5.0]
    np.testing.assert_array_equal(found.flux_err[1:], errors[2:])


def test_nightly_averages_of_extreme_fluxes():
    found = curve([LARGEST, LARGEST, -LARGEST, TINIEST], 1.0).nightly()
    assert found.flux.tolist() == [LARGEST, -LARGEST, TINIEST]
    mixed = curve([7.0, 5.0, 1.0, 1.0], [1e-200, 1e200, 1.0, 1.0]).nightly()
    assert mixed.flux[0] == 7.0  # the other one has no weight
    assert_finite(curve(np.float32(3e38), np.float32(1e-45), dtype=np.float32).nightly())


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(
            st.floats(59000, 59003), st.floats(-1e3, 1e3), st.floats(1e-2, 1e2, exclude_min=True)
        ),
        min_size=1, max_size=12, unique_by=lambda row: row[0],
    )
)  # fmt: skip
def test_nightly_averages_are_weighted_means(rows):
    time, flux, error = np.array(sorted(rows)).T
    found = curve(flux, error, time).nightly()
    nights = [np.flatnonzero(np.floor(time) == night) for night in np.unique(np.floor(time))]
    weights = [error[rows] ** -2 for rows in nights]
    for k, (own, weight) in enumerate(zip(nights, weights, strict=True)):
        assert found.flux[k] == pytest.approx(
            np.average(flux[own], weights=weight), rel=1e-9, abs=1e-9
        )
        assert found.flux_err[k] == pytest.approx(weight.sum() ** -0.5)


def test_detections_and_truncation_of_extremes():
    curves = curve([LARGEST, 1.0, -LARGEST, 0.0], [LARGEST, TINIEST, 1.0, 1.0], TIMES)
    with warnings.catch_warnings(action="error", category=RuntimeWarning):
        assert curves.detections(5).flux.tolist() == [1.0]
        assert curves.truncate(days=1e300).lengths.tolist() == [1]


# -- zero points


def test_zero_points_that_overflow():
    bright = curve(1e300, 1.0)
    other = LightCurves.from_arrays([[1.0]], [[1e300]], [[1e299]], "ztfg", zero_point=-60.0)
    assert_finite(concatenate([curve(1.0, 1.0), other], prefix_ids=True))
    with pytest.raises(LightCurveError, match="flux is NaN or infinite"):
        LightCurves.from_frame(bright.to_frame().assign(zp=[-60.0, 27.5, 27.5, 27.5]))
    for zero_point in (1e3, -1e5, 1e300, np.inf, np.nan):
        with pytest.raises(LightCurveError, match="zero point"):
            LightCurves.from_arrays([[1.0]], [[1.0]], [[1.0]], "ztfg", zero_point=zero_point)
        table = curve(1.0, 1.0).to_frame().assign(zp=[zero_point, 27.5, 27.5, 27.5])
        with pytest.raises(LightCurveError, match=r"zero point .*\(1 of 4 observations\)"):
            LightCurves.from_frame(table)


# -- what the networks see


@pytest.mark.parametrize("time", [(1.0, 2.0, 3.0, 9.0), TIMES, TIMES * 0 + 1e308])
@pytest.mark.parametrize("scale", SCALES[1:])
def test_inputs_of_networks(time, scale):
    flux = np.array([1.0, -0.9, 0.0, 0.5]) * scale
    for error in (TINIEST, 1.0, LARGEST):
        with warnings.catch_warnings(action="error", category=RuntimeWarning):
            values, lengths = ALL_CHANNELS.encode(curve(flux, error, time))
        assert lengths[0] >= 1
        assert np.isfinite(values).all()
        assert np.abs(values).max() <= 1e30


@pytest.mark.parametrize("weights", ["ztf", "ztf+lsst", "ztf+lsst-contrastive"])
def test_latents_classes_and_redshifts(weights):
    flux = np.array([1.0, -1.0, 0.5, 0.1])
    curves = concatenate(
        [
            curve(flux * scale, TINIEST, time)
            for scale in SCALES[1:]
            for time in (TIMES, (1, 2, 3, 4))
        ],
        prefix_ids=True,
    )
    assert np.isfinite(LightCurveEncoder.pretrained(weights).transform(curves)).all()
    rows = TransferClassifier.pretrained(weights).predict_proba(curves)
    np.testing.assert_allclose(rows.sum(axis=1), 1)
    if "contrastive" in weights:
        assert np.isfinite(RedshiftRegressor.pretrained(weights).predict(curves)).all()


# -- features


def test_absurd_time_spans_have_no_features_of_time():
    good = load_demo().curves[:3]
    features = LightCurveFeatures(bands=["ztfg", "ztfr"]).fit(good)
    names = features.get_feature_names_out().tolist()
    for time in (TIMES, TIMES * 0.1, [0.0, 1.0, 2.0, LARGEST], [-LARGEST, 0.0, 1.0, LARGEST]):
        both = concatenate([good, curve([100.0, 1.0, 2.0, 3.0], 1.0, time)], prefix_ids=True)
        found = features.transform(both)
        assert not np.isinf(found).any()
        assert found[3, names.index("ztfg_n_observations")] == 4
        np.testing.assert_array_equal(found[:3], features.transform(good))


@pytest.mark.parametrize("scale", SCALES[1:])
def test_features_of_any_scale(scale):
    found = LightCurveFeatures(bands=["ztfg"]).fit(curve(1.0, 1.0)).transform(
        curve(np.array([1.0, -1.0, 0.5, 0.1]) * scale, max(scale * 0.1, TINIEST))
    )  # fmt: skip
    assert not np.isinf(found).any()


class PanicException(BaseException):
    """As pyo3 raises where Rust code panics."""


class Panicking:
    names = ("a", "b")

    def many(self, arrays, **options):
        if any(flux[0] < 0 for _, flux, _ in arrays):
            raise PanicException("called `Option::unwrap()` on a `None` value")
        return np.array([[flux[0], len(time)] for time, flux, _ in arrays])


def test_a_panic_costs_the_features_of_one_object():
    arrays = [(np.ones(k), np.full(k, f), np.ones(k)) for k, f in ((1, 5.0), (2, -1.0), (3, 7.0))]
    found = _many(Panicking(), arrays, n_jobs=1)
    np.testing.assert_array_equal(found, [[5.0, 1.0], [np.nan, np.nan], [7.0, 3.0]])


def test_other_interruptions_pass():
    class Interrupted(Panicking):
        def many(self, arrays, **options):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _many(Interrupted(), [None], n_jobs=1)


# -- augmentations


@pytest.mark.parametrize("name", [*transformers.__all__])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_augmentations_stay_finite(name, dtype):
    largest = np.finfo(dtype).max
    curves = concatenate(
        [
            curve([largest, -largest, 1.0, 2.0], largest, dtype=dtype),
            curve([largest, 3.0, 1.0, 2.0], np.finfo(dtype).smallest_subnormal, TIMES, dtype=dtype),
            curve([9.0, 8.0, 7.0, 6.0], 1.0, dtype=dtype),
        ],
        prefix_ids=True,
    )
    share = {} if name == "ObservingConditions" else {"share": 1.0}
    for seed in range(5):
        transformer = getattr(transformers, name)(min_points=1, random_state=seed, **share)
        with warnings.catch_warnings(action="error", category=RuntimeWarning):
            altered = transformer.fit_transform(curves)
        assert_finite(altered)
        assert altered.flux.dtype == dtype
        assert altered.ids.tolist() == curves.ids.tolist()


def test_a_gap_does_not_depend_on_the_times_of_other_objects():
    time = np.array([59000.0, 59000.3, 59000.999, 59001.0, 59002.5])
    alone = curve(9.0, 1.0, time)
    absurd = curve(9.0, 1.0, TIMES)
    cadence = transformers.AlertCadence(gap=1.0, smallest=1.0, min_points=1, random_state=0)
    expected = cadence.fit_transform(alone).time
    assert expected.tolist() == [59000.0, 59001.0, 59002.5]
    both = cadence.fit_transform(concatenate([absurd, alone, absurd], prefix_ids=True))
    assert both[1].time.tolist() == expected.tolist()
    assert both.lengths.tolist() == [4, 3, 4]
