"""Flat arrays with offsets or ids, and lists of one array per object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from sklc.errors import LightCurveError
from sklc.light_curves import columns as tables
from sklc.light_curves.alignment import per_object
from sklc.light_curves.build import build
from sklc.light_curves.checks import check_same_length
from sklc.light_curves.flux_units import calibrated
from sklc.light_curves.ids import group_rows, object_ids
from sklc.light_curves.options import ReadOptions
from sklc.light_curves.store import Store
from sklc.light_curves.units import check_scales, without_unit
from sklc.light_curves.values import is_single, joined, length_of, unit_of
from sklc.passbands.registry import Passband
from sklc.utils.offsets import offsets_of


def read(
    time: Any,
    flux: Any,
    flux_err: Any,
    band: Any,
    *,
    offsets: Any,
    object_id: Any,
    ids: Any,
    options: ReadOptions,
) -> Store:
    """Return arrays as a store; see `LightCurves.from_arrays`."""
    order = zp_column = zp_of_unit = None
    if not is_single(options.zero_point):  # one for each observation
        zp_column, options = options.zero_point, replace(options, zero_point="zero_point")
    time, flux, flux_err = (joined(_listed(own)) for own in (time, flux, flux_err))
    band = _listed(band)
    if isinstance(band, str | Passband):
        band, options = None, replace(options, passband=band)
    nothing = offsets is None and object_id is None and isinstance(time, list | tuple) and not time
    flat = offsets is not None or object_id is not None
    if nothing or (_is_ragged(time) and not (flat and getattr(time, "shape", ())[1:] == (1,))):
        if flat:
            raise ValueError("lists with one array per object take neither offsets= nor object_id=")
        time, flux, flux_err = (
            own if own is None or _all_plain(own) else [joined(part) for part in own]
            for own in (time, flux, flux_err)
        )
        lengths = [length_of(t, "time") for t in time]
        if zp_column is not None and len(zp_column) == len(lengths):
            zp_column = _join(zp_column, lengths, "zero_point")
        flux, flux_err, zp_of_unit = _join_fluxes(flux, flux_err, lengths, options)
        zp_column = zp_column if zp_of_unit is None else zp_of_unit
        if not _all_plain(time):
            check_scales(time)
            time = [without_unit(t, "time") for t in time]
        time = _join(time, lengths, "time")
        band = None if band is None else _join(band, lengths, "band")
        offsets = offsets_of(lengths)
    elif (offsets is None) == (object_id is None):
        raise ValueError(
            "flat arrays need either offsets= (object i owns the rows offsets[i]:offsets[i + 1]) "
            "or object_id= (one per row); for a single light curve offsets=[0, len(time)]"
        )
    check_same_length(time=time, flux=flux, flux_err=flux_err, band=band, object_id=object_id)
    if object_id is not None:
        if ids is not None:
            raise ValueError("pass ids= with offsets= only: object_id= holds the ids already")
        offsets, ids, order = group_rows(object_id)
    offsets = _check_offsets(offsets)
    ids = object_ids(ids, len(offsets) - 1)
    return build(
        time=time,
        flux=flux,
        flux_err=flux_err,
        band=band,
        zp_column=zp_column,
        trusted=zp_of_unit is not None,
        offsets=offsets,
        ids=ids,
        order=order,
        metadata=per_object(options.metadata, ids),
        options=options,
    )


def _listed(values: Any) -> Any:
    """Return a column of lists, of pandas, polars or pyarrow, as a list of arrays."""
    kind = str(getattr(values, "dtype", getattr(values, "type", "")))
    if kind.startswith(("List", "Array", "list<", "large_list<", "fixed_size_list<")):
        return values.to_pylist() if hasattr(values, "to_pylist") else list(values)
    if isinstance(values, pd.Series) and kind == "object" and not all(map(is_single, values)):
        return values.to_list()
    return values


def _all_plain(values: Any) -> bool:
    """Whether all items are plain arrays, which have neither unit nor mask."""
    return set(map(type, values)) == {np.ndarray}


def _is_ragged(time: Any) -> bool:
    if isinstance(time, np.ndarray) and time.dtype != object:
        return time.ndim == 2
    if not isinstance(time, list | tuple | np.ndarray):
        return False
    return len(time) > 0 and not is_single(time[0])


def _join_fluxes(
    flux: Any, flux_err: Any, lengths: Sequence[int], options: ReadOptions
) -> tuple[Any, Any, np.ndarray | None]:
    """Concatenate fluxes and errors, and return the zero points of their units."""
    columns = [flux] if flux_err is None else [flux, flux_err]
    if all(_all_plain(own) or all(unit_of(part) is None for part in own) for own in columns):
        joined_err = None if flux_err is None else _join(flux_err, lengths, "flux_err")
        return _join(flux, lengths, "flux"), joined_err, None
    errors = [None] * len(flux) if flux_err is None else flux_err
    parts = [calibrated(*own, None, options) for own in zip(flux, errors, strict=True)]
    if any(unit_of(own) is None for own in flux):
        raise LightCurveError(
            "the fluxes of some objects have a unit, and those of others have none: give all a "
            "unit, or pass numbers"
        )
    zp = [np.full(n, own.constant_zero_point) for n, (*_, own) in zip(lengths, parts, strict=True)]
    joined_err = None if flux_err is None else _join([e for _, e, _ in parts], lengths, "flux_err")
    return _join([f for f, *_ in parts], lengths, "flux"), joined_err, np.concatenate(zp)


def _join(values: Any, lengths: Sequence[int], name: str) -> Any:
    """Concatenate one array per object; a scalar stands for all observations of its object."""
    if len(values) != len(lengths):
        raise LightCurveError(f"time holds {len(lengths)} objects, but {name} {len(values)}")
    parts = []
    for position, (value, length) in enumerate(zip(values, lengths, strict=True)):
        part = tables.raw_column([value] * length if is_single(value) else value, name)
        part = part if isinstance(part, np.ndarray) else np.asarray(part)
        part = part[:, 0] if part.ndim == 2 and part.shape[1] == 1 else part
        if len(part) != length:
            raise LightCurveError(
                f"object at position {position}: time has {length} values, {name} {len(part)}"
            )
        parts.append(part)
    try:
        return np.concatenate(parts) if parts else np.zeros(0)
    except TypeError:  # dates and numbers, for example
        kinds = sorted({str(part.dtype) for part in parts})
        raise LightCurveError(
            f"the {name} of different objects are of types that do not go together, {kinds}: "
            "convert them to one"
        ) from None


def _check_offsets(offsets: Any) -> np.ndarray:
    offsets = np.asarray(tables.raw_column(offsets, "offsets"))
    if offsets.ndim != 1 or not len(offsets) or offsets.dtype.kind not in "iu" or offsets[0] != 0:
        raise LightCurveError(
            "offsets must be integers that start at 0, one more than there are objects"
        )
    offsets = offsets.astype(np.int64)
    if (np.diff(offsets) < 0).any():
        k = int(np.argmax(np.diff(offsets) < 0))
        raise LightCurveError(f"offsets decrease after the object at position {k}")
    return offsets
