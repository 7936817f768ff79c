"""Throughput of `sklc.distributed` on a large catalogue: Parquet files, dask, LSDB, Spark, Ray.

Run on an idle machine, about twenty minutes::

    python benchmarks/scale_catalog.py               # a million light curves
    python benchmarks/scale_catalog.py --quick       # two thousand

Prints tables and writes ``benchmarks/results/scale_catalog.json``. Class probabilities are computed
with the weights "any". The light curves are the demo light curves again and again, in partitions of
2,000. Rates are objects per CPU second of the workers (user and system time), which have loaded the
model before, relative to `predict_proba` of the estimator on tables in memory, with one thread in
one process. Engines that are not installed are left out, and named.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import nested_pandas
import numpy as np
import pandas as pd
from _common import build_parser, markdown_table, parse, write_results

from sklc import TransferClassifier
from sklc.datasets import load_demo
from sklc.distributed import Predictor, predict_proba
from sklc.networks.device import one_thread

WEIGHTS = "any"
ENGINES = ("parquet", "dask", "lsdb", "spark", "ray")
TARGET = 0.85  # of the rate of the estimator itself, on dask, LSDB and Parquet


# -- what is measured


def processes() -> list[Any]:
    """Return this process and all that it has started."""
    import psutil

    own = psutil.Process()
    return [own, *own.children(recursive=True)]


def cpu_seconds() -> float:
    """User and system time of this process and of those that it has started."""
    import psutil

    total = 0.0
    for process in processes():
        try:
            times = process.cpu_times()
        except psutil.Error:  # it has ended meanwhile
            continue
        total += times.user + times.system
    return total


def peak_memory() -> float:
    """The largest memory that one of these processes has had, in GB."""
    peaks = []
    for process in processes():
        try:
            status = Path(f"/proc/{process.pid}/status").read_text()
        except OSError:
            continue
        peaks += [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")]
    return max(peaks, default=0) / 1e6


def measured(
    run: Callable[[], Any], n_objects: int, clock: Callable[[], float] = cpu_seconds
) -> dict[str, float]:
    """Time a call by the clock on the wall, and by one that counts CPU seconds of workers."""
    cpu, start = clock(), time.perf_counter()
    run()
    seconds, cpu = time.perf_counter() - start, clock() - cpu
    return {
        "seconds": round(seconds, 2),
        "cpu seconds": round(cpu, 2),
        "per cpu second": round(n_objects / cpu),
        "GB": round(peak_memory(), 2),
    }


# -- the catalogue


def make_table(n_objects: int, first: int = 0) -> pd.DataFrame:
    """Return one row per object, with ids from `first` on and a place on the sky."""
    demo = load_demo().curves.to_nested()
    rows = demo.iloc[np.arange(first, first + n_objects) % len(demo)]
    rng = np.random.default_rng(first)
    return rows.reset_index(drop=True).assign(
        object_id=np.arange(first, first + n_objects),
        ra=rng.uniform(0, 360, n_objects),
        dec=np.rad2deg(np.arcsin(rng.uniform(-1, 1, n_objects))),
    )


def make_folder(folder: Path, n_parts: int, size: int) -> Path:
    """Write files, of which at most fifty are different, to save space on the disk."""
    folder.mkdir()
    for k in range(n_parts):
        place = folder / f"{k:05d}.parquet"
        if k < 50:
            make_table(size, k * size).to_parquet(place)
        else:
            os.link(folder / f"{k % 50:05d}.parquet", place)
    return folder


# -- the engines


def reference(size: int, n_parts: int) -> dict[str, float]:
    """The estimator itself, on tables in memory."""
    classifier = TransferClassifier.pretrained(WEIGHTS, device="cpu")
    tables = [make_table(size, k * size).set_index("object_id") for k in range(n_parts)]
    with one_thread():
        classifier.predict_proba(tables[0])
        return measured(lambda: [classifier.predict_proba(t) for t in tables], size * n_parts)


def on_parquet(folder: Path, n_objects: int, n_jobs: int, work: Path) -> dict[str, float]:
    """Files, in processes of joblib that have loaded the model."""
    warm = make_folder(work / "warm", 2 * n_jobs, 50)
    predict_proba(warm, WEIGHTS, output=work / "warm-out", n_jobs=n_jobs)
    run = partial(predict_proba, folder, WEIGHTS, output=work / "out", n_jobs=n_jobs, verbose=0)
    result = measured(run, n_objects)
    for name in ("warm", "warm-out", "out"):
        shutil.rmtree(work / name)
    return result


@contextmanager
def cluster(n_workers: int) -> Iterator[Any]:
    """A local cluster of dask, with one thread per worker."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=n_workers, threads_per_worker=1, dashboard_address=None) as local,
        Client(local) as client,
    ):
        yield client


def workers_clock(client: Any) -> Callable[[], float]:
    """CPU seconds of the workers of dask, without scheduler and client."""
    return lambda: sum(client.run(time.process_time).values())


def on_dask(folder: Path, n_objects: int, n_jobs: int, work: Path) -> dict[str, float]:
    """A DataFrame of dask whose partitions are the files."""
    import dask.dataframe as dd

    files = sorted(folder.glob("*.parquet"))
    meta = nested_pandas.read_parquet(files[0]).iloc[:0]
    with cluster(n_jobs) as client:
        frame = dd.from_map(nested_pandas.read_parquet, files, meta=meta)
        result = predict_proba(frame, WEIGHTS)
        result.partitions[: 2 * n_jobs].to_parquet(work / "warm")
        clock = workers_clock(client)
        return measured(lambda: result.to_parquet(work / "dask-out"), n_objects, clock)


def on_lsdb(folder: Path, n_objects: int, n_jobs: int, work: Path) -> dict[str, float]:
    """A HATS catalogue of partitions of about as many objects as a file has."""
    import lsdb

    files = sorted(folder.glob("*.parquet"))
    table = pd.concat([nested_pandas.read_parquet(file) for file in files])
    source, output = work / "hats", work / "lsdb-out"
    size = len(table) // len(files)
    catalog = lsdb.from_dataframe(
        table, catalog_name="night", partition_rows=2 * size, margin_threshold=None
    )
    catalog.write_catalog(source, progress_bar=False)
    with cluster(n_jobs) as client:
        result = predict_proba(lsdb.open_catalog(source), WEIGHTS)
        result.partitions[: 2 * n_jobs].write_catalog(work / "warm", progress_bar=False)
        run, clock = (
            partial(result.write_catalog, output, progress_bar=False),
            workers_clock(client),
        )
        found = measured(run, n_objects, clock)
    found["objects per partition"] = round(n_objects / result.npartitions)
    return found


def on_spark(folder: Path, n_objects: int, n_jobs: int, work: Path) -> dict[str, float]:
    """Spark's mapInPandas."""
    from pyspark.sql import SparkSession

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    spark = (
        SparkSession.builder.master(f"local[{n_jobs}]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", "2000")
        .getOrCreate()
    )
    predictor = Predictor("predict_proba", WEIGHTS)
    files = [str(file) for file in sorted(folder.glob("*.parquet"))]
    meta = predictor.meta(nested_pandas.read_parquet(files[0]))
    kinds = {"object_id": "bigint", "reason": "string"}
    schema = ", ".join(f"`{name}` {kinds.get(name, 'double')}" for name in meta)
    try:
        frame = spark.read.parquet(*files)
        result = frame.mapInPandas(lambda tables: map(predictor, tables), schema)
        result.limit(10).collect()
        return measured(lambda: result.write.parquet(str(work / "spark-out")), n_objects)
    finally:
        spark.stop()


def on_ray(folder: Path, n_objects: int, n_jobs: int, work: Path) -> dict[str, float]:
    """Ray's map_batches."""
    import ray

    ray.init(num_cpus=n_jobs + 1, include_dashboard=False, log_to_driver=False)
    predictor = Predictor("predict_proba", WEIGHTS)
    try:
        data = ray.data.read_parquet([str(f) for f in sorted(folder.glob("*.parquet"))])
        settings = {"batch_format": "pandas", "batch_size": 2000, "concurrency": n_jobs}
        data.limit(100).map_batches(predictor.__call__, **settings).materialize()
        result = data.map_batches(predictor.__call__, **settings)
        return measured(lambda: result.write_parquet(str(work / "ray-out")), n_objects)
    finally:
        ray.shutdown()


ON = {"parquet": on_parquet, "dask": on_dask, "lsdb": on_lsdb, "spark": on_spark, "ray": on_ray}
PACKAGE = {"dask": "distributed", "lsdb": "lsdb", "spark": "pyspark", "ray": "ray"}


# -- the run


def scaling(sizes: Sequence[int], size: int, work: Path) -> list[dict[str, float]]:
    """Time and memory of catalogues of several sizes, with one process."""
    rows = []
    for n_objects in sizes:
        source = make_folder(work / f"scale-{n_objects}", n_objects // size, size)
        run = partial(predict_proba, source, WEIGHTS, output=work / f"out-{n_objects}", verbose=0)
        rows.append({"n": n_objects, **measured(run, n_objects)})
        print(rows[-1], flush=True)
        shutil.rmtree(work / f"out-{n_objects}")
        shutil.rmtree(source)
    return rows


def markdown(content: dict[str, Any]) -> str:
    """Tables of the documentation."""
    own = content["reference"]["per cpu second"]
    rows = [["the estimator, in memory", "1", f"{own:,}", "100 %"]]
    for engine, runs in content["engines"].items():
        rows += [
            [engine, n, f"{run['per cpu second']:,}", f"{100 * run['per cpu second'] / own:.0f} %"]
            for n, run in runs.items()
        ]
    header = ["", "workers", "objects per CPU second", "of the estimator's"]
    scale = [
        [f"{row['n']:,}", f"{row['seconds']:,.0f}", f"{row['cpu seconds']:,.0f}", f"{row['GB']}"]
        for row in content["scaling"]
    ]
    parts = ["Rates in partitions of 2,000 light curves:", markdown_table(header, rows)]
    if scale:
        header = ["light curves", "seconds", "CPU seconds", "peak GB"]
        parts += ["Parquet files, one process:", markdown_table(header, scale)]
    return "\n\n".join(parts)


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Measure, print, write, and return the figures."""
    parser = build_parser(__doc__, seeds=1)
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--workers", type=int, nargs="+", default=None, help="numbers of workers")
    parser.add_argument("--objects", type=int, default=1_000_000, help="largest catalogue (1 M)")
    options = parse(parser, arguments)
    size, n_parts = (50, 6) if options.quick else (2_000, 20)
    sizes = [300, 1_000] if options.quick else [options.objects // k for k in (10, 4, 1)]
    workers = options.workers or ([1] if options.quick else [1, 2])
    content: dict[str, Any] = {
        "what": "objects per CPU second of the workers, and time and memory by size",
        "weights": WEIGHTS,
        "objects per partition": size,
        "reference": {},
        "engines": {},
        "not installed": [],
        "scaling": [],
    }
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        content["reference"] = reference(size, n_parts)
        print("estimator", content["reference"], flush=True)
        source = make_folder(work / "night", n_parts, size)
        for engine in options.engines:
            if engine in PACKAGE and find_spec(PACKAGE[engine]) is None:
                content["not installed"].append(engine)
                print(f"{engine} is left out: {PACKAGE[engine]} is not installed")
                continue
            content["engines"][engine] = {}
            for n_jobs in workers:
                place = work / f"{engine}-{n_jobs}"
                place.mkdir()
                run = ON[engine](source, size * n_parts, n_jobs, place)
                content["engines"][engine][str(n_jobs)] = run
                print(engine, n_jobs, run, flush=True)
            write(options, content)  # what comes later may take long
        content["scaling"] = scaling(sizes, size, work)
    print(f"wrote {write(options, content).name}")
    return content


def write(options: Any, content: dict[str, Any]) -> Path:
    """Write what has been measured."""
    own = content["reference"]["per cpu second"]
    content["targets"] = [
        [
            f"{engine}, {n} worker{'s' * (n != '1')}",
            f">= {TARGET:.0%}",
            f"{run['per cpu second'] / own:.0%}",
            "met" if run["per cpu second"] >= TARGET * own else "missed",
        ]
        for engine, runs in content["engines"].items()
        for n, run in runs.items()
        if engine in ("parquet", "dask", "lsdb")
    ]
    if content["scaling"]:
        largest = content["scaling"][-1]
        hours = 10e6 / largest["n"] * largest["cpu seconds"] / 3600
        content["10 M objects, CPU hours"] = round(hours, 2)
    content["markdown"] = "" if options.quick else markdown(content)
    return write_results(options, "scale_catalog", content)


if __name__ == "__main__":
    main()
