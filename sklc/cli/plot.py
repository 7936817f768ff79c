"""``sklc plot``: light curves and, over time, their classes."""

from __future__ import annotations

import os
import re
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sklc._optional import require
from sklc.cli.arguments import UsageError
from sklc.cli.console import Console, counted
from sklc.cli.options import Reading
from sklc.cli.run import Tally, warn_of_total_flux
from sklc.cli.sources import Sources, stem_of
from sklc.cli.tables import OutputFile
from sklc.cli.usable import Problem
from sklc.errors import LightCurveError
from sklc.inspection import ClassHistoryDisplay, LightCurveDisplay
from sklc.light_curves import LightCurve
from sklc.utils.progress import progress_bar

__all__ = ["plot"]

_FIGURES = (".png", ".pdf", ".svg")
_ROW = (5.5, 3.2)  # inches


@dataclass(frozen=True)
class _Drawn:
    """An object to draw, and the file that it is in."""

    file: str
    object_id: Any
    curve: LightCurve


def plot(options: Namespace, console: Console) -> int:
    """Draw light curves and, over time, their class probabilities.

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
    require("matplotlib.figure", extra="plot", user="sklc plot")
    outputs = _Outputs(options)
    tally = Tally(options, console)
    sources = Sources(options.files, Reading.of(options), console)
    classifier = None
    if not options.no_classes:
        from sklc.cli.predict import classifier_of

        classifier = classifier_of(options, console)
    chosen = _choose(options, sources, tally, console)
    if not chosen:
        raise LightCurveError(
            "; ".join(
                ["there is no object that can be drawn", *(f.reason for f in tally.failures[:1])]
            )
        )
    with progress_bar(console.progress, total=len(chosen), unit="object", desc="drawing") as bar:
        for output, curves in outputs.figures(chosen):
            figure = _figure(curves, classifier, tally, bar)
            try:
                with output.open() as file:
                    figure.savefig(file, format=output.ending[1:], dpi=150)
                output.keep()
            finally:
                output.discard()
    if classifier is not None:
        warn_of_total_flux(sources, console)
    return tally.finish("drew", sources, ", ".join(outputs.written))


def _choose(options: Namespace, sources: Sources, tally: Tally, console: Console) -> list[_Drawn]:
    """Return the objects to draw."""
    wanted, n_more = set(options.object), 0
    chosen: list[_Drawn] = []
    for part in sources.parts():
        ids = part.ids.tolist()
        names = [str(object_id) for object_id in ids]
        for row, problem in part.problems.items():
            if not options.object or names[row] in options.object:
                tally.add(part.file, ids[row], problem)
        for object_id, problem in part.repeated.items():
            tally.add(part.file, object_id, problem)
        for position, row in enumerate(part.rows.tolist()):
            if options.object and names[row] not in options.object:
                continue
            wanted.discard(names[row])
            if len(chosen) == options.max:
                n_more += 1
            elif not part.curves.lengths[position]:
                tally.add(part.file, ids[row], Problem("it has no observations"))
            else:
                chosen.append(_Drawn(part.file, ids[row], part.curves[position]))
    wanted -= {str(failure.object_id) for failure in tally.failures}
    if wanted:
        raise UsageError(
            f"there is no object {min(wanted)!r} in {counted(len(sources.files), 'file')}: see "
            "the ids with sklc info"
        )
    if n_more:
        console.say(
            f"drew {options.max} of {counted(options.max + n_more, 'object')}, the first ones: see "
            "--max and --object"
        )
    return chosen


class _Outputs:
    """Where figures go: one file for all objects, or one in a folder for each."""

    def __init__(self, options: Namespace) -> None:
        self.options = options
        self.written: list[str] = []
        path = options.output
        if path is None:
            first = "light_curves" if options.files[0] == "-" else options.files[0]
            path = Path(f"{stem_of(os.path.abspath(first))}.png")
        self.folder = path if path.is_dir() or not path.suffix else None
        if self.folder is None:
            self.file = self._file(path)
        elif not path.parent.is_dir():
            raise UsageError(f"the folder {path.parent} does not exist: create it first")

    def _file(self, path: Path) -> OutputFile:
        self.written.append(str(path))
        return OutputFile(
            path, _FIGURES, overwrite=self.options.overwrite, inputs=self.options.files
        )

    def figures(self, chosen: list[_Drawn]) -> Iterator[tuple[OutputFile, list[_Drawn]]]:
        """Yield each file with the objects that are drawn in it."""
        if self.folder is None:
            yield self.file, chosen
            return
        self.folder.mkdir(exist_ok=True)
        names: list[str] = []
        for item in chosen:
            name = re.sub(r"[^\w.+-]", "_", str(item.object_id))[:100]
            names.append(name)
            again = f"_{names.count(name)}" if names.count(name) > 1 else ""
            yield self._file(self.folder / f"{name}{again}.png"), [item]


def _figure(chosen: list[_Drawn], classifier: Any, tally: Tally, bar: Any) -> Any:
    """Draw a row for each object: its light curve and its classes over time."""
    n_columns = 1 if classifier is None else 2
    figure = require("matplotlib.figure").Figure(
        figsize=(_ROW[0] * n_columns, _ROW[1] * len(chosen)), layout="constrained"
    )
    axes = figure.subplots(len(chosen), n_columns, squeeze=False)
    for drawn, row in zip(chosen, axes, strict=True):
        LightCurveDisplay.from_curve(drawn.curve, title=str(drawn.object_id), ax=row[0])
        tally.n_objects += 1
        if classifier is not None:
            try:
                ClassHistoryDisplay.from_estimator(classifier, drawn.curve, title="", ax=row[1])
            except LightCurveError as error:
                tally.add(drawn.file, drawn.object_id, Problem.of(str(error)))
                row[1].set_axis_off()
                row[1].text(0.5, 0.5, "cannot be classified", ha="center", va="center")
        bar.update(1)
    return figure
