"""Light curves that no class explains, made by altering known ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from sklc.augment.arrays import log_uniform
from sklc.light_curves import LightCurves
from sklc.light_curves.store import Store
from sklc.utils.floats import saturated
from sklc.utils.offsets import object_of, per_observation, reduce_by_object

__all__ = ["UNKNOWN_KINDS", "make_unknown"]

# Signal-to-noise ratio of the detections between which a light curve is altered.
_SNR = 5.0
# Interpolation averages the noise of two observations: this much of the errors makes up for it.
_SMOOTHED = 0.6


@dataclass(frozen=True, eq=False)
class _Known:
    """Light curves to alter, with times in units of the span of their detections.

    Parameters
    ----------
    store : Store
        The light curves.
    rng : Generator
        Where the draws come from.
    flux, flux_err : ndarray of shape (n_obs_total,), float64
        Those of the store; unknown errors are 0.
    begin, span : ndarray of shape (n_objects,)
        Time of the first detection, and days between it and the last one, at least 3.
    """

    store: Store
    rng: np.random.Generator
    flux: np.ndarray
    flux_err: np.ndarray
    begin: np.ndarray
    span: np.ndarray

    @classmethod
    def of(cls, store: Store, rng: np.random.Generator) -> _Known:
        flux = np.asarray(store.flux, dtype=np.float64)
        flux_err = np.nan_to_num(np.asarray(store.flux_err, dtype=np.float64))
        detected = np.abs(flux) >= _SNR * flux_err
        has_any = reduce_by_object(np.logical_or, detected, store.offsets, empty=False)
        detected |= per_observation(~has_any, store.offsets)
        limits = []
        for reduce, outside in ((np.minimum, np.inf), (np.maximum, -np.inf)):
            counted = np.where(detected, store.time, outside)
            limits.append(reduce_by_object(reduce, counted, store.offsets, empty=0.0))
        return cls(store, rng, flux, flux_err, limits[0], np.maximum(limits[1] - limits[0], 3.0))

    @property
    def phase(self) -> np.ndarray:
        """0 at the first detection, and 1 at the last, (n_obs_total,)."""
        return (self.store.time - self.spread(self.begin)) / self.spread(self.span)

    def spread(self, values: np.ndarray) -> np.ndarray:
        """Repeat one value per object for each of its observations."""
        return per_observation(values, self.store.offsets)

    def uniform(self, low: float, high: float) -> np.ndarray:
        """Draw one number per object, and return it for each of its observations."""
        return self.spread(self.rng.uniform(low, high, self.store.n_objects))

    def log_uniform(self, low: float, high: float) -> np.ndarray:
        """Draw one number per object, log-uniformly, and return it for each observation."""
        return self.spread(log_uniform(self.rng, low, high, self.store.n_objects))

    def noise(self, share: float = 1.0) -> np.ndarray:
        """Draw noise of this share of the errors, (n_obs_total,)."""
        return share * self.flux_err * self.rng.standard_normal(len(self.flux))

    def flux_at(self, phase: np.ndarray, of: np.ndarray | None = None) -> np.ndarray:
        """Return the flux at other phases in the same passbands, 0 before and after; with noise.

        Parameters
        ----------
        phase : ndarray of shape (n_obs_total,)
            The phase that each observation moves to.
        of : ndarray of int, shape (n_objects,), optional
            The object whose flux is taken, instead of that of the object itself.
        """
        store, n_bands = self.store, len(self.store.passbands)
        if not len(self.flux):
            return self.flux
        owner = object_of(store.offsets, np.arange(store.n_observations))
        series = owner * n_bands + store.band
        taken = series if of is None else of[owner] * n_bands + store.band
        own = self.phase
        low, wide = own.min(), 2 * np.ptp(own) + 2.0
        # All series one after the other, so that one call interpolates in all of them.
        order = np.lexsort((own, series))
        known = series[order] * wide + own[order] - low
        wanted = taken * wide + np.clip(phase - low, 0.0, wide - 1.0)
        found = np.interp(wanted, known, self.flux[order])
        begins = np.searchsorted(series[order], taken)
        ends = np.searchsorted(series[order], taken, side="right") - 1
        inside = (begins <= ends) & (wanted >= known[np.minimum(begins, len(known) - 1)])
        inside &= wanted <= known[np.maximum(ends, 0)]
        return np.where(inside, found, 0.0) + self.noise(_SMOOTHED)


def _mirrored(known: _Known) -> Store:
    """Run backwards in time."""
    store = known.store
    time = known.spread(2 * known.begin + known.span) - store.time
    order = np.lexsort((time, known.spread(np.arange(store.n_objects))))
    arrays = {name: getattr(store, name)[order] for name in ("flux", "flux_err", "band")}
    return replace(store, time=time[order], **arrays)


def _double_peaked(known: _Known) -> np.ndarray:
    """Add the same light curve once more, later."""
    again = known.flux_at(known.phase - known.uniform(0.35, 0.8))
    return known.flux + known.log_uniform(0.4, 1.5) * again


def _modulated(known: _Known) -> np.ndarray:
    """Let the flux rise and fall with a period."""
    cycles = known.phase / known.uniform(0.15, 0.5) + known.uniform(0.0, 1.0)
    return known.flux * (1 + known.uniform(0.5, 0.95) * np.sin(2 * np.pi * cycles))


def _stepped(known: _Known) -> np.ndarray:
    """Let the flux stay the same for a while, then jump."""
    steps = np.floor(known.uniform(2.0, 6.0))
    return known.flux_at((np.floor(known.phase * steps) + 0.5) / steps)


def _recoloured(known: _Known) -> np.ndarray:
    """Multiply the flux by a steep power of the wavelength."""
    wave = np.log(known.store.wavelength)
    power = known.uniform(2.4, 6.0) * np.sign(known.uniform(-1.0, 1.0))
    total = reduce_by_object(np.add, wave, known.store.offsets, empty=0.0)
    mean = known.spread(total / np.maximum(known.store.lengths, 1))
    return known.flux * np.exp(np.clip(power * (wave - mean), -20.0, 20.0))


def _dipped(known: _Known) -> np.ndarray:
    """Take the flux away for a while."""
    within = np.abs(known.phase - known.uniform(0.1, 0.9)) < known.uniform(0.05, 0.18)
    return known.flux * (1 - known.uniform(0.6, 1.0) * within)


def _shaped(known: _Known) -> np.ndarray:
    """Replace the flux by a simple shape of one colour: box, ramp, triangle, humps, slow rise."""
    phase, turn = known.phase, known.uniform(0.0, 1.0)
    within = (phase >= 0) & (phase <= 1)
    slope = np.where(phase < turn, turn, 1 - turn)
    shapes = [
        within,
        within * phase,
        np.maximum(1 - np.abs(phase - turn) / np.maximum(slope, 0.05), 0.0),
        within * np.abs(np.sin(np.pi * phase * (2 + np.round(3 * turn)))),
        within * np.exp(np.clip(phase - 1, -1.0, 0.0) * (1 + 6 * turn)),
    ]
    which = np.floor(known.uniform(0.0, len(shapes)))
    shape = np.select([which == k for k in range(len(shapes))], shapes)
    peak = reduce_by_object(np.maximum, known.flux, known.store.offsets, empty=0.0)
    colour = (known.store.wavelength / 0.6) ** known.uniform(-2.0, 2.0)
    return 0.7 * known.spread(peak) * shape * colour + known.noise()


def _stretched(known: _Known) -> np.ndarray:
    """Run several times as fast, or as slowly."""
    pace = known.log_uniform(3.0, 8.0) ** np.sign(known.uniform(-1.0, 1.0))
    return known.flux_at(known.phase * pace)


def _mixed(known: _Known) -> np.ndarray:
    """Take the flux of the bluer, or redder, passbands from another object."""
    store = known.store
    other = known.rng.permutation(store.n_objects)
    peaks = reduce_by_object(np.maximum, known.flux, store.offsets, empty=0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.nan_to_num(peaks / peaks[other], posinf=0.0, neginf=0.0)
    wave, limits = store.wavelength, []
    for reduce, empty in ((np.minimum, 0.0), (np.maximum, 0.0)):
        limits.append(known.spread(reduce_by_object(reduce, wave, store.offsets, empty=empty)))
    red = wave > (limits[0] + limits[1]) / 2
    taken = red ^ (known.uniform(0.0, 1.0) < 0.5)
    return np.where(taken, known.spread(scale) * known.flux_at(known.phase, other), known.flux)


#: Ways to make something unknown of a known light curve, by name.
UNKNOWN_KINDS: dict[str, Callable[[_Known], Store | np.ndarray]] = {
    "mirrored": _mirrored,
    "double-peaked": _double_peaked,
    "modulated": _modulated,
    "stepped": _stepped,
    "recoloured": _recoloured,
    "dipped": _dipped,
    "shaped": _shaped,
    "stretched": _stretched,
    "mixed": _mixed,
}


def make_unknown(curves: LightCurves, rng: np.random.Generator) -> tuple[LightCurves, np.ndarray]:
    """Alter light curves of known classes until no class explains them.

    Times, passbands and errors stay those of the survey, so that nothing but the source itself is
    unusual. Each object is altered in one way, drawn at random: it runs backwards, or has a second
    peak, a period, steps, a dip, another colour, shape or time scale, or passbands of two objects.

    Parameters
    ----------
    curves : LightCurves
        Transients. Objects that vary without beginning and end would look much the same afterwards.
    rng : Generator
        Where the draws come from.

    Returns
    -------
    unknown : LightCurves
        The altered light curves, in the same order, with the same ids and metadata.
    kind : ndarray of str, shape (n_objects,)
        How each was altered: a name from `UNKNOWN_KINDS`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.augment.unknowns import make_unknown
    >>> from sklc.datasets import load_demo
    >>> unknown, kind = make_unknown(load_demo().curves[:4], np.random.default_rng(0))
    >>> len(unknown), kind.shape
    (4, (4,))
    """
    kind = rng.choice(list(UNKNOWN_KINDS), len(curves))
    parts, rows = [], []
    for name in np.unique(kind):
        own = np.flatnonzero(kind == name)
        known = _Known.of(curves[own]._compact(), rng)
        made = UNKNOWN_KINDS[name](known)
        if not isinstance(made, Store):
            flux = saturated(made).astype(known.store.flux.dtype)
            made = replace(known.store, flux=flux)
        parts.append(LightCurves._from_store(made))
        rows.append(own)
    if not parts:
        return curves, kind
    return LightCurves.concatenate(parts)[np.argsort(np.concatenate(rows))], kind
