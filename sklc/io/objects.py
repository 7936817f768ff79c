"""What a table says about its objects: label, redshift, position, extinction."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sklc.errors import LightCurveError
from sklc.io.choices import Choices
from sklc.io.columns import Names, identify, metadata_columns
from sklc.io.source import Source

__all__ = ["metadata_of"]


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
    own = _table_of(choices.metadata, names.object_id)
    own = own.reindex(pd.Index(pd.unique(np.asarray(ids))))
    return own if found is None else own.combine_first(found)


def _table_of(given: Any, object_id: str | None) -> pd.DataFrame:
    """Return a table of objects, indexed by id, with the usual names of columns."""
    source = given if isinstance(given, Source) else Source(given)
    frame = source.frame()
    name = object_id if object_id in frame.columns else identify(frame.columns).object_id
    if name is not None:
        frame = frame.set_index(name)
    elif isinstance(frame.index, pd.RangeIndex):
        raise LightCurveError(
            f"metadata ({source.name}) has no column of object ids among "
            f"{list(frame.columns)[:40]}: name it as in the light curves"
        )
    if not frame.index.is_unique:
        twice = frame.index[frame.index.duplicated()][0]
        raise LightCurveError(
            f"metadata ({source.name}) has two rows of object {twice!r}: keep one"
        )
    new = {
        name: what for what, name in metadata_columns(frame.columns).items() if what not in frame
    }
    return frame.rename(columns=new)
