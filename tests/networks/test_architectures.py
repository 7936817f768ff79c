"""What holds for every architecture: padding is not seen, settings are plain and checked."""

import json
import threading
from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest
import torch
from plugins.toy_architecture import MeanNetwork
from small import curves_of

import sklc
from sklc import InputRepresentation, LightCurveEncoder, TransferClassifier
from sklc.datasets import load_demo
from sklc.networks.architectures import (
    ARCHITECTURES,
    GRU,
    Architecture,
    EncoderNetwork,
    NetworkShape,
)
from sklc.networks.architectures.choice import (
    DEFAULT_SIZES,
    choose_architecture,
    current_config,
    network_from_config,
    new_network,
)
from sklc.networks.device import gather, one_thread
from sklc.networks.inference import encode as inference
from sklc.networks.inference.device import encode_on_device
from sklc.networks.inference.encode import encode_latents
from sklc.networks.training.datasets import CurveDataset
from sklc.serving import OnnxModel

RELATIVE = InputRepresentation.preset("relative")
SHAPE = NetworkShape(RELATIVE.channels, 3)


class BidirectionalNetwork(EncoderNetwork):
    def add_backbone(self, n_channels):
        self.rnn = torch.nn.LSTM(n_channels, 6, batch_first=True, bidirectional=True)
        return 12

    def state(self, values, lengths):
        packed = torch.nn.utils.rnn.pack_padded_sequence(
            values, lengths.cpu(), batch_first=True, enforce_sorted=False
        )
        return torch.cat(list(self.rnn(packed)[1][0]), dim=1)


class AttentionNetwork(EncoderNetwork):
    def add_backbone(self, n_channels):
        self.query = torch.nn.Parameter(torch.randn(8))
        self.observation = torch.nn.Linear(n_channels, 8)
        return 8

    def state(self, values, lengths):
        hidden = self.observation(values)
        behind = torch.arange(values.shape[1], device=values.device) >= lengths[:, None]
        share = (hidden @ self.query).masked_fill(behind, -torch.inf).softmax(1)
        return (share[:, None] @ hidden)[:, 0]


@dataclass(frozen=True, kw_only=True)
class Toy(Architecture):
    network = MeanNetwork
    latent_size: int = 12
    width: int = 8


def toy(network):
    return type("Toy", (Toy,), {"network": network})()


ALL = {
    "mean": toy(MeanNetwork),
    "bidirectional": toy(BidirectionalNetwork),
    "attention": toy(AttentionNetwork),
    "gru": GRU(hidden_size=8, latent_size=12),
}


def there(network, curves, **options):
    """Latents by what runs on a GPU, with the CPU in its place."""
    latents = np.empty((len(curves), 12 + options.get("with_state", 0) * network.state_size))
    encode_on_device(network, RELATIVE, curves, None, latents, torch.device("cpu"), **options)
    return latents


@pytest.mark.parametrize("name", ALL)
def test_an_object_is_the_same_in_every_batch_and_behind_any_padding(name):
    network = new_network(ALL[name], RELATIVE.channels, 3).eval()
    curves = curves_of(np.random.default_rng(2).integers(1, 150, 90))
    together = encode_latents(network, RELATIVE, curves)
    assert together.std(axis=0).max() > 1e-4
    np.testing.assert_allclose(there(network, curves), together, atol=2e-6)
    for rows in ([5], [5, 0], [5, 60, 61], np.arange(89, 4, -1)):
        alone = encode_latents(network, RELATIVE, curves[rows])
        np.testing.assert_allclose(alone, together[rows], rtol=0, atol=5e-7)
        if name != "bidirectional":  # packed sequences are of other shapes in another batch
            np.testing.assert_array_equal(alone, together[rows])
        np.testing.assert_allclose(there(network, curves[rows]), together[rows], atol=2e-6)
    values, lengths = RELATIVE.encode(curves[:4])
    starts = np.cumsum(lengths) - lengths
    padded = torch.zeros(4, lengths.max() + 9, values.shape[1])
    for row, (start, n) in enumerate(zip(starts, lengths, strict=True)):
        padded[row, :n] = torch.from_numpy(values[start : start + n])
    behind = torch.arange(padded.shape[1]) >= torch.from_numpy(lengths)[:, None]
    with torch.inference_mode():
        states = [
            network.state(padded.masked_fill(behind[:, :, None], filled), torch.from_numpy(lengths))
            for filled in (0.0, 1e3)
        ]
    torch.testing.assert_close(*states, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", ALL)
def test_the_state_follows_the_latent(name):
    network, curves = ALL[name].build(SHAPE).eval(), curves_of([4, 9, 30])
    both = encode_latents(network, RELATIVE, curves, with_state=True)
    assert network.block_sizes == (12, network.state_size)
    assert both.shape == (3, sum(network.block_sizes))
    np.testing.assert_array_equal(both[:, :12], encode_latents(network, RELATIVE, curves))
    np.testing.assert_allclose(there(network, curves, with_state=True), both, atol=1e-6)
    none = encode_latents(network, RELATIVE, curves[:0], with_state=True)
    assert none.shape == (0, both.shape[1])


@pytest.mark.parametrize("name", ["mean", "attention"])
def test_threads_and_parts_change_nothing_for_any_architecture(name, monkeypatch):
    network = ALL[name].build(SHAPE).eval()
    curves = curves_of(np.random.default_rng(3).integers(1, 400, 400))
    whole = encode_latents(network, RELATIVE, curves)
    monkeypatch.setattr(inference, "_PART_OBSERVATIONS", 3_000)
    torch.set_num_threads(2)
    np.testing.assert_array_equal(encode_latents(network, RELATIVE, curves), whole)


def test_batches_on_a_device_hold_nothing_of_other_objects():
    values = torch.full((9, 2), torch.nan)
    values[3:5] = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    padded = gather(values, torch.tensor([3, 8]), torch.tensor([2, 0]), 4)
    assert padded.tolist() == [[[1, 2], [3, 4], [0, 0], [0, 0]], [[0, 0]] * 4]
    data = CurveDataset(np.ones((7, 1), np.float32), np.array([2, 4, 1]), np.arange(3))
    ((inputs, _),) = data.resident(torch.device("cpu")).batches([np.array([0, 1, 2])], data.lengths)
    np.testing.assert_array_equal(inputs["values"], data.collate(np.arange(3))[0]["values"])


# -- one thread


def test_small_work_is_done_by_one_thread(monkeypatch):
    found, real = [], EncoderNetwork.to_latent

    def to_latent(self, state, metadata=None):
        found.append((threading.current_thread().name, torch.get_num_threads()))
        return real(self, state, metadata)

    monkeypatch.setattr(EncoderNetwork, "to_latent", to_latent)
    torch.set_num_threads(2)
    for name in ("gru", "mean"):
        encode_latents(ALL[name].build(SHAPE), RELATIVE, curves_of([30] * 500))
    assert set(found) == {("MainThread", 1)}
    assert torch.get_num_threads() == 2


def test_threads_are_restored_after_the_last_one_in():
    torch.set_num_threads(2)
    inside, leave, counts = threading.Event(), threading.Event(), []

    def other():
        with one_thread():
            inside.set()
            leave.wait(10)
            counts.append(torch.get_num_threads())
        counts.append(torch.get_num_threads())

    with one_thread():
        thread = threading.Thread(target=other)
        thread.start()
        inside.wait(10)
        with one_thread():
            pass
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2
    leave.set()
    thread.join()
    assert counts == [1, 2]
    assert torch.get_num_threads() == 2


# -- settings


def test_sizes_of_the_encoder_are_those_of_the_default_architecture():
    encoder = LightCurveEncoder()
    assert {name: getattr(encoder, name) for name in DEFAULT_SIZES} == DEFAULT_SIZES
    assert choose_architecture(encoder.architecture, **DEFAULT_SIZES) == GRU()
    sizes = {"hidden_size": 5, "n_layers": 1, "latent_size": 7}
    assert choose_architecture("gru", **sizes) == GRU(**sizes)


@pytest.fixture
def registered():
    sklc.register_architecture("toy", Toy)
    yield
    ARCHITECTURES.unregister("toy")


def test_sizes_go_to_architectures_that_take_them(registered):
    assert choose_architecture("toy", latent_size=9, n_layers=2).latent_size == 9
    encoder = LightCurveEncoder(architecture="toy", n_layers=3)
    with pytest.raises(ValueError, match=r"'toy' takes no n_layers, and n_layers=3 was set.*2"):
        encoder.fit(curves_of([3] * 4), list("abab"))
    encoder = LightCurveEncoder(architecture=GRU(hidden_size=5), hidden_size=6)
    with pytest.raises(ValueError, match=r"hidden_size=6 has no effect.*GRU\(.*default, 100"):
        encoder.fit(curves_of([3] * 4), list("abab"))


def test_unknown_names_and_wrong_kinds():
    with pytest.raises(ValueError, match=r"no architecture named 'grru'. Did you mean 'gru'"):
        LightCurveEncoder(architecture="grru").fit(curves_of([3] * 4), list("abab"))
    with pytest.raises(ValueError, match="'architecture' parameter of LightCurveEncoder must be"):
        LightCurveEncoder(architecture=GRU).fit(curves_of([3] * 4), list("abab"))
    with pytest.raises(TypeError, match=r"subclass of sklc.networks.architectures.Architecture"):
        sklc.register_architecture("toy", Toy())
    with pytest.raises(ValueError, match="named 'gru' already"):
        sklc.register_architecture("gru", Toy)
    sklc.register_architecture("wrong", lambda: {})
    with pytest.raises(TypeError, match="'wrong' makes a dict"):
        choose_architecture("wrong")
    ARCHITECTURES.unregister("wrong")


@pytest.mark.parametrize("value", [0, -3, 2.0, True, "2", None])
def test_sizes_are_positive_integers(value):
    with pytest.raises(ValueError, match=r"GRU\(n_layers=.*give a positive integer, such as 2"):
        GRU(n_layers=value)
    assert GRU(n_layers=np.int64(3)) == GRU(n_layers=3)


def test_what_is_made_by_a_function_has_a_name(registered):
    network = new_network(choose_architecture("toy", latent_size=9), RELATIVE.channels, 2)
    assert network.config["name"] == "toy"
    sklc.register_architecture("thin", partial(GRU, n_layers=1))
    assert choose_architecture("thin", hidden_size=7) == GRU(hidden_size=7, n_layers=1)
    assert ALL["mean"].build(SHAPE).config["name"].endswith("test_architectures.Toy")
    ARCHITECTURES.unregister("thin")


def test_a_config_is_plain_and_rebuilds_the_network():
    settings = GRU(hidden_size=np.int64(6), latent_size=5)
    network = settings.build(NetworkShape(RELATIVE.channels, 2, 1, {"redshift": (2,), "z": (4, 1)}))
    config = json.loads(json.dumps(network.config))
    torch.manual_seed(3)
    before = torch.get_rng_state()
    again = network_from_config(config, RELATIVE.channels)
    assert torch.equal(before, torch.get_rng_state())
    again.load_state_dict(network.state_dict())
    assert again.config == config
    assert list(again.all_heads()) == ["z", "redshift"]


def test_configs_from_before_architectures_had_names():
    old = {"n_channels": 7, "n_classes": 2, "hidden_size": 3, "n_layers": 1, "latent_size": 4,
           "n_metadata": 0, "redshift": True}  # fmt: skip
    network = network_from_config(current_config(old), RELATIVE.channels)
    assert network.config["name"] == "gru"
    assert network.redshift.out_features == 2


def test_parts_of_a_network():
    network = ALL["attention"].build(NetworkShape(RELATIVE.channels, 2, 1, {"z": (1,)}))
    names = {id(p): name for name, p in network.named_parameters()}

    def part(of):
        return {names[id(p)].split(".")[0] for p in network.parameters_of(of)}

    assert part("backbone") == {"query", "observation"}
    assert part("encoder") == {"query", "observation", "dense", "latent", "metadata"}


# -- architectures that break a rule


class Careless(MeanNetwork):
    def state(self, values, lengths):
        return torch.tanh(self.observation(values)).mean(1)


class WrongSize(MeanNetwork):
    def state(self, values, lengths):
        return super().state(values, lengths)[:, :5]


def test_rules_are_checked_before_training():
    train = LightCurveEncoder(architecture=toy(Careless), max_epochs=1)
    with pytest.raises(ValueError, match=r"Careless.state reads what lies behind.*mask"):
        train.fit(curves_of([3, 5] * 4), list("abab") * 2)
    with pytest.raises(ValueError, match=r"WrongSize.state returns.*\(3, 5\).*size of 8"):
        new_network(toy(WrongSize), RELATIVE.channels, 2)
    needs = type("Needs", (Toy,), {"required_channels": ("airmass",)})()
    with pytest.raises(ValueError, match=r"Needs needs the channels \['airmass'\].*InputRep"):
        new_network(needs, RELATIVE.channels, 2)

    @dataclass(frozen=True, kw_only=True)
    class Clash(Architecture):
        n_classes: int = 3

    with pytest.raises(TypeError, match="cannot be named n_classes"):
        Clash()


# -- latents that are standardised


@pytest.fixture(scope="module")
def standardized():
    curves, y = load_demo(return_X_y=True)
    encoder = LightCurveEncoder(
        architecture=GRU(hidden_size=8, latent_size=12, standardize_latent=True),
        redshift_weight=0.3,
        max_epochs=3,
        early_stopping=False,
        random_state=0,
    )
    return encoder.fit(curves, y), curves


def test_standardized_latents_have_mean_0_and_variance_1_over_the_training_data(standardized):
    encoder, curves = standardized
    latent = encoder.transform(curves)
    np.testing.assert_allclose(latent.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(latent.std(axis=0), 1, atol=1e-4)
    assert (latent < 0).mean() > 0.2  # they are not cut at 0


def test_standardizing_changes_nothing_that_the_heads_say():
    architecture = GRU(hidden_size=8, latent_size=12, standardize_latent=True)
    torch.manual_seed(0)
    shape = NetworkShape(RELATIVE.channels, 3, 0, {"redshift": (2,), "deep": (4, 1)})
    network = architecture.build(shape).eval()
    values, lengths = torch.randn(5, 9, 7), torch.tensor([9, 4, 1, 6, 2])

    def said():
        latent = network.to_latent(network.state(values, lengths))
        heads = [network.head, *network.all_heads().values()]
        return latent, [head(latent) for head in heads]

    with torch.inference_mode():
        latent, before = said()
        mean, scale = torch.randn(12), torch.rand(12) + 0.1
        network.rescale_latent(mean, scale)
        scaled, after = said()
    torch.testing.assert_close(scaled, (latent - mean) / scale, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-4)


def test_standardized_latents_are_saved_and_exported(standardized, tmp_path):
    encoder, curves = standardized
    path = encoder.save(tmp_path / "mine.safetensors")
    again = LightCurveEncoder(path)
    np.testing.assert_array_equal(again.transform(curves[:20]), encoder.transform(curves[:20]))
    assert again.net_.module_.architecture.standardize_latent
    pytest.importorskip("onnxruntime", reason="needs the extra onnx")
    model = OnnxModel(encoder.to_onnx(tmp_path / "mine.onnx"))
    np.testing.assert_allclose(
        model.transform(curves[:20]), encoder.transform(curves[:20]), atol=2e-4
    )


def test_training_the_rest_keeps_the_scale(standardized):
    encoder, curves = standardized
    y = load_demo(return_X_y=True)[1]
    tuned = TransferClassifier(encoder, finetune="all", max_epochs=1, random_state=0)
    latent = tuned.fit(curves[:60], y[:60]).encoder_.transform(curves)
    assert 0.5 < np.median(latent.std(axis=0)) < 2


def test_an_adapter_for_context_is_rescaled_with_the_latent():
    shape = NetworkShape(RELATIVE.channels, 3, 1, {"redshift": (2,)}, ("mwebv",), (16,))
    torch.manual_seed(0)
    network = GRU(hidden_size=8, latent_size=6, standardize_latent=True).build(shape).eval()
    for parameter in network.context.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    state, beside = torch.randn(20, 8), torch.randn(20, 2)
    with torch.inference_mode():
        before = network.to_latent(state, beside)
        said = network.head(before), network.redshift(before)
        mean, scale = torch.randn(6), torch.rand(6) + 0.5
        network.rescale_latent(mean, scale)
        after = network.to_latent(state, beside)
        torch.testing.assert_close(after, (before - mean) / scale)
        for mine, theirs in zip((network.head(after), network.redshift(after)), said, strict=True):
            torch.testing.assert_close(mine, theirs)
        # without context, the columns are those of the metadata alone
        alone = network.to_latent(state, beside[:, :1])
        unknown = torch.cat([beside[:, :1], torch.full((20, 1), torch.nan)], dim=1)
        assert torch.equal(network.to_latent(state, unknown), alone)
        assert not torch.allclose(alone, after)
