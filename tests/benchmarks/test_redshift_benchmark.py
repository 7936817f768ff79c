"""The benchmark of redshifts: its draws, its figures, and a quick run on real light curves."""

import numpy as np
import pytest
from benchmark_modules import benchmark_module

module = benchmark_module("redshift_real", "light_curve")


def test_others_join_the_same_test_parts(module):
    strata = np.repeat(["SNIa", "SNII", "SNIb/c", ""], [700, 200, 60, 40])
    strata = np.random.default_rng(0).permutation(strata)
    classes = np.flatnonzero(strata != "")
    for n_labels in (128, None):
        train, test = module.draw_everything(strata, n_labels, seed=2)
        assert not set(train) & set(test)
        assert len(set(train)) == len(train) == (n_labels or 750)
        _, alone = module.draw_labels(strata[classes], None, seed=2)
        assert set(classes[alone]) == set(test) & set(classes)
        assert np.sum(strata[test] == "") == 10


@pytest.mark.slow
def test_redshift_real_quick(module, data_dir, run_quick):
    figures, result, _ = run_quick(module, "--data", data_dir)
    errors = {name: row["64"]["mse"]["mean"] for name, row in figures["three classes"].items()
              if "64" in row}  # fmt: skip
    best = min(errors, key=errors.get)
    assert "RedshiftRegressor" in best
    assert errors[best] < 0.6 * errors["median"]
    assert result["n_objects"]["three classes"]["objects"] == 2476
