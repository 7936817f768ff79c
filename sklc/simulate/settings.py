"""The options of a simulation, which are validated here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sklc.cosmology import MAX_REDSHIFT
from sklc.errors import SimulationError

__all__ = ["Photometry", "Settings", "Trigger", "is_integer", "is_number"]


@dataclass(frozen=True)
class Trigger:
    """The condition under which an object counts as found.

    Parameters
    ----------
    n_det : int, default=2
        Number of detections that are needed.
    snr : float, default=5.0
        Least signal-to-noise ratio of a detection. Fluxes of transients have to be positive;
        variables may also be fainter than their reference. Stars and quasars in total flux are
        always detected; they are found if chi squared against a constant light reaches ``n_det *
        snr**2``, the evidence of as many detections in difference images.
    separation : float, default=30.0
        Least time in minutes between the first and the last detection, which excludes asteroids;
        ignored if ``n_det`` is 1.
    bright_limit : float, optional
        Magnitude that the brightest observation has to exceed, noise aside: the selection of
        spectroscopic samples, which is a Malmquist bias. The ZTF Bright Transient Survey is
        complete to 18.5 (Perley et al. 2020, ApJ 904, 35).
    bright_width : float, default=0.0
        Softens that limit: the chance is 1 / (1 + exp((mag - bright_limit) / bright_width)).

    Examples
    --------
    >>> from sklc.simulate import Trigger
    >>> Trigger(n_det=6, bright_limit=19.0)
    Trigger(n_det=6, snr=5, separation=30.0, bright_limit=19.0, bright_width=0.0)
    """

    n_det: int = 2
    snr: float = 5
    separation: float = 30.0
    bright_limit: float | None = None
    bright_width: float = 0.0

    def __post_init__(self) -> None:
        if not is_integer(self.n_det, least=1):
            raise SimulationError(f"Trigger: n_det={self.n_det!r} is not an integer of at least 1.")
        for name in ("snr", "separation", "bright_width"):
            value = getattr(self, name)
            if not is_number(value) or value < 0:
                raise SimulationError(f"Trigger: {name}={value!r} is not a number of at least 0.")
        if self.bright_limit is not None and not (
            is_number(self.bright_limit) and 0 < self.bright_limit < 40
        ):
            raise SimulationError(
                f"Trigger: bright_limit={self.bright_limit!r} is not an apparent magnitude: pass "
                "one of 0 to 40, or None."
            )


@dataclass(frozen=True)
class Photometry:
    """Defects of photometry that its stated errors do not include.

    Parameters
    ----------
    outliers : float, default=0.002
        Share of observations whose error is `outlier_scale` times as large as stated.
    outlier_scale : float, default=8.0
        Ratio of the errors of outliers to their stated errors.
    missing_bands : float, default=0.01
        Share of pairs of object and band without any observation, for example because a reference
        image is missing.

    Examples
    --------
    >>> from sklc.simulate import Photometry
    >>> Photometry(outliers=0, missing_bands=0)
    Photometry(outliers=0, outlier_scale=8.0, missing_bands=0)
    """

    outliers: float = 0.002
    outlier_scale: float = 8.0
    missing_bands: float = 0.01

    def __post_init__(self) -> None:
        for name in ("outliers", "missing_bands"):
            value = getattr(self, name)
            if not is_number(value) or not 0 <= value < 1:
                raise SimulationError(
                    f"Photometry: {name}={value!r} is not a share of at least 0 and less than 1."
                )
        if not is_number(self.outlier_scale) or self.outlier_scale < 1:
            raise SimulationError(
                f"Photometry: outlier_scale={self.outlier_scale!r} is not a number of at least 1."
            )


def is_number(value: object) -> bool:
    """Whether this is a finite number, and no bool."""
    return (
        isinstance(value, int | float | np.integer | np.floating)
        and not isinstance(value, bool)
        and bool(np.isfinite(value))
    )


def is_integer(value: object, least: int) -> bool:
    """Whether this is an integer that is not too small, and no bool."""
    is_whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    return is_whole and value >= least  # type: ignore[operator]


@dataclass(frozen=True)
class Settings:
    """Everything that a simulation depends on, except class, survey and number.

    Parameters
    ----------
    redshift : {"volumetric", "flat"}
        Distribution of the redshifts of all events.
    z_max : float or None
        Largest redshift, or None for as far as the survey sees the class.
    trigger : Trigger
        The condition under which an object counts as found.
    window : (float, float) or None
        Days before the first and after the last detection that are kept.
    nightly : bool or None
        Whether the visits of a night are averaged in each band; None for all but total flux.
    photometry : Photometry
        The rates of outliers and missing bands.
    seed : int
        Seed of the random numbers.
    """

    redshift: str = "volumetric"
    z_max: float | None = None
    trigger: Trigger = Trigger()
    window: tuple[float, float] | None = (-30.0, 60.0)
    nightly: bool | None = None
    photometry: Photometry = Photometry()
    seed: int = 0

    def __post_init__(self) -> None:
        if self.redshift not in ("volumetric", "flat"):
            raise SimulationError(
                f"redshift={self.redshift!r} is not a distribution: pass 'volumetric' (rate times "
                "volume) or 'flat'."
            )
        if self.z_max is not None and not (is_number(self.z_max) and 0 < self.z_max <= 6):
            raise SimulationError(
                f"z_max={self.z_max!r} is not a redshift that can be simulated: pass one above 0 "
                f"and up to {MAX_REDSHIFT:g}, or None for as far as the survey sees the class."
            )
        for name, kind in (("trigger", Trigger), ("photometry", Photometry)):
            value = getattr(self, name)
            if not isinstance(value, kind):
                raise SimulationError(
                    f"{name}={value!r} is not a {kind.__name__}: pass {kind()}, for example."
                )
        if self.window is not None:
            window = self.window
            pair = isinstance(window, tuple | list) and len(window) == 2
            if not (pair and all(map(is_number, window)) and window[0] <= 0 <= window[1]):
                raise SimulationError(
                    f"window={window!r} is not a pair of days before the first and after the last "
                    "detection: pass (-30, 60), or None for everything."
                )
            object.__setattr__(self, "window", (float(window[0]), float(window[1])))
        if self.nightly is not None and not isinstance(self.nightly, bool | np.bool_):
            raise SimulationError(
                f"nightly={self.nightly!r} is neither True nor False: pass one, or None."
            )
        if not is_integer(self.seed, least=0):
            raise SimulationError(
                f"random_state={self.seed!r} is not an integer of at least 0: pass one, a numpy "
                "Generator or RandomState, or None."
            )
