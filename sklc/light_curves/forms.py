"""What kind of thing X is: a table, an array, a list of numbers or of objects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sklc._optional import optional
from sklc.light_curves.columns import COLUMN_NAMES
from sklc.light_curves.light_curve import LightCurve
from sklc.light_curves.tables import is_astropy_table, is_lazy, is_table

if TYPE_CHECKING:
    import pyarrow as pa
else:  # an exported model runs without
    pa = optional("pyarrow")


def array_of(X: Any) -> Any:
    """Return an array, a Series or another object that converts to an array as an array, or None.

    Arrays of other libraries stay what they are, as long as they have ``ndim`` and ``dtype``.
    """
    if is_table(X) or isinstance(X, LightCurve) or not hasattr(X, "__array__") or np.isscalar(X):
        return None
    if isinstance(X, pd.Series):
        return X.to_numpy()
    array = X if hasattr(X, "ndim") and hasattr(X, "dtype") else np.asarray(X)
    return None if getattr(array.dtype, "names", None) else array


def is_object(item: Any) -> bool:
    """Whether an item of a list or object array is a light curve, rather than a number."""
    return (
        isinstance(item, LightCurve | Mapping | list | tuple)
        or is_table(item)
        or (hasattr(item, "__array__") and np.ndim(item) > 0)
    )


def are_rows(items: list | tuple) -> bool:
    """Whether a list holds numbers, or equally long rows of numbers."""
    if not items:
        return False
    if any(isinstance(item, LightCurve | Mapping) or is_table(item) for item in items):
        return False
    try:
        n_axes = {np.ndim(item) for item in items}
    except (ValueError, TypeError):  # ragged, or with units
        return False
    if n_axes == {0}:
        return all(map(np.isscalar, items))
    return n_axes == {1} and len({len(item) for item in items}) == 1


def names_of(X: Any) -> list[str]:
    """Return the names of the columns of a table."""
    if isinstance(X, pa.Table | pa.RecordBatch):
        return list(X.schema.names)
    return [str(name) for name in (X.collect_schema() if is_lazy(X) else X.columns)]


def all_numbers(X: Any) -> bool:
    """Whether all columns of a table are numbers."""
    if isinstance(X, pd.DataFrame):
        return all(pd.api.types.is_numeric_dtype(dtype) for dtype in X.dtypes)
    if is_lazy(X):
        return False
    if is_astropy_table(X):
        return all(getattr(c, "dtype", np.dtype(object)).kind in "biuf" for c in X.itercols())
    schema = pa.table(X).schema
    return all(
        pa.types.is_integer(t) or pa.types.is_floating(t) or pa.types.is_boolean(t)
        for t in schema.types
    )


def _find(names: list[str], argument: str) -> str | None:
    lowered = {name.lower(): name for name in reversed(names)}
    return next((lowered[n.lower()] for n in COLUMN_NAMES[argument] if n.lower() in lowered), None)


def is_long(names: list[str]) -> bool:
    """Whether these are the columns of a table with one row per observation."""
    has = {argument: _find(names, argument) is not None for argument in COLUMN_NAMES}
    brightness = has["flux"] or any(name.lower().startswith(("flux", "mag")) for name in names)
    return has["time"] and brightness


def from_frame_arguments(names: list[str]) -> str:
    """Return the arguments of `from_frame` for these columns.

    What has no column is None where no other column could be meant.
    """
    found = {argument: _find(names, argument) for argument in COLUMN_NAMES}
    others = not set(names) <= {*found.values(), "zp"}
    said = {a: repr(name) for a, name in found.items() if name is not None or not others}
    arguments = {a: said.get(a, "...") for a in found}
    if arguments["band"] == "None":
        arguments["passband"] = "'unnamed'"
    return ", ".join(f"{a}={value}" for a, value in arguments.items())


# Parts of names that tell what a column holds, where its name is none of the usual ones.
_HINTS = {"object_id": ("id", "name"), "time": ("mjd", "jd", "time"), "flux": ("flux",),
          "flux_err": ("err", "sig", "unc"), "band": ("band", "filt", "fid")}  # fmt: skip


def guessed_arguments(names: list[str]) -> str:
    """Return the arguments of `from_frame` that the names of columns suggest."""
    left, found = list(names), {}
    for argument in ("flux_err", "flux", "time", "band", "object_id"):
        hints = _HINTS[argument]
        name = _find(left, argument) or next(
            (n for hint in hints for n in left if hint in n.lower()), None
        )
        found[argument] = name
        left = [n for n in left if n != name]
    optional = ("flux_err", "band")
    arguments = {
        a: repr(found[a]) if found[a] else "None" if a in optional and found["flux"] else "..."
        for a in COLUMN_NAMES
    }
    if arguments["band"] == "None":
        arguments["passband"] = "'unnamed'"
    return ", ".join(f"{a}={value}" for a, value in arguments.items())
