"""Lists and arrays with one object in each item: light curves, tables, mappings or 2-D arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from sklc.errors import LightCurveError
from sklc.light_curves import columns as tables
from sklc.light_curves.alignment import indexed_metadata
from sklc.light_curves.bands import UNNAMED_PASSBAND, resolve_wavelengths
from sklc.light_curves.build import build
from sklc.light_curves.checks import check_same_length, warn_unread
from sklc.light_curves.columns import COLUMN_NAMES
from sklc.light_curves.concatenation import concatenate
from sklc.light_curves.flux_units import calibrated
from sklc.light_curves.forms import are_rows, array_of, is_object
from sklc.light_curves.ids import check_ids, id_array
from sklc.light_curves.light_curve import LightCurve
from sklc.light_curves.options import ReadOptions
from sklc.light_curves.placeholders import check_wavelengths
from sklc.light_curves.readers.frame import read_columns
from sklc.light_curves.store import Store, read_only
from sklc.light_curves.tables import groups_of, is_grouped, is_sparse, is_table
from sklc.light_curves.units import check_scales
from sklc.light_curves.values import numbers, plain_nd, unit_of
from sklc.light_curves.zero_points import SYSTEM_COLUMNS
from sklc.utils.offsets import offsets_of


def accepts(X: Any) -> bool:
    """Whether X is a `LightCurve`, or holds one object in each item, by position or by id."""
    if is_grouped(X):
        return True
    if isinstance(X, Mapping) and not is_sparse(X):
        return bool(X) and all(map(_is_table_of_one, X.values()))
    if isinstance(X, list | tuple):
        return not are_rows(X)
    array = array_of(X)
    if array is None or array.dtype != object or not 1 <= array.ndim <= 2:
        return isinstance(X, LightCurve)
    if array.ndim == 1 or array.shape[1] == 1:
        return not len(array) or any(map(is_object, array.ravel()))
    # scikit-learn itself refuses a matrix that holds a mapping.
    return any(is_object(cell) and not isinstance(cell, Mapping) for cell in array[:1].ravel())


def _is_table_of_one(item: Any) -> bool:
    """Whether an item of a mapping from ids is an object, rather than one of its columns."""
    return (
        isinstance(item, LightCurve | Mapping)
        or is_table(item)
        or (isinstance(item, np.ndarray) and item.ndim == 2)
    )


def read(X: Any, options: ReadOptions) -> tuple[Store, np.ndarray | None]:
    """Return objects as a store and the rows of it, None for all rows.

    Objects that all come from one container are rows of its store, and are not copied.
    """
    if isinstance(X, LightCurve):
        return X._store, np.array([X._row])
    if is_grouped(X) or isinstance(X, Mapping):
        keys, tables_ = zip(*groups_of(X), strict=True)
        store, rows = _store_of_items(list(tables_), options)
        store = store if rows is None else store.compact(rows)
        ids = id_array(list(keys))
        check_ids(ids)
        metadata = indexed_metadata(store.metadata, ids)
        return replace(store, ids=read_only(ids), metadata=metadata), None
    if not isinstance(X, list | tuple):
        X = one_column(array_of(X))
    return _store_of_items(list(X), options)


def one_column(array: np.ndarray) -> np.ndarray:
    """Return an array of objects as one axis, unless it has several columns."""
    if array.ndim == 2 and array.shape[1] > 1:
        raise LightCurveError(
            f"X is an object array of {array.shape[1]} columns, which is what scikit-learn makes "
            "of a NestedFrame with metadata, whose column names are then lost: pass the nested "
            'column alone, nested_frame[["lightcurve"]]'
        )
    return array.ravel()


def _store_of_items(items: list, options: ReadOptions) -> tuple[Store, np.ndarray | None]:
    others = [k for k, item in enumerate(items) if not isinstance(item, LightCurve)]
    if len(others) == len(items):
        return _store_of_columns(items, others, options), None
    curves = list(items)
    if others:
        store = _store_of_columns([items[k] for k in others], others, options)
        for row, k in enumerate(others):
            curves[k] = LightCurve(store, row)
    stores = {id(curve._store): curve._store for curve in curves}
    rows = np.array([curve._row for curve in curves], dtype=np.int64)
    if len(stores) == 1:
        return curves[0]._store, rows
    owner = pd.factorize(np.array([id(curve._store) for curve in curves]))[0]
    by_owner = np.argsort(owner, kind="stable")
    parts = np.split(rows[by_owner], np.cumsum(np.bincount(owner))[:-1])
    compact = [store.compact(own) for store, own in zip(stores.values(), parts, strict=True)]
    return concatenate(compact, check_unique=False), np.argsort(by_owner)


def _store_of_columns(items: list, positions: list[int], options: ReadOptions) -> Store:
    """Return frames, mappings and 2-D arrays, one per object, as a store."""
    parts = [
        _columns_of(item, position, options)
        for item, position in zip(items, positions, strict=True)
    ]
    lengths = [len(part["time"]) for part in parts]
    _warn_unread(parts, positions)
    have_units = {part.pop("has_unit", False) for part in parts}
    if len(have_units) > 1:
        raise LightCurveError(
            "the fluxes of some objects have a unit, and those of others have none: give all a "
            "unit, or pass numbers"
        )
    check_scales(part.pop("scale", None) for part in parts)

    def join(name: str, missing: Any) -> np.ndarray | None:
        if all(part.get(name) is None for part in parts):
            return None
        return np.concatenate(
            [
                np.full(n, missing) if part.get(name) is None else part[name]
                for part, n in zip(parts, lengths, strict=True)
            ]
        )

    time, flux = join("time", np.nan), join("flux", np.nan)
    return build(
        time=np.zeros(0) if time is None else time,
        flux=np.zeros(0) if flux is None else flux,
        flux_err=join("flux_err", np.nan),
        errors_unknown=np.array([part.get("flux_err") is None for part in parts], dtype=bool),
        band=_join_bands(parts, lengths),
        zp_column=join("zp_column", 27.5),
        zp_system=join("zp_system", "ab"),
        trusted=True in have_units,
        offsets=offsets_of(lengths),
        ids=np.arange(len(parts)),
        options=options,
    )


def _join_bands(parts: list[dict[str, Any]], lengths: list[int]) -> pd.Categorical:
    """Return the bands of all objects: labels where there are any, else wavelengths, else none."""
    given = [part["wavelength"] for part in parts if "wavelength" in part]
    codes, passbands = resolve_wavelengths(np.concatenate(given or [np.zeros(0)]))
    labels: dict[Any, int] = {UNNAMED_PASSBAND: 0}
    band = np.zeros(sum(lengths), dtype=np.int32)
    start = done = 0
    for part, length in zip(parts, lengths, strict=True):
        if "band" in part:
            own, names = part["band"]
        elif "wavelength" in part:
            own, names = codes[done : done + length], passbands
            done += length
        else:
            own, names = band[start : start + length], [UNNAMED_PASSBAND]
        lookup = np.array([labels.setdefault(name, len(labels)) for name in names] + [-1])
        band[start : start + length] = lookup[own]
        start += length
    return pd.Categorical.from_codes(band, pd.Index(list(labels), dtype=object))


def _columns_of(item: Any, position: int, options: ReadOptions) -> dict[str, Any]:
    """Return the columns that one object has; bands as codes and labels."""
    if isinstance(item, Mapping) or is_table(item):
        return _columns_of_table(item, position, options)
    try:
        array = plain_nd(item, f"object at position {position}")
    except LightCurveError:
        raise
    except ValueError:
        array = np.empty(0)
    if array.ndim != 2 or not 2 <= array.shape[1] <= 4:
        remedy = "numpy.column_stack([time, flux, flux_err])"
        if not array.ndim:
            remedy += (
                ". If scikit-learn made this list by splitting another container, convert "
                "that first with sklc.as_light_curves(X); or give it shape and X[positions, ...], "
                "see sklc.register_reader"
            )
        if array.ndim == 1 and len(array):
            remedy = f"a series without times needs them: {remedy}, with numpy.arange for the time"
        elif array.ndim == 2 and 2 <= array.shape[0] <= 4:
            remedy = "transpose it, array.T"
        raise LightCurveError(
            f"the object at position {position} is a {type(item).__name__} of shape "
            f"{array.shape}, not (n_obs, 2 to 4) with the columns time, flux[, flux_err[, "
            f"wavelength]]: {remedy}"
        )
    array = numbers(array, f"object at position {position}")
    given_rows = np.flatnonzero(~np.isnan(array).all(axis=1))
    array = array[: given_rows[-1] + 1 if len(given_rows) else 0]  # the rest is padding
    given = ("time", "flux", "flux_err", "wavelength")[: array.shape[1]]
    columns = {name: array[:, k] for k, name in enumerate(given)}
    if "flux_err" in columns and len(array) and np.isnan(columns["flux_err"]).all():
        del columns["flux_err"]
    if "wavelength" in columns:
        check_wavelengths(columns["wavelength"])
    return columns


_READ: dict[str, Callable[[Any], Any]] = {
    "band": tables.labels,
    "zp_column": partial(tables.numeric, name="zero point"),
    "zp_system": lambda column: np.asarray(column, dtype=object),
}


def _columns_of_table(item: Any, position: int, options: ReadOptions) -> dict[str, Any]:
    """Return the columns of the table of one object."""
    table = tables.Table(item)
    what = f"the table of the object at position {position}"
    arguments = ("time", "flux", "flux_err", "band")
    names = {
        a: tables.recognised(a, table.columns, what, "rename the one to use") for a in arguments
    }
    raw = read_columns(table, names, options)
    has_unit = unit_of(raw["flux"]) is not None
    flux, error, own = calibrated(raw["flux"], raw.get("flux_err"), raw.get("zp_column"), options)
    raw |= {"flux": flux} if error is None else {"flux": flux, "flux_err": error}
    if has_unit and "zp_column" not in raw:
        raw["zp_column"] = np.full(len(flux), own.constant_zero_point)
    columns: dict[str, Any] = {
        argument: _READ.get(argument, partial(tables.numeric, name=argument))(column)
        for argument, column in raw.items()
    }
    check_same_length(**{a: c[0] if a == "band" else c for a, c in columns.items()})
    known = {name for names in COLUMN_NAMES.values() for name in names} | {"zp", *SYSTEM_COLUMNS}
    columns["unread"] = tuple(name for name in table.columns if name not in known)
    return columns | {"scale": raw["time"], "has_unit": has_unit}


def _warn_unread(parts: list[dict[str, Any]], positions: list[int]) -> None:
    """Warn of the first object without bands or errors whose table has other columns."""
    for part, position in zip(parts, positions, strict=True):
        unread = part.pop("unread", ())
        missing = [argument for argument in ("band", "flux_err") if argument not in part]
        if missing and unread:
            where = "" if position == 0 else f" of the object at position {position}"
            warn_unread(missing, list(unread), where)
            break
    for part in parts:
        part.pop("unread", None)
