"""Periods of many light curves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd

from sklc.light_curves import LightCurves, as_light_curves
from sklc.light_curves.periods.deviations import MagnitudeDeviations
from sklc.light_curves.periods.search import Period, PeriodSearch
from sklc.light_curves.store import Store
from sklc.utils.transformers import effective_n_jobs

__all__ = ["deviations_of", "find_periods", "search_all"]


def find_periods(
    curves: Any,
    *,
    min_period: float = 0.05,
    max_period: float | None = None,
    n_harmonics: int = 6,
    n_jobs: int | None = None,
) -> pd.DataFrame:
    """Find the periods of light curves, and how significant they are.

    Magnitudes relative to the mean in each band are searched together, whatever the bands: a
    periodogram [1]_ over all frequencies names candidates, and Fourier series, shared by the bands,
    of one to `n_harmonics` harmonics are fitted to these and to their multiples [2]_ [3]_. A period
    is preferred to its half or third only where further harmonics explain the light curve
    significantly better. An eclipsing binary therefore has its orbital period where its two
    eclipses differ, and half of it where they look the same.

    Parameters
    ----------
    curves : light curves of n_objects
        In any form that `sklc.as_light_curves` takes.
    min_period : float, default=0.05
        The shortest period, in days. The time that a search takes is inversely proportional to it:
        some milliseconds for 200 observations over seven years.
    max_period : float or None, default=None
        The longest period, in days. None is the time span of each object, which limits it in any
        case.
    n_harmonics : int, default=6
        Most harmonics of the Fourier series, from 1 to 12. An object has at most a quarter as many
        as observations.
    n_jobs : int or None, default=None
        Number of threads: None means 1, -1 means all cores.

    Returns
    -------
    pandas.DataFrame
        One row per object, indexed by their ids, with the columns ``period`` in days; ``power``,
        the share of the variance that the Fourier series explains, from 0 to 1;
        ``false_alarm_probability``, that noise alone has such a power at any period;
        ``amplitude``, peak to peak, in magnitudes; ``epoch``, a time at which the series is
        brightest; ``n_harmonics``. An object with fewer than eight observations, no time span or
        one above a thousand years, or of constant brightness has NaN, and 0 harmonics.

    Raises
    ------
    ValueError
        If a parameter is out of its range.
    LightCurveError
        If `curves` cannot be used as light curves.

    Notes
    -----
    The false-alarm probability assumes noise without memory. Long-term variability that is not
    periodic, such as that of quasars, has significant "periods" that are long. Observations of
    every night cannot always tell a period from its daily aliases.

    References
    ----------
    .. [1] Lomb 1976, Ap&SS 39, 447; Scargle 1982, ApJ 263, 835.
    .. [2] Schwarzenberg-Czerny 1996, ApJ 460, L107.
    .. [3] VanderPlas & Ivezić 2015, ApJ 812, 18.

    Examples
    --------
    >>> import numpy as np
    >>> from sklc import LightCurves
    >>> from sklc.features import find_periods
    >>> time = 59000 + np.sort(np.random.default_rng(0).uniform(0, 1000, 150))
    >>> flux = 1000 * (1 + 0.3 * np.sin(2 * np.pi * time / 0.57))
    >>> curves = LightCurves.from_arrays([time], [flux], [np.full(150, 20.0)], [["ztfr"] * 150])
    >>> table = find_periods(curves)
    >>> table["period"].round(4).tolist(), table["power"].round(2).tolist()
    ([0.57], [1.0])
    """
    search = PeriodSearch(min_period, max_period, n_harmonics)
    found = as_light_curves(curves)
    time = np.asarray(found.time, dtype=np.float64)
    periods = search_all(time, deviations_of(found), search, n_jobs=n_jobs)
    return pd.DataFrame(
        {
            "period": _column(periods, lambda p: 1 / p.frequency),
            "power": _column(periods, lambda p: p.power),
            "false_alarm_probability": _column(periods, lambda p: p.false_alarm_probability),
            "amplitude": _column(periods, lambda p: p.amplitude),
            "epoch": _column(periods, lambda p: p.epoch),
            "n_harmonics": np.array(
                [0 if p is None else len(p.coefficients) for p in periods], int
            ),
        },
        index=pd.Index(found.ids, name=found.metadata.index.name),
    )


def _column(periods: Sequence[Period | None], value: Callable[[Period], float]) -> np.ndarray:
    return np.array([np.nan if p is None else value(p) for p in periods], dtype=np.float64)


def deviations_of(curves: LightCurves | Store) -> MagnitudeDeviations:
    """Return the deviations of all observations, in the order of ``curves.time``."""
    flux, flux_err = (np.asarray(x, dtype=np.float64) for x in (curves.flux, curves.flux_err))
    wavelengths = np.array([band.wavelength for band in curves.passbands], dtype=np.float64)
    unknown = np.nan_to_num(flux_err, nan=0.0)
    return MagnitudeDeviations(flux, unknown, curves.band, wavelengths, curves.offsets)


def search_all(
    time: np.ndarray,
    deviations: MagnitudeDeviations,
    search: PeriodSearch,
    periods: np.ndarray | None = None,
    n_jobs: int | None = None,
) -> list[Period | None]:
    """Return the period of each object, or the Fourier series of those whose `periods` are given.

    Parameters
    ----------
    time : ndarray of shape (n_observations,), float64
        Times in days, ascending within an object.
    deviations : MagnitudeDeviations
        Magnitudes of the same observations.
    search : PeriodSearch
        How periods are found.
    periods : ndarray of shape (n_objects,), optional
        Periods in days, where they are known.
    n_jobs : int or None
        Number of threads.

    Returns
    -------
    list of Period or None
    """
    columns, offsets = (deviations.deviation, deviations.error, deviations.band), deviations.offsets

    def find(number: int) -> Period | None:
        own = slice(offsets[number], offsets[number + 1])
        series = time[own], *(column[own] for column in columns)
        return search.find(*series) if periods is None else search.at(periods[number], *series)

    with ThreadPoolExecutor(effective_n_jobs(n_jobs)) as pool:
        return list(pool.map(find, range(len(offsets) - 1)))
