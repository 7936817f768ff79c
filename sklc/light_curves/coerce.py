"""One function that takes every form of X and returns `LightCurves`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy import sparse

from sklc.errors import LightCurveError
from sklc.light_curves import columns as tables
from sklc.light_curves import operations as _operations
from sklc.light_curves.bands import (
    SERIES_PASSBAND,
    UNNAMED_PASSBAND,
    identified,
    resolve_wavelengths,
)
from sklc.light_curves.build import build
from sklc.light_curves.checks import warn_unread
from sklc.light_curves.columns import COLUMN_NAMES
from sklc.light_curves.light_curve import LightCurve
from sklc.light_curves.readers import arrays as _arrays
from sklc.light_curves.readers import nested as _nested
from sklc.light_curves.store import Store, describe, offsets_of

if TYPE_CHECKING:
    from sklc.light_curves import LightCurves

_FORMS = (
    "pass a LightCurves (from LightCurves.from_frame, from_nested, from_arrays, from_parquet), a "
    "nested_pandas.NestedFrame, a list of one frame or array an object, a 3-D array padded with "
    "NaN, or a 2-D array of regularly sampled series"
)


def as_light_curves(X: Any, *, min_points: int | None = 1) -> LightCurves:
    """Return any form of X as `LightCurves`; what every estimator of sklc calls first.

    Parameters
    ----------
    X : LightCurves, NestedFrame, LightCurve, list, array or DataFrame
        - `LightCurves`: returned as it is.
        - ``nested_pandas.NestedFrame``, or any DataFrame with a nested column: as
          `LightCurves.from_nested`.
        - list, tuple or object array with one item an object: each a `LightCurve`; a frame or
          mapping with the columns time (or mjd, t), flux[, flux_err][, band]; or an array of shape
          (n_obs, 2 to 4) with the columns time, flux[, flux_err[, wavelength in micrometre]], which
          may be padded with NaN at the end. An object array may have a second axis of length one,
          as `sklearn.utils.check_array` makes of the nested column of a frame.
        - 3-D array: as `LightCurves.from_padded`.
        - 2-D array or DataFrame of numbers, shape (n_objects, n_samples): each row a series in one
          anonymous band, regularly sampled at the times 0, 1, 2, ...
    min_points : int or None, default=1
        The least number of observations of each object; None leaves out this and the check for
        objects without any flux.

    Returns
    -------
    LightCurves

    Raises
    ------
    LightCurveError
        If the light curves are invalid or too short, or X is a long table: a splitter would tear
        its objects apart, so it has to be converted first.
    TypeError
        If X is none of these forms.

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.light_curves import as_light_curves
    >>> as_light_curves([[3.0, 4.0, 5.0], [1.0, 2.0, 3.0]])
    LightCurves: 2 objects, 6 observations (median 3), bands series, zero point 27.5
    >>> short, long = np.array([[1.0, 20.0]]), np.array([[1.0, 20.0], [2.0, 30.0]])
    >>> as_light_curves([short, long]).lengths
    array([1, 2])
    """
    from sklc.light_curves import LightCurves

    curves = X if isinstance(X, LightCurves) else LightCurves._from_store(*_store_of(X))
    if min_points is not None:
        check_usable(curves, min_points=min_points)
    return curves


def is_series_matrix(X: Any) -> bool:
    """Whether X is a plain table of numbers, which scikit-learn's own validation should see first.

    Parameters
    ----------
    X : object

    Returns
    -------
    bool
        True for arrays of up to two axes (whatever their dtype), lists of numbers or of equally
        long lists of numbers, numeric DataFrames, sparse matrices, and objects that convert to
        such arrays. False for everything else that `as_light_curves` takes, or refuses.

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.light_curves import is_series_matrix
    >>> is_series_matrix([[1, 2], [3, 4]]), is_series_matrix(np.ones((2, 3, 4)))
    (True, False)
    """
    from sklc.light_curves import LightCurves

    if X is None or isinstance(X, LightCurves | LightCurve | str | bytes | Mapping):
        return False
    if sparse.issparse(X):
        return True
    if _is_table(X):
        return not _nested.nested_columns(X) and not _is_long(_names(X)) and _all_numbers(X)
    if isinstance(X, list | tuple):
        return _are_rows(X)
    if not hasattr(X, "__array__"):
        return False
    if isinstance(X, pd.Series):
        return not _nested.nested_columns(X.to_frame("lightcurve")) and is_series_matrix(
            X.to_numpy()
        )
    array = X if hasattr(X, "ndim") and hasattr(X, "dtype") else np.asarray(X)
    if getattr(array.dtype, "names", None) or array.ndim > 2:
        return False
    if array.dtype != object or not array.ndim:
        return True
    # a mapping in a matrix is left to scikit-learn to refuse
    return not any(
        _is_object(cell) and (array.ndim == 1 or not isinstance(cell, Mapping))
        for cell in array[:1].ravel()
    )


def _store_of(X: Any) -> tuple[Store, np.ndarray | None]:
    """Return X as a store, and the rows of it that X stands for."""
    if isinstance(X, LightCurve):
        return X._store, np.array([X._row])
    if sparse.issparse(X):
        raise TypeError(
            "Sparse data was passed, but dense data is required. Use '.toarray()' to convert to a "
            "dense numpy array."
        )
    if X is None or isinstance(X, str | bytes | Mapping) or np.isscalar(X):
        raise TypeError(f"X is a {type(X).__name__}, not light curves: {_FORMS}")
    if isinstance(X, pd.Series):
        frame = X.to_frame("lightcurve")
        X = frame if _nested.nested_columns(frame) else X.to_numpy()
    if _is_table(X):
        return _store_of_table(X), None
    if isinstance(X, list | tuple):
        return (_store_of_series(np.asarray(X)), None) if _are_rows(X) else _store_of_items(list(X))
    if not hasattr(X, "__array__"):
        raise TypeError(f"X is a {type(X).__name__}, not light curves: {_FORMS}")
    return _store_of_array(np.asarray(X))


def _store_of_table(X: Any) -> Store:
    if _nested.nested_columns(X):
        # ids may repeat in a frame that was resampled
        return _nested.store_from_nested(X, check_unique=False)
    names = _names(X)
    if _is_long(names):
        raise LightCurveError(
            "X is a long table, one row an observation: a splitter would tear its objects apart. "
            f"Convert it first: LightCurves.from_frame(X, {_arguments(names)})"
        )
    if not _all_numbers(X):
        raise LightCurveError(
            f"X is a table with columns that are not numbers, {names[:8]}, and no nested column: "
            "for a long table use LightCurves.from_frame(X, object_id=..., time=..., flux=..., "
            "flux_err=..., band=...)"
        )
    frame = X if isinstance(X, pd.DataFrame) else pa.table(X).to_pandas()
    return _arrays.store_from_series(frame.to_numpy(dtype=np.float64, na_value=np.nan))


def _store_of_array(X: np.ndarray) -> tuple[Store, np.ndarray | None]:
    if X.dtype.names:
        raise LightCurveError(
            "X is a structured array, one row an observation: convert it first: "
            f"LightCurves.from_frame(pandas.DataFrame(X), {_arguments(list(X.dtype.names))})"
        )
    if X.ndim == 3:
        return _arrays.store_from_padded(X), None
    if X.dtype == object and X.ndim == 1 and (not len(X) or _is_object(X[0])):
        return _store_of_items(list(X))
    if X.dtype == object and X.ndim == 2 and len(X):
        columns = [k for k, cell in enumerate(X[0]) if _is_object(cell)]
        if columns and X.shape[1] > 1:
            raise LightCurveError(
                f"X is an object array of {X.shape[1]} columns, as scikit-learn makes of a "
                "NestedFrame with metadata, whose column names are then lost: pass the nested "
                'column alone, nested_frame[["lightcurve"]]'
            )
        if columns:
            return _store_of_items(list(X[:, 0]))
    return _store_of_series(X), None


def _store_of_series(X: np.ndarray) -> Store:
    if X.ndim != 2 or not X.shape[1]:
        raise LightCurveError(
            f"X has the shape {X.shape}; an array of series has the shape (n_objects, n_samples). "
            f"Otherwise {_FORMS}"
        )
    if X.dtype.kind == "c":
        raise LightCurveError("Complex data not supported: fluxes are real numbers")
    return _arrays.store_from_series(X)


def _store_of_items(items: list) -> tuple[Store, np.ndarray | None]:
    """Return a list with one item an object; items of one container become a view of it."""
    others = [k for k, item in enumerate(items) if not isinstance(item, LightCurve)]
    if len(others) == len(items):
        return _store_of_columns(items, others), None
    curves = list(items)
    if others:
        store = _store_of_columns([items[k] for k in others], others)
        for row, k in enumerate(others):
            curves[k] = LightCurve(store, row)
    stores = {id(curve._store): curve._store for curve in curves}
    if len(stores) == 1:
        return curves[0]._store, np.array([curve._row for curve in curves], dtype=np.int64)
    rows: dict[int, list[int]] = {key: [] for key in stores}
    position: dict[int, list[int]] = {key: [] for key in stores}
    for k, curve in enumerate(curves):
        rows[id(curve._store)].append(curve._row)
        position[id(curve._store)].append(k)
    joined = _operations.concatenate(
        [stores[key].compact(np.array(own)) for key, own in rows.items()], check_unique=False
    )
    order = np.argsort(np.concatenate(list(position.values())))
    return joined, order


def _store_of_columns(items: list, positions: list[int]) -> Store:
    """Return frames, mappings and 2-D arrays, one an object, as a store."""
    parts = [_columns_of(item, position) for item, position in zip(items, positions, strict=True)]
    lengths = [len(part["time"]) for part in parts]

    def join(name: str, missing: float) -> np.ndarray | None:
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
        zp_column=join("zp", 27.5),
        offsets=offsets_of(lengths),
        ids=np.arange(len(parts)),
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


def _columns_of(item: Any, position: int) -> dict[str, Any]:
    """Return the columns of one object, those that there are; bands as codes and labels."""
    if isinstance(item, Mapping):
        item = pd.DataFrame(dict(item))
    if _is_table(item):
        table = tables.Table(item)
        columns: dict[str, Any] = {}
        for argument in ("time", "flux", "flux_err", "band", "zp"):
            name = next((n for n in COLUMN_NAMES.get(argument, ("zp",)) if n in table), None)
            if name is None and argument in ("time", "flux"):
                raise LightCurveError(
                    f"the table of the object at position {position} has none of the columns "
                    f"{COLUMN_NAMES[argument]}; its columns are {table.columns}: rename the one "
                    "to use"
                )
            if name is None:
                continue
            if argument == "band":
                columns[argument] = tables.labels(identified(table, name))
            else:
                columns[argument] = tables.numeric(table.column(name, argument), argument)
        if position == 0:
            known = {name for names in COLUMN_NAMES.values() for name in names} | {"zp"}
            warn_unread(
                [argument for argument in ("band", "flux_err") if argument not in columns],
                [name for name in table.columns if name not in known],
            )
        return columns
    try:
        array = np.asarray(item)
    except ValueError:
        array = np.empty(0)
    if array.ndim != 2 or not 2 <= array.shape[1] <= 4:
        remedy = "numpy.column_stack([time, flux, flux_err])"
        if array.ndim == 1 and len(array):
            remedy = f"a series without times needs them: {remedy}, with numpy.arange for the time"
        elif array.ndim == 2 and 2 <= array.shape[0] <= 4:
            remedy = "transpose it, array.T"
        raise LightCurveError(
            f"the object at position {position} is a {type(item).__name__} of shape "
            f"{array.shape}, not (n_obs, 2 to 4) with the columns time, flux[, flux_err[, "
            f"wavelength]]: {remedy}"
        )
    array = tables.numeric(array, f"object at position {position}")
    given_rows = np.flatnonzero(~np.isnan(array).all(axis=1))
    array = array[: given_rows[-1] + 1 if len(given_rows) else 0]  # the rest is padding
    given = ("time", "flux", "flux_err", "wavelength")[: array.shape[1]]
    columns = {name: array[:, k] for k, name in enumerate(given)}
    if "flux_err" in columns and len(array) and np.isnan(columns["flux_err"]).all():
        del columns["flux_err"]
    return columns


def _is_object(item: Any) -> bool:
    """Whether an item of a list or object array is a light curve, rather than a number."""
    return (
        isinstance(item, LightCurve | Mapping | list | tuple)
        or _is_table(item)
        or (hasattr(item, "__array__") and np.ndim(item) > 0)
    )


def _are_rows(items: list | tuple) -> bool:
    """Whether a list holds numbers, or equally long rows of numbers."""
    if not items:
        return False
    if any(isinstance(item, LightCurve | Mapping) or _is_table(item) for item in items):
        return False
    try:
        n_axes = {np.ndim(item) for item in items}
    except ValueError:  # ragged
        return False
    if n_axes == {1}:
        return len({len(item) for item in items}) == 1
    return n_axes == {0}


def _is_table(X: Any) -> bool:
    return isinstance(X, pd.DataFrame | pa.Table | pa.RecordBatch) or (
        type(X).__module__.split(".")[0] == "polars" and hasattr(X, "columns")
    )


def _names(X: Any) -> list[str]:
    if isinstance(X, pa.Table | pa.RecordBatch):
        return list(X.schema.names)
    return [str(name) for name in X.columns]


def _all_numbers(X: Any) -> bool:
    if isinstance(X, pd.DataFrame):
        return all(pd.api.types.is_numeric_dtype(dtype) for dtype in X.dtypes)
    schema = pa.table(X).schema
    return all(
        pa.types.is_integer(t) or pa.types.is_floating(t) or pa.types.is_boolean(t)
        for t in schema.types
    )


def _find(names: list[str], argument: str) -> str | None:
    lowered = {name.lower(): name for name in reversed(names)}
    return next((lowered[n.lower()] for n in COLUMN_NAMES[argument] if n.lower() in lowered), None)


def _is_long(names: list[str]) -> bool:
    has = {argument: _find(names, argument) is not None for argument in COLUMN_NAMES}
    brightness = has["flux"] or any(name.lower().startswith(("flux", "mag")) for name in names)
    return has["time"] and brightness


def _arguments(names: list[str]) -> str:
    """Return the arguments of `from_frame` for these columns."""
    found = {argument: _find(names, argument) for argument in COLUMN_NAMES}
    return ", ".join(f"{a}={'...' if name is None else repr(name)}" for a, name in found.items())


def check_usable(curves: LightCurves, *, min_points: int = 1) -> None:
    """Raise if an estimator could not use one of the light curves.

    Parameters
    ----------
    curves : LightCurves
    min_points : int, default=1
        The least number of observations an object must have.

    Raises
    ------
    LightCurveError
        If an object has fewer observations, or nothing but zero flux (which the rows of a plain
        2-D array may have: a series need not be a flux).

    Examples
    --------
    >>> from sklc.light_curves import LightCurves, check_usable
    >>> curves = LightCurves.from_arrays([1.0, 2.0, 3.0], [9.0, 8.0, 7.0], offsets=[0, 2, 3])
    >>> check_usable(curves)
    >>> check_usable(curves[curves.lengths >= 2], min_points=2)
    """
    lengths = curves.lengths
    short = np.flatnonzero(lengths < min_points)
    if len(short):
        k = short[0]
        raise LightCurveError(
            f"{describe(curves.ids, k)} has {lengths[k]} observation(s), "
            f"{min_points} needed ({len(short)} of {len(lengths)} objects are too short). Select "
            f"the others: curves[curves.lengths >= {min_points}]"
        )
    flux = curves.flux
    if np.count_nonzero(flux) == len(flux) or curves.passbands == (SERIES_PASSBAND,):
        return
    non_zero = np.concatenate([[0], np.cumsum(flux != 0)])[curves.offsets]
    dark = np.flatnonzero((np.diff(non_zero) == 0) & (lengths > 0))
    if len(dark):
        k = dark[0]
        raise LightCurveError(
            f"{describe(curves.ids, k)} has no flux other than zero "
            f"({len(dark)} of {len(lengths)} objects): remove such objects, for example with "
            "curves[[lc.flux.any() for lc in curves]]"
        )
