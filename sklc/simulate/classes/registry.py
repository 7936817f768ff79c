"""The classes that `simulate` knows by name, to which users can add their own."""

from __future__ import annotations

from sklc.errors import SimulationError
from sklc.simulate.classes.source_class import SourceClass
from sklc.utils.registry import Registry

__all__ = ["REGISTRY", "get_class", "list_classes", "register_class"]

REGISTRY: Registry[SourceClass] = Registry("class", home="sklc.simulate", error=SimulationError)


def register_class(source_class: SourceClass, *, overwrite: bool = False) -> None:
    """Make a class known by its name to `simulate`, `simulate_to_parquet` and `list_classes`.

    Parameters
    ----------
    source_class : SourceClass
        The class, which is then chosen by its ``name``.
    overwrite : bool, default=False
        Whether a class of this name is replaced.

    Raises
    ------
    SimulationError
        If this is not a SourceClass, or if another class has the name.

    Examples
    --------
    >>> from sklc.simulate import CLASSES, SourceClass, register_class
    >>> fallback = CLASSES["TDE"].source
    >>> register_class(SourceClass("faint TDE", fallback, bright=-18.0), overwrite=True)
    >>> CLASSES["faint TDE"].bright
    -18.0
    >>> from sklc.simulate.classes.registry import REGISTRY
    >>> REGISTRY.unregister("faint TDE")
    """
    _check(source_class)
    REGISTRY.register(source_class.name, source_class, overwrite=overwrite)


def list_classes() -> list[str]:
    """Return the names of the classes that `simulate` knows.

    Returns
    -------
    list of str
        The eight common classes first, then subtypes, rare classes, and those that you
        registered.

    Examples
    --------
    >>> from sklc.simulate import list_classes
    >>> list_classes()[:4]
    ['SNIa', 'SNIa-91bg', 'SNIax', 'SNIb/c']
    """
    return list(REGISTRY.entries)


def get_class(name: str | SourceClass) -> SourceClass:
    """Return a class by name, or as it is.

    Parameters
    ----------
    name : str or SourceClass
        The name of a class, or a class.

    Returns
    -------
    SourceClass

    Raises
    ------
    SimulationError
        If there is no class of that name.

    Examples
    --------
    >>> from sklc.simulate.classes import get_class
    >>> get_class("TDE").bright
    -21.5
    """
    return REGISTRY[name] if isinstance(name, str) else _check(name)


def _check(source_class: object) -> SourceClass:
    if not isinstance(source_class, SourceClass):
        raise SimulationError(
            "A class is a name or a sklc.simulate.SourceClass, got "
            f"{type(source_class).__name__}: for a source of your own use "
            "SourceClass(name, SpectralSource.from_sncosmo(source))."
        )
    return source_class
