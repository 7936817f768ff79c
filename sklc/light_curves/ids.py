"""Identifiers of objects, which keep their exact values and are unique and of one type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sklc._optional import optional
from sklc.errors import LightCurveError
from sklc.light_curves import columns as tables
from sklc.light_curves.checks import check_same_length
from sklc.light_curves.store import describe, stable_order
from sklc.light_curves.values import factorized
from sklc.utils.offsets import offsets_of, row_index
from sklc.utils.text import shown

if TYPE_CHECKING:
    import pyarrow as pa
else:  # an exported model runs without
    pa = optional("pyarrow")


def id_array(ids: Any) -> np.ndarray:
    """Return ids as an array; strings as objects, integers exactly, mixed types as they are."""
    if isinstance(ids, list | tuple):
        own = tables.object_array([None if i is np.ma.masked or i is pd.NA else i for i in ids])
        kinds = kinds_of(own)
        if kinds == {"int"}:
            return tables.exact_integers(own)
        if len(kinds) > 1:
            return own  # numpy would turn [1, 2.5], [True, 2] and [1, "a"] into one type
    raw = tables.raw_column(ids, "object id")
    if isinstance(raw, pa.Array):
        raw = tables.object_array(raw.to_pylist()) if raw.null_count else raw.to_pandas()
    raw = raw if isinstance(raw, np.ndarray) else np.asarray(pd.Series(raw).to_numpy())
    return tables.unwrap_strings(raw)


def object_ids(ids: Any, n_objects: int) -> np.ndarray:
    """Return the ids that were given, one per object, or 0, 1, 2, ..."""
    ids = np.arange(n_objects) if ids is None else id_array(ids)
    check_same_length(objects=range(n_objects), ids=ids)
    return ids


def kinds_of(ids: np.ndarray) -> set[str]:
    """Return the names of the types of ids; all integers are of one type, strings of one."""
    if ids.dtype != object:
        named = {"i": "int", "u": "int", "f": "float", "b": "bool", "U": "str", "S": "bytes"}
        return {named.get(ids.dtype.kind, ids.dtype.name)}
    # bool before int, of which it is a kind in Python
    families = {"bool": bool | np.bool_, "int": int | np.integer, "float": float | np.floating,
                "str": str, "bytes": bytes}  # fmt: skip
    return {
        next((name for name, family in families.items() if issubclass(kind, family)), kind.__name__)
        for kind in set(map(type, ids))
    }


def check_ids(ids: np.ndarray, *, unique: bool = True) -> None:
    """Raise LightCurveError for missing ids, ids of mixed types, or ids that occur twice."""
    missing = np.flatnonzero(pd.isna(ids))
    if len(missing):
        raise LightCurveError(
            f"the object id is missing (None or NaN) at position {missing[0]} "
            f"({len(missing)} in all): give every object an id, or drop those rows with "
            "frame.dropna(subset=[object_id])"
        )
    kinds = sorted(kinds_of(ids))
    if kinds == ["float"]:
        check_exact(ids)
    if len(kinds) > 1:
        other = next(i for i in ids if kinds_of(tables.object_array([i])) != kinds_of(ids[:1]))
        raise LightCurveError(
            f"object ids are of mixed types ({', '.join(kinds)}; {shown(ids[0])} and "
            f"{shown(other)}): convert them to one type, for example with astype(str)"
        )
    index = pd.Index(ids)
    if unique and not index.is_unique:
        twice = np.flatnonzero(index.duplicated())
        raise LightCurveError(
            f"{describe(ids, twice[0])} has an id that occurs before ({len(twice)} repeated ids): "
            "ids must be unique; make them so, for example with "
            "pandas.DataFrame.reset_index(drop=True)"
        )


def check_exact(ids: Any) -> None:
    """Raise LightCurveError for numbers that were integers, and are no longer exact as floats."""
    ids = np.asarray(ids)
    if ids.dtype.kind != "f" and kinds_of(ids) != {"float"}:
        return
    limit = 2.0 ** {2: 11, 4: 24}.get(ids.dtype.itemsize if ids.dtype.kind == "f" else 8, 53)
    beyond = np.flatnonzero(np.abs(ids.astype(np.float64)) >= limit)
    if len(beyond):
        raise LightCurveError(
            f"the object id {shown(ids[beyond[0]])} is a floating-point number that is too large "
            f"to be exact ({len(beyond)} in all), so that different objects may have one id: "
            "integers of 64 bits become such numbers where an id is missing. Read the column as "
            'integers or text, for example with pandas.read_csv(file, dtype={"object_id": "Int64"})'
            ", and drop rows without id"
        )


def join_ids(parts: Sequence[np.ndarray], *, as_strings: bool = False) -> np.ndarray:
    """Return the ids of several containers in one array, each exactly as it was.

    Parameters
    ----------
    parts : sequence of ndarray
        The ids of each container; at least one.
    as_strings : bool, default=False
        Whether ids of different types become strings; otherwise they are an error.

    Returns
    -------
    ndarray
        In a type that holds all: numpy's own choice for int64 and uint64, float64, does not.

    Raises
    ------
    LightCurveError
        If ids are of different types, or no type of integers holds all of them.
    """
    parts = [own for own in parts if len(own)] or list(parts[:1])
    kinds = sorted(set().union(*map(kinds_of, parts)))
    if kinds == ["int"]:
        common = np.result_type(*(own.dtype for own in parts))
        if common.kind in "iu":
            return np.concatenate(parts)
        joined = tables.exact_integers(np.concatenate([own.astype(object) for own in parts]))
        if joined.dtype != object or any(own.dtype == object for own in parts):
            return joined
        problem = f"range from {min(joined)} to {max(joined)}, which no type of integers holds"
    elif len(kinds) <= 1:
        return np.concatenate(parts)
    else:
        joined = np.concatenate([own.astype(object) for own in parts])
        problem = f"are of mixed types ({', '.join(kinds)})"
    if as_strings:
        return tables.object_array([str(own) for own in joined])
    raise LightCurveError(
        f"the object ids of these containers {problem}: make them strings with prefix_ids=True, or "
        'with suffixes= one for each container such as suffixes=["", "_lsst"]'
    )


def group_rows(object_id: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Group the rows of a long table by object, objects in the order of first appearance.

    Parameters
    ----------
    object_id : column
        The object of each row.

    Returns
    -------
    offsets : ndarray of shape (n_objects + 1,)
    ids : ndarray of shape (n_objects,)
    order : ndarray or None
        The order of the rows that groups them by object; None if they are grouped already.
    """
    listed = isinstance(object_id, list | tuple)
    column = id_array(object_id) if listed else tables.raw_column(object_id)
    starts, ids = tables.runs(column)
    stops = np.append(starts[1:], len(column))
    if ids.dtype == object or ids.dtype.kind == "f":
        missing = pd.isna(ids)
        if missing.any():
            raise LightCurveError(
                f"the object id is missing (None or NaN) in row {starts[missing][0]} "
                f"({int(np.sum((stops - starts)[missing]))} row(s) in all): give every row an id, "
                "or drop those rows with frame.dropna(subset=[object_id])"
            )
        if ids.dtype == object and len(kinds_of(ids)) > 1:
            check_ids(ids)
    codes, unique = factorized(ids, "object id")
    if len(unique) == len(ids):
        return np.append(starts, len(column)), ids, None
    if 2 * len(starts) > len(column):  # hardly any neighbours belong together
        codes = np.repeat(codes, stops - starts)
        return offsets_of(np.bincount(codes)), np.asarray(unique), stable_order(codes, len(unique))
    by_object = stable_order(codes, len(unique))
    order = row_index(starts[by_object], stops[by_object])
    lengths = np.bincount(codes, weights=stops - starts).astype(np.int64)
    return offsets_of(lengths), np.asarray(unique), order
