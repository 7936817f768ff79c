"""TransferClassifier: a pretrained encoder and a head, with or without fine-tuning."""

from __future__ import annotations

import numpy as np
from sklearn.base import ClassifierMixin, clone
from sklearn.utils.validation import check_is_fitted

from sklc.estimators.adaptation import AdaptationMixin, warn_of_shares
from sklc.estimators.adaptation_training import Adapting
from sklc.estimators.base import METADATA_CONSTRAINTS, refuse_weight_without_target
from sklc.estimators.class_export import ExportMixin
from sklc.estimators.class_modes import CLASS_CONSTRAINTS, check_mode, keeps_its_head
from sklc.estimators.class_sets import PredictionSetsMixin
from sklc.estimators.network_ensemble import fit_members
from sklc.estimators.novelty import NoveltyMixin
from sklc.estimators.own_classes import calibrate_own_classes, use_own_classes
from sklc.estimators.sample import TrainingSample
from sklc.estimators.sampling import SamplingMixin
from sklc.estimators.stacking import FEATURES_CONSTRAINTS
from sklc.estimators.transfer import TRANSFER_CONSTRAINTS, TransferEstimator
from sklc.estimators.unlabelled import is_unlabelled, labels_of, refuse_unlabelled, split_unlabelled
from sklc.features import describe
from sklc.light_curves import LightCurves
from sklc.light_curves.metadata import metadata_matrix
from sklc.light_curves.usable import skips_unusable
from sklc.networks.heads import TransferNetwork, in_double_precision, own_head
from sklc.networks.joined import join_columns
from sklc.networks.samples import first_head
from sklc.networks.training.loop import wrap
from sklc.uncertainty.interface import ClassScores, HeldOut
from sklc.uncertainty.registry import class_uncertainty
from sklc.utils.sklearn_compat import fit_context

__all__ = ["TransferClassifier"]


class TransferClassifier(
    PredictionSetsMixin,
    SamplingMixin,
    NoveltyMixin,
    ExportMixin,
    AdaptationMixin,
    ClassifierMixin,
    TransferEstimator,
):
    """Classify light curves with a pretrained encoder and few labels.

    Parameters
    ----------
    encoder : str, path, LightCurveEncoder or None, default="any"
        Name or file of pretrained weights; an encoder with weights; an encoder that you fitted,
        whose network is then used (a copy: yours is never changed); or an unfitted encoder
        without weights, which is trained on the labels as a whole, together with a head of its
        own. None stands for such an encoder with default parameters. The parameters of an encoder
        are reached as ``encoder__...``.
    finetune : {"none", "head", "backbone+head", "all"}, default="head"
        What is trained of an encoder with weights. "none" trains nothing: the classes of the
        weights are used as they are, and no labels are needed. "head" trains a new head on the
        frozen encoder, "backbone+head" also the layers that read the observations, for new
        passbands, and "all" the whole network, for a new domain. "gru+head" is an older name of
        "backbone+head".
    head_sizes : tuple of int, default=()
        Number of units of each hidden layer of the head. Without hidden layers, the head is a
        logistic regression, which is solved exactly.
    C : float or None, default=None
        Inverse L2 strength of a linear head, on latents that are centred and divided by one
        common scale. None chooses it by the log loss in stratified cross-validation among the
        classes with at least two members, or takes 0.1 if there are fewer than two of them.
    early : bool, default=True
        Whether the head also learns from the beginnings of the training light curves, see Notes.
        With False, do not use it for light curves that are much shorter than these.
    metadata_columns : sequence of str or None, default=None
        Numeric per-object columns, such as ``["mwebv"]``, that are read besides the light
        curve. A missing value (NaN) is replaced by the training mean and flagged.
    context : str, sequence of str, mapping of str to str, or None, default=None
        What is known of the objects besides their light curves, if the weights read it: any of
        ``"redshift"``, ``"redshift_err"`` (0 without it, as for a redshift from a spectrum),
        ``"mwebv"`` and ``"last_non_detection"`` (MJD; True takes it from the light curves), mapped
        to metadata columns. Where a value is missing (NaN), the light curve alone counts.
    features : {"core", "full"}, transformer or None, default="core"
        Features that are joined to a head, see Notes. "core" needs no further package; "full"
        adds statistics and fits of the light-curve package, which must be installed wherever the
        model is loaded. A transformer, such as `sklc.LightCurveFeatures`, is fitted on the light
        curves without labels, and None uses the latent alone.
    merge_classes : mapping of str to list of str, or None, default=None
        With ``finetune="none"``: classes of your own as sums of classes of the weights, such as
        ``{"Ia": ["SNIa", "SNIa-91bg", "SNIax"], "II": ["SNII"]}``. Probabilities of classes that
        are named nowhere are left out, and the rest is normalised.
    class_prior : {"magnitude-limited", "equal"}, mapping of str to float, or None, default=None
        With ``finetune="none"``: expected share of each class of the weights, or of each class of
        `merge_classes`. Probabilities are multiplied by these shares, because the weights were
        trained with equal weight on every class (Saerens, Latinne & Decaestecker 2002, equation
        2.4). "magnitude-limited" stands for the shares in a bright, magnitude-limited survey, see
        Notes; None takes those of the weights (equal in older ones). Trained heads learn from y.
    prior_labels : float or "auto", default="auto"
        How many labels the classes of pretrained weights are worth to a linear head. Its log
        probabilities and those of the weights' classes, matched to the labels, are averaged in
        the ratio n_labels to `prior_labels`, or with weights learned in cross-validation ("auto").
    calibrate : str, ClassUncertainty or None, default=None
        How probabilities are calibrated on labels that the head has not seen. "temperature"
        divides the logits by the `temperature_` of the lowest log loss (Guo et al. 2017); neither
        ranking nor `predict` change, except with `merge_classes` or `class_prior`. Other methods
        are named with `sklc.register_uncertainty`, or passed as an object with the methods of
        `sklc.uncertainty.ClassUncertainty`.
    uncertainty : str, ClassSampling or None, default=None
        How several predictions are made of each object, whose mean `predict_proba` returns, and of
        which `predict_uncertainty` tells how far they disagree. "bootstrap" fits heads with random
        weights of the labels, "ensemble" trains networks from different seeds (with a linear head
        on a frozen encoder, which has no seed, it is "bootstrap"), "mc-dropout" leaves out units of
        the latent and the head, and "stochastic-attention" and "ha-mc-dropout" need a transformer
        that is fine-tuned, see docs/uncertainty.md.
    n_samples : int or "auto", default="auto"
        Number of predictions of `uncertainty`; "auto" are 30, or 5 where each trains a network.
    dropout : float, default=0.1
        Probability that a unit is left out, for `uncertainty` with dropout.
    adaptation : {"standardize", "minimax-entropy", "adversarial"}, Adaptation or None, default=None
        How light curves without labels are used, such as those of another survey, see
        docs/adaptation.md. "standardize" gives the latents of all surveys the same mean and
        scales. The others do that, too, and train the encoder as far as `finetune` says, or a
        shift of its latents, by minimax entropy or against a discriminator of surveys.
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
    metadata : sequence of str or None, default="deprecated"
        Former name of `metadata_columns`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels, sorted.
    encoder_ : LightCurveEncoder
        The encoder in use, the first of several. A network that was trained here is its parameter
        `weights`.
    head_ : torch.nn.Module
        The head, which makes logits of the latent and of metadata columns.
    net_ : skorch.NeuralNet
        Encoder and head as ``net_.module_``, put together at each access, and ``net_.history``.
    metadata_columns_ : tuple of str
        Per-object columns that join the latent.
    C_ : float or None
        Inverse L2 strength of the linear head; None with another head.
    features_ : transformer or None
        What computes the joined features; None without any, as with fewer than 40 labels.
    merge_ : ndarray of shape (n_outputs, n_classes) or None
        Weights by which probabilities are summed to classes with ``finetune="none"``.
    uncertainty_ : ClassUncertainty
        The fitted method of calibration; without `calibrate`, a temperature of 1.
    temperature_ : float
        The temperature that logits are divided by; 1 without such a calibration.
    n_features_in_ : int
        Length of the series, when fitted on a 2-D array.
    feature_names_in_ : ndarray of str
        Column names, when fitted on a 2-D data frame.

    Notes
    -----
    Fine-tuning starts from the head solved on the frozen encoder rather than from a random one
    (Kumar et al. 2022), with a small learning rate and a pull to the start (Li, Grandvalet &
    Davoine 2018), keeps the start unless the validation loss falls, and solves a linear head again
    on all labels at the end. On a frozen encoder, nothing is held out of a linear head.

    With `early`, up to four prefixes of each training light curve, which end a day after its first
    detection (5 sigma) or later, share its weight. A linear head then consists of three, for the
    first 8 days, up to 30 days, and later, and of a gate that recognises the age in the latent.
    Objects without a detection, and rows of a 2-D array, have no prefixes. An encoder that is
    trained with a head of its own needs `sklc.augment.Prefixes` in its parameter `augment` instead.

    With a linear head on a frozen encoder, all labels serve for calibration, each with a head that
    has not seen it, by stratified cross-fitting. Where networks are trained, the part that early
    stopping holds out serves, and with ``finetune="none"`` the labels given to `fit`. Pass an
    encoder of yours unfitted: one that has seen the labels would be calibrated too confidently.

    Features are joined by stacking: boosting on them counts as much as lowers the log loss of
    objects that neither boosting nor the head has seen, see docs/features.md.

    The shares of "magnitude-limited" are those of the ZTF Bright Transient Survey to August 2024:
    Ia 74 %, II 19 %, Ib/c 5.4 %, SLSN-I .7 %, TDE .4 % (Rehemtulla et al. 2024, ApJ 972, 7,
    counted in Gupta et al. 2025, table 1). Subtypes divide them by the rates and luminosity
    functions that `sklc.simulate` uses (Ia-91bg .7 %, Iax 2 %, IIn 4.6 %, IIb 1.5 %). All other
    classes, such as AGN, have none.

    References
    ----------
    Gupta et al. 2025, MNRASL, slaf074; Guo et al. 2017, ICML, PMLR 70, 1321; Saerens, Latinne &
    Decaestecker 2002, Neural Computation 14, 21.

    Examples
    --------
    >>> from sklc import TransferClassifier
    >>> from sklc.datasets import load_demo
    >>> curves, y = load_demo(return_X_y=True)
    >>> clf = TransferClassifier("any", random_state=0).fit(curves[::2], y[::2])
    >>> clf.predict_proba(curves[1:4]).shape
    (3, 3)
    >>> bool(clf.score(curves[1::2], y[1::2]) > 0.7)
    True
    """

    _parameter_constraints: dict = {
        **CLASS_CONSTRAINTS,
        **METADATA_CONSTRAINTS,
        **FEATURES_CONSTRAINTS,
        **TRANSFER_CONSTRAINTS,
    }

    def __init__(
        self,
        encoder="any",
        *,
        finetune="head",
        head_sizes=(),
        C=None,
        early=True,
        metadata_columns=None,
        context=None,
        features="core",
        merge_classes=None,
        class_prior=None,
        prior_labels="auto",
        calibrate=None,
        uncertainty=None,
        n_samples="auto",
        dropout=0.1,
        adaptation=None,
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
        mixed_precision="auto",
        device="auto",
        random_state=None,
        verbose="auto",
        metadata="deprecated",
    ):
        self.encoder = encoder
        self.finetune = finetune
        self.head_sizes = head_sizes
        self.C = C
        self.early = early
        self.metadata_columns = metadata_columns
        self.context = context
        self.features = features
        self.merge_classes = merge_classes
        self.class_prior = class_prior
        self.prior_labels = prior_labels
        self.calibrate = calibrate
        self.uncertainty = uncertainty
        self.n_samples = n_samples
        self.dropout = dropout
        self.adaptation = adaptation
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
        self.mixed_precision = mixed_precision
        self.device = device
        self.random_state = random_state
        self.verbose = verbose
        self.metadata = metadata

    @classmethod
    def pretrained(cls, encoder="any", *, merge_classes=None, **params):
        """Return a classifier that needs no labels: the classes of the weights, ready to predict.

        Parameters
        ----------
        encoder : str or path, default="any"
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
            If `merge_classes` or `class_prior` names a class that the weights do not have, or a
            parameter is set that is for training.

        Examples
        --------
        >>> from sklc import TransferClassifier
        >>> from sklc.datasets import load_demo
        >>> clf = TransferClassifier.pretrained("any")
        >>> clf.predict(load_demo().curves[:5]).shape
        (5,)
        """
        classifier = cls(encoder, finetune="none", merge_classes=merge_classes, **params)
        use_own_classes(classifier)  # a wrong name is an error here, not at the first predict
        return clone(classifier) if classifier.calibrate is not None else classifier

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = self.finetune != "none" or self.calibrate is not None
        return tags

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None, sample_weight=None, X_target=None):
        """Fit the head, and the encoder as far as `finetune` says.

        Parameters
        ----------
        X : light curves of n_objects
            In any form that `sklc.as_light_curves` takes.
        y : array-like of shape (n_objects,)
            Class labels. A Series that is indexed by the ids is put into the order of X; so is
            `sample_weight`. With `adaptation`, -1, None and NaN mark objects without a label, as in
            scikit-learn. With ``finetune="none"`` labels only calibrate, and are optional
            without `calibrate`; numbers 0 to n_classes - 1, if all occur, stand for the sorted
            classes.
        sample_weight : array-like of shape (n_objects,), optional
            Weight of each object in training and calibration. A weight of k is the same as k copies
            of the object, and 0 leaves it out.
        X_target : light curves, optional
            Further objects without labels, of the survey to adapt to, for `adaptation`.

        Returns
        -------
        TransferClassifier
            Itself.

        Raises
        ------
        LightCurveError
            If an object or its weight cannot be used, or a class has a single member where a
            network is trained with early stopping; the message names the object and the remedy.
        ValueError
            If y is missing or of a single class, or a parameter is set that has no effect here.
        """
        curves = self._curves(X, reset=True)
        y, sample_weight = self._in_order(X, curves, y=y, sample_weight=sample_weight)
        check_mode(self)
        columns, uncertainty = self._metadata(), class_uncertainty(self.calibrate)
        if self.adaptation is None:
            refuse_unlabelled(y, curves, X_target)
        if self.finetune == "none":
            refuse_weight_without_target(y, sample_weight)
            use_own_classes(self)
            self.uncertainty_ = uncertainty
            if y is not None or self.calibrate is not None:
                calibrate_own_classes(self, curves, y, sample_weight)
            return self
        others = None
        if self.adaptation is not None and y is not None:
            target = None if X_target is None else self._curves(X_target, reset=False)
            others = split_unlabelled(curves, y, target, sample_weight)
            curves, y, sample_weight = labels_of(others, curves, y, sample_weight)
        sample = TrainingSample.of(curves, self._labels(y, curves), sample_weight)
        adapting = None if others is None else Adapting.of(self.adaptation, others, sample.rows)
        fitted = fit_members(self, sample, columns, uncertainty, adapting)
        self.encoder_, self.classes_, self.C_ = fitted.encoder, fitted.classes, fitted.C
        self.metadata_columns_ = () if keeps_its_head(self.encoder) else columns
        self.merge_, self.uncertainty_, self._calibration = None, uncertainty, fitted.held_out
        self._head, self._history, self.features_ = fitted.head, fitted.history, fitted.features
        self._left_out, self._encoders = fitted.left_out, fitted.encoders
        self._adapters = fitted.adapters
        if self.calibrate is not None and self._calibration is not None:
            self._fit_uncertainty(self._calibration, fitted.class_weight)
        if adapting is not None:
            target = np.searchsorted(self.classes_, sample.y)
            warn_of_shares(self, adapting, target, sample.weights * fitted.class_weight[target])
        return self

    @property
    def temperature_(self):
        """The temperature that logits are divided by; 1 without such a calibration."""
        return getattr(self.uncertainty_, "temperature_", 1.0)

    @property
    def head_(self):
        """The head, which makes logits of the latent and of metadata columns."""
        return own_head(self.encoder_._source().network) if self._head is None else self._head

    @property
    def net_(self):
        """Encoder and head, the first of several, as a skorch net with its history."""
        net = wrap(TransferNetwork(self.encoder_.net_.module_, first_head(self.head_)))
        net.history = self._history
        return net

    @skips_unusable
    def predict_proba(self, X, *, on_error="raise"):
        """Return class probabilities.

        Parameters
        ----------
        X : light curves of n_objects
            In any form that `sklc.as_light_curves` takes.
        on_error : {"raise", "nan"}, default="raise"
            "raise" an error at an object that cannot be used, such as one that is too short, or
            give it a row of NaN and warn ("nan"): see `sklc.light_curves.unusable`.

        Returns
        -------
        ndarray of shape (n_objects, n_classes), float64
            Columns are in the order of ``classes_``, and rows sum to 1.
        """
        check_is_fitted(self)
        return self._probabilities(self._logits(X))

    @skips_unusable
    def decision_function(self, X, *, on_error="raise"):
        """Return logits divided by `temperature_`, or the log odds of the second of two classes.

        With `merge_classes`, or calibration without a temperature, they are log probabilities.

        Parameters
        ----------
        X : light curves of n_objects
            In any form that `sklc.as_light_curves` takes.
        on_error : {"raise", "nan"}, default="raise"
            "raise" an error at an object that cannot be used, such as one that is too short, or
            give it a row of NaN and warn ("nan"): see `sklc.light_curves.unusable`.

        Returns
        -------
        ndarray of shape (n_objects, n_classes), or (n_objects,) for two classes
        """
        check_is_fitted(self)
        scores = self._logits(X)
        if self.merge_ is None and hasattr(self.uncertainty_, "temperature_"):
            scores = scores / self.temperature_
        else:
            scores = self.uncertainty_.log_probabilities(ClassScores(scores, self.merge_))
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores

    @skips_unusable
    def predict(self, X, *, on_error="raise"):
        """Return the most probable class of each object.

        Parameters
        ----------
        X : light curves of n_objects
            In any form that `sklc.as_light_curves` takes.
        on_error : {"raise", "nan"}, default="raise"
            "raise" an error at an object that cannot be used, such as one that is too short, or
            give it None (NaN among numbers) and warn ("nan"): see `sklc.light_curves.unusable`.

        Returns
        -------
        ndarray of shape (n_objects,)
            Labels of the same type as those given to `fit`.
        """
        probabilities = self.predict_proba(X)
        return self.classes_[np.argmax(probabilities, axis=1)]

    def score(self, X, y, sample_weight=None):
        """Return the accuracy on labelled light curves, all of which must be usable.

        Parameters
        ----------
        X : light curves of n_objects
            In any form that `sklc.as_light_curves` takes.
        y : array-like of shape (n_objects,)
            True class labels.
        sample_weight : array-like of shape (n_objects,), optional
            Weight of each object in the mean.

        Returns
        -------
        float
            An object with a label that was not in the training data counts as wrong.
        """
        check_is_fitted(self)
        curves = self._curves(X, reset=False)
        y, sample_weight = self._in_order(X, curves, y=y, sample_weight=sample_weight)
        if self.adaptation is not None and y is not None:  # objects without a label do not count
            kept = np.flatnonzero(~is_unlabelled(y))
            curves, y, sample_weight = labels_of(kept, curves, y, sample_weight)
        return super().score(curves, self._labels(y, curves), sample_weight)

    def _latents(
        self, curves: LightCurves, survey: int | None = None
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Latents, (n_objects, latent_size), and the metadata and features that join them."""
        latent = self._adapted_latents(curves, survey)
        described = None if self.features_ is None else describe(self.features_, curves)
        return latent, join_columns(metadata_matrix(curves, self.metadata_columns_), described)

    def _logits(self, X, survey: int | None = None) -> np.ndarray:
        """Logits, (n_objects, n_outputs) float64."""
        return in_double_precision(self.head_, *self._latents(self._curves(X, reset=False), survey))

    def _probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Probabilities of ``classes_``, calibrated, (n_objects, n_classes)."""
        return np.exp(self.uncertainty_.log_probabilities(ClassScores(logits, self.merge_)))

    def _fit_uncertainty(self, held_out: HeldOut, class_weight: np.ndarray) -> None:
        """Learn on what was held out, with weights of the classes."""
        held_out = held_out.with_prefixes()
        weight = class_weight[held_out.target] * held_out.sample_weight
        self.uncertainty_.fit(ClassScores(held_out.logits, self.merge_), held_out.target, weight)
