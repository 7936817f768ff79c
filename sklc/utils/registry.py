"""Entries that are chosen by name, and that can be added from outside the package."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Generic, TypeVar

__all__ = ["Registry"]

Entry = TypeVar("Entry")


class Registry(Generic[Entry]):
    """A collection of named entries, in which each name occurs once.

    Parameters
    ----------
    kind : str
        The kind of entry, which messages name, such as "architecture".
    load : callable, optional
        A function that imports the built-in entries. It is called once, before the first look-up.
    home : str, default="sklc"
        The module with the public function ``register_<kind>``, which messages refer to.
    error : type, default=ValueError
        The type of the errors that are raised.

    Examples
    --------
    >>> from sklc.utils.registry import Registry
    >>> colours = Registry("colour")
    >>> colours.register("red", "#f00")
    >>> colours["red"], colours.names()
    ('#f00', ['red'])
    """

    def __init__(
        self,
        kind: str,
        load: Callable[[], None] | None = None,
        home: str = "sklc",
        error: type[ValueError] = ValueError,
    ) -> None:
        self.kind = kind
        self._home = home
        self._load, self._error = load, error
        self._entries: dict[str, Entry] = {}
        # Entries that were inserted before another one, until someone asks for the order.
        self._before: dict[str, list[str]] = {}

    def register(
        self, name: str, entry: Entry, *, overwrite: bool = False, before: str | None = None
    ) -> None:
        """Add an entry.

        Parameters
        ----------
        name : str
            The name under which the entry is chosen.
        entry : object
            The entry itself.
        overwrite : bool, default=False
            Whether an entry of this name is replaced.
        before : str, optional
            The name of the entry to insert the new one before; by default it is added at the end.

        Raises
        ------
        ValueError
            If the name is empty, is not a string or belongs to another entry, or if there is no
            entry named `before`.
        """
        self._fill()
        if not isinstance(name, str) or not name:
            raise self._error(f"The name of a new {self.kind} must be a string, got {name!r}.")
        if not overwrite and self._entries.get(name, entry) is not entry:
            raise self._error(
                f"There is a {self.kind} named {name!r} already: choose another name, or replace "
                "it with overwrite=True."
            )
        if before is None or before == name:
            self._entries[name] = entry
            return
        self[before]  # an unknown name is an error
        if name in self._entries:
            self.unregister(name)
        self._entries[name] = entry
        self._before.setdefault(before, []).append(name)

    def unregister(self, name: str) -> None:
        """Remove an entry, which must exist; tests use this to clean up."""
        self._sort()
        del self._entries[name]

    def __getitem__(self, name: str) -> Entry:
        """Return the entry of a name; an unknown one is a ValueError that lists all."""
        self._fill()
        if not isinstance(name, str) or name not in self._entries:
            folded = {known.casefold(): known for known in self._entries}
            near = get_close_matches(str(name).casefold(), folded, n=1)
            hint = f" Did you mean {folded[near[0]]!r}?" if near else ""
            raise self._error(
                f"There is no {self.kind} named {name!r}.{hint} Known are {self.names()}; add "
                f"your own with {self._home}.register_{self.kind.replace(' ', '_')}."
            )
        return self._entries[name]

    def __contains__(self, name: object) -> bool:
        self._fill()
        return name in self._entries

    def names(self) -> list[str]:
        """Return all names, sorted."""
        self._fill()
        return sorted(self._entries)

    @property
    def entries(self) -> Mapping[str, Entry]:
        """All entries by name, in the order in which they were registered; a live view."""
        self._fill()
        self._sort()
        return MappingProxyType(self._entries)

    def _sort(self) -> None:
        """Put the entries into their order, all at once: each insertion would move the others."""
        if not self._before:
            return
        moved = {name for names in self._before.values() for name in names}
        waiting = [name for name in reversed(self._entries) if name not in moved]
        ordered: dict[str, Entry] = {}
        while waiting:
            name = waiting.pop()
            if earlier := self._before.pop(name, None):
                waiting += [name, *reversed(earlier)]
            else:
                ordered[name] = self._entries[name]
        self._entries = ordered

    def _fill(self) -> None:
        if self._load is not None:
            load, self._load = self._load, None
            load()
