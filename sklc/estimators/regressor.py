"""RedshiftRegressor: a pretrained encoder, a head for redshifts, and calibrated intervals."""

from __future__ import annotations

import numpy as np
from scipy.stats import norm
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_is_fitted

from sklc.errors import LightCurveError
from sklc.estimators.base import (
    METADATA_CONSTRAINTS,
    check_head_sizes,
    refuse_weight_without_target,
)
from sklc.estimators.context import refuse_known_redshifts, refuse_redshift_without_error
from sklc.estimators.redshift_encoder import (
    REDSHIFT_CONSTRAINTS,
    check_redshifts,
    check_series,
    fit_encoder,
    redshift_columns,
    require_own_head,
)
from sklc.estimators.redshift_heads import EnsembleHead, KernelHead, NeighborHead, OwnHead
from sklc.estimators.redshift_phases import fit_redshift_head
from sklc.estimators.redshift_range import warn_outside
from sklc.estimators.redshift_spread import (
    SPREAD_CONSTRAINTS,
    RedshiftSpreadMixin,
    check_spread,
    fit_spread,
)
from sklc.estimators.sample import TrainingSample
from sklc.estimators.stacking import FEATURES_CONSTRAINTS, FEWEST_TO_JOIN, fit_features
from sklc.estimators.transfer import TransferEstimator, is_trained_on_labels
from sklc.features import describe
from sklc.light_curves import LightCurves
from sklc.light_curves.coerce import is_series_matrix
from sklc.light_curves.metadata import metadata_matrix
from sklc.light_curves.usable import skips_unusable
from sklc.networks.device import resolve_device, single_thread_in_workers
from sklc.uncertainty.registry import redshift_uncertainty
from sklc.utils.sklearn_compat import fit_context, unrouted

__all__ = ["RedshiftRegressor"]

# With fewer errors than this, intervals cannot be calibrated.
_FEWEST_OBJECTS = 3
# Parameters of an encoder that training it on redshifts does not read.
_FOR_CLASSES = (
    "objective", "redshift_weight", "temperature", "adversarial_weight", "augment",
    "learning_rate_decay", "weight_decay", "class_weight", "callbacks", "checkpoint",
)  # fmt: skip


class RedshiftRegressor(RedshiftSpreadMixin, RegressorMixin, TransferEstimator):
    """Estimate redshifts from light curves with a pretrained encoder and few known redshifts.

    The model predicts the mean and the scale of ``ln(1 + z)`` for each object. The scale is
    calibrated on objects that the model has not seen, so that intervals have the coverage that
    they state.

    Parameters
    ----------
    encoder : str, path, LightCurveEncoder or None, default="any"
        Name or file of pretrained weights; an encoder with weights; an encoder that you fitted,
        whose network is then used (a copy: yours is never changed); or an unfitted encoder
        without weights, whose network is trained on the redshifts as a whole. None stands for such
        an encoder with default parameters. The parameters of an encoder are reached as
        ``encoder__...``.
    finetune : {"none", "head", "backbone+head", "all"}, default="head"
        What is trained of an encoder with weights. "none" trains nothing: the redshift head of
        the weights is used as it is, and no known redshifts are needed. "head" trains a new head
        on the frozen encoder, "backbone+head" also the layers that read the observations, for new
        passbands, and "all" the whole network, for a new domain. "gru+head" is an older name of
        "backbone+head".
    method : {"kernel", "mlp", "knn"}, default="kernel"
        Kind of head. "kernel" is a ridge regression with a linear and a radial kernel, solved
        exactly; "mlp" is an ensemble of small networks that learn the residuals of ridge
        regressions, for many thousands of objects; "knn" averages the nearest objects, weighted by
        distance.
    n_neighbors : int, default=100
        Number of neighbours, for "knn".
    head_sizes : tuple of int, default=(64,)
        Number of units of each hidden layer, for "mlp".
    early : bool, default=True
        Whether a head of the kind "kernel" is accompanied by a second one, which also learns from
        the beginnings of the training light curves, so that redshifts and intervals can be used
        from the first detection on. Both predictions are mixed in proportions that depend on how
        early a light curve looks. With False, or another kind of head, only whole light curves are
        learned from.
    metadata_columns : sequence of str or None, default=None
        Numeric per-object columns, such as ``["mwebv"]``, that are read besides the light
        curve. A missing value (NaN) is replaced by the training mean and flagged.
    context : str, sequence of str, mapping of str to str, or None, default=None
        What is known of the objects besides their light curves, if the weights read it: any of
        ``"redshift"``, ``"redshift_err"`` (0 without it, as for a redshift from a spectrum),
        ``"mwebv"`` and ``"last_non_detection"`` (MJD; True takes it from the light curves), mapped
        to metadata columns. Where a value is missing (NaN), the light curve alone counts.
    features : {"core", "full"}, transformer or None, default="core"
        Features that are joined to the head by stacking, as in `TransferClassifier`: boosting on
        them predicts ``ln(1 + z)`` as well, and the weight of its prediction has the lowest error
        on objects that neither has seen. "core" needs no further package, "full" the light-curve
        package, and None uses the latent alone.
    calibrate : str, RedshiftUncertainty or None, default="conformal"
        How intervals are calibrated on objects that the head has not seen. "conformal" takes the
        quantiles of their errors, in units of the predicted scale; None takes the scales of the
        head for those of Gaussians, as does ``finetune="none"`` without known redshifts. Other
        methods are named with `sklc.register_uncertainty`, or passed as an object with the methods
        of `sklc.uncertainty.RedshiftUncertainty`.
    uncertainty : {"bootstrap", "ensemble"} or None, default=None
        Further heads, whose spread `predict_uncertainty` returns; predictions and intervals do not
        change. "bootstrap" fits them with random weights of the objects, and "ensemble" from other
        seeds (a head that has none, "kernel" or "knn", as "bootstrap").
    n_samples : int, default=10
        Number of these heads.
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
    validation_fraction : float, default=0.2
        Share of the training data that is held out where a network is trained.
    patience : int, default=5
        Number of epochs without improvement before training stops.
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
    encoder_ : LightCurveEncoder
        The encoder in use; it is fine-tuned where that was asked for and helped. If its network
        was trained here, the network is the encoder's parameter `weights`, so that ``clone`` and
        other estimators keep it.
    head_ : object
        The fitted head, with a method ``predict`` that returns mean and scale of ``ln(1 + z)``.
    features_ : transformer or None
        What computes the features that are joined to the head; None where there are none, as
        with fewer than 40 redshifts.
    uncertainty_ : RedshiftUncertainty
        The fitted method of calibration.
    redshift_range_ : tuple of float
        Smallest and largest redshift of the training objects; predictions outside are
        extrapolations, and warned of.
    metadata_columns_ : tuple of str
        Per-object columns that join the latent.
    n_features_in_ : int
        Length of the series, when fitted on a 2-D array.
    feature_names_in_ : ndarray of str
        Column names, when fitted on a 2-D data frame.

    See Also
    --------
    TransferClassifier : The same for classes.

    Notes
    -----
    The head reads the latent and the state of the network before it, because a latent that was
    trained on classes forgets part of the brightness. If X is a 2-D array, whose objects are all
    observed at the same times, it reads the fluxes, too.

    The intervals are calibrated on the errors of predictions by models that have not seen the
    object: leave-one-out predictions for "kernel" and "knn", and for "mlp" those of the members of
    the ensemble that were trained without it. No known redshifts are set aside for it. Where an
    encoder is trained, the part that is held out also decides whether fine-tuning is kept, and by
    how much intervals are widened, since the encoder fits the objects that it was trained on
    better than new ones.

    References
    ----------
    Gupta, Muthukrishna & Audenaert 2025, ML4Astro, section 4 (redshifts from latents); Barber,
    Candes, Ramdas & Tibshirani 2021, Annals of Statistics 49, 486 (intervals from out-of-sample
    errors); Lei et al. 2018, JASA 113, 1094 (errors in units of a predicted scale).

    Examples
    --------
    >>> from sklc import RedshiftRegressor
    >>> from sklc.datasets import load_demo
    >>> curves = load_demo().curves
    >>> z = curves.metadata["redshift"].to_numpy()
    >>> model = RedshiftRegressor("any", random_state=0).fit(curves[::2], z[::2])
    >>> redshift, uncertainty = model.predict(curves[1:6], return_std=True)
    >>> redshift.shape, uncertainty.shape
    ((5,), (5,))
    >>> model.predict_interval(curves[1:6], coverage=0.95).shape
    (5, 2)
    >>> bool(model.score(curves[1::2], z[1::2]) > 0.5)
    True
    """

    _parameter_constraints: dict = {
        **REDSHIFT_CONSTRAINTS,
        **METADATA_CONSTRAINTS,
        **FEATURES_CONSTRAINTS,
        **SPREAD_CONSTRAINTS,
    }

    def __init__(
        self,
        encoder="any",
        *,
        finetune="head",
        method="kernel",
        n_neighbors=100,
        head_sizes=(64,),
        early=True,
        metadata_columns=None,
        context=None,
        features="core",
        calibrate="conformal",
        uncertainty=None,
        n_samples=10,
        min_points=1,
        max_epochs=40,
        batch_size=64,
        learning_rate=1e-3,
        finetune_learning_rate=3e-4,
        anchor=1e-3,
        validation_fraction=0.2,
        patience=5,
        callbacks=None,
        mixed_precision="auto",
        device="auto",
        random_state=None,
        verbose="auto",
        metadata="deprecated",
    ):
        self.encoder = encoder
        self.finetune = finetune
        self.method = method
        self.n_neighbors = n_neighbors
        self.head_sizes = head_sizes
        self.early = early
        self.metadata_columns = metadata_columns
        self.context = context
        self.features = features
        self.calibrate = calibrate
        self.uncertainty = uncertainty
        self.n_samples = n_samples
        self.min_points = min_points
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.finetune_learning_rate = finetune_learning_rate
        self.anchor = anchor
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.callbacks = callbacks
        self.mixed_precision = mixed_precision
        self.device = device
        self.random_state = random_state
        self.verbose = verbose
        self.metadata = metadata

    @classmethod
    def pretrained(cls, encoder="any", **params):
        """Return a regressor that needs no known redshifts, since the weights have a redshift head.

        Parameters
        ----------
        encoder : str or path, default="any"
            Pretrained weights with a redshift head.
        **params
            Further parameters of the class.

        Returns
        -------
        RedshiftRegressor
            With ``finetune="none"``; `fit` is not needed. Its intervals are those of the weights;
            ``fit(X, y)`` calibrates them on known redshifts.

        Raises
        ------
        ValueError
            If the weights have no redshift head.

        Examples
        --------
        >>> from sklc import RedshiftRegressor
        >>> from sklc.datasets import load_demo
        >>> curves = load_demo().curves
        >>> model = RedshiftRegressor.pretrained()
        >>> model.predict_interval(curves[200:203], coverage=0.95).shape
        (3, 2)
        """
        model = cls(encoder, finetune="none", **params)
        model._use_own_redshifts()
        return model

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = self.finetune != "none"
        tags.target_tags.positive_only = True
        return tags

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None, sample_weight=None):
        """Fit the head, and the encoder as far as `finetune` says.

        Parameters
        ----------
        X : light curves of n_objects
            In any form that `sklc.as_light_curves` takes.
        y : array-like of shape (n_objects,)
            Redshifts, positive. Optional with ``finetune="none"``, where they only calibrate the
            intervals. A Series that is indexed by the ids is put into the order of X; so is
            `sample_weight`.
        sample_weight : array-like of shape (n_objects,), optional
            Weight of each object in training and calibration. A weight of k is the same as k copies
            of the object, and 0 leaves it out.

        Returns
        -------
        RedshiftRegressor
            Itself.

        Raises
        ------
        LightCurveError
            If an object, its redshift or its weight cannot be used, or there are too few; the
            message names the object and the remedy.
        ValueError
            If y is missing or of another length, the weights have no redshift head, or a parameter
            is set that has no effect with the others.
        """
        curves = self._curves(X, reset=True)
        y, sample_weight = self._in_order(X, curves, y=y, sample_weight=sample_weight)
        self._check_mode()
        redshift_uncertainty(self.calibrate)  # a wrong name is an error before anything is trained
        columns = self._metadata()
        if self.finetune == "none":
            refuse_weight_without_target(y, sample_weight)
            self._use_own_redshifts()
            if y is not None:
                y = check_redshifts(y, curves, self)
                sample = TrainingSample.of(curves, y, sample_weight)
                self._require(len(sample.rows), _FEWEST_OBJECTS)
                mean, scale = self._mean_and_scale(sample.curves).T
                self._calibrate(mean, scale, np.log1p(sample.y), sample.weights)
            return self
        sample = TrainingSample.of(curves, check_redshifts(y, curves, self), sample_weight)
        curves, weight = sample.curves, sample.weight
        self._check_before_training(sample, columns)
        target, seed = np.log1p(sample.y), self._seed()
        with single_thread_in_workers(), unrouted():
            self.encoder_, held_out = fit_encoder(self, sample, target, self._settings(seed))
            self.metadata_columns_ = columns
            self._series_length = self.n_features_in_ if is_series_matrix(X) else 0
            self.features_ = None
            if sample.weights.sum() >= FEWEST_TO_JOIN:
                self.features_ = fit_features(self.features, curves)
            self.head_ = fit_redshift_head(self, curves, target, seed, weight, held_out)
            self._heads = fit_spread(self, curves, target, seed, weight, held_out)
        mean, scale = self.head_.out_of_sample_.T
        if held_out is not None:
            # A network fits the objects that it was trained on better than new ones.
            errors = target - mean
            seen, relative = np.setdiff1d(np.arange(len(target)), held_out), np.abs(errors / scale)
            errors[seen] *= np.mean(relative[held_out]) / np.mean(relative[seen])
            target = mean + errors
        self._calibrate(mean, scale, target, sample.weights)
        self.redshift_range_ = (float(sample.y.min()), float(sample.y.max()))
        return self

    @skips_unusable
    def predict(self, X, return_std=False, *, on_error="raise"):
        """Return the redshift of each object.

        Parameters
        ----------
        X : light curves of n_objects
            In any form that `sklc.as_light_curves` takes.
        return_std : bool, default=False
            Whether to return standard deviations as well.
        on_error : {"raise", "nan"}, default="raise"
            "raise" an error at an object that cannot be used, such as one that is too short, or
            give it NaN and warn ("nan"): see `sklc.light_curves.unusable`.

        Returns
        -------
        redshift : ndarray of shape (n_objects,)
            Mean of the predictive distribution of ``ln(1 + z)``, as a redshift; positive.
        std : ndarray of shape (n_objects,)
            Calibrated standard deviation of the redshift. It is returned only with `return_std`.

        Warns
        -----
        LightCurveWarning
            If predictions lie outside the range of the training redshifts by more than three
            standard deviations.
        """
        check_is_fitted(self)
        curves = self._curves(X, reset=False)
        mean, scale = self._mean_and_scale(curves).T
        scale = self.uncertainty_.standard_deviation(mean, scale)
        # The mean of a Gaussian that is truncated at 0, since redshifts are positive.
        in_scales = mean / scale
        mean = mean + scale * np.exp(norm.logpdf(in_scales) - norm.logcdf(in_scales))
        mean = np.maximum(mean, np.finfo(float).eps)
        redshift = np.expm1(mean)
        std = (1 + redshift) * scale
        warn_outside(redshift, std, curves, self.redshift_range_)
        return (redshift, std) if return_std else redshift

    @skips_unusable
    def predict_quantiles(self, X, quantiles=(0.16, 0.5, 0.84), *, on_error="raise"):
        """Return calibrated quantiles of each object's redshift.

        Parameters
        ----------
        X : light curves of n_objects
            In any form that `sklc.as_light_curves` takes.
        quantiles : array-like of float, default=(0.16, 0.5, 0.84)
            Levels of the quantiles, each between 0 and 1, both excluded.
        on_error : {"raise", "nan"}, default="raise"
            "raise" an error at an object that cannot be used, such as one that is too short, or
            give it a row of NaN and warn ("nan"): see `sklc.light_curves.unusable`.

        Returns
        -------
        ndarray of shape (n_objects, n_quantiles)
            Redshifts, none of them negative.

        Raises
        ------
        ValueError
            If a quantile is not between 0 and 1.

        Examples
        --------
        >>> from sklc import RedshiftRegressor
        >>> from sklc.datasets import load_demo
        >>> curves = load_demo().curves
        >>> z = curves.metadata["redshift"].to_numpy()
        >>> model = RedshiftRegressor(random_state=0).fit(curves[:100], z[:100])
        >>> model.predict_quantiles(curves[100:103], [0.05, 0.95]).shape
        (3, 2)
        """
        check_is_fitted(self)
        levels = np.atleast_1d(np.asarray(quantiles, dtype=float))
        if levels.ndim != 1 or not np.all((levels > 0) & (levels < 1)):
            raise ValueError(
                f"quantiles must lie between 0 and 1, such as (0.16, 0.5, 0.84), got {quantiles!r}."
            )
        mean, scale = self._mean_and_scale(self._curves(X, reset=False)).T
        return np.expm1(np.maximum(self.uncertainty_.quantiles(mean, scale, levels), 0.0))

    def _check_objects(self, curves: LightCurves) -> None:
        super()._check_objects(curves)
        refuse_known_redshifts(self.encoder_, curves)
        check_series(curves, self._series_length)

    def score(self, X, y, sample_weight=None):
        """Return the coefficient of determination, R², of the predicted redshifts.

        Parameters
        ----------
        X : light curves of n_objects
            In any form that `sklc.as_light_curves` takes.
        y : array-like of shape (n_objects,)
            True redshifts. A Series that is indexed by the ids is put into the order of X.
        sample_weight : array-like of shape (n_objects,), optional
            Weight of each object.

        Returns
        -------
        float
            1 for perfect predictions; 0 for predictions no better than the mean of `y`.

        Raises
        ------
        LightCurveError
            If an object cannot be used, or `y` is indexed by ids and lacks some of them.
        """
        check_is_fitted(self)
        curves = self._curves(X, reset=False)
        y, sample_weight = self._in_order(X, curves, y=y, sample_weight=sample_weight)
        return super().score(curves, y, sample_weight)

    def _check_mode(self) -> None:
        """Refuse parameters that the others make pointless."""
        mode = f"finetune={self.finetune!r}"
        if self.finetune == "none":
            heads = ("method", "n_neighbors", "head_sizes", "early")
            names: tuple[str, ...] = (*heads, "metadata_columns", "callbacks")
            if self.features is not None:
                names = (*names, "features")
            self._refuse_unread(names, "a head that is trained", mode)
        check_head_sizes(self.head_sizes)
        check_spread(self)
        self._refuse_fine_tuning(is_trained_on_labels(self.encoder))
        self._check_context()
        refuse_redshift_without_error(getattr(self.encoder, "context", self.context))
        if self.encoder is not None and is_trained_on_labels(self.encoder):
            mode = "RedshiftRegressor, which trains an unfitted encoder on redshifts"
            self.encoder._refuse_unread(_FOR_CLASSES, "an encoder that is trained on classes", mode)
        for name, method in (("n_neighbors", "knn"), ("head_sizes", "mlp"), ("early", "kernel")):
            if self.method != method:
                self._refuse_unread([name], f"method={method!r}", f"method={self.method!r}")

    def _check_before_training(self, sample: TrainingSample, columns: tuple[str, ...]) -> None:
        """Raise now for what would be an error only after an encoder has been trained."""
        resolve_device(self.device)
        metadata_matrix(sample.curves, columns)
        self._require(len(sample.rows), _FEWEST_OBJECTS)
        total = int(sample.weights.sum())  # copies of an object are its neighbours
        if self.method == "knn" and total <= self.n_neighbors:
            raise LightCurveError(
                f"method='knn' with n_neighbors={self.n_neighbors} needs more than "
                f"{self.n_neighbors} objects, and X holds {total}: set n_neighbors to "
                f"{total - 1} or fewer (about {max(total // 20, 1)} does well), or use "
                "method='kernel'."
            )

    def _require(self, n_objects: int, fewest: int) -> None:
        if n_objects < fewest:
            raise LightCurveError(
                f"RedshiftRegressor needs at least {fewest} objects with a redshift, to know its "
                f"errors, and found {n_objects} sample(s): add objects, or use finetune='none' "
                "with weights that were trained on redshifts."
            )

    def _new_head(self, n_objects: int, seed: int):
        blocks = self.encoder_._source().network.block_sizes
        if self.method == "knn":
            return NeighborHead(blocks, min(self.n_neighbors, n_objects - 1))
        if self.method == "mlp":
            return EnsembleHead(blocks, self.head_sizes, self._settings(seed), self.callbacks or ())
        return KernelHead(blocks)

    def _use_own_redshifts(self) -> None:
        """Predict with the redshift head of the weights themselves."""
        self._check_mode()
        self._validate_params()  # `pretrained` does not call `fit`
        encoder, self.features_ = self._with_weights(), None
        self.encoder_, self.metadata_columns_, self._series_length = encoder, (), 0
        self._heads = []
        head = require_own_head(encoder, self.encoder)
        self.head_ = OwnHead(head, encoder._source().network.latent_size)
        self.redshift_range_ = (0.0, np.inf)
        self.uncertainty_ = redshift_uncertainty(None)

    def _calibrate(self, mean, scale, target, sample_weight) -> None:
        """Learn from out-of-sample predictions how far they are from the target."""
        self.uncertainty_ = redshift_uncertainty(self.calibrate)
        if self.calibrate is not None:
            self.uncertainty_.fit(mean, scale, target, sample_weight)

    def _mean_and_scale(self, curves: LightCurves) -> np.ndarray:
        return self.head_.predict(self._columns(curves))

    def _columns(self, curves: LightCurves, *, with_features: bool = True) -> np.ndarray:
        """Inputs of the head, (n_objects, n_columns), of which features are the last."""
        columns = redshift_columns(
            self.encoder_, curves, self.metadata_columns_, self, self._series_length
        )
        if self.features_ is None or not with_features:
            return columns
        return np.concatenate([columns, describe(self.features_, curves)], axis=1)
