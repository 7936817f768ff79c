"""Weights of objects in the heads of a classifier."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from sklc import LightCurveEncoder, TransferClassifier
from sklc.datasets import load_demo
from sklc.estimators.class_heads import (
    HeadData,
    LinearHeads,
    choose_strength,
    fit_dense_head,
    fit_linear_head,
)
from sklc.estimators.transfer import TransferRecipe, fit_transfer
from sklc.networks.heads import in_double_precision
from sklc.networks.training.loop import TrainingSettings


def drawn(n_objects=120, *, weight=None, seed=0):
    """Latents of three classes, metadata with gaps, and weights of which a third is 0."""
    rng = np.random.default_rng(seed)
    target = np.arange(n_objects) % 3
    latent = rng.normal(size=(n_objects, 5)) + 1.5 * np.eye(5)[target]
    metadata = rng.normal(size=(n_objects, 1))
    metadata[::7] = np.nan
    if weight is None:
        weight = np.where(rng.random(n_objects) < 1 / 3, 0, rng.uniform(0.5, 3, n_objects))
        latent[weight == 0] += 50  # would be noticed
    return HeadData(
        latent.astype(np.float32), metadata.astype(np.float32), target, weight, np.array([1, 2, 1])
    )


def logits(head, data):
    return in_double_precision(head, data.latent, data.metadata)


@pytest.mark.parametrize("C", [None, 0.3])
def test_objects_without_weight_are_as_good_as_left_out(C):
    data = drawn()
    kept = data.subset(np.flatnonzero(data.sample_weight))
    if C is None:
        C = choose_strength(data, 0)
        assert choose_strength(kept, 0) == C
    head, expected = (fit_linear_head(d, C) for d in (data, kept))
    np.testing.assert_allclose(logits(head, kept), logits(expected, kept), atol=2e-3)
    first, second = (LinearHeads(d, C, 0, None, 40.0).cross_fit() for d in (data, kept))
    np.testing.assert_array_equal(first.target, second.target)
    np.testing.assert_allclose(first.logits, second.logits, atol=2e-3)
    assert len(first.target) == np.count_nonzero(data.sample_weight) < len(data.target)


def test_a_weight_of_two_is_two_such_objects():
    data = drawn(weight=np.repeat([1.0, 2.0], 60))
    twice = data.subset(np.r_[np.arange(120), np.arange(60, 120)])
    twice = replace(twice, sample_weight=np.ones(180))
    head, expected = (fit_linear_head(d, 0.3) for d in (data, twice))
    np.testing.assert_allclose(logits(head, data), logits(expected, data), atol=2e-3)


def test_the_choice_of_c_is_that_of_cross_validation():
    data = drawn(weight=np.ones(120))
    X, loss = data.scaled()[1], {}
    for strength in np.logspace(-2, 0.5, 6):
        proba = np.empty((120, 3))
        for rows, held_out in data.folds(np.arange(120), 0):
            model = LogisticRegression(C=strength, class_weight={0: 1, 1: 2, 2: 1}, max_iter=1000)
            proba[held_out] = model.fit(X[rows], data.target[rows]).predict_proba(X[held_out])
        loss[strength] = -np.log(proba[np.arange(120), data.target]).mean()
    assert min(loss, key=loss.get) == choose_strength(data, 0)


def test_weights_of_a_dense_head():
    def fit(data):
        rows = np.flatnonzero(data.sample_weight)
        settings = TrainingSettings(max_epochs=5, verbose=0, batch_size=1000)
        return fit_dense_head(data, rows[::2], rows[1::2], sizes=(6,), settings=settings).module_

    data = drawn()
    kept = data.subset(np.flatnonzero(data.sample_weight))
    np.testing.assert_allclose(logits(fit(data), kept), logits(fit(kept), kept), atol=1e-5)
    plain = replace(kept, sample_weight=np.ones(len(kept.target)))
    assert not np.allclose(logits(fit(plain), kept), logits(fit(kept), kept), atol=1e-2)


@pytest.mark.parametrize("params", [{}, {"finetune": "all"}, {"head_sizes": (4,)}])
def test_weights_reach_every_recipe(params):
    curves, y = load_demo(return_X_y=True)
    curves, target = curves[:90], np.unique(y[:90], return_inverse=True)[1]
    weight = np.where(np.arange(90) < 30, 0.0, 1.0)
    clf = TransferClassifier("ztf", max_epochs=2, verbose=0, device="cpu", **params)

    def fit(chosen, weight):
        rows = np.flatnonzero(np.isin(chosen, np.arange(0, 90, 2)))
        net, _, held_out = fit_transfer(
            LightCurveEncoder("ztf").fit(curves), curves[chosen], target[chosen], rows,
            np.setdiff1d(np.arange(len(chosen)), rows), labels_in_encoder=False,
            metadata_columns=(), class_weight=np.ones(3), recipe=TransferRecipe.of(clf, None),
            settings=TrainingSettings(max_epochs=2, verbose=0), sample_weight=weight,
        )  # fmt: skip
        latent = LightCurveEncoder("ztf").transform(curves)
        return in_double_precision(net.module_.head, latent, None), held_out

    weighted, held_out = fit(np.arange(90), weight)
    plain, _ = fit(np.arange(90), None)
    assert not np.allclose(weighted, plain, atol=0.02)
    if not params:
        shorter, expected = fit(np.arange(30, 90), None)
        np.testing.assert_allclose(weighted, shorter, atol=2e-3)
        assert len(expected.target) == len(held_out.target) == 60
