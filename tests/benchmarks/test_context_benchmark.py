"""The benchmark of context: what it is told, its scores by hand, and a quick run."""

import numpy as np
import pytest
from benchmark_modules import benchmark_module
from small import weights_with_context

from sklc.datasets import load_demo

context = benchmark_module("context")


def test_photometric_redshifts_are_as_wrong_as_they_are_called(context):
    curves = load_demo().curves
    z = curves.metadata["redshift"].to_numpy(float)

    def pull(name):
        metadata = context.told(curves, name, 0).metadata
        told, error = (metadata[c].to_numpy(float) for c in ("told_z", "told_z_err"))
        free = told > 0.01  # the others are cut off
        return ((told - z) / (context.SIGMA * (1 + z)))[free], error[free] / (1 + told[free])

    right, error = pull("photometric redshift")
    assert np.allclose(error, context.SIGMA)
    assert np.abs(right).max() < 5
    assert np.allclose(np.abs(pull("photometric redshift, 3 sigma off")[0]), 3)
    other = context.told(curves, "redshift of another object", 0).metadata["told_z"]
    own = context.told(curves, "photometric redshift", 0).metadata["told_z"]
    assert abs(np.corrcoef(other, z)[0, 1]) < 0.2 < np.corrcoef(own, z)[0, 1]


def test_scores_by_hand(context):
    y, classes = np.array(["a", "a", "a", "b"]), np.array(["a", "b"])
    probabilities = np.array([[0.8, 0.2], [0.6, 0.4], [0.1, 0.3], [0.2, 0.2]])
    found = context.scores(y, probabilities, classes)
    # after normalisation, b has .2, .4, .75 among the others, and .5 itself
    assert found["auroc"] == pytest.approx(2 / 3)
    assert found["accuracy"] == pytest.approx((2 / 3 + 0) / 2)


@pytest.mark.slow
def test_quick(context, data_dir, sncosmo_data, run_quick, tmp_path):
    weights = weights_with_context(tmp_path / "context.safetensors")
    figures, result, _ = run_quick(context, "--data", data_dir, "--weights", weights)
    assert set(figures) == {"ZTF, real", "ZTF, simulated", "LSST, simulated"}
    for own in figures.values():
        assert set(own) == set(context.CONTEXTS)
        for row in own.values():
            assert all(0 <= cut["auroc"] <= 1 for cut in row["0"].values())
    assert "128" in figures["ZTF, real"]["redshift"]
    assert "E(B-V)" in result["markdown"]
