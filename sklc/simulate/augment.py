"""The transformers of `sklc.augment`, under their earlier import path."""

from sklc.augment import *  # noqa: F403
from sklc.augment import __all__ as __all__
