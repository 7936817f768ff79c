"""Pulsating stars: Fourier series whose coefficients follow the period, and many modes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sklc.simulate.sources.base import Normal, Objects, Points
from sklc.simulate.sources.variable import Mixture, Modulation, Relation, VariableStar, fold, scaled

__all__ = ["MultimodeStar", "PulsatingStar", "fourier_table"]

_HARMONICS, _PHASES = 8, 256


def fourier_table(
    ratio21: np.ndarray, phase21: np.ndarray, ratio31: np.ndarray, phase31: np.ndarray
) -> np.ndarray:
    """Light curves of one cycle from Fourier parameters, in magnitudes.

    The series is sum A_k cos(2 pi k phase + phi_k), with R_k1 = A_k / A_1 and phi_k1 = phi_k -
    k phi_1 (Simon & Lee 1981, ApJ 248, 291). Beyond the third harmonic, the ratio of amplitudes
    falls and the phases advance as they do from the second to the third.

    Parameters
    ----------
    ratio21, ratio31 : ndarray of shape (n_objects,)
        R_21 and R_31.
    phase21, phase31 : ndarray of shape (n_objects,)
        phi_21 and phi_31 in radians.

    Returns
    -------
    ndarray of shape (n_objects, 256)
        Magnitudes of peak-to-peak amplitude 1 about a mean of 0.

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.simulate.sources.pulsating import fourier_table
    >>> table = fourier_table(*np.array([[0.45], [3.95], [0.34], [1.9]]))
    >>> rise = (np.argmin(table) - np.argmax(table)) % 256 / 256
    >>> bool(rise < 0.2)  # RR Lyrae stars brighten in less than a fifth of their period
    True
    """
    k = np.arange(1, _HARMONICS + 1)
    fall = np.clip(ratio31 / np.maximum(ratio21, 1e-3), 0.0, 0.85)[:, None]
    size = np.where(k == 1, 1.0, ratio21[:, None] * fall ** np.maximum(k - 2, 0))
    size[:, 2] = ratio31
    angle = (k - 1) * phase21[:, None] + np.maximum(k - 2, 0) * (phase31 - 2 * phase21)[:, None]
    grid = 2 * np.pi * np.outer(k, np.arange(_PHASES) / _PHASES)
    table = (size * np.cos(angle)) @ np.cos(grid) - (size * np.sin(angle)) @ np.sin(grid)
    return table / np.ptp(table, axis=1, keepdims=True)


@dataclass(frozen=True)
class PulsatingStar(VariableStar):
    """Radial pulsation: a Fourier series, its amplitude and coefficients related to the period.

    Parameters
    ----------
    log_temperature, chroma, mag
        As for `VariableStar`.
    name : str
        Name of the kind in the metadata column "template".
    periods : Mixture
        Distribution of log10 of the period in days.
    amplitude : tuple of Relation
        Peak-to-peak amplitude in V; each of several relations is as likely as the others.
    ratio21, phase21, ratio31, phase31 : Relation
        Fourier parameters of the V light curve, see `fourier_table`.
    temperature_slope : float
        Change of log10 of the temperature per dex of the period, about the median period.
    second : tuple of (float, float)
        Share of stars with a second mode, and the ratio of its period to the first.
    second_amplitude : Normal
        Amplitude of the second mode as a share of the first.
    modulation : Modulation
        Slow changes, such as those of Blazhko and of long-period stars.

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.simulate import CLASSES
    >>> star = CLASSES["RRab"].source.draw(np.random.default_rng(0), 1000)
    >>> bool(np.corrcoef(star["period"], star["amplitude"])[0, 1] < -0.4)  # Oosterhoff
    True
    """

    name: str = "pulsator"
    periods: Mixture = Mixture((1.0, 0.0, 0.1))
    amplitude: tuple[Relation, ...] = (Relation(((0.0, 0.5),), 0.1, low=0.05),)
    ratio21: Relation = Relation(((0.0, 0.3),), 0.05, low=0.0)
    phase21: Relation = Relation(((0.0, 4.0),), 0.1)
    ratio31: Relation = Relation(((0.0, 0.15),), 0.04, low=0.0)
    phase31: Relation = Relation(((0.0, 2.0),), 0.2)
    temperature_slope: float = 0.0
    second: tuple[float, float] = (0.0, 0.744)
    second_amplitude: Normal = Normal(0.4, 0.15, low=0.05)
    modulation: Modulation = Modulation()

    @cached_property
    def _middle(self) -> float:
        share, mean, _ = np.array(self.periods.parts).T
        return float(np.average(mean, weights=share))

    def draw(self, rng: np.random.Generator, n: int) -> Objects:
        """Draw period, amplitude and shape."""
        log_period = self.periods.draw(rng, n)
        amplitudes = np.stack([relation.draw(rng, log_period) for relation in self.amplitude])
        own = {
            name: getattr(self, name).draw(rng, log_period)
            for name in ("ratio21", "phase21", "ratio31", "phase31")
        }
        has_second = rng.random(n) < self.second[0]
        shift = self.temperature_slope * (log_period - self._middle)
        return {
            **own,
            "period": 10**log_period,
            "amplitude": amplitudes[rng.integers(len(amplitudes), size=n), np.arange(n)],
            "log_temperature": np.clip(self.log_temperature.draw(rng, n) + shift, 3.32, 4.9),
            "second": np.where(has_second, self.second_amplitude.draw(rng, n), 0.0),
            "ratio": self.second[1] * (1 + 0.004 * rng.standard_normal(n)),
            "phase2": rng.random(n),
            **self.modulation.draw(rng, n),
        }

    def relative_flux(
        self, objects: Objects, points: Points, effective: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """Return the flux relative to the mean."""
        owner = points.owner
        cycles = points.days / objects["period"][owner]
        table = fourier_table(*(objects[k] for k in ("ratio21", "phase21", "ratio31", "phase31")))
        factor, shift, trend = self.modulation.curves(objects, owner, cycles)
        wave = factor * fold(table, owner, cycles + objects["phase"][owner] + shift) + trend
        if objects["second"].any():
            angle = 2 * np.pi * (cycles / objects["ratio"][owner] + objects["phase2"][owner])
            # the modes couple: a term at the sum of their frequencies, brightest where both are,
            # and the first is faintest at phase 0
            both = angle + 2 * np.pi * (cycles + objects["phase"][owner])
            size = 0.5 * objects["second"][owner]
            wave = wave - size * (np.cos(angle) + 0.25 * np.cos(2 * angle) - 0.3 * np.cos(both))
        return scaled(objects["amplitude"][owner] * wave, objects, points, effective)

    def kinds(self, objects: Objects) -> np.ndarray:
        """Return the name of the kind of each star."""
        return np.full(len(objects["mag"]), self.name, dtype=object)


@dataclass(frozen=True)
class MultimodeStar(VariableStar):
    """Non-radial pulsation: several sines of unrelated periods.

    Parameters
    ----------
    log_temperature, chroma, mag
        As for `VariableStar`.
    name : str
        Name of the kind in the metadata column "template".
    periods : Mixture
        Distribution of log10 of the period in days of the strongest mode.
    log_amplitude : Normal
        Distribution of log10 of the peak-to-peak amplitude of the strongest mode in V.
    modes : int
        Largest number of modes.
    spread : float
        Standard deviation of ln of the ratio of the other modes' periods to the first.

    Examples
    --------
    >>> from sklc.simulate.sources import MultimodeStar
    >>> MultimodeStar().modes
    5
    """

    name: str = "multimode"
    periods: Mixture = Mixture((1.0, -1.0, 0.2))
    log_amplitude: Normal = Normal(-1.3, 0.35)
    modes: int = 5
    spread: float = 0.25

    def draw(self, rng: np.random.Generator, n: int) -> Objects:
        """Draw periods and amplitudes of the modes."""
        period = 10 ** self.periods.draw(rng, n)
        amplitude = 10 ** self.log_amplitude.draw(rng, n)
        number = rng.integers(1, self.modes + 1, n)
        own = {"period": period, "amplitude": amplitude, "harmonic": rng.uniform(0.0, 0.25, n)}
        for k in range(1, self.modes):
            own[f"ratio{k}"] = np.exp(self.spread * rng.standard_normal(n))
            own[f"share{k}"] = np.where(k < number, rng.uniform(0.1, 0.9, n) / np.sqrt(k), 0.0)
            own[f"start{k}"] = rng.random(n)
        return own

    def relative_flux(
        self, objects: Objects, points: Points, effective: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """Return the flux relative to the mean."""
        owner = points.owner
        cycles = points.days / objects["period"][owner]
        angle = 2 * np.pi * (cycles + objects["phase"][owner])
        # harmonics of a mode steepen its rise
        wave = np.sin(angle) + objects["harmonic"][owner] * np.sin(2 * angle + 2.4)
        for k in range(1, self.modes):
            angle = cycles / objects[f"ratio{k}"][owner] + objects[f"start{k}"][owner]
            wave += objects[f"share{k}"][owner] * np.sin(2 * np.pi * angle)
        return scaled(0.5 * objects["amplitude"][owner] * wave, objects, points, effective)

    def kinds(self, objects: Objects) -> np.ndarray:
        """Return the name of the kind of each star."""
        return np.full(len(objects["mag"]), self.name, dtype=object)
