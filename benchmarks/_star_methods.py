"""What is measured on variable stars: representations with a head, and fine-tuned encoders."""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import os
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _suite_features import _digests as digests_of
from scipy.stats import kurtosis, skew
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sklc import LightCurveEncoder, LightCurveFeatures, LightCurves, TransferClassifier
from sklc.baselines import feature_classifier
from sklc.external import Astromer1, EmbeddingModel
from sklc.networks.architectures.choice import network_from_config
from sklc.weights.catalogue import file_digest, manifest
from sklc.weights.file import WeightsFile, load_weights

# Weights whose rows are always there, as far as they are in the package.
WEIGHTS = ("any", "ztf+lsst", "variables")
ASTROMER = "astromer1_macho_a0.zip"
# Files of light_curve.embed, by name of the row: the class, and its size.
EMBEDDINGS = {
    "astromer2": ("Astromer2", None),
    "chronos2": ("Chronos2", None),
    "chronos-bolt-tiny": ("ChronosBolt", "tiny"),
    "moment1-small": ("Moment1", "small"),
}
N_KERNELS, N_COMPONENTS = 10_000, 256  # of MiniRocket


@dataclass(frozen=True)
class StarMethod:
    """One row of the tables.

    Parameters
    ----------
    name, title : str
    form : str
        The representation that it reads, a key of `representations`; "" for light curves.
    build : callable
        Takes a seed, and returns an unfitted classifier.
    weights : str
        Digest of the weights, "" without any.
    missing : str
        Why it cannot be measured here, "" if it can.
    """

    name: str
    title: str
    form: str
    build: Callable[[int], Any]
    weights: str = ""
    missing: str = ""


# -- representations


class Statistics(TransformerMixin, BaseEstimator):
    """Five statistics of the magnitudes of a star in one band, none of which is a brightness."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        """Return log spread, log range, skewness, kurtosis and von Neumann ratio."""
        rows = []
        for curve in X:
            flux = np.asarray(curve.flux, dtype=float)
            magnitude = -2.5 * np.log10(flux[flux > 0])
            if len(magnitude) < 3 or np.ptp(magnitude) == 0:
                rows.append(np.full(5, np.nan))
                continue
            spread = magnitude.std()
            low, high = np.quantile(magnitude, [0.05, 0.95])
            steps = np.mean(np.diff(magnitude) ** 2) / spread**2
            shape = skew(magnitude), kurtosis(magnitude)
            rows.append([np.log(spread), np.log(high - low + 1e-9), *shape, np.log(steps + 1e-9)])
        return np.array(rows)


class MiniRocketFeatures(TransformerMixin, BaseEstimator):
    """Principal components of MiniRocket (Dempster et al. 2021) on magnitudes in their order.

    It reads series of one length, so that the magnitudes are interpolated at 200 numbers of the
    observation; times have no part in it.
    """

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        from aeon.transformations.collection.convolution_based import MiniRocket
        from sklearn.decomposition import PCA

        rows = []
        for curve in X:
            flux = np.asarray(curve.flux, dtype=float)
            magnitude = -2.5 * np.log10(flux[flux > 0])
            place = np.linspace(0, len(magnitude) - 1, 200)
            rows.append(np.interp(place, np.arange(len(magnitude)), magnitude))
        series = np.array(rows)[:, None, :]
        series = (series - series.mean(axis=2, keepdims=True)) / (
            series.std(axis=2, keepdims=True) + 1e-9
        )
        found = MiniRocket(n_kernels=N_KERNELS, random_state=0).fit_transform(series)
        scaled = StandardScaler().fit_transform(np.asarray(found))
        return PCA(min(N_COMPONENTS, *scaled.shape), random_state=0).fit_transform(scaled)


class UntrainedEncoder(TransformerMixin, BaseEstimator):
    """The network of some weights before any training."""

    def __init__(self, weights="any", seed=0):
        self.weights = weights
        self.seed = seed

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        file = load_weights(self.weights)
        torch.manual_seed(self.seed)
        network = network_from_config(file.architecture, file.representation.channels)
        with tempfile.TemporaryDirectory() as folder:
            path = WeightsFile.from_network(
                network, file.representation, file.classes, file.metadata_columns
            ).save(Path(folder) / "untrained.safetensors")
            return LightCurveEncoder(path, device="cpu", verbose=0).fit(X).transform(X)


class UntrainedAstromer(Astromer1):
    """The network of Astromer 1 before any training."""

    def _prepare(self):
        width = super()._prepare()
        self.network_.reset_as_published(torch.Generator().manual_seed(0))
        return width


class Remembered(TransformerMixin, BaseEstimator):
    """Another transformer, whose rows are computed once for each light curve in a process."""

    rows: dict[tuple, np.ndarray] = {}

    def __init__(self, transformer):
        self.transformer = transformer

    def fit(self, X, y=None):
        self.transformer_ = clone(self.transformer).fit(X)
        return self

    def transform(self, X):
        about = (repr(self.transformer), getattr(self.transformer_, "passbands_", ()), X.zero_point)
        keys = [(about, digest) for digest in digests_of(X)]
        new = [row for row, key in enumerate(keys) if key not in self.rows]
        if new:
            found = np.asarray(self.transformer_.transform(X[np.array(new)]))
            self.rows.update(zip([keys[row] for row in new], found, strict=True))
        return np.stack([self.rows[key] for key in keys])

    def get_feature_names_out(self, input_features=None):
        return self.transformer_.get_feature_names_out(input_features)


def knows_periods() -> bool:
    return "period" in inspect.signature(LightCurveFeatures).parameters


def represent(transformer: Any, curves: LightCurves) -> np.ndarray:
    """Return what a transformer makes of light curves; nothing in it reads labels."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # passbands unlike those of the training, on purpose
        return np.asarray(transformer.fit_transform(curves), dtype=float)


# -- heads


def probe(seed: int) -> Any:
    """Return a logistic regression, whose strength is chosen within the training stars."""
    strength = GridSearchCV(
        LogisticRegression(max_iter=500),
        {"C": (0.003, 0.03, 0.3)},
        cv=StratifiedKFold(3, shuffle=True, random_state=seed),
        scoring="neg_log_loss",
    )
    return make_pipeline(
        SimpleImputer(strategy="median", keep_empty_features=True),
        StandardScaler(),
        FunctionTransformer(partial(np.clip, a_min=-8.0, a_max=8.0)),  # features have long tails
        strength,
    )


def boosting(seed: int) -> Any:
    return feature_classifier(random_state=seed)[1:]


def forest(seed: int) -> Any:
    return feature_classifier("forest", random_state=seed)[1:]


def transfer(weights: str, joined: str, finetune: str, seed: int) -> Any:
    """Return an encoder with a head; stars are known from their whole light curves."""
    features = {"": None, "core": Remembered(CORE), "full": Remembered(FULL)}
    if knows_periods():
        features["period"] = Remembered(LightCurveFeatures(period=True))
    return TransferClassifier(
        weights, finetune=finetune, features=features[joined], early=False, device="cpu",
        random_state=seed, verbose=0, max_epochs=30, batch_size=32,
    )  # fmt: skip


CORE = LightCurveFeatures(statistics="core", parametric_fit=False)
FULL = LightCurveFeatures()


# -- all


def named_methods(options: Any) -> tuple[dict[str, StarMethod], dict[str, Any]]:
    """Return the methods by name, and the transformers of the representations they read."""
    forms: dict[str, Any] = {"statistics": Statistics(), "features": FULL}
    no_period = "" if knows_periods() else "LightCurveFeatures of this version knows no period"
    if not no_period:
        forms["features, period"] = LightCurveFeatures(period=True)
    found = [
        StarMethod("statistics", "five statistics of the magnitudes, logistic probe", "statistics",
                   probe),
    ]  # fmt: skip
    for form, reason in (("features", ""), ("features, period", no_period)):
        title = "hand-crafted features (`LightCurveFeatures"
        title += "(period=True)`)" if "period" in form else "`, which knows no period)"
        found += [
            StarMethod(form, f"{title}, logistic probe", form, probe, missing=reason),
            StarMethod(f"{form}, boosting", f"{title}, gradient boosting", form, boosting,
                       missing=reason),
            StarMethod(f"{form}, forest", f"{title}, random forest", form, forest,
                       missing=reason),
        ]  # fmt: skip
    found += _astromer(options, forms)
    found += _embeddings(options, forms)
    found.append(_minirocket(forms))
    for weights in _weights(options):
        found += _of_weights(weights, forms, no_period)
    return {method.name: method for method in found}, forms


def _weights(options: Any) -> list[str]:
    known = {*manifest()["weights"], *manifest()["aliases"]}
    default = [name for name in WEIGHTS if name in known]
    return list(dict.fromkeys([*default, *options.weights]))


def _of_weights(weights: str, forms: dict[str, Any], no_period: str) -> list[StarMethod]:
    known = manifest()
    name = known["aliases"].get(weights, weights)
    if name in known["weights"]:
        digest, label = known["weights"][name]["sha256"], weights
    else:
        digest, label = str(file_digest(Path(weights))), Path(weights).stem
    load_weights(weights)  # a wrong name or file is an error before anything is measured
    forms[label] = LightCurveEncoder(weights, device="cpu", verbose=0)
    forms[f"{label}, untrained"] = UntrainedEncoder(weights)
    heads = {
        "": ("latents alone", ""),
        "core": ("with the core features", ""),
        "full": ("with all features", ""),
        "period": ("with all features and periods", no_period),
    }
    return [
        StarMethod(label, f"latents of `{label}`, logistic probe", label, probe, digest),
        StarMethod(
            f"{label}, untrained",
            f"the network of `{label}` before any training, logistic probe",
            f"{label}, untrained",
            probe,
            digest,
        ),
        *(
            StarMethod(
                f"{label}, TransferClassifier{f' + {joined}' if joined else ''}",
                f'`TransferClassifier("{label}", finetune="head")`, {title}',
                "",
                partial(transfer, weights, joined, "head"),
                digest,
                missing,
            )
            for joined, (title, missing) in heads.items()
        ),
        StarMethod(
            f"{label}, fine-tuned",
            f'`TransferClassifier("{label}", finetune="all")`, latents alone',
            "",
            partial(transfer, weights, "", "all"),
            digest,
        ),
    ]


def _astromer(options: Any, forms: dict[str, Any]) -> list[StarMethod]:
    path = options.data / "rivals" / ASTROMER
    reason = "" if path.is_file() else f"there is no {path.name} in DIR/rivals"
    digest = hashlib.sha256(path.read_bytes()).hexdigest() if not reason else ""
    forms["astromer1"] = Astromer1(path, device="cpu")
    forms["astromer1, untrained"] = UntrainedAstromer(path, device="cpu")
    title = "Astromer 1 (Donoso-Oliva et al. 2023), its weights macho_a0"
    return [
        StarMethod("astromer1", f"{title}, logistic probe", "astromer1", probe, digest, reason),
        StarMethod(
            "astromer1, untrained", "the network of Astromer 1 before any training, logistic probe",
            "astromer1, untrained", probe, digest, reason,
        ),
    ]  # fmt: skip


def _embeddings(options: Any, forms: dict[str, Any]) -> list[StarMethod]:
    found = []
    for name, (model, size) in EMBEDDINGS.items():
        path = options.data / "rivals" / f"{name}.onnx"
        file = path if path.is_file() else None
        forms[name] = EmbeddingModel(model, file=file, size=size)
        title = f"`EmbeddingModel({model!r}{f', size={size!r}' if size else ''})`, logistic probe"
        reason = "" if file else _cannot_download(name, forms[name])
        found.append(StarMethod(name, title, name, probe, missing=reason))
    return found


def _cannot_download(name: str, model: EmbeddingModel) -> str:
    """Return why a model is not here; "" if it could be downloaded."""
    missing = f"there is no {name}.onnx in DIR/rivals"
    if importlib.util.find_spec("huggingface_hub") is None:
        return f"{missing}, and without huggingface_hub it cannot be downloaded"
    if os.environ.get("HF_HUB_OFFLINE"):
        return f"{missing}, and HF_HUB_OFFLINE is set"
    try:
        model._prepare()
    except (ImportError, ValueError) as error:
        return f"{missing}, and {' '.join(str(error).split())[:120]}"
    return ""


def _minirocket(forms: dict[str, Any]) -> StarMethod:
    forms["minirocket"] = MiniRocketFeatures()
    reason = "" if importlib.util.find_spec("aeon") else "not installed: pip install aeon"
    title = f"MiniRocket of aeon, {N_COMPONENTS} principal components, logistic probe"
    return StarMethod("minirocket", title, "minirocket", probe, missing=reason)
