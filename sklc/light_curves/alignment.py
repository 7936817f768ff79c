"""Tables and columns with one row per object, brought into the order of the objects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from sklc.errors import LightCurveError
from sklc.light_curves.ids import check_exact
from sklc.light_curves.store import describe
from sklc.light_curves.tables import metadata_column, metadata_frame
from sklc.light_curves.values import plain_array
from sklc.utils.text import shown


def indexed_metadata(metadata: pd.DataFrame | None, ids: np.ndarray) -> pd.DataFrame:
    """Return per-object columns as a plain DataFrame indexed by the ids."""
    index = pd.Index(ids, name="object_id")
    if metadata is None:
        return pd.DataFrame(index=index)
    metadata = metadata_frame(pd.DataFrame(metadata)).copy()
    metadata.index = index
    metadata.columns = metadata.columns.map(str)
    return metadata


def align_metadata(
    metadata: Any, ids: np.ndarray, object_id: str = "object_id"
) -> pd.DataFrame | None:
    """Return the rows of a per-object table in the order of the ids.

    Raises
    ------
    LightCurveError
        If an object has no row or more than one, or if a row belongs to no object.
    """
    if metadata is None:
        return None
    metadata = metadata_frame(metadata)
    if object_id in metadata.columns:
        metadata = metadata.set_index(object_id)
    index = metadata.index
    check_exact(index)
    if not index.is_unique:
        twice = index[index.duplicated()][0]
        raise LightCurveError(
            f"the metadata has more than one row for object {shown(twice)}: keep one row per object"
        )
    rows = index.get_indexer(pd.Index(ids))
    missing = np.flatnonzero(rows < 0)
    if len(missing):
        k = missing[0]
        raise LightCurveError(
            f"{describe(ids, k)} has no row in the metadata ({len(missing)} of "
            f"{len(ids)} objects; the metadata is indexed by {index[:1].tolist()}...): add the "
            f"rows, or index the metadata by object id: metadata.set_index({object_id!r})"
        )
    if len(index) > len(ids):
        extra = index.difference(pd.Index(ids), sort=False)
        raise LightCurveError(
            f"object {shown(extra[0])} has a row in the metadata but no observations ({len(extra)} "
            "objects): drop these rows, metadata.loc[frame[object_id].unique()]"
        )
    return metadata.iloc[rows]


def per_object(metadata: Any, ids: np.ndarray) -> pd.DataFrame | None:
    """Return per-object columns in the order of the ids.

    A frame is aligned by its index (or its column "object_id") if that holds the ids, and taken in
    order if its index is the default one; a mapping of arrays is taken in order.
    """
    if metadata is None:
        return None
    if not isinstance(metadata, pd.DataFrame):
        if isinstance(metadata, Mapping):
            index = pd.Index(ids)
            columns = {
                str(name): align_column(name, values, index, positional=True)
                for name, values in metadata.items()
            }
            return pd.DataFrame(columns, index=range(len(ids)))
        metadata = metadata_frame(metadata)
    index = metadata.index
    in_order = isinstance(index, pd.RangeIndex) and index.start == 0 and index.step == 1
    if "object_id" in metadata.columns or not in_order:
        return align_metadata(metadata, ids)
    if len(metadata) != len(ids):
        raise LightCurveError(f"the metadata has {len(metadata)} rows for {len(ids)} objects")
    return metadata


def align_column(name: str, column: Any, index: pd.Index, positional: bool) -> Any:
    """Return a metadata column in the order of the objects."""
    column = metadata_column(name, column) if not isinstance(column, pd.Series) else column
    aligned = isinstance(column, pd.Series) and not (
        positional and isinstance(column.index, pd.RangeIndex)
    )
    if aligned:
        check_exact(column.index)
        if not column.index.is_unique:
            raise LightCurveError(f"the index of metadata column {name!r} repeats an id")
        rows = column.index.get_indexer(index)
        missing = np.flatnonzero(rows < 0)
        if len(missing):
            k = missing[0]
            raise LightCurveError(
                f"{describe(index.to_numpy(), k)} has no value in the metadata column {name!r} "
                f"({len(missing)} of {len(index)} objects; it is indexed by "
                f"{column.index[:3].tolist()}...): index it by object id, or pass its .to_numpy() "
                "if it is in the order of the objects"
            )
        return column.iloc[rows].reset_index(drop=True)
    if np.ndim(column) and len(column) != len(index):
        raise LightCurveError(
            f"metadata column {name!r} has {len(column)} values for {len(index)} objects"
        )
    return column.reset_index(drop=True) if isinstance(column, pd.Series) else column


def with_survey(
    metadata: pd.DataFrame | None, survey: Any, ids: np.ndarray
) -> tuple[pd.DataFrame | None, str | np.ndarray | None]:
    """Return the metadata with the survey as a column, and the survey that resolves band names."""
    has_column = metadata is not None and "survey" in metadata
    if survey is None:
        if not has_column:
            return metadata, None
        assert metadata is not None
        return metadata, metadata["survey"].to_numpy(dtype=object)
    if not isinstance(survey, str):
        survey = plain_array(survey).astype(object)
        if survey.shape != (len(ids),):
            raise LightCurveError(
                f"survey has shape {survey.shape}: pass one name, or one for each of the "
                f"{len(ids)} objects in their order"
            )
    if not has_column:
        metadata = pd.DataFrame(index=range(len(ids))) if metadata is None else metadata.copy()
        metadata["survey"] = survey
    return metadata, survey
