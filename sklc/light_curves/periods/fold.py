"""Light curves folded with their periods: the order and the phases of their observations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sklc.light_curves.periods.deviations import MagnitudeDeviations
from sklc.light_curves.periods.search import PeriodSearch
from sklc.light_curves.periods.table import search_all
from sklc.utils.offsets import per_observation

__all__ = ["Fold"]


@dataclass(frozen=True, eq=False)
class Fold:
    """Observations of many objects in the order of their phases.

    Phase 0 is where the Fourier series of the light curve is brightest. An object without a period
    stays in the order of time, and everything is 0.

    Parameters
    ----------
    order : ndarray of int, shape (n_observations,)
        Row of each observation before the fold: objects stay where they are.
    phase : ndarray of shape (n_observations,)
        Phase of each observation, from 0 to below 1, in the order before the fold.
    gap : ndarray of shape (n_observations,)
        Phase since the observation before it in the order of phases, across phase 0 for the first;
        in the order before the fold.
    log_period : ndarray of shape (n_objects,)
        Decimal logarithm of the period in days.
    power : ndarray of shape (n_objects,)
        Share of the variance that the Fourier series explains.

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.light_curves.periods import Fold, MagnitudeDeviations, PeriodSearch
    >>> time = np.sort(np.random.default_rng(0).uniform(0, 100, 60))
    >>> flux, offsets = 10 + np.cos(2 * np.pi * time / 2.5), np.array([0, 60])
    >>> band = np.zeros(60, dtype=int)
    >>> x = MagnitudeDeviations(flux, np.full(60, 0.1), band, np.array([0.6]), offsets)
    >>> fold = Fold.of(time, x, PeriodSearch())
    >>> (10**fold.log_period).round(2)
    array([2.5])
    >>> bool((np.diff(fold.phase[fold.order]) >= 0).all())
    True
    """

    order: np.ndarray
    phase: np.ndarray
    gap: np.ndarray
    log_period: np.ndarray
    power: np.ndarray

    @classmethod
    def of(
        cls,
        time: np.ndarray,
        deviations: MagnitudeDeviations,
        search: PeriodSearch,
        periods: np.ndarray | None = None,
    ) -> Fold:
        """Fold light curves with the periods given, or else with those that are found.

        Parameters
        ----------
        time : ndarray of shape (n_observations,)
            Times in days, ascending within an object.
        deviations : MagnitudeDeviations
            Magnitudes of the same observations.
        search : PeriodSearch
            How periods are found, and the number of harmonics.
        periods : ndarray of shape (n_objects,), optional
            Periods in days.

        Returns
        -------
        Fold
        """
        offsets = deviations.offsets
        n_objects = len(offsets) - 1
        phase, folded = np.zeros(len(time)), np.zeros(n_objects, dtype=bool)
        log_period, power = np.zeros(n_objects), np.zeros(n_objects)
        for number, found in enumerate(search_all(time, deviations, search, periods)):
            if found is not None:
                folded[number], own = True, slice(offsets[number], offsets[number + 1])
                phase[own] = found.phase(time[own])
                log_period[number], power[number] = -np.log10(found.frequency), found.power
        objects = per_observation(np.arange(n_objects), offsets)
        order = np.lexsort((phase, objects))
        ordered = phase[order]
        gap = np.diff(ordered, prepend=0.0)
        first, last = offsets[:-1], offsets[1:] - 1
        gap[first] = np.where(folded, ordered[first] - ordered[last] + 1.0, 0.0)
        back = np.empty(len(time))
        back[order] = gap
        return cls(order, phase, back, log_period, power)
