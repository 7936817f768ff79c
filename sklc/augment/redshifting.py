"""Redshifting, the transformer of `sklc.augment.transformers` that needs a cosmology."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, replace
from numbers import Real

import numpy as np

from sklc.augment.arrays import inflate_errors
from sklc.augment.base import Augmenter
from sklc.cosmology import MAX_REDSHIFT, MIN_REDSHIFT, distance_modulus
from sklc.errors import LightCurveError
from sklc.light_curves.bands import unique_passbands
from sklc.light_curves.store import Store, describe, read_only
from sklc.passbands.registry import Passband
from sklc.utils.floats import saturated
from sklc.utils.offsets import count_by_object
from sklc.utils.sklearn_compat import Interval

__all__ = ["Redshifting"]

_STEP = 0.01  # of ln(1+z): any number of objects then share a few tens of passbands
_VISIBLE = 5.0  # flux / flux_err of the observations that count


@dataclass(eq=False, repr=False)
class Redshifting(Augmenter):
    """Move objects to a higher redshift, keeping the rest-frame wavelengths they were observed at.

    With r = (1+z') / (1+z), from the redshift z in the metadata to z', and luminosity distances d
    of flat LambdaCDM (H0 = 70 km/s/Mpc, Omega_m = 0.3):

    - time since the object's first observation is multiplied by r;
    - effective wavelengths are multiplied by r: the passband "ztfg" becomes "ztfg*1.05", of the
      same survey, and no spectrum is interpolated;
    - flux, per unit of frequency, is multiplied by s = r (d(z) / d(z'))^2;
    - flux errors stay, and noise of sqrt(1 - s^2) times the error is added: the noise of the sky,
      unlike the light, does not dim;
    - the metadata column "redshift" becomes z'.

    ln r is a random multiple of 0.01, so that there are few passbands. An object is left unaltered
    if fewer than `min_points` observations would have flux / flux_err >= 5, or if its redshift is
    below 0.001, where it does not determine the distance, or would exceed 6.

    Parameters
    ----------
    share : float, default=0.3
        Share of objects to alter.
    min_points : int, default=3
        An object that would be left with fewer detections is left unaltered.
    random_state : int, RandomState instance or None, default=None
        With an int, every call makes the same random choices.
    largest : float, default=1.2
        Largest r, from 1.02 to 7.

    Raises
    ------
    ImportError
        From `transform`, where astropy is not installed.

    Examples
    --------
    >>> from sklc.datasets import load_demo
    >>> from sklc.augment.transformers import Redshifting
    >>> curves = load_demo().curves[:4]
    >>> far = Redshifting(share=1, largest=1.05, random_state=0).fit_transform(curves)
    >>> curves.metadata["redshift"].tolist()
    [0.01537, 0.03537, 0.04476, 0.01668]
    >>> far.metadata["redshift"].round(5).tolist()
    [0.02557, 0.05629, 0.07658, 0.04764]
    >>> far[2].passbands[0].name, round(far[2].passbands[0].wavelength, 4)
    ('ztfg*1.03', 0.4961)
    """

    _parameter_constraints = Augmenter._parameter_constraints | {
        "largest": [Interval(Real, 1.02, 1 + MAX_REDSHIFT, closed="both")]
    }

    _needs_errors = True
    share: float = 0.3
    _: KW_ONLY
    largest: float = 1.2

    def _altered(self, store: Store, chosen: np.ndarray, rng: np.random.Generator) -> Store:
        z = _redshifts(store)
        far = np.log1p(MAX_REDSHIFT) - np.log1p(np.maximum(z, MIN_REDSHIFT))
        n_steps = np.floor(np.minimum(np.log(self.largest), far) / _STEP)
        steps = np.ceil(rng.random(store.n_objects) * n_steps)
        steps[~chosen | (z < MIN_REDSHIFT) | (n_steps < 1)] = 0
        ratio = np.exp(_STEP * steps)
        moved_z = np.where(steps > 0, (1 + z) * ratio - 1, z)
        before, after = (distance_modulus(np.maximum(x, MIN_REDSHIFT)) for x in (z, moved_z))
        scale = ratio * 10 ** (0.4 * (before - after))

        lengths = np.diff(store.offsets)
        dimmed = np.repeat(scale, lengths)
        # the dimmed errors, inflated to what they were
        flux, flux_err = inflate_errors(
            dimmed * store.flux, dimmed * store.flux_err, 1 / dimmed, rng
        )
        visible = count_by_object(flux >= _VISIBLE * flux_err, store.offsets)
        moved = (steps > 0) & (visible >= self.min_points)
        steps[~moved] = 0
        altered = np.repeat(moved, lengths)
        first = store.time[np.repeat(store.offsets[:-1], lengths)]
        time = first + np.repeat(ratio, lengths) * (store.time - first)
        band, passbands = _moved_passbands(store, np.repeat(steps.astype(np.int64), lengths))
        return replace(
            store,
            time=read_only(np.where(altered, saturated(time), store.time)),
            flux=read_only(saturated(np.where(altered, flux, store.flux), store.flux.dtype)),
            band=read_only(band),
            passbands=passbands,
            metadata=store.metadata.assign(redshift=np.where(moved, moved_z, z)),
        )


def _redshifts(store: Store) -> np.ndarray:
    """Return the redshifts from the metadata; refuse missing ones."""
    if "redshift" not in store.metadata.columns:
        raise LightCurveError(
            "redshifting needs the metadata column 'redshift', and the light curves have "
            f"{[str(c) for c in store.metadata.columns]}: add it with "
            "curves.with_metadata(redshift=...)"
        )
    try:
        z = store.metadata["redshift"].to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise LightCurveError(f"the metadata column 'redshift' is not numeric: {error}") from error
    missing = np.flatnonzero(~np.isfinite(z))
    if len(missing):
        raise LightCurveError(
            f"{describe(store.ids, missing[0])} has no redshift ({len(missing)} of {len(z)} "
            'objects): leave such objects out, curves[curves.metadata["redshift"].notna()]'
        )
    return z


def _moved_passbands(store: Store, steps: np.ndarray) -> tuple[np.ndarray, tuple[Passband, ...]]:
    """Return band codes and passbands for observations moved by `steps`, 0 for those that stay."""
    n_bands = len(store.passbands)
    moves, pair = np.unique(steps * n_bands + store.band, return_inverse=True)
    moved = [
        _moved(store.passbands[code], step)
        for step, code in zip(*divmod(moves, n_bands), strict=True)
    ]
    # the passbands that are there keep their codes; an earlier move may have led to the same one
    lookup, passbands = unique_passbands([*store.passbands, *moved])
    return lookup[n_bands + pair], passbands


def _moved(old: Passband, step: int) -> Passband:
    """Return a passband with its wavelength multiplied by exp(0.01 step)."""
    if not step:
        return old
    ratio = float(np.exp(_STEP * step))
    source = f"{old.name} with its wavelength multiplied by exp({_STEP * step:.2f})"
    name = f"{old.name}*{ratio:.2f}"
    return Passband(name, old.survey, old.wavelength * ratio, source=source)
