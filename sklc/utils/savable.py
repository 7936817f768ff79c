"""Which classes a file of plain numbers can hold, and by which of their attributes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

__all__ = ["SAVABLE", "Savable", "savable"]

_Class = TypeVar("_Class", bound=type)


class Savable(NamedTuple):
    """A class, and the names of its attributes that are kept.

    Parameters
    ----------
    cls : type
        The class.
    attributes : tuple of str
        Names of attributes. Those of dataclasses, estimators and the layers of torch are known.
    """

    cls: Any
    attributes: tuple[str, ...]


#: By the name of the class, which is the name in the files.
SAVABLE: dict[str, Savable] = {}


def savable(*attributes: str) -> Callable[[_Class], _Class]:
    """Let `save` of the estimators keep objects of a class; a decorator.

    An object is made again without its ``__init__``, from these attributes. If its class has a
    method ``_restored``, it is called afterwards, to derive what was not kept.

    Parameters
    ----------
    *attributes : str
        Names of the attributes to keep, beside those that are known from the kind of the class.
    """

    def register(cls: _Class) -> _Class:
        SAVABLE[cls.__name__] = Savable(cls, attributes)
        return cls

    return register
