"""Light curves as X of scikit-learn's own tools, in every form, with a small transformer."""

import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    ShuffleSplit,
    cross_val_predict,
    cross_val_score,
    learning_curve,
    permutation_test_score,
    train_test_split,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.utils import _safe_indexing, resample, shuffle
from sklearn.utils.validation import _num_samples
from small import few_folds  # noqa: F401

from sklc import LatentIsolationForest, LightCurveEncoder, RedshiftRegressor, TransferClassifier
from sklc.errors import LightCurveError
from sklc.light_curves import LightCurves, as_light_curves


class MeanFlux(TransformerMixin, BaseEstimator):
    """Mean flux and number of observations, the smallest transformer of light curves."""

    def __init__(self, power=1.0):
        self.power = power

    def fit(self, X, y=None):
        self.n_objects_ = len(as_light_curves(X))
        return self

    def transform(self, X):
        curves = as_light_curves(X)
        total = np.add.reduceat(curves.flux, curves.offsets[:-1]) if len(curves) else np.zeros(0)
        mean = total / curves.lengths
        return np.column_stack([np.sign(mean) * np.abs(mean) ** self.power, curves.lengths])

    def get_feature_names_out(self, input_features=None):
        return np.array(["mean_flux", "n_obs"], dtype=object)


def pipe():
    return Pipeline(
        [("mean", MeanFlux()), ("scale", StandardScaler()), ("clf", LogisticRegression())]
    )


N = 60


def make_curves():
    rng = np.random.default_rng(0)
    y = np.arange(N) % 2
    lengths = rng.integers(3, 9, N)
    curves = LightCurves.from_arrays(
        [np.sort(rng.uniform(0, 50, n)) for n in lengths],
        [rng.normal(10 + 5 * label, 1, n) for n, label in zip(lengths, y, strict=True)],
        [np.ones(n) for n in lengths],
        "ztfg",
        ids=[f"object{k}" for k in range(N)],
        metadata={"redshift": rng.uniform(size=N)},
    )
    return curves, np.array(["faint", "bright"])[y]


def object_array(items):
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return array


def two_d(curve):
    return np.column_stack([curve.time, curve.flux, curve.flux_err])


FORMS = {
    "LightCurves": lambda c: c,
    "view": lambda c: LightCurves.concatenate([c, c], prefix_ids=True)[np.arange(N)],
    "NestedFrame": lambda c: c.to_nested(),
    "list of light curves": list,
    "list of frames": lambda c: [curve.to_frame() for curve in c],
    "list of arrays": lambda c: [two_d(curve) for curve in c],
    "object array": lambda c: object_array([two_d(curve) for curve in c]),
    "padded": lambda c: c.to_padded(),
    "series": lambda c: np.array([curve.flux[:3] for curve in c]),
    "series frame": lambda c: pd.DataFrame([curve.flux[:3] for curve in c]),
}
every_form = pytest.mark.parametrize("form", FORMS)


@pytest.fixture(scope="module")
def curves_and_labels():
    return make_curves()


@pytest.fixture
def data(curves_and_labels, form):
    curves, y = curves_and_labels
    return FORMS[form](curves), y


@every_form
def test_safe_indexing_keeps_the_form(data):
    X, _ = data
    assert _num_samples(X) == N
    for key in ([3, 1, 1], np.array([3, 1, 1]), slice(2, 5), np.arange(N) < 3):
        part = _safe_indexing(X, key)
        assert type(part) is type(X)
        expected = np.arange(N)[key]
        np.testing.assert_array_equal(
            as_light_curves(part).lengths, as_light_curves(X).lengths[expected]
        )


@every_form
def test_splits_and_resampling(data):
    X, y = data
    train, test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
    assert len(train) + len(test) == N
    assert len(y_train) == len(as_light_curves(train))
    assert len(y_test) == len(as_light_curves(test))
    assert len(as_light_curves(shuffle(X, random_state=0))) == N
    boot, labels = resample(X, y, random_state=0)
    assert pipe().fit(boot, labels).score(X, y) > 0.9


@every_form
def test_cross_validation(data):
    X, y = data
    assert cross_val_score(pipe(), X, y, cv=3, error_score="raise").min() > 0.9
    probability = cross_val_predict(pipe(), X, y, cv=3, method="predict_proba")
    assert probability.shape == (N, 2)
    groups = np.arange(N) // 4
    scores = cross_val_score(pipe(), X, y, groups=groups, cv=GroupKFold(3), error_score="raise")
    assert scores.min() > 0.9


@pytest.mark.slow
@pytest.mark.parametrize("form", ["LightCurves", "view", "NestedFrame", "list of light curves"])
def test_grid_search_in_processes(data):
    X, y = data
    grid = {"mean__power": [0.5, 1.0]}
    one = GridSearchCV(pipe(), grid, cv=3, error_score="raise").fit(X, y)
    two = GridSearchCV(pipe(), grid, cv=3, error_score="raise", n_jobs=2).fit(X, y)
    np.testing.assert_array_equal(
        one.cv_results_["mean_test_score"], two.cv_results_["mean_test_score"]
    )


def kind_of_store(curves):
    return [type(curves._store.time).__name__, type(curves._store.flux).__name__], curves.is_view


@pytest.mark.slow
def test_worker_processes_map_the_arrays_of_a_large_view(curves_and_labels):
    curves, _ = curves_and_labels
    found = joblib.Parallel(n_jobs=2, max_nbytes="1K")(
        joblib.delayed(kind_of_store)(curves[part]) for part in (slice(1, N), slice(0, N - 1))
    )
    for types, is_view in found:
        assert types == ["memmap", "memmap"]
        assert is_view


@every_form
def test_learning_curve_and_permutations(data):
    X, y = data
    sizes, train, test = learning_curve(
        pipe(), X, y, train_sizes=[0.5, 1.0], cv=ShuffleSplit(2, random_state=0),
        error_score="raise",
    )  # fmt: skip
    assert len(sizes) == 2
    assert train.shape == test.shape == (2, 2)
    score, _, _ = permutation_test_score(pipe(), X, y, cv=2, n_permutations=2, random_state=0)
    assert score > 0.9


@every_form
@pytest.mark.parametrize(
    "meta",
    [
        StackingClassifier([("a", pipe()), ("b", pipe())], cv=3),
        VotingClassifier([("a", pipe()), ("b", pipe())], voting="soft"),
        CalibratedClassifierCV(pipe(), cv=3),
        OneVsRestClassifier(pipe()),
    ],
    ids=lambda m: type(m).__name__,
)
def test_meta_estimators(data, meta):
    X, y = data
    fitted = clone(meta).fit(X, y)
    assert np.mean(fitted.predict(X) == y) > 0.9
    assert fitted.predict_proba(X).shape == (N, 2)


@every_form
def test_feature_union_clone_and_pickle(data):
    X, y = data
    union = FeatureUnion([("one", MeanFlux()), ("two", MeanFlux(power=0.5))])
    assert union.fit_transform(X).shape == (N, 4)
    fitted = make_pipeline(clone(union), LogisticRegression()).fit(X, y)
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict(X), fitted.predict(X))
    again = pickle.loads(pickle.dumps(X))
    np.testing.assert_array_equal(fitted.predict(again), fitted.predict(X))


@every_form
def test_set_output(data):
    X, _ = data
    frame = MeanFlux().set_output(transform="pandas").fit_transform(X)
    assert list(frame.columns) == ["mean_flux", "n_obs"]
    assert len(frame) == N
    has_index = isinstance(X, pd.DataFrame)  # of ids, in a NestedFrame
    assert frame.index.tolist() == (X.index.tolist() if has_index else list(range(N)))
    union = FeatureUnion([("one", MeanFlux())]).set_output(transform="pandas")
    assert list(union.fit_transform(X).columns) == ["one__mean_flux", "one__n_obs"]


OURS = {
    "pipe": lambda: make_pipeline(
        LightCurveEncoder("ztf"), StandardScaler(), LogisticRegression(C=0.05, max_iter=1000)
    ),
    "classifier": lambda: TransferClassifier("ztf", C=0.05, random_state=0),
    "regressor": lambda: RedshiftRegressor("ztf", random_state=0),
    "forest": lambda: LatentIsolationForest("ztf", n_estimators=5, random_state=0),
}


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(form, marks=[pytest.mark.slow] * (form not in {"LightCurves", "NestedFrame"}))
        for form in FORMS
    ],
)
@pytest.mark.parametrize("name", OURS)
def test_our_estimators(data, curves_and_labels, name):
    X, y = data
    if name == "regressor":
        y = curves_and_labels[0].metadata["redshift"].to_numpy(dtype=float)
    elif name == "forest":
        y = np.where(y == "faint", 1, -1)
    grid = {"lightcurveencoder__weights" if name == "pipe" else "encoder": ["ztf", "ztf+lsst"]}
    scoring = {"regressor": "r2", "forest": "roc_auc"}.get(name, "neg_log_loss")
    search = GridSearchCV(OURS[name](), grid, cv=2, scoring=scoring, error_score="raise")
    search.fit(X, y)
    assert len(set(search.cv_results_["mean_test_score"])) == 2
    assert search.predict(X).shape == (N,)
    if name in ("pipe", "classifier"):
        stack = StackingClassifier([("own", OURS[name]())], cv=2).fit(X, y)
        assert stack.predict(X).shape == (N,)


@pytest.mark.parametrize(
    "meta",
    [
        BaggingClassifier(pipe(), n_estimators=3, random_state=0),
        SelfTrainingClassifier(pipe()),
    ],
    ids=lambda m: type(m).__name__,
)
def test_meta_estimators_that_make_an_array_of_X(curves_and_labels, meta):
    """They take the nested column alone, and series; for the rest the error names the remedy."""
    curves, labels = curves_and_labels
    y = (labels == "bright").astype(int)
    some = np.where(np.arange(N) % 3 == 0, -1, y) if "Self" in type(meta).__name__ else y
    for X in (curves.to_nested()[["lightcurve"]], FORMS["series"](curves)):
        fitted = clone(meta).fit(X, some)
        assert np.mean(fitted.predict(X) == y) > 0.9
    with pytest.raises(TypeError, match=r"curves\.to_nested\(\)\[\[\"lightcurve\"\]\]"):
        clone(meta).fit(curves, some)
    with pytest.raises(LightCurveError, match=r"nested_frame\[\[\"lightcurve\"\]\]"):
        clone(meta).fit(curves.to_nested(), some)
