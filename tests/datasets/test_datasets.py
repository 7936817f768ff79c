"""The demo data set: what it promises, and that it is a problem worth solving."""

from importlib import resources

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict

from sklc.datasets import load_demo
from sklc.light_curves import LightCurves

CLASSES = {"SNIa": 300, "SNII": 180, "SNIb/c": 120}


@pytest.fixture(scope="module")
def demo():
    return load_demo()


@pytest.fixture(scope="module")
def nightly(demo):
    """One row an object: brightest magnitude, and days and colour relative to it."""
    frame = demo.frame.assign(mag=27.5 - 2.5 * np.log10(demo.frame.flux))
    frame["band"] = frame["band"].astype(str)
    top = frame.loc[frame.groupby("object_id", observed=True).flux.idxmax()]
    top = top.set_index("object_id")[["mjd", "mag"]]
    frame["phase"] = frame.mjd - frame.object_id.map(top.mjd).astype(float)
    frame["fading"] = frame.mag - frame.object_id.map(top.mag).astype(float)
    return frame


def test_contents(demo):
    assert set(demo) == {"curves", "target", "target_names", "frame", "DESCR"}
    assert isinstance(demo.curves, LightCurves)
    assert demo.curves.shape == demo.target.shape == (600,)
    assert dict(zip(*np.unique(demo.target, return_counts=True), strict=True)) == CLASSES
    assert demo.target_names.tolist() == sorted(CLASSES)
    assert demo.target.dtype.kind == "U"
    assert "simulated" in demo.DESCR.lower()


def test_target_belongs_to_the_curves(demo):
    assert demo.curves.metadata["class"].tolist() == demo.target.tolist()
    # a split that forgets to shuffle still sees every class
    for part in np.array_split(demo.target, 6):
        assert set(part) == set(CLASSES)


def test_return_X_y(demo):
    curves, y = load_demo(return_X_y=True)
    assert curves.equals(demo.curves)
    np.testing.assert_array_equal(y, demo.target)


def test_arguments_are_keyword_only():
    with pytest.raises(TypeError, match="positional"):
        load_demo(True)


def test_each_call_returns_its_own_objects():
    first = load_demo()
    first.frame["flux"] = 0.0
    first.target[:] = "SNIa"
    again = load_demo()
    assert (again.frame.flux > 0).all()
    assert set(again.target) == set(CLASSES)


def test_frame_holds_the_same_observations(demo):
    columns = ["object_id", "mjd", "band", "flux", "flux_err", "zp", "detected"]
    assert demo.frame.columns.tolist() == columns
    assert len(demo.frame) == demo.curves.time.size
    np.testing.assert_array_equal(demo.frame.mjd, demo.curves.time)
    np.testing.assert_array_equal(demo.frame.flux, demo.curves.flux)
    np.testing.assert_array_equal(demo.frame.band.astype(str), demo.curves.band_names)
    assert (
        demo.frame.object_id.astype(str).tolist()
        == np.repeat(demo.curves.ids, demo.curves.lengths).tolist()
    )


def test_observations(demo):
    curves = demo.curves
    assert curves.zero_point == 27.5
    assert set(curves.band_names) == {"ztfg", "ztfr"}
    assert curves.lengths.min() >= 6
    assert np.isfinite(curves.time).all()
    assert np.isfinite(curves.flux).all()
    assert (curves.flux >= 4.99 * curves.flux_err).all()
    assert (curves.flux_err > 0).all()
    assert ((curves.time > 58000) & (curves.time < 60000)).all()
    assert demo.frame.detected.all()
    assert demo.frame.mjd.round(4).equals(demo.frame.mjd)


def test_metadata(demo):
    metadata = demo.curves.metadata
    assert metadata.columns.tolist() == ["survey", "class", "redshift", "mwebv"]
    assert set(metadata.survey) == {"ZTF"}
    assert metadata.redshift.between(0.001, 0.2).all()
    assert metadata.mwebv.between(0, 1).all()
    assert len(set(demo.curves.ids.tolist())) == 600


def test_bright_and_like_a_survey(demo, nightly):
    brightest = nightly.groupby("object_id", observed=True).mag.min()
    assert brightest.max() <= 19.0
    assert brightest.median() > 18.0  # a flux-limited sample piles up at its limit
    assert 20 <= np.median(demo.curves.lengths) <= 40
    same_band = nightly.groupby(["object_id", "band"], observed=True).mjd.diff()
    assert 1.5 < same_band.median() < 3.5


def test_look_like_supernovae(demo, nightly):
    """Medians of what tells the classes apart, near those of real supernovae."""
    label = nightly.object_id.map(pd.Series(demo.target, index=demo.curves.ids)).astype(str)
    late = nightly[nightly.phase.between(10, 20)]
    fading = late.groupby([label[late.index], "band"]).fading.median()
    # real decline in g after 10-20 days: .87, .42, .95 mag
    assert 0.6 < fading["SNIa", "ztfg"] < 1.3
    assert fading["SNII", "ztfg"] < fading["SNIa", "ztfg"]
    assert fading["SNIb/c", "ztfg"] > fading["SNIb/c", "ztfr"] + 0.4  # they turn red
    plateau = nightly[nightly.phase.between(30, 50) & (nightly.band == "ztfr")]
    slow = plateau.groupby(label[plateau.index]).fading.median()
    assert slow["SNII"] < 0.9 < slow["SNIa"]
    # thermonuclear supernovae are brighter, so they are seen farther out
    redshift = demo.curves.metadata.groupby("class").redshift.median()
    assert redshift["SNIa"] > 1.5 * redshift["SNII"]


def test_no_flux_is_shared_by_two_objects(demo):
    """Blended templates and noise leave no two curves alike."""
    curves = demo.curves
    brightest = np.maximum.reduceat(curves.flux, curves.offsets[:-1])
    assert len(set(zip(brightest.tolist(), curves.lengths.tolist(), strict=True))) == 600


def test_hard_but_not_hopeless(demo, nightly):
    """Simple statistics classify the demo, and leave room for better ones."""
    bins = pd.cut(nightly.phase, [-60, -10, -3, 3, 10, 20, 40, 80, 500], labels=False)
    features = nightly.pivot_table(
        index="object_id", columns=["band", bins], values="fading", observed=True
    ).reindex(demo.curves.ids)
    scores = cross_val_predict(
        RandomForestClassifier(100, class_weight="balanced", random_state=0),
        features.fillna(9.0).to_numpy(), demo.target, cv=3, method="predict_proba",
    )  # fmt: skip
    auroc = roc_auc_score(demo.target, scores, multi_class="ovr", average="macro")
    assert 0.85 < auroc < 0.97


def test_files_are_small():
    files = [file for file in resources.files("sklc.datasets").iterdir() if file.name[-3:] != ".py"]
    assert sum(len(file.read_bytes()) for file in files if file.is_file()) < 1_000_000
