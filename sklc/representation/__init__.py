"""The input of the networks: a configurable encoding of observations, stored with the weights."""

from sklc.representation.channels import CHANNELS, FOLD_CHANNELS, Shown
from sklc.representation.interface import PRESETS, InputRepresentation

__all__ = ["CHANNELS", "FOLD_CHANNELS", "PRESETS", "InputRepresentation", "Shown"]
