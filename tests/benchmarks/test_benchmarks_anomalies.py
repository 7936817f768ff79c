"""The benchmark of anomalies: its protocol on made-up objects, and a quick run on real ones."""

import math

import numpy as np
import pytest
from benchmark_modules import benchmark_module

module = benchmark_module("anomalies_real", "light_curve")


@pytest.fixture
def data(module):
    counts = {"SNIa": 1900, "SNII": 340, "SNIIb": 40, "SNIb/c": 120, "SNIIn": 100, "TDE": 20}
    label = np.random.default_rng(0).permutation(np.repeat(list(counts), list(counts.values())))
    return module.Data({}, label, module.merge_labels(label, module.NORMAL))


def test_what_is_normal(data):
    assert set(data.label[data.anomalies]) == {"SNIIn", "TDE"}
    assert set(data.y[data.label == "SNIIb"]) == {"SNIb/c"}


@pytest.mark.parametrize("n_normal", [512, None])
def test_no_anomaly_is_learned_from_and_all_are_scored(module, data, n_normal):
    train, test = module.split(data, n_normal, 3, contaminated=False)
    assert not set(train) & set(test)
    assert set(data.anomalies) <= set(test)
    assert len(test) == 600 + 120
    assert len(train) == (n_normal or 1800)
    other, _ = module.split(data, n_normal, 4, contaminated=False)
    assert set(other) != set(train)


@pytest.mark.parametrize(("n_normal", "n_hidden"), [(512, 26), (None, 60)])
def test_contamination_is_as_in_the_survey_and_never_scored(module, data, n_normal, n_hidden):
    train, test = module.split(data, n_normal, 3, contaminated=True)
    assert not set(train) & set(test)
    assert np.sum(data.y[train] == "") == n_hidden
    assert np.sum(data.y[test] == "") == 60


def test_scores_of_known_rankings(module):
    is_anomaly = np.arange(100) < 10
    best = module.anomaly_scores(is_anomaly, -np.arange(100.0))
    expected = {"auroc": 1.0, "average precision": 1.0, "recall in the top 5 %": 0.5}
    assert best == pytest.approx(expected)
    worst = module.anomaly_scores(is_anomaly, np.arange(100.0))
    assert worst["auroc"] == worst["recall in the top 5 %"] == 0


@pytest.mark.slow
def test_quick(module, data_dir, run_quick):
    figures, result, _ = run_quick(module, "--data", data_dir)
    assert sum(result["anomalies"].values()) > 40
    for table in figures.values():
        for name, row in table.items():
            assert set(row) == {"512", "all"}
            assert all(math.isfinite(score["mean"]) for score in row["all"].values())
            assert name in result["markdown"]
    ours = figures["clean"][module.OURS]["all"]
    assert ours["auroc"]["mean"] > 0.85
    assert {f"auroc {name}" for name in result["anomalies"]} < set(ours)
    assert not any("per class" in name for name in figures["contaminated"])  # nothing is labelled
