"""The core set of features, which needs no further package."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklc import LightCurveFeatures, LightCurves
from sklc.datasets import load_demo
from sklc.features import describe

CORE = {"statistics": "core", "parametric_fit": False}


@pytest.fixture(scope="module")
def curves():
    return load_demo().curves[:120]


def table(curves, **params):
    return LightCurveFeatures(**params).set_output(transform="pandas").fit_transform(curves)


def test_statistics_of_one_name_are_those_of_light_curve(curves):
    pytest.importorskip("light_curve")
    alone = {"parametric_fit": False, "colors": False, "binned_flux": False}
    ours, theirs = table(curves, statistics="core", **alone), table(curves, **alone)
    assert set(theirs) < set(ours)
    for name in theirs:
        both = np.isfinite(ours[name]) & np.isfinite(theirs[name])
        assert both.mean() > 0.9 * theirs[name].notna().mean()
        np.testing.assert_allclose(ours[name][both], theirs[name][both], rtol=1e-5, atol=1e-7)


def test_core_does_not_load_light_curve(curves, monkeypatch):
    monkeypatch.setitem(sys.modules, "light_curve", None)  # as if it were not installed
    assert np.isfinite(LightCurveFeatures(**CORE).fit_transform(curves)).any(axis=1).all()
    with pytest.raises(ImportError, match=r'pip install "sklc\[features\]"'):
        LightCurveFeatures().fit(curves)


def test_an_object_does_not_depend_on_those_beside_it(curves):
    features = LightCurveFeatures(**CORE).fit(curves)
    together = features.transform(curves)
    alone = np.concatenate([features.transform(curves[k : k + 1]) for k in range(0, 120, 7)])
    np.testing.assert_allclose(alone, together[::7], rtol=1e-6, atol=1e-8)


def test_statistics_do_not_depend_on_brightness(curves):
    c = curves
    names = np.array([band.name for band in c.passbands])[c.band]
    ids = np.repeat(np.arange(len(c)), c.lengths)
    parts = [[v[ids == k] for k in range(len(c))] for v in (c.time, 4 * c.flux, 4 * c.flux_err)]
    brighter = LightCurves.from_arrays(*parts, [names[ids == k] for k in range(len(c))])
    params = {**CORE, "colors": False, "binned_flux": False}
    first, second = table(curves, **params), table(brighter, **params)
    kept = [name for name in first if not name.endswith("peak_mag")]
    np.testing.assert_allclose(first[kept], second[kept], rtol=1e-6, atol=1e-6)


def test_time_scales_of_a_triangle():
    days = np.arange(-20.0, 61.0)
    flux = np.where(days < 0, 1 + days / 20, 1 - days / 60)
    curves = LightCurves.from_arrays(
        [days], [100 * flux], [np.full(len(days), 1e-3)], [["ztfg"] * len(days)]
    )
    row = table(curves, **CORE).iloc[0]
    assert row["ztfg_rise_slope"] == pytest.approx(1 / 20, rel=1e-3)
    assert row["ztfg_decline_slope"] == pytest.approx(-1 / 60, rel=1e-3)
    assert row["ztfg_rise_time_0.5"] == pytest.approx(11)
    assert row["ztfg_decline_time_0.25"] == pytest.approx(46)


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.floats(-1e6, 1e6), min_size=0, max_size=6),
    st.sampled_from([1e-3, 1.0, 3e3]),
)
def test_odd_light_curves_give_finite_numbers_or_nan(flux, gap):
    time = gap * np.arange(len(flux))
    odd = LightCurves.from_arrays(
        [time, [1.0]], [flux, [5.0]], [np.ones(len(flux)), [1.0]], [["ztfg"] * len(flux), ["ztfg"]]
    )
    features = LightCurveFeatures(**CORE).fit_transform(odd)
    assert features.shape[0] == 2
    assert not np.isinf(features).any()


def test_objects_in_other_passbands_are_not_described(curves):
    features = LightCurveFeatures(**CORE).fit(curves)
    other = LightCurves.from_arrays([[1.0, 2.0]], [[5.0, 6.0]], [[1.0, 1.0]], [["lsstz", "lsstz"]])
    assert np.isnan(describe(features, other)).all()
    assert not np.isnan(describe(features, curves)).all(axis=1).any()
