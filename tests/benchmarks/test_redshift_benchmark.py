"""The benchmark of redshifts: its draws, its figures, and a quick run on real light curves."""

import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def module():
    """The benchmark, imported as if it were run as a script from its own folder."""
    pytest.importorskip("light_curve")
    sys.path.insert(0, str(BENCHMARKS))
    yield importlib.import_module("redshift_real")
    sys.path.remove(str(BENCHMARKS))


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


def test_scores_of_known_predictions(module):
    z = np.array([0.1, 0.2, 0.3, 0.4])
    assert module.redshift_scores(z, z) == {"mse": 0, "nmad": 0, "outliers": 0, "r2": 1}
    scores = module.redshift_scores(z, z + [0.01, 0.01, 0.01, 0.3])
    assert scores["mse"] == pytest.approx(1000 * (3 * 1e-4 + 0.09) / 4)
    assert scores["outliers"] == 0.25


def test_redshift_real_quick(module, data_dir, tmp_path, capsys):
    figures = module.main(["--quick", "--data", str(data_dir), "--output", str(tmp_path)])
    result = json.loads((tmp_path / "redshift_real_quick.json").read_text())
    errors = {name: row["64"]["mse"]["mean"] for name, row in figures["three classes"].items()
              if "64" in row}  # fmt: skip
    best = min(errors, key=errors.get)
    assert "RedshiftRegressor" in best
    assert errors[best] < 0.6 * errors["median"]
    assert result["n_objects"]["three classes"]["objects"] == 2476
    assert (tmp_path / "redshift_real_quick.png").stat().st_size > 10_000
    assert capsys.readouterr().out.splitlines()[-1] == result["summary"]
