"""TransferClassifier: a pretrained encoder and a head, with or without fine-tuning."""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping
from numbers import Integral, Real

import numpy as np
from sklearn.base import _fit_context, clone
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

from sklc.estimators.base import TRAINING_CONSTRAINTS, require_two_classes
from sklc.estimators.class_heads import HeadData, hold_out
from sklc.estimators.encoder import LightCurveEncoder
from sklc.estimators.predictions import ClassPredictions
from sklc.estimators.pretrained_classes import CLASS_PRIORS, merge_matrix, prior_shares
from sklc.estimators.transfer import (
    KeepsFittedEncoder,
    TransferRecipe,
    default_encoder,
    fit_transfer,
    is_trained_on_labels,
    own_head,
    seen_and_held_out,
    start_encoder,
)
from sklc.light_curves import LightCurves
from sklc.light_curves.metadata import metadata_matrix
from sklc.networks.heads import TransferNetwork
from sklc.networks.inference.encode import resolve_device, single_thread_in_workers
from sklc.networks.training.loop import wrap
from sklc.uncertainty.interface import HeldOut
from sklc.uncertainty.registry import class_uncertainty

__all__ = ["TransferClassifier"]


class TransferClassifier(KeepsFittedEncoder, ClassPredictions):
    """Classify light curves with a pretrained encoder and few labels.

    Parameters
    ----------
    encoder : str, path, LightCurveEncoder or None, default="ztf+lsst"
        Name or file of pretrained weights; an encoder with weights; an encoder that you fitted,
        whose network is then used (a copy: yours is never changed); an unfitted encoder without
        weights, which is trained on the labels first; or None for a network trained from scratch
        together with its own head. Its parameters are reached as ``encoder__...`` where it is an
        encoder.
    finetune : {"none", "head", "gru+head", "all"}, default="head"
        What is trained. "none": nothing, the classes of the weights are used as they are and no
        labels are needed; "head": a new head on the frozen encoder; "gru+head" also the GRU
        layers, for new passbands; "all" the whole network, for a new domain.
    head_sizes : tuple of int, default=()
        Units of the head's hidden layers. Without any, the head is linear and solved exactly as
        a logistic regression; with some, it is trained like a network.
    C : float or None, default=None
        Inverse L2 strength of a linear head, on latents that are centred and divided by one
        common scale. None chooses it by the log loss in stratified cross-validation inside the
        training data, among the classes with at least two members (or takes 0.1 where there are
        no two such classes).
    metadata : sequence of str or None, default=None
        Numeric per-object columns, such as ``["mwebv"]``, that join the latent. A missing value
        (NaN) is replaced by the training mean and flagged.
    merge_classes : mapping of str to list of str, or None, default=None
        With ``finetune="none"``: classes of your own as sums of classes of the weights, such as
        ``{"Ia": ["SNIa", "SNIa-91bg", "SNIax"], "II": ["SNII"]}``. Probabilities of classes that
        are named nowhere are left out, and the rest is normalised.
    class_prior : {"magnitude-limited"}, mapping of str to float, or None, default=None
        With ``finetune="none"``: expected share of each class of the weights, or of each class of
        `merge_classes`, to multiply probabilities by, since the weights were trained with equal
        weight on every class, rare subtypes like SNe Ia (Saerens, Latinne & Decaestecker 2002,
        equation 2.4). "magnitude-limited" are the shares in a bright, magnitude-limited survey,
        see Notes. Trained heads learn the shares from y.
    prior_labels : float, default=40
        How many labels the classes of pretrained weights are worth to a linear head: its
        log probabilities and those of the weights' classes, matched to the labels, are averaged
        in the ratio n_labels to `prior_labels`. 0 leaves them out.
    calibrate : str, ClassUncertainty or None, default=None
        How probabilities are calibrated on labels that the head has not seen. "temperature"
        divides the logits by the `temperature_` of the lowest log loss (Guo et al. 2017); neither
        ranking nor `predict` change, except with `merge_classes` or `class_prior`. Other methods
        are named with `sklc.register_uncertainty`, or passed as an object with the methods of
        `sklc.uncertainty.ClassUncertainty`.
    min_points : int, default=1
        Fewest observations an object must have; fewer is an error that names it.
    max_epochs : int, default=40
        Passes over the training data.
    batch_size : int, default=64
        Objects per gradient step.
    learning_rate : float, default=1e-3
        Of a head with hidden layers.
    finetune_learning_rate : float, default=3e-4
        Of the encoder and head when fine-tuning.
    anchor : float, default=1e-3
        Strength of the pull of fine-tuned weights to the pretrained ones (L2-SP).
    early_stopping : bool, default=True
        Hold out a stratified part of the training data where a network is trained, to stop early
        and, when fine-tuning, to fall back to the frozen encoder where fine-tuning does not help.
        It has no influence on a linear head on a frozen encoder, which is solved exactly.
    validation_fraction : float, default=0.2
        Size of that part; at least one object of every class.
    patience : int, default=5
        Epochs without improvement.
    class_weight : {"balanced"}, dict of label to weight, or None, default=None
        Weight classes in the loss, "balanced" by 1/frequency. Without, probabilities follow the
        class frequencies of the training data, and the AUROC is slightly higher.
    callbacks : list of skorch callbacks or None, default=None
        Added to the training of a network (fine-tuning, or a head with hidden layers).
    device : str, default="auto"
        "auto" (the GPU where there is one), "cpu", or a torch device.
    random_state : int, RandomState instance or None, default=None
        Fixes every draw on the CPU.
    verbose : int, bool or "auto", default="auto"
        Progress bar on standard error, as in `LightCurveEncoder`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels, sorted.
    encoder_ : LightCurveEncoder
        The encoder in use; fine-tuned where that was asked for.
    net_ : skorch.NeuralNet
        Holds encoder and head as ``net_.module_`` (a copy of the encoder's network is not kept).
    metadata_columns_ : tuple of str
        Per-object columns that join the latent.
    C_ : float or None
        Inverse L2 strength in use, for a linear head.
    uncertainty_ : ClassUncertainty
        The fitted method of calibration; without `calibrate`, a temperature of 1.
    temperature_ : float
        The temperature that logits are divided by; 1 without such a calibration.
    n_features_in_ : int
        Length of the series, when fitted on a 2-D array.

    Notes
    -----
    Fine-tuning starts from the head solved on the frozen encoder rather than from a random one
    (Kumar et al. 2022), with a small learning rate and a pull to the start (Li, Grandvalet &
    Davoine 2018), keeps the start unless the validation loss falls, and solves a linear head
    again on all the training labels at the end. A random head sends large gradients through the
    encoder in its first steps, which is what makes plain fine-tuning worse than a frozen encoder.

    Labels to calibrate on: with a linear head on a frozen encoder all of them, each by a head of
    stratified cross-fitting that has not seen it; where networks are trained, the part held out for
    early stopping, by the network as it is, or by a linear head solved without that part. An
    encoder that *you* fitted on the same labels has seen them, and would be calibrated too
    confidently: pass it unfitted instead.

    "magnitude-limited": Ia 74 %, II 19 %, Ib/c 5.4 %, SLSN-I .7 %, TDE .4 % as in the ZTF Bright
    Transient Survey to August 2024 (Rehemtulla et al. 2024, ApJ 972, 7, counted in Gupta et al.
    2025, table 1); inside these, subtypes by the rates and luminosity functions that
    `sklc.simulate` uses (Ia-91bg .7 %, Iax 2 %, IIn 4.6 %, IIb 1.5 %). Active galaxies have none.

    References
    ----------
    Gupta, Muthukrishna, Rehemtulla & Shah 2025, MNRASL, slaf074.
    Guo, Pleiss, Sun & Weinberger 2017, ICML, PMLR 70, 1321.
    Saerens, Latinne & Decaestecker 2002, Neural Computation 14, 21.

    Examples
    --------
    >>> from sklc import TransferClassifier
    >>> from sklc.datasets import load_demo
    >>> curves, y = load_demo(return_X_y=True)
    >>> clf = TransferClassifier("ztf+lsst", random_state=0).fit(curves[::2], y[::2])
    >>> clf.predict_proba(curves[1:4]).shape
    (3, 3)
    >>> bool(clf.score(curves[1::2], y[1::2]) > 0.7)
    True
    """

    _parameter_constraints: dict = {
        "encoder": [str, os.PathLike, LightCurveEncoder, None],
        "finetune": [StrOptions({"none", "head", "gru+head", "all"})],
        "head_sizes": ["array-like"],
        "C": [Interval(Real, 0, None, closed="neither"), None],
        "metadata": ["array-like", None],
        "merge_classes": [Mapping, None],
        "class_prior": [StrOptions(set(CLASS_PRIORS)), Mapping, None],
        "prior_labels": [Interval(Real, 0, None, closed="left")],
        "calibrate": [str, HasMethods(["fit", "log_probabilities"]), None],
        "finetune_learning_rate": [Interval(Real, 0, None, closed="neither")],
        "anchor": [Interval(Real, 0, None, closed="left")],
        **TRAINING_CONSTRAINTS,
    }

    def __init__(
        self,
        encoder="ztf+lsst",
        *,
        finetune="head",
        head_sizes=(),
        C=None,
        metadata=None,
        merge_classes=None,
        class_prior=None,
        prior_labels=40,
        calibrate=None,
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
        device="auto",
        random_state=None,
        verbose="auto",
    ):
        self.encoder = encoder
        self.finetune = finetune
        self.head_sizes = head_sizes
        self.C = C
        self.metadata = metadata
        self.merge_classes = merge_classes
        self.class_prior = class_prior
        self.prior_labels = prior_labels
        self.calibrate = calibrate
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
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    @classmethod
    def pretrained(cls, encoder="ztf+lsst", *, merge_classes=None, **params):
        """Return a classifier that needs no labels: the classes of the weights, ready to predict.

        Parameters
        ----------
        encoder : str or path, default="ztf+lsst"
            Pretrained weights.
        merge_classes : mapping of str to list of str, optional
            Classes of your own as sums of classes of the weights.
        **params
            Further parameters of the class.

        Returns
        -------
        TransferClassifier
            With ``finetune="none"``; `fit` is not needed, except to calibrate.

        Raises
        ------
        ValueError
            If `merge_classes` or `class_prior` names a class that the weights do not have.

        Examples
        --------
        >>> from sklc import TransferClassifier
        >>> from sklc.datasets import load_demo
        >>> clf = TransferClassifier.pretrained("ztf+lsst")
        >>> clf.predict(load_demo().curves[:5]).shape
        (5,)
        """
        classifier = cls(encoder, finetune="none", merge_classes=merge_classes, **params)
        classifier._use_own_classes()  # a wrong name is an error here, not at the first predict
        return clone(classifier) if classifier.calibrate is not None else classifier

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = self.finetune != "none" or self.calibrate is not None
        return tags

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None):
        """Fit the head, and the encoder as far as `finetune` says.

        Parameters
        ----------
        X : light curves of n_objects
            In any form that `sklc.as_light_curves` takes.
        y : array-like of shape (n_objects,)
            Class labels. With ``finetune="none"`` they only calibrate, and are optional without
            `calibrate`; the numbers 0 to n_classes - 1, if all occur, then stand for the classes in
            sorted order.

        Returns
        -------
        TransferClassifier
            Itself.

        Raises
        ------
        LightCurveError
            If an object cannot be used, or a class has a single member where a network is trained
            with early stopping; the message names the object and the remedy.
        ValueError
            If y is missing, of another length, or of a single class.
        """
        curves = self._curves(X, reset=True)
        uncertainty = class_uncertainty(self.calibrate)
        if self.finetune == "none":
            self._use_own_classes()
            self.uncertainty_ = uncertainty
            if y is not None or self.calibrate is not None:
                self._calibrate_own_classes(curves, y)
            return self
        for name in ("merge_classes", "class_prior"):
            if getattr(self, name) is not None:
                raise ValueError(
                    f"{name} is for finetune='none', and finetune={self.finetune!r} learns its "
                    f"classes and their shares from y: leave {name} out, and merge the labels in "
                    "y instead."
                )
        y = self._labels(y, curves)
        classes, target = np.unique(y, return_inverse=True)
        require_two_classes(classes, self)
        seed = self._seed()
        recipe = TransferRecipe.of(self, uncertainty)
        trained_here = is_trained_on_labels(self.encoder)
        rows, held_out = np.arange(len(y)), None
        if self.early_stopping and (trained_here or not recipe.is_solved):
            rows, held_out = self._validation_split(y, curves, seed)
        self._check_before_training(curves, classes, y, recipe)
        class_weight = self._class_weights(classes, y)
        with single_thread_in_workers():
            encoder = start_encoder(self.encoder, curves, y, default_encoder(self), seed)
            if trained_here:
                rows, held_out = seen_and_held_out(encoder, curves, y)
            if self.encoder is None:
                # Trained from scratch on the same labels, together with its own head.
                self._hold(encoder)
                if held_out is not None:
                    self._hold_out(curves, target, held_out)
            else:
                columns = tuple(self.metadata) if self.metadata is not None else ()
                self.net_, self.C_, self._calibration = fit_transfer(
                    encoder,
                    curves,
                    target,
                    rows,
                    held_out,
                    labels_in_encoder=trained_here,
                    metadata_columns=columns,
                    class_weight=class_weight,
                    recipe=recipe,
                    settings=self._settings(seed),
                )
                self.encoder_, self.metadata_columns_ = encoder, columns
        self.classes_, self.merge_, self.uncertainty_ = classes, None, uncertainty
        if self.calibrate is not None and self._calibration is not None:
            self._fit_uncertainty(self._calibration, class_weight)
        return self

    def _check_before_training(
        self, curves: LightCurves, classes: np.ndarray, y: np.ndarray, recipe: TransferRecipe
    ) -> None:
        """Raise now for what would be an error only after an encoder has been trained."""
        self._class_weights(classes, y)
        resolve_device(self.device)
        metadata_matrix(curves, tuple(self.metadata) if self.metadata is not None else ())
        if not all(isinstance(size, Integral) and int(size) > 0 for size in self.head_sizes):
            raise ValueError(
                f"head_sizes must hold positive integers, such as (64,), got {self.head_sizes!r}."
            )
        if self.calibrate is None or recipe.leaves_labels(self.encoder, self.early_stopping, y):
            return
        remedy = (
            "every class has a single member: add labels,"
            if recipe.is_solved and not is_trained_on_labels(self.encoder)
            else "none would be: set early_stopping=True (of an encoder that is trained first, "
            "too), with at least two members of each class,"
        )
        raise ValueError(
            f"calibrate={self.calibrate!r} needs labels that are held out of training, and "
            f"{remedy} or leave calibrate out."
        )

    def _use_own_classes(self) -> TransferClassifier:
        """Predict with the classes of the weights themselves."""
        encoder = self.encoder
        if isinstance(encoder, (str, os.PathLike)):
            encoder = LightCurveEncoder(encoder, device=self.device)
        if encoder is None or not encoder.__sklearn_is_fitted__():
            raise ValueError(
                "finetune='none' trains nothing, so it needs pretrained weights: name them, such "
                "as encoder='ztf+lsst', or pass an encoder that you fitted."
            )
        encoder = copy.deepcopy(encoder)
        encoder._keep(*encoder._in_use())
        self._hold(encoder)
        self.classes_, merge = merge_matrix(encoder.classes_, self.merge_classes)
        shares = prior_shares(encoder.classes_, self.merge_classes, self.class_prior)
        self.merge_ = shares[:, None] * merge
        return self

    def _calibrate_own_classes(self, curves: LightCurves, y) -> None:
        """Check labels in the classes of the weights, and calibrate on them."""
        y = self._labels(y, curves)
        # scikit-learn's meta-estimators number the labels before they fit.
        if np.array_equal(np.unique(y), np.arange(len(self.classes_))):
            self.classes_ = np.arange(len(self.classes_))
        self._refuse_unseen(y, curves)
        held_out = self._hold_out(curves, np.searchsorted(self.classes_, y), np.arange(len(y)))
        if self.calibrate is not None:
            self._fit_uncertainty(held_out, np.ones(len(self.classes_)))

    def _hold_out(self, curves: LightCurves, target: np.ndarray, rows: np.ndarray) -> HeldOut:
        """Calibrate the encoder's own class head on the objects `rows`, which it has not seen."""
        every = np.ones(len(target))
        data = HeadData(self.encoder_.transform(curves), None, target, every, every)
        self._calibration = hold_out(self.net_.module_.head, data, rows)
        return self._calibration

    def _hold(self, encoder: LightCurveEncoder) -> None:
        """Use an encoder with the class head that it was trained with."""
        network = encoder.net_.module_
        self.encoder_, self.metadata_columns_, self.C_ = encoder, (), None
        self.uncertainty_, self._calibration = class_uncertainty(None), None
        self.net_ = wrap(TransferNetwork(network, own_head(network)))
