"""Documents in JSON, and their parts, which are checked where they are used."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any

from sklc.errors import LightCurveError
from sklc.io.source import Source, complete

__all__ = ["degrees", "documents", "fields_of", "record", "records", "to_number"]


def documents(source: Source) -> Iterator[tuple[str, Any]]:
    """Yield the content of each JSON file, or of the object, with a name for messages."""
    if source.object is not None:
        yield source.name, source.object
        return
    for name, file in source.files():
        with file, complete(name):
            try:
                yield name, json.loads(file.read().decode("utf-8-sig"))
            except json.JSONDecodeError as error:
                raise LightCurveError(
                    f"{name} is not complete JSON: {error.msg} in line {error.lineno}: download it "
                    "again"
                ) from error


def record(value: Any, where: str) -> Mapping[str, Any]:
    """Return an object of JSON; an error says where there is something else."""
    if not isinstance(value, Mapping):
        raise _wrong(value, where, "an object {...}")
    return value


def records(value: Any, where: str) -> list[Mapping[str, Any]]:
    """Return a list of objects of JSON, which is empty for what is missing."""
    if value is None or value == "":
        return []
    if not isinstance(value, list | tuple):
        raise _wrong(value, where, "a list")
    if not set(map(type, value)) <= {dict}:
        for number, item in enumerate(value):
            if not isinstance(item, Mapping):
                raise _wrong(item, f"{where} {number}", "an object {...}")
    return list(value)


def fields_of(
    records: Sequence[Mapping[str, Any]], wanted: Collection[str] | None = None
) -> dict[str, list[Any]]:
    """Return the fields of records as columns, None where a record does not have one.

    Parameters
    ----------
    records : sequence of mapping
    wanted : collection of str, optional
        The fields to return, as far as a record has them; by default all of them.
    """
    kinds = dict.fromkeys(map(tuple, records))  # the names of the fields, in their order
    names = dict.fromkeys(chain.from_iterable(kinds))
    chosen = [name for name in names if wanted is None or name in wanted]
    if len(kinds) == 1 and set(map(type, records)) == {dict}:
        place = {name: k for k, name in enumerate(names)}
        values: list[Any] = list(chain.from_iterable(record.values() for record in records))
        return {name: values[place[name] :: len(names)] for name in chosen}
    return {name: _values(records, name) for name in chosen}


def _values(records: Sequence[Mapping[str, Any]], name: str) -> list[Any]:
    try:
        return list(map(itemgetter(name), records))
    except KeyError:
        return [record.get(name) for record in records]


def to_number(value: Any, where: str) -> float:
    """Return a number, which may be written as text."""
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise _wrong(value, where, "a number") from None


def degrees(value: Any, where: str, *, hours: bool) -> float:
    """Return an angle in degrees, from degrees or from text such as "05:00:41.99"."""
    text = str(value).strip().replace(" ", ":")
    if ":" not in text:
        return to_number(text, where)
    parts = [to_number(part, where) for part in text.lstrip("+-").split(":")]
    size = sum(part / 60**power for power, part in enumerate(parts))
    return (-size if text.startswith("-") else size) * (15 if hours else 1)


def _wrong(value: Any, where: str, expected: str) -> LightCurveError:
    return LightCurveError(
        f"{where} is {str(value)[:80]!r}, and not {expected}: correct the file or download it again"
    )
