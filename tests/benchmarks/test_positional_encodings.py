"""The benchmark of positional codes: its simulated stars, its scores, and a quick run."""

import json

import numpy as np
import pytest
from benchmark_modules import benchmark_module
from small import curves_of

codes = benchmark_module("positional_encodings")


def test_simulated_stars_have_the_times_and_relative_errors_of_real_ones(codes):
    curves = curves_of([40, 60, 3])
    simulated = codes.simulate_like(curves)
    np.testing.assert_array_equal(simulated.time, curves.time)
    np.testing.assert_array_equal(simulated.offsets, curves.offsets)
    np.testing.assert_array_equal(codes.simulate_like(curves).flux, simulated.flux)
    assert (np.abs(simulated.flux_err) > 0).all()


def test_a_damped_walk_forgets_after_its_time_scale(codes):
    rng = np.random.default_rng(0)
    walks = np.array([codes.damped_walk(np.arange(60.0), 10.0, rng) for _ in range(800)])
    np.testing.assert_allclose(walks.var(axis=0), 1, atol=0.25)
    after = [np.mean(walks[:, 0] * walks[:, days]) for days in (10, 50)]
    assert after[0] == pytest.approx(np.exp(-1), abs=0.12)
    assert after[1] == pytest.approx(0, abs=0.12)


def test_errors_of_predictions_and_of_simple_guesses(codes):
    curves = curves_of([50] * 40)
    hidden = codes.hide(curves)
    assert not hidden[curves.offsets[:-1]].any()
    found = codes.errors(curves, hidden, np.maximum(curves.flux[hidden], 1e-3))
    assert found["rmse"] == pytest.approx(0, abs=1e-9)
    assert 0 < found["mean"] < found["nearest"]  # of pure noise


def test_without_times_the_order_is_left(codes):
    curves = codes.without_times(curves_of([5, 7]))
    assert (np.diff(curves.time)[:4] > 0).all()
    assert np.ptp(curves.time[:5]) < 1e-6


@pytest.mark.slow
def test_positional_encodings_quick(codes, data_dir, tmp_path, capsys):
    if not (data_dir / "crts_sss" / "objects.parquet").exists():
        pytest.skip(f"{data_dir} holds no crts_sss")
    chosen = ["trainable", "tupe-a", "no times"]
    figures = codes.main(
        ["--quick", "--data", str(data_dir), "--output", str(tmp_path), "--codes", *chosen]
    )
    assert list(figures) == chosen
    result = json.loads((tmp_path / "positional_encodings_quick.json").read_text())
    assert result["figures"] == figures
    for row in figures.values():
        assert 0.5 < row["Catalina"]["20"]["auroc"]["mean"] < 1
        assert 0 < row["simulated"]["rmse"] < 1
    assert result["markdown"].count("\n") == len(chosen) + 3
    assert capsys.readouterr().out.splitlines()[-1] == result["summary"]
