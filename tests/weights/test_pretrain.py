"""Pretraining: the command, augmentation, and going on after an interruption."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from sklc import LightCurveEncoder, LightCurves
from sklc.augment.training import Augmentation, FlatCurves
from sklc.datasets import load_demo
from sklc.errors import LightCurveError
from sklc.pretrain import SIMULATED, main, pretrain, simulate_training_set
from sklc.weights.file import WeightsFile


@pytest.fixture(scope="module")
def demo():
    return load_demo().curves[:100]


@pytest.fixture
def folder(demo, tmp_path):
    demo.to_parquet(tmp_path / "simulated")
    return tmp_path / "simulated"


def same_weights(a, b):
    a, b = (encoder.net_.module_.state_dict() for encoder in (a, b))
    return all(torch.equal(a[name], b[name]) for name in a)


def test_the_command_writes_weights_and_manifest(folder, tmp_path, demo):
    weights = tmp_path / "weights"
    arguments = ["--data", folder, "--surveys", "ZTF", "--output", weights, "--epochs", 1]
    arguments += ["--hidden-size", 4, "--name", "demo-v1"]
    main([str(argument) for argument in arguments])
    known = json.loads((weights / "manifest.json").read_text())
    assert known["aliases"] == {"demo": "demo-v1"}
    entry = known["weights"]["demo-v1"]
    assert entry["n_objects"] == 100
    assert entry["classes"] == ["SNII", "SNIa", "SNIb/c"]
    assert 0 <= entry["metrics"]["macro_auroc_ZTF"] <= 1
    encoder = LightCurveEncoder(weights=weights / entry["file"])
    assert encoder.transform(demo).shape == (100, 128)
    with pytest.raises(SystemExit):
        main([str(a) for a in [*arguments[:3], "LSST", *arguments[4:]]])


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


def test_the_same_seed_gives_the_same_weights(demo):
    a, b = (pretrain(demo, epochs=2, hidden_size=4, seed=1)[0] for _ in range(2))
    assert same_weights(a, b)
    assert not same_weights(a, pretrain(demo, epochs=2, hidden_size=4, seed=2)[0])


def test_an_interrupted_run_ends_as_if_it_had_not_been(demo, tmp_path, monkeypatch):
    options = {"epochs": 4, "hidden_size": 4}
    whole = pretrain(demo, **options)[0]
    options["checkpoint"] = tmp_path / "checkpoints" / "run.checkpoint"
    original = Augmentation.__call__
    calls = []

    def killed(self, curves, rng):
        calls.append(rng)
        if len(calls) == 3:  # while the third epoch is drawn
            raise SystemExit
        return original(self, curves, rng)

    monkeypatch.setattr(Augmentation, "__call__", killed)
    with pytest.raises(SystemExit):
        pretrain(demo, **options)
    monkeypatch.setattr(Augmentation, "__call__", original)
    assert len(torch.load(options["checkpoint"], weights_only=True)["history"]) == 2
    assert same_weights(pretrain(demo, **options)[0], whole)


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


def flat(n_objects=400, n_points=40, seed=0):
    rng = np.random.default_rng(seed)
    shape = (n_objects, n_points)
    return FlatCurves.of(
        LightCurves.from_arrays(
            time=np.sort(rng.uniform(0, 200, shape)),
            flux=rng.uniform(50, 500, shape),
            flux_err=np.full(shape, 20.0),
            band=np.full(shape, "ztfg"),
        )
    )


OFF = {
    "noisier": 0.0,
    "alerts": 0.0,
    "thinned": 0.0,
    "prefixes": 0.0,
    "min_points": 1,
    "dropped": 0.0,
}


def test_without_any_augmentation_only_noise_is_dropped():
    curves = flat()
    altered, objects = Augmentation(**OFF)(curves, np.random.default_rng(0))
    assert len(objects) == 400
    shown = curves.flux >= 3 * curves.flux_err
    np.testing.assert_array_equal(altered.flux, curves.flux[shown])
    np.testing.assert_array_equal(altered.lengths, np.add.reduceat(shown, curves.offsets[:-1]))


@pytest.mark.parametrize("part", ["noisier", "alerts", "thinned", "prefixes"])
def test_each_augmentation_alters_its_share_of_objects(part):
    curves = flat()
    base, _ = Augmentation(**OFF)(curves, np.random.default_rng(0))
    for share in (0.5, 1.0):
        altered, objects = Augmentation(**{**OFF, part: share})(curves, np.random.default_rng(1))
        same = [
            np.array_equal(a, b)
            for a, b in zip(
                np.split(altered.flux, altered.offsets[1:-1]),
                [np.split(base.flux, base.offsets[1:-1])[i] for i in objects],
                strict=True,
            )
        ]
        assert abs(np.mean(same) - (1 - share)) < 0.12


def test_a_dropped_band_leaves_the_other_whole():
    curves = flat()
    wavelength = np.where(np.arange(len(curves.time)) % 2, 0.48, 0.64)
    curves = replace(curves, wavelength=wavelength)
    base, _ = Augmentation(**OFF)(curves, np.random.default_rng(0))
    altered, objects = Augmentation(**{**OFF, "dropped": 0.5})(curves, np.random.default_rng(0))
    assert len(objects) == 400
    whole, lost = 0, 0
    parts = [np.split(c.wavelength, c.offsets[1:-1]) for c in (base, altered)]
    for before, after in zip(*parts, strict=True):
        if len(np.unique(after)) == 2:
            whole += 1
            np.testing.assert_array_equal(before, after)
        else:
            lost += 1
            assert len(after) == np.sum(before == after[0])
    assert 150 < lost < 250
    assert whole + lost == 400


def test_inflated_errors_come_with_noise_to_match():
    curves = flat(2000)
    options = {**OFF, "noisier": 1.0}
    altered, objects = Augmentation(**options)(curves, np.random.default_rng(0))
    assert len(objects) == len(curves.lengths)
    assert altered.flux_err.min() >= 20
    assert altered.flux_err.max() <= 20 * 2.5 * (1 + 1e-9)


def test_alerts_and_prefixes_and_short_objects():
    curves = flat()
    alerts, _ = Augmentation(**{**OFF, "alerts": 1.0})(curves, np.random.default_rng(0))
    assert (alerts.flux / alerts.flux_err).min() >= 5
    prefixes, _ = Augmentation(**{**OFF, "prefixes": 1.0})(curves, np.random.default_rng(0))
    ends = prefixes.time[prefixes.offsets[1:] - 1] - prefixes.time[prefixes.offsets[:-1]]
    assert ends.max() <= 150
    short, objects = Augmentation(**{**OFF, "thinned": 1.0, "min_points": 20})(
        curves, np.random.default_rng(0)
    )
    assert short.lengths.min() >= 20
    assert 0 < len(objects) < 400
