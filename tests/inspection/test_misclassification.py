"""Displays of wrong predictions against uncertainty."""

import numpy as np
import pytest

from sklc import TransferClassifier
from sklc.datasets import load_demo
from sklc.inspection import MisclassificationDisplay, misclassification_auc

plt = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_auc_by_hand():
    assert misclassification_auc([0, 0, 1], [0, 1, 1], [0.1, 0.9, 0.5]) == 1
    assert misclassification_auc([0, 0, 1], [0, 1, 1], [0.9, 0.1, 0.5]) == 0
    assert misclassification_auc(["a", "b"], ["a", "a"], [0.3, 0.3]) == 0.5
    with pytest.raises(ValueError, match=r"All 2 predictions are right.*use more objects"):
        misclassification_auc([0, 1], [0, 1], [0.1, 0.2])
    with pytest.raises(ValueError, match="inconsistent numbers"):
        misclassification_auc([0, 1], [0, 0], [0.1])
    with pytest.raises(ValueError, match=r"uncertainty.*NaN"):
        misclassification_auc([0, 1], [0, 0], [0.1, np.nan])


def test_abstention_by_hand():
    y, predicted = np.array([0, 0, 1, 1, 1]), np.array([0, 1, 1, 0, 1])
    display = MisclassificationDisplay.from_predictions(y, predicted, [0.1, 0.8, 0.2, 0.8, 0.3])
    # the two that are equally uncertain are set aside together
    np.testing.assert_allclose(display.kept, [0.2, 0.4, 0.6, 1.0])
    np.testing.assert_allclose(display.accuracy, [1, 1, 1, 0.6])
    assert display.auroc == 1
    assert "1.000" in display.line_.get_label()
    np.testing.assert_allclose(display.line_.get_ydata(), display.accuracy)
    with_all_right = MisclassificationDisplay.from_predictions(y, y, np.arange(5.0))
    assert np.isnan(with_all_right.auroc)
    assert "not defined" in with_all_right.line_.get_label()


def test_from_estimator_on_given_axes():
    curves, y = load_demo(return_X_y=True)
    clf = TransferClassifier("ztf", uncertainty="bootstrap", n_samples=3, features=None, C=0.1,
                             random_state=0).fit(curves[::4], y[::4])  # fmt: skip
    _, ax = plt.subplots()
    for score in ("smp", "bald"):
        display = MisclassificationDisplay.from_estimator(
            clf, curves[1::4], y[1::4], score=score, ax=ax, linestyle="--"
        )
        assert display.ax_ is ax
        assert display.accuracy[-1] == pytest.approx(clf.score(curves[1::4], y[1::4]))
        assert display.auroc > 0.6
        assert score in display.line_.get_label()
    assert display.plot().figure_ is not ax.figure
