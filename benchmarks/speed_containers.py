"""CPU time of building, selecting and exporting light curves.

Run on an idle machine, about a minute::

    python benchmarks/speed_containers.py            # 10 million rows of 100,000 objects
    python benchmarks/speed_containers.py --quick    # a hundredth of that

Prints a table and writes ``benchmarks/results/speed_containers.json``. All figures are CPU time of
this process (``time.process_time``), the fastest and the median of several repetitions, with one
thread; the targets are those the container was designed to.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from _common import build_parser, markdown_table, parse, write_results
from joblib.externals.loky import get_reusable_executor
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import GridSearchCV

from sklc.light_curves import LightCurves, as_light_curves, check_usable

SEED = 0
BANDS = ["lsstu", "lsstg", "lsstr", "lssti", "lsstz", "lssty"]


def make_frame(n_objects: int, n_rows: int) -> pd.DataFrame:
    """Return a long table sorted by object and time, lengths lognormal as in a survey."""
    rng = np.random.default_rng(SEED)
    share = rng.lognormal(sigma=0.75, size=n_objects)
    lengths = 1 + rng.multinomial(n_rows - n_objects, share / share.sum())
    first_row = np.repeat(np.cumsum(lengths) - lengths, lengths)
    start = np.repeat(rng.uniform(59000, 60000, n_objects), lengths)
    return pd.DataFrame(
        {
            "object_id": np.repeat(np.arange(n_objects), lengths),
            "mjd": start + (np.arange(n_rows) - first_row) * 1.37,
            "band": pd.Categorical.from_codes(rng.integers(0, len(BANDS), n_rows), BANDS),
            "flux": rng.normal(100, 20, n_rows).astype(np.float32),
            "flux_err": rng.uniform(3, 5, n_rows).astype(np.float32),
        }
    )


def cpu_ms(run: Callable[[], Any], repeat: int) -> dict[str, float]:
    """Return the CPU time of a call in milliseconds: fastest and median."""
    run()
    times = []
    for _ in range(repeat):
        start = time.process_time()
        run()
        times.append((time.process_time() - start) * 1e3)
    return {"min": round(min(times), 3), "median": round(float(np.median(times)), 3)}


class Figures(dict[str, dict[str, float]]):
    """Figures by name; printed as they come."""

    def __init__(self, repeat: int, scale: float) -> None:
        self.repeat, self.scale = repeat, scale

    def add(self, name: str, run: Callable[[], Any], target: float | None = None) -> None:
        """Measure a call; `target` is in milliseconds for 10 million rows."""
        self[name] = cpu_ms(run, self.repeat)
        if target is not None:
            self[name]["target"] = round(target * self.scale, 3)
        line = "  ".join(f"{key} {value:10,.2f}" for key, value in self[name].items())
        print(f"{name:58s} {line}", flush=True)


def tables(frame: pd.DataFrame) -> Iterator[tuple[str, Any, float | None]]:
    """Yield long tables that hold the same light curves, each with a name and a target."""
    yield "int ids, categorical bands, float32", frame, 60
    double = frame.astype({"flux": np.float64, "flux_err": np.float64})
    yield "the same in float64", double, 60
    yield "the same as a pyarrow table", pa.Table.from_pandas(double, preserve_index=False), 60
    names = frame.assign(object_id=("ZTF" + frame["object_id"].astype(str)).astype("category"))
    yield "categorical string ids", names, 100
    names = names.astype({"object_id": "string[pyarrow]", "band": "string[pyarrow]"})
    yield "plain string ids and bands", names, None
    by_time = np.argsort(frame["mjd"].to_numpy(), kind="stable")
    yield "rows sorted by time, objects interleaved", frame.iloc[by_time], None


def measure(n_objects: int, n_rows: int, repeat: int) -> Figures:
    """Return all figures."""
    figures = Figures(repeat, scale=n_rows / 10_000_000)
    frame = make_frame(n_objects, n_rows)
    for name, table, target in tables(frame):
        figures.add(f"from_frame: {name}", partial(LightCurves.from_frame, table), target)
    figures.add(
        "  reference: pandas.factorize of the ids", lambda: pd.factorize(frame["object_id"])
    )
    curves = LightCurves.from_frame(frame)
    nested = curves.to_nested()
    figures.add("from_nested", lambda: LightCurves.from_nested(nested), 50)
    figures.add("to_nested", curves.to_nested)
    chosen = np.random.default_rng(SEED).permutation(n_objects)[: int(0.8 * n_objects)]
    ordered = np.sort(chosen)
    figures.add("take 80 % of the objects", lambda: curves[chosen, ...], 2)
    figures.add("  reference: the same of a NestedFrame", lambda: nested.iloc[chosen])
    figures.add("  and gather its arrays, objects shuffled", lambda: curves[chosen].flux)
    figures.add("  and gather its arrays, objects in order", lambda: curves[ordered].flux)
    figures.add("  and gather its arrays, one block", lambda: curves[: len(chosen)].flux)
    figures.add("check_usable", lambda: check_usable(curves))
    figures.add("as_light_curves: list of LightCurve", lambda: as_light_curves(list(curves)))
    series = np.ones((n_objects, n_rows // n_objects))
    figures.add("as_light_curves: 2-D array", lambda: as_light_curves(series))
    figures.add("detections", lambda: curves.detections(20))
    figures.add("nightly", curves.nightly)
    return figures


class StoreKind(ClassifierMixin, BaseEstimator):
    """Learns nothing; scores 1 where its light curves lie in memory that is mapped, not copied."""

    def __init__(self, number: int = 0) -> None:
        self.number = number

    def fit(self, X: LightCurves, y: np.ndarray) -> StoreKind:
        self.classes_ = np.unique(y)
        return self

    def score(self, X: LightCurves, y: np.ndarray) -> float:
        return float(isinstance(X._store.flux, np.memmap))


def measure_grid_search(curves: LightCurves) -> dict[str, float]:
    """Twelve fits that do nothing, in two processes: seconds, and the share of mapped arrays."""
    y = np.arange(len(curves)) % 2
    search = GridSearchCV(StoreKind(), {"number": [0, 1, 2, 3]}, cv=3, n_jobs=2, refit=False)
    seconds = []
    # Processes of an earlier search would be used again, and do not know this module.
    get_reusable_executor().shutdown(wait=True)
    for _ in range(2):  # the first starts the processes
        start = time.perf_counter()
        search.fit(curves, y)
        seconds.append(round(time.perf_counter() - start, 3))
    mapped = float(np.mean(search.cv_results_["mean_test_score"]))
    return {"seconds, first": seconds[0], "seconds, second": seconds[1], "mapped": mapped}


def measure_import(repeat: int) -> dict[str, Any]:
    """Seconds of ``import sklc`` in a fresh process, and whether it imports torch."""
    code = (
        "import sys, time; start = time.perf_counter(); import sklc; "
        "print(time.perf_counter() - start, 'torch' in sys.modules)"
    )
    runs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        for _ in range(repeat + 1)
    ]
    seconds, torch = zip(*(run.stdout.split() for run in runs[1:]), strict=True)
    return {"seconds": round(min(map(float, seconds)), 3), "torch": "True" in torch}


def targets_of(
    figures: Figures, search: dict[str, float], start: dict[str, Any]
) -> list[list[str]]:
    """Figures that have a target, beside it."""
    rows = [
        [name, f"<= {f['target']:g} ms CPU", f"{f['min']:.3g} ms", f["min"] <= f["target"]]
        for name, f in figures.items()
        if "target" in f
    ]
    rows += [
        ["grid search, 2 processes, arrays mapped", "100 %", f"{100 * search['mapped']:.0f} %",
         search["mapped"] == 1],
        ["import sklc, without torch", "<= 1.5 s", f"{start['seconds']:.2g} s",
         start["seconds"] <= 1.5 and not start["torch"]],
    ]  # fmt: skip
    return [[*row, "met" if met else "missed"] for *row, met in rows]


def markdown(figures: Figures, search: dict[str, float], targets: list[list[str]]) -> str:
    """Tables of docs/performance.md."""
    rows = [[name.strip(), f"{f['min']:,.2f}"] for name, f in figures.items()]
    return "\n\n".join(
        [
            "10 million observations of 100,000 objects, CPU milliseconds:",
            markdown_table(["", "ms"], rows),
            "A grid search of twelve fits that do nothing, on the same in two processes, takes "
            f"{search['seconds, first']:.1f} s with their start, then "
            f"{search['seconds, second']:.1f} s.",
            "Targets:",
            markdown_table(["", "target", "measured", ""], targets),
        ]
    )


def main(arguments: Sequence[str] | None = None) -> Figures:
    """Measure, print, write, and return the figures."""
    parser = build_parser(__doc__, seeds=1)
    parser.add_argument("--repeat", type=int, default=5, help="repetitions (5)")
    options = parse(parser, arguments)
    pa.set_cpu_count(1)
    n_objects, n_rows = (1_000, 100_000) if options.quick else (100_000, 10_000_000)
    print(f"{n_rows:,} observations of {n_objects:,} objects; CPU milliseconds")
    repeat = 1 if options.quick else options.repeat
    figures = measure(n_objects, n_rows, repeat)
    search = measure_grid_search(LightCurves.from_frame(make_frame(n_objects, n_rows)))
    start = measure_import(repeat)
    targets = targets_of(figures, search, start)
    for row in targets:
        print("  ".join(f"{text:58s}" if k == 0 else text for k, text in enumerate(row)))
    content = {
        "what": "CPU time in milliseconds, one thread",
        "n_objects": n_objects,
        "n_observations": n_rows,
        "repeat": repeat,
        "cpu_ms": figures,
        "grid search": search,
        "import": start,
        "targets": targets,
        "markdown": "" if options.quick else markdown(figures, search, targets),
    }
    print(f"wrote {write_results(options, 'speed_containers', content).name}")
    return figures


if __name__ == "__main__":
    main()
