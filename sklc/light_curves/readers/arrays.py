"""Flat arrays with offsets or ids, and lists of one array per object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from sklc.errors import LightCurveError
from sklc.light_curves import columns as tables
from sklc.light_curves.alignment import per_object
from sklc.light_curves.build import build
from sklc.light_curves.checks import check_same_length
from sklc.light_curves.ids import group_rows, object_ids
from sklc.light_curves.options import ReadOptions
from sklc.light_curves.store import Store
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
    order = None
    if isinstance(band, str | Passband):
        band, options = None, replace(options, passband=band)
    nothing = offsets is None and object_id is None and isinstance(time, list | tuple) and not time
    if nothing or _is_ragged(time):
        if offsets is not None or object_id is not None:
            raise ValueError("lists with one array per object take neither offsets= nor object_id=")
        lengths = [len(t) for t in time]
        time, flux = _join(time, lengths, "time"), _join(flux, lengths, "flux")
        flux_err = None if flux_err is None else _join(flux_err, lengths, "flux_err")
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
        offsets=offsets,
        ids=ids,
        order=order,
        metadata=per_object(options.metadata, ids),
        options=options,
    )


def _is_ragged(time: Any) -> bool:
    if isinstance(time, np.ndarray) and time.dtype != object:
        return time.ndim == 2
    if not isinstance(time, list | tuple | np.ndarray):
        return False
    return len(time) > 0 and np.ndim(time[0]) > 0


def _join(values: Any, lengths: Sequence[int], name: str) -> Any:
    """Concatenate one array per object; a scalar stands for all observations of its object."""
    if len(values) != len(lengths):
        raise LightCurveError(f"time holds {len(lengths)} objects, but {name} {len(values)}")
    parts = []
    for position, (value, length) in enumerate(zip(values, lengths, strict=True)):
        part = tables.raw_column([value] * length if np.ndim(value) == 0 else value)
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
    offsets = np.asarray(offsets)
    if offsets.ndim != 1 or not len(offsets) or offsets.dtype.kind not in "iu" or offsets[0] != 0:
        raise LightCurveError(
            "offsets must be integers that start at 0, one more than there are objects"
        )
    offsets = offsets.astype(np.int64)
    if (np.diff(offsets) < 0).any():
        k = int(np.argmax(np.diff(offsets) < 0))
        raise LightCurveError(f"offsets decrease after the object at position {k}")
    return offsets
