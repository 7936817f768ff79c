"""The benchmarks: their protocol on made-up labels, and a quick run on real light curves."""

import itertools
import json
import math
import os
import tarfile

import numpy as np
import pytest
from benchmark_modules import benchmark_module

from sklc import LightCurves

common = benchmark_module("_common")
label_efficiency = benchmark_module("label_efficiency", "light_curve")


@pytest.fixture
def y():
    return np.repeat(["SNIa", "SNII", "SNIb/c"], [1900, 440, 140])


# -- protocol


def test_merging_keeps_the_order_and_marks_what_is_left_out(common):
    labels = ["SNIIn", "SNIa-91bg", "TDE", "SNIbn", "SNIa-CSM", "SNIIb", None]
    merged = common.merge_labels(labels)
    assert merged.tolist() == ["SNII", "SNIa", "", "SNIb/c", "", "SNII", ""]


def test_draws_are_stratified_and_disjoint_from_the_test_part(common, y):
    for n_labels in (64, 512, None):
        train, test = common.draw_labels(y, n_labels, seed=3)
        assert not set(train) & set(test)
        assert len(set(train)) == len(train) == (n_labels or len(y) - len(test))
        assert len(test) == len(y) // 4
        for part, name in itertools.product((train, test), np.unique(y)):
            assert abs(np.sum(y[part] == name) - len(part) * np.mean(y == name)) <= 1


def test_every_repeat_draws_differently_and_every_size_has_the_same_test_part(common, y):
    train, test = common.draw_labels(y, 64, seed=0)
    other_train, other_test = common.draw_labels(y, 64, seed=1)
    assert len(set(train) & set(other_train)) < 16
    assert set(test) != set(other_test)
    np.testing.assert_array_equal(test, common.draw_labels(y, 512, seed=0)[1])
    np.testing.assert_array_equal(train, common.draw_labels(y, 64, seed=0)[0])


def test_scores_of_known_predictions(common):
    y = np.array(["a", "a", "b", "c"])
    classes = np.array(["a", "b", "c"])
    perfect = common.classification_scores(y, np.eye(3)[[0, 0, 1, 2]], classes)
    assert set(perfect.values()) == {1.0}
    one_wrong = np.array([[0.9, 0.1, 0], [0.2, 0.8, 0], [0.3, 0.7, 0], [0, 0, 1]])
    scores = common.classification_scores(y, one_wrong, classes)
    # a against b, c: of 4 pairs, one is the wrong way round; b against the rest: 1 of 3.
    assert scores["accuracy"] == 0.75
    assert scores["auroc a"] == 0.75
    assert scores["auroc b"] == pytest.approx(2 / 3)
    assert scores["auroc"] == pytest.approx((0.75 + 2 / 3 + 1) / 3)


def test_redshift_scores_of_known_errors(common):
    z = np.array([0.0, 1.0, 0.25, 0.0])
    assert common.redshift_scores(z, z) == {"mse": 0, "r2": 1, "sigma_nmad": 0, "outliers": 0}
    found = common.redshift_scores(z, z + np.array([0.01, -0.02, 0.0, 0.2]))
    assert found["mse"] == pytest.approx((0.0001 + 0.0004 + 0.04) / 4)
    # errors / (1 + z): .01, -.01, 0, .2; median .005; deviations .005, .015, .005, .195
    assert found["sigma_nmad"] == pytest.approx(1.4826 * 0.01)
    assert found["outliers"] == 0.25


# -- arguments and results file


def test_tables_drop_the_zero_of_fractions_alone(common):
    text = common.markdown_table(["a", "b"], [["x, z < 0.4", "0.912 ± 0.004"], ["10.5", "-0.30"]])
    assert text.splitlines() == [
        "| a | b |",
        "| --- | --- |",
        "| x, z < .4 | .912 ± .004 |",
        "| 10.5 | -.30 |",
    ]


def test_data_folder_comes_from_the_environment(common, monkeypatch, tmp_path):
    monkeypatch.setenv("SKLC_DATA", str(tmp_path))
    assert common.build_parser("").parse_args([]).data == tmp_path
    monkeypatch.delenv("SKLC_DATA")
    assert common.build_parser("").parse_args([]).data.parts[-2:] == ("shared", "data")


def test_missing_data_end_with_a_message(common, tmp_path, capsys):
    with pytest.raises(SystemExit):
        common.parse(common.build_parser(""), ["--data", str(tmp_path)], "ztf_bts")
    assert "there is no ztf_bts" in capsys.readouterr().err


def test_quick_runs_take_one_seed_and_spare_real_results(common, tmp_path):
    arguments = ["--output", str(tmp_path)]
    options = common.parse(common.build_parser("", seeds=7), arguments)
    assert options.seeds == 7
    quick = common.parse(common.build_parser(""), [*arguments, "--quick"])
    assert quick.seeds == 1
    path = common.write_results(options, "name", {"figures": {"a": 1.0}}, ["ztf+lsst"])
    quick_path = common.write_results(quick, "name", {"figures": {"a": 2.0}})
    assert path.name == "name.json"
    assert path != quick_path
    result = json.loads(path.read_text())
    assert result["figures"] == {"a": 1.0}
    assert result["seeds"] == list(range(7))
    assert {"date", "versions", "machine", "weights"} <= set(result)
    assert [name for name in result["weights"] if name.startswith("ztf+lsst-v")]


def test_figures_that_are_no_numbers_are_refused(common, tmp_path):
    options = common.parse(common.build_parser(""), ["--output", str(tmp_path)])
    with pytest.raises(ValueError, match="not JSON compliant"):
        common.write_results(options, "name", {"figures": math.nan})


# -- label efficiency


@pytest.mark.slow
def test_label_efficiency_quick(label_efficiency, data_dir, sncosmo_data, run_quick):
    figures, result, _ = run_quick(label_efficiency, "--data", data_dir)
    assert set(figures) == set(label_efficiency.build_rows(quick=True))
    for name, row in label_efficiency.build_rows(quick=True).items():
        columns = {"0"} if row.without_labels else set()
        if row.model is not None:
            columns |= {"64", "512"}
        assert set(figures[name]) == columns
        for scores in figures[name].values():
            assert {"auroc", "accuracy", "auroc SNIa", "auroc SNII", "auroc SNIb/c"} < set(scores)
            for score in scores.values():
                assert math.isfinite(score["mean"])
                assert math.isfinite(score["sd"])
                assert len(score["values"]) == 1
    assert figures["ztf+lsst, frozen + logistic regression"]["0"]["auroc"]["mean"] > 0.8
    assert sum(result["n_objects"].values()) == 2476
    # One method is measured once more, and the others keep their figures.
    alone, result, _ = run_quick(label_efficiency, "--data", data_dir, "--rows", "ztf, frozen")
    assert list(alone) == list(figures) == list(result["figures"])
    assert {n: alone[n] for n in alone if n != "ztf, frozen + logistic regression"} == {
        n: figures[n] for n in figures if n != "ztf, frozen + logistic regression"
    }


def test_label_efficiency_refuses_unknown_rows(label_efficiency, data_dir, capsys):
    with pytest.raises(SystemExit):
        label_efficiency.main(["--data", str(data_dir), "--rows", "nothing like it"])
    assert "no method matches" in capsys.readouterr().err


# -- speed of the simulation


@pytest.fixture
def speed_simulation(load_module):
    pytest.importorskip("resource", reason="peak memory is measured on Unix only")
    return load_module("speed_simulation")


@pytest.mark.slow
def test_speed_simulation_quick(speed_simulation, sncosmo_data, tmp_path, monkeypatch, run_quick):
    monkeypatch.setenv("SKLC_CACHE_DIR", str(tmp_path / "mine"))
    figures, result, printed = run_quick(speed_simulation)
    assert list(figures) == list(result["targets"]) == list(speed_simulation.TARGETS)
    assert all(math.isfinite(value) for value in figures.values())
    parts = result["parts"]
    assert parts["grids"]["files"] == 2  # SNe Ia in two surveys, from nothing
    assert parts["Paper II"]["objects"] == 48 + 43  # .5 %, rounded up
    assert parts["Parquet, more"]["objects"] == 2 * parts["Parquet, fewer"]["objects"]
    assert parts["sncosmo"]["sncosmo"] > 0
    assert not (tmp_path / "mine").exists()  # the user's own tables are left alone
    assert "extrapolated, not measured" in printed


def test_speed_simulation_says_what_it_missed(speed_simulation, capsys):
    speed_simulation.say("Paper II: CPU", 61.0)
    speed_simulation.say("rate: mean of classes and surveys", 3001.0)
    lines = capsys.readouterr().out.splitlines()
    assert "target <= 60 s" in lines[0]
    assert "MISSED" in lines[0]
    assert "target >= 3,000 /s" in lines[1]
    assert "MISSED" not in lines[1]


# -- templates


@pytest.fixture
def stored_templates(common, monkeypatch, tmp_path):
    """A data folder with templates, of one small file each, and an empty cache."""
    monkeypatch.setenv("SNCOSMO_DATA_DIR", "")  # counts as not set, and is restored afterwards
    monkeypatch.setenv("SKLC_CACHE_DIR", str(tmp_path / "cache"))
    stored = tmp_path / "data" / "templates"
    stored.mkdir(parents=True)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "salt3.dat").write_text("1 2 3")
    with tarfile.open(stored / common.ARCHIVE, "w:xz") as archive:
        archive.add(tmp_path / "models", "models")
    for name in common.SNOOPY_FILES:
        (stored / name).write_text(name)
    return stored


def test_templates_are_unpacked_once(common, stored_templates, tmp_path, monkeypatch):
    options = common.build_parser("").parse_args(["--data", str(tmp_path / "data")])
    folder = common.use_templates(options)
    assert os.environ["SNCOSMO_DATA_DIR"] == str(folder)
    assert folder.is_relative_to(tmp_path / "cache")
    expected = {"models", *common.SNOOPY_FILES}
    assert {path.name for path in folder.iterdir()} == expected
    assert (folder / "models" / "salt3.dat").read_text() == "1 2 3"
    (folder / "mark").touch()
    monkeypatch.setenv("SNCOSMO_DATA_DIR", "")
    assert common.use_templates(options) == folder
    assert (folder / "mark").exists()
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]  # nothing half done


def test_templates_of_the_environment_come_first(common, stored_templates, tmp_path, monkeypatch):
    monkeypatch.setenv("SNCOSMO_DATA_DIR", str(tmp_path))
    options = common.build_parser("").parse_args(["--data", str(tmp_path / "data")])
    assert common.use_templates(options) == tmp_path
    assert not (tmp_path / "cache").exists()


def test_missing_templates_end_with_a_message(common, stored_templates, tmp_path, capsys):
    (stored_templates / common.SNOOPY_FILES[1]).unlink()
    options = common.build_parser("").parse_args(["--data", str(tmp_path / "data")])
    with pytest.raises(SystemExit):
        common.use_templates(options)
    message = capsys.readouterr().err
    assert "SNCOSMO_DATA_DIR is not set" in message
    assert f"has no {common.SNOOPY_FILES[1]}." in message


# -- what simulations are worth


@pytest.mark.slow
def test_simulation_fidelity_quick(load_module, data_dir, sncosmo_data, run_quick):
    module = load_module("simulation_fidelity")
    figures, result, _ = run_quick(module, "--data", data_dir)
    assert set(figures) == set(module.ROWS)
    assert figures["SNIa"]["n real"] > 1500
    for name in module.COMMON:  # few simulated objects: a coarse net, but it has a mesh
        for figure in module.FIGURES:
            assert abs(figures[name][figure]["difference"]) < 0.45, (name, figure)
    for errors in result["band_flux_errors"].values():
        assert all(error["rms"] < 0.05 for error in errors.values())


def test_fidelity_measures_a_known_light_curve(load_module):
    days = np.arange(-12.0, 31.0, 3.0)
    mag_g = 17.0 + np.abs(days) / 30
    curves = LightCurves.from_arrays(
        [np.repeat(59000 + days, 2)],
        [10 ** (-0.4 * (np.column_stack([mag_g, mag_g + 0.2]).ravel() - 27.5))],
        [np.full(2 * len(days), 5.0)],
        [["ztfg", "ztfr"] * len(days)],
        metadata={"redshift": [0.05], "mwebv": [0.1]},
    )
    row = load_module("simulation_fidelity").measure(curves).iloc[0]
    modulus = 36.73  # z = .05
    assert row["M at peak"] == pytest.approx(17.0 - modulus - 0.33, abs=0.02)
    assert row["g-r at peak"] == pytest.approx(-0.2 - 0.1, abs=0.01)
    assert row["g-r at +10-20 d"] == pytest.approx(-0.3, abs=0.01)
    assert row["g decline to +10-20 d"] == pytest.approx(np.mean([12, 15, 18]) / 30, abs=0.01)


@pytest.mark.slow
def test_sim_to_real_quick(load_module, data_dir, sncosmo_data, run_quick):
    pytest.importorskip("light_curve")
    figures, result, _ = run_quick(load_module("sim_to_real_features"), "--data", data_dir)
    assert figures["all"]["auroc"]["mean"] > 0.85  # of some hundred simulated supernovae
    assert sum(result["n_real"].values()) == 2476
