"""Astromer 1 from a checkpoint of TensorFlow, which the tests write in its true layout."""

import pickle
import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from tensor_bundles import astromer_embedding, astromer_variables, crc32c, write_bundle

from sklc import LightCurves
from sklc.errors import LightCurveError, LightCurveWarning, WeightsError
from sklc.external import Astromer1, read_tensor_bundle

HEADS, WINDOW = 2, 8
SETTINGS = {"heads": HEADS, "max_obs": WINDOW, "base": 1000, "use_leak": False}


@pytest.fixture(scope="module")
def variables():
    return astromer_variables()


@pytest.fixture(scope="module")
def checkpoint(variables, tmp_path_factory):
    folder = tmp_path_factory.mktemp("astromer") / "macho"
    return write_bundle(folder, variables, settings=SETTINGS)


@pytest.fixture(scope="module")
def curves():
    """Objects of 1, 5, 8 and 19 observations in V, and of 3 in V and 4 in I."""
    rng = np.random.default_rng(3)
    lengths, bands = [1, 5, 8, 19, 7], [["asasV"] * n for n in (1, 5, 8, 19)]
    bands.append(["asasV", "asasI", "asasI", "asasV", "asasI", "asasV", "asasI"])
    times = [np.sort(rng.uniform(58_000, 58_400, n)) for n in lengths]
    fluxes = [rng.uniform(200, 300, n) for n in lengths]
    return LightCurves.from_arrays(times, fluxes, [f * 0.02 for f in fluxes], bands)


def expected(variables, curve, band):
    shown = curve.band_names == band
    time, magnitude = curve.time[shown], -2.5 * np.log10(curve.flux[shown])
    if not len(time):
        return np.full(8, np.nan)
    parts = [
        astromer_embedding(variables, time[k : k + WINDOW], magnitude[k : k + WINDOW], HEADS)
        for k in range(0, len(time), WINDOW)
    ]
    return np.concatenate(parts).mean(axis=0)


# -- the reader


def test_crc_of_the_writer_is_that_of_the_standard():
    assert crc32c(b"123456789") == 0xE3069283


def test_variables_are_read_as_they_were_written(checkpoint, variables):
    found = read_tensor_bundle(checkpoint)
    assert set(found) == set(variables)
    for name, values in variables.items():
        np.testing.assert_array_equal(found[name], values)


def test_a_checkpoint_is_found_in_all_its_forms(checkpoint, variables, tmp_path):
    archive = shutil.make_archive(
        str(tmp_path / "macho"), "zip", checkpoint.parents[1], checkpoint.parent.name
    )
    for path in (checkpoint.with_suffix(""), checkpoint.parent, checkpoint.parents[1], archive):
        assert set(read_tensor_bundle(path)) == set(variables)


def test_paths_without_a_checkpoint_say_what_to_pass(checkpoint, tmp_path):
    with pytest.raises(WeightsError, match="There is no TensorFlow checkpoint"):
        read_tensor_bundle(tmp_path / "nothing")
    with pytest.raises(WeightsError, match="holds no TensorFlow checkpoints: pass"):
        read_tensor_bundle(tmp_path)
    text = tmp_path / "weights.h5"
    text.write_text("something else")
    with pytest.raises(WeightsError, match="is not a TensorFlow checkpoint"):
        read_tensor_bundle(text)
    shutil.copytree(checkpoint.parent, tmp_path / "a")
    shutil.copytree(checkpoint.parent, tmp_path / "b")
    with pytest.raises(WeightsError, match=r"holds 2 TensorFlow checkpoints \(weights.index"):
        read_tensor_bundle(tmp_path)
    (tmp_path / "a" / "weights.data-00000-of-00001").unlink()
    with pytest.raises(WeightsError, match=r"is damaged .*data-00000-of-00001"):
        read_tensor_bundle(tmp_path / "a")


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_damage_is_an_error_or_without_effect(checkpoint, variables, tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("damaged")
    for file in checkpoint.parent.iterdir():
        shutil.copy(file, folder)
    name = data.draw(st.sampled_from(["weights.index", "weights.data-00000-of-00001"]))
    content = bytearray((folder / name).read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= 1 << data.draw(st.integers(0, 7))
    cut = data.draw(st.booleans())
    (folder / name).write_bytes(bytes(content[:place] if cut else content))
    try:
        found = read_tensor_bundle(folder)
    except WeightsError:
        return
    # of what is not read: padding, or variables of other types
    assert set(found) == set(variables)
    assert all(np.array_equal(found[name], variables[name]) for name in variables)


# -- the transformer


def test_embeddings_are_those_of_the_published_forward_pass(checkpoint, variables, curves):
    model = Astromer1(checkpoint, device="cpu").fit(curves)
    found = model.transform(curves)
    assert [band.name for band in model.passbands_] == ["asasV", "asasI"]
    for curve, row in zip(curves, found, strict=True):
        own = np.concatenate([expected(variables, curve, band) for band in ("asasV", "asasI")])
        np.testing.assert_allclose(row, own, atol=2e-5)
    assert np.isnan(found[:4, 8:]).all()
    assert np.isfinite(found[4]).all()


def test_embeddings_do_not_depend_on_other_objects_or_brightness(checkpoint, curves):
    model = Astromer1(checkpoint, bands=["asasV"]).fit(curves)
    found = model.transform(curves)
    alone = np.concatenate([model.transform(curves[k : k + 1]) for k in range(len(curves))])
    np.testing.assert_allclose(found, alone, atol=1e-5)
    brighter = LightCurves.from_arrays(
        curves.time - 1000, 50 * curves.flux, 50 * curves.flux_err, curves.band_names,
        offsets=curves.offsets, zero_point=20.0,
    )  # fmt: skip
    np.testing.assert_allclose(found, model.transform(brighter), atol=2e-5)


def test_faint_observations_are_left_out(checkpoint, curves):
    curve = curves[3]
    err = np.where(np.arange(19) % 2, 0.02 * curve.flux, curve.flux)
    noisy, clean = (
        LightCurves.from_arrays([curve.time[k]], [curve.flux[k]], [err[k]], passband="asasV")
        for k in (slice(None), slice(1, None, 2))
    )
    model = Astromer1(checkpoint).fit(noisy)
    np.testing.assert_allclose(model.transform(noisy), model.transform(clean), atol=1e-6)
    everything = Astromer1(checkpoint, min_snr=0).fit(noisy).transform(noisy)
    assert not np.allclose(everything, model.transform(noisy))
    negative = LightCurves.from_arrays([[1.0, 2.0]], [[-5.0, 0.0]], [[1.0, 1.0]],
                                       passband="asasV")  # fmt: skip
    assert np.isnan(model.transform(negative)).all()


def test_it_behaves_as_a_transformer(checkpoint, curves, tmp_path):
    moved = shutil.copytree(checkpoint.parent, tmp_path / "copy")
    model = Astromer1(moved).set_output(transform="pandas").fit(curves)
    frame = model.transform(curves)
    assert list(frame.columns[[0, 8]]) == ["asasV_astromer1_0", "asasI_astromer1_0"]
    assert model.n_features_out_ == frame.shape[1] == 16
    text = pickle.dumps(model)
    shutil.rmtree(moved)
    assert pickle.loads(text).transform(curves).equals(frame)  # the network travels
    assert clone(model).checkpoint == moved
    assert model.transform(curves[:0]).shape == (0, 16)
    pipe = make_pipeline(Astromer1(checkpoint, bands=["asasV"]), LogisticRegression())
    assert pipe.fit(curves, [0, 0, 1, 1, 1]).predict(curves).shape == (5,)


def test_plain_series_are_light_curves(checkpoint):
    series = np.random.default_rng(0).uniform(90, 100, (3, 12))
    assert Astromer1(checkpoint).fit_transform(series).shape == (3, 8)
    with pytest.raises((LightCurveError, ValueError)):
        Astromer1(checkpoint).fit(series).transform(series[:, :5])


def test_unusable_objects_are_rows_of_nan_where_asked_for(checkpoint, curves):
    model = Astromer1(checkpoint, bands=["asasV"]).fit(curves)
    X = [np.array([[1.0, 50.0, 1.0], [2.0, 60.0, 1.0]]), np.array([[1.0, np.inf, 1.0]])]
    with pytest.raises(LightCurveError):
        model.transform(X)
    with pytest.warns(LightCurveWarning, match="1 of 2 objects"):
        found = model.transform(X, on_error="nan")
    assert np.isnan(found[1]).all()


def test_bands_are_named_as_a_list(checkpoint, curves):
    for bands, message in (("asasV", "must be an array-like"), ([], "is not a list of passbands")):
        with pytest.raises(ValueError, match=message):
            Astromer1(checkpoint, bands=bands).fit(curves)
    empty = LightCurves.from_arrays([[]], [[]], [[]], passband="asasV")
    with pytest.raises(LightCurveError, match="None of the 1 light curves has an observation"):
        Astromer1(checkpoint).fit(empty)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"encoder/enc_layers/1/mha/wk/kernel": None}, "it has no variable enc_layers/1/mha/wk"),
        ({"encoder/inp_transform/kernel": None}, "it has 0 variables named inp_transform/kernel"),
        ({"encoder/inp_transform/kernel": np.ones((2, 8))}, "2 inputs, a width of 8"),
        ({"encoder/enc_layers/0/reshape_leak_1/kernel": np.ones((8, 8))}, "residual connections"),
        ({"encoder/enc_layers/0/mha/wq/kernel": np.ones((8, 7))}, "size mismatch"),
    ],
)
def test_checkpoints_of_other_networks_are_refused(variables, curves, change, reason, tmp_path):
    changed = {k: v for k, v in {**variables, **change}.items() if v is not None}
    path = write_bundle(tmp_path / "other", changed, settings=SETTINGS)
    with pytest.raises(WeightsError, match="not one of Astromer 1") as caught:
        Astromer1(path).fit(curves)
    assert reason in str(caught.value) or reason == "size mismatch"


def test_wrong_settings_are_refused(variables, curves, tmp_path):
    path = write_bundle(tmp_path / "heads", variables, settings={"heads": 3})
    with pytest.raises(WeightsError, match="a width of 8 and 3 heads"):
        Astromer1(path).fit(curves)
    (path.parent / "conf.json").write_text("[1]")
    with pytest.raises(WeightsError, match="not a table of settings"):
        Astromer1(path).fit(curves)


def test_the_published_checkpoint_is_read(data_dir):
    path = data_dir / "rivals" / "astromer1_macho_a0.zip"
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    stars = LightCurves.from_parquet(data_dir / "crts_sss")[:8]
    model = Astromer1(path).fit(stars)
    assert sum(p.numel() for p in model.network_.parameters()) == 660_736
    assert np.isfinite(model.transform(stars)).all()
