"""Architectures by name, and how to add one from outside the package."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sklc.utils.registry import Registry

__all__ = ["ARCHITECTURES", "name_of", "register_architecture"]

ARCHITECTURES: Registry[Callable[..., Any]] = Registry("architecture")


def register_architecture(
    name: str, architecture: Callable[..., Any], *, overwrite: bool = False
) -> None:
    """Add a network architecture, so that ``LightCurveEncoder(architecture=name)`` finds it.

    Weights files name the architecture of their network: a process that loads such a file has to
    register the architecture first.

    Parameters
    ----------
    name : str
        The name by which it is chosen.
    architecture : subclass of Architecture, or callable that returns one of its instances
        What is called with the settings, as keyword arguments.
    overwrite : bool, default=False
        Whether to replace an architecture of this name.

    Raises
    ------
    ValueError
        If the name is empty, no string, or taken.
    TypeError
        If `architecture` cannot be called.

    Examples
    --------
    >>> from functools import partial
    >>> from sklc import LightCurveEncoder, register_architecture
    >>> from sklc.networks.architectures import ARCHITECTURES, GRU
    >>> register_architecture("one-layer", partial(GRU, n_layers=1))
    >>> ARCHITECTURES["one-layer"](hidden_size=32)
    GRU(latent_size=128, standardize_latent=False, hidden_size=32, n_layers=1)
    >>> ARCHITECTURES.unregister("one-layer")
    """
    if not callable(architecture):
        raise TypeError(
            f"An architecture is a subclass of sklc.networks.architectures.Architecture, or a "
            f"function that returns an instance of one; got {architecture!r}."
        )
    ARCHITECTURES.register(name, architecture, overwrite=overwrite)


def name_of(architecture: object) -> str | None:
    """Return the name that an architecture is registered under, or None.

    What was made by a registered function has the name of that function, unless its class is
    registered by itself.
    """
    names = [name for name in ARCHITECTURES.names() if ARCHITECTURES[name] is type(architecture)]
    return names[0] if names else getattr(architecture, "_made_by", None)
