"""The former name of `sklc.weights.file`, for scripts that still import it."""

import warnings

from sklc.weights.file import FORMAT_VERSION, WeightsFile, load_weights
from sklc.weights.file import header_digest as _header_digest
from sklc.weights.file import tensor_digest as _digest

__all__ = ["FORMAT_VERSION", "WeightsFile", "_digest", "_header_digest", "load_weights"]

warnings.warn(
    "sklc.pretrained is now called sklc.weights.file, and will be removed in version 0.3.",
    FutureWarning,
    stacklevel=2,
)
