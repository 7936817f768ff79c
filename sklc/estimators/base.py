"""What the estimators share: input in every form, labels, validation split, training settings.

All estimators take their parameters in one order, as far as they have them: the encoder or its
weights; `finetune`; what the head, network or forest is; `metadata_columns`; `context`; `features`;
how the classes of the weights are used; `calibrate`; `min_points`; then the training: `max_epochs`,
`batch_size`, `learning_rate`, `learning_rate_decay`, `weight_decay`, `finetune_learning_rate`,
`anchor`, `early_stopping`, `validation_fraction`, `patience`, `class_weight`, `callbacks`,
`checkpoint`; and how it runs: `n_jobs`, `mixed_precision`, `device`, `random_state`, `verbose`. A
parameter of the same name has the same default in all of them, and the same meaning.

A parameter that changes what is learned, and that a mode does not read, is refused where it was
changed from its default. Those of a training run (`max_epochs` to `patience`, but for the two of
fine-tuning) are simply not needed where no network is trained.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from inspect import signature
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.utils import check_random_state, column_or_1d
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array, check_is_fitted

from sklc.errors import LightCurveError
from sklc.estimators.fingerprint import fingerprint
from sklc.estimators.persistence import load_estimator, save_estimator
from sklc.estimators.sample import TrainingSample
from sklc.estimators.targets import in_order
from sklc.light_curves import LightCurves
from sklc.light_curves.estimator_input import input_of
from sklc.light_curves.metadata import name_object
from sklc.light_curves.usable import Screened, screen
from sklc.networks.device import calm_forked_child, resolve_device
from sklc.networks.training.loop import TrainingSettings
from sklc.utils.savable import savable
from sklc.utils.sklearn_compat import Hidden, Interval, StrOptions

__all__ = [
    "METADATA_CONSTRAINTS",
    "TRAINING_CONSTRAINTS",
    "LightCurveEstimator",
    "check_coverage",
    "check_head_sizes",
    "refuse_weight_without_target",
    "require_two_classes",
]

TRAINING_CONSTRAINTS: dict[str, list[Any]] = {
    "min_points": [Interval(Integral, 1, None, closed="left")],
    "max_epochs": [Interval(Integral, 1, None, closed="left")],
    "batch_size": [Interval(Integral, 1, None, closed="left")],
    "learning_rate": [Interval(Real, 0, None, closed="neither")],
    "early_stopping": ["boolean"],
    "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
    "patience": [Interval(Integral, 1, None, closed="left")],
    "class_weight": [StrOptions({"balanced"}), dict, None],
    "callbacks": ["array-like", None],
    "mixed_precision": ["boolean", StrOptions({"auto"})],
    "device": [str],
    "random_state": ["random_state"],
    "verbose": ["verbose", StrOptions({"auto"})],
}
METADATA_CONSTRAINTS: dict[str, list[Any]] = {
    "metadata_columns": ["array-like", None],
    "context": [str, "array-like", Mapping, None],
    "metadata": ["array-like", None, Hidden(StrOptions({"deprecated"}))],
}


class LightCurveEstimator(BaseEstimator):
    """Base of the estimators: turns every form of X into LightCurves, and checks y."""

    _instead_of_y = ""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.__module__.startswith("sklc."):  # others may be saved, and not be parts of others
            savable()(cls)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the fitted estimator to a safetensors file, which holds no code.

        It is what to keep, publish and pass on: the file loads in later versions of sklc, NumPy,
        scikit-learn and torch, and loading one from elsewhere runs nothing that it contains.

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
        sklearn.exceptions.NotFittedError
            If it is not fitted.
        TypeError
            If a part of it is no part of sklc, such as a transformer or a calibration of your own,
            or callbacks.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> from sklc import TransferClassifier
        >>> from sklc.datasets import load_demo
        >>> curves = load_demo().curves[:5]
        >>> clf = TransferClassifier.pretrained("any")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = clf.save(Path(folder) / "classifier.safetensors")
        ...     again = TransferClassifier.load(path)
        >>> bool((again.predict_proba(curves) == clf.predict_proba(curves)).all())
        True
        """
        return save_estimator(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Any:
        """Return the fitted estimator of a file that `save` wrote.

        Parameters
        ----------
        path : str or path
            The file.

        Returns
        -------
        object
            An estimator of this class, with the parameters and what was learned. Weights of the
            package are taken from the package, all others from the file.

        Raises
        ------
        WeightsError
            If the file is damaged, of another class, of a newer format, or needs weights that this
            version does not have.

        Examples
        --------
        See `save`.
        """
        return load_estimator(cls, path)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True
        tags.input_tags.three_d_array = True
        return tags

    def __dask_tokenize__(self) -> tuple[str, str]:
        return type(self).__name__, fingerprint(self)

    def _screen(self, X: Any) -> Screened:
        """Separate the objects that this estimator can use from the others."""
        check_is_fitted(self)
        read = partial(self._curves, reset=False, any_length=True)
        return screen(X, min_points=self.min_points, read=read, check=self._check_objects)

    def _check_objects(self, curves: LightCurves) -> None:
        """Raise if an object lacks what this estimator needs beside its observations."""

    def _curves(self, X: Any, *, reset: bool, any_length: bool = False) -> LightCurves:
        """Convert X, check it, and for 2-D X check or learn ``n_features_in_``."""
        calm_forked_child()
        return input_of(self, X, reset=reset, min_points=None if any_length else self.min_points)

    def _in_order(self, X: Any, curves: LightCurves, **values: Any) -> Any:
        """Return targets and weights in the order of the light curves, see `targets.in_order`."""
        return [in_order(own, X, curves, name) for name, own in values.items()]

    def _labels(self, y: Any, curves: LightCurves) -> np.ndarray:
        """Check y as class labels of `curves`, one each."""
        if y is not None:
            _check_labels_are_there(y, curves)
        y = self._one_each(y, curves, "label")
        check_classification_targets(y)
        return y

    def _one_each(self, y: Any, curves: LightCurves, what: str, **options: Any) -> np.ndarray:
        """Check that y holds one value per light curve, with `options` of ``check_array``."""
        if y is None:
            raise ValueError(
                f"This {type(self).__name__} estimator requires y to be passed, but the target y "
                f"is None: pass one {what} per object{self._instead_of_y}."
            )
        options = {"dtype": None, "ensure_2d": False, "ensure_min_samples": 0, **options}
        y = column_or_1d(check_array(y, input_name="y", **options), warn=True)
        if len(y) != len(curves):
            raise ValueError(
                f"X holds {len(curves)} light curves and y {len(y)} {what}s, inconsistent numbers "
                f"of samples: pass one {what} per object, in the order of X.ids."
            )
        return y

    def _validation_split(
        self, sample: TrainingSample, seed: int
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Return a stratified split of the distinct objects: training rows, validation rows.

        A single object that counts twice or more, as its copies would, is trained on alone.

        Raises
        ------
        LightCurveError
            If a class has a single member: it can lie on one side only.
        """
        classes, index, counts = np.unique(sample.y, return_inverse=True, return_counts=True)
        lonely = np.flatnonzero((np.bincount(index, sample.weights) < 2) & (counts < 2))
        if len(lonely):
            position = int(np.flatnonzero(index == lonely[0])[0])
            raise LightCurveError(
                f"Class {plain(classes[lonely[0]])!r} has one member, {sample.name(position)}, and "
                "early stopping needs at least two of each class, to train and to validate. Merge "
                "or drop the class, give it more members, or set early_stopping=False."
            )
        several = np.flatnonzero(counts[index] > 1)
        if not len(several):
            return np.arange(len(index)), None
        single, index = np.flatnonzero(counts[index] == 1), index[several]
        # However small the part is, both sides need members of every class.
        n_classes = len(np.unique(index))
        n_valid = max(int(np.ceil(self.validation_fraction * len(index))), n_classes)
        n_valid = min(n_valid, len(index) - n_classes)
        split = StratifiedShuffleSplit(1, test_size=n_valid, random_state=seed)
        rows, held_out = next(split.split(index, index))
        # Rounding may leave a small class on one side only; then one member changes sides.
        for label in np.unique(index):
            if label not in index[rows]:
                moved = held_out[index[held_out] == label][:1]
                rows, held_out = np.append(rows, moved), np.setdiff1d(held_out, moved)
            elif label not in index[held_out]:
                moved = rows[index[rows] == label][:1]
                rows, held_out = np.setdiff1d(rows, moved), np.append(held_out, moved)
        return np.append(several[rows], single), several[held_out]

    def _class_weights(
        self, classes: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None
    ) -> np.ndarray:
        """Return the weight of each class in the loss, (n_classes,); the mean over objects is 1."""
        index = np.searchsorted(classes, y)
        if sample_weight is not None and self.class_weight == "balanced":
            weights = 1 / np.bincount(index, sample_weight)
        else:
            weights = compute_class_weight(self.class_weight, classes=classes, y=y)
        return weights / np.average(weights[index], weights=sample_weight)

    def _metadata(self) -> tuple[str, ...]:
        """Return the columns that `metadata_columns`, or its former name `metadata`, lists."""
        columns = self.metadata_columns
        if not (isinstance(self.metadata, str) and self.metadata == "deprecated"):
            warnings.warn(
                "The parameter metadata= is now called metadata_columns=, and will be removed in "
                "version 0.3: scikit-learn means something else by metadata.",
                FutureWarning,
                stacklevel=4,
            )
            if columns is not None and self.metadata is not None:
                raise ValueError(
                    "Both metadata= and metadata_columns= are given: leave metadata= out, which "
                    "is the former name."
                )
            columns = self.metadata if columns is None else columns
        if isinstance(columns, str):
            raise ValueError(
                f"metadata_columns={columns!r} must be a list of names, such as [{columns!r}]."
            )
        return () if columns is None else tuple(columns)

    def _refuse_unread(
        self, names: Sequence[str], read_by: str, mode: str, instead: str = ""
    ) -> None:
        """Refuse parameters that were changed from their defaults and are not read.

        Parameters
        ----------
        names : sequence of str
            Parameters that are not read.
        read_by : str
            What they are for.
        mode : str
            What makes them pointless.
        instead : str, default=""
            What to do beside leaving them out.
        """
        defaults = signature(type(self)).parameters
        for name in names:
            value, default = getattr(self, name), defaults[name].default
            value = tuple(value) if isinstance(default, tuple) else value
            if value is not default and not (
                isinstance(value, (str, Real, tuple)) and value == default
            ):
                raise ValueError(
                    f"{name} is for {read_by}, and has no effect with {mode}: leave {name} out"
                    + (f", and {instead}." if instead else ".")
                )

    def _shared_with(self, other: type) -> dict[str, Any]:
        """Return the parameters that `other` has, too, except for the seed and metadata columns."""
        theirs = set(signature(other).parameters) - {"metadata", "metadata_columns", "random_state"}
        mine = self.get_params(deep=False)
        return {name: value for name, value in mine.items() if name in theirs}

    def _seed(self) -> int:
        return int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))

    def _settings(self, seed: int, **changes: Any) -> TrainingSettings:
        names = ("max_epochs", "batch_size", "learning_rate", "patience", "verbose")
        return TrainingSettings(
            **{name: getattr(self, name) for name in names},
            mixed_precision=bool(self.mixed_precision),
            device=resolve_device(self.device),
            seed=seed,
            **changes,
        )


def plain(label: Any) -> Any:
    """Return a label as Python prints it: 'SNIa', not np.str_('SNIa')."""
    return label.item() if isinstance(label, np.generic) else label


def _check_labels_are_there(y: Any, curves: LightCurves) -> None:
    """Refuse labels that are missing or of types that cannot be compared."""
    # dtype=object, since numpy would turn None and numbers among strings into strings.
    labels = np.asarray(y, dtype=object)
    if labels.shape != curves.shape:
        return  # column vectors, wrong lengths: left to the checks that follow
    missing = np.flatnonzero(pd.isna(labels))
    if len(missing):
        raise LightCurveError(
            f"y contains NaN or None: the label of {name_object(curves, int(missing[0]))} is "
            f"missing ({len(missing)} of {len(labels)} labels). Leave such objects out: "
            "keep = pandas.notna(y); fit(X[keep], y[keep])"
        )
    text = np.array([isinstance(label, str) for label in labels], dtype=bool)
    if text.any() and not text.all():
        first, other = int(np.argmin(text == text[0])), labels[0]
        raise LightCurveError(
            f"y mixes strings with other types: {plain(labels[first])!r} for "
            f"{name_object(curves, first)}, {plain(other)!r} for {name_object(curves, 0)}. "
            "Convert the labels to one type, for example with y.astype(str)"
        )


def require_two_classes(classes: np.ndarray, estimator: BaseEstimator) -> None:
    """Refuse labels of a single class."""
    if len(classes) < 2:
        raise ValueError(
            f"{type(estimator).__name__} needs at least two classes, and y holds one class: "
            f"{plain(classes[0])!r}. Check that y has the labels, or add objects of another class."
        )


def check_coverage(coverage: Any) -> None:
    """Refuse a coverage that is no probability."""
    if not (isinstance(coverage, Real) and 0 < float(coverage) < 1):
        raise ValueError(
            f"coverage={coverage!r} must be a number between 0 and 1, both excluded, such as "
            "coverage=0.9."
        )


def check_head_sizes(head_sizes: Any) -> None:
    """Refuse hidden layers without units."""
    if not all(isinstance(size, Integral) and int(size) > 0 for size in head_sizes):
        raise ValueError(
            f"head_sizes must hold positive integers, such as (64,), got {head_sizes!r}."
        )


def refuse_weight_without_target(y: Any, sample_weight: Any) -> None:
    """Refuse weights where nothing is trained, and there is nothing to calibrate on either."""
    if y is None and sample_weight is not None:
        raise ValueError(
            "With finetune='none', sample_weight is for calibration on known targets, and y is "
            "None: pass y, or leave sample_weight out."
        )
