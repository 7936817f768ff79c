"""Surveys that are drawn at random: any passbands, cadence and depth."""

from __future__ import annotations

import numpy as np

from sklc.errors import SimulationError
from sklc.passbands import Passband
from sklc.simulate.settings import is_integer
from sklc.simulate.surveys.conditions import YEAR, season_phase, sky, weather
from sklc.simulate.surveys.curves import Curve
from sklc.simulate.surveys.survey import Survey
from sklc.simulate.surveys.total_flux import TotalFlux
from sklc.simulate.surveys.visits import Visits

__all__ = ["draw_survey"]

_FIRST = 59000  # MJD of the first night
# Shares of the background in the noise at the 5-sigma depth, for deep and for shallow surveys.
_GAMMA = (0.03, 0.0399)


def draw_survey(
    random_state: int,
    *,
    wavelengths: tuple[float, float] = (0.2, 2.0),
    n_positions: int = 25,
) -> Survey:
    """Draw a survey at random, so that a survey nobody has seen is one more draw.

    One to seven passbands with trapezoidal transmission between ultraviolet and near infrared, 8 to
    60 % wide; 1 to 10 years with seasons of 150 to 330 days (or none, as from space); nights at
    random or in a regular rhythm of 0.5 to 30 days, with bands that take turns or share a night;
    depths between 17 and 25 mag with moon, weather and differences between bands. Stars in total
    flux saturate 4.5 to 8.5 mag above the median depth; half of the surveys state wrong errors, and
    two thirds publish detections alone.

    Parameters
    ----------
    random_state : int
        The seed, which also names the survey: ``random-17``.
    wavelengths : (float, float), default=(0.2, 2.0)
        The range of the centres of passbands in micrometre.
    n_positions : int, default=25
        The number of positions on the sky.

    Returns
    -------
    Survey

    Raises
    ------
    SimulationError
        If the seed is no integer of at least 0, or the range is not one of wavelengths.

    Examples
    --------
    >>> from sklc.simulate import draw_survey
    >>> survey = draw_survey(17)
    >>> survey.name, survey.visits.n_positions
    ('random-17', 25)
    >>> draw_survey(17, wavelengths=(0.3, 0.6)).passbands[-1].wavelength < 0.65
    True
    """
    if not is_integer(random_state, least=0):
        raise SimulationError(f"random_state={random_state!r} is not an integer of at least 0.")
    low, high = wavelengths
    if not 0.1 <= low < high <= 2.5:
        raise SimulationError(
            f"wavelengths={wavelengths!r} is not a range of wavelengths in micrometre between 0.1 "
            "and 2.5, such as (0.2, 2.0)."
        )
    rng = np.random.default_rng([5306, random_state])
    name = f"random-{random_state}"
    passbands, curves = _passbands(rng, name, low, high)
    visits = _visits(rng, len(passbands), n_positions)
    return Survey(
        name,
        name,
        passbands,
        visits,
        systematic=float(rng.choice([0.003, 0.005, 0.01, 0.02])),
        curves=curves,
        total_flux=_total_flux(random_state, visits),
    )


def _passbands(
    rng: np.random.Generator, name: str, low: float, high: float
) -> tuple[tuple[Passband, ...], dict[Passband, Curve]]:
    """Return passbands from blue to red, and their transmission curves."""
    blue = rng.choice([low, 0.33, 0.38, 0.42], p=[0.2, 0.25, 0.3, 0.25])
    red = rng.choice([0.6, 0.8, 1.0, high], p=[0.2, 0.35, 0.35, 0.1])
    n = int(rng.choice([1, 2, 3, 4, 5, 6, 7], p=[0.07, 0.25, 0.2, 0.18, 0.15, 0.1, 0.05]))
    # optical bands are common even where a survey reaches further
    centre = np.sort(rng.uniform(max(blue, low), min(red, high), n))
    width = rng.uniform(0.08, 0.4, n) if rng.random() < 0.75 else rng.uniform(0.3, 0.6, n)
    curves = {}
    for number, (middle, relative) in enumerate(zip(centre, width, strict=True)):
        half = 5e3 * middle * relative  # half of the full width, in Angstrom
        edge = half * rng.uniform(0.05, 0.5)
        corners = 1e4 * middle + np.array([-half, -half + edge, half - edge, half])
        wave = np.unique(np.concatenate([corners, np.linspace(corners[0], corners[-1], 30)]))
        slope = 1 + rng.uniform(-0.4, 0.4) * (wave - 1e4 * middle) / half
        transmission = np.interp(wave, corners, [0.0, 1.0, 1.0, 0.0]) * slope
        mean = np.trapezoid(wave * transmission, wave) / np.trapezoid(transmission, wave)
        band = Passband(f"{name}_{number}", survey=name, wavelength=round(mean / 1e4, 5))
        curves[band] = (wave, transmission)
    return tuple(sorted(curves, key=lambda band: band.wavelength)), curves


def _total_flux(random_state: int, visits: Visits) -> TotalFlux:
    """Return how stars are measured."""
    # numbers of their own, so that all else stays as it was drawn before these were added
    rng = np.random.default_rng([5320, random_state])
    middle = float(np.median(visits.depth())) if len(visits.time) else 20.0
    honest = rng.random() < 0.5
    return TotalFlux(
        saturation=middle - float(rng.uniform(4.5, 8.5)),
        least_snr=[None, 3.0, 5.0][rng.integers(3)],
        error_scale=1.0 if honest else float(rng.uniform(0.7, 1.4)),
        error_floor=0.0 if honest else float(rng.uniform(0.0, 0.03)),
        spoilt=float(rng.choice([0.0, 0.002, 0.006])),
    )


def _visits(rng: np.random.Generator, n_bands: int, n: int) -> Visits:
    """Return visits to positions that have one rhythm, and seasons and weather of their own."""
    n_days = int(rng.choice([1, 1, 2, 3, 4, 6, 10]) * YEAR)
    season = rng.choice([150.0, 180.0, 210.0, 240.0, 270.0, 330.0, 366.0])
    ra, dec = sky(rng, n, -60.0, 70.0)
    # The density of nights: at most some 250 observations a year keep the size bounded.
    gaps = [0.5, 1, 2, 3, 4, 5, 7, 10, 15, 30]
    gap = float(rng.choice(gaps, p=[0.03, 0.12, 0.2, 0.2, 0.12, 0.12, 0.09, 0.06, 0.04, 0.02]))
    regular = rng.random() < 0.4
    clear = weather(rng, n_days + 1, rng.uniform(0.6, 0.98))
    position, night = [], []
    for k in range(n):
        count = int(n_days / gap * 1.3) + 2
        steps = np.full(count, gap) + rng.normal(0, 0.1 * gap, count) if regular else (
            rng.exponential(gap, count)
        )  # fmt: skip
        days = rng.uniform(0, gap) + np.cumsum(np.maximum(steps, 0.02))
        days = days[days < n_days]
        days = days[clear[days.astype(int)]]
        days = days[season_phase(ra[k : k + 1], _FIRST + days)[0] < season / 2]
        position.append(np.full(len(days), k))
        night.append(days)
    where, when = np.concatenate(position), np.concatenate(night)
    share = rng.uniform(0.3, 1.0, n_bands)
    if rng.random() < 0.35 and n_bands > 1:  # one band per visit, in turn
        seen = rng.choice(n_bands, len(when), p=share / share.sum())[:, None] == np.arange(n_bands)
    else:
        seen = rng.random((len(when), n_bands)) < share
    row, band = np.nonzero(seen)
    time = _FIRST + when[row] + 0.01 * band
    middle = rng.normal(20.5, 1.4) + rng.normal(0.0, 0.5, n_bands)
    spread = rng.uniform(0.1, 0.6)
    depth = np.clip(middle, 17.0, 25.0)[band] + rng.normal(0.0, spread, len(band))
    depth -= 0.5 * spread * np.abs(rng.normal(size=len(when)))[row]
    order = np.lexsort((time, where[row]))
    offsets = np.searchsorted(where[row][order], np.arange(n + 1))
    return Visits.from_depths(
        time[order], band[order], depth[order], offsets,
        gamma=float(rng.uniform(*_GAMMA)), ra=ra, dec=dec,
    )  # fmt: skip
