"""What an encoder is trained for: contrast, one latent for all surveys, redshift; checkpoints."""

import copy

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from skorch.callbacks import EarlyStopping, LRScheduler
from small import SMALL, same_weights
from torch import nn

from sklc import LightCurveEncoder, LightCurves, register_objective
from sklc.augment import Prefixes
from sklc.datasets import load_demo
from sklc.errors import CheckpointError, LightCurveError
from sklc.networks.architectures import GRU, NetworkShape
from sklc.networks.objectives import Adversarial, Classifier, Contrastive, Objective, Redshift
from sklc.networks.objectives.adversarial import adversarial_share
from sklc.networks.objectives.contrastive import contrastive_loss
from sklc.networks.objectives.losses import CrossEntropy, SquaredError
from sklc.networks.objectives.network import ObjectiveLoss, ObjectiveNetwork
from sklc.networks.objectives.redshift import redshift_loss
from sklc.networks.training.checkpoint import CHECKPOINT_VERSION
from sklc.weights.file import WeightsFile

OBJECTIVES = ["classifier", "contrastive", "adversarial"]


def two_surveys(n_objects=240, seed=0):
    """Two classes by the shape of the light curve, in two surveys that differ in brightness."""
    rng = np.random.default_rng(seed)
    y, survey = rng.integers(0, 2, n_objects), rng.integers(0, 2, n_objects)
    time = np.tile(np.arange(12.0), (n_objects, 1))
    width = np.where(y == 1, 2.0, 5.0)[:, None]
    brightness = np.where(survey == 1, 200.0, 20000.0)[:, None]
    flux = brightness * np.exp(-0.5 * ((time - 5) / width) ** 2)
    flux_err = 0.02 * brightness + 0 * flux
    curves = LightCurves.from_arrays(
        time=time,
        flux=flux + flux_err * rng.normal(size=flux.shape),
        flux_err=flux_err,
        band=np.full(flux.shape, "ztfr"),
    )
    return curves.with_metadata(survey=np.array(["A", "B"])[survey]), y


# -- losses


def test_contrastive_loss_is_that_of_khosla_et_al_object_by_object():
    rng = np.random.default_rng(0)
    latent, target, temperature = (
        rng.normal(size=(9, 4)),
        np.array([0, 0, 1, 1, 1, 2, 0, 3, 3]),
        0.5,
    )
    unit = latent / np.linalg.norm(latent, axis=1, keepdims=True)
    losses = []
    for i in range(9):
        others = [a for a in range(9) if a != i]
        positives = [p for p in others if target[p] == target[i]]
        if not positives:
            continue  # the only object of class 2
        scale = sum(np.exp(unit[i] @ unit[a] / temperature) for a in others)
        shares = [np.exp(unit[i] @ unit[p] / temperature) / scale for p in positives]
        losses.append(-np.mean(np.log(shares)))
    assert len(losses) == 8
    actual = contrastive_loss(torch.tensor(latent), torch.tensor(target), temperature)
    assert actual.shape == (9,)
    assert float(actual.mean()) == pytest.approx(np.mean(losses), rel=1e-5)


def test_contrastive_loss_without_any_pair_is_zero_and_its_gradient_finite():
    latent = torch.zeros(3, 4, requires_grad=True)
    loss = contrastive_loss(latent, torch.tensor([0, 1, 2]), 0.5).sum()
    loss.backward()
    assert float(loss.detach()) == 0
    assert torch.isfinite(latent.grad).all()


def test_redshift_likelihood_is_lowest_at_the_truth_and_the_true_scale():
    truth = torch.full((4000,), 0.3) + 0.1 * torch.randn(4000, generator=torch.manual_seed(0))

    def loss(mean, scale):
        prediction = torch.tensor([[mean, np.log(scale)]], dtype=torch.float32).expand(4000, 2)
        return float(redshift_loss(prediction, truth).mean())

    assert loss(0.3, 0.1) < min(loss(0.2, 0.1), loss(0.4, 0.1), loss(0.3, 0.05), loss(0.3, 0.2))


def test_the_discriminator_and_the_encoder_each_train_alone():
    torch.manual_seed(0)
    surveys = np.arange(6) // 3
    objective = Adversarial(adversarial_weight=2.0)
    encoder = GRU(hidden_size=4, latent_size=5).build(NetworkShape(tuple("abc"), 2))
    module = ObjectiveNetwork(encoder, [objective], {"survey": surveys})
    loss = ObjectiveLoss([objective])
    values, lengths = torch.randn(6, 4, 3), torch.full((6,), 4)
    targets = {"class": torch.arange(6) % 2, "survey": torch.from_numpy(surveys)}
    targets["class_weight"] = torch.ones(6)

    def gradients(progress):
        module.zero_grad()
        loss.progress = progress
        loss(module(values, lengths), targets).backward()
        return module.dropped["survey"][0].weight.grad.clone(), encoder.latent.weight.grad.clone()

    off, on = gradients(0.0), gradients(0.9)
    torch.testing.assert_close(off[0], on[0])  # the discriminator does not see the confusion
    assert not torch.allclose(off[1], on[1])
    # At weight 0 the encoder learns the class alone: not a trace of the survey.
    module.zero_grad()
    outputs = module(values, lengths)
    nn.functional.cross_entropy(outputs.logits, targets["class"]).backward()
    torch.testing.assert_close(off[1], encoder.latent.weight.grad)


def test_schedules_rise_and_fall(demo):
    params = {**SMALL, "max_epochs": 10, "learning_rate_decay": True, "early_stopping": False}
    encoder = LightCurveEncoder(**params).fit(*demo)
    rates = np.array(encoder.net_.history[:, "event_lr"]) / SMALL["learning_rate"]
    cosine = 0.01 + 0.99 * 0.5 * (1 + np.cos(np.pi * np.arange(8) / 8))
    np.testing.assert_allclose(rates, [1 / 3, 2 / 3, *cosine], rtol=1e-12)
    shares = [adversarial_share(epoch / 10) for epoch in range(11)]
    assert shares[0] == 0
    assert shares == sorted(shares)
    assert shares[-1] > 0.99


def test_the_learning_rate_starts_again_in_every_cycle(demo):
    params = {**SMALL, "max_epochs": 7, "learning_rate_decay": 2, "early_stopping": False}
    encoder = LightCurveEncoder(**params).fit(*demo)
    rates = np.array(encoder.net_.history[:, "event_lr"]) / SMALL["learning_rate"]
    np.testing.assert_allclose(rates[:3], [1 / 3, 2 / 3, 1])
    np.testing.assert_allclose(rates[4:], rates[:3])
    with pytest.raises(ValueError, match="learning_rate_decay"):
        LightCurveEncoder(**(params | {"learning_rate_decay": 0})).fit(*demo)


def test_a_loss_that_averages_is_one_error(demo):
    class Averaged(Classifier):
        def loss(self, outputs, targets, progress):
            return super().loss(outputs, targets, progress).mean()

    with pytest.raises(ValueError, match=r"loss of Averaged has shape \(\).*without averaging"):
        LightCurveEncoder(objective=Averaged(), **SMALL).fit(*demo)


def test_weights_of_objects_multiply_every_term():
    loss = ObjectiveLoss([Contrastive(), Redshift(0.5)])
    module = ObjectiveNetwork(
        GRU(hidden_size=4, latent_size=5).build(
            NetworkShape(tuple("abc"), 2, heads={"redshift": (2,)})
        ),
        loss.objectives,
        {},
    )
    outputs = module(torch.randn(4, 5, 3), torch.full((4,), 5))
    targets = {"class": torch.tensor([0, 0, 1, 1]), "class_weight": torch.ones(4)}
    targets["log1p_z"] = torch.full((4,), 0.1)
    terms = sum(one.loss(outputs, targets, 0.0) for one in loss.objectives)
    weight = torch.tensor([0.0, 1.0, 2.0, 0.5])
    weighted = loss(outputs, {**targets, "sample_weight": weight})
    torch.testing.assert_close(weighted, (terms * weight).mean())
    plain = loss(outputs, targets)
    torch.testing.assert_close(loss(outputs, {**targets, "sample_weight": torch.ones(4)}), plain)
    logits, y = outputs.logits, targets["class"]
    expected = (weight * nn.functional.cross_entropy(logits, y, reduction="none")).mean()
    found = CrossEntropy()(logits, {"y": y, "sample_weight": weight})
    torch.testing.assert_close(found, expected)
    values = torch.randn(4, 1)
    torch.testing.assert_close(
        SquaredError()(values, {"y": values + 2, "sample_weight": weight}), 4 * weight.mean()
    )


# -- objectives


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("redshift_weight", [0.0, 0.2])
def test_every_objective_combines_with_the_redshift(demo, objective, redshift_weight, tmp_path):
    curves, y = demo
    # The demo set is of one survey: half of it is called another.
    curves = curves.with_metadata(survey=np.where(np.arange(120) % 2, "ZTF", "other"))
    params = {**SMALL, "objective": objective, "redshift_weight": redshift_weight}
    encoder = LightCurveEncoder(**params).fit(curves, y)
    if objective != "adversarial":  # whose loss rises with its schedule
        losses = encoder.net_.history[:, "train_loss"]
        assert losses[-1] < losses[0]
    assert (encoder.net_.module_.redshift is not None) == (redshift_weight > 0)
    restored = LightCurveEncoder(encoder.save(tmp_path / "w.safetensors"))
    np.testing.assert_array_equal(restored.transform(curves), encoder.transform(curves))
    again = LightCurveEncoder(**params).fit(curves, y)
    assert same_weights(encoder, again)


@pytest.mark.slow
def test_the_redshift_head_learns_redshifts_and_stays_in_the_weights(demo, tmp_path):
    curves, y = load_demo(return_X_y=True)
    params = {**SMALL, "max_epochs": 40, "redshift_weight": 1.0, "early_stopping": False}
    # Slow enough that rounding does not decide: .59 to .68 with six seeds.
    params |= {"hidden_size": 32, "latent_size": 32, "learning_rate": 0.003}
    encoder = LightCurveEncoder(**params).fit(curves, y)
    network = WeightsFile.read(encoder.save(tmp_path / "w.safetensors")).build()
    mean = network.redshift(torch.from_numpy(encoder.transform(curves)))[:, 0].detach().numpy()
    truth = np.log1p(curves.metadata["redshift"].to_numpy(dtype=float))
    assert np.corrcoef(mean, truth)[0, 1] > 0.5


def survey_accuracy(encoder, curves):
    latent = encoder.transform(curves)
    latent = (latent - latent.mean(0)) / latent.std()
    survey = curves.metadata["survey"].to_numpy(dtype=str)
    return cross_val_score(LogisticRegression(max_iter=500), latent, survey, cv=3).mean()


@pytest.mark.slow
def test_adversarial_latents_hide_the_survey_and_keep_the_class():
    curves, y = two_surveys(800)
    wrong = np.random.default_rng(1).random(800) < 0.15
    params = {**SMALL, "max_epochs": 25, "early_stopping": False, "hidden_size": 16}
    params["latent_size"], params["learning_rate"] = 16, 0.003
    plain, hidden = [], []
    for seed in range(3):  # adversarial training is unsteady
        params["random_state"] = seed
        for objective, found in ((Classifier(), plain), (Adversarial(3.0), hidden)):
            encoder = LightCurveEncoder(objective=objective, **params)
            encoder.fit(curves, np.where(wrong, 1 - y, y))
            found.append(survey_accuracy(encoder, curves))
            logits = encoder.net_.module_.head(torch.from_numpy(encoder.transform(curves)))
            assert np.mean(logits.argmax(dim=1).numpy() == y) > 0.95
    assert np.mean(hidden) < np.mean(plain) - 0.1


def test_contrastive_latents_of_a_class_are_more_alike():
    curves, y = two_surveys()
    params = {**SMALL, "max_epochs": 8, "early_stopping": False, "hidden_size": 32}
    params["latent_size"], params["learning_rate"] = 32, 0.003

    def contrast(objective):
        latent = LightCurveEncoder(objective=objective, **params).fit(curves, y).transform(curves)
        unit = latent / np.linalg.norm(latent, axis=1, keepdims=True)
        alike, same = unit @ unit.T, y[:, None] == y[None, :]
        return alike[same].mean() - alike[~same].mean()

    assert contrast("contrastive") > contrast("classifier") + 0.1


def bare(curves):
    return LightCurves.from_arrays(
        curves.time, curves.flux, curves.flux_err, "ztfr", offsets=curves.offsets
    )


def test_the_survey_comes_from_the_argument_or_from_metadata():
    curves, y = two_surveys(60)
    survey = curves.metadata["survey"].to_numpy()
    encoder = LightCurveEncoder(objective="adversarial", **SMALL)
    a = copy.deepcopy(encoder.fit(curves, y))
    assert same_weights(a, encoder.fit(bare(curves), y, survey=survey))


@pytest.mark.parametrize(
    ("survey", "message"),
    [
        (["A", np.nan, "B"] + ["B"] * 57, "is missing"),
        (["A", "B"], r"shape \(2,\) for 60 light curves"),
    ],
)
def test_surveys_that_cannot_be_used_are_one_error(survey, message):
    curves, y = two_surveys(60)
    with pytest.raises(LightCurveError, match=message):
        LightCurveEncoder(objective="adversarial", **SMALL).fit(bare(curves), y, survey=survey)


@pytest.mark.parametrize("wrong", [0.0, np.nan, np.inf])
def test_redshifts_that_cannot_be_used_name_the_object(demo, wrong):
    curves, y = demo
    redshift = curves.metadata["redshift"].to_numpy(dtype=float).copy()
    redshift[7] = wrong
    with pytest.raises(LightCurveError, match=rf"{curves.ids[7]}.*has redshift {wrong} \(1 of 120"):
        LightCurveEncoder(redshift_weight=0.1, **SMALL).fit(
            curves.with_metadata(redshift=redshift), y
        )


def test_an_objective_is_a_name_or_an_object(demo):
    curves, y = demo
    for named, objects in (
        ({}, {"objective": Classifier()}),
        ({"objective": "contrastive", "temperature": 0.2}, {"objective": Contrastive(0.2)}),
    ):
        a, b = (LightCurveEncoder(**SMALL, **params) for params in (named, objects))
        assert same_weights(a.fit(curves, y), clone(b).fit(curves, y))


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"objective": "contrastiv"}, ValueError, "Did you mean 'contrastive'.*register_objective"),
        ({"objective": Contrastive}, TypeError, "must be an instance of"),
        ({"temperature": 0.2}, ValueError, r"temperature=0.2 has no effect with objective='class"),
        ({"objective": Contrastive(), "temperature": 0.2}, ValueError, "no effect.*Contrastive"),
        ({"objective": "adversarial", "temperature": 0.2}, ValueError, "no effect"),
    ],
)
def test_objectives_that_cannot_be_used_are_one_error(demo, params, error, message):
    with pytest.raises((error, ValueError), match=message):
        LightCurveEncoder(**SMALL, **params).fit(*demo)


def test_parameters_and_names_of_objectives_are_checked():
    for make in (lambda: Contrastive(temperature=0), lambda: Adversarial(-1), lambda: Redshift(0)):
        with pytest.raises(ValueError, match="must be above 0"):
            make()
    with pytest.raises(TypeError, match="instance of a subclass"):
        register_objective("mine", 3)
    assert Classifier() == Classifier() != Objective()
    assert len({Classifier(), Classifier(), Contrastive(0.2), Contrastive(0.2)}) == 2


# -- checkpoints


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_a_stopped_training_ends_as_if_it_had_not_been(demo, tmp_path, objective, monkeypatch):
    curves, y = demo
    curves = curves.with_metadata(survey=np.where(np.arange(120) % 2, "ZTF", "other"))
    params = {**SMALL, "objective": objective, "redshift_weight": 0.2, "augment": True}
    params["learning_rate_decay"] = True
    whole = LightCurveEncoder(**params).fit(curves, y)
    params["checkpoint"] = tmp_path / "folder" / "training.checkpoint"
    forward, calls = GRU.network.state, []

    def stopped(self, *args):
        calls.append(None)
        if len(calls) == 12:  # in the middle of an epoch
            raise SystemExit
        return forward(self, *args)

    monkeypatch.setattr(GRU.network, "state", stopped)
    with pytest.raises(SystemExit):
        LightCurveEncoder(**params).fit(curves, y)
    monkeypatch.setattr(GRU.network, "state", forward)
    assert 0 < len(torch.load(params["checkpoint"], weights_only=True)["history"]) < 4
    resumed = LightCurveEncoder(**params).fit(curves, y)
    assert same_weights(resumed, whole)
    assert len(resumed.net_.history) == len(whole.net_.history)
    # Once more on a finished one: nothing is left to train.
    assert same_weights(LightCurveEncoder(**params).fit(curves, y), whole)


@pytest.mark.slow
@pytest.mark.parametrize("own", [False, True])
def test_callbacks_remember_the_epochs_before(demo, tmp_path, monkeypatch, own):
    curves, y = demo
    params = {**SMALL, "max_epochs": 30, "patience": 2, "learning_rate": 0.05}
    if own:  # stopping early and a learning rate that falls by the user's callbacks
        params |= {"early_stopping": False, "max_epochs": 12}
        params["callbacks"] = [
            EarlyStopping("train_loss", patience=2, threshold=0.05, load_best=True),
            LRScheduler("StepLR", step_size=2, gamma=0.7),
        ]
    whole = LightCurveEncoder(**params).fit(curves, y)
    n_epochs = len(whole.net_.history)
    assert n_epochs < params["max_epochs"]
    params["checkpoint"] = tmp_path / "training.checkpoint"
    batches = 5 if own else 6  # four and a validation batch are one epoch
    for _ in range(40):  # interrupted after every single epoch
        forward, calls = GRU.network.state, []

        def stopped(self, *args, forward=forward, calls=calls):
            calls.append(None)
            if len(calls) == batches:
                raise SystemExit
            return forward(self, *args)

        with monkeypatch.context() as patch:
            patch.setattr(GRU.network, "state", stopped)
            try:
                resumed = LightCurveEncoder(**params).fit(curves, y)
                break
            except SystemExit:
                continue
    assert same_weights(resumed, whole)
    assert len(resumed.net_.history) == n_epochs


@pytest.mark.slow
def test_a_checkpoint_of_another_training_is_refused(demo, tmp_path):
    curves, y = demo
    path = tmp_path / "training.checkpoint"
    LightCurveEncoder(checkpoint=path, **SMALL).fit(curves, y)
    for changes, message in (
        ({"hidden_size": 12}, "hidden_size=8 there and 12 here"),
        ({"objective": "contrastive"}, "objective="),
        ({"random_state": 1}, "seed="),
        ({"max_epochs": 9}, "max_epochs=4 there and 9 here"),
        ({"augment": [Prefixes(longest=20.0)]}, "augment="),
    ):
        with pytest.raises(CheckpointError, match=f"another training: .*{message}.*Delete"):
            LightCurveEncoder(checkpoint=path, **{**SMALL, **changes}).fit(curves, y)
    with pytest.raises(CheckpointError, match="data="):
        LightCurveEncoder(checkpoint=path, **SMALL).fit(curves[::-1], y[::-1])


def test_a_damaged_checkpoint_is_refused(demo, tmp_path):
    curves, y = demo
    path = tmp_path / "training.checkpoint"
    LightCurveEncoder(checkpoint=path, **SMALL).fit(curves, y)
    state = torch.load(path, weights_only=True)
    torch.save({**state, "version": CHECKPOINT_VERSION + 1}, path)
    with pytest.raises(CheckpointError, match=f"has version {CHECKPOINT_VERSION + 1}"):
        LightCurveEncoder(checkpoint=path, **SMALL).fit(curves, y)
    for damaged in (b"", b"not a checkpoint"):
        path.write_bytes(damaged)
        with pytest.raises(CheckpointError, match=r"damaged or cut short.*Delete"):
            LightCurveEncoder(checkpoint=path, **SMALL).fit(curves, y)
