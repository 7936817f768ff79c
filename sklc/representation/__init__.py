"""The input of the networks: a configurable encoding of observations, stored with the weights."""

from sklc.representation.channels import CHANNELS, FIRST_CHANNELS, FOLD_CHANNELS, Shown
from sklc.representation.interface import PRESETS, InputRepresentation

__all__ = ["CHANNELS", "FIRST_CHANNELS", "FOLD_CHANNELS", "PRESETS", "InputRepresentation", "Shown"]
