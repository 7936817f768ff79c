"""Magnitudes of the Vega system as AB magnitudes."""

from __future__ import annotations

from sklc.errors import LightCurveError
from sklc.passbands.registry import Passband

__all__ = ["ab_minus_vega", "uses_vega"]

# m(AB) - m(Vega). Johnson-Cousins and 2MASS: Blanton & Roweis 2007, table 1. Swift UVOT: Breeveld
# et al. 2011. WISE: Jarrett et al. 2011. Gaia: difference of the EDR3 zero points, Riello et al.
# 2021.
_OFFSETS = {
    "bessellux": 0.79, "bessellb": -0.09, "bessellv": 0.02, "bessellr": 0.21, "besselli": 0.45,
    "2massj": 0.91, "2massh": 1.39, "2massks": 1.85,
    "uvotv": -0.01, "uvotb": -0.13, "uvotu": 1.02, "uvotuvw1": 1.51, "uvotuvm2": 1.69,
    "uvotuvw2": 1.73, "uvotwhite": 0.80,
    "wiseW1": 2.699, "wiseW2": 3.339, "wiseW3": 5.174, "wiseW4": 6.620,
    "gaia_g": 0.1137, "gaia_bp": 0.0154, "gaia_rp": 0.3561,
}  # fmt: skip
# Filters of other telescopes have the offset of the standard filter of their wavelength.
_STANDARD_LETTERS = {"U": "bessellux", "B": "bessellb", "V": "bessellv", "R": "bessellr",
                     "I": "besselli", "J": "2massj", "H": "2massh", "K": "2massks",
                     "Ks": "2massks"}  # fmt: skip


def _standard(passband: Passband) -> str | None:
    if passband.name in _OFFSETS:
        return passband.name
    telescope, _, letter = passband.name.rpartition("_")  # such as "TNT_R", but not a survey's R
    return _STANDARD_LETTERS.get(letter) if telescope == passband.survey else None


def uses_vega(passband: Passband) -> bool:
    """Whether magnitudes in a passband are usually given in the Vega system."""
    return _standard(passband) is not None


def ab_minus_vega(passband: Passband) -> float:
    """Return what to add to a magnitude of the Vega system to make it an AB magnitude.

    Parameters
    ----------
    passband : Passband

    Returns
    -------
    float

    Raises
    ------
    LightCurveError
        If the offset of this passband is not known.

    Examples
    --------
    >>> from sklc.io.vega import ab_minus_vega
    >>> from sklc.passbands import get_passband
    >>> ab_minus_vega(get_passband("uvotuvw1"))
    1.51
    """
    own = getattr(passband, "ab_minus_vega", None)  # where passbands know it themselves
    standard = _standard(passband)
    if own is not None:
        return float(own)
    if standard is None:
        raise LightCurveError(
            f"the difference of Vega and AB magnitudes is not known for the passband "
            f'{passband.name!r}: convert its magnitudes to AB, and pass system="AB"'
        )
    return _OFFSETS[standard]
