"""Magnitudes of the Vega system as AB magnitudes."""

from __future__ import annotations

from sklc.errors import LightCurveError
from sklc.passbands.registry import Passband

__all__ = ["ab_minus_vega", "uses_vega"]

_SURVEYS = {"Bessell", "2MASS", "Swift", "WISE", "Gaia"}
_STANDARD_LETTERS = {"U", "B", "V", "R", "I", "J", "H", "K", "Ks"}


def uses_vega(passband: Passband) -> bool:
    """Whether magnitudes in a passband are usually given in the Vega system."""
    telescope, _, letter = passband.name.rpartition("_")  # such as "TNT_R", but not a survey's R
    of_a_telescope = telescope == passband.survey and letter in _STANDARD_LETTERS
    return of_a_telescope or (passband.survey in _SURVEYS and passband.ab_minus_vega is not None)


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
    if passband.ab_minus_vega is None:
        raise LightCurveError(
            f"the difference of Vega and AB magnitudes is not known for the passband "
            f'{passband.name!r}: convert its magnitudes to AB, and pass system="AB"'
        )
    return passband.ab_minus_vega
