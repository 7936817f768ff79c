"""The readers that turn the forms of X into light curves, and how to add one."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any, Protocol, runtime_checkable

from sklc.light_curves.container import LightCurves
from sklc.light_curves.options import ReadOptions
from sklc.light_curves.readers import items, lists, nested, padded, series
from sklc.utils.registry import Registry

__all__ = ["READERS", "Reader", "reader_of", "register_reader"]


@runtime_checkable
class Reader(Protocol):
    """An object, or a module with two functions, that converts one form of X to light curves.

    Examples
    --------
    See `sklc.register_reader` for how to write a reader.

    >>> from sklc.light_curves import READERS, Reader
    >>> isinstance(READERS["padded"], Reader)
    True
    """

    def accepts(self, X: Any) -> bool:
        """Whether X has this form.

        Parameters
        ----------
        X : object
            Any object that was passed as X. It should not be read in full here.

        Returns
        -------
        bool

        Examples
        --------
        See `sklc.register_reader`.
        """

    def read(self, X: Any, options: ReadOptions) -> LightCurves:
        """Return X as light curves, one for each object, in the order of X.

        Parameters
        ----------
        X : object
            An object that the reader has accepted.
        options : ReadOptions
            Policies, passbands and column names, of which the reader uses those that apply.

        Returns
        -------
        LightCurves

        Examples
        --------
        See `sklc.register_reader`.
        """


@dataclass(frozen=True)
class _StoreReader:
    """A reader module that the container itself uses, and which returns a store."""

    module: ModuleType

    def accepts(self, X: Any) -> bool:
        return self.module.accepts(X)

    def read(self, X: Any, options: ReadOptions) -> LightCurves:
        made = self.module.read(X, options)  # a store, or a store and the rows of a selection
        return LightCurves(*made) if isinstance(made, tuple) else LightCurves(made)


#: The readers by name, in the order in which they are asked.
READERS: Registry[Reader] = Registry("reader")
READERS.register("nested", _StoreReader(nested))
READERS.register("lists", _StoreReader(lists))
READERS.register("objects", _StoreReader(items))
READERS.register("padded", _StoreReader(padded))
READERS.register("series", _StoreReader(series))


def register_reader(name: str, reader: Reader, *, before: str | None = None) -> None:
    """Teach `as_light_curves`, and with it every estimator, another form of X.

    Parameters
    ----------
    name : str
        The name of the reader.
    reader : Reader
        An object with the methods ``accepts(X)``, which says whether X has this form, and
        ``read(X, options)``, which returns it as `LightCurves`, one for each object of X and in
        the same order. The options are a `ReadOptions`; a reader uses those it can.
    before : str, optional
        The reader that is to be asked after this one: "nested", "lists" (columns of lists),
        "objects" (one object in each item of a list), "padded" (3-D arrays), "series" (2-D
        arrays), or one of your own. By
        default, the new reader is asked last, when no other reader has accepted X. Objects that
        numpy converts to an array need ``before="padded"``.

    Raises
    ------
    ValueError
        If there is a reader of this name, or none of the name `before`.
    TypeError
        If the reader lacks a method.

    Notes
    -----
    To be split by scikit-learn (``cross_val_score``, ``train_test_split``, ...), X itself needs
    ``shape``, whose first number is the number of objects, and an index: ``X[positions]`` and
    ``X[positions, ...]`` return the objects at an array of positions, in the same form. Otherwise
    convert it first: ``as_light_curves(X)`` can be split.

    Register the reader in the module that defines the form, so that worker processes, which import
    that module to read X, know it too.

    Examples
    --------
    >>> import numpy as np
    >>> from sklc import LightCurves, as_light_curves, register_reader
    >>> class Night:
    ...     def __init__(self, flux):
    ...         self.flux = flux
    >>> class NightReader:
    ...     def accepts(self, X):
    ...         return isinstance(X, Night)
    ...     def read(self, X, options):
    ...         time = [np.arange(len(flux)) for flux in X.flux]
    ...         return LightCurves.from_arrays(time, X.flux, band="ztfg", invalid=options.invalid)
    >>> register_reader("night", NightReader())
    >>> as_light_curves(Night([[5.0, 6.0], [7.0]])).lengths
    array([2, 1])
    >>> from sklc.light_curves import READERS
    >>> READERS.unregister("night")
    """
    if not isinstance(reader, Reader):
        raise TypeError(
            f"a reader needs the methods accepts(X) and read(X, options), and {reader!r} lacks one"
        )
    READERS.register(name, reader, before=before)


def reader_of(X: Any) -> str | None:
    """Return the name of the first reader that accepts X, or None."""
    return next((name for name, reader in READERS.entries.items() if reader.accepts(X)), None)
