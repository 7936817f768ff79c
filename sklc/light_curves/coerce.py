"""One function converts every form of X to `LightCurves`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

import numpy as np

from sklc.errors import LightCurveError
from sklc.light_curves.bands import SERIES_PASSBAND
from sklc.light_curves.container import LightCurves
from sklc.light_curves.forms import from_frame_arguments, guessed_arguments, is_long, names_of
from sklc.light_curves.options import ReadOptions
from sklc.light_curves.registry import READERS, reader_of
from sklc.light_curves.store import describe
from sklc.light_curves.tables import is_table
from sklc.utils.offsets import count_by_object
from sklc.utils.text import listed

# Columns are found by their usual names, and a resampled frame may repeat its ids.
ANY_OPTIONS = ReadOptions(time=None, flux=None, flux_err=None, band=None, unique_ids=False)


def as_light_curves(X: Any, *, min_points: int | None = 1) -> LightCurves:
    """Convert any form of X to `LightCurves`, as every estimator of sklc does first.

    Parameters
    ----------
    X : LightCurves, NestedFrame, LightCurve, list, array or DataFrame
        - `LightCurves` is returned as it is.
        - ``nested_pandas.NestedFrame``, or any table with a nested column, or a column of
          structures: as `LightCurves.from_nested`. A table with one row per object whose columns
          time and flux, by their usual names, hold lists.
        - list, tuple or object array with one item per object: each a `LightCurve`; a table (of
          pandas, polars, pyarrow or astropy, so also a light curve of lightkurve) or mapping with
          the columns time (or mjd, t), flux[, flux_err][, band]; or an array of shape
          (n_obs, 2 to 4) with the columns time, flux[, flux_err[, wavelength in micrometre]], which
          may be padded with NaN at the end. An object array may have a second axis of length one,
          as `sklearn.utils.check_array` returns for the nested column of a frame.
        - mapping from ids to such items, or a grouped table (``frame.groupby("object_id")``).
        - 3-D array: as `LightCurves.from_padded`.
        - 2-D array or DataFrame of numbers, shape (n_objects, n_samples): each row a series in one
          anonymous band, regularly sampled at the times 0, 1, 2, ...

        Further forms can be added with `sklc.register_reader`.
    min_points : int or None, default=1
        The least number of observations that each object must have. With None, neither this nor
        whether objects have any flux is checked.

    Returns
    -------
    LightCurves

    Raises
    ------
    LightCurveError
        If the light curves are invalid or too short, or X is a long table: a splitter
        would split its objects apart, so convert it first.
    TypeError
        If X is none of these forms, or its reader does not return light curves.

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
    curves = X if isinstance(X, LightCurves) else _read(X)
    if min_points is not None:
        check_usable(curves, min_points=min_points)
    return curves


def is_series_matrix(X: Any) -> bool:
    """Whether X is a plain table of numbers, which scikit-learn's own validation should see first.

    Parameters
    ----------
    X : object
        Any object.

    Returns
    -------
    bool
        True for arrays of up to two axes (whatever their dtype), lists of numbers or of equally
        long lists of numbers, numeric DataFrames, sparse matrices, and objects that convert to
        such arrays. False for everything else, whether `as_light_curves` accepts it or not.

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.light_curves import is_series_matrix
    >>> is_series_matrix([[1, 2], [3, 4]]), is_series_matrix(np.ones((2, 3, 4)))
    (True, False)
    """
    return not isinstance(X, LightCurves) and reader_of(X) == "series"


def check_form(X: Any, fitted_on_series: bool | None) -> None:
    """Raise if X is a plain 2-D array, and the model expects light curves.

    Parameters
    ----------
    X : object
        Light curves in any form.
    fitted_on_series : bool or None
        Whether the model was fitted on a plain 2-D array. If it was not fitted, only what looks
        like a single light curve is refused.

    Raises
    ------
    LightCurveError
        If X is a 2-D array of series; the message says what to pass instead.

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.light_curves.coerce import check_form
    >>> check_form(np.ones((3, 40)), fitted_on_series=True)
    """
    if fitted_on_series or not is_series_matrix(X):
        return
    shape = np.shape(X)
    if len(shape) != 2 or not shape[0]:
        return
    if looks_like_one_object(X):
        raise LightCurveError(
            f"X is a plain 2-D array of shape {shape}, which stands for {shape[0]} objects of "
            f"{shape[1]} fluxes each, and one of its columns increases as the times of a single "
            "light curve do: pass a list with one array per object, [X]"
        )
    if fitted_on_series is False:
        raise LightCurveError(
            f"X is a plain 2-D array of shape {shape}, which stands for {shape[0]} series without "
            "times and bands, and this model was fitted on light curves: pass them in a form that "
            "has times, such as LightCurves, or a list with one table or array (time, flux, "
            "flux_err) per object"
        )


def looks_like_one_object(X: Any) -> bool:
    """Whether a 2-D array is one light curve: a column of 2 to 4 increases, and exceeds 10,000."""
    try:
        array = np.asarray(X, dtype=np.float64)
    except (TypeError, ValueError):
        return False
    if len(array) < 2 or not 2 <= array.shape[1] <= 4:
        return False
    return bool(((np.diff(array, axis=0) > 0).all(axis=0) & (array.min(axis=0) > 10_000)).any())


def _read(X: Any) -> LightCurves:
    name = reader_of(X)
    if name is None:
        _refuse(X)
    curves = READERS[name].read(X, ANY_OPTIONS)
    if not isinstance(curves, LightCurves):
        raise TypeError(
            f"the reader {name!r} returned a {type(curves).__name__} for a {type(X).__name__}: its "
            "method read must return LightCurves, such as from LightCurves.from_arrays"
        )
    return curves


def _refuse(X: Any) -> NoReturn:
    """Raise an error that says why no reader accepts X, and what to do."""
    structured = getattr(getattr(X, "dtype", None), "names", None)
    names = names_of(X) if is_table(X) else list(structured or ())
    if isinstance(X, Mapping) and is_long(list(map(str, X))):
        raise TypeError(
            f"X is a {type(X).__name__} of columns, which is one light curve: pass a list with one "
            "item per object, [X]"
        )
    if not names:
        raise TypeError(
            f"X is a {type(X).__name__}, not light curves: pass a LightCurves (from "
            "LightCurves.from_frame, from_nested, from_arrays, from_parquet), a "
            "nested_pandas.NestedFrame, a list of one frame or array per object, a 3-D array "
            "padded with NaN, or a 2-D array of regularly sampled series; teach sklc another form "
            "with sklc.register_reader"
        )
    if structured or is_long(names):
        raise LightCurveError(
            "X is a long table, one row per observation: a splitter would split its objects apart. "
            f"Convert it first: LightCurves.from_frame(X, {from_frame_arguments(names)})"
        )
    raise LightCurveError(
        f"X is a table with columns that are not numbers, {listed(names, 8)}, and no nested column:"
        " for a long table, or one row per object with columns of lists, use "
        f"LightCurves.from_frame(X, {guessed_arguments(names)})"
    )


def check_usable(curves: LightCurves, *, min_points: int = 1) -> None:
    """Raise if an estimator could not use one of the light curves.

    Parameters
    ----------
    curves : LightCurves
        The light curves to check.
    min_points : int, default=1
        The least number of observations that an object must have.

    Raises
    ------
    LightCurveError
        If an object has fewer observations, or only fluxes of zero. The latter is allowed in a
        plain 2-D array, whose series need not be fluxes.

    Examples
    --------
    >>> from sklc.light_curves import LightCurves, check_usable
    >>> curves = LightCurves.from_arrays([1.0, 2.0, 3.0], [9.0, 8.0, 7.0], offsets=[0, 2, 3])
    >>> check_usable(curves)
    >>> check_usable(curves[curves.lengths >= 2], min_points=2)
    """
    lengths = curves.lengths
    short, dark = short_and_dark(curves, min_points)
    if len(short):
        k = short[0]
        raise LightCurveError(
            f"{describe(curves.ids, k)} has {lengths[k]} observation(s), "
            f"{min_points} needed ({len(short)} of {len(lengths)} objects are too short). Select "
            f"the others: curves[curves.lengths >= {min_points}]"
        )
    if len(dark):
        k = dark[0]
        raise LightCurveError(
            f"{describe(curves.ids, k)} has no flux other than zero "
            f"({len(dark)} of {len(lengths)} objects): remove such objects, for example with "
            "curves[[lc.flux.any() for lc in curves]]"
        )


def short_and_dark(curves: LightCurves, min_points: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of objects with too few observations, and of those without flux.

    With None, neither is looked for.
    """
    nothing = np.zeros(0, dtype=np.int64)
    if min_points is None:
        return nothing, nothing
    lengths, flux = curves.lengths, curves.flux
    short = np.flatnonzero(lengths < min_points)
    if np.count_nonzero(flux) == len(flux) or curves.passbands == (SERIES_PASSBAND,):
        return short, nothing
    enough = lengths >= max(min_points, 1)
    return short, np.flatnonzero(enough & (count_by_object(flux != 0, curves.offsets) == 0))
