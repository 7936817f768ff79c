"""Features of the period of an object, and of its folded light curve."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sklc.light_curves import LightCurves
from sklc.light_curves.periods import Period, PeriodSearch, deviations_of, search_all

__all__ = ["PERIOD_NAMES", "period_features"]

_HARMONICS = (2, 3, 4)
_LEAST_PROBABILITY = 1e-300
_PHASES = np.arange(128) / 128
#: Names of the columns of `period_features`.
PERIOD_NAMES = (
    "period_log_days",
    "period_log_cycles",
    "period_power",
    "period_first_harmonic_power",
    "period_log_false_alarm",
    "period_n_harmonics",
    "period_amplitude",
    "period_rise_fraction",
    "period_faint_fraction",
    "period_folded_scatter",
    *(f"period_amplitude_ratio_{k}" for k in _HARMONICS),
    *(f"period_phase_{k}_{part}" for k in _HARMONICS for part in ("cos", "sin")),
)


def period_features(curves: LightCurves, n_jobs: int | None = None) -> NDArray[np.float64]:
    """Return the features of the periods, (n_objects, len(PERIOD_NAMES)); NaN without a period."""
    deviations, time = deviations_of(curves), np.asarray(curves.time, dtype=np.float64)
    values = np.full((len(curves), len(PERIOD_NAMES)), np.nan)
    periods = search_all(time, deviations, PeriodSearch(), n_jobs=n_jobs)
    for number, (period, start, stop) in enumerate(
        zip(periods, curves.offsets[:-1].tolist(), curves.offsets[1:].tolist(), strict=True)
    ):
        if period is not None:
            own = slice(start, stop)
            values[number] = _features(period, time[own], deviations.deviation[own])
    return values


def _features(period: Period, time: NDArray, deviation: NDArray) -> list[float]:
    coefficients = np.zeros(max(_HARMONICS), dtype=complex)
    n_harmonics = len(period.coefficients)
    coefficients[: min(n_harmonics, len(coefficients))] = period.coefficients[: len(coefficients)]
    size = np.abs(coefficients)
    first = max(float(size[0]), 1e-3 * float(size.max()), 1e-12)
    model = period.model(_PHASES)
    faintest = float(_PHASES[np.argmax(model)])
    middle = (model.max() + model.min()) / 2
    # Observations that follow each other in phase differ little where the period is right.
    folded = deviation[np.argsort(period.phase(time), kind="stable")]
    variance = max(float(np.var(folded)), 1e-12)
    all_sizes = np.abs(period.coefficients) ** 2
    relative = [
        coefficients[k - 1] / first * (np.conj(coefficients[0]) / first) ** k for k in _HARMONICS
    ]
    directions = [z / abs(z) if abs(z) > 1e-9 else 0j for z in relative]
    return [
        -float(np.log10(period.frequency)),
        float(np.log10((time[-1] - time[0]) * period.frequency)),
        period.power,
        period.power * float(all_sizes[0] / max(all_sizes.sum(), 1e-24)),
        float(np.log10(max(period.false_alarm_probability, _LEAST_PROBABILITY))),
        float(n_harmonics),
        period.amplitude,
        1 - faintest,
        float(np.mean(model > middle)),
        float(np.mean(np.diff(folded, append=folded[:1]) ** 2) / (2 * variance)),
        *(float(size[k - 1] / first) for k in _HARMONICS),
        *(float(part) for z in directions for part in (z.real, z.imag)),
    ]
