"""The transformers of `sklc.augment`, which were here before."""

from sklc.augment import *  # noqa: F403
from sklc.augment import __all__ as __all__
