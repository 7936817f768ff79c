"""Selections, nightly averages, metadata and equality, as functions of stores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from sklc.errors import LightCurveError, UnknownPassbandError
from sklc.light_curves.alignment import align_column, indexed_metadata
from sklc.light_curves.bands import resolve, unique_passbands
from sklc.light_curves.placeholders import warn_metadata
from sklc.light_curves.store import Store, read_only
from sklc.light_curves.tables import is_table, metadata_frame
from sklc.passbands.registry import Passband, passband_labels
from sklc.utils.floats import exponent_of, saturated
from sklc.utils.offsets import offsets_of


def detections(store: Store, snr: float) -> Store:
    """See `LightCurves.detections`."""
    if store.n_observations and np.isnan(store.flux_err).any():
        raise LightCurveError(
            "detections need flux errors, and these light curves have none: select by flux, or "
            "build the container with flux_err="
        )
    with np.errstate(over="ignore"):  # a limit that overflows is no less a limit
        return store.keep(store.flux >= snr * store.flux_err)


def truncate(store: Store, days: float | None, points: int | None) -> Store:
    """See `LightCurves.truncate`."""
    if (days is None) == (points is None):
        raise ValueError("pass exactly one of days= and points=")
    starts = np.repeat(store.offsets[:-1], store.lengths)
    if points is not None:
        if points < 0 or int(points) != points:
            raise ValueError(f"points must be an integer of at least 0, got {points!r}")
        return store.keep(np.arange(store.n_observations) - starts < points)
    assert days is not None
    if not days >= 0:
        raise ValueError(f"days must be at least 0, got {days!r}")
    with np.errstate(over="ignore"):
        return store.keep(store.time - store.time[starts] <= days)


def with_bands(store: Store, names: Sequence[str | Passband]) -> Store:
    """See `LightCurves.with_bands`."""
    if not names:
        raise ValueError('pass the bands to keep, such as with_bands("ztfg", "ztfr")')
    chosen: dict[int, None] = {}
    for name in names:
        chosen |= dict.fromkeys(_codes_of(store, name))
    lookup = np.full(len(store.passbands) + 1, -1, dtype=np.int16)
    lookup[list(chosen)] = np.arange(len(chosen))
    band = lookup[store.band]
    kept = replace(store, band=band).keep(band >= 0)
    return replace(kept, passbands=tuple(store.passbands[k] for k in chosen))


def _codes_of(store: Store, band: str | Passband) -> list[int]:
    """Return the codes of a passband, or of all that have a name."""
    is_name = isinstance(band, str)
    own = passband_labels(store.passbands) if is_name else list(map(str, store.passbands))
    known = [p.name if is_name else p for p in store.passbands]
    if is_name and band not in known:
        try:
            band = resolve(band).name
        except UnknownPassbandError as error:
            raise UnknownPassbandError(
                f"{error}\nThe bands of these light curves are {own}"
            ) from None
    if band not in known:
        raise LightCurveError(
            f"no observation is in the band {str(band)!r}; the bands of these light curves are "
            f"{own}"
        )
    return [k for k, passband in enumerate(known) if passband == band]


def nightly(store: Store) -> Store:
    """See `LightCurves.nightly`."""
    if not store.n_observations:
        return store
    owner = np.repeat(np.arange(store.n_objects), np.diff(store.offsets))
    night = np.floor(store.time)
    new_night = np.zeros(len(night), dtype=np.int64)
    new_night[1:] = (night[1:] != night[:-1]) | (owner[1:] != owner[:-1])
    # rows are sorted by object and night already; a stable sort of almost sorted keys is fast
    key = np.cumsum(new_night) * len(store.passbands) + store.band
    order = np.argsort(key, kind="stable")
    key = key[order]
    starts = np.concatenate([[0], np.flatnonzero(key[1:] != key[:-1]) + 1])
    flux, error = store.flux[order].astype(np.float64), store.flux_err[order].astype(np.float64)
    # one error that is not known leaves that night's average unweighted, and its error unknown
    unknown = np.isnan(np.maximum.reduceat(error, starts))
    counts = np.diff(np.append(starts, len(order)))
    # Squares of errors and sums of fluxes would overflow, or vanish, where these are extreme.
    unit = exponent_of(np.minimum.reduceat(error, starts))
    size = exponent_of(np.maximum.reduceat(np.abs(flux), starts))
    with np.errstate(over="ignore", under="ignore"):
        weight = np.ldexp(error, np.repeat(-unit, counts)) ** -2
    weight[np.repeat(unknown, counts)] = 1.0
    total = np.add.reduceat(weight, starts)
    start_time = store.time[order][starts]
    since = store.time[order] - np.repeat(start_time, counts)  # keeps the digits of the average
    time = start_time + np.add.reduceat(weight * since, starts) / total
    scaled = np.ldexp(flux, np.repeat(-size, counts))
    mean = np.ldexp(np.add.reduceat(weight * scaled, starts) / total, size)
    mean_error = np.where(unknown, np.nan, np.ldexp(total**-0.5, unit))
    mean_error = np.maximum(mean_error, np.finfo(store.flux_err.dtype).smallest_subnormal)
    owner = owner[order][starts]
    by_time = np.lexsort((time, owner))
    return replace(
        store,
        time=read_only(time[by_time]),
        flux=read_only(saturated(mean[by_time], store.flux.dtype)),
        flux_err=read_only(mean_error[by_time].astype(store.flux_err.dtype)),
        band=read_only(store.band[order][starts][by_time]),
        offsets=read_only(offsets_of(np.bincount(owner, minlength=store.n_objects))),
    )


def with_metadata(store: Store, frame: Any, columns: Mapping[str, Any]) -> Store:
    """See `LightCurves.with_metadata`."""
    index = pd.Index(store.ids)
    metadata = store.metadata.reset_index(drop=True)
    added: dict[str, Any] = {}
    if frame is not None:
        if not is_table(frame):
            raise TypeError(f"expected a pandas.DataFrame, got {type(frame).__name__}")
        is_indexed = isinstance(frame, pd.DataFrame)
        frame = metadata_frame(frame)
        if not is_indexed and "object_id" in frame.columns:
            frame = frame.set_index("object_id")
        added |= {str(name): frame[name] for name in frame.columns}
    added |= columns
    for name, column in added.items():
        metadata[name] = align_column(name, column, index, name in columns)
    metadata = indexed_metadata(metadata, store.ids)
    warn_metadata(metadata[list(added)])
    return replace(store, metadata=metadata)


def equal(first: Store, second: Store) -> bool:
    """See `LightCurves.equals`."""
    if first.zero_point != second.zero_point:
        return False
    names = ("ids", "lengths", "time", "flux")
    code, _ = unique_passbands([*first.passbands, *second.passbands])
    return bool(
        all(np.array_equal(getattr(first, name), getattr(second, name)) for name in names)
        and np.array_equal(first.flux_err, second.flux_err, equal_nan=True)
        and np.array_equal(code[first.band], code[len(first.passbands) :][second.band])
        and first.metadata.equals(second.metadata)
    )
