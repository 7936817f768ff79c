"""How fast light curves are encoded: every way in one run, beside the machine's own peak.

    python benchmarks/speed_inference.py             # about five minutes on two cores
    python benchmarks/speed_inference.py --largest 10_000_000    # and half an hour
    python benchmarks/speed_inference.py --quick     # a try-out

The network of the papers (two GRU layers of 100 units; the weights ``ztf``) encodes synthetic
light curves of lengths as in a survey: lognormal, median 59, mean 76, up to 587. "Naive padding" is
what a plain skorch pipeline does: batches of 128 in random order, padded to their longest. All ways
start from `LightCurves` and include the input representation. Rates are the best of some repeats;
the share of the peak is the network's own arithmetic, without padding, over float32 matrix products
of 1024 x 1024 with as many threads in the same run.

Baselines stop at the same point, a table of numbers for a classifier: MiniRocket on series padded
to 2 x 100 (needs aeon, and the older NumPy that aeon needs), hand-crafted features (150 for two
bands, by the package light-curve), and prediction by gradient boosting on those.
"Scaling" streams parts of 100,000 light curves through `sklc.stream`. "One alert" builds a
`LightCurves` of one object and predicts its classes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _common import build_parser, markdown_table, parse, results_path, write_results
from _speed import (
    FLOP_PER_OBSERVATION,
    SEED,
    cost,
    make_curves,
    matrix_peak,
    peak_memory,
    slope,
    targets_table,
    threads,
)

from sklc import LightCurveEncoder, LightCurveFeatures, LightCurves, TransferClassifier, stream
from sklc.datasets import load_demo
from sklc.networks.padding import pad, plan_batches
from sklc.networks.recurrent.engines import ENGINE_VARIABLE
from sklc.serving import OnnxModel

NAME = "speed_inference"
WEIGHTS = "ztf"
NAIVE, TORCH, ONNX = "naive padding", "sklc, torch", "sklc, ONNX Runtime"
TARGETS = {
    "share of the float32 peak": (">=", 0.75, ""),
    "times naive padding": (">=", 11.0, "x"),
    "difference of the engines, rms over sd": ("<=", 1e-6, ""),
    "slope of time over number": ("<=", 1.05, ""),
    "growth of memory, largest over first": ("<=", 1.2, "x"),
}


# -- ways to encode


def collated(
    encoder: LightCurveEncoder, curves: LightCurves, batches: list[np.ndarray]
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Padded inputs and lengths of batch after batch."""
    values, lengths = encoder.representation_.encode(curves)
    starts = np.cumsum(lengths) - lengths
    for batch in batches:
        padded = pad(values, starts[batch], lengths[batch])
        yield torch.from_numpy(padded), torch.from_numpy(lengths[batch])


def padded(encoder: LightCurveEncoder, curves: LightCurves, batches: list[np.ndarray]) -> None:
    """`torch.nn.GRU` on padded batches."""
    network = encoder.net_.module_
    with torch.inference_mode():
        for inputs, n in collated(encoder, curves, batches):
            state = network.gru(inputs)[0][torch.arange(len(n)), n - 1]
            network.to_latent(state)


def packed(encoder: LightCurveEncoder, curves: LightCurves, batches: list[np.ndarray]) -> None:
    """`torch.nn.GRU` on packed sequences."""
    network = encoder.net_.module_
    with torch.inference_mode():
        for inputs, n in collated(encoder, curves, batches):
            sequence = torch.nn.utils.rnn.pack_padded_sequence(
                inputs, n, batch_first=True, enforce_sorted=False
            )
            network.to_latent(network.gru(sequence)[1][-1])


def by_engine(engine: str, encoder: LightCurveEncoder, curves: LightCurves) -> np.ndarray:
    """What `transform` does, with one engine or the other."""
    os.environ[ENGINE_VARIABLE] = engine
    try:
        return encoder.transform(curves)
    finally:
        del os.environ[ENGINE_VARIABLE]


def ways_to_encode(encoder: LightCurveEncoder, curves: LightCurves) -> dict[str, Callable]:
    """Calls that encode `curves`, by name."""
    in_any_order = np.array_split(np.random.default_rng(SEED).permutation(len(curves)),
                                  max(len(curves) // 128, 1))  # fmt: skip
    by_length = partial(plan_batches, curves.lengths, rng=None)
    return {
        NAIVE: partial(padded, encoder, curves, in_any_order),
        "sorted by length, padded": partial(padded, encoder, curves, by_length(batch_size=128)),
        "packed sequences": partial(packed, encoder, curves, by_length(batch_size=256)),
        TORCH: partial(by_engine, "torch", encoder, curves),
        ONNX: partial(by_engine, "onnx", encoder, curves),
    }


def baselines(curves: LightCurves) -> dict[str, Callable]:
    """Other ways from light curves to columns or predictions, those that are installed."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    found: dict[str, Callable] = {}
    try:
        from aeon.transformations.collection.convolution_based import MiniRocket
    except ImportError:
        print("without aeon: no MiniRocket")
    else:
        series = np.random.default_rng(SEED).normal(size=(len(curves), 2, 100)).astype(np.float32)
        rocket = MiniRocket(random_state=SEED, n_jobs=1).fit(series[:50])
        found["MiniRocket, 2 x 100"] = lambda: rocket.transform(series)
    features = LightCurveFeatures().fit(curves[:50])
    found["hand-made features"] = lambda: features.transform(curves)
    table = features.transform(curves[:300])
    model = HistGradientBoostingClassifier(max_iter=100).fit(table, np.arange(len(table)) % 3)
    many = np.tile(table, (len(curves) // len(table) + 1, 1))[: len(curves)]
    found["gradient boosting, predict only"] = lambda: model.predict_proba(many)
    return found


def measure_rates(n_objects: int, repeat: int, n_threads: Sequence[int]) -> dict[str, Any]:
    """Light curves per second of every way, by number of threads."""
    curves = make_curves(n_objects)
    encoder = LightCurveEncoder(WEIGHTS, device="cpu").fit(curves[:1])
    n_flop = float(curves.lengths.sum()) * FLOP_PER_OBSERVATION
    few = curves[: n_objects // 10]  # for what is slow
    ways = ways_to_encode(encoder, curves)
    ways[NAIVE] = ways_to_encode(encoder, few)[NAIVE]
    rates: dict[str, Any] = {str(number): {} for number in n_threads}
    # The others last: threads of another OpenMP library, once started, let those of torch wait, and
    # padded batches on two threads are then eighteen times slower.
    for make in (lambda: ways, lambda: baselines(few)):
        group = make()
        for number in n_threads:
            with threads(number):
                own = rates[str(number)]
                # Before and after, and the greater: neighbours on a shared machine slow it down.
                peak = matrix_peak() if group is ways else 0.0
                for name, run in group.items():
                    n_encoded = n_objects if name in ways and name != NAIVE else len(few)
                    spent = cost(run, repeat)
                    rate = n_encoded / spent.wall
                    own[name] = {"n": n_encoded, "per second": rate, "cpu seconds": spent.cpu}
                    print(f"{number} threads  {name:34s} {rate:10,.0f} /s", flush=True)
                if group is ways:
                    own["float32 peak, GFLOP/s"] = peak = max(peak, matrix_peak())
                    for name in group:
                        gflops = n_flop / n_objects * own[name]["per second"] / 1e9
                        own[name] |= {"GFLOP/s": gflops, "share": gflops / peak}
    latents = [by_engine(name, encoder, curves[:2000]) for name in ("onnx", "torch")]
    difference = (latents[0] - latents[1]) / latents[1].std()
    return {
        "rates": rates,
        "difference": {
            "rms": float(np.sqrt(np.mean(difference**2))),
            "largest": float(np.abs(difference).max()),
        },
    }


# -- scaling and latency


def in_fresh_process(sizes: Sequence[int], part: int, n_threads: int) -> list[dict[str, float]]:
    """What `measure_scaling` returns in a process that has done nothing else.

    Started as a program: in a child of multiprocessing, sklc takes one thread, as under joblib.
    """
    code = (
        "import json, speed_inference; "
        f"print(json.dumps(speed_inference.measure_scaling({list(sizes)}, {part}, {n_threads})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parent,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    *progress, found = done.stdout.splitlines()
    print("\n".join(progress))
    return json.loads(found)


def measure_scaling(sizes: Sequence[int], part: int, n_threads: int) -> list[dict[str, float]]:
    """Seconds and memory of streams of light curves, the smallest first."""
    torch.set_num_threads(n_threads)
    base = make_curves(part)
    encoder = LightCurveEncoder(WEIGHTS, device="cpu").fit(base[:1])
    encoder.transform(base[:1000])
    rows = []
    for size in sizes:

        def parts(size: int = size):
            for start in range(0, size, part):
                yield base[: min(part, size - start)]

        def run(parts: Callable = parts) -> None:
            for _ in stream(encoder.transform, parts()):
                pass

        spent = cost(run)
        rows.append({"n": size, "wall": spent.wall, "cpu": spent.cpu, "memory": peak_memory()})
        print(f"{size:12,} light curves: {spent.wall:8.2f} s, {peak_memory():.2f} GB", flush=True)
    return rows


def measure_latency(n_alerts: int) -> dict[str, dict[str, float]]:
    """Milliseconds from the arrays of one light curve to its class probabilities."""
    curves, y = load_demo(return_X_y=True)
    classifier = TransferClassifier(random_state=SEED, device="cpu").fit(curves[::2], y[::2])
    arrays = [(c.time, c.flux, c.flux_err, c.band_names) for c in curves] * 10
    with tempfile.TemporaryDirectory() as folder, threads(1):
        model = OnnxModel(classifier.to_onnx(Path(folder) / "classifier.onnx"))
        found = {}
        for name, predict in {
            "OnnxModel.predict_proba": model.predict_proba,
            "TransferClassifier.predict_proba": classifier.predict_proba,
        }.items():

            def one(alert: tuple, predict: Callable = predict) -> None:
                time, flux, error, band = alert
                predict(LightCurves.from_arrays(time, flux, error, band, offsets=[0, len(time)]))

            one(arrays[0])
            spent = [1e3 * cost(partial(one, alert)).wall for alert in arrays[:n_alerts]]
            p50, p99 = np.percentile(spent, [50, 99])
            found[name] = {"p50": float(p50), "p99": float(p99)}
            print(f"{name}: p50 {p50:.2f} ms, p99 {p99:.2f} ms")
    return found


# -- showing


def markdown(content: dict[str, Any]) -> str:
    """Tables of docs/performance.md."""
    rates = content["rates"]
    names = [n for n in rates["1"] if not n.startswith("float32")]
    most = list(rates)[-1]
    last = rates[most]
    table = [
        [
            name,
            *(f"{own[name]['per second']:,.0f}" for own in rates.values()),
            f"{1e6 * last[name]['cpu seconds'] / last[name]['n']:,.0f}",
            *(f"{100 * own[name]['share']:.0f} %" if "share" in own[name] else "–"
              for own in rates.values()),
        ]
        for name in names
    ]  # fmt: skip
    header = [
        "",
        *(f"/s, {n} thread{'s' * (n != '1')}" for n in rates),
        f"CPU µs each, {list(rates)[-1]}",
    ]
    peaks = [f"{own['float32 peak, GFLOP/s']:.0f}" for own in rates.values()]
    table.append(["float32 matrix products, GFLOP/s", *peaks, "–", *("100 %" for _ in rates)])
    scaling = [
        [f"{row['n']:,}", f"{row['wall']:.1f}", f"{row['n'] / row['wall']:,.0f}",
         f"{row['memory']:.2f}"]
        for row in content["scaling"]
    ]  # fmt: skip
    latency = [[n, f"{v['p50']:.2f}", f"{v['p99']:.2f}"] for n, v in content["latency"].items()]
    return "\n\n".join(
        [
            "Light curves encoded per second:",
            markdown_table([*header, *(f"of peak, {n}" for n in rates)], table),
            "Any number of them, by `sklc.stream`:",
            markdown_table(["light curves", "seconds", "/s", "peak memory, GB"], scaling),
            "One alert, from arrays to probabilities, milliseconds:",
            markdown_table(["", "p50", "p99"], latency),
            "Targets:",
            markdown_table(["", "target", "measured", ""], content["targets"]),
        ]
    )


def plot(path: Path, content: dict[str, Any]) -> None:
    """Plot rates of every way, and time against the number of light curves."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 4.5), layout="constrained")
    rates = content["rates"]
    names = [n for n in rates["1"] if not n.startswith("float32")]
    for number, (count, own) in enumerate(rates.items()):
        left.barh(
            np.arange(len(names)) + 0.4 * number,
            [own[name]["per second"] for name in names],
            height=0.4,
            label=f"{count} thread{'s' * (count != '1')}",
        )
    left.set_yticks(np.arange(len(names)) + 0.2, names)
    left.invert_yaxis()
    left.set_xscale("log")
    left.set_xlabel("light curves per second")
    left.grid(axis="x", alpha=0.3)
    left.legend()
    n = [row["n"] for row in content["scaling"]]
    right.loglog(n, [row["wall"] for row in content["scaling"]], "o-")
    right.set_xlabel("light curves")
    right.set_ylabel("seconds")
    right.set_title(f"slope {content['slope']:.3f}", loc="left")
    right.grid(alpha=0.3)
    figure.savefig(path, dpi=130)
    plt.close(figure)


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Run the benchmark and return its figures."""
    parser = build_parser(__doc__, seeds=1)
    parser.add_argument("--largest", type=int, default=1_000_000, help="stream up to (1_000_000)")
    options = parse(parser, arguments)
    n_objects, repeat, part = (400, 1, 200) if options.quick else (20_000, 3, 100_000)
    sizes = [100, 400] if options.quick else [1_000, 10_000, 100_000, 1_000_000, 10_000_000]
    cores = len(os.sched_getaffinity(0))
    # One thread in a try-out: beside another OpenMP library two may take minutes.
    n_threads = [1] if options.quick else sorted({1, min(2, cores)})
    content = measure_rates(n_objects, repeat, n_threads)
    most = list(content["rates"])[-1]
    sizes = [n for n in sizes if n <= options.largest]
    content["scaling"] = in_fresh_process(sizes, part, int(most))
    content["latency"] = measure_latency(20 if options.quick else 3000)
    last = content["rates"][most]
    # The first sizes are dominated by what a call costs whatever it encodes.
    large = [row for row in content["scaling"] if row["n"] >= 10_000 or options.quick]
    memory = [row["memory"] for row in content["scaling"] if row["n"] >= part]
    content["slope"] = slope([r["n"] for r in large], [r["wall"] for r in large])
    found = {
        "share of the float32 peak": last[ONNX]["share"],
        "times naive padding": last[ONNX]["per second"] / last[NAIVE]["per second"],
        "difference of the engines, rms over sd": content["difference"]["rms"],
        "slope of time over number": content["slope"],
        "growth of memory, largest over first": memory[-1] / memory[0],
    }
    content["targets"] = targets_table(TARGETS, found)
    content["found"] = found
    for row in content["targets"]:
        print("  ".join(f"{text:42s}" if k == 0 else text for k, text in enumerate(row)))
    content["markdown"] = "" if options.quick else markdown(content)
    content["protocol"] = " ".join((__doc__ or "").split("\n\n", 2)[2].split())
    print(f"wrote {write_results(options, NAME, content, [WEIGHTS]).name}")
    plot(results_path(options, NAME, ".png"), content)
    return content


if __name__ == "__main__":
    main()
