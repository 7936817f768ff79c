"""A small container of light curves, and the same as a long table."""

import pytest

from sklc.light_curves import LightCurves


@pytest.fixture
def curves():
    return LightCurves.from_arrays(
        time=[[59000.0, 59003.0], [59001.0], [59002.0, 59004.0, 59006.0], [59000.0]],
        flux=[[110.0, 180.0], [60.0], [30.0, 20.0, 10.0], [44.0]],
        flux_err=[[5.0, 6.0], [7.0], [5.0, 5.0, 5.0], [4.0]],
        band=["ztfg", "ztfr", ["ztfg", "ztfr", "ztfg"], "ztfr"],
        ids=["a", "b", "c", "d"],
        metadata={"redshift": [0.03, 0.05, 0.02, 0.01], "kind": ["Ia", "II", "Ia", "Ib"]},
    )


@pytest.fixture
def frame(curves):
    return curves.to_frame()
