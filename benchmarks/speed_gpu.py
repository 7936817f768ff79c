"""How fast a GPU pretrains and encodes, and what share of its peak that is.

    python benchmarks/speed_gpu.py             # a few minutes on one GPU
    python benchmarks/speed_gpu.py --quick     # a try-out, also without a GPU

Pretraining is one epoch, timed and multiplied, of each objective on 151,468 synthetic light curves
of lengths as in a survey, the number of Gupta, Muthukrishna & Audenaert (2025, Paper II), with
mixed precision; their V100 took 600 s for a classifier, 2,700 s for a contrastive encoder, and
1,200 s for an adversarial one. Encoding goes from `LightCurves` to latents in the memory of the
host. The peak is that of 8192 x 8192 matrix products in the same run, with factors rounded to TF32
where the device can, as in the recurrent layers. "Network alone" leaves out the input
representation, which the host computes: where it is much faster than the whole, the host bounds it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from _common import build_parser, markdown_table, parse, write_results
from _speed import FLOP_PER_OBSERVATION, SEED, make_curves, targets_table

from sklc import LightCurveEncoder
from sklc.networks.inference.device import encode_on_device

NAME = "speed_gpu"
N_PAPER, N_CLASSES = 151_468, 8
# Epochs of a pretraining; the shipped weights took 12 to 20.
EPOCHS = 16
TARGETS = {
    "pretrain, classifier": ("<=", 60.0, "s"),
    "pretrain, contrastive": ("<=", 90.0, "s"),
    "pretrain, adversarial": ("<=", 90.0, "s"),
    "encode": (">=", 1e6, "/s"),
}
QUOTED = {"classifier": 600, "contrastive": 2700, "adversarial": 1200}


def timed(run, device: str) -> float:
    """Seconds of a call, its work on the device included."""
    started = time.perf_counter()
    run()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - started


def device_peak(device: str, precision: str, size: int) -> float:
    """Float32 matrix products of the device, GFLOP/s; precision "high" allows TF32."""
    matrix = torch.randn(size, size, device=device)
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(precision)
    try:
        best = min(timed(lambda: [matrix @ matrix for _ in range(5)], device) for _ in range(3))
    finally:
        torch.set_float32_matmul_precision(before)
    return 5 * 2 * size**3 / best / 1e9


def epoch_seconds(objective: str, curves, y, device: str, batch_size: int) -> float:
    """Seconds of one epoch, as the difference of a fit of two and a fit of one."""
    survey = np.where(np.arange(len(y)) % 2, "ztf", "lsst")
    found = []
    for epochs in (1, 2):
        encoder = LightCurveEncoder(
            objective=objective,
            max_epochs=epochs,
            batch_size=batch_size,
            early_stopping=False,
            device=device,
            random_state=SEED,
            verbose=0,
        )
        options = {"survey": survey} if objective == "adversarial" else {}
        found.append(timed(lambda e=encoder, o=options: e.fit(curves, y, **o), device))
    return max(found[1] - found[0], 1e-9)


def measure(n_objects: int, device: str, batch_size: int, size: int) -> dict[str, Any]:
    """All figures on a device."""
    curves = make_curves(n_objects)
    y = np.random.default_rng(SEED).integers(0, N_CLASSES, n_objects)
    n_rows = int(curves.lengths.sum())
    content: dict[str, Any] = {
        "device": torch.cuda.get_device_name() if device == "cuda" else "none: the processor",
        "peak GFLOP/s": {
            "TF32": device_peak(device, "high", size),
            "float32": device_peak(device, "highest", size),
        },
        "pretrain": {},
    }
    for objective in QUOTED:
        seconds = epoch_seconds(objective, curves, y, device, batch_size)
        gflops = 3 * n_rows * FLOP_PER_OBSERVATION / seconds / 1e9
        content["pretrain"][objective] = {
            "seconds": seconds * EPOCHS * N_PAPER / n_objects,
            "epoch": seconds,
            "share of TF32 peak": gflops / content["peak GFLOP/s"]["TF32"],
        }
        print(f"{objective}: {seconds:.2f} s an epoch of {n_objects:,} light curves", flush=True)
    encoder = LightCurveEncoder("ztf", device=device).fit(curves[:1])
    network, representation = encoder.net_.module_, encoder.representation_
    latents = np.empty((n_objects, network.config["latent_size"]), dtype=np.float32)

    def encode(what) -> None:
        encode_on_device(network, what, curves, None, latents, torch.device(device))

    encode(representation)
    whole = timed(lambda: encode(representation), device)
    prepared = representation.encode(curves)
    alone = timed(lambda: encode(_Prepared(prepared, curves)), device)
    gflops = n_rows * FLOP_PER_OBSERVATION / alone / 1e9
    content["encode"] = {
        "per second": n_objects / whole,
        "network alone": n_objects / alone,
        "share of TF32 peak": gflops / content["peak GFLOP/s"]["TF32"],
    }
    reference = LightCurveEncoder("ztf", device="cpu").transform(curves[:2000])
    difference = (latents[:2000] - reference) / reference.std()
    content["encode"]["rms difference to the processor, over sd"] = float(
        np.sqrt(np.mean(difference**2))
    )
    return content


class _Prepared:
    """Stands in for the representation, with everything encoded beforehand."""

    def __init__(self, prepared: tuple[np.ndarray, np.ndarray], curves) -> None:
        self.values, self.lengths = prepared
        self.ends = np.cumsum(self.lengths)
        self.position = {curve_id: k for k, curve_id in enumerate(curves.ids)}

    def encode(self, part) -> tuple[np.ndarray, np.ndarray]:
        first = self.position[part.ids[0]]
        last = first + len(part)
        start = self.ends[first - 1] if first else 0
        return self.values[start : self.ends[last - 1]], self.lengths[first:last]


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Run the benchmark and return its figures."""
    parser = build_parser(__doc__, seeds=1)
    parser.add_argument("--batch-size", type=int, default=1024, help="of training (1024)")
    options = parse(parser, arguments)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cpu" and not options.quick:
        parser.error("torch finds no GPU here; --quick tries the script out on the processor")
    n_objects, size = (300, 256) if options.quick else (N_PAPER, 8192)
    content = measure(n_objects, device, min(options.batch_size, n_objects // 2), size)
    found = {f"pretrain, {o}": row["seconds"] for o, row in content["pretrain"].items()}
    found["encode"] = content["encode"]["per second"]
    content["targets"] = targets_table(TARGETS, found)
    content["quoted: Paper II, V100, s"] = QUOTED
    for row in content["targets"]:
        print("  ".join(f"{text:24s}" for text in row))
    content["markdown"] = markdown_table(["", "target", "measured", ""], content["targets"])
    content["protocol"] = " ".join((__doc__ or "").split("\n\n", 2)[2].split())
    print(f"wrote {write_results(options, NAME, content, ['ztf']).name}")
    return content


if __name__ == "__main__":
    main()
