"""Transmission curves: from sncosmo or the user's own, and the passbands of band labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sklc._optional import require
from sklc.errors import SimulationError, UnknownPassbandError
from sklc.passbands.lookup import Passband, find_passbands, list_passbands

__all__ = ["Curve", "passbands_of_labels", "sncosmo_curve"]

#: Wavelength in Angstrom, and photon transmission.
Curve = tuple[np.ndarray, np.ndarray]


def sncosmo_curve(name: str) -> Curve:
    """Return the transmission curve of a band of sncosmo."""
    bandpass = _sncosmo_bandpass(name)
    return np.asarray(bandpass.wave, np.float64), np.asarray(bandpass.trans, np.float64)


def passbands_of_labels(
    labels: Sequence[Any], survey: str, given: Mapping[Any, Any]
) -> list[tuple[Passband, Curve | None]]:
    """Passbands of the band labels of a table, and the curves that the user gave.

    One error lists every label that is unknown.
    """
    found: list[tuple[Passband, Curve | None]] = []
    unknown: list[Any] = []
    for label in labels:
        chosen = given.get(label, given.get(str(label), label))
        name = f"{survey}_{label}"
        if hasattr(chosen, "wave") and hasattr(chosen, "trans"):  # sncosmo.Bandpass
            curve = chosen.wave, chosen.trans
            found.append(_own(str(chosen.name or name), survey, label, curve))
        elif isinstance(chosen, tuple | list):
            found.append(_own(name, survey, label, chosen))
        else:
            try:
                found.append((find_passbands([chosen], survey)[0], None))
            except UnknownPassbandError:
                if chosen is label:
                    unknown.append(label)
                else:
                    found.append((_of_sncosmo(str(chosen), survey), None))
    if unknown:
        try:
            has = f"has {', '.join(band.name for band in list_passbands(survey))}"
        except UnknownPassbandError:
            has = "is not a survey that sklc knows"
        raise SimulationError(
            f"the bands {unknown} are unknown: {survey!r} {has}. Say what they are: "
            f'passbands={{{unknown[0]!r}: "lsstg"}} with a name known to sklc or sncosmo, or with '
            "a transmission curve, (wavelength in Angstrom, transmission)."
        )
    return found


def _of_sncosmo(name: str, survey: str) -> Passband:
    wavelength = float(_sncosmo_bandpass(name).wave_eff) / 1e4
    return Passband(name, survey, wavelength, source="sncosmo", sncosmo_name=name)


def _sncosmo_bandpass(name: str) -> Any:
    sncosmo = require("sncosmo")
    try:
        return sncosmo.get_bandpass(name)
    except Exception as error:  # sncosmo raises a plain Exception for a name it does not know
        if isinstance(error, OSError):  # URLError too
            problem = "cannot be read or downloaded by sncosmo"
            remedy = "set SNCOSMO_DATA_DIR to a folder that has it, or connect to the network"
        else:
            problem, remedy = "is unknown to sncosmo", "register it with sncosmo.register"
        raise SimulationError(
            f"the transmission curve of {name!r} {problem}: {remedy}, or pass the curve to "
            "Survey.from_pointings: passbands={label: (wavelength in Angstrom, transmission)}."
        ) from error


def _own(name: str, survey: str, label: Any, curve: Sequence[Any]) -> tuple[Passband, Curve]:
    """Passband of a user's curve, which is checked."""
    who = f"passbands[{label!r}]"
    try:
        wavelength, transmission = (np.asarray(part, np.float64) for part in curve)
    except (TypeError, ValueError):
        wavelength = transmission = np.zeros(0)
    if wavelength.ndim != 1 or wavelength.shape != transmission.shape or len(wavelength) < 2:
        raise SimulationError(
            f"{who} is not a transmission curve: pass (wavelength in Angstrom, transmission), "
            "two arrays of one length, of 2 or more."
        )

    def first(bad: np.ndarray, problem: str, remedy: str) -> None:
        if bad.any():
            row = int(np.argmax(bad))
            raise SimulationError(
                f"{who}: {problem} at index {row} (wavelength {wavelength[row]:g}, transmission "
                f"{transmission[row]:g}); {np.count_nonzero(bad)} in all: {remedy}."
            )

    first(~np.isfinite(wavelength + transmission), "a value is not finite", "drop these points")
    falls = np.r_[False, np.diff(wavelength) <= 0]
    first(falls, "the wavelength does not increase", "sort the curve, each wavelength once")
    first(transmission < 0, "the transmission is negative", "set it to 0 there")
    total = np.trapezoid(transmission, wavelength)
    if not total > 0:
        raise SimulationError(f"{who}: the transmission is 0 everywhere: pass the curve's values.")
    mean = float(np.trapezoid(wavelength * transmission, wavelength) / total)
    if not 1000 <= mean <= 30000:
        hint = "nanometre: multiply by 10" if mean >= 100 else "micrometre: multiply by 10000"
        if mean > 30000:
            hint = "another unit: convert it"
        raise SimulationError(
            f"{who}: the mean wavelength is {mean:g}, and 1000 to 30000 Angstrom is expected. The "
            f"wavelength looks like {hint}."
        )
    passband = Passband(name, survey, mean / 1e4, source="the user's transmission curve")
    return passband, (wavelength, transmission)
