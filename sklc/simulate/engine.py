"""The steps from classes and surveys to light curves: draw, cut, observe, trigger.

The objects of a class in a survey are simulated in chunks, each with its own random stream. The
result therefore depends on the seed alone and not on the number of processes, and the first n
objects are the same however many are simulated.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from sklc.cosmology import distance_modulus, draw_redshift
from sklc.errors import NotDetectedError, SimulationError
from sklc.simulate.classes.source_class import SourceClass
from sklc.simulate.settings import Settings
from sklc.simulate.sources.base import Objects, Points
from sklc.simulate.spectra.grids import BandGrid, Bands
from sklc.simulate.surveys import Survey
from sklc.simulate.surveys.visits import Visits
from sklc.utils.offsets import row_index

__all__ = ["CHUNK", "Chunk", "ClassSimulator"]

CHUNK = 1000  # objects that share a random stream
_CANDIDATES = 8192  # drawn at a time
_BATCH = 512  # light curves made at a time: their arrays fit the processor's cache
# The simulation gives up if fewer than one in a million candidates, or one in this many observed
# objects, are accepted.
_LEAST_EFFICIENCY = 1e-6
_OBSERVED = 40_000
_MWEBV_SCALE, _MWEBV_MOST = 0.06, 0.6
_MINUTE = 1 / 1440
_FLAT = ("time", "flux", "flux_err", "band")


@dataclass(frozen=True, eq=False)
class Chunk:
    """Light curves of some objects in flat arrays, and the true parameters of these objects.

    Parameters
    ----------
    time, flux, flux_err, band : ndarray of shape (n_obs,)
        Observations, object by object, in order of time.
    lengths : ndarray of shape (n_objects,)
        Number of observations of each object.
    truth : dict
        Names of columns, with arrays of shape (n_objects,).
    """

    time: np.ndarray
    flux: np.ndarray
    flux_err: np.ndarray
    band: np.ndarray
    lengths: np.ndarray
    truth: dict[str, np.ndarray]

    def first(self, n: int) -> Chunk:
        """Return the first n objects."""
        end = int(self.lengths[:n].sum())
        flat: dict[str, Any] = {name: getattr(self, name)[:end] for name in _FLAT}
        truth = {name: values[:n] for name, values in self.truth.items()}
        return Chunk(lengths=self.lengths[:n], truth=truth, **flat)


def join(chunks: list[Chunk]) -> Chunk:
    """Put chunks of one class one after the other."""
    names = (*_FLAT, "lengths")
    flat: dict[str, Any] = _joined([{n: getattr(chunk, n) for n in names} for chunk in chunks])
    return Chunk(truth=_joined([chunk.truth for chunk in chunks]), **flat)


class ClassSimulator:
    """Simulates one class in one survey.

    Parameters
    ----------
    survey : Survey
        Survey that observes.
    source_class : SourceClass
        Class of objects to simulate.
    settings : Settings
        Options of the simulation.
    """

    def __init__(self, survey: Survey, source_class: SourceClass, settings: Settings) -> None:
        self.survey, self.source_class, self.settings = survey, source_class, settings
        self.source = source_class.source
        deepest = 27.5 - 2.5 * np.log10(5.0) - 1.25 * np.log10(np.min(self._good_sky))
        z_max = settings.z_max or source_class.z_max(float(deepest))
        if not self.source.galactic and z_max <= source_class.z_min:
            raise SimulationError(
                f"z_max={z_max:g} is not above the smallest redshift of {source_class.name}, "
                f"{source_class.z_min:g}: raise it."
            )
        self.z_max = 0.01 if self.source.galactic else z_max

    @cached_property
    def visits(self) -> Visits:
        """The visits that are delivered: single visits, or nightly averages."""
        nightly = self.settings.nightly
        if nightly is None:  # stars change within a night
            nightly = not self.source.total
        return self.survey.nightly_visits if nightly else self.survey.visits

    @cached_property
    def _good_sky(self) -> np.ndarray:
        """Variance of the background in the best 0.1 % of the visits of each band; inf for none."""
        visits = self.visits
        bands = range(len(self.survey.passbands))
        rows = [visits.sky[visits.band == code] for code in bands]
        return np.array([np.quantile(row, 0.001) if len(row) else np.inf for row in rows])

    @cached_property
    def grid(self) -> BandGrid:
        """The table of band fluxes."""
        names = tuple(passband.name for passband in self.survey.passbands)
        curves = tuple(self.survey.throughput(code) for code in range(len(names)))
        return self.source.prepare(Bands(names, curves), round(self.z_max + 0.005, 2))

    def chunk(self, index: int, n: int = CHUNK) -> Chunk:
        """Simulate the first `n` objects of a chunk.

        Parameters
        ----------
        index : int
            Number of the chunk within its class.
        n : int
            Number of objects.

        Returns
        -------
        Chunk

        Raises
        ------
        SimulationError
            If fewer than one in a million candidates, or one in 40,000 of those that are bright
            enough to be found, is accepted.
        """
        parts: list[Chunk] = []
        accepted = observed = 0
        for number, (objects, drawn) in enumerate(self._batches(index)):
            if objects is not None:
                observed += len(objects["redshift"])
                part = self._observe(objects, self._rng(index, 1, number))
                accepted += len(part.lengths)
                parts.append(part)
            if accepted >= n:
                return join(parts).first(n)
            if accepted < int(max(drawn * _LEAST_EFFICIENCY, observed / _OBSERVED)):
                self._fail(accepted, drawn)
        raise AssertionError("unreachable")  # pragma: no cover

    def _fail(self, accepted: int, drawn: int) -> None:
        raise NotDetectedError(
            f"{self.source_class.name} in {self.survey.name}: {accepted} of {drawn:,} candidates "
            f"were accepted (efficiency {accepted / drawn:.1g}) by {self.settings.trigger} with "
            f"redshifts to {self.z_max:g}: ask for fewer detections, a fainter limit or, with "
            "z_max=, nearer objects."
        )

    def _rng(self, *stream: int) -> np.random.Generator:
        names = [zlib.crc32(s.encode()) for s in (self.survey.name, self.source_class.name)]
        return np.random.Generator(np.random.SFC64([self.settings.seed, *names, *stream]))

    def _batches(self, index: int) -> Iterator[tuple[Objects | None, int]]:
        """Yield objects bright enough to be found, and the number of candidates so far."""
        waiting: list[Objects] = []
        n_waiting = block = drawn = 0
        while True:
            candidates = self._draw(self._rng(index, 0, block))
            block += 1
            drawn += _CANDIDATES
            bright = np.flatnonzero(self._may_be_found(candidates))
            waiting.append({name: values[bright] for name, values in candidates.items()})
            n_waiting += len(bright)
            if n_waiting < _BATCH:
                # yields now and then, so that the caller may give up
                if drawn * _LEAST_EFFICIENCY > 1 and not n_waiting:
                    yield None, drawn
                elif drawn * _LEAST_EFFICIENCY > 8:
                    n_waiting = 0
                    yield _joined(waiting), drawn
                    waiting = []
                continue
            joined = _joined(waiting)
            for start in range(0, n_waiting - _BATCH + 1, _BATCH):
                yield {k: v[start : start + _BATCH] for k, v in joined.items()}, drawn
            rest = n_waiting % _BATCH
            waiting = [{k: v[n_waiting - rest :] for k, v in joined.items()}]
            n_waiting = rest

    def _draw(self, rng: np.random.Generator) -> Objects:
        cls = self.source_class
        if self.source.galactic:
            z = modulus = np.zeros(_CANDIDATES)
        else:
            rate = cls.rate if self.settings.redshift == "volumetric" else None
            z = draw_redshift(rng, _CANDIDATES, cls.z_min, self.z_max, rate)
            modulus = distance_modulus(z)
        objects = self.source.sample(rng, z)
        mwebv = np.minimum(rng.exponential(_MWEBV_SCALE, _CANDIDATES), _MWEBV_MOST)
        return {**objects, "redshift": z, "distmod": modulus, "mwebv": mwebv}

    def _may_be_found(self, objects: Objects) -> np.ndarray:
        """Whether each object is brighter than the depth of good nights in any band."""
        trigger = self.settings.trigger
        flux = self.source.brightest(self.grid, objects) * 10 ** (0.4 * self.source.margin)
        found = (flux >= trigger.snr * np.sqrt(self._good_sky)).any(axis=1)
        if trigger.bright_limit is not None:
            faintest = trigger.bright_limit + 6 * trigger.bright_width
            found &= (flux >= 10 ** (0.4 * (27.5 - faintest))).any(axis=1)
        if self.source.total:  # a star that is far too bright is so in all bands and at all times
            found &= (flux < 10 * self.survey.total_flux.saturation_flux).any(axis=1)
        return found

    def _observe(self, objects: Objects, rng: np.random.Generator) -> Chunk:
        """Observe objects at random positions and times, and keep those that trigger."""
        source, visits, settings = self.source, self.visits, self.settings
        n = len(objects["redshift"])
        n_bands = len(self.survey.passbands)
        position = rng.integers(visits.n_positions, size=n)
        start, stop = source.span(self.grid, objects)
        first, last = visits.span
        if source.transient:
            t0 = rng.uniform(first, last, n)
        else:
            t0 = first + rng.random(n) * np.maximum(last - first - stop, 0.0)
        before, after = settings.window if settings.window and source.transient else (0.0, 0.0)
        if settings.window is None and source.transient:
            before, after = first - last, last - first
        low, high = visits.between(position, t0 + start + before, t0 + stop + after)
        owner, row = np.repeat(np.arange(n), high - low), row_index(low, high)
        time, band = visits.time[row], visits.band[row].astype(np.int64)
        own = owner * n_bands + band
        flux = source.flux(self.grid, objects, Points(owner, time - t0[owner], band), rng)
        flux = np.asarray(flux, dtype=np.float64)
        steady = source.steady(self.grid, objects)
        total = flux if steady is None else flux + steady.reshape(-1)[own]
        variance = visits.sky[row] + visits.source[row] * np.maximum(total, 0.0)
        variance += (self.survey.systematic * flux) ** 2
        flux_err = np.sqrt(variance)
        measured = flux + flux_err * rng.standard_normal(len(row), dtype=np.float32)
        photometry = settings.photometry
        wrong = rng.integers(max(len(row), 1), size=rng.binomial(len(row), photometry.outliers))
        measured[wrong] += (
            photometry.outlier_scale * flux_err[wrong] * rng.standard_normal(len(wrong))
        )
        there = np.ones(len(row), dtype=bool)
        if photometry.missing_bands and n_bands > 1:
            there = (rng.random((n, n_bands)) >= photometry.missing_bands).reshape(-1)[own]
        varies = None
        if source.total:
            how = self.survey.total_flux
            there &= flux < how.saturation_flux
            measured = how.spoil(rng, measured)
            there &= how.measured(measured, flux_err)
            varies = _evidence(own[there], flux[there], variance[there], n, n_bands)
            flux_err = how.stated(flux, flux_err)
        kept, accepted = self._trigger(n, owner, time, flux, measured, flux_err, there, varies, rng)
        rows = np.flatnonzero(kept)
        chosen = {name: values[accepted] for name, values in objects.items()}
        peak_flux = np.full(n, -np.inf)
        np.maximum.at(peak_flux, owner[rows], flux[rows])
        return Chunk(
            time[rows],
            measured[rows].astype(np.float32),
            flux_err[rows].astype(np.float32),
            band[rows].astype(np.int16),
            np.bincount(owner[rows], minlength=n)[accepted],
            self._truth(chosen, t0[accepted], peak_flux[accepted]),
        )

    def _trigger(
        self,
        n: int,
        owner: np.ndarray,
        time: np.ndarray,
        flux: np.ndarray,
        measured: np.ndarray,
        flux_err: np.ndarray,
        there: np.ndarray,
        varies: np.ndarray | None,
        rng: np.random.Generator,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return which observations are delivered, and which objects are accepted."""
        trigger, window = self.settings.trigger, self.settings.window
        transient = self.source.transient
        signal = measured if transient else np.abs(measured)
        detected = np.flatnonzero(there & (signal >= trigger.snr * flux_err))
        by = owner[detected]
        count = np.bincount(by, minlength=n)
        first, last = np.full(n, np.inf), np.full(n, -np.inf)
        np.minimum.at(first, by, time[detected])
        np.maximum.at(last, by, time[detected])
        found = count >= trigger.n_det
        if trigger.n_det > 1:
            found &= last - first >= trigger.separation * _MINUTE
        if varies is not None:
            found &= varies >= trigger.n_det * trigger.snr**2
        if trigger.bright_limit is not None:
            found &= self._is_bright(n, owner[there], flux[there], rng)
        kept = there & found[owner]
        if transient and window is not None:
            kept &= time >= (first + window[0])[owner]
            kept &= time <= (last + window[1])[owner]
        return kept, np.flatnonzero(found)

    def _is_bright(
        self, n: int, owner: np.ndarray, flux: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        trigger = self.settings.trigger
        brightest = np.full(n, 1e-30)
        np.maximum.at(brightest, owner, flux)
        faint = 27.5 - 2.5 * np.log10(brightest) - trigger.bright_limit
        if not trigger.bright_width:
            return faint <= 0
        return rng.random(n) < 1 / (1 + np.exp(np.clip(faint / trigger.bright_width, -60, 60)))

    def _truth(self, objects: Objects, t0: np.ndarray, peak_flux: np.ndarray) -> dict:
        own = self.source.truth(self.grid, objects)
        n = len(t0)
        with np.errstate(invalid="ignore", divide="ignore"):
            peak_mag = 27.5 - 2.5 * np.log10(np.where(peak_flux > 0, peak_flux, np.nan))
        truth = {
            "survey": np.full(n, self.survey.label, dtype=object),
            "class": np.full(n, self.source_class.name, dtype=object),
            "redshift": objects["redshift"],
            "mwebv": objects["mwebv"],
            "host_ebv": own.pop("host_ebv", np.full(n, np.nan)),
            "template": own.pop("template"),
            "peak_absmag": own.pop("peak_absmag"),
            "peak_mag": peak_mag,
            "explosion_mjd": t0 + own.pop("explosion"),
            "peak_mjd": t0 + own.pop("peak"),
        }
        return truth | own


def _evidence(
    own: np.ndarray, flux: np.ndarray, variance: np.ndarray, n: int, n_bands: int
) -> np.ndarray:
    """Return chi squared of the true light of n objects against a constant in each band."""
    size, weight = n * n_bands, 1 / variance
    total = np.maximum(np.bincount(own, weight, minlength=size), 1e-300)
    mean = np.bincount(own, weight * flux, minlength=size) / total
    chi2 = np.bincount(own, weight * (flux - mean[own]) ** 2, minlength=size)
    return chi2.reshape(n, n_bands).sum(axis=1)


def _joined(parts: list[Objects]) -> Objects:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
