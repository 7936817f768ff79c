"""``sklc anomalies``: how unusual each object is among others."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace

import numpy as np

from sklc.cli.arguments import UsageError
from sklc.cli.console import Console, counted
from sklc.cli.options import Reading
from sklc.cli.run import Columns, write_rows
from sklc.cli.sources import Sources
from sklc.errors import LightCurveError
from sklc.estimators import LatentIsolationForest
from sklc.light_curves import LightCurves, unusable

__all__ = ["anomalies"]


def anomalies(options: Namespace, console: Console) -> int:
    """Write the anomaly score of each object, and what it resembles.

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
    if "-" in options.files and not options.normal:
        raise UsageError("files are read twice, and standard input cannot be: give --normal FILE")
    forest = LatentIsolationForest(
        options.weights,
        contamination="auto" if options.contamination is None else options.contamination,
        min_points=options.min_points,
        device=options.device,
        random_state=options.seed,
        verbose=0 if options.quiet else "auto",
    )
    forest.fit(_normal(options, console))

    def columns(curves: LightCurves) -> Columns:
        explained = forest.explain(curves, on_error="nan")
        scores = explained["anomaly_score"].to_numpy()
        return {
            "anomaly_score": scores,
            "outlier": -scores < forest.offset_,
            "nearest_class": explained["nearest_class"].to_numpy(dtype=object),
            "distance": explained["distance"].to_numpy(dtype=float),
            "rare_class": explained["rare_class"].to_numpy(dtype=object),
            "rare_probability": explained["rare_probability"].to_numpy(dtype=float),
        }

    return write_rows(options, console, "scored", columns)


def _normal(options: Namespace, console: Console) -> LightCurves:
    """Return the usable objects that the forest learns from."""
    reading = replace(Reading.of(options), stop=False)
    files, listener = (
        options.normal or options.files,
        Console(quiet=True, silent=not options.normal),
    )
    sources = Sources(files, reading, listener, distinct=False)
    usable = []
    for part in sources.parts():
        bad = unusable(part.curves, min_points=options.min_points).index
        usable.append(part.curves[np.setdiff1d(np.arange(len(part.curves)), bad)])
    count = sum(map(len, usable))
    if count < 2:
        raise LightCurveError(
            f"{counted(count, 'object')} can be used, and a forest isolates objects from each "
            "other: give at least two, and preferably hundreds, or name files of others with "
            "--normal"
        )
    if options.normal:
        where = counted(len(files), "file")
        console.say(f"learned what is normal from {counted(count, 'object')} in {where}")
    return LightCurves.concatenate(usable, prefix_ids=True)
