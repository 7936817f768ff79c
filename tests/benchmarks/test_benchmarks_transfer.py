"""The benchmarks of what transfers: their protocol on made-up numbers, and quick runs."""

import math

import numpy as np
import pytest
from benchmark_modules import benchmark_module

from sklc.datasets import load_demo

same_events = benchmark_module("_same_events", "sncosmo")
alignment = benchmark_module("alignment", "sncosmo")
transfer_time = benchmark_module("transfer_time", "sncosmo")
kepler_stars = benchmark_module("kepler_stars", "astropy")


# -- alignment


def test_surveys_watch_the_same_positions_at_the_same_time(same_events):
    joint = same_events.joint_survey()
    assert {band.survey for band in joint.passbands} == set(same_events.SURVEYS)
    visits = joint.visits
    first, last = visits.span
    assert last - first < same_events.DAYS
    survey = np.array([band.survey for band in joint.passbands])[visits.band]
    for label in same_events.SURVEYS:
        starts = [visits.time[(visits.position == p) & (survey == label)].min() for p in range(5)]
        assert max(starts) < first + 1  # all begin in the same night


def test_renamed_light_curves_are_the_same(same_events):
    curves = load_demo().curves[:3]
    renamed = same_events.with_ids(curves, ["a", "b", "c"])
    assert renamed.ids.tolist() == ["a", "b", "c"]
    np.testing.assert_array_equal(renamed.flux, curves.flux)
    assert renamed.band_names.tolist() == curves.band_names.tolist()
    assert renamed.metadata["redshift"].tolist() == curves.metadata["redshift"].tolist()


def test_neighbours_of_other_surveys_know_the_classes_of_aligned_latents(alignment):
    rng = np.random.default_rng(0)
    curves, y = load_demo(return_X_y=True)
    curves, y = curves[:150], np.tile(["a", "b", "c"], 50)
    survey, event = np.tile(["x", "y"], 75), np.arange(150)
    sample = alignment.Sample(curves, survey, y, event)
    aligned = rng.normal(size=(150, 4)) + 4 * np.eye(3, 4)[np.unique(y, return_inverse=True)[1]]
    scores = alignment.neighbours_across(aligned, sample)
    assert min(scores["AUROC, own"], scores["AUROC, others"]) > 0.9
    # one survey has the classes at the places of others
    mirrored = np.where((survey == "x")[:, None], aligned, aligned[:, [1, 2, 0, 3]])
    scores = alignment.neighbours_across(mirrored, sample)
    assert scores["AUROC, own"] > 0.9
    assert scores["AUROC, others"] < 0.6
    assert sample.counts() == {s: {"a": 25, "b": 25, "c": 25} for s in "xy"}


def test_a_random_network_has_the_size_of_the_weights_and_its_seed(alignment):
    curves = load_demo().curves[:4]
    latents = [alignment.random_network(seed).transform(curves) for seed in (0, 0, 1)]
    assert latents[0].shape == (4, 128)
    np.testing.assert_array_equal(latents[0], latents[1])
    assert not np.allclose(latents[0], latents[2])


@pytest.mark.slow
def test_alignment_quick(alignment, sncosmo_data, data_dir, tmp_path, run_quick):
    figures, result, printed = run_quick(
        alignment, "--data", data_dir, "--cache", tmp_path / "encoders"
    )
    assert result["markdown"] in printed
    assert set(alignment.WEIGHTS) < set(figures)
    assert result["chance"][alignment.SIMULATED] == 0.25
    counts = result["n_objects"][alignment.SIMULATED]
    assert len({str(own) for own in counts.values()}) == 1  # the same events
    for row in figures.values():
        for name, scores in row.items():
            assert scores["survey accuracy"]["mean"] > 0.8 * result["chance"][name]
            assert scores["distance of surveys"]["mean"] >= 0
    found = figures["ztf+lsst"][alignment.SIMULATED]
    assert found["AUROC, others"]["mean"] > 0.8


# -- training time


def test_time_counts_until_the_score_of_random_weights(transfer_time):
    trace = transfer_time.Trace
    traces = {
        transfer_time.SCRATCH: trace([0.5, 0.6, 0.8, 0.7], [1.0, 2.0, 4.0, 6.0], best=2),
        "fast": trace([0.7, 0.85, 0.9], [1.0, 1.5, 2.0], best=2),
        "never": trace([0.5, 0.6], [1.0, 8.0], best=1),
    }
    found = transfer_time.figures_of(traces)
    assert found[transfer_time.SCRATCH]["saved"] == 0
    assert found[transfer_time.SCRATCH]["epochs to the target"] == 2
    assert found["fast"]["saved"] == pytest.approx(1 - 1.5 / 4)
    assert found["fast"]["epochs to the target"] == 1
    assert found["fast"]["final AUROC"] == 0.9
    assert found["never"]["reached"] == 0
    assert found["never"]["saved"] == pytest.approx(1 - 8 / 4)


@pytest.mark.slow
def test_the_same_loop_trains_from_either_start(transfer_time):
    curves, y = load_demo(return_X_y=True)
    target = transfer_time.Target(curves[:160], y[:160], 60, "ztf")
    traces = transfer_time.traces_of(target, 0, 1)
    scratch, start = traces[transfer_time.SCRATCH], traces[transfer_time.START]
    for trace in (scratch, start):
        assert len(trace.scores) == len(trace.seconds) == 2  # the start, and one epoch
        assert 0 < trace.seconds[0] < trace.seconds[1]
        assert trace.best == 1
    assert scratch.scores != start.scores
    assert traces[transfer_time.HEAD].scores[-1] > 0.75
    assert len(traces[transfer_time.HEAD].scores) == 1
    # a start, an epoch, and the head that is solved again at the end
    assert len(traces[transfer_time.TUNED].scores) == 3
    again = transfer_time.traces_of(target, 0, 1)
    assert [t.scores for t in again.values()] == [t.scores for t in traces.values()]


@pytest.mark.slow
def test_transfer_time_quick(transfer_time, sncosmo_data, data_dir, run_quick):
    figures, result, printed = run_quick(transfer_time, "--data", data_dir)
    assert result["markdown"] in printed
    assert len(figures) == 2
    for name, rows in figures.items():
        assert rows[transfer_time.SCRATCH]["saved"]["mean"] == 0
        assert set(rows) == set(result["traces"][name][0])
    assert set(result["weights"]) == {"ztf+lsst-v2", "ztf-v2"}


# -- Kepler's stars


def test_averages_do_not_bridge_gaps(kepler_stars):
    time = np.append(np.arange(10) * 0.02, 5 + np.arange(7) * 0.02)
    averaged, flux = kepler_stars.averaged(time, 2 * time)
    np.testing.assert_allclose(averaged, [0.04, 0.14, 5.04])
    np.testing.assert_allclose(flux, 2 * averaged)


def test_numbers_of_a_sine_wave(kepler_stars):
    time = np.arange(0, 20, 0.02)
    slow, fast = np.sin(2 * np.pi * time / 4.0), np.sin(2 * np.pi * time / 0.3)
    (period, power, _), (other, *_) = kepler_stars.periodicity([time, time], [slow, fast])
    assert math.exp(period) == pytest.approx(4.0, rel=0.02)
    assert math.exp(other) == pytest.approx(0.3, rel=0.02)
    assert power > 0.99
    numbers = kepler_stars.simple_numbers([slow, fast])
    assert numbers[:, 0] == pytest.approx([math.log(0.5**0.5)] * 2, abs=0.01)
    assert numbers[0, 1] < numbers[1, 1]


def test_light_curves_hide_the_brightness_of_a_star(kepler_stars):
    time = np.arange(100) * 0.02
    flux = 0.01 * np.sin(time)
    curves = kepler_stars.light_curves([time, time + 9], [flux, flux], np.array([1e-4, 2e-4]))
    assert curves.lengths.tolist() == [20, 20]
    np.testing.assert_allclose(curves.flux[:20], curves.flux[20:])
    assert np.abs(curves.flux).max() == pytest.approx(10, rel=0.05)
    np.testing.assert_allclose(curves.flux_err[[0, 20]], [0.1 / 5**0.5, 0.2 / 5**0.5], rtol=1e-6)


def test_interval_surrounds_the_score(kepler_stars):
    rng = np.random.default_rng(0)
    y = np.repeat(["a", "b"], 40)
    right = np.clip((y == "a") * 0.3 + 0.7 * rng.random(80), 0, 1)
    probabilities = np.column_stack([right, 1 - right])
    low, high = kepler_stars.interval(y, probabilities, n=100)
    score = kepler_stars.classification_scores(y, probabilities, np.unique(y))["auroc"]
    assert low < score < high < 1


@pytest.mark.slow
def test_kepler_stars_quick(kepler_stars, data_dir, run_quick):
    figures, result, printed = run_quick(kepler_stars, "--data", data_dir)
    assert result["markdown"] in printed
    assert sum(result["n_stars"].values()) == 115
    assert list(figures) == list(kepler_stars.build_rows(True))
    period = figures["the same and the period"]["auroc"]["mean"]
    assert period > figures[kepler_stars.MAGNITUDE]["auroc"]["mean"] + 0.1
