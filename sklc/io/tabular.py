"""From a table with one row per observation, of whatever origin, to photometry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import union_categoricals

from sklc.errors import LightCurveError
from sklc.io.bands import bands_of
from sklc.io.brightness import brightness
from sklc.io.choices import Choices
from sklc.io.columns import Names, identify, offset_in_name, plain
from sklc.io.objects import metadata_of
from sklc.io.photometry import Photometry, Rows
from sklc.io.source import Source
from sklc.io.values import Table, constant, exact_ids, numbers

__all__ = ["join", "located", "photometry_of", "recognised"]

_MJD_OF_JD = 2_400_000.5


def recognised(source: Source) -> bool:
    """Whether the columns of a source are those of light curves."""
    return identify(source.columns).is_light_curve


def photometry_of(frame: pd.DataFrame, choices: Choices, object_id: str = "0") -> Photometry:
    """Return the photometry in a table with one row per observation.

    Parameters
    ----------
    frame : pandas.DataFrame
        The table.
    choices : Choices
        What the user says about it.
    object_id : str
        The id of the object, where the table has no column of ids.

    Returns
    -------
    Photometry
    """
    if not all(isinstance(name, str) for name in frame.columns):
        frame = frame.rename(columns=str)
    names = identify(frame.columns, choices.names)
    if not names.is_light_curve:
        what = "times" if names.time is None else "fluxes or magnitudes"
        raise LightCurveError(
            f"no column of {what} is recognised among {list(frame.columns)[:40]}: pass time= and "
            "flux= or mag=, the names of these columns"
        )
    rows = Rows(frame)
    if choices.quality != "good":  # there are no flags that are known
        rows.select(lambda table: rows.kept, choices.quality, "not good")
    time = mjd_of(frame, str(names.time), rows)
    rows.leave_out(~np.isfinite(time), "without a time")
    bands = bands_of(frame, names, choices, rows)
    flux, flux_err, zero_point = brightness(frame, names, choices, bands, rows)
    if flux_err is not None:
        measured = np.isfinite(flux_err) & (flux_err > 0)
        if (measured & rows.kept).any():
            rows.leave_out(~measured, f"without a positive error {names.flux_err or names.mag_err}")
        else:
            flux_err = None
    keep: Any = slice(None) if rows.kept.all() else rows.kept
    ids = _ids(frame, names, object_id, guessed=choices.names.object_id is None)
    return Photometry(
        object_id=ids[keep],
        time=time[keep],
        flux=flux[keep],
        flux_err=None if flux_err is None else flux_err[keep],
        band=bands[keep],
        zero_point=zero_point if np.ndim(zero_point) == 0 else np.asarray(zero_point)[keep],
        survey=None if choices.survey == "standard" else choices.survey,
        metadata=metadata_of(frame, names, ids, choices),
        notes=rows.notes,
    )


@contextmanager
def located(name: str) -> Iterator[None]:
    """Name the file in an error about its content."""
    try:
        yield
    except LightCurveError as error:
        if name in str(error) or name.startswith("the "):
            raise
        raise type(error)(f"{name}: {error}") from error


def join(parts: Sequence[Photometry]) -> Photometry:
    """Return the photometry of several files in one; errors must be known in all or none."""
    if len(parts) == 1:
        return parts[0]
    without = [part.flux_err is None for part in parts]
    errors = [np.full(len(p.time), np.nan) if p.flux_err is None else p.flux_err for p in parts]
    tables = [part.metadata for part in parts if part.metadata is not None]
    metadata = pd.concat(tables) if tables else None
    if metadata is not None:
        metadata = metadata[~metadata.index.duplicated()]
    zero_points = {p.zero_point for p in parts if np.ndim(p.zero_point) == 0}
    same = len(zero_points) == 1 and all(np.ndim(p.zero_point) == 0 for p in parts)
    return Photometry(
        object_id=_stack([p.object_id for p in parts]),
        time=np.concatenate([p.time for p in parts]),
        flux=np.concatenate([p.flux for p in parts]),
        flux_err=None if all(without) else np.concatenate(errors),
        band=_stack([p.band for p in parts]),
        zero_point=zero_points.pop()
        if same
        else np.concatenate([np.broadcast_to(p.zero_point, len(p.time)) for p in parts]),
        survey=parts[0].survey,
        metadata=metadata,
        notes=list(dict.fromkeys(note for part in parts for note in part.notes)),
    )


def _stack(columns: Sequence[Any]) -> Any:
    if all(isinstance(column, pd.Categorical) for column in columns):
        return union_categoricals([c.remove_unused_categories() for c in columns])
    arrays = [np.asarray(column) for column in columns]
    if len({array.dtype.kind for array in arrays}) > 1:
        arrays = [array.astype(object) for array in arrays]
    return np.concatenate(arrays)


def mjd_of(table: Table, name: str, rows: Rows) -> np.ndarray:
    """Return times as MJD, whatever their name says: "jd", "BTJD", "HJD-2450000", dates."""
    values = table[name]
    if values.dtype.kind == "M":
        utc = values.dt.tz_convert(None) if getattr(values.dt, "tz", None) else values
        return pd.DatetimeIndex(utc).to_julian_date().to_numpy() - _MJD_OF_JD
    if values.dtype.kind not in "fiub":
        text = values.dropna().astype(str).str.strip()
        if len(text) and text.str.match(r"\d{4}-\d\d-\d\d").all():
            dates = pd.to_datetime(values, format="ISO8601", utc=True)
            return mjd_of({name: dates}, name, rows)
    time = numbers(table, name)
    offset = offset_in_name(name)
    if offset is None:
        offset = {"bkjd": 2_454_833.0, "btjd": 2_457_000.0}.get(plain(name), 0.0)
    finite = np.isfinite(time)
    known = time if finite.all() else time[finite]
    first, last = (known.min(), known.max()) if len(known) else (0.0, 0.0)
    if not offset and first < _MJD_OF_JD < last:
        row = int(np.argmax(time > _MJD_OF_JD if time[0] < _MJD_OF_JD else time < _MJD_OF_JD))
        raise LightCurveError(
            f"column {name!r} holds Julian dates and others: {time[0]:.10g} in row 1 and "
            f"{time[row]:.10g} in row {row + 1} of the table; make them of one kind"
        )
    if offset or last > _MJD_OF_JD:
        if values.dtype == np.float32 and not offset:
            raise LightCurveError(
                f"column {name!r} holds Julian dates in single precision, which are rounded to a "
                "quarter of a day: read them as float64"
            )
        rows.notes.append(f"{name} was converted to MJD")
        return time + offset - _MJD_OF_JD
    return time


def _ids(frame: pd.DataFrame, names: Names, object_id: str, *, guessed: bool) -> Any:
    if names.object_id is None:
        return constant(object_id, len(frame))
    ids = frame[names.object_id]
    found = exact_ids(ids, names.object_id)
    if guessed and len(ids) > 1 and plain(names.object_id) == "id" and ids.is_unique:
        raise LightCurveError(
            f"each row has an {names.object_id} of its own, which seems to number the "
            "observations: pass object_id= the column that names the objects "
            f"(object_id={names.object_id!r} if it is this one), or remove it"
        )
    return found
