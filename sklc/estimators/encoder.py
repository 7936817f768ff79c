"""LightCurveEncoder: light curves in, a latent vector per object out."""

from __future__ import annotations

import os

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from sklc.context import Context
from sklc.estimators.base import (
    METADATA_CONSTRAINTS,
    TRAINING_CONSTRAINTS,
    LightCurveEstimator,
)
from sklc.estimators.context import check_context, per_object_columns
from sklc.estimators.encoder_training import (
    NETWORK_CONSTRAINTS,
    fit_network,
    needs_labels,
)
from sklc.estimators.own_file import own_file, require_same_file
from sklc.estimators.persistence import parameters_of
from sklc.estimators.sample import check_surveys, check_weight
from sklc.estimators.sequences import SequenceMethods
from sklc.light_curves import LightCurves
from sklc.light_curves.usable import skips_unusable
from sklc.networks.device import resolve_device
from sklc.networks.inference.encode import encode_latents
from sklc.networks.training.loop import wrap
from sklc.serving.export import export_encoder
from sklc.utils.sklearn_compat import fit_context
from sklc.weights.file import WeightsFile, load_weights
from sklc.weights.trained import TrainedWeights, facts_of_copies
from sklc.weights.wavelengths import warn_of_passbands

__all__ = ["LightCurveEncoder"]

# Parameters that have no effect with weights, which include a network that is trained.
_UNREAD_WITH_WEIGHTS = (
    "representation", "fold", "architecture", "hidden_size", "n_layers", "latent_size", "objective",
    "redshift_weight", "temperature", "adversarial_weight", "augment", "metadata_columns",
    "class_weight", "callbacks", "checkpoint",
)  # fmt: skip


class LightCurveEncoder(
    SequenceMethods, ClassNamePrefixFeaturesOutMixin, TransformerMixin, LightCurveEstimator
):
    """Encode light curves as latent vectors with a neural network.

    With `weights`, the network is a pretrained one: `fit` trains nothing, and `transform` works at
    once. Without weights, `fit` trains the network, by default to classify `y`, and `transform`
    returns the latent, the layer before the class logits (Gupta et al. 2025b, section 3.1).

    As everywhere in scikit-learn, ``clone`` returns an unfitted estimator with the same
    parameters. The clone of an encoder with `weights` can transform at once, but that of an
    encoder that was trained by `fit` has to be trained again. To keep a network that was trained
    by `fit` through ``clone``, as in a cross-validation, pass the fitted encoder to
    `TransferClassifier`, `RedshiftRegressor` or `LatentIsolationForest`, wrap it in
    ``sklearn.frozen.FrozenEstimator``, or `save` it and pass the file as `weights`.

    Parameters
    ----------
    weights : str, path, TrainedWeights or None, default=None
        The network to use: a name from `sklc.list_weights` such as ``"any"``, the path of a
        file written by `save`, or the network that a transfer estimator has trained, which its
        ``encoder_`` has as this parameter. None trains a network. Weights come with their input
        representation, sizes and metadata columns; to set these as well is an error.
    representation : str or InputRepresentation, default="relative"
        What the network sees of an observation: the name of a preset, or your own.
    fold : {"period"} or None, default=None
        Whether to fold light curves with their periods, as `InputRepresentation.folded` does.
    architecture : str or Architecture, default="gru"
        The network: "gru" (stacked GRU layers), "transformer", a name that was given to
        `sklc.register_architecture`, or an instance with its settings, such as ``GRU(n_layers=1)``
        or ``Transformer(n_heads=2)`` of `sklc.networks.architectures`.
    hidden_size : int, default=100
        Number of units of each layer, of an architecture that is given by name. If the architecture
        has no such setting, changing this parameter is an error; the same holds for the next two.
    n_layers : int, default=2
        Number of layers of an architecture that is given by name.
    latent_size : int, default=128
        Length of the latent vector of an architecture that is given by name.
    objective : str, Objective or list of these, default="classifier"
        What the network is trained for: "classifier", "contrastive", "adversarial", "masked", a
        name that was given to `sklc.register_objective`, an instance of a class of
        `sklc.networks.objectives` such as ``Contrastive(temperature=0.2)``, or a list. All but
        "masked" learn the classes. "contrastive" also pulls latents of one class together, and
        those of different classes apart (supervised contrastive loss). "adversarial" also makes
        latents independent of the survey, which a discriminator tries to read from them; it needs
        the metadata column ``survey`` or ``fit(X, y, survey=...)``. "masked" predicts observations
        that are hidden at random, without labels; ``["masked", "classifier"]`` learns both.
    redshift_weight : float, default=0.0
        Weight of a Gaussian likelihood of ``ln(1 + z)``, with z from the metadata column
        ``redshift``, whatever the objective. Above 0, the latent keeps how bright an object is,
        which one trained on classes alone forgets. The head is kept, for `RedshiftRegressor`.
    temperature : float, default=0.5
        Temperature of the contrastive loss, for the named objective that takes it.
    adversarial_weight : float, default=1.0
        Largest weight of the confusion of the discriminator (Tzeng et al. 2015), for the objective
        that takes it. It rises from 0 over the epochs (Ganin et al. 2016): classes come first.
    augment : bool, str, transformer, sequence of these, or None, default=False
        Whether, or how, to train on light curves that are altered at random, and differently in
        every epoch. True uses `sklc.augment.ObservingConditions`, which makes light curves noisier,
        cuts them to detections, thins them, ends them early, or takes a band away. Other choices
        are transformers of `sklc.augment`, your own with ``fit`` and ``transform``, names that were
        given to `sklc.register_augmentation`, or a list of these, which are applied in turn. An
        object that is left with fewer than `min_points` observations is left out of that epoch.
    metadata_columns : sequence of str or None, default=None
        Numeric per-object columns, such as ``["mwebv"]``, that are read besides the light
        curve. A missing value (NaN) is replaced by the training mean and flagged.
    context : str, sequence of str, mapping of str to str, or None, default=None
        What is known of the objects besides their light curves, if the weights read it: any of
        ``"redshift"``, ``"redshift_err"`` (0 without it, as for a redshift from a spectrum),
        ``"mwebv"`` and ``"last_non_detection"`` (MJD; True takes it from the light curves), mapped
        to metadata columns. Where a value is missing (NaN), the light curve alone counts.
    min_points : int, default=1
        Fewest observations an object must have; an object with fewer is an error that names it.
    max_epochs : int, default=40
        Number of passes over the training data, where a network is trained.
    batch_size : int, default=64
        Number of objects per gradient step.
    learning_rate : float, default=1e-3
        Learning rate of a network trained from scratch, or of a head with hidden layers.
    learning_rate_decay : bool or int, default=False
        Whether to warm the learning rate up over two epochs and let it fall to 1 % along a cosine
        until `max_epochs`, which suits long trainings without early stopping. With a number from
        2 on, this is repeated so many times.
    weight_decay : float, default=0.0
        Weight decay of AdamW.
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
    checkpoint : str, path or None, default=None
        File to which the state of the training is saved after every epoch. If the file exists,
        `fit` continues from it, which requires the same data and settings. On the CPU, a training
        that was interrupted ends with exactly the same network as one that was not.
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
    net_ : skorch.NeuralNet
        Holds the network as ``net_.module_`` and, where it was trained by `fit`, ``net_.history``.
        With weights from a file it is a copy, made at each access.
    representation_ : InputRepresentation
        The input convention in use.
    metadata_columns_ : tuple of str
        The metadata columns in use.
    classes_ : ndarray of shape (n_classes,)
        Classes that the network was trained on: those of `y`, or of the weights.
    n_features_out_ : int
        Size of the latent. With weights, all attributes above are there before `fit`.
    n_features_in_ : int
        Length of the series, when fitted on a 2-D array.
    feature_names_in_ : ndarray of str
        Column names, when fitted on a 2-D data frame.

    See Also
    --------
    TransferClassifier : Encoder and classifier in one, with fine-tuning.

    References
    ----------
    Gupta, Muthukrishna, Rehemtulla & Shah 2025, MNRASL, slaf074;
    Gupta, Muthukrishna & Audenaert 2025, ML4Astro.

    Examples
    --------
    >>> from sklc import LightCurveEncoder
    >>> from sklc.datasets import load_demo
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> curves, y = load_demo(return_X_y=True)
    >>> encoder = LightCurveEncoder.pretrained("any")
    >>> encoder.transform(curves).shape == (len(curves), 128)
    True
    >>> pipe = make_pipeline(encoder, LogisticRegression(max_iter=1000)).fit(curves, y)
    >>> pipe.predict(curves[:3]).shape
    (3,)
    """

    _trained: TrainedWeights | None = None
    _file: tuple[str, str | None] | None = None
    _instead_of_y = ", or take pretrained weights: LightCurveEncoder.pretrained('any')"

    _parameter_constraints: dict = {
        "weights": [str, os.PathLike, TrainedWeights, None],
        **NETWORK_CONSTRAINTS,
        **METADATA_CONSTRAINTS,
        **TRAINING_CONSTRAINTS,
    }

    def __init__(
        self,
        weights=None,
        *,
        representation="relative",
        fold=None,
        architecture="gru",
        hidden_size=100,
        n_layers=2,
        latent_size=128,
        objective="classifier",
        redshift_weight=0.0,
        temperature=0.5,
        adversarial_weight=1.0,
        augment=False,
        metadata_columns=None,
        context=None,
        min_points=1,
        max_epochs=40,
        batch_size=64,
        learning_rate=1e-3,
        learning_rate_decay=False,
        weight_decay=0.0,
        early_stopping=True,
        validation_fraction=0.2,
        patience=5,
        class_weight=None,
        callbacks=None,
        checkpoint=None,
        mixed_precision="auto",
        device="auto",
        random_state=None,
        verbose="auto",
        metadata="deprecated",
    ):
        self.weights = weights
        self.representation = representation
        self.fold = fold
        self.architecture = architecture
        self.hidden_size = hidden_size
        self.n_layers = n_layers
        self.latent_size = latent_size
        self.objective = objective
        self.redshift_weight = redshift_weight
        self.temperature = temperature
        self.adversarial_weight = adversarial_weight
        self.augment = augment
        self.metadata_columns = metadata_columns
        self.context = context
        self.min_points = min_points
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_decay = learning_rate_decay
        self.weight_decay = weight_decay
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.class_weight = class_weight
        self.callbacks = callbacks
        self.checkpoint = checkpoint
        self.mixed_precision = mixed_precision
        self.device = device
        self.random_state = random_state
        self.verbose = verbose
        self.metadata = metadata

    @classmethod
    def pretrained(cls, weights="any", **params):
        """Return an encoder with pretrained weights, ready to transform.

        Parameters
        ----------
        weights : str or path, default="any"
            A name from `sklc.list_weights`, or a file.
        **params
            Further parameters of the class.

        Returns
        -------
        LightCurveEncoder
            The same as ``LightCurveEncoder(weights=weights, **params)``: the weights are a
            parameter, so ``clone``, pickling and grid search keep them.

        Raises
        ------
        UnknownWeightsError
            If there are no such weights.
        WeightsError
            If the file is damaged.

        Examples
        --------
        >>> from sklc import LightCurveEncoder
        >>> LightCurveEncoder.pretrained("ztf")
        LightCurveEncoder(weights='ztf')
        """
        encoder = cls(weights=weights, **params)
        encoder._source()  # a wrong name is an error here, not at the first transform
        encoder._check_mode()
        encoder._validate_params()
        return encoder

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = needs_labels(self)
        tags.transformer_tags.preserves_dtype = ["float32"]
        tags.requires_fit = self.weights is None
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return self.weights is not None or self._trained is not None

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, survey=None, sample_weight=None):
        """Train the network on light curves, or only check its weights.

        Parameters
        ----------
        X : light curves of n_objects
            In any form that `sklc.as_light_curves` takes.
        y : array-like of shape (n_objects,), optional
            Class labels; required, and used, only with ``weights=None`` and an objective that
            learns them. A Series that is indexed by the ids is put into the order of X; so are
            `survey` and `sample_weight`.
        survey : array-like of shape (n_objects,), optional
            Survey of each object, for ``objective="adversarial"``; without it, the metadata
            column of that name is used. It is refused where nothing reads it.
        sample_weight : array-like of shape (n_objects,), optional
            Weight of each object in the loss, used only with ``weights=None``. A weight of k is
            the same as k copies of the object, and 0 leaves it out.

        Returns
        -------
        LightCurveEncoder
            Itself.

        Raises
        ------
        LightCurveError
            If an object cannot be used, or its survey or redshift is missing where the objective
            needs it; the message names the object and the remedy.
        CheckpointError
            If `checkpoint` is damaged, of another version, or of another training.
        ValueError
            If y is missing, of another length, or of a single class, or `survey` has no effect.
        """
        curves = self._curves(X, reset=True)
        y, sample_weight, survey = self._in_order(
            X, curves, y=y, sample_weight=sample_weight, survey=survey
        )
        columns = self._metadata()
        if self.weights is not None:
            self._trained = self._file = None  # of an earlier fit
        self._check_mode()
        if self.weights is not None:
            if survey is not None:
                raise ValueError("survey= has no effect with weights: leave survey out.")
            self._file = self._own_file()
            self._per_object(curves)
            if sample_weight is not None:
                check_weight(sample_weight, curves)
            return self
        survey = None if survey is None else check_surveys(survey, curves)
        self._trained = fit_network(self, curves, y, sample_weight, survey, columns)
        return self

    @skips_unusable
    def transform(self, X, *, on_error="raise"):
        """Encode light curves.

        Parameters
        ----------
        X : light curves of n_objects
            In any form that `sklc.as_light_curves` takes.
        on_error : {"raise", "nan"}, default="raise"
            "raise" an error at an object that cannot be used, such as one that is too short, or
            give it a row of NaN and warn ("nan"): see `sklc.light_curves.unusable`.

        Returns
        -------
        ndarray of shape (n_objects, latent_size), float32
            One row per object, in the order of X; a data frame after ``set_output``.

        Raises
        ------
        LightCurveError
            If an object cannot be used; the message names it and the remedy.
        sklearn.exceptions.NotFittedError
            If there are neither weights nor a fit.
        """
        check_is_fitted(self)
        self._check_mode()
        return self._encode(self._curves(X, reset=False), self)

    def save(self, path, **info):
        """Write the network and its whole input convention to a safetensors file.

        ``LightCurveEncoder(weights=path)`` restores it.

        Parameters
        ----------
        path : str or path
            The file to write; it is replaced whole or not at all.
        **info
            Plain values to keep in the file's header (training data, metrics, licence, ...).

        Returns
        -------
        pathlib.Path
            The file.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If there are neither weights nor a fit.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> from sklc import LightCurveEncoder
        >>> from sklc.datasets import load_demo
        >>> curves = load_demo().curves[:5]
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = LightCurveEncoder("ztf").save(Path(folder) / "mine.safetensors", note="copy")
        ...     LightCurveEncoder(path).transform(curves).shape
        (5, 128)
        """
        source = self._source()  # raises if it is not fitted
        return WeightsFile.from_network(
            source.network,
            source.representation,
            source.classes,
            source.metadata_columns,
            {**facts_of_copies(source.info), **info, "estimator": parameters_of(self)},
        ).save(path)

    def to_onnx(self, path):
        """Export the network as an ONNX file, for `sklc.serving.OnnxModel` or any ONNX runtime.

        Inputs are ``values``, float32 (n_objects, longest, n_channels), ``lengths``, int32
        (n_objects,), and with metadata or context ``metadata`` and ``context``, float32 (n_objects,
        n_columns), in which NaN is missing. Outputs are
        ``latent``, the ``probabilities`` of the classes that the network was trained on, and where
        it was trained on redshifts ``redshift``, mean and standard deviation of ``ln(1 + z)``. The
        input convention is in the file's metadata, as JSON under the key "sklc".

        Parameters
        ----------
        path : str or path
            The file to write; it is replaced whole or not at all.

        Returns
        -------
        pathlib.Path
            The file.

        Raises
        ------
        ImportError
            If the package onnx is not installed.
        sklearn.exceptions.NotFittedError
            If there are neither weights nor a fit.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> from sklc import LightCurveEncoder
        >>> from sklc.datasets import load_demo
        >>> from sklc.serving import OnnxModel
        >>> folder = tempfile.TemporaryDirectory()
        >>> path = LightCurveEncoder("ztf").to_onnx(Path(folder.name) / "ztf.onnx")
        >>> OnnxModel(path).transform(load_demo().curves[:5]).shape
        (5, 128)
        >>> folder.cleanup()
        """
        check_is_fitted(self)
        source = self._source()
        own = source.network, source.representation, self.classes_, source.metadata_columns
        return export_encoder(path, *own, Context.of(self.context))

    @property
    def net_(self):
        """The network, as a skorch net."""
        source = self._source()
        return source.net if isinstance(source, TrainedWeights) else wrap(source.build())

    @property
    def representation_(self):
        """The input convention in use."""
        return self._source().representation

    @property
    def metadata_columns_(self):
        """The metadata columns in use."""
        return self._source().metadata_columns

    @property
    def classes_(self):
        """Classes that the network was trained on, none without labels."""
        return np.asarray(self._source().classes)

    @property
    def n_features_out_(self) -> int:
        """Number of columns that `transform` returns."""
        return self._source().network.latent_size

    _n_features_out = n_features_out_

    def _encode(self, curves: LightCurves, like: LightCurveEstimator, **options) -> np.ndarray:
        """Encode light curves where, and as precisely as, the parameters of `like` say."""
        source = self._source()
        warn_of_passbands(curves, source.info)
        return encode_latents(
            source.network,
            source.representation,
            curves,
            self._per_object(curves),
            device=resolve_device(like.device),
            mixed_precision=bool(like.mixed_precision),
            **options,
        )

    def _per_object(self, curves: LightCurves) -> np.ndarray | None:
        """Columns that the network reads beside the light curves: metadata, then context."""
        check_context(self.context, self._source(), self.weights)
        return per_object_columns(curves, self._source(), self.context)

    def _check_objects(self, curves: LightCurves) -> None:
        self._per_object(curves)
        self.representation_.check(curves)

    def _check_mode(self) -> None:
        """Refuse parameters that weights bring along themselves, or cannot use."""
        if self.weights is None:
            self._refuse_unread(["context"], "weights that read it", "weights=None")
        else:
            self._refuse_unread(_UNREAD_WITH_WEIGHTS, "weights=None", f"weights={self.weights!r}")
            check_context(self.context, self._source(), self.weights)

    def _source(self) -> TrainedWeights | WeightsFile:
        """Return the network in use and its input convention, only to be read."""
        if self.weights is None:
            if self._trained is None:
                raise NotFittedError(
                    "This LightCurveEncoder has neither weights nor a fit: call fit(X, y), or name "
                    "pretrained weights, such as weights='any'."
                )
            return self._trained
        if isinstance(self.weights, TrainedWeights):
            return self.weights
        file = load_weights(self.weights)
        require_same_file(self._own_file())
        return file

    def _own_file(self) -> tuple[str, str | None] | None:
        """Path and sha256 of a weights file of the user's own, as it was first seen."""
        return own_file(self.weights, self._file)

    def __getstate__(self):
        file = self._own_file()  # a pickle holds the name of weights, and not their tensors
        return {**super().__getstate__(), **({} if file is None else {"_file": file})}

    def _is_fine_tuned(self) -> bool:
        """Whether the network was trained further than its own class and redshift heads."""
        return bool(self._source().info.get("fine_tuned"))

    def _holding(self, weights) -> LightCurveEncoder:
        """Return an encoder that has `weights`, and computes as this one does."""
        shared = ("context", "min_points", "mixed_precision", "device", "random_state", "verbose")
        return LightCurveEncoder(weights, **{name: getattr(self, name) for name in shared})
