"""Random attention in a transformer, whose noise is fixed in a pass."""

import pickle

import numpy as np
import pytest
import torch

from sklc import LightCurveEncoder, TransferClassifier
from sklc.datasets import load_demo
from sklc.networks.architectures import NetworkShape, Transformer
from sklc.networks.architectures.stochastic import StochasticAttention, make_stochastic, set_pass

pytestmark = pytest.mark.slow

QUICK = {"max_epochs": 2, "random_state": 0, "device": "cpu", "verbose": 0}


def network(**settings):
    torch.manual_seed(0)
    shape = NetworkShape(("flux", "flux_err", "time"), n_classes=3)
    sizes = {"hidden_size": 8, "n_heads": 2, "feedforward_size": 8, "latent_size": 6, **settings}
    return Transformer(**sizes).build(shape).eval()


def inputs(n_objects=6, longest=9):
    torch.manual_seed(1)
    return torch.randn(n_objects, longest, 3), torch.arange(longest, longest - n_objects, -1)


@pytest.mark.parametrize("positional", ["trainable", "tupe-a"])
@pytest.mark.parametrize("rate", [None, 0.3])
def test_noise_of_a_pass_is_that_of_its_seed_alone(positional, rate):
    net, (values, lengths) = network(positional=positional), inputs()
    with torch.no_grad():
        make_stochastic(net, values, lengths, rate, seed=0)
        assert all(isinstance(block.attention, StochasticAttention) for block in net.blocks)
        without = net.state(values, lengths)
        torch.testing.assert_close(net.state(values, lengths), without)
        set_pass(net, 5)
        state = net.state(values, lengths)
        assert (state - without).abs().max() > 1e-3
        # neither order, nor other objects, nor padding matter
        order = torch.tensor([3, 0, 5, 1, 4, 2])
        torch.testing.assert_close(net.state(values[order], lengths[order]), state[order])
        torch.testing.assert_close(net.state(values[2:3, :7], lengths[2:3]), state[2:3])
        padded = torch.cat([values, torch.full((6, 4, 3), 99.0)], dim=1)
        torch.testing.assert_close(net.state(padded, lengths), state)
        set_pass(net, 6)
        assert (net.state(values, lengths) - state).abs().max() > 1e-3
        set_pass(net, 5)
        torch.testing.assert_close(net.state(values, lengths), state)
        set_pass(net, None)
        torch.testing.assert_close(net.state(values, lengths), without)


def test_noise_in_training_is_new_every_time_and_centroids_are_trained():
    net, (values, lengths) = network(), inputs()
    with torch.no_grad():
        make_stochastic(net, values, lengths, None, seed=0)
    net.train()
    first, second = net.state(values, lengths), net.state(values, lengths)
    assert (first - second).abs().max() > 1e-4
    first.square().sum().backward()
    for block in net.blocks:
        assert block.attention.centroids.grad.abs().max() > 0


@pytest.fixture(scope="module")
def fitted():
    curves, y = load_demo(return_X_y=True)
    sizes = {"hidden_size": 8, "n_heads": 2, "feedforward_size": 8, "latent_size": 6}
    encoder = LightCurveEncoder(architecture=Transformer(**sizes), **QUICK).fit(curves[:60], y[:60])
    params = {"finetune": "all", "n_samples": 3, **QUICK}
    return {
        name: TransferClassifier(encoder, uncertainty=name, **params).fit(curves[:60], y[:60])
        for name in ("stochastic-attention", "ha-mc-dropout")
    }


@pytest.mark.parametrize("name", ["stochastic-attention", "ha-mc-dropout"])
def test_classifiers_of_several_passes(name, fitted, tmp_path):
    test, clf = load_demo().curves[60:100], fitted[name]
    proba = clf.predict_proba(test)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    for score in ("pv", "bald"):
        found = clf.predict_uncertainty(test, score)
        assert found.std() > 0
        np.testing.assert_allclose(clf.predict_uncertainty(test[3:4], score), found[3:4], rtol=1e-4)
        same = pickle.loads(pickle.dumps(clf)).predict_uncertainty(test, score)
        np.testing.assert_array_equal(same, found)
    assert clf.predict_set(test, coverage=0.7).any()
    with pytest.raises(NotImplementedError, match="several passes through one"):
        clf.to_onnx(tmp_path / "model.onnx")


@pytest.mark.parametrize("name", ["stochastic-attention", "ha-mc-dropout"])
def test_attention_needs_a_transformer_that_is_trained_further(name):
    curves, y = load_demo(return_X_y=True)
    params = {"uncertainty": name, "features": None, **QUICK}
    for encoder, finetune in (("ztf", "head"), (None, "head")):
        clf = TransferClassifier(encoder, finetune=finetune, **params)
        with pytest.raises(ValueError, match=r"architecture='transformer', and finetune='all'"):
            clf.fit(curves[:60], y[:60])
    clf = TransferClassifier("ztf", finetune="all", early=False, C=0.1, **params)
    with pytest.raises(
        ValueError, match="attention of a transformer, and this encoder, GRUNetwork"
    ):
        clf.fit(curves[:60], y[:60])
