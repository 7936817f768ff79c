"""The benchmarks on simulations: their protocol, encoders kept in a folder, and quick runs."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from benchmark_modules import benchmark_module

from sklc.datasets import load_demo
from sklc.light_curves import LightCurves
from sklc.weights.catalogue import manifest

star_fidelity = benchmark_module("star_fidelity", "light_curve")


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """A folder of encoders for all quick runs of this file."""
    return tmp_path_factory.mktemp("encoders")


def values_of(figures):
    """All numbers in nested figures."""
    for value in figures.values() if isinstance(figures, dict) else figures:
        if isinstance(value, dict | list):
            yield from values_of(value)
        else:
            yield value


# -- encoders pretrained here


@pytest.fixture
def simulated(load_module, monkeypatch):
    """The module, with the demo data in place of simulations, and how often it trained."""
    module = load_module("_simulated")
    demo = load_demo().curves
    trained = []

    def pretrain(curves, **options):
        trained.append(options)
        return module_pretrain(curves, **options)

    module_pretrain = module.pretrain
    monkeypatch.setattr(module, "training_set", lambda *args: demo)
    monkeypatch.setattr(module, "pretrain", pretrain)
    return module, trained


def test_encoders_are_trained_once(simulated, tmp_path):
    module, trained = simulated
    recipe = module.Recipe(surveys=("ZTF",), epochs=1, hidden_size=4)
    path, metrics = module.pretrained(recipe, tmp_path / "new")
    again, same = module.pretrained(recipe, tmp_path / "new")
    assert (path, metrics) == (again, same)
    assert len(trained) == 1
    assert trained[0]["redshift_weight"] == 0  # zero-shot: no redshift may be seen
    assert metrics["cpu_seconds"] >= 0
    assert module.load(path).transform(load_demo().curves[:2]).shape == (2, 128)
    assert {file.suffix for file in path.parent.iterdir()} == {".safetensors", ".json", ""}
    assert (path.parent / ".gitignore").read_text() == "*\n"


def test_another_recipe_is_another_encoder(simulated, tmp_path):
    module, trained = simulated
    paths = {
        module.pretrained(module.Recipe(surveys=("ZTF",), epochs=1, hidden_size=n), tmp_path)[0]
        for n in (3, 4)
    }
    assert len(paths) == len(trained) == 2


def test_a_training_that_was_stopped_goes_on(simulated, tmp_path, monkeypatch):
    module, _ = simulated
    recipe = module.Recipe(surveys=("ZTF",), epochs=2, hidden_size=4)
    whole = module.load(module.pretrained(recipe, tmp_path / "whole")[0])

    def stopped(self, path, **info):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module.LightCurveEncoder, "save", stopped)
        with pytest.raises(KeyboardInterrupt):
            module.pretrained(recipe, tmp_path)
    assert [f.suffix for f in tmp_path.glob("*.checkpoint")] == [".checkpoint"]
    resumed = module.load(module.pretrained(recipe, tmp_path)[0])
    curves = load_demo().curves[:5]
    np.testing.assert_array_equal(resumed.transform(curves), whole.transform(curves))
    assert not list(tmp_path.glob("*.checkpoint"))


# -- zero-shot redshift


zero_shot = benchmark_module("zero_shot_redshift")


def test_zero_shot_draws_are_disjoint_and_differ(zero_shot):
    train, test = zero_shot.draw_objects(100, 70, seed=0)
    assert sorted([*train, *test]) == list(range(100))
    assert len(train) == 70
    assert set(test) != set(zero_shot.draw_objects(100, 70, seed=1)[1])


def test_network_from_scratch_learns_a_redshift(zero_shot):
    # Brightness tells the distance: 40 objects of one shape, fainter with redshift.
    redshift = np.tile([0.05, 0.4], 20)
    time = np.arange(0.0, 40.0, 4.0)
    flux = 400 * np.exp(-time / 20) * (0.05 / redshift[:, None]) ** 2
    curves = LightCurves.from_arrays(
        [time] * 40, list(flux), [np.full(10, 0.1)] * 40, [["lsstr"] * 10] * 40
    )
    predicted = zero_shot.from_scratch(
        curves[:30], redshift[:30], curves[30:], hidden_size=8, epochs=120, seed=0
    )
    assert np.mean((predicted - redshift[30:]) ** 2) < 0.3 * redshift.var()


def test_claims_compare_the_repeats_that_both_rows_have(zero_shot):
    figures = {name: {"mse": {"values": [0.1, 0.1]}} for name in zero_shot.ROWS}
    figures["zero-shot: contrastive"]["mse"]["values"] = [0.05, 9.0]
    figures["direct: no pretraining, LSST"]["mse"]["values"] = [0.06]
    held = zero_shot.claims(figures)
    assert held["zero-shot: contrastive <= direct: no pretraining, LSST"]
    assert not held["zero-shot: contrastive <= zero-shot: adversarial"]


@pytest.mark.slow
def test_zero_shot_redshift_quick(zero_shot, sncosmo_data, cache, run_quick):
    figures, result, printed = run_quick(zero_shot, "--cache", cache)
    assert result["markdown"] in printed
    assert list(figures) == list(zero_shot.ROWS)
    assert all(math.isfinite(value) for value in values_of(figures))
    assert set(result["claims"]) == {f"{a} <= {b}" for a, b in zero_shot.ORDER}
    for recipe in result["pretraining"].values():
        assert recipe["redshift_weight"] == 0
        assert recipe["surveys"] == ["ZTF", "LSST"]
    assert len(result["markdown"].splitlines()) == 2 + len(zero_shot.ROWS)


# -- survey to survey


survey_to_survey = benchmark_module("survey_to_survey", "light_curve")


def test_labels_are_drawn_outside_the_test_part(survey_to_survey):
    y = np.repeat(["a", "b", "c"], 100)
    pool, test = survey_to_survey.split(y, 60)
    data = survey_to_survey.Data(None, None, y, pool, test)
    drawn = [survey_to_survey.draw(data, 30, seed) for seed in (0, 1)]
    for train in drawn:
        assert not set(train) & set(test)
        assert np.unique(y[train], return_counts=True)[1].tolist() == [10, 10, 10]
    assert set(drawn[0]) != set(drawn[1])
    assert set(survey_to_survey.draw(data, len(pool), 0)) == set(pool)
    np.testing.assert_array_equal(test, survey_to_survey.split(y, 60)[1])


def test_survey_to_survey_claims(survey_to_survey):
    def figures(transferred, scratch):
        return {
            name: {
                str(n): {"auroc": {"mean": value}}
                for n, value in zip((100, 300, 1000), values, strict=True)
            }
            for name, values in (
                (survey_to_survey.TRANSFER, transferred),
                (survey_to_survey.SCRATCH, scratch),
            )
        }

    held, share = survey_to_survey.claims(
        figures([0.7, 0.8, 0.8], [0.6, 0.7, 0.9]), [100, 300, 1000]
    )
    assert share == pytest.approx(0.8 / 0.9)
    assert list(held.values()) == [True, True, False, False]
    held, share = survey_to_survey.claims(figures([0.7, 0.8, 0.8], [0.6, 0.7, 0.9]), [100, 1000])
    assert share is None


@pytest.mark.slow
def test_survey_to_survey_quick(survey_to_survey, sncosmo_data, run_quick):
    figures, result, printed = run_quick(survey_to_survey)
    assert result["markdown"] in printed
    assert list(figures) == list(survey_to_survey.METHODS)
    for row in figures.values():
        assert list(row) == [str(n) for n in survey_to_survey.QUICK_SIZES]
        for scores in row.values():
            assert 0 < scores["auroc"]["mean"] < 1
    assert list(result["weights"]) == [manifest()["aliases"]["ztf"]]
    assert result["share_of_full_baseline"] is None
    # Features of a hundred objects are worth something.
    assert figures["features + gradient boosting"]["120"]["auroc"]["mean"] > 0.6


# -- ablations


ablations = benchmark_module("ablations")


def test_ablations_change_one_thing_at_a_time(ablations):
    base = ablations.Recipe(redshift_weight=0.15)
    recipes = ablations.build_recipes(base)
    assert recipes.pop(ablations.BASE) == base
    for name, recipe in recipes.items():
        changed = [key for key in vars(base) if getattr(recipe, key) != getattr(base, key)]
        assert len(changed) == 1, name
    assert len(set(recipes.values())) == len(recipes)


def test_development_objects_are_in_no_test_part(ablations):
    from _common import draw_labels

    y = np.repeat(["SNIa", "SNII", "SNIb/c"], [1892, 443, 141])
    kept = ablations.development_objects(y)
    assert 500 < len(kept) < 700  # .75 to the fifth power
    for seed in range(5):
        assert not set(kept) & set(draw_labels(y, 512, seed)[1])


@pytest.mark.slow
def test_ablations_quick(ablations, data_dir, sncosmo_data, cache, run_quick):
    figures, result, printed = run_quick(ablations, "--cache", cache, "--data", data_dir)
    assert result["markdown"] in printed
    assert next(iter(figures)) == ablations.BASE
    assert all(set(row) == set(ablations.COLUMNS) for row in figures.values())
    assert all(math.isfinite(value) for value in values_of(figures))
    assert result["n_objects"]["snpcc"] == 800
    # Even a network of eight units knows more of supernovae than chance.
    assert figures[ablations.BASE]["snpcc"]["mean"] > 0.6
    assert torch.get_num_threads() == 1


# -- variable stars


def test_simulated_stars_are_compared_with_real_ones_as_bright(star_fidelity):
    rng = np.random.default_rng(0)
    real = pd.DataFrame({"magnitude": rng.normal(16.0, 0.3, 300)})
    real["amplitude"] = rng.normal(0.1 * (real["magnitude"] - 10.0), 0.1)
    made = pd.DataFrame({"magnitude": rng.uniform(12.0, 18.0, 3000)})
    made["amplitude"] = rng.normal(0.1 * (made["magnitude"] - 10.0), 0.1)
    for name in ("log period", "skewness", "scatter"):
        real[name] = made[name] = np.nan
    figures = star_fidelity.compare(real, made)
    assert set(figures) == {"amplitude"}
    assert figures["amplitude"]["real"][1] == pytest.approx(0.6, abs=0.03)
    # stars of 16 mag have .6 mag, those of all magnitudes less: only the former are compared
    assert figures["amplitude"]["distance"] < 0.15
    assert made["amplitude"].median() < 0.55
    assert set(star_fidelity.LEARNED) <= set(star_fidelity.ROWS["crts_sss"])


@pytest.mark.slow
def test_star_fidelity_quick(star_fidelity, data_dir, sncosmo_data, run_quick):
    figures, result, _ = run_quick(star_fidelity, "--data", data_dir)
    assert "crts_sss RRab" in figures
    assert result["auroc"] > 0.8
    assert result["median distance"]["amplitude"] < 0.5
