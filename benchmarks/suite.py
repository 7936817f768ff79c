"""Every data set at hand, every task, every method: the figures to cite, and to compare with.

    python benchmarks/suite.py --data DIR [--jobs 2] [--quick] [--only SET[,TASK[,METHOD]] ...]
    python benchmarks/suite.py --data DIR --data MYSET --method mymodule:make_classifier
    python benchmarks/suite.py --list

For each seed a stratified quarter of the objects is the test part; N labels are drawn, stratified,
from the rest, and every method is fitted on the same N. Whatever it holds out comes out of those
N. Scores are those of the test part, mean ± standard deviation over seeds. With 0 labels, the
classes or redshifts of pretrained weights are used as they are, without class shares of the survey.
Anomalies are all rarer classes, which are never trained on: all of them are scored together with
the normal objects of the test part. Early, light curves of the test part end some days after their
first detection (5 sigma), with what came before; methods that need it are also trained on four
prefixes of each training light curve. No method is told which set it is fitted on, and nothing was
chosen by figures of a test part.

DIR holds the data sets of the other benchmarks; those that are missing are skipped, with a reason.
Results are written after each cell, and what is already there is kept: a run that was stopped goes
on, and a new method is added to the figures of the others. A method of yours is a function that
returns an unfitted estimator of scikit-learn, which takes light curves (sklc.LightCurves) as X. A
set of yours is a folder or file that `sklc.io.read` reads, with classes in a metadata column.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _common import build_parser
from _label_draws import column_name
from _suite_catalogue import DEMO, FOLDERS, SETS, describe_sets, known_sets
from _suite_methods import BASELINES, Method, default_methods, named_method, of_user
from _suite_results import Cell, Results
from _suite_sets import MIN_MEMBERS, DataSet, own_classes
from _suite_tasks import TASKS, NotHere, Problem, Task, measure
from joblib import Parallel, delayed, parallel_config
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from sklc import LightCurves
from sklc.errors import LightCurveError
from sklc.io import read
from sklc.weights.catalogue import manifest

ANY = ("", "*")


# -- arguments


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the arguments, and stop with a message where they make no sense."""
    # --data is what differs from the other benchmarks: it may be given several times
    parser = argparse.ArgumentParser(
        parents=[build_parser(__doc__)],
        conflict_handler="resolve",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    shared = parser.get_default("data")
    parser.add_argument(
        "--data", type=Path, metavar="DIR", action="append", default=None,
        help="folder of the data sets ($SKLC_DATA, else ../shared/data beside the repository), or "
        "a set of yours; may be given several times",
    )  # fmt: skip
    parser.add_argument(
        "--only", nargs="+", metavar="SET[,TASK[,METHOD]]", default=[],
        help="measure these alone; an empty name or * stands for all of them, as in ,redshift",
    )  # fmt: skip
    parser.add_argument(
        "--method", nargs="+", metavar="MODULE:FACTORY", default=[], help="methods of yours"
    )
    parser.add_argument("--jobs", type=int, dest="n_jobs", default=1, help="processes (1)")
    parser.add_argument(
        "--classes", default="class", metavar="COLUMN",
        help='metadata column of the classes of a set of yours ("class"), or "none"',
    )  # fmt: skip
    parser.add_argument(
        "--rare", nargs="+", default=[], metavar="CLASS",
        help="classes of a set of yours that count as anomalies",
    )  # fmt: skip
    parser.add_argument(
        "--not-supernovae", nargs="+", default=[], metavar="CLASS",
        help="classes of a set of yours that are contaminants; all others are supernovae",
    )  # fmt: skip
    parser.add_argument("--list", action="store_true", help="list sets, tasks and methods")
    options = parser.parse_args(arguments)
    if options.seeds is None:
        options.seeds = 1 if options.quick else options.default_seeds
    if options.seeds < 1:
        parser.error("--seeds must be at least 1")
    split_folders(options, shared)
    return options


def split_folders(options: argparse.Namespace, shared: Path) -> None:
    """Set ``data`` to the folder of the shared data sets, and ``own_folders`` to other sets."""
    collections, own = [], []
    for path in options.data or [shared]:
        if not path.exists() and path != shared:
            options.stop(f"--data {path}: there is no such folder or file")
        is_set = path.is_file() or (path / "objects.parquet").is_file()
        inside = any((path / name / "objects.parquet").is_file() for name in FOLDERS)
        if is_set and path.name in FOLDERS:
            options.stop(f"--data {path} is a set of the suite: pass the folder that it is in")
        (own if is_set or not (inside or path == shared) else collections).append(path)
    if len(collections) > 1:
        options.stop(f"--data: one folder of shared data sets at most, not {len(collections)}")
    options.own_folders, options.own_only = own, bool(own and not collections)
    options.data = collections[0] if collections else shared


def own_set(path: Path, options: argparse.Namespace) -> DataSet:
    """Return a set of the user's, or stop with a message."""
    try:
        curves = read(path)
    except (LightCurveError, OSError, ImportError) as error:
        options.stop(f"--data {path} cannot be read: {error}")
    column, metadata = options.classes, curves.metadata
    if column != "none" and column not in metadata:
        options.stop(
            f"--data {path} has no classes: its metadata have no column {column!r}, but "
            f"{list(metadata.columns)[:20]}. Pass --classes COLUMN, or --classes none to measure "
            "redshifts alone"
        )
    name = path.resolve().name
    if name in known_sets():
        options.stop(f"--data {path}: the suite has a set named {name!r}: rename the folder")
    found = DataSet(
        name, "a set of yours", "yours", str(path), "–", lambda _: curves, column=column
    )
    labels = found.labels(curves)
    known = set(labels.tolist()) - {""}
    for argument in ("rare", "not_supernovae"):
        if unknown := set(getattr(options, argument)) - known:
            options.stop(
                f"--{argument.replace('_', '-')} {' '.join(sorted(unknown))}: {path} has the "
                f"classes {sorted(known)[:20]}"
            )
    if column == "none":
        return replace(found, tasks=("redshift",))
    count = {label: int(np.sum(labels == label)) for label in known - set(options.rare)}
    classes = sorted(label for label, n in count.items() if n >= MIN_MEMBERS)
    if len(classes) < 2:
        options.stop(
            f"--data {path}: fewer than two classes of the column {column!r} have {MIN_MEMBERS} or "
            "more members. Pass --classes COLUMN"
        )
    vocabulary = {c for w in manifest()["weights"].values() for c in w["classes"]}
    same = {label: (label,) for label in classes}
    is_other = set(options.not_supernovae)
    return replace(
        found,
        tasks=tuple(TASKS),
        classes=same,
        own=own_classes(classes, sorted(vocabulary)),
        normal=same if options.rare else None,
        contaminants={
            "supernova": sorted(known - is_other), "other": sorted(is_other)
        } if is_other else None,
    )  # fmt: skip


# -- what is measured


class Selection:
    """The sets, tasks and methods that the arguments ask for.

    Parameters
    ----------
    options : Namespace
        As parsed.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        own = [own_set(path, options) for path in options.own_folders]
        try:
            mine = {method.name: method for text in options.method for method in [of_user(text)]}
        except ValueError as error:
            options.stop(str(error))
        known = known_sets() | {data_set.name: data_set for data_set in own}
        self.methods = {**default_methods(options.quick), **mine}
        triples = [(*text.split(","), "", "")[:3] for text in options.only] or [("", "", "")]
        self._wanted = []
        named = {}
        for text, (set_, task, method) in zip(options.only or [""], triples, strict=True):
            if text.count(",") > 2:
                options.stop(f"--only {text}: write SET, SET,TASK or SET,TASK,METHOD")
            self._require("set", set_, known, options)
            self._require("task", task, TASKS, options)
            if method not in (*ANY, *self.methods):
                found = named_method(method)
                if found is None:
                    names = [*self.methods, *(m.name for m in BASELINES)]
                    self._require("method", method, dict.fromkeys(names), options)
                else:
                    named[found.name] = found
                    method = found.name
            self._wanted.append((set_, task, method))
        self.methods = {
            name: method
            for name, method in {**self.methods, **named}.items()
            if any(asked in (*ANY, name) for _, _, asked in self._wanted)
        }
        default = own if options.own_only else [*SETS, *own]
        if options.quick and not own:
            default = [DEMO, *default]
        asked = {set_ for set_, _, _ in self._wanted} - set(ANY)
        every = any(set_ in ANY for set_, _, _ in self._wanted)
        names = [s.name for s in default] if every else []
        names += [name for name in known if name in asked and name not in names]
        self.sets = [known[name] for name in names]

    @staticmethod
    def _require(what: str, name: str, known: Any, options: argparse.Namespace) -> None:
        if name not in (*ANY, *known):
            options.stop(f"--only: there is no {what} {name[:80]!r}; there are {', '.join(known)}")

    def wants(self, data_set: DataSet, task: str, method: str) -> bool:
        return any(
            all(
                asked in (*ANY, name)
                for asked, name in zip(wanted, (data_set.name, task, method), strict=True)
            )
            for wanted in self._wanted
        )


def pending(
    data_set: DataSet,
    curves: LightCurves,
    selection: Selection,
    results: Results,
    reasons: dict[str, str],
) -> list[tuple[Cell, Task, Problem, Method, int | None, range]]:
    """Return what is to be measured on a set, and record why something is not."""
    options, found = results.options, []
    for name, task in TASKS.items():
        wanted = [m for m in selection.methods.values() if selection.wants(data_set, name, m.name)]
        if name not in data_set.tasks or not wanted:
            continue
        try:
            problem = task.problem(data_set, curves)
        except NotHere as reason:
            results.skip(data_set.name, name, "*", str(reason))
            continue
        for method in wanted:
            if method.name in reasons or method.build(task.kind, 0) is None:
                continue
            if reason := method.unfit(problem.curves):
                results.skip(data_set.name, name, method.name, reason)
                continue
            for n_labels in task.usable_sizes(problem, options.quick):
                if n_labels == 0 and not can_without_labels(task, problem, method):
                    continue
                cell = Cell(data_set.name, name, method.name, column_name(n_labels))
                seeds = range(results.draws(cell), options.seeds)
                if seeds:
                    found.append((cell, task, problem, method, n_labels, seeds))
    return found


def can_without_labels(task: Task, problem: Problem, method: Method) -> bool:
    needs_names = task.kind == "classifier"
    return not (needs_names and problem.own is None) and method.pretrained(task.kind) is not None


def job(
    cell: Cell, task: Task, problem: Problem, method: Method, n_labels: int | None, seeds: range
) -> tuple[Cell, list[dict[str, float]] | str, float]:
    """Measure a cell in one thread; an error is returned as text, so that a long run goes on."""
    torch.set_num_threads(1)
    start = time.perf_counter()
    try:
        with threadpool_limits(1):
            draws = [measure(task, problem, method, n_labels, seed) for seed in seeds]
    except Exception as error:
        return cell, f"failed: {type(error).__name__}: {str(error)[:200]}", 0.0
    return cell, draws, time.perf_counter() - start


def run(selection: Selection, results: Results) -> int:
    """Measure everything, and return how many cells failed."""
    options, failed = results.options, 0
    results.methods |= {
        m.name: {"title": m.title, "weights": m.weights} for m in selection.methods.values()
    }
    reasons = {m.name: reason for m in selection.methods.values() if (reason := m.missing())}
    for name, reason in reasons.items():
        results.skip("*", "*", name, reason)
    for data_set in selection.sets:
        try:
            curves = data_set.light_curves(options)
        except (FileNotFoundError, ImportError) as error:
            results.skip(data_set.name, "*", "*", str(error))
            continue
        results.skipped.pop((data_set.name, "*", "*"), None)
        results.sets[data_set.name] = data_set.describe(curves)
        jobs = pending(data_set, curves, selection, results, reasons)
        print(f"\n{data_set.name}: {len(curves):,} objects, {len(jobs)} cells", flush=True)
        with parallel_config(backend="loky", inner_max_num_threads=1):
            parallel = Parallel(n_jobs=options.n_jobs, return_as="generator_unordered")
            for number, (cell, draws, seconds) in enumerate(
                parallel(delayed(job)(*j) for j in jobs)
            ):
                if isinstance(draws, str):
                    failed += 1
                    results.fail(cell, draws)
                    continue
                results.add(cell, draws)
                print(
                    f"[{number + 1}/{len(jobs)}] {' '.join(cell)}: "
                    f"{first_score(results, cell)}, {seconds:.0f} s",
                    flush=True,
                )
    return failed


def first_score(results: Results, cell: Cell) -> str:
    name = next(iter(TASKS[cell.task].shown))
    return f"{name} {np.mean(results.cells[cell][name]):.4g}"


def list_all(options: argparse.Namespace) -> None:
    """Print sets, tasks and methods."""
    print(describe_sets().to_string(index=False))
    print("\ntasks:", ", ".join(TASKS))
    print("\nmethods:")
    for method in default_methods(options.quick).values():
        print(f"  {method.name:24} {method.title}")


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Run the suite and return its cells."""
    options = parse(arguments)
    if options.list:
        list_all(options)
        return {}
    selection = Selection(options)
    digests = {name: entry["sha256"] for name, entry in manifest()["weights"].items()}
    results = Results.load(options, digests)
    failed = run(selection, results)
    if not results.cells:
        options.stop("nothing was measured: see the reasons above")
    path = results.write()
    print(f"\n{results.markdown()}\n\nwrote {os.path.relpath(path)}")
    if failed:
        print(f"{failed} cells failed: see above; run again to try them once more")
    print(results.summary())
    return results.cells


if __name__ == "__main__":
    main()
