"""What training on a GPU adds, with the CPU in its place; and how precisely a GPU computes."""

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback
from small import SMALL as OF_FOUR
from small import same_weights

import sklc.estimators.encoder_training
from sklc import LightCurveEncoder, TransferClassifier, list_weights
from sklc.augment import ObservingConditions
from sklc.augment.training import Augmentation
from sklc.datasets import load_demo
from sklc.errors import PerformanceWarning
from sklc.networks.heads import TransferNetwork
from sklc.networks.objectives.network import ObjectiveNetwork
from sklc.networks.padding import pad, plan_batches
from sklc.networks.recurrent.precision import recurrent_precision
from sklc.networks.training import loop as training
from sklc.networks.training.augmented import ObjectiveDataset
from sklc.networks.training.resident import ResidentData

SMALL = {**OF_FOUR, "max_epochs": 3}


@pytest.fixture(scope="module")
def demo(demo):
    survey = np.where(np.arange(120) % 2, "ZTF", "other")
    return demo[0].with_metadata(survey=survey, brightness=np.arange(120.0)), demo[1]


@pytest.fixture
def data_on_device(monkeypatch):
    """Data stay where training runs; counts how often they are brought there."""

    def here(device):
        return torch.device("cpu")

    monkeypatch.setattr(training, "resident_device", here)
    monkeypatch.setattr(sklc.estimators.encoder_training, "resident_device", here)
    made, real = [], ResidentData.__init__

    def counted(self, *args, **kwargs):
        made.append(self)
        real(self, *args, **kwargs)

    monkeypatch.setattr(ResidentData, "__init__", counted)
    return made


@pytest.mark.parametrize(
    ("params", "n_brought"),
    [
        ({}, 2),  # once each: what is trained on, and what is held out
        ({"augment": True}, 4),  # drawn in each of three epochs
        ({"objective": "adversarial", "redshift_weight": 0.2, "early_stopping": False}, 1),
        ({"metadata_columns": ["brightness"], "early_stopping": False}, 1),
    ],
)
def test_data_on_the_device_train_the_same_network(demo, params, n_brought, request):
    curves, y = demo
    host = LightCurveEncoder(**SMALL, **params).fit(curves, y)
    brought = request.getfixturevalue("data_on_device")
    there = LightCurveEncoder(**SMALL, **params).fit(curves, y)
    assert len(brought) == n_brought
    assert same_weights(there, host)
    assert there.net_.history[-1, "train_loss"] == host.net_.history[-1, "train_loss"]


@pytest.mark.slow
@pytest.mark.parametrize("params", [{"finetune": "head", "head_sizes": (8,)}, {"finetune": "all"}])
def test_fine_tuning_on_the_device(demo, params, request):
    curves, y = demo
    classifier = TransferClassifier(**params, max_epochs=3, device="cpu", random_state=0)
    expected = classifier.fit(curves, y).predict_proba(curves)
    brought = request.getfixturevalue("data_on_device")
    np.testing.assert_array_equal(classifier.fit(curves, y).predict_proba(curves), expected)
    assert len(brought) == 2  # once each, not once an epoch: trained on, and held out


def test_data_that_do_not_fit_stay_on_the_host(demo, data_on_device, monkeypatch):
    curves, y = demo

    def full(self, *args, **kwargs):
        raise torch.OutOfMemoryError("out of memory")

    monkeypatch.setattr(ResidentData, "__init__", full)
    with pytest.warns(PerformanceWarning, match=r"no memory for the 120 light curves.*on the host"):
        there = LightCurveEncoder(early_stopping=False, **SMALL).fit(curves, y)
    monkeypatch.undo()
    host = LightCurveEncoder(early_stopping=False, **SMALL).fit(curves, y)
    assert there.net_.history[-1, "train_loss"] == host.net_.history[-1, "train_loss"]


def test_every_epoch_is_drawn_once_and_ahead(demo, monkeypatch):
    curves, y = demo
    representation = LightCurveEncoder("ztf").fit(curves[:1]).representation_
    targets = {"class": np.arange(len(y))}
    drawn, real = [], ObjectiveDataset._draw

    def draw(self, epoch):
        drawn.append(epoch)
        return real(self, epoch)

    def dataset(ahead):
        epochs = Augmentation(curves, [ObservingConditions()], 0)
        return ObjectiveDataset(curves, targets, representation, (), epochs, ahead=ahead)

    monkeypatch.setattr(ObjectiveDataset, "_draw", draw)
    now, ahead = dataset(False), dataset(True)
    for epoch in (1, 2, 3, 7):  # a training that goes on may skip epochs
        now.redraw(epoch)
        ahead.redraw(epoch)
        np.testing.assert_array_equal(ahead.values, now.values)
        np.testing.assert_array_equal(ahead.y, now.y)
        assert list(ahead._drawn) == [epoch + 1]
        assert not now._drawn
    ahead._drawn[8].result()
    ahead.close()
    # By either: 1, 2, 3 and 7; and ahead 4 and 8, of which nothing came.
    assert sorted(drawn) == [1, 1, 2, 2, 3, 3, 4, 7, 7, 8]


# -- out of memory


@pytest.fixture
def little_memory(monkeypatch):
    """A device with room to train on so many objects at a time; returns how many it was given."""

    def limit(network, most):
        real, sizes = network.forward, []

        def forward(self, values, lengths, **others):
            if self.training and len(lengths) > most:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")
            sizes.append(len(lengths))
            return real(self, values, lengths, **others)

        monkeypatch.setattr(network, "forward", forward)
        return sizes

    return limit


@pytest.mark.parametrize(
    "params",
    [{"redshift_weight": 0.2, "metadata_columns": ["brightness"]}, {"objective": "adversarial"}],
)
def test_batches_are_halved_until_they_fit(demo, params, little_memory):
    curves, y = demo
    params = {**SMALL, **params, "early_stopping": False, "batch_size": 40}
    whole = LightCurveEncoder(**params).fit(curves, y)
    sizes = little_memory(ObjectiveNetwork, 10)
    with pytest.warns(PerformanceWarning, match="cpu ran out of memory with a batch") as told:
        halved = LightCurveEncoder(**params).fit(curves, y)
    assert len(told) == 2
    assert "of 40 light curves: going on with 20 at a time" in str(told[0].message)
    assert "of 40 light curves: going on with 10 at a time" in str(told[1].message)
    assert set(sizes) == {10}
    states = [encoder.net_.module_.state_dict() for encoder in (whole, halved)]
    torch.testing.assert_close(*states, rtol=1e-3, atol=1e-4)
    losses = [encoder.net_.history[:, "train_loss"] for encoder in (whole, halved)]
    np.testing.assert_allclose(*losses, rtol=1e-4)


def test_contrast_within_parts_and_outputs_of_the_whole(demo, little_memory):
    curves, y = demo
    found = []

    class Look(Callback):
        def on_batch_end(self, net, batch, training, y_pred, **kwargs):
            found.append((training, len(batch[1]["class"]), len(y_pred.logits), len(y_pred.latent)))

    sizes = little_memory(ObjectiveNetwork, 20)
    params = {**SMALL, "objective": "contrastive", "callbacks": [Look()], "early_stopping": False}
    with pytest.warns(PerformanceWarning, match="compares the objects within a part alone"):
        encoder = LightCurveEncoder(**params).fit(curves, y)
    assert max(sizes) == 16
    assert all(training and n == logits == latent for training, n, logits, latent in found)
    assert {n for _, n, _, _ in found} == {32, 24}
    losses = encoder.net_.history[:, "train_loss"]
    assert losses[-1] < losses[0]


@pytest.mark.slow
def test_fine_tuning_with_little_memory(demo, little_memory):
    curves, y = demo
    params = {"finetune": "all", "max_epochs": 2, "device": "cpu", "random_state": 0}
    whole = TransferClassifier(**params).fit(curves, y)
    little_memory(TransferNetwork, 20)
    with pytest.warns(PerformanceWarning, match="light curves: going on with"):
        halved = TransferClassifier(**params).fit(curves, y)
    np.testing.assert_allclose(halved.predict_proba(curves), whole.predict_proba(curves), atol=1e-3)


def test_no_memory_for_one_light_curve(demo, little_memory):
    curves, y = demo
    little_memory(ObjectiveNetwork, 0)
    with (
        pytest.warns(PerformanceWarning),
        pytest.raises(MemoryError, match="train on a single light curve: free some, or use device"),
    ):
        LightCurveEncoder(**SMALL).fit(curves, y)


def test_no_memory_for_what_is_held_out(demo, monkeypatch):
    curves, y = demo
    real = ObjectiveNetwork.forward

    def forward(self, values, lengths, **others):
        if not self.training:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")
        return real(self, values, lengths, **others)

    monkeypatch.setattr(ObjectiveNetwork, "forward", forward)
    with pytest.raises(MemoryError, match="batch_size=32: use batch_size=16"):
        LightCurveEncoder(**SMALL).fit(curves, y)


# -- precision


def setting():
    rnn = getattr(torch.backends.cudnn, "rnn", None)
    if hasattr(rnn, "fp32_precision"):
        return rnn.fp32_precision != "ieee"
    return torch.backends.cudnn.allow_tf32


@pytest.mark.parametrize("mixed", [True, False, "auto"])
def test_mixed_precision_is_a_setting_of_cudnn(demo, mixed):
    curves, y = demo
    found = []

    class Look(Callback):
        def on_batch_begin(self, net, **kwargs):
            found.append(setting())

    assert setting()
    LightCurveEncoder(mixed_precision=mixed, callbacks=[Look()], **SMALL).fit(curves, y)
    assert set(found) == {bool(mixed)}
    assert setting()


def test_a_setting_of_the_user_is_restored():
    with recurrent_precision(False):
        with recurrent_precision(True):
            assert not setting()  # who switched it off for all of torch meant it
        with pytest.raises(KeyError), recurrent_precision(False):
            raise KeyError
        assert not setting()
    assert setting()


def cut(x):
    """Cut the fraction of float32 to the 10 bits of TF32; hardware may also round to nearest."""
    return (x.contiguous().view(torch.int32) & ~0x1FFF).view(torch.float32)


def states_of_cut_factors(gru, inputs):
    """Every state of a GRU on padded light curves, factors of all products cut."""
    width = 2 * gru.hidden_size
    for layer in range(gru.num_layers):
        parameters = [
            getattr(gru, f"{name}_l{layer}")
            for name in ("weight_ih", "bias_ih", "weight_hh", "bias_hh")
        ]
        projected = torch.nn.functional.linear(cut(inputs), cut(parameters[0]), parameters[1])
        state, states = inputs.new_zeros(len(inputs), gru.hidden_size), []
        for step in projected.unbind(1):
            carried = torch.nn.functional.linear(cut(state), cut(parameters[2]), parameters[3])
            gates = torch.sigmoid(step[:, :width] + carried[:, :width])
            reset, update = gates.chunk(2, dim=1)
            new = torch.tanh(step[:, width:] + reset * carried[:, width:])
            state = torch.lerp(new, state, update)
            states.append(state)
        inputs = torch.stack(states, dim=1)
    return inputs


@pytest.mark.parametrize("name", [n for n in list_weights() if "-v" in n])
def test_error_of_mixed_precision_is_as_documented(name):
    curves = load_demo(return_X_y=True)[0][::4]
    encoder = LightCurveEncoder(name, device="cpu").fit(curves[:1])
    network, expected = encoder.net_.module_, encoder.transform(curves)
    values, lengths = encoder.representation_.encode(curves)
    starts, mixed = np.cumsum(lengths) - lengths, np.empty_like(expected)
    with torch.inference_mode():
        for batch in plan_batches(lengths, 64, None):
            inputs = torch.from_numpy(pad(values, starts[batch], lengths[batch]))
            states = states_of_cut_factors(network.gru, inputs)
            last = states[torch.arange(len(batch)), torch.from_numpy(lengths[batch]) - 1]
            mixed[batch] = network.to_latent(last).numpy()
    error = np.sqrt(np.mean((mixed - expected) ** 2)) / expected.std()
    assert 1e-5 < error < (6e-3 if name.startswith("any") else 3e-3)
