"""Whether a GPU may round the factors of the products in recurrent layers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch

__all__ = ["recurrent_precision"]


@contextlib.contextmanager
def recurrent_precision(mixed: bool) -> Iterator[None]:
    """Run cuDNN's recurrent layers in float32 throughout inside, unless precision may be mixed.

    Mixed precision is TF32, the default of cuDNN: factors of products are rounded to 10 bits, sums
    and states stay in float32, and the range of numbers is that of float32. Autocasting would
    always run these layers in float16, where fluxes overflow at 65,504 and the gradients of early
    observations vanish.

    Parameters
    ----------
    mixed : bool
        Whether factors may be rounded. True leaves the setting of torch unchanged.
    """
    if mixed:
        yield
        return
    # torch 2.9 has a setting for recurrent layers, and reading the older one may then be an error.
    per_layer = hasattr(getattr(torch.backends.cudnn, "rnn", None), "fp32_precision")
    settings = torch.backends.cudnn.rnn if per_layer else torch.backends.cudnn
    name, full = ("fp32_precision", "ieee") if per_layer else ("allow_tf32", False)
    before = getattr(settings, name)
    setattr(settings, name, full)
    try:
        yield
    finally:
        setattr(settings, name, before)
