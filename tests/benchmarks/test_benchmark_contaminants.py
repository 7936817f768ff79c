"""The benchmark of contaminants: alert histories, reliability, tables."""

import numpy as np
import pytest
from benchmark_modules import benchmark_module

from sklc import LightCurves

contaminants = benchmark_module("contaminants", "sncosmo")


@pytest.fixture(scope="module")
def curves():
    """Two hundred days of one observation a night; every second one is a detection."""
    time = np.tile(np.arange(59000.0, 59200.0), 40)
    flux = np.tile([100.0, 1.0], len(time) // 2)
    offsets = 200 * np.arange(41)
    return LightCurves.from_arrays(time, flux, np.full(len(time), 3.0), "ztfr", offsets=offsets)


def test_an_alert_history_ends_with_a_detection_and_has_thirty_days(contaminants, curves):
    histories = contaminants.alert_histories(curves, np.random.default_rng(0))
    assert len(histories) == 40
    assert histories.flux.min() == 100
    spans = [curve.time[-1] - curve.time[0] for curve in histories]
    assert 20 < max(spans) <= 30
    ends = [curve.time[-1] for curve in histories]
    assert min(ends) < 59060  # drawn anywhere
    assert max(ends) > 59140
    none = contaminants.alert_histories(curves[:0], np.random.default_rng(0))
    assert len(none) == 0


def test_classes_count_as_their_shares_say(contaminants):
    classes = np.array(["SNIa", "TDE", "TDE", "AGN"])
    np.testing.assert_allclose(contaminants.balanced(classes), [1, 0.5, 0.5, 1])
    weight = contaminants.balanced(classes, {"TDE": 0.1})
    np.testing.assert_allclose(weight, [1, 0.05, 0.05, 1])
    assert contaminants.is_supernova(["SNIa", "SLSN-I", "TDE"]).tolist() == [True, True, False]


def test_reliability_compares_scores_with_the_truth(contaminants):
    score, truth = np.array([0.05, 0.95, 0.95, 1.0]), np.array([False, True, True, False])
    rows = contaminants.reliability(score, truth, np.array([1.0, 1.0, 1.0, 2.0]))
    assert rows == [[0.05, 0.0, 1], [0.975, 0.5, 3]]
    sure = score > 0.9
    assert contaminants.share(sure, truth, np.ones(4)) == 1
    assert contaminants.share(sure, np.zeros(4, dtype=bool), np.ones(4)) is None


@pytest.mark.slow
def test_a_quick_run_writes_tables(contaminants, sncosmo_data, data_dir, tmp_path, monkeypatch):
    monkeypatch.setattr(contaminants, "WEIGHTS", ("any",))
    figures = contaminants.main(["--quick", "--data", str(data_dir), "--output", str(tmp_path)])
    row = figures["any"]
    assert 0.6 < row["simulated, equal shares"]["auroc"] <= 1
    assert set(row["novelty"]["auroc"]) > set(contaminants.RARE)
    assert (tmp_path / "contaminants_quick.json").stat().st_size > 1000
