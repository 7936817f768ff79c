"""The results of the suite: read, extended after every cell, and shown in tables."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from _common import cell as written
from _common import markdown_table, result_context, results_path, summarise
from _label_draws import column_name
from _suite_tasks import TASKS, Task

NAME = "suite"
# The number of labels of the first table, or the whole training part where it is smaller.
CITED = 512
LEVEL = 0.003  # differences of AUROC that count as none
REFERENCES = ("features-core", "features-full")


class Cell(NamedTuple):
    """What is measured in one go: all draws of a method at one number of labels."""

    set: str
    task: str
    method: str
    labels: str


@dataclass
class Results:
    """Everything that is known, and the file that it is kept in.

    Parameters
    ----------
    options : Namespace
        As parsed.
    cells : dict
        Scores by cell: the values of all draws by name of the score.
    sets, methods : dict
        What is said of the sets and methods that occur, by name.
    skipped : dict
        Reasons by set, task and method, "*" for all of them.
    """

    options: argparse.Namespace
    cells: dict[Cell, dict[str, list[float]]] = field(default_factory=dict)
    sets: dict[str, dict[str, Any]] = field(default_factory=dict)
    methods: dict[str, dict[str, str]] = field(default_factory=dict)
    skipped: dict[tuple[str, str, str], str] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        return results_path(self.options, NAME, ".json")

    @classmethod
    def load(cls, options: argparse.Namespace, digests: Mapping[str, str]) -> Results:
        """Read what there is; cells of weights that have changed since are forgotten.

        Parameters
        ----------
        options : Namespace
        digests : mapping
            The sha256 of the weights in the package, by name.
        """
        results = cls(options)
        if not results.path.is_file():
            return results
        known = json.loads(results.path.read_text(encoding="utf-8"))
        results.sets, results.methods = known["sets"], known["methods"]
        results.skipped = {tuple(s["of"]): s["reason"] for s in known["skipped"]}
        changed = {name for name, digest in known["weights"].items() if digests.get(name) != digest}
        for entry in known["cells"]:
            cell = Cell(*entry["of"])
            if known["methods"][cell.method]["weights"] not in changed:
                results.cells[cell] = entry["draws"]
        return results

    def draws(self, cell: Cell) -> int:
        """Return how many draws of a cell there are."""
        return min((len(values) for values in self.cells.get(cell, {}).values()), default=0)

    def add(self, cell: Cell, draws: Sequence[Mapping[str, float]]) -> None:
        """Append draws to a cell, and write the file."""
        scores = self.cells.setdefault(cell, {})
        for draw in draws:
            for name, value in draw.items():
                scores.setdefault(name, []).append(value)
        for method in (cell.method, _at_size(cell)):
            self.skipped.pop((cell.set, cell.task, method), None)
        self.write()

    def skip(self, set_: str, task: str, method: str, reason: str) -> None:
        """Record why something is not measured."""
        self.skipped[set_, task, method] = reason
        print(
            f"skipped {' '.join(n for n in (set_, task, method) if n != '*')}: {reason}", flush=True
        )

    def fail(self, cell: Cell, error: str) -> None:
        """Record that a cell could not be measured; the next run tries it again."""
        self.skip(cell.set, cell.task, _at_size(cell), error)

    def write(self) -> Path:
        """Write the file, whole or not at all; one line for each cell."""
        used = [m["weights"] for m in self.methods.values() if m["weights"]]
        content = {
            "summary": self.summary(),
            "markdown": self.markdown(),
            "sets": self.sets,
            "methods": self.methods,
            "skipped": [{"of": list(k), "reason": v} for k, v in sorted(self.skipped.items())],
            "cells": [],
        }
        result = result_context(self.options, NAME, content, used)
        text = json.dumps(result, indent=1, ensure_ascii=False, allow_nan=False)
        lines = ",\n".join(
            "  " + json.dumps({"of": list(cell), "draws": self.cells[cell]}, allow_nan=False)
            for cell in sorted(self.cells, key=self._order)
        )
        before, after = text.split('\n "cells": []')
        working = self.path.with_suffix(".writing")
        working.write_text(f'{before}\n "cells": [\n{lines}\n ]{after}\n', encoding="utf-8")
        os.replace(working, self.path)
        return self.path

    # -- tables

    def _order(self, cell: Cell) -> tuple[int, int, int, float]:
        labels = np.inf if cell.labels == "all" else float(cell.labels)
        sets, methods = list(self.sets), list(self.methods)
        return (
            sets.index(cell.set),
            list(TASKS).index(cell.task),
            methods.index(cell.method),
            labels,
        )

    def _score(self, cell: Cell, name: str) -> dict[str, Any] | None:
        values = self.cells.get(cell, {}).get(name)
        return None if values is None else summarise([{name: v} for v in values])[name]

    def _labels(self, set_: str, task: str) -> list[str]:
        """Return the numbers of labels that were measured, ascending."""
        found = {cell.labels for cell in self.cells if (cell.set, cell.task) == (set_, task)}
        return sorted(found, key=lambda n: np.inf if n == column_name(None) else float(n))

    def _pairs(self) -> Iterator[tuple[str, str]]:
        yield from ((s, t) for s in self.sets for t in TASKS if self._labels(s, t))

    def _cited(self, set_: str, task: str) -> str:
        labels = self._labels(set_, task)
        return str(CITED) if str(CITED) in labels else labels[-1]

    def summary(self) -> str:
        """Return one line: the mean AUROC of classes over the sets that all methods share."""
        shared: dict[str, list[float]] = {}
        for set_ in self.sets:
            if not self._labels(set_, "classes"):
                continue
            labels = self._cited(set_, "classes")
            row = {
                m: score["mean"]
                for m in self.methods
                if (score := self._score(Cell(set_, "classes", m, labels), "auroc"))
            }
            for method, mean in row.items():
                shared.setdefault(method, []).append(mean)
        most = max(map(len, shared.values()), default=0)
        means = ", ".join(f"{m} {np.mean(v):.3f}" for m, v in shared.items() if len(v) == most)
        return (
            f"{NAME}: {len(self.cells):,} cells; macro AUROC of classes with {CITED} labels, or "
            f"all that there are, mean over {most} sets: {means or 'none'}"
        )

    def markdown(self) -> str:
        """Return all tables, each under its heading."""
        parts = ["## The table to cite", self._cited_table(), self._comparison()]
        for task in TASKS.values():
            if tables := self._task_tables(task):
                parts += [f"## {task.title}", *tables]
        parts += ["## The sets", self._sets_table(), "## The methods", self._methods_table()]
        if self.skipped:
            parts += ["## What was skipped", self._skipped_table()]
        return "\n\n".join(part for part in parts if part)

    def _cited_table(self) -> str:
        methods = [m for m in self.methods if any(cell.method == m for cell in self.cells)]
        rows = []
        for set_, task in self._pairs():
            labels = self._cited(set_, task)
            scores = list(TASKS[task].shown)
            for score in scores[::2] if TASKS[task].is_series else scores[:1]:
                row = [self._score(Cell(set_, task, m, labels), score) for m in methods]
                sign = 1 if TASKS[task].is_better == "higher" else -1
                best = max((sign * s["mean"] for s in row if s), default=None)
                texts = [
                    "–" if s is None
                    else f"**{written(s)}**" if sign * s["mean"] == best else written(s)
                    for s in row
                ]  # fmt: skip
                rows.append([f"`{set_}`", TASKS[task].shown[score], labels, *texts])
        return markdown_table(["set", "score", "labels", *(f"`{m}`" for m in methods)], rows)

    def _comparison(self) -> str:
        """Compare with features: how often ahead, level, behind, and the largest loss."""
        rows = []
        for method in self.methods:
            for reference in REFERENCES:
                found = [
                    mine["mean"] - other["mean"]
                    for cell in self.cells
                    if cell.method == method != reference and cell.task in ("classes", "anomalies")
                    and (mine := self._score(cell, "auroc"))
                    and (other := self._score(cell._replace(method=reference), "auroc"))
                ]  # fmt: skip
                if found:
                    gain = np.array(found)
                    counts = [
                        np.sum(gain > LEVEL),
                        np.sum(abs(gain) <= LEVEL),
                        np.sum(gain < -LEVEL),
                    ]
                    texts = [*map(str, counts), f"{gain.mean():+.3f}", f"{gain.min():+.3f}"]
                    rows.append([f"`{method}`", f"`{reference}`", *texts])
        if not rows:
            return ""
        header = [
            "method",
            "against",
            "ahead",
            "level",
            "behind",
            "mean difference",
            "largest loss",
        ]
        return (
            "AUROC of classes and anomalies against features, at every set and number of labels "
            f"(level: within {LEVEL}):\n\n{markdown_table(header, rows)}"
        )

    def _task_tables(self, task: Task) -> list[str]:
        """Return a table for each score, or one for all scores that are a series."""
        if task.is_series:
            table = self._series_table(task)
            return [table] if table else []
        return [
            f"{title[0].upper()}{title[1:]}:\n\n{table}"
            for score, title in task.shown.items()
            if (table := self._task_table(task.name, score))
        ]

    def _series_table(self, task: Task) -> str:
        rows = []
        for cell in sorted(self.cells, key=self._order):
            if cell.task == task.name:
                row = [self._score(cell, score) for score in task.shown]
                texts = ["–" if s is None else written(s) for s in row]
                rows.append([f"`{cell.set}`", f"`{cell.method}`", cell.labels, *texts])
        header = ["set", "method", "labels", *task.shown.values()]
        return markdown_table(header, rows) if rows else ""

    def _task_table(self, task: str, score: str) -> str:
        columns = sorted(
            {n for s in self.sets for n in self._labels(s, task)},
            key=lambda n: np.inf if n == column_name(None) else float(n),
        )
        rows = []
        for set_ in self.sets:
            for method in self.methods:
                row = [self._score(Cell(set_, task, method, n), score) for n in columns]
                if any(row):
                    texts = ["–" if s is None else written(s) for s in row]
                    rows.append([f"`{set_}`", f"`{method}`", *texts])
        return markdown_table(["set", "method", *columns], rows) if rows else ""

    def _sets_table(self) -> str:
        rows = [
            [
                f"`{name}`",
                f"{s['title']} ({s['origin']})",
                f"{s['objects']:,}",
                f"{s['median points']:.0f}",
                ", ".join(f"{c} {n:,}" for c, n in s["classes"].items()) or "–",
                s["source"],
                s["traps"],
            ]
            for name, s in self.sets.items()
        ]
        header = ["set", "what", "objects", "points", "classes", "source and terms", "traps"]
        return markdown_table(header, rows)

    def _methods_table(self) -> str:
        measured = {cell.method for cell in self.cells}
        rows = [[f"`{n}`", m["title"]] for n, m in self.methods.items() if n in measured]
        return markdown_table(["method", "what"], rows)

    def _skipped_table(self) -> str:
        reasons: dict[tuple[str, str, str], list[str]] = {}
        for (set_, task, method), reason in sorted(self.skipped.items()):
            reasons.setdefault((task, method, reason), []).append(set_)
        rows = [
            [
                ", ".join(f"`{s}`" if s != "*" else "all" for s in sets),
                *_starred(task, method),
                reason,
            ]
            for (task, method, reason), sets in reasons.items()
        ]
        return markdown_table(["sets", "task", "method", "reason"], rows)


def _at_size(cell: Cell) -> str:
    return f"{cell.method} with {cell.labels} labels"


def _starred(*names: str) -> list[str]:
    return ["all" if name == "*" else f"`{name}`" for name in names]
