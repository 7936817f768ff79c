"""Batches, network, training and inference in torch."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from sklc.networks.architectures import GRU, NetworkShape
from sklc.networks.architectures.modules import MetadataBranch, Standardize
from sklc.networks.device import resolve_device
from sklc.networks.heads import DenseHead
from sklc.networks.objectives.losses import CrossEntropy
from sklc.networks.padding import _MAX_OBSERVATIONS, plan_batches
from sklc.networks.recurrent.packed import packed_last_state
from sklc.networks.training.batching import BucketedBatches
from sklc.networks.training.datasets import CurveDataset
from sklc.networks.training.loop import (
    AnchoredNet,
    KeepStartIfBetter,
    TrainingSettings,
    fit_net,
    flushed_denormals,
)


def random_dataset(n_objects=60, seed=0, separable=True):
    rng = np.random.default_rng(seed)
    lengths = rng.integers(2, 12, n_objects)
    y = np.arange(n_objects) % 2
    values = rng.normal(size=(lengths.sum(), 3)).astype(np.float32)
    if separable:
        values[:, 0] += np.repeat(2.0 * y - 1, lengths)
    return CurveDataset(values, lengths, y)


@settings(deadline=None, max_examples=50)
@given(
    lengths=st.lists(st.integers(1, 300), min_size=1, max_size=400),
    batch_size=st.integers(1, 64),
    seed=st.none() | st.integers(0, 99),
)
def test_every_object_is_in_one_batch(lengths, batch_size, seed):
    rng = None if seed is None else np.random.default_rng(seed)
    batches = plan_batches(np.array(lengths), batch_size, rng)
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(lengths)))
    assert max(map(len, batches)) <= batch_size


def test_batches_are_of_similar_length_and_bounded():
    lengths = np.random.default_rng(0).integers(1, 500, 10_000)
    batches = plan_batches(lengths, 128, np.random.default_rng(1))
    padded = sum(len(batch) * lengths[batch].max() for batch in batches)
    assert padded < 1.1 * lengths.sum()
    long = np.array([100_000] + [10] * 127)
    for batch in plan_batches(long, 128, None):
        assert len(batch) == 1 or len(batch) * long[batch].max() <= _MAX_OBSERVATIONS


def test_collate_pads_with_zeros_behind_the_last_observation():
    values = np.arange(1, 11, dtype=np.float32).reshape(5, 2)
    data = CurveDataset(values, np.array([3, 2]), np.arange(2))
    inputs, _ = data.collate(np.array([1, 0]))
    padded, lengths = inputs["values"], inputs["lengths"]
    np.testing.assert_array_equal(padded[0], [[7, 8], [9, 10], [0, 0]])
    np.testing.assert_array_equal(padded[1], values[:3])
    assert lengths.tolist() == [2, 3]


def test_epochs_differ_and_can_be_resumed():
    data = random_dataset()
    drawn = BucketedBatches(data, 16, shuffle=True, seed=3)
    first, second = ([y.tolist() for _, y in drawn] for _ in range(2))
    assert first != second
    resumed = BucketedBatches(data, 16, shuffle=True, seed=3, epoch=1)
    assert [y.tolist() for _, y in resumed] == second


@settings(deadline=None, max_examples=30)
@given(
    lengths=st.lists(st.integers(1, 12), min_size=1, max_size=9),
    n_layers=st.integers(1, 3),
    spare=st.integers(0, 3),
)
def test_packed_gru_has_the_states_and_gradients_of_torch(lengths, n_layers, spare):
    torch.manual_seed(0)
    gru = nn.GRU(4, 5, num_layers=n_layers, batch_first=True).double()
    lengths = torch.tensor(lengths)
    values = torch.randn(len(lengths), int(lengths.max()) + spare, 4, dtype=torch.float64)
    slope = torch.randn(len(lengths), 5, dtype=torch.float64)
    found = []
    for state in (
        gru(values)[0][torch.arange(len(lengths)), lengths - 1],
        packed_last_state(gru, values, lengths),
    ):
        gradients = torch.autograd.grad((state * slope).sum(), list(gru.parameters()))
        found.append([state.detach(), *gradients])
    for reference, packed in zip(*found, strict=True):
        torch.testing.assert_close(packed, reference, rtol=1e-9, atol=1e-12)
    with torch.no_grad():
        without_tape = packed_last_state(gru, values, lengths)
    assert torch.equal(without_tape, found[1][0])


def test_packed_gru_trains_what_is_not_frozen():
    gru = nn.GRU(4, 5, num_layers=2, batch_first=True)
    for name, parameter in gru.named_parameters():
        parameter.requires_grad_(name.endswith("l1"))
    packed_last_state(gru, torch.randn(3, 6, 4), torch.tensor([6, 2, 4])).sum().backward()
    for name, parameter in gru.named_parameters():
        assert (parameter.grad is not None) == name.endswith("l1")
    gru.requires_grad_(False)
    gru.bias_hh_l0.requires_grad_(True)
    packed_last_state(gru, torch.randn(3, 6, 4), torch.tensor([6, 2, 4])).sum().backward()
    assert gru.bias_hh_l0.grad.abs().sum() > 0


def test_denormals_are_flushed_in_training_alone():
    tiny = torch.tensor(1e-39)
    assert tiny * 0.5 > 0
    with flushed_denormals():
        assert tiny * 0.5 == 0
        with flushed_denormals():
            pass
        assert tiny * 0.5 == 0  # as it was found
    assert tiny * 0.5 > 0


def test_training_inside_an_autocast_of_the_user():
    network = small_network()
    values, lengths = torch.randn(5, 9, 3), torch.tensor([9, 3, 1, 7, 4])
    expected = network.state(values, lengths)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        state = network.state(values, lengths)
        state.sum().backward()
    torch.testing.assert_close(state.float(), expected, rtol=0, atol=0.02)


def test_parameter_count_of_paper_one():
    # Paper I: 4 inputs, GRU 100 x 2, dense 100 x 3 (tanh, relu, relu), 5 classes: 123,205.
    network = GRU(latent_size=100).build(NetworkShape(tuple("abcd"), 5))
    count = sum(parameter.numel() for parameter in network.parameters())
    assert count + 100 * 101 == 123_205  # ours has one dense layer of 100 less


def test_standardize_ignores_missing_values_and_constant_columns():
    layer = Standardize(3)
    values = torch.tensor([[1.0, 5.0, torch.nan], [3.0, 5.0, 2.0], [torch.nan, 5.0, 4.0]])
    layer.set_statistics(values)
    np.testing.assert_allclose(layer(values), [[-1, 0, 0], [1, 0, -1], [0, 0, 1]], atol=1e-6)


def test_metadata_branch_tells_missing_from_average():
    torch.manual_seed(0)
    branch = MetadataBranch(1)
    branch.standardize.set_statistics(torch.tensor([[0.0], [2.0]]))
    missing, average = branch(torch.tensor([[torch.nan]])), branch(torch.tensor([[1.0]]))
    assert torch.isfinite(missing).all()
    assert not torch.allclose(missing, average)


def small_network():
    torch.manual_seed(0)
    return GRU(hidden_size=8, latent_size=6).build(NetworkShape(tuple("abc"), 2))


def train(module, data, valid=None, *, options=None, **changes):
    settings = TrainingSettings(**{"max_epochs": 5, "batch_size": 16, "verbose": 0, **changes})
    return fit_net(module, data, valid, settings, criterion=CrossEntropy(), **options or {})


def test_training_learns_and_repeats_bit_for_bit():
    data = random_dataset()
    nets = [train(small_network(), data, learning_rate=0.01) for _ in range(2)]
    losses = nets[0].history[:, "train_loss"]
    assert losses[-1] < 0.8 * losses[0]
    for a, b in zip(nets[0].module_.parameters(), nets[1].module_.parameters(), strict=True):
        assert torch.equal(a, b)


def test_training_leaves_the_global_seed_alone():
    network, before = small_network(), torch.get_rng_state()
    train(network, random_dataset(), max_epochs=1)
    assert torch.equal(torch.get_rng_state(), before)


def test_early_stopping_restores_the_best_epoch():
    data, valid = random_dataset(separable=False), random_dataset(seed=1, separable=False)
    net = train(small_network(), data, valid, max_epochs=40, learning_rate=0.05, patience=3)
    losses = net.history[:, "valid_loss"]
    assert len(losses) < 40
    with torch.inference_mode():
        inputs, y = valid.collate(np.arange(len(valid)))
        loss = nn.functional.cross_entropy(net.module_(**inputs), y)
    assert float(loss) == pytest.approx(min(losses), rel=1e-3)


def test_divergence_is_an_error_that_names_the_remedy():
    data = random_dataset()
    data.values[0, 0] = np.inf
    with pytest.raises(FloatingPointError, match="learning_rate"):
        train(small_network(), data)


def test_the_start_is_kept_where_training_does_not_help():
    data, valid = random_dataset(), random_dataset(seed=1)
    # labels the wrong way round: every epoch makes the validation loss worse
    good = train(small_network(), data, learning_rate=0.01, max_epochs=10).module_
    wrong = CurveDataset(data.values, data.lengths, 1 - data.y)
    before = {k: v.clone() for k, v in good.state_dict().items()}
    train(good, wrong, valid, learning_rate=0.5, options={"callbacks": [KeepStartIfBetter()]})
    for name, value in good.state_dict().items():
        assert torch.equal(value, before[name])


def test_the_anchor_pulls_to_the_start():
    data, moved = random_dataset(), {}
    for anchor in (0.0, 100.0):
        module = small_network()
        start = module.gru.weight_hh_l0.detach().clone()
        train(module, data, options={"net_class": AnchoredNet, "anchor": anchor})
        moved[anchor] = float((module.gru.weight_hh_l0.detach() - start).abs().max())
    assert moved[100.0] < 0.5 * moved[0.0]


def test_a_dense_head_joins_metadata_and_its_gaps():
    latent, metadata = torch.zeros(2, 3), torch.tensor([[1.0], [torch.nan]])
    joined = DenseHead.join(latent, metadata)
    assert joined.shape == (2, 5)
    assert joined[:, 4].tolist() == [0.0, 1.0]


def test_devices():
    assert resolve_device("cpu") == "cpu"
    assert resolve_device("auto") in ("cpu", "cuda")
    with pytest.raises(ValueError, match="not a torch device"):
        resolve_device("gpu")
    if not torch.cuda.is_available():
        with pytest.raises(ValueError, match="device='auto'"):
            resolve_device("cuda")
