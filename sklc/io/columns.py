"""Columns of tables that astronomers make: which one is the time, the flux, the band, ..."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from sklc.errors import LightCurveError

__all__ = [
    "POSITION",
    "Names",
    "id_columns",
    "identify",
    "metadata_columns",
    "offset_in_name",
    "plain",
    "unit_in_name",
]

#: The AB zero points of fluxes in these units.
ZERO_POINTS = {"jy": 8.9, "mjy": 16.4, "ujy": 23.9, "njy": 31.4}
# Names of columns in the plain form of `plain`, the most specific first.
_OBJECT = [
    "objectid", "diaobjectid", "oid", "locusid", "sourceid", "asassnid", "snid", "ticid", "tic",
    "kepid", "kic", "epic", "targetid", "objid", "cid", "objectname", "objname", "starname",
    "starid", "iauname", "target", "object", "sn", "star", "name", "transient", "id",
]  # fmt: skip
_TIME = [
    "mjd", "mjdtai", "mjdutc", "mjdtdb", "midpointmjdtai", "midpointtai", "expmidptmjd", "obsmjd",
    "mjdobs", "mjdmid", "midmjd", "hmjd", "bmjd", "bjd", "bjdtdb", "hjd", "jd", "jdutc", "obsjd",
    "jdmid", "julianday", "juliandate", "btjd", "bkjd", "time", "t", "obstime", "dateobs",
    "obsdate", "date", "datetime", "epoch", "day", "days",
]  # fmt: skip
_FLUX = [
    "psfdiffflux",
    "flux",
    "fluxcal",
    "psfflux",
    "fnu",
    "fluxdensity",
    "forcedflux",
    "scienceflux",
]
_MAG = ["mag", "magnitude", "magab", "abmag", "magpsf", "psfmag", "magap", "m"]
_BAND = [
    "band", "filter", "passband", "flt", "filt", "filtername", "filtercode", "bandname",
    "photfilter", "bandpass", "photometricband", "filters", "bands", "filterid", "fid",
]  # fmt: skip
_ZERO_POINT = ["zp", "zeropoint", "zpt", "magzp", "zpab", "zeropt"]
_SYSTEM = ["magsys", "zpsys", "magsystem", "photsys", "system", "photometricsystem"]
_LIMIT_FLAG = ["nondet", "nondetection", "isupperlimit", "upperlimit", "islimit", "limit", "ul"]
_TELESCOPE = ["telescope", "instrument", "source", "facility", "survey", "observatory", "site"]
_OWN_ERROR = ["err", "error", "uncertainty", "unc", "sigma", "std"]
_FLUX_ERRORS = ["fluxerr", "fluxerror", "eflux", "dflux", "ferr", "fluxunc"]
_MAG_ERRORS = ["magerr", "magerror", "emag", "dmag", "merr", "dm", "magunc", "sigmapsf"]
_ANY_ERRORS = ["err", "error", "uncertainty", "unc", "sigma", "errors"]
_METADATA = {
    "ra": ["ra", "radeg", "ramean", "raj2000", "raobj", "objectra"],
    "dec": ["dec", "decl", "decdeg", "decmean", "decj2000", "decobj", "objectdec"],
    "redshift": ["redshift", "zspec", "specz", "redshiftfinal", "truez", "hostgalspecz", "zhelio"],
    "mwebv": ["mwebv", "ebvmw", "ebv"],
    "label": [
        "label",
        "class",
        "type",
        "target",
        "classification",
        "sntype",
        "spectype",
        "truetarget",
    ],
}

#: Names of columns of right ascension and declination, in the plain form.
POSITION = frozenset({*_METADATA["ra"], *_METADATA["dec"]})
_IDS = frozenset(word for word in _OBJECT if word.endswith("id") and word != "id")


@dataclass(frozen=True)
class Names:
    """The columns of a table, by what they hold; None where there is no such column.

    Parameters
    ----------
    object_id, time, flux, flux_err, mag, mag_err, band, zero_point : str, optional
        Names of columns.
    system, limit, telescope : str, optional
        Columns of the magnitude system, of a flag that marks upper limits, and of telescopes.
    """

    object_id: str | None = None
    time: str | None = None
    flux: str | None = None
    flux_err: str | None = None
    mag: str | None = None
    mag_err: str | None = None
    band: str | None = None
    zero_point: str | None = None
    system: str | None = None
    limit: str | None = None
    telescope: str | None = None

    @property
    def is_light_curve(self) -> bool:
        """Whether these are the columns of light curves."""
        return self.time is not None and (self.flux is not None or self.mag is not None)


@lru_cache(maxsize=4096)
def plain(name: object) -> str:
    """Return the name of a column without case, separators and unit: "Flux Error (mJy)"."""
    return re.sub(r"[\s_\-.:#'\"]+", "", re.sub(r"[\[(].*[\])]", "", str(name))).casefold()


def unit_in_name(name: object) -> str | None:
    """Return the unit of flux in the name of a column, "ujy" for "flux_err (uJy)", if any."""
    text = (
        re.sub(r"[\s_\-.:]+", "", re.sub("^[a-z]:", "", str(name)))
        .casefold()
        .replace("µ", "u")
        .replace("μ", "u")
    )
    text = text.replace("micro", "u").replace("nano", "n").replace("milli", "m")
    found = re.search(r"([num]?jy|[num]?jansky)(?:err|error|unc)?[\])]?$", text)
    if found:
        return found[1].replace("jansky", "jy")
    if text.startswith(("psfflux", "psfdiffflux", "scienceflux", "templateflux")):
        return "njy"
    return None


def identify(columns: Iterable[Any], given: Names = Names()) -> Names:
    """Find the columns of light curves by their usual names.

    Parameters
    ----------
    columns : iterable
        The names of the columns of a table.
    given : Names
        Columns that are known already.

    Returns
    -------
    Names

    Raises
    ------
    LightCurveError
        If a column that is given does not exist.

    Examples
    --------
    >>> from sklc.io.columns import identify
    >>> names = identify(["Name", "HJD", "Flux (mJy)", "Flux Error (mJy)", "Filter"])
    >>> names.time, names.flux, names.flux_err
    ('HJD', 'Flux (mJy)', 'Flux Error (mJy)')
    """
    names = tuple(map(str, columns))
    try:
        return _identified(names, given)
    except TypeError:  # what users gave is no name
        return _identified.__wrapped__(names, given)


@lru_cache(maxsize=256)
def _identified(columns: tuple[str, ...], given: Names) -> Names:
    converted = {
        argument: f"{name} (nJy)"
        for argument, name in vars(given).items()
        if name not in columns and f"{name} (nJy)" in columns
    }
    given = replace(given, **converted)
    for argument, name in vars(given).items():
        if name is not None and name not in columns:
            raise LightCurveError(
                f"the table has no column {name!r} (argument {argument}=); its columns are "
                f"{list(columns[:40])}: pass {argument}= one of them"
            )
    taken = {name for name in vars(given).values() if name is not None}
    known: dict[str, str] = {}
    for name in columns:
        if name not in taken:
            known.setdefault(plain(name), name)

    def first(words: Iterable[str]) -> str | None:
        return next((known[word] for word in words if word in known), None)

    found = {
        "object_id": first(_OBJECT),
        "time": first(_TIME) or next((n for n in known.values() if offset_in_name(n)), None),
        "band": first(_BAND),
        "zero_point": first(_ZERO_POINT),
        "system": first(_SYSTEM),
        "limit": first(_LIMIT_FLAG),
        "telescope": first(_TELESCOPE),
        "flux": first(_FLUX) or _in_unit(known),
        "mag": first(_MAG),
    }
    names = replace(given, **{k: v for k, v in found.items() if getattr(given, k) is None})
    return replace(
        names,
        flux_err=given.flux_err or _error_of(names.flux, known, _FLUX_ERRORS),
        mag_err=given.mag_err or _error_of(names.mag, known, _MAG_ERRORS),
    )


def id_columns(columns: Iterable[Any]) -> list[str]:
    """Return the columns that identify objects, with the prefixes of brokers or without."""
    names = [str(name) for name in columns]
    found = [name for name in names if plain(re.sub(r"^[a-z]:", "", name)) in _IDS]
    own = identify(names).object_id
    return found if own is None or own in found else [*found, own]


def metadata_columns(columns: Iterable[Any]) -> dict[str, str]:
    """Return the columns that hold label, redshift, ra, dec and mwebv of objects."""
    known = {plain(name): str(name) for name in columns}
    found = {
        what: next((known[word] for word in words if word in known), None)
        for what, words in _METADATA.items()
    }
    return {what: name for what, name in found.items() if name is not None}


def offset_in_name(name: object) -> float | None:
    """Return the date that a column of times counts from: 2450000.0 for "HJD-2450000"."""
    match = re.fullmatch(r"[HB]?JD[\s_]*[-_]?[\s_]*(24\d{5}(?:\.\d+)?)", str(name).strip(), re.I)
    return float(match[1]) if match else None


def _in_unit(known: dict[str, str]) -> str | None:
    """Return the column whose name is a unit of flux, and which is no error."""
    for word, name in known.items():
        if re.fullmatch(r"(?:flux|f|fnu)?[num]?jy", word):
            return name
    return None


def _error_of(value: str | None, known: dict[str, str], usual: list[str]) -> str | None:
    """Return the column of the errors of another column: "dmag" or "mag_err" for "mag"."""
    if value is None:
        return None
    own, unit = plain(value), unit_in_name(value) or ""
    base = own.removesuffix(unit)
    words = [f"{b}{end}" for b in (own, base) for end in _OWN_ERROR]
    words += [f"{start}{b}" for b in (own, base) for start in (*_OWN_ERROR, "d", "e")]
    words += [f"{base}{end}{other}" for end in _OWN_ERROR for other in (unit, *ZERO_POINTS)]
    candidates = (known[word] for word in (*words, *usual, *_ANY_ERRORS) if word in known)
    return next((name for name in candidates if name != value), None)
