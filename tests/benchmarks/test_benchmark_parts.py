"""Parts of the benchmarks that no quick run checks: averages, cuts, rows, summaries, plots."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from sklc.datasets import load_demo


@pytest.fixture(scope="module")
def load(load_module):
    pytest.importorskip("light_curve", reason='the baselines need pip install "sklc[features]"')
    return load_module


def scores(mean):
    return {"mean": mean, "sd": 0.0, "values": [mean]}


def test_label_draws_and_summaries(load):
    common, y = load("_common"), np.repeat([0, 1], 20)
    with pytest.raises(ValueError, match="train_size"):
        common.draw_labels(y, len(y), seed=0)
    assert common.summarise([{"auroc": 0.8}, {"auroc": 0.9}]) == {
        "auroc": {"mean": 0.85, "sd": 0.05, "values": [0.8, 0.9]}
    }


def test_speed_averages_and_slopes(load):
    speed = load("speed_simulation")
    rates = {"ztf": {"SNIa": {"rate": 1000.0}}, "lsst": {"SNIa": {"rate": 4000.0}}}
    assert speed.averages(rates) == pytest.approx((2500.0, 1600.0))
    linear = {1000: {"cpu": 0.1}, 10_000: {"cpu": 1.0}, 100_000: {"cpu": 10.0}}
    assert speed.log_slopes(linear) == pytest.approx([1.0, 1.0])
    assert load("_speed").slope([10, 100, 1000], [1, 10, 100]) == pytest.approx(1)


def test_prefixes_are_trained_on_with_their_labels(load, monkeypatch):
    early, seen = load("early_classification"), []

    class Recorder:
        def __init__(self, *args, **params):
            self.params = params

        def __getitem__(self, steps):
            return self

        def fit(self, X, y):
            seen.append((X, y, self.params))
            return self

    for name in ("TransferClassifier", "feature_classifier"):
        monkeypatch.setattr(early, name, Recorder)
    curves, y = load_demo(return_X_y=True)
    for name in ("early=True", "early=False"):
        early.build_rows(False)[f"ztf+lsst, {name}"][2](curves[:5], y[:5], [], 0)
    assert [params["early"] for _, _, params in seen] == [True, False]
    table = pd.DataFrame({"a": [1.0, 2.0]})
    early.boosting(False, table, np.array(["Ia", "II"]), [table + 2, table + 4], 0)
    X, labels, _ = seen[-1]
    assert X["a"].tolist() == [1, 2, 3, 4, 5, 6]
    assert labels.tolist() == ["Ia", "II"] * 3
    cuts = ["3 d", "10 d", "3 points", "all"]
    assert early.split_cuts(cuts) == [["3 d", "10 d", "all"], ["3 points", "all"]]


def test_plots_show_every_method_once(load, tmp_path, monkeypatch):
    figures = {"mine": {"0": {"auroc": scores(0.9)}, "64": {"auroc": scores(0.95)}}}
    shown = []
    monkeypatch.setattr(plt, "close", shown.append)
    panels = [("a", "AUROC", figures, "auroc"), ("b", "AUROC", figures, "auroc")]
    load("_label_draws").plot_figures(
        tmp_path / "a.png", panels, ["0", "64"], {"other": {"64": (0.7, None)}}
    )
    monkeypatch.undo()
    (legend,) = shown[0].legends
    assert [text.get_text() for text in legend.get_texts()] == ["mine", "other"]
    assert [ax.get_title(loc="left") for ax in shown[0].axes] == ["a", "b"]
    plt.close(shown[0])


def test_rows_and_repeats_of_the_papers_tables(load):
    zero_shot = load("zero_shot_redshift")
    published = {name for name, row in zero_shot.ROWS.items() if row.published != "–"}
    assert len(published) == 8
    assert {name for pair in zero_shot.ORDER for name in pair} == published
    for name, row in zero_shot.ROWS.items():
        assert ("LSST" in row.surveys) == name.startswith("direct")
    repeats = load("survey_to_survey").repeats
    assert [repeats(n, 5) for n in (100, 1000, 2000, 5000, 10000)] == [5, 5, 2, 2, 1]
    assert repeats(10_000, 1) == 1
