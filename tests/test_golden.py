"""Latents, probabilities and redshifts of all shipped weights are those of the committed files.

The files change on purpose alone: ``python tests/test_golden.py`` writes those that are missing.
"""

import warnings
from pathlib import Path

import numpy as np
import pytest

from sklc import (
    LightCurveEncoder,
    LightCurves,
    RedshiftRegressor,
    TransferClassifier,
    list_weights,
)
from sklc.datasets import load_demo
from sklc.errors import LightCurveWarning

FOLDER = Path(__file__).parent / "golden"
WEIGHTS = sorted(name for name in list_weights() if "-v" in name)
WITHOUT_REDSHIFTS = ("variables-v1", "ztf+lsst-v1", "ztf+lsst-v2", "ztf-v1")
TOLERANCE = 1e-6


def golden_curves() -> list[LightCurves]:
    """Demo objects, and random ones in six bands of another survey, one of them very short."""
    rng = np.random.default_rng(14)
    lengths = [1, 2, 3, 8, 20, 45, 70, 120]
    bands = np.array(["lsstu", "lsstg", "lsstr", "lssti", "lsstz", "lssty"])
    time = [np.sort(rng.uniform(60000, 60100, n)) for n in lengths]
    flux = [400 * np.exp(-(((t - 60040) / 20) ** 2)) + rng.normal(0, 10, len(t)) for t in time]
    random = LightCurves.from_arrays(
        time,
        flux,
        [np.full(n, 10.0) for n in lengths],
        [bands[rng.integers(0, 6, n)] for n in lengths],
    )
    return [load_demo().curves[::30], random]


def predictions(weights: str) -> dict[str, np.ndarray]:
    """What the estimators say of the golden light curves with these weights."""
    methods = {
        "latent": LightCurveEncoder(weights).transform,
        "probabilities": TransferClassifier.pretrained(weights).predict_proba,
    }
    if weights not in WITHOUT_REDSHIFTS:
        methods["redshift"] = RedshiftRegressor.pretrained(weights).predict
    with warnings.catch_warnings():
        # Weights of ZTF alone say that other bands lie outside.
        warnings.simplefilter("ignore", LightCurveWarning)
        return {
            name: np.concatenate([method(curves) for curves in golden_curves()])
            for name, method in methods.items()
        }


def file_of(weights: str) -> Path:
    return FOLDER / f"{weights.replace('+', '_')}.npz"


@pytest.mark.parametrize("weights", WEIGHTS)
def test_predictions_are_those_of_the_golden_file(weights):
    found, golden = predictions(weights), np.load(file_of(weights))
    assert sorted(found) == sorted(golden.files)
    for name in golden.files:
        scale = max(1.0, float(np.std(golden[name])))
        np.testing.assert_allclose(found[name], golden[name], rtol=0, atol=TOLERANCE * scale)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name in WEIGHTS:
        if not file_of(name).exists():
            np.savez_compressed(file_of(name), **predictions(name))
