"""Extreme floats stay finite; scaling by powers of two changes no digit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklc.utils.floats import exponent_of, in_blocks, saturated

FINITE = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_saturated(dtype):
    values = np.array([-np.inf, -1e300, -1.5, 0.0, 2.5, 1e300, np.inf])
    found = saturated(values, dtype)
    assert found.dtype == dtype
    assert np.isfinite(found).all()
    assert found[2:5].tolist() == [-1.5, 0.0, 2.5]
    assert found[[0, -1]].tolist() == [np.finfo(dtype).min, np.finfo(dtype).max]
    assert np.isnan(saturated(np.array([np.nan]), dtype)).all()
    assert saturated(np.float32([1.0])).dtype == np.float32


@settings(max_examples=50)
@given(st.lists(FINITE, min_size=1))
def test_scaling_is_exact(values):
    values = np.array(values)
    exponent = exponent_of(values)
    scaled = np.ldexp(values, -exponent)
    assert ((np.abs(scaled) < 1) & ((np.abs(scaled) >= 0.5) | (values == 0))).all()
    np.testing.assert_array_equal(np.ldexp(scaled, exponent), values)


@pytest.mark.parametrize("n", [0, 1, 127, 128, 129, 300])
def test_blocks_have_one_size_and_rows_keep_their_place(n):
    sizes = []

    def function(x, y, z):
        sizes.append(len(x))
        assert z is None
        return x + y

    x = np.arange(n, dtype=float)
    np.testing.assert_array_equal(in_blocks(function, x, 2 * x, None), 3 * x)
    assert set(sizes) == {128 if n else 0}
