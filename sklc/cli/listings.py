"""``sklc weights`` and ``sklc formats``: what can be used, and what can be read."""

from __future__ import annotations

import inspect
import json
import textwrap
from argparse import Namespace
from pathlib import Path
from typing import Any

from sklc.cli.arguments import UsageError
from sklc.cli.console import Console
from sklc.weights.catalogue import list_weights, manifest

__all__ = ["formats", "weights"]


def weights(options: Namespace, console: Console) -> int:
    """Print the names of the pretrained weights, or all about one of them.

    Parameters
    ----------
    options : Namespace
        The arguments of the command.
    console : Console
        Standard error.

    Returns
    -------
    int
        The exit status.
    """
    if options.action == "list":
        if options.name is not None:
            raise UsageError(f"to see {options.name}: sklc weights show {options.name}")
        found: dict[str, Any] = list_weights()
        aliases = manifest()["aliases"]
        text = {
            name: f"{line} (= {aliases[name]})" if name in aliases else line
            for name, line in found.items()
        }
    else:
        if options.name is None:
            raise UsageError("name the weights to show, such as: sklc weights show any")
        found = _described(options.name)
        text = {name: _plain(value) for name, value in found.items()}
    print(json.dumps(found, indent=2, default=str) if options.json else _table(text))
    return 0


def formats(options: Namespace, console: Console) -> int:
    """Print the names of the formats that can be read, or how one of them is read.

    Parameters
    ----------
    options : Namespace
        The arguments of the command.
    console : Console
        Standard error.

    Returns
    -------
    int
        The exit status.
    """
    from sklc.cli.options import in_shell, reader_parameters
    from sklc.io.registry import FORMATS

    if options.name is None:
        known = FORMATS.entries
        print(_table({name: f"{f.title}; {in_shell(f.flux, f)}" for name, f in known.items()}))
        return 0
    format = FORMATS[options.name]
    print(f"{format.name}: {format.title}\nflux: {in_shell(format.flux, format)}")
    given = [
        name if p.default is p.empty else f"{name}={p.default!r}"
        for name, p in reader_parameters(format).items()
    ]
    print(f"options: {', '.join(given) or 'none'}\n")
    print(inspect.getdoc(format.read) or "")
    return 0


def _described(name: str) -> dict[str, Any]:
    known = manifest()
    entry = known["weights"].get(known["aliases"].get(name, name))
    if entry is not None:
        return {"name": known["aliases"].get(name, name), **entry}
    from sklc.weights.file import load_weights

    file = load_weights(name)  # an unknown name is an error that lists all names
    return {
        "file": str(Path(name)),
        "classes": list(file.classes),
        "architecture": file.architecture,
        "metadata_columns": list(file.metadata_columns),
        **({"context": list(file.context)} if file.context else {}),
        "input": file.representation.to_dict(),
        **file.info,
    }


def _plain(value: Any) -> str:
    """Return a value of a manifest as text."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {_plain(own)}" for key, own in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value))
    return str(value)


def _table(rows: dict[str, str]) -> str:
    """Return names and texts in two columns; long texts go on in the second."""
    width = max(map(len, rows), default=0) + 2
    lines = []
    for name, text in rows.items():
        first, *others = textwrap.wrap(text, 100, break_long_words=False) or [""]
        lines.append(f"{name:<{width}}{first}".rstrip())
        lines += [" " * width + other for other in others]
    return "\n".join(lines)
