"""Targets and weights, one for each object: plain arrays, in the order of the light curves."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from sklc.errors import LightCurveError, LightCurveWarning
from sklc.light_curves import LightCurves
from sklc.light_curves.ids import check_exact
from sklc.light_curves.metadata import name_object
from sklc.light_curves.units import without_unit
from sklc.light_curves.values import library_of, plain_array
from sklc.utils.text import shown

__all__ = ["in_order"]


def in_order(values: Any, X: Any, curves: LightCurves, what: str) -> Any:
    """Return one value for each object as they stand in X, with masked values as missing ones.

    A Series, a table of one column or a mapping that is indexed by the ids of the objects is put
    into their order, with a warning where that changes the order of a Series. What has no index, or
    one that holds none of the ids, is in that order.

    Parameters
    ----------
    values : array-like, Series, mapping or None
        Labels, redshifts, weights, ...
    X : object
        The light curves as they were given.
    curves : LightCurves
        The same, converted.
    what : str
        What the values are, for messages.

    Raises
    ------
    LightCurveError
        If the index holds some of the ids, but not all; or if the ids are only numbers 0, 1, 2, ...
        and the index has them in another order, which may be either ids or positions.
    """
    if isinstance(values, pd.DataFrame) and values.shape[1] == 1:
        values = values.iloc[:, 0]
    if isinstance(values, Mapping):
        values = pd.Series(dict(values))
        with warnings.catch_warnings():  # nobody expects an order of a mapping
            warnings.simplefilter("ignore", LightCurveWarning)
            values = _aligned(values, X, curves, what)
    elif isinstance(values, pd.Series):
        values = _aligned(values, X, curves, what)
    return _plain(values, what)


def _aligned(values: pd.Series, X: Any, curves: LightCurves, what: str) -> pd.Series:
    index, ids = values.index, pd.Index(curves.ids)
    in_turn = isinstance(index, pd.RangeIndex) and index.start == 0 and index.step == 1
    check_exact(index)
    if in_turn or len(index) != len(ids) or index.equals(ids):
        return values
    numbered = ids.dtype.kind in "iu" and bool((ids == np.arange(len(ids))).all())
    if numbered and not isinstance(X, LightCurves):
        return values  # numbers that were made up for objects without ids
    if not index.is_unique:
        if index.isin(ids).any():
            raise LightCurveError(
                f"{what} is indexed by ids, and that of object "
                f"{shown(index[index.duplicated()][0])} occurs twice: pass one value per object"
            )
        return values
    rows = index.get_indexer(ids)
    known = rows >= 0
    if not known.any():
        return values
    if not known.all():
        k = int(np.argmin(known))
        raise LightCurveError(
            f"{what} is indexed by ids, and that of {name_object(curves, k)} is missing "
            f"({int(np.sum(~known))} of {len(ids)} objects): index it by the ids of X, or pass "
            f"{what}.to_numpy() if it is in the order of X"
        )
    if numbered:
        raise LightCurveError(
            f"the index of {what} has the numbers 0 to {len(ids) - 1} in another order than the "
            f"ids of X: pass {what}.loc[X.ids] if these are ids, or {what}.to_numpy() if it is in "
            "the order of X"
        )
    warnings.warn(
        f"{what} is indexed by the ids of X in another order, and was put into the order of X: "
        f"pass {what}.loc[X.ids] to say the same without this warning.",
        LightCurveWarning,
        stacklevel=4,
    )
    return values.iloc[rows]


def _plain(values: Any, what: str) -> Any:
    """Return values without a mask or a unit; anything else as scikit-learn checks it."""
    if isinstance(values, pd.Series):
        missing = values.isna()
        is_plain = isinstance(values.dtype, np.dtype | pd.CategoricalDtype)
        if is_plain or not missing.any():
            return values
        return values.astype(object).where(~missing, None)
    if isinstance(values, list | tuple):
        lacks = [value is np.ma.masked or value is pd.NA for value in values]
        if not any(lacks):
            return values
        return [None if lack else v for v, lack in zip(values, lacks, strict=True)]
    if isinstance(values, np.ndarray) and values.dtype.names is not None:
        return values
    if library_of(type(values)):
        return plain_array(without_unit(values, what))
    return plain_array(values) if isinstance(values, np.ndarray) else values
