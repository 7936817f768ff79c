"""Formulae of the papers that simulations rely on."""

import numpy as np
import pytest

from sklc.simulate.classes.rates import star_formation
from sklc.simulate.sources.galactic import magnification


def test_magnification_of_a_point_lens():
    u = np.array([0.1, 0.5, 1.0, 3.0])
    expected = (u**2 + 2) / (u * np.sqrt(u**2 + 4))
    np.testing.assert_allclose(magnification(u), expected)
    assert magnification(1.0) == pytest.approx(1.3416, abs=1e-4)
    assert magnification(1e-3) == pytest.approx(1e3, rel=1e-3)


def test_star_formation_of_madau_and_dickinson():
    z = np.array([0.0, 1.0, 1.9, 4.0])
    density = 0.015 * (1 + z) ** 2.7 / (1 + ((1 + z) / 2.9) ** 5.6)
    np.testing.assert_allclose(star_formation(z), density / density[0])
    assert star_formation(np.array([1.9])) == pytest.approx(8.8, rel=0.05)
