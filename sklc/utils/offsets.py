"""Arithmetic of flat arrays of observations, where offsets say which object owns which rows.

Object ``i`` owns the rows ``offsets[i]:offsets[i + 1]``; objects may be empty everywhere, at the
start, in between and at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = [
    "count_by_object",
    "object_of",
    "offsets_after",
    "offsets_of",
    "per_observation",
    "reduce_by_object",
    "row_index",
]


def offsets_of(lengths: np.ndarray | Sequence[int]) -> np.ndarray:
    """Return the offsets of consecutive objects of these lengths.

    Parameters
    ----------
    lengths : array-like of int, shape (n_objects,)
        The number of observations of each object.

    Returns
    -------
    ndarray of int64, shape (n_objects + 1,)

    Examples
    --------
    >>> from sklc.utils.offsets import offsets_of
    >>> offsets_of([2, 0, 3])
    array([0, 2, 2, 5])
    """
    offsets = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def offsets_after(mask: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return the offsets after all observations outside a mask have been removed.

    Parameters
    ----------
    mask : ndarray of bool, shape (n_obs_total,)
        Whether each observation is kept.
    offsets : ndarray of int, shape (n_objects + 1,)
        The offsets before the removal.

    Returns
    -------
    ndarray of int64, shape (n_objects + 1,)
        The offsets after the removal. Every object stays, even if it is empty.

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.utils.offsets import offsets_after
    >>> offsets_after(np.array([True, False, True]), np.array([0, 2, 3, 3]))
    array([0, 1, 2, 2])
    """
    return offsets_of(mask)[offsets]


def count_by_object(mask: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return the number of observations of each object that lie within a mask.

    Parameters
    ----------
    mask : ndarray of bool, shape (n_obs_total,)
        Whether each observation is counted.
    offsets : ndarray of int, shape (n_objects + 1,)
        The offsets that say which object owns which observations.

    Returns
    -------
    ndarray of int64, shape (n_objects,)
    """
    return np.diff(offsets_after(mask, offsets))


def per_observation(values: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Repeat one value per object for each of its observations.

    Parameters
    ----------
    values : ndarray of shape (n_objects,)
        One value per object.
    offsets : ndarray of int, shape (n_objects + 1,)
        The offsets that say which object owns which observations.

    Returns
    -------
    ndarray of shape (n_obs_total,)
    """
    return np.repeat(values, np.diff(offsets))


def reduce_by_object(
    reduce: np.ufunc, values: np.ndarray, offsets: np.ndarray, *, empty: Any
) -> np.ndarray:
    """Reduce the observations of each object to one value, such as the largest flux.

    Parameters
    ----------
    reduce : ufunc
        The reduction, such as ``numpy.maximum`` or ``numpy.add``.
    values : ndarray of shape (n_obs_total,)
        One value per observation.
    offsets : ndarray of int, shape (n_objects + 1,)
        The offsets that say which object owns which observations.
    empty : scalar
        The value of objects without observations, for which ``ufunc.reduceat`` returns the value
        of another object, or fails.

    Returns
    -------
    ndarray of shape (n_objects,)
        In the type of `values`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.utils.offsets import reduce_by_object
    >>> flux, offsets = np.array([3.0, 9.0, 5.0]), np.array([0, 2, 2, 3, 3])
    >>> reduce_by_object(np.maximum, flux, offsets, empty=0.0)
    array([9., 0., 5., 0.])
    """
    reduced = np.full(len(offsets) - 1, empty, dtype=values.dtype)
    # Without the empty objects, the start of one object is still the end of the one before.
    occupied = offsets[1:] > offsets[:-1]
    if occupied.any():
        reduced[occupied] = reduce.reduceat(values, offsets[:-1][occupied])
    return reduced


def row_index(starts: np.ndarray, stops: np.ndarray) -> np.ndarray:
    """Return the concatenation of ``range(start, stop)`` over all pairs.

    Parameters
    ----------
    starts, stops : ndarray of int, shape (n,)
        The ranges; none may end before it starts.

    Returns
    -------
    ndarray of int64

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.utils.offsets import row_index
    >>> row_index(np.array([7, 0]), np.array([9, 3]))
    array([7, 8, 0, 1, 2])
    """
    lengths = stops - starts
    offsets = offsets_of(lengths)
    index = np.arange(offsets[-1], dtype=np.int64)
    index += np.repeat(starts - offsets[:-1], lengths)
    return index


def object_of(offsets: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the position of the object that owns each of the observations `rows`.

    Parameters
    ----------
    offsets : ndarray of int, shape (n_objects + 1,)
        The offsets that say which object owns which observations.
    rows : ndarray of int, shape (n,)
        Positions of observations.

    Returns
    -------
    ndarray of int64, shape (n,)
    """
    return np.searchsorted(offsets, rows, side="right") - 1
