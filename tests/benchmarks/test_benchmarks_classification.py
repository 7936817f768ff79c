"""Benchmarks of calibration and early classification: their figures by hand, and a quick run."""

import numpy as np
import pytest
from benchmark_modules import benchmark_module

pytest.importorskip("light_curve")


calibration = benchmark_module("calibration")
early = benchmark_module("early_classification")


# -- calibration


def test_calibration_error_by_hand(calibration):
    confidence = np.repeat([0.6, 0.9], 10)
    correct = np.r_[np.arange(10) < 6, np.arange(10) < 9].astype(float)
    assert calibration.calibration_error(confidence, correct, 2) == pytest.approx(0)
    assert calibration.calibration_error(confidence, 1 - correct, 2) == pytest.approx(0.5)
    # .2 too confident in half of them
    correct[:2] = 0
    assert calibration.calibration_error(confidence, correct, 2) == pytest.approx(0.1)


def test_scores_by_hand(calibration):
    classes = np.array(["a", "b"])
    y = np.array(["a", "b", "a", "b"])
    proba = np.array([[0.9, 0.1], [0.3, 0.7], [0.4, 0.6], [0.2, 0.8]])
    scores = calibration.scores_of(y, proba, classes)
    assert scores["brier"] == pytest.approx(2 * np.mean(np.square([0.1, 0.3, 0.6, 0.2])))
    assert scores["log_loss"] == pytest.approx(-np.mean(np.log([0.9, 0.7, 0.4, 0.8])))
    assert sum(scores[f"bin {k} n"] for k in range(10)) == 8
    assert (scores["bin 9 predicted"], scores["bin 9 observed"]) == (0.9, 1)
    assert (scores["bin 4 predicted"], scores["bin 4 observed"]) == (0.4, 1)
    sets = np.array([[True, False], [True, True], [False, False], [True, False]])
    assert calibration.set_scores(y, sets, classes) == {
        "coverage": 0.5, "worst class": 0.5, "size": 1.0, "empty": 0.25,
    }  # fmt: skip


def test_a_class_without_probability_is_scored(calibration):
    scores = calibration.scores_of(np.array(["a", "b"]), np.eye(2)[[1, 0]], np.array(["a", "b"]))
    assert np.isfinite(list(scores.values())).all()


@pytest.mark.slow
def test_calibration_quick(calibration, data_dir, run_quick):
    figures, result, _ = run_quick(calibration, "--data", data_dir)
    assert set(figures) == set(calibration.build_rows(quick=True))
    for name, row in figures.items():
        scores = {score: value["mean"] for score, value in row["128"].items()}
        assert 0 <= scores["ece"] < 0.25
        assert 0 < scores["brier"] < 0.6
        n_test = sum(scores[f"bin {k} n"] for k in range(10)) / 3
        assert n_test == 619
        # temperature changes no ranking of classes by a head
        if name == "ztf+lsst, head, temperature":
            plain = figures["ztf+lsst, head"]["128"]
            assert scores["accuracy"] == plain["accuracy"]["mean"]
            assert scores["temperature"] != 1
        if name.startswith("ztf+lsst"):
            assert scores["coverage 0.80"] < scores["coverage 0.90"] < scores["coverage 0.95"]
            assert scores["coverage 0.90"] == pytest.approx(0.9, abs=0.08)
    for title in calibration.SCORES.values():
        assert f"{title[1:]}:\n\n| labels | 128 |" in result["markdown"]
    assert "| nominal | coverage | mean size |" in result["markdown"]


# -- early classification


@pytest.mark.slow
def test_early_classification_quick(early, data_dir, run_quick):
    figures, result, _ = run_quick(early, "--data", data_dir)
    assert set(figures) == set(early.build_rows(quick=True))
    for row in figures.values():
        scores = {score: value["mean"] for score, value in row["128"].items()}
        # more of a light curve is more to go by
        assert 0.5 < scores["auroc at 10 d"] < scores["auroc at all"]
        assert 0.5 < scores["auroc at 5 points"] < scores["auroc at all"]
    head = [figures[f"ztf+lsst, early={early}"]["128"] for early in (False, True)]
    assert head[0]["auroc at 10 d"]["mean"] < head[1]["auroc at 10 d"]["mean"]
    assert result["n_points"]["5 points"][1] == 5
    assert "| 128 labels | 10 d | all |" in result["markdown"]
