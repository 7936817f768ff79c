"""The benchmark of variable stars: which stars are for what, and how figures are kept."""

import json
import types

import numpy as np
import pandas as pd
import pytest
from benchmark_modules import benchmark_module

from sklc import LightCurves

protocol = benchmark_module("_star_protocol")
methods = benchmark_module("_star_methods")
variable_stars = benchmark_module("variable_stars")


@pytest.fixture(scope="module")
def stars(protocol):
    """60 sine curves and 60 of noise; of a third class there are four."""
    rng = np.random.default_rng(0)
    y = np.array(["sine"] * 60 + ["noise"] * 60 + ["rare"] * 4)
    times = [np.sort(rng.uniform(0, 300, 30)) for _ in y]
    shapes = {"sine": 0.3, "noise": 0.0, "rare": 0.9}
    fluxes = [
        100 * (1 + shapes[name] * np.sin(2 * np.pi * t / 40)) + rng.normal(0, 4, 30)
        for name, t in zip(y, times, strict=True)
    ]
    ids = [f"star{number}" for number in range(len(y))]
    curves = LightCurves.from_arrays(
        times, [np.maximum(f, 1) for f in fluxes], [np.full(30, 4.0)] * len(y), "asasV", ids=ids
    )
    return protocol.Stars(curves, y, protocol.is_test(ids))


# -- which stars are for what


def test_the_split_is_the_one_that_weights_were_trained_with(protocol):
    names = "sss_3021001008691", "sss_3021001012412", "sss_3021003009671", "asas_149389"
    parts = {name: protocol.part_of(name) for name in names}
    assert parts == {
        "sss_3021001008691": "development",
        "sss_3021001012412": "test",
        "sss_3021003009671": "development",
        "asas_149389": "development",
    }
    for name, first in protocol.SAME_STAR.items():
        assert protocol.part_of(name) == protocol.part_of(first)


def test_a_third_of_the_stars_is_for_tests(protocol, tmp_path):
    ids = [f"sss_{number}" for number in range(6000)]
    for name, test_share in (("crts_sss", 1 / 3), ("asas_acvs", 1 / 3), ("debosscher", 1)):
        (tmp_path / name).mkdir()
        pd.DataFrame({"object_id": ids}).to_parquet(tmp_path / name / "objects.parquet")
        parts = protocol.star_split(tmp_path / name)
        assert list(parts.index) == ids
        assert set(parts) <= {"development", "test"}
        assert abs(np.mean(parts == "test") - test_share) < 0.02
        assert name not in protocol.SPLIT_SETS or np.array_equal(
            parts == "test", protocol.is_test(ids)
        )


def test_labels_are_never_those_of_test_stars(protocol, stars):
    task = protocol.StarTask("a", "", "crts_sss", None, "per class", (20,))
    ((train, test),) = task.split(stars, "20", 0)
    assert not stars.is_test[train].any()
    assert stars.is_test[test].all()
    assert len(test) == stars.is_test.sum()
    names, counts = np.unique(stars.y[train], return_counts=True)
    rare = np.sum((stars.y == "rare") & ~stars.is_test)
    assert dict(zip(names, counts, strict=True)) == {"noise": 20, "sine": 20, "rare": rare}
    ((again, _),) = task.split(stars, "20", 0)
    ((other, _),) = task.split(stars, "20", 1)
    np.testing.assert_array_equal(train, again)
    assert set(train) != set(other)
    in_all = protocol.StarTask("a", "", "crts_sss", None, "in all", (40,))
    ((train, _),) = in_all.split(stars, "40", 0)
    assert len(train) == 40
    assert not stars.is_test[train].any()


def test_every_test_star_is_predicted_once_in_folds(protocol, stars):
    task = protocol.StarTask("a", "", "asas_acvs", None, "folds")
    assert task.columns == ["folds"]
    with pytest.warns(UserWarning, match="least populated class"):
        folds = list(task.split(stars, "folds", 0))
    predicted = np.concatenate([test for _, test in folds])
    assert sorted(predicted) == list(np.flatnonzero(stars.is_test))
    for train, test in folds:
        assert not set(train) & set(test)
        assert len(train) > 0.7 * len(stars.y)


def test_sets_of_tests_alone_are_halved(protocol, stars):
    task = protocol.StarTask("a", "", "debosscher", None, "per class", (10,))
    everything = protocol.Stars(stars.curves, stars.y, np.ones(len(stars.y), dtype=bool))
    ((train, test),) = task.split(everything, "10", 0)
    assert not set(train) & set(test)
    assert len(test) == len(stars.y) / 2


def test_the_last_observations_are_kept(protocol, stars):
    cut = protocol.last_points(stars.curves, 7)
    assert list(cut.ids) == list(stars.curves.ids)
    for whole, end in zip(stars.curves, cut, strict=True):
        np.testing.assert_array_equal(end.flux, whole.flux[-7:])
    assert protocol.last_points(stars.curves, 99).equals(stars.curves)


def test_tasks_on_real_stars(protocol, data_dir):
    for name, n_classes in (("catalina", 7), ("asas", 9), ("ogle", 5), ("kepler", 4)):
        task = protocol.TASKS[name]
        if not (data_dir / task.needs / "objects.parquet").is_file():
            pytest.skip(f"{data_dir} holds no {task.needs}")
        stars = task.stars(data_dir, quick=True)
        assert len(np.unique(stars.y)) == n_classes
        assert stars.curves.lengths.max() <= (1024 if name == "kepler" else 256)
        assert stars.is_test.all() == (name in ("ogle", "kepler"))


# -- methods


def test_statistics_do_not_know_the_brightness(methods, stars):
    curves = stars.curves
    brighter = LightCurves.from_arrays(
        curves.time, 7 * curves.flux, 7 * curves.flux_err, "asasV", offsets=curves.offsets
    )
    found = methods.Statistics().fit_transform(curves)
    assert found.shape == (len(stars.y), 5)
    np.testing.assert_allclose(methods.Statistics().fit_transform(brighter), found, atol=1e-9)
    assert found[stars.y == "sine", 0].min() > np.median(found[stars.y == "noise", 0])


def test_a_probe_is_scored_where_a_class_was_not_drawn(methods, variable_stars, protocol, stars):
    task = protocol.StarTask("a", "", "crts_sss", None, "per class", (20,))
    rare_in_test = protocol.Stars(
        stars.curves, stars.y, np.where(stars.y == "rare", True, stars.is_test)
    )
    method = methods.StarMethod("statistics", "", "statistics", methods.probe)
    X = methods.represent(methods.Statistics(), stars.curves)
    scores = variable_stars.scores_of(rare_in_test, X, task, method, "20", 0)
    assert 0.6 < scores["auroc"] < 1
    assert scores["f1"] < 0.7  # of three classes, one is never found


def test_rows_are_remembered(methods, stars):
    calls = []

    class Counting(methods.Statistics):
        def transform(self, X):
            calls.append(len(X))
            return super().transform(X)

    remembered = methods.Remembered(Counting()).fit(stars.curves)
    first = remembered.transform(stars.curves[:10])
    np.testing.assert_array_equal(remembered.transform(stars.curves[:12])[:10], first)
    assert calls == [10, 2]


def test_untrained_networks_differ_from_trained_ones(methods, stars):
    few = stars.curves[:4]
    untrained = methods.represent(methods.UntrainedEncoder("any"), few)
    trained = methods.represent(methods.LightCurveEncoder("any", device="cpu", verbose=0), few)
    assert untrained.shape == trained.shape
    assert not np.allclose(untrained, trained)
    np.testing.assert_array_equal(
        untrained, methods.represent(methods.UntrainedEncoder("any"), few)
    )


# -- figures


@pytest.fixture
def options(tmp_path):
    return types.SimpleNamespace(output=tmp_path, quick=True, fresh=False, seeds=3)


def test_figures_are_continued_and_forgotten_with_their_weights(variable_stars, methods, options):
    def method(digest):
        return {"mine": methods.StarMethod("mine", "my method", "", None, digest)}

    def draw(value):
        return {"f1": value, "auroc": value, "accuracy": value}

    results = variable_stars.Results(options, method("one"))
    results.add("catalina", "mine", "20", [draw(0.5), draw(0.7)])
    again = variable_stars.Results(options, method("one"))
    assert again.draws("catalina", "mine", "20") == 2
    again.add("catalina", "mine", "20", [draw(0.9)])
    found = variable_stars.Results(options, method("one")).figures["catalina"]["mine"]["20"]
    assert found["auroc"]["values"] == [0.5, 0.7, 0.9]
    assert variable_stars.Results(options, method("two")).draws("catalina", "mine", "20") == 0
    # a run without this method keeps it
    assert variable_stars.Results(options, {}).draws("catalina", "mine", "20") == 3
    content = json.loads((options.output / "variable_stars_quick.json").read_text())
    assert "| mine | .700 ± .163 / .700 ± .163 | – | – |" in content["markdown"]
    assert content["quoted"] == variable_stars.QUOTED
    options.fresh = True
    assert variable_stars.Results(options, method("one")).draws("catalina", "mine", "20") == 0


def test_missing_methods_say_why(variable_stars, tmp_path, capsys):
    assert variable_stars.main(["--list", "--data", str(tmp_path)]) == {}
    printed = capsys.readouterr().out
    assert "astromer1" in printed
    assert "there is no astromer1_macho_a0.zip in DIR/rivals" in printed
    for arguments, message in (
        (["--only", "nothing"], "there is no such task or method"),
        ([], "there are no stars in"),
    ):
        with pytest.raises(SystemExit):
            variable_stars.main([*arguments, "--data", str(tmp_path), "--output", str(tmp_path)])
        assert message in capsys.readouterr().err


@pytest.mark.slow
def test_variable_stars_quick(variable_stars, data_dir, run_quick):
    if not (data_dir / "crts_sss" / "objects.parquet").exists():
        pytest.skip(f"{data_dir} holds no crts_sss")
    figures, result, printed = run_quick(variable_stars, "--data", data_dir)
    assert set(figures["catalina"]) == set(variable_stars.QUICK_METHODS)
    assert set(figures["catalina"]["features"]) == {"20"}
    assert figures["catalina"]["features"]["20"]["auroc"]["mean"] > 0.75
    assert figures["asas"]["statistics"]["folds"]["auroc"]["mean"] > 0.75
    assert "published, Kepler" in printed
    assert result["markdown"].count("macro-F1 / AUROC") == len(figures)
