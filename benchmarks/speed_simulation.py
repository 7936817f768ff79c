"""Time and memory that simulated light curves cost, against what they were designed to cost.

    python benchmarks/speed_simulation.py            # about six minutes, two GB of disk
    python benchmarks/speed_simulation.py --quick    # a try-out

Times are CPU seconds (``time.process_time``) of one process with one thread, those of a second
core never included; wall-clock times stand beside them in the results. Peak memory is the largest
resident set of a fresh process, interpreter and libraries included. Every part runs in a process
of its own. With ``--n-jobs`` above 1 the data set of Paper II is simulated once more in as many
processes, for the wall-clock time.

Paper II is Gupta, Muthukrishna & Audenaert (2025).
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from _common import build_parser, parse, results_path, use_templates, write_results

from sklc.simulate import CLASSES, COMMON_CLASSES, Survey, simulate, simulate_to_parquet
from sklc.simulate.engine import ClassSimulator
from sklc.simulate.settings import Settings

SURVEYS = ("ztf", "lsst")
# Table 3 of Paper II: light curves that its encoders were trained on. Those of ZTF sum to 97,080,
# while the table and the text of the paper give 87,080.
PAPER_II = {
    "ztf": {"SNIa": 9436, "SNIa-91bg": 10663, "SNIax": 10681, "SNIb/c": 6769, "SNII": 31193,
            "TDE": 9260, "SLSN-I": 10451, "AGN": 8627},
    "lsst": {"SNIa": 8427, "SNIa-91bg": 6079, "SNIax": 8298, "SNIb/c": 7664, "SNII": 9465,
             "TDE": 9686, "SLSN-I": 6947, "AGN": 7822},
}  # fmt: skip
# Figure: what it should be at most, or at least, and its unit.
TARGETS: dict[str, tuple[str, float, str]] = {
    "grids: CPU": ("<=", 60.0, "s"),
    "Paper II: CPU": ("<=", 60.0, "s"),
    "Paper II: peak memory": ("<=", 2.0, "GB"),
    "rate: mean of classes and surveys": (">=", 3000.0, "/s"),
    "linearity: slope of log t, largest two": ("<=", 1.05, ""),
    "Parquet: growth of peak memory": ("<=", 15.0, "%"),
}
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "ARROW_NUM_THREADS")


# -- measuring


def in_fresh_process(part: Callable[..., Any], *arguments: Any) -> Any:
    """Return what a function returns in a process that has done nothing else.

    A process starts with the peak memory of the one that made it; this one stays small.
    """
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(part, *arguments).result()


class Clock:
    """CPU and wall-clock seconds of a block."""

    def __enter__(self) -> Clock:
        self._start = time.process_time(), time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self.cpu = time.process_time() - self._start[0]
        self.wall = time.perf_counter() - self._start[1]


def peak_memory() -> float:
    """Return the largest resident set of this process so far, in GB."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


# -- the parts, each for a fresh process


def build_grids(classes: Sequence[str]) -> dict[str, float]:
    """Build the tables of band fluxes from nothing; the cache has to be empty."""
    with Clock() as clock:
        for survey in SURVEYS:
            for name in classes:
                _ = ClassSimulator(Survey.builtin(survey), CLASSES[name], Settings()).grid
    files = list(Path(os.environ["SKLC_CACHE_DIR"]).glob("*.npz"))
    size = sum(file.stat().st_size for file in files) / 1e6
    return {"cpu": clock.cpu, "wall": clock.wall, "files": len(files), "megabytes": size}


def simulate_paper_ii(numbers: Mapping[str, Mapping[str, int]], n_jobs: int) -> dict[str, float]:
    """Simulate the data set of Paper II, all of it held in memory."""
    with Clock() as clock:
        parts = [simulate(dict(n), survey, n_jobs=n_jobs) for survey, n in numbers.items()]
    return {
        "cpu": clock.cpu,
        "wall": clock.wall,
        "peak memory": peak_memory(),
        "objects": sum(len(part) for part in parts),
        "observations": sum(len(part.flux) for part in parts),
    }


def measure_rates(classes: Sequence[str], n: int, n_seeds: int) -> dict[str, dict[str, Any]]:
    """Return accepted light curves per CPU second, by class and survey."""
    rates: dict[str, dict[str, Any]] = {survey: {} for survey in SURVEYS}
    for survey in SURVEYS:
        for name in classes:
            simulate(10, survey, name)  # tables and models are read
            values, lengths = [], []
            for seed in range(n_seeds):
                with Clock() as clock:
                    curves = simulate(n, survey, name, random_state=seed)
                values.append(n / clock.cpu)
                lengths.append(float(np.mean(curves.lengths)))
            rates[survey][name] = {
                "rate": float(np.median(values)),
                "values": [round(value) for value in values],
                "observations": round(float(np.mean(lengths)), 1),
            }
    return rates


def measure_linearity(numbers: Sequence[int], n_seeds: int) -> dict[int, dict[str, float]]:
    """Return the time of growing numbers of SNe Ia in LSST, the median of the seeds."""
    simulate(10, "lsst", "SNIa")
    out = {}
    for n in numbers:
        times = []
        for seed in range(n_seeds):
            with Clock() as clock:
                simulate(n, "lsst", "SNIa", random_state=seed)
            times.append(clock.cpu)
        out[n] = {"cpu": float(np.median(times)), "per 1000": float(np.median(times)) / n * 1000}
    return out


def write_parquet(classes: Sequence[str], n_per_class: int, part_size: int) -> dict[str, float]:
    """Simulate classes in LSST into a folder that is removed again."""
    with tempfile.TemporaryDirectory() as folder:
        with Clock() as clock:
            simulate_to_parquet(
                folder, n_per_class, "lsst", classes, part_size=part_size, progress=False
            )
        size = sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())
    n = n_per_class * len(classes)
    return {
        "objects": n,
        "cpu": clock.cpu,
        "wall": clock.wall,
        "rate": n / clock.cpu,
        "bytes per object": size / n,
        "peak memory": peak_memory(),
    }


def compare_with_sncosmo(n: int) -> dict[str, float]:
    """Return the rate of ``sncosmo.realize_lcs`` for the same SNe Ia at one position of ZTF.

    In ZTF, whose SNe Ia are near enough for g to stay within the wavelengths of SALT3.
    """
    import astropy.cosmology
    import astropy.table
    import sncosmo

    survey = Survey.builtin("ztf")
    simulate(10, survey, "SNIa")
    with Clock() as own:
        truth = simulate(n, survey, "SNIa").metadata
    visits = survey.nightly_visits
    rows = slice(*visits.offsets[:2])
    names = [passband.name for passband in survey.passbands]
    observations = astropy.table.Table(
        {
            "time": visits.time[rows],
            "band": [names[code] for code in visits.band[rows]],
            "gain": 1 / visits.source[rows],
            "skynoise": np.sqrt(visits.sky[rows]),
            "zp": np.full(rows.stop - rows.start, survey.zero_point),
            "zpsys": ["ab"] * (rows.stop - rows.start),
        }
    )
    dust = {"effects": [sncosmo.F99Dust(3.1)], "effect_names": ["mw"], "effect_frames": ["obs"]}
    model = sncosmo.Model(sncosmo.get_source("salt3", version="2.0"), **dust)
    cosmology = astropy.cosmology.FlatLambdaCDM(H0=70, Om0=0.3)
    parameters = []
    for row in truth.itertuples():
        model.set(z=row.redshift, t0=row.peak_mjd, x1=row.x1, c=row.c, mwebv=row.mwebv)
        model.set_source_peakabsmag(row.peak_absmag, "bessellb", "vega", cosmo=cosmology)
        parameters.append(dict(zip(model.param_names, model.parameters, strict=True)))
    with Clock() as theirs:
        sncosmo.realize_lcs(observations, model, parameters, trim_observations=True)
    return {
        "objects": n,
        "sklc": n / own.cpu,
        "sncosmo": n / theirs.cpu,
        "ratio": theirs.cpu / own.cpu,
    }


# -- the report


def main(arguments: Sequence[str] | None = None) -> dict[str, float]:
    """Measure, print, write; returns the figures that have targets."""
    options = parse(build_parser(__doc__, seeds=3), arguments)
    use_templates(options)
    quick, seeds = options.quick, options.seeds
    kept = {name: os.environ.get(name) for name in (*THREADS, "SKLC_CACHE_DIR")}
    try:
        os.environ.update(dict.fromkeys(THREADS, "1"))
        with tempfile.TemporaryDirectory() as cache:
            os.environ["SKLC_CACHE_DIR"] = cache  # empty: tables are built from nothing
            parts = measure(quick, seeds, options.n_jobs)
    finally:
        for name, value in kept.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
    figures = summarise_parts(parts)
    missed = [name for name, value in figures.items() if not meets(name, value)]
    rates = parts["rates"]
    draw(rates, results_path(options, "speed_simulation", ".png"))
    summary = (
        f"speed_simulation: {figures['rate: mean of classes and surveys']:,.0f} light curves a CPU "
        f"second, Paper II in {figures['Paper II: CPU']:.0f} s and "
        f"{figures['Paper II: peak memory']:.2f} GB; missed: {', '.join(missed) or 'nothing'}"
    )
    content = {
        "summary": summary,
        "what": "CPU and wall-clock seconds of one process with one thread; memory in GB",
        "figures": figures,
        "targets": {name: f"{sign} {value:g} {unit}" for name, (sign, value, unit) in
                    TARGETS.items()},
        "missed": missed,
        "parts": rounded(parts),
    }  # fmt: skip
    write_results(options, "speed_simulation", content)
    print(summary)
    return figures


def measure(quick: bool, seeds: int, n_jobs: int) -> dict[str, Any]:
    """Run all parts, printing as they come."""
    parts: dict[str, Any] = {}

    def add(name: str, part: Callable[..., Any], *arguments: Any) -> Any:
        # a process takes seconds to start: a try-out has one, the rest is done here
        fresh = not quick or part is build_grids
        parts[name] = in_fresh_process(part, *arguments) if fresh else part(*arguments)
        return parts[name]

    classes = COMMON_CLASSES[:1] if quick else COMMON_CLASSES
    grids = add("grids", build_grids, classes)
    say("grids: CPU", grids["cpu"], f"{grids['files']} tables, {grids['megabytes']:.0f} MB")

    share = 0.005 if quick else 1.0
    numbers = {
        survey: {
            name: int(np.ceil(share * count)) for name, count in counts.items() if name in classes
        }
        for survey, counts in PAPER_II.items()
    }
    got = add("Paper II", simulate_paper_ii, numbers, 1)
    note = f"{got['objects']:,} light curves, {got['observations']:,} observations"
    say("Paper II: CPU", got["cpu"], f"{note}, {got['wall']:.0f} s wall clock")
    say("Paper II: peak memory", got["peak memory"])
    rates = add("rates", measure_rates, classes, 50 if quick else 5000, seeds)
    for name in classes:
        text = "".join(
            f"{survey} {rates[survey][name]['rate']:8,.0f}/s of "
            f"{rates[survey][name]['observations']:5.0f} observations   "
            for survey in SURVEYS
        )
        print(f"  {name:10s} {text}")
    mean, equal = averages(rates)
    say("rate: mean of classes and surveys", mean, f"{equal:,.0f} for equal numbers of each")

    sizes = (50, 100, 200) if quick else (1_000, 10_000, 100_000)
    linearity = add("linearity", measure_linearity, sizes, seeds)
    for n, row in linearity.items():
        print(f"  SNIa in lsst, n = {n:7,}: {row['cpu']:7.3f} s, {row['per 1000']:.4f} s per 1000")
    slopes = log_slopes(linearity)
    say("linearity: slope of log t, largest two", slopes[-1], f"smallest two {slopes[0]:.2f}")

    per_class = (20, 40) if quick else (12_500, 50_000)
    part_size = 80 if quick else 20_000
    small, large = (
        add(f"Parquet, {name}", write_parquet, classes, n, part_size)
        for name, n in zip(("fewer", "more"), per_class, strict=True)
    )
    for row in (small, large):
        print(
            f"  Parquet, {row['objects']:7,} objects: {row['rate']:,.0f}/s, "
            f"{row['bytes per object']:,.0f} bytes an object, {row['peak memory']:.2f} GB"
        )
    say("Parquet: growth of peak memory", memory_growth(small, large))
    hours = 1e7 / large["rate"] / 3600
    disk = 1e7 * large["bytes per object"] / 1e9
    parts["10 million, extrapolated"] = {"CPU hours": hours, "disk": disk}
    print(f"  extrapolated, not measured: 10 million take {hours:.2f} CPU h and {disk:.1f} GB")

    other = add("sncosmo", compare_with_sncosmo, 20 if quick else 2000)
    print(
        f"  SNIa in ztf, {other['objects']:,} objects: {other['sklc']:,.0f}/s, "
        f"sncosmo.realize_lcs {other['sncosmo']:,.0f}/s, ratio {other['ratio']:.1f}"
    )
    if n_jobs > 1:  # here, and last: a process of its own may not have some, and this one grows
        wall = simulate_paper_ii(numbers, n_jobs)["wall"]
        parts["Paper II, several processes"] = {"wall": wall, "n_jobs": n_jobs}
        print(f"  Paper II with n_jobs={n_jobs}: {wall:.0f} s wall clock")
    return parts


def averages(rates: Mapping[str, Mapping[str, Any]]) -> tuple[float, float]:
    """Return the mean of all rates, and the rate of as many light curves of each."""
    values = np.array([row["rate"] for of_survey in rates.values() for row in of_survey.values()])
    return float(values.mean()), float(1 / np.mean(1 / values))


def log_slopes(linearity: Mapping[int, Mapping[str, float]]) -> list[float]:
    """Return the slope of log time against log number between neighbours."""
    n = np.log([float(key) for key in linearity])
    t = np.log([row["cpu"] for row in linearity.values()])
    return (np.diff(t) / np.diff(n)).tolist()


def memory_growth(small: Mapping[str, float], large: Mapping[str, float]) -> float:
    """Return by how many percent the larger simulation needs more memory."""
    return 100 * (large["peak memory"] / small["peak memory"] - 1)


def summarise_parts(parts: Mapping[str, Any]) -> dict[str, float]:
    """Return the figures that have targets."""
    values = {
        "grids: CPU": parts["grids"]["cpu"],
        "Paper II: CPU": parts["Paper II"]["cpu"],
        "Paper II: peak memory": parts["Paper II"]["peak memory"],
        "rate: mean of classes and surveys": averages(parts["rates"])[0],
        "linearity: slope of log t, largest two": log_slopes(parts["linearity"])[-1],
        "Parquet: growth of peak memory": memory_growth(
            parts["Parquet, fewer"], parts["Parquet, more"]
        ),
    }
    return {name: round(float(values[name]), 3) for name in TARGETS}


def meets(name: str, value: float) -> bool:
    sign, target, _ = TARGETS[name]
    return value <= target if sign == "<=" else value >= target


def say(name: str, value: float, note: str = "") -> None:
    """Print a figure beside its target."""
    sign, target, unit = TARGETS[name]
    verdict = "met" if meets(name, value) else "MISSED"
    aim = f"target {sign} {target:,g} {unit}"
    print(f"{name:40s} {value:10,.2f} {unit:3s} {aim:22s} {verdict}  {note}", flush=True)


def rounded(value: Any) -> Any:
    """Return plain values with five significant digits."""
    if isinstance(value, Mapping):
        return {str(key): rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(item) for item in value]
    return float(f"{value:.5g}") if isinstance(value, float | np.floating) else value


def draw(rates: Mapping[str, Mapping[str, Any]], path: Path) -> None:
    """Draw the rate of each class and survey, and the target."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.ticker import StrMethodFormatter

    figure, ax = plt.subplots(figsize=(9, 4.2), layout="constrained")
    classes = list(rates[SURVEYS[0]])
    x, width = np.arange(len(classes)), 0.38
    colours = {"ztf": "#0072B2", "lsst": "#D55E00"}
    for k, survey in enumerate(SURVEYS):
        heights = [rates[survey][name]["rate"] for name in classes]
        bars = ax.bar(x + (k - 0.5) * width, heights, width, color=colours[survey], label=survey)
        labels = ax.bar_label(bars, [f"{h:,.0f}" for h in heights], padding=2, fontsize=7)
        for label in labels:
            label.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 0.5})
    target = TARGETS["rate: mean of classes and surveys"][1]
    ax.axhline(target, color="black", linestyle="--", linewidth=1, zorder=0)
    mean = averages(rates)[0]
    ax.axhline(mean, color="0.4", linewidth=1, zorder=0)
    style = {"transform": ax.get_yaxis_transform(), "fontsize": 8, "va": "center"}
    ax.text(1.005, target, f"target\n{target:,.0f}", **style)
    ax.text(1.005, mean, f"mean\n{mean:,.0f}", color="0.4", **style)
    ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    ax.set_xticks(x, classes)
    ax.set(ylabel="accepted light curves per CPU second", title="One core, one thread")
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False)
    figure.savefig(path, dpi=100)
    plt.close(figure)


if __name__ == "__main__":
    main()
