"""Kill, interrupt, fill the disk, and damage files, and count what is lost.

    python benchmarks/faults.py             # 100 of each, and 10,000 damaged files: half an hour
    python benchmarks/faults.py --quick     # a few of each

Every trial runs in a forked process, which writes over what is there, again and again, or trains.
It is killed (SIGKILL), interrupted (SIGINT) or left without room (a limit on the size of files) at
a random moment. Afterwards the file, or the folder, must be the old or the new one, whole; a
training must go on to the same weights as without the interruption; and the next writer must leave
nothing but its own files.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import resource
import shutil
import signal
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fuzz
import numpy as np
import torch
from _common import RESULTS, _versions
from _fault_files import KINDS, SMALL, attempt, classifier, encoder, objects

from sklc import LightCurveEncoder, LightCurves, TransferClassifier
from sklc.networks.architectures import ARCHITECTURES
from sklc.networks.objectives.registry import OBJECTIVES
from sklc.serving import OnnxModel

WAYS = ("killed", "interrupted", "disk full")
# Seconds until a trial that overwrites is ended, at the latest.
_LONGEST = 0.25


@dataclass(frozen=True)
class Operation:
    """Something that is interrupted.

    Parameters
    ----------
    work : callable
        Does it, in a folder; with ``for_ever`` again and again.
    is_whole : callable
        Whether what the folder holds is one of the results, and not a mixture or a part.
    seconds : float
        How long it is let alone at most.
    size : int
        Bytes that it writes at most into a file.
    """

    work: Callable[[Path, bool], None]
    is_whole: Callable[[Path], bool]
    seconds: float
    size: int


def overwriting(write: Callable[[Path, int], Any], read: Callable[[Path], int | None]) -> Operation:
    """Write two things in turn to one place; `read` says which of them is there."""

    def work(folder: Path, for_ever: bool) -> None:
        for number in itertools.count() if for_ever else (1,):
            write(folder, number % 2)

    def is_whole(folder: Path) -> bool:
        if read(folder) not in (0, 1):
            return False
        write(folder, 0)  # the next writer tidies up
        hidden = [path for path in folder.rglob("*") if path.name.startswith(".")]
        return read(folder) == 0 and not hidden

    folder = Path(tempfile.mkdtemp())
    write(folder, 0)
    size = max(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    shutil.rmtree(folder)
    return Operation(work, is_whole, _LONGEST, size)


def training(objective: str, architecture: str) -> Operation:
    """Train with a checkpoint."""
    curves, y = objects()
    curves = curves.with_metadata(survey=np.where(np.arange(len(curves)) % 2, "A", "B"))
    options = {**SMALL, "max_epochs": 4, "objective": objective, "architecture": architecture}
    if architecture != "gru":
        options = {k: v for k, v in options.items() if k != "hidden_size"}
    begun = time.perf_counter()
    expected = LightCurveEncoder(**options).fit(curves, y).transform(curves)
    seconds = time.perf_counter() - begun

    def fit(folder: Path) -> LightCurveEncoder:
        return LightCurveEncoder(**options, checkpoint=folder / "mine.checkpoint").fit(curves, y)

    def is_whole(folder: Path) -> bool:
        same = np.array_equal(fit(folder).transform(curves), expected)
        return same and [path.name for path in folder.iterdir()] == ["mine.checkpoint"]

    return Operation(lambda folder, _: fit(folder) and None, is_whole, seconds, 30_000)


def _which(found: np.ndarray, known: list[np.ndarray]) -> int | None:
    return next((k for k, own in enumerate(known) if np.array_equal(found, own)), None)


def _swapped(network: Any) -> Any:
    """Return a copy of a network with other weights."""
    other = LightCurveEncoder(redshift_weight=0.2, **{**SMALL, "random_state": 1})
    return other.fit(*objects()) if network is None else network


def operations(quick: bool) -> dict[str, Operation]:
    """Return everything that is interrupted, by name."""
    curves, _ = objects()
    halves = [curves[:30], curves[30:].with_metadata(extra=1.0)]
    fluxes = [own.flux for own in halves]
    encoders = [encoder(), _swapped(None)]
    latents = [own.transform(curves) for own in encoders]
    classifiers = [classifier(), TransferClassifier.pretrained("ztf", device="cpu")]
    names = [own.classes_ for own in classifiers]

    def folder_of_curves(folder: Path) -> int | None:
        read = LightCurves.from_parquet(folder / "curves")
        which = _which(read.flux, fluxes)
        return which if ("extra" in read.metadata) == (which == 1) else None

    found = {
        "light curves": overwriting(
            lambda folder, k: halves[k].to_parquet(folder / "curves"), folder_of_curves
        ),
        "weights": overwriting(
            lambda folder, k: encoders[k].save(folder / "mine.safetensors"),
            lambda folder: _which(
                LightCurveEncoder(folder / "mine.safetensors").transform(curves), latents
            ),
        ),
        "estimators": overwriting(
            lambda folder, k: classifiers[k].save(folder / "mine.safetensors"),
            lambda folder: _which(TransferClassifier.load(folder / "mine.safetensors").classes_,
                                  names),
        ),
        "exported models": overwriting(
            lambda folder, k: classifiers[k].to_onnx(folder / "mine.onnx"),
            lambda folder: _which(OnnxModel(folder / "mine.onnx").classes_, names),
        ),
    }  # fmt: skip
    pairs = [(objective, "gru") for objective in OBJECTIVES.names()]
    pairs += [("classifier", name) for name in ARCHITECTURES.names() if name != "gru"]
    for objective, architecture in pairs[:1] if quick else pairs:
        found[f"training: {objective}, {architecture}"] = training(objective, architecture)
    return found


def try_once(operation: Operation, way: str, rng: np.random.Generator) -> str:
    """Interrupt an operation once; return "" or what was lost."""
    folder = Path(tempfile.mkdtemp(prefix="sklc-faults-"))
    try:
        if operation.seconds == _LONGEST:
            operation.work(folder, False)  # what may not be lost
        wait, limit = rng.uniform(0, operation.seconds), int(rng.integers(operation.size))
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])  # until the child expects it
        child = os.fork()
        if child == 0:
            _be_child(operation, way, folder, limit)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
        if way != "disk full":
            time.sleep(wait)
            os.kill(child, signal.SIGKILL if way == "killed" else signal.SIGINT)
        end = time.monotonic() + 60 + 20 * operation.seconds
        while not os.waitpid(child, os.WNOHANG)[0]:
            if time.monotonic() > end:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
                return "it hangs"
            time.sleep(0.002)
        if way == "interrupted":
            left = [path.name for path in folder.rglob(".*")]
            if left:
                return f"an interruption left {left}"
        return "" if operation.is_whole(folder) else "what is there is not whole"
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:200]}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _be_child(operation: Operation, way: str, folder: Path, limit: int) -> None:
    """Do the work, and end."""
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        if way == "disk full":
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        operation.work(folder, way != "disk full")
    except BaseException:
        os._exit(1)
    os._exit(0)


# -- damaged files


def _attempt(target: str, seed: int, number: int) -> tuple[str, str, str]:
    rng = np.random.default_rng([seed, sorted(KINDS).index(target), number])
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return *attempt(target, rng), f"input {number}"


def _work(target: str, seed: int, start: int, stop: int, in_hand: Any, pipe: Any) -> None:
    torch.set_num_threads(1)
    pipe.send([])
    for number in range(start, stop):
        in_hand.value = number
        pipe.send([(number, *_attempt(target, seed, number))])
    pipe.close()


def damaged_files(n: int, seed: int) -> dict[str, Any]:
    """Read `n` damaged files of all kinds, each kind in a process of its own."""
    found, share = fuzz.Found(), -(-n // len(KINDS))
    for kind in KINDS:
        fuzz.TARGETS[kind] = (lambda rng: None, 1.0)  # what is lost with a process is not repeated
        fuzz.run(kind, seed, 0, share, found, work=_work)
        print(f"{kind}: {found.counts[kind]}", flush=True)
    return {"counts": found.counts, "faults": found.faults}


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    """Run everything; return the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n", type=int, default=100, help="trials of each way (100)")
    parser.add_argument("--files", type=int, default=10_000, help="damaged files (10000)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="a few of each")
    parser.add_argument("--output", type=Path, metavar="DIR", default=RESULTS)
    options = parser.parse_args(arguments)
    if options.quick:
        options.n, options.files = 8, 0
    torch.set_num_threads(1)
    begun, lost = time.perf_counter(), list[dict[str, str]]()
    done: Counter[str] = Counter()
    warnings.simplefilter("ignore")
    everything = operations(options.quick)
    for way in WAYS:
        rng = np.random.default_rng([options.seed, WAYS.index(way)])
        for _, (name, operation) in zip(
            range(options.n), itertools.cycle(everything.items()), strict=False
        ):
            what = try_once(operation, way, rng)
            done[way] += 1
            if what:
                lost.append({"operation": name, "way": way, "what": what})
                print(f"{name}, {way}: {what}", flush=True)
        print(f"{done[way]} times {way}: {sum(x['way'] == way for x in lost)} lost", flush=True)
    files = damaged_files(options.files, options.seed) if options.files else {}
    result = {
        "name": "faults", "seed": options.seed, "trials": dict(done), "lost": lost,
        "operations": list(everything), "damaged_files": files,
        "seconds": round(time.perf_counter() - begun, 1),
        "versions": {"python": platform.python_version(), **_versions()},
    }  # fmt: skip
    options.output.mkdir(parents=True, exist_ok=True)
    text = json.dumps(result, indent=1, ensure_ascii=False) + "\n"
    (options.output / "faults.json").write_text(text, encoding="utf-8")
    n_faults = len(files.get("faults", ()))
    print(f"{sum(done.values())} trials, {len(lost)} lost; {n_faults} faults of damaged files")
    return result


if __name__ == "__main__":
    outcome = main()
    sys.exit(bool(outcome["lost"] or outcome["damaged_files"].get("faults")))
