"""From the text of arguments to the options of readers and estimators."""

from __future__ import annotations

import ast
import inspect
import re
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sklc.cli.arguments import UsageError
from sklc.io import Format
from sklc.io.registry import FORMATS
from sklc.passbands import list_passbands

__all__ = ["Reading", "in_shell", "merged_classes", "reader_parameters"]

# Classes that papers join; a class of the weights that is named nowhere stays as it is. As in the
# demo data and the examples of the documentation, IIb count as Ib/c.
_TYPES = {
    "SNIa": ("SNIa", "SNIa-91bg", "SNIax"),
    "SNII": ("SNII", "SNIIn"),
    "SNIb/c": ("SNIb/c", "SNIb", "SNIc", "SNIc-BL", "SNIIb", "SNIbn"),
}
# How the library tells to add a passband, which a shell cannot; the label is the alias, if any.
_REGISTER = re.compile(
    r"Register it with its effective wavelength: sklc\.register_passband\("
    r"""(?:[^()]*aliases=\[)?("[^"]*")[^()]*\)"""
)
_WORDS = {"true": True, "false": False, "none": None}


@dataclass(frozen=True)
class Reading:
    """How files are to be read.

    Parameters
    ----------
    format : str or None
        The name of the format; None if it is to be recognised.
    given : tuple of (str, str)
        Names and texts of the options of the format.
    join : bool
        Whether all files are read as one.
    whole : bool
        Whether large files, too, are read as a whole.
    ids_from_files : bool
        Whether objects are named after their files.
    batch_size : int
        The largest number of objects at a time.
    stop : bool
        Whether the first object that cannot be used is an error.
    """

    format: str | None
    given: tuple[tuple[str, str], ...]
    join: bool
    whole: bool
    ids_from_files: bool
    batch_size: int
    stop: bool

    @classmethod
    def of(cls, options: Namespace) -> Reading:
        """Return how the arguments of a command want files to be read.

        Raises
        ------
        UnknownPassbandError
            If there is no such survey.
        """
        if options.survey is not None:
            list_passbands(options.survey)
        pairs = []
        for name in ("quality", "survey"):
            if getattr(options, name) is not None:
                pairs.append((name, getattr(options, name)))
        for text in options.option:
            key, equals, value = text.partition("=")
            if not equals or not key.strip().isidentifier():
                raise UsageError(f"--option {text!r} is not KEY=VALUE, such as --option survey=ztf")
            pairs.append((key.strip(), value))
        twice = {key for key, _ in pairs if sum(key == other for other, _ in pairs) > 1}
        if twice:
            raise UsageError(f"the option {min(twice)} is given twice: give it once")
        return cls(
            options.format,
            tuple(pairs),
            options.join,
            options.whole,
            options.ids_from_files,
            getattr(options, "batch_size", 10_000),
            getattr(options, "on_error", "nan") == "raise",
        )

    def options_of(self, format: Format) -> dict[str, Any]:
        """Return the options for the reader of a format.

        Raises
        ------
        UsageError
            If the format does not have an option.
        """
        known = reader_parameters(format)
        any_name = any(p.kind is p.VAR_KEYWORD for p in known.values())
        given = dict(self.given)
        if not self.applies_quality(format):
            given.pop("quality", None)
        for name in given:
            if name not in known and not any_name:
                raise UsageError(
                    f"the format {format.name} has no option {name}: its options are "
                    f"{', '.join(known) or 'none'} (see sklc formats {format.name})"
                )
        return {name: _value(text, known.get(name)) for name, text in given.items()}

    def applies_quality(self, format: Format) -> bool:
        """Whether a choice of quality, if there is one, means anything for a format."""
        return "quality" not in dict(self.given) or "quality" in reader_parameters(format)


def reader_parameters(format: Format) -> dict[str, inspect.Parameter]:
    """Return the options of the reader of a format, by name; the source is none of them.

    Parameters
    ----------
    format : Format
        The format.
    """
    parameters = list(inspect.signature(format.read).parameters.values())[1:]
    return {p.name: p for p in parameters if p.kind is not p.VAR_POSITIONAL}


def in_shell(text: str, format: Format | None) -> str:
    """Return a message of a reader, which speaks of arguments in Python, in the words of a shell.

    Parameters
    ----------
    text : str
        The message.
    format : Format or None
        The format that is read; None if it is not known.
    """
    names = {"format", "names"} if format is None else {"format", *reader_parameters(format)}
    if "options" in names:  # those of tables
        names |= {*reader_parameters(FORMATS["long-table"])}

    def option(found: re.Match[str]) -> str:
        name, value = found[1], found[2] or ""
        if name == "format":
            return f"--format={value}"
        return (
            f"--option '{name}={value}'" if value[:1] in ("[", "{") else f"--option {name}={value}"
        )

    own = rf"(?<![\w.-])({'|'.join(sorted(names))})=(?!=)(\[[^]]*\]|\{{[^}}]*\}})?"
    text = re.sub(own, option, text)
    if "bands" in names:
        text = _REGISTER.sub(r"""Say which it is, with --option 'bands={\1: "NAME"}'""", text)
    return text.replace("as a whole with sklc.io.read", "as a whole, with --whole").replace(
        "--format= one of", "--format with one of"
    )


def _value(text: str, parameter: inspect.Parameter | None) -> Any:
    """Return the value that a text stands for, as the reader's annotation wants it."""
    annotation = "" if parameter is None or parameter.annotation is parameter.empty else str(
        parameter.annotation
    )  # fmt: skip
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if (
        text[:1] in ("[", "{", "(")
        or not annotation
        or re.search(r"\b(int|float|bool|Any|dict|Mapping)\b", annotation)
    ):
        try:
            return ast.literal_eval(text)
        except (ValueError, SyntaxError):
            return text
    if re.search(r"\b(Sequence|Iterable|list|tuple)\b", annotation):
        return [part.strip() for part in text.split(",")]
    return text


def merged_classes(given: Sequence[str] | None, classes: Sequence[str]) -> dict[str, list[str]]:
    """Return which classes of the weights make up each class of the result.

    Parameters
    ----------
    given : sequence of str or None
        The values of ``--merge``: "Ia=SNIa,SNIax"; an empty one stands for the main types.
    classes : sequence of str
        Classes of the weights.
    """
    if not given:
        return {name: [name] for name in classes}
    if "" in given:
        if any(given):
            raise UsageError("give --merge alone, or with NAME=CLASS,..., but not both")
        named = {part: name for name, parts in _TYPES.items() for part in parts}
        merged: dict[str, list[str]] = {}
        for own in classes:
            merged.setdefault(named.get(own, own), []).append(own)
        return merged
    merged = {}
    for text in (word for value in given for word in re.split(r"[;\s]+", value) if word):
        name, equals, parts = text.partition("=")
        if not (name and equals and parts.strip(",")):
            raise UsageError(f"--merge {text!r} is not NAME=CLASS,..., such as Ia=SNIa,SNIax")
        if name in merged:
            raise UsageError(f"--merge names {name} twice: name each class once")
        merged[name] = [part for part in parts.split(",") if part]
        if unknown := [part for part in merged[name] if part not in classes]:
            raise UsageError(
                f"--merge names {unknown[0]}, which is no class of the weights: these are "
                f"{', '.join(classes)}"
            )
    return merged
