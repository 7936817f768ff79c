"""What tables say about objects: their names, labels, redshifts, positions and extinctions."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import PurePath
from typing import Any

import numpy as np
import pandas as pd

from sklc.errors import LightCurveError
from sklc.io.choices import Choices
from sklc.io.columns import Names, identify, metadata_columns
from sklc.io.service_tables import service_table
from sklc.io.source import Source
from sklc.io.values import exact_ids, ids, labels, numbers
from sklc.light_curves.columns import runs
from sklc.light_curves.tables import is_astropy_table, metadata_frame

__all__ = [
    "first_values",
    "known",
    "label_column",
    "last_known_values",
    "metadata_of",
    "metadata_table",
    "object_name",
]

# Metadata outside of these are sentinels, such as -9, -99, -999 and -9999.
_VALID = {"ra": (0, 360), "dec": (-90, 90), "redshift": (-0.1, 100), "mwebv": (0, 90)}
_UNKNOWN = {"unknown", "fail"}
_SUFFIX = re.compile(
    r"\.(gz|bz2|xz|zip|tar|tgz|txt|dat|csv|tsv|tbl|json|fits?|lc|parquet|pq|ecsv|xml|vot|votable|mrt)$",
    re.IGNORECASE,
)


def object_name(name: str) -> str:
    """Return the name of the object of a file: that of the file, without its suffixes.

    What is in memory has no name: it is called by its number.
    """
    if unnamed := re.fullmatch(r"the \w+(?:, item (\d+))?", name):
        return unnamed[1] or "0"
    base = PurePath(re.split(r"\.(?:zip|tar|gz|tgz|bz2|xz):", name)[-1]).name
    while (shorter := _SUFFIX.sub("", base)) not in ("", base):
        base = shorter
    return base


def known(column: Any, name: str) -> pd.Series:
    """Return metadata without what stands for missing values: sentinels, "Unknown" and the like."""
    column = pd.Series(column)
    codes, found = labels(column) if column.dtype.kind not in "fiub" else (None, [])
    if codes is not None:
        texts = [None if str(value).casefold() in _UNKNOWN else value for value in found]
        column = pd.Series(np.array([*texts, None], dtype=object)[codes], index=column.index)
    if name not in _VALID:
        return column
    low, high = _VALID[name]
    values = numbers({name: column}, name)
    values = np.where((values >= low) & (values <= high), values, np.nan)
    return pd.Series(values, index=column.index)


def last_known_values(table: pd.DataFrame) -> pd.DataFrame:
    """Return metadata with one row per object: the last value that is known.

    Parameters
    ----------
    table : pandas.DataFrame
        Any number of rows per object, with the columns object_id, label, redshift, ra, dec and
        mwebv. Columns without any value are left out.
    """
    name = ids(table["object_id"], "object_id")
    codes, order = pd.factorize(name.codes)
    objects = name.categories[order]
    columns = {key: known(table[key], key) for key in table.columns if key != "object_id"}
    found = {key: values.to_numpy() for key, values in columns.items() if values.notna().any()}
    if not found:
        return pd.DataFrame(index=objects)
    return pd.DataFrame(found).groupby(codes).last().set_axis(objects, axis=0)


def first_values(ids: Any, columns: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Return metadata from columns with one value per row: the value of each object's first row."""
    starts, values = runs(ids)
    index = pd.Index(values)
    new = ~index.duplicated()
    first = starts[new]
    return pd.DataFrame({name: v[first] for name, v in columns.items()}, index=index[new])


def label_column(values: Any, missing: Collection[Any] = ()) -> Any:
    """Return labels of classes: integers where all are known, numbers with NaN, or text."""
    column = pd.Series(values)
    column = column.mask(column.isin(list(missing)))
    if column.isna().any() and column.dtype.kind in "iuf":
        return column.astype(np.float64)
    return column


def metadata_table(
    given: Any,
    ids: Collection[str] = (),
    names: Mapping[str, Collection[str]] | None = None,
    missing: Collection[float] = (),
    **options: Any,
) -> pd.DataFrame:
    """Return the user's table of objects under the standard names of columns, indexed by id.

    Parameters
    ----------
    given : path, bytes, binary file or table
        One row per object.
    ids : collection of str
        Names that the column of ids may have; the first that is there counts.
    names : dict of str to collection of str, optional
        The names that the column of each standard name may have. By default, these and the ids
        may have any of the usual names. All other columns keep theirs.
    missing : collection of float
        Values that stand for a missing number.
    **options
        Options of `service_table`.

    Raises
    ------
    LightCurveError
        If there are no ids, or an id occurs more than once.
    """
    source = given if isinstance(given, Source) else Source(given)
    if is_astropy_table(source.object):
        table = metadata_frame(source.object)
    else:
        table = service_table(source, **options)
    id_column = next((name for name in ids if name in table), None)
    if id_column is None and names is None:
        id_column = identify(table.columns).object_id
    own_index = getattr(source.object, "index", None)
    if id_column is not None:
        index = pd.Index(exact_ids(table[id_column], id_column))
    elif isinstance(own_index, pd.Index) and not isinstance(own_index, pd.RangeIndex):
        index = own_index
    else:
        raise LightCurveError(
            f"metadata ({source.name}) has no column of object ids among "
            f"{list(map(str, table))[:40]}: name it as in the light curves"
            + (f", {next(iter(ids))!r}" if ids else "")
        )
    if index.has_duplicates:
        raise LightCurveError(
            f"metadata ({source.name}) has more than one row for the object "
            f"{index[index.duplicated()].tolist()[0]!r}: keep one of them"
        )
    if names is None:
        usual = metadata_columns(table.columns)
        names = {what: (own,) for what, own in usual.items() if what not in table}
    columns: dict[str, Any] = {}
    taken = {id_column}
    for standard, candidates in names.items():
        own = next((name for name in candidates if name in table.columns), None)
        if own is not None:
            taken.add(own)
            value = table[own]
            columns[standard] = label_column(value, missing) if standard == "label" else value
    columns |= {str(name): table[name] for name in table.columns if name not in taken}
    for name, value in columns.items():
        if value.dtype.kind == "f" and name not in ("ra", "dec"):
            columns[name] = value.mask(value.isin(list(missing))) if len(missing) else value
    return pd.DataFrame({name: value.array for name, value in columns.items()}, index=index)


def metadata_of(
    frame: pd.DataFrame, names: Names, ids: Any, choices: Choices
) -> pd.DataFrame | None:
    """Return columns that have one value per object, and those of the user's own table."""
    columns = metadata_columns(set(frame.columns) - set(filter(None, vars(names).values())))
    found = None
    if columns and len(frame):
        groups = frame[list(columns.values())].groupby(np.asarray(ids), sort=False)
        found = groups.first()
        same = (groups.nunique(dropna=True) <= 1).all()
        found = found.loc[:, [n in (columns.get("ra"), columns.get("dec")) or bool(same[n])
                              for n in found.columns]]  # fmt: skip
        found = found.rename(columns={name: what for what, name in columns.items()})
        if "redshift" in found and found["redshift"].dtype.kind in "fi":
            found["redshift"] = found["redshift"].where(found["redshift"] > -1)
        if not found.shape[1]:
            found = None
    if choices.metadata is None:
        return found
    own = metadata_table(choices.metadata, [n for n in (names.object_id,) if n is not None])
    own = own.reindex(pd.Index(pd.unique(np.asarray(ids))))
    return own if found is None else own.combine_first(found)
