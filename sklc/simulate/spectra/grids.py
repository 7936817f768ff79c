"""Band fluxes of spectra as a table over redshift, passband and phase, built once and cached.

A table costs one matrix product per spectrum: the weights of "shift to a redshift, multiply by the
transmission, integrate" are the same for all. Dust and colour laws are kept as slopes of ln flux
beside it, with a quadratic term for the shift of the effective wavelength in strong reddening.
Looking up is one interpolation for all observations of all objects at once.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from sklc._optional import require
from sklc.simulate.spectra.series import AB_FLUX, WAVE
from sklc.utils.files import replace_file

__all__ = ["BandGrid", "Bands", "Law", "build_grid", "cache_folder", "cached_grid"]

ZERO_POINT = 27.5
_FORMAT = "14"  # of the cached files; raise it when their content changes
_STEP = 0.006  # in ln(1+z); .003 mag in griz, .02 in u of blanketed spectra
SLOPE_STRIDE = 5  # slopes are smoother than fluxes: one in five phases


@dataclass(frozen=True, eq=False)
class Bands:
    """Transmission curves of the passbands of a survey.

    Parameters
    ----------
    names : tuple of str
        Names of the passbands.
    curves : tuple of (ndarray, ndarray)
        Wavelength in Angstrom, ascending, and transmission per photon, of each.
    """

    names: tuple[str, ...]
    curves: tuple[tuple[np.ndarray, np.ndarray], ...]

    def key(self) -> str:
        """Return a digest of the curves."""
        digest = hashlib.sha256()
        for wave, transmission in self.curves:
            digest.update(np.asarray(wave, dtype=float).tobytes())
            digest.update(np.asarray(transmission, dtype=float).tobytes())
        return digest.hexdigest()

    @cached_property
    def effective(self) -> np.ndarray:
        """Effective wavelengths in Angstrom, shape (n_bands,)."""
        return np.array([np.sum(w * t) / np.sum(t) for w, t in map(_sampled, self.curves)])


@dataclass(frozen=True)
class Law:
    """How a parameter reddens: magnitudes of extinction per unit of it.

    Parameters
    ----------
    name : str
        Name of the law.
    magnitudes : callable
        Function of wavelength in Angstrom.
    frame : {"rest", "observer"}
        Frame of the wavelength: host dust and intrinsic colour, or the Milky Way.
    small, large : float
        Two values of the parameter at which slope and curvature are determined.
    """

    name: str
    magnitudes: Callable[[np.ndarray], np.ndarray]
    frame: str = "rest"
    small: float = 0.1
    large: float = 0.5


def fitzpatrick99(wave: np.ndarray) -> np.ndarray:
    """Extinction for E(B-V) = 1 and R_V = 3.1 (Fitzpatrick 1999, PASP 111, 63)."""
    wave = np.clip(np.asarray(wave, dtype=float), 910.0, 6e4)
    law = require("extinction").fitzpatrick99
    return law(wave.ravel(), 3.1, 3.1).reshape(wave.shape)


MILKY_WAY = Law("mwebv", fitzpatrick99, frame="observer")
HOST = Law("host_ebv", fitzpatrick99)


@dataclass(frozen=True, eq=False)
class BandGrid:
    """Band fluxes of several spectral series, and how dust and colour change them.

    Parameters
    ----------
    flux : ndarray of float32, shape (n_series, n_redshifts, n_bands, len(axis))
        Flux at zero point 27.5 of a source at 10 pc, redshifted.
    slopes : ndarray of float32, shape (n_series, n_redshifts, n_bands, n_coarse, n_laws, 2)
        Slope and curvature of ln flux with each law's parameter, on every fifth point of `axis`.
    axis : ndarray of shape (n,)
        Phase in days, or log10 temperature.
    laws : tuple of str
        Names of the laws, in the order of `slopes`.
    info : ndarray of shape (n_series, n_facts)
        Facts about each series that the source model needs.
    effective : ndarray of shape (n_bands,)
        Effective wavelengths in Angstrom.
    """

    flux: np.ndarray
    slopes: np.ndarray
    axis: np.ndarray
    laws: tuple[str, ...]
    info: np.ndarray
    effective: np.ndarray

    @cached_property
    def peak(self) -> np.ndarray:
        """Largest flux along the axis, shape (n_series, n_redshifts, n_bands)."""
        return self.flux.max(axis=3)

    @cached_property
    def peak_slopes(self) -> np.ndarray:
        """Slopes at the largest flux, shape (n_series, n_redshifts, n_bands, n_laws, 2)."""
        index = (self.flux.argmax(axis=3) // SLOPE_STRIDE)[..., None, None, None]
        return np.take_along_axis(self.slopes, index, axis=3)[:, :, :, 0]

    def redshift_index(self, redshift: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return lower grid index and weight of the next one, each of shape (n_objects,)."""
        position = np.log1p(redshift) / _STEP
        low = np.minimum(position.astype(np.int64), self.flux.shape[1] - 2)
        return low, (position - low).astype(np.float32)

    def at_peak(
        self, series: np.ndarray, redshift: np.ndarray, ebv: Mapping[str, np.ndarray]
    ) -> np.ndarray:
        """Return the largest flux of each object in each band, shape (n_objects, n_bands)."""
        low, weight = self.redshift_index(redshift)
        weight = weight[:, None]
        flux = (1 - weight) * self.peak[series, low] + weight * self.peak[series, low + 1]
        slopes = self.peak_slopes[series, low]
        for k, law in enumerate(self.laws):
            e = np.asarray(ebv[law])[:, None]
            flux = flux * np.exp(np.minimum(e * (slopes[..., k, 0] + e * slopes[..., k, 1]), 20))
        return flux

    def lookup(
        self,
        series: np.ndarray,
        redshift: np.ndarray,
        ebv: Mapping[str, np.ndarray],
        owner: np.ndarray,
        band: np.ndarray,
        x: np.ndarray,
    ) -> np.ndarray:
        """Return the flux of each observation.

        Parameters
        ----------
        series : ndarray of int, shape (n_objects,)
            Which series of spectra each object has.
        redshift : ndarray of shape (n_objects,)
            Redshift of each object, 0 in the Milky Way.
        ebv : mapping
            Name of a law to its parameter, shape (n_objects,).
        owner : ndarray of int, shape (n_obs,)
            Object of each observation.
        band : ndarray of int, shape (n_obs,)
            Index of the passband of each observation.
        x : ndarray of shape (n_obs,)
            Position along `axis`; the flux is that of the nearest end beyond it.

        Returns
        -------
        ndarray of float32, shape (n_obs,)
        """
        n_axis = len(self.axis)
        n_bands = self.flux.shape[2]
        position = np.interp(x, self.axis, np.arange(n_axis))
        left = np.minimum(position.astype(np.int64), n_axis - 2)
        w = (position - left).astype(np.float32)
        low, weight = self.redshift_index(redshift)
        v = weight[owner]
        flat = self.flux.reshape(-1)
        stride = n_bands * n_axis
        index = ((series * self.flux.shape[1] + low) * stride)[owner] + band * n_axis + left
        near = flat[index] * (1 - w) + flat[index + 1] * w
        index += stride
        far = flat[index] * (1 - w) + flat[index + 1] * w
        flux = near + v * (far - near)
        coarse = self.slopes.shape[3]
        n_laws = len(self.laws)
        rows = self.slopes.reshape(-1, 2 * n_laws)
        nearest = low + (weight > 0.5)
        index = ((series * self.flux.shape[1] + nearest) * n_bands * coarse)[owner]
        index += band * coarse + np.minimum((left + (w > 0.5)) // SLOPE_STRIDE, coarse - 1)
        terms = rows[index]
        exponent = np.zeros(len(owner), dtype=np.float32)
        for k, law in enumerate(self.laws):
            e = np.asarray(ebv[law], dtype=np.float32)[owner]
            exponent += e * (terms[:, 2 * k] + e * terms[:, 2 * k + 1])
        return flux * np.exp(np.minimum(exponent, 20, out=exponent))


def build_grid(
    cubes: Sequence[np.ndarray],
    axis: np.ndarray,
    bands: Bands,
    z_max: float,
    laws: Sequence[Law] = (MILKY_WAY, HOST),
    info: np.ndarray | None = None,
) -> BandGrid:
    """Integrate spectra over passbands at all redshifts.

    Parameters
    ----------
    cubes : sequence of ndarray of shape (len(axis), len(WAVE))
        Rest-frame flux density per wavelength at 10 pc, erg/s/cm2/Angstrom.
    axis : ndarray
        Values of the last axis: phases, or other parameters of the spectra.
    bands : Bands
        Passbands of the survey, with their transmission curves.
    z_max : float
        Largest redshift of the table.
    laws : sequence of Law
        Laws whose slopes are tabulated.
    info : ndarray of shape (n_series, n_facts), optional
        Facts about each series, kept with the table.

    Returns
    -------
    BandGrid
    """
    if info is None:
        info = np.zeros((len(cubes), 0))
    log1p_z = np.arange(int(np.ceil(np.log1p(z_max) / _STEP)) + 2) * _STEP
    n_z, n_b = len(log1p_z), len(bands.names)
    weights = _weights(bands, log1p_z)
    reddened = {
        (law.name, e): _weights(bands, log1p_z, law, e) if law.frame == "observer" else weights
        for law in laws
        for e in (law.small, law.large)
    }
    flux = np.empty((len(cubes), n_z, n_b, len(axis)), dtype=np.float32)
    coarse = axis[::SLOPE_STRIDE]
    slopes = np.empty((len(cubes), n_z, n_b, len(coarse), len(laws), 2), dtype=np.float32)

    def integrate(cube: np.ndarray, weight: np.ndarray) -> np.ndarray:
        return (cube @ weight).reshape(-1, n_z, n_b).transpose(1, 2, 0)

    for t, cube in enumerate(cubes):
        cube = np.asarray(cube, dtype=np.float32)
        flux[t] = integrate(cube, weights)
        part = cube[::SLOPE_STRIDE]
        plain = flux[t][:, :, ::SLOPE_STRIDE]
        for k, law in enumerate(laws):
            ratios = []
            for e in (law.small, law.large):
                dimmed = part
                if law.frame == "rest":
                    dimmed = part * (10 ** (-0.4 * e * law.magnitudes(WAVE))).astype(np.float32)
                with np.errstate(divide="ignore", invalid="ignore"):
                    ratios.append(np.log(integrate(dimmed, reddened[law.name, e]) / plain) / e)
            curvature = (ratios[1] - ratios[0]) / (law.large - law.small)
            slope = ratios[0] - law.small * curvature
            low, high = _slope_range(bands, log1p_z, law)
            slopes[t, ..., k, 0] = np.clip(np.nan_to_num(slope), low, high)
            slopes[t, ..., k, 1] = np.clip(np.nan_to_num(curvature), 0.0, (high - low) ** 2 / 8)
    names = tuple(law.name for law in laws)
    return BandGrid(flux, slopes, np.asarray(axis), names, info, bands.effective)


def _slope_range(bands: Bands, log1p_z: np.ndarray, law: Law) -> tuple[np.ndarray, np.ndarray]:
    """Return the range of the law within each band, as slopes, shape (n_redshifts, n_bands, 1).

    The slope of any spectrum lies within it; but for spectra that are zero, or below it where
    their training data were noise, a ratio of fluxes can be anything.
    """
    shift = np.exp(log1p_z)[:, None] if law.frame == "rest" else np.ones((len(log1p_z), 1))
    ranges = []
    for wave, transmission in map(_sampled, bands.curves):
        seen = wave[transmission > 0.01 * transmission.max()]
        slope = -0.4 * np.log(10) * np.asarray(law.magnitudes(seen / shift))
        ranges.append((slope.min(axis=1), slope.max(axis=1)))
    low, high = np.moveaxis(np.array(ranges), 1, 0)
    return low.T[:, :, None], high.T[:, :, None]


def _sampled(curve: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Sample a transmission curve at the centres of steps of 5 Angstrom, as sncosmo does."""
    wave, transmission = curve
    n = int(np.ceil((wave[-1] - wave[0]) / 5.0))
    step = (wave[-1] - wave[0]) / n
    centres = wave[0] + step * (np.arange(n) + 0.5)
    return centres, np.interp(centres, wave, transmission)


def _weights(
    bands: Bands, log1p_z: np.ndarray, law: Law | None = None, ebv: float = 0.0
) -> np.ndarray:
    """Return weights on `WAVE` that give AB flux, shape (len(WAVE), n_redshifts * n_bands)."""
    n_wave, n_z = len(WAVE), len(log1p_z)
    out = np.zeros((n_z, len(bands.names), n_wave))
    one_plus_z = np.exp(log1p_z)[:, None]
    for b, curve in enumerate(bands.curves):
        wave, transmission = _sampled(curve)
        # photons counted, relative to those of a source of 0 mag AB everywhere (3631 Jy)
        norm = 10 ** (0.4 * ZERO_POINT) / np.sum(AB_FLUX * transmission / wave)
        photons = transmission * wave * norm
        if law is not None:
            photons = photons * 10 ** (-0.4 * ebv * law.magnitudes(wave))
        position = (wave / one_plus_z - WAVE[0]) / (WAVE[1] - WAVE[0])
        low = np.floor(position).astype(np.int64)
        upper = position - low
        inside = (low >= 0) & (low < n_wave - 1)
        row = np.broadcast_to(np.arange(n_z)[:, None], low.shape)
        value = photons / one_plus_z  # flux density per wavelength dims once more by 1+z
        for shift, share in ((0, 1 - upper), (1, upper)):
            index = (row * n_wave + low + shift)[inside]
            summed = np.bincount(index, (value * share)[inside], minlength=n_z * n_wave)
            out[:, b] += summed.reshape(n_z, n_wave)
    return out.transpose(2, 0, 1).reshape(n_wave, -1).astype(np.float32)


# -- on disk


def cache_folder() -> Path:
    """Return the folder of cached tables: ``$SKLC_CACHE_DIR``, else one in the user's cache."""
    if os.environ.get("SKLC_CACHE_DIR"):
        return Path(os.environ["SKLC_CACHE_DIR"])
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "sklc" / "grids"


def cached_grid(key: Sequence[Any], build: Callable[[], BandGrid]) -> BandGrid:
    """Return the table of a key, from memory or disk, or build and keep it.

    Parameters
    ----------
    key : sequence
        Everything that the table depends on; it is hashed as text.
    build : callable
        A function that builds the table if it is not cached.

    Returns
    -------
    BandGrid

    Notes
    -----
    A table whose file cannot be read is built again, and a folder that cannot be written to is
    ignored: the cache only saves time.
    """
    text = "|".join(map(str, [_FORMAT, _STEP, len(WAVE), *key]))
    digest = hashlib.sha256(text.encode()).hexdigest()[:32]
    if digest in _memory:
        return _memory[digest]
    file: Path | None = None
    with contextlib.suppress(RuntimeError):  # there is no home folder
        file = cache_folder() / f"{digest}.npz"
    grid = None if file is None else _read(file)
    if grid is None:
        grid = build()
        if file is not None:
            _write(file, grid)
    while len(_memory) >= 64:
        _memory.pop(next(iter(_memory)))
    _memory[digest] = grid
    return grid


_memory: dict[str, BandGrid] = {}


def _read(file: Path) -> BandGrid | None:
    try:
        with np.load(file) as data:
            columns: dict[str, Any] = {field.name: data[field.name] for field in fields(BandGrid)}
            return BandGrid(**columns | {"laws": tuple(map(str, data["laws"]))})
    except Exception:  # there is none, or it is damaged
        return None


def _write(file: Path, grid: BandGrid) -> None:
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        content = io.BytesIO()
        np.savez(content, **{field.name: getattr(grid, field.name) for field in fields(grid)})
        replace_file(file, content.getvalue())
