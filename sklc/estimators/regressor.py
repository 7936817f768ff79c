"""RedshiftRegressor: a pretrained encoder, a head for redshifts, and calibrated intervals."""

from __future__ import annotations

import copy
import os
import warnings
from numbers import Integral, Real

import numpy as np
from scipy.stats import norm
from sklearn.base import RegressorMixin, _fit_context
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from sklc.errors import LightCurveError, LightCurveWarning
from sklc.estimators.base import TRAINING_CONSTRAINTS, LightCurveEstimator
from sklc.estimators.encoder import LightCurveEncoder
from sklc.estimators.redshift_encoder import (
    check_redshifts,
    fit_encoder,
    redshift_columns,
    require_own_head,
)
from sklc.estimators.redshift_heads import EnsembleHead, KernelHead, NeighborHead, OwnHead
from sklc.estimators.transfer import KeepsFittedEncoder, is_trained_on_labels
from sklc.light_curves import LightCurves
from sklc.light_curves.coerce import is_series_matrix
from sklc.light_curves.metadata import metadata_matrix, name_object
from sklc.networks.inference.encode import resolve_device, single_thread_in_workers
from sklc.networks.redshift import RedshiftView
from sklc.uncertainty.registry import redshift_uncertainty

__all__ = ["RedshiftRegressor"]

# Fewer errors than this say nothing about the width of an interval.
_FEWEST_OBJECTS = 3


class RedshiftRegressor(KeepsFittedEncoder, RegressorMixin, LightCurveEstimator):
    """Estimate redshifts from light curves with a pretrained encoder and few known redshifts.

    What is learned is ``ln(1 + z)``, with a mean and a scale per object; the scale is calibrated
    on objects that the model has not seen, so that intervals hold as often as they say.

    Parameters
    ----------
    encoder : str, path, LightCurveEncoder or None, default="ztf+lsst"
        Name or file of pretrained weights; an encoder with weights; an encoder that you fitted,
        whose network is then used (a copy: yours is never changed); an unfitted encoder without
        weights, whose network is trained on the redshifts; or None for the default network,
        trained from scratch. Its parameters are reached as ``encoder__...`` where it is an
        encoder.
    finetune : {"none", "head", "gru+head", "all"}, default="head"
        What is trained. "none": nothing, the redshifts of the weights are used as they are and no
        known ones are needed (weights that were trained on redshifts); "head": a head on the
        frozen encoder; "gru+head" also the GRU layers, for new passbands; "all" the whole
        network, for a new domain.
    method : {"kernel", "mlp", "knn"}, default="kernel"
        The head. "kernel": ridge regression with a linear and a radial kernel, solved exactly;
        "mlp": an ensemble of small networks that learn what ridge regressions leave, for many
        thousands of objects; "knn": the nearest objects, weighted by distance.
    n_neighbors : int, default=100
        Of "knn".
    head_sizes : tuple of int, default=(64,)
        Units of the hidden layers of "mlp".
    metadata : sequence of str or None, default=None
        Numeric per-object columns, such as ``["mwebv", "host_photoz"]``, that join the latent. A
        missing value (NaN) is replaced by the training mean and flagged.
    calibrate : str, RedshiftUncertainty or None, default="conformal"
        How intervals are calibrated on objects that the head has not seen. "conformal" takes the
        quantiles of their errors, in units of the predicted scale; None takes the scales of the
        head for those of Gaussians, as does ``finetune="none"`` without known redshifts. Other
        methods are named with `sklc.register_uncertainty`, or passed as an object with the methods
        of `sklc.uncertainty.RedshiftUncertainty`.
    min_points : int, default=1
        Fewest observations an object must have; fewer is an error that names it.
    max_epochs : int, default=40
        Passes over the training data, where a network is trained.
    batch_size : int, default=64
        Objects per gradient step.
    learning_rate : float, default=1e-3
        Of "mlp", and of a network from scratch.
    finetune_learning_rate : float, default=3e-4
        Of the encoder when fine-tuning.
    anchor : float, default=1e-3
        Strength of the pull of fine-tuned weights to the pretrained ones (L2-SP).
    validation_fraction : float, default=0.2
        Where an encoder is trained: the part of the data that is held out to stop early, to fall
        back to the frozen encoder where fine-tuning does not help, and to widen the intervals by
        as much as the encoder fits its own training objects better.
    patience : int, default=5
        Epochs without improvement.
    callbacks : list of skorch callbacks or None, default=None
        Added to the training of a network.
    device : str, default="auto"
        "auto" (the GPU where there is one), "cpu", or a torch device.
    random_state : int, RandomState instance or None, default=None
        Fixes every draw on the CPU.
    verbose : int, bool or "auto", default="auto"
        Progress bar on standard error, as in `LightCurveEncoder`.

    Attributes
    ----------
    encoder_ : LightCurveEncoder
        The encoder in use; fine-tuned where that was asked for and helped.
    uncertainty_ : RedshiftUncertainty
        The fitted method of calibration.
    redshift_range_ : tuple of float
        Smallest and largest redshift of the training objects; predictions outside are
        extrapolations, and warned of.
    metadata_columns_ : tuple of str
        Per-object columns that join the latent.
    n_features_in_ : int
        Length of the series, when fitted on a 2-D array.

    See Also
    --------
    TransferClassifier : The same for classes.

    Notes
    -----
    The head reads the latent and the recurrent state before it: a latent trained on classes
    forgets part of the brightness. If X is a 2-D array, whose objects are all observed at the same
    times, it reads the fluxes, too. The errors that calibrate the intervals are those of
    predictions by models that have not seen the object: leave-one-out for "kernel" and "knn",
    by the members of the ensemble that were trained without it for "mlp". No known redshift is
    set aside for it.

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
    >>> model = RedshiftRegressor("ztf+lsst", random_state=0).fit(curves[::2], z[::2])
    >>> redshift, uncertainty = model.predict(curves[1:6], return_std=True)
    >>> redshift.shape, uncertainty.shape
    ((5,), (5,))
    >>> model.predict_interval(curves[1:6], coverage=0.95).shape
    (5, 2)
    >>> bool(model.score(curves[1::2], z[1::2]) > 0.5)
    True
    """

    _parameter_constraints: dict = {
        "encoder": [str, os.PathLike, LightCurveEncoder, None],
        "finetune": [StrOptions({"none", "head", "gru+head", "all"})],
        "method": [StrOptions({"kernel", "mlp", "knn"})],
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "head_sizes": ["array-like"],
        "metadata": ["array-like", None],
        "calibrate": [str, HasMethods(["fit", "quantiles", "standard_deviation"]), None],
        "finetune_learning_rate": [Interval(Real, 0, None, closed="neither")],
        "anchor": [Interval(Real, 0, None, closed="left")],
        **{
            name: constraint
            for name, constraint in TRAINING_CONSTRAINTS.items()
            if name not in ("class_weight", "early_stopping")
        },
    }

    def __init__(
        self,
        encoder="ztf+lsst",
        *,
        finetune="head",
        method="kernel",
        n_neighbors=100,
        head_sizes=(64,),
        metadata=None,
        calibrate="conformal",
        min_points=1,
        max_epochs=40,
        batch_size=64,
        learning_rate=1e-3,
        finetune_learning_rate=3e-4,
        anchor=1e-3,
        validation_fraction=0.2,
        patience=5,
        callbacks=None,
        device="auto",
        random_state=None,
        verbose="auto",
    ):
        self.encoder = encoder
        self.finetune = finetune
        self.method = method
        self.n_neighbors = n_neighbors
        self.head_sizes = head_sizes
        self.metadata = metadata
        self.calibrate = calibrate
        self.min_points = min_points
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.finetune_learning_rate = finetune_learning_rate
        self.anchor = anchor
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.callbacks = callbacks
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    @classmethod
    def pretrained(cls, encoder="ztf+lsst-contrastive", **params):
        """Return a regressor that needs no known redshifts: those of the weights, ready to predict.

        Parameters
        ----------
        encoder : str or path, default="ztf+lsst-contrastive"
            Pretrained weights that were trained on redshifts, and kept the head that tells them.
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
        return cls(encoder, finetune="none", **params)._use_own_redshifts()

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = self.finetune != "none"
        tags.target_tags.positive_only = True
        # The tag speaks of R2 on a table of ten columns that are no light curve.
        tags.regressor_tags.poor_score = True
        return tags

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None):
        """Fit the head, and the encoder as far as `finetune` says.

        Parameters
        ----------
        X : light curves of n_objects
            In any form that `sklc.as_light_curves` takes.
        y : array-like of shape (n_objects,)
            Redshifts, positive. Optional with ``finetune="none"``, where they only calibrate the
            intervals.

        Returns
        -------
        RedshiftRegressor
            Itself.

        Raises
        ------
        LightCurveError
            If an object or its redshift cannot be used, or there are too few; the message names
            the object and the remedy.
        ValueError
            If y is missing or of another length, or the weights have no redshift head.
        """
        curves = self._curves(X, reset=True)
        redshift_uncertainty(self.calibrate)  # a wrong name is an error before anything is trained
        if self.finetune == "none":
            self._use_own_redshifts()
            if y is not None:
                target = np.log1p(check_redshifts(y, curves, self))
                self._require(len(target), _FEWEST_OBJECTS)
                mean, scale = self._mean_and_scale(curves).T
                self._calibrate(mean, scale, target)
            return self
        y = check_redshifts(y, curves, self)
        self._check_before_training(curves)
        target, seed = np.log1p(y), self._seed()
        with single_thread_in_workers():
            self.encoder_, held_out = fit_encoder(
                self.encoder,
                curves,
                target,
                params=self.get_params(deep=False),
                settings=self._settings(seed),
            )
            self._series_length = self.n_features_in_ if is_series_matrix(X) else 0
            columns = self._columns(curves)
            self.head_ = self._new_head(seed).fit(columns, target, seed)
        mean, scale = self.head_.out_of_sample_.T
        if held_out is not None:
            # What a network was trained on, it fits better than anything new.
            errors = target - mean
            seen, relative = np.setdiff1d(np.arange(len(target)), held_out), np.abs(errors / scale)
            errors[seen] *= np.mean(relative[held_out]) / np.mean(relative[seen])
            target = mean + errors
        self._calibrate(mean, scale, target)
        self.redshift_range_ = (float(y.min()), float(y.max()))
        return self

    def predict(self, X, return_std=False):
        """Redshift of each object.

        Parameters
        ----------
        X : light curves of n_objects
            In any form that `sklc.as_light_curves` takes.
        return_std : bool, default=False
            Whether to return standard deviations, too.

        Returns
        -------
        redshift : ndarray of shape (n_objects,)
            Mean of the predictive distribution of ``ln(1 + z)``, as a redshift; positive.
        std : ndarray of shape (n_objects,)
            Calibrated standard deviation of the redshift. Only with `return_std`.

        Warns
        -----
        LightCurveWarning
            If predictions lie outside the range of the training redshifts, by more than their
            standard deviation.
        """
        check_is_fitted(self)
        curves = self._curves(X, reset=False)
        mean, scale = self._mean_and_scale(curves).T
        scale = self.uncertainty_.standard_deviation(mean, scale)
        # Of the part of a Gaussian above 0, where redshifts are.
        in_scales = mean / scale
        mean = mean + scale * np.exp(norm.logpdf(in_scales) - norm.logcdf(in_scales))
        mean = np.maximum(mean, np.finfo(float).eps)
        redshift = np.expm1(mean)
        std = (1 + redshift) * scale
        self._warn_outside(redshift, std, curves)
        return (redshift, std) if return_std else redshift

    def predict_quantiles(self, X, quantiles=(0.16, 0.5, 0.84)):
        """Calibrated quantiles of each object's redshift.

        Parameters
        ----------
        X : light curves of n_objects
            In any form that `sklc.as_light_curves` takes.
        quantiles : array-like of float, default=(0.16, 0.5, 0.84)
            Each between 0 and 1, both excluded.

        Returns
        -------
        ndarray of shape (n_objects, n_quantiles)
            Not negative.

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

    def predict_interval(self, X, coverage=0.68):
        """Interval that holds the redshift with the stated probability.

        Parameters
        ----------
        X : light curves of n_objects
            In any form that `sklc.as_light_curves` takes.
        coverage : float, default=0.68
            Probability, between 0 and 1.

        Returns
        -------
        ndarray of shape (n_objects, 2)
            Lower and upper limits, with equal probability outside each.

        Raises
        ------
        ValueError
            If `coverage` is not between 0 and 1.

        Notes
        -----
        The probability is over objects like those of `fit`: in a sample that is fainter, or of
        other classes, it may be lower.
        """
        check_is_fitted(self)
        if not (isinstance(coverage, (int, float, np.floating)) and 0 < coverage < 1):
            raise ValueError(
                f"coverage must lie between 0 and 1, such as 0.68 or 0.95, got {coverage!r}."
            )
        return self.predict_quantiles(X, [(1 - coverage) / 2, (1 + coverage) / 2])

    def _check_before_training(self, curves: LightCurves) -> None:
        """Raise now for what would be an error only after an encoder has been trained."""
        resolve_device(self.device)
        self.metadata_columns_ = tuple(self.metadata) if self.metadata is not None else ()
        metadata_matrix(curves, self.metadata_columns_)
        self._require(len(curves), _FEWEST_OBJECTS)
        if self.method == "knn" and len(curves) <= self.n_neighbors:
            raise LightCurveError(
                f"method='knn' with n_neighbors={self.n_neighbors} needs more than "
                f"{self.n_neighbors} objects, and X holds {len(curves)}: set n_neighbors to "
                f"{len(curves) - 1} or fewer (about {max(len(curves) // 20, 1)} does well), or "
                "use method='kernel'."
            )
        if not all(isinstance(size, Integral) and int(size) > 0 for size in self.head_sizes):
            raise ValueError(
                f"head_sizes must hold positive integers, such as (64,), got {self.head_sizes!r}."
            )

    def _require(self, n_objects: int, fewest: int) -> None:
        if n_objects < fewest:
            raise LightCurveError(
                f"RedshiftRegressor needs at least {fewest} objects with a redshift, to know its "
                f"errors, and found {n_objects} sample(s): add objects, or use finetune='none' "
                "with weights that were trained on redshifts."
            )

    def _new_head(self, seed: int):
        blocks = RedshiftView(self.encoder_.net_.module_).block_sizes
        if self.method == "knn":
            return NeighborHead(blocks, self.n_neighbors)
        if self.method == "mlp":
            return EnsembleHead(blocks, self.head_sizes, self._settings(seed), self.callbacks or ())
        return KernelHead(blocks)

    def _use_own_redshifts(self) -> RedshiftRegressor:
        """Predict with the redshift head of the weights themselves."""
        if is_trained_on_labels(self.encoder):
            raise ValueError(
                "finetune='none' trains nothing, so it needs pretrained weights: name them, such "
                "as encoder='ztf+lsst', or pass an encoder that you fitted."
            )
        encoder = copy.deepcopy(self.encoder)
        if not isinstance(encoder, LightCurveEncoder):
            encoder = LightCurveEncoder(encoder, device=self.device)
        encoder._keep(*encoder._in_use())
        require_own_head(encoder, self.encoder)
        self.encoder_, self.metadata_columns_, self._series_length = encoder, (), 0
        self.head_ = OwnHead(encoder.net_.module_.redshift)
        self.redshift_range_ = (0.0, np.inf)
        self.uncertainty_ = redshift_uncertainty(None)
        return self

    def _calibrate(self, mean, scale, target, sample_weight=None) -> None:
        """Learn from out-of-sample predictions how far they are from the target."""
        self.uncertainty_ = redshift_uncertainty(self.calibrate)
        if self.calibrate is not None:
            weight = np.ones(len(target)) if sample_weight is None else sample_weight
            self.uncertainty_.fit(mean, scale, target, weight)

    def _mean_and_scale(self, curves: LightCurves) -> np.ndarray:
        return self.head_.predict(self._columns(curves))

    def _columns(self, curves: LightCurves) -> np.ndarray:
        """Inputs of the head, (n_objects, n_columns)."""
        return redshift_columns(
            self.encoder_, curves, self.metadata_columns_, self.device, self._series_length
        )

    def _warn_outside(self, redshift: np.ndarray, std: np.ndarray, curves: LightCurves) -> None:
        low, high = self.redshift_range_
        outside = np.flatnonzero((redshift + std < low) | (redshift - std > high))
        if len(outside):
            first = int(outside[0])
            warnings.warn(
                f"{len(outside)} of {len(redshift)} predicted redshifts lie outside the range of "
                f"the training objects, {low:.4g} to {high:.4g}, by more than their standard "
                f"deviation; the first is {redshift[first]:.4g} of {name_object(curves, first)}. "
                "They are extrapolations: add training objects like these, or do not rely on them.",
                LightCurveWarning,
                stacklevel=3,
            )
