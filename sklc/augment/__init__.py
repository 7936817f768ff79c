"""Alter light curves at random, as telescopes do, to train on what they deliver."""

from sklc.augment.base import Augmenter
from sklc.augment.training import register_augmentation
from sklc.augment.transformers import (
    AlertCadence,
    DetectionsOnly,
    DropBands,
    DropEpochs,
    ExtraNoise,
    ObservingConditions,
    Prefixes,
    Redshifting,
)

__all__ = [
    "AlertCadence",
    "Augmenter",
    "DetectionsOnly",
    "DropBands",
    "DropEpochs",
    "ExtraNoise",
    "ObservingConditions",
    "Prefixes",
    "Redshifting",
    "register_augmentation",
]
