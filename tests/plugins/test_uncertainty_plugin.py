"""Methods of calibration from outside the package, through everything that an estimator does."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import norm
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from small import few_folds  # noqa: F401

import sklc
from sklc import LightCurveEncoder, RedshiftRegressor, TransferClassifier
from sklc.datasets import load_demo
from sklc.serving import OnnxModel
from sklc.uncertainty.registry import CLASS_METHODS, REDSHIFT_METHODS

QUICK = {"max_epochs": 2, "random_state": 0, "device": "cpu", "verbose": 0}
MERGE = {
    "SNIa": ["SNIa", "SNIa-91bg", "SNIax"],
    "SNII": ["SNII", "SNIIn"],
    "SNIb/c": ["SNIb", "SNIc", "SNIc-BL", "SNIIb"],
}


def described(value):
    """The name of a test's parameter, the same in every process."""
    return str(value) if isinstance(value, str | dict) else type(value).__name__


class Mixture:
    """Probabilities mixed with the class frequencies of the labels: a class method."""

    def __init__(self, share=0.5):
        self.share = share

    def fit(self, scores, target, sample_weight):
        n_classes = scores.log_probabilities().shape[1]
        counts = np.bincount(target, weights=sample_weight, minlength=n_classes)
        self.frequencies_ = counts / counts.sum()
        return self

    def log_probabilities(self, scores):
        proba = np.exp(scores.log_probabilities())
        return np.log((1 - self.share) * proba + self.share * self.frequencies_)


class ExportedMixture(Mixture):
    def to_onnx(self, graph, logits, merge):
        kept = graph.apply(
            "Mul", graph.probabilities(logits, 1.0, merge), graph.constant(1 - self.share)
        )
        added = graph.constant((self.share * self.frequencies_).astype(np.float32))
        return graph.apply("Add", kept, added)


class Everything(Mixture):
    """With sets of its own: all classes, always."""

    def prediction_sets(self, held_out, own, predicted, classes, *, coverage, class_conditional):
        return np.ones((len(predicted[0]), len(classes)), dtype=bool)


class MeanHead(torch.nn.Module):
    """Log of the mean probability of several heads."""

    def __init__(self, heads):
        super().__init__()
        self.heads = torch.nn.ModuleList(heads)

    def forward(self, latent, head_metadata=None):
        logits = [torch.log_softmax(head(latent, head_metadata), dim=1) for head in self.heads]
        return torch.logsumexp(torch.stack(logits), dim=0)


class ExportedMeanHead(MeanHead):
    def to_onnx(self, graph, latent, metadata):
        logits = [head.to_onnx(graph, latent, metadata) for head in self.heads]
        return graph.apply("Log", graph.apply("Sum", *(graph.apply("Softmax", x) for x in logits)))


class Bagging(sklc.uncertainty.Temperature):
    """Temperature of an ensemble of linear heads on bootstrap samples."""

    def __init__(self, make=MeanHead):
        self.make = make

    def fit_head(self, data, solve, seed):
        n_objects, rng = len(data.target), np.random.default_rng(seed)
        counts = rng.multinomial(n_objects, np.full(n_objects, 1 / n_objects), 4)
        weights = data.sample_weight * counts
        return self.make([solve(replace(data, sample_weight=weight)) for weight in weights])


class ConstantWidth:
    """Errors of one width for all, whatever the head says: a redshift method."""

    def fit(self, mean, scale, target, sample_weight):
        self.width_ = float(np.sqrt(np.average((target - mean) ** 2, weights=sample_weight)))
        return self

    def quantiles(self, mean, scale, levels):
        return mean[:, None] + self.width_ * norm.ppf(levels)

    def standard_deviation(self, mean, scale):
        return np.full(len(mean), self.width_)


@pytest.fixture(autouse=True)
def registered():
    sklc.register_uncertainty("mixture", Mixture())
    sklc.register_uncertainty("constant-width", ConstantWidth())
    yield
    CLASS_METHODS.unregister("mixture")
    REDSHIFT_METHODS.unregister("constant-width")


@pytest.fixture(scope="module")
def demo(demo):
    return *demo, load_demo().curves[120:180]


@pytest.fixture(scope="module")
def z(demo):
    return demo[0].metadata["redshift"].to_numpy(dtype=float)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """An encoder that was saved."""
    return LightCurveEncoder("ztf").save(tmp_path_factory.mktemp("mine") / "mine.safetensors")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("calibrate", "params"),
    [
        ("mixture", {"encoder": "saved"}),
        (Mixture(0.5), {"finetune": "all"}),
        (Mixture(0.5), {"encoder": None}),
    ],
    ids=described,
)
def test_probabilities_and_sets(demo, calibrate, params, path):
    train, y, test = demo
    params = {**params, "encoder": path} if params.get("encoder") == "saved" else params
    plain = TransferClassifier(**{"encoder": "ztf", **QUICK, **params}).fit(train, y)
    clf = clone(plain).set_params(calibrate=calibrate).fit(train, y)
    shares = clf.uncertainty_.frequencies_
    assert shares.sum() == pytest.approx(1)
    expected = 0.5 * plain.predict_proba(test) + 0.5 * shares
    proba = clf.predict_proba(test)
    np.testing.assert_allclose(proba, expected)
    np.testing.assert_allclose(clf.decision_function(test), np.log(expected))
    assert clf.temperature_ == 1
    sets = clf.predict_set(test, coverage=0.8)
    assert sets.shape == (60, 3)
    assert 0 < sets.sum() < sets.size
    for same in (pickle.loads(pickle.dumps(clf)), clone(clf).fit(train, y)):
        np.testing.assert_array_equal(same.predict_proba(test), proba)
        np.testing.assert_array_equal(same.predict_set(test, coverage=0.8), sets)
    if isinstance(calibrate, Mixture):
        assert clf.calibrate is calibrate
        assert not hasattr(calibrate, "frequencies_")  # the estimator fits a copy


def test_classes_of_the_weights_merged(demo):
    train, y, test = demo
    params = {"merge_classes": MERGE, "class_prior": "magnitude-limited"}
    plain = TransferClassifier.pretrained("ztf+lsst", **params)
    clf = clone(plain).set_params(calibrate="mixture").fit(train, y)
    expected = 0.5 * plain.predict_proba(test) + 0.5 * clf.uncertainty_.frequencies_
    np.testing.assert_allclose(clf.predict_proba(test), expected)


@pytest.mark.slow
def test_grid_search_over_methods(demo, z):
    train, y, _ = demo
    methods = [None, "temperature", "mixture", Mixture(0.9)]
    grid = GridSearchCV(
        TransferClassifier("ztf", C=0.1, **QUICK), {"calibrate": methods}, scoring="neg_log_loss",
        cv=2, error_score="raise",
    ).fit(train, y)  # fmt: skip
    losses = -grid.cv_results_["mean_test_score"]
    assert len(set(losses.round(6))) == 4
    assert losses.argmax() == 3  # nearly constant probabilities
    grid = GridSearchCV(
        RedshiftRegressor("ztf", **QUICK), {"calibrate": [None, "conformal", "constant-width"]},
        cv=2, error_score="raise",
    )  # fmt: skip
    assert np.isfinite(grid.fit(train, z).cv_results_["mean_test_score"]).all()


@pytest.mark.slow
def test_export(demo, tmp_path):
    train, y, test = demo
    clf = TransferClassifier("ztf", calibrate="mixture", **QUICK).fit(train, y)
    with pytest.raises(NotImplementedError, match=r"Mixture has no method to_onnx\(graph, logits"):
        clf.to_onnx(tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())
    clf.set_params(calibrate=ExportedMixture()).fit(train, y)
    model = OnnxModel(clf.to_onnx(tmp_path / "model.onnx"))
    np.testing.assert_allclose(model.predict_proba(test), clf.predict_proba(test), atol=1e-5)


@pytest.mark.slow
def test_sets_of_its_own(demo):
    train, y, test = demo
    clf = TransferClassifier("ztf", calibrate=Everything(), **QUICK).fit(train, y)
    assert clf.predict_set(test).all()


@pytest.mark.slow
def test_an_ensemble_of_heads_is_one_object(demo, tmp_path):
    train, y, test = demo
    clf = TransferClassifier("ztf", calibrate=Bagging(), C=0.1, **QUICK).fit(train, y)
    plain = TransferClassifier("ztf", calibrate="temperature", C=0.1, **QUICK).fit(train, y)
    proba, single = clf.predict_proba(test), plain.predict_proba(test)
    assert 1e-3 < np.abs(proba - single).max() < 0.5
    assert np.corrcoef(proba.ravel(), single.ravel())[0, 1] > 0.9
    np.testing.assert_array_equal(clone(clf).fit(train, y).predict_proba(test), proba)
    assert clf.predict_set(test, coverage=0.8).any()
    with pytest.raises(NotImplementedError, match="MeanHead has no ONNX graph"):
        clf.to_onnx(tmp_path / "model.onnx")
    clf.set_params(calibrate__make=ExportedMeanHead).fit(train, y)
    model = OnnxModel(clf.to_onnx(tmp_path / "model.onnx"))
    np.testing.assert_allclose(model.predict_proba(test), proba, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("calibrate", "params"),
    [("constant-width", {}), (ConstantWidth(), {"method": "knn", "n_neighbors": 9})],
    ids=described,
)
def test_intervals(demo, z, calibrate, params):
    train, _, test = demo
    model = RedshiftRegressor("ztf", calibrate=calibrate, **params, **QUICK).fit(train, z)
    low, high = np.log1p(model.predict_interval(test, coverage=0.5)).T
    inner = low > 0
    width = 2 * norm.ppf(0.75) * model.uncertainty_.width_
    np.testing.assert_allclose((high - low)[inner], width)
    assert inner.sum() > 20
    redshift, std = model.predict(test, return_std=True)
    np.testing.assert_allclose(std, (1 + redshift) * model.uncertainty_.width_)
    conformal = clone(model).set_params(calibrate="conformal").fit(train, z)
    assert np.ptp(np.log1p(conformal.predict_interval(test, coverage=0.5)), axis=1).std() > 0
    for same in (pickle.loads(pickle.dumps(model)), clone(model).fit(train, z)):
        np.testing.assert_array_equal(same.predict_quantiles(test), model.predict_quantiles(test))


def test_the_scale_of_the_head_itself(demo, z):
    train, _, test = demo
    model = RedshiftRegressor("ztf", calibrate=None, features=None, **QUICK).fit(train, z)
    low, middle, high = np.log1p(model.predict_quantiles(test, [0.4, 0.5, 0.6])).T
    np.testing.assert_allclose(high - middle, middle - low)  # symmetric, as Gaussians are
    _, std = model.predict(test, return_std=True)
    conformal = RedshiftRegressor("ztf", features=None, **QUICK).fit(train, z)
    assert not np.allclose(conformal.predict(test, return_std=True)[1], std)


def test_what_cannot_be_registered_or_chosen(demo, z):
    train, y, _ = demo
    with pytest.raises(TypeError, match=r"'odd' must be an object with fit and log_probabilities"):
        sklc.register_uncertainty("odd", object())
    with pytest.raises(TypeError, match="must be an object"):
        sklc.register_uncertainty("odd", Mixture)
    for estimator, name, target in (
        (TransferClassifier("ztf", **QUICK), "conformal", y),
        (RedshiftRegressor("ztf", **QUICK), "temperature", z),
    ):
        with pytest.raises(ValueError, match=f"named '{name}'.*register_uncertainty"):
            estimator.set_params(calibrate=name).fit(train, target)
        with pytest.raises(ValueError, match="The 'calibrate' parameter"):
            estimator.set_params(calibrate=object()).fit(train, target)
