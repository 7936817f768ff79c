"""Published spectral time series are cleaned of spikes, put on one grid, and extended."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import maximum_filter, median_filter

from sklc.simulate.spectra.series import PHASE, WAVE, SpectralSeries, planck

__all__ = ["on_grid", "rise_before", "without_spikes"]


def on_grid(
    phase: np.ndarray, wave: np.ndarray, flux: np.ndarray, *, rise: float, plateau_end: float | None
) -> SpectralSeries:
    """Mend, interpolate and extend a spectral time series."""
    flux = without_spikes(phase, flux)
    shift = float(phase[0] - PHASE[np.argmin(np.abs(PHASE - phase[0]))])
    if abs(shift) > 0.26:  # starts long before maximum, where points are sparse
        shift = 0.0
    phase = phase - shift
    start, end = phase[0], phase[-1]
    out = np.zeros((len(PHASE), len(WAVE)))
    inside = np.clip(PHASE, start, end)
    row = np.interp(inside, phase, np.arange(len(phase)))
    low = np.minimum(row.astype(int), len(phase) - 2)
    weight = (row - low)[:, None]
    rows = (1 - weight) * flux[low] + weight * flux[low + 1]
    covered = (wave[0] <= WAVE) & (wave[-1] >= WAVE)
    if np.array_equal(wave, WAVE[covered]):
        out[:, covered] = rows
    else:
        for k, spectrum in enumerate(rows):
            out[k, covered] = np.interp(WAVE[covered], wave, spectrum)
    _extend_ultraviolet(out, covered)
    out *= rise_before(start, min(rise, _natural_rise(phase, flux)))[:, None]
    _extend_late(out, phase, end, None if plateau_end is None else start + plateau_end)
    return SpectralSeries(out, float(start), float(end), shift)


def without_spikes(phase: np.ndarray, flux: np.ndarray) -> np.ndarray:
    """Replace spectra that deviate from those of neighbouring days by the running median.

    Some published series have single spectra that are off by magnitudes. Differences below 25 % are
    left alone, and so is the rise, which a running median would flatten.
    """
    step = np.median(np.diff(phase))
    # a glance at one spectrum a day: most series have nothing to mend
    daily = max(1, round(1.0 / step))
    if not _spikes(phase[::daily], flux[::daily], step * daily)[0].any():
        return flux
    off, calm = _spikes(phase, flux, step)
    return np.where(off, calm, flux)


def _spikes(phase: np.ndarray, flux: np.ndarray, step: float) -> tuple[np.ndarray, np.ndarray]:
    """Return which values deviate, and the running median of ten days."""
    size = 2 * round(5.0 / step) + 1
    if len(phase) <= 2 * size:
        return np.zeros(flux.shape, dtype=bool), flux
    # one wavelength at a time, for which scipy has a filter that is twenty times as fast
    calm = np.apply_along_axis(median_filter, 0, flux, size=size, mode="nearest")
    tiny = 1e-4 * flux.max(axis=1, keepdims=True) + 1e-300
    off = np.abs(np.log((flux + tiny) / (calm + tiny))) > 0.25
    level = flux.sum(axis=1)
    risen = phase >= phase[np.argmax(level > 0.3 * np.percentile(level, 98))] + 5.0
    # a day more on either side, where the spike has not quite ended
    off = maximum_filter(off, size=(2 * round(1.0 / step) + 1, 1))
    return off & risen[:, None], calm


def _natural_rise(phase: np.ndarray, flux: np.ndarray) -> float:
    """Return in how many days a rise as t squared reaches the first spectrum with its slope."""
    level = flux.sum(axis=1)
    later = int(np.searchsorted(phase, phase[0] + 0.5))
    slope = np.log(max(level[later], 1e-300) / max(level[0], 1e-300)) / (phase[later] - phase[0])
    return max(2 / slope, 0.5) if slope > 0 else np.inf


def rise_before(start: float, rise: float) -> np.ndarray:
    """Return a factor on `PHASE` that rises as t squared, within `rise` days, to 1 at `start`."""
    before = np.clip((PHASE - start + rise) / rise, 0.0, 1.0)
    return np.where(start > PHASE, before**2, 1.0)


def _extend_ultraviolet(flux: np.ndarray, covered: np.ndarray) -> None:
    """Continue spectra below their shortest wavelength as blanketed blackbodies.

    The temperature is that of the spectrum's own colour between its blue end and 4500 Angstrom,
    within 3500 to 14,000 K, with a further factor (wavelength / blue end) ** 2 for the iron lines.
    What has no data at both wavelengths is not continued.
    """
    first = int(np.argmax(covered))
    if not first or WAVE[first] > 4200 or not covered[np.abs(WAVE - 4500) <= 150].all():
        return

    def level(centre: float) -> np.ndarray:
        near = (np.abs(WAVE - centre) <= 150) & covered
        return flux[:, near].mean(axis=1)

    blue = WAVE[first] + 150.0
    temperature = np.geomspace(3500.0, 14000.0, 60)
    ratio = planck(blue, temperature) / planck(4500.0, temperature)
    seen = level(blue) / np.maximum(level(4500.0), 1e-300)
    own = np.exp(np.interp(seen, ratio, np.log(temperature)))[:, None]
    wave = WAVE[:first]
    shape = planck(wave, own) / planck(blue, own) * (wave / blue) ** 2
    flux[:, :first] = level(blue)[:, None] * shape


def _extend_late(
    flux: np.ndarray, phase: np.ndarray, end: float, plateau_end: float | None
) -> None:
    """Fade beyond the last phase: the last slope at first, then as cobalt does.

    Slopes are those of the last 15 days in bins of 500 Angstrom, .005 to .03 mag/d, relaxing to
    .0098 mag/d within 60 days; a plateau falls by 2.2 (blue) to 1.4 mag (red) at its end.
    """
    late = end < PHASE
    if not late.any():
        return
    last = int(np.argmax(late)) - 1
    earlier = int(np.searchsorted(PHASE, max(end - 15.0, phase[0])))
    if last <= earlier:
        slope = np.full(len(WAVE), 0.0098)
    else:
        bins = ((WAVE - WAVE[0]) // 500).astype(int)
        sums = [np.bincount(bins, flux[k])[bins] for k in (earlier, last)]
        fade = 2.5 * np.log10((sums[0] + 1e-300) / (sums[1] + 1e-300))
        slope = np.clip(fade / (PHASE[last] - PHASE[earlier]), 0.005, 0.03)
    days = PHASE[late][:, None] - PHASE[last]
    mag = 0.0098 * days + (slope - 0.0098) * 60.0 * (1 - np.exp(-days / 60.0))
    if plateau_end is not None:
        depth = np.interp(WAVE, [4500.0, 7000.0], [2.2, 1.4])

        def dropped(at: np.ndarray) -> np.ndarray:
            return 1 / (1 + np.exp(-(at - plateau_end) / 4.0))

        mag = mag + depth * (dropped(PHASE[late][:, None]) - dropped(PHASE[last]))
    flux[late] = flux[last] * 10 ** (-0.4 * mag)
