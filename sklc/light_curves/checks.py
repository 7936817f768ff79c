"""The checks that light curves must pass, and the messages where they fail."""

from __future__ import annotations

import inspect
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from sklc.errors import LightCurveError, LightCurveWarning
from sklc.light_curves.options import ReadOptions
from sklc.light_curves.store import OBSERVATIONS, Store, blocks, describe
from sklc.utils.offsets import object_of, per_observation, row_index

_FIRST_JULIAN_DATE = 2_400_000.0  # in 1858; as MJD it would be the year 8429
_LONGEST_SPAN = 36_525.0  # days, a century: longer than any survey
_MACHINERY = ("sklc", "sklearn", "joblib")
_HASH = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio: spreads consecutive numbers


def warn(message: str | LightCurveWarning) -> None:
    """Warn with a LightCurveWarning that points at the caller outside the machinery."""
    frame, level = inspect.currentframe(), 1
    while frame is not None and frame.f_globals.get("__name__", "").split(".")[0] in _MACHINERY:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, LightCurveWarning, stacklevel=level)


def check_same_length(**columns: Any) -> None:
    """Raise LightCurveError unless all columns that are not None have one length."""
    lengths = {name: len(column) for name, column in columns.items() if column is not None}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{name} {n}" for name, n in lengths.items())
        raise LightCurveError(
            f"arrays of different lengths: {listed}; each needs one value per row"
        )


def clean(store: Store, without_errors: np.ndarray, options: ReadOptions) -> Store:
    """Return valid observations, sorted by time within each object.

    Parameters
    ----------
    store : Store
        Observations grouped by object, before they are checked.
    without_errors : ndarray of bool, shape (n_objects,)
        The objects for which the source gives no errors, so that theirs are NaN.
    options : ReadOptions
        The policies for invalid and for repeated observations.

    Raises
    ------
    LightCurveError
        If there are such observations and their policy is "raise".

    Warns
    -----
    LightCurveWarning
        If observations were dropped, or if units look wrong.
    """
    sound, ascending = _scan(store, without_errors)
    if not sound:
        store = _apply_invalid(store, without_errors, options.invalid)
    tied = np.zeros(0, dtype=np.int64)
    if not sound or not ascending:
        store, tied = _sort(store, _not_ascending(store))
    if len(tied) and options.duplicates != "keep":
        store = _apply_duplicates(store, tied, options.duplicates)
    warn_times(store)
    return store


def _scan(obs: Store, without_errors: np.ndarray) -> tuple[bool, bool]:
    """Return whether all values are valid, and whether times ascend, from one pass over the data.

    Only minima, maxima and counts are used: True is certain, and False calls for a closer look.
    """
    with_errors = not without_errors.any()
    sound = with_errors or bool(without_errors.all())  # where it is mixed, look again
    n_after = 0
    with np.errstate(invalid="ignore"):
        for rows in blocks(len(obs.time)):
            sound = sound and _looks_valid(obs, rows, with_errors)
            time = obs.time[max(rows.start - 1, 0) : rows.stop]
            n_after += int(np.count_nonzero(time[1:] > time[:-1]))
        starts = obs.offsets[:-1][np.diff(obs.offsets) > 0]
        n_after -= int(np.count_nonzero(obs.time[starts[1:]] > obs.time[starts[1:] - 1]))
    ascending = n_after == len(obs.time) - len(starts)
    times = obs.time
    if ascending:  # then all are finite if those at the ends are
        times = times[np.append(starts, np.append(starts, len(times))[1:] - 1)]
    return bool(sound and np.isfinite(times).all()), ascending


def _looks_valid(obs: Store, rows: slice, with_errors: bool) -> bool:
    """Whether flux, flux_err and band look valid; minima and maxima propagate NaN."""
    flux = obs.flux[rows]
    valid = flux.min() > -np.inf and flux.max() < np.inf and obs.band[rows].min() >= 0
    if with_errors:
        flux_err = obs.flux_err[rows]
        valid = valid and flux_err.min() > 0 and flux_err.max() < np.inf
    return bool(valid)


def _problems(obs: Store, without_errors: np.ndarray) -> dict[str, np.ndarray]:
    """Return a mask of bad observations for each kind of problem that occurs."""
    finite = np.isfinite(obs.flux_err)
    problems = {
        "time is NaN or infinite": ~np.isfinite(obs.time),
        "flux is NaN or infinite": ~np.isfinite(obs.flux),
        "band is missing": obs.band < 0,
        "flux_err is NaN or infinite": ~finite & per_observation(~without_errors, obs.offsets),
        "flux_err is not positive": finite & (obs.flux_err <= 0),
    }
    return {what: mask for what, mask in problems.items() if mask.any()}


def _apply_invalid(obs: Store, without_errors: np.ndarray, invalid: str) -> Store:
    problems = _problems(obs, without_errors)
    if not problems:
        return obs
    bad = np.logical_or.reduce(list(problems.values()))
    rows = np.flatnonzero(bad)
    owners = object_of(obs.offsets, rows)
    n_objects = len(np.unique(owners))
    counts = "; ".join(f"{what}: {int(mask.sum())}" for what, mask in problems.items())
    if invalid == "raise":
        row, owner = rows[0], owners[0]
        what = next(what for what, mask in problems.items() if mask[row])
        raise LightCurveError(
            f"{describe(obs.ids, owner)}: {what} in its observation "
            f"{row - obs.offsets[owner]}. {len(rows)} of {len(bad)} observations, of {n_objects} "
            f"object(s), cannot be used ({counts}). Correct them, or drop them with "
            'LightCurves.from_frame(..., invalid="drop") or another constructor of LightCurves'
        )
    kept = obs.keep(~bad)
    emptied = int(np.sum((np.diff(kept.offsets) == 0) & (np.diff(obs.offsets) > 0)))
    message = f"dropped {len(rows)} of {len(bad)} observations, of {n_objects} object(s) ({counts})"
    if emptied:
        message += f"; {emptied} object(s) are left without observations"
    warn(message)
    return kept


def _not_ascending(obs: Store) -> np.ndarray:
    """Return the rows that do not come after their predecessor in the same object."""
    rows = np.flatnonzero(obs.time[1:] <= obs.time[:-1]) + 1
    if not len(rows):
        return rows
    first = np.zeros(len(obs.time) + 1, dtype=bool)
    first[obs.offsets] = True
    return rows[~first[rows]]


def _sort(obs: Store, rows: np.ndarray) -> tuple[Store, np.ndarray]:
    """Sort by time, stably, the objects that are not sorted; return also the rows tied in time."""
    backwards = rows[obs.time[rows] < obs.time[rows - 1]]
    if not len(backwards):
        return obs, rows
    objects = np.unique(object_of(obs.offsets, backwards))
    where = row_index(obs.offsets[objects], obs.offsets[objects + 1])
    owner = np.repeat(objects, np.diff(obs.offsets)[objects])
    order = np.arange(len(obs.time))
    order[where] = where[np.lexsort((obs.time[where], owner))]
    obs = replace(obs, **{name: getattr(obs, name)[order] for name in OBSERVATIONS})
    return obs, _not_ascending(obs)


def _apply_duplicates(obs: Store, tied: np.ndarray, duplicates: str) -> Store:
    """Find duplicates among the observations tied in time, and raise or keep the first of each."""
    repeated = _repeated(obs, tied)
    if not len(repeated):
        return obs
    owners = object_of(obs.offsets, repeated)
    n_objects = len(np.unique(owners))
    if duplicates == "raise":
        row, owner = repeated[0], owners[0]
        raise LightCurveError(
            f"{describe(obs.ids, owner)}: an observation at time "
            f"{obs.time[row]} occurs twice, with the same band, flux and flux_err. "
            f"{len(repeated)} repeated observations of {n_objects} object(s) in all. Pass "
            'duplicates="drop" to keep the first of each, or duplicates="keep" to keep all'
        )
    warn(f"dropped {len(repeated)} repeated observations of {n_objects} object(s)")
    keep = np.ones(len(obs.time), dtype=bool)
    keep[repeated] = False
    return obs.keep(keep)


def _repeated(obs: Store, tied: np.ndarray) -> np.ndarray:
    """Return the rows that repeat an earlier one, among those tied in time with a predecessor."""
    in_run = np.zeros(len(obs.time), dtype=bool)
    in_run[tied] = in_run[tied - 1] = True
    rows = np.flatnonzero(in_run)
    starts_run = np.ones(len(rows), dtype=bool)
    starts_run[np.searchsorted(rows, tied)] = False
    run = np.cumsum(starts_run)
    # few rows share run and flux with another: a hash of both leaves only those to be compared
    flux = (obs.flux[rows] + 0.0).astype(np.float64).view(np.uint64)  # -0.0 becomes 0.0
    alike = pd.Series(flux ^ (run.astype(np.uint64) * _HASH)).duplicated(keep=False).to_numpy()
    rows, run = rows[alike], run[alike]
    columns = {"run": run, "band": obs.band[rows], "flux": obs.flux[rows]}
    columns["flux_err"] = obs.flux_err[rows]  # NaN, not known, equals NaN
    return rows[pd.DataFrame(columns).duplicated().to_numpy()]


def warn_unread(missing: list[str], columns: list[str]) -> None:
    """Warn if there is no band or error column, but there are columns that were not read."""
    if not missing or not columns:
        return
    meaning = {"band": "all in one unnamed passband", "flux_err": "with unknown errors"}
    warn(
        f"the observations have no column for {' and '.join(missing)} and were read "
        f"{', '.join(meaning[name] for name in missing)}; the columns {columns} were not read. If "
        f"one of them is meant, rename it to {' or '.join(missing)}"
    )


def warn_times(obs: Store) -> None:
    """Warn if times look like Julian dates or seconds; expects sorted observations."""
    full = np.flatnonzero(np.diff(obs.offsets))
    if not len(full):
        return
    first, last = obs.time[obs.offsets[full]], obs.time[obs.offsets[full + 1] - 1]
    with np.errstate(over="ignore"):
        span = last - first
    long = np.flatnonzero(span > _LONGEST_SPAN)
    if len(long):
        k = full[long[0]]
        warn(
            f"{describe(obs.ids, k)} spans {span[long[0]]:.9g} "
            f"days ({len(long)} object(s) span more than a century): are the times in seconds? "
            "Divide by 86400"
        )
        return  # seconds are large too
    late = np.flatnonzero(last > _FIRST_JULIAN_DATE)
    if len(late):
        k = full[late[0]]
        warn(
            f"times look like Julian dates: {describe(obs.ids, k)} ends at "
            f"{last[late[0]]} ({len(late)} object(s) in all). Only time differences and nights "
            "use them; subtract 2400000.5 for MJD"
        )
