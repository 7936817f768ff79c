"""The brightness of an observation as channels of a representation, and back to a flux."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sklc.representation import InputRepresentation, Shown

__all__ = ["MEASURED_CHANNELS", "MEASUREMENTS", "Measurement", "predicted_channel"]

_Conversion = Callable[[Shown, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Measurement:
    """How a channel follows from a flux, given what else is shown of the object.

    Parameters
    ----------
    error : str
        The channel of its error.
    encode : callable
        Called with a `Shown` and with fluxes and errors of its observations; returns the channel
        and its standard deviation.
    decode : callable
        Called with a `Shown`, with values of the channel and with their standard deviations;
        returns fluxes and their standard deviations.
    """

    error: str
    encode: _Conversion
    decode: _Conversion


def _in_units_of(error: str, unit: Callable[[Shown], Any]) -> Measurement:
    """Return the channel that is the flux divided by a number."""
    return Measurement(
        error,
        lambda x, flux, flux_err: (flux / unit(x), flux_err / unit(x)),
        lambda x, value, std: (value * unit(x), std * unit(x)),
    )


def _encode_log(x: Shown, flux: np.ndarray, error: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    softened = 2 * x.settings.flux_softening
    return x.log(flux), error / (np.log(10) * np.hypot(flux, softened))


def _decode_log(x: Shown, value: np.ndarray, std: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    softened, natural = 2 * x.settings.flux_softening, value * np.log(10)
    return softened * np.sinh(natural), std * np.log(10) * softened * np.cosh(natural)


def _amplitude(x: Shown) -> np.ndarray:
    return x.per_observation(x.deviations.amplitude)


_MAGNITUDE = Measurement(
    "magnitude_err",
    lambda x, flux, flux_err: x.deviations.to_magnitudes(flux, flux_err),
    lambda x, value, std: x.deviations.to_flux(value, std),
)


def _encode_scaled(x: Shown, flux: np.ndarray, error: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    value, std = _MAGNITUDE.encode(x, flux, error)
    return value / _amplitude(x), std / _amplitude(x)


#: Channels of the brightness that a network can be trained to predict. Where a representation has
#: several of them, the first of its channels is predicted.
MEASUREMENTS: dict[str, Measurement] = {
    "flux": _in_units_of("flux_err", lambda x: x.settings.flux_scale),
    "relative_flux": _in_units_of("relative_flux_err", lambda x: x.peak_scale),
    "log_flux": Measurement("flux_err", _encode_log, _decode_log),
    "magnitude_deviation": _MAGNITUDE,
    "scaled_magnitude": Measurement(
        "magnitude_err",
        _encode_scaled,
        lambda x, value, std: _MAGNITUDE.decode(x, value * _amplitude(x), std * _amplitude(x)),
    ),
}

#: Channels that hold the measurement of an observation itself, its value and error: a network does
#: not see them where the observation is hidden.
MEASURED_CHANNELS = frozenset({*MEASUREMENTS, *(own.error for own in MEASUREMENTS.values())})


def predicted_channel(representation: InputRepresentation) -> Measurement:
    """Return how the brightness is encoded that a network is trained to predict.

    Parameters
    ----------
    representation : InputRepresentation
        The input convention.

    Returns
    -------
    Measurement
        That of the first channel of the brightness.

    Raises
    ------
    ValueError
        If no channel of the representation holds a brightness.

    Examples
    --------
    >>> from sklc import InputRepresentation
    >>> from sklc.measurements import predicted_channel
    >>> predicted_channel(InputRepresentation.preset("relative")).error
    'relative_flux_err'
    """
    for channel in representation.channels:
        if channel in MEASUREMENTS:
            return MEASUREMENTS[channel]
    raise ValueError(
        f"objective='masked' predicts a channel of the brightness, one of {sorted(MEASUREMENTS)}, "
        f"and the representation has none, but {list(representation.channels)}: add one of them."
    )
