"""Periods of variable stars: a multi-band periodogram, and Fourier series with its harmonics."""

from sklc.light_curves.periods.deviations import MagnitudeDeviations
from sklc.light_curves.periods.fold import Fold
from sklc.light_curves.periods.search import FEWEST_OBSERVATIONS, Period, PeriodSearch
from sklc.light_curves.periods.table import deviations_of, find_periods, search_all

__all__ = [
    "FEWEST_OBSERVATIONS",
    "Fold",
    "MagnitudeDeviations",
    "Period",
    "PeriodSearch",
    "deviations_of",
    "find_periods",
    "search_all",
]
