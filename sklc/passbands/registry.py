"""An index of passbands: names, aliases and filter ids are looked up, with helpful errors."""

from __future__ import annotations

import difflib
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from numbers import Real

from sklc.errors import LightCurveError
from sklc.passbands.table import FOLLOW_UP, STANDARD, SURVEYS


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

    Raises
    ------
    LightCurveError
        If the name or the survey is empty, or the wavelength is not a plausible number of
        micrometres.

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


_Index = dict[str, tuple[Passband, ...]]


@dataclass(frozen=True)
class PassbandIndex:
    """An immutable snapshot: readers need no lock, a writer replaces it as a whole."""

    passbands: dict[str, Passband] = field(default_factory=dict)
    exact: _Index = field(default_factory=dict)  # name or alias
    folded: _Index = field(default_factory=dict)  # the same, in one case
    in_survey: dict[str, tuple[_Index, _Index]] = field(default_factory=dict)
    survey_names: dict[str, str] = field(default_factory=dict)  # any spelling -> survey

    @classmethod
    def build(cls, passbands: Iterable[Passband]) -> PassbandIndex:
        """Return an index of these passbands."""
        index = cls()
        for passband in passbands:
            index.passbands[passband.name] = passband
            exact, folded = index.in_survey.setdefault(passband.survey, ({}, {}))
            names = (passband.name, *passband.aliases, passband.sncosmo_name or passband.name)
            for name in dict.fromkeys(names):
                _add(exact, name, passband)
                _add(index.exact, name, passband)
                _add(folded, name.casefold(), passband)
                _add(index.folded, name.casefold(), passband)
        for survey in index.in_survey:
            aliases = _SURVEY_ALIASES.get(survey, ())
            for name in (survey, *aliases):
                index.survey_names.setdefault(squeeze(name) or name, survey)
        return index

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
            if self.survey_names.get(part) in _SURVEY_ALIASES
            and self.survey_names[part] not in _TELESCOPES
        }
        return inside.pop() if len(inside) == 1 else None


def _add(index: _Index, key: str, passband: Passband) -> None:
    found = index.get(key, ())
    if passband not in found:
        index[key] = (*found, passband)


def squeeze(text: str) -> str:
    """Spelling of a survey's name without case, spaces and punctuation: "Pan-STARRS" = "panstarrs".

    Empty for a label that is all punctuation, such as the "--" of an unknown telescope.
    """
    return re.sub(r"[\W_]+", "", text).casefold()


_TELESCOPES = frozenset(FOLLOW_UP) - {survey.name for survey in SURVEYS}
_SURVEY_ALIASES: dict[str, tuple[str, ...]] = {
    survey.name: survey.aliases for survey in SURVEYS
} | {name: FOLLOW_UP[name][0] for name in _TELESCOPES}


def built_in() -> list[Passband]:
    """The passbands of the table, in its order."""
    known: dict[str, Passband] = {}
    for survey in SURVEYS:
        for name, wavelength, aliases, sncosmo_name in survey.rows:
            known[name] = Passband(
                name, survey.name, wavelength, aliases, survey.source, sncosmo_name
            )
    for telescope, (_, filters) in FOLLOW_UP.items():
        for letter in filters:
            standard = known[STANDARD[letter]]
            known[f"{telescope}_{letter}"] = Passband(
                f"{telescope}_{letter}",
                telescope,
                standard.wavelength,
                (letter,),
                f"nominal: {letter} filter of a follow-up telescope; wavelength of {standard.name}",
            )
    return list(known.values())


def _as_text(name: object) -> str:
    """A band name as text; filter ids may come as floats, names of FITS tables as bytes."""
    if isinstance(name, bytes):
        name = name.decode("utf-8", errors="replace")
    if isinstance(name, Real) and not isinstance(name, bool):
        number = float(name)
        return str(int(number)) if number.is_integer() else str(number)
    return str(name).strip()


def resolve(index: PassbandIndex, name: object, label: str | None) -> Passband | str:
    """Return the passband of a name, or a text that says what is wrong with the name."""
    text = _as_text(name)
    survey = None if label is None else index.survey(label)
    # with a survey, "g" must never become the g of another one
    belongs_to_survey = text.isdecimal() or (survey is not None and len(text) <= 2)

    found: tuple[Passband, ...] = ()
    if survey is not None:
        found = _first(index.in_survey[survey], text)
    if not found and text in index.passbands:
        return index.passbands[text]
    if not found and not belongs_to_survey:
        found = _first((index.exact, index.folded), text)
    if not found:
        found = _survey_and_band(index, text)
    if len(found) == 1:
        return found[0]
    return _problem(index, name, text, label, survey, found)


def _first(indexes: tuple[_Index, _Index], text: str) -> tuple[Passband, ...]:
    exact, folded = indexes
    return exact.get(text) or folded.get(text.casefold()) or ()


def _survey_and_band(index: PassbandIndex, text: str) -> tuple[Passband, ...]:
    """Match "ZTF_g", "lsst-g", "ps1::g", "ASAS-SN V": the survey, a separator and its band."""
    for separator in re.finditer(r"[\s_\-:./]+", text):
        band = text[separator.end() :]
        # "--_r" is the telescope "--" and the band "r"
        for label in (text[: separator.start()], text[: separator.end() - 1]):
            survey = index.survey_names.get(squeeze(label) or label)
            found = () if survey is None else _first(index.in_survey[survey], band)
            if found:
                return found
    return ()


def _problem(
    index: PassbandIndex,
    name: object,
    text: str,
    label: str | None,
    survey: str | None,
    found: tuple[Passband, ...],
) -> str:
    """Return what is wrong with a name that does not identify one passband, and the remedy."""
    found = found or index.exact.get(text, ()) or index.folded.get(text.casefold(), ())
    if label is not None and survey is None:
        hint = " " + unknown_survey(index, label)
    elif survey is not None:
        own = [band.name for band in index.passbands.values() if band.survey == survey]
        hint = f" {survey} has {_some(own)}."
    else:
        hint = ""
    if found and survey is None:
        candidates = _some([f"{band.name} ({band.survey})" for band in found])
        example = found[0].survey.lower()
        kind = "a filter id, which needs its survey" if text.isdecimal() else "ambiguous"
        return (
            f"passband {name!r} is {kind}: {candidates}.{hint} Pass the survey, for example "
            f'survey="{example}", or the full name, for example "{found[0].name}".'
        )
    if text.casefold() in ("", "nan", "none", "<na>", "nat"):
        return f"passband {name!r} is a missing value: give every observation a band."
    names = {key.casefold(): key for key in index.exact if len(key) > 2}
    close = difflib.get_close_matches(text.casefold(), names, n=4, cutoff=0.6)
    nearest = list(dict.fromkeys(index.exact[names[key]][0].name for key in close))
    closest = f" The closest known are {_some(nearest)}." if nearest and not found else ""
    line = f'"{text}", wavelength=<micrometre>'
    if survey is not None and len(text) <= 2:  # "u" alone would be taken for any survey's u
        line = (
            f'"{survey.lower()}_{text}", wavelength=<micrometre>, survey="{survey}", '
            f'aliases=["{text}"]'
        )
    return (
        f"passband {name!r} is unknown.{hint}{closest} Register it with its effective "
        f"wavelength: sklc.register_passband({line})"
    )


def unknown_survey(index: PassbandIndex, label: str) -> str:
    """Return the message for a survey that is not known."""
    surveys = [survey for survey in index.in_survey if survey not in _TELESCOPES]
    return f"Survey {label!r} is unknown; known are {', '.join(surveys)}."


def _some(names: Sequence[str], most: int = 6) -> str:
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")
