"""``sklc info``: what was read of each file, without a network."""

from __future__ import annotations

import json
from argparse import Namespace
from typing import Any

import numpy as np
import pandas as pd

from sklc.cli.console import Console
from sklc.cli.options import Reading, in_shell
from sklc.cli.sources import FileReport, Part, Sources
from sklc.cli.usable import problems_of

__all__ = ["info"]

_SHOWN = 5  # problems, and values of a column, that are listed
_COLUMNS = 10  # columns of metadata that are listed, these first
_KNOWN = ("label", "class", "redshift", "ra", "dec", "mwebv", "survey")


def info(options: Namespace, console: Console) -> int:
    """Print what each file holds, and how it was understood.

    Parameters
    ----------
    options : Namespace
        The arguments of the command.
    console : Console
        Standard error.

    Returns
    -------
    int
        The exit status; objects that cannot be used do not change it, since they are reported.
    """
    own = Console(quiet=True, debug=console.debug)  # warnings are part of the page
    sources = Sources(options.files, Reading.of(options), own, distinct=False)
    described: dict[str, dict[str, Any]] = {}
    parts: list[Part] = []

    def close() -> None:
        if parts:
            report = next(r for r in sources.reports if r.name == parts[0].file)
            described[report.name] = _describe(report, parts)
            parts.clear()

    with own.shows_warnings():
        for part in sources.parts():
            if parts and parts[0].file != part.file:
                close()
            parts.append(part)
        close()
    if options.json:
        print(json.dumps(described, indent=2, default=str, ensure_ascii=False))
    else:
        print("\n\n".join(_page(name, facts) for name, facts in described.items()))
    return int(bool(sources.failed))


def _describe(report: FileReport, parts: list[Part]) -> dict[str, Any]:
    """Return the facts about a file, as plain values."""
    format = report.format
    assert format is not None
    every = [part.curves for part in parts]
    lengths = np.concatenate([curves.lengths for curves in every])
    time = np.concatenate([curves.time for curves in every])
    magnitudes = np.concatenate([_peak_magnitudes(part) for part in parts])
    counts: dict[str, int] = {}
    for curves in every:
        for code, count in zip(*np.unique(curves.band, return_counts=True), strict=True):
            name = str(curves.passbands[code].name)
            counts[name] = counts.get(name, 0) + int(count)
    unknown = sum(int(np.isnan(curves.flux_err).sum()) for curves in every)
    ids = parts[0].ids[:3].tolist()
    unusable: dict[str, str] = {}
    for part in parts:
        own = part.problems | {
            int(part.rows[k]): problem for k, problem in problems_of(part.curves).items()
        }
        unusable |= {str(part.ids[row]): own[row].reason for row in sorted(own)}
    metadata = pd.concat([curves.metadata for curves in every])
    return {
        "format": format.name,
        "title": format.title,
        "flux": in_shell(format.flux, format),
        "objects": report.objects,
        "ids": ids,
        "observations": report.observations,
        "per object": _range(lengths),
        "bands": counts,
        "time": _range(time),
        "zero point": report.zero_point,
        "peak magnitude": _range(magnitudes[np.isfinite(magnitudes)]),
        "observations without error": unknown,
        "metadata": {str(name): _column(metadata[name]) for name in metadata.columns},
        "notes": report.notes,
        "warnings": report.warnings,
        "unusable": unusable,
    }


def _peak_magnitudes(part: Part) -> np.ndarray:
    """Return the AB magnitude of the highest flux of each object."""
    curves = part.curves[part.curves.lengths > 0]
    peak = np.maximum.reduceat(curves.flux, curves.offsets[:-1]) if len(curves) else np.empty(0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return curves.zero_point - 2.5 * np.log10(peak)


def _range(values: np.ndarray) -> dict[str, float]:
    if not len(values):
        return {}
    return {
        "from": _plain(values.min()),
        "median": _plain(np.median(values)),
        "to": _plain(values.max()),
    }


def _plain(value: float) -> float:
    return float(f"{value:.10g}")


def _column(column: pd.Series) -> Any:
    """Return a range of numbers, or the most frequent values and how often they occur."""
    known = column.dropna()
    if pd.api.types.is_numeric_dtype(known) and not pd.api.types.is_bool_dtype(known):
        facts: dict[str, Any] = dict(_range(known.to_numpy(dtype=float)))
    else:
        values = known.astype(str).value_counts()
        facts = {str(value)[:80]: int(count) for value, count in values.head(_SHOWN).items()}
        if len(values) > _SHOWN:
            facts["others"] = int(values.iloc[_SHOWN:].sum())
    if missing := len(column) - len(known):
        facts["missing"] = missing
    return facts


def _page(name: str, facts: dict[str, Any]) -> str:
    """Return the facts as text."""
    shown = {
        "format": f"{facts['format']}: {facts['title']}",
        "flux": facts["flux"],
        "objects": f"{facts['objects']:,} (ids {', '.join(map(repr, facts['ids']))}"
        + (", ...)" if facts["objects"] > len(facts["ids"]) else ")"),
        "observations": f"{facts['observations']:,}; per object {_span(facts['per object'])}",
        "bands": ", ".join(f"{band} {count:,}" for band, count in facts["bands"].items()),
        "time": _span(facts["time"], middle=False),
        "zero point": f"{facts['zero point']:g} (AB)",
        "peak magnitude": _span(facts["peak magnitude"]) or "none: no flux is positive",
    }
    if without := facts["observations without error"]:
        shown["errors"] = f"not known for {without:,} observations"
    lines = [f"  {key:<15} {value}" for key, value in shown.items()]
    metadata = facts["metadata"]
    columns = sorted(metadata, key=lambda name: name not in _KNOWN)[:_COLUMNS]
    for column in columns:
        own = metadata[column]
        text = _span(own) if "from" in own else ", ".join(f"{k} {v:,}" for k, v in own.items())
        if "from" in own and "missing" in own:
            text += f", missing {own['missing']:,}"
        lines.append(f"  {'metadata':<15} {column}: {text}")
    if len(metadata) > len(columns):
        lines.append(f"  {'metadata':<15} ... and {len(metadata) - len(columns)} more (--json)")
    lines += [f"  {'note':<15} {note}" for note in facts["notes"]]
    lines += [f"  {'warning':<15} {warning}" for warning in facts["warnings"]]
    unusable = list(facts["unusable"].items())
    lines += [f"  {'unusable':<15} {object_id!r}: {why}" for object_id, why in unusable[:_SHOWN]]
    if len(unusable) > _SHOWN:
        lines.append(f"  {'unusable':<15} ... and {len(unusable) - _SHOWN:,} more")
    return "\n".join([name, *lines])


def _span(facts: dict[str, Any], *, middle: bool = True) -> str:
    if not facts:
        return ""
    low, high = facts["from"], facts["to"]
    if low == high:
        return f"{low:.10g}"
    return f"{low:g} to {high:g} (median {facts['median']:g})" if middle else f"{low} to {high}"
