"""Stars with outbursts, fadings and flares, and stars that vary without a period."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sklc.simulate.sources.agn import draw_damped_random_walk
from sklc.simulate.sources.base import Normal, Objects, Points
from sklc.simulate.sources.variable import REFERENCE, VariableStar, pick, scaled
from sklc.simulate.spectra import planck
from sklc.simulate.spectra.grids import BandGrid

__all__ = ["EruptiveKind", "EruptiveStar", "FlareStar", "latest_events"]

_MOST_EVENTS = 4000  # of a star
_NONE = Normal(-9.0, 0.0)


def latest_events(
    rng: np.random.Generator,
    points: Points,
    gap: np.ndarray,
    memory: np.ndarray,
    regularity: np.ndarray | float = 1.0,
) -> tuple[np.ndarray, np.ndarray, int]:
    """Draw recurrent events, and find the latest two at each observation.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of random numbers.
    points : Points
        Observations; times ascend within an object.
    gap : ndarray of shape (n_objects,)
        Mean days between events.
    memory : ndarray of shape (n_objects,)
        Days before the first observation in which events still matter.
    regularity : float or ndarray of shape (n_objects,), default=1.0
        Shape of the gamma distribution of gaps: 1 for a Poisson process, more for regular ones.

    Returns
    -------
    since : ndarray of shape (2, n_obs)
        Days since the latest event and since the one before it; inf where there is none.
    number : ndarray of int, shape (2, n_obs)
        Index of these events among all, for parameters that differ from event to event.
    n_events : int
        Number of events of all objects.

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.simulate.sources.base import Points
    >>> from sklc.simulate.sources.eruptive import latest_events
    >>> points = Points(np.zeros(1000, int), np.arange(1000.0), np.zeros(1000, int))
    >>> rng = np.random.default_rng(0)
    >>> since, _, n = latest_events(rng, points, np.array([20.0]), np.array([100.0]))
    >>> bool(35 < n < 80), bool((since[1] > since[0]).all())
    (True, True)
    """
    owner, days = points.owner, points.days
    n = len(gap)
    start, stop = np.full(n, np.inf), np.full(n, -np.inf)
    np.minimum.at(start, owner, days)
    np.maximum.at(stop, owner, days)
    seen = np.isfinite(start)
    start, stop = np.where(seen, start, 0.0) - memory, np.where(seen, stop, 0.0)
    count = np.ceil(1.3 * (stop - start) / gap + 6).astype(np.int64)
    count = np.minimum(count, _MOST_EVENTS)
    of = np.repeat(np.arange(n), count)
    shape = np.broadcast_to(regularity, n)[of]
    gaps = rng.gamma(shape, 1 / shape) * gap[of]
    total = np.cumsum(gaps)
    before = np.concatenate([[0.0], total])[np.cumsum(count) - count]
    when = start[of] - gap[of] * rng.random(n)[of] + total - before[of]
    # keys that ascend over all objects: each has a stretch of time of its own
    length = float(np.max(stop - start)) + 1.0
    key = of * 2 * length + np.clip(when - start[of], -0.4 * length, 1.4 * length)
    latest = np.searchsorted(key, owner * 2 * length + days - start[owner], side="right") - 1
    number = np.stack([latest, latest - 1])
    there = (number >= 0) & (of[np.maximum(number, 0)] == owner)
    number = np.maximum(number, 0)
    return np.where(there, days - when[number], np.inf), number, len(of)


@dataclass(frozen=True)
class EruptiveKind:
    """One kind of star with outbursts or fadings on top of irregular variation.

    Parameters
    ----------
    name : str
        Name of the kind in the metadata column "template".
    share : float
        Share of the class.
    log_gap : Normal
        Distribution of log10 of the mean days between events.
    depth : Normal
        Distribution of the size of events in V magnitudes; positive values are fadings.
    log_rise, log_plateau, log_decline : Normal
        Distributions of log10 of the days from onset to extremum, at the extremum, and back.
    log_noise, log_tau : Normal
        Distributions of log10 of the standard deviation (mag) and of the damping time (days) of a
        damped random walk.
    log_flicker : Normal
        Distribution of log10 of the standard deviation of changes from one observation to the
        next.
    log_period, wave : Normal
        Distributions of log10 of an orbital or rotation period in days, and of its peak-to-peak
        amplitude.
    log_temperature, chroma : Normal
        As for `VariableStar`.
    regularity : float
        Regularity of the gaps between events: 1 for a Poisson process.
    periodic : bool
        Whether the metadata have the period.

    Examples
    --------
    >>> from sklc.simulate.sources.base import Normal
    >>> from sklc.simulate.sources.eruptive import EruptiveKind
    >>> EruptiveKind("UGSS", 1.0, depth=Normal(-3.5, 0.8)).regularity
    1.0
    """

    name: str
    share: float
    log_gap: Normal = Normal(9.0, 0.0)
    depth: Normal = Normal(0.0, 0.0)
    log_rise: Normal = Normal(0.0, 0.2)
    log_plateau: Normal = Normal(0.0, 0.3)
    log_decline: Normal = Normal(0.5, 0.2)
    log_noise: Normal = _NONE
    log_tau: Normal = Normal(1.0, 0.3)
    log_flicker: Normal = _NONE
    log_period: Normal = Normal(0.0, 0.0)
    wave: Normal = Normal(0.0, 0.0)
    log_temperature: Normal = Normal(3.76, 0.05)
    chroma: Normal = Normal(0.4, 0.15)
    regularity: float = 1.0
    periodic: bool = False


@dataclass(frozen=True)
class EruptiveStar(VariableStar):
    """Stars with recurrent outbursts or fadings, damped random walks and weak periods.

    An event changes the magnitude linearly to its extremum, stays and returns linearly, as the
    outbursts of dwarf novae do. Sizes and durations differ from event to event by 15 and 30 %.

    Parameters
    ----------
    log_temperature, chroma, mag
        As for `VariableStar`; the kinds have their own temperature and chroma.
    kinds_of : tuple of EruptiveKind
        Kinds of the class.

    Examples
    --------
    >>> from sklc.simulate import CLASSES
    >>> [kind.name for kind in CLASSES["CV"].source.kinds_of]
    ['UGSS', 'UGSU', 'UGZ', 'NL', 'VY', 'AM']
    """

    kinds_of: tuple[EruptiveKind, ...] = (
        EruptiveKind("irregular", 1.0, log_noise=Normal(-1, 0.3)),
    )

    def draw(self, rng: np.random.Generator, n: int) -> Objects:
        """Draw the kind and what depends on it."""
        kind = pick(rng, [k.share for k in self.kinds_of], n)
        names = "log_gap depth log_rise log_plateau log_decline log_noise log_tau log_flicker"
        names += " log_period wave log_temperature chroma"
        own: Objects = {"kind": kind}
        for name in names.split():
            values = np.empty(n)
            for code, one in enumerate(self.kinds_of):
                rows = np.flatnonzero(kind == code)
                values[rows] = getattr(one, name).draw(rng, len(rows))
            own[name] = values
        regularity = np.array([k.regularity for k in self.kinds_of])[kind]
        periodic = np.array([k.periodic for k in self.kinds_of])[kind]
        noise = 10 ** own["log_noise"] + 10 ** own["log_flicker"]
        return own | {
            "wave": np.maximum(own["wave"], 0.0),
            "regularity": regularity,
            "period": np.where(periodic, 10 ** own["log_period"], np.nan),
            # of events, or of all else
            "amplitude": np.maximum(np.abs(own["depth"]), np.maximum(own["wave"], 3.3 * noise)),
        }

    def relative_flux(
        self, objects: Objects, points: Points, effective: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """Return the flux relative to the mean outside events."""
        owner = points.owner
        change = self._events(objects, points, rng)
        tau, noise = 10 ** objects["log_tau"], 10 ** objects["log_noise"]
        if (noise > 1e-4).any():
            order = np.lexsort((points.days, owner))
            walk = np.empty(len(owner))
            walk[order] = draw_damped_random_walk(rng, points.days[order], owner[order], tau)
            change += noise[owner] * walk
        change += 10 ** objects["log_flicker"][owner] * rng.standard_normal(len(owner))
        cycles = points.days / 10 ** objects["log_period"][owner] + objects["phase"][owner]
        angle = 2 * np.pi * cycles
        change += 0.5 * objects["wave"][owner] * (np.sin(angle) + 0.3 * np.sin(2 * angle))
        return scaled(np.clip(change, -12.0, 12.0), objects, points, effective)

    def _events(self, objects: Objects, points: Points, rng: np.random.Generator) -> np.ndarray:
        """Return the change in magnitudes that events cause."""
        owner = points.owner
        times = [10 ** objects[f"log_{name}"] for name in ("rise", "plateau", "decline")]
        rise, plateau, decline = times
        gap = np.maximum(10 ** objects["log_gap"], 1e-3)
        memory = np.minimum(gap, 2e4) + 1.5 * (rise + plateau + decline)
        since, number, n_events = latest_events(rng, points, gap, memory, objects["regularity"])
        size = np.maximum(1 + 0.15 * rng.standard_normal(n_events), 0.1)
        length = np.exp(0.3 * rng.standard_normal(n_events))
        most = np.zeros(len(owner))
        for one, which in zip(since, number, strict=True):
            slow = length[which]
            up = one / (rise[owner] * slow)
            down = 1 - (one - (rise + plateau)[owner] * slow) / (decline[owner] * slow)
            most = np.maximum(most, np.clip(np.minimum(up, down), 0.0, 1.0) * size[which])
        return objects["depth"][owner] * most

    def brightest(self, grid: BandGrid, objects: Objects) -> np.ndarray:
        """Return the flux at the maximum of outbursts, (n_objects, n_bands)."""
        up = np.maximum(-objects["depth"], 0.0)
        return self.mean_flux(grid, objects) * 10 ** (0.4 * (up + 0.3))[:, None]

    def kinds(self, objects: Objects) -> np.ndarray:
        """Return the name of the kind of each star."""
        return np.array([kind.name for kind in self.kinds_of], dtype=object)[objects["kind"]]


@dataclass(frozen=True)
class FlareStar(VariableStar):
    """Red dwarfs with flares (UV Ceti stars) and spots.

    Flares are blackbodies of 9,000 to 11,000 K that rise within a minute and fade within minutes
    to an hour; their energies follow a power law (Davenport et al. 2014, ApJ 797, 122; Hilton 2011,
    PhD thesis, University of Washington). Blue light rises by much more than red light.

    Parameters
    ----------
    log_temperature, chroma, mag
        As for `VariableStar`.
    log_gap : Normal
        Distribution of log10 of the days between flares of at least `faintest`.
    faintest : float
        Least increase of the V flux at the maximum of a flare, as a share of the star's.
    slope : float
        Exponent of the cumulative distribution of the maxima.
    log_duration : Normal
        Distribution of log10 of the days in which flares fade by 1/e.
    log_period, log_spots : Normal
        Distributions of log10 of the rotation period in days, and of the amplitude by spots.

    Examples
    --------
    >>> from sklc.simulate.sources import FlareStar
    >>> FlareStar().slope
    0.75
    """

    log_temperature: Normal = Normal(3.50, 0.025)
    chroma: Normal = Normal(0.4, 0.1)
    log_gap: Normal = Normal(-0.3, 0.4)
    faintest: float = 0.1
    slope: float = 0.75
    log_duration: Normal = Normal(-1.7, 0.25)
    log_period: Normal = Normal(0.3, 0.5)
    log_spots: Normal = Normal(-1.6, 0.3)

    def draw(self, rng: np.random.Generator, n: int) -> Objects:
        """Draw flares and spots."""
        return {
            "log_gap": self.log_gap.draw(rng, n),
            "log_duration": self.log_duration.draw(rng, n),
            "period": 10 ** self.log_period.draw(rng, n),
            "amplitude": 10 ** self.log_spots.draw(rng, n),
            "flare_log_t": rng.uniform(3.95, 4.05, n),
        }

    def relative_flux(
        self, objects: Objects, points: Points, effective: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """Return the flux relative to the mean between flares."""
        owner = points.owner
        gap, duration = 10 ** objects["log_gap"], 10 ** objects["log_duration"]
        since, number, n_events = latest_events(rng, points, gap, np.full(len(gap), 1.0))
        maximum = self.faintest * rng.pareto(self.slope, n_events) + self.faintest
        length = np.exp(0.6 * rng.standard_normal(n_events))
        added = np.zeros(len(owner))
        for one, which in zip(since, number, strict=True):
            faded = np.minimum(one / (duration[owner] * length[which]), 50.0)
            # a fast and a slow phase (Davenport et al. 2014)
            added += np.minimum(maximum[which], 60.0) * (
                0.7 * np.exp(-2.5 * faded) + 0.3 * np.exp(-0.6 * faded)
            )
        wave = effective[None, :]
        star, flare = (
            planck(wave, 10 ** objects[name][:, None])
            / planck(REFERENCE, 10 ** objects[name][:, None])
            for name in ("log_temperature", "flare_log_t")
        )
        contrast = (flare / star).reshape(-1)[owner * len(effective) + points.band]
        angle = 2 * np.pi * (points.days / objects["period"][owner] + objects["phase"][owner])
        spots = scaled(
            0.5 * objects["amplitude"][owner] * np.sin(angle), objects, points, effective
        )
        return spots + contrast * added

    def brightest(self, grid: BandGrid, objects: Objects) -> np.ndarray:
        """Return the flux that most flares do not exceed, (n_objects, n_bands)."""
        return 2.5 * self.mean_flux(grid, objects)

    def kinds(self, objects: Objects) -> np.ndarray:
        """Return the name of the kind of each star."""
        return np.full(len(objects["mag"]), "red-dwarf", dtype=object)
