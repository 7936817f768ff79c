"""Weights warn of passbands that they were not trained for."""

import warnings

import numpy as np
import pytest

from sklc import LightCurveEncoder, LightCurves, TransferClassifier
from sklc.errors import LightCurveWarning
from sklc.passbands import Passband
from sklc.weights.wavelengths import trained_range


def seen_in(*wavelengths):
    bands = [Passband(f"x{k}", "mine", w) for k, w in enumerate(wavelengths)]
    n = len(bands)
    return LightCurves.from_arrays(
        time=[np.arange(3.0 * n)], flux=[np.full(3 * n, 50.0)], flux_err=[np.ones(3 * n)],
        band=[bands * 3],
    )  # fmt: skip


@pytest.mark.parametrize("wavelengths", [(0.2,), (0.5, 1.6), (2.2, 0.5)])
def test_wavelengths_outside_the_range_are_named(wavelengths):
    curves = seen_in(*wavelengths)
    outside = [w for w in wavelengths if not 0.36 < w < 0.98]
    with pytest.warns(LightCurveWarning, match=rf"0\.37 to 0\.97 .*\({outside[0]}\)") as caught:
        LightCurveEncoder("ztf+lsst").fit(curves).transform(curves)
    assert len(caught) == 1
    with pytest.warns(LightCurveWarning, match="trained at wavelengths"):
        TransferClassifier.pretrained("ztf+lsst").predict_proba(curves)


def test_neighbours_of_trained_passbands_are_fine():
    curves = seen_in(0.35, 0.5, 1.05)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        LightCurveEncoder("ztf+lsst").fit(curves).transform(curves)


def test_weights_that_do_not_say():
    assert trained_range({}) is None
    assert trained_range({"wavelength_range": [0.2, 1.9], "passbands": {"ztfg": 0.48}}) == (
        0.2,
        1.9,
    )
