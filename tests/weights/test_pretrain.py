"""Pretraining: the command, its names of weights, and going on after an interruption."""

import json
from functools import partial

import numpy as np
import pytest
from small import same_weights

from sklc import LightCurveEncoder, TransferClassifier
from sklc.errors import LightCurveError, SimulationError
from sklc.pretrain import (
    SIMULATED,
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
    assert list(curves.metadata) == ["class", "survey", "redshift"]
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
