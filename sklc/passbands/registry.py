"""Passbands, and the index of their names, aliases and surveys."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from sklc.errors import LightCurveError
from sklc.passbands.table import AB_MINUS_VEGA, FOLLOW_UP, STANDARD, SURVEYS
from sklc.utils.layers import Layers


@dataclass(frozen=True)
class Passband:
    """A photometric band: its name, its survey and its effective wavelength.

    These three are its identity: two passbands are equal if all three are, whatever their aliases
    and sources. Passbands of one name and different surveys or wavelengths are different bands.

    A passband is a plain immutable value. Light curves carry the passbands themselves, so one that
    was registered in a session survives pickling and works in other processes.

    Parameters
    ----------
    name : str
        Canonical name, in the style of sncosmo: "ztfg", "lsstu", "ps1z".
    survey : str
        Survey, instrument or telescope.
    wavelength : float
        Effective wavelength in micrometre: the mean weighted by the photon transmission.
    aliases : tuple of str, optional
        Other names within the survey.
    source : str, optional
        Where the wavelength comes from.
    sncosmo_name : str, optional
        Name of the band in sncosmo's registry, where it has one.
    ab_minus_vega : float, optional
        What has to be added to a Vega magnitude to give the AB magnitude, where it is known.

    Raises
    ------
    LightCurveError
        If the name or the survey is empty, the wavelength is not a plausible number of
        micrometres, or the offset is not a plausible number of magnitudes.

    Examples
    --------
    >>> from sklc.passbands import Passband
    >>> old = Passband("mytel_g", survey="mytel", wavelength=0.48)
    >>> old == Passband("mytel_g", survey="mytel", wavelength=0.48, aliases=["g"])
    True
    >>> old == Passband("mytel_g", survey="mytel", wavelength=0.49)
    False
    """

    name: str
    survey: str
    wavelength: float
    aliases: tuple[str, ...] = field(default=(), compare=False)
    source: str = field(default="", compare=False)
    sncosmo_name: str | None = field(default=None, compare=False)
    ab_minus_vega: float | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip():
            raise LightCurveError(f"a passband needs a name, got {self.name!r}.")
        if not isinstance(self.survey, str) or not self.survey.strip():
            raise LightCurveError(
                f"passband {self.name!r} needs a survey, got {self.survey!r}: name the survey, "
                'instrument or telescope, or "user".'
            )
        if isinstance(self.aliases, str):  # a forgotten comma: ("g") is not a tuple
            object.__setattr__(self, "aliases", (self.aliases,))
        object.__setattr__(self, "aliases", tuple(str(alias) for alias in self.aliases))
        try:
            wavelength = float(self.wavelength)
        except (TypeError, ValueError):
            wavelength = math.nan
        # gamma rays and radio waves are outside; 4800 would be in Angstrom
        if not 0.01 <= wavelength <= 1000.0:
            raise LightCurveError(
                f"passband {self.name!r}: wavelength={self.wavelength!r} is not an effective "
                "wavelength in micrometre (0.01 to 1000). Divide Angstrom by 10000 and nanometre "
                "by 1000: 4800 Angstrom is wavelength=0.48."
            )
        object.__setattr__(self, "wavelength", wavelength)
        if self.ab_minus_vega is not None:
            object.__setattr__(self, "ab_minus_vega", self._checked_offset())

    def _checked_offset(self) -> float:
        """The offset as a float; those of known bands lie between -0.2 and 7."""
        try:
            offset = float(self.ab_minus_vega)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            offset = math.nan
        if not -5.0 <= offset <= 15.0:
            raise LightCurveError(
                f"passband {self.name!r}: ab_minus_vega={self.ab_minus_vega!r} is not an offset "
                "in magnitudes (-5 to 15). Pass the AB magnitude of Vega in this band, such as "
                "0.441 for Cousins I."
            )
        return offset

    def __str__(self) -> str:
        return f"{self.name}({self.survey} {self.wavelength!r}um)"


# pickles refer to the public module, so that this one may be moved
Passband.__module__ = "sklc.passbands"


def passband_labels(passbands: Iterable[Passband]) -> list[str]:
    """Return distinct labels: names, with survey and wavelength where names repeat.

    Parameters
    ----------
    passbands : iterable of Passband
        Different passbands, some of which may have the same name.

    Returns
    -------
    list of str
        One label for each passband, in the given order.

    Examples
    --------
    >>> from sklc.passbands import Passband, get_passband, passband_labels
    >>> passband_labels([get_passband("ztfg"), Passband("V", "mytel", 0.55)])
    ['ztfg', 'V']
    >>> passband_labels([Passband("V", "mytel", 0.55), Passband("V", "mytel", 0.56)])
    ['V(mytel 0.55um)', 'V(mytel 0.56um)']
    """
    passbands = list(passbands)
    count = Counter(p.name for p in passbands)
    return [p.name if count[p.name] == 1 else str(p) for p in passbands]


_Index = Layers[str, tuple[Passband, ...]]

#: Letters whose two cases are different bands: r of Sloan and R of Cousins, g and Gaia's G, v and
#: b of Stromgren or SkyMapper and V and B of Johnson.
_CASE_COUNTS = re.compile(r"(.*[\W_])?[ugribvUGRIBV]", re.DOTALL)


@dataclass(frozen=True)
class Names:
    """What passbands are called, as it is written and in one case."""

    exact: _Index = field(default_factory=Layers)
    folded: _Index = field(default_factory=Layers)

    def add(self, name: str, passband: Passband) -> None:
        """Add a name of a passband, in place of an older version of the passband."""
        for index, key in ((self.exact, name), (self.folded, name.casefold())):
            found = index.get(key, ())
            if any(other.name == passband.name for other in found):
                index[key] = tuple(passband if b.name == passband.name else b for b in found)
            else:
                index[key] = (*found, passband)

    def find(self, text: str) -> tuple[Passband, ...]:
        """Return the passbands of a name, in any case unless the case has a meaning."""
        found = self.exact.get(text, ())
        if found or _CASE_COUNTS.fullmatch(text):  # "R", "LCO_R"
            return found
        return self.folded.get(text.casefold(), ())

    def copy(self) -> Names:
        """Return a copy that can be added to."""
        return Names(self.exact.copy(), self.folded.copy())


@dataclass(frozen=True)
class PassbandIndex:
    """A snapshot that never changes: readers need no lock, a writer replaces it as a whole."""

    passbands: Layers[str, Passband] = field(default_factory=Layers)
    names: Names = field(default_factory=Names)  # names and aliases
    in_survey: Layers[str, Names] = field(default_factory=Layers)
    survey_names: Layers[str, str] = field(default_factory=Layers)  # any spelling -> survey

    @classmethod
    def build(cls, passbands: Iterable[Passband]) -> PassbandIndex:
        """Return an index of these passbands, with the labels of the table's surveys."""
        index = cls()
        for passband in passbands:
            index._add(passband)
        for survey in SURVEYS:
            for label, name in survey.labels.items():
                index.in_survey.setdefault(survey.name, Names()).add(label, index.passbands[name])
        for survey_name in index.in_survey:
            index._add_survey(survey_name)
        return index

    def added(self, passband: Passband) -> PassbandIndex:
        """Return an index with one more passband, or with a newer version of one."""
        index = replace(
            self,
            passbands=self.passbands.copy(),
            names=self.names.copy(),
            in_survey=self.in_survey.copy(),
            survey_names=self.survey_names.copy(),
        )
        if passband.survey in index.in_survey:
            index.in_survey[passband.survey] = index.in_survey[passband.survey].copy()
        index._add(passband)
        index._add_survey(passband.survey)
        return index

    def _add(self, passband: Passband) -> None:
        self.passbands[passband.name] = passband
        own = self.in_survey.setdefault(passband.survey, Names())
        names = (passband.name, *passband.aliases, passband.sncosmo_name or passband.name)
        for name in dict.fromkeys(names):
            own.add(name, passband)
            self.names.add(name, passband)

    def _add_survey(self, survey: str) -> None:
        for name in (survey, *SURVEY_ALIASES.get(survey, ())):
            self.survey_names.setdefault(squeeze(name) or name, survey)

    def survey(self, label: object) -> str | None:
        """Survey meant by a label such as "ztf", "ZTF-BTS" or "SLSN-cat:ZTF"; None if unknown."""
        text = str(label).strip()
        whole = self.survey_names.get(squeeze(text) or text)
        if whole is not None:
            return whole
        # telescopes have names as short as "LT" and "INT": only surveys are looked for inside
        inside = {
            self.survey_names[part]
            for part in map(squeeze, re.split(r"[\W_]+", text))
            if self.survey_names.get(part) in SURVEY_ALIASES
            and self.survey_names[part] not in FOLLOW_UP_ONLY
        }
        return inside.pop() if len(inside) == 1 else None

    def of_survey(self, survey: str) -> list[Passband]:
        """Return the passbands of a survey, or those its labels stand for if it has none."""
        own = [band for band in self.passbands.values() if band.survey == survey]
        named = {b.name: b for found in self.in_survey[survey].exact.values() for b in found}
        return own or list(named.values())


def squeeze(text: str) -> str:
    """Spelling of a survey's name without case, spaces and punctuation: "Pan-STARRS" = "panstarrs".

    Empty for a label that is all punctuation, such as the "--" of an unknown telescope.
    """
    return re.sub(r"[\W_]+", "", text).casefold()


FOLLOW_UP_ONLY = frozenset(FOLLOW_UP) - {survey.name for survey in SURVEYS}
SURVEY_ALIASES: dict[str, tuple[str, ...]] = {name: FOLLOW_UP[name][0] for name in FOLLOW_UP_ONLY}
for _survey in SURVEYS:  # which may have several entries
    SURVEY_ALIASES[_survey.name] = (*SURVEY_ALIASES.get(_survey.name, ()), *_survey.aliases)


def built_in() -> list[Passband]:
    """The passbands of the table, in its order."""
    known: dict[str, Passband] = {}
    for survey in SURVEYS:
        for name, wavelength, aliases, sncosmo_name in survey.rows:
            known[name] = Passband(
                name,
                survey.name,
                wavelength,
                aliases,
                survey.source,
                sncosmo_name,
                AB_MINUS_VEGA.get(name),
            )
    for telescope, (_, filters) in FOLLOW_UP.items():
        for letter in filters:
            standard = known[STANDARD[letter]]
            # r, r' and rp are Sloan's r
            more = (f"{letter}'", f"{letter}p") if letter in "ugriz" else ()
            known[f"{telescope}_{letter}"] = Passband(
                f"{telescope}_{letter}",
                telescope,
                standard.wavelength,
                (letter, *more),
                f"nominal: {letter} filter of a follow-up telescope; wavelength of {standard.name}",
                ab_minus_vega=standard.ab_minus_vega,
            )
    return list(known.values())
