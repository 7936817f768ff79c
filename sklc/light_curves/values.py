"""The gate through which every value enters: plain arrays, in which missing values are missing.

Columns, lists and arrays of any library become numpy arrays in native byte order (or Arrow arrays
and categories, which are as plain). Masked values, None, ``pandas.NA`` and nulls become NaN or
None. Numbers are float64, unless they are float32 already.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Hashable, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sklc._optional import AbsentModule, optional
from sklc.errors import LightCurveError
from sklc.utils.text import shown

if TYPE_CHECKING:
    import pyarrow as pa
else:  # an exported model runs without
    pa = optional("pyarrow")

__all__ = [
    "factorized",
    "first_given",
    "is_single",
    "is_time",
    "joined",
    "length_of",
    "numbers",
    "object_array",
    "one_chunk",
    "plain_array",
    "plain_nd",
    "raw_column",
    "unit_of",
    "without_bytes",
    "without_mask",
]

RawColumn = Any  # numpy.ndarray, pyarrow.Array or pandas.Categorical


def library_of(kind: type) -> str:
    """Return which library with units a type comes from, or an empty string."""
    return _library_of(kind)


@lru_cache(maxsize=256)
def _library_of(kind: Hashable) -> str:
    assert isinstance(kind, type)
    roots = [k.__module__.partition(".")[0] for k in kind.__mro__]
    return next((name for name in ("astropy", "pint", "unyt") if name in roots), "")


def is_time(values: Any) -> bool:
    """Whether these are the times of astropy, or differences of such times."""
    return library_of(type(values)) == "astropy" and hasattr(values, "jd1")


def unit_of(values: Any) -> Any:
    """Return the unit of a column of astropy, or None.

    Raises
    ------
    LightCurveError
        If the units are those of another library.
    """
    library = library_of(type(values))
    if not library and str(getattr(values, "dtype", "")).startswith("pint["):
        library = "pint"
    if library in ("pint", "unyt"):
        raise LightCurveError(
            f"values with units of {library} cannot be read: convert them to the unit that you "
            "want, and pass the numbers, or an astropy.units.Quantity"
        )
    unit = getattr(values, "unit", None) if library else None
    if unit is None or str(unit) in ("", "redshift"):
        return None
    return unit


def first_given(column: Any) -> Any:
    """Return the first value of a column of objects that is not missing, or None."""
    given = (value for value in column if not is_single(value) or not pd.isna(value))
    return next(given, None)


def is_single(value: Any) -> bool:
    """Whether this is one value, rather than a column of values."""
    if isinstance(value, str | bytes):
        return True
    return value.ndim == 0 if hasattr(value, "ndim") else not hasattr(value, "__len__")


def joined(values: Any) -> Any:
    """Return a list of single values with a unit, or of single times, as one column of them."""
    is_list = isinstance(values, list | tuple)
    if is_list and len(values) and library_of(type(values[0])) == "astropy":
        if isinstance(values[0], np.ma.MaskedArray) or np.ndim(values[0]):
            return values
        try:
            return type(values[0])(list(values))
        except (TypeError, ValueError) as error:
            raise LightCurveError(
                f"a list begins with {shown(values[0])}, and other items do not go with it "
                f"({error}): give all a unit, or pass numbers"
            ) from None
    return values


def raw_column(values: Any, name: str = "column") -> RawColumn:
    """Return a column, list or array as a numpy array, an Arrow array or a Categorical.

    Parameters
    ----------
    values : column
        One value per row, with a second axis of length one or without. Units must have been
        converted before, see `sklc.light_curves.units`.
    name : str, default="column"
        What it holds, for messages.

    Raises
    ------
    LightCurveError
        If it has more axes than one, or none.
    """
    if type(values) is np.ndarray and values.ndim == 1:
        return plain_array(values)
    if isinstance(values, pa.ChunkedArray):
        return one_chunk(values)
    if isinstance(values, pa.Array | pd.Categorical):
        return values
    if type(values) is not np.ndarray and (is_time(values) or unit_of(values) is not None):
        what = "times" if is_time(values) else f"the unit {shown(str(values.unit))}"
        raise LightCurveError(f"the {name} has {what}: pass plain values, such as column.value")
    if isinstance(values, pd.Series | pd.Index) and not isinstance(values.dtype, np.dtype):
        if isinstance(values.dtype, pd.CategoricalDtype):
            return values.array
        if isinstance(values.dtype, pd.SparseDtype):
            return raw_column(np.asarray(values), name)
        if isinstance(pa, AbsentModule):
            return object_array([None if pd.isna(value) else value for value in values])
        return raw_column(pa.array(values, from_pandas=True))
    is_pandas = isinstance(values, pd.Series | pd.Index)
    if not is_pandas and hasattr(values, "__arrow_c_stream__"):
        return one_chunk(pa.chunked_array(values))
    array = plain_array(values)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise LightCurveError(
            f"the {name} has the shape {array.shape}, and a column has one value per row: pass "
            "one axis, for example with numpy.ravel, or a list with one array per object"
        )
    return array


def plain_array(values: Any) -> np.ndarray:
    """Return an array-like of any number of axes as a plain numpy array.

    Its byte order is native, and its floats are float32 or float64. Where values are masked, it
    holds NaN, or None in an array of objects if its type has no NaN.
    """
    if type(values) is not np.ndarray:
        values = _unmasked(values)
    dtype = values.dtype
    if dtype.kind == "f" and dtype.itemsize not in (4, 8):
        return values.astype(np.float64)
    if not dtype.isnative:
        return values.astype(dtype.newbyteorder("="))
    return values


def plain_nd(values: Any, what: str) -> np.ndarray:
    """Return an array of several columns as a plain one; a unit, which all would share, is refused.

    Raises
    ------
    LightCurveError
        If it has a unit.
    """
    parts = values if isinstance(values, list | tuple) else [values]
    for part in parts:
        if type(part) is not np.ndarray and unit_of(part) is not None:
            raise LightCurveError(
                f"the {what} has the unit {shown(str(part.unit))}, which cannot be that of times "
                "and fluxes: pass a mapping of columns with units for each object, or numbers"
            )
    return plain_array(values)


def without_mask(values: Any) -> Any:
    """Return arrays that have a mask or a unit, or lists of them, as plain arrays.

    Anything else stays what it is, for functions that check their input themselves and would lose
    the mask.
    """
    parts = values if isinstance(values, list | tuple) else [values]
    hidden = (isinstance(p, np.ma.MaskedArray) or library_of(type(p)) == "astropy" for p in parts)
    return plain_nd(values, "array") if any(hidden) else values


def _unmasked(values: Any) -> np.ndarray:
    """Return anything that is no plain array as one, without its mask and its unit."""
    if isinstance(values, pd.Series | pd.Index):
        return values.to_numpy()
    if is_time(values):
        raise LightCurveError(
            f"a {type(values).__name__} stands where numbers are expected: pass times as the times "
            "of observations, or their numbers, such as time.mjd"
        )
    if isinstance(values, np.ma.MaskedArray):
        return _filled(np.ma.getdata(values, subok=False), np.ma.getmaskarray(values))
    if hasattr(values, "unmasked"):  # astropy's Masked
        return _filled(_unmasked(values.unmasked), np.asarray(values.mask))
    if isinstance(values, np.ndarray):
        return values.view(np.ndarray)
    if isinstance(values, Iterable) and not hasattr(values, "shape"):
        return _array_of_list(values if isinstance(values, list | tuple) else list(values))
    return np.asarray(values)


def _filled(data: np.ndarray, mask: np.ndarray) -> np.ndarray:
    if not mask.any():
        return data
    filled = data.copy() if data.dtype.kind == "f" else data.astype(object)
    filled[mask] = np.nan if data.dtype.kind == "f" else None
    return filled


def _array_of_list(values: list | tuple) -> np.ndarray:
    kinds = set(map(type, values))
    if any(issubclass(kind, np.ma.core.MaskedConstant) for kind in kinds):
        values = [None if value is np.ma.masked else value for value in values]
    elif any(issubclass(kind, np.ma.MaskedArray) or hasattr(kind, "unmasked") for kind in kinds):
        parts = [plain_array(value) for value in values]
        try:
            return np.stack(parts)
        except (ValueError, TypeError):  # of other shapes, or types
            return object_array(parts)
    elif any(library_of(kind) == "astropy" for kind in kinds):
        return object_array(values)
    elif kinds and not kinds - {list, tuple}:
        parts = [_array_of_list(value) for value in values]
        if len({part.shape for part in parts}) == 1 and all(p.dtype.kind in "biuf" for p in parts):
            return np.array(parts)
    try:
        array = np.asarray(values)
    except (ValueError, TypeError):  # lists of different lengths, or values with units
        return object_array(values)
    if array.dtype.kind in "US" and isinstance(values, list):
        array = object_array(values)  # numpy would turn [1, "a"] into two strings
    return array


def one_chunk(column: pa.ChunkedArray) -> pa.Array:
    """Return a chunked column as one array; a single chunk is not copied."""
    if column.num_chunks == 1:
        return column.chunk(0)
    if not len(column):  # of categories, pyarrow can make no empty array
        of = column.type
        return pa.array([], type=of.value_type if pa.types.is_dictionary(of) else of)
    array = column.combine_chunks()
    return array.chunk(0) if isinstance(array, pa.ChunkedArray) else array


def numbers(raw: Any, name: str) -> np.ndarray:
    """Return an array of any number of axes as float64, or float32 if it is; missing is NaN.

    Raises
    ------
    LightCurveError
        If it does not hold numbers.
    """
    if isinstance(raw, pd.Categorical):
        raw = np.asarray(raw)
    if isinstance(raw, pa.Array):
        if pa.types.is_decimal(raw.type) or pa.types.is_null(raw.type):
            raw = raw.cast(pa.float64())
        raw = raw.to_numpy(zero_copy_only=False)
    raw = plain_array(raw)
    if raw.dtype.kind == "f":
        return raw
    if raw.dtype.kind in "biu":
        return raw.astype(np.float64)
    if raw.dtype.kind == "O":
        return _numbers_among_objects(raw, name)
    raise LightCurveError(_not_numbers(raw, name))


def _numbers_among_objects(raw: np.ndarray, name: str) -> np.ndarray:
    given = ~pd.isna(raw) if raw.size else np.zeros(raw.shape, dtype=bool)
    result = np.full(raw.shape, np.nan)
    try:
        if any(isinstance(value, str | bytes) for value in raw[given]):
            raise TypeError
        result[given] = raw[given].astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        raise LightCurveError(_not_numbers(raw, name)) from None
    return result


def _not_numbers(raw: np.ndarray, name: str) -> str:
    """Return the message about a column that is not numeric."""
    text = pd.Series(raw.ravel(), dtype=object)
    first = first_given(text)
    if raw.dtype.kind == "M" or isinstance(first, datetime.date | np.datetime64):
        return (
            f"the {name} column holds dates: convert them to days, for example "
            "pandas.DatetimeIndex(dates).to_julian_date() - 2400000.5"
        )
    if raw.dtype.kind == "m" or isinstance(first, datetime.timedelta | np.timedelta64):
        return (
            f"the {name} column holds durations: convert them to days, for example "
            "pandas.TimedeltaIndex(durations) / pandas.Timedelta(days=1)"
        )
    if isinstance(first, list | tuple | np.ndarray | dict):
        return (
            f"the {name} column holds a {type(first).__name__} in each row, and not a number: pass "
            "one value per observation, or a table with one row per object and lists in all of "
            "the columns time, flux and flux_err"
        )
    if not len(text):
        return f"the {name} column does not hold numbers, but the type {raw.dtype}: convert it"
    bad = np.flatnonzero([not _converts(value) for value in text])
    row = bad[0] if len(bad) else 0
    return (
        f"the {name} column does not hold numbers: {shown(text[row])} in row {row}"
        + (f" ({len(bad)} values in all)" if len(bad) else f" is a {type(text[0]).__name__}")
        + ": correct it, or convert what can be converted with pandas.to_numeric(column, "
        'errors="coerce") and pass invalid="drop"'
    )


def _converts(value: Any) -> bool:
    """Whether a value is a number, text of one, or missing."""
    try:
        return value is None or value is pd.NA or bool(float(value) or True)
    except (TypeError, ValueError, OverflowError):
        return False


def length_of(values: Any, name: str) -> int:
    """Return the number of rows of a column.

    Raises
    ------
    LightCurveError
        If it is no column: a single value, or a sparse matrix.
    """
    if is_single(values):
        raise LightCurveError(f"{name} is a single value, {shown(values)}: pass one value per row")
    try:
        return len(values)
    except TypeError as error:
        raise LightCurveError(
            f"{name} is a {type(values).__name__}, which is no column ({error}): pass an array "
            "with one value per row"
        ) from None


def factorized(values: Any, name: str) -> tuple[np.ndarray, Any]:
    """Return codes and distinct values, as ``pandas.factorize``.

    Raises
    ------
    LightCurveError
        If the values are none that can be compared, such as lists.
    """
    try:
        return pd.factorize(values)
    except TypeError:
        kind = type(first_given(values)).__name__
        raise LightCurveError(
            f"the {name} holds a {kind} in each row: pass one number or text per row"
        ) from None


def object_array(values: Collection[Any]) -> np.ndarray:
    """Return values as they are in an array of objects, which numpy does not look into."""
    return np.fromiter(values, dtype=object, count=len(values))


def without_bytes(values: np.ndarray) -> np.ndarray:
    """Return text for bytes, as FITS files hold it; other values stay as they are."""
    if values.dtype.kind == "S":
        return np.char.decode(values, "utf-8")
    if values.dtype != object:
        return values
    return object_array([v.decode() if isinstance(v, bytes) else v for v in values])
