"""The program: help, errors, exit status, interruptions; and the commands that predict nothing."""

import importlib
import io
import json
import os
import signal
import subprocess
import sys
import time
import tomllib
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sklc import LightCurves, LightCurveWarning
from sklc.cli import main
from sklc.cli.arguments import build_parser
from sklc.simulate import list_classes, list_surveys

PNG = b"\x89PNG"


def start(*arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-m", "sklc", *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options,
    )  # fmt: skip


def test_help_of_all_commands_says_the_exit_status(run):
    commands = next(a for a in build_parser()._actions if a.dest == "command").choices
    pages = [run("--help"), *(run(name, "--help") for name in commands if name != "pretrain")]
    for page in pages:
        assert page.status == 0
        assert "exit status:" in page.out
    assert all(name in pages[0].out for name in commands)
    ran = run("pretrain", "--help")
    assert ran.status == 0
    assert ran.out.startswith("usage: sklc pretrain")
    assert run("--version").out.startswith("sklc ")


def test_a_command_imports_what_it_needs(night):
    code = """if True:
        import sys
        from sklc.cli import main
        for arguments, absent in (
            (["--help"], {"torch", "pandas", "numpy"}),
            (["weights"], {"torch", "pandas", "numpy"}),
            (["formats"], {"torch"}),
            (["info", sys.argv[1]], {"torch"}),
        ):
            main(arguments)
            print(arguments, absent & {*sys.modules}, file=sys.stderr)
    """
    done = subprocess.run([sys.executable, "-c", code, night], capture_output=True, text=True)
    assert done.stderr.count("set()") == 4


def test_python_m_is_the_same_and_a_pipe_that_closes_is_no_error(run):
    process = start("weights", "list")
    out, _ = process.communicate()
    assert process.returncode == 0
    assert out == run("weights", "list").out
    process = start("weights", "list")
    process.stdout.close()
    err = process.stderr.read()
    assert process.wait() == 141
    assert err == ""


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interruption_leaves_no_file(run, night, tmp_path, monkeypatch, number, status):
    def interrupt(self, X, **options):
        assert [path for path in tmp_path.iterdir() if "partial" in path.name]
        os.kill(os.getpid(), number)
        time.sleep(10)

    monkeypatch.setattr("sklc.TransferClassifier._with_novelty", interrupt)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may ignore it
    try:
        ran = run("classify", night, "-o", tmp_path / "out.csv")
    finally:
        signal.signal(signal.SIGINT, before)
    assert ran.status == status
    assert ran.err in ("sklc: interrupted\n", "sklc: terminated\n")
    assert [path.name for path in tmp_path.iterdir()] == ["night.csv"]
    assert signal.getsignal(signal.SIGTERM) is not None


def test_progress_is_shown_on_a_terminal(night, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    for quiet in (False, True):
        monkeypatch.setattr("sys.stderr", Terminal())
        assert main(["classify", str(night), "--batch-size", "4", *["-q"] * quiet]) == 0
        shown = sys.stderr.getvalue()
        assert (" objects [" in shown) == (not quiet)
        assert shown.endswith("sklc: classified 12 objects\n" * (not quiet))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "required: COMMAND"),
        (["clasify"], "invalid choice: 'clasify'"),
        (["NIGHT"], "name a command before the file, such as: sklc info "),
        (["classify"], "required: FILE"),
        (["classify", "nosuch.csv"], "nosuch.csv does not exist"),
        (["classify", "NIGHT", "--wieghts", "ztf"], "unknown argument '--wieghts'"),
        (["classify", "NIGHT", "--weights", "nosuch"], "weights='nosuch' is not known"),
        (["classify", "NIGHT", "--merge", "Ia=SNIa,SNXX"], "SNXX, which is no class"),
        (["info", "NIGHT", "--survey", "nosuch"], "Survey 'nosuch' is unknown"),
        (["classify", "NIGHT", "--merge", "Ia="], "is not NAME=CLASS"),
        (["classify", "NIGHT", "--merge", "A=SNIa", "A=TDE"], "names A twice"),
        (["classify", "NIGHT", "--merge", "--merge", "A=SNIa"], "but not both"),
        (["classify", "NIGHT", "--merge", "class=SNIa"], "cannot be named 'class'"),
        (["classify", "NIGHT", "--batch-size", "0"], "not a positive integer"),
        (["classify", "NIGHT", "--device", "nosuch"], "nosuch"),
        (["redshift", "NIGHT", "--weights", "ztf+lsst"], "no redshift head"),
        (["redshift", "NIGHT", "--coverage", "90"], "not a number between 0 and 1"),
        (["anomalies", "NIGHT", "--contamination", "0.7"], "contamination"),
        (["anomalies", "-"], "standard input cannot be"),
        (["weights", "show"], "name the weights"),
        (["weights", "show", "nosuch"], "'nosuch' is not known"),
        (["weights", "list", "ztf"], "sklc weights show ztf"),
        (["formats", "nosuch"], "no format named 'nosuch'"),
        (["simulate", "-o", "x"], "--survey is needed"),
        (["simulate", "--survey", "ztf"], "--output is needed"),
        (["simulate", "--survey", "ztf", "-o", "x.csv"], "simulations are folders"),
        (["simulate", "--survey", "ztf", "-o", "x", "-n", "many"], "neither a number nor"),
        (["simulate", "--survey", "ztf", "-o", "x", "-n", "0"], "a number above 0"),
        (["simulate", "--survey", "ztf", "-o", "x", "-n", "5", "-n", "TDE=2"], "but not both"),
        (["simulate", "--survey", "nosuch", "-o", "x"], "nosuch"),
        (["pretrain"], "--name, --output"),
        (["plot", "NIGHT", "-o", "x.gif"], "none of .png, .pdf, .svg"),
        (["plot", "NIGHT", "--object", "nosuch", "-o", "x.png"], "no object 'nosuch'"),
    ],
)
def test_errors_are_one_line(run, night, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    ran = run(*(night if word == "NIGHT" else word for word in arguments))
    assert (ran.status, ran.out) == (2, "")
    *_, last = ran.err.splitlines()
    assert last.startswith("sklc: error: ")
    assert message in last
    assert ran.err.count("sklc: error") == 1
    assert sorted(tmp_path.iterdir()) == before


def test_debug_shows_where_an_error_comes_from(capsys, night, monkeypatch):
    def fail(self, X, **options):
        raise KeyError("a fault of ours")

    monkeypatch.setattr("sklc.TransferClassifier._with_novelty", fail)
    assert main(["classify", str(night)]) == 2
    err = capsys.readouterr().err
    assert err == "sklc: error: KeyError: 'a fault of ours' (add --debug to see where)\n"
    for arguments in (["--debug", "classify", str(night)], ["classify", str(night), "--debug"]):
        assert main(arguments) == 2
        assert "Traceback" in capsys.readouterr().err


def test_a_missing_package_is_one_line(run, night, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    ran = run("plot", night)
    assert ran.status == 2
    assert ran.err.count("\n") == 1
    assert 'pip install "sklc[plot]"' in ran.err


def test_quiet_writes_errors_only(run, spoilt, night):
    ran = run("classify", "-q", spoilt[0])
    assert (ran.status, ran.err) == (1, "")
    assert run("-q", "classify", night, "nosuch.csv").err.startswith("sklc: error: nosuch.csv")


# -- plot, info, simulate, pretrain, weights, formats


def test_plots(run, night, spoilt, demo_curves, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ran = run("plot", night, "--max", 2)
    assert ran.status == 0
    assert (tmp_path / "night.png").read_bytes().startswith(PNG)
    assert "drew 2 of 12 objects" in ran.err
    assert "wrote night.png" in ran.err
    assert "--overwrite" in run("plot", night, "--max", 2).err
    folder = tmp_path / "plots"
    assert "does not exist" in run("plot", night, "-o", folder / "inner").err
    wanted = demo_curves.ids[[3, 1]]
    run("plot", night, *(w for i in wanted for w in ("--object", i)), "--no-classes", "-o", folder)
    assert sorted(path.name for path in folder.iterdir()) == [f"{i}.png" for i in sorted(wanted)]
    path, _, bad = spoilt
    ran = run("plot", path, "--object", bad[2], "--object", bad[1], "--merge", "-o", "p.svg")
    assert ran.status == 1  # one cannot be read, the other cannot be classified
    assert "<svg" in (tmp_path / "p.svg").read_text()
    assert "'SIM0007' in" in ran.err
    assert "'SIM0004' in" in ran.err
    assert run("plot", path, "--object", bad[2], "-o", "q.png").status == 2


def test_info_tells_what_was_read(run, night, spoilt, demo_curves):
    ran = run("info", night)
    assert ran.status == 0
    facts = dict(line.split(None, 1) for line in ran.out.splitlines()[1:])
    assert facts["format"].startswith("long-table: ")
    assert facts["objects"] == "12 (ids 'SIM0000', 'SIM0001', 'SIM0002', ...)"
    counts = demo_curves.to_frame()["band"].value_counts()
    assert facts["bands"].split(", ") == [f"{b} {counts[b]}" for b in ("ztfg", "ztfr")]
    assert facts["zero"] == "point      27.5 (AB)"
    path, _, bad = spoilt
    ran = run("info", path, night, "--json")
    assert ran.status == 0
    described = json.loads(ran.out)
    assert list(described) == [str(path), str(night)]
    assert sorted(described[str(path)]["unusable"]) == sorted(bad)
    peaks = [c.zero_point - 2.5 * np.log10(c.flux.max()) for c in demo_curves]
    found = described[str(night)]["peak magnitude"]
    assert found["from"] == pytest.approx(min(peaks), abs=1e-3)
    assert found["median"] == pytest.approx(np.median(peaks), abs=1e-3)


def test_info_tells_of_warnings_and_of_files_that_cannot_be_read(
    run, night, tmp_path, known_format
):
    def read(source):
        warnings.warn("this is a toy", LightCurveWarning)
        return LightCurves.from_arrays([[1.0]], [[3.0]], None, "ztfg")

    known_format(read)
    toys = [tmp_path / "toy.txt", tmp_path / "other.txt"]
    for toy in toys:
        toy.write_text("toy")
    ran = run("info", night, *toys, "nosuch.csv", "--json")
    assert ran.status == 1
    described = json.loads(ran.out)
    assert [facts["warnings"] for facts in described.values()] == [[], *[["this is a toy"]] * 2]
    assert "nosuch.csv does not exist" in ran.err
    page = run("info", toys[0])
    assert "  warning         this is a toy\n" in page.out
    assert page.err == ""
    assert run("classify", *toys).err.count("sklc: warning: this is a toy\n") == 1


def test_simulation_lists_names_and_leaves_no_unusable_folder(run, tmp_path, monkeypatch):
    ran = run("simulate", "--list")
    assert ran.out.split()[1:6] == list_surveys()[:5]
    assert set(list_classes()) <= set(ran.out.split())

    def fail(*args, **kwargs):
        raise RuntimeError("no templates")

    monkeypatch.setattr("sklc.simulate.to_parquet.list_tasks", fail)
    ran = run("simulate", "--survey", "ztf", "-n", "TDE=3", "-o", tmp_path / "new")
    assert ran.status == 2
    assert not (tmp_path / "new").exists()


@pytest.mark.slow
def test_simulation_can_be_classified(run, sncosmo_data, tmp_path):
    folder = tmp_path / "simulated"
    arguments = ["--survey", "ztf", "-n", 6, "--classes", "TDE", "AGN", "--seed", 3, "-o", folder]
    assert "simulated 12 light curves" in run("simulate", *arguments).err
    assert run("simulate", *arguments).status == 0  # it is there already
    assert "holds another simulation" in run("simulate", *arguments, "--seed", 4).err


def test_pretraining_is_handed_over(run, demo_curves, tmp_path):
    from sklc.datasets import load_demo

    folder, weights = tmp_path / "simulated", tmp_path / "weights"
    load_demo().curves[:100].to_parquet(folder)
    arguments = ["--data", folder, "--surveys", "ZTF", "--output", weights, "--name", "own-v1"]
    ran = run("pretrain", "--debug", *arguments, "--epochs", 1, "--hidden-size", 4)
    assert ran.status == 0
    assert (weights / "own-v1.safetensors").exists()
    shown = run("weights", "show", weights / "own-v1.safetensors", "--json")
    assert json.loads(shown.out)["classes"] == ["SNII", "SNIa", "SNIb/c"]
    assert "debug" not in json.loads(shown.out)["command"]
    ran = run("pretrain", *arguments)
    assert ran.status == 2
    assert ran.err.startswith("sklc: error: There are weights 'own-v1'")
    pd.read_parquet(folder / "objects.parquet").drop(columns="class").to_parquet(
        folder / "objects.parquet"
    )
    ran = run("pretrain", *arguments[:-1], "own-v2")
    assert "has no column class" in ran.err


def test_the_script_is_this_function():
    path = Path(__file__).parents[2] / "pyproject.toml"
    script = tomllib.loads(path.read_text())["project"]["scripts"]["sklc"]
    module, function = script.split(":")
    assert getattr(importlib.import_module(module), function) is main


def test_weights_and_formats_are_listed(run):
    lines = run("weights").out.splitlines()
    assert any(line.startswith("ztf+lsst ") and "(= ztf+lsst-v2)" in line for line in lines)
    assert "ztf+lsst" in json.loads(run("weights", "list", "--json").out)
    shown = run("weights", "show", "ztf+lsst").out
    assert shown.splitlines()[0].split() == ["name", "ztf+lsst-v2"]
    assert "BSD-3-Clause" in shown
    assert "long-table" in run("formats").out
    explained = run("formats", "long-table").out
    assert "survey" in explained
    assert "Parameters" in explained


def test_info_lists_the_columns_that_matter_first(run, tmp_path, known_format):
    def read(source):
        names = [*(f"x{k}" for k in range(20)), "label", "redshift"]
        metadata = {name: [k, k + 2] for k, name in enumerate(names)} | {"label": ["Ia", "II"]}
        one = [[1.0], [2.0]]
        return LightCurves.from_arrays(one, one, None, "ztfg", ids=["a", "b"], metadata=metadata)

    known_format(read)
    path = tmp_path / "toy.txt"
    path.write_text("toy")
    lines = [line.split(None, 1)[1] for line in run("info", path).out.splitlines()[1:]]
    first = lines.index("label: Ia 1, II 1")
    assert lines[first + 1] == "redshift: 21 to 23 (median 22)"
    assert lines[first + 2] == "x0: 0 to 2 (median 1)"
    assert lines[first + 10] == "... and 12 more (--json)"
    described = json.loads(run("info", path, "--json").out)[str(path)]
    assert described["metadata"]["x19"] == {"from": 19, "median": 20, "to": 21}
    assert described["metadata"]["label"] == {"Ia": 1, "II": 1}
