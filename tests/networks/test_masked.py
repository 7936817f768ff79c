"""Hidden observations: nothing of them is seen, and they are predicted from the others."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from plugins.toy_architecture import MeanNetwork
from skorch.callbacks import Callback
from small import SMALL, curves_of, same_weights

from sklc import InputRepresentation, LightCurveEncoder, LightCurves, TransferClassifier
from sklc.augment import Prefixes
from sklc.datasets import load_demo
from sklc.errors import LightCurveError
from sklc.measurements import MEASUREMENTS
from sklc.networks.architectures import GRU, Architecture, Transformer
from sklc.networks.objectives import Classifier, Contrastive, Masked, Redshift
from sklc.networks.objectives.hiding import Hiding, encode_hidden
from sklc.networks.objectives.registry import chosen_objectives, learns_classes
from sklc.representation import Shown
from sklc.weights.file import WeightsFile

TINY = Transformer(hidden_size=12, feedforward_size=10, latent_size=8, max_length=64)
NETWORKS = {"transformer": TINY, "gru": GRU(hidden_size=8, latent_size=6)}
PRESETS = ["relative", "papers", "corroborated", "magnitude"]
QUICK = {"max_epochs": 1, "random_state": 0, "device": "cpu", "verbose": 0}


def stars(n_objects=30, n_points=40, seed=0, noise=0.02):
    """Sine curves in two bands of periods from 2 to 20 days."""
    rng = np.random.default_rng(seed)
    time = np.sort(59000 + rng.uniform(0, 60, (n_objects, n_points)), axis=1)
    period, phase = 2 * 10 ** rng.random((n_objects, 1)), rng.uniform(0, 2 * np.pi, (n_objects, 1))
    flux = 1000 * np.exp(0.3 * np.sin(2 * np.pi * time / period + phase))
    error = noise * flux
    band = np.where(rng.random(time.shape) < 0.5, "ztfg", "ztfr")
    flux = flux * np.where(band == "ztfg", 1.0, 1.7) + error * rng.normal(size=flux.shape)
    return LightCurves.from_arrays(time, flux, error, band)


def with_flux(curves, flux, flux_err=None):
    names = np.array([p.name for p in curves.passbands])[curves.band]
    error = curves.flux_err if flux_err is None else flux_err
    return LightCurves.from_arrays(curves.time, flux, error, names, offsets=curves.offsets)


def hide(curves, share=0.4, seed=1):
    shown = np.ones(len(curves.time), dtype=bool)
    return Hiding(share).draw(shown, curves.offsets, np.random.default_rng(seed))


# -- what is hidden has no influence


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("name", NETWORKS)
def test_a_hidden_measurement_has_no_influence_on_any_prediction(name, preset):
    curves = stars(12)
    encoder = LightCurveEncoder(
        architecture=NETWORKS[name], representation=preset, objective="masked", **QUICK
    ).fit(curves)
    hidden, rng = hide(curves), np.random.default_rng(2)
    before = encoder.reconstruct(curves, hidden, return_std=True)
    assert before[0].shape == (hidden.sum(),)
    assert np.isfinite(before).all()
    for factor in (rng.uniform(0.01, 100, len(hidden)), np.full(len(hidden), -50.0), 0.0):
        flux = np.where(hidden, curves.flux * factor, curves.flux)
        error = np.where(hidden, curves.flux_err * rng.uniform(0.1, 9), curves.flux_err)
        after = encoder.reconstruct(with_flux(curves, flux, error), hidden, return_std=True)
        np.testing.assert_array_equal(after, before)
    visible = with_flux(curves, np.where(hidden, curves.flux, 1.3 * curves.flux))
    assert not np.allclose(encoder.reconstruct(visible, hidden), before[0], rtol=1e-3)


def test_nothing_is_seen_of_hidden_measurements_in_folded_light_curves():
    curves = stars(6).with_metadata(period=np.full(6, 3.0))
    representation = InputRepresentation.preset("magnitude").folded("period")
    hidden = hide(curves)
    flux = np.where(hidden, 3 * curves.flux, curves.flux)
    other = with_flux(curves, flux).with_metadata(period=np.full(6, 3.0))
    one, two = (encode_hidden(representation, own, hidden) for own in (curves, other))
    np.testing.assert_array_equal(one.values, two.values)
    np.testing.assert_array_equal(one.rows, two.rows)
    np.testing.assert_array_equal(one.hidden, hidden[one.rows])
    np.testing.assert_array_equal(np.sort(one.rows), np.arange(len(hidden)))
    difference = two.target[two.hidden] - one.target[one.hidden]
    np.testing.assert_allclose(difference, -2.5 * np.log10(3), atol=2e-2)
    encoder = LightCurveEncoder(
        architecture=TINY, representation=representation, objective="masked", **QUICK
    ).fit(curves)
    said = [encoder.reconstruct(own, hidden) for own in (curves, other)]
    np.testing.assert_array_equal(*said)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_puts_its_token_in_the_place_of_the_measurement(name):
    encoder = LightCurveEncoder(architecture=NETWORKS[name], objective="masked", **QUICK)
    network = encoder.fit(stars(12)).net_.module_
    values, lengths = torch.randn(3, 9, 7), torch.tensor([9, 4, 6])
    hidden = torch.rand(3, 9) < 0.4
    measured = [3, 4, 5]  # relative_flux, its error, and log_flux
    other = values.clone()
    other[..., measured] += hidden[..., None] * torch.randn(3, 9, 3)
    with torch.inference_mode():
        one, two = (network.sequence_states(v, lengths, hidden) for v in (values, other))
        assert torch.equal(one.state, two.state)
        assert torch.equal(one.observations, two.observations)
        network.mask_token.add_(torch.randn(len(network.mask_token)))
        three = network.sequence_states(values, lengths, hidden)
    assert not torch.allclose(one.observations, three.observations, atol=1e-3)


def test_the_neighbour_that_replaces_a_hidden_measurement():
    time = np.array([0.0, 1.0, 2.0, 5.0, 6.0, 0.0, 1.0, 2.0])
    band = np.array(["ztfg", "ztfr", "ztfg", "ztfr", "ztfr", "ztfg", "ztfr", "ztfr"])
    flux = np.arange(100.0, 180.0, 10.0)
    curves = LightCurves.from_arrays(time, flux, np.full(8, 0.1), band, offsets=[0, 5, 8])
    hidden = np.array([False, False, True, True, False, True, False, True])
    representation = InputRepresentation(("flux",), flux_scale=1.0, min_snr=0.0)
    encoded = encode_hidden(representation, curves, hidden)
    assert encoded.values[:, 0].tolist() == [100, 110, 100, 140, 140, 160, 160, 160]
    assert encoded.target.tolist() == flux.tolist()


def test_hidden_observations_are_shown_whatever_their_significance():
    curves = stars(4)
    flux = curves.flux.copy()
    hidden = hide(curves)
    flux[hidden] = 0.1 * curves.flux_err[hidden]
    encoded = encode_hidden(InputRepresentation.preset("relative"), with_flux(curves, flux), hidden)
    assert len(encoded.rows) == len(flux)


@pytest.mark.parametrize("channel", MEASUREMENTS)
def test_what_is_predicted_is_turned_back_into_a_flux(channel):
    curves = stars(5)
    shown = Shown(InputRepresentation((channel,), min_snr=0.0), curves)
    measurement = MEASUREMENTS[channel]
    value, error = measurement.encode(shown, shown.flux, shown.flux_err)
    encoded = InputRepresentation((channel, measurement.error), min_snr=0.0).encode(curves)[0]
    np.testing.assert_allclose(value, encoded[:, 0], rtol=1e-5, atol=1e-5)
    flux, flux_err = measurement.decode(shown, value, error)
    np.testing.assert_allclose(flux, shown.flux, rtol=1e-6)
    np.testing.assert_allclose(flux_err, shown.flux_err, rtol=1e-6)


def test_predictions_are_at_the_zero_point_of_the_light_curves():
    curves = stars(12)
    encoder = LightCurveEncoder(architecture=TINY, objective="masked", **QUICK).fit(curves)
    hidden = hide(curves)
    flux, std = encoder.reconstruct(curves, hidden, return_std=True)
    brighter = LightCurves.from_arrays(
        curves.time, 100 * curves.flux, 100 * curves.flux_err,
        np.array([p.name for p in curves.passbands])[curves.band],
        offsets=curves.offsets, zero_point=curves.zero_point + 5,
    )  # fmt: skip
    np.testing.assert_allclose(
        encoder.reconstruct(brighter, hidden, return_std=True), [100 * flux, 100 * std], rtol=1e-4
    )


# -- which are hidden


@settings(max_examples=30, deadline=None)
@given(
    lengths=st.lists(st.integers(0, 12), min_size=1, max_size=8),
    fraction=st.floats(0.05, 0.95),
    whole=st.sampled_from([0.0, 0.5, 1.0]),
    seed=st.integers(0, 99),
)
def test_some_are_hidden_and_some_are_left(lengths, fraction, whole, seed):
    offsets, rng = np.concatenate([[0], np.cumsum(lengths)]), np.random.default_rng(seed)
    shown = rng.random(offsets[-1]) < 0.8
    hidden = Hiding(fraction, whole).draw(shown, offsets, rng)
    assert not (hidden & ~shown).any()
    for start, stop in pairwise(offsets):
        n_shown, n_hidden = shown[start:stop].sum(), hidden[start:stop].sum()
        if n_shown < 2 or whole == 1.0:
            assert n_hidden == 0
        else:
            assert n_hidden < n_shown
            assert n_hidden > 0 or whole > 0


@pytest.mark.parametrize("fraction", [0.2, 0.5, 0.8])
def test_the_share_that_is_hidden_is_right_on_average(fraction):
    offsets = 50 * np.arange(2001)
    rng = np.random.default_rng(0)
    hidden = Hiding(fraction).draw(np.ones(offsets[-1], dtype=bool), offsets, rng)
    shares = hidden.reshape(-1, 50).mean(axis=1)
    assert shares.mean() == pytest.approx(fraction, abs=0.01)
    assert shares.std() > 0.05


def test_by_default_every_observation_is_predicted_once():
    curves = stars(8, 7)
    encoder = LightCurveEncoder(architecture=TINY, objective="masked", **QUICK).fit(curves)
    flux, std = encoder.reconstruct(curves, return_std=True)
    assert flux.shape == std.shape == curves.time.shape
    assert (std > 0).all()
    fold = np.tile(np.arange(7) % 5, 8) == 1
    np.testing.assert_array_equal(flux[fold], encoder.reconstruct(curves, fold))
    assert encoder.reconstruct(curves[:0]).shape == (0,)


# -- training


@pytest.mark.parametrize("name", NETWORKS)
def test_the_loss_falls_without_labels_and_labels_change_nothing(name):
    curves = stars(60)
    params = {**QUICK, "max_epochs": 6, "learning_rate": 5e-3, "batch_size": 16}
    encoder = LightCurveEncoder(architecture=NETWORKS[name], objective="masked", **params)
    losses = encoder.fit(curves).net_.history[:, "train_loss"]
    assert losses[-1] < losses[0] - 0.5
    assert len(encoder.classes_) == 0
    labelled = LightCurveEncoder(architecture=NETWORKS[name], objective="masked", **params)
    assert same_weights(encoder, labelled.fit(curves, np.arange(60) % 3))


def test_other_observations_are_hidden_in_every_epoch():
    seen = []

    @dataclass(frozen=True)
    class Watching(Masked):
        def loss(self, outputs, targets, progress):
            seen.append(outputs.observations["hidden"].clone())
            return super().loss(outputs, targets, progress)

    curves = stars(10)
    params = {**QUICK, "max_epochs": 2, "early_stopping": False, "batch_size": 10}
    LightCurveEncoder(architecture=TINY, objective=Watching(), **params).fit(curves)
    assert len(seen) == 2
    first, second = (set(map(tuple, rows.tolist())) for rows in seen)
    assert not first & second
    seen.clear()
    LightCurveEncoder(architecture=TINY, objective=[Watching(), "classifier"], **params).fit(
        curves, np.arange(10) % 2
    )
    whole = torch.cat([rows.any(1) for rows in seen]).float().mean()
    assert 0.1 < float(whole) < 0.9  # about half of the objects are whole


def test_noisy_observations_count_less():
    objective = Masked()
    outputs = type("Outputs", (), {})()
    prediction = torch.zeros(1, 2, 2, requires_grad=True)
    seen = {"masked": prediction, "hidden": torch.ones(1, 2, dtype=torch.bool)}
    seen |= {"value": torch.ones(1, 2), "error": torch.tensor([[0.0, 10.0]])}
    outputs.observations = seen
    objective.loss(outputs, {}, 0.0).sum().backward()
    slope = prediction.grad[0, :, 0].abs()
    assert float(slope[0] / slope[1]) == pytest.approx(101, rel=1e-4)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("beside", ["classifier", Contrastive(temperature=0.2), "adversarial"])
def test_every_objective_combines_with_hidden_observations(name, beside, tmp_path):
    rows = np.arange(40)
    curves, y = stars(40, 12), np.array(["a", "b", "c"])[rows % 3]
    curves = curves.with_metadata(survey=np.where(rows % 2, "a", "b"), redshift=np.full(40, 0.1))
    encoder = LightCurveEncoder(
        architecture=NETWORKS[name], objective=["masked", beside], redshift_weight=0.1, **QUICK
    ).fit(curves, y)
    assert list(encoder.classes_) == sorted(set(y))
    network = encoder.net_.module_
    assert network.head is not None
    assert network.redshift is not None
    path = encoder.save(tmp_path / "w.safetensors")
    restored = LightCurveEncoder(path)
    np.testing.assert_array_equal(restored.transform(curves), encoder.transform(curves))
    np.testing.assert_array_equal(restored.reconstruct(curves), encoder.reconstruct(curves))
    assert WeightsFile.read(path).format_version == 4


def test_a_training_goes_on_where_it_was(tmp_path):
    curves, params = stars(20), {**QUICK, "max_epochs": 3, "architecture": TINY}
    whole = LightCurveEncoder(objective="masked", **params).fit(curves)

    class Stop(Callback):
        def on_epoch_begin(self, net, **kwargs):
            if len(net.history) == 2:
                raise KeyboardInterrupt

    path = tmp_path / "c.pt"
    shared = {"objective": "masked", "checkpoint": path, **params}
    with pytest.raises(KeyboardInterrupt):
        LightCurveEncoder(callbacks=[Stop()], **shared).fit(curves)
    assert same_weights(LightCurveEncoder(**shared).fit(curves), whole)


def test_augmentation_and_hidden_observations_go_together():
    encoder = LightCurveEncoder(
        architecture=TINY, objective="masked", augment=Prefixes(), **QUICK
    ).fit(stars(20))
    assert np.isfinite(encoder.transform(stars(3))).all()


def test_files_of_other_networks_have_the_version_that_older_releases_read(tmp_path):
    curves, y = load_demo(return_X_y=True)
    path = LightCurveEncoder(**SMALL).fit(curves[:80], y[:80]).save(tmp_path / "w.safetensors")
    assert WeightsFile.read(path).format_version == 2


# -- latents of unlabelled training


@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("size", [8, 30])
def test_the_latent_keeps_the_state_where_nothing_trains_it(standardize, size):
    curves = stars(80)
    settings = replace(TINY, standardize_latent=standardize, latent_size=size)
    encoder = LightCurveEncoder(
        architecture=settings, objective="masked", early_stopping=False, **QUICK
    ).fit(curves)
    latent = encoder.transform(curves).astype(float)
    state = encoder._encode(curves, encoder, with_state=True)[:, size:].astype(float)
    spread = latent.std(axis=0)
    assert spread.min() > 0.1 * spread.max()
    if standardize:
        np.testing.assert_allclose(spread, 1, atol=1e-3)
    columns = np.column_stack([latent, np.ones(len(latent))])
    told = columns @ np.linalg.lstsq(columns, state, rcond=None)[0]
    explained = 1 - ((state - told) ** 2).sum() / ((state - state.mean(axis=0)) ** 2).sum()
    assert explained > (0.97 if size == 30 else 0.85)


def test_a_classifier_learns_from_latents_without_labels():
    curves, y = stars(30, 12), np.arange(30) % 3
    untrained = LightCurveEncoder(architecture=TINY, objective="masked", **QUICK)
    encoder = LightCurveEncoder(architecture=TINY, objective="masked", **QUICK).fit(curves)
    for own in (encoder, untrained):
        model = TransferClassifier(own, features=None, C=1.0, early=False, random_state=0)
        assert model.fit(curves, y).predict_proba(curves).shape == (30, 3)
    with pytest.raises(ValueError, match="not trained on classes"):
        TransferClassifier(encoder, finetune="none").fit(curves, y).predict(curves)


# -- bad input


def test_objects_of_one_point_are_refused_by_name():
    curves = LightCurves.concatenate([stars(4), curves_of([1])], suffixes=["", "-lonely"])
    encoder = LightCurveEncoder(objective="masked", **QUICK)
    with pytest.raises(LightCurveError, match=r"object '0-lonely' \(position 4\) has 1 observa"):
        encoder.fit(curves)
    X = curves
    encoder.fit(X[X.lengths >= 2])
    faint = stars(3)
    flux = faint.flux.copy()
    flux[1:40] = 0.0
    with pytest.raises(LightCurveError, match=r"has 40 observations, of which the network sees 1"):
        encoder.fit(with_flux(faint, flux))


def test_what_cannot_be_reconstructed_is_one_error():
    curves = stars(6)
    encoder = LightCurveEncoder(architecture=TINY, objective="masked", **QUICK).fit(curves)
    everything = np.ones(len(curves.time), dtype=bool)
    with pytest.raises(LightCurveError, match=r"All observations of object 0 .* are hidden, 40 of"):
        encoder.reconstruct(curves, everything)
    for wrong in (everything[:-1], everything.astype(int), np.flatnonzero(everything)):
        with pytest.raises(ValueError, match=r"one boolean for each of the 240 observations"):
            encoder.reconstruct(curves, wrong)
    with pytest.raises(LightCurveError, match=r"\[X.lengths >= 2\]"):
        encoder.reconstruct(curves_of([5, 1]))
    with pytest.raises(ValueError, match=r"LightCurveEncoder\(objective='masked'\)"):
        LightCurveEncoder("any").reconstruct(curves)


def test_architectures_without_states_of_observations_cannot_be_masked():
    @dataclass(frozen=True, kw_only=True)
    class Mean(Architecture):
        network = MeanNetwork
        width: int = 8

    with pytest.raises(ValueError, match=r"MeanNetwork has no states.*architecture='transformer'"):
        LightCurveEncoder(architecture=Mean(), objective="masked", **QUICK).fit(stars(4))


def test_parameters_that_mean_nothing_are_refused():
    curves = stars(4)
    with pytest.raises(ValueError, match="class_weight is for objectives that learn classes"):
        LightCurveEncoder(objective="masked", class_weight="balanced").fit(curves)
    for value in (0, 1, -0.5):
        with pytest.raises(ValueError, match="mask_fraction of Masked must lie between 0 and 1"):
            Masked(mask_fraction=value)
    with pytest.raises(ValueError, match="weight of Masked must be above 0"):
        Masked(weight=0.0)
    with pytest.raises(ValueError, match="requires y"):
        LightCurveEncoder(objective=["masked", "classifier"]).fit(curves)
    with pytest.raises(ValueError, match=r"two objectives of a kind.*Classifier\(\).*twice"):
        LightCurveEncoder(objective=["classifier", "contrastive"]).fit(curves, list("abab"))
    with pytest.raises(ValueError, match="names no objective"):
        LightCurveEncoder(objective=[]).fit(curves, list("abab"))
    no_flux = InputRepresentation(("time", "gap"))
    with pytest.raises(
        ValueError, match=r"predicts a channel of the brightness.*\['time', 'gap'\]"
    ):
        LightCurveEncoder(objective="masked", representation=no_flux).fit(curves)


def test_which_objectives_need_labels():
    assert not learns_classes([Masked()])
    assert not learns_classes([Masked(), Redshift()])
    assert learns_classes([Masked(), Contrastive()])
    assert learns_classes([Redshift()])
    assert learns_classes([Classifier(), Redshift()])
    assert chosen_objectives(["masked", Classifier()], 0.2, {})[1:] == (Classifier(), Redshift(0.2))
    assert not LightCurveEncoder(objective="masked").__sklearn_tags__().target_tags.required
    assert LightCurveEncoder().__sklearn_tags__().target_tags.required


# -- what is learned


def residuals(curves, hidden, predicted):
    """RMSE in magnitudes of predictions, of each object's mean, and of the nearest visible point.

    The visible points are first brought to one band by the ratio that the simulation has.
    """
    names = np.array([p.name for p in curves.passbands])[curves.band]
    shift = np.where(names == "ztfg", 0.0, -2.5 * np.log10(1.7))
    magnitude = -2.5 * np.log10(curves.flux) - shift
    objects = np.repeat(np.arange(len(curves)), curves.lengths)
    count = np.bincount(objects[~hidden], minlength=len(curves))
    mean = np.bincount(objects[~hidden], magnitude[~hidden], len(curves)) / count
    nearest = []
    for start, stop in pairwise(curves.offsets):
        own = slice(start, stop)
        seen, time = ~hidden[own], curves.time[own]
        gap = np.abs(time[hidden[own], None] - time[seen])
        nearest.append(magnitude[own][seen][gap.argmin(axis=1)])
    truth = magnitude[hidden]
    said = -2.5 * np.log10(predicted) - shift[hidden]
    guesses = said, mean[objects[hidden]], np.concatenate(nearest)
    return [np.sqrt(np.mean((guess - truth) ** 2)) for guess in guesses]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["transformer", "gru"])
def test_predictions_are_better_than_the_mean_and_the_nearest_observation(name):
    settings = {
        "transformer": Transformer(hidden_size=32, feedforward_size=64, latent_size=32),
        "gru": GRU(hidden_size=48, latent_size=32),
    }[name]
    curves, other = stars(2000, seed=1), stars(300, seed=2)
    encoder = LightCurveEncoder(
        architecture=settings, objective="masked", representation="magnitude", max_epochs=60,
        learning_rate=3e-3, learning_rate_decay=True, early_stopping=False, batch_size=32,
        random_state=0, device="cpu", verbose=0,
    ).fit(curves)  # fmt: skip
    hidden = hide(other, 0.2, seed=3)
    flux, std = encoder.reconstruct(other, hidden, return_std=True)
    own, mean, nearest = residuals(other, hidden, flux)
    assert own < min(mean, nearest)
    pull = (other.flux[hidden] - flux) / np.hypot(std, other.flux_err[hidden])
    assert 0.6 < np.sqrt(np.mean(pull**2)) < 1.6
