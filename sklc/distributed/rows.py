"""Light curves of the rows of a table, one per object, and why some of them cannot be used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from sklc.errors import LightCurveError
from sklc.io.formats import hats
from sklc.io.unreadable import collect_unreadable
from sklc.light_curves import LightCurves, as_light_curves, is_series_matrix
from sklc.light_curves.alignment import indexed_metadata
from sklc.light_curves.columns import COLUMN_NAMES
from sklc.light_curves.readers.nested import POSITIONS
from sklc.light_curves.usable import screen
from sklc.utils.text import listed, shown

__all__ = ["Rows", "id_column"]

_ROW = "_sklc_row"
_NO_OBSERVATIONS = "0 observations, and 1 needed"


@dataclass(frozen=True)
class Rows:
    """What could be read of the rows of a table.

    Parameters
    ----------
    curves : LightCurves
        The light curves that can be used; their ids name the objects in messages.
    positions : ndarray of int
        Their rows.
    reasons : dict of int to str
        Why the others cannot be used, by row.
    """

    curves: LightCurves
    positions: np.ndarray
    reasons: dict[int, str]

    @classmethod
    def read(cls, table: pd.DataFrame, options: Mapping[str, Any], *, strict: bool) -> Rows:
        """Read a table with one row per object.

        Parameters
        ----------
        table : DataFrame
            With a nested column of observations, a column of structures, or columns of lists.
        options : mapping
            Options of `LightCurves.from_nested` or, where the observations are not fluxes under
            usual names, of `sklc.io.read_hats`.
        strict : bool
            Whether the first object that cannot be read is an error.

        Raises
        ------
        LightCurveError
            If the table as a whole cannot be read, or with `strict` an object.
        """
        named = _named(table, options.get("object_id"))
        own = {name: value for name, value in options.items() if name != "object_id"}
        read = partial(_read_nested, options=own)
        try:
            read(named.iloc[:0])
        except (LightCurveError, TypeError) as problem:
            return cls._of_survey(named, own, problem, strict=strict)
        if strict:
            return cls(read(named), np.arange(len(named)), {})
        screened = screen(named, min_points=None, read=read, read_part=read)
        failures = screened.failures
        reasons = dict(zip(failures.index.tolist(), failures["reason"], strict=True))
        return cls(screened.curves, screened.positions, reasons)

    @classmethod
    def _of_survey(
        cls, named: pd.DataFrame, options: dict[str, Any], problem: Exception, *, strict: bool
    ) -> Rows:
        """Read a table of a survey's own columns; `problem` is why it is no other table."""
        ids = named.index.to_numpy()
        table = hats.arrow_table(named.reset_index(drop=True).assign(**{_ROW: np.arange(len(ids))}))
        try:
            hats.chosen_lists(table.schema, options.get("column"))
        except LightCurveError:
            raise problem from None
        reasons: dict[int, str] = {}
        with collect_unreadable() as unreadable:
            try:
                curves = hats.read_hats(table, object_id=_ROW, **options)
            except LightCurveError as error:
                if strict:
                    raise
                curves = LightCurves.from_arrays([], [], offsets=[0])
                reasons = dict.fromkeys(range(len(ids)), str(error))
        positions = curves.ids.astype(np.int64)
        reasons |= {int(one.object_id): one.reason for one in unreadable}
        for row in np.setdiff1d(np.arange(len(ids)), [*positions, *reasons]):
            reasons[int(row)] = _NO_OBSERVATIONS
        if strict and reasons:
            row = min(reasons)
            raise LightCurveError(f"object {shown(ids[row])} (position {row}): {reasons[row]}")
        return cls(_with_ids(curves, ids[positions]), positions, reasons)

    def usable(self, estimator: Any) -> Rows:
        """Return these rows without those that the estimator cannot use."""
        own = getattr(estimator, "_screen", screen)(self.curves)
        kept = own.positions
        failed = self.positions[own.failures.index]
        reasons = dict(zip(failed.tolist(), own.failures["reason"], strict=True))
        return Rows(own.curves, self.positions[kept], self.reasons | reasons)


def id_column(columns: Any, given: str | None = None) -> str | None:
    """Return the column of ids, by its usual names; None if there is none."""
    if given is not None:
        return given
    return next((name for name in COLUMN_NAMES["object_id"] if name in columns), None)


def _named(table: pd.DataFrame, object_id: str | None) -> pd.DataFrame:
    """Return a table that is indexed by what messages call the objects."""
    name = id_column(table.columns, object_id)
    table = _typed(table)
    if name is not None:
        if name not in table.columns and name != table.index.name:
            raise LightCurveError(
                f"the table has no column {shown(name)} (argument object_id=); its columns are "
                f"{list(table.columns)[:20]}"
            )
        if name in table.columns:
            ids = np.asarray(table[name], dtype=object)
            return pd.DataFrame(table).set_axis(pd.Index(ids), axis=0).drop(columns=name)
    if table.index.name in POSITIONS:
        return pd.DataFrame(table).reset_index(drop=True)
    return pd.DataFrame(table)


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose lists and structures have a type, which tells what they are."""
    typed: dict[str, pd.Series] = {}
    for name in [
        str(n) for n, dtype in table.dtypes.items() if pd.api.types.is_object_dtype(dtype)
    ]:
        try:
            column = pa.chunked_array([pa.array(table[name], from_pandas=True)])
        except (pa.ArrowInvalid, pa.ArrowTypeError):  # left to the reader to refuse
            continue
        if pa.types.is_nested(column.type):
            typed[name] = pd.Series(pd.arrays.ArrowExtensionArray(column), table.index)
    return table.assign(**typed) if typed else table


def _read_nested(table: pd.DataFrame, *, options: dict[str, Any]) -> LightCurves:
    if not options:
        if is_series_matrix(table):  # a table of numbers alone is no table of light curves here
            raise LightCurveError(
                f"no column holds observations; the columns are {listed(table.columns)}: pass a "
                "table with a nested column, or with columns of lists"
            )
        return as_light_curves(table, min_points=None)
    return LightCurves.from_nested(table, **options)


def _with_ids(curves: LightCurves, ids: np.ndarray) -> LightCurves:
    store = curves._compact()
    return LightCurves(replace(store, ids=ids, metadata=indexed_metadata(store.metadata, ids)))
