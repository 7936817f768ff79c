"""What stands between the brackets of `LightCurves`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from sklc.light_curves.values import plain_array


def selected_rows(
    key: Any, n_objects: int, ids: Callable[[], np.ndarray], rows: np.ndarray | None
) -> int | np.ndarray:
    """Return the row of one object in a store, or an array of the rows of several.

    Parameters
    ----------
    key : int, slice, array-like of int or bool, or tuple
        The index; a tuple holds one of these and ``...``.
    n_objects : int
        Number of objects to select from.
    ids : callable
        Returns the ids of the objects, which the index of a mask is compared with.
    rows : ndarray of int or None
        The rows of the objects to select from; None if these are all rows of the store.
    """
    chosen = _positions(key, n_objects, ids)
    if isinstance(chosen, int):
        return chosen if rows is None else int(rows[chosen])
    if rows is not None:
        return rows[chosen]
    if isinstance(chosen, slice):
        # without listing all rows: the cost depends on the size of the slice alone
        return np.arange(*chosen.indices(n_objects))
    return np.arange(n_objects)[chosen]


def _positions(key: Any, n_objects: int, ids: Callable[[], np.ndarray]) -> int | slice | np.ndarray:
    """Return the position of one object, or a slice, mask or array of positions of several."""
    if isinstance(key, tuple):
        if len(key) != 2 or key[1] is not Ellipsis:
            raise IndexError(
                f"LightCurves has one axis, the objects, got the index {key!r}; for several "
                "objects pass a list of positions"
            )
        key = key[0]
    if isinstance(key, slice):
        return key
    if isinstance(key, int | np.integer) and not isinstance(key, bool):
        if not -n_objects <= key < n_objects:
            raise IndexError(f"position {key} is out of range for {n_objects} objects")
        return int(key) % n_objects
    if isinstance(key, pd.Series) and key.dtype == bool:
        default = isinstance(key.index, pd.RangeIndex)
        if not default and len(key) == n_objects and not (key.index == ids()).all():
            raise IndexError(
                "the mask is indexed by other ids, or in another order, than these light "
                "curves: use mask.loc[curves.ids]"
            )
    if isinstance(key, str) or np.ndim(key) != 1:
        raise IndexError(
            f"LightCurves is indexed by position, slice, mask or list of positions, got "
            f"{key!r}; to select by id: curves[curves.ids == id]"
        )
    array = plain_array(key)
    if not len(array) and array.dtype != bool:
        return array.astype(np.int64)
    if array.dtype == object and all(isinstance(k, bool | np.bool_) for k in array):
        array = array.astype(bool)
    if array.dtype.kind not in "iub":
        raise IndexError(f"positions must be integers or booleans, got dtype {array.dtype}")
    if array.dtype == bool and len(array) != n_objects:
        raise IndexError(f"the mask has {len(array)} values for {n_objects} objects")
    return array
