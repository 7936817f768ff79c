"""Pretraining on variable stars."""

import json

import numpy as np
import pytest

from sklc import LightCurveEncoder, TransferClassifier
from sklc.pretrain import main, simulate_variable_stars


@pytest.mark.slow
def test_the_command_trains_on_variable_stars(sncosmo_data, tmp_path, monkeypatch):
    own = "sklc.pretrain.variable_stars"
    monkeypatch.setattr(f"{own}.VARIABLE_CLASSES", ("RRab", "EW", "Mira"))
    monkeypatch.setattr(f"{own}._SURVEYS", {"crts": 90, "asas": 60})
    monkeypatch.setattr(f"{own}._PER_DRAWN_SURVEY", 30)
    stars = simulate_variable_stars(n_surveys=1)
    assert stars.metadata["survey"].value_counts().to_list() == [89, 60, 29]
    assert list(stars.metadata) == ["class", "survey", "period", "amplitude"]
    assert stars.lengths.min() >= 1
    assert stars.lengths.max() <= 600
    assert len(np.unique(stars.ids)) == len(stars)
    assert simulate_variable_stars(n_surveys=1).equals(stars)

    stars.to_parquet(tmp_path / "data")
    main(["--data", str(tmp_path / "data"), "--surveys", "variables", "--name", "stars-v1",
          "--epochs", "1", "--hidden-size", "4", "--output", str(tmp_path)])  # fmt: skip
    entry = json.loads((tmp_path / "manifest.json").read_text())["weights"]["stars-v1"]
    assert entry["input"]["fold"] == "period"
    assert entry["redshift_weight"] == 0
    assert "macro_auroc_random" in entry["metrics"]
    classifier = TransferClassifier.pretrained(tmp_path / entry["file"])
    assert classifier.classes_.tolist() == ["EW", "Mira", "RRab"]
    assert LightCurveEncoder(tmp_path / entry["file"]).transform(stars[:5]).shape == (5, 128)
