"""Which passband a name stands for, and what to say of a name that stands for none."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from numbers import Real

from sklc.passbands.registry import FOLLOW_UP_ONLY, Passband, PassbandIndex, squeeze

__all__ = ["DEFAULT_SURVEY", "Unresolved", "cut", "resolve", "unknown_survey"]

#: The survey of passbands that are registered without one.
DEFAULT_SURVEY = "user"
_MISSING = ("", "nan", "none", "<na>", "nat")
# Printed values are cut at this length.
_LONGEST = 80


@dataclass(frozen=True)
class Unresolved:
    """A name that stands for no passband, or for several; its message is costly to write."""

    index: PassbandIndex
    name: object
    text: str
    label: str | None
    survey: str | None
    found: tuple[Passband, ...]

    def message(self) -> str:
        """Return what is wrong with the name, and the remedy."""
        index, text, survey = self.index, self.text, self.survey
        name = cut(self.name)
        found = self.found or index.names.find(text) or index.names.folded.get(text.casefold(), ())
        if text.casefold() in _MISSING:
            return f"passband {name} is a missing value: give every observation a band."
        if self.label is not None and survey is None:
            hint = " " + unknown_survey(index, self.label)
        elif survey is not None:
            own = index.of_survey(survey)
            hint = f" {survey} has {_some([band.name for band in own])}."
            other = index.in_survey[survey].find(text.swapcase()) if len(text) == 1 else ()
            if other:
                hint += (
                    f" It is not {text.swapcase()!r} ({other[0].name}): {text!r} and "
                    f"{text.swapcase()!r} are different bands."
                )
        else:
            hint = ""
        if found and survey is None:
            candidates = _some([f"{band.name} ({band.survey})" for band in found])
            kind = "a filter id, which needs its survey" if text.isdecimal() else "ambiguous"
            if len(found) == 1:
                kind = "short, and needs its survey"
            return (
                f"passband {name} is {kind}: {candidates}.{hint} Pass the survey, for example "
                f'survey="{found[0].survey.lower()}", or the full name, for example '
                f'"{found[0].name}".'
            )
        keys = {key.casefold(): key for key in index.names.exact if len(key) > 2}
        close = difflib.get_close_matches(text[:_LONGEST].casefold(), keys, n=4, cutoff=0.6)
        nearest = list(dict.fromkeys(index.names.exact[keys[key]][0].name for key in close))
        closest = f" The closest known are {_some(nearest)}." if nearest and not found else ""
        line = f"{_quoted(text)}, wavelength=<micrometre>"
        if survey is not None and len(text) <= 2:  # "u" alone would be taken for any survey's u
            full = f"{survey.lower()}_{text}"
            while not isinstance(resolve(index, full, None), Unresolved):
                full = f"my_{full}"
            line = (
                f"{_quoted(full)}, wavelength=<micrometre>, "
                f"survey={_quoted(survey)}, aliases=[{_quoted(text)}]"
            )
        return (
            f"passband {name} is unknown.{hint}{closest} Register it with its effective "
            f"wavelength: sklc.register_passband({line})"
        )


def resolve(index: PassbandIndex, name: object, label: str | None) -> Passband | Unresolved:
    """Return the passband of a name, within the survey of a label if one is given."""
    text = _as_text(name)
    survey = None if label is None else index.survey(label)
    # with a survey, "g" must never become the g of another one
    is_label = text.isdecimal() or (label is not None and len(text) <= 2)

    found: tuple[Passband, ...] = ()
    if survey is not None:
        found = index.in_survey[survey].find(text)
    named = index.passbands.get(text)
    if not found and named is not None and (not is_label or named.survey == DEFAULT_SURVEY):
        return named
    if not found and not is_label:
        found = index.names.find(text)
    if len(found) != 1 and text.casefold() not in _MISSING:
        found = _survey_and_band(index, text) or found
    if len(found) == 1:
        return found[0]
    return Unresolved(index, name, text, label, survey, found)


def _as_text(name: object) -> str:
    """A band name as text; filter ids may come as floats, names of FITS tables as bytes."""
    if isinstance(name, bytes):
        name = name.decode("utf-8", errors="replace")
    if isinstance(name, Real) and not isinstance(name, bool):
        number = float(name)
        return str(int(number)) if number.is_integer() else str(number)
    return str(name).strip()


def _survey_and_band(index: PassbandIndex, text: str) -> tuple[Passband, ...]:
    """Match a survey and its band in one: "ZTF_g", "ps1::g", "Palomar/ZTF.g", "r-ZTF"."""
    for survey, band in _splits(index, text):
        found = () if survey is None else index.in_survey[survey].find(band)
        if found:
            return found
    return ()


def _splits(index: PassbandIndex, text: str) -> Iterator[tuple[str | None, str]]:
    """Yield each way to take a text as a survey and a band, the likeliest first."""
    if of_svo := re.fullmatch(r"([^/]+)/([^/.]+)\.(.+)", text):  # facility/instrument.band
        facility, instrument, band = of_svo.groups()
        for label in (instrument, facility):
            yield index.survey(label), band

    def known(label: str) -> str | None:
        return index.survey_names.get(squeeze(label) or label)

    separators = list(re.finditer(r"[\s_\-:./]+", text))
    for separator in separators:
        band = text[separator.end() :]
        # "--_r" is the telescope "--" and the band "r"
        yield known(text[: separator.start()]), band
        yield known(text[: separator.end() - 1]), band
    for separator in reversed(separators):  # the order of the Transient Name Server
        yield known(text[separator.end() :]), text[: separator.start()]


def unknown_survey(index: PassbandIndex, label: str) -> str:
    """Return the message for a survey that is not known."""
    surveys = [survey for survey in index.in_survey if survey not in FOLLOW_UP_ONLY]
    return f"Survey {cut(label)} is unknown; known are {_some(surveys, 40)}."


def _some(names: Sequence[str], most: int = 6) -> str:
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")


def cut(value: object) -> str:
    """Return a value as messages print it, cut at 80 characters."""
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _quoted(text: str) -> str:
    """Text as Python source, in double quotes where it has none itself."""
    return f'"{text}"' if text.isprintable() and not set('"\\') & set(text) else repr(text)
