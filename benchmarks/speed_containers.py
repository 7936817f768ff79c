"""CPU time of building, selecting and exporting light curves.

Run on an idle machine, about a minute::

    python benchmarks/speed_containers.py            # 10 million rows of 100,000 objects
    python benchmarks/speed_containers.py --quick    # a tenth of that

Prints a table and writes ``benchmarks/results/speed_containers.json``. All figures are CPU time of
this process (``time.process_time``), the fastest and the median of several repetitions, with one
thread; the targets are those the container was designed to.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import nested_pandas
import numpy as np
import pandas as pd
import pyarrow as pa
import sklearn

import sklc
from sklc.light_curves import LightCurves, as_light_curves, check_usable

SEED = 0
BANDS = ["lsstu", "lsstg", "lsstr", "lssti", "lsstz", "lssty"]
RESULTS = Path(__file__).parent / "results" / "speed_containers.json"


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
    yield "int ids, categorical bands, float32", frame, 100
    double = frame.astype({"flux": np.float64, "flux_err": np.float64})
    yield "the same in float64", double, 100
    yield "the same as a pyarrow table", pa.Table.from_pandas(double, preserve_index=False), 100
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


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows; writes no file")
    parser.add_argument("--repeat", type=int, default=5, help="repetitions (default: 5)")
    arguments = parser.parse_args()
    pa.set_cpu_count(1)
    n_objects, n_rows = (10_000, 1_000_000) if arguments.quick else (100_000, 10_000_000)
    print(f"{n_rows:,} observations of {n_objects:,} objects; CPU milliseconds")
    figures = measure(n_objects, n_rows, arguments.repeat)
    missed = [name for name, f in figures.items() if f["min"] > f.get("target", np.inf)]
    print("above the target: " + (", ".join(missed) if missed else "none"))
    if arguments.quick:
        return
    report = {
        "what": "CPU time in milliseconds, one thread",
        "date": datetime.now(UTC).date().isoformat(),
        "n_objects": n_objects,
        "n_observations": n_rows,
        "repeat": arguments.repeat,
        "seed": SEED,
        "versions": {
            "python": platform.python_version(),
            "sklc": sklc.__version__,
            "numpy": np.__version__,
            "pandas": pd.__version__,
            "pyarrow": pa.__version__,
            "nested-pandas": nested_pandas.__version__,
            "scikit-learn": sklearn.__version__,
        },
        "machine": platform.machine(),
        "cpu_ms": figures,
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=2) + "\n")
    print(f"written to {RESULTS}")


if __name__ == "__main__":
    main()
