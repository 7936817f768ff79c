"""Per-object columns as a matrix of numbers, and the name of an object in messages."""

from __future__ import annotations

import numpy as np

from sklc.errors import LightCurveError
from sklc.light_curves.container import LightCurves
from sklc.light_curves.store import Store, describe

__all__ = ["metadata_matrix", "name_object", "numeric_column"]


def name_object(curves: LightCurves | Store, position: int) -> str:
    """Say which object is meant: its id and its position in X."""
    return describe(curves.ids, position)


def metadata_matrix(curves: LightCurves, columns: tuple[str, ...]) -> np.ndarray | None:
    """Per-object numeric columns as a matrix, (n_objects, n_columns) float32; NaN is allowed.

    Raises
    ------
    LightCurveError
        If a column is missing, is not numeric, or holds an infinity.
    """
    if not columns:
        return None
    matrix = np.empty((len(curves), len(columns)), dtype=np.float32)
    for number, column in enumerate(columns):
        matrix[:, number] = numeric_column(curves, column, np.float32, "metadata")
    return matrix


def numeric_column(
    curves: LightCurves | Store, column: str, dtype: type[np.floating], parameter: str
) -> np.ndarray:
    """Per-object numbers of a column, (n_objects,) of `dtype`; NaN where they are missing.

    Raises
    ------
    LightCurveError
        If the column is missing, is not numeric, or holds an infinity. The message names the
        `parameter` that asks for it.
    """
    metadata = curves.metadata
    if column not in metadata.columns:
        argument = f"{column}=..." if column.isidentifier() else f"**{{{column!r}: ...}}"
        raise LightCurveError(
            f"Metadata column {column!r} is missing: the light curves have "
            f"{sorted(map(str, metadata.columns))}. Add it with "
            f"curves.with_metadata({argument})."
        )
    try:
        values = metadata[column].to_numpy(dtype=dtype, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise LightCurveError(
            f"Metadata column {column!r} is not numeric ({error}): encode it as numbers, or "
            f"leave it out of {parameter}=."
        ) from error
    infinite = np.flatnonzero(np.isinf(values))
    if len(infinite):
        raise LightCurveError(
            f"Metadata column {column!r} is infinite for "
            f"{name_object(curves, int(infinite[0]))}: use NaN for a missing value."
        )
    return values
