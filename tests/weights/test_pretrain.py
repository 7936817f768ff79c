"""Pretraining: the command, its names of weights, and going on after an interruption."""

import json
from functools import partial

import numpy as np
import pytest
import torch
from small import same_weights

from sklc import LightCurveEncoder, LightCurves, TransferClassifier
from sklc.context import CONTEXT_ITEMS, ContextValues
from sklc.errors import LightCurveError, SimulationError
from sklc.networks.architectures import GRU
from sklc.pretrain import (
    SIMULATED,
    DrawnContext,
    add_novelty,
    fit_context,
    main,
    pretrain,
    simulate_any_survey,
    simulate_training_set,
    simulate_unknown,
)
from sklc.pretrain.manifest import add_to_manifest
from sklc.simulate import simulate
from sklc.weights.file import WeightsFile


@pytest.fixture(scope="module")
def demo(demo):
    return demo[0][:100]


@pytest.fixture
def folder(demo, tmp_path):
    demo.to_parquet(tmp_path / "simulated")
    return tmp_path / "simulated"


def test_the_command_writes_weights_and_manifest(folder, tmp_path, demo):
    weights, arguments = tmp_path / "weights", command(folder, tmp_path, "demo-v1")
    main(arguments)
    known = json.loads((weights / "manifest.json").read_text())
    assert known["aliases"] == {"demo": "demo-v1"}
    entry = known["weights"]["demo-v1"]
    assert entry["n_objects"] == 100
    assert entry["classes"] == ["SNII", "SNIa", "SNIb/c"]
    assert 0 <= entry["metrics"]["macro_auroc_ZTF"] <= 1
    encoder = LightCurveEncoder(weights=weights / entry["file"])
    assert encoder.transform(demo).shape == (100, 128)
    with pytest.raises(SystemExit):
        main([*arguments[:3], "LSST", *arguments[4:-1], "demo-v2"])


def test_a_class_without_held_out_objects_is_left_out_of_the_metrics(demo):
    # of the seven objects that are held out, none is of the rare class
    y = np.where(np.arange(100) < 3, "rare", np.where(np.arange(100) % 2, "a", "b"))
    curves = demo.with_metadata(**{"class": y})
    encoder, metrics = pretrain(curves, epochs=1, hidden_size=2)
    assert encoder.classes_.tolist() == ["a", "b", "rare"]
    assert 0 <= metrics["macro_auroc_ZTF"] <= 1
    two = demo.with_metadata(**{"class": np.where(np.arange(100) % 2, "a", "b")})
    assert 0 <= pretrain(two, epochs=1, hidden_size=2)[1]["macro_auroc_ZTF"] <= 1


@pytest.mark.slow
def test_the_command_simulates_from_the_seed(sncosmo_data, tmp_path):
    arguments = ["--simulate", "--share", 0.002, "--surveys", "ztf", "--name", "tiny-v1"]
    arguments += ["--epochs", 1, "--hidden-size", 4, "--seed", 3, "--output", tmp_path]
    main([str(argument) for argument in arguments])
    entry = json.loads((tmp_path / "manifest.json").read_text())["weights"]["tiny-v1"]
    assert len(entry["classes"]) == len(SIMULATED) == 12
    assert entry["n_objects"] == 2 * 28 + 10 * 20  # .2 % of 14,000; 20 at least
    assert entry["training_data"].startswith("sklc.simulate")
    assert "--simulate --share 0.002" in entry["command"]
    a, b = (simulate_training_set(["ztf"], share=0.002, seed=seed) for seed in (3, 3))
    assert a.equals(b)
    with pytest.raises(SystemExit):  # one or the other
        main(["--simulate", "--data", "x", "--name", "a-v1", "--output", str(tmp_path)])


@pytest.mark.slow
def test_the_command_trains_for_any_survey(sncosmo_data, tmp_path, monkeypatch):
    own = "sklc.pretrain.training_sets"
    monkeypatch.setattr(f"{own}._ANY_SURVEY", {"SNIa": 20, "TDE": 20, "variable-star": 20})
    monkeypatch.setattr(f"{own}._KNOWN", {"ztf": 2, "des": 1})
    simulated = []
    monkeypatch.setattr(
        f"{own}.simulate", lambda n, survey, **k: simulated.append(n) or simulate(n, survey, **k)
    )
    made = partial(simulate_any_survey, tmp_path / "made", n_surveys=2)
    curves = made()
    assert curves.metadata["survey"].value_counts().to_dict() == {
        "ZTF": 120, "DES": 60, "random-0": 60, "random-1": 60
    }  # fmt: skip
    known = ["class", "survey", "redshift", "mwebv", "last_non_detection"]
    assert list(curves.metadata) == known
    # noise is dropped, but not what it said of the time before the first detection
    before = curves.metadata["last_non_detection"].to_numpy()
    assert np.isfinite(before).any()
    assert not (before > curves.time[curves.offsets[:-1]]).any()
    assert (curves.metadata["redshift"] > 0).all()
    assert (curves.lengths > 0).all()
    n = len(simulated)
    assert made().equals(curves)  # from the folder
    assert len(simulated) == n
    left = simulate_any_survey(tmp_path / "left", n_surveys=1, leave_out=["des"])
    assert set(left.metadata["survey"]) == {"ZTF", "random-0"}

    curves.to_parquet(tmp_path / "data")
    main(["--data", str(tmp_path / "data"), "--surveys", "any", "--name", "mine-v1", "--epochs",
          "1", "--hidden-size", "4", "--output", str(tmp_path)])  # fmt: skip
    entry = json.loads((tmp_path / "manifest.json").read_text())["weights"]["mine-v1"]
    assert set(entry["passbands"]) == {"ztfg", "ztfr", "desg", "desr", "desi", "desz"}
    assert set(entry["metrics"]) >= {"macro_auroc_random", "macro_auroc_ZTF"}
    assert entry["input"]["corroboration"] == 20
    assert entry["class_shares"]["TDE"] < 0.1
    weights = TransferClassifier.pretrained(tmp_path / entry["file"])
    score, proba = weights.novelty_score(curves), weights.predict_proba(curves)
    assert 0 < score.min() <= score.max() < 1
    equal = weights.set_params(class_prior="equal").fit(curves).predict_proba(curves)
    tde = weights.classes_.tolist().index("TDE")
    assert np.all(proba[:, tde] < equal[:, tde])
    latent = LightCurveEncoder(tmp_path / entry["file"]).transform(curves)
    assert 0.8 < np.median(latent.std(axis=0)) < 1.2


def test_unknown_classes_are_simulated_in_many_surveys(sncosmo_data, monkeypatch):
    own = "sklc.pretrain.training_sets"
    monkeypatch.setattr(f"{own}._UNKNOWN", {"SLSN-II": 200, "ILOT": 300})
    monkeypatch.setattr(f"{own}._KNOWN", {"ztf": 3})
    unknown = simulate_unknown(share=0.01, n_surveys=1)
    assert unknown.metadata["survey"].value_counts().to_dict()["ZTF"] == 5
    assert set(unknown.metadata["class"]) == {"SLSN-II", "ILOT"}
    assert simulate_unknown(share=0.01, n_surveys=1).equals(unknown)
    assert not simulate_unknown(share=0.01, n_surveys=1, seed=1).equals(unknown)


def test_parts_of_another_simulation_are_refused(tmp_path):
    (tmp_path / "settings.json").write_text(json.dumps({"share": 1.0, "seed": 3}))
    for settings in ({"seed": 4}, {"seed": 3, "share": 0.5}):
        with pytest.raises(SimulationError, match=r"'seed': 3.*choose another folder"):
            simulate_any_survey(tmp_path, **settings)


@pytest.mark.parametrize(
    ("name", "alias", "version"),
    [
        ("my-very-own", "my-very-own", ""),
        ("a-very-v2-v10", "a-very-v2", "10"),
        ("v-v1", "v", "1"),
        ("wide-view", "wide-view", ""),
    ],
)
def test_an_alias_is_a_name_without_its_version(folder, tmp_path, name, alias, version):
    main(command(folder, tmp_path, name))
    known = json.loads((tmp_path / "weights" / "manifest.json").read_text())
    assert known["aliases"] == {alias: name}
    assert known["weights"][name]["version"] == version


def command(folder, tmp_path, name):
    arguments = ["--data", folder, "--surveys", "ZTF", "--output", tmp_path / "weights"]
    arguments += ["--epochs", 1, "--hidden-size", 4, "--name", name]
    return [str(argument) for argument in arguments]


def test_a_name_is_never_given_twice_and_that_is_found_before_training(
    folder, tmp_path, monkeypatch, capsys
):
    main(command(folder, tmp_path, "demo-v1"))
    main(command(folder, tmp_path, "plain"))
    manifest = tmp_path / "weights" / "manifest.json"
    before = manifest.read_text()
    monkeypatch.setattr(
        "sklc.pretrain.command_line.pretrain", lambda *args, **kwargs: pytest.fail("trained")
    )
    (tmp_path / "weights" / "other_v1.safetensors").touch()
    for name, message in (
        ("demo-v1", "never given twice: choose another version"),
        ("demo", "never given twice"),  # an alias
        ("plain-v1", "never given twice"),  # its alias would hide other weights
        ("other+v1", "never given twice"),  # its file is there
        ("../demo-v2", "is not a name for weights"),
        ("", "is not a name for weights"),
    ):
        with pytest.raises(SystemExit) as ended:
            main(command(folder, tmp_path, name))
        assert ended.value.code == 2
        assert message in capsys.readouterr().err
    with pytest.raises(ValueError, match=r"'demo-v1'.*already"):
        add_to_manifest(tmp_path / "weights" / "demo-v1.safetensors", "demo-v1", {})
    assert manifest.read_text() == before


def test_the_same_seed_gives_the_same_weights(demo):
    a, b = (pretrain(demo, epochs=2, hidden_size=4, seed=1)[0] for _ in range(2))
    assert same_weights(a, b)
    assert not same_weights(a, pretrain(demo, epochs=2, hidden_size=4, seed=2)[0])


def test_a_weights_file_carries_its_convention_and_its_redshift_head(demo, tmp_path):
    encoder, metrics = pretrain(demo, epochs=1, hidden_size=4, representation="papers")
    weights = WeightsFile.read(encoder.save(tmp_path / "w.safetensors"))
    assert weights.representation.channels == ("wavelength", "time", "flux", "flux_err")
    assert weights.build().redshift is not None
    assert set(metrics) == {"macro_auroc_ZTF", "redshift_mse_ZTF"}


def test_redshifts_are_needed_only_where_they_are_learned(demo, tmp_path):
    unknown = demo.with_metadata(redshift=np.full(len(demo), np.nan))
    with pytest.raises(LightCurveError, match="has no class or survey or redshift"):
        pretrain(unknown, epochs=1)
    encoder, metrics = pretrain(unknown, epochs=1, hidden_size=4, redshift_weight=0)
    assert encoder.net_.module_.redshift is None
    assert set(metrics) == {"macro_auroc_ZTF"}


# -- context


@pytest.fixture(scope="module")
def with_adapter(demo):
    """Weights of three classes, the same with an adapter, and what was measured."""
    encoder, _ = pretrain(demo, epochs=1, hidden_size=4)
    return encoder, *fit_context(encoder, demo, sizes=(16,), epochs=4)


def test_an_adapter_changes_nothing_else(with_adapter, demo, tmp_path):
    encoder, adapted, metrics = with_adapter
    before, after = (e.net_.module_.state_dict() for e in (encoder, adapted))
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())
    new = set(after) - set(before)
    assert new
    assert all(name.startswith("context.") for name in new)
    assert np.array_equal(adapted.transform(demo), encoder.transform(demo))
    for when in ("whole", "early"):
        names = [f"macro_auroc_{when}{kind}" for kind in ("", "_redshift", "_photo_z")]
        assert all(0 <= metrics[name] <= 1 for name in names)
    file = WeightsFile.read(adapted.save(tmp_path / "adapted.safetensors"))
    assert (file.context, file.format_version) == (CONTEXT_ITEMS, 3)
    plain = WeightsFile.read(encoder.save(tmp_path / "plain.safetensors"))
    assert (plain.context, plain.format_version) == ((), 2)


@pytest.fixture(scope="module")
def told(demo):
    """Redshifts that differ by class: with them, classes can be told apart."""
    y = demo.metadata["class"].to_numpy(str)
    return demo.with_metadata(redshift=np.select([y == "SNIa", y == "SNII"], [0.3, 0.02], 0.1))


def telling(encoder, curves):
    """Train an adapter on redshifts that are nearly always known; return both classifiers."""
    drawing = DrawnContext(spectroscopic=0.8, photometric=0.1, wrong_hosts=0.0)
    adapted, _ = fit_context(
        encoder, curves, drawing=drawing, sizes=(16,), epochs=100, batch_size=32, learning_rate=0.02
    )
    knows = LightCurveEncoder(adapted.weights, context="redshift")
    return [TransferClassifier(e, finetune="none").fit(curves) for e in (adapted, knows)]


@pytest.mark.slow
def test_an_adapter_learns_what_a_redshift_says(with_adapter, told):
    y = told.metadata["class"].to_numpy(str)
    alone, knows = (model.score(told, y) for model in telling(with_adapter[0], told))
    assert knows > alone + 0.2


def test_the_same_seed_gives_the_same_adapter(demo, with_adapter):
    options = {"sizes": (16,), "epochs": 1, "seed": 3}
    a, b = (fit_context(with_adapter[0], demo, **options)[0] for _ in range(2))
    assert same_weights(a, b)
    assert not same_weights(a, fit_context(with_adapter[0], demo, sizes=(16,), epochs=1)[0])


def test_an_adapter_can_be_trained_once_more(demo, with_adapter):
    again, _ = fit_context(with_adapter[1], demo, sizes=(8,), epochs=1)
    shape = again.net_.module_.shape
    assert tuple(shape.context_sizes) == (8,)
    assert np.array_equal(again.transform(demo), with_adapter[0].transform(demo))


def test_what_an_adapter_cannot_be_trained_on(demo, with_adapter):
    others = demo.with_metadata(**{"class": ["Ia"] * len(demo)})
    with pytest.raises(LightCurveError, match="none of the classes of the weights"):
        fit_context(with_adapter[0], others)
    unknown = demo.with_metadata(redshift=np.where(np.arange(len(demo)) == 7, np.nan, 0.1))
    with pytest.raises(LightCurveError, match=r"SIM0007.*1 of 100"):
        fit_context(with_adapter[0], unknown)
    bare = LightCurves.from_arrays(
        demo.time, demo.flux, demo.flux_err, "ztfg", offsets=demo.offsets, duplicates="keep"
    )
    with pytest.raises(LightCurveError, match=r"\['class', 'redshift'\].*with_metadata\(class="):
        fit_context("any", bare)


def test_context_is_drawn_as_its_shares_say():
    rng, n = np.random.default_rng(0), 20_000
    z, group = np.where(np.arange(n) % 10, rng.uniform(0.1, 0.5, n), 0.0), np.arange(n) % 2
    z[group == 1] += np.where(z[group == 1] > 0, 1.0, 0.0)
    truth = ContextValues(z, 0 * z, np.full(n, 0.1), np.full(n, 3.0))
    drawing = DrawnContext(spectroscopic=0.3, photometric=0.5, other=0.4, outliers=0.1)
    drawn = drawing.draw(truth, group, rng)
    absent, spectrum = np.isnan(drawn.redshift), drawn.redshift_err == 0
    assert np.isnan(drawn.redshift_err).tolist() == absent.tolist()
    assert absent.mean() == pytest.approx(0.2, abs=0.02)
    assert spectrum.mean() == pytest.approx(0.3, abs=0.02)
    assert np.isnan(drawn.mwebv).mean() == pytest.approx(0.6, abs=0.02)
    assert np.isnan(drawn.undetected_days).mean() == pytest.approx(0.6, abs=0.02)
    far = z > 0
    error = drawn.redshift - z
    assert np.mean(np.abs(error[far & spectrum]) < 3e-3) == pytest.approx(0.98, abs=0.01)
    photometric = far & ~spectrum & ~absent
    pull = error[photometric] / drawn.redshift_err[photometric]
    assert 0.75 < np.mean(np.abs(pull) < 2) < 0.9  # of a Gaussian without outliers, .954
    # whose host is another one, it is one of the same survey, or a star
    own = drawn.redshift[(group == 1) & spectrum & far]
    assert np.mean((own > 1) | (own < 0.01)) == 1
    # stars have photometric redshifts of galaxies
    assert (drawn.redshift[~far & ~spectrum & ~absent] > 0.05).mean() > 0.7


def test_the_command_adds_an_adapter(folder, tmp_path, demo):
    arguments = command(folder, tmp_path, "demo-v1")
    main(arguments)
    weights = tmp_path / "weights"
    first = json.loads((weights / "manifest.json").read_text())["weights"]["demo-v1"]
    trained = str(weights / first["file"])
    main([*arguments[:-1], "demo-v2", "--context", "--trained", trained])
    known = json.loads((weights / "manifest.json").read_text())
    entry = known["weights"]["demo-v2"]
    assert "context" not in first
    assert entry["context"] == list(CONTEXT_ITEMS)
    assert entry["format_version"] == 3
    assert entry["n_objects"] == first["n_objects"]
    assert {"macro_auroc_ZTF", "macro_auroc_early_redshift"} <= set(entry["metrics"])
    assert "--context" in entry["command"]
    assert "None" not in entry["command"] + first["command"]
    own = LightCurveEncoder(weights / entry["file"])
    assert np.array_equal(own.transform(demo), LightCurveEncoder(trained).transform(demo))
    with pytest.raises(SystemExit):
        main([*arguments[:-1], "demo-v3", "--trained", trained])


@pytest.mark.slow
def test_context_leaves_the_novelty_score_as_it_is(demo, told):
    # latents of unit variance, as those of weights with a novelty score
    small = GRU(hidden_size=4, latent_size=16, standardize_latent=True)
    encoder, _ = pretrain(demo, epochs=1, architecture=small)
    models = telling(add_novelty(encoder, demo), told)
    alone, knows = (model.novelty_score(told) for model in models)
    assert np.abs(knows - alone).mean() < 0.1
    alone, knows = (model.predict_proba(told) for model in models)
    assert np.abs(knows - alone).max() > 0.2
