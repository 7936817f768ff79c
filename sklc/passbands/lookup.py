"""Passbands: names, aliases and effective wavelengths of the bands of light curves.

One definition of the effective wavelength is used throughout: the mean wavelength weighted by the
photon transmission T of the whole system,

    wavelength = integral(wavelength * T) / integral(T)        [micrometre],

which is ``sncosmo.Bandpass.wave_eff`` (divided by 10,000) and the ``lambda_mean`` of the SVO
Filter Profile Service. It does not depend on a source's spectrum. Where the curve could not be
integrated, ``Passband.source`` names the published value that stands in for it.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace

from sklc.errors import LightCurveError, UnknownPassbandError
from sklc.passbands.registry import (
    Passband,
    PassbandIndex,
    built_in,
    squeeze,
)
from sklc.passbands.resolving import DEFAULT_SURVEY, Unresolved, resolve, unknown_survey
from sklc.utils.processes import after_fork

__all__ = [
    "Passband",
    "as_registered",
    "built_in_passband",
    "find_passbands",
    "get_passband",
    "list_passbands",
    "lookup_passband",
    "register_passband",
]

# Two wavelengths closer than this (micrometre) are the same passband.
_SAME_WAVELENGTH = 1e-4
# An error lists this many names in full.
_MOST_MESSAGES = 10

# Readers take the snapshot without a lock; a writer replaces it as a whole.
_lock = threading.Lock()
_BUILT_IN = PassbandIndex.build(built_in())
_registry = _BUILT_IN


def get_passband(name: str | int | Passband, survey: str | None = None) -> Passband:
    """Return the passband of a name, an alias or a filter id.

    A name is looked up (1) among the names and aliases of `survey`, (2) among all canonical
    names, (3) among all aliases, where it has to be unique, and (4) as survey and band in one
    ("ZTF_g", "lsst-g", "PS1 z", "g-ZTF", "PAN-STARRS/PS1.g"). With a `survey`, labels of one or
    two characters and filter ids belong to that survey only.

    A name is matched as it is written, else in any case. The single letters u, g, r, i, b and v
    are matched only as they are written, because U, G, R, I, B and V are other bands.

    Parameters
    ----------
    name : str, int or Passband
        A canonical name ("ztfg"), an alias ("g", "ZTF_g"), the integer filter id of a survey
        (ZTF alerts: 1, 2, 3), or a `Passband`, which is returned as it is.
    survey : str, optional
        Survey of the band, in any spelling ("ztf", "ZTF-BTS", "Pan-STARRS").

    Returns
    -------
    Passband
        The registered passband.

    Raises
    ------
    UnknownPassbandError
        If no passband has the name, or more than one does.

    Examples
    --------
    >>> from sklc.passbands import get_passband
    >>> get_passband("ztfg").wavelength
    0.4814
    >>> get_passband("g", survey="lsst").name, get_passband("ZTF_g").name
    ('lsstg', 'ztfg')
    >>> get_passband(2, survey="ztf").name
    'ztfr'
    """
    return find_passbands([name], survey)[0]


def find_passbands(
    names: Sequence[str | int | Passband], survey: str | None = None
) -> list[Passband]:
    """Return the passbands of several names; one error lists every name that cannot be resolved.

    Parameters
    ----------
    names : sequence of str, int or Passband
        Names as in `get_passband`. Pass the unique names of a table, not its column.
    survey : str, optional
        Survey of all the names.

    Returns
    -------
    list of Passband
        One passband for each name, in the same order.

    Raises
    ------
    UnknownPassbandError
        If any name is unknown or ambiguous; the message lists all of them.

    Examples
    --------
    >>> from sklc.passbands import find_passbands
    >>> [band.name for band in find_passbands(["g", "r"], survey="PS1")]
    ['ps1g', 'ps1r']
    """
    registry = _registry
    found: list[Passband] = []
    problems: dict[str, Unresolved] = {}
    for name in names:
        passband = name if isinstance(name, Passband) else resolve(registry, name, survey)
        if isinstance(passband, Passband):
            found.append(passband)
        else:
            problems.setdefault(passband.text, passband)
    if problems:
        count = f"{len(problems)} passbands cannot be resolved:\n" if len(problems) > 1 else ""
        messages = [one.message() for one in list(problems.values())[:_MOST_MESSAGES]]
        if rest := list(problems)[_MOST_MESSAGES:]:
            messages.append(f"and {len(rest)} more, among them {', '.join(rest[:3])[:80]}")
        raise UnknownPassbandError(count + "\n".join(messages))
    return found


def lookup_passband(name: str | int | Passband, survey: str | None = None) -> Passband | None:
    """Return the passband of a name as `get_passband` does, or None where that raises an error.

    Writing the error's message takes a hundred times as long as finding that there is none.
    """
    found = name if isinstance(name, Passband) else resolve(_registry, name, survey)
    return found if isinstance(found, Passband) else None


def as_registered(passband: Passband) -> Passband:
    """Return the registered passband that equals this one, with its aliases, or else this one."""
    known = _registry.passbands.get(passband.name)
    return known if known == passband else passband


def built_in_passband(name: str) -> Passband | None:
    """Return the passband that every installation knows by this canonical name, if there is one."""
    return _BUILT_IN.passbands.get(name)


def register_passband(
    name: str,
    wavelength: float,
    *,
    survey: str = DEFAULT_SURVEY,
    aliases: Sequence[str] = (),
    source: str = "",
    ab_minus_vega: float | None = None,
) -> Passband:
    """Make a passband known by its name for the rest of the session.

    All readers, the simulator and the features then understand the name. Registering the same
    passband again is harmless: the known one is returned, with new aliases added, and with the
    offset of its Vega magnitudes if it had none.

    Parameters
    ----------
    name : str
        Name of the band, which no other passband may have.
    wavelength : float
        Effective wavelength in micrometre (mean weighted by the photon transmission).
    survey : str, default="user"
        Survey, instrument or telescope of the band.
    aliases : sequence of str, optional
        Other names within the survey.
    source : str, optional
        Where the wavelength comes from.
    ab_minus_vega : float, optional
        What has to be added to a Vega magnitude in this band to give the AB magnitude. It is
        needed only to read Vega magnitudes.

    Returns
    -------
    Passband
        The registered passband.

    Raises
    ------
    LightCurveError
        If the name or an alias is already that of another passband, or the wavelength is not a
        plausible number of micrometres.

    Examples
    --------
    >>> import sklc.passbands
    >>> band = sklc.passbands.register_passband(
    ...     "mytel_g", wavelength=0.48, survey="mytel", aliases=["g"]
    ... )
    >>> sklc.passbands.get_passband("g", survey="mytel") is band
    True
    """
    global _registry
    aliases = (aliases,) if isinstance(aliases, str) else tuple(aliases)
    new = Passband(name, survey, wavelength, aliases, source, ab_minus_vega=ab_minus_vega)
    with _lock:
        registry = _registry
        known_survey = registry.survey(survey)
        if known_survey is not None and squeeze(survey) in registry.survey_names:
            new = replace(new, survey=known_survey)  # "ztf" joins "ZTF"
        known = resolve(registry, name, None)
        if isinstance(known, Passband):
            same_survey = new.survey in (known.survey, DEFAULT_SURVEY)
            if not same_survey or abs(known.wavelength - new.wavelength) > _SAME_WAVELENGTH:
                raise LightCurveError(
                    f"passband {name!r} is already known as {known.name!r} of {known.survey} at "
                    f"{known.wavelength:g} micrometre, not of {new.survey} at "
                    f"{new.wavelength:g}. Register yours under another name: "
                    f'sklc.register_passband("my_{name}", wavelength={new.wavelength:g}, '
                    f'survey="{new.survey}")'
                )
            merged = _merged(known, new)
            if merged is known:
                return known
            new = merged
        for alias in new.aliases:
            taken = [registry.passbands.get(alias)]
            if new.survey in registry.in_survey:
                taken += registry.in_survey[new.survey].exact.get(alias, ())
            for other in taken:
                if other is not None and other.name != new.name:
                    raise LightCurveError(
                        f"alias {alias!r} of passband {name!r} is already that of "
                        f"{other.name!r} ({other.survey}). Leave the alias out, or pass another "
                        "survey=."
                    )
        _registry = registry.added(new)
    return new


def _merged(known: Passband, new: Passband) -> Passband:
    """Return a known passband with what a second registration adds, itself if that is nothing."""
    offset = new.ab_minus_vega if known.ab_minus_vega is None else known.ab_minus_vega
    if new.ab_minus_vega not in (None, offset):
        raise LightCurveError(
            f"passband {known.name!r} is known with ab_minus_vega={known.ab_minus_vega:g}, not "
            f"{new.ab_minus_vega:g}. Leave the argument out, or register yours under another name."
        )
    aliases = tuple(dict.fromkeys((*known.aliases, *new.aliases)))
    if aliases == known.aliases and offset == known.ab_minus_vega:
        return known
    return replace(known, aliases=aliases, ab_minus_vega=offset)


def list_passbands(survey: str | None = None) -> list[Passband]:
    """Return all known passbands, or those of one survey.

    Parameters
    ----------
    survey : str, optional
        Survey, in any spelling.

    Returns
    -------
    list of Passband
        Surveys first, then follow-up telescopes, then the registered ones.

    Raises
    ------
    UnknownPassbandError
        If the survey is not known.

    Examples
    --------
    >>> from sklc.passbands import list_passbands
    >>> [band.name for band in list_passbands("ztf")]
    ['ztfg', 'ztfr', 'ztfi']
    """
    registry = _registry
    if survey is None:
        return list(registry.passbands.values())
    known = registry.survey(survey)
    if known is None:
        raise UnknownPassbandError(unknown_survey(registry, survey))
    return registry.of_survey(known)


def _renew_lock() -> None:
    """Replace the lock, which a thread may hold that a forked child does not have."""
    global _lock
    _lock = threading.Lock()


after_fork(_renew_lock)
