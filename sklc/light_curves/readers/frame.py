"""Long tables, one row per observation, of pandas, polars or pyarrow."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from sklc.light_curves.alignment import align_metadata
from sklc.light_curves.bands import band_columns, identified
from sklc.light_curves.build import build
from sklc.light_curves.checks import warn
from sklc.light_curves.columns import Table
from sklc.light_curves.ids import group_rows
from sklc.light_curves.options import ReadOptions
from sklc.light_curves.readers.lists import holds_lists, read_lists
from sklc.light_curves.store import Store
from sklc.light_curves.zero_points import SYSTEM_COLUMNS, flux_name
from sklc.passbands.registry import Passband


def read(frame: Any, options: ReadOptions) -> Store:
    """Return a long table as a store; see `LightCurves.from_frame`."""
    table = Table(frame)
    if options.band is None and options.passband is None:
        raise ValueError('band=None needs passband=, the one passband of the table: "ztfr"')
    if options.time is not None and options.time in table and holds_lists(table, options.time):
        return read_lists(table, options)
    columns = read_columns(table, options.columns, options)
    if "object_id" in columns:
        offsets, ids, order = group_rows(columns.pop("object_id"))
    else:
        offsets, ids, order = np.array([0, len(columns["time"])]), np.arange(1), None
    metadata = align_metadata(options.metadata, ids, options.object_id or "object_id")
    return build(
        **columns,
        offsets=offsets,
        ids=ids,
        order=order,
        metadata=metadata,
        options=options,
        look_at_depth=not options.zero_point_given,
    )


def read_columns(
    table: Table,
    names: Mapping[str, str | None],
    options: ReadOptions,
    known: Mapping[str, Passband] = MappingProxyType({}),
) -> dict[str, Any]:
    """Return the columns of these names, and the zero points, by argument of `build`.

    Passbands that are `known` are those of their names, whatever else is registered under these.
    """
    columns = {a: table.column(name, a) for a, name in names.items() if name is not None}
    if names["band"] is not None:
        columns["band"] = identified(table, names["band"], known)
    zero_point = options.zero_point_column(table.columns, names["flux"])
    if zero_point is not None:
        columns["zp_column"] = table.column(zero_point, "zero_point")
    elif (unit := unit_zero_point(names["flux"], options)) is not None:
        columns["zp_column"] = np.broadcast_to(unit, len(table))
    if (system := next((c for c in SYSTEM_COLUMNS if c in table), None)) is not None:
        columns["zp_system"] = table.column(system, "zero_point")
    return columns


def unit_zero_point(flux: str | None, options: ReadOptions) -> float | None:
    """Return the zero point of the unit in the name of a column of fluxes, unless one was given.

    Warns
    -----
    LightCurveWarning
        If the name contradicts the zero point that was given, or leaves it open.
    """
    name, given = flux_name(flux), options.zero_point_given
    if not given and name.question:
        warn(
            f"the column {flux!r} was read as fluxes with the zero point 27.5, but {name.question}"
        )
    if given and name.zero_point not in (None, options.constant_zero_point):
        warn(
            f"the fluxes were read with the zero point {options.constant_zero_point:g} that was "
            f"given, but the name of their column, {flux!r}, is that of a unit with the zero point "
            f"{name.zero_point}: pass zero_point={name.zero_point}, or rename the column"
        )
    return None if given else name.zero_point


def to_frame(store: Store) -> pd.DataFrame:
    """See `LightCurves.to_frame`."""
    if n_empty := int(np.sum(store.lengths == 0)):
        warn(
            f"{n_empty} of {store.n_objects} objects have no observations, and so no row in the "
            "table: to_nested and to_parquet keep such objects"
        )
    bands = band_columns(store.band, store.passbands)
    return pd.DataFrame(
        {
            "object_id": np.repeat(store.ids, store.lengths),
            "mjd": store.time,
            **{name: column.to_pandas() for name, column in bands.items()},
            "flux": store.flux,
            "flux_err": store.flux_err,
            "zp": np.full(store.n_observations, store.zero_point),
        }
    )
