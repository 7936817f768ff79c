"""Settings of a fold, and periods that light curves bring along for it."""

from __future__ import annotations

import numpy as np

from sklc.errors import LightCurveError
from sklc.light_curves.container import LightCurves
from sklc.light_curves.metadata import numeric_column
from sklc.light_curves.periods import PeriodSearch
from sklc.light_curves.store import Store, describe
from sklc.representation.settings import Settings
from sklc.utils.offsets import reduce_by_object
from sklc.utils.text import shown

__all__ = ["check_fold", "check_periods", "given_periods"]


def check_fold(settings: Settings, fold_channels: list[str]) -> None:
    """Refuse settings of a fold that are wrong, or that have no effect without one."""
    fold, column = settings.fold, settings.period_column
    if fold not in (None, "period"):
        raise ValueError(
            f"fold={shown(fold)} is not known: use 'period', or None for the order of time. The "
            "name of a metadata column with periods is given as period_column."
        )
    if fold is None and (fold_channels or column is not None):
        what = f"channels {fold_channels}" if fold_channels else f"period_column={shown(column)}"
        raise ValueError(f"The {what} are only for folded light curves: add fold='period'.")
    if not isinstance(column, str | None):
        raise ValueError(f"period_column={shown(column)} is not the name of a metadata column.")
    PeriodSearch(min_period=settings.min_period)


def given_periods(curves: LightCurves | Store, column: str) -> np.ndarray:
    """Periods in days of a metadata column."""
    periods = numeric_column(curves, column, np.float64, "representation")
    wrong = np.flatnonzero(~(periods > 0))
    if len(wrong):
        first = int(wrong[0])
        what = "is missing (NaN)" if np.isnan(periods[first]) else f"is {periods[first]:g} days"
        raise _bad_period(curves, column, first, len(wrong), what)
    return periods


def check_periods(curves: LightCurves | Store, column: str) -> None:
    """Refuse periods that are missing, or longer than the time span of their object."""
    periods = given_periods(curves, column)
    time = np.asarray(curves.time, dtype=np.float64)
    last, first = (
        reduce_by_object(ufunc, time, curves.offsets, empty=0.0)
        for ufunc in (np.maximum, np.minimum)
    )
    long = np.flatnonzero(periods > last - first)
    if len(long):
        k = int(long[0])
        what = (
            f"is {periods[k]:g} days, which is longer than its time span of "
            f"{last[k] - first[k]:g} days"
        )
        raise _bad_period(curves, column, k, len(long), what)


def _bad_period(
    curves: LightCurves | Store, column: str, first: int, n_wrong: int, what: str
) -> LightCurveError:
    return LightCurveError(
        f"The period of {describe(curves.ids, first)} in metadata column {column!r} {what} "
        f"({n_wrong} of {len(curves.ids)} objects). To fold a light curve, give a period in days "
        "above 0 and within its time span, or the one that is found: "
        f'curves.with_metadata(**{{{column!r}: find_periods(curves)["period"]}}), with '
        "from sklc.features import find_periods"
    )
