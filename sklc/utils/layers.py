"""A mapping whose copies cost next to nothing, for snapshots that are made at every change."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping, ValuesView
from typing import Any, TypeVar

__all__ = ["Layers"]

Key = TypeVar("Key")
Value = TypeVar("Value")


class Layers(MutableMapping[Key, Value]):
    """A mapping of dictionaries one above the other, which its copies share and never change.

    A new item becomes a layer, which takes in those above that are not larger. So there are about
    ``log(n)`` layers, and n items that are added one after the other, with a copy before each, cost
    about ``n log(n)`` steps rather than ``n**2``. Items cannot be removed.

    Parameters
    ----------
    layers : tuple of dict, optional
        The dictionaries; later ones hide earlier ones.

    Examples
    --------
    >>> from sklc.utils.layers import Layers
    >>> before = Layers()
    >>> before["g"] = 0.48
    >>> after = before.copy()
    >>> after["r"] = 0.62
    >>> dict(before), dict(after)
    ({'g': 0.48}, {'g': 0.48, 'r': 0.62})
    """

    __slots__ = ("_layers",)

    def __init__(self, layers: tuple[dict[Key, Value], ...] = ()) -> None:
        self._layers = layers

    def copy(self) -> Layers[Key, Value]:
        """Return a mapping of the same items, which may be changed without changing this one."""
        return Layers(self._layers)

    def __setitem__(self, key: Key, value: Value) -> None:
        new, layers = {key: value}, self._layers
        while layers and len(layers[-1]) <= len(new):
            new, layers = {**layers[-1], **new}, layers[:-1]
        self._layers = (*layers, new)

    def __getitem__(self, key: Key) -> Value:
        for layer in reversed(self._layers):
            if key in layer:
                return layer[key]
        raise KeyError(key)

    def __contains__(self, key: object) -> bool:
        return any(key in layer for layer in self._layers)

    def __delitem__(self, key: Key) -> None:
        raise TypeError("items cannot be removed")

    def __iter__(self) -> Iterator[Key]:
        return iter(self._merged())

    def __len__(self) -> int:
        return len(self._merged())

    def values(self) -> ValuesView[Value]:
        """Return the values, in the order in which their keys were first added."""
        return self._merged().values()

    def _merged(self) -> dict[Key, Value]:
        if len(self._layers) == 1:
            return self._layers[0]
        merged: dict[Any, Any] = {}
        for layer in self._layers:
            merged.update(layer)
        return merged
