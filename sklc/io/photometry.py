"""From the rows of a survey's table to light curves: quality, missing values, units."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from sklc.errors import LightCurveError
from sklc.io.unreadable import read_by_object
from sklc.light_curves.columns import runs
from sklc.light_curves.container import LightCurves
from sklc.utils.text import counted

__all__ = ["Photometry", "Quality", "Rows", "columns_of"]


class NoObservationsError(LightCurveError):
    """A source, or a part of it, has no observations that can be used."""


#: "good" (the documented selection), "all", or a function of the table of raw columns that returns
#: a boolean array, True for the rows to keep.
Quality = str | Callable[[pd.DataFrame], Any]


def columns_of(wanted: Collection[str], quality: Quality) -> Collection[str] | None:
    """Return the columns to read: all of them where a function of the user selects rows."""
    return None if callable(quality) else wanted


class Rows:
    """The rows of a survey's table, and why some of them are left out.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per observation, with the columns of the survey.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklc.io import Rows
    >>> rows = Rows(pd.DataFrame({"flux": [31.0, 52.0, 40.0], "saturated": [False, True, False]}))
    >>> rows.leave_out(rows.table["saturated"], "saturated")
    >>> rows.select(lambda table: table["flux"] > 35, "good", "faint")
    >>> rows.result()["flux"].tolist(), rows.notes
    ([40.0], ['left out 1 of 3 rows: saturated', 'left out 1 of 3 rows: faint'])
    """

    def __init__(self, table: pd.DataFrame) -> None:
        self.table = table
        self.kept = np.ones(len(table), dtype=bool)
        self.notes: list[str] = []

    def leave_out(self, mask: Any, reason: str) -> None:
        """Leave out rows, and note how many and why.

        Parameters
        ----------
        mask : array of bool, shape (n_rows,)
            True for the rows to leave out. Missing values are False.
        reason : str
            What these rows are, in the plural, such as "upper limits".

        Examples
        --------
        See `Rows`.
        """
        if not (isinstance(mask, np.ndarray) and mask.dtype.kind == "b"):
            mask = pd.array(mask, dtype="boolean").fillna(False)
        mask = np.asarray(mask, dtype=bool) & self.kept
        if n := int(mask.sum()):
            self.kept &= ~mask
            self.notes.append(f"left out {n} of {counted(len(self.table), 'row')}: {reason}")

    def select(self, good: Callable[[pd.DataFrame], Any], quality: Quality, reason: str) -> None:
        """Apply the choice of quality.

        Parameters
        ----------
        good : callable
            The documented selection: a function of the table that returns True for good rows.
        quality : "good", "all" or callable
            What the user chose.
        reason : str
            What the rows that are not good are, such as "flagged, see quality=".

        Raises
        ------
        LightCurveError
            If `quality` is none of these, or the function does not return one value per row.

        Examples
        --------
        See `Rows`.
        """
        if quality == "all":
            return
        if isinstance(quality, str) and quality != "good":
            raise LightCurveError(f'quality must be "good", "all" or a function, got {quality!r}')
        found = good(self.table) if isinstance(quality, str) else quality(_uncoded(self.table))
        mask = np.asarray(found)
        if mask.dtype != bool:
            mask = np.asarray(pd.array(mask, dtype="boolean").fillna(False), dtype=bool)
        if mask.shape != self.kept.shape:
            raise LightCurveError(
                f"quality returned shape {mask.shape} for {len(self.table)} rows: it must return "
                "one boolean for each row of the table that it is given"
            )
        self.leave_out(~mask, reason if quality == "good" else "quality= chose others")

    def count_objects(self, object_id: Any) -> None:
        """Note how many objects have lost all of their rows.

        Parameters
        ----------
        object_id : array of shape (n_rows,)
            The ids of all rows.

        Examples
        --------
        >>> import pandas as pd
        >>> from sklc.io import Rows
        >>> rows = Rows(pd.DataFrame({"object_id": ["a", "b"], "flux": [31.0, None]}))
        >>> rows.leave_out(rows.table["flux"].isna(), "without a flux")
        >>> rows.count_objects(rows.table["object_id"])
        >>> rows.notes[-1]
        '1 of 2 objects has no observation left'
        """
        is_coded = isinstance(object_id, pd.Categorical)
        codes = np.asarray(object_id.codes) if is_coded else pd.factorize(object_id)[0]
        before, left = (len(np.flatnonzero(np.bincount(own))) for own in (codes, codes[self.kept]))
        if left < before:
            n, have = before - left, "has" if before - left == 1 else "have"
            self.notes.append(f"{n} of {counted(before, 'object')} {have} no observation left")

    def result(self) -> pd.DataFrame:
        """Return the rows that are kept.

        Returns
        -------
        pandas.DataFrame

        Examples
        --------
        See `Rows`.
        """
        return self.table if self.kept.all() else self.table[self.kept]


def _uncoded(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table as users know it, with texts and integers instead of categories."""
    plain = table.copy(deep=False)
    for place, dtype in enumerate(table.dtypes):
        if isinstance(dtype, pd.CategoricalDtype):
            column, kind = table.iloc[:, place], dtype.categories.dtype
            has_none = kind.kind in "iu" and column.isna().any()
            plain.isetitem(place, column.astype(object if has_none else kind).array)
    return plain


@dataclass
class Photometry:
    """What the reader of a format has read, before it becomes light curves.

    Parameters
    ----------
    object_id, time, flux, flux_err, band : array of shape (n_rows,)
        One value per observation: ids, MJD, fluxes with their standard errors (None if they are not
        known), and labels of bands or `Passband` objects.
    zero_point : float or array of shape (n_rows,)
        The AB zero point of the fluxes.
    survey : str, optional
        The survey that the labels of bands belong to.
    metadata : pandas.DataFrame, optional
        One row per object, indexed by id. Rows of objects without observations are left out.
    notes : list of str
        What was left out or assumed, in sentences without a final stop.
    duplicates : {"raise", "drop", "keep"}
        As in `LightCurves.from_frame`.

    Examples
    --------
    >>> from sklc.io import Photometry
    >>> time, flux, error = [59000.1, 59003.1], [31.0, 52.0], [2.0, 3.0]
    >>> night = Photometry(["a", "a"], time, flux, error, ["ztfg", "ztfr"], zero_point=23.9)
    >>> night.light_curves("my file")
    LightCurves: 1 objects, 2 observations (median 2), bands ztfg ztfr, zero point 23.9
    """

    object_id: Any
    time: Any
    flux: Any
    flux_err: Any
    band: Any
    zero_point: Any = 27.5
    survey: str | None = None
    metadata: pd.DataFrame | None = None
    notes: list[str] = field(default_factory=list)
    duplicates: str = "drop"

    def light_curves(self, name: str) -> LightCurves:
        """Return the light curves.

        Parameters
        ----------
        name : str
            The name of the source, for messages.

        Returns
        -------
        LightCurves

        Raises
        ------
        LightCurveError
            If there are no observations, or they are no light curves.

        Examples
        --------
        See `Photometry`.
        """
        ids = self.object_id
        if not len(ids):
            raise NoObservationsError(
                f"{name} has no observations that can be used"
                + "".join(f"; {note}" for note in self.notes)
                + '. Look at all rows with quality="all"'
            )
        frame = {"object_id": ids, "mjd": self.time, "flux": self.flux, "band": self.band}
        if self.flux_err is not None:
            frame["flux_err"] = self.flux_err
        if np.ndim(self.zero_point) > 0:
            frame["zp"] = self.zero_point
        columns = {
            key: value.array if isinstance(value, pd.Series) else value
            for key, value in frame.items()
        }
        return read_by_object(columns, self._from_table)

    def _from_table(self, table: Mapping[str, Any] | pd.DataFrame) -> LightCurves:
        """Return the light curves of all rows, or of some of the objects."""
        metadata = self.metadata
        if metadata is not None:
            ids = pd.unique(runs(table["object_id"])[1])
            position = metadata.index.get_indexer(pd.Index(ids))
            used = np.zeros(len(metadata), dtype=bool)
            used[position[position >= 0]] = True
            metadata = metadata.loc[used]
        return LightCurves.from_frame(
            table,
            flux_err="flux_err" if "flux_err" in table else None,
            zero_point="zp" if "zp" in table else float(self.zero_point),
            survey=self.survey,
            metadata=metadata,
            duplicates=self.duplicates,
        )
