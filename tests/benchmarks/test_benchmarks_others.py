"""Benchmarks on the DES challenge, and the page that shows the results."""

import json
from pathlib import Path

import numpy as np
import pytest
from benchmark_modules import benchmark_module

from sklc import LightCurves

ROOT = Path(__file__).parents[2]


label_draws = benchmark_module("_label_draws")
snpcc = benchmark_module("snpcc", "light_curve")
results_page = benchmark_module("results_page")


def scores(mean, sd=0.01):
    return {"mean": mean, "sd": sd, "values": [mean - sd, mean + sd]}


# -- figures by number of labels


def test_draws_are_summarised_over_seeds(label_draws, capsys):
    def measure(n_labels, seed):
        out = {"always": {"auroc": 0.5 + 0.1 * seed}}
        return out if n_labels == 0 else {"labelled": {"auroc": 0.9}, **out}

    figures = label_draws.measure_draws(measure, (0, 64, None), range(2), n_jobs=1)
    assert set(figures["always"]) == {"0", "64", "all"}
    assert set(figures["labelled"]) == {"64", "all"}
    assert figures["always"]["64"]["auroc"] == {"mean": 0.55, "sd": 0.05, "values": [0.5, 0.6]}
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 6
    assert "all labels, seed 0" in lines[0]  # the longest first


def test_tables_show_what_there_is(label_draws, capsys):
    figures = {
        "mine": {"0": {"auroc": scores(0.9)}, "64": {"auroc": scores(0.95)}},
        "other": {"64": {"auroc": scores(0.8), "mse": scores(10.25)}},
    }
    quoted = {"published": {"64": (0.7, None), "all": (0.75, 0.02)}}
    assert label_draws.markdown_figures(figures, ["0", "64", "all"], "auroc", quoted) == (
        "| labels | 0 | 64 | all |\n| --- | --- | --- | --- |\n"
        "| mine | .900 ± .010 | .950 ± .010 | – |\n"
        "| other | – | .800 ± .010 | – |\n"
        "| published | – | .700 | .750 ± .020 |"
    )
    assert "| 10.250 ± .010 |" in label_draws.markdown_figures(
        {"other": figures["other"]}, ["64"], "mse"
    )
    label_draws.print_table("title", figures, ["0", "64"], "auroc", quoted)
    line = capsys.readouterr().out.splitlines()[3]
    assert " ".join(line.split()) == "mine 0.900 ± 0.010 0.950 ± 0.010"
    assert label_draws.means(figures, ["0", "64", "all"], "auroc", "mine", "other") == (
        "0.900 / 0.950 / –"
    )


# -- the DES challenge


@pytest.mark.slow
def test_snpcc_quick(snpcc, data_dir, sncosmo_data, run_quick):
    if not (data_dir / "snpcc" / "objects.parquet").exists():
        pytest.skip(f"{data_dir} holds no snpcc")
    figures, result, _ = run_quick(snpcc, "--data", data_dir)
    assert set(figures["classes"]) == set(snpcc.class_rows(quick=True))
    assert set(figures["redshifts"]) == {"median redshift", *snpcc.redshift_rows(quick=True)}
    assert figures["classes"][snpcc.FROZEN]["0"]["auroc"]["mean"] > 0.8
    redshifts = {n: row["64"]["mse x 1000"]["mean"] for n, row in figures["redshifts"].items()}
    assert max(redshifts, key=redshifts.get) == "median redshift"
    assert set(figures["passbands"]) == {snpcc.REFERENCE, "DES"}
    assert figures["passbands"]["DES"]["0"]["auroc"]["mean"] > 0.75
    assert result["markdown"].count("| labels |") == 3


def test_challenge_objects_are_usable_and_not_those_of_development(snpcc, data_dir):
    curves, y, z = snpcc.load_challenge(data_dir, 500)
    assert len(curves) == len(y) == len(z) == 500
    assert set(y) == {"Ia", "II", "Ib/c"}
    assert snpcc.enough_detections(curves).all()
    more, *_ = snpcc.load_challenge(data_dir, 10**6)
    everything = LightCurves.from_parquet(data_dir / "snpcc")
    usable = everything[snpcc.enough_detections(everything)]
    assert len(usable) == len(more) + snpcc.N_DEVELOPMENT
    assert set(curves.ids) <= set(more.ids)


def test_detections_are_counted(snpcc):
    flux = np.r_[np.full(6, 31.0), np.full(5, 31.0), 29.0, -50.0]
    curves = LightCurves.from_arrays(
        np.arange(13.0), flux, np.full(13, 10.0), "desg", offsets=[0, 6, 13, 13]
    )
    assert snpcc.enough_detections(curves).tolist() == [True, False, False]


def test_other_filters_leave_the_visits_alone(snpcc, sncosmo_data):
    ztf = snpcc.simulate_passbands("ZTF g r", ["SNIa"], 30, seed=0)
    des = snpcc.simulate_passbands("ZTF's visits, DES g r", ["SNIa"], 30, seed=0)
    assert {band.name for band in ztf.passbands} == {"ztfg", "ztfr"}
    assert {band.name for band in des.passbands} == {"desg", "desr"}
    assert set(ztf.metadata["class"]) == set(des.metadata["class"])
    # Other objects trigger, but the visits have the same nights.
    nights = [set(np.floor(curves.time)) for curves in (ztf, des)]
    assert len(nights[0] & nights[1]) > 0.5 * len(nights[0])


# -- the page


@pytest.fixture
def results(tmp_path):
    for name, content in {
        "one": {"markdown": "| a |\n| --- |\n| .9 |"},
        "two": {"markdown": "text\n"},
        "without": {"figures": {}},
    }.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    return tmp_path


def page(folder, text):
    path = folder / "page.md"
    path.write_text(text, encoding="utf-8")
    return path, ["--page", str(path), "--results", str(folder)]


def test_tables_are_copied_between_their_markers(results_page, results, capsys):
    path, options = page(
        results,
        "# σ\n<!-- figures: one -->\nold\n<!-- end -->\nmine\n"
        "<!-- figures: two --><!-- end -->\nlast\n",
    )
    assert results_page.main([*options, "--check"]) == 1
    assert "out of date: one, two" in capsys.readouterr().out
    assert "old" in path.read_text(encoding="utf-8")
    assert results_page.main(options) == 0
    assert path.read_text(encoding="utf-8") == (
        "# σ\n<!-- figures: one -->\n\n|a|\n|---|\n|.9|\n\n<!-- end -->\nmine\n"
        "<!-- figures: two -->\n\ntext\n\n<!-- end -->\nlast\n"
    )
    assert results_page.main([*options, "--check"]) == 0
    assert "up to date" in capsys.readouterr().out


def test_chosen_tables_are_copied_with_their_captions(results_page, results):
    tables = [
        "First:\n\n| a |\n| --- |\n| 1 |",
        "Second:\n\n| b |\n| --- |\n| 2 ± 1 |",
        "| c |\n| --- |",
    ]
    (results / "two.json").write_text(json.dumps({"markdown": "\n\n".join(tables)}))
    path, options = page(results, "<!-- figures: two 2 3 --><!-- end -->")
    assert results_page.main(options) == 0
    shown = "Second:\n\n|b|\n|---|\n|2±1|\n\n|c|\n|---|"
    assert path.read_text(encoding="utf-8") == (
        f"<!-- figures: two 2 3 -->\n\n{shown}\n\n<!-- end -->"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<!-- figures: one -->\n", "has no '<!-- end -->' after it"),
        ("<!-- figures: one --><!-- figures: two --><!-- end -->", "has no '<!-- end -->'"),
        ("<!-- figures: three --><!-- end -->", "run benchmarks/three.py, or correct the marker"),
        ("<!-- figures: without --><!-- end -->", 'without.json has no "markdown"'),
        ("<!-- figures: one 1 2 --><!-- end -->", "one.json has 1 tables, not [1, 2]"),
    ],
)
def test_what_cannot_be_copied_is_named(results_page, results, text, message, capsys):
    path, options = page(results, text)
    with pytest.raises(SystemExit):
        results_page.main(options)
    assert message in capsys.readouterr().err
    assert path.read_text(encoding="utf-8") == text


def test_the_page_shows_the_results(results_page, capsys):
    assert results_page.main(["--check"]) == 0, capsys.readouterr().out


def test_stored_figures_make_tables(load_module):
    """Benchmarks that were run before they wrote tables: theirs can be made of their figures."""
    pytest.importorskip("light_curve")
    for name in ("sim_to_real_features", "simulation_fidelity"):
        path = ROOT / "benchmarks" / "results" / f"{name}.json"
        table = load_module(name).markdown(json.loads(path.read_text())["figures"])
        lines = table.splitlines()
        assert len(lines) > 3
        assert len({line.count("|") for line in lines}) == 1
