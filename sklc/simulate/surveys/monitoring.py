"""Cadences, depths and passbands of the surveys that monitor stars.

The numbers of observations, gaps, seasons and errors are those that the surveys publish. Passbands
are drawn as trapezoids between the wavelengths at which the transmission rises and falls.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sklc.simulate.surveys.conditions import midnight, moonlight, season_phase, sky, weather
from sklc.simulate.surveys.curves import Curve
from sklc.simulate.surveys.visits import Visits

__all__ = [
    "asas",
    "asassn",
    "atlas",
    "crts",
    "curves",
    "gaia",
    "hipparcos",
    "kepler",
    "ogle",
    "tess",
]

# East longitudes of the telescopes in degrees.
SIDING_SPRING, CAMPANAS, HALEAKALA = 149.07, -70.70, -156.26
_MINUTE = 1 / 1440

# Wavelengths in Angstrom at which the transmission begins, is full, begins to fall and ends; after
# the curves of the SVO filter profile service. CRTS observes without a filter.
_TRAPEZOIDS = {
    "crtsV": (3900.0, 5200.0, 6900.0, 9200.0),
    "asasV": (4750.0, 5150.0, 5500.0, 6500.0),
    "asassng": (3900.0, 4250.0, 5250.0, 5550.0),
    "asassnV": (4750.0, 5150.0, 5500.0, 6500.0),
    "atlasc": (4050.0, 4400.0, 6350.0, 6650.0),
    "atlaso": (5500.0, 5800.0, 7900.0, 8300.0),
    "gaia_bp": (3300.0, 4200.0, 6300.0, 6800.0),
    "gaia_g": (3500.0, 5000.0, 7400.0, 10000.0),
    "gaia_rp": (6200.0, 6500.0, 8600.0, 10400.0),
    "kepler": (4200.0, 5000.0, 8000.0, 9000.0),
    "tess": (5900.0, 6500.0, 9300.0, 11000.0),
    "ogleI": (7100.0, 7500.0, 8500.0, 9100.0),
    "hipHp": (3450.0, 4300.0, 5600.0, 8400.0),
}


def curves(names: Sequence[str]) -> dict[str, Curve]:
    """Return the transmission curves of passbands by name.

    Parameters
    ----------
    names : sequence of str
        Names of passbands.

    Returns
    -------
    dict of str to (ndarray, ndarray)
        Wavelength in Angstrom and photon transmission.

    Examples
    --------
    >>> from sklc.simulate.surveys.monitoring import curves
    >>> wave, transmission = curves(["kepler"])["kepler"]
    >>> float(wave[0]), float(transmission.max())
    (4200.0, 1.0)
    """
    out = {}
    for name in names:
        corners = np.array(_TRAPEZOIDS[name])
        wave = np.unique(np.concatenate([corners, np.linspace(corners[0], corners[-1], 60)]))
        out[name] = wave, np.interp(wave, corners, [0.0, 1.0, 1.0, 0.0])
    return out


def _nights(
    rng: np.random.Generator,
    n: int,
    first: int,
    n_days: int,
    *,
    gap: float,
    season: float,
    clear: float,
    dec: tuple[float, float],
    longitude: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return position and time of epochs: exponential gaps, seasons and weather; ra and dec."""
    ra, declination = sky(rng, n, *dec)
    good = weather(rng, n_days + 1, clear)
    # the pace differs between positions
    pace = gap * np.exp(0.25 * rng.standard_normal(n))
    count = int(n_days / gap * 2.2) + 10
    days = np.cumsum(rng.exponential(1.0, (n, count)) * pace[:, None], axis=1)
    inside = days < n_days
    inside &= good[np.where(inside, days, 0).astype(int)]
    inside &= season_phase(ra, first + days) < season / 2
    position, column = np.nonzero(inside)
    # all epochs of a night are at a similar hour
    night = np.floor(days[position, column])
    hour = rng.uniform(-0.17, 0.17, len(position))
    return position, first + night + midnight(longitude) + hour, ra, declination


def _from_epochs(
    position: np.ndarray,
    time: np.ndarray,
    band: np.ndarray,
    depth: np.ndarray,
    n: int,
    gamma: float,
    ra: np.ndarray | None = None,
    dec: np.ndarray | None = None,
) -> Visits:
    order = np.lexsort((time, position))
    offsets = np.searchsorted(position[order], np.arange(n + 1))
    return Visits.from_depths(
        time[order], band[order], depth[order], offsets, gamma=gamma, ra=ra, dec=dec
    )


def _depth(
    rng: np.random.Generator, time: np.ndarray, deepest: np.ndarray | float, spread: float
) -> np.ndarray:
    """Depths of visits, which are worse in bad nights."""
    night = np.floor(time).astype(np.int64)
    night -= night.min()
    loss = rng.gamma(1.5, spread / 1.5, night.max() + 1)[night]
    return deepest - loss + 0.05 * rng.standard_normal(len(time))


def crts() -> Visits:
    """Catalina Real-Time Transient Survey (Drake et al. 2009, ApJ 696, 870): 8 years.

    Four images within half an hour, unfiltered, about 60 nights in seasons of seven months.

    Returns
    -------
    Visits
        Visits to 200 positions; one band.

    Examples
    --------
    >>> from sklc.simulate.surveys.monitoring import crts
    >>> crts().n_positions
    200
    """
    rng = np.random.default_rng(5310)
    n = 200
    position, time, ra, dec = _nights(
        rng,
        n,
        53554,
        2940,
        gap=21.0,
        season=235.0,
        clear=0.72,
        dec=(-75.0, 65.0),
        longitude=SIDING_SPRING,
    )
    images = rng.choice([1, 2, 3, 4], len(time), p=[0.06, 0.12, 0.04, 0.78])
    row = np.repeat(np.arange(len(time)), images)
    number = np.arange(len(row)) - np.repeat(np.cumsum(images) - images, images)
    pause = rng.choice([6.0, 8.0, 10.0, 12.0, 15.0], len(time))
    time = time[row] + number * pause[row] * _MINUTE
    depth = _depth(rng, time, 19.3, 0.35)
    return _from_epochs(position[row], time, np.zeros(len(row), int), depth, n, 0.004, ra, dec)


def asas() -> Visits:
    """All Sky Automated Survey, V (Pojmanski 2002, AcA 52, 397): 7.5 years, every few nights.

    Returns
    -------
    Visits
        Visits to 200 positions; one band.

    Examples
    --------
    >>> from sklc.simulate.surveys.monitoring import asas
    >>> asas().n_positions
    200
    """
    rng = np.random.default_rng(5311)
    n = 200
    position, time, ra, dec = _nights(
        rng,
        n,
        51868,
        2705,
        gap=3.1,
        season=290.0,
        clear=0.65,
        dec=(-85.0, 28.0),
        longitude=CAMPANAS,
    )
    twice = np.flatnonzero(rng.random(len(time)) < 0.1)
    time = np.concatenate([time, time[twice] + rng.uniform(0.003, 0.1, len(twice))])
    position = np.concatenate([position, position[twice]])
    depth = _depth(rng, time, 13.9, 0.25)
    return _from_epochs(position, time, np.zeros(len(time), int), depth, n, 0.02, ra, dec)


def asassn() -> Visits:
    """All-Sky Automated Survey for Supernovae (Kochanek et al. 2017, PASP 129, 104502).

    V for five years, g for six years with half a year in common; two or three images in a night.

    Returns
    -------
    Visits
        Visits to 200 positions; bands g, V.

    Examples
    --------
    >>> from sklc.simulate.surveys.monitoring import asassn
    >>> asassn().n_positions
    200
    """
    rng = np.random.default_rng(5312)
    n = 200
    parts = []
    for band, first, n_days, gap in ((1, 56600, 1800, 3.2), (0, 58200, 2200, 2.2)):
        position, time, ra, dec = _nights(
            rng,
            n,
            first,
            n_days,
            gap=gap,
            season=260.0,
            clear=0.8,
            dec=(-85.0, 85.0),
            longitude=CAMPANAS,
        )
        images = rng.choice([1, 2, 3], len(time), p=[0.15, 0.45, 0.4])
        row = np.repeat(np.arange(len(time)), images)
        number = np.arange(len(row)) - np.repeat(np.cumsum(images) - images, images)
        parts.append((position[row], time[row] + number * 2 * _MINUTE, np.full(len(row), band)))
    position, time, code = map(np.concatenate, zip(*parts, strict=True))
    depth = _depth(rng, time, np.where(code == 1, 17.0, 17.9), 0.3)
    return _from_epochs(position, time, code, depth, n, 0.035, ra, dec)


def atlas() -> Visits:
    """ATLAS (Tonry et al. 2018, PASP 130, 064505; Heinze et al. 2018, AJ 156, 241): 5 years.

    Four images within an hour every two nights, in c while the moon is dark, else in o.

    Returns
    -------
    Visits
        Visits to 150 positions; bands c, o.

    Examples
    --------
    >>> from sklc.simulate.surveys.monitoring import atlas
    >>> atlas().n_positions
    150
    """
    rng = np.random.default_rng(5313)
    n = 150
    position, time, ra, dec = _nights(
        rng,
        n,
        57800,
        1826,
        gap=4.0,
        season=250.0,
        clear=0.75,
        dec=(-45.0, 85.0),
        longitude=HALEAKALA,
    )
    dark = moonlight(time) < 0.35
    code = np.where(dark & (rng.random(len(time)) < 0.7), 0, 1)
    images = rng.choice([2, 3, 4, 5], len(time), p=[0.1, 0.15, 0.65, 0.1])
    row = np.repeat(np.arange(len(time)), images)
    number = np.arange(len(row)) - np.repeat(np.cumsum(images) - images, images)
    time = time[row] + number * rng.uniform(10, 20, len(time))[row] * _MINUTE
    depth = _depth(rng, time, np.where(code[row] == 0, 19.8, 19.4), 0.4)
    return _from_epochs(position[row], time, code[row], depth, n, 0.037, ra, dec)


def gaia() -> Visits:
    """Gaia (Riello et al. 2021, A&A 649, A3; Eyer et al. 2023, A&A 674, A13): 34 months.

    The telescope scans: transits 106.5 and 253.5 minutes apart, for a day or two, about once in a
    month; G, BP and RP together.

    Returns
    -------
    Visits
        Visits to 300 positions; bands BP, G, RP.

    Examples
    --------
    >>> from sklc.simulate.surveys.monitoring import gaia
    >>> gaia().n_positions
    300
    """
    rng = np.random.default_rng(5314)
    n, first, n_days = 300, 56864, 1038
    return _from_transits(rng, n, first, n_days, gap=29.0, depths=(20.3, 22.4, 20.3), gamma=0.02)


def hipparcos() -> Visits:
    """Hipparcos (ESA 1997, SP-1200; van Leeuwen et al. 1997, A&A 323, L61): 3.2 years.

    Transits 20 and 108 minutes apart, for some hours, about once in three weeks.

    Returns
    -------
    Visits
        Visits to 200 positions; one band.

    Examples
    --------
    >>> from sklc.simulate.surveys.monitoring import hipparcos
    >>> hipparcos().n_positions
    200
    """
    rng = np.random.default_rng(5315)
    return _from_transits(
        rng, 200, 47860, 1190, gap=27.0, depths=(14.6,), gamma=0.003, pauses=(20.3, 107.7)
    )


def _from_transits(
    rng: np.random.Generator,
    n: int,
    first: int,
    n_days: int,
    *,
    gap: float,
    depths: Sequence[float],
    gamma: float,
    pauses: tuple[float, float] = (106.5, 253.5),
) -> Visits:
    """Return visits of a scanning satellite: groups of transits, in all bands together."""
    ra, dec = sky(rng, n, -90.0, 90.0)
    pace = gap * np.exp(0.3 * rng.standard_normal(n))
    count = int(n_days / gap * 3) + 5
    steps = rng.gamma(4.0, 0.25, (n, count)) * pace[:, None]
    days = np.cumsum(steps, axis=1)
    position, column = np.nonzero(days < n_days)
    start = first + days[position, column]
    transits = np.minimum(1 + rng.geometric(0.4, len(start)), 9)
    row = np.repeat(np.arange(len(start)), transits)
    number = np.arange(len(row)) - np.repeat(np.cumsum(transits) - transits, transits)
    pause = (number // 2) * sum(pauses) + (number % 2) * pauses[0]
    time = start[row] + pause * _MINUTE
    n_bands = len(depths)
    band = np.tile(np.arange(n_bands), len(row))
    time = np.repeat(time, n_bands) + 0.0002 * band
    depth = np.asarray(depths)[band] + 0.1 * rng.standard_normal(len(band))
    return _from_epochs(np.repeat(position[row], n_bands), time, band, depth, n, gamma, ra, dec)


def kepler() -> Visits:
    """Kepler (Borucki et al. 2010, Science 327, 977): a quarter of 90 days, every 29.4 minutes.

    Returns
    -------
    Visits
        Visits to 8 positions, the quarters of two years; one band.

    Examples
    --------
    >>> from sklc.simulate.surveys.monitoring import kepler
    >>> kepler().n_positions
    8
    """
    rng = np.random.default_rng(5316)
    field = np.full(8, 290.67), np.full(8, 44.5)
    return _continuous(rng, 8, 55000.0, 90.0, 29.4 * _MINUTE, field, depth=23.3, gamma=0.03967)


def tess() -> Visits:
    """TESS (Ricker et al. 2015, JATIS 1, 014003): a sector of 27 days, every half hour.

    Returns
    -------
    Visits
        Visits to 12 positions, the sectors of a year; one band.

    Examples
    --------
    >>> from sklc.simulate.surveys.monitoring import tess
    >>> tess().n_positions
    12
    """
    rng = np.random.default_rng(5317)
    return _continuous(
        rng, 12, 58325.0, 27.3, 30.0 * _MINUTE, sky(rng, 12, -90.0, 0.0), depth=18.5, gamma=0.0399
    )


def _continuous(
    rng: np.random.Generator,
    n: int,
    first: float,
    length: float,
    step: float,
    coordinates: tuple[np.ndarray, np.ndarray],
    *,
    depth: float,
    gamma: float,
) -> Visits:
    """Return visits at equal steps with a gap of a day each half to third of the time."""
    times, position = [], []
    for k in range(n):
        days = np.arange(0.0, length, step)
        for pause in rng.choice([1 / 3, 1 / 2, 2 / 3], rng.integers(1, 3), replace=False):
            days = days[np.abs(days - pause * length) > rng.uniform(0.4, 0.8)]
        days = days[rng.random(len(days)) > 0.01]
        times.append(first + k * (length + 1.5) + days)
        position.append(np.full(len(days), k))
    time = np.concatenate(times)
    where = np.concatenate(position)
    depths = depth + 0.02 * rng.standard_normal(len(time))
    return _from_epochs(where, time, np.zeros(len(time), int), depths, n, gamma, *coordinates)


def ogle() -> Visits:
    """OGLE, I band (Udalski, Szymanski & Szymanski 2015, AcA 65, 1): 4 years.

    Returns
    -------
    Visits
        Visits to 150 positions; one band.

    Examples
    --------
    >>> from sklc.simulate.surveys.monitoring import ogle
    >>> ogle().n_positions
    150
    """
    rng = np.random.default_rng(5318)
    n = 150
    position, time, ra, dec = _nights(
        rng,
        n,
        50500,
        1300,
        gap=2.0,
        season=270.0,
        clear=0.75,
        dec=(-75.0, -20.0),
        longitude=CAMPANAS,
    )
    depth = _depth(rng, time, 20.4, 0.2)
    return _from_epochs(position, time, np.zeros(len(time), int), depth, n, 0.02, ra, dec)
