"""Alter light curves at random, as telescopes do, to train on what they deliver."""

from sklc.augment.redshifting import Redshifting
from sklc.augment.transformers import (
    AlertCadence,
    DetectionsOnly,
    DropBands,
    DropEpochs,
    ExtraNoise,
    Prefixes,
)

__all__ = [
    "AlertCadence",
    "DetectionsOnly",
    "DropBands",
    "DropEpochs",
    "ExtraNoise",
    "Prefixes",
    "Redshifting",
]
