"""Synthetic cadences of the built-in surveys, which have the statistics that each one states.

Times, moon, seasons and weather are drawn with fixed seeds. The numbers of visits and nights, the
gaps between the nights of a band, the seasons and the distribution of depths match the surveys.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from sklc.simulate.surveys.conditions import (
    SYNODIC,
    YEAR,
    depths,
    midnight,
    moonlight,
    opposition,
    season_phase,
    sky,
    weather,
)
from sklc.simulate.surveys.visits import Visits

__all__ = ["des", "lsst_ddf", "lsst_wfd", "ps1", "ztf"]

# Share of the sky background in the noise of a source at the 5-sigma depth (Ivezic et al. 2019).
_GAMMA = 0.039
# Positions that stand for a field.
_PER_FIELD = 4
# East longitudes of the telescopes in degrees.
PALOMAR, PACHON, TOLOLO, HALEAKALA = -116.86, -70.75, -70.80, -156.26


def ztf() -> Visits:
    """Zwicky Transient Facility: g and r, 4.2 years.

    Matches ZTF's visits to 400 positions: 400 nights and 1,071 visits per position, 2 d (median)
    and 3.0 d (mean) between the nights of a band, seasons 99 d apart. The i band, which is rare,
    is left out.

    Returns
    -------
    Visits
        Visits to 400 positions; bands g, r.

    Examples
    --------
    >>> from sklc.simulate.surveys.cadences import ztf
    >>> ztf().n_positions
    400
    """
    rng = np.random.default_rng(5301)
    n, first, n_days = 400, 58194, 1534
    ra, dec = sky(rng, n, -28.0, 80.0)
    clear = weather(rng, n_days, 0.715)
    # every second night is the rule; bad weather removes more below
    gap = rng.choice([1, 2, 3, 4], size=(n, 900), p=[0.30, 0.45, 0.19, 0.06])
    night = np.cumsum(gap, axis=1) - rng.integers(0, 3, size=(n, 1))
    inside = (night >= 0) & (night < n_days)
    observed = inside & clear[np.where(inside, night, 0)]
    observed &= season_phase(ra, night + first) < 271 / 2
    field, column = np.nonzero(observed)
    night = night[field, column]

    per_band = rng.choice(4, size=(len(field), 2), p=[0.07, 0.548, 0.357, 0.025])
    row = np.repeat(np.arange(len(field)), per_band.sum(axis=1))
    band = np.repeat(np.tile([0, 1], len(field)), per_band.ravel())
    # a field is observed at about the same hour of its nights
    hour = rng.uniform(-0.12, 0.04, n)[field] + rng.normal(0.0, 0.02, len(field))
    hour = hour[row] + rng.uniform(0.0, 0.12, len(row))
    field, night = field[row], night[row]
    time = first + night + midnight(PALOMAR) + hour
    depth = depths(
        rng,
        band,
        night,
        moonlight(time),
        quantiles=[(19.2, 21.0, 21.9), (19.0, 20.7, 21.6)],
        moon=[2.0, 1.6],
    )
    return _visits(field, time, band, depth, ra, dec)


# Pairs of visits about 33 minutes apart: bands, mean number per position in ten years, moonlight at
# which they are made, how much they bunch into lunations and high rolling seasons.
# Bands are u g r i z y = 0 ... 5.
_WFD_PAIRS: tuple[tuple[int, int, float, float, float, float, float], ...] = (
    # first, second, number, from, to, bunching, rolling
    (0, 1, 49.0, 0.00, 0.35, 1.4, 0.5),
    (1, 2, 21.0, 0.00, 0.90, 0.6, 0.5),
    (2, 3, 150.0, 0.00, 0.90, 0.35, 0.50),
    (2, 4, 22.0, 0.10, 0.90, 0.35, 0.50),
    (3, 4, 47.0, 0.10, 1.00, 0.35, 0.50),
    (4, 5, 99.0, 0.20, 1.00, 0.30, 0.50),
    (5, 5, 37.5, 0.20, 1.00, 0.25, 0.45),
)
_WFD_DEPTHS = ((23.13, 23.62, 23.87), (23.91, 24.43, 24.70), (23.52, 24.01, 24.30),
               (22.98, 23.42, 23.71), (22.38, 22.81, 23.10), (21.57, 22.01, 22.31))  # fmt: skip
_LSST_MOON = [1.5, 1.5, 1.0, 0.5, 0.3, 0.1]


def lsst_wfd() -> Visits:
    """LSST wide-fast-deep survey: u g r i z y, 10 years.

    Matches 400 positions of the baseline 3.0 strategy: 853 visits on 397 nights per position, in
    pairs, mostly of neighbouring bands, about 33 minutes apart; u and g in dark time, z and y in
    bright time; seasons 150 d apart; high and low seasons take turns from the second year.

    Returns
    -------
    Visits
        Visits to 400 positions; bands u, g, r, i, z, y.

    Examples
    --------
    >>> from sklc.simulate.surveys.cadences import lsst_wfd
    >>> lsst_wfd().n_positions
    400
    """
    rng = np.random.default_rng(5302)
    n, first, n_days = 400, 61041, 3652
    ra, dec = sky(rng, n, -62.0, 2.0)
    days = np.arange(n_days)
    clear = days[weather(rng, n_days, 0.75)]
    from_opposition = season_phase(ra, (first + clear)[None, :])
    field, column = np.nonzero(from_opposition < 238 / 2)
    night = clear[column]
    # fewer visits at the ends of a season, at high airmass
    edge = np.clip((238 / 2 - from_opposition[field, column]) / 30, 0.25, 1.0)
    light = moonlight(first + night + midnight(PACHON))
    lunation = ((first + night) / SYNODIC).astype(np.int64)
    lunation -= lunation.min()
    season = np.rint((first + night - opposition(ra)[field]) / YEAR).astype(np.int64)
    season -= season.min()
    # half of the sky is high in a year, the other half in the next
    high = np.where((season + field) % 2, 1.0, -1.0) * ((season > 0) & (season < 9))

    rows, bands, hours = [], [], []
    for one, two, number, dark, bright, bunching, rolling in _WFD_PAIRS:
        shape = 1.0 / bunching
        bunch = rng.gamma(shape, bunching, size=(n, lunation.max() + 1))
        rate = edge * bunch[field, lunation] * (1.0 + rolling * high)
        rate *= (light >= dark) & (light <= bright)
        rate *= (number / np.bincount(field, rate, minlength=n))[field]
        hit = np.flatnonzero(rng.random(len(rate)) < rate)
        swap = rng.random(len(hit)) < 0.5
        hour = rng.uniform(-0.15, 0.12, len(hit))
        rows += [hit, hit]
        bands += [np.where(swap, two, one), np.where(swap, one, two)]
        hours += [hour, hour + rng.normal(33.0, 2.0, len(hit)) / 1440]
    row, band, offset = np.concatenate(rows), np.concatenate(bands), np.concatenate(hours)
    field, night = field[row], night[row]
    time = first + night + midnight(PACHON) + offset
    depth = depths(rng, band, night, light[row], quantiles=_WFD_DEPTHS, moon=_LSST_MOON)
    return _visits(field, time, band, depth, ra, dec)


_DDF = {"ELAISS1": (9.45, -44.02), "XMM-LSS": (35.57, -4.82), "ECDFS": (52.98, -28.12),
        "COSMOS": (150.11, 2.23), "EDFS": (61.28, -48.42)}  # fmt: skip


def lsst_ddf() -> Visits:
    """LSST deep drilling fields: u g r i z y, 10 years.

    An approximation of the published baseline strategy (PSTN-055) and of PLAsTiCC: five fields,
    visited every 2 to 4 nights of a 190 d season, if clear, with a sequence of visits that is
    1.1 (u, g) to 1.6 mag (z) deeper in a night than one visit of the wide survey. The filter
    wheel holds five bands: u is out while the moon is bright, y while it is dark.

    Returns
    -------
    Visits
        Visits to 20 positions, four in each field; bands u, g, r, i, z, y.

    Examples
    --------
    >>> from sklc.simulate.surveys.cadences import lsst_ddf
    >>> lsst_ddf().n_positions
    20
    """
    rng = np.random.default_rng(5303)
    first, n_days = 61041, 3652
    centre, ra, dec = _fields(rng, _DDF, spread=1.2)
    field, night = _field_nights(
        rng, centre[:, 0], first, n_days, season=190.0, clear=0.8, gaps=[2, 3, 4]
    )
    start = rng.uniform(-0.12, 0.08, len(field))
    light = moonlight(first + night + midnight(PACHON))
    sequence = np.repeat(np.arange(6), [8, 8, 15, 15, 18, 15])
    row, step = (grid.ravel() for grid in np.indices((len(field), len(sequence))))
    band = sequence[step]
    loaded = np.where(band == 0, light[row] < 0.4, (band != 5) | (light[row] >= 0.4))
    row, step, band = row[loaded], step[loaded], band[loaded]
    time = first + night[row] + midnight(PACHON) + start[row] + step * (39.0 / 86400)
    depth = depths(
        rng,
        band,
        row,  # the conditions of a field and night
        light[row],
        quantiles=[(m50 - 0.35, m50, m50 + 0.25) for _, m50, _ in _WFD_DEPTHS],
        moon=_LSST_MOON,
    )
    return _spread(rng, field[row], time, band, depth, ra, dec)


_MDS = {"MD01": (35.9, -4.3), "MD02": (53.1, -27.8), "MD03": (130.6, 44.3), "MD04": (150.0, 2.2),
        "MD05": (161.9, 58.1), "MD06": (185.0, 47.1), "MD07": (213.7, 53.1), "MD08": (242.8, 55.0),
        "MD09": (334.2, 0.3), "MD10": (352.3, -0.4)}  # fmt: skip


def ps1() -> Visits:
    """Pan-STARRS1 Medium Deep Survey: g r i z y, four years.

    An approximation of Jones et al. (2018, ApJ 857, 51) and Scolnic et al. (2018, ApJ 859, 101):
    ten fields, seasons of 5.5 months; g and r in the same night, i in the next and z in the one
    after, then again; y in bright time. A visit is the stack of a night, with 5-sigma depths
    of about 23.3 (g, r), 23.2 (i), 22.8 (z) and 21.5 (y).

    Returns
    -------
    Visits
        Visits to 40 positions, four in each field; bands g, r, i, z, y.

    Examples
    --------
    >>> from sklc.simulate.surveys.cadences import ps1
    >>> ps1().n_positions
    40
    """
    rng = np.random.default_rng(5304)
    first, n_days = 55317, 1384
    centre, ra, dec = _fields(rng, _MDS, spread=1.0)
    field, night = _field_nights(
        rng, centre[:, 0], first, n_days, season=167.0, clear=0.7, gaps=[1]
    )
    light = moonlight(first + night + midnight(HALEAKALA))
    turn = (night + field) % 3
    bright = light > 0.92
    row = np.concatenate([np.flatnonzero(~bright & (turn == k)) for k in (0, 0, 1, 2)]
                         + [np.flatnonzero(bright)])  # fmt: skip
    band = np.repeat(
        np.arange(5), [*(np.sum(~bright & (turn == k)) for k in (0, 0, 1, 2)), bright.sum()]
    )
    start = rng.uniform(-0.15, 0.12, len(field))
    time = first + night[row] + midnight(HALEAKALA) + start[row] + 0.02 * band
    depth = depths(
        rng,
        band,
        row,
        light[row],
        quantiles=[(m50 - 0.7, m50, m50 + 0.35) for m50 in (23.3, 23.3, 23.2, 22.8, 21.5)],
        moon=[1.0, 0.8, 0.4, 0.2, 0.0],
    )
    return _spread(rng, field[row], time, band, depth, ra, dec)


_DES = {"E1": (7.87, -43.01), "E2": (9.50, -44.00), "S1": (42.82, 0.00), "S2": (41.19, -0.99),
        "C1": (54.27, -27.11), "C2": (54.27, -29.09), "X1": (34.48, -4.93), "X2": (35.66, -6.41),
        "C3": (52.65, -28.10), "X3": (36.45, -4.60)}  # fmt: skip
_DES_SHALLOW, _DES_DEEP = (23.7, 23.6, 23.5, 23.3), (24.6, 24.8, 24.7, 24.6)


def des() -> Visits:
    """Dark Energy Survey supernova program: g r i z, five seasons.

    An approximation of Kessler et al. (2015, AJ 150, 172) and Smith et al. (2020, AJ 160, 267):
    eight shallow and two deep fields, about 7 d between the nights of a field, five seasons of
    5.5 months from the end of August. A visit is the stack of a night, with 5-sigma depths of
    about 23.7, 23.6, 23.5, 23.3 (shallow) and 24.6, 24.8, 24.7, 24.6 (deep) in g, r, i, z.

    Returns
    -------
    Visits
        Visits to 40 positions, four in each field, the deep ones last; bands g, r, i, z.

    Examples
    --------
    >>> from sklc.simulate.surveys.cadences import des
    >>> des().n_positions
    40
    """
    rng = np.random.default_rng(5305)
    first, n_days, n_fields = 56535, 1630, len(_DES)
    _, ra, dec = _fields(rng, _DES, spread=0.9)
    # a field is due after about 7 d, a little earlier or later as weather and moon allow
    gap = rng.choice([5, 6, 7, 8, 9], size=(n_fields, 300), p=[0.15, 0.25, 0.3, 0.2, 0.1])
    night = np.cumsum(gap, axis=1) - rng.integers(3, 9, size=(n_fields, 1))
    inside = (night < n_days) & (night % YEAR < 165)
    field, column = np.nonzero(inside & (rng.random(night.shape) > 0.04))
    night = night[field, column]
    start = rng.uniform(-0.1, 0.1, len(field))
    row, band = (grid.ravel() for grid in np.indices((len(field), 4)))
    observed = rng.random(len(row)) > 0.03
    row, band = row[observed], band[observed]
    time = first + night[row] + midnight(TOLOLO) + start[row] + 0.012 * band
    deep = field[row] >= n_fields - 2
    depth = depths(
        rng,
        band + 4 * deep,
        row,
        moonlight(time),
        quantiles=[(m50 - 0.7, m50, m50 + 0.4) for m50 in (*_DES_SHALLOW, *_DES_DEEP)],
        moon=[1.2, 0.9, 0.5, 0.2] * 2,
    )
    return _spread(rng, field[row], time, band, depth, ra, dec)


# ------------------------------------------------------------------ what the cadences share


def _fields(
    rng: np.random.Generator,
    centres: Mapping[str, tuple[float, float]],
    spread: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Centres of fields, and the coordinates of a few positions in each."""
    centre = np.array(list(centres.values()))
    ra, dec = np.repeat(centre, _PER_FIELD, axis=0).T
    dec = dec + rng.uniform(-spread, spread, len(dec))
    ra = ra + rng.uniform(-spread, spread, len(ra)) / np.cos(np.radians(dec))
    return centre, ra % 360.0, dec


def _field_nights(
    rng: np.random.Generator,
    ra: np.ndarray,
    first: int,
    n_days: int,
    *,
    season: float,
    clear: float,
    gaps: Sequence[int],
) -> tuple[np.ndarray, np.ndarray]:
    """Fields and nights of visits: every few nights of a season, if clear."""
    is_clear = weather(rng, n_days, clear)
    night = np.cumsum(rng.choice(gaps, size=(len(ra), n_days)), axis=1) - 1
    inside = night < n_days
    observed = inside & is_clear[np.where(inside, night, 0)]
    observed &= season_phase(ra, night + first) < season / 2
    field, column = np.nonzero(observed)
    return field, night[field, column]


def _spread(
    rng: np.random.Generator,
    field: np.ndarray,
    time: np.ndarray,
    band: np.ndarray,
    depth: np.ndarray,
    ra: np.ndarray,
    dec: np.ndarray,
) -> Visits:
    """Give the visits of a field to its positions, with the small differences between chips."""
    position = field[:, None] * _PER_FIELD + np.arange(_PER_FIELD)
    shift = rng.normal(0.0, 0.03, size=len(ra))
    time, band, depth = (np.repeat(column, _PER_FIELD) for column in (time, band, depth))
    position = position.ravel()
    return _visits(position, time, band, depth + shift[position], ra, dec)


def _visits(
    position: np.ndarray,
    time: np.ndarray,
    band: np.ndarray,
    depth: np.ndarray,
    ra: np.ndarray,
    dec: np.ndarray,
) -> Visits:
    order = np.lexsort((time, position))
    offsets = np.searchsorted(position[order], np.arange(len(ra) + 1))
    return Visits.from_depths(
        time[order], band[order], depth[order], offsets, gamma=_GAMMA, ra=ra, dec=dec
    )
