"""LatentIsolationForest: find the light curves that are unlike the normal ones."""

from __future__ import annotations

import warnings
from dataclasses import replace
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import OutlierMixin
from sklearn.ensemble import IsolationForest
from sklearn.utils.validation import check_is_fitted

from sklc.errors import LightCurveError
from sklc.estimators.base import plain, require_two_classes
from sklc.estimators.class_fitting import keeps_its_head
from sklc.estimators.class_mixture import ClassMixture
from sklc.estimators.outlier_forest import ClassCentres, LatentForest, LatentSpace
from sklc.estimators.outlier_latents import LatentSource
from sklc.estimators.sample import TrainingSample
from sklc.estimators.stacking import FEATURES_CONSTRAINTS, fit_features
from sklc.estimators.transfer import TRANSFER_CONSTRAINTS, TransferEstimator, is_trained_on_labels
from sklc.features import describe
from sklc.light_curves import LightCurves
from sklc.light_curves.metadata import name_object
from sklc.light_curves.usable import check_on_error, screen, select, skips_unusable
from sklc.networks.device import resolve_device, single_thread_in_workers
from sklc.utils.sklearn_compat import Interval, StrOptions, fit_context, unrouted

__all__ = ["LatentIsolationForest"]


class LatentIsolationForest(OutlierMixin, TransferEstimator):
    """Detect anomalous light curves by how much they differ from normal ones.

    The score combines an isolation forest on the latents of a pretrained encoder (Gupta,
    Muthukrishna & Lochner 2025) with the probabilities of the encoder's own classes: an object is
    anomalous, too, if it looks like a simulated class that is not among the normal objects.

    Parameters
    ----------
    encoder : str, path, LightCurveEncoder or None, default="any"
        Name or file of pretrained weights; an encoder with weights; an encoder that you fitted,
        whose network is then used (a copy: yours is never changed); or an unfitted encoder
        without weights, which is trained on the classes `y` of the normal objects. None stands for
        such an encoder with default parameters. The parameters of an encoder are reached as
        ``encoder__...``.
    finetune : {"none", "head", "backbone+head", "all"}, default="none"
        What is trained of an encoder with weights. "none" trains nothing: the forest reads the
        latents of the encoder. With the others, a classifier of the normal classes y is trained
        first, as `TransferClassifier` does, and the forest reads its class logits beside the
        latents of its encoder.
    per_class : bool, default=False
        Whether to grow one forest per class of y. The score of an object is then the lowest of
        its anomaly scores.
    n_components : int, float or None, default=0.99
        Number of principal components of the latents that the forest reads, each scaled to unit
        variance, or the share of the variance that they explain. With None, the forest reads the
        latents themselves.
    features : {"core", "full"}, transformer or None, default=None
        Features beside the latent, as in `TransferClassifier`, each scaled to unit variance. On
        real supernovae they lower the AUROC, from .932 to .910 with "core".
    rare_class_weight : float, default=1.0
        Weight of the classes of the pretrained weights relative to the forest, see Notes. With 0,
        the score is that of the forest alone.
    n_estimators : int, default=100
        Number of trees of a forest.
    max_samples : "auto", int or float, default="auto"
        Number, or share, of the objects that each tree is grown on. "auto" is 256 objects, or all
        of them if there are fewer.
    contamination : "auto" or float, default="auto"
        Share of the training data that counts as outliers, (0, 0.5]. With "auto", outliers have an
        anomaly score above 0.5, as in `sklearn.ensemble.IsolationForest`.
    min_points : int, default=1
        Fewest observations an object must have; an object with fewer is an error that names it.
    max_epochs : int, default=40
        Number of passes over the training data, where a network is trained.
    batch_size : int, default=64
        Number of objects per gradient step.
    learning_rate : float, default=1e-3
        Learning rate of a network trained from scratch, or of a head with hidden layers.
    finetune_learning_rate : float, default=3e-4
        Learning rate of fine-tuning.
    anchor : float, default=1e-3
        Strength of the pull of fine-tuned weights to the pretrained ones (L2-SP).
    early_stopping : bool, default=True
        Whether to hold out a stratified part of the training data, with every class on either side,
        where a network is trained, and to stop when the loss on it has not improved for `patience`
        epochs. The weights of the best epoch are kept.
    validation_fraction : float, default=0.2
        Share of the training data that is held out where a network is trained.
    patience : int, default=5
        Number of epochs without improvement before training stops.
    class_weight : {"balanced"}, dict of label to weight, or None, default=None
        Weights of the classes in the loss; "balanced" weights each class by 1/frequency.
        Without weights, probabilities follow the class frequencies of the training data.
    callbacks : list of skorch callbacks or None, default=None
        Callbacks that are added to the training of a network.
    n_jobs : int or None, default=None
        Number of threads of the forest. None is 1, and -1 is all cores.
    mixed_precision : bool or "auto", default="auto"
        Whether recurrent layers may round the factors of their products to 10 bits (TF32) on a GPU,
        which changes latents by up to .006 of their spread. "auto" is True; no matter on the CPU.
    device : str, default="auto"
        Where to compute: "auto" (the GPU where there is one), "cpu", or a torch device.
    random_state : int, RandomState instance or None, default=None
        Seed of every random draw on the CPU.
    verbose : int, bool or "auto", default="auto"
        Whether to show a progress bar on standard error. "auto" shows it in a terminal or notebook,
        where training takes longer than a few seconds; 0 never does, and 1 always.

    Attributes
    ----------
    encoder_ : LightCurveEncoder
        The encoder whose latents the forest reads. If its network was trained here, the network is
        the encoder's parameter `weights`, so that ``clone`` and other estimators keep it.
    classes_ : ndarray of shape (n_classes,)
        Normal classes: those of y, or else the classes of the weights that were found among the
        normal objects.
    rare_classes_ : ndarray of str
        Classes of the weights that were not found among the normal objects. Without any, the
        score is that of the forest alone. There are none for an encoder that was fine-tuned by
        another estimator, since the classes of the weights no longer fit its latents.
    class_shares_ : Series of float
        Estimated share of each class of the weights among the normal objects.
    offset_ : float
        ``decision_function = score_samples - offset_``.
    features_ : transformer or None
        What computes the features beside the latent.
    n_features_in_ : int
        Length of the series, when fitted on a 2-D array.
    feature_names_in_ : ndarray of str
        Column names, when fitted on a 2-D data frame.

    Notes
    -----
    The anomaly score is ``a + rare_class_weight * s_a * (r - m) / s``. Here a is the score of the
    forest, 0 to 1. r is the logarithm of a likelihood ratio, all classes of the weights in equal
    parts to the mixture of them that the normal objects are; the mixture is estimated from the
    normal objects, without y, by expectation maximisation (Saerens, Latinne & Decaestecker 2002).
    m and s are the mean and standard deviation of r, and s_a that of a, in the training data.

    References
    ----------
    Gupta, Muthukrishna & Lochner 2025, RASTI, rzae054.
    Liu, Ting & Zhou 2008, ICDM, 413.

    Examples
    --------
    >>> from sklc import LatentIsolationForest
    >>> from sklc.datasets import load_demo
    >>> curves, y = load_demo(return_X_y=True)
    >>> normal = y != "SNII"
    >>> forest = LatentIsolationForest("any", random_state=0)
    >>> forest = forest.fit(curves[normal][::2], y[normal][::2])
    >>> scores = forest.anomaly_score(curves[1::2])
    >>> bool(scores[~normal[1::2]].mean() > scores[normal[1::2]].mean())
    True
    >>> forest.predict(curves[:3]).shape
    (3,)
    """

    _parameter_constraints: dict = {
        "per_class": ["boolean"],
        "n_components": [
            Interval(Integral, 1, None, closed="left"),
            Interval(Real, 0, 1, closed="neither"),
            None,
        ],
        **FEATURES_CONSTRAINTS,
        "rare_class_weight": [Interval(Real, 0, None, closed="left")],
        "n_estimators": [Interval(Integral, 1, None, closed="left")],
        "max_samples": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
            Interval(Real, 0, 1, closed="right"),
        ],
        "contamination": [StrOptions({"auto"}), Interval(Real, 0, 0.5, closed="right")],
        "n_jobs": [Integral, None],
        **TRANSFER_CONSTRAINTS,
        "finetune": [*TRANSFER_CONSTRAINTS["finetune"], None],
    }

    def __init__(
        self,
        encoder="any",
        *,
        finetune="none",
        per_class=False,
        n_components=0.99,
        features=None,
        rare_class_weight=1.0,
        n_estimators=100,
        max_samples="auto",
        contamination="auto",
        min_points=1,
        max_epochs=40,
        batch_size=64,
        learning_rate=1e-3,
        finetune_learning_rate=3e-4,
        anchor=1e-3,
        early_stopping=True,
        validation_fraction=0.2,
        patience=5,
        class_weight=None,
        callbacks=None,
        n_jobs=None,
        mixed_precision="auto",
        device="auto",
        random_state=None,
        verbose="auto",
    ):
        self.encoder = encoder
        self.finetune = finetune
        self.per_class = per_class
        self.n_components = n_components
        self.features = features
        self.rare_class_weight = rare_class_weight
        self.n_estimators = n_estimators
        self.max_samples = max_samples
        self.contamination = contamination
        self.min_points = min_points
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.finetune_learning_rate = finetune_learning_rate
        self.anchor = anchor
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.class_weight = class_weight
        self.callbacks = callbacks
        self.n_jobs = n_jobs
        self.mixed_precision = mixed_precision
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = bool(self._needs_labels())
        return tags

    def fit(self, X, y=None, sample_weight=None):
        """Learn what is normal.

        Parameters
        ----------
        X : light curves of n_objects
            Normal objects, or data in which the others are few, in any form that
            `sklc.as_light_curves` takes.
        y : array-like of shape (n_objects,), optional
            Classes of the normal objects. Required with `per_class`, `finetune`, and an encoder
            that has to be trained; otherwise used for `explain` and to find rare classes. A Series
            that is indexed by the ids is put into the order of X; so is `sample_weight`.
        sample_weight : array-like of shape (n_objects,), optional
            Weight of each object in the forest, in the estimated mixture of classes, and in
            networks that are trained. A weight of k is the same as k copies of the object, and 0
            leaves it out.

        Returns
        -------
        LatentIsolationForest
            Itself.

        Raises
        ------
        LightCurveError
            If an object cannot be used, a class has too few members, or there is one object only.
        ValueError
            If y is missing where it is required, or of another length, or a parameter is set that
            has no effect with the others.
        """
        self._learn(X, y, sample_weight)
        return self

    @fit_context(prefer_skip_nested_validation=False)
    def _learn(self, X, y, sample_weight) -> tuple[TrainingSample, np.ndarray]:
        """Fit, and return the distinct objects with their negative anomaly scores."""
        self._check_mode()
        curves = self._curves(X, reset=True)
        y, sample_weight = self._in_order(X, curves, y=y, sample_weight=sample_weight)
        if y is not None:
            y = self._labels(y, curves)
        elif reason := self._needs_labels():
            raise ValueError(
                f"This {type(self).__name__} requires y to be passed, the classes of the normal "
                f"objects, because {reason}; and y is None."
            )
        resolve_device(self.device)
        sample = TrainingSample.of(curves, y, sample_weight)
        self._check_numbers(sample)
        seed, weight = self._seed(), sample.weight
        with single_thread_in_workers():
            self._source = LatentSource.prepare(self, sample, seed)
        self.encoder_ = self._source.encoder
        latent, logits, log_probabilities = self._source.describe(sample.curves)
        if not np.ptp(latent, axis=0).any():
            raise LightCurveError(
                f"All {len(curves)} light curves have the same latent, from {sample.name(0)} on, "
                "so that nothing tells them apart: pass different ones."
            )
        names = self._source.reference.classes_
        if not len(names):  # trained on redshifts alone
            names = np.array(["normal"])
        self._mixture = ClassMixture.estimate(names, log_probabilities, sample.y, weight)
        if self._source.reference._is_fine_tuned():
            every = np.ones_like(self._mixture.is_normal)
            self._mixture = replace(self._mixture, is_normal=every)
        self.rare_classes_ = self._mixture.rare
        self.class_shares_ = pd.Series(self._mixture.shares, index=pd.Index(names, name="class"))
        with unrouted():
            self.features_ = fit_features(self.features, sample.curves)
            described = self._described(sample.curves)
            self._space = LatentSpace(self.n_components).fit(latent, logits, described)
        columns = self._space.transform(latent, logits, described)
        known = sample.y
        if known is None:
            known = self._mixture.most_probable_normal(log_probabilities)
        self._centres = ClassCentres().fit(columns, known, weight)
        self.classes_ = self._centres.labels
        self._forest = LatentForest(
            IsolationForest(
                n_estimators=self.n_estimators,
                max_samples=self.max_samples,
                n_jobs=self.n_jobs,
                random_state=seed,
            )
        )
        with unrouted():
            self._forest.fit(columns, sample.y if self.per_class else None, weight)
        isolation = self._forest.anomaly_score(columns)
        ratio = self._mixture.log_ratio(log_probabilities)
        self._ratio_mean, spread = _mean_and_std(ratio, weight)
        unit, self._ratio_weight = _mean_and_std(isolation, weight)[1], 0.0
        if len(self.rare_classes_) and spread > 0:
            self._ratio_weight = self.rare_class_weight * unit / spread
        scores = -self._combine(isolation, ratio)
        self.offset_ = -0.5
        if self.contamination != "auto":
            share = float(self.contamination)
            options: dict[str, Any] = (
                {} if weight is None else {"weights": weight, "method": "inverted_cdf"}
            )
            self.offset_ = float(np.quantile(scores, share, **options))
        return sample, scores

    def fit_predict(self, X, y=None, sample_weight=None, *, on_error="raise"):
        """Learn what is normal, and label the same objects.

        Parameters
        ----------
        X : light curves of n_objects
            In any form that `sklc.as_light_curves` takes.
        y : array-like of shape (n_objects,), optional
            Classes of the normal objects, as in `fit`.
        sample_weight : array-like of shape (n_objects,), optional
            Weight of each object, as in `fit`.
        on_error : {"raise", "nan"}, default="raise"
            "raise" an error at an object that cannot be used, such as one that is too short, or
            leave it out of the fit, give it NaN and warn ("nan"): see
            `sklc.light_curves.unusable`.

        Returns
        -------
        ndarray of shape (n_objects,), int
            1 for normal objects, -1 for outliers.

        Examples
        --------
        >>> from sklc import LatentIsolationForest
        >>> from sklc.datasets import load_demo
        >>> curves = load_demo().curves
        >>> forest = LatentIsolationForest(contamination=0.02, random_state=0)
        >>> int((forest.fit_predict(curves) == -1).sum())
        12
        """
        if check_on_error(on_error) == "nan":
            screened = screen(X, min_points=self.min_points)
            labels = self.fit_predict(
                # In their own form, by which a fit tells series from light curves.
                select(X, screened.positions) if len(screened.failures) else X,
                *map(screened.of_usable, (y, sample_weight)),
            )
            screened.warn()
            return screened.scatter(labels)
        sample, scores = self._learn(X, y, sample_weight)
        left_out = np.flatnonzero(sample.copy_of < 0)
        scores = scores[sample.copy_of]
        if len(left_out):
            scores[left_out] = self.score_samples(sample.given[left_out])
        return np.where(scores - self.offset_ < 0, -1, 1)

    @skips_unusable
    def anomaly_score(self, X, *, on_error="raise"):
        """Return anomaly scores, which are higher for more unusual objects.

        Parameters
        ----------
        X : light curves of n_objects
            In any form that `sklc.as_light_curves` takes.
        on_error : {"raise", "nan"}, default="raise"
            "raise" an error at an object that cannot be used, such as one that is too short, or
            give it NaN and warn ("nan"): see `sklc.light_curves.unusable`.

        Returns
        -------
        ndarray of shape (n_objects,), float64
            Scores between 0 and 1 with ``rare_class_weight=0``. Otherwise those of normal objects
            are about in that range, and there is no upper limit.
        """
        check_is_fitted(self)
        return self._scores(self._curves(X, reset=False))[0]

    @skips_unusable
    def score_samples(self, X, *, on_error="raise"):
        """Return negative anomaly scores, which are higher for more normal objects.

        Parameters
        ----------
        X : light curves of n_objects
            In any form that `sklc.as_light_curves` takes.
        on_error : {"raise", "nan"}, default="raise"
            "raise" an error at an object that cannot be used, such as one that is too short, or
            give it NaN and warn ("nan"): see `sklc.light_curves.unusable`.

        Returns
        -------
        ndarray of shape (n_objects,), float64

        Examples
        --------
        See `LatentIsolationForest`; ``score_samples(X)`` is ``-anomaly_score(X)``.
        """
        return -self.anomaly_score(X)

    @skips_unusable
    def decision_function(self, X, *, on_error="raise"):
        """Return ``score_samples(X) - offset_``, which is negative for outliers.

        Parameters
        ----------
        X : light curves of n_objects
            In any form that `sklc.as_light_curves` takes.
        on_error : {"raise", "nan"}, default="raise"
            "raise" an error at an object that cannot be used, such as one that is too short, or
            give it NaN and warn ("nan"): see `sklc.light_curves.unusable`.

        Returns
        -------
        ndarray of shape (n_objects,), float64
        """
        scores = self.score_samples(X)
        return scores - self.offset_

    @skips_unusable
    def predict(self, X, *, on_error="raise"):
        """Tell normal objects from outliers.

        Parameters
        ----------
        X : light curves of n_objects
            In any form that `sklc.as_light_curves` takes.
        on_error : {"raise", "nan"}, default="raise"
            "raise" an error at an object that cannot be used, such as one that is too short, or
            give it NaN and warn ("nan"): see `sklc.light_curves.unusable`.

        Returns
        -------
        ndarray of shape (n_objects,), int
            1 for normal objects, -1 for outliers.
        """
        return np.where(self.decision_function(X) < 0, -1, 1)

    @skips_unusable
    def explain(self, X, *, on_error="raise"):
        """Describe each object by the nearest normal class and the most probable rare class.

        Parameters
        ----------
        X : light curves of n_objects
            In any form that `sklc.as_light_curves` takes.
        on_error : {"raise", "nan"}, default="raise"
            "raise" an error at an object that cannot be used, such as one that is too short, or
            give it a row of missing values and warn ("nan"): see `sklc.light_curves.unusable`.

        Returns
        -------
        DataFrame of n_objects rows
            The index holds the ids; columns are ``anomaly_score``; ``nearest_class``, the normal
            class with the nearest centre in the space of the forest; ``distance`` to it, where 1
            is the median of normal objects; ``rare_class``, the most probable class of the weights
            that is not a normal one (None without any); and ``rare_probability``, its probability
            if all classes of the weights were equally frequent (NaN).

        Examples
        --------
        >>> from sklc import LatentIsolationForest
        >>> from sklc.datasets import load_demo
        >>> curves, y = load_demo(return_X_y=True)
        >>> forest = LatentIsolationForest("any", random_state=0).fit(curves, y)
        >>> forest.explain(curves[:2]).columns.tolist()
        ['anomaly_score', 'nearest_class', 'distance', 'rare_class', 'rare_probability']
        """
        check_is_fitted(self)
        curves = self._curves(X, reset=False)
        scores, columns, log_probabilities = self._scores(curves)
        nearest, distance = self._centres.nearest(columns)
        rare, probability = self._mixture.most_probable_rare(log_probabilities)
        return pd.DataFrame(
            {
                "anomaly_score": scores,
                "nearest_class": nearest,
                "distance": distance,
                "rare_class": rare,
                "rare_probability": probability,
            },
            index=pd.Index(curves.ids, name="object_id"),
        )

    def _needs_labels(self) -> str:
        """Return why y is required, or an empty string."""
        if self.per_class:
            return "per_class=True grows a forest for each of them"
        if self.finetune not in (None, "none"):
            return f"finetune={self.finetune!r} trains a classifier of them"
        if is_trained_on_labels(self.encoder):
            return "the encoder has neither weights nor a fit and is trained on them"
        return ""

    def _check_mode(self) -> None:
        """Refuse parameters that the others make pointless."""
        if self.finetune is None:
            warnings.warn(
                "finetune=None is now written finetune='none', as in the other estimators, and "
                "will be refused in version 0.3.",
                FutureWarning,
                stacklevel=5,
            )
        self._refuse_fine_tuning(keeps_its_head(self.encoder))
        if self.encoder is not None and self.finetune in (None, "none"):
            trained = is_trained_on_labels(self.encoder)
            names = ("callbacks",) if trained else ("callbacks", "class_weight")
            mode = f"finetune={self.finetune!r}"
            self._refuse_unread(names, "a network that is trained", mode)

    def _check_numbers(self, sample: TrainingSample) -> None:
        curves, y = sample.given, sample.y
        if len(curves) < 2:
            raise LightCurveError(
                f"X holds one light curve, {name_object(curves, 0)} (n_samples = 1), and a forest "
                "isolates objects from each other: pass at least two, and preferably hundreds."
            )
        if isinstance(self.n_components, Integral) and int(self.n_components) > len(sample.rows):
            raise ValueError(
                f"n_components={self.n_components} is more than the {len(sample.rows)} light "
                "curves: pass fewer, or a share of the variance such as 0.99."
            )
        if y is None:
            return
        classes, first, counts = np.unique(y, return_index=True, return_counts=True)
        if self.finetune not in (None, "none") or is_trained_on_labels(self.encoder):
            require_two_classes(classes, self)
        if self.per_class and counts.min() < 2:
            lonely = int(np.argmin(counts))
            raise LightCurveError(
                f"Class {plain(classes[lonely])!r} has one member, "
                f"{sample.name(first[lonely])}, and a forest of its own needs at "
                "least two. Merge or drop the class, or set per_class=False."
            )

    def _scores(self, curves: LightCurves) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return anomaly scores, columns of the forest, and log probabilities."""
        if not len(curves):  # scikit-learn's estimators refuse zero rows
            width = self._centres.centres.shape[1]
            return np.empty(0), np.empty((0, width)), np.empty((0, len(self._mixture.classes)))
        latent, logits, log_probabilities = self._source.describe(curves)
        columns = self._space.transform(latent, logits, self._described(curves))
        isolation = self._forest.anomaly_score(columns)
        ratio = self._mixture.log_ratio(log_probabilities)
        return self._combine(isolation, ratio), columns, log_probabilities

    def _described(self, curves: LightCurves) -> np.ndarray | None:
        """Features of n_objects light curves that join the latent, if any."""
        return None if self.features_ is None else describe(self.features_, curves)

    def _combine(self, isolation: np.ndarray, ratio: np.ndarray) -> np.ndarray:
        return isolation + self._ratio_weight * (ratio - self._ratio_mean)


def _mean_and_std(values: np.ndarray, weight: np.ndarray | None) -> tuple[float, float]:
    mean = np.average(values, weights=weight)
    return float(mean), float(np.sqrt(np.average((values - mean) ** 2, weights=weight)))
