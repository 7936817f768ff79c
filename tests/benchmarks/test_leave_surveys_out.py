"""The benchmark that leaves surveys out: what is trained on, what is judged, and a quick run."""

import math
from importlib import import_module

import numpy as np
import pytest
from benchmark_modules import benchmark_module

from sklc import concatenate
from sklc.datasets import load_demo

benchmark = benchmark_module("leave_surveys_out")


@pytest.fixture
def simulations(benchmark, monkeypatch, tmp_path):
    """Simulations of 40 light curves per survey, and what was asked for."""
    demo, asked = load_demo().curves[:40], []

    def simulate_any_survey(folder, *, share, n_surveys, leave_out, n_jobs):
        asked.append((folder, share, n_surveys))
        known = [label for name, label in (("ztf", "ZTF"), ("lsst", "LSST"), ("ps1", "PS1"))
                 if name not in leave_out]  # fmt: skip
        names = [*known, *(f"random-{k}" for k in range(n_surveys))]
        times = math.ceil(share)
        return concatenate(
            [demo.with_metadata(survey=np.full(40, name)) for name in names for _ in range(times)],
            prefix_ids=True,
        )

    trainings = import_module("_survey_trainings")
    monkeypatch.setattr(trainings, "simulate_any_survey", simulate_any_survey)
    parts = tmp_path / "parts"
    return benchmark.Simulations(parts, tmp_path, share=1.0, n_drawn=10), asked


@pytest.mark.parametrize("n_drawn", [0, 4, 7, 90])
@pytest.mark.parametrize("seen", [(), ("PS1", "UVOT")])
def test_trainings_have_the_same_number_of_light_curves(benchmark, n_drawn, seen):
    numbers = benchmark.Training(n_drawn, seen, n_curves=6_400).composition()
    assert sum(numbers.values()) == 6_400
    drawn = [n for name, n in numbers.items() if name.startswith("random")]
    assert len(drawn) == n_drawn
    assert not drawn or max(drawn) - min(drawn) <= 1
    assert set(numbers) - {f"random-{k}" for k in range(n_drawn)} == {"ZTF", "LSST", *seen}
    if n_drawn:
        assert numbers["ZTF"] == numbers["LSST"] == 800
    assert all(numbers[name] == 400 for name in seen)


def test_steps_are_those_of_the_training(benchmark):
    from sklc.pretrain import pretrain

    curves = load_demo().curves
    encoder, _ = pretrain(curves, epochs=2, hidden_size=2, batch_size=256)
    batches = sum(len(epoch["batches"]) for epoch in encoder.net_.history)
    training = benchmark.Training(n_curves=len(curves), epochs=2)
    assert batches == training.steps(2) == 2 * training.steps(1)


def test_light_curves_are_drawn_once_each(simulations, benchmark):
    own, asked = simulations
    training = benchmark.Training(n_drawn=10, seen=("PS1",), n_curves=320)
    curves = own.training_set(training)
    assert len(curves) == 320
    # every survey has the same objects, so that each may be there at most once per survey
    first = curves.ids.astype(str)
    assert len(set(first)) == 320
    assert curves.equals(own.training_set(training))
    other = own.training_set(benchmark.Training(10, ("PS1",), n_curves=320, seed=1))
    assert not np.array_equal(curves.flux, other.flux)
    assert {n_surveys for _, _, n_surveys in asked} == {10}


def test_few_drawn_surveys_get_more_light_curves_each(simulations, benchmark, tmp_path):
    own, asked = simulations
    assert len(own.training_set(benchmark.Training(n_drawn=2, n_curves=160))) == 160
    (folder, share, n_surveys), *others = [own for own in asked if own[1] != 1.0]
    assert not others
    assert folder.parent == tmp_path
    assert folder != tmp_path / "parts"
    assert share >= 60 / 40
    assert n_surveys == 2


def test_too_few_light_curves_are_an_error(simulations, benchmark):
    own, _ = simulations
    with pytest.raises(ValueError, match=r"only 40 light curves of ZTF, 500 .* larger --share"):
        own.training_set(benchmark.Training(n_drawn=10, n_curves=4_000))


def test_the_plan_changes_one_thing_at_a_time(benchmark):
    base = benchmark.Training()
    plan = benchmark.Plan.of(base, quick=False, n_seeds=2, n_drawn=[0, 4, 15, 45])
    for seen, left_out in plan.pairs:
        assert seen.seen == ("PS1", "DES", "ATLAS", "UVOT", "UBVRI")
        assert left_out.seen == ()
        assert (seen.n_curves, seen.epochs, seen.seed) == (
            left_out.n_curves, left_out.epochs, left_out.seed
        )  # fmt: skip
    assert [pair[0].seed for pair in plan.pairs] == [0, 1]
    assert [own.n_drawn for own in plan.drawn] == [0, 4, 15, 45, 90]
    assert len({(own.n_curves, own.epochs, own.seed, own.seen) for own in plan.drawn}) == 1
    assert base == plan.drawn[-1] == plan.pairs[0][1]


def test_monitored_surveys_have_the_passbands_of_their_instruments(load_module):
    surveys = {name: own.survey() for name, own in load_module("_monitored").MONITORED.items()}
    wavelengths = {name: [b.wavelength for b in own.passbands] for name, own in surveys.items()}
    assert [round(w, 2) for w in wavelengths["ATLAS"]] == pytest.approx([0.54, 0.69], abs=0.02)
    assert min(wavelengths["UVOT"]) < 0.21
    bessell = [0.359, 0.438, 0.549, 0.653, 0.803]
    assert wavelengths["UBVRI"] == pytest.approx(bessell, abs=0.012)
    for survey in surveys.values():
        assert survey.visits.n_positions == 40
        assert survey.summary()["gap_median"].max() < 10


def test_averages_tell_new_surveys_from_known_ones(benchmark):
    scores = {"PS1": 0.8, "UVOT": 0.6, "ZTF": 0.9, "LSST": 0.7, "osc_mixed": 0.5}
    assert benchmark.averages(scores) == {
        "new surveys, simulated": 0.7, "new surveys, real": 0.5, "ZTF and LSST, simulated": 0.8
    }  # fmt: skip


@pytest.mark.slow
def test_leave_surveys_out_quick(benchmark, data_dir, sncosmo_data, tmp_path, run_quick):
    figures, result, printed = run_quick(
        benchmark, "--cache", tmp_path / "cache", "--data", data_dir
    )
    assert result["markdown"] in printed
    assert list(figures["surveys"]) == ["PS1", "UVOT", "ZTF", "LSST", *benchmark.REAL]
    for row in figures["surveys"].values():
        assert row["loss"]["mean"] == pytest.approx(
            row["seen"]["mean"] - row["left out"]["mean"], abs=2e-5
        )
    assert list(figures["drawn"]) == ["0", "1", "2"]
    assert list(figures["steps"]) == ["2", "4"]
    # The last epoch is the end of the training.
    assert figures["steps"]["4"] == pytest.approx(figures["drawn"]["2"], abs=2e-5)
    assert figures["steps"]["4"] != figures["steps"]["2"]
    trainings = {(own["n_drawn"], *own["seen"]) for own in figures["each"]}
    assert len(trainings) == len(figures["each"]) == 4
    assert all(0 < value < 1 for own in figures["each"] for value in own["auroc"].values())
    assert set(result["n_objects"]["snia_multi"]) == {"SNIa", "SNII", "SNIb/c"}
