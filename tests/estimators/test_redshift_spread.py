"""Spread of redshifts over several heads."""

import pickle

import numpy as np
import pytest

from sklc import RedshiftRegressor
from sklc.datasets import load_demo

QUICK = {"features": None, "early": False, "random_state": 0, "device": "cpu", "verbose": 0}


@pytest.fixture(scope="module")
def data():
    curves = load_demo().curves
    return curves, curves.metadata["redshift"].to_numpy()


def test_spread_shrinks_with_labels_and_changes_no_prediction(data):
    curves, z = data
    few, many = (
        RedshiftRegressor("ztf", uncertainty="bootstrap", n_samples=4, **QUICK).fit(
            curves[:n], z[:n]
        )
        for n in (30, 150)
    )
    test = curves[150:190]
    spread = few.predict_uncertainty(test)
    assert spread.shape == (40,)
    assert np.all(spread > 0)
    assert np.median(many.predict_uncertainty(test)) < np.median(spread)
    plain = RedshiftRegressor("ztf", **QUICK).fit(curves[:30], z[:30])
    np.testing.assert_array_equal(few.predict(test), plain.predict(test))
    np.testing.assert_array_equal(few.predict_interval(test), plain.predict_interval(test))
    order = np.arange(40)[::-1]
    np.testing.assert_allclose(few.predict_uncertainty(test[order]), spread[order])
    same = pickle.loads(pickle.dumps(few))
    np.testing.assert_array_equal(same.predict_uncertainty(test), spread)


def test_where_there_is_no_spread(data):
    curves, z = data
    plain = RedshiftRegressor("ztf", **QUICK).fit(curves[:30], z[:30])
    with pytest.raises(ValueError, match="fit it with uncertainty='bootstrap'"):
        plain.predict_uncertainty(curves[:3])
    for params, message in (
        ({"n_samples": 5}, r"n_samples is for several heads.*uncertainty=None"),
        ({"uncertainty": "mc-dropout"}, "The 'uncertainty' parameter"),
        ({"uncertainty": "ensemble", "finetune": "none", "early": True}, "finetune='none'"),
    ):
        with pytest.raises(ValueError, match=message):
            RedshiftRegressor("ztf", **{**QUICK, **params}).fit(curves[:30], z[:30])
