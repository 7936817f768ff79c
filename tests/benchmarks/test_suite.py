"""The benchmark suite: what is drawn and kept, sets and methods of one's own, and its errors."""

import json
import shutil
import sys
import types

import numpy as np
import pyarrow.parquet as pq
import pytest
from benchmark_modules import benchmark_module
from tensor_bundles import astromer_variables, write_bundle

from sklc import LightCurveFeatures, LightCurves, TransferClassifier
from sklc.datasets import load_demo
from sklc.weights.catalogue import manifest

suite = benchmark_module("suite")
tasks = benchmark_module("_suite_tasks")
sets = benchmark_module("_suite_sets")
catalogue = benchmark_module("_suite_catalogue")
methods = benchmark_module("_suite_methods")
rivals = benchmark_module("_suite_rivals")

MINE = """
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklc import LightCurveFeatures, LightCurveEncoder

def bare():
    return LogisticRegression()

def latents():
    return make_pipeline(LightCurveEncoder("ztf"), LogisticRegression(max_iter=1000))

def every(kind):
    last = {"classifier": LogisticRegression(max_iter=1000), "regressor": Ridge(),
            "detector": IsolationForest(n_estimators=10)}
    return make_pipeline(LightCurveEncoder("ztf"), last[kind])

def no_probabilities():
    from sklearn.svm import LinearSVC
    return make_pipeline(LightCurveEncoder("ztf"), LinearSVC())

def nothing():
    return 3

def broken():
    raise RuntimeError("out of luck")

VALUE = 3
"""


@pytest.fixture
def run(suite, sets, tmp_path, monkeypatch):
    """Run the suite quickly; return its cells and its results file."""
    monkeypatch.setenv("SKLC_DATA", str(tmp_path / "none"))
    monkeypatch.setattr(sets, "QUICK_OBJECTS", 120)

    def go(*arguments):
        cells = suite.main(["--quick", "--output", str(tmp_path), *map(str, arguments)])
        return cells, json.loads((tmp_path / "suite_quick.json").read_text())

    return go


@pytest.fixture
def my_module(tmp_path, monkeypatch):
    """A module of methods in the current folder."""
    (tmp_path / "mine_for_suite.py").write_text(MINE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "mine_for_suite"
    sys.modules.pop("mine_for_suite", None)


def my_set(folder, **columns):
    """Write part of the demo light curves, with these metadata columns alone."""
    curves, y = load_demo(return_X_y=True)
    curves, y = curves[::5], y[::5]
    metadata = curves.metadata.assign(**{k: make(curves, y) for k, make in columns.items()})
    curves.with_metadata(metadata).to_parquet(folder)
    objects = pq.read_table(folder / "objects.parquet")
    others = set(curves.metadata) - set(columns)
    pq.write_table(
        objects.select([c for c in objects.column_names if c not in others]),
        folder / "objects.parquet",
    )
    return folder


def stopped(run, capsys, *arguments):
    """Run into an error, and return its message."""
    with pytest.raises(SystemExit):
        run(*arguments)
    return " ".join(capsys.readouterr().err.split())


# -- results


def test_cells_are_written_kept_and_extended(run, suite, monkeypatch, capsys):
    only = ("--only", "demo,classes,features-core")
    cells, result = run(*only)
    (of,) = (entry["of"] for entry in result["cells"])
    assert of == ["demo", "classes", "features-core", "64"]
    draws = result["cells"][0]["draws"]
    assert 0.6 < draws["auroc"][0] <= 1
    assert set(draws) == {"auroc", "accuracy", "ece", "auroc SNIa", "auroc SNII", "auroc SNIb/c"}
    assert {"versions", "seeds", "machine", "date", "weights"} <= set(result)
    assert result["sets"]["demo"]["objects"] == 120
    assert capsys.readouterr().out.splitlines()[-1] == result["summary"]
    assert "| `demo` | `features-core` |" in result["markdown"]

    measured = []
    monkeypatch.setattr(suite, "measure", lambda *a: measured.append(a[-1]) or {"auroc": 0.5})
    again, _ = run(*only)
    assert again == cells
    assert measured == []
    _, more = run(*only, "--seeds", 3)
    assert measured == [1, 2]
    assert more["cells"][0]["draws"]["auroc"] == [draws["auroc"][0], 0.5, 0.5]


@pytest.mark.slow
def test_cells_of_changed_weights_are_measured_again(run, tmp_path):
    only = ("--only", "demo,classes,ztf")
    cells, result = run(*only)
    name = manifest()["aliases"]["ztf"]
    assert {cell.method for cell in cells} == {name}
    assert {cell.labels for cell in cells} == {"0", "64"}
    path = tmp_path / "suite_quick.json"
    for entry in result["cells"]:
        entry["draws"]["auroc"] = [0.123]
    path.write_text(json.dumps(result))
    kept, _ = run(*only)
    assert {scores["auroc"][0] for scores in kept.values()} == {0.123}
    result["weights"][name] = "another"
    path.write_text(json.dumps(result))
    assert run(*only)[0] == cells


def test_a_failed_cell_is_recorded_and_tried_again(run, suite, monkeypatch):
    def fail(*_):
        raise ValueError("no such luck")

    with monkeypatch.context() as patch:
        patch.setattr(suite, "measure", fail)
        with pytest.raises(SystemExit):
            run("--only", "demo,classes,features-core")
    _, result = run("--only", "demo,classes,features-core", "demo,redshift,features-core")
    assert result["skipped"] == []
    with monkeypatch.context() as patch:
        patch.setattr(suite, "measure", fail)
        _, result = run("--only", "demo,early,features-core")
    (skipped,) = result["skipped"]
    assert skipped["of"] == ["demo", "early", "features-core with 64 labels"]
    assert "no such luck" in skipped["reason"]
    assert len(result["cells"]) == 2


@pytest.mark.slow
def test_sets_that_are_not_there_are_skipped_with_a_reason(run):
    _, result = run("--only", "demo,classes,features-core", "ztf_bts", "deep", "simulated-ps1")
    reasons = {skipped["of"][0]: skipped["reason"] for skipped in result["skipped"]}
    assert "there is no ztf_bts here" in reasons["ztf_bts"]
    assert "there is no snia_multi here" in reasons["deep"]
    assert "## What was skipped" in result["markdown"]


@pytest.mark.parametrize(
    ("only", "message"),
    [
        ("nowhere", "there is no set 'nowhere'; there are ztf_bts, "),
        ("demo,guess", "there is no task 'guess'; there are classes, redshift, "),
        ("demo,classes,magic", "there is no method 'magic'; there are "),
        ("demo,classes,any,more", "write SET, SET,TASK or SET,TASK,METHOD"),
    ],
)
def test_unknown_names_are_refused_with_the_known_ones(run, capsys, only, message):
    assert message in stopped(run, capsys, "--only", only)


def test_nothing_is_left_to_defaults_that_may_change(methods):
    for name in ("any", "ztf+lsst", "ztf+lsst+core"):
        method = methods.of_weights(name)
        assert method.name == method.weights + ("+core" if name.endswith("core") else "")
        assert method.weights in manifest()["weights"]
        for kind in methods.KINDS:
            model = method.build(kind, 3)
            assert model.encoder == method.weights
            assert (model.features is not None) == name.endswith("core")
            assert model.random_state == 3
    assert methods.of_weights("any+nothing") is None


def test_the_list_names_everything(suite, capsys):
    suite.main(["--list"])
    printed = capsys.readouterr().out
    for name in (*suite.known_sets(), *suite.TASKS, "features-full", "parsnip-ps1"):
        assert name in printed


# -- a set of one's own


@pytest.mark.slow
def test_a_set_of_ones_own(run, tmp_path):
    folder = my_set(tmp_path / "mine", kind=lambda c, y: y)
    cells, result = run("--data", folder, "--classes", "kind", "--only", ",classes,ztf")
    assert {cell.set for cell in cells} == {"mine"}
    assert {cell.labels for cell in cells} == {"0", "64"}  # classes of the weights' own names
    assert result["sets"]["mine"]["origin"] == "yours"
    ztf = manifest()["aliases"]["ztf"]
    folder = my_set(tmp_path / "other", kind=lambda c, y: np.where(y == "SNIa", "thermo", "core"))
    only = ("other,classes,ztf", "other,anomalies,ztf", "other,contaminants,ztf")
    cells, _ = run(
        "--data", folder, "--classes", "kind", "--not-supernovae", "core", "--only", *only
    )
    assert {cell[1:] for cell in cells if cell.set == "other"} == {
        ("classes", ztf, "64"),
        ("contaminants", ztf, "0"),
        ("contaminants", ztf, "64"),
    }


def test_redshifts_alone(run, tmp_path):
    folder = my_set(tmp_path / "far", redshift=lambda c, y: c.metadata["redshift"])
    cells, _ = run("--data", folder, "--classes", "none", "--only", ",,features-core")
    assert {cell.task for cell in cells} == {"redshift"}


def test_rare_classes_of_ones_own_are_never_trained_on(run, suite, tmp_path, monkeypatch):
    folder = my_set(tmp_path / "mine", kind=lambda c, y: y)
    found = []

    def watch(task, problem, method, n_labels, seed):
        train, test = task.draw(problem, n_labels, seed)
        found.append((problem.target[train], problem.target[test]))
        return {"auroc": 0.5}

    monkeypatch.setattr(suite, "measure", watch)
    only = ("--only", ",anomalies,features-core")
    run("--data", folder, "--classes", "kind", "--rare", "SNIb/c", *only)
    ((train, test),) = found
    assert set(train) == {"SNIa", "SNII"}
    assert set(test) == {"SNIa", "SNII", ""}


def test_sets_that_cannot_be_used_are_refused(run, tmp_path, capsys):
    folder = my_set(tmp_path / "mine", kind=lambda c, y: y, host=lambda c, y: "none")
    message = stopped(run, capsys, "--data", folder)
    assert (
        "mine has no classes: its metadata have no column 'class', but ['kind', 'host']" in message
    )
    assert "Pass --classes COLUMN" in message
    message = stopped(run, capsys, "--data", folder, "--classes", "host")
    assert "fewer than two classes of the column 'host' have 8 or more members" in message
    message = stopped(run, capsys, "--data", folder, "--classes", "kind", "--rare", "Ic")
    assert "--rare Ic" in message
    assert "has the classes ['SNII', 'SNIa', 'SNIb/c']" in message
    assert "there is no such folder" in stopped(run, capsys, "--data", tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    assert "cannot be read" in stopped(run, capsys, "--data", tmp_path / "empty")
    same = my_set(tmp_path / "snpcc-copy", **{"class": lambda c, y: y}).rename(tmp_path / "demo")
    assert "has a set named 'demo': rename the folder" in stopped(run, capsys, "--data", same)
    inside = my_set(tmp_path / "shared" / "ztf_bts", kind=lambda c, y: y)
    assert "pass the folder that it is in" in stopped(run, capsys, "--data", inside)


def test_own_classes_are_found_in_weights(sets):
    known = ["SNIa", "SNIa-91bg", "SNIb", "SNIc", "SNII", "AGN"]
    found = sets.own_classes(["SNIa", "SNIa-91bg", "SNIb/c", "AGN"], known)
    assert found == {
        "SNIa": ["SNIa"], "SNIa-91bg": ["SNIa-91bg"], "SNIb/c": ["SNIb", "SNIc"], "AGN": ["AGN"]
    }  # fmt: skip
    assert sets.own_classes(["SNIa", "TDE"], known) is None


# -- a method of one's own


def test_a_method_of_ones_own(run, my_module):
    name = f"{my_module}:every"
    cells, result = run("--method", name, "--only", f"demo,,{name}")
    assert {cell.task for cell in cells} == {"classes", "redshift", "early"}
    assert result["methods"][name]["title"] == "yours"
    assert result["cells"][0]["draws"]["auroc"][0] > 0.6


def test_seeds_reach_a_method_of_ones_own(methods, my_module):
    method = methods.of_user(f"{my_module}:every")
    assert method.build("detector", 7)[-1].random_state == 7
    assert methods.of_user(f"{my_module}:latents").build("regressor", 7) is None


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("bare", "LogisticRegression does not take light curves as X (TypeError"),
        ("no_probabilities", "Pipeline has no predict_proba"),
        ("nothing", "returned '3', which is neither a classifier"),
        ("broken", "broken raised RuntimeError: out of luck"),
        ("VALUE", "VALUE is not a function that returns an estimator"),
        ("absent", "has no attribute 'absent'"),
    ],
)
def test_methods_that_cannot_be_used_are_refused(run, my_module, capsys, name, message):
    text = stopped(run, capsys, "--method", f"{my_module}:{name}", "--only", "demo")
    assert message in text
    if name == "bare":
        assert 'make_pipeline(LightCurveEncoder("any"), LogisticRegression(max_iter=1000))' in text


def test_a_module_that_is_not_there(run, capsys):
    text = stopped(run, capsys, "--method", "no_such_module:make")
    assert "No module named 'no_such_module'; write MODULE:FACTORY" in text


# -- tasks


class Recorder:
    """Remembers what it is fitted on and asked about; class shares are those of the training."""

    def __init__(self, classes=None):
        self.fitted, self.asked = None, []
        self.classes_ = classes

    def fit(self, X, y):
        self.fitted = (X, y)
        self.classes_, counts = np.unique(y, return_counts=True)
        self.shares = counts / counts.sum()
        return self

    def predict_proba(self, X):
        self.asked.append(X)
        return np.tile(self.shares, (len(X), 1))


def early_problem(tasks):
    curves, y = load_demo(return_X_y=True)
    return tasks.Problem(curves[::2], y[::2], y[::2])


@pytest.mark.parametrize("on_prefixes", [False, True])
def test_early_cuts_count_from_the_first_detection(tasks, methods, on_prefixes):
    model = Recorder()
    method = methods.Method("m", "", lambda kind, seed: model, on_prefixes=on_prefixes)
    scores = tasks.measure(tasks.TASKS["early"], early_problem(tasks), method, 64, 0)
    assert scores["auroc at 7 d"] == 0.5
    X, y = model.fitted
    assert len(X) == len(y) == (320 if on_prefixes else 64)
    assert (X.lengths[64:] < np.tile(X.lengths[:64], len(X) // 64 - 1)).any() == on_prefixes
    assert len(model.asked) == len(tasks.DAYS)
    for days, asked in zip(tasks.DAYS, model.asked, strict=True):
        for curve in asked[:10]:
            first = curve.time[curve.flux >= 5 * curve.flux_err][0]
            assert curve.time[-1] <= first + days


def test_objects_that_were_never_detected_are_not_classified_early(tasks, sets):
    faint = LightCurves.from_arrays(
        [[1.0, 2.0]] * 10, [[1.0, 2.0]] * 10, [[1.0, 1.0]] * 10, [["ztfg", "ztfr"]] * 10
    )
    assert not tasks.detected(faint).any()
    assert tasks.detected(load_demo().curves[:20]).all()
    data_set = sets.DataSet("s", "", "yours", "", "", lambda _: faint, column="kind")
    faint = faint.with_metadata(faint.metadata.assign(kind=["a", "b"] * 5))
    with pytest.raises(tasks.NotHere, match="fewer than two classes"):
        tasks.TASKS["early"].problem(data_set, faint)


@pytest.mark.parametrize("few", ["a", "b"])
def test_few_contaminants_or_supernovae_are_refused(tasks, sets, few):
    curves = load_demo().curves[:40]
    labels = np.where(np.arange(40) < 5, few, {"a": "b", "b": "a"}[few])
    merged = {"supernova": ("a",), "other": ("b",)}
    data_set = sets.DataSet("s", "", "yours", "", "", lambda _: curves, contaminants=merged)
    with pytest.raises(tasks.NotHere, match="fewer than 8 supernovae or other objects"):
        tasks.TASKS["contaminants"].problem(data_set, curves.with_metadata(**{"class": labels}))


def test_probabilities_of_merged_and_unknown_classes(tasks):
    curves = load_demo().curves[:2]
    y = np.array(["Ia", "II", "KN"])
    model = Recorder(np.array(["SNII", "SNIIn", "SNIa", "TDE"]))
    model.shares = np.array([0.1, 0.2, 0.3, 0.4])
    own = {"Ia": ("SNIa",), "II": ("SNII", "SNIIn"), "KN": ("KN",)}
    problem = tasks.Problem(curves, y, y, own)
    found = tasks.probabilities(model, curves, problem, True)
    np.testing.assert_allclose(found, [[0.5, 0.5, 0.0]] * 2)  # II, Ia, KN by name
    assert list(problem.classes) == ["II", "Ia", "KN"]
    model.classes_ = np.array(["a", "b", "c", "d"])
    np.testing.assert_allclose(tasks.probabilities(model, curves, problem, True), 1 / 3)


def test_sizes_leave_no_more_labels_than_there_are(tasks):
    y = np.repeat(["a", "b"], [120, 40])
    problem = tasks.Problem(load_demo().curves[:160], y, y)
    assert tasks.TASKS["classes"].usable_sizes(problem, quick=False) == [0, 64, None]
    assert tasks.TASKS["anomalies"].usable_sizes(problem, quick=True) == [64]


@pytest.mark.slow
def test_remembered_features_are_those_that_are_asked_for_by_name(load_module):
    module, (curves, y) = load_module("_suite_features"), load_demo(return_X_y=True)
    curves, y = curves[::6], y[::6]
    plain = LightCurveFeatures(statistics="core", parametric_fit=False)
    expected = plain.fit_transform(curves)
    found = module.features("core").fit(curves)
    order = np.random.default_rng(0).permutation(len(curves))
    for _ in range(2):  # computed, then remembered
        np.testing.assert_allclose(found.transform(curves[order]), expected[order], rtol=1e-12)
    short = curves.truncate(points=9)
    np.testing.assert_allclose(found.transform(short), plain.transform(short), rtol=1e-12)
    settings = {"device": "cpu", "random_state": 0, "verbose": 0}
    named, given = (
        TransferClassifier("ztf", features=joined, early=False, **settings).fit(curves, y)
        for joined in ("core", module.features("core"))
    )
    np.testing.assert_allclose(named.predict_proba(curves), given.predict_proba(curves), rtol=1e-6)


def test_rows_are_forgotten_before_memory_is_full(load_module, monkeypatch):
    module, curves = load_module("_suite_features"), load_demo().curves[:30]
    monkeypatch.setattr(module, "MOST_ROWS", 20)
    monkeypatch.setattr(module, "_ROWS", {})
    found = module.features("core").fit(curves)
    first = found.transform(curves[:15])
    found.transform(curves[15:])
    assert len(module._ROWS) == 15
    np.testing.assert_array_equal(found.transform(curves[:15]), first)


def test_scores_that_are_no_numbers_are_refused(tasks, methods):
    task = types.SimpleNamespace(measure=lambda *_: {"auroc": 0.5, "mse": np.nan})
    method = methods.Method("mine", "", lambda kind, seed: None)
    with pytest.raises(ValueError, match="mse of mine is not a finite number"):
        tasks.measure(task, None, method, 64, 0)


# -- rivals


def test_rivals_that_are_not_installed_are_skipped(rivals, monkeypatch, tmp_path):
    monkeypatch.setenv("SKLC_DATA", str(tmp_path))
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    monkeypatch.setitem(sys.modules, "parsnip", None)
    monkeypatch.setattr(rivals.importlib.util, "find_spec", lambda name: None)
    assert "pip install astro-parsnip" in rivals.without_parsnip()
    assert "no astromer1_macho_a0.zip in DIR/rivals, and" in rivals.without_astromer()
    curves = load_demo().curves[:5]
    assert "trained on lsstu" in rivals.not_for_parsnip("plasticc", curves)


def test_parsnip_is_read_back_in_order(rivals, monkeypatch):
    astropy_table = pytest.importorskip("astropy.table")
    seen = []

    def predict_dataset(tables):
        seen.extend(tables)
        kept = tables[::-1][:-1]  # in another order, without the first
        number = [float(table.meta["object_id"]) for table in kept]
        columns = dict.fromkeys(rivals.PARSNIP_COLUMNS + rivals.PARSNIP_ERRORS, number)
        ids = [table.meta["object_id"] for table in kept]
        return astropy_table.Table({"object_id": ids, **columns})

    model = types.SimpleNamespace(predict_dataset=predict_dataset)
    monkeypatch.setattr(rivals, "_parsnip", lambda name: model)
    lcdata = types.SimpleNamespace(from_light_curves=list)
    monkeypatch.setitem(sys.modules, "lcdata", lcdata)
    curves = LightCurves.from_arrays(
        [[1.0, 2.0]] * 3, [[10.0, 20.0]] * 3, [[1.0, 1.0]] * 3, [["ps1g", "ps1y"]] * 3,
        metadata={"redshift": [0.1, 0.2, 0.3]},
    )  # fmt: skip
    found = rivals.ParsnipFeatures("ps1").fit_transform(curves)
    assert found.shape == (3, 11)
    np.testing.assert_array_equal(found[:, 0], [np.nan, 1, 2])
    assert list(seen[0]["band"]) == ["ps1::g", "ps1y"]
    np.testing.assert_allclose(seen[0]["flux"], [1.0, 2.0])  # zero point 25
    assert [table.meta["redshift"] for table in seen] == [0.1, 0.2, 0.3]


def test_photometric_redshifts_stay_the_same(rivals, monkeypatch):
    pytest.importorskip("astropy.table")
    seen = []

    def predict_dataset(tables):
        seen.extend(tables)
        columns = dict.fromkeys(rivals.PARSNIP_COLUMNS + rivals.PARSNIP_ERRORS, 1.0)
        return {"object_id": ["0"], **columns}

    model = types.SimpleNamespace(predict_dataset=predict_dataset)
    monkeypatch.setattr(rivals, "_parsnip", lambda name: model)
    monkeypatch.setitem(sys.modules, "lcdata", types.SimpleNamespace(from_light_curves=list))
    times = 60_000 + np.random.default_rng(0).uniform(0, 50, (200, 3)).cumsum(axis=1)
    curves = LightCurves.from_arrays(
        list(times), [[9.0, 8.0, 7.0]] * 200, [[1.0] * 3] * 200, "lsstg",
        metadata={"redshift": np.full(200, 0.5)},
    )  # fmt: skip
    rival = rivals.ParsnipFeatures("plasticc_photoz")
    rival.fit_transform(curves)
    rival.fit_transform(curves[::-1])
    drawn = np.array([table.meta["hostgal_photoz"] for table in seen])
    np.testing.assert_array_equal(drawn[:200], drawn[200:][::-1])
    assert 0.8 < np.std(drawn[:200]) / (rivals.PHOTO_Z_ERROR * 1.5) < 1.2
    assert abs(drawn.mean() - 0.5) < 0.02


def test_astromer_is_read_from_beside_the_data(rivals, monkeypatch, tmp_path):
    folder = tmp_path / "macho"
    write_bundle(folder, astromer_variables(), settings={"heads": 2})
    shutil.make_archive(str(tmp_path / "rivals" / "astromer1_macho_a0"), "zip", folder)
    monkeypatch.setenv("SKLC_DATA", str(tmp_path))
    assert rivals.without_astromer() == ""
    assert rivals.astromer().fit_transform(load_demo().curves[:3]).shape[0] == 3


# -- the page


def test_every_set_says_where_it_comes_from(catalogue):
    names = [data_set.name for data_set in catalogue.SETS]
    assert len(set(names)) == len(names)
    for data_set in catalogue.SETS:
        assert len(data_set.source) > 15
        assert len(data_set.traps) > 15
        assert set(data_set.tasks) <= set(catalogue.known_sets()["snpcc"].tasks) | {
            "anomalies", "contaminants"
        }  # fmt: skip


@pytest.mark.slow
def test_suite_quick_on_real_light_curves(suite, data_dir, tmp_path):
    only = ["ztf_bts", "deep", "atlas_zfp_dev,anomalies", "mantra_crts,contaminants"]
    only += ["snpcc,early", "kepler_tda_small"]
    folders = ["--data", str(data_dir), "--output", str(tmp_path)]
    cells = suite.main(["--quick", *folders, "--only", *only])
    assert {cell.task for cell in cells} == set(suite.TASKS)
    assert {cell.set for cell in cells} == {text.split(",")[0] for text in only}
    for scores in cells.values():
        assert all(np.isfinite(values).all() for values in scores.values())


@pytest.mark.slow
def test_suite_quick_on_simulations(suite, data_dir, sncosmo_data, tmp_path):
    folders = ["--data", str(data_dir), "--output", str(tmp_path)]
    only = ["simulated-atlas,contaminants", "simulated-uvot,classes"]
    cells = suite.main(["--quick", *folders, "--only", *only])
    result = json.loads((tmp_path / "suite_quick.json").read_text())
    assert result["sets"]["simulated-atlas"]["bands"] == ["ATLAS_c", "ATLAS_o"]
    assert len(result["sets"]["simulated-uvot"]["bands"]) == 6
    assert {cell.set for cell in cells} == {"simulated-atlas", "simulated-uvot"}
