"""The checks that light curves must pass, and the messages where they fail."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from sklc.errors import LightCurveError
from sklc.light_curves.messages import warn
from sklc.light_curves.options import ReadOptions
from sklc.light_curves.placeholders import warn_placeholders
from sklc.light_curves.store import OBSERVATIONS, Store, blocks, describe
from sklc.light_curves.values import length_of
from sklc.utils.offsets import object_of, per_observation, row_index
from sklc.utils.text import listed

# Observations in one band that differ by no more than this are copies of one, which were rounded to
# different digits: times to 4 decimals (days), fluxes and errors relative to the larger one.
_SAME_TIME, _SAME_FLUX, _SAME_ERROR = 6e-5, 1e-3, 1e-2
_FIRST_JULIAN_DATE = 2_400_000.0  # in 1858; as MJD it would be the year 8429
_LAST_JULIAN_DATE = 2_500_000.0  # in 2132
_LONGEST_SPAN = 36_525.0  # days, a century: longer than any survey
_HASH = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio: spreads consecutive numbers


def check_same_length(**columns: Any) -> None:
    """Raise LightCurveError unless all columns that are not None have one length."""
    given = {name: column for name, column in columns.items() if column is not None}
    lengths = {name: length_of(column, name) for name, column in given.items()}
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
    sound, ascending, highest = _scan(store, without_errors)
    if not sound:
        store = _apply_invalid(store, without_errors, options.invalid)
        highest = {n: np.fmax.reduce(getattr(store, n), initial=-np.inf) for n in highest}
    tied = np.zeros(0, dtype=np.int64)
    if not sound or not ascending:
        store, tied = _sort(store, _not_ascending(store))
    if len(tied) and options.duplicates == "raise":
        _refuse_duplicates(store, _repeated(store, tied))
    if options.duplicates == "drop":
        store = _without_copies(store)
    warn_times(store)
    warn_placeholders(store, highest)
    return store


def _scan(obs: Store, without_errors: np.ndarray) -> tuple[bool, bool, dict[str, float]]:
    """Return whether all values are valid, whether times ascend, and the largest values.

    There is one pass over the data. Only minima, maxima and counts are used: True is certain, and
    False calls for a closer look.
    """
    with_errors = not without_errors.any()
    sound = with_errors or bool(without_errors.all())  # where it is mixed, look again
    n_after, highest = 0, {"flux": -np.inf, "flux_err": -np.inf}
    with np.errstate(invalid="ignore"):
        for rows in blocks(len(obs.time)):
            sound = sound and _looks_valid(obs, rows, with_errors, highest)
            time = obs.time[max(rows.start - 1, 0) : rows.stop]
            n_after += int(np.count_nonzero(time[1:] > time[:-1]))
        starts = obs.offsets[:-1][np.diff(obs.offsets) > 0]
        n_after -= int(np.count_nonzero(obs.time[starts[1:]] > obs.time[starts[1:] - 1]))
    ascending = n_after == len(obs.time) - len(starts)
    times = obs.time
    if ascending:  # then all are finite if those at the ends are
        times = times[np.append(starts, np.append(starts, len(times))[1:] - 1)]
    return bool(sound and np.isfinite(times).all()), ascending, highest


def _looks_valid(obs: Store, rows: slice, with_errors: bool, highest: dict[str, float]) -> bool:
    """Whether flux, flux_err and band look valid; minima and maxima propagate NaN.

    The largest values are entered in `highest`.
    """
    flux = obs.flux[rows]
    most = flux.max()
    highest["flux"] = max(highest["flux"], most)
    valid = flux.min() > -np.inf and most < np.inf and obs.band[rows].min() >= 0
    if with_errors:
        flux_err = obs.flux_err[rows]
        most = flux_err.max()
        highest["flux_err"] = max(highest["flux_err"], most)
        valid = valid and flux_err.min() > 0 and most < np.inf
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


def _refuse_duplicates(obs: Store, repeated: np.ndarray) -> None:
    """Raise if there are rows that repeat another exactly."""
    if not len(repeated):
        return
    owners = object_of(obs.offsets, repeated)
    row, owner = repeated[0], owners[0]
    raise LightCurveError(
        f"{describe(obs.ids, owner)}: an observation at time {obs.time[row]} occurs twice, with "
        f"the same band, flux and flux_err. {len(repeated)} repeated observations of "
        f'{len(np.unique(owners))} object(s) in all. Pass duplicates="drop" to keep the first of '
        'each, or duplicates="keep" to keep all'
    )


def _without_copies(obs: Store) -> Store:
    """Keep the first of the observations that are copies of each other, up to their rounding."""
    copies = _copies(obs)
    if not len(copies):
        return obs
    n_objects = len(np.unique(object_of(obs.offsets, copies)))
    warn(f"dropped {len(copies)} repeated observations of {n_objects} object(s)")
    keep = np.ones(len(obs.time), dtype=bool)
    keep[copies] = False
    return obs.keep(keep)


def _copies(obs: Store) -> np.ndarray:
    """Return the rows that equal an earlier one up to rounding; expects sorted observations."""
    run = np.ones(len(obs.time), dtype=bool)  # whether a new run of close times begins
    run[1:] = obs.time[1:] - obs.time[:-1] > _SAME_TIME
    run[obs.offsets[:-1][obs.lengths > 0]] = True
    alone = run & np.append(run[1:], True)
    rows = np.flatnonzero(~alone)
    if not len(rows):
        return rows
    columns = (obs.flux_err[rows], obs.flux[rows], obs.band[rows], np.cumsum(run)[rows])
    order = np.lexsort(columns)
    rows = rows[order]
    error, flux, band, runs = (column[order] for column in columns)
    same = (runs[1:] == runs[:-1]) & (band[1:] == band[:-1])
    same &= np.abs(np.diff(obs.time[rows])) <= _SAME_TIME
    same &= _close(flux, _SAME_FLUX)
    same &= _close(error, _SAME_ERROR) | (np.isnan(error[1:]) & np.isnan(error[:-1]))
    group = np.cumsum(np.append(True, ~same))
    first = pd.Series(rows).groupby(group).transform("min").to_numpy()
    return np.sort(rows[rows != first])


def _close(values: np.ndarray, tolerance: float) -> np.ndarray:
    """Whether neighbours differ by no more than a share of the larger one."""
    values = values.astype(np.float64)
    largest = np.maximum(np.abs(values[1:]), np.abs(values[:-1]))
    return np.abs(np.diff(values)) <= tolerance * largest


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


def warn_unread(missing: list[str], columns: list[str], where: str = "") -> None:
    """Warn if there is no band or error column, but there are columns that were not read.

    Parameters
    ----------
    missing : list of str
        Which of "band" and "flux_err" there are no columns for.
    columns : list of str
        The columns that were not read.
    where : str, default=""
        Which objects this is about, as " of the object at position 3"; by default all.
    """
    if not missing or not columns:
        return
    meaning = {"band": "all in one unnamed passband", "flux_err": "with unknown errors"}
    warn(
        f"the observations{where} have no column for {' and '.join(missing)} and were read "
        f"{', '.join(meaning[name] for name in missing)}; the columns {listed(columns)} were not "
        f"read. If one of them is meant, rename it to {' or '.join(missing)}"
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
    mixed = long[
        (last[long] > _FIRST_JULIAN_DATE)
        & (last[long] < _LAST_JULIAN_DATE)
        & (first[long] < _LAST_JULIAN_DATE - _FIRST_JULIAN_DATE)
    ]
    if len(mixed):
        k = full[mixed[0]]
        warn(
            f"{describe(obs.ids, k)} has times of two kinds, MJD such as {first[mixed[0]]} and "
            f"Julian dates such as {last[mixed[0]]} ({len(mixed)} object(s) in all): subtract "
            "2400000.5 from the Julian dates"
        )
        return
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
        some = "" if len(late) == len(full) else f", the other {len(full) - len(late)} are not"
        warn(
            f"times look like Julian dates: {describe(obs.ids, k)} ends at "
            f"{last[late[0]]} ({len(late)} object(s) in all{some}). Only time differences and "
            "nights use them; subtract 2400000.5 for MJD"
        )
