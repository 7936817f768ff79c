"""What the four estimators have in common: parameters, defaults, modes, metadata, routing."""

import inspect
import warnings
from dataclasses import dataclass

import numpy as np
import pytest
import sklearn
from numpydoc.docscrape import ClassDoc
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import Pipeline
from small import few_folds  # noqa: F401

from sklc import LatentIsolationForest, LightCurveEncoder, RedshiftRegressor, TransferClassifier
from sklc.errors import LightCurveError
from sklc.networks.objectives import Objective

QUICK = {"max_epochs": 2, "random_state": 0, "device": "cpu", "verbose": 0}
SMALL = {"hidden_size": 8, "latent_size": 6, **QUICK}
FOUR = [LightCurveEncoder, TransferClassifier, RedshiftRegressor, LatentIsolationForest]
BALANCED = {"class_weight": "balanced"}
# What stands in the docstring of `sklc.estimators.base`; `calibrate` and heads stand between.
ORDER = [
    "weights", "encoder", "finetune", "metadata_columns", "context", "min_points", "max_epochs",
    "batch_size", "learning_rate", "learning_rate_decay", "weight_decay", "finetune_learning_rate",
    "anchor", "early_stopping", "validation_fraction", "patience", "class_weight", "callbacks",
    "checkpoint", "n_jobs", "mixed_precision", "device", "random_state", "verbose", "metadata",
]  # fmt: skip


def defaults(estimator):
    return {k: v.default for k, v in inspect.signature(estimator).parameters.items()}


def target(estimator, demo, redshifts):
    return redshifts if estimator is RedshiftRegressor else demo[1]


def described(estimator):
    return {p.name: (p.type, p.desc) for p in ClassDoc(estimator)["Parameters"]}


# -- parameters


@pytest.mark.parametrize("estimator", FOUR)
def test_one_order_one_table_of_defaults_and_one_description(estimator):
    mine = defaults(estimator)
    assert [name for name in mine if name in ORDER] == [name for name in ORDER if name in mine]
    for other in FOUR:
        theirs = defaults(other)
        # the regressor needs weights that were trained on redshifts; its heads are others
        differ = {"encoder", "finetune", "head_sizes", "calibrate", "features", "early"}
        differ |= {"uncertainty", "n_samples"}
        for name in (set(mine) & set(theirs)) - differ:
            assert mine[name] == theirs[name] or mine[name] is theirs[name], name
            assert described(estimator)[name] == described(other)[name]
    assert (mine["batch_size"], mine["validation_fraction"]) == (64, 0.2)
    assert mine.get("class_weight") is None


@pytest.mark.parametrize("estimator", [TransferClassifier, RedshiftRegressor])
def test_defaults_of_class_and_pretrained_agree(estimator, demo):
    default = inspect.signature(estimator.pretrained).parameters["encoder"].default
    assert default == defaults(estimator)["encoder"]
    estimator(finetune="none").fit(demo[0])  # and it has what that needs


@pytest.mark.slow
def test_none_is_an_encoder_with_default_parameters(demo):
    curves, y = demo
    none, unfitted = (
        TransferClassifier(encoder, random_state=0, **params).fit(curves, y)
        for encoder, params in (
            (None, {"max_epochs": 2, "device": "cpu"}),
            (LightCurveEncoder(max_epochs=2, device="cpu"), {}),
        )
    )
    assert len(none.net_.history) == 2
    np.testing.assert_array_equal(none.predict_proba(curves), unfitted.predict_proba(curves))


@pytest.mark.slow
def test_an_encoder_that_is_trained_takes_class_weights_from_either(demo):
    params = {"max_epochs": 1, "device": "cpu", "random_state": 0}
    first, second = (
        TransferClassifier(LightCurveEncoder(**params, **inner), **outer, **QUICK).fit(*demo)
        for inner, outer in (({}, BALANCED), (BALANCED, {}))
    )
    np.testing.assert_array_equal(first.predict_proba(demo[0]), second.predict_proba(demo[0]))
    with pytest.raises(ValueError, match="both of the encoder and of the estimator"):
        TransferClassifier(LightCurveEncoder(**BALANCED), **BALANCED).fit(*demo)


@dataclass(frozen=True)
class Brightness(Objective):
    """An objective that trains no head for the classes."""

    def targets(self, curves, given):
        return {"brightness": np.array([np.log(c.flux.max()) for c in curves], np.float32)}

    def heads(self, targets):
        return {"brightness": (1,)}

    def loss(self, outputs, targets, progress):
        return (outputs.heads["brightness"][:, 0] - targets["brightness"]) ** 2


def test_an_objective_without_classes_gets_a_head(demo):
    curves, y = demo
    encoder = LightCurveEncoder(objective=Brightness(), **SMALL)
    clf = TransferClassifier(encoder, C=0.1, calibrate="temperature", **QUICK).fit(curves, y)
    assert clf.C_ == 0.1
    assert clf.score(curves, y) > 0.3
    np.testing.assert_array_equal(
        clf.encoder_.transform(curves), clone(encoder).fit(curves, y).transform(curves)
    )


@pytest.mark.parametrize("estimator", [TransferClassifier, RedshiftRegressor])
def test_coverage_is_a_keyword_with_one_default(estimator):
    for name in {"predict_set", "predict_interval"} & set(dir(estimator)):
        coverage = inspect.signature(getattr(estimator, name)).parameters["coverage"]
        assert (coverage.kind, coverage.default) == (inspect.Parameter.KEYWORD_ONLY, 0.9)


@pytest.mark.parametrize("estimator", FOUR)
def test_fitted_attributes_are_documented(estimator, demo, redshifts):
    y = target(estimator, demo, redshifts)
    fits = [estimator(**(SMALL if estimator is LightCurveEncoder else QUICK)).fit(demo[0], y)]
    if hasattr(estimator, "pretrained"):
        fits.append(estimator.pretrained())
    documented = {a.name for a in ClassDoc(estimator)["Attributes"]}
    for model in fits:
        found = {n for n in vars(model) if n.endswith("_") and not n.startswith("_")}
        found |= {
            name
            for name, value in inspect.getmembers(estimator)
            if isinstance(value, property) and name.endswith("_") and name[0] != "_"
        }
        assert found <= documented
        for name in documented - {"n_features_in_", "feature_names_in_"}:
            getattr(model, name)


# -- parameters that have no effect


UNREAD = [
    (TransferClassifier, {"finetune": "none"}, "C", 1.0),
    (TransferClassifier, {"finetune": "none"}, "head_sizes", (8,)),
    (TransferClassifier, {"finetune": "none"}, "metadata_columns", ["mwebv"]),
    (TransferClassifier, {"finetune": "none"}, "class_weight", "balanced"),
    (TransferClassifier, {"finetune": "none"}, "prior_labels", 10),
    (TransferClassifier, {"finetune": "none"}, "callbacks", [object()]),
    (TransferClassifier, {"finetune": "none"}, "anchor", 0.1),
    (TransferClassifier, {}, "class_prior", "magnitude-limited"),
    (TransferClassifier, {}, "anchor", 0.1),
    (TransferClassifier, {}, "finetune_learning_rate", 0.1),
    (TransferClassifier, {"head_sizes": (8,)}, "C", 1.0),
    (TransferClassifier, {"head_sizes": [8]}, "prior_labels", 0),
    (TransferClassifier, {"encoder": None}, "head_sizes", (8,)),
    (TransferClassifier, {"encoder": None}, "C", 1.0),
    (TransferClassifier, {"encoder": LightCurveEncoder()}, "prior_labels", 10),
    (TransferClassifier, {"encoder": LightCurveEncoder()}, "metadata_columns", ["mwebv"]),
    (TransferClassifier, {"encoder": LightCurveEncoder()}, "anchor", 0.1),
    (RedshiftRegressor, {"encoder": LightCurveEncoder()}, "anchor", 0.1),
    (TransferClassifier, {"encoder": None}, "anchor", 0.1),
    *((kind, {"encoder": None}, "finetune", "all") for kind in FOUR[1:]),
    *((kind, {"encoder": LightCurveEncoder()}, "finetune", "gru+head") for kind in FOUR[1:]),
    (TransferClassifier, {"encoder": LightCurveEncoder(objective=Brightness())}, "prior_labels", 0),
    (RedshiftRegressor, {"finetune": "none"}, "method", "knn"),
    (RedshiftRegressor, {"finetune": "none"}, "metadata_columns", ["mwebv"]),
    (RedshiftRegressor, {"finetune": "none"}, "head_sizes", (8,)),
    (RedshiftRegressor, {}, "n_neighbors", 5),
    (RedshiftRegressor, {"method": "knn"}, "head_sizes", (8,)),
    (RedshiftRegressor, {"method": "mlp"}, "n_neighbors", 5),
    (RedshiftRegressor, {}, "anchor", 0.1),
    (LatentIsolationForest, {}, "class_weight", "balanced"),
    (LatentIsolationForest, {}, "callbacks", [object()]),
    (LatentIsolationForest, {"finetune": "head"}, "anchor", 0.1),
    (LightCurveEncoder, {"weights": "ztf"}, "latent_size", 5),
    (LightCurveEncoder, {"weights": "ztf"}, "representation", "papers"),
    (LightCurveEncoder, {"weights": "ztf"}, "metadata_columns", ["mwebv"]),
    (LightCurveEncoder, {"weights": "ztf"}, "objective", "contrastive"),
    (LightCurveEncoder, {"weights": "ztf"}, "class_weight", "balanced"),
]


@pytest.mark.parametrize(("estimator", "mode", "name", "value"), UNREAD)
def test_parameters_that_are_not_read_are_refused(estimator, mode, name, value, demo, redshifts):
    y = target(estimator, demo, redshifts)
    with pytest.raises(
        ValueError, match=rf"^{name} is for .* has no effect with .*leave {name} out"
    ):
        estimator(**mode, **{name: value}, **QUICK).fit(demo[0], y)


@pytest.mark.parametrize(
    ("name", "value"), [("objective", "contrastive"), ("augment", True), ("checkpoint", "file")]
)
def test_redshifts_train_without_what_is_for_classes(demo, redshifts, name, value):
    with pytest.raises(
        ValueError, match=rf"^{name} is for .* trained on classes, and has no effec"
    ):
        RedshiftRegressor(LightCurveEncoder(**{name: value}), **QUICK).fit(demo[0], redshifts)


def test_surveys_that_no_objective_reads_are_refused(demo):
    survey = np.where(np.arange(90) % 2, "a", "b")
    message = r"survey= .*has no effect with .*leave survey out"
    for params in (SMALL, {**SMALL, "objective": "contrastive"}, {"weights": "ztf"}):
        with pytest.raises(ValueError, match=message):
            LightCurveEncoder(**params).fit(*demo, survey=survey)


def test_weights_refuse_sizes_before_fit_too(demo):
    with pytest.raises(ValueError, match="latent_size is for weights=None"):
        LightCurveEncoder("ztf", latent_size=5).transform(demo[0])
    with pytest.raises(ValueError, match="C is for a head that is trained"):
        TransferClassifier.pretrained("ztf", C=1.0)


def test_none_is_still_understood_by_the_forest(demo):
    forest = LatentIsolationForest("ztf", finetune=None, **QUICK)
    with pytest.warns(FutureWarning, match="finetune='none'") as caught:
        forest.fit(demo[0])
    assert [w.filename for w in caught] == [__file__]
    same = LatentIsolationForest("ztf", **QUICK).fit(demo[0])
    np.testing.assert_array_equal(forest.score_samples(demo[0]), same.score_samples(demo[0]))


# -- metadata columns


@pytest.mark.slow
@pytest.mark.parametrize("estimator", [LightCurveEncoder, TransferClassifier, RedshiftRegressor])
def test_the_former_name_of_metadata_columns(estimator, demo, redshifts):
    y = target(estimator, demo, redshifts)
    params = SMALL if estimator is LightCurveEncoder else QUICK
    old, new = (estimator(**params, **{k: ["mwebv"]}) for k in ("metadata", "metadata_columns"))
    with pytest.warns(FutureWarning, match="now called metadata_columns=") as caught:
        clone(old).fit(demo[0], y)
    assert [w.filename for w in caught if w.category is FutureWarning] == [__file__]
    with warnings.catch_warnings(action="error", category=FutureWarning):
        new.fit(demo[0], y)
        assert clone(new).get_params()["metadata"] == "deprecated"
    with pytest.warns(FutureWarning):
        old.fit(demo[0], y)
    assert old.metadata_columns_ == new.metadata_columns_ == ("mwebv",)
    method = "transform" if estimator is LightCurveEncoder else "predict"
    np.testing.assert_array_equal(getattr(old, method)(demo[0]), getattr(new, method)(demo[0]))
    with pytest.warns(FutureWarning), pytest.raises(ValueError, match="Both metadata= and"):
        old.set_params(metadata_columns=["mwebv"]).fit(demo[0], y)
    with pytest.raises(ValueError, match="must be an array-like"):
        estimator(**params, metadata_columns="mwebv").fit(demo[0], y)


# -- before fit, and without objects


METHODS = {
    LightCurveEncoder: ["transform"],
    TransferClassifier: ["predict", "predict_proba", "decision_function", "predict_set"],
    RedshiftRegressor: ["predict", "predict_quantiles", "predict_interval"],
    LatentIsolationForest: ["predict", "score_samples", "anomaly_score", "explain"],
}


@pytest.mark.slow
@pytest.mark.parametrize("estimator", FOUR)
def test_unfitted_estimators_and_zero_objects(estimator, demo, redshifts):
    model = estimator(**(SMALL if estimator is LightCurveEncoder else QUICK))
    for method in METHODS[estimator]:
        with pytest.raises(NotFittedError):
            getattr(model, method)(demo[0])
    model.fit(demo[0], target(estimator, demo, redshifts))
    for method in METHODS[estimator]:
        nothing, one = (getattr(model, method)(demo[0][:n]) for n in (0, 1))
        assert nothing.shape == (0, *one.shape[1:])
        assert getattr(nothing, "dtype", None) == getattr(one, "dtype", None)
    with pytest.raises(LightCurveError, match="0 light curves"):
        clone(model).fit(demo[0][:0], [])


# -- metadata routing


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


@pytest.mark.slow
def test_sample_weights_are_routed(demo, routing):
    curves, y = demo
    weight = np.where(y == "SNIa", 5.0, 1.0)
    clf = TransferClassifier("ztf", C=0.1, **QUICK)
    with pytest.raises(sklearn.exceptions.UnsetMetadataPassedError):
        cross_validate(clf, curves, y, cv=2, params={"sample_weight": weight})
    clf.set_fit_request(sample_weight=True).set_score_request(sample_weight=False)
    assert clone(clf).get_metadata_routing().fit.requests["sample_weight"] is True
    fits = {}
    for requested in (True, False):
        clf.set_fit_request(sample_weight=requested)
        params = {"sample_weight": weight} if requested else {}
        found = cross_validate(clf, curves, y, cv=2, params=params, return_estimator=True)
        fits[requested] = found["estimator"][0].predict_proba(curves)
    assert fits[True].mean(axis=0)[1] > fits[False].mean(axis=0)[1] + 0.02
    fitted = LightCurveEncoder(**SMALL).fit(curves, y)
    nested = TransferClassifier(fitted, **QUICK).set_fit_request(sample_weight=True)
    assert clone(nested).get_metadata_routing().fit.requests["sample_weight"] is True


def test_weights_and_surveys_are_routed_through_pipelines_and_searches(demo, routing):
    curves, y = demo
    survey = np.where(np.arange(len(y)) % 2, "a", "b")
    encoder = LightCurveEncoder(objective="adversarial", **SMALL)
    encoder.set_fit_request(survey=True, sample_weight=True)
    classifier = LogisticRegression().set_fit_request(sample_weight=False)
    pipe = Pipeline([("enc", encoder), ("clf", classifier)])
    weight = np.ones(len(y))
    scorer = make_scorer(accuracy_score).set_score_request(sample_weight=True)
    grid = {"clf__C": [0.1, 1.0]}
    search = GridSearchCV(pipe, grid, scoring=scorer, cv=2, error_score="raise")
    search.fit(curves, y, survey=survey, sample_weight=weight)
    assert search.predict(curves).shape == (90,)
    # without the request the surveys do not arrive, which is the encoder's own error
    pipe.set_params(enc=clone(encoder).set_fit_request(survey=False))
    plain = curves.with_metadata(survey=np.full(len(y), "one"))
    with pytest.raises(TypeError, match="survey"):
        pipe.fit(plain, y, survey=survey, sample_weight=weight)
    with pytest.raises(LightCurveError, match="all objects are of the survey 'one'"):
        pipe.fit(plain, y, sample_weight=weight)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["kernel", "mlp", "knn"])
def test_nothing_inside_stumbles_over_routing(demo, redshifts, routing, method):
    own = {"knn": {"n_neighbors": 5}, "mlp": {"head_sizes": (4,)}, "kernel": {}}[method]
    weight = np.linspace(0.5, 2, len(redshifts))
    model = RedshiftRegressor("ztf", method=method, **own, **QUICK)
    assert model.fit(demo[0], redshifts, weight).score(demo[0], redshifts) > 0.2
    LatentIsolationForest("ztf", **QUICK).fit(demo[0], demo[1], weight)
