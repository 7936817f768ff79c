"""Benchmarks of uncertainty and of adaptation: draws, intervals, and a quick run of each."""

import math

import numpy as np
import pytest
from benchmark_modules import benchmark_module

uncertainty = benchmark_module("uncertainty", "matplotlib")
adaptation = benchmark_module("adaptation", "matplotlib")


def test_draws_and_intervals(uncertainty):
    y = np.repeat(["a", "b"], [30, 8])
    train, test = uncertainty.draw_per_class(y, 5, 0)
    assert np.unique(y[train], return_counts=True)[1].tolist() == [5, 5]
    assert sorted([*train, *test]) == list(range(38))
    mean, low, high = uncertainty.interval(np.array([0.1, 0.2, 0.3]))
    assert mean == pytest.approx(0.2)
    assert (
        high - mean == pytest.approx(mean - low) == pytest.approx(4.3027 * 0.1 / np.sqrt(3), 1e-4)
    )


def test_parts_of_a_draw_share_no_object(adaptation):
    y = np.repeat(["a", "b"], [30, 8])
    parts = adaptation.draw(y, (2, 10, 6), np.random.default_rng(0))
    assert len(set(np.concatenate(parts))) == sum(map(len, parts))
    assert [int(np.sum(y[part] == "a")) for part in parts] == [2, 10, 6]
    assert all(np.any(y[part] == "b") for part in parts)


@pytest.mark.slow
def test_uncertainty_quick(uncertainty, data_dir, run_quick):
    figures, result, _ = run_quick(uncertainty, "--data", data_dir)
    assert set(figures) == set(uncertainty.METHODS)
    for name, row in figures.items():
        scores = [score for score in uncertainty.SCORES if score in row["8"]]
        assert len(scores) == (3 if "uncertainty" in uncertainty.METHODS[name] else 1)
        assert all(0 <= row["8"][score]["mean"] <= 1 for score in scores)
        assert name in result["markdown"]


@pytest.mark.slow
def test_adaptation_quick(adaptation, data_dir, run_quick):
    figures, result, _ = run_quick(adaptation, "--data", data_dir)
    assert len(figures) == len(adaptation.TASKS) * len(adaptation.METHODS)
    for row in figures.values():
        for part in ("source", "target"):
            assert math.isfinite(row["1 per class"][part]["mean"])
    assert "shares differ" in result["markdown"]
