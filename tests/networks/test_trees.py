"""Boosted trees, evaluated all at once."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from sklc.networks.joined import BoostedClasses, fill_missing
from sklc.networks.trees import Trees, float32_thresholds

SIZES = {"max_iter": 7, "max_leaf_nodes": 8, "min_samples_leaf": 3, "early_stopping": False}


@pytest.fixture(scope="module")
def features():
    values = np.random.default_rng(0).normal(size=(230, 5)).round(1)
    return fill_missing(np.where(values > 1.5, np.nan, values))


@pytest.mark.parametrize("n_rows", [0, 1, 64, 230])
def test_scores_are_those_of_scikit_learn(n_rows, features):
    target = features[:, 0] * (features[:, 1] > 0) + 0.1 * features[:, 2]
    models = [
        HistGradientBoostingRegressor(**{**SIZES, "max_iter": n}).fit(features, target)
        for n in (3, 7)
    ]
    scores = Trees(models).scores(features[:n_rows])
    assert scores.shape == (n_rows, 2, 1)
    for number, model in enumerate(models):
        expected = model.predict(features)[:n_rows]
        np.testing.assert_allclose(scores[:, number, 0], expected, rtol=1e-12)


def test_classes_are_those_of_scikit_learn_and_unseen_ones_are_rare(features):
    target = np.digitize(features[:, 0], [-0.5, 0.5])
    three = HistGradientBoostingClassifier(**SIZES).fit(features, target)
    two = HistGradientBoostingClassifier(**SIZES).fit(features[target > 0], target[target > 0])
    np.testing.assert_allclose(
        BoostedClasses([three], 3).logits(features), np.log(three.predict_proba(features))
    )
    alone = BoostedClasses([two], 3).logits(features)
    np.testing.assert_allclose(alone[:, 1:], np.log(two.predict_proba(features)))
    np.testing.assert_allclose(alone[:, 0], np.log(1e-3))
    both = BoostedClasses([three, two], 3).logits(features)
    np.testing.assert_allclose(2 * both - alone, BoostedClasses([three], 3).logits(features))


def test_trees_of_any_shape(features):
    constant = HistGradientBoostingRegressor(**SIZES).fit(features, np.full(len(features), 3.0))
    np.testing.assert_allclose(Trees([constant]).scores(features), 3.0)
    stumps = HistGradientBoostingRegressor(**{**SIZES, "max_leaf_nodes": 2})
    stumps.fit(features, features[:, 0])
    np.testing.assert_allclose(
        Trees([stumps]).scores(features)[:, 0, 0], stumps.predict(features), rtol=1e-12
    )
    large = HistGradientBoostingRegressor(**{**SIZES, "max_leaf_nodes": 20})
    large.fit(features, np.random.default_rng(2).normal(size=len(features)))
    with pytest.raises(ValueError, match="more than 8 leaves"):
        Trees([large])


def test_rounded_thresholds_split_float32_alike():
    thresholds = np.random.default_rng(1).normal(size=1000)
    rounded = float32_thresholds(thresholds)
    near = np.nextafter(rounded, np.float32(np.inf))
    assert (rounded <= thresholds).all()
    assert (near > thresholds).all()
