"""The methods of the suite: each is a scikit-learn estimator that takes light curves as X."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from _suite_features import features
from _suite_rivals import (
    ParsnipFeatures,
    astromer,
    not_for_parsnip,
    without_astromer,
    without_parsnip,
)
from sklearn.base import is_classifier, is_outlier_detector, is_regressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.pipeline import Pipeline, make_pipeline

from sklc import (
    LatentIsolationForest,
    LightCurves,
    RedshiftRegressor,
    TransferClassifier,
)
from sklc.baselines import feature_classifier, feature_outlier_detector, feature_redshift_regressor
from sklc.datasets import load_demo
from sklc.weights.catalogue import manifest

KINDS = ("classifier", "regressor", "detector")
# Weights with which the features are joined by default; others are asked for by name.
JOINED = ("any", "ztf+lsst")
QUICK = ("any", "features-core")
FEATURES = ("core", "full")


def _never(*_: Any) -> Any:
    return None


def _no_reason(*_: Any) -> str:
    return ""


@dataclass(frozen=True)
class Method:
    """One column of the tables.

    Parameters
    ----------
    name, title : str
    build : callable
        Takes a kind of `KINDS` and a seed, and returns an unfitted estimator, or None where there
        is none of the kind.
    pretrained : callable
        Takes a kind, and returns an estimator that needs no labels, or None.
    weights : str
        Name of the weights with their version, "" without any.
    on_prefixes : bool
        Whether it has to be given the beginnings of light curves to classify early.
    missing : callable
        Returns why it cannot be used here, "" if it can.
    unfit : callable
        Takes light curves, and returns why it cannot read them, "" if it can.
    """

    name: str
    title: str
    build: Callable[[str, int], Any]
    pretrained: Callable[[str], Any] = field(default=_never)
    weights: str = ""
    on_prefixes: bool = False
    missing: Callable[[], str] = field(default=_no_reason)
    unfit: Callable[[LightCurves], str] = field(default=_no_reason)


# -- weights


def _transfer(weights: str, joined: str | None, kind: str, seed: int) -> Any:
    """Return a head on frozen latents; nothing is left to a default that may change."""
    # the transformer that the name of the set stands for, with a memory
    extractor = None if joined is None else features(joined)
    common = {"features": extractor, "device": "cpu", "random_state": seed, "verbose": 0}
    if kind == "classifier":
        return TransferClassifier(weights, finetune="head", early=True, **common)
    if kind == "regressor":
        return RedshiftRegressor(weights, finetune="head", early=True, **common)
    return LatentIsolationForest(weights, finetune="none", **common)


def _pretrained(weights: str, kind: str) -> Any:
    if kind == "classifier":
        return TransferClassifier.pretrained(weights, device="cpu", verbose=0)
    if kind == "regressor":
        try:
            return RedshiftRegressor.pretrained(weights, device="cpu", verbose=0)
        except ValueError:  # no redshift head
            return None
    return None


def of_weights(name: str) -> Method | None:
    """Return the method of weights, such as "any-v1" or "any-v1+core"; None if there are none."""
    known = manifest()
    for joined in (None, *FEATURES):
        alias = name.removesuffix(f"+{joined}") if joined else name
        weights = known["aliases"].get(alias, alias)
        if weights in known["weights"] and (alias != name or joined is None):
            break
    else:
        return None
    if joined is None:
        title = f"a head on frozen latents of `{weights}`, or a forest on them"
    else:
        title = f"`{weights}` with the {joined} set of features joined (`features={joined!r}`)"
    return Method(
        weights if joined is None else f"{weights}+{joined}",
        title,
        partial(_transfer, weights, joined),
        # features have no part in it without labels
        pretrained=_never if joined else partial(_pretrained, weights),
        weights=weights,
        missing=_without_light_curve if joined == "full" else _no_reason,
    )


# -- features


def _without_light_curve() -> str:
    if importlib.util.find_spec("light_curve") is None:
        return 'not installed: pip install "sklc[features]"'
    return ""


def _on_features(which: str, model: str, kind: str, seed: int) -> Any:
    extractor = features(which)
    if kind == "classifier":
        return feature_classifier(model, features=extractor, random_state=seed)
    if kind == "regressor":
        return feature_redshift_regressor(model, features=extractor, random_state=seed)
    return feature_outlier_detector(features=extractor, random_state=seed)


def _default_boosting(which: str, kind: str, seed: int) -> Any:
    if kind == "detector":
        return None
    model = (
        HistGradientBoostingClassifier if kind == "classifier" else HistGradientBoostingRegressor
    )
    imputer = feature_classifier()["imputer"]
    return make_pipeline(features(which), imputer, model(random_state=seed))


def _without_detector(build: Callable[[str, int], Any], kind: str, seed: int) -> Any:
    return None if kind == "detector" else build(kind, seed)


def _on_rival(transformer: Callable[[], Any], kinds: Sequence[str], kind: str, seed: int) -> Any:
    """Return the baseline of this kind with the features of another encoder."""
    if kind not in kinds:
        return None
    baseline: Pipeline = _on_features("core", "boosting", kind, seed)
    return Pipeline([("features", transformer()), *baseline.steps[1:]])


def _parsnip(model: str) -> Method:
    return Method(
        f"parsnip-{model}",
        f"ParSNIP (Boone 2021), its model {model!r}, given the true redshift"
        f"{' with an error of .03 (1 + z)' if model.endswith('photoz') else ''}, with the boosting "
        "or forest of `features-core`",
        # a regressor of redshifts would be given what it is asked for
        partial(_on_rival, partial(ParsnipFeatures, model), ("classifier", "detector")),
        on_prefixes=True,
        missing=without_parsnip,
        unfit=partial(not_for_parsnip, model),
    )


BASELINES = (
    Method(
        "features-core",
        "core features of `sklc.LightCurveFeatures` with gradient boosting of `sklc.baselines`; "
        "an isolation forest for anomalies",
        partial(_on_features, "core", "boosting"),
        on_prefixes=True,
    ),
    Method(
        "features-core-histgb",
        "the same features with scikit-learn's `HistGradientBoosting` and its default settings",
        partial(_default_boosting, "core"),
        on_prefixes=True,
    ),
    Method(
        "features-full",
        "all features, with statistics and fits of the light-curve package, boosting as above",
        partial(_on_features, "full", "boosting"),
        on_prefixes=True,
        missing=_without_light_curve,
    ),
    Method(
        "features-full-forest",
        "the same with a random forest",
        partial(_without_detector, partial(_on_features, "full", "forest")),
        on_prefixes=True,
        missing=_without_light_curve,
    ),
    _parsnip("plasticc"),
    _parsnip("plasticc_photoz"),
    _parsnip("ps1"),
    Method(
        "astromer",
        "Astromer 1 (Donoso-Oliva et al. 2023), `sklc.external`, a mean embedding per passband, "
        "with the boosting or forest of `features-core`",
        partial(_on_rival, astromer, KINDS),
        on_prefixes=True,
        missing=without_astromer,
    ),
)


# -- the user's own


def of_user(text: str) -> Method:
    """Return the method that ``module:factory`` makes.

    Parameters
    ----------
    text : str
        The module is looked for in the current folder, too. The factory returns an unfitted
        estimator. If it has a parameter, it is called with each of `KINDS`, and may return None.

    Raises
    ------
    ValueError
        If there is no such factory, or what it returns does not take light curves.
    """
    module, _, name = text.partition(":")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        factory = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"--method {text}: {error}; write MODULE:FACTORY") from None
    if not callable(factory):
        raise ValueError(f"--method {text}: {name} is not a function that returns an estimator")
    build = partial(_made_by_user, module, name)
    try:
        estimators = {kind: build(kind, 0) for kind in KINDS}
    except Exception as error:
        raise ValueError(
            f"--method {text}: {name} raised {type(error).__name__}: {str(error)[:80]}"
        ) from error
    if not any(estimator is not None for estimator in estimators.values()):
        made = _call(factory, "classifier")
        raise ValueError(
            f"--method {text}: {name} returned {str(made)[:80]!r}, which is neither a classifier, "
            "nor a regressor, nor an outlier detector of scikit-learn"
        )
    for kind, estimator in estimators.items():
        if estimator is not None:
            _require_light_curves(text, kind, estimator)
    return Method(text, "yours", build)


def _made_by_user(module: str, name: str, kind: str, seed: int) -> Any:
    """Call the factory, by its name so that it reaches other processes, and set the seeds."""
    estimator = _call(getattr(importlib.import_module(module), name), kind)
    if not hasattr(estimator, "fit") or not _is_of_kind(estimator, kind):
        return None
    seeds = {
        key: seed
        for key, value in estimator.get_params().items()
        if key.split("__")[-1] == "random_state" and value is None
    }
    return estimator.set_params(**seeds)


def _call(factory: Callable[..., Any], kind: str) -> Any:
    return factory(kind) if inspect.signature(factory).parameters else factory()


def _is_of_kind(estimator: Any, kind: str) -> bool:
    checks = {
        "classifier": is_classifier,
        "regressor": is_regressor,
        "detector": is_outlier_detector,
    }
    try:
        return bool(checks[kind](estimator))
    except (AttributeError, TypeError):  # no tags: not of scikit-learn
        return False


def _require_light_curves(text: str, kind: str, estimator: Any) -> None:
    """Fit on a few light curves, and refuse an estimator that cannot."""
    curves, y = load_demo(return_X_y=True)
    rows = np.arange(0, len(curves), 8)
    curves, y = curves[rows], y[rows]
    target = curves.metadata["redshift"].to_numpy() if kind == "regressor" else y
    step = {"classifier": "predict_proba", "regressor": "predict", "detector": "score_samples"}
    name = type(estimator).__name__
    if not hasattr(estimator, step[kind]):
        raise ValueError(
            f"--method {text}: {name} has no {step[kind]}, which the suite scores a {kind} by"
        )
    try:
        predicted = np.asarray(getattr(estimator.fit(curves, target), step[kind])(curves[:5]))
    except Exception as error:
        raise ValueError(
            f"--method {text}: {name} does not take light curves as X ({type(error).__name__}: "
            f"{str(error)[:80]}). Put a transformer of light curves in front, such as "
            'make_pipeline(LightCurveEncoder("any"), LogisticRegression(max_iter=1000))'
        ) from error
    expected = (5, len(np.unique(y))) if kind == "classifier" else (5,)
    if predicted.shape != expected:
        raise ValueError(
            f"--method {text}: {step[kind]} of {name} returns the shape {predicted.shape} for 5 "
            f"light curves, and not {expected}"
        )


# -- all


def default_methods(quick: bool) -> dict[str, Method]:
    """Return the methods that are measured unless ``--only`` names others, by name."""
    aliases = sorted(manifest()["aliases"])
    names = [*JOINED, *(name for name in aliases if name not in JOINED)]
    names = [n for name in names for n in (name, *(f"{name}+{f}" for f in FEATURES))
             if n == name or name in JOINED]  # fmt: skip
    found = {m.name: m for name in names if (m := of_weights(name)) is not None}
    found |= {method.name: method for method in BASELINES}
    if quick:
        chosen = [m.name for name in QUICK if (m := of_weights(name)) is not None] + list(QUICK)
        found = {name: found[name] for name in chosen if name in found}
    return found


def named_method(name: str) -> Method | None:
    """Return a method by name or by an alias of its weights; None if there is none."""
    return of_weights(name) or next((m for m in BASELINES if m.name == name), None)
