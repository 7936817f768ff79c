"""Classify real variable stars from few labels, by the protocol of the field.

    python benchmarks/variable_stars.py --data DIR [--weights NAME|FILE ...] [--jobs 2] [--quick]
    python benchmarks/variable_stars.py --data DIR --only catalina asas,any [--seeds 3]

Stars of the Catalina southern survey, ASAS, Hipparcos and OGLE, each survey by itself, since each
class of the latter two is of one survey alone, and 115 stars of Kepler as a demonstration. Macro-F1
and macro one-vs-rest AUROC, mean and standard deviation over three draws.

A fixed third of the stars of Catalina and ASAS, by a digest of their identifiers, is the test part
(benchmarks/_star_protocol.py). Weights may have been trained on the other stars, without labels,
and on none of the test part; labels are drawn from the other stars. With folds, stars are
cross-validated as usual, and those of the test part alone are scored, all five folds together.
Hipparcos, OGLE and Kepler are not for training: there, each draw has its own halves, or folds.

A probe is a logistic regression on a frozen representation, whose strength is chosen by
cross-validation within the labels. Nothing is chosen by figures of a test part.

Results are written after each cell, and what is already there is kept, unless the weights have
changed since: a run that was stopped goes on, and new weights are added to the figures of the
others.
"""

from __future__ import annotations

import json
import time
import warnings
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _common import (
    build_parser,
    classification_scores,
    markdown_table,
    parse,
    results_path,
    summarise,
    write_results,
)
from _star_methods import StarMethod, named_methods, represent
from _star_protocol import FOLDS, TASKS, Stars, StarTask
from joblib import Parallel, delayed, parallel_config
from sklearn.metrics import f1_score
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from sklc.weights.catalogue import manifest

NAME = "variable_stars"
SCORES = {"f1": "macro-F1", "auroc": "AUROC"}
QUICK_METHODS = ("statistics", "features", "any")
# Fine-tuning and untrained networks take long or say little: where they are measured by default.
ONLY_ON = {"fine-tuned": ("catalina-64",), "untrained": ("catalina", "asas")}
# Another data set, 9,501 stars of eight classes, so not comparable (Gupta, Muthukrishna & Audenaert
# 2025, table 1).
QUOTED = {
    "published, Kepler: pretrained on classes of ZTF and LSST": 0.968,
    "published, Kepler: no pretraining": 0.901,
}

# By task, method and number of labels: name of a score -> mean, sd, values.
Figures = dict[str, dict[str, dict[str, dict[str, Any]]]]


# -- measuring


def scores_of(
    stars: Stars, X: Any, task: StarTask, method: StarMethod, column: str, seed: int
) -> dict[str, float]:
    """Score a method on one draw; folds are scored together."""
    classes = np.unique(stars.y)
    predicted, truth = [], []
    for train, test in task.split(stars, column, seed):
        model = method.build(seed).fit(X[train], stars.y[train])
        shares = np.zeros((len(test), len(classes)))
        # a draw of few labels may lack a class
        shares[:, np.searchsorted(classes, model.classes_)] = model.predict_proba(X[test])
        predicted.append(shares)
        truth.append(stars.y[test])
    shares, y = np.concatenate(predicted), np.concatenate(truth)
    scores = classification_scores(y, shares, classes)
    f1 = f1_score(y, classes[shares.argmax(axis=1)], average="macro")
    return {"f1": float(f1), "auroc": scores["auroc"], "accuracy": scores["accuracy"]}


def job(
    stars: Stars, X: Any, task: StarTask, method: StarMethod, column: str, seeds: range
) -> tuple[str, str, list[dict[str, float]], float]:
    torch.set_num_threads(1)
    start = time.perf_counter()
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # passbands unlike those of the training, on purpose
        draws = [scores_of(stars, X, task, method, column, seed) for seed in seeds]
    return method.name, column, draws, time.perf_counter() - start


class Results:
    """Figures, and the file that they are kept in.

    Parameters
    ----------
    options : Namespace
        As parsed.
    methods : dict
        The methods of this run, by name.
    """

    def __init__(self, options: Namespace, methods: dict[str, StarMethod]) -> None:
        self.options, self.methods = options, methods
        self.figures: Figures = {}
        self.counts: dict[str, dict[str, int]] = {}
        self.about: dict[str, dict[str, str]] = {}
        self.skipped: dict[str, str] = {}
        path = results_path(options, NAME, ".json")
        if not path.is_file() or options.fresh:
            return
        known = json.loads(path.read_text(encoding="utf-8"))
        if "tasks" not in known:  # of an older protocol
            return
        self.counts, self.about, self.skipped = known["tasks"], known["methods"], known["skipped"]
        changed = {
            name for name, about in self.about.items()
            if name in methods and about["weights"] != methods[name].weights
        }  # fmt: skip
        self.figures = {
            task: {name: row for name, row in rows.items() if name not in changed}
            for task, rows in known["figures"].items()
        }

    def draws(self, task: str, method: str, column: str) -> int:
        found = self.figures.get(task, {}).get(method, {}).get(column)
        return len(found["auroc"]["values"]) if found else 0

    def add(self, task: str, method: str, column: str, draws: list[dict[str, float]]) -> None:
        """Append draws to a cell, and write the file."""
        row = self.figures.setdefault(task, {}).setdefault(method, {})
        before = row.get(column, {})
        row[column] = summarise(
            [
                *(
                    {name: score["values"][k] for name, score in before.items()}
                    for k in range(self.draws(task, method, column))
                ),
                *draws,
            ]
        )
        of_run = self.methods[method]
        self.about[method] = {"title": of_run.title, "weights": of_run.weights}
        self.skipped.pop(method, None)
        self.write()

    def write(self) -> Path:
        self.figures = {
            task: dict(sorted(self.figures[task].items(), key=lambda item: self._order(item[0])))
            for task in TASKS
            if self.figures.get(task)
        }
        content = {
            "summary": self.summary(),
            "markdown": self.markdown(),
            "protocol": " ".join((__doc__ or "").split("\n\n")[3].split()),
            "tasks": self.counts,
            "methods": self.about,
            "skipped": self.skipped,
            "figures": self.figures,
            "quoted": QUOTED,
        }
        known = {*manifest()["weights"], *manifest()["aliases"]}
        return write_results(self.options, NAME, content, sorted(known & set(self.about)))

    def _order(self, method: str) -> int:
        return list(self.methods).index(method) if method in self.methods else len(self.methods)

    def markdown(self) -> str:
        """Return a table for each task: macro-F1 / AUROC by number of labels."""
        parts = []
        for task, rows in self.figures.items():
            columns = TASKS[task].columns
            body = [[name, *(_written(row.get(c)) for c in columns)] for name, row in rows.items()]
            head = ["macro-F1 / AUROC", *("five folds" if c == FOLDS else c for c in columns)]
            parts.append(f"{TASKS[task].title}:\n\n{markdown_table(head, body)}")
        return "\n\n".join(parts)

    def summary(self) -> str:
        parts = []
        for task in ("catalina", "catalina-64", "asas"):
            rows = self.figures.get(task, {})
            if rows:
                best = max(rows, key=lambda name: _last(rows[name], "auroc"))
                parts.append(f"{task}: best {best} with AUROC {_last(rows[best], 'auroc'):.3f}")
        return f"{NAME}: {'; '.join(parts) or 'nothing measured'}"


def _last(row: dict[str, dict[str, Any]], score: str) -> float:
    return float(list(row.values())[-1][score]["mean"])


def _written(found: dict[str, Any] | None) -> str:
    if found is None:
        return "–"
    return " / ".join(f"{found[s]['mean']:.3f} ± {found[s]['sd']:.3f}" for s in SCORES)


def run(options: Namespace, results: Results, forms: dict[str, Any]) -> None:
    """Measure whatever is asked for and not there yet."""
    wanted = [(text.split(",", 1) + [""])[:2] for text in options.only]
    for task in TASKS.values():
        asked = [method for name, method in wanted if name in ("", task.name)]
        if not (options.data / task.needs / "objects.parquet").is_file():
            print(f"skipped {task.name}: there is no {task.needs} in {options.data}")
            continue
        cells = [
            (method, column, range(done, options.seeds))
            for method in results.methods.values()
            if _is_wanted(task, method, asked, bool(wanted), options.quick)
            for column in (task.columns[:1] if options.quick else task.columns)
            if (done := results.draws(task.name, method.name, column)) < options.seeds
        ]
        if not cells:
            continue
        stars = task.stars(options.data, options.quick)
        names, counts = np.unique(stars.y, return_counts=True)
        results.counts[task.name] = dict(zip(names.tolist(), counts.tolist(), strict=True))
        print(f"\n{task.name}: {len(stars.y):,} stars, {len(cells)} cells", flush=True)
        inputs = {"": stars.curves}
        for form in dict.fromkeys(method.form for method, _, _ in cells):
            if form:
                start = time.perf_counter()
                inputs[form] = represent(forms[form], stars.curves)
                print(f"{form}: {inputs[form].shape[1]} columns, "
                      f"{time.perf_counter() - start:.0f} s", flush=True)  # fmt: skip
        with parallel_config(backend="loky", inner_max_num_threads=1):
            parallel = Parallel(n_jobs=options.n_jobs, return_as="generator_unordered")
            calls = (
                delayed(job)(stars, inputs[method.form], task, method, column, seeds)
                for method, column, seeds in cells
            )
            for name, column, draws, seconds in parallel(calls):
                results.add(task.name, name, column, draws)
                found = results.figures[task.name][name][column]
                print(
                    f"{task.name} {column} {name}: {_written(found)}, {seconds:.0f} s", flush=True
                )


def _is_wanted(
    task: StarTask, method: StarMethod, asked: list[str], is_chosen: bool, quick: bool
) -> bool:
    if method.missing:
        return False
    if is_chosen:
        return method.name in asked or ("" in asked and _by_default(task, method))
    if quick:
        return method.name in QUICK_METHODS
    return _by_default(task, method)


def _by_default(task: StarTask, method: StarMethod) -> bool:
    return all(task.name in names for word, names in ONLY_ON.items() if word in method.name)


# -- showing


def plot(figures: Figures, path: Path) -> None:
    """Plot AUROC and macro-F1 of every method, a panel for each task."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    methods = list(dict.fromkeys(name for rows in figures.values() for name in rows))
    height = {name: -number for number, name in enumerate(methods)}
    figure, axes = plt.subplots(
        1, len(figures), figsize=(5 + 2.2 * len(figures), 1.5 + 0.28 * len(methods)), sharey=True,
        layout="constrained", squeeze=False,
    )  # fmt: skip
    for ax, (task, rows) in zip(axes[0], figures.items(), strict=True):
        for number, column in enumerate(TASKS[task].columns):
            there = [name for name in rows if column in rows[name]]
            ax.errorbar(
                [rows[name][column]["auroc"]["mean"] for name in there],
                [height[name] for name in there],
                xerr=[rows[name][column]["auroc"]["sd"] for name in there],
                fmt="o", color=f"C{number}", markersize=4, capsize=2,
                label="five folds" if column == FOLDS else f"{column} labels",
            )  # fmt: skip
        ax.set_title(task, fontsize=9)
        ax.set_xlabel("AUROC")
        ax.grid(alpha=0.3)
        ax.legend(fontsize=7, loc="lower left")
    axes[0, 0].set_yticks(list(height.values()), list(height), fontsize=8)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def main(arguments: Sequence[str] | None = None) -> Figures:
    """Run the benchmark and return its figures."""
    parser = build_parser(__doc__, seeds=3)
    parser.add_argument("--jobs", type=int, dest="n_jobs", default=1, help="processes (1)")
    parser.add_argument(
        "--weights", nargs="+", default=[], metavar="NAME|FILE", help="further pretrained weights"
    )
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="TASK[,METHOD]",
        help="measure these alone; an empty task stands for all of them, as in ',statistics'",
    )  # fmt: skip
    parser.add_argument("--fresh", action="store_true", help="forget the figures that there are")
    parser.add_argument("--list", action="store_true", help="list tasks and methods")
    options = parse(parser, arguments)
    methods, forms = named_methods(options)
    if options.list:
        print("\n".join(f"{task.name:16} {task.title}" for task in TASKS.values()), end="\n\n")
        for method in methods.values():
            print(f"{method.name:40} {method.missing or method.title}")
        return {}
    for text in options.only:
        task, _, method = text.partition(",")
        if task not in ("", *TASKS) or method not in ("", *methods):
            parser.error(f"--only {text}: there is no such task or method; --list shows them")
    if not any(
        (options.data / task.needs / "objects.parquet").is_file() for task in TASKS.values()
    ):
        parser.error(f"there are no stars in {options.data}: pass --data DIR or set SKLC_DATA")
    results = Results(options, methods)
    results.skipped |= {m.name: m.missing for m in methods.values() if m.missing}
    for name, reason in results.skipped.items():
        print(f"skipped {name}: {reason}")
    run(options, results, forms)
    path = results.write()
    print(f"\n{results.markdown()}\n")
    for name, auroc in QUOTED.items():
        print(f"{name}: {auroc:.3f}")
    picture = results_path(options, NAME, ".png")
    plot(results.figures, picture)
    print(f"wrote {path.name} and {picture.name}")
    print(results.summary())
    return results.figures


if __name__ == "__main__":
    main()
