"""The transformer: padding, windows, times, experts, and the same as an ONNX graph."""

import pickle
from itertools import pairwise

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from small import SMALL, curves_of, same_weights

from sklc import InputRepresentation, LightCurveEncoder, LightCurves, TransferClassifier
from sklc.datasets import load_demo
from sklc.errors import CheckpointError
from sklc.estimators.layer_weights import learn_layer_weights
from sklc.networks.architectures import GRU, NetworkShape, Transformer
from sklc.networks.architectures.attention import Experts, Routing, balance
from sklc.networks.architectures.choice import choose_architecture, network_from_config, new_network
from sklc.networks.architectures.positions import SinusoidalCode
from sklc.networks.architectures.windows import Windows
from sklc.networks.inference.encode import encode_latents
from sklc.networks.training.loop import wrap
from sklc.serving import OnnxModel
from sklc.weights.trained import TrainedWeights

RELATIVE = InputRepresentation.preset("relative")
SIZES = {"hidden_size": 12, "feedforward_size": 10, "latent_size": 8}
KINDS = {
    "trainable": {},
    "sine, causal, mean": {"positional": "sine", "causal": True, "layer_pooling": "mean"},
    "fourier, weighted": {"positional": "fourier", "layer_pooling": "weighted", "max_length": 30},
    "concat, experts": {"positional": "concat", "experts": 4, "max_length": 50},
    "tupe-a": {"positional": "tupe-a", "max_length": 40},
    "tupe-a, causal": {"positional": "tupe-a", "causal": True},
    "pea, experts, weighted": {"positional": "pea", "experts": 2, "layer_pooling": "weighted"},
    "odd widths": {"hidden_size": 7, "n_heads": 1, "positional": "concat", "n_layers": 1},
}


def network_of(name, n_classes=3, **options):
    torch.manual_seed(0)
    settings = Transformer(**SIZES | KINDS.get(name, {}) | options)
    values = RELATIVE.encode(curves_of([50] * 20))[0]
    network = new_network(settings, RELATIVE.channels, n_classes, time_scale=100.0, values=values)
    return network.eval()


def encoder_of(name):
    """An encoder with a network that was not trained."""
    weights = TrainedWeights(wrap(network_of(name)), RELATIVE, np.array(["a", "b", "c"]))
    return LightCurveEncoder(weights)


def padded(curves, extra=0, fill=0.0):
    values, lengths = RELATIVE.encode(curves)
    batch = np.full((len(lengths), lengths.max() + extra, values.shape[1]), fill, dtype=np.float32)
    batch[np.arange(batch.shape[1]) < lengths[:, None]] = values
    return torch.from_numpy(batch), torch.from_numpy(lengths)


# -- batches and padding


@pytest.mark.parametrize("name", KINDS)
def test_an_object_is_the_same_in_every_batch_and_behind_any_padding(name):
    network, curves = network_of(name), curves_of([1, 2, 31, 40, 41, 90, 3, 120])
    together = encode_latents(network, RELATIVE, curves)
    assert together.std(axis=0).max() > 1e-3
    for rows in ([0], [5], [7, 2], [6, 4, 3]):
        alone = encode_latents(network, RELATIVE, curves[rows])
        np.testing.assert_allclose(alone, together[rows], rtol=0, atol=1e-6)
    with torch.inference_mode():
        state = network.state(*padded(curves))
        for fill in (0.0, 1e3):
            torch.testing.assert_close(network.state(*padded(curves, 9, fill)), state)


@pytest.mark.parametrize("name", ["trainable", "tupe-a", "concat, experts"])
def test_a_shift_of_all_times_changes_nothing(name):
    network, curves = network_of(name), curves_of([5, 60])
    later = LightCurves.from_arrays(
        curves.time + 1234.5, curves.flux, curves.flux_err, "ztfr", offsets=curves.offsets
    )
    before, after = (encode_latents(network, RELATIVE, own) for own in (curves, later))
    np.testing.assert_allclose(after, before, atol=1e-4)
    values, lengths = padded(curves)
    moved = values.clone()
    moved[..., RELATIVE.channels.index("time")] += 4.0  # exact: the channel has no other meaning
    with torch.inference_mode():
        torch.testing.assert_close(
            network.state(moved, lengths), network.state(values, lengths), rtol=0, atol=2e-2
        )


@pytest.mark.parametrize("name", KINDS)
def test_times_matter(name):
    network, (values, lengths) = network_of(name), padded(curves_of([30, 30]))
    other = values.clone()
    other[:, 10:, RELATIVE.channels.index("time")] += 0.013
    with torch.inference_mode():
        change = network.state(other, lengths) - network.state(values, lengths)
    assert change.abs().max() > 1e-4


def test_a_causal_network_does_not_look_ahead():
    values, lengths = padded(curves_of([20, 20]))
    other = values.clone()
    other[:, 12:] += 1.0
    for causal in (True, False):
        network = network_of("trainable", causal=causal)
        with torch.inference_mode():
            before, after = (network.sequence_states(v, lengths)[1] for v in (values, other))
        same = bool(torch.allclose(before[:, :12], after[:, :12], atol=1e-6))
        assert same == causal
        assert not torch.allclose(before[:, 12:], after[:, 12:], atol=1e-3)


# -- windows


@pytest.mark.parametrize("lengths", [[1, 7, 10], [11, 30, 2], [95]])
def test_windows_hold_every_observation_once(lengths):
    lengths, longest = torch.tensor(lengths), max(lengths) + 3
    windows = Windows.of(lengths, longest, 10)
    for row, n in enumerate(lengths.tolist()):
        assert windows.rows[row][windows.inside[row]].tolist() == list(range(n))
        sizes = windows.inside[row].sum(1)
        used = sizes[sizes > 0]
        assert len(used) == -(-n // 10)
        assert used.max() - used.min() <= 1
    values = torch.arange(len(lengths) * longest, dtype=torch.float32).view(len(lengths), longest)
    back = windows.put_back(windows.take(values)[..., None], longest)[..., 0]
    inside = torch.arange(longest) < lengths[:, None]
    torch.testing.assert_close(back, values.where(inside, 0.0))


@pytest.mark.parametrize("name", ["trainable", "fourier, weighted", "concat, experts", "tupe-a"])
def test_a_long_light_curve_is_the_mean_of_its_windows(name):
    network = network_of(name, max_length=20)
    values, lengths = padded(curves_of([50, 13]))
    with torch.inference_mode():
        state, tokens, _ = network.sequence_states(values, lengths)
        edges = [0, 16, 33, 50]
        parts = [values[:1, a:b] for a, b in pairwise(edges)]
        n = torch.tensor([len(part[0]) for part in parts])
        own = [network.sequence_states(p, k[None]) for p, k in zip(parts, n, strict=True)]
        mean = sum(k * part.state for k, part in zip(n, own, strict=True)) / 50
    torch.testing.assert_close(state[:1], mean, rtol=0, atol=1e-5)
    expected = torch.cat([part.observations for part in own], dim=1)
    torch.testing.assert_close(tokens[:1], expected, rtol=0, atol=1e-5)


def test_no_observation_of_a_long_light_curve_is_left_out():
    network = network_of("trainable", max_length=16)
    values, lengths = padded(curves_of([100]))
    with torch.inference_mode():
        state = network.state(values, lengths)
        for position in (0, 15, 16, 50, 99):
            other = values.clone()
            other[0, position, RELATIVE.channels.index("relative_flux")] += 1.0
            assert (network.state(other, lengths) - state).abs().max() > 1e-4


# -- times


@pytest.mark.parametrize("trained", [True, False])
def test_periods_of_the_code_are_geometric_from_an_hour_to_ten_years(trained):
    code = SinusoidalCode(20, trained=trained)
    periods = 100 / code.frequencies.detach().numpy()
    np.testing.assert_allclose(periods[[0, -1]], [3652.5, 0.05], rtol=1e-5)
    np.testing.assert_allclose(periods[1:] / periods[:-1], periods[1] / periods[0], rtol=1e-4)
    assert (len(list(code.parameters())) == 1) == trained


def test_the_code_knows_the_unit_of_time():
    days = torch.tensor([0.0, 0.02, 3.3, 400.0])
    codes = []
    for unit in (100.0, 1.0):
        code = SinusoidalCode(8, trained=False)
        code.set_unit(unit)
        codes.append(code(days / unit))
    torch.testing.assert_close(*codes, rtol=0, atol=2e-3)
    slowest = torch.sin(2 * torch.pi * days / 3652.5)
    torch.testing.assert_close(codes[1][:, 0], slowest, rtol=0, atol=1e-4)


def test_an_encoder_tells_the_code_its_unit_of_time():
    curves, y = curves_of([9, 4] * 6), list("abba") * 3
    shared = {**SMALL, "hidden_size": 8, "max_epochs": 1, "architecture": "transformer"}
    scales = [
        float(
            LightCurveEncoder(representation=representation, **shared)
            .fit(curves, y)
            .net_.module_.code.time_scale
        )
        for representation in ("relative", "papers")
    ]
    np.testing.assert_allclose(scales, [1.0, 0.01])


def test_channels_of_any_unit_are_standardised():
    values = RELATIVE.encode(curves_of([50] * 20))[0]
    network = network_of("trainable")
    found = network.standardize(torch.from_numpy(values[:, network.value_columns]))
    np.testing.assert_allclose(found.median(0).values, 0, atol=1e-5)
    for channel in ("relative_flux", "log_flux", "relative_flux_err"):
        column = network.value_columns.index(RELATIVE.channels.index(channel))
        assert float((found[:, column].abs() < 1).float().mean()) == pytest.approx(0.68, abs=0.1)
    assert torch.isfinite(found).all()  # the wavelength is the same everywhere


# -- layers


def test_layers_are_pooled_alike_at_first_and_then_by_weights():
    network = network_of("fourier, weighted", max_length=256)
    values, lengths = padded(curves_of([9, 30]))
    with torch.inference_mode():
        state = network.state(values, lengths)
        assert state.shape == (2, 3 * 12)
        layers = state.unflatten(1, (3, 12))
        torch.testing.assert_close(network.summary(state), layers.mean(1))
        network.layer_weights[1] = 50.0
        torch.testing.assert_close(network.summary(state), layers[:, 1])


def test_weights_of_layers_are_trained():
    curves, y = curves_of([9, 4] * 30), list("abba") * 15
    settings = Transformer(**SIZES, layer_pooling="weighted")
    encoder = LightCurveEncoder(architecture=settings, max_epochs=2, random_state=0)
    weights = encoder.fit(curves, y).net_.module_.layer_weights
    assert float(weights.detach().abs().max()) > 1e-4


@pytest.mark.slow
def test_weights_of_layers_are_learned_with_a_head():
    network, rng = network_of("fourier, weighted", n_classes=0), np.random.default_rng(0)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    target = rng.integers(0, 2, 120)
    layers = rng.normal(size=(120, 3, 12)).astype(np.float32)
    layers[:, 2] += 3 * (2 * target[:, None] - 1)  # one of the layers tells the class
    learn_layer_weights(network, layers.reshape(120, -1), None, target, np.ones(120), seed=0)
    shares = network.layer_weights.detach().softmax(0)
    assert float(shares[2]) > 0.6
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, before[name]) == (name != "layer_weights")
    assert all(parameter.requires_grad for parameter in network.parameters())


@pytest.mark.slow
def test_a_classifier_learns_the_weights_of_layers_where_no_classes_have():
    curves, y = curves_of([9, 14] * 15), np.array(list("abc") * 10)
    settings = Transformer(**SIZES, layer_pooling="weighted")
    params = {"architecture": settings, "max_epochs": 1, "random_state": 0}
    for objective, learns in (("masked", True), ("classifier", False)):
        encoder = LightCurveEncoder(objective=objective, **params).fit(curves, y)
        given = encoder.net_.module_.layer_weights.detach().clone()
        model = TransferClassifier(encoder, features=None, C=1.0, early=False, random_state=0)
        own = model.fit(curves, y).encoder_.net_.module_.layer_weights.detach()
        assert torch.equal(own, given) != learns
        assert torch.equal(encoder.net_.module_.layer_weights.detach(), given)
        np.testing.assert_array_equal(
            clone(model).fit(curves, y).predict_proba(curves), model.predict_proba(curves)
        )


# -- experts


def test_every_observation_is_sent_to_two_experts():
    torch.manual_seed(0)
    experts, routes = Experts(6, 5, 4).eval(), []
    tokens, inside = torch.randn(3, 7, 6), torch.arange(7) < torch.tensor([[7], [2], [4]])
    mixed = experts(tokens, inside, routes)
    share = routes[0].share
    assert share.shape == (13, 4)
    assert ((share > 0).sum(1) == 2).all()
    torch.testing.assert_close(share.sum(1), torch.ones(13))
    expected = sum(
        share[:, k, None] * expert(tokens[inside], inside, None)
        for k, expert in enumerate(experts.experts)
    )
    torch.testing.assert_close(mixed[inside], expected)


def test_the_penalty_is_least_where_experts_are_used_alike():
    share = torch.tensor([[0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5]])
    even = Routing(torch.full((2, 4), 0.25), share)
    uneven = Routing(torch.tensor([[0.5, 0.5, 0.0, 0.0]] * 2), share[[0, 0]])
    assert float(balance([even])) == pytest.approx(1.0)
    assert float(balance([even, uneven])) == pytest.approx(3.0)


def test_experts_are_trained_and_their_usage_is_shown():
    curves, y = curves_of([9, 4, 70] * 20), list("abba") * 15
    settings = Transformer(**SIZES, experts=3, max_length=40)
    encoder = LightCurveEncoder(architecture=settings, max_epochs=2, random_state=0)
    encoder.fit(curves, y)
    usage = encoder.expert_usage(curves[:50])
    assert usage.shape == (50, 2, 3)
    np.testing.assert_allclose(usage.sum(axis=2), 1, atol=1e-5)
    assert (usage.mean(axis=0) > 0.01).sum() >= 4
    np.testing.assert_allclose(encoder.expert_usage(curves[7:9]), usage[7:9], atol=1e-5)
    assert encoder.expert_usage(curves[:0]).shape == (0, 2, 3)
    plain = LightCurveEncoder(architecture=Transformer(**SIZES), max_epochs=1)
    with pytest.raises(
        ValueError, match=r"expert_usage is for a transformer with experts.*experts=4"
    ):
        plain.fit(curves, y).expert_usage(curves)


def test_the_penalty_is_part_of_the_loss():
    network = network_of("concat, experts", max_length=256).train()
    values, lengths = padded(curves_of([9, 30]))
    penalty = network.sequence_states(values, lengths).penalty
    assert 0.01 < float(penalty.detach()) < 0.1  # two layers, at .01 each where all are used alike
    penalty.backward()
    assert network.blocks[0].feed_forward.gate.weight.grad.abs().max() > 0


# -- files


@pytest.mark.parametrize("name", KINDS)
def test_an_onnx_graph_is_the_same_for_all_lengths(name, tmp_path):
    pytest.importorskip("onnxruntime", reason="needs the extra fast")
    encoder, demo = encoder_of(name), load_demo().curves[:40]
    model = OnnxModel(encoder.to_onnx(tmp_path / "mine.onnx"))
    lengths = [1, 2, 29, 30, 31, 60, 61, 150, 3]
    for own in (demo, curves_of(lengths), curves_of([5]), curves_of([130])):
        np.testing.assert_allclose(model.transform(own), encoder.transform(own), atol=1e-5)


def test_a_transformer_is_saved_cloned_pickled_and_searched(tmp_path):
    curves, y = curves_of([9, 4, 6, 5] * 8), list("abab") * 8
    settings = Transformer(**SIZES, experts=2, positional="pea", layer_pooling="weighted")
    encoder = LightCurveEncoder(architecture=settings, max_epochs=1, random_state=0).fit(curves, y)
    latent = encoder.transform(curves)
    again = LightCurveEncoder(encoder.save(tmp_path / "mine.safetensors"))
    assert again.net_.module_.architecture == settings
    np.testing.assert_array_equal(again.transform(curves), latent)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(encoder)).transform(curves), latent)
    assert same_weights(clone(encoder).fit(curves, y), encoder)
    pipe = make_pipeline(LightCurveEncoder(max_epochs=1, random_state=0), LogisticRegression())
    grid = {"lightcurveencoder__architecture": ["gru", settings, Transformer(**SIZES)]}
    search = GridSearchCV(pipe, grid, cv=2).fit(curves, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_a_config_rebuilds_the_network_with_its_heads():
    shape = NetworkShape(RELATIVE.channels, 2, sequence_heads={"masked": (5, 2)})
    network = Transformer(**SIZES, experts=2).build(shape)
    again = network_from_config(network.config, RELATIVE.channels)
    again.load_state_dict(network.state_dict())
    assert again.config == network.config
    assert again.sequence_heads["masked"][2].out_features == 2


def test_a_checkpoint_of_another_architecture_is_refused(tmp_path):
    curves, y = curves_of([9, 4] * 6), list("abba") * 3
    shared = {**SMALL, "max_epochs": 1, "checkpoint": tmp_path / "c.pt"}
    LightCurveEncoder(architecture="gru", **shared).fit(curves, y)
    with pytest.raises(CheckpointError, match=r"name='gru' there and 'transformer' here"):
        LightCurveEncoder(architecture="transformer", **shared).fit(curves, y)


# -- settings


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"positional": "cosine"}, r"positional='cosine'\): choose one of 'trainable', 'sine'"),
        ({"layer_pooling": "max"}, r"layer_pooling='max'\): choose one of 'last', 'mean', 'wei"),
        ({"hidden_size": 10}, r"hidden_size=10\): give a multiple of n_heads=4"),
        ({"experts": 1}, r"experts=1\): give 0, for a single feed-forward part, or at least 2"),
        ({"experts": -2}, r"experts=-2\): give an integer of at least 0"),
        ({"max_length": 0}, r"max_length=0\): give a positive integer"),
        ({"causal": 1}, r"causal=1\): give True or False"),
        ({"dropout": 1.0}, r"dropout=1.0\): give a number from 0 to below 1"),
    ],
)
def test_wrong_settings_are_one_error(settings, message):
    with pytest.raises(ValueError, match=message):
        Transformer(**settings)


def test_sizes_of_the_encoder_go_to_the_transformer():
    sizes = {"hidden_size": 20, "n_layers": 3, "latent_size": 7}
    assert choose_architecture("transformer", **sizes) == Transformer(**sizes)
    default = LightCurveEncoder(architecture="transformer")
    own = {name: getattr(default, name) for name in sizes}
    assert choose_architecture("transformer", **own) == Transformer()
    with pytest.raises(ValueError, match=r"hidden_size=30\): give a multiple of n_heads=4"):
        LightCurveEncoder(architecture="transformer", hidden_size=30).fit(
            curves_of([3] * 4), list("abab")
        )
    no_time = InputRepresentation(("relative_flux",))
    with pytest.raises(ValueError, match=r"Transformer needs the channels \['time'\]"):
        LightCurveEncoder(architecture="transformer", representation=no_time).fit(
            curves_of([3] * 4), list("abab")
        )
    assert GRU(hidden_size=30).hidden_size == 30


def test_dropout_acts_in_training_alone():
    network = network_of("trainable", dropout=0.5)
    values, lengths = padded(curves_of([9, 30]))
    with torch.inference_mode():
        calm = network.state(values, lengths)
        torch.testing.assert_close(network.state(values, lengths), calm)
        assert not torch.allclose(network.train().state(values, lengths), calm, atol=1e-3)
