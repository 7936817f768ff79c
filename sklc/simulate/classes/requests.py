"""The number of light curves of each class that a user requests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from sklc.errors import SimulationError
from sklc.simulate.classes.populations import COMMON_CLASSES
from sklc.simulate.classes.registry import get_class
from sklc.simulate.classes.source_class import SourceClass
from sklc.simulate.settings import is_integer
from sklc.simulate.sources import SALTSource, SpectralSource

__all__ = ["counts_by_class", "without_scatter"]


def counts_by_class(
    n: int | Mapping[str, int], classes: str | SourceClass | Sequence[str | SourceClass] | None
) -> list[tuple[SourceClass, int]]:
    """Return the requested classes and numbers, for both ways to request them.

    Parameters
    ----------
    n : int or mapping
        Number of objects of every class, or a mapping of class name to number.
    classes : str, SourceClass, sequence of them, or None
        Classes by name or as they are; None for those of `n`, or the eight common ones.

    Returns
    -------
    list of (SourceClass, int)

    Raises
    ------
    SimulationError
        If a number is negative or not an integer, if a class is unknown or given twice, or if n
        and classes do not agree.
    """
    if classes is not None and (isinstance(classes, str) or not isinstance(classes, Iterable)):
        classes = [classes]
    named = None if classes is None else [get_class(c) for c in classes]
    if named is not None:
        names = [c.name for c in named]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise SimulationError(f"class {twice[0]!r} is given twice in classes: name it once.")
        if not named:
            raise SimulationError(
                "classes is empty: name at least one, or pass None for the eight."
            )
    if isinstance(n, Mapping):
        own = {c.name: c for c in named or ()}
        extra = [name for name in own if name not in n]
        if extra:
            raise SimulationError(
                f"classes has {extra[0]!r}, but n gives no number for it: n={dict(n)!r}."
            )
        pairs = [(own.get(name) or get_class(name), count) for name, count in n.items()]
    else:
        pairs = [(c, n) for c in named or map(get_class, COMMON_CLASSES)]
    for source_class, count in pairs:
        if not is_integer(count, least=0):
            raise SimulationError(
                f"the number of {source_class.name} is {count!r}: pass an integer of at least 0."
            )
    return [(source_class, int(count)) for source_class, count in pairs]


def without_scatter(source_class: SourceClass) -> SourceClass:
    """Return a class whose fluxes are those of its templates, for comparisons.

    Parameters
    ----------
    source_class : SourceClass
        Class of objects to simulate.

    Returns
    -------
    SourceClass

    Examples
    --------
    >>> from sklc.simulate.classes import CLASSES
    >>> from sklc.simulate.classes.requests import without_scatter
    >>> without_scatter(CLASSES["SNIa"]).source.scatter is None
    True
    """
    source = source_class.source
    if isinstance(source, SALTSource | SpectralSource):
        return replace(source_class, source=replace(source, scatter=None))
    return source_class
