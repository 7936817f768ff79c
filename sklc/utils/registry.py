"""What can be chosen by name, and how to add to it from outside the package."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Generic, TypeVar

__all__ = ["Registry"]

Entry = TypeVar("Entry")


class Registry(Generic[Entry]):
    """Entries by name; a name is given once.

    Parameters
    ----------
    kind : str
        What the entries are, for messages, such as "architecture".
    load : callable, optional
        Called once before the first look-up, to import the entries of the package.
    home : str, default="sklc"
        The module that has the public function ``register_<kind>``, for messages.

    Examples
    --------
    >>> from sklc.utils.registry import Registry
    >>> colours = Registry("colour")
    >>> colours.register("red", "#f00")
    >>> colours["red"], colours.names()
    ('#f00', ['red'])
    """

    def __init__(
        self, kind: str, load: Callable[[], None] | None = None, home: str = "sklc"
    ) -> None:
        self.kind = kind
        self._home = home
        self._load = load
        self._entries: dict[str, Entry] = {}

    def register(
        self, name: str, entry: Entry, *, overwrite: bool = False, before: str | None = None
    ) -> None:
        """Add an entry.

        Parameters
        ----------
        name : str
            How it is chosen.
        entry : object
            What is chosen.
        overwrite : bool, default=False
            Whether to replace an entry of this name.
        before : str, optional
            The entry that is to follow in `entries`; by default the new one is the last.

        Raises
        ------
        ValueError
            If the name is empty or no string, or is taken by another entry; or if there is no
            entry of the name `before`.
        """
        self._fill()
        if not isinstance(name, str) or not name:
            raise ValueError(f"The name of a new {self.kind} must be a string, got {name!r}.")
        if not overwrite and self._entries.get(name, entry) is not entry:
            raise ValueError(
                f"There is a {self.kind} named {name!r} already: choose another name, or replace "
                "it with overwrite=True."
            )
        if before is None or before == name:
            self._entries[name] = entry
            return
        self[before]  # an unknown name is an error
        ordered = [(n, e) for n, e in self._entries.items() if n != name]
        ordered.insert([n for n, _ in ordered].index(before), (name, entry))
        self._entries = dict(ordered)

    def unregister(self, name: str) -> None:
        """Remove an entry, as tests do after themselves; the name must be known."""
        del self._entries[name]

    def __getitem__(self, name: str) -> Entry:
        """Return the entry of a name; an unknown one is a ValueError that lists all."""
        self._fill()
        if not isinstance(name, str) or name not in self._entries:
            folded = {known.casefold(): known for known in self._entries}
            near = get_close_matches(str(name).casefold(), folded, n=1)
            hint = f" Did you mean {folded[near[0]]!r}?" if near else ""
            raise ValueError(
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
        return MappingProxyType(self._entries)

    def _fill(self) -> None:
        if self._load is not None:
            load, self._load = self._load, None
            load()
