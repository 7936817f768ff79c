"""Parameters of a classifier: what they may be, and which of them others make pointless."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any

from sklc.estimators.adaptation import ADAPTATION_CONSTRAINTS, check_adaptation
from sklc.estimators.base import check_head_sizes
from sklc.estimators.encoder_training import objectives_of
from sklc.estimators.pretrained_classes import CLASS_PRIORS
from sklc.estimators.sampling import SAMPLING_CONSTRAINTS, check_sampling
from sklc.estimators.transfer import is_trained_on_labels, is_trained_on_own_labels
from sklc.networks.objectives import Classifier
from sklc.utils.sklearn_compat import HasMethods, Interval, StrOptions

__all__ = ["CLASS_CONSTRAINTS", "check_mode", "keeps_its_head", "refuse_prior_labels"]

CLASS_CONSTRAINTS: dict[str, list[Any]] = {
    "head_sizes": ["array-like"],
    "C": [Interval(Real, 0, None, closed="neither"), None],
    "early": ["boolean"],
    "merge_classes": [Mapping, None],
    "class_prior": [StrOptions(set(CLASS_PRIORS)), Mapping, None],
    "prior_labels": [Interval(Real, 0, None, closed="left"), StrOptions({"auto"})],
    "calibrate": [str, HasMethods(["fit", "log_probabilities"]), None],
    **SAMPLING_CONSTRAINTS,
    **ADAPTATION_CONSTRAINTS,
}


def keeps_its_head(encoder: Any) -> bool:
    """Whether `encoder` is trained on the labels with a head for their classes, which is kept."""
    if not is_trained_on_labels(encoder):
        return False
    return encoder is None or any(isinstance(own, Classifier) for own in objectives_of(encoder))


def check_mode(estimator: Any) -> None:
    """Refuse parameters of a classifier that others make pointless.

    Parameters
    ----------
    estimator : TransferClassifier
        The estimator whose parameters are read.
    """
    refuse, linear = estimator._refuse_unread, ("C", "prior_labels")
    mode = f"finetune={estimator.finetune!r}"
    if estimator.finetune == "none":
        if estimator.features is not None:
            refuse(["features"], "a head that is trained", mode)
        unread = ("head_sizes", "early", "metadata_columns", "class_weight", "callbacks")
        refuse((*linear, *unread), "a head that is trained", mode)
    else:
        instead = "merge the labels in y instead"
        refuse(("merge_classes", "class_prior"), "finetune='none'", mode, instead)
        if keeps_its_head(estimator.encoder):
            what = "encoder=None" if estimator.encoder is None else "an unfitted encoder"
            what += ", which is trained with a head of its own"
            refuse((*linear, "head_sizes", "early"), "a head on a trained encoder", what)
            if estimator.encoder is not None:
                names, instead = ("metadata_columns", "callbacks"), "set it on the encoder"
                refuse(names, "a head on a trained encoder", what, instead)
        elif is_trained_on_own_labels(estimator.encoder):
            refuse_prior_labels(estimator, "an encoder trained on labels of your own")
    estimator._refuse_fine_tuning(keeps_its_head(estimator.encoder))
    check_sampling(estimator, keeps_its_head(estimator.encoder))
    check_adaptation(estimator, keeps_its_head(estimator.encoder))
    estimator._check_context()
    check_head_sizes(estimator.head_sizes)
    if len(estimator.head_sizes):
        refuse(linear, "a linear head", f"head_sizes={estimator.head_sizes!r}")


def refuse_prior_labels(estimator: Any, mode: str) -> None:
    """Refuse `prior_labels` where no classes of the weights are pooled with a head."""
    estimator._refuse_unread(["prior_labels"], "pooling with the classes of weights", mode)
